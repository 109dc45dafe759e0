/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* seen.c - see seen.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "seen.h"

#define ALLOT_SEEN_FIRST 64

static const uint8_t allot_seen_free_place[16];

/* Gfids are random already and inode numbers are not: mix both halves. */
static size_t
allot_seen_hash(const uint8_t key[16])
{
    uint64_t half[2];

    memcpy(half, key, sizeof(half));
    half[0] ^= half[1] * 0x9e3779b97f4a7c15ULL;
    half[0] ^= half[0] >> 29;
    half[0] *= 0xbf58476d1ce4e5b9ULL;
    half[0] ^= half[0] >> 32;
    return (size_t)half[0];
}

/* The place of @key, or the free one where it belongs. */
static uint8_t *
allot_seen_place(uint8_t (*keys)[16], size_t places, const uint8_t key[16])
{
    size_t at = allot_seen_hash(key) & (places - 1);

    while (memcmp(keys[at], key, 16) != 0 &&
           memcmp(keys[at], allot_seen_free_place, 16) != 0)
        at = (at + 1) & (places - 1);
    return keys[at];
}

static int
allot_seen_grow(struct allot_seen *seen)
{
    size_t i, places = seen->places ? 2 * seen->places : ALLOT_SEEN_FIRST;
    uint8_t(*keys)[16] = calloc(places, sizeof(*keys));

    if (!keys)
        return -ENOMEM;
    for (i = 0; i < seen->places; i++)
        if (memcmp(seen->keys[i], allot_seen_free_place, 16) != 0)
            memcpy(allot_seen_place(keys, places, seen->keys[i]), seen->keys[i],
                   16);
    free(seen->keys);
    seen->keys = keys;
    seen->places = places;
    return 0;
}

int
allot_seen_add(struct allot_seen *seen, const uint8_t key[16])
{
    uint8_t *place;

    if (memcmp(key, allot_seen_free_place, 16) == 0) {
        int fresh = !seen->zero;

        seen->zero = 1;
        return fresh;
    }
    /* At most two thirds full, so that a search ends soon. */
    if (3 * (seen->used + 1) > 2 * seen->places && allot_seen_grow(seen))
        return -ENOMEM;
    place = allot_seen_place(seen->keys, seen->places, key);
    if (memcmp(place, key, 16) == 0)
        return 0;
    memcpy(place, key, 16);
    seen->used++;
    return 1;
}

static int
allot_seen_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int
allot_seen_add_gfid(struct allot_seen *seen, const char *gfid)
{
    uint8_t key[16] = {0};
    unsigned int n = 0;

    for (; *gfid; gfid++) {
        int digit = allot_seen_digit(*gfid);

        if (*gfid == '-')
            continue;
        if (digit < 0 || n == 32)
            return -EINVAL;
        key[n / 2] |= (uint8_t)(digit << (n % 2 ? 0 : 4));
        n++;
    }
    return n == 32 ? allot_seen_add(seen, key) : -EINVAL;
}

void
allot_seen_clear(struct allot_seen *seen)
{
    free(seen->keys);
    memset(seen, 0, sizeof(*seen));
}
