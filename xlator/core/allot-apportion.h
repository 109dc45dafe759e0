/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-apportion.h - weights to a repeating cycle of slots, such that every
 * prefix of the endless repetition gives each member within one slot of its
 * quota.
 *
 * The design started from Webster's divisor method. Webster does not stay
 * within quota (it can miss by more than one slot with a few large and many
 * small weights), and the promise is "within one block of quota". So this is
 * the quota method of just-in-time sequencing (Steiner and Yeomans 1993,
 * "Level schedules for mixed-model, just-in-time processes"; the earliest-
 * due-date argument is Tijdeman's of 1980, "The chairman assignment problem"):
 * with W the sum of the weights, the j-th slot (1-based) of a member of weight
 * w may stand only at positions p (1-based) with
 *
 *      floor((j - 1) W / w) + 1  <=  p  <=  ceil(j W / w)
 *
 * so that
 *
 *      floor(p w / W)  <=  count(p)  <=  ceil(p w / W)      for all p.
 *
 * That leaves room, and the order of the list fills it: at every position the
 * first member of the list is taken whose slot is released and can be given
 * without making another one late. A schedule that meets all deadlines exists
 * (the quota method's, earliest deadline first), and taking the slot with
 * deadline d at p keeps one possible if and only if no position t, p <= t < d,
 * is tight: as many slots due by t as positions from p to t.
 *
 * So of a file that ends within a cycle, the members in front have the blocks
 * that quota leaves open. A caller who puts the least used bricks in front
 * keeps a volume even over many files that are shorter than a cycle; earliest
 * deadline first alone gives those blocks to the heavy members of every file.
 *
 * The first slot is always given to the first member of the list (the head of
 * a file): before its first deadline t the other members need at most
 * floor(t - t w_head / W) <= t - 1 slots, so no position is tight.
 */
#ifndef ALLOT_APPORTION_H
#define ALLOT_APPORTION_H

#include <stddef.h>
#include <stdint.h>

/**
 * allot_apportion_reduce - divide weights by their greatest common divisor
 * @weights: n weights, each 1..2^32-1; changed in place
 * @n: how many, at least 1
 *
 * Returns the sum of the reduced weights (the length of the cycle), or
 * -EINVAL if n is 0 or a weight is 0, -E2BIG if the sum exceeds
 * ALLOT_CYCLE_MAX (the weights are then left as they were).
 */
int64_t
allot_apportion_reduce(uint32_t *weights, size_t n);

/**
 * allot_apportion_cycle - fill the cycle of slots
 * @weights: n weights as allot_apportion_reduce() left them
 * @n: 1..65535 members
 * @slots: room for @len member positions (0..n-1); filled on success
 * @len: what allot_apportion_reduce() returned
 *
 * slots[0] is always 0 (the first member). Time O(len log len), no memory kept.
 * Returns 0, -EINVAL on sizes that do not fit, -ENOMEM.
 */
int
allot_apportion_cycle(const uint32_t *weights, size_t n, uint16_t *slots,
                      size_t len);

/**
 * allot_apportion_quantise - capacities to small weights
 * @capacity: n capacities (any unit); 0 is taken as the smallest weight
 * @n: how many
 * @max: the weight of the largest, 1..ALLOT_WEIGHT_MAX
 * @weights: n weights 1..@max, max * capacity / largest rounded to nearest
 *
 * Returns 0 or -EINVAL.
 */
int
allot_apportion_quantise(const uint64_t *capacity, size_t n, uint32_t max,
                         uint32_t *weights);

/**
 * allot_apportion_fit - capacities to the smallest weights that fit them well
 * @capacity, @n, @weights: as for allot_apportion_quantise()
 * @max: the largest weight allowed, 1..ALLOT_WEIGHT_MAX
 *
 * Of the quantisations with a largest weight of 1 to @max the first one in
 * which no weight is off by more than one part in ALLOT_FIT_PARTS, else the one
 * whose worst weight is off least. Small weights make short cycles. Returns 0
 * or -EINVAL.
 */
int
allot_apportion_fit(const uint64_t *capacity, size_t n, uint32_t max,
                    uint32_t *weights);

#define ALLOT_FIT_PARTS 256

#endif /* ALLOT_APPORTION_H */
