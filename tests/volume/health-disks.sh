#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 65
# Disks that fail under bricks that stay connected (tests/volume/switch.c): how many
# errors in a row it takes, with EIO, EROFS and ENODEV; that a failing brick is
# held, comes back by itself, is held longer when it flaps, and that this is
# counted. Then the same for single bricks of disperse and replicate sets, whose calls
# only the set sees, for one that does not answer, and for one that alone has what is
# not healed yet.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=sets-lib.sh
. "$(dirname "$0")/sets-lib.sh"
SWITCH=$BUILD/tests/volume/.libs/switch
[ "$BUILD" != installed ] || SWITCH=$TOP/build/tests/volume/.libs/switch

# sick_client OUT ERRNO BRICK...: client.vol in which everything reaches these bricks
# through a disk that fails with ERRNO while $T/sick/BRICK exists.
sick_client() {
    local out=$1 number=$2 up
    shift 2
    up=$(glusterfs --print-xlatordir | sed 's|[^/][^/]*|..|g; s|^/||')
    awk -v type="$up$SWITCH" -v off="$T/sick/" -v number="$number" -v list=" $* " '
        $1 == "volume" && index(list, " " $2 " ") {
            brick = $2
            $2 = brick "-real"
        }
        { print }
        $1 == "end-volume" && brick {
            print "\nvolume " brick "\n    type " type "\n    option off " off brick
            print "    option errno " number "\n    subvolumes " brick "-real\nend-volume"
            brick = ""
        }' "$T/vol/client.vol" >"$T/vol/$out.vol"
}

mkdir "$T/sick"
sick() { # sick BRICK...: from now on
    (cd "$T/sick" && touch "$@")
}
well() {
    (cd "$T/sick" && rm -f "$@")
}
now_ms() {
    date +%s%3N
}
is_c3() { # is_c3 STATE
    status_is ".bricks[] | select(.name == \"c3\").state == \"$1\""
}
c3() { # c3 FILTER: of brick c3
    bounded 20 "$ALLOT" status "$M" --json | jq -r ".bricks[] | select(.name == \"c3\") | $1"
}
c3_errors() { # c3_errors N: at least so many
    [ "$(c3 .errors)" -ge "$1" ]
}

# ---- plain bricks -----------------------------------------------------------

bricks_dirs 6
volume_make net-4 --block-size 4KB --option allot:failing-errors=3 --option allot:failing-hold=2 \
    --option allot:stall-timeout=3 --option 'c*:ping-timeout=30'
volume_start
noise 100000 >"$T/noise"
number=(5 30 19)
why=("its calls end in EIO" "its file system is read-only" "its device is gone")
for i in 0 1 2; do
    sick_client "sick-$i" "${number[i]}" c3
done
VOLFILE=$T/vol/sick-0.vol must_mount eio --direct-io-mode=enable
for f in a b c; do
    must cp "$T/noise" "$M/$f"
done
# A block of each on c3, which all have: the fourth.
on_c3() { # on_c3 FILE: the offset of its first block there, in blocks
    "$ALLOT" layout "$M/$1" --json --blocks | jq '[.blocks[] | select(.[2] == "c3")][0][0] / 4096'
}
read_c3() { # read_c3 FILE
    dd if="$M/$1" bs=4096 skip="${AT[$1]}" count=1 status=none of=/dev/null 2>/dev/null
}
declare -A AT=()
for f in a b c; do
    AT[$f]=$(on_c3 $f)
done
errors=$(c3 .errors)
sick c3
nok "a block on the bad disk cannot be read" read_c3 a
nok "of a second file neither" read_c3 b
ok "the errors are counted" c3_errors $((errors + 2))
is "two errors in a row are not enough" "$(c3 .state)" up
well c3
ok "a success sets the count back" read_c3 a
sick c3
read_c3 b
read_c3 c
is "so that two more are not enough" "$(c3 .state)" up
for ((i = 0; i < 6; i++)); do
    read_c3 c
