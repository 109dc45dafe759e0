/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * export-prometheus.c - Prometheus's text format, version 0.0.4.
 *
 * Counters, and nothing else, end in _total, with two exceptions: the gauges
 * blocks_total and brick_blocks_total, n of a report, whose names were given.
 */
#include <errno.h>
#include <string.h>

#include "export.h"

static void
allot_prom_label(const char *name, const char *value, const char *comma)
{
    printf("%s%s=\"", comma, name);
    for (; value && *value; value++) {
        if (*value == '\n')
            fputs("\\n", stdout);
        else if (*value == '\\' || *value == '"')
            printf("\\%c", *value);
        else
            putchar(*value);
    }
    putchar('"');
}

static void
allot_prom_head(const char *name, const char *type, const char *help)
{
    printf("# HELP gluster_allot_%s %s\n# TYPE gluster_allot_%s %s\n", name,
           help, name, type);
}

/* The volume as gluster's own exporters label it; by its uuid where nothing
 * says a name. */
static const char *
allot_prom_volume(const json_t *status)
{
    const char *name =
        json_string_value(json_object_get(status, "volume_name"));

    return name ? name : json_string_value(json_object_get(status, "volume"));
}

/* One sample; @brick NULL: of the volume. */
static void
allot_prom_sample(const char *name, const json_t *status, const json_t *brick,
                  const char *state, double value)
{
    printf("gluster_allot_%s{", name);
    allot_prom_label("volume", allot_prom_volume(status), "");
    if (brick) {
        allot_prom_label(
            "brick", json_string_value(json_object_get(brick, "name")), ",");
        allot_prom_label(
            "host", json_string_value(json_object_get(brick, "host")), ",");
    }
    if (state)
        allot_prom_label("state", state, ",");
    printf("} %.17g\n", value);
}

static double
allot_prom_number(const json_t *from, const char *one, const char *two)
{
    const json_t *value = json_object_get(from, one);

    if (two)
        value = json_object_get(value, two);
    return json_number_value(value);
}

static int
allot_prom_is_up(const json_t *brick)
{
    static const char *const up[] = {"up", "full", "draining", "failing"};
    const char *state = json_string_value(json_object_get(brick, "state"));
    size_t i;

    for (i = 0; state && i < sizeof(up) / sizeof(up[0]); i++)
        if (strcmp(up[i], state) == 0)
            return 1;
    return 0;
}

static void
allot_prom_states(const json_t *status, const json_t *bricks)
{
    static const char *const volume[] = {"UP", "DEGRADED", "PARTIAL", "DOWN"};
    const char *state = json_string_value(json_object_get(status, "state"));
    const json_t *brick;
    size_t i;

    allot_prom_head("volume_state", "gauge",
                    "1 for the state the volume is in");
    for (i = 0; i < sizeof(volume) / sizeof(volume[0]); i++)
        allot_prom_sample("volume_state", status, NULL, volume[i],
                          state && strcmp(state, volume[i]) == 0);
    allot_prom_head("brick_up", "gauge",
                    "1 if data on the brick is read and written");
    json_array_foreach(bricks, i, brick)
    {
        allot_prom_sample("brick_up", status, brick, NULL,
                          allot_prom_is_up(brick));
    }
    allot_prom_head("brick_state", "gauge",
                    "1, with the state of the brick as a label");
    json_array_foreach(bricks, i, brick)
    {
        allot_prom_sample("brick_state", status, brick,
                          json_string_value(json_object_get(brick, "state")),
                          1);
    }
}

/* One number of every brick of every set, and what a set can spare. Their state
 * is of the brick alone; that of the set is brick_state. */
static void
allot_prom_sets(const json_t *status, const json_t *bricks)
{
    static const struct {
        const char *name, *type, *help, *key;
    } list[] = {
        {"set_brick_up", "gauge", "1 if this brick of a set serves", NULL},
        {"set_brick_failures_total", "counter", "times it stopped doing so",
         "failures"},
        {"set_brick_flaps_total", "counter", "failures soon after a return",
         "flaps"},
    };
    const json_t *brick, *leaf;
    size_t i, k, n;

    allot_prom_head("set_spare_failures", "gauge",
                    "so many more bricks of the set may fail");
    json_array_foreach(bricks, i, brick)
    {
        if (json_object_get(brick, "leaves"))
            allot_prom_sample("set_spare_failures", status, brick, NULL,
                              allot_prom_number(brick, "spare_failures", NULL));
    }
    for (n = 0; n < sizeof(list) / sizeof(list[0]); n++) {
        allot_prom_head(list[n].name, list[n].type, list[n].help);
        json_array_foreach(bricks, i, brick)
        {
            json_array_foreach(json_object_get(brick, "leaves"), k, leaf)
            {
                allot_prom_sample(
                    list[n].name, status, leaf, NULL,
                    list[n].key ? allot_prom_number(leaf, list[n].key, NULL)
                                : allot_prom_is_up(leaf));
            }
        }
    }
}

static int
allot_prom_has_sets(const json_t *bricks)
{
    const json_t *brick;
    size_t i;

    json_array_foreach(bricks, i, brick)
    {
        if (json_object_get(brick, "leaves"))
            return 1;
    }
    return 0;
}

