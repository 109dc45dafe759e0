/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * test-filter.c - the volgen filter's parser, options and conversion, on small
 * graphs and on damaged text. Whole volfiles of glusterd are compared in
 * tests/volume/glusterd-filter.sh.
 */
#include "allot-test.h"
#include "convert.h"

#define C0 "volume v-client-0\n    type protocol/client\nend-volume\n\n"
#define C1 "volume v-client-1\n    type protocol/client\nend-volume\n\n"
#define C2 "volume v-client-2\n    type protocol/client\nend-volume\n\n"
#define DHT(subs)                                                      \
    "volume v-dht\n    type cluster/distribute\n    option lock off\n" \
    "    subvolumes " subs "\nend-volume\n\n"
#define TOP \
    "volume v\n    type debug/io-stats\n    subvolumes v-dht\nend-volume\n"
#define PLAIN C0 C1 C2 DHT("v-client-0 v-client-1 v-client-2") TOP

static int
parse(const char *text, struct volfile *vf)
{
    const char *why = NULL;
    int ret = volfile_parse(text, strlen(text), vf, &why);

    assert_true((ret == -EINVAL) == (why != NULL));
    return ret;
}

static void
test_parse_keeps_places(void **state)
{
    struct volfile vf;
    const struct volfile_node *dht;

    (void)state;
    assert_int_equal(parse("# head\n" PLAIN, &vf), 0);
    assert_int_equal(vf.node_count, 5);
    dht = &vf.nodes[3];
    assert_string_equal(dht->name, "v-dht");
    assert_string_equal(dht->type, "cluster/distribute");
    assert_string_equal(volfile_option(dht, "lock"), "off");
    assert_null(volfile_option(dht, "loc"));
    assert_int_equal(dht->child_count, 3);
    assert_int_equal(dht->children[2], 2);
    assert_memory_equal(vf.text + dht->begin, "volume v-dht\n", 13);
    assert_memory_equal(vf.text + dht->end - 11, "end-volume\n", 11);
    assert_memory_equal(vf.text + dht->sub_begin, "v-client-0 ", 11);
    assert_int_equal(dht->sub_end - dht->sub_begin, 32);
    assert_int_equal(volfile_find(&vf, "v-client-1"), 1);
    assert_int_equal(volfile_find(&vf, "v-client-11"), -1);
    volfile_free(&vf);
}

static void
test_parse_values(void **state)
{
    struct volfile vf;

    (void)state;
    assert_int_equal(
        parse("volume a\ntype t/x\noption k \"two  words\"\noption l a b \n"
              "option k last\nend-volume",
              &vf),
        0);
    assert_string_equal(vf.nodes[0].options[0].value, "two  words");
    assert_string_equal(volfile_option(&vf.nodes[0], "l"), "a b");
    assert_string_equal(volfile_option(&vf.nodes[0], "k"), "last");
    assert_int_equal(vf.nodes[0].end, vf.len);
    volfile_free(&vf);
}

static void
test_parse_refuses(void **state)
{
    static const char *const texts[] = {
        "",
        "# only a comment\n",
        "volume a\n",
        "volume a\nend-volume\n",
        "type x/y\n",
        "volume a\ntype t\nvolume b\nend-volume\n",
        "volume a\ntype t\ntype t\nend-volume\n",
        "volume a\ntype t\nsubvolumes a\nend-volume\n",
        "volume a\ntype t\nsubvolumes b\nend-volume\n",
        "volume a\ntype t\nsubvolumes\nend-volume\n",
        "volume a\ntype t\nend-volume\nvolume a\ntype t\nend-volume\n",
        "volume a b\ntype t\nend-volume\n",
        "volume a\ntype t\noption k\nend-volume\n",
        "volume a\ntype t\noption k \"x\nend-volume\n",
        "volume a\ntype t\noption k `id`\nend-volume\n",
        "volume a\ntype t\nwhat is this\nend-volume\n",
        C0 "volume d\ntype t\nsubvolumes v-client-0 v-client-0\nend-volume\n",
    };
    struct volfile vf;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (parse(texts[i], &vf) != -EINVAL)
            fail_msg("taken: %s", texts[i]);
        volfile_free(&vf);
    }
}

