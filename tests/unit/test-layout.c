/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * test-layout.c - layouts against a map with one entry per byte, up to the
 * largest offset. Appending extents and the promise of quota over all of them
 * are in test-quota.c.
 */
#include "allot-test.h"

static void
check_place(const struct allot_layout *layout, const struct byte_map *map,
            uint64_t byte)
{
    struct allot_place place;
    uint64_t end = byte + 1;
    uint32_t no = 0;

    allot_layout_place(layout, byte, &place);
    assert_int_equal(place.brick_idx, map->owner[byte - map->lo]);
    while (end < map->hi && !map->first[end - map->lo])
        end++;
    if (end < map->hi || map->hi == OFFSET_END)
        assert_true(place.end_byte == end);
    else
        assert_true(place.end_byte >= end);
    while (no + 1 < layout->extent_count &&
           layout->extents[no + 1].start_byte <= byte)
        no++;
    assert_int_equal(place.extent_no, no);
    assert_int_equal(allot_layout_extent_at(layout, byte), no);
}

/* Every border of blocks, the bytes around it, and bytes anywhere. */
static void
check_places(const struct allot_layout *layout, const struct byte_map *map)
{
    uint64_t low = map->lo;

    if (low < layout->inline_limit)
        low = layout->inline_limit;
    for (uint64_t byte = low; byte < map->hi; byte++) {
        if (!map->first[byte - map->lo])
            continue;
        check_place(layout, map, byte);
        if (byte > low)
            check_place(layout, map, byte - 1);
        if (byte + 1 < map->hi)
            check_place(layout, map, byte + 1);
    }
    for (int i = 0; i < 200; i++)
        check_place(layout, map, low + test_below(map->hi - low));
    check_place(layout, map, map->hi - 1);
}

static void
test_place(void **state)
{
    (void)state;
    for (int round = 0; round < 40; round++) {
        struct allot_layout *layout = random_small(random_inline());
        struct byte_map map = byte_map_new(layout, 0, WINDOW);

        check_places(layout, &map);
        byte_map_free(&map);
        allot_layout_free(layout);
    }
}

static void
test_place_at_the_top(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct allot_layout *layout = random_top();
        struct byte_map map =
            byte_map_new(layout, layout->extents[1].start_byte, OFFSET_END);

        check_places(layout, &map);
        byte_map_free(&map);
        allot_layout_free(layout);
    }
}

/* Far away the slot is known by arithmetic only: 2^51 blocks in an extent. */
static void
test_place_in_a_huge_extent(void **state)
{
    struct allot_member members[3] = {{5, 1}, {6, 1}, {7, 1}};
    struct allot_extent ext = {0, 2, 12, 3, members};
    struct allot_layout *layout;
    struct allot_place place;
    uint64_t block = (1ull << 51) - 1;

    (void)state;
    assert_int_equal(allot_layout_new(0, &ext, 1, &layout), 0);
    allot_layout_place(layout, ALLOT_OFFSET_MAX, &place);
    assert_int_equal(place.brick_idx, 5 + (2 + block) % 3);
    assert_true(place.end_byte == OFFSET_END);
    allot_layout_place(layout, ALLOT_OFFSET_MAX - 4096, &place);
    assert_int_equal(place.brick_idx, 5 + (2 + block - 1) % 3);
    assert_true(place.end_byte == OFFSET_END - 4096);
    assert_true(allot_layout_extent_end(layout, 0) == OFFSET_END);
    allot_layout_free(layout);
}

/* ---- the bricks of a layout ---------------------------------------------- */

