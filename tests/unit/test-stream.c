/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * test-stream.c - what counts as a stream, whatever the order of its requests,
 * and what does not; how far is read ahead.
 */
#include "allot-test.h"
#include "allot-stream.h"

#define MIB (1024 * KIB)
#define END (1ULL << 40)

static void
test_sequence(void **state)
{
    struct allot_stream s = {0};

    (void)state;
    assert_int_equal(allot_stream_read(&s, 0, 128 * KIB), 0);
    assert_int_equal(allot_stream_more(&s, 0, END, 0), 0);
    assert_int_equal(allot_stream_read(&s, 128 * KIB, 128 * KIB), 1);
    assert_int_equal(s.pos, 256 * KIB);
    assert_int_equal(s.window, ALLOT_STREAM_WINDOW);
    assert_int_equal(allot_stream_more(&s, 0, END, 0),
                     256 * KIB + ALLOT_STREAM_WINDOW);
}

/* Small requests need as many bytes as large ones. */
static void
test_small_requests(void **state)
{
    struct allot_stream s = {0};
    uint64_t off = 0;

    (void)state;
    for (off = 0; off < ALLOT_STREAM_RUN - 4096; off += 4096)
        assert_int_equal(allot_stream_read(&s, off, 4096), 0);
    assert_int_equal(allot_stream_read(&s, off, 4096), 1);
}

/* Eight requests of a stream in any order. */
static void
test_out_of_order(void **state)
{
    struct allot_stream s = {0};
    uint64_t order[8];
    uint64_t off = 0;
    uint64_t other = 0;
    uint64_t kept = 0;
    int run = 0;
    int i = 0;

    (void)state;
    for (off = 0; off < 64 * MIB; off += MIB / 2) {
        for (i = 0; i < 8; i++)
            order[i] = off + i * 64 * KIB;
        for (i = 0; i < 8; i++) {
            other = test_rand() % 8;
            kept = order[i];
            order[i] = order[other];
            order[other] = kept;
        }
        for (i = 0; i < 8; i++) {
            run = allot_stream_read(&s, order[i], 64 * KIB);
            if (off >= 4 * MIB)
                assert_int_equal(run, 1);
        }
    }
    assert_int_equal(s.pos, 64 * MIB);
}

static void
test_random(void **state)
{
    struct allot_stream s = {0};
    int i = 0;

    (void)state;
    for (i = 0; i < 100000; i++)
        assert_int_equal(
            allot_stream_read(&s, test_rand() % (1 << 18) * 4096, 4096), 0);
}

/* Every fourth block, or backwards: not worth reading what lies between. */
static void
test_strides_and_backwards(void **state)
{
    struct allot_stream s = {0};
    uint64_t off = 0;

    (void)state;
    for (off = 0; off < 64 * MIB; off += 256 * KIB)
        assert_int_equal(allot_stream_read(&s, off, 64 * KIB), 0);
    memset(&s, 0, sizeof(s));
    for (off = END; off > END - 64 * MIB; off -= MIB)
        assert_int_equal(allot_stream_read(&s, off, 128 * KIB), 0);
}

/* A jump ends a run, and what follows begins one. */
static void
test_jump(void **state)
{
    struct allot_stream s = {0};

    (void)state;
    allot_stream_read(&s, 0, MIB);
    assert_int_equal(allot_stream_read(&s, MIB, MIB), 1);
    assert_int_equal(allot_stream_read(&s, 100 * MIB, 128 * KIB), 0);
    assert_int_equal(s.window, 0);
    assert_int_equal(allot_stream_more(&s, 3 * MIB, END, 0), 0);
    assert_int_equal(allot_stream_read(&s, 100 * MIB + 128 * KIB, 128 * KIB),
                     1);
}

static void
test_window(void **state)
{
    struct allot_stream s = {0};
    int i = 0;

    (void)state;
    allot_stream_late(&s, 0, 0, 16 * MIB);
    assert_int_equal(s.window, 0);
    allot_stream_read(&s, 0, MIB);
    allot_stream_read(&s, MIB, MIB);
    for (i = 0; i < 100; i++)
        allot_stream_late(&s, 0, 0, 15 * MIB);
    assert_int_equal(s.window, 15 * MIB);
    allot_stream_early(&s, 0);
    assert_int_equal(s.window, ALLOT_STREAM_WINDOW);
    /* An option below the smallest window does not make it larger. */
    allot_stream_late(&s, 0, 0, 4096);
    assert_int_equal(s.window, ALLOT_STREAM_WINDOW);
}

