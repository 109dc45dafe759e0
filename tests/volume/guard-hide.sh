#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 20
# "/.allot" and portions are out of reach by name, by gfid and in listings for
# whoever does not carry allot's key; self-heal reaches them only with the
# option heal-portions.
# shellcheck source=guard-lib.sh
. "$(dirname "$0")/guard-lib.sh"

guard_setup
volume_start

talk "only allot makes the hidden directories and what is in them" <<'TALK'
register / client: 0
mkdir .allot: EPERM
create .allot: EPERM
mkdir .allot pid=-6: EPERM
mkdir .allot client: 0
mkdir .allot/ab client: 0
create .allot/ab/p portion=1 excl client: 0
write .allot/ab/p gen=1 len=10: 0
create f: 0
mkdir d: 0
TALK
talk "by name they are not there" <<'TALK'
lookup .allot: ENOENT
lookup .allot pid=-6: ENOENT
lookup .allot/ab: E@(NOENT|STALE)
lookup .allot client: 0 *
lookup .allot/ab client: 0 *
TALK
# The gfid of a portion is known to the probe only after its lookup; the brick
# knows the inode by then, so that nothing but the guard is in the way.
talk "by gfid neither" <<'TALK'
lookup .allot nameless: ENOENT
lookup .allot/ab nameless: ENOENT
lookup .allot/ab/p client: 0 size=10 portion
lookup .allot/ab/p nameless: ENOENT
lookup .allot/ab/p nameless pid=-6: ENOENT
lookup .allot/ab/p nameless client: 0 size=10 portion
TALK
talk "an inode that the brick knows does not open them" <<'TALK'
lookup .allot client: 0 *
lookup .allot/ab client: 0 *
lookup .allot/ab/p client: 0 *
open .allot/ab/p: EPERM
open .allot/ab/p trunc: EPERM
stat .allot/ab/p: EPERM
truncate .allot/ab/p: EPERM
getxattr .allot/ab/p all: EPERM
getxattr .allot/ab/p trusted.allot.portion: EPERM
setxattr .allot/ab/p user.x y: EPERM
removexattr .allot/ab/p user.x: EPERM
stat .allot: EPERM
getxattr .allot all: EPERM
setxattr .allot user.x y: EPERM
ls .allot: EPERM
ls .allot/ab: EPERM
ls .allot/ab plus: EPERM
create .allot/ab/q: EPERM
create .allot/ab/q portion=1: EPERM
mkdir .allot/cd: EPERM
unlink .allot/ab/p: E@(PERM|NOENT)
rename .allot/ab/p q: E@(PERM|NOENT)
rename .allot q: EPERM
link .allot/ab/p q: EPERM
getxattr .allot/ab/p all client: 0 trusted.allot.portion
TALK
talk "locks and marks of strangers stay out of them, those of a connection of allot's do not" <<'TALK'
lookup .allot client: 0 *
lookup .allot/ab client: 0 *
lookup .allot/ab/p client: 0 *
lookup f: 0 *
open .allot/ab/p client: 0
open f: 0
handshake /: 0 *
lock .allot/ab/p: EPERM
lock .allot/ab: EPERM
lock .allot/ab/p getlk: EPERM
xattrop .allot/ab/p trusted.afr.dirty: EPERM
xattrop .allot trusted.afr.dirty: EPERM
lock f: 0
lock f getlk: 0
xattrop f trusted.afr.dirty: 0
handshake / client: 0 *
lock .allot/ab/p: 0
lock .allot/ab: 0
lock .allot/ab/p getlk: 0
xattrop .allot/ab/p trusted.afr.dirty: 0
xattrop .allot/ab/p trusted.allot.portion: EPERM
open .allot/ab/p: EPERM
read .allot/ab/p: EPERM
TALK
talk "and the next connection is a stranger's again" <<'TALK'
lookup .allot client: 0 *
lookup .allot/ab client: 0 *
lookup .allot/ab/p client: 0 *
lock .allot/ab/p: EPERM
xattrop .allot/ab/p trusted.afr.dirty: EPERM
TALK
talk "nothing is renamed or linked into them" <<'TALK'
lookup .allot client: 0 *
lookup .allot/ab client: 0 *
lookup f: 0 *
rename f .allot/ab/f: EPERM
link f .allot/ab/f: EPERM
rename d .allot: EPERM
rename f .allot: EPERM
link f .allot: EPERM
TALK

