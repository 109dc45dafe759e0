/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * test-codec-content.c - what each kind of item may contain: impossible
 * contents under a right CRC, fields that come back as they went in, limits of
 * size, clips. What holds for all items alike is in test-codec.c.
 */
#include "allot-test.h"
#include "codec-items.h"

/* ---- impossible contents ------------------------------------------------- */

/* @bytes (hex) written over the sample at @offset, and sealed. */
struct patch {
    size_t offset;
    const char *hex;
    const char *what;
};

static const struct item *
item_named(const char *name)
{
    for (size_t i = 0; i < ITEM_COUNT; i++)
        if (strcmp(items[i].name, name) == 0)
            return &items[i];
    fail_msg("no item %s", name);
    return NULL;
}

static void
check_patches(const char *name, const struct patch *patches, size_t count)
{
    const struct item *item = item_named(name);

    for (size_t i = 0; i < count; i++) {
        uint8_t buf[ITEM_MAX];
        uint8_t out[ITEM_MAX];
        int64_t again;
        size_t len = (size_t)item->sample(buf, sizeof(buf));
        size_t n = strlen(patches[i].hex) / 2;
        int ret;

        assert_true(patches[i].offset + n <= len - 4);
        for (size_t b = 0; b < n; b++) {
            unsigned value;

            assert_int_equal(sscanf(patches[i].hex + 2 * b, "%2x", &value), 1);
            buf[patches[i].offset + b] = (uint8_t)value;
        }
        item_seal(buf, len);
        ret = item->turn(buf, len, out, sizeof(out), &again);
        if (ret != -EBADMSG)
            fail_msg("%s: %s gives %d", name, patches[i].what, ret);
    }
}

#define CHECK_PATCHES(name, patches) \
    check_patches(name, patches, sizeof(patches) / sizeof(patches[0]))

static void
test_impossible_records(void **state)
{
    static const struct patch spread[] = {
        {5, "02", "an unknown flag"},
        {5, "81", "an unknown flag beside DIRTY"},
        {6, "05", "five clips"},
        {6, "ff", "255 clips"},
        {6, "01", "a clip too few"},
        {7, "02", "an extent too few"},
        {7, "04", "an extent too many"},
        {7, "31", "49 extents"},
        {7, "ff", "255 extents"},
        {7, "00", "no extents but their bytes"},
        {8, "00010001", "extent 0 not at inline_limit"},
        {12, "0000000000000000", "seq 0"},
        {20, "0000000000000000", "gen 0"},
        {20, "0000000000000007", "a clip newer than the record"},
        {28, "8000000000000000", "a size of 2^63"},
        {28, "ffffffffffffffff", "a size of 2^64 - 1"},
        {44, "0000000000000000", "nonce 0 with extents"},
        {52, "0000000000000000", "clip of gen 0"},
        {52, "0000000000000008", "clips with one gen"},
        {52, "0000000000000009", "clips with falling gen"},
        {60, "00000000004c4b40", "clips with one size"},
        {60, "00000000004c4b41", "clips with falling size"},
        {76, "8000000000000000", "a clip of 2^63"},
        {84, "000000000000ffff", "extent 0 before inline_limit"},
        {84, "0000000000010001", "extent 0 behind inline_limit"},
        {92, "00000001", "phase 1 of 1"},
        {96, "0b", "blocks of 2 KiB"},
        {96, "1b", "blocks of 128 MiB"},
        {97, "00", "an extent of nobody"},
        {97, "02", "a member too many"},
        {97, "ff", "255 members of three bytes"},
        {100, "00", "a member of weight 0"},
        {101, "0000000000010000", "two extents at one place"},
        {101, "000000000000fff0", "extents that fall back"},
        {101, "0000000000000000", "a second extent at 0"},
        {109, "00000003", "phase 3 of 3"},
        {109, "ffffffff", "phase 2^32 - 1"},
        {118, "0002", "a brick twice in an extent"},
        {124, "8000000000000000", "an extent at 2^63"},
    };
    static const struct patch unspread[] = {
        {5, "01", "DIRTY without extents"},
        {6, "01", "a clip that is not there"},
        {7, "01", "an extent that is not there"},
        {28, "0000000000000001", "a size without extents"},
        {36, "0000000000000001", "blocks without extents"},
        {44, "0000000000000001", "a nonce without extents"},
        {12, "0000000000000000", "seq 0"},
        {20, "0000000000000000", "gen 0"},
    };

    (void)state;
    CHECK_PATCHES("record-spread", spread);
    CHECK_PATCHES("record-unspread", unspread);
}

