/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-inode.h - what a client keeps per regular file: the record as last
 * seen, the known size, the portions' fds, and the gate that lets data fops run
 * together and protocols run alone.
 *
 * Lock order: allot_inode.lock is a leaf; nothing winds under it.
 */
#ifndef ALLOT_INODE_H
#define ALLOT_INODE_H

#include "allot.h"

enum allot_kind {
    ALLOT_KIND_UNKNOWN = 0, /* nobody has told us of a record yet */
    ALLOT_KIND_PLAIN,       /* no extents: all data is in the base file */
    ALLOT_KIND_SPREAD,      /* a record with extents */
    ALLOT_KIND_BROKEN,      /* the record does not decode: EIO */
};

/* A record as read or published: immutable, shared by reference count. */
struct allot_rec {
    gf_atomic_t refs;
    struct allot_record r;
    dict_t *gen_xdata; /* { allot.gen = r.gen }, for winds to portions */
    struct allot_intern *intern; /* where r.layout lives ... */
    struct allot_shared *shared; /* ... and our reference to it */
};

struct allot_rec *
allot_rec_ref(struct allot_rec *rec);
void
allot_rec_unref(struct allot_rec *rec); /* NULL allowed */
/** allot_rec_new - take over @r (its layout) into a new one with one
 * reference; NULL for no memory (then @r is cleared). */
struct allot_rec *
allot_rec_new(xlator_t *this, struct allot_record *r);

/* One member's open portion. */
struct allot_slot {
    uint16_t idx;
    uint32_t epoch;          /* the connection it was opened on */
    uint64_t nonce;          /* of which of the file's successive portions */
    fd_t *fd;                /* O_RDWR, ours; NULL: not open */
    fd_t *direct;            /* with O_DIRECT as well; NULL: not open. Of the
                                same connection and portion as fd */
    gf_boolean_t no_direct;  /* its brick refuses that on this connection */
    gf_boolean_t unsynced;   /* written here since the last fsync */
    gf_boolean_t unrecorded; /* ... and its disperse set is not known to have
                                recorded how long the portion is */
    gf_boolean_t failed;     /* could not be opened on this connection */
    gf_boolean_t told;       /* the log has said that it cannot be read */
};

struct allot_inode {
    gf_lock_t lock;
    enum allot_kind kind;
    struct allot_rec *rec;  /* NULL: no record */
    uint64_t base_size;     /* st_size of the base when last seen */
    uint64_t known_size;    /* spread: bytes known to exist (lower bound) */
    int64_t ctime_sec;      /* the newest ctime shown, so that it never */
    uint32_t ctime_nsec;    /* goes back */
    gf_boolean_t wrote;     /* this client wrote since it last settled */
    gf_boolean_t may_write; /* an application fd is, or was, open to write */
    gf_boolean_t locked;    /* a lock was asked for here, by anybody */
    gf_boolean_t full_sync; /* next fsync is a full one (after a publish) */
    gf_boolean_t record_unsynced; /* a brick that loses power may lose it */
    gf_boolean_t unlinked;        /* its last name is gone */
    gf_boolean_t sole;      /* ... and no other client had it open when this one
                               closed it */
    gf_boolean_t stale;     /* re-read the record before the next data fop */
    gf_boolean_t base_lost; /* once it had not, and fds that were open by then
                               say so for ever: allot's own is asked instead */
    gf_boolean_t base_unrecorded; /* written here, and disperse is not known to
                                     have recorded how long the base is */
    gf_boolean_t hearsay; /* the record is of a listing, which may take one file
                             for another: the next one counts in any case */
    gf_boolean_t unsure;  /* nobody knows whether the last publish happened */
    uint64_t seen_version; /* allot_bricks_version() when the record was last
                              read or published: a brick that has come since
                              may have missed what others did meanwhile */
    uint64_t looked_msec;  /* allot_now_msec() at the last lookup of the base */
    uint64_t base_seen;    /* allot_bricks_version() at the last lookup: when a
                              replica came back since, a stat heals the base */
    gf_boolean_t base_behind; /* a replica of the base missed a publication: the
                                 next refresh begins with a lookup */
    uint64_t helped_gen; /* truncations up to this generation are known to */
    uint64_t helped_version; /* have reached every brick that was reachable at
                                this allot_bricks_version() */
    uint64_t unsynced_from;  /* written here since the last fsync or settle: */
    uint64_t unsynced_to;    /* [from, to), empty if to is 0 */
    uint32_t rehomed; /* times another client's extent hid some of that, or
                         may have: the next fsync or close of each fd that
                         was open then fails */
    uint64_t judged;  /* allot_bricks_version() when the last extent's members
                         were last found good enough */
    uint32_t opens;   /* application fds of this client, all modes */
    struct list_head fds; /* struct allot_fd: they themselves */
    gf_atomic_t changes;  /* of the data by this client, opens and locks: what
                             was read ahead before one is not used after it */

