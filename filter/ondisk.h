/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * ondisk.h - what disks of this machine say of a volume: a brick's own
 * directory, if it is here, and the file in which glusterd keeps the volume.
 * A setting of the volume must not contradict that.
 */
#ifndef ONDISK_H
#define ONDISK_H

#include <stddef.h>
#include "volfile.h"

struct ondisk {
    int here;       /* the directory of a brick of the volume is here */
    int registered; /* the brick has an identity of allot */
    int ns_kind;    /* enum allot_ns_kind, -1: no registry that decodes */
    int has_names;  /* there are files or directories of the volume */
};

/**
 * ondisk_read - ask the directory of a brick
 * @brick: the brick's volfile, with a storage/posix
 * @disk: filled; nothing is registered if the directory is not here, or is
 *     not this volume's (by its volume-id)
 * Reads two xattrs and a directory; never writes, never fails.
 */
void
ondisk_read(const struct volfile *brick, struct ondisk *disk);

/** ondisk_merge - what two bricks of one volume say: into @into. */
static inline void
ondisk_merge(struct ondisk *into, const struct ondisk *other)
{
    into->here |= other->here;
    into->registered |= other->registered;
    into->has_names |= other->has_names;
    if (into->ns_kind < 0)
        into->ns_kind = other->ns_kind;
}

/** ondisk_info - the value of "KEY=VALUE", a line of a file of glusterd's
 * (@text, ended by NUL), in @value; "": there is none */
void
ondisk_info(const char *text, const char *key, char *value, size_t size);

/**
 * ondisk_unfit - why a volume cannot use allot, by its "info" file
 * @text: the file's text, ended by NUL
 * Settings in it may be older than those that are being made, the type of the
 * volume is not. Returns a sentence, NULL: it can.
 */
const char *
ondisk_unfit(const char *text);

enum ondisk_status {
    ONDISK_NEW,     /* was never started: nothing can be registered */
    ONDISK_STARTED, /* is started */
    ONDISK_STOPPED, /* was */
};

/** ondisk_status - of a volume, by its "info" file (@text as above) */
enum ondisk_status
ondisk_status(const char *text);

#endif /* ONDISK_H */
