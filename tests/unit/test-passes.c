/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * test-passes.c - sums by gfid in bounded memory are those of a table that
 * holds everything, whatever the room and the order (core/allot-passes.h).
 */
#include <errno.h>

#include "allot-passes.h"
#include "allot-test.h"

#define FILES 200
#define ITEMS 1000

struct stream {
    uint8_t gfid[FILES][16];
    uint64_t want[FILES]; /* the oracle's sums */
    int seen[FILES];
    int file[ITEMS];
    uint64_t bytes[ITEMS];
};

/* @near: gfids that differ in few places only, also behind their eighth byte.
 */
static void
stream_make(struct stream *s, int near, int items)
{
    memset(s, 0, sizeof(*s));
    for (int f = 0; f < FILES; f++) {
        uint64_t a = test_rand(), b = test_rand();

        if (near)
            a = a % 40;
        memcpy(s->gfid[f], &a, 8);
        memcpy(s->gfid[f] + 8, &b, 8);
    }
    for (int i = 0; i < items; i++) {
        s->file[i] = (int)(test_rand() % FILES);
        s->bytes[i] = test_rand() % 100000;
        s->want[s->file[i]] += s->bytes[i];
        s->seen[s->file[i]] = 1;
    }
}

static int
find(const struct stream *s, const uint8_t *gfid)
{
    for (int f = 0; f < FILES; f++)
        if (memcmp(s->gfid[f], gfid, 16) == 0)
            return f;
    fail_msg("a gfid that was never added");
    return -1;
}

/* Every gfid in one pass, once, with its sum. Returns the passes. */
static int
check(struct stream *s, int items, size_t max)
{
    struct allot_passes passes;
    int count = 0, left = 0;

    for (int f = 0; f < FILES; f++)
        left += s->seen[f];
    allot_passes_init(&passes, max);
    while (allot_passes_next(&passes)) {
        count++;
        for (int i = 0; i < items; i++)
            assert_int_equal(
                allot_passes_add(&passes, s->gfid[s->file[i]], s->bytes[i]), 0);
        assert_true(passes.n <= max && passes.cap <= max);
        allot_passes_sort(&passes);
        for (size_t at = 0; at < passes.n;) {
            uint64_t sum = 0;
            size_t end = allot_passes_group(&passes, at, &sum);
            int f = find(s, passes.items[at].gfid);

            assert_true(end > at);
            assert_int_equal(s->seen[f], 1);
            assert_true(sum == s->want[f]);
            s->seen[f] = 2;
            left--;
            at = end;
        }
    }
    assert_int_equal(left, 0);
    assert_int_equal(allot_passes_next(&passes), 0);
    for (int f = 0; f < FILES; f++)
        s->seen[f] = s->seen[f] > 0;
    allot_passes_wipe(&passes);
    return count;
}

static void
sums_are_those_of_a_table(void **state)
{
    struct stream s;

    (void)state;
    for (int round = 0; round < 30; round++) {
        int items = (int)(test_rand() % (ITEMS + 1));

        stream_make(&s, 0, items);
        assert_int_equal(check(&s, items, ITEMS + 1), 1);
        check(&s, items, 20 + test_rand() % 300);
    }
    stream_make(&s, 0, ITEMS);
    assert_true(check(&s, ITEMS, 40) > 20);
}

static void
equal_keys_stay_together(void **state)
{
    struct stream s;

    (void)state;
    for (int round = 0; round < 30; round++) {
        /* Some 25 items have one key: the room is for a few keys. */
        stream_make(&s, 1, ITEMS);
        assert_true(check(&s, ITEMS, 150) > 1);
    }
}

static void
more_of_one_than_there_is_room_for_is_said(void **state)
{
    const uint8_t gfid[16] = {1, 2, 3}, below[16] = {0}, above[16] = {2};
    struct allot_passes passes;
    int ret = 0;

    (void)state;
    for (int with = 0; with < 3; with++) {
        allot_passes_init(&passes, 8);
        assert_int_equal(allot_passes_next(&passes), 1);
        if (with == 1)
            assert_int_equal(allot_passes_add(&passes, below, 1), 0);
        if (with == 2)
            assert_int_equal(allot_passes_add(&passes, above, 1), 0);
        for (int i = 0; i < 9; i++)
            ret = allot_passes_add(&passes, gfid, 1);
        /* What is below is kept alone first; what is above waits. */
        assert_int_equal(ret, with == 1 ? 0 : -E2BIG);
        if (with == 1) {
            assert_int_equal(passes.n, 1);
            assert_int_equal(allot_passes_next(&passes), 1);
            for (int i = 0; i < 9; i++)
                ret = allot_passes_add(&passes, gfid, 1);
            assert_int_equal(ret, -E2BIG);
        }
        allot_passes_wipe(&passes);
    }
}

static void
nothing_is_one_empty_pass(void **state)
{
    struct allot_passes passes;

    (void)state;
    allot_passes_init(&passes, 2);
    assert_int_equal(allot_passes_next(&passes), 1);
    allot_passes_sort(&passes);
    assert_int_equal(passes.n, 0);
    assert_int_equal(allot_passes_next(&passes), 0);
    allot_passes_wipe(&passes);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_those_of_a_table),
        cmocka_unit_test(equal_keys_stay_together),
        cmocka_unit_test(more_of_one_than_there_is_room_for_is_said),
        cmocka_unit_test(nothing_is_one_empty_pass),
    };

    test_seed_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
