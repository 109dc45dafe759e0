/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * sums.h - what a report counts, for each directory down to a depth. A file
 * counts in every directory above it, as with du. Memory grows with the number
 * of such directories, not of files. Pure.
 */
#ifndef ALLOT_SUMS_H
#define ALLOT_SUMS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "allot-recovery.h"

struct allot_sums_dir {
    char *path; /* "" is where the scan began; owned */
    uint64_t files, damaged, unreadable;
    struct allot_recovery sum;
};

struct allot_sums {
    unsigned int depth; /* 0: nothing is kept but "" */
    int wanted;
    struct allot_sums_dir *dirs; /* owned; in the order they were met */
    size_t count, cap;
    size_t *table; /* open addressing: position + 1; 0: free; owned */
    size_t places;
};

/** allot_sums_add - a file: @path of it, below where the scan began
 * 0 or -ENOMEM. Nothing if sums are not wanted. */
int
allot_sums_add(struct allot_sums *sums, const char *path,
               const struct allot_recovery *rec, enum allot_verdict verdict);

/** allot_sums_dir - the sums of @path, made if they are not there; NULL: no
 * memory. */
struct allot_sums_dir *
allot_sums_dir(struct allot_sums *sums, const char *path, size_t len);

/** allot_sums_sort - by path, a directory before what is in it. To be called
 * once, when all is counted. */
void
allot_sums_sort(struct allot_sums *sums);

void
allot_sums_clear(struct allot_sums *sums);

#endif /* ALLOT_SUMS_H */
