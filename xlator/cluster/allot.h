/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot.h - what the files of cluster/allot have in common: the translator's
 * private structure, options, memory types, small helpers.
 *
 * Deliberately not here: per-inode state (allot-inode.h), brick tracking
 * (allot-bricks.h), parallel synchronous calls (allot-fan.h), protocols
 * (allot-proto.h).
 */
#ifndef ALLOT_H
#define ALLOT_H

#include "allot-compat.h"
#include <glusterfs/call-stub.h>
#include <glusterfs/defaults.h>
#include <glusterfs/logging.h>
#include <glusterfs/statedump.h>
#include <glusterfs/syncop.h>
#include "allot-codec.h"

#include "allot-messages.h"
#include "allot-wire.h"

enum allot_mem_types {
    allot_mt_priv = gf_common_mt_end + 1,
    allot_mt_inode,
    allot_mt_fd,
    allot_mt_rec,
    allot_mt_local,
    allot_mt_bricks,
    allot_mt_calls,
    allot_mt_misc,
    allot_mt_end,
};

/* Options as a running graph sees them. Written by init and reconfigure only;
 * each field is read on its own, so that no lock is needed. */
struct allot_options {
    uint32_t inline_limit; /* bytes, a multiple of 4096; seeds the registry */
    gf_boolean_t inline_given; /* somebody has set it */
    uint8_t block_shift;       /* block size = 1 << block_shift */
    uint32_t width;            /* most members of an extent */
    double min_free;           /* percent of a brick below which it is full */
    uint64_t prefetch;         /* most bytes to read ahead of a stream */
    uint32_t failing_errors; /* errors in a row of a failing brick; 0: never */
    uint32_t failing_hold;   /* seconds */
    uint32_t stall_timeout;  /* seconds; 0: never */
    gf_boolean_t strict_readdir;
    int ns_kind;    /* what option namespace says, -1: not set */
    char *rejected; /* owned; what the volgen filter says, allot-warnings.c; */
    char *beside;   /* ... both guarded by bricks->lock */
    char *volume_name; /* owned; NULL: not given; set by init, then constant */
    uint64_t stops;    /* for tests, allot-stop.h; changed atomically */
};

struct allot_intern; /* allot-intern.h */
struct allot_bricks; /* allot-bricks.h */

/* The pid of calls that must count as GlusterFS's own, as negative ones do:
 * features/locks holds back an unlink while an inodelk of an ordinary client is
 * held, features/read-only refuses changes of ordinary clients. */
#define ALLOT_LOCK_PID (-640)

/* Generations of which a call's xdata is shared by all files. Most files never
 * get past a few. */
#define ALLOT_SHARED_GENS 64

struct allot_priv {
    xlator_t *ns;               /* the namespace: first subvolume */
    int ns_kind;                /* enum allot_ns_kind, from its type */
    gf_boolean_t ns_replicated; /* there is a set in it, at any depth */
    gf_boolean_t ns_dispersed;  /* ... a disperse set */
    gf_boolean_t times_kept;    /* features/utime is above us */
    gf_boolean_t pass_through;  /* one data subvolume only: nothing to share */
    struct allot_options opt;
    struct allot_bricks *bricks; /* data subvolumes and their states */
    struct allot_intern *intern; /* layouts in use, allot-intern.h */
    dict_t *client_xdata;        /* { allot.client }: shared, never changed */
    dict_t *record_xdata;        /* asks for the record: as well */
    /* [g] is { allot.gen = g }: as well */
    dict_t *gen_xdata[ALLOT_SHARED_GENS];

    /* Directories whose glusterfs.allot.children is to be gone on with,
     * allot-children.c. */
    gf_lock_t listings_lock;
    struct list_head listings;
    uint32_t listings_kept;
    uint64_t listings_token;

    gf_atomic_t prefetched; /* bytes of chunks that exist, allot-prefetch.c */

    /* Counters for status, .meta, statedump and tests. */
    gf_atomic_t grows, appends, settles, truncates, publishes, publish_lost,
        fences, glimpses, refreshes, retries;
};

/* A label that is only here to keep the pointers' casts in one place. */
static inline struct allot_priv *
allot_priv(xlator_t *this)
{
    return this->private;
}

/** allot_errno - the errno that a user may see: what the guard and the
 * protocols say among themselves is EIO to others. */
static inline int
allot_errno(int err)
{
    return err == ALLOT_ERR_OLD || err == ALLOT_ERR_BEHIND || err == ENODATA
               ? EIO
               : err;
}

/* allot-options.c ---------------------------------------------------------- */

extern struct volume_options allot_volume_options[];

/** allot_options_init - read and check all options at init
 * Logs one sentence with option, value and range, returns -1 on a bad one. */
int
allot_options_init(xlator_t *this);

/** allot_options_reconf - the same for a live change; on a bad value nothing
 * is changed and -1 is returned. */
int
allot_options_reconf(xlator_t *this, dict_t *options);

/* allot-xdata.c ------------------------------------------------------------ */

/** allot_xdata_with_gen - caller's xdata (may be NULL) plus allot.gen.
 * Returns a new reference to a private copy, or NULL for no memory. */
dict_t *
allot_xdata_with_gen(xlator_t *this, dict_t *xdata, uint64_t gen);

/** allot_xdata_to_read - the same for calls that change nothing, to which
 * nobody below adds a key (distribute adds one to writes while a file moves).
 * Not to be changed: it may be shared. */
dict_t *
allot_xdata_to_read(xlator_t *this, dict_t *xdata, uint64_t gen);

/** allot_xdata_with_record_req - caller's xdata (may be NULL) plus a request
 * for the record in the answer. New reference to a private copy, or NULL. */
dict_t *
allot_xdata_with_record_req(xlator_t *this, dict_t *xdata);

/** allot_xdata_gen - { allot.gen = @gen }, not to be changed. New reference, or
 * NULL for no memory. */
dict_t *
allot_xdata_gen(xlator_t *this, uint64_t gen);

/** allot_xdata_internal - { allot.client, internal-fop }, a new dict. The
 * internal-fop key lets metadata calls through a full brick's reserve. */
dict_t *
allot_xdata_internal(void);

/** allot_loc_of_inode - a loc that names an inode by gfid alone
 * Takes a reference on @inode; loc_wipe() it. */
void
allot_loc_of_inode(loc_t *loc, inode_t *inode);

/** allot_children_init, _close - allot-children.c: the listings that wait;
 * close ends them, and others may come after. */
void
allot_children_init(struct allot_priv *priv);
void
allot_children_close(struct allot_priv *priv);

/** allot_refuse_init - allot-refuse.c: true: this one only refuses, and has no
 * private structure. */
gf_boolean_t
allot_refuse_init(xlator_t *this);

#endif /* ALLOT_H */
