/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * volfile-server.c - answers the one question that programs linked with
 * libgfapi ask a volfile server.
 *
 *     volfile-server ADDRESS PORT VOLUME FILE
 *
 * fio's gfapi engine and qemu's gluster:// take a host and a volume's name, not
 * a file: the library fetches the client graph from there. glusterd would serve
 * it, but one machine can have only one, and it wants volumes of its own. This
 * program gives FILE to whoever asks for VOLUME (GETSPEC of GlusterFS's
 * handshake program, over Sun RPC with TCP record marks), and ENOENT for any
 * other name. Everything else is answered as a procedure that is not there.
 * FILE is read anew for each question.
 *
 * It says "listening" on standard output once it does, and serves until it is
 * killed.
 *
 * Deliberately not here: telling clients that FILE has changed, authentication,
 * TLS, other addresses than IPv4.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CLIENTS 64
#define MAX_REQUEST 65536
#define MAX_REPLY (1 << 20)

/* RFC 5531, and GlusterFS's numbers (rpc-lib's protocol-common.h). */
enum {
    RPC_CALL = 0,
    RPC_REPLY = 1,
    MSG_ACCEPTED = 0,
    ACCEPT_SUCCESS = 0,
    ACCEPT_PROC_UNAVAIL = 3,
    AUTH_NONE = 0,
    HANDSHAKE_PROGRAM = 14398633,
    HANDSHAKE_GETSPEC = 2,
};

#define LAST_FRAGMENT 0x80000000u

struct client {
    int fd;
    size_t have; /* bytes of the request so far, with its record mark */
    unsigned char request[MAX_REQUEST];
};

static const char *volume;
static const char *path;
static unsigned char reply[MAX_REPLY];

static void
die(const char *what)
{
    perror(what);
    exit(1);
}

static uint32_t
get32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

/* Appends to the reply; @at is the number of bytes in it. */
static size_t
put32(size_t at, uint32_t value)
{
    reply[at] = value >> 24;
    reply[at + 1] = value >> 16;
    reply[at + 2] = value >> 8;
    reply[at + 3] = value;
    return at + 4;
}

/* The next field, 32 bits at *@at. Past the end: 0, and *@at past the end. */
static uint32_t
take32(const unsigned char *request, size_t len, size_t *at)
{
    uint32_t value = 0;

    if (*at + 4 <= len)
        value = get32(request + *at);
    *at += 4;
    return value;
}

/* Credentials and verifier have a kind, a length and a body padded to four. */
static void
skip_auth(const unsigned char *request, size_t len, size_t *at)
{
    uint32_t bytes;

    take32(request, len, at);
    bytes = take32(request, len, at);
    *at += (bytes < MAX_REQUEST ? bytes : MAX_REQUEST) + 3;
    *at &= ~(size_t)3;
}

/* The file as an answer: op_ret (its length), op_errno, itself, no xdata. */
static size_t
put_file(size_t at)
{
    FILE *in = fopen(path, "r");
    size_t n;

    if (!in)
        die(path);
    /* The string ends in a NUL of its own, as glusterd's does. */
    n = fread(reply + at + 12, 1, sizeof(reply) - at - 32, in);
    if (ferror(in) || !feof(in))
        die(path);
    fclose(in);
    at = put32(at, n);
    at = put32(at, 0);
    at = put32(at, n + 1) + n;
    do
        reply[at++] = 0;
    while (at & 3);
    return put32(at, 0);
}

static size_t
put_refusal(size_t at)
{
    at = put32(at, (uint32_t)-1);
    at = put32(at, ENOENT);
    at = put32(at, 0);
    return put32(at, 0);
}

/* Fills the reply to one request. Returns its length with the record mark, or
 * 0 if the request makes no sense. */
