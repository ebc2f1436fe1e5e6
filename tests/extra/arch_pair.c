/* SPDX-License-Identifier: MIT */
/*
 * An encoder–decoder, as small as one can be:
 *
 *     c = B · encoder(source)_last + N · numbers
 *     logits_t = decoder(embed(input_t) + c)
 */
#include "extra/extra.h"

#include "base/mem.h"
#include "base/status.h"
#include "model/arch.h"
#include "model/embed.h"
#include "tape/tape.h"

struct config {
    ur_rnn_options encoder, decoder;
    int embed, numbers;
};

struct net {
    ur_embedding *source, *target;
    ur_rnn *encoder, *decoder;
    ur_linear_layer *bridge, *numbers;
};

static const ur_option option_rows[] = {
    UR__STACK_ROWS("encoder-", struct config, encoder, "2", "0"),
    UR__STACK_ROWS("decoder-", struct config, decoder, "2", "0"),
    {.name = "embed", .arg = "N", .fallback = "16", .kind = UR_OPTION_INT,
     .min = 1, .max = 4096, .at = offsetof(struct config, embed), .help = "size of token vectors"},
    {.name = "numbers", .arg = "N", .fallback = "1", .kind = UR_OPTION_INT,
     .min = 1, .max = 64, .at = offsetof(struct config, numbers), .help = "numbers beside a line"},
};

static const ur_option_table options = {
    .name = "pair", .what = "network", .rows = option_rows,
    .n = sizeof option_rows / sizeof *option_rows, .size = sizeof(struct config),
};

static ur_status resolve(void *config)
{
    struct config *c = config;
    UR__TRY(ur__stack_resolve(&c->encoder, 1));
    return ur__stack_resolve(&c->decoder, 1);
}

static ur_status declare(ur_model *m)
{
    const struct config *c = ur__model_values(m);
    struct net *net = m->net;
    const struct ur__linear_shape bridge = {.I = ur__stack_top(&c->encoder), .O = c->embed};
    const struct ur__linear_shape numbers = {.I = c->numbers, .O = c->embed};
    const struct ur__linear_shape out = {.I = ur__stack_top(&c->decoder), .vocab = 1};
    UR__TRY(ur__model_add_embedding(m, "source", 0, c->embed, &net->source));
    UR__TRY(ur__model_add_embedding(m, "target", 1, c->embed, &net->target));
    UR__TRY(ur__model_add_stack(m, "encoder", &c->encoder, c->embed, -1, &net->encoder));
    UR__TRY(ur__model_add_stack(m, "decoder", &c->decoder, c->embed, -1, &net->decoder));
    UR__TRY(ur__model_add_linear(m, "bridge", bridge, &net->bridge));
    UR__TRY(ur__model_add_linear(m, "numbers", numbers, &net->numbers));
    /* Nothing is computed from these: what files and plans do with other numbers. */
    UR__TRY(ur_params_add_typed(m->params, "code", UR_TYPE_I8, 1, &(int){300}, NULL));
    UR__TRY(ur_params_add_buffer(m->params, "kept", 1, &(int){60000}, 0, NULL));
    return ur__model_add_linear(m, "out", out, &m->decoder);
}

/* ---- on the tape ------------------------------------------------------- */

struct last {
    const int *lengths;
    int T, B;
    int32_t *row;               /* [1,B] of each sequence's last step */
};

static void find_last(const struct ur__worker *w, void *arg)
{
    const struct last *l = arg;
    (void)w;
    for (int b = 0; b < l->B; b++)
        l->row[b] = ((l->lengths ? l->lengths[b] : l->T) - 1) * l->B + b;
}

/* c [1,B,E]. */
static ur_tensor *context(ur_tape *tape, const ur_model *m, const ur_batch *batch)
{
    const struct net *net = m->net;
    const ur_field *source = ur_batch_find(batch, "source");
    const ur_field *numbers = ur_batch_find(batch, "numbers");
    ur_ids ids = ur__field_ids(source);
    struct last last = {source->lengths, ids.T, ids.B, ur__tape_alloc(tape, (size_t)ids.B,
                                                                      sizeof *last.row)};
    ur_tensor *h = ur__embedded_forward(tape, net->encoder, net->source, ids, source->lengths,
                                        NULL);
    if (!h || !last.row)
        return NULL;
    ur__tape_run(tape, NULL, find_last, &last);
    const int rows[] = {-1, ur_dim(h, 2)};
    h = ur_gather(tape, ur_reshape(h, 2, rows), (ur_ids){last.row, 1, ids.B});
    const int dim[] = {1, numbers->dim[0], numbers->dim[1]};
    ur_tensor *x = ur_constant(tape, 3, dim, numbers->reals);
    return ur_add(ur_linear(tape, net->bridge, h), ur_linear(tape, net->numbers, x));
}

static ur_tensor *features(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                           ur_state *const *states)
{
    const struct net *net = m->net;
    const ur_field *input = ur_batch_find(batch, "input");
    (void)states;
    ur_tensor *x = ur_add(ur_embed(tape, net->target, ur__field_ids(input)),
                          context(tape, m, batch));
    return ur_rnn_forward(tape, net->decoder, x, input->lengths, NULL);
}

