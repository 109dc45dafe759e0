#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Bitrot's signer and scrubber on a volume of allot. They work: plain files are
# signed, and one that was damaged on its brick is found. Portions and spread base
# files are not signed, not read, not taken for damaged, and stay what they are,
# also where a file was signed before it grew.
# tier: check
# needs: 80
# waits: yes
# shellcheck source=glusterd-lib.sh
. "$(dirname "$0")/glusterd-lib.sh"

bricks_make 3 512M
nodes_make n1 c1
glusterd_start n1
vol1_mount
mkdir -p "$T/want/plain" "$T/want/spread" "$M/plain" "$M/spread"

put() { # put FILE BYTES
    noise "$2" >"$T/want/$1"
    must cp "$T/want/$1" "$M/$1"
}
on_brick() { # on_brick FILE: its base file
    find "$T"/b?/brick/"${1%/*}" -name "${1##*/}" -type f ! -perm -1000
}
xattr_of() { # xattr_of NAME PATH...: the paths that have it
    local name=$1 f
    shift
    for f; do
        getfattr -h --absolute-names -n "$name" "$f" >/dev/null 2>&1 && echo "$f"
    done
}
# Everything of allot's on the bricks: portions and spread base files.
of_allot() {
    find "$T"/b?/brick/.allot -type f
    find "$T"/b?/brick/spread "$T"/b?/brick/plain -type f |
        while read -r f; do xattr_of trusted.allot.record "$f"; done
}
stored() { # all bytes, and all that allot knows
    of_allot | sort | while read -r f; do
        echo "$f $(sum "$f") $(getfattr -h --absolute-names -m trusted.allot -e hex -d "$f" | md5sum)"
    done
}

# ---- the signer -------------------------------------------------------------
put plain/before 50000
put spread/before $((3 << 20))
put plain/grows 60000
# All of its base file is full: it will not be written again.
put plain/full 65536
for i in {1..12}; do
    put "plain/f$i" 30000
done
signed() { # signed FILE...: each has a signature
    local f all=()
    for f; do
        all+=("$(on_brick "$f")")
    done
    [ "$(xattr_of trusted.bit-rot.signature "${all[@]}" | wc -l)" -eq $# ]
}
# A signer that starts while the machine is busy may never hear of a brick, with
# and without allot; then a new one. What it signs when it starts it may have found
# signed by the one before: new files tell, on all bricks.
for i in 1 2 3 4 5; do
    [ $i -eq 1 ] || must_gluster n1 volume bitrot vol1 disable
    must_gluster n1 volume bitrot vol1 enable
    must_gluster n1 volume bitrot vol1 signing-time 1
    for n in {1..12}; do
        put "plain/new-$i-$n" 3000
    done
    PATIENCE=2 expect_within 25 signed plain/before plain/grows plain/full plain/{f,"new-$i-"}{1..12} && break
done
ok "files are signed (attempt $i)" signed plain/before plain/grows plain/full plain/{f,"new-$i-"}{1..12}
put spread/during $((3 << 20))
ok "on every brick" test "$(for b in 0 1 2; do xattr_of trusted.bit-rot.signature "$T/b$b"/brick/plain/* | head -1; done | wc -l)" = 3
before=$(sum "$(on_brick plain/full)")
for f in grows full; do
    noise $((2 << 20)) >>"$T/want/plain/$f"
    must eval "tail -c $((2 << 20)) '$T/want/plain/$f' >>'$M/plain/$f'"
done
want dd if=/etc/passwd of=spread/before bs=1000 seek=1500 conv=notrunc status=none
put plain/last 30000
ok "and written on" expect_within 60 signed plain/last
ok "signed files have grown and are spread" test "$(xattr_of trusted.allot.record "$(on_brick plain/grows)" "$(on_brick plain/full)" | wc -l)" = 2
is "one keeps its signature and the bytes that were signed" \
    "$(xattr_of trusted.bit-rot.signature "$(on_brick plain/full)" | wc -l) $(sum "$(on_brick plain/full)")" "1 $before"
refused() { # the signer was refused a spread base file
    cat "$LOG"/n1/bricks/*.log | grep -q 'refused .*pid -8'
}
ok "the bricks have refused the signer" expect_within 30 refused
mapfile -t portions < <(find "$T"/b?/brick/.allot -type f)
ok "there are portions (${#portions[@]})" test "${#portions[@]}" -ge 9
is "none is signed" "$(xattr_of trusted.bit-rot.signature "${portions[@]}")" ""
is "nor is a spread base file" "$(xattr_of trusted.bit-rot.signature "$(on_brick spread/before)" "$(on_brick spread/during)")" ""
# Other copies of the files than the kernel's.
right() {
    client_mount c1 n1:/vol1 /mnt/w && diff <(sums "$T/want") <(sums "$(in_node c1 /mnt/w)") &&
        on c1 umount /mnt/w
}
ok "all files are right" right

# ---- the scrubber -----------------------------------------------------------
stored >"$T/stored"
scrubs() {
    grep -c 'Scrubbing finished' "$LOG/n1/scrub.log"
}
scrubbed() { # scrubbed N: more often than that
    [ "$(scrubs)" -gt "$1" ]
}
scrub() {
    local n
    n=$(scrubs)
    must_gluster n1 volume bitrot vol1 scrub ondemand
    expect_within 60 scrubbed "$n"
}
damaged() { # what bitrot takes for damaged
    local f
    find "$T"/b?/brick -path '*/.glusterfs' -prune -o -type f -print | while read -r f; do
        xattr_of trusted.bit-rot.bad-file "$f"
    done
}
flip() { # flip PATH: its 100th byte, on the brick
    printf '%b' "\\x$(printf %02x $(($(od -An -tu1 -j100 -N1 "$1") ^ 255)))" |
        dd of="$1" bs=1 seek=100 conv=notrunc status=none
}
flip "$(on_brick plain/f1)"
must scrub
is "the scrubber finds the file that was damaged, and nothing else" "$(damaged)" "$(on_brick plain/f1)"
ok "and says so" grep -q 'Error count: 1' <(gluster n1 volume bitrot vol1 scrub status)
nok "it is not read" dd if="$M/plain/f1" of=/dev/null bs=4k
ok "portions and spread base files are what they were" cmp "$T/stored" <(stored)
# What bitrot is no protection for (docs/admin.md).
portion=${portions[0]}
flip "$portion"
must scrub
is "it does not find a portion that was damaged" "$(damaged)" "$(on_brick plain/f1)"
flip "$portion"
ok "nor has it changed it" cmp "$T/stored" <(stored)
must_gluster n1 volume bitrot vol1 disable
rm "$T/want/plain/f1"
others() { # all but the damaged one
    client_mount c1 n1:/vol1 /mnt/w &&
        diff <(sums "$T/want") <(sums "$(in_node c1 /mnt/w)" 2>/dev/null | grep -v ' ./plain/f1$') &&
        on c1 umount /mnt/w
}
ok "all other files are right" others
ok "and can be written" want dd if=/etc/passwd of=spread/during bs=1000 seek=2000 conv=notrunc status=none
ok "and are right" others
done_testing
