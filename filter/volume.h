/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * volume.h - what glusterd's directory on this machine says of a volume: its
 * bricks' volfiles, the clients' files that are in force, its settings.
 */
#ifndef VOLUME_H
#define VOLUME_H

#include <limits.h>
#include <sys/stat.h>
#include <time.h>
#include "ondisk.h"
#include "volfile.h"

/* A brick's volfile that was read. */
struct brick {
    char *text; /* owned */
    struct volfile vf;
    struct timespec mtime;
    struct ondisk disk; /* of all bricks of the volume on this machine */
    char dir[PATH_MAX]; /* where it is */
};

/**
 * volume_read_file - a whole file, with room for a NUL
 * Returns NULL with errno; else the caller frees it. *@len and *@st are filled.
 */
char *
volume_read_file(const char *path, size_t *len, struct stat *st);

/** volume_dir - the directory that a file is in, in @dir. */
void
volume_dir(const char *file, char *dir, size_t size);

/**
 * brick_find - the volfile of a brick of a volume
 * @file: looked for beside it; for temporary copies, and for files of several
 *     volumes, in glusterd's working directory
 * @best: filled; free with brick_free() whatever this returns
 * Bricks of a snapshot or clone that was not written yet are not mounted: for
 * them the disks of that speak of which it was made.
 * Returns 0, or -errno: there is none.
 */
int
brick_find(const char *file, const char *volume, struct brick *best);

void
brick_free(struct brick *b);

/**
 * volume_in_force - do clients have allot now, and which kind of namespace
 * @file: the file that is being written: not looked at
 * @dir: where the volume's files are
 * @stopped: count that of a stopped volume, too
 * A server without a brick of the volume sees no registry, and knows no better.
 * A snapshot or clone that has no such file yet has what that has of which it
 * was made.
 * Returns an enum allot_ns_kind, -1: they have none, or nothing is in force
 * since the volume was never started.
 */
int
volume_in_force(const char *file, const char *dir, const char *volume,
                int stopped);

/** volume_is_served - is a brick of the volume in @dir on this server, be its
 * disk mounted or not? glusterd's files say it. */
int
volume_is_served(const char *dir);

/** volume_unfit - ondisk_unfit() of the volume's "info" in @dir. */
const char *
volume_unfit(const char *dir, const char *volume);

#endif /* VOLUME_H */
