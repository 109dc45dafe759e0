/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-events.c - notify(): what children and parents say, and what goes up.
 *
 *   from          event                 what happens
 *   parent        PARENT_UP/DOWN        to the namespace and to the data
 *                                       subvolumes that are not below it: a
 *                                       client must not get PARENT_DOWN twice
 *   namespace     CHILD_UP              up, once every data subvolume has
 *                                       answered or 10 s have passed; not while
 *                                       the names are known to be kept in
 *                                       another way than this graph does: then
 *                                       all below is told to disconnect
 *                 CHILD_DOWN            up
 *                 anything else         up, after the first CHILD_UP
 *   data          CHILD_UP              handshake; then SOME_DESCENDENT_UP
 *                 CHILD_DOWN            state down; SOME_DESCENDENT_DOWN
 *                 UPCALL                up, unless it was brought already
 *                 anything else         stays here
 *   leaf of a set CHILD_UP              handshake
 *                 CHILD_DOWN            the brick is down; the set may go on
 *
 * A subvolume that is both data and below the namespace brings its events
 * twice: through the namespace and directly. A plain data subvolume is its own
 * leaf.
 */
#include "allot-bricks-impl.h"
#include "allot-inode.h"
#include <glusterfs/upcall-utils.h>

#define ALLOT_UP_WAIT_SEC 10
#define ALLOT_TICK_SEC 1
#define ALLOT_SLOW_TICKS 5
#define ALLOT_FRESH_MSEC 1000 /* a younger statfs is not asked for again */

/* ---- upward ----------------------------------------------------------------
 */

static gf_boolean_t
events_data_answered(struct allot_bricks *b)
{
    int i = 0;

    /* Also where calls pass through: guards serve nobody before. */
    for (i = 0; i < b->count; i++)
        if (!allot_child_answered_locked(&b->children[i]))
            return _gf_false;
    return b->register_tried ||
           allot_registry_need_locked(b) == ALLOT_NEED_NOTHING;
}

/* After PARENT_DOWN: has everything below come down. Also what is below the
 * namespace: its event reaches us a moment after the namespace's, and whoever
 * hears CHILD_DOWN from us may free the graph. */
static gf_boolean_t
events_all_down(struct allot_bricks *b)
{
    int i = 0;

    if (b->ns_up && b->ns_network)
        return _gf_false;
    for (i = 0; i < b->leaf_count; i++)
        if (b->leaves[i].connected && b->leaves[i].network)
            return _gf_false;
    return _gf_true;
}

static int32_t
events_due(struct allot_bricks *b)
{
    if (b->parent_down)
        return events_all_down(b) ? GF_EVENT_CHILD_DOWN : b->event_sent;
    if (b->ns_up && !b->names_wrong &&
        (b->event_sent == GF_EVENT_CHILD_UP || b->up_timed_out ||
         events_data_answered(b)))
        return GF_EVENT_CHILD_UP;
    if (!b->ns_up && b->ns_heard)
        return GF_EVENT_CHILD_DOWN;
    return b->event_sent;
}

void
allot_events_settle(xlator_t *this)
{
    struct allot_bricks *b = allot_bricks_of(this);
    int32_t due = 0;

    /* One sender at a time, so that up and down leave in their order. */
    for (;;) {
        pthread_mutex_lock(&b->lock);
        due = events_due(b);
        if (b->event_sending || due == b->event_sent) {
            pthread_mutex_unlock(&b->lock);
            return;
        }
        b->event_sending = _gf_true;
        b->event_sent = due;
        if (due == GF_EVENT_CHILD_UP && b->up_timer &&
            gf_timer_call_cancel(this->ctx, b->up_timer) == 0) {
            b->up_timer = NULL;
            b->busy--;
        }
        pthread_mutex_unlock(&b->lock);

        default_notify(this, due, NULL);

        pthread_mutex_lock(&b->lock);
        b->event_sending = _gf_false;
        pthread_mutex_unlock(&b->lock);
    }
}

/* An event that means nothing to those above before they know of us. */
static void
events_pass(xlator_t *this, int32_t event, void *data)
{
    struct allot_bricks *b = allot_bricks_of(this);
    gf_boolean_t known = _gf_false;

    pthread_mutex_lock(&b->lock);
    known = b->event_sent == GF_EVENT_CHILD_UP;
    pthread_mutex_unlock(&b->lock);
    if (known)
        default_notify(this, event, data);
}

