/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-test.h - what the tests of the core have in common: random numbers
 * with a seed, random layouts, and oracles that are too simple to be wrong.
 *
 * The seed is new in every run, is printed at the start of every program, and
 * is taken from the environment (ALLOT_SEED) to repeat a run.
 */
#ifndef ALLOT_TEST_H
#define ALLOT_TEST_H

/* clang-format off: cmocka needs these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "allot-apportion.h"
#include "allot-layout.h"
#include "allot-wire.h"

#define KIB 1024ull
#define OFFSET_END (ALLOT_OFFSET_MAX + 1)

/* ---- random numbers (splitmix64) ----------------------------------------- */

static uint64_t test_seed;
static uint64_t test_state;

/* Call first in main(). Each test draws from the one stream, in order. */
static inline void
test_seed_init(void)
{
    const char *given = getenv("ALLOT_SEED");
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    test_seed = given ? strtoull(given, NULL, 0)
                      : (uint64_t)now.tv_sec * 1000003u + (uint64_t)now.tv_nsec;
    test_state = test_seed;
    printf("# repeat with ALLOT_SEED=%" PRIu64 "\n", test_seed);
    fflush(stdout);
}

static inline uint64_t
test_rand(void)
{
    uint64_t z = (test_state += 0x9e3779b97f4a7c15ull);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

/* 0 .. n - 1 */
static inline uint64_t
test_below(uint64_t n)
{
    return test_rand() % n;
}

/* low .. high, both included */
static inline uint64_t
test_between(uint64_t low, uint64_t high)
{
    return low + test_below(high - low + 1);
}

/* ---- the oracle of apportionment ----------------------------------------- */

/* Can the slots that are left be given at the positions after @p, if those with
 * @due[t] of them have to stand at t or before? */
static inline int
naive_in_time(const uint32_t *due, uint64_t p, size_t len)
{
    uint64_t needed = 0;

    for (uint64_t t = p + 1; t <= len; t++) {
        needed += due[t];
        if (needed > t - p)
            return 0;
    }
    return 1;
}

/* The rule of allot-apportion.h read aloud: at every position try the members
 * in order. O(len * len * n). */
static inline void
naive_cycle(const uint32_t *weights, size_t n, uint16_t *slots, size_t len)
{
    uint32_t *taken = calloc(n, sizeof(*taken));
    uint32_t *due = calloc(len + 1, sizeof(*due));

    assert_true(taken && due);
    for (size_t i = 0; i < n; i++)
        for (uint64_t j = 1; j <= weights[i]; j++)
            due[(j * len + weights[i] - 1) / weights[i]]++;
    for (uint64_t p = 1; p <= len; p++) {
        size_t i;

        for (i = 0; i < n; i++) {
            uint64_t j = taken[i] + 1;
            uint64_t release = (j - 1) * len / weights[i] + 1;
            uint64_t deadline = (j * len + weights[i] - 1) / weights[i];

            if (j > weights[i] || release > p)
                continue;
            due[deadline]--;
            if (deadline >= p && due[p] == 0 && naive_in_time(due, p, len))
                break;
            due[deadline]++;
        }
        assert_true(i < n);
        slots[p - 1] = (uint16_t)i;
        taken[i]++;
    }
    free(taken);
    free(due);
}

/* ---- random layouts ------------------------------------------------------ */

/* @count different bricks out of @bricks, with weights 1..@weight_max. */
static inline void
random_members(struct allot_member *members, uint32_t count, uint32_t bricks,
               uint32_t weight_max)
{
    uint16_t *deck = malloc(bricks * sizeof(*deck));

    assert_non_null(deck);
    assert_true(count <= bricks);
    for (uint32_t i = 0; i < bricks; i++)
        deck[i] = (uint16_t)i;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t pick = i + (uint32_t)test_below(bricks - i);
        uint16_t brick = deck[pick];

        deck[pick] = deck[i];
        deck[i] = brick;
        members[i].brick_idx = brick;
        members[i].weight = (uint8_t)test_between(1, weight_max);
    }
    free(deck);
}

static inline uint32_t
cycle_len(const struct allot_member *members, uint32_t count)
{
    uint32_t sum = members[0].weight;
    uint32_t gcd = sum;

    for (uint32_t m = 1; m < count; m++) {
        uint32_t a = members[m].weight;

        sum += a;
        while (a) {
            uint32_t rest = gcd % a;

            gcd = a;
            a = rest;
        }
    }
    return sum / gcd;
}

struct random_shape {
    uint32_t inline_limit;
    uint64_t from;       /* extents 1.. start in [from, to) */
    uint64_t to;         /*                                 */
    uint32_t extents;    /* at most; at least 1 */
    uint32_t bricks;     /* in the volume */
    uint32_t members;    /* of an extent, at most */
    uint32_t weight_max; /* 1..255 */
    uint32_t shift_max;  /* 12.. */
};

/* A layout with any extents, borders anywhere (not only on blocks), phases
 * anywhere. Made by hand, not by allot_layout_append(). */
