/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-model.h - the data half of the protocol model: what is in a record,
 * what a guard answers, what the truth is. allot.pml has the steps.
 *
 * Everything here works on the model's state ("now") and is one indivisible
 * act of one guard or of one client. It deliberately knows nothing of the
 * order in which the acts happen.
 *
 * The truth (ghost state) is kept per block: acc[] is the set of values that
 * a read may return. A bit each:
 *
 *     0      never written        1..7   the value of a write
 *     8+c    cut off by client c's truncation (absent)
 *     12+c   zeros inside the file, by client c's size change
 *
 * A change that starts adds its bit. One that is acknowledged removes the
 * bits of everything that had ended before it started. One that fails or
 * dies removes nothing: it may or may not have happened.
 */

#define NB 4   /* blocks of the file; block 0 is the inline part */
#define NM 3   /* bricks */
#define NC 5   /* records: 0 the base's, 1..3 clients', 4 the checker's */
#define NE 4   /* extents of a record */
#define NK 2   /* clips of a record */
#define FAR 15 /* a size or offset past everything */
#define NOWHERE 7

#define ABSENT 0x0f01
#define ZEROS 0xff01

typedef struct rec rec_t;

/* ---- configuration: constant during a run, so not part of the state ----- */

struct op {
    unsigned char kind, arg;
};

struct work {
    const char *name;
    int initial;            /* 0 plain, 1 head on brick 0, 2 bricks 0 and 1 */
    int bricks;             /* bricks in use */
    int drops;              /* how often a brick may go away */
    int dropmask;           /* which */
    int fill;               /* which brick may run full (mask) */
    int deaths;             /* clients that may die ... */
    int mortal;             /* ... of these (mask, bit 1 is client 1) */
    int tail;               /* the checker appends an extent before reading */
    int lag;                /* clients reconnect one by one */
    int whole;              /* the write that grows it is done before */
    int gated;              /* truncations fence first: a write cut back */
    struct op script[4][4]; /* [client][step]; client 0 unused */
};

#include "allot-work.h"

static int mut;
static const struct work *wk;

static void __attribute__((constructor)) configure(void)
{
    const char *s = getenv("ALLOT_WORK");
    const char *m = getenv("ALLOT_MUTANT");
    unsigned i;

    wk = &works[0];
    for (i = 0; s && i < sizeof(works) / sizeof(works[0]); i++)
        if (!strcmp(works[i].name, s))
            wk = &works[i];
    if (s && strcmp(wk->name, s)) {
        fprintf(stderr, "no such workload: %s\n", s);
        exit(2);
    }
    for (i = 0; m && i < sizeof(mutants) / sizeof(mutants[0]); i++)
        if (!strcmp(mutants[i], m))
            mut = (int)i;
    if (m && strcmp(mutants[mut], m)) {
        fprintf(stderr, "no such mutant: %s\n", m);
        exit(2);
    }
}

/* with ALLOT_TRACE set, "pan -r" tells the acts of a trail and what they left
 */
static void
trace(int me, const char *act, int arg)
{
    int i;

    if (!getenv("ALLOT_TRACE"))
        return;
    printf("@ %d %-9s %2d  knows seq %d gen %d | base seq %d gen %d%s size %d",
           me, act, arg, now.r[me].seq, now.r[me].gen, now.r[0].seq,
           now.r[0].gen, now.r[0].dirty ? " DIRTY" : "", now.r[0].size);
    for (i = 0; i < now.r[0].next; i++)
        printf(" ext %d:%x", now.r[0].est[i], now.r[0].em[i]);
    for (i = 0; i < now.r[0].nclip; i++)
        printf(" clip %d:%d", now.r[0].cg[i], now.r[0].cs[i]);
    printf(" | up %x |", now.up);
    for (i = 0; i < 3 * NM; i++)
        if (now.p[i].gen)
            printf(" p%d.%d gen %d [%d%d%d]", i / NM + 1, i % NM, now.p[i].gen,
                   now.p[i].d[1], now.p[i].d[2], now.p[i].d[3]);
    printf(" | acc %x %x %x\n", now.acc[1] & 0xffff, now.acc[2] & 0xffff,
           now.acc[3] & 0xffff);
}

