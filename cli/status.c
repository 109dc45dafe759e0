/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * status.c - `allot status`: the bricks, their state and their use. One
 * question to the mount, no walk.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "export.h"
#include "format.h"
#include "next.h"
#include "states.h"
#include "table.h"
#include "volume.h"

#define ALLOT_BAR_CELLS 20

/* The keys of version 1, in the order they are documented in. Whatever else
 * the translator says follows them. */
static const char *const allot_status_keys[] = {
    "version", "state", "bricks", "max_over_mean", NULL,
};
static const char *const allot_status_brick_keys[] = {
    "index",  "name",           "host",       "path",  "state",     "since",
    "weight", "capacity_bytes", "used_bytes", "share", "deviation", NULL,
};

/* A new object with @first in order, null where @from lacks one, then the
 * rest of @from. */
static json_t *
allot_status_ordered(json_t *from, const char *const *first)
{
    json_t *to = json_object();
    const char *key;
    json_t *value;

    if (!to)
        return NULL;
    for (; *first; first++) {
        value = json_object_get(from, *first);
        if (value ? json_object_set(to, *first, value)
                  : json_object_set_new(to, *first, json_null()))
            goto fail;
    }
    json_object_foreach(from, key, value)
    {
        if (!json_object_get(to, key) && json_object_set(to, key, value))
            goto fail;
    }
    return to;
fail:
    json_decref(to);
    return NULL;
}

static int
allot_status_print_json(const struct allot_doc_status *doc)
{
    json_t *root = allot_status_ordered(doc->root, allot_status_keys);
    json_t *from = json_object_get(doc->root, "bricks");
    json_t *bricks = json_array();
    int failed = !root || !bricks;
    size_t i;

    for (i = 0; !failed && i < json_array_size(from); i++)
        failed = json_array_append_new(
            bricks, allot_status_ordered(json_array_get(from, i),
                                         allot_status_brick_keys));
    if (!failed)
        failed = json_object_set(root, "bricks", bricks);
    if (!failed)
        failed = json_dumpf(root, stdout, JSON_COMPACT);
    json_decref(bricks);
    json_decref(root);
    if (failed)
        return allot_cli_error("cannot write the JSON document");
    putchar('\n');
    return ALLOT_EXIT_OK;
}

/* Use per weight. The bars compare it: equal bars, evenly filled bricks. */
static double
allot_status_load(const struct allot_doc_brick *brick)
{
    if (!brick->measured || !(brick->weight > 0))
        return 0;
    return (double)brick->used_bytes / brick->weight;
}

static int
allot_status_row(struct allot_table *table, const struct allot_doc_brick *brick,
                 double load_max)
{
    char used[ALLOT_SIZE_TEXT], capacity[ALLOT_SIZE_TEXT], fs[ALLOT_SIZE_TEXT];
    char bar[3 * ALLOT_BAR_CELLS + 1];
    int err = allot_table_row(table), i;

    if (err)
        return err;
    err |= allot_table_cell(table, "%s", brick->name);
    err |= allot_table_cell(table, "%s%s%s", brick->host,
                            brick->host[0] && brick->path[0] ? ":" : "",
                            brick->path);
    err |= allot_table_cell(table, "%s%s", brick->state,
                            brick->degraded ? ", degraded" : "");
    err |= allot_table_cell(table, "%s", brick->since);
    err |= allot_table_cell(table, "%g", brick->weight);
    if (!brick->measured) {
        for (i = 0; i < 6; i++)
            err |= allot_table_cell(table, "-");
        return err | allot_table_cell(table, "%s", "");
    }
    err |=
        allot_table_cell(table, "%s", allot_format_size(brick->fs_bytes, fs));
    err |= allot_table_cell(table, "%.0f%%", 100 * brick->resource_share);
    err |= allot_table_cell(table, "%s",
                            allot_format_size(brick->capacity_bytes, capacity));
    err |= allot_table_cell(table, "%s",
                            allot_format_size(brick->used_bytes, used));
    /* Shares are those of the bricks that take part now. */
    if (brick->deviation > 0) {
        err |= allot_table_cell(table, "%.1f%%", 100 * brick->share);
        err |= allot_table_cell(table, "%.3f", brick->deviation);
    } else {
        err |= allot_table_cell(table, "-");
        err |= allot_table_cell(table, "-");
    }
    err |= allot_table_cell(
        table, "%s",
        allot_format_bar(load_max > 0 ? allot_status_load(brick) / load_max : 0,
                         ALLOT_BAR_CELLS, allot_format_utf8(), bar));
    return err;
}