/* Any cut and any changed byte: never more than a refusal. */
static void
test_parse_damaged(void **state)
{
    const char *good = PLAIN;
    size_t len = strlen(good);
    char *text = malloc(len);
    const char *why;
    struct volfile vf;

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < len; i++) {
        memcpy(text, good, len);
        volfile_parse(text, i, &vf, &why);
        volfile_free(&vf);
        for (int byte = 0; byte < 256; byte += 15) {
            text[i] = (char)byte;
            volfile_parse(text, len, &vf, &why);
            volfile_free(&vf);
        }
    }
    free(text);
}

static void
test_options(void **state)
{
    static const struct {
        const char *key, *value;
        int want;
    } cases[] = {
        {"block-size", "1MB", 1},      {"block-size", "4096", 1},
        {"block-size", "64mb", 1},     {"block-size", "65MB", 0},
        {"block-size", "2048", 0},     {"block-size", "300KB", 0},
        {"block-size", "banana", 0},   {"block-size", "", 0},
        {"block-size", "-1", 0},       {"block-size", "1M B", 0},
        {"block-size", "1e6", 0},      {"inline-limit", "0", 1},
        {"inline-limit", "64MB", 1},   {"inline-limit", "64.1MB", 0},
        {"inline-limit", "100", 1},    {"width", "1", 1},
        {"width", "255", 1},           {"width", "0", 0},
        {"width", "256", 0},           {"width", "4x", 0},
        {"min-free", "1%", 1},         {"min-free", "2.5", 1},
        {"min-free", "101%", 0},       {"min-free", "%", 0},
        {"strict-readdir", "off", 1},  {"strict-readdir", "maybe", 0},
        {"namespace", "replicate", 1}, {"namespace", "mirror", 0},
        {"weights", "capacity", 1},    {"weights", "equal", 1},
        {"weights", "a=1,b=255", 1},   {"weights", "a=1,b=256", 0},
        {"weights", "a=1,", 0},        {"weights", "=1", 0},
        {"weights", "a=", 0},          {"weights", "a", 0},
        {"weights", "a=1 b=2", 0},     {"weights", "", 0},
        {"failing-errors", "0", 1},    {"failing-errors", "1001", 0},
        {"failing-hold", "0", 0},      {"stall-timeout", "3600", 1},
        {"blocksize", "1MB", -1},      {"watch", "a", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (request_option_valid(cases[i].key, cases[i].value) != cases[i].want)
            fail_msg("%s=%s is not %d", cases[i].key, cases[i].value,
                     cases[i].want);
}

#define BRICK(above, options, quota)                                          \
    "volume v-posix\n type storage/posix\nend-volume\n"                       \
    "volume v-locks\n type features/locks\n subvolumes v-posix\nend-volume\n" \
    "volume v-worm\n type features/worm\n subvolumes v-locks\nend-volume\n"   \
    "volume v-allot\n type user/allot\n" options " subvolumes " above         \
    "\nend-volume\n"                                                          \
    "volume v-marker\n type features/marker\n option quota " quota            \
    "\n subvolumes v-allot\nend-volume\n"

static void
test_request(void **state)
{
    struct volfile vf;
    struct request req;

    (void)state;
    assert_int_equal(parse(BRICK("v-locks",
                                 " option block-size 1MB\n option width 0\n"
                                 " option heal-portions on\n"
                                 " option evil \"a b\"\n",
                                 "on"),
                           &vf),
                     0);
    request_read(&vf, &req);
    assert_int_equal(req.asked, 1);
    assert_null(req.why);
    assert_int_equal(req.option_count, 1);
    assert_string_equal(req.options[0].key, "block-size");
    /* Nothing in it can end a line or a value. */
    assert_string_equal(req.rejected, "width=0,evil=a?b");
    assert_int_equal(req.quota, 1);
    request_drop(&req, "block-size");
    assert_int_equal(req.option_count, 0);
    assert_string_equal(req.rejected, "width=0,evil=a?b,block-size=1MB");
    volfile_free(&vf);

    assert_int_equal(parse(BRICK("v-worm", "", "off"), &vf), 0);
    request_read(&vf, &req);
    assert_int_equal(req.asked, 1);
    assert_non_null(req.why);
    assert_int_equal(req.quota, 0);
    volfile_free(&vf);

    assert_int_equal(parse(PLAIN, &vf), 0);
    request_read(&vf, &req);
    assert_int_equal(req.asked, 0);
    volfile_free(&vf);
}

/* A guard is put right, once, and tells clients what was wrong. */
static void
test_guard_anew(void **state)
{
    const char *text = BRICK("v-worm",
                             " option block-size 1MB\n"
                             " option heal-portions maybe\n",
                             "off");
    const char *why = NULL;
    struct volfile vf;
    struct request req;
    char *out = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(parse(text, &vf), 0);
    assert_int_equal(request_guard(&vf, &req), 1);
    assert_non_null(req.why);
    assert_string_equal(req.rejected, "position=worm,heal-portions=maybe");
    assert_int_equal(convert_guard_anew(&vf, &req, &out, &len, &why), 0);
    volfile_free(&vf);
    assert_non_null(
        strstr(out,
               "volume v-allot\n    type user/allot\n"
               "    option block-size 1MB\n    option filter.rejected "
               "position=worm,heal-portions=maybe\n    subvolumes v-locks\n"));
    assert_null(strstr(out, "option heal-portions"));

    assert_int_equal(parse(out, &vf), 0);
    assert_int_equal(vf.node_count, 5);
    assert_int_equal(request_guard(&vf, &req), 0);
    request_read(&vf, &req);
    assert_null(req.why);
    assert_int_equal(req.option_count, 1);
    assert_string_equal(req.rejected, "position=worm,heal-portions=maybe");
    volfile_free(&vf);
    free(out);

    /* "default" is no mistake, and no value that the guard takes. */
    assert_int_equal(
        parse(BRICK("v-locks", " option heal-portions default\n", "off"), &vf),
        0);
    assert_int_equal(request_guard(&vf, &req), 1);
    assert_null(req.why);
    assert_string_equal(req.rejected, "");
    volfile_free(&vf);
    assert_int_equal(
        parse(BRICK("v-locks", " option heal-portions Yes\n", "off"), &vf), 0);
    assert_int_equal(request_guard(&vf, &req), 0);
    volfile_free(&vf);
}

static char *
convert(const char *text, struct request *req);

/* features/trash is switched off, which clients hear of. */
static void
test_trash_off(void **state)
{
    const char *text =
        "volume v-posix\n type storage/posix\nend-volume\n"
        "volume v-trash\n type features/trash\n option trash YES\n"
        " option trash-dir .trashcan\n subvolumes v-posix\nend-volume\n"
        "volume v-locks\n type features/locks\n subvolumes v-trash\n"
        "end-volume\n"
        "volume v-allot\n type user/allot\n subvolumes v-locks\nend-volume\n"
        "volume v-top\n type x/y\n subvolumes v-allot\nend-volume\n";
    const char *why = NULL;
    struct volfile vf;
    struct volfile noted;
    struct request req;
    char *note = NULL;
    char *out = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(parse(text, &vf), 0);
    assert_int_equal(request_guard(&vf, &req), 1);
    assert_int_equal(convert_guard_anew(&vf, &req, &note, &len, &why), 0);
    assert_int_equal(parse(note, &noted), 0);
    assert_int_equal(request_guard(&noted, &req), 0);
    assert_int_equal(convert_trash_off(&noted, &out, &len), 0);
    volfile_free(&noted);
    volfile_free(&vf);
    free(note);
    assert_non_null(strstr(out,
                           "volume v-trash\n    type features/trash\n"
                           "    option trash off\n"
                           "    option trash-dir .trashcan\n"
                           "    subvolumes v-posix\nend-volume\n"));
    assert_int_equal(parse(out, &vf), 0);
    free(out);
    assert_int_equal(request_guard(&vf, &req), 0);
    assert_int_equal(convert_trash_off(&vf, &out, &len), 1);
    request_read(&vf, &req);
    assert_int_equal(req.trash, 1);
    assert_string_equal(req.rejected, "");
    volfile_free(&vf);
    out = convert(PLAIN, &req);
    assert_non_null(out);
    assert_non_null(strstr(out, "    option beside trash\n"));
    free(out);
}

static void
test_bool(void **state)
{
    static const char *const yes[] = {"1",    "on",     "yes", "true",
                                      "TRUE", "enable", "On"};
    static const char *const no[] = {"0",     "off",     "no",
                                     "FALSE", "disable", "Off"};
    static const char *const neither[] = {"", "2", "10", "onn", "o", "enabled"};

    (void)state;
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        assert_int_equal(volfile_bool(yes[i]), 1);
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        assert_int_equal(volfile_bool(no[i]), 0);
    for (size_t i = 0; i < sizeof(neither) / sizeof(neither[0]); i++)
        assert_int_equal(volfile_bool(neither[i]), -1);
    assert_int_equal(volfile_bool(NULL), -1);
}

static void
test_request_full(void **state)
{
    struct request req;

    (void)state;
    memset(&req, 0, sizeof(req));
    for (int i = 0; i < 1000; i++)
        request_reject(&req, "some-key-that-is-long", "with a value\n");
    assert_true(strlen(req.rejected) < sizeof(req.rejected));
    assert_null(strpbrk(req.rejected, " \n\""));
}

static void
test_kinds(void **state)
{
    static const struct {
        const char *text, *base;
        enum convert_kind want;
    } cases[] = {
        {PLAIN, "v.tcp-fuse.vol", CONVERT_CLIENT},
        {PLAIN, "v-rebalance.vol", CONVERT_REBALANCE},
        {PLAIN, "v-rebalance.tcp-fuse.vol", CONVERT_CLIENT},
        {C0, "v.client.vol", CONVERT_NO_CLUSTER},
        {BRICK("v-locks", "", "on"), "v.h.b.vol", CONVERT_BRICK},
        {C0 "volume v-bit-rot-0\ntype features/bit-rot\n"
            "subvolumes v-client-0\nend-volume\n",
         "bitd-server.vol", CONVERT_SERVICE},
        {C0 C1 "volume v-replicate-0\ntype cluster/replicate\n"
               "option iam-self-heal-daemon yes\n"
               "subvolumes v-client-0 v-client-1\nend-volume\n"
               "volume v\ntype debug/io-stats\nsubvolumes v-replicate-0\n"
               "end-volume\n",
         "gsvc-a1b2c3", CONVERT_HEAL},
    };
    struct volfile vf;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(parse(cases[i].text, &vf), 0);
        assert_int_equal(convert_kind(&vf, cases[i].base), cases[i].want);
        volfile_free(&vf);
    }
}

/* What becomes of @text with @req; NULL: refused. */
static char *
convert(const char *text, struct request *req)
{
    struct convert_target targets[CONVERT_TARGETS_MAX];
    const char *why = NULL;
    struct volfile vf;
    char *out = NULL;
    size_t len = 0;
    int count;
    int ret = -1;

    assert_int_equal(parse(text, &vf), 0);
    count = convert_targets(&vf, targets, &why);
    if (count == 1 && !targets[0].done)
        ret = convert_apply(&vf, &targets[0], req, &out, &len, &why);
    assert_true(ret == 0 || why || (count == 1 && targets[0].done));
    if (count > 0)
        convert_targets_free(targets, count);
    volfile_free(&vf);
    return ret ? NULL : out;
}

static void
test_convert_plain(void **state)
{
    struct request req = {.asked = 1};
    char *out = convert(PLAIN, &req);

    (void)state;
    assert_non_null(out);
    assert_string_equal(
        out, C0 C1 C2
        "volume v-dht\n    type cluster/distribute\n    option lock off\n"
        "    subvolumes v-client-0 v-client-1 v-client-2\nend-volume\n"
        "\nvolume v-allot\n    type cluster/allot\n"
        "    subvolumes v-dht v-client-0 v-client-1 v-client-2\nend-volume\n"
        "\nvolume v\n    type debug/io-stats\n    subvolumes v-allot\n"
        "end-volume\n");
    /* What was done is not done again. */
    assert_null(convert(out, &req));
    free(out);
}

static void
test_convert_sets(void **state)
{
    struct request req = {.asked = 1};
    char *out =
        convert(C0 C1
                "volume v-replicate-0\ntype cluster/replicate\n"
                "subvolumes v-client-0 v-client-1\nend-volume\n" C2
                "volume v-client-3\ntype protocol/client\nend-volume\n"
                "volume v-replicate-1\ntype cluster/replicate\n"
                "subvolumes v-client-2 v-client-3\nend-volume\n"
                "volume v-readdir-ahead-0\ntype performance/readdir-ahead\n"
                "subvolumes v-replicate-0\nend-volume\n"
                "volume v-readdir-ahead-1\ntype performance/readdir-ahead\n"
                "subvolumes v-replicate-1\nend-volume\n" DHT(
                    "v-readdir-ahead-0 v-readdir-ahead-1") TOP,
                &req);

    (void)state;
    assert_non_null(out);
    assert_non_null(
        strstr(out,
               "    option watch v-client-0,v-client-1,v-client-2,v-client-3\n"
               "    subvolumes v-dht v-replicate-0 v-replicate-1 v-client-0 "
               "v-client-1 v-client-2 v-client-3\n"));
    free(out);
}

/* What asks for replicated names. */
static struct request
names_asked(void)
{
    struct request req = {.asked = 1, .replicate = 1, .option_count = 1};

    req.options[0].key = (char *)"namespace";
    req.options[0].value = (char *)"replicate";
    return req;
}

#define EC(set, options, subs)                                 \
    "volume v-disperse-" set                                   \
    "\n    type cluster/disperse\n"                            \
    "    option redundancy 1\n" options "    subvolumes " subs \
    "\nend-volume\n\n"
#define EC_0 EC("0", "", "v-client-0 v-client-1 v-client-2")
#define EC_1 EC("1", "", "v-client-3 v-client-4 v-client-5")
#define EC_OFF "    option other-eager-lock off\n"
#define C3 "volume v-client-3\n    type protocol/client\nend-volume\n\n"
#define C4 "volume v-client-4\n    type protocol/client\nend-volume\n\n"
#define C5 "volume v-client-5\n    type protocol/client\nend-volume\n\n"

/* Disperse sets are taken as replicate sets are, and give locks on directories
 * back at once; names of sets are not replicated. */
static void
test_convert_disperse(void **state)
{
    struct request req = {.asked = 1, .replicate = 1, .option_count = 1};
    char *out;

    (void)state;
    req.options[0].key = (char *)"namespace";
    req.options[0].value = (char *)"replicate";
    out = convert(
        C0 C1 C2 C3 C4 C5 EC_0 EC_1 DHT("v-disperse-0 v-disperse-1") TOP, &req);
    assert_non_null(out);
    assert_string_equal(
        out, C0 C1 C2 C3 C4 C5 EC("0", EC_OFF, "v-client-0 v-client-1 v-client-2")
            EC("1", EC_OFF, "v-client-3 v-client-4 v-client-5")
        "volume v-dht\n    type cluster/distribute\n    option lock off\n"
        "    subvolumes v-disperse-0 v-disperse-1\nend-volume\n"
        "\nvolume v-allot\n    type cluster/allot\n"
        "    option rejected namespace=replicate\n"
        "    option watch v-client-0,v-client-1,v-client-2,v-client-3,"
        "v-client-4,v-client-5\n"
        "    subvolumes v-dht v-disperse-0 v-disperse-1 v-client-0 v-client-1 "
        "v-client-2 v-client-3 v-client-4 v-client-5\nend-volume\n"
        "\nvolume v\n    type debug/io-stats\n    subvolumes v-allot\n"
        "end-volume\n");
    assert_null(convert(out, &req));
    free(out);
}

/* One set, and what it is called elsewhere. full-lock is replicate's. */
static void
test_convert_disperse_one(void **state)
{
    struct request req = {.asked = 1};
    char *out = convert(C0 C1 C2 EC_0 DHT("v-disperse-0") TOP, &req);

    (void)state;
    assert_non_null(out);
    assert_non_null(strstr(out,
                           "    option watch v-client-0,v-client-1,v-client-2\n"
                           "    subvolumes v-dht v-disperse-0 v-client-0 "
                           "v-client-1 v-client-2\n"));
    free(out);

    /* What the administrator has set stays. */
    out = convert(C0 C1 C2
                  "volume v-disperse-0\ntype cluster/ec\noption redundancy 1\n"
                  "option full-lock off\noption other-eager-lock on\n"
                  "subvolumes v-client-0 v-client-1 v-client-2\n"
                  "end-volume\n" DHT("v-disperse-0") TOP,
                  &req);
    assert_non_null(out);
    assert_non_null(strstr(out,
                           "type cluster/ec\noption redundancy 1\n"
                           "option full-lock off\n"
                           "option other-eager-lock on\n"));
    assert_null(strstr(out, "option beside"));
    free(out);
}

static void
test_convert_names(void **state)
{
    struct request req = names_asked();
    char *out;

    (void)state;
    out = convert(PLAIN, &req);
    assert_non_null(out);
    assert_null(strstr(out, "cluster/distribute"));
    assert_non_null(strstr(
        out, "    subvolumes v-names v-client-0 v-client-1 v-client-2\n"));
    assert_non_null(strstr(out, "    option inline-limit 0\n"));
    free(out);

    /* Two bricks are too few: the rest is done, the option is told. */
    out = convert(C0 C1 DHT("v-client-0 v-client-1") TOP, &req);
    assert_non_null(out);
    assert_non_null(strstr(out, "    option rejected namespace=replicate\n"));
    assert_non_null(strstr(out, "cluster/distribute"));
    free(out);
}

#define CACHE(n)                         \
    "volume v-readdir-ahead-" n          \
    "\ntype performance/readdir-ahead\n" \
    "option parallel-readdir on\nsubvolumes v-client-" n "\nend-volume\n"

/* What performance.parallel-readdir puts below distribute goes with it: names
 * that are replicated stay so, whatever else is set. */
static void
test_convert_names_cached(void **state)
{
    static const char text[] = C0 C1 C2 CACHE("0") "\n" CACHE("1") CACHE("2")
        DHT("v-readdir-ahead-0 v-readdir-ahead-1 v-readdir-ahead-2") TOP;
    struct request req = names_asked();
    char *out;

    (void)state;
    out = convert(text, &req);
    assert_non_null(out);
    assert_null(strstr(out, "cluster/distribute"));
    assert_null(strstr(out, "readdir-ahead"));
    assert_null(strstr(out, "rejected"));
    assert_non_null(
        strstr(out, "    subvolumes v-client-0 v-client-1 v-client-2\n"));
    assert_non_null(strstr(
        out, "    subvolumes v-names v-client-0 v-client-1 v-client-2\n"));
    free(out);

    /* Distribute keeps them. */
    req.replicate = 0;
    req.options[0].value = (char *)"distribute";
    out = convert(text, &req);
    assert_non_null(out);
    assert_non_null(strstr(out, "volume v-readdir-ahead-2\n"));
    assert_non_null(strstr(out, "    option namespace distribute\n"));
    free(out);
}

/* A kind that no volume of glusterd is of. */
static void
test_convert_names_other(void **state)
{
    struct request req = {.asked = 1};
    char *out;

    (void)state;
    req.options[0].key = (char *)"namespace";
    req.options[0].value = (char *)"other";
    req.option_count = 1;
    out = convert(PLAIN, &req);
    assert_non_null(out);
    assert_non_null(strstr(out, "    option rejected namespace=other\n"));
    assert_null(strstr(out, "    option namespace"));
    free(out);
}

#define SET(type, options)                                    \
    C0 C1 "volume v-replicate-0\n    type " type "\n" options \
          "    subvolumes v-client-0 v-client-1\nend-volume\n\n"

/* What cannot be used is refused to who asked, with a sentence. */
static void
test_convert_unfit(void **state)
{
    struct request req = {.asked = 1};

    (void)state;
    assert_null(convert(SET("cluster/replicate", "option thin-arbiter a:/b\n")
                            DHT("v-replicate-0") TOP,
                        &req));
}

/* Sets lock whole files, whatever the setting says. */
static void
test_convert_full_lock(void **state)
{
    struct request req = {.asked = 1};
    char *out = convert(
        SET("cluster/replicate", "    option full-lock off\n    option x y\n")
            DHT("v-replicate-0") TOP,
        &req);

    (void)state;
    assert_non_null(out);
    assert_non_null(strstr(
        out,
        "end-volume\n\nvolume v-replicate-0\n    type cluster/replicate\n"
        "    option full-lock on\n    option x y\n"
        "    subvolumes v-client-0 v-client-1\nend-volume\n\nvolume v-dht\n"));
    assert_null(strstr(out, "full-lock off"));
    assert_non_null(strstr(out, "    option beside full-lock\n"));
    free(out);
}

/* features/shard goes; what stood on it stands on allot. */
static void
test_convert_shard(void **state)
{
    struct request req = {.asked = 1, .quota = 1};
    char *out = convert(
        C0 C1 DHT("v-client-0 v-client-1")
        "volume v-shard\n    type features/shard\n    subvolumes v-dht\n"
        "end-volume\n\nvolume v\n    type debug/io-stats\n"
        "    subvolumes v-shard\nend-volume\n",
        &req);

    (void)state;
    assert_non_null(out);
    assert_null(strstr(out, "v-shard"));
    assert_non_null(strstr(out, "    option beside shard,quota\n"));
    assert_non_null(strstr(out,
                           "end-volume\n\nvolume v\n    type debug/io-stats\n"
                           "    subvolumes v-allot\nend-volume\n"));
    free(out);
}

/* The guard goes from a brick, and nothing else. */
static void
test_convert_unguard(void **state)
{
    const char *text = BRICK("v-locks", "", "off");
    struct volfile vf;
    char *out = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(parse(text, &vf), 0);
    assert_int_equal(convert_unguard(&vf, &out, &len), 0);
    assert_null(strstr(out, "user/allot"));
    assert_non_null(strstr(out, " option quota off\n subvolumes v-locks\n"));
    volfile_free(&vf);
    assert_int_equal(parse(out, &vf), 0);
    assert_int_equal(vf.node_count, 4);
    free(out);
    assert_int_equal(convert_unguard(&vf, &out, &len), 1);
    volfile_free(&vf);
}

static void
test_convert_weights(void **state)
{
    struct request req = {.asked = 1, .option_count = 1};
    char *out;

    (void)state;
    req.options[0].key = (char *)"weights";
    req.options[0].value = (char *)"v-client-2=4,v-client-0=1";
    out = convert(PLAIN, &req);
    assert_non_null(strstr(out, "option weights v-client-2=4,v-client-0=1\n"));
    free(out);
    req.options[0].value = (char *)"v-client-2=4,v-client-9=1";
    out = convert(PLAIN, &req);
    assert_null(strstr(out, "option weights"));
    assert_non_null(
        strstr(out, "option rejected weights=v-client-2=4?v-client-9=1\n"));
    free(out);
}

/* The graph of a remove-brick refuses; once. */
static void
test_convert_leaving(void **state)
{
    const char *text = C0 C1 C2
        "volume v-dht\n    type cluster/distribute\n"
        "    option decommissioned-bricks v-client-1\n"
        "    subvolumes v-client-0 v-client-1 v-client-2\n"
        "end-volume\n" TOP;
    struct convert_target targets[CONVERT_TARGETS_MAX];
    const char *why = NULL;
    struct volfile vf;
    char *out = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(parse(text, &vf), 0);
    assert_int_equal(convert_targets(&vf, targets, &why), 1);
    assert_string_equal(targets[0].leaving, "v-client-1");
    assert_int_equal(convert_refuse(&vf, &targets[0], &out, &len, &why), 0);
    assert_non_null(strstr(out,
                           "    subvolumes v-allot-stays-0 v-client-1 "
                           "v-allot-stays-2\n"));
    assert_non_null(strstr(out,
                           "volume v-allot-stays-2\n"
                           "    type cluster/allot\n"
                           "    option refuse v-client-1\n"
                           "    subvolumes v-client-2\n"));
    assert_null(strstr(out, "v-allot-stays-1"));
    convert_targets_free(targets, 1);
    volfile_free(&vf);

    assert_int_equal(parse(out, &vf), 0);
    assert_int_equal(convert_targets(&vf, targets, &why), 1);
    assert_int_equal(targets[0].done, 1);
    convert_targets_free(targets, 1);
    volfile_free(&vf);
    free(out);
}

/* That of any rebalance does, where names are replicated. */
static void
test_convert_rebalance(void **state)
{
    struct convert_target targets[CONVERT_TARGETS_MAX];
    struct request req = names_asked();
    const char *why = NULL;
    struct volfile vf;
    char *out = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(parse(PLAIN, &vf), 0);
    assert_int_equal(convert_targets(&vf, targets, &why), 1);
    assert_true(convert_names_replicated(&targets[0], &req));
    assert_int_equal(convert_refuse(&vf, &targets[0], &out, &len, &why), 0);
    for (int i = 0; i < 3; i++) {
        char want[160];

        snprintf(want, sizeof(want),
                 "volume v-allot-stays-%d\n    type cluster/allot\n"
                 "    option refuse namespace\n    subvolumes v-client-%d\n",
                 i, i);
        assert_non_null(strstr(out, want));
    }
    assert_non_null(strstr(
        out,
        "    subvolumes v-allot-stays-0 v-allot-stays-1 v-allot-stays-2\n"));
    free(out);
    req.replicate = 0;
    assert_false(convert_names_replicated(&targets[0], &req));
    convert_targets_free(targets, 1);
    volfile_free(&vf);
}

static void
test_convert_refuses(void **state)
{
    static const char *const texts[] = {
        /* nothing above, another name, something unknown below, a thin
         * arbiter, a name that is in use */
        C0 C1 DHT("v-client-0 v-client-1"),
        C0
        "volume dht\ntype cluster/distribute\nsubvolumes v-client-0\n"
        "end-volume\nvolume v\ntype x/y\nsubvolumes dht\nend-volume\n",
        "volume v-x\ntype storage/null\nend-volume\n" DHT("v-x") TOP,
        C0 C1
        "volume v-replicate-0\ntype cluster/replicate\noption "
        "thin-arbiter h:/x\nsubvolumes v-client-0 v-client-1\n"
        "end-volume\n" DHT("v-replicate-0") TOP,
        "volume v-allot\ntype protocol/client\nend-volume\n" DHT("v-allot") TOP,
    };
    struct request req = {.asked = 1};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_null(convert(texts[i], &req));
    req.why = "the guard is in the wrong place";
    assert_null(convert(PLAIN, &req));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_keeps_places),
        cmocka_unit_test(test_parse_values),
        cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_parse_damaged),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_guard_anew),
        cmocka_unit_test(test_trash_off),
        cmocka_unit_test(test_bool),
        cmocka_unit_test(test_request_full),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_convert_plain),
        cmocka_unit_test(test_convert_sets),
        cmocka_unit_test(test_convert_disperse),
        cmocka_unit_test(test_convert_disperse_one),
        cmocka_unit_test(test_convert_names),
        cmocka_unit_test(test_convert_names_cached),
        cmocka_unit_test(test_convert_names_other),
        cmocka_unit_test(test_convert_unfit),
        cmocka_unit_test(test_convert_full_lock),
        cmocka_unit_test(test_convert_shard),
        cmocka_unit_test(test_convert_unguard),
        cmocka_unit_test(test_convert_weights),
        cmocka_unit_test(test_convert_leaving),
        cmocka_unit_test(test_convert_rebalance),
        cmocka_unit_test(test_convert_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
