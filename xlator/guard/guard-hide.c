/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-hide.c - who is served at all, and what is hidden from whom.
 *
 * Hidden are: the name ".allot" in the root, everything whose own or parent's
 * gfid is one of the fixed ones of "/.allot" and "/.allot/XX", and every
 * portion. Allot's own calls carry a key and see it. On a leaf of a set (its
 * identity says so) so do the calls that the set makes on its own, known by
 * allot's pid, and self-heal.
 *
 * Keys and pids are no secret and no protection against a client that lies on
 * purpose; they keep out clients that know nothing of allot.
 */
#include "guard.h"

gf_boolean_t
guard_gfid_hidden(const uuid_t gfid)
{
    static const uint8_t dir[16] = {ALLOT_DIR_GFID_BYTES};

    return memcmp(gfid, dir, 14) == 0 &&
           (gfid[14] == 2 || (gfid[14] == 1 && gfid[15] == 0));
}

gf_boolean_t
guard_loc_is_root(loc_t *loc)
{
    return (loc->inode && __is_root_gfid(loc->inode->gfid)) ||
           __is_root_gfid(loc->gfid);
}

gf_boolean_t
guard_loc_hidden(xlator_t *this, loc_t *loc)
{
    unsigned char *parent = loc->pargfid;

    if (gf_uuid_is_null(parent) && loc->parent)
        parent = loc->parent->gfid;
    if (guard_gfid_hidden(loc->gfid) || guard_gfid_hidden(parent))
        return _gf_true;
    if (loc->inode && guard_gfid_hidden(loc->inode->gfid))
        return _gf_true;
    if (loc->name && strcmp(loc->name, ALLOT_DIR_NAME) == 0 &&
        __is_root_gfid(parent))
        return _gf_true;
    return guard_inode_is_portion(this, loc->inode);
}

gf_boolean_t
guard_may_see(call_frame_t *frame, xlator_t *this, dict_t *xdata)
{
    return guard_keyed(xdata) || guard_is_own(frame) ||
           guard_may_heal(this, frame);
}

/* A brick without identity knows allot's calls on its root only, by which it is
 * registered. What a set sends it of other calls it must not answer: the set
 * would take what is not there for removed. */
int
guard_refuse_identity(xlator_t *this, inode_t *inode, dict_t *xdata)
{
    if (GF_ATOMIC_GET(guard_priv(this)->serving) ||
        (guard_keyed(xdata) && inode && __is_root_gfid(inode->gfid)))
        return 0;
    return ENOTCONN;
}

int
guard_refuse_loc(call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *xdata)
{
    int err = guard_refuse_identity(this, loc ? loc->inode : NULL, xdata);

    if (err || !loc || guard_may_see(frame, this, xdata) ||
        !guard_loc_hidden(this, loc))
        return err;
    GF_ATOMIC_INC(guard_priv(this)->refused_foreign);
    guard_log_refused(this, frame, guard_inode_peek(this, loc->inode),
                      loc->inode ? loc->inode->gfid : loc->gfid,
                      "a call on /.allot");
    return EPERM;
}

int
guard_refuse_locs(call_frame_t *frame, xlator_t *this, loc_t *loc, loc_t *loc2,
                  dict_t *xdata)
{
    int err = guard_refuse_loc(frame, this, loc, xdata);

    return err ? err : guard_refuse_loc(frame, this, loc2, xdata);
}

int
guard_refuse_fd(call_frame_t *frame, xlator_t *this, fd_t *fd, dict_t *xdata)
{
    int err = guard_refuse_identity(this, fd->inode, xdata);

    if (err || guard_may_see(frame, this, xdata) ||
        !(guard_gfid_hidden(fd->inode->gfid) ||
          guard_inode_is_portion(this, fd->inode)))
        return err;
    GF_ATOMIC_INC(guard_priv(this)->refused_foreign);
    guard_log_refused(this, frame, guard_inode_peek(this, fd->inode),
                      fd->inode->gfid, "a call on /.allot");
    return EPERM;
}

