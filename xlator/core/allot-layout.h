/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-layout.h - the append-only list of extents of one file: which brick
 * holds which byte.
 *
 *   byte  0        inline_limit      start[1]            start[2]
 *         |  base  |  extent 0       |  extent 1         |  extent 2 ... 2^63-1
 *
 * Bytes below inline_limit are in the base file. extent[0] holds the rest of
 * block 0 (or everything, while it is the only one); extent[e] holds
 * [start[e], start[e+1]), the last one is open-ended. Blocks lie on multiples
 * of the extent's own block size, counted from byte 0 of the file:
 *
 *   slot of byte b in extent e =
 *        (phase + (b >> shift) - (start >> shift)) mod cycle length
 *
 * A layout is immutable once made and holds the computed cycles.
 */
#ifndef ALLOT_LAYOUT_H
#define ALLOT_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

struct allot_member {
    uint16_t brick_idx; /* index in the registry */
    uint8_t weight;     /* 1..ALLOT_WEIGHT_MAX */
};

/* What the record stores of an extent (see allot-codec.h). */
struct allot_extent {
    uint64_t start_byte;          /* first byte; extent 0: inline_limit */
    uint32_t phase;               /* slot of the block that holds start_byte */
    uint8_t block_shift;          /* block size = 1 << block_shift bytes */
    uint8_t member_count;         /* 1..ALLOT_MEMBERS_MAX */
    struct allot_member *members; /* owned by whoever owns the extent */
};

struct allot_cycle {
    uint32_t len;    /* slots */
    uint16_t *slots; /* position in members[] of each slot */
};

struct allot_layout {
    uint32_t inline_limit;        /* bytes */
    uint32_t extent_count;        /* 0: unspread */
    struct allot_extent *extents; /* owned, in rising order of start_byte */
    struct allot_cycle *cycles;   /* owned, one per extent; extents with the
                                     same order of weights share the slots */
    uint16_t *bricks; /* owned: every brick index that occurs, rising */
    uint32_t brick_count;
};

/* Where one byte lies. */
struct allot_place {
    uint32_t extent_no;
    uint16_t brick_idx;
    uint64_t end_byte; /* first byte past this run on the same brick's slot:
                          the end of the block or of the extent */
};

/**
 * allot_layout_new - check extents and compute their cycles
 * @inline_limit: bytes
 * @extents: @count extents; copied, the caller keeps its own
 * @count: 0..ALLOT_EXTENTS_MAX
 * @out: the layout; free with allot_layout_free()
 *
 * Checks: extent 0 starts at inline_limit, starts strictly rising and at most
 * ALLOT_OFFSET_MAX, shifts in range, no member twice in an extent, weights
 * not 0, phase below the cycle's length.
 * Returns 0, -EINVAL, -E2BIG (cycle too long) or -ENOMEM.
 */
int
allot_layout_new(uint32_t inline_limit, const struct allot_extent *extents,
                 uint32_t count, struct allot_layout **out);

/** allot_layout_free - free a layout; NULL is allowed. */
void
allot_layout_free(struct allot_layout *layout);

/** allot_layout_extent_at - the number of the extent that holds @byte, which
 * must be >= inline_limit; the layout must have extents. O(log extents). */
uint32_t
allot_layout_extent_at(const struct allot_layout *layout, uint64_t byte);

/** allot_layout_extent_end - first byte past extent @no
 * (ALLOT_OFFSET_MAX + 1 for the last). */
uint64_t
allot_layout_extent_end(const struct allot_layout *layout, uint32_t no);

/**
 * allot_layout_place - where one byte lies
 * @byte: inline_limit..ALLOT_OFFSET_MAX; the layout must have extents
 * O(1) within the extent.
 */
void
allot_layout_place(const struct allot_layout *layout, uint64_t byte,
                   struct allot_place *place);

/** allot_layout_has - is @brick_idx a member of any extent (1) or not (0). */
int
allot_layout_has(const struct allot_layout *layout, uint16_t brick_idx);

/** allot_layout_in_last - is @brick_idx a member of the last extent. */
int
allot_layout_in_last(const struct allot_layout *layout, uint16_t brick_idx);

/**
 * allot_layout_next_slot_end - where a size must be rounded up to
 * Of the blocks on @brick_idx in the whole layout, the first one that ends
 * past @byte: returns the first byte past that block (cut at the extent's
 * end and at ALLOT_OFFSET_MAX), or @byte when the brick has no slot at or
 * after @byte. Used for the honest lower bound of the size of a file with an
 * unreachable member (allot-size.h).
 */
uint64_t
allot_layout_next_slot_end(const struct allot_layout *layout,
                           uint16_t brick_idx, uint64_t byte);

/**
 * allot_layout_append - the extent list with one more extent
 * @layout: the present layout (may have no extents)
 * @start_byte: at or past every byte of data. Extents that start at or after
 *     it hold no data and are dropped.
 * @block_shift, @members, @member_count: the new extent. If an earlier kept
 *     extent has the same set of (brick, weight) and block_shift, its order of
 *     members is taken and its phase continued, so that the file stays within
 *     one block of quota over all its extents. So is the one-member head
 *     extent of a file, if its brick is among the members, no extent since
 *     has it, and the extent after the head begins in the head's block or in
 *     the one after it: the head was slot 0, its brick is moved to members[0].
 * @out: a new layout; the old one is untouched.
 *
 * For a layout without extents start_byte must be inline_limit.
 * Returns 0, -EINVAL, -E2BIG, -EFBIG (ALLOT_EXTENTS_MAX reached), -ENOMEM.
 */
int
allot_layout_append(const struct allot_layout *layout, uint64_t start_byte,
                    uint8_t block_shift, const struct allot_member *members,
                    uint8_t member_count, struct allot_layout **out);

/**
 * allot_layout_blocks_of - how many bytes and blocks of [0, size) lie on a
 * brick
 * @blocks: blocks (a block cut by an extent's border counts on both sides)
 * @bytes: bytes
 * The inline bytes are not counted. O(extents + cycle length).
 */
void
allot_layout_blocks_of(const struct allot_layout *layout, uint16_t brick_idx,
                       uint64_t size, uint64_t *blocks, uint64_t *bytes);

#endif /* ALLOT_LAYOUT_H */
