/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * report.c - `allot report`: walk the files below a target, count what can be
 * read now, list what cannot.
 *
 * Nothing is read of the files' data: the mount says for each directory, or
 * where it is not certain for each file, which members fail; the ranges are
 * computed. Memory does not grow with the number
 * of files, except for files with several hard links (16 bytes each). The
 * list of damaged files goes through a temporary file, because one JSON
 * document is printed in whole or not at all.
 *
 * Several workers ask the mount at once; what they hear is added up under one
 * lock.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allot-wire.h"
#include "export.h"
#include "format.h"
#include "scan.h"
#include "seen.h"
#include "table.h"
#include "tally.h"
#include "volume.h"

#define ALLOT_REPORT_ROWS 40

struct allot_report {
    const struct allot_cli *cli;
    struct allot_target *target;
    struct allot_doc_status volume; /* as it was when the scan began */
    struct allot_tally tally;
    struct allot_seen seen;
    FILE *list;       /* --json: the entries of damaged_files; owned */
    uint64_t entries; /* of damaged_files so far */
    uint32_t only;    /* --brick: its index; ALLOT_DOC_NO_INDEX: all */
    unsigned int workers;
    struct allot_scan_worker done[ALLOT_WORKERS_MAX];
    int shown_progress;   /* a line of it stands on the terminal */
    pthread_mutex_t lock; /* of tally, seen, list, entries, standard output */
};

/* A damaged file as the list shows it. */
struct allot_report_entry {
    const char *path;
    const char *gfid; /* "" if not known */
    uint64_t size;
    const struct allot_recovery *rec;
    const struct allot_doc_file *doc; /* NULL: nothing could be asked */
};

static int
allot_report_out_of_memory(void)
{
    return allot_cli_error("out of memory");
}

/* ---- the list of damaged files ------------------------------------------ */

struct allot_report_ranges {
    FILE *out;
    const char *comma;
};

static int
allot_report_range(const struct allot_range *range, void *arg)
{
    struct allot_report_ranges *ranges = arg;

    fprintf(ranges->out, "%s[%" PRIu64 ",%" PRIu64 "]", ranges->comma,
            range->start, range->end);
    ranges->comma = ",";
    return ferror(ranges->out) ? -EIO : 0;
}

static int
allot_report_entry_json(struct allot_report *report,
                        const struct allot_report_entry *entry)
{
    struct allot_report_ranges ranges = {report->list, ""};
    int exact, err;
    json_t *path, *object;

    path = allot_json_path(entry->path, &exact);
    object = json_pack("{s:o, s:s, s:I, s:o}", "path", path, "gfid",
                       entry->gfid, "size", (json_int_t)entry->size, "blocks",
                       allot_json_count(&entry->rec->blocks));
    /* A path that is not UTF-8 has no exact form in JSON. */
    if (object && !exact &&
        json_object_set_new(object, "path_hex", allot_json_hex(entry->path))) {
        json_decref(object);
        object = NULL;
    }
    if (report->entries > 0)
        fputc(',', report->list);
    err = allot_json_open(object, report->list);
    if (err)
        return err;

    fputs(",\"lost_ranges\":[", report->list);
    if (entry->doc) {
        err = allot_recovery_ranges(entry->doc->layout, entry->size,
                                    entry->doc->base_fail, entry->doc->members,
                                    entry->doc->member_count,
                                    allot_report_range, &ranges);
    } else if (entry->size > 0) {
        struct allot_range all = {0, entry->size, entry->rec->worst};

        err = allot_report_range(&all, &ranges);
    }
    fprintf(report->list, "],\"reason\":\"%s\"}",
            allot_fail_name(entry->rec->worst));
    if (!err && ferror(report->list))
        err = -EIO;
    return err;
}

