/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-const.h - numbers that the Promela half (allot.pml) and the C half
 * (allot-model.h) of the protocol model have in common. Only #defines, since
 * both preprocess it.
 */
#ifndef ALLOT_CONST_H
#define ALLOT_CONST_H

/* what a client does */
#define OP_END 0
#define OP_WRITE 1  /* write block arg */
#define OP_TRUNC 2  /* set the size to arg, by cutting; 0: back to inline */
#define OP_EXTEND 3 /* set the size to arg if the file is shorter */
#define OP_APPEND 4 /* append an extent over all bricks at the end of data */
#define OP_SETTLE 5 /* last close */
#define OP_FSYNC 6
#define OP_STAT 7
#define OP_READ 8  /* read block arg */
#define OP_STRAY 9 /* a client that knows nothing of allot writes block arg */

/* answers */
#define R_OK 1
#define R_OLD 2    /* EREMCHG */
#define R_BEHIND 3 /* EL2NSYNC */
#define R_DOWN 4   /* ENOTCONN */
#define R_STALE 5  /* reconnected: the record is to be read first */
#define R_LOST 6   /* no portion where the record says so */
#define R_FULL 7   /* ENOSPC */

/* where the shared pieces of the client go back to */
#define TO_AGAIN 0
#define TO_SETTLE 1
#define TO_TRUNC 2
#define TO_HELP 3
#define TO_APPEND 4
#define TO_MEMBERS 5
#define TO_STAT 6
#define TO_PUBLISH 7
#define TO_INLINE 8

/* ways to do it wrong; each must be found by some workload */
#define M_NONE 0
#define M_SETTLE_NO_FENCE 1
#define M_APPEND_NO_FENCE 2
#define M_NO_COMPARE 3
#define M_PUBLISH_NO_DRAIN 4
#define M_FENCE_NO_DRAIN 5
#define M_NO_CLIP 6
#define M_NO_BEHIND 7
#define M_SINGLE_CLIP 8
#define M_TRUNC_NEXT_GEN 9
#define M_APPEND_CLIP_START 10
#define M_NO_MAPPED_CUT 11
#define M_NO_FROM 12
#define M_COPY_SAME_GEN 13
#define M_COPY_NOT_OWN 14
#define M_COPY_IGNORES_SILENT 15
#define M_SETTLE_SILENT_CLEAN 16
#define M_INLINE_AT_ONCE 17
#define M_HWM_ANY_GEN 18
#define M_NO_REPORT 19
#define M_STAT_CACHED 20
#define M_NO_REREAD 21
#define M_CLIP_LEAVES_EARLY 22
#define M_NO_GLIMPSE_CAP 23
#define M_NO_MAX_SIZE 24
#define M_NO_AHEAD 25
#define M_NO_DIRTY 26
#define M_NO_HELP 27
#define M_SETTLE_CLIP_LEAVES 28
#define M_INLINE_OVER_DIRTY 29
#define M_AHEAD_FORGETS 30
#define M_SETTLE_FORGETS 31
#define M_SETTLE_SILENT_OK 32
#define M_INLINE_NO_FENCE 33
#define M_TOLD_BEFORE 34

#endif /* ALLOT_CONST_H */
