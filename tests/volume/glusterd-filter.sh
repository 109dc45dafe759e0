#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# The volgen filter on what stock glusterd writes for volumes of every type, their
# services and a snapshot (tests/volfiles, made by tests/volfiles/generate.sh): the
# golden files, other files byte for byte as they were, a second run changes
# nothing, owner and mode stay, volumes that did not ask, temporary copies, damaged
# files; and the real glusterfs takes the result.
# tier: check
# needs: 30
. "$(dirname "$0")/glusterd-lib.sh"

CORPUS=$TOP/tests/volfiles
FILTER=$BUILD/filter/allot-filter
[ "$BUILD" != installed ] || FILTER=$GLUSTER_DIR/filter/allot
run() { # run FILE
    env -u GLUSTERD_WORKDIR "$FILTER" --log "$T/filter.log" "$1"
}

# The corpus as glusterd keeps it: snapshots and services have directories of
# their own. glusterd writes bricks' files before those of clients.
declare -A PLACE=()
for dir in "$CORPUS"/*/; do
    type=$(basename "$dir")
    case $type in
    snap) PLACE[$type]=$T/lib/snaps/snap1/$(basename "$dir"/*-rebalance.vol -rebalance.vol) ;;
    services) PLACE[$type]=$T/lib/services ;;
    *) PLACE[$type]=$T/lib/vols/$type ;;
    esac
    mkdir -p "${PLACE[$type]}"
    cp "$dir"/*.vol "${PLACE[$type]}/"
    [ ! -e "$dir/info" ] || cp "$dir/info" "${PLACE[$type]}/"
done
in_lib() { # in_lib FILE: as glusterd runs it
    GLUSTERD_WORKDIR=$T/lib "$FILTER" --log "$T/filter.log" "$1"
}
bad_golden='' bad_again='' bad_mode='' bad_temp='' changed=0 kept=0
# one TYPE NAME: what becomes of this file, of a copy elsewhere, and of it again.
one() {
    local f=${PLACE[$1]}/$2 dir=$CORPUS/$1 want=$CORPUS/$1/$2.golden before rc=0
    [ -e "$want" ] || want=$dir/$2
    # glusterd compares files of services with temporary copies.
    cp "$f" "$T/gtmp-XYZ"
    chmod 640 "$f"
    chown 1:2 "$f"
    in_lib "$f" || rc=$?
    [ $rc = 0 ] || bad_golden+="$1/$2(status $rc) "
    cmp -s "$f" "$want" || bad_golden+="$1/$2 "
    if cmp -s "$f" "$dir/$2"; then kept=$((kept + 1)); else changed=$((changed + 1)); fi
    [ "$(stat -c %a:%u:%g "$f")" = 640:1:2 ] || bad_mode+="$1/$2 "
    before=$(stat -c %i:%Y "$f")
    in_lib "$f"
    { cmp -s "$f" "$want" && [ "$(stat -c %i:%Y "$f")" = "$before" ]; } || bad_again+="$1/$2 "
    case $2 in
    *-rebalance.vol) ;;
    *)
        in_lib "$T/gtmp-XYZ"
        cmp -s "$T/gtmp-XYZ" "$want" || bad_temp+="$1/$2 "
        ;;
    esac
}
for pattern in '*.server1.*.vol' '*.vol'; do
    for dir in "$CORPUS"/*/; do
        # shellcheck disable=SC2231
        for f in "$dir"$pattern; do
            case $pattern:$f in
            '*.vol:'*.server1.*) continue ;;
            esac
            [ ! -e "$f" ] || one "$(basename "$dir")" "$(basename "$f")"
        done
    done
done
is "every file becomes its golden file, or stays as it is" "$bad_golden" ""
ok "clients' files were changed ($changed)" test "$changed" -ge 40
ok "and bricks', services' and other volumes' were not ($kept)" test "$kept" -ge 50
is "owner and mode stay" "$bad_mode" ""
is "a second run changes nothing" "$bad_again" ""
is "temporary copies become the same" "$bad_temp" ""
is "no temporary file is left" "$(find "$T/lib" -name '*.allot-*')" ""

