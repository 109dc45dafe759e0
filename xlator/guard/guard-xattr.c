/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-xattr.c - the xattr fops: which trusted.allot.* may be read, written
 * or removed by whom. The steps that do so are in guard-publish.c.
 *
 *   on the root     brick, registry: allot only (its key), kept in memory
 *   on a file       record: publish; portion: fence; both raw: self-heal
 *   anywhere else   nobody
 */
#include "guard.h"

/* ---- reading ---------------------------------------------------------------
 */

/* The cookie: what to leave out of a listing of all xattrs. */
#define GUARD_DROP_NONE ((void *)0)
#define GUARD_DROP_ALL ((void *)1)

/* Self-heal copies what a listing shows, so it sees records and portions, but
 * never the identity of a brick. */
static void *
guard_list_drop(call_frame_t *frame, inode_t *inode, dict_t *xdata)
{
    if (xdata && dict_get_sizen(xdata, ALLOT_KEY_CLIENT))
        return GUARD_DROP_NONE;
    if (guard_is_healer(frame) && !(inode && __is_root_gfid(inode->gfid)))
        return GUARD_DROP_NONE;
    return GUARD_DROP_ALL;
}

static gf_boolean_t
guard_asks_handshake(inode_t *inode, const char *name)
{
    return name && inode && __is_root_gfid(inode->gfid) &&
           strcmp(name, ALLOT_KEY_HANDSHAKE) == 0;
}

static int32_t
guard_getxattr_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                   int32_t op_ret, int32_t op_errno, dict_t *dict,
                   dict_t *xdata)
{
    if (op_ret >= 0 && cookie == GUARD_DROP_ALL)
        guard_dict_drop_protected(dict);
    STACK_UNWIND_STRICT(getxattr, frame, op_ret, op_errno, dict, xdata);
    return 0;
}

int32_t
guard_getxattr(call_frame_t *frame, xlator_t *this, loc_t *loc,
               const char *name, dict_t *xdata)
{
    dict_t *answer = NULL;
    int err = 0;

    guard_unsquash(frame);
    if (guard_asks_handshake(loc->inode, name)) {
        guard_greeted(frame, this, xdata);
        answer = guard_handshake(this);
        STACK_UNWIND_STRICT(getxattr, frame, answer ? 0 : -1,
                            answer ? 0 : ENOMEM, answer, NULL);
        if (answer)
            dict_unref(answer);
        return 0;
    }
    err = guard_refuse_loc(frame, this, loc, xdata);
    if (err)
        return default_getxattr_failure_cbk(frame, err);
    if (name && guard_keyed(xdata) && guard_loc_is_root(loc) &&
        strcmp(name, ALLOT_KEY_PORTIONS) == 0) {
        if (GF_ATOMIC_GET(guard_priv(this)->serving))
            guard_portions(frame, this, xdata);
        else
            return default_getxattr_failure_cbk(frame, ENOTCONN);
        return 0;
    }
    if (name && guard_loc_is_root(loc) && guard_keyed(xdata) &&
        strcmp(name, ALLOT_KEY_GONE) == 0) {
        answer = guard_gone_answer(this, loc->inode, xdata);
        STACK_UNWIND_STRICT(getxattr, frame, answer ? 0 : -1,
                            answer ? 0 : ENOMEM, answer, NULL);
        if (answer)
            dict_unref(answer);
        return 0;
    }
    if (name && *name) {
        STACK_WIND_TAIL(frame, FIRST_CHILD(this),
                        FIRST_CHILD(this)->fops->getxattr, loc, name, xdata);
        return 0;
    }
    STACK_WIND_COOKIE(
        frame, guard_getxattr_cbk, guard_list_drop(frame, loc->inode, xdata),
        FIRST_CHILD(this), FIRST_CHILD(this)->fops->getxattr, loc, name, xdata);
    return 0;
}

static int32_t
guard_fgetxattr_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                    int32_t op_ret, int32_t op_errno, dict_t *dict,
                    dict_t *xdata)
{
    if (op_ret >= 0 && cookie == GUARD_DROP_ALL)
        guard_dict_drop_protected(dict);
    STACK_UNWIND_STRICT(fgetxattr, frame, op_ret, op_errno, dict, xdata);
    return 0;
}

