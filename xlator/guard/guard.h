/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard.h - what the files of user/allot, the guard, have in common.
 *
 * The guard stands in a brick's stack, above features/locks. It keeps the
 * generation of every base file and portion of the brick in memory and lets a
 * data fop pass only if the caller believes the same one; it makes publish and
 * fence atomic steps; it hides "/.allot"; and while the brick has no identity
 * it serves nobody but allot itself.
 *
 *     fop --> identity --> hiding --> gate (generation) --> child
 *             ENOTCONN     ENOENT     OLD, BEHIND, EPERM,
 *                          EPERM      EIO, or wait
 *
 * Deliberately not here: any idea of layouts, sizes or members. The guard
 * reads gen, seq and "has extents" from a record, and gen from a portion.
 */
#ifndef GUARD_H
#define GUARD_H

#include "allot-compat.h"
#include <glusterfs/call-stub.h>
#include <glusterfs/defaults.h>
#include <glusterfs/logging.h>
#include <glusterfs/statedump.h>
#include "allot-codec.h"
#include "allot-wire.h"
#include "guard-messages.h"

enum guard_mem_types {
    guard_mt_priv = gf_common_mt_end + 1,
    guard_mt_inode,
    guard_mt_bytes,
    guard_mt_gone,
    guard_mt_share,
    guard_mt_names,
    guard_mt_refusals,
    guard_mt_making,
    guard_mt_after,
    guard_mt_end,
};

enum guard_kind {
    GUARD_KIND_UNKNOWN = 0, /* the disk has not been asked yet */
    GUARD_KIND_BASE,        /* a regular file, with a record or without */
    GUARD_KIND_PORTION,     /* has trusted.allot.portion */
    GUARD_KIND_OTHER,       /* not a regular file: nothing to guard */
};

/* One xattr of the root, as it lies on disk. */
struct guard_blob {
    uint8_t *bytes; /* owned; NULL: there is none */
    size_t len;     /* bytes */
};

/* What is in the log of a client's refused calls; guarded by the priv's lock.
 */
struct guard_refusals {
    time_t since;   /* when its lines were last counted from 0 */
    uint32_t lines; /* since then */
    uint64_t more;  /* calls since then that have no line */
};

struct guard_priv {
    gf_atomic_t partings;       /* calls that took a name from a file, ended */
    gf_lock_t lock;             /* leaf; guards id, registry, logged_at and all
                                   refusals */
    struct guard_blob id;       /* trusted.allot.brick, decodes */
    struct guard_blob registry; /* trusted.allot.registry, not looked into */
    time_t logged_at;           /* last refusal logged without an inode */
    struct guard_refusals refusals; /* of callers without a connection */

    gf_atomic_t serving;        /* 1: the brick has an identity */
    gf_atomic_t leaf_of_set;    /* 1: ... of a leaf of a set */
    gf_atomic_t dispersed;      /* 1: ... of a disperse set, by its xattrs */
    gf_boolean_t heal_portions; /* option; written by init and reconfigure */
    inode_table_t *itable;      /* only for a root inode to read identity by */
    const char *disk;           /* guard_portions_disk(); set by init */
    uint64_t *right;            /* guard-portions.c; atomic; NULL: none yet */
    data_t *zero;               /* the value of keys in requests, shared */
    gf_atomic_t leaf; /* place of the storage among the graph's leaves, -1:
                         not asked for yet (guard-list.c) */

    /* Counters for statedump, .meta and tests. */
    gf_atomic_t served;          /* data fops that passed */
    gf_atomic_t refused_old;     /* ... of an older generation */
    gf_atomic_t behind;          /* ... of a newer one than ours */
    gf_atomic_t refused_foreign; /* calls without the right key */
    gf_atomic_t refused_damaged; /* data fops on a damaged record or portion */
    gf_atomic_t publishes;       /* publishes that succeeded */
    gf_atomic_t publish_lost;    /* publishes that lost the compare-and-swap */
    gf_atomic_t fences;          /* portions raised */
    gf_atomic_t fills;           /* states read because a lookup gave none */
    gf_atomic_t queued;          /* fops that had to wait */
    gf_atomic_t early;           /* reads ahead of a stream */
    gf_atomic_t gone;            /* files in the list of guard-gone.c, now */
    gf_atomic_t gone_forgotten;  /* left the list because it was full */
    gf_atomic_t half_made;       /* lookups that waited, guard-making.c */

