/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-recovery.c - count what can be read back, and walk what cannot.
 *
 *      0         inline_limit     end of slot 0
 *      |  base  |  head portion  |  block  |  block  |  blo   size
 *      +------- block 0 ---------+
 *
 * Blocks are counted as wholes: block 0 fails if either part does. Bytes are
 * counted and listed exactly: only the part that fails. Nobody is asked here;
 * the caller says in which state each member is.
 */
#include "allot-recovery.h"

#include <string.h>

static const struct allot_member_state *
state_find(const struct allot_member_state *states, size_t n,
           uint16_t brick_idx)
{
    for (size_t i = 0; i < n; i++)
        if (states[i].brick_idx == brick_idx)
            return &states[i];
    return NULL;
}

static enum allot_fail
fail_of(const struct allot_member_state *states, size_t n, uint16_t brick_idx)
{
    const struct allot_member_state *state = state_find(states, n, brick_idx);

    return state ? state->fail : ALLOT_FAIL_NONE;
}

/* The values of the enumeration rise with how bad they are. */
static enum allot_fail
worse(enum allot_fail a, enum allot_fail b)
{
    return a > b ? a : b;
}

static uint64_t
min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void
tally(struct allot_recovery *rec, struct allot_count *count,
      enum allot_fail fail, uint64_t amount)
{
    if (fail == ALLOT_FAIL_NONE || amount == 0)
        return;
    count->failed += amount;
    if (fail == ALLOT_FAIL_DOWN)
        count->unavailable += amount;
    else
        count->lost += amount;
    rec->worst = worse(rec->worst, fail);
}

static uint64_t
blocks_total(const struct allot_layout *layout, uint64_t size)
{
    uint64_t total = 0;

    for (uint32_t no = 0; no < layout->extent_count; no++) {
        const struct allot_extent *ext = &layout->extents[no];
        uint64_t end = min_u64(size, allot_layout_extent_end(layout, no));

        if (ext->start_byte >= size)
            break;
        total += ((end - 1) >> ext->block_shift) -
                 (ext->start_byte >> ext->block_shift) + 1;
    }
    return total;
}

static void
count_spread(const struct allot_layout *layout, uint64_t size,
             enum allot_fail base_fail, const struct allot_member_state *states,
             size_t n, struct allot_recovery *out)
{
    uint64_t inline_bytes = layout->inline_limit;
    struct allot_place head;

    allot_layout_place(layout, layout->inline_limit, &head);
    out->blocks.total = blocks_total(layout, size);
    out->bytes.total = size;

    for (uint32_t b = 0; b < layout->brick_count; b++) {
        const struct allot_member_state *state;
        uint64_t blocks;
        uint64_t bytes;

        state = state_find(states, n, layout->bricks[b]);
        if (!state || (state->fail == ALLOT_FAIL_NONE &&
                       state->hole_blocks == 0 && state->hole_bytes == 0))
            continue;
        allot_layout_blocks_of(layout, layout->bricks[b], size, &blocks,
                               &bytes);
        /* block 0 is judged apart, and is no hole: the base has data of it */
        if (inline_bytes && layout->bricks[b] == head.brick_idx)
            blocks--;
        if (state->fail != ALLOT_FAIL_NONE) {
            tally(out, &out->blocks, state->fail, blocks);
            tally(out, &out->bytes, state->fail, bytes);
        } else {
            out->blocks.holes += min_u64(state->hole_blocks, blocks);
            out->bytes.holes += min_u64(state->hole_bytes, bytes);
        }
    }
    if (inline_bytes) {
        tally(out, &out->blocks,
              worse(base_fail, fail_of(states, n, head.brick_idx)), 1);
        tally(out, &out->bytes, base_fail, inline_bytes);
    }
    out->blocks.total -= out->blocks.holes;
    out->bytes.total -= out->bytes.holes;
}

void
allot_recovery_count(const struct allot_layout *layout, uint64_t size,
                     enum allot_fail base_fail,
                     const struct allot_member_state *states, size_t n,
                     struct allot_recovery *out)
{
    memset(out, 0, sizeof(*out));
    if (size == 0)
        return;
    if (layout->extent_count && size > layout->inline_limit) {
        count_spread(layout, size, base_fail, states, n, out);
    } else {
        out->blocks.total = 1;
        out->bytes.total = size;
        tally(out, &out->blocks, base_fail, 1);
        tally(out, &out->bytes, base_fail, size);
    }
    out->blocks.recoverable = out->blocks.total - out->blocks.failed;
    out->bytes.recoverable = out->bytes.total - out->bytes.failed;
}

enum allot_verdict
allot_recovery_verdict(const struct allot_recovery *rec)
{
    if (rec->blocks.failed == 0)
        return ALLOT_INTACT;
    return rec->bytes.recoverable ? ALLOT_DAMAGED : ALLOT_UNREADABLE;
}

/* Sums stop at the largest number instead of wrapping: a handful of sparse
 * files of 2^63 - 1 bytes is enough to get there. */
static void
add_u64(uint64_t *to, uint64_t from)
{
    *to = from > UINT64_MAX - *to ? UINT64_MAX : *to + from;
}