done
is "nor many of one and the same file" "$(c3 .state)" up
read_c3 a
read_c3 b
ok "three in a row, of different files, are" expect_within 5 is_c3 failing
is "the status says why" "$(c3 .why)" "${why[0]}"
is "next: the disk" "$("$ALLOT" status "$M" | tail -1)" \
    "next: look at the disk of brick c3, because ${why[0]}: it is used again by itself when it works"
# Nothing is read by a report, and what is asked of the brick it answers.
report() { # its exit status; $T/report.json
    local rc=0
    bounded 60 "$ALLOT" report "$M" --json >"$T/report.json" || rc=$?
    echo $rc
}
is "a report does not say that all can be read" "$(report)" 1
is "no block is known to be away, but that is not certain" \
    "$(jq -c '[.blocks.failed, .exact, .inexact_because]' "$T/report.json")" \
    '[0,false,["brick c3 is failing: whether what it holds can be read was not tried"]]'
ok "the status does not say so either" grep -qE \
    '^DEGRADED: 1 of 6 bricks is failing, what the failing brick holds may be unreadable; ' <("$ALLOT" status "$M")
ok "a new file does without it" cp "$T/noise" "$M/d"
is "it is on the others" "$("$ALLOT" layout "$M/d" --json | jq -r '[.extents[].members[].name] | unique | join(" ")')" "c0 c1 c2 c4 c5"

# ---- hysteresis: held, and held longer each time ----------------------------

well c3
start=$(now_ms)
ok "reads are tried while it is failing" read_c3 a
is "one that succeeds is not enough" "$(c3 .state)" failing
ok "it comes back by itself" expect_within 10 is_c3 up
note "held for $(($(now_ms) - start)) ms since it was well"
is "then a report is exact" "$(report)" 0
is "one failure, no flapping" "$(c3 '[.failures, .flaps] | join(" ")')" "1 0"
ok "a new file uses it" cp "$T/noise" "$M/e"
is "all six" "$("$ALLOT" layout "$M/e" --json | jq -r '[.extents[].members[].name] | unique | join(" ")')" "c0 c1 c2 c3 c4 c5"
sick c3
for f in a b c a; do
    read_c3 $f
done
start=$(now_ms)
ok "it fails again" expect_within 5 is_c3 failing
well c3
is "that is flapping" "$(c3 '[.failures, .flaps] | join(" ")')" "2 1"
ok "it comes back again" expect_within 20 is_c3 up
held=$(($(now_ms) - start))
ok "it was held twice as long ($held ms, at least 4000)" test $held -ge 3900
must umount_volume eio

for i in 1 2; do
    VOLFILE=$T/vol/sick-$i.vol must_mount "sick-$i" --direct-io-mode=enable
    sick c3
    for f in a b c; do
        cp "$T/noise" "$M/$f-$i" 2>/dev/null
        read_c3 $f
    done
    ok "errno ${number[i]} makes it failing" expect_within 5 is_c3 failing
    is "the status says why" "$(c3 .why)" "${why[i]}"
    well c3
    ok "and it comes back" expect_within 10 is_c3 up
    must umount_volume "sick-$i"
done

# Writes have failed, then one read; that other reads succeed proves nothing of what
# that one was for.
sed -i 's/option failing-hold 2$/option failing-hold 60/' "$T/vol/sick-1.vol"
VOLFILE=$T/vol/sick-1.vol must_mount partly --direct-io-mode=enable
sick c3
for f in a b c; do
    cp "$T/noise" "$M/$f-partly" 2>/dev/null
done
ok "a disk that cannot be written is failing" expect_within 5 is_c3 failing
is "what it has can be read, as far as is known" "$(c3 .may_be_unreadable)" false
nok "a read fails" read_c3 a
well c3
ok "another one succeeds" read_c3 b
is "what it has may be unreadable" "$(c3 '[.state, .may_be_unreadable] | join(" ")')" "failing true"
is "and a report does not say otherwise" "$(report)" 1
must umount_volume partly
for i in {0..5}; do
    must brick_kill "$i"
    brick_wipe "$i"
done

# ---- bricks of sets ---------------------------------------------------------

