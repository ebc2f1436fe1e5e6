/* SPDX-License-Identifier: MIT */
/* A handful of files and descriptors in static tables. A file is borrowed bytes until
 * the first write, then bytes of its own. Descriptors begin at FIRST, where none of the
 * system's are. One thread. */
#define _POSIX_C_SOURCE 200809L

#include "support/memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"

enum { FILES = 8, FIRST = 1 << 20 };

static struct file {
    char path[64];          /* "": free, or unlinked and still open */
    const unsigned char *bytes;
    unsigned char *own;     /* == bytes once written */
    size_t size, capacity;
    int open;
} files[FILES];

static struct descriptor {
    struct file *file;      /* NULL: free */
    size_t at;
} descriptors[FILES];

static struct file folder = {.path = "mem:/"};   /* to be opened and synced */
static size_t at_most;

static struct {
    enum memory_fault fault;
    long left;              /* operations until it strikes */
    long struck;
} plan;

static bool is_ours(const char *path)
{
    return strncmp(path, "mem:", 4) == 0;
}

static struct file *find(const char *path)
{
    for (int i = 0; i < FILES; i++) {
        if (files[i].path[0] && strcmp(files[i].path, path) == 0)
            return &files[i];
    }
    return NULL;
}

static void forget(struct file *f)
{
    free(f->own);
    *f = (struct file){.path = ""};
}

static struct file *add(const char *path)
{
    for (int i = 0; i < FILES; i++) {
        if (!files[i].path[0] && files[i].open == 0) {
            strncpy(files[i].path, path, sizeof files[i].path - 1);
            return &files[i];
        }
    }
    abort();
}

/* ---- faults ------------------------------------------------------------ */

/* Does the plan strike this operation, one that may be interrupted or not? */
static bool strikes(bool interruptible)
{
    bool for_good = plan.fault == MEMORY_EIO_ALL || plan.fault == MEMORY_EINTR_ALL ||
                    plan.fault == MEMORY_PIPE;
    bool interrupts = plan.fault == MEMORY_EINTR || plan.fault == MEMORY_EINTR_ALL;
    if (plan.fault == MEMORY_SOUND || (interrupts && !interruptible))
        return false;
    if (plan.left > 0)
        plan.left--;
    if (plan.left > 0 || (plan.struck && !for_good))
        return false;
    plan.struck++;
    return true;
}

/* Whether an operation fails, errno set. */
static bool fails(bool interruptible)
{
    if (plan.fault < MEMORY_EIO || plan.fault > MEMORY_EINTR_ALL || !strikes(interruptible))
        return false;
    errno = plan.fault <= MEMORY_EIO_ALL ? EIO : EINTR;
    return true;
}

/* The file as another program leaves it: with half of its bytes, or some more. */
static void change(struct file *f)
{
    enum { MORE = 7 };
    unsigned char *own = calloc(f->size + MORE, 1);
    size_t n = plan.fault == MEMORY_SHRINKS ? f->size / 2 : f->size;
    if (!own)
        abort();
    if (n)
        memcpy(own, f->bytes, n);
    free(f->own);
    f->bytes = f->own = own;
    f->capacity = f->size + MORE;
    f->size = plan.fault == MEMORY_SHRINKS ? n : n + MORE;
}

/* ---- the operations ---------------------------------------------------- */

static int memory_open(const char *path, int flags, int mode)
{
    if (!is_ours(path))
        return open(path, flags, (mode_t)mode);
    if (fails(true))
        return -1;
    struct file *f = find(path);
    if (f && flags & O_EXCL) {
        errno = EEXIST;
        return -1;
    }
    if (!f && !(flags & O_CREAT) && strcmp(path, folder.path) != 0) {
        errno = ENOENT;
        return -1;
    }
    f = f ? f : strcmp(path, folder.path) == 0 ? &folder : add(path);
    for (int i = 0; i < FILES; i++) {
        if (!descriptors[i].file) {
            descriptors[i] = (struct descriptor){f, 0};
            f->open++;
            return FIRST + i;
        }
    }
    errno = EMFILE;
    return -1;
}

static struct descriptor *descriptor(int fd)
{
    return fd < FIRST ? NULL : &descriptors[fd - FIRST];
}

static long memory_read(int fd, void *to, size_t n)
{
    struct descriptor *d = descriptor(fd);
    if (!d)
        return (long)read(fd, to, n);
    if (fails(true))
        return -1;
    if ((plan.fault == MEMORY_SHRINKS || plan.fault == MEMORY_GROWS) && strikes(false))
        change(d->file);
    if (n > 1 && plan.fault == MEMORY_SHORT && strikes(false))
        n /= 2;
    size_t left = d->at < d->file->size ? d->file->size - d->at : 0;
    n = n < left ? n : left;
    n = at_most && n > at_most ? at_most : n;
    if (n)
        memcpy(to, d->file->bytes + d->at, n);
    d->at += n;
    return (long)n;
}

