/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-disperse-even.c - bricks of one disperse set that have different
 * generations of a portion, or different records of a base
 * (docs/protocol.md, 2.15).
 *
 *   leaf     before   a client dies here      made even
 *     c0        4        5    has it              5
 *     c1        4        4    not any more        5
 *     c2        4        4                        5
 *
 * A fence or a publication goes to all bricks of a set at once, and disperse
 * notes afterwards which of them had it. Who dies in between leaves them
 * different, with the same version: to disperse they are all right. It asks one
 * of them for an xattr, and a data call would be taken by some and refused by
 * others. So whoever fences asks all of them, and brings those that are behind
 * to where the first one is: what it was about to do for all. The call goes
 * through the set, hence under its lock, and a guard where it is done already
 * says so.
 *
 * Bricks that disperse knows to be wrong (their version is older) do not count:
 * they get no calls until they are healed.
 */
#include "allot-bricks-impl.h"
#include "allot-fan.h"
#include "allot-fops.h"
#include "allot-messages.h"
#include "allot-proto.h"

/* Two counters, of data and of metadata, 64 bits each, big-endian. */
#define EC_VERSION "trusted.ec.version"
#define EC_VERSION_SIZE 16

/* While a transaction of disperse ends its bricks differ for a moment; and a
 * lock under which it has lost all of them it keeps for a second. */
#define EVEN_PAUSE_USEC 50000
#define EVEN_TRIES 6

#define EVEN_LEAVES_MAX 255 /* of a set: allot_brick_id.leaves */

/* What the bricks of one set have under @key. */
struct even_leaves {
    struct allot_call calls[EVEN_LEAVES_MAX];
    data_t *value[EVEN_LEAVES_MAX]; /* of those that count; NULL: none */
    gf_boolean_t counts[EVEN_LEAVES_MAX];
    int n;
    int counting;
};

static void
leaves_wipe(struct even_leaves *l)
{
    allot_calls_wipe(l->calls, l->n);
}

/* All bricks of @c that serve. */
static void
leaves_calls(xlator_t *this, const struct allot_child *c, loc_t *loc,
             dict_t *xdata, struct even_leaves *l)
{
    struct allot_bricks *b = allot_bricks_of(this);
    int i = 0;

    l->n = 0;
    pthread_mutex_lock(&b->lock);
    for (i = 0; i < c->leaf_count && l->n < EVEN_LEAVES_MAX; i++) {
        if (c->leaves[i].state != ALLOT_BRICK_UP &&
            c->leaves[i].state != ALLOT_BRICK_FAILING)
            continue;
        allot_call_init(&l->calls[l->n], c->leaves[i].xl, GF_FOP_STAT);
        l->calls[l->n].loc = loc;
        l->calls[l->n].xdata = xdata;
        l->n++;
    }
    pthread_mutex_unlock(&b->lock);
}

/* Bit 62 of the first one: the brick's data is being healed. */
#define EC_HEALING 0x40

/* NULL also of a brick that is being healed: disperse keeps calls from it. */
static data_t *
leaf_version(const struct allot_call *call)
{
    data_t *version = call->ret >= 0 && call->rdict
                          ? dict_get(call->rdict, (char *)EC_VERSION)
                          : NULL;

    return version && version->len == EC_VERSION_SIZE &&
                   !(version->data[0] & EC_HEALING)
               ? version
               : NULL;
}

/* Marks the bricks whose version is the newest, in both of its counters. */
static void
leaves_count(struct even_leaves *l, char *key)
{
    uint8_t newest[EC_VERSION_SIZE] = {
        0,
    };
    const size_t half = EC_VERSION_SIZE / 2;
    data_t *version = NULL;
    int i = 0;

    for (i = 0; i < l->n; i++) {
        version = leaf_version(&l->calls[i]);
        if (version && memcmp(version->data, newest, half) > 0)
            memcpy(newest, version->data, half);
        if (version && memcmp(version->data + half, newest + half, half) > 0)
            memcpy(newest + half, version->data + half, half);
    }
    l->counting = 0;
    for (i = 0; i < l->n; i++) {
        version = leaf_version(&l->calls[i]);
        l->counts[i] =
            version && memcmp(version->data, newest, EC_VERSION_SIZE) == 0;
        l->value[i] = l->counts[i] ? dict_get(l->calls[i].rdict, key) : NULL;
        l->counting += l->counts[i];
    }
}

