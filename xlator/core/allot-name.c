/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-name.c - names and gfids of portions and of their directories.
 *
 * All are functions of the base gfid and the nonce, so that every client and
 * every brick finds the same portion without asking.
 */
#include "allot-codec.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

void
allot_portion_name(const uint8_t base_gfid[16], uint64_t nonce, char *out)
{
    char gfid[37];

    uuid_unparse_lower(base_gfid, gfid);
    snprintf(out, ALLOT_PORTION_NAME_SIZE, "%s.%016" PRIx64, gfid, nonce);
}

int
allot_portion_name_parse(const char *name, uint8_t base_gfid[16],
                         uint64_t *nonce)
{
    char again[ALLOT_PORTION_NAME_SIZE];
    char gfid[37];
    uuid_t uuid;
    uint64_t value = 0;

    if (strnlen(name, ALLOT_PORTION_NAME_SIZE) != ALLOT_PORTION_NAME_SIZE - 1)
        return -EINVAL;
    memcpy(gfid, name, 36);
    gfid[36] = '\0';
    if (uuid_parse(gfid, uuid) != 0)
        return -EINVAL;
    for (const char *p = name + 37; *p; p++) {
        uint64_t digit;

        if (*p >= '0' && *p <= '9')
            digit = (uint64_t)(*p - '0');
        else if (*p >= 'a' && *p <= 'f')
            digit = (uint64_t)(*p - 'a' + 10);
        else
            return -EINVAL;
        value = value << 4 | digit;
    }
    /* one spelling only: no capitals, no other dash or dot */
    allot_portion_name(uuid, value, again);
    if (strcmp(name, again) != 0)
        return -EINVAL;
    memcpy(base_gfid, uuid, 16);
    *nonce = value;
    return 0;
}

void
allot_portion_gfid(const uint8_t base_gfid[16], uint64_t nonce, uint8_t out[16])
{
    char bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (char)(uint8_t)(nonce >> (56 - 8 * i));
    uuid_generate_sha1(out, base_gfid, bytes, sizeof(bytes));
}

void
allot_dir_gfid(int sub, uint8_t out[16])
{
    static const uint8_t dir[16] = {ALLOT_DIR_GFID_BYTES};

    memcpy(out, dir, sizeof(dir));
    if (sub >= 0) {
        out[14] = 0x02;
        out[15] = (uint8_t)sub;
    }
}

int
allot_dir_of(const uint8_t base_gfid[16])
{
    return base_gfid[0];
}
