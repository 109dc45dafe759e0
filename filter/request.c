/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * request.c - reads the options in the brick's user/allot and sorts them: a
 * valid one is copied, an invalid one is left out and told. cluster/allot
 * refuses to start with an invalid one, and a typo must not stop mounts.
 *
 * The ranges are those of xlator/cluster/allot-options.c; a test compares.
 * Names in "weights" are only checked for their form here: which bricks there
 * are the graph says (convert.c).
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "allot-wire.h"
#include "request.h"

#define INLINE_LIMIT_MAX (64ull << 20)
#define PREFETCH_MAX (1ull << 30)

/* A size as GlusterFS reads it: a number, fractions too, with a unit. */
static int
read_size(const char *value, uint64_t *size)
{
    static const char units[] = "kmgtp";
    const char *unit = NULL;
    char *end = NULL;
    double number = 0;
    int shift = 0;

    if (!isdigit((unsigned char)value[0]) || strpbrk(value, "xXeE"))
        return -1;
    errno = 0;
    number = strtod(value, &end);
    if (errno || end == value)
        return -1;
    if (*end && tolower((unsigned char)*end) != 'b') {
        unit = strchr(units, tolower((unsigned char)*end));
        if (!unit)
            return -1;
        shift = 10 * (int)(unit - units + 1);
        end++;
    }
    if (tolower((unsigned char)*end) == 'b')
        end++;
    number = ldexp(number, shift);
    if (*end || number >= 9e18)
        return -1;
    *size = (uint64_t)number;
    return 0;
}

static int
valid_inline_limit(const char *value)
{
    uint64_t size = 0;

    return !read_size(value, &size) && size <= INLINE_LIMIT_MAX;
}

static int
valid_prefetch(const char *value)
{
    uint64_t size = 0;

    return !read_size(value, &size) && size <= PREFETCH_MAX;
}

static int
valid_block_size(const char *value)
{
    uint64_t size = 0;

    return !read_size(value, &size) && !(size & (size - 1)) &&
           size >= (1ull << ALLOT_BLOCK_SHIFT_MIN) &&
           size <= (1ull << ALLOT_BLOCK_SHIFT_MAX);
}

static int
valid_number(const char *value, long min, long max)
{
    char *end = NULL;
    long n = 0;

    if (!isdigit((unsigned char)value[0]))
        return 0;
    errno = 0;
    n = strtol(value, &end, 10);
    return !errno && !*end && n >= min && n <= max;
}

static int
valid_width(const char *value)
{
    return valid_number(value, 1, ALLOT_MEMBERS_MAX);
}

static int
valid_failing_errors(const char *value)
{
    return valid_number(value, 0, 1000);
}

static int
valid_failing_hold(const char *value)
{
    return valid_number(value, 1, 3600);
}

static int
valid_stall_timeout(const char *value)
{
    return valid_number(value, 0, 3600);
}

static int
valid_percent(const char *value)
{
    char *end = NULL;
    double n = 0;

    if (!isdigit((unsigned char)value[0]) || strpbrk(value, "xXeE"))
        return 0;
    n = strtod(value, &end);
    return end != value && (!*end || strcmp(end, "%") == 0) && n <= 100;
}

static int
valid_bool(const char *value)
{
    return volfile_bool(value) >= 0;
}

static int
valid_namespace(const char *value)
{
    return strcmp(value, "distribute") == 0 ||
           strcmp(value, "replicate") == 0 || strcmp(value, "other") == 0;
}

/* NAME=N,NAME=N */
static int
valid_weights(const char *value)
{
    const char *at = value;
    const char *eq = NULL;
    char number[8];
    size_t len = 0;

    if (strcmp(value, "capacity") == 0 || strcmp(value, "equal") == 0)
        return 1;
    if (strpbrk(value, " \t\""))
        return 0;
    for (;;) {
        len = strcspn(at, ",");
        eq = memchr(at, '=', len);
        if (!eq || eq == at || (size_t)(at + len - eq - 1) >= sizeof(number))
            return 0;
        memcpy(number, eq + 1, at + len - eq - 1);
        number[at + len - eq - 1] = '\0';
        if (!valid_number(number, 1, ALLOT_WEIGHT_MAX))
            return 0;
        at += len;
        if (!*at)
            return 1;
        at++;
    }
}

static const struct {
    const char *key;
    int (*valid)(const char *value);
} known[] = {
    {"inline-limit", valid_inline_limit},
    {"block-size", valid_block_size},
    {"width", valid_width},
    {"weights", valid_weights},
    {"min-free", valid_percent},
    {"strict-readdir", valid_bool},
    {"namespace", valid_namespace},
    {"failing-errors", valid_failing_errors},
    {"failing-hold", valid_failing_hold},
    {"stall-timeout", valid_stall_timeout},
    {"prefetch", valid_prefetch},
};

/* Options that are the guard's own. */
static const struct {
    const char *key;
    int (*valid)(const char *value);
} of_guard[] = {
    {"heal-portions", valid_bool},
};

int
request_option_valid(const char *key, const char *value)
{
    size_t i = 0;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(key, known[i].key) == 0)
            return known[i].valid(value);
    return -1;
}

/* What is shown must not change the meaning of a volfile. */
static void
append_safe(char *to, size_t size, const char *text, size_t max)
{
    size_t n = strlen(to);
    size_t i = 0;
    char c = 0;

    for (i = 0; i < max && text[i] && n + 2 < size; i++) {
        c = text[i];
        if (!isalnum((unsigned char)c) && !strchr("._-+=/:%", c))
            c = '?';
        to[n++] = c;
    }
    to[n] = '\0';
}

