#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# The volgen filter on what stock glusterd writes for volumes of every type
# (tests/volfiles, made by tests/volfiles/generate.sh): the golden files, other
# files byte for byte as they were, a second run changes nothing, owner and mode
# stay, volumes that did not ask, temporary copies, damaged files; and the real
# glusterfs takes the result.
# tier: check
# needs: 30
. "$(dirname "$0")/glusterd-lib.sh"

CORPUS=$TOP/tests/volfiles
FILTER=$BUILD/filter/allot-filter
[ "$BUILD" != installed ] || FILTER=$GLUSTER_DIR/filter/allot
run() { # run FILE
    env -u GLUSTERD_WORKDIR "$FILTER" --log "$T/filter.log" "$1"
}

bad_golden='' bad_again='' bad_mode='' bad_unasked='' bad_temp='' changed=0
for dir in "$CORPUS"/*/; do
    type=$(basename "$dir")
    mkdir -p "$T/lib/vols/$type" "$T/plain/$type"
    cp "$dir"/*.vol "$T/lib/vols/$type/"
    [ ! -e "$dir/info" ] || cp "$dir/info" "$T/lib/vols/$type/"
    # glusterd writes the bricks' first.
    for f in "$T/lib/vols/$type"/*.server1.*.vol "$T/lib/vols/$type"/*[a-z].vol; do
        name=$(basename "$f")
        want=$dir/$name.golden
        [ -e "$want" ] || want=$dir/$name
        # As glusterd does with the files of services: a copy elsewhere.
        cp "$f" "$T/gtmp-XYZ"
        chmod 640 "$f"
        chown 1:2 "$f"
        run "$f" || bad_golden+="$type/$name(status) "
        cmp -s "$f" "$want" || bad_golden+="$type/$name "
        cmp -s "$f" "$dir/$name" || changed=$((changed + 1))
        [ "$(stat -c %a:%u:%g "$f")" = 640:1:2 ] || bad_mode+="$type/$name "
        before=$(stat -c %i:%Y "$f")
        run "$f"
        { cmp -s "$f" "$want" && [ "$(stat -c %i:%Y "$f")" = "$before" ]; } || bad_again+="$type/$name "
        case $name in
        *-rebalance.vol) ;;
        *)
            GLUSTERD_WORKDIR=$T/lib "$FILTER" --log "$T/filter.log" "$T/gtmp-XYZ"
            cmp -s "$T/gtmp-XYZ" "$want" || bad_temp+="$type/$name "
            ;;
        esac
    done
    # The same volume that did not ask.
    for f in "$dir"/*.vol; do
        awk '/^volume .*-allot$/ { skip = 1 } !skip; /^end-volume/ { skip = 0 }' "$f" |
            sed 's/^    subvolumes \(.*\)-allot$/    subvolumes \1-locks/' >"$T/plain/$type/$(basename "$f")"
    done
    cp -r "$T/plain/$type" "$T/plain/$type.before"
    for f in "$T/plain/$type"/*.vol; do
        run "$f" && cmp -s "$f" "$T/plain/$type.before/$(basename "$f")" || bad_unasked+="$type/$(basename "$f") "
    done
done
is "every file becomes its golden file, or stays as it is" "$bad_golden" ""
ok "clients' files were changed ($changed)" test "$changed" -ge 30
is "owner and mode stay" "$bad_mode" ""
is "a second run changes nothing" "$bad_again" ""
is "temporary copies become the same" "$bad_temp" ""
is "volumes that did not ask are left alone" "$bad_unasked" ""
is "no temporary file is left" "$(find "$T/lib" "$T/plain" -name '*.allot-*')" ""

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
ok "on a disperse volume the guard is taken out again, and the log says why" refusal disperse_count=3 "it is a disperse volume"
ok "so with a thin arbiter" refusal thin_arbiter_count=1 "it has a thin arbiter"
ok "with features.shard" refusal features.shard=on "features.shard is on"
ok "with quota" refusal features.quota=on "quota is on"
nok "not on a volume without them" refusal features.shard=off "features.shard is on"
nok "nor on a volume of another type" refusal disperse_count=0 "it is a disperse volume"
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

# ---- the table of options ---------------------------------------------------
missing=
while read -r key; do
    case $key in
    rejected | beside | refuse | watch | debug-*) ;;
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
for type in plain names parallel bare nufa uss single; do
    ok "glusterfs takes the graph of $type" takes "$CORPUS/$type/$type.tcp-fuse.vol.golden"
done
done_testing
