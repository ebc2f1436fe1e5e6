/* SPDX-License-Identifier: MIT */
/*
 * oneDNN's recurrent primitives on the same work. Weights are in the layouts that the
 * primitives ask for before the clock starts, those of the backward pass too: a training loop
 * would have to bring them there after each update. The GRU is the one with linear_before_reset,
 * which is PyTorch's and ours.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "onednn_rnn.h"
#include "worker.h"

struct net {
    struct row row;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_desc_t forward_desc, backward_desc;
    dnnl_primitive_t forward, backward;
    dnnl_memory_t at[N_TENSORS], diff[N_TENSORS];
    dnnl_memory_t back_weights[2];      /* WEIGHTS, RECURRENT as the backward pass wants them */
    dnnl_memory_t workspace;
    int swapped;                        /* which state is the old one */
};

static bool ok(dnnl_status_t status, const char *what)
{
    return status == dnnl_success || complain("%s: status %d", what, (int)status);
}

/* ---- memory ------------------------------------------------------------ */

static bool take(struct net *n, dnnl_memory_t *m, desc d)
{
    return ok(dnnl_memory_create(m, d, n->engine, DNNL_MEMORY_ALLOCATE), "memory");
}

static float *floats(dnnl_memory_t m)
{
    void *p = NULL;
    return dnnl_memory_get_data_handle(m, &p) == dnnl_success ? p : NULL;
}

static size_t count(const struct net *n, int tensor)
{
    const struct row *r = &n->row;
    size_t gates = r->cell == UR_CELL_LSTM ? 4 : r->cell == UR_CELL_GRU ? 3 : 1, H = (size_t)r->H;
    switch (tensor) {
    case SRC:
    case DST:
        return (size_t)r->T * (size_t)r->B * H;
    case WEIGHTS:
    case RECURRENT:
        return (size_t)r->L * gates * H * H;
    case BIAS:
        return (size_t)r->L * (r->cell == UR_CELL_GRU ? 4 : gates) * H;
    default:
        return (size_t)r->L * (size_t)r->B * H;
    }
}

/* Descriptors of all tensors: as they are given, or free for the primitive to choose. */
static bool describe(const struct net *n, desc_own *d, bool states, bool any)
{
    const struct row *r = &n->row;
    const dnnl_dim_t T = r->T, B = r->B, H = r->H, L = r->L;
    const dnnl_dim_t G = r->cell == UR_CELL_LSTM ? 4 : r->cell == UR_CELL_GRU ? 3 : 1;
    const dnnl_dim_t sequence[] = {T, B, H}, state[] = {L, 1, B, H}, weights[] = {L, 1, H, G, H};
    const dnnl_dim_t bias[] = {L, 1, r->cell == UR_CELL_GRU ? 4 : G, H};
    bool fine = true;
    for (int i = 0; i < N_TENSORS; i++) {
        bool is_state = i != SRC && i != WEIGHTS && i != RECURRENT && i != BIAS && i != DST;
        bool c = i == SRC_C || i == DST_C;
        d[i] = NULL;
        if (is_state && (!states || (c && r->cell != UR_CELL_LSTM)))
            continue;
        if (is_state)
            d[i] = onednn_desc(4, state, dnnl_ldnc);
        else if (i == WEIGHTS || i == RECURRENT)
            d[i] = onednn_desc(5, weights, any ? dnnl_format_tag_any : dnnl_ldgoi);
        else if (i == BIAS)
            d[i] = onednn_desc(4, bias, dnnl_ldgo);
        else
            d[i] = onednn_desc(3, sequence, dnnl_tnc);
        fine = fine && d[i] != NULL;
    }
    return fine || complain("cannot describe the tensors");
}

static void forget(desc_own *d)
{
    for (int i = 0; i < N_TENSORS; i++)
        onednn_desc_free(d[i]);
}

static bool reorder(struct net *n, dnnl_memory_t from, desc from_desc, dnnl_memory_t to,
                    desc to_desc)
{
    dnnl_primitive_desc_t d = NULL;
    dnnl_primitive_t p = NULL;
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    bool fine = ok(dnnl_reorder_primitive_desc_create(&d, from_desc, n->engine, to_desc,
                                                      n->engine, NULL), "reorder") &&
                ok(dnnl_primitive_create(&p, d), "reorder") &&
                ok(dnnl_primitive_execute(p, n->stream, 2, args), "reorder") &&
                ok(dnnl_stream_wait(n->stream), "reorder");
    dnnl_primitive_destroy(p);
    dnnl_primitive_desc_destroy(d);
    return fine;
}

