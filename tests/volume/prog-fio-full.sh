#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: full
# needs: 240
# prog-fio.sh with thirty times the data.
FIO_TIMES=30
export FIO_TIMES
# shellcheck source=prog-fio.sh
. "$(dirname "$0")/prog-fio.sh"