static void
test_impossible_portions_and_bricks(void **state)
{
    static const struct patch portion[] = {
        {5, "00", "bytes of a name that has none"},
        {5, "16", "a name one byte longer than the bytes"},
        {5, "ff", "a name of 255 bytes"},
        {6, "0001", "a byte that must be zero"},
        {6, "0200", "an unknown flag"},
        {6, "8000", "an unknown flag"},
        {8, "00000000000000000000000000000000", "no base gfid"},
        {24, "0000000000000000", "nonce 0"},
        {32, "0000000000000000", "gen 0"},
        {56, "00", "NUL in the name"},
        {60, "2f", "'/' in the name"},
    };
    static const struct patch brick[] = {
        {5, "000001", "a byte that must be zero"},
        {5, "000100", "a leaf of no set"},
        {5, "020200", "a leaf past its set"},
        {5, "010000", "a set of one"},
        {8, "00000000000000000000000000000000", "no brick uuid"},
        {24, "00000000000000000000000000000000", "no volume uuid"},
    };

    (void)state;
    CHECK_PATCHES("portion", portion);
    CHECK_PATCHES("brick", brick);
}

static void
test_impossible_registries(void **state)
{
    static const struct patch registry[] = {
        {5, "00", "phase 0"},
        {5, "03", "phase 3"},
        {6, "03", "an unknown namespace kind"},
        {7, "01", "a byte that must be zero"},
        {8, "0000000000000000", "version 0"},
        {16, "00000000000000000000000000000000", "no volume uuid"},
        {36, "0007", "the next index is given already"},
        {36, "0000", "the next index is 0"},
        {38, "0000", "no bricks but their bytes"},
        {38, "0002", "a brick too few"},
        {38, "0004", "a brick too many"},
        {38, "03e9", "1001 bricks"},
        {38, "ffff", "65535 bricks"},
        {42, "00", "weight 0"},
        {43, "03", "an unknown state"},
        {44, "00000000000000000000000000000000", "no brick uuid"},
        {44, "102132435465768798a9bacbdcedfe0f", "one uuid twice"},
        {60, "00", "no name but its bytes"},
        {60, "09", "a name one byte too short"},
        {61, "00", "NUL in the name"},
        {71, "0000", "one index twice"},
        {71, "0008", "indexes that fall"},
    };

    (void)state;
    CHECK_PATCHES("registry", registry);
}

static void
test_impossible_handshakes(void **state)
{
    static const struct patch handshake[] = {
        {5, "07", "an unknown flag"},
        {5, "02", "an identity without its flag"},
        {5, "01", "a registry without its flag"},
        {5, "00", "both without their flags"},
        {8, "00000000", "no identity but its flag"},
        {8, "0000002b", "an identity too short"},
        {8, "ffffffff", "an identity of 4 GiB"},
        {8, "ffffffd4", "lengths that wrap"},
        {12, "00000000", "no registry but its flag"},
        {12, "ffffffff", "a registry of 4 GiB"},
        {16, "414c5247", "an identity with a registry's magic"},
        {24, "01", "an identity with a wrong CRC"},
        {61, "03", "a registry with a wrong CRC"},
    };
    static const struct patch blank[] = {
        {5, "01", "an identity that is not there"},
        {5, "02", "a registry that is not there"},
        {8, "00000001", "a length of nothing"},
    };

    (void)state;
    CHECK_PATCHES("handshake", handshake);
    CHECK_PATCHES("handshake-blank", blank);
}

/* The checker tells a possible change: another inline_limit of a registry. */
static void
test_possible_change_is_accepted(void **state)
{
    const struct item *item = item_named("registry");
    uint8_t buf[ITEM_MAX];
    uint8_t out[ITEM_MAX];
    int64_t again;
    size_t len = (size_t)item->sample(buf, sizeof(buf));

    (void)state;
    buf[34] ^= 1;
    item_seal(buf, len);
    assert_int_equal(item->turn(buf, len, out, sizeof(out), &again), 0);
}

