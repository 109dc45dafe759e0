/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* output.c - see output.h. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "output.h"

/* What a signal has to remove; set once. */
static char *volatile allot_output_temporary;

void
allot_output_signal(int number)
{
    static const char gone[] =
        "allot: the terminal went away (SIGHUP) before all was said; run it "
        "again, no file is left half written\n";

    if (allot_output_temporary)
        unlink(allot_output_temporary);
    if (number == SIGHUP) {
        /* Standard error may be elsewhere; or gone, too. */
        ssize_t n = write(STDERR_FILENO, gone, sizeof(gone) - 1);

        (void)n;
        _exit(ALLOT_EXIT_ERROR);
    }
    signal(number, SIG_DFL);
    raise(number);
}

void
allot_output_handle(int number, void (*handler)(int))
{
    struct sigaction old;

    /* nohup(1) and the like have said that it is to go on. */
    if (sigaction(number, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
        signal(number, handler);
}

/* The name that the file is to get: behind symbolic links, which stay. A
 * device, a pipe or a directory would be replaced by a file, or could not be
 * written in whole or not at all. 0 or an exit status. */
static int
allot_output_place(struct allot_output *out, const char *name)
{
    struct stat st;

    if (stat(name, &st) == 0) {
        if (!S_ISREG(st.st_mode))
            return allot_cli_error(
                "cannot write '%s': it is no regular file; name a file, or "
                "leave the option out and redirect standard output",
                name);
        out->name = realpath(name, NULL);
    } else if (lstat(name, &st) == 0) {
        return allot_cli_error(
            "cannot write '%s': it is a symbolic link that leads nowhere; name "
            "a file",
            name);
    } else {
        out->name = strdup(name);
    }
    return out->name ? 0
                     : allot_cli_error("cannot write '%s': %s", name,
                                       strerror(errno));
}

/* Nothing is begun, or nothing any more. */
static void
allot_output_forget(struct allot_output *out)
{
    free(out->name);
    free(out->temporary);
    memset(out, 0, sizeof(*out));
}

int
allot_output_begin(struct allot_output *out, const char *name)
{
    sigset_t stops, before;
    int fd, status;
    mode_t mask;

    memset(out, 0, sizeof(*out));
    allot_output_handle(SIGHUP, allot_output_signal);
    if (!name)
        return ALLOT_EXIT_OK;
    status = allot_output_place(out, name);
    if (status)
        return status;
    if (asprintf(&out->temporary, "%s.XXXXXX", out->name) < 0) {
        out->temporary = NULL;
        allot_output_forget(out);
        return allot_cli_error("out of memory");
    }
    sigemptyset(&stops);
    sigaddset(&stops, SIGHUP);
    sigaddset(&stops, SIGINT);
    sigaddset(&stops, SIGTERM);
    /* The file is not there without somebody who removes it. */
    sigprocmask(SIG_BLOCK, &stops, &before);
    fd = mkstemp(out->temporary);
    if (fd >= 0) {
        allot_output_temporary = out->temporary;
        signal(SIGINT, allot_output_signal);
        signal(SIGTERM, allot_output_signal);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (fd < 0) {
        status = allot_cli_error(
            "cannot write '%s': %s; name a file in a directory that can be "
            "written",
            name, strerror(errno));
        allot_output_forget(out);
        return status;
    }
    mask = umask(0);
    umask(mask);
    (void)fchmod(fd, 0666 & ~mask);
    fflush(stdout);
    if (dup2(fd, STDOUT_FILENO) < 0) {
        close(fd);
        return allot_output_end(
            out,
            allot_cli_error("cannot write '%s': %s", name, strerror(errno)), 0);
    }
    close(fd);
    return ALLOT_EXIT_OK;
}

int
allot_output_end(struct allot_output *out, int status, int keep)
{
    if (!out->temporary)
        return status;
    errno = 0;
    if (status == ALLOT_EXIT_ERROR)
        keep = 0;
    if (keep &&
        (fflush(stdout) != 0 || ferror(stdout) || fsync(STDOUT_FILENO) != 0 ||
         rename(out->temporary, out->name) != 0)) {
        status = allot_cli_error(
            "cannot write '%s': %s; nothing is left under that name", out->name,
            strerror(errno ? errno : EIO));
        keep = 0;
    }
    if (!keep) {
        unlink(out->temporary);
        clearerr(stdout);
        /* What could not be written there is not for anybody else. */
        if (!freopen("/dev/null", "w", stdout))
            clearerr(stdout);
    }
    allot_output_temporary = NULL;
    allot_output_forget(out);
    return status;
}
