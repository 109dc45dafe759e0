/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * document.c - parse what the virtual xattrs say. It checks types and ranges;
 * whether extents make a layout is for allot_layout_new() to decide.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allot-wire.h"
#include "document.h"

static int
allot_doc_fail(struct allot_doc_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int
allot_doc_fail(struct allot_doc_error *err, int code, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(err->text, sizeof(err->text), format, ap);
    va_end(ap);
    return code;
}

static int
allot_doc_head(const json_t *root, struct allot_doc_error *err)
{
    const json_t *version;

    if (!json_is_object(root))
        return allot_doc_fail(err, -EBADMSG, "it is not a JSON object");
    version = json_object_get(root, "version");
    if (!json_is_integer(version))
        return allot_doc_fail(err, -EBADMSG, "key 'version' is missing");
    if (json_integer_value(version) != ALLOT_DOC_VERSION)
        return allot_doc_fail(
            err, -EPROTONOSUPPORT,
            "it has version %lld, this command understands %d",
            (long long)json_integer_value(version), ALLOT_DOC_VERSION);
    return 0;
}

static int
allot_doc_load(const char *text, size_t len, json_t **root,
               struct allot_doc_error *err)
{
    json_error_t jerr;

    *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &jerr);
    if (!*root)
        return allot_doc_fail(err, -EBADMSG, "it is not JSON: %s", jerr.text);
    return allot_doc_head(*root, err);
}

/* An integer in [min, max]; there is no default. */
static int
allot_doc_uint(const json_t *obj, const char *key, uint64_t min, uint64_t max,
               uint64_t *out, struct allot_doc_error *err)
{
    const json_t *val = json_object_get(obj, key);

    if (!json_is_integer(val))
        return allot_doc_fail(err, -EBADMSG, "key '%s' is not an integer", key);
    if (json_integer_value(val) < 0 ||
        (uint64_t)json_integer_value(val) < min ||
        (uint64_t)json_integer_value(val) > max)
        return allot_doc_fail(err, -EBADMSG, "key '%s' is out of range: %lld",
                              key, (long long)json_integer_value(val));
    *out = (uint64_t)json_integer_value(val);
    return 0;
}

/* A string; absent or null is the empty one unless it is needed. */
static int
allot_doc_string(const json_t *obj, const char *key, int needed,
                 const char **out, struct allot_doc_error *err)
{
    const json_t *val = json_object_get(obj, key);

    *out = "";
    if (json_is_string(val))
        *out = json_string_value(val);
    else if (needed || (val && !json_is_null(val)))
        return allot_doc_fail(err, -EBADMSG, "key '%s' is not a string", key);
    return 0;
}

static int
allot_doc_is_one_of(const char *text, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(text, *list) == 0)
            return 1;
    return 0;
}

/* A count that need not be there: 0 then, as what is below. */
static uint64_t
allot_doc_number(const json_t *obj, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(obj, key));

    return n > 0 ? (uint64_t)n : 0;
}

/* Of the volume or of a brick. */
static void
allot_doc_performance_parse(const json_t *obj,
                            struct allot_doc_performance *out)
{
    const json_t *from = json_object_get(obj, "performance");

    out->busy_seconds =
        json_number_value(json_object_get(from, "busy_seconds"));
    out->bytes_per_second =
        json_number_value(json_object_get(from, "bytes_per_second"));
    out->latency_seconds =
        json_number_value(json_object_get(from, "latency_seconds"));
}

static int
allot_doc_leaves_parse(const json_t *list, struct allot_doc_brick *brick,
                       struct allot_doc_error *err)
{
    size_t n = json_array_size(list), i;
    const json_t *val;

