#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# A volume of stock glusterd that is told to use allot: enabling, sharing,
# options that reach mounted clients, wrong ones that harm nobody, unrelated
# changes, and another volume that never asked.
# tier: check
# needs: 60
# waits: yes
. "$(dirname "$0")/glusterd-lib.sh"

bricks_make 4 512M
nodes_make n1 c1
glusterd_start n1
client_file() { # client_file VOLUME
    cat "$(volfile n1 "$1" "$1.tcp-fuse.vol")"
}

# ---- a volume that does not ask ----------------------------------------------
# Its files as a glusterd without the filter writes them.
must mv "$T/plugins/filter/allot" "$T/allot-filter"
must_gluster n1 volume create other "n1:$T/b0/other" "n1:$T/b1/other"
must_gluster n1 volume create asks "n1:$T/b0/asks" "n1:$T/b1/asks"
must_gluster n1 volume set asks user.xlator.allot locks
rewritten() { # rewritten VOLUME: with the same settings as before
    must_gluster n1 volume set "$1" performance.quick-read off
    must_gluster n1 volume set "$1" performance.quick-read on
}
for v in other asks; do
    rewritten $v
    cp -r "$T/n1/lib/vols/$v" "$T/stock-$v"
done
must mv "$T/allot-filter" "$T/plugins/filter/allot"
volfiles_differ() { # volfiles_differ VOLUME: from those without the filter
    local f
    for f in "$T/stock-$1"/*.vol; do
        cmp -s "$f" "$T/n1/lib/vols/$1/$(basename "$f")" || basename "$f"
    done
}

# ---- enable -----------------------------------------------------------------
must_gluster n1 volume create vol1 "n1:$T/b0/brick" "n1:$T/b1/brick" "n1:$T/b2/brick" "n1:$T/b3/brick"
ok "a volume takes the setting" gluster n1 volume set vol1 user.xlator.allot locks
must_gluster n1 volume start vol1
ok "it can be mounted with the stock helper" client_mount c1 n1:/vol1 /mnt/v
M=$(in_node c1 /mnt/v)
noise $((120 << 20)) >"$T/data"
ok "data can be copied in" cp "$T/data" "$M/data"
is "it comes back" "$(sum "$M/data")" "$(sum "$T/data")"
for i in 0 1 2 3; do
    du -s --block-size=1 "$T/b$i/brick/.allot" | cut -f1
done >"$T/used"
ratio=$(awk '{ s += $1; if ($1 > m) m = $1 } END { printf "%.4f", m * NR / s }' "$T/used")
ok "the bricks share evenly: fullest to mean $ratio" awk "BEGIN { exit !($ratio <= 1.01) }"
ok "the namespace alone does not" test "$(find "$T"/b?/brick -maxdepth 1 -name data | wc -l)" = 1

# ---- allot status -----------------------------------------------------------
on n1 "$BUILD/allot" status --json n1:/vol1 >"$T/status.json"
is "allot status speaks through libgfapi" "$(jq -r '.state, (.bricks | length)' "$T/status.json" | xargs)" "UP 4"
is "it knows the volume's name" "$(jq -r .volume_name "$T/status.json")" vol1
is "also through a mount, as Prometheus's label" "$(on c1 "$BUILD/allot" status /mnt/v --prometheus |
    sed -n 's/^gluster_allot_max_over_mean{volume="\([^"]*\)"}.*/\1/p')" vol1
is "it has nothing to warn of" "$(jq -c .warnings "$T/status.json")" "[]"
is "names are distributed" "$(jq -r .namespace "$T/status.json")" distribute

# ---- options ----------------------------------------------------------------
client_has() { # client_has TEXT: the mounted client runs with it
    grep -q "$1" "$(mount_log c1 /mnt/v)"
}
block_size_of() { # block_size_of FILE: of a new file written now
    head -c 8M "$T/data" >"$M/$1" && on c1 "$BUILD/allot" layout --json "/mnt/v/$1" |
        jq -r '.extents[0].block_size'
}
block_size_is() {
    [ "$(block_size_of "probe-$RANDOM")" = "$1" ]
}
must_gluster n1 volume set vol1 user.xlator.allot.block-size 1MB
ok "a block size reaches the mounted client" expect_within 30 block_size_is 1048576
must_gluster n1 volume set vol1 user.xlator.allot.width 2
width_is() {
    local f=probe-$RANDOM
    head -c 8M "$T/data" >"$M/$f" && [ "$(on c1 "$BUILD/allot" layout --json "/mnt/v/$f" |
        jq '[.extents[].members | length] | max')" = "$1" ]
}
ok "so does a width" expect_within 30 width_is 2
for setting in inline-limit=64KB weights=equal weights=vol1-client-0=2,vol1-client-1=1 min-free=2% \
    strict-readdir=off namespace=distribute; do
    must_gluster n1 volume set vol1 "user.xlator.allot.${setting%%=*}" "${setting#*=}"
    ok "$setting is in the client's volfile" grep -qxF "    option ${setting%%=*} ${setting#*=}" \
        "$(volfile n1 vol1 vol1.tcp-fuse.vol)"
done
# The last change has arrived when the client has read it.
weights_are() {
    on c1 "$BUILD/allot" status --json /mnt/v | jq -e ".bricks[0].weight == $1" >/dev/null
}
ok "weights reach the mounted client" expect_within 30 weights_are 2

# ---- wrong values -----------------------------------------------------------
must_gluster n1 volume set vol1 user.xlator.allot.block-size 300KB
must_gluster n1 volume set vol1 user.xlator.allot.blocksize 1MB
nok "a wrong value does not reach clients" grep -q "block-size" <(client_file vol1 | grep -v rejected)
warned() { # warned TARGET TEXT
    on c1 "$BUILD/allot" status "$1" | grep -q "^warning: .*$2"
}
ok "the mounted client goes on" sum "$M/data"
ok "its status warns of a wrong value" expect_within 30 warned /mnt/v "block-size=300KB"
ok "and of an option that there is none" expect_within 30 warned /mnt/v "blocksize=1MB"
ok "allot status HOST:/VOLUME does too" warned n1:/vol1 "block-size=300KB"
ok "the filter's log says so" grep -q "vol1.tcp-fuse.vol: .*left out: .*block-size=300KB" "$LOG/n1/allot-filter.log"
ok "new mounts work" client_mount c1 n1:/vol1 /mnt/w
is "and read" "$(sum "$(in_node c1 /mnt/w/data)")" "$(sum "$T/data")"
must_gluster n1 volume set vol1 user.xlator.allot.blocksize default
must_gluster n1 volume set vol1 user.xlator.allot.block-size default
not_warned() { ! warned "$@"; }
ok "the warning goes with the value" expect_within 30 not_warned /mnt/v block

# ---- unrelated changes ------------------------------------------------------
must_gluster n1 volume set vol1 performance.quick-read off
must_gluster n1 volume set vol1 performance.parallel-readdir on
ok "allot stays in place" grep -q "^    type cluster/allot" "$(volfile n1 vol1 vol1.tcp-fuse.vol)"
is "data subvolumes are the bricks, past readdir-ahead" \
    "$(client_file vol1 | sed -n '/^volume vol1-allot/,/^end-volume/s/^ *subvolumes //p')" \
    "vol1-dht vol1-client-0 vol1-client-1 vol1-client-2 vol1-client-3"
is "data is right after the switch of graphs" "$(sum "$M/data")" "$(sum "$T/data")"
must_gluster n1 volume reset vol1 performance.parallel-readdir
must_gluster n1 volume reset vol1 performance.quick-read
is "and after the switch back" "$(sum "$M/data")" "$(sum "$T/data")"
# Wrong values of the setting itself and of the guard's own option: mounted clients
# have no other graph, and bricks start.
graphs=$(grep -c '^Final graph:' "$(mount_log c1 /mnt/v)")
must_gluster n1 volume set vol1 user.xlator.allot index
must_gluster n1 volume set vol1 user.xlator.allot.heal-portions maybe
is "guards stay above locks" "$(sed -n '/^volume vol1-allot$/,/^end-volume/s/^ *subvolumes //p' "$T"/n1/lib/vols/vol1/vol1.n1.*.vol | uniq -c | xargs)" "4 vol1-locks"
ok "glusterd takes other settings" gluster n1 volume set vol1 performance.stat-prefetch on
ok "the status warns of a wrong position" expect_within 30 warned /mnt/v "user.xlator.allot is not locks: guards above index are refused"
ok "and of a wrong value of the guard's option" expect_within 30 warned /mnt/v "heal-portions=maybe"
is "the mounted client is on the graph of before" "$(grep -c '^Final graph:' "$(mount_log c1 /mnt/v)")" "$graphs"
is "data is right" "$(sum "$M/data")" "$(sum "$T/data")"
must_gluster n1 volume stop vol1 force
must_gluster n1 volume start vol1
whole() {
    [ "$(bounded 60 md5sum <"$M/data" | cut -d' ' -f1)" = "$(sum "$T/data")" ]
}
ok "data is right after stop and start" expect_within 60 whole
must_gluster n1 volume set vol1 user.xlator.allot locks
must_gluster n1 volume set vol1 user.xlator.allot.heal-portions default
ok "the warnings go with the values" expect_within 30 not_warned /mnt/v "user.xlator.allot"
glusterd_kill n1
glusterd_start n1
must_gluster n1 volume set vol1 performance.stat-prefetch off
ok "allot stays in place over a restart of glusterd" grep -q "^    type cluster/allot" \
    "$(volfile n1 vol1 vol1.tcp-fuse.vol)"
ok "data is right" whole

# ---- disabling --------------------------------------------------------------
nok "glusterd does not take the setting back" gluster n1 volume set vol1 user.xlator.allot off
must_gluster n1 volume reset vol1 force
nok "a reset of all settings takes it from the volume" grep -q "user.xlator" "$(volfile n1 vol1 info)"
is "the bricks keep their guards, as they hold data" "$(grep -lx '    type user/allot' "$T"/n1/lib/vols/vol1/*.vol | wc -l)" 4
ok "clients keep allot" grep -q "^    type cluster/allot" "$(volfile n1 vol1 vol1.tcp-fuse.vol)"
must_gluster n1 volume stop vol1 force
must_gluster n1 volume start vol1
ok "data is right after a restart of the bricks" expect_within 60 whole
ok "the filter's log says what to do" grep -q "its guard stays: set user.xlator.allot locks" "$LOG/n1/allot-filter.log"
must_gluster n1 volume set vol1 user.xlator.allot locks
ok "data is right with the setting back" expect_within 60 whole

# ---- the other volume -------------------------------------------------------
touch "$T/stamp"
rewritten other
is "all files of a volume that did not ask are written anew" \
    "$(find "$T/n1/lib/vols/other" -name '*.vol' -newer "$T/stamp" | wc -l)" "$(find "$T/stock-other" -name '*.vol' | wc -l)"
is "and are as without the filter, byte for byte" "$(volfiles_differ other)" ""
rewritten asks
is "those of one that asked are not" "$(volfiles_differ asks | wc -l)" 3
nok "the filter said nothing of it" grep -q "/other" "$LOG/n1/allot-filter.log"
is "no temporary file of the filter is left" "$(find "$T/n1/lib" -name '*.allot-*')" ""
done_testing
