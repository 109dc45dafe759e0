#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 20
# A brick that was away while a file was cut comes back to a client that has the
# file open, and knows nothing of the cut: the first thing it asks of that brick
# must not be answered from what was cut off, and what it writes there must stay.
# shellcheck source=fail-lib.sh
. "$(dirname "$0")/fail-lib.sh"

bricks_dirs 4
volume_make net-4-plain --block-size 16KB --inline-limit 16KB --option 'c*:ping-timeout=5'
volume_start
must_mount cutter "${DIRECT[@]}"
must_mount holder "${DIRECT[@]}"

# Opens FILE, reads all of it, and then does what it is told, a line each:
# read OFFSET (prints the first byte of 1000, or the error), write OFFSET.
# shellcheck disable=SC2016
HOLDER='
    use strict; $| = 1;
    open(my $f, "+<", $ARGV[0]) or die "open: $!\n";
    my $got;
    while (sysread($f, $got, 65536)) {}
    print "open\n";
    while (my $line = <STDIN>) {
        my ($what, $at) = split(" ", $line);
        sysseek($f, $at, 0);
        my $n = $what eq "read" ? sysread($f, $got, 1000) : syswrite($f, "w" x 1000);
        print defined($n) ? ($what eq "read" ? "$n " . unpack("H2", $got) : $n) : "error $!", "\n";
    }
    close($f) or die "close: $!\n";
'
tell() { # tell NAME LINE: and what it says
    local n
    n=$(($(wc -l <"$T/$1.out") + 1))
    echo "$2" >"$T/$1.in"
    expect_within 60 said "$1" "$n" && tail -1 "$T/$1.out"
}
said() { # said NAME N: it has printed N lines
    [ "$(wc -l <"$T/$1.out")" -ge "$2" ]
}

# data_on I NAME: an offset in the second half of the file that is on brick I.
data_on() {
    local portion
    portion=$(find "${BRICK[$1]}/.allot" -type f -name "$("$ALLOT" layout "$T/mnt-cutter/$2" --json | jq -r .gfid).*")
    [ -n "$portion" ] || return 1
    perl -e 'open(my $f, "<", $ARGV[0]); for (my $at = 10; $at < 30; $at++) {
        sysseek($f, $at * 16384, 0); sysread($f, my $b, 1);
        if (length($b) && ord($b)) { print $at * 16384; exit 0 } } exit 1' "$portion"
}
has_name() { # has_name I NAME: the base is there, and must not go
    [ -e "${BRICK[$1]}/$2" ]
}

perl -e 'print "A" x 500000' >"$T/old"
for how in read write; do
    f=$how
    must cp "$T/old" "$T/mnt-cutter/$f"
    for gone in 0 1 2 3; do
        ! has_name $gone "$f" || continue
        at=$(data_on $gone "$f") && break
    done
    note "$how: byte $at is on brick $gone"
    mkfifo "$T/$how.in"
    exec {hold}<>"$T/$how.in"
    bounded 100 perl -e "$HOLDER" "$T/mnt-holder/$f" <"$T/$how.in" >"$T/$how.out" 2>&1 &
    HOLDING=$!
    must expect_within 20 said "$how" 1
    is "$how: the client reads what was there" "$(tell "$how" "read $at")" "1000 41"
    must brick_kill "$gone"
    state_comes "$T/mnt-cutter" "c$gone" down
    state_comes "$T/mnt-holder" "c$gone" down
    must bounded 30 truncate -s 100000 "$T/mnt-cutter/$f"
    must bounded 30 truncate -s 500000 "$T/mnt-cutter/$f"
    must brick_start "$gone"
    state_comes "$T/mnt-cutter" "c$gone" up
    state_comes "$T/mnt-holder" "c$gone" up
    if [ $how = read ]; then
        is "it does not read what was cut off while the brick was away" "$(tell "$how" "read $at")" "1000 00"
    else
        is "it writes to the brick that is back" "$(tell "$how" "write $at")" 1000
        is "and another client reads that" \
            "$(dd if="$T/mnt-cutter/$f" bs=1 skip="$at" count=1 status=none)" w
        is "and still does after all else is read" \
            "$(cat "$T/mnt-cutter/$f" >/dev/null && dd if="$T/mnt-cutter/$f" bs=1 skip="$at" count=1 status=none)" w
    fi
    exec {hold}>&-
    kill $HOLDING 2>/dev/null
    wait $HOLDING 2>/dev/null
done
done_testing
