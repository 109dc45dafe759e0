# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Bricks that go away and come back while programs make random calls. Sourced by
# faults-bricks.sh and soak.sh, which say how long and how often.
# shellcheck source=oracle-lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/oracle-lib.sh"

NAMES=(a b)      # mounts
PROGRAMS=(a b)   # programs; each on the mounts that its word is made of
CALLS_BETWEEN=30 # of each program, before a brick's state is changed again

brick_is() { # brick_is MOUNT I STATE
    getfattr --only-values -n glusterfs.allot.status "$1" 2>/dev/null |
        jq -e --arg n "c$2" --arg s "$3" 'any(.bricks[]; .name == $n and .state == $s)'
}

all_see() { # all_see I STATE: all mounts
    local n
    for n in "${NAMES[@]}" judge; do
        expect_within 60 brick_is "$T/mnt-$n" "$1" "$2" || return 1
    done
}

made() { # made I CALLS: the I-th program has made so many
    [ -s "$T/rc-$1" ] || [ "$(cat "$T/progress-$1" 2>/dev/null || echo 0)" -ge "$2" ]
}

# Every program makes some more calls (or is stuck in one, for a while).
more_calls() {
    local i
    for i in "${!PROGRAMS[@]}"; do
        expect_within 20 made "$i" $(($(cat "$T/progress-$i" 2>/dev/null || echo 0) + CALLS_BETWEEN))
    done
}

running() {
    local i
    for i in "${!PROGRAMS[@]}"; do
        [ -s "$T/rc-$i" ] || return 0
    done
    return 1
}

# bricks_setup: four bricks, replicated names, the mounts and one that judges.
bricks_setup() {
    local n
    bricks_dirs 4
    volume_make net-4 "${SMALL[@]}"
    plain_graph "$T/vol/client.vol"
    volume_start
    must_mount judge "${DIRECT[@]}"
    JUDGE=$M
    for n in "${NAMES[@]}"; do
        must_mount "$n" "${DIRECT[@]}"
    done
}

# programs_begin SEED SECONDS: all of them, in the background.
programs_begin() {
    local i k word
    for i in "${!PROGRAMS[@]}"; do
        rm -f "$T/rc-$i" "$T/progress-$i"
        word=${PROGRAMS[i]} MOUNTS=()
        for ((k = 0; k < ${#word}; k++)); do
            MOUNTS+=("$T/mnt-${word:k:1}")
        done
        (
            oracle $(($1 + i)) "$2" -e EIO -p "$T/progress-$i" >"$T/out-$i" 2>&1
            echo $? >"$T/rc-$i"
        ) &
    done
}

# brick_cycle I: it is killed and started again, with calls in between.
brick_cycle() {
    must brick_kill "$1"
    all_see "$1" down || bail "nobody notices that brick $1 is away"
    more_calls
    must brick_start "$1"
    all_see "$1" up || bail "nobody notices that brick $1 is back"
}

# programs_end SEED: what they said, and what the judge says with all bricks
# there. Bad ones are counted in $BAD.
BAD=0
programs_end() {
    local i
    wait
    # shellcheck disable=SC2034
    MOUNTS=("$JUDGE")
    for i in "${!PROGRAMS[@]}"; do
        if [ "$(cat "$T/rc-$i")" = 0 ]; then
            tap ok "$(cat "$T/out-$i")"
            ok "seed $(($1 + i)): what is known is right with all bricks there" \
                judge $(($1 + i)) || BAD=$((BAD + 1))
        else
            tap "not ok" "random calls of ${PROGRAMS[i]}, seed $(($1 + i))"
            note "$(cat "$T/out-$i")"
            BAD=$((BAD + 1))
        fi
    done
}
