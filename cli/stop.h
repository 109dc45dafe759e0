/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* stop.h - what would become unreadable if some bricks stopped, counted while a
 * report looks at all files (`allot ok-to-stop`). */
#ifndef ALLOT_STOP_H
#define ALLOT_STOP_H

#include <stdint.h>

#include "cli.h"
#include "document.h"
#include "tally.h"

/* What can be read now, and then not. */
struct allot_stop_sum {
    uint64_t files, blocks, bytes;
};

struct allot_stop {
    uint32_t *failing; /* indices of data subvolumes that would fail; owned */
    size_t count;
    struct allot_stop_sum all;   /* if all of them fail together */
    struct allot_stop_sum *each; /* of each alone, in their order; owned; NULL:
                                    not wanted */
};

/** allot_stop_file - count a file. */
void
allot_stop_file(struct allot_stop *stop, const struct allot_doc_file *doc);

/**
 * allot_report_stop - report.c: look at every file of the volume for @stop
 * @inexact: becomes an array of the reasons why that is not certain, empty if
 * it is; a new reference Returns 0, or an exit status with the error printed.
 */
int
allot_report_stop(const struct allot_cli *cli, const char *text,
                  struct allot_stop *stop, json_t **inexact);

#endif /* ALLOT_STOP_H */
