#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 15
# Open MPI: p ranks, on one mount and dealt out to two, write and read one shared
# file, see prog-mpi.c.
# shellcheck source=prog-lib.sh
. "$(dirname "$0")/prog-lib.sh"

needs_programs mpicc.openmpi mpirun.openmpi
ROUNDS=${MPI_ROUNDS:-150}
must mpicc.openmpi -O2 -Wall -Wextra -Werror -o "$T/mpi" "$TOP/tests/volume/prog-mpi.c"

# All ranks on this machine, more than it has cores, and no network but lo.
ranks() { # ranks N FILE...
    OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_plm_rsh_agent=false \
        OMPI_MCA_oob_tcp_if_include=lo OMPI_MCA_btl=self,vader TMPDIR=$T \
        bounded $((100 + ROUNDS / 10)) mpirun.openmpi --oversubscribe --bind-to none -n "$1" "$T/mpi" "$ROUNDS" "${@:2}"
}

for KIND in net-4 net-4-plain; do
    program_volume $KIND
    # Sizes are asked for anew: other ranks make the file longer.
    must_mount "$KIND-a" --attribute-timeout=0 --entry-timeout=0
    A=$M
    must_mount "$KIND-b" --attribute-timeout=0 --entry-timeout=0
    for n in ${MPI_RANKS:-4 5}; do
        ok "$KIND: $n ranks on one mount" ranks "$n" "$A/one-$n"
        ok "$KIND: $n ranks on two mounts" ranks "$n" "$A/two-$n" "$M/two-$n"
        ok "$KIND: the files are spread" spread_over 4 "$A/one-$n" "$A/two-$n"
        is "$KIND: their sizes" "$(stat -c %s "$M"/{one,two}-"$n" | xargs)" \
            "$((5003 * ROUNDS * n)) $((5003 * ROUNDS * n))"
        # It checks itself; and what it checks with is the same everywhere.
        rm -f "$T/local"
        ranks "$n" "$T/local" >/dev/null
        ok "$KIND: the bytes are those of a local file" cmp "$T/local" "$A/two-$n"
    done
    printf x | dd of="$M/one-$n" bs=1 seek=50001 conv=notrunc status=none
    nok "$KIND: one wrong byte makes a difference" cmp "$T/local" "$M/one-$n"
    must umount_volume "$KIND-a"
    must umount_volume "$KIND-b"
done
done_testing
