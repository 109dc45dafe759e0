# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Works of ./dev bench with peers outside of GlusterFS, of Debian's packages, on the
# same bricks behind the same links. The packages are not installed: what is in them
# is unpacked below build/peers (BENCH_PEERS) and run from there, so that no daemon is started and
# no user made by them. Where they cannot be had, the rest of the work is done.
# shellcheck disable=SC2034 # HERE, WB, OPTIONS: read by work_rounds and volume_up

PEERS=${BENCH_PEERS:-$BUILD/peers}
PEER=             # the variant that runs
declare -A PEER_LIBS # of a peer: where its programs find their libraries
PEER_PROCESSES=() # "PID START" of what runs of it

MOOSEFS=(moosefs-master moosefs-chunkserver moosefs-client libmfsio1 libfuse3-3)

# peer_get NAME PROGRAMS PACKAGE...: NAME's programs are in PATH and find all their
# libraries; or 1, and why is in the log.
peer_get() {
    local name=$1 programs=$2 root=$PEERS/$1 program
    shift 2
    [ -d "$root" ] || peer_fetch "$root" "$@" >>"$LOG/peers.log" 2>&1 </dev/null || return 1
    PATH=$root/usr/bin:$root/usr/sbin:$PATH
    PEER=$name
    PEER_LIBS[$name]=$(find "$root" -name 'lib*.so*' -printf '%h\n' | sort -u | paste -sd:)
    for program in $programs; do
        program=$(command -v "$program") || return 1
        ! peer_run ldd "$program" | grep 'not found' >>"$LOG/peers.log" || return 1
    done
}

