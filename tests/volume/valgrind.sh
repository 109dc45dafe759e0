#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 60
# A whole local volume under valgrind: the plugins read and write no memory that
# is not theirs, and lose none. What GlusterFS itself does is not judged: only
# reports that have one of our files in the stack count.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

TEMPLATE=${1:-local-4}

bricks_dirs 4
volume_make "$TEMPLATE" --inline-limit 4KB --block-size 64KB
# Synctasks run on stacks from the heap. With the default --max-stackframe valgrind
# takes a switch between two of them for one deep call, and reports nonsense.
MOUNT_WRAP=(valgrind --tool=memcheck --leak-check=full --show-leak-kinds=definite
    --max-stackframe=100000 --keep-debuginfo=yes --num-callers=30 --log-file="$LOG/valgrind.%p")
must_mount m

# Files within and past the inline limit, over each other's ends, by name and by
# fd; errors too.
work() {
    local i
    mkdir "$M/d" "$M/d/e" || return 1
    for i in 1 5000 70000 400000 1100000; do
        noise "$i" >"$T/f$i"
        cp "$T/f$i" "$M/d/f$i" || return 1
        cmp "$T/f$i" "$M/d/f$i" || return 1
    done
    for i in 1 5000 70000; do
        cat "$T/f70000" >>"$M/d/f$i" || return 1
        cat "$T/f$i" "$T/f70000" | cmp - "$M/d/f$i" || return 1
    done
    dd if="$T/f70000" of="$M/d/sparse" bs=1000 seek=900 conv=notrunc status=none || return 1
    truncate -s 300000 "$M/d/f1100000" && truncate -s 2000000 "$M/d/f400000" || return 1
    cmp -n 300000 "$T/f1100000" "$M/d/f1100000" || return 1
    truncate -s 100 "$M/d/f70000" && fallocate -l 200000 "$M/d/f5000" || return 1
    mv "$M/d/f1" "$M/d/e/f1" && ln "$M/d/e/f1" "$M/d/link" && ln -s link "$M/d/soft" || return 1
    cp "$M/d/soft" "$M/d/f70000" || return 1
    ls -lR "$M" >/dev/null && stat -t "$M"/d/* >/dev/null || return 1
    cat "$M/absent" 2>/dev/null
    mkdir "$M/d" 2>/dev/null
    touch "$M/.allot" 2>/dev/null
    setfattr -n user.x -v y "$M/d/sparse" && getfattr -d "$M/d/sparse" || return 1
    getfattr -n glusterfs.allot.status "$M" 2>/dev/null
    getfattr -n glusterfs.allot.children "$M/d" 2>/dev/null
    getfattr -n glusterfs.allot.report "$M/d/sparse" 2>/dev/null
    getfattr -n glusterfs.allot.layout "$M/d/sparse" 2>/dev/null
    df "$M" >/dev/null && { rm -r "$M/d" || { find "$M" -ls; return 1; } }
}
ok "a volume does its work under valgrind" work
ok "it is unmounted" umount_volume m

reports=$(cat "$LOG"/valgrind.*)
ok "valgrind has watched the process to its end" grep -q 'ERROR SUMMARY' <<<"$reports"
# A report is a paragraph; a line of its stack names a file or a plugin of ours.
# The padding of fuse's own answers is written to /dev/fuse as it is: not ours.
ours=$(cut -d' ' -f2- <<<"$reports" | awk -v RS= '
    !/Syscall param writev/ && /Invalid |uninitialised|definitely lost|Mismatched|Invalid free|overlap/ &&
    /\((allot|guard)-?[a-z-]*\.c:[0-9]+\)|\/allot(\.so)?\)/')
is "no report is about a file of ours" "$ours" ""
done_testing