/* ---- records ------------------------------------------------------------ */

static int
members(const rec_t *r)
{
    int e, m = 0;
    for (e = 0; e < r->next; e++)
        m |= r->em[e];
    return m;
}

/* which brick has block b; bricks of an extent take turns */
static int
home(const rec_t *r, int b)
{
    int e = r->next, n = 0, k, i;

    while (e > 0 && r->est[e - 1] > b)
        e--;
    if (e == 0)
        return NOWHERE;
    e--;
    for (i = 0; i < NM; i++)
        n += r->em[e] >> i & 1;
    k = (b - r->est[e]) % n;
    for (i = 0; i < NM; i++)
        if ((r->em[e] >> i & 1) && k-- == 0)
            return i;
    return NOWHERE;
}

/* end of the last extent that has this brick; bytes past it on the brick
 * belong to nobody */
static int
mapped_end(const rec_t *r, int brick)
{
    int e = r->next;

    while (e > 0 && !(r->em[e - 1] >> brick & 1))
        e--;
    if (e == 0)
        return 0;
    return e == r->next ? FAR : r->est[e];
}

static int
clip_for(const rec_t *r, int gen)
{
    int i, s = FAR;

    if (mut == M_SINGLE_CLIP) { /* only the newest is known */
        i = r->nclip - 1;
        return i >= 0 && gen < r->cg[i] ? r->cs[i] : FAR;
    }
    for (i = 0; i < r->nclip; i++)
        if (gen < r->cg[i] && r->cs[i] < s)
            s = r->cs[i];
    return s;
}

static int
clip_add(rec_t *r, int gen, int size)
{
    int n = r->nclip, i;

    while (n > 0 && r->cs[n - 1] >= size)
        n--;
    if (n == NK)
        return 0;
    for (i = n; i < NK; i++)
        r->cg[i] = r->cs[i] = 0;
    r->cg[n] = gen;
    r->cs[n] = size;
    r->nclip = n + 1;
    return 1;
}

static void
clips_clear(rec_t *r)
{
    r->nclip = 0;
    memset(r->cg, 0, sizeof(r->cg));
    memset(r->cs, 0, sizeof(r->cs));
}

static void
extent_append(rec_t *r, int start, int mask)
{
    while (r->next > 0 && r->est[r->next - 1] >= start) {
        r->next--;
        r->est[r->next] = r->em[r->next] = 0;
    }
    r->est[r->next] = start;
    r->em[r->next] = mask;
    r->next++;
}

/* ---- reaching things ---------------------------------------------------- */

static int
reach(int me, int brick)
{
    if (!(now.up >> brick & 1))
        return 0;
    return !wk->lag || (now.cl[me].conn >> brick & 1);
}

static int
stale(int me, int brick)
{
    return mut != M_NO_REREAD && (now.cl[me].stale >> brick & 1);
}

static struct por *
portion(int nonce, int brick)
{
    return &now.p[(nonce ? nonce - 1 : 0) * NM + brick];
}

static int
st_size(const struct por *p)
{
    int b = NB;
    while (b > 0 && !p->d[b - 1])
        b--;
    return b;
}

static int
base_size(void)
{
    int b = NB;
    while (b > 1 && !now.based[b - 1])
        b--;
    return b;
}

/* nobody is between "let through" and "done" on this portion (or base: 0) */
static int
drained(int what)
{
    int c;
    if (what ? mut == M_FENCE_NO_DRAIN : mut == M_PUBLISH_NO_DRAIN)
        return 1;
    for (c = 1; c < NC; c++)
        if (now.cl[c].infl == what + 1)
            return 0;
    return 1;
}

static int
pid_of(int nonce, int brick)
{
    return 1 + (nonce ? nonce - 1 : 0) * NM + brick;
}

/* how long a portion is: with the fence that raises it (told), or asked for */
static void
measure_one(int me, int brick)
{
    struct cli *c = &now.cl[me];
    int end = mapped_end(&now.r[me], brick);
    int size = st_size(portion(now.r[me].nonce, brick));

    if (size > end && mut != M_NO_GLIMPSE_CAP)
        size = end;
    c->e = size > c->e ? size : c->e;
    trace(me, "measure", c->e);
}

