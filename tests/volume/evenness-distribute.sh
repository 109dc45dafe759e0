#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 60
# alone: yes
# The measurement of evenness.sh can fail: plain distribute, which places whole
# files by the hash of their names, is found uneven.
# shellcheck source=evenness-lib.sh
. "$(dirname "$0")/evenness-lib.sh"

evenness_setup net-4-distribute
while read -r population limit; do
    evenness "$population" 1
    nok "$population: max/mean $RATIO is more than $limit" at_most "$RATIO" "$limit"
done <<'LIMITS'
big 1.003
medium 1.005
small 1.01
LIMITS
done_testing
