#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# The replica count of a volume is changed after allot was enabled, by add-brick and
# by remove-brick: allot does not follow. Its data cannot be reached meanwhile, and
# status and log say why and what to do; nothing is read wrong, counted as lost, or
# changed on a disk, and when the change is taken back all of it is there.
# tier: check
# needs: 60
# waits: yes
# shellcheck source=glusterd-lib.sh
. "$(dirname "$0")/glusterd-lib.sh"
# shellcheck source=glusterd-sets-lib.sh
. "$(dirname "$0")/glusterd-sets-lib.sh"

bricks_make 6 400M
nodes_make n1 c1
glusterd_start n1
noise 4000000 >"$T/data"

filled() { # files in the volume
    local f
    rm -rf "$T/want"
    mkdir "$T/want"
    for f in a b c; do
        noise 3000000 >"$T/want/$f"
        must cp "$T/want/$f" "$M/$f"
    done
    want cp /etc/passwd small
    ok "$V: files are right" all_right
    ok "$V: and spread" test "$(on c1 "$BUILD/allot" layout --json /mnt/v/a | jq .spread)" = true
}
portions_now() { # of SPOTS: portions with their bytes and attributes
    local i
    for i in "${!SPOTS[@]}"; do
        echo "$i $(portions_of "$i")"
    done
}
# unfollowed WHY: all that is spread is away, and nothing else has come of it.
unfollowed() {
    local f
    portions_now >"$T/stored"
    ok "$V: status says that allot does not follow" status_soon \
        "(.bricks | length == 2) and (.bricks | all(.state == \"foreign\" and .index != null and
         (.why | test(\"$1\"))))"
    ok "$V: for people, too" grep -q "is foreign: .*$1" <(on c1 "$BUILD/allot" status /mnt/v)
    ok "$V: and the client's log" grep -q "is foreign: .*$1" "$(mount_log c1 /mnt/v)"
    for f in a b c; do
        nok "$V: $f is not read" bounded 60 cmp "$M/$f" "$T/want/$f"
        is "$V: and no wrong byte of it" "$(bounded 60 dd if="$M/$f" bs=4k 2>/dev/null |
            cmp -n 3000000 - "$T/want/$f" 2>&1 | grep -c differ)" 0
    done
    nok "$V: it is not written" bounded 60 dd if="$T/data" of="$M/a" bs=1M conv=notrunc,fsync
    nok "$V: a new file is not spread" bounded 60 dd if="$T/data" of="$M/new" bs=1M conv=fsync
    bounded 60 rm -f "$M/new"
    on c1 timeout -s KILL 60 "$BUILD/allot" report --json /mnt/v >"$T/report.json"
    ok "$V: the report has it as unavailable, not as lost" jq -e '.blocks.unavailable > 0 and .blocks.lost == 0' "$T/report.json"
    is "$V: no portion is changed" "$(portions_now | diff - "$T/stored")" ""
}
adopt_refused() { # adopt_refused BRICK
    nok "$V: a new member is not adopted" on c1 "$BUILD/allot" brick adopt "$1" /mnt/v
    ok "$V: with a reason" grep -q "the replica count was changed" <(on c1 "$BUILD/allot" brick adopt "$1" /mnt/v 2>&1)
}
back() {
    ok "$V: the volume is up again" status_soon '.state == "UP"'
    ok "$V: all files are right" all_right
    ok "$V: they can be written" patch a 1
    ok "$V: and are right" all_right
}
# raised N LEAF BRICK...: from a replica count of N to one more, which LEAF is of, and
# back.
raised() {
    local n=$1 leaf=$2
    shift 2
    must_gluster n1 volume add-brick "$V" replica $((n + 1)) "$@" force
    unfollowed "replica count was raised.* remove-brick VOLUME replica N BRICK... force"
    adopt_refused "$leaf"
    must_gluster n1 volume remove-brick "$V" replica "$n" "$@" force
    back
}
volume_ends() {
    must on c1 umount /mnt/v
    must_gluster n1 volume stop "$V" force
}

# ---- two replicas, then three -------------------------------------------------
sets_start two "replica 2" 4
filled
raised 2 two-client-2 "n1:$T/b4/two" "n1:$T/b5/two"
volume_ends

# ---- plain bricks, then two replicas ------------------------------------------
V=plain
SPOTS=("$T/b0/plain" "$T/b1/plain")
must_gluster n1 volume create plain "n1:${SPOTS[0]}" "n1:${SPOTS[1]}"
must_gluster n1 volume set plain user.xlator.allot locks
must_gluster n1 volume start plain
client_mount c1 n1:/plain /mnt/v -o attribute-timeout=0,entry-timeout=0,direct-io-mode=enable || bail "no mount"
status_soon '.state == "UP" and .active' || bail "the volume is not up"
filled
raised 1 plain-client-1 "n1:$T/b2/plain" "n1:$T/b3/plain"
volume_ends

# ---- two replicas and an arbiter, then without it -----------------------------
sets_start arb "replica 2 arbiter 1" 6
filled
must_gluster n1 volume remove-brick arb replica 2 "n1:${SPOTS[2]}" "n1:${SPOTS[5]}" force
unfollowed "replica count was lowered.* add-brick VOLUME replica N BRICK..."
must_gluster n1 volume add-brick arb replica 3 arbiter 1 "n1:$T/b2/new" "n1:$T/b5/new" force
SPOTS[2]=$T/b2/new SPOTS[5]=$T/b5/new
ok "arb: with new arbiters it is used again" status_soon \
    '.state == "DEGRADED" and set(0).state == "up" and set(1).state == "up" and leaf(2).state == "blank" and leaf(5).state == "blank"'
ok "arb: all files are right" all_right
ok "arb: one is patched" patch b 0
for name in $(jq -r '.bricks[].leaves[] | select(.state == "blank") | .name' "$T/status.json"); do
    ok "arb: $name is adopted" on c1 "$BUILD/allot" brick adopt "$name" /mnt/v
done
ok "arb: everything is healed" expect_within 60 healed
back
done_testing
