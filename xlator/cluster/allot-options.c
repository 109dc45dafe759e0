/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-options.c - the options, their ranges, and reading them.
 *
 * GlusterFS would check types and ranges of volume_options before init, but of
 * what is no number it says only that; the range is left out. So numbers are of
 * type ANY for it and are checked here (options_check), with a sentence that
 * names option, value and range. .min and .max stay the range.
 *
 * What an option means is not here: see allot-bricks-choose.c (weights,
 * min-free), allot-registry.c (namespace, inline-limit).
 */
#include "allot-bricks-impl.h"
#include "allot-stop.h"
#include <glusterfs/options.h>

#define ALLOT_OPTION_FLAGS \
    (OPT_FLAG_SETTABLE | OPT_FLAG_DOC | OPT_FLAG_CLIENT_OPT)
#define ALLOT_INLINE_MAX (64 * GF_UNIT_MB)
#define ALLOT_INLINE_ALIGN 4096
#define ALLOT_PREFETCH_MAX (1 * GF_UNIT_GB)

struct volume_options allot_volume_options[] = {
    {
        .key = {"inline-limit"},
        .type = GF_OPTION_TYPE_ANY,
        .min = 0,
        .max = ALLOT_INLINE_MAX,
        .default_value = "64KB",
        .op_version = {GD_OP_VERSION_10_0},
        .flags = ALLOT_OPTION_FLAGS,
        .tags = {"allot"},
        .description = "Bytes at the start of every file that stay in the "
                       "namespace. A file that never grows past it is never "
                       "spread. Rounded up to 4KB. It becomes a property of "
                       "the volume when its data subvolumes are registered: "
                       "afterwards the option is ignored.",
    },
    {
        .key = {"block-size"},
        .type = GF_OPTION_TYPE_ANY,
        .min = 1 << ALLOT_BLOCK_SHIFT_MIN,
        .max = 1 << ALLOT_BLOCK_SHIFT_MAX,
        .default_value = "256KB",
        .op_version = {GD_OP_VERSION_10_0},
        .flags = ALLOT_OPTION_FLAGS,
        .tags = {"allot"},
        .description = "Block size of new extents, a power of two. Files "
                       "keep the block size that they were written with.",
    },
    {
        .key = {"width"},
        .type = GF_OPTION_TYPE_ANY,
        .min = 1,
        .max = ALLOT_MEMBERS_MAX,
        .default_value = "16",
        .op_version = {GD_OP_VERSION_10_0},
        .flags = ALLOT_OPTION_FLAGS,
        .tags = {"allot"},
        .description = "Most data subvolumes that a new extent of a file is "
                       "spread over.",
    },
    {
        .key = {"weights"},
        .type = GF_OPTION_TYPE_STR,
        .default_value = "capacity",
        .op_version = {GD_OP_VERSION_10_0},
        .flags = ALLOT_OPTION_FLAGS,
        .tags = {"allot"},
        .description = "How much of new data each data subvolume gets: in "
                       "proportion to its capacity (capacity), the same "
                       "(equal), or as listed (NAME=N,NAME=N with N from 1 to "
                       "255; one that is not listed weighs 1).",
    },
    {
        .key = {"min-free"},
        .type = GF_OPTION_TYPE_ANY,
        .min = 0,
        .max = 100,
        .default_value = "1%",
        .op_version = {GD_OP_VERSION_10_0},
        .flags = ALLOT_OPTION_FLAGS,
        .tags = {"allot"},
        .description = "A data subvolume with less free space gets no new "
                       "extents while others have more.",
    },
    {
        .key = {"prefetch"},
        .type = GF_OPTION_TYPE_ANY,
        .min = 0,
        .max = ALLOT_PREFETCH_MAX,
        .default_value = "16MB",
        .op_version = {GD_OP_VERSION_10_0},
        .flags = ALLOT_OPTION_FLAGS,
        .tags = {"allot"},
        .description = "Bytes that are read ahead of one stream at most, over "
                       "all data subvolumes at once. What was read ahead is "
                       "used for up to one second. 0 turns it off.",
    },
    {
        .key = {"failing-errors"},
        .type = GF_OPTION_TYPE_ANY,
        .min = 0,
        .max = 1000,
        .default_value = "5",
        .op_version = {GD_OP_VERSION_10_0},
        .flags = ALLOT_OPTION_FLAGS,
        .tags = {"allot"},
        .description = "A data subvolume whose reads, or whose changes, of so "
                       "many files in a row end in errors of the disk (EIO, "
                       "EROFS, ENODEV) is failing: it gets no new data. 0: "
                       "never.",
    },
    {
        .key = {"failing-hold"},
        .type = GF_OPTION_TYPE_ANY,
        .min = 1,
        .max = 3600,
        .default_value = "30",
        .op_version = {GD_OP_VERSION_10_0},
        .flags = ALLOT_OPTION_FLAGS,
        .tags = {"allot"},
        .description = "Seconds without an error after which a failing data "
                       "subvolume is tried again. Doubled, up to 16 times, "
                       "each time it fails again within ten minutes.",
    },
    {
        .key = {"stall-timeout"},
        .type = GF_OPTION_TYPE_ANY,
        .min = 0,
        .max = 3600,
        .default_value = "20",
        .op_version = {GD_OP_VERSION_10_0},
        .flags = ALLOT_OPTION_FLAGS,
        .tags = {"allot"},
        .description = "A data subvolume that has calls and has answered none "
                       "for so many seconds is failing. 0: never.",
    },
    {
        .key = {"strict-readdir"},
        .type = GF_OPTION_TYPE_ANY,
        .default_value = "on",
        .op_version = {GD_OP_VERSION_10_0},
        .flags = ALLOT_OPTION_FLAGS,
        .tags = {"allot"},
        .description = "End a listing in EIO while a brick of the namespace "
                       "is down or blank that nothing replicates, so that no "
                       "program takes it for complete.",
    },
    {
        .key = {"namespace"},
        .type = GF_OPTION_TYPE_STR,
        .value = {"distribute", "replicate", "other"},
        .op_version = {GD_OP_VERSION_10_0},
        .flags = ALLOT_OPTION_FLAGS,
        .tags = {"allot"},
        .description = "What the namespace is expected to be. Only checked "
                       "against the registry: if they differ nothing is "
                       "spread.",
    },
    {
        .key = {"debug-stop-at"},
        .type = GF_OPTION_TYPE_STR,
        .default_value = "none",
        .op_version = {GD_OP_VERSION_10_0},
        .flags = OPT_FLAG_NONE,
        .tags = {"allot"},
        .description = "For tests: names of steps of the protocols, with "
                       "commas. The client stops at each, once, as if it had "
                       "been sent SIGSTOP.",
    },
    {
        .key = {"rejected"},
        .type = GF_OPTION_TYPE_STR,
        .op_version = {GD_OP_VERSION_10_0},
        .flags = OPT_FLAG_DOC | OPT_FLAG_CLIENT_OPT,
        .tags = {"allot"},
        .description = "Written by the volgen filter: settings of the volume "
                       "that are not valid and were left out. Shown by the "
                       "status, otherwise without effect.",
    },
    {
        .key = {"beside"},
        .type = GF_OPTION_TYPE_STR,
        .op_version = {GD_OP_VERSION_10_0},
        .flags = OPT_FLAG_DOC | OPT_FLAG_CLIENT_OPT,
        .tags = {"allot"},
        .description =
            "Written by the volgen filter: settings of the volume "
            "(shard, quota, trash, full-lock) that do not go together with "
            "allot. Shown by the status, otherwise without effect.",
    },
    {
        .key = {"refuse"},
        .type = GF_OPTION_TYPE_STR,
        .op_version = {GD_OP_VERSION_10_0},
        .flags = OPT_FLAG_DOC | OPT_FLAG_CLIENT_OPT,
        .tags = {"allot"},
        .description = "Written by the volgen filter into the graph of a "
                       "remove-brick, and of a rebalance where names are "
                       "replicated: it fails at once, and the log says why. "
                       "The value is what glusterd would remove, or namespace.",
    },
    {
        .key = {"volume-name"},
        .type = GF_OPTION_TYPE_STR,
        .op_version = {GD_OP_VERSION_10_0},
        .flags = OPT_FLAG_DOC | OPT_FLAG_CLIENT_OPT,
        .tags = {"allot"},
        .description = "What the status calls the volume. Without it the name "
                       "that the volfile was asked for by, if it came from "
                       "glusterd.",
    },
    {
        .key = {"watch"},
        .type = GF_OPTION_TYPE_STR,
        .op_version = {GD_OP_VERSION_10_0},
        .flags = OPT_FLAG_DOC | OPT_FLAG_CLIENT_OPT,
        .tags = {"allot"},
        .description = "Subvolumes that carry no data of their own: the bricks "
                       "of the replicate sets that are data subvolumes. All "
                       "bricks of such sets must be named. "
                       "Part of the graph: it cannot be changed live.",
    },
    {.key = {NULL}},
};

