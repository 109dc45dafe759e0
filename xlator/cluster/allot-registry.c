/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-registry.c - from what the data subvolumes said to what they are: which
 * volume this is, which registry is the newest, which subvolume is which brick
 * of it, and the state of each.
 *
 * Everything here runs under the lock, from memory alone. It is evaluated
 * anew, completely, after every change, so that the order of events does not
 * matter:
 *
 *   1. The volume: of the active registries that were shown, the volume that
 *      most subvolumes belong to. Once all have answered it stays.
 *   2. The registry: the highest version of that volume.
 *   3. Who is who: by the identity's uuid, else by name.
 *   4. The state of each.
 *
 * Changing the registry is allot-register.c's business.
 */
#include "allot-bricks-impl.h"

static const uint8_t nobody[16];

int
allot_registry_copy(struct allot_registry *to,
                    const struct allot_registry *from)
{
    struct allot_registry_brick *bricks = NULL;
    size_t size = from->brick_count * sizeof(*bricks);

    if (from->brick_count) {
        bricks = malloc(size);
        if (!bricks) {
            memset(to, 0, sizeof(*to));
            return -ENOMEM;
        }
        memcpy(bricks, from->bricks, size);
    }
    *to = *from;
    to->bricks = bricks;
    return 0;
}

/* ---- 1. and 2. -------------------------------------------------------------
 */

/* How many bricks say that they belong to @volume. */
static int
volume_support(struct allot_bricks *b, const uint8_t *volume)
{
    struct allot_leaf *l = NULL;
    int n = 0;
    int i = 0;

    for (i = 0; i < b->leaf_count; i++) {
        l = &b->leaves[i];
        if (l->hs_kind != ALLOT_HS_OK)
            continue;
        if (l->hs.has_id)
            n += memcmp(l->hs.id.volume_uuid, volume, 16) == 0;
        else if (l->hs.has_registry)
            n += memcmp(l->hs.registry.volume_uuid, volume, 16) == 0;
    }
    return n;
}

/* Is @reg a better source than the present one? Active before forming, then
 * the volume with more support, then the higher version. */
static gf_boolean_t
registry_better(struct allot_bricks *b, const struct allot_registry *reg)
{
    const struct allot_registry *have = &b->reg;
    int more = 0;

    if (!have->version)
        return _gf_true;
    if (have->phase != reg->phase)
        return reg->phase == ALLOT_REGISTRY_ACTIVE;
    if (memcmp(have->volume_uuid, reg->volume_uuid, 16) != 0) {
        if (b->volume_fixed && have->phase == ALLOT_REGISTRY_ACTIVE)
            return _gf_false;
        more = volume_support(b, reg->volume_uuid) -
               volume_support(b, have->volume_uuid);
        if (more)
            return more > 0;
    }
    return reg->version > have->version;
}

static void
registry_pick(struct allot_bricks *b)
{
    struct allot_registry copy = {
        0,
    };
    struct allot_leaf *l = NULL;
    int i = 0;

    for (i = 0; i < b->leaf_count; i++) {
        l = &b->leaves[i];
        if (l->hs_kind != ALLOT_HS_OK || !l->hs.has_registry ||
            !registry_better(b, &l->hs.registry) ||
            allot_registry_copy(&copy, &l->hs.registry))
            continue;
        allot_registry_clear(&b->reg);
        b->reg = copy;
    }
}

gf_boolean_t
allot_registry_inline_ignored_locked(const struct allot_bricks *b)
{
    struct allot_priv *priv = allot_priv(b->this);

    return b->reg.version && b->reg.phase == ALLOT_REGISTRY_ACTIVE &&
           priv->opt.inline_given &&
           priv->opt.inline_limit != b->reg.inline_limit;
}

static void
registry_check_inline_limit(struct allot_bricks *b)
{
    struct allot_priv *priv = allot_priv(b->this);

    if (b->inline_told || !allot_registry_inline_ignored_locked(b))
        return;
    b->inline_told = _gf_true;
    gf_msg(b->this->name, GF_LOG_WARNING, 0, ALLOT_MSG_REGISTRY,
           "option inline-limit %u is ignored: the volume was registered with "
           "%u",
           priv->opt.inline_limit, b->reg.inline_limit);
}

/* Replicate heals what is on one brick only, that is every name of distribute;
 * distribute makes names on one brick only. Both do no harm above sets: one set
 * is a namespace of the other kind than distribute over several, which finds
 * the names of the first one. */
static gf_boolean_t
registry_names_wrong(const struct allot_bricks *b)
{
    int i = 0;

    for (i = 0; i < b->count; i++)
        if (b->children[i].kind != ALLOT_SET_NONE)
            return _gf_false;
    return allot_priv(b->this)->ns_kind != b->reg.ns_kind;
}

