/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * cable.c - a TCP connection between a client and a brick that can be pulled
 * out and put back, for one client only.
 *
 *     cable PORT BRICK-PORT OFF
 *
 * Listens on PORT of the loopback device and passes what comes to BRICK-PORT,
 * both ways. While the file OFF exists there is no connection: those that are
 * there end, with whatever is on the way in them, and new ones end at once; the
 * file OFF.pulled tells that it is so.
 *
 * Deliberately not here: loss or delay of single bytes; tests/volume/switch.c
 * does the same without TCP for volumes of one process.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINES 16
#define POLL_MSEC 5
#define BUF (256 << 10)

/* a[0] is the client's end, a[1] the brick's. -1: not in use. */
struct line {
    int a[2];
};

static struct line lines[LINES];

static void
line_end(struct line *l)
{
    /* A reset: the client's protocol/client sees the end at once. */
    struct linger now = {1, 0};
    int i = 0;

    for (i = 0; i < 2; i++) {
        if (l->a[i] < 0)
            continue;
        setsockopt(l->a[i], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
        close(l->a[i]);
        l->a[i] = -1;
    }
}

static int
port_address(const char *port, struct sockaddr_in *to)
{
    memset(to, 0, sizeof(*to));
    to->sin_family = AF_INET;
    to->sin_port = htons(strtoul(port, NULL, 10));
    to->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return to->sin_port != 0;
}

/* protocol/client binds to a port below 1024, and a brick wants to see one. */
static int
dial(const struct sockaddr_in *to)
{
    struct sockaddr_in from = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = -1;
    int port = 1023;

    for (port = 1023; port > 512; port--) {
        fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0)
            return -1;
        from.sin_port = htons(port);
        if (bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0 &&
            connect(fd, (const struct sockaddr *)to, sizeof(*to)) == 0)
            return fd;
        close(fd);
        if (errno != EADDRINUSE && errno != EADDRNOTAVAIL)
            return -1;
    }
    return -1;
}

static void
line_begin(int listening, const struct sockaddr_in *to, int off)
{
    int on = 1;
    int fd = accept(listening, NULL, NULL);
    int i = 0;

    for (i = 0; i < LINES && lines[i].a[0] >= 0; i++)
        ;
    if (fd < 0)
        return;
    if (i == LINES) {
        close(fd);
        return;
    }
    lines[i].a[0] = fd;
    lines[i].a[1] = off ? -1 : dial(to);
    if (lines[i].a[1] < 0) {
        line_end(&lines[i]);
        return;
    }
    setsockopt(lines[i].a[0], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(lines[i].a[1], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* What can be read at one end, to the other. */
static int
pass(int from, int to)
{
    static char buf[BUF];
    ssize_t n = read(from, buf, sizeof(buf));
    ssize_t done = 0;
    ssize_t m = 0;

    if (n <= 0)
        return -1;
    for (done = 0; done < n; done += m) {
        m = write(to, buf + done, n - done);
        if (m <= 0)
            return -1;
    }
    return 0;
}

/* After all lines have ended, or when new ones may begin. */
static void
tell(const char *off, int pulled)
{
    char path[4096];
    int fd = -1;

    snprintf(path, sizeof(path), "%s.pulled", off);
    if (!pulled)
        unlink(path);
    else if ((fd = open(path, O_CREAT | O_WRONLY, 0644)) >= 0)
        close(fd);
}

int
main(int argc, char **argv)
{
    struct pollfd fds[1 + 2 * LINES];
    struct sockaddr_in here;
    struct sockaddr_in there;
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    int one = 1;
    int off = 0;
    int told = 0;
    int i = 0;
    int k = 0;

    if (argc != 4 || !port_address(argv[1], &here) ||
        !port_address(argv[2], &there)) {
        fprintf(stderr, "usage: cable PORT BRICK-PORT OFF\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(listening, (struct sockaddr *)&here, sizeof(here)) ||
        listen(listening, 8)) {
        perror("cable");
        return 1;
    }
    for (i = 0; i < LINES; i++)
        lines[i].a[0] = lines[i].a[1] = -1;
    for (;;) {
        memset(fds, 0, sizeof(fds));
        fds[0].fd = listening;
        for (i = 0; i < 2 * LINES; i++)
            fds[1 + i].fd = lines[i / 2].a[i % 2];
        for (i = 0; i < 1 + 2 * LINES; i++)
            fds[i].events = POLLIN;
        if (poll(fds, 1 + 2 * LINES, POLL_MSEC) < 0 && errno != EINTR)
            return 1;
        off = access(argv[3], F_OK) == 0;
        for (i = 0; i < LINES; i++)
            for (k = 0; k < 2; k++)
                if (lines[i].a[0] >= 0 &&
                    (off || (fds[1 + 2 * i + k].revents &&
                             pass(lines[i].a[k], lines[i].a[!k]))))
                    line_end(&lines[i]);
        if (off != told)
            tell(argv[3], off);
        told = off;
        if (fds[0].revents)
            line_begin(listening, &there, off);
    }
}
