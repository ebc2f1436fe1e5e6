/* SPDX-License-Identifier: MIT */
/*
 * Reading: a stream that inflates gzip by itself, whole files, and plain files or memory
 * at random offsets.
 *
 * gzip (RFC 1952) is told by its first two bytes, not by the file's name. Members
 * follow one another without a gap; zeros after the last one are tape padding and
 * are skipped; anything else there, and an end inside a member, is damage. Without zlib
 * it is told and refused.
 */
#define _POSIX_C_SOURCE 200809L

#include "base/mem.h"
#include "base/status.h"
#include "io/file_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#if UR__HAVE_ZLIB
#include <zlib.h>
#endif

#define BUFFER ((size_t)64 << 10)

struct inflater {
    ur_status (*read)(struct ur__reader *r, void *to, size_t n, size_t *got);
    void (*end)(struct ur__reader *r);
};

struct ur__reader {
    int fd;
    bool close_fd;
    bool end;               /* of the file: no more bytes come */
    const struct inflater *inflater;    /* NULL: the bytes are the content */
    bool between;           /* gzip: no member is open */
    ur_status failed;       /* sticky */
    int64_t length;         /* bytes from here to the end when it was opened; −1: a pipe, or what
                               else has no size */
    int64_t taken;          /* of these */
#if UR__HAVE_ZLIB
    z_stream z;
#endif
    char *path;
    size_t begin, size;     /* the bytes of `in` not yet used: [begin, size) */
    unsigned char in[BUFFER];
};

/* ---- the stream of bytes in the file ----------------------------------- */

static ur_status fail(struct ur__reader *r, ur_status status)
{
    r->failed = status;
    return status;
}

/* Bytes from the descriptor's place to the file's end, or −1 if that cannot be known. */
static ur_status find_length(struct ur__reader *r)
{
    int64_t at = ur__io_seek(r->fd, 0, SEEK_CUR);
    int64_t end = at < 0 ? -1 : ur__io_seek(r->fd, 0, SEEK_END);
    r->length = -1;
    if (end < 0)
        return UR_OK;
    if (ur__io_seek(r->fd, at, SEEK_SET) != at)     /* what is left would look like all */
        return ur__io_fail(UR_EINPUT, "seek in", r->path, errno);
    /* Files of a system's own (/proc) have content and the size 0. */
    if (end > at)
        r->length = end - at;
    return UR_OK;
}

/* Half of the old text and half of a new one would be neither. */
static ur_status check_length(struct ur__reader *r)
{
    if (r->length < 0 || r->taken == r->length)
        return UR_OK;
    return fail(r, ur__fail(UR_EINPUT, "%s changes while it is read: it had %lld bytes and has "
                            "given %lld; read a copy", r->path, (long long)r->length,
                            (long long)r->taken));
}

static ur_status read_some(struct ur__reader *r, void *to, size_t n, size_t *got)
{
    long count = ur__io_read(r->fd, to, n);
    if (count < 0)
        return fail(r, ur__io_fail(UR_EINPUT, "read", r->path, errno));
    r->end = count == 0;
    r->taken += count;
    *got = (size_t)count;
    return r->end ? check_length(r) : UR_OK;
}

/* At least one byte in `in` unless the file has ended. */
static ur_status fill(struct ur__reader *r)
{
    if (r->begin < r->size || r->end)
        return UR_OK;
    r->begin = r->size = 0;
    return read_some(r, r->in, BUFFER, &r->size);
}

/* ---- gzip -------------------------------------------------------------- */

static ur_status damaged(struct ur__reader *r, const char *how)
{
    return fail(r, ur__fail(UR_EFORMAT, "%s: damaged gzip: %s", r->path, how));
}

#if UR__HAVE_ZLIB
#define GZIP_WINDOW (15 + 16)   /* zlib's largest window, gzip wrapper only */

static void *z_alloc(void *user, unsigned n, unsigned size)
{
    (void)user;
    return ur__alloc(n, size);
}

static void z_free(void *user, void *p)
{
    (void)user;
    ur__free(p);
}

/* After a member: the next one, padding, or the end. */
static ur_status next_member(struct ur__reader *r)
{
    for (;;) {
        UR__TRY(fill(r));
        if (r->begin == r->size)
            return UR_OK;
        if (r->in[r->begin] != 0)
            break;
        r->begin++;
    }
    if (r->in[r->begin] != 0x1f)
        return damaged(r, "other bytes follow it");
    if (inflateReset(&r->z) != Z_OK)
        return fail(r, ur__fail(UR_EINTERNAL, "%s: zlib cannot start anew", r->path));
    r->between = false;
    return UR_OK;
}

