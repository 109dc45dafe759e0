#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 85
# Random calls without faults: everything in one process, replicated and
# distributed names, one mount, two mounts of the same files, libgfapi, and a
# mount and libgfapi together. ORACLE_SECONDS: for each (4).
# shellcheck source=oracle-lib.sh
. "$(dirname "$0")/oracle-lib.sh"

SECONDS_EACH=${ORACLE_SECONDS:-4}
export FS_GFAPI_LOG=$LOG/gfapi.log

# another DESC [OPTION...]: one more seed on $MOUNTS, kept in $SEED.
another() {
    local desc=$1
    shift
    SEED=$((SEED + 1))
    ok "$KIND: seed $SEED on $desc" oracle $SEED "$SECONDS_EACH" "$@"
}

no_portions() {
    local b
    for b in "${BRICK[@]}"; do
        [ ! -d "$b/.allot" ] || [ -z "$(find "$b/.allot" -type f)" ] || return 1
    done
}

# Blocks of 16 KiB; with the kernel's caches and without.
KIND=local-4
bricks_dirs 4
volume_make local-4 "${SMALL[@]}"
plain_graph "$T/vol/client.vol"
must_mount local
MOUNTS=("$M")
another "a mount"
must umount_volume local
must_mount local "${DIRECT[@]}"
another "a mount without caches" -f 4
must umount_volume local

for KIND in net-4 net-4-plain; do
    volume_make $KIND "${SMALL[@]}"
    plain_graph "$T/vol/client.vol"
    # The same bricks, emptied.
    for ((i = 0; i < NBRICKS; i++)); do
        brick_wipe "$i"
    done
    volume_start
    must_mount "$KIND-a" "${DIRECT[@]}"
    must_mount "$KIND-b" "${DIRECT[@]}"
    # One mount, and the other one is the judge.
    MOUNTS=("$T/mnt-$KIND-a")
    another "a mount" -f 4
    MOUNTS=("$T/mnt-$KIND-b")
    ok "$KIND: seed $SEED as another mount sees it" judge $SEED
    rm -f "$T/mnt-$KIND-b"/oracle-*
    ok "$KIND: when all files are removed no portion is left" expect_within 30 no_portions
    for m in a b; do
        ok "$KIND: a file without a name is appended to and cut" bounded 100 "$ORACLE" \
            -s "$SEED" -w 30 -r "${BASH_SOURCE[0]%/*}/oracle-nameless.list" "$T/mnt-$KIND-$m"
        rm -f "$T/mnt-$KIND-$m"/oracle-*
    done
    ok "$KIND: nor of those" expect_within 30 no_portions
    MOUNTS=("$T/mnt-$KIND-a" "$T/mnt-$KIND-b")
    another "two mounts"
    MOUNTS=("gfapi:$T/vol/client.vol")
    another "libgfapi" -f 4
    MOUNTS=("$T/mnt-$KIND-a" "gfapi:$T/vol/client.vol")
    another "a mount and libgfapi"
    must umount_volume "$KIND-a"
    must umount_volume "$KIND-b"
    for ((i = 0; i < NBRICKS; i++)); do
        must brick_kill "$i"
    done
done

# The smallest blocks and inline part, and the graph as it is shipped. There
# write-behind lets seek and fallocate overtake what it holds back, and an append
# a write of another fd, over plain distribute as well (docs/testing.md). With its
# strict-write-ordering the append waits.
KIND="4 KiB"
volume_make net-4-plain --block-size 4KB --inline-limit 4KB
for ((i = 0; i < NBRICKS; i++)); do
    brick_wipe "$i"
done
volume_start
TINY=(-f 3 -i 4096 -b 4096 -m 60000)
must_mount tiny
MOUNTS=("$M")
another "a mount, all translators" "${TINY[@]}" -x seek,space,append
must umount_volume tiny
sed -i 's/^\( *\)type performance\/write-behind$/&\n\1option strict-write-ordering on/' "$T/vol/client.vol"
ok "$KIND: write-behind keeps the order" grep -q strict-write-ordering "$T/vol/client.vol"
must_mount strict
MOUNTS=("$M")
another "a mount, all translators, in order" "${TINY[@]}" -x seek,space
done_testing
