/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * test-crc32c.c - the vectors of RFC 3720 appendix B.4, and a bit by bit
 * oracle.
 */
#include "allot-crc32c.h"
#include "allot-test.h"

static uint32_t
naive_crc(const uint8_t *buf, size_t len, uint32_t polynomial)
{
    uint32_t crc = 0xffffffffu;

    for (size_t i = 0; i < len; i++) {
        crc ^= buf[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? (crc >> 1) ^ polynomial : crc >> 1;
    }
    return ~crc;
}

static void
test_vectors(void **state)
{
    uint8_t buf[32];

    (void)state;
    assert_int_equal(allot_crc32c("123456789", 9), 0xe3069283);
    assert_int_equal(allot_crc32c("", 0), 0);
    memset(buf, 0, sizeof(buf));
    assert_int_equal(allot_crc32c(buf, 32), 0x8a9136aa);
    memset(buf, 0xff, sizeof(buf));
    assert_int_equal(allot_crc32c(buf, 32), 0x62a8ab43);
    for (uint8_t i = 0; i < 32; i++)
        buf[i] = i;
    assert_int_equal(allot_crc32c(buf, 32), 0x46dd794e);
    for (uint8_t i = 0; i < 32; i++)
        buf[i] = 31 - i;
    assert_int_equal(allot_crc32c(buf, 32), 0x113fdb5c);
}

static void
test_random_against_naive(void **state)
{
    uint8_t buf[4096];

    (void)state;
    for (int round = 0; round < 300; round++) {
        size_t len = test_below(sizeof(buf) + 1);

        for (size_t i = 0; i < len; i++)
            buf[i] = (uint8_t)test_rand();
        assert_int_equal(allot_crc32c(buf, len),
                         naive_crc(buf, len, 0x82f63b78));
    }
}

/* The CRC of Ethernet and zlib is another one. */
static void
test_other_polynomial_differs(void **state)
{
    const uint8_t digits[] = "123456789";

    (void)state;
    assert_int_equal(naive_crc(digits, 9, 0xedb88320), 0xcbf43926);
    assert_int_not_equal(allot_crc32c(digits, 9), 0xcbf43926);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_random_against_naive),
        cmocka_unit_test(test_other_polynomial_differs),
    };

    test_seed_init();
    return cmocka_run_group_tests_name("crc32c", tests, NULL, NULL);
}