/* A part with a version that is not known makes the handshake such a one. */
static void
test_unknown_version_within_a_handshake(void **state)
{
    struct allot_handshake hs;
    uint8_t id[ITEM_MAX];
    uint8_t buf[ITEM_MAX];
    size_t id_len = (size_t)sample_brick(id, sizeof(id));
    int64_t len;

    (void)state;
    id[4] = 2;
    item_seal(id, id_len);
    len = allot_handshake_encode(id, id_len, NULL, 0, buf, sizeof(buf));
    assert_true(len > 0);
    assert_int_equal(allot_handshake_decode(buf, (size_t)len, &hs),
                     -EPROTONOSUPPORT);
}

/* ---- fields come back ---------------------------------------------------- */

static uint64_t
random_nonzero(void)
{
    uint64_t value = test_rand() >> test_below(64);

    return value ? value : 1;
}

static void
assert_same_layout(const struct allot_layout *a, const struct allot_layout *b)
{
    assert_int_equal(a->inline_limit, b->inline_limit);
    assert_int_equal(a->extent_count, b->extent_count);
    for (uint32_t e = 0; e < a->extent_count; e++) {
        const struct allot_extent *x = &a->extents[e];
        const struct allot_extent *y = &b->extents[e];

        assert_true(x->start_byte == y->start_byte);
        assert_int_equal(x->phase, y->phase);
        assert_int_equal(x->block_shift, y->block_shift);
        assert_int_equal(x->member_count, y->member_count);
        for (uint32_t m = 0; m < x->member_count; m++) {
            assert_int_equal(x->members[m].brick_idx, y->members[m].brick_idx);
            assert_int_equal(x->members[m].weight, y->members[m].weight);
        }
        assert_int_equal(a->cycles[e].len, b->cycles[e].len);
        assert_memory_equal(a->cycles[e].slots, b->cycles[e].slots,
                            a->cycles[e].len * sizeof(*a->cycles[e].slots));
    }
    assert_int_equal(a->brick_count, b->brick_count);
    if (a->brick_count)
        assert_memory_equal(a->bricks, b->bricks,
                            a->brick_count * sizeof(*a->bricks));
}

static void
test_random_records(void **state)
{
    (void)state;
    for (int round = 0; round < 500; round++) {
        const struct random_shape shape = {
            .inline_limit = random_inline(),
            .from = 0,
            .to = test_between(1 << 20, OFFSET_END),
            .extents = 20,
            .bricks = 1000,
            .members = 16,
            .weight_max = 255,
            .shift_max = 26,
        };
        struct allot_record rec = {
            .flags = (uint8_t)test_below(2),
            .seq = random_nonzero(),
            .gen = 1000 + random_nonzero() / 2,
            .size = test_below(OFFSET_END),
            .blocks512 = test_rand(),
            .nonce = random_nonzero(),
            .clip_count = (uint8_t)test_below(ALLOT_CLIPS_MAX + 1),
        };
        struct allot_record back;
        uint8_t buf[ALLOT_RECORD_MAX];
        int64_t len;

        for (uint8_t c = 0; c < rec.clip_count; c++) {
            rec.clips[c].gen = c * 200 + test_between(1, 200);
            rec.clips[c].size = (c << 20) + test_below(1 << 20);
        }
        rec.layout = random_layout(&shape);
        len = allot_record_encode(&rec, buf, sizeof(buf));
        assert_true(len > 0);
        assert_int_equal(allot_record_encode(&rec, NULL, 0), len);
        assert_int_equal(allot_record_crc(buf, len),
                         allot_crc32c(buf, len - 4));
        assert_int_equal(allot_record_decode(buf, (size_t)len, &back), 0);
        assert_int_equal(back.flags, rec.flags);
        assert_true(back.seq == rec.seq && back.gen == rec.gen);
        assert_true(back.size == rec.size && back.nonce == rec.nonce);
        assert_true(back.blocks512 == rec.blocks512);
        assert_int_equal(back.clip_count, rec.clip_count);
        assert_memory_equal(back.clips, rec.clips,
                            rec.clip_count * sizeof(rec.clips[0]));
        assert_same_layout(back.layout, rec.layout);
        allot_record_clear(&back);
        assert_null(back.layout);
        allot_record_clear(&rec);
    }
}

