#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 180
# prog-postgresql.sh with more rows and for longer, with a crash of the server, and
# with a brick that is killed under it and returns.
PG_SCALE=5 PG_SECONDS=30 PG_FULL=1
export PG_SCALE PG_SECONDS PG_FULL
# shellcheck source=prog-postgresql.sh
. "$(dirname "$0")/prog-postgresql.sh"
