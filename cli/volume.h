/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* volume.h - questions that the commands put to the mount, with the errors
 * they print. */
#ifndef ALLOT_VOLUME_H
#define ALLOT_VOLUME_H

#include "document.h"
#include "target.h"

/* On the root; {"files", "bytes", "exact"}: portions on surviving bricks whose
 * base file cannot be reached. */
#define ALLOT_VIRT_UNNAMED "glusterfs.allot.unnamed"

/**
 * allot_volume_status - ask for the state of the bricks
 * Returns 0, or ALLOT_EXIT_ERROR with the error printed. Free with
 * allot_doc_status_clear() in both cases.
 */
int
allot_volume_status(struct allot_target *target, struct allot_doc_status *doc);

/** allot_volume_is_refusal - does -errno @err say that this mount or this user
 * cannot ask (1), rather than something about the file asked for (0). */
int
allot_volume_is_refusal(int err);

/** allot_volume_refused - print why the mount refused the key @key. Returns
 * ALLOT_EXIT_ERROR. */
int
allot_volume_refused(const struct allot_target *target, const char *key,
                     int err);

#endif /* ALLOT_VOLUME_H */
