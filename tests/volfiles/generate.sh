#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Makes tests/volfiles/TYPE/: the volfiles that a stock glusterd writes for a
# volume of each type with user.xlator.allot set, without the volgen filter. Only
# ids, passwords and places are replaced, so that a new run gives the same text.
# Then "*.golden" beside each file that the filter changes; look at the
# difference before you commit it.
#
#     tests/volfiles/generate.sh         (root; after ./dev build)
#
# tests/volume/glusterd-filter.sh compares.
# shellcheck source=../volume/glusterd-lib.sh
. "$(dirname "$0")/../volume/glusterd-lib.sh"

here=$TOP/tests/volfiles
plugins_make "$T/plugins" without-filter
nodes_make server1
glusterd_start server1

bricks() { # bricks N
    local i
    for ((i = 1; i <= $1; i++)); do
        echo "server1:/data/$NAME/b$i"
    done
}

# volume TYPE N "CREATE WORDS" [OPTION=VALUE...]
volume() {
    local type=$1 n=$2 words=$3 o f dir=$here/$1
    shift 3
    NAME=$type
    mkdir -p "$T/server1/data/$type"
    # shellcheck disable=SC2046,SC2086
    must_gluster server1 volume create "$type" $words $(bricks "$n") force
    must_gluster server1 volume set "$type" user.xlator.allot locks
    for o; do
        must_gluster server1 volume set "$type" "${o%%=*}" "${o#*=}"
    done
    rm -rf "$dir"
    mkdir -p "$dir"
    # One brick is enough: all have the same settings.
    for f in "$T/server1/lib/vols/$type"/*.vol; do
        case $f in
        *-b[2-9].vol | *-b1[0-9].vol) continue ;;
        esac
        sed -E 's/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/00000000-0000-0000-0000-000000000001/g' \
            "$f" >"$dir/$(basename "$f")"
    done
    # What the filter takes from there; settings in it may be older than volfiles.
    grep -E '^(disperse|thin_arbiter)_count=[1-9]' "$T/server1/lib/vols/$type/info" >"$dir/info" || rm "$dir/info"
    for f in "$dir"/*.vol; do
        mkdir -p "$T/converted"
        rm -f "$T/converted/info"
        cp "$dir"/*.vol "$T/converted/"
        [ ! -e "$dir/info" ] || cp "$dir/info" "$T/converted/"
        "$BUILD/filter/allot-filter" --log "$T/filter.log" "$T/converted/$(basename "$f")" || note "not changed: $f"
        cmp -s "$T/converted/$(basename "$f")" "$f" || cp "$T/converted/$(basename "$f")" "$f.golden"
    done
}

volume plain 3 "" user.xlator.allot.block-size=1MB user.xlator.allot.width=0
volume single 1 ""
volume names 4 "" user.xlator.allot.namespace=replicate
volume repl 4 "replica 2"
volume arbiter 6 "replica 3 arbiter 1"
volume one-set 3 "replica 3"
volume disperse 6 "disperse 3 redundancy 1"
volume parallel 3 "" performance.parallel-readdir=on
volume bare 2 "" performance.write-behind=off performance.quick-read=off performance.open-behind=off \
    performance.stat-prefetch=off performance.client-io-threads=off features.ctime=off
volume nufa 2 "" cluster.nufa=on
volume shard 2 "" features.shard=on
volume uss 2 "" features.uss=on
du -sh "$here"
