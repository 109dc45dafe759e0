/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-codec-bytes.h - big-endian integers into and out of bounded buffers,
 * for the codec's own files only.
 *
 * Both sides are sticky: a writer that ran out of room goes on counting, a
 * reader that ran out of bytes gives zeros and remembers it. So an encoder or
 * decoder is a straight list of fields with one check at the end.
 */
#ifndef ALLOT_CODEC_BYTES_H
#define ALLOT_CODEC_BYTES_H

#include "allot-crc32c.h"
#include "allot-wire.h"

#include <string.h>

#define ALLOT_CODEC_VERSION 1
/* magic, version, CRC */
#define ALLOT_ITEM_MIN (4 + 1 + 4)

struct allot_writer {
    uint8_t *buf; /* NULL: only count */
    size_t cap;
    size_t len; /* may exceed cap: then nothing past cap was written */
};

struct allot_reader {
    const uint8_t *at;
    const uint8_t *end; /* the CRC begins here */
    int bad;
};

static inline void
allot_put_bytes(struct allot_writer *w, const void *bytes, size_t n)
{
    if (w->buf && w->len <= w->cap && n <= w->cap - w->len && n)
        memcpy(w->buf + w->len, bytes, n);
    w->len += n;
}

/* The @n low bytes of @value, highest first. */
static inline void
allot_put_uint(struct allot_writer *w, uint64_t value, unsigned n)
{
    uint8_t bytes[8];

    for (unsigned i = 0; i < n; i++)
        bytes[i] = (uint8_t)(value >> (8 * (n - 1 - i)));
    allot_put_bytes(w, bytes, n);
}

static inline void
allot_writer_begin(struct allot_writer *w, uint8_t *buf, size_t cap,
                   const char magic[4])
{
    w->buf = buf;
    w->cap = buf ? cap : 0;
    w->len = 0;
    allot_put_bytes(w, magic, 4);
    allot_put_uint(w, ALLOT_CODEC_VERSION, 1);
}

/* Seal with the CRC. Returns the length or -ENOBUFS. */
static inline int64_t
allot_writer_finish(struct allot_writer *w)
{
    if (w->buf) {
        if (w->len > w->cap || w->cap - w->len < 4)
            return -ENOBUFS;
        allot_put_uint(w, allot_crc32c(w->buf, w->len), 4);
    } else {
        w->len += 4;
    }
    return (int64_t)w->len;
}

static inline void
allot_get_bytes(struct allot_reader *r, void *bytes, size_t n)
{
    if (r->bad || (size_t)(r->end - r->at) < n) {
        r->bad = 1;
        memset(bytes, 0, n);
        return;
    }
    memcpy(bytes, r->at, n);
    r->at += n;
}

static inline uint64_t
allot_get_uint(struct allot_reader *r, unsigned n)
{
    uint8_t bytes[8];
    uint64_t value = 0;

    allot_get_bytes(r, bytes, n);
    for (unsigned i = 0; i < n; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* Check magic, CRC and version, in this order: a foreign thing is a bad
 * message whatever its sum, and only a whole thing has a version to trust.
 * Returns 0, -EBADMSG, -EPROTONOSUPPORT. */
static inline int
allot_reader_begin(struct allot_reader *r, const uint8_t *buf, size_t len,
                   const char magic[4])
{
    struct allot_reader crc;

    if (!buf || len < ALLOT_ITEM_MIN || memcmp(buf, magic, 4) != 0)
        return -EBADMSG;
    crc = (struct allot_reader){.at = buf + len - 4, .end = buf + len};
    if (allot_get_uint(&crc, 4) != allot_crc32c(buf, len - 4))
        return -EBADMSG;
    if (buf[4] != ALLOT_CODEC_VERSION)
        return -EPROTONOSUPPORT;
    *r = (struct allot_reader){.at = buf + 5, .end = buf + len - 4};
    return 0;
}

/* Nothing missing, nothing left over. Returns 0 or -EBADMSG. */
static inline int
allot_reader_finish(const struct allot_reader *r)
{
    return r->bad || r->at != r->end ? -EBADMSG : 0;
}

static inline int
allot_is_null16(const uint8_t id[16])
{
    static const uint8_t null16[16];

    return memcmp(id, null16, sizeof(null16)) == 0;
}

#endif /* ALLOT_CODEC_BYTES_H */
