/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * export-html.c - a report as one page: no script, nothing from elsewhere.
 * Colours follow the reader's choice of light or dark; at the width of a
 * telephone tables scroll in themselves.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "export.h"
#include "format.h"
#include "next.h"

static const char allot_html_style[] =
    ":root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--soft:#5c6570;"
    "--line:#d5dae0;--ok:#2d7d46;--gone:#b35900;--lost:#b3261e;--empty:#e8ebef}"
    "@media(prefers-color-scheme:dark){:root{--bg:#14171a;--fg:#e6e9ec;"
    "--soft:#9aa4af;--line:#343b43;--ok:#4fae6c;--gone:#e0913a;--lost:#f2726a;"
    "--empty:#262c32}}"
    "*{box-sizing:border-box}body{margin:0 auto;max-width:62rem;padding:1rem;"
    "background:var(--bg);color:var(--fg);font:1rem/1.45 system-ui,sans-serif}"
    "h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}"
    ".wide{overflow-x:auto}table{border-collapse:collapse;width:100%}"
    "th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);"
    "text-align:left;white-space:nowrap}td.n,th.n{text-align:right;"
    "font-variant-numeric:tabular-nums}th{color:var(--soft);font-weight:600}"
    ".bar{display:flex;height:.9rem;min-width:8rem;background:var(--empty);"
    "border-radius:3px;overflow:hidden}.bar i{display:block;height:100%}"
    ".ok{background:var(--ok)}.gone{background:var(--gone)}"
    ".lost{background:var(--lost)}.key{color:var(--soft)}"
    ".cells{display:flex;flex-wrap:wrap;gap:2px;min-width:9rem}"
    ".cells i{width:.55rem;height:.9rem;border-radius:1px}"
    "details{margin:.6rem 0}summary{overflow-wrap:anywhere}"
    "table.map{margin:.3rem 0}.map td{padding:.1rem .6rem;border:0}"
    ".leaf td{color:var(--soft)}.leaf td:first-child{padding-left:1.8rem}"
    ".map td:first-child{width:1%}.map td+td{width:99%}"
    ".where{display:block;width:100%;min-width:8rem;height:.9rem;"
    "background:var(--ok);border-radius:3px}"
    ".map svg{display:block;width:100%;min-width:14rem;height:.9rem;"
    "background:var(--empty)}rect.ok{fill:var(--ok)}"
    "rect.gone{fill:var(--gone)}rect.lost{fill:var(--lost)}"
    ".key i{display:inline-block;width:.8rem;height:.8rem;border-radius:2px;"
    "margin-right:.3rem;vertical-align:-.05rem}"
    ".key span{white-space:nowrap;margin-right:1rem}"
    "h1{overflow-wrap:anywhere}"
    "td.path{white-space:normal;overflow-wrap:anywhere;min-width:10rem}"
    "@media(max-width:34rem){table{font-size:.8rem}th,td{padding:.25rem}"
    "td.state{white-space:normal}.leaf td:first-child{padding-left:1rem}"
    ".bar,.where{min-width:4rem}td.path{min-width:6rem}.cells{min-width:6rem}"
    "th{white-space:normal}}";

void
allot_export_html_text(const char *text)
{
    for (; text && *text; text++) {
        switch (*text) {
            case '&':
                fputs("&amp;", stdout);
                break;
            case '<':
                fputs("&lt;", stdout);
                break;
            case '>':
                fputs("&gt;", stdout);
                break;
            case '"':
                fputs("&quot;", stdout);
                break;
            default:
                putchar(*text);
        }
    }
}

static uint64_t
allot_html_number(const json_t *from, const char *one, const char *two)
{
    const json_t *value = json_object_get(from, one);

    if (two)
        value = json_object_get(value, two);
    return (uint64_t)json_integer_value(value);
}

static void
allot_html_part(const char *class, uint64_t part, uint64_t all)
{
    if (part && all)
        printf("<i class=%s style=\"width:%.3f%%\"></i>", class,
               100.0 * (double)part / (double)all);
}

/* What of a count can be read, comes back, is gone. */
static void
allot_html_bar(const json_t *counts, uint64_t all)
{
    fputs("<div class=bar>", stdout);
    allot_html_part("ok", allot_html_number(counts, "recoverable", NULL), all);
    allot_html_part("gone", allot_html_number(counts, "unavailable", NULL),
                    all);
    allot_html_part("lost", allot_html_number(counts, "lost", NULL), all);
    fputs("</div>", stdout);
}