int32_t
guard_fgetxattr(call_frame_t *frame, xlator_t *this, fd_t *fd, const char *name,
                dict_t *xdata)
{
    dict_t *answer = NULL;
    int err = 0;

    guard_unsquash(frame);
    if (guard_asks_handshake(fd->inode, name)) {
        guard_greeted(frame, this, xdata);
        answer = guard_handshake(this);
        STACK_UNWIND_STRICT(fgetxattr, frame, answer ? 0 : -1,
                            answer ? 0 : ENOMEM, answer, NULL);
        if (answer)
            dict_unref(answer);
        return 0;
    }
    err = guard_refuse_fd(frame, this, fd, xdata);
    if (err)
        return default_fgetxattr_failure_cbk(frame, err);
    if (name && *name) {
        STACK_WIND_TAIL(frame, FIRST_CHILD(this),
                        FIRST_CHILD(this)->fops->fgetxattr, fd, name, xdata);
        return 0;
    }
    STACK_WIND_COOKIE(
        frame, guard_fgetxattr_cbk, guard_list_drop(frame, fd->inode, xdata),
        FIRST_CHILD(this), FIRST_CHILD(this)->fops->fgetxattr, fd, name, xdata);
    return 0;
}

/* ---- writing ---------------------------------------------------------------
 */

enum guard_change {
    GUARD_CHANGE_PASS,      /* none of our xattrs */
    GUARD_CHANGE_IDENTITY,  /* of the root, by allot */
    GUARD_CHANGE_EXCLUSIVE, /* publish, fence, raw */
    GUARD_CHANGE_REFUSE,    /* EPERM */
};

/* @names: the dict whose keys are changed (setxattr, removexattr of many), or
 * NULL with @name the one that is removed. */
static enum guard_change
guard_change_kind(call_frame_t *frame, xlator_t *this, inode_t *inode,
                  dict_t *names, const char *name, dict_t *xdata)
{
    int ours = guard_dict_protected(names);
    gf_boolean_t client = xdata && dict_get_sizen(xdata, ALLOT_KEY_CLIENT);

    if (name && *name)
        ours = strncmp(name, ALLOT_XATTR_PREFIX,
                       sizeof(ALLOT_XATTR_PREFIX) - 1) == 0;
    if (!ours)
        return GUARD_CHANGE_PASS;
    if (inode && __is_root_gfid(inode->gfid)) {
        if (client && (names ? !dict_get_sizen(names, ALLOT_XATTR_RECORD) &&
                                   !dict_get_sizen(names, ALLOT_XATTR_PORTION)
                             : strcmp(name, ALLOT_XATTR_BRICK) == 0 ||
                                   strcmp(name, ALLOT_XATTR_REGISTRY) == 0))
            return GUARD_CHANGE_IDENTITY;
        return GUARD_CHANGE_REFUSE;
    }
    if (!inode || (inode->ia_type != IA_IFREG && inode->ia_type != IA_INVAL))
        return GUARD_CHANGE_REFUSE;
    if (names && ours == 1 && xdata &&
        ((dict_get_sizen(names, ALLOT_XATTR_RECORD) &&
          dict_get_sizen(xdata, ALLOT_KEY_PUBLISH)) ||
         (dict_get_sizen(names, ALLOT_XATTR_PORTION) &&
          dict_get_sizen(xdata, ALLOT_KEY_FENCE))))
        return GUARD_CHANGE_EXCLUSIVE;
    if (guard_may_heal(this, frame) ||
        (guard_is_healer(frame) && !guard_inode_is_portion(this, inode)))
        return GUARD_CHANGE_EXCLUSIVE;
    return GUARD_CHANGE_REFUSE;
}

int
guard_change_refused(call_frame_t *frame, xlator_t *this, inode_t *inode)
{
    struct guard_inode *gi = guard_inode_peek(this, inode);
    uuid_t none = {
        0,
    };

    GF_ATOMIC_INC(guard_priv(this)->refused_foreign);
    guard_log_refused(this, frame, gi, inode ? inode->gfid : none,
                      "a change of a trusted.allot xattr");
    return EPERM;
}

static void
guard_identity_changed(xlator_t *this, dict_t *dict, const char *removed)
{
    gf_boolean_t opened = _gf_false;
    data_t *value = NULL;

    if (removed) {
        guard_identity_store(this, removed, NULL);
        return;
    }
    value = dict_get_sizen(dict, ALLOT_XATTR_BRICK);
    if (value)
        opened = guard_identity_store(this, ALLOT_XATTR_BRICK, value);
    value = dict_get_sizen(dict, ALLOT_XATTR_REGISTRY);
    if (value)
        guard_identity_store(this, ALLOT_XATTR_REGISTRY, value);
    if (!opened || !guard_below_set(this))
        return;
    /* To all connections: a self-heal daemon looks for work when a brick comes
     * up, and until now it found one that serves nobody. */
    default_notify(this, GF_EVENT_CHILD_UP, FIRST_CHILD(this));
}

