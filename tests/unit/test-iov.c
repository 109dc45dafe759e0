/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * test-iov.c - parts of vectors, against the same part of one flat buffer.
 * Regression: a part behind the first buffer got the first buffer's data.
 */
#include "allot-test.h"
#include "allot-iov.h"

#define BYTES 4096

/* The bytes of @count buffers, one after the other. */
static size_t
flatten(const struct iovec *iov, int count, uint8_t *out)
{
    size_t len = 0;
    int i = 0;

    for (i = 0; i < count; i++) {
        memcpy(out + len, iov[i].iov_base, iov[i].iov_len);
        len += iov[i].iov_len;
    }
    return len;
}

static void
test_second_buffer(void **state)
{
    char a[] = "aaaa";
    char b[] = "bbbb";
    struct iovec iov[2] = {{a, 4}, {b, 4}};
    struct iovec out[2];
    uint8_t flat[8];

    (void)state;
    assert_int_equal(allot_iov_cut(iov, 2, 4, 4, out), 1);
    assert_ptr_equal(out[0].iov_base, b);
    assert_int_equal(out[0].iov_len, 4);
    assert_int_equal(allot_iov_cut(iov, 2, 3, 2, out), 2);
    assert_int_equal(flatten(out, 2, flat), 2);
    assert_memory_equal(flat, "ab", 2);
}

static void
test_edges(void **state)
{
    char a[] = "abcd";
    struct iovec iov[3] = {{a, 0}, {a, 4}, {a, 0}};
    struct iovec out[3];

    (void)state;
    assert_int_equal(allot_iov_cut(iov, 3, 0, 0, out), 0);
    assert_int_equal(allot_iov_cut(iov, 3, 4, 1, out), 0);
    assert_int_equal(allot_iov_cut(iov, 3, 3, 100, out), 1);
    assert_int_equal(out[0].iov_len, 1);
    assert_int_equal(allot_iov_cut(iov, 0, 0, 1, out), 0);
}

static void
test_random(void **state)
{
    static uint8_t bytes[BYTES];
    static uint8_t flat[BYTES];
    struct iovec iov[9];
    struct iovec out[9];
    int round = 0;
    int i = 0;

    (void)state;
    for (i = 0; i < BYTES; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 256);
    for (round = 0; round < 20000; round++) {
        int n = (int)(test_rand() % 9);
        size_t total = 0;
        size_t skip = 0;
        size_t len = 0;
        size_t expect = 0;
        int count = 0;

        for (i = 0; i < n; i++) {
            iov[i].iov_base = bytes + total;
            iov[i].iov_len = test_rand() % 300;
            total += iov[i].iov_len;
        }
        skip = test_rand() % (total + 10);
        len = test_rand() % (total + 10);
        expect = skip >= total ? 0 : total - skip < len ? total - skip : len;
        count = allot_iov_cut(iov, n, skip, len, out);
        assert_true(count <= n);
        assert_int_equal(flatten(out, count, flat), expect);
        if (expect)
            assert_memory_equal(flat, bytes + skip, expect);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_second_buffer),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_random),
    };

    test_seed_init();
    return cmocka_run_group_tests_name("iov", tests, NULL, NULL);
}