    /* guard-gone.c; a leaf but for inode_find(). */
    gf_lock_t gone_lock;
    struct list_head *gone_buckets; /* struct guard_gone, by gfid */
    struct list_head gone_order;    /* the same, longest not looked at first */
    uint64_t gone_serial;

    /* guard-making.c; a leaf. */
    gf_lock_t making_lock;
    struct list_head making; /* struct guard_making */
};

/*
 * What the guard knows of one regular file. Made when a lookup, a create or a
 * fop meets the file, freed by forget.
 *
 *   unknown --lookup, create, fill--> base | portion | other
 *   base, portion --raw change by self-heal--> unknown
 *
 * Everything is guarded by lock, which is a leaf: nothing winds under it.
 */
struct guard_inode {
    gf_lock_t lock;
    inode_t *inode; /* the inode this belongs to; no reference */
    enum guard_kind kind;
    gf_boolean_t damaged;     /* the xattr does not decode: EIO */
    gf_boolean_t has_extents; /* base: the record has extents */
    gf_boolean_t closed;      /* portion: about to be cut by its set */
    uint64_t gen;             /* of the record or portion; 0: no record */
    uint64_t seq;             /* of the record; 0: no record */
    uint32_t crc;             /* of the record as it is encoded; 0: no record */
    uint64_t size;            /* of the record, at least 1 if DIRTY: what is
                                 shown to strangers, guard-size.c */
    uint64_t nonce;           /* of its portions; 0: no extents */
    uint64_t uncut;       /* base: the mark of who wrote it last and means to
                             publish, ALLOT_KEY_UNCUT; 0: none, or it was
                             cut since */
    gf_boolean_t unnamed; /* base: a name of it was removed, the last one
                             perhaps */
    uint32_t opening;     /* opens under way of what may be a spread base,
                             until their fd counts */
    uint32_t parting;     /* calls under way that take a name from it */
    uint64_t parted; /* guard_priv.partings when the last one ended; 0: none */

    /* Hints about streams, see guard-stream.c. */
    uint64_t extended;  /* a write up to here needs no allocation; 0 again when
                           the portion may have been cut */
    uint64_t exact;     /* bytes allocated exactly so far */
    uint64_t ra_start;  /* the run of reads without a gap that came last: */
    uint64_t ra_end;    /* [ra_start, ra_end) */
    uint64_t ra_stride; /* from the start of the run before it; 0: unknown */
    gf_boolean_t ra_busy; /* an early read is under way */

    gf_boolean_t ask; /* somebody knows it newer: the disk is to be asked */

    uint32_t inflight;        /* data fops wound and not yet answered */
    gf_boolean_t barrier;     /* a publish, fence or raw change is under way */
    gf_boolean_t filling;     /* the disk is being asked for the xattrs */
    gf_boolean_t pumping;     /* a thread is running the queue */
    uint32_t exclusives;      /* of the waiting, those that need a barrier */
    struct list_head waiting; /* call_stub_t, in order of arrival */

    time_t logged_at; /* last refusal or damage logged for this file */
};

static inline struct guard_priv *
guard_priv(xlator_t *this)
{
    return this->private;
}

/** guard_keyed - does a call come from allot: it has one of its keys. */
static inline gf_boolean_t
guard_keyed(dict_t *xdata)
{
    return xdata && (dict_get_sizen(xdata, ALLOT_KEY_GEN) ||
                     dict_get_sizen(xdata, ALLOT_KEY_CLIENT));
}

/** guard_is_healer - is it self-heal's: of a client, of the daemon, or of
 * "gluster volume heal", by its pid; the daemon's full crawl begins each sweep
 * without it, and is known by the name of its process. */
static inline gf_boolean_t
guard_is_healer(call_frame_t *frame)
{
    const client_t *client = frame->root->client;

    return frame->root->pid == GF_CLIENT_PID_SELF_HEALD ||
           frame->root->pid == GF_CLIENT_PID_GLFS_HEAL ||
           (client && client->client_name &&
            strcmp(client->client_name, "glustershd") == 0);
}

/** guard_before_data - is it a call that allot changes data by, or one that a
 * disperse set makes on its own in the course of one. */
static inline gf_boolean_t
guard_before_data(call_frame_t *frame)
{
    return frame->root->pid == ALLOT_PID_DATA ||
           frame->root->pid == ALLOT_PID_DATA_ROOT;
}

