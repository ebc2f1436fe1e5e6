/* SPDX-License-Identifier: MIT */
/* The library's half of live.py, on the public interface alone:
 *
 *     torch_peer save LINE SEED WEIGHTS               initial values, as a module's state_dict
 *     torch_peer run  LINE WEIGHTS DATA OUTPUTS BACK  strict load, one pass, weights again
 *
 * LINE is a net of golden_case.h, or "words vocabulary=V embedding=E output=O bias=1": an
 * embedding and a linear layer. DATA holds x [T,B,I] with h_0 [L·D,B,P] and c_0 [L·D,B,H], or
 * ids [T,B]; OUTPUTS gets y, h_n and c_n. */
#include <unroll.h>

#include "golden_case.h"

#define TRY(expr)                     \
    do {                              \
        ur_status status_ = (expr);   \
        if (status_ != UR_OK)         \
            return status_;           \
    } while (0)

/* What PyTorch calls our parameters: a recurrent module's have no prefix, those of an
 * nn.Sequential are numbered. */
static const ur_rename names[] = {{"rnn.*", "*"}, {"embed.*", "0.*"}, {"out.*", "1.*"}};

struct peer {
    struct golden_case c;
    bool words;
    int T, B;
    ur_params *params;
    ur_rnn *rnn;
    ur_embedding embed;
    ur_linear_layer out;
    ur_tape *tape;
    ur_state *state;
};

static ur_status declare(struct peer *p, const char *line)
{
    TRY(ur_params_new(&p->params));
    p->words = golden_word(line, "words");
    if (p->words) {
        int E = golden_int(line, "embedding", 0);
        TRY(ur_embedding_init(&p->embed, p->params, "embed", golden_int(line, "vocabulary", 0), E));
        return ur_linear_init(&p->out, p->params, "out", E, golden_int(line, "output", 0),
                              golden_int(line, "bias", 1));
    }
    return golden_parse(&p->c, line) ? ur_rnn_new(&p->rnn, p->params, "rnn", &p->c.options)
                                     : UR_EINVAL;
}

static ur_status save(const struct peer *p, const char *path)
{
    return ur_params_save(p->params, path, 3, names, 0, NULL);
}

/* All numbers of one tensor of a file; NULL with the status of the failure. */
static ur_real *read_reals(ur_weights *file, const char *name, ur_status *status)
{
    const ur_weight *w = ur_weights_find(file, name);
    ur_real *to = calloc(w ? w->size : 1, sizeof *to);
    *status = to ? ur_weights_read(file, name, w ? w->size : 0, to) : UR_ENOMEM;
    if (*status == UR_OK)
        return to;
    free(to);
    return NULL;
}

static ur_status read_states(struct peer *p, ur_weights *file, const char *name, bool second)
{
    ur_status status;
    ur_real *all = read_reals(file, name, &status), *from = all;
    for (int slot = 0; all && slot < golden_slots(&p->c); slot++) {
        size_t n = (size_t)(p->B * golden_state_size(&p->c, slot, second));
        memcpy(ur_state_buffer(p->state, slot, second ? "c" : "h", NULL), from,
               n * sizeof *from);
        from += n;
    }
    free(all);
    return status;
}

static ur_status run_rnn(struct peer *p, ur_weights *file, ur_tensor **y)
{
    ur_status status;
    int dim[3] = {p->T, p->B, p->c.options.input};
    TRY(ur_rnn_prepare(p->rnn));
    TRY(ur_state_new(&p->state, p->rnn, p->B, NULL));
    TRY(read_states(p, file, "h_0", false));
    if (p->c.options.cell == UR_CELL_LSTM)
        TRY(read_states(p, file, "c_0", true));
    ur_real *x = read_reals(file, "x", &status);
    if (!x)
        return status;
    *y = ur_rnn_forward(p->tape, p->rnn, ur_copy_in(p->tape, 3, dim, x),
                        p->c.ragged ? p->c.lengths : NULL, p->state);
    free(x);
    return ur_tape_status(p->tape);
}