talk "a listing of the root leaves them out, in pieces of any size" <<'TALK'
ls /: 0 @(d f|f d)
ls / plus: 0 @(d f|f d)
ls / pid=-6: 0 @(d f|f d)
TALK
# listed SETTINGS...: the names that a listing of the root gives, sorted.
listed() {
    echo "ls / $*" | bounded 60 "$PROBE" "$T/vol/probe.vol" "$LOG/probe.log" |
        sed 's/^.*: 0 *//' | tr ' ' '\n' | sort | tr '\n' ' '
}
talk "more names" <<'TALK'
create g: 0
create h: 0
create i: 0
TALK
# An entry takes some 300 bytes of a piece: with 400 ".allot" is alone in one,
# and what is left of it must not look like the end.
for size in 400 700 1000 1300 65536; do
    is "pieces of $size bytes: all names but .allot" \
        "$(listed size=$size) $(listed plus size=$size)" "d f g h i  d f g h i "
    is "pieces of $size bytes: allot sees all" "$(listed client size=$size)" ".allot d f g h i "
done

guard_restart
talk "a portion that only a listing has shown is one" <<'TALK'
lookup .allot client: 0 *
lookup .allot/ab client: 0 *
ls .allot/ab plus client: 0 p
stat .allot/ab/p: EPERM
open .allot/ab/p: EPERM
open .allot/ab/p client: 0
write .allot/ab/p gen=2: EL2NSYNC
TALK
is "and its state came with the listing" "$(guard_counter fills)" 0

guard_volfiles lease 1 heal-portions on
guard_restart
talk "with heal-portions self-heal reaches portions, nobody else" <<'TALK'
lookup .allot pid=-6: 0 *
lookup .allot/ab pid=-6: 0 *
lookup .allot/ab/p pid=-6: 0 *
open .allot/ab/p pid=-6: 0
read .allot/ab/p pid=-6: 0 got=1
write .allot/ab/p pid=-6: 0
ls / pid=-6: 0 *.allot*
getxattr .allot/ab/p all pid=-6: 0 trusted.allot.portion
fence .allot/ab/p bare to=5 pid=-6: 0
write .allot/ab/p gen=1: EREMCHG
write .allot/ab/p gen=5: 0
lookup .allot: ENOENT
read .allot/ab/p: EPERM
ls /: 0 *
TALK
talk "refusals" <<'TALK'
lookup .allot/ab/p client: 0 *
open .allot/ab/p client: 0
read .allot/ab/p: EPERM
read .allot/ab/p: EPERM
TALK
is "are logged at most once a minute for a file" \
    "$(grep -c 'refused a data call.*gfid' "$LOG/brick-0.log")" 1

# A stranger that walks over many files does not fill the log.
{
    printf '%s: 0 *\n' "lookup .allot client" "lookup .allot/ab client"
    for i in {1..50}; do
        echo "create .allot/ab/q$i portion=1 excl client: 0"
        echo "read .allot/ab/q$i: EPERM"
    done
} >"$T/walk"
before=$(grep -c 'refused a data call' "$LOG/brick-0.log")
talk "refusals of one client, on 50 files" <"$T/walk"
# The rest of its reads, and of each file the flush when its connection ends.
more_told() {
    grep -q 'refused to client .* 80 more calls that are not logged' "$LOG/brick-0.log"
}
ok "how many are not in the log is said when it goes" expect_within 30 more_told
is "the others are: 20 of one client in a minute" \
    "$(($(grep -c 'refused a data call' "$LOG/brick-0.log") - before))" 20
is "and it was said once" "$(grep -c ' 80 more calls that are not logged' "$LOG/brick-0.log")" 1
talk "the next client" <<'TALK'
lookup .allot client: 0 *
lookup .allot/ab client: 0 *
create .allot/ab/r portion=1 excl client: 0
read .allot/ab/r: EPERM
lookup .allot/ab/q50 client: 0 *
open .allot/ab/q50 client: 0
read .allot/ab/q50: EPERM
TALK
is "has lines again, of a file, too, that another one had no line for" \
    "$(($(grep -c 'refused a data call' "$LOG/brick-0.log") - before))" 22
done_testing
