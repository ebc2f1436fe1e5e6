/* SPDX-License-Identifier: MIT */
#include "task/score.h"

#include "base/mem.h"
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

static ur_status open_choice(struct ur__score *s, const ur_field *largest)
{
    const struct ur__choice_job job = {s->model, largest->dim[0], largest->dim[1], s->beam,
                                       s->team};
    s->chosen = ur__calloc(1, s->choice->size);
    return s->chosen ? s->choice->open(s->chosen, &job) : UR_ENOMEM;
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
    if (s->choice)
        UR__TRY(open_choice(s, ur_batch_find(largest, "target")));
    UR__TRY(ur_tape_new(&s->tape, team));
    ur_tape_set_recording(s->tape, false);
    return ur__tape_reserve(s->tape, room.tape.arena);
}

void ur__score_close(struct ur__score *s)
{
    if (s->chosen)
        s->choice->close(s->chosen);
    ur__free(s->chosen);
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

void ur__score_logits(struct ur__score *s, const ur_tensor *logits, const ur_field *target)
{
    int V = ur_dim(logits, -1), n = (int)(ur_size(logits) / (size_t)V);
    UR__ASSERT((size_t)n <= s->n);
    struct rows rows = {n, V, ur_data(logits), target->ids, s->loss, s->hit,
                        s->labels ? s->best : NULL};
    ur__team_run(s->team, score_share, &rows);
}

ur_status ur__score_run(struct ur__score *s, const ur_batch *batch)
{
    s->sum = 0;
    ur_tape_reset(s->tape);
    if (s->choice)
        return s->choice->score(s->chosen, s, batch);
    const ur_tensor *logits = ur_model_outputs(s->tape, s->model, batch, s->state);
    if (s->state)
        ur_model_state_detach(s->state);
    UR__TRY(ur_tape_status(s->tape));
    ur__score_logits(s, logits, ur_batch_find(batch, "target"));
    return UR_OK;
}