static ur_status run_words(struct peer *p, ur_weights *file, ur_tensor **y)
{
    static int32_t ids[4096];
    if (p->T > 64 || p->B > 64)
        return UR_ESHAPE;
    TRY(ur_weights_read_ids(file, "ids", (size_t)(p->T * p->B), ids));
    *y = ur_linear(p->tape, &p->out, ur_embed(p->tape, &p->embed, (ur_ids){ids, p->T, p->B}));
    return ur_tape_status(p->tape);
}

/* A store of parameters is also a way to write arrays. */
static ur_status write_outputs(struct peer *p, const ur_tensor *y, const char *path)
{
    int slots = p->words ? 0 : golden_slots(&p->c), n_y = (int)ur_size(y), n_h = 0, n_c = 0;
    for (int slot = 0; slot < slots; slot++) {
        n_h += p->B * golden_state_size(&p->c, slot, false);
        n_c += p->B * golden_state_size(&p->c, slot, true);
    }
    ur_params *file;
    const ur_param *to_y, *to_h = NULL, *to_c = NULL;
    TRY(ur_params_new(&file));
    ur_status status = ur_params_add(file, "y", 1, &n_y, (ur_start){UR_INIT_CONSTANT, 0}, &to_y);
    if (status == UR_OK && n_h)
        status = ur_params_add(file, "h_n", 1, &n_h, (ur_start){UR_INIT_CONSTANT, 0}, &to_h);
    if (status == UR_OK && n_c)
        status = ur_params_add(file, "c_n", 1, &n_c, (ur_start){UR_INIT_CONSTANT, 0}, &to_c);
    if (status == UR_OK)
        status = ur_params_build(file, 1);
    if (status == UR_OK) {
        memcpy(ur_param_data(file, to_y), ur_data(y), ur_size(y) * sizeof(ur_real));
        ur_real *h = to_h ? ur_param_data(file, to_h) : NULL;
        ur_real *c = to_c ? ur_param_data(file, to_c) : NULL;
        for (int slot = 0; slot < slots; slot++) {
            size_t nh = (size_t)(p->B * golden_state_size(&p->c, slot, false));
            size_t nc = (size_t)(p->B * golden_state_size(&p->c, slot, true));
            memcpy(h, ur_state_buffer(p->state, slot, "h", NULL), nh * sizeof *h);
            h += nh;
            if (nc)
                memcpy(c, ur_state_buffer(p->state, slot, "c", NULL), nc * sizeof *c);
            c = nc ? c + nc : c;
        }
        status = ur_params_save(file, path, 0, NULL, 0, NULL);
    }
    ur_params_free(file);
    return status;
}

static ur_status run(struct peer *p, char **paths)
{
    ur_weights *file;
    ur_tensor *y = NULL;
    TRY(ur_params_load(p->params, paths[0], 3, names, true));
    TRY(ur_tape_new(&p->tape, NULL));
    ur_tape_set_recording(p->tape, false);
    TRY(ur_weights_open(&file, paths[1]));
    const ur_weight *x = ur_weights_find(file, p->words ? "ids" : "x");
    ur_status status = x && x->rank >= 2 ? UR_OK : UR_EDATA;
    if (status == UR_OK) {
        p->T = (int)x->dim[0];
        p->B = (int)x->dim[1];
        status = p->words ? run_words(p, file, &y) : run_rnn(p, file, &y);
    }
    ur_weights_close(file);
    if (status == UR_OK)
        status = write_outputs(p, y, paths[2]);
    return status == UR_OK ? save(p, paths[3]) : status;
}

int main(int argc, char **argv)
{
    static struct peer p;
    bool saves = argc == 5 && !strcmp(argv[1], "save");
    if (!saves && !(argc == 7 && !strcmp(argv[1], "run")))
        return 2;
    ur_status status = declare(&p, argv[2]);
    if (status == UR_OK && saves) {
        status = ur_params_build(p.params, strtoull(argv[3], NULL, 10));
        if (status == UR_OK)
            status = save(&p, argv[4]);
    } else if (status == UR_OK) {
        status = run(&p, argv + 3);
    }
    if (status != UR_OK)
        fprintf(stderr, "torch_peer: %s: %s: %s\n", argv[2], ur_status_name(status), ur_errmsg());
    ur_state_free(p.state);
    ur_tape_free(p.tape);
    ur_rnn_free(p.rnn);
    ur_params_free(p.params);
    return status != UR_OK;
}
