/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * mapping.c - what it costs to find the brick of a block, in memory.
 *
 *   mapping [BLOCKS]
 *
 * A layout of 48 extents over 4, 255 and 1,000 bricks (an extent has 255
 * members at most: 1,000 bricks take turns). Blocks are asked in random order,
 * each with the extent it lies in searched anew. Prints lines "ns_per_block_N
 * X" and "split_ns_per_block_N X", the latter for a walk over neighbouring
 * blocks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "allot-codec.h"
#include "allot-split.h"

#define EXTENTS 48
#define SHIFT 18
#define EXTENT_BLOCKS 4096

static double
ns_since(const struct timespec *from)
{
    struct timespec to;

    clock_gettime(CLOCK_MONOTONIC, &to);
    return (to.tv_sec - from->tv_sec) * 1e9 + (to.tv_nsec - from->tv_nsec);
}

static struct allot_layout *
make(unsigned bricks)
{
    static struct allot_member members[EXTENTS][ALLOT_MEMBERS_MAX];
    struct allot_extent extents[EXTENTS];
    struct allot_layout *layout = NULL;
    unsigned width = bricks < 255 ? bricks : 255;
    unsigned e, m;

    for (e = 0; e < EXTENTS; e++) {
        for (m = 0; m < width; m++) {
            members[e][m].brick_idx = (e * width + m) % bricks;
            members[e][m].weight = 1;
        }
        extents[e].start_byte =
            e ? ((uint64_t)e * EXTENT_BLOCKS) << SHIFT : 65536;
        extents[e].phase = 0;
        extents[e].block_shift = SHIFT;
        extents[e].member_count = width;
        extents[e].members = members[e];
    }
    if (allot_layout_new(65536, extents, EXTENTS, &layout)) {
        fprintf(stderr, "mapping: no layout over %u bricks\n", bricks);
        exit(1);
    }
    return layout;
}

static void
measure(unsigned bricks, unsigned long blocks)
{
    struct allot_layout *layout = make(bricks);
    struct allot_split_iter it;
    struct allot_piece piece;
    struct allot_place place;
    struct timespec from;
    uint64_t all = (uint64_t)EXTENTS * EXTENT_BLOCKS;
    uint64_t at = 1;
    unsigned long i = 0;
    unsigned long sum = 0;

    clock_gettime(CLOCK_MONOTONIC, &from);
    for (i = 0; i < blocks; i++) {
        at = at * 6364136223846793005ULL + 1442695040888963407ULL;
        allot_layout_place(layout, 65536 + (((at >> 33) % all) << SHIFT),
                           &place);
        sum += place.brick_idx;
    }
    printf("ns_per_block_%u %.2f\n", bricks, ns_since(&from) / blocks);

    clock_gettime(CLOCK_MONOTONIC, &from);
    if (allot_split_begin(&it, layout, 0, all << SHIFT))
        exit(1);
    for (i = 0; allot_split_next(&it, &piece); i++)
        sum += piece.brick_idx;
    printf("split_ns_per_block_%u %.2f\n", bricks, ns_since(&from) / i);
    if (sum == 0)
        printf("nothing was mapped\n");
    allot_layout_free(layout);
}

int
main(int argc, char **argv)
{
    unsigned long blocks = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000000;

    if (!blocks) {
        fprintf(stderr, "usage: mapping [BLOCKS]\n");
        return 2;
    }
    measure(4, blocks);
    measure(255, blocks);
    measure(1000, blocks);
    return 0;
}
