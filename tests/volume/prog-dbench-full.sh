#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 90
# prog-dbench.sh for longer, on both kinds of namespace.
DBENCH_SECONDS=15 DBENCH_KINDS="net-4 net-4-plain"
export DBENCH_SECONDS DBENCH_KINDS
# shellcheck source=prog-dbench.sh
. "$(dirname "$0")/prog-dbench.sh"
