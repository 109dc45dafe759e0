/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * volfile.c - the parser. Line by line, as glusterd prints volfiles: one
 * statement a line, a subvolume always before its parents.
 *
 * Deliberately not here: several statements on a line, shell commands in
 * backquotes, and quoted values over several lines, which the grammar of
 * GlusterFS allows and glusterd never writes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "volfile.h"

/* A part of the text. */
struct span {
    const char *at;
    size_t len;
};

struct parser {
    struct volfile *vf;
    int open; /* the volume that the lines belong to, -1: between volumes */
    int node_room;
    const char *why;
};

static int
bad(struct parser *p, const char *why)
{
    p->why = why;
    return -EINVAL;
}

static int
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct span
trim(struct span s)
{
    while (s.len && is_blank(s.at[0])) {
        s.at++;
        s.len--;
    }
    while (s.len && is_blank(s.at[s.len - 1]))
        s.len--;
    return s;
}

/* Takes the first word of @rest off. */
static struct span
word(struct span *rest)
{
    struct span w = trim(*rest);
    size_t n = 0;

    while (n < w.len && !is_blank(w.at[n]))
        n++;
    rest->at = w.at + n;
    rest->len = w.len - n;
    *rest = trim(*rest);
    w.len = n;
    return w;
}

static int
span_is(struct span s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.at, text, s.len) == 0;
}

static char *
span_dup(struct span s)
{
    char *copy = malloc(s.len + 1);

    if (!copy)
        return NULL;
    memcpy(copy, s.at, s.len);
    copy[s.len] = '\0';
    return copy;
}

static int
find_span(const struct volfile *vf, struct span name)
{
    int i = 0;

    for (i = 0; i < vf->node_count; i++)
        if (span_is(name, vf->nodes[i].name))
            return i;
    return -1;
}

static int
open_volume(struct parser *p, struct span rest, size_t line_begin)
{
    struct volfile *vf = p->vf;
    struct volfile_node *node = NULL;
    struct span name = word(&rest);
    void *more = NULL;

    if (p->open >= 0)
        return bad(p, "a volume inside of a volume");
    if (!name.len || rest.len)
        return bad(p, "a volume without one name");
    if (find_span(vf, name) >= 0)
        return bad(p, "two volumes of one name");
    if (vf->node_count == p->node_room) {
        p->node_room = p->node_room ? 2 * p->node_room : 64;
        more = realloc(vf->nodes, p->node_room * sizeof(*vf->nodes));
        if (!more)
            return -ENOMEM;
        vf->nodes = more;
    }
    p->open = vf->node_count;
    node = &vf->nodes[vf->node_count];
    memset(node, 0, sizeof(*node));
    node->begin = line_begin;
    node->name = span_dup(name);
    vf->node_count++;
    return node->name ? 0 : -ENOMEM;
}

static int
add_type(struct parser *p, struct volfile_node *node, struct span rest)
{
    struct span type = word(&rest);

    if (!type.len || rest.len || node->type)
        return bad(p, "a volume without one type");
    node->type = span_dup(type);
    return node->type ? 0 : -ENOMEM;
}

static int
add_option(struct parser *p, struct volfile_node *node, struct span rest)
{
    struct span key = word(&rest);
    struct volfile_option *more = NULL;

    if (!key.len || !rest.len)
        return bad(p, "an option without a value");
    if (rest.at[0] == '"') {
        if (rest.len < 2 || rest.at[rest.len - 1] != '"')
            return bad(p, "a quoted value that does not end on its line");
        rest.at++;
        rest.len -= 2;
    }
    more = realloc(node->options, (node->option_count + 1) * sizeof(*more));
    if (!more)
        return -ENOMEM;
    node->options = more;
    more += node->option_count;
    more->key = span_dup(key);
    more->value = span_dup(rest);
    node->option_count++;
    return more->key && more->value ? 0 : -ENOMEM;
}

