/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * cut.pml - fencing a portion on a replicate set with a cut (docs/protocol.md,
 * 2.14): one client cuts to 2 blocks and raises to 2, another one cuts to 1 block
 * and raises to 3; one of them may die at any step. A third writes behind the
 * cuts with the generation from before them, a fourth with the last one. The set
 * makes each call one act on all its leaves (replicate's own lock); what a leaf
 * that is away misses is marked and healed, which is replicate's business and
 * not here.
 *
 * In the end the portion has no byte of before the cut behind it, is not longer
 * than the cut, is open, and has what was acknowledged at the last generation.
 */
#define FIRST 1
#define LAST 3

byte mut;              /* 1: not closed, 2: no lock, 3: the raise keeps it closed */
byte gen = FIRST;
byte closed;
byte block[3] = 1;     /* 0: none, 1 and 2: of before the cut, 3: after it */
byte size = 3;
byte owner;            /* of the lock allot.cut */
byte deaths = 1;
byte quiet;            /* nobody cuts any more */
byte acked;
byte busy = 3;

#define DEATH                               \
    if                                      \
    :: true                                 \
    :: deaths > 0 -> deaths--; goto dropped  \
    fi

proctype cutter(byte me; byte to; byte cut)
{
    byte from;
    byte too;

enter:
    atomic {
        owner == 0 || mut == 2;
        owner = me
    }
peek:
    atomic {
        DEATH;
        from = gen;
        if
        :: gen >= to -> goto dropped
        :: else
        fi
    }
close:
    atomic {
        DEATH;
        if
        :: gen == from && mut != 1 -> closed = 1
        :: else
        fi
    }
measure:
    atomic {
        DEATH;
        too = (size > cut)
    }
shorten: /* a truncation: it could make it longer, too */
    atomic {
        DEATH;
        if
        :: too && gen == from ->
            size = cut;
            block[2] = 0;
            block[1] = (cut == 1 -> 0 : block[1])
        :: else
        fi
    }
raise:
    atomic {
        DEATH;
        if
        :: gen == from -> gen = to; closed = (mut == 3)
        :: else
        fi
    }
dropped:
    atomic {
        if
        :: owner == me -> owner = 0
        :: else
        fi;
        from = 0;
        too = 0;
        busy--
    }
}

/* with the generation of before the cut */
proctype older()
{
    atomic {
        if
        :: gen == FIRST && !closed -> block[2] = 2; size = 3
        :: else
        fi;
        busy--
    }
}

/* knows the last one: "behind" until it is raised, and then writes */
proctype newer()
{
    atomic {
        (gen == LAST && !closed) || quiet;
        if
        :: gen == LAST && !closed -> block[1] = 3; size = (size > 2 -> size : 2); acked = 1
        :: else
        fi
    }
}

init {
    atomic {
        c_code {
            if (getenv("ALLOT_MUTANT"))
                now.mut = atoi(getenv("ALLOT_MUTANT"));
        };
        run cutter(1, 2, 2);
        run cutter(2, LAST, 1);
        run older();
        run newer()
    }
    busy == 0;
    /* Whoever uses the portion next does it once more. */
    busy = 1;
    run cutter(3, LAST, 1);
    busy == 0;
    quiet = 1;
    _nr_pr == 1;
    assert(gen == LAST && !closed);
    assert(block[1] != 1 && block[2] == 0);
    assert(block[1] == (acked -> 3 : 0));
    assert(size <= (acked -> 2 : 1))
}
