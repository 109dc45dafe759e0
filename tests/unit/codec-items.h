/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * codec-items.h - every item of the codec under one interface, and a valid
 * sample of each, for test-codec.c and fuzz-codec.c. Needs no cmocka.
 *
 * golden/NAME.hex has the bytes of the sample NAME, made by hand from the
 * drawings in allot-codec.h, not by the encoder.
 */
#ifndef ALLOT_CODEC_ITEMS_H
#define ALLOT_CODEC_ITEMS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allot-codec.h"
#include "allot-crc32c.h"

#define ITEM_MAX 4096 /* room for any sample */

/* Decode @buf and encode what came out. Returns what the decoder said; if it
 * said 0, *@again is the encoder's answer. */
typedef int (*item_turn)(const uint8_t *buf, size_t len, uint8_t *out,
                         size_t cap, int64_t *again);

static inline int
turn_record(const uint8_t *buf, size_t len, uint8_t *out, size_t cap,
            int64_t *again)
{
    struct allot_record rec;
    int ret = allot_record_decode(buf, len, &rec);

    if (ret == 0) {
        *again = allot_record_encode(&rec, out, cap);
        allot_record_clear(&rec);
    }
    return ret;
}

static inline int
turn_portion(const uint8_t *buf, size_t len, uint8_t *out, size_t cap,
             int64_t *again)
{
    struct allot_portion por;
    int ret = allot_portion_decode(buf, len, &por);

    if (ret == 0)
        *again = allot_portion_encode(&por, out, cap);
    return ret;
}

static inline int
turn_brick(const uint8_t *buf, size_t len, uint8_t *out, size_t cap,
           int64_t *again)
{
    struct allot_brick_id id;
    int ret = allot_brick_id_decode(buf, len, &id);

    if (ret == 0)
        *again = allot_brick_id_encode(&id, out, cap);
    return ret;
}

static inline int
turn_registry(const uint8_t *buf, size_t len, uint8_t *out, size_t cap,
              int64_t *again)
{
    struct allot_registry reg;
    int ret = allot_registry_decode(buf, len, &reg);

    if (ret == 0) {
        *again = allot_registry_encode(&reg, out, cap);
        allot_registry_clear(&reg);
    }
    return ret;
}

static inline int
turn_handshake(const uint8_t *buf, size_t len, uint8_t *out, size_t cap,
               int64_t *again)
{
    struct allot_handshake hs;
    uint8_t *id = NULL;
    uint8_t *reg = NULL;
    int64_t id_len = 0;
    int64_t reg_len = 0;
    int ret = allot_handshake_decode(buf, len, &hs);

    if (ret)
        return ret;
    /* no part is longer than the whole */
    if (hs.has_id) {
        id = malloc(len);
        id_len = id ? allot_brick_id_encode(&hs.id, id, len) : -1;
    }
    if (hs.has_registry) {
        reg = malloc(len);
        reg_len = reg ? allot_registry_encode(&hs.registry, reg, len) : -1;
    }
    *again = -1;
    if (id_len >= 0 && reg_len >= 0)
        *again = allot_handshake_encode(id, (size_t)id_len, reg,
                                        (size_t)reg_len, out, cap);
    /* the encoder writes its own protocol number, whatever was there */
    if (*again > 8 && hs.protocol != ALLOT_PROTOCOL) {
        uint32_t crc;

        out[6] = (uint8_t)(hs.protocol >> 8);
        out[7] = (uint8_t)hs.protocol;
        crc = allot_crc32c(out, (size_t)*again - 4);
        for (int i = 0; i < 4; i++)
            out[*again - 4 + i] = (uint8_t)(crc >> (24 - 8 * i));
    }
    free(id);
    free(reg);
    if (hs.has_registry)
        allot_registry_clear(&hs.registry);
    return 0;
}

static inline int
turn_gone(const uint8_t *buf, size_t len, uint8_t *out, size_t cap,
          int64_t *again)
{
    struct allot_gone *list = calloc(ALLOT_GONE_MAX, sizeof(*list));
    int ret = list ? allot_gone_decode(buf, len, list) : -ENOMEM;

    if (ret >= 0)
        *again = allot_gone_encode(list, (unsigned)ret, out, cap);
    free(list);
    return ret < 0 ? ret : 0;
}

