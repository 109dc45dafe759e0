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

/* Takes the first word of @rest off, which is trimmed, and is so afterwards. */
static struct span
word(struct span *rest)
{
    struct span w = *rest;
    size_t n = 0;

    while (n < w.len && !is_blank(w.at[n]))
        n++;
    w.len = n;
    while (n < rest->len && is_blank(rest->at[n]))
        n++;
    rest->at += n;
    rest->len -= n;
    return w;
}

static int
span_is(struct span s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.at, text, s.len) == 0;
}

/* The span as a string, in the volfile's copy of the text. What follows it
 * there, a blank, a quote or the end of the line, belongs to no other. */
static char *
span_str(const struct volfile *vf, struct span s)
{
    char *at = vf->strings + (s.at - vf->text);

    at[s.len] = '\0';
    return at;
}

/* Room for one more in an array of @count that has none yet or is full whenever
 * @count is a power of two. NULL: no memory. */
static void *
array_more(void *array, int count, size_t size)
{
    if (count & (count - 1))
        return array;
    return realloc(array, (count ? 2 * (size_t)count : 1) * size);
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
    more = array_more(vf->nodes, vf->node_count, sizeof(*vf->nodes));
    if (!more)
        return -ENOMEM;
    vf->nodes = more;
    p->open = vf->node_count;
    node = &vf->nodes[vf->node_count];
    memset(node, 0, sizeof(*node));
    node->begin = line_begin;
    node->name = span_str(vf, name);
    vf->node_count++;
    return 0;
}

static int
add_type(struct parser *p, struct volfile_node *node, struct span rest)
{
    struct span type = word(&rest);

    if (!type.len || rest.len || node->type)
        return bad(p, "a volume without one type");
    node->type = span_str(p->vf, type);
    return 0;
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
    more = array_more(node->options, node->option_count, sizeof(*more));
    if (!more)
        return -ENOMEM;
    node->options = more;
    more += node->option_count;
    more->key = span_str(p->vf, key);
    more->value = span_str(p->vf, rest);
    node->option_count++;
    return 0;
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
        more = array_more(node->children, node->child_count, sizeof(*more));
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
    *why = NULL;
    vf->strings = malloc(len + 1);
    if (!vf->strings)
        return -ENOMEM;
    memcpy(vf->strings, text, len);
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
    int i = 0;

    for (i = 0; i < vf->node_count; i++) {
        free(vf->nodes[i].options);
        free(vf->nodes[i].children);
    }
    free(vf->strings);
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
