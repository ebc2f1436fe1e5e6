/* SPDX-License-Identifier: MIT */
#include "task/answer.h"

#include "base/status.h"

void ur__answer_clear(struct ur__answer *a)
{
    a->text.size = a->words.size = a->candidates.size = a->places.size = 0;
}

void ur__answer_free(struct ur__answer *a)
{
    ur__buf_free(&a->text);
    ur__buf_free(&a->words);
    ur__buf_free(&a->candidates);
    ur__buf_free(&a->places);
}

static ur_place *places(const struct ur__answer *a, int *n)
{
    *n = (int)(a->places.size / sizeof(ur_place));
    return (void *)a->places.data;
}

ur_status ur__answer_place(struct ur__answer *a)
{
    const ur_place none = {0, NULL};
    return ur__buf_put(&a->places, &none, sizeof none);
}

ur_status ur__answer_candidate(struct ur__answer *a, const char *text, size_t n, double p)
{
    const ur_candidate one = {NULL, n, p};
    int count;
    ur_place *place = places(a, &count);
    UR__TRY(ur__buf_put(&a->words, text, n));
    UR__TRY(ur__buf_put(&a->candidates, &one, sizeof one));
    place[count - 1].n++;
    return UR_OK;
}

void ur__answer_give(struct ur__answer *a, ur_answer *out)
{
    const char *text = a->words.data;
    ur_candidate *next = (void *)a->candidates.data;
    ur_place *place = places(a, &out->n_places);
    for (int i = 0; i < out->n_places; i++) {
        place[i].best = next;
        for (int k = 0; k < place[i].n; k++, next++) {
            next->text = text;
            text += next->n;
        }
    }
    out->place = place;
    out->text = a->text.size ? a->text.data : "";
    out->n = a->text.size;
}