/* Asks the bricks of @c. 0: so many count as make a stripe; -ENODATA: too few
 * do, so disperse has to say what that means; -ENOMEM. */
static int
leaves_ask(xlator_t *this, const struct allot_child *c, loc_t *loc, char *key,
           struct even_leaves *l)
{
    dict_t *xdata = allot_xdata_internal();
    int tries = 0;
    int ret = -ENODATA;

    l->n = 0;
    if (!xdata || dict_set_int32(xdata, key, 0) ||
        dict_set_int32(xdata, (char *)EC_VERSION, 0)) {
        if (xdata)
            dict_unref(xdata);
        return -ENOMEM;
    }
    for (tries = 0; ret && tries < EVEN_TRIES; tries++) {
        if (tries)
            synctask_usleep(EVEN_PAUSE_USEC);
        leaves_wipe(l);
        leaves_calls(this, c, loc, xdata, l);
        allot_fan(this, l->calls, l->n);
        leaves_count(l, key);
        if (l->counting >= c->fragments)
            ret = 0;
        else if (!l->counting)
            break;
    }
    dict_unref(xdata);
    return ret;
}

/* A call through the set, again while it has lost all its bricks. */
static int
even_set(xlator_t *this, inode_t *inode, struct allot_call *call)
{
    int ret = 0;
    int tries = 0;

    for (tries = 0; tries < EVEN_TRIES; tries++) {
        if (tries)
            synctask_usleep(EVEN_PAUSE_USEC << (tries - 1));
        ret = inode ? allot_call_base(this, inode, call)
                    : allot_call_one(this, call);
        allot_calls_wipe(call, 1);
        if (ret != -EIO && ret != -ENOTCONN)
            break;
    }
    return ret < 0 ? ret : 0;
}

/* ---- portions
 * ------------------------------------------------------------------- */

/* What they have: the newest generation in @top, closed if one of those that
 * have it is. *@even: all have that. -ENODATA: see leaves_ask(), or one that
 * counts has no such portion. */
static int
portion_look(xlator_t *this, const struct allot_child *c, inode_t *inode,
             uint64_t nonce, loc_t *loc, struct even_leaves *l,
             struct allot_portion *top, gf_boolean_t *even)
{
    struct allot_portion por;
    int found = 0;
    int ret = leaves_ask(this, c, loc, (char *)ALLOT_XATTR_PORTION, l);
    int i = 0;

    *even = _gf_true;
    for (i = 0; ret == 0 && i < l->n; i++) {
        if (!l->counts[i])
            continue;
        if (!l->value[i] ||
            allot_portion_decode((uint8_t *)l->value[i]->data, l->value[i]->len,
                                 &por) ||
            por.nonce != nonce || memcmp(por.base_gfid, inode->gfid, 16)) {
            ret = -ENODATA;
            break;
        }
        if (found++ == 0) {
            *top = por;
            continue;
        }
        if (por.gen != top->gen || por.closed != top->closed)
            *even = _gf_false;
        if (por.gen > top->gen ||
            (por.gen == top->gen && por.closed && !top->closed))
            *top = por;
    }
    leaves_wipe(l);
    return ret;
}

