#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 30
# `allot status` for people: V, R and V R of each brick and their sum, MIN, MAX and
# STDDEV, P of bricks and volume by its formula, the bricks that may still fail,
# and what to do next while bricks die, return empty, are adopted and drained. It is
# one question, however many files there are, also where bricks of sets are asked.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=sets-lib.sh
. "$(dirname "$0")/sets-lib.sh"

text() { # the status as people see it, in $T/text
    bounded 20 "$ALLOT" status "$M" >"$T/text"
}
says() { # says PATTERN: a line of it
    grep -qE -- "$1" "$T/text"
}
next() {
    "$ALLOT" status "$M" | sed -n '$s/^next: //p'
}
next_is() { # next_is SENTENCE
    [ "$(next)" = "$1" ]
}
column() { # column NAME BRICK: from the first table, whose columns are aligned
    awk -v name="$1" -v brick="$2" '
        NR == 1 {
            at = index($0, " " name " ") + 1
            end = at + length(name) - 1
        }
        $1 == brick {
            text = substr($0, 1, end)
            sub(/.* /, "", text)
            print text
            exit
        }' "$T/text"
}

# ---- the numbers ------------------------------------------------------------

bricks_make 4 320M,320M,320M,640M
volume_make net-4 --block-size 64KB --option 'c*:ping-timeout=5' --option allot:volume-name=shop
volume_start
must_mount m --direct-io-mode=enable
for i in {1..8}; do
    noise 4000000 | must dd of="$M/f$i" bs=1M status=none
done
for i in {1..8}; do
    must cp "$M/f$i" /dev/null
done
ok "the status" text
cp "$T/text" "$T/first"
"$ALLOT" status "$M" --json >"$T/status.json"
is "R of a brick with a file system of its own" "$(column R c0)" "100%"
is "weights are as V R" "$(jq '.bricks as $b | [$b[] |
    ((.weight / $b[0].weight) / (.resource.bytes / $b[0].resource.bytes) - 1 | fabs) < 0.01] | all' "$T/status.json")" true
ok "c3 is the largest" jq -e '.bricks[3].weight > 1.5 * .bricks[0].weight' "$T/status.json"
is "V, R and V R agree with the document" \
    "$(jq -c '[.bricks[] | (.resource.capacity_bytes * .resource.share - .resource.bytes | fabs) < 2] | all' "$T/status.json")" true
is "V is what df says" "$(jq '.bricks[3].resource.capacity_bytes' "$T/status.json")" \
    "$(df -B1 --output=size "${BRICK[3]}" | tail -1 | tr -d ' ')"
# What storage/posix keeps for itself, 1%, counts as used. What was written since the
# client has last asked is known but for what the file system needs for it.
near_df() { # near_df BRICK-NUMBER USED PERCENT: is it what df says, so nearly
    df -B1 --output=size,used "${BRICK[$1]}" | awk -v used="$2" -v off="$3" '
        NR == 2 { want = $2 + $1 / 100; exit !(used > want * (1 - off / 100) && used < want * (1 + off / 100)) }'
}
for i in 0 3; do
    ok "what c$i has is what df says" near_df $i "$(jq ".bricks[$i].used_bytes" "$T/status.json")" 5
done
# share and deviation, of what is used by what the weights are.
even() {
    jq '([.bricks[].used_bytes] | add) as $u | ([.bricks[].weight] | add) as $w |
        [.bricks[] | (.used_bytes / .weight / ($u / $w) - .deviation | fabs) < 0.000001 and
            (.used_bytes / $u - .share | fabs) < 0.000001 and .used_bytes > 0] | all' "$T/status.json"
}
is "deviation and share are those of the use" "$(even)" true
is "layouts are counted, not files" "$(jq .layouts "$T/status.json")" \
    "$(for i in {1..8}; do "$ALLOT" layout "$M/f$i" --json | jq -cS '[.inline_limit, .extents]'; done | sort -u | wc -l)"
is "the sum of V_i R_i is the sum of the bricks'" \
    "$(jq -c '([.bricks[].resource.bytes] | add) == .resource.bytes' "$T/status.json")" true
