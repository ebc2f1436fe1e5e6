/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L

#include "cli/train_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/fail.h"
#include "cli/ui.h"
#include "io/file.h"
#include "io/file_ops.h"
#include "io/json.h"

#define LONGEST_TAIL ((uint64_t)1 << 20)

/* A log that is a standard stream by another name (/dev/stderr, or the file that one was
 * redirected to) is not opened again: that would write at a place of its own. */
void train_log_init(struct train_log *log, const char *path, bool append)
{
    struct ur__file_id own, other;
    *log = (struct train_log){.path = path, .stream = -1, .append = append, .fd = -1};
    if (path == NULL)
        return;
    if (strcmp(path, "-") == 0)
        log->stream = STDOUT_FILENO;
    else if (ur__file_identify(&own, path))
        for (int fd = STDERR_FILENO; fd >= STDOUT_FILENO; fd--)
            if (ur__stream_identify(&other, fd) && ur__file_same(&own, &other))
                log->stream = fd;
}

static const char *name_of(const struct train_log *log)
{
    return log->stream == STDOUT_FILENO ? "on standard output"
        : log->stream == STDERR_FILENO ? "on standard error" : log->path;
}

/* ---- going on with a file ---------------------------------------------- */

/* The bytes after the last line's end. */
static int64_t find_tail(const char *text, size_t n)
{
    size_t tail = 0;
    while (tail < n && text[n - 1 - tail] != '\n')
        tail++;
    return (int64_t)tail;
}

/* Cuts off what a crash left of the last line; any other text without a line's end gets one. */
static void mend_tail(struct train_log *log, char *text, size_t n)
{
    int64_t tail = find_tail(text, n);
    const char *line = text + n - tail;
    struct ur__json *whole;
    log->torn = tail > 0;
    if (tail == 0 || line[0] != '{' || (uint64_t)tail == LONGEST_TAIL)
        return;
    if (ur__json_parse(&whole, line, (size_t)tail) == UR_OK)
        ur__json_free(whole);
    else if (ftruncate(log->fd, (off_t)(log->size - tail)) == 0) {
        log->size -= tail;
        log->torn = false;
    }
}

static void look_at_tail(struct train_log *log)
{
    struct ur__raw f;
    if (ur__raw_open(&f, log->path) != UR_OK)
        return;
    size_t n = (size_t)(f.size < LONGEST_TAIL ? f.size : LONGEST_TAIL);
    char *text = ur__alloc(n + 1, 1);
    log->size = (int64_t)f.size;
    if (text != NULL && n > 0 && ur__raw_read(&f, f.size - n, text, n) == UR_OK)
        mend_tail(log, text, n);
    ur__free(text);
    ur__raw_close(&f);
}

static bool open_log(struct train_log *log)
{
    struct stat there;
    if (log->stream >= 0) {
        fflush(stdout);
        log->fd = log->stream;
    } else {
        log->fd = ur__io_open(log->path, O_WRONLY | O_CREAT | O_APPEND |
                              (log->append ? 0 : O_TRUNC), 0666);
    }
    if (log->fd < 0)
        return false;
    log->opened = true;
    log->is_file = log->stream < 0 && fstat(log->fd, &there) == 0 && S_ISREG(there.st_mode);
    if (log->is_file && log->append)
        look_at_tail(log);
    log->append = true;     /* should it be opened once more */
    return true;
}

/* ---- lines ------------------------------------------------------------- */

static bool put(struct train_log *log, const char *line, size_t n)
{
    if (!log->opened && !open_log(log))
        return false;
    bool done = !log->torn || ur__io_write_full(log->fd, "\n", 1);
    log->size += log->torn && done;
    log->torn = log->torn && !done;
    if (done && ur__io_write_full(log->fd, line, n)) {
        log->size += (int64_t)n;
        return true;
    }
    int error = errno;
    if (done)
        log->torn = !log->is_file || ftruncate(log->fd, (off_t)log->size) != 0;
    errno = error;
    return false;
}

static void fail_put(struct train_log *log, struct ui *ui, int error)
{
    bool first = !log->failing;
    log->error = error;
    log->failing = true;
    log->gone = error == EPIPE;
    if (log->gone) {
        ui_warn(ui, "the reader of the log %s has gone; training continues without it",
                name_of(log));
        return;
    }
    log->lost++;
    if (!first)
        return;
    ur__io_fail(UR_EOUTPUT, "write the log", name_of(log), error);
    ui_warn(ui, "%s; training continues", ur_errmsg());
}

void train_log_put(struct train_log *log, struct ui *ui, const char *line, size_t n)
{
    if (log->gone)
        return;
    if (!put(log, line, n)) {
        fail_put(log, ui, errno);
        return;
    }
    if (log->failing)
        ui_say(ui, "writing to the log %s again", name_of(log));
    log->failing = false;
}

void train_log_close(struct train_log *log)
{
    if (log->opened && log->stream < 0 && ur__io_close(log->fd) != 0) {
        log->error = errno;
        log->lost++;
    }
    log->opened = false;
}

int train_log_end(const struct train_log *log)
{
    if (log->lost == 0)
        return EXIT_DONE;
    ur__io_fail(UR_EOUTPUT, "write the log", name_of(log), log->error);
    return fail(EXIT_OUTPUT, "%s; %lld line%s lost", ur_errmsg(), (long long)log->lost,
                log->lost > 1 ? "s" : "");
}
