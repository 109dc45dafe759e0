/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * volfile-print.c - see volfile-print.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "volfile-print.h"

void
volfile_print_list(FILE *f, const struct volfile *vf, const int *list,
                   int count, char between)
{
    int i = 0;

    for (i = 0; i < count; i++) {
        if (i || between == ' ')
            fputc(between, f);
        fputs(vf->nodes[list[i]].name, f);
    }
}

void
volfile_print_text(FILE *f, const struct volfile *vf, size_t from, size_t to)
{
    fwrite(vf->text + from, 1, to - from, f);
}

/* The text from @from up to and with a parent's line of subvolumes, @name in
 * the place of @child. Returns where to go on. */
static size_t
print_parent(FILE *f, const struct volfile *vf, int child, const char *name,
             const struct volfile_node *node, size_t from)
{
    int k = 0;

    volfile_print_text(f, vf, from, node->sub_begin);
    for (k = 0; k < node->child_count; k++) {
        if (k)
            fputc(' ', f);
        fputs(node->children[k] == child ? name
                                         : vf->nodes[node->children[k]].name,
              f);
    }
    return node->sub_end;
}

int
volfile_has_child(const struct volfile_node *node, int child)
{
    int k = 0;

    for (k = 0; k < node->child_count; k++)
        if (node->children[k] == child)
            return 1;
    return 0;
}

void
volfile_print_rest_without(FILE *f, const struct volfile *vf, int child,
                           const char *name, int without)
{
    size_t at = vf->nodes[child].end;
    int i = 0;

    for (i = child + 1; i < vf->node_count; i++) {
        if (i == without) {
            volfile_print_text(f, vf, at, vf->nodes[i].begin);
            at = vf->nodes[i].end;
            /* With the empty line behind it. */
            if (at < vf->len && vf->text[at] == '\n')
                at++;
        } else if (volfile_has_child(&vf->nodes[i], child)) {
            at = print_parent(f, vf, child, name, &vf->nodes[i], at);
        } else if (without >= 0 && volfile_has_child(&vf->nodes[i], without)) {
            at = print_parent(f, vf, without, name, &vf->nodes[i], at);
        }
    }
    volfile_print_text(f, vf, at, vf->len);
}

void
volfile_print_rest(FILE *f, const struct volfile *vf, int child,
                   const char *name)
{
    volfile_print_rest_without(f, vf, child, name, -1);
}

void
volfile_print_options(FILE *f, const struct volfile_node *node, const char *key,
                      const char *value)
{
    int k = 0;

    fprintf(f, "volume %s\n    type %s\n", node->name, node->type);
    for (k = 0; k < node->option_count; k++)
        fprintf(f, "    option %s %s\n", node->options[k].key,
                strcmp(node->options[k].key, key) == 0
                    ? value
                    : node->options[k].value);
}

int
volfile_print_close(FILE *f, char **out)
{
    int failed = ferror(f);

    if (!fclose(f) && !failed)
        return 0;
    free(*out);
    *out = NULL;
    return -ENOMEM;
}
