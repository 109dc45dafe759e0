/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-adopt.c - the changes of the registry that an administrator asks for:
 * a blank brick becomes a new member, or the leaf of a set its old self again;
 * a brick is declared lost or draining. In a synctask, under the registrar's
 * lock (allot-registrar.h).
 *
 * Each change, and what a death after each step leaves:
 *
 *   adopt   1. marked pending in a replicated namespace
 *                                          a heal that finds nothing to do
 *           2. registry on all             still blank: adopted again, one
 *                                          index is wasted
 *           3. identity on the brick       done
 *   set     1. registry on all             as form 3
 *   restore 1. marked pending in its set (and namespace)
 *                                          a heal that finds nothing to do
 *           2. registry on the leaf        still blank: done again
 *           3. the set's identity on it    done; the set heals it
 *
 * What clients do by themselves is in allot-register.c.
 */
#include "allot-registrar.h"
#include "allot-stop.h"

/* setxattr by which cluster/replicate marks an emptied child, the way
 * "gluster volume reset-brick" does. */
#define ALLOT_AFR_EMPTIED "trusted.replace-brick"

/* getxattr by which cluster/disperse heals a file or a directory, here the
 * root. What it makes there is marked, and healed by the self-heal daemon. */
#define ALLOT_EC_HEAL "trusted.ec.heal"

/* ---- adopt -----------------------------------------------------------------
 */

/* The child of @at that is, or contains, @xl. */
static xlator_t *
adopt_child_below(xlator_t *at, const xlator_t *xl)
{
    xlator_list_t *list = NULL;

    for (list = at->children; list; list = list->next)
        if (list->xlator == xl || adopt_child_below(list->xlator, xl))
            return list->xlator;
    return NULL;
}

/* A brick below cluster/replicate (@set) comes back empty: its copies of every
 * name must be accused before anybody can see that they are missing. While it
 * is blank its guard serves nobody, so this is the moment. */
static int
adopt_mark_pending(struct registrar *r, xlator_t *set, struct allot_leaf *l)
{
    xlator_t *child = adopt_child_below(set, l->xl);
    struct synctask *task = synctask_get();
    dict_t *dict = dict_new();
    pid_t pid = 0;
    int ret = -ENOMEM;

    if (!child || !task || !dict ||
        dict_set_str(dict, ALLOT_AFR_EMPTIED, child->name))
        goto out;
    pid = task->opframe->root->pid;
    task->opframe->root->pid = GF_CLIENT_PID_ADD_REPLICA_MOUNT;
    ret = syncop_setxattr(set, &r->root, dict, 0, NULL, NULL);
    task->opframe->root->pid = pid;
    if (ret < 0)
        gf_msg(r->this->name, GF_LOG_ERROR, -ret, ALLOT_MSG_ADOPT,
               "%s cannot be adopted: %s did not mark it for healing",
               l->xl->name, set->name);
out:
    if (dict)
        dict_unref(dict);
    return ret < 0 ? ret : 0;
}

/* In a namespace that replicates over the bricks themselves. */
static int
adopt_mark_namespace(struct registrar *r, struct allot_child *c)
{
    struct allot_priv *priv = allot_priv(r->this);
    int ret = 0;
    int i = 0;

    if (priv->ns_kind != ALLOT_NS_REPLICATE)
        return 0;
    for (i = 0; i < c->leaf_count && !ret; i++)
        if (c->leaves[i].state == ALLOT_BRICK_BLANK &&
            adopt_child_below(priv->ns, c->leaves[i].xl))
            ret = adopt_mark_pending(r, priv->ns, &c->leaves[i]);
    return ret;
}

/* Are more than half of the volume's bricks here and locked. */
static gf_boolean_t
adopt_majority(struct registrar *r)
{
    int registered = 0;
    int here = 0;
    int i = 0;

    for (i = 0; i < r->n; i++) {
        if (r->b->leaves[i].child->idx == ALLOT_IDX_NONE)
            continue;
        registered++;
        here += r->locked[i];
    }
    return here * 2 > registered;
}

