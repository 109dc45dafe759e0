/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-status.c - what this client knows of the volume, for people and
 * programs: the JSON of glusterfs.allot.status, statedump and .meta, metrics.
 * From memory alone: no wind, no walk. What bricks of sets know of heals is
 * handed in by allot-heals.c.
 */
#include "allot-bricks-impl.h"
#include "allot-intern.h"
#include <jansson.h>

#define ALLOT_STATUS_VERSION 1

/* One brick as it is shown: a subvolume, or an index without one. */
struct status_brick {
    int index;                 /* -1: not registered */
    struct allot_child *child; /* NULL: an index without a subvolume */
    const char *name;
    const char *host;
    const char *path;
    const char *state;
    const char *why;
    const char *admin;
    time_t since; /* 0: not known */
    int weight;
    uint64_t capacity_bytes;
    uint64_t used_bytes;
    gf_boolean_t known; /* capacity and used are */
    gf_boolean_t shared_with_namespace;
    gf_boolean_t usable;
    gf_boolean_t degraded; /* a set that misses a brick */
    int spare;             /* more bricks of it that may fail */
    int spare_by_quorum;   /* the same as if nothing were to be healed */
    int healing;           /* a set: something is; -1: not all have said */
    uint32_t epoch;
    uint64_t failures;
    uint64_t changes;
    uint64_t turns;
    uint64_t flaps;
    uint64_t inflight;
    struct allot_work_sums work;
    double up_sec;
    double latency_time;
    uint64_t fs_capacity_bytes; /* V_i: of the file system below */
    gf_boolean_t failing;
    gf_boolean_t may_be_unreadable; /* as docs/json.md says */
};

struct status {
    const char *state;
    int spare; /* more bricks that may fail, whichever they are */
    int count;
    struct status_brick *bricks;
    uint64_t used_bytes; /* of all that are known */
    double mean;         /* used per weight */
    double max_over_mean;
};

static const char *
status_admin_name(int admin)
{
    switch (admin) {
        case ALLOT_ADMIN_LOST:
            return "lost";
        case ALLOT_ADMIN_DRAINING:
            return "draining";
        default:
            return "none";
    }
}

static void
status_child_locked(struct allot_bricks *b, struct allot_child *c,
                    struct status_brick *s)
{
    const struct allot_registry_brick *known = NULL;

    if (b->reg.version && c->idx != ALLOT_IDX_NONE)
        known = allot_registry_find(&b->reg, c->idx);
    s->index = c->idx == ALLOT_IDX_NONE ? -1 : c->idx;
    s->name = c->xl->name;
    if (c->kind == ALLOT_SET_NONE) {
        s->host = c->leaves[0].host;
        s->path = c->leaves[0].path;
    }
    s->child = c;
    s->degraded = allot_set_degraded_locked(c);
    s->spare_by_quorum = allot_set_spare_locked(c);
    s->spare = s->spare_by_quorum;
    s->state = allot_brick_state_name(c->state);
    s->why = c->why;
    s->admin = status_admin_name(known ? known->admin_state : ALLOT_ADMIN_NONE);
    s->since = c->since;
    s->weight = c->weight;
    s->known = c->statfs_known;
    s->capacity_bytes = allot_ledger_capacity_locked(b, c);
    s->used_bytes = allot_ledger_used_locked(b, c);
    s->shared_with_namespace = c->below_ns;
    s->usable = c->state == ALLOT_BRICK_UP || c->state == ALLOT_BRICK_FULL ||
                c->state == ALLOT_BRICK_DRAINING ||
                c->state == ALLOT_BRICK_FAILING;
    s->failing = c->state == ALLOT_BRICK_FAILING;
    s->may_be_unreadable =
        s->failing && allot_health_unread_locked(&c->health, c->why);
    s->epoch = c->epoch;
    s->failures = c->failures;
    s->changes = c->health.changes;
    s->turns = c->health.turns;
    s->flaps = c->health.flaps;
    s->inflight = __atomic_load_n(&c->health.inflight, __ATOMIC_RELAXED);
    allot_health_sums(&c->health, &s->work);
    s->up_sec = c->health.up_nsec / 1e9;
    s->latency_time = allot_health_latency_time_locked(&c->health, &s->work);
    s->fs_capacity_bytes = c->capacity_bytes;
}

