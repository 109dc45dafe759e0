/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-copy.c - copy_file_range, and the refusals of put and icreate.
 *
 * Copying on a brick works inside one base file's brick only. It is passed on
 * between two plain files that stay plain; otherwise EOPNOTSUPP makes the
 * kernel and cp copy by read and write, which shares the data as it should be.
 */
#include "allot-fops.h"
#include "allot-proto.h"

static int32_t
copy_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret,
         int32_t op_errno, struct iatt *stbuf, struct iatt *prebuf_dst,
         struct iatt *postbuf_dst, dict_t *xdata)
{
    /* One of them became spread meanwhile. */
    if (op_ret < 0 && op_errno == ALLOT_ERR_OLD)
        op_errno = EOPNOTSUPP;
    STACK_UNWIND_STRICT(copy_file_range, frame, op_ret, op_errno, stbuf,
                        prebuf_dst, postbuf_dst, xdata);
    return 0;
}

static gf_boolean_t
copy_plain(xlator_t *this, fd_t *fd)
{
    struct allot_inode *ai = allot_inode_peek(this, fd->inode);

    /* Without any history: both then have generation 0, and one call can
     * carry only one. */
    return ai && ai->kind == ALLOT_KIND_PLAIN && !ai->rec;
}

int32_t
allot_copy_file_range(call_frame_t *frame, xlator_t *this, fd_t *fd_in,
                      off64_t off_in, fd_t *fd_out, off64_t off_out, size_t len,
                      uint32_t flags, dict_t *xdata)
{
    xlator_t *ns = allot_priv(this)->ns;
    struct allot_inode *out = allot_inode_peek(this, fd_out->inode);
    dict_t *x = NULL;

    if (!copy_plain(this, fd_in) || !copy_plain(this, fd_out) || off_out < 0 ||
        len > ALLOT_OFFSET_MAX - off_out ||
        !allot_write_stays_plain(this, out, off_out + len)) {
        STACK_UNWIND_STRICT(copy_file_range, frame, -1, EOPNOTSUPP, NULL, NULL,
                            NULL, NULL);
        return 0;
    }
    x = allot_xdata_with_gen(xdata, 0);
    STACK_WIND(frame, copy_cbk, ns, ns->fops->copy_file_range, fd_in, off_in,
               fd_out, off_out, len, flags, x);
    if (x)
        dict_unref(x);
    return 0;
}

int32_t
allot_put(call_frame_t *frame, xlator_t *this, loc_t *loc, mode_t mode,
          mode_t umask, uint32_t flags, struct iovec *vector, int32_t count,
          off_t off, struct iobref *iobref, dict_t *xattr, dict_t *xdata)
{
    STACK_UNWIND_STRICT(put, frame, -1, EOPNOTSUPP, NULL, NULL, NULL, NULL,
                        NULL);
    return 0;
}

int32_t
allot_icreate(call_frame_t *frame, xlator_t *this, loc_t *loc, mode_t mode,
              dict_t *xdata)
{
    STACK_UNWIND_STRICT(icreate, frame, -1, EOPNOTSUPP, NULL, NULL, NULL);
    return 0;
}
