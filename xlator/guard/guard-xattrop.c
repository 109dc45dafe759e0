/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-xattrop.c - xattrop and fxattrop: the marks of replicate, and what
 * disperse does before and after it changes data (docs/protocol.md, 2.15).
 *
 *     who sends it                       its answer
 *     self-heal, or no disperse set      as it is
 *     before a data call of allot's      tells the state; through the gate
 *     others                             tells if the brick is being healed
 *
 * Deliberately not here: who may call it (guard_refuse_internal()).
 */
#include "guard.h"

/* The version, in the answer to an xattrop of disperse's; bit 62 of its first
 * half says that the brick's data is being healed. */
#define GUARD_XATTR_DISPERSE_VERSION GUARD_XATTR_DISPERSE_ROOT
#define GUARD_DISPERSE_HEALING 0x40
#define GUARD_XATTR_DISPERSE_DIRTY "trusted.ec.dirty"

static gf_boolean_t
guard_xattrop_heals(dict_t *dict)
{
    data_t *version =
        dict ? dict_get_sizen(dict, GUARD_XATTR_DISPERSE_VERSION) : NULL;

    return version && version->len > 0 &&
           (version->data[0] & GUARD_DISPERSE_HEALING);
}

/* Disperse sends data calls to a brick that is being healed whatever it
 * answers, and fences not at all: it could take a write that the others refuse,
 * and be taken for healed afterwards. So nobody but self-heal hears of it, in
 * whatever call: the brick has another version then, is left alone, and is
 * healed once more for what was written meanwhile. NULL: no memory. */
static dict_t *
guard_xattrop_calm(dict_t *dict)
{
    data_t *version = dict_get_sizen(dict, GUARD_XATTR_DISPERSE_VERSION);
    dict_t *copy = dict_copy_with_ref(dict, NULL);
    char *bytes = GF_MALLOC(version->len, gf_common_mt_char);

    if (bytes) {
        memcpy(bytes, version->data, version->len);
        bytes[0] &= ~GUARD_DISPERSE_HEALING;
    }
    if (copy && bytes &&
        dict_set_bin(copy, GUARD_XATTR_DISPERSE_VERSION, bytes, version->len) ==
            0)
        return copy;
    GF_FREE(bytes);
    if (copy)
        dict_unref(copy);
    return NULL;
}

/* The brick's version may be right all the same, where only its length was not.
 */
#define GUARD_STATE_HEALING (1ULL << 63)

/* What goes with the answer to an xattrop. Disperse takes answers for the same
 * only if they bring the same, and goes on with the bricks of the largest such
 * group for as long as it has its lock: so before a data call bricks of
 * different states are never together in it, and one that is being healed is
 * never with others. *@dict and *@xdata become the caller's. -ENOMEM: the
 * answer is an error.
 */
static int
guard_xattrop_mark(call_frame_t *frame, struct guard_inode *gi, dict_t **dict,
                   dict_t **xdata)
{
    gf_boolean_t heals = guard_xattrop_heals(*dict) && !guard_is_healer(frame);
    gf_boolean_t before = gi && guard_before_data(frame);
    uint64_t state = before ? guard_gate_state(gi) : 0;
    dict_t *calm = NULL;
    dict_t *marked = NULL;

    if (heals) {
        state |= GUARD_STATE_HEALING;
        calm = guard_xattrop_calm(*dict);
    } else if (*dict) {
        calm = dict_ref(*dict);
    }
    if (heals || before) {
        marked = *xdata ? dict_copy_with_ref(*xdata, NULL) : dict_new();
        if (marked && dict_set_uint64(marked, ALLOT_KEY_STATE, state)) {
            dict_unref(marked);
            marked = NULL;
        }
    } else if (*xdata) {
        marked = dict_ref(*xdata);
    }
    if ((!calm && *dict) || (!marked && (*xdata || heals || before))) {
        if (calm)
            dict_unref(calm);
        if (marked)
            dict_unref(marked);
        return -ENOMEM;
    }
    *dict = calm;
    *xdata = marked;
    return 0;
}

/* One for each of the two fops. The cookie is the file that it was counted on,
 * or NULL: it did not pass the gate. */
#define GUARD_XATTROP_CBK(fop)                                                 \
    static int32_t guard_##fop##_cbk(                                          \
        call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret,     \
        int32_t op_errno, dict_t *dict, dict_t *xdata)                         \
    {                                                                          \
        gf_boolean_t marked = _gf_false;                                       \
        inode_t *waiters = NULL;                                               \
                                                                               \
        if (op_ret >= 0 && guard_xattrop_mark(frame, cookie, &dict, &xdata)) { \
            op_ret = -1;                                                       \
            op_errno = ENOMEM;                                                 \
        } else if (op_ret >= 0) {                                              \
            marked = _gf_true;                                                 \
        }                                                                      \
        if (cookie)                                                            \
            waiters = guard_gate_leave(cookie);                                \
        STACK_UNWIND_STRICT(fop, frame, op_ret, op_errno, dict, xdata);        \
        if (cookie)                                                            \
            guard_gate_pump(this, waiters);                                    \
        if (marked && xdata)                                                   \
            dict_unref(xdata);                                                 \
        if (marked && dict)                                                    \
            dict_unref(dict);                                                  \
        return 0;                                                              \
    }

