#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 60
# alone: yes
# What a mount remembers of files.
#
# A cached spread file: the bytes that the allocator of the mount has handed out
# before and after looking up spread files, divided by their number; and the
# same of plain distribute with files of the same names. The difference is all
# that cluster/allot adds, wherever it is allocated. It is at most 1 KiB; layouts
# do not show in it, since files with equal layouts share one. Reading the
# files, which opens portions, is counted as well: they are closed again with
# the files.
#
# Many files: the inode table stays within its limit (see cost-memory-100k.sh for
# 100,000 files and the default limit).
# shellcheck source=cost-memory-lib.sh
. "$(dirname "$0")/cost-memory-lib.sh"

N=2000
declare -A PER_FILE

# per_file TEMPLATE: bytes per looked up file, and per file that was read.
per_file() {
    local before
    volume_make "$1" --inline-limit 4096
    volume_start
    must_mount m
    must mkdir "$M/d" "$M/warm"
    # 8 KiB: inline-limit and a block.
    ok "$1: $N files are written" make_files "$M/d" $N 8192
    must make_files "$M/warm" 40 8192
    umount_volume m
    must_mount m
    # What is made once, for the first files.
    must eval "stat '$M/warm'/* && cat '$M/warm'/* >/dev/null && stat '$M/d'"
    allocated >/dev/null
    before=$(allocated)
    is "$1: all are looked up" "$(stat -c %s "$M/d"/* | grep -cx 8192)" $N
    PER_FILE[$1 lookup]=$((($(allocated) - before) / N))
    is "$1: all are read" "$(cat "$M/d"/* | wc -c)" $((N * 8192))
    PER_FILE[$1 read]=$((($(allocated) - before) / N))
    umount_volume m
    for ((i = 0; i < NBRICKS; i++)); do
        brick_kill "$i" TERM
        brick_wipe "$i"
    done
}

bricks_make 4 1G
per_file net-4-distribute
per_file net-4-plain
for what in lookup read; do
    plain=${PER_FILE[net-4-distribute $what]}
    allot=${PER_FILE[net-4-plain $what]}
    note "after $what: $allot bytes per file, $plain without cluster/allot"
    ok "after $what: cluster/allot adds $((allot - plain)) bytes per file, at most 1024" \
        test $((allot - plain)) -le 1024
    # Else something else was measured.
    ok "after $what: and it adds something" test $((allot - plain)) -gt 0
done

list_and_stat 10000 2000
done_testing
