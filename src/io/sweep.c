/* SPDX-License-Identifier: MIT */
/* Removing what killed writers left behind. A name is ours only if it is exactly what a
 * writer makes of a path (writer.c): PATH.tmp-PID-COUNT. */
#define _POSIX_C_SOURCE 200809L

#include "base/mem.h"
#include "base/text.h"
#include "io/file_ops.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct sweep {
    const char *const *paths;
    int n;
    const struct ur__spared *spared;
    struct ur__buf found;       /* names, each with its zero */
};

static const char *name_in(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* A number as printf writes it, so without leading zeros. Moves *at past it. */
static bool take_number(const char **at, long *value)
{
    size_t digits = strspn(*at, "0123456789");
    if (digits == 0 || digits > 10 || (digits > 1 && **at == '0'))
        return false;
    *value = 0;
    for (; digits > 0; digits--, ++*at)
        *value = *value * 10 + (**at - '0');
    return true;
}

/* Does `rest`, what follows the path's name, make it one of a writer's? */
static bool is_temporary(const char *rest, long *process)
{
    static const char mark[] = ".tmp-";
    long count;
    if (strncmp(rest, mark, sizeof mark - 1) != 0)
        return false;
    rest += sizeof mark - 1;
    return take_number(&rest, process) && *rest++ == '-' && take_number(&rest, &count)
        && *rest == '\0';
}

/* No process has the number, or this one does, which is only starting. */
static bool is_gone(long process)
{
    return process == (long)getpid() || (kill((pid_t)process, 0) != 0 && errno == ESRCH);
}

static int see_name(void *user, const char *name)
{
    struct sweep *s = user;
    for (int i = 0; i < s->n; i++) {
        const char *own = name_in(s->paths[i]);
        size_t length = strlen(own);
        long process;
        if (strncmp(name, own, length) != 0 || !is_temporary(name + length, &process))
            continue;
        if (s->spared->gone_only && !is_gone(process))
            continue;
        /* Out of memory it is left for the next time. */
        return ur__buf_put(&s->found, name, strlen(name) + 1) != UR_OK;
    }
    return 0;
}

static bool remove_file(const char *path, const struct ur__spared *spared)
{
    unsigned mode;
    struct ur__file_id id;
    bool known = spared->n > 0 && ur__file_identify(&id, path);
    for (int i = 0; i < spared->n; i++)
        if (!known || ur__file_same(&id, &spared->files[i]))
            return false;
    return ur__io_mode(path, &mode) == 0 && S_ISREG(mode) && ur__io_unlink(path) == 0;
}

int ur__writer_sweep(const char *const *paths, int n, const struct ur__spared *spared)
{
    struct sweep s = {paths, n, spared, {0}};
    struct ur__buf path = {0};
    int removed = 0;
    char *folder = ur__io_folder(paths[0]);
    if (!folder)
        return 0;
    ur__io_list(folder, see_name, &s);
    /* A folder must not change while it is listed. */
    size_t prefix = (size_t)(name_in(paths[0]) - paths[0]);
    for (size_t at = 0; at < s.found.size; at += strlen(s.found.data + at) + 1) {
        path.size = 0;
        if (ur__buf_put(&path, paths[0], prefix) == UR_OK
            && ur__buf_puts(&path, s.found.data + at) == UR_OK)
            removed += remove_file(path.data, spared);
    }
    ur__buf_free(&path);
    ur__buf_free(&s.found);
    ur__free(folder);
    return removed;
}
