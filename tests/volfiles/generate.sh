#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Makes the corpus of README.md: the volfiles that a stock glusterd writes for a
# volume of each type with user.xlator.allot set, for its services and for a
# snapshot, without the volgen filter. Only ids, passwords, ports and places are
# replaced, so that a new run gives the same text. Then "*.golden" beside each
# file that the filter changes; look at the difference before you commit it.
#
#     tests/volfiles/generate.sh         (root; after ./dev build)
#     ALLOT_GNFS=glusterd.so tests/volfiles/generate.sh
#
# With ALLOT_GNFS, a glusterd that was built with --enable-gnfs, also the file of
# the NFS server; without it that file is kept. tests/volume/glusterd-filter.sh
# compares.
# shellcheck source=../volume/glusterd-lib.sh
. "$(dirname "$0")/../volume/glusterd-lib.sh"
# shellcheck source=../volume/glusterd-snap-lib.sh
. "$(dirname "$0")/../volume/glusterd-snap-lib.sh"

here=$TOP/tests/volfiles
plugins_make "$T/plugins" without-filter
if [ -n "${ALLOT_GNFS:-}" ]; then
    must cp "$ALLOT_GNFS" "$T/plugins/xlator/mgmt/glusterd.so"
    # glusterd wants to start the server that it has written the file for: another
    # translator with several children is good enough for that.
    mkdir -p "$T/plugins/xlator/nfs"
    must cp "$T/plugins/xlator/features/quotad.so" "$T/plugins/xlator/nfs/server.so"
fi
bricks_make 2 512M
nodes_make server1
glusterd_start server1
LIB=$T/server1/lib

bricks() { # bricks N
    local i
    for ((i = 1; i <= $1; i++)); do
        echo "server1:/data/$NAME/b$i"
    done
}

# normal FILE NAME...: a volfile without what differs from run to run; NAME is a
# volume's name that does.
normal() {
    local name args=()
    for name in "${@:2}"; do
        args+=(-e "s/$name/$SNAP_NAME/g")
    done
    sed -E "${args[@]}" \
        -e 's/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/00000000-0000-0000-0000-000000000001/g' \
        -e "s|$T|/test|g" -e 's/(listen-port|remote-port) [0-9]+/\1 49152/' "$1"
}
# In the place of a snapshot's volume: hexadecimal, as it is there.
SNAP_NAME=0123456789abcdef0123456789abcdef

# take DIR FILE...: normalized into the corpus.
take() {
    local dir=$here/$1 f name
    shift
    mkdir -p "$dir"
    for f; do
        name=$(basename "$f")
        normal "$f" ${SNAP:+"$SNAP"} >"$dir/$(echo "$name" | normal - ${SNAP:+"$SNAP"})"
    done
}

# volume TYPE N "CREATE WORDS" [OPTION=VALUE...]
volume() {
    local type=$1 n=$2 words=$3 o f
    shift 3
    NAME=$type
    mkdir -p "$T/server1/data/$type"
    # shellcheck disable=SC2046,SC2086
    must_gluster server1 volume create "$type" $words $(bricks "$n") force
    for o in user.xlator.allot=locks "$@"; do
        [ "$type:$o" = stock:user.xlator.allot=locks ] ||
            must_gluster server1 volume set "$type" "${o%%=*}" "${o#*=}"
    done
    rm -rf "${here:?}/$type"
    # One brick is enough: all have the same settings.
    for f in "$LIB/vols/$type"/*.vol; do
        case $f in
        *-b[2-9].vol | *-b[1-9][0-9].vol | *-b[1-9][0-9][0-9].vol) continue ;;
        */large-*.vol | */large.g*.vol | */trusted-large*) continue ;;
        esac
        take "$type" "$f"
    done
    # What the filter takes from there; settings in it may be older than volfiles.
    grep -E '^(disperse|thin_arbiter)_count=[1-9]' "$LIB/vols/$type/info" >"$here/$type/info" || rm "$here/$type/info"
}

volume plain 3 "" user.xlator.allot.block-size=1MB user.xlator.allot.width=0
volume single 1 ""
volume names 4 "" user.xlator.allot.namespace=replicate
volume repl 4 "replica 2"
volume arbiter 6 "replica 3 arbiter 1"
volume thin 3 "replica 2 thin-arbiter 1"
volume one-set 3 "replica 3"
volume disperse 6 "disperse 3 redundancy 1"
volume parallel 3 "" performance.parallel-readdir=on
volume bare 2 "" performance.write-behind=off performance.quick-read=off performance.open-behind=off \
    performance.stat-prefetch=off performance.client-io-threads=off features.ctime=off
