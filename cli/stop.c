/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * stop.c - `allot ok-to-stop BRICK... TARGET`: may these bricks stop, all of
 * them at once, without anything becoming unreadable that can be read now?
 *
 *   a plain brick     only if no file has a block on it
 *   a brick of a set  as many as its spare_failures say, and none that alone
 *                     knows of what is not healed yet
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
#include "volume.h"

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
    }
    stop->blocks += blocks;
    stop->bytes += bytes;
    stop->files += bytes > 0;
}

/* ---- which subvolumes would fail ----------------------------------------- */

struct allot_stop_ask {
    const char *const *names;
    size_t count;
    struct allot_doc_status volume;
    json_t *because; /* sentences why not */
    struct allot_stop stop;
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

/* A set: may those of its bricks that are named stop? */
static int
allot_stop_set(struct allot_stop_ask *ask, const struct allot_doc_brick *set)
{
    int all = allot_stop_named(ask, set->name), source_left = 0;
    uint64_t stopping = 0;
    size_t i;

    for (i = 0; i < set->leaf_count; i++) {
        const struct allot_doc_leaf *leaf = &set->leaves[i];
        int up = allot_stop_up(leaf->state);

        /* A failing one is not counted as spare, so it may stop. */
        if (all || allot_stop_named(ask, leaf->name))
            stopping += up && strcmp(leaf->state, "failing") != 0;
        else if (up && !leaf->arbiter && leaf->pending == 1)
            source_left = 1;
    }
    if (stopping > set->spare_quorum)
        return 1;
    for (i = 0; i < set->leaf_count; i++) {
        const struct allot_doc_leaf *leaf = &set->leaves[i];

        if (!allot_stop_named(ask, leaf->name) || !allot_stop_up(leaf->state))
            continue;
        if (leaf->pending < 0)
            allot_stop_because(
                ask, "brick %s does not say whether something is to be healed",
                leaf->name);
        else if (leaf->pending && !leaf->arbiter && !source_left)
            allot_stop_because(
                ask,
                "brick %s alone has what is not healed yet: wait "
                "until it is",
                leaf->name);
    }
    return 0;
}

/* Names on the bricks that would fail. */
static void
allot_stop_names(struct allot_stop_ask *ask,
                 const struct allot_doc_brick *brick, size_t *away)
{
    const char *kind = ask->volume.ns_kind;

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

    ask->stop.failing =
        calloc(ask->volume.brick_count + 1, sizeof(*ask->stop.failing));
    if (!ask->stop.failing)
        return allot_cli_error("out of memory");
    for (i = 0; i < ask->volume.brick_count; i++) {
        const struct allot_doc_brick *brick = &ask->volume.bricks[i];
        int up = allot_stop_up(brick->state);
        int fails = brick->leaf_count ? allot_stop_set(ask, brick)
                                      : allot_stop_named(ask, brick->name);

        if (!up && brick->shared && !brick->leaf_count)
            away++;
        if (!up || !fails)
            continue;
        ask->stop.failing[ask->stop.count++] = brick->index;
        if (brick->shared)
            allot_stop_names(ask, brick, &away);
    }
    if (strcmp(ask->volume.ns_kind, "replicate") == 0 && away > 1 &&
        ask->stop.count)
        json_array_append_new(
            ask->because,
            json_string(
                "more than one brick of those that may hold names would "
                "be away"));
    return 0;
}

/* ---- the answer -----------------------------------------------------------
 */

/* As JSON or XML. */
static int
allot_stop_print_document(const struct allot_cli *cli,
                          const struct allot_stop_ask *ask, int ok)
{
    json_t *names = json_array(), *doc;
    size_t i;
    int err;

    for (i = 0; i < ask->count; i++)
        json_array_append_new(names, json_string(ask->names[i]));
    doc = json_pack("{s:i, s:b, s:o, s:I, s:I, s:I, s:O}", "version",
                    ALLOT_DOC_VERSION, "ok", ok, "bricks", names, "files",
                    (json_int_t)ask->stop.files, "blocks",
                    (json_int_t)ask->stop.blocks, "bytes",
                    (json_int_t)ask->stop.bytes, "because", ask->because);
    if (cli->form == ALLOT_FORM_XML) {
        err = !doc || allot_export_xml("allotOkToStop", doc, NULL);
    } else {
        err = !doc || json_dumpf(doc, stdout, JSON_COMPACT);
        putchar('\n');
    }
    json_decref(doc);
    return err ? allot_cli_error("cannot write the answer") : ALLOT_EXIT_OK;
}

static void
allot_stop_print_text(const struct allot_stop_ask *ask, int ok)
{
    char size[ALLOT_SIZE_TEXT];
    const char *comma = ": ";
    json_t *one;
    size_t i;

    for (i = 0; i < ask->count; i++)
        printf("%s%s", i ? i + 1 == ask->count ? " and " : ", " : "",
               ask->names[i]);
    if (ok) {
        puts(" can be stopped: nothing becomes unreadable");
        return;
    }
    fputs(" cannot be stopped", stdout);
    if (ask->stop.files) {
        printf("%s%" PRIu64 " block%s (%s) of %" PRIu64
               " file%s would become unreadable",
               comma, ask->stop.blocks, allot_plural(ask->stop.blocks),
               allot_format_size(ask->stop.bytes, size), ask->stop.files,
               allot_plural(ask->stop.files));
        comma = "; ";
    }
    json_array_foreach(ask->because, i, one)
    {
        printf("%s%s", comma, json_string_value(one));
        comma = "; ";
    }
    putchar('\n');
}

static int
allot_stop_known(const struct allot_stop_ask *ask,
                 const struct allot_target *target)
{
    size_t i, k;

    for (i = 0; i < ask->count; i++) {
        int known =
            allot_doc_status_leaf(&ask->volume, ask->names[i], NULL) != NULL;

        for (k = 0; k < ask->volume.brick_count; k++)
            known |= strcmp(ask->volume.bricks[k].name, ask->names[i]) == 0;
        if (!known)
            return allot_cli_error(
                "'%s' has no brick '%s'; 'allot status' lists them",
                target->shown, ask->names[i]);
    }
    return 0;
}

int
allot_cmd_ok_to_stop(const struct allot_cli *cli, const char *const *names,
                     size_t count, const char *text)
{
    struct allot_stop_ask ask = {.names = names, .count = count};
    struct allot_target *target;
    json_t *inexact = NULL;
    int status, ok;

    status = allot_target_open(cli, text, 0, &target);
    if (status)
        return status;
    ask.because = json_array();
    status = allot_volume_status(target, &ask.volume);
    if (status == 0)
        status = allot_stop_known(&ask, target);
    if (status == 0)
        status = allot_stop_choose(&ask);
    if (status == 0 && ask.stop.count) {
        status = allot_report_stop(cli, text, &ask.stop, &inexact);
        if (status == 0 && json_array_size(inexact))
            json_array_extend(ask.because, inexact);
    }
    if (status == 0) {
        ok = ask.stop.files == 0 && json_array_size(ask.because) == 0;
        if (cli->form != ALLOT_FORM_TEXT)
            status = allot_stop_print_document(cli, &ask, ok);
        else
            allot_stop_print_text(&ask, ok);
        if (status == 0 && !ok)
            status = ALLOT_EXIT_FAILED;
    }
    json_decref(inexact);
    json_decref(ask.because);
    free(ask.stop.failing);
    allot_doc_status_clear(&ask.volume);
    allot_target_close(target);
    return status;
}
