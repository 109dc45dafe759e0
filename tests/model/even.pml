/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * even.pml - a portion on a disperse set of three bricks, two of which make a
 * stripe (docs/protocol.md, 2.15). Two clients raise it, to 2 and to 3; each
 * message to a brick is an act of its own, so that one of them can die with some
 * bricks raised and others not. A third client writes with the generation of
 * before, a fourth with the last one; a brick may be away for a time, and is
 * healed then. Disperse's lock is held for a call to all bricks, and what had it
 * gets a newer version afterwards.
 *
 * In the end all bricks have the last generation, an acknowledged write is on two
 * bricks that are right to disperse, and none of an old generation was
 * acknowledged once somebody was told that the portion is raised above it.
 */
#define FIRST 1
#define LAST 3

byte mut;           /* 1: one brick is asked, 2: past the set's lock, 3: who is
                       behind is not raised first, 4: bricks do not say what they
                       have, 5: they say whether they will refuse this call */
byte gen[3] = FIRST;
byte ver[3] = 1;    /* disperse's */
bool up[3] = true;
byte data[3];       /* the writer whose stripe is there */
byte lock;          /* disperse's, on the file */
byte deaths = 1;
byte outages = 1;
byte raised = FIRST; /* the highest that somebody was told of */
byte acked;          /* the generation of the last acknowledged write */
byte busy = 3;
byte writing = 2;
bool quiet;          /* all raisers are done */

inline newest(v)
{
    v = (ver[0] > ver[1] -> ver[0] : ver[1]);
    v = (ver[2] > v -> ver[2] : v)
}

#define COUNTS(i, v) (up[i] && ver[i] == v)

/* What the bricks that count have: lo, hi. With fewer than two: lo 0. */
inline ask(me)
{
    atomic {
        newest(v);
        lo = 0;
        hi = 0;
        k = 0;
        i = 0;
        do
        :: i < 3 ->
            if
            :: COUNTS(i, v) && !(mut == 1 && k > 0) ->
                lo = (lo == 0 || gen[i] < lo -> gen[i] : lo);
                hi = (gen[i] > hi -> gen[i] : hi);
                k++
            :: else
            fi;
            i++
        :: else -> break
        od;
        if
        :: k < 2 && mut != 1 -> lo = 0
        :: else
        fi
    }
}

/* A setxattr through the set: @from (0: whatever is older) to @to. @had: how many
 * bricks have it then. */
inline send(me, from, to)
{
    atomic {
        lock == 0 || mut == 2;
        lock = (mut == 2 -> lock : me);
        newest(v);
        i = 0;
        had = 0
    }
    do
    :: atomic { i < 3 && COUNTS(i, v) ->
        if
        :: deaths > 0 -> deaths--; goto died
        :: true
        fi;
        if
        :: gen[i] == to -> had = had | (1 << i)
        :: gen[i] < to && (from == 0 || gen[i] == from) -> gen[i] = to; had = had | (1 << i)
        :: else
        fi;
        i++
      }
    :: atomic { i < 3 && !COUNTS(i, v) -> i++ }
    :: atomic { i >= 3 -> break }
    od;
    same()
}

/* Disperse notes who had it, if they make a stripe. */
inline same()
{
    atomic {
        if
        :: deaths > 0 -> deaths--; goto died
        :: true
        fi;
        k = (had & 1) + ((had >> 1) & 1) + ((had >> 2) & 1);
        if
        :: k == 2 ->
            ver[0] = ver[0] + (had & 1);
            ver[1] = ver[1] + ((had >> 1) & 1);
            ver[2] = ver[2] + ((had >> 2) & 1)
        :: else
        fi;
        lock = (lock == me -> 0 : lock)
    }
}

proctype raiser(byte me; byte to)
{
    byte lo, hi, v, i, k, had, tries;

    do
    :: tries >= 4 -> break
    :: else ->
        tries++;
        ask(me);
        if
        :: lo == 0 -> skip
        :: lo && lo != hi && mut != 3 -> send(me, 0, hi)
        :: lo && (lo == hi || mut == 3) && hi >= to ->
            raised = (hi > raised -> hi : raised);
            break
        :: else ->
            send(me, hi, to);
            if
            :: k >= 2 -> raised = (to > raised -> to : raised); break
            :: else
            fi
        fi
    od;
died:
    atomic {
        lock = (lock == me -> 0 : lock);
        lo = 0; hi = 0; v = 0; i = 0; k = 0; had = 0; tries = 0;
        busy--
    }
}

