/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * lock.pml - O_APPEND (docs/protocol.md, 2.12): clients append a record each to
 * one file under the lock of a brick, which drops it with a dead client's
 * connection. No acknowledged record is written over, and nobody waits for ever.
 *
 * Left out on purpose: how the size is found (allot.pml has glimpse and settle),
 * and a client that loses the connection while it holds the lock and goes on
 * (section 3, limit 6).
 */
#define CLIENTS 3
#define BLOCKS 6

byte mut;             /* 1: no lock, 2: unlocked before the write, 3: a lock
                         outlives its client */
byte owner;           /* of the lock; 0: free */
byte file[BLOCKS];    /* who wrote it */
byte acked;           /* mask of blocks with an acknowledged record */
byte deaths;
byte size;

#define DEATH                               \
    if                                      \
    :: true                                 \
    :: deaths > 0 -> deaths--; goto gone     \
    fi

proctype appender(byte me)
{
    byte at;

take:
    atomic {
        owner == 0 || mut == 1;
        owner = me
    }
locate:
    atomic {
        DEATH;
        at = size;
        if
        :: mut == 2 && owner == me -> owner = 0
        :: else
        fi
    }
record:
    atomic {
        DEATH;
        assert(!(acked >> at & 1));
        file[at] = me;
        size = (at + 1 > size -> at + 1 : size)
    }
answer:
    atomic {
        DEATH;
        assert(file[at] == me);
        acked = acked | (1 << at)
    }
gone:
    atomic {
        if
        :: owner == me && !(mut == 3 && !(acked >> at & 1 && file[at] == me)) ->
            owner = 0
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
        deaths = 1;
        run appender(1);
        run appender(2);
        run appender(3)
    }
    _nr_pr == 1;
    assert(size >= 2)
}
