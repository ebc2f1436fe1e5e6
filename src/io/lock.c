/* SPDX-License-Identifier: MIT */
/*
 * Locks. flock's, because it ends with the last descriptor of the open file, so with the
 * process, and because it holds between two opens of one process too.
 *
 * The holder unlinks the file before it lets the lock go. Another process may have opened it
 * before that and lock it afterwards, when the name is gone or belongs to a third: the lock
 * operation compares name and file, and taking the lock starts over.
 */
#define _POSIX_C_SOURCE 200809L

#include "base/mem.h"
#include "base/status.h"
#include "io/file_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ATTEMPTS 100
#define CONTENT "unroll %-12ld\n"
#define CONTENT_SIZE 20

struct ur__lock {
    int fd;
    char *path;
};

/* A file of another user can be locked too, where locks are local. */
static int open_file(const char *path)
{
    int fd = ur__io_open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0666);
    return fd < 0 && errno == EACCES ? ur__io_open(path, O_RDONLY | O_NOFOLLOW, 0) : fd;
}

/* Is it empty or of this kind? *holder: the process in it. */
static bool is_ours(int fd, long *holder)
{
    char text[CONTENT_SIZE + 1] = "";
    int64_t n = ur__io_read_full(fd, text, CONTENT_SIZE);
    *holder = 0;
    if (n < 0)
        return false;
    return n == 0 || sscanf(text, "unroll %ld", holder) == 1;
}

/* The number only serves a message, so a failure does no harm. */
static void write_holder(int fd)
{
    char text[CONTENT_SIZE + 16];
    int n = snprintf(text, sizeof text, CONTENT, (long)getpid());
    if (ur__io_seek(fd, 0, SEEK_SET) == 0)
        ur__io_write_full(fd, text, (size_t)n);
}

/* One attempt. *fd −1 without a failure: files cannot be locked here. */
static ur_status try_once(int *fd, const char *path, long *holder, bool *again)
{
    *again = false;
    *fd = open_file(path);
    if (*fd < 0)
        return UR_OK;
    bool ours = is_ours(*fd, holder);
    if (ours && ur__io_lock(*fd, path) == 0) {
        write_holder(*fd);
        return UR_OK;
    }
    int error = errno;
    ur__io_close(*fd);
    *fd = -1;
    *again = ours && error == ESTALE;
    if (ours && error == EWOULDBLOCK)
        return ur__fail(UR_EEXIST, "%s is locked by another process", path);
    if (ours && !*again)
        ur__io_unlink(path);
    return UR_OK;
}

ur_status ur__lock_take(struct ur__lock **out, const char *path, long *holder)
{
    *out = NULL;
    struct ur__lock *lock = ur__calloc(1, sizeof *lock);
    if (!lock)
        return UR_ENOMEM;
    lock->fd = -1;
    lock->path = ur__strdup(path);
    ur_status status = lock->path ? UR_OK : UR_ENOMEM;
    bool again = true;
    for (int i = 0; i < ATTEMPTS && again && status == UR_OK; i++)
        status = try_once(&lock->fd, path, holder, &again);
    if (lock->fd >= 0) {
        *out = lock;
        return UR_OK;
    }
    ur__free(lock->path);
    ur__free(lock);
    return status;
}

void ur__lock_free(struct ur__lock *lock)
{
    if (!lock)
        return;
    ur__io_unlink(lock->path);
    ur__io_close(lock->fd);
    ur__free(lock->path);
    ur__free(lock);
}
