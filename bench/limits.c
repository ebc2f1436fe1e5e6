/* SPDX-License-Identifier: MIT */
/*
 * The limits of this machine, with the instruction set that the library's kernels use.
 *
 *     limits THREADS        answers lines of standard input:
 *         fma               GFLOP/s of multiply-adds that touch no memory
 *         read BYTES        GB/s at which the threads together read that much again and again
 *
 * Each answer is the best of some tries: a limit is what the machine can do.
 */
#define _POSIX_C_SOURCE 200809L

#include "limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/team.h"
#include "unroll.h"

/* Many short tries: some of them run between what else the machine does. */
enum { TRIES = 60, SINK = 16, THREADS_MAX = 256 };
static const double TRY_SECONDS = 0.002;

struct isa {
    const char *name;
    double (*fma)(long rounds, float *sink);
    void (*read)(const float *p, size_t n, float *sink);
};

static const struct isa isas[] = {
#ifdef UR__HAVE_AVX512
    {"avx512", limits_fma_avx512, limits_read_avx512},
#endif
#ifdef UR__HAVE_AVX2
    {"avx2", limits_fma_avx2, limits_read_avx2},
#endif
#ifdef UR__HAVE_NEON
    {"neon", limits_fma_neon, limits_read_neon},
#endif
    {"scalar", limits_fma_scalar, limits_read_scalar},
};

struct job {
    const struct isa *isa;
    long rounds;
    const float *memory;        /* NULL: multiply-adds */
    size_t n;
    double flop[THREADS_MAX];
};

static void work(const struct ur__worker *w, void *arg)
{
    struct job *job = arg;
    float sink[SINK] = {0.999f, 0.001f};
    /* All begin together: who is still waking up would count as slow. */
    ur__team_barrier(w);
    if (job->memory == NULL) {
        job->flop[w->index] = job->isa->fma(job->rounds, sink);
        return;
    }
    size_t n = job->n / (size_t)w->n;
    for (long r = 0; r < job->rounds; r++)
        job->isa->read(job->memory + n * (size_t)w->index, n, sink);
}

static double seconds_of(ur_team *team, struct job *job)
{
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    ur__team_run(team, work, job);
    clock_gettime(CLOCK_MONOTONIC, &b);
    return (double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec);
}

/* FLOP or bytes a second: enough rounds for a measurable time, then the best try. */
static double best(ur_team *team, struct job *job)
{
    double best = 0.0;
    job->rounds = job->memory == NULL ? 1000 : 1;
    while (seconds_of(team, job) < TRY_SECONDS)
        job->rounds *= 2;
    for (int i = 0; i < TRIES; i++) {
        double seconds = seconds_of(team, job), amount = 0.0;
        int threads = ur_team_size(team);
        for (int k = 0; k < threads && job->memory == NULL; k++)
            amount += job->flop[k];
        if (job->memory != NULL)
            amount = (double)job->rounds * (double)(job->n / (size_t)threads * sizeof(float)) *
                     threads;
        if (amount / seconds > best)
            best = amount / seconds;
    }
    return best;
}

static void answer(ur_team *team, const struct isa *isa, const char *line)
{
    struct job job = {.isa = isa};
    if (strcmp(line, "fma\n") == 0) {
        printf("%.6g\n", 1e-9 * best(team, &job));
    } else if (strncmp(line, "read ", 5) == 0) {
        job.n = (size_t)strtoull(line + 5, NULL, 10) / sizeof(float);
        float *memory = calloc(job.n + 1, sizeof *memory);
        if (memory == NULL) {
            printf("error out of memory\n");
            return;
        }
        /* Zeroed pages that nothing has written to may all be one. */
        memset(memory, 1, job.n * sizeof *memory);
        job.memory = memory;
        printf("%.6g\n", 1e-9 * best(team, &job));
        free(memory);
    } else {
        printf("error what is %s", line);
    }
}

int main(int argc, char **argv)
{
    const char *name = ur_kernels();
    const struct isa *isa = &isas[sizeof isas / sizeof isas[0] - 1];
    long threads = argc == 2 ? strtol(argv[1], NULL, 10) : 1;
    ur_team *team = NULL;
    char line[128];
    for (size_t i = 0; name != NULL && i < sizeof isas / sizeof isas[0]; i++)
        if (strcmp(isas[i].name, name) == 0)
            isa = &isas[i];
    if (threads < 1 || threads > THREADS_MAX ||
        (threads > 1 && ur_team_new(&team, (int)threads) != UR_OK)) {
        fprintf(stderr, "usage: limits THREADS\n");
        return 2;
    }
    printf("limits %s\n", isa->name);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        answer(team, isa, line);
        fflush(stdout);
    }
    ur_team_free(team);
    return 0;
}