/* an answer to a fence brings it, where a glimpse is next */
static void
told_one(int me, int brick)
{
    struct cli *c = &now.cl[me];

    if ((c->ret != TO_SETTLE && c->ret != TO_APPEND) ||
        !(members(&now.r[me]) >> brick & 1))
        return;
    c->told |= 1 << brick;
    measure_one(me, brick);
}

/* ---- the guard ---------------------------------------------------------- */

static int
guard_check_gen(int me, int brick)
{
    struct por *p = portion(now.r[me].nonce, brick);

    if (!reach(me, brick))
        return R_DOWN;
    if (stale(me, brick))
        return R_STALE;
    if (!p->gen)
        return R_LOST;
    if (now.r[me].gen < p->gen)
        return R_OLD;
    if (now.r[me].gen > p->gen && mut != M_NO_BEHIND)
        return R_BEHIND;
    return R_OK;
}

static int
guard_check_base(int me)
{
    if (now.r[me].gen < now.r[0].gen)
        return R_OLD;
    return now.r[me].gen > now.r[0].gen ? R_BEHIND : R_OK;
}

/* r[me] is what is to be published, its seq what it is to replace */
static int
guard_publish(int me)
{
    if (now.r[me].seq != now.r[0].seq && mut != M_NO_COMPARE)
        return R_OLD;
    now.r[me].seq = now.r[0].seq + 1;
    if (now.cl[me].op == OP_TRUNC)
        now.cl[me].keep = 0;
    if (now.cl[me].keep && now.cl[me].kgen == now.r[0].gen)
        now.cl[me].kgen = now.r[me].gen;
    now.r[0] = now.r[me];
    trace(me, "publish", now.cl[me].op);
    return R_OK;
}

static int
guard_fence(int me, int brick)
{
    struct cli *c = &now.cl[me];
    struct por *p = portion(c->fn, brick);
    int b, cut, end;

    if (!reach(me, brick))
        return R_DOWN;
    if (stale(me, brick))
        return R_STALE;
    if (p->gen > c->to)
        return R_OLD;
    if (p->gen == c->to)
        return R_OK;
    if (!p->gen) {
        if (!(c->mk >> brick & 1))
            return R_DOWN; /* a lost member */
        p->gen = c->to;
        trace(me, "create", brick);
        return R_OK;
    }
    if (p->gen != c->from && mut != M_NO_FROM)
        return R_BEHIND;
    cut = clip_for(&now.r[me], mut == M_NO_FROM ? c->from : p->gen);
    end = mapped_end(&now.r[me], brick);
    if (end < cut && mut != M_NO_MAPPED_CUT)
        cut = end;
    if (c->cut < cut)
        cut = c->cut;
    for (b = cut; b < NB; b++)
        p->d[b] = 0;
    p->gen = c->to;
    trace(me, "fence", brick);
    if (mut != M_TOLD_BEFORE)
        told_one(me, brick);
    return R_OK;
}

/* ---- the truth ---------------------------------------------------------- */

static int
bits(int c, int b, int absent)
{
    const struct cli *k = &now.cl[c];

    if (k->op == OP_WRITE || k->op == OP_STRAY)
        return b == k->arg && !absent ? 1 << k->val : 0;
    if (k->op == OP_TRUNC || k->op == OP_EXTEND) {
        if (b >= k->arg)
            return absent ? 1 << (8 + c % 4) : 0;
        return b == k->arg - 1 && !absent ? 1 << (12 + c % 4) : 0;
    }
    return 0;
}

static int
changes(int c)
{
    int k = now.cl[c].op;
    return k == OP_WRITE || k == OP_STRAY || k == OP_TRUNC || k == OP_EXTEND;
}

static int
low(void)
{
    int b = NB;
    while (b > 1 && (now.acc[b - 1] & ABSENT))
        b--;
    return b;
}

