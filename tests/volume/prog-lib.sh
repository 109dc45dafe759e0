# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# What the tests with real programs have in common: blocks so small that their
# files are really spread, a volfile server for programs that use libgfapi, and
# counts of what they did. Sourced by prog-*.sh. The programs are packages of
# Debian, see `dev`. What they find wrong must make the test fail: each test
# shows that by damaging something, or compares with what is known.
# shellcheck source=fail-lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/fail-lib.sh"

# needs_programs NAME...: a program that is missing is a failure, not a skip.
needs_programs() {
    local p
    for p in "$@"; do
        command -v "$p" >/dev/null || bail "$p is missing; ./dev deps installs it"
    done
}

# Blocks of 16 KiB. net-4 keeps no byte of data with the names; net-4-plain
# 4 KiB, so that this border is crossed too.
options_of() { # options_of TEMPLATE
    echo --block-size "${BLOCK_SIZE:-16KB}"
    case $1 in
    net-4-plain) echo --inline-limit 4KB ;;
    esac
}

# program_volume TEMPLATE [OPTION...]: bricks of its own, emptied, and running.
program_volume() {
    local template=$1 i options
    shift
    mapfile -t options < <(options_of "$template" | tr ' ' '\n')
    if [ $NBRICKS -eq 0 ]; then
        bricks_make 4 "${BRICK_SIZE:-2G}"
    else
        for ((i = 0; i < NBRICKS; i++)); do
            must brick_kill "$i"
            brick_wipe "$i"
        done
    fi
    volume_make "$template" "${options[@]}" "$@"
    volume_start
}

# members PATH: how many bricks hold blocks of a file. 0: it is not spread.
members() {
    "$ALLOT" layout "$1" --json | jq '[.extents[].members[].index] | unique | length'
}

# spread_over N PATH...: each of the files has blocks on at least N bricks.
spread_over() {
    local want=$1 path count rc=0
    shift
    for path in "$@"; do
        count=$(members "$path")
        [ "${count:-0}" -ge "$want" ] || { echo "$path: on $count bricks" && rc=1; }
    done
    return $rc
}

# portions I: how many portions brick I has.
portions() {
    find "${BRICK[$1]}/.allot" -type f 2>/dev/null | wc -l
}

# portions_on_all N: each brick has at least N. For programs that remove what
# they have made: to be asked while they run.
portions_on_all() {
    local i
    for ((i = 0; i < NBRICKS; i++)); do
        [ "$(portions $i)" -ge "$1" ] || return 1
    done
}

# no_portions: every file that was spread is gone, and nothing of it is left.
no_portions() {
    local i rc=0
    for ((i = 0; i < NBRICKS; i++)); do
        [ "$(portions $i)" -eq 0 ] || { find "${BRICK[i]}/.allot" -type f | head -5 && rc=1; }
    done
    return $rc
}

# in_background NAME CMD...: its output goes to $T/NAME.out, its exit status to
# $T/NAME.rc. It is ended with the test. A CMD that is a function ends with exec,
# so that nothing of it is left behind.
in_background() {
    local name=$1
    shift
    rm -f "$T/$name".{rc,process}
    {
        "$@" >"$T/$name.out" 2>&1 &
        echo "$! $(proc_start $!)" >"$T/$name.process"
        undo process "$(cat "$T/$name.process")"
        wait $!
        echo $? >"$T/$name.rc"
    } 2>/dev/null &
    must expect_within 10 test -s "$T/$name.process"
}

# wait_for NAME SECONDS: its exit status, or "late".
wait_for() {
    if expect_within "$2" test -s "$T/$1.rc"; then
        cat "$T/$1.rc"
    else
        echo late
    fi
}

# serve_volfile ADDRESS PORT VOLUME: client.vol for libgfapi, which has no
# volfiles by name without a server.
serve_volfile() {
    local server=${ALLOT_VOLFILE_SERVER:-$BUILD/tests/volume/volfile-server}
    [ -x "$server" ] || bail "$server is missing; ./dev build makes it"
    in_background volfile-server "$server" "$1" "$2" "$3" "$T/vol/client.vol"
    expect_within 10 grep -qx listening "$T/volfile-server.out" ||
        bail "no volfile server: $(cat "$T/volfile-server.out")"
}

# kill_program NAME: what in_background started, in the middle of what it does.
kill_program() {
    local process
    read -ra process <"$T/$1.process"
    end_process "${process[@]}" && [ "$(wait_for "$1" 20)" = 137 ]
}

stop_volfile_server() {
    must kill_program volfile-server
}
