#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 120
# waits: yes
# All of glusterd-sets-disperse.sh.
SETS_FULL=1
export SETS_FULL
# shellcheck source=glusterd-sets-disperse.sh
. "$(dirname "$0")/glusterd-sets-disperse.sh"
