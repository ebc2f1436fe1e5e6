/* SPDX-License-Identifier: MIT */
#include "model/feedback.h"

#include "base/status.h"
#include "model/encoder.h"
#include "tape/tape.h"

/* One layer in one direction: the labels to come are not known. */
static ur_rnn_options layer_of(const ur_rnn_options *stack)
{
    ur_rnn_options o = *stack;
    o.hidden[0] = stack->hidden[stack->layers - 1];
    o.projection[0] = stack->projection[stack->layers - 1];
    for (int l = 1; l < UR_MAX_LAYERS; l++)
        o.hidden[l] = o.projection[l] = 0;
    o.layers = 1;
    o.bidirectional = false;
    return o;
}

ur_status ur__feedback_declare(ur_model *m, struct ur__feedback *f,
                               const struct ur__feedback_shape *shape)
{
    const ur_rnn_options layer = layer_of(shape->stack);
    f->dropout = layer.dropout;
    UR__TRY(ur__model_add_embedding(m, "label_embed", shape->role, shape->E, &f->label));
    return ur__model_add_stack(m, "label_rnn", &layer, shape->I + shape->E, -1, &f->rnn);
}

/* ---- on the tape ------------------------------------------------------- */

/* Labels [T,B] as tokens of their vocabulary, one step later. */
struct shift {
    ur_ids labels;
    int32_t *before;            /* [T,B] */
};

static void shift(const struct ur__worker *w, void *arg)
{
    const struct shift *s = arg;
    const int B = s->labels.B, n = s->labels.T * B;
    (void)w;
    for (int i = 0; i < n; i++) {
        int32_t label = i < B ? 0 : s->labels.id[i - B];
        s->before[i] = i < B ? UR__LABEL_START : label < 0 ? 0 : UR__FIRST_LABEL + label;
    }
}

ur_tensor *ur__feedback_outputs(ur_tape *tape, const struct ur__feedback *f, ur_tensor *h,
                                ur_ids labels, const int *lengths)
{
    if (!h)
        return NULL;
    if (labels.T != ur_dim(h, 0) || labels.B != ur_dim(h, 1))
        return ur__tape_fail(tape, UR_ESHAPE, "labels [%d,%d] cannot be fed back to %d steps of %d "
                             "sequences", labels.T, labels.B, ur_dim(h, 0), ur_dim(h, 1));
    struct shift s = {labels, ur__tape_alloc(tape, (size_t)labels.T * (size_t)labels.B,
                                             sizeof *s.before)};
    if (!s.before)
        return NULL;
    ur__tape_run(tape, NULL, shift, &s);
    const ur_ids before = {s.before, labels.T, labels.B};
    ur_tensor *const parts[] = {h, ur_embed(tape, f->label, before)};
    ur_tensor *d = ur_rnn_forward(tape, f->rnn, ur_concat(tape, 2, parts, 2), lengths, NULL);
    return ur__labels_only(ur_linear(tape, f->out, ur_dropout(d, f->dropout)));
}
