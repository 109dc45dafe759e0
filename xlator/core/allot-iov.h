/* SPDX-License-Identifier: LGPL-3.0-or-later OR GPL-2.0-only */
/*
 * allot-iov.h - a part of a vector of buffers.
 *
 * GlusterFS 10.3's own iov_subset() takes the data of the first buffer whenever
 * the part begins behind it, as it does where write-behind has merged two
 * writes.
 */
#ifndef ALLOT_IOV_H
#define ALLOT_IOV_H

#include <stddef.h>
#include <sys/uio.h>

/**
 * allot_iov_cut - the part [skip, skip + len) of a vector
 * @iov: @n buffers, borrowed: the memory they point to is not copied
 * @out: room for @n buffers
 *
 *     iov   |---- 0 ----|-- 1 --|------ 2 ------|
 *     part        |<----- len ----->|
 *     out         |- 0 -|-- 1 --|-2-|
 *
 * Returns how many buffers the part has; fewer bytes than @len if the vector
 * ends before.
 */
int
allot_iov_cut(const struct iovec *iov, int n, size_t skip, size_t len,
              struct iovec *out);

#endif /* ALLOT_IOV_H */
