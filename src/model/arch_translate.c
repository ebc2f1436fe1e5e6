/* SPDX-License-Identifier: MIT */
/*
 * A sequence to another of any length (Sutskever, Vinyals and Le 2014; Cho et al. 2014; with
 * attention Bahdanau, Cho and Bengio 2015; Luong, Pham and Manning 2015; docs/MATH.md, section
 * Decoder):
 *
 *     h = encoder(embed x)  [S,B,D·P],  summary: its final state, all layers and directions
 *     logits = decoder(summary, h)      (decoder.h)
 */
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "layer/recurrent.h"
#include "model/arch.h"
#include "model/decoder.h"
#include "model/embed.h"
#include "model/encoder.h"
#include "model/stack.h"
#include "model/translate.h"
#include "tape/tape.h"

enum { SOURCE, TARGET };

struct config {
    ur_rnn_options encoder;
    bool reverse;
    struct ur__decoder_options decoder;     /* its stack has but sizes of its own */
};

struct net {
    ur_embedding *token;
    ur_rnn *encoder;
    struct ur__decoder decoder;
};

static const ur_option option_rows[] = {
    UR__STACK_ROWS("", struct config, encoder, "1", "0.2"),
    {.name = "bidirectional", .words = ur__yes_words, .fallback = "yes",
     .kind = UR_OPTION_EITHER, .at = offsetof(struct config, encoder.bidirectional),
     .help = "the source is read from both ends"},
    {.name = "reverse-source", .kind = UR_OPTION_FLAG, .flags = UR_OPTION_SPARSE,
     .at = offsetof(struct config, reverse), .help = "the source is read from its end"},
    {.name = "decoder-hidden", .arg = "N[,N...]", .shown = "what the encoder's last layer puts out",
     .kind = UR_OPTION_LIST_OF_INT, .max = UR__MOST_UNITS,
     .at = offsetof(struct config, decoder.stack.hidden),
     .at_n = offsetof(struct config, decoder.stack.layers),
     .help = "units of each layer of the decoder"},
    {.name = "decoder-layers", .arg = "N", .shown = "as many as the encoder has",
     .kind = UR_OPTION_INT, .min = 1, .max = UR_MAX_LAYERS, .flags = UR_OPTION_IMPLIED,
     .at = offsetof(struct config, decoder.stack.layers), .help = "its layers"},
    UR__DECODER_ROWS(struct config, decoder, "additive"),
};

static const ur_option_table options = {
    .name = "translate", .what = "network", .rows = option_rows,
    .n = sizeof option_rows / sizeof *option_rows, .size = sizeof(struct config),
};

/* The decoder's stack is like the encoder's, but for its sizes. */
static void complete(struct config *c)
{
    ur_rnn_options like = c->encoder, *own = &c->decoder.stack;
    like.layers = own->layers ? own->layers : like.layers;
    const int top = ur__stack_top(&c->encoder);
    for (int l = 0; l < UR_MAX_LAYERS; l++) {
        like.hidden[l] = l >= like.layers ? 0 : own->hidden[0] ? own->hidden[l] : top;
        like.projection[l] = 0;
    }
    *own = like;
}

static ur_status resolve(void *config)
{
    struct config *c = config;
    UR__TRY(ur__stack_resolve(&c->encoder, 1));
    if (c->encoder.cell == UR_CELL_NONE)
        return ur__fail(UR_EINVAL, "cell none has no memory, without which a source cannot be "
                        "summed up");
    complete(c);
    UR__TRY(ur__decoder_resolve(&c->decoder));
    if (c->decoder.attention == 1 + UR_SCORE_DOT && ur__stack_top(&c->decoder.stack)
        != ur__stack_top(&c->encoder))
        return ur__fail(UR_EINVAL, "attention dot needs a decoder that puts out as many numbers as "
                        "the encoder, %d, not %d: set decoder-hidden, or use general",
                        ur__stack_top(&c->encoder), ur__stack_top(&c->decoder.stack));
    return UR_OK;
}

