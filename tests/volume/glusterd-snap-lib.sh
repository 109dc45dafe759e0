# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# shellcheck shell=bash
# Snapshots of glusterd where there is no device mapper. Sourced after
# glusterd-lib.sh. glusterd takes a snapshot of a brick by four commands of LVM, by
# their absolute paths; inside the node these are scripts that do the same with
# images and loop devices: the brick's file system is frozen, its image copied,
# thawed. All else (names, volfiles, mounts, states) is stock glusterd's.
#
#   bricks_make 2 512M; nodes_make n1 c1; glusterd_start n1
#   snap_start n1
#   must_gluster n1 snapshot create snap1 vol1 no-timestamp
#
# Not here: what a snapshot should be good for.

# snap_start NODE: from here on its glusterd can take snapshots.
snap_start() {
    mkdir -p "$T/lvm/bin"
    # The device of a snapshot is "/dev/GROUP/NAME".
    cat >"$T/lvm/bin/lvs" <<LVS
#!/bin/sh
case "\$*" in
*pool_lv*) echo pool ;;
*data_percent*) echo "group:1.00:512.00m" ;;
*) echo "..$T/lvm" ;;
esac
LVS
    cat >"$T/lvm/bin/lvcreate" <<LVCREATE
#!/bin/bash
# lvcreate -s DEVICE [...] --name PATH
[ "\$1" = -s ] || exit 0
set -eu
path=\${!#}
link=$T/lvm/\${path##*/}
image=\$(losetup -n -O BACK-FILE "\$2")
copy=\$link.img
at=\$(findmnt -n -o TARGET -S "\$2" | head -1)
fsfreeze -f "\$at"
trap 'fsfreeze -u "\$at"' EXIT
cp --sparse=always "\$image" "\$copy"
dev=\$(losetup -f --show "\$copy")
echo "loop-inode \$dev \$(stat -c %i "\$copy")" >>"$T/undo"
ln -s "\$dev" "\$link"
LVCREATE
    cat >"$T/lvm/bin/lvremove" <<LVREMOVE
#!/bin/bash
# lvremove -f PATH
set -eu
path=\${!#}
link=$T/lvm/\${path##*/}
losetup -d "\$(readlink "\$link")" || :
rm -f "\$link" "\$link.img"
LVREMOVE
    printf '#!/bin/sh\n' >"$T/lvm/bin/lvchange"
    chmod 755 "$T"/lvm/bin/*
    # /sbin has no such files, and is the machine's: another view of it.
    # shellcheck disable=SC2016
    must on "$1" bash -c 'd=$(readlink -f /sbin) && mount -t overlay overlay -o "lowerdir=$0:$d" "$d"' "$T/lvm/bin"
}

# snap_volume NODE SNAPSHOT: the name that its volume has.
snap_volume() {
    gluster "$1" snapshot info "$2" | sed -n 's/^[[:space:]]*Snap Volume Name[[:space:]]*: *//p'
}
