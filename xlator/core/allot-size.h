/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-size.h - the size of a spread file, from its record and from what its
 * base and portions said (a glimpse).
 *
 * clean:                record.size, exact, whatever a glimpse says
 * DIRTY, all answered:  max(record.size, base size, every portion's size),
 * exact DIRTY, one silent:    a lower bound. st_size is rounded up to the end
 * of the first slot past it on each silent member that could hold data there,
 * so that a copy meets EIO and never ends short; exact = 0. A silent member of
 * earlier extents only cannot hold the end of the file if the lower bound
 * already reaches the last extent's start: then exact.
 */
#ifndef ALLOT_SIZE_H
#define ALLOT_SIZE_H

#include "allot-codec.h"

struct allot_glimpse_member {
    uint16_t brick_idx;
    int answered;  /* 0: unreachable, blank or missing */
    uint64_t size; /* st_size of the portion, if answered */
};

struct allot_size {
    uint64_t known; /* bytes that certainly exist (lower bound) */
    uint64_t size;  /* what st_size shows: known, or rounded up */
    int exact;      /* size is the size */
};

/**
 * allot_size_compute - apply the rules above
 * @rec: a record with extents
 * @base_size: st_size of the base file (0 if not asked)
 * @members: @n members; every brick of the layout that is not in the list is
 *     taken as silent
 */
void
allot_size_compute(const struct allot_record *rec, uint64_t base_size,
                   const struct allot_glimpse_member *members, size_t n,
                   struct allot_size *out);

#endif /* ALLOT_SIZE_H */
