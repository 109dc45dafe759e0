#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 80
# A brick whose process runs and whose disk does not work: errors and stalls
# make it `failing`, it gets no new data, is still read, and comes back by
# itself; `full` has hysteresis; the administrator's states are kept on the
# bricks and seen by other clients; all of it is logged once and counted.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

ALLOT=allot
[ "$BUILD" = installed ] || ALLOT=$BUILD/allot

of() { # of MOUNT I KEY: a value of brick cI
    getfattr --only-values -n glusterfs.allot.status "$1" 2>/dev/null |
        jq -r --arg n "c$2" --arg k "$3" '.bricks[] | select(.name == $n)[$k]'
}

brick_is() { # brick_is MOUNT I STATE
    [ "$(of "$1" "$2" state)" = "$3" ]
}

members() { # members FILE: names of the bricks that its extents use
    "$ALLOT" layout "$1" --json | jq -r '[.extents[].members[].name] | unique | join(" ")'
}

state_lines() { # state_lines MOUNTNAME I STATE: log lines of that change
    grep -c "brick c$2 is $3" "$LOG/mnt-$1.log"
}

# What the bricks have stored of their states, each distinct one, and the version
# that the client knows.
registry() {
    local i
    for i in 0 1 2 3; do
        getfattr -h -e hex --absolute-names -n trusted.allot.registry "${BRICK[i]}" | sed -n 's/^trusted.*=//p'
    done | sort -u
    "$ALLOT" status "$A" --json | jq .registry_version
}

# A copy of client.vol in which allot has TYPE on top of BRICK.
with_layer() { # with_layer BRICK OUT TYPE OPTION...
    local brick=$1 out=$2 type=$3
    shift 3
    awk -v b="$brick" -v type="$type" -v options="$(printf '    option %s\n' "$@")" '
        $1 == "volume" && $2 == "allot" {
            print "volume " b "x\n    type debug/" type "\n" options
            print "    subvolumes " b "\nend-volume\n"
            in_allot = 1
        }
        in_allot && $1 == "subvolumes" {
            for (i = 3; i <= NF; i++)
                if ($i == b)
                    $i = b "x"
        }
        $1 == "end-volume" { in_allot = 0 }
        { print }' "$T/vol/client.vol" >"$out"
}

bricks_make 4 320M
volume_make net-4 --block-size 64KB --option allot:failing-hold=2 --option allot:stall-timeout=2 \
    --option allot:min-free=30% --option 'c*:ping-timeout=60'
volume_start
must_mount m --direct-io-mode=enable
A=$M
noise 1048576 >"$T/noise"
must cp "$T/noise" "$A/before"
is "four bricks hold a file" "$(members "$A/before")" "c0 c1 c2 c3"

stored=$(registry)
is "all bricks have the same registry" "$(wc -l <<<"$stored")" 2

# ---- a file system that became read-only ------------------------------------

must mount -o remount,ro "${BRICK[3]}"
for i in 1 2 3 4 5 6 7 8; do
    cp "$T/noise" "$A/ro-$i" 2>/dev/null
done
ok "a brick on a read-only file system is failing" expect_within 10 brick_is "$A" 3 failing
is "the status says why" "$(of "$A" 3 why)" "its file system is read-only"
is "the volume is degraded" "$("$ALLOT" status "$A" --json | jq -r .state)" DEGRADED
ok "new files do without it" cp "$T/noise" "$A/without"
is "they are on the others" "$(members "$A/without")" "c0 c1 c2"
ok "what it has is still read" cmp "$T/noise" "$A/before"
is "the change was logged once" "$(state_lines m 3 failing)" 1
is "what it has counts as readable: only writes have failed" \
    "$("$ALLOT" report "$A" --json | jq -c '.blocks.failed, [.inexact_because[] | select(test("failing"))]' | xargs)" "0 []"
ok "the status says so" grep -qE '^DEGRADED: 1 of 4 bricks is failing, all data is still recoverable; ' \
    <("$ALLOT" status "$A")
ok "errors were counted" test "$(of "$A" 3 errors)" -ge 5
must mount -o remount,rw "${BRICK[3]}"
ok "it comes back by itself" expect_within 20 brick_is "$A" 3 up
ok "new files use it again" cp "$T/noise" "$A/with"
is "all four" "$(members "$A/with")" "c0 c1 c2 c3"
ok "the return was logged" grep -q "brick c3 is up (was failing)" "$LOG/mnt-m.log"
is "one failure" "$(of "$A" 3 failures)" 1
ok "changes were counted" test "$(of "$A" 3 changes)" -ge 4

