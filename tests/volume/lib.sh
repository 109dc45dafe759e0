#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# What volume tests have in common: bricks on loop-mounted XFS, brick processes,
# FUSE mounts, TAP output, and a cleanup that touches only what this test
# started. A test sources this file, prints TAP through ok/nok/is and ends with
# done_testing. It never kills by name and never sleeps for a fixed time.
#
#   # tier: check                    (or full)
#   # needs: 20                      (seconds on the reference machine)
#   . "$(dirname "$0")/lib.sh"
#   bricks_make 4 512M
#   volume_make net-4-plain --inline-limit 0
#   volume_start
#   mount_volume m
#   ok "a file can be written" cp /bin/ls "$M/ls"
#   done_testing
#
# State is kept in $T: bricks in $T/bN, volfiles in $T/vol, logs in $T/log,
# mounts in $T/mnt-NAME, and what has to be undone in $T/undo.

set -u
[ -n "${BASH_VERSION:-}" ] || { echo "not bash" >&2 && exit 2; }
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C

TOP=$(dirname "$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")")
# The plugins under test: a build directory, or "installed".
BUILD=${ALLOT_BUILD:-$TOP/build}
T=$(mktemp -d "${ALLOT_SCRATCH:-/tmp}/allot-test.XXXXXX")
# Tests also act as somebody else than root.
chmod 755 "$T"
LOG=$T/log
mkdir -p "$LOG" "$T/vol"
: >"$T/undo"

NBRICKS=0
BRICK=() # brick directories
PORT=()  # their TCP ports
M=       # the mount of the last mount_volume

# ---- TAP --------------------------------------------------------------------

TESTS=0
FAILED=0

tap() { # tap RESULT DESC
    TESTS=$((TESTS + 1))
    [ "$1" = ok ] || FAILED=$((FAILED + 1))
    echo "$1 $TESTS - $2"
}

# ok DESC CMD...: the command succeeds. nok: it fails. Their output is shown
# only when they do otherwise.
ok() {
    local desc=$1 out rc=0
    shift
    out=$("$@" 2>&1) || rc=$?
    if [ $rc -eq 0 ]; then
        tap ok "$desc"
        return 0
    fi
    tap "not ok" "$desc"
    printf '%s\n' "exit status $rc of: $*" "$out" | head -40 | sed 's/^/# /'
    return 1
}

nok() {
    local desc=$1 out
    shift
    if out=$("$@" 2>&1); then
        tap "not ok" "$desc"
        printf '%s\n' "succeeded, but must fail: $*" "$out" | head -40 | sed 's/^/# /'
        return 1
    fi
    tap ok "$desc"
}

# is DESC GOT WANT
is() {
    if [ "$2" = "$3" ]; then
        tap ok "$1"
        return 0
    fi
    tap "not ok" "$1"
    printf '%s\n' "got:  $2" "want: $3" | sed 's/^/# /'
    return 1
}

skip() { # skip DESC REASON
    TESTS=$((TESTS + 1))
    echo "ok $TESTS - $1 # SKIP $2"
}

note() {
    printf '%s\n' "$*" | sed 's/^/# /'
}

# Something that has to work before the test can say anything.
bail() {
    echo "Bail out! $*"
    exit 1
}

must() {
    local out
    out=$("$@" 2>&1) || bail "failed: $*: $out"
}

done_testing() {
    local crashed
    crashed=$(grep -rls --include='*.log' '^signal received: \(4\|6\|7\|8\|11\)$' "$LOG")
    is "no process of the volume crashed" "$crashed" ""
    [ -z "$crashed" ] || grep -rh --include='*.log' -A25 '^signal received' "$LOG" | sed 's/^/# /'
    echo "1..$TESTS"
    [ "$FAILED" -eq 0 ]
    exit
}

# ---- waiting ----------------------------------------------------------------

