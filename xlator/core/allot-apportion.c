/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-apportion.c - the cycle of slots.
 *
 * What the rule is and why it stays within quota stands in allot-apportion.h.
 * Here: two trees that answer "the first index from here on whose value is at
 * most x". One over the members, in the order of the list: the deadline of the
 * member's next slot, if that is released. One over the positions: how many
 * positions up to there are left over when everything due by then has its own.
 * Members whose next slot is not released wait in a bucket per position.
 *
 *      bucket[p] --release--> members --first that may--> slots[p - 1]
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

#define NEVER INT32_MAX

/* Values by index. A node holds the smallest value below it, less what its
 * ancestors still owe:
 *
 *                   least[1] (+ owed)
 *               least[2]        least[3]
 *            [0]    [1]      [2]      [3]
 */
struct tree {
    uint32_t size;  /* a power of two, at least the number of values */
    int32_t *least; /* [2 * size] */
    int32_t *owed;  /* [2 * size]: to be added to all values below */
};

static uint32_t
tree_size(size_t n)
{
    uint32_t size = 1;

    while (size < n)
        size *= 2;
    return size;
}

static void
tree_pull(struct tree *t, uint32_t node)
{
    int32_t left = t->least[2 * node];
    int32_t right = t->least[2 * node + 1];

    t->least[node] = (left < right ? left : right) + t->owed[node];
}

static void
tree_set(struct tree *t, uint32_t i, int32_t value)
{
    uint32_t node = t->size + i;

    t->least[node] = value;
    while (node /= 2)
        tree_pull(t, node);
}

/* Add @value to [@from, @to) of the node's [@low, @low + @width). */
static void
tree_add(struct tree *t, uint32_t node, uint32_t low, uint32_t width,
         uint32_t from, uint32_t to, int32_t value)
{
    if (to <= low || from >= low + width)
        return;
    if (from <= low && low + width <= to) {
        t->least[node] += value;
        t->owed[node] += value;
        return;
    }
    width /= 2;
    tree_add(t, 2 * node, low, width, from, to, value);
    tree_add(t, 2 * node + 1, low + width, width, from, to, value);
    tree_pull(t, node);
}

