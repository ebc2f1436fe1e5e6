/* SPDX-License-Identifier: MIT */
/* gzip to test with. A build without zlib has none to read: there these calls skip the test. */
#ifndef UR_TESTS_SUPPORT_GZIP_H
#define UR_TESTS_SUPPORT_GZIP_H

#include <stddef.h>

/* Writes one member to out, which has room; returns its size. */
size_t gzip_member(const void *from, size_t n, unsigned char *out, size_t room);
/* A file of one member. */
void gzip_file(const char *path, const void *from, size_t n);

#endif
