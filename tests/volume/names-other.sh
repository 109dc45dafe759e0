#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 20
# A lookup that is under way while another file takes the name: the brick's server
# has the old file under that name in its table, storage/posix answers for the new
# one. The old one is still open, and must not get the new one's record. A
# debug/delay-gen below the guard makes the lookup last.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

DIRECT=(--direct-io-mode=enable)

bricks_dirs 4
volume_make net-4-plain --block-size 16KB --inline-limit 64KB
# All names on the first brick, whose lookups last.
names_on_one "$T/vol/client.vol"
awk '/^volume locks$/ {
         print "volume slow\n    type debug/delay-gen\n    option delay-percentage 100%"
         print "    option delay-duration 150000\n    option enable lookup\n    subvolumes posix\nend-volume\n"
         locks = 1
     }
     { if (locks && $0 ~ /subvolumes posix/) { sub("posix", "slow"); locks = 0 } print }' \
    "$T/vol/brick-0.vol" >"$T/vol/slow.vol"
ok "there is a delay in the brick's graph" grep -q 'subvolumes slow' "$T/vol/slow.vol"
must mv "$T/vol/slow.vol" "$T/vol/brick-0.vol"
volume_start
must_mount a "${DIRECT[@]}"
must_mount b "${DIRECT[@]}" --attribute-timeout=0 --entry-timeout=0
# This one knows the names, and asks nobody.
must_mount c "${DIRECT[@]}" --attribute-timeout=600 --entry-timeout=600

# The old file: written to while it has its name, and again when it has none.
cat >"$T/holder.pl" <<'P'
use strict;
my ($path, $ready, $go) = @ARGV;
my ($got, $first, $second) = ("", "a" x 100, "b" x 300000);
open(my $f, "+>", $path) or die "open: $!\n";
syswrite($f, $first) == 100 or die "first write: $!\n";
open(my $r, ">", $ready) or die "ready: $!\n";
close($r);
select(undef, undef, undef, 0.05) until -e $go;
for (my $at = 0; $at < length($second);) {
    my $n = syswrite($f, $second, 50000, $at) or die "write at $at: $!\n";
    $at += $n;
}
sysseek($f, 0, 0);
while (my $n = sysread($f, $got, 65536, length($got))) {}
die "read " . length($got) . " bytes\n" unless $got eq $first . $second;
close($f) or die "close: $!\n";
P

noise 500000 >"$T/noise"
# io-threads begins with one worker, and all others would wait for who sleeps there.
WARM=()
for i in {1..12}; do
    stat "$T/mnt-b/none-$i" >"$T/none" 2>&1 &
    WARM+=($!)
done
wait "${WARM[@]}"
for i in 1 2; do
    must cp "$T/noise" "$T/mnt-c/new-$i"
    bounded 60 perl "$T/holder.pl" "$T/mnt-a/f-$i" "$T/ready-$i" "$T/go-$i" >"$T/out-$i" 2>&1 &
    HOLDER=$!
    expect_within 20 test -e "$T/ready-$i" || bail "$(cat "$T/out-$i")"
    # One lookup after the other, each of which lasts.
    bounded 60 perl -e 'my ($f, $n, $end) = @ARGV; my $i = 0;
        until (-e $end) { lstat $f; open(my $o, ">", $n); print $o ++$i; close $o }' \
        "$T/mnt-b/f-$i" "$T/looks-$i" "$T/end-$i" &
    LOOKS=$!
    looked() { [ -s "$T/looks-$i" ] && [ "$(cat "$T/looks-$i")" -ge "$1" ]; }
    must expect_within 20 looked 1
    ok "$i: another file takes the name, while it is looked up" \
        bounded 20 perl -e 'rename($ARGV[0], $ARGV[1]) or die "$!\n"' "$T/mnt-c/new-$i" "$T/mnt-c/f-$i"
    ok "$i: and looked up again" expect_within 20 looked $(($(cat "$T/looks-$i") + 2))
    : >"$T/end-$i"
    wait $LOOKS
    : >"$T/go-$i"
    wait $HOLDER
    is "$i: the old one is written and read on" "$?" 0 || note "$(cat "$T/out-$i")"
    ok "$i: the new one is there" cmp "$T/noise" "$T/mnt-b/f-$i"
done
done_testing
