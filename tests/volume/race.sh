#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 50
# Four programs on two mounts write one file at once, which grows meanwhile:
# records are appended with O_APPEND, or each program creates it and has slots of its
# own; and a data brick goes away while they append. No record is lost, torn, doubled or misplaced.
# shellcheck source=crash-lib.sh
. "$(dirname "$0")/crash-lib.sh"

RECORDS=${ALLOT_RECORDS:-$BUILD/tests/volume/race-records}
[ -x "$RECORDS" ] || bail "$RECORDS is missing; ./dev build makes it"
SEED=${RACE_SEED:-$((RANDOM * 32768 + RANDOM))}
note "repeat with RACE_SEED=$SEED"

bricks_dirs 4
volume_make net-4 --block-size 16KB --inline-limit 64KB --option 'c*:ping-timeout=5'
plain_graph "$T/vol/client.vol"
volume_start
for n in a b judge; do
    must_mount $n "${DIRECT[@]}"
done
MOUNTS=("$T/mnt-a" "$T/mnt-b")

# race NAME MODE COUNT: four writers in the background. What is appended is
# created before: of two programs that create it on one mount the kernel lets
# the second one go through its page cache, and cuts a write(2) into requests at
# the first page; only a request is one append.
race() {
    local i
    [ "$2" != append ] || : >"${MOUNTS[0]}/$1"
    for i in 0 1 2 3; do
        rm -f "$T/rc-$1-$i"
        (
            bounded 100 "$RECORDS" "$2" "${MOUNTS[i % 2]}/$1" $i "$3" "$SEED" >"$T/out-$1-$i" 2>&1
            echo $? >"$T/rc-$1-$i"
        ) &
    done
}

# judged NAME CHECK COUNT: all writers succeeded, and the file is right.
judged() {
    local i
    wait
    for i in 0 1 2 3; do
        is "$1: writer $i" "$(cat "$T/rc-$1-$i")" 0 || note "$(cat "$T/out-$1-$i")"
    done
    ok "$1: every record is there once, whole, in its place" \
        bounded 60 "$RECORDS" "$2" "$T/mnt-judge/$1" 4 "$3"
    ok "$1: its size is settled" expect_within 20 settled "$T/mnt-judge/$1"
}

longer() { # longer FILE BYTES
    [ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -ge "$2" ]
}

for i in 1 2 3; do
    race append-$i append 20
    judged append-$i check 20
    race slots-$i slots 20
    judged slots-$i check-slots 20
    # Clients that append at once take no brick for a bad one: it is one extent
    # for the head, if that, and one for the rest.
    is "slots-$i: one layout for all of it" \
        "$("$ALLOT" layout "$T/mnt-judge/slots-$i" --json | jq '.extents | length <= 2')" true
done

# A data brick goes away while all append: new extents without it. Its records
# are whole again when it is back.
race away append 60
must expect_within 60 longer "$T/mnt-judge/away" 1000000
must brick_kill 3
wait
must brick_start 3
ok "the brick is back" expect_within 30 sh -c \
    "$ALLOT status '$T/mnt-judge' --json | jq -e 'all(.bricks[]; .state == \"up\")'"
judged away check 60
done_testing
