/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-register.c - changes of the registry on the bricks: the first
 * registration, new subvolumes, copies that are behind. What an administrator
 * asks for is in allot-adopt.c. Each runs in a synctask under one lock: an
 * exclusive inodelk on the root of every connected brick, taken without
 * waiting. Who does not get all of them lets go and tries again later. All
 * calls go to the bricks (the leaves of sets) directly.
 *
 * Each change, and what a death after each step leaves:
 *
 *   form    1. registry FORMING on all     nobody is active: done again
 *           2. identity on each            the same
 *           3. registry ACTIVE on all      one copy is enough: it wins, the
 *                                          others are brought up to date
 *   join    1. identity on the new one     an identity that no registry knows:
 *                                          joined again with it
 *           2. registry on all             as form 3
 *   update  1. registry on those behind    done again
 *
 * Before 1. every connected subvolume is asked again under the lock, so that
 * the decision rests on what is on the bricks now.
 */
#include "allot-registrar.h"
#include "allot-stop.h"

#define ALLOT_RETRY_MIN_MSEC 100
#define ALLOT_RETRY_MAX_MSEC 5000
#define ALLOT_REGISTER_ROUNDS 4

void
registrar_done(struct registrar *r)
{
    GF_FREE(r->calls);
    GF_FREE(r->locked);
    loc_wipe(&r->root);
    if (r->xdata)
        dict_unref(r->xdata);
}

int
registrar_init(struct registrar *r, xlator_t *this)
{
    memset(r, 0, sizeof(*r));
    r->this = this;
    r->b = allot_bricks_of(this);
    r->n = r->b->leaf_count;
    r->calls = GF_CALLOC(r->n, sizeof(*r->calls), allot_mt_calls);
    r->locked = GF_CALLOC(r->n, sizeof(*r->locked), allot_mt_bricks);
    r->xdata = allot_xdata_internal();
    if (!r->calls || !r->locked || !r->xdata ||
        allot_bricks_root(r->b, &r->root)) {
        registrar_done(r);
        return -ENOMEM;
    }
    return 0;
}

/* ---- the lock --------------------------------------------------------------
 */

static void
registrar_fan_lock(struct registrar *r, short type)
{
    struct allot_call *call = NULL;
    int i = 0;

    r->flock.l_type = type;
    r->flock.l_whence = SEEK_SET;
    for (i = 0; i < r->n; i++) {
        call = &r->calls[i];
        allot_call_init(call, r->b->leaves[i].xl, GF_FOP_INODELK);
        if (type == F_UNLCK ? !r->locked[i] : !r->b->leaves[i].connected)
            call->xl = NULL;
        call->loc = &r->root;
        call->domain = ALLOT_DOMAIN_REGISTRY;
        call->lock_cmd = F_SETLK;
        call->flock = &r->flock;
        call->owner = r->locked; /* unique to this attempt */
        call->xdata = r->xdata;
    }
    allot_fan(r->this, r->calls, r->n);
}

void
registrar_unlock(struct registrar *r)
{
    registrar_fan_lock(r, F_UNLCK);
    allot_calls_wipe(r->calls, r->n);
    memset(r->locked, 0, r->n * sizeof(*r->locked));
}

int
registrar_lock(struct registrar *r)
{
    int ret = 0;
    int i = 0;

    registrar_fan_lock(r, F_WRLCK);
    for (i = 0; i < r->n; i++) {
        r->locked[i] = r->calls[i].ret >= 0;
        if (!r->locked[i] &&
            (r->calls[i].err == EAGAIN || r->calls[i].err == EACCES))
            ret = -EAGAIN;
    }
    allot_calls_wipe(r->calls, r->n);
    if (ret)
        registrar_unlock(r);
    return ret;
}

/* ---- asking and writing ----------------------------------------------------
 */

