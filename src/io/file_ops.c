/* SPDX-License-Identifier: MIT */
/* The table of file operations. */
#define _POSIX_C_SOURCE 200809L     /* O_CLOEXEC, lstat, the XSI strerror_r */
#define _DEFAULT_SOURCE             /* flock */
#ifdef __APPLE__
#define _DARWIN_C_SOURCE            /* F_FULLFSYNC */
#endif

#include "io/file_ops.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/locale.h"
#include "base/mem.h"
#include "base/status.h"

/* One call's share: macOS refuses more than INT_MAX, Linux cuts at 2 GiB. */
#define MAX_CALL ((size_t)1 << 30)

/* So often in a row a call is made anew when a signal interrupts it: no signal comes that
 * often, but a broken file system may say so for ever. */
#define MAX_INTERRUPTS 1000

/* Links in a row; the system follows as many. */
#define MAX_LINKS 40

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

/* ---- the system's operations ------------------------------------------- */

static int system_open(const char *path, int flags, int mode)
{
    return open(path, flags, (mode_t)mode);
}

static long system_read(int fd, void *to, size_t n)
{
    return (long)read(fd, to, n);
}

static long system_write(int fd, const void *from, size_t n)
{
    return (long)write(fd, from, n);
}

static int64_t system_seek(int fd, int64_t offset, int whence)
{
    if ((int64_t)(off_t)offset != offset) {
        errno = EOVERFLOW;
        return -1;
    }
    return (int64_t)lseek(fd, (off_t)offset, whence);
}

static int system_sync(int fd)
{
#ifdef F_FULLFSYNC
    /* On macOS fsync stops at the drive's cache. */
    if (fcntl(fd, F_FULLFSYNC) == 0)
        return 0;
#endif
    return fsync(fd);
}

static int system_mode(const char *path, unsigned *mode)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return -1;
    *mode = (unsigned)st.st_mode;
    return 0;
}

static enum ur__file_kind kind_of(unsigned mode)
{
    return S_ISREG(mode) ? UR__FILE_REGULAR : S_ISDIR(mode) ? UR__FILE_FOLDER
        : S_ISBLK(mode) ? UR__FILE_BLOCK : UR__FILE_STREAM;
}

/* Follows a link that leads to nothing yet, since what opens it would make its target. */
static int identify_absent(const char *path, struct ur__file_id *id)
{
    char at[PATH_MAX], target[PATH_MAX];
    size_t length = strlen(path);
    ssize_t n = 0;
    if (length < sizeof at)
        memcpy(at, path, length + 1);
    for (int hops = 0; length < sizeof at && hops < MAX_LINKS; hops++) {
        n = readlink(at, target, sizeof target - 1);
        if (n < 0)
            break;
        target[n] = '\0';
        const char *slash = strrchr(at, '/');
        size_t folder = slash && target[0] != '/' ? (size_t)(slash - at) + 1 : 0;
        length = folder + (size_t)n;
        if (length < sizeof at)
            memcpy(at + folder, target, (size_t)n + 1);
    }
    char *slash = length < sizeof at ? strrchr(at, '/') : NULL;
    const char *name = slash ? slash + 1 : at;
    struct stat st;
    if (length >= sizeof at || n >= 0 || !*name || strlen(name) >= sizeof id->name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(id->name, name, strlen(name) + 1);
    if (slash)
        slash[1] = '\0';
    if (stat(slash ? at : ".", &st) != 0)
        return -1;
    id->kind = UR__FILE_ABSENT;
    id->device = (uint64_t)st.st_dev;
    id->number = (uint64_t)st.st_ino;
    return 0;
}

static int system_identify(const char *path, int fd, struct ur__file_id *id)
{
    struct stat st;
    if ((path ? stat(path, &st) : fstat(fd, &st)) != 0)
        return path && errno == ENOENT ? identify_absent(path, id) : -1;
    id->kind = kind_of((unsigned)st.st_mode);
    id->device = (uint64_t)st.st_dev;
    id->number = (uint64_t)st.st_ino;
    id->name[0] = '\0';
    return 0;
}

/* readdir ends with NULL and no errno, or fails with one. */
static int system_list(const char *folder, int (*each)(void *user, const char *name), void *user)
{
    DIR *d = opendir(folder);
    if (!d)
        return -1;
    struct dirent *entry;
    errno = 0;
    while ((entry = readdir(d)) != NULL && each(user, entry->d_name) == 0)
        errno = 0;
    int error = entry ? 0 : errno;
    closedir(d);
    errno = error;
    return error ? -1 : 0;
}

static int system_lock(int fd, const char *path)
{
    struct stat ours, there;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || fstat(fd, &ours) != 0)
        return -1;
    if (lstat(path, &there) == 0 && there.st_dev == ours.st_dev && there.st_ino == ours.st_ino)
        return 0;
    errno = ESTALE;
    return -1;
}

#define SYSTEM_OPS                                                            \
    {                                                                         \
        .open = system_open, .read = system_read, .write = system_write,      \
        .seek = system_seek, .sync = system_sync, .close = close,             \
        .rename = rename, .unlink = unlink, .mode = system_mode,              \
        .identify = system_identify, .list = system_list, .lock = system_lock \
    }

