/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-heals.c - which bricks of replicate sets know of something that is not
 * healed yet. Such a brick has what another one lacks; until that is done it
 * must not be stopped, and it is not spare.
 *
 * features/index of the brick answers, from memory, whether it knows of any;
 * how much it is nobody counts. The question is a part of the one for the
 * status, so it must not wait for a brick that does not answer: after
 * HEALS_WAIT_MSEC the status goes out with "not said" for that brick.
 */
#include "allot-bricks-impl.h"
#include "allot-names.h"

/* What index understands, in the xdata of a lookup. */
#define HEALS_KEY "link-count"
#define HEALS_WAIT_MSEC 1000

struct heals_ask {
    xlator_t *this;
    allot_heals_fn done;
    void *data;

    /* Guarded by allot_bricks.lock. */
    int refs;          /* calls that are out, the timer, and who began */
    int left;          /* calls that are out */
    gf_boolean_t told; /* done was called: @pending stays as it is */
    gf_timer_t *timer;

    int8_t pending[]; /* by the leaf's place in allot_bricks.leaves */
};

/* One call: whose answer it is. */
struct heals_call {
    struct heals_ask *ask;
    int pos;
};

static void
heals_unref(struct heals_ask *ask)
{
    struct allot_bricks *b = allot_bricks_of(ask->this);
    int left = 0;

    pthread_mutex_lock(&b->lock);
    left = --ask->refs;
    pthread_mutex_unlock(&b->lock);
    if (left)
        return;
    GF_FREE(ask);
    allot_bricks_idle(b);
}

/* All have answered, or the time is over: whoever is first tells. */
static void
heals_tell(struct heals_ask *ask)
{
    struct allot_bricks *b = allot_bricks_of(ask->this);
    gf_boolean_t first = _gf_false;

    pthread_mutex_lock(&b->lock);
    first = !ask->told;
    ask->told = _gf_true;
    pthread_mutex_unlock(&b->lock);
    if (first)
        ask->done(ask->this, ask->pending, ask->data);
}

static void
heals_timeout(void *data)
{
    struct heals_ask *ask = data;
    struct allot_bricks *b = allot_bricks_of(ask->this);

    /* The timer is freed when this returns. */
    pthread_mutex_lock(&b->lock);
    ask->timer = NULL;
    pthread_mutex_unlock(&b->lock);
    heals_tell(ask);
    heals_unref(ask);
}

static void
heals_timer_stop(struct heals_ask *ask)
{
    struct allot_bricks *b = allot_bricks_of(ask->this);
    gf_boolean_t mine = _gf_false;

    /* Cancelled under the lock, so that it is there. If that is too late it
     * lets go of its reference itself. */
    pthread_mutex_lock(&b->lock);
    mine = ask->timer && gf_timer_call_cancel(ask->this->ctx, ask->timer) == 0;
    if (mine)
        ask->timer = NULL;
    pthread_mutex_unlock(&b->lock);
    if (mine)
        heals_unref(ask);
}

/* @n calls less are out. */
static void
heals_arrived(struct heals_ask *ask, int n)
{
    struct allot_bricks *b = allot_bricks_of(ask->this);
    gf_boolean_t last = _gf_false;

    pthread_mutex_lock(&b->lock);
    ask->left -= n;
    last = ask->left == 0;
    pthread_mutex_unlock(&b->lock);
    if (last) {
        heals_timer_stop(ask);
        heals_tell(ask);
    }
    heals_unref(ask);
}

static int32_t
heals_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret,
          int32_t op_errno, inode_t *inode, struct iatt *buf, dict_t *xdata,
          struct iatt *parent)
{
    struct allot_bricks *b = allot_bricks_of(this);
    struct heals_call *call = cookie;
    int8_t pending = 0;

    if (op_ret >= 0 && xdata &&
        dict_get_int8(xdata, HEALS_KEY, &pending) == 0) {
        pthread_mutex_lock(&b->lock);
        if (!call->ask->told)
            call->ask->pending[call->pos] = pending != 0;
        pthread_mutex_unlock(&b->lock);
    }
    STACK_DESTROY(frame->root);
    heals_arrived(call->ask, 1);
    GF_FREE(call);
    return 0;
}

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

