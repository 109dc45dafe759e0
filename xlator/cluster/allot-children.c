/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-children.c - the document of glusterfs.allot.children: what a directory
 * holds and how each file in it is, in one answer. A report asks this once per
 * directory instead of one question per file.
 *
 *   {"version":1, "inline_limit":N, "entries":[ENTRY, ...], "layouts":[...]
 *    [, "next":"CURSOR" | , "error":ERRNO]}
 *
 *   ["name", 4]                      a directory (readdir's DT_DIR)
 *   ["name", 0]                      nobody knows: look it up
 *   ["name", 8]                      a file: ask for its report
 *   ["name", 8, SIZE]                a file that is in its base, whole
 *   ["name", 8, SIZE, NLINK, "gfid"] the same with several names
 *   ["name", 8, SIZE, NLINK, "gfid", LAYOUT[, [MEMBER, ...]]]
 *                                    a spread file: place of its layout in
 *                                    "layouts"; members that are not just well
 *   ["name", 8, {REPORT}]            a spread file: its report
 *
 * A name that is not UTF-8 is {"hex":"..."}. What is neither directory nor file
 * is left out. All of it comes from readdirp with the record asked for, which
 * is what a listing costs anyway; only for spread files the bricks are asked
 * for their portions (allot-presence.h), since nothing else tells a missing
 * one.
 *
 * A value is at most 64 KiB through a mount, so a document ends early and then
 * has "next": ask for glusterfs.allot.children.CURSOR. The open directory is
 * kept for that, because replicate goes on at an offset only on the brick where
 * it began, and because a listing remembers what it missed (strict-readdir).
 * One that nobody comes back for is closed when room is needed, or with the
 * graph; then the directory is opened anew and goes on at the offset.
 *
 * Whatever is not certain from the listing is left to the single question: a
 * record that is DIRTY, damaged, or has truncations under way; a replica that
 * needs healing.
 */
#include "allot-fops.h"
#include "allot-presence.h"
#include "allot-proto.h"
#include <jansson.h>

#define CHILDREN_TEXT 60000  /* bytes of a document; what ends it has room */
#define CHILDREN_LAYOUTS 128 /* different ones in a document */
#define CHILDREN_KEPT 32     /* open directories that wait for "next" */
#define CHILDREN_KEPT_SEC 300

/* A listing that is to be gone on with. */
struct allot_listing {
    struct list_head list; /* in priv->listings, oldest first */
    uint64_t token;
    time_t since;
    fd_t *fd;
};

/* ---- listings that wait --------------------------------------------------
 */

void
allot_children_init(struct allot_priv *priv)
{
    LOCK_INIT(&priv->listings_lock);
    INIT_LIST_HEAD(&priv->listings);
    /* So that a cursor of an earlier graph does not look like one of ours. */
    priv->listings_token = (uint64_t)gf_time() << 20;
}

static void
listing_close(struct allot_listing *listing)
{
    fd_unref(listing->fd);
    GF_FREE(listing);
}

void
allot_children_close(struct allot_priv *priv)
{
    struct allot_listing *listing = NULL;
    struct allot_listing *tmp = NULL;
    struct list_head all;

    INIT_LIST_HEAD(&all);
    LOCK(&priv->listings_lock);
    {
        list_splice_init(&priv->listings, &all);
        priv->listings_kept = 0;
    }
    UNLOCK(&priv->listings_lock);
    list_for_each_entry_safe(listing, tmp, &all, list)
    {
        list_del_init(&listing->list);
        listing_close(listing);
    }
}

/* Keeps @fd (takes its reference). Returns the token, 0: it is not kept. */
static uint64_t
listing_keep(struct allot_priv *priv, fd_t *fd)
{
    struct allot_listing *kept = GF_CALLOC(1, sizeof(*kept), allot_mt_misc);
    struct allot_listing *old = NULL;
    uint64_t token = 0;

    if (!kept) {
        fd_unref(fd);
        return 0;
    }
    kept->fd = fd;
    kept->since = gf_time();
    LOCK(&priv->listings_lock);
    {
        kept->token = token = ++priv->listings_token;
        list_add_tail(&kept->list, &priv->listings);
        old = list_entry(priv->listings.next, struct allot_listing, list);
        if (++priv->listings_kept > CHILDREN_KEPT ||
            kept->since - old->since > CHILDREN_KEPT_SEC) {
            list_del_init(&old->list);
            priv->listings_kept--;
        } else {
            old = NULL;
        }
    }
    UNLOCK(&priv->listings_lock);
    if (old)
        listing_close(old);
    return token;
}

/* The directory of @token, if it is kept and is @inode: its reference goes to
 * the caller. NULL: none. */
static fd_t *
listing_take(struct allot_priv *priv, uint64_t token, inode_t *inode)
{
    struct allot_listing *listing = NULL;
    struct allot_listing *found = NULL;
    fd_t *fd = NULL;

    LOCK(&priv->listings_lock);
    {
        list_for_each_entry(listing, &priv->listings, list)
        {
            if (listing->token == token && listing->fd->inode == inode) {
                found = listing;
                list_del_init(&found->list);
                priv->listings_kept--;
                break;
            }
        }
    }
    UNLOCK(&priv->listings_lock);
    if (found) {
        fd = found->fd;
        GF_FREE(found);
    }
    return fd;
}

static int
listing_open(xlator_t *this, inode_t *inode, fd_t **fd)
{
    loc_t loc = {
        0,
    };
    int ret = 0;

    allot_loc_of_inode(&loc, inode);
    *fd = fd_create(inode, 0);
    ret = *fd ? syncop_opendir(this, &loc, *fd, NULL, NULL) : -ENOMEM;
    if (ret < 0 && *fd) {
        fd_unref(*fd);
        *fd = NULL;
    }
    loc_wipe(&loc);
    return ret < 0 ? ret : 0;
}

/* ---- the text ------------------------------------------------------------
 */

struct children_text {
    char *bytes; /* up to the entries; owned */
    size_t len;
    char *layouts; /* what follows them; owned */
    size_t layouts_len;
    struct allot_rec *recs[CHILDREN_LAYOUTS]; /* who has them: equal layouts are
                                                 the same one, as long as
                                                 somebody holds it */
    int layout_count;
};

static int
text_begin(struct children_text *text, uint32_t inline_limit)
{
    memset(text, 0, sizeof(*text));
    text->bytes = malloc(CHILDREN_TEXT + 256);
    text->layouts = malloc(CHILDREN_TEXT);
    if (!text->bytes || !text->layouts)
        return -ENOMEM;
    text->len =
        sprintf(text->bytes, "{\"version\":1,\"inline_limit\":%u,\"entries\":[",
                inline_limit);
    return 0;
}

/* The document; @text is freed. @end: what its last key is, or "". */
static char *
text_end(struct children_text *text, const char *end)
{
    char *bytes = text->bytes;
    int i = 0;

    if (bytes && end) {
        text->len += sprintf(bytes + text->len, "],\"layouts\":[%.*s]%s}",
                             (int)text->layouts_len, text->layouts, end);
    } else {
        free(bytes);
        bytes = NULL;
    }
    free(text->layouts);
    for (i = 0; i < text->layout_count; i++)
        allot_rec_unref(text->recs[i]);
    return bytes;
}

/* Adds @part, unless the document is full: -E2BIG. */
static int
text_add(struct children_text *text, const char *part, size_t len)
{
    if (text->len + text->layouts_len + len > CHILDREN_TEXT)
        return -E2BIG;
    memcpy(text->bytes + text->len, part, len);
    text->len += len;
    return 0;
}

/* Bytes as a JSON string. 0: they are not UTF-8, or it has no room. */
static size_t
name_json(const char *name, char *out, size_t room)
{
    const uint8_t *at = (const uint8_t *)name;
    size_t len = 0;
    int more = 0;
    int i = 0;

    out[len++] = '"';
    for (; *at && len + 8 < room; at++) {
        if (*at < 0x20 || *at == 0x7f) {
            len += sprintf(out + len, "\\u%04x", *at);
            continue;
        }
        if (*at == '"' || *at == '\\')
            out[len++] = '\\';
        out[len++] = *at;
        if (*at < 0x80)
            continue;
        more = *at >= 0xc2 && *at <= 0xdf   ? 1
               : *at >= 0xe0 && *at <= 0xef ? 2
               : *at >= 0xf0 && *at <= 0xf4 ? 3
                                            : 0;
        if (more == 0 || (*at == 0xe0 && at[1] < 0xa0) ||
            (*at == 0xed && at[1] > 0x9f) || (*at == 0xf0 && at[1] < 0x90) ||
            (*at == 0xf4 && at[1] > 0x8f))
            return 0;
        for (i = 0; i < more; i++) {
            if ((*++at & 0xc0) != 0x80)
                return 0;
            out[len++] = *at;
        }
    }
    if (*at)
        return 0;
    out[len++] = '"';
    return len;
}

static size_t
name_hex(const char *name, char *out, size_t room)
{
    size_t len = sprintf(out, "{\"hex\":\"");

    for (; *name && len + 8 < room; name++)
        len += sprintf(out + len, "%02x", (uint8_t)*name);
    len += sprintf(out + len, "\"}");
    return len;
}

/* A layout as JSON; free with free(). NULL: no memory. */
static char *
layout_text(const struct allot_layout *layout)
{
    json_t *doc = json_pack("{s:I, s:o}", "inline_limit",
                            (json_int_t)layout->inline_limit, "extents",
                            allot_extents_json(layout));
    char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;

    json_decref(doc);
    return text;
}

/* The place of the layout of @rec among the document's. -E2BIG: the document is
 * full; -ENOENT: it is not for here; -ENOMEM. */
static int
text_layout(struct children_text *text, struct allot_rec *rec)
{
    char *json = NULL;
    size_t len = 0;
    int i = 0;
    int ret = 0;

    for (i = 0; i < text->layout_count; i++)
        if (text->recs[i]->r.layout == rec->r.layout)
            return i;
    json = layout_text(rec->r.layout);
    if (!json)
        return -ENOMEM;
    len = strlen(json);
    if (len > CHILDREN_TEXT / 8) {
        ret = -ENOENT;
    } else if (i == CHILDREN_LAYOUTS ||
               text->len + text->layouts_len + len + 1 > CHILDREN_TEXT) {
        ret = -E2BIG;
    } else {
        if (i)
            text->layouts[text->layouts_len++] = ',';
        memcpy(text->layouts + text->layouts_len, json, len);
        text->layouts_len += len;
        text->recs[text->layout_count++] = allot_rec_ref(rec);
        ret = i;
    }
    free(json);
    return ret;
}

/* ---- entries -------------------------------------------------------------
 */

/* The spread files of a part of a listing. */
struct children_spread {
    struct allot_presence *files;
    gf_dirent_t **entries; /* of each; borrowed */
    int n;
};

/* Takes @entry up if it is a spread file whose record is clean. */
static void
spread_take(xlator_t *this, struct children_spread *spread, gf_dirent_t *entry)
{
    struct allot_presence *file = &spread->files[spread->n];
    struct allot_inode *ai = allot_inode_peek(this, entry->inode);
    enum allot_kind kind = ALLOT_KIND_UNKNOWN;

    if (!IA_ISREG(entry->d_stat.ia_type) || !entry->inode || !entry->dict ||
        !ai || !dict_get(entry->dict, ALLOT_XATTR_RECORD) ||
        gf_uuid_is_null(entry->d_stat.ia_gfid))
        return;
    memset(file, 0, sizeof(*file));
    file->inode = inode_link(entry->inode, NULL, NULL, &entry->d_stat);
    ai = file->inode ? allot_inode_peek(this, file->inode) : NULL;
    if (ai)
        file->rec = allot_inode_rec(ai, &kind);
    if (!file->rec || kind != ALLOT_KIND_SPREAD ||
        (file->rec->r.flags & ALLOT_RECORD_DIRTY)) {
        if (file->inode)
            inode_unref(file->inode);
        allot_rec_unref(file->rec);
        return;
    }
    spread->entries[spread->n++] = entry;
}

static void
spread_wipe(struct children_spread *spread)
{
    int i = 0;

    if (spread->files)
        allot_presence_wipe(spread->files, spread->n);
    for (i = 0; i < spread->n; i++) {
        allot_rec_unref(spread->files[i].rec);
        inode_unref(spread->files[i].inode);
    }
    free(spread->files);
    free(spread->entries);
}

/* All spread files among @entries, and how their portions are. */
static int
spread_ask(xlator_t *this, struct children_spread *spread, gf_dirent_t *entries)
{
    gf_dirent_t *entry = NULL;
    int n = 0;

    memset(spread, 0, sizeof(*spread));
    list_for_each_entry(entry, &entries->list, list)
    {
        n++;
    }
    spread->files = calloc(n + 1, sizeof(*spread->files));
    spread->entries = calloc(n + 1, sizeof(*spread->entries));
    if (!spread->files || !spread->entries)
        return -ENOMEM;
    list_for_each_entry(entry, &entries->list, list)
    {
        spread_take(this, spread, entry);
    }
    if (spread->n)
        allot_presence_ask(this, spread->files, spread->n);
    return 0;
}

/* A spread file of which all is known, into *@report, which the caller frees;
 * it stays NULL if the file is to tell by itself. 0, -E2BIG or -ENOMEM. */
static int
child_spread(xlator_t *this, struct children_text *text, gf_dirent_t *entry,
             const struct allot_presence *seen, char **report)
{
    const struct allot_layout *layout = seen->rec->r.layout;
    struct allot_report_member *members = NULL;
    char list[CHILDREN_TEXT / 8] = "";
    size_t len = 0;
    uint32_t i = 0;
    int place = text_layout(text, seen->rec);

    if (place < 0)
        return place == -ENOENT ? 0 : place;
    members = allot_report_members(this, seen);
    if (!members)
        return 0;
    for (i = 0; i < layout->brick_count && len + 128 < sizeof(list); i++) {
        if (strcmp(members[i].fail, "ok") == 0 && members[i].hole_blocks == 0)
            continue;
        len += sprintf(list + len, "%s[%u,\"%s\",%" PRIu64 ",%" PRIu64 "]",
                       len ? "," : ",[", members[i].idx, members[i].fail,
                       members[i].hole_blocks, members[i].hole_bytes);
    }
    free(members);
    if (i < layout->brick_count)
        return 0;
    if (asprintf(report, "%" PRIu64 ",%u,\"%s\",%d%s%s", seen->rec->r.size,
                 entry->d_stat.ia_nlink, uuid_utoa(entry->d_stat.ia_gfid),
                 place, list, len ? "]" : "") < 0) {
        *report = NULL;
        return -ENOMEM;
    }
    return 0;
}

/* What the listing said of a file that is in its base, into @plain: "" if the
 * file is to be asked for. Or the report of a spread one, which the caller
 * frees; @seen: NULL if it is none that was taken up. 0 or -ENOMEM. */
static int
child_file(xlator_t *this, struct children_text *text, gf_dirent_t *entry,
           const struct allot_presence *seen, char *plain, size_t room,
           char **report)
{
    struct allot_inode *ai = allot_inode_peek(this, entry->inode);
    gf_boolean_t record =
        entry->dict && dict_get(entry->dict, ALLOT_XATTR_RECORD);
    enum allot_kind kind = ALLOT_KIND_PLAIN;
    int err = 0;
    int ret = 0;

    *plain = '\0';
    if (seen) {
        ret = child_spread(this, text, entry, seen, report);
        if (ret || *report)
            return ret;
        *report = allot_report_json(this, seen->inode, _gf_true, &entry->d_stat,
                                    seen, &err);
        return err == ENOMEM ? -ENOMEM : 0;
    }
    /* Taken out by allot-dir.c, or by replicate: not certain. */
    if (!entry->inode || gf_uuid_is_null(entry->d_stat.ia_gfid))
        return 0;
    if (ai) {
        LOCK(&ai->lock);
        kind = ai->kind;
        UNLOCK(&ai->lock);
    } else if (record) {
        return 0;
    }
    if (kind != ALLOT_KIND_PLAIN)
        return 0;
    if (entry->d_stat.ia_nlink > 1)
        snprintf(plain, room, ",%" PRIu64 ",%u,\"%s\"", entry->d_stat.ia_size,
                 entry->d_stat.ia_nlink, uuid_utoa(entry->d_stat.ia_gfid));
    else
        snprintf(plain, room, ",%" PRIu64, entry->d_stat.ia_size);
    return 0;
}

/* The type as readdir tells it: only what a report looks at. */
static int
child_type(const gf_dirent_t *entry)
{
    if (!IA_ISINVAL(entry->d_stat.ia_type))
        return IA_ISDIR(entry->d_stat.ia_type)   ? DT_DIR
               : IA_ISREG(entry->d_stat.ia_type) ? DT_REG
                                                 : -1;
    return entry->d_type == DT_DIR || entry->d_type == DT_REG ||
                   entry->d_type == DT_UNKNOWN
               ? (int)entry->d_type
               : -1;
}

static int
child_add(xlator_t *this, struct children_text *text, gf_dirent_t *entry,
          const struct allot_presence *seen)
{
    char name[2 * NAME_MAX * 3 + 32];
    char line[sizeof(name) + 128];
    char plain[96] = "";
    char *report = NULL;
    int type = child_type(entry);
    size_t before = text->len;
    size_t len = 0;
    int ret = 0;

    if (type < 0 || strcmp(entry->d_name, ".") == 0 ||
        strcmp(entry->d_name, "..") == 0)
        return 0;
    if (type == DT_REG) {
        ret =
            child_file(this, text, entry, seen, plain, sizeof(plain), &report);
        if (ret)
            return ret;
    }
    /* Every entry must fit into an empty document. */
    if (report && strlen(report) > CHILDREN_TEXT / 2) {
        free(report);
        report = NULL;
    }
    len = name_json(entry->d_name, name, sizeof(name));
    if (len == 0)
        len = name_hex(entry->d_name, name, sizeof(name));
    len = snprintf(line, sizeof(line), "%s[%.*s,%d%s",
                   text->bytes[text->len - 1] == '[' ? "" : ",", (int)len, name,
                   type, report ? "," : plain);
    ret = text_add(text, line, len);
    if (ret == 0 && report)
        ret = text_add(text, report, strlen(report));
    if (ret == 0)
        ret = text_add(text, "]", 1);
    if (ret)
        text->len = before;
    free(report);
    return ret;
}

/* Adds what was listed, *@off becomes the place behind it. 1: it is full. */
static int
children_add(xlator_t *this, struct children_text *text, gf_dirent_t *entries,
             uint64_t *off)
{
    struct children_spread spread;
    gf_dirent_t *entry = NULL;
    int ret = spread_ask(this, &spread, entries);
    int at = 0;

    if (ret == 0) {
        list_for_each_entry(entry, &entries->list, list)
        {
            gf_boolean_t is = at < spread.n && spread.entries[at] == entry;

            ret = child_add(this, text, entry, is ? &spread.files[at] : NULL);
            at += is;
            if (ret)
                break;
            *off = entry->d_off;
        }
    }
    spread_wipe(&spread);
    return ret == -E2BIG ? 1 : ret;
}

/* How much to list at once when the document has room for so many bytes: names
 * that do not fit any more are listed twice. An entry of a listing is as long
 * as 300 bytes and its name, here some 90. */
static size_t
children_chunk(size_t room)
{
    return room < 2048 ? 4096 : room * 2;
}

/* What a listing is asked for: no more than is looked at here. */
static dict_t *
children_xdata(xlator_t *this)
{
    dict_t *xdata = allot_xdata_with_record_req(this, NULL);

    if (xdata && (dict_set_uint32(xdata, ALLOT_KEY_CLIENT, ALLOT_PROTOCOL) ||
                  dict_set_uint32(xdata, ALLOT_KEY_BRIEF, 1))) {
        dict_unref(xdata);
        xdata = NULL;
    }
    return xdata;
}

/* Lists into @entries until the document would be nearly full of it: the less
 * often bricks are asked for portions the better, and distribute lists one
 * brick at a time. 1: there is more; 0: that was all; or -errno, which is for
 * when what has come is in the document. */
static int
children_gather(xlator_t *this, fd_t *fd, const struct children_text *text,
                uint64_t off, dict_t *xdata, gf_dirent_t *entries)
{
    size_t room = CHILDREN_TEXT - text->len - text->layouts_len;
    size_t used = 0;
    gf_dirent_t *entry = NULL;
    gf_dirent_t part;
    int ret = 0;

    do {
        INIT_LIST_HEAD(&part.list);
        ret = syncop_readdirp(this, fd, children_chunk(room - used), off, &part,
                              xdata, NULL);
        if (ret <= 0)
            return ret;
        list_for_each_entry(entry, &part.list, list)
        {
            used += strlen(entry->d_name) + 64;
            off = entry->d_off;
        }
        list_append_init(&part.list, &entries->list);
    } while (used < room / 4 * 3);
    return 1;
}

/* From *@off on, until the end or until the document is full (1). */
static int
children_list(xlator_t *this, fd_t *fd, struct children_text *text,
              uint64_t *off)
{
    dict_t *xdata = children_xdata(this);
    gf_dirent_t entries;
    int full = 0;
    int ret = xdata ? 1 : -ENOMEM;

    while (ret > 0 && full == 0) {
        INIT_LIST_HEAD(&entries.list);
        ret = children_gather(this, fd, text, *off, xdata, &entries);
        if (!list_empty(&entries.list))
            full = children_add(this, text, &entries, off);
        gf_dirent_free(&entries);
    }
    if (xdata)
        dict_unref(xdata);
    return full ? full : ret;
}

char *
allot_children_json(xlator_t *this, inode_t *inode, const char *cursor,
                    int *err)
{
    struct allot_priv *priv = allot_priv(this);
    struct children_text text;
    char end[64] = "";
    uint64_t token = 0;
    uint64_t off = 0;
    fd_t *fd = NULL;
    int ret = 0;

    if (cursor[0] &&
        sscanf(cursor, "%" SCNx64 "-%" SCNx64, &token, &off) != 2) {
        *err = EINVAL;
        return NULL;
    }
    ret = text_begin(&text, allot_bricks_inline_limit(this));
    if (ret == 0 && token)
        fd = listing_take(priv, token, inode);
    if (ret == 0 && !fd)
        ret = listing_open(this, inode, &fd);
    /* What cannot even be opened is no listing. */
    if (ret < 0) {
        *err = -ret;
        return text_end(&text, NULL);
    }
    ret = children_list(this, fd, &text, &off);
    if (ret == 1) {
        token = listing_keep(priv, fd);
        sprintf(end, ",\"next\":\"%" PRIx64 "-%" PRIx64 "\"", token, off);
        return text_end(&text, end);
    }
    fd_unref(fd);
    if (ret < 0)
        sprintf(end, ",\"error\":%d", -ret);
    return text_end(&text, end);
}