static int
high(void)
{
    int b = NB;
    while (b > 1 && !(now.acc[b - 1] & ~ABSENT & 0xffff))
        b--;
    return b;
}

/* someone who looks on sees every state of the truth while he looks */
static void
watch(void)
{
    int c, b;
    for (c = 1; c < NC; c++) {
        if (now.cl[c].op == OP_STAT) {
            if (low() < now.cl[c].lo)
                now.cl[c].lo = low();
            if (high() > now.cl[c].hi)
                now.cl[c].hi = high();
        } else if (now.cl[c].op == OP_READ) {
            b = now.cl[c].arg;
            now.cl[c].seen |= now.acc[b];
        }
    }
}

/* the bit of an earlier change of the same client is this change's from now on
 */
static void
begin_bit(int b, int bit)
{
    int k;

    for (k = 1; k < NC; k++)
        now.cl[k].snap[b] &= ~bit;
    now.ended[b] &= ~bit;
    now.acc[b] |= bit;
}

/* a truncater that died or gave up after its publication is not ended: it may
 * take effect as late as when someone first uses the record that it left */
static void
ghost_use(int me)
{
    int b;

    if (!now.r[me].nclip || !now.undead || now.r[me].gen < now.undeadgen)
        return;
    for (b = 0; b < NB; b++)
        now.ended[b] |= now.undead & now.acc[b];
    now.undead = 0;
    now.undeadgen = 0;
}

static void
ghost_die(int me)
{
    const struct cli *c = &now.cl[me];

    if (c->op == OP_TRUNC && c->published) {
        now.undead |= 1 << (8 + me) | 1 << (12 + me);
        now.undeadgen = now.r[me].gen;
    }
}

static void
ghost_begin(int me)
{
    struct cli *c = &now.cl[me];
    int b, k;

    c->lo = FAR;
    c->hi = 0;
    c->seen = 0;
    if (changes(me))
        for (b = 0; b < NB; b++) {
            c->snap[b] = now.acc[b] & now.ended[b];
            if (c->op == OP_WRITE || c->op == OP_STRAY) {
                now.acc[b] |= bits(me, b, 0);
            } else if (b >= c->arg) {
                begin_bit(b, bits(me, b, 1));
                now.synced &= ~(1 << b);
            } else if (b == c->arg - 1 && (now.acc[b] & ABSENT)) {
                begin_bit(b, bits(me, b, 0));
            }
        }
    /* a cut that begins while another client sets a larger size: either order
     */
    for (k = 1; k < NC; k++)
        if (now.cl[k].op == OP_TRUNC || now.cl[k].op == OP_EXTEND) {
            b = now.cl[k].arg - 1;
            if (b >= 0 && (now.acc[b] & ABSENT))
                now.acc[b] |= bits(k, b, 0);
        }
    watch();
}

static void
ghost_end(int me, int acked)
{
    struct cli *c = &now.cl[me];
    int b, z;

    acked = acked && !c->hid;
    trace(me, acked ? "end" : "failed", c->op * 10 + c->arg);

    if (changes(me))
        for (b = 0; b < NB; b++) {
            z = bits(me, b, 0) | bits(me, b, 1);
            if (!z)
                continue;
            now.ended[b] |= z & now.acc[b] & ~now.undead;
            if (!acked)
                continue;
            now.lost[b] = 0;
            if (c->op == OP_WRITE || c->op == OP_STRAY || b >= c->arg)
                now.acc[b] &= ~c->snap[b];
            else
                now.acc[b] &= ~(c->snap[b] & ABSENT);
            now.ended[b] &= now.acc[b];
        }
    watch();
    c->op = OP_END;
    c->arg = c->val = c->rc = c->lo = c->hi = c->seen = 0;
    c->todo = c->silent = c->gsil = c->from = c->to = c->mk = c->e = c->x = 0;
    c->landed = c->hid = c->published = c->f = c->s = c->m = c->i = c->newer =
        c->refused = c->refgen = 0;
    c->ahead = c->cut = c->fn = c->ret = c->tries = c->pre = c->told = 0;
    memset(c->snap, 0, sizeof(c->snap));
}

