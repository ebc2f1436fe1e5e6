/* SPDX-License-Identifier: MIT */
/*
 * A character model trained by a loop of one's own: the whole of what `unroll train` does,
 * without files, options and validation. Learns a verse by heart and writes it.
 */
#include <stdio.h>
#include <string.h>

#include <unroll.h>

static const char text[] =
    "Tyger Tyger, burning bright,\nIn the forests of the night;\nWhat immortal hand or eye,\n"
    "Could frame thy fearful symmetry?\n";      /* William Blake, 1794 */

enum { STEPS = 20, UPDATES = 400, LENGTH = sizeof text - 1 };

struct lm {
    ur_model *model;
    ur_optimizer *adamw;
    ur_tape *tape;
    ur_model_state *state;
    int32_t ids[LENGTH];        /* the text in tokens */
};

static ur_status make(struct lm *lm)
{
    ur_options net;
    ur_optimizer_options adamw;
    ur_vocab *vocab = NULL;
    size_t n;
    ur_optimizer_options_init(&adamw);
    ur_status status = ur_config_init(&net, "lm");
    if (status == UR_OK)
        status = ur_options_set(&net, "layers", "1");
    if (status == UR_OK)
        status = ur_options_set(&net, "hidden", "48");
    if (status == UR_OK)
        status = ur_vocab_of_text(&vocab, UR_TOKEN_CHAR, text, LENGTH, 1);
    if (status == UR_OK)
        status = ur_vocab_encode(vocab, text, LENGTH, lm->ids, &n);
    if (status == UR_OK)
        status = ur_model_new(&lm->model, &net, 1, &vocab, 1);
    if (status != UR_OK) {
        ur_vocab_free(vocab);       /* else the model's */
        return status;
    }
    status = ur_optimizer_new(&lm->adamw, ur_model_params(lm->model), &adamw, NULL);
    if (status == UR_OK)
        status = ur_tape_new(&lm->tape, NULL);
    return status == UR_OK ? ur_model_state_new(&lm->state, lm->model, 1, NULL) : status;
}

/* One update on STEPS characters; the state goes on to the next ones. */
static ur_status update(struct lm *lm, int begin, double *loss)
{
    int32_t in[STEPS], next[STEPS];
    ur_batch batch;
    ur_batch_init(&batch);
    for (int t = 0; t < STEPS; t++) {
        in[t] = lm->ids[(begin + t) % LENGTH];
        next[t] = lm->ids[(begin + t + 1) % LENGTH];
    }
    ur_tape_reset(lm->tape);
    ur_params_zero_grads(ur_model_params(lm->model));
    ur_batch_ids(&batch, "input", STEPS, 1, in, NULL);
    ur_batch_ids(&batch, "target", STEPS, 1, next, NULL);
    ur_tensor *e = ur_model_loss(lm->tape, lm->model, &batch, lm->state);
    ur_status status = ur_backward(lm->tape, e);    /* reports whatever failed above */
    *loss = ur_scalar(e);
    if (status == UR_OK)
        status = ur_optimizer_step(lm->adamw, 0.01, NULL);
    ur_model_state_detach(lm->state);
    return status == UR_OK ? ur_model_prepare(lm->model) : status;
}

/* Writes the text from its first character on, each time the likeliest next one. */
static ur_status write_text(const ur_model *model, int32_t id)
{
    const ur_vocab *vocab = ur_model_vocab(model, NULL);
    ur_sample_options likeliest;
    ur_sample_options_init(&likeliest);
    ur_session *session;
    size_t n;
    likeliest.temperature = 0;
    ur_status status = ur_session_new(&session, model, NULL);
    for (int i = 0; i < LENGTH && status == UR_OK; i++) {
        const char *c = ur_vocab_text(vocab, id, &n);
        fwrite(c, 1, n, stdout);
        status = ur_session_feed(session, id);
        if (status == UR_OK)
            status = ur_session_draw(session, &likeliest, &id);
    }
    ur_session_free(session);
    return status;
}

int main(void)
{
    struct lm lm = {0};
    double loss = 0;
    ur_status status = make(&lm);
    for (int i = 1, at = 0; i <= UPDATES && status == UR_OK; i++, at += STEPS) {
        status = update(&lm, at % LENGTH, &loss);
        if (i % 100 == 0)
            printf("update %d: loss %.4f nats a character\n", i, loss);
    }
    if (status == UR_OK)
        status = write_text(lm.model, lm.ids[0]);
    if (status != UR_OK)
        fprintf(stderr, "char_lm: %s\n", ur_errmsg());
    ur_model_state_free(lm.state);
    ur_tape_free(lm.tape);
    ur_optimizer_free(lm.adamw);
    ur_model_free(lm.model);
    return status != UR_OK || loss > 0.2;
}
