/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* report-print.c - the sums of a report when all has been looked at, as text
 * and as the documents. The list of damaged files is report.c's. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "format.h"
#include "report.h"
#include "table.h"

static int
allot_report_copy_list(struct allot_report *report)
{
    char buf[65536];
    size_t n;

    if (fflush(report->list) != 0 || fseek(report->list, 0, SEEK_SET) != 0)
        return -errno;
    while ((n = fread(buf, 1, sizeof(buf), report->list)) > 0)
        if (fwrite(buf, 1, n, stdout) != n)
            return -EIO;
    return ferror(report->list) ? -EIO : 0;
}

/* What each worker was to do, and did. */
static json_t *
allot_report_workers(const struct allot_report *report)
{
    json_t *list = json_array();
    unsigned int i;

    for (i = 0; list && i < report->workers; i++) {
        const struct allot_scan_worker *w = &report->done[i];

        if (json_array_append_new(
                list,
                json_pack("{s:I, s:I, s:I, s:I, s:I}", "planned_files",
                          (json_int_t)w->planned_files, "planned_directories",
                          (json_int_t)w->planned_directories, "files",
                          (json_int_t)w->files, "directories",
                          (json_int_t)w->directories, "stolen",
                          (json_int_t)w->stolen))) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static int
allot_report_workers_table(const struct allot_report *report)
{
    static const struct allot_table_column columns[] = {
        {"WORKER", 1},      {"PLANNED", 1}, {"DONE", 1},
        {"DIRECTORIES", 1}, {"STOLEN", 1},
    };
    struct allot_table *table;
    uint64_t files = 0;
    unsigned int i;
    int err;

    table = allot_table_new(columns, sizeof(columns) / sizeof(columns[0]));
    err = table ? 0 : -ENOMEM;
    for (i = 0; !err && i < report->workers; i++) {
        const struct allot_scan_worker *w = &report->done[i];

        files += w->files;
        err = allot_table_row(table);
        if (!err)
            err = allot_table_cell(table, "%u", i) |
                  allot_table_cell(table, "%" PRIu64, w->planned_files) |
                  allot_table_cell(table, "%" PRIu64, w->files) |
                  allot_table_cell(table, "%" PRIu64, w->directories) |
                  allot_table_cell(table, "%" PRIu64, w->stolen);
    }
    if (!err)
        err = allot_table_print(table);
    allot_table_free(table);
    if (!err)
        printf("workers: %u for %" PRIu64
               " file%s, %.1f each if shared evenly\n",
               report->workers, files, allot_plural(files),
               (double)files / report->workers);
    return err;
}

/* n, k, R of each brick: blocks by the brick they are on. */
static json_t *
allot_report_bricks(const struct allot_report *report)
{
    const struct allot_tally *tally = &report->tally;
    json_t *list = json_array();
    size_t i;

    for (i = 0; list && i < tally->brick_count; i++) {
        const struct allot_tally_brick *b = &tally->bricks[i];
        const struct allot_doc_brick *known =
            allot_doc_status_brick(&report->volume, b->index);

        if (json_array_append_new(
                list, json_pack("{s:I, s:s?, s:o, s:o}", "index",
                                (json_int_t)b->index, "name",
                                known ? known->name : NULL, "blocks",
                                allot_json_count(&b->sum.blocks), "bytes",
                                allot_json_count(&b->sum.bytes)))) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* --depth: the sums of directories. */
static json_t *
allot_report_directories(struct allot_report *report)
{
    const char *under = report->cli->under ? report->cli->under : "";
    json_t *list = json_array();
    size_t i;

    allot_sums_sort(&report->sums);
    for (i = 0; list && i < report->sums.count; i++) {
        const struct allot_sums_dir *d = &report->sums.dirs[i];
        json_t *object;
        char *path;
        int exact;

        if (asprintf(&path, "%s%s%s", under, under[0] && d->path[0] ? "/" : "",
                     d->path) < 0)
            goto fail;
        object = json_pack("{s:o, s:{s:I, s:I, s:I, s:I}, s:o, s:o}", "path",
                           allot_json_path(path, &exact), "files", "total",
                           (json_int_t)d->files, "intact",
                           (json_int_t)(d->files - d->damaged - d->unreadable),
                           "damaged", (json_int_t)d->damaged, "unreadable",
                           (json_int_t)d->unreadable, "blocks",
                           allot_json_count(&d->sum.blocks), "bytes",
                           allot_json_count(&d->sum.bytes));
        if (object && !exact)
            json_object_set_new(object, "path_hex", allot_json_hex(path));
        free(path);
        if (json_array_append_new(list, object))
            goto fail;
    }
    return list;
fail:
    json_decref(list);
    return NULL;
}

static int
allot_report_directories_table(struct allot_report *report)
{
    static const struct allot_table_column columns[] = {
        {"FILES", 1},       {"DAMAGED", 1}, {"UNREADABLE", 1}, {"BYTES", 1},
        {"UNAVAILABLE", 1}, {"LOST", 1},    {"DIRECTORY", 0},
    };
    char all[ALLOT_SIZE_TEXT], gone[ALLOT_SIZE_TEXT], lost[ALLOT_SIZE_TEXT];
    struct allot_table *table;
    size_t i;
    int err;

    if (!report->sums.wanted)
        return 0;
    allot_sums_sort(&report->sums);
    table = allot_table_new(columns, sizeof(columns) / sizeof(columns[0]));
    err = table ? 0 : -ENOMEM;
    for (i = 0; !err && i < report->sums.count; i++) {
        const struct allot_sums_dir *d = &report->sums.dirs[i];
        char *name = allot_format_name(d->path[0] ? d->path : ".");

        err = name ? allot_table_row(table) : -ENOMEM;
        if (!err)
            err = allot_table_cell(table, "%" PRIu64, d->files) |
                  allot_table_cell(table, "%" PRIu64, d->damaged) |
                  allot_table_cell(table, "%" PRIu64, d->unreadable) |
                  allot_table_cell(table, "%s",
                                   allot_format_size(d->sum.bytes.total, all)) |
                  allot_table_cell(
                      table, "%s",
                      allot_format_size(d->sum.bytes.unavailable, gone)) |
                  allot_table_cell(table, "%s",
                                   allot_format_size(d->sum.bytes.lost, lost)) |
                  allot_table_cell(table, "%s", name);
        free(name);
    }
    if (!err)
        err = allot_table_print(table);
    allot_table_free(table);
    if (!err)
        putchar('\n');
    return err;
}

/* All of the document but damaged_files, which is streamed. */
static json_t *
allot_report_document(const struct allot_report *report)
{
    const struct allot_tally *tally = &report->tally;

    return json_pack(
        "{s:i, s:o, s:o, s:{s:I, s:I, s:I, s:I}, s:{s:I, s:I}, s:b, s:o, s:o, "
        "s:o}",
        "version", ALLOT_DOC_VERSION, "blocks",
        allot_json_count(&tally->sum.blocks), "bytes",
        allot_json_count(&tally->sum.bytes), "files", "total",
        (json_int_t)tally->files_total, "intact",
        (json_int_t)tally->files_intact, "damaged",
        (json_int_t)tally->files_damaged, "unreadable",
        (json_int_t)tally->files_unreadable, "surviving_unnamed", "files",
        (json_int_t)tally->unnamed_files, "bytes",
        (json_int_t)tally->unnamed_bytes, "exact", tally->exact,
        "inexact_because", allot_tally_reasons(tally), "bricks",
        allot_report_bricks(report), "workers", allot_report_workers(report));
}

int
allot_report_print_document(struct allot_report *report)
{
    json_t *doc;
    int err;

    /* Its last part is still in memory. */
    errno = 0;
    if (fflush(report->list) != 0 || ferror(report->list))
        return allot_report_list_failed(errno ? errno : EIO);
    doc = allot_report_document(report);
    err = doc ? 0 : -ENOMEM;

    if (!err && report->sums.wanted &&
        json_object_set_new(doc, "directories",
                            allot_report_directories(report)))
        err = -ENOMEM;
    if (!err)
        switch (report->cli->form) {
            case ALLOT_FORM_XML:
                err = allot_export_xml("allotReport", doc, report->list);
                break;
            case ALLOT_FORM_PROMETHEUS:
                err = allot_export_prometheus(report->volume.root, doc);
                break;
            case ALLOT_FORM_HTML:
                err = allot_export_html(report->target, &report->volume, doc,
                                        report->list);
                break;
            default:
                err = allot_json_open(json_incref(doc), stdout);
                if (!err) {
                    fputs(",\"damaged_files\":[", stdout);
                    err = allot_report_copy_list(report);
                    puts("]}");
                }
        }
    json_decref(doc);
    return err ? allot_cli_error(
                     "cannot write the report: %s; check where standard output "
                     "goes",
                     strerror(-err))
               : 0;
}

static int
allot_report_counts_table(const struct allot_tally *tally)
{
    static const struct allot_table_column columns[] = {
        {"", 0},       {"TOTAL", 1},       {"RECOVERABLE", 1},
        {"FAILED", 1}, {"UNAVAILABLE", 1}, {"LOST", 1},
        {"HOLES", 1},
    };
    const struct allot_count *n = &tally->sum.blocks;
    const struct allot_count *b = &tally->sum.bytes;
    const uint64_t bytes[] = {b->total,       b->recoverable, b->failed,
                              b->unavailable, b->lost,        b->holes};
    const uint64_t blocks[] = {n->total,       n->recoverable, n->failed,
                               n->unavailable, n->lost,        n->holes};
    struct allot_table *table;
    char size[ALLOT_SIZE_TEXT];
    size_t i;
    int err;

    table = allot_table_new(columns, sizeof(columns) / sizeof(columns[0]));
    if (!table)
        return -ENOMEM;
    err = allot_table_row(table);
    if (!err)
        err = allot_table_cell(table, "blocks");
    for (i = 0; i < 6 && !err; i++)
        err = allot_table_cell(table, "%" PRIu64, blocks[i]);
    if (!err)
        err = allot_table_row(table);
    if (!err)
        err = allot_table_cell(table, "bytes");
    for (i = 0; i < 6 && !err; i++)
        err = allot_table_cell(table, "%s", allot_format_size(bytes[i], size));
    if (!err)
        err = allot_table_print(table);
    allot_table_free(table);
    return err;
}

int
allot_report_print_text(struct allot_report *report)
{
    const struct allot_tally *tally = &report->tally;
    char size[ALLOT_SIZE_TEXT];
    json_t *reasons, *reason;
    char *advice;
    size_t i;

    if (!report->cli->all && report->entries > ALLOT_REPORT_ROWS)
        printf("%" PRIu64 " more are left out; --all prints them\n",
               report->entries - ALLOT_REPORT_ROWS);
    if (report->entries > 0)
        putchar('\n');
    if (allot_report_directories_table(report) ||
        allot_report_counts_table(tally))
        return allot_report_out_of_memory();
    printf("files: %" PRIu64 " in all, %" PRIu64 " intact, %" PRIu64
           " damaged, %" PRIu64 " unreadable\n",
           tally->files_total, tally->files_intact, tally->files_damaged,
           tally->files_unreadable);
    if (tally->unnamed_files > 0)
        printf("surviving without a name: %" PRIu64 " file%s, %s\n",
               tally->unnamed_files, allot_plural(tally->unnamed_files),
               allot_format_size(tally->unnamed_bytes, size));

    if (allot_report_workers_table(report))
        return allot_report_out_of_memory();

    reasons = allot_tally_reasons(tally);
    if (!reasons)
        return allot_report_out_of_memory();
    json_array_foreach(reasons, i, reason)
    {
        printf("not exact: %s\n", json_string_value(reason));
    }
    json_decref(reasons);

    advice = allot_tally_advice(tally, &report->volume);
    if (!advice)
        return allot_report_out_of_memory();
    puts(advice);
    free(advice);
    return 0;
}
