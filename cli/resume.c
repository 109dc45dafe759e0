/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * resume.c - `allot report --resume FILE`: what is known of a scan that is not
 * over, so that another run goes on with it.
 *
 *   FILE        one JSON object: sums, reasons, hard links met, directories to
 *               look at. Replaced in one step, about every half minute, on
 *               SIGINT, SIGTERM and SIGHUP, and at --limit
 *   FILE.list   the entries of damaged_files, if they are not printed as they
 *               come. It grows; FILE says how much of it counts
 *
 * It is saved only while no worker is inside a directory, so that each is
 * counted once or not at all. Names are in hexadecimal, since they may be any
 * bytes. It belongs to the command's version: others refuse it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "format.h"
#include "output.h"
#include "report.h"
#include "steady.h"

#define ALLOT_RESUME_FORMAT 2
#define ALLOT_RESUME_SECONDS 30

static volatile sig_atomic_t allot_resume_stop;

/* What a complete report leaves behind; owned. */
static char *allot_resume_state, *allot_resume_list;

static void
allot_resume_signal(int number)
{
    allot_resume_stop = 1;
    /* A second one ends it at once. */
    signal(number, allot_output_signal);
}

static double
allot_resume_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int
allot_resume_due(void *arg)
{
    struct allot_report *report = arg;
    int full;

    pthread_mutex_lock(&report->lock);
    full = report->cli->limit && report->told >= report->cli->limit;
    pthread_mutex_unlock(&report->lock);
    if (allot_resume_stop || full)
        return 2;
    return allot_resume_now() - report->saved_at >= ALLOT_RESUME_SECONDS;
}

/* ---- writing --------------------------------------------------------------
 */

static json_t *
allot_resume_numbers(const struct allot_count *c)
{
    return json_pack("[I,I,I,I,I,I]", (json_int_t)c->total,
                     (json_int_t)c->failed, (json_int_t)c->unavailable,
                     (json_int_t)c->lost, (json_int_t)c->recoverable,
                     (json_int_t)c->holes);
}

static json_t *
allot_resume_sum(const struct allot_recovery *sum)
{
    return json_pack("[o,o]", allot_resume_numbers(&sum->blocks),
                     allot_resume_numbers(&sum->bytes));
}

static json_t *
allot_resume_tally(const struct allot_tally *t)
{
    json_t *reasons = json_array(), *cures = json_array();
    json_t *bricks = json_array();
    size_t i;

    for (i = 0; i < t->reason_count; i++)
        json_array_append_new(
            reasons,
            json_pack("[o,o,I]", allot_json_hex(t->reasons[i].text),
                      t->reasons[i].first ? allot_json_hex(t->reasons[i].first)
                                          : json_null(),
                      (json_int_t)t->reasons[i].count));
    for (i = 0; i < t->cure_count; i++)
        json_array_append_new(
            cures, json_pack("[I,I,I]", (json_int_t)t->cures[i].index,
                             (json_int_t)t->cures[i].waiting,
                             (json_int_t)t->cures[i].alone));
    for (i = 0; i < t->brick_count; i++)
        json_array_append_new(bricks,
                              json_pack("[I,o]", (json_int_t)t->bricks[i].index,
                                        allot_resume_sum(&t->bricks[i].sum)));
    return json_pack(
        "{s:o, s:[I,I,I,I], s:b, s:o, s:I, s:o, s:o, s:[I,I,I]}", "sum",
        allot_resume_sum(&t->sum), "files", (json_int_t)t->files_total,
        (json_int_t)t->files_intact, (json_int_t)t->files_damaged,
        (json_int_t)t->files_unreadable, "exact", t->exact, "reasons", reasons,
        "dropped", (json_int_t)t->reasons_dropped, "cures", cures, "bricks",
        bricks, "why", (json_int_t)t->curable, (json_int_t)t->base_down,
        (json_int_t)t->lost_files);
}

static json_t *
allot_resume_seen(const struct allot_seen *seen)
{
    static const uint8_t none[16];
    json_t *list = json_array();
    char hex[33];
    size_t i, k;

    for (i = 0; i < seen->places; i++) {
        if (memcmp(seen->keys[i], none, 16) == 0)
            continue;
        for (k = 0; k < 16; k++)
            snprintf(hex + 2 * k, 3, "%02x", seen->keys[i][k]);
        json_array_append_new(list, json_string(hex));
    }
    return list;
}

