#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 70
# Five programs make calls on one file at once: on two mounts, two each, and
# through libgfapi. Records are appended with O_APPEND; each program creates the
# file, which grows, and has slots of its own; they overwrite each other, cut, also to
# the inline part, make longer, rename over; and a data brick goes away while they append. No
# record is lost, torn, doubled or misplaced, and who opens sees what was closed.
# shellcheck source=crash-lib.sh
. "$(dirname "$0")/crash-lib.sh"

for p in race-records race-calls; do
    [ -x "$BUILD/tests/volume/$p" ] || bail "$BUILD/tests/volume/$p is missing; ./dev build makes it"
done
RECORDS=$BUILD/tests/volume/race-records
CALLS=$BUILD/tests/volume/race-calls
SEED=${RACE_SEED:-$((RANDOM * 32768 + RANDOM))}
note "repeat with RACE_SEED=$SEED"

bricks_dirs "${RACE_BRICKS:-4}"
OPTIONS=()
# Replicate keeps its lock on a base for a second after a write, unless it knows by then that
# others wait: then they take turns, a second each, and all who lose against a
# publication meanwhile take another turn. With 'cut' that took longer than 100 seconds,
# once. RACE_STOPS=1 is with it, and has time for that.
[ -n "${RACE_TEMPLATE:-}${RACE_STOPS:-}" ] || OPTIONS=(--option afr:post-op-delay-secs=0)
for o in ${RACE_OPTIONS:-}; do
    OPTIONS+=(--option "$o")
done
volume_make "${RACE_TEMPLATE:-net-4}" --block-size 16KB --inline-limit 64KB --option 'c*:ping-timeout=20' "${OPTIONS[@]}"
plain_graph "$T/vol/client.vol"
[ -z "${RACE_NAMES_ON_ONE:-}" ] || names_on_one "$T/vol/client.vol"
volume_start
for n in a b judge; do
    must_mount $n "${DIRECT[@]}"
done
# RACE_STOPS=MS: beside all of it threads are stopped for up to so long.
BOUND=100 STOPS=
if [ -n "${RACE_STOPS:-}" ]; then
    BOUND=400
    pids=()
    for ((i = 0; i < NBRICKS; i++)); do
        pids+=("$(brick_pid "$i")")
    done
    for n in a b; do
        pids+=("$(mount_pid $n)")
    done
    "$BUILD/tests/volume/stops" "$SEED" "$RACE_STOPS" "${pids[@]}" -c $$ >"$T/stops" &
    STOPS=$!
    undo process "$STOPS" "$(proc_start "$STOPS")"
fi
PLACES=("$T/mnt-a" "$T/mnt-b" "gfapi:$T/vol/client.vol" "$T/mnt-a" "$T/mnt-b")
N=${#PLACES[@]}

# race NAME PROGRAM MODE COUNT: all of them in the background. What is appended, and
# what is read beside those who write it, is created before: of two programs that
# create it on one mount the kernel lets the second one go through its page cache. It
# cuts a write(2) into requests at the first page, and only a request is one append;
# and what it has read stays, on plain distribute as well.
race() {
    local i
    RACERS=()
    [[ $3 != append && $3 != disjoint ]] || : >"$T/mnt-a/$1"
    for ((i = 0; i < N; i++)); do
        (
            FS_GFAPI_LOG=$LOG/gfapi.log bounded $BOUND "$2" "$3" "${PLACES[i]}" "$1" \
                $i "$N" "$4" "$SEED" "$T/shared-$1" >"$T/out-$1-$i" 2>&1
            echo $? >"$T/rc-$1-$i"
        ) &
        RACERS+=($!)
    done
}

# finished NAME: all succeeded.
finished() {
    local i
    wait "${RACERS[@]}"
    for ((i = 0; i < N; i++)); do
        succeeded "$1" "$i"
    done
}

succeeded() { # succeeded NAME PROGRAM
    is "$1: program $2" "$(cat "$T/rc-$1-$2")" 0 || note "$(cat "$T/out-$1-$2")"
}

settled_soon() {
    ok "$1: its size is settled" expect_within 20 settled "$T/mnt-judge/$1"
}

# wanted NAME: RACE_ONLY=REGEX leaves the others out.
wanted() {
    [[ $1 =~ ${RACE_ONLY:-.} ]]
}

# ---- records

if wanted append; then
    race append "$RECORDS" append 30
    finished append
    ok "append: every record is there once, whole, in its place" \
        bounded 60 "$RECORDS" check "$T/mnt-judge" append "$N" 30
    settled_soon append
fi

for i in 1 2; do
    wanted slots-$i || continue
    race slots-$i "$RECORDS" slots 16
    finished slots-$i
    ok "slots-$i: every record is there once, whole, in its place" \
        bounded 60 "$RECORDS" check-slots "$T/mnt-judge" slots-$i "$N" 16
    settled_soon slots-$i
    # Clients that write at once take no brick for a bad one: it is one extent
    # for the head, if that, and one for the rest.
    is "slots-$i: one layout for all of it" \
        "$("$ALLOT" layout "$T/mnt-judge/slots-$i" --json | jq '.extents | length <= 2')" true
done

# ---- calls

# What each kind does and what must be true in the end: see race-calls.c.
for mode in overlap:40 disjoint:6 cut:12 inline:12; do
    count=${mode#*:} mode=${mode%:*}
    wanted "$mode" || continue
    race "$mode" "$CALLS" "$mode" "$count"
    finished "$mode"
    ok "$mode: each unit is right" \
        bounded 60 "$CALLS" "check-$mode" "$T/mnt-judge" "$mode" "$N" "$count" "$SEED"
    settled_soon "$mode"
done

# What they leave on the bricks is not looked at here.
for mode in unlink:12 rename:25; do
    count=${mode#*:} mode=${mode%:*}
    wanted "$mode" || continue
    # With replicated names a client may wait for ever for a lock of self-heal on
    # the directory; race-names.sh does it without.
    [ "$mode" != unlink ] || [ -n "${RACE_NAMES_ON_ONE:-}" ] || continue
    race "$mode" "$CALLS" "$mode" "$count"
    finished "$mode"
done

# A data brick goes away while all append: new extents without it. When it is back
# records are whole again, but for one case, and who is in it is told: what a
# client wrote last, and nobody has closed or synced, may be on that brick alone;
# then nobody else knows that the file is so long, and appends at what they know.
if wanted away; then
    race away "$RECORDS" append 40
    must expect_within 60 longer "$T/mnt-judge/away" 1000000
    must brick_kill 3
    wait "${RACERS[@]}"
    TOLD=()
    for ((i = 0; i < N; i++)); do
        if grep -q "^close: Input/output error" "$T/out-away-$i"; then
            TOLD+=("$i")
        else
            succeeded away "$i"
        fi
    done
    note "told that something may be lost: ${TOLD[*]:-nobody}"
    must brick_start 3
    ok "the brick is back" expect_within 30 all_up "$T/mnt-judge"
    ok "away: every record of all others is there once, whole, in its place" \
        bounded 60 "$RECORDS" check "$T/mnt-judge" away "$N" 40 "${TOLD[@]}" ||
        note "$("$ALLOT" layout "$T/mnt-judge/away")"
    settled_soon away
fi
if [ -n "$STOPS" ]; then
    kill "$STOPS"
    wait "$STOPS"
    is "threads were stopped all the while" $? 0
    note "$(cat "$T/stops")"
fi
done_testing