static ur_status inflate_some(struct ur__reader *r, void *to, size_t n, size_t *got)
{
    r->z.next_out = to;
    r->z.avail_out = (uInt)(n < BUFFER * 1024 ? n : BUFFER * 1024);
    uInt wanted = r->z.avail_out;
    while (r->z.avail_out == wanted) {
        if (r->between)
            UR__TRY(next_member(r));
        else
            UR__TRY(fill(r));
        if (r->begin == r->size) {
            if (!r->between)
                return damaged(r, "truncated");
            break;
        }
        r->z.next_in = r->in + r->begin;
        r->z.avail_in = (uInt)(r->size - r->begin);
        int code = inflate(&r->z, Z_NO_FLUSH);
        r->begin = r->size - r->z.avail_in;
        if (code == Z_STREAM_END)
            r->between = true;
        else if (code == Z_MEM_ERROR)
            return fail(r, ur__fail(UR_ENOMEM, "out of memory: inflating %s", r->path));
        else if (code != Z_OK && (code != Z_BUF_ERROR || r->z.avail_in > 0))
            return damaged(r, r->z.msg ? r->z.msg : "impossible content");
    }
    *got = wanted - r->z.avail_out;
    return UR_OK;
}

static void inflate_end(struct ur__reader *r)
{
    inflateEnd(&r->z);
}

static ur_status inflate_begin(struct ur__reader *r)
{
    static const struct inflater gzip = {inflate_some, inflate_end};
    r->z.zalloc = z_alloc;
    r->z.zfree = z_free;
    int code = inflateInit2(&r->z, GZIP_WINDOW);
    if (code == Z_MEM_ERROR)
        return ur__fail(UR_ENOMEM, "out of memory: inflating %s", r->path);
    if (code != Z_OK)
        return ur__fail(UR_EINTERNAL, "%s: zlib does not start", r->path);
    r->inflater = &gzip;
    return UR_OK;
}
#else
static ur_status inflate_begin(struct ur__reader *r)
{
    return ur__fail(UR_EDATA, "%s is gzip, which this build cannot read, being without zlib; "
                    "convert it: gzip -dc FILE | unroll ... -", r->path);
}
#endif

/* ---- the reader -------------------------------------------------------- */

static bool has_suffix(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);
    return n >= m && strcmp(s + n - m, suffix) == 0;
}

/* Looks at the first two bytes, however slowly a pipe delivers them. */
static ur_status detect_gzip(struct ur__reader *r)
{
    while (r->size < 2 && !r->end) {
        size_t got = 0;
        UR__TRY(read_some(r, r->in + r->size, BUFFER - r->size, &got));
        r->size += got;
    }
    /* What was cut before the second byte has nothing but its name to tell. */
    if (r->size < 2 && has_suffix(r->path, ".gz") && (r->size == 0 || r->in[0] == 0x1f))
        return damaged(r, "truncated");
    if (r->size < 2 || r->in[0] != 0x1f || r->in[1] != 0x8b)
        return UR_OK;
    return inflate_begin(r);
}

static ur_status open_file(struct ur__reader *r, const char *path)
{
    r->fd = ur__io_open(path, O_RDONLY, 0);
    r->close_fd = true;
    return r->fd < 0 ? ur__io_fail(UR_EINPUT, "open", path, errno) : UR_OK;
}

/* A program may hold the place of one that was closed, lest another file get it. */
static ur_status open_stdin(struct ur__reader *r)
{
    int flags = fcntl(STDIN_FILENO, F_GETFL);
    r->fd = STDIN_FILENO;
    if (flags < 0 || (flags & O_ACCMODE) == O_WRONLY)
        return ur__fail(UR_EINPUT, "cannot read standard input: it is closed");
    return UR_OK;
}

ur_status ur__reader_open(struct ur__reader **out, const char *path)
{
    *out = NULL;
    struct ur__reader *r = ur__alloc(1, sizeof *r);
    if (!r)
        return UR_ENOMEM;
    memset(r, 0, offsetof(struct ur__reader, in));
    bool is_stdin = strcmp(path, "-") == 0;
    r->fd = -1;
    r->path = ur__strdup(is_stdin ? "standard input" : path);
    ur_status status = r->path ? UR_OK : UR_ENOMEM;
    if (status == UR_OK)
        status = is_stdin ? open_stdin(r) : open_file(r, path);
    if (status == UR_OK)
        status = find_length(r);
    if (status == UR_OK)
        status = detect_gzip(r);
    if (status != UR_OK) {
        ur__reader_close(r);
        return status;
    }
    *out = r;
    return UR_OK;
}

ur_status ur__reader_read(struct ur__reader *r, void *to, size_t n, size_t *got)
{
    *got = 0;
    if (r->failed != UR_OK)
        return ur__fail(r->failed, "%s: reading failed before", r->path);
    if (n == 0)
        return UR_OK;
    if (r->inflater)
        return r->inflater->read(r, to, n, got);
    if (r->begin == r->size && n >= BUFFER && !r->end)
        return read_some(r, to, n, got);
    UR__TRY(fill(r));
    size_t have = r->size - r->begin;
    *got = have < n ? have : n;
    memcpy(to, r->in + r->begin, *got);
    r->begin += *got;
    return UR_OK;
}

