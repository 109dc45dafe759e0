/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-map.c - the document of glusterfs.allot.map: which host and brick has
 * which bytes of a file, for schedulers that put work near its data. It says
 * where bytes belong, not whether they can be read (that is the report's).
 *
 * A value of a virtual attribute is at most 64 KiB through a mount, so a
 * document has at most ALLOT_MAP_RANGES ranges and then "next", the offset for
 * which to ask on: glusterfs.allot.map.OFFSET.
 *
 * The same for programs that know GlusterFS's own trusted.glusterfs.pathinfo:
 *
 *   (<STRIPE:NAME:[BLOCK SIZE]> PLACE PLACE ...)   block i is on PLACE i mod n
 *   (<ALLOT:NAME> PLACE PLACE ...)                 no such n: each place once
 *
 * as cluster/stripe wrote it, a PLACE being what the brick (or the set) itself
 * says of the portion, <POSIX(BRICK):HOST:PATH>; <UNREACHABLE:BRICK> if it does
 * not answer.
 */
#include "allot-bricks-impl.h"
#include "allot-fops.h"
#include "allot-proto.h"
#include "allot-split.h"
#include <jansson.h>

#define ALLOT_MAP_RANGES 256

static json_t *
map_range(xlator_t *this, uint64_t start, uint64_t end, int32_t idx)
{
    const struct allot_child *c = NULL;
    struct allot_bricks *b = allot_bricks_of(this);
    json_t *one = json_pack("{s:I, s:I}", "start", (json_int_t)start, "end",
                            (json_int_t)end);
    const struct allot_leaf *l = NULL;
    int i = 0;

    /* Name, host and path are set by init and never change. */
    pthread_mutex_lock(&b->lock);
    for (i = 0; i < b->count && idx != ALLOT_PIECE_BASE; i++)
        if (b->children[i].idx == (uint16_t)idx)
            c = &b->children[i];
    /* Of a set the first brick with data that serves now. */
    for (i = 0; c && !l && i < c->leaf_count; i++)
        if (c->leaves[i].state == ALLOT_BRICK_UP && !c->leaves[i].arbiter)
            l = &c->leaves[i];
    if (c && !l)
        l = &c->leaves[0];
    pthread_mutex_unlock(&b->lock);
    json_object_set_new(one, "brick",
                        c ? json_string(c->xl->name) : json_null());
    json_object_set_new(one, "host",
                        l && l->host ? json_string(l->host) : json_null());
    json_object_set_new(one, "path",
                        l && l->path ? json_string(l->path) : json_null());
    return one;
}

/* Ranges from @from on; *@next: where it was cut, 0: it was not. */
static int
map_ranges(xlator_t *this, const struct allot_layout *layout, uint64_t size,
           uint64_t from, json_t *list, uint64_t *next)
{
    struct allot_split_iter iter;
    struct allot_piece piece;
    uint64_t start = 0;
    uint64_t end = 0;
    int32_t idx = 0;
    int ret = 0;

    *next = 0;
    if (from >= size)
        return 0;
    ret = allot_split_begin(&iter, layout, from, size - from);
    if (ret)
        return ret;
    while (allot_split_next(&iter, &piece)) {
        if (end > start && piece.brick_idx == idx) {
            end += piece.len;
            continue;
        }
        if (end > start)
            json_array_append_new(list, map_range(this, start, end, idx));
        if (json_array_size(list) == ALLOT_MAP_RANGES) {
            *next = piece.offset;
            return 0;
        }
        start = piece.offset;
        end = start + piece.len;
        idx = piece.brick_idx;
    }
    if (end > start)
        json_array_append_new(list, map_range(this, start, end, idx));
    return 0;
}

char *
allot_map_json(xlator_t *this, inode_t *inode, uint64_t from, int *err)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    struct allot_rec *rec = NULL;
    enum allot_kind kind = ALLOT_KIND_UNKNOWN;
    struct iatt base;
    json_t *ranges = json_array();
    json_t *doc = NULL;
    char *text = NULL;
    uint64_t size = 0;
    uint64_t next = 0;
    int ret = ai && ranges ? allot_refresh(this, inode, &base) : -ENOMEM;

    if (ret == 0) {
        rec = allot_inode_rec(ai, &kind);
        size = base.ia_size;
        if (kind == ALLOT_KIND_BROKEN) {
            ret = -EIO;
        } else if (kind == ALLOT_KIND_SPREAD) {
            /* Of a file that is being written: what its record has so far. */
            size = rec->r.size > ai->known_size ? rec->r.size : ai->known_size;
            ret = map_ranges(this, rec->r.layout, size, from, ranges, &next);
        } else if (from < size) {
            json_array_append_new(
                ranges, map_range(this, from, size, ALLOT_PIECE_BASE));
        }
    }
    if (ret == 0) {
        doc = json_pack("{s:i, s:I, s:O}", "version", 1, "size",
                        (json_int_t)size, "ranges", ranges);
        if (doc && next)
            json_object_set_new(doc, "next", json_integer(next));
        text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
        ret = text ? 0 : -ENOMEM;
    }
    json_decref(doc);
    json_decref(ranges);
    allot_rec_unref(rec);
    *err = -ret;
    return text;
}

/* ---- pathinfo -------------------------------------------------------------
 */

#define PATHINFO_PERIOD 1024  /* places that a text lists at most */
#define PATHINFO_BLOCKS 65536 /* blocks looked at: at least a whole cycle */

