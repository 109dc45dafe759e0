/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-crc32c.c - the Castagnoli CRC, half a byte at a time.
 *
 * Sixteen constants instead of 256 or 2048: what is summed here is a record of
 * some hundred bytes, once per lookup, and small tables leave the cache to the
 * data. No processor instruction is used, so that every build gives the same
 * code path.
 */
#include "allot-crc32c.h"

/* The remainder of each four-bit value for the reflected polynomial
 * 0x82f63b78. tests/unit/test-crc32c.c computes them again bit by bit. */
static const uint32_t nibble[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
    0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
    0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t
allot_crc32c(const void *buf, size_t len)
{
    const uint8_t *p = buf;
    uint32_t crc = 0xffffffffu;

    for (size_t i = 0; i < len; i++) {
        crc ^= p[i];
        crc = (crc >> 4) ^ nibble[crc & 15];
        crc = (crc >> 4) ^ nibble[crc & 15];
    }
    return ~crc;
}
