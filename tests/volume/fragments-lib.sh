#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# What the bricks of a disperse set agree on. The test has spot I, which says the
# directory of brick I.

# What the bricks of a set agree on: names, the length of what each has of a file,
# and the xattrs that say which state of it that is. Their bytes differ.
fragments_of() { # fragments_of I
    local f
    (cd "$(spot "$1")" && find . -name .glusterfs -prune -o -type f -print | sort | while read -r f; do
        stat -c '%n %s' "$f"
        getfattr -h -e hex -d -m '^trusted[.](ec[.](size|version)|allot[.](portion|record))$' "$f" 2>/dev/null |
            grep 0x | grep -Ev '=0x0+$' | sort
    done)
}
fragments_agree() { # fragments_agree A B C
    local all
    all=$(fragments_of "$1")
    [[ $all = *.allot/* ]] && [ "$all" = "$(fragments_of "$2")" ] && [ "$all" = "$(fragments_of "$3")" ]
}
