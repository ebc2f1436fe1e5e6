/* SPDX-License-Identifier: MIT */
#include "support/small_state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/vocab.h"
#include "io/file.h"
#include "support/settings.h"
#include "train/identity.h"
#include "train/summary.h"
#include "train/run.h"

static void must(ur_status status)
{
    if (status == UR_OK)
        return;
    fprintf(stderr, "no small state: %s\n", ur_errmsg());
    abort();
}

/* Of a run: what its options say. */
static void identify(struct small_state *s)
{
    const struct ur__run r = {
        .options = &s->options, .model = s->model, .optimizer = s->optimizer, .best = "loss"
    };
    must(ur__identity_text(&r, &s->identity));
}

void small_state_new(struct small_state *s)
{
    static const uint32_t codes[] = {97, 98, 99};
    ur_vocab *vocab;
    *s = (struct small_state){
        .options = run_of("lm", "tokens=byte cell=rnn layers=1 hidden=2 optimizer=adam batch=64 "
                                "epochs=50 lr=0.002"),
        .facts = {.source = {{"data", 1000, 0x12345678}}, .n_sources = 1, .epoch_steps = 10},
    };
    must(ur__vocab_new(&vocab, UR_TOKEN_BYTE, 3, codes));
    must(ur_model_new(&s->model, &s->options.net, 1, &vocab, 1));
    ur_params *params = ur_model_params(s->model);
    must(ur_optimizer_new(&s->optimizer, params, &s->options.optimizer, NULL));
    for (size_t i = 0; i < ur_params_size(params); i++)
        ur_params_grads(params)[i] = (ur_real)0.25 * (ur_real)((int)i % 5 - 2);
    must(ur_optimizer_step(s->optimizer, 0.01, NULL));
    identify(s);
    for (int i = 0; i < 4; i++)
        s->carried[i] = (ur_real)i / 8;
    s->progress = (struct ur__progress){
        .step = 1, .evaluated = -1, .loss_sum = 1.5, .loss_items = 3, .train_loss = (double)NAN,
        .val_loss = (double)NAN, .figure = (double)NAN, .best = (double)NAN, .best_step = -1,
        .plateau = {.factor = 1}, .lr_factor = 1
    };
    s->checkpoint = (struct ur__checkpoint){
        .identity = s->identity.data, .facts = &s->facts, .params = params,
        .optimizer = s->optimizer, .carried = {.parts = 1, .part = {s->carried}, .n = {4}},
        .progress = &s->progress
    };
}

void small_state_free(struct small_state *s)
{
    ur_model_free(s->model);
    ur_optimizer_free(s->optimizer);
    ur__buf_free(&s->identity);
}

const char *const state_keys[] = {"format", "version", "options", "data", "progress", NULL};
const char *const optimizer_keys[] = {"format", "version", "kind", "clock", NULL};

bool file_checksum(struct ur__st_file *f, const char *const *keys, char text[9])
{
    uint32_t crc;
    must(ur__st_data_crc(f, &crc));
    for (int i = 0; keys[i]; i++) {
        const char *value = ur__st_meta(f, keys[i]);
        if (!value)
            return false;
        crc = ur__crc32(crc, keys[i], strlen(keys[i]) + 1);
        crc = ur__crc32(crc, value, strlen(value) + 1);
    }
    snprintf(text, 9, "%08x", (unsigned)crc);
    return true;
}