static ur_status declare(ur_model *m)
{
    const struct config *c = ur__model_values(m);
    struct net *net = m->net;
    if (ur_vocab_line_end(m->vocab[SOURCE]) < 0)
        return ur__fail(UR_EINVAL, "the vocabulary of the source has no line's end");
    UR__TRY(ur__model_add_embedding(m, "source_embed", SOURCE, c->decoder.embed, &net->token));
    UR__TRY(ur__model_add_stack(m, "encoder", &c->encoder, c->decoder.embed, -1, &net->encoder));
    const struct ur__decoder_shape shape = {.summary = ur__rnn_numbers(net->encoder),
                                            .memory = ur_rnn_output(net->encoder),
                                            .role = TARGET};
    return ur__decoder_declare(m, &net->decoder, &c->decoder, &shape);
}

/* ---- on the tape ------------------------------------------------------- */

static bool encode(ur_tape *tape, const ur_model *m, const ur_field *source,
                   struct ur__decoder_start *start)
{
    const struct config *c = ur__model_values(m);
    const struct net *net = m->net;
    const int n = ur_rnn_states(net->encoder), *lengths = source->lengths;
    ur_tensor **state = ur__tape_record_alloc(tape, (size_t)n, sizeof(ur_tensor *));
    ur_tensor *x = ur_dropout(ur_embed(tape, net->token, ur__field_ids(source)),
                              c->encoder.dropout);
    if (!state || !x)
        return false;
    for (int i = 0; i < n; i++)
        state[i] = NULL;
    x = c->reverse ? ur_reverse(x, lengths) : x;
    ur_tensor *h = ur_rnn_forward_from(tape, net->encoder, x, lengths, state);
    h = ur_dropout(c->reverse ? ur_reverse(h, lengths) : h, c->encoder.dropout);
    *start = (struct ur__decoder_start){.summary = h ? ur_concat(tape, n, state, 1) : NULL,
                                        .steps = h, .lengths = lengths};
    return start->summary;
}

static ur_tensor *features_of(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                              ur_tensor **weights)
{
    const struct net *net = m->net;
    const ur_field *input = ur_batch_find(batch, "input");
    struct ur__decoder_start start;
    if (!encode(tape, m, ur_batch_find(batch, "source"), &start))
        return NULL;
    return ur__decode(tape, &net->decoder, &start, input, weights);
}

static ur_tensor *features(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                           ur_state *const *states)
{
    (void)states;
    return features_of(tape, m, batch, NULL);
}

static ur_tensor *loss(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                       ur_state *const *states)
{
    const struct net *net = m->net;
    return ur__decoder_loss(tape, &net->decoder, features(tape, m, batch, states),
                            ur__field_ids(ur_batch_find(batch, "target")));
}

bool ur__translate_attends(const ur_model *m)
{
    return ((const struct net *)m->net)->decoder.attention;
}

ur_tensor *ur__translate_weights(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                                 ur_tensor **weights)
{
    *weights = NULL;
    return ur_linear(tape, m->decoder, features_of(tape, m, batch, weights));
}

/* ---- without a tape ---------------------------------------------------- */

struct runner {
    const ur_model *model;
    ur_team *team;
    ur_tape *tape;              /* for sources */
    struct ur__decoder_rows *rows;
};

static ur_status runner_open(void *runner, const ur_model *m, int rows, ur_team *team)
{
    struct runner *r = runner;
    r->model = m;
    r->team = team;
    UR__TRY(ur_tape_new(&r->tape, team));
    ur_tape_set_recording(r->tape, false);
    return ur__decoder_rows_new(&r->rows, &((const struct net *)m->net)->decoder, rows, team);
}

static void runner_close(void *runner)
{
    struct runner *r = runner;
    ur__decoder_rows_free(r->rows);
    ur_tape_free(r->tape);
}

static ur_status runner_begin(void *runner, int row, const ur_batch *given, ur_real *out)
{
    struct runner *r = runner;
    const ur_field *source = given ? ur_batch_find(given, "source") : NULL;
    struct ur__decoder_start start;
    (void)out;
    if (!source || !source->ids || given->n != 1)
        return ur__fail(UR_EINVAL, "a translation begins with a source, and nothing else");
    ur_tape_reset(r->tape);
    if (!encode(r->tape, r->model, source, &start))
        return ur_tape_status(r->tape);
    return ur__decoder_rows_begin(r->rows, row, r->tape, &start);
}

