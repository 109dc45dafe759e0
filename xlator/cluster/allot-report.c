/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-report.c - the documents of glusterfs.allot.report and .layout of one
 * file: extents, members and how each of them is. Counting blocks and ranges is
 * the command's work (core/allot-recovery.h): a document stays small for a file
 * of any size.
 */
#include "allot-fops.h"
#include "allot-presence.h"
#include "allot-proto.h"
#include "allot-split.h"
#include <jansson.h>

/* ---- holes
 * ------------------------------------------------------------------------- */

/* The next run of data of one portion at or past @at. 0; -ENXIO: none. */
static int
next_data(xlator_t *this, struct allot_call *call, uint64_t at, uint64_t *start,
          uint64_t *end)
{
    int ret = 0;

    call->off = at;
    call->flags = GF_SEEK_DATA;
    ret = allot_call_one(this, call);
    if (ret < 0)
        return ret;
    *start = call->roff;
    call->off = call->roff;
    call->flags = GF_SEEK_HOLE;
    ret = allot_call_one(this, call);
    if (ret < 0)
        return ret;
    *end = call->roff;
    return 0;
}

/* Counts the blocks of one member that are holes altogether. */
static void
count_holes(xlator_t *this, const struct allot_rec *rec, uint64_t size,
            struct allot_call *call, uint16_t idx, uint64_t *blocks,
            uint64_t *bytes)
{
    const struct allot_layout *layout = rec->r.layout;
    struct allot_place place;
    uint64_t at = layout->inline_limit;
    uint64_t start = 0;
    uint64_t end = 0;
    int ret = 0;

    for (; at < size; at = place.end_byte) {
        allot_layout_place(layout, at, &place);
        if (place.end_byte > size)
            place.end_byte = size;
        if (place.brick_idx != idx)
            continue;
        /* The inline bytes are part of block 0. */
        if (at == layout->inline_limit && at > 0)
            continue;
        if (ret == 0 && end <= at)
            ret = next_data(this, call, at, &start, &end);
        if (ret && ret != -ENXIO)
            return; /* not known */
        if (ret == -ENXIO || start >= place.end_byte) {
            (*blocks)++;
            *bytes += place.end_byte - at;
        }
    }
}

/* ---- the document
 * -------------------------------------------------------------------- */

static const char *
member_fail(xlator_t *this, uint16_t idx, int err)
{
    struct allot_brick_view view;

    allot_brick_get(this, idx, &view);
    if (view.state == ALLOT_BRICK_BLANK)
        return "blank";
    if (view.state == ALLOT_BRICK_LOST)
        return "lost";
    if (!allot_brick_usable(&view))
        return "down";
    if (err == 0)
        return "ok";
    /* A sick disk: what it does not give now it may give later. So may a set
     * that misses a brick: that one may have what the others have not. */
    if (view.state == ALLOT_BRICK_FAILING || view.degraded)
        return "down";
    return err == -ENODATA || err == -EIO ? "missing" : "down";
}

/* How the member @idx of a file is. @err: what asking for its portion gave,
 * @st: the portion. */
static void
member_state(xlator_t *this, inode_t *inode, const struct allot_rec *rec,
             uint16_t idx, int err, const struct iatt *st, uint64_t size,
             struct allot_report_member *member)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    struct allot_brick_view view;
    struct allot_call call;
    uint64_t blocks = 0;
    uint64_t expected = 0;
    loc_t loc = {
        0,
    };

    memset(member, 0, sizeof(*member));
    member->idx = idx;
    member->fail = member_fail(this, idx, err);
    if (strcmp(member->fail, "ok") != 0)
        return;
    allot_layout_blocks_of(rec->r.layout, idx, size, &blocks, &expected);
    /* As many disk blocks as bytes: no holes, nothing to ask. */
    if (st->ia_blocks * 512 < expected && !allot_brick_get(this, idx, &view) &&
        !allot_portion_loc(this, inode, ai, rec->r.nonce, &loc)) {
        allot_call_init(&call, view.xl, GF_FOP_SEEK);
        call.fd = fd_anonymous(loc.inode);
        call.xdata = rec->gen_xdata;
        if (call.fd) {
            count_holes(this, rec, size, &call, idx, &member->hole_blocks,
                        &member->hole_bytes);
            fd_unref(call.fd);
        }
    }
    loc_wipe(&loc);
}