static gf_boolean_t
adopt_locked_all_of(struct registrar *r, const struct allot_child *c)
{
    int i = 0;

    for (i = 0; i < c->leaf_count; i++)
        if (!r->locked[c->leaves - r->b->leaves + i])
            return _gf_false;
    return _gf_true;
}

/* A blank data subvolume: a new number, the data of the old one is lost. */
static int
adopt_child(struct registrar *r, struct allot_child *c)
{
    struct allot_registry reg = {
        0,
    };
    struct allot_registry_brick *fresh = NULL;
    uint16_t old = ALLOT_IDX_NONE;
    int asked = 0;
    int ret = 0;
    int i = 0;

    pthread_mutex_lock(&r->b->lock);
    if (!adopt_majority(r))
        ret = -ENOTCONN;
    else if (c->state != ALLOT_BRICK_BLANK || c->idx == ALLOT_IDX_NONE ||
             !c->anonymous)
        ret = -EINVAL;
    else if (!adopt_locked_all_of(r, c))
        ret = -ENOTCONN;
    old = c->idx;
    pthread_mutex_unlock(&r->b->lock);
    if (!ret)
        ret = adopt_mark_namespace(r, c);
    allot_stop(r->this, ALLOT_STOP_ADOPT_MARKED);
    if (!ret)
        ret = registry_grow(r->b, 1, &reg);
    if (ret)
        return ret;

    fresh = &reg.bricks[reg.brick_count++];
    pthread_mutex_lock(&r->b->lock);
    registry_brick_fill(fresh, reg.next_index++, c);
    pthread_mutex_unlock(&r->b->lock);
    for (i = 0; i < reg.brick_count - 1; i++) {
        if (reg.bricks[i].index != old)
            continue;
        reg.bricks[i].admin_state = ALLOT_ADMIN_LOST;
        snprintf(reg.bricks[i].name, sizeof(reg.bricks[i].name), "%.240s#%u",
                 c->xl->name, old);
    }
    /* With more than half of the copies written, whoever changes the registry
     * next sees this one. */
    if (registrar_write(r, &reg, NULL, &asked) * 2 <= asked)
        ret = -EIO;
    allot_stop(r->this, ALLOT_STOP_ADOPT_REGISTRY);
    if (!ret)
        ret = registrar_identify(r, c, fresh->uuid, reg.volume_uuid);
    allot_stop(r->this, ALLOT_STOP_ADOPT_ID);
    if (!ret)
        gf_msg(r->this->name, GF_LOG_INFO, 0, ALLOT_MSG_ADOPT,
               "%s, blank, was adopted as brick %u; the data of brick %u is "
               "lost",
               c->xl->name, fresh->index, old);
    allot_registry_clear(&reg);
    return ret;
}

/* A blank leaf of a set that has its data still: it gets the set's identity
 * back, and the set heals it. */
