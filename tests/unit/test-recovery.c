/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * test-recovery.c - n, k and R, and the failed ranges, against a map with one
 * entry per byte.
 */
#include "allot-recovery.h"
#include "allot-test.h"

#define BRICKS 8
#define RANGES_MAX 4096

struct range_list {
    struct allot_range range[RANGES_MAX];
    size_t count;
    size_t stop_at; /* emit returns 77 at this range; 0: never */
};

static int
collect(const struct allot_range *range, void *arg)
{
    struct range_list *list = arg;

    assert_true(list->count < RANGES_MAX);
    list->range[list->count++] = *range;
    return list->stop_at && list->count == list->stop_at ? 77 : 0;
}

/* ---- the oracle ---------------------------------------------------------- */

struct oracle {
    struct allot_recovery rec;
    struct range_list ranges;
    struct range_list apart; /* down is not merged with the others */
};

static void
oracle_tally(struct oracle *o, struct allot_count *count, enum allot_fail fail,
             uint64_t amount)
{
    count->failed += fail != ALLOT_FAIL_NONE ? amount : 0;
    count->unavailable += fail == ALLOT_FAIL_DOWN ? amount : 0;
    count->lost += fail > ALLOT_FAIL_DOWN ? amount : 0;
    if (fail > o->rec.worst)
        o->rec.worst = fail;
}

/* What one byte suffers. */
static enum allot_fail
byte_fail(const struct byte_map *map, uint64_t byte, enum allot_fail base_fail,
          const enum allot_fail *fails)
{
    int16_t owner = map->owner[byte];

    return owner == OWNER_BASE ? base_fail : fails[owner];
}

/*
 * Walk the file byte by byte; gather blocks. Block 0 begins at byte 0 and
 * reaches over the inline part into the first block of the map.
 * @holes: a block that begins at a marked byte is a known hole (or NULL).
 */
static void
oracle_range(struct range_list *list, uint64_t byte, enum allot_fail fail,
             int apart)
{
    struct allot_range *last =
        list->count ? &list->range[list->count - 1] : NULL;

    if (last && last->end == byte &&
        (!apart ||
         (last->why == ALLOT_FAIL_DOWN) == (fail == ALLOT_FAIL_DOWN))) {
        last->end = byte + 1;
        if (fail > last->why)
            last->why = fail;
        return;
    }
    assert_true(list->count < RANGES_MAX);
    list->range[list->count++] = (struct allot_range){byte, byte + 1, fail};
}

static void
oracle_run(struct oracle *o, const struct allot_layout *layout,
           const struct byte_map *map, uint64_t size, enum allot_fail base_fail,
           const enum allot_fail *fails, const uint8_t *holes)
{
    uint64_t byte = 0;

    memset(o, 0, sizeof(*o));
    while (byte < size) {
        uint64_t start = byte;
        enum allot_fail block_fail = ALLOT_FAIL_NONE;
        int hole = holes && holes[start];

        do {
            enum allot_fail fail = byte_fail(map, byte, base_fail, fails);

            if (fail > block_fail)
                block_fail = fail;
            if (fail != ALLOT_FAIL_NONE) {
                oracle_tally(o, &o->rec.bytes, fail, 1);
                oracle_range(&o->ranges, byte, fail, 0);
                oracle_range(&o->apart, byte, fail, 1);
            }
            byte++;
        } while (byte < size &&
                 (!map->first[byte] || /* block 0 goes on in the portion */
                  (start == 0 && layout->inline_limit > 0 &&
                   byte == layout->inline_limit)));
        if (hole && block_fail == ALLOT_FAIL_NONE) {
            o->rec.blocks.holes++;
            o->rec.bytes.holes += byte - start;
        } else {
            o->rec.blocks.total++;
            oracle_tally(o, &o->rec.blocks, block_fail, 1);
        }
    }
    o->rec.blocks.recoverable = o->rec.blocks.total - o->rec.blocks.failed;
    o->rec.bytes.total = size - o->rec.bytes.holes;
    o->rec.bytes.recoverable = o->rec.bytes.total - o->rec.bytes.failed;
}