ok "it is shown" says '^capacity: sum of V_i R_i [0-9.]+ [MG]iB$'
is "MIN, MAX and STDDEV are those of the bricks' deviations" "$(grep '^deviation:' "$T/text")" \
    "$(jq -r '[.bricks[].deviation] | [min, max, (map((. - 1) * (. - 1)) | add / length | sqrt)] | map(. * 1000 | round / 1000) | "\(.[0]) \(.[1]) \(.[2])"' "$T/status.json" |
        xargs printf 'deviation: MIN %.3f MAX %.3f STDDEV %.3f')"
# P = sum(P_i T_i) / sum(T_i) over the bricks, in the document itself.
for key in bytes_per_second latency_seconds; do
    is "P of the volume by its formula: $key" "$(jq --arg k $key '
        (([.bricks[].performance | .[$k] * .busy_seconds] | add) / ([.bricks[].performance.busy_seconds] | add)) as $p |
        ($p > 0) and (($p / .performance[$k] - 1 | fabs) < 0.000001)' "$T/status.json")" true
done
is "P_i T_i are the bytes" "$(jq '[.bricks[] |
    ((.performance | .bytes_per_second * .busy_seconds) / (.bytes_read + .bytes_written) - 1 | fabs) < 0.000001] | all' "$T/status.json")" true
is "bytes were written and read" "$(jq '([.bricks[].bytes_written] | add) >= 32000000 and ([.bricks[].bytes_read] | add) >= 32000000' "$T/status.json")" true
ok "each brick has a row of its work" says '^c3 +[0-9.]+ s +[0-9.]+ [KMG]iB/s +[0-9.]+ ms +0 +0 +0$'
ok "and all together" says '^all +[0-9.]+ s +[0-9.]+ [KMG]iB/s +[0-9.]+ ms *$'
ok "layouts in use" says '^layouts in use: [1-9][0-9]*$'
ok "how many may fail" says '^the volume can lose no more brick without data missing$'
ok "what to do" says '^next: nothing to do$'
is "the document says it too" "$(jq -r .next "$T/status.json")" "nothing to do"

# ---- one question -----------------------------------------------------------

# GlusterFS counts a call at the translator that it is wound to; allot's own are
# passed on by write-behind in a way that is not counted.
asked() { # asked MOUNT VOLUME FOP: calls of the mount's process so far
    fop_counts "$(mount_pid "$1")" | awk -v v="$2" -v f="$3" '$1 == v && $2 == f { print $3; n = 1 } END { if (!n) print 0 }'
}
getxattrs() { # of the mount "m", by one status
    local before
    before=$(asked m write-behind GETXATTR)
    "$ALLOT" status "$M" >/dev/null
    echo $(($(asked m write-behind GETXATTR) - before))
}
is "it is one question" "$(getxattrs)" 1
mkdir "$M/many"
for i in {1..300}; do
    echo "$i" >"$M/many/$i"
done
is "with 300 files more, too" "$(getxattrs)" 1
must rm -r "$M/many"

# ---- what to do next, while bricks die and come back ------------------------

must brick_kill 3
ok "a brick is down: start it" expect_within 30 next_is \
    "start brick c3 (127.0.0.1:brick) with 'gluster volume start shop force': what is on it returns with it"
text
nok "which is not said twice" says "^to do, c3"
ok "the state" says "^PARTIAL: 1 of 4 bricks is unavailable; allot report "
must brick_start 3
ok "it is back" expect_within 30 next_is "nothing to do"
must brick_kill 3
brick_wipe 3
must brick_start 3
ok "it came back empty: adopt it" expect_within 30 next_is \
    "put the old disk of brick c3 back, or run 'allot brick adopt c3 $M' and restore what 'allot report $M' names"
must "$ALLOT" brick adopt c3 "$M"
ok "what it held is lost: restore" expect_within 30 next_is "restore the files that 'allot report $M' names, if any"
must "$ALLOT" brick set c1 draining "$M"
ok "a brick is drained" next_is "nothing, new data avoids brick c1 until 'allot brick set c1 clear $M'"
must "$ALLOT" brick set c2 draining "$M"
text
is "of two the other one has a line of its own" "$(grep '^to do, ' "$T/text")" \
    "to do, c2 is draining: allot brick set c2 clear $M gives it new data again"
must "$ALLOT" brick set c2 clear "$M"
must "$ALLOT" brick set c1 clear "$M"
must umount_volume m
for i in {0..3}; do
    must brick_kill "$i"
done

