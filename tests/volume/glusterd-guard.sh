#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# What is not allot cannot see or damage what allot has stored: an unfiltered
# mount, a plain program of libgfapi, rebalance, remove-brick, heal. In the end
# every portion and every base file is what it was. (Bitrot: glusterd-bitrot.sh;
# snapshots: glusterd-snap-mounts.sh.)
# tier: check
# needs: 50
# waits: yes
. "$(dirname "$0")/glusterd-lib.sh"

bricks_make 3 512M
nodes_make n1 c1
glusterd_start n1
must_gluster n1 volume create vol1 "n1:$T/b0/brick" "n1:$T/b1/brick" "n1:$T/b2/brick"
# Files that were there before allot.
must_gluster n1 volume start vol1
client_mount c1 n1:/vol1 /mnt/v || bail "no mount"
M=$(in_node c1 /mnt/v)
mkdir "$M/plain" "$M/spread"
for i in {1..24}; do
    noise $((200 << 10)) >"$M/plain/f$i"
done
(cd "$M" && md5sum plain/*) >"$T/sums"
must on c1 umount /mnt/v
must_gluster n1 volume set vol1 user.xlator.allot locks
must_gluster n1 volume stop vol1
must_gluster n1 volume start vol1
client_mount c1 n1:/vol1 /mnt/v || bail "no mount"
for i in {1..8}; do
    noise $((3 << 20)) >"$M/spread/s$i"
done
(cd "$M" && md5sum spread/*) >>"$T/sums"
all_right() {
    (cd "$M" && md5sum --quiet -c "$T/sums")
}
ok "files of before and new ones are right" all_right
sync -f "$T/b0" "$T/b1" "$T/b2"

# What allot has on the bricks: portions, and spread base files with records.
stored() {
    local b
    for b in 0 1 2; do
        (cd "$T/b$b/brick" && find .allot -type f -exec md5sum {} + | sort &&
            getfattr -h -m 'trusted.allot' -e hex -d spread/* .allot/*/* 2>/dev/null)
    done
}
stored >"$T/stored"
ok "there are portions on every brick" test "$(find "$T"/b?/brick/.allot -type f | wc -l)" -ge 24
unchanged() {
    stored | cmp - "$T/stored"
}

# ---- clients without allot --------------------------------------------------
# What a glusterd without the filter would hand out.
awk '/^volume vol1-allot/ { skip = 1 } !skip; /^end-volume/ { skip = 0 }' \
    "$(volfile n1 vol1 vol1.tcp-fuse.vol)" | sed 's/ vol1-allot$/ vol1-dht/' >"$T/stock.vol"