static int
same_count(const struct allot_count *a, const struct allot_count *b)
{
    return a->total == b->total && a->failed == b->failed &&
           a->unavailable == b->unavailable && a->lost == b->lost &&
           a->recoverable == b->recoverable && a->holes == b->holes;
}

static int
same_recovery(const struct allot_recovery *a, const struct allot_recovery *b)
{
    return same_count(&a->blocks, &b->blocks) &&
           same_count(&a->bytes, &b->bytes) && a->worst == b->worst;
}

static int
same_ranges(const struct range_list *a, const struct range_list *b)
{
    if (a->count != b->count)
        return 0;
    for (size_t i = 0; i < a->count; i++)
        if (a->range[i].start != b->range[i].start ||
            a->range[i].end != b->range[i].end ||
            a->range[i].why != b->range[i].why)
            return 0;
    return 1;
}

/* ---- random files -------------------------------------------------------- */

static enum allot_fail
random_fail(void)
{
    return test_below(2) ? ALLOT_FAIL_NONE
                         : (enum allot_fail)test_between(ALLOT_FAIL_DOWN,
                                                         ALLOT_FAIL_MISSING);
}

/* Mark some blocks of live members as holes, and count them per member. */
static void
random_holes(const struct allot_layout *layout, const struct byte_map *map,
             uint64_t size, uint8_t *holes, struct allot_member_state *states)
{
    for (uint64_t byte = 0; byte < size; byte++) {
        uint64_t end = byte + 1;
        int16_t owner = map->owner[byte];

        if (!map->first[byte] || test_below(3) ||
            (layout->inline_limit && byte == layout->inline_limit) ||
            states[owner].fail != ALLOT_FAIL_NONE)
            continue;
        while (end < size && !map->first[end])
            end++;
        holes[byte] = 1;
        states[owner].hole_blocks++;
        states[owner].hole_bytes += end - byte;
    }
}

static void
check_file(const struct allot_layout *layout, const struct byte_map *map,
           uint64_t size)
{
    struct allot_member_state states[BRICKS];
    enum allot_fail fails[BRICKS];
    enum allot_fail base_fail = random_fail();
    struct oracle *expected = malloc(sizeof(*expected));
    struct range_list *ranges = calloc(1, sizeof(*ranges));
    struct range_list *apart = calloc(1, sizeof(*apart));
    uint8_t *holes = calloc(WINDOW, 1);
    struct allot_recovery got;
    size_t n = BRICKS;

    assert_true(expected && ranges && apart && holes);
    for (uint16_t b = 0; b < BRICKS; b++) {
        fails[b] = random_fail();
        states[b] = (struct allot_member_state){b, fails[b], 0, 0};
    }
    if (layout->extent_count && test_below(2))
        random_holes(layout, map, size, holes, states);
    /* bricks that are not in the list are well */
    while (n > 0 && fails[n - 1] == ALLOT_FAIL_NONE &&
           states[n - 1].hole_blocks == 0)
        n--;

    oracle_run(expected, layout, map, size, base_fail, fails, holes);
    allot_recovery_count(layout, size, base_fail, states, n, &got);
    assert_true(same_recovery(&got, &expected->rec));
    assert_int_equal(allot_recovery_ranges(layout, size, base_fail, states, n,
                                           collect, ranges),
                     0);
    assert_true(same_ranges(ranges, &expected->ranges));
    assert_int_equal(allot_recovery_ranges_apart(layout, size, base_fail,
                                                 states, n, collect, apart),
                     0);
    assert_true(same_ranges(apart, &expected->apart));

    if (ranges->count > 1) { /* a walk can be stopped, also at its end */
        size_t all = ranges->count;

        ranges->count = 0;
        ranges->stop_at = test_between(1, all);
        assert_int_equal(allot_recovery_ranges(layout, size, base_fail, states,
                                               n, collect, ranges),
                         77);
        assert_int_equal(ranges->count, ranges->stop_at);
    }
    free(holes);
    free(apart);
    free(ranges);
    free(expected);
}