/* ---- connections -----------------------------------------------------------
 */

/* A mark on the connection, not on the process: a reconnected one greets
 * anew. */
void
guard_greeted(call_frame_t *frame, xlator_t *this, dict_t *xdata)
{
    if (frame->root->client && guard_keyed(xdata))
        client_ctx_set(frame->root->client, this, this);
}

gf_boolean_t
guard_knows(call_frame_t *frame, xlator_t *this)
{
    void *mark = NULL;

    return !frame->root->client ||
           (client_ctx_get(frame->root->client, this, &mark) == 0 && mark);
}

static int
guard_refuse_hidden(call_frame_t *frame, xlator_t *this, inode_t *inode)
{
    GF_ATOMIC_INC(guard_priv(this)->refused_foreign);
    guard_log_refused(this, frame, guard_inode_peek(this, inode), inode->gfid,
                      "a call on /.allot");
    return EPERM;
}

int
guard_refuse_internal(call_frame_t *frame, xlator_t *this, inode_t *inode,
                      dict_t *xdata)
{
    int err = 0;

    if (inode && __is_root_gfid(inode->gfid))
        return 0;
    err = guard_refuse_identity(this, inode, xdata);
    if (err || !inode ||
        !(guard_gfid_hidden(inode->gfid) ||
          guard_inode_is_portion(this, inode)) ||
        guard_may_see(frame, this, xdata) || guard_knows(frame, this))
        return err;
    return guard_refuse_hidden(frame, this, inode);
}

/* Replicate asks for locks before it opens again on a brick that came back what
 * was open, and then opens it; both in frames of its own, that carry nothing of
 * allot's. */
int
guard_refuse_lk(call_frame_t *frame, xlator_t *this, fd_t *fd, int32_t cmd,
                dict_t *xdata)
{
    return cmd == F_GETLK ? guard_refuse_internal(frame, this, fd->inode, xdata)
                          : guard_refuse_fd(frame, this, fd, xdata);
}

int
guard_refuse_open(call_frame_t *frame, xlator_t *this, loc_t *loc,
                  dict_t *xdata)
{
    if (guard_below_set(this) && guard_inode_is_portion(this, loc->inode) &&
        guard_knows(frame, this))
        return guard_refuse_identity(this, loc->inode, xdata);
    return guard_refuse_loc(frame, this, loc, xdata);
}

/* ---- dicts ----------------------------------------------------------------
 */

static gf_boolean_t
guard_key_has_prefix(dict_t *dict, char *key, data_t *value, void *prefix)
{
    return strncmp(key, prefix, strlen(prefix)) == 0;
}

static int
guard_key_nothing(dict_t *dict, char *key, data_t *value, void *data)
{
    return 0;
}

static int
guard_key_drop(dict_t *dict, char *key, data_t *value, void *data)
{
    dict_del(dict, key);
    return 0;
}

int
guard_dict_protected(dict_t *dict)
{
    if (!dict)
        return 0;
    return dict_foreach_match(dict, guard_key_has_prefix, ALLOT_XATTR_PREFIX,
                              guard_key_nothing, NULL);
}

void
guard_dict_drop_protected(dict_t *dict)
{
    if (dict)
        dict_foreach_match(dict, guard_key_has_prefix, ALLOT_XATTR_PREFIX,
                           guard_key_drop, NULL);
}

dict_t *
guard_xdata_pass(call_frame_t *frame, dict_t *xdata)
{
    if (guard_is_wired(frame, xdata) &&
        dict_foreach_match(xdata, guard_key_has_prefix, "allot.",
                           guard_key_nothing, NULL) == 0)
        return dict_ref(xdata);
    return guard_xdata_plain(xdata);
}

dict_t *
guard_xdata_plain(dict_t *xdata)
{
    dict_t *copy = xdata ? dict_copy_with_ref(xdata, NULL) : dict_new();

    if (copy)
        dict_foreach_match(copy, guard_key_has_prefix, "allot.", guard_key_drop,
                           NULL);
    return copy;
}
