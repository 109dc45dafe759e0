#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 30
# stress-ng's file system stressors, all at once, each with its own verification,
# on files that are really spread. They remove what they make: no portion may be
# left.
#
# Left out, because plain distribute (net-4-distribute) fails there too: flock,
# locka, lockf and lockofd, which interrupt calls that wait for a lock. For each
# of these mount/fuse makes a thread that takes answers wait for another answer;
# there are two such threads, and two interrupts at a time stop the mount for
# good. prog-copy.sh has locks. Also left out: fiemap (FUSE has none), and what
# does not use the directory that it is given.
# shellcheck source=prog-lib.sh
. "$(dirname "$0")/prog-lib.sh"

needs_programs stress-ng
# All have to be started before it is over, also on a busy machine.
TIME=${STRESS_SECONDS:-10}

STRESSORS=(access chmod chown copy-file dir dirdeep dirmany fallocate fcntl fpunch
    fstat getdent hdd io iomix open rename sync-file touch utime xattr)
# One round of these takes half a minute, whatever the time is.
[ -z "${STRESS_LONG:-}" ] || STRESSORS+=(dentry filename link symlink)

stress() { # stress DIR
    local args=() s
    for s in "${STRESSORS[@]}"; do
        args+=(--"$s" 1)
    done
    exec stress-ng --temp-path "$1" --verify --timeout "$TIME" --metrics-brief --stdout \
        --hdd-bytes 8M --iomix-bytes 8M --fallocate-bytes 8M --sync-file-bytes 4M "${args[@]}"
}

# What a stressor says when something is not as it must be.
quiet() { # quiet FILE
    ! grep -E 'fail:|error:|warn:|Unable|unexpected' "$1"
}

finished() { # finished FILE: how many stressors have a line of their own
    local s n=0
    for s in "${STRESSORS[@]}"; do
        ! grep -qE "metrc: *\\[[0-9]+\\] $s +[0-9]+ +[0-9.]+ +[0-9.]+ +[0-9.]+ " "$1" || n=$((n + 1))
    done
    echo $n
}

for KIND in ${STRESS_KINDS:-net-4-plain}; do
    program_volume "$KIND"
    must_mount "$KIND"
    mkdir "$M/stress"
    in_background stress stress "$M/stress"
    ok "$KIND: files of stress-ng are spread" expect_within 60 portions_on_all 3
    # A stressor ends what it has begun when its time is up.
    is "$KIND: stress-ng ends well" "$(wait_for stress $((TIME * 10 + 120)))" 0 ||
        note "$(grep -v metrc "$T/stress.out" | tail -40)"
    ok "$KIND: stress-ng has found nothing wrong" quiet "$T/stress.out"
    is "$KIND: all stressors have run" "$(finished "$T/stress.out")" ${#STRESSORS[@]} ||
        note "$(cat "$T/stress.out")"
    ok "$KIND: what stress-ng leaves is removed" rm -rf "$M/stress"
    is "$KIND: nothing is left" "$(ls -A "$M")" ""
    ok "$KIND: no portion is left" expect_within 30 no_portions || note "$(no_portions)"
    must umount_volume "$KIND"
done
done_testing
