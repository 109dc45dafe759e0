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
#include "format.h"
#include "progress.h"
#include "report.h"
#include "steady.h"

int
allot_report_out_of_memory(void)
{
    return allot_cli_error("out of memory");
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

/* A path without the directory where the scan began. */
static const char *
allot_report_below(const struct allot_report *report, const char *path)
{
    const char *under = report->cli->under;

    return under && under[0] ? path + strlen(under) + 1 : path;
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
    if (allot_tally_inexact(&report->tally, reason, path) ||
        allot_sums_add(&report->sums, allot_report_below(report, path), &rec,
                       ALLOT_UNREADABLE))
        return allot_report_out_of_memory();
    return report->stop ? 0 : allot_report_entry(report, &entry);
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
        allot_sums_add(&report->sums, allot_report_below(report, path), &rec,
                       verdict) ||
        allot_report_inexact(report, doc, path))
        return allot_report_out_of_memory();
    if (report->stop) {
        allot_stop_file(report->stop, doc);
        return 0;
    }
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
    if (child->report)
        ret = allot_doc_file_read(json_incref(child->report), 1, &doc, &why);
    else if (child->layout)
        ret = allot_doc_file_spread(child->gfid, child->size, child->nlink,
                                    child->layout, child->members, &doc, &why);
    else
        ret = allot_doc_file_plain(child->gfid, child->size, child->nlink,
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

void
allot_report_progress_clear(struct allot_report *report)
{
    if (report->shown_progress)
        fputs("\r\033[K", stderr);
    report->shown_progress = 0;
}

static void
allot_report_progress(void *arg, const struct allot_scan_progress *now)
{
    struct allot_report *report = arg;
    struct allot_progress progress;
    char text[ALLOT_PROGRESS_TEXT];

    allot_progress_of(now, report->files_before, &progress);
    pthread_mutex_lock(&report->lock);
    fprintf(stderr, "\r%s\033[K",
            allot_progress_text(&progress, allot_format_utf8(), text));
    fflush(stderr);
    report->shown_progress = 1;
    pthread_mutex_unlock(&report->lock);
}

/* ---- the volume as a whole ---------------------------------------------- */

/* A brick that went or came while files were asked one by one: some were
 * counted with it, some without. What comes next is compared with how it is
 * now. */
int
allot_report_changes(struct allot_report *report)
{
    struct allot_doc_status now;
    int status = allot_volume_status(report->target, &now);

    if (status == 0 &&
        allot_steady_compare(&report->tally, &report->volume, &now, 1))
        status = allot_report_out_of_memory();
    if (status) {
        allot_doc_status_clear(&now);
        return status;
    }
    allot_doc_status_clear(&report->volume);
    report->volume = now;
    return 0;
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

/* What the options say together. */
static int
allot_report_options(const struct allot_cli *cli)
{
    if (cli->damaged && cli->form != ALLOT_FORM_TEXT &&
        cli->form != ALLOT_FORM_JSON)
        return allot_cli_error(
            "--damaged prints text or, with --json, one object per line");
    if (cli->damaged && cli->depth_set)
        return allot_cli_error("--damaged prints no sums, leave out --depth");
    if (cli->limit && !cli->resume)
        return allot_cli_error(
            "--limit needs --resume FILE, which says where to go on");
    return 0;
}

/* --under: "a//b/" to "a/b". 0 or an exit status. */
static int
allot_report_under(struct allot_report *report, struct allot_cli *cli,
                   char **under)
{
    char *at, *word, *save = NULL, *copy;
    struct allot_dir *dir;
    struct stat st;
    int err = 0;

    if (!cli->under)
        return 0;
    copy = strdup(cli->under);
    *under = calloc(1, strlen(cli->under) + 2);
    if (!copy || !*under) {
        free(copy);
        return allot_report_out_of_memory();
    }
    at = *under;
    for (word = strtok_r(copy, "/", &save); word && !err;
         word = strtok_r(NULL, "/", &save)) {
        if (strcmp(word, ".") == 0)
            continue;
        if (strcmp(word, "..") == 0)
            err = -EINVAL;
        at = stpcpy(stpcpy(at, at == *under ? "" : "/"), word);
    }
    free(copy);
    if (!err && (*under)[0]) {
        err = allot_scan_open(report->target, *under, &dir);
        if (!err) {
            err = report->target->ops->stat(dir, NULL, &st);
            if (!err && !S_ISDIR(st.st_mode))
                err = -ENOTDIR;
            report->target->ops->dir_close(dir);
        }
    }
    if (err)
        return allot_cli_error(
            "cannot look under '%s': %s; name a directory below '%s'",
            cli->under, strerror(-err), report->target->shown);
    cli->under = *under;
    return 0;
}

/* The scan, from the beginning or from where another run ended. */
static int
allot_report_scan(struct allot_report *report)
{
    const char *first = report->cli->under ? report->cli->under : "";
    const char *const *start =
        report->pending ? (const char *const *)report->pending : &first;
    struct allot_scan_ops ops = {.file = allot_report_file,
                                 .known = allot_report_known,
                                 .incomplete = allot_report_incomplete};
    int ret;

    if (isatty(STDERR_FILENO))
        ops.progress = allot_report_progress;
    if (report->cli->resume) {
        ops.due = allot_resume_due;
        ops.checkpoint = allot_resume_save;
    }
    ret = allot_scan(report->target, &ops, report, start,
                     report->pending ? report->pending_count : 1,
                     report->workers, report->done);
    allot_report_progress_clear(report);
    return ret == -ENOMEM ? allot_report_out_of_memory() : ret;
}

/* --damaged: the list is out already. */
static int
allot_report_end_list(const struct allot_report *report)
{
    json_t *reasons = allot_tally_reasons(&report->tally), *reason;
    size_t i;

    if (!reasons)
        return allot_report_out_of_memory();
    json_array_foreach(reasons, i, reason)
    {
        fprintf(stderr, "allot: not exact: %s\n", json_string_value(reason));
    }
    json_decref(reasons);
    return 0;
}

static int
allot_report_end(struct allot_report *report, int status)
{
    if (status == ALLOT_SCAN_STOPPED) {
        fflush(stdout);
        fprintf(stderr,
                "allot: not at the end, %" PRIu64
                " files so far; the same command goes on\n",
                report->tally.files_total);
        return ALLOT_EXIT_MORE;
    }
    if (status == 0)
        status = allot_report_changes(report);
    if (status == 0 && allot_steady_failing(&report->tally, &report->volume))
        status = allot_report_out_of_memory();
    if (status == 0)
        status = allot_report_unnamed(report);
    if (status == 0)
        status = report->cli->damaged ? allot_report_end_list(report)
                 : report->list       ? allot_report_print_document(report)
                                      : allot_report_print_text(report);
    if (status == 0)
        allot_resume_end(report);
    if (status == 0 && !allot_tally_all_recoverable(&report->tally))
        status = ALLOT_EXIT_FAILED;
    return status;
}

/* The whole volume, whatever directory of it was named. */
static int
allot_report_from_root(struct allot_report *report)
{
    struct allot_target *target = report->target;
    struct allot_dir *root;
    int err = target->ops->root_open(target, &root);

    if (err)
        return allot_cli_error(
            "cannot open the root of the volume above '%s': %s", target->shown,
            strerror(-err));
    target->ops->dir_close(target->dir);
    target->dir = root;
    return 0;
}

int
allot_report_stop(const struct allot_cli *given, const char *text,
                  struct allot_stop *stop, json_t **inexact)
{
    /* Only the number of workers and the log are the user's. */
    struct allot_cli cli = {
        .workers = given->workers, .log_file = given->log_file, .damaged = 1};
    struct allot_report report = {.cli = &cli,
                                  .only = ALLOT_DOC_NO_INDEX,
                                  .stop = stop,
                                  .lock = PTHREAD_MUTEX_INITIALIZER};
    int status;

    allot_tally_begin(&report.tally);
    *inexact = NULL;
    status = allot_target_open(&cli, text, 0, &report.target);
    if (status)
        return status;
    status = allot_report_from_root(&report);
    if (status == 0)
        status = allot_volume_status(report.target, &report.volume);
    report.workers = allot_report_worker_count(&cli);
    if (status == 0)
        status = allot_report_scan(&report);
    if (status == 0)
        status = allot_report_changes(&report);
    if (status == 0)
        *inexact = allot_tally_reasons(&report.tally);
    if (status == 0 && !*inexact)
        status = allot_report_out_of_memory();
    allot_seen_clear(&report.seen);
    allot_tally_end(&report.tally);
    allot_doc_status_clear(&report.volume);
    allot_target_close(report.target);
    return status;
}

int
allot_cmd_report(const struct allot_cli *given, const char *text)
{
    struct allot_cli cli = *given;
    struct allot_report report = {.cli = &cli,
                                  .only = ALLOT_DOC_NO_INDEX,
                                  .lock = PTHREAD_MUTEX_INITIALIZER};
    char *under = NULL;
    size_t i;
    int status;

    allot_tally_begin(&report.tally);
    status = allot_report_options(&cli);
    if (status)
        return status;
    report.sums.wanted = cli.depth_set;
    report.sums.depth = cli.depth;
    status = allot_target_open(&cli, text, 0, &report.target);
    if (status)
        return status;
    status = allot_volume_status(report.target, &report.volume);
    if (status == 0)
        status = allot_report_under(&report, &cli, &under);
    if (status == 0 && cli.brick)
        status = allot_report_only(&report);
    report.workers = allot_report_worker_count(&cli);
    if (status == 0)
        status = allot_resume_begin(&report);
    if (status == 0)
        status = allot_report_end(&report, allot_report_scan(&report));
    if (status == ALLOT_EXIT_ERROR)
        allot_resume_failed(&report);

    if (report.list)
        fclose(report.list);
    for (i = 0; i < report.pending_count; i++)
        free(report.pending[i]);
    free(report.pending);
    free(report.list_name);
    free(under);
    allot_seen_clear(&report.seen);
    allot_sums_clear(&report.sums);
    allot_tally_end(&report.tally);
    allot_doc_status_clear(&report.volume);
    allot_target_close(report.target);
    return status;
}
