/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * convert.c - see convert.h for the drawing. Text in, text out: reads and
 * writes no file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "convert.h"
#include "volfile-print.h"

static int
is_type(const struct volfile *vf, int at, const char *type)
{
    return strcmp(vf->nodes[at].type, type) == 0;
}

static int
is_replicate(const struct volfile *vf, int at)
{
    return is_type(vf, at, "cluster/replicate") ||
           is_type(vf, at, "cluster/afr");
}

static int
is_set(const struct volfile *vf, int at)
{
    return is_replicate(vf, at) || is_type(vf, at, "cluster/disperse") ||
           is_type(vf, at, "cluster/ec");
}

static int
is_distribute(const struct volfile *vf, int at)
{
    return is_type(vf, at, "cluster/distribute") ||
           is_type(vf, at, "cluster/dht") || is_type(vf, at, "cluster/nufa") ||
           is_type(vf, at, "cluster/switch");
}

static int
ends_with(const char *text, const char *end)
{
    size_t n = strlen(text);
    size_t k = strlen(end);

    return n >= k && strcmp(text + n - k, end) == 0;
}

/* ---- kinds -----------------------------------------------------------------
 */

const char *
convert_kind_name(enum convert_kind kind)
{
    switch (kind) {
        case CONVERT_CLIENT:
            return "client";
        case CONVERT_BRICK:
            return "brick";
        case CONVERT_REBALANCE:
            return "rebalance";
        case CONVERT_HEAL:
            return "self-heal";
        case CONVERT_SERVICE:
            return "service";
        case CONVERT_NO_CLUSTER:
            return "no cluster";
    }
    return "?";
}

static int
has_healer(const struct volfile *vf)
{
    int i = 0;

    for (i = 0; i < vf->node_count; i++)
        if (is_set(vf, i) &&
            volfile_option(&vf->nodes[i], "iam-self-heal-daemon"))
            return 1;
    return 0;
}

enum convert_kind
convert_kind(const struct volfile *vf, const char *base)
{
    static const char *const services[] = {
        "features/snapview-server", "features/bit-rot", "features/quotad"};
    size_t i = 0;
    int at = 0;

    if (volfile_has_type(vf, "storage/posix") >= 0)
        return CONVERT_BRICK;
    for (i = 0; i < sizeof(services) / sizeof(services[0]); i++)
        if (volfile_has_type(vf, services[i]) >= 0)
            return CONVERT_SERVICE;
    if (has_healer(vf))
        return CONVERT_HEAL;
    for (at = 0; at < vf->node_count; at++) {
        if (!is_distribute(vf, at) && !is_set(vf, at))
            continue;
        /* The graph of a client without any cache looks the same; the name of
         * a client's file has a transport in it. */
        return ends_with(base, "-rebalance.vol") ? CONVERT_REBALANCE
                                                 : CONVERT_CLIENT;
    }
    return CONVERT_NO_CLUSTER;
}

/* ---- targets ---------------------------------------------------------------
 */

static int
add_number(int **list, int *count, int number)
{
    int *more = realloc(*list, (*count + 1) * sizeof(*more));

    if (!more)
        return -ENOMEM;
    *list = more;
    more[(*count)++] = number;
    return 0;
}

/* @sub becomes what stands below readdir-ahead (performance.parallel-readdir):
 * data does not go through a cache of names. */
static int
below_cache(const struct volfile *vf, int *sub)
{
    const struct volfile_node *node = &vf->nodes[*sub];

    if (!is_type(vf, *sub, "performance/readdir-ahead") ||
        node->child_count != 1)
        return 0;
    *sub = node->children[0];
    return 1;
}