static void
test_bricks(void **state)
{
    (void)state;
    for (int round = 0; round < 40; round++) {
        struct random_shape shape = {
            .inline_limit = 4096,
            .from = 4096,
            .to = 1024 * KIB,
            .extents = (uint32_t)test_between(1, ALLOT_EXTENTS_MAX),
            .bricks = 1000,
            .members = round % 4 == 0 ? 255 : 12,
            .weight_max = 3,
            .shift_max = 20,
        };
        struct allot_layout *layout = random_layout(&shape);
        uint8_t seen[1000] = {0};
        uint8_t in_last[1000] = {0};
        uint32_t distinct = 0;

        for (uint32_t e = 0; e < layout->extent_count; e++)
            for (uint32_t m = 0; m < layout->extents[e].member_count; m++) {
                uint16_t brick = layout->extents[e].members[m].brick_idx;

                distinct += !seen[brick];
                seen[brick] = 1;
                if (e == layout->extent_count - 1)
                    in_last[brick] = 1;
            }
        assert_int_equal(layout->brick_count, distinct);
        for (uint16_t b = 0; b < 1000; b++) {
            assert_int_equal(allot_layout_has(layout, b), seen[b]);
            assert_int_equal(allot_layout_in_last(layout, b), in_last[b]);
        }
        for (uint32_t b = 1; b < layout->brick_count; b++)
            assert_true(layout->bricks[b] > layout->bricks[b - 1]);
        allot_layout_free(layout);
    }
}

static void
test_unspread(void **state)
{
    struct allot_layout *layout;
    uint64_t blocks = 1;
    uint64_t bytes = 1;

    (void)state;
    assert_int_equal(allot_layout_new(65536, NULL, 0, &layout), 0);
    assert_int_equal(layout->extent_count, 0);
    assert_int_equal(layout->inline_limit, 65536);
    assert_int_equal(allot_layout_has(layout, 0), 0);
    assert_int_equal(allot_layout_in_last(layout, 0), 0);
    assert_int_equal(allot_layout_next_slot_end(layout, 0, 7), 7);
    allot_layout_blocks_of(layout, 0, 1000000, &blocks, &bytes);
    assert_int_equal(blocks, 0);
    assert_int_equal(bytes, 0);
    allot_layout_free(layout);
    allot_layout_free(NULL);
}

/* ---- blocks and bytes on one brick --------------------------------------- */

static void
check_blocks_of(const struct allot_layout *layout, const struct byte_map *map,
                uint64_t size)
{
    uint64_t blocks[8] = {0};
    uint64_t bytes[8] = {0};
    /* what lies below the window, if it does not begin at 0 */
    uint64_t blocks_below;
    uint64_t bytes_below;

    for (uint64_t byte = map->lo; byte < size; byte++) {
        int16_t owner = map->owner[byte - map->lo];

        if (owner == OWNER_BASE)
            continue;
        bytes[owner]++;
        blocks[owner] += map->first[byte - map->lo];
    }
    for (uint16_t b = 0; b < 8; b++) {
        uint64_t have_blocks;
        uint64_t have_bytes;

        allot_layout_blocks_of(layout, b, map->lo, &blocks_below, &bytes_below);
        allot_layout_blocks_of(layout, b, size, &have_blocks, &have_bytes);
        assert_int_equal(have_blocks - blocks_below, blocks[b]);
        assert_int_equal(have_bytes - bytes_below, bytes[b]);
    }
}

static void
test_blocks_of(void **state)
{
    (void)state;
    for (int round = 0; round < 30; round++) {
        struct allot_layout *layout = random_small(random_inline());
        struct byte_map map = byte_map_new(layout, 0, WINDOW);

        check_blocks_of(layout, &map, 0);
        check_blocks_of(layout, &map, layout->inline_limit);
        check_blocks_of(layout, &map, layout->inline_limit + 1);
        check_blocks_of(layout, &map, WINDOW);
        for (int i = 0; i < 8; i++)
            check_blocks_of(layout, &map, test_below(WINDOW));
        byte_map_free(&map);
        allot_layout_free(layout);
    }
    for (int round = 0; round < 10; round++) {
        struct allot_layout *layout = random_top();
        struct byte_map map =
            byte_map_new(layout, layout->extents[1].start_byte, OFFSET_END);

        check_blocks_of(layout, &map, ALLOT_OFFSET_MAX);
        check_blocks_of(layout, &map, map.lo + test_below(map.hi - map.lo - 1));
        byte_map_free(&map);
        allot_layout_free(layout);
    }
}

/* The bricks' bytes together are the file. */
static void
test_blocks_of_adds_up_for_huge_sizes(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        struct allot_layout *layout = random_small(8192);
        uint64_t size = test_between(8192, ALLOT_OFFSET_MAX);
        uint64_t sum = layout->inline_limit;

        if (round == 0)
            size = ALLOT_OFFSET_MAX;
        for (uint16_t b = 0; b < 8; b++) {
            uint64_t blocks;
            uint64_t bytes;

            allot_layout_blocks_of(layout, b, size, &blocks, &bytes);
            sum += bytes;
        }
        assert_true(sum == size);
        allot_layout_free(layout);
    }
}

