/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-work.h - the workloads of the protocol model and the names of its
 * mutants. Small on purpose: a fault of a protocol needs few actors.
 */

static const char *const mutants[] = {
    "none",
    "settle-no-fence",
    "append-no-fence",
    "publish-no-compare",
    "publish-no-drain",
    "fence-no-drain",
    "no-clip",
    "no-behind",
    "single-clip",
    "truncate-next-gen",
    "append-clips-at-start",
    "no-cut-at-mapped-end",
    "fence-without-from",
    "copy-with-published-gen",
    "copy-without-own-bytes",
    "copy-ignores-silent",
    "settle-clean-though-silent",
    "to-inline-at-once",
    "own-size-of-any-gen",
    "hidden-not-reported",
    "stat-cached-record",
    "reconnect-no-reread",
    "truncate-clip-leaves-early",
    "glimpse-no-cap",
    "grow-no-max-size",
    "ahead-stays",
    "write-not-dirty",
    "nobody-helps",
    "settle-clip-leaves-early",
    "to-inline-over-dirty",
    "ahead-forgets-own-size",
    "settle-forgets-own-size",
    "settle-not-reported",
    "to-inline-no-fence",
    "size-told-before-the-fence",
};

#define W(b)        \
    {               \
        OP_WRITE, b \
    }
#define T(s)        \
    {               \
        OP_TRUNC, s \
    }
#define X(s)         \
    {                \
        OP_EXTEND, s \
    }
#define A            \
    {                \
        OP_APPEND, 0 \
    }
#define S            \
    {                \
        OP_SETTLE, 0 \
    }
#define F           \
    {               \
        OP_FSYNC, 0 \
    }
#define L          \
    {              \
        OP_STAT, 0 \
    }
#define R(b)       \
    {              \
        OP_READ, b \
    }
#define Y(b)        \
    {               \
        OP_STRAY, b \
    }

