# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# How evenly a population of files lies on six equal bricks. Sourced by
# evenness.sh (cluster/allot: must be even) and evenness-distribute.sh (plain
# distribute: must be found uneven), so that both measure in the same way.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The program that makes the files is part of the build, also when the plugins
# under test are the installed ones.
POPULATIONS=${ALLOT_POPULATIONS:-$BUILD/bench/populations}

evenness_setup() { # evenness_setup TEMPLATE [OPTION...]
    [ -x "$POPULATIONS" ] || bail "$POPULATIONS is missing; ./dev build makes it"
    bricks_make 6 2G
    volume_make "$@"
}

# The bricks' bytes, one a line.
used_by_bricks() {
    local i
    for ((i = 0; i < NBRICKS; i++)); do
        brick_used "$i"
    done
}

# max/mean with four decimals of the numbers on standard input.
max_over_mean() {
    awk '{ sum += $1; if ($1 > max) max = $1 } END { printf "%.4f", sum ? max * NR / sum : 0 }'
}

# write_population POPULATION WRITERS: on an empty volume, WRITERS mounts at
# once, each with its part of the files. Leaves nothing mounted.
write_population() {
    local w pids=() rc=0 dir
    for ((w = 0; w < $2; w++)); do
        must_mount "w$w"
    done
    must mkdir "$M/files"
    for ((w = 0; w < $2; w++)); do
        dir=$T/mnt-w$w/files
        expect_within 10 test -d "$dir" || bail "client $w does not see the directory"
        bounded 600 "$POPULATIONS" write "$1" "$dir" "$w" "$2" 2>"$T/log/writer-$w.err" &
        pids+=($!)
    done
    for w in "${!pids[@]}"; do
        wait "${pids[w]}" || rc=1
        sed 's/^/# /' "$T/log/writer-$w.err"
    done
    for ((w = 0; w < $2; w++)); do
        umount_volume "w$w" || rc=1
    done
    return $rc
}

# verify_population POPULATION DIR: by two readers, each with half of the files.
verify_population() {
    local pid rc=0
    bounded 600 "$POPULATIONS" verify "$1" "$2" 1 2 &
    pid=$!
    bounded 600 "$POPULATIONS" verify "$1" "$2" 0 2 || rc=1
    wait $pid || rc=1
    return $rc
}

# Bytes that the largest of the numbers on standard input has more than the mean.
max_less_mean() {
    awk '{ sum += $1; if ($1 > max) max = $1 } END { printf "%.0f", max - sum / NR }'
}

# evenness POPULATION WRITERS: the result is in RATIO (the fullest brick to the
# mean) and EXCESS (the same as a difference, in bytes). All bytes are verified
# through a new mount.
evenness() {
    local i what="$1, $2 writer(s)"
    volume_start
    ok "$what: written" write_population "$1" "$2"
    # What XFS has reserved for files still growing goes back when they are
    # closed and written out.
    for ((i = 0; i < NBRICKS; i++)); do
        sync -f "${BRICK[i]}"
    done
    RATIO=$(used_by_bricks | max_over_mean)
    # shellcheck disable=SC2034 # for the sourcing script
    EXCESS=$(used_by_bricks | max_less_mean)
    note "$what: MiB per brick: $(used_by_bricks | awk '{ printf "%.1f ", $1 / 1048576 }')max/mean $RATIO"
    must_mount r
    ok "$what: every byte reads back after a remount" verify_population "$1" "$M/files"
    umount_volume r
    for ((i = 0; i < NBRICKS; i++)); do
        brick_kill "$i" TERM
        brick_wipe "$i"
    done
}

at_most() { # at_most A B, decimals
    awk -v a="$1" -v b="$2" 'BEGIN { exit !(a > 0 && a <= b) }'
}
