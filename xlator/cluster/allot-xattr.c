/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-xattr.c - the fops on extended attributes.
 *
 *   trusted.allot.*    ours, on disk: not seen, not set, not removed from above
 *   glusterfs.allot.*  virtual, for root: status, report, layout, map,
 *                      children, unnamed; adopt and set
 *   everything else    the namespace's, one call
 *
 * Deliberately not here: the documents themselves (allot-status.c,
 * allot-report.c); allot's own calls, which go to the children directly.
 */
#include "allot-names.h"
#include "allot-proto.h"

#define VIRT_UNNAMED ALLOT_VIRT_PREFIX "unnamed"

static gf_boolean_t
allot_key_disk(const char *key)
{
    return strncmp(key, ALLOT_XATTR_PREFIX, SLEN(ALLOT_XATTR_PREFIX)) == 0;
}

static gf_boolean_t
allot_key_virtual(const char *key)
{
    return strncmp(key, ALLOT_VIRT_PREFIX, SLEN(ALLOT_VIRT_PREFIX)) == 0;
}

static gf_boolean_t
allot_key_ours(const char *key)
{
    return allot_key_disk(key) || allot_key_virtual(key);
}

static int
allot_key_find_fn(dict_t *dict, char *key, data_t *value, void *data)
{
    if (!allot_key_ours(key))
        return 0;
    *(gf_boolean_t *)data = _gf_true;
    return -1;
}

/* Does @dict (may be NULL) have one of our keys. */
static gf_boolean_t
allot_dict_ours(dict_t *dict)
{
    gf_boolean_t found = _gf_false;

    if (dict)
        dict_foreach(dict, allot_key_find_fn, &found);
    return found;
}

/* ---- getxattr, fgetxattr ---------------------------------------------------
 */

/* The two fops answer with the same arguments but are two types. */
static void
allot_getxattr_reply(call_frame_t *frame, gf_boolean_t by_fd, int32_t op_ret,
                     int32_t op_errno, dict_t *dict, dict_t *xdata)
{
    if (by_fd)
        STACK_UNWIND_STRICT(fgetxattr, frame, op_ret, op_errno, dict, xdata);
    else
        STACK_UNWIND_STRICT(getxattr, frame, op_ret, op_errno, dict, xdata);
}

/* Answer with a document. @text is malloc'ed and taken over; NULL: @err. The
 * value goes up without the trailing NUL, as getfattr prints it. */
static void
allot_virtual_reply(call_frame_t *frame, gf_boolean_t by_fd, const char *key,
                    char *text, int err)
{
    dict_t *dict = NULL;
    size_t len = 0;
    void *value = NULL;

    if (!text) {
        allot_getxattr_reply(frame, by_fd, -1, err > 0 ? err : ENOMEM, NULL,
                             NULL);
        return;
    }
    len = strlen(text);
    dict = dict_new();
    value = GF_MALLOC(len + 1, allot_mt_misc);
    if (dict && value) {
        memcpy(value, text, len + 1);
        if (dict_set_dynptr(dict, (char *)key, value, len) == 0)
            value = NULL; /* the dict's now */
    }
    free(text);
    if (!dict || value)
        allot_getxattr_reply(frame, by_fd, -1, ENOMEM, NULL, NULL);
    else
        /* 0, not the length: libgfapi takes a length for an answer that has no
         * value. */
        allot_getxattr_reply(frame, by_fd, 0, 0, dict, NULL);
    GF_FREE(value);
    if (dict)
        dict_unref(dict);
}

/* What stands behind "KEY." in @name: "" if it is @key alone, NULL if it is
 * another key. */
static const char *
allot_key_rest(const char *name, const char *key)
{
    size_t len = strlen(key);

    if (strncmp(name, key, len) != 0)
        return NULL;
    if (!name[len])
        return name + len;
    return name[len] == '.' && name[len + 1] ? name + len + 1 : NULL;
}

/* ALLOT_VIRT_MAP, or with an offset behind it. */
static gf_boolean_t
allot_key_map(const char *name)
{
    const char *rest = allot_key_rest(name, ALLOT_VIRT_MAP);

    return rest && strlen(rest) <= 19 &&
           strspn(rest, "0123456789") == strlen(rest);
}

