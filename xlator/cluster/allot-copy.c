/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-copy.c - the fops that are refused with EOPNOTSUPP: put, icreate,
 * copy_file_range. Each moves data without readv and writev. Callers fall back
 * to reading and writing, which shares the data as it should be.
 *
 * Not even between two plain files is copy_file_range passed on: neither
 * distribute nor replicate nor disperse implements it, so that GlusterFS's
 * default sends it to their first subvolume only, a wrong brick, or one of the
 * copies.
 */
#include "allot-fops.h"

int32_t
allot_copy_file_range(call_frame_t *frame, xlator_t *this, fd_t *fd_in,
                      off64_t off_in, fd_t *fd_out, off64_t off_out, size_t len,
                      uint32_t flags, dict_t *xdata)
{
    STACK_UNWIND_STRICT(copy_file_range, frame, -1, EOPNOTSUPP, NULL, NULL,
                        NULL, NULL);
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
