/* SPDX-License-Identifier: MIT */
/*
 * Whole recurrent nets: initial values, forward, backward, two rounds of a sequence whose
 * state goes on. A case is a line of the table; what it draws and what is hashed
 * follows from the options alone.
 */
#include "bits.h"

#include "unroll/layer.h"

#include <stdlib.h>
#include <string.h>

enum { I = 11, ROUNDS = 2 };

/* What a case may ask for beside the options of the net. */
enum {
    LENGTHS = 1,        /* sequences of different lengths, some of them empty */
    IDS = 2,            /* one-hot inputs by number */
    TEAM = 4,           /* three threads */
    FRESH = 8,          /* initial states are the net's own, not given */
};

#define CELL(NAME) .size = sizeof(ur_rnn_options), .cell = UR_CELL_##NAME
#define ONE(H) .layers = 1, .hidden = {H}
#define TWO(H, G) .layers = 2, .hidden = {H, G}
#define THREE(H, G, F) .layers = 3, .hidden = {H, G, F}
#define MAPS(...) .output = {__VA_ARGS__}, .output_activation = UR_ACT_TANH
#define PROJECTED(...) .projection = {__VA_ARGS__}

static const struct net {
    const char *name;
    int T, B, flags;
    ur_rnn_options options;     /* input is I */
} nets[] = {
    {"lstm", 13, 5, 0, {CELL(LSTM), TWO(37, 16), .biases = 2}},
    {"lstm,alone", 29, 1, 0, {CELL(LSTM), ONE(40), .biases = 1}},
    {"lstm,wide", 3, 2, 0, {CELL(LSTM), ONE(200), .biases = 2}},
    {"lstm,batch", 4, 70, TEAM, {CELL(LSTM), TWO(9, 33), .biases = 2}},
    {"lstm,lengths", 17, 6, LENGTHS, {CELL(LSTM), TWO(21, 8), .biases = 2}},
    {"lstm,ids", 11, 5, IDS, {CELL(LSTM), TWO(24, 24), .biases = 2}},
    {"lstm,ids,lengths", 11, 7, IDS | LENGTHS, {CELL(LSTM), ONE(19), .biases = 2}},
    {"lstm,maps", 9, 5, 0, {CELL(LSTM), TWO(8, 21), MAPS(5, 19), .biases = 2}},
    {"lstm,map,lengths", 9, 5, LENGTHS, {CELL(LSTM), TWO(8, 21), MAPS(0, 4), .biases = 2}},
    {"lstm,deep", 7, 3, TEAM, {CELL(LSTM), THREE(15, 16, 17), .biases = 2}},
    {"lstm,dropout", 7, 5, TEAM, {CELL(LSTM), THREE(15, 16, 17), .biases = 2, .dropout = 0.3}},
    {"lstm,starts", 7, 4, FRESH,
     {CELL(LSTM), TWO(20, 12), .biases = 2, .orthogonal = true, .forget_bias = 1}},
    {"lstm,bidirectional", 9, 4, LENGTHS,
     {CELL(LSTM), TWO(13, 10), .biases = 2, .bidirectional = true}},
    {"lstm,bidirectional,ids", 9, 4, IDS | TEAM,
     {CELL(LSTM), TWO(13, 10), .biases = 2, .bidirectional = true, .dropout = 0.2}},
    {"lstm,projected", 9, 4, 0, {CELL(LSTM), TWO(30, 18), PROJECTED(11, 5), .biases = 2}},
    {"lstm,peepholes", 9, 4, LENGTHS, {CELL(LSTM), TWO(13, 18), .biases = 1, .peepholes = true}},
    {"lstm,coupled", 9, 4, 0, {CELL(LSTM), TWO(13, 18), .biases = 1, .coupled = true}},
    {"lstm,coupled,peepholes", 9, 4, 0,
     {CELL(LSTM), ONE(21), .biases = 1, .peepholes = true, .coupled = true}},
    {"lstm,clip", 9, 4, 0, {CELL(LSTM), TWO(13, 18), .biases = 2, .cell_clip = 0.25}},
    {"lstm,learned", 9, 4, FRESH, {CELL(LSTM), TWO(13, 18), .biases = 2, .learned_state = true}},
    {"lstm,variational", 9, 4, 0,
     {CELL(LSTM), TWO(13, 18), .biases = 2, .dropout = 0.3, .variational = true}},
    {"lstm,recurrent-dropout", 9, 4, 0,
     {CELL(LSTM), TWO(13, 18), .biases = 2, .recurrent_dropout = 0.3}},
    {"lstm,zoneout", 9, 4, LENGTHS,
     {CELL(LSTM), TWO(13, 18), .biases = 2, .zoneout_h = 0.2, .zoneout_c = 0.4}},
    {"lstm,all", 8, 6, LENGTHS | TEAM,
     {CELL(LSTM), TWO(19, 14), PROJECTED(9, 0), MAPS(0, 5), .biases = 2, .bidirectional = true,
      .peepholes = true, .cell_clip = 0.8, .dropout = 0.2, .variational = true,
      .recurrent_dropout = 0.2, .zoneout_h = 0.1, .zoneout_c = 0.1}},

    {"gru", 13, 5, 0, {CELL(GRU), TWO(37, 17), .biases = 2}},
    {"gru,alone", 29, 1, 0, {CELL(GRU), ONE(40), .biases = 1}},
    {"gru,batch", 4, 70, TEAM, {CELL(GRU), TWO(9, 33), .biases = 2}},
    {"gru,lengths", 17, 6, LENGTHS, {CELL(GRU), TWO(21, 8), .biases = 2}},
    {"gru,ids", 11, 5, IDS, {CELL(GRU), TWO(24, 24), .biases = 2}},
    {"gru,maps", 9, 5, 0, {CELL(GRU), TWO(8, 21), MAPS(5, 19), .biases = 2}},
    {"gru,dropout", 7, 5, 0, {CELL(GRU), THREE(15, 16, 17), .biases = 2, .dropout = 0.3}},
    {"gru,before", 13, 5, 0, {CELL(GRU), TWO(33, 12), .biases = 1, .reset_before = true}},
    {"gru,before,lengths", 13, 5, LENGTHS | TEAM,
     {CELL(GRU), TWO(9, 22), MAPS(3, 0), .biases = 2, .reset_before = true}},
    {"gru,before,ids", 13, 5, IDS, {CELL(GRU), ONE(25), .reset_before = true}},
    {"gru,bidirectional", 9, 4, LENGTHS,
     {CELL(GRU), TWO(13, 10), .biases = 2, .bidirectional = true}},
    {"gru,before,bidirectional", 9, 4, LENGTHS,
     {CELL(GRU), TWO(13, 10), .biases = 2, .reset_before = true, .bidirectional = true}},
    {"gru,learned", 9, 4, FRESH, {CELL(GRU), TWO(13, 18), .biases = 2, .learned_state = true}},
    {"gru,zoneout", 9, 4, 0,
     {CELL(GRU), TWO(13, 18), .biases = 2, .recurrent_dropout = 0.3, .zoneout_h = 0.2}},
    {"gru,all", 8, 6, IDS | LENGTHS | FRESH,
     {CELL(GRU), TWO(19, 14), MAPS(0, 5), .biases = 2, .bidirectional = true, .dropout = 0.2,
      .learned_state = true, .variational = true, .recurrent_dropout = 0.2, .zoneout_h = 0.1}},

    {"rnn,tanh", 13, 5, 0, {CELL(RNN), TWO(37, 5), .biases = 2, .activation = UR_ACT_TANH}},
    {"rnn,relu", 13, 5, LENGTHS,
     {CELL(RNN), TWO(16, 20), .biases = 2, .activation = UR_ACT_RELU}},
    {"rnn,sigmoid", 13, 5, 0, {CELL(RNN), TWO(9, 1), .activation = UR_ACT_SIGMOID}},
    {"rnn,satlin", 13, 5, 0, {CELL(RNN), TWO(9, 30), .biases = 1, .activation = UR_ACT_SATLIN}},
    {"rnn,identity", 6, 5, 0, {CELL(RNN), ONE(12), .biases = 1, .activation = UR_ACT_IDENTITY}},
    {"rnn,maps,ids", 13, 5, IDS,
     {CELL(RNN), TWO(16, 20), MAPS(4, 0), .biases = 2, .activation = UR_ACT_TANH}},
    {"rnn,dropout,batch", 5, 40, TEAM,
     {CELL(RNN), TWO(30, 20), .biases = 2, .activation = UR_ACT_TANH, .dropout = 0.5}},
    {"rnn,bidirectional", 9, 4, LENGTHS,
     {CELL(RNN), TWO(13, 10), .biases = 2, .activation = UR_ACT_TANH, .bidirectional = true}},
    {"rnn,residual", 9, 4, LENGTHS,
     {CELL(RNN), TWO(13, 10), .biases = 2, .activation = UR_ACT_TANH, .time_residual = true}},
    {"rnn,zoneout", 9, 4, 0,
     {CELL(RNN), TWO(13, 10), .biases = 2, .activation = UR_ACT_TANH, .zoneout_h = 0.3}},
    {"rnn,all", 8, 6, LENGTHS | TEAM,
     {CELL(RNN), TWO(19, 14), MAPS(6, 0), .biases = 2, .activation = UR_ACT_SATLIN,
      .bidirectional = true, .time_residual = true, .dropout = 0.2, .variational = true,
      .recurrent_dropout = 0.2, .zoneout_h = 0.1}},
};