/* Rows are printed as they come, so the widths are fixed. */
static int
allot_report_entry_text(struct allot_report *report,
                        const struct allot_report_entry *entry)
{
    char size[ALLOT_SIZE_TEXT], gone[ALLOT_SIZE_TEXT], lost[ALLOT_SIZE_TEXT];
    char *name;

    if (report->entries == 0)
        printf("%-7s %19s %11s %10s %10s FILE\n", "REASON", "FAILED BLOCKS",
               "UNAVAILABLE", "LOST", "SIZE");
    if (!report->cli->all && report->entries >= ALLOT_REPORT_ROWS)
        return 0;
    name = allot_format_name(entry->path);
    if (!name)
        return -ENOMEM;
    printf("%-7s %9" PRIu64 "/%-9" PRIu64 " %11s %10s %10s %s\n",
           allot_fail_name(entry->rec->worst), entry->rec->blocks.failed,
           entry->rec->blocks.total,
           allot_format_size(entry->rec->bytes.unavailable, gone),
           allot_format_size(entry->rec->bytes.lost, lost),
           allot_format_size(entry->size, size), name);
    free(name);
    return 0;
}

static int
allot_report_entry(struct allot_report *report,
                   const struct allot_report_entry *entry)
{
    int err = report->list ? allot_report_entry_json(report, entry)
                           : allot_report_entry_text(report, entry);

    report->entries++;
    if (err == -ENOMEM)
        return allot_report_out_of_memory();
    if (err)
        return allot_cli_error(
            "cannot write to the temporary file of the report: %s; see to "
            "more room in the directory for temporary files",
            strerror(-err));
    return 0;
}

/* ---- one file ----------------------------------------------------------- */

static enum allot_fail
allot_report_why(int err)
{
    switch (-err) {
        case ENOTCONN:
        case ETIMEDOUT:
        case EHOSTUNREACH:
        case EHOSTDOWN:
        case ENETUNREACH:
        case ECONNREFUSED:
        case ECONNRESET:
            return ALLOT_FAIL_DOWN;
        default:
            return ALLOT_FAIL_MISSING;
    }
}

/* The gfid of a file whose record cannot be read: a mount knows it without
 * asking a brick. "" if not. */
static void
allot_report_gfid(struct allot_dir *dir, const char *name, char gfid[37])
{
    ssize_t len = dir->target->ops->getxattr(dir, name, "glusterfs.gfid.string",
                                             gfid, 36);

    gfid[len == 36 ? 36 : 0] = '\0';
}

/* Nothing could be asked of the file. @st: NULL if not even its size. */
static int
allot_report_unreadable(struct allot_report *report, struct allot_dir *dir,
                        const char *name, const char *path,
                        const struct stat *st, int err)
{
    struct allot_recovery rec;
    struct allot_report_entry entry = {path, "", 0, &rec, NULL};
    char gfid[37] = "", reason[160];

    if (st) {
        entry.size = (uint64_t)st->st_size;
        allot_report_gfid(dir, name, gfid);
        entry.gfid = gfid;
    }
    if (st && st->st_nlink > 1) {
        uint64_t id[2] = {(uint64_t)st->st_dev, (uint64_t)st->st_ino};
        int fresh = gfid[0]
                        ? allot_seen_add_gfid(&report->seen, gfid)
                        : allot_seen_add(&report->seen, (const uint8_t *)id);

        if (fresh == -ENOMEM)
            return allot_report_out_of_memory();
        if (fresh == 0)
            return 0;
    }

    allot_tally_unreadable(&report->tally, entry.size, allot_report_why(err),
                           &rec);
    snprintf(reason, sizeof(reason),
             st ? "the layout cannot be read (%s), its blocks are counted as "
                  "one"
                : "the name cannot be looked up (%s), its size is not known",
             strerror(-err));
    if (allot_tally_inexact(&report->tally, reason, path))
        return allot_report_out_of_memory();
    return allot_report_entry(report, &entry);
}

