/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * unlink.pml - the last name of a file goes (docs/protocol.md, 2.11 and 2.11b):
 * one client removes it, two others open, read and close it; each may die, which
 * closes what it had open; two clients ask the guard for what is left. Who has it
 * open can read it; in the end no portion is left.
 *
 * Left out on purpose: several bricks and replicas with lists and fds of their
 * own (steps 1 and 3 of 2.11b), and the death of the brick that has the list.
 *
 * The remover has the base open and asks, or is told with the answer to its unlink
 * (2.11a). An open can be under way on the brick, past the name, whose fd is not there
 * yet.
 */
byte mut;         /* 1: portions go without a look at other fds, 2: the guard hands
                     out what is open, 3: nobody asks for what is left, 4: the
                     guard forgets what it has handed out, 5: nobody looks
                     at opens under way */
byte name = 1;
byte fds;         /* open on the base's brick */
byte opening;     /* about to be */
byte portions = 1;
byte listed;      /* by the guard */
byte deaths = 1;
byte busy = 3;    /* clients that have it open, or may open it */

#define DEATH                               \
    if                                      \
    :: true                                 \
    :: deaths > 0 -> deaths--; goto shut     \
    fi

proctype reader()
{
    byte has;

    atomic {
        if
        :: name -> opening++; has = 1
        :: else
        fi
    }
bound: /* dead or not: the brick does this, and closes it again */
    atomic { fds = fds + has; opening = opening - has }
use:
    atomic {
        DEATH;
        assert(!has || portions)
    }
shut: /* also the brick, of a client that died */
    atomic {
        fds = fds - has;
        has = 0;
        busy--
    }
}

proctype remover()
{
    byte sole;
    byte own; /* not told */

    atomic {
        if
        :: own = 1
        :: own = 0
        fi;
        fds = fds + own
    }
name_gone:
    atomic {
        DEATH;
        name = 0;
        listed = 1
    }
ask:
    atomic {
        DEATH;
        sole = ((fds == own && (opening == 0 || mut == 5)) || mut == 1)
    }
remove:
    atomic {
        DEATH;
        if
        :: sole -> portions = 0
        :: else
        fi
    }
shut:
    atomic { fds = fds - own; busy-- }
}

proctype sweeper()
{
    byte got;

endless:
    do
    :: atomic {
        got == 0 && listed && ((fds == 0 && opening == 0) || mut == 2);
        got = 1;
        listed = (mut == 4 -> 0 : listed)
       }
    :: atomic {
        got;
        got = 0;
        if
        :: deaths > 0 -> deaths--; break
        :: true -> portions = 0; listed = 0
        fi
       }
    od
}

init {
    atomic {
        c_code {
            if (getenv("ALLOT_MUTANT"))
                now.mut = atoi(getenv("ALLOT_MUTANT"));
        };
        run reader();
        run reader();
        run remover();
        if
        :: mut != 3 -> run sweeper(); run sweeper()
        :: else
        fi
    }
    busy == 0;
    /* Somebody is always there who asks. */
    name || !listed;
    assert(name || !portions)
}
