/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-proto.h - the protocols between clients, base file and portions, as
 * docs/protocol.md tells them. All of these run in a synctask; those marked
 * "alone" with the inode's gate held alone. All return 0 or -errno; -EREMCHG
 * means: somebody else published first, the record has been re-read, look
 * again.
 */
#ifndef ALLOT_PROTO_H
#define ALLOT_PROTO_H

#include "allot-bricks.h"
#include "allot-fan.h"
#include "allot-inode.h"
#include "allot-size.h"

/* A set of brick indices that one fop has found wanting, whatever the brick's
 * state says (an error comes before the event that explains it). */
struct allot_avoid {
    uint16_t idx[ALLOT_MEMBERS_MAX];
    int n;
    int err;  /* what the user is told when no brick is left */
    int last; /* what the last one of them answered, for the log */
};
gf_boolean_t
allot_avoid_has(const struct allot_avoid *avoid, uint16_t idx);
/** allot_avoid_add - avoid @idx, which answered with @err. "Full" and "not
 * allowed" are remembered: they, and only they, are the user's errno. */
void
allot_avoid_add(struct allot_avoid *avoid, uint16_t idx, int err);
/** allot_avoid_errno - why no member is left: -ENOSPC only if one was full,
 * -EPERM or -EACCES if portions may not be made (root-squash), -ENOTCONN if
 * there was nobody to begin with, else -EIO. */
int
allot_avoid_errno(const struct allot_avoid *avoid);

/* ---- allot-inode.c ----------------------------------------------------------
 */

/** allot_inode_take - make @rec (its reference is taken over) the record, if it
 * is newer. @own: published by this client, else read: then it is noted if an
 * extent of another client hides what this one has not synced yet. */
void
allot_inode_take(struct allot_inode *ai, struct allot_rec *rec,
                 gf_boolean_t own);

/** allot_inode_ctime - keep a shown ctime from going back. */
void
allot_inode_ctime(struct allot_inode *ai, struct iatt *buf);

/* ---- allot-proto-record.c
 * ------------------------------------------------------ */

/** allot_refresh - re-read base iatt and record. @base may be NULL. */
int
allot_refresh(xlator_t *this, inode_t *inode, struct iatt *base);

/* The same together with other calls. */
struct allot_refresh {
    struct allot_call call; /* to be made by allot_fan(); xl NULL: cannot be */
    loc_t loc;
    uint64_t version;
};

/** allot_refresh_begin - fills @r->call, where a refresh is nothing but that
 * call. */
void
allot_refresh_begin(xlator_t *this, inode_t *inode, struct allot_refresh *r);

/** allot_refresh_end - takes its answer in, or makes an allot_refresh() if it
 * was not made, or did not say it all. Frees @r. As allot_refresh(). */
int
allot_refresh_end(xlator_t *this, inode_t *inode, struct allot_refresh *r,
                  struct iatt *base);

/** allot_record_is - is that of the inode, as far as is known, of @rec's
 * generation and nonce? Any context. */
gf_boolean_t
allot_record_is(xlator_t *this, inode_t *inode, const struct allot_rec *rec);

/** allot_record_moved - has somebody published another generation than @rec's
 * Reads it again. If so, what a portion answered is no reason to blame its
 * brick: the file may have been cut to its inline part, and have none. */
gf_boolean_t
allot_record_moved(xlator_t *this, inode_t *inode, const struct allot_rec *rec);

/** allot_record_current - the record is read again if it was not since @since,
 * an allot_bricks_version(): before a brick that is back is used, its users
 * must know what happened meanwhile (docs/protocol.md, rule 8). In a synctask.
 * 0: @rec is of the present generation; -EREMCHG: another one is; -errno. */
int
allot_record_current(xlator_t *this, inode_t *inode,
                     const struct allot_rec *rec, uint64_t since);

/* How long a call that always comes too late tries again. */
struct allot_patience {
    uint64_t seq;  /* of the record at the last try */
    uint32_t same; /* tries since that changed */
    uint32_t all;
    uint32_t strange; /* EPERM, EIO of a dispersed base since that changed */
};

/** allot_patience_left - one more try? As long as the record changes others
 * get on, and nothing is wrong: 4096 tries; else 64. The log tells when it is
 * over: the call then fails with EIO. Any context. */
