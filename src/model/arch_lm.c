/* SPDX-License-Identifier: MIT */
/*
 * A language model:
 *
 *     ids [T,B] -> rows of embed.weight, or one-hot -> rnn -> dropout -> decoder -> [T,B,V]
 */
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "model/arch.h"
#include "model/embed.h"
#include "tape/tape.h"

struct net {
    ur_rnn *rnn;
    ur_embedding *embed;        /* NULL: one-hot */
};

static const ur_option option_rows[] = {
    UR__TEXT_NET_ROWS("the last layer's size"),
};

static const ur_option_table options = {
    .name = "lm", .what = "network", .rows = option_rows,
    .n = sizeof option_rows / sizeof *option_rows,
    .size = sizeof(struct ur__text_net), .init = ur__text_net_open,
};

static ur_status resolve(void *config)
{
    return ur__text_net_resolve(config, 1);
}

static bool carries(const void *config)
{
    (void)config;
    return true;
}

static ur_status declare(ur_model *m)
{
    const struct ur__text_net *c = ur__model_values(m);
    struct net *net = m->net;
    int V = ur_vocab_size(m->vocab[0]);
    if (c->embed)
        UR__TRY(ur__model_add_embedding(m, "embed", 0, c->embed, &net->embed));
    UR__TRY(ur__model_add_stack(m, "rnn", &c->stack, c->embed ? c->embed : V, c->embed ? -1 : 0,
                                &net->rnn));
    const struct ur__linear_shape decoder = {.I = ur__stack_top(&c->stack),
                                             .tied = c->tie ? net->embed : NULL};
    return ur__model_add_linear(m, "decoder", decoder, &m->decoder);
}

/* ---- on the tape ------------------------------------------------------- */

/* What the decoder reads. */
static ur_tensor *features(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                           ur_state *const *states)
{
    const struct ur__text_net *c = ur__model_values(m);
    const struct net *net = m->net;
    const ur_field *input = ur_batch_find(batch, "input");
    ur_tensor *h = ur__embedded_forward(tape, net->rnn, net->embed, ur__field_ids(input),
                                        input->lengths, states ? states[0] : NULL);
    return ur_dropout(h, c->stack.dropout);
}

/* ---- without a tape ---------------------------------------------------- */

/* Steps in a piece: enough rows for the register tile when the batch is small. */
enum { PIECE_ROWS = 64, PIECE_STEPS = 16 };

struct runner {
    const ur_model *model;
    ur_team *team;
    int rows, piece;
    ur_state *state;
    ur_real *x;                 /* [piece,rows,E] vectors of tokens; NULL: one-hot */
    ur_real *h;                 /* [piece,rows,P] what the decoder reads */
};

static ur_status runner_open(void *runner, const ur_model *m, int rows, ur_team *team)
{
    struct runner *r = runner;
    const struct net *net = m->net;
    r->model = m;
    r->team = team;
    r->rows = rows;
    r->piece = rows >= PIECE_ROWS ? 1 : PIECE_ROWS / rows;
    r->piece = r->piece > PIECE_STEPS ? PIECE_STEPS : r->piece;
    UR__TRY(ur_state_new(&r->state, net->rnn, rows, team));
    size_t n = (size_t)r->piece * (size_t)rows;
    r->h = ur__alloc(n, (size_t)r->model->decoder->I * sizeof *r->h);
    if (net->embed)
        r->x = ur__alloc(n, (size_t)net->embed->E * sizeof *r->x);
    return r->h && (r->x || !net->embed) ? UR_OK : UR_ENOMEM;
}

static void runner_close(void *runner)
{
    struct runner *r = runner;
    ur_state_free(r->state);
    ur__free(r->x);
    ur__free(r->h);
}

static ur_status runner_begin(void *runner, int row, const ur_batch *given, ur_real *out)
{
    (void)runner;
    (void)row;
    (void)out;
    if (given && given->n)
        return ur__fail(UR_EINVAL, "a language model is given nothing to begin with");
    return UR_OK;
}

static ur_status runner_run(void *runner, int T, const int32_t *ids, ur_real *out)
{
    struct runner *r = runner;
    const struct net *net = r->model->net;
    size_t B = (size_t)r->rows, V = (size_t)r->model->decoder->O;
    for (int t = 0, n; t < T; t += n) {
        n = T - t < r->piece ? T - t : r->piece;
        const int32_t *id = ids + (size_t)t * B;
        if (r->x)
            UR__TRY(ur_embed_run(net->embed, (size_t)n * B, id, r->x));
        UR__TRY(ur_rnn_run(net->rnn, r->state, n, r->x, r->x ? NULL : id, r->h));
        UR__TRY(ur_linear_run(r->model->decoder, r->team, n * r->rows, r->h,
                              out + (size_t)t * B * V));
    }
    return UR_OK;
}

static ur_status runner_select(void *runner, int n, const int *from)
{
    struct runner *r = runner;
    UR__TRY(ur_state_select(r->state, n, from));
    r->rows = n;
    return UR_OK;
}

static ur_state *runner_state(void *runner, int stack)
{
    struct runner *r = runner;
    return stack == 0 ? r->state : NULL;
}

static const struct ur__runner_plug plug = {
    .size = sizeof(struct runner),
    .open = runner_open,
    .close = runner_close,
    .begin = runner_begin,
    .run = runner_run,
    .select = runner_select,
    .state = runner_state,
};

const struct ur__arch ur__arch_lm = {
    .name = "lm",
    .task = "lm",
    .options = &options,
    .vocabs = ur__text_vocabs,
    .fields = ur__text_fields,
    .carries = carries,
    .net_size = sizeof(struct net),
    .resolve = resolve,
    .declare = declare,
    .features = features,
    .runner = &plug,
    .steps_of = "text",
};
