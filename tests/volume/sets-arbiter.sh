#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 30
# Sets of two replicas and an arbiter: what the arbiter may do for the data, and
# what it cannot.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=sets-lib.sh
. "$(dirname "$0")/sets-lib.sh"

sets_want
sets_start net-arbiter-6
is "the sets have arbiters" \
    "$(jq -rc '[.bricks[] | .kind, (.leaves | map(.arbiter))]' "$T/status.json")" \
    '["arbiter",[false,false,true],"arbiter",[false,false,true]]'
for f in a b; do
    noise 3000000 >"$T/$f"
    want cp "$T/$f" "$f"
done
ok "files read back" all_right
is "an arbiter has their portions, without data" \
    "$(find "${BRICK[2]}/.allot" -type f -printf '%s ')" "0 0 "

brick_kill 0
brick_kill 5
ok "the volume is degraded" status_soon \
    '.state == "DEGRADED" and .spare_failures == 0 and leaf("c5").state == "down"'
is "the report: k = 0, exact" "$("$ALLOT" report "$M" --json | jq -c '[.blocks.failed, .files.intact, .exact]')" '[0,2,true]'
ok "a file is patched" patch a 1
ok "one is cut and made longer" want truncate -s 700000 b
want truncate -s 2000000 b
ok "all of it is right" all_right
ok "a self-heal daemon starts" heal_start
brick_start 0
brick_start 5
ok "they return" status_soon '.state == "UP"'
ok "everything is healed" expect_within 60 healed {0..5}
ok "the data bricks of a set are equal" same_portions 0 1
brick_kill 1
ok "nothing was lost: the healed brick has it all" all_right
ok "a file is patched" patch b 0
brick_start 1
ok "it returns" status_soon '.state == "UP"'
ok "everything is healed" expect_within 60 healed {0..5}

# An emptied data brick.
brick_kill 4
brick_wipe 4
brick_start 4
ok "an emptied brick is blank" status_soon 'leaf("c4").state == "blank" and .state == "DEGRADED"'
ok "nothing is missing" all_right
ok "it is adopted again" "$ALLOT" brick adopt c4 "$M"
same_after_heal() {
    healed {0..5} && same_portions 4 3
}
ok "it is healed" expect_within 60 same_after_heal
brick_kill 3
ok "nothing is missing without the brick it was healed from" all_right
brick_kill 4
ok "with both data bricks away the set is down" status_soon 'set("s1").state == "down"'
nok "its blocks are not read as zeros" cat "$M/a"
done_testing
