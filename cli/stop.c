/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * stop.c - `allot ok-to-stop BRICK... TARGET`: may these bricks stop, all of
 * them at once, without anything becoming unreadable that can be read now?
 * Without names: which bricks may, each by itself.
 *
 *   a plain brick     only if no file has a block on it
 *   a brick of a set  as many as its set can do without, and none that knows of
 *                     what is not healed yet
 *   names             a brick that holds names of a distributed namespace must
 *                     not; of a replicated one a single brick may be away
 *
 * It stops nothing, and says nothing of what happens afterwards. "Yes" is said
 * only if it is certain.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "format.h"
#include "stop.h"
#include "table.h"
#include "volume.h"

static void
allot_stop_add(struct allot_stop_sum *sum, uint64_t blocks, uint64_t bytes)
{
    sum->blocks += blocks;
    sum->bytes += bytes;
    sum->files += bytes > 0;
}

void
allot_stop_file(struct allot_stop *stop, const struct allot_doc_file *doc)
{
    uint64_t blocks = 0, bytes = 0;
    size_t i, k;

    for (i = 0; i < doc->member_count; i++) {
        const struct allot_member_state *state = &doc->members[i];
        uint64_t of_blocks, of_bytes;

        for (k = 0; k < stop->count; k++)
            if (stop->failing[k] == state->brick_idx)
                break;
        if (k == stop->count || state->fail != ALLOT_FAIL_NONE)
            continue;
        allot_layout_blocks_of(doc->layout, state->brick_idx, doc->size,
                               &of_blocks, &of_bytes);
        /* A hole reads as zeros from the brick that has it, or not at all: it
         * would give EIO as well. */
        blocks += of_blocks;
        bytes += of_bytes;
        if (stop->each)
            allot_stop_add(&stop->each[k], of_blocks, of_bytes);
    }
    allot_stop_add(&stop->all, blocks, bytes);
}

/* ---- which subvolumes would fail ----------------------------------------- */

/* One question: may these stop together. */
struct allot_stop_ask {
    const char *const *names;
    size_t count;
    const struct allot_doc_status *volume;
    json_t *because;   /* sentences why not; owned */
    uint32_t *failing; /* subvolumes that would fail; owned */
    size_t failing_count;
    struct allot_stop_sum sum; /* what could not be read then */
};

static int
allot_stop_named(const struct allot_stop_ask *ask, const char *name)
{
    size_t i;

    for (i = 0; i < ask->count; i++)
        if (strcmp(ask->names[i], name) == 0)
            return 1;
    return 0;
}

/* Does it answer: what is on it can be read, as far as that is known. */
static int
allot_stop_up(const char *state)
{
    return strcmp(state, "up") == 0 || strcmp(state, "full") == 0 ||
           strcmp(state, "draining") == 0 || strcmp(state, "failing") == 0;
}

static void
allot_stop_because(struct allot_stop_ask *ask, const char *format,
                   const char *name)
{
    json_array_append_new(ask->because, json_sprintf(format, name));
}

/* A set: may those of its bricks that are named stop?
 *
 * A brick says that it knows of what is not healed, not of which files. Each of
 * those that say so may be the only one that has some file, so none of them may
 * stop. One that knows of none has nothing that is not healed, but perhaps an
 * old state of it. */
static int
allot_stop_set(struct allot_stop_ask *ask, const struct allot_doc_brick *set)
{
    int all = allot_stop_named(ask, set->name);
    uint64_t stopping = 0, failing = 0;
    size_t i;

    for (i = 0; i < set->leaf_count; i++) {
        const struct allot_doc_leaf *leaf = &set->leaves[i];

        if (!all && !allot_stop_named(ask, leaf->name))
            continue;
        if (strcmp(leaf->state, "failing") == 0)
            failing++;
        else
            stopping += (uint64_t)allot_stop_up(leaf->state);
    }
    /* A failing one is not counted as spare: the set goes on without it, unless
     * those that are well are too few. */
    if (stopping > set->spare_quorum ||
        (failing && strcmp(set->state, "failing") == 0))
        return 1;
    for (i = 0; i < set->leaf_count; i++) {
        const struct allot_doc_leaf *leaf = &set->leaves[i];

        if (!(all || allot_stop_named(ask, leaf->name)) ||
            !allot_stop_up(leaf->state))
            continue;
        if (leaf->pending < 0)
            allot_stop_because(
                ask, "brick %s does not say whether something is to be healed",
                leaf->name);
        else if (leaf->pending)
            allot_stop_because(
                ask,
                set->needed > 1
                    ? "without brick %s there may be too few that have what is "
                      "not healed yet: wait until it is"
                    : "brick %s may be the only one that has what is not "
                      "healed yet: wait until it is",
                leaf->name);
    }
    return 0;
}

