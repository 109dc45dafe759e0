/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-io.h - one readv or writev on its way through the translator. What
 * reading and writing have in common: the pieces of a round, what their errors
 * ask for, and the repair between two rounds.
 *
 *   enter gate (shared) -> go: all there? -- no --> leave, repair in a synctask
 *                           | yes                    (alone), enter again
 *                           v
 *                wind all pieces, wait, judge -- refused --> leave, repair, ...
 *                           |
 *                           v
 *                      leave, answer
 *
 * A file without extents is one piece, the base: one call, as without allot.
 */
#ifndef ALLOT_IO_H
#define ALLOT_IO_H

#include "allot-fops.h"
#include "allot-health.h"
#include "allot-iov.h"
#include "allot-proto.h"
#include "allot-split.h"

struct allot_io_piece {
    struct allot_piece p;
    xlator_t *xl;
    fd_t *fd;            /* reference */
    gf_boolean_t direct; /* fd is the one with O_DIRECT, of a portion */
    int ret;
    int err;
    struct iovec *iov; /* read: what came; write: what goes; owned */
    int count;
    struct iobref *iobref;       /* read: owned */
    struct allot_health *health; /* of its brick; NULL: none */
    uint64_t before;             /* write: how long the portion was before it */
    uint64_t start_nsec;         /* when it was wound */
};

/* What a read of our own ends in, see allot_read_own(). */
typedef void (*allot_read_done_fn)(void *arg, int32_t ret, struct iovec *iov,
                                   int count, struct iobref *iobref);

struct allot_io {
    call_frame_t *frame;
    pid_t pid; /* the caller's: its place is taken by ALLOT_PID meanwhile */
    xlator_t *this;
    fd_t *fd; /* the application's, reference */
    struct allot_inode *ai;
    uint64_t off;
    uint64_t len;
    uint32_t flags;
    dict_t *xdata;
    gf_boolean_t writing;
    gf_boolean_t direct;        /* the application's fd has O_DIRECT */
    gf_boolean_t direct_opened; /* portions were opened so for this one */

    /* Write. */
    struct iovec *iov;
    int count;
    struct iobref *iobref;
    gf_boolean_t append; /* O_APPEND: off is known only under the lock */
    gf_boolean_t locked; /* the append lock is ours */
    gf_boolean_t
        landed; /* some of it is written at off: an append stays there */
    struct allot_avoid avoid;
    struct allot_payload payload; /* while it waits for a repair */
    /* Of a write that a brick had no room for: how long the portions were that
     * got a piece of it (owned), and where the file ends without it. */
    struct allot_glimpse_member *before;
    int n_before;
    uint64_t end_before;
    gf_boolean_t end_before_known;
    gf_boolean_t giving_up;   /* only to be cut back */
    gf_boolean_t tried_whole; /* allot_write_whole() */
    uint16_t dirless[4]; /* bricks that lack the portion's directory: it is */
    int n_dirless;       /* made, and that is tried again, */
    int made_dirs;       /* so many times */
    uint64_t orphan;     /* of portions that it has made in vain; 0: none */
    uint64_t done_len; /* a synchronous one: it is written, and to be synced */

    /* Read. */
    uint64_t eof;
    gf_boolean_t eof_known; /* eof is of the record of: */
    uint64_t eof_seq;
    uint64_t eof_version; /* the record was asked for at this brick version */
    uint64_t opened; /* at this generation one attempt to open what was closed
                        is made; 0: none */
    struct list_head wait;   /* for what is read ahead, allot-prefetch.c */
    allot_read_done_fn done; /* not NULL: nobody above waits for an answer */
    void *done_arg;

    /* The round. */
    struct allot_patience patience;
    struct allot_rec *rec;
    struct allot_io_piece *pieces;
    int n;
    int pending;          /* under frame->lock */
    gf_boolean_t refused; /* some piece: ALLOT_ERR_OLD */
    uint16_t behind[16];  /* bricks: ALLOT_ERR_BEHIND */
    int n_behind;
    gf_boolean_t uneven; /* some piece: EIO of a disperse set, whose bricks may
                            be of different generations */
    gf_boolean_t evened; /* ... in an earlier round: now it is an error */
    uint64_t good; /* bytes from off on that the round did, without a gap */
    int err;       /* what to answer when nothing helps */
};

/** allot_io_new - for a fop on @fd; NULL for no memory. Sets frame->local. */
struct allot_io *
allot_io_new(call_frame_t *frame, xlator_t *this, fd_t *fd, uint64_t off,
             uint64_t len, uint32_t flags, dict_t *xdata);

