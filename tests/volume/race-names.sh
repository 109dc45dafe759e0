#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 20
# The races of race.sh in which the name is unlinked or renamed over again and again,
# or the file is cut to its inline part, with all names on one brick, so that no
# translator is between allot and what a file system guarantees: plain distribute
# loses lookups and renames in it, see docs/testing.md.
RACE_NAMES_ON_ONE=1
RACE_TEMPLATE=net-4-plain
RACE_ONLY='^(rename|unlink|inline)$'
# shellcheck source=race.sh
. "$(dirname "$0")/race.sh"