static int
take_set(const struct volfile *vf, struct convert_target *t, int set,
         const char **why)
{
    const struct volfile_node *node = &vf->nodes[set];
    int i = 0;

    if (volfile_option(node, "thin-arbiter")) {
        *why = "a set with a thin arbiter: its arbiter has no guard";
        return -EINVAL;
    }
    for (i = 0; i < node->child_count; i++) {
        if (!is_type(vf, node->children[i], "protocol/client")) {
            *why = "a set of something else than bricks";
            return -EINVAL;
        }
        if (add_number(&t->leaves, &t->leaf_count, node->children[i]))
            return -ENOMEM;
    }
    return add_number(&t->data, &t->data_count, set);
}

static int
take_data(const struct volfile *vf, struct convert_target *t, int sub,
          const char **why)
{
    below_cache(vf, &sub);
    if (is_set(vf, sub))
        return take_set(vf, t, sub, why);
    /* That of convert_refuse(). */
    if (is_type(vf, sub, "cluster/allot")) {
        t->done = 1;
        return 0;
    }
    if (is_type(vf, sub, "protocol/client"))
        return add_number(&t->data, &t->data_count, sub);
    *why =
        "distribute stands above something that is neither a brick nor a set";
    return -EINVAL;
}

/* The volume's name, from what glusterd calls its translators. */
static int
take_name(const struct volfile *vf, struct convert_target *t, const char **why)
{
    const char *name = vf->nodes[t->ns].name;
    const char *const ends[] = {"-dht", "-replicate-0", "-disperse-0",
                                "-names"};
    size_t i = 0;
    size_t len = 0;

    for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        len = strlen(name) - strlen(ends[i]);
        if (!ends_with(name, ends[i]) || !len || len >= sizeof(t->volume))
            continue;
        memcpy(t->volume, name, len);
        t->volume[len] = '\0';
        if (!strchr(t->volume, '/') && t->volume[0] != '.')
            return 0;
    }
    *why = "the namespace has not the name that glusterd gives it";
    return -EINVAL;
}

/* Which volumes stand above @at, in @above. */
static void
mark_above(const struct volfile *vf, int at, char *above)
{
    int i = 0;
    int k = 0;

    above[at] = 1;
    for (i = at + 1; i < vf->node_count; i++)
        for (k = 0; k < vf->nodes[i].child_count; k++)
            if (above[vf->nodes[i].children[k]])
                above[i] = 1;
}

/* 1: a namespace, that is the topmost cluster translator; 0: not; or -errno. */
static int
look_above(const struct volfile *vf, struct convert_target *t, const char **why)
{
    char *above = calloc(vf->node_count, 1);
    int parents = 0;
    int ret = 1;
    int i = 0;

    if (!above)
        return -ENOMEM;
    mark_above(vf, t->ns, above);
    for (i = t->ns + 1; i < vf->node_count; i++) {
        if (!above[i])
            continue;
        parents++;
        if (is_type(vf, i, "cluster/allot")) {
            t->done = t->done || vf->nodes[i].children[0] == t->ns;
            ret = t->done;
        } else if (strncmp(vf->nodes[i].type, "cluster/", 8) == 0) {
            ret = 0;
        }
    }
    free(above);
    if (ret == 1 && !parents) {
        *why = "nothing stands above the namespace";
        ret = -EINVAL;
    }
    return ret;
}

static int
take_target(const struct volfile *vf, struct convert_target *t,
            const char **why)
{
    const struct volfile_node *node = &vf->nodes[t->ns];
    int ret = 0;
    int i = 0;

    t->leaving = volfile_option(node, "decommissioned-bricks");
    ret = take_name(vf, t, why);
    if (ret)
        return ret;
    if (is_set(vf, t->ns))
        ret = take_set(vf, t, t->ns, &t->why);
    else
        for (i = 0; !ret && i < node->child_count; i++)
            ret = take_data(vf, t, node->children[i], &t->why);
    /* Only who has asked for allot need hear of it. */
    return ret == -EINVAL ? 0 : ret;
}