static json_t *
allot_resume_dirs(const struct allot_sums *sums)
{
    json_t *list = json_array();
    size_t i;

    for (i = 0; i < sums->count; i++)
        json_array_append_new(
            list, json_pack("[o,I,I,I,o]", allot_json_hex(sums->dirs[i].path),
                            (json_int_t)sums->dirs[i].files,
                            (json_int_t)sums->dirs[i].damaged,
                            (json_int_t)sums->dirs[i].unreadable,
                            allot_resume_sum(&sums->dirs[i].sum)));
    return list;
}

/* What must be the same in the next run. */
static json_t *
allot_resume_asked(const struct allot_report *report)
{
    const struct allot_cli *cli = report->cli;

    return json_pack("{s:o, s:o, s:s, s:i, s:b, s:b}", "target",
                     allot_json_hex(report->target->shown), "under",
                     allot_json_hex(cli->under ? cli->under : ""), "brick",
                     cli->brick ? cli->brick : "", "depth",
                     cli->depth_set ? (int)cli->depth : -1, "listed",
                     report->list != NULL, "damaged", cli->damaged);
}

int
allot_resume_save(void *arg, const char *const *paths, size_t count)
{
    struct allot_report *report = arg;
    const char *name = report->cli->resume;
    json_t *pending, *state;
    uint64_t files = report->files_before;
    char *temporary = NULL;
    long list_bytes = 0;
    FILE *out = NULL;
    unsigned int w;
    size_t i;
    int ok, status;

    /* What is known stays known if the volume does not answer any more. */
    status = allot_report_changes(report);
    if (status &&
        allot_tally_inexact(&report->tally,
                            "whether the bricks were the same until the report "
                            "was interrupted could not be asked",
                            NULL))
        return allot_report_out_of_memory();
    report->saved_at = allot_resume_now();
    pending = json_array();
    for (i = 0; i < count; i++)
        json_array_append_new(pending, allot_json_hex(paths[i]));
    for (w = 0; w < report->workers; w++)
        files += report->done[w].files;
    /* What was printed must be out before the state says so. */
    if (fflush(report->list ? report->list : stdout) != 0) {
        json_decref(pending);
        return allot_cli_error("cannot write the list of damaged files: %s",
                               strerror(errno));
    }
    if (report->list)
        list_bytes = ftell(report->list);
    state = json_pack("{s:i, s:o, s:O, s:o, s:o, s:o, s:o, s:I, s:I, s:I}",
                      "format", ALLOT_RESUME_FORMAT, "asked",
                      allot_resume_asked(report), "status", report->volume.root,
                      "tally", allot_resume_tally(&report->tally), "seen",
                      allot_resume_seen(&report->seen), "directories",
                      allot_resume_dirs(&report->sums), "pending", pending,
                      "entries", (json_int_t)report->entries, "list_bytes",
                      (json_int_t)list_bytes, "files", (json_int_t)files);
    ok = state && asprintf(&temporary, "%s.new", name) >= 0;
    if (!ok)
        temporary = NULL;
    if (ok)
        out = fopen(temporary, "w");
    ok = ok && out && json_dumpf(state, out, JSON_COMPACT) == 0 &&
         fflush(out) == 0 && fsync(fileno(out)) == 0;
    if (out && fclose(out) != 0)
        ok = 0;
    ok = ok && rename(temporary, name) == 0;
    json_decref(state);
    if (!ok && out)
        unlink(temporary);
    free(temporary);
    return ok ? status
              : allot_cli_error(
                    "cannot save the report in '%s': %s; name a "
                    "file in a directory that can be written",
                    name, strerror(errno ? errno : ENOMEM));
}

/* ---- reading --------------------------------------------------------------
 */

static uint64_t
allot_resume_u64(const json_t *list, size_t i)
{
    json_int_t n = json_integer_value(json_array_get(list, i));

    return n > 0 ? (uint64_t)n : 0;
}

static void
allot_resume_get_count(const json_t *list, struct allot_count *c)
{
    c->total = allot_resume_u64(list, 0);
    c->failed = allot_resume_u64(list, 1);
    c->unavailable = allot_resume_u64(list, 2);
    c->lost = allot_resume_u64(list, 3);
    c->recoverable = allot_resume_u64(list, 4);
    c->holes = allot_resume_u64(list, 5);
}

static void
allot_resume_get_sum(const json_t *pair, struct allot_recovery *sum)
{
    memset(sum, 0, sizeof(*sum));
    allot_resume_get_count(json_array_get(pair, 0), &sum->blocks);
    allot_resume_get_count(json_array_get(pair, 1), &sum->bytes);
}