/* ---- one case ---- */

#define MOST_SLOTS 6

struct pass {
    const struct net *net;
    ur_team *team;
    ur_params *params;
    ur_rnn *rnn;
    ur_state *state;
    ur_tape *tape;
    /* inputs, the weight of each output in the loss, initial states, and their gradients */
    ur_real *x, *dx, *weight, *initial[2 * MOST_SLOTS], *d_initial[2 * MOST_SLOTS];
    size_t n_initial[2 * MOST_SLOTS];
    int32_t *id;
    int *lengths;
};

static void *room(size_t n, size_t size)
{
    void *p = calloc(n, size);
    bits_need(p != NULL, "no memory");
    return p;
}

static ur_real *numbers(size_t n)
{
    ur_real *x = room(n, sizeof *x);
    bits_fill(x, n, -1, 1);
    return x;
}

/* False: the net cannot be built yet. */
static bool make(struct pass *p)
{
    ur_rnn_options options = p->net->options;
    options.input = I;
    if (options.cell != UR_CELL_RNN)
        options.activation = UR_ACT_TANH;
    bits_need(ur_params_new(&p->params) == UR_OK, "parameters");
    const ur_status status = ur_rnn_new(&p->rnn, p->params, "rnn", &options);
    if (status == UR_ENOTSUP)
        return false;
    bits_need(status == UR_OK, "net");
    bits_need(ur_params_build(p->params, 3) == UR_OK, "initial values");
    bits_need(ur_rnn_prepare(p->rnn) == UR_OK, "weights");
    bits_need(!(p->net->flags & TEAM) || ur_team_new(&p->team, 3) == UR_OK, "team");
    bits_need(ur_state_new(&p->state, p->rnn, p->net->B, p->team) == UR_OK, "state");
    bits_need(ur_tape_new(&p->tape, p->team) == UR_OK, "tape");
    bits_reals(ur_params_values(p->params), ur_params_size(p->params));
    return true;
}

