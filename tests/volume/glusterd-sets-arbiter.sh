#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Volumes of two replicas and an arbiter under a stock glusterd: a data brick, then
# the arbiter dies; each is replaced.
# tier: check
# needs: 40
# waits: yes
# shellcheck source=glusterd-lib.sh
. "$(dirname "$0")/glusterd-lib.sh"
# shellcheck source=glusterd-sets-lib.sh
. "$(dirname "$0")/glusterd-sets-lib.sh"

bricks_make 6 400M
nodes_make n1 c1
glusterd_start n1
sets_start arb "replica 2 arbiter 1" 6
is "the sets have arbiters" "$(jq -rc '[.bricks[] | .kind, (.leaves | map(.arbiter))]' "$T/status.json")" \
    '["arbiter",[false,false,true],"arbiter",[false,false,true]]'
for f in a b; do
    noise 3000000 >"$T/want/$f"
    must cp "$T/want/$f" "$M/$f"
done
ok "files read back" all_right
is "arbiters keep portions without data" "$(find "${SPOTS[2]}/.allot" "${SPOTS[5]}/.allot" -type f -size +0 | wc -l)" 0

# ---- a data brick and an arbiter die
leaf_kill 0 5
ok "the volume is degraded" status_soon \
    '.state == "DEGRADED" and .spare_failures == 0 and leaf(0).state == "down" and leaf(5).state == "down"'
ok "a file is patched" patch a 1
ok "one is cut and made longer" want truncate -s 700000 b
want truncate -s 2000000 b
ok "all of it is right" all_right
leaves_start
ok "they are back" status_soon '.state == "UP"'
ok "and healed" expect_within 60 healed
ok "then one may fail again" status_soon '.spare_failures == 1'
ok "the data bricks of a set are equal" same_portions 0 1
leaf_kill 1
ok "with the other one away" status_soon 'leaf(1).state == "down" and .state == "DEGRADED"'
ok "nothing was lost" all_right
ok "a file is patched" patch b 0
leaves_start
ok "it is back" status_soon '.state == "UP"'
ok "and healed" expect_within 60 healed

# ---- a data brick, then an arbiter is replaced
must_gluster n1 volume replace-brick arb "n1:${SPOTS[3]}" "n1:$T/b3/new" commit force
SPOTS[3]=$T/b3/new
ok "a replaced data brick is blank" status_soon 'leaf(3).state == "blank" and .state == "DEGRADED"'
ok "nothing is missing" all_right
ok "it is adopted" on c1 "$BUILD/allot" brick adopt arb-client-3 /mnt/v
same_after_heal() { # same_after_heal A B
    healed && same_portions "$1" "$2"
}
ok "and healed" expect_within 60 same_after_heal 3 4
must_gluster n1 volume reset-brick arb "n1:${SPOTS[2]}" start
rm -rf "${SPOTS[2]}"
must_gluster n1 volume reset-brick arb "n1:${SPOTS[2]}" "n1:${SPOTS[2]}" commit force
ok "an emptied arbiter is blank" status_soon 'leaf(2).state == "blank" and .state == "DEGRADED"'
ok "a file is patched" patch a 2
ok "it is adopted" on c1 "$BUILD/allot" brick adopt arb-client-2 /mnt/v
arbiter_whole() {
    healed && [ "$(find "${SPOTS[2]}/.allot" -type f | wc -l)" = "$(find "${SPOTS[0]}/.allot" -type f | wc -l)" ]
}
ok "and healed" expect_within 60 arbiter_whole
leaf_kill 0 4
ok "with one data brick of each set away" status_soon '.state == "DEGRADED" and leaf(0).state == "down" and leaf(4).state == "down"'
ok "nothing was lost" all_right
ok "the report has no loss" report
leaf_kill 1
ok "with both data bricks of a set away it is down" status_soon 'set(0).state == "down"'
nok "its blocks are not read as zeros" cmp "$M/a" "$T/want/a"
done_testing
