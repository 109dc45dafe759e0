/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * test-apportion.c - the promise "within one slot of quota" for every prefix of
 * the endless repetition, for 1 to 1000 members with equal and unequal
 * weights, and the same slots as the naive oracle gives.
 */
#include "allot-apportion.h"
#include "allot-test.h"

/* floor(p w / W) <= count(p) <= ceil(p w / W) for all members and all prefixes
 * p of @rounds repetitions. The quotas are carried along by adding, so that
 * nothing is rounded. 1: holds. */
static int
quota_holds(const uint32_t *weights, size_t n, const uint16_t *slots,
            size_t len, unsigned rounds)
{
    uint64_t *floor_of = calloc(n, sizeof(*floor_of));
    uint64_t *rest = calloc(n, sizeof(*rest));
    uint64_t *count = calloc(n, sizeof(*count));
    int holds = 1;

    assert_true(floor_of && rest && count);
    for (uint64_t p = 0; p < (uint64_t)len * rounds && holds; p++) {
        if (slots[p % len] >= n) {
            holds = 0;
            break;
        }
        count[slots[p % len]]++;
        for (size_t i = 0; i < n; i++) {
            rest[i] += weights[i];
            if (rest[i] >= len) {
                rest[i] -= len;
                floor_of[i]++;
            }
            if (count[i] < floor_of[i] ||
                count[i] > floor_of[i] + (rest[i] != 0)) {
                holds = 0;
                break;
            }
        }
    }
    free(floor_of);
    free(rest);
    free(count);
    return holds;
}

/* The same promise told by positions instead of prefixes: the j-th slot of a
 * member stands within its window. O(len), for the long cycles. */
static int
windows_hold(const uint32_t *weights, size_t n, const uint16_t *slots,
             size_t len)
{
    uint64_t *taken = calloc(n, sizeof(*taken));
    int holds = 1;

    assert_non_null(taken);
    for (uint64_t p = 1; p <= len && holds; p++) {
        size_t i = slots[p - 1];
        uint64_t j;

        if (i >= n) {
            holds = 0;
            break;
        }
        j = ++taken[i];
        holds = p >= (j - 1) * len / weights[i] + 1 &&
                p <= (j * len + weights[i] - 1) / weights[i];
    }
    for (size_t i = 0; i < n && holds; i++)
        holds = taken[i] == weights[i];
    free(taken);
    return holds;
}

/* Reduces @weights and computes their cycle; the caller frees it. */
static uint16_t *
make_cycle(uint32_t *weights, size_t n, size_t *len)
{
    int64_t sum = allot_apportion_reduce(weights, n);
    uint16_t *slots;

    assert_true(sum > 0);
    slots = malloc((size_t)sum * sizeof(*slots));
    assert_non_null(slots);
    assert_int_equal(allot_apportion_cycle(weights, n, slots, (size_t)sum), 0);
    assert_int_equal(slots[0], 0);
    *len = (size_t)sum;
    return slots;
}

static void
check_weights(uint32_t *weights, size_t n)
{
    size_t len;
    uint16_t *slots = make_cycle(weights, n, &len);

    assert_true(windows_hold(weights, n, slots, len));
    if ((uint64_t)len * n <= 2000000)
        assert_true(quota_holds(weights, n, slots, len, 3));
    if ((uint64_t)len * len * n <= 30000000) {
        uint16_t *oracle = malloc(len * sizeof(*oracle));

        assert_non_null(oracle);
        naive_cycle(weights, n, oracle, len);
        assert_memory_equal(slots, oracle, len * sizeof(*oracle));
        free(oracle);
    }
    free(slots);
}

static void
test_equal_weights_1_to_1000(void **state)
{
    uint32_t weights[1000];

    (void)state;
    for (size_t n = 1; n <= 1000; n++) {
        size_t len;
        uint16_t *slots;

        for (size_t i = 0; i < n; i++)
            weights[i] = 7;
        slots = make_cycle(weights, n, &len);
        assert_int_equal(len, n);
        /* equal weights: plain round robin in the order of the list */
        for (size_t i = 0; i < n; i++)
            assert_int_equal(slots[i], i);
        if (n <= 64 || n % 111 == 0 || n == 1000)
            assert_true(quota_holds(weights, n, slots, len, 3));
        free(slots);
    }
}