/** guard_is_own - is it a call of allot, or one that a replicate or disperse
 * set made on its own in the course of one. */
static inline gf_boolean_t
guard_is_own(call_frame_t *frame)
{
    return frame->root->pid == ALLOT_PID ||
           frame->root->pid == ALLOT_PID_ROOT || guard_before_data(frame);
}

/** guard_is_root_own - ... that allot makes for itself, as root. */
static inline gf_boolean_t
guard_is_root_own(call_frame_t *frame)
{
    return frame->root->pid == ALLOT_PID_ROOT ||
           frame->root->pid == ALLOT_PID_DATA_ROOT;
}

/** guard_unsquash - a call that allot makes as root is root's again, although
 * server.root-squash has made it somebody else's: portions belong to the volume
 * and not to anybody. A pid can be forged, but so can a uid: squashing binds
 * honest clients. At the start of every fop, before it winds. */
static inline void
guard_unsquash(call_frame_t *frame)
{
    if (!guard_is_root_own(frame))
        return;
    frame->root->uid = 0;
    frame->root->gid = 0;
    frame->root->ngrps = 0;
}

/** guard_below_set - is this brick a leaf of a set. */
static inline gf_boolean_t
guard_below_set(xlator_t *this)
{
    return GF_ATOMIC_GET(guard_priv(this)->leaf_of_set) != 0;
}

/** guard_may_heal - may this caller, self-heal, see and change portions: where
 * a set heals them. */
static inline gf_boolean_t
guard_may_heal(xlator_t *this, call_frame_t *frame)
{
    return guard_is_healer(frame) &&
           (guard_priv(this)->heal_portions || guard_below_set(this));
}

/* guard-inode.c ------------------------------------------------------------ */

/** guard_inode_get - the state of @inode, made if there is none
 * NULL for no memory, or for an inode that is known not to be a regular file.
 * It lives as long as the inode. */
struct guard_inode *
guard_inode_get(xlator_t *this, inode_t *inode);

/** guard_inode_peek - the same, NULL if there is none yet. */
struct guard_inode *
guard_inode_peek(xlator_t *this, inode_t *inode);

/** guard_inode_of - the inode of @gfid, which an answer by name is about
 * @inode: found under that name before; it may have gone to another file since
 * A new reference; NULL for no memory. May be one that is not in the table. */
inode_t *
guard_inode_of(inode_t *inode, uuid_t gfid);

/** guard_inode_is_portion - is @inode known to be a portion. */
gf_boolean_t
guard_inode_is_portion(xlator_t *this, inode_t *inode);

#define GUARD_ASK_RECORD 0x1
#define GUARD_ASK_PORTION 0x2

/** guard_inode_ask - add to @req the keys of @what (GUARD_ASK_...), by which
 * storage/posix gives a file's record, its portion xattr. 0 or -ENOMEM. */
int
guard_inode_ask(xlator_t *this, dict_t *req, int what);

/** guard_inode_request - add to @req what an answer must have for
 * guard_inode_learn(). 0 or -ENOMEM. */
static inline int
guard_inode_request(xlator_t *this, dict_t *req)
{
    return guard_inode_ask(this, req, GUARD_ASK_RECORD | GUARD_ASK_PORTION);
}

/** guard_inode_is_base - is @inode known to be a file that is no portion. */
gf_boolean_t
guard_inode_is_base(xlator_t *this, inode_t *inode);

/* On every regular file of a disperse set, which asks for it in every lookup,
 * and sets it when it makes one. */
#define GUARD_XATTR_DISPERSE "trusted.ec.size"
/* On the root of a brick of one, as soon as there is a file. */
#define GUARD_XATTR_DISPERSE_ROOT "trusted.ec.version"

/** guard_dispersed - are files here fragments of a disperse set's: what was
 * seen once stays so. */
static inline gf_boolean_t
guard_dispersed(xlator_t *this)
{
    return GF_ATOMIC_GET(guard_priv(this)->dispersed) != 0;
}

/** guard_inode_learn - take in the xattrs that came with an answer
 * @gfid: for the log, the inode may not be linked yet
 * @xattr: what was read; a file without record and portion is a plain base
 * Changes nothing while a barrier is up, nor if what is known is newer. */
void
guard_inode_learn(xlator_t *this, struct guard_inode *gi, uuid_t gfid,
                  dict_t *xattr);