static gf_boolean_t
status_has_child(struct allot_bricks *b, uint16_t idx)
{
    int i = 0;

    for (i = 0; i < b->count; i++)
        if (b->children[i].idx == idx)
            return _gf_true;
    return _gf_false;
}

/* How many bricks of a set it takes to read a block. */
static int
status_sources_needed(const struct allot_child *c)
{
    return c->kind == ALLOT_SET_DISPERSE ? c->fragments : 1;
}

/* What waits for healing exists once less. Of a brick that knows of it nobody
 * says which files: each may be the only one that has one of them, so none of
 * the set may fail, whatever the quorum says. On disks that fail all of it may
 * be unreadable. @pending: by leaf, or NULL. */
static void
status_heals(struct allot_bricks *b, struct status_brick *s,
             const int8_t *pending)
{
    const struct allot_child *c = s->child;
    const struct allot_leaf *l = NULL;
    int known = 0;
    int silent = 0;
    int well = 0;
    int failing = 0;
    int i = 0;

    if (c->kind == ALLOT_SET_NONE)
        return;
    for (i = 0; i < c->leaf_count; i++) {
        int8_t one = pending ? pending[&c->leaves[i] - b->leaves] : -1;

        l = &c->leaves[i];
        known += one == 1;
        silent += one < 0 && l->state == ALLOT_BRICK_UP;
        if (one == 1 && !l->arbiter) {
            well += l->state == ALLOT_BRICK_UP;
            failing += l->state == ALLOT_BRICK_FAILING;
        }
    }
    s->healing = known ? 1 : silent ? -1 : 0;
    if (known)
        s->spare = 0;
    if (failing && well < status_sources_needed(c))
        s->may_be_unreadable = _gf_true;
}

/* Means over the registered bricks whose use is known now. */
static void
status_balance(struct status *st)
{
    struct status_brick *s = NULL;
    uint64_t weights = 0;
    double most = 0;
    int i = 0;

    for (i = 0; i < st->count; i++) {
        s = &st->bricks[i];
        if (s->index < 0 || !s->known || !s->usable)
            continue;
        st->used_bytes += s->used_bytes;
        weights += s->weight;
        if ((double)s->used_bytes / s->weight > most)
            most = (double)s->used_bytes / s->weight;
    }
    if (weights)
        st->mean = (double)st->used_bytes / weights;
    st->max_over_mean = st->mean > 0 ? most / st->mean : 1.0;
}

/* The names in it point into @b and into @copy: use both while they live.
 * @pending: as in allot_status_json(). */
static int
status_take(xlator_t *this, struct status *st, struct allot_registry *copy,
            const int8_t *pending)
{
    struct allot_bricks *b = allot_bricks_of(this);
    struct status_brick *s = NULL;
    gf_boolean_t partial = _gf_false;
    gf_boolean_t degraded = _gf_false;
    int ret = -ENOMEM;
    int i = 0;

    memset(st, 0, sizeof(*st));
    memset(copy, 0, sizeof(*copy));
    pthread_mutex_lock(&b->lock);
    if (b->reg.version && allot_registry_copy(copy, &b->reg))
        goto out;
    st->bricks = GF_CALLOC(b->count + copy->brick_count, sizeof(*st->bricks),
                           allot_mt_bricks);
    if (!st->bricks)
        goto out;
    for (i = 0; i < b->count; i++) {
        s = &st->bricks[st->count++];
        status_child_locked(b, &b->children[i], s);
        status_heals(b, s, pending);
    }
    for (i = 0; i < copy->brick_count; i++) {
        if (status_has_child(b, copy->bricks[i].index))
            continue;
        s = &st->bricks[st->count++];
        s->index = copy->bricks[i].index;
        s->name = copy->bricks[i].name;
        s->state = allot_brick_state_name(ALLOT_BRICK_LOST);
        s->why = "no subvolume of this graph has its identity";
        s->admin = status_admin_name(copy->bricks[i].admin_state);
        s->weight = copy->bricks[i].weight;
    }
    st->spare = INT_MAX;
    for (i = 0; i < st->count; i++) {
        s = &st->bricks[i];
        if (!s->usable && (strcmp(s->admin, "lost") != 0 || i < b->count))
            partial = _gf_true;
        degraded |= s->failing || s->degraded;
        if (s->usable && s->spare < st->spare)
            st->spare = s->spare;
    }
    if (partial || st->spare == INT_MAX)
        st->spare = 0;
    st->state = partial ? "PARTIAL" : degraded ? "DEGRADED" : "UP";
    if (!b->ns_up)
        st->state = "DOWN";
    ret = 0;
out:
    pthread_mutex_unlock(&b->lock);
    if (!ret)
        status_balance(st);
    return ret;
}

