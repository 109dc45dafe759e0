/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * progress.h - how far a scan is, how fast, how long yet; as numbers, and as
 * the line that a terminal gets. Pure: nothing here asks a clock or a volume.
 *
 *      S = sum(S_i) / sum(Smax_i)          scan.h has both sums
 *
 * It can go back, when a directory is larger than those before.
 */
#ifndef ALLOT_PROGRESS_H
#define ALLOT_PROGRESS_H

#include <stddef.h>

#include "scan.h"

/* Longer is not said: so little is done that it means nothing. */
#define ALLOT_PROGRESS_LONG (100 * 86400.0) /* seconds */

/* The longest line: 20 cells of a bar, three numbers, the words. */
#define ALLOT_PROGRESS_TEXT 256

struct allot_progress {
    double part;    /* S, 0 to 1; 1 only if all that is known is done */
    uint64_t files; /* looked at, those of earlier runs too */
    double rate;    /* files a second, of this run; 0: not known */
    double left;    /* seconds; negative: not known */
};

/**
 * allot_progress_of - what the sums mean
 * @before: files that earlier runs of the same report (--resume) looked at.
 * They count as done, and not for the rate.
 */
void
allot_progress_of(const struct allot_scan_progress *now, uint64_t before,
                  struct allot_progress *progress);

/**
 * allot_progress_text - the line, without anything that moves a cursor
 * @utf8: as in allot_format_bar(). Returns @text.
 */
char *
allot_progress_text(const struct allot_progress *progress, int utf8,
                    char text[ALLOT_PROGRESS_TEXT]);

#endif /* ALLOT_PROGRESS_H */