static int
allot_resume_get_tally(const json_t *from, struct allot_tally *t)
{
    const json_t *files = json_object_get(from, "files");
    const json_t *why = json_object_get(from, "why");
    const json_t *reasons = json_object_get(from, "reasons");
    const json_t *cures = json_object_get(from, "cures");
    const json_t *bricks = json_object_get(from, "bricks");
    size_t i;

    allot_resume_get_sum(json_object_get(from, "sum"), &t->sum);
    t->files_total = allot_resume_u64(files, 0);
    t->files_intact = allot_resume_u64(files, 1);
    t->files_damaged = allot_resume_u64(files, 2);
    t->files_unreadable = allot_resume_u64(files, 3);
    t->exact = json_is_true(json_object_get(from, "exact"));
    t->reasons_dropped =
        (uint64_t)json_integer_value(json_object_get(from, "dropped"));
    t->curable = allot_resume_u64(why, 0);
    t->base_down = allot_resume_u64(why, 1);
    t->lost_files = allot_resume_u64(why, 2);
    t->cures = calloc(json_array_size(cures) + 1, sizeof(*t->cures));
    t->bricks = calloc(json_array_size(bricks) + 1, sizeof(*t->bricks));
    if (!t->cures || !t->bricks)
        return -ENOMEM;
    for (i = 0; i < json_array_size(reasons) && i < ALLOT_REASONS_MAX; i++) {
        const json_t *one = json_array_get(reasons, i);
        struct allot_reason *reason = &t->reasons[t->reason_count];

        reason->text = allot_json_unhex(json_array_get(one, 0));
        reason->first = allot_json_unhex(json_array_get(one, 1));
        reason->count = allot_resume_u64(one, 2);
        if (!reason->text)
            return -EBADMSG;
        t->reason_count++;
    }
    for (i = 0; i < json_array_size(cures); i++) {
        const json_t *one = json_array_get(cures, i);

        t->cures[i].index = (uint32_t)allot_resume_u64(one, 0);
        t->cures[i].waiting = allot_resume_u64(one, 1);
        t->cures[i].alone = allot_resume_u64(one, 2);
        t->cure_count++;
    }
    for (i = 0; i < json_array_size(bricks); i++) {
        const json_t *one = json_array_get(bricks, i);

        t->bricks[i].index = (uint32_t)allot_resume_u64(one, 0);
        allot_resume_get_sum(json_array_get(one, 1), &t->bricks[i].sum);
        t->brick_count++;
    }
    return 0;
}

static int
allot_resume_get_lists(const json_t *state, struct allot_report *report)
{
    const json_t *seen = json_object_get(state, "seen");
    const json_t *dirs = json_object_get(state, "directories");
    const json_t *pending = json_object_get(state, "pending");
    size_t i;

    for (i = 0; i < json_array_size(seen); i++) {
        const char *hex = json_string_value(json_array_get(seen, i));

        if (!hex || allot_seen_add_gfid(&report->seen, hex) < 0)
            return -EBADMSG;
    }
    for (i = 0; i < json_array_size(dirs); i++) {
        const json_t *one = json_array_get(dirs, i);
        char *path = allot_json_unhex(json_array_get(one, 0));
        struct allot_sums_dir *dir =
            path ? allot_sums_dir(&report->sums, path, strlen(path)) : NULL;

        free(path);
        if (!dir)
            return -EBADMSG;
        dir->files = allot_resume_u64(one, 1);
        dir->damaged = allot_resume_u64(one, 2);
        dir->unreadable = allot_resume_u64(one, 3);
        allot_resume_get_sum(json_array_get(one, 4), &dir->sum);
    }
    report->pending =
        calloc(json_array_size(pending) + 1, sizeof(*report->pending));
    if (!report->pending)
        return -ENOMEM;
    for (i = 0; i < json_array_size(pending); i++) {
        report->pending[i] = allot_json_unhex(json_array_get(pending, i));
        if (!report->pending[i])
            return -EBADMSG;
        report->pending_count++;
    }
    return 0;
}

/* The bricks as they were when the state was saved: a change since is a reason
 * why the report is not exact. */
static int
allot_resume_compare(const json_t *state, struct allot_report *report)
{
    char *text = json_dumps(json_object_get(state, "status"), JSON_COMPACT);
    struct allot_doc_status before;
    struct allot_doc_error why;
    int ret;

    if (!text)
        return -EBADMSG;
    ret = allot_doc_status_parse(text, strlen(text), &before, &why);
    if (ret == 0)
        ret = allot_steady_compare(&report->tally, &before, &report->volume, 0);
    allot_doc_status_clear(&before);
    free(text);
    return ret;
}

