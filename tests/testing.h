/* SPDX-License-Identifier: MIT */
/* What every test program starts with: cmocka and the headers it wants, checks
 * of a status that print the message, and paths of temporary files that vanish
 * when the program ends. Include it first: it asks libc for POSIX. */
#ifndef UR_TESTS_TESTING_H
#define UR_TESTS_TESTING_H

#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE    /* mkdtemp */
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "each.h"
#include "support/faults.h"
#include "unroll/base.h"

/* Fails with the library's message unless expr gives UR_OK. */
#define assert_ok(expr) assert_status(UR_OK, expr)

/* Fails, naming both, unless expr gives exactly the status expected. */
#define assert_status(expected, expr)                                         \
    do {                                                                      \
        ur_status testing_want = (expected), testing_got = (expr);            \
        if (testing_got != testing_want)                                      \
            fail_msg("%s is %s, not %s: %s", #expr, ur_status_name(testing_got), \
                     ur_status_name(testing_want), ur_errmsg());              \
    } while (0)

static char testing_dir[256];
static long testing_pid;

static inline void testing_remove_dir(void)
{
    /* A forked child that ends by exit() must not take its parent's files. */
    if ((long)getpid() != testing_pid)
        return;
    DIR *d = opendir(testing_dir);
    for (struct dirent *e; d && (e = readdir(d)) != NULL; ) {
        char path[sizeof testing_dir + 300];
        snprintf(path, sizeof path, "%s/%s", testing_dir, e->d_name);
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(testing_dir);
}

/* The program's own temporary folder; removed, with the files directly in it,
 * at exit. */
static inline const char *tmp_dir(void)
{
    if (testing_dir[0])
        return testing_dir;
    const char *top = getenv("TMPDIR");
    snprintf(testing_dir, sizeof testing_dir, "%s/unroll-test-XXXXXX", top && *top ? top : "/tmp");
    if (!mkdtemp(testing_dir)) {
        perror(testing_dir);
        _Exit(1);
    }
    testing_pid = (long)getpid();
    atexit(testing_remove_dir);
    return testing_dir;
}

/* A path that no call gave before, ending in name ("a.txt"); nothing is made
 * there. The text lives until 64 more were asked for. */
static inline const char *tmp_path(const char *name)
{
    static char ring[64][sizeof testing_dir + 128];
    static unsigned count;
    char *path = ring[count % 64];
    snprintf(path, sizeof ring[0], "%s/%u-%s", tmp_dir(), count, name);
    count++;
    return path;
}

#endif