static void
test_random_weights(void **state)
{
    (void)state;
    for (int round = 0; round < 400; round++) {
        uint32_t weights[64];
        size_t n = test_between(1, 64);
        uint64_t max = test_between(1, ALLOT_WEIGHT_MAX);

        for (size_t i = 0; i < n; i++)
            weights[i] = (uint32_t)test_between(1, max);
        check_weights(weights, n);
    }
}

static void
test_few_large_many_small(void **state)
{
    (void)state;
    for (int round = 0; round < 60; round++) {
        uint32_t weights[200];
        size_t n = test_between(2, 200);
        size_t large = test_between(1, 3);

        for (size_t i = 0; i < n; i++)
            weights[i] = 1;
        for (size_t i = 0; i < large; i++)
            weights[test_below(n)] = (uint32_t)test_between(1, 255);
        check_weights(weights, n);
    }
}

static void
test_up_to_1000_unequal(void **state)
{
    uint32_t weights[1000];

    (void)state;
    for (int round = 0; round < 12; round++) {
        size_t n = round == 0 ? 1000 : test_between(256, 1000);

        for (size_t i = 0; i < n; i++)
            weights[i] = (uint32_t)test_between(1, 60);
        check_weights(weights, n);
    }
}

/* All prefixes and all members of one long cycle of 1000. */
static void
test_1000_members_every_prefix(void **state)
{
    uint32_t weights[1000];
    size_t len;
    uint16_t *slots;

    (void)state;
    for (size_t i = 0; i < 1000; i++)
        weights[i] = (uint32_t)test_between(1, 20);
    slots = make_cycle(weights, 1000, &len);
    assert_true(quota_holds(weights, 1000, slots, len, 2));
    free(slots);
}

static void
test_extreme_weights(void **state)
{
    static const uint32_t cases[][3] = {
        {1, 65534, 0},         {65534, 1, 0},     {65533, 1, 1},
        {1, 65533, 1},         {32768, 32767, 0}, {21845, 21845, 21845},
        {4294967295u, 1u, 0u}, {1, 1, 65533},
    };

    (void)state;
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        uint32_t weights[3];
        size_t n = cases[c][2] ? 3 : 2;

        memcpy(weights, cases[c], sizeof(weights));
        if (cases[c][0] == 4294967295u) {
            assert_int_equal(allot_apportion_reduce(weights, n), -E2BIG);
            continue;
        }
        check_weights(weights, n);
    }
}

/* As many members as the cycle may have slots. */
static void
test_longest_list(void **state)
{
    size_t n = ALLOT_CYCLE_MAX;
    uint32_t *weights = malloc((n + 1) * sizeof(*weights));
    uint16_t *slots;
    size_t len;

    (void)state;
    assert_non_null(weights);
    for (size_t i = 0; i <= n; i++)
        weights[i] = 9;
    assert_int_equal(allot_apportion_reduce(weights, n + 1), -E2BIG);
    assert_int_equal(weights[n], 9);
    slots = make_cycle(weights, n, &len);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(slots[i], i);
    free(slots);
    free(weights);
}

static void
test_head_is_first(void **state)
{
    /* by deadlines alone the second member would be first */
    uint32_t weights[2] = {1, 10};
    size_t len;
    uint16_t *slots;

    (void)state;
    slots = make_cycle(weights, 2, &len);
    assert_int_equal(slots[0], 0);
    for (size_t i = 1; i < len; i++)
        assert_int_equal(slots[i], 1);
    free(slots);
}

/* In front a member has at no time fewer slots than at the back of the same
 * list, and nearly always more at some time. */
