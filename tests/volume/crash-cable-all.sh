#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 600
# At each step that docs/protocol.md names for a file a client loses the
# connection to one brick, with and without its being back before the client
# goes on. What the client acknowledges is right for everybody.
# shellcheck source=crash-cable-lib.sh
. "$(dirname "$0")/crash-cable-lib.sh"

crash_setup net-4-plain
cables_start
cable_cases out
cable_cases blink
ok "a report finds nothing wrong" reported
done_testing
