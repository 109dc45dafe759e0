/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* allot-crc32c.h - the Castagnoli CRC (RFC 3720 appendix B.4). */
#ifndef ALLOT_CRC32C_H
#define ALLOT_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/** allot_crc32c - CRC32C of @len bytes at @buf. "123456789" is 0xe3069283. */
uint32_t
allot_crc32c(const void *buf, size_t len);

#endif /* ALLOT_CRC32C_H */
