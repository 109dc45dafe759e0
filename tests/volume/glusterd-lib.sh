#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# What tests with the stock glusterd and the gluster command have in common. Each
# node is a set of namespaces of its own (network, mount, PID, host name), made
# by one process; inside it glusterd runs with its standard paths, and all it
# writes is in $T. So several nodes, and another glusterd of this machine, do
# not meet, and nothing is installed: the plugins and the filter of the build
# are bound over the plugin directory inside the node only. With
# ALLOT_BUILD=installed nothing is bound, and nodes use what is installed where it
# is. A node ends, like a machine without power, when its first process is killed;
# links, mounts and daemons go with it.
#
#   . "$(dirname "$0")/glusterd-lib.sh"
#   nodes_make n1 n2 c1            # addresses 10.77.0.1, .2, .3; all see all
#   bricks_make 2 512M             # of lib.sh; $T/b0, $T/b1 are seen by nodes
#   glusterd_start n1              # and n2
#   on n1 gluster peer probe n2
#   on c1 mount -t glusterfs n1:/vol1 /mnt/vol1
#   is "..." "$(on c1 cat /mnt/vol1/f)" "..."
#
# Not here: what a volume should do.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

SWITCH_PID=
NODES=()
declare -A NODE_PID=() NODE_IP=() NODE_PLUGINS=()
GLUSTER_DIR=$(dirname "$(glusterfs --print-xlatordir)")

# plugins_make DIR [without-plugin|without-filter|stock]: the installed plugin
# directory with what the build has, or with parts of it.
plugins_make() {
    local dir=$1 what=${2:-all} keep=
    mkdir -p "$dir"
    must cp -a "$GLUSTER_DIR/." "$dir/"
    [ "$BUILD" != installed ] || keep=1
    if [ "$what" = stock ] || [ "$what" = without-plugin ] || [ -z "$keep" ]; then
        rm -f "$dir/xlator/cluster/allot.so" "$dir/xlator/user/allot.so"
    fi
    if [ "$what" = stock ] || [ "$what" = without-filter ] || [ -z "$keep" ]; then
        rm -f "$dir/filter/allot"
    fi
    [ -z "$keep" ] || return 0
    if [ "$what" = all ] || [ "$what" = without-filter ]; then
        mkdir -p "$dir/xlator/user"
        must cp "$BUILD/xlator/cluster/.libs/allot.so" "$dir/xlator/cluster/allot.so"
        must cp "$BUILD/xlator/guard/.libs/allot.so" "$dir/xlator/user/allot.so"
    fi
    if [ "$what" = all ] || [ "$what" = without-plugin ]; then
        mkdir -p "$dir/filter"
        must cp "$BUILD/filter/allot-filter" "$dir/filter/allot"
    fi
}

