/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-bricks-choose.c - the ledger (how full is each brick), weights, and
 * which bricks a new extent uses.
 *
 * The ledger of brick i, between two statfs of its file system:
 *
 *      used(i) = (U - sum of own(j) then, over the g bricks of this file
 *                 system) / g  +  own(i) now
 *
 * U: bytes used at the last statfs; own(j): bytes that this client allocated on
 * brick j since it started. With one brick on a file system (g = 1) this is
 * statfs plus what was written since. Bricks that share a file system cannot be
 * told apart by statfs, so they differ by what this client wrote.
 *
 * Nothing here waits: a stale statfs is asked for anew and the present values
 * are used.
 */
#include "allot-bricks-impl.h"
#include "allot-apportion.h"

#define ALLOT_WEIGHT_LARGEST 128  /* weight of the largest brick at most */
#define ALLOT_FULL_HYSTERESIS 0.5 /* percent */
#define ALLOT_STATFS_AGE_MSEC 25

/* ---- the ledger ------------------------------------------------------------
 */

static gf_boolean_t
ledger_shares_fs(const struct allot_child *a, const struct allot_child *b)
{
    if (a == b)
        return _gf_true;
    const char *here = a->leaves[0].host;
    const char *there = b->leaves[0].host;

    if (!a->statfs_known || !b->statfs_known || a->fsid != b->fsid || !here)
        return _gf_false;
    return there && strcmp(here, there) == 0 &&
           a->capacity_bytes == b->capacity_bytes;
}

uint64_t
allot_ledger_used_locked(struct allot_bricks *b, struct allot_child *c)
{
    int64_t own_then = 0;
    int64_t used = 0;
    int group = 0;
    int i = 0;

    for (i = 0; i < b->count; i++) {
        if (ledger_shares_fs(c, &b->children[i])) {
            group++;
            own_then += b->children[i].own_at_statfs;
        }
    }
    used = ((int64_t)c->fs_used_bytes - own_then) / group;
    used += GF_ATOMIC_GET(c->own_bytes);
    return used > 0 ? used : 0;
}

uint64_t
allot_ledger_capacity_locked(struct allot_bricks *b, struct allot_child *c)
{
    int group = 0;
    int i = 0;

    for (i = 0; i < b->count; i++)
        if (ledger_shares_fs(c, &b->children[i]))
            group++;
    return c->capacity_bytes / group;
}

void
allot_ledger_full_locked(struct allot_bricks *b, struct allot_child *c)
{
    double min_free = allot_priv(b->this)->opt.min_free;
    double free = 0;

    if (!c->statfs_known || !c->capacity_bytes)
        return;
    free = 100.0 * c->avail_bytes / c->capacity_bytes;
    if (free < min_free)
        c->full = _gf_true;
    else if (free > min_free + ALLOT_FULL_HYSTERESIS)
        c->full = _gf_false;
}

/* ---- weights ---------------------------------------------------------------
 */

static void
weights_of_capacity(struct allot_bricks *b)
{
    const struct allot_registry_brick *known = NULL;
    uint64_t *capacity = NULL;
    uint32_t *weights = NULL;
    gf_boolean_t complete = _gf_true;
    int i = 0;

    capacity = GF_CALLOC(b->count, sizeof(*capacity), allot_mt_bricks);
    weights = GF_CALLOC(b->count, sizeof(*weights), allot_mt_bricks);
    if (!capacity || !weights)
        goto out;
    for (i = 0; i < b->count; i++) {
        capacity[i] = allot_ledger_capacity_locked(b, &b->children[i]);
        complete = complete && b->children[i].statfs_known;
    }
    if (complete && !allot_apportion_fit(capacity, b->count,
                                         ALLOT_WEIGHT_LARGEST, weights)) {
        for (i = 0; i < b->count; i++)
            b->children[i].weight = weights[i];
        goto out;
    }
    /* A brick that has not been up yet: its capacity is not known, but all
     * were when they were registered. */
    for (i = 0; i < b->count; i++) {
        if (b->reg.version && b->children[i].idx != ALLOT_IDX_NONE)
            known = allot_registry_find(&b->reg, b->children[i].idx);
        else
            known = NULL;
        if (known)
            b->children[i].weight = known->weight;
    }
out:
    GF_FREE(capacity);
    GF_FREE(weights);
}

