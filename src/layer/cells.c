/* SPDX-License-Identifier: MIT */
/* The list of cells, fused and on the tape alike. */
#include <string.h>

#include "base/status.h"
#include "layer/tape_cell.h"
#include "rnn/cell_list.h"
#include "rnn/cells.h"

#define DECLARE(x) extern const struct ur__tape_cell ur__tape_cell_##x;
#define ENTRY(x) &ur__tape_cell_##x,
#define NOTHING(x)
UR__CELLS(NOTHING, DECLARE)
static const struct ur__tape_cell *const cells[] = {UR__CELLS(NOTHING, ENTRY)};
enum { N_CELLS = sizeof cells / sizeof *cells };

const struct ur__tape_cell *ur__tape_cell_of(ur_cell kind, ur_norm norm)
{
    for (int i = 0; i < N_CELLS; i++)
        if (cells[i]->kind == kind && cells[i]->norm == norm)
            return cells[i];
    return NULL;
}

bool ur__tape_cell_has(const struct ur__tape_cell *cell, const char *option)
{
    for (const char *const *o = cell->options; o && *o; o++)
        if (!strcmp(*o, option))
            return true;
    return false;
}

const char *ur_cell_name(ur_cell kind)
{
    const struct ur__cell *fused = ur__cell_of(kind);
    const struct ur__tape_cell *cell = ur__tape_cell_of(kind, UR_NORM_NONE);
    return fused ? fused->name : cell ? cell->name : NULL;
}

bool ur_cell_find(const char *name, ur_cell *out)
{
    UR__NEED_OR(name, "name", false);
    UR__NEED_OR(out, "out", false);
    const struct ur__cell *fused;
    for (int i = 0; (fused = ur__cell_at(i)); i++)
        if (!strcmp(fused->name, name)) {
            *out = fused->kind;
            return true;
        }
    for (int i = 0; i < N_CELLS; i++)
        if (cells[i]->norm == UR_NORM_NONE && !strcmp(cells[i]->name, name)) {
            *out = cells[i]->kind;
            return true;
        }
    return false;
}
