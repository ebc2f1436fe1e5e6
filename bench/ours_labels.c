/* SPDX-License-Identifier: MIT */
/*
 * Networks of labels: BATCHES updates, each the forward pass, softmax cross-entropy, the way back,
 * clipping by norm and AdamW.
 *
 *     classify    word vectors, LSTM in both directions, mean over the steps, linear
 *     tag         word vectors and beside them the last states of an LSTM over the letters, LSTM,
 *                 linear at each step
 */
#include "batches.h"
#include "ours.h"

#include <stdlib.h>

struct labels {
    struct batch batch[BATCHES];
    ur_embedding word, letter;
    ur_rnn *letter_rnn;
    ur_pool_layer pool;         /* of steps, or of letters */
    ur_linear_layer out;
};

static ur_status layers(struct net *n, const char *name, int inputs, int units, ur_rnn **out)
{
    ur_rnn_options options;
    ur_rnn_options_init(&options);
    options.cell = n->row.cell;
    options.input = inputs;
    options.bidirectional = true;
    options.hidden[0] = units;
    return ur_rnn_new(out, n->params, name, &options);
}

static ur_status declare(struct net *n)
{
    struct labels *l = n->labels;
    int width = 2 * n->row.H, inputs = EMBED;
    bool tagged = batch_is_tagged(&n->row);
    ur_status status = ur_params_new(&n->params);
    if (status == UR_OK)
        status = ur_embedding_init(&l->word, n->params, "embed", WORDS, EMBED);
    if (tagged) {
        inputs += 2 * LETTER_UNITS;
        if (status == UR_OK)
            status = ur_embedding_init(&l->letter, n->params, "letter_embed", LETTERS,
                                       LETTER_EMBED);
        if (status == UR_OK)
            status = layers(n, "letter_rnn", LETTER_EMBED, LETTER_UNITS, &l->letter_rnn);
    }
    if (status == UR_OK)
        status = layers(n, "rnn", inputs, n->row.H, &n->rnn);
    if (status == UR_OK)
        status = ur_pool_init(&l->pool, n->params, "pool", tagged ? UR_POOL_LAST : UR_POOL_MEAN,
                              tagged ? 2 * LETTER_UNITS : width, 2);
    if (status == UR_OK)
        status = ur_linear_init(&l->out, n->params, "out", width, tagged ? TAGS : CLASSES, true);
    return status == UR_OK ? ur_params_build(n->params, 1) : status;
}

static ur_status prepare(const struct net *n)
{
    ur_status status = ur_rnn_prepare(n->rnn);
    if (status == UR_OK && n->labels->letter_rnn != NULL)
        status = ur_rnn_prepare(n->labels->letter_rnn);
    return status;
}

ur_status labels_make(struct net *n)
{
    n->labels = calloc(1, sizeof *n->labels);
    if (n->labels == NULL)
        return UR_ENOMEM;
    for (int k = 0; k < BATCHES; k++)
        if (!batch_make(&n->row, k, &n->labels->batch[k]))
            return UR_ENOMEM;
    ur_status status = declare(n);
    if (status != UR_OK)
        return status;
    net_fill(&n->row, n->params);
    status = prepare(n);
    return status == UR_OK ? ur_tape_new(&n->tape, n->team) : status;
}

void labels_free(struct net *n)
{
    if (n->labels == NULL)
        return;
    for (int k = 0; k < BATCHES; k++)
        batch_free(&n->labels->batch[k]);
    ur_rnn_free(n->labels->letter_rnn);
    free(n->labels);
}

/* ---- updates ----------------------------------------------------------- */

static ur_tensor *inputs(struct net *n, const struct batch *batch)
{
    const struct labels *l = n->labels;
    const ur_ids ids = {batch->ids, batch->T, batch->B};
    const ur_ids letters = {batch->letters, batch->C, batch->W};
    const ur_ids spelling = {batch->spelling, batch->T, batch->B};
    ur_tensor *x = ur_embed(n->tape, &l->word, ids);
    if (l->letter_rnn == NULL)
        return x;
    ur_tensor *h = ur_rnn_forward(n->tape, l->letter_rnn, ur_embed(n->tape, &l->letter, letters),
                                  batch->letter_lengths, NULL);
    h = ur_pool(n->tape, &l->pool, h, batch->letter_lengths, NULL);
    ur_tensor *const both[] = {x, ur_gather(n->tape, h, spelling)};
    return ur_concat(n->tape, 2, both, 2);
}

static ur_status update(struct net *n, const struct batch *batch, FILE *to)
{
    const struct labels *l = n->labels;
    bool tagged = l->letter_rnn != NULL;
    const ur_ids target = {batch->target, tagged ? batch->T : 1, batch->B};
    ur_tape_set_training(n->tape, true, 1, (uint64_t)n->updates++);
    ur_params_zero_grads(n->params);
    ur_tensor *h = ur_rnn_forward(n->tape, n->rnn, inputs(n, batch), batch->lengths, NULL);
    if (!tagged)
        h = ur_pool(n->tape, &l->pool, h, batch->lengths, NULL);
    ur_tensor *loss = ur_cross_entropy(n->tape, ur_linear(n->tape, &l->out, h), target);
    ur_status status = ur_backward(n->tape, loss);
    n->loss = ur_scalar(loss);
    if (status == UR_OK && to != NULL && n->updates == 1)
        net_write_gradients(n, to);
    ur_tape_reset(n->tape);
    if (status == UR_OK)
        status = ur_optimizer_step(n->optimizer, 1e-3, NULL);
    return status == UR_OK ? prepare(n) : status;
}

ur_status labels_call(struct net *n, FILE *to)
{
    float losses[BATCHES];
    ur_status status = UR_OK;
    for (int k = 0; k < BATCHES && status == UR_OK; k++) {
        status = update(n, &n->labels->batch[k], to);
        losses[k] = (float)n->loss;
    }
    if (status == UR_OK && to != NULL)
        worker_write(to, "losses", losses, BATCHES);
    return status;
}
