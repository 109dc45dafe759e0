/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-layout.c - make a layout, ask where bytes lie.
 *
 * Making one checks every rule of allot-layout.h, so that whatever reads a
 * layout need not check again. Appending an extent is in
 * allot-layout-append.c, cutting a range into pieces in allot-split.c.
 * Layouts are not counted or shared here; that is the owner's business.
 */
#include "allot-layout.h"
#include "allot-apportion.h"
#include "allot-wire.h"

#include <stdlib.h>
#include <string.h>

/* One past the largest offset that a layout maps. */
#define LAYOUT_END (ALLOT_OFFSET_MAX + 1)

/* ---- making -------------------------------------------------------------- */

static int
brick_cmp(const void *a, const void *b)
{
    uint16_t x = *(const uint16_t *)a;
    uint16_t y = *(const uint16_t *)b;

    return (x > y) - (x < y);
}

static int
extents_check(uint32_t inline_limit, const struct allot_extent *extents,
              uint32_t count, size_t *member_total)
{
    size_t total = 0;

    if (count > ALLOT_EXTENTS_MAX)
        return -EINVAL;
    for (uint32_t e = 0; e < count; e++) {
        const struct allot_extent *ext = &extents[e];

        if (e == 0 ? ext->start_byte != inline_limit
                   : ext->start_byte <= extents[e - 1].start_byte)
            return -EINVAL;
        if (ext->start_byte > ALLOT_OFFSET_MAX)
            return -EINVAL;
        if (ext->block_shift < ALLOT_BLOCK_SHIFT_MIN ||
            ext->block_shift > ALLOT_BLOCK_SHIFT_MAX)
            return -EINVAL;
        if (ext->member_count == 0 || !ext->members)
            return -EINVAL;
        for (uint32_t m = 0; m < ext->member_count; m++)
            if (ext->members[m].weight == 0)
                return -EINVAL;
        total += ext->member_count;
    }
    *member_total = total;
    return 0;
}

/* Copy the extents; all their members stand in one block of memory that
 * extents[0].members points to. */
static int
extents_copy(struct allot_layout *layout, const struct allot_extent *extents,
             uint32_t count, size_t member_total)
{
    struct allot_member *members;

    layout->extents = calloc(count, sizeof(*layout->extents));
    members = malloc(member_total * sizeof(*members));
    if (!layout->extents || !members) {
        free(members);
        return -ENOMEM;
    }
    for (uint32_t e = 0; e < count; e++) {
        struct allot_extent *ext = &layout->extents[e];

        *ext = extents[e];
        ext->members = members;
        memcpy(members, extents[e].members,
               ext->member_count * sizeof(*members));
        members += ext->member_count;
    }
    layout->extent_count = count;
    return 0;
}

/* Fill layout->bricks, and find members that stand twice in an extent. */
static int
bricks_collect(struct allot_layout *layout, size_t member_total)
{
    uint16_t one[ALLOT_MEMBERS_MAX];
    uint16_t *all;
    size_t filled = 0;
    uint32_t distinct = 0;

    all = malloc(member_total * sizeof(*all));
    if (!all)
        return -ENOMEM;
    layout->bricks = all;

    for (uint32_t e = 0; e < layout->extent_count; e++) {
        const struct allot_extent *ext = &layout->extents[e];

        for (uint32_t m = 0; m < ext->member_count; m++)
            one[m] = ext->members[m].brick_idx;
        qsort(one, ext->member_count, sizeof(*one), brick_cmp);
        for (uint32_t m = 1; m < ext->member_count; m++)
            if (one[m] == one[m - 1])
                return -EINVAL;
        memcpy(all + filled, one, ext->member_count * sizeof(*one));
        filled += ext->member_count;
    }
    qsort(all, filled, sizeof(*all), brick_cmp);
    for (size_t i = 0; i < filled; i++)
        if (distinct == 0 || all[distinct - 1] != all[i])
            all[distinct++] = all[i];
    layout->brick_count = distinct;
    return 0;
}

/* The extent before @no whose weights stand in the same order, so that one
 * cycle serves both; extent_count if there is none. A log that lost and
 * regained a brick many times has many extents and two cycles. */
static uint32_t
cycle_twin(const struct allot_layout *layout, uint32_t no)
{
    const struct allot_extent *ext = &layout->extents[no];

    for (uint32_t e = 0; e < no; e++) {
        const struct allot_extent *old = &layout->extents[e];
        uint32_t m = 0;

        if (old->member_count != ext->member_count)
            continue;
        while (m < ext->member_count &&
               old->members[m].weight == ext->members[m].weight)
            m++;
        if (m == ext->member_count)
            return e;
    }
    return layout->extent_count;
}

