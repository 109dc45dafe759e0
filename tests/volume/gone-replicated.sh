#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 60
# gone.sh where names, base files and so the guards' lists are replicated.
GONE_TEMPLATE=net-4
# shellcheck source=gone.sh
. "$(dirname "$0")/gone.sh"
