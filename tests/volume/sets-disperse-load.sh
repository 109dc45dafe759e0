#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 200
# Random calls of two programs on two mounts of disperse sets, while one brick of
# each set after the other is killed, comes back and is healed. No call may fail, and
# in the end every byte is right, whichever brick is away.
# shellcheck source=oracle-lib.sh
. "$(dirname "$0")/oracle-lib.sh"
# shellcheck source=sets-lib.sh
. "$(dirname "$0")/sets-lib.sh"

# Without allot disperse of GlusterFS 10 is wrong in these: a file without a name
# takes no part of a stripe (ENOENT, then EBADF at the close).
OTHERS=unlink,rename,link

note "repeat with ORACLE_SEED=$SEED"
sets_start net-disperse-6 "${SMALL[@]}" --option 'locks:notify-contention-delay=0'
plain_graph "$T/vol/client.vol"
for n in a b judge; do
    must_mount $n "${DIRECT[@]}"
done
M=$T/mnt-m
ok "a self-heal daemon runs" heal_start

SEEDS=()
begin() { # begin SECONDS: a program on each mount, in the background
    local i
    for i in 0 1; do
        rm -f "$T/rc-$i" "$T/progress-$i"
        MOUNTS=("$T/mnt-a")
        [ $i = 0 ] || MOUNTS=("$T/mnt-b")
        SEEDS+=($((SEED + i)))
        (
            bounded 300 "$ORACLE" -s $((SEED + i)) -t "$1" -f 3 -S 0 -x $OTHERS -p "$T/progress-$i" \
                -o "$T/state-$((SEED + i))" "${MOUNTS[@]}" >"$T/out-$i" 2>&1
            echo $? >"$T/rc-$i"
        ) &
    done
}
made() { # made N: both have made so many calls
    local i
    for i in 0 1; do
        [ -s "$T/rc-$i" ] || [ "$(cat "$T/progress-$i" 2>/dev/null || echo 0)" -ge "$1" ] || return 1
    done
}
more() { # both make some more
    local now
    now=$(cat "$T"/progress-[01] 2>/dev/null | sort -n | tail -1)
    expect_within 60 made $((${now:-0} + 20))
}
pair() { # pair I: a brick of each set is killed
    brick_kill "$1"
    brick_kill $(($1 + 3))
    ok "bricks $1 and $(($1 + 3)) are away" status_soon '.state == "DEGRADED" and
        leaf("c'"$1"'").state == "down" and leaf("c'$(($1 + 3))'").state == "down"'
}
pair_back() {
    brick_start "$1"
    brick_start $(($1 + 3))
    ok "they are back" status_soon '.state == "UP"'
}
judged() { # judged DESC: what is known of all files is right, byte by byte
    local seed
    MOUNTS=("$T/mnt-judge")
    for seed in "${SEEDS[@]}"; do
        ok "seed $seed: right $1" judge "$seed"
    done
}

for ((i = 0; i < 3; i++)); do
    begin "${ORACLE_SECONDS:-30}"
    more
    pair $i
    more
    pair_back $i
    more
    ok "the programs still run" test ! -s "$T/rc-0"
    wait
    for k in 0 1; do
        is "seed $((SEED + k)): no call has failed" "$(cat "$T/rc-$k")" 0 || note "$(cat "$T/out-$k")"
    done
    SEED=$((SEED + 2))
    ok "everything is healed" expect_within 100 healed {0..5}
done
judged "with all bricks there"
for i in 0 1 2; do
    pair $i
    judged "without these"
    pair_back $i
done
done_testing