gf_boolean_t
allot_patience_left(xlator_t *this, inode_t *inode,
                    struct allot_patience *patience);

/** allot_base_refused - the base has refused a call as of an old or a newer
 * record, and it is worth another try: what is known is stale now. Any context.
 * Of a dispersed base EPERM may mean the same, since disperse truncates in an
 * open by a call of its own, without a generation; and EIO, since its bricks
 * may have different records (docs/protocol.md, 2.15). Twice with one record
 * neither does.
 */
gf_boolean_t
allot_base_refused(xlator_t *this, inode_t *inode, int32_t op_ret,
                   int32_t op_errno, struct allot_patience *patience);

/** allot_record_look - what a protocol begins with
 * 0: *@rec (a reference, NULL: none) and *@kind, PLAIN or SPREAD; -EREMCHG: it
 * had to be read first, look again; -EIO: BROKEN; -errno: it cannot be read. In
 * a synctask. */
int
allot_record_look(xlator_t *this, inode_t *inode, struct allot_rec **rec,
                  enum allot_kind *kind);

/** allot_portion_lost - does @err, 0 or -errno of a portion, say that it is not
 * there or damaged? Its brick answers, and its blocks are lost. */
static inline gf_boolean_t
allot_portion_lost(int err)
{
    return err == -ENODATA || err == -EIO;
}

/** allot_record_copy - a copy of @from to change and publish: seq is one more.
 * allot_record_clear() it. 0 or -ENOMEM. */
int
allot_record_copy(const struct allot_record *from, struct allot_record *to);

/**
 * allot_publish - make @r the file's record, if nobody published since. Alone.
 * @r: taken over, cleared in any case; r->seq - 1 is what must be there now
 * @max_size: refuse with -EFBIG if the base is longer (UINT64_MAX: no limit)
 * @mtime: set the base's mtime in the same step, NULL: leave it
 * An answer that got lost is settled by re-reading.
 */
int
allot_publish(xlator_t *this, inode_t *inode, struct allot_record *r,
              uint64_t max_size, const struct timespec *mtime);

/* A publication under way; what its call borrows lives in it. */
struct allot_publication {
    struct allot_call call; /* without its loc */
    uint8_t *buf;           /* the record, encoded */
    int64_t len;
    uint64_t version; /* allot_bricks_version() before it */
};

/** allot_publish_begin - the call of a publication, for whoever winds it
 * Arguments as of allot_publish(), which does all of this; @r stays the
 * caller's. @uncut: only if the base has this mark and was not cut since it got
 * it (ALLOT_KEY_UNCUT); 0: in any case. 0 or -errno; allot_publish_end() after
 * both. */
int
allot_publish_begin(xlator_t *this, const struct allot_record *r,
                    uint64_t max_size, const struct timespec *mtime,
                    uint64_t uncut, struct allot_publication *pub);

/** allot_publish_taken - it was answered without an error: @r, taken over, is
 * the record. Alone. */
void
allot_publish_taken(xlator_t *this, inode_t *inode, struct allot_record *r,
                    const struct allot_publication *pub);

/** allot_publish_refused - does @err say that a publication was not taken: with
 * others it may have been, or be yet. In the namespace of a set even the first
 * of them does not say so for all bricks. */
gf_boolean_t
allot_publish_refused(int err);

void
allot_publish_end(struct allot_publication *pub);

/** allot_mark_dirty - publish DIRTY if the record is clean. Alone. */
int
allot_mark_dirty(xlator_t *this, inode_t *inode);

/** allot_own_size - @r follows @rec with a new generation: its size is at least
 * what this client knows while @rec is the record, written to members that may
 * be silent now. After the publication it would not know any more. */
void
allot_own_size(struct allot_inode *ai, const struct allot_rec *rec,
               struct allot_record *r);

/** allot_catch_up - a data fop was refused with ALLOT_ERR_OLD: re-read the
 * record, and if that is no newer, the portions are ahead of the base (somebody
 * died between fence and publish): publish their generation. Alone. */
int
allot_catch_up(xlator_t *this, inode_t *inode, uint64_t refused_gen);

/** allot_now - the time for an mtime. */
struct timespec
allot_now(void);

