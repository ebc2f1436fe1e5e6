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

const char *ur__cell_choice(int i, int *kind)
{
    int n = 0;
    for (const struct ur__cell *c; (c = ur__cell_at(n)); n++)
        if (n == i) {
            *kind = (int)c->kind;
            return c->name;
        }
    for (int j = 0; j < N_CELLS; j++)
        if (cells[j]->norm == UR_NORM_NONE && n++ == i) {
            *kind = (int)cells[j]->kind;
            return cells[j]->name;
        }
    return NULL;
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
    const char *found;
    int kind = 0;
    for (int i = 0; (found = ur__cell_choice(i, &kind)); i++)
        if (!strcmp(found, name)) {
            *out = (ur_cell)kind;
            return true;
        }
    return false;
}
