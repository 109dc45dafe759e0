/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * test-memory.c - every allocation of the core fails once: -ENOMEM, nothing
 * leaked, and the next try works.
 *
 * The sources that allocate are compiled into this program with malloc() and
 * its kin replaced; the linker then takes nothing of them from the library.
 */
#include "allot-test.h"

static long allocations_left; /* before one fails; negative: none fails */
static long blocks_live;      /* allocated and not yet freed */

static int
must_fail(void)
{
    return allocations_left >= 0 && allocations_left-- == 0;
}

static void *
failing_malloc(size_t size)
{
    void *block = must_fail() ? NULL : malloc(size);

    blocks_live += block != NULL;
    return block;
}

static void *
failing_calloc(size_t n, size_t size)
{
    void *block = must_fail() ? NULL : calloc(n, size);

    blocks_live += block != NULL;
    return block;
}

static void *
failing_realloc(void *old, size_t size)
{
    void *block = must_fail() ? NULL : realloc(old, size);

    blocks_live += block != NULL && old == NULL;
    return block;
}

static void
counted_free(void *block)
{
    blocks_live -= block != NULL;
    free(block);
}

#define malloc failing_malloc
#define calloc failing_calloc
#define realloc failing_realloc
#define free counted_free

#include "allot-apportion.c"
#include "allot-codec-portion.c"
#include "allot-codec-record.c"
#include "allot-codec-registry.c"
#include "allot-layout.c"
#include "allot-split.c"

#undef malloc
#undef calloc
#undef realloc
#undef free

#include "codec-items.h"

/* ---- what is tried ------------------------------------------------------- */

/* Each returns 0 or what the core said, and frees what it got. */

static int
try_cycle(void)
{
    const uint32_t weights[3] = {3, 2, 1};
    uint16_t slots[6];

    return allot_apportion_cycle(weights, 3, slots, 6);
}

static const struct allot_member members[4] = {{1, 3}, {2, 2}, {3, 1}, {4, 9}};

static int
make_layout(struct allot_layout **layout)
{
    struct allot_member list[4];
    const struct allot_extent extents[3] = {
        {0, 0, 12, 3, list},
        {9999, 0, 12, 4, list},
        {99999, 0, 12, 3, list}, /* shares the first one's cycle */
    };

    memcpy(list, members, sizeof(list));
    return allot_layout_new(0, extents, 3, layout);
}

static int
try_layout(void)
{
    struct allot_layout *layout;
    int ret = make_layout(&layout);

    if (ret == 0)
        allot_layout_free(layout);
    return ret;
}

static int
try_append(void)
{
    struct allot_layout *layout;
    struct allot_layout *longer;
    int ret = make_layout(&layout);

    if (ret)
        return ret;
    ret = allot_layout_append(layout, 200000, 12, members, 4, &longer);
    if (ret == 0)
        allot_layout_free(longer);
    allot_layout_free(layout);
    return ret;
}

static int
try_split(void)
{
    struct allot_layout *layout;
    struct allot_piece *pieces;
    int64_t count;
    int ret = make_layout(&layout);

    if (ret)
        return ret;
    /* long enough to grow the array several times */
    count = allot_split_all(layout, 0, 1 << 20, &pieces);
    if (count >= 0)
        counted_free(pieces);
    else
        assert_null(pieces);
    allot_layout_free(layout);
    return count < 0 ? (int)count : 0;
}

static int
try_record(void)
{
    static uint8_t buf[ITEM_MAX];
    static int64_t len;
    struct allot_record rec;
    int ret;

    if (len == 0) {
        long left = allocations_left;

        allocations_left = -1;
        len = sample_record_spread(buf, sizeof(buf));
        allocations_left = left;
    }
    ret = allot_record_decode(buf, (size_t)len, &rec);
    if (ret)
        assert_null(rec.layout);
    else
        allot_record_clear(&rec);
    return ret;
}

static int
try_registry(void)
{
    static uint8_t buf[ITEM_MAX];
    static int64_t len;
    struct allot_registry reg;
    int64_t again;
    int ret;

    if (len == 0) {
        long left = allocations_left;

        allocations_left = -1;
        len = sample_registry(buf, sizeof(buf));
        allocations_left = left;
    }
    ret = allot_registry_decode(buf, (size_t)len, &reg);
    if (ret) {
        assert_null(reg.bricks);
        return ret;
    }
    again = allot_registry_encode(&reg, buf, sizeof(buf));
    allot_registry_clear(&reg);
    return again < 0 ? (int)again : 0;
}

static int
try_handshake(void)
{
    static uint8_t buf[ITEM_MAX];
    static int64_t len;
    struct allot_handshake hs;
    int ret;

    if (len == 0) {
        long left = allocations_left;

        allocations_left = -1;
        len = sample_handshake(buf, sizeof(buf));
        allocations_left = left;
    }
    ret = allot_handshake_decode(buf, (size_t)len, &hs);
    if (ret)
        assert_null(hs.registry.bricks);
    else
        allot_registry_clear(&hs.registry);
    return ret;
}

/* Let the first, the second, ... allocation fail, until there is none left to
 * fail. Returns how many there were. */
static long
fail_each(int (*attempt)(void))
{
    long n = 0;

    for (;; n++) {
        int ret;

        assert_true(n < 1000);
        allocations_left = n;
        blocks_live = 0;
        ret = attempt();
        assert_int_equal(blocks_live, 0);
        if (allocations_left >= 0) {
            allocations_left = -1;
            assert_int_equal(ret, 0);
            return n;
        }
        assert_int_equal(ret, -ENOMEM);
    }
}

static void
test_each_allocation_fails_once(void **state)
{
    (void)state;
    assert_int_equal(fail_each(try_cycle), 1);
    /* layout, extents, members, bricks, cycles, two cycles of two each */
    assert_int_equal(fail_each(try_layout), 9);
    assert_true(fail_each(try_append) >= 18);
    assert_true(fail_each(try_split) >= 9 + 3);
    assert_true(fail_each(try_record) >= 7);
    /* bricks, uuids when read, uuids when written */
    assert_int_equal(fail_each(try_registry), 3);
    assert_int_equal(fail_each(try_handshake), 2);
}

/* The counter sees a leak. */
static void
test_leak_is_seen(void **state)
{
    struct allot_layout *layout;

    (void)state;
    blocks_live = 0;
    allocations_left = -1;
    assert_int_equal(make_layout(&layout), 0);
    assert_int_not_equal(blocks_live, 0);
    allot_layout_free(layout);
    assert_int_equal(blocks_live, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_allocation_fails_once),
        cmocka_unit_test(test_leak_is_seen),
    };

    test_seed_init();
    allocations_left = -1;
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
