/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-passes.h - sums by gfid over a stream that comes in no order, in
 * bounded memory: as many gfids as there is room for are kept, the lowest ones;
 * for the others the stream is gone through once more.
 *
 *      pass 1   [0 ........ last]                          kept, summed
 *      pass 2                    [last + 1 ..... last]     kept, summed
 *      ...                                            until UINT64_MAX
 *
 * Gfids are told apart by all 16 bytes and go into a pass by their first 8, so
 * that what belongs to one gfid is never in two passes.
 */
#ifndef ALLOT_PASSES_H
#define ALLOT_PASSES_H

#include <stddef.h>
#include <stdint.h>

struct allot_passes_item {
    uint8_t gfid[16];
    uint64_t bytes;
};

struct allot_passes {
    struct allot_passes_item *items; /* of this pass; owned */
    size_t n;
    size_t cap;
    size_t max;     /* more than so many are not kept */
    uint64_t first; /* first 8 bytes of a gfid: this pass has [first, last] */
    uint64_t last;
    int begun;
};

/** allot_passes_init - nothing is kept; @max: room for so many items, 2 or
 * more. To be freed with allot_passes_wipe(). */
void
allot_passes_init(struct allot_passes *passes, size_t max);

/** allot_passes_next - begin the first or the next pass. 1; 0: there is none.
 */
int
allot_passes_next(struct allot_passes *passes);

/**
 * allot_passes_add - an item of the stream
 * Forgets what is for a later pass. Returns 0, -ENOMEM, or -E2BIG: more than
 * the room has items with one gfid.
 */
int
allot_passes_add(struct allot_passes *passes, const uint8_t gfid[16],
                 uint64_t bytes);

/** allot_passes_sort - when all of the stream has been added: by gfid. */
void
allot_passes_sort(struct allot_passes *passes);

/** allot_passes_group - where the items that have the gfid of item @at, in
 * order, end; @bytes: their sum. */
size_t
allot_passes_group(const struct allot_passes *passes, size_t at,
                   uint64_t *bytes);

/** allot_passes_wipe - free what it holds. */
void
allot_passes_wipe(struct allot_passes *passes);

#endif /* ALLOT_PASSES_H */
