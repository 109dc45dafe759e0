# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# One open fd that a test works on step by step: an xfs_io that waits for
# commands. Not usable in subshells (ok, nok), where its pipes are closed: test
# what it SAID. Sourced after lib.sh.

# fd_open FILE
fd_open() {
    coproc READER { stdbuf -oL xfs_io "$1" 2>&1; }
}

# ask COMMAND: what it prints goes to $SAID. An unknown command marks its end.
ask() {
    local line
    SAID=
    printf '%s\nend-of-answer\n' "$1" >&"${READER[1]}"
    while IFS= read -r -t 30 line <&"${READER[0]}"; do
        case $line in
        *end-of-answer*not\ found*) return 0 ;;
        esac
        SAID+=${line#xfs_io> }$'\n'
    done
    bail "xfs_io does not answer to $1: $SAID"
}

fd_close() {
    local pid=$READER_PID
    echo quit >&"${READER[1]}"
    wait "$pid"
}