static void
registry_check_options(struct allot_bricks *b)
{
    struct allot_priv *priv = allot_priv(b->this);
    const char *why = NULL;

    b->names_wrong = _gf_false;
    if (b->reg.version && b->reg.phase == ALLOT_REGISTRY_ACTIVE) {
        b->names_wrong = registry_names_wrong(b);
        if (priv->ns_kind != b->reg.ns_kind)
            why = "the graph's namespace is not of the registry's kind";
        else if (priv->opt.ns_kind >= 0 && priv->opt.ns_kind != b->reg.ns_kind)
            why = "option namespace differs from the registry";
        else
            registry_check_inline_limit(b);
    }
    if (why && why != b->inactive_why)
        gf_msg(b->this->name, GF_LOG_ERROR, EINVAL, ALLOT_MSG_REGISTRY,
               "%s: nothing is spread", why);
    b->inactive_why = why;
}

/* ---- 3. --------------------------------------------------------------------
 */

static const struct allot_registry_brick *
registry_by_uuid(const struct allot_registry *reg, const uint8_t *uuid)
{
    int i = 0;

    for (i = 0; i < reg->brick_count; i++)
        if (memcmp(reg->bricks[i].uuid, uuid, 16) == 0)
            return &reg->bricks[i];
    return NULL;
}

static const struct allot_registry_brick *
registry_by_name(const struct allot_registry *reg, const char *name)
{
    int i = 0;

    for (i = 0; i < reg->brick_count; i++)
        if (strcmp(reg->bricks[i].name, name) == 0)
            return &reg->bricks[i];
    return NULL;
}

static gf_boolean_t
index_taken(struct allot_bricks *b, int upto, uint16_t idx)
{
    int i = 0;

    for (i = 0; i < upto; i++)
        if (b->children[i].idx == idx)
            return _gf_true;
    return _gf_false;
}

static void
registry_match_identified(struct allot_bricks *b, gf_boolean_t by_name_too)
{
    const struct allot_registry_brick *known = NULL;
    struct allot_child *c = NULL;
    int i = 0;

    for (i = 0; i < b->count; i++) {
        c = &b->children[i];
        if (c->idx != ALLOT_IDX_NONE || !c->identified)
            continue;
        known = registry_by_uuid(&b->reg, c->uuid);
        if (known && !index_taken(b, b->count, known->index) &&
            (!by_name_too || strcmp(known->name, c->xl->name) == 0))
            c->idx = known->index;
    }
}

static void
registry_match(struct allot_bricks *b)
{
    const struct allot_registry_brick *known = NULL;
    struct allot_child *c = NULL;
    int i = 0;

    for (i = 0; i < b->count; i++)
        b->children[i].idx = ALLOT_IDX_NONE;
    if (!b->reg.version || b->reg.phase != ALLOT_REGISTRY_ACTIVE)
        return;

    /* If two show one identity, it is the one's whose name the registry has,
     * else the first one's. */
    registry_match_identified(b, _gf_true);
    registry_match_identified(b, _gf_false);
    for (i = 0; i < b->count; i++) {
        c = &b->children[i];
        /* Taken for the brick of its last identity, or of its name, only if
         * it does not say that it is something else. One whose replica count
         * was changed is not used, but what it holds is not lost. */
        if (c->idx != ALLOT_IDX_NONE || (!c->anonymous && !c->reshaped))
            continue;
        known = NULL;
        if (c->reshaped)
            known = registry_by_uuid(&b->reg, c->uuid);
        else if (memcmp(c->known_uuid, nobody, 16) != 0)
            known = registry_by_uuid(&b->reg, c->known_uuid);
        if (!known && c->anonymous)
            known = registry_by_name(&b->reg, c->xl->name);
        if (known && !index_taken(b, b->count, known->index))
            c->idx = known->index;
    }
}

/* ---- 4. --------------------------------------------------------------------
 */

static enum allot_brick_state
child_state(struct allot_bricks *b, struct allot_child *c, const char **why)
{
    const struct allot_registry_brick *known = NULL;
    enum allot_brick_state state = allot_set_state_locked(c, why);

    if (state == ALLOT_BRICK_BLANK && c->idx == ALLOT_IDX_NONE)
        *why = "not registered yet";
    if (state != ALLOT_BRICK_UP && state != ALLOT_BRICK_FAILING)
        return state;
    if (c->idx == ALLOT_IDX_NONE) {
        *why = registry_by_uuid(&b->reg, c->uuid)
                   ? "has the identity of another subvolume"
                   : "its identity is not in the registry";
        return ALLOT_BRICK_FOREIGN;
    }
    known = allot_registry_find(&b->reg, c->idx);
    if (known && known->admin_state == ALLOT_ADMIN_LOST)
        return ALLOT_BRICK_LOST;
    if (c->health.failing)
        *why = c->health.why;
    if (c->health.failing || state == ALLOT_BRICK_FAILING)
        return ALLOT_BRICK_FAILING;
    if (known && known->admin_state == ALLOT_ADMIN_DRAINING)
        return ALLOT_BRICK_DRAINING;
    return c->full ? ALLOT_BRICK_FULL : ALLOT_BRICK_UP;
}

