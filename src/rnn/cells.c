/* SPDX-License-Identifier: MIT */
#include "rnn/cells.h"

#include <string.h>

#include "base/status.h"

static const struct ur__cell *const cells[] = {&ur__cell_rnn, &ur__cell_lstm, &ur__cell_gru};
enum { N_CELLS = sizeof cells / sizeof *cells };

const struct ur__cell *ur__cell_of(ur_cell kind)
{
    for (int i = 0; i < N_CELLS; i++)
        if (cells[i]->kind == kind)
            return cells[i];
    return NULL;
}

const struct ur__cell *ur__cell_in_form(ur_cell kind, bool residual, bool zoneout, bool coupled,
                                        bool peepholes_or_clip)
{
    if (kind == UR_CELL_RNN && (residual || zoneout))
        return residual ? &ur__cell_rnn_residual : &ur__cell_rnn_kept;
    if (kind == UR_CELL_LSTM && coupled)
        return &ur__cell_lstm_coupled;
    if (kind == UR_CELL_LSTM && peepholes_or_clip)
        return &ur__cell_lstm_form;
    return ur__cell_of(kind);
}

const char *ur_cell_name(ur_cell cell)
{
    const struct ur__cell *c = ur__cell_of(cell);
    return c ? c->name : NULL;
}

bool ur_cell_find(const char *name, ur_cell *out)
{
    UR__NEED_OR(name, "name", false);
    UR__NEED_OR(out, "out", false);
    for (int i = 0; name && i < N_CELLS; i++)
        if (!strcmp(cells[i]->name, name)) {
            *out = cells[i]->kind;
            return true;
        }
    return false;
}

static const char *const activations[] = {
    [UR_ACT_IDENTITY] = "identity", [UR_ACT_TANH] = "tanh", [UR_ACT_RELU] = "relu",
    [UR_ACT_SIGMOID] = "sigmoid", [UR_ACT_SATLIN] = "satlin",
};
enum { N_ACTIVATIONS = sizeof activations / sizeof *activations };

const char *ur_activation_name(ur_activation f)
{
    return (unsigned)f < N_ACTIVATIONS ? activations[f] : NULL;
}

bool ur_activation_find(const char *name, ur_activation *out)
{
    UR__NEED_OR(name, "name", false);
    UR__NEED_OR(out, "out", false);
    for (int i = 0; name && i < N_ACTIVATIONS; i++)
        if (!strcmp(activations[i], name)) {
            *out = (ur_activation)i;
            return true;
        }
    return false;
}

void ur_moments(size_t n, const ur_real *x, double *mean, double *variance)
{
    if (n > 0)
        UR__NEED_OR(x, "x", );
    UR__NEED_OR(mean, "mean", );
    UR__NEED_OR(variance, "variance", );
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i];
    *mean = n ? sum / (double)n : 0;
    for (size_t i = 0; i < n; i++)
        squares += ((double)x[i] - *mean) * ((double)x[i] - *mean);
    *variance = n > 1 ? squares / (double)(n - 1) : 0;
}