void
registrar_ask(struct registrar *r)
{
    struct allot_leaf *l = NULL;
    struct allot_call *call = NULL;
    data_t *value = NULL;
    int i = 0;

    pthread_mutex_lock(&r->b->lock);
    for (i = 0; i < r->n; i++) {
        l = &r->b->leaves[i];
        call = &r->calls[i];
        allot_call_init(call, l->connected ? l->xl : NULL, GF_FOP_GETXATTR);
        call->epoch = l->epoch;
        call->loc = &r->root;
        call->name = ALLOT_KEY_HANDSHAKE;
        call->xdata = r->xdata;
    }
    pthread_mutex_unlock(&r->b->lock);

    allot_fan(r->this, r->calls, r->n);

    pthread_mutex_lock(&r->b->lock);
    for (i = 0; i < r->n; i++) {
        l = &r->b->leaves[i];
        call = &r->calls[i];
        if (!call->xl || l->epoch != call->epoch || !l->connected)
            continue;
        value = call->rdict ? dict_get(call->rdict, ALLOT_KEY_HANDSHAKE) : NULL;
        /* One that is under way may have been answered earlier: its answer
         * does not count any more. */
        l->hs_serial = 0;
        l->answered = _gf_true;
        allot_handshake_store_locked(
            r->b, l, call->ret < 0 ? call->err : ENODATA, value);
    }
    allot_registry_evaluate_locked(r->b);
    pthread_mutex_unlock(&r->b->lock);
    allot_calls_wipe(r->calls, r->n);
}

int
registrar_write(struct registrar *r, const struct allot_registry *reg,
                const gf_boolean_t *only, int *asked)
{
    int64_t size = allot_registry_encode(reg, NULL, 0);
    uint8_t *bytes = NULL;
    dict_t *dict = dict_new();
    int done = 0;
    int i = 0;

    *asked = 0;
    if (size > 0)
        bytes = GF_MALLOC(size, allot_mt_bricks);
    if (!dict || !bytes || allot_registry_encode(reg, bytes, size) != size ||
        dict_set_static_bin(dict, ALLOT_XATTR_REGISTRY, bytes, size)) {
        gf_msg(r->this->name, GF_LOG_ERROR, size < 0 ? -size : ENOMEM,
               ALLOT_MSG_REGISTRY, "the registry cannot be encoded");
        *asked = 1;
        goto out;
    }
    for (i = 0; i < r->n; i++) {
        allot_call_init(&r->calls[i], r->b->leaves[i].xl, GF_FOP_SETXATTR);
        if (!r->locked[i] || (only && !only[i])) {
            r->calls[i].xl = NULL;
            continue;
        }
        (*asked)++;
        r->calls[i].loc = &r->root;
        r->calls[i].dict = dict;
        r->calls[i].xdata = r->xdata;
    }
    allot_fan(r->this, r->calls, r->n);
    for (i = 0; i < r->n; i++) {
        if (r->calls[i].xl && r->calls[i].ret < 0)
            gf_msg(r->this->name, GF_LOG_WARNING, r->calls[i].err,
                   ALLOT_MSG_REGISTRY, "%s did not take the registry",
                   r->calls[i].xl->name);
        else if (r->calls[i].xl)
            done++;
    }
    allot_calls_wipe(r->calls, r->n);
out:
    if (dict)
        dict_unref(dict);
    GF_FREE(bytes);
    return done;
}

int
registrar_identify_leaf(struct registrar *r, const struct allot_leaf *l,
                        const uint8_t *brick, const uint8_t *volume)
{
    struct allot_brick_id id = {
        .leaves = l->child->leaf_count > 1 ? l->child->leaf_count : 0,
        .leaf = l->number,
    };
    struct allot_call call;
    uint8_t bytes[64];
    int64_t size = 0;
    dict_t *dict = dict_new();
    int ret = -ENOMEM;

    memcpy(id.brick_uuid, brick, sizeof(id.brick_uuid));
    memcpy(id.volume_uuid, volume, sizeof(id.volume_uuid));
    size = allot_brick_id_encode(&id, bytes, sizeof(bytes));
    if (!dict || size < 0 ||
        dict_set_static_bin(dict, ALLOT_XATTR_BRICK, bytes, size))
        goto out;
    allot_call_init(&call, l->xl, GF_FOP_SETXATTR);
    call.loc = &r->root;
    call.dict = dict;
    call.xdata = r->xdata;
    ret = allot_call_one(r->this, &call);
    allot_calls_wipe(&call, 1);
    if (ret < 0)
        gf_msg(r->this->name, GF_LOG_WARNING, -ret, ALLOT_MSG_REGISTRY,
               "%s did not take its identity", l->xl->name);
out:
    if (dict)
        dict_unref(dict);
    return ret < 0 ? ret : 0;
}