/* Writes a part of a stripe with @with: what is beside it is read from two bricks
 * first. Before, all bricks say which generation they have, and disperse goes on
 * with those that say the same, for all calls until it gives its lock up. Refused, it
 * may write with another generation at once, and does so once more when the portion is
 * raised. (A writer that dies instead can leave a torn stripe: so it is on
 * disperse without allot, and not here.) */
proctype writer(byte me; byte with)
{
    byte v, i, k, had, was, mask, same2;

again:
    atomic {
        lock == 0;
        lock = me;
        newest(v);
        was = raised;
        i = 0;
        had = 0;
        mask = 0
    }
before:
    atomic {
        /* Two that have the same, or else none. */
        same2 = 0;
        if
        :: COUNTS(0, v) && COUNTS(1, v) && gen[0] == gen[1] -> same2 = gen[0]
        :: COUNTS(0, v) && COUNTS(2, v) && gen[0] == gen[2] -> same2 = gen[0]
        :: COUNTS(1, v) && COUNTS(2, v) && gen[1] == gen[2] -> same2 = gen[1]
        :: else
        fi;
        do
        :: i < 3 ->
            mask = mask | ((COUNTS(i, v) && (gen[i] == same2 || mut == 4 ||
                            (mut == 5 && (gen[i] == with) == (same2 == with)))) << i);
            i++
        :: else -> break
        od;
        k = (mask & 1) + ((mask >> 1) & 1) + ((mask >> 2) & 1);
        i = 0;
        if
        :: k < 2 -> mask = 0
        :: else
            /* the rest of the stripe, from two of them */
            assert(!(mask & 1) || !(mask & 2) || data[0] == data[1]);
            assert(!(mask & 1) || !(mask & 4) || data[0] == data[2]);
            assert(!(mask & 2) || !(mask & 4) || data[1] == data[2])
        fi
    }
more:
    do
    :: atomic { i < 3 && (mask & (1 << i)) ->
        if
        :: gen[i] == with -> data[i] = me; had = had | (1 << i)
        :: else
        fi;
        i++
      }
    :: atomic { i < 3 && !(mask & (1 << i)) -> i++ }
    :: atomic { i >= 3 -> break }
    od;
    atomic {
        k = (had & 1) + ((had >> 1) & 1) + ((had >> 2) & 1);
        if
        :: k < 2 && mask && with == FIRST -> with = LAST; i = 0; goto more
        :: else
        fi;
        lock = 0;
        if
        :: k >= 2 ->
            assert(with >= was); /* rule 3: raised is refused */
            acked = me;
            ver[0] = ver[0] + (had & 1);
            ver[1] = ver[1] + ((had >> 1) & 1);
            ver[2] = ver[2] + ((had >> 2) & 1)
        :: else ->
            with = LAST;
            goto waiting
        fi;
        goto over
    }
waiting:
    atomic { raised == LAST || quiet -> goto again }
over:
    atomic { v = 0; i = 0; k = 0; had = 0; was = 0; mask = 0; same2 = 0; with = 0; writing-- }
}

/* A brick goes, and comes back; self-heal makes it as those that are right. */
proctype outage()
{
    byte v, i, k;

    if
    :: up[0] = false; i = 0
    :: up[1] = false; i = 1
    :: outages = 0
    fi;
    if
    :: outages -> up[i] = true
    :: else
    fi;
    atomic { i = 0; busy-- }
}

inline heal()
{
    atomic {
        lock == 0;
        newest(v);
        k = (ver[0] == v -> 0 : (ver[1] == v -> 1 : 2));
        i = 0;
        do
        :: i < 3 ->
            if
            :: ver[i] < v -> ver[i] = v; gen[i] = gen[k]; data[i] = data[k]
            :: else
            fi;
            i++
        :: else -> break
        od
    }
}

init {
    byte v, i, k;

    atomic {
        c_code {
            if (getenv("ALLOT_MUTANT"))
                now.mut = atoi(getenv("ALLOT_MUTANT"));
        };
        run raiser(1, 2);
        run raiser(2, LAST);
        run writer(3, FIRST);
        run writer(4, LAST);
        run outage()
    }
    busy == 0;
    deaths = 0;
    /* Whoever uses the portion next. */
    busy = 1;
    run raiser(5, LAST);
    busy == 0;
    quiet = true;
    writing == 0;
    heal();
    assert(gen[0] == LAST && gen[1] == LAST && gen[2] == LAST);
    assert(raised == LAST);
    assert(acked && (data[0] == acked) + (data[1] == acked) + (data[2] == acked) >= 2)
}
