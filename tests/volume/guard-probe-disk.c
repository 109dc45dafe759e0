/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-probe-disk.c - what guard-probe puts on disk for allot: records and
 * portions, and the commands that publish, fence and raise them.
 */
#include "guard-probe.h"
#include <glusterfs/syncop.h>
#include "guard-client.h"
#include "guard-words.h"

/* ---- what lies on disk ------------------------------------------------------
 */

dict_t *
one_value(char *key, const void *bytes, int64_t len)
{
    dict_t *dict = dict_new();

    if (len < 0 || dict_set_bin(dict, key, gf_memdup(bytes, len), len) != 0)
        guard_client_fail("cannot encode");
    return dict;
}

/* seq=, gen=, extents (0 or 1), size= */
static dict_t *
record(void)
{
    struct allot_member member = {.brick_idx = 1, .weight = 1};
    struct allot_extent extent = {.start_byte = 65536,
                                  .block_shift = 18,
                                  .member_count = 1,
                                  .members = &member};
    struct allot_record rec = {.seq = number("seq", 1),
                               .gen = number("to", 1),
                               .size = number("size", 0),
                               .nonce = 0};
    uint8_t buf[ALLOT_RECORD_MAX];
    int64_t len = 0;
    int extents = number("extents", 1);

    if (extents)
        rec.nonce = 77;
    if (allot_layout_new(65536, &extent, extents, &rec.layout) != 0)
        guard_client_fail("no layout");
    len = allot_record_encode(&rec, buf, sizeof(buf));
    allot_record_clear(&rec);
    if (flag("damaged"))
        buf[20] ^= 1;
    return one_value(ALLOT_XATTR_RECORD, buf, len);
}

/* The base of the portion that the command names: made of its name, so that
 * all commands mean the same. */
void
portion_base(uint8_t base_gfid[16])
{
    memset(base_gfid, 0, 16);
    memcpy(base_gfid, word[1], strnlen(word[1], 16));
}

dict_t *
portion(uint64_t gen)
{
    struct allot_portion por = {.nonce = PORTION_NONCE, .gen = gen};
    uint8_t buf[1024];
    int64_t len = 0;

    portion_base(por.base_gfid);
    len = allot_portion_encode(&por, buf, sizeof(buf));
    if (flag("damaged"))
        buf[9] ^= 1;
    return one_value(ALLOT_XATTR_PORTION, buf, len);
}

/* publish FILE expect=N seq=N to=GEN extents=0|1 [max=N] [mtime=N] [byfd] */
void
do_publish(void)
{
    if (setting("expect"))
        put_u64(xdata, ALLOT_KEY_PUBLISH, number("expect", 0));
    if (setting("max"))
        put_u64(xdata, ALLOT_KEY_MAX_SIZE, number("max", 0));
    if (setting("mtime") &&
        (dict_set_int64(xdata, ALLOT_KEY_MTIME, number("mtime", 0)) != 0 ||
         dict_set_uint32(xdata, ALLOT_KEY_MTIME_NSEC, 5) != 0))
        guard_client_fail("no memory");
    set_xattr(record());
}

/* fence FILE to=GEN [from=GEN] [clip=N] [byfd] [bare] */
void
do_fence(void)
{
    if (!flag("bare"))
        put_u64(xdata, ALLOT_KEY_FENCE, number("to", 1));
    if (setting("from"))
        put_u64(xdata, ALLOT_KEY_FENCE_FROM, number("from", 0));
    if (setting("clip"))
        put_u64(xdata, ALLOT_KEY_CLIP, number("clip", 0));
    set_xattr(portion(number("to", 1)));
}

/* What the brick has of FILE under @key; @reply owns it. NULL: answered. */
static data_t *
held(loc_t *loc, char *key, dict_t **reply)
{
    struct iatt iatt = {
        0,
    };
    data_t *value = NULL;
    int ret = 0;

    put_u64(xdata, key, 0);
    ret = syncop_lookup(brick, loc, &iatt, NULL, xdata, reply);
    dict_del(xdata, key);
    if (ret >= 0) {
        value = *reply ? dict_get(*reply, key) : NULL;
        ret = value ? 0 : -ENODATA;
        keep(loc, &iatt, NULL);
    }
    if (!value)
        answer(ret);
    return value;
}

/* raise FILE [by=N] [closed]: a portion's own xattr with another generation, as
 * a client brings it that fences with a cut */
void
do_raise(void)
{
    struct allot_portion por;
    uint8_t buf[1024];
    dict_t *reply = NULL;
    dict_t *dict = NULL;
    data_t *value = NULL;
    uint64_t from = 0;
    loc_t loc;

    loc_make(&loc);
    value = held(&loc, ALLOT_XATTR_PORTION, &reply);
    if (value) {
        if (allot_portion_decode((uint8_t *)value->data, value->len, &por))
            guard_client_fail("no portion");
        from = por.gen;
        por.gen += number("by", 0);
        por.closed = flag("closed");
        dict = one_value(ALLOT_XATTR_PORTION, buf,
                         allot_portion_encode(&por, buf, sizeof(buf)));
        put_u64(xdata, ALLOT_KEY_FENCE, por.gen);
        put_u64(xdata, ALLOT_KEY_FENCE_FROM, from);
        put_u64(xdata, ALLOT_KEY_CUT, 1);
        if (answer(syncop_setxattr(brick, &loc, dict, 0, xdata, NULL)))
            say(" from=%" PRIu64 " to=%" PRIu64, from, por.gen);
        dict_unref(dict);
    }
    if (reply)
        dict_unref(reply);
    loc_wipe(&loc);
}

/* republish FILE [by=N]: a base's own record with the next sequence and another
 * generation */
void
do_republish(void)
{
    struct allot_record rec;
    uint8_t buf[ALLOT_RECORD_MAX];
    dict_t *reply = NULL;
    dict_t *dict = NULL;
    data_t *value = NULL;
    loc_t loc;

    loc_make(&loc);
    value = held(&loc, ALLOT_XATTR_RECORD, &reply);
    if (value) {
        if (allot_record_decode((uint8_t *)value->data, value->len, &rec))
            guard_client_fail("no record");
        put_u64(xdata, ALLOT_KEY_PUBLISH, rec.seq++);
        rec.gen += number("by", 0);
        dict = one_value(ALLOT_XATTR_RECORD, buf,
                         allot_record_encode(&rec, buf, sizeof(buf)));
        if (answer(syncop_setxattr(brick, &loc, dict, 0, xdata, NULL)))
            say(" seq=%" PRIu64 " gen=%" PRIu64, rec.seq, rec.gen);
        dict_unref(dict);
        allot_record_clear(&rec);
    }
    if (reply)
        dict_unref(reply);
    loc_wipe(&loc);
}