/* The fop's own dict or name is kept alive by the cookie. */
static int32_t
guard_setxattr_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                   int32_t op_ret, int32_t op_errno, dict_t *xdata)
{
    dict_t *dict = cookie;

    if (op_ret >= 0)
        guard_identity_changed(this, dict, NULL);
    STACK_UNWIND_STRICT(setxattr, frame, op_ret, op_errno, xdata);
    dict_unref(dict);
    return 0;
}

static int32_t
guard_fsetxattr_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                    int32_t op_ret, int32_t op_errno, dict_t *xdata)
{
    dict_t *dict = cookie;

    if (op_ret >= 0)
        guard_identity_changed(this, dict, NULL);
    STACK_UNWIND_STRICT(fsetxattr, frame, op_ret, op_errno, xdata);
    dict_unref(dict);
    return 0;
}

static int32_t
guard_removexattr_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                      int32_t op_ret, int32_t op_errno, dict_t *xdata)
{
    if (op_ret >= 0)
        guard_identity_changed(this, NULL, cookie);
    STACK_UNWIND_STRICT(removexattr, frame, op_ret, op_errno, xdata);
    return 0;
}

static int32_t
guard_fremovexattr_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                       int32_t op_ret, int32_t op_errno, dict_t *xdata)
{
    if (op_ret >= 0)
        guard_identity_changed(this, NULL, cookie);
    STACK_UNWIND_STRICT(fremovexattr, frame, op_ret, op_errno, xdata);
    return 0;
}

/* The name as a constant, for a cookie. */
static void *
guard_identity_key(const char *name)
{
    return strcmp(name, ALLOT_XATTR_BRICK) == 0 ? ALLOT_XATTR_BRICK
                                                : ALLOT_XATTR_REGISTRY;
}

int32_t
guard_setxattr(call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *dict,
               int32_t flags, dict_t *xdata)
{
    int err = guard_refuse_loc(frame, this, loc, xdata);
    struct guard_inode *gi = NULL;
    call_stub_t *stub = NULL;

    guard_unsquash(frame);
    if (err)
        return default_setxattr_failure_cbk(frame, err);
    switch (guard_change_kind(frame, this, loc->inode, dict, NULL, xdata)) {
        case GUARD_CHANGE_PASS:
            STACK_WIND_TAIL(frame, FIRST_CHILD(this),
                            FIRST_CHILD(this)->fops->setxattr, loc, dict, flags,
                            xdata);
            return 0;
        case GUARD_CHANGE_IDENTITY:
            STACK_WIND_COOKIE(
                frame, guard_setxattr_cbk, dict_ref(dict), FIRST_CHILD(this),
                FIRST_CHILD(this)->fops->setxattr, loc, dict, flags, xdata);
            return 0;
        case GUARD_CHANGE_EXCLUSIVE:
            gi = guard_inode_get(this, loc->inode);
            stub = gi ? fop_setxattr_stub(frame, NULL, loc, dict, flags, xdata)
                      : NULL;
            if (!stub)
                return default_setxattr_failure_cbk(frame, ENOMEM);
            guard_gate_exclusive(this, gi, stub);
            return 0;
        case GUARD_CHANGE_REFUSE:
            break;
    }
    return default_setxattr_failure_cbk(
        frame, guard_change_refused(frame, this, loc->inode));
}