/* Of a spread file only: for the rest the namespace knows. */
static gf_boolean_t
allot_key_pathinfo(const char *name)
{
    return strcmp(name, GF_XATTR_PATHINFO_KEY) == 0 ||
           strcmp(name, GF_XATTR_USER_PATHINFO_KEY) == 0;
}

/* ALLOT_VIRT_CHILDREN, or with a cursor behind it. */
static gf_boolean_t
allot_key_children(const char *name)
{
    const char *rest = allot_key_rest(name, ALLOT_VIRT_CHILDREN);

    return rest && strlen(rest) <= 33 &&
           strspn(rest, "0123456789abcdef-") == strlen(rest);
}

/* A document for which calls must be made. */
struct allot_virtual_op {
    call_frame_t *frame;
    inode_t *inode;
    const char *key; /* one of the constants, or asked */
    char asked[80];  /* the key with an offset or cursor behind it */
    gf_boolean_t by_fd;
};

static void
allot_virtual_task(xlator_t *this, void *arg)
{
    struct allot_virtual_op *op = arg;
    char *text = NULL;
    int err = 0;

    if (strcmp(op->key, VIRT_UNNAMED) == 0)
        text = allot_unnamed_json(this);
    else if (allot_key_pathinfo(op->key))
        text = allot_pathinfo_text(this, op->inode, &err);
    else if (allot_key_map(op->key))
        text = allot_map_json(
            this, op->inode,
            strtoull(allot_key_rest(op->key, ALLOT_VIRT_MAP), NULL, 10), &err);
    else if (allot_key_rest(op->key, ALLOT_VIRT_CHILDREN))
        text = allot_children_json(this, op->inode,
                                   allot_key_rest(op->key, ALLOT_VIRT_CHILDREN),
                                   &err);
    else
        text = allot_report_json(this, op->inode,
                                 strcmp(op->key, ALLOT_VIRT_REPORT) == 0, NULL,
                                 NULL, &err);
    allot_virtual_reply(op->frame, op->by_fd, op->key, text, err);
    inode_unref(op->inode);
    GF_FREE(op);
}

static void
allot_virtual_run(call_frame_t *frame, xlator_t *this, inode_t *inode,
                  const char *key, gf_boolean_t by_fd)
{
    struct allot_virtual_op *op = GF_CALLOC(1, sizeof(*op), allot_mt_local);

    if (op) {
        op->frame = frame;
        op->inode = inode_ref(inode);
        /* The caller's does not outlive the call. */
        snprintf(op->asked, sizeof(op->asked), "%s", key);
        op->key = op->asked;
        op->by_fd = by_fd;
        if (allot_run(this, inode, _gf_false, allot_virtual_task, op) == 0)
            return;
        inode_unref(op->inode);
        GF_FREE(op);
    }
    allot_getxattr_reply(frame, by_fd, -1, ENOMEM, NULL, NULL);
}

/* The status needs nothing but memory, and of bricks of sets whether they know
 * of something that is to be healed. @data: the frame. */
static void
allot_status_by_path(xlator_t *this, const int8_t *pending, void *data)
{
    allot_virtual_reply(data, _gf_false, ALLOT_VIRT_STATUS,
                        allot_status_json(this, pending), ENOMEM);
}

static void
allot_status_by_fd(xlator_t *this, const int8_t *pending, void *data)
{
    allot_virtual_reply(data, _gf_true, ALLOT_VIRT_STATUS,
                        allot_status_json(this, pending), ENOMEM);
}

