/* SPDX-License-Identifier: MIT */
/*
 * Filling gaps (docs/MATH.md, section Fill):
 *
 *     logits_t = W [f_{t−1}; g_{t+1}] + b
 *
 * f is a stack of layers over the text, g another over the text read backwards. They meet
 * in the decoder alone: were one layer to read both sides, the next would see x_t through
 * its neighbours. A step with nothing on a side reads zeros there.
 *
 * Each stack is a net of one direction that PyTorch computes; none has both under one name.
 */
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "model/arch.h"
#include "model/embed.h"
#include "tape/tape.h"

struct net {
    ur_rnn *side[2];            /* what stands before, what stands after */
    ur_embedding *embed;        /* NULL: one-hot */
};

static const ur_option option_rows[] = {
    UR__TEXT_NET_ROWS("twice the last layer's size"),
};

static const ur_option_table options = {
    .name = "fill", .what = "network", .rows = option_rows,
    .n = sizeof option_rows / sizeof *option_rows,
    .size = sizeof(struct ur__text_net), .init = ur__text_net_open,
};

static ur_status resolve(void *config)
{
    return ur__text_net_resolve(config, 2);
}

static ur_status declare(ur_model *m)
{
    static const char *const names[] = {"rnn_forward", "rnn_backward"};
    const struct ur__text_net *c = ur__model_values(m);
    struct net *net = m->net;
    int input = c->embed ? c->embed : ur_vocab_size(m->vocab[0]);
    if (c->embed)
        UR__TRY(ur__model_add_embedding(m, "embed", 0, c->embed, &net->embed));
    for (int i = 0; i < 2; i++)
        UR__TRY(ur__model_add_stack(m, names[i], &c->stack, input, c->embed ? -1 : 0,
                                    &net->side[i]));
    const struct ur__linear_shape decoder = {.I = 2 * ur__stack_top(&c->stack),
                                             .tied = c->tie ? net->embed : NULL};
    return ur__model_add_linear(m, "decoder", decoder, &m->decoder);
}

/* ---- on the tape ------------------------------------------------------- */

/* Where the numbers of one pass come from. */
struct places {
    ur_ids ids;
    const int *lengths;         /* [B] or NULL */
    int32_t *reversed;          /* [T,B] each sequence from its own end */
    int32_t *before, *after;    /* [T,B] rows of a stack's output; T·B: there is none */
};

static void find_places(const struct ur__worker *w, void *arg)
{
    const struct places *p = arg;
    const ur_ids ids = p->ids;
    int32_t none = ids.T * ids.B;
    (void)w;
    for (int t = 0; t < ids.T; t++) {
        for (int b = 0; b < ids.B; b++) {
            int n = p->lengths ? p->lengths[b] : ids.T, at = t * ids.B + b;
            bool inside = t < n;
            p->reversed[at] = ids.id[inside ? (n - 1 - t) * ids.B + b : at];
            p->before[at] = inside && t > 0 ? (t - 1) * ids.B + b : none;
            p->after[at] = inside && t < n - 1 ? (n - 2 - t) * ids.B + b : none;
        }
    }
}

/* Rows of h [T,B,P] by place, zeros where there is none. */
static ur_tensor *take(ur_tape *tape, ur_tensor *h, ur_ids place)
{
    const int rows[] = {-1, ur_dim(h, 2)}, row[] = {1, ur_dim(h, 2)};
    if (!h)
        return NULL;
    ur_tensor *const parts[] = {ur_reshape(h, 2, rows), ur_copy_in(tape, 2, row, NULL)};
    return ur_gather(tape, ur_concat(tape, 2, parts, 0), place);
}

/* What the decoder reads of both sides. */
static ur_tensor *features(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                           ur_state *const *states)
{
    const struct ur__text_net *c = ur__model_values(m);
    const struct net *net = m->net;
    const ur_field *input = ur_batch_find(batch, "input");
    const ur_ids ids = ur__field_ids(input);
    const int *lengths = input->lengths;
    (void)states;
    if (ids.T < 1 || ids.B < 1 || ids.T > INT32_MAX / ids.B - 1)
        return ur__tape_fail(tape, UR_ESHAPE, "a batch of %d by %d tokens cannot be filled", ids.T,
                             ids.B);
    size_t n = (size_t)ids.T * (size_t)ids.B;
    int32_t *memory = ur__tape_alloc(tape, 3 * n, sizeof *memory);
    if (!memory)
        return NULL;
    struct places p = {ids, lengths, memory, memory + n, memory + 2 * n};
    ur__tape_run(tape, NULL, find_places, &p);
    const ur_ids back = {p.reversed, ids.T, ids.B};
    const ur_ids before = {p.before, ids.T, ids.B}, after = {p.after, ids.T, ids.B};
    ur_tensor *const sides[] = {
        take(tape, ur__embedded_forward(tape, net->side[0], net->embed, ids, lengths, NULL),
             before),
        take(tape, ur__embedded_forward(tape, net->side[1], net->embed, back, lengths, NULL), after)
    };
    return ur_dropout(ur_concat(tape, 2, sides, 2), c->stack.dropout);
}

