#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 120
# prog-mpi.sh with seven times the records, and other numbers of ranks.
MPI_ROUNDS=1000 MPI_RANKS="1 2 7"
export MPI_ROUNDS MPI_RANKS
# shellcheck source=prog-mpi.sh
. "$(dirname "$0")/prog-mpi.sh"
