/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-bricks-impl.h - what the files of brick tracking share. Everybody else
 * uses allot-bricks.h.
 *
 *   allot-events.c      notify(): what comes from children and parents, what
 *                       goes up
 *   allot-handshake.c   asks a data subvolume who it is and how full it is
 *   allot-registry.c    from the answers to states: decides, calls nobody
 *   allot-register.c    changes the registry on the bricks, under its lock
 *   allot-sets.c        leaves: which bricks a set stands on, what they make of
 *                       its state
 *   allot-bricks.c      the graph walk, the snapshot, its readers
 *   allot-gone.c        asks the guards for removed files, and removes what is
 *                       left of them
 *   allot-health.c      counts of each brick's work, the circuit breaker
 *   allot-health-leaves.c  the disk of each brick of a set
 *   allot-bricks-choose.c  the ledger, weights, which bricks a new extent takes
 *
 * One mutex, allot_bricks.lock, guards everything here that is not atomic. It
 * is never held over a wind or a notify. Data fops do not take it: they read
 * the snapshot under RCU.
 */
#ifndef ALLOT_BRICKS_IMPL_H
#define ALLOT_BRICKS_IMPL_H

#include "allot-bricks.h"
#include "allot-health.h"
#include <glusterfs/timer.h>
#include <pthread.h>
#include <urcu-bp.h>

/* What the last handshake on the present connection said. */
enum allot_hs_kind {
    ALLOT_HS_NONE = 0, /* no answer yet */
    ALLOT_HS_NO_GUARD, /* answered that it knows no such key */
    ALLOT_HS_BAD,      /* an answer that cannot be used */
    ALLOT_HS_OK,
};

/* One brick: what has a guard, an identity and a copy of the registry. A plain
 * data subvolume is its own and only leaf; a set has one for each of its
 * bricks. Lives as long as the graph. */
struct allot_leaf {
    /* Set by init, then constant. */
    xlator_t *xl;
    struct allot_child *child; /* whose leaf it is */
    int number;                /* which of the child's, from 0 */
    gf_boolean_t arbiter;      /* keeps names and marks, no data */
    gf_boolean_t network;      /* has a protocol/client: sends CHILD_DOWN */
    char *host;                /* NULL: not known */
    char *path;                /* NULL: not known */

    /* Guarded by allot_bricks.lock. */
    gf_boolean_t connected;
    gf_boolean_t answered; /* up and evaluated, or down: once since init */
    uint32_t epoch;        /* grows with every connection */
    uint32_t hs_serial;    /* the handshake under way; 0: none */
    enum allot_hs_kind hs_kind;
    struct allot_handshake hs;    /* its registry is owned; valid if HS_OK */
    enum allot_brick_state state; /* of the brick alone */
    const char *why;              /* a constant text for people, or NULL */
    time_t since;
    uint64_t failures; /* times it stopped being usable */

    /* Of a brick of a set only: allot-health-leaves.c. */
    struct allot_health health; /* failing, hold, flaps */
    uint64_t probe_msec;   /* when the probe went out that is under way, or when
                              the next one is due */
    uint32_t probe_errors; /* of the disk, in a row */
    gf_boolean_t read_only; /* to clients, at least: then the disk is probed as
                               GlusterFS's own processes see it */
};

enum allot_set_kind {
    ALLOT_SET_NONE = 0, /* a plain brick */
    ALLOT_SET_REPLICATE,
    ALLOT_SET_ARBITER, /* replicate, its last leaf holds no data */
    ALLOT_SET_DISPERSE,
};

/* One data subvolume: lives as long as the graph. */
struct allot_child {
    /* Set by init, then constant. */
    xlator_t *xl;
    gf_boolean_t below_ns;  /* also a descendant of the namespace */
    gf_boolean_t sole_name; /* names on it have no copy elsewhere */
    enum allot_set_kind kind;
    struct allot_leaf *leaves; /* in the order of the set's subvolumes */
    int leaf_count;            /* 1 for a plain brick */
    int quorum;    /* leaves that must be usable; 0: half of them will do if the
                      first is among them (replicate's quorum-type auto);
                      disperse: the fragments, or its quorum-count */
    int fragments; /* disperse: so many of them make a stripe */