static void
allot_virtual_get(call_frame_t *frame, xlator_t *this, inode_t *inode,
                  const char *name, gf_boolean_t by_fd)
{
    if (frame->root->uid != 0) {
        allot_getxattr_reply(frame, by_fd, -1, EPERM, NULL, NULL);
        return;
    }
    if (strcmp(name, ALLOT_VIRT_STATUS) == 0 && IA_ISDIR(inode->ia_type)) {
        allot_heals_ask(this, by_fd ? allot_status_by_fd : allot_status_by_path,
                        frame);
    } else if (strcmp(name, ALLOT_VIRT_REPORT) == 0 &&
               IA_ISREG(inode->ia_type)) {
        allot_virtual_run(frame, this, inode, ALLOT_VIRT_REPORT, by_fd);
    } else if (strcmp(name, ALLOT_VIRT_LAYOUT) == 0 &&
               IA_ISREG(inode->ia_type)) {
        allot_virtual_run(frame, this, inode, ALLOT_VIRT_LAYOUT, by_fd);
    } else if (allot_key_map(name) && IA_ISREG(inode->ia_type)) {
        allot_virtual_run(frame, this, inode, name, by_fd);
    } else if (allot_key_children(name) && IA_ISDIR(inode->ia_type)) {
        allot_virtual_run(frame, this, inode, name, by_fd);
    } else if (strcmp(name, VIRT_UNNAMED) == 0 && __is_root_gfid(inode->gfid)) {
        allot_virtual_run(frame, this, inode, VIRT_UNNAMED, by_fd);
    } else {
        /* The guard's handshake too: it is not for those above. */
        allot_getxattr_reply(frame, by_fd, -1, ENODATA, NULL, NULL);
    }
}

static void
allot_dict_hide(dict_t *dict)
{
    if (dict)
        dict_foreach_fnmatch(dict, ALLOT_XATTR_PREFIX "*",
                             dict_remove_foreach_fn, NULL);
}

static int32_t
allot_getxattr_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                   int32_t op_ret, int32_t op_errno, dict_t *dict,
                   dict_t *xdata)
{
    allot_dict_hide(dict);
    STACK_UNWIND_STRICT(getxattr, frame, op_ret, op_errno, dict, xdata);
    return 0;
}

static int32_t
allot_fgetxattr_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                    int32_t op_ret, int32_t op_errno, dict_t *dict,
                    dict_t *xdata)
{
    allot_dict_hide(dict);
    STACK_UNWIND_STRICT(fgetxattr, frame, op_ret, op_errno, dict, xdata);
    return 0;
}

int32_t
allot_getxattr(call_frame_t *frame, xlator_t *this, loc_t *loc,
               const char *name, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    if (allot_hidden_loc(loc))
        STACK_UNWIND_STRICT(getxattr, frame, -1, ENOENT, NULL, NULL);
    else if (!name)
        STACK_WIND(frame, allot_getxattr_cbk, ns, ns->fops->getxattr, loc, name,
                   xdata);
    else if (allot_key_disk(name))
        STACK_UNWIND_STRICT(getxattr, frame, -1, ENODATA, NULL, NULL);
    else if (allot_key_virtual(name))
        allot_virtual_get(frame, this, loc->inode, name, _gf_false);
    else if (allot_key_pathinfo(name) && allot_known_spread(this, loc->inode))
        allot_virtual_run(frame, this, loc->inode, name, _gf_false);
    else
        STACK_WIND_TAIL(frame, ns, ns->fops->getxattr, loc, name, xdata);
    return 0;
}

int32_t
allot_fgetxattr(call_frame_t *frame, xlator_t *this, fd_t *fd, const char *name,
                dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    if (!name)
        STACK_WIND(frame, allot_fgetxattr_cbk, ns, ns->fops->fgetxattr, fd,
                   name, xdata);
    else if (allot_key_disk(name))
        STACK_UNWIND_STRICT(fgetxattr, frame, -1, ENODATA, NULL, NULL);
    else if (allot_key_virtual(name))
        allot_virtual_get(frame, this, fd->inode, name, _gf_true);
    else if (allot_key_pathinfo(name) && allot_known_spread(this, fd->inode))
        allot_virtual_run(frame, this, fd->inode, name, _gf_true);
    else
        STACK_WIND_TAIL(frame, ns, ns->fops->fgetxattr, fd, name, xdata);
    return 0;
}

/* ---- setxattr, removexattr -------------------------------------------------
 *
 * The answer of these carries the base's iatts before and after in xdata, for
 * md-cache. A spread file's size is not in them: they are taken out, and
 * md-cache asks when it needs one.
 */

