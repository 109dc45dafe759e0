/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * steady.c - see steady.h.
 *
 * States of one class count the same in a report. The translator counts each
 * brick's changes from class to class (health_class() in allot-health.c), so
 * that one who went away and came back is noticed. The counts are those of one
 * graph of one client; of another one they say nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "steady.h"

static const char *
allot_steady_class(const struct allot_doc_brick *brick)
{
    if (!brick)
        return "not a member";
    if (strcmp(brick->state, "failing") == 0 ||
        strcmp(brick->state, "foreign") == 0)
        return brick->state;
    if (allot_doc_brick_is_down(brick))
        return "down";
    if (allot_doc_brick_is_lost(brick))
        return "lost";
    return "up";
}

static int
allot_steady_brick(struct allot_tally *tally,
                   const struct allot_doc_brick *before,
                   const struct allot_doc_brick *now, int same_client)
{
    const char *was = allot_steady_class(before);
    const char *is = allot_steady_class(now);
    char text[400];

    if (strcmp(was, is) != 0)
        snprintf(text, sizeof(text),
                 "brick %s went from %s to %s during the scan", before->name,
                 was, is);
    /* Of a member that has no subvolume in this graph nobody counts. */
    else if (now && same_client && before->kind[0] && now->kind[0] &&
             before->turns != now->turns)
        snprintf(text, sizeof(text),
                 "brick %s was not %s all the time during the scan",
                 before->name, was);
    else
        return 0;
    return allot_tally_inexact(tally, text, NULL);
}

int
allot_steady_compare(struct allot_tally *tally,
                     const struct allot_doc_status *before,
                     const struct allot_doc_status *now, int scanned)
{
    int same_client = strcmp(before->client, now->client) == 0;
    size_t i;
    int err = 0;

    if (scanned && !same_client)
        err = allot_tally_inexact(
            tally,
            "the client was set anew during the scan: whether a brick was away "
            "meanwhile is not known",
            NULL);
    for (i = 0; i < before->brick_count && !err; i++) {
        const struct allot_doc_brick *brick = &before->bricks[i];

        if (brick->index != ALLOT_DOC_NO_INDEX)
            err = allot_steady_brick(tally, brick,
                                     allot_doc_status_brick(now, brick->index),
                                     same_client);
    }
    return err;
}

static int
allot_steady_concerns(const struct allot_tally *tally,
                      const struct allot_doc_brick *brick)
{
    size_t i;

    for (i = 0; i < tally->brick_count; i++)
        if (tally->bricks[i].index == brick->index)
            return 1;
    return brick->shared;
}

int
allot_steady_failing(struct allot_tally *tally,
                     const struct allot_doc_status *now)
{
    char text[400];
    size_t i;
    int err = 0;

    for (i = 0; i < now->brick_count && !err; i++) {
        const struct allot_doc_brick *brick = &now->bricks[i];

        if (!brick->may_be_unreadable || !allot_steady_concerns(tally, brick))
            continue;
        snprintf(text, sizeof(text),
                 strcmp(brick->state, "failing") == 0
                     ? "brick %s is failing: whether what it holds can be read "
                       "was not tried"
                     : "bricks of %s are failing that have what is not healed "
                       "yet: whether it can be read was not tried",
                 brick->name);
        err = allot_tally_inexact(tally, text, NULL);
    }
    return err;
}