/* ---- weights: PyTorch's order of gates r,z,n is z,r,n here ------------- */

static void swap_gates(const struct net *n, float *w, size_t block)
{
    if (n->row.cell != UR_CELL_GRU)
        return;
    for (size_t i = 0; i < block; i++) {
        float r = w[i];
        w[i] = w[block + i];
        w[block + i] = r;
    }
}

/* weight_ih, weight_hh, bias_ih, bias_hh of each layer have the streams 4l ... 4l+3. */
static void fill_weights(const struct net *n, float *to, int tensor)
{
    size_t layer = count(n, tensor) / (size_t)n->row.L;
    size_t block = (size_t)n->row.H * (size_t)n->row.H;
    for (int l = 0; l < n->row.L; l++, to += layer) {
        row_fill(to, layer, (uint32_t)(4 * l + (tensor == RECURRENT)), 1.0 / sqrt(n->row.H));
        swap_gates(n, to, block);
    }
}

/* One bias here: the sum of both, but for the new part of a GRU, which has two. */
static bool fill_bias(const struct net *n, float *to)
{
    size_t H = (size_t)n->row.H, layer = count(n, BIAS) / (size_t)n->row.L;
    bool gru = n->row.cell == UR_CELL_GRU;
    size_t given = gru ? 3 * H : layer;
    float *b = malloc(2 * given * sizeof *b);
    if (b == NULL)
        return complain("out of memory");
    for (int l = 0; l < n->row.L; l++, to += layer) {
        row_fill(b, given, (uint32_t)(4 * l + 2), 1.0 / sqrt(n->row.H));
        row_fill(b + given, given, (uint32_t)(4 * l + 3), 1.0 / sqrt(n->row.H));
        for (size_t i = 0; i < given; i++)
            to[i] = gru && i >= 2 * H ? b[i] : b[i] + b[given + i];
        if (gru)
            memcpy(to + 3 * H, b + given + 2 * H, H * sizeof *b);
        swap_gates(n, to, H);
    }
    free(b);
    return true;
}

/* Weights, from PyTorch's layout into the one that the primitive of `from` wants. */
static bool give_weights(struct net *n, const_dnnl_primitive_desc_t wanted, int tensor,
                         dnnl_memory_t *to, desc plain_desc)
{
    desc d = dnnl_primitive_desc_query_md(wanted, dnnl_query_exec_arg_md,
                                          onednn_argument[tensor]);
    dnnl_memory_t plain = NULL;
    bool fine = take(n, to, d) && take(n, &plain, plain_desc);
    if (fine) {
        fill_weights(n, floats(plain), tensor);
        fine = reorder(n, plain, plain_desc, *to, d);
    }
    dnnl_memory_destroy(plain);
    return fine;
}

/* ---- making ------------------------------------------------------------ */

static bool make_forward(struct net *n, desc_own *plain, bool states)
{
    desc_own d[N_TENSORS];
    bool training = n->row.kind == ROW_TRAIN;
    desc views[N_TENSORS];
    bool fine = describe(n, d, states, true);
    for (int i = 0; i < N_TENSORS; i++)
        views[i] = d[i];
    fine = fine && ok(onednn_forward(&n->forward_desc, &n->row, n->engine, training, views),
                      "forward") &&
           ok(dnnl_primitive_create(&n->forward, n->forward_desc), "forward");
    for (int i = 0; i < N_TENSORS && fine; i++) {
        if (i == WEIGHTS || i == RECURRENT)
            fine = give_weights(n, n->forward_desc, i, &n->at[i], plain[i]);
        else if (plain[i] != NULL)
            fine = take(n, &n->at[i], plain[i]);
        if (fine && plain[i] != NULL && i != WEIGHTS && i != RECURRENT)
            memset(floats(n->at[i]), 0, count(n, i) * sizeof(float));
    }
    forget(d);
    if (!fine || !fill_bias(n, floats(n->at[BIAS])))
        return false;
    row_fill(floats(n->at[SRC]), count(n, SRC), STREAM_X, 1.0);
    return true;
}

/* With states in and out, though both are zeros: without them versions 2.6 and 3.2 give other
 * gradients of an LSTM's recurrent weights than PyTorch and we do. */
