/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * request.h - what the administrator asked for, read from a brick's volfile.
 *
 * "gluster volume set VOL user.xlator.allot locks" puts user/allot above
 * features/locks in every brick of the volume, and "user.xlator.allot.KEY
 * VALUE" gives it the option KEY. glusterd writes the bricks' volfiles first,
 * so they are right while the volume's info file is still that of before.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "volfile.h"

#define REQUEST_OPTIONS_MAX 16
#define REQUEST_TEXT_MAX 1024

struct request {
    int asked;       /* user/allot stands in the brick */
    const char *why; /* asked, but it cannot be done: a sentence, else NULL */
    /* Options for cluster/allot that are valid; the brick volfile's. */
    struct volfile_option options[REQUEST_OPTIONS_MAX];
    int option_count;
    int replicate; /* namespace replicate is among them */
    int quota;     /* quota is on */
    int trash;     /* features.trash is on, or was before the filter came */
    /* "key=value,key=value": what was left out; safe in a volfile. */
    char rejected[REQUEST_TEXT_MAX];
};

/** request_read - what a brick's volfile asks for
 * @brick: has a storage/posix; must outlive @req, which points into it. */
void
request_read(const struct volfile *brick, struct request *req);

/** REQUEST_GUARD_REJECTED - the guard's option with what the filter has taken
 * from it, for request_read() to hear of. No setting gets this name: glusterd
 * takes what stands behind its last dot. */
#define REQUEST_GUARD_REJECTED "filter.rejected"

/** REQUEST_GUARD_BESIDE - the guard's option with what the filter has switched
 * off in the brick: "trash". */
#define REQUEST_GUARD_BESIDE "filter.beside"

/**
 * request_guard - what is wrong with the guard in a brick's volfile
 * @req: asked, why (it stands in the wrong place), rejected and trash (the note
 *     of that is missing) are filled
 * Returns 1: it must be written anew; 0: not, or there is none.
 */
int
request_guard(const struct volfile *brick, struct request *req);

/** request_trash_is_on - does features/trash of a brick keep what is removed?
 */
int
request_trash_is_on(const struct volfile *brick);

/** request_guard_keeps - may the guard have this option? With a value of its
 * own that is not valid the brick would not start. */
int
request_guard_keeps(const struct volfile_option *opt);

/** request_reject - add "@key=@value" to req->rejected. */
void
request_reject(struct request *req, const char *key, const char *value);

/** request_drop - take option @key out again, as rejected. */
void
request_drop(struct request *req, const char *key);

/** request_option_valid - would cluster/allot take @key with @value
 * 1: yes. 0: no. -1: it has no such option. */
int
request_option_valid(const char *key, const char *value);

#endif /* REQUEST_H */
