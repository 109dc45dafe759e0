/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-recovery.h - what of a file can be read back: n blocks, k failed,
 * R = n - k, in blocks and bytes, and the ranges that fail.
 *
 * A block is a block-size range of the file (cut at extent borders, where the
 * two sides are blocks of their own) that holds data; known holes are counted
 * apart. Bytes below inline_limit belong to block 0: block 0 is [0, end of
 * the first slot of extent 0) and fails if either part does. An empty file
 * has n = 0 and is intact.
 */
#ifndef ALLOT_RECOVERY_H
#define ALLOT_RECOVERY_H

#include "allot-codec.h"

enum allot_fail {
    ALLOT_FAIL_NONE = 0,
    ALLOT_FAIL_DOWN = 1,    /* unavailable: the brick is down */
    ALLOT_FAIL_BLANK = 2,   /* lost: the brick came back empty */
    ALLOT_FAIL_LOST = 3,    /* lost: declared so */
    ALLOT_FAIL_MISSING = 4, /* lost: the portion is not there, or damaged */
};

struct allot_count {
    uint64_t total;
    uint64_t failed; /* unavailable + lost */
    uint64_t unavailable;
    uint64_t lost;
    uint64_t recoverable; /* total - failed */
    uint64_t holes;       /* not part of total */
};

struct allot_range {
    uint64_t start; /* [start, end), bytes */
    uint64_t end;
    enum allot_fail why;
};

/* State of one brick as a member of this file. */
struct allot_member_state {
    uint16_t brick_idx;
    enum allot_fail fail;
    uint64_t hole_blocks; /* known holes on this member, in whole blocks; not
                             looked at if it failed. Block 0 is no hole
                             while there are inline bytes. */
    uint64_t hole_bytes;  /* the bytes of those blocks */
};

struct allot_recovery {
    struct allot_count blocks;
    struct allot_count bytes;
    enum allot_fail worst; /* the worst reason: MISSING > LOST > BLANK > DOWN */
};

/* How a file is called as a whole. */
enum allot_verdict {
    ALLOT_INTACT,
    ALLOT_DAMAGED,
    ALLOT_UNREADABLE,
};

/**
 * allot_recovery_count - count a file
 * @layout: with or without extents
 * @size: of the file, bytes
 * @base_fail: state of the base file (inline part)
 * @states: @n member states, each brick once; a brick of the layout not listed
 *     counts as NONE
 * Without extents the file is one block of @size bytes (none if empty). Bytes
 * are exact: of a block 0 with one failed part only that part's bytes fail.
 * With inline_limit 0 the base holds no data and @base_fail changes nothing.
 * O(extents x cycle) per failed member, independent of the size.
 */
void
allot_recovery_count(const struct allot_layout *layout, uint64_t size,
                     enum allot_fail base_fail,
                     const struct allot_member_state *states, size_t n,
                     struct allot_recovery *out);

/** allot_recovery_verdict - intact (nothing failed), damaged (some bytes can be
 * read) or unreadable (none). */
enum allot_verdict
allot_recovery_verdict(const struct allot_recovery *rec);

/** allot_recovery_add - add @from to the running sums in @to, which stop at
 * UINT64_MAX. */
void
allot_recovery_add(struct allot_recovery *to,
                   const struct allot_recovery *from);

/**
 * allot_recovery_ranges - walk the failed byte ranges, merged, rising
 * @emit: called per range; a non-zero return stops the walk and is returned
 * Ranges are exact to the byte: the inline part fails only with the base.
 * Neighbouring ranges of different reasons are merged; why is the worst.
 * Extents without a failed member cost nothing, others a step per block.
 * Returns 0 or what @emit returned.
 */
int
allot_recovery_ranges(const struct allot_layout *layout, uint64_t size,
                      enum allot_fail base_fail,
                      const struct allot_member_state *states, size_t n,
                      int (*emit)(const struct allot_range *range, void *arg),
                      void *arg);

/** allot_recovery_ranges_apart - the same, but what returns with its brick
 * (DOWN) is not merged with what does not. */
int
allot_recovery_ranges_apart(
    const struct allot_layout *layout, uint64_t size, enum allot_fail base_fail,
    const struct allot_member_state *states, size_t n,
    int (*emit)(const struct allot_range *range, void *arg), void *arg);

#endif /* ALLOT_RECOVERY_H */