enum options_kind { OPTION_SIZE, OPTION_NUMBER, OPTION_PERCENT, OPTION_SWITCH };

static const struct {
    const char *key;
    enum options_kind kind;
    const char *range; /* in words */
} options_checked[] = {
    {"inline-limit", OPTION_SIZE, "a size from 0 to 64MB"},
    {"block-size", OPTION_SIZE, "a power of two from 4KB to 64MB"},
    {"width", OPTION_NUMBER, "a number from 1 to 255"},
    {"min-free", OPTION_PERCENT, "a percentage from 0 to 100"},
    {"prefetch", OPTION_SIZE, "a size from 0 to 1GB"},
    {"failing-errors", OPTION_NUMBER, "a number from 0 to 1000"},
    {"failing-hold", OPTION_NUMBER, "a number of seconds from 1 to 3600"},
    {"stall-timeout", OPTION_NUMBER, "a number of seconds from 0 to 3600"},
    {"strict-readdir", OPTION_SWITCH, "on or off"},
};

/* 1: @value is of that kind; *n is its number. */
static int
options_number(const char *value, enum options_kind kind, double *n)
{
    gf_boolean_t on = _gf_false;
    uint64_t size = 0;
    int32_t number = 0;

    *n = 0;
    switch (kind) {
        case OPTION_SIZE:
            if (gf_string2bytesize_uint64(value, &size))
                return 0;
            *n = size;
            return 1;
        case OPTION_NUMBER:
            if (gf_string2int32(value, &number))
                return 0;
            *n = number;
            return 1;
        case OPTION_PERCENT:
            return gf_string2percent(value, n) == 0;
        case OPTION_SWITCH:
            return gf_string2boolean(value, &on) == 0;
    }
    return 0;
}