static void
test_front_has_what_is_open(void **state)
{
    int more = 0;

    (void)state;
    for (int round = 0; round < 200; round++) {
        uint32_t weights[16];
        uint32_t turned[16];
        size_t n = test_between(2, 16);
        size_t len;
        size_t ahead = 0;
        size_t front = 0;
        size_t back = 0;
        uint16_t *first;
        uint16_t *last;

        for (size_t i = 0; i < n; i++)
            weights[i] = (uint32_t)test_between(1, 64);
        memcpy(turned, weights + 1, (n - 1) * sizeof(*weights));
        turned[n - 1] = weights[0];
        first = make_cycle(weights, n, &len);
        last = make_cycle(turned, n, &len);
        for (size_t p = 0; p < len; p++) {
            front += first[p] == 0;
            back += last[p] == n - 1;
            assert_true(front >= back);
            ahead += front - back;
        }
        more += ahead > 0;
        free(first);
        free(last);
    }
    assert_true(more > 150);
}

/* Many files shorter than a cycle, each with the least used in front. */
static void
test_even_over_short_files(void **state)
{
    static const uint64_t sizes[] = {61, 62, 124, 253};
    uint64_t used[4] = {0};
    uint64_t total = 500;
    double worst = 0;

    (void)state;
    for (int file = 0; file < 1000; file++) {
        size_t order[4] = {0, 1, 2, 3};
        uint32_t weights[4];
        uint16_t *slots;
        size_t len;

        for (size_t i = 1; i < 4; i++)
            for (size_t k = i;
                 k > 0 && used[order[k]] * sizes[order[k - 1]] <
                              used[order[k - 1]] * sizes[order[k]];
                 k--) {
                size_t kept = order[k];

                order[k] = order[k - 1];
                order[k - 1] = kept;
            }
        for (size_t i = 0; i < 4; i++)
            weights[i] = (uint32_t)sizes[order[i]];
        slots = make_cycle(weights, 4, &len);
        for (size_t p = 0; p < 32; p++)
            used[order[slots[p]]]++;
        free(slots);
    }
    for (size_t i = 0; i < 4; i++) {
        double ratio =
            (double)used[i] * (double)total / ((double)sizes[i] * 32000.0);

        if (ratio > worst)
            worst = ratio;
    }
    assert_true(worst < 1.001);
}

static void
test_reduce(void **state)
{
    uint32_t a[3] = {6, 10, 4};
    uint32_t b[2] = {65534, 2};
    uint32_t c[2] = {3, 0};
    uint32_t d[2] = {65535, 2};

    (void)state;
    assert_int_equal(allot_apportion_reduce(a, 3), 10);
    assert_int_equal(a[0], 3);
    assert_int_equal(a[1], 5);
    assert_int_equal(a[2], 2);
    assert_int_equal(allot_apportion_reduce(b, 2), 32768);
    assert_int_equal(allot_apportion_reduce(c, 2), -EINVAL);
    assert_int_equal(c[0], 3);
    assert_int_equal(allot_apportion_reduce(d, 2), -E2BIG);
    assert_int_equal(d[0], 65535);
    assert_int_equal(allot_apportion_reduce(a, 0), -EINVAL);
}

static void
test_cycle_refuses_wrong_sizes(void **state)
{
    uint32_t weights[2] = {1, 2};
    uint32_t zero[2] = {0, 3};
    uint16_t slots[4];

    (void)state;
    assert_int_equal(allot_apportion_cycle(weights, 0, slots, 3), -EINVAL);
    assert_int_equal(allot_apportion_cycle(weights, 2, slots, 2), -EINVAL);
    assert_int_equal(allot_apportion_cycle(weights, 2, slots, 4), -EINVAL);
    assert_int_equal(allot_apportion_cycle(weights, 2, slots, 1), -EINVAL);
    assert_int_equal(allot_apportion_cycle(weights, 2, slots, 65536), -EINVAL);
    assert_int_equal(allot_apportion_cycle(zero, 2, slots, 3), -EINVAL);
}

