#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 30
# The generation is the lock: who passes, publish as compare-and-swap behind a
# drain, fence with clip, damaged xattrs, self-heal's raw changes, restarts.
# shellcheck source=guard-lib.sh
. "$(dirname "$0")/guard-lib.sh"

guard_setup
volume_start

talk "a plain file is left alone" <<'TALK'
register / client: 0
create f: 0
write f len=100: 0
write f gen=0: 0
write f gen=1: EL2NSYNC
read f len=200: 0 got=100
truncate f to=100: 0
TALK
talk "publish compares seq and may limit the base" <<'TALK'
lookup f: 0 size=100
publish f expect=1 seq=2 to=1 client: EREMCHG
publish f expect=0 seq=1 to=1 client max=99: EFBIG
open f: 0
write f gen=0 at=99: 0
TALK
# The probe has one fd for a file and one connection: a new one opens it again.
talk "the first of two publishes wins, and sets the mtime" <<'TALK'
lookup f: 0 size=100
open f: 0
publish f expect=0 seq=1 to=1 client max=100 mtime=12345: 0
fstat f: 0 size=100 mtime=12345
publish f expect=0 seq=1 to=1 client: EREMCHG
publish f expect=1 seq=1 to=1 client: EINVAL
publish f expect=1 seq=2 to=1 client damaged: EINVAL
publish f seq=2 to=1 client: EPERM
TALK
talk "every data call of a spread base needs the present generation" <<'TALK'
lookup f: 0 size=100
open f: 0
write f: EPERM
write f gen=0: EREMCHG
write f gen=2: EL2NSYNC
write f gen=1: 0
read f: EPERM
read f gen=0: EREMCHG
read f gen=1: 0 got=1
truncate f to=100: EPERM
truncate f to=100 gen=1: 0
ftruncate f to=100: EPERM
ftruncate f to=100 gen=1: 0
fallocate f: EPERM
fallocate f gen=1: 0
discard f: EPERM
discard f gen=1: 0
zerofill f: EPERM
zerofill f gen=1: 0
seek f: EPERM
seek f gen=0: EREMCHG
seek f gen=1: *
open f: 0
open f trunc: EPERM
open f trunc gen=0: EREMCHG
open f trunc gen=1: 0
write f pid=-6: 0
read f pid=-6: 0 got=1
TALK
talk "only a sync needs no key, and is refused with an old one" <<'TALK'
lookup f: 0 *
open f: 0
fsync f: 0
fsync f gen=1: 0
fsync f gen=0: EREMCHG
TALK
talk "a create that finds the file cuts it only with the present generation" <<'TALK'
lookup f: 0 *
open f: 0
write f gen=1 len=50: 0
create f trunc: EPERM
create f trunc gen=0: EREMCHG
fstat f: 0 size=50 *
create f trunc gen=1: 0
fstat f: 0 size=0 *
create f: 0
TALK
talk "a record without extents still refuses old generations" <<'TALK'
lookup f: 0 *
open f: 0
publish f expect=1 seq=2 to=2 extents=0 client byfd: 0
write f gen=1: EREMCHG
publish f expect=2 seq=3 to=1 client: EINVAL
write f gen=2: 0
write f: 0
TALK

talk "a portion takes its present generation only" <<'TALK'
mkdir .allot client: 0
mkdir .allot/ab client: 0
create .allot/ab/p portion=3 excl client: 0
write .allot/ab/p len=1000 gen=3: 0
write .allot/ab/p: EPERM
write .allot/ab/p gen=2: EREMCHG
write .allot/ab/p gen=4: EL2NSYNC
write .allot/ab/p pid=-6: EPERM
read .allot/ab/p client: EPERM
TALK
talk "fence raises and clips, never back, never longer, once" <<'TALK'
lookup .allot/ab/p client: 0 size=1000 portion
open .allot/ab/p client: 0
fence .allot/ab/p to=2 client: EREMCHG
fence .allot/ab/p to=3 clip=1 client: 0
fstat .allot/ab/p: 0 size=1000 *
fence .allot/ab/p to=4 clip=500 client byfd: 0
fstat .allot/ab/p: 0 size=500 *
write .allot/ab/p gen=3: EREMCHG
write .allot/ab/p gen=4: 0
fence .allot/ab/p to=5 clip=500000 client: 0
fstat .allot/ab/p: 0 size=500 *
fence .allot/ab/p to=6 from=4 clip=1 client: EL2NSYNC
fstat .allot/ab/p: 0 size=500 *
fence .allot/ab/p to=5 from=4 client: 0
fence .allot/ab/p to=6 from=5 client: 0
fstat .allot/ab/p: 0 size=500 *
fence .allot/ab/p to=7 client damaged: EINVAL
fence .allot/ab/p to=7 client bare: EPERM
fence .allot/ab/p to=7: EPERM
read .allot/ab/p gen=6: 0 got=1
TALK