static void
allot_prom_status(const json_t *status)
{
    static const struct {
        const char *name, *type, *help, *one, *two;
    } list[] = {
        {"brick_capacity_bytes", "gauge", "the brick's size", "capacity_bytes",
         NULL},
        {"brick_used_bytes", "gauge", "bytes in use", "used_bytes", NULL},
        {"brick_fs_bytes", "gauge", "V, the file system below the brick",
         "resource", "capacity_bytes"},
        {"brick_fs_share", "gauge", "R, the brick's part of it", "resource",
         "share"},
        {"brick_weight", "gauge", "part of new data", "weight", NULL},
        {"brick_share", "gauge", "part of the used bytes", "share", NULL},
        {"brick_deviation", "gauge", "use per weight by the mean", "deviation",
         NULL},
        {"brick_failures_total", "counter", "times it stopped being well",
         "failures", NULL},
        {"brick_flaps_total", "counter", "failures soon after a return",
         "flaps", NULL},
        {"brick_reads_total", "counter", "reads answered", "reads", NULL},
        {"brick_writes_total", "counter", "changes answered", "writes", NULL},
        {"brick_errors_total", "counter", "errors of the disk", "errors", NULL},
        {"brick_read_bytes_total", "counter", "bytes read", "bytes_read", NULL},
        {"brick_written_bytes_total", "counter", "bytes written",
         "bytes_written", NULL},
        {"brick_busy_seconds_total", "counter", "time with calls out",
         "performance", "busy_seconds"},
        {"brick_bytes_per_second", "gauge", "mean while busy", "performance",
         "bytes_per_second"},
        {"brick_latency_seconds", "gauge", "time-weighted mean", "performance",
         "latency_seconds"},
    };
    const json_t *bricks = json_object_get(status, "bricks");
    const json_t *brick;
    size_t i, k;

    allot_prom_states(status, bricks);
    allot_prom_head("max_over_mean", "gauge",
                    "largest use per weight by the mean");
    allot_prom_sample("max_over_mean", status, NULL, NULL,
                      allot_prom_number(status, "max_over_mean", NULL));
    allot_prom_head("volume_spare_failures", "gauge",
                    "so many more bricks may fail without data missing");
    allot_prom_sample("volume_spare_failures", status, NULL, NULL,
                      allot_prom_number(status, "spare_failures", NULL));
    for (k = 0; k < sizeof(list) / sizeof(list[0]); k++) {
        allot_prom_head(list[k].name, list[k].type, list[k].help);
        json_array_foreach(bricks, i, brick)
        {
            allot_prom_sample(
                list[k].name, status, brick, NULL,
                allot_prom_number(brick, list[k].one, list[k].two));
        }
    }
    if (allot_prom_has_sets(bricks))
        allot_prom_sets(status, bricks);
}

/* A brick of the report with the labels that the status has for it. */
static const json_t *
allot_prom_known(const json_t *status, const json_t *brick)
{
    const json_t *known;
    size_t i;

    json_array_foreach(json_object_get(status, "bricks"), i, known)
    {
        if (json_equal(json_object_get(known, "index"),
                       json_object_get(brick, "index")))
            return known;
    }
    return brick;
}

/* The name of a count: a total is the unit alone, but of blocks. */
static void
allot_prom_name(char *name, size_t size, const char *prefix, const char *unit,
                const char *count)
{
    if (strcmp(count, "total") == 0 && strcmp(unit, "blocks") != 0)
        snprintf(name, size, "%s%s", prefix, unit);
    else
        snprintf(name, size, "%s%s_%s", prefix, unit, count);
}

static void
allot_prom_report(const json_t *status, const json_t *report)
{
    static const char *const units[] = {"blocks", "bytes"};
    static const char *const counts[] = {"total", "failed",      "unavailable",
                                         "lost",  "recoverable", "holes"};
    static const char *const files[] = {"total", "intact", "damaged",
                                        "unreadable"};
    const json_t *bricks = json_object_get(report, "bricks");
    const json_t *brick;
    char name[64];
    size_t u, c, i;

    for (u = 0; u < 2; u++)
        for (c = 0; c < 6; c++) {
            allot_prom_name(name, sizeof(name), "", units[u], counts[c]);
            allot_prom_head(name, "gauge", "of the files that were looked at");
            allot_prom_sample(name, status, NULL, NULL,
                              allot_prom_number(report, units[u], counts[c]));
            allot_prom_name(name, sizeof(name), "brick_", units[u], counts[c]);
            allot_prom_head(name, "gauge", "of these files, on the brick");
            json_array_foreach(bricks, i, brick)
            {
                allot_prom_sample(
                    name, status, allot_prom_known(status, brick), NULL,
                    allot_prom_number(brick, units[u], counts[c]));
            }
        }
    for (c = 0; c < 4; c++) {
        allot_prom_name(name, sizeof(name), "", "files", files[c]);
        allot_prom_head(name, "gauge", "files that were looked at");
        allot_prom_sample(name, status, NULL, NULL,
                          allot_prom_number(report, "files", files[c]));
    }
    allot_prom_head("report_exact", "gauge", "1 if no number is uncertain");
    allot_prom_sample("report_exact", status, NULL, NULL,
                      json_is_true(json_object_get(report, "exact")));
}

int
allot_export_prometheus(const json_t *status, const json_t *report)
{
    if (report)
        allot_prom_report(status, report);
    else
        allot_prom_status(status);
    return ferror(stdout) ? -EIO : 0;
}
