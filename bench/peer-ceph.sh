# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Ceph for works-peers.sh: a monitor, a metadata server, an OSD for each brick (a file
# on the brick's file system), all pools of size 1, mounted by ceph-fuse. No keys. Made
# small, so that all of it fits two cores; no manager, which only counts.

# Without what they depend on that is installed where glusterfs and qemu are.
# shellcheck disable=SC2034 # works-peers.sh reads it
CEPH=(ceph-mon ceph-osd ceph-mds ceph-fuse ceph-common ceph-base libcephfs2 librados2
    python3-rados python3-ceph-argparse python3-ceph-common libsnappy1v5 libleveldb1d
    libtcmalloc-minimal4 libgoogle-perftools4 liboath0 liblua5.3-0 libradosstriper1 libfuse2
    librbd1 libboost-context1.74.0 libboost-program-options1.74.0 libboost-thread1.74.0
    libboost-iostreams1.74.0 libfmt9 libibverbs1 librdmacm1 libpmem1 libndctl6 libdaxctl1)

ceph_run() { # ceph_run PROGRAM ARG...
    PYTHONPATH=$PEERS/ceph/usr/lib/python3/dist-packages CEPH_CONF=$T/ceph/conf \
        peer_run bounded 60 "$@"
}

ceph_up() {
    local i dir=$T/ceph fsid mib
    variant_dirs ceph
    rm -rf "$dir"
    mkdir -p "$dir/mon" "$dir/mds" "$dir/run"
    fsid=$(cat /proc/sys/kernel/random/uuid)
    port_pick
    mib=$(stat -f -c '%a %S' "${BRICK[0]}" | awk '{ printf "%d", $1 * $2 / 1048576 - 16 }')
    cat >"$dir/conf" <<TEXT
[global]
fsid = $fsid
mon host = [v2:$(link_gateway 0):$PICKED/0]
auth cluster required = none
auth service required = none
auth client required = none
run dir = $dir/run
admin socket = $dir/run/\$name.\$pid
log file = $LOG/ceph-\$name.log
erasure code dir = $PEERS/ceph/usr/lib/x86_64-linux-gnu/ceph/erasure-code
plugin dir = $PEERS/ceph/usr/lib/x86_64-linux-gnu/ceph
osd class dir = $PEERS/ceph/usr/lib/x86_64-linux-gnu/rados-classes
osd pool default size = 1
osd pool default min size = 1
osd crush chooseleaf type = 0
osd pool default pg autoscale mode = off
mon allow pool size one = true
[mon]
mon data = $dir/mon
mon data avail crit = 1
[mds]
mds data = $dir/mds
[osd]
osd objectstore = bluestore
bluestore block size = $((mib << 20))
bluestore block create = true
bluestore cache autotune = false
osd heartbeat interval = 1
bluestore cache size = $((64 << 20))
osd class load list = *
osd class default list = *
TEXT
    ceph_run monmaptool --create --addv a "[v2:$(link_gateway 0):$PICKED/0]" --fsid "$fsid" "$dir/monmap" >>"$LOG/ceph.log" 2>&1 ||
        bail "monmaptool: $(tail -5 "$LOG/ceph.log")"
    must ceph_run ceph-mon --mkfs -i a --monmap "$dir/monmap"
    CEPH_CONF=$dir/conf peer_start ceph-mon ceph-mon -f -i a
    must ceph_run ceph mon enable-msgr2
    for ((i = 0; i < NBRICKS; i++)); do
        ceph_osd_start "$i"
    done
    CEPH_CONF=$dir/conf peer_start ceph-mds ceph-mds -f -i a --public-addr "$(link_gateway 0)"
    must expect_within 60 ceph_osds
    must ceph_run ceph osd pool create meta 8
    must ceph_run ceph osd pool create data 256
    must ceph_run ceph fs new fs meta data
    must expect_within 60 ceph_serves
    ceph_mount
}

ceph_osd_start() { # ceph_osd_start I
    local uuid
    uuid=$(cat /proc/sys/kernel/random/uuid)
    # All must find the one address of monitor and metadata server, and the OSDs one
    # another, which are marked down else.
    must ip -n "$(link_ns "$1")" route replace default via "$(link_gateway "$1")"
    echo 1 >"/proc/sys/net/ipv4/conf/al$$-$1/forwarding"
    must ceph_run ceph osd new "$uuid" "$1"
    must ceph_run ceph-osd -i "$1" --mkfs --osd-uuid "$uuid" --osd-data "${BRICK[$1]}"
    CEPH_CONF=$T/ceph/conf peer_start "ceph-osd$1" nsenter --net="/run/netns/$(link_ns "$1")" \
        ceph-osd -f -i "$1" --osd-data "${BRICK[$1]}" --public-addr "$(link_address "$1")"
}

ceph_osds() { # all are up
    [ "$(ceph_run ceph osd stat -f json | jq .num_up_osds)" = "$NBRICKS" ]
}

ceph_serves() { ceph_run ceph mds stat | grep -q 'up:active'; }

ceph_mount() {
    M=$T/mnt-m
    mkdir -p "$M"
    undo mount "$M"
    CEPH_CONF=$T/ceph/conf peer_start ceph-mount ceph-fuse -f "$M"
    echo "${PEER_PROCESSES[-1]}" >"$T/mnt-m.process"
    must expect_within 60 mount_answers "$M"
}