static int
adopt_leaf(struct registrar *r, struct allot_leaf *l)
{
    struct allot_child *c = l->child;
    struct allot_priv *priv = allot_priv(r->this);
    gf_boolean_t *only = NULL;
    struct allot_registry reg = {
        0,
    };
    uint8_t uuid[16];
    int asked = 0;
    int ret = 0;

    pthread_mutex_lock(&r->b->lock);
    if (c->reshaped)
        ret = -EXDEV;
    else if (!r->b->reg.version || r->b->reg.phase != ALLOT_REGISTRY_ACTIVE ||
             c->idx == ALLOT_IDX_NONE || l->state != ALLOT_BRICK_BLANK ||
             !c->identified)
        ret = -EINVAL;
    else if (!r->locked[l - r->b->leaves])
        ret = -ENOTCONN;
    else
        ret = allot_registry_copy(&reg, &r->b->reg);
    memcpy(uuid, c->uuid, sizeof(uuid));
    pthread_mutex_unlock(&r->b->lock);
    /* Disperse sees by the missing version that it must heal. */
    if (!ret && c->kind != ALLOT_SET_DISPERSE)
        ret = adopt_mark_pending(r, c->xl, l);
    if (!ret && priv->ns_kind == ALLOT_NS_REPLICATE &&
        adopt_child_below(priv->ns, l->xl))
        ret = adopt_mark_pending(r, priv->ns, l);
    if (!ret) {
        only = GF_CALLOC(r->n, sizeof(*only), allot_mt_bricks);
        ret = only ? 0 : -ENOMEM;
    }
    if (!ret) {
        only[l - r->b->leaves] = _gf_true;
        if (registrar_write(r, &reg, only, &asked) < asked)
            ret = -EIO;
    }
    if (!ret)
        ret = registrar_identify_leaf(r, l, uuid, reg.volume_uuid);
    /* A daemon looks when a brick comes up, and this one was up. */
    if (!ret && c->kind == ALLOT_SET_DISPERSE)
        syncop_getxattr(c->xl, &r->root, NULL, ALLOT_EC_HEAL, NULL, NULL);
    if (!ret)
        gf_msg(r->this->name, GF_LOG_INFO, 0, ALLOT_MSG_ADOPT,
               "%s, blank, was adopted again by its set %s, which heals it",
               l->xl->name, c->xl->name);
    allot_registry_clear(&reg);
    GF_FREE(only);
    return ret;
}

/* What the administrator's call is about: a data subvolume, or one brick of a
 * set
 * (@c is NULL then). */
struct admin_target {
    struct allot_child *c;
    struct allot_leaf *l;
    const char *gone; /* c and l are NULL: a brick of the registry only */
    uint8_t state;    /* to set */
};

/* The data subvolume of that name, or NULL. */
static struct allot_child *
admin_child(struct allot_bricks *b, const char *name)
{
    int i = 0;

    for (i = 0; i < b->count; i++)
        if (strcmp(b->children[i].xl->name, name) == 0)
            return &b->children[i];
    return NULL;
}

/* @work under the registrar's lock; what the bricks say of themselves is taken
 * in before and after. 0 or -errno. Winds. */
static int
admin_run(xlator_t *this, const struct admin_target *t,
          int (*work)(struct registrar *r, const struct admin_target *t))
{
    struct registrar r;
    int ret = registrar_init(&r, this);

    if (ret)
        return ret;
    ret = registrar_lock(&r);
    if (!ret) {
        registrar_ask(&r);
        ret = work(&r, t);
        registrar_ask(&r);
        registrar_unlock(&r);
    }
    registrar_done(&r);
    return ret;
}

static int
adopt_locked(struct registrar *r, const struct admin_target *t)
{
    allot_stop(r->this, ALLOT_STOP_ADOPT_LOCKED);
    return t->c ? adopt_child(r, t->c) : adopt_leaf(r, t->l);
}

int
allot_bricks_adopt(xlator_t *this, const char *name)
{
    struct allot_bricks *b = allot_bricks_of(this);
    struct admin_target t = {
        .c = admin_child(b, name),
    };
    int i = 0;

    for (i = 0; i < b->leaf_count && !t.c && !t.l; i++)
        if (strcmp(b->leaves[i].xl->name, name) == 0)
            t.l = &b->leaves[i];
    if (!t.c && !t.l)
        return -ENOENT;
    return admin_run(this, &t, adopt_locked);
}

/* ---- the administrator's states --------------------------------------------
 */

/* More than half of the volume's bricks, not counting @lost: what is declared
 * lost cannot be asked to agree. A brick without a copy learns the highest
 * version when it meets the others. */
