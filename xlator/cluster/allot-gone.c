/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-gone.c - what is left of removed files. Who removes a file removes its
 * portions, unless somebody has it open, a brick is away, or it dies. Then the
 * guards of the base's bricks have it in a list (guard-gone.c), and any client
 * that reaches everybody comes for it:
 *
 *   1  everybody is here; else nothing is asked for
 *   2  ask every guard for files that are not open there
 *   3  ask every guard which of these are open: another replica of the base may
 *      have an fd that the first one has not
 *   4  ask the namespace: still a name (it was one of several, or a replica was
 *      healed): nothing to remove
 *   5  everybody was here all the time: remove the portions
 *   6  tell the guards
 *
 * A death in between: the guards hand it out again. Two clients at the same
 * file do no harm: nobody can open it any more.
 *
 * Deliberately not here: portions that no guard speaks of (a brick died with
 * its list, or a client between two steps of growing).
 */
#include "allot-fops.h"
#include "allot-proto.h"
#include "allot-bricks-impl.h"

/* Beyond that the guards are not told, and hand out what is removed already. */
#define ALLOT_GONE_DONE_MAX 65536
#define ALLOT_GONE_ROUNDS 16

/* What a guard handed out. */
struct gone_item {
    struct allot_gone gone;
    int leaf;
    gf_boolean_t open; /* somewhere */
    gf_boolean_t done; /* the guard may forget it */
};

struct gone_round {
    xlator_t **leaves;
    int leaf_count;
    struct gone_item *items; /* room for ALLOT_GONE_MAX */
    int count;
    struct allot_gone *list; /* the same; for encoding and decoding */
    gf_boolean_t more;       /* some guard has more than it gave */
};

void
allot_gone_done(xlator_t *this, const uuid_t gfid, uint64_t nonce)
{
    struct allot_bricks *b = allot_bricks_of(this);
    struct allot_gone *grown = NULL;
    int count = 0;

    pthread_mutex_lock(&b->lock);
    count = b->gone_done_count;
    /* A power of two, and full: twice the room. */
    if (count < ALLOT_GONE_DONE_MAX && (count & (count - 1)) == 0) {
        grown = realloc(b->gone_done, (count ? 2 * count : 1) * sizeof(*grown));
        if (grown)
            b->gone_done = grown;
        else
            count = ALLOT_GONE_DONE_MAX;
    }
    if (count < ALLOT_GONE_DONE_MAX) {
        memset(&b->gone_done[count], 0, sizeof(*grown));
        memcpy(b->gone_done[count].gfid, gfid, 16);
        b->gone_done[count].nonce = nonce;
        b->gone_done_count++;
    }
    pthread_mutex_unlock(&b->lock);
}

/* ---- calls -----------------------------------------------------------------
 */

static int
gone_set_list(dict_t *xdata, char *key, const struct allot_gone *list,
              int count)
{
    size_t cap = ALLOT_GONE_BYTES(count);
    uint8_t *buf = GF_MALLOC(cap, allot_mt_misc);
    int64_t len = 0;

    if (!buf)
        return -ENOMEM;
    len = allot_gone_encode(list, count, buf, cap);
    if (len < 0 || dict_set_bin(xdata, key, buf, len)) {
        GF_FREE(buf);
        return -EINVAL;
    }
    return 0;
}

/* The same question to all guards, or only to leaf @only (if not negative).
 * @calls: one for each leaf, to be wiped; @xdata: lives as long. */
static int
gone_ask(xlator_t *this, struct gone_round *r, struct allot_call *calls,
         dict_t *xdata, int only)
{
    loc_t root = {
        0,
    };
    int ret = allot_bricks_root(allot_bricks_of(this), &root);
    int i = 0;

    for (i = 0; i < r->leaf_count; i++) {
        allot_call_init(&calls[i],
                        ret || (only >= 0 && only != i) ? NULL : r->leaves[i],
                        GF_FOP_GETXATTR);
        calls[i].loc = &root;
        calls[i].name = ALLOT_KEY_GONE;
        calls[i].xdata = xdata;
    }
    allot_fan(this, calls, r->leaf_count);
    loc_wipe(&root);
    return ret;
}

/* The list in an answer, in @list. Returns how many. */
static int
gone_answer(const struct allot_call *call, struct allot_gone *list)
{
    data_t *value = NULL;
    int count = 0;

    if (call->ret >= 0 && call->rdict)
        value = dict_get(call->rdict, ALLOT_KEY_GONE);
    if (value)
        count = allot_gone_decode((uint8_t *)value->data, value->len, list);
    return count > 0 ? count : 0;
}

/* ---- the steps -------------------------------------------------------------
 */

