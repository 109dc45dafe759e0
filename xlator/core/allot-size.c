/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-size.c - the size of a spread file; the rules are in allot-size.h.
 *
 * It takes the answers as they are: a portion that missed a truncation must be
 * fenced and cut (allot_record_clip_for()) before its size is given here.
 */
#include "allot-size.h"

static const struct allot_glimpse_member *
member_find(const struct allot_glimpse_member *members, size_t n,
            uint16_t brick_idx)
{
    for (size_t i = 0; i < n; i++)
        if (members[i].brick_idx == brick_idx)
            return &members[i];
    return NULL;
}

void
allot_size_compute(const struct allot_record *rec, uint64_t base_size,
                   const struct allot_glimpse_member *members, size_t n,
                   struct allot_size *out)
{
    const struct allot_layout *layout = rec->layout;
    uint64_t known = rec->size;

    /* No byte of a spread file is in its base behind that. */
    if (base_size > layout->inline_limit)
        base_size = layout->inline_limit;
    out->exact = 1;
    if (rec->flags & ALLOT_RECORD_DIRTY) {
        if (base_size > known)
            known = base_size;
        for (size_t i = 0; i < n; i++)
            if (members[i].answered && members[i].size > known)
                known = members[i].size;
    }
    out->known = known;
    out->size = known;
    if (!(rec->flags & ALLOT_RECORD_DIRTY))
        return;

    for (uint32_t b = 0; b < layout->brick_count; b++) {
        const struct allot_glimpse_member *member;
        uint64_t end;

        member = member_find(members, n, layout->bricks[b]);
        if (member && member->answered)
            continue;
        /* Nothing of it lies past the lower bound: it cannot know better. */
        end = allot_layout_next_slot_end(layout, layout->bricks[b], known);
        if (end <= known)
            continue;
        out->exact = 0;
        if (end > out->size)
            out->size = end;
    }
}
