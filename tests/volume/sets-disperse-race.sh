#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 30
# The races of race.sh on disperse sets. With disperse's own lock kept for a second they
# would take turns, a second each. Not renaming over: there two clients can wait for
# each other for ever, with the same volume without allot, too (docs/testing.md).
export RACE_BRICKS=6 RACE_TEMPLATE=net-disperse-6
export RACE_ONLY='^[^r]'
export RACE_OPTIONS='locks:notify-contention-delay=0 s*:eager-lock=off'
exec "$BASH" "$(dirname "$0")/race.sh"