/* All of them to @top. */
static int
portion_raise(xlator_t *this, const struct allot_child *c, loc_t *loc,
              const struct allot_portion *top)
{
    struct allot_call call;
    int64_t len = allot_portion_encode(top, NULL, 0);
    uint8_t *bytes = len > 0 ? GF_MALLOC(len, gf_common_mt_char) : NULL;
    int ret = -ENOMEM;

    allot_call_init(&call, c->xl, GF_FOP_SETXATTR);
    call.loc = loc;
    call.dict = dict_new();
    call.xdata = allot_xdata_internal();
    if (bytes && call.dict && call.xdata &&
        allot_portion_encode(top, bytes, len) == len &&
        !dict_set_static_bin(call.dict, ALLOT_XATTR_PORTION, bytes, len) &&
        !dict_set_uint64(call.xdata, ALLOT_KEY_FENCE, top->gen) &&
        !dict_set_uint32(call.xdata, ALLOT_KEY_CUT, 1))
        ret = even_set(this, NULL, &call);
    if (call.dict)
        dict_unref(call.dict);
    if (call.xdata)
        dict_unref(call.xdata);
    GF_FREE(bytes);
    return ret;
}

int
allot_disperse_even(xlator_t *this, inode_t *inode, xlator_t *xl,
                    uint64_t nonce, loc_t *loc, gf_boolean_t locked,
                    struct allot_portion *por)
{
    const struct allot_child *c = NULL;
    struct even_leaves *l = NULL;
    struct allot_cut_lock lock;
    gf_boolean_t even = _gf_true;
    int ret = 0;

    if (!allot_dispersed(this, xl))
        return -ENODATA;
    c = allot_bricks_child_of(allot_bricks_of(this), xl);
    l = GF_CALLOC(1, sizeof(*l), allot_mt_misc);
    if (!l)
        return -ENOMEM;
    ret = portion_look(this, c, inode, nonce, loc, l, por, &even);
    if (ret || even)
        goto out;
    ret = 1;
    if (locked)
        goto out;
    /* Nobody who cuts is in the middle of it then. */
    ret = allot_cut_lock(this, &lock, xl, loc);
    if (ret < 0)
        goto out;
    ret = portion_look(this, c, inode, nonce, loc, l, por, &even);
    if (ret == 0 && !even) {
        ret = portion_raise(this, c, loc, por);
        gf_msg(this->name, ret ? GF_LOG_WARNING : GF_LOG_INFO, -ret,
               ALLOT_MSG_PROTOCOL,
               "bricks of %s had different generations of the portion of gfid "
               "%s: a client died. All have %" PRIu64 " now%s",
               xl->name, uuid_utoa(inode->gfid), por->gen,
               ret ? ", or will when it is used again" : "");
    }
    allot_cut_unlock(this, &lock);
    if (ret == 0)
        ret = 1;
out:
    GF_FREE(l);
    return ret;
}

/* ---- bases
 * ---------------------------------------------------------------------- */

/* What the bricks of a set have for a record. */
struct even_records {
    uint8_t crc[EVEN_LEAVES_MAX][4]; /* of those that count; 0: none */
    int n;
    int top; /* whose record all should have, a place in crc; -1: none has one
              */
    gf_boolean_t plain; /* so many have none as make a stripe */
    gf_boolean_t even;
    gf_boolean_t open;       /* which it is bricks must tell that are away */
    uint64_t seq;            /* the highest */
    uint64_t gen;            /* the same */
    struct allot_record rec; /* of top */
};

static void
records_clear(struct even_records *e)
{
    if (e->top >= 0)
        allot_record_clear(&e->rec);
    e->top = -1;
}

static int
records_like(const struct even_records *e, int i)
{
    int like = 0;
    int k = 0;

    for (k = 0; k < e->n; k++)
        like += memcmp(e->crc[k], e->crc[i], 4) == 0;
    return like;
}

/* Is a record with the number @seq that @like bricks have to be taken before
 * one with @best_seq that @best have? What @enough bricks have, as make a
 * stripe, is the file's: others may have acted on it. If nothing is, who
 * published the newest one may have been told that it is there. */
