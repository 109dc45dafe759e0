/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-events.c - notify(): what children and parents say, and what goes up.
 *
 *   from          event                 what happens
 *   parent        PARENT_UP/DOWN        to the namespace and to the data
 *                                       subvolumes that are not below it: a
 *                                       client must not get PARENT_DOWN twice
 *   namespace     CHILD_UP              up, once every data subvolume has
 *                                       answered or 10 s have passed
 *                 CHILD_DOWN            up
 *                 anything else         up, after the first CHILD_UP
 *   data          CHILD_UP              handshake; then SOME_DESCENDENT_UP
 *                 CHILD_DOWN            state down; SOME_DESCENDENT_DOWN
 *                 UPCALL                up, unless the namespace has brought it
 *                 anything else         stays here
 *
 * A subvolume that is both data and below the namespace brings its events
 * twice: through the namespace and directly.
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

    if (allot_priv(b->this)->pass_through)
        return _gf_true;
    for (i = 0; i < b->count; i++)
        if (!b->children[i].answered)
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
    for (i = 0; i < b->count; i++)
        if (b->children[i].connected && b->children[i].network)
            return _gf_false;
    return _gf_true;
}

static int32_t
events_due(struct allot_bricks *b)
{
    if (b->parent_down)
        return events_all_down(b) ? GF_EVENT_CHILD_DOWN : b->event_sent;
    if (b->ns_up && (b->event_sent == GF_EVENT_CHILD_UP || b->up_timed_out ||
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

    allot_health_tick(this);
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

    events_timers_stop(this);
    pthread_mutex_lock(&b->lock);
    b->parent_down = _gf_true;
    /* Somebody above may wait for our CHILD_DOWN, also if we never sent
     * CHILD_UP. */
    if (b->event_sent == GF_EVENT_CHILD_DOWN)
        b->event_sent = -1;
    pthread_mutex_unlock(&b->lock);
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

static void
events_data_up(xlator_t *this, struct allot_child *c)
{
    struct allot_bricks *b = allot_bricks_of(this);

    pthread_mutex_lock(&b->lock);
    c->connected = _gf_true;
    c->epoch++;
    c->hs_serial = 0;
    allot_health_connected_locked(c);
    allot_handshake_forget_locked(c);
    allot_registry_evaluate_locked(b);
    pthread_mutex_unlock(&b->lock);

    allot_handshake_start(this, c);
    allot_ledger_refresh(this, 0);
    if (!c->below_ns)
        events_pass(this, GF_EVENT_SOME_DESCENDENT_UP, NULL);
}

static void
events_data_down(xlator_t *this, struct allot_child *c)
{
    struct allot_bricks *b = allot_bricks_of(this);

    pthread_mutex_lock(&b->lock);
    c->connected = _gf_false;
    c->answered = _gf_true;
    c->hs_serial = 0;
    allot_handshake_forget_locked(c);
    allot_registry_evaluate_locked(b);
    pthread_mutex_unlock(&b->lock);

    allot_register_kick(this);
    events_pass(this, GF_EVENT_SOME_DESCENDENT_DOWN, NULL);
    allot_events_settle(this);
}

static void
events_from_data(xlator_t *this, struct allot_child *c, int32_t event)
{
    switch (event) {
        case GF_EVENT_CHILD_UP:
            events_data_up(this, c);
            break;
        case GF_EVENT_CHILD_DOWN:
            events_data_down(this, c);
            break;
        case GF_EVENT_AUTH_FAILED:
            if (!c->below_ns)
                default_notify(this, event, NULL);
            break;
        default:
            break;
    }
}

/* ---- upcalls ---------------------------------------------------------------
 */

/* A subvolume below the namespace notifies its parents one after the other, in
 * one thread and with the same data: the second delivery in a row is the
 * duplicate. */
static __thread const void *upcall_seen;

static gf_boolean_t
upcall_duplicate(const struct gf_upcall *up)
{
    if (upcall_seen == up) {
        upcall_seen = NULL;
        return _gf_true;
    }
    upcall_seen = up;
    return _gf_false;
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
    struct gf_upcall_inodelk_contention *lk = NULL;
    struct allot_bricks *b = allot_bricks_of(this);
    gf_boolean_t shared = _gf_false;
    int i = 0;

    for (i = 0; i < b->count && !shared; i++)
        shared = b->children[i].below_ns;
    if (shared && upcall_duplicate(up))
        return;
    if (up->event_type == GF_UPCALL_INODELK_CONTENTION) {
        lk = up->data;
        if (lk && lk->domain && strncmp(lk->domain, "allot.", 6) == 0)
            return;
    }
    if (up->event_type == GF_UPCALL_CACHE_INVALIDATION && up->data)
        upcall_invalidation(this, up);
    default_notify(this, GF_EVENT_UPCALL, up);
}

int
allot_bricks_notify(xlator_t *this, int32_t event, void *data)
{
    struct allot_priv *priv = allot_priv(this);
    struct allot_child *c = NULL;

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
    if (c)
        events_from_data(this, c, event);
    return 0;
}
