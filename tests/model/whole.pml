/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * whole.pml - a small write that makes a file spread (docs/protocol.md, 2.3b), of
 * which one part goes to the base before the record is published, beside somebody
 * who cuts the file to nothing and then, perhaps, makes it as long as its inline part:
 * both truncations. What is left is what one order of the calls leaves: never the
 * write's second half without its first.
 *
 * The file is two blocks, base and tail. A call to the base is let through by the
 * guard in one act and done in another, in any order. Left out on purpose: several
 * bricks, and the steps of what a truncation of a spread file is (allot.pml).
 */
byte mut;   /* 1: no mark; 2: it goes with the call and not with the answer; 3: a
               publication does not wait for the calls that are let through */
byte base;  /* content: 0 zeros, 1 the write's */
byte tail;
byte spread, gen, seq;
byte mark;
byte infl; /* calls that are let through to the base */
byte deaths;
byte wrote;         /* the write is acknowledged */
byte cut_began;     /* the first truncation began after that */
byte late;          /* the write began when the second one had ended */
byte died;
byte ended;

#define DEATH                                      \
    if                                             \
    :: true                                        \
    :: deaths > 0 -> deaths--; died = 1; goto gone \
    fi

proctype writer()
{
    byte g, s, t;

    atomic { late = ended }
whole:
    atomic {
        DEATH;
        g = gen; s = seq;
        if
        :: spread -> goto usual
        :: else
        fi
    }
filling: /* let through with its mark; the portion has its part, too */
    atomic {
        DEATH;
        if
        :: gen != g -> goto usual
        :: else
        fi;
        infl++; mark = 1
    }
filled:
    atomic { base = 1; infl-- }
named:
    atomic {
        infl == 0 || mut == 3;
        DEATH;
        if
        :: seq != s || (mark != 1 && mut != 1) -> goto usual
        :: else
        fi;
        spread = 1; gen++; seq++; tail = 1;
        wrote = 1;
        goto gone
    }
usual: /* 2.3, 2.4 */
    atomic {
        infl == 0;
        DEATH;
        if
        :: !spread -> spread = 1; gen++; seq++
        :: else
        fi;
        g = gen
    }
    atomic {
        DEATH;
        if
        :: gen != g -> goto usual
        :: else -> base = 1
        fi
    }
    atomic {
        DEATH;
        if
        :: gen != g -> goto usual
        :: else -> tail = 1; wrote = 1
        fi
    }
gone:
    skip
}

proctype cutter()
{
shorten:
    atomic {
        cut_began = wrote;
        if
        :: spread ->
            base = 0; tail = 0; spread = 0; gen = gen + 2; seq++;
            goto lengthen
        :: else -> infl++
        fi;
        if
        :: mut == 2 -> mark = 0
        :: else
        fi
    }
    atomic {
        base = 0; infl--;
        if
        :: mut != 2 -> mark = 0
        :: else
        fi
    }
lengthen:
    atomic {
        if
        :: true -> goto done
        :: true
        fi;
        if
        :: spread ->
            tail = 0; spread = 0; gen = gen + 2; seq++;
            goto done
        :: else -> infl++
        fi;
        if
        :: mut == 2 -> mark = 0
        :: else
        fi
    }
    atomic {
        infl--;
        if
        :: mut != 2 -> mark = 0
        :: else
        fi
    }
done:
    atomic { ended = 1 }
}

init {
    atomic {
        c_code {
            if (getenv("ALLOT_MUTANT"))
                now.mut = atoi(getenv("ALLOT_MUTANT"));
        };
        deaths = 1;
        run writer();
        run cutter()
    }
    _nr_pr == 1;
    assert(wrote || died);
    /* cut, write, lengthen leaves the write's base; write, cut, lengthen zeros */
    assert(!wrote || !tail || base == 1);
    assert(!cut_began || (!tail && !base));
    assert(!wrote || !late || (tail && base))
}