static void
test_random_files(void **state)
{
    (void)state;
    for (int round = 0; round < 60; round++) {
        struct allot_layout *layout = random_small(random_inline());
        struct byte_map map = byte_map_new(layout, 0, WINDOW);

        check_file(layout, &map, 0);
        check_file(layout, &map, 1);
        check_file(layout, &map, layout->inline_limit);
        check_file(layout, &map, layout->inline_limit + 1);
        check_file(layout, &map, WINDOW);
        for (int i = 0; i < 6; i++)
            check_file(layout, &map, test_below(WINDOW));
        byte_map_free(&map);
        allot_layout_free(layout);
    }
}

static void
test_random_unspread_files(void **state)
{
    (void)state;
    for (int round = 0; round < 50; round++) {
        struct allot_layout *layout;
        struct byte_map map;

        assert_int_equal(allot_layout_new(random_inline(), NULL, 0, &layout),
                         0);
        map = byte_map_new(layout, 0, WINDOW);
        /* one block, however large, also past inline_limit */
        memset(map.first, 0, WINDOW);
        check_file(layout, &map, test_below(WINDOW));
        byte_map_free(&map);
        allot_layout_free(layout);
    }
}

/* ---- by example ---------------------------------------------------------- */

/*      0     4096  8192  12288 16384 20480
 *      | base | b0  | b1  | b2  | b0  | b1 ...                              */
static struct allot_layout *
three_bricks(uint32_t inline_limit)
{
    struct allot_member members[3] = {{0, 1}, {1, 1}, {2, 1}};
    const struct allot_extent ext = {inline_limit, 0, 12, 3, members};
    struct allot_layout *layout;

    assert_int_equal(allot_layout_new(inline_limit, &ext, 1, &layout), 0);
    return layout;
}

static void
test_block_0_fails_with_either_part(void **state)
{
    struct allot_layout *layout = three_bricks(4096);
    const struct allot_member_state down[1] = {{0, ALLOT_FAIL_DOWN, 0, 0}};
    const struct allot_member_state blank[1] = {{0, ALLOT_FAIL_BLANK, 0, 0}};
    struct allot_recovery rec;

    (void)state;
    /* n = 4: {base, b0}, b1, b2, b0 */
    allot_recovery_count(layout, 20480, ALLOT_FAIL_NONE, NULL, 0, &rec);
    assert_int_equal(rec.blocks.total, 4);
    assert_int_equal(rec.blocks.recoverable, 4);
    assert_int_equal(rec.bytes.total, 20480);
    assert_int_equal(rec.worst, ALLOT_FAIL_NONE);
    assert_int_equal(allot_recovery_verdict(&rec), ALLOT_INTACT);

    /* the base alone: k = 1 */
    allot_recovery_count(layout, 20480, ALLOT_FAIL_LOST, NULL, 0, &rec);
    assert_int_equal(rec.blocks.failed, 1);
    assert_int_equal(rec.blocks.lost, 1);
    assert_int_equal(rec.bytes.failed, 4096);
    assert_int_equal(rec.worst, ALLOT_FAIL_LOST);
    assert_int_equal(allot_recovery_verdict(&rec), ALLOT_DAMAGED);

    /* the head alone: block 0 and its other one */
    allot_recovery_count(layout, 20480, ALLOT_FAIL_NONE, down, 1, &rec);
    assert_int_equal(rec.blocks.failed, 2);
    assert_int_equal(rec.blocks.unavailable, 2);
    assert_int_equal(rec.bytes.failed, 8192);

    /* both, for different reasons: block 0 once, with the worse one */
    allot_recovery_count(layout, 20480, ALLOT_FAIL_DOWN, blank, 1, &rec);
    assert_int_equal(rec.blocks.failed, 2);
    assert_int_equal(rec.blocks.lost, 2);
    assert_int_equal(rec.blocks.unavailable, 0);
    assert_int_equal(rec.bytes.lost, 8192);
    assert_int_equal(rec.bytes.unavailable, 4096);
    assert_int_equal(rec.worst, ALLOT_FAIL_BLANK);
    allot_layout_free(layout);
}

