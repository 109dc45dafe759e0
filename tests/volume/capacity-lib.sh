# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Filling a volume with files of one size until the first ENOSPC. Sourced by
# capacity.sh (bricks of different sizes) and capacity-long.sh (equal bricks,
# compared with plain distribute).
#
# All files are pieces of one pool of random bytes, each at another offset, so
# that every byte can be compared without keeping copies or checksums.
#
# storage/posix refuses writes on a brick with less than 1% free (its reserve).
# It looks only every few seconds, so that where it stops is chance. Without the
# reserve the file system itself says ENOSPC; then posix's health check, which
# writes a file, must not run either: it would take a full brick for a broken
# one and end it.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ALLOT=allot
[ "$BUILD" = installed ] || ALLOT=$BUILD/allot
MIB=1048576
# shellcheck disable=SC2034 # used by who sources this
NO_RESERVE=(--option posix:reserve=0 --option posix:health-check-interval=0)

FILES_MAX=400
# A prime number of 4 KiB pages: no block of a file stands at the same place of
# another.
STEP=$((37 * 4096))

pool_make() { # pool_make MIB: for files of up to so many MiB
    noise $(($1 * MIB + FILES_MAX * STEP)) >"$T/pool"
}

# file_write DIR N FILE_MIB: the message of a failure is in $T/write.err. What
# was written before it failed stays.
file_write() {
    bounded 120 dd if="$T/pool" of="$M/$1/$2" bs=1M count="$3" \
        iflag=skip_bytes skip=$(($2 * STEP)) 2>"$T/write.err"
}

# file_same DIR N: as far as it reaches, the file holds the bytes of the pool.
file_same() {
    bounded 120 cmp -n "$(stat -c %s "$M/$1/$2")" -i "$(($2 * STEP)):0" "$T/pool" "$M/$1/$2"
}

# write_files DIR N FILE_MIB: stops at the first failure; FILES is how many are
# whole.
write_files() {
    mkdir -p "$M/$1"
    for ((FILES = 0; FILES < $2; FILES++)); do
        file_write "$1" "$FILES" "$3" || return
    done
}

# read_files DIR N FILE_MIB: the first N files are complete and right. Of the
# one at which the volume was full nobody was told that it is written; with
# write-behind it may have holes. It must be readable.
read_files() {
    local i
    for ((i = 0; i < $2; i++)); do
        [ "$(stat -c %s "$M/$1/$i")" = $(($3 * MIB)) ] && file_same "$1" $i || return
    done
    [ ! -e "$M/$1/$i" ] || bounded 120 cat "$M/$1/$i" >/dev/null
}

# What a user may still write, by statfs of the mount: without the reserves of
# the file systems and of storage/posix (1% of a brick).
free_bytes() {
    bounded 20 stat -f -c '%a %S' "$M" | awk '{ printf "%.0f", $1 * $2 }'
}

# Files that are still open or dirty hold more blocks than they need.
bricks_sync() {
    local i
    for ((i = 0; i < NBRICKS; i++)); do
        sync -f "${BRICK[i]}"
    done
}

# fill DIR FILE_MIB: write until a write fails. BEFORE, taken on the empty
# volume, is what could be written; SHARE is how much of it the volume took, in
# bytes of files without holes. FULL is why the write failed, ENDED the status of the writer:
# 1 if it failed, 137 if it hung.
fill() {
    local stored
    ENDED=0
    # Both are for the tests that source this.
    # shellcheck disable=SC2034
    write_files "$1" $FILES_MAX "$2" || ENDED=$?
    # shellcheck disable=SC2034
    FULL=$(sed -n 's/.*: \(No space left on device\)$/\1/p' "$T/write.err" | head -1)
    stored=$(find "$M" -type f -printf '%s %b\n' |
        awk '{ b = $2 * 512; s += b < $1 ? b : $1 } END { printf "%.0f", s }')
    SHARE=$(awk -v s="$stored" -v b="$BEFORE" 'BEGIN { printf "%.4f", s / b }')
    note "$FILES files of $2 MiB and a part: $((stored / MIB)) of $((BEFORE / MIB)) MiB, share $SHARE"
    bricks_sync
    note "left on the bricks: $(for b in "${BRICK[@]}"; do
        stat -f -c '%a %S' "$b"
    done | awk '{ printf "%.1f ", $1 * $2 / 1048576 }')MiB"
}

all_whole() {
    bounded 120 "$ALLOT" report "$M" --json | jq -e '.damaged_files == []'
}

at_least() { # at_least A B, decimals
    awk -v a="$1" -v b="$2" 'BEGIN { exit !(a >= b) }'
}
