#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 25
# Read-ahead over links so slow that the largest window would take longer on its
# way than it may be old: nothing must be fetched twice. And over links on which a
# chunk takes longer than that: it is left off.
# shellcheck disable=SC2034 # bench/lib.sh reads these
BENCH=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../../bench QUICK='' ROUNDS=1
# shellcheck source=../../bench/lib.sh
. "$BENCH/lib.sh"
RATE=20
MIB=24

carried() { # bytes that came from all bricks so far
    local i
    for ((i = 0; i < NBRICKS; i++)); do
        cat "/sys/class/net/al$$-$i/statistics/rx_bytes"
    done | awk '{ n += $1 } END { print n }'
}

bricks_make 4 512M
ROOTS=("${BRICK[@]}")
links_up
volume_up allot
noise $((MIB << 20)) >"$T/f"
must cp "$T/f" "$M/f"
# 1.06 with headers. A machine that is busy makes some of it too old, and perhaps not each
# time; without a smaller window it is twice as much each time.
for attempt in {1..5}; do
    remount
    before=$(carried)
    ok "the bytes are right" cmp "$T/f" "$M/f"
    got=$((($(carried) - before) >> 10))
    note "$got KiB came over the links for $((MIB << 10)) (attempt $attempt)"
    [ "$got" -gt $((MIB * 1024 * 13 / 10)) ] || break
done
ok "they came once" test "$got" -le $((MIB * 1024 * 13 / 10))

# A chunk takes two seconds: every one is too old when it has come.
for ((i = 0; i < NBRICKS; i++)); do
    must tc -n "$(link_ns "$i")" qdisc replace dev eth0 root tbf rate 1mbit burst 64kb latency 10s
done
head -c $((2 << 20)) "$T/f" >"$T/g"
must cp "$T/g" "$M/g"
remount
before=$(carried)
from=$SECONDS
ok "very slow: the bytes are right" cmp "$T/g" "$M/g"
got=$((($(carried) - before) >> 10))
note "$got KiB came over the links for 2048"
# What is asked for before an answer is seen to be too late is in vain: a window
# of 1 MiB and one of 512 KiB, and again after each ten seconds of rest.
ok "very slow: they came once, but for the first windows" \
    test $got -le $((2048 * 13 / 10 + 1536 * (1 + (SECONDS - from) / 10)))
umount_volume m
done_testing