static long memory_write(int fd, const void *from, size_t n)
{
    struct descriptor *d = descriptor(fd);
    if (!d)
        return (long)write(fd, from, n);
    if (fails(true))
        return -1;
    if (n > 1 && plan.fault == MEMORY_SHORT && strikes(false))
        n /= 2;
    struct file *f = d->file;
    size_t end = d->at + n;
    if (!f->own || end > f->capacity) {
        size_t capacity = 2 * end + 64;
        unsigned char *own = calloc(capacity, 1);
        if (!own) {
            errno = ENOSPC;
            return -1;
        }
        if (f->size)
            memcpy(own, f->bytes, f->size);
        free(f->own);
        f->bytes = f->own = own;
        f->capacity = capacity;
    }
    memcpy(f->own + d->at, from, n);
    d->at = end;
    f->size = end > f->size ? end : f->size;
    return (long)n;
}

static int64_t memory_seek(int fd, int64_t offset, int whence)
{
    struct descriptor *d = descriptor(fd);
    if (!d)
        return (int64_t)lseek(fd, (off_t)offset, whence);
    if (fails(false))
        return -1;
    if (plan.fault == MEMORY_PIPE && strikes(false)) {
        errno = ESPIPE;
        return -1;
    }
    int64_t from = whence == SEEK_END ? (int64_t)d->file->size
                   : whence == SEEK_CUR ? (int64_t)d->at : 0;
    if (offset < -from) {
        errno = EINVAL;
        return -1;
    }
    d->at = (size_t)(from + offset);
    return from + offset;
}

static int memory_sync(int fd)
{
    if (!descriptor(fd))
        return fsync(fd);
    return fails(true) ? -1 : 0;
}

static int memory_close(int fd)
{
    struct descriptor *d = descriptor(fd);
    if (!d)
        return close(fd);
    struct file *f = d->file;
    d->file = NULL;
    if (--f->open == 0 && !f->path[0])
        forget(f);
    return fails(true) ? -1 : 0;    /* closed all the same, as on Linux */
}

static int memory_unlink(const char *path)
{
    struct file *f = is_ours(path) ? find(path) : NULL;
    if (!is_ours(path))
        return unlink(path);
    if (fails(false))
        return -1;
    if (!f) {
        errno = ENOENT;
        return -1;
    }
    f->path[0] = '\0';
    if (f->open == 0)
        forget(f);
    return 0;
}

static int memory_rename(const char *from, const char *to)
{
    struct file *f = is_ours(from) ? find(from) : NULL;
    if (!is_ours(from))
        return rename(from, to);
    if (fails(false))
        return -1;
    if (!f) {
        errno = ENOENT;
        return -1;
    }
    if (find(to))
        memory_unlink(to);
    strncpy(f->path, to, sizeof f->path - 1);
    return 0;
}

static int memory_mode(const char *path, unsigned *mode)
{
    struct stat st;
    if (!is_ours(path)) {
        if (lstat(path, &st) != 0)
            return -1;
        *mode = (unsigned)st.st_mode;
        return 0;
    }
    if (fails(false))
        return -1;
    if (strcmp(path, folder.path) != 0 && !find(path)) {
        errno = ENOENT;
        return -1;
    }
    *mode = S_IFREG | 0600;
    return 0;
}

/* ---- for tests --------------------------------------------------------- */

void memory_files_on(void)
{
    static const struct ur__file_ops ops = {
        .open = memory_open, .read = memory_read, .write = memory_write, .seek = memory_seek,
        .sync = memory_sync, .close = memory_close, .rename = memory_rename,
        .unlink = memory_unlink, .mode = memory_mode
    };
    ur__file_set_ops(&ops);
}

void memory_files_off(void)
{
    for (int i = 0; i < FILES; i++)
        forget(&files[i]);
    at_most = 0;
    memory_files_fail(MEMORY_SOUND, 0);
    ur__file_set_ops(NULL);
}

void memory_file(const char *path, const void *bytes, size_t n)
{
    struct file *f = find(path);
    if (!f)
        f = add(path);
    free(f->own);
    f->own = NULL;
    f->capacity = 0;
    f->bytes = bytes;
    f->size = n;
}

const void *memory_file_bytes(const char *path, size_t *n)
{
    const struct file *f = find(path);
    *n = f ? f->size : 0;
    return f ? f->bytes : NULL;
}

void memory_file_remove(const char *path)
{
    struct file *f = find(path);
    if (f)
        forget(f);
}

void memory_files_read_at_most(size_t n)
{
    at_most = n;
}

void memory_files_fail(enum memory_fault fault, long n)
{
    plan.fault = fault;
    plan.left = n;
    plan.struck = 0;
}

long memory_files_failed(void)
{
    return plan.struck;
}

int memory_files_open(void)
{
    int n = 0;
    for (int i = 0; i < FILES; i++)
        n += descriptors[i].file != NULL;
    return n;
}
