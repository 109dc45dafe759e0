/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-heals.c - the document of glusterfs.allot.heals: which bricks of
 * replicate sets know of something that is not healed yet. Such a brick has
 * what another one lacks; until that is done it must not be stopped.
 *
 * features/index of the brick answers, from memory, whether it knows of any;
 * how much it is nobody counts. {"version":1, "leaves":{"c0":true, "c1":null}}:
 * null means that it did not say.
 */
#include "allot-bricks-impl.h"
#include "allot-fan.h"
#include "allot-fops.h"
#include <jansson.h>

/* What index understands, in the xdata of a lookup. */
#define HEALS_KEY "link-count"

static dict_t *
heals_xdata(void)
{
    dict_t *xdata = allot_xdata_internal();

    if (xdata && dict_set_str(xdata, HEALS_KEY, GF_XATTROP_INDEX_COUNT)) {
        dict_unref(xdata);
        xdata = NULL;
    }
    return xdata;
}

/* The bricks of sets that can be asked: a lookup of each one's root. */
static int
heals_calls(xlator_t *this, struct allot_call *calls, loc_t *root,
            dict_t *xdata)
{
    struct allot_bricks *b = allot_bricks_of(this);
    int n = 0;
    int i = 0;
    int k = 0;

    pthread_mutex_lock(&b->lock);
    for (i = 0; i < b->count; i++) {
        struct allot_child *c = &b->children[i];

        if (c->kind == ALLOT_SET_NONE)
            continue;
        for (k = 0; k < c->leaf_count && n < ALLOT_BRICKS_MAX; k++) {
            if (c->leaves[k].state != ALLOT_BRICK_UP)
                continue;
            allot_call_init(&calls[n], c->leaves[k].xl, GF_FOP_LOOKUP);
            calls[n].loc = root;
            calls[n].xdata = xdata;
            n++;
        }
    }
    pthread_mutex_unlock(&b->lock);
    return n;
}

char *
allot_heals_json(xlator_t *this)
{
    struct allot_call *calls =
        GF_CALLOC(ALLOT_BRICKS_MAX, sizeof(*calls), allot_mt_calls);
    dict_t *xdata = heals_xdata();
    json_t *leaves = json_object();
    json_t *doc = NULL;
    loc_t root = {
        0,
    };
    char *text = NULL;
    int8_t pending = 0;
    int n = 0;
    int i = 0;

    if (!calls || !xdata || !leaves ||
        allot_bricks_root(allot_priv(this)->bricks, &root))
        goto out;
    n = heals_calls(this, calls, &root, xdata);
    if (n)
        allot_fan(this, calls, n);
    for (i = 0; i < n; i++) {
        json_t *one = json_null();

        if (calls[i].ret >= 0 && calls[i].rdict &&
            dict_get_int8(calls[i].rdict, HEALS_KEY, &pending) == 0)
            one = json_boolean(pending);
        json_object_set_new(leaves, calls[i].xl->name, one);
    }
    allot_calls_wipe(calls, n);
    doc = json_pack("{s:i, s:O}", "version", 1, "leaves", leaves);
    text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
    json_decref(doc);
out:
    json_decref(leaves);
    if (xdata)
        dict_unref(xdata);
    loc_wipe(&root);
    GF_FREE(calls);
    return text;
}
