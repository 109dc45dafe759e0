#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 10
# Of two bricks one is up and makes no new portion. A file that leaves its first block
# goes on where it is: that is met by writes, by a truncation that makes it longer, and
# by fallocate; and a file that is cut and written again uses both as soon as both do.
# shellcheck source=fail-lib.sh
. "$(dirname "$0")/fail-lib.sh"

bricks_make 2 320M
volume_make net-4-plain --block-size 64KB --inline-limit 64KB --option 'c*:ping-timeout=5'
volume_start
must_mount m "${DIRECT[@]}"
noise 1000000 >"$T/data"
on() { # on FILE: the bricks that its extents use
    "$ALLOT" layout "$M/$1" --json | jq -rc '[.extents[].members[].name] | unique | join(" ")'
}
ok "a file is written" cp "$T/data" "$M/before"
is "on both bricks" "$(on before)" "c0 c1"

must chattr +i "${BRICK[1]}/.allot"
for i in 1 2 3; do
    ok "a file is written: $i" bounded 60 cp "$T/data" "$M/file-$i"
    is "on the brick that takes it" "$(on "file-$i")" c0
    ok "it is right" cmp "$T/data" "$M/file-$i"
done
ok "a short one is written" bounded 60 dd if="$T/data" of="$M/short" bs=100000 count=1 status=none
ok "and made longer" bounded 60 truncate -s 3000000 "$M/short"
is "to that length" "$(stat -c %s "$M/short")" 3000000
ok "what was written is there" cmp -n 100000 "$T/data" "$M/short"
is "and zeros behind it" "$(tail -c +100001 "$M/short" | tr -d '\0' | wc -c)" 0
ok "one is allocated" bounded 60 fallocate -l 500000 "$M/allocated"
is "in its length" "$(stat -c %s "$M/allocated")" 500000
ok "the brick is up" brick_state_is "$M" c1 up
nok "no call gave up" grep 'a call gives up' "$LOG/mnt-m.log"

must chattr -i "${BRICK[1]}/.allot"
ok "a file is written" cp "$T/data" "$M/after"
is "on both bricks" "$(on after)" "c0 c1"
ok "one that was on one is written again" cp "$T/data" "$M/file-1"
is "on both bricks" "$(on file-1)" "c0 c1"
must umount_volume m
must_mount again
for f in before file-1 file-2 file-3 after; do
    ok "$f is right" cmp "$T/data" "$M/$f"
done
done_testing
