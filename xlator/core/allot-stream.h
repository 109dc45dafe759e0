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

/* Where nothing comes in time, nothing is read ahead for so long, ms. */
#define ALLOT_STREAM_REST_MS 10000

struct allot_stream {
    uint64_t start;  /* where the run began, bytes */
    uint64_t pos;    /* end of the furthest request */
    uint64_t seen;   /* bytes asked for since start */
    uint64_t window; /* bytes to have ready behind pos; 0: no run */
    uint64_t grown;  /* when the window was doubled last, ms */
    uint64_t slowed; /* when it was halved last, ms */
    uint64_t rest;   /* until when nothing is fetched, ms */
    int full;        /* more would only wait longer on its way */
};

/**
 * allot_stream_read - take in a request for [off, off + len)
 * All zero is a fresh stream. Returns 1 while it is a run (then window is not
 * 0), else 0.
 */
int
allot_stream_read(struct allot_stream *s, uint64_t off, uint64_t len);

/**
 * allot_stream_late - a byte was asked for before it was there
 * @asked: when it was fetched, ms; @now: ms; @max: bytes
 * The window doubles, up to @max, unless the links are full already: once for
 * what was fetched with the same window, as in TCP's slow start. Otherwise it
 * would be at its largest before the first answer says how long it takes.
 */
void
allot_stream_late(struct allot_stream *s, uint64_t asked, uint64_t now,
                  uint64_t max);

/**
 * allot_stream_old - is what was fetched too old to be used?
 * @asked: when it was fetched, @now, @limit: ms. @now may be before @asked:
 * another thread has looked at the clock later, and fetched meanwhile.
 * Returns 1 from more than @limit on, else 0.
 */
int
allot_stream_old(uint64_t asked, uint64_t now, uint64_t limit);

/** allot_stream_early - something got too old before it was asked for (@now:
 * ms): back to the smallest window. */
void
allot_stream_early(struct allot_stream *s, uint64_t now);

/**
 * allot_stream_came - something that was fetched has come
 * @asked, @now: ms; @limit: ms after which it is too old to be used
 *
 * A window that takes long on its way does not make a stream faster: the links
 * are full, and what waits in front of them gets old. As in TCP's congestion
 * avoidance the window is halved, once for everything that was asked for at the
 * same time: from half of @limit on. From a quarter on it does not grow. Where
 * even the smallest window comes after @limit, it was fetched for nothing; then
 * nothing is fetched for ALLOT_STREAM_REST_MS.
 */
void
allot_stream_came(struct allot_stream *s, uint64_t asked, uint64_t now,
                  uint64_t limit);

/**
 * allot_stream_more - should more be fetched now?
 * @fetched: end of what was fetched, bytes (not below pos means: that far)
 * @end: the end of the file
 * @now: ms
 * Fetching goes in strides of half a window, so that requests leave in bursts.
 * Returns up to which byte to fetch, 0 for nothing now.
 */
uint64_t
allot_stream_more(const struct allot_stream *s, uint64_t fetched, uint64_t end,
                  uint64_t now);

#endif /* ALLOT_STREAM_H */
