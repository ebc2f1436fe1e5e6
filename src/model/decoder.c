/* SPDX-License-Identifier: MIT */
#include "model/decoder.h"

#include "base/status.h"
#include "layer/recurrent.h"
#include "model/embed.h"
#include "model/stack.h"
#include "tape/tape.h"

const char *const ur__attention_words[] = {"none", "dot", "general", "additive", NULL};

ur_status ur__decoder_resolve(struct ur__decoder_options *o)
{
    o->stack.bidirectional = o->stack.learned_state = false;   /* it starts from the summary */
    UR__TRY(ur__stack_resolve(&o->stack, 1));
    if (o->stack.cell == UR_CELL_NONE)
        return ur__fail(UR_EINVAL, "cell none has no memory, without which nothing goes from token "
                        "to token");
    if (o->feeding && !o->attention)
        return ur__fail(UR_EINVAL, "input-feeding feeds back what was attended to, but attention "
                        "is none");
    if (o->sampled_steps && o->sampled == 0)
        return ur__fail(UR_EINVAL, "sampling-steps belongs to scheduled-sampling, which is off");
    return UR_OK;
}

/* ---- declaring --------------------------------------------------------- */

ur_status ur__decoder_declare(ur_model *m, struct ur__decoder *d,
                              const struct ur__decoder_options *o,
                              const struct ur__decoder_shape *shape)
{
    const int H = ur__stack_top(&o->stack), fed = o->feeding ? H : 0;
    const struct ur__attention_shape attention = {(ur_scoring)(o->attention - 1), H,
                                                  shape->memory};
    d->o = o;
    if (ur_vocab_line_end(m->vocab[shape->role]) < 0)
        return ur__fail(UR_EINVAL, "the vocabulary of what is decoded has no line's end");
    UR__TRY(ur__model_add_embedding(m, "target_embed", shape->role, o->embed, &d->token));
    UR__TRY(ur__model_add_stack(m, "decoder", &o->stack, o->embed + fed, -1, &d->rnn));
    const struct ur__linear_shape bridge = {.I = shape->summary, .O = ur__rnn_numbers(d->rnn)};
    const struct ur__linear_shape combine = {.I = shape->memory + H, .O = H};
    const struct ur__linear_shape out = {.I = H, .vocab = shape->role};
    UR__TRY(ur__model_add_linear(m, "bridge", bridge, &d->bridge));
    if (o->attention) {
        UR__TRY(ur__model_add_attention(m, "attention", &attention, &d->attention));
        UR__TRY(ur__model_add_linear(m, "combine", combine, &d->combine));
    }
    UR__TRY(ur__model_add_linear(m, "out", out, &d->out));
    m->decoder = d->out;
    return UR_OK;
}

/* ---- on the tape ------------------------------------------------------- */

bool ur__decoder_begin(ur_tape *tape, const struct ur__decoder *d, ur_tensor *summary,
                       ur_tensor **state)
{
    ur_tensor *all = ur_tanh(ur_linear(tape, d->bridge, summary));
    int at = 0, begin = 0;
    for (int i = 0; all && i < d->rnn->slots; i++)
        for (int j = 0; j < d->rnn->buffers[i].n; j++, at++) {
            int size = d->rnn->buffers[i].at[j].size;
            state[at] = ur_slice(all, 1, begin, begin + size);
            begin += size;
        }
    return all && !ur__tape_poisoned(tape);
}

/* a = tanh(combine([c ; h])), or h itself. */
static ur_tensor *look_back(ur_tape *tape, const struct ur__decoder *d,
                            const ur_attention_memory *memory, ur_tensor *h, ur_tensor **weights)
{
    if (!d->attention || !h)
        return h;
    ur_tensor *const parts[] = {ur_attention(tape, d->attention, memory, h, weights), h};
    return ur_tanh(ur_linear(tape, d->combine, ur_concat(tape, 2, parts, 2)));
}

/* Step by step: each reads what the one before attended to. */
static ur_tensor *feed(ur_tape *tape, const struct ur__decoder *d,
                       const ur_attention_memory *memory, ur_tensor *x, ur_tensor **state,
                       ur_tensor **weights)
{
    const int T = ur_dim(x, 0), B = ur_dim(x, 1), E = ur_dim(x, 2), H = d->combine->O;
    ur_tensor **a = ur__tape_record_alloc(tape, (size_t)T, sizeof(ur_tensor *));
    ur_tensor **w = ur__tape_record_alloc(tape, (size_t)T, sizeof(ur_tensor *));
    ur_tensor *fed = ur_copy_in(tape, 3, (int[]){1, B, H}, NULL);
    for (int t = 0; a && w && t < T && !ur__tape_poisoned(tape); t++) {
        ur_tensor *const in[] = {ur_reshape(ur_at(x, t), 3, (int[]){1, B, E}), fed};
        ur_tensor *h = ur_rnn_forward_from(tape, d->rnn, ur_concat(tape, 2, in, 2), NULL, state);
        a[t] = fed = look_back(tape, d, memory, h, &w[t]);
    }
    if (ur__tape_poisoned(tape))
        return NULL;
    if (weights)
        *weights = ur_concat(tape, T, w, 1);
    return ur_concat(tape, T, a, 0);
}

