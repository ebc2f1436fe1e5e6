/* SPDX-License-Identifier: MIT */
/* Checks a recurrent net's options, wherever they come from. */
#include "layer/rnn_options.h"

#include <string.h>

#include "base/sized.h"
#include "base/status.h"
#include "layer/init.h"
#include "rnn/cells.h"

const char *const ur__activation_words[] = {"tanh", "relu", "sigmoid", "satlin", NULL};
const char *const ur__reset_words[] = {"after", "before", NULL};
const char *const ur__init_words[] = {"uniform", "orthogonal", NULL};
const char *const ur__norm_words[] = {"none", "layer", NULL};

static const ur_rnn_options defaults = {
    .size = sizeof defaults, .cell = UR_CELL_LSTM, .layers = 1,
    .output_activation = UR_ACT_IDENTITY, .activation = UR_ACT_TANH, .biases = 2,
};

void ur_rnn_options_init_size(ur_rnn_options *o, size_t size)
{
    ur__sized_init(o, size, &defaults, sizeof defaults);
}

ur_status ur__rnn_options_read(ur_rnn_options *to, const ur_rnn_options *from)
{
    return ur__sized_read(to, from, &defaults, sizeof defaults, "ur_rnn_options_init");
}

int ur__rnn_layer_state(const ur_rnn_options *o, int l)
{
    return o->projection[l] ? o->projection[l] : o->hidden[l];
}

/* Size of the output map of layer l, or of what a cell on the tape passes up in place of h; 0: it
 * is h. */
static int map_size(const ur_rnn_options *o, int l)
{
    const struct ur__tape_cell *tape = ur__tape_cell_of(o->cell, o->norm);
    return !tape ? o->output[l] : tape->width ? tape->width(o->hidden[l]) : 0;
}

int64_t ur__rnn_layer_output(const ur_rnn_options *o, int l)
{
    int out = map_size(o, l);
    return (o->bidirectional ? 2 : 1) * (int64_t)(out ? out : ur__rnn_layer_state(o, l));
}

int64_t ur__rnn_layer_input(const ur_rnn_options *o, int l)
{
    return l == 0 ? o->input : ur__rnn_layer_output(o, l - 1);
}

struct ur__rnn_layer ur__rnn_layer_of(const ur_rnn_options *o, int l, bool reverse)
{
    struct ur__rnn_layer d = {
        .I = (int)ur__rnn_layer_input(o, l),
        .H = o->hidden[l],
        .P = ur__rnn_layer_state(o, l),
        .O = map_size(o, l),
        .output_activation = o->output_activation,
        .biases = o->biases,
        .reverse = reverse,
        .recurrent_dropout = o->recurrent_dropout,
        .zoneout = {o->zoneout_h, o->zoneout_c},
        .activation = o->activation,
        .reset_before = o->reset_before,
        .peepholes = o->peepholes,
        .coupled = o->coupled,
        .time_residual = o->time_residual,
        .cell_clip = (ur_real)o->cell_clip,
    };
    if (!ur__tape_cell_of(o->cell, o->norm))
        d.cell = ur__cell_in_form(ur__cell_of(o->cell), &d);
    return d;
}

/* ---- rows -------------------------------------------------------------- */

struct own {
    ur_rnn_options o;
};

static const char *activation_at(int i, int *value)
{
    *value = i;
    return ur_activation_name((ur_activation)i);
}

static const ur_option rows[] = {
    /* The library's own, found before the program's of the same name. */
    {.name = "activation", .choices = activation_at, .kind = UR_OPTION_CHOICE,
     .at = offsetof(struct own, o.activation)},
    {.name = "output-activation", .choices = activation_at, .kind = UR_OPTION_CHOICE,
     .at = offsetof(struct own, o.output_activation)},
    {.name = "output", .kind = UR_OPTION_LIST_OF_INT, .at = offsetof(struct own, o.output)},
    {.name = "biases", .kind = UR_OPTION_INT, .at = offsetof(struct own, o.biases)},
    UR__STACK_ROWS("", struct own, o, "2", "0"),
};
enum { N_ROWS = sizeof rows / sizeof *rows };
static const ur_option_table table = {.rows = rows, .n = N_ROWS};

const ur_option *ur__rnn_row(const char *name)
{
    int i = ur__option_find(&table, name, strlen(name));
    return i < 0 ? NULL : &rows[i];
}

bool ur__rnn_given(const ur_rnn_options *o, const ur_option *row)
{
    const int *sizes = (const int *)(const void *)((const char *)o + row->at);
    if (row->kind != UR_OPTION_LIST_OF_INT)
        return !ur__option_same(row, o, &defaults);
    for (int l = 0; l < o->layers; l++)
        if (sizes[l])
            return true;
    return false;
}

void ur__rnn_reset(ur_rnn_options *o, const ur_option *row)
{
    size_t n = ur__option_size(row);
    memcpy((char *)o + row->at, (const char *)&defaults + row->at, n);
}

/* ---- what the cell has ------------------------------------------------- */

/* Options of every net, and those of every fused cell. What is in neither list is an option of the
 * cells that name it. */
static const char *const of_all[] = {"cell", "hidden", "layers", "norm", "dropout", "variational",
                                     "learned-state", NULL};