static void
allot_xdata_no_iatts(dict_t *xdata)
{
    if (!xdata)
        return;
    dict_del(xdata, GF_PRESTAT);
    dict_del(xdata, GF_POSTSTAT);
}

static int32_t
allot_setxattr_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                   int32_t op_ret, int32_t op_errno, dict_t *xdata)
{
    allot_xdata_no_iatts(xdata);
    STACK_UNWIND_STRICT(setxattr, frame, op_ret, op_errno, xdata);
    return 0;
}

static int32_t
allot_fsetxattr_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                    int32_t op_ret, int32_t op_errno, dict_t *xdata)
{
    allot_xdata_no_iatts(xdata);
    STACK_UNWIND_STRICT(fsetxattr, frame, op_ret, op_errno, xdata);
    return 0;
}

static int32_t
allot_removexattr_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                      int32_t op_ret, int32_t op_errno, dict_t *xdata)
{
    allot_xdata_no_iatts(xdata);
    STACK_UNWIND_STRICT(removexattr, frame, op_ret, op_errno, xdata);
    return 0;
}

static int32_t
allot_fremovexattr_cbk(call_frame_t *frame, void *cookie, xlator_t *this,
                       int32_t op_ret, int32_t op_errno, dict_t *xdata)
{
    allot_xdata_no_iatts(xdata);
    STACK_UNWIND_STRICT(fremovexattr, frame, op_ret, op_errno, xdata);
    return 0;
}

/* What an administrator asks for. */
struct allot_adopt_op {
    call_frame_t *frame;
    int state; /* enum allot_admin_state; -1: adopt */
    char name[ALLOT_NAME_MAX + 1];
};

/* The state that a value of ALLOT_VIRT_SET begins with; *@skip: where the name
 * is. -1: none of them. */
static int
allot_admin_state(const char *value, size_t len, size_t *skip)
{
    static const struct {
        const char *word;
        int state;
    } words[] = {
        {"lost ", ALLOT_ADMIN_LOST},
        {"draining ", ALLOT_ADMIN_DRAINING},
        {"clear ", ALLOT_ADMIN_NONE},
    };
    size_t i = 0;

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        *skip = strlen(words[i].word);
        if (len > *skip && strncmp(value, words[i].word, *skip) == 0)
            return words[i].state;
    }
    return -1;
}

static void
allot_adopt_task(xlator_t *this, void *arg)
{
    struct allot_adopt_op *op = arg;
    int ret = op->state < 0 ? allot_bricks_adopt(this, op->name)
                            : allot_bricks_set(this, op->name, op->state);
    int err = ret < 0 ? -ret : 0;

    if (err)
        ret = -1;
    /* No such subvolume. mount/fuse turns ENOENT, which means a file to it,
     * into ESTALE. */
    if (err == ENOENT)
        err = ENODEV;
    STACK_UNWIND_STRICT(setxattr, op->frame, ret, err, NULL);
    GF_FREE(op);
}

static void
allot_adopt(call_frame_t *frame, xlator_t *this, data_t *value,
            gf_boolean_t set)
{
    struct allot_adopt_op *op = NULL;
    size_t len = value->len > 0 ? strnlen(value->data, value->len) : 0;
    size_t skip = 0;
    int state = -1;
    int err = EINVAL;

    if (set) {
        state = allot_admin_state(value->data, len, &skip);
        if (state < 0)
            goto fail;
        len -= skip;
    }
    if (len == 0 || len > ALLOT_NAME_MAX)
        goto fail;
    err = ENOMEM;
    op = GF_CALLOC(1, sizeof(*op), allot_mt_local);
    if (!op)
        goto fail;
    op->frame = frame;
    op->state = state;
    memcpy(op->name, value->data + skip, len);
    if (allot_run(this, NULL, _gf_false, allot_adopt_task, op) == 0)
        return;
    GF_FREE(op);
fail:
    STACK_UNWIND_STRICT(setxattr, frame, -1, err, NULL);
}

