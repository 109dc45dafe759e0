#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 60
# A brick loses power: its XFS is shut down without its log being flushed
# (xfs_io shutdown), so that what was not synced is gone, its process is killed,
# and both come back. What was fsynced is there, whoever wrote it; of the rest no
# byte is another one than was written, but for zeros.
# shellcheck source=crash-lib.sh
. "$(dirname "$0")/crash-lib.sh"

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
    for i in 1 2 3 4; do
        ok "brick $victim: unsynced file $i has no wrong bytes" \
            zeros_only "$B/unsynced-$victim-$i" "$REF/unsynced-$victim-$i"
    done
done
done_testing
