#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 80
# The deaths of crash-steps.sh where names, base files and records are
# replicated. A client that only stalls is not looked at: replicate's own lock
# on a name or a record, which it gives back after its answer, stays with it.
# shellcheck source=crash-lib.sh
. "$(dirname "$0")/crash-lib.sh"

crash_setup net-4
crash_cases kill
ok "a report finds nothing wrong" reported
done_testing
