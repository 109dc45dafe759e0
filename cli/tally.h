/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * tally.h - the running sums of a report, why it is not exact, and the one
 * sentence of advice at its end. Pure: files go in as parsed documents.
 *
 * Memory does not grow with the number of files: per brick one counter, and a
 * bounded list of reasons.
 */
#ifndef ALLOT_TALLY_H
#define ALLOT_TALLY_H

#include <jansson.h>
#include <stdint.h>

#include "allot-recovery.h"
#include "document.h"

#define ALLOT_REASONS_MAX 32

/* Why the report is not exact, and for how many places it holds. */
struct allot_reason {
    char *text;  /* owned */
    char *first; /* the first path it was met at; owned; NULL: none */
    uint64_t count;
};

/* Which damaged files wait for a brick that is down. */
struct allot_cure {
    uint32_t index;   /* of the brick */
    uint64_t waiting; /* files with blocks on it */
    uint64_t alone;   /* of these: whole as soon as it alone is back */
};

/* The blocks of one brick. */
struct allot_tally_brick {
    uint32_t index;
    struct allot_recovery sum;
};

struct allot_tally {
    struct allot_recovery sum;
    uint64_t files_total, files_intact, files_damaged, files_unreadable;
    uint64_t unnamed_files, unnamed_bytes;
    int exact;
    struct allot_reason reasons[ALLOT_REASONS_MAX];
    size_t reason_count;
    uint64_t reasons_dropped; /* places whose reason did not fit */

    struct allot_cure *cures; /* owned */
    size_t cure_count;
    struct allot_tally_brick *bricks; /* owned; rising index */
    size_t brick_count;

    uint64_t curable;    /* damaged files that are whole when all are back */
    uint64_t base_down;  /* damaged files whose base is unreachable */
    uint64_t lost_files; /* damaged files with lost blocks */
};

/** allot_tally_begin - all zero, exact. */
void
allot_tally_begin(struct allot_tally *tally);

/**
 * allot_tally_file - add a file
 * @rec: the file's own counts, set
 * @verdict: how it is called as a whole, set
 * Returns 0 or -ENOMEM.
 */
int
allot_tally_file(struct allot_tally *tally, const struct allot_doc_file *doc,
                 struct allot_recovery *rec, enum allot_verdict *verdict);

/**
 * allot_tally_unreadable - add a file of which nothing can be asked
 * Its block size is not known: it is counted as one block of @size bytes.
 * @why: ALLOT_FAIL_DOWN or ALLOT_FAIL_MISSING
 */
void
allot_tally_unreadable(struct allot_tally *tally, uint64_t size,
                       enum allot_fail why, struct allot_recovery *rec);

/**
 * allot_tally_inexact - note why the report is not exact
 * Equal texts are joined; @path is kept only of the first. NULL: none.
 * Returns 0 or -ENOMEM.
 */
int
allot_tally_inexact(struct allot_tally *tally, const char *text,
                    const char *path);

/** allot_tally_reasons - the reasons as an array of strings; a new reference;
 * NULL: no memory. */
json_t *
allot_tally_reasons(const struct allot_tally *tally);

/** allot_tally_all_recoverable - 1 only if it is certain that all is. */
int
allot_tally_all_recoverable(const struct allot_tally *tally);

/**
 * allot_tally_advice - what happened and what to do, in one sentence
 * Allocated; NULL: no memory.
 */
char *
allot_tally_advice(const struct allot_tally *tally,
                   const struct allot_doc_status *status);

/** allot_tally_end - free what it holds. */
void
allot_tally_end(struct allot_tally *tally);

#endif /* ALLOT_TALLY_H */
