/* SPDX-License-Identifier: MIT */
/*
 * One label for a sequence (docs/MATH.md, section Classify):
 *
 *     h = encoder(x)  [T,B,D·P],  z = pool(h)  [B,D·P],  logits = W z + b  [1,B,K]
 *
 * pool is that of docs/MATH.md, section Pooling. Label k is token k + 2 of the vocabulary "label",
 * whose first two are none: their outputs are left out.
 */
#include "base/status.h"
#include "data/labels.h"
#include "model/arch.h"
#include "model/embed.h"
#include "model/encoder.h"

struct config {
    struct ur__encoder_options encoder;
    int pool;
    double smoothing;
    bool balanced;
};

struct net {
    struct ur__encoder encoder;
    ur_pool_layer pool;
    ur_linear_layer *out;
    const ur_param *weight;             /* [K] of labels in the loss; NULL: all alike */
};

static const char *const pool_words[] = {"last", "mean", "max", "attention", NULL};

static const ur_option option_rows[] = {
    UR__ENCODER_ROWS(struct config, "0", "0.4"),
    {.name = "pool", .words = pool_words, .fallback = "mean", .kind = UR_OPTION_CHOICE,
     .at = offsetof(struct config, pool),
     .help = "what the label is read from: the last state, the mean or the largest of all, or a "
             "weighted mean whose weights are learnt"},
    {.name = "label-smoothing", .arg = "P", .fallback = "0", .kind = UR_OPTION_REAL, .max = 1,
     .flags = UR_OPTION_OPEN_MAX | UR_OPTION_SPARSE, .at = offsetof(struct config, smoothing),
     .help = "share of a target that is spread over all labels"},
    {.name = "balanced", .kind = UR_OPTION_FLAG, .flags = UR_OPTION_SPARSE,
     .at = offsetof(struct config, balanced),
     .help = "labels weigh the same in the loss, however often they occur"},
};

static const ur_option_table options = {
    .name = "classify", .what = "network", .rows = option_rows,
    .n = sizeof option_rows / sizeof *option_rows, .size = sizeof(struct config),
};

static ur_status declare(ur_model *m)
{
    const struct config *c = ur__model_values(m);
    struct net *net = m->net;
    UR__TRY(ur__encoder_declare(m, &net->encoder));
    const int width = ur_rnn_output(net->encoder.rnn), K = ur__label_outputs(m);
    const struct ur__linear_shape out = {.I = width, .vocab = UR__ROLE_LABEL};
    UR__TRY(ur_pool_init(&net->pool, m->params, "pool", (ur_pooling)c->pool, width,
                         c->encoder.stack.bidirectional ? 2 : 1));
    if (c->balanced)
        UR__TRY(ur_params_add_buffer(m->params, "label.weight", 1, &K, 1, &net->weight));
    return ur__model_add_linear(m, "out", out, &net->out);
}

/* ---- on the tape ------------------------------------------------------- */

bool ur__classify_attends(const ur_model *m)
{
    const struct net *net = m->net;
    return net->pool.kind == UR_POOL_ATTENTION;
}

ur_tensor *ur__classify_outputs(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                                ur_tensor **weights)
{
    const struct net *net = m->net;
    const int *lengths = ur__encoder_steps(&net->encoder, batch)->lengths;
    ur_tensor *h = ur__encode(tape, m, &net->encoder, batch, NULL);
    ur_tensor *z = ur_pool(tape, &net->pool, h, lengths, weights);
    if (!z)
        return NULL;
    z = ur_reshape(z, 3, (int[]){1, ur_dim(z, 0), ur_dim(z, 1)});
    return ur__labels_only(ur_linear(tape, net->out, z));
}

static ur_tensor *outputs(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                          ur_state *const *states)
{
    (void)states;
    return ur__classify_outputs(tape, m, batch, NULL);
}

static ur_tensor *loss(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                       ur_state *const *states)
{
    const struct config *c = ur__model_values(m);
    const struct net *net = m->net;
    ur_tensor *logits = outputs(tape, m, batch, states);
    const ur_real *weights = net->weight ? ur_param_data(m->params, net->weight) : NULL;
    return ur_weighted_cross_entropy(tape, logits, ur__field_ids(ur_batch_find(batch, "target")),
                                     weights, c->smoothing);
}

const struct ur__arch ur__arch_classify = {
    .name = "classify",
    .task = "classify",
    .options = &options,
    .vocabs = ur__label_vocabs,
    .fields = ur__label_fields,
    .has = ur__encoder_has,
    .net_size = sizeof(struct net),
    .resolve = ur__encoder_resolve,
    .declare = declare,
    .outputs = outputs,
    .loss = loss,
    .output = ur__label_outputs,
};
