#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 25
# A tree is copied onto the volume with cp, rsync and tar and back from another
# mount: bytes, times to the nanosecond, modes, owners, ACLs, xattrs, hard links,
# symlinks, odd names, and holes come back as they were. st_blocks is plausible,
# and rsync then finds nothing to do.
# shellcheck source=prog-lib.sh
. "$(dirname "$0")/prog-lib.sh"

needs_programs rsync tar cp setfacl getfacl setfattr getfattr du

SRC=$T/src

# One large file of each kind of border, and small ones by the dozen.
make_tree() {
    local n i
    mkdir -p "$SRC/sizes" "$SRC/dir with spaces/deep/er" "$SRC/many" "$SRC/empty"
    for n in 0 1 4095 4096 4097 16383 16384 16385 20480 65535 65537 100000 3000001; do
        noise $n >"$SRC/sizes/$n"
    done
    for ((i = 0; i < 40; i++)); do
        noise $((i * 700)) >"$SRC/many/f$i"
    done
    # Data only here and there; and a file that is all hole.
    truncate -s 5000000 "$SRC/sparse" "$SRC/hole"
    for i in 0 20000 700001 2000000 4990000; do
        noise 9000 | dd of="$SRC/sparse" bs=1 seek=$i conv=notrunc status=none iflag=fullblock
    done
    ln "$SRC/sizes/3000001" "$SRC/dir with spaces/linked"
    ln "$SRC/sizes/3000001" "$SRC/many/linked too"
    ln "$SRC/sizes/1" "$SRC/many/one"
    ln -s sizes/100000 "$SRC/symlink"
    ln -s nowhere "$SRC/dangling"
    mkfifo "$SRC/fifo"
    noise 30000 >"$SRC/dir with spaces/deep/er/"$'new\nline'
    noise 30000 >"$SRC/dir with spaces/deep/"$'\xff\xfe not UTF-8'
    noise 50000 >"$SRC/$(printf 'n%.0s' {1..255})"
    # Who, when, who may.
    chown 1234:5678 "$SRC/sizes/100000" "$SRC/many"
    chown -h 1234:5678 "$SRC/symlink"
    chmod 0400 "$SRC/sizes/16384"
    chmod 4755 "$SRC/sizes/65537"
    chmod 2750 "$SRC/dir with spaces"
    chmod 1777 "$SRC/empty"
    setfacl -m u:1234:rw,g:5678:r,m:rw "$SRC/sizes/3000001" "$SRC/sizes/4096"
    setfacl -d -m u:1234:rwx "$SRC/dir with spaces/deep"
    setfattr -n user.note -v "small" "$SRC/sizes/1"
    setfattr -n user.note -v "spread" "$SRC/sizes/3000001"
    setfattr -n user.binary -v 0x00ff0a20 "$SRC/sizes/100000"
    setfattr -n user.large -v "$(printf 'v%.0s' {1..2000})" "$SRC/sparse"
    setfattr -n user.dir -v yes "$SRC/empty"
    # Last of all. A time before 1970 and one after 2038, too.
    touch -d '2001-02-03 04:05:06.123456789' "$SRC/sizes/3000001" "$SRC/sizes/1"
    touch -h -d '2002-02-02 02:02:02.000000002' "$SRC/symlink"
    touch -d '1969-12-31 23:59:58.5' "$SRC/sizes/4095"
    touch -d '2100-01-01 00:00:00.999999999' "$SRC/sizes/20480"
    find "$SRC" -depth -type d -exec touch -d '2010-10-10 10:10:10.101010101' {} +
}

# All that is to come back, as text. A group of hard links has its first name.
state_of() { # state_of DIR
    (
        cd "$1" || exit
        find . -mindepth 1 -printf '%p %y %m %U %G %T@ %l' \( -type f -printf ' %s %n' -o -true \) -printf '\0' | sort -z
        find . -type f -links +1 -printf '%i %p\n' | sort -k2 |
            awk '{ i = $1; sub(/^[0-9]+ /, ""); if (!(i in f)) f[i] = $0; print $0 " is " f[i] }'
        find . -mindepth 1 ! -type l -print0 | sort -z | xargs -0 getfacl -n -p
        find . -mindepth 1 ! -type l -print0 | sort -z | xargs -0 getfattr -h -d -m '^user\.' -e hex
        find . -type f -print0 | sort -z | xargs -0 md5sum
    ) 2>&1 | tr '\0' '\n'
}

