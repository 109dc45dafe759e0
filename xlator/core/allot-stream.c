/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* allot-stream.c - see allot-stream.h. */
#include "allot-stream.h"

static int
stream_begin(struct allot_stream *s, uint64_t off, uint64_t len)
{
    s->start = off;
    s->pos = off + len;
    s->seen = len;
    s->window = 0;
    s->full = 0;
    return 0;
}

int
allot_stream_read(struct allot_stream *s, uint64_t off, uint64_t len)
{
    uint64_t end = off + len;

    if (s->seen == 0 || (off > s->pos && off - s->pos > ALLOT_STREAM_SLACK) ||
        (end < s->pos && s->pos - end > ALLOT_STREAM_SLACK))
        return stream_begin(s, off, len);
    if (off < s->start)
        s->start = off;
    if (end > s->pos)
        s->pos = end;
    s->seen += len;
    if (s->pos - s->start < ALLOT_STREAM_RUN ||
        s->seen < (s->pos - s->start) / 4 * 3) {
        s->window = 0;
        return 0;
    }
    if (!s->window)
        s->window = ALLOT_STREAM_WINDOW;
    return 1;
}

void
allot_stream_late(struct allot_stream *s, uint64_t asked, uint64_t now,
                  uint64_t max)
{
    if (!s->window || s->full || s->window >= max || asked < s->grown)
        return;
    s->window = s->window * 2 < max ? s->window * 2 : max;
    s->grown = now;
}

int
allot_stream_old(uint64_t asked, uint64_t now, uint64_t limit)
{
    return now > asked && now - asked > limit;
}

void
allot_stream_early(struct allot_stream *s, uint64_t now)
{
    if (!s->window)
        return;
    s->window = ALLOT_STREAM_WINDOW;
    s->slowed = now;
}

void
allot_stream_came(struct allot_stream *s, uint64_t asked, uint64_t now,
                  uint64_t limit)
{
    uint64_t took = now > asked ? now - asked : 0;

    s->full = took >= limit / 4;
    if (took < limit / 2 || asked < s->slowed)
        return;
    s->slowed = now;
    if (s->window / 2 >= ALLOT_STREAM_WINDOW)
        s->window /= 2;
    else if (took > limit)
        s->rest = now + ALLOT_STREAM_REST_MS;
}

uint64_t
allot_stream_more(const struct allot_stream *s, uint64_t fetched, uint64_t end,
                  uint64_t now)
{
    uint64_t to = s->pos + s->window;

    if (!s->window || now < s->rest)
        return 0;
    if (fetched > s->pos && fetched - s->pos > s->window / 2)
        return 0;
    if (to > end)
        to = end;
    return to > fetched && to > s->pos ? to : 0;
}
