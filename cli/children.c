/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* children.c - see children.h. Every entry is checked: a wrong one breaks the
 * listing off with EBADMSG, and the report is not exact. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allot-wire.h"
#include "children.h"
#include "document.h"
#include "format.h"

#define ALLOT_CURSOR_MAX 64

void
allot_children_end(struct allot_children *children)
{
    size_t i;

    for (i = 0; i < children->layout_count; i++)
        allot_layout_free(children->layouts[i]);
    free(children->layouts);
    json_decref(children->page);
    free(children->name);
    memset(children, 0, sizeof(*children));
}

int
allot_children_ask(struct allot_children *children, struct allot_dir *dir,
                   const char *cursor)
{
    char key[sizeof(ALLOT_VIRT_CHILDREN) + 1 + ALLOT_CURSOR_MAX];
    ssize_t len;
    char *text;

    memset(children, 0, sizeof(*children));
    if (snprintf(key, sizeof(key), "%s%s%s", ALLOT_VIRT_CHILDREN,
                 cursor ? "." : "", cursor ? cursor : "") >= (int)sizeof(key))
        return -EBADMSG;
    len = allot_target_ask(dir, NULL, key, &text);
    if (len < 0)
        return (int)len;
    children->page = json_loadb(text, (size_t)len, 0, NULL);
    free(text);
    children->entries = json_object_get(children->page, "entries");
    children->layout_count =
        json_array_size(json_object_get(children->page, "layouts"));
    children->layouts =
        calloc(children->layout_count + 1, sizeof(*children->layouts));
    if (!children->layouts) {
        children->layout_count = 0;
        allot_children_end(children);
        return -ENOMEM;
    }
    if (json_integer_value(json_object_get(children->page, "version")) ==
            ALLOT_DOC_VERSION &&
        json_is_array(children->entries))
        return 0;
    allot_children_end(children);
    return -EBADMSG;
}

size_t
allot_children_files(const struct allot_children *children)
{
    size_t n = json_array_size(children->entries), i, files = 0;

    for (i = 0; i < n; i++)
        files += json_integer_value(json_array_get(
                     json_array_get(children->entries, i), 1)) != DT_DIR;
    return files;
}

const char *
allot_children_more(const struct allot_children *children)
{
    /* What broke off is not gone on with. */
    if (json_integer_value(json_object_get(children->page, "error")))
        return NULL;
    return json_string_value(json_object_get(children->page, "next"));
}

/* A name in hexadecimal. NULL: it is none, or no memory. */
static const char *
allot_children_unhex(struct allot_children *children, const json_t *hex)
{
    free(children->name);
    children->name = allot_json_unhex(hex);
    return children->name && children->name[0] ? children->name : NULL;
}

/* The layout with the number @no of the page. 0 or -errno. */
static int
allot_children_layout(struct allot_children *children, const json_t *no,
                      const struct allot_layout **layout)
{
    const json_t *layouts = json_object_get(children->page, "layouts");
    json_int_t at = json_integer_value(no);
    struct allot_doc_error why;
    int err;

    if (!json_is_integer(no) || at < 0 ||
        at >= (json_int_t)children->layout_count)
        return -EBADMSG;
    if (!children->layouts[at]) {
        err = allot_doc_layout_read(json_array_get(layouts, (size_t)at),
                                    &children->layouts[at], &why);
        if (err)
            return err == -ENOMEM ? err : -EBADMSG;
    }
    *layout = children->layouts[at];
    return 0;
}

/* ["name", TYPE, SIZE or {REPORT}, NLINK, "gfid", LAYOUT, MEMBERS] */
static int
allot_children_read(struct allot_children *children, const json_t *entry,
                    struct allot_child *child)
{
    const json_t *name = json_array_get(entry, 0);
    const json_t *type = json_array_get(entry, 1);
    json_t *state = json_array_get(entry, 2);
    const json_t *nlink = json_array_get(entry, 3);
    const json_t *layout = json_array_get(entry, 5);
    const char *gfid = json_string_value(json_array_get(entry, 4));
    json_int_t limit =
        json_integer_value(json_object_get(children->page, "inline_limit"));

    memset(child, 0, sizeof(*child));
    child->name =
        json_is_string(name)
            ? json_string_value(name)
            : allot_children_unhex(children, json_object_get(name, "hex"));
    if (!child->name || !child->name[0] || strchr(child->name, '/') ||
        !json_is_integer(type) || limit < 0 || limit > UINT32_MAX)
        return -EBADMSG;
    child->type = (unsigned char)json_integer_value(type);
    child->inline_limit = (uint32_t)limit;
    child->gfid = gfid ? gfid : "";
    child->nlink = 1;
    if (!state)
        return 0;
    child->known = 1;
    if (json_is_object(state)) {
        child->report = state;
        return child->type == DT_REG ? 0 : -EBADMSG;
    }
    if (child->type != DT_REG || !json_is_integer(state) ||
        json_integer_value(state) < 0 ||
        (nlink && (!json_is_integer(nlink) ||
                   json_integer_value(nlink) < (layout ? 0 : 2) || !gfid)))
        return -EBADMSG;
    child->size = (uint64_t)json_integer_value(state);
    if (nlink)
        child->nlink = (uint64_t)json_integer_value(nlink);
    child->members = json_array_get(entry, 6);
    return layout ? allot_children_layout(children, layout, &child->layout) : 0;
}

int
allot_children_next(struct allot_children *children, struct allot_child *child)
{
    json_int_t error;
    int err;

    if (children->at == json_array_size(children->entries)) {
        error = json_integer_value(json_object_get(children->page, "error"));
        return error == 0                  ? 0
               : error > 0 && error < 4096 ? -(int)error
                                           : -EBADMSG;
    }
    err = allot_children_read(
        children, json_array_get(children->entries, children->at), child);
    if (err)
        return err;
    children->at++;
    return 1;
}
