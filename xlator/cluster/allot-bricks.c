/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-bricks.c - the data subvolumes of the graph, the published snapshot of
 * their states, and its readers.
 *
 * Writers (events, handshakes, the ledger) change struct allot_child under the
 * lock and publish a new snapshot if a reader could see a difference. Readers
 * copy what they need inside an RCU read section of a few instructions.
 *
 * Not here: how a state comes about (allot-registry.c).
 */
#include "allot-bricks-impl.h"

uint64_t
allot_now_msec(void)
{
    struct timespec now = {
        0,
    };

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *
allot_brick_state_name(enum allot_brick_state state)
{
    switch (state) {
        case ALLOT_BRICK_DOWN:
            return "down";
        case ALLOT_BRICK_CONNECTING:
            return "connecting";
        case ALLOT_BRICK_UP:
            return "up";
        case ALLOT_BRICK_FULL:
            return "full";
        case ALLOT_BRICK_DRAINING:
            return "draining";
        case ALLOT_BRICK_BLANK:
            return "blank";
        case ALLOT_BRICK_LOST:
            return "lost";
        case ALLOT_BRICK_FOREIGN:
            return "foreign";
        case ALLOT_BRICK_FAILING:
            return "failing";
    }
    return "unknown";
}

/* ---- the graph -------------------------------------------------------------
 */

gf_boolean_t
allot_graph_is(const xlator_t *xl, const void *arg)
{
    return xl == arg;
}

gf_boolean_t
allot_graph_is_type(const xlator_t *xl, const void *arg)
{
    const char *type = arg;
    size_t have = strlen(xl->type);
    size_t want = strlen(type);

    /* An uninstalled build is loaded by a path that ends in its type. */
    return have >= want && strcmp(xl->type + have - want, type) == 0 &&
           (have == want || xl->type[have - want - 1] == '/');
}

/* @xl itself or the first below it, in graph order, that matches. */
xlator_t *
allot_graph_find(xlator_t *xl, allot_graph_match_fn match, const void *arg)
{
    xlator_list_t *list = NULL;
    xlator_t *found = NULL;

    if (match(xl, arg))
        return xl;
    for (list = xl->children; list && !found; list = list->next)
        found = allot_graph_find(list->xlator, match, arg);
    return found;
}

/* Is there a way down from @xl to @target on which nothing keeps copies. */
static gf_boolean_t
graph_sole_path(xlator_t *xl, const xlator_t *target)
{
    xlator_list_t *list = NULL;

    if (xl == target)
        return _gf_true;
    if (allot_graph_is_type(xl, "cluster/replicate") ||
        allot_graph_is_type(xl, "cluster/afr") ||
        allot_graph_is_type(xl, "cluster/disperse") ||
        allot_graph_is_type(xl, "cluster/ec"))
        return _gf_false;
    for (list = xl->children; list; list = list->next)
        if (graph_sole_path(list->xlator, target))
            return _gf_true;
    return _gf_false;
}

/* Is one of @type above @xl. */
static gf_boolean_t
graph_stands_below(xlator_t *xl, const char *type)
{
    xlator_list_t *up = NULL;

    for (up = xl->parents; up; up = up->next)
        if (allot_graph_is_type(up->xlator, type) ||
            graph_stands_below(up->xlator, type))
            return _gf_true;
    return _gf_false;
}

/* Does anything at or below @xl disperse. */
static gf_boolean_t
graph_disperses(xlator_t *xl)
{
    return allot_graph_find(xl, allot_graph_is_type, "cluster/disperse") ||
           allot_graph_find(xl, allot_graph_is_type, "cluster/ec");
}

/* Does anything at or below @xl keep copies of names? */
static gf_boolean_t
graph_replicates(xlator_t *xl)
{
    return allot_graph_find(xl, allot_graph_is_type, "cluster/replicate") ||
           allot_graph_find(xl, allot_graph_is_type, "cluster/afr") ||
           graph_disperses(xl);
}

static int
graph_ns_kind(const xlator_t *ns)
{
    static const char *const distribute[] = {
        "cluster/distribute", "cluster/dht", "cluster/nufa", "cluster/switch"};
    size_t i = 0;

    /* What stands in between (trace, error-gen) changes nothing. */
    while (strncmp(ns->type, "cluster/", 8) != 0 && ns->children &&
           !ns->children->next)
        ns = ns->children->xlator;
    for (i = 0; i < sizeof(distribute) / sizeof(distribute[0]); i++)
        if (allot_graph_is_type(ns, distribute[i]))
            return ALLOT_NS_DISTRIBUTE;
    if (allot_graph_is_type(ns, "cluster/replicate") ||
        allot_graph_is_type(ns, "cluster/afr"))
        return ALLOT_NS_REPLICATE;
    return ALLOT_NS_OTHER;
}

const char *
allot_ns_kind_name(int kind)
{
    switch (kind) {
        case ALLOT_NS_DISTRIBUTE:
            return "distribute";
        case ALLOT_NS_REPLICATE:
            return "replicate";
        default:
            return "other";
    }
}

int
allot_bricks_refuse(xlator_t *this, const char *name, const char *text)
{
    gf_msg(this->name, GF_LOG_ERROR, EINVAL, ALLOT_MSG_BAD_GRAPH,
           "the graph cannot start: subvolume %s %s", name, text);
    return -1;
}

static int
bricks_check_graph(xlator_t *this)
{
    xlator_list_t *one = NULL;
    xlator_list_t *two = NULL;

    if (!this->children || !this->children->next) {
        gf_msg(this->name, GF_LOG_ERROR, EINVAL, ALLOT_MSG_BAD_GRAPH,
               "the graph cannot start: subvolumes of cluster/allot are the "
               "namespace first and at least one data subvolume after it");
        return -1;
    }
    for (one = this->children; one; one = one->next)
        for (two = one->next; two; two = two->next)
            if (one->xlator == two->xlator)
                return allot_bricks_refuse(this, one->xlator->name,
                                           "is listed more than once");
    for (one = this->children; one; one = one->next)
        if (allot_graph_find(one->xlator, allot_graph_is_type,
                             "features/shard"))
            return allot_bricks_refuse(
                this, one->xlator->name,
                "has features/shard below it, which cuts "
                "files into pieces already: use one of both");
    return 0;
}

struct allot_child *
allot_bricks_child_of(struct allot_bricks *b, const xlator_t *xl)
{
    int i = 0;

    for (i = 0; i < b->count; i++)
        if (b->children[i].xl == xl)
            return &b->children[i];
    return NULL;
}

int
allot_bricks_init(xlator_t *this)
{
    struct allot_priv *priv = allot_priv(this);
    struct allot_bricks *b = NULL;
    struct allot_child *c = NULL;
    xlator_list_t *list = NULL;

    if (bricks_check_graph(this))
        return -1;

    b = GF_CALLOC(1, sizeof(*b), allot_mt_bricks);
    if (!b)
        return -1;
    b->this = this;
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->idle, NULL);
    GF_ATOMIC_INIT(b->version, 1);
    GF_ATOMIC_INIT(b->changed_msec, 0);
    b->event_sent = -1;
    priv->bricks = b;
    priv->ns = FIRST_CHILD(this);
    priv->ns_kind = graph_ns_kind(priv->ns);
    priv->ns_replicated = graph_replicates(priv->ns);
    priv->ns_dispersed = graph_disperses(priv->ns);
    priv->times_kept = graph_stands_below(this, "features/utime");
    b->dispersed = priv->ns_dispersed;
    b->ns_network =
        !!allot_graph_find(priv->ns, allot_graph_is_type, "protocol/client");

    for (list = this->children->next; list; list = list->next)
        b->count += !allot_watched(this, list->xlator);
    if (b->count == 0)
        return allot_bricks_refuse(this, priv->ns->name,
                                   "is followed by watched ones only: there is "
                                   "no data subvolume");
    if (b->count > ALLOT_BRICKS_MAX) {
        gf_msg(this->name, GF_LOG_ERROR, EINVAL, ALLOT_MSG_BAD_GRAPH,
               "the graph cannot start: %d data subvolumes, at most %d are "
               "possible",
               b->count, ALLOT_BRICKS_MAX);
        return -1;
    }
    b->children = GF_CALLOC(b->count, sizeof(*b->children), allot_mt_bricks);
    if (!b->children) {
        b->count = 0;
        return -1;
    }
    c = b->children;
    for (list = this->children->next; list; list = list->next) {
        if (allot_watched(this, list->xlator))
            continue;
        c->xl = list->xlator;
        c->idx = ALLOT_IDX_NONE;
        c->since = gf_time();
        c->weight = 1;
        GF_ATOMIC_INIT(c->own_bytes, 0);
        c->below_ns = !!allot_graph_find(priv->ns, allot_graph_is, c->xl);
        c->sole_name = c->below_ns && graph_sole_path(priv->ns, c->xl);
        if (strlen(c->xl->name) > ALLOT_NAME_MAX)
            return allot_bricks_refuse(this, c->xl->name,
                                       "has too long a name");
        c++;
    }
    if (allot_sets_init(this, b))
        return -1;
    priv->pass_through = b->count == 1;
    return 0;
}

