/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE             /* flock */

#include "support/ops_hook.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"

static struct ops_hooks hooks;
static long counts[N_OPS_KINDS], count_all;

const char *ops_name(enum ops_kind kind)
{
    static const char *const names[N_OPS_KINDS] = {
        "open", "read", "write", "seek", "sync", "close", "rename", "unlink", "mode", "list",
        "lock"
    };
    return names[kind];
}

static enum ops_answer before(struct ops_call *call)
{
    call->ordinal = ++counts[call->kind];
    call->all = ++count_all;
    return hooks.before ? hooks.before(call) : OPS_DO;
}

/* Keeps errno, which belongs to the operation. */
static long after(const struct ops_call *call, long result)
{
    int error = errno;
    if (hooks.after)
        hooks.after(call, result);
    errno = error;
    return result;
}

static size_t share(enum ops_answer answer, size_t n)
{
    return answer == OPS_HALF && n > 1 ? n / 2 : n;
}

/* ---- the operations ---------------------------------------------------- */

static int hooked_open(const char *path, int flags, int mode)
{
    struct ops_call call = {.kind = OPS_OPEN, .path = path, .flags = flags, .fd = -1};
    if (before(&call) == OPS_FAIL)
        return (int)after(&call, -1);
    call.fd = open(path, flags, (mode_t)mode);
    return (int)after(&call, call.fd);
}

static long hooked_read(int fd, void *to, size_t n)
{
    struct ops_call call = {.kind = OPS_READ, .fd = fd, .n = n};
    enum ops_answer answer = before(&call);
    return after(&call, answer == OPS_FAIL ? -1 : (long)read(fd, to, share(answer, n)));
}

static long hooked_write(int fd, const void *from, size_t n)
{
    struct ops_call call = {.kind = OPS_WRITE, .fd = fd, .data = from, .n = n};
    enum ops_answer answer = before(&call);
    return after(&call, answer == OPS_FAIL ? -1 : (long)write(fd, from, share(answer, n)));
}

static int64_t hooked_seek(int fd, int64_t offset, int whence)
{
    struct ops_call call = {.kind = OPS_SEEK, .fd = fd};
    if (before(&call) == OPS_FAIL)
        return after(&call, -1);
    return after(&call, (long)lseek(fd, (off_t)offset, whence));
}

static int hooked_sync(int fd)
{
    struct ops_call call = {.kind = OPS_SYNC, .fd = fd};
    if (before(&call) == OPS_FAIL)
        return (int)after(&call, -1);
    return (int)after(&call, hooks.no_sync ? 0 : fsync(fd));
}

static int hooked_close(int fd)
{
    struct ops_call call = {.kind = OPS_CLOSE, .fd = fd};
    enum ops_answer answer = before(&call);
    int error = errno, result = close(fd);
    if (answer == OPS_FAIL) {
        errno = error;
        result = -1;
    }
    return (int)after(&call, result);
}

static int hooked_rename(const char *from, const char *to)
{
    struct ops_call call = {.kind = OPS_RENAME, .path = from, .to = to};
    return (int)after(&call, before(&call) == OPS_FAIL ? -1 : rename(from, to));
}

static int hooked_unlink(const char *path)
{
    struct ops_call call = {.kind = OPS_UNLINK, .path = path};
    return (int)after(&call, before(&call) == OPS_FAIL ? -1 : unlink(path));
}

static int hooked_mode(const char *path, unsigned *mode)
{
    struct ops_call call = {.kind = OPS_MODE, .path = path};
    struct stat st;
    if (before(&call) == OPS_FAIL || lstat(path, &st) != 0)
        return (int)after(&call, -1);
    *mode = (unsigned)st.st_mode;
    return (int)after(&call, 0);
}

static int hooked_list(const char *folder, int (*each)(void *user, const char *name), void *user)
{
    struct ops_call call = {.kind = OPS_LIST, .path = folder};
    DIR *d = before(&call) == OPS_FAIL ? NULL : opendir(folder);
    if (!d)
        return (int)after(&call, -1);
    for (struct dirent *e; (e = readdir(d)) != NULL && each(user, e->d_name) == 0; )
        continue;
    closedir(d);
    return (int)after(&call, 0);
}

static int hooked_lock(int fd, const char *path)
{
    struct ops_call call = {.kind = OPS_LOCK, .fd = fd, .path = path};
    return (int)after(&call, before(&call) == OPS_FAIL ? -1 : flock(fd, LOCK_EX | LOCK_NB));
}

/* ---- the hook ---------------------------------------------------------- */

void ops_hook(const struct ops_hooks *new_hooks)
{
    static const struct ur__file_ops table = {
        .open = hooked_open, .read = hooked_read, .write = hooked_write, .seek = hooked_seek,
        .sync = hooked_sync, .close = hooked_close, .rename = hooked_rename,
        .unlink = hooked_unlink, .mode = hooked_mode, .list = hooked_list, .lock = hooked_lock,
    };
    hooks = new_hooks ? *new_hooks : (struct ops_hooks){NULL, NULL, false};
    for (int i = 0; i < N_OPS_KINDS; i++)
        counts[i] = 0;
    count_all = 0;
    ur__file_set_ops(new_hooks ? &table : NULL);
}

long ops_count(enum ops_kind kind)
{
    return counts[kind];
}

long ops_count_all(void)
{
    return count_all;
}
