#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 15
# Graphs that must not start: bad options, bad subvolumes. The program ends with
# an error and the log has a sentence that names the option, the value and what
# is allowed. And a brick without a guard, which starts, but gets no spread data.
# shellcheck source=fail-lib.sh
. "$(dirname "$0")/fail-lib.sh"

bricks_make 4 512M
GOOD=(net-4-plain "${OPTIONS_ALL[@]}")

# starts VOLFILE: the program mounts it. Its log is $LOG/bad.log.
starts() {
    local pid
    rm -f "$LOG/bad.log" "$T/bad.pid"
    # A process that was refused while it mounted leaves its mount behind.
    ! grep -q " $T/mnt-bad " /proc/mounts || umount -l "$T/mnt-bad"
    mkdir -p "$T/mnt-bad"
    # Not a daemon: then its exit status is that of the graph.
    glusterfs -N --volfile="$1" -l "$LOG/bad.log" "$T/mnt-bad" &
    pid=$!
    undo process "$pid" "$(proc_start "$pid")"
    undo mount "$T/mnt-bad"
    expect_within 10 ended_or_mounted "$pid"
    if grep -q " $T/mnt-bad " /proc/mounts && ! gone "$pid" "$(proc_start "$pid")"; then
        umount "$T/mnt-bad"
        wait "$pid"
        return 0
    fi
    wait "$pid" && echo "it ended without an error"
    return 1
}

ended_or_mounted() {
    ! kill -0 "$1" 2>/dev/null || [ "$(ps -o stat= -p "$1" | cut -c1)" = Z ] ||
        grep -q "Switched to graph\|switched to graph" "$LOG/bad.log"
}

# refused OPTION VALUE RANGE...: and one line of the log has all of it.
refused() {
    local option=$1 value=$2 word lines
    shift 2
    volume_make "${GOOD[@]}" --option "allot:$option=$value"
    nok "$option $value: does not start" starts "$T/vol/client.vol"
    lines=$(grep -F " E [" "$LOG/bad.log" | grep -wF -- "$option" | grep -F -- "$value")
    for word in "$@"; do
        lines=$(grep -F -- "$word" <<<"$lines")
    done
    ok "$option $value: the log names it and what is allowed" test -n "$lines" ||
        note "$(grep -F " E [" "$LOG/bad.log" | cut -c30-300)"
}

accepted() { # accepted OPTION VALUE
    volume_make "${GOOD[@]}" --option "allot:$1=$2"
    ok "$1 $2: starts" starts "$T/vol/client.vol" ||
        note "$(grep -F " E [" "$LOG/bad.log" | cut -c30-300)"
}

volume_make "${GOOD[@]}"
volume_start

# ---- options ----------------------------------------------------------------
# GlusterFS itself would name no range for what is no number; allot does.

refused inline-limit 65MB "from 0 to 64MB"
refused inline-limit -1 "from 0 to 64MB"
refused inline-limit many "from 0 to 64MB"
refused block-size 2KB "power of two from 4KB to 64MB"
refused block-size 128MB "power of two from 4KB to 64MB"
refused block-size 102400 "power of two" 4KB 64MB
refused block-size large "power of two from 4KB to 64MB"
refused width 0 "from 1 to 255"
refused width 256 "from 1 to 255"
refused width wide "from 1 to 255"
refused width 9999999999999 "from 1 to 255"
refused weights c0=0 capacity equal NAME=N "1 to 255"
refused weights c0=256 "1 to 255"
refused weights c0=x "1 to 255"
refused weights nobody=3 "names of data subvolumes"
refused weights c0=1,c0=2 capacity
refused weights c0 capacity
refused weights sometimes capacity equal
refused min-free 101% "from 0 to 100"
refused min-free -1 "from 0 to 100"
refused min-free some "from 0 to 100"
refused prefetch 2GB "from 0 to 1GB"
refused prefetch far "from 0 to 1GB"
refused failing-errors 1001 "from 0 to 1000"
refused failing-errors none "from 0 to 1000"
refused failing-hold 0 "seconds from 1 to 3600"
refused failing-hold long "seconds from 1 to 3600"
refused stall-timeout 3601 "seconds from 0 to 3600"
refused stall-timeout never "seconds from 0 to 3600"
refused strict-readdir maybe "on or off"
refused namespace somewhere distribute replicate other
accepted inline-limit 64MB
accepted inline-limit 0
accepted block-size 4KB
accepted block-size 64MB
accepted width 255
accepted weights c0=1,c3=255
accepted weights equal
accepted min-free 0
accepted min-free 100
accepted strict-readdir off
accepted namespace other

# ---- subvolumes -------------------------------------------------------------

# with_subvolumes LIST [EXTRA]: client.vol with other subvolumes of allot, and
# EXTRA volumes before it.
with_subvolumes() {
    volume_make "${GOOD[@]}"
    awk -v list="$1" -v extra="${2:-}" '
        $1 == "volume" && $2 == "allot" { printf "%s", extra; in_it = 1 }
        $1 == "end-volume" { in_it = 0 }
        in_it && $1 == "subvolumes" { print "    subvolumes " list; next }
        { print }' "$T/vol/client.vol" >"$T/vol/bad.vol"
}

says() { # says DESC PATTERN: one line of the log
    ok "$1: the log says why" grep -E " E \[.*$2" "$LOG/bad.log" ||
        note "$(grep -F " E [" "$LOG/bad.log" | cut -c30-300)"
}

with_subvolumes "dht c0 c1 c1 c2"
nok "a subvolume twice: does not start" starts "$T/vol/bad.vol"
says "a subvolume twice" "c1"
with_subvolumes "dht c0 dht c1"
nok "the namespace as data: does not start" starts "$T/vol/bad.vol"
says "the namespace as data" "dht"
with_subvolumes "dht"
nok "no data subvolumes: does not start" starts "$T/vol/bad.vol"
says "no data subvolumes" "data subvolume"
with_subvolumes "shard c0 c1 c2 c3" "volume shard
    type features/shard
    subvolumes dht
end-volume

"
nok "features/shard below: does not start" starts "$T/vol/bad.vol"
says "features/shard below" "shard"
with_subvolumes "dht c0 c1 c2 c3"
ok "what is good starts" starts "$T/vol/bad.vol"

# ---- a brick without a guard ------------------------------------------------

for ((i = 0; i < NBRICKS; i++)); do
    brick_kill $i TERM
    brick_wipe $i
done
volume_make net-4 "${OPTIONS_ALL[@]}" --block-size 64KB
# Registered with four guards first; then one is gone, and then a new volume
# that never had it.
volume_start
must_mount m "${DIRECT[@]}"
put_file before 1000000
must brick_kill 3
awk '$1 == "volume" && $2 == "guard" { skip = 1 }
    skip { if ($1 == "end-volume") skip = 0; next }
    $1 == "subvolumes" && $2 == "guard" { print "    subvolumes locks"; next }
    { print }' "$T/vol/brick-3.vol" >"$T/vol/unguarded" && mv "$T/vol/unguarded" "$T/vol/brick-3.vol"
must brick_start 3
state_comes "$M" c3 foreign
put_file after 1000000
nok "nothing new is on it" grep -w c3 <(members_of after -1)
ok "new files are whole" whole after
allot_json foreign 1 report "$M"
report_ranges_hold foreign before after
umount_volume m
done_testing