/* ---- work under way --------------------------------------------------------
 */

gf_boolean_t
allot_bricks_busy_locked(struct allot_bricks *b)
{
    if (b->stopping)
        return _gf_false;
    b->busy++;
    return _gf_true;
}

void
allot_bricks_idle(struct allot_bricks *b)
{
    pthread_mutex_lock(&b->lock);
    if (--b->busy == 0)
        pthread_cond_broadcast(&b->idle);
    pthread_mutex_unlock(&b->lock);
}

int
allot_bricks_root(struct allot_bricks *b, loc_t *loc)
{
    inode_table_t *table = NULL;

    memset(loc, 0, sizeof(*loc));
    pthread_mutex_lock(&b->lock);
    /* Not the mount's table: there may be none yet, and what the namespace
     * keeps on its root inode is none of a data subvolume's business. */
    if (!b->itable)
        b->itable = inode_table_new(0, b->this, 0, 0);
    table = b->itable;
    pthread_mutex_unlock(&b->lock);
    if (!table)
        return -ENOMEM;
    loc->inode = inode_ref(table->root);
    loc->path = gf_strdup("/");
    loc->name = "";
    gf_uuid_copy(loc->gfid, table->root->gfid);
    if (!loc->path) {
        loc_wipe(loc);
        return -ENOMEM;
    }
    return 0;
}