/* ---- allot-proto-fence.c, allot-proto-cut.c
 * ------------------------------------------------------ */

/** allot_fence_decode - what a getxattr of ALLOT_XATTR_PORTION (@call) answered
 * 0; -ENODATA: the portion or its xattr is not there; -EIO: damaged, or of
 * another file; else the call's error. */
int
allot_fence_decode(inode_t *inode, uint64_t nonce, struct allot_call *call,
                   struct allot_portion *por);

/** allot_fence_cut - where a portion of generation @from on @idx is to be cut
 * when it is fenced, bytes; above ALLOT_OFFSET_MAX: nowhere (rule 5). */
uint64_t
allot_fence_cut(const struct allot_record *rec, uint64_t from, uint16_t idx);

/* Of a portion on a set: held while it is cut. */
struct allot_cut_lock {
    xlator_t *xl;
    loc_t *loc;
    struct gf_flock flock;
};

/** allot_cut_lock - take the cut lock of the portion @loc on the set @xl
 * @lock: the caller's, valid until allot_cut_unlock(); it is the owner
 * Waits for whoever has it; the lock goes with its holder's connection. 0 or
 * -errno. In a synctask, winds. */
int
allot_cut_lock(xlator_t *this, struct allot_cut_lock *lock, xlator_t *xl,
               loc_t *loc);

void
allot_cut_unlock(xlator_t *this, struct allot_cut_lock *lock);

/** allot_cut_on_set - fence a portion on a set that may have to be cut
 * @loc: of the portion; @bytes, @len: its xattr with @gen. In a synctask.
 * 0 or -errno, -EREMCHG and -ALLOT_ERR_BEHIND as for any fence. */
int
allot_cut_on_set(xlator_t *this, inode_t *inode, const struct allot_record *rec,
                 uint64_t gen, loc_t *loc, uint16_t idx, uint8_t *bytes,
                 int64_t len);

/** allot_mapped_end - the end of the last extent that has this brick as a
 * member: no byte of its portion at or past it is anybody's data. 0 if it is
 * in none. */
uint64_t
allot_mapped_end(const struct allot_layout *layout, uint16_t idx);

/** allot_fence - raise the portions of @n bricks to @gen
 * Each is cut where @rec says for its own generation: at the smallest clip that
 * it misses, and at its mapped end. @errs (may be NULL) gets 0 or -errno per
 * brick. Returns 0 if all were fenced, else the first error. */
int
allot_fence(xlator_t *this, inode_t *inode, const struct allot_record *rec,
            uint64_t gen, const uint16_t *idx, int n, int *errs);

/** allot_fence_more - the same, with more in its round trips
 * @from: the generation that portions are taken to have; where one has another
 *     one they are asked after all. 0: they are asked. allot_fence() takes the
 *     record's, if it is not the target itself.
 * @sts: gets what each portion was right after it was raised, when no call of
 *     an older generation is under way any more; ia_type IA_INVAL: not told.
 *     All zero before. May be NULL.
 * @with: another call, made together with the first of these; its answer is the
 *     caller's. May be NULL.
 * If it fails at once @with was not made: call->ret is still -1. */
int
allot_fence_more(xlator_t *this, inode_t *inode, const struct allot_record *rec,
                 uint64_t gen, uint64_t from, const uint16_t *idx, int n,
                 int *errs, struct iatt *sts, struct allot_call *with);

/** allot_portion_xattr - the encoded trusted.allot.portion of @inode's portions
 * *@buf: allocated, GF_FREE() it. Returns its length or -errno. */
int64_t
allot_portion_xattr(inode_t *inode, uint64_t nonce, uint64_t gen,
                    uint8_t **buf);

/** allot_needs_help - are there truncations that this client has not seen reach
 * every reachable portion? Whoever published them may have died before its
 * fences; a stale writer would go on, and be cut later. Any context. */
gf_boolean_t
allot_needs_help(xlator_t *this, struct allot_inode *ai,
                 const struct allot_rec *rec);

/** allot_help - finish them: fence every reachable portion to the record's
 * generation. 1: every member is fenced; 0: every one that can be reached and
 * written; -EIO: one had no room for it, though it may be written in place:
 * nothing of the record is to be used. */
