#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 50
# prog-copy.sh on both kinds of namespace.
COPY_KINDS="net-4 net-4-plain"
export COPY_KINDS
# shellcheck source=prog-copy.sh
. "$(dirname "$0")/prog-copy.sh"
