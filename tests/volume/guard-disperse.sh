#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 20
# Guards below a disperse set, without cluster/allot above it: what they refuse
# changes neither the length of a file nor that which disperse has in memory, nor
# its fragments, and disperse goes on with the lock that it has.
# shellcheck source=guard-lib.sh
. "$(dirname "$0")/guard-lib.sh"

guard_setup
bricks_dirs 3
one=$(cat "$T/vol/brick-0.vol")
for i in 0 1 2; do
    PORT[i]=${PORT[i]:-$((PORT[0] + i))}
    sed "s|${BRICK[0]}\$|${BRICK[i]}|; s|listen-port ${PORT[0]}|listen-port ${PORT[i]}|" <<<"$one" >"$T/vol/brick-$i.vol"
    brick_start $i || bail "brick $i does not start: $(tail -20 "$LOG/brick-$i.log")"
done
client=$(cat "$T/vol/probe.vol")
for i in 0 1 2; do
    echo "${client/remote-port ${PORT[0]}/remote-port ${PORT[i]}}" >"$T/vol/probe.vol"
    talk "brick $i gets an identity" <<<'register / client: 0'
done
{
    for i in 0 1 2; do
        sed "s|volume brick|volume c$i|; s|remote-port ${PORT[0]}|remote-port ${PORT[i]}|" <<<"$client"
    done
    cat <<'VOLFILE'
volume set
    type cluster/disperse
    option redundancy 1
    subvolumes c0 c1 c2
end-volume
VOLFILE
} >"$T/vol/probe.vol"

# What the bricks have of a file: its fragment's length, and what disperse has
# recorded for the length of the whole.
recorded() {
    local i hex
    for i in 0 1 2; do
        hex=$(getfattr -h -e hex -n trusted.ec.size "${BRICK[i]}/f" 2>/dev/null | sed -n 's/.*=0x//p')
        echo "$(stat -c %s "${BRICK[i]}/f") $((16#$hex))"
    done
}
recorded_is() { # recorded_is FRAGMENT LENGTH
    [ "$(recorded | sort | uniq -c | xargs)" = "3 $1 $2" ]
}
fragments() {
    local i
    for i in 0 1 2; do
        sum "${BRICK[i]}/f"
    done
}
# allot's pid, with which disperse may read the rest of a stripe.
PID=$((16#$(sed -n 's/.*define ALLOT_PID 0x\([0-9a-f]*\).*/\1/p' "$TOP/xlator/core/allot-wire.h")))
told() { # told DESC: as talk, PID put in
    talk "$1" < <(sed "s/PID/pid=$PID/")
}

told "a spread base" <<'TALK'
create f: 0
write f gen=0 len=3000: 0
publish f expect=0 seq=1 to=1 client extents=1: 0
write f gen=1 len=3500: 0
fstat f: 0 size=3500 *
fsync f gen=1: 0
TALK
ok "its length comes to the bricks" recorded_is 2048 3500 || note "$(recorded)"
before=$(fragments)

# Each of these could have made it longer, shorter, or have changed bytes of it.
told "calls that are refused leave the length in memory as it was" <<'TALK'
lookup f: 0 size=3500
open f: 0
write f gen=1 len=0: 0
write f gen=0 at=4096 len=5120: EREMCHG
fstat f: 0 size=3500 *
write f gen=0 at=3500 len=5000 PID: EREMCHG
fstat f: 0 size=3500 *
write f gen=2 at=10240 len=1024: EL2NSYNC
fstat f: 0 size=3500 *
write f at=100000 len=1024: EPERM
write f at=102400 len=1024: EPERM
fstat f: 0 size=3500 *
write f gen=0 at=100 len=700 PID: EREMCHG
write f gen=0 at=0 len=1024: EREMCHG
truncate f to=10 gen=0: EREMCHG
fstat f: 0 size=3500 *
truncate f to=1024 gen=2: EL2NSYNC
truncate f to=0: EPERM
ftruncate f to=5: EPERM
ftruncate f to=5 gen=0: EREMCHG
ftruncate f to=1000000: EPERM
truncate f to=1000000 gen=0: EREMCHG
fstat f: 0 size=3500 *
open f trunc: EPERM
fstat f: 0 size=3500 *
fallocate f at=0 len=1000000: EPERM
fallocate f at=0 len=1000000 gen=0: EREMCHG
discard f at=0 len=3000 gen=0: EREMCHG
fstat f: 0 size=3500 *
fsync f gen=1: 0
TALK
ok "nor what the bricks have" recorded_is 2048 3500 || note "$(recorded)"
is "not a bit of the fragments" "$(fragments)" "$before"

# What was acknowledged and is not on the bricks yet survives a refusal that comes
# before it is recorded, and the next write goes on behind it.
told "nor is a length forgotten that the bricks do not know yet" <<'TALK'
lookup f: 0 size=3500
open f: 0
write f gen=1 at=3500 len=1000 PID: 0
write f gen=0 at=4500 len=1000 PID: EREMCHG
truncate f to=100 gen=0: EREMCHG
write f at=9000 len=1000: EPERM
fstat f: 0 size=4500 *
write f gen=1 at=4500 len=1 PID: 0
write f gen=0 at=0 len=100 PID: EREMCHG
fstat f: 0 size=4501 *
fsync f gen=1: 0
TALK
ok "it comes to the bricks" recorded_is 2560 4501 || note "$(recorded)"
told "its bytes are there" <<'TALK'
lookup f: 0 size=4501
open f: 0
read f gen=1 len=9000: 0 got=4501
write f gen=1 at=4501 len=600 PID: 0
fsync f gen=1: 0
TALK
ok "and go on" recorded_is 2560 5101 || note "$(recorded)"

# ---- a brick that is being healed
#
# Disperse sends it writes whatever it answers, and fences not at all. So it hears of
# that from no guard, also if something else than a write begins its lock.

sed -i 's/option redundancy 1/&\n    option background-heals 0/' "$T/vol/probe.vol"
DATA=$((PID + 2))
version=$(getfattr -h --absolute-names -e hex -n trusted.ec.version "${BRICK[2]}/f" | sed -n 's/.*=0x//p')
healing=$(printf '%02x' $((16#${version:0:2} | 0x40)))${version:2}
# healed: so it looks to disperse, with the version of the others, or an older one.
heals() { # heals VERSION DESC
    must setfattr -h -n trusted.ec.version -v "0x$1" "${BRICK[2]}/f"
    mapfile -t was < <(fragments)
    talk "$2" < <(sed "s/DATA/pid=$DATA/; s/OWN/pid=$PID/" <<'TALK'
lookup f: *
open f: 0
read f gen=1 len=100 OWN: 0 got=100
write f gen=1 at=50 len=700 fill=121 DATA: 0
fsync f gen=1: 0
TALK
    )
    mapfile -t is < <(fragments)
    ok "$2: the others have it" test "${was[0]}" != "${is[0]}" -a "${was[1]}" != "${is[1]}"
    is "$2: it has not" "${is[2]}" "${was[2]}"
}
heals "$healing" "a brick with the version of the others that is being healed"

done_testing