/** guard_inode_learn_by_gfid - the same for an answer to a stat by gfid, which
 * says nothing when it has no xattrs and the last name is going. */
void
guard_inode_learn_by_gfid(xlator_t *this, struct guard_inode *gi, uuid_t gfid,
                          dict_t *xattr);

/** guard_inode_torn - may an answer by name, to a call that was wound at
 * @partings (guard_priv.partings), be put together from two files? A name of
 * this one was taken from it meanwhile, and storage/posix reads gfid,
 * attributes and xattrs one after the other. */
gf_boolean_t
guard_inode_torn(struct guard_inode *gi, uint64_t partings);

/** guard_inode_born - @inode was created just now, by a call with @xdata. */
void
guard_inode_born(xlator_t *this, inode_t *inode, dict_t *xdata);

/** guard_inode_fill_start - read the xattrs from the disk
 * @stub: the fop that needs them: names the file by fd or loc and stays
 *     queued (so lives) until the answer
 * gi->filling is up; guard_gate_filled() is called when the answer is in. */
void
guard_inode_fill_start(xlator_t *this, struct guard_inode *gi,
                       call_stub_t *stub);

int32_t
guard_inode_forget(xlator_t *this, inode_t *inode);
int32_t
guard_inode_dump(xlator_t *this, inode_t *inode);

/* guard-gate.c ------------------------------------------------------------- */

/** guard_gate_state - one number for what decides which data calls pass: twice
 * the generation, and one for CLOSED. */
uint64_t
guard_gate_state(struct guard_inode *gi);

#define GUARD_WAIT (-1)

/**
 * guard_gate_try - may a data fop wind now
 * Returns 0: it is counted in flight, wind it and call guard_gate_leave() with
 * the answer; GUARD_WAIT: make a stub and give it to guard_gate_wait(); else
 * the errno to refuse it with. Any context.
 */
int
guard_gate_try(xlator_t *this, struct guard_inode *gi, call_frame_t *frame,
               glusterfs_fop_t fop, dict_t *xdata);

/** guard_gate_wait - queue a data fop; its stub's function winds it without
 * asking again (it is counted by then). May run it at once. May wind. */
void
guard_gate_wait(xlator_t *this, struct guard_inode *gi, call_stub_t *stub);

/** guard_gate_leave - a data fop was answered; call it before unwinding
 * Returns an inode to give to guard_gate_pump() after unwinding, or NULL. */
inode_t *
guard_gate_leave(struct guard_inode *gi);

/** guard_gate_leave_cut - the same of a call that may have made the file
 * shorter: it has no mark any more (guard_inode.uncut). */
inode_t *
guard_gate_leave_cut(struct guard_inode *gi);

/** guard_gate_pump - run what may run now; drops @inode's reference, NULL is
 * allowed. No locks held. May wind. */
void
guard_gate_pump(xlator_t *this, inode_t *inode);

/** guard_gate_exclusive - queue a publish, fence or raw change
 * guard_publish_run() is called for it when the barrier is up and all data
 * fops are answered. May wind. */
void
guard_gate_exclusive(xlator_t *this, struct guard_inode *gi, call_stub_t *stub);

/** guard_gate_release - the exclusive step is over, before unwinding it
 * Returns an inode for guard_gate_pump(). */
inode_t *
guard_gate_release(struct guard_inode *gi);

/** guard_gate_filled - the xattrs were read (@err 0) or not (errno: the fop
 * that asked fails with it). May wind. */
void
guard_gate_filled(xlator_t *this, struct guard_inode *gi, int err);

/* guard-publish.c ---------------------------------------------------------- */

/** guard_publish_run - do an exclusive step; owns @stub. The barrier is up. */
void
guard_publish_run(xlator_t *this, struct guard_inode *gi, call_stub_t *stub);

/** guard_step_pool - the pool for the locals of such steps, for init. */
struct mem_pool *
guard_step_pool(void);

/* guard-stream.c ----------------------------------------------------------- */

/* Bytes [offset, offset + len) of a file. */
struct guard_range {
    uint64_t offset;
    uint64_t len;
};

/** guard_stream_extend_locked - what to allocate before a write
 * @range: the write; becomes what to allocate, keeping the file's size
 * @keyed: guard_keyed() of the write
 * gi->lock is held. False: nothing. */
gf_boolean_t
guard_stream_extend_locked(struct guard_inode *gi, gf_boolean_t keyed,
                           struct guard_range *range);

