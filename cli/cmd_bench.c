/* SPDX-License-Identifier: MIT */
/* unroll bench: how fast this machine is. Recurrent layers in GFLOP/s, whole character
 * models in tokens a second. Every number is the median of repeats.
 *
 * Invariant: written against the public headers, as a user's program would be. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/team.h"
#include "cli/fail.h"
#include "cli/ui.h"
#include "io/json.h"
#include "unroll.h"

struct bench {
    struct opt_common common;
    int cell;
    int hidden[UR_OPTION_LIST], listed;
    int64_t layers, batch, seq_length, threads;
    double seconds;
};

#define AT(field) .at = offsetof(struct bench, field)

static const char *cell_at(int i, int *value)
{
    *value = i;
    return ur_cell_name((ur_cell)i);
}

static const ur_option options[] = {
    {.group = "one network of this shape instead of the default set", .name = "cell",
     .choices = cell_at, .fallback = "lstm", .kind = UR_OPTION_CHOICE, AT(cell),
     .help = "recurrent cell"},
    {.name = "hidden", .arg = "N[,N...]", .fallback = "512", .kind = UR_OPTION_LIST_OF_INT,
     .min = 1,
     .max = 65536, AT(hidden), .at_n = offsetof(struct bench, listed),
     .help = "units of each layer"},
    {.name = "layers", .arg = "N", .fallback = "2", .kind = UR_OPTION_COUNT, .min = 1,
     .max = UR_OPTION_LIST, AT(layers), .help = "recurrent layers"},
    {.name = "batch", .arg = "N", .fallback = "64", .kind = UR_OPTION_COUNT, .min = 1, .max = 65536,
     AT(batch), .help = "sequences side by side"},
    {.name = "seq-length", .arg = "N", .fallback = "64", .kind = UR_OPTION_COUNT, .min = 1,
     .max = 65536,
     AT(seq_length), .help = "time steps"},
    {.group = "measuring", .name = "seconds", .arg = "X", .fallback = "1", .kind = UR_OPTION_REAL,
     .max = 3600,
     .flags = UR_OPTION_OPEN_MIN, AT(seconds), .help = "time per figure; at least three repeats"},
    {.name = "threads", .arg = "N", .fallback = "0", .shown = "the cores available",
     .kind = UR_OPTION_COUNT, .max = 1024, AT(threads), .help = "threads to use"},
    OPT_COMMON(struct bench),
};

static const char *const examples[] = {
    "unroll bench",
    "unroll bench --cell gru --hidden 256 --layers 1 --threads 1",
    NULL,
};

/* As many characters as tiny shakespeare has. */
enum { VOCABULARY = 65 };

/* A net to measure: recurrent layers alone, or a whole model over one-hot characters. */
struct shape {
    ur_cell cell;
    int layers, hidden[UR_OPTION_LIST];
    int T, B;
    bool model;
};

struct net {
    const struct shape *shape;
    ur_params *params;
    ur_rnn *rnn;
    ur_linear_layer decoder;
    ur_optimizer *optimizer;
    ur_tape *tape;
    ur_state *state, *one;      /* of B sequences, of one */
    int32_t *ids;               /* [T+1,B] */
    ur_real *x, *y;             /* [T,B,H]: input; output, or the input's gradient */
    int64_t drawn;
};

static void net_free(struct net *n)
{
    ur_optimizer_free(n->optimizer);
    ur_tape_free(n->tape);
    ur_state_free(n->state);
    ur_state_free(n->one);
    ur_rnn_free(n->rnn);
    ur_params_free(n->params);
    ur__free(n->ids);
    ur__free(n->x);
    ur__free(n->y);
}

static ur_status net_fill(struct net *n)
{
    const struct shape *s = n->shape;
    size_t tokens = (size_t)(s->T + 1) * (size_t)s->B;
    int top = s->hidden[s->layers - 1], first = s->model ? 1 : s->hidden[0];
    size_t in = (size_t)s->T * (size_t)s->B * (size_t)first;
    size_t out = (size_t)s->T * (size_t)s->B * (size_t)(top > first ? top : first);
    n->ids = ur__alloc(tokens, sizeof *n->ids);
    n->x = ur__alloc(in, sizeof *n->x);
    n->y = ur__alloc(out, sizeof *n->y);
    if (n->ids == NULL || n->x == NULL || n->y == NULL)
        return UR_ENOMEM;
    uint32_t bits[4];
    for (size_t i = 0; i < tokens; i++) {
        ur_random(1, 1, 0, (uint32_t)i, bits);
        n->ids[i] = (int32_t)(bits[0] % VOCABULARY);
    }
    for (size_t i = 0; i < in; i++)
        n->x[i] = (ur_real)(2.0 * ur_random_uniform(1, 2, 0, (uint32_t)i) - 1.0);
    return UR_OK;
}