volume nufa 2 "" cluster.nufa=on
volume shard 2 "" features.shard=on
volume uss 2 "" features.uss=on
volume ssl 2 "" client.ssl=on server.ssl=on auth.ssl-allow=server1 auth.allow=10.0.0.1
# Only what is measured of it is kept.
volume large 120 "replica 3"
# One that did not ask.
volume stock 2 ""

# ---- services: several volumes in one file ------------------------------------
appears() { # appears FILE TEXT...
    local word
    for word in "${@:2}"; do
        grep -q "$word" "$LIB/$1" || return 1
    done
}
services=(plain repl names disperse shard stock)
for v in "${services[@]}" uss; do
    must_gluster server1 volume start "$v" force
done
for v in plain repl stock; do
    must_gluster server1 volume bitrot "$v" enable
done
for v in repl stock; do
    must_gluster server1 volume quota "$v" enable
done
must expect_within 60 appears bitd/bitd-server.vol plain-client repl-client stock-client
must expect_within 60 appears scrub/scrub-server.vol plain-client repl-client stock-client
must expect_within 60 appears quotad/quotad.vol repl-client stock-client
must expect_within 60 appears vols/uss/uss-snapd.vol snapview-server
take services "$LIB"/bitd/bitd-server.vol "$LIB"/scrub/scrub-server.vol "$LIB"/quotad/quotad.vol
take uss "$LIB"/vols/uss/uss-snapd.vol
# The volfiles of one brick's client, which a quota crawl has made.
for f in "$LIB"/vols/repl/repl.client.*b1.vol; do
    [ ! -e "$f" ] || take repl "$f"
done
if [ -n "${ALLOT_GNFS:-}" ]; then
    for v in "${services[@]}"; do
        must_gluster server1 volume set "$v" nfs.disable off
    done
    must expect_within 60 appears nfs/nfs-server.vol plain-client repl-client names-client disperse-client \
        shard-client stock-client
    take services "$LIB"/nfs/nfs-server.vol
fi

# ---- a snapshot ---------------------------------------------------------------
snap_start server1
must_gluster server1 volume create origin "server1:$T/b0/origin" "server1:$T/b1/origin"
must_gluster server1 volume set origin user.xlator.allot locks
must_gluster server1 volume start origin
must_gluster server1 snapshot create snap1 origin no-timestamp
must_gluster server1 snapshot activate snap1
SNAP=$(snap_volume server1 snap1)
rm -rf "${here:?}/snap"
for f in "$LIB/snaps/snap1/$SNAP"/*.vol; do
    case $f in
    *brick[2-9]-*) ;;
    *) take snap "$f" ;;
    esac
done
must_gluster server1 snapshot deactivate snap1
must_gluster server1 snapshot delete snap1

# ---- what the filter makes of them ----------------------------------------------
# In a working directory as glusterd's; bricks first, as it does.
export GLUSTERD_WORKDIR=$T/glusterd
for dir in "$here"/*/; do
    case $(basename "$dir") in
    services) at=$T/glusterd/services ;;
    snap) at=$T/glusterd/snaps/snap1/$SNAP_NAME ;;
    *) at=$T/glusterd/vols/$(basename "$dir") ;;
    esac
    mkdir -p "$at"
    rm -f "$dir"*.golden
    cp "$dir"* "$at/"
    echo "$dir $at" >>"$T/places"
done
convert() { # convert FILE PLACE
    "$BUILD/filter/allot-filter" --log "$T/filter.log" "$2" || note "not changed: $1"
    cmp -s "$1" "$2" || cp "$2" "$1.golden"
}
while read -r dir at; do
    for f in "$dir"*.server1.*.vol; do
        [ ! -e "$f" ] || convert "$f" "$at/$(basename "$f")"
    done
done <"$T/places"
while read -r dir at; do
    for f in "$dir"*.vol; do
        case $f in
        *.server1.*) ;;
        *) convert "$f" "$at/$(basename "$f")" ;;
        esac
    done
done <"$T/places"
note "$(cat "$T/filter.log")"
du -sh "$here"
