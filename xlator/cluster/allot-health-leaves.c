/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-health-leaves.c - the disks of the bricks of replicate sets. Calls for
 * data go through the set, which hides what a single brick answered, so
 * allot-health.c sees the set alone. Here each brick is asked by itself: a
 * change of the access time of "/.allot", as its probe.
 *
 *    well        once every `failing-hold`, and when it has connected
 *    an error    every second, until it is well or `failing-errors` were met
 *                in a row: then it is failing
 *    EROFS       once more, as GlusterFS's own: the volume may be read-only
 *    no answer   for `stall-timeout`: failing
 *    failing     as in allot-health.h: when it was quiet for its hold
 *
 * What this does not see: errors of reading, and of files other than this
 * directory. The set itself reads from another brick then.
 */
#include "allot-bricks-impl.h"

#define LEAVES_AGAIN_MSEC 1000
#define LEAVES_NOTHING \
    10 /* where nothing was spread yet, so much more rarely */

void
allot_health_leaf_connected_locked(struct allot_leaf *l)
{
    l->probe_msec = 0;
    l->probe_errors = 0;
    l->read_only = _gf_false;
    allot_health_connected_locked(&l->health);
}

/* The answer of a probe of @l: 0, or an errno. */
static void
leaves_answer_locked(struct allot_bricks *b, struct allot_leaf *l, int32_t err)
{
    struct allot_options *opt = &allot_priv(b->this)->opt;
    const char *why = allot_health_why(err);
    uint64_t now = allot_now_msec();

    l->probe_msec = now + opt->failing_hold * 1000ULL;
    if (err == ENOTCONN)
        return;
    /* The directory comes with the first spread file, and bricks log it. */
    if (err == ENOENT)
        l->probe_msec = now + opt->failing_hold * 1000ULL * LEAVES_NOTHING;
    /* The volume may be read-only (features.read-only), and not the disk. */
    if (err == EROFS && !l->read_only) {
        l->read_only = _gf_true;
        l->probe_msec = now;
        if (l->health.failing)
            l->health.quiet_msec = now;
        return;
    }
    if (why) {
        l->probe_errors++;
        l->health.sums.errors++;
        if (l->health.failing ||
            (opt->failing_errors && l->probe_errors >= opt->failing_errors))
            allot_health_trip_locked(b, &l->health, why);
        else
            l->probe_msec = now + LEAVES_AGAIN_MSEC;
        return;
    }
    l->probe_errors = 0;
    /* One that answered late has to be quiet for its hold first. */
    if (l->health.failing && l->health.quiet_msec <= now)
        allot_health_clear_locked(&l->health);
}

static int32_t
leaves_probe_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                 int32_t op_ret, int32_t op_errno, struct iatt *pre,
                 struct iatt *post, dict_t *xdata)
{
    struct allot_bricks *b = allot_bricks_of(this);
    struct allot_leaf *l = cookie;

    pthread_mutex_lock(&b->lock);
    l->health.probing = _gf_false;
    leaves_answer_locked(b, l, op_ret < 0 ? op_errno : 0);
    allot_registry_evaluate_locked(b);
    pthread_mutex_unlock(&b->lock);
    STACK_DESTROY(frame->root);
    allot_bricks_idle(b);
    return 0;
}

/* True if it is to be probed now; busy is counted then. */
static gf_boolean_t
leaves_due_locked(struct allot_bricks *b, struct allot_leaf *l)
{
    uint64_t now = allot_now_msec();

    if (!l->connected || l->health.probing ||
        (l->health.failing ? l->health.quiet_msec : l->probe_msec) > now ||
        !allot_bricks_busy_locked(b))
        return _gf_false;
    l->health.probing = _gf_true;
    l->probe_msec = now;
    return _gf_true;
}

/* A probe is out for too long. True if that is news. */
static gf_boolean_t
leaves_stall_locked(struct allot_bricks *b, struct allot_leaf *l)
{
    uint64_t timeout = allot_priv(b->this)->opt.stall_timeout * 1000ULL;

    return timeout && l->connected && l->health.probing &&
           allot_now_msec() - l->probe_msec >= timeout &&
           allot_health_trip_locked(b, &l->health, "it does not answer calls");
}

void
allot_health_leaves_tick(xlator_t *this)
{
    struct allot_bricks *b = allot_bricks_of(this);
    struct allot_leaf *l = NULL;
    gf_boolean_t changed = _gf_false;
    gf_boolean_t probe = _gf_false;
    int i = 0;

    for (i = 0; i < b->leaf_count; i++) {
        l = &b->leaves[i];
        if (l->child->kind == ALLOT_SET_NONE)
            continue;
        pthread_mutex_lock(&b->lock);
        changed |= leaves_stall_locked(b, l);
        probe = leaves_due_locked(b, l);
        pthread_mutex_unlock(&b->lock);
        if (probe)
            allot_health_probe(this, l->xl, &l->health,
                               l->read_only ? ALLOT_LOCK_PID : ALLOT_PID_ROOT,
                               leaves_probe_cbk, l);
    }
    if (!changed)
        return;
    pthread_mutex_lock(&b->lock);
    allot_registry_evaluate_locked(b);
    pthread_mutex_unlock(&b->lock);
}