static int
cycle_make(const struct allot_extent *ext, struct allot_cycle *cycle)
{
    uint32_t weights[ALLOT_MEMBERS_MAX];
    int64_t len;

    for (uint32_t m = 0; m < ext->member_count; m++)
        weights[m] = ext->members[m].weight;
    len = allot_apportion_reduce(weights, ext->member_count);
    if (len < 0)
        return (int)len;
    cycle->slots = malloc((size_t)len * sizeof(*cycle->slots));
    if (!cycle->slots)
        return -ENOMEM;
    cycle->len = (uint32_t)len;
    return allot_apportion_cycle(weights, ext->member_count, cycle->slots,
                                 (size_t)len);
}

static int
cycles_make(struct allot_layout *layout)
{
    layout->cycles = calloc(layout->extent_count, sizeof(*layout->cycles));
    if (!layout->cycles)
        return -ENOMEM;
    for (uint32_t e = 0; e < layout->extent_count; e++) {
        uint32_t twin = cycle_twin(layout, e);

        if (twin < layout->extent_count) {
            layout->cycles[e] = layout->cycles[twin];
        } else {
            int ret = cycle_make(&layout->extents[e], &layout->cycles[e]);

            if (ret)
                return ret;
        }
        if (layout->extents[e].phase >= layout->cycles[e].len)
            return -EINVAL;
    }
    return 0;
}

int
allot_layout_new(uint32_t inline_limit, const struct allot_extent *extents,
                 uint32_t count, struct allot_layout **out)
{
    struct allot_layout *layout;
    size_t member_total = 0;
    int ret;

    ret = extents_check(inline_limit, extents, count, &member_total);
    if (ret)
        return ret;
    layout = calloc(1, sizeof(*layout));
    if (!layout)
        return -ENOMEM;
    layout->inline_limit = inline_limit;
    if (count) {
        ret = extents_copy(layout, extents, count, member_total);
        if (ret == 0)
            ret = bricks_collect(layout, member_total);
        if (ret == 0)
            ret = cycles_make(layout);
    }
    if (ret) {
        allot_layout_free(layout);
        return ret;
    }
    *out = layout;
    return 0;
}

void
allot_layout_free(struct allot_layout *layout)
{
    if (!layout)
        return;
    /* from the end, so that a shared cycle goes with its first holder */
    for (uint32_t e = layout->cycles ? layout->extent_count : 0; e-- > 0;)
        if (cycle_twin(layout, e) == layout->extent_count)
            free(layout->cycles[e].slots);
    if (layout->extents && layout->extent_count)
        free(layout->extents[0].members);
    free(layout->cycles);
    free(layout->extents);
    free(layout->bricks);
    free(layout);
}

/* ---- asking -------------------------------------------------------------- */

uint32_t
allot_layout_extent_at(const struct allot_layout *layout, uint64_t byte)
{
    uint32_t low = 0; /* its start is <= byte, always */
    uint32_t high = layout->extent_count;

    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;

        if (layout->extents[mid].start_byte <= byte)
            low = mid;
        else
            high = mid;
    }
    return low;
}

uint64_t
allot_layout_extent_end(const struct allot_layout *layout, uint32_t no)
{
    if (no + 1 < layout->extent_count)
        return layout->extents[no + 1].start_byte;
    return LAYOUT_END;
}

/* Position in members[] of the block number @block within extent @no. */
static uint16_t
member_of(const struct allot_layout *layout, uint32_t no, uint64_t block)
{
    const struct allot_extent *ext = &layout->extents[no];
    const struct allot_cycle *cycle = &layout->cycles[no];
    uint64_t nth = block - (ext->start_byte >> ext->block_shift);

    return cycle->slots[(ext->phase + nth) % cycle->len];
}

void
allot_layout_place(const struct allot_layout *layout, uint64_t byte,
                   struct allot_place *place)
{
    uint32_t no = allot_layout_extent_at(layout, byte);
    const struct allot_extent *ext = &layout->extents[no];
    uint64_t block = byte >> ext->block_shift;
    uint64_t end = allot_layout_extent_end(layout, no);

    place->extent_no = no;
    place->brick_idx = ext->members[member_of(layout, no, block)].brick_idx;
    place->end_byte = (block + 1) << ext->block_shift;
    if (place->end_byte > end)
        place->end_byte = end;
}

