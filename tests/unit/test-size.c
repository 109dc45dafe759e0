/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * test-size.c - sizes: never shorter than what a silent member may hold, exact
 * only when nobody can know better. The oracle scans a map byte by byte.
 */
#include "allot-size.h"
#include "allot-test.h"

#define BRICKS 8

/* The rules of allot-size.h over the map. */
static struct allot_size
oracle(const struct allot_record *rec, uint64_t base_size,
       const uint8_t *answered, const uint64_t *size,
       const struct byte_map *map)
{
    struct allot_size out = {rec->size, rec->size, 1};

    if (!(rec->flags & ALLOT_RECORD_DIRTY))
        return out;
    if (base_size > rec->layout->inline_limit)
        base_size = rec->layout->inline_limit;
    if (base_size > out.known)
        out.known = base_size;
    for (uint16_t b = 0; b < BRICKS; b++)
        if (answered[b] && size[b] > out.known)
            out.known = size[b];
    out.size = out.known;
    for (uint16_t b = 0; b < BRICKS; b++) {
        uint64_t at = out.known;

        if (answered[b])
            continue;
        while (at < map->hi && map->owner[at - map->lo] != (int16_t)b)
            at++;
        if (at >= ALLOT_OFFSET_MAX || at == map->hi)
            continue; /* not a member from here on */
        do
            at++;
        while (at < map->hi && !map->first[at - map->lo]);
        if (at > ALLOT_OFFSET_MAX)
            at = ALLOT_OFFSET_MAX;
        out.exact = 0;
        if (at > out.size)
            out.size = at;
    }
    return out;
}

static int
same_size(const struct allot_size *a, const struct allot_size *b)
{
    return a->known == b->known && a->size == b->size && a->exact == b->exact;
}

/* Random answers for one layout, all sizes within [low, high]. */
static void
check_random(struct allot_layout *layout, const struct byte_map *map,
             uint64_t low, uint64_t high)
{
    struct allot_glimpse_member members[BRICKS];
    uint8_t answered[BRICKS] = {0};
    uint64_t size[BRICKS] = {0};
    struct allot_record rec = {
        .flags = test_below(5) ? ALLOT_RECORD_DIRTY : 0,
        .size = test_between(low, high),
        .layout = layout,
    };
    uint64_t base_size = test_below(2) ? test_between(low, high) : 0;
    struct allot_size expected;
    struct allot_size got;
    size_t n = 0;

    for (uint16_t b = 0; b < BRICKS; b++) {
        if (test_below(6) == 0)
            continue; /* not in the list: silent */
        answered[b] = test_below(4) != 0;
        size[b] = test_between(low, high);
        /* a silent member's size must not be looked at */
        members[n++] = (struct allot_glimpse_member){
            b, answered[b], answered[b] ? size[b] : UINT64_MAX};
    }
    expected = oracle(&rec, base_size, answered, size, map);
    allot_size_compute(&rec, base_size, members, n, &got);
    assert_true(same_size(&expected, &got));
    assert_true(got.size >= got.known);
    if (got.exact)
        assert_true(got.size == got.known);
}

static void
test_random_glimpses(void **state)
{
    (void)state;
    for (int round = 0; round < 40; round++) {
        struct allot_layout *layout = random_small(random_inline());
        struct byte_map map = byte_map_new(layout, 0, 2 * WINDOW);

        for (int i = 0; i < 20; i++)
            check_random(layout, &map, 0, WINDOW);
        byte_map_free(&map);
        allot_layout_free(layout);
    }
}

static void
test_random_glimpses_at_the_top(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct allot_layout *layout = random_top();
        struct byte_map map =
            byte_map_new(layout, layout->extents[1].start_byte, OFFSET_END);

        for (int i = 0; i < 20; i++)
            check_random(layout, &map, map.lo,
                         i % 4 ? ALLOT_OFFSET_MAX : map.lo + WINDOW / 2);
        byte_map_free(&map);
        allot_layout_free(layout);
    }
}

/*      start 0        8192              inline 4096, blocks of 4096
 *      | base | b0 | b1 | b2 | b0 | ...                                     */
static struct allot_layout *
three_bricks(void)
{
    struct allot_member members[3] = {{0, 1}, {1, 1}, {2, 1}};
    const struct allot_extent ext = {4096, 0, 12, 3, members};
    struct allot_layout *layout;

    assert_int_equal(allot_layout_new(4096, &ext, 1, &layout), 0);
    return layout;
}

static void
test_clean_is_exact_whatever_they_say(void **state)
{
    struct allot_record rec = {.size = 5000, .layout = three_bricks()};
    const struct allot_glimpse_member members[1] = {{0, 1, 1000000}};
    struct allot_size out;

    (void)state;
    allot_size_compute(&rec, 999999, members, 1, &out);
    assert_int_equal(out.size, 5000);
    assert_int_equal(out.known, 5000);
    assert_int_equal(out.exact, 1);
    allot_size_compute(&rec, 0, NULL, 0, &out);
    assert_int_equal(out.size, 5000);
    assert_int_equal(out.exact, 1);
    allot_layout_free(rec.layout);
}

