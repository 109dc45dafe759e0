/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* tally.c - the running sums of a report. The advice is in advice.c. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "tally.h"

void
allot_tally_begin(struct allot_tally *tally)
{
    memset(tally, 0, sizeof(*tally));
    tally->exact = 1;
}

static struct allot_cure *
allot_tally_cure(struct allot_tally *tally, uint32_t index)
{
    struct allot_cure *cures;
    size_t i;

    for (i = 0; i < tally->cure_count; i++)
        if (tally->cures[i].index == index)
            return &tally->cures[i];
    cures = realloc(tally->cures, (i + 1) * sizeof(*cures));
    if (!cures)
        return NULL;
    tally->cures = cures;
    tally->cure_count++;
    memset(&cures[i], 0, sizeof(cures[i]));
    cures[i].index = index;
    return &cures[i];
}

static struct allot_tally_brick *
allot_tally_brick(struct allot_tally *tally, uint32_t index)
{
    struct allot_tally_brick *bricks;
    size_t i;

    for (i = 0; i < tally->brick_count && tally->bricks[i].index < index; i++)
        ;
    if (i < tally->brick_count && tally->bricks[i].index == index)
        return &tally->bricks[i];
    bricks = realloc(tally->bricks, (tally->brick_count + 1) * sizeof(*bricks));
    if (!bricks)
        return NULL;
    tally->bricks = bricks;
    memmove(&bricks[i + 1], &bricks[i],
            (tally->brick_count - i) * sizeof(*bricks));
    tally->brick_count++;
    memset(&bricks[i], 0, sizeof(bricks[i]));
    bricks[i].index = index;
    return &bricks[i];
}

static void
allot_tally_count(struct allot_count *count, uint64_t n, uint64_t holes,
                  enum allot_fail fail)
{
    uint64_t data = fail == ALLOT_FAIL_NONE && holes <= n ? n - holes : n;

    if (fail == ALLOT_FAIL_NONE)
        count->holes += n - data;
    count->total += data;
    if (fail == ALLOT_FAIL_NONE)
        count->recoverable += data;
    else
        count->failed += data;
    if (fail == ALLOT_FAIL_DOWN)
        count->unavailable += data;
    else if (fail != ALLOT_FAIL_NONE)
        count->lost += data;
}

/* Which bricks have its blocks. Inline bytes are on none of them. */
static int
allot_tally_bricks(struct allot_tally *tally, const struct allot_doc_file *doc)
{
    size_t i;

    for (i = 0; i < doc->member_count; i++) {
        const struct allot_member_state *state = &doc->members[i];
        struct allot_tally_brick *brick;
        uint64_t blocks, bytes;

        allot_layout_blocks_of(doc->layout, state->brick_idx, doc->size,
                               &blocks, &bytes);
        if (blocks == 0)
            continue;
        brick = allot_tally_brick(tally, state->brick_idx);
        if (!brick)
            return -ENOMEM;
        allot_tally_count(&brick->sum.blocks, blocks, state->hole_blocks,
                          state->fail);
        allot_tally_count(&brick->sum.bytes, bytes, state->hole_bytes,
                          state->fail);
    }
    return 0;
}

/* Has the brick a block of this file? A failed member that is named in the
 * layout only, beyond the file's end, damages nothing. */
static int
allot_tally_holds(const struct allot_doc_file *doc, uint16_t brick_idx)
{
    uint64_t blocks, bytes;

    allot_layout_blocks_of(doc->layout, brick_idx, doc->size, &blocks, &bytes);
    return bytes > 0;
}

/* Which bricks' return would help a damaged file? */
static int
allot_tally_cures(struct allot_tally *tally, const struct allot_doc_file *doc)
{
    int lost = doc->base_fail > ALLOT_FAIL_DOWN;
    int base_down = doc->base_fail == ALLOT_FAIL_DOWN;
    struct allot_cure *only = NULL;
    size_t i, down = 0;

    for (i = 0; i < doc->member_count; i++) {
        const struct allot_member_state *state = &doc->members[i];
        struct allot_cure *cure;

        if (state->fail == ALLOT_FAIL_NONE ||
            !allot_tally_holds(doc, state->brick_idx))
            continue;
        if (state->fail != ALLOT_FAIL_DOWN) {
            lost = 1;
            continue;
        }
        cure = allot_tally_cure(tally, state->brick_idx);
        if (!cure)
            return -ENOMEM;
        cure->waiting++;
        only = cure;
        down++;
    }
    if (lost)
        tally->lost_files++;
    else
        tally->curable++;
    if (base_down)
        tally->base_down++;
    if (!lost && !base_down && down == 1)
        only->alone++;
    return 0;
}