void
request_reject(struct request *req, const char *key, const char *value)
{
    size_t size = sizeof(req->rejected);

    if (strlen(req->rejected) + strlen(key) + 80 > size)
        return;
    if (req->rejected[0])
        strcat(req->rejected, ",");
    append_safe(req->rejected, size, key, 64);
    strcat(req->rejected, "=");
    append_safe(req->rejected, size, value, 64);
}

void
request_drop(struct request *req, const char *key)
{
    int i = 0;

    for (i = 0; i < req->option_count; i++) {
        if (strcmp(req->options[i].key, key) != 0)
            continue;
        request_reject(req, key, req->options[i].value);
        req->option_count--;
        memmove(&req->options[i], &req->options[i + 1],
                (req->option_count - i) * sizeof(req->options[0]));
        return;
    }
}

/* 1: the guard would take it. 0: it would not start. -1: it is not its own. */
static int
guard_option_valid(const struct volfile_option *opt)
{
    size_t i = 0;

    for (i = 0; i < sizeof(of_guard) / sizeof(of_guard[0]); i++)
        if (strcmp(opt->key, of_guard[i].key) == 0)
            return of_guard[i].valid(opt->value);
    return -1;
}

/* glusterd cannot reset one user.* setting: this value stands for it. */
static int
is_default(const char *value)
{
    return strcmp(value, "default") == 0;
}

/* "KEY=VALUE,KEY=VALUE", which was made by request_reject(). */
static void
reject_again(struct request *req, const char *list)
{
    char part[160];
    char *eq = NULL;
    size_t len = 0;

    for (; *list; list += len + (list[len] == ',')) {
        len = strcspn(list, ",");
        snprintf(part, sizeof(part), "%.*s", (int)len, list);
        eq = strchr(part, '=');
        if (!eq)
            continue;
        *eq = '\0';
        request_reject(req, part, eq + 1);
    }
}

static void
sort_option(struct request *req, const struct volfile_option *opt)
{
    if (guard_option_valid(opt) >= 0 || is_default(opt->value))
        return;
    if (strcmp(opt->key, REQUEST_GUARD_BESIDE) == 0) {
        req->trash = 1;
        return;
    }
    if (strcmp(opt->key, REQUEST_GUARD_REJECTED) == 0) {
        reject_again(req, opt->value);
        return;
    }
    if (request_option_valid(opt->key, opt->value) <= 0 ||
        req->option_count == REQUEST_OPTIONS_MAX) {
        request_reject(req, opt->key, opt->value);
        return;
    }
    req->options[req->option_count++] = *opt;
    if (strcmp(opt->key, "namespace") == 0)
        req->replicate = strcmp(opt->value, "replicate") == 0;
}

/* The name of the translator that glusterd was told to put the guard above, or
 * of the next one below, should the brick not have that. */
static const char *
guard_position(const struct volfile *brick, const struct volfile_node *guard)
{
    const char *type = NULL;
    const char *slash = NULL;

    if (guard->child_count != 1)
        return "?";
    type = brick->nodes[guard->children[0]].type;
    slash = strrchr(type, '/');
    return slash ? slash + 1 : type;
}

static int
is_above_locks(const struct volfile *brick, const struct volfile_node *guard)
{
    return guard->child_count == 1 &&
           strcmp(brick->nodes[guard->children[0]].type, "features/locks") == 0;
}

int
request_trash_is_on(const struct volfile *brick)
{
    int at = volfile_has_type(brick, "features/trash");

    return at >= 0 &&
           volfile_bool(volfile_option(&brick->nodes[at], "trash")) == 1;
}

int
request_guard_keeps(const struct volfile_option *opt)
{
    return guard_option_valid(opt) != 0;
}

int
request_guard(const struct volfile *brick, struct request *req)
{
    const struct volfile_node *guard = NULL;
    const struct volfile_option *opt = NULL;
    int at = volfile_has_type(brick, "user/allot");
    int changed = 0;
    int i = 0;

    memset(req, 0, sizeof(*req));
    if (at < 0)
        return 0;
    req->asked = 1;
    guard = &brick->nodes[at];
    if (!is_above_locks(brick, guard)) {
        req->why = "it must be set to locks";
        request_reject(req, "position", guard_position(brick, guard));
        changed = 1;
    }
    req->trash = request_trash_is_on(brick) &&
                 !volfile_option(guard, REQUEST_GUARD_BESIDE);
    if (req->trash)
        changed = 1;
    for (i = 0; i < guard->option_count; i++) {
        opt = &guard->options[i];
        if (request_guard_keeps(opt))
            continue;
        changed = 1;
        if (!is_default(opt->value))
            request_reject(req, opt->key, opt->value);
    }
    return changed;
}

void
request_read(const struct volfile *brick, struct request *req)
{
    const struct volfile_node *guard = NULL;
    int marker = volfile_has_type(brick, "features/marker");
    int at = volfile_has_type(brick, "user/allot");
    int i = 0;

    memset(req, 0, sizeof(*req));
    if (at < 0)
        return;
    req->asked = 1;
    guard = &brick->nodes[at];
    if (!is_above_locks(brick, guard))
        req->why =
            "user.xlator.allot must be set to locks: the guard does not "
            "stand directly above features/locks";
    for (i = 0; i < guard->option_count; i++)
        sort_option(req, &guard->options[i]);
    if (marker >= 0)
        req->quota =
            volfile_bool(volfile_option(&brick->nodes[marker], "quota")) == 1;
}
