/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* sums.c - see sums.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sums.h"

static size_t
allot_sums_hash(const char *path, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325ULL;

    while (len--)
        hash = (hash ^ (uint8_t)*path++) * 0x100000001b3ULL;
    return (size_t)(hash ^ hash >> 32);
}

static size_t *
allot_sums_place(struct allot_sums *sums, const char *path, size_t len)
{
    size_t at = allot_sums_hash(path, len) & (sums->places - 1);

    while (sums->table[at]) {
        const char *there = sums->dirs[sums->table[at] - 1].path;

        if (strncmp(there, path, len) == 0 && there[len] == '\0')
            break;
        at = (at + 1) & (sums->places - 1);
    }
    return &sums->table[at];
}

static int
allot_sums_grow(struct allot_sums *sums)
{
    size_t i, cap = sums->cap ? 2 * sums->cap : 64;
    struct allot_sums_dir *dirs = realloc(sums->dirs, cap * sizeof(*dirs));
    size_t *table;

    if (!dirs)
        return -ENOMEM;
    sums->dirs = dirs;
    /* At most half full. */
    table = calloc(2 * cap, sizeof(*table));
    if (!table)
        return -ENOMEM;
    free(sums->table);
    sums->table = table;
    sums->places = 2 * cap;
    sums->cap = cap;
    for (i = 0; i < sums->count; i++)
        *allot_sums_place(sums, dirs[i].path, strlen(dirs[i].path)) = i + 1;
    return 0;
}

struct allot_sums_dir *
allot_sums_dir(struct allot_sums *sums, const char *path, size_t len)
{
    struct allot_sums_dir *dir;
    size_t *place;

    if (sums->count == sums->cap && allot_sums_grow(sums))
        return NULL;
    place = allot_sums_place(sums, path, len);
    if (*place)
        return &sums->dirs[*place - 1];
    dir = &sums->dirs[sums->count];
    memset(dir, 0, sizeof(*dir));
    dir->path = strndup(path, len);
    if (!dir->path)
        return NULL;
    *place = ++sums->count;
    return dir;
}

int
allot_sums_add(struct allot_sums *sums, const char *path,
               const struct allot_recovery *rec, enum allot_verdict verdict)
{
    const char *end = path;
    unsigned int depth;

    if (!sums->wanted)
        return 0;
    /* "", "a", "a/b" of "a/b/c". */
    for (depth = 0; depth <= sums->depth; depth++) {
        struct allot_sums_dir *dir =
            allot_sums_dir(sums, path, (size_t)(end - path));

        if (!dir)
            return -ENOMEM;
        dir->files++;
        dir->damaged += verdict == ALLOT_DAMAGED;
        dir->unreadable += verdict == ALLOT_UNREADABLE;
        allot_recovery_add(&dir->sum, rec);
        end = strchr(depth == 0 ? path : end + 1, '/');
        if (!end)
            break;
    }
    return 0;
}

/* '/' before all other bytes, so that "a/b" comes before "a b". */
static int
allot_sums_order(const void *left, const void *right)
{
    const char *a = ((const struct allot_sums_dir *)left)->path;
    const char *b = ((const struct allot_sums_dir *)right)->path;

    while (*a && *a == *b)
        a++, b++;
    if (*a == *b)
        return 0;
    if (!*a || (*a == '/' && *b))
        return -1;
    if (!*b || *b == '/')
        return 1;
    return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

void
allot_sums_sort(struct allot_sums *sums)
{
    if (sums->count > 1)
        qsort(sums->dirs, sums->count, sizeof(*sums->dirs), allot_sums_order);
}

void
allot_sums_clear(struct allot_sums *sums)
{
    size_t i;

    for (i = 0; i < sums->count; i++)
        free(sums->dirs[i].path);
    free(sums->dirs);
    free(sums->table);
    memset(sums, 0, sizeof(*sums));
}
