/* SPDX-License-Identifier: MIT */
/* Looks at each file operation of the library before and after it is done, and may make it
 * fail: what tests of a bad disk are made of. */
#ifndef UR_TESTS_OPS_HOOK_H
#define UR_TESTS_OPS_HOOK_H

#include <stdbool.h>
#include <stddef.h>

enum ops_kind {
    OPS_OPEN, OPS_READ, OPS_WRITE, OPS_SEEK, OPS_SYNC, OPS_CLOSE, OPS_RENAME, OPS_UNLINK,
    OPS_MODE, OPS_LIST, OPS_LOCK, N_OPS_KINDS
};
const char *ops_name(enum ops_kind kind);

struct ops_call {
    enum ops_kind kind;
    long ordinal;           /* among calls of its kind since ops_hook(), from 1 */
    long all;               /* among all calls */
    const char *path, *to;  /* rename: both */
    int flags;              /* of open */
    int fd;                 /* after an open: the new one */
    const void *data;       /* of write */
    size_t n;
};

enum ops_answer {
    OPS_DO,
    OPS_HALF,       /* half the bytes, of reads and writes; else as OPS_DO */
    OPS_FAIL        /* errno is set; a close is done all the same, as on Linux */
};

struct ops_hooks {
    enum ops_answer (*before)(const struct ops_call *call);     /* NULL: OPS_DO */
    void (*after)(const struct ops_call *call, long result);    /* NULL: nothing */
    bool no_sync;           /* syncs are not passed on: they cost time and prove nothing */
};

/* From now on; counts begin at 1 again. NULL: the system's operations. */
void ops_hook(const struct ops_hooks *hooks);
long ops_count(enum ops_kind kind);
long ops_count_all(void);

#endif