static gf_boolean_t
record_wins(int enough, int like, uint64_t seq, int best, uint64_t best_seq)
{
    if (like >= enough || best >= enough)
        return like > best;
    return seq > best_seq || (seq == best_seq && like > best);
}

/* Of @l to @e; the new record has to exceed the highest of all. Cleared by
 * records_clear(). */
static void
records_look(const struct allot_child *c, struct even_leaves *l,
             struct even_records *e)
{
    gf_boolean_t decoded[EVEN_LEAVES_MAX] = {_gf_false};
    uint64_t seqs[EVEN_LEAVES_MAX] = {0};
    struct allot_record rec;
    int like = 0;
    int best = 0;
    int i = 0;

    memset(e, 0, sizeof(*e));
    e->top = -1;
    for (i = 0; i < l->n; i++)
        if (l->counts[i]) {
            if (l->value[i] && l->value[i]->len > 4)
                memcpy(e->crc[e->n], l->value[i]->data + l->value[i]->len - 4,
                       4);
            l->value[e->n++] = l->value[i];
        }
    e->even = e->n == 0 || records_like(e, 0) == e->n;
    for (i = 0; i < e->n; i++) {
        like = records_like(e, i);
        if (!l->value[i]) {
            e->plain = e->plain || like >= c->fragments;
            continue;
        }
        if (allot_record_decode((uint8_t *)l->value[i]->data, l->value[i]->len,
                                &rec))
            continue; /* damaged: who reads it says so */
        decoded[i] = _gf_true;
        seqs[i] = rec.seq;
        e->seq = rec.seq > e->seq ? rec.seq : e->seq;
        e->gen = rec.gen > e->gen ? rec.gen : e->gen;
        if (e->top < 0 ||
            record_wins(c->fragments, like, rec.seq, best, e->rec.seq)) {
            records_clear(e);
            e->rec = rec;
            e->top = i;
            best = like;
        } else {
            allot_record_clear(&rec);
        }
    }
    if (e->top < 0 || best >= c->fragments || e->n == c->leaf_count)
        return;
    for (i = 0; i < e->n; i++)
        if (decoded[i] && seqs[i] == e->rec.seq && records_like(e, i) == best &&
            memcmp(e->crc[i], e->crc[e->top], 4))
            e->open = _gf_true;
}

/* Looks at the bricks of @c. 0; -ENODATA: as leaves_ask(). */
static int
records_ask(xlator_t *this, const struct allot_child *c, loc_t *loc,
            struct even_leaves *l, struct even_records *e)
{
    int ret = leaves_ask(this, c, loc, (char *)ALLOT_XATTR_RECORD, l);

    e->top = -1;
    if (ret == 0)
        records_look(c, l, e);
    leaves_wipe(l);
    return ret;
}

/* Publishes the record of @e as its own successor, on bricks that have one of
 * those which @e saw. */
static int
records_raise(xlator_t *this, inode_t *inode, struct even_records *e)
{
    struct allot_record r;
    struct allot_call call;
    uint8_t *bytes = NULL;
    int64_t len = 0;
    int ret = -ENOMEM;

    memset(&r, 0, sizeof(r));
    if (e->plain)
        ret = allot_layout_new(allot_bricks_inline_limit(this), NULL, 0,
                               &r.layout);
    else
        ret = allot_record_copy(&e->rec, &r);
    if (ret)
        return ret;
    r.seq = e->seq + 1;
    r.gen = e->gen;
    ret = -ENOMEM;
    len = allot_record_encode(&r, NULL, 0);
    bytes = len > 0 ? GF_MALLOC(len, gf_common_mt_char) : NULL;
    allot_call_init(&call, allot_priv(this)->ns, GF_FOP_SETXATTR);
    call.dict = dict_new();
    call.xdata = allot_xdata_internal();
    if (bytes && call.dict && call.xdata &&
        allot_record_encode(&r, bytes, len) == len &&
        !dict_set_static_bin(call.dict, ALLOT_XATTR_RECORD, bytes, len) &&
        !dict_set_uint64(call.xdata, ALLOT_KEY_PUBLISH, e->seq) &&
        !dict_set_static_bin(call.xdata, ALLOT_KEY_EVEN, e->crc, 4 * e->n))
        ret = even_set(this, inode, &call);
    if (call.dict)
        dict_unref(call.dict);
    if (call.xdata)
        dict_unref(call.xdata);
    GF_FREE(bytes);
    allot_record_clear(&r);
    return ret;
}