#define HTML_CELLS 50

static void
allot_html_cells_of(const char *class, uint64_t n)
{
    for (; n > 0; n--)
        printf("<i class=%s></i>", class);
}

/* A brick's row of the map: a cell stands for @cell blocks. What failed is
 * never rounded away. */
static void
allot_html_cells(const json_t *counts, uint64_t cell)
{
    uint64_t all = (allot_html_number(counts, "total", NULL) + cell - 1) / cell;
    uint64_t gone =
        (allot_html_number(counts, "unavailable", NULL) + cell - 1) / cell;
    uint64_t lost = (allot_html_number(counts, "lost", NULL) + cell - 1) / cell;

    fputs("<div class=cells>", stdout);
    allot_html_cells_of("ok", all > gone + lost ? all - gone - lost : 0);
    allot_html_cells_of("gone", gone);
    allot_html_cells_of("lost", lost);
    fputs("</div>", stdout);
}

static const char *
allot_html_size(uint64_t bytes)
{
    static char text[ALLOT_SIZE_TEXT];

    return allot_format_size(bytes, text);
}

/* Name and place of a brick, or of a set, which has none: the first two cells
 * of its row. */
static void
allot_html_place(const json_t *brick)
{
    const char *path = json_string_value(json_object_get(brick, "path"));

    fputs("<td>", stdout);
    allot_export_html_text(json_string_value(json_object_get(brick, "name")));
    fputs("<td class=path>", stdout);
    allot_export_html_text(json_string_value(json_object_get(brick, "host")));
    fputs(path ? ":" : "", stdout);
    allot_export_html_text(path);
    if (json_is_true(json_object_get(brick, "arbiter")))
        fputs(" (arbiter)", stdout);
}

/* The bricks of a set, below it. What they have is the set's. */
static void
allot_html_leaves(const json_t *set)
{
    const json_t *leaf;
    size_t i;

    json_array_foreach(json_object_get(set, "leaves"), i, leaf)
    {
        fputs("<tr class=leaf>", stdout);
        allot_html_place(leaf);
        fputs("<td>", stdout);
        allot_export_html_text(
            json_string_value(json_object_get(leaf, "state")));
        fputs("<td colspan=3></tr>", stdout);
    }
}

static void
allot_html_bricks(const json_t *status)
{
    const json_t *bricks = json_object_get(status, "bricks");
    const json_t *brick;
    size_t i;

    fputs(
        "<h2>Bricks</h2><div class=wide><table><tr><th>Brick<th>Place"
        "<th>State<th class=n>Used<th class=n>Size<th>Fill</tr>",
        stdout);
    json_array_foreach(bricks, i, brick)
    {
        uint64_t used = allot_html_number(brick, "used_bytes", NULL);
        uint64_t size = allot_html_number(brick, "capacity_bytes", NULL);

        fputs("<tr>", stdout);
        allot_html_place(brick);
        fputs("<td class=state>", stdout);
        allot_export_html_text(
            json_string_value(json_object_get(brick, "state")));
        if (json_is_true(json_object_get(brick, "degraded")))
            fputs(", degraded", stdout);
        printf("<td class=n>%s", allot_html_size(used));
        printf("<td class=n>%s<td><div class=bar>", allot_html_size(size));
        allot_html_part("ok", used < size ? used : size, size);
        fputs("</div></tr>", stdout);
        allot_html_leaves(brick);
    }
    fputs("</table></div>", stdout);
}

static void
allot_html_blocks(const json_t *report)
{
    const json_t *bricks = json_object_get(report, "bricks");
    const json_t *brick;
    uint64_t most = 0, cell;
    size_t i;

    json_array_foreach(bricks, i, brick)
    {
        if (allot_html_number(brick, "blocks", "total") > most)
            most = allot_html_number(brick, "blocks", "total");
    }
    cell = most ? (most + HTML_CELLS - 1) / HTML_CELLS : 1;
    printf(
        "<h2>Map of blocks over bricks</h2><p class=key>"
        "<span><i class=ok></i>can be read</span>"
        "<span><i class=gone></i>return with their brick</span>"
        "<span><i class=lost></i>lost</span></p>"
        "<p class=key>A cell is %" PRIu64
        " block%s.</p>"
        "<div class=wide><table><tr><th>Brick<th class=n>Blocks"
        "<th class=n>Failed<th class=n>Bytes<th>Map</tr>",
        cell, allot_plural(cell));
    json_array_foreach(bricks, i, brick)
    {
        const char *name = json_string_value(json_object_get(brick, "name"));

        fputs("<tr><td>", stdout);
        if (name)
            allot_export_html_text(name);
        else
            printf("#%" PRIu64, allot_html_number(brick, "index", NULL));
        printf("<td class=n>%" PRIu64 "<td class=n>%" PRIu64
               "<td class=n>%s<td>",
               allot_html_number(brick, "blocks", "total"),
               allot_html_number(brick, "blocks", "failed"),
               allot_html_size(allot_html_number(brick, "bytes", "total")));
        allot_html_cells(json_object_get(brick, "blocks"), cell);
        fputs("</tr>", stdout);
    }
    fputs("</table></div>", stdout);
}