static size_t
answer(const unsigned char *request, size_t len)
{
    uint32_t xid, program, procedure, name_bytes;
    size_t in = 0, out = 4;

    xid = take32(request, len, &in);
    if (take32(request, len, &in) != RPC_CALL)
        return 0;
    take32(request, len, &in); /* RPC version */
    program = take32(request, len, &in);
    take32(request, len, &in); /* the program's version */
    procedure = take32(request, len, &in);
    skip_auth(request, len, &in);
    skip_auth(request, len, &in);
    if (in > len)
        return 0;

    out = put32(out, xid);
    out = put32(out, RPC_REPLY);
    out = put32(out, MSG_ACCEPTED);
    out = put32(out, AUTH_NONE);
    out = put32(out, 0);
    if (program != HANDSHAKE_PROGRAM || procedure != HANDSHAKE_GETSPEC) {
        out = put32(out, ACCEPT_PROC_UNAVAIL);
    } else {
        out = put32(out, ACCEPT_SUCCESS);
        take32(request, len, &in); /* flags */
        name_bytes = take32(request, len, &in);
        if (in > len || name_bytes > len - in)
            return 0;
        if (name_bytes == strlen(volume) &&
            memcmp(request + in, volume, name_bytes) == 0)
            out = put_file(out);
        else
            out = put_refusal(out);
    }
    put32(0, LAST_FRAGMENT | (out - 4));
    return out;
}

static int
send_all(int fd, const unsigned char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        data += n;
        len -= n;
    }
    return 0;
}

/* Reads what is there and answers what is complete. -1: the client is done. */
static int
serve(struct client *c)
{
    ssize_t n = recv(c->fd, c->request + c->have, MAX_REQUEST - c->have, 0);

    if (n <= 0)
        return -1;
    c->have += n;
    while (c->have >= 4) {
        uint32_t mark = get32(c->request);
        size_t len = mark & ~LAST_FRAGMENT;
        size_t out;

        /* libgfapi sends each request in one fragment. */
        if (!(mark & LAST_FRAGMENT) || len > MAX_REQUEST - 4)
            return -1;
        if (c->have < 4 + len)
            break;
        out = answer(c->request + 4, len);
        if (out == 0 || send_all(c->fd, reply, out))
            return -1;
        c->have -= 4 + len;
        memmove(c->request, c->request + 4 + len, c->have);
    }
    return 0;
}

static int
listen_at(const char *address, const char *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    int fd, yes = 1;

    at.sin_port = htons(atoi(port));
    if (inet_pton(AF_INET, address, &at.sin_addr) != 1) {
        fprintf(stderr, "%s: not an IPv4 address\n", address);
        exit(2);
    }
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
        bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 16))
        die("listen");
    return fd;
}

int
main(int argc, char **argv)
{
    static struct client clients[MAX_CLIENTS];
    struct pollfd polled[MAX_CLIENTS + 1];
    int listener, used = 0, i;

    if (argc != 5) {
        fprintf(stderr, "usage: volfile-server ADDRESS PORT VOLUME FILE\n");
        return 2;
    }
    volume = argv[3];
    path = argv[4];
    listener = listen_at(argv[1], argv[2]);
    puts("listening");
    fflush(stdout);
    for (;;) {
        for (i = 0; i < used; i++)
            polled[i] = (struct pollfd){.fd = clients[i].fd, .events = POLLIN};
        /* With all places taken, newcomers wait in the backlog. */
        polled[used] = (struct pollfd){.fd = used < MAX_CLIENTS ? listener : -1,
                                       .events = POLLIN};
        if (poll(polled, used + 1, -1) < 0) {
            if (errno == EINTR)
                continue;
            die("poll");
        }
        if (polled[used].revents) {
            int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

            if (fd >= 0) {
                clients[used].fd = fd;
                clients[used].have = 0;
                polled[used].revents = 0;
                used++;
            }
        }
        /* From the end: the last one moves into a gap. */
        for (i = used - 1; i >= 0; i--) {
            if (!polled[i].revents || serve(&clients[i]) == 0)
                continue;
            close(clients[i].fd);
            clients[i] = clients[--used];
        }
    }
}
