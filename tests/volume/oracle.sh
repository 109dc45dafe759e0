#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 50
# Random calls without faults: everything in one process, replicated names, one
# mount and two mounts of the same files.
# shellcheck source=oracle-lib.sh
. "$(dirname "$0")/oracle-lib.sh"

SECONDS_EACH=${ORACLE_SECONDS:-6}

# another: one more seed on $MOUNTS, kept in $SEED.
another() {
    SEED=$((SEED + 1))
    ok "$KIND: seed $SEED on ${#MOUNTS[@]} mount(s)" oracle $SEED "$SECONDS_EACH"
}

# Blocks of 16 KiB; with the kernel's caches and without.
KIND=local-4
bricks_dirs 4
volume_make local-4 "${SMALL[@]}"
plain_graph "$T/vol/client.vol"
must_mount local
MOUNTS=("$M")
another
must umount_volume local
must_mount local "${DIRECT[@]}"
another
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
    MOUNTS=("$M")
    must_mount "$KIND-b" "${DIRECT[@]}"
    MOUNTS+=("$M")
    another
    # One mount, and the other one is the judge.
    MOUNTS=("$T/mnt-$KIND-a")
    another
    MOUNTS=("$T/mnt-$KIND-b")
    ok "$KIND: seed $SEED as another mount sees it" judge $SEED
    must umount_volume "$KIND-a"
    must umount_volume "$KIND-b"
    for ((i = 0; i < NBRICKS; i++)); do
        must brick_kill "$i"
    done
done
done_testing
