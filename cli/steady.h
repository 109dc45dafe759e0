/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * steady.h - were the bricks the same for all files of a report? If not, some
 * files were counted with a brick and some without, and the report is not
 * exact. Pure: status documents in, reasons into a tally.
 */
#ifndef ALLOT_STEADY_H
#define ALLOT_STEADY_H

#include "document.h"
#include "tally.h"

/**
 * allot_steady_compare - note each brick that was not the same all the time
 * @before, @now: the volume at both ends of that time
 * @scanned: files were looked at in between. Else (two runs of one report) a
 *     client that was started anew is no reason: nobody asked it anything
 *     meanwhile.
 * Returns 0 or -ENOMEM.
 */
int
allot_steady_compare(struct allot_tally *tally,
                     const struct allot_doc_status *before,
                     const struct allot_doc_status *now, int scanned);

/**
 * allot_steady_failing - note each brick that may give EIO for what it holds
 * Its metadata answers, so that the files look whole; their data was not read.
 * Only bricks that have blocks of the files, or may have their names and inline
 * parts. Returns 0 or -ENOMEM.
 */
int
allot_steady_failing(struct allot_tally *tally,
                     const struct allot_doc_status *now);

#endif /* ALLOT_STEADY_H */
