#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 120
# A client dies, or stalls and goes on, between every two steps of growing,
# writing, settling, fsync, truncating, extending, appending an extent,
# unlinking, renaming over a name and O_APPEND. Another client finds no
# acknowledged byte lost, a right size, and a file that can be used; portions
# are left only where docs/protocol.md says so.
# shellcheck source=crash-lib.sh
. "$(dirname "$0")/crash-lib.sh"

crash_setup net-4-plain
crash_cases kill cont
ok "a report finds nothing wrong" reported
done_testing