/* after the publication of an extent by me: unsynced bytes that lie hidden on
 * members that did not answer are what the protocol may lose; but not my own
 * ones, as long as nobody else has published a generation since. 1: it did */
static int
ghost_hide(int me, const rec_t *old)
{
    const rec_t *new = &now.r[me];
    int b, h, k, bad = 0;

    for (b = 1; b < NB; b++) {
        h = home(old, b);
        if (h == NOWHERE || h == home(new, b) || b < now.cl[me].s)
            continue;
        if (!(now.cl[me].gsil >> h & 1) || (now.synced >> b & 1))
            continue;
        bad |= (now.cl[me].keep >> b & 1) && b != now.cl[me].f;
        now.lost[b] |= now.acc[b] & now.ended[b] & 0xfe;
        now.acc[b] = (now.acc[b] & ~now.lost[b]) | 1; /* and never again */
        now.ended[b] |= 1;
        if (now.cl[me].mine >> b & 1)
            now.cl[me].werr = 1;
        for (k = 1; k < NC; k++) /* done, not yet acknowledged */
            if (now.cl[k].landed == b) {
                now.cl[k].hid = 1;
                now.lost[b] |= 1 << now.cl[k].val;
            }
    }
    watch();
    return bad;
}

static int
allowed(int v, int set)
{
    return v ? set >> v & 1 : !!(set & ZEROS);
}

/* ---- the client --------------------------------------------------------- */

static void
reread(int me)
{
    struct cli *c = &now.cl[me];
    rec_t old = now.r[me];
    int b;

    now.r[me] = now.r[0];
    trace(me, "reread", 0);
    if (c->stale)
        c->helped = 0;
    c->stale = 0;
    c->reread = 0;
    /* someone else gave my unsynced blocks a new home */
    for (b = 1; b < NB; b++)
        if ((c->mine >> b & 1) && home(&old, b) != home(&now.r[me], b) &&
            mut != M_NO_REPORT)
            c->werr = 1;
    if (c->kgen != now.r[me].gen)
        c->keep = c->kgen = 0;
    c->ahead = c->refused && c->refgen == now.r[me].gen;
    c->refused = c->refgen = 0;
}

static void
op_next(int me)
{
    struct cli *c = &now.cl[me];
    int kind, arg;

    if (me < 4) {
        kind = c->pc < 4 ? wk->script[me][c->pc].kind : OP_END;
        arg = kind ? wk->script[me][c->pc].arg : 0;
    } else {
        static const struct op check[] = {
            {OP_STAT, 0}, {OP_SETTLE, 0},  {OP_STAT, 0}, {OP_APPEND, 0},
            {OP_STAT, 0}, {OP_EXTEND, NB}, {OP_READ, 0}, {OP_READ, 1},
            {OP_READ, 2}, {OP_READ, 3},    {OP_END, 0}};
        if (check[c->pc].kind == OP_APPEND && !wk->tail)
            c->pc += 2;
        kind = check[c->pc].kind;
        arg = check[c->pc].arg;
    }
    if (!kind)
        return;
    c->op = kind;
    c->arg = arg;
    if (kind == OP_WRITE || kind == OP_STRAY) {
        now.values++;
        c->val = (me - 1) * 2 + 1;
        if (now.used >> c->val & 1)
            c->val++;
        now.used |= 1 << c->val;
    }
    c->pc++;
    c->tries = me < 4 ? 3 : 8;
    c->cut = FAR;
    c->f = FAR;
    c->reread |= kind != OP_WRITE && kind != OP_READ &&
                 !(kind == OP_STAT && mut == M_STAT_CACHED);
    if (me == 4)
        c->reread = 1;
    ghost_begin(me);
    trace(me, "begin", kind * 10 + arg);
}