static void
allot_tally_verdict(struct allot_tally *tally, enum allot_verdict verdict)
{
    tally->files_total++;
    switch (verdict) {
        case ALLOT_INTACT:
            tally->files_intact++;
            break;
        case ALLOT_DAMAGED:
            tally->files_damaged++;
            break;
        case ALLOT_UNREADABLE:
            tally->files_unreadable++;
            break;
    }
}

int
allot_tally_file(struct allot_tally *tally, const struct allot_doc_file *doc,
                 struct allot_recovery *rec, enum allot_verdict *verdict)
{
    allot_recovery_count(doc->layout, doc->size, doc->base_fail, doc->members,
                         doc->member_count, rec);
    *verdict = allot_recovery_verdict(rec);
    allot_recovery_add(&tally->sum, rec);
    allot_tally_verdict(tally, *verdict);
    if (allot_tally_bricks(tally, doc))
        return -ENOMEM;
    if (*verdict == ALLOT_INTACT)
        return 0;
    return allot_tally_cures(tally, doc);
}

void
allot_tally_unreadable(struct allot_tally *tally, uint64_t size,
                       enum allot_fail why, struct allot_recovery *rec)
{
    memset(rec, 0, sizeof(*rec));
    rec->worst = why;
    rec->blocks.total = rec->blocks.failed = 1;
    rec->bytes.total = rec->bytes.failed = size;
    if (why == ALLOT_FAIL_DOWN) {
        rec->blocks.unavailable = 1;
        rec->bytes.unavailable = size;
        tally->curable++;
        tally->base_down++;
    } else {
        rec->blocks.lost = 1;
        rec->bytes.lost = size;
        tally->lost_files++;
    }
    allot_recovery_add(&tally->sum, rec);
    allot_tally_verdict(tally, ALLOT_UNREADABLE);
}

int
allot_tally_inexact(struct allot_tally *tally, const char *text,
                    const char *path)
{
    struct allot_reason *reason;
    size_t i;

    tally->exact = 0;
    for (i = 0; i < tally->reason_count; i++)
        if (strcmp(tally->reasons[i].text, text) == 0) {
            tally->reasons[i].count++;
            return 0;
        }
    if (i == ALLOT_REASONS_MAX) {
        tally->reasons_dropped++;
        return 0;
    }
    reason = &tally->reasons[i];
    reason->text = strdup(text);
    reason->first = path ? strdup(path) : NULL;
    if (!reason->text || (path && !reason->first)) {
        free(reason->text);
        free(reason->first);
        return -ENOMEM;
    }
    reason->count = 1;
    tally->reason_count++;
    return 0;
}

/* "TEXT (PATH)" for one place, "TEXT (PATH and N more)" for several. */
static json_t *
allot_tally_reason(const struct allot_reason *reason)
{
    char *text = NULL, *name;
    json_t *json;
    int len, exact;

    if (!reason->first)
        return json_string(reason->text);
    name = allot_format_name(reason->first[0] ? reason->first : ".");
    if (!name)
        return NULL;
    if (reason->count > 1)
        len = asprintf(&text, "%s (%s and %" PRIu64 " more)", reason->text,
                       name, reason->count - 1);
    else
        len = asprintf(&text, "%s (%s)", reason->text, name);
    free(name);
    if (len < 0)
        return NULL;
    json = allot_json_path(text, &exact);
    free(text);
    return json;
}

json_t *
allot_tally_reasons(const struct allot_tally *tally)
{
    json_t *list = json_array();
    size_t i;

    for (i = 0; list && i < tally->reason_count; i++)
        if (json_array_append_new(list, allot_tally_reason(&tally->reasons[i])))
            goto fail;
    if (list && tally->reasons_dropped &&
        json_array_append_new(
            list, json_sprintf("other reasons, met %" PRIu64 " times",
                               tally->reasons_dropped)))
        goto fail;
    return list;
fail:
    json_decref(list);
    return NULL;
}

int
allot_tally_all_recoverable(const struct allot_tally *tally)
{
    return tally->exact && tally->sum.blocks.failed == 0 &&
           tally->files_damaged == 0 && tally->files_unreadable == 0 &&
           tally->unnamed_files == 0;
}

void
allot_tally_end(struct allot_tally *tally)
{
    size_t i;

    for (i = 0; i < tally->reason_count; i++) {
        free(tally->reasons[i].text);
        free(tally->reasons[i].first);
    }
    free(tally->cures);
    free(tally->bricks);
    memset(tally, 0, sizeof(*tally));
}
