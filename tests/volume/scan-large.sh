#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 3000
# What scan.sh does, with a million files: the same bound on memory holds.
# In large directories find -ls needs no call for most files (readdirplus), a
# report one for each: the mark of its speed is missed there by about five times.
export SCAN_DIRS=1000 SCAN_EACH=999 SCAN_FACTOR=8
exec bash "$(dirname "$0")/scan.sh"
