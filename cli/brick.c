/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * brick.c - `allot brick adopt`: hand the name of a blank brick to the
 * translator, which gives it a new identity and a new index. What was on the
 * old brick of that name stays lost.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "allot-wire.h"
#include "volume.h"

static const struct allot_doc_brick *
allot_brick_by_name(const struct allot_doc_status *doc, const char *name)
{
    size_t i;

    for (i = 0; i < doc->brick_count; i++)
        if (strcmp(doc->bricks[i].name, name) == 0)
            return &doc->bricks[i];
    return NULL;
}

static int
allot_brick_unknown(const struct allot_doc_status *doc, const char *name,
                    const struct allot_target *target)
{
    /* The list is cut here: it is a hint, `allot status` has it all. */
    char list[512] = "";
    size_t i, len = 0;

    for (i = 0; i < doc->brick_count && len < sizeof(list); i++)
        len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
                                i ? ", " : "", doc->bricks[i].name);
    return allot_cli_error("'%s' has no brick '%s'; its bricks are %s",
                           target->shown, name, list);
}

static int
allot_brick_refused(const char *name, const struct allot_doc_brick *brick,
                    int err)
{
    const char *what = "check 'allot status'";

    if (err == -EINVAL)
        what = "only a blank brick can be adopted";
    else if (err == -ENODEV)
        what = "the client graph has no such brick any more, try again";
    else if (err == -ENOTCONN)
        what = "adoption needs every brick that is not lost to be up";
    else if (err == -EAGAIN || err == -EBUSY)
        what = "another client changes the registry, try again";
    else if (err == -EPERM || err == -EACCES)
        what = "run this as root";
    return allot_cli_error("cannot adopt brick '%s', which is %s: %s; %s", name,
                           brick->state, strerror(-err), what);
}

int
allot_cmd_brick_adopt(const struct allot_cli *cli, const char *name,
                      const char *text)
{
    const struct allot_doc_brick *brick;
    struct allot_dir *root = NULL;
    struct allot_doc_status doc;
    struct allot_target *target;
    int status, err;

    status = allot_target_open(cli, text, 0, &target);
    if (status)
        return status;
    status = allot_volume_status(target, &doc);
    if (status)
        goto out;
    brick = allot_brick_by_name(&doc, name);
    if (!brick) {
        status = allot_brick_unknown(&doc, name, target);
        goto out;
    }
    err = target->ops->root_open(target, &root);
    if (err) {
        status = allot_cli_error(
            "cannot open the root of the volume above '%s': %s; name the "
            "directory where the volume is mounted",
            text, strerror(-err));
        goto out;
    }
    err = target->ops->setxattr(root, ALLOT_VIRT_ADOPT, name, strlen(name));
    target->ops->dir_close(root);
    if (err) {
        status = allot_brick_refused(name, brick, err);
        goto out;
    }
    printf(
        "brick %s is a member of the volume again, as a new and empty one; "
        "what it held before stays lost\n",
        name);
out:
    allot_doc_status_clear(&doc);
    allot_target_close(target);
    return status;
}
