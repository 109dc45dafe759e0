#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 15
# The oracle itself: what memory says is what tmpfs does; a file system that is
# wrong is found, and its mistake told in few calls, which can be made again.
# shellcheck source=oracle-lib.sh
. "$(dirname "$0")/oracle-lib.sh"

mkdir -p "$T/tmpfs"
must mount -t tmpfs -o size=64m none "$T/tmpfs"
undo mount "$T/tmpfs"

MOUNTS=("$T/tmpfs")
ok "memory and tmpfs agree" oracle "$SEED" 3 -f 4
ok "also at borders of 4 KiB" oracle $((SEED + 1)) 2 -f 4 -i 4096 -b 4096 -m 60000
MOUNTS=("$T/tmpfs" "$T/tmpfs")
ok "also in two places" oracle $((SEED + 2)) 2

# Another seed, since the names are made of it.
SEED=$((SEED + 3))
rc=0
"$ORACLE" -s "$SEED" -t 20 -S 20 "wrong:$T/tmpfs" >"$T/found" || rc=$?
is "what ftruncate cut off comes back: that is found" "$rc" 1
is "with its seed" "$(grep -c "^seed $SEED, call" "$T/found")" 1
n=$(sed -n 's/^the shortest failing sequence is \([0-9]*\) of .*/\1/p' "$T/found")
# Three do: write, cut, make longer. Six if none of them is in vain and the file has
# no name any more, since that takes another file and a rename.
ok "it is told in a few calls ($n)" test "${n:-99}" -le 8
grep -E '^[a-z]+ file=' "$T/found" >"$T/list"
is "these are they" "$(wc -l <"$T/list")" "$n"
ok "two of them truncate" test "$(grep -c '^ftruncate ' "$T/list")" -ge 2
nok "made again they fail again" "$ORACLE" -s "$SEED" -r "$T/list" "wrong:$T/tmpfs"
rm -rf "${T:?}/tmpfs/"*
ok "and not on a file system that is right" "$ORACLE" -s "$SEED" -r "$T/list" "$T/tmpfs"
done_testing
