/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * mapfile.c - `allot mapfile`: the ranges of one file as GNU ddrescue's
 * mapfile, so that `ddrescue -m MAP FILE COPY` copies what can be read and
 * knows what not to try. '+': can be read. '*': away with its brick, worth
 * another try. '-': lost.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allot-wire.h"
#include "volume.h"

static void
allot_mapfile_line(uint64_t start, uint64_t end, char status)
{
    if (end > start)
        printf("0x%08" PRIX64 "  0x%08" PRIX64 "  %c\n", start, end - start,
               status);
}

static int
allot_mapfile_range(const struct allot_range *range, void *arg)
{
    uint64_t *at = arg;

    allot_mapfile_line(*at, range->start, '+');
    allot_mapfile_line(range->start, range->end,
                       range->why == ALLOT_FAIL_DOWN ? '*' : '-');
    *at = range->end;
    return ferror(stdout) ? -EIO : 0;
}

/* The mapfile itself cannot say it. */
static void
allot_mapfile_inexact(const struct allot_doc_file *doc, const char *path)
{
    const char *why = json_string_value(json_array_get(doc->because, 0));

    fflush(stdout);
    fprintf(stderr,
            "allot: the mapfile of '%s' is not exact: %s; make it again when "
            "that is over\n",
            path, why ? why : "the size is a lower bound");
}

int
allot_cmd_mapfile(const struct allot_cli *cli, const char *path)
{
    struct allot_target *target;
    struct allot_doc_error why;
    struct allot_doc_file doc;
    struct allot_recovery rec;
    uint64_t at = 0;
    char *text;
    ssize_t len;
    int err, status;

    status = allot_target_open(cli, path, 1, &target);
    if (status)
        return status;
    len = allot_target_ask(target->dir, target->leaf, ALLOT_VIRT_REPORT, &text);
    if (len < 0) {
        status = allot_volume_refused(target, ALLOT_VIRT_REPORT, (int)len);
        goto out;
    }
    err = allot_doc_file_parse(text, (size_t)len, 1, &doc, &why);
    free(text);
    if (err) {
        status = allot_cli_error(
            "cannot understand what the volume says of '%s': %s; install the "
            "command and the translator from the same version",
            path, why.text);
    } else {
        allot_recovery_count(doc.layout, doc.size, doc.base_fail, doc.members,
                             doc.member_count, &rec);
        printf(
            "# Mapfile. Created by allot\n# current_pos  current_status  "
            "current_pass\n0x00000000     ?               1\n#      pos   "
            "     size  status\n");
        err = allot_recovery_ranges_apart(doc.layout, doc.size, doc.base_fail,
                                          doc.members, doc.member_count,
                                          allot_mapfile_range, &at);
        allot_mapfile_line(at, doc.size, '+');
        if (err)
            status =
                allot_cli_error("cannot write the mapfile: %s", strerror(-err));
        else if (rec.blocks.failed || !doc.exact)
            status = ALLOT_EXIT_FAILED;
        if (!err && !doc.exact)
            allot_mapfile_inexact(&doc, path);
    }
    allot_doc_file_clear(&doc);
out:
    allot_target_close(target);
    return status;
}
