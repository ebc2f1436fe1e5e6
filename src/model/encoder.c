/* SPDX-License-Identifier: MIT */
#include "model/encoder.h"

#include <string.h>

#include "base/status.h"
#include "model/arch.h"
#include "model/embed.h"
#include "tape/tape.h"

const char *const ur__yes_words[] = {"no", "yes", NULL};
const char *const ur__center_words[] = {"no", "all", "each", NULL};

const char *const ur__label_vocabs[] = {"text", "label", "letter", NULL};
const char *const ur__label_fields[] = {"input", "letters", "spelling", "frames", "target", NULL};

bool ur__encoder_has(const void *config, const char *role)
{
    const struct ur__encoder_options *o = config;
    if (strcmp(role, "frames") == 0)
        return o->features > 0;
    if (strcmp(role, "input") == 0 || strcmp(role, "text") == 0)
        return o->features == 0;
    if (strncmp(role, "letter", 6) == 0 || strcmp(role, "spelling") == 0)
        return o->features == 0 && o->letters > 0;
    return true;
}

int ur__label_outputs(const ur_model *m)
{
    return ur__label_count(m->vocab[UR__ROLE_LABEL]);
}

const ur_field *ur__encoder_steps(const struct ur__encoder *e, const ur_batch *batch)
{
    return ur_batch_find(batch, e->token ? "input" : "frames");
}

ur_status ur__encoder_resolve(void *config)
{
    struct ur__encoder_options *o = config;
    if (ur__encoder_apart(o))
        o->stack.bidirectional = false;     /* it would read the same twice */
    if (ur__encoder_apart(o) && o->center)
        return ur__fail(UR_EINVAL, "center needs steps that are read one after another, not cell "
                        "none");
    return ur__stack_resolve(&o->stack, 1);
}

/* ---- declaring --------------------------------------------------------- */

static ur_rnn_options letter_stack(const struct ur__encoder_options *o)
{
    ur_rnn_options stack;
    ur_rnn_options_init(&stack);
    stack.hidden[0] = o->letters;
    stack.bidirectional = true;
    return stack;
}

static ur_status check_vocabs(const ur_model *m)
{
    const ur_vocab *text = m->vocab[UR__ROLE_TEXT], *label = m->vocab[UR__ROLE_LABEL],
                   *letter = m->vocab[UR__ROLE_LETTER];
    if (!ur__is_words(ur_vocab_kind(label)) || ur__label_count(label) < 1)
        return ur__fail(UR_EINVAL, "the labels are no vocabulary of words, <unk> and </s> before "
                        "them");
    if (letter && (!ur__is_words(ur_vocab_kind(text)) ||
                   ur_vocab_kind(letter) != UR_TOKEN_CHAR || ur__vocab_find(letter, '\n') < 0))
        return ur__fail(UR_EINVAL, "letters must be the characters of words, and a line feed");
    return UR_OK;
}

static ur_status declare_numbers(ur_model *m, int I, struct ur__encoder *e)
{
    UR__TRY(ur_params_add_buffer(m->params, "frames.mean", 1, &I, 0, &e->mean));
    return ur_params_add_buffer(m->params, "frames.scale", 1, &I, 1, &e->scale);
}

static ur_status declare_letters(ur_model *m, const struct ur__encoder_options *o,
                                 struct ur__encoder *e)
{
    const ur_rnn_options stack = letter_stack(o);
    UR__TRY(ur__model_add_embedding(m, "letter_embed", UR__ROLE_LETTER, o->letter_embed,
                                    &e->letter));
    UR__TRY(ur__model_add_stack(m, "letter_rnn", &stack, o->letter_embed, -1, &e->letter_rnn));
    m->block[m->n_blocks - 1].within = true;
    return ur_pool_init(&e->spelled, m->params, "letter_pool", UR_POOL_LAST, 2 * o->letters, 2);
}

ur_status ur__encoder_declare(ur_model *m, struct ur__encoder *e)
{
    const struct ur__encoder_options *o = ur__model_values(m);
    int input = o->features ? o->features : o->embed + 2 * o->letters;
    UR__TRY(check_vocabs(m));
    if (o->features)
        UR__TRY(declare_numbers(m, o->features, e));
    else
        UR__TRY(ur__model_add_embedding(m, "embed", UR__ROLE_TEXT, o->embed, &e->token));
    if (!o->features && o->letters)
        UR__TRY(declare_letters(m, o, e));
    return ur__model_add_stack(m, "rnn", &o->stack, input, -1, &e->rnn);
}

/* ---- on the tape ------------------------------------------------------- */

/* What the letters of each word say, [T,B,2·H]. */
static ur_tensor *spell(ur_tape *tape, const struct ur__encoder *e, const ur_batch *batch)
{
    const ur_field *letters = ur_batch_find(batch, "letters");
    ur_ids spelling = ur__field_ids(ur_batch_find(batch, "spelling"));
    ur_tensor *h = ur__embedded_forward(tape, e->letter_rnn, e->letter, ur__field_ids(letters),
                                        letters->lengths, NULL);
    return ur_gather(tape, ur_pool(tape, &e->spelled, h, letters->lengths, NULL), spelling);
}

static ur_tensor *tokens(ur_tape *tape, const struct ur__encoder *e, const ur_batch *batch)
{
    ur_ids ids = ur__field_ids(ur_batch_find(batch, "input"));
    ur_tensor *x = ur_embed(tape, e->token, ids);
    if (!e->letter_rnn)
        return x;
    ur_tensor *const parts[] = {x, spell(tape, e, batch)};
    return ur_concat(tape, 2, parts, 2);
}

/* x less the means of its sequence. */
static ur_tensor *centered(ur_tape *tape, ur_tensor *x, const ur_field *f, bool each)
{
    const ur_pool_layer pool = {.kind = UR_POOL_MEAN, .width = f->dim[2], .directions = 1};
    ur_tensor *mean = ur_pool(tape, &pool, x, f->lengths, NULL);
    if (!each)
        mean = ur_reshape(ur_mean_over(mean, 1), 2, (int[]){f->dim[1], 1});
    return ur_sub(x, mean);
}

static ur_tensor *frames(ur_tape *tape, const ur_model *m, const struct ur__encoder *e,
                         const ur_batch *batch)
{
    const struct ur__encoder_options *o = ur__model_values(m);
    const ur_field *f = ur_batch_find(batch, "frames");
    if (f->rank != 3 || f->dim[2] != e->mean->dim[0])
        return ur__tape_fail(tape, UR_ESHAPE, "the frames are not [T,B,%d]", e->mean->dim[0]);
    ur_tensor *x = ur_constant(tape, 3, f->dim, f->reals);
    if (o->center)
        x = centered(tape, x, f, o->center == UR__CENTER_EACH);
    x = ur_sub(x, ur_param_tensor(tape, m->params, e->mean));
    return ur_mul(x, ur_param_tensor(tape, m->params, e->scale));
}

ur_tensor *ur__encode(ur_tape *tape, const ur_model *m, const struct ur__encoder *e,
                      const ur_batch *batch, ur_state *const *states)
{
    const struct ur__encoder_options *o = ur__model_values(m);
    ur_state *state = states ? states[e->letter_rnn ? 1 : 0] : NULL;    /* as they are declared */
    const int *lengths = ur__encoder_steps(e, batch)->lengths;
    double p = o->stack.dropout;
    ur_tensor *x = e->token ? ur_dropout(tokens(tape, e, batch), p) : frames(tape, m, e, batch);
    return ur_dropout(ur_rnn_forward(tape, e->rnn, x, lengths, state), p);
}
