# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# One brick with a guard, and guard-probe to talk to it. Sourced by the tests
# guard-*.sh.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PROBE=$BUILD/tests/volume/guard-probe
[ -x "$PROBE" ] || bail "$PROBE is missing; ./dev build makes it"

# guard_setup: a brick directory without identity.
guard_setup() {
    bricks_dirs 1
    volume_make net-4-plain
    # How the volfiles name the plugin under test.
    GUARD=$(awk '$1 == "volume" { name = $2 }
        $1 == "type" && name == "guard" { print $2 }' "$T/vol/brick-0.vol")
    # shellcheck disable=SC2119
    guard_volfiles
}

# guard_volfiles [FOP DELAY_US [GUARD_OPTION VALUE]]: posix, locks, a delay of
# FOP, threads to wait it out in, guard. Without threads above the guard and with
# one event thread calls reach it in the order in which they were sent.
# shellcheck disable=SC2120
guard_volfiles() {
    local option=
    [ $# -lt 4 ] || option="option $3 $4"
    cat >"$T/vol/brick-0.vol" <<VOLFILE
volume posix
    type storage/posix
    option directory ${BRICK[0]}
end-volume
volume locks
    type features/locks
    subvolumes posix
end-volume
volume slow
    type debug/delay-gen
    option delay-percentage 100
    option delay-duration ${2:-1}
    option enable ${1:-lease}
    subvolumes locks
end-volume
volume threads
    type performance/io-threads
    subvolumes slow
end-volume
volume guard
    type $GUARD
    $option
    subvolumes threads
end-volume
volume server
    type protocol/server
    option transport-type tcp
    option event-threads 1
    option transport.address-family inet
    option transport.socket.bind-address 127.0.0.1
    option transport.socket.listen-port ${PORT[0]}
    option auth.addr.guard.allow 127.0.0.1
    subvolumes guard
end-volume
VOLFILE
    cat >"$T/vol/probe.vol" <<VOLFILE
volume brick
    type protocol/client
    option transport-type tcp
    option remote-host 127.0.0.1
    option remote-port ${PORT[0]}
    option remote-subvolume guard
end-volume
VOLFILE
}

guard_restart() {
    brick_kill 0 TERM
    brick_start 0 || bail "the brick does not start: $(tail -20 "$LOG/brick-0.log")"
}

# talk DESC: standard input is a conversation of one connection, a line each:
#   COMMAND: ANSWER   send it, expect this answer here; ANSWER may have globs
#   > COMMAND         send it; its answer is expected elsewhere, or nowhere
#   < LINE            expect this line of an earlier ">" here
# One test for the whole; what differs is shown.
talk() {
    local line i bad='' want=() got=() commands=()
    while IFS= read -r line; do
        case $line in
        '' | '#'*) ;;
        '> '*) commands+=("${line#> }") ;;
        '< '*) want+=("${line#< }") ;;
        *)
            commands+=("${line%%: *}")
            want+=("$line")
            ;;
        esac
    done
    mapfile -t got < <(printf '%s\n' "${commands[@]}" |
        bounded 120 "$PROBE" "$T/vol/probe.vol" "$LOG/probe.log" 2>&1)
    for ((i = 0; i < ${#want[@]} || i < ${#got[@]}; i++)); do
        # The right side is a pattern.
        # shellcheck disable=SC2053
        [[ ${got[i]-} == ${want[i]-} ]] ||
            bad+="want: ${want[i]-nothing}"$'\n'"got:  ${got[i]-nothing}"$'\n'
    done
    if [ -z "$bad" ]; then
        tap ok "$1"
        return 0
    fi
    tap "not ok" "$1"
    printf '%s' "$bad" | sed 's/^/# /'
    return 1
}

# guard_dump: the guard's part of the brick's statedump.
guard_dump() {
    statedump_of "$(brick_pid 0)" "$T/guard-dump" || return 1
    awk '/^\[/ { ours = /^\[user\.allot\./ } ours' "$T/guard-dump"
}

guard_counter() { # guard_counter NAME
    guard_dump | sed -n "s/^$1=//p"
}
