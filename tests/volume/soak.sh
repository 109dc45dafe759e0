#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 4000
# soak.sh [MINUTES] - random calls for an hour, or so many minutes: one program
# on each of two mounts and a third on both, while bricks are killed and come
# back all the time. Every two minutes the programs end, a mount that had no
# part in it judges every byte, names are healed, and new seeds begin.
#
# The last lines say how many calls were made, how often a brick was killed, and
# how many seeds were bad. ORACLE_SEED repeats the first seeds of a run.
# shellcheck source=faults-bricks-lib.sh
. "$(dirname "$0")/faults-bricks-lib.sh"

MINUTES=${1:-60}
SLICE=${SOAK_SLICE:-120} # seconds
PROGRAMS=(a b ab)
CALLS_BETWEEN=200

calls=0 kills=0 seeds=0
end=$((SECONDS + MINUTES * 60))
bricks_setup
while [ $SECONDS -lt $end ]; do
    programs_begin "$SEED" "$SLICE"
    # Names are on bricks 0 to 2. Only one of these goes in a slice, since
    # replicate has to heal before the next: see below.
    n=0
    while running; do
        more_calls
        running || break
        if [ $n = 1 ]; then
            brick_cycle $((RANDOM % 3))
        else
            brick_cycle 3
        fi
        n=$((n + 1))
    done
    programs_end "$SEED"
    for i in "${!PROGRAMS[@]}"; do
        calls=$((calls + $(cat "$T/progress-$i" 2>/dev/null || echo 0)))
        rm -f "$T/state-$((SEED + i))"
    done
    kills=$((kills + n)) seeds=$((seeds + ${#PROGRAMS[@]}))
    # Replicate heals what is looked at for the second time.
    for i in 1 2; do
        bounded 100 find "$JUDGE" -exec stat {} + >/dev/null 2>&1
    done
    SEED=$((SEED + ${#PROGRAMS[@]}))
    note "$((SECONDS / 60)) min: $calls calls, $kills kills, $seeds seeds, $BAD bad"
done
ok "bricks went and came back, $kills times" test $kills -ge "$MINUTES"
is "bad seeds of $seeds, in $calls calls" $BAD 0
done_testing
