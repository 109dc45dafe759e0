# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Random calls against an oracle in memory, see oracle.c; and error-gen, a
# translator of GlusterFS's own that makes calls fail, put into a client's
# volfile. Sourced by oracle*.sh and faults-*.sh.
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ORACLE=${ALLOT_ORACLE:-$BUILD/tests/volume/oracle}
[ -x "$ORACLE" ] || bail "$ORACLE is missing; ./dev build makes it"

# Blocks so small that nearly every call crosses a border of one.
# shellcheck disable=SC2034
SMALL=(--block-size 16KB)

# Nothing between the calls and the bricks: the kernel asks for everything.
# shellcheck disable=SC2034
DIRECT=(--attribute-timeout=0 --entry-timeout=0 --negative-timeout=0 --direct-io-mode=enable)

# plain_graph FILE: write-behind goes. It answers before the bricks do, and lets
# seek and fallocate overtake what it holds back: over plain distribute the
# oracle would fail as well.
plain_graph() {
    local below
    below=$(sed -n '/^volume write-behind$/,/^end-volume$/s/^ *subvolumes //p' "$1")
    sed -i -e '/^volume write-behind$/,/^end-volume$/d' \
        -e "s/^\( *subvolumes\) write-behind\$/\1 $below/" "$1"
}

# faulty_graph FILE VOLUME OUT FOPS ERRNO: a copy in which what allot has as
# VOLUME is error-gen on top of VOLUME. The third call of one of FOPS fails with
# ERRNO, and from then on every third to forty-fourth. Other parents of VOLUME
# have it without. (error-no needs random-failure, and "failure" is then, in
# millionths, the number of the first call that fails.)
faulty_graph() {
    awk -v below="$2" -v fops="$4" -v err="$5" '
        $1 == "volume" && $2 == "allot" {
            print "volume faulty\n    type debug/error-gen"
            print "    option random-failure on\n    option failure 0.0003"
            print "    option enable " fops "\n    option error-no " err
            print "    subvolumes " below "\nend-volume\n"
            in_allot = 1
        }
        in_allot && $1 == "subvolumes" {
            for (i = 2; i <= NF; i++) {
                if ($i == below) {
                    $i = "faulty"
                    done = 1
                }
            }
            $0 = "    " $0
        }
        $1 == "end-volume" { in_allot = 0 }
        { print }
        END { exit !done }' "$1" >"$3"
}

# oracle SEED SECONDS [OPTION...]: run it on $MOUNTS, keep the state.
oracle() {
    local seed=$1 seconds=$2
    shift 2
    bounded 200 "$ORACLE" -s "$seed" -t "$seconds" -o "$T/state-$seed" "$@" "${MOUNTS[@]}"
}

# judge SEED: what the files must hold, on another mount.
judge() {
    bounded 100 "$ORACLE" -v -s "$1" -o "$T/state-$1" "${MOUNTS[@]}"
}

# Different at every run: what they are is printed by what fails.
# ORACLE_SEED repeats one.
# shellcheck disable=SC2034
SEED=${ORACLE_SEED:-$((RANDOM * 32768 + RANDOM))}
