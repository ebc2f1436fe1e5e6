/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L

#include "worker.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TIMES_MAX = 1000, LINE = 1024 };

static char message[512];

bool complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return false;
}

const char *complaint(void)
{
    return message;
}

double worker_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void worker_write(FILE *to, const char *name, const float *values, size_t n)
{
    fprintf(to, "%s %zu\n", name, n);
    fwrite(values, sizeof *values, n, to);
}

int worker_time(const struct side *side, void *net, const struct row *row, double seconds,
                double *took, int max)
{
    double before = worker_now();
    if (!side->call(net))
        return 0;
    double now = worker_now();
    int n = 0;
    /* The first call counts only where a second would cost more than it is worth. */
    if (now - before > seconds)
        took[n++] = (now - before) / row_units(row);
    for (double begin = now; n < max && (n == 0 || now - begin < seconds); n++) {
        before = now;
        if (!side->call(net))
            return 0;
        now = worker_now();
        took[n] = (now - before) / row_units(row);
    }
    return n;
}

/* ---- lines ------------------------------------------------------------- */

struct worker {
    const struct side *side;
    int threads;
    char row_text[LINE];    /* of the net that is open */
    struct row row;
    void *net;
};

static void close_net(struct worker *w)
{
    if (w->net != NULL)
        w->side->close(w->net);
    w->net = NULL;
}

/* False: there is no net, and the answer is given. */
static bool open_net(struct worker *w, const char *text)
{
    if (w->net != NULL && strcmp(w->row_text, text) == 0)
        return true;
    close_net(w);
    snprintf(w->row_text, sizeof w->row_text, "%s", text);
    if (!row_parse(text, &w->row)) {
        printf("error no row: %s\n", text);
        return false;
    }
    if (!w->side->has(&w->row)) {
        puts("none");
        return false;
    }
    w->net = w->side->open(&w->row, w->threads);
    if (w->net == NULL)
        printf("error %s\n", message);
    return w->net != NULL;
}

static bool answer_time(struct worker *w, double seconds)
{
    double took[TIMES_MAX];
    int n = worker_time(w->side, w->net, &w->row, seconds, took, TIMES_MAX);
    for (int i = 0; i < n; i++)
        printf("%s%.9g", i > 0 ? " " : "", took[i]);
    if (n > 0)
        putchar('\n');
    return n > 0;
}

static bool answer_values(struct worker *w, const char *path)
{
    FILE *to = fopen(path, "wb");
    if (to == NULL)
        return complain("%s: %s", path, strerror(errno));
    bool ok = w->side->values(w->net, to);
    if (fclose(to) != 0)
        ok = complain("%s: %s", path, strerror(errno));
    if (ok)
        puts("ok");
    return ok;
}

static bool answer_memory(struct worker *w)
{
    if (w->side->memory == NULL) {
        puts("none");
        return true;
    }
    double bytes = w->side->memory(w->net);
    if (bytes >= 0.0)
        printf("%.0f\n", bytes);
    return bytes >= 0.0;
}

static void answer(struct worker *w, char *line)
{
    char *argument = strchr(line, ' ');
    if (argument != NULL)
        *argument++ = '\0';
    bool memory = strcmp(line, "memory") == 0;
    char *row = memory || argument == NULL ? argument : strchr(argument, ' ');
    if (row == NULL) {
        printf("error what is %s?\n", line);
        return;
    }
    if (!memory)
        *row++ = '\0';
    /* Values and memory are those of a net that nothing has been done with. */
    if (strcmp(line, "time") != 0)
        close_net(w);
    if (!open_net(w, row))
        return;
    bool ok = memory                          ? answer_memory(w)
              : strcmp(line, "values") == 0   ? answer_values(w, argument)
              : strcmp(line, "time") == 0     ? answer_time(w, strtod(argument, NULL))
                                              : complain("what is %s?", line);
    if (!ok)
        printf("error %s\n", message);
    if (!ok || strcmp(line, "time") != 0)
        close_net(w);
}

int worker_serve(const struct side *side, int threads)
{
    struct worker w = {.side = side, .threads = threads};
    char line[LINE];
    printf("%s %s\n", side->name, side->version);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        answer(&w, line);
        fflush(stdout);
    }
    close_net(&w);
    return 0;
}
