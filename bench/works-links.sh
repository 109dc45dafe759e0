# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Works of ./dev bench with each brick behind a link of its own, so that the sum
# of the links is what there is to get.
# shellcheck disable=SC2034 # HERE, WB, OPTIONS: read by work_rounds and volume_up

links_setup() { # links_setup BRICKS
    links_down
    bricks "$1" "$(size 2048 512)"
    links_up
    HERE=(links tcp each)
}

# MiB/s that all links carry, headers included: no translator can reach 1.000.
links_sum() {
    awk -v n="$NBRICKS" -v r="$RATE" 'BEGIN { printf "%.2f", n * r * 1e6 / 8 / 1048576 }'
}

links_run() { # links_run VARIANT
    local mib
    if [ "$1" = links ]; then
        echo "write_MiB_s $(links_sum)"
        echo "read_MiB_s $(links_sum)"
        return
    fi
    mib=$((NBRICKS * $(size 84 8)))
    if [ "$1" = tcp ]; then
        tcp_run write "$mib"
        tcp_run read "$mib"
        return
    fi
    if [ "$1" = each ]; then
        each_run "$mib"
        return
    fi
    volume_up "$1"
    timed write "$mib" dd if=/dev/zero of="$M/f" bs=1M count="$mib" conv=fsync status=none
    remount
    timed read "$mib" dd if="$M/f" of=/dev/null bs=1M status=none
    volume_down
}

# Distribute with a file on each brick, a stream for each of them at once: what
# GlusterFS itself carries over the links on this machine. Allot's one stream cannot do
# more with the same calls. MIB is that of all files together.
each_run() { # each_run MIB
    local i=0 k name of=() all=0
    volume_up distribute
    while [ "$all" -lt "$NBRICKS" ]; do
        name=e$((i++))
        must touch "$M/$name"
        for ((k = 0; k < NBRICKS; k++)); do
            # Not one that only leads to another brick (mode 1000).
            [ -e "${BRICK[k]}/$name" ] && [ "$(stat -c %a "${BRICK[k]}/$name")" != 1000 ] && break
        done
        if [ $k -lt "$NBRICKS" ] && [ -z "${of[k]:-}" ]; then
            of[k]=$M/$name
            all=$((all + 1))
        fi
        [ $i -lt 1000 ] || bail "no file on each brick"
    done
    timed write "$1" bash -c "$WRITE_FILES" write $(($1 / NBRICKS)) "${of[@]}"
    remount
    timed read "$1" bash -c "$READ_FILES" read "${of[@]}"
    volume_down
}

# Plain streams of TCP, one over each link at once: what the machine carries over
# them without a file system. MIB is that of all links together.
TCP_PORT=7000
tcp_run() { # tcp_run write|read MIB
    local i process servers=() places=()
    for ((i = 0; i < NBRICKS; i++)); do
        nsenter --net="/run/netns/$(link_ns "$i")" "$BUILD/bench/tcp" serve "$(link_address "$i")" $TCP_PORT \
            >/dev/null 2>"$LOG/tcp-$i.log" </dev/null &
        disown
        servers+=("$! $(proc_start $!)")
        undo process "${servers[i]}"
        places+=("$(link_address "$i"):$TCP_PORT")
    done
    for ((i = 0; i < NBRICKS; i++)); do
        must expect_within 20 answers "$(link_address "$i")" $TCP_PORT
    done
    timed "$1" "$2" "$BUILD/bench/tcp" "$1" $(($2 / NBRICKS)) "${places[@]}"
    for process in "${servers[@]}"; do
        # shellcheck disable=SC2086 # pid and start
        end_process $process
    done
}

setup_links6_16m() {
    links_setup 6
    HERE=(links tcp each distribute shard4)
    WB=16MB
}
work_links6_16m() { links_run "$1"; }

# The same with frames of 9,000 bytes, as storage networks have them: a sixth of the
# packets, and of what the kernel does for each of them.
setup_links6_jumbo() {
    LINK_MTU=9000
    links_setup 6
    WB=16MB
}
work_links6_jumbo() { links_run "$1"; }
teardown_links6_jumbo() {
    links_down
    LINK_MTU=1500
}

setup_links6_1m() { links_setup 6; }
work_links6_1m() { links_run "$1"; }

# A window of 1 MB holds four blocks of 256 KiB (the default), so that at most four of
# six links are busy, but sixteen of 64 KiB.
setup_links6_1m_64k() {
    links_setup 6
    OPTIONS=(--block-size 64KB)
}
work_links6_1m_64k() { links_run "$1"; }

setup_links2() { links_setup 2 && WB=16MB; }
work_links2() { links_run "$1"; }
setup_links4() { links_setup 4 && WB=16MB; }
work_links4() { links_run "$1"; }
setup_links8() { links_setup 8 && WB=16MB; }
work_links8() { links_run "$1"; }
setup_links12() { links_setup 12 && WB=16MB; }
work_links12() { links_run "$1"; }

# A dd for each of the files, all at once; they fail if one does.
# shellcheck disable=SC2016 # bash -c expands it
WRITE_FILES='
    mib=$1; shift
    for f; do
        dd if=/dev/zero of="$f" bs=1M count="$mib" conv=fsync status=none & pids="$pids $!"
    done
    for p in $pids; do wait "$p" || exit 1; done'
# shellcheck disable=SC2016
READ_FILES='
    for f; do
        dd if="$f" of=/dev/null bs=1M status=none & pids="$pids $!"
    done
    for p in $pids; do wait "$p" || exit 1; done'

# One writer of a file each on four clients at once.
setup_clients4() {
    links_setup 6
    HERE=(links tcp)
    WB=16MB
}
work_clients4() {
    local i mib
    if [ "$1" = links ]; then
        echo "write_MiB_s $(links_sum)"
        return
    fi
    mib=$(size 128 8)
    if [ "$1" = tcp ]; then
        tcp_run write $((4 * mib / NBRICKS * NBRICKS))
        return
    fi
    volume_up "$1"
    for i in 1 2 3; do
        must_mount "c$i"
    done
    timed write $((4 * mib)) bash -c "$WRITE_FILES" write "$mib" "$T"/mnt-m/f1 "$T"/mnt-c1/f2 "$T"/mnt-c2/f3 "$T"/mnt-c3/f4
    for i in 1 2 3; do
        umount_volume "c$i" || bail "cannot unmount"
    done
    volume_down
}
teardown_clients4() { links_down; }
