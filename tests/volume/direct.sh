#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 35
# O_DIRECT reaches the bricks of a spread file, as it reaches that of a plain one: the
# portions do not come into their page caches. One call for one call of the program. What
# is no whole page, or what a brick does not take so, goes through the page cache, and
# nobody sees an error. Sets of bricks have it as if it were not there.
# shellcheck source=fail-lib.sh
. "$(dirname "$0")/fail-lib.sh"

for p in fio fincore python3; do
    command -v $p >/dev/null || bail "$p is missing; ./dev deps installs it"
done
NO=$BUILD/tests/volume/.libs/no-direct.so
[ -e "$NO" ] || bail "$NO is missing; ./dev build makes it"
O_DIRECT=$(python3 -c 'import os; print(os.O_DIRECT)') || bail "no O_DIRECT"
KIB=4096

bricks_make 4 320M
volume_make net-4-plain --block-size 64KB --option 'c*:ping-timeout=5'
for i in 0 1 2 3; do
    LD_PRELOAD=$NO NO_DIRECT=$T/no must brick_start "$i"
done
must_mount m

# direct_fds: how many portions are open in bricks with O_DIRECT.
direct_fds() {
    local i fd n=0
    for ((i = 0; i < NBRICKS; i++)); do
        for fd in /proc/"$(brick_pid "$i")"/fd/*; do
            [[ $(readlink "$fd") == "${BRICK[i]}"/* && -f $fd ]] || continue
            fd=$(awk '/^flags:/ { print $2 }' "${fd%/fd/*}/fdinfo/${fd##*/}" 2>/dev/null) || continue
            # The base is not opened to write and read by whoever only reads.
            (((8#${fd:-0} & O_DIRECT) && (8#${fd:-0} & 3) == 2)) && n=$((n + 1))
        done
    done
    echo "$n"
}
none_direct() { [ "$(direct_fds)" = 0 ]; }

# cached: pages of portions in the page cache of bricks.
cached() {
    local dirs=() i
    for ((i = 0; i < NBRICKS; i++)); do
        dirs+=("${BRICK[i]}/.allot")
    done
    find "${dirs[@]}" -type f -exec fincore --bytes --noheadings --output PAGES {} + | awk '{ n += $1 } END { print n + 0 }'
}
# drop: nothing of any portion is cached.
drop() {
    local i
    for ((i = 0; i < NBRICKS; i++)); do
        find "${BRICK[i]}/.allot" -type f -exec sync {} \; -exec dd if={} iflag=nocache count=0 status=none \;
    done
    [ "$(cached)" = 0 ]
}

# arrived FOP: calls that clients have sent to bricks.
arrived() {
    fop_counts "$(mount_pid m)" | awk -v fop="$1" '$1 ~ /^c[0-9]+$/ && $2 == fop { n += $3 } END { print n + 0 }'
}
# below FOP: how many of them bricks have made below the guard, and above it.
below() {
    local i
    for ((i = 0; i < NBRICKS; i++)); do
        fop_counts "$(brick_pid "$i")"
    done | awk -v fop="$1" '$2 == fop { n[$1] += $3 } END { print n["posix"] - n["brick"] }'
}

noise $((KIB * 1024)) >"$T/data"
# program RW N: N calls of 64 KiB at random, with what is read or written on fd 3.
program() {
    bounded 60 fio --name=x --filename="$M/f" --rw="rand$1" --bs=64k --size="${KIB}k" --number_ios="$2" \
        --ioengine=psync --direct=1 --randrepeat=1 --allow_file_create=0
}

ok "a file is written with O_DIRECT" dd if="$T/data" of="$M/f" bs=64k oflag=direct status=none
ok "it is not in bricks' page caches, but for what protocols read" test "$(cached)" -lt 16
must umount_volume m
must_mount m
ok "nothing is cached" drop
reads=$(arrived READ)
early=$(below READ)
exec 7<"$M/f"
ok "64 calls to read" program read 64
is "are 64 calls to bricks" "$(($(arrived READ) - reads))" 64
is "and bricks read nothing ahead" "$(below READ)" "$early"
is "nothing is in page caches" "$(cached)" 0
is "each portion is open so" "$(direct_fds)" 4
ok "in order, too" dd if="$M/f" of="$T/copy" bs=64k iflag=direct status=none
is "bricks read nothing ahead" "$(below READ)" "$early"
ok "it is right" cmp "$T/data" "$T/copy"
is "nothing is in page caches" "$(cached)" 0
exec 7<&-
ok "no portion stays open" expect_within 20 none_direct
writes=$(arrived WRITE)
ok "64 calls to write" program write 64
is "are 64 calls to bricks" "$(($(arrived WRITE) - writes))" 64
is "nothing is in page caches" "$(cached)" 0

# through DESC: what one fd writes another reads, aligned or not, with O_DIRECT or not.
# The kernel has nothing in its cache of the mount that reads.
must_mount other "${DIRECT[@]}"
M=$T/mnt-m
OTHER=$T/mnt-other
part() { # part FLAG OFFSET LENGTH FILE: of $T/data to the same place of FILE
    dd if="$T/data" of="$4" bs=64k iflag=skip_bytes,count_bytes oflag="seek_bytes$1" skip="$2" seek="$2" count="$3" \
        conv=notrunc status=none
}
same() { # same FILE: through both, and by bytes that are in no order
    cmp "$T/data" "$1" && dd if="$1" of="$T/copy" bs=64k iflag=direct status=none && cmp "$T/data" "$T/copy" &&
        dd if="$1" bs=512 skip=3 count=4000 iflag=direct status=none | cmp - <(tail -c +1537 "$T/data" | head -c 2048000)
}
through() {
    noise $((KIB * 1024)) >"$T/data"
    ok "$1: written with O_DIRECT" part ,direct 0 $((KIB * 1024)) "$M/f"
    ok "$1: right through another mount" same "$OTHER/f"
    noise $((KIB * 1024)) >"$T/data"
    ok "$1: written without" part '' 0 $((KIB * 1024)) "$M/f"
    ok "$1: right" same "$OTHER/f"
    noise $((KIB * 1024)) >"$T/data"
    # Each from where the last one ended.
    ok "$1: written in both ways" bash -c "$(declare -f part); T=$T
        part ,direct 0 1048576 '$M/f' && part '' 1048576 1048576 '$M/f' && part ,direct 2097152 2097152 '$M/f'"
    ok "$1: right" same "$OTHER/f"
    # A file that ends in the middle of a page, and one that starts so.
    must truncate -s 1000001 "$M/f"
    ok "$1: cut" cmp "$M/f" <(head -c 1000001 "$T/data")
    ok "$1: its end is read with O_DIRECT" eval "dd if='$OTHER/f' bs=64k iflag=direct status=none | cmp - <(head -c 1000001 '$T/data')"
    ok "$1: made longer with O_DIRECT, from there" part ,direct 983040 $((KIB * 1024 - 983040)) "$M/f"
    ok "$1: right" same "$OTHER/f"
    nok "$1: no call gave up" grep -E 'a call gives up|lost' "$LOG/mnt-m.log"
}
through "as it is"

# Bricks that come back: the portions are opened anew, with O_DIRECT.
exec 7<"$M/f"
must brick_kill 1
LD_PRELOAD=$NO NO_DIRECT=$T/no must brick_start 1 7<&-
ok "a brick is back" expect_within 30 brick_state_is "$M" c1 up
ok "64 calls to read" program read 64
ok "it is read with O_DIRECT again" test "$(direct_fds)" = 4
through "after a brick's restart"
exec 7<&-
ok "no portion stays open" expect_within 20 none_direct

# What a brick does not take.
for how in "open 22" "io 22"; do
    rm -f "$T/no.refused"
    echo "$how" >"$T/no"
    through "refused: $how"
    ok "refused: $how: it was asked" test -s "$T/no.refused"
    n=$(wc -l <"$T/no.refused")
    exec 7<"$M/f"
    ok "refused: $how: calls to read" program read 64
    ok "refused: $how: once for each portion" test "$(($(wc -l <"$T/no.refused") - n))" -le 4
    exec 7<&-
    ok "refused: $how: all bricks are up" brick_state_is "$M" c1 up
    rm "$T/no"
done
ok "bricks take it again" program read 64
must umount_volume other
must umount_volume m
for i in 0 1 2 3; do
    must brick_kill "$i" TERM
done

# Two sets of three.
bricks_dirs_empty 6
volume_make net-rep-6 --block-size 64KB --option 'c*:ping-timeout=5'
volume_start
must_mount m
ok "sets: a file is written with O_DIRECT" dd if="$T/data" of="$M/f" bs=64k oflag=direct status=none
exec 7<"$M/f"
ok "sets: it is read so" eval "dd if='$M/f' bs=64k iflag=direct status=none | cmp - '$T/data'"
is "sets: no portion is open so" "$(direct_fds)" 0
exec 7<&-
done_testing