# The first process of a node's namespaces. It makes the node's view of the file
# system, says so, and then only waits for children. The view has a root of its
# own, with the machine's directories but for /tmp: glusterd writes there, and
# mount points that only the documents have, such as /data, are made there. So
# nothing of it is seen on the machine.
node_init() {
    cat <<'INIT'
set -eu
name=$1 root=$2 plugins=$3 gluster=$4 hosts=$5
shift 5
hostname "$name"
mkdir -p /var/lib/glusterd /var/log/glusterfs
mount -t tmpfs run /run
new=/run/root
mkdir "$new"
mount -t tmpfs root "$new"
for entry in /* /.[!.]*; do
    case $entry in
    /data | /mnt | /run | /tmp) continue ;;
    esac
    if [ -L "$entry" ]; then
        cp -P "$entry" "$new$entry"
    elif [ -d "$entry" ]; then
        mkdir "$new$entry"
        mount --rbind "$entry" "$new$entry"
    elif [ -e "$entry" ]; then
        : >"$new$entry"
        mount --bind "$entry" "$new$entry"
    fi
done
mkdir -p "$new/run" "$new/tmp"
mount -t tmpfs run "$new/run"
mkdir -p "$new/run/gluster" "$new/run/lock"
chmod 1777 "$new/tmp"
# What the test itself has in /tmp.
for dir; do
    case $dir in
    /tmp/*)
        mkdir -p "$new$dir"
        mount --rbind "$dir" "$new$dir"
        ;;
    esac
done
cd "$new"
pivot_root . .
umount -l .
cd /
mount --bind "$root/lib" /var/lib/glusterd
mount --bind "$root/log" /var/log/glusterfs
[ -z "$plugins" ] || mount --bind "$plugins" "$gluster"
mount --bind "$hosts" /etc/hosts
# Mount points that documents name.
for dir in /data /mnt; do
    mkdir -p "$root$dir" "$dir"
    mount --bind "$root$dir" "$dir"
done
ip link set lo up
: >"$root/ready"
trap : TERM
while :; do
    sleep 3600 &
    wait $! || :
done
INIT
}

# ns_start NAME COMMAND...: run COMMAND as first process of new namespaces;
# STARTED is its pid outside.
ns_start() {
    local name=$1 outer
    shift
    # Killing the process outside kills the one inside, and with it all others.
    unshare --net --mount --propagation private --pid --uts --fork --mount-proc --kill-child=KILL \
        bash -c "$DROP_FOREIGN" "$T" "$@" </dev/null >"$LOG/node-$name.out" 2>&1 &
    outer=$!
    disown $outer
    undo process $outer "$(proc_start $outer)"
    expect_within 20 ns_child "$outer" || bail "no namespaces for $name: $(cat "$LOG/node-$name.out")"
    STARTED=$(ns_child "$outer")
    undo process "$STARTED" "$(proc_start "$STARTED")"
}

ns_child() {
    local p
    p=$(cat "/proc/$1/task/$1/children" 2>/dev/null)
    p=${p%% *}
    [ -n "$p" ] && echo "$p"
}

# The wire: a bridge in a network namespace of its own.
switch_start() {
    [ -z "$SWITCH_PID" ] || return 0
    ns_start switch bash -c 'ip link add sw0 type bridge && ip link set sw0 up && touch "$1" &&
        exec sleep 86400' switch "$T/switch-ready"
    SWITCH_PID=$STARTED
    expect_within 20 test -e "$T/switch-ready" || bail "no bridge: $(cat "$LOG/node-switch.out")"
}

# nodes_make NAME...: nodes with addresses 10.77.0.1 and on, in this order.
# PLUGINS=DIR: their plugin directory (default: all of the build's, or with
# ALLOT_BUILD=installed the machine's own).
nodes_make() {
    local name n plugins=$T/plugins
    switch_start
    [ "$BUILD" != installed ] || plugins=
    for name; do
        NODES+=("$name")
        NODE_IP[$name]=10.77.0.${#NODES[@]}
        NODE_PLUGINS[$name]=${PLUGINS:-$plugins}
    done
    [ -d "$T/plugins" ] || plugins_make "$T/plugins"
    {
        echo "127.0.0.1 localhost"
        for name in "${NODES[@]}"; do
            echo "${NODE_IP[$name]} $name"
        done
    } >"$T/hosts"
    for n; do
        node_boot "$n"
    done
}

# node_boot NAME: power on; also after node_kill. Its files are those of before.
node_boot() {
    local name=$1 root=$T/$1 wire="al-${#NODES[@]}-$RANDOM"
    mkdir -p "$root/lib" "$LOG/$name"
    ln -sfn "$LOG/$name" "$root/log"
    rm -f "$root/ready"
    ns_start "$name" bash -c "$(node_init)" init "$name" "$root" "${NODE_PLUGINS[$name]}" \
        "$GLUSTER_DIR" "$T/hosts" "$T" "$TOP" "$BUILD"
    NODE_PID[$name]=$STARTED
    expect_within 20 test -e "$root/ready" || bail "node $name: $(cat "$LOG/node-$name.out")"
    # Both ends are made inside namespaces: the machine's own network never
    # sees them.
    must nsenter -t "$SWITCH_PID" -n ip link add "$wire" type veth peer name eth0 netns "$STARTED"
    must nsenter -t "$SWITCH_PID" -n ip link set "$wire" master sw0 up
    must nsenter -t "$STARTED" -n ip addr add "${NODE_IP[$name]}/24" dev eth0
    must nsenter -t "$STARTED" -n ip link set eth0 up
}

# on NAME COMMAND...: in the node.
on() {
    local pid=${NODE_PID[$1]}
    shift
    nsenter -t "$pid" -n -m -p -u "$@"
}

# in_node NAME PATH: the path of a node's file as seen from outside.
in_node() {
    echo "/proc/${NODE_PID[$1]}/root$2"
}

# node_kill NAME: power off.
node_kill() {
    end_process "${NODE_PID[$1]}" "$(proc_start "${NODE_PID[$1]}")"
}

# node_cut NAME, node_join NAME: the node's cable.
node_cut() {
    on "$1" ip link set eth0 down
}

node_join() {
    on "$1" ip link set eth0 up
}

# ---- glusterd ---------------------------------------------------------------

# glusterd_start NAME: and wait until it answers the gluster command.
glusterd_start() {
    on "$1" glusterd -p /run/glusterd.pid -l /var/log/glusterfs/glusterd.log -L INFO ||
        bail "glusterd does not start on $1: $(tail -20 "$LOG/$1/glusterd.log")"
    expect_within 60 on "$1" gluster pool list ||
        bail "glusterd does not answer on $1: $(tail -20 "$LOG/$1/glusterd.log")"
}

# glusterd_kill NAME [SIGNAL]: only glusterd, its bricks stay.
glusterd_kill() {
    local pid
    pid=$(on "$1" cat /run/glusterd.pid)
    on "$1" kill "-${2:-KILL}" "$pid"
    expect_within 20 node_process_gone "$1" "$pid"
}

node_process_gone() { # node_process_gone NAME PID
    ! on "$1" test -e "/proc/$2" || on "$1" grep -q '^State:	Z' "/proc/$2/status"
}

# gluster NAME ARG...: the gluster command, which must not ask.
gluster() {
    local name=$1
    shift
    on "$name" gluster --mode=script "$@"
}

must_gluster() {
    must gluster "$@"
}

# brick_of NAME VOLUME I: the pid, inside the node, of the process of brick I of
# the bricks that the node has; nothing if it does not run.
brick_of() {
    on "$1" bash -c 'cat /run/gluster/vols/"$1"/*.pid 2>/dev/null | sed -n "$2p"' _ "$2" $(($3 + 1))
}

# bricks_online NAME VOLUME N: N bricks of the volume are online.
bricks_online() {
    [ "$(gluster "$1" volume status "$2" --xml | grep -A12 '<node>' |
        grep -c '<status>1</status>')" -ge "$3" ]
}

# client_mount NAME SERVER:/VOLUME DIR [OPTION...]: with the stock mount helper.
client_mount() {
    local name=$1 what=$2 dir=$3
    shift 3
    on "$name" mkdir -p "$dir"
    on "$name" timeout 90 mount -t glusterfs "$@" "$what" "$dir" || return 1
    expect_within 30 on "$name" timeout 20 stat -t "$dir"
}

# mount_log NAME DIR: the log of such a mount, as seen from outside.
mount_log() {
    echo "$LOG/$1/$(echo "${2#/}" | tr / -).log"
}

# volfile NAME VOLUME FILE: a volfile of the node, as seen from outside.
volfile() {
    echo "$T/$1/lib/vols/$2/$3"
}

# vol1_mount: volume vol1 of three bricks of node n1 with allot, mounted on node c1 as
# $M.
vol1_mount() {
    must_gluster n1 volume create vol1 "n1:$T/b0/brick" "n1:$T/b1/brick" "n1:$T/b2/brick"
    must_gluster n1 volume set vol1 user.xlator.allot locks
    must_gluster n1 volume start vol1
    client_mount c1 n1:/vol1 /mnt/v || bail "no mount"
    M=$(in_node c1 /mnt/v)
}

# ---- a page of docs, word for word --------------------------------------------

# page_nodes SIZE: the machines that the pages name, and their disks.
page_nodes() {
    bricks_make 2 "$1"
    nodes_make server1 server2 client
    must on server1 mount --bind "$T/b0" /data
    must on server2 mount --bind "$T/b1" /data
    glusterd_start server1
    glusterd_start server2
}

# page_run PAGE LEAST [DIR]: each block that stands under a machine's name is run
# on a machine of that name, in order; of N blocks there are at least so many. DIR:
# of programs that come before others. What block I says is in $T/err-I.
page_run() {
    local i name
    awk -v dir="$T" '
        inside && /^```$/ { inside = 0; next }
        inside { print > file }
        /^```sh [a-z0-9]+$/ { n++; file = dir "/block-" n; inside = 1; print "#", $2 > file }' "$1"
    N=$(find "$T" -maxdepth 1 -name 'block-*' | wc -l)
    ok "the page has commands" test "$N" -ge "$2"
    for ((i = 1; i <= N; i++)); do
        read -r _ name <"$T/block-$i"
        ok "block $i on $name: $(sed -n 2p "$T/block-$i")" on "$name" env PATH="${3:+$3:}$BUILD:$PATH" \
            timeout 120 bash -c "cd '$TOP' && bash -eux '$T/block-$i' 2>'$T/err-$i'" ||
            {
                note "$(tail -20 "$T/err-$i")"
                break
            }
    done
}

# ---- a writer, all the time -------------------------------------------------

# writer_start BYTES SPREAD: files of BYTES to BYTES + 32767 * SPREAD bytes into
# $M/w in the background, one after the other, until $T/stop-writing is there. The
# name of each that was closed without an error is its checksum, and is in
# $T/written. Its pid is $WRITER.
writer_start() {
    mkdir "$M/w"
    : >"$T/written"
    writer "$@" &
    WRITER=$!
    undo process $WRITER "$(proc_start $WRITER)"
}
writer() {
    local i=0 f
    while [ ! -e "$T/stop-writing" ]; do
        i=$((i + 1))
        head -c $(($1 + RANDOM * $2)) /dev/urandom >"$T/piece"
        f=$(sum "$T/piece")
        bounded 120 cp "$T/piece" "$M/w/$f.$i" 2>>"$T/writer.errors" && echo "w/$f.$i" >>"$T/written"
    done
}
more_written() { # more_written N: at least N more files than $WRITTEN
    [ "$(wc -l <"$T/written")" -ge $((WRITTEN + $1)) ]
}
