#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 40
# Replicate sets of three as data subvolumes: a brick of each set dies, all goes
# on and the status says what is left; they return and heal, and then the others
# may die. A brick that was emptied serves nobody until it is adopted, and heals.
# shellcheck source=fail-lib.sh
. "$(dirname "$0")/fail-lib.sh"
# shellcheck source=sets-lib.sh
. "$(dirname "$0")/sets-lib.sh"

sets_want
ORIG=$T/want
sets_start net-rep-6
is "the data subvolumes are the sets" \
    "$(jq -rc '[.bricks[] | .name, .kind, (.leaves | length), .spare_failures]' "$T/status.json")" \
    '["s0","replicate",3,1,"s1","replicate",3,1]'
is "one more brick may fail" "$(jq .spare_failures "$T/status.json")" 1
for f in a b c; do
    noise 5000000 >"$T/$f"
    want cp "$T/$f" "$f"
done
want cp /etc/passwd small
ok "files read back" all_right
portions_everywhere() {
    local i
    for i in {0..5}; do
        [ "$(find "${BRICK[i]}/.allot" -type f | wc -l)" -eq 3 ] || return 1
    done
}
ok "every brick has its portion of each" portions_everywhere

# ---- a brick of each set dies
brick_kill 0
brick_kill 4
ok "the volume is degraded, no more brick may fail" status_soon \
    '.state == "DEGRADED" and .spare_failures == 0 and leaf("c0").state == "down" and
     leaf("c4").state == "down" and set("s0").state == "up" and set("s0").degraded'
ok "nothing is missing" all_right
allot_json one-of-each 0 report "$M"
is_j "and the report says so: k = 0, exact" one-of-each '[.blocks.failed, .files.intact, .exact]' '[0,4,true]'
# Where else it is told.
told_everywhere "$M" m 8 "two sets, six bricks below them"
is "the metrics say that two are down" "$(sed -n 's/^allot\.leaf\.\(.*\)\.usable 0$/\1/p' "$T/metrics" | xargs)" "c0 c4"
noise 3000000 >"$T/d"
ok "a file is written" want cp "$T/d" d
ok "one is patched" patch a 2
ok "one is cut and made longer" want truncate -s 1500000 b
want truncate -s 4000000 b
ok "one is removed" want rm c
ok "all of it is right" all_right

# ---- they return and heal
ok "a self-heal daemon starts" heal_start
brick_start 0
brick_start 4
ok "the volume is up" status_soon '.state == "UP" and .spare_failures == 1'
ok "everything is healed" expect_within 60 healed {0..5}
ok "portions of the healed bricks are those of the others" same_portions 0 1
ok "also in the other set" same_portions 4 3
ok "files are right" all_right

# ---- and then the others may die
brick_kill 1
brick_kill 3
ok "the volume is degraded" status_soon '.state == "DEGRADED" and .spare_failures == 0'
ok "nothing was lost: what is there was healed" all_right
ok "a file is patched" patch d 1
brick_kill 2
ok "a set without quorum is down, the volume partial" status_soon \
    '.state == "PARTIAL" and set("s0").state == "down" and set("s1").state == "up"'
# Names are distributed over the sets as well: those on the other one are left.
here() { # FILE...: of these, the ones whose name it has
    local f
    for f in "$@"; do
        [ -z "$(find "${BRICK[4]}/$f" -type f ! -perm -1000 2>/dev/null)" ] || echo "$f"
    done
}
mapfile -t left < <(here a b d small)
mapfile -t spread < <(here a b d)
allot_json without-quorum 1 report "$M"
report_holds without-quorum "${left[@]}"
is_j "all that is failed is unavailable, and on that set" without-quorum \
    '[.blocks.failed > 0, .blocks.failed == .blocks.unavailable, (.bricks[] | select(.blocks.failed > 0).name)]' \
    '[true,true,"s0"]'
is_j "the names that are left" without-quorum '[.files.total, .files.damaged]' "[${#left[@]},${#spread[@]}]"
is_j "data of the others survives without a name, so it is not exact" without-quorum \
    '[.surviving_unnamed.files, .exact, (.inexact_because | map(test("namespace brick")) | unique)]' \
    "[$((3 - ${#spread[@]})),false,[true]]"
nok "a file on it cannot be read" cmp "$M/a" "$T/want/a"
for i in 1 2 3; do
    brick_start $i
done
ok "all return" status_soon '.state == "UP"'
ok "everything is healed" expect_within 60 healed {0..5}
ok "files are right" all_right

# ---- one is emptied
brick_kill 2
brick_wipe 2
brick_start 2
ok "an emptied brick is blank, its set degraded" status_soon \
    '.state == "DEGRADED" and leaf("c2").state == "blank" and set("s0").state == "up"'
ok "nothing is missing" all_right
ok "a file is patched" patch a 3
for f in n{1..4}; do
    ok "a new one is written: $f" want cp "$T/a" "$f"
done
is "nobody wrote to it" "$(find "${BRICK[2]}" -mindepth 1 -maxdepth 1 ! -name .glusterfs)" ""
ok "it is adopted again" "$ALLOT" brick adopt c2 "$M"
ok "the volume is up" status_soon '.state == "UP"'
same_after_heal() {
    healed {0..5} && same_portions 2 1
}
ok "it is healed" expect_within 60 same_after_heal
brick_kill 0
ok "nothing is missing with another brick down" all_right
brick_start 0
ok "it returns" status_soon '.state == "UP"'

# ---- what was counted of single bricks
count() { # count BRICK KEY
    jq --arg n "c$1" --arg k "$2" '.bricks[].leaves[] | select(.name == $n)[$k]' "$T/status.json"
}
is "c0 failed twice, the second time soon after it had returned" "$(count 0 failures) $(count 0 flaps)" "2 1"
is "c4 failed once, c5 never" "$(count 4 failures) $(count 4 flaps) $(count 5 failures) $(count 5 flaps)" "1 0 0 0"
for i in {0..5}; do
    is "of c$i as many changes are counted as are logged" "$(count "$i" changes)" \
        "$(grep -cE "brick c$i of s[01] is [a-z]+.*\(was [a-z]+\)" "$LOG/mnt-m.log")"
done
is "c0 has come, gone, come, gone and come" "$(grep -oE 'brick c0 of s0 is [a-z]+' "$LOG/mnt-m.log" |
    grep -cE ' (up|down)$')" 5
done_testing