int
allot_layout_has(const struct allot_layout *layout, uint16_t brick_idx)
{
    return layout->brick_count &&
           bsearch(&brick_idx, layout->bricks, layout->brick_count,
                   sizeof(*layout->bricks), brick_cmp) != NULL;
}

/* Position of a brick in members[], or member_count. */
static uint32_t
member_find(const struct allot_extent *ext, uint16_t brick_idx)
{
    uint32_t m = 0;

    while (m < ext->member_count && ext->members[m].brick_idx != brick_idx)
        m++;
    return m;
}

int
allot_layout_in_last(const struct allot_layout *layout, uint16_t brick_idx)
{
    const struct allot_extent *last;

    if (layout->extent_count == 0)
        return 0;
    last = &layout->extents[layout->extent_count - 1];
    return member_find(last, brick_idx) < last->member_count;
}

uint64_t
allot_layout_next_slot_end(const struct allot_layout *layout,
                           uint16_t brick_idx, uint64_t byte)
{
    uint32_t no;

    if (layout->extent_count == 0)
        return byte;
    no = byte < layout->inline_limit ? 0 : allot_layout_extent_at(layout, byte);
    for (; no < layout->extent_count; no++) {
        const struct allot_extent *ext = &layout->extents[no];
        uint64_t end = allot_layout_extent_end(layout, no);
        uint64_t from = byte > ext->start_byte ? byte : ext->start_byte;
        uint64_t block = from >> ext->block_shift;
        uint32_t member = member_find(ext, brick_idx);

        if (member == ext->member_count)
            continue;
        /* every member has a slot in a full cycle, so this ends */
        for (; block << ext->block_shift < end; block++) {
            uint64_t block_end;

            if (member_of(layout, no, block) != member)
                continue;
            block_end = (block + 1) << ext->block_shift;
            if (block_end > end)
                block_end = end;
            if (block_end > ALLOT_OFFSET_MAX)
                block_end = ALLOT_OFFSET_MAX;
            return block_end > byte ? block_end : byte;
        }
    }
    return byte;
}

/*
 * Blocks and bytes of [start of extent, end) on one member:
 *
 *      start                                     end
 *        |  m0  | m1   | m2   | m0   | m1   | m2  |
 *      first block (cut at the left)     last block (cut at the right)
 *
 * Whole cycles by multiplication, the rest by walking less than one cycle;
 * then what the two cuts took away.
 */
static void
extent_blocks_of(const struct allot_layout *layout, uint32_t no,
                 uint32_t member, uint64_t end, uint64_t *blocks,
                 uint64_t *bytes)
{
    const struct allot_extent *ext = &layout->extents[no];
    const struct allot_cycle *cycle = &layout->cycles[no];
    uint64_t first = ext->start_byte >> ext->block_shift;
    uint64_t last = (end - 1) >> ext->block_shift;
    uint64_t rest = (last - first + 1) % cycle->len;
    uint64_t sum = ext->members[0].weight;
    uint64_t count;

    for (uint32_t m = 1; m < ext->member_count; m++)
        sum += ext->members[m].weight;
    /* slots of the member in one cycle: its weight, reduced */
    count = (last - first + 1) / cycle->len *
            (ext->members[member].weight * (uint64_t)cycle->len / sum);
    for (uint64_t i = 0; i < rest; i++)
        count += cycle->slots[(ext->phase + i) % cycle->len] == member;

    *blocks += count;
    *bytes += count << ext->block_shift;
    if (member_of(layout, no, first) == member)
        *bytes -= ext->start_byte - (first << ext->block_shift);
    if (member_of(layout, no, last) == member)
        *bytes -= ((last + 1) << ext->block_shift) - end;
}

void
allot_layout_blocks_of(const struct allot_layout *layout, uint16_t brick_idx,
                       uint64_t size, uint64_t *blocks, uint64_t *bytes)
{
    *blocks = 0;
    *bytes = 0;
    for (uint32_t no = 0; no < layout->extent_count; no++) {
        const struct allot_extent *ext = &layout->extents[no];
        uint64_t end = allot_layout_extent_end(layout, no);
        uint32_t member;

        if (ext->start_byte >= size)
            break;
        if (end > size)
            end = size;
        member = member_find(ext, brick_idx);
        if (member < ext->member_count)
            extent_blocks_of(layout, no, member, end, blocks, bytes);
    }
}
