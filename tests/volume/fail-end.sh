#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 10
# The end of a file that is being written is on a brick that goes away. Another client
# cannot know where the file ends: it says EIO there, not that it is the end, and not
# that there is no data; what is before is read.
# shellcheck source=fail-lib.sh
. "$(dirname "$0")/fail-lib.sh"

bricks_dirs 4
volume_make net-4-plain --block-size 16KB --inline-limit 16KB --option 'c*:ping-timeout=5'
volume_start
must_mount writer "${DIRECT[@]}"
must_mount reader "${DIRECT[@]}"
# It has not seen the end before.
must_mount late "${DIRECT[@]}"

# longest FILE: the brick whose portion of it ends last.
longest() {
    local gfid i
    gfid=$("$ALLOT" layout "$T/mnt-writer/$1" --json | jq -r .gfid)
    for i in 0 1 2 3; do
        find "${BRICK[$i]}/.allot" -name "$gfid.*" -printf "%s $i\n"
    done | sort -n | tail -1 | cut -d' ' -f2
}
# tried FILE CODE: what perl says of a call on the late client's mount.
tried() {
    local f=$T/mnt-late/$1
    shift
    bounded 30 perl -e "$@" "$f" 2>&1
}

perl -e 'print "A" x 100000' >"$T/old"
mkfifo "$T/in"
exec {hold}<>"$T/in"
for at in 311296 327680 344064 360448; do
    f=f$at
    must cp "$T/old" "$T/mnt-writer/$f"
    # shellcheck disable=SC2016
    bounded 100 perl -e 'open(my $f, "+<", $ARGV[0]) or die; sysseek($f, $ARGV[1], 0);
        syswrite($f, "w" x 1000) == 1000 or die; open(my $r, ">", $ARGV[2]) or die; close($r); <STDIN>' \
        "$T/mnt-writer/$f" $at "$T/ready-$at" <"$T/in" &
    WRITER=$!
    must expect_within 20 test -e "$T/ready-$at"
    gone=$(longest "$f")
    [ ! -e "${BRICK[$gone]}/$f" ] && break
done
note "the last 1000 bytes, from $at on, are on brick $gone"
is "the other client reads them" "$(dd if="$T/mnt-reader/$f" bs=1000 count=1 iflag=skip_bytes skip="$at" status=none | tr -d w | wc -c)" 0
must brick_kill "$gone"
state_comes "$T/mnt-writer" "c$gone" down
state_comes "$T/mnt-late" "c$gone" down
# shellcheck disable=SC2016
is "when the brick is away: EIO, not the end" \
    "$(tried "$f" 'open(my $f, "<", $ARGV[0]) or die "open $!"; sysseek($f, '"$at"', 0);
        my $n = sysread($f, my $b, 1000); print defined($n) ? "$n bytes" : "$!"')" "Input/output error"
# shellcheck disable=SC2016
is "the same for the next data" \
    "$(tried "$f" 'open(my $f, "<", $ARGV[0]) or die "open $!";
        my $n = sysseek($f, 100001, 3); print defined($n) ? "at $n" : "$!"')" "Input/output error"
# shellcheck disable=SC2016
is "and for a hole that is to be made there" \
    "$(bounded 20 fallocate -p -o "$at" -l 16384 "$T/mnt-late/$f" 2>&1 | grep -o 'Input/output error')" "Input/output error"
is "what is before, on other bricks, is read" \
    "$(dd if="$T/mnt-late/$f" bs=1000 count=1 status=none | tr -d A | wc -c)" 0
must brick_start "$gone"
state_comes "$T/mnt-late" "c$gone" up
is "when it is back all is read" \
    "$(dd if="$T/mnt-late/$f" bs=1000 count=1 iflag=skip_bytes skip="$at" status=none | tr -d w | wc -c)" 0
echo >&"$hold"
wait "$WRITER"
done_testing