static const struct work works[] = {
    {.name = "write-settle",
     .initial = 2,
     .bricks = 2,
     .deaths = 1,
     .mortal = 14,
     .script = {{}, {W(3)}, {W(2), F}, {S}}},
    {.name = "truncate-settle",
     .initial = 2,
     .bricks = 2,
     .deaths = 1,
     .mortal = 14,
     .script = {{}, {T(1)}, {S}, {W(3)}}},
    {.name = "truncate-write-drop",
     .initial = 2,
     .bricks = 2,
     .deaths = 1,
     .drops = 1,
     .dropmask = 2,
     .mortal = 2,
     .script = {{}, {T(1)}, {W(3), W(2)}}},
    {.name = "two-truncates-drop",
     .initial = 2,
     .bricks = 2,
     .drops = 1,
     .dropmask = 3,
     .script = {{}, {W(2), T(1), T(3)}, {W(3)}}},
    {.name = "truncates-race",
     .initial = 2,
     .bricks = 2,
     .script = {{}, {T(1)}, {T(3)}, {W(3), W(2)}}},
    {.name = "grow",
     .initial = 0,
     .bricks = 2,
     .deaths = 1,
     .mortal = 6,
     .script = {{}, {W(1), W(2)}, {W(0), W(3)}}},
    {.name = "grow-stray",
     .initial = 0,
     .bricks = 2,
     .deaths = 1,
     .mortal = 2,
     .script = {{}, {W(1)}, {Y(1)}}},
    {.name = "grow-whole",
     .initial = 0,
     .bricks = 2,
     .whole = 1,
     .deaths = 1,
     .mortal = 6,
     .script = {{}, {W(1)}, {W(3)}, {T(0)}}},
    {.name = "grow-whole-drop",
     .initial = 0,
     .bricks = 2,
     .whole = 1,
     .drops = 1,
     .dropmask = 3,
     .script = {{}, {W(1), W(3)}, {W(2)}}},
    {.name = "grow-whole-stray",
     .initial = 0,
     .bricks = 2,
     .whole = 1,
     .deaths = 1,
     .mortal = 2,
     .script = {{}, {W(1)}, {Y(1)}}},
    {.name = "append",
     .initial = 1,
     .bricks = 3,
     .deaths = 1,
     .mortal = 14,
     .script = {{}, {A}, {W(2)}, {S}}},
    {.name = "append-append",
     .initial = 1,
     .bricks = 2,
     .deaths = 1,
     .mortal = 2,
     .script = {{}, {A}, {A}, {W(3)}}},
    {.name = "append-drop",
     .initial = 2,
     .bricks = 3,
     .drops = 1,
     .dropmask = 2,
     .tail = 1,
     .script = {{}, {W(2), F}, {W(3), F}}},
    {.name = "hidden-tail",
     .initial = 2,
     .bricks = 3,
     .drops = 1,
     .dropmask = 1,
     .tail = 1,
     .script = {{}, {W(3), F}, {A, W(2)}}},
    {.name = "fsync-truncate",
     .initial = 2,
     .bricks = 2,
     .deaths = 1,
     .mortal = 4,
     .script = {{}, {W(3), F}, {T(1)}, {W(1)}}},
    {.name = "silent-close",
     .initial = 2,
     .bricks = 2,
     .drops = 1,
     .dropmask = 2,
     .script = {{}, {W(2)}, {S}}},
    {.name = "own-size",
     .initial = 2,
     .bricks = 2,
     .drops = 1,
     .dropmask = 2,
     .deaths = 1,
     .mortal = 4,
     .script = {{}, {W(2), R(1), A}, {S}}},
    {.name = "own-close",
     .initial = 2,
     .bricks = 2,
     .drops = 1,
     .dropmask = 2,
     .tail = 1,
     .script = {{}, {W(2), S}, {S}}},
    {.name = "relocate-drop",
     .initial = 2,
     .bricks = 3,
     .drops = 1,
     .dropmask = 1,
     .deaths = 1,
     .mortal = 2,
     .tail = 1,
     .script = {{}, {W(1)}, {W(2)}}},
    {.name = "relocate-race",
     .initial = 2,
     .bricks = 3,
     .drops = 1,
     .dropmask = 1,
     .script = {{}, {W(1)}, {W(1)}, {W(2), W(2)}}},
    {.name = "relocate-full",
     .initial = 2,
     .bricks = 3,
     .fill = 2,
     .deaths = 1,
     .mortal = 2,
     .tail = 1,
     .script = {{}, {W(2)}, {W(3)}}},
    {.name = "to-inline",
     .initial = 2,
     .bricks = 2,
     .deaths = 1,
     .mortal = 2,
     .script = {{}, {T(0)}, {W(2), W(3)}}},
    {.name = "to-inline-drop",
     .initial = 2,
     .bricks = 2,
     .drops = 1,
     .dropmask = 2,
     .script = {{}, {T(0)}, {W(2), W(2)}}},
    {.name = "cut-back",
     .initial = 2,
     .bricks = 2,
     .gated = 1,
     .deaths = 1,
     .mortal = 2,
     .script = {{}, {T(2)}, {W(3), W(2)}}},
    {.name = "help",
     .initial = 2,
     .bricks = 2,
     .deaths = 1,
     .mortal = 2,
     .script = {{}, {T(1)}, {L}, {W(2), W(3)}}},
    {.name = "clip-settle-drop",
     .initial = 2,
     .bricks = 2,
     .drops = 1,
     .dropmask = 2,
     .script = {{}, {W(2), T(1), W(1), S}, {L}}},
    {.name = "extend",
     .initial = 2,
     .bricks = 2,
     .deaths = 1,
     .mortal = 6,
     .script = {{}, {X(3)}, {W(3)}, {S}}},
    {.name = "stat",
     .initial = 2,
     .bricks = 3,
     .script = {{}, {L}, {A, W(3)}, {T(1)}}},
};

#undef W
#undef T
#undef X
#undef A
#undef S
#undef F
#undef L
#undef R
#undef Y