/* Step 2, and what is done already is told with it. */
static void
gone_fetch(xlator_t *this, struct gone_round *r, struct allot_call *calls,
           gf_boolean_t give)
{
    struct allot_bricks *b = allot_bricks_of(this);
    dict_t *xdata = allot_xdata_internal();
    uint32_t each = ALLOT_GONE_MAX / r->leaf_count;
    int count = 0;
    int i = 0;
    int j = 0;

    if (!xdata)
        return;
    pthread_mutex_lock(&b->lock);
    count = b->gone_done_count < ALLOT_GONE_MAX ? b->gone_done_count
                                                : ALLOT_GONE_MAX;
    b->gone_done_count -= count;
    if (count)
        memcpy(r->list, b->gone_done + b->gone_done_count,
               count * sizeof(*r->list));
    if (b->gone_done_count == 0) {
        free(b->gone_done);
        b->gone_done = NULL;
    }
    r->more = b->gone_done_count > 0;
    pthread_mutex_unlock(&b->lock);

    if (count && gone_set_list(xdata, ALLOT_KEY_GONE_DONE, r->list, count))
        goto out;
    if (each == 0)
        each = 1;
    if (give && dict_set_uint32(xdata, ALLOT_KEY_GONE_GIVE, each))
        goto out;
    gone_ask(this, r, calls, xdata, -1);
    for (i = 0; i < r->leaf_count; i++) {
        count = gone_answer(&calls[i], r->list);
        r->more |= count && count == (int)each;
        for (j = 0; j < count && r->count < ALLOT_GONE_MAX; j++) {
            r->items[r->count].gone = r->list[j];
            r->items[r->count++].leaf = i;
        }
    }
    allot_calls_wipe(calls, r->leaf_count);
out:
    dict_unref(xdata);
}

/* Step 3. Whoever does not answer may have everything open. */
static int
gone_check_open(xlator_t *this, struct gone_round *r, struct allot_call *calls)
{
    dict_t *xdata = allot_xdata_internal();
    int count = 0;
    int ret = -ENOMEM;
    int i = 0;
    int j = 0;
    int k = 0;

    for (i = 0; i < r->count; i++)
        r->list[i] = r->items[i].gone;
    if (xdata)
        ret = gone_set_list(xdata, ALLOT_KEY_GONE_OPEN, r->list, r->count);
    if (ret == 0)
        ret = gone_ask(this, r, calls, xdata, -1);
    if (ret == 0) {
        for (i = 0; i < r->leaf_count; i++) {
            if (calls[i].ret < 0)
                ret = -calls[i].err;
            count = gone_answer(&calls[i], r->list);
            for (j = 0; j < count; j++)
                for (k = 0; k < r->count; k++)
                    if (!memcmp(r->list[j].gfid, r->items[k].gone.gfid, 16))
                        r->items[k].open = _gf_true;
        }
        allot_calls_wipe(calls, r->leaf_count);
    }
    if (xdata)
        dict_unref(xdata);
    return ret;
}

/* Step 4. 1: a name leads to it; 0: none; negative: nobody knows. */
static int
gone_is_named(xlator_t *this, inode_t *inode)
{
    struct allot_call call;
    loc_t loc = {
        0,
    };
    int ret = 0;

    gf_uuid_copy(loc.gfid, inode->gfid);
    /* Not @inode: who answers a lookup may fill it in. */
    loc.inode = inode_new(inode->table);
    if (!loc.inode)
        return -ENOMEM;
    allot_call_init(&call, allot_priv(this)->ns, GF_FOP_LOOKUP);
    call.loc = &loc;
    call.xdata = allot_priv(this)->client_xdata;
    ret = allot_call_one(this, &call);
    /* Without a link it is found by its handle only: a lookup that came while
     * posix took the name away has made that anew, and it stays. */
    if (ret >= 0)
        ret = call.st.ia_nlink > 0;
    else if (ret == -ENOENT || ret == -ESTALE)
        ret = 0;
    allot_calls_wipe(&call, 1);
    loc_wipe(&loc);
    return ret;
}

/* Steps 4 and 5 for one. @version: everybody was here then. */
static gf_boolean_t
gone_remove(xlator_t *this, inode_table_t *table, const struct allot_gone *gone,
            uint64_t version)
{
    inode_t *inode = inode_new(table);
    int ret = -ENOMEM;

    if (!inode)
        return _gf_false;
    memcpy(inode->gfid, gone->gfid, 16);
    inode->ia_type = IA_IFREG;
    ret = gone_is_named(this, inode);
    /* Distribute takes a brick that is away for one without the file. */
    if (allot_bricks_version(this) != version || !allot_bricks_complete(this))
        ret = -EAGAIN;
    if (ret == 0) {
        ret = allot_portions_unlink(this, inode, gone->nonce);
        gf_msg(this->name, GF_LOG_DEBUG, -ret, ALLOT_MSG_GONE,
               "gfid %s is removed and nowhere open: its portions go",
               uuid_utoa(inode->gfid));
    }
    inode_unref(inode);
    return ret >= 0;
}

