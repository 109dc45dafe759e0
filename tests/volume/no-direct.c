/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * no-direct.c - preloaded into a brick: a portion cannot be used with O_DIRECT,
 * by what the file $NO_DIRECT has in it. (A portion is what is open with it to
 * read and to write: the programs of direct.sh open the base to one of them.)
 * "open ERRNO": it is not opened so;
 * "io ERRNO": it is, and no call that reads or writes is taken. Each refusal
 * leaves a line in $NO_DIRECT.refused.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

typedef int (*open_fn)(int, const char *, int, ...);
typedef ssize_t (*pread_fn)(int, void *, size_t, off64_t);
typedef ssize_t (*pwrite_fn)(int, const void *, size_t, off64_t);

/* 0: as ever; else the errno with which @what is refused. */
static int
refused(const char *what)
{
    const char *path = getenv("NO_DIRECT");
    char log[4096];
    char word[16] = "";
    FILE *f = path ? fopen(path, "r") : NULL;
    int err = 0;

    if (!f)
        return 0;
    if (fscanf(f, "%15s %d", word, &err) != 2 || strcmp(word, what) != 0)
        err = 0;
    fclose(f);
    snprintf(log, sizeof(log), "%s.refused", path);
    f = err ? fopen(log, "a") : NULL;
    if (f) {
        fprintf(f, "%s\n", what);
        fclose(f);
    }
    errno = err;
    return err;
}

static int
direct(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && (flags & O_DIRECT) && (flags & O_ACCMODE) == O_RDWR;
}

int
openat64(int dir, const char *path, int flags, ...)
{
    open_fn next = (open_fn)dlsym(RTLD_NEXT, "openat64");
    mode_t mode = 0;
    va_list args;

    va_start(args, flags);
    if (flags & O_CREAT)
        mode = va_arg(args, mode_t);
    va_end(args);
    if ((flags & O_DIRECT) && (flags & O_ACCMODE) == O_RDWR && refused("open"))
        return -1;
    return next(dir, path, flags, mode);
}

ssize_t
pread64(int fd, void *buf, size_t len, off64_t off)
{
    pread_fn next = (pread_fn)dlsym(RTLD_NEXT, "pread64");

    return direct(fd) && refused("io") ? -1 : next(fd, buf, len, off);
}

ssize_t
pwrite64(int fd, const void *buf, size_t len, off64_t off)
{
    pwrite_fn next = (pwrite_fn)dlsym(RTLD_NEXT, "pwrite64");

    return direct(fd) && refused("io") ? -1 : next(fd, buf, len, off);
}
