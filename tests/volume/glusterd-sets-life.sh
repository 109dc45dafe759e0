#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# The life of a volume of sets (two replicas and an arbiter each), while a client
# that never unmounts, and one file that it never closes, go on growing: a data
# brick and an arbiter die, members are replaced and reset, a whole set is added,
# the layout fixed, data rebalanced, a set's removal refused, the volume stopped
# and started, and at last a set discarded. Until then no call of the client fails
# but in the stop, and nothing is lost. glusterd-sets-life-full.sh: replica 3.
# tier: check
# needs: 140
# waits: yes
# shellcheck source=glusterd-lib.sh
. "$(dirname "$0")/glusterd-lib.sh"
# shellcheck source=glusterd-sets-lib.sh
. "$(dirname "$0")/glusterd-sets-lib.sh"
# shellcheck source=glusterd-life-lib.sh
. "$(dirname "$0")/glusterd-life-lib.sh"

KIND=${KIND:-replica 2 arbiter 1}
bricks_make 9 1G
nodes_make n1 c1
glusterd_start n1
sets_start life "$KIND" 6
mkdir -p "$T/want/old" "$M/old"
for i in {1..40}; do
    noise 20000 >"$T/want/old/small$i"
    must cp "$T/want/old/small$i" "$M/old/"
done
noise 12000000 >"$T/want/old/spread"
must cp "$T/want/old/spread" "$M/old/"
old_right() {
    diff <(sums "$T/want/old") <(sums "$M/old")
}
life_start "${SPOTS[0]}"
life_grow
phase "before"
step

# ---- bricks die ---------------------------------------------------------------
phase "a brick of each set killed"
leaf_kill 0 5
ok "the volume is degraded" status_soon \
    '.state == "DEGRADED" and .spare_failures == 0 and leaf(0).state == "down" and leaf(5).state == "down"'
step
ok "old files are right" old_right
phase "they are back"
leaves_start
ok "the volume is up" status_soon '.state == "UP"'
step

# ---- members are replaced -----------------------------------------------------
phase "a member replaced"
# Something always waits to be healed of what the client is just writing. All else
# that one brick of a set has is on another one. like A B: with the same bytes;
# listed A B: an arbiter has no bytes.
not_growing() { # not_growing I: portions of brick I
    (cd "${SPOTS[$1]}" && find .allot -type f | grep -v -e "$(gfid_of "$GROW")" -e "$(gfid_of "$PLAIN")" | sort)
}
like() {
    not_growing "$2" >"$T/list"
    [ -s "$T/list" ] && cmp <(cd "${SPOTS[$1]}" && xargs md5sum <"$T/list") <(cd "${SPOTS[$2]}" && xargs md5sum <"$T/list")
}
listed() {
    not_growing "$2" >"$T/list"
    [ -s "$T/list" ] && (cd "${SPOTS[$1]}" && xargs stat -t <"$T/list")
}
last_like() { # the last brick of a set, an arbiter or not
    case $KIND in
    *arbiter*) listed "$@" ;;
    *) like "$@" ;;
    esac
}
ok "the data brick is healed" expect_within 90 like 0 1
ok "and the other" expect_within 90 last_like 5 4
must_gluster n1 volume replace-brick life "n1:${SPOTS[3]}" "n1:$T/b3/new" commit force
SPOTS[3]=$T/b3/new
ok "a replaced member is blank" status_soon 'leaf(3).state == "blank" and .state == "DEGRADED"'
step
ok "it is adopted" on c1 "$BUILD/allot" brick adopt life-client-3 /mnt/v
ok "it is up" status_soon '.state == "UP"'
ok "and healed" expect_within 90 like 3 4
phase "the last brick of a set reset"
must_gluster n1 volume reset-brick life "n1:${SPOTS[2]}" start
rm -rf "${SPOTS[2]}"
must_gluster n1 volume reset-brick life "n1:${SPOTS[2]}" "n1:${SPOTS[2]}" commit force
ok "an emptied last member is blank" status_soon 'leaf(2).state == "blank" and .state == "DEGRADED"'
step
ok "it is adopted" on c1 "$BUILD/allot" brick adopt life-client-2 /mnt/v
ok "it is up" status_soon '.state == "UP"'
ok "and healed" expect_within 90 last_like 2 1
report_whole() {
    on c1 timeout -s KILL 120 "$BUILD/allot" report --json /mnt/v >"$T/report.json"
    jq -e '.blocks.failed == 0 and .files.damaged == 0 and .files.unreadable == 0' "$T/report.json"
}
ok "nothing is lost" report_whole

