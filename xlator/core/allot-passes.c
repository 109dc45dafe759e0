/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* allot-passes.c - see allot-passes.h. */
#include "allot-passes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t
key_of(const uint8_t *gfid)
{
    uint64_t key = 0;

    for (int i = 0; i < 8; i++)
        key = key << 8 | gfid[i];
    return key;
}

static int
by_gfid(const void *a, const void *b)
{
    return memcmp(((const struct allot_passes_item *)a)->gfid,
                  ((const struct allot_passes_item *)b)->gfid, 16);
}

void
allot_passes_init(struct allot_passes *passes, size_t max)
{
    memset(passes, 0, sizeof(*passes));
    passes->max = max;
}

int
allot_passes_next(struct allot_passes *passes)
{
    if (passes->begun && passes->last == UINT64_MAX)
        return 0;
    passes->first = passes->begun ? passes->last + 1 : 0;
    passes->last = UINT64_MAX;
    passes->begun = 1;
    passes->n = 0;
    return 1;
}

void
allot_passes_sort(struct allot_passes *passes)
{
    if (passes->n)
        qsort(passes->items, passes->n, sizeof(*passes->items), by_gfid);
}

/* The upper half goes to a later pass. It is cut where the key changes; nearest
 * above the middle, else below. */
static int
halve(struct allot_passes *passes)
{
    size_t at = passes->n / 2;

    allot_passes_sort(passes);
    while (at < passes->n &&
           key_of(passes->items[at].gfid) == key_of(passes->items[at - 1].gfid))
        at++;
    if (at == passes->n) {
        at = passes->n / 2;
        while (at > 0 && key_of(passes->items[at].gfid) ==
                             key_of(passes->items[passes->n / 2].gfid))
            at--;
        if (key_of(passes->items[at].gfid) ==
            key_of(passes->items[passes->n / 2].gfid))
            return -E2BIG;
        at++;
    }
    passes->last = key_of(passes->items[at].gfid) - 1;
    passes->n = at;
    return 0;
}

static int
grow(struct allot_passes *passes)
{
    size_t cap = passes->cap ? 2 * passes->cap : 256;
    struct allot_passes_item *items;

    if (cap > passes->max)
        cap = passes->max;
    items = realloc(passes->items, cap * sizeof(*items));
    if (!items)
        return -ENOMEM;
    passes->items = items;
    passes->cap = cap;
    return 0;
}

int
allot_passes_add(struct allot_passes *passes, const uint8_t gfid[16],
                 uint64_t bytes)
{
    uint64_t key = key_of(gfid);
    int ret = 0;

    if (key < passes->first || key > passes->last)
        return 0;
    if (passes->n == passes->cap)
        ret = passes->cap < passes->max ? grow(passes) : halve(passes);
    if (ret)
        return ret;
    /* The cut may have been below it. */
    if (key > passes->last)
        return 0;
    memcpy(passes->items[passes->n].gfid, gfid, 16);
    passes->items[passes->n++].bytes = bytes;
    return 0;
}

size_t
allot_passes_group(const struct allot_passes *passes, size_t at,
                   uint64_t *bytes)
{
    const struct allot_passes_item *first = &passes->items[at];

    for (*bytes = 0; at < passes->n && by_gfid(first, &passes->items[at]) == 0;
         at++)
        *bytes += passes->items[at].bytes;
    return at;
}

void
allot_passes_wipe(struct allot_passes *passes)
{
    free(passes->items);
    memset(passes, 0, sizeof(*passes));
}