static void
events_forward(xlator_t *this, int32_t event, void *data);

/* Names must not be reached through a graph that keeps them in another way than
 * the volume (allot-registry.c). Whoever is above could call without having
 * heard CHILD_UP, so the connections go. Not before all bricks have said which
 * volume this is. There is no way back: another setting makes another graph. */
static void
events_shut_names(xlator_t *this)
{
    struct allot_bricks *b = allot_bricks_of(this);
    gf_boolean_t due = _gf_false;
    int kind = 0;

    pthread_mutex_lock(&b->lock);
    due = b->names_wrong && (b->volume_fixed || b->up_timed_out) &&
          !b->parent_down && !b->below_shut;
    if (due)
        b->below_shut = _gf_true;
    kind = b->reg.ns_kind;
    pthread_mutex_unlock(&b->lock);
    if (!due)
        return;
    gf_msg(this->name, GF_LOG_CRITICAL, EINVAL, ALLOT_MSG_REGISTRY,
           "nothing is served: the names of this volume are kept by %s, and "
           "this graph would keep them by %s (with the gluster command: set "
           "user.xlator.allot.namespace %s, or mount from a server that has a "
           "brick of the volume)",
           allot_ns_kind_name(kind),
           allot_ns_kind_name(allot_priv(this)->ns_kind),
           allot_ns_kind_name(kind));
    events_forward(this, GF_EVENT_PARENT_DOWN, NULL);
    allot_events_settle(this);
}

/* ---- timers ----------------------------------------------------------------
 */

static void
events_up_timeout(void *data)
{
    xlator_t *this = data;
    struct allot_bricks *b = allot_bricks_of(this);

    pthread_mutex_lock(&b->lock);
    b->up_timer = NULL;
    b->up_timed_out = _gf_true;
    pthread_mutex_unlock(&b->lock);
    allot_events_settle(this);
    allot_bricks_idle(b);
}

static void
events_slow(void *data)
{
    xlator_t *this = data;
    struct allot_bricks *b = allot_bricks_of(this);
    struct timespec delay = {
        .tv_sec = ALLOT_TICK_SEC,
    };
    gf_boolean_t slow = _gf_false;

    pthread_mutex_lock(&b->lock);
    b->slow_timer = NULL;
    slow = ++b->ticks % ALLOT_SLOW_TICKS == 0;
    if (!b->stopping) {
        /* This callback's busy count goes on with the new timer. */
        b->slow_timer =
            gf_timer_call_after(this->ctx, delay, events_slow, this);
        if (b->slow_timer)
            b->busy++;
    }
    pthread_mutex_unlock(&b->lock);

    events_shut_names(this);
    allot_health_tick(this);
    allot_gone_tick(this, slow);
    if (slow) {
        allot_ledger_refresh(this, ALLOT_FRESH_MSEC);
        /* A blank brick may have been adopted by another client, a guard may
         * have been added, an administrator may have set a state: nobody tells
         * us. */
        allot_handshake_again(this, _gf_false);
        allot_handshake_next(this);
    }
    allot_bricks_idle(b);
}

static void
events_timers_start(xlator_t *this)
{
    struct allot_bricks *b = allot_bricks_of(this);
    struct timespec up = {
        .tv_sec = ALLOT_UP_WAIT_SEC,
    };
    struct timespec slow = {
        .tv_sec = ALLOT_TICK_SEC,
    };

    pthread_mutex_lock(&b->lock);
    if (!b->up_timer && allot_bricks_busy_locked(b)) {
        b->up_timer =
            gf_timer_call_after(this->ctx, up, events_up_timeout, this);
        if (!b->up_timer)
            b->busy--;
    }
    if (!b->slow_timer && allot_bricks_busy_locked(b)) {
        b->slow_timer = gf_timer_call_after(this->ctx, slow, events_slow, this);
        if (!b->slow_timer)
            b->busy--;
    }
    pthread_mutex_unlock(&b->lock);
}

static void
events_timers_stop(xlator_t *this)
{
    struct allot_bricks *b = allot_bricks_of(this);

    pthread_mutex_lock(&b->lock);
    b->stopping = _gf_true;
    if (b->up_timer && gf_timer_call_cancel(this->ctx, b->up_timer) == 0) {
        b->up_timer = NULL;
        b->busy--;
    }
    if (b->slow_timer && gf_timer_call_cancel(this->ctx, b->slow_timer) == 0) {
        b->slow_timer = NULL;
        b->busy--;
    }
    allot_register_stop_locked(b);
    pthread_mutex_unlock(&b->lock);
}

