#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 240
# alone: yes
# The mark of cost-speed.sh: one stream at least 0.95 as fast as on plain
# distribute, both ways. Wants a machine that does nothing else.
ALLOT_MARK=0.95 ALLOT_PAIRS_MAX=9 exec "$(dirname "$0")/cost-speed.sh"
