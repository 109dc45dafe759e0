#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 60
# sets-disperse-race.sh, while single threads of bricks, mounts and programs are
# stopped for up to 50 ms at random (stops.c).
export RACE_STOPS=50
exec "$BASH" "$(dirname "$0")/sets-disperse-race.sh"
