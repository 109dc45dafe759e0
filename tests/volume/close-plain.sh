#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 20
# The close of a plain or settled file waits for no brick, since nothing depends on its answer;
# unless a lock was taken on the file: that is given back when close returns. Who is
# not waited for is not missed either when it dies. A spread file's close waits, as
# ever: for the size in the record.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

bricks_dirs 4
volume_make net-4-plain
volume_start
must_mount m

# hold FILE: a program has it open; say COMMAND: the answer is in $SAID.
hold() {
    coproc HOLD { exec "$(dirname "$0")/hold.py" "$M/$1" 2>&1; }
    heard
}
heard() {
    IFS= read -r -t 60 SAID <&"${HOLD[0]}" || bail "no answer from hold.py"
}
say() {
    echo "$1" >&"${HOLD[1]}"
    heard
}
let_go() {
    local pid=$HOLD_PID
    echo end >&"${HOLD[1]}"
    wait "$pid"
}
bricks_signal() { # all of them are stopped, or go on
    local i
    for ((i = 0; i < NBRICKS; i++)); do
        kill "-$1" "$(brick_pid "$i")"
    done
}
in_call() { # in_call NUMBER: the program is in that call of the kernel
    grep -q "^$1 " "/proc/$HOLD_PID/syscall"
}
case $(uname -m) in
x86_64) CLOSE=3 ;;
*) CLOSE=57 ;;
esac

noise 4096 >"$T/small"
noise 300000 >"$T/large"

hold plain
say "write $T/small"
say fsync
is "a plain file is written" "$SAID" ok
bricks_signal STOP
say close
bricks_signal CONT
is "its close returns while no brick answers" "$SAID" ok
let_go
ok "what was written is there" cmp "$T/small" "$M/plain"

# A spread file whose record is right already: by a small write, and when it is read.
# Another write would need the brick.
noise 90000 >"$T/whole"
hold settled
say "write $T/whole"
say fsync
is "a small spread file is written" "$SAID" ok
is "and settled" "$(getfattr --only-values -n glusterfs.allot.layout "$M/settled" 2>/dev/null | jq -c '[.spread, .settled]')" "[true,true]"
bricks_signal STOP
say close
bricks_signal CONT
is "its close returns while no brick answers" "$SAID" ok
let_go
ok "what was written is there" cmp "$T/whole" "$M/settled"

# The same through write-behind: close waits for what was written, and for no more.
hold behind
say "write $T/small"
say close
is "a close after a write that is held back" "$SAID" ok
let_go
ok "it is on the brick when close returns" cmp "$T/small" "$(find "${BRICK[@]/%//behind}" -size +0 2>/dev/null)"

hold locked
say "write $T/small"
say fsync
say lock
is "a file is locked" "$SAID" ok
bricks_signal STOP
echo close >&"${HOLD[1]}"
waits=$(expect_within 5 in_call $CLOSE && echo yes)
bricks_signal CONT
heard
is "its close waits for the brick" "$waits" yes
is "and succeeds when that answers" "$SAID" ok
let_go
must_mount other
ok "the lock is given back" flock -n -x "$M/locked" true
must umount_volume other
M=$T/mnt-m

hold spread
say "write $T/large"
say fsync
bricks_signal STOP
echo close >&"${HOLD[1]}"
waits=$(expect_within 5 in_call $CLOSE && echo yes)
bricks_signal CONT
heard
is "the close of a spread file waits for its bricks" "$waits" yes
is "and succeeds" "$SAID" ok
let_go
ok "the size is in the record" test "$(stat -c %s "$M/spread")" = 300000

# What goes on behind the close fails.
hold dies
say "write $T/small"
say fsync
for ((i = 0; i < NBRICKS; i++)); do
    must brick_kill "$i"
done
say close
is "the close of a plain file whose brick has died" "$SAID" ok
let_go
volume_start
ok "the brick is back, with what was written" expect_within 60 cmp "$T/small" "$M/dies"
ok "files are made as before" expect_within 60 cp "$T/small" "$M/more"
removed() {
    rm -f "$M"/* && [ -z "$(ls "$M")" ]
}
ok "and removed" expect_within 60 removed
must umount_volume m
done_testing