int
allot_help(xlator_t *this, inode_t *inode, const struct allot_rec *rec);

/* ---- allot-portion.c
 * ------------------------------------------------------------ */

/** allot_portions_open - open the portions of these bricks. Alone.
 * @errs: 0, -ENOTCONN (not usable), -ENODATA (the portion is missing: lost) or
 * another errno for each; -ECANCELED: not tried, and nothing is wrong with the
 * brick. Returns 0 if all are open; -EREMCHG if the record has another
 * generation by now (it is re-read), or a brick came meanwhile: look again; if
 * the record could not be read, why; else the first error. */
int
allot_portions_open(xlator_t *this, inode_t *inode, const uint16_t *idx, int n,
                    int *errs);

/** allot_portions_open_read - the same to read only: also on a brick whose file
 * system is read-only. */
int
allot_portions_open_read(xlator_t *this, inode_t *inode, const uint16_t *idx,
                         int n, int *errs);

/* Portions that are being made; what the calls borrow lives in it. */
struct allot_making {
    uint64_t nonce;
    struct allot_call *calls; /* a create for each member */
    int *errs;                /* of each, 0 or -errno */
    int n;
    loc_t loc;
    uint8_t *buf; /* their xattr */
};

/** allot_portions_begin - the calls that make @n new portions of @gen, for
 * whoever winds them: allot_portions_create() does all of this. Alone. 0, or
 * -ENOMEM; allot_portions_end() after both. */
int
allot_portions_begin(xlator_t *this, inode_t *inode, uint64_t nonce,
                     uint64_t gen, const struct allot_member *members, int n,
                     struct allot_making *making);

/** allot_portions_made - they are answered: keep the fds. 0, or the first
 * error; making->errs has all. */
int
allot_portions_made(xlator_t *this, inode_t *inode,
                    struct allot_making *making);

void
allot_portions_end(struct allot_making *making);

/** allot_portion_dirs - make the directory that @inode's portion on brick @idx
 * is to be in, where allot_portions_made() has said -ENOENT or -ESTALE.
 * In a synctask. 0 or -errno. */
int
allot_portion_dirs(xlator_t *this, inode_t *inode, uint16_t idx);

/** allot_portions_create - make (or, if @may_exist, take) portions of @gen.
 * Alone. Opens them. Existing ones are fenced as @rec says.
 * @made[i] is set for those that did not exist. */
int
allot_portions_create(xlator_t *this, inode_t *inode, uint64_t nonce,
                      uint64_t gen, const struct allot_member *members, int n,
                      gf_boolean_t may_exist, const struct allot_record *rec,
                      gf_boolean_t *made, int *errs);

/** allot_portions_unlink - remove a file's portions from every usable brick.
 * 0: no brick of the volume has one any more. -EAGAIN: a brick was away, or
 * could not remove its own. -ENOMEM. */
int
allot_portions_unlink(xlator_t *this, inode_t *inode, uint64_t nonce);

/* ---- allot-proto-grow.c, allot-proto-append.c
 * --------------------------------------- */

/* A write that failed, wholly or in part, and will be done again: an append
 * must carry what of it stands behind the new extent's start. */
struct allot_payload {
    struct list_head list; /* allot_inode.repairs, under its lock */
    uint64_t off;
    uint64_t len;
    struct iovec *iov; /* borrowed */
    int count;
};

/** allot_choose - allot_bricks_choose() without the avoided bricks. */
int
allot_choose(xlator_t *this, const struct allot_avoid *avoid,
             struct allot_member *members);

/** allot_grow_plan - the first record with extents that the file could have:
 * DIRTY, of the base's size, with a nonce of its own. Alone. @end: of the write
 * that grows it; @members: room for ALLOT_MEMBERS_MAX. How many members there
 * are, then @r is the caller's to clear; or -errno. */
int
allot_grow_plan(xlator_t *this, inode_t *inode, uint64_t end,
                const struct allot_avoid *avoid, struct allot_record *r,
                struct allot_member *members);

/** allot_grow - the first byte past inline_limit: make the file spread. Alone.
 * @end: end of the write that grows it
 * @max_size: publish only if the base is no longer than this; else -EFBIG (a
 *   file that is longer than inline_limit already stays plain) */
