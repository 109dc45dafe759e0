/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * report-list.c - the list of damaged files: an entry as text or as JSON, and
 * where it goes. It is never in memory: it is printed as it comes, or goes
 * through a temporary file until the document around it can be printed.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "report.h"

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

/* Where some of a file returns and some does not, lost_ranges has both; these
 * are the ones that return. */
static int
allot_report_range_returns(const struct allot_range *range, void *arg)
{
    return range->why == ALLOT_FAIL_DOWN ? allot_report_range(range, arg) : 0;
}

static int
allot_report_unavailable(const struct allot_report_entry *entry, FILE *out)
{
    struct allot_report_ranges ranges = {out, ""};
    int err;

    if (!entry->doc || !entry->rec->bytes.unavailable ||
        !entry->rec->bytes.lost)
        return 0;
    fputs(",\"unavailable_ranges\":[", out);
    err = allot_recovery_ranges_apart(
        entry->doc->layout, entry->size, entry->doc->base_fail,
        entry->doc->members, entry->doc->member_count,
        allot_report_range_returns, &ranges);
    fputc(']', out);
    return err;
}

static int
allot_report_entry_json(struct allot_report *report,
                        const struct allot_report_entry *entry)
{
    FILE *out = report->list ? report->list : stdout;
    struct allot_report_ranges ranges = {out, ""};
    int exact, err;
    json_t *path, *object;

    path = allot_json_path(entry->path, &exact);
    object = json_pack("{s:o, s:s, s:I, s:o, s:o}", "path", path, "gfid",
                       entry->gfid, "size", (json_int_t)entry->size, "blocks",
                       allot_json_count(&entry->rec->blocks), "bytes",
                       allot_json_count(&entry->rec->bytes));
    /* A path that is not UTF-8 has no exact form in JSON. */
    if (object && !exact &&
        json_object_set_new(object, "path_hex", allot_json_hex(entry->path))) {
        json_decref(object);
        object = NULL;
    }
    if (report->entries > 0 && report->list)
        fputc(',', out);
    err = allot_json_open(object, out);
    if (err)
        return err;

    fputs(",\"lost_ranges\":[", out);
    if (entry->doc) {
        err = allot_recovery_ranges(entry->doc->layout, entry->size,
                                    entry->doc->base_fail, entry->doc->members,
                                    entry->doc->member_count,
                                    allot_report_range, &ranges);
    } else if (entry->size > 0) {
        struct allot_range all = {0, entry->size, entry->rec->worst};

        err = allot_report_range(&all, &ranges);
    }
    fputc(']', out);
    if (!err)
        err = allot_report_unavailable(entry, out);
    fprintf(out, ",\"reason\":\"%s\"}%s", allot_fail_name(entry->rec->worst),
            report->list ? "" : "\n");
    if (!err && ferror(out))
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

    if (report->cli->damaged) {
        name = allot_format_name(entry->path);
        if (!name)
            return -ENOMEM;
        puts(name);
        free(name);
        return 0;
    }
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

int
allot_report_list_failed(int err)
{
    return allot_cli_error(
        "cannot write the list of damaged files: %s; see to more room where it "
        "goes, or in the directory for temporary files",
        strerror(err));
}

int
allot_report_entry(struct allot_report *report,
                   const struct allot_report_entry *entry)
{
    int err;

    /* Both may be on the same terminal. */
    allot_report_progress_clear(report);
    err = report->cli->form == ALLOT_FORM_TEXT
              ? allot_report_entry_text(report, entry)
              : allot_report_entry_json(report, entry);

    report->entries++;
    report->told++;
    /* Whoever reads them as they come is not to wait for a full buffer. */
    if (!err && report->cli->damaged && fflush(stdout) != 0)
        err = -errno;
    if (err == -ENOMEM)
        return allot_report_out_of_memory();
    return err ? allot_report_list_failed(-err) : 0;
}
