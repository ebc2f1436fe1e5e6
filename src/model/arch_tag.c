/* SPDX-License-Identifier: MIT */
/*
 * One label a step (docs/MATH.md, section Tag):
 *
 *     h = encoder(x)  [T,B,D·P],  e = W h + b  [T,B,K]
 *
 * Either each step has a distribution of its own, softmax(e_t), or the steps of a sequence have one
 * together: a linear chain (Lafferty, McCallum and Pereira 2001; Lample et al. 2016), or one in
 * which each label hangs on all before it (feedback.h); then e = W d + b.
 * Labels are numbered as in arch_classify.c.
 */
#include "base/status.h"
#include "data/labels.h"
#include "model/arch.h"
#include "model/embed.h"
#include "model/encoder.h"
#include "model/tag.h"
#include "tape/tape.h"

struct config {
    struct ur__encoder_options encoder;
    bool crf, feedback;
    int label_embed;            /* numbers of the vector of a label that is fed back */
    double smoothing;
};

struct net {
    struct ur__encoder encoder;
    ur_linear_layer *out;
    ur_crf_layer crf;           /* of a chain */
    struct ur__feedback feedback;
};

static const ur_option option_rows[] = {
    UR__ENCODER_ROWS(struct config, "64", "0.4"),
    {.name = "crf", .kind = UR_OPTION_FLAG, .flags = UR_OPTION_SPARSE,
     .at = offsetof(struct config, crf),
     .help = "labels of a sequence are chosen together, by a linear chain"},
    {.name = "feedback", .kind = UR_OPTION_FLAG, .flags = UR_OPTION_SPARSE,
     .at = offsetof(struct config, feedback),
     .help = "each label hangs on those before it, which a recurrent layer reads"},
    {.name = "label-embed", .arg = "N", .fallback = "32", .kind = UR_OPTION_INT, .min = 1,
     .max = 65536, .flags = UR_OPTION_SPARSE, .at = offsetof(struct config, label_embed),
     .with = "feedback", .help = "feedback: size of learnt label vectors"},
    {.name = "label-smoothing", .arg = "P", .fallback = "0", .kind = UR_OPTION_REAL, .max = 1,
     .flags = UR_OPTION_OPEN_MAX | UR_OPTION_SPARSE, .at = offsetof(struct config, smoothing),
     .help = "share of a target that is spread over all labels"},
};

static const ur_option_table options = {
    .name = "tag", .what = "network", .rows = option_rows,
    .n = sizeof option_rows / sizeof *option_rows, .size = sizeof(struct config),
};

static ur_status resolve(void *config)
{
    const struct config *c = config;
    UR__TRY(ur__encoder_resolve(config));
    if (c->crf && c->feedback)
        return ur__fail(UR_EINVAL, "crf and feedback are two ways to choose the labels of a "
                        "sequence together: leave one of them out");
    if (c->crf && c->smoothing > 0)
        return ur__fail(UR_EINVAL, "label-smoothing is for labels that are chosen one by one, not "
                        "for a chain (crf)");
    return UR_OK;
}

/* A chain and a mean need all of a sequence; what is fed back carries no state. */
static const char *whole(const void *config)
{
    const struct config *c = config;
    if (c->encoder.stack.bidirectional)
        return "reads from both ends: set bidirectional to no";
    if (c->encoder.center)
        return "takes a sequence's mean off it: set center to no";
    return c->crf || c->feedback ? "chooses all labels of one together: leave out crf or feedback"
                                 : NULL;
}

static bool carries(const void *config)
{
    return !whole(config);
}

static ur_status declare(ur_model *m)
{
    const struct config *c = ur__model_values(m);
    struct net *net = m->net;
    UR__TRY(ur__encoder_declare(m, &net->encoder));
    const ur_rnn *top = net->encoder.rnn;
    const struct ur__feedback_shape fed = {&c->encoder.stack, ur_rnn_output(top), c->label_embed,
                                           UR__ROLE_LABEL};
    if (c->feedback) {
        UR__TRY(ur__feedback_declare(m, &net->feedback, &fed));
        top = net->feedback.rnn;
    }
    const struct ur__linear_shape out = {.I = ur_rnn_output(top), .vocab = UR__ROLE_LABEL};
    UR__TRY(ur__model_add_linear(m, "out", out, &net->out));
    net->feedback.out = net->out;
    return c->crf ? ur_crf_init(&net->crf, m->params, "crf", ur__label_outputs(m)) : UR_OK;
}

/* ---- on the tape ------------------------------------------------------- */

static ur_tensor *outputs(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                          ur_state *const *states)
{
    const struct config *c = ur__model_values(m);
    const struct net *net = m->net;
    const ur_field *target = ur_batch_find(batch, "target");
    ur_tensor *h = ur__encode(tape, m, &net->encoder, batch, states);
    if (!c->feedback)
        return ur__labels_only(ur_linear(tape, net->out, h));
    if (!target)
        return ur__tape_fail(tape, UR_EINVAL, "the batch has no field \"target\", whose labels "
                             "are fed back");
    return ur__feedback_outputs(tape, &net->feedback, h, ur__field_ids(target),
                                ur__encoder_steps(&net->encoder, batch)->lengths);
}

static ur_tensor *loss(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                       ur_state *const *states)
{
    const struct config *c = ur__model_values(m);
    const struct net *net = m->net;
    ur_tensor *e = outputs(tape, m, batch, states);
    ur_ids targets = ur__field_ids(ur_batch_find(batch, "target"));
    if (c->crf)
        return ur_crf(tape, &net->crf, e, targets,
                      ur__encoder_steps(&net->encoder, batch)->lengths);
    return ur_weighted_cross_entropy(tape, e, targets, NULL, c->smoothing);
}

const ur_crf_layer *ur__tag_chain(const ur_model *m)
{
    const struct config *c = ur__model_values(m);
    return c->crf ? &((const struct net *)m->net)->crf : NULL;
}

const struct ur__feedback *ur__tag_feedback(const ur_model *m)
{
    const struct config *c = ur__model_values(m);
    return c->feedback ? &((const struct net *)m->net)->feedback : NULL;
}

ur_tensor *ur__tag_steps(ur_tape *tape, const ur_model *m, const ur_batch *batch)
{
    return ur__encode(tape, m, &((const struct net *)m->net)->encoder, batch, NULL);
}

const struct ur__arch ur__arch_tag = {
    .name = "tag",
    .task = "tag",
    .options = &options,
    .vocabs = ur__label_vocabs,
    .fields = ur__label_fields,
    .has = ur__encoder_has,
    .carries = carries,
    .whole = whole,
    .net_size = sizeof(struct net),
    .resolve = resolve,
    .declare = declare,
    .outputs = outputs,
    .loss = loss,
    .output = ur__label_outputs,
};