/* In strides of half a window, and never past the end. */
static void
test_more(void **state)
{
    struct allot_stream s = {.start = 0, .pos = 10 * MIB, .seen = 10 * MIB};

    (void)state;
    s.window = 4 * MIB;
    assert_int_equal(allot_stream_more(&s, 14 * MIB, END, 0), 0);
    assert_int_equal(allot_stream_more(&s, 12 * MIB + 1, END, 0), 0);
    assert_int_equal(allot_stream_more(&s, 12 * MIB, END, 0), 14 * MIB);
    assert_int_equal(allot_stream_more(&s, 0, END, 0), 14 * MIB);
    assert_int_equal(allot_stream_more(&s, 0, 11 * MIB, 0), 11 * MIB);
    assert_int_equal(allot_stream_more(&s, 11 * MIB, 11 * MIB, 0), 0);
    assert_int_equal(allot_stream_more(&s, 0, 10 * MIB, 0), 0);
    assert_int_equal(allot_stream_more(&s, 0, MIB, 0), 0);
}

/* At the top of 64 bits of a signed offset. */
static void
test_top(void **state)
{
    struct allot_stream s = {0};
    uint64_t top = INT64_MAX;

    (void)state;
    allot_stream_read(&s, top - 2 * MIB, MIB);
    assert_int_equal(allot_stream_read(&s, top - MIB, MIB), 1);
    assert_int_equal(s.pos, top);
    assert_int_equal(allot_stream_more(&s, 0, top, 0), 0);
}

/* A window that waits long in front of full links only gets old. */
static void
test_full_links(void **state)
{
    struct allot_stream s = {0};

    (void)state;
    allot_stream_read(&s, 0, MIB);
    allot_stream_read(&s, MIB, MIB);
    while (s.window < 8 * MIB)
        allot_stream_late(&s, 0, 0, 16 * MIB);
    allot_stream_came(&s, 10000, 10249, 1000);
    allot_stream_late(&s, 0, 0, 16 * MIB);
    assert_int_equal(s.window, 16 * MIB);
    /* From a quarter of the limit on it does not grow ... */
    s.window = 8 * MIB;
    allot_stream_came(&s, 10000, 10250, 1000);
    allot_stream_late(&s, 0, 0, 16 * MIB);
    assert_int_equal(s.window, 8 * MIB);
    /* ... from a half on it shrinks, once for what left together. */
    allot_stream_came(&s, 10000, 10500, 1000);
    assert_int_equal(s.window, 4 * MIB);
    allot_stream_came(&s, 10000, 10501, 1000);
    allot_stream_came(&s, 10499, 11499, 1000);
    assert_int_equal(s.window, 4 * MIB);
    allot_stream_came(&s, 10500, 11400, 1000);
    assert_int_equal(s.window, 2 * MIB);
    /* What comes quickly lets it grow again, once for what left together. */
    allot_stream_came(&s, 12000, 12001, 1000);
    allot_stream_late(&s, 12000, 12001, 16 * MIB);
    allot_stream_late(&s, 12000, 12002, 16 * MIB);
    assert_int_equal(s.window, 4 * MIB);
    allot_stream_late(&s, 12001, 12003, 16 * MIB);
    assert_int_equal(s.window, 8 * MIB);
    assert_int_not_equal(allot_stream_more(&s, 0, END, 12001), 0);
    /* What comes too late was too much ... */
    allot_stream_came(&s, 12100, 13101, 1000);
    assert_int_equal(s.window, 4 * MIB);
    assert_int_not_equal(allot_stream_more(&s, 0, END, 13102), 0);
    /* ... unless that was the smallest window: nothing for a while. */
    allot_stream_early(&s, 13200);
    allot_stream_came(&s, 13199, 14300, 1000);
    assert_int_not_equal(allot_stream_more(&s, 0, END, 14301), 0);
    allot_stream_came(&s, 13200, 14300, 1000);
    assert_int_equal(
        allot_stream_more(&s, 0, END, 14299 + ALLOT_STREAM_REST_MS), 0);
    assert_int_not_equal(
        allot_stream_more(&s, 0, END, 14300 + ALLOT_STREAM_REST_MS), 0);
    /* Never below the smallest. */
    s.window = ALLOT_STREAM_WINDOW;
    allot_stream_came(&s, 20000, 20600, 1000);
    assert_int_equal(s.window, ALLOT_STREAM_WINDOW);
    /* A clock that stands still or goes back does no harm. */
    allot_stream_came(&s, 20000, 19000, 1000);
    assert_int_equal(s.full, 0);
}

/* Another thread's clock may be a little ahead: what it has just fetched is not
 * old. */
static void
test_old(void **state)
{
    (void)state;
    assert_int_equal(allot_stream_old(1000, 1000, 500), 0);
    assert_int_equal(allot_stream_old(1000, 1500, 500), 0);
    assert_int_equal(allot_stream_old(1000, 1501, 500), 1);
    assert_int_equal(allot_stream_old(1000, 999, 500), 0);
    assert_int_equal(allot_stream_old(UINT64_MAX, 1, 500), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequence),
        cmocka_unit_test(test_small_requests),
        cmocka_unit_test(test_out_of_order),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_strides_and_backwards),
        cmocka_unit_test(test_jump),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_more),
        cmocka_unit_test(test_full_links),
        cmocka_unit_test(test_top),
        cmocka_unit_test(test_old),
    };

    test_seed_init();
    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
