/* SPDX-License-Identifier: MIT */
/*
 * A net that PyTorch trained, run in C. Looks into a safetensors file, builds the layers that
 * its shapes tell, reads the weights, and writes on from a few words.
 *
 *     use_pytorch_weights [MODEL.safetensors]
 *
 * The model is ml5's charRNN on Shakespeare: nn.Embedding "embedding", nn.LSTM "rnn",
 * nn.Linear "decoder". Without an argument it is looked for below $UNROLL_DATA.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unroll.h>

enum { WRITTEN = 200 };

/* The model's tokens in the order of their numbers; one is two blanks, one empty. */
static const char *const tokens[] = {
    " ", "e", "t", "o", "a", "h", "s", "r", "n", "i", "\n", "l", "d", "  ", "m", "y", ",", "w",
    "f", "c", "g", "I", "b", "p", ":", ".", "A", "v", "k", "T", "'", "E", "O", "N", "R", "S",
    "L", "C", ";", "W", "", "H", "M", "B", "?", "G", "!", "D", "-", "F", "Y", "P", "K", "V",
    "j", "q", "x", "z", "J", "Q", "Z", "X", "3", "&", "$",
};
enum { TOKENS = sizeof tokens / sizeof *tokens };

struct net {
    ur_params *params;
    ur_embedding embedding;
    ur_rnn *rnn;
    ur_linear_layer decoder;
    ur_state *state;
    ur_tape *tape;
};

/* ---- looking into the file --------------------------------------------- */

/* Prints what it holds. */
static void look(const ur_weights *file)
{
    for (int i = 0; i < ur_weights_count(file); i++) {
        const ur_weight *w = ur_weights_at(file, i);
        printf("%-20s %s", w->name, w->type);
        for (int d = 0; d < w->rank; d++)
            printf("%s%d", d ? "," : " ", (int)w->dim[d]);
        putchar('\n');
    }
}

/* ---- the same net in C ------------------------------------------------- */

/* Prefixes as in the file, so that no map of names is needed. */
static ur_status make(struct net *n, ur_weights *file, const char *path)
{
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    ur_status status = ur_weights_rnn_options(file, "rnn", 0, NULL, &o);
    if (status == UR_OK)
        status = ur_params_new(&n->params);
    if (status == UR_OK)
        status = ur_embedding_init(&n->embedding, n->params, "embedding", TOKENS, o.input);
    if (status == UR_OK)
        status = ur_rnn_new(&n->rnn, n->params, "rnn", &o);
    if (status == UR_OK)
        status = ur_linear_init(&n->decoder, n->params, "decoder", ur_rnn_output(n->rnn), TOKENS,
                                true);
    if (status == UR_OK)
        status = ur_params_load(n->params, path, 0, NULL, true);
    if (status == UR_OK)
        status = ur_rnn_prepare(n->rnn);
    if (status == UR_OK)
        status = ur_state_new(&n->state, n->rnn, 1, NULL);
    if (status == UR_OK)
        status = ur_tape_new(&n->tape, NULL);
    if (status == UR_OK)
        ur_tape_set_recording(n->tape, false);
    return status;
}

/* Feeds a token; *next is the likeliest to follow. */
static ur_status feed(struct net *n, int32_t id, int32_t *next)
{
    ur_tape_reset(n->tape);
    ur_tensor *x = ur_embed(n->tape, &n->embedding, (ur_ids){&id, 1, 1});
    ur_tensor *h = ur_rnn_forward(n->tape, n->rnn, x, NULL, n->state);
    const ur_real *y = ur_data(ur_linear(n->tape, &n->decoder, h));
    *next = 0;
    for (int i = 1; y && i < TOKENS; i++)
        *next = y[i] > y[*next] ? i : *next;
    ur_state_detach(n->state);
    return ur_tape_status(n->tape);
}

static ur_status write_on(struct net *n, const char *prompt)
{
    int32_t next = 0;
    ur_status status = UR_OK;
    printf("\n%s", prompt);
    for (; *prompt && status == UR_OK; prompt++) {
        int32_t id = 0;
        const char letter[2] = {*prompt, '\0'};
        while (id < TOKENS && strcmp(tokens[id], letter) != 0)
            id++;
        status = feed(n, id, &next);
    }
    for (int i = 0; i < WRITTEN && status == UR_OK; i++) {
        fputs(tokens[next], stdout);
        status = feed(n, next, &next);
    }
    putchar('\n');
    return status;
}

int main(int argc, char **argv)
{
    static char found[1000];
    const char *data = getenv("UNROLL_DATA"), *path = argc > 1 ? argv[1] : found;
    struct net n = {0};
    ur_weights *file;
    snprintf(found, sizeof found, "%s/interop/models/charrnn_shakespeare/model.safetensors",
             data ? data : ".");
    ur_status status = ur_weights_open(&file, path);
    if (status == UR_EINPUT && argc == 1) {
        printf("skipped: %s\n", ur_errmsg());
        return 77;
    }
    if (status == UR_OK) {
        look(file);
        status = make(&n, file, path);
    }
    if (status == UR_OK)
        status = write_on(&n, "The king of the ");
    if (status != UR_OK)
        fprintf(stderr, "use_pytorch_weights: %s\n", ur_errmsg());
    ur_tape_free(n.tape);
    ur_state_free(n.state);
    ur_rnn_free(n.rnn);
    ur_params_free(n.params);
    ur_weights_close(file);
    return status != UR_OK;
}
