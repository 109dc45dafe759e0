/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-split.c - walk a byte range in pieces, one per run of bytes on one
 * brick.
 *
 * Because a byte has the same offset in its portion as in the file, two
 * neighbouring blocks on one brick are one run there too, also across the
 * border of two extents. Buffers are not touched here.
 */
#include "allot-split.h"
#include "allot-wire.h"

#include <stdlib.h>

int
allot_split_begin(struct allot_split_iter *iter,
                  const struct allot_layout *layout, uint64_t off, uint64_t len)
{
    if (off > ALLOT_OFFSET_MAX || len > ALLOT_OFFSET_MAX - off)
        return -EFBIG;
    iter->layout = layout;
    iter->next = off;
    iter->end = off + len;
    return 0;
}

/* The end of the run that holds @byte. An extent of one member is one run,
 * however many blocks it has. */
static uint64_t
run_end(const struct allot_layout *layout, uint64_t byte, uint16_t *brick_idx)
{
    struct allot_place place;

    allot_layout_place(layout, byte, &place);
    *brick_idx = place.brick_idx;
    if (layout->extents[place.extent_no].member_count == 1)
        return allot_layout_extent_end(layout, place.extent_no);
    return place.end_byte;
}

int
allot_split_next(struct allot_split_iter *iter, struct allot_piece *piece)
{
    const struct allot_layout *layout = iter->layout;
    uint64_t end;

    if (iter->next >= iter->end)
        return 0;
    piece->offset = iter->next;
    if (layout->extent_count == 0) {
        piece->brick_idx = ALLOT_PIECE_BASE;
        end = iter->end;
    } else if (iter->next < layout->inline_limit) {
        piece->brick_idx = ALLOT_PIECE_BASE;
        end = layout->inline_limit;
    } else {
        uint16_t brick_idx;
        uint16_t follower;
        uint64_t follower_end;

        end = run_end(layout, iter->next, &brick_idx);
        piece->brick_idx = brick_idx;
        while (end < iter->end) {
            follower_end = run_end(layout, end, &follower);
            if (follower != brick_idx)
                break;
            end = follower_end;
        }
    }
    if (end > iter->end)
        end = iter->end;
    piece->len = end - iter->next;
    iter->next = end;
    return 1;
}

int64_t
allot_split_all(const struct allot_layout *layout, uint64_t off, uint64_t len,
                struct allot_piece **pieces)
{
    struct allot_split_iter iter;
    struct allot_piece *list = NULL;
    struct allot_piece piece;
    size_t count = 0;
    size_t room = 0;
    int ret;

    *pieces = NULL;
    ret = allot_split_begin(&iter, layout, off, len);
    if (ret)
        return ret;
    while (allot_split_next(&iter, &piece)) {
        if (count == room) {
            struct allot_piece *bigger;

            if (count == ALLOT_SPLIT_MAX) {
                free(list);
                return -E2BIG;
            }
            room = room ? room * 2 : 8;
            bigger = realloc(list, room * sizeof(*list));
            if (!bigger) {
                free(list);
                return -ENOMEM;
            }
            list = bigger;
        }
        list[count++] = piece;
    }
    *pieces = list;
    return (int64_t)count;
}
