/* SPDX-License-Identifier: MIT */
/* Whole character models: one update, and text drawn character by character. */
#include "unroll.h"
#include "ours.h"

#include "data/vocab.h"

/* ---- an update --------------------------------------------------------- */

/* One-hot characters, softmax cross-entropy, clipping by norm, AdamW; the state is carried. */
ur_status lm_call(struct net *n, FILE *to)
{
    const struct row *row = &n->row;
    const ur_ids in = {n->ids, row->T, row->B}, next = {n->ids + row->B, row->T, row->B};
    ur_tape_set_training(n->tape, true, 1, (uint64_t)n->updates++);
    ur_params_zero_grads(n->params);
    ur_tensor *h = ur_rnn_forward_ids(n->tape, n->rnn, in, NULL, n->state);
    ur_tensor *loss = ur_cross_entropy(n->tape, ur_linear(n->tape, &n->decoder, h), next);
    ur_status status = ur_backward(n->tape, loss);
    n->loss = ur_scalar(loss);
    if (status == UR_OK && to != NULL && n->updates == 1)
        net_write_gradients(n, to);
    ur_state_detach(n->state);
    ur_tape_reset(n->tape);
    if (status == UR_OK)
        status = ur_optimizer_step(n->optimizer, 1e-3, NULL);
    return status == UR_OK ? ur_rnn_prepare(n->rnn) : status;
}

/* ---- a text ------------------------------------------------------------ */

ur_status sample_make(struct net *n)
{
    const struct row *row = &n->row;
    char hidden[16], layers[16];
    ur_options config;
    snprintf(hidden, sizeof hidden, "%d", row->H);
    snprintf(layers, sizeof layers, "%d", row->L);
    ur_status status = ur_config_init(&config, "lm");
    if (status == UR_OK)
        status = ur_options_set(&config, "cell", ur_cell_name(row->cell));
    if (status == UR_OK)
        status = ur_options_set(&config, "hidden", hidden);
    if (status == UR_OK)
        status = ur_options_set(&config, "layers", layers);
    uint32_t codes[VOCABULARY];
    for (uint32_t i = 0; i < VOCABULARY; i++)
        codes[i] = ' ' + i;
    ur_vocab *vocab;
    if (status == UR_OK)
        status = ur__vocab_new(&vocab, UR_TOKEN_CHAR, VOCABULARY, codes);
    if (status != UR_OK)
        return status;
    status = ur_model_new(&n->model, &config, 1, &vocab, 1);
    if (status != UR_OK) {
        ur_vocab_free(vocab);
        return status;
    }
    net_fill(row, ur_model_params(n->model));
    status = ur_model_prepare(n->model);
    if (status == UR_OK)
        status = ur_session_new(&n->session, n->model, n->team);
    ur_sample_options_init(&n->draw);
    return status == UR_OK ? ur_session_feed(n->session, 0) : status;
}

/* Draws by chance; for a comparison it feeds given characters and shows the last logits. */
ur_status sample_call(struct net *n, FILE *to)
{
    ur_status status = UR_OK;
    int32_t id = 0, given[STEPS_A_CALL];
    row_characters(given, STEPS_A_CALL, STREAM_IDS);
    for (int i = 0; i < STEPS_A_CALL && status == UR_OK; i++) {
        status = ur_session_draw(n->session, &n->draw, &id);
        if (status == UR_OK)
            status = ur_session_feed(n->session, to != NULL ? given[i] : id);
    }
    if (status == UR_OK && to != NULL)
        worker_write(to, "logits", ur_session_logits(n->session), VOCABULARY);
    return status;
}