struct guard_after;

/** guard_after_new - what is to be allocated after a write to @fd's file is
 * answered; NULL for no memory, or if it is not worth it. */
struct guard_after *
guard_after_new(fd_t *fd, struct guard_inode *gi,
                const struct guard_range *range);

/** guard_stream_extend - allocate, if the write @wrote something, free @after
 * and leave the gate, in which the write is counted. Winds, no locks held. */
void
guard_stream_extend(xlator_t *this, struct guard_after *after,
                    gf_boolean_t wrote);

/** guard_stream_next - note a read of [@offset, @offset + @len)
 * @early: zeroed; becomes what should be read next. True: call
 * guard_stream_early() with it and a reference on the fd. */
gf_boolean_t
guard_stream_next(struct guard_inode *gi, uint64_t offset, uint64_t len,
                  struct guard_range *early);

/** guard_stream_early - read @early and drop the bytes; drops the reference on
 * @fd. Winds, no locks held. */
void
guard_stream_early(xlator_t *this, fd_t *fd, const struct guard_range *early);

/* guard-share.c ------------------------------------------------------------ */

/** guard_share_run - @fop (fallocate or zerofill) on this brick's blocks of the
 * range only, as the layout in @xdata says. It is counted in the gate.
 * 1: it will be answered, and leaves the gate; 0: @xdata has no layout;
 * -EINVAL or -ENOMEM: nothing is done, the caller answers. May wind. */
int
guard_share_run(call_frame_t *frame, xlator_t *this, glusterfs_fop_t fop,
                fd_t *fd, int32_t mode, off_t offset, size_t len,
                dict_t *xdata);

/* guard-gone.c ------------------------------------------------------------- */

int
guard_gone_init(struct guard_priv *priv);
void
guard_gone_fini(struct guard_priv *priv);

/** guard_gone_unnamed - a name of @inode, a base, was removed. */
void
guard_gone_unnamed(xlator_t *this, inode_t *inode);

/** guard_gone_add - @inode has portions of @nonce, and may have no name. */
void
guard_gone_add(xlator_t *this, inode_t *inode, uint64_t nonce);

/** guard_gone_answer - a new dict with the answer to ALLOT_KEY_GONE; NULL: no
 * memory. */
dict_t *
guard_gone_answer(xlator_t *this, inode_t *root, dict_t *xdata);

/* guard-making.c ----------------------------------------------------------- */

/** guard_making_begin - @frame, of the guard, is about to make the name @loc on
 * the disk: from now on guard_making_wait() finds it. frame->local is taken. To
 * be ended before @frame is answered. */
void
guard_making_begin(xlator_t *this, call_frame_t *frame, loc_t *loc);

/** guard_making_end - the name is made, or it will not be: who waits for it
 * looks again. frame->local is NULL then. May wind; no locks. */
void
guard_making_end(xlator_t *this, call_frame_t *frame);

/** guard_making_is - is somebody making the name @loc. */
gf_boolean_t
guard_making_is(xlator_t *this, loc_t *loc);

/** guard_making_wait - is somebody making the name that @stub, a lookup, asks
 * for? Then @stub is taken over, and resumed when that is done. */
gf_boolean_t
guard_making_wait(xlator_t *this, call_stub_t *stub);

/* guard-hide.c ------------------------------------------------------------- */

/** guard_refuse_identity - ENOTCONN if the brick has no identity, but for
 * allot's calls on its root; else 0. @inode may be NULL: not the root. */
int
guard_refuse_identity(xlator_t *this, inode_t *inode, dict_t *xdata);

/** guard_refuse_loc - 0, or why a call on @loc is refused (ENOTCONN, EPERM).
 * @loc may be NULL for calls without a place: only identity is asked for. */
int
guard_refuse_loc(call_frame_t *frame, xlator_t *this, loc_t *loc,
                 dict_t *xdata);
int
guard_refuse_locs(call_frame_t *frame, xlator_t *this, loc_t *loc, loc_t *loc2,
                  dict_t *xdata);
int
guard_refuse_fd(call_frame_t *frame, xlator_t *this, fd_t *fd, dict_t *xdata);

/** guard_change_refused - counts and logs a change of one of our xattrs, or of
 * @inode's, that is refused; the errno. */
int
guard_change_refused(call_frame_t *frame, xlator_t *this, inode_t *inode);

