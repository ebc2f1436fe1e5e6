/* SPDX-License-Identifier: MIT */
/*
 * What a batch of unequal lengths costs beside a dense one: forward and backward, both in
 * alternation. The ratio is that of the times, divided by the part of all steps that lives: 1 if
 * padding costs nothing. Medians of ROUNDS, that of the ratio over the rounds, and the ratio of the
 * best. One thread is timed by its processor time, which others that compute hardly disturb.
 *
 *     build/bench/ragged [ROUNDS]
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "row.h"
#include "unroll.h"

enum { MOST_ROUNDS = 1001 };

static const struct row shapes[] = {
    {ROW_RAGGED, UR_CELL_LSTM, 100, 64, 256, 1, 1, true},
    {ROW_RAGGED, UR_CELL_LSTM, 50, 32, 256, 2, 2, true},
};

struct bench {
    struct row at;
    clockid_t clock;
    ur_params *params;
    ur_rnn *rnn;
    ur_tape *tape;
    float *x, *dx;
    int *lengths;
};

static void need(ur_status status)
{
    if (status == UR_OK)
        return;
    fprintf(stderr, "ragged: %s\n", ur_errmsg());
    exit(1);
}

static size_t inputs(const struct row *at)
{
    return (size_t)at->T * (size_t)at->B * (size_t)at->H;
}

static void make(struct bench *b, ur_team *team)
{
    const struct row *at = &b->at;
    ur_rnn_options options;
    ur_rnn_options_init(&options);
    options.cell = at->cell;
    options.input = at->H;
    options.layers = at->L;
    options.bidirectional = at->D > 1;
    for (int l = 0; l < at->L; l++)
        options.hidden[l] = at->H;
    need(ur_params_new(&b->params));
    need(ur_rnn_new(&b->rnn, b->params, "rnn", &options));
    need(ur_params_build(b->params, 1));
    need(ur_rnn_prepare(b->rnn));
    need(ur_tape_new(&b->tape, team));
    b->x = malloc(inputs(at) * sizeof *b->x);
    b->dx = calloc(inputs(at), sizeof *b->dx);
    b->lengths = malloc((size_t)at->B * sizeof *b->lengths);
    if (b->x == NULL || b->dx == NULL || b->lengths == NULL)
        exit(4);
    for (size_t i = 0; i < inputs(at); i++)
        b->x[i] = (float)((int)(i * 7919 % 2001) - 1000) / 1000;
    row_lengths(at, b->lengths);
}

static void done(struct bench *b)
{
    ur_tape_free(b->tape);
    ur_rnn_free(b->rnn);
    ur_params_free(b->params);
    free(b->x);
    free(b->dx);
    free(b->lengths);
}

static double seconds(struct bench *b, const int *lengths)
{
    const int dim[3] = {b->at.T, b->at.B, b->at.H};
    struct timespec from, to;
    clock_gettime(b->clock, &from);
    ur_params_zero_grads(b->params);
    memset(b->dx, 0, inputs(&b->at) * sizeof *b->dx);
    ur_tensor *x = ur_variable(b->tape, 3, dim, b->x, b->dx);
    need(ur_backward(b->tape, ur_sum(ur_rnn_forward(b->tape, b->rnn, x, lengths, NULL))));
    ur_tape_reset(b->tape);
    clock_gettime(b->clock, &to);
    return (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void run(const struct row *at, int threads, int rounds)
{
    static double dense[MOST_ROUNDS], ragged[MOST_ROUNDS], ratio[MOST_ROUNDS];
    struct bench b = {.at = *at,
                      .clock = threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC};
    double alive = (double)row_lengths(at, NULL) / at->T / at->B;
    char name[ROW_TEXT];
    ur_team *team;
    need(ur_team_new(&team, threads));
    make(&b, team);
    for (int i = -1; i < rounds; i++) {     /* the first takes memory */
        double d = seconds(&b, NULL), r = seconds(&b, b.lengths);
        if (i < 0)
            continue;
        dense[i] = d;
        ragged[i] = r;
        ratio[i] = r / d / alive;
    }
    qsort(dense, (size_t)rounds, sizeof *dense, compare);
    qsort(ragged, (size_t)rounds, sizeof *ragged, compare);
    qsort(ratio, (size_t)rounds, sizeof *ratio, compare);
    row_name(at, name);
    printf("%-28s%8d%10.1f%10.1f%8.3f%8.3f%8.3f\n", name, threads, 1e3 * dense[rounds / 2],
           1e3 * ragged[rounds / 2], alive, ratio[rounds / 2], ragged[0] / dense[0] / alive);
    fflush(stdout);
    done(&b);
    ur_team_free(team);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 11;
    if (rounds < 1 || rounds > MOST_ROUNDS) {
        fprintf(stderr, "usage: ragged [ROUNDS]\n");
        return 2;
    }
    printf("%-28s%8s%10s%10s%8s%8s%8s\n", "forward and backward", "threads", "dense ms",
           "ragged ms", "alive", "ratio", "of best");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int threads = 1; threads <= 2; threads++)
            run(&shapes[i], threads, rounds);
    return 0;
}