/* Without an inline part the base holds no data: nothing of it can fail. */
static void
test_base_without_inline_part(void **state)
{
    struct allot_layout *layout = three_bricks(0);
    struct range_list ranges = {.count = 0};
    struct allot_recovery rec;

    (void)state;
    allot_recovery_count(layout, 10000, ALLOT_FAIL_DOWN, NULL, 0, &rec);
    assert_int_equal(rec.blocks.total, 3);
    assert_int_equal(rec.blocks.failed, 0);
    assert_int_equal(allot_recovery_ranges(layout, 10000, ALLOT_FAIL_DOWN, NULL,
                                           0, collect, &ranges),
                     0);
    assert_int_equal(ranges.count, 0);
    allot_layout_free(layout);
}

static void
test_empty_file_is_intact(void **state)
{
    struct allot_layout *layout = three_bricks(4096);
    const struct allot_member_state lost[3] = {{0, ALLOT_FAIL_LOST, 0, 0},
                                               {1, ALLOT_FAIL_LOST, 0, 0},
                                               {2, ALLOT_FAIL_LOST, 0, 0}};
    struct allot_recovery rec;

    (void)state;
    allot_recovery_count(layout, 0, ALLOT_FAIL_LOST, lost, 3, &rec);
    assert_int_equal(rec.blocks.total, 0);
    assert_int_equal(rec.blocks.failed, 0);
    assert_int_equal(rec.worst, ALLOT_FAIL_NONE);
    assert_int_equal(allot_recovery_verdict(&rec), ALLOT_INTACT);
    allot_layout_free(layout);
}

static void
test_verdicts(void **state)
{
    struct allot_layout *layout = three_bricks(4096);
    const struct allot_member_state lost[3] = {{0, ALLOT_FAIL_LOST, 0, 0},
                                               {1, ALLOT_FAIL_LOST, 0, 0},
                                               {2, ALLOT_FAIL_LOST, 0, 0}};
    struct allot_recovery rec;

    (void)state;
    allot_recovery_count(layout, 30000, ALLOT_FAIL_LOST, lost, 3, &rec);
    assert_int_equal(rec.blocks.failed, rec.blocks.total);
    assert_int_equal(allot_recovery_verdict(&rec), ALLOT_UNREADABLE);
    /* no whole block, but the inline bytes can be read */
    allot_recovery_count(layout, 30000, ALLOT_FAIL_NONE, lost, 3, &rec);
    assert_int_equal(rec.blocks.recoverable, 0);
    assert_int_equal(rec.bytes.recoverable, 4096);
    assert_int_equal(allot_recovery_verdict(&rec), ALLOT_DAMAGED);
    /* bricks of the layout that hold nothing of this size do not count */
    allot_recovery_count(layout, 8192, ALLOT_FAIL_NONE, lost + 1, 2, &rec);
    assert_int_equal(allot_recovery_verdict(&rec), ALLOT_INTACT);
    assert_int_equal(rec.worst, ALLOT_FAIL_NONE);
    allot_layout_free(layout);
}

