/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* seen.h - a set of 16-byte identities, so that a file with several hard
 * links is counted once. Only such files are put in. Pure. */
#ifndef ALLOT_SEEN_H
#define ALLOT_SEEN_H

#include <stddef.h>
#include <stdint.h>

struct allot_seen {
    uint8_t (*keys)[16]; /* open addressing; all zero: a free place; owned */
    size_t places;       /* a power of two, or 0 */
    size_t used;
    int zero; /* the key of zeros is in the set */
};

/** allot_seen_add - 1: it is new, 0: it was there, -ENOMEM. */
int
allot_seen_add(struct allot_seen *seen, const uint8_t key[16]);

/** allot_seen_add_gfid - the same with the gfid as text; any other text that
 * is not a uuid is -EINVAL. */
int
allot_seen_add_gfid(struct allot_seen *seen, const char *gfid);

/** allot_seen_clear - free what it holds. */
void
allot_seen_clear(struct allot_seen *seen);

#endif /* ALLOT_SEEN_H */