/* ---- the next slot of a brick -------------------------------------------- */

static void
check_next_slot(const struct allot_layout *layout, const struct byte_map *map,
                uint64_t byte)
{
    for (uint16_t b = 0; b < 8; b++) {
        uint64_t got = allot_layout_next_slot_end(layout, b, byte);
        uint64_t at = byte;

        while (at < map->hi && map->owner[at - map->lo] != (int16_t)b)
            at++;
        if (at == map->hi) {
            /* none in the window; the window holds every brick's next slot */
            assert_int_equal(
                allot_layout_in_last(layout, b) && map->hi != OFFSET_END, 0);
            assert_true(got == byte);
            continue;
        }
        do
            at++;
        while (at < map->hi && !map->first[at - map->lo]);
        if (at > ALLOT_OFFSET_MAX)
            at = ALLOT_OFFSET_MAX;
        assert_true(got == at);
    }
}

static void
test_next_slot_end(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct allot_layout *layout = random_small(random_inline());
        struct byte_map map = byte_map_new(layout, 0, 2 * WINDOW);

        check_next_slot(layout, &map, 0);
        check_next_slot(layout, &map, layout->inline_limit);
        for (int i = 0; i < 20; i++)
            check_next_slot(layout, &map, test_below(WINDOW));
        byte_map_free(&map);
        allot_layout_free(layout);
    }
    for (int round = 0; round < 10; round++) {
        struct allot_layout *layout = random_top();
        struct byte_map map =
            byte_map_new(layout, layout->extents[1].start_byte, OFFSET_END);

        check_next_slot(layout, &map, ALLOT_OFFSET_MAX);
        check_next_slot(layout, &map, ALLOT_OFFSET_MAX - 1);
        for (int i = 0; i < 20; i++)
            check_next_slot(layout, &map, map.lo + test_below(map.hi - map.lo));
        byte_map_free(&map);
        allot_layout_free(layout);
    }
}

/* ---- what is refused ----------------------------------------------------- */

static void
expect_refused(uint32_t inline_limit, const struct allot_extent *extents,
               uint32_t count)
{
    struct allot_layout *layout = NULL;

    assert_int_equal(allot_layout_new(inline_limit, extents, count, &layout),
                     -EINVAL);
    assert_null(layout);
}

static void
test_new_refuses(void **state)
{
    struct allot_member members[3] = {{1, 1}, {2, 2}, {3, 1}};
    struct allot_member twice[3] = {{1, 1}, {2, 2}, {1, 1}};
    struct allot_member weightless[2] = {{1, 1}, {2, 0}};
    const struct allot_extent good[2] = {
        {4096, 0, 12, 3, members},
        {10000, 3, 14, 3, members},
    };
    struct allot_extent bad[2];
    struct allot_extent many[ALLOT_EXTENTS_MAX + 1];
    struct allot_layout *layout = NULL;

    (void)state;
    assert_int_equal(allot_layout_new(4096, good, 2, &layout), 0);
    allot_layout_free(layout);

    expect_refused(4095, good, 2); /* extent 0 is not at inline_limit */
#define CHANGE(what)                    \
    do {                                \
        memcpy(bad, good, sizeof(bad)); \
        what;                           \
        expect_refused(4096, bad, 2);   \
    } while (0)
    CHANGE(bad[1].start_byte = 4096);
    CHANGE(bad[1].start_byte = 0);
    CHANGE(bad[1].start_byte = ALLOT_OFFSET_MAX + 1);
    CHANGE(bad[1].start_byte = UINT64_MAX);
    CHANGE(bad[0].block_shift = 11);
    CHANGE(bad[1].block_shift = 27);
    CHANGE(bad[1].block_shift = 255);
    CHANGE(bad[0].member_count = 0);
    CHANGE(bad[0].members = NULL);
    CHANGE(bad[1].phase = 4);
    CHANGE(bad[1].phase = UINT32_MAX);
    CHANGE(bad[1].members = twice);
    CHANGE((bad[1].members = weightless, bad[1].member_count = 2));
#undef CHANGE

    for (uint32_t e = 0; e <= ALLOT_EXTENTS_MAX; e++) {
        many[e] = good[0];
        many[e].start_byte = 4096 + e;
    }
    assert_int_equal(allot_layout_new(4096, many, ALLOT_EXTENTS_MAX, &layout),
                     0);
    allot_layout_free(layout);
    layout = NULL;
    expect_refused(4096, many, ALLOT_EXTENTS_MAX + 1);
}