nok "this volfile has no allot" grep -q allot "$T/stock.vol" -i -e cluster/allot
on c1 mkdir -p /mnt/u
must on c1 glusterfs --volfile="$T/stock.vol" -l /var/log/glusterfs/u.log /mnt/u
ok "an unfiltered client can mount" expect_within 30 on c1 stat -t /mnt/u/spread
U=$(in_node c1 /mnt/u)
ok "it reads plain files" bash -c 'cd "$1" && grep plain/ "$2" | md5sum --quiet -c' _ "$U" "$T/sums"
nok "it sees no portions" grep -q allot <(ls -a "$U")
nok "nor by name" ls "$U/.allot"
refused() { # refused COMMAND...: with EPERM
    "$@" 2>&1 | grep -q "Operation not permitted"
}
ok "a backup of a spread file fails" refused cp "$U/spread/s1" "$T/backup"
is "and has got none of it" "$(stat -c %s "$T/backup" 2>/dev/null || echo 0)" 0
ok "a spread file cannot be written" refused dd if=/dev/zero of="$U/spread/s1" bs=4k count=1 conv=notrunc
ok "nor cut" refused truncate -s 10 "$U/spread/s2"
ok "nor given an xattr of allot's" refused setfattr -n trusted.allot.record -v x "$U/spread/s3"
ok "the brick's log names the client, and not often" bash -c '
    n=$(cat "$1"/bricks/*.log | grep -c "refused.*CTX_ID.*HOST:c1")
    [ "$n" -ge 1 ] && [ "$n" -le 30 ]' _ "$LOG/n1"
must on c1 umount /mnt/u

GFAPI=$BUILD/tests/volume/glusterd-gfapi
gfapi() { # gfapi SOURCE read|write PATH
    on c1 "$GFAPI" vol1 "$@"
}
is "a plain program of libgfapi reads through allot" "$(gfapi server:n1 read /spread/s1 | md5sum | cut -d' ' -f1)" \
    "$(sum "$M/spread/s1")"
nok "an unfiltered one gets nothing of a spread file" gfapi "volfile:$T/stock.vol" read /spread/s1
is "not a byte of it" "$(gfapi "volfile:$T/stock.vol" read /spread/s1 2>/dev/null | wc -c)" 0
nok "and cannot write it" gfapi "volfile:$T/stock.vol" write /spread/s1 <<<"damage"
is "but reads plain ones" "$(gfapi "volfile:$T/stock.vol" read /plain/f1 | md5sum | cut -d' ' -f1)" "$(sum "$M/plain/f1")"
ok "what is stored is unchanged" unchanged

# ---- services of glusterd ---------------------------------------------------
nok "heal is not for such a volume" gluster n1 volume heal vol1 full
task_done() { # task_done rebalance ARG...
    gluster n1 volume "$@" status | grep -qw completed
}
# New bricks to move to.
mkdir -p "$T/b0/more"
must_gluster n1 volume add-brick vol1 "n1:$T/b0/more"
must_gluster n1 volume rebalance vol1 fix-layout start
ok "fix-layout ends" expect_within 60 task_done rebalance vol1
ok "what is stored is unchanged by it" unchanged
must_gluster n1 volume rebalance vol1 start force
ok "a rebalance ends" expect_within 120 task_done rebalance vol1
gluster n1 volume rebalance vol1 status >"$T/rebalance"
note "$(cat "$T/rebalance")"
is "without failures" "$(awk '$1 == "localhost" { print $5 }' "$T/rebalance")" 0
ok "spread files are skipped" test "$(awk '$1 == "localhost" { print $6 }' "$T/rebalance")" -gt 0
ok "it moves plain files" test "$(awk '$1 == "localhost" { print $2 }' "$T/rebalance")" -gt 0
ok "what is stored is unchanged" unchanged
ok "all files are right" all_right

# ---- remove-brick -----------------------------------------------------------
gluster n1 volume remove-brick vol1 "n1:$T/b1/brick" start >"$T/remove" 2>&1
not_removed() {
    gluster n1 volume remove-brick vol1 "n1:$T/b1/brick" status | grep -q failed
}
ok "the removal of a brick that holds portions does not begin" expect_within 30 not_removed
ok "the log says why" grep -q "remove-brick is refused: vol1-client-1 may hold portions" "$LOG/n1/vol1-rebalance.log"
nok "it cannot be committed" gluster n1 volume remove-brick vol1 "n1:$T/b1/brick" commit
ok "clients go on" all_right
ok "it can be taken back" gluster n1 volume remove-brick vol1 "n1:$T/b1/brick" stop
ok "all files are right" all_right
ok "what is stored is unchanged" unchanged

ok "files can be written as before" cp "$T/sums" "$M/spread/after"

# ---- features.trash -----------------------------------------------------------
# It stands below the guard, and would be asked about portions.
must_gluster n1 volume set vol1 features.trash on
must_gluster n1 volume set vol1 features.trash-max-filesize 100MB
warned() {
    on c1 "$BUILD/allot" status /mnt/v | grep -q "^warning: features.trash is refused beside allot"
}
ok "features.trash is refused beside allot" expect_within 30 warned
portions() {
    find "$T"/b?/brick/.allot "$T/b0/more/.allot" -type f | wc -l
}
must cp "$M/spread/s1" "$M/spread/cut"
sync -f "$M"
before=$(portions)
rm "$M/spread/s2"
truncate -s 100 "$M/spread/cut"
fewer() {
    [ "$(portions)" -le $((before - 4)) ]
}
ok "portions of a file that is removed are gone" expect_within 30 fewer
is "nothing is kept in the trash" "$(find "$T"/b?/brick/.trashcan "$T/b0/more/.trashcan" -mindepth 1 -not -path '*/internal_op*' 2>/dev/null)" ""
done_testing
