#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 40
# fsync says EIO once for what was written to a brick and not synced when the brick goes,
# whether that is noticed before the fsync or the fsync is under way to it; of one brick
# and of two. What is written again is elsewhere, and the next fsync is content. With
# write-behind and without; every byte is right when the bricks are back. Of pieces the
# last must be written again first: no extent can begin before bytes that are away.
# shellcheck source=crash-lib.sh
. "$(dirname "$0")/crash-lib.sh"

bricks_make 4 320M
volume_make net-4 --block-size 16KB --option 'c*:ping-timeout=60'
cp "$T/vol/client.vol" "$T/vol/behind.vol"
plain_graph "$T/vol/client.vol"
volume_start
VOLFILE=$T/vol/client.vol must_mount client "${DIRECT[@]}"
VOLFILE=$T/vol/behind.vol must_mount behind "${DIRECT[@]}"
must_mount judge "${DIRECT[@]}"
# What is lost and written again is one piece for the kernel, too, which cuts at 128 KiB.
# All bricks have some of it.
noise 900001 >"$T/data"
noise 100001 >"$T/more"
noise 100001 >"$T/again"

# open_file FILE: hold.py keeps it open; say COMMAND: the answer is in $SAID. tell
# COMMAND does not wait for it, heard does.
open_file() {
    coproc HOLD { exec "$TOP/tests/volume/hold.py" "$1" 2>&1; }
    heard
}
heard() {
    IFS= read -r -t 90 SAID <&"${HOLD[0]}" || bail "no answer from hold.py"
}
tell() {
    echo "$1" >&"${HOLD[1]}"
}
say() {
    tell "$1"
    heard
}
close_file() {
    local pid=$HOLD_PID
    say close
    is "$1: the close is content" "$SAID" ok
    tell end
    wait "$pid"
}

# How many times the mount NAME has sent an fsync to a brick.
fsyncs_to() { # fsyncs_to NAME BRICK
    fop_counts "$(mount_pid "$1")" | awk -v b="c$2" '$1 == b && $2 == "FSYNC" { n = $3 } END { print n + 0 }'
}
sent_to() { # sent_to NAME BRICK BEFORE
    [ "$(fsyncs_to "$1" "$2")" -gt "$3" ]
}
states_are() { # states_are MOUNT STATE BRICK...
    local b
    for b in "${@:3}"; do
        "$ALLOT" status "$1" --json | jq -e --arg n "c$b" --arg s "$2" 'any(.bricks[]; .name == $n and .state == $s)' ||
            return 1
    done
}

# brick_back NAME BRICK...: and the file is as it was written.
brick_back() {
    local b name=$1
    shift
    for b; do
        must brick_start "$b"
    done
    for b in client behind judge; do
        ok "$name: the bricks are back for mount $b" expect_within 60 all_up "$T/mnt-$b"
    done
    say fsync
    is "$name: nor is it told when they are back" "$SAID" ok
    close_file "$name"
    ok "$name: each byte is right" bounded 60 cmp "$T/want" "$T/mnt-judge/$name"
}

# lost MOUNT WHEN BRICK...: WHEN under-way: the fsync waits for the bricks as they die;
# before: it is called when it is known that they are away.
lost() {
    local name=$1-$2-$# m=$T/mnt-$1 b mount=$1 when=$2 before=()
    shift 2
    open_file "$m/$name"
    say "write $T/data 0"
    say fsync
    is "$name: with all bricks there" "$SAID" ok
    say "write $T/more 900001"
    is "$name: more of it is written" "$SAID" ok
    # Let go by write-behind, and answered.
    must expect_within 30 longer "$T/mnt-judge/$name" 1000002
    if [ "$when" = under-way ]; then
        for b; do
            before[b]=$(fsyncs_to "$mount" "$b")
            kill -STOP "$(brick_pid "$b")"
        done
        tell fsync
        for b; do
            ok "$name: the fsync is under way to brick $b" expect_within 30 sent_to "$mount" "$b" "${before[b]}"
        done
    fi
    for b; do
        must brick_kill "$b"
    done
    if [ "$when" = before ]; then
        must expect_within 30 states_are "$m" down "$@"
        tell fsync
    fi
    heard
    is "$name: the fsync says that bytes may be lost" "$SAID" EIO
    say "write $T/again 900001"
    is "$name: they are written again" "$SAID" ok
    say fsync
    is "$name: and are safe: it is told once" "$SAID" ok
    say "write $T/more 1000002"
    say fsync
    is "$name: so is what comes then" "$SAID" ok
    cat "$T/data" "$T/again" "$T/more" >"$T/want"
    brick_back "$name" "$@"
}

for mount in client behind; do
    for when in before under-way; do
        lost $mount $when 3
        lost $mount $when 2 3
    done
done

# ---- in pieces ------------------------------------------------------------------
head -c 50000 "$T/again" >"$T/first"
tail -c +50001 "$T/again" >"$T/second"
open_file "$T/mnt-client/pieces"
say "write $T/data 0"
say "write $T/more 900001"
must brick_kill 3
must expect_within 30 states_are "$T/mnt-client" down 3
say fsync
is "in pieces: the fsync says that bytes may be lost" "$SAID" EIO
say "write $T/first 900001"
is "in pieces: the first one is refused" "$SAID" EIO
say "write $T/second 950001"
is "in pieces: the last one is written elsewhere" "$SAID" ok
say "write $T/first 900001"
is "in pieces: then the first one" "$SAID" ok
say fsync
is "in pieces: they are safe" "$SAID" ok
cat "$T/data" "$T/again" >"$T/want"
brick_back pieces 3
done_testing