/* A lookup of the root of leaf @pos. Without memory it has not said. */
static void
heals_wind(struct heals_ask *ask, int pos, loc_t *root, dict_t *xdata)
{
    xlator_t *this = ask->this;
    xlator_t *xl = allot_bricks_of(this)->leaves[pos].xl;
    call_frame_t *frame = create_frame(this, this->ctx->pool);
    struct heals_call *call = GF_CALLOC(1, sizeof(*call), allot_mt_bricks);

    if (!frame || !call) {
        if (frame)
            STACK_DESTROY(frame->root);
        GF_FREE(call);
        heals_arrived(ask, 1);
        return;
    }
    call->ask = ask;
    call->pos = pos;
    frame->root->pid = ALLOT_PID_ROOT;
    STACK_WIND_COOKIE(frame, heals_cbk, call, xl, xl->fops->lookup, root,
                      xdata);
}

/* Which leaves can be asked: bricks of sets that are there. */
static int
heals_choose_locked(const struct allot_bricks *b, gf_boolean_t *asked)
{
    const struct allot_leaf *l = NULL;
    int n = 0;
    int i = 0;

    for (i = 0; i < b->leaf_count; i++) {
        l = &b->leaves[i];
        asked[i] =
            l->child->kind != ALLOT_SET_NONE &&
            (l->state == ALLOT_BRICK_UP || l->state == ALLOT_BRICK_FAILING);
        n += asked[i];
    }
    return n;
}

/* A place for the answers; NULL: nobody can be asked, or no memory. @asked:
 * becomes an array, by leaf. */
static struct heals_ask *
heals_new(xlator_t *this, gf_boolean_t **asked, int *n)
{
    struct allot_bricks *b = allot_bricks_of(this);
    struct heals_ask *ask =
        GF_CALLOC(1, sizeof(*ask) + b->leaf_count, allot_mt_bricks);

    *asked = GF_CALLOC(b->leaf_count, sizeof(**asked), allot_mt_bricks);
    *n = 0;
    if (ask && *asked) {
        pthread_mutex_lock(&b->lock);
        *n = heals_choose_locked(b, *asked);
        if (*n && !allot_bricks_busy_locked(b))
            *n = 0;
        pthread_mutex_unlock(&b->lock);
    }
    if (*n)
        return ask;
    GF_FREE(ask);
    GF_FREE(*asked);
    *asked = NULL;
    return NULL;
}

void
allot_heals_ask(xlator_t *this, allot_heals_fn done, void *data)
{
    struct allot_bricks *b = allot_bricks_of(this);
    struct timespec delay = {
        .tv_sec = HEALS_WAIT_MSEC / 1000,
        .tv_nsec = HEALS_WAIT_MSEC % 1000 * 1000000L,
    };
    gf_boolean_t *asked = NULL;
    loc_t root = {
        0,
    };
    dict_t *xdata = NULL;
    int n = 0;
    int i = 0;
    struct heals_ask *ask = heals_new(this, &asked, &n);

    if (!ask) {
        done(this, NULL, data);
        return;
    }
    ask->this = this;
    ask->done = done;
    ask->data = data;
    /* One for the beginning, so that it lives while calls are wound. */
    ask->left = n + 1;
    ask->refs = n + 2;
    memset(ask->pending, -1, b->leaf_count);
    xdata = heals_xdata();
    pthread_mutex_lock(&b->lock);
    ask->timer = gf_timer_call_after(this->ctx, delay, heals_timeout, ask);
    if (!ask->timer)
        ask->refs--;
    pthread_mutex_unlock(&b->lock);
    if (!xdata || !ask->timer || allot_bricks_root(b, &root)) {
        pthread_mutex_lock(&b->lock);
        ask->refs -= n;
        pthread_mutex_unlock(&b->lock);
        heals_arrived(ask, n + 1);
    } else {
        for (i = 0; i < b->leaf_count; i++)
            if (asked[i])
                heals_wind(ask, i, &root, xdata);
        heals_arrived(ask, 1);
    }
    GF_FREE(asked);
    if (xdata)
        dict_unref(xdata);
    loc_wipe(&root);
}
