#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 15
# A truncation that a brick has no room to note (its fence is ENOSPC) is not
# acknowledged: that brick would still let a client write that has not heard of
# it. Whoever looks at the file next finishes it, when there is room.
# shellcheck source=faults-lib.sh
. "$(dirname "$0")/faults-lib.sh"

faults_setup net-4-plain

# The first xattr that allot sets on c1 on the mount $FULL is refused.
must faulty_graph "$T/vol/client.vol" c1 "$T/vol/full.vol" setxattr ENOSPC
sed -i 's/option failure 0.0003/option failure 0.0001/' "$T/vol/full.vol"
noise 300000 >"$T/data"
# A file whose base is not on c1.
for ((i = 0; i < 50; i++)); do
    must cp "$T/data" "$JUDGE/f$i"
    [ -e "${BRICK[1]}/f$i" ] || break
done
F=f$i
VOLFILE=$T/vol/full.vol must_mount full "${DIRECT[@]}"
FULL=$M
ok "it is read there" cmp "$FULL/$F" "$T/data"

fails_with() { # fails_with TEXT CMD...
    local text=$1 out
    shift
    out=$(bounded 60 "$@" 2>&1) && return 1
    grep -q "$text" <<<"$out" || { echo "$out" && return 1; }
}
ok "a truncation that c1 refuses is not acknowledged" \
    fails_with "Input/output error" truncate -s 100000 "$FULL/$F"
ok "c1 had no room for its fence" grep -q 'no room to note it' "$LOG/mnt-full.log"
is "the next look finishes it" "$(stat -c %s "$FULL/$F")" 100000
ok "its bytes are right" cmp "$FULL/$F" <(head -c 100000 "$T/data")
must truncate -s 300000 "$JUDGE/$F"
ok "and no byte behind the cut is left" cmp "$JUDGE/$F" <(head -c 100000 "$T/data" && head -c 200000 /dev/zero)
must umount_volume full
done_testing