static ur_tensor *features(ur_tape *tape, const struct ur__decoder *d,
                           const struct ur__decoder_start *start, const ur_field *input,
                           ur_tensor **weights)
{
    ur_tensor **state = ur__tape_record_alloc(tape, (size_t)ur_rnn_states(d->rnn),
                                              sizeof(ur_tensor *));
    ur_attention_memory memory = {0};
    if (d->attention)
        ur_attention_remember(tape, d->attention, start->steps, start->lengths, &memory);
    ur_tensor *x = ur_embed(tape, d->token, ur__field_ids(input));
    x = ur_dropout(x, d->o->stack.dropout);
    if (!x || !state || !ur__decoder_begin(tape, d, start->summary, state))
        return NULL;
    if (d->o->feeding)
        return ur_dropout(feed(tape, d, &memory, x, state, weights), d->o->stack.dropout);
    ur_tensor *h = ur_rnn_forward_from(tape, d->rnn, x, input->lengths, state);
    return ur_dropout(look_back(tape, d, &memory, h, weights), d->o->stack.dropout);
}

/* ---- scheduled sampling ------------------------------------------------ */

/* Inputs [T,B], some of them what the net itself would have said. */
struct mix {
    const ur_field *input;
    const ur_tensor *logits;    /* [T,B,V] after each input */
    double share;
    uint64_t seed, step;
    uint32_t stream;
    int32_t *ids;
};

static int32_t likeliest(int V, const ur_real *logits)
{
    int32_t best = 0;
    for (int i = 1; i < V; i++)
        best = logits[i] > logits[best] ? i : best;
    return best;
}

static void mix(const struct ur__worker *w, void *arg)
{
    const struct mix *m = arg;
    const int T = m->input->dim[0], B = m->input->dim[1], V = ur_dim(m->logits, 2);
    (void)w;
    for (int i = 0; i < T * B; i++) {
        bool own = i >= B && ur_random_uniform(m->seed, m->stream, m->step, (uint32_t)i) < m->share;
        m->ids[i] = own ? likeliest(V, ur_data(m->logits) + (ptrdiff_t)(i - B) * V)
                        : m->input->ids[i];
    }
}

/* The share grows from 0 within the first steps. */
static double share_at(const struct ur__decoder_options *o, uint64_t step)
{
    double grown = o->sampled_steps ? (double)step / o->sampled_steps : 1;
    return o->sampled * (grown < 1 ? grown : 1);
}

/* Reads the targets first, then once more what was said to them: two passes, as all steps of one
 * are computed together. False with a poisoned tape. */
static bool sample(ur_tape *tape, const struct ur__decoder *d,
                   const struct ur__decoder_start *start, ur_field *input)
{
    const bool recording = ur__tape_recording(tape);
    const size_t n = (size_t)input->dim[0] * (size_t)input->dim[1];
    struct mix m = {.input = input, .ids = ur__tape_alloc(tape, n, sizeof *m.ids)};
    if (!ur__tape_next_dropout(tape, &m.seed, &m.stream, &m.step))
        return !ur__tape_poisoned(tape);
    m.share = share_at(d->o, m.step);
    ur_tape_set_recording(tape, false);
    m.logits = ur_linear(tape, d->out, features(tape, d, start, input, NULL));
    ur_tape_set_recording(tape, recording);
    if (!m.logits || !m.ids)
        return false;
    ur__tape_run(tape, NULL, mix, &m);
    input->ids = m.ids;
    return true;
}

ur_tensor *ur__decode(ur_tape *tape, const struct ur__decoder *d,
                      const struct ur__decoder_start *start, const ur_field *input,
                      ur_tensor **weights)
{
    ur_field read = *input;
    if (weights)
        *weights = NULL;
    if (!start->summary)
        return NULL;
    if (d->o->sampled > 0 && ur__tape_training(tape) && !sample(tape, d, start, &read))
        return NULL;
    return features(tape, d, start, &read, weights);
}

/* Logits are there as a whole where all of them count, and where a tape does not record: they are
 * what is scored. */
ur_tensor *ur__decoder_loss(ur_tape *tape, const struct ur__decoder *d, ur_tensor *h,
                            ur_ids targets)
{
    if (!h)
        return NULL;
    if (d->o->smoothing == 0 && ur__tape_recording(tape))
        return ur_linear_cross_entropy(tape, d->out, h, targets);
    return ur_weighted_cross_entropy(tape, ur_linear(tape, d->out, h), targets, NULL,
                                     d->o->smoothing);
}
