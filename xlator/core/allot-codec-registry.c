/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-codec-registry.c - the registry of bricks, and the handshake that
 * carries it to a client.
 *
 * The formats are drawn in allot-codec.h. Which registry wins and who may
 * change one is decided elsewhere.
 */
#include "allot-codec.h"
#include "allot-codec-bytes.h"

#include <stdlib.h>

static const char registry_magic[4] = {'A', 'L', 'R', 'G'};
static const char handshake_magic[4] = {'A', 'L', 'H', 'S'};

#define HANDSHAKE_HAS_ID 0x01
#define HANDSHAKE_HAS_REGISTRY 0x02

/* ---- registry ------------------------------------------------------------ */

static int
brick_valid(const struct allot_registry_brick *brick)
{
    size_t name_len = strnlen(brick->name, sizeof(brick->name));

    return brick->weight != 0 && brick->admin_state <= ALLOT_ADMIN_DRAINING &&
           !allot_is_null16(brick->uuid) && name_len > 0 &&
           name_len <= ALLOT_NAME_MAX;
}

static int
uuid_cmp(const void *a, const void *b)
{
    return memcmp(a, b, 16);
}

/* Two bricks with one uuid: a copied brick, refused. 1 if there are none,
 * 0 if there are, -ENOMEM. */
static int
uuids_distinct(const struct allot_registry *reg)
{
    uint8_t(*uuids)[16];
    int distinct = 1;

    if (reg->brick_count < 2)
        return 1;
    uuids = malloc(reg->brick_count * sizeof(*uuids));
    if (!uuids)
        return -ENOMEM;
    for (uint32_t b = 0; b < reg->brick_count; b++)
        memcpy(uuids[b], reg->bricks[b].uuid, 16);
    qsort(uuids, reg->brick_count, sizeof(*uuids), uuid_cmp);
    for (uint32_t b = 1; b < reg->brick_count && distinct; b++)
        distinct = uuid_cmp(uuids[b], uuids[b - 1]) != 0;
    free(uuids);
    return distinct;
}

/* 1 valid, 0 not, -ENOMEM. */
static int
registry_valid(const struct allot_registry *reg)
{
    if (reg->phase != ALLOT_REGISTRY_FORMING &&
        reg->phase != ALLOT_REGISTRY_ACTIVE)
        return 0;
    if (reg->ns_kind > ALLOT_NS_REPLICATE || reg->version == 0 ||
        allot_is_null16(reg->volume_uuid) ||
        reg->brick_count > ALLOT_BRICKS_MAX ||
        (reg->brick_count && !reg->bricks))
        return 0;
    for (uint32_t b = 0; b < reg->brick_count; b++) {
        if (!brick_valid(&reg->bricks[b]))
            return 0;
        if (b > 0 && reg->bricks[b].index <= reg->bricks[b - 1].index)
            return 0;
        if (reg->bricks[b].index >= reg->next_index)
            return 0;
    }
    return uuids_distinct(reg);
}

int64_t
allot_registry_encode(const struct allot_registry *reg, uint8_t *buf,
                      size_t cap)
{
    struct allot_writer w;
    int valid = registry_valid(reg);

    if (valid < 0)
        return valid;
    if (!valid)
        return -EINVAL;
    allot_writer_begin(&w, buf, cap, registry_magic);
    allot_put_uint(&w, reg->phase, 1);
    allot_put_uint(&w, reg->ns_kind, 1);
    allot_put_uint(&w, 0, 1);
    allot_put_uint(&w, reg->version, 8);
    allot_put_bytes(&w, reg->volume_uuid, 16);
    allot_put_uint(&w, reg->inline_limit, 4);
    allot_put_uint(&w, reg->next_index, 2);
    allot_put_uint(&w, reg->brick_count, 2);
    for (uint32_t b = 0; b < reg->brick_count; b++) {
        const struct allot_registry_brick *brick = &reg->bricks[b];
        size_t name_len = strlen(brick->name);

        allot_put_uint(&w, brick->index, 2);
        allot_put_uint(&w, brick->weight, 1);
        allot_put_uint(&w, brick->admin_state, 1);
        allot_put_bytes(&w, brick->uuid, 16);
        allot_put_uint(&w, name_len, 1);
        allot_put_bytes(&w, brick->name, name_len);
    }
    return allot_writer_finish(&w);
}

/* Read the bricks. The array is made only when the bytes for that many bricks
 * are there. Returns 0, -EBADMSG, -ENOMEM. */