static int
allot_report_inexact(struct allot_report *report,
                     const struct allot_doc_file *doc, const char *path)
{
    size_t i, n = json_array_size(doc->because);
    int err = 0;

    if (doc->exact)
        return 0;
    for (i = 0; i < n && !err; i++) {
        const char *text = json_string_value(json_array_get(doc->because, i));

        err = allot_tally_inexact(&report->tally, text ? text : "no reason",
                                  path);
    }
    if (n == 0)
        err = allot_tally_inexact(&report->tally, "the size is a lower bound",
                                  path);
    return err;
}

/* --brick NAME: has the file failed blocks on that brick. */
static int
allot_report_concerns(const struct allot_report *report,
                      const struct allot_doc_file *doc)
{
    size_t i;

    if (report->only == ALLOT_DOC_NO_INDEX)
        return 1;
    for (i = 0; i < doc->member_count; i++) {
        const struct allot_member_state *state = &doc->members[i];
        uint64_t blocks, bytes;

        if (state->brick_idx != report->only || state->fail == ALLOT_FAIL_NONE)
            continue;
        allot_layout_blocks_of(doc->layout, state->brick_idx, doc->size,
                               &blocks, &bytes);
        return bytes > 0;
    }
    return 0;
}

static int
allot_report_file_doc(struct allot_report *report,
                      const struct allot_doc_file *doc, const char *path,
                      const struct stat *st)
{
    enum allot_verdict verdict;
    struct allot_recovery rec;
    struct allot_report_entry entry = {path, doc->gfid, doc->size, &rec, doc};

    if (st ? st->st_nlink > 1 : doc->nlink > 1) {
        int fresh = allot_seen_add_gfid(&report->seen, doc->gfid);

        if (fresh == -ENOMEM)
            return allot_report_out_of_memory();
        if (fresh == 0)
            return 0;
    }
    if (allot_tally_file(&report->tally, doc, &rec, &verdict) ||
        allot_report_inexact(report, doc, path))
        return allot_report_out_of_memory();
    if (verdict == ALLOT_INTACT || !allot_report_concerns(report, doc))
        return 0;
    return allot_report_entry(report, &entry);
}

/* Was the name replaced by something else than a file since it was looked up?
 * Directories do not answer for files. */
static int
allot_report_replaced(struct allot_dir *dir, const char *name)
{
    struct stat st;

    return dir->target->ops->stat(dir, name, &st) != 0 || !S_ISREG(st.st_mode);
}

static int
allot_report_unclear(const char *path, const struct allot_doc_error *why)
{
    return allot_cli_error(
        "cannot understand what the volume says of '%s': %s; install the "
        "command and the translator from the same version",
        path, why->text);
}

/* What the volume says of a file is known; add it up. Under the lock. */
static int
allot_report_answer(struct allot_report *report, struct allot_dir *dir,
                    const char *name, const char *path, const struct stat *st,
                    ssize_t len, const char *text)
{
    struct allot_doc_error why;
    struct allot_doc_file doc;
    int ret;

    if (len < 0)
        return allot_report_unreadable(report, dir, name, path, st, (int)len);
    ret = allot_doc_file_parse(text, (size_t)len, 1, &doc, &why);
    if (ret)
        ret = allot_report_unclear(path, &why);
    else
        ret = allot_report_file_doc(report, &doc, path, st);
    allot_doc_file_clear(&doc);
    return ret;
}

/* The question failed, or the answer lacks something: look at the name. 1: it
 * is not a file of this volume (any more). */
static int
allot_report_look(struct allot_dir *dir, const char *name, struct stat *st,
                  int *err)
{
    struct stat root;

    *err = dir->target->ops->stat(dir, name, st);
    if (*err == -ENOENT || *err == -ESTALE || *err == -ENOTDIR)
        return 1;
    if (*err)
        return 0;
    return !S_ISREG(st->st_mode) ||
           (dir->target->ops->stat(dir, NULL, &root) == 0 &&
            root.st_dev != st->st_dev);
}

