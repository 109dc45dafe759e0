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
 * and at every position the released member with the earliest deadline is
 * taken, ties going to the member that stands first in the list. Then
 *
 *      floor(p w / W)  <=  count(p)  <=  ceil(p w / W)      for all p.
 *
 * The first slot is always given to the first member of the list (the head of
 * a file): forcing it keeps the schedule feasible, because before the head's
 * first deadline t the other members need at most
 * floor(t - t w_head / W) <= t - 1 slots.
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
 * slots[0] is always 0 (the first member). Time O(len log n), no memory kept.
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

#endif /* ALLOT_APPORTION_H */