static ur_status runner_run(void *runner, int T, const int32_t *ids, ur_real *out)
{
    struct runner *r = runner;
    const size_t rows = (size_t)ur_state_rows(ur__decoder_rows_state(r->rows));
    for (int t = 0; t < T; t++)
        UR__TRY(ur__decoder_rows_step(r->rows, ids + (size_t)t * rows,
                                      out + (size_t)t * rows * (size_t)r->model->decoder->O));
    return UR_OK;
}

static ur_status runner_select(void *runner, int n, const int *from)
{
    return ur__decoder_rows_select(((struct runner *)runner)->rows, n, from);
}

/* A round of the tape that sources are read on. */
struct sources {
    const ur_model *model;
    const ur_field *source;
};

static ur_tensor *read_sources(ur_tape *tape, void *arg)
{
    const struct sources *s = arg;
    const struct net *net = s->model->net;
    const struct ur__decoder *d = &net->decoder;
    struct ur__decoder_start start;
    ur_attention_memory memory;
    ur_tensor **state = ur__tape_record_alloc(tape, (size_t)ur_rnn_states(d->rnn),
                                              sizeof(ur_tensor *));
    if (!state || !encode(tape, s->model, s->source, &start))
        return NULL;
    if (d->attention)
        ur_attention_remember(tape, d->attention, start.steps, start.lengths, &memory);
    ur__decoder_begin(tape, d, start.summary, state);
    return start.summary;
}

/* What that takes, and what the decoder's rows do. */
static ur_status measure_sources(const ur_model *m, const ur_batch *given, ur_team *team,
                                 struct ur__room *room, struct ur__decoder_size *size)
{
    struct sources s = {m, ur_batch_find(given, "source")};
    size->S = s.source->dim[0];
    size->B = s.source->dim[1];
    return ur__tape_measure_round(room, read_sources, &s, false, team);
}

static ur_status runner_measure(const ur_model *m, int rows, const ur_batch *given, ur_team *team,
                                size_t *bytes)
{
    struct ur__decoder_size size = {.rows = rows};
    struct ur__room room;
    UR__TRY(measure_sources(m, given, team, &room, &size));
    UR__TRY(ur__decoder_rows_measure(&((const struct net *)m->net)->decoder, &size, team, bytes));
    *bytes += room.arena + room.scratch + sizeof(struct runner);
    return UR_OK;
}

static ur_status runner_reserve(void *runner, const ur_batch *given)
{
    struct runner *r = runner;
    struct ur__decoder_size size = {0};
    struct ur__room room;
    UR__TRY(measure_sources(r->model, given, r->team, &room, &size));
    ur_tape_reset(r->tape);
    UR__TRY(ur__tape_reserve(r->tape, room.arena));
    return ur__decoder_rows_reserve(r->rows, &size);
}

static ur_state *runner_state(void *runner, int stack)
{
    return stack == 1 ? ur__decoder_rows_state(((struct runner *)runner)->rows) : NULL;
}

static const struct ur__runner_plug plug = {
    .size = sizeof(struct runner),
    .many = true,
    .open = runner_open,
    .close = runner_close,
    .begin = runner_begin,
    .run = runner_run,
    .select = runner_select,
    .state = runner_state,
    .measure = runner_measure,
    .reserve = runner_reserve,
};

static const char *const vocabs[] = {"source", "target", NULL};
static const char *const fields[] = {"source", "input", "target", NULL};

const struct ur__arch ur__arch_translate = {
    .name = "translate",
    .task = "translate",
    .options = &options,
    .vocabs = vocabs,
    .fields = fields,
    .net_size = sizeof(struct net),
    .resolve = resolve,
    .declare = declare,
    .features = features,
    .loss = loss,
    .runner = &plug,
    .steps_of = "target",
};
