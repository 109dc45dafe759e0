/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-codec-record.c - the record of a base file: bytes, rules, clips.
 *
 * The format is drawn in allot-codec.h. What stands in a record is checked by
 * one function for both directions, so that nothing can be written that could
 * not be read back. Extents are checked by allot_layout_new().
 *
 * A record of ALLOT_RECORD_MAX bytes has room for about a thousand members;
 * a decoder needs some kilobytes of stack for them and at most half a
 * megabyte for their cycles, whatever the bytes say.
 */
#include "allot-codec.h"
#include "allot-codec-bytes.h"

static const char record_magic[4] = {'A', 'L', 'R', 'C'};

#define RECORD_FIXED 52 /* bytes before the clips */
#define CLIP_SIZE 16
#define EXTENT_SIZE 14
#define MEMBER_SIZE 3
#define MEMBERS_IN_RECORD (ALLOT_RECORD_MAX / MEMBER_SIZE)

/* Everything but the extents. */
static int
record_valid(const struct allot_record *rec, uint32_t extent_count)
{
    if (rec->flags & ~ALLOT_RECORD_DIRTY)
        return 0;
    if (rec->seq == 0 || rec->gen == 0 || rec->size > ALLOT_OFFSET_MAX ||
        rec->clip_count > ALLOT_CLIPS_MAX)
        return 0;
    for (uint32_t c = 0; c < rec->clip_count; c++) {
        const struct allot_clip *clip = &rec->clips[c];

        if (clip->gen == 0 || clip->gen > rec->gen ||
            clip->size > ALLOT_OFFSET_MAX)
            return 0;
        if (c > 0 && (clip->gen <= clip[-1].gen || clip->size <= clip[-1].size))
            return 0;
    }
    /* no extents: no portions, so nothing that would speak of them */
    if (extent_count == 0)
        return rec->flags == 0 && rec->size == 0 && rec->blocks512 == 0 &&
               rec->nonce == 0 && rec->clip_count == 0;
    return rec->nonce != 0;
}

int64_t
allot_record_encode(const struct allot_record *rec, uint8_t *buf, size_t cap)
{
    const struct allot_layout *layout = rec->layout;
    struct allot_writer w;
    size_t need;

    if (!layout || layout->extent_count > ALLOT_EXTENTS_MAX ||
        !record_valid(rec, layout->extent_count))
        return -EINVAL;
    need = RECORD_FIXED + rec->clip_count * (size_t)CLIP_SIZE + 4;
    for (uint32_t e = 0; e < layout->extent_count; e++)
        need +=
            EXTENT_SIZE + layout->extents[e].member_count * (size_t)MEMBER_SIZE;
    if (need > ALLOT_RECORD_MAX)
        return -EFBIG;

    allot_writer_begin(&w, buf, cap, record_magic);
    allot_put_uint(&w, rec->flags, 1);
    allot_put_uint(&w, rec->clip_count, 1);
    allot_put_uint(&w, layout->extent_count, 1);
    allot_put_uint(&w, layout->inline_limit, 4);
    allot_put_uint(&w, rec->seq, 8);
    allot_put_uint(&w, rec->gen, 8);
    allot_put_uint(&w, rec->size, 8);
    allot_put_uint(&w, rec->blocks512, 8);
    allot_put_uint(&w, rec->nonce, 8);
    for (uint32_t c = 0; c < rec->clip_count; c++) {
        allot_put_uint(&w, rec->clips[c].gen, 8);
        allot_put_uint(&w, rec->clips[c].size, 8);
    }
    for (uint32_t e = 0; e < layout->extent_count; e++) {
        const struct allot_extent *ext = &layout->extents[e];

        allot_put_uint(&w, ext->start_byte, 8);
        allot_put_uint(&w, ext->phase, 4);
        allot_put_uint(&w, ext->block_shift, 1);
        allot_put_uint(&w, ext->member_count, 1);
        for (uint32_t m = 0; m < ext->member_count; m++) {
            allot_put_uint(&w, ext->members[m].brick_idx, 2);
            allot_put_uint(&w, ext->members[m].weight, 1);
        }
    }
    return allot_writer_finish(&w);
}

uint32_t
allot_record_crc(const uint8_t *buf, size_t len)
{
    struct allot_reader r = {.at = buf + len - 4, .end = buf + len};

    return (uint32_t)allot_get_uint(&r, 4);
}

