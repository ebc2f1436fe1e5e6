/* SPDX-License-Identifier: MIT */
/* Files. Every touch of the file system goes through one table of operations,
 * which tests replace to make any of them fail. Reading inflates gzip by itself;
 * writing replaces a file whole or leaves it as it was. */
#ifndef UR_IO_FILE_H
#define UR_IO_FILE_H

#include "unroll/base.h"

/* Which file a name leads to, links followed: two names of one file have equal numbers. */
struct ur__file_id {
    enum ur__file_kind {
        UR__FILE_ABSENT,    /* could be made: the numbers are its folder's */
        UR__FILE_REGULAR, UR__FILE_FOLDER, UR__FILE_BLOCK,
        UR__FILE_STREAM     /* pipe, terminal, socket, /dev/null: takes bytes and loses none */
    } kind;
    uint64_t device, number;
    char name[256];         /* in its folder, if it is absent; else "" */
};

/* Each as its POSIX namesake: -1 and errno on failure. mode: lstat's st_mode. */
struct ur__file_ops {
    int (*open)(const char *path, int flags, int mode);
    long (*read)(int fd, void *to, size_t n);
    long (*write)(int fd, const void *from, size_t n);
    int64_t (*seek)(int fd, int64_t offset, int whence);
    int (*sync)(int fd);
    int (*close)(int fd);
    int (*rename)(const char *from, const char *to);
    int (*unlink)(const char *path);
    int (*mode)(const char *path, unsigned *mode);
    /* Of path or, if that is NULL, of an open descriptor. */
    int (*identify)(const char *path, int fd, struct ur__file_id *id);
    /* Names in a folder, "." and ".." among them, until each returns other than 0. */
    int (*list)(const char *folder, int (*each)(void *user, const char *name), void *user);
    /* flock's exclusive lock, at once: EWOULDBLOCK if another has it; ESTALE: this one has
     * it, but path names another file by now. */
    int (*lock)(int fd, const char *path);
};
/* Replaces the table (NULL: the system's); an entry left NULL is the system's.
 * The table is copied. Test hook, not thread-safe. */
void ur__file_set_ops(const struct ur__file_ops *table);

/* ---- reading ----------------------------------------------------------- */

struct ur__reader;
/* Opens a file, or standard input for "-". Content that starts with gzip's magic
 * bytes is inflated. UR_EINPUT: missing, a folder, unreadable (names the path and
 * the reason); UR_EDATA: gzip, and the library was built without zlib; UR_EFORMAT from a read:
 * damaged gzip. */
ur_status ur__reader_open(struct ur__reader **out, const char *path);
/* Up to n bytes; *got 0 at the end only. UR_EINPUT: a file that ends elsewhere than where
 * it did when it was opened. */
ur_status ur__reader_read(struct ur__reader *r, void *to, size_t n, size_t *got);
void ur__reader_close(struct ur__reader *r);

/* A whole file (inflated); more than max bytes is UR_EDATA. *out is followed by a
 * zero byte; ur__free() it. */
ur_status ur__file_slurp(const char *path, size_t max, char **out, size_t *size);
/* Is anything there, of whatever kind? A link that leads nowhere counts. */
bool ur__file_exists(const char *path);
/* path "-" is standard input. False: it leads to nothing that could be read or made. */
bool ur__file_identify(struct ur__file_id *id, const char *path);
bool ur__stream_identify(struct ur__file_id *id, int fd);
bool ur__file_same(const struct ur__file_id *a, const struct ur__file_id *b);
/* Would writing through b destroy what a names? */
bool ur__file_clash(const struct ur__file_id *a, const struct ur__file_id *b);

/* Random access to a plain file, or to a block of memory as if it were one, read only. A pipe is
 * UR_EINPUT and never waited for. */
struct ur__raw {
    int fd;
    const unsigned char *bytes;     /* borrowed; NULL: a file */
    uint64_t size;
    char *path;
};
ur_status ur__raw_open(struct ur__raw *f, const char *path);
/* name: what messages call it; NULL: "memory". */
ur_status ur__raw_open_memory(struct ur__raw *f, const void *bytes, size_t n, const char *name);
/* Exactly n bytes at offset; short is UR_EFORMAT ("truncated"). */
ur_status ur__raw_read(struct ur__raw *f, uint64_t offset, void *to, size_t n);
void ur__raw_close(struct ur__raw *f);

/* ---- writing ----------------------------------------------------------- */

/* A file that appears whole: written under a temporary name beside it, synced,
 * renamed, the folder synced. It keeps the permissions of the file it replaces.
 * What is there and no regular file (a folder, a device, a symbolic link) is
 * UR_EOUTPUT: a rename would destroy it. A killed process leaves NAME.tmp-*. */
struct ur__writer;
ur_status ur__writer_open(struct ur__writer **out, const char *path);
/* Memory that an open one holds, names aside. */
size_t ur__writer_bytes(void);
ur_status ur__writer_write(struct ur__writer *w, const void *from, size_t n);
/* Ends the file and frees w whatever the outcome; on failure (UR_EOUTPUT) the
 * old file is untouched and the temporary one gone. */
ur_status ur__writer_commit(struct ur__writer *w);
/* The same, but the old file is kept as `previous`, of the same folder. On failure it is
 * there under one of the two names. */
ur_status ur__writer_commit_keeping(struct ur__writer *w, const char *previous);
/* Drops the temporary file and frees w. NULL is fine. */
void ur__writer_abort(struct ur__writer *w);
/* Can a file be made at path? Says why not (UR_EOUTPUT) before hours of work. */
ur_status ur__writer_check(const char *path);
/* Absent is fine. UR_EOUTPUT. */
ur_status ur__file_remove(const char *path);
/* What a sweep keeps, whatever its name: n files, and (gone_only) those of living processes. */
struct ur__spared {
    const struct ur__file_id *files;
    int n;
    bool gone_only;
};
/* Removes what writers of these n paths, all in one folder, left behind when they were
 * killed: regular files PATH.tmp-PID-COUNT. What cannot be listed or removed stays. Returns
 * how many were removed. */
int ur__writer_sweep(const char *const *paths, int n, const struct ur__spared *spared);

/* A claim on a name that ends with the process, however that ends: an flock on a file that
 * holds the process's number. The file goes with ur__lock_free(); after a kill it stays,
 * unlocked. */
struct ur__lock;
/* UR_EEXIST: another has it; *holder is its process, 0 if unknown. *out NULL without a
 * failure: here nothing can be locked, or a file of another content has the name. */
ur_status ur__lock_take(struct ur__lock **out, const char *path, long *holder);
void ur__lock_free(struct ur__lock *lock);

/* A scratch file without a name, for data larger than memory should hold; in
 * TMPDIR or /tmp. Append, then read anywhere. */
struct ur__spool;
ur_status ur__spool_new(struct ur__spool **out);
ur_status ur__spool_append(struct ur__spool *s, const void *from, size_t n);
ur_status ur__spool_read(struct ur__spool *s, uint64_t offset, void *to, size_t n);
void ur__spool_free(struct ur__spool *s);

/* ---- checksum ---------------------------------------------------------- */

/* CRC-32 (gzip's) of n more bytes; start with 0. */
uint32_t ur__crc32(uint32_t crc, const void *bytes, size_t n);

#endif
