/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * advice.c - the sentence at the end of a report: what happened, what to do.
 *
 * Order of the advice: first what brings most back at no cost (a brick that is
 * down), then what is lost for good, then what the report could not see.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "format.h"
#include "tally.h"

/* Is this brick one whose return is waited for? */
static const struct allot_cure *
allot_advice_waits(const struct allot_tally *tally,
                   const struct allot_doc_brick *brick)
{
    size_t i;

    for (i = 0; i < tally->cure_count; i++)
        if (tally->cures[i].index == brick->index)
            return &tally->cures[i];
    return NULL;
}

/* A file whose base cannot be reached does not say on which brick it is, so
 * with such files every brick that is down counts. */
static int
allot_advice_wanted(const struct allot_tally *tally,
                    const struct allot_doc_brick *brick)
{
    if (allot_advice_waits(tally, brick))
        return 1;
    return allot_doc_brick_is_down(brick) &&
           (tally->base_down > 0 || tally->unnamed_files > 0);
}

/* "brick c2", "bricks c2 and c4", "bricks c2, c4 and c5"; how many. */
static size_t
allot_advice_bricks(FILE *out, const struct allot_tally *tally,
                    const struct allot_doc_status *status)
{
    size_t i, n = 0, said = 0;

    for (i = 0; i < status->brick_count; i++)
        n += (size_t)allot_advice_wanted(tally, &status->bricks[i]);
    if (n == 0)
        return 0;
    fputs(n == 1 ? "brick " : "bricks ", out);
    for (i = 0; i < status->brick_count; i++) {
        if (!allot_advice_wanted(tally, &status->bricks[i]))
            continue;
        fprintf(out, "%s%s", allot_between(said, n), status->bricks[i].name);
        said++;
    }
    return n;
}

/* With several bricks down: the one whose return alone helps most. */
static void
allot_advice_best(FILE *out, const struct allot_tally *tally,
                  const struct allot_doc_status *status)
{
    const struct allot_doc_brick *brick;
    const struct allot_cure *best = NULL;
    size_t i;

    for (i = 0; i < tally->cure_count; i++)
        if (tally->cures[i].alone > 0 &&
            (!best || tally->cures[i].alone > best->alone))
            best = &tally->cures[i];
    if (!best)
        return;
    brick = allot_doc_status_brick(status, best->index);
    if (brick)
        fprintf(out, " (%s alone: %" PRIu64 ")", brick->name, best->alone);
}

static void
allot_advice_down(FILE *out, const struct allot_tally *tally,
                  const struct allot_doc_status *status, uint64_t damaged)
{
    size_t n;

    fputs("bring ", out);
    n = allot_advice_bricks(out, tally, status);
    if (n == 0)
        fputs("the namespace", out);
    fprintf(out, " back: %" PRIu64 " of %" PRIu64 " damaged file%s become%s ",
            tally->curable, damaged, allot_plural(damaged),
            tally->curable == 1 ? "s" : "");
    fputs("whole", out);
    if (n > 1)
        allot_advice_best(out, tally, status);
}

static void
allot_advice_lost(FILE *out, const struct allot_tally *tally)
{
    if (tally->lost_files == 1)
        fputs(
            "1 file has lost blocks that will not come back: copy a backup "
            "over it or delete it",
            out);
    else
        fprintf(out,
                "%" PRIu64
                " files have lost blocks that will not come back: "
                "copy backups over them or delete them",
                tally->lost_files);
}

static void
allot_advice_nothing(FILE *out, const struct allot_tally *tally)
{
    if (tally->files_total == 0)
        fputs("there are no files here", out);
    else if (tally->files_total == 1)
        fputs("the only file is whole", out);
    else
        fprintf(out, "all %" PRIu64 " files are whole", tally->files_total);
}

char *
allot_tally_advice(const struct allot_tally *tally,
                   const struct allot_doc_status *status)
{
    uint64_t damaged = tally->files_damaged + tally->files_unreadable;
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        return NULL;

    if (damaged == 0)
        allot_advice_nothing(out, tally);
    else if (tally->curable > 0)
        allot_advice_down(out, tally, status, damaged);
    if (damaged > 0 && tally->lost_files > 0) {
        if (tally->curable > 0)
            fputs("; ", out);
        allot_advice_lost(out, tally);
    }
    if (tally->unnamed_files > 0)
        fprintf(out,
                "; data of %" PRIu64
                " more file%s survives, but the name%s "
                "on a namespace brick that is down or lost",
                tally->unnamed_files, allot_plural(tally->unnamed_files),
                tally->unnamed_files == 1 ? " is" : "s are");
    if (!tally->exact)
        fputs("; the report is not exact, the reasons stand above", out);
    else if (damaged == 0 && tally->unnamed_files == 0)
        fputs(", there is nothing to do", out);

    return allot_text_end(out, &text);
}
