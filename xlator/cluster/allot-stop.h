/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-stop.h - named steps of the protocols at which a client can be made to
 * stop, for tests: option debug-stop-at. The client's whole process stops there
 * (SIGSTOP), once for each step named, so that nothing more leaves it: a test
 * looks at the volume through another client, and then either kills the stopped
 * one (a death exactly there) or lets it go on (a client that stalled).
 *
 * docs/protocol.md names each of them in its tables of steps;
 * tests/volume/docs-protocol.sh compares. It costs a step one branch.
 */
#ifndef ALLOT_STOP_H
#define ALLOT_STOP_H

#include "allot.h"

/* Each is right after the step that it is named for. "some": after a part of
 * the calls that otherwise go out together. */
#define ALLOT_STOPS(X)                          \
    X(REGISTER_LOCKED, "register-locked")       \
    X(REGISTER_FORMING, "register-forming")     \
    X(REGISTER_SOME, "register-some")           \
    X(REGISTER_IDS, "register-ids")             \
    X(REGISTER_ACTIVE, "register-active")       \
    X(JOIN_ID, "join-id")                       \
    X(ADOPT_LOCKED, "adopt-locked")             \
    X(ADOPT_MARKED, "adopt-marked")             \
    X(ADOPT_REGISTRY, "adopt-registry")         \
    X(ADOPT_ID, "adopt-id")                     \
    X(GROW_CREATED, "grow-created")             \
    X(GROW_FILLED, "grow-filled")               \
    X(GROW_PUBLISHED, "grow-published")         \
    X(GROW_LOST, "grow-lost")                   \
    X(WRITE_DIRTY, "write-dirty")               \
    X(WRITE_SOME, "write-some")                 \
    X(WRITE_DONE, "write-done")                 \
    X(FENCE_SOME, "fence-some")                 \
    X(SETTLE_FENCED, "settle-fenced")           \
    X(SETTLE_GLIMPSED, "settle-glimpsed")       \
    X(SETTLE_PUBLISHED, "settle-published")     \
    X(FSYNC_PORTIONS, "fsync-portions")         \
    X(FSYNC_PUBLISHED, "fsync-published")       \
    X(TRUNCATE_PUBLISHED, "truncate-published") \
    X(TRUNCATE_FENCED, "truncate-fenced")       \
    X(TRUNCATE_CLEARED, "truncate-cleared")     \
    X(INLINE_FENCED, "inline-fenced")           \
    X(INLINE_CUT, "inline-cut")                 \
    X(INLINE_PUBLISHED, "inline-published")     \
    X(INLINE_BASE, "inline-base")               \
    X(INLINE_REMOVED, "inline-removed")         \
    X(EXTEND_PUBLISHED, "extend-published")     \
    X(APPEND_FENCED, "append-fenced")           \
    X(APPEND_GLIMPSED, "append-glimpsed")       \
    X(APPEND_CREATED, "append-created")         \
    X(APPEND_COPIED, "append-copied")           \
    X(APPEND_PUBLISHED, "append-published")     \
    X(APPEND_FENCED_AGAIN, "append-done")       \
    X(BEHIND_FENCED, "behind-fenced")           \
    X(AHEAD_PUBLISHED, "ahead-published")       \
    X(UNLINK_OPENED, "unlink-opened")           \
    X(UNLINK_NAME, "unlink-name")               \
    X(UNLINK_ASKED, "unlink-asked")             \
    X(UNLINK_REMOVED, "unlink-removed")         \
    X(LOCK_TAKEN, "lock-taken")                 \
    X(LOCK_LOCATED, "lock-located")             \
    X(LOCK_WRITTEN, "lock-written")

#define ALLOT_STOP_ENUM(id, name) ALLOT_STOP_##id,
enum allot_stop {
    ALLOT_STOP_NONE = 0,
    ALLOT_STOPS(ALLOT_STOP_ENUM) ALLOT_STOP_COUNT,
};
#undef ALLOT_STOP_ENUM
_Static_assert(ALLOT_STOP_COUNT <= 64, "a bit of opt.stops each");

/** allot_stop_parse - "none", or names of steps with commas between them
 * @stops: bit n for enum allot_stop n. 0, or -EINVAL for an unknown name. */
int
allot_stop_parse(const char *names, uint64_t *stops);

/** allot_stop_now - log the step and stop the process; each step does so once
 * after the option was set. Any context without locks. Returns when somebody
 * continues the process. */
void
allot_stop_now(xlator_t *this, enum allot_stop at);

/** allot_stopping - is this step one to stop at. */
static inline gf_boolean_t
allot_stopping(xlator_t *this, enum allot_stop at)
{
    return __builtin_expect(allot_priv(this)->opt.stops >> at & 1, 0);
}

/** allot_stop - stop here if the option says so. As allot_stop_now(). */
static inline void
allot_stop(xlator_t *this, enum allot_stop at)
{
    if (allot_stopping(this, at))
        allot_stop_now(this, at);
}

#endif /* ALLOT_STOP_H */
