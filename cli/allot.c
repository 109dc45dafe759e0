/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot.c - the command `allot`: options, choice of the command, exit status.
 *
 * It only asks a mounted volume (or one opened through libgfapi) and prints.
 * It never reads a brick directly and stores nothing.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <argp.h>
#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "export.h"
#include "output.h"
#include "report.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unversioned"
#endif

#define ALLOT_ARGS_MAX 64

const char *argp_program_version = "allot " PACKAGE_VERSION;

static const char doc[] =
    "Show how a volume with cluster/allot shares its data over the bricks, "
    "and what of it can be read now.\v"
    "Commands:\n"
    "  status TARGET            the bricks: state, use, evenness\n"
    "  report TARGET            scan the files below TARGET: what is whole,\n"
    "                           unavailable (a brick is down) or lost\n"
    "  mapfile PATH             which bytes of one file can be read, as a\n"
    "                           mapfile of GNU ddrescue\n"
    "  layout PATH              which brick holds which bytes of one file\n"
    "  ok-to-stop [BRICK...] TARGET\n"
    "                           does anything become unreadable if these\n"
    "                           bricks stop together: exit status 1 if so;\n"
    "                           without names: which bricks may stop alone\n"
    "  brick adopt NAME TARGET  make the brick NAME, which came back empty,\n"
    "                           a new member; its old blocks stay lost\n"
    "  brick set NAME STATE TARGET\n"
    "                           STATE is lost, draining, or clear\n"
    "\n"
    "TARGET is a directory inside a mounted volume, or HOST:/VOLUME or\n"
    "HOST:/VOLUME/DIR, or FILE.vol:/DIR with a client volfile. PATH is a\n"
    "file, written in the same ways. Root is needed.\n"
    "\n"
    "Exit status: 0 everything is recoverable, 1 something is not, 2 usage\n"
    "or access error, 3 a report is not at its end (--resume).";

enum {
    OPT_JSON = 0x100,
    OPT_ALL,
    OPT_BLOCKS,
    OPT_LOG_FILE,
    OPT_WORKERS,
    OPT_XML,
    OPT_PROMETHEUS,
    OPT_HTML,
    OPT_OUTPUT,
    OPT_WATCH,
    OPT_BRICK,
    OPT_UNDER,
    OPT_DAMAGED,
    OPT_DEPTH,
    OPT_RESUME,
    OPT_LIMIT,
};

