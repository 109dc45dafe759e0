#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# A distributed disperse volume of a stock glusterd, two sets of two fragments and
# one more: its self-heal daemon is what it was, bricks die, return and are healed; then
# others are away. Checksums after every step. glusterd-sets-disperse-full.sh: also a
# member is replaced, and too many of a set are away.
# tier: check
# needs: 60
# waits: yes
# shellcheck source=glusterd-lib.sh
. "$(dirname "$0")/glusterd-lib.sh"
# shellcheck source=glusterd-sets-lib.sh
. "$(dirname "$0")/glusterd-sets-lib.sh"

spot() { # spot I: the directory of brick I
    echo "${SPOTS[$1]}"
}
# shellcheck source=fragments-lib.sh
. "$(dirname "$0")/fragments-lib.sh"
healed_all() {
    healed && fragments_agree 0 1 2 && fragments_agree 3 4 5
}
everything_healed() {
    ok "everything is healed, the bricks of a set agree" expect_within 100 healed_all ||
        note "$(pending) entries wait" "$(gluster n1 volume heal dis info)" \
            "$(diff <(fragments_of 0) <(fragments_of 1))" "$(diff <(fragments_of 0) <(fragments_of 2))" \
            "$(diff <(fragments_of 3) <(fragments_of 4))" "$(diff <(fragments_of 3) <(fragments_of 5))"
}
append() { # append FILE BYTES
    noise "$2" >"$T/piece"
    want dd if="$T/piece" of="$1" bs="$2" oflag=append conv=notrunc status=none
}
fill() { # fill FILE BYTES
    noise "$2" >"$T/piece"
    want cp "$T/piece" "$1"
}
# fresh: every file, every byte, through a client that has seen nothing yet.
fresh() {
    local was=$M rc=0
    client_mount c1 n1:/dis /mnt/fresh -o attribute-timeout=0,entry-timeout=0,direct-io-mode=enable || return 1
    M=$(in_node c1 /mnt/fresh)
    all_right || rc=1
    expect_within 20 on c1 umount /mnt/fresh || rc=1
    M=$was
    return "$rc"
}
# nothing_failed DESC: k = 0.
nothing_failed() {
    on c1 timeout -s KILL 60 "$BUILD/allot" report --json /mnt/v >"$T/report.json"
    is "$1" "$(jq -c '[.exact, .files.total, .files.intact, .blocks.failed, .bytes.failed]' "$T/report.json")" \
        "[true,$(find "$T/want" -type f | wc -l),$(find "$T/want" -type f | wc -l),0,0]"
}

bricks_make 6 400M
nodes_make n1 c1
glusterd_start n1
sets_start dis "disperse 3 redundancy 1" 6
is "the data subvolumes are the sets, with their bricks" \
    "$(jq -rc '[.bricks[] | .name, .kind, .spare_failures, [.leaves[] | .name, .state]]' "$T/status.json")" \
    '["dis-disperse-0","disperse",1,["dis-client-0","up","dis-client-1","up","dis-client-2","up"],"dis-disperse-1","disperse",1,["dis-client-3","up","dis-client-4","up","dis-client-5","up"]]'
is "no warning" "$(jq -c .warnings "$T/status.json")" "[]"
for f in a b c; do
    must fill $f 5000003
done
for size in 0 1 1023 1025 65535 65536 65537; do
    must fill s$size $size
done
want cp /etc/passwd small
ok "files read back" all_right
ok "also through another client" fresh
is "every brick has a portion of each" "$(for f in {0..5}; do
    find "${SPOTS[f]}/.allot" -type f -size +2000k | wc -l
done | tr '\n' ' ')" "3 3 3 3 3 3 "
nothing_failed "k = 0 of all files, exactly"

# ---- the self-heal daemon

ok "the daemon has a volfile" grep -q cluster/disperse "$(volfile n1 dis dis-shd.vol)"
nok "without allot" grep -q cluster/allot "$(volfile n1 dis dis-shd.vol)"
shd() { gluster n1 volume status dis shd | grep -qE '^Self-heal Daemon.* Y +[0-9]+'; }
ok "it runs" expect_within 30 shd
ok "nothing waits for it" expect_within 30 healed

# ---- a brick of each set dies

leaf_kill 0 4
ok "the volume is degraded, no more brick may fail" status_soon \
    '.state == "DEGRADED" and .spare_failures == 0 and leaf(0).state == "down" and
     leaf(4).state == "down" and all(.bricks[]; .state == "up" and .degraded)'
ok "nothing is missing" all_right
nothing_failed "and the report says so"
ok "a file is written" fill d 3000001
ok "one is patched" patch a 2
ok "one is cut and made longer" want truncate -s 1500001 b
want truncate -s 4000003 b
ok "one is punched" want fallocate -p -o 1000001 -l 700000 d
ok "one is appended to" append s65537 70001
ok "one is removed" want rm c
ok "all of it is right" all_right
ok "heal info names what waits" test "$(heal_entries)" -gt 0
ok "portions, too" grep -q '^/.allot/../.*' <(gluster n1 volume heal dis info)
leaves_start
ok "the volume is up" status_soon '.state == "UP"'
everything_healed
ok "then one may fail again" status_soon '.spare_failures == 1'
ok "files are right" all_right
leaf_kill 1 3
ok "with others away" status_soon '.state == "DEGRADED" and leaf(1).state == "down" and leaf(3).state == "down"'
ok "nothing was lost, and nothing that was cut off came back" fresh
nothing_failed "k = 0"
ok "a file is patched" patch d 1
if [ -z "${SETS_FULL:-}" ]; then
    ok "it is right" all_right
    done_testing
fi
ok "one is cut and made longer" want truncate -s 700001 a
want truncate -s 2000001 a
leaves_start
ok "they are back" status_soon '.state == "UP"'
everything_healed

# ---- a member is replaced

must_gluster n1 volume replace-brick dis "n1:${SPOTS[2]}" "n1:$T/b2/new" commit force
SPOTS[2]=$T/b2/new
ok "a replaced member is blank, its set degraded" status_soon \
    '.state == "DEGRADED" and leaf(2).state == "blank" and set(0).state == "up" and set(0).degraded'
ok "nothing is missing" all_right
nothing_failed "nothing is lost"
ok "a file is patched" patch b 3
ok "one is cut" want truncate -s 2500001 d
is "nobody wrote to it" "$(find "${SPOTS[2]}" -mindepth 1 -maxdepth 1 ! -name .glusterfs)" ""
ok "the member is adopted" on c1 "$BUILD/allot" brick adopt dis-client-2 /mnt/v
ok "it is up" status_soon '.state == "UP"'
everything_healed
ok "files are right" all_right
leaf_kill 0 5
ok "with two others away" status_soon '.state == "DEGRADED" and leaf(0).state == "down" and leaf(5).state == "down"'
ok "nothing was lost" fresh
nothing_failed "the report has no loss"

# ---- two of one set are away

leaf_kill 4
ok "a set with too few fragments is down, the volume partial" status_soon \
    '.state == "PARTIAL" and set(1).state == "down" and set(0).state == "up"'
nok "the report says that data is missing" report
on c1 timeout -s KILL 60 "$BUILD/allot" report --json /mnt/v >"$T/report.json"
is "unavailable, not lost" "$(jq -c '[.blocks.failed > 0, .blocks.failed - .blocks.unavailable, .blocks.lost]' "$T/report.json")" \
    "[true,0,0]"
nok "a file on it cannot be read" cmp "$M/a" "$T/want/a"
leaves_start
ok "all are back" status_soon '.state == "UP"'
everything_healed
ok "files are right" fresh
done_testing
