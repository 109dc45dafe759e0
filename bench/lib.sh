# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# What the works of ./dev bench have in common: bricks, one volume at a time on
# them, links with a limit, and the record of runs. Bricks, processes, mounts and
# their cleanup are those of the volume tests.
# shellcheck source=../tests/volume/lib.sh
. "$BENCH/../tests/volume/lib.sh"
# shellcheck disable=SC2153 # QUICK, ROUNDS: bench/run sets them

HERE=(distribute) # what the variants of a work are compared with, and allot
WB=1MB            # write-behind's window
LINKS=0           # bricks stand behind links of their own
RATE=200          # Mbit/s each
LINK_MTU=1500     # bytes of a packet
OPTIONS=()        # more of volfiles/fill
M_OPTIONS=()      # of the mount
: >"$T/runs"

# What a work prints is its figures.
bail() {
    echo "bench: $*" >&2
    exit 1
}

# size FULL QUICK: a number that depends on the kind of run.
size() {
    [ -n "$QUICK" ] && echo "$2" || echo "$1"
}

# bricks N MIB: anew.
bricks() {
    local i
    for ((i = 0; i < NBRICKS; i++)); do
        umount "${BRICK[i]}" 2>/dev/null
        rm -f "$T/b$i.img"
    done
    BRICK=()
    bricks_make "$1" "$2M"
    ROOTS=("${BRICK[@]}")
}

# Above dht and below write-behind, where glusterd puts it.
add_shard() { # add_shard BLOCK
    awk -v block="$1" '
        $1 == "volume" && $2 == "write-behind" {
            print "volume shard\n    type features/shard"
            print "    option shard-block-size " block
            print "    subvolumes dht\nend-volume\n"
            in_it = 1
        }
        in_it && $1 == "subvolumes" { sub(/dht/, "shard"); in_it = 0 }
        { print }' "$T/vol/client.vol" >"$T/vol/sharded.vol"
    mv "$T/vol/sharded.vol" "$T/vol/client.vol"
}

# variant_dirs VARIANT: empty bricks of its own.
variant_dirs() {
    local i
    for ((i = 0; i < NBRICKS; i++)); do
        BRICK[i]=${ROOTS[i]}/$1
        rm -rf "${BRICK[i]}"
        mkdir -p "${BRICK[i]}/.glusterfs"
    done
}

# volume_up VARIANT: distribute, shard4, shard64 or allot, on empty bricks,
# mounted at $M. volume_down ends it.
volume_up() {
    local i template=net-4-distribute args=(--option "write-behind:cache-size=$WB" "${OPTIONS[@]}")
    [ "$1" != allot ] || template=net-4-plain
    variant_dirs "$1"
    for ((i = 0; i < NBRICKS && LINKS; i++)); do
        args+=(--host "$(link_address "$i")")
    done
    volume_make "$template" "${args[@]}"
    case $1 in
    shard4) add_shard 4MB ;;
    shard64) add_shard 64MB ;;
    esac
    if [ "$LINKS" = 0 ]; then
        volume_start
    else
        for ((i = 0; i < NBRICKS; i++)); do
            link_brick_start "$i" || bail "brick $i does not start"
        done
    fi
    must_mount m "${M_OPTIONS[@]}"
    case $1 in
    shard*) shard_directory "${1#shard}" ;;
    esac
}

# Shard makes /.shard with its first block. Two blocks that are the first at once
# race for it, and one of the writes ends in EIO.
shard_directory() { # shard_directory BLOCK_MIB
    must dd if=/dev/zero of="$M/first" bs=1 count=1 seek="${1}M" conv=fsync status=none
    must rm "$M/first"
}

remount() {
    umount_volume m || bail "cannot unmount"
    echo 3 >/proc/sys/vm/drop_caches
    must_mount m "${M_OPTIONS[@]}"
}

volume_down() {
    local i
    umount_volume m || bail "cannot unmount"
    for ((i = 0; i < NBRICKS; i++)); do
        brick_kill "$i" TERM
        rm -rf "${BRICK[i]}"
    done
}

