/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-probe.h - what the parts of guard-probe share.
 */
#ifndef GUARD_PROBE_H
#define GUARD_PROBE_H

#include "allot-compat.h"
#include <glusterfs/xlator.h>
#include "allot-codec.h"

/* guard-probe.c: the one command that this thread makes */

extern xlator_t *brick;
extern __thread dict_t *xdata; /* what the call carries */

void
say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Write the beginning of the answer; 1 if the call worked. */
int
answer(int ret);

void
put_u64(dict_t *dict, char *key, uint64_t value);

/* A loc for word[1]: the inode if it is known, and {parent, name}. */
void
loc_make(loc_t *loc);

/* The fd of word[1], not a reference. */
fd_t *
open_fd(void);

/* Remember what word[1] is. @fd may be NULL. */
void
keep(loc_t *loc, struct iatt *iatt, fd_t *fd);

/* Sets @dict, and drops it. */
void
set_xattr(dict_t *dict);

/* guard-probe-disk.c */

#define PORTION_NONCE 77

/* A dict with one value, a copy. */
dict_t *
one_value(char *key, const void *bytes, int64_t len);

/* The base of the portion that the command names. */
void
portion_base(uint8_t base_gfid[16]);

/* The xattr of that portion. */
dict_t *
portion(uint64_t gen);

void
do_publish(void);
void
do_fence(void);
void
do_raise(void);
void
do_republish(void);

#endif /* GUARD_PROBE_H */
