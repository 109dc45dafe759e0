#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 200
# waits: yes
# glusterd-life.sh with more files in each step, and all of them looked at in each.
LIFE=full
# shellcheck source=glusterd-life.sh
. "$(dirname "$0")/glusterd-life.sh"
