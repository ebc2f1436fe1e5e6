/* SPDX-License-Identifier: MIT */
#include "train/carried.h"

#include <string.h>

struct ur__carried ur__carried_of(const ur_model_state *state)
{
    struct ur__carried c = {0};
    for (int i = 0; state && i < UR__MAX_BLOCKS; i++) {
        ur_state *s = ur_model_state_at(state, i);
        if (s) {
            c.part[c.parts] = ur_state_data(s, &c.n[c.parts]);
            c.parts++;
        }
    }
    return c;
}

size_t ur__carried_size(const struct ur__carried *c)
{
    size_t n = 0;
    for (int i = 0; i < c->parts; i++)
        n += c->n[i];
    return n;
}

void ur__carried_keep(const struct ur__carried *c, ur_real *to)
{
    for (int i = 0; i < c->parts; to += c->n[i++])
        memcpy(to, c->part[i], c->n[i] * sizeof *to);
}

void ur__carried_give_back(const struct ur__carried *c, const ur_real *from)
{
    for (int i = 0; i < c->parts; from += c->n[i++])
        memcpy(c->part[i], from, c->n[i] * sizeof *from);
}
