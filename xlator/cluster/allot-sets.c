/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-sets.c - data subvolumes that are replicate or disperse sets: which
 * bricks (leaves) they stand on, what the leaves say of themselves, and what
 * that makes of the set.
 *
 *     cluster/allot
 *        |--------- set s0 (carries data) ---- leaf c0
 *        |                                 \-- leaf c1
 *        |--------- leaf c0 (option watch)
 *        |--------- leaf c1 (option watch)
 *
 * Data goes through the set. Identity, registry and handshake are of each
 * brick, so they go to the leaves directly: a set would show one leaf's answer
 * for all of them. A leaf is a subvolume too, so that its coming and going is
 * an event here.
 *
 * A plain data subvolume is treated as a set of one leaf, itself.
 *
 * Deliberately not here: which number of the registry a child has
 * (allot-registry.c), and healing, which is the set's own business.
 */
#include "allot-bricks-impl.h"

const char *
allot_set_kind_name(enum allot_set_kind kind)
{
    switch (kind) {
        case ALLOT_SET_NONE:
            return "brick";
        case ALLOT_SET_REPLICATE:
            return "replicate";
        case ALLOT_SET_ARBITER:
            return "arbiter";
        case ALLOT_SET_DISPERSE:
            return "disperse";
    }
    return "brick";
}

/* ---- the graph -------------------------------------------------------------
 */

/* The next name of a list "c0,c1 c2": from *@at, its length in *@len. */
static const char *
watch_next(const char **at, size_t *len)
{
    const char *name = *at + strspn(*at, ", ");

    *len = strcspn(name, ", ");
    *at = name + *len;
    return *len ? name : NULL;
}

static const char *
watch_list(xlator_t *this)
{
    char *value = NULL;

    return dict_get_str(this->options, "watch", &value) ? "" : value;
}

gf_boolean_t
allot_watched(xlator_t *this, const xlator_t *xl)
{
    const char *at = watch_list(this);
    const char *name = NULL;
    size_t len = 0;

    while ((name = watch_next(&at, &len)) != NULL)
        if (strlen(xl->name) == len && strncmp(xl->name, name, len) == 0)
            return _gf_true;
    return _gf_false;
}

static gf_boolean_t
sets_disperses(const xlator_t *xl)
{
    return allot_graph_is_type(xl, "cluster/disperse") ||
           allot_graph_is_type(xl, "cluster/ec");
}

static gf_boolean_t
sets_is_set(const xlator_t *xl, const void *arg)
{
    return allot_graph_is_type(xl, "cluster/replicate") ||
           allot_graph_is_type(xl, "cluster/afr") || sets_disperses(xl);
}

/* The set's own translator at or below a data subvolume: through what has one
 * child only. NULL: it is a plain brick, or something else that we take whole.
 */
static xlator_t *
sets_translator(xlator_t *xl)
{
    while (!sets_is_set(xl, NULL)) {
        if (!xl->children || xl->children->next)
            return NULL;
        xl = xl->children->xlator;
    }
    return xl;
}

static int
sets_number(const xlator_t *xl, char *key)
{
    char *text = NULL;

    return dict_get_str(xl->options, key, &text) ? 0 : atoi(text);
}

/* What replicate does by itself: without the option a majority if there are
 * more than two. */
static void
sets_replicate(struct allot_child *c, const xlator_t *set)
{
    char *type = NULL;
    int n = c->leaf_count;

    c->kind = ALLOT_SET_REPLICATE;
    c->quorum = n > 2 ? n / 2 + 1 : 1;
    if (n % 2 == 0 && n > 2)
        c->quorum = 0;
    if (sets_number(set, "arbiter-count") == 1)
        c->kind = ALLOT_SET_ARBITER;
    if (dict_get_str(set->options, "quorum-type", &type))
        return;
    if (strcmp(type, "none") == 0)
        c->quorum = 1;
    else if (strcmp(type, "fixed") == 0)
        c->quorum = sets_number(set, "quorum-count");
    else
        c->quorum = n % 2 ? n / 2 + 1 : 0;
}

/* So many fragments make a stripe; option quorum-count may ask for more bricks
 * before anything is changed, and then allot takes no fewer for enough. */
