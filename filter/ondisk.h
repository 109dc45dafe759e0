/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * ondisk.h - what a brick's own directory says, if it is on this machine: that
 * the volume holds data of allot, and of which kind its namespace is. A
 * setting of the volume must not contradict that.
 */
#ifndef ONDISK_H
#define ONDISK_H

#include "volfile.h"

struct ondisk {
    int registered; /* the brick has an identity of allot */
    int ns_kind;    /* enum allot_ns_kind, -1: no registry that decodes */
};

/**
 * ondisk_read - ask the directory of a brick
 * @brick: the brick's volfile, with a storage/posix
 * @disk: filled; nothing is registered if the directory is not here, or is
 *     not this volume's (by its volume-id)
 * Reads two xattrs; never writes, never fails.
 */
void
ondisk_read(const struct volfile *brick, struct ondisk *disk);

#endif /* ONDISK_H */
