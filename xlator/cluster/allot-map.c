/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-map.c - the document of glusterfs.allot.map: which host and brick has
 * which bytes of a file, for schedulers that put work near its data. It says
 * where bytes belong, not whether they can be read (that is the report's).
 *
 * A value of a virtual attribute is at most 64 KiB through a mount, so a
 * document has at most ALLOT_MAP_RANGES ranges and then "next", the offset for
 * which to ask on: glusterfs.allot.map.OFFSET.
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
