#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 240
# prog-stress.sh for a minute on each kind of volume, with all stressors.
STRESS_SECONDS=60 STRESS_LONG=1 STRESS_KINDS="net-4 net-4-plain"
export STRESS_SECONDS STRESS_LONG STRESS_KINDS
# shellcheck source=prog-stress.sh
. "$(dirname "$0")/prog-stress.sh"