    if (n == 0)
        return 0;
    brick->leaves = calloc(n, sizeof(*brick->leaves));
    if (!brick->leaves)
        return allot_doc_fail(err, -ENOMEM, "out of memory");
    brick->leaf_count = n;
    for (i = 0; i < n; i++) {
        const json_t *obj = json_array_get(list, i);
        struct allot_doc_leaf *leaf = &brick->leaves[i];

        if (!json_is_object(obj))
            return allot_doc_fail(err, -EBADMSG, "a leaf is not an object");
        if (allot_doc_string(obj, "name", 1, &leaf->name, err) ||
            allot_doc_string(obj, "state", 1, &leaf->state, err) ||
            allot_doc_string(obj, "host", 0, &leaf->host, err) ||
            allot_doc_string(obj, "path", 0, &leaf->path, err) ||
            allot_doc_string(obj, "why", 0, &leaf->why, err) ||
            allot_doc_string(obj, "since", 0, &leaf->since, err))
            return -EBADMSG;
        leaf->arbiter = json_is_true(json_object_get(obj, "arbiter"));
        val = json_object_get(obj, "heals_pending");
        leaf->pending = json_is_boolean(val) ? json_is_true(val) : -1;
    }
    return 0;
}

static int
allot_doc_brick_parse(const json_t *obj, struct allot_doc_brick *brick,
                      struct allot_doc_error *err)
{
    const json_t *val;

    if (!json_is_object(obj))
        return allot_doc_fail(err, -EBADMSG, "a brick is not an object");
    val = json_object_get(obj, "index");
    brick->index = ALLOT_DOC_NO_INDEX;
    if (json_is_integer(val) && json_integer_value(val) >= 0 &&
        json_integer_value(val) < UINT16_MAX)
        brick->index = (uint32_t)json_integer_value(val);

    if (allot_doc_string(obj, "name", 1, &brick->name, err) ||
        allot_doc_string(obj, "state", 1, &brick->state, err) ||
        allot_doc_string(obj, "host", 0, &brick->host, err) ||
        allot_doc_string(obj, "path", 0, &brick->path, err) ||
        allot_doc_string(obj, "why", 0, &brick->why, err) ||
        allot_doc_string(obj, "since", 0, &brick->since, err) ||
        allot_doc_string(obj, "kind", 0, &brick->kind, err))
        return -EBADMSG;

    if (allot_doc_string(obj, "admin", 0, &brick->admin, err))
        return -EBADMSG;
    brick->degraded = json_is_true(json_object_get(obj, "degraded"));
    brick->healing = json_is_true(json_object_get(obj, "healing"));
    brick->spare = allot_doc_number(obj, "spare_failures");
    brick->spare_quorum = allot_doc_number(obj, "spare_by_quorum");
    brick->needed = allot_doc_number(obj, "sources_needed");
    if (brick->needed == 0)
        brick->needed = 1;
    brick->errors = allot_doc_number(obj, "errors");
    brick->failures = allot_doc_number(obj, "failures");
    brick->flaps = allot_doc_number(obj, "flaps");
    brick->turns = allot_doc_number(obj, "turns");
    brick->may_be_unreadable =
        json_is_true(json_object_get(obj, "may_be_unreadable"));
    val = json_object_get(obj, "resource");
    brick->fs_bytes = allot_doc_number(val, "capacity_bytes");
    brick->resource_share = json_number_value(json_object_get(val, "share"));
    allot_doc_performance_parse(obj, &brick->performance);
    brick->shared = json_is_true(json_object_get(obj, "shared_with_namespace"));
    brick->weight = json_number_value(json_object_get(obj, "weight"));
    brick->share = json_number_value(json_object_get(obj, "share"));
    brick->deviation = json_number_value(json_object_get(obj, "deviation"));

    /* A brick that never answered has no numbers: null or 0. */
    val = json_object_get(obj, "capacity_bytes");
    if (json_is_integer(val) && json_integer_value(val) > 0) {
        uint64_t used;

        if (allot_doc_uint(obj, "used_bytes", 0, INT64_MAX, &used, err))
            return -EBADMSG;
        brick->capacity_bytes = (uint64_t)json_integer_value(val);
        brick->used_bytes = used;
        brick->measured = 1;
    }
    return allot_doc_leaves_parse(json_object_get(obj, "leaves"), brick, err);
}

