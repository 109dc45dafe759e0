#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 60
# The races of race.sh, names on one brick, while single threads of bricks, mounts
# and programs are stopped for up to 50 ms at random (stops.c).
RACE_NAMES_ON_ONE=1
RACE_TEMPLATE=net-4-plain
RACE_STOPS=50
# shellcheck source=race.sh
. "$(dirname "$0")/race.sh"