static gf_boolean_t
set_majority(struct registrar *r, const struct allot_child *lost)
{
    const struct allot_registry_brick *known = NULL;
    struct allot_child *c = NULL;
    int registered = 0;
    int here = 0;
    int i = 0;

    for (i = 0; i < r->n; i++) {
        c = r->b->leaves[i].child;
        if (c->idx == ALLOT_IDX_NONE || c == lost)
            continue;
        known = allot_registry_find(&r->b->reg, c->idx);
        if (known && known->admin_state == ALLOT_ADMIN_LOST && !r->locked[i])
            continue;
        registered++;
        here += r->locked[i];
    }
    return registered && here * 2 > registered;
}

/* Is data on it read and written. */
static gf_boolean_t
state_is_served(enum allot_brick_state state)
{
    struct allot_brick_view view = {
        .state = state,
    };

    return allot_brick_usable(&view) && state != ALLOT_BRICK_FAILING;
}

/* The number of a brick that was discarded (remove-brick ... force): the
 * registry knows it by that name, and no subvolume of this graph is it. */
static uint16_t
set_gone_locked(struct allot_bricks *b, const char *name)
{
    int i = 0;
    int k = 0;

    for (i = 0; i < b->reg.brick_count; i++) {
        if (strcmp(b->reg.bricks[i].name, name) != 0)
            continue;
        for (k = 0; k < b->count; k++)
            if (b->children[k].idx == ALLOT_IDX_NONE ||
                b->children[k].idx == b->reg.bricks[i].index)
                return ALLOT_IDX_NONE;
        return b->reg.bricks[i].index;
    }
    return ALLOT_IDX_NONE;
}

static int
set_locked(struct registrar *r, const struct admin_target *t)
{
    const struct allot_child *c = t->c;
    uint8_t state = t->state;
    struct allot_registry reg = {
        0,
    };
    uint16_t idx = ALLOT_IDX_NONE;
    int asked = 0;
    int ret = 0;
    int i = 0;

    pthread_mutex_lock(&r->b->lock);
    if (r->b->reg.version && r->b->reg.phase == ALLOT_REGISTRY_ACTIVE)
        idx = c ? c->idx : set_gone_locked(r->b, t->gone);
    if (idx == ALLOT_IDX_NONE)
        ret = c ? -EINVAL : -ENOENT;
    else if (!c && state == ALLOT_ADMIN_DRAINING)
        ret = -EINVAL;
    else if (!set_majority(r, state == ALLOT_ADMIN_LOST ? c : NULL))
        ret = -ENOTCONN;
    else if (c && state == ALLOT_ADMIN_LOST &&
             (state_is_served(c->state) || c->state == ALLOT_BRICK_CONNECTING))
        ret = -EBUSY;
    pthread_mutex_unlock(&r->b->lock);
    if (!ret)
        ret = registry_grow(r->b, 0, &reg);
    if (ret)
        return ret;
    for (i = 0; i < reg.brick_count; i++)
        if (reg.bricks[i].index == idx)
            break;
    if (i == reg.brick_count)
        ret = -EINVAL;
    else if (reg.bricks[i].admin_state == state)
        goto out; /* so it is */
    else
        reg.bricks[i].admin_state = state;
    if (!ret && registrar_write(r, &reg, NULL, &asked) * 2 <= asked)
        ret = -EIO;
    if (!ret)
        gf_msg(r->this->name, GF_LOG_INFO, 0, ALLOT_MSG_ADMIN_STATE,
               "the administrator has set brick %s (%u) to %s",
               c ? c->xl->name : t->gone, idx,
               state == ALLOT_ADMIN_LOST       ? "lost"
               : state == ALLOT_ADMIN_DRAINING ? "draining"
                                               : "no state");
out:
    allot_registry_clear(&reg);
    return ret;
}

int
allot_bricks_set(xlator_t *this, const char *name, uint8_t state)
{
    struct admin_target t = {
        .c = admin_child(allot_bricks_of(this), name),
        .gone = name,
        .state = state,
    };

    if (allot_priv(this)->pass_through)
        return -ENOENT;
    return admin_run(this, &t, set_locked);
}