/* Names on the bricks that would fail. */
static void
allot_stop_names(struct allot_stop_ask *ask,
                 const struct allot_doc_brick *brick, size_t *away)
{
    const char *kind = ask->volume->ns_kind;

    if (strcmp(kind, "replicate") == 0 && brick->leaf_count == 0) {
        (*away)++;
        return;
    }
    allot_stop_because(ask, "names on brick %s could not be reached",
                       brick->name);
}

static int
allot_stop_choose(struct allot_stop_ask *ask)
{
    size_t i, away = 0;

    ask->because = json_array();
    ask->failing = calloc(ask->volume->brick_count + 1, sizeof(*ask->failing));
    if (!ask->failing || !ask->because)
        return allot_cli_error("out of memory");
    for (i = 0; i < ask->volume->brick_count; i++) {
        const struct allot_doc_brick *brick = &ask->volume->bricks[i];
        int up = allot_stop_up(brick->state);
        int fails = brick->leaf_count ? allot_stop_set(ask, brick)
                                      : allot_stop_named(ask, brick->name);

        if (!up && brick->shared && !brick->leaf_count)
            away++;
        if (!up || !fails)
            continue;
        ask->failing[ask->failing_count++] = brick->index;
        if (brick->shared)
            allot_stop_names(ask, brick, &away);
    }
    if (strcmp(ask->volume->ns_kind, "replicate") == 0 && away > 1 &&
        ask->failing_count)
        json_array_append_new(
            ask->because,
            json_string(
                "more than one brick of those that may hold names would "
                "be away"));
    return 0;
}

/* ---- the answer -----------------------------------------------------------
 */

static int
allot_stop_ok(const struct allot_stop_ask *ask)
{
    return ask->sum.files == 0 && json_array_size(ask->because) == 0;
}

static json_t *
allot_stop_json(const struct allot_stop_ask *ask)
{
    json_t *names = json_array();
    size_t i;

    for (i = 0; i < ask->count; i++)
        json_array_append_new(names, json_string(ask->names[i]));
    return json_pack("{s:b, s:o, s:I, s:I, s:I, s:O}", "ok", allot_stop_ok(ask),
                     "bricks", names, "files", (json_int_t)ask->sum.files,
                     "blocks", (json_int_t)ask->sum.blocks, "bytes",
                     (json_int_t)ask->sum.bytes, "because", ask->because);
}

/* As JSON or XML; the reference is taken. */
static int
allot_stop_print_document(const struct allot_cli *cli, json_t *doc)
{
    int err = !doc || json_object_set_new(doc, "version",
                                          json_integer(ALLOT_DOC_VERSION));

    if (err) {
        json_decref(doc);
        return allot_cli_error("out of memory");
    }
    if (cli->form == ALLOT_FORM_XML) {
        err = allot_export_xml("allotOkToStop", doc, NULL);
    } else {
        err = json_dumpf(doc, stdout, JSON_COMPACT);
        putchar('\n');
    }
    json_decref(doc);
    return err ? allot_cli_error("cannot write the answer") : ALLOT_EXIT_OK;
}

/* Why not, as one sentence without a beginning; allocated. */
static char *
allot_stop_why(const struct allot_stop_ask *ask)
{
    char size[ALLOT_SIZE_TEXT];
    char *text = NULL;
    size_t i, len;
    FILE *out = open_memstream(&text, &len);
    const char *comma = "";
    json_t *one;

    if (!out)
        return NULL;
    if (ask->sum.files) {
        fprintf(out,
                "%" PRIu64 " block%s (%s) of %" PRIu64
                " file%s would become unreadable",
                ask->sum.blocks, allot_plural(ask->sum.blocks),
                allot_format_size(ask->sum.bytes, size), ask->sum.files,
                allot_plural(ask->sum.files));
        comma = "; ";
    }
    json_array_foreach(ask->because, i, one)
    {
        fprintf(out, "%s%s", comma, json_string_value(one));
        comma = "; ";
    }
    return allot_text_end(out, &text);
}

