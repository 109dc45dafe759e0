/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * test-split.c - pieces against runs in a map with one entry per byte, up to
 * the largest offset.
 */
#include "allot-split.h"
#include "allot-test.h"

/* The pieces are exactly the runs of equal owners in [off, off + len).
 * Compares the iterator and the array. 1: they are. */
static int
pieces_match(const struct allot_piece *pieces, int64_t count,
             const struct byte_map *map, uint64_t off, uint64_t len)
{
    uint64_t byte = off;
    int64_t i = 0;

    while (byte < off + len) {
        uint64_t end = byte;

        while (end < off + len &&
               map->owner[end - map->lo] == map->owner[byte - map->lo])
            end++;
        if (i == count || pieces[i].offset != byte ||
            pieces[i].len != end - byte ||
            pieces[i].brick_idx != map->owner[byte - map->lo])
            return 0;
        byte = end;
        i++;
    }
    return i == count;
}

static void
check_split(const struct allot_layout *layout, const struct byte_map *map,
            uint64_t off, uint64_t len)
{
    struct allot_split_iter iter;
    struct allot_piece *pieces;
    struct allot_piece piece;
    int64_t count = allot_split_all(layout, off, len, &pieces);

    assert_true(count >= 0);
    assert_true(pieces_match(pieces, count, map, off, len));
    assert_int_equal(allot_split_begin(&iter, layout, off, len), 0);
    for (int64_t i = 0; i < count; i++) {
        assert_int_equal(allot_split_next(&iter, &piece), 1);
        assert_int_equal(piece.brick_idx, pieces[i].brick_idx);
        assert_true(piece.offset == pieces[i].offset);
        assert_true(piece.len == pieces[i].len);
    }
    assert_int_equal(allot_split_next(&iter, &piece), 0);
    assert_int_equal(allot_split_next(&iter, &piece), 0);
    free(pieces);
}

static void
test_random_ranges(void **state)
{
    (void)state;
    for (int round = 0; round < 60; round++) {
        struct allot_layout *layout = random_small(random_inline());
        struct byte_map map = byte_map_new(layout, 0, WINDOW);

        check_split(layout, &map, 0, WINDOW);
        for (int i = 0; i < 20; i++) {
            uint64_t off = test_below(WINDOW);
            uint64_t len = test_below(WINDOW - off + 1);

            if (i % 2)
                len = test_below(len < 9000 ? len + 1 : 9000);
            check_split(layout, &map, off, len);
        }
        byte_map_free(&map);
        allot_layout_free(layout);
    }
}

static void
test_at_the_top(void **state)
{
    (void)state;
    for (int round = 0; round < 30; round++) {
        struct allot_layout *layout = random_top();
        struct byte_map map =
            byte_map_new(layout, layout->extents[1].start_byte, OFFSET_END);

        for (int i = 0; i < 20; i++) {
            uint64_t off = map.lo + test_below(map.hi - map.lo);

            check_split(layout, &map, off,
                        test_below(ALLOT_OFFSET_MAX - off + 1));
            check_split(layout, &map, off, ALLOT_OFFSET_MAX - off);
        }
        byte_map_free(&map);
        allot_layout_free(layout);
    }
}

static void
test_unspread_is_one_piece(void **state)
{
    struct allot_layout *layout;
    struct allot_piece *pieces;

    (void)state;
    assert_int_equal(allot_layout_new(65536, NULL, 0, &layout), 0);
    assert_int_equal(allot_split_all(layout, 100, 1 << 30, &pieces), 1);
    assert_int_equal(pieces[0].brick_idx, ALLOT_PIECE_BASE);
    assert_int_equal(pieces[0].offset, 100);
    assert_int_equal(pieces[0].len, 1 << 30);
    free(pieces);
    allot_layout_free(layout);
}

static void
test_nothing_to_split(void **state)
{
    struct allot_layout *layout = random_small(4096);
    struct allot_piece *pieces = (void *)1;

    (void)state;
    assert_int_equal(allot_split_all(layout, 0, 0, &pieces), 0);
    assert_null(pieces);
    assert_int_equal(allot_split_all(layout, ALLOT_OFFSET_MAX, 0, &pieces), 0);
    assert_null(pieces);
    allot_layout_free(layout);
}