/* ---- one gap without a tape -------------------------------------------- */

enum { PIECE = 16 };

struct runner {
    const ur_model *model;
    ur_team *team;
    ur_state *side[2];          /* of one row: each gap is read on its own */
    int32_t ids[PIECE];
    ur_real *x;                 /* [PIECE,E] vectors of tokens; NULL: one-hot */
    ur_real *h;                 /* what the decoder reads */
};

static ur_status runner_open(void *runner, const ur_model *m, int rows, ur_team *team)
{
    struct runner *r = runner;
    const struct net *net = m->net;
    (void)rows;
    r->model = m;
    r->team = team;
    for (int i = 0; i < 2; i++)
        UR__TRY(ur_state_new(&r->side[i], net->side[i], 1, team));
    r->h = ur__alloc((size_t)r->model->decoder->I, sizeof *r->h);
    if (net->embed)
        r->x = ur__alloc(PIECE * (size_t)net->embed->E, sizeof *r->x);
    return r->h && (r->x || !net->embed) ? UR_OK : UR_ENOMEM;
}

static void runner_close(void *runner)
{
    struct runner *r = runner;
    ur_state_free(r->side[0]);
    ur_state_free(r->side[1]);
    ur__free(r->x);
    ur__free(r->h);
}

/* One stack over the tokens of a side, from the last one on after a gap; its final output goes
 * to h. */
static ur_status read_side(struct runner *r, int side, const ur_field *field, ur_real *h)
{
    const struct net *net = r->model->net;
    ur_state *s = r->side[side];
    size_t P = (size_t)ur_rnn_output(net->side[side]);
    int n = field ? field->dim[0] : 0;
    ur_state_zero(s);
    for (int done = 0, m; done < n; done += m) {
        m = n - done < PIECE ? n - done : PIECE;
        for (int i = 0; i < m; i++)
            r->ids[i] = field->ids[side ? n - 1 - done - i : done + i];
        if (r->x)
            UR__TRY(ur_embed_run(net->embed, (size_t)m, r->ids, r->x));
        UR__TRY(ur_rnn_run(net->side[side], s, m, r->x, r->x ? NULL : r->ids, NULL));
    }
    if (n)
        memcpy(h, ur_state_buffer(s, ur_rnn_layers(net->side[side]) - 1, "h", NULL), P * sizeof *h);
    else
        memset(h, 0, P * sizeof *h);
    return UR_OK;
}

static ur_status runner_begin(void *runner, int row, const ur_batch *given, ur_real *out)
{
    struct runner *r = runner;
    const struct net *net = r->model->net;
    static const char *const roles[] = {"before", "after"};
    (void)row;
    ur_real *h = r->h;
    for (int i = 0; i < 2; i++) {
        const ur_field *field = given ? ur_batch_find(given, roles[i]) : NULL;
        if (field && (field->rank != 2 || field->dim[1] != 1 || !field->ids))
            return ur__fail(UR_ESHAPE, "the tokens %s a gap are one sequence", roles[i]);
        UR__TRY(read_side(r, i, field, h));
        h += ur_rnn_output(net->side[i]);
    }
    UR__TRY(ur_linear_run(r->model->decoder, r->team, 1, r->h, out));
    return UR_OK;
}

static ur_state *runner_state(void *runner, int stack)
{
    struct runner *r = runner;
    return stack >= 0 && stack < 2 ? r->side[stack] : NULL;
}

static const struct ur__runner_plug plug = {
    .size = sizeof(struct runner),
    .open = runner_open,
    .close = runner_close,
    .begin = runner_begin,
    .state = runner_state,
};

const struct ur__arch ur__arch_fill = {
    .name = "fill",
    .task = "fill",
    .options = &options,
    .vocabs = ur__text_vocabs,
    .fields = ur__text_fields,
    .net_size = sizeof(struct net),
    .resolve = resolve,
    .declare = declare,
    .features = features,
    .runner = &plug,
    .steps_of = "text",
};