static void unmake(struct pass *p)
{
    ur_tape_free(p->tape);
    ur_state_free(p->state);
    ur_team_free(p->team);
    ur_rnn_free(p->rnn);
    ur_params_free(p->params);
    for (int i = 0; i < 2 * MOST_SLOTS; i++) {
        free(p->initial[i]);
        free(p->d_initial[i]);
    }
    free(p->x);
    free(p->dx);
    free(p->weight);
    free(p->id);
    free(p->lengths);
}

static void draw(struct pass *p)
{
    const int T = p->net->T, B = p->net->B;
    const size_t steps = (size_t)T * (size_t)B;
    p->x = numbers(steps * I);
    p->dx = room(steps * I, sizeof *p->dx);
    p->weight = numbers(steps * (size_t)ur_rnn_output(p->rnn));
    p->id = room(steps, sizeof *p->id);
    for (size_t i = 0; i < steps; i++)
        p->id[i] = bits_below(I);
    if (p->net->flags & LENGTHS) {
        p->lengths = room((size_t)B, sizeof *p->lengths);
        for (int b = 0; b < B; b++)
            p->lengths[b] = b == 0 ? T : bits_below(T + 1);
    }
}

/* h and c of each layer and direction as tensors, so that gradients reach them. */
static void put_states(struct pass *p)
{
    const int D = ur_rnn_directions(p->rnn), B = p->net->B;
    const bool has_c = p->net->options.cell == UR_CELL_LSTM;
    bits_need(ur_rnn_layers(p->rnn) * D <= MOST_SLOTS, "too many layers");
    for (int slot = 0; slot < ur_rnn_layers(p->rnn) * D; slot++) {
        for (int j = 0; j < (has_c ? 2 : 1); j++) {
            const int at = 2 * slot + j, l = slot / D;
            const int size = j ? ur_rnn_hidden(p->rnn, l) : ur_rnn_state_size(p->rnn, l);
            p->n_initial[at] = (size_t)(B * size);
            p->initial[at] = numbers(p->n_initial[at]);
            p->d_initial[at] = room(p->n_initial[at], sizeof(ur_real));
            ur_tensor *first = ur_variable(p->tape, 2, (const int[]){B, size}, p->initial[at],
                                           p->d_initial[at]);
            bits_need(ur_state_put(p->state, slot, j ? "c" : "h", first) == UR_OK,
                      "initial state");
        }
    }
}