int
convert_targets(const struct volfile *vf, struct convert_target *targets,
                const char **why)
{
    struct convert_target *t = NULL;
    int count = 0;
    int ret = 0;
    int i = 0;

    for (i = 0; i < vf->node_count; i++) {
        if (!is_distribute(vf, i) && !is_set(vf, i))
            continue;
        if (count == CONVERT_TARGETS_MAX) {
            *why = "too many volumes in one file";
            ret = -EINVAL;
            break;
        }
        t = &targets[count];
        memset(t, 0, sizeof(*t));
        t->ns = i;
        ret = look_above(vf, t, why);
        if (ret < 0)
            break;
        if (ret == 0)
            continue;
        count++;
        ret = t->done ? take_name(vf, t, why) : take_target(vf, t, why);
        if (ret)
            break;
    }
    if (ret < 0)
        convert_targets_free(targets, count);
    return ret < 0 ? ret : count;
}

void
convert_targets_free(struct convert_target *targets, int count)
{
    int i = 0;

    for (i = 0; i < count; i++) {
        free(targets[i].data);
        free(targets[i].leaves);
        targets[i].data = NULL;
        targets[i].leaves = NULL;
    }
}

/* ---- the new text ----------------------------------------------------------
 */

static int
names_data(const struct volfile *vf, const struct convert_target *t,
           const char *name, size_t len)
{
    const char *have = NULL;
    int i = 0;

    for (i = 0; i < t->data_count; i++) {
        have = vf->nodes[t->data[i]].name;
        if (strlen(have) == len && memcmp(have, name, len) == 0)
            return 1;
    }
    return 0;
}

/* cluster/allot refuses weights for names that are not there. */
static int
weights_fit(const struct volfile *vf, const struct convert_target *t,
            const char *value)
{
    const char *eq = NULL;

    if (!strchr(value, '='))
        return 1;
    while ((eq = strchr(value, '=')) != NULL) {
        if (!names_data(vf, t, value, eq - value))
            return 0;
        value = strchr(eq, ',');
        if (!value)
            return 1;
        value++;
    }
    return 0;
}

static const char *
option_of(const struct request *req, const char *key)
{
    int i = 0;

    for (i = 0; i < req->option_count; i++)
        if (strcmp(req->options[i].key, key) == 0)
            return req->options[i].value;
    return NULL;
}

int
convert_names_replicated(const struct convert_target *t,
                         const struct request *req)
{
    return req->replicate && !t->leaf_count && t->data_count >= 3;
}

static void
fit_options(const struct volfile *vf, const struct convert_target *t,
            struct request *req)
{
    const char *weights = option_of(req, "weights");
    const char *names = option_of(req, "namespace");

    if (weights && !weights_fit(vf, t, weights))
        request_drop(req, "weights");
    if (req->replicate && !convert_names_replicated(t, req)) {
        request_drop(req, "namespace");
        req->replicate = 0;
    }
    /* What stands above the bricks here is one of the two others. */
    if (names && strcmp(names, "other") == 0)
        request_drop(req, "namespace");
}

/* Replicate over the first three bricks, in the place of distribute. Clients
 * heal it: volumes of plain bricks have no self-heal daemon. */
static void
print_names(FILE *f, const struct volfile *vf, const struct convert_target *t)
{
    int i = 0;

    fprintf(f,
            "volume %s-names\n"
            "    type cluster/replicate\n"
            "    option data-self-heal on\n"
            "    option metadata-self-heal on\n"
            "    option entry-self-heal on\n"
            "    option quorum-type auto\n"
            "    subvolumes",
            t->volume);
    for (i = 0; i < 3; i++)
        fprintf(f, " %s", vf->nodes[t->data[i]].name);
    fputs("\nend-volume\n", f);
}

static int
shard_above(const struct volfile *vf, int ns);
static int
half_locked_below(const struct volfile *vf, int ns);