static int
sets_disperse(xlator_t *this, struct allot_child *c, const xlator_t *set)
{
    int asked = sets_number(set, "quorum-count");

    c->kind = ALLOT_SET_DISPERSE;
    c->health.dispersed = _gf_true;
    allot_bricks_of(this)->dispersed = _gf_true;
    c->fragments = c->leaf_count - sets_number(set, "redundancy");
    if (c->fragments <= 0 || c->fragments >= c->leaf_count)
        return allot_bricks_refuse(this, c->xl->name,
                                   "is a disperse set with a redundancy out of "
                                   "range");
    if (asked < 0 || asked > c->leaf_count)
        return allot_bricks_refuse(this, c->xl->name,
                                   "has a quorum-count out of range");
    c->quorum = asked > c->fragments ? asked : c->fragments;
    return 0;
}

static int
sets_shape(xlator_t *this, struct allot_child *c, const xlator_t *set)
{
    char *text = NULL;

    if (sets_disperses(set))
        return sets_disperse(this, c, set);
    if (!dict_get_str(set->options, "thin-arbiter", &text))
        return allot_bricks_refuse(
            this, c->xl->name,
            "is a replicate set with a thin arbiter, which cannot tell a "
            "generation: use replica 3 or an arbiter");
    if (!dict_get_str_boolean(set->options, "full-lock", _gf_true))
        return allot_bricks_refuse(
            this, c->xl->name,
            "is a replicate set with full-lock off: its bricks would see a "
            "write and a fence in different orders");
    sets_replicate(c, set);
    if (c->quorum < 0 || c->quorum > c->leaf_count)
        return allot_bricks_refuse(this, c->xl->name,
                                   "has a quorum-count out of range");
    return 0;
}

/* The watched translator at or below @xl. */
static gf_boolean_t
sets_is_watched(const xlator_t *xl, const void *arg)
{
    return allot_watched((xlator_t *)arg, xl);
}

static char *
leaf_option(xlator_t *xl, char *key)
{
    char *value = NULL;

    if (dict_get_str(xl->options, key, &value))
        return NULL;
    return gf_strdup(value);
}

/* Where the brick is, for people. */
static void
leaf_where(struct allot_leaf *l)
{
    xlator_t *xl =
        allot_graph_find(l->xl, allot_graph_is_type, "protocol/client");
    char host[256] = "";

    if (xl) {
        l->network = _gf_true;
        l->host = leaf_option(xl, "remote-host");
        l->path = leaf_option(xl, "remote-subvolume");
        return;
    }
    xl = allot_graph_find(l->xl, allot_graph_is_type, "storage/posix");
    if (!xl)
        return;
    l->path = leaf_option(xl, "directory");
    if (gethostname(host, sizeof(host) - 1) == 0)
        l->host = gf_strdup(host);
}

static int
sets_leaves(xlator_t *this, struct allot_child *c, const xlator_t *set)
{
    xlator_list_t *list = set->children;
    struct allot_leaf *l = NULL;
    int i = 0;

    for (i = 0; i < c->leaf_count; i++, list = list->next) {
        l = &c->leaves[i];
        l->xl = allot_graph_find(list->xlator, sets_is_watched, this);
        if (!l->xl)
            return allot_bricks_refuse(
                this, c->xl->name,
                "is a set, but not all of its bricks are subvolumes of "
                "cluster/allot, too, and named by option watch");
        l->arbiter = c->kind == ALLOT_SET_ARBITER && i == c->leaf_count - 1;
    }
    return 0;
}

/* Is everything that option watch names a leaf. */
static int
sets_check_watch(xlator_t *this, struct allot_bricks *b)
{
    const char *at = watch_list(this);
    const char *name = NULL;
    char text[ALLOT_NAME_MAX + 1];
    size_t len = 0;
    int i = 0;

    while ((name = watch_next(&at, &len)) != NULL) {
        for (i = 0; i < b->leaf_count; i++)
            if (b->leaves[i].xl != b->leaves[i].child->xl &&
                strlen(b->leaves[i].xl->name) == len &&
                strncmp(b->leaves[i].xl->name, name, len) == 0)
                break;
        if (i < b->leaf_count)
            continue;
        snprintf(text, sizeof(text), "%.*s",
                 (int)(len < ALLOT_NAME_MAX ? len : ALLOT_NAME_MAX), name);
        return allot_bricks_refuse(
            this, text,
            "is named by option watch, but is not a subvolume of cluster/allot "
            "below one of its sets");
    }
    return 0;
}