gf_boolean_t
allot_registry_joinable_locked(struct allot_bricks *b, struct allot_child *c)
{
    int i = 0;

    if (c->idx != ALLOT_IDX_NONE || registry_by_name(&b->reg, c->xl->name))
        return _gf_false;
    for (i = 0; i < c->leaf_count; i++)
        if (!c->leaves[i].connected || c->leaves[i].hs_kind != ALLOT_HS_OK ||
            c->leaves[i].state == ALLOT_BRICK_FOREIGN)
            return _gf_false;
    /* An identity of this volume that the registry does not know: somebody died
     * while it was joining. Identities that were ever registered stay known. */
    return c->anonymous ||
           (c->identified && !registry_by_uuid(&b->reg, c->uuid));
}

gf_boolean_t
allot_registry_behind_locked(struct allot_bricks *b, const struct allot_leaf *l)
{
    return l->state == ALLOT_BRICK_UP &&
           (!l->hs.has_registry || l->hs.registry.version < b->reg.version);
}

static gf_boolean_t
state_usable(enum allot_brick_state state)
{
    return state == ALLOT_BRICK_UP || state == ALLOT_BRICK_FULL ||
           state == ALLOT_BRICK_DRAINING;
}

/* Called for every change there is: this is where it is logged and counted. */
static void
child_set_state(struct allot_bricks *b, struct allot_child *c)
{
    enum allot_brick_state old = c->state;
    const char *why = NULL;
    enum allot_brick_state now = child_state(b, c, &why);

    if (now == old && why == c->why)
        return;
    if (now != old) {
        c->since = gf_time();
        /* Others may have fenced and cut without it meanwhile: as after a
         * reconnect every file reads its record before it is used. */
        if (old == ALLOT_BRICK_LOST)
            c->epoch++;
        allot_health_state_locked(&c->health, &c->failures, old, now);
    }
    c->state = now;
    c->why = why;
    gf_msg(
        b->this->name,
        now == ALLOT_BRICK_FOREIGN || (state_usable(old) && !state_usable(now))
            ? GF_LOG_WARNING
            : GF_LOG_INFO,
        0, ALLOT_MSG_STATE_DOWN + now, "brick %s is %s%s%s (was %s)",
        c->xl->name, allot_brick_state_name(now), why ? ": " : "",
        why ? why : "", allot_brick_state_name(old));
}

void
allot_registry_evaluate_locked(struct allot_bricks *b)
{
    gf_boolean_t all = _gf_true;
    int i = 0;

    registry_pick(b);
    registry_check_options(b);
    allot_sets_identify_locked(b);
    registry_match(b);
    for (i = 0; i < b->count; i++) {
        child_set_state(b, &b->children[i]);
        all = all && allot_child_answered_locked(&b->children[i]);
    }
    if (all)
        b->volume_fixed = _gf_true;
    allot_bricks_publish_locked(b);
}

/* ---- what is to be done ----------------------------------------------------
 */

/* One that is not here keeps a registry from being formed or joined. */
static gf_boolean_t
child_is_here(const struct allot_child *c)
{
    int i = 0;

    for (i = 0; i < c->leaf_count; i++)
        if (!c->leaves[i].connected || c->leaves[i].hs_kind != ALLOT_HS_OK)
            return _gf_false;
    return _gf_true;
}

/* Has a brick of @c a copy that is older than ours. */
static gf_boolean_t
child_is_stale(struct allot_bricks *b, const struct allot_child *c)
{
    int i = 0;

    for (i = 0; i < c->leaf_count && c->idx != ALLOT_IDX_NONE; i++)
        if (allot_registry_behind_locked(b, &c->leaves[i]))
            return _gf_true;
    return _gf_false;
}

enum allot_need
allot_registry_need_locked(struct allot_bricks *b)
{
    struct allot_child *c = NULL;
    gf_boolean_t all_here = _gf_true;
    gf_boolean_t joining = _gf_false;
    gf_boolean_t stale = _gf_false;
    gf_boolean_t identified = _gf_false;
    gf_boolean_t active =
        b->reg.version && b->reg.phase == ALLOT_REGISTRY_ACTIVE;
    int i = 0;

    for (i = 0; i < b->count; i++) {
        c = &b->children[i];
        if (!child_is_here(c))
            all_here = _gf_false;
        if (!c->anonymous)
            identified = _gf_true;
        if (active && allot_registry_joinable_locked(b, c)) {
            joining = _gf_true;
            continue;
        }
        if (active && child_is_stale(b, c))
            stale = _gf_true;
        if (c->state == ALLOT_BRICK_FOREIGN)
            all_here = _gf_false;
    }
    if (!active) {
        if (!all_here)
            return ALLOT_NEED_NOTHING;
        if (identified && !b->reg.version) {
            if (!b->orphaned_told)
                gf_msg(b->this->name, GF_LOG_ERROR, 0, ALLOT_MSG_REGISTRY,
                       "bricks have identities but no brick has a registry: "
                       "nothing is registered anew, nothing is spread");
            b->orphaned_told = _gf_true;
            return ALLOT_NEED_NOTHING;
        }
        return ALLOT_NEED_FORM;
    }
    if (b->inactive_why)
        return ALLOT_NEED_NOTHING;
    if (joining && all_here)
        return ALLOT_NEED_JOIN;
    return stale ? ALLOT_NEED_UPDATE : ALLOT_NEED_NOTHING;
}