int
allot_doc_status_parse(const char *text, size_t len,
                       struct allot_doc_status *doc,
                       struct allot_doc_error *err)
{
    static const char *const states[] = {"UP", "DEGRADED", "PARTIAL", "DOWN",
                                         NULL};
    const json_t *bricks;
    size_t i;
    int ret;

    memset(doc, 0, sizeof(*doc));
    ret = allot_doc_load(text, len, &doc->root, err);
    if (ret)
        return ret;
    if (allot_doc_string(doc->root, "state", 1, &doc->state, err) ||
        allot_doc_string(doc->root, "volume", 0, &doc->volume, err) ||
        allot_doc_string(doc->root, "volume_name", 0, &doc->name, err) ||
        allot_doc_string(doc->root, "client", 0, &doc->client, err) ||
        allot_doc_string(doc->root, "inactive_because", 0,
                         &doc->inactive_because, err) ||
        allot_doc_string(doc->root, "namespace", 0, &doc->ns_kind, err))
        return -EBADMSG;
    if (!allot_doc_is_one_of(doc->state, states))
        return allot_doc_fail(err, -EBADMSG, "state '%s' is not known",
                              doc->state);
    doc->incomplete_listing =
        json_is_true(json_object_get(doc->root, "incomplete_listing"));
    doc->max_over_mean =
        json_number_value(json_object_get(doc->root, "max_over_mean"));
    doc->spare = allot_doc_number(doc->root, "spare_failures");
    allot_doc_performance_parse(doc->root, &doc->performance);

    bricks = json_object_get(doc->root, "bricks");
    if (!json_is_array(bricks))
        return allot_doc_fail(err, -EBADMSG, "key 'bricks' is not an array");
    if (json_array_size(bricks) == 0)
        return 0;
    doc->bricks = calloc(json_array_size(bricks), sizeof(*doc->bricks));
    if (!doc->bricks)
        return allot_doc_fail(err, -ENOMEM, "out of memory");
    for (i = 0; i < json_array_size(bricks); i++) {
        /* Counted first: what it owns is freed with the document. */
        doc->brick_count++;
        ret = allot_doc_brick_parse(json_array_get(bricks, i), &doc->bricks[i],
                                    err);
        if (ret)
            return ret;
    }
    return 0;
}

void
allot_doc_status_clear(struct allot_doc_status *doc)
{
    size_t i;

    for (i = 0; i < doc->brick_count; i++)
        free(doc->bricks[i].leaves);
    free(doc->bricks);
    json_decref(doc->root);
    memset(doc, 0, sizeof(*doc));
}

const struct allot_doc_brick *
allot_doc_status_brick(const struct allot_doc_status *doc, uint32_t index)
{
    size_t i;

    if (index == ALLOT_DOC_NO_INDEX)
        return NULL;
    for (i = 0; i < doc->brick_count; i++)
        if (doc->bricks[i].index == index)
            return &doc->bricks[i];
    return NULL;
}

const struct allot_doc_leaf *
allot_doc_status_leaf(const struct allot_doc_status *doc, const char *name,
                      const struct allot_doc_brick **set)
{
    size_t i, k;

    for (i = 0; i < doc->brick_count; i++)
        for (k = 0; k < doc->bricks[i].leaf_count; k++)
            if (strcmp(doc->bricks[i].leaves[k].name, name) == 0) {
                if (set)
                    *set = &doc->bricks[i];
                return &doc->bricks[i].leaves[k];
            }
    return NULL;
}

int
allot_doc_brick_is_down(const struct allot_doc_brick *brick)
{
    static const char *const down[] = {"down", "connecting", "failing", NULL};

    return allot_doc_is_one_of(brick->state, down);
}