/** allot_io_free - everything but the frame, whose local becomes NULL. */
void
allot_io_free(struct allot_io *io);

/** allot_io_split - the pieces of [off, off + len); fds not filled in.
 * 0 or -errno. */
int
allot_io_split(struct allot_io *io, uint64_t off, uint64_t len);

/** allot_io_list - a write that will be done again, at io->off: until
 * allot_io_unlist() an append by this client takes its bytes
 * from it. Any context. */
void
allot_io_list(struct allot_io *io);

/** allot_io_unlist - the opposite; nothing if it is not listed. */
void
allot_io_unlist(struct allot_io *io);

/** allot_io_round_clear - drop the pieces of a round. */
void
allot_io_round_clear(struct allot_io *io);

/** allot_io_begin - the pieces of a round are about to be wound, all of them.
 */
void
allot_io_begin(struct allot_io *io);

/** allot_io_answered - @piece, with ret and err set, is answered; true for the
 * last one of the round. */
gf_boolean_t
allot_io_answered(struct allot_io *io, struct allot_io_piece *piece);

/** allot_io_judge - after all answers: 0 all good, 1 worth a repair (what is
 * needed is noted in io), -errno: cannot be helped. */
int
allot_io_judge(struct allot_io *io);

/** allot_io_repair - what the judge noted: catch up, fence. In a synctask,
 * alone. 0 or -errno. */
int
allot_io_repair(struct allot_io *io);

/* allot-write-whole.c ------------------------------------------------------ */

/** allot_write_whole_fits - is @io worth allot_write_whole(). In the gate. */
gf_boolean_t
allot_write_whole_fits(struct allot_io *io);

/** allot_write_whole - make the file spread by @arg, a struct allot_io, and
 * write it, in one. Entered alone; leaves the gate itself. Ends in
 * allot_write_done(), or if it is to be written in the usual way, which finds
 * out why, in allot_write_again(). Once for each. Any context without locks;
 * winds. */
void
allot_write_whole(void *arg);

/* allot-write-room.c ------------------------------------------------------- */

/** allot_write_no_room - is @err, an errno, for want of room. */
gf_boolean_t
allot_write_no_room(int err);

/** allot_write_note_before - after a round that met that: how long the portions
 * were that got a piece. Any context. */
void
allot_write_note_before(struct allot_io *io);

/** allot_write_end_before - where the file ends without this write, to
 * io->end_before, if that can be known. Before anything else is tried. In a
 * synctask, alone. */
void
allot_write_end_before(struct allot_io *io);

/** allot_write_cut_back - it will not be written: cut what it has made longer.
 * In a synctask, alone. */
void
allot_write_cut_back(struct allot_io *io);

/* allot-write.c ------------------------------------------------------------ */

/** allot_write_done - answer a write with @len bytes. */
void
allot_write_done(struct allot_io *io, uint64_t len);

/** allot_write_again - look again what a write needs; portions with io->orphan
 * are removed first. Takes the gate when the caller has left it. */
void
allot_write_again(struct allot_io *io);

/** allot_io_flags - what to send with @piece. To a portion whose fd is without
 * O_DIRECT none: storage/posix with linux-aio heeds it. */
static inline uint32_t
allot_io_flags(const struct allot_io *io, const struct allot_io_piece *piece)
{
    return piece->p.brick_idx == ALLOT_PIECE_BASE || piece->direct
               ? io->flags
               : io->flags & ~O_DIRECT;
}

/* ---- allot-direct.c
 * --------------------------------------------------------------- */

/** allot_direct_piece - of an fd with O_DIRECT: replaces @piece's fd, which is
 * its portion's, by that with O_DIRECT if the piece is one for it. A write's
 * buffers are known. 1: allot_direct_open() first; else 0. Any context. */
int
allot_direct_piece(struct allot_io *io, struct allot_io_piece *piece,
                   const struct allot_brick_view *view);

/** allot_direct_open - open with O_DIRECT what is open without it, if @io wants
 * it. What cannot be had is done without. In a synctask, alone. */
void
allot_direct_open(struct allot_io *io);

/** allot_direct_refused - @idx's brick does not take what was sent to that fd
 * of it. Any context. */
void
allot_direct_refused(struct allot_inode *ai, uint16_t idx);

/** allot_iatt_hollow - the iatt of a read's or write's reply: gfid and type
 * only. A zero ctime tells caches above to forget what they have. */
void
allot_iatt_hollow(inode_t *inode, struct iatt *buf);

#endif /* ALLOT_IO_H */