static void
test_encoders_refuse(void **state)
{
    struct allot_record rec = {.seq = 1, .gen = 1};
    struct allot_portion por = {
        .base_gfid = SAMPLE_GFID,
        .nonce = 1,
        .gen = 1,
        .name = "a/b",
    };
    struct allot_brick_id id = {.brick_uuid = SAMPLE_GFID};
    struct allot_registry reg = {.phase = ALLOT_REGISTRY_ACTIVE,
                                 .version = 1,
                                 .volume_uuid = SAMPLE_VOLUME,
                                 .brick_count = 1};
    const uint8_t byte = 0;

    (void)state;
    assert_int_equal(allot_record_encode(&rec, NULL, 0), -EINVAL);
    assert_int_equal(allot_layout_new(0, NULL, 0, &rec.layout), 0);
    assert_int_equal(allot_record_encode(&rec, NULL, 0), 56);
    rec.seq = 0;
    assert_int_equal(allot_record_encode(&rec, NULL, 0), -EINVAL);
    rec.seq = 1;
    rec.nonce = 1;
    assert_int_equal(allot_record_encode(&rec, NULL, 0), -EINVAL);
    allot_record_clear(&rec);

    assert_int_equal(allot_portion_encode(&por, NULL, 0), -EINVAL);
    memset(por.name, 'n', sizeof(por.name)); /* no NUL */
    assert_int_equal(allot_portion_encode(&por, NULL, 0), -EINVAL);
    por.name[ALLOT_NAME_MAX] = '\0';
    assert_int_equal(allot_portion_encode(&por, NULL, 0), 56 + 255 + 4);
    por.nonce = 0;
    assert_int_equal(allot_portion_encode(&por, NULL, 0), -EINVAL);

    assert_int_equal(allot_brick_id_encode(&id, NULL, 0), -EINVAL);
    assert_int_equal(allot_registry_encode(&reg, NULL, 0), -EINVAL);
    assert_int_equal(allot_handshake_encode(&byte, 0, NULL, 0, NULL, 0),
                     -EINVAL);
    assert_int_equal(allot_handshake_encode(NULL, 1, NULL, 0, NULL, 0),
                     -EINVAL);
    assert_int_equal(allot_handshake_encode(NULL, 0, &byte, 0, NULL, 0),
                     -EINVAL);
}

/* A plain brick has neither number; a leaf's is below its set's. */
static void
test_brick_leaf(void **state)
{
    static const struct {
        uint8_t leaves;
        uint8_t leaf;
        int good;
    } cases[] = {{0, 0, 1}, {0, 1, 0}, {1, 0, 0},    {2, 0, 1},
                 {2, 1, 1}, {2, 2, 0}, {255, 254, 1}};
    struct allot_brick_id id = {
        .brick_uuid = SAMPLE_GFID,
        .volume_uuid = SAMPLE_VOLUME,
    };
    struct allot_brick_id back;
    uint8_t buf[44];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        id.leaves = cases[i].leaves;
        id.leaf = cases[i].leaf;
        if (!cases[i].good) {
            assert_int_equal(allot_brick_id_encode(&id, buf, sizeof(buf)),
                             -EINVAL);
            continue;
        }
        assert_int_equal(allot_brick_id_encode(&id, buf, sizeof(buf)), 44);
        assert_int_equal(buf[5], id.leaves);
        assert_int_equal(buf[6], id.leaf);
        assert_int_equal(allot_brick_id_decode(buf, sizeof(buf), &back), 0);
        assert_int_equal(back.leaves, id.leaves);
        assert_int_equal(back.leaf, id.leaf);
    }
}

/* ---- limits -------------------------------------------------------------- */

/* Four extents with @members together; 56 + 4 * 14 + 3 * members bytes. */
static int64_t
encode_with_members(uint32_t members, uint8_t *buf, size_t cap)
{
    struct allot_member list[4][ALLOT_MEMBERS_MAX];
    struct allot_extent extents[4];
    struct allot_record rec = {.seq = 1, .gen = 1, .nonce = 1};

    for (uint32_t e = 0; e < 4; e++) {
        uint32_t count = members / (4 - e);

        members -= count;
        extents[e] =
            (struct allot_extent){e * 4096ull, 0, 12, (uint8_t)count, list[e]};
        for (uint32_t m = 0; m < count; m++)
            list[e][m] = (struct allot_member){
                (uint16_t)m, (uint8_t)(m == 0 ? 254 - e : 255)};
    }
    return sample_record(&rec, 0, extents, 4, buf, cap);
}

