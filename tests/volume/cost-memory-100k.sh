#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 500
# alone: yes
# 100,000 files, listed and stat'ed by a mount with the default limit of its
# inode table.
# shellcheck source=cost-memory-lib.sh
. "$(dirname "$0")/cost-memory-lib.sh"

bricks_make 4 2G
list_and_stat 100000 65536
done_testing
