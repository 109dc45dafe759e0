#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 90
# alone: yes
# One stream of 1 GiB over four bricks on loopback, no link limit: writing (until
# it is on disk) and reading (nothing cached) against plain distribute. The mark
# is 0.95 of its speed; cost-speed-mark.sh (--full) holds us to it, on a machine
# that does nothing else.
#
# Here, beside whatever the machine does, a bound that only a regression can
# miss. Both are measured in turns, A B A B, and what counts is the median of the
# ratios of pairs: of three pairs, and if that is below the mark of up to
# ALLOT_PAIRS_MAX, all counted. The figures stand in the output either way.
#
# ALLOT_PAIRS=N: exactly N pairs. ALLOT_MIB=N: another size. ALLOT_MARK=N: another
# mark.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

MARK=${ALLOT_MARK:-0.5}
MIB=${ALLOT_MIB:-1024}

# Both volumes lie on the same four file systems, in directories of their own.
bricks_make 4 $((MIB * 3 / 2 + 512))M
ROOTS=("${BRICK[@]}")

use() { # use TEMPLATE
    local i
    for ((i = 0; i < NBRICKS; i++)); do
        BRICK[i]=${ROOTS[i]}/$1
    done
    mkdir -p "${BRICK[@]}"
    volume_make "$1"
    volume_start
}

# MiB/s of a command that moves $MIB.
speed() {
    local from to
    from=$(date +%s%N)
    must bounded 120 "$@"
    to=$(date +%s%N)
    awk -v mib="$MIB" -v ns=$((to - from)) 'BEGIN { printf "%.1f", mib * 1e9 / ns }'
}

# measure TEMPLATE: one line "TEMPLATE write MiB/s ms read MiB/s ms" to
# $T/runs, of a new file on freshly started processes.
measure() {
    local i write read write_ms read_ms before
    use "$1"
    must_mount m
    before=$(processor_ms)
    write=$(speed dd if=/dev/zero of="$M/stream" bs=1M count="$MIB" conv=fsync status=none)
    write_ms=$(($(processor_ms) - before))
    umount_volume m || bail "cannot unmount"
    if [ "$1" = net-4-plain ]; then
        USED=0
        for ((i = 0; i < NBRICKS; i++)); do
            USED=$((USED + $(brick_used "$i")))
        done
    fi
    echo 3 >/proc/sys/vm/drop_caches
    must_mount m
    before=$(processor_ms)
    read=$(speed dd if="$M/stream" of=/dev/null bs=1M status=none)
    read_ms=$(($(processor_ms) - before))
    [ "$(stat -c %s "$M/stream")" -eq $((MIB << 20)) ] || bail "wrong size"
    must rm "$M/stream"
    umount_volume m || bail "cannot unmount"
    for ((i = 0; i < NBRICKS; i++)); do
        brick_kill "$i" TERM
    done
    echo "$1 $write $write_ms $read $read_ms" >>"$T/runs"
    note "$1: write $write MiB/s ($write_ms ms of processor), read $read MiB/s ($read_ms ms)"
}

# Of the lines "plain..., allot..., plain..., allot...": the median of the ratios
# of column $1.
ratio() {
    awk -v c="$1" 'NR % 2 { plain = $c; next } { print $c / plain }' "$T/runs" | sort -n |
        awk '{ v[NR] = $1 } END { printf "%.3f", (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

reached() {
    awk -v w="$(ratio 2)" -v r="$(ratio 4)" -v mark="$MARK" \
        'BEGIN { exit !(w >= mark && r >= mark) }'
}

for ((pair = 1; pair <= ${ALLOT_PAIRS:-${ALLOT_PAIRS_MAX:-5}}; pair++)); do
    measure net-4-distribute
    measure net-4-plain
    [ -n "${ALLOT_PAIRS:-}" ] || [ $pair -lt 3 ] || ! reached || break
done

at_least() {
    awk -v a="$1" -v b="$2" 'BEGIN { exit !(a >= b) }'
}
note "processor time: write $(ratio 3), read $(ratio 5) of plain distribute's"
ok "write: $(ratio 2) of plain distribute's speed, at least $MARK" at_least "$(ratio 2)" "$MARK"
ok "read: $(ratio 4) of plain distribute's speed, at least $MARK" at_least "$(ratio 4)" "$MARK"
# What keeps the bricks from preallocating in the stream leaves little behind.
ok "the file takes at most 1.001 of its size: $((USED >> 20)) MiB" \
    test $((USED - (MIB << 20))) -le $((MIB << 10))
done_testing
