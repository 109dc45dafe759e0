#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 50
# Logs on disperse sets: two programs on two mounts append records by fds that stay
# open, while a third one rotates the log by copying it and cutting it to nothing; once
# small, within inline-limit, and once spread. A brick of each set is killed and comes
# back meanwhile. No record is lost, torn, doubled or out of its order. And the third
# one cuts a small file with no regard to them: no zeros before a record or between two,
# each is there whole or not at all.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=sets-lib.sh
. "$(dirname "$0")/sets-lib.sh"

ROTATE=$(dirname "$0")/append-rotate.py
SEED=${RACE_SEED:-$((RANDOM * 32768 + RANDOM))}
note "repeat with RACE_SEED=$SEED"

# The clients give a lock of disperse's back at once, as those do who work on the
# same file: else each turn would take a second.
sets_start net-disperse-6 --block-size 16KB --option 's*:eager-lock=off' \
    --option 'locks:notify-contention-delay=0'
awk '$1 == "volume" && $2 == "write-behind" { skip = 1 }
    !skip { sub("subvolumes write-behind$", "subvolumes allot"); print }
    $1 == "end-volume" { skip = 0 }' "$T/vol/client.vol" >"$T/vol/direct.vol"
for n in a b c; do
    VOLFILE=$T/vol/direct.vol sets_mount $n
done
M=$T/mnt-m

# log NAME COUNT TIMES [BRICK...]: COUNT records each of two writers, TIMES rotations;
# the bricks go and come meanwhile.
log() {
    local name=$1 i rc
    local pids=() copies=()
    : >"$T/mnt-a/$name"
    for i in a b; do
        bounded 200 "$ROTATE" write "$T/mnt-$i/$name" "$T/lock" $i "$2" "$SEED$i" >"$T/out-$name-$i" 2>&1 &
        pids+=($!)
    done
    bounded 200 "$ROTATE" rotate "$T/mnt-c/$name" "$T/lock" "$3" "$T/$name" >"$T/out-$name-c" 2>&1 &
    pids+=($!)
    for i in "${@:4}"; do
        brick_kill "$i"
    done
    [ $# -lt 4 ] || status_soon '.state == "DEGRADED"' || bail "nobody notices that bricks are away"
    for i in "${@:4}"; do
        brick_start "$i"
    done
    for i in 0 1 2; do
        rc=0
        wait "${pids[i]}" || rc=$?
        is "$name: program $i" $rc 0 || note "$(cat "$T/out-$name"-[abc])"
    done
    for ((i = 0; i < $3; i++)); do
        copies+=("$T/$name.$i")
    done
    sets_mount fresh
    ok "$name: each record is there once, whole, in its order" \
        "$ROTATE" check "$2" a,b "${copies[@]}" "$M/$name"
    must umount_volume fresh
    M=$T/mnt-m
}

# beside NAME TIMES [VOLFILE]: appended to by two, and cut TIMES by a third one.
beside() {
    local name=$1 i rc pids=()
    : >"$T/mnt-a/$name"
    for i in a b; do
        bounded 60 "$ROTATE" race "$T/mnt-$i/$name" "$T/stop-$name" $i "$SEED$i" >"$T/out-$name-$i" 2>&1 &
        pids+=($!)
    done
    bounded 60 "$ROTATE" cut "$T/mnt-c/$name" "$T/stop-$name" "$2" a,b "${@:3}" >"$T/out-$name-c" 2>&1 &
    pids+=($!)
    rc=0
    wait "${pids[2]}" || rc=$?
    is "$name: each of $2 looks and cuts" $rc 0
    : >"$T/stop-$name"
    for i in 0 1; do
        rc=0
        wait "${pids[i]}" || rc=$?
        is "$name: program $i" $rc 0
    done
    note "$(cat "$T/out-$name"-[abc])"
    for i in a c fresh; do
        [ $i != fresh ] || sets_mount fresh
        ok "$name: what came after the last cut is there, whole, by mount $i" \
            "$ROTATE" whole a,b "$T/mnt-$i/$name"
    done
    is "$name: it is not spread" "$(getfattr --only-values -n glusterfs.allot.layout "$M/$name" 2>/dev/null | jq .spread)" false
    must umount_volume fresh
    M=$T/mnt-m
}

beside cut 150
beside trunc 150 "$T/vol/direct.vol"
log small 25 6
log large 40 3
ok "a self-heal daemon runs" heal_start
log bricks 40 3 1 4
ok "all is back and healed" status_soon '.state == "UP"'
ok "nothing waits" expect_within 60 healed {0..5}

# The check can fail.
head -c -5 "$T/large.0" >"$T/torn"
nok "a torn record is seen" "$ROTATE" check 40 a,b "$T/torn"
sed 1d "$T/large.0" >"$T/short"
nok "a lost one, too" "$ROTATE" check 40 a,b "$T/short"
done_testing
