# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# Calls that fail, one kind at a time. Sourced by faults-*.sh.
#
# Several mounts run at once, each with error-gen for one kind of call; all
# work on files of their own. A mount without faults is there from the
# beginning and judges what they leave.
# shellcheck source=oracle-lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/oracle-lib.sh"

AT_ONCE=5
SECONDS_EACH=${ORACLE_SECONDS:-3}

# faults_setup TEMPLATE: bricks, the mount $JUDGE, and faultless volfiles.
faults_setup() {
    KIND=$1
    bricks_dirs 4
    volume_make "$KIND" "${SMALL[@]}"
    plain_graph "$T/vol/client.vol"
    volume_start
    must_mount judge "${DIRECT[@]}"
    JUDGE=$M
}

# fault_begin I BELOW FOPS ERRNO: the I-th mount, its program in the background.
fault_begin() {
    faulty_graph "$T/vol/client.vol" "$2" "$T/vol/faulty-$1.vol" "$3" "$4" ||
        bail "no $2 below allot in client.vol"
    # It may fail to mount: the root is looked up and stat'ed too.
    VOLFILE=$T/vol/faulty-$1.vol mount_volume "faulty-$1" "${DIRECT[@]}" ||
        mount_answers "$M" || bail "mount with $4 for $3 failed"
    MOUNTS=("$M")
    (
        oracle $((SEED + $1)) "$SECONDS_EACH" -e "$4,EIO" >"$T/out-$1" 2>&1
        echo $? >"$T/rc-$1"
    ) &
}

# The errors that error-gen gave: without any the test says nothing.
gave_errors() { # gave_errors I
    grep -q 'unwind(-1' "$LOG/mnt-faulty-$1.log"
}

fault_end() { # fault_end I DESC
    if [ "$(cat "$T/rc-$1")" = 0 ]; then
        tap ok "$2: $(cat "$T/out-$1")"
    else
        tap "not ok" "$2"
        note "$(cat "$T/out-$1")"
    fi
    ok "$2: calls did fail" gave_errors "$1"
    ok "$2: the mount can still be unmounted" umount_volume "faulty-$1"
    MOUNTS=("$JUDGE")
    [ "$(cat "$T/rc-$1")" != 0 ] ||
        ok "$2: what is known is right without faults" judge $((SEED + $1))
}

# faults BELOW "FOPS ERRNO"...: all of them, some at once.
faults() {
    local below=$1 i=0 first=0 k
    shift
    local all=("$@")
    for ((first = 0; first < ${#all[@]}; first += AT_ONCE)); do
        for ((i = first; i < first + AT_ONCE && i < ${#all[@]}; i++)); do
            # shellcheck disable=SC2086
            fault_begin "$i" "$below" ${all[i]}
        done
        wait
        for ((k = first; k < i; k++)); do
            fault_end "$k" "$KIND, above $below, ${all[k]}"
        done
    done
}