static int
allot_stop_print_text(const struct allot_stop_ask *ask)
{
    char *why = allot_stop_why(ask);
    size_t i;

    if (!why)
        return allot_cli_error("out of memory");
    for (i = 0; i < ask->count; i++)
        printf("%s%s", allot_between(i, ask->count), ask->names[i]);
    if (allot_stop_ok(ask))
        puts(" can be stopped: nothing becomes unreadable");
    else
        printf(" cannot be stopped: %s\n", why);
    free(why);
    return ALLOT_EXIT_OK;
}

static int
allot_stop_known(const struct allot_stop_ask *ask,
                 const struct allot_target *target)
{
    size_t i, k;

    for (i = 0; i < ask->count; i++) {
        int known =
            allot_doc_status_leaf(ask->volume, ask->names[i], NULL) != NULL;

        for (k = 0; k < ask->volume->brick_count; k++)
            known |= strcmp(ask->volume->bricks[k].name, ask->names[i]) == 0;
        if (!known)
            return allot_cli_error(
                "'%s' has no brick '%s'; 'allot status' lists them",
                target->shown, ask->names[i]);
    }
    return 0;
}

static void
allot_stop_ask_clear(struct allot_stop_ask *ask)
{
    json_decref(ask->because);
    free(ask->failing);
}

/* The bricks that are named, together. */
static int
allot_stop_together(const struct allot_cli *cli, const char *text,
                    const struct allot_target *target,
                    struct allot_stop_ask *ask)
{
    json_t *inexact = NULL;
    int status = allot_stop_known(ask, target);

    if (status == 0)
        status = allot_stop_choose(ask);
    if (status == 0 && ask->failing_count) {
        struct allot_stop stop = {.failing = ask->failing,
                                  .count = ask->failing_count};

        status = allot_report_stop(cli, text, &stop, &inexact);
        ask->sum = stop.all;
        if (status == 0 && json_array_size(inexact))
            json_array_extend(ask->because, inexact);
        json_decref(inexact);
    }
    if (status == 0)
        status = cli->form == ALLOT_FORM_TEXT
                     ? allot_stop_print_text(ask)
                     : allot_stop_print_document(cli, allot_stop_json(ask));
    if (status == 0 && !allot_stop_ok(ask))
        status = ALLOT_EXIT_FAILED;
    return status;
}

/* ---- each brick by itself -------------------------------------------------
 */

/* The names of all bricks that answer, those of sets one by one; returns how
 * many. @names: room for all of them, or NULL. */
static size_t
allot_stop_candidates(const struct allot_doc_status *volume, const char **names)
{
    size_t i, k, n = 0;

    for (i = 0; i < volume->brick_count; i++) {
        const struct allot_doc_brick *brick = &volume->bricks[i];

        if (!brick->leaf_count && allot_stop_up(brick->state)) {
            if (names)
                names[n] = brick->name;
            n++;
        }
        for (k = 0; k < brick->leaf_count; k++)
            if (allot_stop_up(brick->leaves[k].state)) {
                if (names)
                    names[n] = brick->leaves[k].name;
                n++;
            }
    }
    return n;
}

static int
allot_stop_print_table(const struct allot_stop_ask *asks, size_t n)
{
    static const struct allot_table_column columns[] = {
        {"BRICK", 0},
        {"MAY STOP", 0},
        {"WHY NOT", 0},
    };
    struct allot_table *table =
        allot_table_new(columns, sizeof(columns) / sizeof(columns[0]));
    size_t i;
    int err = table ? 0 : -1;

    for (i = 0; i < n && !err; i++) {
        char *why = allot_stop_why(&asks[i]);

        err = why ? allot_table_row(table) : -1;
        if (!err)
            err = allot_table_cell(table, "%s", asks[i].names[0]) |
                  allot_table_cell(table, "%s",
                                   allot_stop_ok(&asks[i]) ? "yes" : "no") |
                  allot_table_cell(table, "%s", why);
        free(why);
    }
    if (!err)
        err = allot_table_print(table);
    allot_table_free(table);
    return err ? allot_cli_error("out of memory") : ALLOT_EXIT_OK;
}