static void
test_holes_are_bounded_by_what_is_there(void **state)
{
    struct allot_layout *layout = three_bricks(4096);
    const struct allot_member_state states[1] = {
        {0, ALLOT_FAIL_NONE, UINT64_MAX, UINT64_MAX}};
    struct allot_recovery rec;

    (void)state;
    allot_recovery_count(layout, 20480, ALLOT_FAIL_NONE, states, 1, &rec);
    /* block 0 has inline data: it is no hole, whatever is said */
    assert_int_equal(rec.blocks.holes, 1);
    assert_int_equal(rec.blocks.total, 3);
    assert_int_equal(rec.bytes.holes, 8192);
    allot_layout_free(layout);
}

static void
test_add(void **state)
{
    struct allot_recovery sum = {.worst = ALLOT_FAIL_DOWN};
    struct allot_recovery one = {
        .blocks = {10, 4, 3, 1, 6, 2},
        .bytes = {100, 40, 30, 10, 60, 20},
        .worst = ALLOT_FAIL_BLANK,
    };

    (void)state;
    allot_recovery_add(&sum, &one);
    allot_recovery_add(&sum, &one);
    assert_int_equal(sum.blocks.total, 20);
    assert_int_equal(sum.blocks.failed, 8);
    assert_int_equal(sum.blocks.unavailable, 6);
    assert_int_equal(sum.blocks.lost, 2);
    assert_int_equal(sum.blocks.recoverable, 12);
    assert_int_equal(sum.blocks.holes, 4);
    assert_int_equal(sum.bytes.total, 200);
    assert_int_equal(sum.worst, ALLOT_FAIL_BLANK);
    one.bytes.total = UINT64_MAX - 100;
    allot_recovery_add(&sum, &one);
    assert_true(sum.bytes.total == UINT64_MAX);
}

/* ---- very large files ---------------------------------------------------- */

/* 2^51 blocks: counted without a walk, and a walk that has nothing to say. */
static void
test_largest_file(void **state)
{
    struct allot_layout *layout = three_bricks(4096);
    const struct allot_member_state one[1] = {{1, ALLOT_FAIL_LOST, 0, 0}};
    struct range_list ranges = {.stop_at = 3};
    struct allot_recovery rec;
    uint64_t blocks;
    uint64_t bytes;

    (void)state;
    allot_recovery_count(layout, ALLOT_OFFSET_MAX, ALLOT_FAIL_NONE, one, 1,
                         &rec);
    allot_layout_blocks_of(layout, 1, ALLOT_OFFSET_MAX, &blocks, &bytes);
    assert_true(rec.blocks.total == (1ull << 51) - 1);
    assert_true(rec.bytes.total == ALLOT_OFFSET_MAX);
    assert_true(rec.blocks.failed == blocks);
    assert_true(rec.bytes.failed == bytes);
    assert_true(blocks == ((1ull << 51) - 1) / 3);

    assert_int_equal(
        allot_recovery_ranges(layout, ALLOT_OFFSET_MAX, ALLOT_FAIL_NONE, NULL,
                              0, collect, &ranges),
        0);
    assert_int_equal(ranges.count, 0);
    assert_int_equal(
        allot_recovery_ranges(layout, ALLOT_OFFSET_MAX, ALLOT_FAIL_NONE, one, 1,
                              collect, &ranges),
        77);
    assert_int_equal(ranges.range[2].start, 8192 + 2 * 12288);
    allot_layout_free(layout);
}

