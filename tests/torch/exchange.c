/* SPDX-License-Identifier: MIT */
/* One net for exchange.py: reads its weights, runs it, writes them and the outputs back.
 *
 *     exchange WEIGHTS DATA CELL I H L D P BIASES RELU WEIGHTS-OUT OUTPUTS-OUT
 *
 * DATA holds x [T,B,I]; OUTPUTS-OUT gets y [T,B,D·P], h [L·D,B,P] and c [L·D,B,H]. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unroll.h>

enum { MAX_LAYERS = 8 };

static const ur_rename names[] = {{"rnn.*", "net.core.*"}};

struct job {
    ur_rnn_options o;
    int hidden[MAX_LAYERS], projection[MAX_LAYERS];
    int T, B;
    ur_params *params, *outputs;
    ur_rnn *rnn;
    ur_state *state;
    ur_tape *tape;
};

static ur_status make(struct job *j, const char *weights)
{
    ur_status status = ur_params_new(&j->params);
    if (status == UR_OK)
        status = ur_rnn_new(&j->rnn, j->params, "rnn", &j->o);
    if (status == UR_OK)
        status = ur_params_load(j->params, weights, 1, names, true);
    if (status == UR_OK)
        status = ur_rnn_prepare(j->rnn);
    return status;
}

static ur_status run(struct job *j, const char *data, ur_tensor **y)
{
    ur_weights *file;
    ur_status status = ur_weights_open(&file, data);
    if (status != UR_OK)
        return status;
    const ur_weight *w = ur_weights_find(file, "x");
    int dim[3] = {w ? (int)w->dim[0] : 1, w ? (int)w->dim[1] : 1, j->o.input};
    j->T = dim[0];
    j->B = dim[1];
    ur_real *x = calloc(w ? w->size : 1, sizeof *x);
    status = ur_weights_read(file, "x", w ? w->size : 1, x);
    if (status == UR_OK)
        status = ur_state_new(&j->state, j->rnn, j->B, NULL);
    if (status == UR_OK)
        status = ur_tape_new(&j->tape, NULL);
    if (status == UR_OK) {
        ur_tape_set_recording(j->tape, false);
        *y = ur_rnn_forward(j->tape, j->rnn, ur_copy_in(j->tape, 3, dim, x), NULL, j->state);
        status = ur_tape_status(j->tape);
    }
    free(x);
    ur_weights_close(file);
    return status;
}

/* A store of three parameters is also a way to write three arrays. */
static ur_status write_outputs(struct job *j, const ur_tensor *y, const char *path)
{
    int slots = ur_rnn_layers(j->rnn) * ur_rnn_directions(j->rnn);
    int P = ur_rnn_state_size(j->rnn, 0), H = ur_rnn_hidden(j->rnn, 0);
    int ydim[3] = {j->T, j->B, ur_rnn_output(j->rnn)};
    int hdim[3] = {slots, j->B, P}, cdim[3] = {slots, j->B, H};
    const ur_param *py, *ph, *pc;
    ur_status status = ur_params_new(&j->outputs);
    if (status == UR_OK)
        status = ur_params_add(j->outputs, "y", 3, ydim, UR_CONSTANT, 0, &py);
    if (status == UR_OK)
        status = ur_params_add(j->outputs, "h", 3, hdim, UR_CONSTANT, 0, &ph);
    if (status == UR_OK)
        status = ur_params_add(j->outputs, "c", 3, cdim, UR_CONSTANT, 0, &pc);
    if (status == UR_OK)
        status = ur_params_build(j->outputs, 1);
    if (status != UR_OK)
        return status;
    memcpy(ur_param_data(j->outputs, py), ur_data(y), py->size * sizeof(ur_real));
    for (int i = 0; i < slots; i++) {
        size_t h = (size_t)j->B * (size_t)P, c = (size_t)j->B * (size_t)H;
        memcpy(ur_param_data(j->outputs, ph) + (size_t)i * h, ur_state_h(j->state, i),
               h * sizeof(ur_real));
        if (ur_state_c(j->state, i))
            memcpy(ur_param_data(j->outputs, pc) + (size_t)i * c, ur_state_c(j->state, i),
                   c * sizeof(ur_real));
    }
    return ur_params_save(j->outputs, path, 0, NULL, 0, NULL);
}

int main(int argc, char **argv)
{
    struct job j = {.o = UR_RNN_OPTIONS_INIT};
    ur_tensor *y = NULL;
    int n[8];
    if (argc != 13)
        return 2;
    for (int i = 0; i < 7; i++)
        n[i] = (int)strtol(argv[4 + i], NULL, 10);
    if (!ur_cell_find(argv[3], &j.o.cell) || n[2] > MAX_LAYERS)
        return 2;
    for (int l = 0; l < n[2]; l++) {
        j.hidden[l] = n[1];
        j.projection[l] = n[4];
    }
    j.o.input = n[0];
    j.o.hidden = j.hidden;
    j.o.layers = n[2];
    j.o.bidirectional = n[3] == 2;
    j.o.projection = n[4] ? j.projection : NULL;
    j.o.biases = n[5];
    j.o.activation = n[6] ? UR_RELU : UR_TANH;
    ur_status status = make(&j, argv[1]);
    if (status == UR_OK)
        status = run(&j, argv[2], &y);
    if (status == UR_OK)
        status = write_outputs(&j, y, argv[12]);
    if (status == UR_OK)
        status = ur_params_save(j.params, argv[11], 1, names, 0, NULL);
    if (status != UR_OK)
        fprintf(stderr, "exchange: %s\n", ur_errmsg());
    ur_tape_free(j.tape);
    ur_state_free(j.state);
    ur_rnn_free(j.rnn);
    ur_params_free(j.params);
    ur_params_free(j.outputs);
    return status != UR_OK;
}
