/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * convert-brick.c - bricks' volfiles: the guard out, in, or put right, and what
 * must not stand below it. Text in, text out, as convert.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "convert.h"
#include "volfile-print.h"

int
convert_unguard(const struct volfile *vf, char **out, size_t *out_len)
{
    int guard = volfile_has_type(vf, "user/allot");
    FILE *f = NULL;
    size_t to = 0;

    *out = NULL;
    if (guard < 0 || vf->nodes[guard].child_count != 1)
        return 1;
    f = open_memstream(out, out_len);
    if (!f)
        return -ENOMEM;
    to = vf->nodes[guard].begin;
    /* With the empty line before it. */
    if (to >= 2 && vf->text[to - 1] == '\n' && vf->text[to - 2] == '\n')
        to--;
    volfile_print_text(f, vf, 0, to);
    volfile_print_rest(f, vf, guard,
                       vf->nodes[vf->nodes[guard].children[0]].name);
    return volfile_print_close(f, out);
}

/* As convert_guard(), with the options that @before has and may have, and the
 * notes of @req. @before is NULL: without any. */
static int
put_guard(const struct volfile *vf, const struct volfile_node *before,
          const struct request *req, char **out, size_t *out_len,
          const char **why)
{
    int locks = volfile_has_type(vf, "features/locks");
    char name[CONVERT_NAME_MAX];
    const char *text = NULL;
    size_t len = 0;
    FILE *f = NULL;
    int i = 0;

    text = locks < 0 ? "" : vf->nodes[locks].name;
    len = strlen(text);
    if (len < 6 || len >= sizeof(name) ||
        strcmp(text + len - 6, "-locks") != 0) {
        *why =
            "the brick has no features/locks of the name that glusterd gives";
        return -EINVAL;
    }
    snprintf(name, sizeof(name), "%.*s-allot", (int)len - 6, text);
    if (volfile_find(vf, name) >= 0) {
        *why = "the name for user/allot is in use";
        return -EINVAL;
    }
    f = open_memstream(out, out_len);
    if (!f)
        return -ENOMEM;
    volfile_print_text(f, vf, 0, vf->nodes[locks].end);
    fprintf(f, "\nvolume %s\n    type user/allot\n", name);
    for (i = 0; before && i < before->option_count; i++)
        if (request_guard_keeps(&before->options[i]))
            fprintf(f, "    option %s %s\n", before->options[i].key,
                    before->options[i].value);
    if (before && req->rejected[0])
        fprintf(f, "    option " REQUEST_GUARD_REJECTED " %s\n", req->rejected);
    if (before && req->trash)
        fputs("    option " REQUEST_GUARD_BESIDE " trash\n", f);
    fprintf(f, "    subvolumes %s\nend-volume\n", text);
    volfile_print_rest(f, vf, locks, name);
    return volfile_print_close(f, out);
}

int
convert_guard(const struct volfile *vf, char **out, size_t *out_len,
              const char **why)
{
    *out = NULL;
    if (volfile_has_type(vf, "user/allot") >= 0)
        return 1;
    return put_guard(vf, NULL, NULL, out, out_len, why);
}

int
convert_guard_anew(const struct volfile *vf, const struct request *req,
                   char **out, size_t *out_len, const char **why)
{
    const struct volfile_node *guard =
        &vf->nodes[volfile_has_type(vf, "user/allot")];
    struct volfile without;
    char *text = NULL;
    size_t len = 0;
    int ret = convert_unguard(vf, &text, &len);

    *out = NULL;
    if (ret) {
        *why = "the guard does not stand above one translator";
        return ret < 0 ? ret : -EINVAL;
    }
    ret = volfile_parse(text, len, &without, why);
    if (!ret)
        ret = put_guard(&without, guard, req, out, out_len, why);
    volfile_free(&without);
    free(text);
    return ret;
}

int
convert_trash_off(const struct volfile *vf, char **out, size_t *out_len)
{
    const struct volfile_node *node = NULL;
    FILE *f = NULL;

    *out = NULL;
    if (!request_trash_is_on(vf))
        return 1;
    node = &vf->nodes[volfile_has_type(vf, "features/trash")];
    f = open_memstream(out, out_len);
    if (!f)
        return -ENOMEM;
    volfile_print_text(f, vf, 0, node->begin);
    volfile_print_options(f, node, "trash", "off");
    fputs("    subvolumes", f);
    volfile_print_list(f, vf, node->children, node->child_count, ' ');
    fputs("\nend-volume\n", f);
    volfile_print_text(f, vf, node->end, vf->len);
    return volfile_print_close(f, out);
}