/* All that are given, not only the first that is wrong. */
static int
options_check(xlator_t *this, dict_t *options)
{
    volume_option_t *opt = NULL;
    char *value = NULL;
    double n = 0;
    size_t i = 0;
    int ret = 0;

    for (i = 0; i < sizeof(options_checked) / sizeof(options_checked[0]); i++) {
        char *key = (char *)options_checked[i].key;

        if (dict_get_str(options, key, &value))
            continue;
        opt = xlator_volume_option_get(this, key);
        if (options_number(value, options_checked[i].kind, &n) &&
            (options_checked[i].kind == OPTION_SWITCH ||
             (opt && n >= opt->min && n <= opt->max)))
            continue;
        gf_msg(this->name, GF_LOG_ERROR, EINVAL, ALLOT_MSG_BAD_OPTION,
               "option %s %s is not valid: it takes %s", key, value,
               options_checked[i].range);
        ret = -1;
    }
    return ret;
}

struct allot_weights {
    enum allot_weights_mode mode;
    uint32_t *named; /* by position, 0: not named */
};

static int
options_bad_weights(xlator_t *this, const char *value, const char *part)
{
    gf_msg(this->name, GF_LOG_ERROR, EINVAL, ALLOT_MSG_BAD_OPTION,
           "option weights %s is not valid at '%s': it takes capacity, equal, "
           "or NAME=N,NAME=N with names of data subvolumes and N from 1 to %d",
           value, part, ALLOT_WEIGHT_MAX);
    return -1;
}

