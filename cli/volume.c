/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* volume.c - see volume.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allot-wire.h"
#include "volume.h"

int
allot_volume_is_refusal(int err)
{
    return err == -EPERM || err == -EACCES || err == -ENODATA ||
           err == -EOPNOTSUPP;
}

int
allot_volume_refused(const struct allot_target *target, const char *key,
                     int err)
{
    allot_cli_errno(-err);
    if (allot_volume_is_refusal(err) && geteuid() != 0)
        return allot_cli_error("'%s' did not answer %s: %s; run this as root",
                               target->shown, key, strerror(-err));
    if (err == -ENODATA || err == -EOPNOTSUPP)
        return allot_cli_error(
            "'%s' did not answer %s: %s; name a directory of a volume whose "
            "client graph has cluster/allot",
            target->shown, key, strerror(-err));
    return allot_cli_error(
        "'%s' did not answer %s: %s; check that the volume is mounted and its "
        "bricks run",
        target->shown, key, strerror(-err));
}

int
allot_volume_status(struct allot_target *target, struct allot_doc_status *doc)
{
    struct allot_doc_error err;
    char *text;
    ssize_t len;
    int ret;

    memset(doc, 0, sizeof(*doc));
    len = allot_target_ask(target->dir, NULL, ALLOT_VIRT_STATUS, &text);
    if (len < 0)
        return allot_volume_refused(target, ALLOT_VIRT_STATUS, (int)len);
    ret = allot_doc_status_parse(text, (size_t)len, doc, &err);
    free(text);
    allot_cli_errno(-ret);
    if (ret)
        return allot_cli_error(
            "cannot understand the state of '%s': %s; install the command and "
            "the translator from the same version",
            target->shown, err.text);
    return 0;
}