# rate AMOUNT CMD...: AMOUNT per second that the command takes.
rate() {
    local amount=$1 from to
    shift
    from=$(date +%s%N)
    must bounded 900 "$@"
    to=$(date +%s%N)
    awk -v n="$amount" -v ns=$((to - from)) 'BEGIN { printf "%.2f\n", n * 1e9 / ns }'
}

# timed NAME AMOUNT CMD...: the line "NAME_MiB_s", and what the whole machine did
# meanwhile, by the kernel's ticks: milliseconds of its processors in programs, in
# the kernel and in its interrupts for each MiB, and which share of them was idle.
timed() {
    local name=$1 mib=$2 before
    shift 2
    before=$(head -1 /proc/stat)
    echo "${name}_MiB_s $(rate "$mib" "$@")"
    printf '%s\n' "$before" "$(head -1 /proc/stat)" |
        awk -v name="$name" -v mib="$mib" -v hz="$(getconf CLK_TCK)" '
            { for (i = 2; i <= 9; i++) d[i] = $i > d[i] ? $i - d[i] : 0 } # iowait may go back
            END {
                for (i = 2; i <= 9; i++) all += d[i]
                ms = 1000 / hz / mib
                printf "%s_idle_share %.3f plain\n", name, (d[5] + d[6]) / (all ? all : 1)
                printf "%s_user_ms_per_MiB %.3f plain\n", name, (d[2] + d[3]) * ms
                printf "%s_kernel_ms_per_MiB %.3f plain\n", name, d[4] * ms
                printf "%s_interrupt_ms_per_MiB %.3f plain\n", name, (d[7] + d[8]) * ms
            }'
}

# ---- links ------------------------------------------------------------------
# Each brick in a network namespace of its own behind a veth pair with a token
# bucket on both ends. GSO off: a bucket must see packets, not 64 KiB at a time.

# Addresses are this run's own, after a number that no other run has (port_pick):
# 10.A.B.0/24 is cut in pieces of four.
LINK_NET=

link_ns() { echo "allot-$$-$1"; }
link_address() { echo "$LINK_NET.$((4 * $1 + 2))"; } # the brick's end
link_gateway() { echo "$LINK_NET.$((4 * $1 + 1))"; } # the clients' end

links_up() {
    local i
    if [ -z "$LINK_NET" ]; then
        port_pick
        LINK_NET=10.$((PICKED / 256)).$((PICKED % 256))
    fi
    for ((i = 0; i < NBRICKS; i++)); do
        must ip netns add "$(link_ns "$i")"
        LINKS=$((i + 1)) # for cleanup, should one of the rest fail
        must ip link add "al$$-$i" type veth peer name eth0 netns "$(link_ns "$i")"
        must ip address add "$(link_gateway "$i")/30" dev "al$$-$i"
        must ip -n "$(link_ns "$i")" address add "$(link_address "$i")/30" dev eth0
        must ip link set dev "al$$-$i" up mtu "$LINK_MTU" gso_max_segs 1
        must ip -n "$(link_ns "$i")" link set dev eth0 up mtu "$LINK_MTU" gso_max_segs 1
        must ip -n "$(link_ns "$i")" link set dev lo up
        # Every kernel has it and lets everybody take it. With bbr, which this one may
        # have for its default, a timer lets each segment go: that measures the cores.
        must nsenter --net="/run/netns/$(link_ns "$i")" sysctl -qw net.ipv4.tcp_congestion_control=reno
        must ip route replace "$LINK_NET.$((4 * i))/30" dev "al$$-$i" src "$(link_gateway "$i")" congctl reno
        must tc qdisc add dev "al$$-$i" root tbf rate "${RATE}mbit" burst 64kb latency 100ms
        must tc -n "$(link_ns "$i")" qdisc add dev eth0 root tbf rate "${RATE}mbit" burst 64kb latency 100ms
    done
}

# A namespace goes with its processes and takes its end of the pair along.
links_down() {
    local i
    for ((i = 0; i < LINKS; i++)); do
        ip netns del "$(link_ns "$i")" 2>/dev/null
        ip link del "al$$-$i" 2>/dev/null
    done
    LINKS=0
}
trap 'cleanup; links_down' EXIT

