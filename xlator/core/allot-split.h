/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-split.h - a byte range of a file into pieces, one per run of bytes on
 * one brick (or in the base file).
 *
 *      off                                               off + len
 *       |-- base --|-- b2 --|-- b0 --|-- b1 --|-- b2 ... --|
 *
 * Neighbouring blocks on the same brick are one piece.
 */
#ifndef ALLOT_SPLIT_H
#define ALLOT_SPLIT_H

#include "allot-layout.h"

#define ALLOT_PIECE_BASE (-1)
#define ALLOT_SPLIT_MAX (1u << 20) /* pieces of allot_split_all() */

struct allot_piece {
    int32_t brick_idx; /* ALLOT_PIECE_BASE or an index in the registry */
    uint64_t offset;   /* in the file and in the portion alike */
    uint64_t len;      /* bytes, never 0 */
};

struct allot_split_iter {
    const struct allot_layout *layout; /* borrowed */
    uint64_t next;                     /* first byte not yet given */
    uint64_t end;
};

/**
 * allot_split_begin - start walking [off, off + len)
 * Returns 0, or -EFBIG if the end lies past ALLOT_OFFSET_MAX.
 * A layout without extents gives one base piece.
 */
int
allot_split_begin(struct allot_split_iter *iter,
                  const struct allot_layout *layout, uint64_t off,
                  uint64_t len);

/** allot_split_next - the next piece; 1 if there is one, 0 at the end. */
int
allot_split_next(struct allot_split_iter *iter, struct allot_piece *piece);

/**
 * allot_split_all - all pieces in an array
 * @pieces: allocated with malloc(), the caller frees; NULL if there are none
 * For ranges that a caller bounds, like those of a write; a discard of the
 * whole file walks with the iterator.
 * Returns the number of pieces, -EFBIG, -ENOMEM, -E2BIG for more than
 * ALLOT_SPLIT_MAX pieces.
 */
int64_t
allot_split_all(const struct allot_layout *layout, uint64_t off, uint64_t len,
                struct allot_piece **pieces);

#endif /* ALLOT_SPLIT_H */