int
allot_grow(xlator_t *this, inode_t *inode, uint64_t end, uint64_t max_size,
           struct allot_avoid *avoid);

/**
 * allot_append - append an extent. Alone.
 * @at: where it should start
 * @exact: true: exactly at @at, because from there on members fail; what stands
 *   past @at is carried over. False: at or past @at, past all data.
 * @end: end of the write that makes it necessary
 * If the write is in allot_inode.repairs, with others that wait or without,
 * their bytes are carried. A call that has no data is not, and nothing can be
 * carried then. -ENOENT (only if not @exact): no better members than the
 * present ones.
 */
int
allot_append(xlator_t *this, inode_t *inode, uint64_t at, gf_boolean_t exact,
             uint64_t end, struct allot_avoid *avoid);

/** allot_range_bricks - the bricks of [off, end), each once
 * @idx: room for layout->brick_count. Returns how many, or -EFBIG. Pure. */
int
allot_range_bricks(const struct allot_layout *layout, uint64_t off,
                   uint64_t end, uint16_t *idx);

/** allot_write_stays_plain - may a plain file be written up to @end without
 * becoming spread. Any context. */
gf_boolean_t
allot_write_stays_plain(xlator_t *this, struct allot_inode *ai, uint64_t end);

/** allot_head_end - first byte past block 0, the block of the first byte that
 * is not inline. The layout must have extents. */
uint64_t
allot_head_end(const struct allot_layout *layout);

/** allot_leaves_head - does a write up to @end need the second extent. */
gf_boolean_t
allot_leaves_head(xlator_t *this, const struct allot_layout *layout,
                  uint64_t end);

/** allot_members_wanting - would data at @size be better off with other members
 * than the last extent's (one is full, draining; or a brick came). */
gf_boolean_t
allot_members_wanting(xlator_t *this, const struct allot_layout *layout,
                      uint64_t size);

/**
 * allot_prepare_write - everything that must be true before [off, end) can be
 * written: record fresh, spread if it must be, DIRTY, members usable and
 * open. Alone.
 * @grow_max: as allot_grow()'s max_size; UINT64_MAX for the inline limit. If
 * the base is longer but not longer than inline_limit: -EAGAIN.
 * @avoid: bricks found wanting so far; more are added
 * A write's data is found in allot_inode.repairs, see allot_append().
 */
int
allot_prepare_write(xlator_t *this, inode_t *inode, uint64_t off, uint64_t end,
                    uint64_t grow_max, struct allot_avoid *avoid);

/** allot_prepare_read - record fresh, members of [off, end) open as far as they
 * can be. Alone. @gen gets the generation they were opened at, 0: a plain file.
 */
int
allot_prepare_read(xlator_t *this, inode_t *inode, uint64_t off, uint64_t end,
                   uint64_t *gen);

/* ---- allot-proto-size.c
 * ---------------------------------------------------------------- */

/* What a glimpse saw. */
struct allot_glimpse {
    struct allot_size size;
    uint64_t blocks512; /* of the portions that answered */
    struct iatt newest; /* the portion with the newest mtime */
    int answered;
    int silent;          /* unreachable, blank or missing members */
    uint64_t top_gen;    /* highest generation among the portions */
    gf_boolean_t closed; /* one of them is CLOSED */
};

/** allot_glimpse - ask all portions for size, times, generation
 * @errs: per layout->bricks[] 0, -ENOTCONN, -ENODATA (missing), -EIO (damaged);
 *   may be NULL. @sts: their iatts, may be NULL. */
int
allot_glimpse(xlator_t *this, inode_t *inode, const struct allot_record *rec,
              uint64_t base_size, struct allot_glimpse *out, int *errs,
              struct iatt *sts);

/** allot_glimpse_fenced - the same after allot_fence_more()
 * @gen, @errs, @sts: of that, for all of rec->layout->bricks; if one of them
 * was not told portions are asked after all. @errs as from allot_glimpse()
 * then. */
int
allot_glimpse_fenced(xlator_t *this, inode_t *inode,
                     const struct allot_record *rec, uint64_t gen,
                     uint64_t base_size, struct allot_glimpse *out, int *errs,
                     const struct iatt *sts);