/** guard_refuse_internal - the rule for locks and xattrops, which replicate
 * and disperse make on their own, without the caller's keys: on a connection
 * of allot's they may touch hidden places, and everybody's the root of a brick
 * without identity. @inode may be NULL. */
int
guard_refuse_internal(call_frame_t *frame, xlator_t *this, inode_t *inode,
                      dict_t *xdata);

/** guard_refuse_lk - the same for an application's lock on @fd. */
int
guard_refuse_lk(call_frame_t *frame, xlator_t *this, fd_t *fd, int32_t cmd,
                dict_t *xdata);

/** guard_refuse_open - the same for an open that changes nothing. */
int
guard_refuse_open(call_frame_t *frame, xlator_t *this, loc_t *loc,
                  dict_t *xdata);

/** guard_greeted - the handshake was asked for: if by allot (its key), all that
 * comes over this connection comes from a graph with allot on top. */
void
guard_greeted(call_frame_t *frame, xlator_t *this, dict_t *xdata);

/** guard_knows - has this connection greeted; one process needs not to. */
gf_boolean_t
guard_knows(call_frame_t *frame, xlator_t *this);

/** guard_gfid_hidden - is it the gfid of "/.allot" or "/.allot/XX". */
gf_boolean_t
guard_gfid_hidden(const uuid_t gfid);
gf_boolean_t
guard_loc_hidden(xlator_t *this, loc_t *loc);
gf_boolean_t
guard_loc_is_root(loc_t *loc);

/** guard_may_see - may this caller see "/.allot" and portions. */
gf_boolean_t
guard_may_see(call_frame_t *frame, xlator_t *this, dict_t *xdata);

/** guard_dict_protected - how many keys of @dict are trusted.allot.* */
int
guard_dict_protected(dict_t *dict);

/** guard_dict_drop_protected - remove them; NULL is allowed. */
void
guard_dict_drop_protected(dict_t *dict);

/** guard_xdata_plain - a private copy of @xdata (may be NULL) without keys
 * "allot.*", which posix would take for xattrs. New reference; NULL: no
 * memory. */
dict_t *
guard_xdata_plain(dict_t *xdata);

/** guard_xdata_pass - the same for what is only passed on: @xdata itself, if
 * @frame is a call from a connection and there are no such keys in it. New
 * reference; NULL: no memory. */
dict_t *
guard_xdata_pass(call_frame_t *frame, dict_t *xdata);

/** guard_is_wired - has @xdata come with @frame over a connection? Then it is
 * this call's alone, and may be changed on its way down. In a graph of one
 * process it may be shared by many calls. */
static inline gf_boolean_t
guard_is_wired(call_frame_t *frame, dict_t *xdata)
{
    return xdata && frame->root->client;
}

/* guard-log.c -------------------------------------------------------------- */

/** guard_log_refused - one line for a refused call, at most one a minute for
 * a file (@gi) and one in five seconds for all else (@gi NULL); of one client
 * 20 a minute, then how many more there were. */
void
guard_log_refused(xlator_t *this, call_frame_t *frame, struct guard_inode *gi,
                  const uuid_t gfid, const char *what);

/** guard_client_destroy - a connection is gone: tells and frees what is kept of
 * it. Of xlator_cbks. */
int32_t
guard_client_destroy(xlator_t *this, client_t *client);

/* guard-identity.c --------------------------------------------------------- */

/** guard_identity_load - read identity and registry, then pass CHILD_UP on. */
void
guard_identity_load(xlator_t *this);

/** guard_identity_store - keep a value of the root's; NULL: it was removed.
 * Returns true if the brick serves from now on and did not before. */
gf_boolean_t
guard_identity_store(xlator_t *this, const char *key, data_t *value);

/* guard-brief.c -------------------------------------------------------------
 */

struct guard_shelf;

/** guard_brief_begin - is a readdirp of @parent with @xdata for a report, and
 * can it be answered here: nothing else is asked for, and the disk may be
 * looked at. NULL: no. Else the caller's until guard_brief_end(). Calls of the
 * kernel. */
struct guard_shelf *
guard_brief_begin(xlator_t *this, inode_t *parent, dict_t *xdata);

/** guard_brief_fill - what a report wants of @entries, which are names of the
 * directory @parent. Calls of the kernel, some for each entry. Entries of which
 * it is not certain are left without a gfid. */