    /* The gate. */
    uint32_t shared;          /* data fops under way */
    gf_boolean_t alone;       /* a protocol is running */
    gf_boolean_t kicking;     /* somebody runs the waiting ones */
    struct list_head waiting; /* struct allot_gate_wait, in order of arrival */
    struct list_head repairs; /* struct allot_payload: writes of this client
                                 that failed, to be done again */

    /* Portions. */
    inode_t *portion; /* the portions' own inode (one gfid); NULL */
    uint64_t portion_nonce;
    struct allot_slot *slots;
    uint32_t slot_count;
    fd_t *base_fd;  /* the base, O_RDWR without O_APPEND, ours; NULL */
    uint32_t holds; /* unlinks under way: base_fd must stay */
};

/** allot_inode_get - the state of @inode, made if it is not there
 * Regular files only. NULL for no memory. It lives as long as the inode. */
struct allot_inode *
allot_inode_get(xlator_t *this, inode_t *inode);

/** allot_inode_peek - the same, NULL if there is none yet. */
struct allot_inode *
allot_inode_peek(xlator_t *this, inode_t *inode);

/** allot_inode_forget - the translator's forget(). */
int32_t
allot_inode_forget(xlator_t *this, inode_t *inode);

/**
 * allot_inode_learn - take in what a lookup, stat or readdirp said
 * @xattr: the answer's dict (the record, or none), NULL means no record
 * @base: the base's iatt
 * An answer older (by seq) than what is known changes nothing. A record that
 * does not decode makes the file BROKEN, with one log line naming the gfid.
 * Returns the kind now.
 */
enum allot_kind
allot_inode_learn(xlator_t *this, inode_t *inode, dict_t *xattr,
                  struct iatt *base);

/** allot_inode_hear - the same for an entry of a listing, whose inode may be
 * that of the file which had the name before (storage/posix takes it from its
 * table, with the gfid). True: the record is known now, and *@kind; false: it
 * is another one than is known already, and is to be looked up. */
gf_boolean_t
allot_inode_hear(xlator_t *this, inode_t *inode, dict_t *xattr,
                 struct iatt *base, enum allot_kind *kind);

/** allot_inode_rec - a new reference to the record, NULL if none. @kind, may be
 * NULL, gets the kind. */
struct allot_rec *
allot_inode_rec(struct allot_inode *ai, enum allot_kind *kind);

/** allot_inode_has_nonce - is the record known to have this nonce? */
gf_boolean_t
allot_inode_has_nonce(struct allot_inode *ai, uint64_t nonce);

/** allot_inode_wrote - note what this client has written to [off, end) of a
 * spread file at @rec's generation, now that it is acknowledged. Any context.
 * Returns how long the file was known to be before. */
uint64_t
allot_inode_wrote(struct allot_inode *ai, const struct allot_rec *rec,
                  uint64_t off, uint64_t end);

/** allot_inode_gen - the generation to send for the base (0: no record). */
uint64_t
allot_inode_gen(struct allot_inode *ai);

/**
 * allot_inode_iatt - turn the base's iatt into the file's, if no call is needed
 * Plain and unknown kinds: unchanged. Clean spread: size and blocks from the
 * record. Keeps ctime from going back.
 * Returns 1 when @buf is right now, 0 when the file must be glimpsed.
 */
int
allot_inode_iatt(xlator_t *this, inode_t *inode, struct iatt *buf);

/* ---- the gate -------------------------------------------------------------
 */

typedef void (*allot_gate_fn)(void *arg);

/**
 * allot_gate_enter - run @fn(@arg) inside the gate
 * @alone: false for data fops (many at once), true for a protocol
 * If the gate is free @fn runs before this returns; else later, from whoever
 * leaves. Order of arrival is kept. 0, or -ENOMEM (then @fn does not run).
 */
int
allot_gate_enter(xlator_t *this, struct allot_inode *ai, gf_boolean_t alone,
                 allot_gate_fn fn, void *arg);

/** allot_gate_leave - leave it; may run those that wait. No locks held. The
 * caller keeps a reference on the inode until this returns. */
void
allot_gate_leave(xlator_t *this, struct allot_inode *ai, gf_boolean_t alone);

/* ---- portions (in a synctask, gate held alone, unless said otherwise) ------
 */

/** allot_portion_loc - a loc for the file's portion, by gfid and by
 * {parent gfid, name}; makes the portions' inode. 0 or -ENOMEM. */
int
allot_portion_loc(xlator_t *this, inode_t *inode, struct allot_inode *ai,
                  uint64_t nonce, loc_t *loc);

/** allot_dir_inode - a directory's inode for a loc: protocol/client insists on
 * a parent. It is never linked into @inode's table. NULL: no memory. */