peer_fetch() { # peer_fetch DIR PACKAGE...
    # apt fetches as a user of its own where that may write; this is root's.
    local deb new=$1.new get=(apt-get -qq -o APT::Sandbox::User=root -o Acquire::Retries=3)
    if [ -n "${ALLOT_NO_DEPS:-}" ]; then
        echo "ALLOT_NO_DEPS is set"
        return 1
    fi
    rm -rf "$new"
    mkdir -p "$new/packages"
    (
        cd "$new/packages" || exit 1
        "${get[@]}" download "${@:2}" || { "${get[@]}" update && "${get[@]}" download "${@:2}"; }
    ) || return 1
    for deb in "$new/packages"/*.deb; do
        dpkg-deb -x "$deb" "$new" || return 1
    done
    rm -rf "$new/packages"
    mv "$new" "$1"
}

# peer_run CMD...: with the peer's libraries.
peer_run() { LD_LIBRARY_PATH=${PEER_LIBS[$PEER]} "$@"; }

# peer_start NAME CMD...: a process that stays, until peer_end.
peer_start() {
    local name=$1
    shift
    LD_LIBRARY_PATH=${PEER_LIBS[$PEER]} "$@" >>"$LOG/$name.log" 2>&1 </dev/null &
    disown
    PEER_PROCESSES+=("$! $(proc_start $!)")
    undo process "${PEER_PROCESSES[-1]}"
}

# shellcheck source=peer-ceph.sh
. "$BENCH/peer-ceph.sh"

# ---- MooseFS ----------------------------------------------------------------
# A master, a chunkserver for each brick, goal 1. Left as it comes but for: zeros
# are stored as other bytes are; no space is left free on a disk; processes have no
# precedence over others; a write without space fails at once.

moosefs_up() {
    local i dir=$T/moosefs
    variant_dirs moosefs
    rm -rf "$dir"
    mkdir -p "$dir/master"
    for i in 0 1 2; do
        [ -n "${MOOSEFS_PORT[i]:-}" ] && continue
        port_pick
        MOOSEFS_PORT[i]=$PICKED
    done
    printf 'MFSM NEW' >"$dir/master/metadata.mfs"
    echo '* / rw,alldirs,maproot=0' >"$dir/exports"
    : >"$dir/topology"
    moosefs_settings master "EXPORTS_FILENAME = $dir/exports" "TOPOLOGY_FILENAME = $dir/topology" \
        "MATOML_LISTEN_PORT = ${MOOSEFS_PORT[0]}" "MATOCS_LISTEN_PORT = ${MOOSEFS_PORT[1]}" \
        "MATOCL_LISTEN_PORT = ${MOOSEFS_PORT[2]}"
    peer_start moosefs-master mfsmaster -f -c "$dir/master.cfg" start
    must expect_within 30 listens "${MOOSEFS_PORT[1]}"
    for ((i = 0; i < NBRICKS; i++)); do
        mkdir -p "$dir/chunk$i"
        echo "${BRICK[i]}" >"$dir/chunk$i.disks"
        moosefs_settings "chunk$i" "HDD_CONF_FILENAME = $dir/chunk$i.disks" \
            "HDD_LEAVE_SPACE_DEFAULT = 0" "HDD_SPARSIFY_ON_WRITE = 0" \
            "MASTER_HOST = $(link_gateway "$i")" "MASTER_PORT = ${MOOSEFS_PORT[1]}"
        peer_start "moosefs-chunk$i" nsenter --net="/run/netns/$(link_ns "$i")" \
            mfschunkserver -f -c "$dir/chunk$i.cfg" start
    done
    moosefs_mount
    expect_within 90 moosefs_whole || bail "not all chunkservers came: $(tail -20 "$LOG"/moosefs-*.log)"
    must peer_run mfssetgoal -r 1 "$M"
}
MOOSEFS_PORT=()

moosefs_settings() { # moosefs_settings NAME LINE...
    local name=$1
    shift
    printf '%s\n' "DATA_PATH = $T/moosefs/$name" "WORKING_USER = root" "WORKING_GROUP = root" \
        "NICE_LEVEL = 0" "SYSLOG_IDENT = $name" "$@" >"$T/moosefs/$name.cfg"
}

moosefs_mount() {
    local process
    M=$T/mnt-m
    mkdir -p "$M"
    undo mount "$M"
    peer_start moosefs-mount mfsmount "$M" -f -H 127.0.0.1 -P "${MOOSEFS_PORT[2]}" \
        -o mfsnice=0,mfserroronnospace
    echo "${PEER_PROCESSES[-1]}" >"$T/mnt-m.process"
    must expect_within 60 mount_answers "$M"
}

# All disks are in the sum that the mount shows.
moosefs_whole() {
    [ "$(stat -f -c '%b %S' "$M" | awk '{ printf "%.0f", $1 * $2 / 1048576 }')" -ge \
        "$(stat -f -c '%b %S' "${BRICK[@]}" | awk '{ n += $1 * $2 } END { printf "%.0f", n * 0.99 / 1048576 }')" ]
}

# ---- any of them ------------------------------------------------------------

# peer_here NAME: if it can be had it is among what allot is compared with.
peer_here() {
    case $1 in
    moosefs) set -- "$1" "mfsmaster mfschunkserver mfsmount mfssetgoal" "${MOOSEFS[@]}" ;;
    ceph) set -- "$1" "ceph-mon ceph-osd ceph-mds ceph-fuse" "${CEPH[@]}" ;;
    esac
    if peer_get "$@"; then
        HERE+=("$1")
    else
        echo "bench: no $1, the rest goes on: its packages cannot be had ($(tail -1 "$LOG/peers.log"))" >&2
    fi
}

peer_up() { # peer_up VARIANT: also those of GlusterFS
    PEER=$1
    case $1 in
    moosefs | ceph) "$1_up" ;;
    *) volume_up "$1" ;;
    esac
}

peer_remount() { # nothing is cached
    bricks_written
    case $PEER in
    moosefs | ceph)
        umount_volume m || bail "cannot unmount"
        echo 3 >/proc/sys/vm/drop_caches
        "${PEER}_mount"
        ;;
    *) remount ;;
    esac
}

peer_down() {
    local i process
    case $PEER in
    moosefs | ceph)
        # Full, a client goes on trying to write what it still has.
        mount_kill m
        for process in "${PEER_PROCESSES[@]}"; do
            # shellcheck disable=SC2086 # pid and start
            end_process $process
        done
        PEER_PROCESSES=()
        for ((i = 0; i < NBRICKS; i++)); do
            rm -rf "${BRICK[i]}"
        done
        ;;
    *) volume_down ;;
    esac
}

bricks_written() {
    local i
    for ((i = 0; i < NBRICKS; i++)); do
        sync -f "${BRICK[i]}"
    done
}

# What lies on the bricks: the mean to the fullest, 1 where it is even.
peer_evenness() {
    local i
    bricks_written
    for ((i = 0; i < NBRICKS; i++)); do
        brick_used "$i"
    done | awk '{ sum += $1; if ($1 > max) max = $1 } END { printf "mean_to_fullest %.4f\n", sum / NR / max }'
}

# ---- the works --------------------------------------------------------------

setup_peers() {
    links_setup 6
    HERE+=(distribute)
    WB=16MB
    peer_here moosefs
    peer_here ceph
}
work_peers() {
    local i mib
    case $1 in
    links | tcp)
        links_run "$1"
        return
        ;;
    esac
    mib=$((NBRICKS * $(size 84 8)))
    peer_up "$1"
    timed write "$mib" dd if=/dev/zero of="$M/f" bs=1M count="$mib" conv=fsync status=none
    peer_remount
    timed read "$mib" dd if="$M/f" of=/dev/null bs=1M status=none
    peer_down
    peer_up "$1"
    for ((i = 0; i < 10; i++)); do
        must bounded 300 dd if=/dev/zero of="$M/$i" bs=1M count="$(size 100 8)" conv=fsync status=none
    done
    peer_evenness
    peer_down
}
teardown_peers() { links_down; }

# Files of 100 MiB until one does not fit: bytes in files for those that were free
# on the empty bricks. Nobody keeps a reserve; then storage/posix's health check must
# not run either. The links are there for MooseFS, which refuses 127.0.0.1.
setup_peers_capacity() {
    RATE=2000 links_setup 4
    HERE=(distribute)
    OPTIONS=(--option posix:reserve=0 --option posix:health-check-interval=0)
    peer_here moosefs
    # Small bricks are full before its monitor knows, and its OSDs die of that.
    [ -n "$QUICK" ] || peer_here ceph
}
work_peers_capacity() {
    local n mib free
    mib=$(size 100 32)
    free=$(stat -f -c '%a %S' "${ROOTS[@]}" | awk '{ n += $1 * $2 } END { printf "%.0f", n }')
    peer_up "$1"
    for ((n = 0; n < 1000; n++)); do
        bounded 120 dd if=/dev/zero of="$M/$n" bs=1M count="$mib" conv=fsync status=none 2>"$T/full" || break
    done
    # What ends in another way has no figure.
    if grep -q 'No space left on device' "$T/full"; then
        find "$M" -type f -printf '%s %b\n' |
            awk -v free="$free" '{ b = $2 * 512; n += b < $1 ? b : $1 } END { printf "usable_share %.4f\n", n / free }'
    else
        echo "bench: $1 ends without ENOSPC at file $n: $(cat "$T/full")" >&2
    fi
    peer_down
}
teardown_peers_capacity() { links_down; }
