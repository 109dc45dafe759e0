#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 55
# A client that died in the middle of a fence or a publication, which some bricks of a
# disperse set have had and others not. The state is made by hand: nothing is mounted,
# and guard-probe says it to one brick or to two. Whatever is done to such a file first,
# no call fails, nothing is lost, and in the end the bricks agree.
# shellcheck source=sets-even-lib.sh
. "$(dirname "$0")/sets-even-lib.sh"

sets_start net-disperse-6 --block-size 16KB
made one two closed closed2 cut cut2 record record2 dirty settle
n=0
for f in "${FILES[@]}"; do
    state "${f%-*}" "$f" $((n % 3)) $(((n + 1) % 3)) $(((n + 2) % 3))
    n=$((n + 1))
done
told
nok "they do not agree any more" test -z "$(uneven)"
sets_mount r
for f in "${FILES[@]}"; do
    ok "$f" worked "$f" "${f#*-}"
done
ok "the log says so" grep -q 'had different generations of the portion' "$LOG/mnt-r.log"
must umount_volume r
ok "nothing is lost" fresh right "${FILES[@]}"
without_each
done_testing
