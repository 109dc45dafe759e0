#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# The life of one volume of plain bricks, while a client that never unmounts, and
# one file that it never closes, go on growing: allot is enabled on it as it runs,
# bricks are started again for the guard, a brick is added, the layout fixed, data
# rebalanced, options and glusterd change under load, a brick dies, the volume
# stops, a brick is reset and adopted, and at last one is discarded. What does not
# work is refused with a reason. Checksums at every step; at the end every file is
# right, or damaged exactly as reported. glusterd-life-full.sh: more of it.
# tier: check
# needs: 90
# waits: yes
# shellcheck source=glusterd-lib.sh
. "$(dirname "$0")/glusterd-lib.sh"
# shellcheck source=glusterd-life-lib.sh
. "$(dirname "$0")/glusterd-life-lib.sh"

V=vol1
bricks_make 4 2G
nodes_make n1 c1
glusterd_start n1
B=("$T/b0/brick" "$T/b1/brick" "$T/b2/brick" "$T/b3/brick")
must_gluster n1 volume create vol1 "n1:${B[0]}" "n1:${B[1]}" "n1:${B[2]}"
must_gluster n1 volume start vol1
# Without the kernel's caches: after a switch of graphs, on stock distribute as well,
# it knows the size of a growing file of a second ago, and reads no further.
client_mount c1 n1:/vol1 /mnt/v -o attribute-timeout=0,entry-timeout=0,direct-io-mode=enable || bail "no mount"
M=$(in_node c1 /mnt/v)

# ---- before -------------------------------------------------------------------
mkdir -p "$M/old" "$T/want/old"
for i in {1..40}; do
    noise 20000 >"$T/want/old/small$i"
done
noise 3000000 >"$T/want/old/large"
must cp -r "$T/want/old" "$M/"
old_right() {
    diff <(sums "$T/want/old") <(sums "$M/old")
}
extend() { # extend FILE: by 5 MB, with an open of its own
    noise 5000000 >"$T/more"
    want dd if="$T/more" of="$1" bs=1M oflag=append conv=notrunc status=none
}
life_start "${B[0]}"
phase "before"
step

# ---- enabled as it runs -------------------------------------------------------
active() { # active [STATE]
    on c1 "$BUILD/allot" status --json /mnt/v | jq -e --arg s "${1:-UP}" '.active and .state == $s' >/dev/null
}
portions() {
    find "${B[@]/%//.allot}" -type f 2>/dev/null | wc -l
}
phase "enabled, bricks without guards"
must_gluster n1 volume set vol1 user.xlator.allot locks
step
is "nothing is spread yet" "$(portions)" 0
phase "stopped for the guards"
must_gluster n1 volume stop vol1 force
must_gluster n1 volume start vol1
ok "the bricks have guards and are registered" expect_within 90 active
# What distribute remembers of a directory that it could not look at is asked anew
# a second later.
ok "the client goes on" goes_on 3
phase "bricks with guards"
life_grow
LAST_PLAIN=$(tail -1 "$S/written")
step
ok "new files are spread" test "$(portions)" -gt 0
ok "files of before are right" old_right
ok "one that is longer than the inline part and grows" extend old/large
is "stays plain" "$(members_of old/large)" ""
ok "one that grows beyond it" extend old/small1
is "is spread" "$(members_of old/small1 | xargs)" "vol1-client-0 vol1-client-1 vol1-client-2"
ok "all are right" old_right
noise 16000000 >"$T/want/old/spread"
must cp "$T/want/old/spread" "$M/old/spread"

# ---- grown --------------------------------------------------------------------
phase "brick added"
must_gluster n1 volume add-brick vol1 "n1:${B[3]}"
bricks_are() { # bricks_are N [STATE]: of the volume
    active "${2:-UP}" && [ "$(on c1 "$BUILD/allot" status --json /mnt/v | jq '[.bricks[] | select(.path != null)] | length')" = "$1" ]
}
ok "a brick that is added becomes a member" expect_within 60 bricks_are 4
ok "the file that is open all the time grows onto it" expect_within 60 has_member "$GROW" vol1-client-3
step
ok "that has blocks there" test "$(bytes_on "${B[3]}" "$GROW")" -gt 0
ok "a file of before grows" extend old/spread
ok "onto the new brick" has_member old/spread vol1-client-3
ok "with blocks there" test "$(bytes_on "${B[3]}" old/spread)" -gt 500000
ok "old files are right" old_right
life_rebalanced brick "${B[3]}" "${B[@]}" -- old/small1 old/spread

