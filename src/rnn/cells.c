/* SPDX-License-Identifier: MIT */
#include "rnn/cells.h"

#include <string.h>

#include "rnn/cell_list.h"

#define DECLARE(x) extern const struct ur__cell ur__cell_##x;
#define ENTRY(x) &ur__cell_##x,
#define NOTHING(x)
UR__CELLS(DECLARE, NOTHING)
static const struct ur__cell *const cells[] = {UR__CELLS(ENTRY, NOTHING)};
enum { N_CELLS = sizeof cells / sizeof *cells };

const struct ur__cell *ur__cell_at(int i)
{
    return i >= 0 && i < N_CELLS ? cells[i] : NULL;
}

const struct ur__cell *ur__cell_of(ur_cell kind)
{
    for (int i = 0; i < N_CELLS; i++)
        if (cells[i]->kind == kind)
            return cells[i];
    return NULL;
}

const struct ur__cell *ur__cell_in_form(const struct ur__cell *cell,
                                        const struct ur__rnn_layer *d)
{
    return cell->form ? cell->form(d) : cell;
}

bool ur__cell_has(const struct ur__cell *cell, const char *option)
{
    for (const char *const *o = cell->options; o && *o; o++)
        if (!strcmp(*o, option))
            return true;
    return false;
}

int ur__cell_extras(const struct ur__rnn_layer *d, struct ur__cell_extra out[UR__CELL_EXTRAS])
{
    return d->cell->extras ? d->cell->extras(d, out) : 0;
}
