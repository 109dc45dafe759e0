#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 15
# Listings of a volume that lives in one process. Between distribute and its
# bricks there is no protocol/client, whose part it is to make directory offsets
# tell the bricks apart; the guard does it there. Without that, distribute goes
# on at a wrong brick and leaves names out.
# What ls itself says is under test: SC2012 does not apply.
# shellcheck disable=SC2012
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

bricks_dirs 4
volume_make local-4
must_mount m --attribute-timeout=0 --entry-timeout=0

names() {
    ls -U "$1" | sort
}

for n in 1 8 300; do
    mkdir "$M/d$n"
    for ((i = 0; i < n; i++)); do
        : >"$M/d$n/a-name-of-some-length-$i"
    done
    want=$(for ((i = 0; i < n; i++)); do echo "a-name-of-some-length-$i"; done | sort)
    is "all $n names are listed once" "$(names "$M/d$n" | md5sum)" "$(md5sum <<<"$want")"
done
is "also when read in small pieces with attributes" \
    "$(find "$M/d300" -mindepth 1 -printf '%s\n' | wc -l)" 300
is "also with distribute's bricks in the root" "$(names "$M" | tr '\n' ' ')" "d1 d300 d8 "
ok "a directory with all of them is removed" rm -r "$M/d300"
done_testing
