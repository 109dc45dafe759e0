#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 60
# The command `allot` on a volume with a resilient namespace: what status,
# report and layout say is compared with the bricks and with what reading back
# every block returns; a brick is killed, returns, is wiped and adopted.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

ALLOT=allot
[ "$BUILD" = installed ] || ALLOT=$BUILD/allot
BLOCK=65536

# allot_json NAME STATUS ARG...: run it, keep the document in $T/NAME.json
allot_json() {
    local name=$1 want=$2 rc=0
    shift 2
    bounded 120 "$ALLOT" "$@" --json >"$T/$name.json" 2>"$T/$name.err" || rc=$?
    is "$*: exit status" "$rc" "$want" || note "$(cat "$T/$name.err")"
    is "$*: one document" "$(jq -s length "$T/$name.json")" 1
}

j() { # j NAME FILTER
    jq -rc "$2" "$T/$1.json"
}

is_j() { # is_j DESC NAME FILTER WANT
    is "$1" "$(j "$2" "$3")" "$4"
}

brick_state_is() { # brick_state_is INDEX STATE
    [ "$("$ALLOT" status "$M" --json | jq -r ".bricks[$1].state")" = "$2" ]
}

# read_back NAME: the ranges of blocks that do not read back as written, merged
read_back() {
    local size o end out="" start=-1
    size=$(stat -c %s "$T/orig/$1")
    for ((o = 0; o < size; o += BLOCK)); do
        end=$((o + BLOCK < size ? o + BLOCK : size))
        if dd if="$M/$1" bs=$BLOCK skip=$((o / BLOCK)) count=1 2>/dev/null |
            cmp -s - <(dd if="$T/orig/$1" bs=$BLOCK skip=$((o / BLOCK)) count=1 2>/dev/null); then
            [ $start -lt 0 ] || out+="[$start,$o],"
            start=-1
        elif [ $start -lt 0 ]; then
            start=$o
        fi
    done
    [ $start -lt 0 ] || out+="[$start,$end],"
    echo "[${out%,}]"
}

