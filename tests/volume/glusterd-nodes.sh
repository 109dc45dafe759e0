#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Three servers with a glusterd each, a client of its own, names replicated over
# the three (user.xlator.allot.namespace): a server loses its power, another its
# cable, and both come back, while the client keeps writing. A fourth server
# without the filter hands out volfiles that the guards refuse; a client without
# the plugin cannot mount.
# tier: check
# needs: 50
# waits: yes
. "$(dirname "$0")/glusterd-lib.sh"

bricks_make 3 1G
plugins_make "$T/no-filter" without-filter
plugins_make "$T/stock" stock
nodes_make n1 n2 n3 c1
PLUGINS=$T/no-filter nodes_make n4
PLUGINS=$T/stock nodes_make c2
for n in n1 n2 n3 n4; do
    glusterd_start "$n"
done
connected() { # connected NAME N: it sees N peers
    [ "$(gluster "$1" peer status | grep -c '(Connected)')" = "$2" ]
}
for n in n2 n3 n4; do
    must_gluster n1 peer probe "$n"
done
for n in n1 n2 n3 n4; do
    ok "$n sees three peers" expect_within 60 connected "$n" 3
done
must_gluster n1 volume create vol1 "n1:$T/b0/brick" "n2:$T/b1/brick" "n3:$T/b2/brick"
# So that a dead server is noticed in the time of a test.
must_gluster n1 volume set vol1 network.ping-timeout 5
must_gluster n1 volume set vol1 user.xlator.allot locks
must_gluster n1 volume set vol1 user.xlator.allot.namespace replicate
must_gluster n1 volume start vol1
ok "the volume can be mounted from any server" client_mount c1 n2:/vol1 /mnt/v
M=$(in_node c1 /mnt/v)
is "its names are replicated" "$(on c1 "$BUILD/allot" status --json /mnt/v | jq -r '.namespace, .state' | xargs)" "replicate UP"
noise $((60 << 20)) >"$T/data"
must cp "$T/data" "$M/before"

# ---- a writer, all the time -------------------------------------------------
writer_start 300000 40
goes_on() {
    WRITTEN=$(wc -l <"$T/written")
    expect_within 60 more_written 5
}
state_is() { # state_is BRICK STATE
    on c1 "$BUILD/allot" status --json /mnt/v | jq -e --arg n "vol1-client-$1" --arg s "$2" \
        '.bricks[] | select(.name == $n) | .state == $s' >/dev/null
}
ok "the client writes" goes_on

# ---- power ------------------------------------------------------------------
node_kill n3
ok "a dead server is noticed" expect_within 60 state_is 2 down
ok "the client goes on writing" goes_on
ok "names survive" ls "$M/before"
nok "but not all of a file" dd if="$M/before" of=/dev/null bs=1M iflag=direct
node_boot n3
glusterd_start n3
ok "the server is back" expect_within 60 state_is 2 up
whole() {
    [ "$(bounded 60 dd if="$M/before" bs=1M iflag=direct 2>/dev/null | md5sum | cut -d' ' -f1)" = "$(sum "$T/data")" ]
}
ok "with it the whole file" expect_within 60 whole

# ---- cable ------------------------------------------------------------------
node_cut n2
ok "a server without its cable is noticed" expect_within 90 state_is 1 down
ok "the client goes on writing" goes_on
node_join n2
ok "it is back" expect_within 90 state_is 1 up
ok "with it the whole file" expect_within 60 whole
touch "$T/stop-writing"
ok "the writer ends" expect_within 120 gone $WRITER "$(proc_start $WRITER)"
note "$(wc -l <"$T/written") files written; errors: $(sort "$T/writer.errors" | cut -d: -f4- | uniq -c | xargs)"
wrong=0
while read -r f; do
    name=${f#w/}
    [ "$(bounded 60 dd if="$M/$f" bs=1M iflag=direct 2>/dev/null | md5sum | cut -d' ' -f1)" = "${name%.*}" ] || wrong=$((wrong + 1))
done <"$T/written"
is "every file whose copy succeeded is right" "$wrong" 0

# ---- the kind of namespace does not change ----------------------------------
must_gluster n1 volume set vol1 user.xlator.allot.namespace distribute
ok "another kind of namespace is refused, in the log" grep -q "its names are replicated; user.xlator" "$LOG/n1/allot-filter.log"
ok "and clients keep replicated names" grep -q '^volume vol1-names' "$(volfile n1 vol1 vol1.tcp-fuse.vol)"
must_gluster n1 volume set vol1 user.xlator.allot.namespace replicate

# ---- incomplete installations ------------------------------------------------
nok "a server without the filter hands out a volfile without allot" grep -q '^    type cluster/allot' "$(volfile n4 vol1 vol1.tcp-fuse.vol)"
client_mount c1 n4:/vol1 /mnt/u
# Its base is empty here, which a client with open-behind would read without a call.
is "a client of it reads nothing of a spread file" "$(head -c 99 "$(in_node c1 /mnt/u/before)" 2>/dev/null | wc -c)" 0
nok "and is told so" cat "$(in_node c1 /mnt/u/before)"
is "after a listing, too" "$(ls -l "$(in_node c1 /mnt/u)" >"$T/listed"; awk '$NF == "before" { print $5 }' "$T/listed" | sort -u)" \
    "$(stat -c %s "$T/data")"
nok "a copy fails" cp "$(in_node c1 /mnt/u/before)" "$T/copy"
nok "a copy of the directory, too" cp -r "$(in_node c1 /mnt/u)" "$T/copies"
nok "it can not write one" dd if=/dev/zero of="$(in_node c1 /mnt/u/before)" bs=4k count=1 conv=notrunc
nok "nor see portions" grep -q allot <(ls -a "$(in_node c1 /mnt/u)")
on c1 umount /mnt/u
nok "a client without the plugin cannot mount" on c2 timeout 60 mount -t glusterfs n1:/vol1 /mnt
ok "and its log says why" grep -q "cluster/allot" "$(mount_log c2 /mnt)"
ok "the file is whole" whole
done_testing