/* ---- the snapshot ----------------------------------------------------------
 */

static void
snap_free(struct allot_snap *s)
{
    if (!s)
        return;
    GF_FREE(s->views);
    GF_FREE(s->children);
    GF_FREE(s->position);
    GF_FREE(s);
}

static void
snap_free_rcu(struct rcu_head *head)
{
    snap_free(caa_container_of(head, struct allot_snap, rcu));
}

static gf_boolean_t
child_names_missing(const struct allot_child *c)
{
    switch (c->state) {
        case ALLOT_BRICK_UP:
        case ALLOT_BRICK_FULL:
        case ALLOT_BRICK_DRAINING:
        case ALLOT_BRICK_FAILING:
            return _gf_false;
        case ALLOT_BRICK_LOST:
            return !c->connected;
        case ALLOT_BRICK_FOREIGN:
            /* Without a guard the namespace sees all its names. */
            return c->leaves[0].hs_kind == ALLOT_HS_OK;
        default:
            return _gf_true;
    }
}

static struct allot_snap *
snap_make_locked(struct allot_bricks *b)
{
    struct allot_priv *priv = allot_priv(b->this);
    struct allot_snap *s = GF_CALLOC(1, sizeof(*s), allot_mt_bricks);
    struct allot_child *c = NULL;
    int i = 0;

    if (!s)
        return NULL;
    s->count = b->count;
    s->next_index = b->reg.version ? b->reg.next_index : 0;
    s->views = GF_CALLOC(b->count, sizeof(*s->views), allot_mt_bricks);
    s->children = GF_CALLOC(b->count, sizeof(*s->children), allot_mt_bricks);
    s->position =
        GF_CALLOC(s->next_index + 1, sizeof(*s->position), allot_mt_bricks);
    if (!s->views || !s->children || !s->position) {
        snap_free(s);
        return NULL;
    }
    for (i = 0; i <= s->next_index; i++)
        s->position[i] = -1;

    s->active = b->reg.version && b->reg.phase == ALLOT_REGISTRY_ACTIVE &&
                !b->inactive_why;
    s->inline_known = b->reg.version && b->reg.phase == ALLOT_REGISTRY_ACTIVE;
    s->inline_limit = b->reg.inline_limit;
    for (i = 0; i < b->count; i++) {
        c = &b->children[i];
        s->children[i] = c;
        s->views[i].xl = c->xl;
        s->views[i].idx = c->idx;
        s->views[i].state = c->state;
        s->views[i].epoch = c->epoch;
        /* A new connection, or usable only now on the one there was. */
        s->views[i].since = b->snap && b->snap->views[i].epoch == c->epoch &&
                                    allot_brick_usable(&b->snap->views[i]) ==
                                        allot_brick_usable(&s->views[i])
                                ? b->snap->views[i].since
                                : (uint64_t)GF_ATOMIC_GET(b->version) + 1;
        s->views[i].below_ns = c->below_ns;
        s->views[i].is_set = c->kind != ALLOT_SET_NONE;
        s->views[i].degraded = allot_set_degraded_locked(c);
        if (c->idx == ALLOT_IDX_NONE)
            s->unmatched = _gf_true;
        else
            s->position[c->idx] = i;
        if (c->idx != ALLOT_IDX_NONE && c->state == ALLOT_BRICK_UP)
            s->preferred_count++;
        if (c->sole_name && child_names_missing(c))
            s->listing_incomplete = _gf_true;
    }
    if (priv->pass_through)
        s->listing_incomplete = _gf_false;
    return s;
}