int32_t
guard_fsetxattr(call_frame_t *frame, xlator_t *this, fd_t *fd, dict_t *dict,
                int32_t flags, dict_t *xdata)
{
    int err = guard_refuse_fd(frame, this, fd, xdata);
    struct guard_inode *gi = NULL;
    call_stub_t *stub = NULL;

    guard_unsquash(frame);
    if (err)
        return default_fsetxattr_failure_cbk(frame, err);
    switch (guard_change_kind(frame, this, fd->inode, dict, NULL, xdata)) {
        case GUARD_CHANGE_PASS:
            STACK_WIND_TAIL(frame, FIRST_CHILD(this),
                            FIRST_CHILD(this)->fops->fsetxattr, fd, dict, flags,
                            xdata);
            return 0;
        case GUARD_CHANGE_IDENTITY:
            STACK_WIND_COOKIE(
                frame, guard_fsetxattr_cbk, dict_ref(dict), FIRST_CHILD(this),
                FIRST_CHILD(this)->fops->fsetxattr, fd, dict, flags, xdata);
            return 0;
        case GUARD_CHANGE_EXCLUSIVE:
            gi = guard_inode_get(this, fd->inode);
            stub = gi ? fop_fsetxattr_stub(frame, NULL, fd, dict, flags, xdata)
                      : NULL;
            if (!stub)
                return default_fsetxattr_failure_cbk(frame, ENOMEM);
            guard_gate_exclusive(this, gi, stub);
            return 0;
        case GUARD_CHANGE_REFUSE:
            break;
    }
    return default_fsetxattr_failure_cbk(
        frame, guard_change_refused(frame, this, fd->inode));
}

/* Self-heal removes many at once: an empty name, the keys in xdata. */
static dict_t *
guard_remove_many(const char *name, dict_t *xdata)
{
    return name && *name ? NULL : xdata;
}

int32_t
guard_removexattr(call_frame_t *frame, xlator_t *this, loc_t *loc,
                  const char *name, dict_t *xdata)
{
    int err = guard_refuse_loc(frame, this, loc, xdata);
    dict_t *many = guard_remove_many(name, xdata);
    struct guard_inode *gi = NULL;
    call_stub_t *stub = NULL;

    guard_unsquash(frame);
    if (err)
        return default_removexattr_failure_cbk(frame, err);
    switch (guard_change_kind(frame, this, loc->inode, many, name, xdata)) {
        case GUARD_CHANGE_PASS:
            STACK_WIND_TAIL(frame, FIRST_CHILD(this),
                            FIRST_CHILD(this)->fops->removexattr, loc, name,
                            xdata);
            return 0;
        case GUARD_CHANGE_IDENTITY:
            if (many)
                break;
            STACK_WIND_COOKIE(frame, guard_removexattr_cbk,
                              guard_identity_key(name), FIRST_CHILD(this),
                              FIRST_CHILD(this)->fops->removexattr, loc, name,
                              xdata);
            return 0;
        case GUARD_CHANGE_EXCLUSIVE:
            gi = guard_inode_get(this, loc->inode);
            stub =
                gi ? fop_removexattr_stub(frame, NULL, loc, name, xdata) : NULL;
            if (!stub)
                return default_removexattr_failure_cbk(frame, ENOMEM);
            guard_gate_exclusive(this, gi, stub);
            return 0;
        case GUARD_CHANGE_REFUSE:
            break;
    }
    return default_removexattr_failure_cbk(
        frame, guard_change_refused(frame, this, loc->inode));
}

int32_t
guard_fremovexattr(call_frame_t *frame, xlator_t *this, fd_t *fd,
                   const char *name, dict_t *xdata)
{
    int err = guard_refuse_fd(frame, this, fd, xdata);
    dict_t *many = guard_remove_many(name, xdata);
    struct guard_inode *gi = NULL;
    call_stub_t *stub = NULL;

    guard_unsquash(frame);
    if (err)
        return default_fremovexattr_failure_cbk(frame, err);
    switch (guard_change_kind(frame, this, fd->inode, many, name, xdata)) {
        case GUARD_CHANGE_PASS:
            STACK_WIND_TAIL(frame, FIRST_CHILD(this),
                            FIRST_CHILD(this)->fops->fremovexattr, fd, name,
                            xdata);
            return 0;
        case GUARD_CHANGE_IDENTITY:
            if (many)
                break;
            STACK_WIND_COOKIE(frame, guard_fremovexattr_cbk,
                              guard_identity_key(name), FIRST_CHILD(this),
                              FIRST_CHILD(this)->fops->fremovexattr, fd, name,
                              xdata);
            return 0;
        case GUARD_CHANGE_EXCLUSIVE:
            gi = guard_inode_get(this, fd->inode);
            stub =
                gi ? fop_fremovexattr_stub(frame, NULL, fd, name, xdata) : NULL;
            if (!stub)
                return default_fremovexattr_failure_cbk(frame, ENOMEM);
            guard_gate_exclusive(this, gi, stub);
            return 0;
        case GUARD_CHANGE_REFUSE:
            break;
    }
    return default_fremovexattr_failure_cbk(
        frame, guard_change_refused(frame, this, fd->inode));
}
