#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 45
# What a close, a sync and a synchronous write on disperse sets vouch for: that the
# bricks know how long each portion is. Until then only the client does, here for a
# minute. If it dies after them nothing is lost; if too many bricks of a set go before
# that, and come back, they say EIO.
# shellcheck source=sets-close-lib.sh
. "$(dirname "$0")/sets-close-lib.sh"

# ---- nothing goes

writer
hold a
is "a file is written" "$SAID" ok
say "write $T/data 0"
is "its bytes are taken" "$SAID" ok
is "the bricks do not know yet how long the portions are" "$(lengths_of a | xargs)" "0 0 0 0 0 0"
say close
is "it is closed" "$SAID" ok
let_go
cp "$T/data" "$T/want-a"
# Blocks of 64 KiB: one set has the last of the 10 whole ones, the other the rest.
is "now they do" "$(lengths_of a | xargs)" "655360 655360 655360 700001 700001 700001"
must mount_kill w
ok "the client dies: nothing is lost" right_at a

# Disperse forgets what it has not recorded when it is asked for a hole behind the end.
# Here both portions end before what is asked for.
writer
hold s
cp "$T/data" "$T/want-s"
truncate -s 1000000 "$T/want-s"
say "size 1000000"
say "write $T/data 0"
say "hole 720000"
is "a hole behind what is written is found" "$SAID" ok
say close
is "it is closed" "$SAID" ok
let_go
must mount_kill w
ok "nothing is lost by that" right_at s
writer
hold p
head -c 3000 "$T/data" >"$T/want-p"
say "write $T/want-p 0"
say "hole 3000"
is "nor in a small file: there is none" "$SAID" ENXIO
say close
is "which is closed" "$SAID" ok
let_go
must mount_kill w
ok "and right" right_at p

writer
hold b
say "write $T/data 0"
say fsync
is "a file is synced" "$SAID" ok
must mount_kill w
let_go
cp "$T/data" "$T/want-b"
ok "the client dies: nothing is lost of that" right_at b

writer
hold c sync
say "write $T/data 0"
is "a synchronous write" "$SAID" ok
say "write $T/more 700001"
is "and one more" "$SAID" ok
must mount_kill w
let_go
cat "$T/data" "$T/more" >"$T/want-c"
ok "the client dies: nothing is lost of them" right_at c
writer
hold d sync
head -c 1000 "$T/data" >"$T/want-d"
say "write $T/want-d 0"
is "one within inline-limit" "$SAID" ok
must mount_kill w
let_go
ok "nor of that" right_at d

# ---- one brick of each set goes

writer
hold e
say "write $T/data 0"
brick_kill 1
brick_kill 3
say "write $T/more 700001"
is "a brick of each set dies between two writes" "$SAID" ok
say close
is "the close vouches for both" "$SAID" ok
let_go
must mount_kill w
cat "$T/data" "$T/more" >"$T/want-e"
ok "and they are there" right_at e
brick_start 1
brick_start 3
ok "they are back" status_soon '.state == "UP"'
ok "a self-heal daemon heals them" heal_start
ok "all is healed" expect_within 60 healed {0..5}

# ---- too many go, with lengths that only the client knew

lost() { # lost COMMAND FILE: written, two bricks of s0 go and come back, COMMAND
    writer
    hold "$2"
    say "write $T/data 0"
    is "$1: written" "$SAID" ok
    brick_kill 0
    brick_kill 1
    ok "$1: a set is down" status_soon 'set("s0").state == "down"'
    [ -z "${3-}" ] || say "write $T/more 700001"
    brick_start 0
    brick_start 1
    ok "$1: it is back" status_soon '.state == "UP"'
    # The writer sees it, too.
    M=$W
    status_soon '.state == "UP"' || bail "the writer does not see that they are back"
    M=$T/mnt-m
    [ -z "${3-}" ] || say "write $T/more 800001"
    say "$1"
    is "$1: EIO" "$SAID" EIO
}
lost close f
let_go
must mount_kill w
lost fsync g
say fsync
is "it is told once" "$SAID" ok
say close
is "and not at the close" "$SAID" ok
let_go
must mount_kill w
lost close h again
let_go
must mount_kill w
done_testing
