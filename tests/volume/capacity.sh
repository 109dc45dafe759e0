#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 45
# Bricks of different sizes, filled to the first ENOSPC: half full, all have
# nearly the same share of their capacity; full, hardly anything is left unused,
# and all that was written reads back.
# shellcheck source=capacity-lib.sh
. "$(dirname "$0")/capacity-lib.sh"

bricks_make 4 320M,320M,640M,1280M
volume_make net-4-plain --weights capacity "${NO_RESERVE[@]}"
volume_start
must_mount w
pool_make 32
BEFORE=$(free_bytes)

# ---- half full --------------------------------------------------------------

half=$((BEFORE / 2 / (8 * MIB)))
ok "half the capacity is written" write_files half $half 8
bricks_sync
umount_volume w
must_mount r
"$ALLOT" status "$M" --json >"$T/status.json"

# One line for each brick: data, used, capacity, weight. Data are allocated
# blocks (du without .glusterfs), as in evenness-lib.sh. Used is what statfs
# says, with XFS's own metadata: it is what the ledger balances. The capacity is
# what status shows: the file system without its log, which is as large on a
# small brick as on a large one.
for ((i = 0; i < NBRICKS; i++)); do
    echo "$(brick_used $i) $(stat -f -c '%b %f %S' "${BRICK[i]}" | awk '{ printf "%.0f", ($1 - $2) * $3 }')" \
        "$(jq -r ".bricks[$i] | \"\(.capacity_bytes) \(.weight)\"" "$T/status.json")"
done >"$T/bricks"

# share_ratio A B: max/mean of column A per column B; the mean is all A over all
# B.
share_ratio() {
    awk -v a="$1" -v b="$2" '{ x += $a; y += $b; if ($a / $b > max) max = $a / $b }
        END { printf "%.4f", max * y / x }' "$T/bricks"
}

# Bricks of 256:256:576:1216 MiB have the weights 4:4:9:19. Files of 32 blocks are
# shorter than the cycle of 36: which bricks have the blocks that quota leaves
# open is decided by the order of members, least used first. What the ledger
# takes for used is what statfs says; on bricks as small as these XFS's own
# 20 MiB are part of it, and data make up for them.
LIMIT=1.015
note "data/used/capacity MiB and weight: $(awk '{ printf "%.1f/%.1f/%.1f:%d ", $1 / 1048576, $2 / 1048576, $3 / 1048576, $4 }' "$T/bricks")"
note "data: max/mean by capacity $(share_ratio 1 3), by weight $(share_ratio 1 4)"
ok "data per capacity: max/mean $(share_ratio 1 3) <= $LIMIT" at_least $LIMIT "$(share_ratio 1 3)"
ok "no brick has more or less than a block per file beside its quota" \
    awk -v files=$half '{ d[NR] = $1; w[NR] = $4; sum += $1; weights += $4 } END {
        for (i = 1; i <= NR; i++) {
            off = d[i] - sum * w[i] / weights
            # A block of 256 KiB and the inline part of 64 KiB, by name.
            if (off > files * 327680 || off < -files * 327680)
                exit 1
        }
    }' "$T/bricks"
SAID=$(jq .max_over_mean "$T/status.json")
note "used: max/mean by weight $(share_ratio 2 4); status says $SAID"
ok "status says the same within 1%" awk -v a="$SAID" -v b="$(share_ratio 2 4)" \
    'BEGIN { exit !(a > 0 && a / b < 1.01 && b / a < 1.01) }'
umount_volume r

# ---- full -------------------------------------------------------------------

must_mount w
fill full 32
is "the write that fails says why" "$FULL" "No space left on device"
is "it ends by itself" "$ENDED" 1
ok "share of the usable capacity: $SHARE >= 0.99" at_least "$SHARE" 0.99
umount_volume w
must_mount r
ok "what was written first reads back" read_files half $half 8
ok "what was written until it was full reads back" read_files full "$FILES" 32
ok "the report says all is whole" all_whole
umount_volume r
done_testing
