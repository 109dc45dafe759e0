#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 45
# A report predicts what reading back returns, byte for byte: random files on
# eight bricks, and every subset of up to four of them away (163), the same with the
# portions of one brick removed; counts as the layouts have it. One process,
# whose bricks are switched off and on by tests/volume/switch.c.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

ALLOT=allot
[ "$BUILD" = installed ] || ALLOT=$BUILD/allot
SWITCH=$BUILD/tests/volume/.libs/switch
[ "$BUILD" != installed ] || SWITCH=$TOP/build/tests/volume/.libs/switch
SEED=${ALLOT_SEED:-$RANDOM}
note "repeat with ALLOT_SEED=$SEED"
RANDOM=$SEED

# Each brick below a switch; names replicated over five of eight, so that they
# survive four.
switched() {
    local up
    up=$(glusterfs --print-xlatordir | sed 's|[^/][^/]*|..|g; s|^/||')
    awk -v type="$up$SWITCH" -v off="$T/off/" '
        $1 == "volume" && $2 ~ /^b[0-9]+$/ {
            brick = $2
            $2 = brick "-guard"
        }
        $1 == "volume" && $2 == "dht" {
            print "volume dht\n    type cluster/replicate\n    option quorum-type none"
            print "    subvolumes b0 b1 b2 b3 b4\nend-volume"
            skip = 1
        }
        !skip { sub(/option namespace distribute/, "option namespace replicate"); print }
        $1 == "end-volume" {
            if (brick) {
                print "\nvolume " brick "\n    type " type
                print "    option off " off substr(brick, 2)
                print "    subvolumes " brick "-guard\nend-volume"
            }
            brick = ""
            skip = 0
        }' "$T/vol/client.vol"
}

bricks_dirs 8
mkdir "$T/off"
volume_make local-4 --bricks 8 --block-size 16KB --inline-limit 8KB
switched >"$T/vol/switched.vol"
VOLFILE=$T/vol/switched.vol must_mount w
mkdir -p "$T/orig/deep/er"
for i in 1 2 3 4 5 6 7; do
    noise $((RANDOM % 300000)) >"$T/orig/random-$i"
done
: >"$T/orig/empty"
noise $((RANDOM % 8192 + 1)) >"$T/orig/inline"
noise $((RANDOM % 8000 + 8193)) >"$T/orig/deep/one-block"
noise $((RANDOM * 10 + 16384)) >"$T/orig/deep/er/below"
must cp -r "$T/orig/." "$M/"
# One file with a hole, one with several extents: made while a brick was away.
noise 16384 >"$T/orig/sparse"
truncate -s 200000 "$T/orig/sparse"
must cp --sparse=always "$T/orig/sparse" "$M/sparse"
noise 100000 >"$T/orig/grown"
must cp "$T/orig/grown" "$M/grown"
touch "$T/off/7"
away() {
    "$ALLOT" status "$M" --json | jq -e '.bricks[7].state == "down"'
}
ok "a brick is switched off" expect_within 10 away
noise 120000 >"$T/more"
cat "$T/more" >>"$T/orig/grown"
ok "a file grows without it" bash -c "cat '$T/more' >>'$M/grown'"
rm "$T/off/7"
umount_volume w
VOLFILE=$T/vol/switched.vol must_mount m --direct-io-mode=enable
note "grown has $("$ALLOT" layout "$M/grown" --json | jq '.extents | length') extents"

rc=0
python3 "$TOP/tests/volume/subsets.py" "$ALLOT" "$M" "$T/orig" "$T/off" 8 "${SUBSETS_MOST:-4}" >"$T/out" 2>&1 || rc=$?
is "every subset of up to four bricks: the report is what reading returns" "$rc" 0
note "$(head -20 "$T/out")"
ok "all of them were looked at" grep -qx '163 subsets' "$T/out"

# Once more without the portions of one brick: what was on it is lost, unless it is
# away; of the others it is as before.
gone=$((RANDOM % 8))
umount_volume m
must portions_lose $gone
VOLFILE=$T/vol/switched.vol must_mount lost --direct-io-mode=enable
rc=0
python3 "$TOP/tests/volume/subsets.py" "$ALLOT" "$M" "$T/orig" "$T/off" 8 2 $gone >"$T/out" 2>&1 || rc=$?
is "the same of up to two, the portions of brick $gone being lost" "$rc" 0
note "$(head -20 "$T/out")"
ok "all of them were looked at" grep -qx '37 subsets' "$T/out"
nok "with the portions of another brick taken for lost it differs" \
    python3 "$TOP/tests/volume/subsets.py" "$ALLOT" "$M" "$T/orig" "$T/off" 8 0 $(((gone + 1) % 8))

# It can fail: a file that is not as the originals say.
noise 4096 >"$T/orig/inline"
nok "a wrong byte is found" python3 "$TOP/tests/volume/subsets.py" "$ALLOT" "$M" "$T/orig" "$T/off" 8 0
done_testing
