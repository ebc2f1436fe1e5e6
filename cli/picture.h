/* SPDX-License-Identifier: MIT */
/* A picture's file. */
#ifndef CLI_PICTURE_H
#define CLI_PICTURE_H

#include "cli/svg.h"

/* Can it be written, without loss of a file that is read or (force) of one that exists? names [n]:
 * of what is read. */
ur_status picture_check(const char *path, bool force, const char *const *names, int n);
/* Writes it whole or not at all. */
ur_status picture_write(const char *path, const struct svg *s);

#endif