static const struct argp_option options[] = {
    {"json", OPT_JSON, NULL, 0, "Print one JSON document, version 1", 0},
    {"xml", OPT_XML, NULL, 0,
     "status, report, ok-to-stop: XML as gluster prints it", 0},
    {"prometheus", OPT_PROMETHEUS, NULL, 0,
     "status, report: Prometheus's text format", 0},
    {"html", OPT_HTML, "FILE", 0, "report: one page for a browser", 0},
    {"output", OPT_OUTPUT, "FILE", 0,
     "Write to FILE, a regular one, which is there in whole or not at all", 0},
    {"watch", OPT_WATCH, "SECONDS", OPTION_ARG_OPTIONAL,
     "status: again and again, every 2 or SECONDS seconds", 0},
    {"brick", OPT_BRICK, "NAME", 0,
     "report: list only files with failed blocks on brick NAME", 0},
    {"under", OPT_UNDER, "DIR", 0,
     "report: only what is in DIR, a directory below TARGET", 0},
    {"damaged", OPT_DAMAGED, NULL, 0,
     "report: only the list of damaged files, as they are found", 0},
    {"depth", OPT_DEPTH, "N", 0,
     "report: also the sums of each directory, N levels down", 0},
    {"resume", OPT_RESUME, "FILE", 0,
     "report: keep in FILE how far it is, go on from there", 0},
    {"limit", OPT_LIMIT, "N", 0,
     "report --resume: stop after about N damaged files", 0},
    {"all", OPT_ALL, NULL, 0,
     "report, layout: print every row, however many there are", 0},
    {"blocks", OPT_BLOCKS, NULL, 0,
     "layout --json: list every byte range with its brick", 0},
    {"workers", OPT_WORKERS, "N", 0,
     "report, ok-to-stop: so many questions at once, 1 to 64 (two for each "
     "CPU)",
     0},
    {"log-file", OPT_LOG_FILE, "FILE", 0,
     "Write libgfapi's log to FILE (HOST:/VOLUME only)", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

struct allot_args {
    struct allot_cli cli;
    const char *html, *output; /* as the two options have them */
    const char *words[ALLOT_ARGS_MAX];
    unsigned int count;
};

/* What failed, for --xml: the last error, and its errno (0: not said). */
static struct {
    pthread_mutex_t lock;
    int number;
    char text[1024];
} allot_failure = {PTHREAD_MUTEX_INITIALIZER, 0, ""};

void
allot_cli_errno(int err)
{
    pthread_mutex_lock(&allot_failure.lock);
    allot_failure.number = err;
    pthread_mutex_unlock(&allot_failure.lock);
}

int
allot_cli_error(const char *format, ...)
{
    va_list ap;

    fflush(stdout);
    pthread_mutex_lock(&allot_failure.lock);
    va_start(ap, format);
    vsnprintf(allot_failure.text, sizeof(allot_failure.text), format, ap);
    va_end(ap);
    pthread_mutex_unlock(&allot_failure.lock);
    fputs("allot: ", stderr);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
    return ALLOT_EXIT_ERROR;
}

static error_t
allot_parse_form(struct allot_args *args, enum allot_form form,
                 struct argp_state *state)
{
    if (args->cli.form != ALLOT_FORM_TEXT && args->cli.form != form)
        argp_error(state, "only one of --json, --xml, --prometheus, --html");
    args->cli.form = form;
    return 0;
}

static error_t
allot_parse_opt(int key, char *arg, struct argp_state *state)
{
    struct allot_args *args = state->input;
    unsigned long seconds;
    char *end = NULL;

    switch (key) {
        case OPT_JSON:
            return allot_parse_form(args, ALLOT_FORM_JSON, state);
        case OPT_XML:
            return allot_parse_form(args, ALLOT_FORM_XML, state);
        case OPT_PROMETHEUS:
            return allot_parse_form(args, ALLOT_FORM_PROMETHEUS, state);
        case OPT_HTML:
            args->html = arg;
            return allot_parse_form(args, ALLOT_FORM_HTML, state);
        case OPT_OUTPUT:
            args->output = arg;
            return 0;
        case OPT_BRICK:
            args->cli.brick = arg;
            return 0;
        case OPT_WATCH:
            seconds = arg ? strtoul(arg, &end, 10) : 2;
            if (arg &&
                (*end || arg[0] < '1' || arg[0] > '9' || seconds > 86400))
                argp_error(state, "--watch %s: it takes 1 to 86400", arg);
            args->cli.watch = (int)seconds;
            return 0;
        case OPT_UNDER:
            args->cli.under = arg;
            return 0;
        case OPT_DAMAGED:
            args->cli.damaged = 1;
            return 0;
        case OPT_RESUME:
            args->cli.resume = arg;
            return 0;
        case OPT_DEPTH:
            args->cli.depth_set = 1;
            args->cli.depth = (unsigned int)strtoul(arg, &end, 10);
            if (*end || arg[0] < '0' || arg[0] > '9' || args->cli.depth > 64)
                argp_error(state, "--depth %s: it takes 0 to 64", arg);
            return 0;
        case OPT_LIMIT:
            args->cli.limit = strtoul(arg, &end, 10);
            if (*end || arg[0] < '1' || arg[0] > '9')
                argp_error(state, "--limit %s: it takes a number above 0", arg);
            return 0;
        case OPT_ALL:
            args->cli.all = 1;
            return 0;
        case OPT_BLOCKS:
            args->cli.blocks = 1;
            return 0;
        case OPT_WORKERS:
            args->cli.workers = (unsigned int)strtoul(arg, &end, 10);
            if (*end || arg[0] < '0' || arg[0] > '9' || !args->cli.workers ||
                args->cli.workers > 64)
                argp_error(state, "--workers %s: it takes 1 to 64", arg);
            return 0;
        case OPT_LOG_FILE:
            args->cli.log_file = arg;
            return 0;
        case ARGP_KEY_ARG:
            if (args->count == ALLOT_ARGS_MAX)
                argp_error(state, "too many arguments, the first is '%s'", arg);
            else
                args->words[args->count++] = arg;
            return 0;
        default:
            return ARGP_ERR_UNKNOWN;
    }
}

/* A form that a command does not have is not left out silently. Returns 0 or an
 * exit status. */
static int
allot_check_form(const struct allot_args *args)
{
    static const char *const forms[] = {
        [ALLOT_FORM_TEXT] = "",       [ALLOT_FORM_JSON] = "--json",
        [ALLOT_FORM_XML] = "--xml",   [ALLOT_FORM_PROMETHEUS] = "--prometheus",
        [ALLOT_FORM_HTML] = "--html",
    };
    static const struct {
        const char *command;
        enum allot_form form;
    } known[] = {
        {"status", ALLOT_FORM_JSON},       {"status", ALLOT_FORM_XML},
        {"status", ALLOT_FORM_PROMETHEUS}, {"report", ALLOT_FORM_JSON},
        {"report", ALLOT_FORM_XML},        {"report", ALLOT_FORM_PROMETHEUS},
        {"report", ALLOT_FORM_HTML},       {"layout", ALLOT_FORM_JSON},
        {"ok-to-stop", ALLOT_FORM_JSON},   {"ok-to-stop", ALLOT_FORM_XML},
    };
    size_t i;

    if (args->cli.form == ALLOT_FORM_TEXT || args->count == 0)
        return ALLOT_EXIT_OK;
    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(args->words[0], known[i].command) == 0 &&
            known[i].form == args->cli.form)
            return ALLOT_EXIT_OK;
    return allot_cli_error(
        "'%s' does not take %s; 'allot --help' says what does", args->words[0],
        forms[args->cli.form]);
}

/* Nor is an option. Returns 0 or an exit status. */
static int
allot_check_options(const struct allot_args *args)
{
    const struct allot_cli *cli = &args->cli;
    const struct {
        const char *option;
        int given;
        const char *command, *also;
    } known[] = {
        {"--watch", cli->watch != 0, "status", ""},
        {"--brick", cli->brick != NULL, "report", ""},
        {"--under", cli->under != NULL, "report", ""},
        {"--damaged", cli->damaged, "report", ""},
        {"--depth", cli->depth_set, "report", ""},
        {"--resume", cli->resume != NULL, "report", ""},
        {"--limit", cli->limit != 0, "report", ""},
        {"--workers", cli->workers != 0, "report", "ok-to-stop"},
        {"--all", cli->all, "report", "layout"},
        {"--blocks", cli->blocks, "layout", ""},
    };
    size_t i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].given && args->count > 0 &&
            strcmp(args->words[0], known[i].command) != 0 &&
            strcmp(args->words[0], known[i].also) != 0)
            return allot_cli_error(
                "'%s' does not take %s; 'allot --help' says what does",
                args->words[0], known[i].option);
    return ALLOT_EXIT_OK;
}