static void
count_add(struct allot_count *to, const struct allot_count *from)
{
    add_u64(&to->total, from->total);
    add_u64(&to->failed, from->failed);
    add_u64(&to->unavailable, from->unavailable);
    add_u64(&to->lost, from->lost);
    add_u64(&to->recoverable, from->recoverable);
    add_u64(&to->holes, from->holes);
}

void
allot_recovery_add(struct allot_recovery *to, const struct allot_recovery *from)
{
    count_add(&to->blocks, &from->blocks);
    count_add(&to->bytes, &from->bytes);
    to->worst = worse(to->worst, from->worst);
}

/* ---- ranges -------------------------------------------------------------- */

/* A range is held back until it is known that the next one does not touch. */
struct merge {
    struct allot_range held; /* empty: start == end */
    int apart;               /* what returns is not merged with what does not */
    int (*emit)(const struct allot_range *range, void *arg);
    void *arg;
};

static int
merge_flush(struct merge *merge)
{
    struct allot_range range = merge->held;

    merge->held.start = merge->held.end;
    return range.start < range.end ? merge->emit(&range, merge->arg) : 0;
}

static int
returns(enum allot_fail why)
{
    return why == ALLOT_FAIL_DOWN;
}

static int
merge_put(struct merge *merge, uint64_t start, uint64_t end,
          enum allot_fail why)
{
    int ret;

    if (merge->held.start < merge->held.end && merge->held.end == start &&
        !(merge->apart && returns(merge->held.why) != returns(why))) {
        merge->held.end = end;
        merge->held.why = worse(merge->held.why, why);
        return 0;
    }
    ret = merge_flush(merge);
    merge->held.start = start;
    merge->held.end = end;
    merge->held.why = why;
    return ret;
}

/* The failed blocks of [start of extent, end). */
static int
extent_ranges(const struct allot_layout *layout, uint32_t no, uint64_t end,
              const struct allot_member_state *states, size_t n,
              struct merge *merge)
{
    const struct allot_extent *ext = &layout->extents[no];
    const struct allot_cycle *cycle = &layout->cycles[no];
    enum allot_fail fails[ALLOT_MEMBERS_MAX];
    enum allot_fail worst = ALLOT_FAIL_NONE;
    uint32_t failed = 0;
    uint32_t returning = 0;
    uint32_t slot = ext->phase;
    uint64_t start = ext->start_byte;

    for (uint32_t m = 0; m < ext->member_count; m++) {
        fails[m] = fail_of(states, n, ext->members[m].brick_idx);
        worst = worse(worst, fails[m]);
        failed += fails[m] != ALLOT_FAIL_NONE;
        returning += (uint32_t)returns(fails[m]);
    }
    if (failed == 0)
        return 0;
    /* One member, or nobody left and the whole cycle seen: one range. */
    if (failed == ext->member_count &&
        (!merge->apart || returning == 0 || returning == failed) &&
        (end - start) >> ext->block_shift > cycle->len)
        return merge_put(merge, start, end, worst);

    while (start < end) {
        uint64_t block_end = ((start >> ext->block_shift) + 1)
                             << ext->block_shift;
        enum allot_fail why = fails[cycle->slots[slot]];

        if (block_end > end)
            block_end = end;
        if (why != ALLOT_FAIL_NONE) {
            int ret = merge_put(merge, start, block_end, why);

            if (ret)
                return ret;
        }
        start = block_end;
        slot = slot + 1 == cycle->len ? 0 : slot + 1;
    }
    return 0;
}

static int
ranges_walk(const struct allot_layout *layout, uint64_t size,
            enum allot_fail base_fail, const struct allot_member_state *states,
            size_t n, struct merge merge)
{
    uint64_t inline_end = size;
    int ret = 0;

    if (layout->extent_count)
        inline_end = min_u64(size, layout->inline_limit);
    if (base_fail != ALLOT_FAIL_NONE && inline_end)
        ret = merge_put(&merge, 0, inline_end, base_fail);
    for (uint32_t no = 0; ret == 0 && no < layout->extent_count; no++) {
        uint64_t end = min_u64(size, allot_layout_extent_end(layout, no));

        if (layout->extents[no].start_byte >= size)
            break;
        ret = extent_ranges(layout, no, end, states, n, &merge);
    }
    return ret ? ret : merge_flush(&merge);
}

int
allot_recovery_ranges(const struct allot_layout *layout, uint64_t size,
                      enum allot_fail base_fail,
                      const struct allot_member_state *states, size_t n,
                      int (*emit)(const struct allot_range *range, void *arg),
                      void *arg)
{
    struct merge merge = {.emit = emit, .arg = arg};

    return ranges_walk(layout, size, base_fail, states, n, merge);
}

int
allot_recovery_ranges_apart(
    const struct allot_layout *layout, uint64_t size, enum allot_fail base_fail,
    const struct allot_member_state *states, size_t n,
    int (*emit)(const struct allot_range *range, void *arg), void *arg)
{
    struct merge merge = {.apart = 1, .emit = emit, .arg = arg};

    return ranges_walk(layout, size, base_fail, states, n, merge);
}