# ---- grown by a set -----------------------------------------------------------
phase "a set added"
new=("n1:$T/b6/life" "n1:$T/b7/life" "n1:$T/b8/life")
must_gluster n1 volume add-brick life "${new[@]}" force
SPOTS+=("$T/b6/life" "$T/b7/life" "$T/b8/life")
ok "a set that is added becomes a member" status_soon \
    '.state == "UP" and (.bricks | length) == 3 and (.bricks | all(.index != null))'
ok "the file that is open all the time grows onto it" expect_within 60 has_member "$GROW" life-replicate-2
ok "with blocks on its bricks" test "$(bytes_on "$T/b6/life" "$GROW")" -gt 0
step
noise 5000000 >"$T/more"
ok "a file of before grows" want dd if="$T/more" of=old/spread bs=1M oflag=append conv=notrunc status=none
ok "onto the set" has_member old/spread life-replicate-2
ok "old files are right" old_right
life_rebalanced set "$T/b6/life" "${SPOTS[@]}" -- old/spread

# ---- shrinking is refused -----------------------------------------------------
phase "the removal of a set refused"
life_not_removed set life-replicate-2 "${new[@]}"
step
ok "the set is used as before" status_soon '.state == "UP" and (.bricks | length) == 3'
phase "volume stopped"
must_gluster n1 volume stop life force
must_gluster n1 volume start life
ok "the volume is back" status_soon '.state == "UP"'
# Creating files gives EIO for some seconds yet, on stock distribute as well.
ok "the client goes on" goes_on 100
phase "volume started"
step
ok "old files are right" old_right
ok "nothing is lost" report_whole

# ---- a set is discarded -------------------------------------------------------
phase "set discarded"
must_gluster n1 volume remove-brick life "${new[@]}" force
# Its bricks go one after the other: while a majority is there a name can be made.
for i in 6 7 8; do
    bases_on "${SPOTS[i]}"
done >"$T/missing"
ok "a set that is removed by force is no member any more" status_soon \
    '.state == "PARTIAL" and [.bricks[] | select(.kind != null)] == [set(0), set(1)] and set(2).state == "lost"'
phase "after that"
step_after
life_stop
on c1 timeout -s KILL 120 "$BUILD/allot" report --json /mnt/v >"$T/report.json"
client_mount c1 n1:/life /mnt/w -o direct-io-mode=enable || bail "no second mount"
M=$(in_node c1 /mnt/w)
ok "every file of the life is right, or damaged exactly as reported" life_check "$T/missing" "$T/report.json"
note "$(tail -1 "$T/checked")"
ok "files are restored by copies" cp -r "$T/want/old" "$M/"
ok "and are right" old_right
ok "the administrator knows of the loss" on c1 "$BUILD/allot" brick set life-replicate-2 lost /mnt/v
ok "nothing else is missing" status_soon '.state == "UP"'
is "no byte was ever wrong" "$(errors_of wrong)" ""
is "no write failed but in the stop" "$(errors_of "$GROW|$PLAIN|new" "volume stopped" "set discarded")" ""
is "of the growing files not even when the set went" "$(errors_of "$GROW|$PLAIN" "volume stopped")" ""
is "nor a read, but then and where blocks are lost" "$(errors_of read "volume stopped" "set discarded" "after that" "rebalanced")" ""
is "and of a rebalance only where files move" "$(read_errors_of_spread -1 rebalanced)" ""
done_testing