static bool make_backward(struct net *n, desc_own *plain)
{
    desc_own d[N_TENSORS];
    desc views[N_TENSORS];
    bool fine = describe(n, d, true, true);
    for (int i = 0; i < N_TENSORS; i++)
        views[i] = d[i];
    fine = fine && ok(onednn_backward(&n->backward_desc, &n->row, n->engine, views, views,
                                      n->forward_desc), "backward") &&
           ok(dnnl_primitive_create(&n->backward, n->backward_desc), "backward");
    forget(d);
    for (int i = 0; i < 2 && fine; i++)
        fine = give_weights(n, n->backward_desc, WEIGHTS + i, &n->back_weights[i],
                            plain[WEIGHTS + i]);
    for (int i = 0; i < N_TENSORS && fine; i++)
        if (plain[i] != NULL)
            fine = take(n, &n->diff[i],
                        dnnl_primitive_desc_query_md(n->backward_desc, dnnl_query_exec_arg_md,
                                                     onednn_diff_argument[i]));
    if (!fine)
        return false;
    for (int i = DST_H; i <= DST_C; i++)
        if (n->diff[i] != NULL)
            memset(floats(n->diff[i]), 0, count(n, i) * sizeof(float));
    float *ones = floats(n->diff[DST]);
    for (size_t i = 0; i < count(n, DST); i++)
        ones[i] = 1.0f;
    return take(n, &n->workspace,
                dnnl_primitive_desc_query_md(n->forward_desc, dnnl_query_workspace_md, 0));
}

static void close_net(void *user)
{
    struct net *n = user;
    for (int i = 0; i < N_TENSORS; i++) {
        dnnl_memory_destroy(n->at[i]);
        dnnl_memory_destroy(n->diff[i]);
    }
    dnnl_memory_destroy(n->back_weights[0]);
    dnnl_memory_destroy(n->back_weights[1]);
    dnnl_memory_destroy(n->workspace);
    dnnl_primitive_destroy(n->forward);
    dnnl_primitive_destroy(n->backward);
    dnnl_primitive_desc_destroy(n->forward_desc);
    dnnl_primitive_desc_destroy(n->backward_desc);
    dnnl_stream_destroy(n->stream);
    dnnl_engine_destroy(n->engine);
    free(n);
}

static bool has(const struct row *row)
{
    return row->D == 1 &&
           (row->kind == ROW_TRAIN || row->kind == ROW_INFER || row->kind == ROW_STEP);
}

/* How many threads there are, the environment says, or the cores that run.py leaves us. */
static void *open_net(const struct row *row, int threads)
{
    struct net *n = calloc(1, sizeof *n);
    (void)threads;
    if (n == NULL) {
        complain("out of memory");
        return NULL;
    }
    n->row = *row;
    bool states = row->kind != ROW_INFER;
    desc_own plain[N_TENSORS] = {NULL};
    bool fine = ok(dnnl_engine_create(&n->engine, dnnl_cpu, 0), "engine") &&
                ok(dnnl_stream_create(&n->stream, n->engine, dnnl_stream_default_flags),
                   "stream") &&
                describe(n, plain, states, false) && make_forward(n, plain, states);
    if (fine && row->kind == ROW_TRAIN)
        fine = make_backward(n, plain);
    forget(plain);
    if (fine)
        return n;
    close_net(n);
    return NULL;
}

/* ---- what is timed ----------------------------------------------------- */

enum { ARGS_MAX = 2 * N_TENSORS + 1 };

static int add(dnnl_exec_arg_t *args, int used, int argument, dnnl_memory_t memory)
{
    if (memory != NULL)
        args[used++] = (dnnl_exec_arg_t){argument, memory};
    return used;
}

static bool run_forward(struct net *n)
{
    dnnl_exec_arg_t args[ARGS_MAX];
    int used = add(args, 0, DNNL_ARG_WORKSPACE, n->workspace);
    for (int i = 0; i < N_TENSORS; i++) {
        int from = i;
        if (n->swapped && (i == SRC_H || i == SRC_C))
            from = i + DST_H - SRC_H;
        else if (n->swapped && (i == DST_H || i == DST_C))
            from = i + SRC_H - DST_H;
        used = add(args, used, onednn_argument[i], n->at[from]);
    }
    return ok(dnnl_primitive_execute(n->forward, n->stream, used, args), "forward") &&
           ok(dnnl_stream_wait(n->stream), "forward");
}

/* Gradients of weights are added to what is there: they begin as zeros. */
static bool run_backward(struct net *n)
{
    dnnl_exec_arg_t args[ARGS_MAX];
    int used = add(args, 0, DNNL_ARG_WORKSPACE, n->workspace);
    for (int i = 0; i < N_TENSORS; i++) {
        bool weights = i == WEIGHTS || i == RECURRENT;
        used = add(args, used, onednn_argument[i],
                   weights ? n->back_weights[i - WEIGHTS] : n->at[i]);
        used = add(args, used, onednn_diff_argument[i], n->diff[i]);
        if (weights || i == BIAS)
            memset(floats(n->diff[i]), 0,
                   dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(
                       n->backward_desc, dnnl_query_exec_arg_md, onednn_diff_argument[i])));
    }
    return ok(dnnl_primitive_execute(n->backward, n->stream, used, args), "backward") &&
           ok(dnnl_stream_wait(n->stream), "backward");
}