inode_t *
allot_dir_inode(inode_t *inode, uuid_t gfid);

/** allot_slot_fd - the open fd of @idx's portion of the present nonce on its
 * present connection, a new reference, or NULL. Any context. */
fd_t *
allot_slot_fd(xlator_t *this, struct allot_inode *ai, uint16_t idx,
              struct allot_brick_view *view);

/** allot_slot_fd_new - the same of portions of @nonce, which no record has yet.
 */
fd_t *
allot_slot_fd_new(xlator_t *this, struct allot_inode *ai, uint64_t nonce,
                  uint16_t idx, struct allot_brick_view *view);

/** allot_slot_hopeless - there is no such fd, and opening it again is of no
 * use: that has failed on its present connection, or its brick is not usable.
 * Any context. */
gf_boolean_t
allot_slot_hopeless(xlator_t *this, struct allot_inode *ai, uint16_t idx);

/** allot_slot_set - keep @fd (takes its reference) for @idx and @nonce. If what
 * was written through the fd before is not recorded, nobody will ever know:
 * each open file is told once. */
int
allot_slot_set(struct allot_inode *ai, uint16_t idx, uint32_t epoch,
               uint64_t nonce, fd_t *fd, gf_boolean_t failed);

/** allot_slot_tell - is this the first loss of @idx's portion on its present
 * connection? Then it is to be logged. */
gf_boolean_t
allot_slot_tell(struct allot_inode *ai, uint16_t idx);

/** allot_slot_unsynced - does @idx hold writes of this client since the last
 * fsync; @mark: 1 note so, 0 note that it does not, -1 only ask. Any context.
 */
gf_boolean_t
allot_slot_unsynced(struct allot_inode *ai, uint16_t idx, int mark);

/** allot_slot_unrecorded - @idx's disperse set was written to: only this client
 * knows how long the portion is. Before the call that wrote leaves the gate.
 * Any context. */
void
allot_slot_unrecorded(struct allot_inode *ai, uint16_t idx);

/** allot_slot_unwritten - a write was refused by a set whose bricks do not
 * agree, which disperse takes for a lost length: if there was none to lose, the
 * fd is given up, that would say so at the next close. Any context. */
void
allot_slot_unwritten(struct allot_inode *ai, uint16_t idx);

/** allot_slot_recorded - @idx's disperse set has recorded that, or (!@did) it
 * may have forgotten something: then its fd is given up, which would say so for
 * ever, and each open file is told once. Any context. */
void
allot_slot_recorded(struct allot_inode *ai, uint16_t idx, gf_boolean_t did);

/** allot_slots_unrecorded - is there any such slot. Any context. */
gf_boolean_t
allot_slots_unrecorded(struct allot_inode *ai);

/** allot_slot_drop - close one (or, ALLOT_IDX_NONE, all) of the slots. */
void
allot_slot_drop(struct allot_inode *ai, uint16_t idx);

/* ---- application fds -------------------------------------------------------
 */

struct allot_prefetch; /* allot-prefetch.h */

/* What is kept of an application's fd. */
struct allot_fd {
    struct list_head of_inode;    /* allot_inode.fds, under allot_inode.lock */
    fd_t *fd;                     /* no reference: release() ends both */
    inode_t *inode;               /* whose list that is, a reference */
    int32_t flags;                /* it was opened with */
    uint32_t rehomed;             /* allot_inode.rehomed it knows of */
    struct allot_prefetch *ahead; /* set once, under allot_inode.lock; NULL */
};

/** allot_fd_opened - count an application's open; keeps its flags. */
int
allot_fd_opened(xlator_t *this, fd_t *fd, int32_t flags);

/** allot_fd_rehomed - has something that was written here and acknowledged been
 * hidden since @fd was last told, or since it was opened. @tell: it is told
 * now; as in the kernel each open file is told once (errseq_t). Any context. */
gf_boolean_t
allot_fd_rehomed(xlator_t *this, struct allot_inode *ai, fd_t *fd,
                 gf_boolean_t tell);

/** allot_closes_dirty - has the last close here something to settle: this
 * client wrote, or could write, and somebody who did has died. */
gf_boolean_t
allot_closes_dirty(struct allot_inode *ai);

/** allot_fd_flags - the flags it was opened with (fd->flags if unknown). */
int32_t
allot_fd_flags(xlator_t *this, fd_t *fd);

/** allot_fd_peek - what is kept of it, as long as the caller holds the fd; NULL
 * for one that was not opened here (an anonymous one). */
struct allot_fd *
allot_fd_peek(xlator_t *this, fd_t *fd);

/** allot_fd_release - the translator's release(). */
int32_t
allot_fd_release(xlator_t *this, fd_t *fd);

#endif /* ALLOT_INODE_H */