static void
status_drop(struct status *st, struct allot_registry *copy)
{
    GF_FREE(st->bricks);
    allot_registry_clear(copy);
}

static double
status_share(const struct status *st, const struct status_brick *s)
{
    return st->used_bytes && s->known && s->usable && s->index >= 0
               ? (double)s->used_bytes / st->used_bytes
               : 0;
}

static double
status_deviation(const struct status *st, const struct status_brick *s)
{
    return st->mean > 0 && s->known && s->usable && s->index >= 0
               ? (double)s->used_bytes / s->weight / st->mean
               : 0;
}

static void
status_time(time_t when, char *text, size_t size)
{
    struct tm tm;

    if (!when || !gmtime_r(&when, &tm) ||
        !strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &tm))
        text[0] = '\0';
}

/* ---- JSON ------------------------------------------------------------------
 */

static void
json_text(json_t *to, const char *key, const char *text)
{
    /* A brick's directory may be any bytes: what is not UTF-8 is not shown. */
    json_t *value = text ? json_string(text) : NULL;

    json_object_set_new(to, key, value ? value : json_null());
}

static void
json_number(json_t *to, const char *key, json_int_t n)
{
    json_object_set_new(to, key, json_integer(n));
}

/* -1: null. */
static void
json_tristate(json_t *to, const char *key, int value)
{
    json_object_set_new(to, key, value < 0 ? json_null() : json_boolean(value));
}

/* V_i, R_i and their product: the part of the file system below that is this
 * brick's. Bricks that share a file system share its capacity. */
static json_t *
status_json_resource(uint64_t capacity, uint64_t own)
{
    return json_pack("{s:I, s:f, s:I}", "capacity_bytes", (json_int_t)capacity,
                     "share", capacity ? (double)own / capacity : 0.0, "bytes",
                     (json_int_t)own);
}

static double
status_per(double what, double seconds)
{
    return seconds > 0 ? what / seconds : 0;
}

/* P = sum(P_i T_i) / sum(T_i). Of a brick i counts its intervals (seconds), of
 * the volume all intervals of all bricks, so that the volume's P is the sum
 * over its bricks too. Of throughput P_i T_i is the bytes of the interval; T_i
 * is the time the brick was busy, and once more that it was up. Latency is
 * weighted with the busy time. */
static json_t *
status_json_performance(const struct status_brick *s)
{
    double busy = s->work.busy_nsec / 1e9;
    double bytes = (double)s->work.bytes_read + s->work.bytes_written;

    return json_pack("{s:f, s:f, s:f, s:f, s:f}", "up_seconds", s->up_sec,
                     "busy_seconds", busy, "bytes_per_second",
                     status_per(bytes, busy), "bytes_per_second_up",
                     status_per(bytes, s->up_sec), "latency_seconds",
                     status_per(s->latency_time, busy));
}

/* The bricks below a set. Their names live as long as the graph; what else
 * is shown of them is read here, each under the lock. */