static int
allot_stop_print_each(const struct allot_cli *cli,
                      const struct allot_stop_ask *asks, size_t n)
{
    json_t *list;
    size_t i;

    if (cli->form == ALLOT_FORM_TEXT)
        return allot_stop_print_table(asks, n);
    list = json_array();
    for (i = 0; i < n; i++)
        json_array_append_new(list, allot_stop_json(&asks[i]));
    return allot_stop_print_document(cli,
                                     json_pack("{s:o}", "candidates", list));
}

/* What the subvolumes of @asks, each alone, would take with them: all files
 * are looked at once. */
static int
allot_stop_count_each(const struct allot_cli *cli, const char *text,
                      struct allot_stop_ask *asks, size_t n)
{
    struct allot_stop stop = {0};
    json_t *inexact = NULL;
    size_t i;
    int status = ALLOT_EXIT_OK;

    stop.failing = calloc(n + 1, sizeof(*stop.failing));
    stop.each = calloc(n + 1, sizeof(*stop.each));
    if (!stop.failing || !stop.each) {
        status = allot_cli_error("out of memory");
        goto out;
    }
    /* A single brick takes one subvolume with it at most; of a set's bricks
     * none of those that would does anything else than the others. */
    for (i = 0; i < n; i++)
        if (asks[i].failing_count)
            stop.failing[stop.count++] = asks[i].failing[0];
    if (stop.count)
        status = allot_report_stop(cli, text, &stop, &inexact);
    for (i = 0; i < n && status == 0; i++) {
        size_t k = 0;

        if (!asks[i].failing_count)
            continue;
        /* The first of equal ones has the sum. */
        while (stop.failing[k] != asks[i].failing[0])
            k++;
        asks[i].sum = stop.each[k];
        json_array_extend(asks[i].because, inexact);
    }
out:
    json_decref(inexact);
    free(stop.failing);
    free(stop.each);
    return status;
}

static int
allot_stop_each(const struct allot_cli *cli, const char *text,
                const struct allot_doc_status *volume)
{
    size_t i, n = allot_stop_candidates(volume, NULL);
    struct allot_stop_ask *asks = calloc(n + 1, sizeof(*asks));
    const char **names = calloc(n + 1, sizeof(*names));
    int status = asks && names ? 0 : allot_cli_error("out of memory");

    if (status == 0)
        allot_stop_candidates(volume, names);
    for (i = 0; i < n && status == 0; i++) {
        asks[i].names = &names[i];
        asks[i].count = 1;
        asks[i].volume = volume;
        status = allot_stop_choose(&asks[i]);
    }
    if (status == 0)
        status = allot_stop_count_each(cli, text, asks, n);
    if (status == 0)
        status = allot_stop_print_each(cli, asks, n);
    if (status == 0) {
        status = ALLOT_EXIT_FAILED;
        for (i = 0; i < n; i++)
            if (allot_stop_ok(&asks[i]))
                status = ALLOT_EXIT_OK;
    }
    for (i = 0; asks && i < n; i++)
        allot_stop_ask_clear(&asks[i]);
    free(asks);
    free(names);
    return status;
}

int
allot_cmd_ok_to_stop(const struct allot_cli *cli, const char *const *names,
                     size_t count, const char *text)
{
    struct allot_doc_status volume = {0};
    struct allot_stop_ask ask = {
        .names = names, .count = count, .volume = &volume};
    struct allot_target *target;
    int status;

    status = allot_target_open(cli, text, 0, &target);
    if (status)
        return status;
    status = allot_volume_status(target, &volume);
    if (status == 0)
        status = count ? allot_stop_together(cli, text, target, &ask)
                       : allot_stop_each(cli, text, &volume);
    allot_stop_ask_clear(&ask);
    allot_doc_status_clear(&volume);
    allot_target_close(target);
    return status;
}
