/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * layout.c - `allot layout`: which brick holds which bytes of one file. It
 * says where the data belongs, not whether it is there: that is the report's.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allot-split.h"
#include "allot-wire.h"
#include "format.h"
#include "table.h"
#include "volume.h"

#define ALLOT_LAYOUT_ROWS 32

/* A brick that the volume no longer has still has its number. */
static const char *
allot_layout_brick_name(const struct allot_doc_status *status, int32_t index,
                        char text[32])
{
    const struct allot_doc_brick *brick;

    brick = allot_doc_status_brick(status, (uint32_t)index);
    if (brick)
        return brick->name;
    snprintf(text, 32, "#%d", (int)index);
    return text;
}

static json_t *
allot_layout_extents_json(const struct allot_doc_file *doc,
                          const struct allot_doc_status *status)
{
    const struct allot_layout *layout = doc->layout;
    json_t *list = json_array();
    uint32_t e, m;
    char text[32];

    for (e = 0; list && e < layout->extent_count; e++) {
        const struct allot_extent *ext = &layout->extents[e];
        json_t *members = json_array();
        int failed = !members;

        for (m = 0; !failed && m < ext->member_count; m++)
            failed = json_array_append_new(
                members, json_pack("{s:i, s:s, s:i}", "index",
                                   (int)ext->members[m].brick_idx, "name",
                                   allot_layout_brick_name(
                                       status, ext->members[m].brick_idx, text),
                                   "weight", (int)ext->members[m].weight));
        if (failed ||
            json_array_append_new(
                list, json_pack("{s:I, s:I, s:I, s:o}", "start",
                                (json_int_t)ext->start_byte, "block_size",
                                (json_int_t)1 << ext->block_shift, "phase",
                                (json_int_t)ext->phase, "members", members))) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* The byte ranges, one after the other: a large file has millions. */
static int
allot_layout_blocks_json(const struct allot_doc_file *doc,
                         const struct allot_doc_status *status)
{
    struct allot_split_iter iter;
    struct allot_piece piece;
    const char *comma = "";
    char text[32];
    int err;

    err = allot_split_begin(&iter, doc->layout, 0, doc->size);
    if (err)
        return err;
    fputs(",\"blocks\":[", stdout);
    while (allot_split_next(&iter, &piece)) {
        json_t *name;

        if (piece.brick_idx == ALLOT_PIECE_BASE)
            name = json_null();
        else
            name = json_string(
                allot_layout_brick_name(status, piece.brick_idx, text));
        if (!name)
            return -ENOMEM;
        printf("%s[%" PRIu64 ",%" PRIu64 ",", comma, piece.offset,
               piece.offset + piece.len);
        json_dumpf(name, stdout, JSON_ENCODE_ANY);
        putchar(']');
        json_decref(name);
        comma = ",";
    }
    putchar(']');
    return 0;
}

static int
allot_layout_print_json(const struct allot_cli *cli, const char *path,
                        const struct allot_doc_file *doc,
                        const struct allot_doc_status *status)
{
    json_t *extents = allot_layout_extents_json(doc, status);
    json_t *shown;
    int exact, err;

    shown = allot_json_path(path, &exact);
    err = allot_json_open(
        json_pack("{s:i, s:o, s:s, s:I, s:I, s:b, s:o}", "version",
                  ALLOT_DOC_VERSION, "path", shown, "gfid", doc->gfid, "size",
                  (json_int_t)doc->size, "inline_limit",
                  (json_int_t)doc->layout->inline_limit, "spread", doc->spread,
                  "extents", extents),
        stdout);
    if (!err && cli->blocks)
        err = allot_layout_blocks_json(doc, status);
    if (err)
        return allot_cli_error("cannot write the JSON document: %s",
                               strerror(-err));
    puts("}");
    return ALLOT_EXIT_OK;
}

static int
allot_layout_extents_table(const struct allot_doc_file *doc,
                           const struct allot_doc_status *status)
{
    static const struct allot_table_column columns[] = {
        {"EXTENT", 1},
        {"START", 1},
        {"BLOCK", 1},
        {"BRICKS (WEIGHT)", 0},
    };
    const struct allot_layout *layout = doc->layout;
    struct allot_table *table;
    char size[ALLOT_SIZE_TEXT], text[32];
    uint32_t e, m;
    int err = 0;

    table = allot_table_new(columns, sizeof(columns) / sizeof(columns[0]));
    if (!table)
        return -ENOMEM;
    for (e = 0; e < layout->extent_count && !err; e++) {
        const struct allot_extent *ext = &layout->extents[e];
        char *members = NULL;
        size_t len;
        FILE *out = open_memstream(&members, &len);

        if (!out) {
            err = -ENOMEM;
            break;
        }
        for (m = 0; m < ext->member_count; m++)
            fprintf(out, "%s%s (%u)", m ? " " : "",
                    allot_layout_brick_name(status, ext->members[m].brick_idx,
                                            text),
                    ext->members[m].weight);
        err = fclose(out) ? -ENOMEM : allot_table_row(table);
        if (!err)
            err = allot_table_cell(table, "%u", e) |
                  allot_table_cell(table, "%" PRIu64, ext->start_byte) |
                  allot_table_cell(
                      table, "%s",
                      allot_format_size(1ULL << ext->block_shift, size)) |
                  allot_table_cell(table, "%s", members);
        free(members);
    }
    if (!err)
        err = allot_table_print(table);
    allot_table_free(table);
    return err;
}

/* Rows are printed as they come, so the widths are fixed: an offset has at
 * most 19 digits. */
static int
allot_layout_ranges(const struct allot_cli *cli,
                    const struct allot_doc_file *doc,
                    const struct allot_doc_status *status)
{
    struct allot_split_iter iter;
    struct allot_piece piece;
    uint64_t rows = 0;
    char size[ALLOT_SIZE_TEXT], text[32];
    int err;

    err = allot_split_begin(&iter, doc->layout, 0, doc->size);
    if (err)
        return err;
    printf("%19s %19s %10s BRICK\n", "START", "END", "LENGTH");
    while (allot_split_next(&iter, &piece)) {
        if (!cli->all && rows == ALLOT_LAYOUT_ROWS) {
            printf("the remaining %s are left out; --all prints them\n",
                   allot_format_size(doc->size - piece.offset, size));
            break;
        }
        printf("%19" PRIu64 " %19" PRIu64 " %10s %s\n", piece.offset,
               piece.offset + piece.len, allot_format_size(piece.len, size),
               piece.brick_idx == ALLOT_PIECE_BASE
                   ? "(base file)"
                   : allot_layout_brick_name(status, piece.brick_idx, text));
        rows++;
    }
    return 0;
}

static int
allot_layout_print(const struct allot_cli *cli, const char *path,
                   const struct allot_doc_file *doc,
                   const struct allot_doc_status *status)
{
    char *name = allot_format_name(path);
    char size[ALLOT_SIZE_TEXT], inlined[ALLOT_SIZE_TEXT];
    int err = 0;

    if (!name)
        return allot_cli_error("out of memory");
    if (!doc->spread) {
        printf("%s: %s, gfid %s, not spread: all of it is in the base file\n",
               name, allot_format_size(doc->size, size), doc->gfid);
    } else {
        printf("%s: %s, gfid %s, the first %s are in the base file\n", name,
               allot_format_size(doc->size, size), doc->gfid,
               allot_format_size(doc->layout->inline_limit, inlined));
        err = allot_layout_extents_table(doc, status);
        if (!err) {
            putchar('\n');
            err = allot_layout_ranges(cli, doc, status);
        }
    }
    free(name);
    if (err)
        return allot_cli_error("cannot print the layout of '%s': %s", path,
                               strerror(-err));
    return ALLOT_EXIT_OK;
}

/* Ask for the layout; errors are printed. */
static int
allot_layout_ask(struct allot_target *target, struct allot_doc_file *doc)
{
    struct allot_doc_error err;
    struct stat st;
    ssize_t len;
    char *text;
    int ret;

    ret = target->ops->stat(target->dir, target->leaf, &st);
    if (ret)
        return allot_cli_error(
            "cannot look at '%s': %s; %s", target->shown, strerror(-ret),
            ret == -ENOENT
                ? "check the name"
                : "'allot report' of its directory says what is wrong");
    if (!S_ISREG(st.st_mode))
        return allot_cli_error(
            "'%s' is not a regular file; only files have a "
            "layout",
            target->shown);
    len = allot_target_ask(target->dir, target->leaf, ALLOT_VIRT_LAYOUT, &text);
    if (len < 0)
        return allot_volume_refused(target, ALLOT_VIRT_LAYOUT, (int)len);
    ret = allot_doc_file_parse(text, (size_t)len, 0, doc, &err);
    free(text);
    if (ret)
        return allot_cli_error(
            "cannot understand the layout of '%s': %s; install the command "
            "and the translator from the same version",
            target->shown, err.text);
    return 0;
}

int
allot_cmd_layout(const struct allot_cli *cli, const char *path)
{
    struct allot_doc_file doc = {0};
    struct allot_doc_status volume = {0};
    struct allot_target *target;
    int status;

    status = allot_target_open(cli, path, 1, &target);
    if (status)
        return status;
    status = allot_volume_status(target, &volume);
    if (status == 0)
        status = allot_layout_ask(target, &doc);
    if (status == 0)
        status = cli->form == ALLOT_FORM_JSON
                     ? allot_layout_print_json(cli, path, &doc, &volume)
                     : allot_layout_print(cli, path, &doc, &volume);
    allot_doc_file_clear(&doc);
    allot_doc_status_clear(&volume);
    allot_target_close(target);
    return status;
}