talk "what is not publish or fence may not touch our xattrs" <<'TALK'
lookup f: 0 *
setxattr f trusted.allot.record x: EPERM
setxattr f trusted.allot.record x client: EPERM
setxattr f trusted.allot.portion x client: EPERM
setxattr f trusted.allot.other x client: EPERM
removexattr f trusted.allot.record: EPERM
removexattr f trusted.allot.record client: EPERM
xattrop f trusted.allot.record: EPERM
xattrop f trusted.afr.dirty: 0
setxattr f user.a b: 0
removexattr f user.a: 0
TALK
talk "strangers are shown the recorded size of a spread file, so that they read, and are refused" <<'TALK'
create z: 0
publish z expect=0 seq=1 to=1 size=70000 client: 0
lookup z: 0 size=70000
fstat z: 0 size=70000 *
read z: EPERM
lookup z pid=-6: 0 size=0
lookup z pid=-3: 0 size=0
lookup z client: 0 size=0*
publish z expect=1 seq=2 to=2 extents=0 client: 0
lookup z: 0 size=0
handshake / client: 0 *
publish z expect=2 seq=3 to=3 size=70000 client: 0
lookup z: 0 size=0
TALK
talk "self-heal sets and removes a record raw" <<'TALK'
create h: 0
publish h seq=9 to=9 pid=-6: 0
write h gen=8: EREMCHG
write h gen=9: 0
write h: EPERM
getxattr h all: 0
getxattr h all pid=-6: 0 trusted.allot.record
lookup h: 0 size=1
lookup h ask=trusted.allot.record: 0 size=1 record
lookup h client: 0 size=1 record
removexattr h trusted.allot.record pid=-6: 0
write h gen=9: EL2NSYNC
write h gen=0: 0
TALK

talk "a file to find again" <<'TALK'
create s: 0
publish s expect=0 seq=1 to=7 client: 0
TALK
guard_restart
talk "generations are known after a restart" <<'TALK'
lookup s: 0 *
open s: 0
write s gen=6: EREMCHG
write s gen=7: 0
write s: EPERM
publish s expect=0 seq=1 to=7 client: EREMCHG
TALK
guard_restart
talk "also of a file that only a listing has shown" <<'TALK'
ls / plus client: 0 *
open s: 0
write s gen=6: EREMCHG
write s gen=7: 0
TALK
is "the guard asked the disk for it once" "$(guard_counter fills)" 1
guard_restart
talk "also of one that a stranger's listing has shown" <<'TALK'
ls / plus: 0 *
open s: 0
write s gen=6: EREMCHG
TALK
is "the disk was asked, since a listing may take one file for another" "$(guard_counter fills)" 1
guard_restart
talk "also when a publish is the first call on it" <<'TALK'
ls / plus: 0 *
publish s expect=0 seq=1 to=7 client: EREMCHG
publish s expect=1 seq=2 to=8 client: 0
open s: 0
write s gen=7: EREMCHG
write s gen=8: 0
TALK

must setfattr -n trusted.allot.record -v damaged "${BRICK[0]}/s"
must setfattr -n trusted.allot.portion -v damaged "${BRICK[0]}/.allot/ab/p"
guard_restart
talk "a damaged record or portion gives EIO, the rest works" <<'TALK'
lookup s: 0 *
open s: 0
write s gen=8: EIO
write s: EIO
read s: EIO
publish s expect=2 seq=3 to=9 client: EIO
lookup .allot/ab/p: E@(NOENT|STALE)
lookup .allot/ab/p client: 0 *
open .allot/ab/p client: 0
write .allot/ab/p gen=6: EIO
fence .allot/ab/p to=9 client: EIO
lookup h: 0 *
open h: 0
write h gen=0: 0
publish s seq=9 to=9 pid=-6: 0
write s gen=9: 0
TALK
is "one log line for each" "$(grep -c 'is damaged, of another file or of an unknown' "$LOG/brick-0.log")" 2

guard_volfiles write 400000
guard_restart
# io-threads starts a thread only for calls that wait. Let it have enough, or
# nothing could overtake a write that is held.
talk "threads below the guard" <<'TALK'
create warm: 0
> async write warm tag=warm
> async write warm tag=warm
> async write warm tag=warm
> async write warm tag=warm
> async write warm tag=warm
> async write warm tag=warm
> wait
< async write warm: 0
< async write warm: 0
< async write warm: 0
< async write warm: 0
< async write warm: 0
< async write warm: 0
TALK
talk "a publish waits for the write below, new calls wait for the publish" <<'TALK'
create d: 0
> async write d gen=0 tag=before
< async write before: 0
publish d expect=0 seq=1 to=1 client: 0
write d gen=0: EREMCHG
> async write d gen=1 tag=first
> thread publish d expect=1 seq=2 to=2 client
> retry read d gen=1
> wait
< async write first: 0
< @(publish d expect=1 seq=2 to=2 client: 0|read d gen=1: EREMCHG)
< @(publish d expect=1 seq=2 to=2 client: 0|read d gen=1: EREMCHG)
write d gen=2: 0
TALK
talk "a portion is not longer before it is written" <<'TALK'
lookup .allot client: 0 *
lookup .allot/ab client: 0 *
create .allot/ab/w portion=1 excl client: 0
> async write .allot/ab/w gen=1 len=4096 tag=held
fstat .allot/ab/w: 0 size=0 *
fstat .allot/ab/w: 0 size=0 *
fstat .allot/ab/w: 0 size=0 *
fstat .allot/ab/w: 0 size=0 *
fstat .allot/ab/w: 0 size=0 *
> wait
< async write held: 0
fstat .allot/ab/w: 0 size=4096 *
TALK

guard_volfiles setxattr 500000
guard_restart
talk "a call waits while the publish itself is below" <<'TALK'
create e: 0
> thread publish e expect=0 seq=1 to=1 client
> retry read e gen=0
> wait
< @(publish e expect=0 seq=1 to=1 client: 0|read e gen=0: EREMCHG)
< @(publish e expect=0 seq=1 to=1 client: 0|read e gen=0: EREMCHG)
read e gen=1: 0 *
TALK
is "it was one call that waited" "$(guard_counter queued)" 1
done_testing
