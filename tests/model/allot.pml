/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot.pml - the protocols of one spread file, as docs/protocol.md tells
 * them: clients, a brick that goes away and returns, clients that die, and a
 * checker that looks at the file when all is quiet.
 *
 * One atomic block is one act: one call answered by one guard, together with
 * what its client does before its next call. Between any two of them anything
 * else may happen, and a mortal client may die (DIE).
 *
 * Left out on purpose: names, the registry, and a brick that is up for one client
 * and down for another (but workloads with .lag, see run.sh); in files of their
 * own: lock.pml, cut.pml, unlink.pml, whole.pml. What a brick acknowledged it keeps.
 */

#include "allot-const.h"

typedef rec {
    byte seq, gen, dirty, size, nonce, next, nclip;
    byte est[4];
    byte em[4];
    byte cg[2];
    byte cs[2]
};

typedef por {
    byte gen;   /* 0: there is no such portion */
    byte d[4]   /* content of each block; 0: hole */
};

typedef cli {
    byte op, arg, val, pc, tries; /* what it is doing */
    byte rc;                      /* last answer */
    byte todo, silent, i, ret;    /* loops over bricks */
    byte from, to, mk, cut, fn;   /* fence */
    byte e, gsil, newer, told;    /* glimpse */
    byte f, s, m, x, pre;         /* append: failed block, start, members */
    byte refused, refgen, ahead, reread, helped;
    byte stale, conn;             /* masks of bricks */
    byte infl;                    /* 1 + base or portion, let through */
    byte mine, hwm, hgen, werr;   /* own unsynced blocks */
    byte keep, kgen;              /* of these, what I must not hide myself */
    byte published, landed, hid;        /* for the truth */
    byte lo, hi;
    short seen;
    short snap[4]
};

rec r[5];
por p[9];
cli cl[5];
byte based[4];    /* the base file */
byte up;          /* bricks */
byte filled;        /* bricks without room for new blocks */
byte deaths, drops, fills;
byte running;     /* clients that are not finished */
byte calm;        /* only the checker is left */
byte nonces;

/* the truth */
short acc[4];
short ended[4];
short lost[4];
byte synced;
byte values;
short used;
short undead;
byte undeadgen;

c_decl {
\#include <stdlib.h>
\#include <string.h>
\#include <stdio.h>
\#include "allot-const.h"
};
c_code {
\#include "allot-model.h"
};

#define C cl[me]
#define R r[me]
#define DIE                                                              \
    if                                                                   \
    :: true                                                              \
    :: deaths > 0 && c_expr { MORTAL } ->         \
        deaths--; goto dead                                              \
    fi
#define RC(call) c_code { now.cl[Pclient->me].rc = call; }
#define IS(cond) c_expr { cond }
#define ME Pclient->me
#define MEC now.cl[Pclient->me]
#define MER now.r[Pclient->me]

