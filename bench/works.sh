# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Works of ./dev bench on four loopback bricks without a limit.
# shellcheck disable=SC2034 # HERE, WB: read by work_rounds and volume_up

four_bricks() {
    [ "$LINKS" = 0 ] || links_down
    bricks 4 "$(size 4096 1024)"
}

files() { # files PHASES COUNT BYTES: bench/files.c on $M/d, "METRIC VALUE" lines
    bounded 900 "$BUILD/bench/files" "$M/d" "$@" || bail "files $* failed"
}

# ---- one stream -------------------------------------------------------------

setup_stream() { four_bricks; }
work_stream() {
    local mib
    mib=$(size 1024 32)
    volume_up "$1"
    timed write "$mib" dd if=/dev/zero of="$M/f" bs=1M count="$mib" conv=fsync status=none
    remount
    timed read "$mib" dd if="$M/f" of=/dev/null bs=1M status=none
    volume_down
}

# ---- random access ----------------------------------------------------------
# O_DIRECT, so that the kernel's cache answers nothing.
# A file on one brick keeps one process and its part of the processors' caches warm,
# and all bricks are on this machine. So distribute is measured with files4, too: a
# quarter of the bytes on each brick, in a file of its own.

setup_random() {
    four_bricks
    HERE=(distribute files4 shard64)
}
work_random() {
    local mib bs depth kind files
    mib=$(size 1024 32)
    volume_up "$1"
    if [ "$1" = files4 ]; then
        files_on_each 4
    else
        files=("$M/f")
    fi
    for kind in "${files[@]}"; do
        must dd if=/dev/zero of="$kind" bs=1M count=$((mib / ${#files[@]})) conv=fsync status=none
    done
    remount
    for bs in 4k 64k; do
        for depth in 1 16; do
            for kind in randread randwrite; do
                echo "${kind}_${bs}_$depth $(must_fio "$kind" "$bs" "$depth" "${files[@]}")"
            done
        done
    done
    volume_down
}

# files_on_each N: the caller's array files, one new file on each of N bricks.
files_on_each() {
    local n i
    files=()
    for ((n = 0; ${#files[@]} < $1; n++)); do
        must touch "$M/f$n"
        for ((i = 0; i < $1; i++)); do
            # Not where it is a link to the brick that has the file.
            if [ -f "${BRICK[i]}/f$n" ] && [ ! -k "${BRICK[i]}/f$n" ]; then
                files[i]=$M/f$n
            fi
        done
    done
}

must_fio() { # must_fio KIND BS DEPTH FILE...: calls per second
    local names
    names=$(IFS=: && echo "${*:4}")
    bounded 120 fio --name=x --filename="$names" --file_service_type=random --rw="$1" --bs="$2" --iodepth="$3" \
        --ioengine=libaio --direct=1 --time_based --runtime="$(size 5 1)" --output-format=json 2>/dev/null |
        jq -e '.jobs[0] | .read.iops + .write.iops'
}

# ---- many files -------------------------------------------------------------

setup_small() { four_bricks; }
work_small() {
    volume_up "$1"
    files create "$(size 10000 200)" 4096
    remount
    files stat "$(size 10000 200)" 4096
    remount
    files read,rename,unlink "$(size 10000 200)" 4096
    volume_down
}

setup_medium() {
    four_bricks
    HERE=(distribute shard4)
}
work_medium() {
    volume_up "$1"
    files create "$(size 10000 200)" 102400
    volume_down
}

# Spread files whose size is settled, nothing cached: no call more than
# distribute's.
setup_list() { four_bricks; }
work_list() {
    local n
    n=$(size 10000 200)
    volume_up "$1"
    files create "$n" 102400 >/dev/null
    remount
    files stat "$n" 102400
    remount
    echo "ls_per_s $(rate "$n" ls -l "$M/d")"
    volume_down
}

# A byte in each 4 MiB: shard4 then has all its shards. Shard goes on deleting
# after its answer; "freed" is when nothing of the files is left on the bricks.
setup_unlink() {
    four_bricks
    HERE=(distribute shard4)
}
work_unlink() {
    local n from
    n=$(size 1000 20)
    volume_up "$1"
    files sparse "$n" 67108864 >/dev/null
    from=$(date +%s%N)
    files unlink "$n" 67108864
    expect_within 900 nothing_left || bail "files are left after 900 s"
    awk -v n="$n" -v ns=$(($(date +%s%N) - from)) 'BEGIN { printf "freed_per_s %.2f\n", n * 1e9 / ns }'
    volume_down
}

nothing_left() {
    local b dirs=()
    for b in "${BRICK[@]}"; do
        dirs+=("$b/d" "$b/.shard" "$b/.allot")
    done
    [ -z "$(find "${dirs[@]}" -type f -size +0 -print -quit 2>/dev/null)" ]
}

# ---- costs ------------------------------------------------------------------
# As everywhere more is better: MiB for a second of processor time (mount and
# bricks), MiB for a call to a brick, open spread files for a MiB of the client's
# memory (distribute: the same files, which are plain there). But the memory that
# one stream read cold takes in the client at its peak is just that.

brick_calls() {
    fop_counts "$(mount_pid m)" | awk '$1 ~ /^c[0-9]+$/ { n += $3 } END { print n }'
}

rss_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$(mount_pid m)/status"; }

# cost NAME MIB CMD...: on a mount that has done nothing else yet.
cost() {
    local name=$1 mib=$2 ms calls
    shift 2
    ms=$(processor_ms) calls=$(brick_calls)
    must bounded 900 "$@"
    awk -v name="$name" -v mib="$mib" -v ms=$(($(processor_ms) - ms)) -v calls=$(($(brick_calls) - calls)) \
        'BEGIN { printf "%s_MiB_per_cpu_s %.2f\n%s_MiB_per_call %.4f\n", name, mib * 1000 / (ms ? ms : 1), name, mib / calls }'
}

# streaming CMD...: on a fresh mount; how far the client's memory rises meanwhile.
streaming() {
    local pid before
    pid=$(mount_pid m)
    stat -t "$M/f" >/dev/null
    before=$(rss_kib)
    # "5" sets the peak to what is there now.
    echo 5 >"/proc/$pid/clear_refs" || bail "cannot reset the peak"
    must bounded 900 "$@"
    awk -v before="$before" '/^VmHWM/ { printf "read_client_memory_MiB %.2f plain\n", ($2 > before ? $2 - before : 0) / 1024 }' \
        "/proc/$pid/status"
}

holding() { [ -s "$T/hold" ]; }

setup_costs() { four_bricks; }
work_costs() {
    local mib n before
    mib=$(size 1024 32) n=$(size 1000 50)
    volume_up "$1"
    cost write "$mib" dd if=/dev/zero of="$M/f" bs=1M count="$mib" conv=fsync status=none
    remount
    cost read "$mib" dd if="$M/f" of=/dev/null bs=1M status=none
    remount
    streaming dd if="$M/f" of=/dev/null bs=1M status=none
    files create "$n" 102400 >/dev/null
    remount
    stat -t "$M/d" >/dev/null
    before=$(rss_kib)
    rm -f "$T/hold" "$T/until"
    mkfifo "$T/until"
    files hold "$n" 102400 >"$T/hold" <"$T/until" &
    exec 8>"$T/until"
    expect_within 120 holding || bail "files are not opened"
    awk -v n="$n" -v kib=$(($(rss_kib) - before)) \
        'BEGIN { printf "open_files_per_MiB %.2f\n", n * 1024 / (kib > 0 ? kib : 1) }'
    exec 8>&-
    wait $!
    volume_down
}

# Calls to bricks for one call of the application over a lot of space: per member,
# not per block. Over N and over 10 N: the calls of that fop that came to the member
# with the most. MiB for a call of any kind, so that more is better.

# Nothing is written: these images stay nearly empty.
setup_space() {
    [ "$LINKS" = 0 ] || links_down
    bricks 4 "$(size 122880 12288)"
}
work_space() {
    local n
    volume_up "$1"
    n=$(size 10240 1024)
    spaces "$n" n
    spaces $((10 * n)) 10n
    volume_down
}

spaces() { # spaces MIB LABEL: a file of its own
    must truncate -s "$1M" "$M/f$2"
    space FALLOCATE "$1" "$2" fallocate -l "$1M" "$M/f$2"
    space ZEROFILL "$1" "$2" "$BUILD/bench/zerofill" "$T/vol/client.vol" "/f$2" "$1"
    space DISCARD "$1" "$2" fallocate -p -o 0 -l "$1M" "$M/f$2"
}

space() { # space FOP MIB LABEL CMD...
    local fop=$1 mib=$2 label=$3
    shift 3
    arrived >"$T/before"
    must bounded 900 "$@"
    arrived | awk -v fop="$fop" -v mib="$mib" -v label="$label" '
        NR == FNR { before[$1, $2] = $3; next }
        { n = $3 - before[$1, $2]; all += n }
        $2 == fop && n > most { most = n }
        END {
            if (label == "10n") printf "%s_MiB_per_call %.2f\n", tolower(fop), mib / all
            printf "%s_calls_per_member_%s %d plain\n", tolower(fop), label, most
        }' "$T/before" -
}

# "BRICK FOP CALLS" that came to the bricks' processes, from whichever client.
arrived() {
    local i
    for ((i = 0; i < NBRICKS; i++)); do
        fop_counts "$(brick_pid "$i")" | sed -n "s/^brick /$i /p"
    done
}

# Instructions of the translator itself for a call of 128 KiB, counted by callgrind
# in a volume of one process. Calls per million instructions, so that more is
# better: what a longer run has more than a shorter one.

setup_instructions() { four_bricks; }
work_instructions() {
    local n few=64 many=320 kind plugin=dht
    [ "$1" != allot ] || plugin=allot
    local_volume "$1"
    for kind in write read; do
        n=$(($(plugin_instructions $plugin $kind $many) - $(plugin_instructions $plugin $kind $few)))
        awk -v n="$n" -v calls=$((many - few)) -v kind=$kind \
            'BEGIN { printf "%s_128k_per_Minstr %.3f\n", kind, calls * 1e6 / n }'
    done
}

# local_volume VARIANT: bricks and client in the process that uses them.
local_volume() {
    local template=local-4-distribute
    [ "$1" != allot ] || template=local-4
    variant_dirs "$1"
    volume_make "$template"
}

plugin_instructions() { # plugin_instructions PLUGIN write|read COUNT
    local pid way
    # The mount's process forks; the one that stays is counted. Without the kernel's
    # cache a call of the program is one of the mount.
    MOUNT_WRAP=(valgrind --tool=callgrind --max-stackframe=100000 --log-file="$LOG/callgrind.%p"
        --callgrind-out-file="$T/callgrind.%p")
    must_mount m --direct-io-mode=enable
    pid=$(mount_pid m)
    MOUNT_WRAP=()
    way=(if=/dev/zero of="$M/f" conv=notrunc)
    [ "$2" = write ] || way=(if="$M/f" of=/dev/null)
    must bounded 300 dd "${way[@]}" bs=128k count="$3" status=none
    umount_volume m || bail "cannot unmount"
    must expect_within 60 test -s "$T/callgrind.$pid"
    callgrind_annotate --threshold=100 --show=Ir "$T/callgrind.$pid" |
        awk -v object="/cluster/.*$1[.]so]" '$0 ~ object { gsub(",", "", $1); n += $1 } END { print n + 0 }'
}

# Thousands of instructions of the client and of all bricks for each of the files of
# "small", in programs and libraries (callgrind). Less is better; the kernel's are not in
# it. The kernel keeps attributes and no names, whatever time it takes. What is asked for
# every few seconds is in it too, more often than on a volume that runs at full speed:
# up to 1 %.

setup_small_instructions() { four_bricks; }
work_small_instructions() {
    local n i
    n=$(size 400 20)
    counted_up "$1"
    must mkdir "$M/d"
    counted create "$n"
    counted_remount
    counted stat "$n"
    counted_remount
    counted read "$n"
    counted rename "$n"
    for ((i = 0; i < n; i++)); do
        echo "r$i f$i"
    done | (cd "$M/d" && xargs -n 2 mv) || bail "names are not changed back"
    counted unlink "$n"
    volume_down
    BRICK_WRAP=() MOUNT_WRAP=() M_OPTIONS=()
}

# Not as a daemon: vgdb reaches no process that has forked.
in_callgrind() {
    valgrind --tool=callgrind --max-stackframe=100000 --log-file="$LOG/callgrind.%p" \
        --callgrind-out-file="$T/callgrind.%p" "$@" --no-daemon >/dev/null 2>&1 &
}

counted_up() { # counted_up VARIANT
    BRICK_WRAP=(in_callgrind) MOUNT_WRAP=(in_callgrind)
    M_OPTIONS=(--entry-timeout=0 --attribute-timeout=600)
    volume_up "$1"
}

counted_remount() {
    remount
    stat -t "$M/d" >/dev/null
}

counted() { # counted PHASE COUNT
    local pids=() i
    for ((i = 0; i < NBRICKS; i++)); do
        pids+=("$(brick_pid "$i")")
    done
    pids+=("$(mount_pid m)")
    for i in "${pids[@]}"; do
        must bounded 60 vgdb --pid="$i" zero
    done
    files "$1" "$2" 4096 >/dev/null
    for i in "${pids[@]}"; do
        rm -f "$T/callgrind.$i".*
        must bounded 60 vgdb --pid="$i" dump
    done
    counted_of "${1}_client" "$2" "$(mount_pid m)"
    counted_of "${1}_bricks" "$2" "${pids[@]:0:NBRICKS}"
}

# Without storage/posix's janitor, which zeroes a stack of 2 MiB now and then; nobody else
# calls synctask_new().
counted_of() { # counted_of NAME COUNT PID...
    local name=$1 count=$2 i dumps=()
    shift 2
    for i in "$@"; do
        dumps+=("$T/callgrind.$i".*)
    done
    awk -v name="$name" -v count="$count" '
        FNR == 1 { id = "none" }
        called { n -= $2; called = 0 }
        /^c?fn=\([0-9]+\) synctask_new$/ { id = $1; sub(/^c?fn=/, "", id) }
        /^cfn=/ { callee = $1; sub(/^cfn=/, "", callee) }
        /^calls=/ { called = callee == id }
        $1 == "totals:" { n += $2 }
        END { printf "%s_kinstr %.1f plain\n", name, n / count / 1000 }' "${dumps[@]}"
}

# ---- in memory --------------------------------------------------------------
# Nanoseconds, so that the ratio is that of the marks: 100 ns a block.

setup_mapping() { HERE=(bound); }
work_mapping() {
    local n
    if [ "$1" = bound ]; then
        for n in 4 255 1000; do
            echo "blocks_per_us_$n 10"
        done
        return
    fi
    "$BUILD/bench/mapping" "$(size 10000000 100000)" |
        awk '/^ns_per_block_/ { sub(/ns_per_block/, "blocks_per_us"); print $1, 1000 / $2 }'
}
