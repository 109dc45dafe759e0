#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# docs/admin.md word for word: each block that stands under a machine's name is
# run on a machine of that name, in order. Then the volume that allot was taken out
# of has no trace of it, and what was installed can be removed.
# tier: check
# needs: 50
# waits: yes
. "$(dirname "$0")/glusterd-lib.sh"

page_nodes 1G

page_run "$TOP/docs/admin.md" 15

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
