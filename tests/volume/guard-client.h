/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* guard-client.h - a GlusterFS client process for guard-probe. */
#ifndef GUARD_CLIENT_H
#define GUARD_CLIENT_H

#include "allot-compat.h"

/** guard_client_fail - say what is wrong and end the process. */
void
guard_client_fail(const char *what) __attribute__((noreturn));

/** guard_client_start - start the graph of @volfile, logging to @log
 * Returns its top; the connections may not be up yet. Ends the process on any
 * failure. */
xlator_t *
guard_client_start(const char *volfile, const char *log);

/** guard_client_up - has the top of the graph said that it is up. A disperse
 * set does when it has heard from all its bricks, or from some after ten
 * seconds. */
int
guard_client_up(void);

#endif /* GUARD_CLIENT_H */