static ur_status net_new(struct net *n, const struct shape *s, ur_team *team)
{
    memset(n, 0, sizeof *n);
    n->shape = s;
    ur_rnn_options rnn;
    ur_rnn_options_init(&rnn);
    rnn.cell = s->cell;
    rnn.input = s->model ? VOCABULARY : s->hidden[0];
    rnn.layers = s->layers;
    memcpy(rnn.hidden, s->hidden, (size_t)s->layers * sizeof *rnn.hidden);
    ur_optimizer_options optimizer;
    ur_optimizer_options_init(&optimizer);
    ur_status status = ur_params_new(&n->params);
    if (status == UR_OK)
        status = ur_rnn_new(&n->rnn, n->params, "rnn", &rnn);
    if (status == UR_OK && s->model)
        status = ur_linear_init(&n->decoder, n->params, "decoder", s->hidden[s->layers - 1],
                                VOCABULARY, true);
    if (status == UR_OK)
        status = ur_params_build(n->params, 1);
    if (status == UR_OK)
        status = ur_rnn_prepare(n->rnn);
    if (status == UR_OK)
        status = ur_optimizer_new(&n->optimizer, n->params, &optimizer, team);
    if (status == UR_OK)
        status = ur_tape_new(&n->tape, team);
    if (status == UR_OK)
        status = ur_state_new(&n->state, n->rnn, s->B, team);
    if (status == UR_OK)
        status = ur_state_new(&n->one, n->rnn, 1, team);
    if (status == UR_OK)
        status = net_fill(n);
    if (status != UR_OK)
        net_free(n);
    return status;
}

/* ---- what is measured -------------------------------------------------- */

/* Layers over a sequence, without a tape. */
static ur_status forward(struct net *n)
{
    ur_state_zero(n->state);
    return ur_rnn_run(n->rnn, n->state, n->shape->T, n->x, NULL, n->y);
}

/* Layers over a sequence and all gradients, that of the input among them. */
static ur_status forward_backward(struct net *n)
{
    const struct shape *s = n->shape;
    const int dim[3] = {s->T, s->B, s->hidden[0]};
    ur_state_zero(n->state);
    ur_params_zero_grads(n->params);
    ur_tensor *x = ur_variable(n->tape, 3, dim, n->x, n->y);
    ur_tensor *y = ur_rnn_forward(n->tape, n->rnn, x, NULL, n->state);
    ur_status status = ur_backward(n->tape, ur_sum(y));
    ur_state_detach(n->state);
    ur_tape_reset(n->tape);
    return status;
}

/* One update of a whole model. */
static ur_status train(struct net *n)
{
    const struct shape *s = n->shape;
    const ur_ids in = {n->ids, s->T, s->B}, out = {n->ids + s->B, s->T, s->B};
    ur_tape_set_training(n->tape, true, 1, 0);
    ur_params_zero_grads(n->params);
    ur_tensor *h = ur_rnn_forward_ids(n->tape, n->rnn, in, NULL, n->state);
    ur_tensor *loss = ur_cross_entropy(n->tape, ur_linear(n->tape, &n->decoder, h), out);
    ur_status status = ur_backward(n->tape, loss);
    ur_state_detach(n->state);
    ur_tape_reset(n->tape);
    if (status == UR_OK)
        status = ur_optimizer_step(n->optimizer, 1e-4, NULL);
    return status == UR_OK ? ur_rnn_prepare(n->rnn) : status;
}

/* A hundred characters drawn one after the other. */
enum { DRAWS = 100 };

static ur_status draw(struct net *n)
{
    ur_status status = UR_OK;
    const int dim[2] = {1, n->decoder.I};
    int32_t id = 0;
    ur_tape_set_recording(n->tape, false);
    for (int i = 0; i < DRAWS && status == UR_OK; i++) {
        status = ur_rnn_step_ids(n->rnn, n->one, &id, n->y);
        ur_tensor *h = ur_constant(n->tape, 2, dim, n->y);
        const ur_real *p = ur_data(ur_softmax(ur_linear(n->tape, &n->decoder, h)));
        if (status == UR_OK)
            status = ur_tape_status(n->tape);
        double left = ur_random_uniform(1, 3, (uint64_t)n->drawn++, 0);
        for (id = 0; p != NULL && id < VOCABULARY - 1; id++)
            if ((left -= (double)p[id]) < 0.0)
                break;
        ur_tape_reset(n->tape);
    }
    ur_tape_set_recording(n->tape, true);
    return status;
}

