/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-bricks.h - the data subvolumes: who they are (identity, registry), how
 * they are (up, down, full, blank, lost, draining), since when, how full, and
 * which of them a new extent should use.
 *
 * Readers take an immutable snapshot under RCU and never keep a pointer into
 * it past the read section; a read section is never held over a wind.
 */
#ifndef ALLOT_BRICKS_H
#define ALLOT_BRICKS_H

#include "allot.h"

#define ALLOT_IDX_NONE UINT16_MAX

enum allot_brick_state {
    ALLOT_BRICK_DOWN = 0,   /* not connected */
    ALLOT_BRICK_CONNECTING, /* connected, handshake under way */
    ALLOT_BRICK_UP,         /* usable */
    ALLOT_BRICK_FULL,       /* usable, below min-free: not preferred */
    ALLOT_BRICK_DRAINING,   /* usable, gets no new data (administrator) */
    ALLOT_BRICK_BLANK,      /* connected, but without its identity */
    ALLOT_BRICK_LOST,       /* declared lost by the administrator */
    ALLOT_BRICK_FOREIGN,    /* of another volume, a duplicate, or no guard */
    ALLOT_BRICK_FAILING, /* usable, gets no new data: its calls fail or hang */
};

/* One data subvolume as the snapshot shows it. */
struct allot_brick_view {
    xlator_t *xl;
    uint16_t idx; /* registry index; ALLOT_IDX_NONE if not registered */
    enum allot_brick_state state;
    uint32_t epoch; /* grows with every connection */
    uint64_t since; /* allot_bricks_version() of the first table with it */
    gf_boolean_t below_ns; /* also a descendant of the namespace */
    gf_boolean_t is_set;   /* cut by allot_cut_on_set() */
    gf_boolean_t degraded; /* a set that misses a brick */
};

/** allot_bricks_init - find the data subvolumes of the graph; no winds.
 * 0, or -1 with a log line (duplicates, features/shard below, none). */
int
allot_bricks_init(xlator_t *this);

/** allot_bricks_fini - stop timers, wait for RCU, free. */
void
allot_bricks_fini(xlator_t *this);

/** allot_bricks_notify - the translator's notify(): PARENT_UP/DOWN to the
 * namespace and to data subvolumes not below it; CHILD_UP upward when the
 * namespace is up and every data subvolume has answered (or after 10 s). */
int
allot_bricks_notify(xlator_t *this, int32_t event, void *data);

/** allot_brick_get - the view of the brick with registry index @idx
 * Copies it; 0, or -ENOENT if no subvolume has this index (then @view says
 * ALLOT_BRICK_LOST for a retired index, else ALLOT_BRICK_DOWN). Any context. */
int
allot_brick_get(xlator_t *this, uint16_t idx, struct allot_brick_view *view);

/** allot_brick_usable - may data be read from and written to it. */
static inline gf_boolean_t
allot_brick_usable(const struct allot_brick_view *view)
{
    return view->state == ALLOT_BRICK_UP || view->state == ALLOT_BRICK_FULL ||
           view->state == ALLOT_BRICK_DRAINING ||
           view->state == ALLOT_BRICK_FAILING;
}

/** allot_bricks_usable_all - the views of all usable bricks, registered ones
 * only. @views has room for @cap. Returns how many. Any context. */
int
allot_bricks_usable_all(xlator_t *this, struct allot_brick_view *views,
                        int cap);

/**
 * allot_bricks_choose - members for a new extent
 * Ordered from least to most used per weight by the running ledger. Preferred:
 * up, not full, not draining; if there is none, full ones are taken too, and
 * if there is none of these either, failing ones.
 * @width: at most so many; @members: room for them (weights quantised)
 * Returns how many (0: none is usable), or -ENOTCONN when the registry is not
 * active. Any context.
 */
int
allot_bricks_choose(xlator_t *this, uint32_t width,
                    struct allot_member *members);

/** allot_bricks_preferred - is @idx up, neither full nor draining. */
gf_boolean_t
allot_bricks_preferred(xlator_t *this, uint16_t idx);

/** allot_bricks_preferred_count - how many bricks are preferred now. */
int
allot_bricks_preferred_count(xlator_t *this);

