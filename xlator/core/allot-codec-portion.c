/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-codec-portion.c - the xattr of a portion, the identity of a brick, and
 * the list of files whose portions may be left over.
 *
 * The formats are drawn in allot-codec.h. The path of a portion is in
 * allot-name.c.
 */
#include "allot-codec.h"
#include "allot-codec-bytes.h"

static const char portion_magic[4] = {'A', 'L', 'P', 'T'};
#define PORTION_CLOSED 0x01

static const char brick_magic[4] = {'A', 'L', 'B', 'R'};
static const char gone_magic[4] = {'A', 'L', 'G', 'N'};

/* A name that a directory entry can have, or none. "." and ".." cannot come
 * here from a create or rename, but do no harm: the name is only a hint. */
static int
name_valid(const char *name, size_t len)
{
    return memchr(name, '\0', len) == NULL && memchr(name, '/', len) == NULL;
}

static int
portion_valid(const struct allot_portion *por, size_t name_len)
{
    return name_len <= ALLOT_NAME_MAX && name_valid(por->name, name_len) &&
           por->gen != 0 && por->nonce != 0 && !allot_is_null16(por->base_gfid);
}

int64_t
allot_portion_encode(const struct allot_portion *por, uint8_t *buf, size_t cap)
{
    size_t name_len = strnlen(por->name, sizeof(por->name));
    struct allot_writer w;

    if (!portion_valid(por, name_len))
        return -EINVAL;
    allot_writer_begin(&w, buf, cap, portion_magic);
    allot_put_uint(&w, name_len, 1);
    allot_put_uint(&w, por->closed ? PORTION_CLOSED : 0, 1);
    allot_put_uint(&w, 0, 1);
    allot_put_bytes(&w, por->base_gfid, 16);
    allot_put_uint(&w, por->nonce, 8);
    allot_put_uint(&w, por->gen, 8);
    allot_put_bytes(&w, por->parent_gfid, 16);
    allot_put_bytes(&w, por->name, name_len);
    return allot_writer_finish(&w);
}

int
allot_portion_decode(const uint8_t *buf, size_t len, struct allot_portion *por)
{
    struct allot_reader r;
    size_t name_len;
    uint64_t flags;
    uint64_t zero;
    int ret;

    memset(por, 0, sizeof(*por));
    ret = allot_reader_begin(&r, buf, len, portion_magic);
    if (ret)
        return ret;
    name_len = (size_t)allot_get_uint(&r, 1);
    flags = allot_get_uint(&r, 1);
    zero = allot_get_uint(&r, 1);
    por->closed = flags != 0;
    allot_get_bytes(&r, por->base_gfid, 16);
    por->nonce = allot_get_uint(&r, 8);
    por->gen = allot_get_uint(&r, 8);
    allot_get_bytes(&r, por->parent_gfid, 16);
    allot_get_bytes(&r, por->name, name_len);
    ret = allot_reader_finish(&r);
    if (ret == 0 && ((flags & ~PORTION_CLOSED) != 0 || zero != 0 ||
                     !portion_valid(por, name_len)))
        ret = -EBADMSG;
    if (ret)
        memset(por, 0, sizeof(*por));
    return ret;
}

static int
brick_id_valid(const struct allot_brick_id *id)
{
    if (id->leaves ? id->leaves < 2 || id->leaf >= id->leaves : id->leaf != 0)
        return 0;
    return !allot_is_null16(id->brick_uuid) &&
           !allot_is_null16(id->volume_uuid);
}

int64_t
allot_brick_id_encode(const struct allot_brick_id *id, uint8_t *buf, size_t cap)
{
    struct allot_writer w;

    if (!brick_id_valid(id))
        return -EINVAL;
    allot_writer_begin(&w, buf, cap, brick_magic);
    allot_put_uint(&w, id->leaves, 1);
    allot_put_uint(&w, id->leaf, 1);
    allot_put_uint(&w, 0, 1);
    allot_put_bytes(&w, id->brick_uuid, 16);
    allot_put_bytes(&w, id->volume_uuid, 16);
    return allot_writer_finish(&w);
}

int
allot_brick_id_decode(const uint8_t *buf, size_t len, struct allot_brick_id *id)
{
    struct allot_reader r;
    uint64_t zero;
    int ret;

    memset(id, 0, sizeof(*id));
    ret = allot_reader_begin(&r, buf, len, brick_magic);
    if (ret)
        return ret;
    id->leaves = (uint8_t)allot_get_uint(&r, 1);
    id->leaf = (uint8_t)allot_get_uint(&r, 1);
    zero = allot_get_uint(&r, 1);
    allot_get_bytes(&r, id->brick_uuid, 16);
    allot_get_bytes(&r, id->volume_uuid, 16);
    ret = allot_reader_finish(&r);
    if (ret == 0 && (zero != 0 || !brick_id_valid(id)))
        ret = -EBADMSG;
    if (ret)
        memset(id, 0, sizeof(*id));
    return ret;
}

static int
gone_valid(const struct allot_gone *gone)
{
    return gone->nonce != 0 && !allot_is_null16(gone->gfid);
}

int64_t
allot_gone_encode(const struct allot_gone *list, unsigned count, uint8_t *buf,
                  size_t cap)
{
    struct allot_writer w;

    if (count > ALLOT_GONE_MAX)
        return -EINVAL;
    allot_writer_begin(&w, buf, cap, gone_magic);
    allot_put_uint(&w, count, 2);
    for (unsigned i = 0; i < count; i++) {
        if (!gone_valid(&list[i]))
            return -EINVAL;
        allot_put_bytes(&w, list[i].gfid, 16);
        allot_put_uint(&w, list[i].nonce, 8);
        allot_put_uint(&w, list[i].serial, 8);
    }
    return allot_writer_finish(&w);
}

int
allot_gone_decode(const uint8_t *buf, size_t len, struct allot_gone *list)
{
    struct allot_reader r;
    unsigned count;
    int ret;

    ret = allot_reader_begin(&r, buf, len, gone_magic);
    if (ret)
        return ret;
    count = (unsigned)allot_get_uint(&r, 2);
    if (r.bad || count > ALLOT_GONE_MAX || len != ALLOT_GONE_BYTES(count))
        return -EBADMSG;
    for (unsigned i = 0; i < count; i++) {
        allot_get_bytes(&r, list[i].gfid, 16);
        list[i].nonce = allot_get_uint(&r, 8);
        list[i].serial = allot_get_uint(&r, 8);
        if (!gone_valid(&list[i]))
            return -EBADMSG;
    }
    ret = allot_reader_finish(&r);
    return ret ? ret : (int)count;
}
