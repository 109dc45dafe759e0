#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Mounts of snapshots, imitated, since LVM thin pools need a device mapper: copies of
# the bricks' file systems, taken while a file is being written, served by
# another glusterd as another volume, as a restored or cloned snapshot is; and
# client volfiles with features/read-only, as glusterd writes for snapshots. Without
# allot such a mount has nothing of a spread file to give, neither of the copies
# nor of the bricks themselves; with it all files are whole.
# tier: check
# needs: 25
# waits: yes
# shellcheck source=glusterd-lib.sh
. "$(dirname "$0")/glusterd-lib.sh"

bricks_make 3 400M
nodes_make n1 c1
glusterd_start n1
vol1_mount
mkdir -p "$T/want/spread" "$M/spread"
for i in {1..6}; do
    noise $((3 << 20)) >"$T/want/spread/s$i"
    must cp "$T/want/spread/s$i" "$M/spread/s$i"
done
want cp /etc/passwd plain
# One that nobody has closed yet; what is fsynced must be there.
noise $((3 << 20)) >"$T/want/spread/open"
exec 8>"$M/spread/open"
must eval "cat '$T/want/spread/open' >&8"
must sync "$M/spread/open"

# ---- the snapshot -----------------------------------------------------------
for b in 0 1 2; do
    must fsfreeze -f "$T/b$b"
done
for b in 0 1 2; do
    must cp --sparse=always "$T/b$b.img" "$T/s$b.img"
done
for b in 0 1 2; do
    must fsfreeze -u "$T/b$b"
done
for b in 0 1 2; do
    mkdir "$T/s$b"
    dev=$(losetup -f --show "$T/s$b.img") || bail "no loop device"
    undo loop "$dev" "$T/s$b.img"
    must mount -t xfs -o nouuid "$dev" "$T/s$b"
    undo mount "$T/s$b"
    losetup -d "$dev"
    # glusterd gives a snapshot's bricks the snapshot's id.
    must setfattr -x trusted.glusterfs.volume-id "$T/s$b/brick"
    must setfattr -x trusted.gfid "$T/s$b/brick"
done
# The original goes on.
must eval "noise 1000000 >&8"
exec 8>&-
must cp "$T/want/spread/s2" "$M/spread/s1"
must rm "$M/spread/s6"
(cd "$M" && sums .) >"$T/original"
nodes_make n2
glusterd_start n2
must_gluster n2 volume create snap "n2:$T/s0/brick" "n2:$T/s1/brick" "n2:$T/s2/brick" force
must_gluster n2 volume start snap
is "the copies' bricks get their guards without being asked" "$(grep -lx '    type user/allot' "$T"/n2/lib/vols/snap/*.vol | wc -l)" 3

# ---- volfiles of a snapshot -------------------------------------------------
# with_read_only VOLFILE: features/read-only above what distribute, or allot, serves.
with_read_only() {
    awk '
        $1 == "volume" { name = $2 }
        $1 == "type" && ($2 == "cluster/distribute" || $2 == "cluster/allot") { top = name }
        { line[NR] = $0 }
        END {
            for (i = 1; i <= NR; i++) {
                $0 = line[i]
                if ($1 == "volume") { inside = $2 == top; after = after || done }
                if (after && $1 == "subvolumes" && $2 == top) sub(top "$", "read-only")
                print
                if (inside && $1 == "end-volume") {
                    print "\nvolume read-only\n    type features/read-only\n    option read-only on"
                    print "    subvolumes " top "\nend-volume"
                    done = 1
                }
            }
        }' "$1"
}
without_allot() { # without_allot VOLFILE: what a server without the filter would write
    awk '/^volume .*-allot$/ { skip = 1 } !skip; /^end-volume/ { skip = 0 }' "$1" |
        sed 's/^\(    subvolumes .*\)-allot$/\1-dht/'
}
without_allot "$(volfile n2 snap snap.tcp-fuse.vol)" >"$T/plain.vol"
with_read_only "$T/plain.vol" >"$T/snap-stock.vol"
with_read_only "$(volfile n2 snap snap.tcp-fuse.vol)" >"$T/snap-allot.vol"
without_allot "$(volfile n1 vol1 vol1.tcp-fuse.vol)" >"$T/plain.vol"
with_read_only "$T/plain.vol" >"$T/vol1-stock.vol"
mount_by() { # mount_by NAME: $T/NAME.vol at /mnt/NAME
    on c1 mkdir -p "/mnt/$1"
    on c1 glusterfs --volfile="$T/$1.vol" -l "/var/log/glusterfs/$1.log" "/mnt/$1" &&
        expect_within 30 on c1 timeout 20 stat -t "/mnt/$1/spread"
}
refused() { # refused COMMAND...: with EPERM
    "$@" 2>&1 | grep -q "Operation not permitted"
}

