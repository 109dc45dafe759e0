/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-apportion.c - the cycle of slots, by earliest deadline first.
 *
 * What the method is and why it stays within quota stands in
 * allot-apportion.h. Here: at every position the members whose next slot is
 * released wait in a binary heap ordered by (deadline, place in the list);
 * those not yet released wait in a bucket per position of release.
 *
 *      bucket[p] --release--> heap --earliest deadline--> slots[p - 1]
 *          ^                                                  |
 *          +------------- the member's next slot -------------+
 *
 * It knows nothing of bricks, extents or files.
 */
#include "allot-apportion.h"
#include "allot-wire.h"

#include <stdlib.h>

static uint32_t
gcd_u32(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

int64_t
allot_apportion_reduce(uint32_t *weights, size_t n)
{
    uint32_t gcd = 0;
    uint64_t sum = 0;

    if (n == 0)
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        if (weights[i] == 0)
            return -EINVAL;
        gcd = gcd_u32(weights[i], gcd);
    }
    for (size_t i = 0; i < n; i++) {
        sum += weights[i] / gcd;
        /* also keeps the sum from wrapping, however many there are */
        if (sum > ALLOT_CYCLE_MAX)
            return -E2BIG;
    }
    for (size_t i = 0; i < n; i++)
        weights[i] /= gcd;
    return (int64_t)sum;
}

/* A heap entry: deadlines and members are both at most ALLOT_CYCLE_MAX, so
 * that one number orders by deadline first and by place in the list second. */
static uint32_t
heap_key(uint32_t deadline, uint32_t member)
{
    return deadline << 16 | member;
}

static void
heap_push(uint32_t *heap, size_t *count, uint32_t key)
{
    size_t at = (*count)++;

    while (at > 0 && heap[(at - 1) / 2] > key) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = key;
}

static uint32_t
heap_pop(uint32_t *heap, size_t *count)
{
    uint32_t top = heap[0];
    uint32_t key = heap[--(*count)];
    size_t at = 0;

    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= *count)
            break;
        if (child + 1 < *count && heap[child + 1] < heap[child])
            child++;
        if (heap[child] >= key)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = key;
    return top;
}

/* Last position for the j-th slot (1-based): ceil(j * len / weight). */
static uint32_t
deadline_of(uint32_t j, size_t len, uint32_t weight)
{
    return (uint32_t)(((uint64_t)j * len + weight - 1) / weight);
}

/* First position for the slot after the j-th: floor(j * len / weight) + 1. */
static uint32_t
release_after(uint32_t j, size_t len, uint32_t weight)
{
    return (uint32_t)((uint64_t)j * len / weight + 1);
}

int
allot_apportion_cycle(const uint32_t *weights, size_t n, uint16_t *slots,
                      size_t len)
{
    uint32_t *heap;   /* [n]       */
    uint32_t *taken;  /* [n]       slots each member has so far */
    uint32_t *next;   /* [n]       chain within a bucket, member + 1 */
    uint32_t *bucket; /* [len + 2] by position, member + 1 */
    size_t heap_count = 0;
    uint64_t sum = 0;
    int ret = 0;

    if (n == 0 || n > len || len > ALLOT_CYCLE_MAX)
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        if (weights[i] == 0)
            return -EINVAL;
        sum += weights[i];
    }
    if (sum != len)
        return -EINVAL;

    heap = calloc(3 * n + len + 2, sizeof(*heap));
    if (!heap)
        return -ENOMEM;
    taken = heap + n;
    next = taken + n;
    bucket = next + n;

    /* Everybody's first slot is released at position 1; the first member's is
     * given out there and then, the others queue. */
    for (size_t i = 1; i < n; i++)
        heap_push(heap, &heap_count,
                  heap_key(deadline_of(1, len, weights[i]), (uint32_t)i));

    for (uint32_t p = 1; p <= len; p++) {
        uint32_t m = 0;
        uint32_t release;

        for (uint32_t link = bucket[p]; link; link = next[link - 1]) {
            uint32_t i = link - 1;

            heap_push(heap, &heap_count,
                      heap_key(deadline_of(taken[i] + 1, len, weights[i]), i));
        }
        if (p > 1) {
            uint32_t key;

            if (heap_count == 0) {
                /* impossible by the proof; never hand out garbage */
                ret = -EINVAL;
                break;
            }
            key = heap_pop(heap, &heap_count);
            m = key & 0xffff;
            if (key >> 16 < p) {
                ret = -EINVAL;
                break;
            }
        }
        slots[p - 1] = (uint16_t)m;
        taken[m]++;
        if (taken[m] == weights[m])
            continue;
        /* The next slot may be released at this very position, when this one
         * was taken at its deadline: it is then due from the next one on. */
        release = release_after(taken[m], len, weights[m]);
        if (release <= p)
            release = p + 1;
        next[m] = bucket[release];
        bucket[release] = m + 1;
    }

    free(heap);
    return ret;
}

int
allot_apportion_quantise(const uint64_t *capacity, size_t n, uint32_t max,
                         uint32_t *weights)
{
    uint64_t largest = 0;

    if (n == 0 || max == 0 || max > ALLOT_WEIGHT_MAX)
        return -EINVAL;
    for (size_t i = 0; i < n; i++)
        if (capacity[i] > largest)
            largest = capacity[i];

    for (size_t i = 0; i < n; i++) {
        unsigned __int128 scaled = (unsigned __int128)capacity[i] * max;

        weights[i] = 0;
        if (largest)
            weights[i] = (uint32_t)((scaled + largest / 2) / largest);
        if (weights[i] == 0)
            weights[i] = 1;
    }
    return 0;
}
