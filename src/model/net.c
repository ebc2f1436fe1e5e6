/* SPDX-License-Identifier: MIT */
/* What networks have in common, whatever their architecture: declared in model/arch.h. */
#include <string.h>

#include "model/arch.h"
#include "model/embed.h"

const char *const ur__text_vocabs[] = {"text", NULL};
const char *const ur__text_fields[] = {"input", "target", NULL};

ur_tensor *ur__net_outputs(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                           ur_state *const *states)
{
    if (m->arch->outputs)
        return m->arch->outputs(tape, m, batch, states);
    ur_tensor *h = m->arch->features(tape, m, batch, states);
    return h ? ur_linear(tape, m->decoder, h) : NULL;
}

ur_tensor *ur__net_loss(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                        ur_state *const *states)
{
    if (m->arch->loss)
        return m->arch->loss(tape, m, batch, states);
    ur_tensor *h = m->arch->features(tape, m, batch, states);
    ur_ids targets = ur__field_ids(ur_batch_find(batch, "target"));
    return h ? ur_linear_cross_entropy(tape, m->decoder, h, targets) : NULL;
}

int ur__net_output(const ur_model *m)
{
    return m->arch->output ? m->arch->output(m) : m->decoder->O;
}

void ur__rows_select(ur_real **x, ur_real **spare, size_t width, int n, const int *from)
{
    ur_real *old = *x, *to = *spare;
    for (int i = 0; i < n; i++, to += width) {
        if (from[i] < 0)
            memset(to, 0, width * sizeof *to);
        else
            memcpy(to, old + (size_t)from[i] * width, width * sizeof *to);
    }
    *x = *spare;
    *spare = old;
}