int
registrar_identify(struct registrar *r, const struct allot_child *c,
                   const uint8_t *brick, const uint8_t *volume)
{
    gf_boolean_t has_id = _gf_false;
    int ret = 0;
    int i = 0;

    for (i = 0; i < c->leaf_count && !ret; i++) {
        pthread_mutex_lock(&r->b->lock);
        has_id = c->leaves[i].hs_kind == ALLOT_HS_OK && c->leaves[i].hs.has_id;
        has_id =
            has_id && memcmp(c->leaves[i].hs.id.brick_uuid, brick, 16) == 0;
        pthread_mutex_unlock(&r->b->lock);
        if (!has_id)
            ret = registrar_identify_leaf(r, &c->leaves[i], brick, volume);
    }
    return ret;
}

/* Weights are stored at registration: know the capacities first. */
static void
registrar_statfs(struct registrar *r)
{
    struct allot_child *c = NULL;
    struct statvfs buf;
    gf_boolean_t known = _gf_false;
    int64_t own = 0;
    int i = 0;

    for (i = 0; i < r->b->count; i++) {
        c = &r->b->children[i];
        pthread_mutex_lock(&r->b->lock);
        known = c->statfs_known || !c->connected;
        own = GF_ATOMIC_GET(c->own_bytes);
        pthread_mutex_unlock(&r->b->lock);
        if (known || syncop_statfs(c->xl, &r->root, &buf, r->xdata, NULL) < 0)
            continue;
        pthread_mutex_lock(&r->b->lock);
        allot_ledger_store_locked(r->b, c, &buf, own);
        pthread_mutex_unlock(&r->b->lock);
    }
}

static gf_boolean_t
registrar_all_locked(const struct registrar *r)
{
    int i = 0;

    for (i = 0; i < r->n; i++)
        if (!r->locked[i])
            return _gf_false;
    return _gf_true;
}

void
registry_brick_fill(struct allot_registry_brick *to, uint16_t index,
                    const struct allot_child *c)
{
    memset(to, 0, sizeof(*to));
    to->index = index;
    to->weight = c->weight ? c->weight : 1;
    uuid_generate(to->uuid);
    snprintf(to->name, sizeof(to->name), "%s", c->xl->name);
}

/* ---- form ------------------------------------------------------------------
 */

static int
register_form(struct registrar *r)
{
    struct allot_priv *priv = allot_priv(r->this);
    struct allot_registry reg = {
        0,
    };
    int asked = 0;
    int ret = 0;
    int i = 0;

    if (!registrar_all_locked(r))
        return -ENOTCONN;
    registrar_statfs(r);

    reg.bricks = calloc(r->b->count, sizeof(*reg.bricks));
    if (!reg.bricks)
        return -ENOMEM;
    reg.phase = ALLOT_REGISTRY_FORMING;
    reg.ns_kind = priv->ns_kind;
    reg.inline_limit = priv->opt.inline_limit;
    reg.next_index = r->b->count;
    reg.brick_count = r->b->count;
    uuid_generate(reg.volume_uuid);
    pthread_mutex_lock(&r->b->lock);
    reg.version = r->b->reg.version + 1;
    for (i = 0; i < r->b->count; i++)
        registry_brick_fill(&reg.bricks[i], i, &r->b->children[i]);
    pthread_mutex_unlock(&r->b->lock);

    if (registrar_write(r, &reg, NULL, &asked) < asked)
        ret = -EIO;
    allot_stop(r->this, ALLOT_STOP_REGISTER_FORMING);
    for (i = 0; i < r->b->count && !ret; i++) {
        ret = registrar_identify(r, &r->b->children[i], reg.bricks[i].uuid,
                                 reg.volume_uuid);
        allot_stop(r->this, ALLOT_STOP_REGISTER_SOME);
    }
    allot_stop(r->this, ALLOT_STOP_REGISTER_IDS);
    if (!ret) {
        reg.phase = ALLOT_REGISTRY_ACTIVE;
        reg.version++;
        if (registrar_write(r, &reg, NULL, &asked) < asked)
            ret = -EIO;
        else
            gf_msg(r->this->name, GF_LOG_INFO, 0, ALLOT_MSG_REGISTRY,
                   "volume %s is registered with %d bricks",
                   uuid_utoa(reg.volume_uuid), r->b->count);
    }
    allot_stop(r->this, ALLOT_STOP_REGISTER_ACTIVE);
    allot_registry_clear(&reg);
    return ret;
}