    /* Guarded by allot_bricks.lock. */
    gf_boolean_t connected; /* the subvolume says so: it can be called */
    gf_boolean_t heard;     /* it has said up or down since init */
    uint32_t epoch;
    gf_boolean_t anonymous;  /* no leaf shows an identity */
    gf_boolean_t identified; /* leaves show one of this volume: uuid */
    gf_boolean_t reshaped;   /* they do, but all of other places: uuid, too */
    uint8_t uuid[16];
    uint8_t known_uuid[16]; /* the identity last seen; zero: none */
    enum allot_brick_state state;
    const char *why; /* a constant text for people, or NULL */
    uint16_t idx;
    time_t since;
    uint64_t failures; /* times it stopped being usable */

    /* Ledger; guarded by allot_bricks.lock but for own_bytes. */
    gf_atomic_t own_bytes; /* allocated by this client since init */
    gf_boolean_t statfs_busy;
    gf_boolean_t statfs_known;
    uint64_t statfs_msec;    /* when the last one was asked, monotonic */
    int64_t own_at_statfs;   /* own_bytes then */
    uint64_t capacity_bytes; /* of the file system below */
    uint64_t fs_used_bytes;
    uint64_t avail_bytes;
    uint64_t fsid;
    gf_boolean_t full;
    uint32_t option_weight; /* option weights NAME=N; 0: not named */
    uint8_t weight;         /* as an extent would take it now */

    struct allot_health health; /* has its own rules: allot-health.h */
};

/* What readers see; immutable once published. */
struct allot_snap {
    struct rcu_head rcu;
    gf_boolean_t active;
    uint32_t inline_limit; /* bytes; 0 and !known: see option */
    gf_boolean_t inline_known;
    gf_boolean_t listing_incomplete;
    gf_boolean_t unmatched; /* a subvolume without an index exists */
    uint16_t next_index;
    int preferred_count;
    int count;
    struct allot_brick_view *views; /* one per data subvolume, by position */
    struct allot_child **children;  /* the same order */
    int32_t *position;              /* index -> position, -1; next_index long */
};

enum allot_weights_mode {
    ALLOT_WEIGHTS_CAPACITY = 0,
    ALLOT_WEIGHTS_EQUAL,
    ALLOT_WEIGHTS_NAMED,
};

struct allot_bricks {
    xlator_t *this;
    pthread_mutex_t lock;
    pthread_cond_t idle; /* busy became 0 */
    int count;
    struct allot_child *children;
    int leaf_count;
    struct allot_leaf *leaves; /* of all children, in their order */
    int paths;                 /* ways from us down to a leaf */
    gf_boolean_t ns_network;   /* a protocol/client below the namespace */
    gf_boolean_t dispersed;    /* there are disperse sets; constant */
    inode_table_t *itable;     /* for the root alone; made at first use */
    struct allot_snap *snap;   /* RCU */
    gf_atomic_t version;
    gf_atomic_t changed_msec; /* allot_now_msec() at its last change */

    struct allot_registry reg; /* version 0: none known */
    gf_boolean_t volume_fixed; /* all have answered once: the volume stays */
    const char *inactive_why;
    gf_boolean_t names_wrong; /* the graph keeps names in another way than the
                                 volume: nobody may reach them through it */
    gf_boolean_t below_shut;  /* PARENT_DOWN has gone down, for that reason */
    gf_boolean_t inline_told; /* logged once: option inline-limit is ignored */
    gf_boolean_t orphaned_told; /* logged once: identities without registry */
    enum allot_weights_mode weights_mode;

    /* Work under way: winds, timers and tasks that will come back. */
    int busy;
    gf_boolean_t stopping;
    gf_boolean_t task_running;
    gf_boolean_t register_tried; /* at least one attempt has ended */
    uint32_t serial;             /* of handshakes */
    uint32_t retry_msec;         /* the next back-off */
    gf_timer_t *up_timer;
    gf_timer_t *slow_timer;
    gf_timer_t *retry_timer;
    uint64_t tick_nsec;  /* the last allot_health_tick() */
    uint32_t ticks;      /* of the slow timer */
    uint32_t asked_next; /* allot_handshake_next()'s turn */
    /* allot-gone.c: what the guards need not remember any more. */
    struct allot_gone *gone_done;
    int gone_done_count;
    gf_boolean_t gone_running; /* its task is */
    uint64_t asked_msec; /* when an unknown index last made us ask again */