/* The bricks of a set, indented below it. */
static int
allot_status_leaf_row(struct allot_table *table,
                      const struct allot_doc_leaf *leaf)
{
    int err = allot_table_row(table);
    int i;

    if (err)
        return err;
    err |= allot_table_cell(table, "  %s", leaf->name);
    err |= allot_table_cell(table, "%s%s%s%s", leaf->host,
                            leaf->host[0] && leaf->path[0] ? ":" : "",
                            leaf->path, leaf->arbiter ? " (arbiter)" : "");
    err |= allot_table_cell(table, "%s", leaf->state);
    err |= allot_table_cell(table, "%s", leaf->since);
    for (i = 0; i < 8; i++)
        err |= allot_table_cell(table, "%s", "");
    return err;
}

static int
allot_status_table(const struct allot_doc_status *doc)
{
    static const struct allot_table_column columns[] = {
        {"BRICK", 0},  {"PLACE", 0}, {"STATE", 0},     {"SINCE", 0},
        {"WEIGHT", 1}, {"V", 1},     {"R", 1},         {"V R", 1},
        {"USED", 1},   {"SHARE", 1}, {"DEVIATION", 1}, {"USED PER WEIGHT", 0},
    };
    struct allot_table *table;
    double load_max = 0;
    size_t i, k;
    int err;

    table = allot_table_new(columns, sizeof(columns) / sizeof(columns[0]));
    if (!table)
        return -1;
    for (i = 0; i < doc->brick_count; i++)
        if (allot_status_load(&doc->bricks[i]) > load_max)
            load_max = allot_status_load(&doc->bricks[i]);
    err = 0;
    for (i = 0; i < doc->brick_count && !err; i++) {
        err = allot_status_row(table, &doc->bricks[i], load_max);
        for (k = 0; k < doc->bricks[i].leaf_count && !err; k++)
            err = allot_status_leaf_row(table, &doc->bricks[i].leaves[k]);
    }
    if (!err)
        err = allot_table_print(table);
    allot_table_free(table);
    return err;
}

/* The work of a brick, or of all (@brick NULL): P and what went wrong. */
static int
allot_status_work_row(struct allot_table *table,
                      const struct allot_doc_brick *brick,
                      const struct allot_doc_performance *perf)
{
    char text[ALLOT_SIZE_TEXT];
    int err = allot_table_row(table);

    if (err)
        return err;
    err |= allot_table_cell(table, "%s", brick ? brick->name : "all");
    err |= allot_table_cell(table, "%.2f s", perf->busy_seconds);
    err |= allot_table_cell(
        table, "%s/s",
        allot_format_size((uint64_t)perf->bytes_per_second, text));
    err |= allot_table_cell(table, "%.3f ms", 1000 * perf->latency_seconds);
    if (!brick)
        return err | allot_table_cell(table, "%s", "") |
               allot_table_cell(table, "%s", "") |
               allot_table_cell(table, "%s", "");
    err |= allot_table_cell(table, "%" PRIu64, brick->errors);
    err |= allot_table_cell(table, "%" PRIu64, brick->failures);
    err |= allot_table_cell(table, "%" PRIu64, brick->flaps);
    return err;
}

static int
allot_status_work(const struct allot_doc_status *doc)
{
    static const struct allot_table_column columns[] = {
        {"WORK OF", 0}, {"BUSY", 1},     {"THROUGHPUT", 1}, {"LATENCY", 1},
        {"ERRORS", 1},  {"FAILURES", 1}, {"FLAPS", 1},
    };
    struct allot_table *table;
    size_t i;
    int err = 0;

    table = allot_table_new(columns, sizeof(columns) / sizeof(columns[0]));
    if (!table)
        return -1;
    for (i = 0; i < doc->brick_count && !err; i++)
        err = allot_status_work_row(table, &doc->bricks[i],
                                    &doc->bricks[i].performance);
    if (!err)
        err = allot_status_work_row(table, NULL, &doc->performance);
    if (!err)
        err = allot_table_print(table);
    allot_table_free(table);
    return err;
}