/* Where the result goes. Returns 0 or an exit status. */
static int
allot_check_output(struct allot_args *args)
{
    if (args->html && args->output)
        return allot_cli_error(
            "--html and --output both name the file to write; leave one of "
            "them out");
    args->cli.output = args->html ? args->html : args->output;
    /* It does not end, so that the file would never be there. */
    if (args->cli.watch && args->cli.output)
        return allot_cli_error(
            "--watch tells again and again and never ends a file; leave it or "
            "--output out");
    return ALLOT_EXIT_OK;
}

static int
allot_dispatch(const struct allot_args *args)
{
    static const struct {
        const char *name;
        const char *operand;
        int (*run)(const struct allot_cli *cli, const char *operand);
    } simple[] = {
        {"status", "TARGET", allot_cmd_status},
        {"report", "TARGET", allot_cmd_report},
        {"layout", "PATH", allot_cmd_layout},
        {"mapfile", "PATH", allot_cmd_mapfile},
    };
    size_t i;

    if (args->count == 0)
        return allot_cli_error(
            "no command given; the commands are status, report, layout, "
            "mapfile, ok-to-stop, "
            "brick adopt and brick set, 'allot --help' explains them");
    if (allot_check_form(args) || allot_check_options(args))
        return ALLOT_EXIT_ERROR;

    for (i = 0; i < sizeof(simple) / sizeof(simple[0]); i++) {
        if (strcmp(args->words[0], simple[i].name) != 0)
            continue;
        if (args->count != 2)
            return allot_cli_error(
                "'%s' takes exactly one operand; write 'allot %s %s'",
                simple[i].name, simple[i].name, simple[i].operand);
        return simple[i].run(&args->cli, args->words[1]);
    }

    if (strcmp(args->words[0], "ok-to-stop") == 0) {
        if (args->count < 2)
            return allot_cli_error(
                "'ok-to-stop' is used as 'allot ok-to-stop [BRICK...] TARGET'");
        return allot_cmd_ok_to_stop(&args->cli, args->words + 1,
                                    args->count - 2,
                                    args->words[args->count - 1]);
    }
    if (strcmp(args->words[0], "brick") == 0) {
        if (args->count == 5 && strcmp(args->words[1], "set") == 0)
            return allot_cmd_brick_set(&args->cli, args->words[2],
                                       args->words[3], args->words[4]);
        if (args->count != 4 || strcmp(args->words[1], "adopt") != 0)
            return allot_cli_error(
                "'brick' is used only as 'allot brick adopt NAME TARGET' or "
                "'allot brick set NAME STATE TARGET'");
        return allot_cmd_brick_adopt(&args->cli, args->words[2],
                                     args->words[3]);
    }

    return allot_cli_error(
        "'%s' is not a command; the commands are status, report, layout, "
        "mapfile, ok-to-stop, "
        "brick adopt and brick set",
        args->words[0]);
}

