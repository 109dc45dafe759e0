#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# A snapshot of a volume that uses allot, taken by stock glusterd (its commands of
# LVM stood in for, see glusterd-snap-lib.sh): it can be mounted and read through
# allot, with the data of then, and is read-only; a temporary copy of its client's
# file is converted as the file in force is. So with a snapshot and its clone when
# features.shard is set beside allot, which a volume that uses allot bears, and with
# one of a volume whose settings were reset; in the end the volume is restored.
# tier: check
# needs: 40
# waits: yes
# shellcheck source=glusterd-lib.sh
. "$(dirname "$0")/glusterd-lib.sh"
# shellcheck source=glusterd-snap-lib.sh
. "$(dirname "$0")/glusterd-snap-lib.sh"

bricks_make 3 512M
nodes_make n1 c1
glusterd_start n1
snap_start n1
vol1_mount
mkdir "$M/d"
for i in 1 2 3 4 5 6; do
    noise $((3 << 20)) >"$M/d/f$i"
done
noise 1000 >"$M/d/small"
(cd "$M" && md5sum d/*) >"$T/then"
sync -f "$M/d/f1"

# ---- taken ----------------------------------------------------------------------
ok "a snapshot is taken" gluster n1 snapshot create snap1 vol1 no-timestamp
ok "and activated" gluster n1 snapshot activate snap1
S=$(snap_volume n1 snap1)
ok "it has a volume" test -n "$S"
SNAPDIR=$T/n1/lib/snaps/snap1/$S
ok "whose clients' file has allot" grep -q '^    type cluster/allot' "$SNAPDIR/$S.tcp-fuse.vol"
is "and whose bricks have guards" "$(grep -lx '    type user/allot' "$SNAPDIR"/*.vol | wc -l)" 3
# Later than the snapshot.
for i in 1 2 3; do
    noise $((2 << 20)) >"$M/d/f$i"
done
rm "$M/d/f4"
noise $((2 << 20)) >"$M/d/later"

# ---- read -----------------------------------------------------------------------
ok "it can be mounted" client_mount c1 "n1:/snaps/snap1/vol1" /mnt/s -o ro
Z=$(in_node c1 /mnt/s)
status_is() { # status_is FILTER
    on c1 timeout 20 "$BUILD/allot" status --json /mnt/s >"$T/status.json"
    jq -e "$1" "$T/status.json" >/dev/null
}
ok "its bricks are known" expect_within 60 status_is '.state == "UP" and .active and ([.bricks[].state] | unique == ["up"])'
is "its files are those of then" "$(cd "$Z" && md5sum --quiet -c "$T/then" 2>&1)" ""
is "and no other" "$(cd "$Z/d" && echo *)" "f1 f2 f3 f4 f5 f6 small"
ok "a report on it says that all is whole" on c1 timeout 60 "$BUILD/allot" report /mnt/s
nok "it cannot be written" touch "$Z/d/new"
is "the volume goes on" "$(sum "$M/d/f5")" "$(sed -n 's| *d/f5$||p' "$T/then")"

# ---- temporary copies -----------------------------------------------------------
awk '/^volume .*-allot$/ { skip = 1 } !skip; /^end-volume/ { skip = 0 }' "$SNAPDIR/$S.tcp-fuse.vol" |
    sed "s/^    subvolumes $S-allot\$/    subvolumes $S-dht/" | cat -s >"$T/copy"
nok "a copy as glusterd writes it has no allot" grep -q '^    type cluster/allot' "$T/copy"
cp "$T/copy" "$T/gfuse-AbCdEf"
ok "the filter finds its bricks" env GLUSTERD_WORKDIR="$T/n1/lib" "$BUILD/filter/allot-filter" \
    --log "$T/filter.log" "$T/gfuse-AbCdEf"
ok "and makes of it what is in force" diff -B "$T/gfuse-AbCdEf" "$SNAPDIR/$S.tcp-fuse.vol"

# ---- beside features.shard, and after a reset ------------------------------------
# files_of DIR VOLUME: how many of its bricks have guards, of its clients' files allot.
files_of() {
    echo "$(grep -lx '    type user/allot' "$1"/*.vol | wc -l)" \
        "$(grep -l '^    type cluster/allot' "$1/$2.tcp-fuse.vol" "$1/trusted-$2.tcp-fuse.vol" | wc -l)"
}
(cd "$M" && md5sum d/*) >"$T/later"
sync -f "$M/d/later"
# same_data NAME: what is mounted there is what the volume had.
same_data() {
    local z
    z=$(in_node c1 "/mnt/$1")
    (cd "$z" && md5sum --quiet -c "$T/later")
}
must_gluster n1 volume set vol1 features.shard on
ok "beside features.shard a snapshot is taken" gluster n1 snapshot create sharded vol1 no-timestamp
S=$(snap_volume n1 sharded)
is "its bricks have guards and its clients allot" "$(files_of "$T/n1/lib/snaps/sharded/$S" "$S")" "3 2"
must_gluster n1 snapshot activate sharded
is "also when it is activated" "$(files_of "$T/n1/lib/snaps/sharded/$S" "$S")" "3 2"
ok "it can be mounted" client_mount c1 "n1:/snaps/sharded/vol1" /mnt/sharded -o ro
ok "its files are right" expect_within 60 same_data sharded
must on c1 umount /mnt/sharded
ok "it is cloned" gluster n1 snapshot clone clone1 sharded
is "the clone's bricks have guards and its clients allot" "$(files_of "$T/n1/lib/vols/clone1" clone1)" "3 2"
must_gluster n1 volume start clone1
ok "it can be mounted" client_mount c1 n1:/clone1 /mnt/clone1
ok "its files are right" expect_within 60 same_data clone1
must on c1 umount /mnt/clone1
must_gluster n1 volume stop clone1
must_gluster n1 volume delete clone1
must_gluster n1 volume reset vol1
ok "after a reset a snapshot is taken" gluster n1 snapshot create bare vol1 no-timestamp
S=$(snap_volume n1 bare)
is "its bricks have guards and its clients allot" "$(files_of "$T/n1/lib/snaps/bare/$S" "$S")" "3 2"
must_gluster n1 volume set vol1 user.xlator.allot locks
for S in sharded bare; do
    must_gluster n1 snapshot delete $S
done

# ---- restored -------------------------------------------------------------------
must on c1 umount /mnt/s
must on c1 umount /mnt/v
must_gluster n1 volume stop vol1
must_gluster n1 snapshot deactivate snap1
ok "the volume is restored" gluster n1 snapshot restore snap1
must_gluster n1 volume start vol1
ok "it can be mounted" client_mount c1 n1:/vol1 /mnt/v
M=$(in_node c1 /mnt/v)
right() { (cd "$M" && md5sum --quiet -c "$T/then"); }
ok "its files are those of then" expect_within 60 right
ok "it can be written" cp "$T/then" "$M/d/then"
noise $((4 << 20)) >"$T/new"
ok "and files spread" cp "$T/new" "$M/d/new"
is "over all bricks" "$(on c1 "$BUILD/allot" layout --json /mnt/v/d/new | jq '[.extents[].members[].name] | unique | length')" 3
is "and are right" "$(sum "$M/d/new")" "$(sum "$T/new")"
done_testing