static void
allot_status_reasons(const struct allot_doc_status *doc)
{
    size_t i, k;

    for (i = 0; i < doc->brick_count; i++) {
        const struct allot_doc_brick *brick = &doc->bricks[i];

        if (brick->why[0])
            printf("%s is %s: %s\n", brick->name, brick->state, brick->why);
        for (k = 0; k < brick->leaf_count; k++)
            if (brick->leaves[k].why[0])
                printf("%s of %s is %s: %s\n", brick->leaves[k].name,
                       brick->name, brick->leaves[k].state,
                       brick->leaves[k].why);
        if (brick->leaf_count)
            printf("%s can lose %" PRIu64 " more brick%s%s\n", brick->name,
                   brick->spare, allot_plural(brick->spare),
                   brick->spare >= brick->spare_quorum
                       ? ""
                       : ": what is not healed yet may be on too few");
    }
    if (doc->spare > 0)
        printf("the volume can lose %" PRIu64
               " more brick%s, whichever it is; 'allot ok-to-stop' says which "
               "may stop\n",
               doc->spare, allot_plural(doc->spare));
    else
        puts("the volume can lose no more brick without data missing");
}

/* What the translator has to say of the volume as a whole. */
static void
allot_status_warnings(const struct allot_doc_status *doc)
{
    const json_t *list = json_object_get(doc->root, "warnings");
    const char *why =
        json_string_value(json_object_get(doc->root, "inactive_because"));
    size_t i;

    if (why)
        printf("warning: nothing is spread: %s\n", why);
    for (i = 0; i < json_array_size(list); i++)
        if (json_is_string(json_array_get(list, i)))
            printf("warning: %s\n", json_string_value(json_array_get(list, i)));
}

/* ": 2 of 4 bricks are lost"; returns what stands before the next of these. */
static const char *
allot_status_count(const char *between, size_t n, size_t all, const char *how)
{
    if (n == 0)
        return between;
    printf("%s %zu of %zu bricks %s %s", between, n, all, n == 1 ? "is" : "are",
           how);
    return ",";
}

/* What is known of the data, behind what is wrong with the bricks. */
static void
allot_status_data(const struct allot_doc_status *doc)
{
    size_t i, unread = 0;

    for (i = 0; i < doc->brick_count; i++)
        unread += (size_t)doc->bricks[i].may_be_unreadable;
    if (unread)
        printf(", what the failing brick%s hold%s may be unreadable",
               allot_plural(unread), unread == 1 ? "s" : "");
    else if (strcmp(doc->state, "DEGRADED") == 0)
        printf(", all data is still recoverable");
}

/* The state, what it means, and what to do. */
static void
allot_status_sentence(const struct allot_doc_status *doc,
                      const struct allot_target *target)
{
    const char *todo = allot_state_todo(allot_states_volume, doc->state);
    const char *between = ":";
    size_t i, down = 0, lost = 0, degraded = 0, failing = 0, foreign = 0;

    for (i = 0; i < doc->brick_count; i++) {
        foreign += (size_t)(strcmp(doc->bricks[i].state, "foreign") == 0);
        if (strcmp(doc->bricks[i].state, "failing") == 0)
            failing++;
        else
            down += (size_t)allot_doc_brick_is_down(&doc->bricks[i]);
        lost += (size_t)allot_doc_brick_is_lost(&doc->bricks[i]);
        degraded += (size_t)doc->bricks[i].degraded;
    }
    printf("%s", doc->state);
    /* All bricks of the volume are well: the lost ones are former members,
     * whose numbers an adoption retired. */
    if (strcmp(doc->state, "UP") == 0 && lost > 0) {
        printf(
            ": nothing is missing; what %zu former brick%s held stays lost: "
            "allot report %s says which files it touches\n",
            lost, allot_plural(lost), target->shown);
        return;
    }
    if (strcmp(doc->state, "DOWN") == 0) {
        printf(": the namespace cannot be reached");
        between = ",";
    } else if (degraded > 0 && strcmp(doc->state, "DEGRADED") == 0) {
        printf(": %zu set%s miss%s a brick", degraded, allot_plural(degraded),
               degraded == 1 ? "es" : "");
        between = ",";
    } else if (strcmp(doc->state, "UP") == 0) {
        printf(": nothing is missing");
    }
    between = allot_status_count(between, failing, doc->brick_count, "failing");
    between =
        allot_status_count(between, down, doc->brick_count, "unavailable");
    between = allot_status_count(between, foreign, doc->brick_count, "foreign");
    allot_status_count(between, lost, doc->brick_count, "lost");
    allot_status_data(doc);
    if (todo) {
        fputs("; ", stdout);
        allot_state_print(stdout, todo, NULL, target->shown, doc);
    }
    if (doc->incomplete_listing)
        printf("; names are missing from listings");
    putchar('\n');
}