static json_t *
status_json_leaves(struct allot_bricks *b, struct allot_child *c,
                   const int8_t *pending)
{
    json_t *list = json_array();
    json_t *one = NULL;
    struct allot_leaf *l = NULL;
    char since[32];
    int i = 0;

    for (i = 0; list && i < c->leaf_count; i++) {
        l = &c->leaves[i];
        one = json_object();
        if (!one)
            break;
        pthread_mutex_lock(&b->lock);
        status_time(l->since, since, sizeof(since));
        json_text(one, "name", l->xl->name);
        json_text(one, "host", l->host);
        json_text(one, "path", l->path);
        json_text(one, "state", allot_brick_state_name(l->state));
        json_text(one, "why", l->why);
        json_text(one, "since", since[0] ? since : NULL);
        json_object_set_new(one, "arbiter", json_boolean(l->arbiter));
        json_number(one, "failures", l->failures);
        json_number(one, "changes", l->health.changes);
        json_number(one, "flaps", l->health.flaps);
        json_tristate(one, "heals_pending",
                      pending ? pending[l - b->leaves] : -1);
        pthread_mutex_unlock(&b->lock);
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *
status_json_brick(struct allot_bricks *b, const struct status *st,
                  const struct status_brick *s, const int8_t *pending)
{
    json_t *one = json_object();
    char since[32];

    if (!one)
        return NULL;
    status_time(s->since, since, sizeof(since));
    if (s->index >= 0)
        json_number(one, "index", s->index);
    else
        json_object_set_new(one, "index", json_null());
    json_text(one, "name", s->name);
    json_text(one, "host", s->host);
    json_text(one, "path", s->path);
    json_text(one, "state", s->state);
    json_text(one, "why", s->why);
    json_object_set_new(one, "may_be_unreadable",
                        json_boolean(s->may_be_unreadable));
    json_text(one, "admin", s->admin);
    json_text(one, "since", since[0] ? since : NULL);
    json_number(one, "weight", s->weight);
    json_number(one, "capacity_bytes", s->capacity_bytes);
    json_number(one, "used_bytes", s->used_bytes);
    json_object_set_new(one, "share", json_real(status_share(st, s)));
    json_object_set_new(one, "deviation", json_real(status_deviation(st, s)));
    json_object_set_new(one, "shared_with_namespace",
                        json_boolean(s->shared_with_namespace));
    json_number(one, "epoch", s->epoch);
    json_number(one, "failures", s->failures);
    json_number(one, "changes", s->changes);
    json_number(one, "turns", s->turns);
    json_number(one, "flaps", s->flaps);
    json_number(one, "reads", s->work.ops[ALLOT_WORK_READ]);
    json_number(one, "writes", s->work.ops[ALLOT_WORK_WRITE]);
    json_number(one, "calls", s->work.ops[ALLOT_WORK_META]);
    json_number(one, "in_flight", s->inflight);
    json_number(one, "errors", s->work.errors);
    json_number(one, "bytes_read", s->work.bytes_read);
    json_number(one, "bytes_written", s->work.bytes_written);
    json_object_set_new(
        one, "resource",
        status_json_resource(s->fs_capacity_bytes, s->capacity_bytes));
    json_object_set_new(one, "performance", status_json_performance(s));
    if (!s->child)
        return one;
    json_text(one, "kind", allot_set_kind_name(s->child->kind));
    json_object_set_new(one, "degraded", json_boolean(s->degraded));
    json_number(one, "spare_failures", s->spare);
    if (s->child->kind == ALLOT_SET_NONE)
        return one;
    json_number(one, "spare_by_quorum", s->spare_by_quorum);
    json_number(one, "sources_needed", status_sources_needed(s->child));
    json_tristate(one, "healing", s->healing);
    json_object_set_new(one, "leaves",
                        status_json_leaves(b, s->child, pending));
    return one;
}

static json_t *
status_json_counters(struct allot_priv *priv)
{
    json_t *c = json_object();

    if (!c)
        return NULL;
    json_number(c, "grows", GF_ATOMIC_GET(priv->grows));
    json_number(c, "appends", GF_ATOMIC_GET(priv->appends));
    json_number(c, "settles", GF_ATOMIC_GET(priv->settles));
    json_number(c, "truncates", GF_ATOMIC_GET(priv->truncates));
    json_number(c, "publishes", GF_ATOMIC_GET(priv->publishes));
    json_number(c, "publish_lost", GF_ATOMIC_GET(priv->publish_lost));
    json_number(c, "fences", GF_ATOMIC_GET(priv->fences));
    json_number(c, "glimpses", GF_ATOMIC_GET(priv->glimpses));
    json_number(c, "refreshes", GF_ATOMIC_GET(priv->refreshes));
    json_number(c, "retries", GF_ATOMIC_GET(priv->retries));
    return c;
}

/* Of the volume: all bricks together. */
static void
status_json_volume(const struct status *st, json_t *doc)
{
    struct status_brick all;
    const struct status_brick *s = NULL;
    json_int_t capacity = 0;
    json_int_t own = 0;
    int i = 0;

    memset(&all, 0, sizeof(all));
    for (i = 0; i < st->count; i++) {
        s = &st->bricks[i];
        all.work.bytes_read += s->work.bytes_read;
        all.work.bytes_written += s->work.bytes_written;
        all.work.busy_nsec += s->work.busy_nsec;
        all.latency_time += s->latency_time;
        all.up_sec += s->up_sec;
        capacity += s->fs_capacity_bytes;
        own += s->capacity_bytes;
    }
    json_object_set_new(doc, "performance", status_json_performance(&all));
    json_object_set_new(
        doc, "resource",
        json_pack("{s:I, s:I}", "capacity_bytes", capacity, "bytes", own));
}

/* The volume's name: as its volfile was asked for, which the gluster command
 * knows it by; of a volfile from a file the option says it. NULL: neither. */
static const char *
status_volume_name(xlator_t *this)
{
    const char *name = this->ctx->cmd_args.volfile_id;

    if (allot_priv(this)->opt.volume_name)
        return allot_priv(this)->opt.volume_name;
    while (name && *name == '/')
        name++;
    return name && *name ? name : NULL;
}

char *
allot_status_json(xlator_t *this, const int8_t *pending)
{
    struct allot_priv *priv = allot_priv(this);
    struct allot_registry reg;
    struct status st;
    json_t *doc = NULL;
    json_t *list = NULL;
    char uuid[37] = "";
    char *text = NULL;
    int i = 0;

    if (status_take(this, &st, &reg, pending))
        return NULL;
    doc = json_object();
    list = json_array();
    if (!doc || !list) {
        json_decref(list);
        goto out;
    }
    if (reg.version)
        uuid_unparse_lower(reg.volume_uuid, uuid);
    json_number(doc, "version", ALLOT_STATUS_VERSION);
    json_text(doc, "state", st.state);
    json_text(doc, "volume", uuid[0] ? uuid : NULL);
    json_text(doc, "volume_name", status_volume_name(this));
    json_text(doc, "client", this->graph ? this->graph->graph_uuid : NULL);
    json_text(doc, "namespace", allot_ns_kind_name(priv->ns_kind));
    json_object_set_new(doc, "active", json_boolean(allot_bricks_active(this)));
    json_text(doc, "inactive_because", allot_bricks_of(this)->inactive_why);
    json_number(doc, "registry_version", reg.version);
    json_number(doc, "inline_limit", allot_bricks_inline_limit(this));
    json_object_set_new(doc, "incomplete_listing",
                        json_boolean(allot_bricks_listing_incomplete(this)));
    json_object_set_new(doc, "max_over_mean", json_real(st.max_over_mean));
    for (i = 0; i < st.count; i++)
        json_array_append_new(
            list, status_json_brick(allot_bricks_of(this), &st, &st.bricks[i],
                                    pending));
    json_number(doc, "spare_failures", st.spare);
    json_object_set_new(doc, "bricks", list);
    json_object_set_new(doc, "warnings", allot_warnings_json(this));
    status_json_volume(&st, doc);
    json_number(doc, "layouts", allot_intern_count(priv->intern));
    json_number(doc, "block_size", (json_int_t)1 << priv->opt.block_shift);
    json_number(doc, "width", priv->opt.width);
    json_object_set_new(doc, "counters", status_json_counters(priv));
    text = json_dumps(doc, JSON_COMPACT | JSON_PRESERVE_ORDER);
out:
    if (doc)
        json_decref(doc);
    status_drop(&st, &reg);
    return text;
}

/* ---- statedump, .meta, metrics ---------------------------------------------
 */

/* A brick of a set as it is shown; texts live as long as the graph. */
struct status_leaf {
    const char *name;
    const char *why;
    enum allot_brick_state state;
    time_t since;
    gf_boolean_t arbiter;
    uint64_t failures;
    uint64_t changes;
    uint64_t flaps;
    uint64_t errors; /* of its probes */
};

/* Number @n of the bricks of @s. False: it is no set, or has no more. */
static gf_boolean_t
status_leaf(struct allot_bricks *b, const struct status_brick *s, int n,
            struct status_leaf *leaf)
{
    struct allot_leaf *l = NULL;

    if (!s->child || s->child->kind == ALLOT_SET_NONE ||
        n >= s->child->leaf_count)
        return _gf_false;
    l = &s->child->leaves[n];
    pthread_mutex_lock(&b->lock);
    leaf->name = l->xl->name;
    leaf->why = l->why;
    leaf->state = l->state;
    leaf->since = l->since;
    leaf->arbiter = l->arbiter;
    leaf->failures = l->failures;
    leaf->changes = l->health.changes;
    leaf->flaps = l->health.flaps;
    leaf->errors = l->health.sums.errors;
    pthread_mutex_unlock(&b->lock);
    return _gf_true;
}

static void
dump_leaves(struct allot_bricks *b, const struct status_brick *s, int n)
{
    char key[GF_DUMP_MAX_BUF_LEN];
    struct status_leaf leaf;
    char since[32];
    int i = 0;

    for (i = 0; status_leaf(b, s, i, &leaf); i++) {
        status_time(leaf.since, since, sizeof(since));
        gf_proc_dump_build_key(key, "brick", "%d.leaf.%d", n, i);
        gf_proc_dump_write(key,
                           "name=%s state=%s since=%s arbiter=%d "
                           "failures=%" PRIu64 " changes=%" PRIu64
                           " flaps=%" PRIu64 " errors=%" PRIu64 "%s%s",
                           leaf.name, allot_brick_state_name(leaf.state),
                           since[0] ? since : "-", leaf.arbiter, leaf.failures,
                           leaf.changes, leaf.flaps, leaf.errors,
                           leaf.why ? " why=" : "", leaf.why ? leaf.why : "");
    }
}

static void
dump_brick(const struct status *st, const struct status_brick *s, int n)
{
    char key[GF_DUMP_MAX_BUF_LEN];
    char since[32];

    status_time(s->since, since, sizeof(since));
    gf_proc_dump_build_key(key, "brick", "%d", n);
    gf_proc_dump_write(
        key,
        "name=%s index=%d state=%s admin=%s since=%s weight=%d "
        "capacity_bytes=%" PRIu64 " used_bytes=%" PRIu64
        " share=%.6f deviation=%.6f epoch=%u "
        "failures=%" PRIu64 " changes=%" PRIu64 " flaps=%" PRIu64
        " reads=%" PRIu64 " writes=%" PRIu64 " calls=%" PRIu64
        " in_flight=%" PRIu64 " errors=%" PRIu64 " bytes_read=%" PRIu64
        " bytes_written=%" PRIu64 " busy_seconds=%.3f%s%s",
        s->name, s->index, s->state, s->admin, since[0] ? since : "-",
        s->weight, s->capacity_bytes, s->used_bytes, status_share(st, s),
        status_deviation(st, s), s->epoch, s->failures, s->changes, s->flaps,
        s->work.ops[ALLOT_WORK_READ], s->work.ops[ALLOT_WORK_WRITE],
        s->work.ops[ALLOT_WORK_META], s->inflight, s->work.errors,
        s->work.bytes_read, s->work.bytes_written, s->work.busy_nsec / 1e9,
        s->why ? " why=" : "", s->why ? s->why : "");
}

int32_t
allot_dump_priv(xlator_t *this)
{
    struct allot_priv *priv = allot_priv(this);
    char prefix[GF_DUMP_MAX_BUF_LEN];
    struct allot_registry reg;
    struct status st;
    int i = 0;

    if (!priv || !priv->bricks)
        return 0;
    if (status_take(this, &st, &reg, NULL))
        return -1;
    gf_proc_dump_build_key(prefix, "xlator.cluster.allot", "%s.priv",
                           this->name);
    gf_proc_dump_add_section("%s", prefix);
    gf_proc_dump_write("state", "%s", st.state);
    gf_proc_dump_write("active", "%d", allot_bricks_active(this));
    gf_proc_dump_write("pass_through", "%d", priv->pass_through);
    gf_proc_dump_write("namespace", "%s", allot_ns_kind_name(priv->ns_kind));
    gf_proc_dump_write("volume", "%s", uuid_utoa(reg.volume_uuid));
    gf_proc_dump_write("registry_version", "%" PRIu64, reg.version);
    gf_proc_dump_write("inline_limit", "%u", allot_bricks_inline_limit(this));
    gf_proc_dump_write("block_size", "%u", 1U << priv->opt.block_shift);
    gf_proc_dump_write("width", "%u", priv->opt.width);
    gf_proc_dump_write("incomplete_listing", "%d",
                       allot_bricks_listing_incomplete(this));
    gf_proc_dump_write("max_over_mean", "%.6f", st.max_over_mean);
    for (i = 0; i < st.count; i++) {
        dump_brick(&st, &st.bricks[i], i);
        dump_leaves(priv->bricks, &st.bricks[i], i);
    }
    gf_proc_dump_write("grows", "%" PRIi64, GF_ATOMIC_GET(priv->grows));
    gf_proc_dump_write("appends", "%" PRIi64, GF_ATOMIC_GET(priv->appends));
    gf_proc_dump_write("settles", "%" PRIi64, GF_ATOMIC_GET(priv->settles));
    gf_proc_dump_write("truncates", "%" PRIi64, GF_ATOMIC_GET(priv->truncates));
    gf_proc_dump_write("publishes", "%" PRIi64, GF_ATOMIC_GET(priv->publishes));
    gf_proc_dump_write("publish_lost", "%" PRIi64,
                       GF_ATOMIC_GET(priv->publish_lost));
    gf_proc_dump_write("fences", "%" PRIi64, GF_ATOMIC_GET(priv->fences));
    gf_proc_dump_write("glimpses", "%" PRIi64, GF_ATOMIC_GET(priv->glimpses));
    gf_proc_dump_write("refreshes", "%" PRIi64, GF_ATOMIC_GET(priv->refreshes));
    gf_proc_dump_write("prefetched", "%" PRIi64,
                       GF_ATOMIC_GET(priv->prefetched));
    gf_proc_dump_write("retries", "%" PRIi64, GF_ATOMIC_GET(priv->retries));
    status_drop(&st, &reg);
    return 0;
}

static void
dump_metrics_work(xlator_t *this, int fd, const struct status_brick *s)
{
    const struct {
        const char *name;
        uint64_t value;
    } list[] = {
        {"failing", s->failing},
        {"changes", s->changes},
        {"flaps", s->flaps},
        {"reads", s->work.ops[ALLOT_WORK_READ]},
        {"writes", s->work.ops[ALLOT_WORK_WRITE]},
        {"calls", s->work.ops[ALLOT_WORK_META]},
        {"errors", s->work.errors},
        {"bytes_read", s->work.bytes_read},
        {"bytes_written", s->work.bytes_written},
        {"busy_usec", s->work.busy_nsec / 1000},
        {"latency_usec", s->work.latency_nsec / 1000},
    };
    size_t i = 0;

    for (i = 0; i < sizeof(list) / sizeof(list[0]); i++)
        dprintf(fd, "%s.brick.%s.%s %" PRIu64 "\n", this->name, s->name,
                list[i].name, list[i].value);
}

static void
dump_metrics_leaves(xlator_t *this, int fd, const struct status_brick *s)
{
    struct status_leaf leaf;
    int i = 0;

    for (i = 0; status_leaf(allot_bricks_of(this), s, i, &leaf); i++) {
        const struct {
            const char *name;
            uint64_t value;
        } list[] = {
            {"usable",
             leaf.state == ALLOT_BRICK_UP || leaf.state == ALLOT_BRICK_FAILING},
            {"failing", leaf.state == ALLOT_BRICK_FAILING},
            {"failures", leaf.failures},
            {"changes", leaf.changes},
            {"flaps", leaf.flaps},
            {"errors", leaf.errors},
        };
        size_t k = 0;

        for (k = 0; k < sizeof(list) / sizeof(list[0]); k++)
            dprintf(fd, "%s.leaf.%s.%s %" PRIu64 "\n", this->name, leaf.name,
                    list[k].name, list[k].value);
    }
}

int32_t
allot_dump_metrics(xlator_t *this, int fd)
{
    struct allot_registry reg;
    struct status_brick *s = NULL;
    struct status st;
    int i = 0;

    if (!allot_priv(this) || !allot_priv(this)->bricks)
        return 0;
    if (status_take(this, &st, &reg, NULL))
        return -1;
    dprintf(fd, "%s.active %d\n", this->name, allot_bricks_active(this));
    dprintf(fd, "%s.max_over_mean %.6f\n", this->name, st.max_over_mean);
    for (i = 0; i < st.count; i++) {
        s = &st.bricks[i];
        dprintf(fd, "%s.brick.%s.usable %d\n", this->name, s->name, s->usable);
        dprintf(fd, "%s.brick.%s.used_bytes %" PRIu64 "\n", this->name, s->name,
                s->used_bytes);
        dprintf(fd, "%s.brick.%s.deviation %.6f\n", this->name, s->name,
                status_deviation(&st, s));
        dprintf(fd, "%s.brick.%s.failures %" PRIu64 "\n", this->name, s->name,
                s->failures);
        dump_metrics_work(this, fd, s);
        dump_metrics_leaves(this, fd, s);
    }
    status_drop(&st, &reg);
    return 0;
}