/* ---- parents ---------------------------------------------------------------
 */

static void
events_forward(xlator_t *this, int32_t event, void *data)
{
    struct allot_bricks *b = allot_bricks_of(this);
    xlator_t *victim = data;
    void *pass = this;
    int i = 0;

    if (victim && victim->cleanup_starting)
        pass = victim;
    xlator_notify(allot_priv(this)->ns, event, pass, NULL);
    for (i = 0; i < b->count; i++)
        if (!b->children[i].below_ns)
            xlator_notify(b->children[i].xl, event, pass, NULL);
}

static void
events_parent_down(xlator_t *this, void *data)
{
    struct allot_bricks *b = allot_bricks_of(this);
    gf_boolean_t shut = _gf_false;

    events_timers_stop(this);
    pthread_mutex_lock(&b->lock);
    b->parent_down = _gf_true;
    shut = b->below_shut;
    b->below_shut = _gf_true;
    /* Somebody above may wait for our CHILD_DOWN, also if we never sent
     * CHILD_UP. */
    if (b->event_sent == GF_EVENT_CHILD_DOWN)
        b->event_sent = -1;
    pthread_mutex_unlock(&b->lock);
    if (!shut)
        events_forward(this, GF_EVENT_PARENT_DOWN, data);
    allot_events_settle(this);
}

/* ---- children --------------------------------------------------------------
 */

static void
events_from_ns(xlator_t *this, int32_t event)
{
    struct allot_bricks *b = allot_bricks_of(this);
    int32_t sent = 0;

    if (event != GF_EVENT_CHILD_UP && event != GF_EVENT_CHILD_DOWN) {
        if (event == GF_EVENT_AUTH_FAILED)
            default_notify(this, event, NULL);
        else
            events_pass(this, event, NULL);
        return;
    }
    pthread_mutex_lock(&b->lock);
    sent = b->event_sent;
    b->ns_up = event == GF_EVENT_CHILD_UP;
    b->ns_heard = _gf_true;
    pthread_mutex_unlock(&b->lock);
    /* distribute says CHILD_UP for each of its own: caches above listen. */
    if (event == sent)
        events_pass(this, event, NULL);
    allot_events_settle(this);
}

/* A brick's connection is new: whatever was known of it, and of the fds that
 * lead to it, is to be asked for again. */
static void
events_leaf_up(xlator_t *this, struct allot_leaf *l)
{
    struct allot_bricks *b = allot_bricks_of(this);

    pthread_mutex_lock(&b->lock);
    l->connected = _gf_true;
    l->epoch++;
    l->child->epoch++;
    l->hs_serial = 0;
    if (l->child->kind == ALLOT_SET_NONE)
        allot_health_connected_locked(&l->child->health);
    else
        allot_health_leaf_connected_locked(l);
    allot_handshake_forget_locked(l);
    allot_registry_evaluate_locked(b);
    pthread_mutex_unlock(&b->lock);

    allot_handshake_start(this, l);
}

static void
events_leaf_down(xlator_t *this, struct allot_leaf *l)
{
    struct allot_bricks *b = allot_bricks_of(this);

    pthread_mutex_lock(&b->lock);
    l->connected = _gf_false;
    l->answered = _gf_true;
    l->hs_serial = 0;
    allot_handshake_forget_locked(l);
    allot_registry_evaluate_locked(b);
    pthread_mutex_unlock(&b->lock);

    allot_register_kick(this);
    allot_events_settle(this);
}

static void
events_child(xlator_t *this, struct allot_child *c, gf_boolean_t up)
{
    struct allot_bricks *b = allot_bricks_of(this);

    pthread_mutex_lock(&b->lock);
    /* replicate says CHILD_UP for each of its own. */
    if (up && !c->connected) {
        c->epoch++;
        if (c->kind != ALLOT_SET_NONE)
            allot_health_connected_locked(&c->health);
    }
    c->connected = up;
    c->heard = _gf_true;
    allot_registry_evaluate_locked(b);
    pthread_mutex_unlock(&b->lock);

    allot_register_kick(this);
    if (up)
        allot_ledger_refresh(this, 0);
    if (!up || !c->below_ns)
        events_pass(
            this,
            up ? GF_EVENT_SOME_DESCENDENT_UP : GF_EVENT_SOME_DESCENDENT_DOWN,
            NULL);
    allot_events_settle(this);
}