# ---- sets -------------------------------------------------------------------

bricks_dirs 6
for i in {0..3}; do
    must umount "${BRICK[i]}"
    mkdir -p "${BRICK[i]}/.glusterfs"
done
volume_make net-rep-6 --option 'c*:ping-timeout=5'
volume_start
sets_mount m
ok "a volume of two sets of three" status_soon '.state == "UP" and .active and .spare_failures == 1'
ok "it is as its schema says" python3 -c '
import json, sys, jsonschema
jsonschema.validate(json.load(open(sys.argv[2])), json.load(open(sys.argv[1])))' "$TOP/docs/schema/status.json" "$T/status.json"
is "with six leaves" "$(jq '[.bricks[].leaves[]] | length' "$T/status.json")" 6
# All six bricks are on one file system: each set has half of it.
is "R of sets that share a file system" "$(jq -c '[.bricks[].resource.share]' "$T/status.json")" '[0.5,0.5]'
is "together they have what it has" "$(jq '.resource.bytes' "$T/status.json")" \
    "$(df -B1 --output=size "${BRICK[0]}" | tail -1 | tr -d ' ')"
# Others write to it meanwhile.
ok "and half of what is used" near_df 0 "$(jq '2 * .bricks[0].used_bytes' "$T/status.json")" 20
is "deviation and share are those of the use" "$(even)" true
is "no layouts yet" "$(jq .layouts "$T/status.json")" 0
text
ok "one brick may fail" says '^the volume can lose 1 more brick, whichever it is'
is "of each set" "$(grep -c '^s[01] can lose 1 more brick$' "$T/text")" 2
noise 1000000 >"$M/f"
layouts() {
    "$ALLOT" status "$M" --json | jq .layouts
}
is "one" "$(layouts)" 1
sed 's/^    option block-size .*/    option block-size 128KB/' "$T/vol/client.vol" >"$T/vol/larger.vol"
grep -q 'block-size' "$T/vol/larger.vol" || sed -i 's/^    option namespace .*/&\n    option block-size 128KB/' "$T/vol/larger.vol"
was=$M
VOLFILE=$T/vol/larger.vol must_mount larger
must cp "$was/f" "$M/larger"
is "another client has other blocks" "$("$ALLOT" layout "$M/larger" --json | jq '[.extents[].block_size] | unique == [131072]')" true
ok "another mount is another client: its counts are its own" test "$("$ALLOT" status "$M" --json | jq .client)" != \
    "$("$ALLOT" status "$was" --json | jq '.client // error')"
must umount_volume larger
M=$was
is "here it is one" "$(layouts)" 1
ok "the file is read" cmp "$M/f" "$M/larger"
is "now two" "$(layouts)" 2
lookups=$(asked m c4 LOOKUP)
is "it is one question to the mount" "$(getxattrs)" 1
ok "and one to each brick, or with the mount's own two" test $(($(asked m c4 LOOKUP) - lookups)) -le 2
must brick_kill 4
ok "a brick of a set is down" status_soon '.state == "DEGRADED" and leaf("c4").state == "down"'
"$ALLOT" status "$M" --prometheus >"$T/prometheus"
is "Prometheus has the bricks of sets" "$(sed -n 's/^gluster_allot_set_brick_up{volume="[^"]*",brick="\(c[0-5]\)",host="127.0.0.1"} \([01]\)$/\1=\2/p' "$T/prometheus" | xargs)" \
    "c0=1 c1=1 c2=1 c3=1 c4=0 c5=1"
is "and what the sets can spare" "$(sed -n 's/^gluster_allot_set_spare_failures{.*brick="\(s[01]\)".*} //p' "$T/prometheus" | xargs)" "1 0"
must cp "$M/f" "$M/g"
ok "start it" next_is "start brick c4 (127.0.0.1:brick): nothing is missing, it heals then"
text
ok "no more brick may fail" says '^the volume can lose no more brick'
ok "nor of its set" says '^s1 can lose 0 more bricks'
ok "the other set can lose one" says '^s0 can lose 1 more brick$'
ok "the state" says '^DEGRADED: 1 set misses a brick, all data is still recoverable; '
must brick_start 4
ok "it is back and lacks what was written: wait" status_soon \
    '.next == "wait until set s1 has healed before another brick of it stops" and set("s1").healing'
done_testing