# ---- what is refused ----------------------------------------------------------
phase "remove-brick refused"
life_not_removed brick vol1-client-3 "n1:${B[3]}"
step
ok "the brick is used as before" bricks_are 4
phase "replace-brick refused"
gluster n1 volume replace-brick vol1 "n1:${B[3]}" "n1:$T/b3/new" commit force >"$T/replace" 2>&1
is "replace-brick is not for plain bricks, says glusterd" $? 1
ok "with a reason" grep -q "replace-brick is not permitted on distribute only volumes" "$T/replace"
step
ok "nothing has come of it" bricks_are 4
phase "allot not taken away"
nok "the setting cannot be taken back" gluster n1 volume set vol1 user.xlator.allot off
must_gluster n1 volume reset vol1 force
step
ok "the log says why" grep -q "its guard stays: set user.xlator.allot locks" "$LOG/n1/allot-filter.log"
ok "allot stays" bricks_are 4
must_gluster n1 volume set vol1 user.xlator.allot locks
step

# ---- changes under load -------------------------------------------------------
phase "options changed"
must_gluster n1 volume set vol1 user.xlator.allot.block-size 128KB
block_size_is() { # of a new file
    head -c 1000000 "$T/want/old/large" >"$M/probe" && [ "$(on c1 "$BUILD/allot" layout --json /mnt/v/probe |
        jq -r '.extents[-1].block_size')" = "$1" ] && rm "$M/probe"
}
ok "a block size is in force" expect_within 30 block_size_is 131072
must_gluster n1 volume set vol1 performance.cache-size 64MB
must_gluster n1 volume reset vol1 performance.cache-size
ok "allot stays in place" grep -q "^    type cluster/allot" "$(volfile n1 vol1 vol1.tcp-fuse.vol)"
step
phase "glusterd away"
glusterd_kill n1
step
glusterd_start n1
phase "glusterd back"
step
phase "brick killed"
on n1 kill -KILL "$(brick_of n1 vol1 1)"
state_is() { # state_is BRICK STATE
    on c1 "$BUILD/allot" status --json /mnt/v | jq -e --arg s "$2" ".bricks[$1].state == \$s" >/dev/null
}
ok "a brick that was killed is noticed" expect_within 60 state_is 1 down
ok "the client goes on writing" goes_on 10
must_gluster n1 volume start vol1 force
ok "it is back" expect_within 60 bricks_are 4
phase "brick started"
step
ok "old files are right" old_right
phase "volume stopped"
must_gluster n1 volume stop vol1 force
must_gluster n1 volume start vol1
ok "the volume is back" expect_within 90 bricks_are 4
# Creating files gives EIO for some seconds yet, on stock distribute as well.
ok "the client goes on" goes_on 100
phase "volume started"
step
ok "old files are right" old_right

# ---- a plain brick's disk is replaced -----------------------------------------
# Its name is not on that brick, so that its loss can be seen.
noise $((20 << 20)) >"$T/data"
i=0 F=
until [ -n "$F" ]; do
    i=$((i + 1))
    must cp "$T/data" "$M/data$i"
    [ -e "${B[3]}/data$i" ] || F=data$i
done
report() {
    on c1 timeout -s KILL 120 "$BUILD/allot" report --json /mnt/v >"$T/report.json"
}
report
is "nothing is missing" "$(jq -c '[.blocks.failed]' "$T/report.json")" "[0]"
phase "brick reset"
must_gluster n1 volume reset-brick vol1 "n1:${B[3]}" start
ok "a brick that is being reset is down" expect_within 60 state_is 3 down
report
ok "what it holds is unavailable, not lost" jq -e '.blocks.unavailable > 0 and .blocks.lost == 0' "$T/report.json"
bases_on "${B[3]}" >"$T/missing"
rm -rf "${B[3]}"
must_gluster n1 volume reset-brick vol1 "n1:${B[3]}" "n1:${B[3]}" commit force
ok "it comes back blank" expect_within 60 state_is 3 blank
report
# Distribute does not list directories whose place is the blank brick.
ok "what it has had is lost, and not all names are listed" jq -e \
    '.blocks.unavailable == 0 and .blocks.lost > 0 and (.exact | not)' "$T/report.json"
