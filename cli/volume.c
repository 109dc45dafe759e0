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

/* What waits for healing exists once less: a brick that alone has it may not
 * fail, whatever the quorum says. In @doc and in its JSON. */
static void
allot_volume_heals_count(struct allot_doc_status *doc, const json_t *leaves)
{
    json_t *bricks = json_object_get(doc->root, "bricks");
    uint64_t least = UINT64_MAX;
    size_t i, k;

    for (i = 0; i < doc->brick_count; i++) {
        struct allot_doc_brick *set = &doc->bricks[i];
        uint64_t sources = 0;

        for (k = 0; k < set->leaf_count; k++) {
            const json_t *one = json_object_get(leaves, set->leaves[k].name);

            set->leaves[k].pending =
                json_is_boolean(one) ? json_is_true(one) : -1;
            sources += set->leaves[k].pending == 1 && !set->leaves[k].arbiter;
        }
        if (sources > 0 && sources - 1 < set->spare)
            set->spare = sources - 1;
        if (set->leaf_count) {
            json_t *object = json_array_get(bricks, i);

            json_object_set_new(object, "healing", json_boolean(sources > 0));
            json_object_set_new(object, "spare_failures",
                                json_integer((json_int_t)set->spare));
        }
        if (set->leaf_count && set->spare < least)
            least = set->spare;
    }
    if (json_integer_value(json_object_get(doc->root, "spare_failures")) >
        (json_int_t)least)
        json_object_set_new(doc->root, "spare_failures",
                            json_integer((json_int_t)least));
}

/* Only where there are sets. What is not answered is not known. */
static void
allot_volume_heals(struct allot_target *target, struct allot_doc_status *doc)
{
    struct allot_dir *root;
    size_t i, sets = 0;
    json_t *answer;
    ssize_t len;
    char *text;

    for (i = 0; i < doc->brick_count; i++)
        sets += doc->bricks[i].leaf_count > 0;
    if (sets == 0 || target->ops->root_open(target, &root) != 0)
        return;
    len = allot_target_ask(root, NULL, ALLOT_VIRT_HEALS, &text);
    target->ops->dir_close(root);
    if (len < 0)
        return;
    answer = json_loadb(text, (size_t)len, 0, NULL);
    free(text);
    if (answer)
        allot_volume_heals_count(doc, json_object_get(answer, "leaves"));
    json_decref(answer);
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
    if (ret)
        return allot_cli_error(
            "cannot understand the state of '%s': %s; install the command and "
            "the translator from the same version",
            target->shown, err.text);
    allot_volume_heals(target, doc);
    return 0;
}