static int
bricks_decode(struct allot_reader *r, struct allot_registry *reg)
{
    const size_t brick_min = 2 + 1 + 1 + 16 + 1 + 1;

    if (reg->brick_count > ALLOT_BRICKS_MAX ||
        reg->brick_count * brick_min > (size_t)(r->end - r->at))
        return -EBADMSG;
    if (reg->brick_count == 0)
        return allot_reader_finish(r);
    reg->bricks = calloc(reg->brick_count, sizeof(*reg->bricks));
    if (!reg->bricks)
        return -ENOMEM;
    for (uint32_t b = 0; b < reg->brick_count; b++) {
        struct allot_registry_brick *brick = &reg->bricks[b];
        size_t name_len;

        brick->index = (uint16_t)allot_get_uint(r, 2);
        brick->weight = (uint8_t)allot_get_uint(r, 1);
        brick->admin_state = (uint8_t)allot_get_uint(r, 1);
        allot_get_bytes(r, brick->uuid, 16);
        name_len = (size_t)allot_get_uint(r, 1);
        allot_get_bytes(r, brick->name, name_len);
        if (strlen(brick->name) != name_len)
            return -EBADMSG;
    }
    return allot_reader_finish(r);
}

int
allot_registry_decode(const uint8_t *buf, size_t len,
                      struct allot_registry *reg)
{
    struct allot_reader r;
    uint64_t zero;
    int ret;

    memset(reg, 0, sizeof(*reg));
    ret = allot_reader_begin(&r, buf, len, registry_magic);
    if (ret)
        return ret;
    reg->phase = (uint8_t)allot_get_uint(&r, 1);
    reg->ns_kind = (uint8_t)allot_get_uint(&r, 1);
    zero = allot_get_uint(&r, 1);
    reg->version = allot_get_uint(&r, 8);
    allot_get_bytes(&r, reg->volume_uuid, 16);
    reg->inline_limit = (uint32_t)allot_get_uint(&r, 4);
    reg->next_index = (uint16_t)allot_get_uint(&r, 2);
    reg->brick_count = (uint16_t)allot_get_uint(&r, 2);
    ret = bricks_decode(&r, reg);
    if (ret == 0) {
        int valid = zero == 0 ? registry_valid(reg) : 0;

        if (valid <= 0)
            ret = valid < 0 ? valid : -EBADMSG;
    }
    if (ret)
        allot_registry_clear(reg);
    return ret;
}

void
allot_registry_clear(struct allot_registry *reg)
{
    free(reg->bricks);
    memset(reg, 0, sizeof(*reg));
}

static int
brick_index_cmp(const void *key, const void *elem)
{
    uint16_t index = *(const uint16_t *)key;
    const struct allot_registry_brick *brick = elem;

    return (index > brick->index) - (index < brick->index);
}

const struct allot_registry_brick *
allot_registry_find(const struct allot_registry *reg, uint16_t index)
{
    if (reg->brick_count == 0)
        return NULL;
    return bsearch(&index, reg->bricks, reg->brick_count, sizeof(*reg->bricks),
                   brick_index_cmp);
}

/* ---- handshake ----------------------------------------------------------- */

int64_t
allot_handshake_encode(const uint8_t *id, size_t id_len, const uint8_t *reg,
                       size_t reg_len, uint8_t *buf, size_t cap)
{
    struct allot_writer w;
    uint8_t flags = 0;

    if (!id != !id_len || !reg != !reg_len || id_len > UINT32_MAX ||
        reg_len > UINT32_MAX)
        return -EINVAL;
    if (id)
        flags |= HANDSHAKE_HAS_ID;
    if (reg)
        flags |= HANDSHAKE_HAS_REGISTRY;
    allot_writer_begin(&w, buf, cap, handshake_magic);
    allot_put_uint(&w, flags, 1);
    allot_put_uint(&w, ALLOT_PROTOCOL, 2);
    allot_put_uint(&w, id_len, 4);
    allot_put_uint(&w, reg_len, 4);
    allot_put_bytes(&w, id, id_len);
    allot_put_bytes(&w, reg, reg_len);
    return allot_writer_finish(&w);
}

int
allot_handshake_decode(const uint8_t *buf, size_t len,
                       struct allot_handshake *hs)
{
    struct allot_reader r;
    uint8_t flags;
    size_t id_len;
    size_t reg_len;
    int ret;

    memset(hs, 0, sizeof(*hs));
    ret = allot_reader_begin(&r, buf, len, handshake_magic);
    if (ret)
        return ret;
    flags = (uint8_t)allot_get_uint(&r, 1);
    hs->protocol = (uint16_t)allot_get_uint(&r, 2);
    id_len = (size_t)allot_get_uint(&r, 4);
    reg_len = (size_t)allot_get_uint(&r, 4);
    hs->has_id = (flags & HANDSHAKE_HAS_ID) != 0;
    hs->has_registry = (flags & HANDSHAKE_HAS_REGISTRY) != 0;
    if (r.bad || flags & ~(HANDSHAKE_HAS_ID | HANDSHAKE_HAS_REGISTRY) ||
        hs->has_id != (id_len > 0) || hs->has_registry != (reg_len > 0) ||
        (uint64_t)id_len + reg_len != (uint64_t)(r.end - r.at))
        ret = -EBADMSG;
    if (ret == 0 && hs->has_id)
        ret = allot_brick_id_decode(r.at, id_len, &hs->id);
    if (ret == 0 && hs->has_registry)
        ret = allot_registry_decode(r.at + id_len, reg_len, &hs->registry);
    if (ret)
        memset(hs, 0, sizeof(*hs));
    return ret;
}