static void
test_dirty_by_example(void **state)
{
    struct allot_record rec = {
        .flags = ALLOT_RECORD_DIRTY, .size = 5000, .layout = three_bricks()};
    struct allot_glimpse_member members[3] = {
        {0, 1, 5000}, {1, 1, 9000}, {2, 1, 0}};
    struct allot_size out;

    (void)state;
    allot_size_compute(&rec, 4096, members, 3, &out);
    assert_int_equal(out.size, 9000);
    assert_int_equal(out.exact, 1);

    /* brick 2 is silent: its first slot past 9000 ends at 16384 */
    members[2].answered = 0;
    allot_size_compute(&rec, 4096, members, 3, &out);
    assert_int_equal(out.known, 9000);
    assert_int_equal(out.size, 16384);
    assert_int_equal(out.exact, 0);

    /* brick 1, which holds the end, is silent too: its present slot could be
     * fuller, brick 2's next one lies further */
    members[1].answered = 0;
    allot_size_compute(&rec, 4096, members, 3, &out);
    assert_int_equal(out.known, 5000);
    assert_int_equal(out.size, 16384);
    assert_int_equal(out.exact, 0);

    /* the record knows more than any glimpse */
    rec.size = 50000;
    members[1].answered = members[2].answered = 1;
    allot_size_compute(&rec, 4096, members, 3, &out);
    assert_int_equal(out.size, 50000);
    assert_int_equal(out.exact, 1);
    allot_layout_free(rec.layout);
}

/* A silent member of an earlier extent: inexact below the last extent's
 * start, exact from there on. */
static void
test_silent_member_of_an_earlier_extent(void **state)
{
    struct allot_member both[2] = {{0, 1}, {1, 1}};
    struct allot_member one[1] = {{0, 1}};
    const struct allot_extent extents[2] = {
        {0, 0, 12, 2, both},
        {10000, 0, 12, 1, one},
    };
    struct allot_record rec = {.flags = ALLOT_RECORD_DIRTY};
    struct allot_glimpse_member members[2] = {{0, 1, 0}, {1, 0, 0}};
    struct allot_size out;

    (void)state;
    assert_int_equal(allot_layout_new(0, extents, 2, &rec.layout), 0);
    members[0].size = 4096;
    allot_size_compute(&rec, 0, members, 2, &out);
    assert_int_equal(out.size, 8192);
    assert_int_equal(out.exact, 0);
    members[0].size = 8192; /* past brick 1's last block */
    allot_size_compute(&rec, 0, members, 2, &out);
    assert_int_equal(out.size, 8192);
    assert_int_equal(out.exact, 1);
    members[0].size = 10001;
    allot_size_compute(&rec, 0, members, 2, &out);
    assert_int_equal(out.size, 10001);
    assert_int_equal(out.exact, 1);
    allot_layout_free(rec.layout);
}

static void
test_largest_offset(void **state)
{
    struct allot_record rec = {.flags = ALLOT_RECORD_DIRTY,
                               .size = ALLOT_OFFSET_MAX,
                               .layout = three_bricks()};
    struct allot_size out;

    (void)state;
    /* nothing can lie past it, whoever is silent */
    allot_size_compute(&rec, 0, NULL, 0, &out);
    assert_true(out.size == ALLOT_OFFSET_MAX);
    assert_int_equal(out.exact, 1);
    rec.size--;
    allot_size_compute(&rec, 0, NULL, 0, &out);
    assert_true(out.known == ALLOT_OFFSET_MAX - 1);
    assert_true(out.size == ALLOT_OFFSET_MAX);
    assert_int_equal(out.exact, 0);
    allot_layout_free(rec.layout);
}

static void
test_check_can_fail(void **state)
{
    struct allot_record rec = {
        .flags = ALLOT_RECORD_DIRTY, .size = 9000, .layout = three_bricks()};
    struct byte_map map = byte_map_new(rec.layout, 0, WINDOW);
    uint8_t answered[BRICKS] = {1, 1, 0};
    uint64_t size[BRICKS] = {0};
    struct allot_size expected = oracle(&rec, 0, answered, size, &map);
    struct allot_size got;

    (void)state;
    /* everybody silent is another answer than brick 2 silent */
    allot_size_compute(&rec, 0, NULL, 0, &got);
    assert_false(same_size(&expected, &got));
    byte_map_free(&map);
    allot_layout_free(rec.layout);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_glimpses),
        cmocka_unit_test(test_random_glimpses_at_the_top),
        cmocka_unit_test(test_clean_is_exact_whatever_they_say),
        cmocka_unit_test(test_dirty_by_example),
        cmocka_unit_test(test_silent_member_of_an_earlier_extent),
        cmocka_unit_test(test_largest_offset),
        cmocka_unit_test(test_check_can_fail),
    };

    test_seed_init();
    return cmocka_run_group_tests_name("size", tests, NULL, NULL);
}
