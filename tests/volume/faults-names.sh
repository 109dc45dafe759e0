#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only
# tier: check
# needs: 30
# Calls to the namespace fail, one kind at a time, under random calls of an
# application: no hang, no crash, only honest errors, and everything that was
# acknowledged is there afterwards.
# shellcheck source=faults-lib.sh
. "$(dirname "$0")/faults-lib.sh"

faults_setup net-4-plain
faults dht \
    "open EIO" "create EIO" "write EIO" "write ENOSPC" "read EIO" \
    "fsync EIO" "setxattr EIO" "setxattr ENOSPC" "stat EIO" "stat ENOMEM" \
    "fstat EIO" "truncate EIO" "unlink EIO" "inodelk EIO" \
    "lookup EIO" "flush EIO" \
    "open,create,lookup,stat,fstat,setxattr,write,read,truncate,inodelk,unlink,fsync ENOMEM"
done_testing
