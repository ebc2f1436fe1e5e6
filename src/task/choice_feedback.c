/* SPDX-License-Identifier: MIT */
/* Labels that are fed back: those that a beam search finds. Their loss is that of each label after
 * the true ones before it, as in training; chances are those after the chosen ones. */
#include <string.h>

#include "base/status.h"
#include "decode/label_beam.h"
#include "model/encoder.h"
#include "model/tag.h"
#include "task/choice.h"
#include "task/score.h"

struct chosen {
    const ur_model *model;
    const struct ur__feedback *feedback;
    struct ur__label_beam *beam;
};

static struct ur__label_beam_size size_of(const struct ur__choice_job *job)
{
    const int width = job->beam ? job->beam : UR__LABEL_BEAM;
    return (struct ur__label_beam_size){.width = width, .T = job->T, .B = job->B};
}

static ur_status measure(const struct ur__choice_job *job, size_t *bytes)
{
    const struct ur__label_beam_size size = size_of(job);
    return ur__label_beam_measure(ur__tag_feedback(job->model), &size, job->team, bytes);
}

static ur_status open(void *choice, const struct ur__choice_job *job)
{
    struct chosen *c = choice;
    const struct ur__label_beam_size size = size_of(job);
    c->model = job->model;
    c->feedback = ur__tag_feedback(job->model);
    return ur__label_beam_new(&c->beam, c->feedback, &size, job->team);
}

static void close(void *choice)
{
    ur__label_beam_free(((struct chosen *)choice)->beam);
}

static ur_status search(const struct chosen *c, const ur_tensor *h, const int *lengths,
                        int32_t *labels)
{
    const struct ur__steps steps = {ur_dim(h, 0), ur_dim(h, 1), ur_data(h), lengths};
    return ur__label_beam_run(c->beam, &steps, labels, NULL);
}

static ur_status score(void *choice, struct ur__score *s, const ur_batch *batch)
{
    const struct chosen *c = choice;
    const ur_field *target = ur_batch_find(batch, "target");
    const ur_ids labels = {target->ids, target->dim[0], target->dim[1]};
    const int *lengths = batch->field[0].lengths;
    ur_tensor *h = ur__tag_steps(s->tape, c->model, batch);
    const ur_tensor *e = ur__feedback_outputs(s->tape, c->feedback, h, labels, lengths);
    UR__TRY(ur_tape_status(s->tape));
    ur__score_logits(s, e, target);
    return search(c, h, lengths, s->best);
}

static ur_status answer(void *choice, ur_tape *tape, const ur_batch *batch, int32_t *labels,
                        ur_real *chances)
{
    const struct chosen *c = choice;
    ur_tensor *h = ur__tag_steps(tape, c->model, batch);
    UR__TRY(ur_tape_status(tape));
    UR__TRY(search(c, h, NULL, labels));
    const ur_ids chosen = {labels, ur_dim(h, 0), 1};
    const ur_tensor *p = ur_softmax(ur__feedback_outputs(tape, c->feedback, h, chosen, NULL));
    UR__TRY(ur_tape_status(tape));
    memcpy(chances, ur_data(p), ur_size(p) * sizeof *chances);
    return UR_OK;
}

const struct ur__choice ur__choice_feedback = {
    .size = sizeof(struct chosen),
    .searches = true,
    .measure = measure,
    .open = open,
    .close = close,
    .score = score,
    .answer = answer,
};