#define HTML_COLUMNS 500

/* How much of each column of a file's bar failed, 0 to 1. */
struct allot_html_where {
    double gone[HTML_COLUMNS];
    double lost[HTML_COLUMNS];
};

/* Adds @sign times the ranges to the columns that they touch. */
static void
allot_html_cover(double *columns, const json_t *ranges, double size,
                 double sign)
{
    const json_t *range;
    size_t i;

    json_array_foreach(ranges, i, range)
    {
        double at = (double)json_integer_value(json_array_get(range, 0));
        double end = (double)json_integer_value(json_array_get(range, 1));
        int c;

        at *= HTML_COLUMNS / size;
        end *= HTML_COLUMNS / size;
        for (c = (int)at; c < HTML_COLUMNS && c < end; c++)
            columns[c] +=
                sign * ((end < c + 1 ? end : c + 1) - (at > c ? at : c));
    }
}

/* The height of a part of a column in percent. What failed is never rounded
 * away. */
static unsigned int
allot_html_height(double part)
{
    unsigned int height = (unsigned int)(part * 100 + 0.5);

    if (part < 1e-9)
        return 0;
    return height < 15 ? 15 : height > 100 ? 100 : height;
}

static void
allot_html_rect(const char *class, int from, int to, unsigned int y,
                unsigned int height)
{
    if (height)
        printf("<rect class=%s x=%d y=%u width=%d height=%u></rect>", class,
               from, y, to - from, height);
}

/* Where in the file the failed ranges are. A column stands for many blocks of a
 * large file, and is filled as high as they failed; a run of equal ones is
 * drawn at once. */
static void
allot_html_ranges(const json_t *file)
{
    uint64_t size = allot_html_number(file, "size", NULL);
    const json_t *failed = json_object_get(file, "lost_ranges");
    const json_t *back = json_object_get(file, "unavailable_ranges");
    struct allot_html_where where = {{0}, {0}};
    int c, start;

    if (size == 0) {
        fputs("<div class=bar></div>", stdout);
        return;
    }
    if (!back && allot_html_number(file, "bytes", "lost") == 0)
        back = failed;
    allot_html_cover(where.gone, back, (double)size, 1);
    allot_html_cover(where.lost, failed, (double)size, 1);
    allot_html_cover(where.lost, back, (double)size, -1);
    printf(
        "<svg class=where viewBox=\"0 0 %d 100\" preserveAspectRatio=none "
        "role=img aria-label=\"where it failed\">",
        HTML_COLUMNS);
    for (c = 0; c < HTML_COLUMNS; c++) {
        unsigned int gone = allot_html_height(where.gone[c]);
        unsigned int lost = allot_html_height(where.lost[c]);

        for (start = c; c + 1 < HTML_COLUMNS &&
                        allot_html_height(where.gone[c + 1]) == gone &&
                        allot_html_height(where.lost[c + 1]) == lost;)
            c++;
        /* Both grow from above; what is lost stands before what returns. */
        if (lost + gone > 100 && gone > lost)
            gone = 100 - lost;
        else if (lost + gone > 100)
            lost = 100 - gone;
        allot_html_rect("lost", start, c + 1, 0, lost);
        allot_html_rect("gone", start, c + 1, lost, gone);
    }
    fputs("</svg>", stdout);
}