# sets_fail TEMPLATE READ: READ (ok or nok): what a set of three has can be read though
# the disks of two fail.
sets_fail() {
    volume_make "$1" --option allot:failing-errors=2 --option allot:failing-hold=1 \
        --option allot:stall-timeout=2 --option 'c*:ping-timeout=30'
    volume_start
    sick_client sets 19 c0 c1
    VOLFILE=$T/vol/sets.vol must_mount sets --attribute-timeout=0 --entry-timeout=0 --direct-io-mode=enable
    ok "$1: all is well" status_soon '.state == "UP" and .active and .spare_failures == 1'
    # On both sets, whichever has more room just now: the bricks share a file system with
    # all that other tests write.
    must cp "$T/wide" "$M/f"
    is "$1: a file is on both sets" "$("$ALLOT" layout "$M/f" --json |
        jq -r '[.extents[].members[].name] | unique | join(" ")')" "s0 s1"
    # Disperse takes its marks back some time after the write.
    ok "nothing waits to be healed" status_soon '[.bricks[].leaves[].heals_pending] | unique == [false]'
    sick c0
    ok "the disk of a brick of a set fails: the brick is failing" status_soon \
        'leaf("c0").state == "failing" and leaf("c0").why == "its device is gone"'
    ok "its set goes on, without a spare" status_soon \
        '.state == "DEGRADED" and set("s0").state == "up" and set("s0").degraded and set("s0").spare_failures == 0'
    ok "a file is written and right" cp "$T/noise" "$M/g"
    ok "both are" cmp "$T/noise" "$M/g"
    is "a report says that all can be read" "$(report)" 0
    is "exactly" "$(jq -c '[.blocks.failed, .exact]' "$T/report.json")" '[0,true]'
    ok "so does the status" grep -q '^DEGRADED: 1 set misses a brick, all data is still recoverable; ' <("$ALLOT" status "$M")
    is "to stop it is allowed" "$(rc=0; "$ALLOT" ok-to-stop c0 "$M" >/dev/null 2>&1 || rc=$?; echo $rc)" 0
    is "to stop another one is not" "$(rc=0; "$ALLOT" ok-to-stop c1 "$M" >/dev/null 2>&1 || rc=$?; echo $rc)" 1
    sick c1
    ok "a second one: the set is failing" status_soon \
        '.state == "DEGRADED" and leaf("c1").state == "failing" and set("s0").state == "failing"'
    is "the status says why" "$(jq -r '.bricks[] | select(.name == "s0").why' "$T/status.json")" "too few of its bricks are well"
    is "to stop one of them is not allowed any more: the other ones are too few" \
        "$(rc=0; "$ALLOT" ok-to-stop c0 "$M" >/dev/null 2>&1 || rc=$?; echo $rc)" 1
    is "a report is not certain any more" "$(report)" 1
    is "and says why" "$(jq -c .inexact_because "$T/report.json")" \
        '["brick s0 is failing: whether what it holds can be read was not tried"]'
    must cp "$T/noise" "$M/h"
    is "new data goes to the other set" "$("$ALLOT" layout "$M/h" --json |
        jq -r '[.extents[].members[].name] | unique | join(" ")')" "s1"
    "$2" "what the set has can be read ($2)" cmp "$T/wide" "$M/f"
    well c0 c1
    ok "they come back by themselves" status_soon \
        'leaf("c0").state == "up" and leaf("c1").state == "up" and set("s0").state == "up"'
    ok "what the set has is read" cmp "$T/wide" "$M/f"
}

noise 2000000 >"$T/wide"
sets_fail net-disperse-6 nok
must umount_volume sets
for i in {0..5}; do
    must brick_kill "$i"
    brick_wipe "$i"
done
sets_fail net-rep-6 ok
sick c0
ok "one fails again" status_soon 'leaf("c0").state == "failing"'
well c0
ok "that is flapping" status_soon 'leaf("c0").flaps == 1'
ok "it returns" status_soon 'leaf("c0").state == "up"'
must umount_volume sets

