/* SPDX-License-Identifier: MIT */
/* Files in memory, put in the place of the system's by the table of file operations:
 * thousands of damaged files a second cost no disk, and reads can be made short. */
#ifndef UR_TESTS_MEMORY_FILE_H
#define UR_TESTS_MEMORY_FILE_H

#include <stddef.h>

/* From now on paths that begin with "mem:" are files in memory; others are the
 * system's. */
void memory_files_on(void);
/* Forgets them all; the system's operations again. */
void memory_files_off(void);
/* Makes or replaces one. bytes are borrowed until it is replaced or forgotten. */
void memory_file(const char *path, const void *bytes, size_t n);
/* Its bytes, valid until the next write to it, and how many; NULL: there is none. */
const void *memory_file_bytes(const char *path, size_t *n);
/* Forgets one, if it is there. */
void memory_file_remove(const char *path);
/* No read gives more than n bytes; 0: as many as asked for. */
void memory_files_read_at_most(size_t n);

/* What may befall an operation on these files. */
enum memory_fault {
    MEMORY_SOUND,
    MEMORY_EIO, MEMORY_EIO_ALL,         /* it fails; and all after it */
    MEMORY_EINTR, MEMORY_EINTR_ALL,     /* interrupted, of those that can be */
    MEMORY_SHORT,                       /* a read or write of half the bytes */
    MEMORY_PIPE,                        /* a seek, and all after it: no plain file */
    MEMORY_SHRINKS, MEMORY_GROWS        /* before a read the file changes its size */
};
/* Befalls the n-th operation from now on (1 is the next) among those that it can befall. */
void memory_files_fail(enum memory_fault fault, long n);
/* How often it has. */
long memory_files_failed(void);
/* Descriptors of these files that are open. */
int memory_files_open(void);

#endif