/* Which brick has block @b, or -1: not one alone. */
static int
pathinfo_place(const struct allot_layout *layout, uint64_t block_size,
               uint64_t size, uint64_t b)
{
    uint64_t at = b * block_size;
    uint64_t end = at + block_size < size ? at + block_size : size;
    struct allot_place place;

    /* Inline bytes are part of block 0. */
    if (at < layout->inline_limit)
        at = layout->inline_limit;
    if (at >= end)
        return -1;
    allot_layout_place(layout, at, &place);
    return place.end_byte >= end ? place.brick_idx : -1;
}

/* The places in order, if block i is on place i mod n for all blocks; 0: it is
 * not so. @places: room for PATHINFO_BLOCKS. */
static int
pathinfo_period(const struct allot_layout *layout, uint64_t block_size,
                uint64_t size, int *places)
{
    uint64_t blocks = (size + block_size - 1) / block_size;
    int n = 0;
    int b = 0;

    if (blocks > PATHINFO_BLOCKS)
        blocks = PATHINFO_BLOCKS;
    for (b = 0; b < (int)blocks; b++) {
        places[b] = pathinfo_place(layout, block_size, size, b);
        if (places[b] < 0)
            return 0;
    }
    for (n = 1; n <= PATHINFO_PERIOD && n <= (int)blocks; n++) {
        for (b = n; b < (int)blocks && places[b] == places[b - n];)
            b++;
        if (b == (int)blocks)
            return n;
    }
    return 0;
}

/* What each brick of the layout says of its portion. */
static void
pathinfo_ask(xlator_t *this, inode_t *inode, const struct allot_rec *rec,
             struct allot_call *calls)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    const struct allot_layout *layout = rec->r.layout;
    dict_t *xdata = allot_xdata_internal();
    struct allot_brick_view view;
    loc_t loc = {
        0,
    };
    uint32_t i = 0;

    if (!xdata || !ai || allot_portion_loc(this, inode, ai, rec->r.nonce, &loc))
        goto out;
    for (i = 0; i < layout->brick_count; i++) {
        allot_call_init(&calls[i], NULL, GF_FOP_GETXATTR);
        if (!allot_brick_get(this, layout->bricks[i], &view) &&
            allot_brick_usable(&view))
            calls[i].xl = view.xl;
        calls[i].loc = &loc;
        calls[i].name = GF_XATTR_PATHINFO_KEY;
        calls[i].xdata = xdata;
    }
    allot_fan(this, calls, layout->brick_count);
out:
    if (xdata)
        dict_unref(xdata);
    loc_wipe(&loc);
}

static void
pathinfo_put(FILE *out, const struct allot_layout *layout,
             struct allot_call *calls, int brick)
{
    char *text = NULL;
    uint32_t i = 0;

    for (i = 0; i < layout->brick_count; i++)
        if (layout->bricks[i] == brick)
            break;
    if (i < layout->brick_count && calls[i].ret >= 0 && calls[i].rdict &&
        dict_get_str(calls[i].rdict, GF_XATTR_PATHINFO_KEY, &text) == 0)
        fprintf(out, " %s", text);
    else
        fprintf(out, " <UNREACHABLE:%d>", brick);
}

char *
allot_pathinfo_text(xlator_t *this, inode_t *inode, int *err)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    const struct allot_layout *layout = NULL;
    enum allot_kind kind = ALLOT_KIND_UNKNOWN;
    struct allot_rec *rec = NULL;
    struct allot_call *calls = NULL;
    int *places = GF_CALLOC(PATHINFO_BLOCKS, sizeof(*places), allot_mt_misc);
    struct iatt base;
    char *text = NULL;
    size_t len = 0;
    FILE *out = NULL;
    uint64_t block = 0;
    uint64_t size = 0;
    int n = 0;
    int i = 0;
    int ret = ai && places ? allot_refresh(this, inode, &base) : -ENOMEM;

    if (ret == 0)
        rec = allot_inode_rec(ai, &kind);
    if (ret == 0 && kind != ALLOT_KIND_SPREAD)
        ret = kind == ALLOT_KIND_BROKEN ? -EIO : -ESTALE;
    if (ret)
        goto out;
    layout = rec->r.layout;
    calls = GF_CALLOC(layout->brick_count, sizeof(*calls), allot_mt_calls);
    out = calls ? open_memstream(&text, &len) : NULL;
    if (!out) {
        ret = -ENOMEM;
        goto out;
    }
    pathinfo_ask(this, inode, rec, calls);
    size = rec->r.size > ai->known_size ? rec->r.size : ai->known_size;
    block = 1ULL << layout->extents[layout->extent_count - 1].block_shift;
    n = pathinfo_period(layout, block, size, places);
    if (n) {
        fprintf(out, "(<STRIPE:%s:[%" PRIu64 "]>", this->name, block);
        for (i = 0; i < n; i++)
            pathinfo_put(out, layout, calls, places[i]);
    } else {
        fprintf(out, "(<ALLOT:%s>", this->name);
        for (i = 0; i < (int)layout->brick_count; i++)
            pathinfo_put(out, layout, calls, layout->bricks[i]);
    }
    fputc(')', out);
    fclose(out);
    allot_calls_wipe(calls, layout->brick_count);
out:
    GF_FREE(calls);
    GF_FREE(places);
    allot_rec_unref(rec);
    *err = -ret;
    return text;
}