# expect_within SECONDS CMD...: the command succeeds at some time until then. SECONDS are
# those of the reference machine with little beside it; a slower one, on which other tests
# run, gets $PATIENCE times as many. Where it matters that it does not take longer, since it
# would come about in another way then, "PATIENCE=1 expect_within 20 ...".
PATIENCE=${ALLOT_PATIENCE:-3}
expect_within() {
    local end=$((SECONDS + $1 * PATIENCE))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

# A command on a mount that must not hang the test: bounded SECONDS CMD...
bounded() {
    timeout -s KILL "$@"
}

# jq's -e says "true" of nothing at all (until version 1.7), so of the output of a
# command that failed, too.
jq() {
    local word e='' out rc
    for word in "$@"; do
        [[ $word =~ ^-[a-zA-Z]*e ]] && e=1
    done
    if [ -z "$e" ]; then
        command jq "$@"
        return
    fi
    out=$(command jq "$@")
    rc=$?
    [ -z "$out" ] || printf '%s\n' "$out"
    [ $rc -ne 0 ] || [ -n "$out" ] || return 4
    return $rc
}

# ---- undoing ----------------------------------------------------------------

# What /proc says of a process, from its state on, in PROC_STAT. Waiting asks it all the
# time, so without another process.
proc_stat() {
    PROC_STAT=
    { IFS= read -r -d '' PROC_STAT <"/proc/$1/stat"; } 2>/dev/null
    PROC_STAT=${PROC_STAT##*) }
}

# A process is named by pid and start time, so that a reused pid is not hit.
proc_start() {
    local fields
    proc_stat "$1"
    read -ra fields <<<"$PROC_STAT"
    [ ${#fields[@]} -le 19 ] || echo "${fields[19]}"
}

undo() { # undo KIND ARG...: remember what cleanup has to undo
    echo "$*" >>"$T/undo"
}

same_process() { # same_process PID START
    [ -n "$2" ] && [ "$(proc_start "$1")" = "$2" ]
}

gone() { # gone PID START
    local tasks=("/proc/$1/task"/*)
    same_process "$1" "$2" || return 0
    # Ended, but nobody has waited for it yet. While other threads of it live it
    # still holds files.
    proc_stat "$1"
    if [ ${#tasks[@]} -le 1 ] && [ "${PROC_STAT:0:1}" = Z ]; then
        return 0
    fi
    # Perhaps somebody has waited for it just now.
    ! same_process "$1" "$2"
}

end_process() { # end_process PID START [SIGNAL]
    same_process "$1" "$2" || return 0
    kill "-${3:-KILL}" "$1" 2>/dev/null
    expect_within 20 gone "$1" "$2"
}

# Undo in the order that cannot hang: processes (their mounts then answer
# ENOTCONN), mounts, loop devices, ports, files.
cleanup_dir() {
    local t=$1 kind a b
    [ -f "$t/undo" ] || return 0
    while read -r kind a b; do
        [ "$kind" != process ] || end_process "$a" "$b"
    done <"$t/undo"
    while read -r kind a _; do
        case $kind in
        mount)
            while mountpoint -q "$a" 2>/dev/null || grep -q " $a " /proc/mounts; do
                umount "$a" 2>/dev/null || umount -l "$a" || break
            done
            ;;
        port) rmdir "/tmp/allot-port-$a" 2>/dev/null ;;
        empty) rmdir "$a" 2>/dev/null ;; # a directory that was not there
        file) rm -f "$a" ;;              # outside of $T
        esac
    done < <(tac "$t/undo")
    while read -r kind a b; do
        # Only if it still is ours: loop devices are reused.
        [ "$kind" = loop ] && losetup -n -O BACK-FILE "$a" 2>/dev/null | grep -qxF "$b" &&
            losetup -d "$a"
        # Attached in a node, whose view of the file's name is gone with it.
        [ "$kind" = loop-inode ] && [ "$(losetup -n -O BACK-INO "$a" 2>/dev/null | xargs)" = "$b" ] &&
            losetup -d "$a"
    done <"$t/undo"
    if [ -n "${ALLOT_LOGS:-}" ]; then
        mkdir -p "$ALLOT_LOGS"
        cp -r "$t/log/." "$t/vol" "$ALLOT_LOGS/" 2>/dev/null
    fi
    if grep -q " $t/" /proc/mounts; then
        echo "# cleanup: still mounted below $t, left alone" >&2
        return 1
    fi
    rm -rf --one-file-system "$t"
}

cleanup() {
    trap - EXIT
    trap '' INT TERM HUP
    cd /
    cleanup_dir "$T"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# ---- bricks -----------------------------------------------------------------

# bricks_make N SIZE[,SIZE...]: N bricks, each an XFS of its own in a sparse
# image; the last SIZE is that of the remaining ones. BRICK[i] is the directory.
bricks_make() {
    local n=$1 sizes i
    IFS=, read -ra sizes <<<"$2"
    for ((i = 0; i < n; i++)); do
        BRICK[i]=$T/b$i
        mkdir -p "${BRICK[i]}"
        must truncate -s "${sizes[i]:-${sizes[-1]}}" "$T/b$i.img"
        brick_mkfs "$i"
        brick_attach "$i"
    done
    NBRICKS=$n
}

# bricks_dirs N: bricks that are plain directories. Quicker, but they share the
# free space of one file system.
bricks_dirs() {
    local i
    for ((i = 0; i < $1; i++)); do
        BRICK[i]=$T/b$i
        mkdir -p "${BRICK[i]}/.glusterfs"
    done
    NBRICKS=$1
}

# bricks_dirs_empty N: the same with nothing of earlier volumes in them. Their processes
# must not run.
bricks_dirs_empty() {
    local i
    bricks_dirs "$1"
    for ((i = 0; i < $1; i++)); do
        brick_wipe "$i"
    done
}

brick_mkfs() {
    local small=()
    # mkfs.xfs refuses small file systems unless told that this is a test.
    [ "$(stat -c %s "$T/b$1.img")" -ge $((300 << 20)) ] || small=(--unsupported)
    must mkfs.xfs -q -f "${small[@]}" "$T/b$1.img"
}

brick_attach() {
    local dev
    dev=$(losetup -f --show "$T/b$1.img") || bail "no loop device for $T/b$1.img"
    undo loop "$dev" "$T/b$1.img"
    # Refused while the same file system is mounted: another test's mount
    # namespace may have a copy of a mount of it, for as long as it takes to drop
    # it.
    must expect_within 30 mount -t xfs "$dev" "${BRICK[$1]}"
    undo mount "${BRICK[$1]}"
    # The loop device goes when the file system is unmounted.
    losetup -d "$dev" 2>/dev/null
    mkdir -p "${BRICK[$1]}/.glusterfs"
}

# brick_wipe I: the brick's process must not run. It comes back as new.
brick_wipe() {
    local size
    if [ -f "$T/b$1.img" ]; then
        must expect_within 10 umount "${BRICK[$1]}"
        # A new image: while another namespace has a copy of the mount, the old file
        # system is written to.
        size=$(stat -c %s "$T/b$1.img")
        must rm "$T/b$1.img"
        must truncate -s "$size" "$T/b$1.img"
        brick_mkfs "$1"
        brick_attach "$1"
    else
        rm -rf "${BRICK[$1]}"
        mkdir -p "${BRICK[$1]}/.glusterfs"
    fi
}

# brick_used I: bytes of allocated blocks, without .glusterfs. Names in there
# are hard links, which are counted once where they are files of the volume.
brick_used() {
    du -s --block-size=1 --exclude=.glusterfs "${BRICK[$1]}" | cut -f1
}

# portions_lose I [TEST...]: the portions on brick I for which find's TESTs hold are
# gone, with the handles by which storage/posix finds them.
portions_lose() {
    local brick=${BRICK[$1]}
    find "$brick/.allot" -type f "${@:2}" -delete
    find "$brick/.glusterfs/"[0-9a-f][0-9a-f] -type f -links 1 -name '*-*-*-*-*' -delete
}

# names_on_one FILE: in a copy of net-4-plain's client.vol all names are on the first
# brick, nothing between.
names_on_one() {
    sed -i -e '/^volume dht$/,/^end-volume$/{s#cluster/distribute#debug/io-stats#;s#subvolumes c0 .*#subvolumes c0#}' \
        -e 's/option namespace distribute/option namespace other/' "$1"
    grep -A2 '^volume dht$' "$1" | grep -q 'subvolumes c0$' || bail "no names on one brick in $1"
}

# ---- volumes ----------------------------------------------------------------

listens() { # listens PORT
    grep -qiE "^ *[0-9]+: [0-9A-F]{8}:$(printf %04X "$1") [0-9A-F]{8}:0000 0A" /proc/net/tcp
}

port_pick() {
    local p tries
    for ((tries = 0; tries < 1000; tries++)); do
        p=$((20000 + RANDOM % 12000))
        # The directory keeps tests that run at once from picking the same one.
        if ! grep -qi ":$(printf %04X $p) " /proc/net/tcp &&
            mkdir "/tmp/allot-port-$p" 2>/dev/null; then
            undo port "$p"
            PICKED=$p
            return
        fi
    done
    bail "no free TCP port"
}

# volume_make TEMPLATE [OPTION...]: volfiles of TEMPLATE for the bricks made
# before; OPTIONs are those of volfiles/fill. May be called again with other
# options: ports stay.
volume_make() {
    local template=$1 i args=()
    shift
    for ((i = 0; i < NBRICKS; i++)); do
        if [ -z "${PORT[i]:-}" ]; then
            port_pick
            PORT[i]=$PICKED
        fi
        args+=(--dir "${BRICK[i]}" --port "${PORT[i]}")
    done
    [ "$BUILD" = installed ] || args+=(--build "$BUILD")
    must "$TOP/volfiles/fill" --bricks "$NBRICKS" "${args[@]}" "$@" "$template" "$T/vol"
}

# brick_start I: start its process and wait until it listens. BRICK_WRAP: as MOUNT_WRAP
# below.
brick_start() {
    local pid start
    mkdir -p "${BRICK[$1]}/.glusterfs"
    rm -f "$T/b$1.pid"
    ${BRICK_WRAP[@]+"${BRICK_WRAP[@]}"} glusterfsd --volfile="$T/vol/brick-$1.vol" -p "$T/b$1.pid" -l "$LOG/brick-$1.log" ||
        return 1
    expect_within 20 test -s "$T/b$1.pid" || return 1
    pid=$(cat "$T/b$1.pid") start=$(proc_start "$(cat "$T/b$1.pid")")
    undo process "$pid" "$start"
    echo "$pid $start" >"$T/b$1.process"
    expect_within 20 listens "${PORT[$1]}"
}

# brick_kill I [SIGNAL]: KILL by default. Returns when it is gone.
brick_kill() {
    local process
    read -ra process <"$T/b$1.process"
    end_process "${process[@]}" "${2:-KILL}"
}

brick_pid() {
    cut -d' ' -f1 "$T/b$1.process"
}

volume_start() {
    local i
    for ((i = 0; i < NBRICKS; i++)); do
        brick_start "$i" || bail "brick $i does not start: $(tail -20 "$LOG/brick-$i.log")"
    done
}

# mount_volume NAME [OPTION...]: mount at $T/mnt-NAME, also in $M. OPTIONs are
# those of the glusterfs program. Returns 1 if the root does not answer.
# VOLFILE: another volfile than client.vol. MOUNT_WRAP: an array, put before the
# program (valgrind).
mount_volume() {
    local name=$1 pid
    shift
    M=$T/mnt-$name
    mkdir -p "$M"
    undo mount "$M"
    rm -f "$T/mnt-$name.pid"
    ${MOUNT_WRAP[@]+"${MOUNT_WRAP[@]}"} glusterfs \
        --volfile="${VOLFILE:-$T/vol/client.vol}" -p "$T/mnt-$name.pid" \
        -l "$LOG/mnt-$name.log" "$@" "$M" || return 1
    expect_within 60 test -s "$T/mnt-$name.pid" || return 1
    pid=$(cat "$T/mnt-$name.pid")
    echo "$pid $(proc_start "$pid")" >"$T/mnt-$name.process"
    undo process "$pid" "$(proc_start "$pid")"
    # The mount may still wait for bricks; the first answer may be ENOTCONN.
    expect_within 60 mount_answers "$M"
}

mount_answers() {
    mountpoint -q "$1" && bounded 20 stat -t "$1" >/dev/null
}

must_mount() {
    mount_volume "$@" || bail "mount $1 failed: $(tail -20 "$LOG/mnt-$1.log")"
}

# mount_pid NAME
mount_pid() {
    cut -d' ' -f1 "$T/mnt-$1.process"
}

# umount_volume NAME: and wait until its process has ended.
umount_volume() {
    local process
    read -ra process <"$T/mnt-$1.process"
    # "Busy" for a moment, when somebody else on the machine looks at it.
    expect_within 20 umount "$T/mnt-$1" || return 1
    expect_within 90 gone "${process[@]}"
}

# mount_kill NAME: a client that dies, in the middle of what it does.
mount_kill() {
    local process
    read -ra process <"$T/mnt-$1.process"
    end_process "${process[@]}"
    umount "$T/mnt-$1" 2>/dev/null || umount -l "$T/mnt-$1"
}

# bash -c "$DROP_FOREIGN" "$T" COMMAND...: what runs first in new namespaces. Their
# copies of other tests' mounts go, and of anybody's GlusterFS mounts. A copy keeps
# a file system alive that its owner has unmounted, and with it the client or the
# loop device behind it. The list is read as a whole: of one that shrinks while it is
# read lines are missed.
# shellcheck disable=SC2016,SC2034
DROP_FOREIGN='mounts=$(cat /proc/mounts)
while read -r _ m type _; do
    case $type:$m in
    *:"$0"/*) ;;
    *:*/allot-test.* | fuse.glusterfs:*) umount -l "$m" 2>/dev/null ;;
    esac
done <<<"$mounts"
exec "$@"'

# ---- checking ---------------------------------------------------------------

# ms CMD...: how long it takes, in milliseconds.
ms() {
    local begin end
    begin=$(date +%s%N)
    "$@" >/dev/null 2>&1
    end=$(date +%s%N)
    echo $(((end - begin) / 1000000))
}

# sums DIR: a line "checksum  ./path" for each regular file, sorted by path.
sums() {
    (cd "$1" && find . -name .glusterfs -prune -o -type f -print0 | sort -z |
        xargs -0 -r md5sum)
}

sum() {
    md5sum <"$1" | cut -d' ' -f1
}

# A tree $T/want (the test makes it) that the volume at $M must be equal to.
want() { # want COMMAND...: in the volume and in $T/want alike
    (cd "$T/want" && "$@") && (cd "$M" && "$@")
}
all_right() { # every file, every byte
    diff <(sums "$T/want") <(sums "$M")
}
patch() { # patch FILE MEGABYTE: the same bytes into both
    noise 300000 >"$T/patch"
    want dd if="$T/patch" of="$1" bs=1M seek="$2" conv=notrunc status=none
}

# noise BYTES: bytes without holes that nothing compresses. A test keeps the
# checksum, or a copy in $T.
noise() {
    head -c "$1" /dev/urandom
}

# Processor time of mount "m" and of all bricks since they started, in ms.
processor_ms() {
    local i pids
    pids=("$(mount_pid m)")
    for ((i = 0; i < NBRICKS; i++)); do
        pids+=("$(brick_pid "$i")")
    done
    for i in "${pids[@]}"; do
        sed 's/.*) //' "/proc/$i/stat"
    done | awk -v hz="$(getconf CLK_TCK)" '{ n += $12 + $13 } END { print n * 1000 / hz }'
}

# fop_counts PID: "VOLUME FOP CALLS" for each volume of the process's graph, by
# volume and fop. GlusterFS counts every call between volumes by itself.
fop_counts() {
    metrics "$1" "$T/fop-counts" || return 1
    sed -n 's/^\([^. ]*\)\.total\.\([A-Z]*\)\.count \([0-9]*\)$/\1 \2 \3/p' "$T/fop-counts" | sort
}

# metrics PID FILE: the metrics of a process. On SIGUSR2 it writes all of them to a
# new file, whose first line is its command line.
metrics() {
    local line
    line=$(tr '\0' ' ' <"/proc/$1/cmdline" | sed 's/ *$//')
    kill -USR2 "$1" || return 1
    expect_within 10 metrics_of "$line" || return 1
    mv "$(metrics_of "$line")" "$2"
}

metrics_of() {
    local f
    for f in /var/run/gluster/metrics/gmetrics.*; do
        [ -f "$f" ] && grep -q '^# End of metrics' "$f" &&
            head -1 "$f" | grep -qF -- "$1" && echo "$f" && return
    done
    return 1
}

# statedump_of PID FILE [SECONDS]
statedump_of() {
    # glusterd makes this folder; without it there is no dump.
    mkdir -p /var/run/gluster
    rm -f /var/run/gluster/*."$1".dump.*
    kill -USR1 "$1" || return 1
    expect_within "${3:-20}" dump_ended "$1" || return 1
    mv /var/run/gluster/*."$1".dump.* "$2"
}

dump_ended() {
    grep -qs '^DUMP-END-TIME' /var/run/gluster/*."$1".dump.*
}

# The same of each brick, and below it of each brick of a set, as the status says, a
# statedump or .meta's private, and the metrics say it: told_by_status MOUNT,
# told_by_dump FILE, told_by_metrics FILE.
told_by_status() {
    "$ALLOT" status "$1" --json | jq -r '.bricks[] |
        "name=\(.name) index=\(.index) state=\(.state) failures=\(.failures) changes=\(.changes) flaps=\(.flaps)",
        (.leaves[]? | "name=\(.name) state=\(.state) failures=\(.failures) changes=\(.changes) flaps=\(.flaps)")'
}
told_by_dump() {
    awk '/brick\.[0-9]+(\.leaf\.[0-9]+)?[ "]*[=:][ "]*name=/ {
        sub(/.*[ "]name=/, "name=") || sub(/.*=name=/, "name=")
        line = ""
        for (i = 1; i <= NF; i++)
            if ($i ~ /^(name|index|state|failures|changes|flaps)=/)
                line = line " " $i
        print substr(line, 2)
    }' "$1"
}
told_by_metrics() { # "KIND.NAME USABLE FAILURES CHANGES FLAPS"
    sed -nE 's/^allot\.((brick|leaf)\.[^.]*)\.(usable|failures|changes|flaps) ([0-9]+)$/\1 \3 \4/p' "$1" | awk '
        { n[$1, $2] = $3 }
        !($1 in seen) { seen[$1]; name[++count] = $1 }
        END {
            for (i = 1; i <= count; i++)
                print name[i], n[name[i], "usable"], n[name[i], "failures"], n[name[i], "changes"], n[name[i], "flaps"]
        }'
}

# told_everywhere MOUNT NAME LINES WHAT: what the status says of LINES bricks and bricks of
# sets, now, is in a statedump of the mount at MOUNT, whose name is NAME, in its .meta and
# in its metrics. They stay in $T/dump and $T/metrics. WHAT stands before the checks' names.
told_everywhere() {
    local status
    status=$(told_by_status "$1")
    must statedump_of "$(mount_pid "$2")" "$T/dump"
    must metrics "$(mount_pid "$2")" "$T/metrics"
    is "$4: the status has all bricks" "$(grep -c . <<<"$status")" "$3"
    is "$4: the statedump has the same" "$(told_by_dump "$T/dump")" "$status"
    is "$4: .meta, too" "$(told_by_dump "$1/.meta/graphs/active/allot/private")" "$status"
    is "$4: and the metrics" "$(told_by_metrics "$T/metrics")" "$(sed -E '
        s/^name=([^ ]*) index=[0-9]+ /brick.\1 /
        s/^name=([^ ]*) /leaf.\1 /
        s/ state=(up|full|draining|failing) / 1 /
        s/ state=(down|blank|lost|foreign|connecting) / 0 /
        s/[a-z]+=//g' <<<"$status")"
}
