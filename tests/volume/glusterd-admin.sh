#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# docs/admin.md word for word: each block that stands under a machine's name is
# run on a machine of that name, in order.
# tier: check
# needs: 110
. "$(dirname "$0")/glusterd-lib.sh"

PAGE=$TOP/docs/admin.md
bricks_make 2 1G
nodes_make server1 server2 client
must on server1 mount --bind "$T/b0" /data
must on server2 mount --bind "$T/b1" /data
glusterd_start server1
glusterd_start server2

# blocks: each to $T/block-N, its machine's name in the first line.
awk -v dir="$T" '
    inside && /^```$/ { inside = 0; next }
    inside { print > file }
    /^```sh [a-z0-9]+$/ { n++; file = dir "/block-" n; inside = 1; print "#", $2 > file }' "$PAGE"
n=$(find "$T" -maxdepth 1 -name 'block-*' | wc -l)
ok "the page has commands" test "$n" -ge 15
for ((i = 1; i <= n; i++)); do
    read -r _ name <"$T/block-$i"
    ok "block $i on $name: $(sed -n 2p "$T/block-$i")" on "$name" env PATH="$BUILD:$PATH" \
        timeout 120 bash -eux "$T/block-$i" || break
done
done_testing