/* Read the extents and make the layout. */
static int
extents_decode(struct allot_reader *r, uint32_t inline_limit,
               uint32_t extent_count, struct allot_layout **layout)
{
    struct allot_extent extents[ALLOT_EXTENTS_MAX];
    struct allot_member members[MEMBERS_IN_RECORD];
    uint32_t filled = 0;
    int ret;

    if (extent_count > ALLOT_EXTENTS_MAX)
        return -EBADMSG;
    for (uint32_t e = 0; e < extent_count; e++) {
        struct allot_extent *ext = &extents[e];

        ext->start_byte = allot_get_uint(r, 8);
        ext->phase = (uint32_t)allot_get_uint(r, 4);
        ext->block_shift = (uint8_t)allot_get_uint(r, 1);
        ext->member_count = (uint8_t)allot_get_uint(r, 1);
        ext->members = members + filled;
        if (filled + ext->member_count > MEMBERS_IN_RECORD)
            return -EBADMSG;
        for (uint32_t m = 0; m < ext->member_count; m++) {
            ext->members[m].brick_idx = (uint16_t)allot_get_uint(r, 2);
            ext->members[m].weight = (uint8_t)allot_get_uint(r, 1);
        }
        filled += ext->member_count;
    }
    ret = allot_reader_finish(r);
    if (ret)
        return ret;
    ret = allot_layout_new(inline_limit, extents, extent_count, layout);
    return ret == 0 || ret == -ENOMEM ? ret : -EBADMSG;
}

int
allot_record_decode(const uint8_t *buf, size_t len, struct allot_record *rec)
{
    struct allot_reader r;
    uint32_t extent_count;
    uint32_t inline_limit;
    int ret;

    memset(rec, 0, sizeof(*rec));
    ret = allot_reader_begin(&r, buf, len, record_magic);
    if (ret)
        return ret;
    if (len > ALLOT_RECORD_MAX)
        return -EBADMSG;

    rec->flags = (uint8_t)allot_get_uint(&r, 1);
    rec->clip_count = (uint8_t)allot_get_uint(&r, 1);
    extent_count = (uint32_t)allot_get_uint(&r, 1);
    inline_limit = (uint32_t)allot_get_uint(&r, 4);
    rec->seq = allot_get_uint(&r, 8);
    rec->gen = allot_get_uint(&r, 8);
    rec->size = allot_get_uint(&r, 8);
    rec->blocks512 = allot_get_uint(&r, 8);
    rec->nonce = allot_get_uint(&r, 8);
    for (uint32_t c = 0; c < rec->clip_count && c < ALLOT_CLIPS_MAX; c++) {
        rec->clips[c].gen = allot_get_uint(&r, 8);
        rec->clips[c].size = allot_get_uint(&r, 8);
    }
    if (!record_valid(rec, extent_count))
        ret = -EBADMSG;
    else
        ret = extents_decode(&r, inline_limit, extent_count, &rec->layout);
    if (ret)
        memset(rec, 0, sizeof(*rec));
    return ret;
}

void
allot_record_clear(struct allot_record *rec)
{
    allot_layout_free(rec->layout);
    memset(rec, 0, sizeof(*rec));
}

int
allot_record_clip_add(struct allot_record *rec, uint64_t gen, uint64_t size)
{
    uint8_t keep = rec->clip_count;

    if (gen == 0 || size > ALLOT_OFFSET_MAX)
        return -EINVAL;
    if (keep && rec->clips[keep - 1].gen >= gen)
        return -EINVAL;
    /* sizes rise, so those that the new clip dominates are the last ones */
    while (keep && rec->clips[keep - 1].size >= size)
        keep--;
    if (keep == ALLOT_CLIPS_MAX)
        return -E2BIG;
    rec->clips[keep].gen = gen;
    rec->clips[keep].size = size;
    rec->clip_count = keep + 1;
    return 0;
}

uint64_t
allot_record_clip_for(const struct allot_record *rec, uint64_t gen)
{
    for (uint32_t c = 0; c < rec->clip_count; c++)
        if (rec->clips[c].gen > gen)
            return rec->clips[c].size; /* later ones are larger */
    return UINT64_MAX;
}