/* ---- join, update ----------------------------------------------------------
 */

int
registry_grow(struct allot_bricks *b, int more, struct allot_registry *reg)
{
    struct allot_registry_brick *bricks = NULL;
    int ret = 0;

    pthread_mutex_lock(&b->lock);
    ret = allot_registry_copy(reg, &b->reg);
    pthread_mutex_unlock(&b->lock);
    if (ret)
        return ret;
    if (reg->brick_count + more > ALLOT_BRICKS_MAX ||
        reg->next_index + more >= ALLOT_IDX_NONE) {
        allot_registry_clear(reg);
        return -ENOSPC;
    }
    bricks = realloc(reg->bricks, (reg->brick_count + more) * sizeof(*bricks));
    if (!bricks) {
        allot_registry_clear(reg);
        return -ENOMEM;
    }
    reg->bricks = bricks;
    reg->version++;
    return 0;
}

static int
register_join(struct registrar *r)
{
    struct allot_registry reg = {
        0,
    };
    struct allot_registry_brick *fresh = NULL;
    struct allot_child *c = NULL;
    gf_boolean_t *joins = NULL;
    int asked = 0;
    int more = 0;
    int ret = 0;
    int i = 0;

    if (!registrar_all_locked(r))
        return -ENOTCONN;
    registrar_statfs(r);
    joins = GF_CALLOC(r->b->count, sizeof(*joins), allot_mt_bricks);
    if (!joins)
        return -ENOMEM;
    pthread_mutex_lock(&r->b->lock);
    allot_ledger_weights_locked(r->b);
    for (i = 0; i < r->b->count; i++) {
        joins[i] = allot_registry_joinable_locked(r->b, &r->b->children[i]);
        more += joins[i];
    }
    pthread_mutex_unlock(&r->b->lock);
    ret = registry_grow(r->b, more, &reg);

    for (i = 0; i < r->b->count && !ret; i++) {
        if (!joins[i])
            continue;
        c = &r->b->children[i];
        fresh = &reg.bricks[reg.brick_count++];
        pthread_mutex_lock(&r->b->lock);
        registry_brick_fill(fresh, reg.next_index++, c);
        if (c->identified)
            memcpy(fresh->uuid, c->uuid, sizeof(fresh->uuid));
        pthread_mutex_unlock(&r->b->lock);
        ret = registrar_identify(r, c, fresh->uuid, reg.volume_uuid);
        allot_stop(r->this, ALLOT_STOP_JOIN_ID);
        gf_msg(r->this->name, GF_LOG_INFO, 0, ALLOT_MSG_REGISTRY,
               "%s joins as brick %d", c->xl->name, fresh->index);
    }
    if (!ret && registrar_write(r, &reg, NULL, &asked) < asked)
        ret = -EIO;
    allot_registry_clear(&reg);
    GF_FREE(joins);
    return ret;
}

static int
register_update(struct registrar *r)
{
    struct allot_registry reg = {
        0,
    };
    gf_boolean_t *behind = NULL;
    int asked = 0;
    int ret = 0;
    int i = 0;

    behind = GF_CALLOC(r->n, sizeof(*behind), allot_mt_bricks);
    if (!behind)
        return -ENOMEM;
    pthread_mutex_lock(&r->b->lock);
    ret = allot_registry_copy(&reg, &r->b->reg);
    for (i = 0; i < r->n; i++) {
        behind[i] = r->b->leaves[i].child->idx != ALLOT_IDX_NONE &&
                    allot_registry_behind_locked(r->b, &r->b->leaves[i]);
    }
    pthread_mutex_unlock(&r->b->lock);
    if (!ret && registrar_write(r, &reg, behind, &asked) < asked)
        ret = -EIO;
    allot_registry_clear(&reg);
    GF_FREE(behind);
    return ret;
}

/* ---- the task --------------------------------------------------------------
 */