proctype client(byte me)
{
next:
    atomic {
        c_code { op_next(Pclient->me); };
        if
        :: C.op == OP_END -> goto fin
        :: else
        fi
    }

again: /* one more try */
    atomic {
        DIE;
        if
        :: C.tries == 0 ->
            assert(me != 4); /* alone, and still no end to it */
            goto failed
        :: else -> C.tries--
        fi;
        C.silent = 0; C.gsil = 0; C.todo = 0; C.mk = 0; C.newer = 0; C.e = 0; C.told = 0;
        c_code { MEC.cut = FAR; };
        if
        :: C.reread || IS(RECONNECTED) -> c_code { reread(Pclient->me); }
        :: else
        fi;
        C.fn = R.nonce;
        if
        :: C.ahead -> goto ahead
        :: else
        fi;
        if
        :: IS(TO_HELP_FIRST) ->
            C.ret = TO_HELP; C.to = R.gen;
            c_code { MEC.todo = members(&MER); };
            goto fence
        :: else
        fi;
        c_code { ghost_use(ME); };
        if
        :: C.op == OP_WRITE -> goto write
        :: C.op == OP_TRUNC -> goto truncate
        :: C.op == OP_EXTEND -> goto stat
        :: C.op == OP_APPEND -> C.f = 15; goto append
        :: C.op == OP_SETTLE -> goto settle
        :: C.op == OP_FSYNC -> goto fsync
        :: C.op == OP_STAT -> goto stat
        :: C.op == OP_READ -> goto read
        :: C.op == OP_STRAY -> goto stray
        fi
    }

ahead: /* someone fenced and did not publish */
    atomic {
        DIE;
        C.ahead = 0;
        if
        :: IS(mut == M_NO_AHEAD)
        :: else ->
            c_code {
                if (MEC.hgen == MER.gen && mut != M_AHEAD_FORGETS)
                    MER.size = larger(MER.size, MEC.hwm);
            };
            c_code { MER.gen++; MEC.rc = guard_publish(ME); };
            if
            :: C.rc == R_OLD -> C.reread = 1
            :: else -> C.tries++
            fi
        fi;
        goto again
    }

    /* ---- write ---------------------------------------------------------- */
write:
    atomic {
        DIE;
        if
        :: C.arg == 0 ->
            RC(guard_check_base(ME));
            if
            :: C.rc == R_OK -> C.infl = 1; goto land
            :: else -> C.reread = 1; goto again
            fi
        :: C.arg > 0 && R.next == 0 -> goto grow
        :: C.arg > 0 && R.next > 0 && !R.dirty && IS(mut != M_NO_DIRTY) ->
            R.dirty = 1;
            RC(guard_publish(ME));
            if
            :: C.rc == R_OK -> goto write
            :: else -> C.reread = 1; goto again
            fi
        :: else
        fi;
        c_code {
            MEC.i = home(&MER, MEC.arg);
            MEC.rc = guard_check_gen(ME, MEC.i);
            if (MEC.rc == R_OK && (now.filled >> MEC.i & 1) &&
                !portion(MER.nonce, MEC.i)->d[MEC.arg])
                MEC.rc = R_FULL;
            if (MEC.rc == R_OK)
                MEC.infl = 1 + pid_of(MER.nonce, MEC.i);
        };
        if
        :: C.rc == R_OK -> goto land
        :: C.rc == R_OLD ->
            C.refused = 1; C.refgen = R.gen; C.reread = 1; goto again
        :: C.rc == R_STALE -> C.reread = 1; goto again
        :: C.rc == R_BEHIND ->
            C.todo = 1 << C.i; C.to = R.gen; C.ret = TO_AGAIN; goto fence
        :: C.rc == R_LOST -> goto failed
        :: C.rc == R_DOWN || C.rc == R_FULL -> C.f = C.arg; goto append
        fi
    }

land: /* let through by the guard, not done yet */
    atomic {
        DIE;
        if
        :: C.infl == 0 -> /* the brick went away meanwhile */
            if
            :: C.op == OP_WRITE -> C.f = C.arg; goto append
            :: else -> goto failed
            fi
        :: C.infl == 1 -> based[C.arg] = C.val
        :: C.infl > 1 -> p[C.infl - 2].d[C.arg] = C.val
        fi;
        C.infl = 0;
        c_code { wrote(Pclient->me); };
        goto ok
    }

stray:
    atomic {
        DIE;
        if
        :: r[0].next > 0 -> goto failed
        :: else -> C.infl = 1; goto land
        fi
    }

    /* ---- grow ------------------------------------------------------------ */
grow:
    atomic {
        DIE;
        if
        :: nonces == 3 -> goto failed
        :: else
        fi;
        nonces++;
        c_code {
            int i;
            MEC.s = now.nonces;
            for (i = 0; i < wk->bricks && !(reach(ME, i) && !stale(ME, i) &&
                                            !(now.filled >> i & 1));)
                i++;
            MEC.i = i;
            if (i < wk->bricks)
                portion(MEC.s, i)->gen = MER.gen + 1;
        };
        if
        :: IS(MEC.i >= wk->bricks) -> goto failed
        :: IS(WHOLE) -> goto fill
        :: else
        fi
    }
    atomic {
        IS(BASE_DRAINED);
        DIE;
        if
        :: IS(BASE_TOO_LARGE) ->
            p[(C.s - 1) * 3 + C.i].gen = 0;
            goto failed
        :: else
        fi;
        c_code {
            MER.gen++;
            MER.dirty = 1;
            MER.nonce = MEC.s;
            MER.size = base_size();
            clips_clear(&MER);
            extent_append(&MER, 1, 1 << MEC.i);
            MEC.rc = guard_publish(ME);
            if (MEC.rc != R_OK)
                portion(MEC.s, MEC.i)->gen = 0;
        };
        if
        :: C.rc != R_OK -> C.reread = 1
        :: else
        fi;
        goto again
    }

fill: /* the portion that no record names yet gets the bytes */
    atomic {
        DIE;
        if
        :: IS(NEW_REACHED) -> c_code { portion(MEC.s, MEC.i)->d[MEC.arg] = MEC.val; }
        :: else -> p[(C.s - 1) * 3 + C.i].gen = 0; C.reread = 1; goto again
        fi
    }
    atomic {
        IS(BASE_DRAINED);
        DIE;
        C.rc = R_OLD;
        if
        :: IS(BASE_TOO_LARGE)
        :: else ->
            c_code {
                MER.gen++;
                MER.dirty = 0;
                MER.nonce = MEC.s;
                MER.size = MEC.arg + 1;
                clips_clear(&MER);
                extent_append(&MER, 1, 1 << MEC.i);
                MEC.rc = guard_publish(ME);
            }
        fi;
        if
        :: C.rc == R_OK -> c_code { wrote(Pclient->me); }; goto ok
        :: else -> c_code { memset(portion(MEC.s, MEC.i), 0, sizeof(struct por)); }
        fi;
        C.reread = 1;
        if
        :: IS(BASE_TOO_LARGE) -> goto failed
        :: else -> goto again
        fi
    }

    /* ---- fence: every brick of todo to gen "to" ------------------------- */
fence:
    atomic {
        DIE;
        if
        :: C.todo == 0 -> goto fenced
        :: C.todo & 1 -> C.i = 0
        :: C.todo & 2 -> C.i = 1
        :: C.todo & 4 -> C.i = 2
        fi;
        C.todo = C.todo & ~(1 << C.i);
        if
        :: IS(!BRICK_REACHED) -> C.silent = C.silent | (1 << C.i); goto fence
        :: IS(BRICK_STALE) -> C.rc = R_STALE; goto fenced
        :: else
        fi;
        /* One that has the record's generation need not be asked: a fence from
         * there is the same, and one that is refused has changed nothing. */
        c_code {
            MEC.from = portion(MEC.fn, MEC.i)->gen;
            if (mut == M_TOLD_BEFORE)
                told_one(ME, MEC.i);
        }
    }
    atomic {
        IS(PORTION_DRAINED);
        DIE;
        RC(guard_fence(ME, MEC.i));
        C.from = 0;
        if
        :: C.rc == R_OK
        :: C.rc == R_STALE -> goto fenced
        :: C.rc == R_DOWN -> C.silent = C.silent | (1 << C.i)
        :: C.rc == R_BEHIND -> C.todo = C.todo | (1 << C.i)
        :: C.rc == R_OLD ->
            if
            :: C.ret == TO_TRUNC /* has had our cut */
            :: else -> goto fenced
            fi
        fi;
        goto fence
    }
fenced:
    atomic {
        C.i = 0; C.from = 0;
        if
        :: (C.rc == R_OLD || C.rc == R_STALE) && C.ret != TO_TRUNC ->
            if
            :: C.rc == R_OLD -> C.refused = 1; C.refgen = R.gen
            :: else
            fi;
            C.reread = 1; C.rc = 0; goto again
        :: C.rc == R_STALE && C.ret == TO_TRUNC -> C.rc = 0; goto recut
        :: else -> C.rc = 0
        fi;
        if
        :: C.ret == TO_AGAIN ->
            if
            :: C.silent -> goto again
            :: else -> C.tries++; goto again
            fi
        :: C.ret == TO_SETTLE -> goto glimpse
        :: C.ret == TO_TRUNC -> goto cut
        :: C.ret == TO_INLINE -> goto commit
        :: C.ret == TO_HELP ->
            c_code { MEC.helped = MER.cg[MER.nclip - 1]; };
            C.tries++;
            goto again
        :: C.ret == TO_APPEND -> goto glimpse
        :: C.ret == TO_MEMBERS -> goto prepared
        fi
    }

    /* ---- glimpse --------------------------------------------------------- */
glimpse:
    atomic { DIE; C.gsil = C.silent; C.silent = 0;
        c_code { MEC.e = larger(larger(MEC.e, MER.size), 1); glimpse_one(ME, 0); } }
    atomic { DIE; c_code { glimpse_one(ME, 1); } }
    atomic {
        DIE;
        c_code { if (wk->bricks > 2) glimpse_one(ME, 2); };
        if
        :: C.ret == TO_SETTLE -> goto settle2
        :: C.ret == TO_APPEND -> goto append2
        :: C.ret == TO_STAT -> goto stat2
        fi
    }

    /* ---- settle, fsync --------------------------------------------------- */
fsync:
    atomic {
        if
        :: R.next == 0 || C.mine == 0 || C.werr -> goto settle
        :: (C.hgen != R.gen && IS(mut != M_HWM_ANY_GEN)) || !R.dirty -> goto settle
        :: else
        fi;
        c_code { MER.size = larger(MER.size, MEC.hwm); };
        RC(guard_publish(ME));
        if
        :: C.rc == R_OK -> goto ok
        :: else -> C.reread = 1; goto again
        fi
    }
settle:
    atomic {
        if
        :: C.werr -> goto failed
        :: !C.werr && (R.next == 0 || !R.dirty) -> goto ok
        :: else
        fi;
        C.ret = TO_SETTLE;
        C.to = R.gen + 1;
        c_code { MEC.todo = members(&MER); };
        if
        :: IS(mut == M_SETTLE_NO_FENCE) -> C.todo = 0; goto glimpse
        :: else -> goto fence
        fi
    }
settle2:
    atomic {
        DIE;
        c_code {
            int ok = !could_hold(ME) || mut == M_SETTLE_SILENT_CLEAN;
            int own = larger(MEC.e, MEC.hgen == MER.gen ? MEC.hwm : 0);
            MEC.e = mut == M_SETTLE_FORGETS ? MEC.e : own;
            MER.gen++;
            MER.dirty = MEC.op == OP_FSYNC || !ok;
            MER.size = MEC.e;
            if (!MEC.gsil || mut == M_SETTLE_CLIP_LEAVES)
                clips_clear(&MER);
            /* what I wrote may be where I cannot look */
            if (!ok && MEC.mine >> own && mut != M_SETTLE_SILENT_OK)
                MEC.werr = 1;
            MEC.rc = guard_publish(ME);
        };
        if
        :: C.rc != R_OK -> C.werr = 0; C.reread = 1; goto again
        :: C.rc == R_OK && C.werr -> goto failed
        :: else -> goto ok
        fi
    }

    /* ---- truncate -------------------------------------------------------- */
truncate:
    atomic {
        C.s = 0;
        if
        :: R.next == 0 && C.arg > 0 -> goto failed
        :: R.next == 0 && C.arg == 0 -> goto cutbase
        :: R.next > 0 && C.arg == 0 && IS(mut == M_INLINE_AT_ONCE) -> goto unspread
        :: R.next > 0 && IS(FENCES_FIRST) ->
            /* writers wait for a publication, and stale ones are refused */
            C.ret = TO_INLINE; C.to = R.gen + 1; C.silent = 0;
            c_code { MEC.todo = members(&MER); };
            goto fence
        :: else -> goto commit
        fi
    }
commit:
    atomic {
        DIE;
        C.silent = 0;
        c_code {
            int k, size = MEC.arg ? MEC.arg : 1;
            MER.gen += mut == M_TRUNC_NEXT_GEN ? 1 : 2;
            MER.size = size;
            MER.dirty = 0;
            k = mut == M_NO_CLIP || clip_add(&MER, MER.gen, size);
            MEC.rc = k ? guard_publish(ME) : R_DOWN;
        };
        if
        :: C.rc == R_DOWN -> C.reread = 1; goto failed
        :: C.rc == R_OLD -> C.reread = 1; goto again
        :: C.rc == R_OK && C.arg > 0 -> C.published = 1; goto cutall
        :: C.rc == R_OK && C.arg == 0 -> C.published = 1; goto unspread
        fi
    }
cutall:
    atomic {
        DIE;
        C.to = R.gen; C.fn = R.nonce; C.ret = TO_TRUNC; C.silent = 0;
        c_code {
            MEC.todo = members(&MER);
            if (mut == M_NO_CLIP)
                MEC.cut = MEC.arg ? MEC.arg : 1;
        };
        goto fence
    }
recut: /* a brick came back meanwhile: with the record of now */
    atomic {
        DIE;
        c_code { reread(Pclient->me); };
        if
        :: R.next == 0 -> goto ok
        :: else -> goto cutall
        fi
    }
cut: /* all that can be reached have it */
    atomic {
        DIE;
        C.s = 0;
        c_code { MEC.helped = MER.nclip ? MER.cg[MER.nclip - 1] : 0; };
        if
        :: C.silent && IS(mut != M_CLIP_LEAVES_EARLY) -> goto ok
        :: else
        fi;
        /* all members there are have it: the clips have done their work */
        c_code { clips_clear(&MER); };
        RC(guard_publish(ME));
        if
        :: C.rc == R_OLD -> C.reread = 1
        :: else
        fi;
        goto ok
    }
unspread:
    atomic {
        DIE;
        if
        :: C.published && IS(RECONNECTED) -> C.reread = 1; goto again
        :: else
        fi;
        c_code {
            MER.gen += 2;
            clips_clear(&MER);
            while (MER.next) {
                MER.next--;
                MER.est[MER.next] = MER.em[MER.next] = 0;
            }
            MER.nonce = MER.size = MER.dirty = 0;
            /* whoever has published since is a writer, perhaps */
            if (mut == M_INLINE_OVER_DIRTY && MER.gen == now.r[0].gen + 2)
                MER.seq = now.r[0].seq;
            MEC.rc = guard_publish(ME);
        };
        if
        :: C.rc != R_OK -> C.reread = 1; goto again
        :: else
        fi
    }
cutbase:
    atomic {
        DIE;
        RC(guard_check_base(ME));
        if
        :: C.rc != R_OK -> c_code { reread(Pclient->me); }; goto cutbase
        :: else
        fi;
        based[0] = 0;
        c_code {
            if (!MER.next)
                now.based[1] = now.based[2] = now.based[3] = 0;
        };
        goto ok
    }

    /* ---- append ---------------------------------------------------------- */
append:
    atomic {
        DIE;
        if
        :: R.next == 0 || R.next == 4 -> goto failed
        :: else
        fi;
        C.ret = TO_APPEND; C.to = R.gen + 1; C.silent = 0; C.gsil = 0;
        c_code { MEC.todo = members(&MER); };
        if
        :: IS(mut == M_APPEND_NO_FENCE) -> C.todo = 0; goto glimpse
        :: else -> goto fence
        fi
    }
append2:
    atomic {
        DIE;
        c_code {
            int i, b, h;
            if (MEC.hgen == MER.gen)
                MEC.e = larger(MEC.e, MEC.hwm);
            MEC.s = MEC.f < MEC.e ? MEC.f : MEC.e;
            MEC.m = 0;
            for (i = 0; i < wk->bricks; i++)
                if (reach(ME, i) && !stale(ME, i) && !(now.filled >> i & 1) &&
                    !(MEC.gsil >> i & 1))
                    MEC.m |= 1 << i;
            MEC.rc = MEC.m ? R_OK : R_DOWN;
            for (b = MEC.s; b < MEC.e; b++) {
                h = home(&MER, b);
                if (b != MEC.f && (MEC.gsil >> h & 1) &&
                    mut != M_COPY_IGNORES_SILENT)
                    MEC.rc = R_DOWN;
            }
            if (MEC.s >= NB && MEC.op == OP_APPEND)
                MEC.rc = R_DOWN;
            MEC.todo = MEC.mk = MEC.m & ~members(&MER);
            MEC.pre = MEC.s;
        };
        if
        :: C.rc == R_DOWN -> C.reread = 1; goto failed
        :: else
        fi;
        C.ret = TO_MEMBERS;
        goto fence
    }
prepared: /* members are there; now the tail */
    atomic {
        DIE;
        C.mk = 0;
        if
        :: C.silent -> C.reread = 1; goto again
        :: else
        fi;
        if
        :: IS(mut == M_APPEND_CLIP_START) -> C.to = C.to + 1;
            c_code { MEC.cut = MEC.s; MEC.todo = MEC.m; MEC.fn = MER.nonce; };
            C.ret = TO_PUBLISH
        :: else
        fi
    }
    do
    :: C.todo == 0 -> break
    :: else -> atomic {
        DIE;
        if
        :: C.todo & 1 -> C.i = 0
        :: C.todo & 2 -> C.i = 1
        :: C.todo & 4 -> C.i = 2
        fi;
        C.todo = C.todo & ~(1 << C.i);
        c_code { MEC.from = portion(MEC.fn, MEC.i)->gen; (void)guard_fence(ME, MEC.i); };
        C.from = 0
        }
    od;
copy:
    atomic {
        DIE;
        c_code { MEC.cut = FAR; };
        if
        :: C.pre >= C.e -> goto publish
        :: else
        fi;
        c_code { /* read at its present home */
            int h = home(&MER, MEC.pre);
            MEC.rc = R_OK;
            if (MEC.pre == MEC.f)
                MEC.x = mut == M_COPY_NOT_OWN ? 0 : MEC.val;
            else if (!reach(ME, h) || stale(ME, h) ||
                     portion(MER.nonce, h)->gen != MER.gen + 1)
                MEC.rc = mut == M_COPY_IGNORES_SILENT ? R_OK : R_DOWN, MEC.x = 0;
            else
                MEC.x = portion(MER.nonce, h)->d[MEC.pre];
        };
        if
        :: C.rc != R_OK -> C.reread = 1; goto again
        :: else
        fi
    }
    atomic {
        DIE;
        c_code { /* write at its new one */
            rec_t new = MER;
            int h;
            struct por *q;
            extent_append(&new, MEC.s, MEC.m);
            h = home(&new, MEC.pre);
            q = portion(MER.nonce, h);
            MEC.rc = R_OK;
            if (!reach(ME, h) || stale(ME, h) || q->gen != MER.gen + 1)
                MEC.rc = R_DOWN;
            else if ((now.filled >> h & 1) && !q->d[MEC.pre] && MEC.x)
                MEC.rc = R_DOWN;
            else if (mut != M_COPY_NOT_OWN || MEC.pre != MEC.f)
                q->d[MEC.pre] = MEC.x;
            MEC.x = 0;
            MEC.pre++;
        };
        if
        :: C.rc != R_OK -> C.reread = 1; goto again
        :: else -> goto copy
        fi
    }
publish:
    atomic {
        DIE;
        c_code {
            rec_t old = MER;
            extent_append(&MER, MEC.s, MEC.m);
            MER.gen += mut == M_COPY_SAME_GEN ? 1 : 2;
            MER.size = larger(MER.size, MEC.e);
            MER.dirty = 1;
            MEC.rc = guard_publish(ME);
            if (MEC.rc == R_OK)
                MEC.x = ghost_hide(ME, &old);
        };
        assert(C.x == 0);
        if
        :: C.rc != R_OK -> C.reread = 1; goto again
        :: C.rc == R_OK && C.op == OP_APPEND -> goto ok
        :: C.rc == R_OK && C.op != OP_APPEND -> goto again
        fi
    }

    /* ---- stat, extend, read ---------------------------------------------- */
stat:
    atomic {
        if
        :: R.next == 0 && C.op == OP_EXTEND -> goto failed
        :: R.next == 0 && C.op == OP_STAT ->
            c_code { MEC.e = base_size(); };
            goto exact
        :: R.next > 0 && !R.dirty -> C.e = R.size; goto stat2
        :: R.next > 0 && R.dirty -> C.ret = TO_STAT; C.silent = 0; goto glimpse
        fi
    }
stat2:
    atomic {
        DIE;
        if
        :: C.op == OP_EXTEND ->
            if
            :: C.newer -> C.newer = 0; C.reread = 1; C.refused = 1; C.refgen = R.gen; goto again
            :: C.e > C.arg -> goto failed
            :: else
            fi;
            R.size = C.arg;
            RC(guard_publish(ME));
            if
            :: C.rc == R_OK -> goto ok
            :: else -> C.reread = 1; goto again
            fi
        :: else
        fi;
        if
        :: R.dirty && C.newer && R.gen != r[0].gen -> C.reread = 1; goto again
        :: R.dirty && IS(SIZE_NOT_EXACT) -> goto failed /* a lower bound */
        :: else
        fi
    }
exact:
    atomic {
        c_code { if (MEC.e < 1) MEC.e = 1; };
        assert(C.e >= C.lo);
        assert(C.e <= C.hi);
        goto ok
    }
read:
    atomic {
        DIE;
        C.rc = 0;
        if
        :: C.arg == 0 || R.next == 0 ->
            RC(guard_check_base(ME));
            c_code { MEC.x = now.based[MEC.arg]; }
        :: else ->
            c_code {
                MEC.i = home(&MER, MEC.arg);
                MEC.rc = guard_check_gen(ME, MEC.i);
                if (MEC.rc == R_OK)
                    MEC.x = portion(MER.nonce, MEC.i)->d[MEC.arg];
            }
        fi;
        if
        :: C.rc == R_OK ->
            c_code { MEC.rc = allowed(MEC.x, MEC.seen); MEC.x = 0; };
            assert(C.rc);
            goto ok
        :: C.rc == R_OLD ->
            if
            :: C.arg > 0 -> C.refused = 1; C.refgen = R.gen
            :: else
            fi;
            C.reread = 1; goto again
        :: C.rc == R_STALE -> C.reread = 1; goto again
        :: C.rc == R_BEHIND ->
            C.todo = 1 << C.i; C.to = R.gen; C.ret = TO_AGAIN; goto fence
        :: C.rc == R_DOWN -> goto failed /* EIO: reported */
        :: C.rc == R_LOST -> assert(false)
        fi
    }

ok:
    atomic {
        if
        :: C.op == OP_FSYNC || C.op == OP_SETTLE ->
            c_code { MEC.rc = sync_is_true(ME); };
            assert(C.rc);
            c_code { synced(ME, 1); }
        :: else
        fi;
        c_code { ghost_end(Pclient->me, 1); };
        goto next
    }
failed:
    atomic {
        if
        :: C.op == OP_FSYNC || C.op == OP_SETTLE -> c_code { synced(ME, 0); }
        :: else
        fi;
        /* gave up after its publication: as one that died there */
        c_code { ghost_die(ME); ghost_end(Pclient->me, 0); };
        goto next
    }
dead:
    atomic {
        c_code { MEC.infl = 0; ghost_die(ME); ghost_end(Pclient->me, 0); }
    }
fin:
    atomic {
        c_code {
            int pc = 0;
            memset(&MEC, 0, sizeof(MEC));
            memset(&MER, 0, sizeof(MER));
        };
        running--
    }
}

