/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-stop.c - stopping a client at a named step of a protocol, see
 * allot-stop.h. Which step a call belongs to is the protocols' to say.
 */
#include "allot-stop.h"
#include <signal.h>

static const char *const stop_names[] = {"none",
#define ALLOT_STOP_NAME(id, name) name,
                                         ALLOT_STOPS(ALLOT_STOP_NAME)
#undef ALLOT_STOP_NAME
};

static int
stop_find(const char *name, size_t len)
{
    int i = 0;

    for (i = 0; i < ALLOT_STOP_COUNT; i++)
        if (strlen(stop_names[i]) == len && !strncmp(stop_names[i], name, len))
            return i;
    return -EINVAL;
}

int
allot_stop_parse(const char *names, uint64_t *stops)
{
    uint64_t bits = 0;
    size_t len = 0;
    int at = 0;

    for (; *names; names += len + (names[len] == ',')) {
        len = strcspn(names, ",");
        at = stop_find(names, len);
        if (at < 0)
            return at;
        bits |= 1ULL << at;
    }
    *stops = bits & ~1ULL; /* "none" */
    return 0;
}

void
allot_stop_now(xlator_t *this, enum allot_stop at)
{
    uint64_t was = __atomic_fetch_and(&allot_priv(this)->opt.stops,
                                      ~(1ULL << at), __ATOMIC_SEQ_CST);

    /* Once: who goes on does not want to stop at the next file again. */
    if (!(was >> at & 1))
        return;
    gf_msg(this->name, GF_LOG_WARNING, 0, ALLOT_MSG_DEBUG_STOP,
           "debug-stop-at: stopped at %s", stop_names[at]);
    /* It stops the process, not only this thread. Not kill(): another thread
     * may take that signal, and this one would go on for a moment. */
    raise(SIGSTOP);
}
