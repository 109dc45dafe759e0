#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 25
# The races of race.sh that are not right yet: the name is unlinked again and again,
# and the file is cut to within its inline part, while all write. A write or a close
# may say EIO although all is well, now and then on a busy machine.
RACE_OPEN=1
RACE_NAMES_ON_ONE=1
RACE_TEMPLATE=net-4-plain
RACE_ONLY='^(unlink|inline)$'
# shellcheck source=race.sh
. "$(dirname "$0")/race.sh"