int
allot_doc_brick_is_lost(const struct allot_doc_brick *brick)
{
    static const char *const lost[] = {"blank", "lost", NULL};

    return allot_doc_is_one_of(brick->state, lost);
}

int
allot_doc_set_is_blank(const struct allot_doc_brick *set)
{
    size_t i;

    for (i = 0; i < set->leaf_count; i++)
        if (strcmp(set->leaves[i].state, "blank") != 0)
            return 0;
    return set->leaf_count > 0;
}

int
allot_doc_is_gluster_volume(const struct allot_doc_status *doc)
{
    return doc->name[0] && !strchr(doc->name, '/');
}

static const char *const allot_fail_names[] = {
    [ALLOT_FAIL_NONE] = "ok",         [ALLOT_FAIL_DOWN] = "down",
    [ALLOT_FAIL_BLANK] = "blank",     [ALLOT_FAIL_LOST] = "lost",
    [ALLOT_FAIL_MISSING] = "missing",
};

const char *
allot_fail_name(enum allot_fail fail)
{
    return allot_fail_names[fail];
}

/* 0; -EBADMSG: it has no meaning. */
static int
allot_doc_fail_text(const char *name, enum allot_fail *out)
{
    size_t i;

    for (i = 0;
         name && i < sizeof(allot_fail_names) / sizeof(allot_fail_names[0]);
         i++)
        if (strcmp(name, allot_fail_names[i]) == 0) {
            *out = (enum allot_fail)i;
            return 0;
        }
    return -EBADMSG;
}

static int
allot_doc_fail_state(const json_t *obj, const char *key, enum allot_fail *out,
                     struct allot_doc_error *err)
{
    const char *name;

    if (allot_doc_string(obj, key, 1, &name, err))
        return -EBADMSG;
    if (allot_doc_fail_text(name, out))
        return allot_doc_fail(err, -EBADMSG, "key '%s' has no meaning: '%s'",
                              key, name);
    return 0;
}

/* One extent. Its members are allocated, also on failure. */
static int
allot_doc_extent_parse(const json_t *obj, struct allot_extent *ext,
                       struct allot_doc_error *err)
{
    const json_t *members = json_object_get(obj, "members");
    uint64_t phase, shift;
    size_t i, n;

    if (allot_doc_uint(obj, "start", 0, ALLOT_OFFSET_MAX, &ext->start_byte,
                       err) ||
        allot_doc_uint(obj, "phase", 0, UINT32_MAX, &phase, err) ||
        allot_doc_uint(obj, "block_shift", ALLOT_BLOCK_SHIFT_MIN,
                       ALLOT_BLOCK_SHIFT_MAX, &shift, err))
        return -EBADMSG;
    ext->phase = (uint32_t)phase;
    ext->block_shift = (uint8_t)shift;

    n = json_array_size(members);
    if (n == 0 || n > ALLOT_MEMBERS_MAX)
        return allot_doc_fail(err, -EBADMSG, "an extent has %zu members", n);
    ext->members = calloc(n, sizeof(*ext->members));
    if (!ext->members)
        return allot_doc_fail(err, -ENOMEM, "out of memory");
    ext->member_count = (uint8_t)n;
    for (i = 0; i < n; i++) {
        const json_t *pair = json_array_get(members, i);
        const json_t *idx = json_array_get(pair, 0);
        const json_t *weight = json_array_get(pair, 1);

        if (json_array_size(pair) != 2 || !json_is_integer(idx) ||
            !json_is_integer(weight) || json_integer_value(idx) < 0 ||
            json_integer_value(idx) >= UINT16_MAX ||
            json_integer_value(weight) < 1 ||
            json_integer_value(weight) > ALLOT_WEIGHT_MAX)
            return allot_doc_fail(err, -EBADMSG,
                                  "a member is not [brick, weight]");
        ext->members[i].brick_idx = (uint16_t)json_integer_value(idx);
        ext->members[i].weight = (uint8_t)json_integer_value(weight);
    }
    return 0;
}