    /* Events. */
    gf_boolean_t ns_up;
    gf_boolean_t ns_heard;
    gf_boolean_t parent_down;
    gf_boolean_t up_timed_out;
    gf_boolean_t event_sending;
    int32_t event_sent; /* GF_EVENT_CHILD_UP, _DOWN, or -1 */
};

static inline struct allot_bricks *
allot_bricks_of(xlator_t *this)
{
    return allot_priv(this)->bricks;
}

/* allot-bricks.c ------------------------------------------------------------
 */

/** allot_bricks_child_of - the data subvolume @xl, or NULL. */
struct allot_child *
allot_bricks_child_of(struct allot_bricks *b, const xlator_t *xl);

typedef gf_boolean_t (*allot_graph_match_fn)(const xlator_t *xl,
                                             const void *arg);

/** allot_graph_is, allot_graph_is_type - is @xl the one @arg points to; is its
 * type the text @arg, also where an uninstalled build is loaded by a path. */
gf_boolean_t
allot_graph_is(const xlator_t *xl, const void *arg);
gf_boolean_t
allot_graph_is_type(const xlator_t *xl, const void *arg);

/** allot_graph_find - @xl itself or the first below it that matches, or NULL.
 */
xlator_t *
allot_graph_find(xlator_t *xl, allot_graph_match_fn match, const void *arg);

/** allot_bricks_refuse - log why the graph cannot start; returns -1. */
int
allot_bricks_refuse(xlator_t *this, const char *name, const char *text);

/** allot_child_answered_locked - is it known once how @c is. */
gf_boolean_t
allot_child_answered_locked(const struct allot_child *c);

/** allot_bricks_publish_locked - make a snapshot of what is known and publish
 * it if it differs from the present one. No memory: the old one stays. */
void
allot_bricks_publish_locked(struct allot_bricks *b);

/** allot_bricks_root - a loc for the root in a table of our own
 * 0 or -ENOMEM; loc_wipe() it. Not with the lock held. */
int
allot_bricks_root(struct allot_bricks *b, loc_t *loc);

/** allot_bricks_busy_locked - one more thing under way; false when stopping:
 * then do not start it. */
gf_boolean_t
allot_bricks_busy_locked(struct allot_bricks *b);

/** allot_bricks_idle - it came back. Takes the lock. The last thing the
 * caller does with @b. */
void
allot_bricks_idle(struct allot_bricks *b);

/* allot-bricks-choose.c ------------------------------------------------------
 */

/** allot_ledger_used_locked - bytes in use on the brick as far as this client
 * knows: statfs plus what it wrote since. */
uint64_t
allot_ledger_used_locked(struct allot_bricks *b, struct allot_child *c);

/** allot_ledger_capacity_locked - the brick's part of its file system. */
uint64_t
allot_ledger_capacity_locked(struct allot_bricks *b, struct allot_child *c);

/** allot_ledger_weights_locked - recompute every child's weight. */
void
allot_ledger_weights_locked(struct allot_bricks *b);

/** allot_ledger_full_locked - apply min-free with its hysteresis. */
void
allot_ledger_full_locked(struct allot_bricks *b, struct allot_child *c);

/** allot_ledger_store_locked - take in a statfs of @c that was asked when
 * own_bytes was @own. Does not evaluate states. */
void
allot_ledger_store_locked(struct allot_bricks *b, struct allot_child *c,
                          const struct statvfs *buf, int64_t own);

/** allot_ledger_refresh - ask for statfs those that were not asked for
 * @age_msec. Winds; no lock held. */
void
allot_ledger_refresh(xlator_t *this, uint64_t age_msec);

/* allot-sets.c ---------------------------------------------------------------
 */

/** allot_watched - is @xl named by option watch: it carries no data of its own.
 * For the walk over the graph at init. */
gf_boolean_t
allot_watched(xlator_t *this, const xlator_t *xl);

/** allot_sets_init - find the leaves of every child; no winds
 * 0, or -1 with a log line (a set whose leaves are not watched, option watch
 * names something else). Owns what it makes: allot_sets_fini(). */
int
allot_sets_init(xlator_t *this, struct allot_bricks *b);
void
allot_sets_fini(struct allot_bricks *b);

/** allot_bricks_leaf_of - the leaf @xl, or NULL. */
struct allot_leaf *
allot_bricks_leaf_of(struct allot_bricks *b, const xlator_t *xl);

/** allot_sets_identify_locked - from the handshakes of the leaves: who is each
 * child, and the state of every leaf. */