# ---- a process that does not answer -----------------------------------------

must kill -STOP "$(brick_pid 3)"
ok "a stopped brick is failing, though nobody uses it" expect_within 20 brick_is "$A" 3 failing
is "the status says why" "$(of "$A" 3 why)" "it does not answer calls"
ok "new files do not wait for it" bounded 10 cp "$T/noise" "$A/beside"
ok "calls are out" test "$(of "$A" 3 in_flight)" -ge 1
must kill -CONT "$(brick_pid 3)"
ok "it comes back by itself" expect_within 30 brick_is "$A" 3 up
is "that was flapping" "$(of "$A" 3 flaps)" 1
is "the files beside it" "$(members "$A/beside")" "c0 c1 c2"
ok "they are right" cmp "$T/noise" "$A/beside"

# ---- errors and delays of one client's own ----------------------------------

# error-gen takes an errno for some calls only, never for several in a row.
with_layer c3 "$T/vol/sick.vol" error-gen "random-failure on" "failure 0.0001" \
    "enable write,create" "error-no EIO"
sed -i 's/option failing-hold 2$/option failing-hold 60\n    option failing-errors 1/' "$T/vol/sick.vol"
VOLFILE=$T/vol/sick.vol must_mount sick --direct-io-mode=enable
for i in 1 2 3 4 5 6 7 8; do
    cp "$T/noise" "$M/sick-$i" 2>/dev/null
done
sick_state() {
    "$ALLOT" status "$M" --json | jq -e '[.bricks[].state] == ["up", "up", "up", "failing"]'
}
ok "a client that meets EIO takes the brick for failing" expect_within 10 sick_state
ok "for another client it is up" brick_is "$A" 3 up
ok "the files are right there" cmp "$T/noise" "$A/sick-8"
must umount_volume sick

with_layer c3 "$T/vol/slow.vol" delay-gen "delay-percentage 100" "delay-duration 6000000" "enable read"
VOLFILE=$T/vol/slow.vol must_mount slow --direct-io-mode=enable
(bounded 90 cmp -n 262144 "$T/noise" "$M/before" >/dev/null 2>&1 && echo same >"$T/slow") &
ok "a client that waits takes the brick for failing" expect_within 15 sick_state
wait $!
is "what it waited for is right" "$(cat "$T/slow" 2>/dev/null)" same
must mount_kill slow # its delayed calls would hold it up
ok "a damaged file is not a sick disk" test "$(of "$A" 3 state)" = up
M=$A

# ---- full, with hysteresis --------------------------------------------------

# min-free 30% of 320 MiB: full below 96 MiB of free space.
must fallocate -l 210M "${BRICK[2]}/.glusterfs/ballast"
ok "a brick with less than min-free is full" expect_within 20 brick_is "$A" 2 full
must cp "$T/noise" "$A/full"
is "new files avoid it" "$(members "$A/full")" "c0 c1 c3"
is "it was logged once" "$(state_lines m 2 full)" 1
must rm "${BRICK[2]}/.glusterfs/ballast"
ok "with room it is up again" expect_within 20 brick_is "$A" 2 up

# At the border: a brick that was full is taken again only with half a percent
# (1.6 MiB here) more than min-free. storage/posix keeps 1% for itself.
avail() {
    df --output=avail -B1 "${BRICK[2]}" | tail -1
}
used_is_less() { # used_is_less BYTES
    [ "$(of "$A" 2 used_bytes)" -lt "$1" ]
}
border=$(($(df --output=size -B1 "${BRICK[2]}" | tail -1) * 31 / 100))
must fallocate -l $(($(avail) - border + 524288)) "${BRICK[2]}/.glusterfs/ballast"
ok "just below min-free it is full" expect_within 20 brick_is "$A" 2 full
used=$(of "$A" 2 used_bytes)
must truncate -s $(($(stat -c %s "${BRICK[2]}/.glusterfs/ballast") - 1228800)) "${BRICK[2]}/.glusterfs/ballast"
ok "the client sees that there is more room" expect_within 20 used_is_less $((used - 1000000))
ok "that is above min-free" test "$(avail)" -gt "$border"
ok "but it stays full" brick_is "$A" 2 full
must truncate -s $(($(stat -c %s "${BRICK[2]}/.glusterfs/ballast") - 2097152)) "${BRICK[2]}/.glusterfs/ballast"
ok "with half a percent more it is up" expect_within 20 brick_is "$A" 2 up
must rm "${BRICK[2]}/.glusterfs/ballast"

# ---- the administrator's states ---------------------------------------------