of_f() { # of_f FILTER: of the report's entry of $F
    jq -c --arg f "$F" ".damaged_files[] | select(.path == \$f) | $1" "$T/report.json"
}
bad=$(of_f '.lost_ranges | map(.[1] - .[0]) | add')
ok "of a file about a quarter ($bad bytes)" test "${bad:-0}" -gt $((4 << 20))
on c1 dd if="/mnt/v/$F" of=/dev/stdout bs=4K iflag=direct conv=noerror,sync 2>"$T/dd.errors" >"$T/dd.out"
python3 - "$T/data" "$(of_f .lost_ranges)" >"$T/dd.want" <<'END'
import json, sys
data = bytearray(open(sys.argv[1], "rb").read())
for a, b in json.loads(sys.argv[2]):
    data[a:b] = bytes(b - a)
sys.stdout.buffer.write(data)
END
is "they give errors, and no others do" "$(($(grep -c 'Input/output error' "$T/dd.errors") * 4096))" "$bad"
ok "the others are right" cmp "$T/dd.want" "$T/dd.out"
ok "the client goes on writing beside it" goes_on 10
ok "a copy over the file repairs it" cp "$T/data" "$M/$F"
is "it is right" "$(on c1 dd if="/mnt/v/$F" bs=1M iflag=direct 2>/dev/null | md5sum | cut -d' ' -f1)" "$(sum "$T/data")"
ok "the brick is adopted" on c1 "$BUILD/allot" brick adopt vol1-client-3 /mnt/v
ok "it is up" expect_within 60 state_is 3 up
phase "adopted"
step_after
ok "new data uses it" test "$(find "${B[3]}/.allot" -type f | wc -l)" -gt 0
report
ok "what is lost stays lost" jq -e '.blocks.unavailable == 0 and .blocks.lost > 0' "$T/report.json"

# ---- a brick is discarded -----------------------------------------------------
phase "brick discarded"
must_gluster n1 volume remove-brick vol1 "n1:${B[3]}" force
bases_on "${B[3]}" >>"$T/missing"
ok "a brick that is removed by force is no member any more" expect_within 60 bricks_are 3 PARTIAL
phase "after that"
step_after
life_stop
report
note "not exact: $(jq -c .inexact_because "$T/report.json")"
# All over again, by a client that has seen nothing of it.
client_mount c1 n1:/vol1 /mnt/w -o direct-io-mode=enable || bail "no second mount"
M=$(in_node c1 /mnt/w)
ok "every file of the life is right, or damaged exactly as reported" life_check "$T/missing" "$T/report.json"
note "$(tail -1 "$T/checked")"
ok "files are restored by copies" cp -r "$T/want/old" "$M/"
ok "and are right" old_right
ok "the administrator knows of the loss" on c1 "$BUILD/allot" brick set vol1-client-3 lost /mnt/v
ok "nothing else is missing" expect_within 30 bricks_are 3
must_gluster n1 volume add-brick vol1 "n1:$T/b3/again"
ok "a new brick gets the name of the one that went, and is blank" expect_within 60 state_is 3 blank
ok "it is adopted" on c1 "$BUILD/allot" brick adopt vol1-client-3 /mnt/v
ok "the volume is whole again" expect_within 60 bricks_are 4
must cp "$T/data" "$(in_node c1 /mnt/v/data)"
ok "new data uses it" test "$(bytes_on "$T/b3/again" data)" -gt $((4 << 20))

is "no byte was ever wrong" "$(errors_of wrong)" ""
is "the growing files had errors only while the volume was stopped or a brick went" \
    "$(errors_of "$GROW" "stopped for the guards" "volume stopped" "brick killed" "brick reset" "brick discarded")$(
        errors_of "$PLAIN" "stopped for the guards" "volume stopped")" ""
# An fsync that meets the end of a brick cannot say that what was written there is safe,
# once (fail-fsync). The same bytes written again go elsewhere.
ok "one for each brick that went, at most" test "$(errors_of "$GROW" "stopped for the guards" "volume stopped" |
    cut -d'|' -f2 | sort | uniq -d | wc -l)" -eq 0
is "new files only while a brick was away, too" "$(errors_of new "stopped for the guards" "volume stopped" \
    "brick killed" "brick reset" "adopted" "brick discarded")" ""
is "reading only then and where blocks are lost" "$(errors_of read "stopped for the guards" "volume stopped" \
    "brick killed" "brick reset" "adopted" "brick discarded" "after that" "rebalanced")" ""
is "and of a rebalance only where files move" "$(read_errors_of_spread "$LAST_PLAIN" rebalanced)" ""
done_testing
