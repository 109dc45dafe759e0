/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * export-map.c - for the page of a report: where the blocks of one file lie, a
 * row for each brick, from the file's beginning to its end.
 *
 * A row has at most MAP_COLUMNS columns. One of them stands for many blocks of
 * a large file, and is drawn for each brick that has one of these.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "allot-split.h"
#include "allot-wire.h"
#include "document.h"
#include "export.h"
#include "format.h"
#include "scan.h"

#define MAP_COLUMNS 240
#define MAP_PIECES 4096 /* looked at for one column: more than a cycle */

/* The path of an entry of the list, as bytes; allocated. */
static char *
map_path(const json_t *file)
{
    const json_t *hex = json_object_get(file, "path_hex");
    const char *path = json_string_value(json_object_get(file, "path"));

    if (hex)
        return allot_json_unhex(hex);
    return path ? strdup(path) : NULL;
}

/* What the mount says of the file now. 0 or -errno. */
static int
map_ask(struct allot_target *target, const json_t *file,
        struct allot_doc_file *doc)
{
    struct allot_dir *dir = target->dir;
    struct allot_doc_error err;
    char *path = map_path(file), *text = NULL, *slash, *leaf;
    ssize_t len;
    int ret = 0;

    if (!path)
        return -ENOMEM;
    slash = strrchr(path, '/');
    leaf = slash ? slash + 1 : path;
    if (slash) {
        *slash = '\0';
        ret = allot_scan_open(target, path, &dir);
    }
    if (ret == 0) {
        len = allot_target_ask(dir, leaf, ALLOT_VIRT_REPORT, &text);
        ret = len < 0 ? (int)len
                      : allot_doc_file_parse(text, (size_t)len, 1, doc, &err);
        if (len >= 0)
            free(text);
        if (dir != target->dir)
            target->ops->dir_close(dir);
    }
    free(path);
    return ret;
}

/* Which columns of row @brick have a block of it; a column is @step bytes. */
static void
map_row(const struct allot_layout *layout, uint64_t size, int32_t brick,
        uint64_t step, unsigned char *has)
{
    struct allot_split_iter iter;
    struct allot_piece piece;
    uint64_t start;
    unsigned int n;

    for (start = 0; start < size; start += step, has++) {
        *has = 0;
        if (allot_split_begin(&iter, layout, start,
                              size - start < step ? size - start : step))
            continue;
        for (n = 0; n < MAP_PIECES && allot_split_next(&iter, &piece); n++)
            if (piece.brick_idx == brick) {
                *has = 1;
                break;
            }
    }
}

static const char *
map_class(enum allot_fail fail)
{
    switch (fail) {
        case ALLOT_FAIL_NONE:
            return "ok";
        case ALLOT_FAIL_DOWN:
            return "gone";
        default:
            return "lost";
    }
}

static enum allot_fail
map_fail(const struct allot_doc_file *doc, uint16_t brick)
{
    size_t i;

    for (i = 0; i < doc->member_count; i++)
        if (doc->members[i].brick_idx == brick)
            return doc->members[i].fail;
    return ALLOT_FAIL_NONE;
}

static void
map_print_row(const char *class, const unsigned char *has, unsigned int columns)
{
    unsigned int c, start;

    printf(
        "<td><svg viewBox=\"0 0 %u 1\" preserveAspectRatio=none role=img "
        "aria-label=\"its blocks\">",
        columns);
    for (c = 0; c < columns; c++) {
        if (!has[c])
            continue;
        for (start = c; c + 1 < columns && has[c + 1];)
            c++;
        printf(
            "<rect class=%s x=%u y=0 width=\"%.1f\" height=1>"
            "</rect>",
            class, start, c + 1 - start - (columns < 100 ? 0.1 : 0.0));
    }
    fputs("</svg></tr>", stdout);
}

/* The bytes of a column: whole blocks, one if they are few enough. */
static uint64_t
map_step(const struct allot_layout *layout, uint64_t size)
{
    const struct allot_extent *last =
        &layout->extents[layout->extent_count - 1];
    uint64_t blocks = (size >> last->block_shift) + 1;

    return (blocks + MAP_COLUMNS - 1) / MAP_COLUMNS << last->block_shift;
}

void
allot_export_map(struct allot_target *target,
                 const struct allot_doc_status *status, const json_t *file)
{
    unsigned char has[MAP_COLUMNS];
    struct allot_doc_file doc = {0};
    unsigned int columns;
    uint64_t step;
    uint32_t i;

    if (map_ask(target, file, &doc) || !doc.spread || doc.size == 0)
        goto out;
    step = map_step(doc.layout, doc.size);
    columns = (unsigned int)((doc.size + step - 1) / step);
    fputs("<table class=map>", stdout);
    for (i = 0; i < doc.layout->brick_count; i++) {
        uint16_t idx = doc.layout->bricks[i];
        const struct allot_doc_brick *brick =
            allot_doc_status_brick(status, idx);

        fputs("<tr><td>", stdout);
        if (brick)
            allot_export_html_text(brick->name);
        else
            printf("#%u", idx);
        map_row(doc.layout, doc.size, idx, step, has);
        map_print_row(map_class(map_fail(&doc, idx)), has, columns);
    }
    if (doc.layout->inline_limit) {
        fputs("<tr><td>base file", stdout);
        map_row(doc.layout, doc.size, ALLOT_PIECE_BASE, step, has);
        map_print_row(map_class(doc.base_fail), has, columns);
    }
    fputs("</table>", stdout);
out:
    allot_doc_file_clear(&doc);
}