/* How many ways lead down from @xl to @leaf. */
static int
sets_paths(const xlator_t *xl, const xlator_t *leaf)
{
    xlator_list_t *list = NULL;
    int n = 0;

    if (xl == leaf)
        return 1;
    for (list = xl->children; list; list = list->next)
        n += sets_paths(list->xlator, leaf);
    return n;
}

int
allot_sets_init(xlator_t *this, struct allot_bricks *b)
{
    struct allot_leaf *next = NULL;
    struct allot_child *c = NULL;
    xlator_list_t *list = NULL;
    xlator_t *set = NULL;
    int i = 0;
    int k = 0;

    for (i = 0; i < b->count; i++) {
        c = &b->children[i];
        set = sets_translator(c->xl);
        c->leaf_count = 0;
        for (list = set ? set->children : NULL; list; list = list->next)
            c->leaf_count++;
        if (c->leaf_count > UINT8_MAX)
            return allot_bricks_refuse(this, c->xl->name,
                                       "has too many bricks");
        if (c->leaf_count < 2)
            c->leaf_count = 1;
        b->leaf_count += c->leaf_count;
    }
    b->leaves = GF_CALLOC(b->leaf_count, sizeof(*b->leaves), allot_mt_bricks);
    if (!b->leaves) {
        b->leaf_count = 0;
        return -1;
    }
    next = b->leaves;
    for (i = 0; i < b->count; i++) {
        c = &b->children[i];
        c->leaves = next;
        next += c->leaf_count;
        for (k = 0; k < c->leaf_count; k++) {
            c->leaves[k].child = c;
            c->leaves[k].number = k;
            c->leaves[k].since = gf_time();
            c->leaves[k].xl = c->xl;
        }
        c->quorum = 1;
        set = sets_translator(c->xl);
        if (c->leaf_count > 1 &&
            (sets_shape(this, c, set) || sets_leaves(this, c, set)))
            return -1;
        for (k = 0; k < c->leaf_count; k++) {
            leaf_where(&c->leaves[k]);
            if (b->paths < sets_paths(this, c->leaves[k].xl))
                b->paths = sets_paths(this, c->leaves[k].xl);
        }
    }
    return sets_check_watch(this, b);
}

void
allot_sets_fini(struct allot_bricks *b)
{
    int i = 0;

    for (i = 0; i < b->leaf_count; i++) {
        allot_handshake_forget_locked(&b->leaves[i]);
        GF_FREE(b->leaves[i].host);
        GF_FREE(b->leaves[i].path);
    }
    GF_FREE(b->leaves);
}

struct allot_leaf *
allot_bricks_leaf_of(struct allot_bricks *b, const xlator_t *xl)
{
    int i = 0;

    for (i = 0; i < b->leaf_count; i++)
        if (b->leaves[i].xl == xl)
            return &b->leaves[i];
    return NULL;
}

/* ---- who the leaves are ----------------------------------------------------
 */

/* Does @l show an identity of this volume. */
static gf_boolean_t
leaf_ours(const struct allot_bricks *b, const struct allot_leaf *l)
{
    return l->hs_kind == ALLOT_HS_OK && l->hs.has_id && b->reg.version &&
           memcmp(l->hs.id.volume_uuid, b->reg.volume_uuid, 16) == 0;
}

/* Why the place that the identity of @l names is not this one; NULL: it is.
 *
 * A set of another number of bricks than was registered is not used. Whoever
 * has the graph of before the change writes to the bricks of before only, and
 * leaves no mark on the others: these would be read as if they were right. And
 * the guard of a plain brick cuts in another way than that of a leaf. */
static const char *
leaf_misplaced(const struct allot_leaf *l)
{
    uint8_t leaves = l->child->leaf_count > 1 ? l->child->leaf_count : 0;

    if (l->hs.id.leaves < leaves)
        return "the replica count was raised after allot was enabled, which "
               "it does not follow: nothing is lost, take it back with "
               "'gluster volume remove-brick VOLUME replica N BRICK... force' "
               "of the bricks that were added";
    if (l->hs.id.leaves > leaves)
        return "the replica count was lowered after allot was enabled, which "
               "it does not follow: take it back with 'gluster volume "
               "add-brick VOLUME replica N BRICK...' and adopt these bricks";
    if (l->hs.id.leaf != l->number)
        return "has the identity of another place in a set";
    return NULL;
}

