#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 45
# Bricks are killed and started again, one after the other, under random calls
# of two programs on two mounts. While a brick is away calls may fail with EIO,
# and with nothing else. Afterwards everything that was acknowledged is there.
# shellcheck source=oracle-lib.sh
. "$(dirname "$0")/oracle-lib.sh"

SECONDS_EACH=${ORACLE_SECONDS:-25}
NAMES=(a b)

brick_is() { # brick_is MOUNT I STATE
    getfattr --only-values -n glusterfs.allot.status "$1" 2>/dev/null |
        jq -e --arg n "c$2" --arg s "$3" 'any(.bricks[]; .name == $n and .state == $s)'
}

all_see() { # all_see I STATE: all mounts
    local n
    for n in "${NAMES[@]}"; do
        expect_within 30 brick_is "$T/mnt-$n" "$1" "$2" || return 1
    done
}

made() { # made I CALLS: the I-th program has made so many
    [ -s "$T/rc-$1" ] || [ "$(cat "$T/progress-$1" 2>/dev/null || echo 0)" -ge "$2" ]
}

# Every program makes some more calls (or is stuck in one, for a while).
more_calls() {
    local i
    for i in "${!NAMES[@]}"; do
        expect_within 20 made "$i" $(($(cat "$T/progress-$i" 2>/dev/null || echo 0) + 30))
    done
}

running() {
    local i
    for i in "${!NAMES[@]}"; do
        [ -s "$T/rc-$i" ] || return 0
    done
    return 1
}

bricks_dirs 4
volume_make net-4 "${SMALL[@]}"
plain_graph "$T/vol/client.vol"
volume_start
must_mount judge "${DIRECT[@]}"
JUDGE=$M
for i in "${!NAMES[@]}"; do
    must_mount "${NAMES[i]}" "${DIRECT[@]}"
    MOUNTS=("$M")
    (
        oracle $((SEED + i)) "$SECONDS_EACH" -e EIO -p "$T/progress-$i" >"$T/out-$i" 2>&1
        echo $? >"$T/rc-$i"
    ) &
done

# Brick 3 holds data only; 0 holds names too, with copies on 1 and 2.
rounds=0
for victim in 3 0 3 3 3 3 3 3; do
    more_calls
    running || break
    must brick_kill $victim
    all_see $victim down || bail "nobody notices that brick $victim is away"
    more_calls
    must brick_start $victim
    all_see $victim up || bail "nobody notices that brick $victim is back"
    rounds=$((rounds + 1))
done
wait
ok "bricks went and came back, $rounds times" test $rounds -ge 3
MOUNTS=("$JUDGE")
for i in "${!NAMES[@]}"; do
    if [ "$(cat "$T/rc-$i")" = 0 ]; then
        tap ok "$(cat "$T/out-$i")"
        ok "what is known is right with all bricks there" judge $((SEED + i))
    else
        tap "not ok" "random calls"
        note "$(cat "$T/out-$i")"
    fi
done
done_testing