# predictions_hold NAME: lost_ranges of every file equal what reading returns.
# A file with two names is listed under the one that the scan met first.
predictions_hold() {
    local f also told
    for f in "${FILES[@]}"; do
        also=$f
        [ "$f" != big ] || also=d/link
        told=$(jq -c --arg p "$f" --arg q "$also" \
            '[.damaged_files[] | select(.path == $p or .path == $q)] |
            if length > 1 then "twice" else .[0].lost_ranges // [] end' "$T/$1.json")
        is "$1: the prediction for $f" "$told" "$(read_back "$f")"
    done
}

bricks_make 4 512M
volume_make net-4 --block-size 64KB --option 'c*:ping-timeout=5'
volume_start
must_mount w

FILES=(big mid small empty d/e/deep sparse)
mkdir -p "$T/orig/d/e" "$M/d/e"
noise $((5 * 1048576 + 100)) >"$T/orig/big"
noise 200000 >"$T/orig/mid"
noise 100 >"$T/orig/small"
: >"$T/orig/empty"
noise $((20 * BLOCK)) >"$T/orig/d/e/deep"
truncate -s $((40 * BLOCK)) "$T/orig/sparse"
noise $BLOCK | dd of="$T/orig/sparse" bs=$BLOCK seek=30 conv=notrunc 2>/dev/null
for f in "${FILES[@]}"; do
    must cp --sparse=always "$T/orig/$f" "$M/$f"
done
must ln "$M/big" "$M/d/link"
must ln -s big "$M/symlink"
umount_volume w
# Without the page cache: what is read must come from the bricks.
must_mount m --direct-io-mode=enable

# ---- all is well ------------------------------------------------------------

allot_json up 0 status "$M"
is_j "state" up .state UP
is_j "four bricks are up" up '[.bricks[].state] | unique' '["up"]'
is_j "indices" up '[.bricks[].index] | length' 4
is_j "fixed keys of the document" up \
    '["version","state","bricks","max_over_mean"] - keys' '[]'
is_j "fixed keys of a brick" up \
    '["index","name","host","path","state","since","weight","capacity_bytes","used_bytes","share","deviation"] - (.bricks[0] | keys)' '[]'
is_j "names" up '[.bricks[].name] | join(" ")' "c0 c1 c2 c3"
is_j "hosts" up '[.bricks[].host] | unique' '["127.0.0.1"]'
is_j "since is RFC 3339" up '[.bricks[].since | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9:]+)$")] | all' true
is_j "shares add up" up '[.bricks[].share] | add * 1000 | round' 1000

allot_json whole 0 report "$M"
is_j "keys of a report" whole 'keys' \
    '["blocks","bricks","bytes","damaged_files","exact","files","inexact_because","surviving_unnamed","version","workers"]'
is_j "files, hard links once" whole .files '{"total":6,"intact":6,"damaged":0,"unreadable":0}'
is_j "nothing failed" whole '[.blocks.failed, .bytes.failed, .damaged_files]' '[0,0,[]]'
is_j "exact" whole '[.exact, .inexact_because]' '[true,[]]'
# big 81 blocks, mid 4, small 1, empty 0, deep 20, sparse 1 and 39 holes
is_j "n is data and holes" whole '.blocks.total + .blocks.holes' $((81 + 4 + 1 + 20 + 40))
is_j "bytes are data and holes" whole '.bytes.total + .bytes.holes' \
    $((5 * 1048576 + 100 + 200000 + 100 + 20 * BLOCK + 40 * BLOCK))
ok "the last line says there is nothing to do" \
    grep -q "all 6 files are whole, there is nothing to do" <("$ALLOT" report "$M" | tail -1)
allot_json sub 0 report "$M/d"
is_j "a report of a directory" sub .files.total 2

# ---- layout against the bricks ----------------------------------------------

allot_json layout 0 layout "$M/symlink" --blocks
is_j "layout names the file" layout '[.version, .size]' "[1,$((5 * 1048576 + 100))]"
is_j "ranges cover it" layout '[.blocks[0][0], .blocks[-1][1]]' "[0,$((5 * 1048576 + 100))]"
is_j "without a gap" layout '[.blocks[1:][][0]] == [.blocks[:-1][][1]]' true
gfid=$(j layout .gfid)
wrong=0 compared=0
while IFS=$'\t' read -r start end name; do
    [ -n "$name" ] || continue
    portion=$(echo "${BRICK[${name#c}]}/.allot/${gfid:0:2}/$gfid".*)
    cmp -s -n $((end - start)) -i "$start" "$portion" "$T/orig/big" || wrong=$((wrong + 1))
    compared=$((compared + 1))
done < <(j layout '.blocks[] | [.[0], .[1], .[2] // ""] | @tsv')
is "every range is on the brick that layout names" "$wrong" 0
ok "ranges were compared" test $compared -ge 40

# ---- libgfapi says the same -------------------------------------------------

allot_json gstatus 0 status "$T/vol/client.vol:/"
is_j "the same bricks" gstatus '[.bricks[] | .name, .index]' "$(j up '[.bricks[] | .name, .index]')"
allot_json greport 0 report "$T/vol/client.vol:/"
is "the same report" "$(jq -S 'del(.workers)' "$T/greport.json")" "$(jq -S 'del(.workers)' "$T/whole.json")"
allot_json glayout 0 layout "$T/vol/client.vol:/d/e/deep"
is_j "the layout of a file" glayout .size $((20 * BLOCK))

# ---- a brick is killed ------------------------------------------------------

must brick_kill 2
ok "brick 2 is seen as down" expect_within 30 brick_state_is 2 down
allot_json down 1 status "$M"
is_j "state" down .state PARTIAL
allot_json killed 1 report "$M"
is_j "n = k + R" killed '.blocks.total - .blocks.failed == .blocks.recoverable and .bytes.total - .bytes.failed == .bytes.recoverable' true
is_j "all of it unavailable, nothing lost" killed '.blocks.lost == 0 and .blocks.failed > 0 and .blocks.failed == .blocks.unavailable' true
is_j "the sums are those of the files" killed '([.damaged_files[].blocks.failed] | add) == .blocks.failed' true
is_j "bytes are those of the ranges" killed '([.damaged_files[].lost_ranges[] | .[1] - .[0]] | add) == .bytes.failed' true
is_j "reason" killed '[.damaged_files[].reason] | unique' '["down"]'
predictions_hold killed
ok "the advice names the brick" \
    grep -q "bring brick $(j up '.bricks[2].name') back" <("$ALLOT" report "$M" | tail -1)
allot_json gkilled 1 report "$T/vol/client.vol:/"
is "libgfapi reports the same" "$(jq -S 'del(.workers) | .damaged_files |= sort_by(.path)' "$T/gkilled.json")" \
    "$(jq -S 'del(.workers) | .damaged_files |= sort_by(.path)' "$T/killed.json")"

must brick_start 2
ok "brick 2 is seen as up" expect_within 30 brick_state_is 2 up
allot_json back 0 report "$M"
is "the report is as before" "$(jq -S 'del(.workers)' "$T/back.json")" "$(jq -S 'del(.workers)' "$T/whole.json")"
predictions_hold back

# ---- another brick is wiped -------------------------------------------------

must brick_kill 3
brick_wipe 3
must brick_start 3
ok "brick 3 is seen as blank" expect_within 30 brick_state_is 3 blank
allot_json wiped 1 report "$M"
is_j "all of it lost" wiped '.blocks.unavailable == 0 and .blocks.failed > 0 and .blocks.failed == .blocks.lost' true
is_j "reason" wiped '[.damaged_files[].reason] | unique' '["blank"]'
predictions_hold wiped

rc=0
"$ALLOT" brick adopt nobody "$M" 2>"$T/err" || rc=$?
is "adopting an unknown brick" "$rc" 2
ok "the error lists the bricks" grep -q "its bricks are" "$T/err"
name=$(j up '.bricks[3].name')
ok "the wiped brick is adopted" "$ALLOT" brick adopt "$name" "$M/d"
is_up() {
    [ "$("$ALLOT" status "$M" --json | jq -r --arg n "$name" '.bricks[] | select(.name == $n and .state == "up").state')" = up ]
}
ok "it is up" expect_within 30 is_up
allot_json adopted 1 report "$M"
is_j "what was lost stays lost" adopted .blocks.lost "$(j wiped .blocks.lost)"
predictions_hold adopted
nok "it cannot be adopted twice" "$ALLOT" brick adopt "$name" "$M"

for f in "${FILES[@]}"; do
    must cp "$T/orig/$f" "$M/$f"
done
allot_json repaired 0 report "$M"
is_j "copies over the damaged files repair them" repaired .files.intact 6
predictions_hold repaired

done_testing
