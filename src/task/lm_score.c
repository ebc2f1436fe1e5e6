/* SPDX-License-Identifier: MIT */
/* Losses and hits of a language model's predictions. Each is a function of one row of
 * logits, so who computes it does not matter; sums are left to the callers, who know in
 * which order to add. */
#include "task/lm_score.h"

#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/status.h"
#include "base/team.h"
#include "kernel/select.h"
#include "model/model.h"

#define MOST_STEPS 64                   /* enough for the decoder to run at speed */
#define MOST_LOGITS ((size_t)4 << 20)   /* reals, so that a large vocabulary stays small */

int ur__lm_score_piece(const ur_model *model, int B)
{
    size_t row = (size_t)B * (size_t)ur_vocab_size(ur_model_vocab(model)), fits = MOST_LOGITS / row;
    return fits < 1 ? 1 : fits > MOST_STEPS ? MOST_STEPS : (int)fits;
}

static void place(struct ur__lm_score *s, struct ur__carve *c)
{
    size_t n = (size_t)s->piece * (size_t)s->B;
    s->inputs = ur__carve(c, n, sizeof *s->inputs);
    s->targets = ur__carve(c, n, sizeof *s->targets);
    s->logits = ur__carve(c, n, (size_t)s->V * sizeof *s->logits);
    s->loss = ur__carve(c, n, sizeof *s->loss);
    s->hit = ur__carve(c, n, 1);
}

/* Without memory. Returns how much that is. */
static size_t init(struct ur__lm_score *s, const ur_model *model, int B, ur_team *team)
{
    struct ur__carve c = {0};
    *s = (struct ur__lm_score){.model = model, .team = team, .B = B,
                               .V = ur_vocab_size(ur_model_vocab(model)),
                               .piece = ur__lm_score_piece(model, B)};
    place(s, &c);
    return c.used;
}

ur_status ur__lm_score_bytes(size_t *bytes, const ur_model *model, int B, ur_team *team)
{
    struct ur__lm_score s;
    size_t own = init(&s, model, B, team);
    UR__TRY(ur__model_state_measure(&s.state, model, B, team, bytes));
    *bytes += own;
    ur__lm_score_close(&s);
    return UR_OK;
}

ur_status ur__lm_score_open(struct ur__lm_score *s, const ur_model *model, int B, ur_team *team)
{
    size_t bytes = init(s, model, B, team);
    struct ur__carve c = {.base = s->block = ur__alloc(bytes, 1)};
    place(s, &c);
    ur_status status = s->block ? ur_model_state_new(&s->state, model, B, team) : UR_ENOMEM;
    if (status != UR_OK)
        ur__lm_score_close(s);
    return status;
}

void ur__lm_score_close(struct ur__lm_score *s)
{
    ur_state_free(s->state);
    ur__free(s->block);
    memset(s, 0, sizeof *s);
}

/* ---- scoring ----------------------------------------------------------- */

/* Ties go to the lower number. */
static int likeliest(int V, const ur_real *x)
{
    int best = 0;
    for (int i = 1; i < V; i++) {
        if (x[i] > x[best])
            best = i;
    }
    return best;
}

static void score_share(const struct ur__worker *w, void *arg)
{
    const struct ur__scores *s = arg;
    const struct ur__kernel *k = ur__kernel();
    int begin, end;
    ur__share(s->n, 1, w->index, w->n, &begin, &end);
    for (int i = begin; i < end; i++) {
        const ur_real *x = s->logits + (size_t)i * (size_t)s->V;
        int target = s->targets[i];
        s->loss[i] = target < 0 ? 0 : k->cross_entropy(s->V, x, target, 0, NULL);
        s->hit[i] = target >= 0 && likeliest(s->V, x) == target;
    }
}

void ur__score(struct ur__scores *s, ur_team *team)
{
    ur__team_run(team, score_share, s);
}

ur_status ur__lm_score_run(struct ur__lm_score *s, int T)
{
    struct ur__scores rows = {T * s->B, s->V, s->logits, s->targets, s->loss, s->hit};
    UR__TRY(ur_model_run(s->model, s->state, T, s->inputs, s->logits));
    ur__score(&rows, s->team);
    return UR_OK;
}
