#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 120
# alone: yes
# Three populations of files on six equal bricks, written by one client and by
# four at once: the fullest brick has hardly more than the mean, and every byte
# is there. Bytes are allocated blocks without .glusterfs.
# shellcheck source=evenness-lib.sh
. "$(dirname "$0")/evenness-lib.sh"

evenness_setup net-4-plain
while read -r population limit; do
    for writers in 1 4; do
        evenness "$population" $writers
        ok "$population, $writers writer(s): max/mean $RATIO <= $limit" at_most "$RATIO" "$limit"
    done
done <<'LIMITS'
big 1.003
medium 1.005
small 1.01
LIMITS
done_testing