void
guard_brief_fill(struct guard_shelf *shelf, inode_t *parent,
                 gf_dirent_t *entries);

/** guard_brief_end - close and free; NULL is allowed. */
void
guard_brief_end(struct guard_shelf *shelf);

/** guard_portions_disk - guard-portions.c: the brick's directory, if portions
 * may be looked at there, NULL else. Borrowed from the options of
 * storage/posix. */
const char *
guard_portions_disk(xlator_t *this);

/** guard_portions - guard-portions.c: answer a getxattr of ALLOT_KEY_PORTIONS
 * whose caller may see portions. */
void
guard_portions(call_frame_t *frame, xlator_t *this, dict_t *xdata);

void
guard_identity_fini(xlator_t *this);

/** guard_handshake - a new dict with the answer to ALLOT_KEY_HANDSHAKE;
 * NULL: no memory. */
dict_t *
guard_handshake(xlator_t *this);

/* guard-size.c ------------------------------------------------------------- */

/** guard_is_stranger - does a call come from a client without allot: neither
 * key, nor greeting, nor self-heal or rebalance. */
gf_boolean_t
guard_is_stranger(call_frame_t *frame, xlator_t *this, dict_t *xdata);

/** guard_size_show - make @buf of @inode what a stranger is shown. */
void
guard_size_show(xlator_t *this, inode_t *inode, struct iatt *buf);

/** guard_record_size - the size to show of a file with record @rec. */
static inline uint64_t
guard_record_size(const struct allot_record *rec)
{
    return rec->size || !(rec->flags & ALLOT_RECORD_DIRTY) ? rec->size : 1;
}

/* fops, by file ------------------------------------------------------------ */

#define GUARD_FOP_DECL(name) extern __typeof__(*(fop_##name##_t)0) guard_##name

/* guard-data.c */
GUARD_FOP_DECL(readv);
GUARD_FOP_DECL(writev);
GUARD_FOP_DECL(truncate);
GUARD_FOP_DECL(ftruncate);
GUARD_FOP_DECL(fallocate);
GUARD_FOP_DECL(discard);
GUARD_FOP_DECL(zerofill);
GUARD_FOP_DECL(seek);
GUARD_FOP_DECL(rchecksum);
GUARD_FOP_DECL(fsync);
GUARD_FOP_DECL(open);
GUARD_FOP_DECL(copy_file_range);
/* guard-names.c */
GUARD_FOP_DECL(lookup);
GUARD_FOP_DECL(create);
GUARD_FOP_DECL(mknod);
GUARD_FOP_DECL(mkdir);
GUARD_FOP_DECL(symlink);
/* guard-list.c */
GUARD_FOP_DECL(readdir);
GUARD_FOP_DECL(readdirp);
/* guard-xattr.c */
GUARD_FOP_DECL(getxattr);
GUARD_FOP_DECL(fgetxattr);
GUARD_FOP_DECL(setxattr);
GUARD_FOP_DECL(fsetxattr);
GUARD_FOP_DECL(removexattr);
GUARD_FOP_DECL(fremovexattr);
GUARD_FOP_DECL(xattrop);
GUARD_FOP_DECL(fxattrop);
/* guard-gone.c */
GUARD_FOP_DECL(unlink);
GUARD_FOP_DECL(rename);
/* guard-pass.c */
GUARD_FOP_DECL(stat);
GUARD_FOP_DECL(fstat);
GUARD_FOP_DECL(readlink);
GUARD_FOP_DECL(rmdir);
GUARD_FOP_DECL(link);
GUARD_FOP_DECL(statfs);
GUARD_FOP_DECL(flush);
GUARD_FOP_DECL(opendir);
GUARD_FOP_DECL(fsyncdir);
GUARD_FOP_DECL(access);
GUARD_FOP_DECL(lk);
GUARD_FOP_DECL(inodelk);
GUARD_FOP_DECL(finodelk);
GUARD_FOP_DECL(entrylk);
GUARD_FOP_DECL(fentrylk);
GUARD_FOP_DECL(setattr);
GUARD_FOP_DECL(fsetattr);
GUARD_FOP_DECL(ipc);
GUARD_FOP_DECL(lease);
GUARD_FOP_DECL(getactivelk);
GUARD_FOP_DECL(setactivelk);
GUARD_FOP_DECL(put);
GUARD_FOP_DECL(icreate);
GUARD_FOP_DECL(namelink);

#endif /* GUARD_H */
