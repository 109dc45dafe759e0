/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * tcp.c - plain streams of zeros over TCP, one to each of several places at
 * once: what links and processor carry without a file system.
 *
 *   tcp serve ADDRESS PORT        one client after the other, until it is
 * killed tcp write MIB ADDRESS:PORT... MIB to each place; ends when all have it
 *   tcp read MIB ADDRESS:PORT...  MIB from each
 *
 * A client sends how many bytes it wants (8 bytes, both ends are on one
 * machine). If none, it sends until it closes its half and is answered with one
 * byte. Exit status 0, or 1 with a line on standard error.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* As large as a call of an application to a mount. */
#define PIECE_BYTES (128 * 1024)
#define PLACES_MAX 64

struct stream {
    struct sockaddr_in place;
    const char *name;
    uint64_t bytes;
    int writing;
    int failed;
    pthread_t thread;
};

static const char zeros[PIECE_BYTES];

static int
send_zeros(int fd, uint64_t bytes)
{
    while (bytes > 0) {
        ssize_t n = write(fd, zeros, bytes < PIECE_BYTES ? bytes : PIECE_BYTES);

        if (n <= 0)
            return -1;
        bytes -= (uint64_t)n;
    }
    return 0;
}

/* How many came until the other end closed; UINT64_MAX: an error. */
static uint64_t
take_all(int fd)
{
    char buf[PIECE_BYTES];
    uint64_t all = 0;
    ssize_t n = 0;

    while ((n = read(fd, buf, sizeof(buf))) > 0)
        all += (uint64_t)n;
    return n < 0 ? UINT64_MAX : all;
}

static void
serve_one(int fd)
{
    uint64_t wanted = 0;

    if (recv(fd, &wanted, sizeof(wanted), MSG_WAITALL) !=
        (ssize_t)sizeof(wanted))
        return;
    if (wanted > 0)
        send_zeros(fd, wanted);
    else if (take_all(fd) != UINT64_MAX)
        send_zeros(fd, 1);
}

static int
place_of(const char *address, const char *port, struct sockaddr_in *place)
{
    memset(place, 0, sizeof(*place));
    place->sin_family = AF_INET;
    place->sin_port = htons((uint16_t)atoi(port));
    return inet_pton(AF_INET, address, &place->sin_addr) == 1 ? 0 : -1;
}

static int
serve(const char *address, const char *port)
{
    struct sockaddr_in place;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int one = 1;
    int client = -1;

    if (fd < 0 || place_of(address, port, &place) ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
        bind(fd, (struct sockaddr *)&place, sizeof(place)) || listen(fd, 8)) {
        perror("tcp: serve");
        return 1;
    }
    while ((client = accept(fd, NULL, NULL)) >= 0) {
        serve_one(client);
        close(client);
    }
    perror("tcp: accept");
    return 1;
}

static int
stream_run(const struct stream *s, int fd)
{
    uint64_t wanted = s->writing ? 0 : s->bytes;

    if (connect(fd, (const struct sockaddr *)&s->place, sizeof(s->place)) ||
        write(fd, &wanted, sizeof(wanted)) != (ssize_t)sizeof(wanted))
        return -1;
    if (s->writing && (send_zeros(fd, s->bytes) || shutdown(fd, SHUT_WR)))
        return -1;
    return take_all(fd) == (s->writing ? 1 : s->bytes) ? 0 : -1;
}

static void *
stream_thread(void *arg)
{
    struct stream *s = arg;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    s->failed = fd < 0 || stream_run(s, fd);
    if (s->failed)
        fprintf(stderr, "tcp: %s: %s\n", s->name, strerror(errno));
    if (fd >= 0)
        close(fd);
    return NULL;
}

static int
streams(int writing, uint64_t bytes, char **places, int n)
{
    static struct stream all[PLACES_MAX];
    int failed = n > PLACES_MAX;
    int started = 0;
    int i = 0;

    for (i = 0; i < n && !failed; i++) {
        char *colon = strchr(places[i], ':');

        all[i].name = places[i];
        all[i].writing = writing;
        all[i].bytes = bytes;
        if (colon)
            *colon = '\0';
        failed = !colon || place_of(places[i], colon + 1, &all[i].place) ||
                 pthread_create(&all[i].thread, NULL, stream_thread, &all[i]);
        started += !failed;
    }
    for (i = 0; i < started; i++) {
        pthread_join(all[i].thread, NULL);
        failed |= all[i].failed;
    }
    return failed;
}

int
main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc == 4 && strcmp(argv[1], "serve") == 0)
        return serve(argv[2], argv[3]);
    if (argc >= 4 &&
        (strcmp(argv[1], "write") == 0 || strcmp(argv[1], "read") == 0))
        return streams(argv[1][0] == 'w', strtoull(argv[2], NULL, 10) << 20,
                       argv + 3, argc - 3);
    fprintf(stderr,
            "usage: tcp serve ADDRESS PORT\n"
            "       tcp write|read MIB ADDRESS:PORT...\n");
    return 2;
}
