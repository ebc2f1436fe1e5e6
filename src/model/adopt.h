/* SPDX-License-Identifier: MIT */
/* Going on from another model's weights. */
#ifndef UR_MODEL_ADOPT_H
#define UR_MODEL_ADOPT_H

#include "model/model.h"

/* Tokens of all vocabularies: known to both models, only to the new one, only to the other. */
struct ur__adopted {
    int kept, fresh, dropped;
};

/* Copies all parameter values of `from`, a network of the same form and sizes. Tokens are matched
 * by what they are: rows and columns of a token that `from` does not know start as the mean of
 * those that it does. UR_EDATA says what differs. */
ur_status ur__model_adopt(ur_model *to, const ur_model *from, struct ur__adopted *counts);

#endif