/* a brick goes away and comes back; another runs full */
proctype bricks()
{
end:
    do
    :: atomic {
        !calm && drops > 0 && c_expr { DROPPABLE } ->
        drops--;
        if
        :: c_expr { DROPPABLE_0 } -> up = up & ~1
        :: c_expr { DROPPABLE_1 } -> up = up & ~2
        :: c_expr { DROPPABLE_2 } -> up = up & ~4
        fi;
        c_code {
            int c, i;
            for (c = 1; c < NC; c++) {
                now.cl[c].conn &= now.up;
                i = now.cl[c].infl;
                if (i > 1 && !(now.up >> (i - 2) % NM & 1))
                    now.cl[c].infl = 0;
            }
            trace(0, "drop", 0);
        }
       }
    :: atomic {
        !calm && c_expr { SOME_DOWN } ->
        c_code {
            int c;
            for (c = 1; c < NC; c++)
                now.cl[c].stale |= ((1 << wk->bricks) - 1) & ~now.up;
            now.up = (1 << wk->bricks) - 1;
            trace(0, "return", 0);
        }
       }
    :: atomic {
        !calm && fills > 0 -> fills--; c_code { now.filled = wk->fill; }
       }
    :: calm -> break
    od
}

init {
    atomic {
        c_code {
            int b;
            rec_t *r0 = &now.r[0];
            now.up = (1 << wk->bricks) - 1;
            now.deaths = wk->deaths;
            now.drops = wk->drops;
            now.fills = !!wk->fill;
            for (b = 0; b < NB; b++) {
                now.acc[b] = 1;
                now.ended[b] = 1;
            }
            if (wk->initial) {
                now.nonces = 1;
                r0->seq = r0->gen = r0->nonce = r0->next = 1;
                r0->size = 2;
                r0->est[0] = 1;
                r0->em[0] = wk->initial == 1 ? 1 : 3;
                now.p[0].gen = now.p[1].gen = 1;
                if (wk->initial == 1)
                    now.p[1].gen = 0;
                now.p[0].d[1] = 7;
                now.acc[1] = now.ended[1] = 1 << 7;
                now.synced = 2;
            }
            for (b = 1; b < NC; b++) {
                now.r[b] = *r0; /* all have looked */
                now.cl[b].conn = now.up;
            }
        };
        running = 3;
        run client(1);
        run client(2);
        run client(3);
        run bricks()
    }
    atomic {
        running == 0;
        calm = 1;
        filled = 0;
        running = 1;
        c_code { memset(now.cl, 0, sizeof(now.cl)); };
        if
        :: true -> c_code { now.up = (1 << wk->bricks) - 1; } /* all are back */
        :: c_expr { SOME_DOWN } /* or not */
        fi;
        c_code { now.cl[4].conn = now.up; };
        run client(4)
    }
    running == 0
}
