/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-presence.c - see allot-presence.h. Questions and answers are lists of
 * fixed-size items (core/allot-wire.h), gathered by brick:
 *
 *   file 0  on bricks 0 1 2 3        brick 0: [0, 1]       one getxattr on the
 *   file 1  on bricks 0 2 3     ->   brick 1: [0, 2]   ->  root of each, all at
 *   file 2  on bricks 1 3            ...                   once
 */
#include "allot-presence.h"
#include "allot-bricks-impl.h"
#include "allot-proto.h"
#include <endian.h>

/* What one brick is asked. */
struct presence_brick {
    struct allot_brick_view view;
    uint8_t *items; /* ALLOT_PORTIONS_ITEM bytes each */
    uint64_t **to;  /* where each answer belongs */
    int n;
    int cap;
};

static int
presence_add(struct presence_brick *brick, const struct allot_presence *file,
             uint64_t *to)
{
    uint64_t nonce = htobe64(file->rec->r.nonce);
    uint8_t *item = NULL;

    if (brick->n == brick->cap) {
        int cap = brick->cap ? 2 * brick->cap : 64;
        uint8_t *items = realloc(brick->items, cap * ALLOT_PORTIONS_ITEM);
        uint64_t **tos = realloc(brick->to, cap * sizeof(*tos));

        if (items)
            brick->items = items;
        if (tos)
            brick->to = tos;
        if (!items || !tos)
            return -ENOMEM;
        brick->cap = cap;
    }
    item = brick->items + brick->n * ALLOT_PORTIONS_ITEM;
    memcpy(item, file->inode->gfid, 16);
    memcpy(item + 16, &nonce, 8);
    brick->to[brick->n++] = to;
    return 0;
}

/* The one of @bricks with index @idx, made if it is not there. NULL: it cannot
 * be asked like this, or there is no memory. */
static struct presence_brick *
presence_brick(xlator_t *this, struct presence_brick **bricks, int *n,
               uint16_t idx)
{
    struct presence_brick *grown = NULL;
    int i = 0;

    for (i = 0; i < *n; i++)
        if ((*bricks)[i].view.idx == idx)
            break;
    if (i == *n) {
        grown = realloc(*bricks, (i + 1) * sizeof(**bricks));
        if (!grown)
            return NULL;
        *bricks = grown;
        memset(&grown[i], 0, sizeof(grown[i]));
        if (allot_brick_get(this, idx, &grown[i].view) ||
            !allot_brick_usable(&grown[i].view))
            grown[i].view.xl = NULL;
        grown[i].view.idx = idx;
        (*n)++;
    }
    /* A set answers from one replica, whose portions may need healing. */
    return (*bricks)[i].view.xl && !(*bricks)[i].view.is_set ? &(*bricks)[i]
                                                             : NULL;
}

static dict_t *
presence_xdata(const struct presence_brick *brick)
{
    dict_t *xdata = allot_xdata_internal();

    if (xdata && dict_set_static_bin(xdata, ALLOT_KEY_PORTIONS, brick->items,
                                     (size_t)brick->n * ALLOT_PORTIONS_ITEM)) {
        dict_unref(xdata);
        xdata = NULL;
    }
    return xdata;
}

static void
presence_answer(const struct presence_brick *brick,
                const struct allot_call *call)
{
    data_t *data = NULL;
    uint64_t blocks = 0;
    int i = 0;

    if (call->ret >= 0 && call->rdict)
        data = dict_get(call->rdict, ALLOT_KEY_PORTIONS);
    if (!data || (int)data->len != brick->n * 8)
        return;
    for (i = 0; i < brick->n; i++) {
        memcpy(&blocks, data->data + 8 * i, 8);
        *brick->to[i] = be64toh(blocks);
    }
}

static void
presence_fan(xlator_t *this, struct presence_brick *bricks, int n)
{
    struct allot_call *calls =
        GF_CALLOC(n ? n : 1, sizeof(*calls), allot_mt_calls);
    loc_t root = {
        0,
    };
    int i = 0;

    if (!calls || allot_bricks_root(allot_priv(this)->bricks, &root))
        goto out;
    for (i = 0; i < n; i++) {
        allot_call_init(&calls[i], NULL, GF_FOP_GETXATTR);
        calls[i].loc = &root;
        calls[i].name = ALLOT_KEY_PORTIONS;
        if (bricks[i].n == 0)
            continue;
        calls[i].xdata = presence_xdata(&bricks[i]);
        if (calls[i].xdata)
            calls[i].xl = bricks[i].view.xl;
    }
    allot_fan(this, calls, n);
    for (i = 0; i < n; i++) {
        presence_answer(&bricks[i], &calls[i]);
        if (calls[i].xdata)
            dict_unref(calls[i].xdata);
    }
    allot_calls_wipe(calls, n);
out:
    loc_wipe(&root);
    GF_FREE(calls);
}

void
allot_presence_ask(xlator_t *this, struct allot_presence *files, int n)
{
    const struct allot_layout *layout = NULL;
    struct presence_brick *bricks = NULL;
    struct presence_brick *brick = NULL;
    int count = 0;
    int f = 0;
    int i = 0;

    for (f = 0; f < n; f++) {
        layout = files[f].rec->r.layout;
        files[f].blocks512 =
            malloc((layout->brick_count + 1) * sizeof(*files[f].blocks512));
        for (i = 0; files[f].blocks512 && i < (int)layout->brick_count; i++) {
            files[f].blocks512[i] = ALLOT_PRESENCE_UNKNOWN;
            brick = presence_brick(this, &bricks, &count, layout->bricks[i]);
            if (brick)
                presence_add(brick, &files[f], &files[f].blocks512[i]);
        }
    }
    if (count)
        presence_fan(this, bricks, count);
    for (i = 0; i < count; i++) {
        free(bricks[i].items);
        free(bricks[i].to);
    }
    free(bricks);
}

void
allot_presence_wipe(struct allot_presence *files, int n)
{
    int f = 0;

    for (f = 0; f < n; f++) {
        free(files[f].blocks512);
        files[f].blocks512 = NULL;
    }
}
