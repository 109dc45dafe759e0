#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 40
# The report where the namespace is not resilient: names are distributed over
# the bricks, so a brick that goes down takes names along. The report must say
# that it is not exact, and how much data survives without a name.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

ALLOT=allot
[ "$BUILD" = installed ] || ALLOT=$BUILD/allot
N=40

# report_of DIR STATUS NAME: the document is kept in $T/NAME.json
report_of() {
    local rc=0
    bounded 120 "$ALLOT" report "$1" --json >"$T/$3.json" 2>"$T/err" || rc=$?
    is "$3: exit status" "$rc" "$2" || note "$(cat "$T/err")"
}

is_j() { # is_j DESC NAME FILTER WANT
    is "$1" "$(jq -rc "$3" "$T/$2.json")" "$4"
}

brick_state_is() { # brick_state_is INDEX STATE
    [ "$("$ALLOT" status "$M" --json | jq -r ".bricks[$1].state")" = "$2" ]
}

bricks_make 4 512M
volume_make net-4-plain --block-size 64KB --option 'c*:ping-timeout=5'
volume_start
must_mount m --attribute-timeout=0 --entry-timeout=0

mkdir "$M/d"
for ((i = 0; i < N; i++)); do
    noise 1048576 >"$M/d/f$i"
done
sync -f "$M/d"
for ((i = 0; i < N; i++)); do
    noise 100 >"$M/d/small$i"
done

report_of "$M" 0 whole
is_j "all files" whole '.files.total' $((2 * N))
is_j "no data without a name" whole '.surviving_unnamed' '{"files":0,"bytes":0}'
is_j "exact" whole '.exact' true
names=$(find "${BRICK[1]}/d" -name 'f*' -size +0 | wc -l)
smalls=$(find "${BRICK[1]}/d" -name 'small*' -size +0 | wc -l)
ok "brick 1 has names" test "$names" -gt 0

rc=0
"$ALLOT" ok-to-stop c2 "$M" --json >"$T/stop.json" || rc=$?
is "a brick that holds names may not stop" $rc 1
is_j "because of them" stop .because '["names on brick c2 could not be reached"]'

must brick_kill 1
ok "brick 1 is seen as down" expect_within 30 brick_state_is 1 down
nok "a listing ends in an error" ls "$M/d"
report_of "$M" 1 killed
is_j "not exact" killed '[.exact, (.inexact_because | length > 0)]' '[false,true]'
is_j "the reason is the namespace" killed \
    '[.inexact_because[] | select(contains("namespace"))] | length > 0' true
is_j "the names that are left" killed '.files.total' $((2 * N - names - smalls))
is_j "the files whose data survives without a name" killed '.surviving_unnamed.files' "$names"
# Their bytes: what their portions on the other bricks have on the disk.
survive=0
while read -r f; do
    gfid=$(getfattr -h -e hex --absolute-names -n trusted.gfid "$f" | sed -n 's/^trusted.gfid=0x\(.\{8\}\)\(.\{4\}\)\(.\{4\}\)\(.\{4\}\)/\1-\2-\3-\4-/p')
    for i in 0 2 3; do
        while read -r blocks; do
            survive=$((survive + 512 * blocks))
        done < <(find "${BRICK[i]}/.allot/${gfid:0:2}" -name "$gfid.*" -printf '%b\n')
    done
done < <(find "${BRICK[1]}/d" -name 'f*' -size +0)
is_j "the bytes that survive with them" killed '.surviving_unnamed.bytes' "$survive"
# A file is 16 blocks of 64 KiB, of which four, or one more or less, are on brick 1.
ok "are three quarters of what was written ($survive)" \
    test "$survive" -ge $((names * 11 * 65536)) -a "$survive" -le $((names * 13 * 65536))
is_j "every large file that is left is damaged" killed '.files.damaged' $((N - names))

must brick_start 1
ok "brick 1 is seen as up" expect_within 30 brick_state_is 1 up
report_of "$M" 0 back
# Which worker took which file is no part of what is the case.
is "the report is as before" "$(jq -S 'del(.workers)' "$T/back.json")" \
    "$(jq -S 'del(.workers)' "$T/whole.json")"

done_testing
