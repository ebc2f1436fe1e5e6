/* SPDX-License-Identifier: MIT */
/*
 * What a batch of unequal lengths costs beside a dense one: forward and backward, both in
 * alternation, best of ROUNDS. The ratio is that of the times, divided by the part of all steps
 * that lives: 1 if padding costs nothing.
 *
 *     build/bench/ragged [ROUNDS]
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "unroll.h"

struct shape {
    int T, B, H, L, D;
};

static const struct shape shapes[] = {{100, 64, 256, 1, 1}, {50, 32, 256, 2, 2}};

struct bench {
    struct shape at;
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

static size_t inputs(const struct shape *at)
{
    return (size_t)at->T * (size_t)at->B * (size_t)at->H;
}

/* Lengths 1 to T, evenly spread, in no order. */
static void make(struct bench *b, ur_team *team)
{
    const struct shape *at = &b->at;
    ur_rnn_options options;
    ur_rnn_options_init(&options);
    options.cell = UR_CELL_LSTM;
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
    for (int i = 0; i < at->B; i++)
        b->lengths[i] = 1 + (i * 37 % at->B) * (at->T - 1) / (at->B - 1);
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
    clock_gettime(CLOCK_MONOTONIC, &from);
    ur_params_zero_grads(b->params);
    memset(b->dx, 0, inputs(&b->at) * sizeof *b->dx);
    ur_tensor *x = ur_variable(b->tape, 3, dim, b->x, b->dx);
    need(ur_backward(b->tape, ur_sum(ur_rnn_forward(b->tape, b->rnn, x, lengths, NULL))));
    ur_tape_reset(b->tape);
    clock_gettime(CLOCK_MONOTONIC, &to);
    return (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
}

static void run(const struct shape *at, int threads, int rounds)
{
    struct bench b = {.at = *at};
    ur_team *team;
    double dense = 1e9, ragged = 1e9, alive = 0;
    need(ur_team_new(&team, threads));
    make(&b, team);
    for (int i = 0; i < at->B; i++)
        alive += (double)b.lengths[i] / at->B / at->T;
    for (int i = 0; i <= rounds; i++) {
        double d = seconds(&b, NULL), r = seconds(&b, b.lengths);
        if (i > 0 && d < dense)     /* the first takes memory */
            dense = d;
        if (i > 0 && r < ragged)
            ragged = r;
    }
    printf("lstm T%d B%d %dx%d, %d direction%s%8d%10.1f%10.1f%8.3f%8.3f\n", at->T, at->B, at->L,
           at->H, at->D, at->D > 1 ? "s" : " ", threads, 1e3 * dense, 1e3 * ragged, alive,
           ragged / dense / alive);
    done(&b);
    ur_team_free(team);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 11;
    printf("%-32s%8s%10s%10s%8s%8s\n", "forward and backward", "threads", "dense ms", "ragged ms",
           "alive", "ratio");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int threads = 1; threads <= 2; threads++)
            run(&shapes[i], threads, rounds);
    return 0;
}