static const char *const of_fused[] = {"biases", "output", "output-activation", "init",
                                       "recurrent-dropout", "zoneout", NULL};

static bool listed(const char *const *list, const char *name)
{
    while (*list && strcmp(*list, name) != 0)
        list++;
    return *list;
}

static ur_status check_cell(const ur_rnn_options *o)
{
    const struct ur__tape_cell *tape = ur__tape_cell_of(o->cell, o->norm);
    const struct ur__cell *cell = tape ? NULL : ur__cell_of(o->cell);
    const struct ur__cell *form = tape ? NULL : ur__rnn_layer_of(o, 0, false).cell;
    for (int i = 0; i < N_ROWS; i++) {
        const char *name = rows[i].name;
        if (!ur__rnn_given(o, &rows[i]) || listed(of_all, name) ||
            (cell && listed(of_fused, name)))
            continue;
        if (tape ? !ur__tape_cell_has(tape, name) : !ur__cell_has(cell, name))
            return ur__fail(UR_EINVAL, "cell %s%s has no option %s", tape ? tape->name : cell->name,
                            o->norm ? " with norm" : "", name);
        if (form && !ur__cell_has(form, name))
            return ur__fail(UR_EINVAL, "cell %s has no option %s when it is %s", cell->name, name,
                            form->when);
    }
    return UR_OK;
}

/* ---- what numbers they may be ------------------------------------------ */

static ur_status check_reals(const ur_rnn_options *o)
{
    char must[UR__OPTION_MUST];
    for (int i = 0; i < N_ROWS; i++) {
        const double *x = (const double *)(const void *)((const char *)o + rows[i].at);
        if (rows[i].kind == UR_OPTION_REAL && !ur__option_in_range(&rows[i], *x))
            return ur__fail(UR_EINVAL, "%s must be %s, not %g", rows[i].name,
                            ur__option_must(&rows[i], must), *x);
    }
    return UR_OK;
}

static ur_status check_layer(const ur_rnn_options *o, int l)
{
    const struct ur__cell *cell = ur__cell_of(o->cell);
    int G = cell ? cell->gates : 4, H = o->hidden[l], O = o->output[l];
    int P = o->projection[l];
    int64_t I = ur__rnn_layer_input(o, l);
    if (H < 1 || H > (1 << 24) / (G + 1))
        return ur__fail(UR_EINVAL, "layer %d: hidden must be 1 to %d, not %d", l,
                        (1 << 24) / (G + 1), H);
    if (O < 0 || O > (1 << 29))
        return ur__fail(UR_EINVAL, "layer %d: output must be 0 to %d, not %d", l, 1 << 29, O);
    if ((int64_t)G * H * I > 0x7fffffff)
        return ur__fail(UR_EINVAL, "layer %d: %d hidden units over %lld inputs have too many "
                        "weights", l, H, (long long)I);
    if (P < 0)
        return ur__fail(UR_EINVAL, "layer %d: projection must be at least 0, not %d", l, P);
    if (P >= H)
        return ur__fail(UR_EINVAL, "layer %d: projection must be smaller than hidden (%d >= %d)",
                        l, P, H);
    return UR_OK;
}

static ur_status check_sizes(const ur_rnn_options *o)
{
    if (o->input < 1)
        return ur__fail(UR_EINVAL, "input must be at least 1, not %d", o->input);
    if (o->layers < 1 || o->layers > UR_MAX_LAYERS)
        return ur__fail(UR_EINVAL, "layers must be 1 to %d, not %d", UR_MAX_LAYERS, o->layers);
    for (int l = 0; l < o->layers; l++)
        UR__TRY(check_layer(o, l));
    return UR_OK;
}

ur_status ur__rnn_options_check(const ur_rnn_options *o)
{
    if (!ur_cell_name(o->cell))
        return ur__fail(UR_EINVAL, "there is no recurrent cell number %d", (int)o->cell);
    if (o->norm == UR_NORM_LAYER && !ur__tape_cell_of(o->cell, o->norm))
        return ur__fail(UR_EINVAL, "cell %s has no norm layer", ur_cell_name(o->cell));
    if (o->norm != UR_NORM_NONE && !ur__tape_cell_of(o->cell, o->norm))
        return ur__fail(UR_EINVAL, "cell %s has no norm number %d", ur_cell_name(o->cell),
                        (int)o->norm);
    UR__TRY(check_sizes(o));
    UR__TRY(check_cell(o));
    if (!ur_activation_name(o->activation))
        return ur__fail(UR_EINVAL, "there is no activation number %d", (int)o->activation);
    if (o->output_activation != UR_ACT_IDENTITY && o->output_activation != UR_ACT_TANH)
        return ur__fail(UR_EINVAL, "output-activation must be identity or tanh");
    if (o->output_activation != UR_ACT_IDENTITY && !ur__rnn_given(o, ur__rnn_row("output")))
        return ur__fail(UR_EINVAL, "output-activation needs an output map (output)");
    if (o->biases < 0 || o->biases > 2)
        return ur__fail(UR_EINVAL, "biases must be 0, 1 or 2, not %d", o->biases);
    if (o->forget_bias != 0 && o->biases == 0)
        return ur__fail(UR_EINVAL, "forget-bias needs biases, of which there are 0");
    return check_reals(o);
}