/* @spread: it must have extents, and inline_limit. */
static int
allot_doc_layout_parse(const json_t *obj, int spread,
                       struct allot_layout **layout,
                       struct allot_doc_error *err)
{
    const json_t *extents = json_object_get(obj, "extents");
    struct allot_extent list[ALLOT_EXTENTS_MAX];
    size_t i, n = spread ? json_array_size(extents) : 0;
    uint64_t inline_limit = 0;
    int ret = 0;

    memset(list, 0, sizeof(list));
    if (spread && (n == 0 || n > ALLOT_EXTENTS_MAX))
        return allot_doc_fail(err, -EBADMSG, "the file has %zu extents", n);
    if ((spread || json_object_get(obj, "inline_limit")) &&
        allot_doc_uint(obj, "inline_limit", 0, UINT32_MAX, &inline_limit, err))
        return -EBADMSG;

    for (i = 0; i < n && ret == 0; i++)
        ret = allot_doc_extent_parse(json_array_get(extents, i), &list[i], err);
    if (ret == 0) {
        ret =
            allot_layout_new((uint32_t)inline_limit, list, (uint32_t)n, layout);
        if (ret)
            ret = allot_doc_fail(err, ret == -ENOMEM ? ret : -EBADMSG,
                                 "its extents make no layout: %s",
                                 strerror(-ret));
    }
    for (i = 0; i < n; i++)
        free(list[i].members);
    return ret;
}

int
allot_doc_layout_read(const json_t *obj, struct allot_layout **layout,
                      struct allot_doc_error *err)
{
    return allot_doc_layout_parse(obj, 1, layout, err);
}

static int
allot_doc_members_parse(struct allot_doc_file *doc, struct allot_doc_error *err)
{
    const json_t *members = json_object_get(doc->root, "members");
    size_t i, n = json_array_size(members);

    if (n == 0)
        return 0;
    doc->members = calloc(n, sizeof(*doc->members));
    if (!doc->members)
        return allot_doc_fail(err, -ENOMEM, "out of memory");
    for (i = 0; i < n; i++) {
        struct allot_member_state *state = &doc->members[i];
        const json_t *obj = json_array_get(members, i);
        uint64_t idx;

        if (allot_doc_uint(obj, "index", 0, UINT16_MAX - 1, &idx, err) ||
            allot_doc_fail_state(obj, "fail", &state->fail, err) ||
            allot_doc_uint(obj, "hole_blocks", 0, INT64_MAX,
                           &state->hole_blocks, err) ||
            allot_doc_uint(obj, "hole_bytes", 0, INT64_MAX, &state->hole_bytes,
                           err))
            return -EBADMSG;
        state->brick_idx = (uint16_t)idx;
        doc->member_count++;
    }
    return 0;
}

/* The rest of a file's document, whose root is set. */
static int
allot_doc_file_rest(int want_state, struct allot_doc_file *doc,
                    struct allot_doc_error *err)
{
    const json_t *spread;
    int ret;

    if (allot_doc_string(doc->root, "gfid", 1, &doc->gfid, err) ||
        allot_doc_uint(doc->root, "size", 0, ALLOT_OFFSET_MAX, &doc->size, err))
        return -EBADMSG;
    spread = json_object_get(doc->root, "spread");
    if (!json_is_boolean(spread))
        return allot_doc_fail(err, -EBADMSG, "key 'spread' is not true/false");
    doc->spread = json_is_true(spread);
    /* Only a plain "true" counts: what is not said is not promised. */
    doc->exact = json_is_true(json_object_get(doc->root, "exact"));
    doc->because = json_object_get(doc->root, "inexact_because");

    if (json_object_get(doc->root, "nlink") &&
        allot_doc_uint(doc->root, "nlink", 0, UINT32_MAX, &doc->nlink, err))
        return -EBADMSG;

