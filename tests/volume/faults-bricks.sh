#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 45
# Bricks are killed and started again, one after the other, under random calls
# of two programs on two mounts. While a brick is away calls may fail with EIO,
# and with nothing else. Afterwards everything that was acknowledged is there.
# shellcheck source=faults-bricks-lib.sh
. "$(dirname "$0")/faults-bricks-lib.sh"

bricks_setup
programs_begin "$SEED" "${ORACLE_SECONDS:-25}"

# Brick 3 holds data only; 0 holds names too, with copies on 1 and 2.
rounds=0
for victim in 3 0 3 3 3 3 3 3; do
    more_calls
    running || break
    brick_cycle $victim
    rounds=$((rounds + 1))
done
programs_end "$SEED"
ok "bricks went and came back, $rounds times" test $rounds -ge 3
done_testing