# ---- a volume that is read-only is no volume of sick disks -------------------

for i in {0..5}; do
    must brick_kill "$i"
    must sed -i -e '/^volume guard$/,/^end-volume$/{s/^volume guard$/volume guarded/}' \
        -e '/^volume guarded$/,/^end-volume$/{/^end-volume$/a\
\
volume guard\
    type features/read-only\
    option read-only on\
    subvolumes guarded\
end-volume
}' "$T/vol/brick-$i.vol"
    must brick_start "$i"
done
must_mount reader --attribute-timeout=0 --entry-timeout=0 --direct-io-mode=enable
ok "a volume that is read-only is up" status_soon '.state == "UP" and .active'
nok "nothing can be written" cp "$T/noise" "$M/i"
probed() { # each brick has been probed twice at least
    [ "$(fop_counts "$(mount_pid reader)" | awk '$1 ~ /^c[0-5]$/ && $2 == "SETATTR" && $3 >= 3' | wc -l)" -eq 6 ]
}
ok "its bricks are probed" expect_within 20 probed
ok "and are well" status_is '[.bricks[].leaves[].state] | unique == ["up"]'
ok "what is there is read" cmp "$T/wide" "$M/f"
must umount_volume reader
for i in {0..5}; do
    must brick_kill "$i"
    must sed -i -e '/^    option read-only on$/s/on$/off/' "$T/vol/brick-$i.vol"
    must brick_start "$i"
done

# ---- one that does not answer -----------------------------------------------

# The kernel of this mount need not ask for the root, which would wait for the
# brick as any call does that the set sends there.
must_mount patient --attribute-timeout=600 --entry-timeout=600
ok "it is mounted again" status_soon '.state == "UP" and .active'
must kill -STOP "$(brick_pid 4)"
ok "a brick of a set that does not answer is failing" status_soon \
    'leaf("c4").state == "failing" and leaf("c4").why == "it does not answer calls"'
is "it has not said whether it knows of heals" \
    "$(jq -c '.bricks[].leaves[] | select(.name == "c4" or .name == "c3").heals_pending' "$T/status.json" | xargs)" "false null"
start=$(now_ms)
ok "the status does not wait for it" bounded 30 "$ALLOT" status "$M"
took=$(($(now_ms) - start))
# It waits a second; the brick would be given up after thirty.
ok "more than a second ($took ms)" test $took -lt 8000
must kill -CONT "$(brick_pid 4)"
ok "it comes back by itself" status_soon 'leaf("c4").state == "up"'
must umount_volume patient

# ---- what only one brick has, while its disk fails --------------------------

sick_client alone 19 c3
must sed -i '/^volume s1$/,/^end-volume$/s/quorum-type auto/quorum-type none/' "$T/vol/alone.vol"
VOLFILE=$T/vol/alone.vol must_mount alone --attribute-timeout=0 --entry-timeout=0 --direct-io-mode=enable
ok "one brick of a set is enough to write" status_soon '.state == "UP" and set("s1").spare_by_quorum == 2'
must brick_kill 4
must brick_kill 5
ok "two are away" status_soon 'leaf("c4").state == "down" and leaf("c5").state == "down"'
must cp "$T/noise" "$M/f"
must brick_start 4
must brick_start 5
ok "they lack what the third one has" status_soon '[leaf("c3", "c4", "c5").heals_pending] == [true, false, false] and
    all(leaf("c4", "c5"); .state == "up") and set("s1").may_be_unreadable == false'
sick c3
ok "its disk fails: what it has may be unreadable, though the set is up" status_soon \
    'leaf("c3").state == "failing" and (set("s1") | .state == "up" and .may_be_unreadable)'
is "a report is not certain" "$(report)" 1
is "and says why" "$(jq -c .inexact_because "$T/report.json")" \
    '["bricks of s1 are failing that have what is not healed yet: whether it can be read was not tried"]'
well c3
ok "it comes back" status_soon 'leaf("c3").state == "up" and (set("s1").may_be_unreadable | not)'
must umount_volume alone
done_testing
