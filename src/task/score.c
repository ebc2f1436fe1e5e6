/* SPDX-License-Identifier: MIT */
#include "task/score.h"

#include "base/status.h"
#include "base/team.h"
#include "decode/sample.h"
#include "kernel/select.h"
#include "model/measure.h"

#define MOST_LOGITS ((size_t)4 << 20)

int ur__score_rows(int V, int least, int most)
{
    size_t fits = MOST_LOGITS / (size_t)V;
    return fits < (size_t)least ? least : fits > (size_t)most ? most : (int)fits;
}

void ur__score_place(struct ur__score *s, struct ur__carve *c)
{
    s->loss = ur__carve(c, s->n, sizeof *s->loss);
    s->hit = ur__carve(c, s->n, 1);
    s->best = ur__carve(c, s->labels ? s->n : 0, sizeof *s->best);
}

ur_status ur__score_open(struct ur__score *s, const ur_model *model, const ur_batch *largest,
                         bool carries, ur_team *team)
{
    struct ur__model_room room;
    s->model = model;
    s->team = team;
    UR__TRY(ur__model_measure(&room, model, largest, carries ? UR__MEASURE_CARRIES : 0, team));
    if (carries)
        UR__TRY(ur_model_state_new(&s->state, model, largest->field[0].dim[1], team));
    UR__TRY(ur_tape_new(&s->tape, team));
    ur_tape_set_recording(s->tape, false);
    return ur__tape_reserve(s->tape, room.tape.arena);
}

void ur__score_close(struct ur__score *s)
{
    ur_tape_free(s->tape);
    ur_model_state_free(s->state);
}

/* ---- scoring ----------------------------------------------------------- */

/* Losses in nats and hits of n rows of logits [n,V]. */
struct rows {
    int n, V;
    const ur_real *logits;
    const int32_t *targets;     /* [n] */
    ur_real *loss;
    unsigned char *hit;
    int32_t *best;              /* NULL: not wanted */
};

static void score_share(const struct ur__worker *w, void *arg)
{
    const struct rows *s = arg;
    const struct ur__kernel *k = ur__kernel();
    int begin, end;
    ur__share(s->n, 1, w->index, w->n, &begin, &end);
    for (int i = begin; i < end; i++) {
        const ur_real *x = s->logits + (size_t)i * (size_t)s->V;
        int target = s->targets[i];
        s->loss[i] = target < 0 ? 0 : k->cross_entropy(s->V, x, target, 0, NULL);
        int best = ur__likeliest(s->V, x);
        s->hit[i] = target >= 0 && best == target;
        if (s->best)
            s->best[i] = best;
    }
}

/* Labels of all steps of a sequence at once: their loss has no parts. */
static ur_status score_chain(struct ur__score *s, ur_tensor *e, const ur_field *target,
                             const int *lengths, double items)
{
    const ur_ids labels = {target->ids, target->dim[0], target->dim[1]};
    const ur_tensor *loss = ur_crf(s->tape, s->chain, e, labels, lengths);
    ur_chain chain;
    ur_chain_init(&chain);
    UR__TRY(ur_tape_status(s->tape));
    s->sum = (double)ur_data(loss)[0] * items;
    chain.T = labels.T;
    chain.B = labels.B;
    chain.K = ur_dim(e, 2);
    chain.scores = ur_data(e);
    chain.lengths = lengths;
    return ur_crf_decode(s->chain, &chain, s->best, NULL);
}

ur_status ur__score_run(struct ur__score *s, const ur_batch *batch)
{
    const ur_field *target = ur_batch_find(batch, "target");
    ur_tape_reset(s->tape);
    ur_tensor *logits = ur_model_outputs(s->tape, s->model, batch, s->state);
    if (s->state)
        ur_model_state_detach(s->state);
    UR__TRY(ur_tape_status(s->tape));
    int V = ur_dim(logits, -1), n = (int)(ur_size(logits) / (size_t)V);
    UR__ASSERT((size_t)n <= s->n);
    if (s->chain)
        return score_chain(s, logits, target, batch->field[0].lengths, (double)batch->items);
    struct rows rows = {n, V, ur_data(logits), target->ids, s->loss, s->hit,
                        s->labels ? s->best : NULL};
    ur__team_run(s->team, score_share, &rows);
    return UR_OK;
}