/* ---- without a tape ---------------------------------------------------- */

struct runner {
    const ur_model *model;
    ur_team *team;
    int rows, capacity;
    ur_state *encoder, *decoder;
    void *block;
    ur_real *context, *spare;   /* [capacity,E] */
    ur_real *x;                 /* [capacity,E] */
    ur_real *h;                 /* [capacity,P], of either stack */
};

static void place(struct runner *r, struct ur__carve *c)
{
    const struct net *net = r->model->net;
    size_t rows = (size_t)r->capacity, E = (size_t)net->source->E;
    size_t P = (size_t)ur_rnn_output(net->encoder), Q = (size_t)ur_rnn_output(net->decoder);
    r->context = ur__carve(c, rows * E, sizeof *r->context);
    r->spare = ur__carve(c, rows * E, sizeof *r->spare);
    r->x = ur__carve(c, rows * E, sizeof *r->x);
    r->h = ur__carve(c, rows * (P > Q ? P : Q), sizeof *r->h);
}

static ur_status runner_open(void *runner, const ur_model *m, int rows, ur_team *team)
{
    struct runner *r = runner;
    const struct net *net = m->net;
    *r = (struct runner){.model = m, .team = team, .rows = rows, .capacity = rows};
    struct ur__carve count = {0};
    place(r, &count);
    struct ur__carve c = {.base = r->block = ur__calloc(count.used, 1)};
    if (!r->block)
        return UR_ENOMEM;
    place(r, &c);
    UR__TRY(ur_state_new(&r->encoder, net->encoder, 1, team));
    return ur_state_new(&r->decoder, net->decoder, rows, team);
}

static void runner_close(void *runner)
{
    struct runner *r = runner;
    ur_state_free(r->encoder);
    ur_state_free(r->decoder);
    ur__free(r->block);
}

static ur_status encode(struct runner *r, const ur_field *source)
{
    const struct net *net = r->model->net;
    ur_state_zero(r->encoder);
    for (int t = 0; t < source->dim[0]; t++) {
        UR__TRY(ur_embed_run(net->source, 1, source->ids + t, r->x));
        UR__TRY(ur_rnn_step(net->encoder, r->encoder, r->x, r->h));
    }
    return UR_OK;
}

static ur_status runner_begin(void *runner, int row, const ur_batch *given, ur_real *out)
{
    struct runner *r = runner;
    const struct net *net = r->model->net;
    const ur_field *source = given ? ur_batch_find(given, "source") : NULL;
    const ur_field *numbers = given ? ur_batch_find(given, "numbers") : NULL;
    size_t E = (size_t)net->source->E;
    (void)out;
    if (!source || !source->ids || source->dim[1] != 1)
        return ur__fail(UR_EINVAL, "a pair begins with one source");
    if (!numbers || !numbers->reals || numbers->rank != 2 || numbers->dim[0] != 1 ||
        numbers->dim[1] != net->numbers->I)
        return ur__fail(UR_ESHAPE, "a pair begins with numbers [1,%d]", net->numbers->I);
    ur_real *context = r->context + (size_t)row * E;
    UR__TRY(encode(r, source));
    UR__TRY(ur_linear_run(net->bridge, r->team, 1, r->h, context));
    UR__TRY(ur_linear_run(net->numbers, r->team, 1, numbers->reals, r->x));
    for (size_t i = 0; i < E; i++)
        context[i] += r->x[i];
    return UR_OK;
}

static ur_status runner_run(void *runner, int T, const int32_t *ids, ur_real *out)
{
    struct runner *r = runner;
    const struct net *net = r->model->net;
    size_t B = (size_t)r->rows, E = (size_t)net->source->E, V = (size_t)r->model->decoder->O;
    for (int t = 0; t < T; t++) {
        UR__TRY(ur_embed_run(net->target, B, ids + (size_t)t * B, r->x));
        for (size_t i = 0; i < B * E; i++)
            r->x[i] += r->context[i];
        UR__TRY(ur_rnn_step(net->decoder, r->decoder, r->x, r->h));
        UR__TRY(ur_linear_run(r->model->decoder, r->team, r->rows, r->h, out + (size_t)t * B * V));
    }
    return UR_OK;
}

static ur_status runner_select(void *runner, int n, const int *from)
{
    struct runner *r = runner;
    const struct net *net = r->model->net;
    UR__TRY(ur_state_select(r->decoder, n, from));
    ur__rows_select(&r->context, &r->spare, (size_t)net->source->E, n, from);
    r->rows = n;
    return UR_OK;
}

static ur_state *runner_state(void *runner, int stack)
{
    struct runner *r = runner;
    return stack == 0 ? r->encoder : stack == 1 ? r->decoder : NULL;
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

static const char *const vocabs[] = {"source", "target", NULL};
static const char *const fields[] = {"source", "numbers", "input", "target", NULL};

const struct ur__arch ur__arch_pair = {
    .name = "pair",
    .task = "pair",
    .options = &options,
    .vocabs = vocabs,
    .fields = fields,
    .net_size = sizeof(struct net),
    .resolve = resolve,
    .declare = declare,
    .features = features,
    .runner = &plug,
    .steps_of = "target",
};
