#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 3000
# What scan.sh does, with a million files: the same bounds on memory and time hold.
export SCAN_DIRS=1000 SCAN_EACH=999 SCAN_DAMAGED=10000 SCAN_ROUNDS=1
exec bash "$(dirname "$0")/scan.sh"
