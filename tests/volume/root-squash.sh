#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 15
# server.root-squash: root of a client is nobody on the bricks. Files spread, grow,
# shrink and go as for anybody else, what root made before stays as protected as
# on plain distribute, and the volume's own calls are not squashed into an error.
# The bricks have access-control where glusterd puts it.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

portions() {
    local b n=0
    for b in "${BRICK[@]}"; do
        n=$((n + $(find "$b/.allot" -type f 2>/dev/null | wc -l)))
    done
    echo "$n"
}

no_more_than() { [ "$(portions)" -le "$1" ]; }

bricks_dirs 4
noise 900000 >"$T/f"
noise 900000 >"$T/g"
# Plain distribute first: what it answers is what allot has to answer.
for KIND in net-4-distribute net-4-plain; do
    for ((i = 0; i < NBRICKS; i++)); do
        brick_wipe "$i"
    done
    volume_make "$KIND"
    for f in "$T"/vol/brick-*.vol; do
        sed -i -e '/^volume locks$/i volume acl\n    type features/access-control\n    subvolumes posix\nend-volume\n' \
            -e '/^volume locks$/,/^end-volume$/s/subvolumes posix/subvolumes acl/' "$f"
    done
    volume_start
    must_mount "free-$KIND"
    must chmod 777 "$M"
    must cp "$T/f" "$M/roots"
    must umount_volume "free-$KIND"
    for ((i = 0; i < NBRICKS; i++)); do
        must brick_kill "$i" TERM
    done
    sed -i 's/^\( *\)option auth.addr.brick.allow.*/&\n\1option root-squash on/' "$T"/vol/brick-*.vol
    volume_start
    must_mount "$KIND"
    {
        cmp "$T/f" "$M/roots"
        echo "read what root made: $?"
        dd if="$T/g" of="$M/roots" conv=notrunc status=none 2>/dev/null
        echo "write into it: $?"
        truncate -s 10 "$M/roots" 2>/dev/null
        echo "cut it: $?"
        cp "$T/f" "$M/squashed"
        echo "make one: $? $(stat -c %U "$M/squashed")"
        cat "$T/g" >>"$M/squashed"
        echo "append: $?"
        cat "$T/f" "$T/g" | cmp - "$M/squashed"
        echo "right: $?"
        truncate -s 300000 "$M/squashed"
        echo "cut: $?"
        head -c 300000 "$T/f" | cmp - "$M/squashed"
        echo "right: $?"
        setpriv --reuid 1234 --regid 1234 --clear-groups cp "$T/g" "$M/users"
        echo "a user's: $? $(stat -c %u "$M/users")"
        cmp "$T/g" "$M/users"
        echo "right: $?"
        rm "$M/squashed"
        echo "remove: $?"
    } >"$T/$KIND" 2>&1
    # The removal goes on for a moment behind its answer.
    [ "$KIND" = net-4-distribute ] || ok "nothing is left of what was removed" expect_within 20 no_more_than 8
    SPREAD=$(portions)
    must expect_within 10 umount_volume "$KIND"
    for ((i = 0; i < NBRICKS; i++)); do
        must brick_kill "$i" TERM
    done
done
is "every answer is that of plain distribute" "$(cat "$T/net-4-plain")" "$(cat "$T/net-4-distribute")"
is "what succeeds on plain distribute" "$(grep -c ': 0' "$T/net-4-distribute")" 9
ok "files were spread: $SPREAD portions" test "$SPREAD" -ge 8

# From the first mount on, so that the volume is registered by a squashed root.
for ((i = 0; i < NBRICKS; i++)); do
    brick_wipe "$i"
    chmod 777 "${BRICK[i]}"
done
volume_start
must_mount first
ok "a file of a new volume" cp "$T/f" "$M/f"
ok "reads back" cmp "$T/f" "$M/f"
ALLOT=allot
[ "$BUILD" = installed ] || ALLOT=$BUILD/allot
is "status" "$("$ALLOT" status "$M" --json | jq -r .state)" UP
is "report" "$("$ALLOT" report "$M" --json | jq -c '[.exact, .files.total, .files.intact]')" "[true,1,1]"
must expect_within 10 umount_volume first
done_testing
