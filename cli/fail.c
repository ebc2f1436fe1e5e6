/* SPDX-License-Identifier: MIT */
/* How the program ends. Nothing here calls exit(): codes travel up to main(). */
#define _POSIX_C_SOURCE 200809L

#include "cli/fail.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/status.h"
#include "base/utf8.h"
#include "io/file_ops.h"
#include "unroll/task.h"

/* Bytes of a line: a path that is as long as can be, and what is said of it. */
enum { TELL_MAX = 8192 };

static volatile sig_atomic_t caught;

void tell(const char *before, const char *format, va_list args)
{
    char text[TELL_MAX], shown[TELL_MAX];
    vsnprintf(text, sizeof text, format, args);
    ur__show_line(shown, sizeof shown, text);
    fprintf(stderr, "%s%s\n", before, shown);
}

int fail(int code, const char *format, ...)
{
    out_flush();
    va_list args;
    va_start(args, format);
    tell("unroll: ", format, args);
    va_end(args);
    return code;
}

static int code_of(ur_status status)
{
    switch (status) {
    case UR_OK: return EXIT_DONE;
    case UR_ENOMEM: return EXIT_MEMORY;
    case UR_EINVAL: return EXIT_USAGE;
    case UR_EINPUT:
    case UR_EDATA:
    case UR_EFORMAT:
    case UR_EVERSION: return EXIT_INPUT;
    case UR_EOUTPUT:
    case UR_EEXIST: return EXIT_OUTPUT;
    case UR_ENUMERIC: return EXIT_DIVERGED;
    case UR_ESHAPE:
    case UR_ENOTSUP:
    case UR_ECANCELED:
    case UR_EINTERNAL: break;
    }
    return EXIT_FAILED;
}

static const char *meaning_of(ur_status status)
{
#define MEANING(name, value, meaning)                                                  \
    if ((int)status == (value))                                                        \
        return meaning;
    UR_STATUS_MAP(MEANING)
#undef MEANING
    return "failed";
}

int fail_status(ur_status status)
{
    if (status == UR_OK)
        return EXIT_DONE;
    const char *text = ur_errmsg();
    return fail(code_of(status), "%s", text[0] != '\0' ? text : meaning_of(status));
}

int fail_reading(ur_status status)
{
    int code = fail_status(status);
    return code == EXIT_DIVERGED ? EXIT_INPUT : code;
}

ur_status need_verb(const ur_model *model, const char *path, const char *verb)
{
    const char *task = ur_model_task(model), *own = ur_task_verb(task);
    if (own != NULL && strcmp(own, verb) == 0)
        return UR_OK;
    if (own == NULL)
        return ur__fail(UR_EDATA, "%s is a model of task %s, which this unroll does not have", path,
                        task);
    return ur__fail(UR_EDATA, "%s is a model of task %s: use unroll %s", path, task, own);
}

int spare_input(const char *path)
{
    struct ur__file_id in, out;
    if (path == NULL || !ur__file_identify(&in, path) ||
        !ur__stream_identify(&out, STDOUT_FILENO) || !ur__file_clash(&in, &out))
        return EXIT_DONE;
    return fail(EXIT_OUTPUT, "cannot write to standard output: it is the same file as %s, which "
                "is read", strcmp(path, "-") == 0 ? "standard input" : path);
}

/* ---- signals ----------------------------------------------------------- */

/* timeout(1) signals its child and then the group that the child is in: a signal so soon after
 * the first is not a second request. */
static bool is_echo(void)
{
    static struct timespec first;
    struct timespec now;
    int kept = errno;
    clock_gettime(CLOCK_MONOTONIC, &now);
    errno = kept;
    if (caught == 0)
        first = now;
    long ms = (long)(now.tv_sec - first.tv_sec) * 1000 + (now.tv_nsec - first.tv_nsec) / 1000000;
    return caught != 0 && ms < 250;
}

static void on_signal(int number)
{
    if (is_echo())
        return;
    if (caught != 0)
        _exit(EXIT_SIGNAL + number);
    caught = number;
    static const char text[] = "\nstopping after this step; a second signal stops at once\n";
    if (isatty(STDERR_FILENO)) {
        int kept = errno;
        ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
        (void)written;
        errno = kept;
    }
}

void signals_catch(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct sigaction action, old;
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN)
            continue;
        memset(&action, 0, sizeof action);
        action.sa_handler = on_signal;
        sigfillset(&action.sa_mask);
        action.sa_flags = SA_RESTART;
        sigaction(numbers[i], &action, NULL);
    }
}

int signals_caught(void)
{
    return (int)caught;
}

/* ---- standard output --------------------------------------------------- */

/* Why standard output failed first; later calls no longer know. */
static int out_errno;

/* What was printed by printf() alone has left no reason: a pipe that nobody reads can still
 * be told. */
static int reason_of(int error)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    if (error != 0)
        return error;
    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0 ? EPIPE : EIO;
}

static bool out_check(bool done)
{
    int error = errno;
    if (done && !ferror(stdout))
        return true;
    if (out_errno == 0)
        out_errno = reason_of(error);
    return false;
}

bool out_put(const void *bytes, size_t n)
{
    errno = 0;
    return out_check(fwrite(bytes, 1, n, stdout) == n);
}

bool out_flush(void)
{
    errno = 0;
    return out_check(fflush(stdout) == 0);
}

int out_end(int code)
{
    /* One sentence is enough, and a reader that went away needs none. */
    if (out_flush() || out_errno == EPIPE || code != EXIT_DONE)
        return code;
    return fail_status(ur__io_fail(UR_EOUTPUT, "write to", "standard output", out_errno));
}