static void
test_largest_record(void **state)
{
    uint8_t buf[ALLOT_RECORD_MAX + 64] = {0};
    struct allot_record rec;
    uint64_t slots = 0;

    (void)state;
    assert_int_equal(encode_with_members(986, buf, sizeof(buf)), 3070);
    assert_int_equal(allot_record_decode(buf, 3070, &rec), 0);
    /* what the bytes can make us compute is bounded: half a megabyte */
    for (uint32_t e = 0; e < 4; e++)
        slots += rec.layout->cycles[e].len;
    assert_in_range(slots * sizeof(uint16_t), 1, 512 * KIB);
    allot_record_clear(&rec);
    assert_int_equal(encode_with_members(987, buf, sizeof(buf)), -EFBIG);
    assert_int_equal(encode_with_members(987, NULL, 0), -EFBIG);

    /* one member more, put in by hand: good in itself, but too long */
    assert_int_equal(encode_with_members(986, buf, sizeof(buf)), 3070);
    assert_int_equal(buf[3070 - 4 - 247 * 3 - 1], 247);
    buf[3070 - 4 - 247 * 3 - 1]++;
    memcpy(buf + 3066, (const uint8_t[]){0xff, 0xff, 1}, 3);
    item_seal(buf, 3073);
    assert_int_equal(allot_record_decode(buf, 3073, &rec), -EBADMSG);
}

/* The last extent says 255 members, which together with those before are more
 * than a record can have; the bytes end after one. */
static void
test_more_members_than_bytes(void **state)
{
    struct allot_member list[ALLOT_MEMBERS_MAX];
    struct allot_extent extents[5];
    struct allot_record rec = {.seq = 1, .gen = 1, .nonce = 1};
    uint8_t buf[ALLOT_RECORD_MAX];
    int64_t len;

    (void)state;
    for (uint32_t m = 0; m < ALLOT_MEMBERS_MAX; m++)
        list[m] = (struct allot_member){(uint16_t)m, 1};
    for (uint32_t e = 0; e < 5; e++)
        extents[e] =
            (struct allot_extent){e * 4096ull, 0, 12, e < 4 ? 195 : 1, list};
    len = sample_record(&rec, 0, extents, 5, buf, sizeof(buf));
    assert_true(len > 0);
    assert_int_equal(buf[len - 4 - 3 - 1], 1);
    buf[len - 4 - 3 - 1] = 255;
    item_seal(buf, (size_t)len);
    assert_int_equal(allot_record_decode(buf, (size_t)len, &rec), -EBADMSG);
}

static void
test_1000_bricks(void **state)
{
    struct allot_registry reg = {.phase = ALLOT_REGISTRY_ACTIVE,
                                 .ns_kind = ALLOT_NS_OTHER,
                                 .version = UINT64_MAX,
                                 .volume_uuid = SAMPLE_VOLUME,
                                 .inline_limit = UINT32_MAX,
                                 .next_index = 65535,
                                 .brick_count = ALLOT_BRICKS_MAX};
    struct allot_registry back;
    uint8_t *buf = malloc(64 * KIB);
    int64_t len;

    (void)state;
    assert_non_null(buf);
    reg.bricks = calloc(ALLOT_BRICKS_MAX + 1, sizeof(*reg.bricks));
    assert_non_null(reg.bricks);
    for (uint32_t b = 0; b <= ALLOT_BRICKS_MAX; b++) {
        struct allot_registry_brick *brick = &reg.bricks[b];

        brick->index = (uint16_t)(b * 65);
        brick->weight = (uint8_t)test_between(1, 255);
        brick->admin_state = (uint8_t)test_below(3);
        brick->uuid[0] = 1;
        brick->uuid[14] = (uint8_t)(b >> 8);
        brick->uuid[15] = (uint8_t)b;
        snprintf(brick->name, sizeof(brick->name), "volume-client-%u", b);
    }
    len = allot_registry_encode(&reg, buf, 64 * KIB);
    assert_true(len > 0);
    assert_int_equal(allot_registry_decode(buf, (size_t)len, &back), 0);
    assert_int_equal(back.brick_count, ALLOT_BRICKS_MAX);
    for (uint32_t b = 0; b < ALLOT_BRICKS_MAX; b++) {
        const struct allot_registry_brick *brick =
            allot_registry_find(&back, (uint16_t)(b * 65));

        assert_ptr_equal(brick, &back.bricks[b]);
        assert_int_equal(brick->index, reg.bricks[b].index);
        assert_int_equal(brick->weight, reg.bricks[b].weight);
        assert_int_equal(brick->admin_state, reg.bricks[b].admin_state);
        assert_memory_equal(brick->uuid, reg.bricks[b].uuid, 16);
        assert_string_equal(brick->name, reg.bricks[b].name);
        assert_null(allot_registry_find(&back, (uint16_t)(b * 65 + 1)));
    }
    allot_registry_clear(&back);
    assert_null(allot_registry_find(&back, 0));
    reg.brick_count = ALLOT_BRICKS_MAX + 1;
    assert_int_equal(allot_registry_encode(&reg, NULL, 0), -EINVAL);
    free(reg.bricks);
    free(buf);
}

