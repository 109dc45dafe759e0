/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * brick.c - `allot brick adopt`: hand the name of a blank brick to the
 * translator, which gives it a new identity and a new index; what was on the
 * old brick of that name stays lost. A blank brick of a set gets the set's
 * identity back, and is healed by the set. `allot brick set`: the
 * administrator's states, lost and draining, which the translator keeps in the
 * registry.
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
allot_brick_refused(const char *name, const char *state, int err)
{
    const char *what = "check 'allot status'";

    if (err == -EINVAL)
        what = "only a blank brick can be adopted";
    else if (err == -EXDEV)
        what = "the replica count was changed, see 'allot status'";
    else if (err == -ENODEV)
        what = "the client graph has no such brick any more, try again";
    else if (err == -ENOTCONN)
        what = "adoption needs every brick that is not lost to be up";
    else if (err == -EAGAIN || err == -EBUSY)
        what = "another client changes the registry, try again";
    else if (err == -EPERM || err == -EACCES)
        what = "run this as root";
    return allot_cli_error("cannot adopt brick '%s', which is %s: %s; %s", name,
                           state, strerror(-err), what);
}

static int
allot_brick_set_refused(const char *name, const char *state,
                        const struct allot_doc_brick *brick, int err)
{
    const char *what = "check 'allot status'";

    if (err == -EINVAL)
        what = "only a registered brick has a state";
    else if (err == -ENODEV)
        what = "the client graph has no such brick any more, try again";
    else if (err == -EBUSY)
        what = "it serves data; stop its process first if it is to be lost";
    else if (err == -ENOTCONN)
        what = "more than half of the other bricks must be up";
    else if (err == -EAGAIN)
        what = "another client changes the registry, try again";
    else if (err == -EPERM || err == -EACCES)
        what = "run this as root";
    return allot_cli_error("cannot set brick '%s', which is %s, to %s: %s; %s",
                           name, brick->state, state, strerror(-err), what);
}

/* What adopt and set have in common. @state NULL: adopt. */
static int
allot_brick_change(const struct allot_cli *cli, const char *name,
                   const char *state, const char *text)
{
    const struct allot_doc_brick *brick;
    const struct allot_doc_leaf *leaf;
    struct allot_dir *root = NULL;
    struct allot_doc_status doc;
    struct allot_target *target;
    char value[600];
    int status, err;

    status = allot_target_open(cli, text, 0, &target);
    if (status)
        return status;
    status = allot_volume_status(target, &doc);
    if (status)
        goto out;
    brick = allot_brick_by_name(&doc, name);
    /* A state is a data subvolume's; a leaf of a set has none. */
    leaf = state ? NULL : allot_doc_status_leaf(&doc, name, NULL);
    if (!brick && !leaf) {
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
    if (state) {
        snprintf(value, sizeof(value), "%s %s", state, name);
        err = target->ops->setxattr(root, ALLOT_VIRT_SET, value, strlen(value));
    } else {
        err = target->ops->setxattr(root, ALLOT_VIRT_ADOPT, name, strlen(name));
    }
    target->ops->dir_close(root);
    if (err)
        status = state ? allot_brick_set_refused(name, state, brick, err)
                       : allot_brick_refused(
                             name, brick ? brick->state : leaf->state, err);
    else if (!state && !brick)
        printf("brick %s belongs to its set again, which heals it\n", name);
    else if (!state)
        printf(
            "brick %s is a member of the volume again, as a new and empty one; "
            "what it held before stays lost\n",
            name);
out:
    allot_doc_status_clear(&doc);
    allot_target_close(target);
    return status;
}

int
allot_cmd_brick_adopt(const struct allot_cli *cli, const char *name,
                      const char *text)
{
    return allot_brick_change(cli, name, NULL, text);
}

int
allot_cmd_brick_set(const struct allot_cli *cli, const char *name,
                    const char *state, const char *text)
{
    static const struct {
        const char *state;
        const char *means;
    } states[] = {
        {"lost",
         "lost: its blocks are counted as lost, and it is not used "
         "until its state is cleared"},
        {"draining", "draining: it gets no new data"},
        {"clear", "without an administrator's state: it is what it shows"},
    };
    size_t i, n = sizeof(states) / sizeof(states[0]);
    int status;

    for (i = 0; i < n; i++)
        if (strcmp(state, states[i].state) == 0)
            break;
    if (i == n)
        return allot_cli_error(
            "'%s' is not a state; the states are lost, draining and clear",
            state);
    status = allot_brick_change(cli, name, state, text);
    if (status == ALLOT_EXIT_OK)
        printf("brick %s is now %s\n", name, states[i].means);
    return status;
}