/* Waits for a publication under way: a call under disperse's lock comes after
 * it. What it answers does not matter. */
static void
records_rest(xlator_t *this, const struct allot_child *c, loc_t *loc)
{
    struct allot_call call;

    allot_call_init(&call, c->xl, GF_FOP_STAT);
    call.loc = loc;
    call.xdata = allot_priv(this)->client_xdata;
    allot_call_one(this, &call);
    allot_calls_wipe(&call, 1);
}

/* On one set. 0: even, or not there; 1: they were not; -errno. */
static int
records_even(xlator_t *this, const struct allot_child *c, inode_t *inode,
             loc_t *loc, struct even_leaves *l)
{
    struct even_records *e = GF_CALLOC(2, sizeof(*e), allot_mt_misc);
    int tries = 0;
    int ret = e ? 1 : -ENOMEM;

    for (tries = 0; ret == 1 && tries < EVEN_TRIES; tries++) {
        ret = records_ask(this, c, loc, l, &e[0]);
        if (ret == 0 && !e[0].even && !e[0].open && e[0].top >= 0) {
            /* At rest, that is the same after a look that had to wait for who
             * publishes. Who begins now meets their CRCs, or is met by ours. */
            records_rest(this, c, loc);
            ret = records_ask(this, c, loc, l, &e[1]);
            if (ret == 0)
                ret = e[0].n != e[1].n ||
                              memcmp(e[0].crc, e[1].crc, sizeof(e[0].crc))
                          ? 1
                          : 2;
            records_clear(&e[1]);
        }
        if (ret == 2) {
            ret = records_raise(this, inode, &e[0]);
            gf_msg(this->name, ret ? GF_LOG_WARNING : GF_LOG_INFO, -ret,
                   ALLOT_MSG_PROTOCOL,
                   "bricks of %s had different records of gfid %s: a client "
                   "died. %s sequence %" PRIu64 " now",
                   c->xl->name, uuid_utoa(inode->gfid),
                   ret ? "Not all have" : "All have", e[0].seq + 1);
            /* Somebody else was faster: look again. */
            ret = ret == -ALLOT_ERR_OLD ? 1 : ret ? ret : 3;
        }
        records_clear(&e[0]);
    }
    GF_FREE(e);
    return ret == -ENODATA ? 0 : ret > 0 ? 1 : ret;
}

int
allot_disperse_even_base(xlator_t *this, inode_t *inode)
{
    struct allot_bricks *b = allot_bricks_of(this);
    struct even_leaves *l = NULL;
    loc_t loc;
    int was = 0;
    int ret = 0;
    int i = 0;

    if (!allot_priv(this)->ns_dispersed)
        return 0;
    l = GF_CALLOC(1, sizeof(*l), allot_mt_misc);
    if (!l)
        return -ENOMEM;
    allot_loc_of_inode(&loc, inode);
    /* On which set it is distribute knows; the others have nothing under its
     * gfid, or a file without a record that leads to it. */
    for (i = 0; i < b->count && ret >= 0; i++) {
        if (b->children[i].kind != ALLOT_SET_DISPERSE)
            continue;
        ret = records_even(this, &b->children[i], inode, &loc, l);
        was |= ret > 0;
    }
    loc_wipe(&loc);
    GF_FREE(l);
    return ret < 0 ? ret : was;
}