static int
allot_report_file(void *arg, unsigned int worker, struct allot_dir *dir,
                  const char *name, const char *path, const struct stat *st,
                  int err)
{
    struct allot_report *report = arg;
    struct stat looked;
    ssize_t len = err;
    char *text = NULL;
    int ret;

    (void)worker;
    if (!err) {
        len = allot_target_ask(dir, name, ALLOT_VIRT_REPORT, &text);
        if (len == -ENOENT || len == -ESTALE)
            return 0;
        if (len < 0 && !st) {
            if (allot_report_look(dir, name, &looked, &err))
                return 0;
            st = err ? NULL : &looked;
        }
    }
    pthread_mutex_lock(&report->lock);
    if (len == -ENOMEM)
        ret = allot_report_out_of_memory();
    else if (len < 0 && !err && allot_volume_is_refusal((int)len))
        ret = allot_report_replaced(dir, name)
                  ? 0
                  : allot_volume_refused(report->target, ALLOT_VIRT_REPORT,
                                         (int)len);
    else if (len < 0 && err)
        ret = allot_report_answer(report, dir, name, path, NULL, err, NULL);
    else
        ret = allot_report_answer(report, dir, name, path, st, len, text);
    pthread_mutex_unlock(&report->lock);
    free(text);
    return ret;
}

/* The directory's answer has told all of it. */
static int
allot_report_known(void *arg, unsigned int worker, const char *path,
                   const struct allot_child *child)
{
    struct allot_report *report = arg;
    struct allot_doc_error why = {""};
    struct allot_doc_file doc;
    int ret;

    (void)worker;
    ret = child->report
              ? allot_doc_file_read(json_incref(child->report), 1, &doc, &why)
              : allot_doc_file_plain(child->gfid, child->size, child->nlink,
                                     child->inline_limit, &doc);
    pthread_mutex_lock(&report->lock);
    if (ret == -ENOMEM)
        ret = allot_report_out_of_memory();
    else if (ret)
        ret = allot_report_unclear(path, &why);
    else
        ret = allot_report_file_doc(report, &doc, path, NULL);
    pthread_mutex_unlock(&report->lock);
    allot_doc_file_clear(&doc);
    return ret;
}

static int
allot_report_incomplete(void *arg, const char *path, int err)
{
    struct allot_report *report = arg;
    char text[160];
    int ret;

    /* EIO ends a listing that may miss names: cluster/allot's own sign. */
    if (err == -EIO)
        snprintf(text, sizeof(text),
                 "the listing is incomplete because a namespace brick is down");
    else
        snprintf(text, sizeof(text), "the directory cannot be listed (%s)",
                 strerror(-err));
    pthread_mutex_lock(&report->lock);
    ret = allot_tally_inexact(&report->tally, text, path)
              ? allot_report_out_of_memory()
              : 0;
    pthread_mutex_unlock(&report->lock);
    return ret;
}

/* On a terminal only. S is the part of the directories found so far that are
 * done: it can go back when more are found. */
static void
allot_report_progress(void *arg, uint64_t files, uint64_t done, uint64_t found,
                      double seconds)
{
    struct allot_report *report = arg;
    double part = found ? (double)done / (double)found : 0;
    char bar[3 * 20 + 1];

    fprintf(stderr,
            "\r%-20s %3.0f%%  %" PRIu64
            " files, %.0f/s, about %.0f s left\033[K",
            allot_format_bar(part, 20, allot_format_utf8(), bar), 100 * part,
            files, seconds > 0 ? (double)files / seconds : 0,
            part > 0 ? seconds * (1 - part) / part : 0);
    fflush(stderr);
    report->shown_progress = 1;
}

/* ---- the volume as a whole ---------------------------------------------- */