/* NAME=N into w->named. */
static int
options_weight_one(struct allot_bricks *b, char *part, struct allot_weights *w)
{
    char *eq = strchr(part, '=');
    char *end = NULL;
    unsigned long n = 0;
    int i = 0;

    if (!eq || eq == part || eq[1] < '0' || eq[1] > '9')
        return -1;
    n = strtoul(eq + 1, &end, 10);
    if (*end || n < 1 || n > ALLOT_WEIGHT_MAX)
        return -1;
    for (i = 0; i < b->count; i++) {
        if (strlen(b->children[i].xl->name) == (size_t)(eq - part) &&
            strncmp(b->children[i].xl->name, part, eq - part) == 0) {
            if (w->named[i])
                return -1;
            w->named[i] = n;
            return 0;
        }
    }
    return -1;
}

static int
options_weights(xlator_t *this, const char *value, struct allot_weights *w)
{
    struct allot_bricks *b = allot_bricks_of(this);
    char *copy = NULL;
    char *part = NULL;
    char *save = NULL;
    int ret = 0;

    w->named = GF_CALLOC(b->count, sizeof(*w->named), allot_mt_bricks);
    copy = gf_strdup(value);
    if (!w->named || !copy) {
        GF_FREE(copy);
        return -1;
    }

    if (strcmp(value, "capacity") == 0) {
        w->mode = ALLOT_WEIGHTS_CAPACITY;
    } else if (strcmp(value, "equal") == 0) {
        w->mode = ALLOT_WEIGHTS_EQUAL;
    } else {
        w->mode = ALLOT_WEIGHTS_NAMED;
        part = strtok_r(copy, ",", &save);
        if (!part)
            ret = options_bad_weights(this, value, value);
        for (; !ret && part; part = strtok_r(NULL, ",", &save))
            if (options_weight_one(b, part, w))
                ret = options_bad_weights(this, value, part);
    }
    GF_FREE(copy);
    return ret;
}

static int
options_block_shift(xlator_t *this, uint64_t size, uint8_t *shift)
{
    if (size < (1ULL << ALLOT_BLOCK_SHIFT_MIN) ||
        size > (1ULL << ALLOT_BLOCK_SHIFT_MAX) || (size & (size - 1))) {
        gf_msg(this->name, GF_LOG_ERROR, EINVAL, ALLOT_MSG_BAD_OPTION,
               "option block-size %" PRIu64
               " is not valid: it takes a power of two from 4KB to 64MB",
               size);
        return -1;
    }
    *shift = __builtin_ctzll(size);
    return 0;
}

static int
options_ns_kind(const char *value)
{
    if (!value)
        return -1;
    if (strcmp(value, "distribute") == 0)
        return ALLOT_NS_DISTRIBUTE;
    if (strcmp(value, "replicate") == 0)
        return ALLOT_NS_REPLICATE;
    return ALLOT_NS_OTHER;
}

/* All options as given, in the units of struct allot_options. */
struct allot_given {
    uint64_t inline_limit;
    gf_boolean_t inline_given;
    uint64_t block_size;
    int32_t width;
    double min_free;
    uint64_t prefetch;
    int32_t failing_errors;
    int32_t failing_hold;
    int32_t stall_timeout;
    gf_boolean_t strict;
    char *weights; /* GlusterFS's, as all strings here */
    char *ns;
    char *stop;
    char *volume_name;
};

