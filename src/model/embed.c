/* SPDX-License-Identifier: MIT */
#include "model/embed.h"

#include "base/status.h"

void ur__text_net_open(void *config)
{
    ((struct ur__text_net *)config)->embed = -1;
}

ur_status ur__text_net_resolve(struct ur__text_net *c, int sides)
{
    UR__TRY(ur__stack_resolve(&c->stack, 2));
    int top = sides * ur__stack_top(&c->stack);
    if (c->embed < 0)
        c->embed = c->tie ? top : 0;
    if (c->tie && c->embed != top)
        return ur__fail(UR_EINVAL, "tie needs embed %d, the size that the decoder reads, but it "
                        "is %d", top, c->embed);
    return UR_OK;
}

ur_ids ur__field_ids(const ur_field *field)
{
    return (ur_ids){field->ids, field->dim[0], field->dim[1]};
}

ur_tensor *ur__embedded_forward(ur_tape *tape, const ur_rnn *rnn, const ur_embedding *embedding,
                                ur_ids ids, const int *lengths, ur_state *state)
{
    if (!embedding)
        return ur_rnn_forward_ids(tape, rnn, ids, lengths, state);
    return ur_rnn_forward(tape, rnn, ur_embed(tape, embedding, ids), lengths, state);
}
