#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# user.xlator.allot.namespace says otherwise than the registry, in both directions:
# the names stay as they are kept, mounted clients and new ones do not mind, and a
# sentence is in the status and in the log of the filter. A server without a brick
# cannot see the registry: it keeps what its clients have, and whoever has a
# volfile of the wrong kind all the same gets nothing, which its log says, and
# changes no name.
# tier: check
# needs: 60
# waits: yes
# shellcheck source=glusterd-lib.sh
. "$(dirname "$0")/glusterd-lib.sh"

bricks_make 3 400M
nodes_make n1 n2 c1
# All nodes are on one machine: a server without a brick must not see one.
for b in 0 1 2; do
    must on n2 mount -t tmpfs hidden "$T/b$b"
done
glusterd_start n1
glusterd_start n2
must_gluster n1 peer probe n2
connected() {
    gluster n1 peer status | grep -q 'Peer in Cluster (Connected)'
}
must expect_within 60 connected
noise $((2 << 20)) >"$T/data"

status() { # status DIR FILTER
    on c1 timeout -s KILL 20 "$BUILD/allot" status --json "$1" | jq -r "$2"
}
warned() { # warned DIR TEXT
    status "$1" '.warnings[]' | grep -qF "$2"
}
# All names, as each brick has them, with what distribute and replicate note down.
names() { # names VOLUME
    local b
    for b in 0 1 2; do
        (cd "$T/b$b/$1" && find . -path ./.glusterfs -prune -o -print0 | sort -z |
            xargs -0 getfattr -h -e hex -m 'trusted\.(gfid|afr|glusterfs\.dht)' -d -- 2>/dev/null)
    done
}

# kind VOLUME KIND OTHER WORD: a volume whose names are of KIND is told OTHER. WORD
# is the translator that only a volfile of OTHER has.
kind() {
    local v=$1 kind=$2 other=$3 word=$4 d=/mnt/$1 m s i
    must_gluster n1 volume create "$v" "n1:$T/b0/$v" "n1:$T/b1/$v" "n1:$T/b2/$v"
    must_gluster n1 volume set "$v" user.xlator.allot locks
    must_gluster n1 volume set "$v" user.xlator.allot.namespace "$kind"
    must_gluster n1 volume start "$v"
    client_mount c1 "n1:/$v" "$d" || bail "no mount"
    m=$(in_node c1 "$d")
    is "$v: its names are of kind $kind" "$(status "$d" .namespace)" "$kind"
    is "$v: and what is in base files goes with it" "$(status "$d" .inline_limit)" "$([ "$kind" = replicate ] && echo 0 || echo 65536)"
    mkdir "$m/dir"
    for i in {1..9}; do
        cp "$T/data" "$m/dir/f$i"
    done
    client_mount c1 "n2:/$v" "$d-n2" || bail "no mount"
    names "$v" >"$T/names"
    # What a server would hand out that knows nothing of the registry.
    must_gluster n1 volume create wrong "n1:$T/b0/wrong" "n1:$T/b1/wrong" "n1:$T/b2/wrong"
    must_gluster n1 volume set wrong user.xlator.allot locks
    must_gluster n1 volume set wrong user.xlator.allot.namespace "$other"
    s="s|\\<wrong\\>|$v|g"
    for i in username password; do
        s+="; s|\\(option $i\\) .*|\\1 $(sed -n "s/^ *option $i //p" "$(volfile n1 "$v" "$v.tcp-fuse.vol")" | head -1)|"
    done
    sed "$s" "$(volfile n1 wrong wrong.tcp-fuse.vol)" >"$T/wrong.vol"
    must_gluster n1 volume delete wrong
    rm -rf "$T"/b?/wrong

    ok "$v: glusterd takes the setting" gluster n1 volume set "$v" user.xlator.allot.namespace "$other"
    for s in n1 n2; do
        ok "$v: $s writes volfiles of the right kind" grep -q "^    type cluster/$kind" "$(volfile $s "$v" "$v.tcp-fuse.vol")"
        nok "$v: and only those" grep -q "$word" "$(volfile $s "$v" "$v.tcp-fuse.vol")"
        ok "$v: the log of $s has a sentence" grep -qE "$v.tcp-fuse.vol: volume $v: .*user.xlator.allot.namespace" "$LOG/$s/allot-filter.log"
    done
    for s in "$d" "$d-n2"; do
        ok "$v: a mounted client's status says that it is refused" expect_within 30 warned "$s" \
            "user.xlator.allot.namespace=$other is not valid here and is not in force: names are kept by $kind"
        is "$v: it is as it was" "$(status "$s" '.state, .namespace, .active' | xargs)" "UP $kind true"
        is "$v: its files are right" "$(cd "$(in_node c1 "$s")" && md5sum dir/* | cut -d' ' -f1 | sort -u)" "$(sum "$T/data")"
    done
    for s in n1 n2; do
        ok "$v: it can be mounted from $s" client_mount c1 "$s:/$v" "$d-new"
        is "$v: with all files" "$(cd "$(in_node c1 "$d-new")" && md5sum dir/* | cut -d' ' -f1 | uniq -c | xargs)" "9 $(sum "$T/data")"
        must on c1 umount "$d-new"
    done

    # ---- the wrong graph all the same
    is "$v: a volfile of kind $other" "$(grep -c "$word" "$T/wrong.vol")" 1
    on c1 mkdir -p /mnt/wrong
    must on c1 glusterfs --volfile="$T/wrong.vol" --attribute-timeout=0 --entry-timeout=0 -l /var/log/glusterfs/wrong.log /mnt/wrong
    refused() {
        grep -q "nothing is served: the names of this volume are kept by $kind" "$LOG/c1/wrong.log"
    }
    ok "$v: the log says that nothing is served by it" expect_within 30 refused
    not_connected() { # a root that does not answer is none, too
        bounded 20 ls "$(in_node c1 /mnt/wrong)" 2>&1 | grep -q 'Transport endpoint is not connected'
    }
    ok "$v: nor is anything" expect_within 20 not_connected
    nok "$v: no name is made by it" bounded 20 touch "$(in_node c1 /mnt/wrong)/new"
    nok "$v: nor found" bounded 20 stat "$(in_node c1 /mnt/wrong)/dir/f1"
    must on c1 umount -l /mnt/wrong
    rm -f "$LOG/c1/wrong.log"
    nok "$v: nor by libgfapi" on c1 timeout -s KILL 60 "$BUILD/tests/volume/glusterd-gfapi" "$v" "volfile:$T/wrong.vol" read /dir/f1
    ok "$v: on the bricks all names are as they were" diff "$T/names" <(names "$v")
    must_gluster n1 volume set "$v" user.xlator.allot.namespace "$kind"
    not_warned() {
        [ "$(status "$d" '.warnings | length')" = 0 ]
    }
    ok "$v: the warning goes with the setting" expect_within 30 not_warned
}
kind dist distribute replicate '^volume dist-names'
kind names replicate distribute '^    type cluster/distribute'

