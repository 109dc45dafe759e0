/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-prefetch.h - reading ahead of a stream, over all members at once.
 *
 * One stream through FUSE has one or two requests of 128 KiB under way, that is
 * one brick at work. Here whole chunks are read before they are asked for, as
 * many as keep the stream from waiting, and handed out by reference.
 *
 *            pos                      fetched
 *     -- read -|== ready ==|== ready ==|.. under way ..|      file
 *              |<------------- window ---------------->|
 *
 * What was read ahead is used only if
 *   - the file's record is clean, and the same (gen and seq) as when the chunk
 *     was asked for: somebody's truncation, append or first write has another;
 *   - nothing of this client changed the file, opened it or took a lock on it
 *     since (allot_inode.changes);
 *   - it was asked for at most ALLOT_PREFETCH_MS ago.
 * So it is at most that old, and never older than the last open, lock or stat
 * by this client: a stat reads the record. A mount through FUSE has older bytes
 * in the kernel's cache.
 *
 * An error while reading ahead is nobody's: the chunk goes away, and who wants
 * the bytes reads them himself and gets the error himself.
 */
#ifndef ALLOT_PREFETCH_H
#define ALLOT_PREFETCH_H

#include "allot-io.h"

/* How old a chunk may be when it is used, ms. */
#define ALLOT_PREFETCH_MS 1000

/* Bytes of one chunk; chunks lie at multiples of it. */
#define ALLOT_PREFETCH_CHUNK (256u << 10)

/* All streams of a mount together have at most so many windows. */
#define ALLOT_PREFETCH_STREAMS 16

struct allot_prefetch;

/**
 * allot_prefetch_read - let what was read ahead answer a read
 * @io: a read as it came, not in the gate yet
 * Also takes in the request as part of the fd's stream, and asks for more when
 * it is time. Returns true if @io was answered or waits for a chunk: it is not
 * the caller's any more. Winds; no locks held.
 */
gf_boolean_t
allot_prefetch_read(struct allot_io *io);

/** allot_prefetch_free - at the release of an fd: nothing is under way then,
 * what is under way holds the fd. NULL allowed. */
void
allot_prefetch_free(struct allot_prefetch *ahead);

/** allot_prefetch_changed - what was read ahead of this file must not be used
 * any more. Any context. */
void
allot_prefetch_changed(struct allot_inode *ai);

/**
 * allot_read_own - read [off, off + len) of @fd for ourselves (allot-read.c)
 * @like: the frame whose lock owner and credentials are used
 * @done: called once with what a readv would answer; @iov and @iobref are the
 * caller's. Perhaps before this returns. Winds.
 * 0, or -ENOMEM (then @done is not called).
 */
int
allot_read_own(call_frame_t *like, fd_t *fd, uint64_t len, uint64_t off,
               allot_read_done_fn done, void *arg);

/** allot_read_go_on - enter the gate with a read that waited in vain
 * (allot-read.c). */
void
allot_read_go_on(struct allot_io *io);

/** allot_read_unwind - answer a read and free @io (allot-read.c). @ret bytes
 * and @err as readv's; @iov and @iobref stay the caller's. */
void
allot_read_unwind(struct allot_io *io, int32_t ret, int32_t err,
                  struct iovec *iov, int count, struct iobref *iobref);

#endif /* ALLOT_PREFETCH_H */
