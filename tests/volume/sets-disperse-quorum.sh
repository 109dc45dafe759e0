#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 15
# Option quorum-count of a disperse set: so many bricks must be there before disperse
# changes anything, and allot takes no fewer for enough. Nor does it of those that have
# what is not healed yet.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=sets-lib.sh
. "$(dirname "$0")/sets-lib.sh"

sets_want
sets_start net-disperse-6 --block-size 64KB --option 's0:quorum-count=3'
ok "no brick of s0 may fail, one of s1" status_is '[.bricks[].spare_failures] == [0, 1]'
nok "none of s0 may stop" "$ALLOT" ok-to-stop c0 "$M"
ok "one of s1 may" "$ALLOT" ok-to-stop c3 "$M"
for f in {1..8}; do
    noise 400001 >"$T/piece"
    must want cp "$T/piece" "$f"
done
brick_kill 0
ok "with one away the set is down" status_soon 'set("s0").state == "down" and set("s1").state == "up"'
rc=0
"$ALLOT" report "$M" --json >"$T/report.json" || rc=$?
is "the report counts its blocks" "$rc $(jq -c '[.blocks.failed > 0, .blocks.failed - .blocks.unavailable, .blocks.lost]' "$T/report.json")" "1 [true,0,0]"
brick_start 0
ok "it returns" status_soon '.state == "UP"'
ok "and all is right" all_right
brick_kill 3
ok "one of s1 away does no harm" status_soon '.state == "DEGRADED" and set("s1").state == "up"'
ok "all is right" all_right

# It returns and lacks what was written meanwhile: two fragments are needed to read
# that, and two bricks have one. Nobody heals here.
for f in {1..6}; do
    must patch "$f" 0
done
brick_start 3
ok "it returns, not healed: by number one may fail, but none of the two" status_soon \
    'leaf("c3").state == "up" and (set("s1") | .healing and .spare_by_quorum == 1 and .spare_failures == 0) and
     [leaf("c3", "c4", "c5").heals_pending] == [false, true, true]'
rc=0
"$ALLOT" ok-to-stop c4 "$M" --json >"$T/stop.json" || rc=$?
is "one of the two may not stop" "$rc $(jq -c .because "$T/stop.json")" \
    '1 ["without brick c4 there may be too few that have what is not healed yet: wait until it is"]'
ok "the status says so" grep -q '^s1 can lose 0 more bricks: what is not healed yet may be on too few$' <("$ALLOT" status "$M")
ok "the one that lacks it may" "$ALLOT" ok-to-stop c3 "$M"

# Another one is away, too, and lacks other files: all three have something that is
# not healed, and of no file more than two have a fragment.
brick_kill 4
ok "another one is away" status_soon 'leaf("c4").state == "down"'
for f in 7 8; do
    must patch "$f" 0
done
brick_start 4
ok "it returns: all three know of heals, and none may fail" status_soon \
    'leaf("c4").state == "up" and (set("s1") | .healing and .spare_by_quorum == 1 and .spare_failures == 0) and
     [leaf("c3", "c4", "c5").heals_pending] == [true, true, true]'
for one in c3 c4 c5; do
    nok "none may stop: $one" "$ALLOT" ok-to-stop $one "$M"
done
brick_kill 5
ok "without one of them" status_soon 'leaf("c5").state == "down" and set("s1").state == "up"'
nok "not all can be read" all_right

# More than there are bricks.
sed '/^volume s0$/,/^end-volume$/s/quorum-count 3/quorum-count 4/' "$T/vol/client.vol" >"$T/vol/bad.vol"
VOLFILE=$T/vol/bad.vol
export VOLFILE
nok "a count of which there are no bricks is refused" mount_volume bad
ok "with a sentence" grep -q "has a quorum-count out of range" "$LOG/mnt-bad.log"
done_testing