/** allot_set_mtimes - the mtime of @to to all portions that can be reached:
 * somebody has set that of a file that is being written, and theirs would be
 * newer. What cannot be reached is of no consequence: its time is shown when it
 * is back, until the file is settled. */
void
allot_set_mtimes(xlator_t *this, inode_t *inode, const struct iatt *to);

/** allot_glimpse_iatt - turn the base's iatt @buf into the file's, asking the
 * portions where needed. No gate needed. */
int
allot_glimpse_iatt(xlator_t *this, inode_t *inode, struct iatt *buf);

/** allot_glimpse_exact - the same; *@exact: the size is certain. Else a member
 * is silent that may hold more, and nothing can be said of what is behind it.
 */
int
allot_glimpse_exact(xlator_t *this, inode_t *inode, struct iatt *buf,
                    gf_boolean_t *exact);

/** allot_settle - record the exact size. Alone. A file that cannot be settled
 * now (a member is away) stays DIRTY; that is no error. */
int
allot_settle(xlator_t *this, inode_t *inode);

/** allot_publish_size - after an fsync: the size known so far, of generation
 * @gen; -EREMCHG if the record has another one. Alone. */
int
allot_publish_size(xlator_t *this, inode_t *inode, uint64_t size, uint64_t gen);

/** allot_last_close - after the last close on this client. A job for
 * allot_run() with the gate; @arg is the inode. */
void
allot_last_close(xlator_t *this, void *arg);

/** allot_last_close_clean - the same of a file of which there is nothing to
 * settle, for allot_run_here(); it ends in that one if there is after all. */
void
allot_last_close_clean(xlator_t *this, void *arg);

/* ---- allot-proto-truncate.c
 * ------------------------------------------------------------- */

/** allot_truncate_to - set the size of a file of any kind. Alone. */
int
allot_truncate_to(xlator_t *this, inode_t *inode, uint64_t size);

/** allot_cut_back - a write to before @end failed when some of it was there:
 * cut the file to @to, unless somebody has made it longer than @end, or it is
 * not known. Alone. */
void
allot_cut_back(xlator_t *this, inode_t *inode, uint64_t to, uint64_t end);

/* ---- allot-base.c
 * ------------------------------------------------------------------------- */

/** allot_any_fd - an open fd of the base: allot's own, else an application's
 * @writable: it must be open for writing
 * A new reference, or NULL. Any context. */
fd_t *
allot_any_fd(xlator_t *this, inode_t *inode, gf_boolean_t writable);

/** allot_sync_base - fsync of the base, and with it of its record
 * 0; -EREMCHG: it has another record now, and is marked stale; -errno. Alone.
 */
int
allot_sync_base(xlator_t *this, inode_t *inode, fd_t *fd, dict_t *xdata);

/** allot_base_doubtful - below replicate, after a brick came or went: the
 * record that one replica shows may be old until a lookup has asked all of
 * them. */
gf_boolean_t
allot_base_doubtful(xlator_t *this, inode_t *inode);

/** allot_base_looked - a lookup of the base was answered. */
void
allot_base_looked(xlator_t *this, inode_t *inode);

/** allot_base_plain - is a stat of the base one call, by gfid, whose answer
 * allot_base_told() judges? Any context. */
gf_boolean_t
allot_base_plain(xlator_t *this, inode_t *inode);

/** allot_base_told - has it said what the base is: else allot_call_base() is to
 * find out why. Any context. */
gf_boolean_t
allot_base_told(xlator_t *this, inode_t *inode, struct allot_call *call);

/** allot_call_base - STAT, SETXATTR or TRUNCATE of the base, by gfid;
 * through an open fd if the file has no name any more
 * @call: everything but xl, loc and fd is filled in. Returns as
 * allot_call_one(). */
int
allot_call_base(xlator_t *this, inode_t *inode, struct allot_call *call);

/* ---- allot-proto-unlink.c
 * ----------------------------------------------------------------- */

/** allot_unlink_ask - @fd is about to be the last one here of a file that has
 * no name: notes if nobody else has it open, for allot_last_close(). */
void
allot_unlink_ask(xlator_t *this, fd_t *fd);

/** allot_base_fd - the base, open O_RDWR without O_APPEND, ours
 * A new reference; NULL if it cannot be opened. Kept until the last close. */
