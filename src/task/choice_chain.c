/* SPDX-License-Identifier: MIT */
/* Labels that are a linear chain: the best path. Their loss has no parts. */
#include <string.h>

#include "base/status.h"
#include "model/encoder.h"
#include "model/tag.h"
#include "task/choice.h"
#include "task/score.h"

struct chosen {
    const ur_model *model;
    const ur_crf_layer *chain;
    ur_tape *tape;              /* of slopes */
};

static ur_status measure(const struct ur__choice_job *job, size_t *bytes)
{
    (void)job;
    *bytes = 0;
    return UR_OK;
}

static ur_status open(void *choice, const struct ur__choice_job *job)
{
    struct chosen *c = choice;
    c->model = job->model;
    c->chain = ur__tag_chain(job->model);
    return UR_OK;
}

static void close(void *choice)
{
    ur_tape_free(((struct chosen *)choice)->tape);
}

static ur_status best_path(const struct chosen *c, const ur_tensor *e, const int *lengths,
                           int32_t *labels)
{
    ur_chain chain;
    ur_chain_init(&chain);
    chain.T = ur_dim(e, 0);
    chain.B = ur_dim(e, 1);
    chain.K = ur_dim(e, 2);
    chain.scores = ur_data(e);
    chain.lengths = lengths;
    return ur_crf_decode(c->chain, &chain, labels, NULL);
}

static ur_status score(void *choice, struct ur__score *s, const ur_batch *batch)
{
    const struct chosen *c = choice;
    const ur_field *target = ur_batch_find(batch, "target");
    const ur_ids labels = {target->ids, target->dim[0], target->dim[1]};
    const int *lengths = batch->field[0].lengths;
    ur_tensor *e = ur_model_outputs(s->tape, s->model, batch, NULL);
    const ur_tensor *loss = ur_crf(s->tape, c->chain, e, labels, lengths);
    UR__TRY(ur_tape_status(s->tape));
    memset(s->loss, 0, (size_t)labels.T * (size_t)labels.B * sizeof *s->loss);
    s->sum = (double)ur_data(loss)[0] * (double)batch->items;
    return best_path(c, e, lengths, s->best);
}

/* How likely each label is at each step, whatever the others are: the slope of log Z by its score,
 * which is that of the loss and 1 where the loss has its label. p: zeros. */
static ur_status slopes(struct chosen *c, const ur_tensor *e, const int32_t *labels, ur_real *p)
{
    const int T = ur_dim(e, 0), K = ur_dim(e, 2), dim[] = {T, 1, K}, square[] = {K, K};
    const ur_crf_layer *chain = c->chain;
    if (!c->tape)
        UR__TRY(ur_tape_new(&c->tape, NULL));
    ur_tape_reset(c->tape);
    ur_tensor *loss = ur_crf_loss(
        ur_variable(c->tape, 3, dim, ur_data(e), p),
        ur_constant(c->tape, 2, square, ur_param_data(chain->params, chain->transitions)),
        ur_constant(c->tape, 1, square, ur_param_data(chain->params, chain->start)),
        ur_constant(c->tape, 1, square, ur_param_data(chain->params, chain->end)),
        (ur_ids){labels, T, 1}, NULL);
    UR__TRY(ur_backward(c->tape, loss));
    for (int t = 0; t < T; t++)
        for (int k = 0; k < K; k++) {
            ur_real *x = &p[(size_t)t * (size_t)K + (size_t)k];
            *x = *x * (ur_real)T + (k == labels[t]);
            *x = *x < 0 ? 0 : *x > 1 ? 1 : *x;
        }
    return UR_OK;
}

static ur_status answer(void *choice, ur_tape *tape, const ur_batch *batch, int32_t *labels,
                        ur_real *chances)
{
    struct chosen *c = choice;
    ur_tensor *e = ur_model_outputs(tape, c->model, batch, NULL);
    UR__TRY(ur_tape_status(tape));
    UR__TRY(best_path(c, e, NULL, labels));
    memset(chances, 0, ur_size(e) * sizeof *chances);
    return slopes(c, e, labels, chances);
}

const struct ur__choice ur__choice_chain = {
    .size = sizeof(struct chosen),
    .measure = measure,
    .open = open,
    .close = close,
    .score = score,
    .answer = answer,
};
