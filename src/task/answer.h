/* SPDX-License-Identifier: MIT */
/* An answer to a line in the making (unroll/task.h). */
#ifndef UR_TASK_ANSWER_H
#define UR_TASK_ANSWER_H

#include "base/text.h"
#include "unroll/task.h"

/* Zeroed: an empty one. Texts of candidates stand in words one after the other; pointers are made
 * when nothing moves any more. */
struct ur__answer {
    struct ur__buf text, words;
    struct ur__buf candidates;      /* of ur_candidate, those of one place after the other */
    struct ur__buf places;          /* of ur_place */
    struct ur__buf tokens, spelled; /* of ur_token_weight, and their texts one after the other */
    struct ur__buf rows, labels;    /* of ur_forecast_row, and of each its two texts with zeros */
    struct ur__buf made, made_text; /* the same of tokens that were made */
    struct ur__buf alignment;       /* of double */
    ur_answer given;                /* of ur__answer_give */
};

void ur__answer_clear(struct ur__answer *a);
void ur__answer_free(struct ur__answer *a);
/* Begins a place; its candidates follow, the likeliest first. The answer's text is not touched. */
ur_status ur__answer_place(struct ur__answer *a);
ur_status ur__answer_candidate(struct ur__answer *a, const char *text, size_t n, double p);
/* The line's next token and its weight. */
ur_status ur__answer_token(struct ur__answer *a, const char *text, size_t n, double weight);
/* The next row of a forecast; its texts are copied. */
ur_status ur__answer_row(struct ur__answer *a, const ur_forecast_row *row);
/* The next token that was made, how likely it was, and how much it looked at each of the line's n
 * tokens. */
ur_status ur__answer_made(struct ur__answer *a, const char *text, size_t size, double p);
ur_status ur__answer_looks(struct ur__answer *a, int n, const ur_real *weights);
/* What there is, of places and a figure so called; borrowed until something is added. */
const ur_answer *ur__answer_give(struct ur__answer *a, const char *places, const char *figure);

#endif
