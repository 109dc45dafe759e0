#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Servers that have bricks, and not all of allot. One has no plugins: its brick does
# not start, at first and after an upgrade that has lost them, and clients get
# errors for what it has, never less than the file. One has no filter: its clients
# are refused what is spread, by all bricks. (Servers without bricks:
# glusterd-nodes.sh.)
# tier: check
# needs: 40
# waits: yes
# shellcheck source=glusterd-lib.sh
. "$(dirname "$0")/glusterd-lib.sh"

bricks_make 3 400M
plugins_make "$T/no-plugin" without-plugin
plugins_make "$T/no-filter" without-filter
nodes_make n1 c1
PLUGINS=$T/no-plugin nodes_make n2
PLUGINS=$T/no-filter nodes_make n3
GFAPI=$BUILD/tests/volume/glusterd-gfapi
for n in n1 n2 n3; do
    glusterd_start "$n"
done
for n in n2 n3; do
    must_gluster n1 peer probe "$n"
done
connected() {
    [ "$(gluster n1 peer status | grep -c 'Peer in Cluster (Connected)')" = 2 ]
}
must expect_within 60 connected
noise $((6 << 20)) >"$T/data"

status() { # status FILTER: of the mounted client
    on c1 timeout -s KILL 20 "$BUILD/allot" status --json /mnt/v | jq -r "$1"
}
states_are() { # states_are "STATE STATE STATE"
    [ "$(status '.bricks[].state' | xargs)" = "$1" ]
}