/* Extents with one order of weights have one cycle; others have their own. */
static void
test_equal_cycles_are_shared(void **state)
{
    struct allot_member a[2] = {{1, 200}, {2, 100}};
    struct allot_member b[2] = {{4, 200}, {3, 100}};
    struct allot_member c[2] = {{2, 100}, {1, 200}};
    const struct allot_extent extents[4] = {
        {0, 0, 12, 2, a},
        {1, 1, 12, 2, b},
        {2, 2, 20, 2, c},
        {3, 0, 12, 2, c},
    };
    struct allot_layout *layout;

    (void)state;
    assert_int_equal(allot_layout_new(0, extents, 4, &layout), 0);
    assert_ptr_equal(layout->cycles[0].slots, layout->cycles[1].slots);
    assert_ptr_not_equal(layout->cycles[0].slots, layout->cycles[2].slots);
    assert_ptr_equal(layout->cycles[2].slots, layout->cycles[3].slots);
    assert_int_equal(layout->cycles[0].len, 3);
    allot_layout_free(layout);
}

/* The largest cycle there can be: 255 members of about 255. */
static void
test_longest_cycle(void **state)
{
    struct allot_member members[ALLOT_MEMBERS_MAX];
    struct allot_extent ext = {0, 65023, 12, ALLOT_MEMBERS_MAX, members};
    struct allot_layout *layout;
    uint64_t total = 0;

    (void)state;
    for (uint16_t m = 0; m < ALLOT_MEMBERS_MAX; m++) {
        members[m].brick_idx = (uint16_t)(999 - m);
        members[m].weight = m == 0 ? 254 : 255;
    }
    assert_int_equal(allot_layout_new(0, &ext, 1, &layout), 0);
    assert_int_equal(layout->cycles[0].len, 255 * 255 - 1);
    for (uint16_t m = 0; m < ALLOT_MEMBERS_MAX; m++) {
        uint64_t blocks;
        uint64_t bytes;

        allot_layout_blocks_of(layout, members[m].brick_idx,
                               (255 * 255 - 1) * 4096ull, &blocks, &bytes);
        assert_int_equal(blocks, members[m].weight);
        assert_int_equal(bytes, members[m].weight * 4096ull);
        total += blocks;
    }
    assert_int_equal(total, 255 * 255 - 1);
    allot_layout_free(layout);
}

/* The oracle is not the layout's echo: another phase, another map. */
static void
test_map_can_disagree(void **state)
{
    struct allot_member members[2] = {{0, 1}, {1, 1}};
    struct allot_extent ext = {0, 0, 12, 2, members};
    struct allot_layout *layout;
    struct byte_map map;
    struct allot_place place;

    (void)state;
    assert_int_equal(allot_layout_new(0, &ext, 1, &layout), 0);
    map = byte_map_new(layout, 0, 8192);
    layout->extents[0].phase = 1;
    allot_layout_place(layout, 0, &place);
    assert_int_not_equal(place.brick_idx, map.owner[0]);
    byte_map_free(&map);
    allot_layout_free(layout);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_place),
        cmocka_unit_test(test_place_at_the_top),
        cmocka_unit_test(test_place_in_a_huge_extent),
        cmocka_unit_test(test_bricks),
        cmocka_unit_test(test_unspread),
        cmocka_unit_test(test_blocks_of),
        cmocka_unit_test(test_blocks_of_adds_up_for_huge_sizes),
        cmocka_unit_test(test_next_slot_end),
        cmocka_unit_test(test_new_refuses),
        cmocka_unit_test(test_equal_cycles_are_shared),
        cmocka_unit_test(test_longest_cycle),
        cmocka_unit_test(test_map_can_disagree),
    };

    test_seed_init();
    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