void
allot_ledger_weights_locked(struct allot_bricks *b)
{
    int i = 0;

    switch (b->weights_mode) {
        case ALLOT_WEIGHTS_CAPACITY:
            weights_of_capacity(b);
            return;
        case ALLOT_WEIGHTS_EQUAL:
            for (i = 0; i < b->count; i++)
                b->children[i].weight = 1;
            return;
        case ALLOT_WEIGHTS_NAMED:
            for (i = 0; i < b->count; i++)
                b->children[i].weight = b->children[i].option_weight
                                            ? b->children[i].option_weight
                                            : 1;
            return;
    }
}

/* ---- statfs ----------------------------------------------------------------
 */

void
allot_ledger_store_locked(struct allot_bricks *b, struct allot_child *c,
                          const struct statvfs *buf, int64_t own)
{
    uint64_t unit = buf->f_frsize ? buf->f_frsize : buf->f_bsize;

    c->capacity_bytes = buf->f_blocks * unit;
    c->fs_used_bytes = (buf->f_blocks - buf->f_bfree) * unit;
    c->avail_bytes = buf->f_bavail * unit;
    c->fsid = buf->f_fsid;
    c->own_at_statfs = own;
    c->statfs_known = _gf_true;
    allot_ledger_full_locked(b, c);
    allot_ledger_weights_locked(b);
}

struct ledger_call {
    int pos;
    uint32_t epoch;
    int64_t own; /* own_bytes when asked */
    uint64_t start_nsec;
};

static int32_t
ledger_statfs_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                  int32_t op_ret, int32_t op_errno, struct statvfs *buf,
                  dict_t *xdata)
{
    struct allot_bricks *b = allot_bricks_of(this);
    struct ledger_call *call = cookie;
    struct allot_child *c = &b->children[call->pos];

    allot_health_end(this, &c->health, ALLOT_WORK_META, call->start_nsec,
                     op_ret, op_errno, NULL);
    pthread_mutex_lock(&b->lock);
    c->statfs_busy = _gf_false;
    /* Of a set the epoch counts the connections of all its bricks. */
    if (op_ret >= 0 && buf &&
        (c->kind != ALLOT_SET_NONE || c->epoch == call->epoch)) {
        allot_ledger_store_locked(b, c, buf, call->own);
        allot_registry_evaluate_locked(b);
    }
    pthread_mutex_unlock(&b->lock);

    STACK_DESTROY(frame->root);
    GF_FREE(call);
    allot_bricks_idle(b);
    return 0;
}

static void
ledger_statfs(xlator_t *this, struct allot_child *c)
{
    struct allot_bricks *b = allot_bricks_of(this);
    struct ledger_call *call = NULL;
    call_frame_t *frame = create_frame(this, this->ctx->pool);
    loc_t loc = {
        0,
    };

    call = GF_CALLOC(1, sizeof(*call), allot_mt_bricks);
    if (!frame || !call || allot_bricks_root(b, &loc)) {
        if (frame)
            STACK_DESTROY(frame->root);
        GF_FREE(call);
        pthread_mutex_lock(&b->lock);
        c->statfs_busy = _gf_false;
        pthread_mutex_unlock(&b->lock);
        allot_bricks_idle(b);
        return;
    }
    call->pos = c - b->children;
    pthread_mutex_lock(&b->lock);
    call->epoch = c->epoch;
    call->own = GF_ATOMIC_GET(c->own_bytes);
    pthread_mutex_unlock(&b->lock);
    /* Also asked of an idle brick: a stall shows though nobody uses it. */
    call->start_nsec = allot_health_begin(&c->health);
    STACK_WIND_COOKIE(frame, ledger_statfs_cbk, call, c->xl,
                      c->xl->fops->statfs, &loc,
                      allot_priv(this)->client_xdata);
    loc_wipe(&loc);
}