/* @c: a data subvolume, or NULL; @l: a brick, or NULL. A plain one is both. */
static void
events_from_data(xlator_t *this, struct allot_child *c, struct allot_leaf *l,
                 int32_t event)
{
    switch (event) {
        case GF_EVENT_CHILD_UP:
            if (l)
                events_leaf_up(this, l);
            if (c)
                events_child(this, c, _gf_true);
            break;
        case GF_EVENT_CHILD_DOWN:
            if (l)
                events_leaf_down(this, l);
            if (c)
                events_child(this, c, _gf_false);
            break;
        case GF_EVENT_AUTH_FAILED:
            if (c && !c->below_ns)
                default_notify(this, event, NULL);
            break;
        default:
            break;
    }
}

/* ---- upcalls ---------------------------------------------------------------
 */

/* A brick notifies its parents one after the other, in one thread and with the
 * same data. Where several ways lead from it to us all but the first delivery
 * in a row are duplicates. */
static __thread const void *upcall_seen;
static __thread int upcall_times;

static gf_boolean_t
upcall_duplicate(const struct gf_upcall *up, int paths)
{
    if (upcall_seen != up)
        upcall_times = 0;
    upcall_seen = ++upcall_times < paths ? up : NULL;
    return upcall_times > 1;
}

static void
upcall_invalidation(xlator_t *this, struct gf_upcall *up)
{
    struct gf_upcall_cache_invalidation *inv = up->data;
    inode_table_t *table =
        this->graph->top ? ((xlator_t *)this->graph->top)->itable : NULL;
    inode_t *inode = table ? inode_find(table, up->gfid) : NULL;
    struct allot_inode *ai = NULL;

    if (!inode)
        return;
    /* Its iatt is the base's. A cache above must not take it for the file's:
     * let it ask. */
    if (inode->ia_type == IA_IFREG) {
        ai = allot_inode_peek(this, inode);
        if (ai && ai->kind != ALLOT_KIND_PLAIN)
            inv->flags |= UP_INVAL_ATTR;
    }
    inode_unref(inode);
}

static void
events_upcall(xlator_t *this, struct gf_upcall *up)
{
    /* The locks of sets and of our own: nobody above holds any. A set keeps to
     * itself what concerns it, but a leaf's comes here directly as well. */
    if (up->event_type == GF_UPCALL_INODELK_CONTENTION ||
        up->event_type == GF_UPCALL_ENTRYLK_CONTENTION)
        return;
    if (upcall_duplicate(up, allot_bricks_of(this)->paths))
        return;
    if (up->event_type == GF_UPCALL_CACHE_INVALIDATION && up->data)
        upcall_invalidation(this, up);
    default_notify(this, GF_EVENT_UPCALL, up);
}

int
allot_bricks_notify(xlator_t *this, int32_t event, void *data)
{
    struct allot_priv *priv = allot_priv(this);
    struct allot_child *c = NULL;
    struct allot_leaf *l = NULL;

    if (!priv || !priv->bricks)
        return 0;
    switch (event) {
        case GF_EVENT_PARENT_UP:
            events_timers_start(this);
            events_forward(this, event, data);
            return 0;
        case GF_EVENT_PARENT_DOWN:
            events_parent_down(this, data);
            return 0;
        case GF_EVENT_UPCALL:
            if (data)
                events_upcall(this, data);
            return 0;
        case GF_EVENT_CHILD_UP:
        case GF_EVENT_CHILD_DOWN:
        case GF_EVENT_CHILD_CONNECTING:
        case GF_EVENT_CHILD_PING:
        case GF_EVENT_SOME_DESCENDENT_UP:
        case GF_EVENT_SOME_DESCENDENT_DOWN:
        case GF_EVENT_AUTH_FAILED:
            break;
        default:
            return default_notify(this, event, data);
    }
    if (data == priv->ns) {
        events_from_ns(this, event);
        return 0;
    }
    c = allot_bricks_child_of(priv->bricks, data);
    l = allot_bricks_leaf_of(priv->bricks, data);
    events_from_data(this, c, l, event);
    return 0;
}
