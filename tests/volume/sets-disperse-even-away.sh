#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 40
# As sets-disperse-even, with one brick of each set away: of the two others one has had
# the fence or the publication, one has not. No two of the set agree. No call fails,
# nothing is lost; the third one returns and is healed, and all agree.
# shellcheck source=sets-even-lib.sh
. "$(dirname "$0")/sets-even-lib.sh"

sets_start net-disperse-6 --block-size 16KB
made one closed cut record dirty settle
n=0
for f in "${FILES[@]}"; do
    state "${f%-*}" "$f" $((n % 2)) $(((n + 1) % 2)) 2
    n=$((n + 1))
done
told
nok "they do not agree any more" test -z "$(uneven)"
for i in 2 5; do
    brick_kill $i
done
sets_mount q
ok "one of each set is away" status_soon '.state == "DEGRADED"'
for f in "${FILES[@]}"; do
    ok "$f" worked "$f" "${f#*-}"
done
ok "the log says so of portions" grep -q 'had different generations of the portion' "$LOG/mnt-q.log"
ok "and of records" grep -q 'had different records' "$LOG/mnt-q.log"
ok "no set is taken for a failing one" status_is '[.bricks[].state] == ["up", "up"]'
must umount_volume q
ok "nothing is lost" fresh right "${FILES[@]}"
for i in 2 5; do
    brick_start $i
done
without_each
done_testing