void
allot_ledger_refresh(xlator_t *this, uint64_t age_msec)
{
    struct allot_bricks *b = allot_bricks_of(this);
    struct allot_child *c = NULL;
    uint64_t now = allot_now_msec();
    gf_boolean_t due = _gf_false;
    int i = 0;

    for (i = 0; i < b->count; i++) {
        c = &b->children[i];
        pthread_mutex_lock(&b->lock);
        due = c->connected && !c->statfs_busy &&
              (!c->statfs_known || now - c->statfs_msec >= age_msec) &&
              allot_bricks_busy_locked(b);
        if (due) {
            c->statfs_busy = _gf_true;
            c->statfs_msec = now;
        }
        pthread_mutex_unlock(&b->lock);
        if (due)
            ledger_statfs(this, c);
    }
}

void
allot_bricks_full(xlator_t *this, uint16_t idx)
{
    struct allot_bricks *b = allot_bricks_of(this);
    int i = 0;

    pthread_mutex_lock(&b->lock);
    for (i = 0; i < b->count; i++) {
        if (b->children[i].idx == idx) {
            b->children[i].full = _gf_true;
            b->children[i].statfs_msec = 0;
        }
    }
    allot_registry_evaluate_locked(b);
    pthread_mutex_unlock(&b->lock);
    allot_ledger_refresh(this, ALLOT_STATFS_AGE_MSEC);
}

/* ---- the choice ------------------------------------------------------------
 */

struct choice {
    double load; /* used per weight */
    struct allot_member member;
};

static int
choice_compare(const void *one, const void *two)
{
    const struct choice *a = one;
    const struct choice *b = two;

    if (a->load != b->load)
        return a->load < b->load ? -1 : 1;
    return (int)a->member.brick_idx - (int)b->member.brick_idx;
}

/* What a brick's use is compared with. Its capacity, not the weight made of it:
 * so the order of members also makes up for what rounding took away. */
static double
choice_due_locked(struct allot_bricks *b, struct allot_child *c)
{
    uint64_t capacity = allot_ledger_capacity_locked(b, c);

    return b->weights_mode == ALLOT_WEIGHTS_CAPACITY && capacity
               ? (double)capacity
               : c->weight;
}

/* The bricks in @state, in order; returns how many. */
static int
choose_locked(struct allot_bricks *b, enum allot_brick_state state,
              struct choice *list)
{
    struct allot_child *c = NULL;
    int n = 0;
    int i = 0;

    for (i = 0; i < b->count; i++) {
        c = &b->children[i];
        if (c->state != state || c->idx == ALLOT_IDX_NONE)
            continue;
        list[n].load =
            (double)allot_ledger_used_locked(b, c) / choice_due_locked(b, c);
        list[n].member.brick_idx = c->idx;
        list[n].member.weight = c->weight;
        n++;
    }
    qsort(list, n, sizeof(*list), choice_compare);
    return n;
}

int
allot_bricks_choose(xlator_t *this, uint32_t width,
                    struct allot_member *members)
{
    struct allot_bricks *b = allot_bricks_of(this);
    struct choice *list = NULL;
    int n = 0;
    int i = 0;

    if (!allot_bricks_active(this))
        return -ENOTCONN;
    list = GF_CALLOC(b->count, sizeof(*list), allot_mt_bricks);
    if (!list)
        return 0;

    pthread_mutex_lock(&b->lock);
    n = choose_locked(b, ALLOT_BRICK_UP, list);
    /* min-free is a preference: full ones are used until they say ENOSPC. */
    if (!n)
        n = choose_locked(b, ALLOT_BRICK_FULL, list);
    /* When all do badly the cause may be on this side. */
    if (!n)
        n = choose_locked(b, ALLOT_BRICK_FAILING, list);
    pthread_mutex_unlock(&b->lock);

    if (n > (int)width)
        n = width;
    if (n > ALLOT_MEMBERS_MAX)
        n = ALLOT_MEMBERS_MAX;
    for (i = 0; i < n; i++)
        members[i] = list[i].member;
    GF_FREE(list);
    allot_ledger_refresh(this, ALLOT_STATFS_AGE_MSEC);
    return n;
}