void ur__reader_close(struct ur__reader *r)
{
    if (!r)
        return;
    if (r->inflater)
        r->inflater->end(r);
    if (r->close_fd && r->fd >= 0)
        ur__io_close(r->fd);
    ur__free(r->path);
    ur__free(r);
}

/* ---- whole files ------------------------------------------------------- */

static ur_status slurp(struct ur__reader *r, size_t max, char **data, size_t *size)
{
    size_t capacity = 0;
    for (;;) {
        if (*size == capacity) {
            /* One byte more than max is asked for, to know that it is there. */
            size_t limit = max < SIZE_MAX - 1 ? max + 1 : max;
            capacity = capacity == 0 ? BUFFER : capacity > limit / 2 ? limit : 2 * capacity;
            capacity = capacity < limit ? capacity : limit;
            char *larger = ur__realloc(*data, capacity + 1, 1);
            if (!larger)
                return UR_ENOMEM;
            *data = larger;
        }
        size_t got;
        UR__TRY(ur__reader_read(r, *data + *size, capacity - *size, &got));
        *size += got;
        if (*size > max)
            return ur__fail(UR_EDATA, "%s is larger than %zu bytes", r->path, max);
        if (got == 0)
            break;
    }
    (*data)[*size] = '\0';
    return UR_OK;
}

ur_status ur__file_slurp(const char *path, size_t max, char **out, size_t *size)
{
    *out = NULL;
    *size = 0;
    struct ur__reader *r;
    UR__TRY(ur__reader_open(&r, path));
    char *data = NULL;
    ur_status status = slurp(r, max, &data, size);
    ur__reader_close(r);
    if (status != UR_OK) {
        ur__free(data);
        *size = 0;
        return status;
    }
    *out = data;
    return UR_OK;
}

/* ---- plain files at random offsets ------------------------------------- */

static ur_status measure(struct ur__raw *f)
{
    char first;
    /* The read tells a folder from a file; seeking in a folder works. */
    if (ur__io_read(f->fd, &first, 1) < 0 && errno != EAGAIN)
        return ur__io_fail(UR_EINPUT, "read", f->path, errno);
    int64_t size = ur__io_seek(f->fd, 0, SEEK_END);
    if (size < 0 && errno == ESPIPE)
        return ur__fail(UR_EINPUT, "cannot read %s: it is a pipe, a terminal or the like, and is "
                        "read at random offsets: copy it into a file first", f->path);
    if (size < 0)
        return ur__io_fail(UR_EINPUT, "seek in", f->path, errno);
    f->size = (uint64_t)size;
    return UR_OK;
}

ur_status ur__raw_open(struct ur__raw *f, const char *path)
{
    *f = (struct ur__raw){.fd = -1};
    f->path = ur__strdup(path);
    if (!f->path)
        return UR_ENOMEM;
    /* To open a pipe without a writer would block; of a plain file nothing changes. */
    f->fd = ur__io_open(path, O_RDONLY | O_NONBLOCK, 0);
    ur_status status = f->fd < 0 ? ur__io_fail(UR_EINPUT, "open", path, errno) : measure(f);
    if (status != UR_OK)
        ur__raw_close(f);
    return status;
}

ur_status ur__raw_open_memory(struct ur__raw *f, const void *bytes, size_t n, const char *name)
{
    *f = (struct ur__raw){.fd = -1, .bytes = bytes, .size = n};
    f->path = ur__strdup(name ? name : "memory");
    return f->path ? UR_OK : UR_ENOMEM;
}

ur_status ur__raw_read(struct ur__raw *f, uint64_t offset, void *to, size_t n)
{
    if (offset > f->size || n > f->size - offset)
        return ur__fail(UR_EFORMAT, "%s is truncated: bytes %llu to %llu of %llu are wanted",
                        f->path, (unsigned long long)offset, (unsigned long long)offset + n,
                        (unsigned long long)f->size);
    if (f->bytes) {
        memcpy(to, f->bytes + offset, n);
        return UR_OK;
    }
    if (ur__io_seek(f->fd, (int64_t)offset, SEEK_SET) < 0)
        return ur__io_fail(UR_EINPUT, "seek in", f->path, errno);
    int64_t got = ur__io_read_full(f->fd, to, n);
    if (got < 0)
        return ur__io_fail(UR_EINPUT, "read", f->path, errno);
    if ((uint64_t)got != n)
        return ur__fail(UR_EFORMAT, "%s is truncated: it has become shorter", f->path);
    return UR_OK;
}

void ur__raw_close(struct ur__raw *f)
{
    if (f->fd >= 0)
        ur__io_close(f->fd);
    ur__free(f->path);
    *f = (struct ur__raw){.fd = -1};
}