static struct ur__file_ops ops = SYSTEM_OPS;

void ur__file_set_ops(const struct ur__file_ops *table)
{
    ops = (struct ur__file_ops)SYSTEM_OPS;
    if (!table)
        return;
#define TAKE(name) ops.name = table->name ? table->name : ops.name
    TAKE(open);
    TAKE(read);
    TAKE(write);
    TAKE(seek);
    TAKE(sync);
    TAKE(close);
    TAKE(rename);
    TAKE(unlink);
    TAKE(mode);
    TAKE(identify);
    TAKE(list);
    TAKE(lock);
#undef TAKE
}

/* ---- retried and finished ---------------------------------------------- */

/* Should a call with this result be made anew? */
static bool interrupted(long result, int *times)
{
    return result < 0 && errno == EINTR && ++*times < MAX_INTERRUPTS;
}

int ur__io_open(const char *path, int flags, int mode)
{
    int fd, times = 0;
    do
        fd = ops.open(path, flags | O_CLOEXEC, mode);
    while (interrupted(fd, &times));
    return fd;
}

long ur__io_read(int fd, void *to, size_t n)
{
    long got;
    int times = 0;
    do
        got = ops.read(fd, to, n < MAX_CALL ? n : MAX_CALL);
    while (interrupted(got, &times));
    return got;
}

int64_t ur__io_read_full(int fd, void *to, size_t n)
{
    size_t done = 0;
    while (done < n) {
        long got = ur__io_read(fd, (char *)to + done, n - done);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (int64_t)done;
}

bool ur__io_write_full(int fd, const void *from, size_t n)
{
    const char *at = from;
    int times = 0;
    while (n > 0) {
        long put = ops.write(fd, at, n < MAX_CALL ? n : MAX_CALL);
        if (interrupted(put, &times))
            continue;
        if (put <= 0) {
            if (put == 0)
                errno = ENOSPC;     /* no progress and no reason given */
            return false;
        }
        at += put;
        n -= (size_t)put;
        times = 0;
    }
    return true;
}

int64_t ur__io_seek(int fd, int64_t offset, int whence)
{
    return ops.seek(fd, offset, whence);
}

int ur__io_sync(int fd)
{
    int result, times = 0;
    do
        result = ops.sync(fd);
    while (interrupted(result, &times));
    /* Some file systems know no sync and say so. */
    return result < 0 && (errno == EINVAL || errno == ENOTSUP) ? 0 : result;
}

int ur__io_close(int fd)
{
    /* Interrupted, the descriptor is gone all the same: never close twice. */
    int result = ops.close(fd);
    return result < 0 && errno == EINTR ? 0 : result;
}

int ur__io_rename(const char *from, const char *to)
{
    return ops.rename(from, to);
}

int ur__io_unlink(const char *path)
{
    return ops.unlink(path);
}

int ur__io_mode(const char *path, unsigned *mode)
{
    return ops.mode(path, mode);
}

int ur__io_identify(const char *path, int fd, struct ur__file_id *id)
{
    return ops.identify(path, fd, id);
}

int ur__io_list(const char *folder, int (*each)(void *user, const char *name), void *user)
{
    return ops.list(folder, each, user);
}

int ur__io_lock(int fd, const char *path)
{
    int result, times = 0;
    do
        result = ops.lock(fd, path);
    while (interrupted(result, &times));
    return result;
}

char *ur__io_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? ur__strndup(path, (size_t)(slash - path) + 1) : ur__strdup(".");
}

ur_status ur__io_fail(ur_status status, const char *verb, const char *path, int error)
{
    char reason[128];
    struct ur__locale old = ur__locale_c();     /* messages are English */
    if (strerror_r(error, reason, sizeof reason) != 0)
        snprintf(reason, sizeof reason, "error %d", error);
    ur__locale_restore(old);
    /* libc begins with a capital, and sometimes with an acronym. */
    bool acronym = reason[0] && reason[1] >= 'A' && reason[1] <= 'Z';
    if (reason[0] >= 'A' && reason[0] <= 'Z' && !acronym)
        reason[0] = (char)(reason[0] - 'A' + 'a');
    return ur__fail(status, "cannot %s %s: %s", verb, path, reason);
}

/* ---- small ------------------------------------------------------------- */

bool ur__file_exists(const char *path)
{
    unsigned mode;
    return ur__io_mode(path, &mode) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

bool ur__file_identify(struct ur__file_id *id, const char *path)
{
    return strcmp(path, "-") == 0 ? ur__stream_identify(id, STDIN_FILENO)
                                  : ur__io_identify(path, -1, id) == 0;
}

bool ur__stream_identify(struct ur__file_id *id, int fd)
{
    return ur__io_identify(NULL, fd, id) == 0;
}

bool ur__file_same(const struct ur__file_id *a, const struct ur__file_id *b)
{
    return a->device == b->device && a->number == b->number && strcmp(a->name, b->name) == 0;
}

bool ur__file_clash(const struct ur__file_id *a, const struct ur__file_id *b)
{
    return a->kind != UR__FILE_STREAM && ur__file_same(a, b);
}
