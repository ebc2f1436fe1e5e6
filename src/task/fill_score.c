/* SPDX-License-Identifier: MIT */
#include "task/fill_score.h"

#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "model/model.h"
#include "tape/tape.h"
#include "task/lm_score.h"

#define SIDE_BY_SIDE 32
#define MOST_LOGITS ((size_t)4 << 20)   /* reals, so that a large vocabulary stays small */

void ur__fill_targets(int T, int B, const int *lengths, const int32_t *ids, int32_t *targets)
{
    for (int t = 0; t < T; t++)
        for (int b = 0; b < B; b++)
            targets[t * B + b] = t < lengths[b] ? ids[t * B + b] : -1;
}

/* Windows side by side. */
static int rows_of(const ur_model *model, int T)
{
    size_t V = (size_t)ur_vocab_size(ur_model_vocab(model)), fits = MOST_LOGITS / ((size_t)T * V);
    return fits < 1 ? 1 : fits > SIDE_BY_SIDE ? SIDE_BY_SIDE : (int)fits;
}

static void place(struct ur__fill_score *s, struct ur__carve *c)
{
    size_t B = (size_t)s->B, n = (size_t)s->T * B;
    s->which = ur__carve(c, B, sizeof *s->which);
    s->lengths = ur__carve(c, B, sizeof *s->lengths);
    s->ids = ur__carve(c, n, sizeof *s->ids);
    s->targets = ur__carve(c, n, sizeof *s->targets);
    s->loss = ur__carve(c, n, sizeof *s->loss);
    s->hit = ur__carve(c, n, 1);
}

static ur_tensor *predict(ur_tape *tape, void *arg)
{
    const struct ur__fill_score *s = arg;
    return ur_model_fill(tape, s->model, (ur_ids){s->ids, s->T, s->B}, s->lengths);
}

/* Without memory: what that will be, beside the tape's. */
static ur_status init(struct ur__fill_score *s, const ur_model *model, int T, ur_team *team,
                      size_t *own, struct ur__room *room)
{
    struct ur__carve c = {.base = UR__NOWHERE};
    *s = (struct ur__fill_score){.model = model, .team = team, .T = T, .B = rows_of(model, T),
                                 .V = ur_vocab_size(ur_model_vocab(model))};
    place(s, &c);
    *own = c.used;
    return ur__tape_measure_round(room, predict, s, false, team);
}

ur_status ur__fill_score_bytes(size_t *bytes, const ur_model *model, int T, ur_team *team)
{
    struct ur__fill_score s;
    struct ur__room room;
    UR__TRY(init(&s, model, T, team, bytes, &room));
    *bytes += room.arena + room.scratch;
    return UR_OK;
}

ur_status ur__fill_score_open(struct ur__fill_score *s, const ur_model *model, int T,
                              ur_team *team)
{
    struct ur__room room;
    size_t own;
    ur_status status = init(s, model, T, team, &own, &room);
    struct ur__carve c = {.base = s->block = ur__alloc(own, 1)};
    place(s, &c);
    if (status == UR_OK)
        status = s->block ? ur_tape_new(&s->tape, team) : UR_ENOMEM;
    if (status == UR_OK)
        status = ur__tape_reserve(s->tape, room.arena);
    if (status == UR_OK)
        ur_tape_set_recording(s->tape, false);
    else
        ur__fill_score_close(s);
    return status;
}

void ur__fill_score_close(struct ur__fill_score *s)
{
    ur_tape_free(s->tape);
    ur__free(s->block);
    memset(s, 0, sizeof *s);
}

ur_status ur__fill_score_run(struct ur__fill_score *s, struct ur__windows *w, int64_t first,
                             int *done, double *sum, int64_t *hits)
{
    int B = w->n - first < s->B ? (int)(w->n - first) : s->B, T;
    for (int b = 0; b < B; b++)
        s->which[b] = first + b;
    UR__TRY(ur__windows_read(w, B, s->which, s->ids, s->lengths, &T));
    ur__fill_targets(T, B, s->lengths, s->ids, s->targets);
    ur_tape_reset(s->tape);
    const ur_tensor *logits = ur_model_fill(s->tape, s->model, (ur_ids){s->ids, T, B}, s->lengths);
    UR__TRY(ur_tape_status(s->tape));
    struct ur__scores scores = {T * B, s->V, ur_data(logits), s->targets, s->loss, s->hit};
    ur__score(&scores, s->team);
    for (int b = 0; b < B; b++) {
        for (int t = 0; t < s->lengths[b]; t++) {
            *sum += (double)s->loss[t * B + b];
            *hits += s->hit[t * B + b];
        }
    }
    *done = B;
    return UR_OK;
}