/* Give @buf the CRC that its other bytes need. */
static inline void
item_seal(uint8_t *buf, size_t len)
{
    uint32_t crc = allot_crc32c(buf, len - 4);

    for (int i = 0; i < 4; i++)
        buf[len - 4 + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
}

/* ---- samples ------------------------------------------------------------- */

#define SAMPLE_GFID                                                       \
    {                                                                     \
        0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, \
            0xbb, 0xcc, 0xdd, 0xee, 0xff                                  \
    }
#define SAMPLE_PARENT                                                     \
    {                                                                     \
        0x10, 0x21, 0x32, 0x43, 0x54, 0x65, 0x76, 0x87, 0x98, 0xa9, 0xba, \
            0xcb, 0xdc, 0xed, 0xfe, 0x0f                                  \
    }
#define SAMPLE_VOLUME                                                     \
    {                                                                     \
        0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10, 0x01, 0x23, 0x45, \
            0x67, 0x89, 0xab, 0xcd, 0xef                                  \
    }
#define SAMPLE_NONCE 0x0123456789abcdefull

static inline int64_t
sample_record(struct allot_record *rec, uint32_t inline_limit,
              const struct allot_extent *extents, uint32_t count, uint8_t *buf,
              size_t cap)
{
    int64_t len = allot_layout_new(inline_limit, extents, count, &rec->layout);

    if (len == 0)
        len = allot_record_encode(rec, buf, cap);
    allot_layout_free(rec->layout);
    return len;
}

static inline int64_t
sample_record_unspread(uint8_t *buf, size_t cap)
{
    struct allot_record rec = {.seq = 3, .gen = 9};

    return sample_record(&rec, 65536, NULL, 0, buf, cap);
}

static inline int64_t
sample_record_spread(uint8_t *buf, size_t cap)
{
    struct allot_member head[1] = {{2, 1}};
    struct allot_member three[3] = {{2, 1}, {0, 1}, {513, 1}};
    struct allot_member two[2] = {{0, 1}, {2, 255}};
    const struct allot_extent extents[3] = {
        {65536, 0, 18, 1, head},
        {262144, 1, 18, 3, three},
        {3000001, 1, 18, 2, two},
    };
    struct allot_record rec = {
        .flags = ALLOT_RECORD_DIRTY,
        .seq = 12,
        .gen = 8,
        .size = 5000000,
        .blocks512 = 9800,
        .nonce = SAMPLE_NONCE,
        .clip_count = 2,
        .clips = {{5, 1000000}, {8, 5000000}},
    };

    return sample_record(&rec, 65536, extents, 3, buf, cap);
}

static inline int64_t
sample_record_top(uint8_t *buf, size_t cap)
{
    struct allot_member one[1] = {{65535, 255}};
    struct allot_member two[2] = {{65534, 255}, {65535, 254}};
    const struct allot_extent extents[2] = {
        {UINT32_MAX, 0, 26, 1, one},
        {ALLOT_OFFSET_MAX, 1, 12, 2, two},
    };
    struct allot_record rec = {
        .flags = ALLOT_RECORD_DIRTY,
        .seq = UINT64_MAX,
        .gen = UINT64_MAX,
        .size = ALLOT_OFFSET_MAX,
        .blocks512 = UINT64_MAX,
        .nonce = UINT64_MAX,
        .clip_count = 1,
        .clips = {{UINT64_MAX, ALLOT_OFFSET_MAX}},
    };

    return sample_record(&rec, UINT32_MAX, extents, 2, buf, cap);
}

static inline int64_t
sample_portion(uint8_t *buf, size_t cap)
{
    const struct allot_portion por = {
        .base_gfid = SAMPLE_GFID,
        .nonce = SAMPLE_NONCE,
        .gen = 7,
        .parent_gfid = SAMPLE_PARENT,
        .name = "Bestellungen M\xc3\xa4rz.db",
    };

    return allot_portion_encode(&por, buf, cap);
}

static inline int64_t
sample_portion_nameless(uint8_t *buf, size_t cap)
{
    const struct allot_portion por = {
        .base_gfid = SAMPLE_GFID,
        .nonce = 1,
        .gen = UINT64_MAX,
    };

    return allot_portion_encode(&por, buf, cap);
}

static inline int64_t
sample_brick(uint8_t *buf, size_t cap)
{
    const struct allot_brick_id id = {
        .brick_uuid = SAMPLE_GFID,
        .volume_uuid = SAMPLE_VOLUME,
    };

    return allot_brick_id_encode(&id, buf, cap);
}

static inline int64_t
sample_registry(uint8_t *buf, size_t cap)
{
    struct allot_registry_brick bricks[3] = {
        {0, 1, ALLOT_ADMIN_NONE, SAMPLE_GFID, "v-client-0"},
        {1, 255, ALLOT_ADMIN_LOST, SAMPLE_PARENT, "v-client-1"},
        {7, 16, ALLOT_ADMIN_DRAINING, SAMPLE_VOLUME, ""},
    };
    const struct allot_registry reg = {
        .phase = ALLOT_REGISTRY_ACTIVE,
        .ns_kind = ALLOT_NS_REPLICATE,
        .version = 41,
        .volume_uuid = SAMPLE_VOLUME,
        .inline_limit = 65536,
        .next_index = 8,
        .brick_count = 3,
        .bricks = bricks,
    };

    memset(bricks[2].name, 'x', ALLOT_NAME_MAX);
    return allot_registry_encode(&reg, buf, cap);
}

static inline int64_t
sample_registry_forming(uint8_t *buf, size_t cap)
{
    struct allot_registry_brick bricks[1] = {
        {0, 1, ALLOT_ADMIN_NONE, SAMPLE_GFID, "v-client-0"},
    };
    const struct allot_registry reg = {
        .phase = ALLOT_REGISTRY_FORMING,
        .ns_kind = ALLOT_NS_DISTRIBUTE,
        .version = 1,
        .volume_uuid = SAMPLE_VOLUME,
        .next_index = 2,
        .brick_count = 1,
        .bricks = bricks,
    };

    return allot_registry_encode(&reg, buf, cap);
}

static inline int64_t
sample_handshake(uint8_t *buf, size_t cap)
{
    uint8_t id[ITEM_MAX];
    uint8_t reg[ITEM_MAX];
    int64_t id_len = sample_brick(id, sizeof(id));
    int64_t reg_len = sample_registry(reg, sizeof(reg));

    if (id_len < 0 || reg_len < 0)
        return -1;
    return allot_handshake_encode(id, (size_t)id_len, reg, (size_t)reg_len, buf,
                                  cap);
}

static inline int64_t
sample_handshake_blank(uint8_t *buf, size_t cap)
{
    return allot_handshake_encode(NULL, 0, NULL, 0, buf, cap);
}

static inline int64_t
sample_gone(uint8_t *buf, size_t cap)
{
    const struct allot_gone list[2] = {
        {SAMPLE_GFID, SAMPLE_NONCE, 0},
        {SAMPLE_PARENT, 1, UINT64_MAX},
    };

    return allot_gone_encode(list, 2, buf, cap);
}

static inline int64_t
sample_gone_none(uint8_t *buf, size_t cap)
{
    return allot_gone_encode(NULL, 0, buf, cap);
}

struct item {
    const char *name; /* of the sample and of its golden file */
    int64_t (*sample)(uint8_t *buf, size_t cap);
    item_turn turn;
};

static const struct item items[] = {
    {"record-unspread", sample_record_unspread, turn_record},
    {"record-spread", sample_record_spread, turn_record},
    {"record-top", sample_record_top, turn_record},
    {"portion", sample_portion, turn_portion},
    {"portion-nameless", sample_portion_nameless, turn_portion},
    {"brick", sample_brick, turn_brick},
    {"gone", sample_gone, turn_gone},
    {"gone-none", sample_gone_none, turn_gone},
    {"registry", sample_registry, turn_registry},
    {"registry-forming", sample_registry_forming, turn_registry},
    {"handshake", sample_handshake, turn_handshake},
    {"handshake-blank", sample_handshake_blank, turn_handshake},
};

#define ITEM_COUNT (sizeof(items) / sizeof(items[0]))

#endif /* ALLOT_CODEC_ITEMS_H */