static inline struct allot_layout *
random_layout(const struct random_shape *shape)
{
    struct allot_extent extents[ALLOT_EXTENTS_MAX];
    struct allot_member members[ALLOT_EXTENTS_MAX][ALLOT_MEMBERS_MAX];
    struct allot_layout *layout = NULL;
    uint32_t count = (uint32_t)test_between(1, shape->extents);
    uint64_t start = shape->inline_limit;

    for (uint32_t e = 0; e < count; e++) {
        struct allot_extent *ext = &extents[e];

        if (e > 0) {
            uint64_t low = start + 1 > shape->from ? start + 1 : shape->from;

            if (low >= shape->to) {
                count = e;
                break;
            }
            start = low + test_below((shape->to - low + 1) / 2);
            if (test_below(2)) /* often on a block ... */
                start = start >> 12 << 12;
            if (start && test_below(2)) /* ... or next to its border */
                start += test_below(3) - 1;
            if (start < low)
                start = low;
        }
        ext->start_byte = start;
        ext->block_shift =
            (uint8_t)test_between(ALLOT_BLOCK_SHIFT_MIN, shape->shift_max);
        ext->member_count = (uint8_t)test_between(1, shape->members);
        ext->members = members[e];
        random_members(ext->members, ext->member_count, shape->bricks,
                       test_below(3) ? shape->weight_max : 1);
        ext->phase =
            (uint32_t)test_below(cycle_len(ext->members, ext->member_count));
    }
    assert_int_equal(
        allot_layout_new(shape->inline_limit, extents, count, &layout), 0);
    return layout;
}

/* ---- the oracle of layouts: one entry per byte --------------------------- */

#define OWNER_BASE (-1)

struct byte_map {
    uint64_t lo; /* 0, or the start of an extent */
    uint64_t hi;
    int16_t *owner; /* [hi - lo] brick index or OWNER_BASE */
    uint8_t *first; /* [hi - lo] 1: a block, or a cut one, begins here */
};

/* Byte by byte through the file: at an extent's start the slot is its phase,
 * at every multiple of the block size it goes on by one. */
static inline struct byte_map
byte_map_new(const struct allot_layout *layout, uint64_t lo, uint64_t hi)
{
    struct byte_map map = {.lo = lo, .hi = hi};
    uint32_t no = 0;
    uint16_t *slots = NULL;
    uint32_t len = 0;
    uint32_t slot = 0;

    map.owner = malloc((size_t)(hi - lo) * sizeof(*map.owner));
    map.first = calloc((size_t)(hi - lo), 1);
    assert_non_null(map.owner);
    assert_non_null(map.first);

    for (uint64_t byte = lo; byte < hi; byte++) {
        const struct allot_extent *ext;

        if (layout->extent_count == 0 || byte < layout->inline_limit) {
            map.owner[byte - lo] = OWNER_BASE;
            continue;
        }
        while (no < layout->extent_count &&
               layout->extents[no].start_byte < byte)
            no++;
        if (no < layout->extent_count &&
            layout->extents[no].start_byte == byte) {
            uint32_t weights[ALLOT_MEMBERS_MAX];

            ext = &layout->extents[no];
            len = cycle_len(ext->members, ext->member_count);
            for (uint32_t m = 0; m < ext->member_count; m++)
                weights[m] = ext->members[m].weight;
            assert_int_equal(allot_apportion_reduce(weights, ext->member_count),
                             len);
            free(slots);
            slots = malloc(len * sizeof(*slots));
            assert_non_null(slots);
            naive_cycle(weights, ext->member_count, slots, len);
            slot = ext->phase;
            map.first[byte - lo] = 1;
            no++;
        } else {
            ext = &layout->extents[no - 1];
            if (byte % (1ull << ext->block_shift) == 0) {
                slot = (slot + 1) % len;
                map.first[byte - lo] = 1;
            }
        }
        ext = &layout->extents[no - 1];
        map.owner[byte - lo] = (int16_t)ext->members[slots[slot]].brick_idx;
    }
    free(slots);
    return map;
}

static inline void
byte_map_free(struct byte_map *map)
{
    free(map->owner);
    free(map->first);
}

/* Extents begin in its first quarter. The longest cycle of a small layout is
 * 6 members * weight 5 * 8 KiB = 240 KiB, so that every member of the last
 * extent has a whole slot within one more window. */
#define WINDOW (256 * KIB)

/* A small layout at the beginning of a file. */
static inline struct allot_layout *
random_small(uint32_t inline_limit)
{
    struct random_shape shape = {
        .inline_limit = inline_limit,
        .from = inline_limit,
        .to = WINDOW / 4,
        .extents = 6,
        .bricks = 8,
        .members = 6,
        .weight_max = 5,
        .shift_max = 13,
    };

    return random_layout(&shape);
}

static inline uint32_t
random_inline(void)
{
    static const uint32_t limits[] = {0, 0, 1, 4095, 4096, 5000, 8192, 65536};

    return limits[test_below(sizeof(limits) / sizeof(limits[0]))];
}

/* Extents 1.. at the very top of the offsets. */
static inline struct allot_layout *
random_top(void)
{
    struct random_shape shape = {
        .inline_limit = 4096,
        .from = OFFSET_END - WINDOW,
        .to = OFFSET_END - WINDOW / 2,
        .extents = 5,
        .bricks = 8,
        .members = 5,
        .weight_max = 4,
        .shift_max = 13,
    };
    struct allot_layout *layout = random_layout(&shape);

    while (layout->extent_count < 2) {
        allot_layout_free(layout);
        layout = random_layout(&shape);
    }
    return layout;
}

#endif /* ALLOT_TEST_H */