/* ---- measuring --------------------------------------------------------- */

enum { REPEATS_MIN = 3, REPEATS_MAX = 1000 };

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Median seconds of a call, after one that warms up. */
static ur_status measure(ur_status (*call)(struct net *), struct net *n, double seconds,
                         double *median)
{
    double took[REPEATS_MAX];
    int repeats = 0;
    ur_status status = call(n);
    double begin = ur__clock(), now = begin;
    while (status == UR_OK && repeats < REPEATS_MAX &&
           (repeats < REPEATS_MIN || now - begin < seconds)) {
        double before = now;
        status = call(n);
        now = ur__clock();
        took[repeats++] = now - before;
    }
    if (status != UR_OK)
        return status;
    qsort(took, (size_t)repeats, sizeof took[0], compare);
    *median = repeats % 2 == 1 ? took[repeats / 2]
                               : 0.5 * (took[repeats / 2 - 1] + took[repeats / 2]);
    return UR_OK;
}

/* FLOP of a forward pass of layers alone: each weight, (I+H)·G·H a layer, is multiplied and added
 * once a step and sequence. */
static double flop_of(const struct net *n)
{
    double weights = 0.0;
    const ur_param *p;
    for (int i = 0; (p = ur_params_at(n->params, i)) != NULL; i++)
        weights += p->rank == 2 ? (double)p->size : 0.0;
    return 2.0 * n->shape->T * n->shape->B * weights;
}

/* ---- rows -------------------------------------------------------------- */

struct table {
    const struct bench *options;
    ur_team *team;
    struct ui *ui;
    struct ur__json *rows;      /* NULL: print lines */
};

static void name_shape(const struct shape *s, char to[64])
{
    bool equal = true;
    for (int l = 1; l < s->layers; l++)
        equal = equal && s->hidden[l] == s->hidden[0];
    size_t used = 0;
    if (equal)
        snprintf(to, 64, "%dx%d", s->layers, s->hidden[0]);
    for (int l = 0; !equal && l < s->layers && used < 60; l++)
        used += (size_t)snprintf(to + used, 64 - used, "%s%d", l > 0 ? "," : "", s->hidden[l]);
}

static void add_row(const struct table *t, const struct shape *s, const char *first, double a,
                    const char *second, double b)
{
    char name[64], left[UI_NUMBER], right[UI_NUMBER];
    name_shape(s, name);
    if (t->rows == NULL) {
        ui_clear(t->ui);
        if (s->model)
            printf("%-5s %-12s %5d %5d %14s %14s\n", ur_cell_name(s->cell), name, s->T, s->B,
                   ui_short(left, a), ui_short(right, b));
        else
            printf("%-5s %-12s %5d %5d %14.1f %14.1f\n", ur_cell_name(s->cell), name, s->T, s->B,
                   a, b);
        out_flush();
        return;
    }
    struct ur__json *j = ur__json_new_object(), *hidden = ur__json_new_array();
    ur__json_set_string(j, "what", s->model ? "model" : "layers");
    ur__json_set_string(j, "cell", ur_cell_name(s->cell));
    for (int l = 0; l < s->layers; l++)
        ur__json_add_int(hidden, s->hidden[l]);
    ur__json_set(j, "hidden", hidden);
    ur__json_set_int(j, "T", s->T);
    ur__json_set_int(j, "B", s->B);
    ur__json_set_real(j, first, a);
    ur__json_set_real(j, second, b);
    ur__json_add(t->rows, j);
}

static ur_status row(const struct table *t, const struct shape *s)
{
    struct net n;
    double a = 0.0, b = 0.0, flop, seconds = t->options->seconds;
    ui_busy(t->ui, 0.0, "measuring");
    ur_status status = net_new(&n, s, t->team);
    if (status != UR_OK)
        return status;
    status = measure(s->model ? train : forward, &n, seconds, &a);
    if (status == UR_OK)
        status = measure(s->model ? draw : forward_backward, &n, seconds, &b);
    flop = flop_of(&n);
    net_free(&n);
    if (status != UR_OK)
        return status;
    if (s->model)
        add_row(t, s, "train_tokens_per_second", (double)s->T * s->B / a,
                "sample_tokens_per_second", DRAWS / b);
    else
        add_row(t, s, "forward_gflops", 1e-9 * flop / a, "forward_backward_gflops",
                3e-9 * flop / b);
    return UR_OK;
}