must_mount b --direct-io-mode=enable
B=$M
rc=0
"$ALLOT" brick set c1 lost "$A" 2>"$T/err" || rc=$?
is "a brick that serves data cannot be declared lost" "$rc" 2
ok "the sentence says so" grep -q "it serves data" "$T/err"
rc=0
"$ALLOT" brick set c1 gone "$A" 2>"$T/err" || rc=$?
is "an unknown state is refused" "$rc" 2
rc=0
"$ALLOT" brick set c9 lost "$A" 2>"$T/err" || rc=$?
is "an unknown brick too" "$rc" 2
is "nothing of all this is stored: what one client sees is not the volume's state" "$(registry)" "$stored"
ok "draining is set" "$ALLOT" brick set c1 draining "$A"
ok "it is seen at once here" brick_is "$A" 1 draining
ok "and by another client soon" expect_within 30 brick_is "$B" 1 draining
stores() { # all bricks something else than before, the same
    local now
    now=$(registry)
    [ "$(wc -l <<<"$now")" -eq 2 ] && [ "${now%%$'\n'*}" != "${stored%%$'\n'*}" ] &&
        [ "${now##*$'\n'}" -gt "${stored##*$'\n'}" ]
}
ok "what the administrator says is stored, on all bricks" expect_within 20 stores
must cp "$T/noise" "$B/draining"
is "that client's new files avoid it" "$(members "$B/draining")" "c0 c2 c3"
ok "it is read" cmp "$T/noise" "$B/before"
ok "draining is cleared" "$ALLOT" brick set c1 clear "$A"
ok "it is up again, for the other client" expect_within 30 brick_is "$B" 1 up

must brick_kill 3
ok "brick 3 is down" expect_within 30 brick_is "$A" 3 down
ok "it is declared lost" "$ALLOT" brick set c3 lost "$A"
lost_down() {
    "$ALLOT" report "$1" --json | jq -e '.blocks.unavailable == 0 and .blocks.lost > 0'
}
must umount_volume b
must brick_start 3
ok "it returns and is lost: that is kept on the bricks" expect_within 30 brick_is "$A" 3 lost
ok "its blocks are lost" lost_down "$A"
must_mount b2 --direct-io-mode=enable
ok "for a client that comes later too" expect_within 30 brick_is "$M" 3 lost
nok "lost blocks are not read" cmp "$T/noise" "$M/before"
ok "the administrator's word is taken back" "$ALLOT" brick set c3 clear "$M"
ok "it is up again" expect_within 30 brick_is "$A" 3 up
ok "and read" cmp "$T/noise" "$A/before"
is "the registry's changes are logged" \
    "$(cat "$LOG"/mnt-*.log | grep -c 'the administrator has set brick')" 4
M=$A

# Each change has one line, with the id of the state it leads to (docs/admin.md).
changes=$(grep -cE 'brick c[0-9] is [a-z]+.*\(was [a-z]+\)' "$LOG/mnt-m.log")
ok "changes were logged ($changes)" test "$changes" -ge 10
for i in 0 1 2 3; do
    is "of brick c$i as many as were counted" \
        "$(grep -E "brick c$i is [a-z]+.*\(was [a-z]+\)" "$LOG/mnt-m.log" | grep -cvE 'is ([a-z]+)\W.*\(was \1\)')" \
        "$(of "$A" $i changes)"
done
number=1000100
for state in down connecting up full draining blank lost foreign failing; do
    is "lines that say $state have id $number" \
        "$(grep -E "brick c[0-9] is $state.*\(was" "$LOG/mnt-m.log" | grep -cv "MSGID: $number\]")" 0
    is "and no other has" \
        "$(grep "MSGID: $number\]" "$LOG/mnt-m.log" | grep -cvE "brick c[0-9] is $state.*\(was")" 0
    number=$((number + 1))
done

# ---- where else it is told --------------------------------------------------

must brick_kill 1
ok "a brick is down" expect_within 30 brick_is "$A" 1 down
told_everywhere "$A" m 4 "one down"
ok "the dump says who is down" grep -qE 'name=c1 index=[0-9]+ state=down ' "$T/dump"
ok "and that c3 flapped" grep -qE '^allot\.brick\.c3\.flaps [1-9]' "$T/metrics"
must brick_start 1
ok "it is back" expect_within 30 brick_is "$A" 1 up
told_everywhere "$A" m 4 "all up"
is "that was one more failure, and a flap if it had failed before" \
    "$(of "$A" 1 failures) $(of "$A" 1 flaps)" "1 0"

done_testing
