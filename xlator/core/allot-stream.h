/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-stream.h - is somebody reading a file from one end to the other, and
 * how far ahead of him is worth reading?
 *
 * Requests of one stream arrive out of order: the kernel has several under way.
 * So a run is told by how much of its stretch has been asked for, not by
 * whether each request begins where the last one ended:
 *
 *     start                          pos
 *     |##==##==####==######==######==|      ==: still to come, or never
 *     |<------ all within SLACK of pos ---->|
 *
 * Deliberately not here: what is fetched, kept and thrown away.
 */
#ifndef ALLOT_STREAM_H
#define ALLOT_STREAM_H

#include <stdint.h>

/* A request further than this from the furthest byte begins a new run, bytes.
 */
#define ALLOT_STREAM_SLACK (512u << 10)

/* A run is believed when it is so long. Shorter files are never read ahead. */
#define ALLOT_STREAM_RUN (256u << 10)

/* The window that a run begins with, bytes. */
#define ALLOT_STREAM_WINDOW (512u << 10)

struct allot_stream {
    uint64_t start;  /* where the run began, bytes */
    uint64_t pos;    /* end of the furthest request */
    uint64_t seen;   /* bytes asked for since start */
    uint64_t window; /* bytes to have ready behind pos; 0: no run */
};

/**
 * allot_stream_read - take in a request for [off, off + len)
 * All zero is a fresh stream. Returns 1 while it is a run (then window is not
 * 0), else 0.
 */
int
allot_stream_read(struct allot_stream *s, uint64_t off, uint64_t len);

/** allot_stream_late - a byte was asked for before it was there: the window
 * doubles, up to @max bytes. */
void
allot_stream_late(struct allot_stream *s, uint64_t max);

/** allot_stream_early - something got too old before it was asked for: back to
 * the smallest window. */
void
allot_stream_early(struct allot_stream *s);

/**
 * allot_stream_more - should more be fetched now?
 * @fetched: end of what was fetched, bytes (not below pos means: that far)
 * @end: the end of the file
 * Fetching goes in strides of half a window, so that requests leave in bursts.
 * Returns up to which byte to fetch, 0 for nothing now.
 */
uint64_t
allot_stream_more(const struct allot_stream *s, uint64_t fetched, uint64_t end);

#endif /* ALLOT_STREAM_H */