/* ---- clips --------------------------------------------------------------- */

/* All truncations ever, in order; the oracle of clips. */
struct history {
    uint64_t gen[64];
    uint64_t size[64];
    int count;
};

/* Where a portion of generation @gen must be cut: the smallest size of all
 * truncations that it missed. */
static uint64_t
history_clip_for(const struct history *all, uint64_t gen)
{
    uint64_t smallest = UINT64_MAX;

    for (int i = 0; i < all->count; i++)
        if (all->gen[i] > gen && all->size[i] < smallest)
            smallest = all->size[i];
    return smallest;
}

static void
test_clips_by_history(void **state)
{
    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct history all = {.count = 0};
        struct allot_record rec = {.clip_count = 0};
        uint64_t gen = 1;

        while (all.count < 40) {
            uint64_t size = test_below(20);
            struct allot_record before = rec;
            int ret;

            gen += test_between(1, 3);
            ret = allot_record_clip_add(&rec, gen, size);
            if (ret) {
                assert_int_equal(ret, -E2BIG);
                assert_memory_equal(&rec, &before, sizeof(rec));
                break;
            }
            all.gen[all.count] = gen;
            all.size[all.count++] = size;
            for (uint64_t g = 0; g <= gen + 1; g++)
                assert_true(allot_record_clip_for(&rec, g) ==
                            history_clip_for(&all, g));
            for (int c = 1; c < rec.clip_count; c++) {
                assert_true(rec.clips[c].gen > rec.clips[c - 1].gen);
                assert_true(rec.clips[c].size > rec.clips[c - 1].size);
            }
        }
    }
}

static void
test_clips_by_example(void **state)
{
    struct allot_record rec = {.clip_count = 0};

    (void)state;
    assert_true(allot_record_clip_for(&rec, 0) == UINT64_MAX);
    assert_int_equal(allot_record_clip_add(&rec, 3, 100), 0);
    assert_int_equal(allot_record_clip_add(&rec, 4, 200), 0);
    assert_int_equal(rec.clip_count, 2);
    assert_int_equal(allot_record_clip_for(&rec, 2), 100);
    assert_int_equal(allot_record_clip_for(&rec, 3), 200);
    assert_true(allot_record_clip_for(&rec, 4) == UINT64_MAX);
    assert_int_equal(allot_record_clip_add(&rec, 5, 200), 0);
    assert_int_equal(rec.clip_count, 2); /* the one of gen 4 went */
    assert_int_equal(allot_record_clip_add(&rec, 5, 300), -EINVAL);
    assert_int_equal(allot_record_clip_add(&rec, 4, 300), -EINVAL);
    assert_int_equal(allot_record_clip_add(&rec, 9, OFFSET_END), -EINVAL);
    assert_int_equal(allot_record_clip_add(&rec, 6, 300), 0);
    assert_int_equal(allot_record_clip_add(&rec, 7, 400), 0);
    assert_int_equal(allot_record_clip_add(&rec, 8, 500), -E2BIG);
    assert_int_equal(rec.clip_count, 4);
    assert_int_equal(allot_record_clip_add(&rec, 8, 0), 0);
    assert_int_equal(rec.clip_count, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_impossible_records),
        cmocka_unit_test(test_impossible_portions_and_bricks),
        cmocka_unit_test(test_impossible_registries),
        cmocka_unit_test(test_impossible_handshakes),
        cmocka_unit_test(test_possible_change_is_accepted),
        cmocka_unit_test(test_unknown_version_within_a_handshake),
        cmocka_unit_test(test_random_records),
        cmocka_unit_test(test_encoders_refuse),
        cmocka_unit_test(test_brick_leaf),
        cmocka_unit_test(test_largest_record),
        cmocka_unit_test(test_more_members_than_bytes),
        cmocka_unit_test(test_1000_bricks),
        cmocka_unit_test(test_clips_by_history),
        cmocka_unit_test(test_clips_by_example),
    };

    test_seed_init();
    return cmocka_run_group_tests_name("codec content", tests, NULL, NULL);
}