/* What init and reconfigure have in common, after the values were read. */
static int
options_apply(xlator_t *this, const struct allot_given *given)
{
    struct allot_priv *priv = allot_priv(this);
    struct allot_bricks *b = priv->bricks;
    struct allot_weights w = {
        0,
    };
    uint64_t stops = 0;
    uint32_t limit = 0;
    uint8_t shift = 0;
    int i = 0;
    int ret = 0;

    ret = options_block_shift(this, given->block_size, &shift);
    if (!ret)
        ret = options_weights(this, given->weights, &w);
    if (!ret && allot_stop_parse(given->stop, &stops) < 0) {
        gf_msg(this->name, GF_LOG_ERROR, EINVAL, ALLOT_MSG_BAD_OPTION,
               "option debug-stop-at %s is not valid: there is no step of "
               "that name",
               given->stop);
        ret = -1;
    }
    if (ret)
        goto out;

    limit = (given->inline_limit + ALLOT_INLINE_ALIGN - 1) /
            ALLOT_INLINE_ALIGN * ALLOT_INLINE_ALIGN;
    priv->opt.block_shift = shift;
    priv->opt.width = given->width;
    priv->opt.min_free = given->min_free;
    priv->opt.prefetch = given->prefetch;
    priv->opt.failing_errors = given->failing_errors;
    priv->opt.stall_timeout = given->stall_timeout;
    priv->opt.strict_readdir = given->strict;
    priv->opt.stops = stops;

    pthread_mutex_lock(&b->lock);
    if (limit != priv->opt.inline_limit)
        b->inline_told = _gf_false;
    priv->opt.inline_limit = limit;
    priv->opt.inline_given = given->inline_given;
    allot_health_hold_locked(b, priv->opt.failing_hold, given->failing_hold);
    priv->opt.failing_hold = given->failing_hold;
    priv->opt.ns_kind = options_ns_kind(given->ns);
    b->weights_mode = w.mode;
    for (i = 0; i < b->count; i++)
        b->children[i].option_weight = w.named[i];
    allot_ledger_weights_locked(b);
    for (i = 0; i < b->count; i++)
        allot_ledger_full_locked(b, &b->children[i]);
    allot_registry_evaluate_locked(b);
    pthread_mutex_unlock(&b->lock);
out:
    GF_FREE(w.named);
    return ret;
}

int
allot_options_init(xlator_t *this)
{
    struct allot_given given = {
        0,
    };

    allot_warnings_set(this, this->options);
    if (options_check(this, this->options))
        return -1;
    given.inline_given = dict_get(this->options, "inline-limit") != NULL;
    GF_OPTION_INIT("inline-limit", given.inline_limit, size_uint64, err);
    GF_OPTION_INIT("block-size", given.block_size, size_uint64, err);
    GF_OPTION_INIT("width", given.width, int32, err);
    GF_OPTION_INIT("weights", given.weights, str, err);
    GF_OPTION_INIT("min-free", given.min_free, percent, err);
    GF_OPTION_INIT("prefetch", given.prefetch, size_uint64, err);
    GF_OPTION_INIT("failing-errors", given.failing_errors, int32, err);
    GF_OPTION_INIT("failing-hold", given.failing_hold, int32, err);
    GF_OPTION_INIT("stall-timeout", given.stall_timeout, int32, err);
    GF_OPTION_INIT("strict-readdir", given.strict, bool, err);
    GF_OPTION_INIT("namespace", given.ns, str, err);
    GF_OPTION_INIT("debug-stop-at", given.stop, str, err);
    GF_OPTION_INIT("volume-name", given.volume_name, str, err);
    if (given.volume_name) {
        allot_priv(this)->opt.volume_name = gf_strdup(given.volume_name);
        if (!allot_priv(this)->opt.volume_name)
            return -1;
    }
    return options_apply(this, &given);
err:
    return -1;
}

int
allot_options_reconf(xlator_t *this, dict_t *options)
{
    struct allot_given given = {
        0,
    };

    allot_warnings_set(this, options);
    if (options_check(this, options))
        return -1;
    given.inline_given = dict_get(options, "inline-limit") != NULL;
    GF_OPTION_RECONF("inline-limit", given.inline_limit, options, size_uint64,
                     err);
    GF_OPTION_RECONF("block-size", given.block_size, options, size_uint64, err);
    GF_OPTION_RECONF("width", given.width, options, int32, err);
    GF_OPTION_RECONF("weights", given.weights, options, str, err);
    GF_OPTION_RECONF("min-free", given.min_free, options, percent, err);
    GF_OPTION_RECONF("prefetch", given.prefetch, options, size_uint64, err);
    GF_OPTION_RECONF("failing-errors", given.failing_errors, options, int32,
                     err);
    GF_OPTION_RECONF("failing-hold", given.failing_hold, options, int32, err);
    GF_OPTION_RECONF("stall-timeout", given.stall_timeout, options, int32, err);
    GF_OPTION_RECONF("strict-readdir", given.strict, options, bool, err);
    GF_OPTION_RECONF("namespace", given.ns, options, str, err);
    GF_OPTION_RECONF("debug-stop-at", given.stop, options, str, err);
    return options_apply(this, &given);
err:
    return -1;
}