# ---- kinds --------------------------------------------------------------------
# Each kind is in the corpus, and gets what is right for it: name, file, does it
# have cluster/allot.
while read -r kind file has; do
    rc=0
    grep -q '^    type cluster/allot' "$T/lib/$file" || rc=1
    is "$kind: $has" "$rc" "$([ "$has" = converted ] && echo 0 || echo 1)"
done <<KINDS
fuse vols/plain/plain.tcp-fuse.vol converted
trusted vols/plain/trusted-plain.tcp-fuse.vol converted
rebalance vols/plain/plain-rebalance.vol kept
gfproxyd vols/plain/plain.gfproxyd.vol converted
gfproxy-client vols/plain/trusted-plain.tcp-gfproxy-fuse.vol kept
shd vols/repl/repl-shd.vol kept
snapd vols/uss/uss-snapd.vol kept
bitd services/bitd-server.vol kept
scrub services/scrub-server.vol kept
quotad services/quotad.vol kept
nfs services/nfs-server.vol converted
snapshot snaps/snap1/$(basename "${PLACE[snap]}")/$(basename "${PLACE[snap]}").tcp-fuse.vol converted
stock vols/stock/stock.tcp-fuse.vol kept
KINDS
# Which volumes of the NFS server's file have it: those that asked and can.
is "nfs: of its volumes those that asked and can" \
    "$(sed -n 's/^volume \(.*\)-allot$/\1/p' "$T/lib/services/nfs-server.vol" | sort | xargs)" "disperse names plain repl shard"