void
allot_sets_identify_locked(struct allot_bricks *b);

/** allot_set_state_locked - the state of @c as far as its leaves decide
 * ALLOT_BRICK_UP: enough of them are usable. @why as in struct allot_child. */
enum allot_brick_state
allot_set_state_locked(const struct allot_child *c, const char **why);

/** allot_set_degraded_locked - is a leaf of @c not usable. */
gf_boolean_t
allot_set_degraded_locked(const struct allot_child *c);

/** allot_set_spare_locked - how many more leaves of @c may fail, whichever they
 * are, before data on it cannot be read and written. */
int
allot_set_spare_locked(const struct allot_child *c);

/** allot_set_kind_name - "brick", "replicate", "arbiter". */
const char *
allot_set_kind_name(enum allot_set_kind kind);

/* allot-handshake.c ----------------------------------------------------------
 */

/** allot_handshake_start - ask @l who it is; the answer is evaluated when it
 * comes. One at a time on a connection. Winds; no lock held. */
void
allot_handshake_start(xlator_t *this, struct allot_leaf *l);

/** allot_handshake_store_locked - keep an answer's bytes (NULL: op_errno says
 * why there are none). */
void
allot_handshake_store_locked(struct allot_bricks *b, struct allot_leaf *l,
                             int32_t op_errno, data_t *value);

/** allot_handshake_forget_locked - no answer on this connection. */
void
allot_handshake_forget_locked(struct allot_leaf *l);

/** allot_handshake_again - ask all connected ones once more that are not
 * usable, or every one if @all. Winds; no lock held. */
void
allot_handshake_again(xlator_t *this, gf_boolean_t all);

/** allot_handshake_next - ask one more subvolume, in turn: so that a change of
 * the registry by another client is seen though all is well here. */
void
allot_handshake_next(xlator_t *this);

/* allot-registry.c -----------------------------------------------------------
 */

/* What the bricks need that this client could do. */
enum allot_need {
    ALLOT_NEED_NOTHING = 0,
    ALLOT_NEED_FORM,   /* no active registry anywhere: make one */
    ALLOT_NEED_JOIN,   /* subvolumes that are not in it yet */
    ALLOT_NEED_UPDATE, /* an old copy somewhere */
};

/** allot_ns_kind_name - "distribute", ... for people and JSON.
 * @kind: enum allot_ns_kind, or anything: "other" */
const char *
allot_ns_kind_name(int kind);

/** allot_registry_copy - a deep copy; 0 or -ENOMEM (then @to is empty). */
int
allot_registry_copy(struct allot_registry *to,
                    const struct allot_registry *from);

/** allot_registry_evaluate_locked - from handshakes and connections to
 * registry and states; publishes. */
void
allot_registry_evaluate_locked(struct allot_bricks *b);

/** allot_registry_inline_ignored_locked - option inline-limit was given, and
 * the volume was registered with another one, which stays. */
gf_boolean_t
allot_registry_inline_ignored_locked(const struct allot_bricks *b);

/** allot_registry_joinable_locked - with an active registry: is @c a new
 * subvolume that can be registered. */
gf_boolean_t
allot_registry_joinable_locked(struct allot_bricks *b, struct allot_child *c);

/** allot_registry_behind_locked - with an active registry: has @l, a brick of
 * the volume, an older copy of it. */
gf_boolean_t
allot_registry_behind_locked(struct allot_bricks *b,
                             const struct allot_leaf *l);

/** allot_registry_need_locked - after an evaluation: what is to be done. */
enum allot_need
allot_registry_need_locked(struct allot_bricks *b);

/* allot-register.c -----------------------------------------------------------
 */

/** allot_register_stop_locked - no more retries. */
void
allot_register_stop_locked(struct allot_bricks *b);

/** allot_register_kick - start the task if something needs it and none runs. No
 * lock held. */
void
allot_register_kick(xlator_t *this);

/* allot-gone.c ---------------------------------------------------------------
 */

/** allot_gone_tick - once a second: if there is something to tell, or @ask, a
 * task talks to the guards. No lock held. */
void
allot_gone_tick(xlator_t *this, gf_boolean_t ask);

/* allot-events.c -------------------------------------------------------------
 */

/** allot_events_settle - after any change: send upward what is due. No lock
 * held. */
void
allot_events_settle(xlator_t *this);

#endif /* ALLOT_BRICKS_IMPL_H */
