/* SPDX-License-Identifier: MIT */
/* Lines that are read as texts and look like rows of labelled examples. */
#ifndef UR_TASK_LABEL_HINT_H
#define UR_TASK_LABEL_HINT_H

#include <stddef.h>

#include "unroll/data.h"

/* Zeroed: no line was seen. */
struct ur__label_hint {
    int lines, labelled;        /* of the first: how many, and with a label among their fields */
};

void ur__label_hint_see(struct ur__label_hint *h, const ur_vocab *labels, const char *line,
                        size_t n);
/* What is to be said of them; NULL: nothing. */
const char *ur__label_hint_note(const struct ur__label_hint *h);

#endif
