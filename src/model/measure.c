/* SPDX-License-Identifier: MIT */
#include "model/measure.h"

#include "base/status.h"
#include "kernel/select.h"
#include "layer/attention.h"
#include "layer/recurrent.h"
#include "layer/state.h"
#include "model/arch.h"

struct round {
    const ur_model *model;
    const ur_batch *batch;
    unsigned how;
    ur_state *stack[UR__MAX_BLOCKS];
};

static ur_tensor *make(ur_tape *tape, void *arg)
{
    const struct round *r = arg;
    ur_state *const *states = r->how & UR__MEASURE_CARRIES ? r->stack : NULL;
    /* A loss of its own is made of the outputs, and may be what the network is scored by. */
    return r->how & UR__MEASURE_TRAIN || r->model->arch->loss
        ? ur__net_loss(tape, r->model, r->batch, states)
        : ur__net_outputs(tape, r->model, r->batch, states);
}

static void see_nothing(void *user, int layer, int64_t t, int B, int H, const ur_real *dh)
{
    (void)user;
    (void)layer;
    (void)t;
    (void)B;
    (void)H;
    (void)dh;
}

static ur_status measure_states(struct round *r, struct ur__model_room *out, ur_team *team)
{
    int B = r->batch->field[0].dim[1];
    ur_rnn *rnn;
    bool carried;
    for (int i = 0; (rnn = ur__model_stack(r->model, i, &carried)); i++) {
        size_t bytes, n;
        if (!carried)
            continue;
        UR__TRY(ur__state_measure(&r->stack[i], rnn, B, team, &bytes));
        ur_state_data(r->stack[i], &n);
        if (r->how & UR__MEASURE_OBSERVED)
            ur_state_observe_gradients(r->stack[i], see_nothing, NULL);
        out->state += bytes;
        out->carried += n;
    }
    return UR_OK;
}

ur_status ur__model_measure(struct ur__model_room *out, const ur_model *m, const ur_batch *batch,
                            unsigned how, ur_team *team)
{
    struct round r = {.model = m, .batch = batch, .how = how};
    *out = (struct ur__model_room){0};
    ur_status status = how & UR__MEASURE_CARRIES ? measure_states(&r, out, team) : UR_OK;
    if (status == UR_OK)
        status = ur__tape_measure_round(&out->tape, make, &r, how & UR__MEASURE_TRAIN, team);
    for (int i = 0; i < UR__MAX_BLOCKS; i++)
        ur_state_free(r.stack[i]);
    return status;
}

size_t ur__model_packed_bytes(const ur_model *m)
{
    size_t bytes = 0;
    for (int i = 0; i < m->n_blocks; i++) {
        const struct ur__block *b = &m->block[i];
        const struct ur__matrix w = {.K = b->linear.I, .N = b->linear.O};
        if (b->kind == UR__BLOCK_STACK)
            bytes += ur__rnn_packed_bytes(b->rnn);
        else if (b->kind == UR__BLOCK_LINEAR)
            bytes += ur__kernel()->packed_bytes(&w);
        else if (b->kind == UR__BLOCK_ATTENTION)
            bytes += ur__attention_packed_bytes(&b->attention);
    }
    return bytes;
}
