/* SPDX-License-Identifier: MIT */
/* A training loop of one's own that goes on where it stopped: `own_loop FOLDER` trains a character
 * model there, each time further (`unroll sample` reads it); alone, twice in a temporary folder. */
#define _XOPEN_SOURCE 700       /* mkdtemp */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <unroll.h>

static const char text[] = "Tyger Tyger, burning bright,\nIn the forests of the night;\n";
enum { LENGTH = sizeof text - 1, UPDATES = 100 };
static const char model_file[] = "model.safetensors", state_file[] = "optimizer.safetensors";

static bool make(ur_model **model)
{
    ur_options net; ur_vocab *vocab = NULL;
    bool ok = !ur_config_init(&net, "lm") && !ur_options_set(&net, "hidden", "48")
           && !ur_vocab_of_text(&vocab, UR_TOKEN_CHAR, text, LENGTH, 1)
           && !ur_model_new(model, &net, 1, &vocab, 1);
    if (!ok)
        ur_vocab_free(vocab);   /* else it is the model's */
    return ok;
}

static bool train(bool resumes)
{
    ur_model *model = NULL; ur_optimizer *adamw = NULL; ur_tape *tape = NULL;
    ur_optimizer_options how; ur_optimizer_options_init(&how);
    ur_batch batch; int32_t ids[LENGTH]; size_t n; double loss = 0;
    ur_batch_init(&batch);
    bool ok = (resumes ? !ur_model_load(&model, model_file) : make(&model))
           && !ur_optimizer_new(&adamw, ur_model_params(model), &how, NULL)
           && !(resumes && ur_optimizer_load(adamw, state_file)) && !ur_tape_new(&tape, NULL)
           && !ur_vocab_encode(ur_model_vocab(model, NULL), text, LENGTH, ids, &n)
           && !ur_batch_ids(&batch, "input", LENGTH - 1, 1, ids, NULL)
           && !ur_batch_ids(&batch, "target", LENGTH - 1, 1, ids + 1, NULL);
    for (int i = 0; ok && i < UPDATES; i++) {
        ur_tape_reset(tape); ur_params_zero_grads(ur_model_params(model));
        ur_tensor *e = ur_model_loss(tape, model, &batch, NULL); loss = ur_scalar(e);
        ok = !ur_backward(tape, e) && !ur_optimizer_step(adamw, 0.01, NULL)
          && !ur_model_prepare(model);
    }
    ok = ok && !ur_model_save(model, model_file) && !ur_optimizer_save(adamw, state_file);
    if (ok)
        printf("%s: loss %.4f nats a character\n", resumes ? "resumed" : "begun", loss);
    else
        fprintf(stderr, "own_loop: %s\n", ur_errmsg());
    ur_tape_free(tape); ur_optimizer_free(adamw); ur_model_free(model);
    return ok;
}

int main(int argc, char **argv)
{
    char fresh[] = "/tmp/unroll-own-XXXXXX", *folder = argc > 1 ? argv[1] : mkdtemp(fresh);
    if (folder == NULL || chdir(folder) != 0)
        return perror("own_loop"), 1;
    bool ok = train(access(model_file, F_OK) == 0) && (argc > 1 || train(true));
    if (argc <= 1 && (unlink(model_file), unlink(state_file), rmdir(folder)) != 0)
        perror(folder);
    return !ok;
}