/** allot_bricks_version - a number that changes whenever a state, the set of
 * members or a fullness mark changes. Never 0. Any context. */
uint64_t
allot_bricks_version(xlator_t *this);

/** allot_bricks_changed_msec - allot_now_msec() when that last changed. */
uint64_t
allot_bricks_changed_msec(xlator_t *this);

/** allot_bricks_account - the ledger: @bytes more (or fewer) were allocated on
 * @idx by this client. Lock-free. Any context. */
void
allot_bricks_account(xlator_t *this, uint16_t idx, int64_t bytes);

/** allot_bricks_full - a write on @idx met ENOSPC: take it as full at once and
 * refresh its statfs. Any context. */
void
allot_bricks_full(xlator_t *this, uint16_t idx);

/** allot_bricks_active - is the registry active and the data usable: may
 * files be spread now. */
gf_boolean_t
allot_bricks_active(xlator_t *this);

/** allot_bricks_inline_limit - the volume's inline limit: the registry's, or
 * the option's while there is none. Bytes. */
uint32_t
allot_bricks_inline_limit(xlator_t *this);

/** allot_bricks_complete - is everybody here: every brick of the registry that
 * was not declared lost, every leaf of every set. Takes the lock. */
gf_boolean_t
allot_bricks_complete(xlator_t *this);

/** allot_bricks_listing_incomplete - is a namespace brick down or blank that
 * nothing replicates, so that a listing may miss names. */
gf_boolean_t
allot_bricks_listing_incomplete(xlator_t *this);

/** allot_bricks_adopt - give the blank subvolume @name a new identity and index
 * In a synctask. Returns 0, -ENOENT (no such subvolume), -EINVAL (not blank),
 * -ENOTCONN, -EAGAIN (somebody else holds the registry's lock). */
int
allot_bricks_adopt(xlator_t *this, const char *name);

/** allot_bricks_set - set the administrator's state of subvolume @name, or of a
 * brick of that name in the registry that no subvolume is (it was discarded)
 * @state: enum allot_admin_state
 * In a synctask. Returns 0, -ENOENT (no such brick), -EINVAL (not registered,
 * or draining for one that is not there), -EBUSY (lost is for a brick that
 * serves no data), -ENOTCONN (less than half of the bricks are here), -EAGAIN
 * (somebody else holds the registry's lock), -EIO. */
int
allot_bricks_set(xlator_t *this, const char *name, uint8_t state);

/** allot_brick_state_name - "up", "down", ... for people and JSON. */
const char *
allot_brick_state_name(enum allot_brick_state state);

/* allot-gone.c */

/** allot_gone_done - the portions of @nonce of the base @gfid, which has no
 * name any more, are removed from every brick: the guards are told so soon. Any
 * context. */
void
allot_gone_done(xlator_t *this, const uuid_t gfid, uint64_t nonce);

/* allot-statfs.c */

/** allot_statfs - the fop: sums over the data subvolumes, each once. */
int32_t
allot_statfs(call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *xdata);

/* allot-status.c: what a client knows of the volume, no walk, no wind */

/** allot_status_json - the document of glusterfs.allot.status
 * @pending: what bricks of sets know of heals, as allot_heals_ask() says it;
 *     may be NULL
 * Malloc'ed, NUL-terminated, the caller frees with free(); NULL: no memory. */
char *
allot_status_json(xlator_t *this, const int8_t *pending);

int32_t
allot_dump_priv(xlator_t *this);
int32_t
allot_dump_metrics(xlator_t *this, int fd);

/** allot_warnings_set - take in what the volgen filter says, in init and
 * reconfigure. No memory: it is not shown. */
void
allot_warnings_set(xlator_t *this, dict_t *options);

void
allot_warnings_free(struct allot_priv *priv);

struct json_t;

/** allot_warnings_json - allot-warnings.c: an array of sentences for the
 * administrator; a new reference, NULL: no memory. */
struct json_t *
allot_warnings_json(xlator_t *this);

/** allot_now_msec - the monotonic clock in milliseconds. */
uint64_t
allot_now_msec(void);

#endif /* ALLOT_BRICKS_H */