    ret = allot_doc_layout_parse(doc->root, doc->spread, &doc->own, err);
    doc->layout = doc->own;
    if (ret || !want_state)
        return ret;
    ret = allot_doc_fail_state(doc->root, "base", &doc->base_fail, err);
    if (ret)
        return ret;
    return allot_doc_members_parse(doc, err);
}

int
allot_doc_file_parse(const char *text, size_t len, int want_state,
                     struct allot_doc_file *doc, struct allot_doc_error *err)
{
    int ret;

    memset(doc, 0, sizeof(*doc));
    ret = allot_doc_load(text, len, &doc->root, err);
    return ret ? ret : allot_doc_file_rest(want_state, doc, err);
}

int
allot_doc_file_read(json_t *root, int want_state, struct allot_doc_file *doc,
                    struct allot_doc_error *err)
{
    int ret;

    memset(doc, 0, sizeof(*doc));
    doc->root = root;
    ret = allot_doc_head(root, err);
    return ret ? ret : allot_doc_file_rest(want_state, doc, err);
}

/* A file of which nothing fails, without layout and members. */
static void
allot_doc_file_well(const char *gfid, uint64_t size, uint64_t nlink,
                    struct allot_doc_file *doc)
{
    memset(doc, 0, sizeof(*doc));
    doc->gfid = gfid;
    doc->size = size;
    doc->nlink = nlink;
    doc->exact = 1;
    doc->base_fail = ALLOT_FAIL_NONE;
}

int
allot_doc_file_plain(const char *gfid, uint64_t size, uint64_t nlink,
                     uint32_t inline_limit, struct allot_doc_file *doc)
{
    int ret;

    allot_doc_file_well(gfid, size, nlink, doc);
    ret = allot_layout_new(inline_limit, NULL, 0, &doc->own);
    doc->layout = doc->own;
    return ret;
}

int
allot_doc_file_spread(const char *gfid, uint64_t size, uint64_t nlink,
                      const struct allot_layout *layout, const json_t *members,
                      struct allot_doc_file *doc, struct allot_doc_error *err)
{
    size_t i, k;

    allot_doc_file_well(gfid, size, nlink, doc);
    doc->spread = 1;
    doc->layout = layout;
    doc->members = calloc(layout->brick_count, sizeof(*doc->members));
    if (!doc->members)
        return allot_doc_fail(err, -ENOMEM, "out of memory");
    doc->member_count = layout->brick_count;
    for (i = 0; i < layout->brick_count; i++)
        doc->members[i].brick_idx = layout->bricks[i];
    for (k = 0; k < json_array_size(members); k++) {
        const json_t *one = json_array_get(members, k);
        json_int_t idx = json_integer_value(json_array_get(one, 0));
        json_int_t blocks = json_integer_value(json_array_get(one, 2));
        json_int_t bytes = json_integer_value(json_array_get(one, 3));

        for (i = 0; i < doc->member_count; i++)
            if (doc->members[i].brick_idx == idx)
                break;
        if (json_array_size(one) != 4 ||
            !json_is_integer(json_array_get(one, 0)) ||
            i == doc->member_count || blocks < 0 || bytes < 0)
            return allot_doc_fail(err, -EBADMSG,
                                  "a member is not [brick, state, holes]");
        doc->members[i].hole_blocks = (uint64_t)blocks;
        doc->members[i].hole_bytes = (uint64_t)bytes;
        if (allot_doc_fail_text(json_string_value(json_array_get(one, 1)),
                                &doc->members[i].fail))
            return allot_doc_fail(err, -EBADMSG,
                                  "a member's state has no "
                                  "meaning");
    }
    return 0;
}

void
allot_doc_file_clear(struct allot_doc_file *doc)
{
    free(doc->members);
    allot_layout_free(doc->own);
    json_decref(doc->root);
    memset(doc, 0, sizeof(*doc));
}
