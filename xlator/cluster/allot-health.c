/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-health.c - see allot-health.h.
 *
 * Errors in a row: an error of a file that is not the one of the error before
 * counts ALLOT_SCORE_FILE, another one of the same file counts 1. A portion
 * that was damaged by hand gives EIO too, and a program that reads it again and
 * again must not condemn the brick. A success of the same kind (read, write)
 * sets the score back; a read from the page cache proves nothing about writing.
 *
 * Stall: calls are out and none has been answered for `stall-timeout`.
 *
 * Probe: setattr of the access time of "/.allot": it needs the disk to write,
 * and changes nothing that anybody looks at.
 *
 * Of a replicate set all of this is the set's: what its single bricks answer
 * is allot-health-leaves.c's.
 */
#include "allot-bricks-impl.h"

#define ALLOT_SCORE_FILE 4
#define ALLOT_HOLD_DOUBLINGS 4 /* at most 16 times `failing-hold` */

/* ---- counting --------------------------------------------------------------
 */

#define COUNT(field, n) __atomic_fetch_add(&(field), (n), __ATOMIC_RELAXED)
#define LOAD(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)

static uint64_t
health_now_nsec(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

struct allot_health *
allot_health_of(xlator_t *this, uint16_t idx)
{
    struct allot_health *health = NULL;
    struct allot_snap *s = NULL;

    rcu_read_lock();
    s = rcu_dereference(allot_bricks_of(this)->snap);
    if (s && idx < s->next_index && s->position[idx] >= 0)
        health = &s->children[s->position[idx]]->health;
    rcu_read_unlock();
    return health;
}

struct allot_health *
allot_health_of_xl(xlator_t *this, const xlator_t *xl)
{
    struct allot_child *c = allot_bricks_child_of(allot_bricks_of(this), xl);

    return c ? &c->health : NULL;
}

uint64_t
allot_health_begin(struct allot_health *health)
{
    uint64_t now = 0;
    uint64_t idle = 0;

    if (!health)
        return 0;
    now = health_now_nsec();
    if (LOAD(health->mark_nsec) == 0)
        __atomic_compare_exchange_n(&health->mark_nsec, &idle, now, 0,
                                    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    COUNT(health->inflight, 1);
    return now;
}

/* Each answer closes a piece of busy time and opens the next. Two threads that
 * meet here at the edge of idleness can lose or gain the time between them. */
static void
health_busy(struct allot_health *health, uint64_t start, uint64_t now)
{
    uint64_t mark =
        __atomic_exchange_n(&health->mark_nsec, now, __ATOMIC_RELAXED);

    if (mark == 0)
        mark = start;
    if (mark < now)
        COUNT(health->sums.busy_nsec, now - mark);
    if (__atomic_sub_fetch(&health->inflight, 1, __ATOMIC_RELAXED) == 0)
        __atomic_compare_exchange_n(&health->mark_nsec, &now, 0, 0,
                                    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

const char *
allot_health_why(int32_t err)
{
    switch (err) {
        case EIO:
            return "its calls end in EIO";
        case EROFS:
            return "its file system is read-only";
        case ENODEV:
        case ENXIO:
            return "its device is gone";
        case EUCLEAN:
            return "its file system is damaged";
        default:
            return NULL;
    }
}

static uint64_t
health_file(const inode_t *inode)
{
    uint64_t n = 0;

    if (inode)
        memcpy(&n, inode->gfid + 8, sizeof(n));
    return n;
}

static void
health_trip(xlator_t *this, struct allot_health *health, const char *why);

static void
health_bad(xlator_t *this, struct allot_health *health, enum allot_work kind,
           const char *why, const inode_t *inode)
{
    uint64_t file = health_file(inode);
    uint64_t last =
        __atomic_exchange_n(&health->bad_file, file, __ATOMIC_RELAXED);
    uint32_t limit = allot_priv(this)->opt.failing_errors * ALLOT_SCORE_FILE;
    uint32_t weight = file && file == last ? 1 : ALLOT_SCORE_FILE;
    uint32_t score = COUNT(health->score[kind], weight) + weight;

    if (limit && score >= limit)
        health_trip(this, health, why);
}

void
allot_health_end(xlator_t *this, struct allot_health *health,
                 enum allot_work kind, uint64_t start_nsec, int32_t ret,
                 int32_t err, const inode_t *inode)
{
    const char *why = ret < 0 ? allot_health_why(err) : NULL;
    uint64_t now = 0;

    if (!health)
        return;
    /* Reads of other files may succeed afterwards. */
    if (why && kind == ALLOT_WORK_READ)
        __atomic_store_n(&health->unread, 1, __ATOMIC_RELAXED);
    /* Of a disperse set EIO is that its bricks do not agree. How their disks
     * are is asked of each (allot-health-leaves.c). */
    if (why && err == EIO && health->dispersed)
        why = NULL;
    now = health_now_nsec();
    COUNT(health->sums.ops[kind], 1);
    COUNT(health->sums.latency_nsec, now - start_nsec);
    if (ret > 0 && kind == ALLOT_WORK_READ)
        COUNT(health->sums.bytes_read, ret);
    else if (ret > 0 && kind == ALLOT_WORK_WRITE)
        COUNT(health->sums.bytes_written, ret);
    health_busy(health, start_nsec, now);
    if (why)
        COUNT(health->sums.errors, 1);
    if (kind == ALLOT_WORK_META)
        return;
    if (why)
        health_bad(this, health, kind, why, inode);
    else if (ret >= 0 && LOAD(health->score[kind]))
        __atomic_store_n(&health->score[kind], 0, __ATOMIC_RELAXED);
}

void
allot_health_sums(const struct allot_health *health,
                  struct allot_work_sums *sums)
{
    int i = 0;

    for (i = 0; i < ALLOT_WORK_KINDS; i++)
        sums->ops[i] = LOAD(health->sums.ops[i]);
    sums->bytes_read = LOAD(health->sums.bytes_read);
    sums->bytes_written = LOAD(health->sums.bytes_written);
    sums->errors = LOAD(health->sums.errors);
    sums->latency_nsec = LOAD(health->sums.latency_nsec);
    sums->busy_nsec = LOAD(health->sums.busy_nsec);
}

/* ---- the breaker -----------------------------------------------------------
 */

static uint64_t
health_hold_msec(const struct allot_bricks *b)
{
    return (uint64_t)allot_priv(b->this)->opt.failing_hold * 1000;
}

/* One brick's part of allot_health_hold_locked(). */
static void
health_hold_one_locked(struct allot_health *h, int32_t was_sec, int32_t now_sec)
{
    uint64_t since = 0;

    if (h->failing && h->quiet_msec >= h->hold_msec)
        since = h->quiet_msec - h->hold_msec;
    h->hold_msec = h->hold_msec / was_sec * now_sec;
    if (h->failing && h->quiet_msec)
        h->quiet_msec = since + h->hold_msec;
}

/* Bricks that are failing are held for as long as they would be had the option
 * always been this: counted from the last error, doublings kept. */
void
allot_health_hold_locked(struct allot_bricks *b, int32_t was_sec,
                         int32_t now_sec)
{
    int i = 0;

    if (was_sec <= 0)
        return;
    for (i = 0; i < b->count; i++)
        health_hold_one_locked(&b->children[i].health, was_sec, now_sec);
    for (i = 0; i < b->leaf_count; i++)
        health_hold_one_locked(&b->leaves[i].health, was_sec, now_sec);
}

/* A read-only file system can still be read, until a read has said otherwise.
 */
gf_boolean_t
allot_health_unread_locked(const struct allot_health *h, const char *why)
{
    return why != allot_health_why(EROFS) || LOAD(h->unread);
}

gf_boolean_t
allot_health_trip_locked(struct allot_bricks *b, struct allot_health *h,
                         const char *why)
{
    uint64_t now = allot_now_msec();
    uint64_t base = health_hold_msec(b);
    gf_boolean_t first = !h->failing;

    if (first) {
        if (h->hold_msec && h->return_msec &&
            now - h->return_msec < ALLOT_FLAP_MSEC)
            h->hold_msec *= 2;
        else
            h->hold_msec = base;
        if (h->hold_msec > base << ALLOT_HOLD_DOUBLINGS)
            h->hold_msec = base << ALLOT_HOLD_DOUBLINGS;
        h->failing = _gf_true;
        h->why = why;
    }
    h->quiet_msec = now + h->hold_msec;
    return first;
}

static void
health_trip(xlator_t *this, struct allot_health *health, const char *why)
{
    struct allot_bricks *b = allot_bricks_of(this);

    pthread_mutex_lock(&b->lock);
    if (!b->stopping && allot_health_trip_locked(b, health, why))
        allot_registry_evaluate_locked(b);
    pthread_mutex_unlock(&b->lock);
}

void
allot_health_clear_locked(struct allot_health *h)
{
    h->failing = _gf_false;
    h->why = NULL;
    __atomic_store_n(&h->unread, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&h->score[ALLOT_WORK_READ], 0, __ATOMIC_RELAXED);
    __atomic_store_n(&h->score[ALLOT_WORK_WRITE], 0, __ATOMIC_RELAXED);
}

void
allot_health_connected_locked(struct allot_health *h)
{
    if (h->failing)
        h->quiet_msec = 0;
}

static gf_boolean_t
health_well(enum allot_brick_state state)
{
    return state == ALLOT_BRICK_UP || state == ALLOT_BRICK_FULL ||
           state == ALLOT_BRICK_DRAINING;
}

/* States of one class are the same to a report (cli/steady.c): its blocks are
 * there, are there but perhaps unreadable, are away, are lost. */
static int
health_class(enum allot_brick_state state)
{
    switch (state) {
        case ALLOT_BRICK_DOWN:
        case ALLOT_BRICK_CONNECTING:
            return ALLOT_BRICK_DOWN;
        case ALLOT_BRICK_BLANK:
        case ALLOT_BRICK_LOST:
            return ALLOT_BRICK_LOST;
        case ALLOT_BRICK_FAILING:
        case ALLOT_BRICK_FOREIGN:
            return state;
        default:
            return ALLOT_BRICK_UP;
    }
}

void
allot_health_state_locked(struct allot_health *h, uint64_t *failures,
                          enum allot_brick_state was,
                          enum allot_brick_state now)
{
    uint64_t msec = allot_now_msec();

    h->changes++;
    h->turns += health_class(was) != health_class(now);
    if (health_well(was) && !health_well(now)) {
        (*failures)++;
        if (h->return_msec && msec - h->return_msec < ALLOT_FLAP_MSEC)
            h->flaps++;
    } else if (!health_well(was) && health_well(now) && *failures) {
        h->return_msec = msec;
    }
}

/* ---- the probe -------------------------------------------------------------
 */

static int32_t
health_probe_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                 int32_t op_ret, int32_t op_errno, struct iatt *pre,
                 struct iatt *post, dict_t *xdata)
{
    struct allot_bricks *b = allot_bricks_of(this);
    struct allot_child *c = cookie;
    struct allot_health *h = &c->health;

    pthread_mutex_lock(&b->lock);
    h->probing = _gf_false;
    /* Bad news since it was sent weighs more. */
    if (h->failing && h->quiet_msec <= allot_now_msec() && c->connected) {
        if (op_ret < 0 && (allot_health_why(op_errno) || op_errno == ENOTCONN))
            h->quiet_msec = allot_now_msec() + h->hold_msec;
        else
            allot_health_clear_locked(h);
        allot_registry_evaluate_locked(b);
    }
    pthread_mutex_unlock(&b->lock);
    STACK_DESTROY(frame->root);
    allot_bricks_idle(b);
    return 0;
}

void
allot_health_probe(xlator_t *this, xlator_t *xl, struct allot_health *h,
                   pid_t pid, fop_setattr_cbk_t cbk, void *cookie)
{
    struct allot_bricks *b = allot_bricks_of(this);
    call_frame_t *frame = create_frame(this, this->ctx->pool);
    struct iatt now = {
        0,
    };
    loc_t loc = {
        0,
    };
    loc_t root = {
        0,
    };

    if (frame && allot_bricks_root(b, &root) == 0) {
        allot_dir_gfid(-1, loc.gfid);
        loc.inode = inode_new(root.inode->table);
        loc.path = gf_strdup("/" ALLOT_DIR_NAME);
    }
    loc_wipe(&root);
    if (!loc.inode || !loc.path) {
        if (frame)
            STACK_DESTROY(frame->root);
        loc_wipe(&loc);
        pthread_mutex_lock(&b->lock);
        h->probing = _gf_false;
        pthread_mutex_unlock(&b->lock);
        allot_bricks_idle(b);
        return;
    }
    gf_uuid_copy(loc.inode->gfid, loc.gfid);
    loc.inode->ia_type = IA_IFDIR;
    loc.name = strrchr(loc.path, '/') + 1;
    frame->root->pid = pid;
    now.ia_atime = gf_time();
    STACK_WIND_COOKIE(frame, cbk, cookie, xl, xl->fops->setattr, &loc, &now,
                      GF_SET_ATTR_ATIME, allot_priv(this)->client_xdata);
    loc_wipe(&loc);
}

/* ---- once a second ---------------------------------------------------------
 */

double
allot_health_latency_time_locked(const struct allot_health *h,
                                 const struct allot_work_sums *now)
{
    uint64_t busy = now->busy_nsec - h->seen.busy_nsec;
    uint64_t ops = 0;
    int i = 0;

    for (i = 0; i < ALLOT_WORK_KINDS; i++)
        ops += now->ops[i] - h->seen.ops[i];
    if (!ops)
        return h->latency_time;
    return h->latency_time + (now->latency_nsec - h->seen.latency_nsec) / 1e9 /
                                 ops * (busy / 1e9);
}

static void
health_interval_locked(struct allot_child *c, uint64_t nsec)
{
    struct allot_health *h = &c->health;
    struct allot_work_sums now;

    allot_health_sums(h, &now);
    h->latency_time = allot_health_latency_time_locked(h, &now);
    if (health_well(c->state) || c->state == ALLOT_BRICK_FAILING)
        h->up_nsec += nsec;
    h->seen = now;
}

static gf_boolean_t
health_stalls(const struct allot_health *h, uint64_t now, uint64_t timeout)
{
    uint64_t mark = LOAD(h->mark_nsec);

    return timeout && mark && mark < now && now - mark >= timeout &&
           LOAD(h->inflight);
}

void
allot_health_tick(xlator_t *this)
{
    struct allot_bricks *b = allot_bricks_of(this);
    uint64_t timeout =
        (uint64_t)allot_priv(this)->opt.stall_timeout * 1000000000ULL;
    uint64_t now = health_now_nsec();
    struct allot_child *c = NULL;
    gf_boolean_t changed = _gf_false;
    gf_boolean_t probe = _gf_false;
    int i = 0;

    for (i = 0; i < b->count; i++) {
        c = &b->children[i];
        pthread_mutex_lock(&b->lock);
        if (c->connected && health_stalls(&c->health, now, timeout))
            changed |= allot_health_trip_locked(b, &c->health,
                                                "it does not answer calls");
        probe = c->health.failing && !c->health.probing && c->connected &&
                c->health.quiet_msec <= allot_now_msec() &&
                allot_bricks_busy_locked(b);
        if (probe)
            c->health.probing = _gf_true;
        health_interval_locked(c, b->tick_nsec ? now - b->tick_nsec : 0);
        pthread_mutex_unlock(&b->lock);
        if (probe)
            allot_health_probe(this, c->xl, &c->health, ALLOT_PID_ROOT,
                               health_probe_cbk, c);
    }
    pthread_mutex_lock(&b->lock);
    b->tick_nsec = now;
    if (changed)
        allot_registry_evaluate_locked(b);
    pthread_mutex_unlock(&b->lock);
    allot_health_leaves_tick(this);
}
