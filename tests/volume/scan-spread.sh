#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 60
# alone: yes
# How fast a report of spread files is beside find -ls on the same mount, over four
# brick processes, in turn and in one run: with the kernel's caches of names warm from
# the run before, and expired. A report makes sure of every portion, which find does not
# look at; the bound is twice the time of find and 20 ms, of which the command takes some
# ten to start. What it takes is printed.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

ALLOT=allot
[ "$BUILD" = installed ] || ALLOT=$BUILD/allot
EACH=${SCAN_EACH:-500}
ROUNDS=${SCAN_ROUNDS:-8}

half() { # the mean of the better half
    printf '%s\n' "$@" | sort -n | head -$((($# + 1) / 2)) | awk '{ s += $1 } END { print int(s / NR) }'
}
expired() { # expired SINCE: the second is over for which names and attributes are kept
    [ $(($(date +%s%N) - $1)) -gt 1100000000 ]
}

noise 200000 >"$T/spread"
bricks_dirs 4
for kind in net-4-plain net-4; do
    volume_make $kind --block-size 64KB
    volume_start
    must_mount m
    for d in 0 1 2 3; do
        mkdir "$M/$d"
        must python3 -c 'import sys
data = open(sys.argv[1], "rb").read()
for i in range(int(sys.argv[3])):
    with open("%s/%d" % (sys.argv[2], i), "wb") as f:
        f.write(data)' "$T/spread" "$M/$d" "$EACH"
    done
    is "$kind: the files are spread" "$("$ALLOT" report "$M" --json | jq -c '[.files.intact, .bytes.total, (.bricks | length)]')" \
        "[$((4 * EACH)),$((4 * EACH * 200000)),4]"
    for state in warm expired; do
        finds=() reports=()
        for ((round = 0; round < ROUNDS; round++)); do
            since=$(date +%s%N)
            [ $state = warm ] || must expect_within 10 expired "$since"
            finds+=("$(ms find "$M" -ls)")
            since=$(date +%s%N)
            [ $state = warm ] || must expect_within 10 expired "$since"
            reports+=("$(ms "$ALLOT" report "$M")")
        done
        f=$(half "${finds[@]}")
        r=$(half "${reports[@]}")
        note "$kind, caches $state: find -ls $f ms, report $r ms, ratio $((r * 100 / f))%, for $((4 * EACH)) spread files"
        ok "$kind, caches $state: a report takes no more than twice as long" test "$r" -le $((2 * f + 20))
    done
    mount_kill m
    for ((i = 0; i < 4; i++)); do
        brick_kill $i
        brick_wipe $i
    done
done
done_testing