/* All members failed: one range at once. */
static void
test_largest_file_all_failed(void **state)
{
    struct allot_layout *layout = three_bricks(4096);
    const struct allot_member_state all[3] = {{0, ALLOT_FAIL_DOWN, 0, 0},
                                              {1, ALLOT_FAIL_BLANK, 0, 0},
                                              {2, ALLOT_FAIL_DOWN, 0, 0}};
    struct range_list ranges = {.count = 0};

    (void)state;
    assert_int_equal(
        allot_recovery_ranges(layout, ALLOT_OFFSET_MAX, ALLOT_FAIL_DOWN, all, 3,
                              collect, &ranges),
        0);
    assert_int_equal(ranges.count, 1);
    assert_int_equal(ranges.range[0].start, 0);
    assert_true(ranges.range[0].end == ALLOT_OFFSET_MAX);
    assert_int_equal(ranges.range[0].why, ALLOT_FAIL_BLANK);
    /* What returns apart from what does not: block by block. */
    ranges = (struct range_list){.stop_at = 3};
    assert_int_equal(
        allot_recovery_ranges_apart(layout, ALLOT_OFFSET_MAX, ALLOT_FAIL_DOWN,
                                    all, 3, collect, &ranges),
        77);
    assert_int_equal(ranges.range[1].start, 8192);
    assert_int_equal(ranges.range[1].end, 12288);
    assert_int_equal(ranges.range[1].why, ALLOT_FAIL_BLANK);
    assert_int_equal(ranges.range[2].end, 8192 + 12288);
    assert_int_equal(ranges.range[2].why, ALLOT_FAIL_DOWN);
    allot_layout_free(layout);
}

/* The reason of a range is that of its own bytes: a member without a block in
 * the file does not make it worse. */
static void
test_reason_is_of_the_bytes_there(void **state)
{
    struct allot_layout *layout = three_bricks(0);
    const struct allot_member_state all[3] = {{0, ALLOT_FAIL_DOWN, 0, 0},
                                              {1, ALLOT_FAIL_DOWN, 0, 0},
                                              {2, ALLOT_FAIL_LOST, 0, 0}};
    struct range_list ranges = {.count = 0};

    (void)state;
    assert_int_equal(allot_recovery_ranges(layout, 8192, ALLOT_FAIL_NONE, all,
                                           3, collect, &ranges),
                     0);
    assert_int_equal(ranges.count, 1);
    assert_int_equal(ranges.range[0].end, 8192);
    assert_int_equal(ranges.range[0].why, ALLOT_FAIL_DOWN);
    allot_layout_free(layout);
}

/* ---- the checks can fail ------------------------------------------------- */

static void
test_checks_can_fail(void **state)
{
    struct allot_layout *layout = three_bricks(4096);
    struct byte_map map = byte_map_new(layout, 0, 40960);
    const enum allot_fail fails[BRICKS] = {[1] = ALLOT_FAIL_DOWN};
    const struct allot_member_state right[1] = {{1, ALLOT_FAIL_DOWN, 0, 0}};
    const struct allot_member_state wrong[1] = {{2, ALLOT_FAIL_DOWN, 0, 0}};
    struct oracle *expected = malloc(sizeof(*expected));
    struct range_list ranges = {.count = 0};
    struct allot_recovery rec;

    (void)state;
    assert_non_null(expected);
    oracle_run(expected, layout, &map, 20000, ALLOT_FAIL_NONE, fails, NULL);
    allot_recovery_count(layout, 20000, ALLOT_FAIL_NONE, right, 1, &rec);
    assert_true(same_recovery(&rec, &expected->rec));
    rec.blocks.lost++;
    assert_false(same_recovery(&rec, &expected->rec));
    allot_recovery_ranges(layout, 20000, ALLOT_FAIL_NONE, wrong, 1, collect,
                          &ranges);
    assert_false(same_ranges(&ranges, &expected->ranges));
    free(expected);
    byte_map_free(&map);
    allot_layout_free(layout);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_files),
        cmocka_unit_test(test_random_unspread_files),
        cmocka_unit_test(test_block_0_fails_with_either_part),
        cmocka_unit_test(test_base_without_inline_part),
        cmocka_unit_test(test_empty_file_is_intact),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_holes_are_bounded_by_what_is_there),
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_largest_file),
        cmocka_unit_test(test_largest_file_all_failed),
        cmocka_unit_test(test_reason_is_of_the_bytes_there),
        cmocka_unit_test(test_checks_can_fail),
    };

    test_seed_init();
    return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}
