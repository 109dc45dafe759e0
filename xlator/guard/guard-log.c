/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * guard-log.c - refused calls in the log. A client without allot may walk over
 * a million files: a file is named once a minute, a client at most LOG_LINES
 * times in LOG_SECONDS, and how many calls were left out is said when the next
 * one is refused after that, or its connection ends.
 */
#include "guard.h"

#define LOG_LINES 20
#define LOG_SECONDS 60

/* That of the client's connection. Calls of the brick's own process, and those
 * for which there is no memory, share one. */
static struct guard_refusals *
guard_refusals_of(struct guard_priv *priv, client_t *client)
{
    struct guard_refusals *fresh = NULL;
    void *have = NULL;

    if (!client)
        return &priv->refusals;
    if (client_ctx_get(client, priv, &have) == 0 && have)
        return have;
    fresh = GF_CALLOC(1, sizeof(*fresh), guard_mt_refusals);
    /* Another call's, if one was faster. */
    have = fresh ? client_ctx_set(client, priv, fresh) : NULL;
    if (have != fresh)
        GF_FREE(fresh);
    return have ? have : &priv->refusals;
}

static void
guard_log_more(xlator_t *this, const char *client, uint64_t more)
{
    if (more)
        gf_msg(this->name, GF_LOG_WARNING, EPERM, GUARD_MSG_REFUSED,
               "refused to client %s before this %" PRIu64
               " more calls that are not logged",
               client, more);
}

int32_t
guard_client_destroy(xlator_t *this, client_t *client)
{
    struct guard_refusals *refusals = NULL;
    void *have = NULL;

    if (client_ctx_del(client, guard_priv(this), &have) != 0 || !have)
        return 0;
    refusals = have;
    guard_log_more(this, client->client_uid, refusals->more);
    GF_FREE(refusals);
    return 0;
}

static gf_boolean_t
guard_log_over(time_t since, time_t now, time_t seconds)
{
    return now < since || now - since >= seconds;
}

/* Was the last line about this file, or about none, long enough ago? Only a
 * line that is @shown counts: one client must not silence another one. */
static gf_boolean_t
guard_log_due(struct guard_priv *priv, struct guard_inode *gi, time_t now,
              gf_boolean_t shown)
{
    gf_lock_t *lock = gi ? &gi->lock : &priv->lock;
    time_t *at = gi ? &gi->logged_at : &priv->logged_at;
    gf_boolean_t due = _gf_false;

    LOCK(lock);
    {
        due = guard_log_over(*at, now, gi ? LOG_SECONDS : 5);
        if (due && shown)
            *at = now;
    }
    UNLOCK(lock);
    return due;
}

void
guard_log_refused(xlator_t *this, call_frame_t *frame, struct guard_inode *gi,
                  const uuid_t gfid, const char *what)
{
    struct guard_priv *priv = guard_priv(this);
    client_t *client = frame->root->client;
    const char *name = client ? client->client_uid : "local";
    struct guard_refusals *refusals = NULL;
    time_t now = gf_time();
    gf_boolean_t due = guard_log_due(priv, gi, now, _gf_false);
    gf_boolean_t shown = _gf_false;
    uint64_t more = 0;
    char text[GF_UUID_BUF_SIZE];

    refusals = guard_refusals_of(priv, client);
    LOCK(&priv->lock);
    {
        if (guard_log_over(refusals->since, now, LOG_SECONDS)) {
            more = refusals->more;
            refusals->since = now;
            refusals->lines = 0;
            refusals->more = 0;
        }
        shown = due && refusals->lines < LOG_LINES;
        if (shown)
            refusals->lines++;
        else
            refusals->more++;
    }
    UNLOCK(&priv->lock);
    guard_log_more(this, name, more);
    if (!shown)
        return;
    guard_log_due(priv, gi, now, _gf_true);
    gf_msg(this->name, GF_LOG_WARNING, EPERM, GUARD_MSG_REFUSED,
           "refused %s to client %s (pid %d, %s), gfid %s", what, name,
           frame->root->pid, gf_fop_list[frame->root->op],
           uuid_utoa_r((unsigned char *)gfid, text));
}
