/* SPDX-License-Identifier: MIT */
/*
 * Measures unroll.
 *
 *     unroll                     the grid with 1 thread and with 2, as a table
 *     unroll --list              the grid, for run.py: row, costs, units, quick
 *     unroll --worker THREADS    as run.py asks (worker.h)
 */
#include "unroll.h"

#include <stdlib.h>
#include <string.h>

#include "ours.h"

/* ---- our side ---------------------------------------------------------- */

static bool has(const struct row *row)
{
    return row->kind != ROW_CELL || (row->cell == UR_CELL_LSTM && row->L == 1);
}

static void close_net(void *user)
{
    struct net *n = user;
    ur_session_free(n->session);
    ur_model_free(n->model);
    labels_free(n);
    ur_optimizer_free(n->optimizer);
    ur_tape_free(n->tape);
    ur_state_free(n->state);
    ur_rnn_free(n->rnn);
    ur_params_free(n->params);
    ur_team_free(n->team);
    free(n->x);
    free(n->y);
    free(n->dx);
    free(n->ids);
    free(n->lengths);
    free(n);
}

static void *open_net(const struct row *row, int threads)
{
    struct net *n = calloc(1, sizeof *n);
    if (n == NULL) {
        complain("out of memory");
        return NULL;
    }
    n->row = *row;
    bool labels = row->kind >= ROW_CLASSIFY, model = row->kind == ROW_LM;
    ur_optimizer_options options;
    ur_optimizer_options_init(&options);
    ur_status status = threads > 1 ? ur_team_new(&n->team, threads) : UR_OK;
    if (status == UR_OK)
        status = row->kind == ROW_SAMPLE ? sample_make(n)
                 : labels                ? labels_make(n)
                                         : net_make(n, model ? VOCABULARY : row->H, model);
    if (status == UR_OK && (model || labels))
        status = ur_optimizer_new(&n->optimizer, n->params, &options, n->team);
    if (status == UR_OK)
        return n;
    complain("%s", ur_errmsg());
    close_net(n);
    return NULL;
}

static bool once(struct net *n, FILE *to)
{
    static ur_status (*const calls[])(struct net *, FILE *) = {
        [ROW_TRAIN] = train_call, [ROW_INFER] = infer_call, [ROW_STEP] = step_call,
        [ROW_LM] = lm_call,       [ROW_SAMPLE] = sample_call, [ROW_CELL] = cell_call,
        [ROW_RAGGED] = train_call,
        [ROW_CLASSIFY] = labels_call, [ROW_CLASSIFY_MIX] = labels_call,
        [ROW_TAG] = labels_call,      [ROW_TAG_MIX] = labels_call,
    };
    return calls[n->row.kind](n, to) == UR_OK || complain("%s", ur_errmsg());
}

static bool call(void *net)
{
    return once(net, NULL);
}

enum { LOSSES = 5 };

static bool values(void *net, FILE *to)
{
    struct net *n = net;
    if (n->row.kind != ROW_LM)
        return once(n, to);
    float losses[LOSSES];
    for (int i = 0; i < LOSSES; i++) {
        if (!once(n, to))
            return false;
        losses[i] = (float)n->loss;
    }
    worker_write(to, "losses", losses, LOSSES);
    return true;
}

/* Everything the library takes during a call and keeps for the next. */
static double memory(void *net)
{
    size_t before = ur_memory_used();
    return once(net, NULL) ? (double)(ur_memory_used() - before) : -1.0;
}

static const struct side unroll = {
    "unroll", UR_VERSION, has, open_net, call, values, memory, close_net,
};

/* ---- a table ----------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool measure(const struct row *row, int threads)
{
    enum { MAX = 1000 };
    double took[MAX];
    char name[ROW_TEXT];
    void *net = open_net(row, threads);
    int n = net != NULL && call(net) ? worker_time(&unroll, net, row, 1.0, took, MAX) : 0;
    if (net != NULL)
        close_net(net);
    if (n == 0)
        return false;
    qsort(took, (size_t)n, sizeof took[0], compare);
    double median = took[n / 2];
    row_name(row, name);
    printf("%-28s %7d %12.4f %12.4f %9.1f\n", name, threads, 1e3 * median, 1e3 * took[0],
           1e-9 * row_cost(row).flop / median);
    fflush(stdout);
    return true;
}

static int table(void)
{
    int n;
    const struct row *grid = row_grid(&n);
    printf("unroll %s, kernels %s\n\n%-28s %7s %12s %12s %9s\n", UR_VERSION, ur_kernels(),
           "work cell T B H L", "threads", "median ms", "best ms", "GFLOP/s");
    for (int i = 0; i < n; i++)
        for (int threads = 1; threads <= 2; threads++)
            if (!measure(&grid[i], threads)) {
                fprintf(stderr, "unroll: %s\n", complaint());
                return 1;
            }
    return 0;
}

static int list(void)
{
    int n;
    const struct row *grid = row_grid(&n);
    for (int i = 0; i < n; i++) {
        char name[ROW_TEXT];
        struct row_cost c = row_cost(&grid[i]);
        row_name(&grid[i], name);
        printf("%s\t%.17g\t%.17g\t%.17g\t%.17g\t%d\t%d\n", name, c.flop, c.batched, c.reads,
               c.bytes, grid[i].quick, row_units(&grid[i]));
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (ur_kernels() == NULL) {
        fprintf(stderr, "unroll: %s\n", ur_errmsg());
        return 1;
    }
    if (argc == 1)
        return table();
    if (argc == 2 && strcmp(argv[1], "--list") == 0)
        return list();
    if (argc == 3 && strcmp(argv[1], "--worker") == 0) {
        static char version[64];
        struct side side = unroll;
        snprintf(version, sizeof version, "%s %s", UR_VERSION, ur_kernels());
        side.version = version;
        return worker_serve(&side, (int)strtol(argv[2], NULL, 10));
    }
    fprintf(stderr, "usage: unroll [--list | --worker THREADS]\n");
    return 2;
}