# ---- without allot ----------------------------------------------------------
for name in snap-stock vol1-stock; do
    is "$name: its volfile has read-only and no allot" "$(grep -c -e 'features/read-only' -e 'subvolumes read-only' "$T/$name.vol") $(
        grep -c cluster/allot "$T/$name.vol")" "2 0"
    ok "$name: it can be mounted" mount_by "$name"
    U=$(in_node c1 "/mnt/$name")
    ok "$name: plain files are read" cmp "$T/want/plain" "$U/plain"
    got=0 said=0
    for f in "$U"/spread/*; do
        got=$((got + $(head -c 65536 "$f" 2>/dev/null | wc -c)))
        refused cat "$f" && said=$((said + 1))
    done
    is "$name: no byte of a spread file is given out as the file" "$got" 0
    is "$name: each refuses" "$said" "$(find "$U/spread" -type f | wc -l)"
    ok "$name: those are all" test "$said" -ge 6
    nok "$name: a backup of the snapshot fails" cp -r "$U/spread" "$T/backup-$name"
    is "$name: and has no data" "$(find "$T/backup-$name" -type f -size +0)" ""
    nok "$name: portions are not seen" grep -q allot <(ls -a "$U")
    nok "$name: nor by name" ls "$U/.allot"
    nok "$name: nothing can be written" dd if=/dev/zero of="$U/spread/s1" bs=4k count=1 conv=notrunc
    nok "$name: nor made" touch "$U/new"
    is "$name: a plain program of libgfapi gets nothing either" \
        "$(on c1 "$BUILD/tests/volume/glusterd-gfapi" "${name%-*}" "volfile:$T/$name.vol" read /spread/s1 2>/dev/null | wc -c)" 0
    must on c1 umount "/mnt/$name"
done
ok "the bricks' logs name the client" grep -q "refused.*CTX_ID.*HOST:c1" <(cat "$LOG"/n2/bricks/*.log)

# ---- with allot -------------------------------------------------------------
ok "with allot a snapshot can be mounted read-only" mount_by snap-allot
U=$(in_node c1 /mnt/snap-allot)
head -c $((3 << 20)) "$U/spread/open" >"$T/open"
ok "all that was fsynced is there, of a file that was open" cmp "$T/open" "$T/want/spread/open"
rm "$T/want/spread/open"
ok "all files are as they were then" diff <(sums "$T/want") <(sums "$U" | grep -v spread/open)
is "the status says so" "$(on c1 "$BUILD/allot" status --json /mnt/snap-allot | jq -r '.state, .active, (.warnings | length)' | xargs)" "UP true 0"
is "and the report" "$(on c1 "$BUILD/allot" report --json /mnt/snap-allot | jq -c '[.blocks.failed, .files.damaged, .files.unreadable]')" "[0,0,0]"
nok "nothing can be written" dd if=/dev/zero of="$U/spread/s1" bs=4k count=1 conv=notrunc
must on c1 umount /mnt/snap-allot
ok "restored, it is a volume" client_mount c1 n2:/snap /mnt/r
U=$(in_node c1 /mnt/r)
ok "with the same files" diff <(sums "$T/want") <(sums "$U" | grep -v spread/open)
ok "that can be written" cp "$T/want/spread/s3" "$U/spread/new"
is "and read" "$(sum "$U/spread/new")" "$(sum "$T/want/spread/s3")"
ok "the original is what it was" diff "$T/original" <(cd "$M" && sums .)
done_testing
