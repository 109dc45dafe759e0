#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 20
# What small files take of a brick's free space is what they are long, although they
# are not written back yet: XFS reserves five blocks for each, and the guard's
# allocation, which comes after the answer to the write, takes their place. Where it
# fails (ext4 without extents has none) nothing else does.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

FILES=400

free_blocks() { # of all bricks, 4 KiB each
    local b sum=0
    for b in "${BRICK[@]}"; do
        sum=$((sum + $(stat -f -c %f "$b")))
    done
    echo $sum
}
files() { # files DIR: as many, of 4 KiB
    local i
    mkdir "$1" || return 1
    for ((i = 0; i < FILES; i++)); do
        cp "$T/small" "$1/f$i" || return 1
    done
}
right() { # right DIR: each is what was written
    local i
    for ((i = 0; i < FILES; i++)); do
        cmp "$T/small" "$1/f$i" || return 1
    done
}
# Blocks that come back when all is written to the disks.
reserved() {
    local before
    before=$(free_blocks)
    sync
    echo $(($(free_blocks) - before))
}
# Bricks on a file system that allocates nothing beforehand: ext4 without extents.
bricks_without() {
    local i dev
    for ((i = 0; i < NBRICKS; i++)); do
        BRICK[i]=$T/e$i
        mkdir "$T/e$i"
        must truncate -s 200M "$T/e$i.img"
        must mkfs.ext4 -q -O ^extent,^64bit "$T/e$i.img"
        dev=$(losetup -f --show "$T/e$i.img") || bail "no loop device for $T/e$i.img"
        undo loop "$dev" "$T/e$i.img"
        must mount -t ext4 "$dev" "$T/e$i"
        undo mount "$T/e$i"
        losetup -d "$dev" 2>/dev/null
        mkdir "$T/e$i/.glusterfs"
    done
}

volume_end() {
    local i
    must umount_volume m
    for ((i = 0; i < NBRICKS; i++)); do
        must brick_kill "$i" TERM
    done
}

noise 4096 >"$T/small"
bricks_make 4 512M
volume_make net-4-distribute
volume_start
must_mount m
ok "small files without allot" files "$M/c"
got=$(reserved)
ok "the file system has reserved for them ($got blocks)" test "$got" -gt $((2 * FILES))
volume_end

volume_make net-4-plain
volume_start
must_mount m
ok "small files are made" files "$M/d"
got=$(reserved)
ok "nothing is reserved for them any more ($got blocks)" test "$got" -lt $FILES
ok "they are right" right "$M/d"
volume_end

bricks_without
nok "a file system without allocation" fallocate -n -l 4096 "${BRICK[0]}/x"
rm -f "${BRICK[0]}/x"
volume_make net-4-plain
volume_start
must_mount m
ok "small files are made there" files "$M/e"
ok "they are right, too" right "$M/e"
ok "and appended to" sh -c "echo more >>'$M/e/f0'"
is "as long as they should be" "$(stat -c %s "$M/e/f0")" 4101
volume_end
done_testing
