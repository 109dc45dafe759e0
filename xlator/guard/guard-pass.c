/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-pass.c - the fops that pass as they are, once the caller is served and
 * the place is not hidden from it. Those that show a size are in guard-size.c.
 *
 * Exceptions in what is asked:
 *   - locks may touch hidden places, on connections of allot's, and an
 *     unserved root (replicate and disperse lock on their own);
 *   - statfs passes always: it shows no file, and distribute takes a brick
 *     that refuses it for a full one;
 *   - put, icreate and namelink are refused: no mount sends them, and they
 *     would need create's care.
 */
#include "guard.h"

/* @refused: gives 0 or the errno. */
#define GUARD_PASS(fop, refused, params, args...)            \
    int32_t guard_##fop params                               \
    {                                                        \
        int err = refused;                                   \
                                                             \
        guard_unsquash(frame);                               \
        if (err)                                             \
            return default_##fop##_failure_cbk(frame, err);  \
        STACK_WIND_TAIL(frame, FIRST_CHILD(this),            \
                        FIRST_CHILD(this)->fops->fop, args); \
        return 0;                                            \
    }

#define GUARD_BY_LOC guard_refuse_loc(frame, this, loc, xdata)
#define GUARD_BY_LOCS guard_refuse_locs(frame, this, oldloc, newloc, xdata)
#define GUARD_BY_FD guard_refuse_fd(frame, this, fd, xdata)
#define GUARD_BY_IDENTITY guard_refuse_loc(frame, this, NULL, xdata)
/* Free space tells nobody a lie. Distribute asks before there is an identity,
 * and would take a refusal for a full brick for minutes. */
#define GUARD_ALWAYS 0

/* clang-format off */
GUARD_PASS(readlink, GUARD_BY_LOC,
           (call_frame_t *frame, xlator_t *this, loc_t *loc, size_t size,
            dict_t *xdata),
           loc, size, xdata)
GUARD_PASS(rmdir, GUARD_BY_LOC,
           (call_frame_t *frame, xlator_t *this, loc_t *loc, int flags,
            dict_t *xdata),
           loc, flags, xdata)
GUARD_PASS(link, GUARD_BY_LOCS,
           (call_frame_t *frame, xlator_t *this, loc_t *oldloc, loc_t *newloc,
            dict_t *xdata),
           oldloc, newloc, xdata)
GUARD_PASS(statfs, GUARD_ALWAYS,
           (call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *xdata),
           loc, xdata)
GUARD_PASS(flush, GUARD_BY_FD,
           (call_frame_t *frame, xlator_t *this, fd_t *fd, dict_t *xdata),
           fd, xdata)
GUARD_PASS(opendir, GUARD_BY_LOC,
           (call_frame_t *frame, xlator_t *this, loc_t *loc, fd_t *fd,
            dict_t *xdata),
           loc, fd, xdata)
GUARD_PASS(fsyncdir, GUARD_BY_FD,
           (call_frame_t *frame, xlator_t *this, fd_t *fd, int32_t datasync,
            dict_t *xdata),
           fd, datasync, xdata)
GUARD_PASS(access, GUARD_BY_LOC,
           (call_frame_t *frame, xlator_t *this, loc_t *loc, int32_t mask,
            dict_t *xdata),
           loc, mask, xdata)
GUARD_PASS(lk, guard_refuse_lk(frame, this, fd, cmd, xdata),
           (call_frame_t *frame, xlator_t *this, fd_t *fd, int32_t cmd,
            struct gf_flock *lock, dict_t *xdata),
           fd, cmd, lock, xdata)
GUARD_PASS(inodelk, guard_refuse_internal(frame, this, loc->inode, xdata),
           (call_frame_t *frame, xlator_t *this, const char *volume,
            loc_t *loc, int32_t cmd, struct gf_flock *lock, dict_t *xdata),
           volume, loc, cmd, lock, xdata)
GUARD_PASS(finodelk, guard_refuse_internal(frame, this, fd->inode, xdata),
           (call_frame_t *frame, xlator_t *this, const char *volume, fd_t *fd,
            int32_t cmd, struct gf_flock *lock, dict_t *xdata),
           volume, fd, cmd, lock, xdata)
GUARD_PASS(entrylk, guard_refuse_internal(frame, this, loc->inode, xdata),
           (call_frame_t *frame, xlator_t *this, const char *volume,
            loc_t *loc, const char *basename, entrylk_cmd cmd,
            entrylk_type type, dict_t *xdata),
           volume, loc, basename, cmd, type, xdata)
GUARD_PASS(fentrylk, guard_refuse_internal(frame, this, fd->inode, xdata),
           (call_frame_t *frame, xlator_t *this, const char *volume, fd_t *fd,
            const char *basename, entrylk_cmd cmd, entrylk_type type,
            dict_t *xdata),
           volume, fd, basename, cmd, type, xdata)
GUARD_PASS(lease, GUARD_BY_LOC,
           (call_frame_t *frame, xlator_t *this, loc_t *loc,
            struct gf_lease *lease, dict_t *xdata),
           loc, lease, xdata)
GUARD_PASS(getactivelk, GUARD_BY_LOC,
           (call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *xdata),
           loc, xdata)
GUARD_PASS(setactivelk, GUARD_BY_LOC,
           (call_frame_t *frame, xlator_t *this, loc_t *loc,
            lock_migration_info_t *locklist, dict_t *xdata),
           loc, locklist, xdata)
/* clang-format on */

int32_t
guard_ipc(call_frame_t *frame, xlator_t *this, int32_t op, dict_t *xdata)
{
    int err = GUARD_BY_IDENTITY;

    guard_unsquash(frame);
    if (err)
        STACK_UNWIND_STRICT(ipc, frame, -1, err, NULL);
    else
        STACK_WIND_TAIL(frame, FIRST_CHILD(this), FIRST_CHILD(this)->fops->ipc,
                        op, xdata);
    return 0;
}

int32_t
guard_put(call_frame_t *frame, xlator_t *this, loc_t *loc, mode_t mode,
          mode_t umask, uint32_t flags, struct iovec *vector, int32_t count,
          off_t offset, struct iobref *iobref, dict_t *xattr, dict_t *xdata)
{
    guard_unsquash(frame);
    return default_put_failure_cbk(frame, EOPNOTSUPP);
}

int32_t
guard_icreate(call_frame_t *frame, xlator_t *this, loc_t *loc, mode_t mode,
              dict_t *xdata)
{
    guard_unsquash(frame);
    STACK_UNWIND_STRICT(icreate, frame, -1, EOPNOTSUPP, NULL, NULL, NULL);
    return 0;
}

int32_t
guard_namelink(call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *xdata)
{
    guard_unsquash(frame);
    STACK_UNWIND_STRICT(namelink, frame, -1, EOPNOTSUPP, NULL, NULL, NULL);
    return 0;
}
