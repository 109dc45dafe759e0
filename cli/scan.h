/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * scan.h - walk every file below a target's directory, depth first, without
 * recursion. In memory: one open directory per level and the present path.
 *
 * It finds names; what a file is worth is for the caller. It stays on the file
 * system of the target, follows no links and skips what vanishes meanwhile.
 */
#ifndef ALLOT_SCAN_H
#define ALLOT_SCAN_H

#include <sys/stat.h>

#include "target.h"

struct allot_scan_ops {
    /* A regular file, or a name that lstat() refused with @err (-errno, @st
     * is NULL then) and that readdir did not call anything else. @path is
     * relative to the target, without a leading slash. A value other than 0
     * ends the scan. */
    int (*file)(void *arg, struct allot_dir *dir, const char *name,
                const char *path, const struct stat *st, int err);
    /* What is in @path ("" is the target itself) is not known, or not all of
     * it. A value other than 0 ends the scan. */
    int (*incomplete)(void *arg, const char *path, int err);
};

/**
 * allot_scan - walk
 * Returns 0, -ENOMEM, or what a callback returned.
 */
int
allot_scan(struct allot_target *target, const struct allot_scan_ops *ops,
           void *arg);

#endif /* ALLOT_SCAN_H */