static void
wrote(int me)
{
    struct cli *c = &now.cl[me];

    trace(me, "land", c->arg);
    if (c->op != OP_WRITE || !c->arg)
        return;
    c->landed = c->arg;
    now.lost[c->arg] &= ~(1 << c->val);
    /* into a member that the appender of a newer extent did not reach, since
     * it was just coming back: may be lost, but must be reported */
    if (wk->drops && now.r[0].next &&
        home(&now.r[0], c->arg) != home(&now.r[me], c->arg)) {
        c->hid = 1;
        now.lost[c->arg] |= 1 << c->val;
    }
    c->mine |= 1 << c->arg;
    if (c->kgen != now.r[me].gen)
        c->keep = 0;
    c->kgen = now.r[me].gen;
    c->keep |= 1 << c->arg;
    if (c->hgen != now.r[me].gen)
        c->hwm = 0;
    c->hgen = now.r[me].gen;
    if (c->arg + 1 > c->hwm)
        c->hwm = c->arg + 1;
}

/* fsync or close returned 0: what I wrote must not be among the lost */
static int
sync_is_true(int me)
{
    struct cli *c = &now.cl[me];
    int b, v;

    for (b = 1; b < NB; b++)
        for (v = (me - 1) * 2 + 1; v <= me * 2; v++)
            if ((c->mine >> b & 1) && now.lost[b] >> v & 1)
                return 0;
    return 1;
}

static void
synced(int me, int ok)
{
    struct cli *c = &now.cl[me];
    int b;

    for (b = 1; ok && b < NB; b++)
        if ((c->mine >> b & 1) && !(now.acc[b] & ABSENT))
            now.synced |= 1 << b;
    c->mine = c->keep = c->kgen = c->hwm = c->hgen = c->werr = 0;
}

static int
larger(int a, int b)
{
    return a > b ? a : b;
}

static void
glimpse_one(int me, int brick)
{
    struct cli *c = &now.cl[me];
    const struct por *p = portion(now.r[me].nonce, brick);

    if (!(members(&now.r[me]) >> brick & 1) || (c->told >> brick & 1))
        return;
    if (!reach(me, brick) || stale(me, brick) || !p->gen) {
        c->gsil |= 1 << brick;
        return;
    }
    measure_one(me, brick);
    if (p->gen > now.r[me].gen)
        c->newer = 1;
}

/* may a silent member hold bytes past e? */
static int
could_hold(int me)
{
    int i;
    for (i = 0; i < NM; i++)
        if ((now.cl[me].gsil >> i & 1) &&
            mapped_end(&now.r[me], i) > now.cl[me].e)
            return 1;
    return 0;
}

/* a record with a cut that I have not yet seen to */
static int
to_help(int me)
{
    const rec_t *r = &now.r[me];

    return r->nclip && mut != M_NO_HELP &&
           now.cl[me].helped != r->cg[r->nclip - 1];
}

/* ---- questions of allot.pml --------------------------------------------- */

/* Spin takes a parenthesis in c_expr for a side effect; these have none. */
#define ME_ (((P0 *)_this)->me)
#define CLI_ now.cl[ME_]
#define BASE_DRAINED drained(0)
#define BASE_TOO_LARGE (base_size() > 1 && mut != M_NO_MAX_SIZE)
#define BRICK_REACHED reach(ME_, CLI_.i)
#define BRICK_STALE (reach(ME_, CLI_.i) && stale(ME_, CLI_.i))
#define PORTION_DRAINED drained(pid_of(CLI_.fn, CLI_.i))
#define SIZE_NOT_EXACT could_hold(ME_)
#define RECONNECTED (CLI_.stale && mut != M_NO_REREAD)
#define WHOLE (wk->whole && now.cl[ME_].op == OP_WRITE)
#define NEW_REACHED (reach(ME_, CLI_.i) && !stale(ME_, CLI_.i))
#define TO_HELP_FIRST to_help(ME_)
#define FENCES_FIRST \
    (CLI_.arg ? wk->gated : mut != M_INLINE_NO_FENCE && mut != M_INLINE_AT_ONCE)
#define SOME_DOWN (now.up != (1 << wk->bricks) - 1)
#define MORTAL (wk->mortal >> ME_ & 1)
#define DROPPABLE (now.up & wk->dropmask)
#define DROPPABLE_0 (now.up & wk->dropmask & 1)
#define DROPPABLE_1 (now.up & wk->dropmask & 2)
#define DROPPABLE_2 (now.up & wk->dropmask & 4)