static json_t *
member_json(xlator_t *this, inode_t *inode, const struct allot_rec *rec,
            uint16_t idx, int err, const struct iatt *st, uint64_t size)
{
    struct allot_report_member member;

    member_state(this, inode, rec, idx, err, st, size, &member);
    return json_pack("{s:i, s:s, s:I, s:I}", "index", (int)idx, "fail",
                     member.fail, "hole_blocks", (json_int_t)member.hole_blocks,
                     "hole_bytes", (json_int_t)member.hole_bytes);
}

json_t *
allot_extents_json(const struct allot_layout *layout)
{
    json_t *list = json_array();
    json_t *members = NULL;
    uint32_t e = 0;
    int m = 0;

    for (e = 0; list && e < layout->extent_count; e++) {
        const struct allot_extent *x = &layout->extents[e];

        members = json_array();
        for (m = 0; members && m < x->member_count; m++)
            json_array_append_new(
                members, json_pack("[i, i]", (int)x->members[m].brick_idx,
                                   (int)x->members[m].weight));
        json_array_append_new(
            list,
            json_pack("{s:I, s:I, s:i, s:o}", "start",
                      (json_int_t)x->start_byte, "phase", (json_int_t)x->phase,
                      "block_shift", (int)x->block_shift, "members", members));
    }
    return list;
}

/* Does what many were asked at once tell all that is to be known of this
 * one. */
static gf_boolean_t
presence_tells(xlator_t *this, const struct allot_rec *rec,
               const struct allot_presence *told, int *errs, struct iatt *sts)
{
    struct allot_brick_view view;
    uint32_t i = 0;

    if (!told->blocks512 || told->rec->r.seq != rec->r.seq)
        return _gf_false;
    for (i = 0; i < rec->r.layout->brick_count; i++) {
        errs[i] = 0;
        sts[i].ia_blocks = told->blocks512[i];
        if (allot_brick_get(this, rec->r.layout->bricks[i], &view) ||
            !allot_brick_usable(&view))
            errs[i] = -ENOTCONN;
        else if (told->blocks512[i] == ALLOT_PRESENCE_UNKNOWN)
            return _gf_false;
    }
    return _gf_true;
}

struct allot_report_member *
allot_report_members(xlator_t *this, const struct allot_presence *seen)
{
    struct allot_inode *ai = allot_inode_peek(this, seen->inode);
    const struct allot_layout *layout = seen->rec->r.layout;
    int n = layout->brick_count;
    struct allot_report_member *members = calloc(n, sizeof(*members));
    struct iatt *sts = calloc(n, sizeof(*sts));
    int *errs = calloc(n, sizeof(*errs));
    enum allot_kind kind = ALLOT_KIND_UNKNOWN;
    struct allot_rec *rec = ai ? allot_inode_rec(ai, &kind) : NULL;
    int i = 0;

    if (!members || !sts || !errs || !rec || kind != ALLOT_KIND_SPREAD ||
        (rec->r.flags & ALLOT_RECORD_DIRTY) ||
        !presence_tells(this, rec, seen, errs, sts)) {
        free(members);
        members = NULL;
    }
    for (i = 0; members && i < n; i++)
        member_state(this, seen->inode, rec, layout->bricks[i], errs[i],
                     &sts[i], rec->r.size, &members[i]);
    allot_rec_unref(rec);
    free(sts);
    free(errs);
    return members;
}

