#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 30
# Calls to one data brick fail, one kind at a time, under random calls of an
# application: no hang, no crash, only honest errors, and everything that was
# acknowledged is there afterwards.
# shellcheck source=faults-lib.sh
. "$(dirname "$0")/faults-lib.sh"

faults_setup net-4-plain
faults c1 \
    "open EIO" "open ENOMEM" "create EIO" "create ENOSPC" "mkdir EIO" \
    "write EIO" "write ENOSPC" "read EIO" "read ENOMEM" "fsync EIO" \
    "setxattr EIO" "setxattr ENOSPC" "getxattr EIO" "stat EIO" "unlink EIO" \
    "statfs EIO" \
    "open,create,mkdir,stat,getxattr,setxattr,write,read,unlink,fsync EIO"
done_testing
