#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# docs/admin.md word for word: each block that stands under a machine's name is
# run on a machine of that name, in order. Then the volume that allot was taken out
# of has no trace of it, and what was installed can be removed.
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

# ---- taken out ------------------------------------------------------------------
is "no volfile of the new volume has allot" "$(grep -l allot "$T"/server?/lib/vols/plain/*.vol)" ""
is "no brick of it has portions" "$(find "$T"/b?/plain "$T"/b?/gluster -name .allot)" ""
attributes() { # attributes VOLUME: how many of allot's its bricks have
    getfattr -R -h -d -m trusted.allot "$T"/b?/"$1" 2>/dev/null | grep -c '^trusted.allot'
}
is "nor an attribute of allot" "$(attributes plain) $(attributes gluster)" "0 0"
ok "unlike a volume that uses it" test "$(attributes old)" -gt 2
ok "it can be mounted without the plugin" on client bash -c '
    umount -l "$0" && mount -t glusterfs server1:/plain /mnt/plain && ls /mnt/plain/big' "$GLUSTER_DIR"

# ---- installed and removed ------------------------------------------------------
if [ "$BUILD" != installed ]; then
    ok "make install" make -s -C "$BUILD" install DESTDIR="$T/dest"
    is "installs plugins, filter and command" \
        "$(find "$T/dest" -path '*/cluster/allot.so' -o -path '*/user/allot.so' -o -path '*/filter/allot' -o -path '*/bin/allot' | wc -l)" 4
    ok "make uninstall" make -s -C "$BUILD" uninstall DESTDIR="$T/dest"
    is "takes all of it away" "$(find "$T/dest" ! -type d)" ""
fi
done_testing