/* weights[i] is the integer nearest to max * capacity / largest. */
static void
check_quantised(const uint64_t *capacity, size_t n, uint32_t max)
{
    uint32_t weights[32];
    uint64_t largest = 0;

    assert_int_equal(allot_apportion_quantise(capacity, n, max, weights), 0);
    for (size_t i = 0; i < n; i++)
        if (capacity[i] > largest)
            largest = capacity[i];
    for (size_t i = 0; i < n; i++) {
        /* twice the distance, in units of 1 / largest */
        __int128 twice = (__int128)2 * weights[i] * largest -
                         (__int128)2 * max * capacity[i];

        assert_in_range(weights[i], 1, max);
        if (twice < 0)
            twice = -twice;
        assert_true(twice <= (__int128)largest || weights[i] == 1);
        if (largest && capacity[i] == largest)
            assert_int_equal(weights[i], max);
    }
}

static void
test_quantise(void **state)
{
    uint64_t capacity[32] = {0};
    uint32_t weights[32];

    (void)state;
    assert_int_equal(allot_apportion_quantise(capacity, 0, 1, weights),
                     -EINVAL);
    assert_int_equal(allot_apportion_quantise(capacity, 2, 0, weights),
                     -EINVAL);
    assert_int_equal(allot_apportion_quantise(capacity, 2, 256, weights),
                     -EINVAL);
    assert_int_equal(allot_apportion_quantise(capacity, 2, 255, weights), 0);
    assert_int_equal(weights[0], 1);

    capacity[0] = UINT64_MAX;
    capacity[1] = UINT64_MAX / 2;
    capacity[2] = 1;
    capacity[3] = 0;
    assert_int_equal(allot_apportion_quantise(capacity, 4, 255, weights), 0);
    assert_int_equal(weights[0], 255);
    assert_in_range(weights[1], 127, 128);
    assert_int_equal(weights[2], 1);
    assert_int_equal(weights[3], 1);

    for (int round = 0; round < 2000; round++) {
        size_t n = test_between(1, 32);
        unsigned shift = (unsigned)test_below(64);

        for (size_t i = 0; i < n; i++)
            capacity[i] = test_rand() >> shift;
        check_quantised(capacity, n, (uint32_t)test_between(1, 255));
    }
}

