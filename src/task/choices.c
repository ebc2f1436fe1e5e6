/* SPDX-License-Identifier: MIT */
#include "model/tag.h"
#include "task/choice.h"

const struct ur__choice *ur__choice_of(const ur_model *model)
{
    return ur__tag_chain(model)      ? &ur__choice_chain
           : ur__tag_feedback(model) ? &ur__choice_feedback
                                     : NULL;
}
