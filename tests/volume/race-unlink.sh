#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 15
# The race of race.sh in which the name is unlinked again and again, and the one in
# which others are renamed over it, with distributed names.
RACE_TEMPLATE=net-4-plain
RACE_ONLY='^(unlink|rename)$'
# shellcheck source=race.sh
. "$(dirname "$0")/race.sh"
