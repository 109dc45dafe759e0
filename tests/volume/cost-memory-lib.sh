# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# What the tests of a mount's memory have in common. Sourced by cost-memory*.sh.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# statedump FILE: of mount m.
statedump() {
    statedump_of "$(mount_pid m)" "$1" 300
}

# allocated: bytes that mount m has allocated and not freed, by its allocator.
allocated() {
    statedump "$T/dump" || bail "no statedump"
    awk -F= '/^mallinfo_(uordblks|hblkhd)=/ { n += $2 } END { print n }' "$T/dump"
}

# inodes: how many inodes the table of mount m holds.
inodes() {
    statedump "$T/dump" || bail "no statedump"
    sed -n 's/^xlator\.mount\.fuse\.itable\.\(active\|lru\|purge\|invalidate\)_size=//p' "$T/dump" |
        awk '{ n += $1 } END { print n }'
}

# kept: of how many inodes cluster/allot keeps something. After inodes.
kept() {
    awk '/\.allot - usage-type allot_mt_inode memusage\]$/ { ours = 1 }
         ours && sub(/^num_allocs=/, "") { n = $0; ours = 0 } END { print n + 0 }' "$T/dump"
}

resident_kib() {
    awk '/^VmRSS/ { print $2 }' "/proc/$(mount_pid m)/status"
}

# make_files DIR N BYTES: N files of BYTES each, by four writers.
make_files() {
    local w pids=() rc=0
    for w in a b c d; do
        head -c $(($2 * $3 / 4)) /dev/zero |
            split -b "$3" -a 5 - "$1/$w" &
        pids+=($!)
    done
    for w in "${pids[@]}"; do
        wait "$w" || rc=1
    done
    return $rc
}

# passes TEMPLATE FILES LIMIT: FILES small files are listed and stat'ed three
# times by a mount whose inode table may hold LIMIT inodes. The table must get
# back below its limit. How far the mount grows by that, KiB resident, goes to
# GROWN[TEMPLATE PASS].
declare -A GROWN
passes() {
    local files=$2 limit=$3 before i
    volume_make "$1" --option dht:lookup-optimize=on
    volume_start
    must_mount m
    must mkdir "$M/d"
    ok "$1: $files small files are written" make_files "$M/d" "$files" 100
    umount_volume m

    must_mount m --lru-limit="$limit"
    must stat "$M/d"
    before=$(resident_kib)
    for i in 1 2 3; do
        is "$1, pass $i: all files are listed" "$(find "$M/d" | wc -l)" $((files + 1))
        is "$1, pass $i: and stat'ed" "$(find "$M/d" -printf '%s\n' | grep -cx 100)" "$files"
        ok "$1, pass $i: the inode table gets back below its limit of $limit" \
            expect_within 60 below_limit "$limit"
        if [ "$1" = net-4-plain ]; then
            ok "$1, pass $i: cluster/allot keeps something of $(kept) inodes, as many as there are" \
                test "$(kept)" -gt $((limit / 2)) -a "$(kept)" -le $((limit + 100))
        fi
        GROWN[$1 $i]=$(($(resident_kib) - before))
        note "$1, pass $i: ${GROWN[$1 $i]} KiB more resident than the $before KiB before"
    done
    umount_volume m
    for ((i = 0; i < NBRICKS; i++)); do
        brick_kill "$i" TERM
        brick_wipe "$i"
    done
}

# list_and_stat FILES LIMIT: with and without cluster/allot. What it adds is at
# most 1 KiB for an inode of the limit.
list_and_stat() {
    local plain allot
    passes net-4-distribute "$1" "$2"
    passes net-4-plain "$1" "$2"
    plain=${GROWN[net-4-distribute 3]} allot=${GROWN[net-4-plain 3]}
    # The table is over its limit for moments, by how much depends on when the
    # kernel lets go: resident pages differ by some MiB from run to run.
    ok "the mount grew by $allot KiB, $plain without cluster/allot: at most 1 KiB per inode more" \
        test $((allot - plain)) -le $(($2 + 8192))
}

# The kernel's references go a moment after it was told to drop them. The root
# and what is in use are not part of the limit.
below_limit() {
    [ "$(inodes)" -le $(($1 + 100)) ]
}