static int
allot_resume_read(struct allot_report *report, const json_t *state)
{
    json_t *asked = allot_resume_asked(report);
    int same = json_equal(asked, json_object_get(state, "asked"));
    json_int_t bytes = json_integer_value(json_object_get(state, "list_bytes"));
    int ret;

    json_decref(asked);
    if (json_integer_value(json_object_get(state, "format")) !=
            ALLOT_RESUME_FORMAT ||
        !same)
        return allot_cli_error(
            "'%s' belongs to another report: TARGET, --under, --brick, "
            "--depth, "
            "--damaged and the kind of output must be the same; remove the "
            "file to begin anew",
            report->cli->resume);
    ret =
        allot_resume_get_tally(json_object_get(state, "tally"), &report->tally);
    if (ret == 0)
        ret = allot_resume_compare(state, report);
    if (ret == 0)
        ret = allot_resume_get_lists(state, report);
    if (ret)
        return allot_cli_error(
            "cannot understand '%s'; remove the file to begin anew",
            report->cli->resume);
    report->entries =
        (uint64_t)json_integer_value(json_object_get(state, "entries"));
    report->files_before =
        (uint64_t)json_integer_value(json_object_get(state, "files"));
    /* What was written after the state was saved is written again. */
    if (report->list && (fseek(report->list, 0, SEEK_END) != 0 ||
                         ftell(report->list) < (long)bytes ||
                         ftruncate(fileno(report->list), (off_t)bytes) != 0 ||
                         fseek(report->list, (long)bytes, SEEK_SET) != 0))
        return allot_cli_error(
            "'%s' is shorter than '%s' says; remove both to begin anew",
            report->list_name, report->cli->resume);
    return 0;
}

int
allot_resume_begin(struct allot_report *report)
{
    const char *name = report->cli->resume;
    int listed = report->cli->form != ALLOT_FORM_TEXT && !report->cli->damaged;
    json_error_t jerr;
    json_t *state;
    int status;

    report->saved_at = allot_resume_now();
    if (name) {
        signal(SIGINT, allot_resume_signal);
        signal(SIGTERM, allot_resume_signal);
        /* A terminal that goes away: what is known is kept. */
        allot_output_handle(SIGHUP, allot_resume_signal);
    }
    if (listed && !name)
        report->list = tmpfile();
    if (listed && name && asprintf(&report->list_name, "%s.list", name) < 0)
        report->list_name = NULL;
    if (report->list_name) {
        report->list = fopen(report->list_name, "r+");
        if (!report->list && errno == ENOENT)
            report->list = fopen(report->list_name, "w+");
    }
    if (listed && !report->list)
        return allot_cli_error(
            "cannot make a temporary file for the report: %s; see to room in "
            "the directory for temporary files",
            strerror(errno));
    if (!name)
        return 0;
    if (access(name, F_OK) != 0) {
        /* Perhaps there is one, and the list is its. */
        if (errno != ENOENT)
            return allot_cli_error(
                "cannot look at '%s': %s; name a file in a directory that can "
                "be written",
                name, strerror(errno));
        if (report->list && ftruncate(fileno(report->list), 0) != 0)
            return allot_cli_error("cannot write '%s': %s", report->list_name,
                                   strerror(errno));
        return 0;
    }
    state = json_load_file(name, 0, &jerr);
    if (!state)
        return allot_cli_error(
            "cannot read '%s': %s; remove the file to begin anew", name,
            jerr.text);
    status = allot_resume_read(report, state);
    json_decref(state);
    return status;
}

/* Without a state that says how much of it counts the list is of no use. */
static void
allot_resume_drop_list(const char *state, const char *list)
{
    if (access(state, F_OK) != 0 && errno == ENOENT)
        unlink(list);
}

void
allot_resume_failed(const struct allot_report *report)
{
    /* One that could not be opened is not this report's. */
    if (report->list && report->list_name)
        allot_resume_drop_list(report->cli->resume, report->list_name);
}

void
allot_resume_end(const struct allot_report *report)
{
    if (report->cli->resume)
        allot_resume_state = strdup(report->cli->resume);
    if (report->list_name)
        allot_resume_list = strdup(report->list_name);
}

void
allot_resume_settle(int status)
{
    if (status != ALLOT_EXIT_ERROR) {
        if (allot_resume_state)
            unlink(allot_resume_state);
        if (allot_resume_list)
            unlink(allot_resume_list);
    } else if (allot_resume_state && allot_resume_list) {
        allot_resume_drop_list(allot_resume_state, allot_resume_list);
    }
    free(allot_resume_state);
    free(allot_resume_list);
    allot_resume_state = allot_resume_list = NULL;
}