/* Does @l show an identity of this volume and of its own place. */
static gf_boolean_t
leaf_placed(const struct allot_bricks *b, const struct allot_leaf *l)
{
    return leaf_ours(b, l) && !leaf_misplaced(l);
}

/* The identity that most leaves of @c show. */
static void
child_identify(struct allot_bricks *b, struct allot_child *c)
{
    const struct allot_leaf *l = NULL;
    int best = 0;
    int i = 0;
    int k = 0;
    int n = 0;

    c->anonymous = _gf_true;
    c->identified = _gf_false;
    c->reshaped = _gf_false;
    memset(c->uuid, 0, sizeof(c->uuid));
    for (i = 0; i < c->leaf_count; i++) {
        l = &c->leaves[i];
        if (l->hs_kind == ALLOT_HS_OK && l->hs.has_id)
            c->anonymous = _gf_false;
        if (!leaf_placed(b, l)) {
            if (leaf_ours(b, l) && !c->reshaped) {
                c->reshaped = _gf_true;
                memcpy(c->uuid, l->hs.id.brick_uuid, sizeof(c->uuid));
            }
            continue;
        }
        for (n = 0, k = 0; k < c->leaf_count; k++)
            n += leaf_placed(b, &c->leaves[k]) &&
                 memcmp(c->leaves[k].hs.id.brick_uuid, l->hs.id.brick_uuid,
                        16) == 0;
        if (n > best) {
            best = n;
            memcpy(c->uuid, l->hs.id.brick_uuid, sizeof(c->uuid));
        }
    }
    if (best) {
        c->identified = _gf_true;
        c->reshaped = _gf_false;
        memcpy(c->known_uuid, c->uuid, sizeof(c->known_uuid));
    }
}

static enum allot_brick_state
leaf_state(const struct allot_bricks *b, const struct allot_leaf *l,
           const char **why)
{
    *why = NULL;
    if (!l->connected)
        return ALLOT_BRICK_DOWN;
    switch (l->hs_kind) {
        case ALLOT_HS_NONE:
            return ALLOT_BRICK_CONNECTING;
        case ALLOT_HS_NO_GUARD:
            *why = "no guard: gets no spread data";
            return ALLOT_BRICK_FOREIGN;
        case ALLOT_HS_BAD:
            *why = "its handshake cannot be used";
            return ALLOT_BRICK_FOREIGN;
        case ALLOT_HS_OK:
            break;
    }
    if (!b->reg.version || b->reg.phase != ALLOT_REGISTRY_ACTIVE) {
        *why = "not registered yet";
        return ALLOT_BRICK_BLANK;
    }
    if (!l->hs.has_id) {
        *why = "came back without its identity";
        return ALLOT_BRICK_BLANK;
    }
    if (memcmp(l->hs.id.volume_uuid, b->reg.volume_uuid, 16) != 0) {
        *why = "belongs to another volume";
        return ALLOT_BRICK_FOREIGN;
    }
    *why = leaf_misplaced(l);
    if (*why)
        return ALLOT_BRICK_FOREIGN;
    if (memcmp(l->hs.id.brick_uuid, l->child->uuid, 16) != 0) {
        *why = "has the identity of another set";
        return ALLOT_BRICK_FOREIGN;
    }
    if (l->health.failing) {
        *why = l->health.why;
        return ALLOT_BRICK_FAILING;
    }
    return ALLOT_BRICK_UP;
}

static void
leaf_set_state(struct allot_bricks *b, struct allot_leaf *l)
{
    enum allot_brick_state old = l->state;

    l->state = leaf_state(b, l, &l->why);
    if (l->state == old)
        return;
    l->since = gf_time();
    allot_health_state_locked(&l->health, &l->failures, old, l->state);
    if (l->xl == l->child->xl)
        return; /* the child's own line says it */
    gf_msg(b->this->name,
           l->state == ALLOT_BRICK_FOREIGN || old == ALLOT_BRICK_UP
               ? GF_LOG_WARNING
               : GF_LOG_INFO,
           0, ALLOT_MSG_STATE_DOWN + l->state,
           "brick %s of %s is %s%s%s (was %s)", l->xl->name, l->child->xl->name,
           allot_brick_state_name(l->state), l->why ? ": " : "",
           l->why ? l->why : "", allot_brick_state_name(old));
}

