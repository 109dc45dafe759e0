#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 20
# A brick without identity serves nobody but allot; with one it serves, also
# after a restart; a damaged identity counts as none.
# shellcheck source=guard-lib.sh
. "$(dirname "$0")/guard-lib.sh"

guard_setup
volume_start

talk "without identity every call without a key is refused" <<'TALK'
handshake /: 0 protocol=1 identity=0 registry=0
lookup /: ENOTCONN
stat /: ENOTCONN
ls /: ENOTCONN
ls / plus: ENOTCONN
getxattr / all: ENOTCONN
getxattr / user.x: ENOTCONN
setxattr / user.x y: ENOTCONN
mkdir d: ENOTCONN
create f: ENOTCONN
lookup /: ENOTCONN
register /: ENOTCONN
setxattr / user.x y pid=-6: ENOTCONN
TALK
talk "but replicate may mark and lock the root, and distribute ask for its space" <<'TALK'
statfs /: 0
xattrop / trusted.afr.dirty: 0
xattrop / trusted.allot.brick: EPERM
TALK
talk "calls with allot's key are served, and registration opens the brick" <<'TALK'
lookup / client: 0 *
ls / client: 0
register / client: 0
handshake /: 0 protocol=1 identity=1 registry=0
lookup /: 0 *
create f: 0
write f len=10: 0
TALK
guard_restart
talk "the identity is known after a restart" <<'TALK'
handshake /: 0 protocol=1 identity=1 registry=0
lookup f: 0 size=10
TALK
talk "nobody else sees or changes it" <<'TALK'
lookup /: 0 size=*[0-9]
lookup / ask=trusted.allot.brick: 0 size=*[0-9] brick
getxattr / all: 0
getxattr / all pid=-6: 0
getxattr / all client: 0 trusted.allot.brick
register /: EPERM
register / pid=-6: EPERM
removexattr / trusted.allot.brick: EPERM
removexattr / trusted.allot.brick pid=-6: EPERM
setxattr / trusted.allot.record x client: EPERM
lookup /: 0 *
TALK
talk "removed by allot, the brick serves nobody at once" <<'TALK'
removexattr / trusted.allot.brick client: 0
handshake /: 0 protocol=1 identity=0 registry=0
lookup /: ENOTCONN
lookup f: ENOTCONN
register / client: 0
lookup /: 0 *
TALK

must setfattr -n trusted.allot.brick -v damaged "${BRICK[0]}"
guard_restart
talk "a damaged identity is none" <<'TALK'
handshake /: 0 protocol=1 identity=0 registry=0
lookup /: ENOTCONN
TALK
is "and the log says so once" \
    "$(grep -c 'the identity of this brick .* is damaged' "$LOG/brick-0.log")" 1
done_testing
