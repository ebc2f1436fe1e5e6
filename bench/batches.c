/* SPDX-License-Identifier: MIT */
#include "batches.h"

#include <stdlib.h>
#include <string.h>

bool batch_is_tagged(const struct row *row)
{
    return row->kind == ROW_TAG || row->kind == ROW_TAG_MIX;
}

/* Coprime to the numbers of examples there are: places once each, in no order. */
static int shuffled(int i, int n)
{
    return (int)((int64_t)i * 7919 % n);
}

/* Of row b of batch k. */
static int length(const struct row *row, int k, int b)
{
    bool mixed = row->kind == ROW_CLASSIFY_MIX || row->kind == ROW_TAG_MIX;
    int64_t n = (int64_t)BATCHES * row->B, least = (row->T + 24) / 25;
    int64_t rank = mixed ? shuffled(k * row->B + b, (int)n)
                         : k * row->B + shuffled(b, row->B);
    return (int)(least + (row->T - least) * rank * rank / ((n - 1) * (n - 1)));
}

static int32_t word(uint32_t i)
{
    return (int32_t)(row_random(i, STREAM_IDS) % WORDS >> row_random(i, STREAM_RARE) % 13);
}

static int spelled_length(int32_t id)
{
    return 2 + (int)(row_random((uint32_t)id, STREAM_LONG) % (MOST_LETTERS - 1));
}

/* ---- making ------------------------------------------------------------ */

static void fill(const struct row *row, int k, struct batch *x)
{
    bool tagged = batch_is_tagged(row);
    for (int b = 0; b < x->B; b++) {
        uint32_t example = (uint32_t)(k * row->B + b), first = example * (uint32_t)row->T;
        for (int t = 0; t < x->T; t++) {
            int at = t * x->B + b;
            bool lives = t < x->lengths[b];
            x->ids[at] = lives ? word(first + (uint32_t)t) : 0;
            if (tagged)
                x->target[at] = lives ? x->ids[at] % TAGS : -1;
        }
        if (!tagged)
            x->target[b] = (int32_t)(row_random(example, STREAM_LABEL) % CLASSES);
    }
}

/* Numbers the distinct words by where they come first; slot [WORDS]. */
static void spell(struct batch *x, int32_t *distinct, int32_t *slot)
{
    memset(slot, 0xff, WORDS * sizeof *slot);
    for (int at = 0; at < x->T * x->B; at++) {
        if (at / x->B < x->lengths[at % x->B] && slot[x->ids[at]] < 0) {
            distinct[x->W] = x->ids[at];
            slot[x->ids[at]] = x->W++;
        }
        x->spelling[at] = at / x->B < x->lengths[at % x->B] ? slot[x->ids[at]] : 0;
    }
    for (int w = 0; w < x->W; w++) {
        x->letter_lengths[w] = spelled_length(distinct[w]);
        x->C = x->letter_lengths[w] > x->C ? x->letter_lengths[w] : x->C;
    }
    for (int c = 0; c < x->C; c++)
        for (int w = 0; w < x->W; w++) {
            uint32_t i = (uint32_t)(distinct[w] * MOST_LETTERS + c);
            x->letters[c * x->W + w] =
                c < x->letter_lengths[w] ? (int32_t)(row_random(i, STREAM_LETTER) % LETTERS) : 0;
        }
}

static bool take(const struct row *row, struct batch *x)
{
    size_t n = (size_t)x->T * (size_t)x->B;
    x->ids = malloc(n * sizeof *x->ids);
    x->target = malloc(n * sizeof *x->target);
    if (batch_is_tagged(row)) {
        x->letters = malloc(MOST_LETTERS * n * sizeof *x->letters);
        x->spelling = malloc(n * sizeof *x->spelling);
        x->letter_lengths = malloc(n * sizeof *x->letter_lengths);
        if (x->letters == NULL || x->spelling == NULL || x->letter_lengths == NULL)
            return false;
    }
    return x->ids != NULL && x->target != NULL;
}

bool batch_make(const struct row *row, int k, struct batch *x)
{
    *x = (struct batch){.B = row->B, .lengths = malloc((size_t)row->B * sizeof *x->lengths)};
    if (x->lengths == NULL)
        return false;
    for (int b = 0; b < x->B; b++) {
        x->lengths[b] = length(row, k, b);
        x->T = x->lengths[b] > x->T ? x->lengths[b] : x->T;
    }
    if (!take(row, x)) {
        batch_free(x);
        return false;
    }
    fill(row, k, x);
    if (batch_is_tagged(row)) {
        int32_t *room = malloc(((size_t)x->T * (size_t)x->B + WORDS) * sizeof *room);
        if (room == NULL) {
            batch_free(x);
            return false;
        }
        spell(x, room + WORDS, room);
        free(room);
    }
    return true;
}

void batch_free(struct batch *x)
{
    free(x->ids);
    free(x->target);
    free(x->lengths);
    free(x->letters);
    free(x->spelling);
    free(x->letter_lengths);
    *x = (struct batch){0};
}

/* ---- costs ------------------------------------------------------------- */

static double sum(const int *x, int n)
{
    double s = 0;
    for (int i = 0; i < n; i++)
        s += x[i];
    return s;
}

/* Of an LSTM's step in both directions. */
static double step(double inputs, double units)
{
    return 2 * 4 * units * (inputs + units);
}

double batches_products(const struct row *row)
{
    double inputs = EMBED + (batch_is_tagged(row) ? 2.0 * LETTER_UNITS : 0), H = row->H;
    double products = 0;
    for (int k = 0; k < BATCHES; k++) {
        struct batch x;
        if (!batch_make(row, k, &x))
            return 0;
        double steps = sum(x.lengths, x.B);
        products += steps * step(inputs, H);
        products += batch_is_tagged(row) ? 2 * H * TAGS * steps : 2 * H * CLASSES * x.B;
        if (batch_is_tagged(row))
            products += sum(x.letter_lengths, x.W) * step(LETTER_EMBED, LETTER_UNITS);
        batch_free(&x);
    }
    return products;
}
