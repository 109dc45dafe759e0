#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 45
# The short form of crash-cable-all.sh: some of the steps, each with another brick.
# shellcheck source=crash-cable-lib.sh
. "$(dirname "$0")/crash-cable-lib.sh"

crash_setup net-4-plain
cables_start
CRASH_ONLY='^(write-some-write|settle-fenced|truncate-published-trunc|append-created)'
cable_cases out
CRASH_ONLY='^(settle-glimpsed|truncate-fenced|inline-cut-inline)'
CABLE_TURN=1
cable_cases blink
ok "a report finds nothing wrong" reported
done_testing
