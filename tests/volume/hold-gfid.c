/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * hold-gfid.c - preloaded into a brick: a file that has just been made gets its
 * gfid only when $HOLD_GFID/hold is gone, or after 30 s. Who comes to wait
 * leaves a line in $HOLD_GFID/held: the path.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

typedef int (*set_fn)(const char *, const char *, const void *, size_t, int);

static void
hold(const char *path)
{
    const struct timespec tick = {.tv_nsec = 10 * 1000000L};
    const char *dir = getenv("HOLD_GFID");
    char until[4096];
    char held[4096];
    FILE *f = NULL;
    int i = 0;

    snprintf(until, sizeof(until), "%s/hold", dir ? dir : "");
    snprintf(held, sizeof(held), "%s/held", dir ? dir : "");
    if (!dir || access(until, F_OK) != 0)
        return;
    f = fopen(held, "a");
    if (f) {
        fprintf(f, "%s\n", path);
        fclose(f);
    }
    for (i = 0; i < 3000 && access(until, F_OK) == 0; i++)
        nanosleep(&tick, NULL);
}

int
lsetxattr(const char *path, const char *name, const void *value, size_t size,
          int flags)
{
    set_fn next = (set_fn)dlsym(RTLD_NEXT, "lsetxattr");

    if (strcmp(name, "trusted.gfid") == 0)
        hold(path);
    return next(path, name, value, size, flags);
}
