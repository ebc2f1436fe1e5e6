/* SPDX-License-Identifier: MIT */
/* What the files of this floor share: the table of operations behind helpers
 * that retry interrupted calls and finish short ones. */
#ifndef UR_IO_FILE_OPS_H
#define UR_IO_FILE_OPS_H

#include "io/file.h"

/* -1 and errno on failure; close-on-exec is added to the flags. */
int ur__io_open(const char *path, int flags, int mode);
/* One read of at most n bytes; 0 at the end, -1 and errno. */
long ur__io_read(int fd, void *to, size_t n);
/* Reads until n bytes or the end: the count, or -1 and errno. */
int64_t ur__io_read_full(int fd, void *to, size_t n);
/* All n bytes or false and errno. */
bool ur__io_write_full(int fd, const void *from, size_t n);
int64_t ur__io_seek(int fd, int64_t offset, int whence);
int ur__io_sync(int fd);
int ur__io_close(int fd);
int ur__io_rename(const char *from, const char *to);
int ur__io_unlink(const char *path);
int ur__io_mode(const char *path, unsigned *mode);
int ur__io_identify(const char *path, int fd, struct ur__file_id *id);
int ur__io_list(const char *folder, int (*each)(void *user, const char *name), void *user);
int ur__io_lock(int fd, const char *path);

/* The folder that holds path, ending in a slash, or "."; ur__free it. NULL: UR_ENOMEM. */
char *ur__io_folder(const char *path);

/* Fails with "cannot VERB PATH: REASON", the reason being errno's text. */
ur_status ur__io_fail(ur_status status, const char *verb, const char *path, int error);

#endif
