/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-handshake.c - asking a brick who it is, on every connection, and again
 * while it is not usable. The answer (identity and registry as the guard holds
 * them) is kept with the leaf; allot-sets.c and allot-registry.c judge it.
 */
#include "allot-bricks-impl.h"

struct handshake_call {
    int pos;
    uint32_t serial;
};

void
allot_handshake_forget_locked(struct allot_leaf *l)
{
    if (l->hs_kind == ALLOT_HS_OK && l->hs.has_registry)
        allot_registry_clear(&l->hs.registry);
    memset(&l->hs, 0, sizeof(l->hs));
    l->hs_kind = ALLOT_HS_NONE;
}

/* Errnos that speak of the connection or the moment, not of the guard. */
static gf_boolean_t
handshake_transient(int32_t op_errno)
{
    switch (op_errno) {
        case ENOTCONN:
        case EBADFD:
        case ETIMEDOUT:
        case ECONNRESET:
        case EAGAIN:
        case ENOMEM:
        case EINTR:
            return _gf_true;
        default:
            return _gf_false;
    }
}

void
allot_handshake_store_locked(struct allot_bricks *b, struct allot_leaf *l,
                             int32_t op_errno, data_t *value)
{
    struct allot_handshake hs = {
        0,
    };
    int ret = 0;

    if (!value && handshake_transient(op_errno)) {
        /* What an earlier answer on this connection said still holds. */
        gf_msg(b->this->name, GF_LOG_WARNING, op_errno, ALLOT_MSG_HANDSHAKE,
               "%s did not answer the handshake", l->xl->name);
        return;
    }
    allot_handshake_forget_locked(l);
    if (!value) {
        l->hs_kind = ALLOT_HS_NO_GUARD;
        return;
    }
    ret = allot_handshake_decode((const uint8_t *)value->data, value->len, &hs);
    if (ret) {
        l->hs_kind = ALLOT_HS_BAD;
        gf_msg(b->this->name, GF_LOG_ERROR, -ret, ALLOT_MSG_HANDSHAKE,
               "%s: the handshake's answer (identity, registry) does not "
               "decode",
               l->xl->name);
        return;
    }
    if (hs.protocol != ALLOT_PROTOCOL) {
        gf_msg(b->this->name, GF_LOG_ERROR, EPROTONOSUPPORT,
               ALLOT_MSG_HANDSHAKE,
               "%s speaks protocol %d, this client speaks %d", l->xl->name,
               hs.protocol, ALLOT_PROTOCOL);
        if (hs.has_registry)
            allot_registry_clear(&hs.registry);
        l->hs_kind = ALLOT_HS_BAD;
        return;
    }
    l->hs = hs;
    l->hs_kind = ALLOT_HS_OK;
}

static int32_t
handshake_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret,
              int32_t op_errno, dict_t *dict, dict_t *xdata)
{
    struct allot_bricks *b = allot_bricks_of(this);
    struct handshake_call *call = cookie;
    struct allot_leaf *l = &b->leaves[call->pos];
    data_t *value = NULL;

    if (op_ret >= 0 && dict)
        value = dict_get(dict, ALLOT_KEY_HANDSHAKE);
    if (op_ret >= 0)
        op_errno = ENODATA;

    pthread_mutex_lock(&b->lock);
    if (l->hs_serial == call->serial) {
        l->hs_serial = 0;
        allot_handshake_store_locked(b, l, op_errno, value);
        l->answered = _gf_true;
        allot_registry_evaluate_locked(b);
    }
    pthread_mutex_unlock(&b->lock);

    STACK_DESTROY(frame->root);
    GF_FREE(call);
    allot_register_kick(this);
    allot_events_settle(this);
    allot_bricks_idle(b);
    return 0;
}

/* The answer will not come: no memory to ask. */
static void
handshake_give_up(xlator_t *this, struct allot_leaf *l)
{
    struct allot_bricks *b = allot_bricks_of(this);

    pthread_mutex_lock(&b->lock);
    l->hs_serial = 0;
    l->answered = _gf_true;
    pthread_mutex_unlock(&b->lock);
    gf_msg(this->name, GF_LOG_ERROR, ENOMEM, ALLOT_MSG_NO_MEMORY,
           "no memory to ask %s for its identity: tried again later",
           l->xl->name);
    allot_bricks_idle(b);
}

void
allot_handshake_start(xlator_t *this, struct allot_leaf *l)
{
    struct allot_bricks *b = allot_bricks_of(this);
    struct handshake_call *call = NULL;
    call_frame_t *frame = NULL;
    gf_boolean_t go = _gf_false;
    uint32_t serial = 0;
    loc_t loc = {
        0,
    };

    pthread_mutex_lock(&b->lock);
    go = l->connected && !l->hs_serial && allot_bricks_busy_locked(b);
    if (go) {
        if (++b->serial == 0)
            b->serial = 1;
        serial = l->hs_serial = b->serial;
    }
    pthread_mutex_unlock(&b->lock);
    if (!go)
        return;

    frame = create_frame(this, this->ctx->pool);
    call = GF_CALLOC(1, sizeof(*call), allot_mt_bricks);
    if (!frame || !call || allot_bricks_root(b, &loc)) {
        if (frame)
            STACK_DESTROY(frame->root);
        GF_FREE(call);
        handshake_give_up(this, l);
        return;
    }
    call->pos = l - b->leaves;
    call->serial = serial;
    frame->root->pid = ALLOT_PID_ROOT;
    STACK_WIND_COOKIE(frame, handshake_cbk, call, l->xl, l->xl->fops->getxattr,
                      &loc, ALLOT_KEY_HANDSHAKE,
                      allot_priv(this)->client_xdata);
    loc_wipe(&loc);
}

void
allot_handshake_again(xlator_t *this, gf_boolean_t all)
{
    struct allot_bricks *b = allot_bricks_of(this);
    struct allot_leaf *l = NULL;
    enum allot_brick_state state = ALLOT_BRICK_DOWN;
    gf_boolean_t usable = _gf_false;
    int i = 0;

    for (i = 0; i < b->leaf_count; i++) {
        l = &b->leaves[i];
        pthread_mutex_lock(&b->lock);
        state = l->child->state;
        usable =
            l->state == ALLOT_BRICK_UP &&
            (state == ALLOT_BRICK_UP || state == ALLOT_BRICK_FULL ||
             state == ALLOT_BRICK_DRAINING || state == ALLOT_BRICK_FAILING);
        pthread_mutex_unlock(&b->lock);
        if (all || !usable)
            allot_handshake_start(this, l);
    }
}

void
allot_handshake_next(xlator_t *this)
{
    struct allot_bricks *b = allot_bricks_of(this);
    uint32_t turn = 0;

    pthread_mutex_lock(&b->lock);
    turn = b->asked_next++ % b->leaf_count;
    pthread_mutex_unlock(&b->lock);
    allot_handshake_start(this, &b->leaves[turn]);
}
