#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 200
# waits: yes
# glusterd-sets-life.sh on replica 3, with more files in each step, and all of them
# looked at in each.
KIND="replica 3" LIFE=full
# shellcheck source=glusterd-sets-life.sh
. "$(dirname "$0")/glusterd-sets-life.sh"