static void
test_past_the_top_is_refused(void **state)
{
    struct allot_layout *layout = random_top();
    struct allot_split_iter iter;
    struct allot_piece *pieces;

    (void)state;
    assert_int_equal(allot_split_begin(&iter, layout, ALLOT_OFFSET_MAX - 9, 9),
                     0);
    assert_int_equal(allot_split_begin(&iter, layout, ALLOT_OFFSET_MAX - 9, 10),
                     -EFBIG);
    assert_int_equal(allot_split_begin(&iter, layout, ALLOT_OFFSET_MAX, 1),
                     -EFBIG);
    assert_int_equal(allot_split_begin(&iter, layout, OFFSET_END, 0), -EFBIG);
    assert_int_equal(allot_split_begin(&iter, layout, UINT64_MAX, 1), -EFBIG);
    assert_int_equal(allot_split_begin(&iter, layout, 1, UINT64_MAX), -EFBIG);
    assert_int_equal(
        allot_split_all(layout, ALLOT_OFFSET_MAX, UINT64_MAX, &pieces), -EFBIG);
    allot_layout_free(layout);
}

/* A file on one brick is one piece at once, also over borders of extents and
 * after an extent that another brick begins. */
static void
test_one_brick_is_one_piece(void **state)
{
    struct allot_member a = {4, 1};
    struct allot_member ab[2] = {{4, 1}, {5, 1}};
    const struct allot_extent extents[3] = {
        {4096, 0, 12, 1, &a},
        {1ull << 40, 0, 20, 1, &a},
        {1ull << 41, 0, 12, 2, ab},
    };
    struct allot_layout *layout;
    struct allot_piece *pieces;

    (void)state;
    assert_int_equal(allot_layout_new(4096, extents, 3, &layout), 0);
    assert_int_equal(allot_split_all(layout, 0, (1ull << 41) + 5000, &pieces),
                     3);
    assert_int_equal(pieces[0].brick_idx, ALLOT_PIECE_BASE);
    assert_int_equal(pieces[1].brick_idx, 4);
    assert_true(pieces[1].offset == 4096);
    assert_true(pieces[1].len == (1ull << 41));
    assert_int_equal(pieces[2].brick_idx, 5);
    assert_int_equal(pieces[2].len, 5000 - 4096);
    free(pieces);
    allot_layout_free(layout);
}

/* An array that would not end: refused, not tried. The iterator goes on. */
static void
test_too_many_pieces(void **state)
{
    struct allot_member ab[2] = {{0, 1}, {1, 1}};
    const struct allot_extent ext = {0, 0, 12, 2, ab};
    struct allot_layout *layout;
    struct allot_piece *pieces;
    struct allot_split_iter iter;
    struct allot_piece piece;

    (void)state;
    assert_int_equal(allot_layout_new(0, &ext, 1, &layout), 0);
    assert_int_equal(
        allot_split_all(layout, 0, ALLOT_SPLIT_MAX * 4096ull, &pieces),
        ALLOT_SPLIT_MAX);
    free(pieces);
    assert_int_equal(
        allot_split_all(layout, 0, ALLOT_SPLIT_MAX * 4096ull + 1, &pieces),
        -E2BIG);
    assert_null(pieces);
    assert_int_equal(allot_split_begin(&iter, layout, 0, ALLOT_OFFSET_MAX), 0);
    assert_int_equal(allot_split_next(&iter, &piece), 1);
    assert_int_equal(piece.len, 4096);
    allot_layout_free(layout);
}

/* Pieces that are wrong in any one field are found. */
static void
test_check_can_fail(void **state)
{
    struct allot_member ab[2] = {{0, 1}, {1, 1}};
    const struct allot_extent ext = {0, 0, 12, 2, ab};
    struct allot_layout *layout;
    struct allot_piece *pieces;
    struct byte_map map;

    (void)state;
    assert_int_equal(allot_layout_new(0, &ext, 1, &layout), 0);
    map = byte_map_new(layout, 0, 16384);
    assert_int_equal(allot_split_all(layout, 0, 16384, &pieces), 4);
    assert_true(pieces_match(pieces, 4, &map, 0, 16384));
    assert_false(pieces_match(pieces, 3, &map, 0, 16384));
    pieces[2].brick_idx = 1;
    assert_false(pieces_match(pieces, 4, &map, 0, 16384));
    pieces[2].brick_idx = 0;
    pieces[1].len--;
    assert_false(pieces_match(pieces, 4, &map, 0, 16384));
    free(pieces);
    byte_map_free(&map);
    allot_layout_free(layout);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_ranges),
        cmocka_unit_test(test_at_the_top),
        cmocka_unit_test(test_unspread_is_one_piece),
        cmocka_unit_test(test_nothing_to_split),
        cmocka_unit_test(test_past_the_top_is_refused),
        cmocka_unit_test(test_one_brick_is_one_piece),
        cmocka_unit_test(test_too_many_pieces),
        cmocka_unit_test(test_check_can_fail),
    };

    test_seed_init();
    return cmocka_run_group_tests_name("split", tests, NULL, NULL);
}