/* Adds what only a spread file has. 0 or -errno. */
static int
spread_json(xlator_t *this, inode_t *inode, const struct allot_rec *rec,
            const struct iatt *base, gf_boolean_t full,
            const struct allot_presence *told, json_t *doc)
{
    const struct allot_layout *layout = rec->r.layout;
    int n = layout->brick_count;
    struct allot_glimpse seen;
    struct iatt *sts = GF_CALLOC(n, sizeof(*sts), allot_mt_misc);
    int *errs = GF_CALLOC(n, sizeof(*errs), allot_mt_misc);
    json_t *members = json_array();
    json_t *because = json_array();
    gf_boolean_t clean = !(rec->r.flags & ALLOT_RECORD_DIRTY);
    uint64_t size = 0;
    int ret = -ENOMEM;
    int i = 0;

    if (!sts || !errs || !members || !because)
        goto out;
    if (clean && told && presence_tells(this, rec, told, errs, sts))
        ret = 0;
    else
        ret = allot_glimpse(this, inode, &rec->r, base->ia_size, &seen, errs,
                            sts);
    if (ret)
        goto out;
    size = clean ? rec->r.size : seen.size.size;
    if (!clean && !seen.size.exact)
        json_array_append_new(
            because, json_string("size not settled and a brick is away"));
    for (i = 0; full && i < n; i++)
        json_array_append_new(
            members, member_json(this, inode, rec, layout->bricks[i], errs[i],
                                 &sts[i], size));
    json_object_set_new(doc, "size", json_integer(size));
    json_object_set_new(doc, "exact", json_boolean(clean || seen.size.exact));
    json_object_set_new(doc, "settled", json_boolean(clean));
    json_object_set_new(doc, "generation", json_integer(rec->r.gen));
    json_object_set(doc, "inexact_because", because);
    json_object_set_new(doc, "extents", allot_extents_json(layout));
    json_object_set(doc, "members", members);
out:
    json_decref(members);
    json_decref(because);
    GF_FREE(sts);
    GF_FREE(errs);
    return ret;
}

char *
allot_report_json(xlator_t *this, inode_t *inode, gf_boolean_t full,
                  const struct iatt *known, const struct allot_presence *seen,
                  int *err)
{
    struct allot_inode *ai = allot_inode_get(this, inode);
    struct allot_rec *rec = NULL;
    enum allot_kind kind = ALLOT_KIND_UNKNOWN;
    struct iatt base;
    json_t *doc = NULL;
    char *text = NULL;
    int ret = ai ? 0 : -ENOMEM;

    if (ret == 0 && known) {
        /* Of a file that is being written the base's own size is needed, and a
         * listing has put the file's in its place. */
        base = *known;
        rec = allot_inode_rec(ai, &kind);
        if (!rec || (rec->r.flags & ALLOT_RECORD_DIRTY))
            known = NULL;
        allot_rec_unref(rec);
        rec = NULL;
    }
    if (ret == 0 && !known)
        ret = allot_refresh(this, inode, &base);
    if (ret == 0) {
        rec = allot_inode_rec(ai, &kind);
        if (kind == ALLOT_KIND_BROKEN)
            ret = -EIO;
    }
    if (ret == 0) {
        doc = json_pack(
            "{s:i, s:s, s:I, s:b, s:[], s:b, s:I, s:s, s:[], s:[], "
            "s:I}",
            "version", 1, "gfid", uuid_utoa(inode->gfid), "size",
            (json_int_t)base.ia_size, "exact", 1, "inexact_because", "spread",
            kind == ALLOT_KIND_SPREAD, "inline_limit",
            (json_int_t)(rec ? rec->r.layout->inline_limit
                             : allot_bricks_inline_limit(this)),
            "base", "ok", "extents", "members", "nlink",
            (json_int_t)base.ia_nlink);
        ret = doc ? 0 : -ENOMEM;
    }
    if (ret == 0 && kind == ALLOT_KIND_SPREAD)
        ret = spread_json(this, inode, rec, &base, full, seen, doc);
    if (ret == 0) {
        text = json_dumps(doc, JSON_COMPACT);
        ret = text ? 0 : -ENOMEM;
    }
    json_decref(doc);
    allot_rec_unref(rec);
    *err = -ret;
    return text;
}
