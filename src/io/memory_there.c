/* SPDX-License-Identifier: MIT */
/*
 * Control groups of both versions (Linux: cgroup-v2.rst and cgroup-v1/memory.rst): a group has
 * a limit, and so has each group above it, as far as the mount lets them be seen. A group that
 * holds more is killed, swap apart: what it may swap is a limit of its own. Of what a group
 * holds, cached files are given back when memory runs short.
 */
#define _DEFAULT_SOURCE     /* _SC_PHYS_PAGES */
#define _DARWIN_C_SOURCE

#include "io/memory_there.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "io/file.h"

#define LARGEST_TABLE ((size_t)16 << 20)

/* A version's file system and files. */
static const struct version {
    const char *type, *controller;      /* of its mount; the controller's name, "" for none */
    const char *limit, *used;
    const char *cache[2];               /* of memory.stat */
} versions[] = {
    {"cgroup2", "", "memory.max", "memory.current", {"inactive_file ", "active_file "}},
    {"cgroup", "memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
     {"total_inactive_file ", "total_active_file "}},
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* ---- files ------------------------------------------------------------- */

/* NULL: there is no such file. ur__free it. */
static char *slurp(const char *folder, const char *name)
{
    struct ur__buf path = {0};
    char *text = NULL;
    size_t size;
    if (ur__buf_printf(&path, "%s%s", folder, name) == UR_OK
        && ur__file_slurp(path.data, LARGEST_TABLE, &text, &size) != UR_OK)
        text = NULL;
    ur__buf_free(&path);
    return text;
}

/* "max", what is no number, and version 1's largest number of pages: no limit. */
static size_t number(const char *text)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    return end == text || value > SIZE_MAX / 4 ? SIZE_MAX : (size_t)value;
}

/* The number on a line that begins with the key; 0 without one. */
static size_t value_of(const char *text, const char *key)
{
    size_t n = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, n) == 0)
            return number(line + n);
    }
    return 0;
}

/* Ends the text at the first of these bytes and returns what follows it; NULL at the end. */
static char *cut(char *text, const char *at)
{
    char *end = text ? strpbrk(text, at) : NULL;
    if (end)
        *end++ = '\0';
    return end;
}

static bool list_has(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, word, n) == 0 && (at[n] == ',' || at[n] == '\0'))
            return true;
    }
    return false;
}

/* ---- where a group is -------------------------------------------------- */

/* A line of /proc/self/cgroup: "ID:CONTROLLERS:PATH". NULL: this process is in no such group. */
static const char *find_group(char *text, const struct version *v)
{
    for (char *line = text, *next; line; line = next) {
        next = cut(line, "\n");
        char *controllers = cut(line, ":"), *path = cut(controllers, ":");
        if (path && list_has(controllers, v->controller))
            return path;
    }
    return NULL;
}

/* A line of /proc/self/mountinfo: "ID PARENT DEVICE ROOT PLACE ... - TYPE SOURCE OPTIONS". What
 * of the group's path lies below the place, in *below; a group above it or beside it is seen as
 * the place itself. NULL: nothing is mounted. */
static const char *find_place(char *text, const struct version *v, const char *group,
                              const char **below)
{
    for (char *line = text, *next; line; line = next) {
        next = cut(line, "\n");
        char *type = strstr(line, " - "), *root = line;
        if (!type)
            continue;
        *type = '\0';
        type += 3;
        char *options = cut(cut(type, " "), " ");
        for (int i = 0; i < 3; i++)
            root = cut(root, " ");
        char *place = cut(root, " ");
        cut(place, " ");
        if (!place || strcmp(type, v->type) != 0
            || (*v->controller && !(options && list_has(options, v->controller))))
            continue;
        size_t n = strcmp(root, "/") == 0 ? 0 : strlen(root);
        bool inside = strncmp(group, root, n) == 0 && (group[n] == '/' || group[n] == '\0');
        *below = inside && !strstr(group, "/..") ? group + n : "";
        return place;
    }
    return NULL;
}

/* ---- what is left ------------------------------------------------------ */

static size_t left_in(const char *folder, const struct version *v)
{
    char *limit = slurp(folder, v->limit);
    size_t left = limit ? number(limit) : SIZE_MAX;
    ur__free(limit);
    if (left == SIZE_MAX)
        return left;    /* memory.stat is slow to read: the kernel adds it up first */
    char *used = slurp(folder, v->used), *stat = used ? slurp(folder, "memory.stat") : NULL;
    size_t held = used ? number(used) : 0;
    for (int i = 0; stat && i < 2; i++)
        held -= least(held, value_of(stat, v->cache[i]));
    ur__free(used);
    ur__free(stat);
    return left - least(held, left);
}

/* Of the group and those above it. */
static size_t left_on_the_way(const char *root, const char *place, const char *below,
                              const struct version *v)
{
    size_t left = SIZE_MAX, top = strlen(root) + strlen(place);
    struct ur__buf path = {0};
    if (ur__buf_printf(&path, "%s%s%s", root, place, below) == UR_OK) {
        for (size_t n = path.size; ; ) {
            while (n > top && path.data[n - 1] == '/')
                n--;
            path.size = n;
            if (ur__buf_puts(&path, "/") != UR_OK)
                break;
            left = least(left, left_in(path.data, v));
            if (n <= top)
                break;
            while (n > top && path.data[n - 1] != '/')
                n--;
        }
    }
    ur__buf_free(&path);
    return left;
}

/* By /proc/self/cgroup and /proc/self/mountinfo, which are cut up. */
static size_t left_in_groups(const char *root, char *groups, char *mounts,
                             const struct version *v)
{
    const char *group = groups ? find_group(groups, v) : NULL, *below = "";
    const char *place = group && mounts ? find_place(mounts, v, group, &below) : NULL;
    return place ? left_on_the_way(root, place, below, v) : SIZE_MAX;
}

/* In groups of any version. */
static size_t left_in_all_groups(const char *root)
{
    size_t left = SIZE_MAX;
    char *groups = slurp(root, "/proc/self/cgroup");
    char *mounts = groups ? slurp(root, "/proc/self/mountinfo") : NULL;
    for (size_t i = 0; mounts && i < sizeof versions / sizeof *versions; i++) {
        char *own = ur__strdup(groups), *places = ur__strdup(mounts);
        left = least(left, left_in_groups(root, own, places, &versions[i]));
        ur__free(own);
        ur__free(places);
    }
    ur__free(groups);
    ur__free(mounts);
    return left;
}

size_t ur__memory_there(const char *root)
{
    static const int kinds[] = {RLIMIT_AS, RLIMIT_DATA};
    size_t there = SIZE_MAX;
#ifdef _SC_PHYS_PAGES
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    if (pages > 0 && page > 0)
        there = (size_t)pages * (size_t)page;
#endif
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct rlimit limit;
        if (getrlimit(kinds[i], &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
            there = least(there, (size_t)limit.rlim_cur);
    }
    there = least(there, left_in_all_groups(root));
    /* 0 would be no limit. */
    return there == SIZE_MAX ? 0 : there ? there : 1;
}