static int
register_once(struct registrar *r)
{
    enum allot_need need = ALLOT_NEED_NOTHING;
    int ret = registrar_lock(r);

    if (ret)
        return ret;
    allot_stop(r->this, ALLOT_STOP_REGISTER_LOCKED);
    registrar_ask(r);
    pthread_mutex_lock(&r->b->lock);
    need = allot_registry_need_locked(r->b);
    pthread_mutex_unlock(&r->b->lock);
    switch (need) {
        case ALLOT_NEED_NOTHING:
            break;
        case ALLOT_NEED_FORM:
            ret = register_form(r);
            break;
        case ALLOT_NEED_JOIN:
            ret = register_join(r);
            break;
        case ALLOT_NEED_UPDATE:
            ret = register_update(r);
            break;
    }
    registrar_ask(r);
    registrar_unlock(r);
    return ret;
}

static int
register_task(void *arg)
{
    xlator_t *this = arg;
    struct allot_bricks *b = allot_bricks_of(this);
    enum allot_need need = ALLOT_NEED_UPDATE;
    struct registrar r;
    int ret = registrar_init(&r, this);
    int round = 0;

    if (ret)
        return ret;
    for (round = 0; !ret && need && round < ALLOT_REGISTER_ROUNDS; round++) {
        ret = register_once(&r);
        pthread_mutex_lock(&b->lock);
        need = b->stopping ? ALLOT_NEED_NOTHING : allot_registry_need_locked(b);
        pthread_mutex_unlock(&b->lock);
    }
    registrar_done(&r);
    if (!ret && need)
        ret = -EAGAIN;
    return ret;
}

static void
register_retry(void *data)
{
    xlator_t *this = data;
    struct allot_bricks *b = allot_bricks_of(this);

    pthread_mutex_lock(&b->lock);
    b->retry_timer = NULL;
    pthread_mutex_unlock(&b->lock);
    /* Perhaps somebody else has done it: the answers tell, and start us again
     * if not. */
    allot_handshake_again(this, _gf_true);
    allot_register_kick(this);
    allot_bricks_idle(b);
}

static int
register_task_done(int ret, call_frame_t *frame, void *arg)
{
    xlator_t *this = arg;
    struct allot_bricks *b = allot_bricks_of(this);
    struct timespec delay = {
        0,
    };
    uint64_t msec = 0;

    if (ret && ret != -EAGAIN)
        gf_msg(this->name, GF_LOG_WARNING, -ret, ALLOT_MSG_REGISTRY,
               "the registry could not be written: tried again later");
    pthread_mutex_lock(&b->lock);
    b->task_running = _gf_false;
    /* Somebody else is at it: worth waiting for. */
    if (ret != -EAGAIN)
        b->register_tried = _gf_true;
    if (!ret) {
        b->retry_msec = 0;
    } else if (!b->retry_timer && allot_bricks_busy_locked(b)) {
        b->retry_msec =
            b->retry_msec ? b->retry_msec * 2 : ALLOT_RETRY_MIN_MSEC;
        if (b->retry_msec > ALLOT_RETRY_MAX_MSEC)
            b->retry_msec = ALLOT_RETRY_MAX_MSEC;
        /* Random, so that two clients do not meet again and again. */
        msec = b->retry_msec / 2 + (uint64_t)random() % b->retry_msec;
        delay.tv_sec = msec / 1000;
        delay.tv_nsec = (msec % 1000) * 1000000;
        b->retry_timer =
            gf_timer_call_after(this->ctx, delay, register_retry, this);
        if (!b->retry_timer)
            b->busy--;
    }
    pthread_mutex_unlock(&b->lock);
    allot_events_settle(this);
    allot_bricks_idle(b);
    return 0;
}

void
allot_register_stop_locked(struct allot_bricks *b)
{
    if (b->retry_timer &&
        gf_timer_call_cancel(b->this->ctx, b->retry_timer) == 0) {
        b->retry_timer = NULL;
        b->busy--;
    }
}

void
allot_register_kick(xlator_t *this)
{
    struct allot_bricks *b = allot_bricks_of(this);
    gf_boolean_t go = _gf_false;

    pthread_mutex_lock(&b->lock);
    go = !b->task_running && !b->retry_timer &&
         allot_registry_need_locked(b) != ALLOT_NEED_NOTHING &&
         allot_bricks_busy_locked(b);
    if (go)
        b->task_running = _gf_true;
    pthread_mutex_unlock(&b->lock);
    if (go && synctask_new(this->ctx->env, register_task, register_task_done,
                           NULL, this))
        register_task_done(-ENOMEM, NULL, this);
}
