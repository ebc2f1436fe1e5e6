/* SPDX-License-Identifier: MIT */
/*
 * Writing a file whole or not at all.
 *
 *   NAME.tmp-PID-COUNT   written, synced, closed
 *   NAME                 takes its place by rename; then the folder is synced
 *
 *   PREVIOUS             if the old file is kept, NAME becomes it first, and the folder
 *                        is synced in between: a crash leaves one of the two names
 *
 * Invariant: until the rename NAME is not touched, and after it nothing fails.
 * The folder's sync comes after and may be refused: what a crash could then undo
 * is the rename alone, and both files are whole.
 */
#define _POSIX_C_SOURCE 200809L

#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"
#include "io/file_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER ((size_t)64 << 10)

struct ur__writer {
    int fd;
    char *path, *temp;
    char *folder;       /* that holds path */
    ur_status failed;   /* sticky; the commit reports it */
    int error;          /* errno of that failure */
    size_t size;        /* bytes waiting in `buffer` */
    char buffer[BUFFER];
};

/* ---- opening ----------------------------------------------------------- */

/* What stands at path must be replaceable; *mode gets its permissions. */
static ur_status check_target(const char *path, int *mode)
{
    unsigned old;
    *mode = 0666;   /* less the umask, as for any new file */
    if (!*path)
        return ur__fail(UR_EOUTPUT, "cannot write a file without a name");
    if (ur__io_mode(path, &old) != 0)
        return errno == ENOENT ? UR_OK : ur__io_fail(UR_EOUTPUT, "write", path, errno);
    if (S_ISDIR(old))
        return ur__io_fail(UR_EOUTPUT, "write", path, EISDIR);
    if (S_ISLNK(old))
        return ur__fail(UR_EOUTPUT, "cannot write %s: it is a symbolic link; name its target",
                        path);
    if (!S_ISREG(old))
        return ur__fail(UR_EOUTPUT, "cannot write %s: it is not a regular file", path);
    *mode = (int)(old & 0777) | 0200;
    return UR_OK;
}

static ur_status open_temp(struct ur__writer *w, int mode)
{
    /* The name must be new among all writers of this process; a name that a
     * killed one with our number left is passed over. */
    static atomic_uint count;
    int error = EEXIST;
    for (int attempt = 0; attempt < 100 && error == EEXIST; attempt++) {
        struct ur__buf name = {0};
        ur_status status = ur__buf_printf(&name, "%s.tmp-%ld-%u", w->path, (long)getpid(),
                                          atomic_fetch_add(&count, 1));
        if (status != UR_OK) {
            ur__buf_free(&name);
            return status;
        }
        w->fd = ur__io_open(name.data, O_WRONLY | O_CREAT | O_EXCL, mode);
        if (w->fd >= 0) {
            w->temp = name.data;
            return UR_OK;
        }
        error = errno;
        ur__buf_free(&name);
    }
    return ur__io_fail(UR_EOUTPUT, "write", w->path, error);
}

ur_status ur__writer_open(struct ur__writer **out, const char *path)
{
    *out = NULL;
    int mode;
    UR__TRY(check_target(path, &mode));
    struct ur__writer *w = ur__calloc(1, sizeof *w);
    if (!w)
        return UR_ENOMEM;
    w->fd = -1;
    w->path = ur__strdup(path);
    w->folder = ur__io_folder(path);
    ur_status status = w->path && w->folder ? open_temp(w, mode) : UR_ENOMEM;
    if (status != UR_OK) {
        ur__writer_abort(w);
        return status;
    }
    *out = w;
    return UR_OK;
}

size_t ur__writer_bytes(void)
{
    return sizeof(struct ur__writer);
}

ur_status ur__writer_check(const char *path)
{
    struct ur__writer *w;
    UR__TRY(ur__writer_open(&w, path));
    ur__writer_abort(w);
    return UR_OK;
}

/* ---- writing ----------------------------------------------------------- */

static ur_status write_through(struct ur__writer *w, const void *from, size_t n)
{
    if (!ur__io_write_full(w->fd, from, n)) {
        w->error = errno;
        w->failed = ur__io_fail(UR_EOUTPUT, "write", w->path, w->error);
    }
    return w->failed;
}

static ur_status flush(struct ur__writer *w)
{
    size_t n = w->size;
    w->size = 0;
    return n ? write_through(w, w->buffer, n) : UR_OK;
}

ur_status ur__writer_write(struct ur__writer *w, const void *from, size_t n)
{
    if (w->failed != UR_OK)
        return ur__io_fail(w->failed, "write", w->path, w->error);
    if (n > BUFFER - w->size)
        UR__TRY(flush(w));
    if (n >= BUFFER)
        return write_through(w, from, n);
    if (n)
        memcpy(w->buffer + w->size, from, n);
    w->size += n;
    return UR_OK;
}

/* ---- ending ------------------------------------------------------------ */

static ur_status sync_and_close(struct ur__writer *w)
{
    int fd = w->fd;
    bool synced = ur__io_sync(fd) == 0;
    int error = errno;
    w->fd = -1;
    if (ur__io_close(fd) != 0 && synced) {
        synced = false;
        error = errno;
    }
    return synced ? UR_OK : ur__io_fail(UR_EOUTPUT, "write", w->path, error);
}

/* The folder is opened before the rename, so that not to find it is still a
 * failure that changes nothing. One that may be written but not read (EACCES)
 * cannot be synced. */
static ur_status rename_synced(const char *from, const char *to, const char *in)
{
    int folder = ur__io_open(in, O_RDONLY | O_DIRECTORY, 0);
    if (folder < 0 && errno != EACCES)
        return ur__io_fail(UR_EOUTPUT, "open", in, errno);
    bool renamed = ur__io_rename(from, to) == 0;
    int error = errno;
    if (folder >= 0) {
        if (renamed)
            ur__io_sync(folder);
        ur__io_close(folder);
    }
    return renamed ? UR_OK : ur__io_fail(UR_EOUTPUT, "write", to, error);
}

static ur_status rename_into_place(struct ur__writer *w, const char *previous)
{
    if (previous && ur__file_exists(w->path))
        UR__TRY(rename_synced(w->path, previous, w->folder));
    UR__TRY(rename_synced(w->temp, w->path, w->folder));
    ur__free(w->temp);
    w->temp = NULL;     /* the name is no longer ours to unlink */
    return UR_OK;
}

ur_status ur__writer_commit_keeping(struct ur__writer *w, const char *previous)
{
    ur_status status = w->failed == UR_OK
        ? flush(w) : ur__io_fail(w->failed, "write", w->path, w->error);
    if (status == UR_OK)
        status = sync_and_close(w);
    if (status == UR_OK)
        status = rename_into_place(w, previous);
    ur__writer_abort(w);
    return status;
}

ur_status ur__writer_commit(struct ur__writer *w)
{
    return ur__writer_commit_keeping(w, NULL);
}

void ur__writer_abort(struct ur__writer *w)
{
    if (!w)
        return;
    if (w->fd >= 0)
        ur__io_close(w->fd);
    if (w->temp)
        ur__io_unlink(w->temp);
    ur__free(w->temp);
    ur__free(w->folder);
    ur__free(w->path);
    ur__free(w);
}

ur_status ur__file_remove(const char *path)
{
    if (ur__io_unlink(path) == 0 || errno == ENOENT)
        return UR_OK;
    return ur__io_fail(UR_EOUTPUT, "remove", path, errno);
}
