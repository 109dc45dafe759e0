#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# The life of one volume while a client that never unmounts keeps writing: allot
# is enabled on it as it runs, bricks are started again for the guard, a brick is
# added, the layout fixed, data rebalanced, options and glusterd change under
# load, a brick dies and is started. After each step every file whose copy
# succeeded is right. Then a brick is reset: blank, its blocks lost, as reported.
# tier: full
# needs: 150
. "$(dirname "$0")/glusterd-lib.sh"

bricks_make 4 1G
nodes_make n1 c1
glusterd_start n1
must_gluster n1 volume create vol1 "n1:$T/b0/brick" "n1:$T/b1/brick" "n1:$T/b2/brick"
must_gluster n1 volume start vol1
client_mount c1 n1:/vol1 /mnt/v || bail "no mount"
M=$(in_node c1 /mnt/v)
writer_start 200000 30
# The client goes on, and what it has written is right.
step() { # step DESC
    local f name wrong=''
    WRITTEN=$(wc -l <"$T/written")
    ok "$1: the client goes on writing" expect_within 60 more_written 5
    head -"$WRITTEN" "$T/written" | tail -150 >"$T/look"
    while read -r f; do
        name=${f#w/}
        [ "$(bounded 60 dd if="$M/$f" bs=1M iflag=direct 2>/dev/null | md5sum | cut -d' ' -f1)" = "${name%.*}" ] ||
            wrong+="$f "
    done <"$T/look"
    is "$1: what was written is right" "$wrong" ""
}
step "before"
must_gluster n1 volume set vol1 user.xlator.allot locks
step "enabled, bricks without guards"
is "nothing is spread yet" "$(find "$T"/b?/brick/.allot -type f 2>/dev/null | wc -l)" 0
must_gluster n1 volume stop vol1 force
must_gluster n1 volume start vol1
active() {
    on c1 "$BUILD/allot" status --json /mnt/v | jq -e '.active and .state == "UP"' >/dev/null
}
ok "the bricks have guards and are registered" expect_within 90 active
step "bricks with guards"
ok "new files are spread" test "$(find "$T"/b?/brick/.allot -type f | wc -l)" -gt 0

must_gluster n1 volume add-brick vol1 "n1:$T/b3/brick"
four() { active && [ "$(on c1 "$BUILD/allot" status --json /mnt/v | jq '.bricks | length')" = 4 ]; }
ok "a brick that is added becomes a member" expect_within 60 four
step "brick added"
ok "it has new data, without a rebalance" test "$(find "$T/b3/brick/.allot" -type f | wc -l)" -gt 0
task_done() { gluster n1 volume rebalance vol1 status | grep -qE 'completed|failed'; }
must_gluster n1 volume rebalance vol1 fix-layout start
ok "fix-layout ends" expect_within 90 task_done
step "layout fixed"
must_gluster n1 volume rebalance vol1 start
ok "the rebalance ends" expect_within 180 task_done
is "without failures" "$(gluster n1 volume rebalance vol1 status | awk '$1 == "localhost" { print $5 }')" 0
step "rebalanced"
must_gluster n1 volume set vol1 user.xlator.allot.block-size 128KB
must_gluster n1 volume set vol1 performance.cache-size 64MB
step "options changed"
glusterd_kill n1
step "glusterd away"
glusterd_start n1
step "glusterd back"
on n1 kill -KILL "$(brick_of n1 vol1 1)"
down() { on c1 "$BUILD/allot" status --json /mnt/v | jq -e '.bricks[1].state == "down"' >/dev/null; }
ok "a brick that was killed is noticed" expect_within 60 down
must_gluster n1 volume start vol1 force
ok "it is back" expect_within 60 four
step "brick killed and started"
touch "$T/stop-writing"
expect_within 120 gone $WRITER "$(proc_start $WRITER)"

# ---- a plain brick is replaced ------------------------------------------------
# Its name is not on that brick, so that its loss can be seen.
noise $((20 << 20)) >"$T/data"
i=0
until [ -s "$T/name" ]; do
    i=$((i + 1))
    must cp "$T/data" "$M/data$i"
    [ -e "$T/b3/brick/data$i" ] || echo "data$i" >"$T/name"
done
F=$(cat "$T/name")
state_is() { # state_is STATE
    on c1 "$BUILD/allot" status --json /mnt/v | jq -e --arg s "$1" '.bricks[3].state == $s' >/dev/null
}
report() {
    on c1 timeout -s KILL 120 "$BUILD/allot" report --json /mnt/v >"$T/report.json"
}
nok "replace-brick is not for plain bricks, says glusterd" gluster n1 volume replace-brick vol1 \
    "n1:$T/b3/brick" "n1:$T/b3/new" commit force
ok "and nothing has come of it" expect_within 30 state_is up
report
is "nothing is missing" "$(jq -c '[.blocks.failed]' "$T/report.json")" "[0]"
must_gluster n1 volume reset-brick vol1 "n1:$T/b3/brick" start
ok "a brick that is being reset is down" expect_within 60 state_is down
report
ok "what it holds is unavailable, not lost" jq -e '.blocks.unavailable > 0 and .blocks.lost == 0' "$T/report.json"
failed=$(jq .blocks.failed "$T/report.json")
rm -rf "$T/b3/brick"
must_gluster n1 volume reset-brick vol1 "n1:$T/b3/brick" "n1:$T/b3/brick" commit force
ok "it comes back blank" expect_within 60 state_is blank
report
# Distribute does not list directories whose place is the blank brick.
ok "what it has had is lost, and not all names are listed" jq -e \
    '.blocks.unavailable == 0 and .blocks.lost > 0 and (.exact | not)' "$T/report.json"
of_f=$(jq --arg f "$F" '.damaged_files[] | select(.path == $f) | .blocks.lost' "$T/report.json")
bad=$(jq -r --arg f "$F" '.damaged_files[] | select(.path == $f) | .lost_ranges | map(.[1] - .[0]) | add' "$T/report.json")
ok "of a file about a quarter ($bad bytes)" test "${bad:-0}" -gt $((4 << 20))
on c1 dd if="/mnt/v/$F" of="/dev/stdout" bs=128K iflag=direct conv=noerror,sync 2>"$T/dd.errors" >"$T/dd.out"
is "they give errors, and no other block does" "$(($(grep -c 'Input/output error' "$T/dd.errors") * 131072))" "$bad"
is "the others are right" "$(cmp -l "$T/data" "$T/dd.out" | wc -l)" \
    "$(python3 -c "print(sum(a != 0 for r in $(jq -c --arg f "$F" '[.damaged_files[] | select(.path == $f) | .lost_ranges[]]' "$T/report.json") for a in open('$T/data', 'rb').read()[r[0]:r[1]]))")"
ok "a copy over it repairs it" cp "$T/data" "$M/$F"
is "it is right" "$(on c1 dd if="/mnt/v/$F" bs=1M iflag=direct 2>/dev/null | md5sum | cut -d' ' -f1)" "$(sum "$T/data")"
ok "the brick is adopted" on c1 "$BUILD/allot" brick adopt vol1-client-3 /mnt/v
ok "it is up" expect_within 60 state_is up
report
is "what was unavailable is lost, but for the file that was repaired" \
    "$(jq -c '[.blocks.lost, .blocks.unavailable, .exact]' "$T/report.json")" "[$((failed - of_f)),0,true]"
must cp "$T/data" "$M/again"
ok "new data uses it" test "$(find "$T/b3/brick/.allot" -type f | wc -l)" -gt 0
is "and is right" "$(on c1 dd if=/mnt/v/again bs=1M iflag=direct 2>/dev/null | md5sum | cut -d' ' -f1)" "$(sum "$T/data")"
note "$(wc -l <"$T/written") files; errors: $(sed 's/.*: //' "$T/writer.errors" | sort | uniq -c | xargs)"
done_testing
