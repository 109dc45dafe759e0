/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * fs-wrong.c - fs.h for a directory, with a mistake that a file system could
 * have: what ftruncate cuts off is only hidden, and comes back when ftruncate
 * makes the file longer again. It shows that the oracle finds such a thing, and
 * how short its story becomes: a write past a place, a cut before it, an
 * extension over it, and a look.
 *
 * Calls by name and all others are those of the directory.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs.h"

/* What was cut off last, and of which file. */
static char *cut;
static ino_t cut_of;
static off_t cut_at;
static off_t cut_bytes;

static int
wrong_ftruncate(struct fs_file *file, off_t size)
{
    struct stat st;
    struct iovec iov;
    int ret = fs_mount_ops.fstat(file, &st);

    if (ret)
        return ret;
    if (size < st.st_size) {
        free(cut);
        cut_of = st.st_ino;
        cut_at = size;
        cut_bytes = st.st_size - size;
        cut = malloc(cut_bytes);
        if (!cut)
            return -ENOMEM;
        iov.iov_base = cut;
        iov.iov_len = cut_bytes;
        if (fs_mount_ops.preadv(file, &iov, 1, size) < 0)
            cut_bytes = 0;
    }
    ret = fs_mount_ops.ftruncate(file, size);
    if (ret == 0 && size > st.st_size && cut && st.st_size == cut_at &&
        st.st_ino == cut_of) {
        iov.iov_base = cut;
        iov.iov_len = cut_bytes < size - cut_at ? cut_bytes : size - cut_at;
        if (fs_mount_ops.pwritev(file, &iov, 1, cut_at) < 0)
            return -EIO;
    }
    return ret;
}

const struct fs_ops *
fs_wrong_ops(void)
{
    static struct fs_ops ops;

    ops = fs_mount_ops;
    ops.kind = "wrong";
    ops.ftruncate = wrong_ftruncate;
    return &ops;
}