/* The first index from @from on with a value of at most @max, or size. */
static uint32_t
tree_first(const struct tree *t, uint32_t node, uint32_t low, uint32_t width,
           uint32_t from, int32_t max)
{
    uint32_t found;

    if (low + width <= from || t->least[node] > max)
        return t->size;
    if (width == 1)
        return low;
    width /= 2;
    max -= t->owed[node];
    found = tree_first(t, 2 * node, low, width, from, max);
    if (found == t->size)
        found = tree_first(t, 2 * node + 1, low + width, width, from, max);
    return found;
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

struct work {
    struct tree members;   /* deadline of the released next slot, or NEVER */
    struct tree positions; /* [p - 1]: positions left over up to p */
    uint32_t *taken;       /* [n]       slots each member has so far */
    uint32_t *next;        /* [n]       chain within a bucket, member + 1 */
    uint32_t *bucket;      /* [len + 2] by position, member + 1 */
};

/* One block of memory for all of it; free work->taken. 0 or -ENOMEM. */
static int
work_new(struct work *w, const uint32_t *weights, size_t n, size_t len)
{
    uint32_t over_members = tree_size(n);
    uint32_t over_len = tree_size(len);
    int32_t *values;

    w->taken = calloc(
        2 * n + len + 2 + 4 * (size_t)over_members + 4 * (size_t)over_len,
        sizeof(*w->taken));
    if (!w->taken)
        return -ENOMEM;
    w->next = w->taken + n;
    w->bucket = w->next + n;
    values = (int32_t *)(w->bucket + len + 2);
    w->members = (struct tree){over_members, values, values + 2 * over_members};
    values += 4 * (size_t)over_members;
    w->positions = (struct tree){over_len, values, values + 2 * over_len};

    /* Everybody's first slot is released at position 1. */
    for (uint32_t i = 0; i < over_members; i++)
        w->members.least[over_members + i] =
            i < n ? (int32_t)deadline_of(1, len, weights[i]) : NEVER;
    /* What is due at each position, then what is left over up to it. */
    for (size_t i = 0; i < n; i++)
        for (uint32_t j = 1; j <= weights[i]; j++)
            w->positions
                .least[over_len + deadline_of(j, len, weights[i]) - 1]--;
    for (uint32_t p = 0; p < over_len; p++)
        w->positions.least[over_len + p] +=
            1 + (p ? w->positions.least[over_len + p - 1] : 0);
    for (uint32_t node = over_members; node-- > 1;)
        tree_pull(&w->members, node);
    for (uint32_t node = over_len; node-- > 1;)
        tree_pull(&w->positions, node);
    return 0;
}

/* The member for position @p: the first in the list whose slot can be given now
 * without making another one late. */
static uint32_t
choose(const struct work *w, uint32_t p)
{
    const struct tree *left = &w->positions;
    uint32_t tight = tree_first(left, 1, 0, left->size, p - 1, 0);

    return tree_first(&w->members, 1, 0, w->members.size, 0,
                      (int32_t)(tight + 1));
}

int
allot_apportion_cycle(const uint32_t *weights, size_t n, uint16_t *slots,
                      size_t len)
{
    struct work w;
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
    if (work_new(&w, weights, n, len))
        return -ENOMEM;

    for (uint32_t p = 1; p <= len; p++) {
        uint32_t m;
        uint32_t due;
        uint32_t release;

        for (uint32_t link = w.bucket[p]; link; link = w.next[link - 1]) {
            uint32_t i = link - 1;

            tree_set(&w.members, i,
                     (int32_t)deadline_of(w.taken[i] + 1, len, weights[i]));
        }
        m = choose(&w, p);
        due = m < n ? (uint32_t)w.members.least[w.members.size + m] : 0;
        if (due < p) {
            /* impossible by the proof; never hand out garbage */
            ret = -EINVAL;
            break;
        }
        slots[p - 1] = (uint16_t)m;
        w.taken[m]++;
        tree_set(&w.members, m, NEVER);
        /* Up to before the deadline one position less is left over. */
        tree_add(&w.positions, 1, 0, w.positions.size, 0, due - 1, -1);
        if (w.taken[m] == weights[m])
            continue;
        /* The next slot may be released at this very position, when this one
         * was taken at its deadline: it is then due from the next one on. */
        release = release_after(w.taken[m], len, weights[m]);
        if (release <= p)
            release = p + 1;
        w.next[m] = w.bucket[release];
        w.bucket[release] = m + 1;
    }

    free(w.taken);
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

/* How far the worst weight is off, relative to its capacity. */
static double
fit_error(const uint64_t *capacity, size_t n, const uint32_t *weights,
          uint32_t largest_weight, uint64_t largest)
{
    double worst = 0;

    for (size_t i = 0; i < n; i++) {
        double exact = (double)capacity[i] * largest_weight / (double)largest;
        double off = weights[i] - exact;

        if (off < 0)
            off = -off;
        if (exact <= 0)
            continue; /* has the smallest weight whatever is done */
        if (off / exact > worst)
            worst = off / exact;
    }
    return worst;
}

int
allot_apportion_fit(const uint64_t *capacity, size_t n, uint32_t max,
                    uint32_t *weights)
{
    uint64_t largest = 0;
    uint32_t best = 0;
    double best_error = 0;

    if (n == 0 || max == 0 || max > ALLOT_WEIGHT_MAX)
        return -EINVAL;
    for (size_t i = 0; i < n; i++)
        if (capacity[i] > largest)
            largest = capacity[i];
    for (uint32_t m = 1; largest && m <= max; m++) {
        double error;

        (void)allot_apportion_quantise(capacity, n, m, weights);
        error = fit_error(capacity, n, weights, m, largest);
        if (best == 0 || error < best_error) {
            best = m;
            best_error = error;
        }
        if (error <= 1.0 / ALLOT_FIT_PARTS)
            break;
    }
    return allot_apportion_quantise(capacity, n, best ? best : 1, weights);
}
