#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# The smallest case of docs/admin.md, word for word, on glusterds that use what "make
# install" has put into the real places: nothing is bound over GlusterFS's plugin
# directory. install.sh runs it, where that is an overlay; it has no tier of its own.
#
#   ALLOT_BUILD=installed bash tests/volume/glusterd-installed.sh
# shellcheck source=glusterd-lib.sh
. "$(dirname "$0")/glusterd-lib.sh"

[ "$BUILD" = installed ] || bail "ALLOT_BUILD is not \"installed\""
page_nodes 512M
for n in server1 client; do
    nok "$n has the machine's plugin directory" on "$n" mountpoint -q "$GLUSTER_DIR"
done
# The first chapter: a volume is made, allot is set, it is started, mounted, and a
# large file is written; status, layout and report of it.
awk '/^## / { n++ } n < 2' "$TOP/docs/admin.md" >"$T/page.md"
is "the chapter is the one that is meant" "$(grep '^## ' "$T/page.md")" "## The smallest case"
page_run "$T/page.md" 2
M=$(in_node client /mnt/vol1)

# ---- who did it -----------------------------------------------------------------
ok "the filter has put allot into the client's volfile" grep -q '^    type cluster/allot' "$(volfile server1 vol1 vol1.tcp-fuse.vol)"
is "and guards into the bricks'" "$(cat "$T"/server1/lib/vols/vol1/vol1.server?.*.vol | grep -cx '    type user/allot')" 2
loaded() { # loaded NODE PID PLUGIN: the node's process has loaded the installed one
    on "$1" cat "/proc/$2/maps" | grep -q " $GLUSTER_DIR/xlator/$3/allot.so\$"
}
ok "the first brick has loaded the guard" loaded server1 "$(brick_of server1 vol1 0)" user
ok "and the second" loaded server2 "$(brick_of server2 vol1 0)" user
ok "the client has loaded allot" loaded client "$(on client pidof -s glusterfs)" cluster
is "the command is the installed one" "$(on client bash -c 'command -v allot')" /usr/bin/allot

# ---- what it does ---------------------------------------------------------------
ok "the file reads back" on client md5sum -c /tmp/big.md5
ok "also through another mount" client_mount client server2:/vol1 /mnt/again
is "byte for byte" "$(sum "$(in_node client /mnt/again/big)")" "$(on client cut -d' ' -f1 /tmp/big.md5)"
sync -f "$M/big"
gfid=$(getfattr --only-values -n glusterfs.gfid.string "$M/big" 2>/dev/null)
for b in "$T"/b?; do
    sync -f "$b"
    find "$b/gluster/.allot" -type f -name "$gfid*" -printf '%b\n' | awk '{ n += $1 } END { print n * 512 }'
done >"$T/shares"
# 64 MiB in blocks of 256 KiB; the first 64 KiB are with the name.
is "each brick has half of it, to a block" "$(awk '{ n++; if ($1 < 33161216 || $1 > 33816576) bad = 1 } END { print n, bad + 0 }' "$T/shares")" "2 0" ||
    note "$(cat "$T/shares")"
for b in "$T"/b?; do
    du -s --block-size=1 --exclude=.glusterfs "$b/gluster" | cut -f1
done >"$T/used"
ok "and the volume is even: $(xargs <"$T/used") bytes" awk '{ sum += $1; if ($1 > max) max = $1 } END { exit !(max * NR <= sum * 1.01) }' "$T/used"
is "the status says that all is up" "$(on client allot status --json /mnt/vol1 | jq -c '[.state, .active, [.bricks[].state]]')" '["UP",true,["up","up"]]'
is "the report has every file, whole and exact" \
    "$(on client allot report --json /mnt/vol1 | jq -c '[.exact, .files.total, .files.intact, .blocks.failed]')" \
    "[true,$(find "$M" -type f | wc -l),$(find "$M" -type f | wc -l),0]"
done_testing
