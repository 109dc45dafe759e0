#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 240
# alone: yes
# Four equal bricks filled to the first ENOSPC with files of 100 MiB and of
# 8 MiB, by cluster/allot and by plain distribute, which has to find a brick with
# room for a whole file. With storage/posix's reserve and without.
#
# The marks below 0.99 are not cluster/allot's doing alone: the reserve is met
# early by what XFS sets aside for files being written; and a name or an inline
# part belongs to the brick its hash says, which may be full before the others.
# shellcheck source=capacity-lib.sh
. "$(dirname "$0")/capacity-lib.sh"

pool_make 100
bricks_make 4 640M

# round TEMPLATE FILE_MIB RESERVE: SHARE, and checks of all that was written
round() {
    local i what="$1, $2 MiB, reserve $3%"
    if [ "$3" = 0 ]; then
        volume_make "$1" "${NO_RESERVE[@]}"
    else
        volume_make "$1" --option "posix:reserve=$3"
    fi
    volume_start
    must_mount w
    BEFORE=$(free_bytes)
    note "$what"
    fill files "$2"
    note "$what: used on the bricks: $(for ((i = 0; i < NBRICKS; i++)); do brick_used $i; done |
        awk '{ s += $1; if ($1 > m) m = $1; printf "%.1f ", $1 / 1048576 } END { printf "MiB, max/mean %.4f", m * NR / s }')"
    is "$what: the write that fails says why" "$FULL" "No space left on device"
    is "$what: it ends by itself" "$ENDED" 1
    umount_volume w
    must_mount r
    ok "$what: all that was written reads back" read_files files "$FILES" "$2"
    [ "$1" = net-4-distribute ] || ok "$what: the report says all is whole" all_whole
    umount_volume r
    for ((i = 0; i < NBRICKS; i++)); do
        brick_kill "$i" TERM
        brick_wipe "$i"
    done
}

while read -r size reserve least; do
    round net-4-plain "$size" "$reserve"
    allot=$SHARE
    round net-4-distribute "$size" "$reserve"
    note "$size MiB, reserve $reserve%: cluster/allot takes $allot, distribute $SHARE," \
        "ratio $(awk -v a="$allot" -v b="$SHARE" 'BEGIN { printf "%.3f", a / b }')"
    ok "$size MiB, reserve $reserve%: share $allot >= $least" at_least "$allot" "$least"
done <<'ROUNDS'
100 0 0.99
100 1 0.96
8 0 0.965
8 1 0.945
ROUNDS
done_testing