fd_t *
allot_base_fd(xlator_t *this, inode_t *inode);

/* ---- allot-disperse.c
 * ----------------------------------------------------------------- */

/** allot_dispersed - does @xl, a data subvolume or the namespace, keep files on
 * disperse sets. Any context. */
gf_boolean_t
allot_dispersed(xlator_t *this, const xlator_t *xl);

/** allot_dispersed_any - is there any such subvolume. Any context. */
gf_boolean_t
allot_dispersed_any(xlator_t *this);

/** allot_disperse_wrote - a call that may have made @idx's portion longer was
 * answered by @xl: if that is a disperse set, only this client knows how long
 * the portion is, until allot_disperse_sure(). Within the gate. Any context. */
void
allot_disperse_wrote(xlator_t *this, struct allot_inode *ai, uint16_t idx,
                     const xlator_t *xl);

/** allot_disperse_base_wrote - the same for a base. */
void
allot_disperse_base_wrote(xlator_t *this, struct allot_inode *ai);

/** allot_disperse_sure - have disperse sets record how long the base and the
 * portions are that were written here
 * @fd: the application's that is closed or synced, by which it wrote to the
 *     base; NULL: any one
 * They would do it a second after the last call, and a client that dies
 * meanwhile would take the end of the file with it. 0; -EIO: a length is not
 * known to be recorded, and what was acknowledged may be hidden: each open file
 * is told once (allot_fd_rehomed()). -ENOMEM. Alone, in a synctask, winds. */
int
allot_disperse_sure(xlator_t *this, inode_t *inode, fd_t *fd);

/** allot_disperse_told - is @err, of a flush or fsync of an application's fd on
 * the base, only what disperse has to say of a loss that was told already. Any
 * context. */
gf_boolean_t
allot_disperse_told(xlator_t *this, inode_t *inode, int err);

/** allot_disperse_record - have disperse tell the bricks of a base its length
 * Nothing elsewhere. Sent and answered before it returns. 0, or -errno: they
 * may not know; that the base has no name any more is no error. Alone, in a
 * synctask, winds. */
int
allot_disperse_record(xlator_t *this, inode_t *inode);

/** allot_disperse_stripe - bytes of a stripe of the data subvolume @xl; 0: it
 * is no disperse set. Any context. */
uint64_t
allot_disperse_stripe(xlator_t *this, const xlator_t *xl);

/** allot_disperse_recorded - have @xl, a disperse set or what stands above
 * some, record how long @fd's file is
 * 0: it is recorded, and nothing was forgotten since @fd was opened; -EBADF:
 * something was; or -errno. In a synctask, winds. */
int
allot_disperse_recorded(xlator_t *this, xlator_t *xl, fd_t *fd);

/** allot_disperse_punch - discard of [@off, @off + @len) within the file
 * @fd: without O_APPEND; @xdata: with the generation
 * 0 or -errno. In a synctask, winds. */
int
allot_disperse_punch(xlator_t *this, xlator_t *xl, fd_t *fd, uint64_t off,
                     uint64_t len, dict_t *xdata);

/* ---- allot-disperse-even.c
 * ------------------------------------------------------------ */

/** allot_disperse_even - make the bricks of a disperse set have one generation
 * of a portion, if a client that died has left them different
 * @xl: the set; @nonce, @loc: of the portion of @inode
 * @locked: the caller holds the portion's cut lock: then it is only looked
 * @por: what they have, or had
 * 0: they are even; 1: they were not: ask again, @locked: they are not;
 * -ENODATA: not a disperse set, or disperse has to say; -errno. In a synctask,
 * winds. */
int
allot_disperse_even(xlator_t *this, inode_t *inode, xlator_t *xl,
                    uint64_t nonce, loc_t *loc, gf_boolean_t locked,
                    struct allot_portion *por);

/** allot_disperse_even_base - the same for the record of @inode's base: that of
 * so many bricks as make a stripe, else the newest, is published on all of them
 * 0: they are even, or the namespace is not dispersed; 1: they were not;
 * -errno. In a synctask, winds. */
int
allot_disperse_even_base(xlator_t *this, inode_t *inode);

#endif /* ALLOT_PROTO_H */