void
allot_sets_identify_locked(struct allot_bricks *b)
{
    int i = 0;

    for (i = 0; i < b->count; i++)
        child_identify(b, &b->children[i]);
    for (i = 0; i < b->leaf_count; i++)
        leaf_set_state(b, &b->leaves[i]);
}

gf_boolean_t
allot_child_answered_locked(const struct allot_child *c)
{
    int i = 0;

    for (i = 0; i < c->leaf_count; i++)
        if (!c->leaves[i].answered)
            return _gf_false;
    return c->heard;
}

/* ---- what they make of the set ---------------------------------------------
 */

/* Are @n usable leaves enough, @first: the first one is among them. */
static gf_boolean_t
set_enough(const struct allot_child *c, int n, gf_boolean_t first)
{
    if (c->quorum)
        return n >= c->quorum;
    return 2 * n > c->leaf_count || (2 * n == c->leaf_count && first);
}

enum allot_brick_state
allot_set_state_locked(const struct allot_child *c, const char **why)
{
    const struct allot_leaf *l = NULL;
    enum allot_brick_state first = c->leaves[0].state;
    int usable = 0;
    int failing = 0;
    int coming = 0;
    int data = 0; /* that hold data and are usable, coming or away */
    int needed = c->kind == ALLOT_SET_DISPERSE ? c->fragments : 1;
    int blank = 0;
    int i = 0;

    if (c->kind == ALLOT_SET_NONE) {
        *why = c->leaves[0].why;
        return c->leaves[0].state;
    }
    for (i = 0; i < c->leaf_count; i++) {
        l = &c->leaves[i];
        usable += l->state == ALLOT_BRICK_UP;
        failing += l->state == ALLOT_BRICK_FAILING;
        coming += l->state == ALLOT_BRICK_CONNECTING;
        blank += l->state == ALLOT_BRICK_BLANK;
        data += !l->arbiter &&
                (l->state == ALLOT_BRICK_UP || l->state == ALLOT_BRICK_DOWN ||
                 l->state == ALLOT_BRICK_FAILING ||
                 l->state == ALLOT_BRICK_CONNECTING);
    }
    *why = NULL;
    /* Replicate goes on with bricks that fail: what they give is tried. */
    if (set_enough(c, usable + failing,
                   first == ALLOT_BRICK_UP || first == ALLOT_BRICK_FAILING)) {
        if (!c->connected)
            return c->heard ? ALLOT_BRICK_DOWN : ALLOT_BRICK_CONNECTING;
        if (set_enough(c, usable, first == ALLOT_BRICK_UP))
            return ALLOT_BRICK_UP;
        *why = "too few of its bricks are well";
        return ALLOT_BRICK_FAILING;
    }
    if (set_enough(c, usable + failing + coming,
                   first == ALLOT_BRICK_UP || first == ALLOT_BRICK_FAILING ||
                       first == ALLOT_BRICK_CONNECTING))
        return ALLOT_BRICK_CONNECTING;
    for (i = 0; i < c->leaf_count; i++)
        if (c->leaves[i].state == ALLOT_BRICK_FOREIGN)
            *why = c->leaves[i].why;
    if (*why && data < needed)
        return ALLOT_BRICK_FOREIGN;
    if (blank == c->leaf_count) {
        *why = c->leaves[0].why;
        return ALLOT_BRICK_BLANK;
    }
    if (data < needed) {
        *why = needed == 1
                   ? "all of its bricks with data came back without identity"
                   : "too many of its bricks came back without identity";
        return ALLOT_BRICK_BLANK;
    }
    *why = "too few of its bricks are usable";
    return ALLOT_BRICK_DOWN;
}

gf_boolean_t
allot_set_degraded_locked(const struct allot_child *c)
{
    int i = 0;

    for (i = 0; i < c->leaf_count; i++)
        if (c->leaves[i].state != ALLOT_BRICK_UP)
            return c->kind != ALLOT_SET_NONE;
    return _gf_false;
}

int
allot_set_spare_locked(const struct allot_child *c)
{
    int usable = 0;
    int spare = 0;
    int i = 0;

    if (c->kind == ALLOT_SET_NONE)
        return 0;
    for (i = 0; i < c->leaf_count; i++)
        usable += c->leaves[i].state == ALLOT_BRICK_UP;
    /* The worst case: the first one is among those that fail. */
    while (spare < usable && set_enough(c, usable - spare - 1, _gf_false))
        spare++;
    return spare;
}
