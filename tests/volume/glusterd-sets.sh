#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# A replica 3 volume of a stock glusterd: its self-heal daemon is what it was,
# bricks die, return and are healed, members are replaced and reset; what no mark
# tells of is found by a full heal. Checksums after every step.
# tier: check
# needs: 85
# waits: yes
# shellcheck source=glusterd-lib.sh
. "$(dirname "$0")/glusterd-lib.sh"
# shellcheck source=glusterd-sets-lib.sh
. "$(dirname "$0")/glusterd-sets-lib.sh"

bricks_make 6 400M
nodes_make n1 c1
glusterd_start n1
sets_start rep "replica 3" 6
is "the data subvolumes are the sets, with their bricks" \
    "$(jq -rc '[.bricks[] | .name, .kind, .spare_failures, [.leaves[] | .name, .state]]' "$T/status.json")" \
    '["rep-replicate-0","replicate",1,["rep-client-0","up","rep-client-1","up","rep-client-2","up"],"rep-replicate-1","replicate",1,["rep-client-3","up","rep-client-4","up","rep-client-5","up"]]'
for f in a b c; do
    noise 5000000 >"$T/want/$f"
    must cp "$T/want/$f" "$M/$f"
done
want cp /etc/passwd small
ok "files read back" all_right
ok "every brick has a portion of each" test "$(find "${SPOTS[@]/%//.allot}" -type f | wc -l)" -eq 18
ok "the report is of three files, without damage" report

# ---- the self-heal daemon
nok "the daemon's volfile has no allot" grep -q cluster/allot "$(volfile n1 rep rep-shd.vol)"
shd() { gluster n1 volume status rep shd | grep -qE '^Self-heal Daemon.* Y +[0-9]+'; }
ok "the self-heal daemon runs" expect_within 30 shd
is "heal info has nothing" "$(heal_entries)" 0
# What no index knows of is found by a full crawl only.
portion=$(cd "${SPOTS[1]}" && find .allot -type f | head -1)
must leaf_forget 1 "$portion"
nok "a brick has lost a portion" same_portions 1 0
leaf_kill 0
ok "with another one away" status_soon 'leaf(0).state == "down"'
on c1 "$BUILD/allot" report --json /mnt/v >"$T/report.json"
is "what only one brick has is not lost" "$(jq -c '[.blocks.failed > 0, .blocks.lost]' "$T/report.json")" "[true,0]"
leaves_start
ok "that one is back" status_soon '.state == "UP"'
ok "and files are right" all_right
# A name, too; replicate shows the names of one brick, so nobody lists here.
must leaf_forget 1 b
must_gluster n1 volume heal rep full
whole_again() {
    [ -e "${SPOTS[1]}/b" ] && same_portions 1 0
}
ok "heal full brings both back" expect_within 30 whole_again
ok "files are right" all_right

# ---- a brick of each set dies
leaf_kill 0 4
ok "the volume is degraded, no more brick may fail" status_soon \
    '.state == "DEGRADED" and .spare_failures == 0 and leaf(0).state == "down" and
     leaf(4).state == "down" and set(0).state == "up" and set(0).degraded'
ok "nothing is missing" all_right
ok "and the report says so" report
noise 3000000 >"$T/new"
ok "a file is written" want cp "$T/new" d
ok "one is patched" patch a 2
ok "one is cut and made longer" want truncate -s 1500000 b
want truncate -s 4000000 b
ok "one is removed" want rm c
ok "all of it is right" all_right
ok "heal info names what waits" test "$(heal_entries)" -gt 0
ok "portions, too" grep -q '^/.allot/../.*' <(gluster n1 volume heal rep info)
leaves_start
ok "the volume is up" status_soon '.state == "UP"'
ok "everything is healed" expect_within 60 healed
ok "then one may fail again" status_soon '.spare_failures == 1'
ok "portions of the healed bricks are those of the others" same_portions 0 1
ok "also in the other set" same_portions 4 3
ok "files are right" all_right
leaf_kill 1 3
ok "with the others away" status_soon '.state == "DEGRADED" and leaf(1).state == "down" and leaf(3).state == "down"'
ok "nothing was lost" all_right
ok "a file is patched" patch d 1
leaves_start
ok "they are back" status_soon '.state == "UP"'
ok "and healed" expect_within 60 healed

# ---- a member is replaced
must_gluster n1 volume replace-brick rep "n1:${SPOTS[2]}" "n1:$T/b2/new" commit force
SPOTS[2]=$T/b2/new
ok "a replaced member is blank, its set degraded" status_soon \
    '.state == "DEGRADED" and leaf(2).state == "blank" and set(0).state == "up"'
ok "nothing is missing" all_right
ok "a file is patched" patch a 3
# Files in new directories, while it is blank and before anything of it is healed:
# what is made on it then must not hide from the daemon that all else is missing.
must_gluster n1 volume set rep cluster.self-heal-daemon off
noise 300000 >"$T/some"
some() { # some NAME
    local i
    for i in {1..12}; do
        want cp "$T/some" "$1$i" || return 1
    done
}
ok "files are written while it is blank" some blank
ok "the member is adopted" on c1 "$BUILD/allot" brick adopt rep-client-2 /mnt/v
ok "files are written before it is healed" some adopted
for i in {1..12}; do
    must cp /etc/hostname "$M/away$i"
done
leaf_kill 1
ok "with another one away" status_soon 'leaf(1).state == "down" and set(0).state == "up"'
# Replicate refuses most of it then. What is tried must not hide anything either. Not
# with O_CREAT: replicate may say that a name is not there as long as the emptied brick
# says so and a lock is on it, its own of healing the name is enough; then the kernel
# creates it, on that brick with another gfid.
for i in {1..12}; do
    bounded 60 dd if="$T/some" of="$M/away$i" bs=64K oflag=append conv=notrunc,nocreat 2>/dev/null
done
leaves_start
ok "that one is back" status_soon '.state == "UP"'
must_gluster n1 volume set rep cluster.self-heal-daemon on
same_after_heal() { # same_after_heal A B
    healed && same_portions "$1" "$2"
}
ok "it is up" status_soon '.state == "UP"'
ok "and healed, all of it" expect_within 60 same_after_heal 2 1
ok "as the third has it" same_portions 2 0
must rm "$M"/away*
ok "files are right" all_right

# ---- a member's disk is replaced
must_gluster n1 volume reset-brick rep "n1:${SPOTS[5]}" start
rm -rf "${SPOTS[5]}"
ok "a file is patched" patch d 0
must_gluster n1 volume reset-brick rep "n1:${SPOTS[5]}" "n1:${SPOTS[5]}" commit force
ok "a member that was reset is blank" status_soon '.state == "DEGRADED" and leaf(5).state == "blank"'
ok "nothing is missing" all_right
ok "it is adopted" on c1 "$BUILD/allot" brick adopt rep-client-5 /mnt/v
ok "it is up" status_soon '.state == "UP"'
ok "and healed" expect_within 60 same_after_heal 5 4
leaf_kill 0 3
ok "with two others away" status_soon '.state == "DEGRADED" and leaf(0).state == "down" and leaf(3).state == "down"'
ok "nothing was lost" all_right
ok "the report has no loss" report
leaf_kill 4
ok "a set without quorum is down, the volume partial" status_soon \
    '.state == "PARTIAL" and set(1).state == "down" and set(0).state == "up"'
nok "the report says that data is missing" report
nok "a file on it cannot be read" cmp "$M/a" "$T/want/a"
leaves_start
ok "all are back" status_soon '.state == "UP"'
ok "and healed" expect_within 60 healed
ok "files are right" all_right
done_testing