# ---- a new volume, one of whose bricks has no guard to load --------------------
must_gluster n1 volume create vol1 "n1:$T/b0/brick" "n2:$T/b1/brick" "n3:$T/b2/brick"
must_gluster n1 volume set vol1 network.ping-timeout 5
must_gluster n1 volume set vol1 user.xlator.allot locks
nok "a volume does not start whose server has no plugin" gluster n1 volume start vol1
must_gluster n1 volume start vol1 force
brick_says() { # brick_says TEXT: the log of n2's brick
    cat "$LOG"/n2/bricks/*.log | grep -q "$1"
}
ok "the brick's log says what is missing" expect_within 30 brick_says "user/allot.so: cannot open shared object"
is "the brick does not run" "$(gluster n1 volume status vol1 "n2:$T/b1/brick" --xml | sed -n 's|.*<status>\([0-9]\)</status>.*|\1|p' | head -1)" 0
# Never registered, the other bricks serve nobody.
nok "a client cannot mount it" client_mount c1 n1:/vol1 /mnt/u
ok "and its log says why" grep -q 'first lookup on root failed (Transport endpoint is not connected)' "$(mount_log c1 /mnt/u)"
nok "nor by libgfapi" on c1 timeout -s KILL 60 "$GFAPI" vol1 server:n1 write /new <<<"x"
is "nothing has come onto the bricks" "$(find "$T"/b?/brick -name new)" ""

# ---- installed later ----------------------------------------------------------
must mkdir -p "$T/no-plugin/xlator/user"
for kind in cluster user; do
    must cp "$T/plugins/xlator/$kind/allot.so" "$T/no-plugin/xlator/$kind/allot.so"
done
must_gluster n1 volume start vol1 force
ok "with the plugin it starts" expect_within 30 bricks_online n1 vol1 3
ok "and can be mounted" client_mount c1 n1:/vol1 /mnt/v -o attribute-timeout=0,entry-timeout=0,direct-io-mode=enable
M=$(in_node c1 /mnt/v)
ok "from every server that has the filter" client_mount c1 n2:/vol1 /mnt/u
must on c1 umount /mnt/u
for i in {1..6}; do
    must cp "$T/data" "$M/f$i"
done
must cp /etc/passwd "$M/plain"
is "files use all three bricks" "$(on c1 "$BUILD/allot" layout --json /mnt/v/f1 | jq '[.extents[].members[].name] | unique | length')" 3

# ---- the server without the filter --------------------------------------------
# stock WHERE: a client of n3, which has no allot, gets nothing of a spread file.
stock() {
    local f got=0 said=0 n=0 out
    client_mount c1 n3:/vol1 /mnt/u
    U=$(in_node c1 /mnt/u)
    nok "$1: a server without the filter hands out a volfile without allot" grep -q 'type cluster/allot' "$(volfile n3 vol1 vol1.tcp-fuse.vol)"
    for f in f1 f2 f3 f4 f5 f6; do
        n=$((n + 1))
        out=$(bounded 30 cat "$U/$f" 2>&1 >"$T/got")
        got=$((got + $(stat -c %s "$T/got")))
        [ -z "$out" ] || said=$((said + 1))
    done
    is "$1: its clients get no byte of a spread file" "$got" 0
    is "$1: and an error for each" "$said" "$n"
    nok "$1: nor by libgfapi" on c1 timeout -s KILL 60 "$GFAPI" vol1 server:n3 read /f1
    nok "$1: they cannot write one" dd if=/dev/zero of="$U/f2" bs=4k count=1 conv=notrunc
    nok "$1: nor cut one" truncate -s 10 "$U/f3"
    nok "$1: nor see portions" grep -q allot <(ls -a "$U" 2>/dev/null)
    nok "$1: nor by name" ls "$U/.allot"
    must on c1 umount /mnt/u
}
stock "all bricks"
ok "the brick of that server has refused it, too, by name" grep -q "refused.*CTX_ID.*HOST:c1" <(cat "$LOG"/n[123]/bricks/*.log)
whole() {
    local f
    for f in f1 f2 f3 f4 f5 f6; do
        cmp "$T/data" "$M/$f" || return 1
    done
}
ok "files are whole" whole

# ---- an upgrade that loses the plugin -----------------------------------------
must rm "$T/no-plugin/xlator/user/allot.so"
must on n2 kill -KILL "$(brick_of n2 vol1 0)"
ok "its brick is down" expect_within 60 states_are "up down up"
gluster n1 volume start vol1 force >"$T/start" 2>&1
missing() {
    [ "$(cat "$LOG"/n2/bricks/*.log | grep -c "user/allot.so: cannot open shared object")" -ge 2 ]
}
ok "it is not started without the guard" expect_within 30 missing
is "and stays down" "$(status '.bricks[].state' | xargs)" "up down up"
bounded 60 dd if="$M/f1" of="$T/got" bs=256K conv=noerror,sync iflag=fullblock 2>"$T/errors"
ok "its blocks give errors" grep -q 'Input/output error' "$T/errors"
is "no byte is wrong, none is short" "$(cmp -l "$T/data" "$T/got" | awk '$3 != 0' | wc -l) $(stat -c %s "$T/got")" "0 $(stat -c %s "$T/data")"
ok "new files go elsewhere" cp "$T/data" "$M/while"
ok "and are whole" cmp "$T/data" "$M/while"
stock "one brick away"
must cp "$T/plugins/xlator/user/allot.so" "$T/no-plugin/xlator/user/allot.so"
must_gluster n1 volume start vol1 force
ok "with the plugin it is back" expect_within 60 states_are "up up up"
ok "and all files are whole" expect_within 30 whole

# ---- the setting is taken away ------------------------------------------------
# Only a filter can put the guard back (docs/admin.md, Limits).
must_gluster n1 volume reset vol1 force
guards=
for n in n1 n2 n3; do
    guards+="$n $(cat "$T/$n/lib/vols/vol1/vol1.$n".*.vol | grep -cx '    type user/allot') "
done
is "a reset takes the guard out of the volfile of a brick whose server has no filter" "$guards" "n1 1 n2 1 n3 0 "
must on n3 kill -KILL "$(brick_of n3 vol1 0)"
ok "the brick is down" expect_within 60 states_are "up up down"
must_gluster n1 volume start vol1 force
ok "without its guard clients with allot do not use it" expect_within 60 states_are "up up foreign"
bounded 60 dd if="$M/f1" of="$T/got" bs=256K conv=noerror,sync iflag=fullblock 2>"$T/errors"
is "no byte that they read is wrong" "$(cmp -l "$T/data" "$T/got" | awk '$3 != 0' | wc -l)" 0
ok "what it has is an error" grep -q 'Input/output error' "$T/errors"
must mkdir -p "$T/no-filter/filter"
must cp "$T/plugins/filter/allot" "$T/no-filter/filter/allot"
must_gluster n1 volume set vol1 user.xlator.allot locks
must on n3 kill -KILL "$(brick_of n3 vol1 0)"
ok "the brick is down again" expect_within 60 states_are "up up down"
must_gluster n1 volume start vol1 force
ok "with filter and setting it has its guard again" expect_within 60 states_are "up up up"
ok "and all files are whole" expect_within 30 whole
is "clients of that server have allot" "$(grep -c '^    type cluster/allot' "$(volfile n3 vol1 vol1.tcp-fuse.vol)")" 1
done_testing