# ---- parallel-readdir stands between distribute and its bricks ----------------
must_gluster n1 volume set names performance.parallel-readdir on
M=$(in_node c1 /mnt/names)
is "performance.parallel-readdir leaves replicated names alone" "$(grep -c 'type cluster/replicate' "$(volfile n1 names names.tcp-fuse.vol)") $(
    grep -c 'option parallel-readdir' "$(volfile n1 names names.tcp-fuse.vol)")" "1 0"
ok "new mounts work" client_mount c1 n1:/names /mnt/p
is "and have all files" "$(cd "$(in_node c1 /mnt/p)" && md5sum dir/* | cut -d' ' -f1 | uniq -c | xargs)" "9 $(sum "$T/data")"
is "as have those of before" "$(cd "$M" && md5sum dir/* | cut -d' ' -f1 | uniq -c | xargs)" "9 $(sum "$T/data")"
ok "which can write" cp "$T/data" "$M/dir/f10"
is "for both to see" "$(sum "$(in_node c1 /mnt/p)/dir/f10")" "$(sum "$T/data")"
is "nothing warns" "$(status /mnt/names '.warnings | length')" 0

# ---- rebalance ------------------------------------------------------------------
# It sees distribute over all bricks: names that are not on a fourth one, where it
# would look for every fourth of them.
mkdir "$M/empty"
for i in {1..30}; do
    : >"$M/empty/e$i"
done
must_gluster n1 volume add-brick names "n1:$T/b0/names-4"
four() {
    [ "$(status /mnt/names '.active, (.bricks | length)' | xargs)" = "true 4" ]
}
ok "a fourth brick is there" expect_within 30 four
names names >"$T/names"
for how in "start force" "fix-layout start"; do
    # shellcheck disable=SC2086
    must_gluster n1 volume rebalance names $how
    failed() {
        gluster n1 volume rebalance names status | grep -qw failed
    }
    ok "rebalance $how fails" expect_within 60 failed
    ok "rebalance $how: no name is moved or changed" diff "$T/names" <(names names)
    is "rebalance $how: the fourth brick has none" "$(find "$T/b0/names-4" -mindepth 1 -maxdepth 1 ! -name '.*')" ""
    is "rebalance $how: all files are there" "$(find "$M/empty" "$M/dir" -type f | wc -l)" 40
done

ok "the log says why" grep -q "rebalance is refused: names of this volume are replicated" "$LOG/n1/names-rebalance.log"

# ---- a server without a brick keeps what its clients have ---------------------
must_gluster n1 volume set names performance.parallel-readdir off
# The second one is written when the first is known to be set.
must_gluster n1 volume set names features.shard true
must_gluster n1 volume set names performance.quick-read off
for s in n1 n2; do
    is "$s: features.shard beside allot is not in force" "$(grep -cE 'type (cluster/allot|features/shard)' "$(volfile $s names names.tcp-fuse.vol)") $(
        grep -c 'option beside shard' "$(volfile $s names names.tcp-fuse.vol)")" "1 1"
done
shard_warned() {
    warned /mnt/names-n2 "features.shard is refused"
}
ok "a client of the server without bricks hears of it" expect_within 30 shard_warned
must_gluster n1 volume reset names force
for s in n1 n2; do
    is "$s: allot stays without the setting, and names replicated" "$(grep -cE 'type cluster/(allot|replicate)' "$(volfile $s names names.tcp-fuse.vol)" "$(
        volfile $s names trusted-names.tcp-fuse.vol)" | sed 's/.*://' | xargs)" "2 2"
done
ok "the log of the server without bricks says so" grep -q "volume names: user.xlator.allot is not set, its clients keep allot" "$LOG/n2/allot-filter.log"
N2=$(in_node c1 /mnt/names-n2)
is "its clients read" "$(cd "$N2" && md5sum dir/f? | cut -d' ' -f1 | uniq -c | xargs)" "9 $(sum "$T/data")"
ok "and write" cp "$T/data" "$N2/dir/f11"
is "for all to see" "$(sum "$M/dir/f11")" "$(sum "$T/data")"
done_testing