GUARD_XATTROP_CBK(xattrop)
GUARD_XATTROP_CBK(fxattrop)

/* The keys of disperse's xattrops: a brick on which no file of its set has been
 * seen yet knows by them what it is. */
static void
guard_xattrop_learn(xlator_t *this, dict_t *dict)
{
    if (guard_below_set(this) && !guard_dispersed(this) && dict &&
        (dict_get_sizen(dict, GUARD_XATTR_DISPERSE_VERSION) ||
         dict_get_sizen(dict, GUARD_XATTR_DISPERSE) ||
         dict_get_sizen(dict, GUARD_XATTR_DISPERSE_DIRTY)))
        GF_ATOMIC_SWAP(guard_priv(this)->dispersed, 1);
}

/* Of the others: is the answer to be looked at? */
static gf_boolean_t
guard_xattrop_tells(call_frame_t *frame, xlator_t *this, inode_t *inode)
{
    return guard_dispersed(this) && inode && inode->ia_type != IA_IFDIR &&
           !guard_is_healer(frame);
}

/* Disperse is about to change data of @inode for a call of allot's: it passes
 * the gate as that call will. NULL: it does not concern the gate. */
static struct guard_inode *
guard_xattrop_gate(call_frame_t *frame, xlator_t *this, inode_t *inode)
{
    if (!guard_before_data(frame) || !guard_dispersed(this))
        return NULL;
    return guard_inode_get(this, inode);
}

/* What both begin with: 0, GUARD_WAIT, or the errno. *@gi: of the gate. */
static int
guard_xattrop_enter(call_frame_t *frame, xlator_t *this, glusterfs_fop_t fop,
                    inode_t *inode, dict_t *dict, dict_t *xdata,
                    struct guard_inode **gi)
{
    int err = guard_refuse_internal(frame, this, inode, xdata);

    *gi = NULL;
    guard_unsquash(frame);
    guard_xattrop_learn(this, dict);
    if (!err && guard_dict_protected(dict))
        err = guard_change_refused(frame, this, inode);
    if (!err)
        *gi = guard_xattrop_gate(frame, this, inode);
    return *gi ? guard_gate_try(this, *gi, frame, fop, xdata) : err;
}

/* @file: the argument that says which file, @inode: its inode. */
#define GUARD_XATTROP_FOP(fop, FOP, type, file)                                \
    static int32_t guard_##fop##_run(call_frame_t *frame, xlator_t *this,      \
                                     type *file, gf_xattrop_flags_t flags,     \
                                     dict_t *dict, dict_t *xdata)              \
    {                                                                          \
        STACK_WIND_COOKIE(frame, guard_##fop##_cbk,                            \
                          guard_inode_peek(this, file->inode),                 \
                          FIRST_CHILD(this), FIRST_CHILD(this)->fops->fop,     \
                          file, flags, dict, xdata);                           \
        return 0;                                                              \
    }                                                                          \
                                                                               \
    int32_t guard_##fop(call_frame_t *frame, xlator_t *this, type *file,       \
                        gf_xattrop_flags_t flags, dict_t *dict, dict_t *xdata) \
    {                                                                          \
        struct guard_inode *gi = NULL;                                         \
        call_stub_t *stub = NULL;                                              \
        int err = guard_xattrop_enter(frame, this, FOP, file->inode, dict,     \
                                      xdata, &gi);                             \
                                                                               \
        if (gi && err == GUARD_WAIT) {                                         \
            stub = fop_##fop##_stub(frame, guard_##fop##_run, file, flags,     \
                                    dict, xdata);                              \
            if (!stub)                                                         \
                return default_##fop##_failure_cbk(frame, ENOMEM);             \
            guard_gate_wait(this, gi, stub);                                   \
            return 0;                                                          \
        }                                                                      \
        if (err)                                                               \
            return default_##fop##_failure_cbk(frame, err);                    \
        if (gi)                                                                \
            return guard_##fop##_run(frame, this, file, flags, dict, xdata);   \
        if (guard_xattrop_tells(frame, this, file->inode))                     \
            STACK_WIND_COOKIE(frame, guard_##fop##_cbk, NULL,                  \
                              FIRST_CHILD(this), FIRST_CHILD(this)->fops->fop, \
                              file, flags, dict, xdata);                       \
        else                                                                   \
            STACK_WIND_TAIL(frame, FIRST_CHILD(this),                          \
                            FIRST_CHILD(this)->fops->fop, file, flags, dict,   \
                            xdata);                                            \
        return 0;                                                              \
    }

GUARD_XATTROP_FOP(xattrop, GF_FOP_XATTROP, loc_t, loc)
GUARD_XATTROP_FOP(fxattrop, GF_FOP_FXATTROP, fd_t, fd)
