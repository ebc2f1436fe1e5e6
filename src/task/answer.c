/* SPDX-License-Identifier: MIT */
#include "task/answer.h"

#include <string.h>

#include "base/status.h"

void ur__answer_clear(struct ur__answer *a)
{
    a->text.size = a->words.size = a->candidates.size = a->places.size = 0;
    a->tokens.size = a->spelled.size = a->rows.size = a->labels.size = 0;
    a->made.size = a->made_text.size = a->alignment.size = 0;
}

void ur__answer_free(struct ur__answer *a)
{
    ur__buf_free(&a->text);
    ur__buf_free(&a->words);
    ur__buf_free(&a->candidates);
    ur__buf_free(&a->places);
    ur__buf_free(&a->tokens);
    ur__buf_free(&a->spelled);
    ur__buf_free(&a->rows);
    ur__buf_free(&a->labels);
    ur__buf_free(&a->made);
    ur__buf_free(&a->made_text);
    ur__buf_free(&a->alignment);
}

static ur_place *places_of(const struct ur__answer *a, int *n)
{
    *n = (int)(a->places.size / sizeof(ur_place));
    return (void *)a->places.data;
}

ur_status ur__answer_place(struct ur__answer *a)
{
    const ur_place none = {.n = 0};
    return ur__buf_put(&a->places, &none, sizeof none);
}

ur_status ur__answer_candidate(struct ur__answer *a, const char *text, size_t n, double p)
{
    const ur_candidate one = {.n = n, .p = p};
    int count;
    ur_place *place = places_of(a, &count);
    UR__TRY(ur__buf_put(&a->words, text, n));
    UR__TRY(ur__buf_put(&a->candidates, &one, sizeof one));
    place[count - 1].n++;
    return UR_OK;
}

static ur_status put_token(struct ur__buf *tokens, struct ur__buf *texts, const char *text,
                           size_t n, double weight)
{
    const ur_token_weight one = {.n = n, .weight = weight};
    UR__TRY(ur__buf_put(texts, text, n));
    return ur__buf_put(tokens, &one, sizeof one);
}

ur_status ur__answer_token(struct ur__answer *a, const char *text, size_t n, double weight)
{
    return put_token(&a->tokens, &a->spelled, text, n, weight);
}

ur_status ur__answer_made(struct ur__answer *a, const char *text, size_t size, double p)
{
    return put_token(&a->made, &a->made_text, text, size, p);
}

ur_status ur__answer_looks(struct ur__answer *a, int n, const ur_real *weights)
{
    for (int i = 0; i < n; i++) {
        const double weight = (double)weights[i];
        UR__TRY(ur__buf_put(&a->alignment, &weight, sizeof weight));
    }
    return UR_OK;
}

ur_status ur__answer_row(struct ur__answer *a, const ur_forecast_row *row)
{
    UR__TRY(ur__buf_put(&a->labels, row->series, strlen(row->series) + 1));
    UR__TRY(ur__buf_put(&a->labels, row->time, strlen(row->time) + 1));
    return ur__buf_put(&a->rows, row, sizeof *row);
}

static const ur_forecast_row *give_rows(struct ur__answer *a, int *n)
{
    const char *text = a->labels.data;
    ur_forecast_row *row = (void *)a->rows.data;
    *n = (int)(a->rows.size / sizeof *row);
    for (int i = 0; i < *n; i++) {
        row[i].series = text;
        text += strlen(text) + 1;
        row[i].time = text;
        text += strlen(text) + 1;
    }
    return row;
}

/* Texts stay where they are from now on. */
static const ur_token_weight *give_tokens(struct ur__buf *tokens, const struct ur__buf *texts,
                                          int *n)
{
    const char *text = texts->data;
    ur_token_weight *token = (void *)tokens->data;
    *n = (int)(tokens->size / sizeof *token);
    for (int i = 0; i < *n; i++) {
        token[i].text = text;
        text += token[i].n;
    }
    return token;
}

const ur_answer *ur__answer_give(struct ur__answer *a, const char *places, const char *figure)
{
    const char *text = a->words.data;
    ur_candidate *next = (void *)a->candidates.data;
    int n;
    ur_place *place = places_of(a, &n);
    for (int i = 0; i < n; i++) {
        place[i].best = next;
        for (int k = 0; k < place[i].n; k++, next++) {
            next->text = text;
            text += next->n;
        }
    }
    a->given = (ur_answer){.text = a->text.size ? a->text.data : "", .n = a->text.size,
                           .places = places, .figure = figure, .n_places = n, .place = place};
    a->given.token = give_tokens(&a->tokens, &a->spelled, &a->given.n_tokens);
    a->given.made = give_tokens(&a->made, &a->made_text, &a->given.n_made);
    a->given.alignment = a->alignment.size ? (const void *)a->alignment.data : NULL;
    a->given.row = give_rows(a, &a->given.n_rows);
    return &a->given;
}
