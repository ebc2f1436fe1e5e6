/* SPDX-License-Identifier: MIT */
/* A scratch file whose name is removed as soon as it is made, so that nothing
 * is left however the process ends. Its space is the disk's. */
#define _POSIX_C_SOURCE 200809L

#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"
#include "io/file_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

struct ur__spool {
    int fd;
    uint64_t size;
    uint64_t at;        /* the descriptor's offset, UINT64_MAX if unknown */
};

/* What messages call it: the file itself has no name. */
static const char title[] = "the scratch file";

/* One attempt; fd -1 without a failure: the name is taken. */
static ur_status try_name(struct ur__spool *s, const char *folder, unsigned number)
{
    struct ur__buf name = {0};
    ur_status status = ur__buf_printf(&name, "%s/unroll-spool-%ld-%u", folder, (long)getpid(),
                                      number);
    if (status == UR_OK) {
        s->fd = ur__io_open(name.data, O_RDWR | O_CREAT | O_EXCL, 0600);
        if (s->fd >= 0)
            ur__io_unlink(name.data);
        else if (errno != EEXIST)
            status = ur__io_fail(UR_EOUTPUT, "make a scratch file in", folder, errno);
    }
    ur__buf_free(&name);
    return status;
}

static ur_status open_unnamed(struct ur__spool *s)
{
    static atomic_uint count;
    const char *folder = getenv("TMPDIR");
    if (!folder || !*folder)
        folder = "/tmp";
    for (int attempt = 0; attempt < 100 && s->fd < 0; attempt++)
        UR__TRY(try_name(s, folder, atomic_fetch_add(&count, 1)));
    return s->fd >= 0 ? UR_OK
                      : ur__io_fail(UR_EOUTPUT, "make a scratch file in", folder, EEXIST);
}

ur_status ur__spool_new(struct ur__spool **out)
{
    *out = NULL;
    struct ur__spool *s = ur__calloc(1, sizeof *s);
    if (!s)
        return UR_ENOMEM;
    s->fd = -1;
    ur_status status = open_unnamed(s);
    if (status != UR_OK) {
        ur__spool_free(s);
        return status;
    }
    *out = s;
    return UR_OK;
}

static bool move_to(struct ur__spool *s, uint64_t offset)
{
    if (s->at == offset)
        return true;
    s->at = UINT64_MAX;
    if (ur__io_seek(s->fd, (int64_t)offset, SEEK_SET) < 0)
        return false;
    s->at = offset;
    return true;
}

ur_status ur__spool_append(struct ur__spool *s, const void *from, size_t n)
{
    if (n > (uint64_t)INT64_MAX - s->size)
        return ur__io_fail(UR_EOUTPUT, "write to", title, EFBIG);
    if (!move_to(s, s->size) || !ur__io_write_full(s->fd, from, n)) {
        s->at = UINT64_MAX;     /* perhaps half of it is there; size says not */
        return ur__io_fail(UR_EOUTPUT, "write to", title, errno);
    }
    s->size += n;
    s->at = s->size;
    return UR_OK;
}

ur_status ur__spool_read(struct ur__spool *s, uint64_t offset, void *to, size_t n)
{
    if (offset > s->size || n > s->size - offset)
        return ur__fail(UR_EINVAL, "%s has no bytes %llu to %llu: it ends at %llu", title,
                        (unsigned long long)offset, (unsigned long long)offset + n,
                        (unsigned long long)s->size);
    int64_t got = move_to(s, offset) ? ur__io_read_full(s->fd, to, n) : -1;
    s->at = got < 0 ? UINT64_MAX : offset + (uint64_t)got;
    if (got < 0)
        return ur__io_fail(UR_EINPUT, "read", title, errno);
    if ((uint64_t)got != n)
        return ur__fail(UR_EINPUT, "cannot read %s: it has become shorter", title);
    return UR_OK;
}

void ur__spool_free(struct ur__spool *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        ur__io_close(s->fd);
    ur__free(s);
}