static void one_round(struct pass *p, int round)
{
    const int T = p->net->T, B = p->net->B;
    ur_tape_reset(p->tape);
    ur_tape_set_training(p->tape, true, 5, (uint64_t)round);
    if (round == 0 && !(p->net->flags & FRESH))
        put_states(p);
    ur_tensor *y;
    if (p->net->flags & IDS) {
        y = ur_rnn_forward_ids(p->tape, p->rnn, (ur_ids){p->id, T, B}, p->lengths, p->state);
    } else {
        ur_tensor *x = ur_variable(p->tape, 3, (const int[]){T, B, I}, p->x, p->dx);
        y = ur_rnn_forward(p->tape, p->rnn, x, p->lengths, p->state);
    }
    const int dim[3] = {T, B, ur_rnn_output(p->rnn)};
    ur_tensor *loss = ur_sum(ur_mul(y, ur_constant(p->tape, 3, dim, p->weight)));
    bits_need(ur_backward(p->tape, loss) == UR_OK, "pass");
    bits_need(ur_scalar(loss) - ur_scalar(loss) == 0, "a loss that is not finite");
    bits_reals(ur_data(y), ur_size(y));
    ur_state_detach(p->state);
}

static void hash_net(const struct net *net)
{
    struct pass p = {.net = net};
    bits_begin("net/%s", net->name);
    if (!make(&p)) {
        bits_end_unsupported();
        unmake(&p);
        return;
    }
    draw(&p);
    for (int round = 0; round < ROUNDS; round++)
        one_round(&p, round);
    size_t n_state;
    const ur_real *state = ur_state_data(p.state, &n_state);
    bits_reals(state, n_state);
    bits_reals(p.dx, (size_t)net->T * (size_t)net->B * I);
    for (int i = 0; i < 2 * MOST_SLOTS; i++)
        bits_reals(p.d_initial[i], p.n_initial[i]);
    bits_reals(ur_params_grads(p.params), ur_params_size(p.params));
    bits_end();
    unmake(&p);
}

void bits_of_nets(void)
{
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++)
        hash_net(&nets[i]);
}
