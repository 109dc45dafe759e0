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
    /* "key=value,key=value": what was left out; safe in a volfile. */
    char rejected[REQUEST_TEXT_MAX];
};

/** request_read - what a brick's volfile asks for
 * @brick: has a storage/posix; must outlive @req, which points into it. */
void
request_read(const struct volfile *brick, struct request *req);

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
