#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 60
# `allot ok-to-stop`: what it says would become unreadable is what does when the
# brick is killed; bricks of replicate sets, alone and together; and bricks that
# know of what is not healed yet, of which spare_failures knows, too.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=sets-lib.sh
. "$(dirname "$0")/sets-lib.sh"

stop() { # stop BRICK...: the exit status; $T/stop.json
    local rc=0
    bounded 60 "$ALLOT" ok-to-stop "$@" "$M" --json >"$T/stop.json" 2>"$T/err" || rc=$?
    echo $rc
}
s() { # s FILTER
    jq -rc "$1" "$T/stop.json"
}

# ---- plain bricks -----------------------------------------------------------

bricks_dirs 6
volume_make net-4 --block-size 64KB --option 'c*:ping-timeout=5'
volume_start
must_mount m
touch "$M/empty"
is "a volume without data: any brick may stop" "$(stop c3)" 0
is "it says so" "$("$ALLOT" ok-to-stop c3 "$M")" "c3 can be stopped: nothing becomes unreadable"
noise 1000000 >"$T/noise"
mkdir -p "$M/d/e"
for i in 1 2 3 4 5; do
    must cp "$T/noise" "$M/d/e/f$i"
done
is "with data it may not" "$(stop c3)" 1
told=$(s '[.files, .blocks, .bytes]')
is "from any directory the whole volume is meant" \
    "$("$ALLOT" ok-to-stop c3 "$M/d" --json | jq -c '[.files, .blocks, .bytes]')" "$told"
is "libgfapi says the same" \
    "$("$ALLOT" ok-to-stop c3 "$T/vol/client.vol:/" --json | jq -c '[.files, .blocks, .bytes]')" "$told"
ok "the sentence says how much" grep -qE '^c3 cannot be stopped: [0-9]+ blocks \([0-9.]+ [KM]iB\) of 5 files would become unreadable$' \
    <("$ALLOT" ok-to-stop c3 "$M")
is "a brick that nobody knows" "$(stop c9)" 2
rc=0
"$ALLOT" ok-to-stop c3 2>/dev/null || rc=$?
is "without TARGET" $rc 2
each() { # each: all bricks by themselves; the exit status, $T/each.json
    local rc=0
    bounded 60 "$ALLOT" ok-to-stop "$M" --json >"$T/each.json" 2>"$T/err" || rc=$?
    echo $rc
}
is "which bricks may, each by itself: none" "$(each)" 1
same=0
for i in {0..5}; do
    stop "c$i" >/dev/null
    [ "$(s 'del(.version)')" = "$(jq -c ".candidates[$i]" "$T/each.json")" ] || same=1
done
is "it says of each what the question for it says" $same 0
is "of all six" "$(jq -c '[.candidates[].bricks[0]] | join(" ")' "$T/each.json")" '"c0 c1 c2 c3 c4 c5"'
ok "as a table" grep -qE '^c5 +no +[0-9]+ blocks .* would become unreadable$' <("$ALLOT" ok-to-stop "$M")
is "two of those that hold names" "$(stop c0 c1)" 1
ok "the names are a reason" grep -q "more than one brick of those that may hold names" "$T/stop.json"
must brick_kill 3
down() {
    "$ALLOT" status "$M" --json | jq -e '.bricks[3].state == "down"'
}
ok "it is killed" expect_within 30 down
is "what was said is what is away now" \
    "$("$ALLOT" report "$M" --json | jq -c '[.files.damaged + .files.unreadable, .blocks.unavailable, .bytes.unavailable]')" "$told"
is "to stop what is down changes nothing" "$(stop c3)" 0
each >/dev/null
is "it is no candidate" "$(jq -c '[.candidates[].bricks[0]] | join(" ")' "$T/each.json")" '"c0 c1 c2 c4 c5"'
must umount_volume m
for i in 0 1 2 4 5; do
    must brick_kill $i
done
for i in {0..5}; do
    brick_wipe "$i"
done

# ---- sets -------------------------------------------------------------------

volume_make net-arbiter-6 --option 'c*:ping-timeout=5'
volume_start
sets_mount sets
ok "a volume of two sets with arbiters" status_soon '.state == "UP" and .active and .spare_failures == 1'
must cp "$T/noise" "$M/f"
must cp "$T/noise" "$M/g"
must cp "$T/noise" "$M/h"
for one in c0 c2 c5; do
    is "one of a set may stop: $one" "$(stop $one)" 0
done
is "one of each set may" "$(stop c1 c4)" 0
is "two of one set may not" "$(stop c0 c1)" 1
ok "data would be unreadable" test "$(s .bytes)" -gt 0
is "nor a set as a whole" "$(stop s0)" 1
must brick_kill 0
ok "a brick is down" status_soon 'leaf("c0").state == "down"'
is "no other of its set may stop" "$(stop c1)" 1
is "but one of the other set" "$(stop c3)" 0
dd if="$T/noise" of="$M/f" bs=65536 count=8 conv=notrunc 2>/dev/null
dd if="$T/noise" of="$M/g" bs=65536 count=8 conv=notrunc 2>/dev/null
brick_start 0
ok "it is back, and not healed: nothing may fail" \
    status_soon 'leaf("c0").state == "up" and set("s0").healing and set("s0").spare_failures == 0 and .spare_failures == 0'
is "some bricks may stop" "$(each)" 0
is "these: the one that lacks something, and those of the other set" \
    "$(jq -c '[.candidates[] | select(.ok).bricks[0]] | join(" ")' "$T/each.json")" '"c0 c3 c4 c5"'
is "the other one with data may not stop" "$(stop c1)" 1
is "because it alone may have what is not healed" "$(s '.because[0]')" \
    "brick c1 may be the only one that has what is not healed yet: wait until it is"
is "the one that lacks it may" "$(stop c0)" 0
# Then the other one is away, and lacks another file: each alone has something.
must brick_kill 1
ok "the other one is away" status_soon 'leaf("c1").state == "down"'
dd if="$T/noise" of="$M/h" bs=65536 count=8 conv=notrunc 2>/dev/null
brick_start 1
ok "it is back: both know of heals" status_soon 'leaf("c1").state == "up" and
    [leaf("c0", "c1", "c2").heals_pending] == [true, true, true] and set("s0").spare_failures == 0'
for one in c0 c1; do
    is "none of the two may stop: $one" "$(stop $one)" 1
    is "because it alone may have what is not healed" "$(s '.because[0]')" \
        "brick $one may be the only one that has what is not healed yet: wait until it is"
done
ok "a self-heal daemon starts" heal_start
ok "everything is healed" expect_within 60 healed {0..5}
ok "one may fail again" status_soon '.spare_failures == 1 and (set("s0").healing | not)'
is "then it may stop" "$(stop c1)" 0
brick_kill 1
ok "it does" status_soon 'leaf("c1").state == "down"'
ok "and nothing is missing" cmp "$T/noise" "$M/f"

done_testing
