/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * fuzz-codec.c - any bytes into every decoder: no crash, no guess, and what is
 * accepted encodes to the same bytes again.
 *
 * With libFuzzer:
 *      clang -fsanitize=fuzzer,address,undefined -Ixlator/core \
 *          tests/unit/fuzz-codec.c xlator/core/allot-*.c -luuid -o fuzz-codec
 * With any compiler, -DALLOT_FUZZ_MAIN gives a main() that feeds the same
 * function with random changes of valid items:
 *      fuzz-codec [how many]         (ALLOT_SEED=N repeats a run)
 */
#include "codec-items.h"

#include <inttypes.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz-codec: %s\n", what);
    abort();
}

static void
feed(const uint8_t *buf, size_t len)
{
    /* no encoding is longer than what was decoded */
    uint8_t *out = malloc(len + 1);

    require(out != NULL, "no memory");
    for (size_t i = 0; i < ITEM_COUNT; i++) {
        int64_t again = -1;
        int ret = items[i].turn(buf, len, out, len + 1, &again);

        require(ret == 0 || ret == -EBADMSG || ret == -EPROTONOSUPPORT,
                "an error that is not in the contract");
        if (ret == 0)
            require(again == (int64_t)len && memcmp(out, buf, len) == 0,
                    "accepted, but encodes differently");
    }
    free(out);
}

static void
feed_name(const uint8_t *buf, size_t len)
{
    char *name = malloc(len + 1);
    char again[ALLOT_PORTION_NAME_SIZE];
    uint8_t gfid[16];
    uint64_t nonce;

    require(name != NULL, "no memory");
    memcpy(name, buf, len);
    name[len] = '\0';
    if (allot_portion_name_parse(name, gfid, &nonce) == 0) {
        allot_portion_name(gfid, nonce, again);
        require(strcmp(name, again) == 0, "a name with two spellings");
    }
    free(name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *sealed;

    feed(data, size);
    feed_name(data, size);
    if (size < 4)
        return 0;
    /* once more with the right CRC: no fuzzer guesses one */
    sealed = malloc(size);
    require(sealed != NULL, "no memory");
    memcpy(sealed, data, size);
    item_seal(sealed, size);
    feed(sealed, size);
    free(sealed);
    return 0;
}

#ifdef ALLOT_FUZZ_MAIN

#include <time.h>

static uint64_t rng_state;

/* splitmix64 */
static uint64_t
rng(void)
{
    uint64_t z = (rng_state += 0x9e3779b97f4a7c15ull);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

/* Change, cut, extend, copy a part over another. Returns the new length. */
static size_t
mutate(uint8_t *buf, size_t len, size_t cap)
{
    for (uint64_t steps = 1 + rng() % 6; steps > 0; steps--) {
        size_t at = len ? rng() % len : 0;

        switch (rng() % 6) {
            case 0:
                if (len)
                    buf[at] ^= (uint8_t)(1u << (rng() % 8));
                break;
            case 1:
                if (len)
                    buf[at] = (uint8_t)rng();
                break;
            case 2:
                if (len)
                    buf[at] = rng() % 2 ? 0xff : 0;
                break;
            case 3:
                len = at;
                break;
            case 4:
                while (len < cap && rng() % 8)
                    buf[len++] = (uint8_t)rng();
                break;
            default:
                if (len) {
                    size_t from = rng() % len;
                    size_t n = rng() % (len - (at > from ? at : from));

                    memmove(buf + at, buf + from, n);
                }
        }
    }
    return len;
}

int
main(int argc, char **argv)
{
    const char *given = getenv("ALLOT_SEED");
    uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 0) : 20000;
    struct timespec now;
    uint64_t seed;

    clock_gettime(CLOCK_REALTIME, &now);
    seed = given ? strtoull(given, NULL, 0)
                 : (uint64_t)now.tv_sec * 1000003u + (uint64_t)now.tv_nsec;
    rng_state = seed;
    printf("# repeat with ALLOT_SEED=%" PRIu64 "\n", seed);
    fflush(stdout);

    for (uint64_t i = 0; i < rounds; i++) {
        uint8_t buf[ITEM_MAX];
        uint8_t *exact;
        size_t len;

        if (i % 16 == 0) {
            uint8_t gfid[16] = SAMPLE_GFID;

            allot_portion_name(gfid, rng(), (char *)buf);
            len = ALLOT_PORTION_NAME_SIZE - 1;
        } else {
            int64_t made = items[i % ITEM_COUNT].sample(buf, sizeof(buf));

            require(made > 0, "a sample is refused");
            len = (size_t)made;
        }
        len = mutate(buf, len, sizeof(buf));
        exact = malloc(len ? len : 1);
        require(exact != NULL, "no memory");
        memcpy(exact, buf, len);
        LLVMFuzzerTestOneInput(exact, len);
        free(exact);
    }
    printf("ok - %" PRIu64 " inputs\n", rounds);
    return 0;
}

#endif /* ALLOT_FUZZ_MAIN */