int
main(int argc, char **argv)
{
    static const struct argp argp = {
        options, allot_parse_opt, "COMMAND ...", doc, NULL, NULL, NULL};
    struct allot_args args = {{0}, NULL, NULL, {NULL}, 0};
    struct allot_output output = {NULL, NULL};
    int status;

    /* Only the character set: numbers are printed the same everywhere. */
    setlocale(LC_CTYPE, "");
    argp_err_exit_status = ALLOT_EXIT_ERROR;
    argp_parse(&argp, argc, argv, 0, NULL, &args);

    status = allot_check_output(&args);
    if (status == ALLOT_EXIT_OK)
        status = allot_output_begin(&output, args.cli.output);
    if (status == ALLOT_EXIT_OK)
        status = allot_dispatch(&args);
    /* A page of a list is whole in itself. */
    status = allot_output_end(&output, status,
                              status != ALLOT_EXIT_MORE || args.cli.damaged);
    if (status == ALLOT_EXIT_ERROR && args.cli.form == ALLOT_FORM_XML &&
        !args.output)
        allot_export_xml_failure(
            allot_failure.number ? allot_failure.number : EINVAL,
            allot_failure.text);

    /* One sentence is enough. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && status != ALLOT_EXIT_ERROR)
        status = allot_cli_error(
            "cannot write the result: %s; check where standard output goes",
            strerror(errno));
    allot_resume_settle(status);
    fflush(stderr);

    /* Not exit(): libgfapi's threads still run (target-gfapi.c says why), and
     * the handlers of exit() would free under them. */
    _exit(status);
}
