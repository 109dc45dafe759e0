#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 30
# git: a repository made here is cloned onto the volume, worked on, packed anew,
# cloned again with hard links and pushed back; at each step fsck is content,
# also on another mount, and the commits are those of a local repository on
# which the same was done.
# shellcheck source=prog-lib.sh
. "$(dirname "$0")/prog-lib.sh"

needs_programs git

# Nobody's configuration, and the same commits every time.
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=$T/gitconfig HOME=$T
export GIT_AUTHOR_NAME=test GIT_AUTHOR_EMAIL=test@example.org GIT_AUTHOR_DATE='@1700000000 +0000'
export GIT_COMMITTER_NAME=test GIT_COMMITTER_EMAIL=test@example.org GIT_COMMITTER_DATE='@1700000000 +0000'
git config --global init.defaultBranch main
git config --global core.fsync all
git config --global gc.auto 0
git config --global safe.directory '*'

# 60 commits over 40 files; one of the files is large.
noise 3000000 >"$T/large"
history() {
    local i
    echo "blob"
    echo "mark :1"
    echo "data 3000000"
    cat "$T/large"
    for ((i = 1; i <= 60; i++)); do
        echo
        echo "commit refs/heads/main"
        echo "committer test <test@example.org> $((1700000000 + i)) +0000"
        printf 'data %d\n%s\n' 8 "change $((i % 10))"
        [ $i -gt 1 ] || echo "M 100644 :1 large"
        echo "M 100644 inline dir$((i % 7))/file$((i % 40))"
        printf 'data %d\n%0*d\n' $((i * 500)) $((i * 500)) $i
    done
}
must git init -q --bare "$T/origin.git"
history | git -C "$T/origin.git" fast-import --quiet || bail "no repository"

# The same work, wherever the clone is.
work() { # work DIR
    (
        set -e
        cd "$1"
        git checkout -q -b side main~20
        tail -c 1500000 "$T/large" >large
        mkdir -p new/deep
        seq 20000 >new/deep/numbers
        git add -A
        git commit -q -m "on the side"
        git mv new/deep/numbers dir1/moved
        git commit -q -m "renamed"
        git checkout -q main
        git rm -q dir3/file3
        git commit -q -m "removed"
        git merge -q --no-ff -X theirs -m "merged" side
        git tag -a -m "here" here
        git rebase -q --onto main~5 main~3 side
        git stash list
    )
}

clean_fsck() { # clean_fsck DIR
    git -C "$1" fsck --full --strict
}

refs() {
    git -C "$1" for-each-ref --format '%(refname) %(objectname)' refs/heads refs/tags
}

must git clone -q --no-local "$T/origin.git" "$T/local"
must work "$T/local"

for KIND in net-4 net-4-plain; do
    program_volume $KIND
    must_mount "$KIND"
    ok "$KIND: clone" git clone -q --no-local "$T/origin.git" "$M/clone"
    ok "$KIND: fsck after the clone" clean_fsck "$M/clone"
    ok "$KIND: its pack is spread" spread_over 4 "$M"/clone/.git/objects/pack/*.pack
    ok "$KIND: branches, a merge, a rebase" work "$M/clone"
    is "$KIND: the commits are those of a local repository" "$(refs "$M/clone")" "$(refs "$T/local")"
    is "$KIND: the work tree is clean" "$(git -C "$M/clone" status --porcelain)" ""
    ok "$KIND: gc" git -C "$M/clone" gc -q --aggressive --prune=now
    ok "$KIND: fsck after gc" clean_fsck "$M/clone"
    is "$KIND: loose objects are gone" "$(git -C "$M/clone" count-objects | cut -d' ' -f1)" 0
    ok "$KIND: a local clone, which links the packs" git clone -q -l "$M/clone" "$M/linked"
    is "$KIND: they are links" "$(stat -c %h "$M"/linked/.git/objects/pack/*.pack)" 2
    must umount_volume "$KIND"

    must_mount "$KIND-other"
    for repo in clone linked; do
        ok "$KIND: another mount: fsck of $repo" clean_fsck "$M/$repo"
    done
    # Two checkouts of the same commit: each file is read, not only its names.
    ok "$KIND: another mount: the files" diff -r -x .git "$M/clone" "$T/local"
    rm -rf "$T/back.git"
    must git init -q --bare "$T/back.git"
    ok "$KIND: push" git -C "$M/linked" push -q "$T/back.git" HEAD:refs/heads/main
    ok "$KIND: fsck of what was pushed" clean_fsck "$T/back.git"
    pack=$(echo "$M"/clone/.git/objects/pack/*.pack)
    ok "$KIND: clone is removed" rm -rf "$M/clone"
    ok "$KIND: the linked pack is still good" clean_fsck "$M/linked"
    pack=${pack/clone/linked}
    chmod u+w "$pack"
    printf wrong | dd of="$pack" bs=1 seek=1000000 conv=notrunc status=none
    nok "$KIND: fsck sees a damaged pack" clean_fsck "$M/linked"
    ok "$KIND: the other is removed" rm -rf "$M/linked"
    ok "$KIND: no portion is left" expect_within 30 no_portions
    must umount_volume "$KIND-other"
done
done_testing