int32_t
allot_setxattr(call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *dict,
               int32_t flags, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;
    data_t *adopt = NULL;
    data_t *set = NULL;

    if (allot_hidden_loc(loc) || allot_dict_ours(dict)) {
        adopt = dict ? dict_get(dict, ALLOT_VIRT_ADOPT) : NULL;
        set = dict ? dict_get(dict, ALLOT_VIRT_SET) : NULL;
        if ((adopt || set) && dict->count == 1 && frame->root->uid == 0 &&
            loc->inode && __is_root_gfid(loc->inode->gfid))
            allot_adopt(frame, this, set ? set : adopt, !!set);
        else
            STACK_UNWIND_STRICT(setxattr, frame, -1, EPERM, NULL);
    } else if (allot_known_spread(this, loc->inode)) {
        STACK_WIND(frame, allot_setxattr_cbk, ns, ns->fops->setxattr, loc, dict,
                   flags, xdata);
    } else {
        STACK_WIND_TAIL(frame, ns, ns->fops->setxattr, loc, dict, flags, xdata);
    }
    return 0;
}

int32_t
allot_fsetxattr(call_frame_t *frame, xlator_t *this, fd_t *fd, dict_t *dict,
                int32_t flags, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    if (allot_dict_ours(dict))
        STACK_UNWIND_STRICT(fsetxattr, frame, -1, EPERM, NULL);
    else if (allot_known_spread(this, fd->inode))
        STACK_WIND(frame, allot_fsetxattr_cbk, ns, ns->fops->fsetxattr, fd,
                   dict, flags, xdata);
    else
        STACK_WIND_TAIL(frame, ns, ns->fops->fsetxattr, fd, dict, flags, xdata);
    return 0;
}

/* An empty name removes every key of xdata at once. */
static gf_boolean_t
allot_remove_ours(const char *name, dict_t *xdata)
{
    if (!name)
        return _gf_false;
    return name[0] ? allot_key_ours(name) : allot_dict_ours(xdata);
}

int32_t
allot_removexattr(call_frame_t *frame, xlator_t *this, loc_t *loc,
                  const char *name, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    if (allot_hidden_loc(loc) || allot_remove_ours(name, xdata))
        STACK_UNWIND_STRICT(removexattr, frame, -1, EPERM, NULL);
    else if (allot_known_spread(this, loc->inode))
        STACK_WIND(frame, allot_removexattr_cbk, ns, ns->fops->removexattr, loc,
                   name, xdata);
    else
        STACK_WIND_TAIL(frame, ns, ns->fops->removexattr, loc, name, xdata);
    return 0;
}

int32_t
allot_fremovexattr(call_frame_t *frame, xlator_t *this, fd_t *fd,
                   const char *name, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    if (allot_remove_ours(name, xdata))
        STACK_UNWIND_STRICT(fremovexattr, frame, -1, EPERM, NULL);
    else if (allot_known_spread(this, fd->inode))
        STACK_WIND(frame, allot_fremovexattr_cbk, ns, ns->fops->fremovexattr,
                   fd, name, xdata);
    else
        STACK_WIND_TAIL(frame, ns, ns->fops->fremovexattr, fd, name, xdata);
    return 0;
}

/* ---- xattrop, fxattrop -----------------------------------------------------
 */

int32_t
allot_xattrop(call_frame_t *frame, xlator_t *this, loc_t *loc,
              gf_xattrop_flags_t optype, dict_t *xattr, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    if (allot_hidden_loc(loc) || allot_dict_ours(xattr))
        STACK_UNWIND_STRICT(xattrop, frame, -1, EPERM, NULL, NULL);
    else
        STACK_WIND_TAIL(frame, ns, ns->fops->xattrop, loc, optype, xattr,
                        xdata);
    return 0;
}

int32_t
allot_fxattrop(call_frame_t *frame, xlator_t *this, fd_t *fd,
               gf_xattrop_flags_t optype, dict_t *xattr, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;

    if (allot_dict_ours(xattr))
        STACK_UNWIND_STRICT(fxattrop, frame, -1, EPERM, NULL, NULL);
    else
        STACK_WIND_TAIL(frame, ns, ns->fops->fxattrop, fd, optype, xattr,
                        xdata);
    return 0;
}
