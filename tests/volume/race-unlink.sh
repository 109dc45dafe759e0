#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 15
# The races of race.sh that are not right yet, with distributed names: the name is
# unlinked again and again, others are renamed over it, and the file is cut to its
# inline part while all write. Fails until they are.
RACE_OPEN=1
RACE_TEMPLATE=net-4-plain
RACE_ONLY='^(unlink|rename|inline)$'
# shellcheck source=race.sh
. "$(dirname "$0")/race.sh"