/* MIN, MAX and STDDEV of the use per weight by its mean; the sum of V R. */
static void
allot_status_sums(const struct allot_doc_status *doc)
{
    const json_t *resource = json_object_get(doc->root, "resource");
    double least = 0, most = 0, squares = 0;
    char text[ALLOT_SIZE_TEXT];
    size_t i, n = 0;

    for (i = 0; i < doc->brick_count; i++) {
        double d = doc->bricks[i].deviation;

        if (!(d > 0))
            continue;
        if (n == 0 || d < least)
            least = d;
        if (n == 0 || d > most)
            most = d;
        squares += (d - 1) * (d - 1);
        n++;
    }
    printf("deviation: MIN %.3f MAX %.3f STDDEV %.3f\n", least, most,
           n ? sqrt(squares / (double)n) : 0);
    if (resource)
        printf("capacity: sum of V_i R_i %s\n",
               allot_format_size((uint64_t)json_integer_value(
                                     json_object_get(resource, "bytes")),
                                 text));
    printf("layouts in use: %" JSON_INTEGER_FORMAT "\n",
           json_integer_value(json_object_get(doc->root, "layouts")));
}

/* For people: tables, reasons, and at the end the state and what to do. */
static int
allot_status_print_text(const struct allot_doc_status *doc,
                        const struct allot_target *target, const char *next,
                        const struct allot_next_about *about)
{
    if (allot_status_table(doc))
        return allot_cli_error("out of memory");
    putchar('\n');
    if (allot_status_work(doc))
        return allot_cli_error("out of memory");
    putchar('\n');
    printf("max/mean %.3f\n", doc->max_over_mean);
    allot_status_sums(doc);
    allot_status_reasons(doc);
    allot_states_print(stdout, doc, target->shown, about);
    allot_status_warnings(doc);
    allot_status_sentence(doc, target);
    printf("next: %s\n", next);
    return ALLOT_EXIT_OK;
}

static int
allot_status_print(const struct allot_cli *cli,
                   const struct allot_doc_status *doc,
                   const struct allot_target *target, const char *next,
                   const struct allot_next_about *about)
{
    int err = 0;

    switch (cli->form) {
        case ALLOT_FORM_XML:
            err = allot_export_xml("allotStatus", doc->root, NULL);
            break;
        case ALLOT_FORM_PROMETHEUS:
            err = allot_export_prometheus(doc->root, NULL);
            break;
        case ALLOT_FORM_JSON:
            return allot_status_print_json(doc);
        default:
            return allot_status_print_text(doc, target, next, about);
    }
    return err ? allot_cli_error("cannot write the status: %s", strerror(-err))
               : ALLOT_EXIT_OK;
}

static int
allot_status_once(const struct allot_cli *cli, struct allot_target *target)
{
    struct allot_next_about about;
    struct allot_doc_status doc;
    char *next = NULL;
    int status;

    status = allot_volume_status(target, &doc);
    if (status)
        goto out;
    next = allot_next_sentence(&doc, target->shown, &about);
    if (!next || json_object_set_new(doc.root, "next", json_string(next))) {
        status = allot_cli_error("out of memory");
        goto out;
    }
    status = allot_status_print(cli, &doc, target, next, &about);
    if (status == ALLOT_EXIT_OK && strcmp(doc.state, "UP") != 0 &&
        strcmp(doc.state, "DEGRADED") != 0)
        status = ALLOT_EXIT_FAILED;
out:
    free(next);
    allot_doc_status_clear(&doc);
    return status;
}

int
allot_cmd_status(const struct allot_cli *cli, const char *text)
{
    struct allot_target *target;
    int status;

    status = allot_target_open(cli, text, 0, &target);
    if (status)
        return status;
    for (;;) {
        if (cli->watch && cli->form == ALLOT_FORM_TEXT && isatty(STDOUT_FILENO))
            fputs("\033[H\033[J", stdout);
        status = allot_status_once(cli, target);
        /* A terminal or a reader that went away ends it. */
        if (!cli->watch || status == ALLOT_EXIT_ERROR || fflush(stdout) != 0)
            break;
        sleep((unsigned int)cli->watch);
    }
    allot_target_close(target);
    return status;
}
