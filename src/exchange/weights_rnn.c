/* SPDX-License-Identifier: MIT */
/*
 * From the shapes of a file's tensors to the options of a recurrent net.
 *
 *     weight_ih [G·H,I]   weight_hh [G·H,P]   weight_hr [P,H]   weight_hy [O,P]
 *
 * H is what weight_hr reads, or P where there is none; the rows then give G, and G the cell.
 * ur_params_load checks that all tensors of the net are there and agree.
 */
#include "exchange/weights.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/sized.h"
#include "base/status.h"
#include "exchange/form.h"
#include "exchange/rename.h"
#include "layer/rnn_form.h"
#include "layer/rnn_options.h"
#include "rnn/cells.h"

struct shapes {
    const ur_weights *file;
    const char *prefix;
    int n;
    const ur_rename *map;
    struct ur__buf ours, theirs;    /* the name at work, here and in the file */
    ur_rnn_options *o;
    int gates;
};

/* The tensor that PREFIX.kind_lK is to be read from; NULL: there is none. */
static ur_status find(struct shapes *s, const char *kind, int layer, const char *suffix,
                      const ur_weight **out)
{
    bool left_out;
    s->ours.size = 0;
    *out = NULL;
    UR__TRY(ur__buf_printf(&s->ours, "%s.%s_l%d%s", s->prefix, kind, layer, suffix));
    UR__TRY(ur__rename(s->n, s->map, s->ours.data, &s->theirs, &left_out));
    if (!left_out)
        *out = ur_weights_find(s->file, s->theirs.data);
    return UR_OK;
}

/* Of two dimensions, each at least 1 and an int. */
static ur_status find_matrix(struct shapes *s, const char *kind, int layer, const ur_weight **out)
{
    UR__TRY(find(s, kind, layer, "", out));
    const ur_weight *w = *out;
    if (w && (w->rank != 2 || w->dim[0] < 1 || w->dim[1] < 1 || w->dim[0] > INT_MAX ||
              w->dim[1] > INT_MAX))
        return ur__fail(UR_ESHAPE, "%s: tensor \"%.80s\" is not a matrix, which %.80s is",
                        s->file->path, w->name, s->ours.data);
    return UR_OK;
}

static ur_status need_matrix(struct shapes *s, const char *kind, int layer, const ur_weight **out)
{
    UR__TRY(find_matrix(s, kind, layer, out));
    const char *ours = s->ours.data, *theirs = s->theirs.data ? s->theirs.data : "";
    if (!*out && strcmp(ours, theirs) == 0)
        return ur__fail(UR_EDATA, "%s: no tensor \"%.80s\"", s->file->path, ours);
    if (!*out)
        return ur__fail(UR_EDATA, "%s: no tensor \"%.80s\" for parameter %.80s", s->file->path,
                        theirs, ours);
    return UR_OK;
}

/* PyTorch's cell of so many blocks of rows. Coupled gates leave an LSTM as many as a GRU has. */
static bool find_cell(ur_rnn_options *o, int gates)
{
    const struct ur__cell *c;
    for (int i = 0; (c = ur__cell_at(i)); i++) {
        o->cell = c->kind;
        if (c->torch && ur__rnn_layer_of(o, 0, false).cell->gates == gates
            && (!o->coupled || ur__cell_has(c, "coupled")))
            return true;
    }
    return false;
}

static ur_status take_cell(struct shapes *s, const ur_weight *hh, int H)
{
    int gates = (int)(hh->dim[0] / H);
    if (hh->dim[0] % H != 0 || !find_cell(s->o, gates))
        return ur__fail(UR_ESHAPE, "%s: tensor \"%.80s\" has %lld rows, which no cell has that "
                        "PyTorch knows, with %d hidden units", s->file->path, hh->name,
                        (long long)hh->dim[0], H);
    if (s->gates && gates != s->gates)
        return ur__fail(UR_ESHAPE, "%s: tensor \"%.80s\" has %d rows a hidden unit, the first "
                        "layer's %d: one net has one cell", s->file->path, hh->name, gates,
                        s->gates);
    s->gates = gates;
    return UR_OK;
}

static ur_status take_layer(struct shapes *s, int l, const char *recurrent)
{
    const ur_weight *hh, *hr, *hy;
    UR__TRY(need_matrix(s, recurrent, l, &hh));
    UR__TRY(find_matrix(s, "weight_hr", l, &hr));
    UR__TRY(find_matrix(s, "weight_hy", l, &hy));
    s->o->hidden[l] = (int)(hr ? hr : hh)->dim[1];
    s->o->projection[l] = hr ? (int)hr->dim[0] : 0;
    s->o->output[l] = hy ? (int)hy->dim[0] : 0;
    return take_cell(s, hh, s->o->hidden[l]);
}

static ur_status take_options(struct shapes *s)
{
    const ur_weight *ih, *bias_ih, *bias_hh, *back, *peep, *h_0;
    bool said;
    UR__TRY(need_matrix(s, "weight_ih", 0, &ih));
    UR__TRY(ur__form_read(s->file->file, s->file->path, ih->name, s->o, &said));
    UR__TRY(find(s, "bias_ih", 0, "", &bias_ih));
    UR__TRY(find(s, "bias_hh", 0, "", &bias_hh));
    UR__TRY(find(s, "weight_ih", 0, "_reverse", &back));
    UR__TRY(find(s, "weight_peep", 0, "", &peep));
    UR__TRY(find(s, "h_0", 0, "", &h_0));
    s->o->input = (int)ih->dim[1];
    s->o->biases = bias_hh ? 2 : bias_ih ? 1 : 0;
    s->o->bidirectional = back;
    s->o->peepholes = peep;
    s->o->learned_state = h_0;
    return UR_OK;
}

static ur_status count_layers(struct shapes *s, int *L)
{
    const ur_weight *ih;
    *L = 0;
    do
        UR__TRY(find_matrix(s, "weight_ih", ++*L, &ih));
    while (ih);
    return UR_OK;
}

static ur_status take_all(struct shapes *s)
{
    int L;
    char recurrent[UR__RECURRENT_NAME];
    UR__TRY(take_options(s));
    if (s->o->norm != UR_NORM_NONE)
        return ur__fail(UR_EINVAL, "shapes show the options of cells without norm only");
    ur__rnn_recurrent_name(s->o, recurrent);
    UR__TRY(count_layers(s, &L));
    if (L > UR_MAX_LAYERS)
        return ur__fail(UR_EDATA, "%s: %d layers, and there can be %d", s->file->path, L,
                        UR_MAX_LAYERS);
    s->o->layers = L;
    for (int l = 0; l < L; l++)
        UR__TRY(take_layer(s, l, recurrent));
    return UR_OK;
}

ur_status ur_weights_rnn_options(const ur_weights *file, const char *prefix, int n,
                                 const ur_rename *map, ur_rnn_options *options)
{
    UR__NEED(file, "file");
    UR__NEED(prefix, "prefix");
    UR__NEED(options, "options");
    UR__TRY(ur__rename_check(n, map, NULL));
    ur_rnn_options found;
    UR__TRY(ur__rnn_options_read(&found, options));
    struct shapes s = {.file = file, .prefix = prefix, .n = n, .map = map, .o = &found};
    ur_status status = take_all(&s);
    ur__buf_free(&s.ours);
    ur__buf_free(&s.theirs);
    if (status == UR_OK)
        ur__sized_write(options, &found, sizeof found);
    return status;
}