static gf_boolean_t
snap_same(const struct allot_snap *a, const struct allot_snap *b)
{
    int i = 0;

    if (a->active != b->active || a->inline_limit != b->inline_limit ||
        a->inline_known != b->inline_known || a->next_index != b->next_index ||
        a->listing_incomplete != b->listing_incomplete)
        return _gf_false;
    for (i = 0; i < a->count; i++)
        if (a->views[i].idx != b->views[i].idx ||
            a->views[i].state != b->views[i].state ||
            a->views[i].degraded != b->views[i].degraded ||
            a->views[i].epoch != b->views[i].epoch)
            return _gf_false;
    return _gf_true;
}

void
allot_bricks_publish_locked(struct allot_bricks *b)
{
    struct allot_snap *fresh = snap_make_locked(b);
    struct allot_snap *old = b->snap;

    if (!fresh) {
        gf_msg(b->this->name, GF_LOG_ERROR, ENOMEM, ALLOT_MSG_NO_MEMORY,
               "no memory for a snapshot of the bricks: the last one stays");
        return;
    }
    if (old && snap_same(old, fresh)) {
        snap_free(fresh);
        return;
    }
    rcu_assign_pointer(b->snap, fresh);
    GF_ATOMIC_INIT(b->changed_msec, allot_now_msec());
    GF_ATOMIC_INC(b->version);
    if (old)
        call_rcu(&old->rcu, snap_free_rcu);
}

void
allot_bricks_fini(xlator_t *this)
{
    struct allot_priv *priv = allot_priv(this);
    struct allot_bricks *b = priv ? priv->bricks : NULL;
    struct timespec until = {
        0,
    };
    int i = 0;

    if (!b)
        return;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 30;
    pthread_mutex_lock(&b->lock);
    b->stopping = _gf_true;
    /* Everything under way ends by itself once the graph is down: timers were
     * stopped at PARENT_DOWN, winds were answered. */
    while (b->busy > 0)
        if (pthread_cond_timedwait(&b->idle, &b->lock, &until))
            break;
    i = b->busy;
    pthread_mutex_unlock(&b->lock);
    if (i > 0) {
        gf_msg(this->name, GF_LOG_ERROR, EBUSY, ALLOT_MSG_BRICK_STATE,
               "%d calls to bricks have not come back: their memory is kept",
               i);
        return;
    }

    if (b->snap)
        call_rcu(&b->snap->rcu, snap_free_rcu);
    rcu_assign_pointer(b->snap, NULL);
    rcu_barrier();
    free(b->gone_done);
    if (b->itable)
        inode_table_destroy(b->itable);
    allot_sets_fini(b);
    allot_registry_clear(&b->reg);
    GF_FREE(b->children);
    pthread_cond_destroy(&b->idle);
    pthread_mutex_destroy(&b->lock);
    GF_FREE(b);
    priv->bricks = NULL;
}

/* ---- readers ---------------------------------------------------------------
 */

/* An index above all that we know: somebody added a brick. Ask, but not for
 * every read of such a file. */
static void
bricks_unknown_index(xlator_t *this)
{
    struct allot_bricks *b = allot_bricks_of(this);
    uint64_t now = allot_now_msec();
    gf_boolean_t ask = _gf_false;

    pthread_mutex_lock(&b->lock);
    if (now - b->asked_msec >= 1000) {
        b->asked_msec = now;
        ask = _gf_true;
    }
    pthread_mutex_unlock(&b->lock);
    if (ask)
        allot_handshake_again(this, _gf_true);
}