/* Features of the volume that do not go together with allot. */
static void
print_beside(FILE *f, const struct volfile *vf, const struct convert_target *t,
             const struct request *req)
{
    const char *names[4];
    int n = 0;
    int i = 0;

    if (shard_above(vf, t->ns) >= 0)
        names[n++] = "shard";
    if (req->quota)
        names[n++] = "quota";
    if (req->trash)
        names[n++] = "trash";
    if (half_locked_below(vf, t->ns))
        names[n++] = "full-lock";
    for (i = 0; i < n; i++)
        fprintf(f, "%s%s", i ? "," : "    option beside ", names[i]);
    if (n)
        fputc('\n', f);
}

static void
print_allot(FILE *f, const struct volfile *vf, const struct convert_target *t,
            const struct request *req)
{
    int i = 0;

    fprintf(f, "\nvolume %s-allot\n    type cluster/allot\n", t->volume);
    if (req->replicate && !option_of(req, "inline-limit"))
        fputs("    option inline-limit 0\n", f);
    for (i = 0; i < req->option_count; i++)
        fprintf(f, "    option %s %s\n", req->options[i].key,
                req->options[i].value);
    if (req->rejected[0])
        fprintf(f, "    option rejected %s\n", req->rejected);
    print_beside(f, vf, t, req);
    if (t->leaf_count) {
        fputs("    option watch ", f);
        volfile_print_list(f, vf, t->leaves, t->leaf_count, ',');
        fputc('\n', f);
    }
    if (req->replicate)
        fprintf(f, "    subvolumes %s-names", t->volume);
    else
        fprintf(f, "    subvolumes %s", vf->nodes[t->ns].name);
    volfile_print_list(f, vf, t->data, t->data_count, ' ');
    volfile_print_list(f, vf, t->leaves, t->leaf_count, ' ');
    fputs("\nend-volume\n", f);
}

/* features/shard directly above the namespace, -1: there is none. */
static int
shard_above(const struct volfile *vf, int ns)
{
    int i = 0;

    for (i = ns + 1; i < vf->node_count; i++)
        if (is_type(vf, i, "features/shard") && vf->nodes[i].child_count == 1 &&
            vf->nodes[i].children[0] == ns)
            return i;
    return -1;
}

static int
is_off(const char *value)
{
    return volfile_bool(value) == 0;
}

/* A replicate set whose writes do not lock the whole file: its bricks could see
 * a write and a fence in different orders. Disperse has no such setting. */
static int
is_half_locked(const struct volfile *vf, int at)
{
    return is_replicate(vf, at) &&
           is_off(volfile_option(&vf->nodes[at], "full-lock"));
}

static int
half_locked_below(const struct volfile *vf, int ns)
{
    int i = 0;

    for (i = 0; i <= ns; i++)
        if (is_half_locked(vf, i))
            return 1;
    return 0;
}

/* A disperse set that keeps its lock on a directory for a second. Each client
 * makes portions in the same 256 directories all the time. What the
 * administrator has set stays. */
static int
is_lingering(const struct volfile *vf, int at)
{
    return is_set(vf, at) && !is_replicate(vf, at) &&
           !volfile_option(&vf->nodes[at], "other-eager-lock");
}

/* Does only distribute below allot have use for it? */
static int
is_cache_of_names(const struct volfile *vf, const struct convert_target *t,
                  int at)
{
    int below = at;

    return volfile_has_child(&vf->nodes[t->ns], at) && below_cache(vf, &below);
}

/* The text up to the end of the namespace, where sets lock whole files and give
 * locks on directories back at once; or up to its beginning, where @names take
 * its place. */
