/* SPDX-License-Identifier: MIT */
/* How much memory a process may hold. */
#ifndef UR_IO_MEMORY_THERE_H
#define UR_IO_MEMORY_THERE_H

#include <stddef.h>

/* Bytes: the least of the machine's memory, the limits of the process (RLIMIT_AS, RLIMIT_DATA),
 * and what is left in each of the control groups that hold it (containers). 0: not known. root:
 * "", or where /proc and the groups' file systems are looked for instead of at /. */
size_t ur__memory_there(const char *root);

#endif
