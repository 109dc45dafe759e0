/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* progress.c - see progress.h. */
#include <inttypes.h>
#include <stdio.h>

#include "format.h"
#include "progress.h"

#define PROGRESS_CELLS 20

void
allot_progress_of(const struct allot_scan_progress *now, uint64_t before,
                  struct allot_progress *progress)
{
    double done = now->done > 0 ? now->done : 0;
    double known = now->known > done ? now->known : done;
    double all = known + (double)before;

    progress->part = all > 0 ? (done + (double)before) / all : 0;
    progress->files = before + now->files;
    progress->rate = 0;
    progress->left = -1;
    /* A clock that stands, or goes back, says nothing. */
    if (!(now->seconds > 0))
        return;
    progress->rate = (double)now->files / now->seconds;
    if (done > 0)
        progress->left = now->seconds * (known - done) / done;
    if (!(progress->left <= ALLOT_PROGRESS_LONG))
        progress->left = -1;
}

/* Cells of a bar: each begins with a byte that does not go on a character. */
static int
progress_cells(const char *bar)
{
    int n = 0;

    for (; *bar; bar++)
        n += ((unsigned char)*bar & 0xc0) != 0x80;
    return n;
}

char *
allot_progress_text(const struct allot_progress *progress, int utf8,
                    char text[ALLOT_PROGRESS_TEXT])
{
    char bar[3 * PROGRESS_CELLS + 1], left[64] = "";

    if (progress->left >= 0)
        snprintf(left, sizeof(left), ", about %.0f s left", progress->left);
    allot_format_bar(progress->part, PROGRESS_CELLS, utf8, bar);
    /* Cut, not rounded: 100% is the end. */
    snprintf(text, ALLOT_PROGRESS_TEXT,
             "%s%*s %3u%%  %" PRIu64 " file%s, %.0f/s%s", bar,
             PROGRESS_CELLS - progress_cells(bar), "",
             (unsigned int)(100 * progress->part), progress->files,
             allot_plural(progress->files), progress->rate, left);
    return text;
}
