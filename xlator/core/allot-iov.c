/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/* allot-iov.c - see allot-iov.h. */
#include "allot-iov.h"

int
allot_iov_cut(const struct iovec *iov, int n, size_t skip, size_t len,
              struct iovec *out)
{
    size_t part = 0;
    int count = 0;
    int i = 0;

    for (i = 0; i < n && len; i++) {
        if (skip >= iov[i].iov_len) {
            skip -= iov[i].iov_len;
            continue;
        }
        part = iov[i].iov_len - skip;
        if (part > len)
            part = len;
        out[count].iov_base = (char *)iov[i].iov_base + skip;
        out[count++].iov_len = part;
        len -= part;
        skip = 0;
    }
    return count;
}