static const char *
allot_report_class(const struct allot_doc_brick *brick)
{
    if (!brick)
        return "not a member";
    if (allot_doc_brick_is_down(brick))
        return "down";
    if (allot_doc_brick_is_lost(brick))
        return "lost";
    return "up";
}

/* A brick that went or came while files were asked one by one: some were
 * counted with it, some without. */
static int
allot_report_changes(struct allot_report *report)
{
    struct allot_doc_status now;
    char text[400];
    size_t i;
    int ret = allot_volume_status(report->target, &now);

    for (i = 0; ret == 0 && i < report->volume.brick_count; i++) {
        const struct allot_doc_brick *brick = &report->volume.bricks[i];
        const char *before = allot_report_class(brick);
        const char *after;

        if (brick->index == ALLOT_DOC_NO_INDEX)
            continue;
        after = allot_report_class(allot_doc_status_brick(&now, brick->index));
        if (strcmp(before, after) == 0)
            continue;
        snprintf(text, sizeof(text),
                 "brick %s went from %s to %s during the scan", brick->name,
                 before, after);
        if (allot_tally_inexact(&report->tally, text, NULL))
            ret = allot_report_out_of_memory();
    }
    allot_doc_status_clear(&now);
    return ret;
}

/* Data whose names are on a namespace brick that cannot be reached. */
static int
allot_report_unnamed(struct allot_report *report)
{
    struct allot_target *target = report->target;
    struct allot_tally *tally = &report->tally;
    struct allot_dir *root;
    json_t *doc = NULL;
    const char *reason = NULL;
    ssize_t len;
    char *text;

    len = target->ops->root_open(target, &root);
    if (len == 0) {
        len = allot_target_ask(root, NULL, ALLOT_VIRT_UNNAMED, &text);
        target->ops->dir_close(root);
    }
    if (len >= 0) {
        doc = json_loadb(text, (size_t)len, 0, NULL);
        free(text);
    }
    if (doc) {
        json_int_t files = json_integer_value(json_object_get(doc, "files"));
        json_int_t bytes = json_integer_value(json_object_get(doc, "bytes"));

        tally->unnamed_files = files > 0 ? (uint64_t)files : 0;
        tally->unnamed_bytes = bytes > 0 ? (uint64_t)bytes : 0;
        if (!json_is_true(json_object_get(doc, "exact")))
            reason = "surviving data without a name was not counted in full";
    } else if (report->volume.incomplete_listing) {
        reason = "surviving data without a name was not counted";
    }
    json_decref(doc);

    if ((reason && allot_tally_inexact(tally, reason, NULL)) ||
        (report->volume.incomplete_listing &&
         allot_tally_inexact(tally,
                             "files whose names are on a namespace brick that "
                             "is down or blank are not listed",
                             NULL)))
        return allot_report_out_of_memory();
    return 0;
}

/* ---- the result --------------------------------------------------------- */

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