static int
add_children(struct parser *p, struct volfile_node *node, struct span rest)
{
    struct span name;
    int *more = NULL;
    int i = 0;
    int child = 0;

    if (node->children)
        return bad(p, "two lines of subvolumes in a volume");
    node->sub_begin = rest.at - p->vf->text;
    node->sub_end = node->sub_begin + rest.len;
    while (rest.len) {
        name = word(&rest);
        child = find_span(p->vf, name);
        if (child < 0 || child == p->open)
            return bad(p, "a subvolume that does not stand before its parent");
        for (i = 0; i < node->child_count; i++)
            if (node->children[i] == child)
                return bad(p, "a subvolume named twice");
        more = realloc(node->children, (node->child_count + 1) * sizeof(*more));
        if (!more)
            return -ENOMEM;
        node->children = more;
        more[node->child_count++] = child;
    }
    return node->child_count ? 0 : bad(p, "a line of subvolumes without any");
}

static int
take_line(struct parser *p, struct span line, size_t line_end)
{
    size_t line_begin = line.at - p->vf->text;
    struct volfile_node *node = p->open < 0 ? NULL : &p->vf->nodes[p->open];
    struct span rest = trim(line);
    struct span first;

    if (!rest.len || rest.at[0] == '#')
        return 0;
    if (memchr(line.at, '\0', line.len) || memchr(line.at, '`', line.len))
        return bad(p, "a byte that glusterd never writes");
    first = word(&rest);
    if (span_is(first, "volume"))
        return open_volume(p, rest, line_begin);
    if (!node)
        return bad(p, "a statement outside of a volume");
    if (span_is(first, "type"))
        return add_type(p, node, rest);
    if (span_is(first, "option"))
        return add_option(p, node, rest);
    if (span_is(first, "subvolumes"))
        return add_children(p, node, rest);
    if (!span_is(first, "end-volume") || rest.len)
        return bad(p, "a statement that is not known");
    if (!node->type)
        return bad(p, "a volume without one type");
    node->end = line_end;
    p->open = -1;
    return 0;
}

int
volfile_parse(const char *text, size_t len, struct volfile *vf,
              const char **why)
{
    struct parser p = {.vf = vf, .open = -1};
    const char *newline = NULL;
    struct span line;
    size_t at = 0;
    size_t next = 0;
    int ret = 0;

    memset(vf, 0, sizeof(*vf));
    vf->text = text;
    vf->len = len;
    for (at = 0; !ret && at < len; at = next) {
        newline = memchr(text + at, '\n', len - at);
        line.at = text + at;
        line.len = newline ? (size_t)(newline - line.at) : len - at;
        next = at + line.len + (newline != NULL);
        if (line.len > VOLFILE_LINE_MAX)
            ret = bad(&p, "a line that is too long");
        else
            ret = take_line(&p, line, next);
    }
    if (!ret && p.open >= 0)
        ret = bad(&p, "the last volume has no end");
    if (!ret && !vf->node_count)
        ret = bad(&p, "no volume at all");
    *why = p.why;
    return ret;
}

void
volfile_free(struct volfile *vf)
{
    struct volfile_node *node = NULL;
    int i = 0;
    int k = 0;

    for (i = 0; i < vf->node_count; i++) {
        node = &vf->nodes[i];
        for (k = 0; k < node->option_count; k++) {
            free(node->options[k].key);
            free(node->options[k].value);
        }
        free(node->options);
        free(node->children);
        free(node->type);
        free(node->name);
    }
    free(vf->nodes);
    memset(vf, 0, sizeof(*vf));
}

int
volfile_find(const struct volfile *vf, const char *name)
{
    struct span s = {name, strlen(name)};

    return find_span(vf, s);
}

int
volfile_has_type(const struct volfile *vf, const char *type)
{
    int i = 0;

    for (i = 0; i < vf->node_count; i++)
        if (strcmp(vf->nodes[i].type, type) == 0)
            return i;
    return -1;
}

const char *
volfile_option(const struct volfile_node *node, const char *key)
{
    int i = 0;

    for (i = node->option_count - 1; i >= 0; i--)
        if (strcmp(node->options[i].key, key) == 0)
            return node->options[i].value;
    return NULL;
}

/* gf_string2boolean() of GlusterFS. */
int
volfile_bool(const char *value)
{
    static const char *const words[] = {"0",       "1",     "off",   "on",
                                        "no",      "yes",   "false", "true",
                                        "disable", "enable"};
    size_t i = 0;

    for (i = 0; value && i < sizeof(words) / sizeof(words[0]); i++)
        if (strcasecmp(value, words[i]) == 0)
            return i % 2;
    return -1;
}