link_brick_start() {
    local pid
    sed -i 's/\(auth.addr.brick.allow\).*/\1 */' "$T/vol/brick-$1.vol"
    rm -f "$T/b$1.pid"
    # Not "ip netns exec": it has a mount namespace made, whose copies keep alive what
    # other tests unmount, as long as the brick runs.
    nsenter --net="/run/netns/$(link_ns "$1")" glusterfsd --volfile="$T/vol/brick-$1.vol" \
        -p "$T/b$1.pid" -l "$LOG/brick-$1.log" || return 1
    expect_within 20 test -s "$T/b$1.pid" || return 1
    pid=$(cat "$T/b$1.pid")
    undo process "$pid" "$(proc_start "$pid")"
    echo "$pid $(proc_start "$pid")" >"$T/b$1.process"
    expect_within 20 answers "$(link_address "$1")" "${PORT[$1]}"
}

answers() { # answers ADDRESS PORT
    (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null
}

# ---- rounds -----------------------------------------------------------------

# The variants that allot is compared with are HERE, set by setup_WORK; "links" is
# the sum of the links. The ratio to reach stands in marks.tsv. "METRIC VALUE plain"
# is a figure to know, without a ratio: less of it may be better, it may be 0.
work_rounds() { # work_rounds WORK
    local round variant metric value plain
    HERE=(distribute)
    WB=1MB
    OPTIONS=()
    ! declare -F "setup_$1" >/dev/null || "setup_$1"
    for ((round = 1; round <= ROUNDS; round++)); do
        for variant in "${HERE[@]}" allot; do
            # Not in a subshell: it starts processes that are ended later.
            "work_$1" "$variant" >"$T/out" || bail "$1 failed with $variant"
            while read -r metric value plain; do
                [[ $value =~ ^[0-9.]+(e[-+][0-9]+)?$ ]] || bail "$1 with $variant: $metric $value"
                printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$round" "$variant" "$metric" "$value" "$plain" >>"$T/runs"
                echo "# $1, round $round: $variant: $metric $value" >&2
            done <"$T/out"
        done
    done
    ! declare -F "teardown_$1" >/dev/null || "teardown_$1"
}

document() {
    jq -Rn --arg date "$(date -u +%FT%TZ)" --arg quick "$QUICK" \
        --arg cpu "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)" \
        --arg cores "$(nproc)" --arg kernel "$(uname -r)" \
        --arg gluster "$(glusterfs --version | sed -n '1s/glusterfs \([^ ]*\).*/\1/p')" \
        --arg memory "$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)" \
        --rawfile marks "$BENCH/marks.tsv" '
        def median: sort | (.[(length - 1) / 2 | floor] + .[length / 2 | floor]) / 2;
        ($marks | split("\n") | map(select(test("^[a-z]")) | split("\t"))) as $marks |
        [inputs | split("\t") | {work: .[0], round: (.[1] | tonumber), variant: .[2],
            metric: .[3], value: (.[4] | tonumber), plain: (.[5] == "plain")}] as $runs |
        {version: 1, date: $date, quick: ($quick != ""),
         machine: {cpu: $cpu, cores: ($cores | tonumber), memory_mib: ($memory | tonumber),
            kernel: $kernel, glusterfs: $gluster},
         runs: $runs,
         figures: [$runs | map(select(.plain)) | group_by([.work, .metric, .variant])[] |
            {work: .[0].work, metric: .[0].metric, variant: .[0].variant,
             min: (map(.value) | min), median: (map(.value) | median),
             max: (map(.value) | max)}],
         table: [$runs | map(select(.plain | not)) | group_by([.work, .metric])[] |
            (map(select(.variant == "allot"))) as $allot |
            group_by(.variant)[] | select(.[0].variant != "allot" or ($allot | length) == 0) |
            . as $other |
            [$other[] as $o | $allot[] | select(.round == $o.round) | .value / $o.value] as $ratios |
            select($ratios | length > 0) |
            {work: .[0].work, metric: .[0].metric, against: .[0].variant,
             allot: ($allot | map(.value) | median), other: ($other | map(.value) | median),
             min: ($ratios | min), median: ($ratios | median), max: ($ratios | max),
             rounds: ($ratios | length)} |
            . as $line |
            .mark = ([$marks[] | select(.[0] == $line.work and .[1] == $line.metric and
                .[2] == $line.against) | .[3] | tonumber] | .[0])]}' "$T/runs"
}