static ur_status rows(const struct table *t, bool models, const struct shape *shapes, int n)
{
    if (t->rows == NULL && models)
        printf("\n%-18s %5s %5s %14s %14s\n", "model", "T", "B", "train", "sample chars/s");
    else if (t->rows == NULL)
        printf("%-18s %5s %5s %14s %14s\n", "layers", "T", "B", "forward", "both GFLOP/s");
    ur_status status = UR_OK;
    for (int i = 0; i < n && status == UR_OK; i++) {
        struct shape s = shapes[i];
        s.model = models;
        status = row(t, &s);
    }
    return status;
}

static const struct shape usual_layers[] = {
    {UR_CELL_LSTM, 1, {128}, 50, 50, false}, {UR_CELL_LSTM, 1, {512}, 64, 64, false},
    {UR_CELL_GRU, 1, {512}, 64, 64, false},  {UR_CELL_RNN, 1, {512}, 64, 64, false},
};
static const struct shape usual_models[] = {
    {UR_CELL_LSTM, 2, {128, 128}, 50, 50, true},
    {UR_CELL_LSTM, 2, {512, 512}, 64, 64, true},
};

static ur_status measure_all(const struct table *t, const struct shape *chosen)
{
    ur_status status;
    if (chosen != NULL) {
        /* Layers alone read as many numbers as their first has units. */
        status = rows(t, false, chosen, 1);
        return status == UR_OK ? rows(t, true, chosen, 1) : status;
    }
    status = rows(t, false, usual_layers, sizeof usual_layers / sizeof usual_layers[0]);
    if (status == UR_OK)
        status = rows(t, true, usual_models, sizeof usual_models / sizeof usual_models[0]);
    return status;
}

static int bench(const struct bench *a, const struct shape *chosen)
{
    struct ui ui;
    ui_init(&ui, &a->common);
    struct table t = {a, NULL, &ui, NULL};
    ur_status status = ur_team_new(&t.team, (int)a->threads);
    if (status != UR_OK)
        return fail_status(status);
    const char *kernels = ur_kernels();
    if (a->common.json)
        t.rows = ur__json_new_array();
    else
        printf("kernels %s, %d thread%s\n\n", kernels != NULL ? kernels : "?",
               ur_team_size(t.team), ur_team_size(t.team) > 1 ? "s" : "");
    status = measure_all(&t, chosen);
    ui_clear(&ui);
    int threads = ur_team_size(t.team);
    ur_team_free(t.team);
    if (status != UR_OK) {
        ur__json_free(t.rows);
        return fail_status(status);
    }
    if (t.rows == NULL)
        return EXIT_DONE;
    struct ur__json *j = ur__json_new_object();
    ur__json_set_string(j, "version", ur_version());
    ur__json_set_string(j, "kernels", kernels != NULL ? kernels : "?");
    ur__json_set_int(j, "threads", threads);
    ur__json_set(j, "rows", t.rows);
    return ui_json(j);
}

static int act(void *values, const struct opt_words *words)
{
    static const char *const shaping[] = {"cell", "hidden", "layers", "batch", "seq-length"};
    const struct bench *a = values;
    struct shape shape = {
        .cell = (ur_cell)a->cell, .T = (int)a->seq_length, .B = (int)a->batch,
    };
    bool chosen = false;
    for (size_t i = 0; i < sizeof shaping / sizeof shaping[0]; i++)
        chosen = chosen || opt_given(words, shaping[i]);
    shape.layers = a->listed > 1 ? a->listed : (int)a->layers;
    memcpy(shape.hidden, a->hidden, sizeof shape.hidden);
    if (a->listed > 1 && opt_given(words, "layers") && a->layers != a->listed)
        return fail(EXIT_USAGE, "--hidden lists %d layers but --layers says %d", a->listed,
                    (int)a->layers);
    return bench(a, chosen ? &shape : NULL);
}

const struct command cmd_bench = {
    .name = "bench",
    .words = "",
    .brief = "measure speed on this machine",
    .examples = examples,
    .notes = "FLOP are counted as 2·T·B·(I+H)·G·H a layer forward, G = 1 (rnn), 4 (lstm) or 3 "
             "(gru), and three times that for forward and backward.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .min_words = 0,
    .max_words = 0,
    .size = sizeof(struct bench),
    .act = act,
};
