#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 60
# fail-nospace.sh on both kinds of namespace.
NOSPACE_KINDS="net-4 net-4-plain"
export NOSPACE_KINDS
# shellcheck source=fail-nospace.sh
. "$(dirname "$0")/fail-nospace.sh"