/* Step 6. Each guard is told of its own. */
static void
gone_tell(xlator_t *this, struct gone_round *r, struct allot_call *calls)
{
    dict_t *xdata = NULL;
    int count = 0;
    int i = 0;
    int j = 0;

    for (i = 0; i < r->leaf_count; i++) {
        count = 0;
        for (j = 0; j < r->count; j++)
            if (r->items[j].leaf == i && r->items[j].done)
                r->list[count++] = r->items[j].gone;
        xdata = count ? allot_xdata_internal() : NULL;
        if (!xdata)
            continue;
        if (gone_set_list(xdata, ALLOT_KEY_GONE_DONE, r->list, count) == 0) {
            gone_ask(this, r, calls, xdata, i);
            allot_calls_wipe(calls, r->leaf_count);
        }
        dict_unref(xdata);
    }
}

static int
gone_item_order(const void *a, const void *b)
{
    const struct gone_item *x = a;
    const struct gone_item *y = b;
    int order = memcmp(x->gone.gfid, y->gone.gfid, 16);

    if (order)
        return order;
    return (x->gone.nonce > y->gone.nonce) - (x->gone.nonce < y->gone.nonce);
}

static void
gone_collect(xlator_t *this, struct gone_round *r, struct allot_call *calls,
             uint64_t version)
{
    inode_table_t *table = NULL;
    loc_t root = {
        0,
    };
    int i = 0;

    if (gone_check_open(this, r, calls) ||
        allot_bricks_root(allot_bricks_of(this), &root))
        return;
    table = root.inode->table;
    /* Replicas of one base hand out the same file. */
    qsort(r->items, r->count, sizeof(*r->items), gone_item_order);
    for (i = 0; i < r->count; i++) {
        if (i && gone_item_order(&r->items[i - 1], &r->items[i]) == 0)
            r->items[i].done = r->items[i - 1].done;
        else if (!r->items[i].open)
            r->items[i].done =
                gone_remove(this, table, &r->items[i].gone, version);
    }
    loc_wipe(&root);
    gone_tell(this, r, calls);
}

/* ---- the task --------------------------------------------------------------
 */

static gf_boolean_t
gone_round(xlator_t *this)
{
    struct allot_bricks *b = allot_bricks_of(this);
    uint64_t version = allot_bricks_version(this);
    gf_boolean_t give = allot_bricks_complete(this);
    struct allot_call *calls = NULL;
    struct gone_round r = {
        0,
    };
    int i = 0;

    r.leaves = GF_CALLOC(b->leaf_count, sizeof(*r.leaves), allot_mt_misc);
    r.items = GF_CALLOC(ALLOT_GONE_MAX, sizeof(*r.items), allot_mt_misc);
    r.list = GF_CALLOC(ALLOT_GONE_MAX, sizeof(*r.list), allot_mt_misc);
    calls = GF_CALLOC(b->leaf_count, sizeof(*calls), allot_mt_calls);
    if (!r.leaves || !r.items || !r.list || !calls)
        goto out;
    pthread_mutex_lock(&b->lock);
    for (i = 0; i < b->leaf_count; i++)
        if (b->leaves[i].state == ALLOT_BRICK_UP)
            r.leaves[r.leaf_count++] = b->leaves[i].xl;
    pthread_mutex_unlock(&b->lock);
    if (r.leaf_count == 0)
        goto out;
    gone_fetch(this, &r, calls, give);
    if (r.count)
        gone_collect(this, &r, calls, version);
out:
    GF_FREE(r.leaves);
    GF_FREE(r.items);
    GF_FREE(r.list);
    GF_FREE(calls);
    return r.more;
}

static int
gone_task(void *arg)
{
    struct allot_bricks *b = allot_bricks_of(arg);
    int rounds = 0;

    while (gone_round(arg) && ++rounds < ALLOT_GONE_ROUNDS && !b->stopping)
        ;
    return 0;
}

static int
gone_task_done(int ret, call_frame_t *frame, void *arg)
{
    struct allot_bricks *b = allot_bricks_of(arg);

    pthread_mutex_lock(&b->lock);
    b->gone_running = _gf_false;
    pthread_mutex_unlock(&b->lock);
    allot_bricks_idle(b);
    return 0;
}

void
allot_gone_tick(xlator_t *this, gf_boolean_t ask)
{
    struct allot_bricks *b = allot_bricks_of(this);
    gf_boolean_t go = _gf_false;

    pthread_mutex_lock(&b->lock);
    go = !b->gone_running && (ask || b->gone_done_count) &&
         !allot_priv(this)->pass_through && b->leaf_count > 0 &&
         allot_bricks_busy_locked(b);
    if (go)
        b->gone_running = _gf_true;
    pthread_mutex_unlock(&b->lock);
    if (go &&
        synctask_new(this->ctx->env, gone_task, gone_task_done, NULL, this))
        gone_task_done(-ENOMEM, NULL, this);
}