same_state() { # same_state DIR
    state_of "$1" >"$T/state"
    diff "$T/state.src" "$T/state" | head -20
    cmp -s "$T/state.src" "$T/state"
}

with_cp() { cp -a "$1/." "$2/"; }
# Without other xattrs than a user's: bricks on XFS show each ACL a second time,
# as trusted.SGI_ACL_FILE, and rsync would take that away again.
USERS='--filter=-x! user.*'
with_rsync() { rsync -aHAXS "$USERS" "$1/" "$2/"; }
with_tar() { (set -o pipefail && tar -C "$1" --acls --xattrs --sparse --format=posix -cf - . |
    tar -C "$2" --acls --xattrs --numeric-owner -xpf -); }

blocks_of() { # blocks_of FILE: bytes
    echo $(($(stat -c %b "$1") * 512))
}

between() { # between LOW N HIGH
    echo "$2 must be in $1..$3"
    [ "$1" -le "$2" ] && [ "$2" -le "$3" ]
}

make_tree
state_of "$SRC" >"$T/state.src"
ok "there is something to compare" test "$(wc -l <"$T/state.src")" -gt 500

for KIND in ${COPY_KINDS:-net-4-plain}; do
    program_volume "$KIND"
    must_mount "$KIND-a" --acl
    A=$M
    # What the other mount has just done is asked for: nothing is remembered.
    must_mount "$KIND-b" --acl --attribute-timeout=0 --entry-timeout=0
    for how in cp rsync tar; do
        mkdir "$A/$how" "$T/back"
        ok "$KIND: $how onto the volume" "with_$how" "$SRC" "$A/$how"
        ok "$KIND: $how: the tree on the volume is the same" same_state "$A/$how"
        ok "$KIND: $how: on another mount too" same_state "$M/$how"
        ok "$KIND: $how back from the other mount" "with_$how" "$M/$how" "$T/back"
        ok "$KIND: $how: the tree is back as it was" same_state "$T/back"
        is "$KIND: $how: rsync finds nothing to do" \
            "$(rsync -aHAXn "$USERS" --checksum --delete --itemize-changes "$SRC/" "$M/$how/" 2>&1)" ""
        rm -rf "$T/back"
        # What is allocated: at least the data, and not much more.
        for f in sizes/3000001 sizes/100000 sizes/16385; do
            n=$(stat -c %s "$M/$how/$f")
            ok "$KIND: $how: st_blocks of $f" between "$n" "$(blocks_of "$M/$how/$f")" $((n + 4 * 65536))
        done
        ok "$KIND: $how: st_blocks of a sparse file" \
            between 45000 "$(blocks_of "$M/$how/sparse")" $((5 * 65536))
        ok "$KIND: $how: st_blocks of a hole" between 0 "$(blocks_of "$M/$how/hole")" 65536
    done
    ok "$KIND: the large files are spread" spread_over 4 "$M"/{cp,rsync,tar}/sizes/3000001

    # A second look of rsync sends what has changed, in place and by a new file.
    noise 200000 >>"$SRC/sizes/100000"
    noise 10 | dd of="$SRC/sizes/3000001" bs=1 seek=1500000 conv=notrunc status=none
    rm "$SRC/many/f7"
    state_of "$SRC" >"$T/state.src"
    # To the nanosecond: otherwise rsync leaves a directory that was changed there
    # in the same second as here with its own time, over distribute too.
    ok "$KIND: rsync again" rsync -aHAX --modify-window=-1 "$USERS" --delete "$SRC/" "$M/cp/"
    ok "$KIND: rsync again in place" rsync -aHAX --modify-window=-1 "$USERS" --delete --inplace --no-whole-file "$SRC/" "$M/rsync/"
    for how in cp rsync; do
        ok "$KIND: rsync again: $how: what has changed is there" same_state "$M/$how"
    done
    nok "$KIND: a tree that was not changed is another one" same_state "$M/tar"
    touch "$SRC/many/f7"
    state_of "$SRC" >"$T/state.src"

    ok "$KIND: all is removed" rm -rf "$A/cp" "$A/rsync" "$A/tar"
    ok "$KIND: no portion is left" expect_within 30 no_portions || note "$(no_portions)"
    must umount_volume "$KIND-a"
    must umount_volume "$KIND-b"
done
done_testing
