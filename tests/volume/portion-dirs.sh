#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 15
# A brick died while it made a directory of portions: that is there by name and has no
# gfid. The next client that looks for it gives it its own, and does not go around the
# brick; in sets, too, where all bricks died so.
# shellcheck source=fail-lib.sh
. "$(dirname "$0")/fail-lib.sh"

gfid() { # gfid DIR: of a directory on a brick; nothing: it has none
    getfattr -h --absolute-names -e hex -n trusted.gfid "$1" 2>/dev/null | sed -n 's/^trusted.gfid=0x//p'
}
# complete BRICK DIR: has a directory of portions its gfid, which is the one of brick 0,
# and a handle that leads to it?
complete() {
    local id handle
    id=$(gfid "${BRICK[$1]}/$2")
    [ -n "$id" ] && [ "$id" = "$(gfid "${BRICK[0]}/$2")" ] || return 1
    handle=${id:0:8}-${id:8:4}-${id:12:4}-${id:16:4}-${id:20}
    [ "${BRICK[$1]}/.glusterfs/${id:0:2}/${id:2:2}/$handle" -ef "${BRICK[$1]}/$2" ]
}
everywhere() { # everywhere FILE: the bricks that its extents use
    "$ALLOT" layout "$M/$1" --json | jq -c '[.extents[].members[].name] | unique'
}
half_made() { # half_made BRICK: every directory of portions that it lacks
    local d
    for d in '' /{0..9}{{0..9},{a..f}} /{a..f}{{0..9},{a..f}}; do
        [ -d "${BRICK[$1]}/.allot$d" ] || mkdir -m 700 "${BRICK[$1]}/.allot$d"
    done
}
up() {
    "$ALLOT" status "$M" --json | jq -e '[.bricks[].state] | unique == ["up"]'
}

bricks_dirs 4
volume_make net-4-plain --block-size 64KB --option 'c*:ping-timeout=5'
volume_start
must_mount m
noise 1000000 >"$T/data"
must mkdir -m 700 "${BRICK[3]}/.allot"
is "/.allot is half made on a brick" "$(gfid "${BRICK[3]}/.allot")" ""
ok "a file is written" cp "$T/data" "$M/file"
is "it is on all bricks" "$(everywhere file)" '["c0","c1","c2","c3"]'
ok "/.allot is whole there" complete 3 .allot
below=.allot/$(cd "${BRICK[0]}/.allot" && ls)
ok "and what is below it" complete 3 "$below"
is "with blocks on that one" "$(find "${BRICK[3]}/.allot" -type f | wc -l)" 1
ok "it is right" cmp "$T/data" "$M/file"

must brick_kill 2
half_made 2
is "all that are missing on another brick are half made" \
    "$(find "${BRICK[2]}/.allot" -mindepth 1 -maxdepth 1 -type d | wc -l) $(gfid "${BRICK[2]}/.allot/00" | wc -c)" "256 0"
must brick_start 2
ok "it is back" expect_within 30 up
for i in 1 2 3 4; do
    ok "a file is written: $i" cp "$T/data" "$M/file-$i"
    is "it is on all bricks" "$(everywhere "file-$i")" '["c0","c1","c2","c3"]'
    id=$("$ALLOT" layout "$M/file-$i" --json | jq -r .gfid)
    ok "its directory is whole there" complete 2 ".allot/${id:0:2}"
done
must umount_volume m
must_mount again
ok "all is right" cmp "$T/data" "$M/file"
for i in 1 2 3 4; do
    ok "all is right: $i" cmp "$T/data" "$M/file-$i"
done
must umount_volume again
for i in 0 1 2 3; do
    must brick_kill "$i"
done

# ---- sets -------------------------------------------------------------------

for kind in rep disperse; do
    bricks_dirs_empty 6
    volume_make net-$kind-6 --block-size 64KB --option 'c*:ping-timeout=5'
    volume_start
    must_mount $kind
    for i in 3 4 5; do
        must mkdir -m 700 "${BRICK[i]}/.allot"
    done
    ok "$kind: a file is written" cp "$T/data" "$M/file"
    is "$kind: it is on both sets" "$(everywhere file)" '["s0","s1"]'
    for i in 3 4 5; do
        ok "$kind: /.allot is whole on brick $i, as on the other set" complete "$i" .allot
    done
    ok "$kind: it is right" cmp "$T/data" "$M/file"
    must umount_volume $kind
    for i in {0..5}; do
        must brick_kill "$i"
    done
done
done_testing