# ---- a volume that did not ask --------------------------------------------------
# All files of the corpus again, with the guard taken out of the bricks'.
bad_unasked=''
for dir in "$CORPUS"/*/; do
    type=$(basename "$dir")
    at=${PLACE[$type]/#"$T/lib"/"$T/lib2"}
    mkdir -p "$at"
    for f in "$dir"/*.vol; do
        awk '/^volume .*-allot$/ { skip = 1 } !skip; /^end-volume/ { skip = 0 }' "$f" |
            sed 's/^    subvolumes \(.*\)-allot$/    subvolumes \1-locks/' >"$at/$(basename "$f")"
    done
done
cp -r "$T/lib2" "$T/lib2.before"
while read -r f; do
    GLUSTERD_WORKDIR=$T/lib2 "$FILTER" --log "$T/unasked.log" "$T/lib2/$f" || bad_unasked+="$f(status) "
done < <(cd "$T/lib2" && find . -name '*.vol')
is "volumes that did not ask: exit status" "$bad_unasked" ""
ok "their files are left alone, byte for byte" diff -r "$T/lib2.before" "$T/lib2"
ok "and not a word in the log" test ! -s "$T/unasked.log"

# ---- what is not understood -------------------------------------------------
f=$T/lib/vols/plain/plain.tcp-fuse.vol
for damage in 's/^end-volume//' 's/protocol.client/protocol\/unknown/' 's/-dht/-what/'; do
    sed "$damage" "$CORPUS/plain/plain.tcp-fuse.vol" >"$f"
    cp "$f" "$T/damaged"
    : >"$T/filter.log"
    nok "damage '$damage' is reported" run "$f"
    ok "the file is left alone and the log says so" \
        bash -c 'cmp "$1" "$2" && grep -q "plain.tcp-fuse.vol: left as it is" "$3"' _ "$f" "$T/damaged" "$T/filter.log"
done
# One volume of several: the others get what they asked for.
mv "$T/lib/vols/repl" "$T/repl"
cp "$CORPUS/services/nfs-server.vol" "$T/lib/services/"
: >"$T/filter.log"
nok "a file of several volumes, one without bricks' volfiles, is reported" in_lib "$T/lib/services/nfs-server.vol"
is "once" "$(grep -c 'no volfile of a brick of volume repl' "$T/filter.log")" 1
is "the other volumes have allot" \
    "$(sed -n 's/^volume \(.*\)-allot$/\1/p' "$T/lib/services/nfs-server.vol" | sort | xargs)" "disperse names plain shard"
mv "$T/repl" "$T/lib/vols/repl"
ok "when it has them" in_lib "$T/lib/services/nfs-server.vol"
ok "it has allot, too" grep -q '^volume repl-allot$' "$T/lib/services/nfs-server.vol"
rm "$T"/lib/vols/plain/*-b1.vol
cp "$CORPUS/plain/plain.tcp-fuse.vol" "$f"
nok "without a brick's volfile nothing is done" run "$f"
ok "the file is left alone" cmp "$f" "$CORPUS/plain/plain.tcp-fuse.vol"

# ---- what is refused --------------------------------------------------------
# refusal LINE: a brick's volfile of a volume whose info has LINE, and a client's.
refusal() {
    rm -rf "$T/lib/vols/plain"
    mkdir -p "$T/lib/vols/plain"
    cp "$CORPUS"/plain/*.vol "$T/lib/vols/plain/"
    printf 'type=0\n%s\nop-version=100000\n' "$1" >"$T/lib/vols/plain/info"
    : >"$T/filter.log"
    run "$T"/lib/vols/plain/plain.server1.*.vol
    run "$T/lib/vols/plain/plain.tcp-fuse.vol"
    ! grep -q user/allot "$T"/lib/vols/plain/plain.server1.*.vol &&
        cmp -s "$T/lib/vols/plain/plain.tcp-fuse.vol" "$CORPUS/plain/plain.tcp-fuse.vol" &&
        grep -q "user.xlator.allot is refused, the volume stays as it is: $2" "$T/filter.log"
}
ok "with a thin arbiter the guard is taken out again, and the log says why" refusal thin_arbiter_count=1 "it has a thin arbiter"
ok "so with features.shard" refusal features.shard=on "features.shard is on"
ok "with quota" refusal features.quota=on "quota is on"
nok "not on a volume without them" refusal features.shard=off "features.shard is on"
nok "nor on a volume of another type" refusal thin_arbiter_count=0 "it has a thin arbiter"
# refused_names: namespace replicate, with the bricks' directories as they are.
brick_with() { # brick_with NAME: a brick of a volume with namespace replicate has it
    local dir=$T/data
    rm -rf "$dir" "$T/lib/vols/names"
    mkdir -p "$dir/.glusterfs" "$dir/$1" "$T/lib/vols/names"
    must setfattr -n trusted.glusterfs.volume-id -v 0x00000000000000000000000000000001 "$dir"
    cp "$CORPUS"/names/*.vol "$T/lib/vols/names/"
    sed -i "s|option directory .*|option directory $dir|" "$T"/lib/vols/names/names.server1.*.vol
    : >"$T/filter.log"
    run "$T/lib/vols/names/names.tcp-fuse.vol"
}
brick_with .trashcan
ok "names of an empty volume are replicated" grep -q '^volume names-names' "$T/lib/vols/names/names.tcp-fuse.vol"
brick_with file
nok "those of a volume with files are not" grep -q '^volume names-names' "$T/lib/vols/names/names.tcp-fuse.vol"
ok "its clients' status says so" grep -q 'option rejected namespace=replicate' "$T/lib/vols/names/names.tcp-fuse.vol"
ok "and the log" grep -q "namespace replicate is refused: the volume has files" "$T/filter.log"

# ---- what is kept -----------------------------------------------------------
# A volume as one server has it: two bricks, with an identity of allot, without
# one, or on another server, and the clients' files of before.
K=$T/lib/vols/plain
# volume_has BRICK1 BRICK2 allot|stock STATUS: bricks are registered, fresh or away;
# what the clients' files in force have; the status in the volume's file.
volume_has() {
    local i=0 what
    rm -rf "$K" "$T/kept"
    mkdir -p "$K"
    for what in "$1" "$2"; do
        i=$((i + 1))
        [ "$what" != away ] || continue
        mkdir -p "$T/kept/b$i"
        must setfattr -n trusted.glusterfs.volume-id -v 0x00000000000000000000000000000001 "$T/kept/b$i"
        [ "$what" = fresh ] || must setfattr -n trusted.allot.brick -v 0x01 "$T/kept/b$i"
    done
    for what in plain trusted-plain; do
        cp "$CORPUS/plain/$what.tcp-fuse.vol$([ "$3" = stock ] || echo .golden)" "$K/$what.tcp-fuse.vol"
    done
    printf 'type=0\nstatus=%s\n' "$4" >"$K/info"
}
# brick_file I POSITION OPTIONS: as glusterd writes it, with the guard above POSITION;
# to stdout.
brick_file() {
    awk -v dir="$T/kept/b$1" -v at="plain-$2" -v options="$3" '
        /^volume plain-allot$/ { skip = 1 }
        !skip {
            if ($1 == "subvolumes" && $2 == "plain-allot") $0 = "    subvolumes plain-locks"
            if ($1 == "subvolumes" && $2 == at) $0 = "    subvolumes plain-allot"
            if ($1 == "option" && $2 == "directory") $0 = "    option directory " dir
            print
            if ($1 == "volume") in_it = $2 == at
            if ($1 == "end-volume" && in_it)
                printf "\nvolume plain-allot\n    type user/allot\n%s    subvolumes %s\nend-volume\n", options, at
        }
        /^end-volume/ { skip = 0 }' "$CORPUS"/plain/plain.server1.*.vol
}
# glusterd_writes POSITION INFO [OPTION VALUE]: all files, in its order; INFO is
# a line of the volume's file of before.
glusterd_writes() {
    local f i options=
    [ -z "${3:-}" ] || printf -v options '    option %s %s\n' "$3" "$4"
    [ -z "$2" ] || echo "$2" >>"$K/info"
    : >"$T/filter.log"
    for i in 1 2; do
        brick_file $i "$1" "$options" >"$K/plain.server1.kept-b$i.vol"
        in_lib "$K/plain.server1.kept-b$i.vol"
    done
    for f in trusted-plain.tcp-fuse.vol plain.tcp-fuse.vol plain.gfproxyd.vol; do
        cp "$CORPUS/plain/$f" "$K/"
        in_lib "$K/$f"
    done
}
# guards_and_clients [DIR VOLUME]: what the guard of each brick stands on; which of
# the clients' files have allot.
guards_and_clients() {
    local i dir=${1:-$K} v=${2:-plain}
    for i in 1 2; do
        echo "$(sed -n "/^volume $v-allot\$/,/^end-volume/s/^ *subvolumes $v-//p" "$dir/$v.server1.kept-b$i.vol")."
    done
    find "$dir" -name "*$v.tcp-fuse.vol" -o -name "$v.gfproxyd.vol" | sort |
        xargs grep -c '^    type cluster/allot' | sed 's/.*://'
}
kept() { # kept WHAT WANT: "GUARD. GUARD. N N N"
    is "$1" "$(guards_and_clients | xargs)" "$2"
}
says() { # says TEXT: the filter's log
    grep -q -- "$1" "$T/filter.log"
}
all="locks. locks. 1 1 1" none=". . 0 0 0"
for word in 1 on yes true enable ON True; do
    volume_has fresh fresh stock 1
    glusterd_writes locks "features.shard=$word"
    kept "features.shard $word: allot is refused" "$none"
done
for word in 0 off no false disable OFF; do
    volume_has fresh fresh stock 1
    glusterd_writes locks "features.shard=$word"
    kept "features.shard $word: it is not" "$all"
done
for line in features.shard=on features.quota=on; do
    for bricks in "registered registered" "registered fresh" "fresh registered" "registered away" "away fresh" "away away"; do
        # shellcheck disable=SC2086
        volume_has $bricks allot 1
        glusterd_writes locks "$line"
        kept "$line on a volume that uses allot, bricks $bricks: it stays" "$all"
    done
    volume_has away away allot 2
    glusterd_writes locks "$line"
    kept "$line: also while it is stopped" "$all"
    volume_has away away allot 0
    glusterd_writes locks "$line"
    kept "$line: not on one that was never started" "$none"
    volume_has away away stock 1
    glusterd_writes locks "$line"
    kept "$line: nor where clients have no allot" "$none"
done

# A position that is not locks.
for bricks in "registered registered" "registered fresh" "registered away" "away away"; do
    for position in index posix io-threads; do
        # shellcheck disable=SC2086
        volume_has $bricks allot 1
        glusterd_writes $position "" width 2
        kept "user.xlator.allot $position, bricks $bricks: as with locks" "$all"
        is "with its options" "$(grep -cxF '    option width 2' "$K/plain.server1.kept-b1.vol" "$K/plain.tcp-fuse.vol" | sed 's/.*://' | xargs)" "1 1"
        ok "which clients hear of" grep -qxF "    option rejected position=$position" "$K/plain.tcp-fuse.vol"
        ok "and the log has" says "not valid and left out: position=$position;"
        cp -r "$K" "$T/once"
        in_lib "$K/plain.server1.kept-b1.vol"
        ok "a second run changes nothing" diff -r "$T/once" "$K"
        rm -r "$T/once"
    done
done
volume_has fresh fresh stock 1
glusterd_writes index ""
kept "on a volume that does not use allot it is refused" "$none"
ok "and the log says why" says "user.xlator.allot is refused, the volume stays as it is: it must be set to locks"

# The setting is gone (volume reset).
volume_has registered registered allot 1
glusterd_writes none ""
kept "without the setting: bricks that are registered keep all" "$all"
volume_has registered fresh allot 1
glusterd_writes none ""
kept "so do new ones beside them" "$all"
volume_has registered away allot 1
glusterd_writes none ""
kept "and those whose disk is not here" "$all"
# of_server UUID: whose the bricks are, by glusterd's files.
of_server() {
    local i
    mkdir -p "$K/bricks"
    echo UUID=00000000-0000-0000-0000-00000000000a >"$T/lib/glusterd.info"
    for i in 1 2; do
        printf 'hostname=server1\npath=/kept/b%s\nuuid=%s\n' $i "$1" >"$K/bricks/server1:-kept-b$i"
    done
}
for status in 1 2; do
    volume_has away away allot $status
    of_server 00000000-0000-0000-0000-00000000000a
    glusterd_writes none ""
    kept "status $status, a server all of whose disks are away: what clients have, bricks have" "$all"
    volume_has away away stock $status
    of_server 00000000-0000-0000-0000-00000000000a
    glusterd_writes none ""
    kept "status $status: nothing where they have nothing" "$none"
    volume_has away away allot $status
    of_server 00000000-0000-0000-0000-00000000000b
    glusterd_writes none ""
    kept "status $status: bricks of another server are not touched" ". . 1 1 1"
done
volume_has fresh away allot 1
of_server 00000000-0000-0000-0000-00000000000a
glusterd_writes none ""
kept "where one disk is here, it knows better" "$none"
rm "$T/lib/glusterd.info"
volume_has away away allot 1
glusterd_writes none ""
kept "a server without bricks keeps allot in clients' files" ". . 1 1 1"
ok "and says so" says "its clients keep allot"
nok "the options are gone" grep -q 'block-size\|rejected' "$K/plain.tcp-fuse.vol"
cp "$CORPUS/plain/plain.tcp-fuse.vol" "$T/gtmp-kept"
in_lib "$T/gtmp-kept"
ok "so in temporary copies" cmp "$T/gtmp-kept" "$K/plain.tcp-fuse.vol"
volume_has fresh fresh allot 1
glusterd_writes none ""
kept "where nothing is registered it is gone" "$none"
volume_has away away allot 0
glusterd_writes none ""
kept "so if it was never started" "$none"
volume_has away away stock 1
glusterd_writes none ""
kept "and where clients had none, there is none" "$none"
volume_has away away allot 1
# names_replicated: in the clients' files in force.
names_replicated() {
    local f
    for f in plain trusted-plain; do
        cp "$CORPUS/names/${f/plain/names}.tcp-fuse.vol.golden" "$K/$f.tcp-fuse.vol"
        sed -i 's/names-names/plain-names/; s/\<names-/plain-/g' "$K/$f.tcp-fuse.vol"
    done
}
names_replicated
glusterd_writes none ""
is "replicated names stay so" "$(grep -c '^volume plain-names$' "$K/trusted-plain.tcp-fuse.vol" "$K/plain.tcp-fuse.vol" | sed 's/.*://' | xargs)" "1 1"
volume_has away away allot 2
names_replicated
of_server 00000000-0000-0000-0000-00000000000a
glusterd_writes none ""
is "also where all disks are away and the volume is stopped" "$(grep -c '^volume plain-names$' "$K/trusted-plain.tcp-fuse.vol" "$K/plain.tcp-fuse.vol" | sed 's/.*://' | xargs)" "1 1"
rm "$T/lib/glusterd.info"
# A change has the rebalance's file written again and again: it says nothing.
volume_has away away allot 1
names_replicated
glusterd_writes none ""
: >"$T/filter.log"
for f in 1 2 3; do
    cp "$CORPUS/plain/plain-rebalance.vol" "$K/"
    in_lib "$K/plain-rebalance.vol"
done
ok "the rebalance's file refuses" grep -q '^    option refuse ' "$K/plain-rebalance.vol"
ok "without a word" test ! -s "$T/filter.log"

# A snapshot's files are written before its bricks are mounted: the volume that it
# is of knows. So with a clone.
S=$T/lib/snaps/s1/snapvol
# copy_writes DIR POSITION INFO: as glusterd writes those of a new snapshot or
# clone, which has the name of its directory.
copy_writes() {
    local f i v=${1##*/}
    mkdir -p "$1"
    printf 'type=0\nstatus=0\n%s\n' "$3" >"$1/info"
    : >"$T/filter.log"
    for i in 1 2; do
        brick_file $i "$2" "" | sed "s/\<plain\>/$v/g; s|option directory .*|option directory $T/kept/snap$i|" >"$1/$v.server1.kept-b$i.vol"
        in_lib "$1/$v.server1.kept-b$i.vol"
    done
    for f in trusted-plain.tcp-fuse.vol plain.tcp-fuse.vol; do
        sed "s/\<plain\>/$v/g" "$CORPUS/plain/$f" >"$1/${f/plain/$v}"
        in_lib "$1/${f/plain/$v}"
    done
}
copied() { # copied WHAT DIR WANT: "GUARD. GUARD. N N"
    is "$1" "$(guards_and_clients "$2" "${2##*/}" | xargs)" "$3"
}
of_plain=$'parent_volname=plain\nrestored_from_snap=00000000-0000-0000-0000-000000000000'
both="locks. locks. 1 1"
for bricks in "registered registered" "registered away" "fresh registered" "away away"; do
    for line in features.shard=on features.quota=on; do
        rm -rf "$T/lib/snaps"
        # shellcheck disable=SC2086
        volume_has $bricks allot 1
        glusterd_writes locks "$line"
        copy_writes "$S" locks "$of_plain"$'\n'"$line"
        copied "a snapshot of a volume that uses allot, bricks $bricks, $line: it has all" "$S" "$both"
    done
    rm -rf "$T/lib/snaps"
    copy_writes "$S" index "$of_plain"
    copied "bricks $bricks: so with another position" "$S" "$both"
    rm -rf "$T/lib/snaps"
    glusterd_writes none ""
    copy_writes "$S" none "$of_plain"
    copied "bricks $bricks: and without the setting, as the volume itself" "$S" "$(guards_and_clients | xargs | sed 's/ 1$//')"
done
# The clone's origin is the snapshot, which has its own files by now.
printf 'snap-id=00000000-0000-0000-0000-0000000000cc\nstatus=1\n' >"$T/lib/snaps/s1/info"
of_s1=$'parent_volname=N/A\nrestored_from_snap=00000000-0000-0000-0000-0000000000cc'
C=$T/lib/vols/clone
rm -rf "$T/lib/snaps/s1/snapvol"
volume_has registered registered allot 1
copy_writes "$S" locks "$of_plain"$'\nfeatures.shard=on'
copy_writes "$C" locks "$of_s1"$'\nfeatures.shard=on'
copied "a clone of it has all" "$C" "$both"
rm -rf "$C"
copy_writes "$C" locks "${of_s1/cc/dd}"$'\nfeatures.shard=on'
copied "one of a snapshot that is not there is refused" "$C" ". . 0 0"
# It goes on by its own files.
for state in "fresh fresh stock" "away away stock"; do
    # shellcheck disable=SC2086
    volume_has $state 1
    copy_writes "$S" locks "$of_plain"$'\nfeatures.shard=on'
    copied "a snapshot that has allot keeps it, its volume is $state now" "$S" "$both"
done
names_replicated
rm -rf "$S"
copy_writes "$S" locks "$of_plain"
is "names of a snapshot are kept as those of its volume" "$(grep -c '^volume snapvol-names$' "$S/trusted-snapvol.tcp-fuse.vol" "$S/snapvol.tcp-fuse.vol" | sed 's/.*://' | xargs)" "1 1"
volume_has registered registered stock 1
# Its kind of namespace is replicate.
must setfattr -n trusted.allot.registry -v "0x$(sed 's/#.*//' "$TOP/tests/unit/golden/registry.hex" | tr -d ' \n')" "$T/kept/b1"
glusterd_writes locks ""
rm -rf "$S" "$K"/*.tcp-fuse.vol
copy_writes "$S" locks "$of_plain"
is "also as the registry on a disk says it" "$(grep -c '^volume snapvol-names$' "$S/trusted-snapvol.tcp-fuse.vol" "$S/snapvol.tcp-fuse.vol" | sed 's/.*://' | xargs)" "1 1"
for state in "fresh fresh" "away away"; do
    rm -rf "$S"
    # shellcheck disable=SC2086
    volume_has $state stock 1
    copy_writes "$S" locks "$of_plain"$'\nfeatures.shard=on'
    copied "one of a volume that does not use allot, bricks $state, is refused" "$S" ". . 0 0"
    copy_writes "$S" none "$of_plain"
    copied "and has none without the setting" "$S" ". . 0 0"
    # shellcheck disable=SC2086
    volume_has ${state//fresh/registered} allot 1
    copy_writes "$S" none "$of_plain"
    copied "also later, when the volume has" "$S" ". . 0 0"
done
rm -rf "$T/lib/snaps" "$C"

# The guard's own option: a brick with a wrong value would not start.
for state in registered fresh; do
    volume_has $state $state allot 1
    glusterd_writes locks "" heal-portions maybe
    kept "heal-portions maybe, bricks $state: all are there" "$all"
    nok "bricks do not see it" grep -q 'option heal-portions' "$K"/plain.server1.*.vol
    ok "clients hear of it" grep -qxF '    option rejected heal-portions=maybe' "$K/plain.tcp-fuse.vol"
    ok "and the log has it" says "not valid and left out: heal-portions=maybe;"
    volume_has $state $state allot 1
    glusterd_writes locks "" heal-portions default
    nok "nor do bricks see default" grep -q 'option heal-portions' "$K"/plain.server1.*.vol
    nok "which is no mistake" grep -q rejected "$K/plain.tcp-fuse.vol"
    volume_has $state $state allot 1
    glusterd_writes locks "" heal-portions Enable
    is "a valid one is left to them" "$(grep -cxF '    option heal-portions Enable' "$K"/plain.server1.*.vol | sed 's/.*://' | xargs)" "1 1"
    is "and not to clients" "$(grep -c 'heal-portions' "$K/plain.tcp-fuse.vol")" 0
done

# ---- the table of options ---------------------------------------------------
missing=
while read -r key; do
    case $key in
    # By hand or by the filter itself, and never by the command.
    rejected | beside | refuse | watch | volume-name | debug-*) ;;
    *) grep -q "\"$key\"" "$TOP/filter/request.c" || missing+="$key " ;;
    esac
done < <(grep -oP '\.key = \{"\K[^"]+' "$TOP/xlator/cluster/allot-options.c")
is "the filter knows every option of cluster/allot" "$missing" ""

# ---- the real parser --------------------------------------------------------
nodes_make c1
on c1 mkdir -p /mnt/x
takes() { # takes GOLDEN: glusterfs builds and starts the graph
    local pid rc
    rm -f "$LOG/c1/x.log"
    on c1 glusterfs --volfile="$1" -l /var/log/glusterfs/x.log -p /run/x.pid /mnt/x &
    expect_within 20 grep -qE 'Final graph|failed|unknown' "$LOG/c1/x.log"
    expect_within 5 grep -q 'Final graph' "$LOG/c1/x.log"
    rc=$?
    pid=$(on c1 cat /run/x.pid 2>/dev/null)
    [ -z "$pid" ] || on c1 kill -KILL "$pid"
    on c1 umount -l /mnt/x 2>/dev/null
    return "$rc"
}
for type in plain names parallel bare nufa uss single arbiter disperse snap; do
    ok "glusterfs takes the graph of $type" takes "$(echo "$CORPUS/$type"/[!t]*.tcp-fuse.vol.golden)"
done
# Its protocol/server cannot be mounted.
sed '/^volume plain-server$/,$d' "$CORPUS/plain/plain.gfproxyd.vol.golden" >"$T/gfproxyd.vol"
ok "and gfproxyd's" takes "$T/gfproxyd.vol"
ok "and that of a rebalance that is refused" takes "$CORPUS/names/names-rebalance.vol.golden"
done_testing