static void
print_below(FILE *f, const struct volfile *vf, const struct convert_target *t,
            int names)
{
    size_t to = names ? vf->nodes[t->ns].begin : vf->nodes[t->ns].end;
    const struct volfile_node *node = NULL;
    size_t at = 0;
    int i = 0;

    for (i = 0; i < vf->node_count && vf->nodes[i].end <= to; i++) {
        node = &vf->nodes[i];
        if (names && is_cache_of_names(vf, t, i)) {
            volfile_print_text(f, vf, at, node->begin);
            at = node->end;
            /* With the empty line behind it. */
            if (at < to && vf->text[at] == '\n')
                at++;
            continue;
        }
        if (!is_half_locked(vf, i) && !is_lingering(vf, i))
            continue;
        volfile_print_text(f, vf, at, node->begin);
        volfile_print_options(f, node, "full-lock", "on");
        if (is_lingering(vf, i))
            fputs("    option other-eager-lock off\n", f);
        fputs("    subvolumes", f);
        volfile_print_list(f, vf, node->children, node->child_count, ' ');
        fputs("\nend-volume\n", f);
        at = node->end;
    }
    volfile_print_text(f, vf, at, to);
}

static int
name_free(const struct volfile *vf, const struct convert_target *t,
          const char *suffix)
{
    char name[CONVERT_NAME_MAX + 16];

    snprintf(name, sizeof(name), "%s-%s", t->volume, suffix);
    return volfile_find(vf, name) < 0;
}

int
convert_apply(const struct volfile *vf, const struct convert_target *target,
              struct request *req, char **out, size_t *out_len,
              const char **why)
{
    char name[CONVERT_NAME_MAX + 16];
    FILE *f = NULL;

    *out = NULL;
    if (req->why || target->why) {
        *why = target->why ? target->why : req->why;
        return -EINVAL;
    }
    if (!name_free(vf, target, "allot") || !name_free(vf, target, "names")) {
        *why = "the name for cluster/allot is in use";
        return -EINVAL;
    }
    snprintf(name, sizeof(name), "%s-allot", target->volume);
    fit_options(vf, target, req);
    f = open_memstream(out, out_len);
    if (!f)
        return -ENOMEM;
    print_below(f, vf, target, req->replicate);
    if (req->replicate)
        print_names(f, vf, target);
    print_allot(f, vf, target, req);
    volfile_print_rest_without(f, vf, target->ns, name,
                               shard_above(vf, target->ns));
    return volfile_print_close(f, out);
}

/* Is the volume in glusterd's list "a,b" of leaving bricks (NULL: none)? */
static int
is_leaving(const char *list, const char *name)
{
    size_t n = strlen(name);
    size_t len = 0;

    for (; list && *list; list += len + (list[len] == ',')) {
        len = strcspn(list, ",");
        if (len == n && memcmp(list, name, n) == 0)
            return 1;
    }
    return 0;
}

int
convert_refuse(const struct volfile *vf, const struct convert_target *target,
               char **out, size_t *out_len, const char **why)
{
    const struct volfile_node *ns = &vf->nodes[target->ns];
    const char *refuse = target->leaving ? target->leaving : "namespace";
    const char *name = NULL;
    FILE *f = NULL;
    int i = 0;

    *out = NULL;
    if (volfile_has_type(vf, "cluster/allot") >= 0)
        return 1;
    if (!name_free(vf, target, "allot-stays-0")) {
        *why = "the name for cluster/allot is in use";
        return -EINVAL;
    }
    f = open_memstream(out, out_len);
    if (!f)
        return -ENOMEM;
    volfile_print_text(f, vf, 0, ns->begin);
    for (i = 0; i < ns->child_count; i++) {
        name = vf->nodes[ns->children[i]].name;
        if (!is_leaving(target->leaving, name))
            fprintf(f,
                    "volume %s-allot-stays-%d\n    type cluster/allot\n"
                    "    option refuse %s\n    subvolumes %s\nend-volume\n\n",
                    target->volume, i, refuse, name);
    }
    volfile_print_text(f, vf, ns->begin, ns->sub_begin);
    for (i = 0; i < ns->child_count; i++) {
        name = vf->nodes[ns->children[i]].name;
        if (i)
            fputc(' ', f);
        if (is_leaving(target->leaving, name))
            fputs(name, f);
        else
            fprintf(f, "%s-allot-stays-%d", target->volume, i);
    }
    volfile_print_text(f, vf, ns->sub_end, vf->len);
    return volfile_print_close(f, out);
}