static void
test_fit(void **state)
{
    static const uint64_t equal[] = {1000, 1002, 999, 1001};
    static const uint64_t steps[] = {100, 100, 200, 400};
    static const uint64_t odd[] = {256, 256, 576, 1216};
    static const uint64_t none[] = {0, 0};
    static const uint64_t one[] = {7};
    uint32_t w[4];
    uint32_t q[4];

    (void)state;
    assert_int_equal(allot_apportion_fit(equal, 0, 128, w), -EINVAL);
    assert_int_equal(allot_apportion_fit(equal, 4, 0, w), -EINVAL);
    assert_int_equal(allot_apportion_fit(equal, 4, 256, w), -EINVAL);
    assert_int_equal(allot_apportion_fit(equal, 4, 128, w), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(w[i], 1);
    assert_int_equal(allot_apportion_fit(steps, 4, 128, w), 0);
    assert_int_equal(w[0], 1);
    assert_int_equal(w[2], 2);
    assert_int_equal(w[3], 4);
    /* 4:4:9:19 */
    assert_int_equal(allot_apportion_fit(odd, 4, 128, w), 0);
    assert_int_equal(w[0], 4);
    assert_int_equal(w[1], 4);
    assert_int_equal(w[2], 9);
    assert_int_equal(w[3], 19);
    assert_int_equal(allot_apportion_fit(none, 2, 128, w), 0);
    assert_int_equal(w[1], 1);
    assert_int_equal(allot_apportion_fit(one, 1, 128, w), 0);
    assert_int_equal(w[0], 1);

    /* At least as good as any single quantisation. */
    for (int round = 0; round < 500; round++) {
        uint64_t capacity[4];
        double worst[2] = {0, 0};
        uint64_t largest = 0;

        for (int i = 0; i < 4; i++) {
            capacity[i] = test_between(1000, 100000);
            if (capacity[i] > largest)
                largest = capacity[i];
        }
        assert_int_equal(allot_apportion_fit(capacity, 4, 128, w), 0);
        assert_int_equal(allot_apportion_quantise(
                             capacity, 4, (uint32_t)test_between(1, 128), q),
                         0);
        for (int k = 0; k < 2; k++) {
            const uint32_t *x = k ? q : w;
            uint32_t top = 0;

            for (int i = 0; i < 4; i++)
                top = x[i] > top ? x[i] : top;
            for (int i = 0; i < 4; i++) {
                double exact = (double)capacity[i] * top / (double)largest;
                double off = x[i] > exact ? x[i] - exact : exact - x[i];

                if (off / exact > worst[k])
                    worst[k] = off / exact;
            }
        }
        assert_true(worst[0] <= worst[1] ||
                    worst[0] <= 1.0 / ALLOT_FIT_PARTS + 1e-9);
    }
}

/* ---- the checks can fail --------------------------------------------------
 *
 * Webster's method (largest weight / (2 count + 1) next), which the design
 * began with, leaves quota: with one large and many small members the large
 * one runs ahead. */
static void
webster(const uint32_t *weights, size_t n, uint16_t *slots, size_t len)
{
    uint64_t taken[64] = {0};

    for (size_t p = 0; p < len; p++) {
        size_t best = 0;

        for (size_t i = 1; i < n; i++)
            if (weights[i] * (2 * taken[best] + 1) >
                weights[best] * (2 * taken[i] + 1))
                best = i;
        slots[p] = (uint16_t)best;
        taken[best]++;
    }
}

static void
test_webster_fails_the_check(void **state)
{
    uint32_t weights[64];
    uint16_t slots[64 + 50];
    size_t n = 51;
    size_t len;
    uint16_t *good;

    (void)state;
    weights[0] = 50;
    for (size_t i = 1; i < n; i++)
        weights[i] = 1;
    good = make_cycle(weights, n, &len);
    assert_int_equal(len, 100);
    webster(weights, n, slots, len);
    assert_false(quota_holds(weights, n, slots, len, 1));
    assert_false(windows_hold(weights, n, slots, len));
    assert_true(quota_holds(weights, n, good, len, 1));
    free(good);
}

static void
test_swapped_slots_fail_the_check(void **state)
{
    uint32_t weights[3] = {5, 3, 2};
    uint16_t *slots;
    size_t len;

    (void)state;
    slots = make_cycle(weights, 3, &len);
    assert_true(quota_holds(weights, 3, slots, len, 1));
    memset(slots, 0, 2 * sizeof(*slots)); /* the head takes slot 1 too ... */
    slots[2] = 0;                         /* ... and slot 2 */
    assert_false(quota_holds(weights, 3, slots, len, 1));
    assert_false(windows_hold(weights, 3, slots, len));
    free(slots);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_weights_1_to_1000),
        cmocka_unit_test(test_random_weights),
        cmocka_unit_test(test_few_large_many_small),
        cmocka_unit_test(test_up_to_1000_unequal),
        cmocka_unit_test(test_1000_members_every_prefix),
        cmocka_unit_test(test_extreme_weights),
        cmocka_unit_test(test_longest_list),
        cmocka_unit_test(test_head_is_first),
        cmocka_unit_test(test_front_has_what_is_open),
        cmocka_unit_test(test_even_over_short_files),
        cmocka_unit_test(test_reduce),
        cmocka_unit_test(test_cycle_refuses_wrong_sizes),
        cmocka_unit_test(test_quantise),
        cmocka_unit_test(test_fit),
        cmocka_unit_test(test_webster_fails_the_check),
        cmocka_unit_test(test_swapped_slots_fail_the_check),
    };

    test_seed_init();
    return cmocka_run_group_tests_name("apportion", tests, NULL, NULL);
}