static void
allot_html_files(const json_t *report, FILE *list)
{
    uint64_t damaged = allot_html_number(report, "files", "damaged") +
                       allot_html_number(report, "files", "unreadable");
    uint64_t shown = 0;
    json_t *file;

    printf("<h2>Damaged files</h2><p>%" PRIu64 " of %" PRIu64 "</p>", damaged,
           allot_html_number(report, "files", "total"));
    if (damaged == 0)
        return;
    fputs(
        "<div class=wide><table><tr><th>File<th class=n>Size"
        "<th class=n>Failed blocks<th>Reason<th>Where</tr>",
        stdout);
    rewind(list);
    while (shown < ALLOT_HTML_FILES && (file = allot_export_next(list))) {
        fputs("<tr><td class=path>", stdout);
        allot_export_html_text(
            json_string_value(json_object_get(file, "path")));
        printf("<td class=n>%s<td class=n>%" PRIu64 " of %" PRIu64 "<td>",
               allot_html_size(allot_html_number(file, "size", NULL)),
               allot_html_number(file, "blocks", "failed"),
               allot_html_number(file, "blocks", "total"));
        allot_export_html_text(
            json_string_value(json_object_get(file, "reason")));
        fputs("<td>", stdout);
        allot_html_ranges(file);
        fputs("</tr>", stdout);
        json_decref(file);
        shown++;
    }
    fputs("</table></div>", stdout);
    if (shown < damaged)
        printf("<p>%" PRIu64 " more are left out: --json lists them.</p>",
               damaged - shown);
}

/* Where the blocks of the first damaged files lie. */
static void
allot_html_maps(struct allot_target *target,
                const struct allot_doc_status *status, FILE *list)
{
    json_t *file;
    int n;

    fputs(
        "<h2>Their blocks over bricks</h2><p class=key>From the beginning of "
        "the file to its end.</p>",
        stdout);
    rewind(list);
    for (n = 0; n < ALLOT_HTML_MAPS && (file = allot_export_next(list)); n++) {
        printf("<details%s><summary>", n < 3 ? " open" : "");
        allot_export_html_text(
            json_string_value(json_object_get(file, "path")));
        fputs("</summary><div class=wide>", stdout);
        allot_export_map(target, status, file);
        fputs("</div></details>", stdout);
        json_decref(file);
    }
}

/* When it was so. */
static void
allot_html_time(void)
{
    time_t now = time(NULL);
    struct tm tm;
    char text[32];

    if (gmtime_r(&now, &tm) && strftime(text, sizeof(text), "%F %R UTC", &tm))
        printf(", %s", text);
}

static void
allot_html_next(const struct allot_doc_status *status, const char *title)
{
    char *next = allot_next_sentence(status, title, NULL);

    if (!next)
        return;
    fputs("<p>Next: ", stdout);
    allot_export_html_text(next);
    fputs(".</p>", stdout);
    free(next);
}

int
allot_export_html(struct allot_target *target,
                  const struct allot_doc_status *status, const json_t *report,
                  FILE *list)
{
    const char *title = target->shown;
    const json_t *because = json_object_get(report, "inexact_because");
    const json_t *reason;
    size_t i;

    fputs(
        "<!DOCTYPE html><html lang=en><head><meta charset=utf-8>"
        "<meta name=viewport content=\"width=device-width,"
        "initial-scale=1\"><title>allot report ",
        stdout);
    allot_export_html_text(title);
    printf("</title><style>%s</style></head><body><h1>", allot_html_style);
    allot_export_html_text(status->name[0] ? status->name : title);
    fputs(": ", stdout);
    allot_export_html_text(status->state);
    fputs("</h1><p class=key>", stdout);
    allot_export_html_text(title);
    allot_html_time();
    printf("</p><p>%" PRIu64 " of %" PRIu64 " blocks can be read, %" PRIu64
           " return with their bricks, "
           "%" PRIu64 " are lost.</p>",
           allot_html_number(report, "blocks", "recoverable"),
           allot_html_number(report, "blocks", "total"),
           allot_html_number(report, "blocks", "unavailable"),
           allot_html_number(report, "blocks", "lost"));
    allot_html_bar(json_object_get(report, "blocks"),
                   allot_html_number(report, "blocks", "total"));
    json_array_foreach(because, i, reason)
    {
        fputs("<p>Not exact: ", stdout);
        allot_export_html_text(json_string_value(reason));
        fputs("</p>", stdout);
    }
    allot_html_next(status, title);
    allot_html_bricks(status->root);
    allot_html_blocks(report);
    allot_html_files(report, list);
    if (allot_html_number(report, "files", "damaged") +
        allot_html_number(report, "files", "unreadable"))
        allot_html_maps(target, status, list);
    fputs("</body></html>\n", stdout);
    return ferror(stdout) ? -EIO : 0;
}
