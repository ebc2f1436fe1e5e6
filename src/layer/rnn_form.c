/* SPDX-License-Identifier: MIT */
#include "layer/rnn_form.h"

#include <stdio.h>

#include "rnn/cells.h"

/* A stack in which one of these differs from its default computes what PyTorch's modules cannot,
 * relu aside. Some show as tensors that PyTorch lacks; the first of the others that is set renames
 * weight_hh. */
static const struct {
    const char *option;
    const char *name;       /* weight_hh_NAME; NULL: its tensors show it */
} forms[] = {
    {"coupled", "coupled"},
    {"cell-clip", "clip"},
    {"time-residual", "residual"},
    {"reset", "before"},
    {"activation", ""},     /* the activation's */
    {"zoneout", "zoneout"},
    {"zoneout-cell", "zoneout"},
    {"peepholes", NULL},
    {"learned-state", NULL},
    {"output-activation", NULL},
    {"norm", NULL},
};
enum { N_FORMS = sizeof forms / sizeof *forms };

const ur_option *ur__rnn_form_row(int i)
{
    return i < N_FORMS ? ur__rnn_row(forms[i].option) : NULL;
}

/* Does the stack have this form, which PyTorch lacks? */
static bool is_own(const ur_rnn_options *o, int i)
{
    const ur_option *row = ur__rnn_form_row(i);
    bool relu = row->at == ur__rnn_row("activation")->at && o->activation == UR_ACT_RELU;
    return ur__rnn_given(o, row) && !relu;
}

void ur__rnn_recurrent_name(const ur_rnn_options *o, char out[UR__RECURRENT_NAME])
{
    const char *name = NULL;
    for (int i = 0; i < N_FORMS && !name; i++)
        if (is_own(o, i))
            name = forms[i].name;
    if (name && !*name)
        name = ur_activation_name(o->activation);
    snprintf(out, UR__RECURRENT_NAME, "weight_hh%s%s", name ? "_" : "", name ? name : "");
}

bool ur__rnn_is_torch(const ur_rnn_options *o)
{
    for (int l = 1; l < o->layers; l++)
        if (o->hidden[l] != o->hidden[0] || o->projection[l] != o->projection[0])
            return false;
    for (int i = 0; i < N_FORMS; i++)
        if (is_own(o, i))
            return false;
    const struct ur__cell *cell = ur__cell_of(o->cell);
    return cell && cell->torch;
}
