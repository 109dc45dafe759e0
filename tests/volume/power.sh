#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 60
# A brick loses power: its XFS is shut down without its log being flushed
# (xfs_io shutdown), so that what was not synced is gone, its process is killed,
# and both come back. What was fsynced is there, whoever wrote it; of the rest no
# byte is another one than was written, but for zeros.
# shellcheck source=crash-cable-lib.sh
. "$(dirname "$0")/crash-cable-lib.sh"

# power_loss I
power_loss() {
    must xfs_io -x -c shutdown "${BRICK[$1]}"
    must brick_kill "$1"
    must expect_within 10 umount "${BRICK[$1]}"
    brick_attach "$1"
    must brick_start "$1"
}

sees_all() {
    [ "$("$ALLOT" status "$1" --json | jq -c '[.bricks[].state] | unique')" = '["up"]' ]
}

# zeros_only FILE COPY: where they differ FILE has zeros, or gives EIO.
zeros_only() {
    local size
    size=$(stat -c %s "$1" 2>/dev/null) || return 0
    [ "$size" -le "$(stat -c %s "$2")" ] || return 1
    ! dd if="$1" bs=4096 conv=noerror,sync status=none 2>/dev/null | head -c "$size" |
        cmp -l - <(head -c "$size" "$2") 2>/dev/null | awk '$2 != 0 { bad = 1 } END { exit !bad }'
}

bricks_make 4 512M
volume_make net-4-plain --block-size 16KB
plain_graph "$T/vol/client.vol"
volume_start
must_mount a "${DIRECT[@]}"
A=$M
must_mount b "${DIRECT[@]}"
B=$M
W=$A
noise 400000 >"$T/noise-b"
cables_start

# grow_sync FILE FROM: O_SYNC writes of 64 KiB each; it is not closed. The first is
# the inline part, the next makes it spread: that is a record on the base's brick
# and data on another one. Nothing else syncs there afterwards.
grow_sync() {
    python3 -c '
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_SYNC)
data = open(sys.argv[2], "rb").read()
for i in range(0, len(data), 65536):
    assert os.pwrite(fd, data[i:i + 65536], i) == len(data[i:i + 65536])
os.kill(os.getpid(), 9)' "$1" "$2"
    [ $? = 137 ]
}

for victim in 0 1 2 3; do
    for i in 1 2 3 4; do
        for kind in same other client unsynced; do
            noise 600000 >"$REF/$kind-$victim-$i"
        done
        must dd if="$REF/same-$victim-$i" of="$A/same-$victim-$i" bs=64K conv=fsync status=none
        cp "$REF/other-$victim-$i" "$A/"
        must sync "$A/other-$victim-$i"
        cp "$REF/client-$victim-$i" "$A/"
        must sync "$B/client-$victim-$i"
        cp "$REF/unsynced-$victim-$i" "$A/"
    done
    for n in {1..60}; do
        osync=osync-$victim-$n
        : >"$A/$osync"
        [ ! -e "${BRICK[victim]}/$osync" ] || break
    done
    noise 70000 >"$REF/$osync"
    ok "brick $victim: a file is written with O_SYNC" grow_sync "$A/$osync" "$REF/$osync"
    power_loss $victim
    for m in "$A" "$B"; do
        ok "brick $victim lost power and is back" expect_within 30 sees_all "$m"
    done
    for kind in same other client; do
        for i in 1 2 3 4; do
            ok "brick $victim: synced through $kind fd, file $i" \
                bounded 60 cmp "$B/$kind-$victim-$i" "$REF/$kind-$victim-$i"
        done
    done
    ok "brick $victim: what was written with O_SYNC is there" bounded 60 cmp "$B/$osync" "$REF/$osync"
    for i in 1 2 3 4; do
        ok "brick $victim: unsynced file $i has no wrong bytes" \
            zeros_only "$B/unsynced-$victim-$i" "$REF/unsynced-$victim-$i"
    done
done

# Bytes that were synced, and then moved by a client that cannot reach a brick.
for i in 1 2; do
    name=moved-$i
    noise 200000 >"$REF/$name"
    must dd if="$REF/$name" of="$A/$name" bs=64K conv=fsync status=none
    MID=$(block_off "$name")
    k=$(brick_of "$A/$name" "$MID")
    must cabled "c-$i" "$k"
    cable_out "$k"
    must expect_within 30 without "$T/mnt-c-$i"
    must do_mid "$T/mnt-c-$i/$name"
    cable_in "$k"
    is "$name: the bytes behind the write have a new extent" \
        "$("$ALLOT" layout "$A/$name" --json | jq --argjson at "$MID" 'any(.extents[]; .start == $at)')" true
    power_loss "$(brick_of "$A/$name" $((MID + 16384)))"
    ok "$name: the brick is back" expect_within 30 sees_all "$B"
    ok "$name: they are there" cmp -i $((MID + 16384)) "$B/$name" "$REF/$name"
done
done_testing