/* What each worker had to do if all is shared evenly, T_total / p, and did. */
static json_t *
allot_report_workers(const struct allot_report *report)
{
    json_t *list = json_array();
    uint64_t files = 0;
    unsigned int i;

    for (i = 0; i < report->workers; i++)
        files += report->done[i].files;
    for (i = 0; list && i < report->workers; i++) {
        const struct allot_scan_worker *w = &report->done[i];

        if (json_array_append_new(
                list, json_pack("{s:f, s:I, s:I, s:I}", "planned_files",
                                (double)files / report->workers, "files",
                                (json_int_t)w->files, "directories",
                                (json_int_t)w->directories, "stolen",
                                (json_int_t)w->stolen))) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
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

static int
allot_report_print_document(struct allot_report *report)
{
    json_t *doc = allot_report_document(report);
    int err = doc ? 0 : -ENOMEM;

    if (!err && (fflush(report->list) != 0 || ferror(report->list)))
        err = -EIO;
    if (!err)
        switch (report->cli->form) {
            case ALLOT_FORM_XML:
                err = allot_export_xml("allotReport", doc, report->list);
                break;
            case ALLOT_FORM_PROMETHEUS:
                err = allot_export_prometheus(report->volume.root, doc);
                break;
            case ALLOT_FORM_HTML:
                err = allot_export_html(report->target->shown,
                                        report->volume.root, doc, report->list);
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
    return err ? allot_cli_error("cannot write the report: %s", strerror(-err))
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

static int
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
    if (allot_report_counts_table(tally))
        return allot_report_out_of_memory();
    printf("files: %" PRIu64 " in all, %" PRIu64 " intact, %" PRIu64
           " damaged, %" PRIu64 " unreadable\n",
           tally->files_total, tally->files_intact, tally->files_damaged,
           tally->files_unreadable);
    if (tally->unnamed_files > 0)
        printf("surviving without a name: %" PRIu64 " file%s, %s\n",
               tally->unnamed_files, allot_plural(tally->unnamed_files),
               allot_format_size(tally->unnamed_bytes, size));

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

/* A worker waits for the volume most of the time, so there are two for each
 * CPU. */
static unsigned int
allot_report_worker_count(const struct allot_cli *cli)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned int n = cli->workers;

    if (n == 0)
        n = cpus > 0 ? 2 * (unsigned int)cpus : 2;
    return n < ALLOT_WORKERS_MAX ? n : ALLOT_WORKERS_MAX;
}

static int
allot_report_only(struct allot_report *report)
{
    size_t i;

    for (i = 0; i < report->volume.brick_count; i++)
        if (strcmp(report->volume.bricks[i].name, report->cli->brick) == 0)
            report->only = report->volume.bricks[i].index;
    return report->only != ALLOT_DOC_NO_INDEX
               ? 0
               : allot_cli_error(
                     "'%s' has no registered brick '%s'; 'allot "
                     "status' lists them",
                     report->target->shown, report->cli->brick);
}

int
allot_cmd_report(const struct allot_cli *cli, const char *text)
{
    struct allot_scan_ops ops = {.file = allot_report_file,
                                 .known = allot_report_known,
                                 .incomplete = allot_report_incomplete};
    struct allot_report report = {.cli = cli,
                                  .only = ALLOT_DOC_NO_INDEX,
                                  .lock = PTHREAD_MUTEX_INITIALIZER};
    int status;

    allot_tally_begin(&report.tally);
    status = allot_target_open(cli, text, 0, &report.target);
    if (status)
        return status;
    status = allot_volume_status(report.target, &report.volume);
    if (status)
        goto out;
    if (cli->brick) {
        status = allot_report_only(&report);
        if (status)
            goto out;
    }
    if (cli->form != ALLOT_FORM_TEXT) {
        report.list = tmpfile();
        if (!report.list) {
            status = allot_cli_error(
                "cannot make a temporary file for the report: %s; see to room "
                "in the directory for temporary files",
                strerror(errno));
            goto out;
        }
    }

    report.workers = allot_report_worker_count(cli);
    if (isatty(STDERR_FILENO) && isatty(STDOUT_FILENO))
        ops.progress = allot_report_progress;
    status =
        allot_scan(report.target, &ops, &report, report.workers, report.done);
    if (report.shown_progress)
        fputs("\r\033[K", stderr);
    if (status == -ENOMEM)
        status = allot_report_out_of_memory();
    if (status == 0)
        status = allot_report_changes(&report);
    if (status == 0)
        status = allot_report_unnamed(&report);
    if (status == 0)
        status = report.list ? allot_report_print_document(&report)
                             : allot_report_print_text(&report);
    if (status == 0 && !allot_tally_all_recoverable(&report.tally))
        status = ALLOT_EXIT_FAILED;
out:
    if (report.list)
        fclose(report.list);
    allot_seen_clear(&report.seen);
    allot_tally_end(&report.tally);
    allot_doc_status_clear(&report.volume);
    allot_target_close(report.target);
    return status;
}
