/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-warnings.c - what the volgen filter has to say to the administrator:
 * options that it left out because they are not valid, and features of
 * GlusterFS that do not count what allot stores. It says so in the options
 * "rejected" and "beside"; the status document shows sentences.
 *
 * Deliberately not here: checks. The filter has made them.
 */
#include "allot-bricks-impl.h"
#include <jansson.h>

static void
warnings_keep(pthread_mutex_t *lock, char **kept, dict_t *options, char *key)
{
    char *value = NULL;
    char *copy = NULL;
    char *old = NULL;

    if (dict_get_str(options, key, &value) == 0)
        copy = gf_strdup(value);
    pthread_mutex_lock(lock);
    old = *kept;
    *kept = copy;
    pthread_mutex_unlock(lock);
    GF_FREE(old);
}

void
allot_warnings_set(xlator_t *this, dict_t *options)
{
    struct allot_priv *priv = allot_priv(this);
    struct allot_bricks *b = priv->bricks;

    warnings_keep(&b->lock, &priv->opt.rejected, options, "rejected");
    warnings_keep(&b->lock, &priv->opt.beside, options, "beside");
}

void
allot_warnings_free(struct allot_priv *priv)
{
    GF_FREE(priv->opt.rejected);
    GF_FREE(priv->opt.beside);
    priv->opt.rejected = NULL;
    priv->opt.beside = NULL;
}

/* One sentence for each part of @list (a copy; may be NULL). */
static void
warnings_add(xlator_t *this, json_t *to, char *list, int rejected)
{
    static const char names[] = "namespace=";
    static const char position[] = "position=";
    char *save = NULL;
    char *part = NULL;

    for (part = list ? strtok_r(list, ",", &save) : NULL; part;
         part = strtok_r(NULL, ",", &save)) {
        if (rejected && strncmp(part, names, sizeof(names) - 1) == 0)
            json_array_append_new(
                to, json_sprintf(
                        "the setting user.xlator.allot.%s is not "
                        "valid here and is not in force: names are "
                        "kept by %s",
                        part, allot_ns_kind_name(allot_priv(this)->ns_kind)));
        else if (rejected && strncmp(part, position, sizeof(position) - 1) == 0)
            json_array_append_new(
                to, json_sprintf(
                        "the setting user.xlator.allot is not locks: guards "
                        "above %s are refused, they stand above locks",
                        part + sizeof(position) - 1));
        else if (rejected)
            json_array_append_new(
                to, json_sprintf("the setting user.xlator.allot.%s is not "
                                 "valid here and is not in force",
                                 part));
        else if (strcmp(part, "quota") == 0)
            json_array_append_new(
                to, json_string("quota is on: it counts what is in base files "
                                "only, not what is spread"));
        else if (strcmp(part, "shard") == 0)
            json_array_append_new(
                to, json_string("features.shard is refused beside allot and is "
                                "not in force: use one of both"));
        else if (strcmp(part, "trash") == 0)
            json_array_append_new(
                to, json_string("features.trash is refused beside allot and is "
                                "not in force: what is removed is gone"));
        else if (strcmp(part, "full-lock") == 0)
            json_array_append_new(
                to, json_string("cluster.full-lock off is refused and is not "
                                "in force: sets lock whole files"));
    }
}

/* What was asked for when the volume was registered stays. */
static void
warnings_inline_limit(json_t *to, uint32_t asked, uint32_t registered)
{
    json_array_append_new(
        to, json_sprintf("inline-limit %u is not in force: the volume was "
                         "registered with %u",
                         asked, registered));
}

json_t *
allot_warnings_json(xlator_t *this)
{
    struct allot_priv *priv = allot_priv(this);
    struct allot_bricks *b = priv->bricks;
    json_t *list = json_array();
    char *rejected = NULL;
    char *beside = NULL;
    gf_boolean_t ignored = _gf_false;
    uint32_t asked = 0;
    uint32_t registered = 0;

    pthread_mutex_lock(&b->lock);
    asked = priv->opt.inline_limit;
    registered = b->reg.inline_limit;
    ignored = allot_registry_inline_ignored_locked(b);
    rejected = priv->opt.rejected ? gf_strdup(priv->opt.rejected) : NULL;
    beside = priv->opt.beside ? gf_strdup(priv->opt.beside) : NULL;
    pthread_mutex_unlock(&b->lock);
    if (list) {
        warnings_add(this, list, rejected, 1);
        warnings_add(this, list, beside, 0);
        if (ignored)
            warnings_inline_limit(list, asked, registered);
    }
    GF_FREE(rejected);
    GF_FREE(beside);
    return list;
}
