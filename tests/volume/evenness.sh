#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 120
# alone: yes
# Populations of files on six equal bricks, written by one client and by four at
# once: the fullest brick has hardly more than the mean, and every byte is there.
# Bytes are allocated blocks without .glusterfs.
#
# What a client cannot know is where the others put their last file, and what the
# bricks have allocated ahead. That is a number of bytes, not a share: about a block
# (256 KiB) a client. Of the 31 MiB that each brick has of the small files, a hundredth
# is little more than one block (one writer had 1.0115 once in some hundred runs), so
# the share is held with four times as many files, and the small ones to blocks.
# shellcheck source=evenness-lib.sh
. "$(dirname "$0")/evenness-lib.sh"

BLOCK=262144

evenness_setup net-4-plain
while read -r population writers limit; do
    evenness "$population" "$writers"
    ok "$population, $writers writer(s): max/mean $RATIO <= $limit" at_most "$RATIO" "$limit"
done <<'LIMITS'
big 1 1.003
big 4 1.003
medium 1 1.005
medium 4 1.005
many 1 1.01
many 4 1.01
LIMITS
for writers in 1 4; do
    evenness small $writers
    ok "small, $writers writer(s): the fullest brick has $EXCESS bytes more than the mean: blocks" \
        at_most "$EXCESS" $(((writers == 1 ? 2 : 4) * BLOCK))
done
done_testing