int
allot_brick_get(xlator_t *this, uint16_t idx, struct allot_brick_view *view)
{
    struct allot_bricks *b = allot_bricks_of(this);
    struct allot_snap *s = NULL;
    gf_boolean_t unknown = _gf_false;
    int at = -1;

    memset(view, 0, sizeof(*view));
    view->idx = idx;
    view->state = ALLOT_BRICK_DOWN;

    rcu_read_lock();
    s = rcu_dereference(b->snap);
    if (s && idx < s->next_index) {
        at = s->position[idx];
        if (at >= 0)
            *view = s->views[at];
        else if (!s->unmatched)
            view->state = ALLOT_BRICK_LOST;
    } else {
        unknown = s && s->active;
    }
    rcu_read_unlock();

    if (unknown)
        bricks_unknown_index(this);
    return at >= 0 ? 0 : -ENOENT;
}

int
allot_bricks_usable_all(xlator_t *this, struct allot_brick_view *views, int cap)
{
    struct allot_snap *s = NULL;
    int i = 0;
    int n = 0;

    rcu_read_lock();
    s = rcu_dereference(allot_bricks_of(this)->snap);
    for (i = 0; s && i < s->count && n < cap; i++)
        if (s->views[i].idx != ALLOT_IDX_NONE &&
            allot_brick_usable(&s->views[i]))
            views[n++] = s->views[i];
    rcu_read_unlock();
    return n;
}

gf_boolean_t
allot_bricks_preferred(xlator_t *this, uint16_t idx)
{
    struct allot_brick_view view = {
        0,
    };

    return !allot_brick_get(this, idx, &view) && view.state == ALLOT_BRICK_UP;
}

int
allot_bricks_preferred_count(xlator_t *this)
{
    struct allot_snap *s = NULL;
    int n = 0;

    rcu_read_lock();
    s = rcu_dereference(allot_bricks_of(this)->snap);
    if (s)
        n = s->preferred_count;
    rcu_read_unlock();
    return n;
}

uint64_t
allot_bricks_version(xlator_t *this)
{
    return GF_ATOMIC_GET(allot_bricks_of(this)->version);
}

uint64_t
allot_bricks_changed_msec(xlator_t *this)
{
    return GF_ATOMIC_GET(allot_bricks_of(this)->changed_msec);
}

void
allot_bricks_account(xlator_t *this, uint16_t idx, int64_t bytes)
{
    struct allot_snap *s = NULL;

    rcu_read_lock();
    s = rcu_dereference(allot_bricks_of(this)->snap);
    if (s && idx < s->next_index && s->position[idx] >= 0)
        GF_ATOMIC_ADD(s->children[s->position[idx]]->own_bytes, bytes);
    rcu_read_unlock();
}

gf_boolean_t
allot_bricks_active(xlator_t *this)
{
    struct allot_snap *s = NULL;
    gf_boolean_t active = _gf_false;

    rcu_read_lock();
    s = rcu_dereference(allot_bricks_of(this)->snap);
    if (s)
        active = s->active;
    rcu_read_unlock();
    return active;
}

uint32_t
allot_bricks_inline_limit(xlator_t *this)
{
    uint32_t limit = allot_priv(this)->opt.inline_limit;
    struct allot_snap *s = NULL;

    rcu_read_lock();
    s = rcu_dereference(allot_bricks_of(this)->snap);
    if (s && s->inline_known)
        limit = s->inline_limit;
    rcu_read_unlock();
    return limit;
}

gf_boolean_t
allot_bricks_complete(xlator_t *this)
{
    struct allot_bricks *b = allot_bricks_of(this);
    const struct allot_registry_brick *brick = NULL;
    struct allot_brick_view view;
    gf_boolean_t all = _gf_true;
    int i = 0;

    pthread_mutex_lock(&b->lock);
    all = b->reg.version && b->reg.phase == ALLOT_REGISTRY_ACTIVE;
    for (i = 0; all && i < b->reg.brick_count; i++) {
        brick = &b->reg.bricks[i];
        all = brick->admin_state == ALLOT_ADMIN_LOST ||
              (allot_brick_get(this, brick->index, &view) == 0 &&
               allot_brick_usable(&view));
    }
    for (i = 0; all && i < b->leaf_count; i++)
        all = b->leaves[i].state == ALLOT_BRICK_UP ||
              b->leaves[i].child->state == ALLOT_BRICK_LOST;
    pthread_mutex_unlock(&b->lock);
    return all;
}

gf_boolean_t
allot_bricks_listing_incomplete(xlator_t *this)
{
    struct allot_snap *s = NULL;
    gf_boolean_t incomplete = _gf_false;

    rcu_read_lock();
    s = rcu_dereference(allot_bricks_of(this)->snap);
    if (s)
        incomplete = s->listing_incomplete;
    rcu_read_unlock();
    return incomplete;
}
