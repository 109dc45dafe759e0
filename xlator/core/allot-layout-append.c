/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-layout-append.c - the extent list with one more extent, such that the
 * file stays within one block of quota over all its extents.
 *
 *      head      {A,B,C}            {A,C}        {A,B,C}
 *      |  A  | B C A B C A B | A C A C A | C A B C A B C ...
 *      slot 0  1 2 3 4 5 6 7             8 9 ...
 *
 * All pieces that a file has on one set of bricks are then a prefix of that
 * set's endless cycle, whatever stood in between, and a prefix is within
 * quota (allot-apportion.h). A piece is a block, or what an extent's border
 * left of one.
 *
 * Which bricks a new extent gets, and from where, is decided by the caller.
 */
#include "allot-layout.h"
#include "allot-wire.h"

#include <string.h>

/* Position of a brick in members[], or the count. */
static uint32_t
member_find(const struct allot_extent *ext, uint16_t brick_idx)
{
    uint32_t m = 0;

    while (m < ext->member_count && ext->members[m].brick_idx != brick_idx)
        m++;
    return m;
}

/* The same bricks with the same weights, in any order. */
static int
same_set(const struct allot_extent *ext, const struct allot_member *members,
         uint8_t count)
{
    if (ext->member_count != count)
        return 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t m = member_find(ext, members[i].brick_idx);

        if (m == count || ext->members[m].weight != members[i].weight)
            return 0;
    }
    return 1;
}

/* The latest of the @keep first extents whose order can go on, or @keep. */
static uint32_t
find_predecessor(const struct allot_layout *layout, uint32_t keep,
                 const struct allot_extent *fresh)
{
    for (uint32_t e = keep; e-- > 0;) {
        const struct allot_extent *ext = &layout->extents[e];

        if (ext->block_shift == fresh->block_shift &&
            same_set(ext, fresh->members, fresh->member_count))
            return e;
    }
    return keep;
}

/* The slot after the last piece that extent @e has below @end. */
static uint32_t
phase_after(const struct allot_layout *layout, uint32_t e, uint64_t end)
{
    const struct allot_extent *ext = &layout->extents[e];
    uint64_t first = ext->start_byte >> ext->block_shift;
    uint64_t last = (end - 1) >> ext->block_shift;

    return (uint32_t)((ext->phase + (last - first) + 1) %
                      layout->cycles[e].len);
}

/*
 * Is there a head that can count as slot 0 of the new extent? Then its brick
 * is moved to the front, because slot 0 of every cycle belongs to the member
 * in front. The head must not reach past its own block by more than the start
 * of the next one: more than that is no prefix. And it counts once: for the
 * first extent that has its brick again, which need not be the second one (the
 * head's brick may have been down for a while).
 */
static int
head_to_front(const struct allot_layout *layout, uint32_t keep,
              struct allot_extent *fresh)
{
    const struct allot_extent *head = layout->extents;
    uint64_t head_end = fresh->start_byte;
    struct allot_member found;
    uint16_t brick_idx;
    uint32_t m;

    if (keep == 0 || head->member_count != 1 ||
        head->block_shift != fresh->block_shift)
        return 0;
    if (keep > 1)
        head_end = layout->extents[1].start_byte;
    if ((head_end >> head->block_shift) -
            (head->start_byte >> head->block_shift) >
        1)
        return 0;
    brick_idx = head->members[0].brick_idx;
    for (uint32_t e = 1; e < keep; e++)
        if (member_find(&layout->extents[e], brick_idx) <
            layout->extents[e].member_count)
            return 0;
    m = member_find(fresh, brick_idx);
    if (m == fresh->member_count)
        return 0;
    found = fresh->members[m];
    memmove(fresh->members + 1, fresh->members, m * sizeof(found));
    fresh->members[0] = found;
    return 1;
}

int
allot_layout_append(const struct allot_layout *layout, uint64_t start_byte,
                    uint8_t block_shift, const struct allot_member *members,
                    uint8_t member_count, struct allot_layout **out)
{
    struct allot_extent list[ALLOT_EXTENTS_MAX];
    struct allot_member order[ALLOT_MEMBERS_MAX];
    struct allot_extent fresh = {
        .start_byte = start_byte,
        .block_shift = block_shift,
        .member_count = member_count,
        .members = order,
    };
    uint32_t keep = layout->extent_count;
    uint32_t before;

    if (member_count == 0 || start_byte < layout->inline_limit ||
        start_byte > ALLOT_OFFSET_MAX || block_shift < ALLOT_BLOCK_SHIFT_MIN ||
        block_shift > ALLOT_BLOCK_SHIFT_MAX)
        return -EINVAL;
    while (keep > 0 && layout->extents[keep - 1].start_byte >= start_byte)
        keep--;
    if (keep == 0 && start_byte != layout->inline_limit)
        return -EINVAL;
    if (keep == ALLOT_EXTENTS_MAX)
        return -EFBIG;

    memcpy(order, members, member_count * sizeof(*members));
    before = find_predecessor(layout, keep, &fresh);
    if (before < keep) {
        uint64_t end = start_byte;

        if (before + 1 < keep)
            end = layout->extents[before + 1].start_byte;
        memcpy(order, layout->extents[before].members,
               member_count * sizeof(*order));
        fresh.phase = phase_after(layout, before, end);
    } else if (head_to_front(layout, keep, &fresh)) {
        fresh.phase = member_count > 1 ? 1 : 0;
    }

    if (keep)
        memcpy(list, layout->extents, keep * sizeof(*list));
    list[keep] = fresh;
    return allot_layout_new(layout->inline_limit, list, keep + 1, out);
}