static bool call(void *net)
{
    struct net *n = net;
    if (n->row.kind == ROW_TRAIN)
        return run_forward(n) && run_backward(n);
    if (n->row.kind == ROW_INFER)
        return run_forward(n);
    for (int i = 0; i < STEPS_A_CALL; i++, n->swapped = !n->swapped)
        if (!run_forward(n))
            return false;
    return true;
}

/* ---- results ----------------------------------------------------------- */

static bool write_weights(struct net *n, FILE *to, int tensor, desc plain_desc)
{
    dnnl_memory_t plain = NULL;
    desc d = dnnl_primitive_desc_query_md(n->backward_desc, dnnl_query_exec_arg_md,
                                          onednn_diff_argument[tensor]);
    bool fine = take(n, &plain, plain_desc) &&
                reorder(n, n->diff[tensor], d, plain, plain_desc);
    size_t layer = count(n, tensor) / (size_t)n->row.L;
    for (int l = 0; l < n->row.L && fine; l++) {
        char name[64];
        float *w = floats(plain) + (size_t)l * layer;
        swap_gates(n, w, (size_t)n->row.H * (size_t)n->row.H);
        snprintf(name, sizeof name, "d.weight_%s_l%d", tensor == WEIGHTS ? "ih" : "hh", l);
        worker_write(to, name, w, layer);
    }
    dnnl_memory_destroy(plain);
    return fine;
}

static void write_bias(struct net *n, FILE *to)
{
    size_t H = (size_t)n->row.H, layer = count(n, BIAS) / (size_t)n->row.L;
    bool gru = n->row.cell == UR_CELL_GRU;
    for (int l = 0; l < n->row.L; l++) {
        char name[64];
        float *b = floats(n->diff[BIAS]) + (size_t)l * layer;
        swap_gates(n, b, H);
        snprintf(name, sizeof name, "d.bias_ih_l%d", l);
        worker_write(to, name, b, gru ? 3 * H : layer);
        if (gru)
            memcpy(b + 2 * H, b + 3 * H, H * sizeof *b);
        snprintf(name, sizeof name, "d.bias_hh_l%d", l);
        worker_write(to, name, b, gru ? 3 * H : layer);
    }
}

static bool values(void *net, FILE *to)
{
    struct net *n = net;
    desc_own plain[N_TENSORS] = {NULL};
    if (!call(net))
        return false;
    worker_write(to, "y", floats(n->at[DST]), count(n, DST));
    if (n->row.kind != ROW_TRAIN)
        return true;
    worker_write(to, "dx", floats(n->diff[SRC]), count(n, SRC));
    bool fine = describe(n, plain, false, false) &&
                write_weights(n, to, WEIGHTS, plain[WEIGHTS]) &&
                write_weights(n, to, RECURRENT, plain[RECURRENT]);
    if (fine)
        write_bias(n, to);
    forget(plain);
    return fine;
}

/* What the library's own queries say, and y and dy, which stand in our account too. */
static double memory(void *net)
{
    const struct net *n = net;
    int64_t forward = 0, backward = 0;
    if (n->backward_desc == NULL)
        return 0.0;
    dnnl_primitive_desc_query(n->forward_desc, dnnl_query_memory_consumption_s64, 0, &forward);
    dnnl_primitive_desc_query(n->backward_desc, dnnl_query_memory_consumption_s64, 0, &backward);
    size_t workspace = dnnl_memory_desc_get_size(
        dnnl_primitive_desc_query_md(n->forward_desc, dnnl_query_workspace_md, 0));
    return (double)(forward > backward ? forward : backward) + (double)workspace +
           2.0 * (double)(count(n, DST) * sizeof(float));
}

int main(int argc, char **argv)
{
    static char version[64];
    const dnnl_version_t *v = dnnl_version();
    if (argc != 3 || strcmp(argv[1], "--worker") != 0) {
        fprintf(stderr, "usage: onednn --worker THREADS\n");
        return 2;
    }
    snprintf(version, sizeof version, "%d.%d.%d", v->major, v->minor, v->patch);
    const struct side side = {"onednn", version, has, open_net, call, values, memory, close_net};
    return worker_serve(&side, (int)strtol(argv[2], NULL, 10));
}
