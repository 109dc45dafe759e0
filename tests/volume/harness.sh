#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 20
# The harness itself, on plain distribute: bricks start, die, return and are
# wiped, a mount reads what was written, calls are counted, and cleanup leaves
# neither process nor mount nor loop device.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# A command that says nothing is no document in which something is true.
: >"$T/nothing"
nok "nothing in nothing is true" jq -e '.active' "$T/nothing"
nok "whatever stands before it" jq -re --arg a b '$a == "b"' "$T/nothing"
is "what is true is said" "$(echo '{"a":[1,2]}' | jq -ce '.a')" "[1,2]"
nok "what is false fails" jq -e '.a == 3' <<<'{"a":2}'

bricks_make 4 512M
volume_make net-4-distribute --option 'c*:ping-timeout=5'
volume_start
must_mount m --attribute-timeout=0 --entry-timeout=0

mkdir "$M/d"
for i in {1..40}; do
    noise 20000 >"$M/d/f$i"
done
before=$(sums "$M/d")
is "40 files are there" "$(wc -l <<<"$before")" 40
on_brick=$(find "${BRICK[1]}/d" -type f -size +0 | wc -l)
ok "brick 1 has some of them" test "$on_brick" -gt 0

# Written through one mount, read through another.
umount_volume m
must_mount m --attribute-timeout=0 --entry-timeout=0
is "the same bytes after a remount" "$(sums "$M/d")" "$before"

# Calls are counted: one create is one create on one brick.
creates() {
    fop_counts "$(mount_pid m)" | awk '$1 ~ /^c[0-9]$/ && $2 == "CREATE" { n += $3 } END { print n + 0 }'
}
was=$(creates)
: >"$M/d/one-more"
is "one create is counted as one call" $(($(creates) - was)) 1
rm "$M/d/one-more"

ok "brick 1 is killed" brick_kill 1
nok "its port is closed" listens "${PORT[1]}"
readable() {
    find "$M/d" -type f -exec cat {} + 2>/dev/null | wc -c
}
lost_some() {
    [ "$(readable)" -eq $(((40 - on_brick) * 20000)) ]
}
ok "what it had is missing soon" expect_within 10 lost_some
ok "brick 1 returns" brick_start 1
all_back() {
    [ "$(sums "$M/d")" = "$before" ]
}
ok "all files are back within 20 s" expect_within 20 all_back

ok "brick 1 is stopped" brick_kill 1 TERM
brick_wipe 1
is "brick 1 is empty" "$(find "${BRICK[1]}" -type f | wc -l)" 0
ok "brick 1 starts empty" brick_start 1
ok "what it had is missing again within 20 s" expect_within 20 lost_some

# A copy of the state, for the look at what cleanup left: this shell's own
# cleanup must have nothing more to do.
cp "$T/undo" "$T.undo"
ok "cleanup succeeds" cleanup_dir "$T"
left_processes=0 left_mounts=0 left_loops=0
while read -r kind a b; do
    case $kind in
    process) gone "$a" "$b" || left_processes=$((left_processes + 1)) ;;
    mount) ! grep -q " $a " /proc/mounts || left_mounts=$((left_mounts + 1)) ;;
    loop) ! losetup -n -O BACK-FILE "$a" 2>/dev/null | grep -qF "$b" || left_loops=$((left_loops + 1)) ;;
    esac
done <"$T.undo"
ok "it had something to undo" grep -q ^process "$T.undo"
rm "$T.undo"
is "cleanup leaves no process" $left_processes 0
is "cleanup leaves no mount" $left_mounts 0
is "cleanup leaves no loop device" $left_loops 0
nok "cleanup leaves no files" test -e "$T"
done_testing
