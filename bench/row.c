/* SPDX-License-Identifier: MIT */
#include "row.h"

#include "batches.h"
#include "unroll/layer.h"

#include <stdio.h>
#include <string.h>

static const struct row grid[] = {
    {ROW_TRAIN, UR_CELL_LSTM, 64, 64, 128, 1, 1, true},
    {ROW_TRAIN, UR_CELL_LSTM, 64, 64, 512, 1, 1, true},
    {ROW_TRAIN, UR_CELL_LSTM, 50, 50, 512, 2, 1, false},
    {ROW_TRAIN, UR_CELL_LSTM, 100, 32, 1024, 1, 1, false},
    {ROW_TRAIN, UR_CELL_GRU, 64, 64, 128, 1, 1, true},
    {ROW_TRAIN, UR_CELL_GRU, 64, 64, 512, 1, 1, false},
    {ROW_TRAIN, UR_CELL_GRU, 100, 32, 1024, 1, 1, false},
    {ROW_TRAIN, UR_CELL_RNN, 64, 64, 512, 1, 1, true},
    {ROW_INFER, UR_CELL_LSTM, 64, 64, 128, 1, 1, true},
    {ROW_INFER, UR_CELL_LSTM, 64, 64, 512, 1, 1, true},
    {ROW_INFER, UR_CELL_GRU, 64, 64, 128, 1, 1, true},
    {ROW_INFER, UR_CELL_GRU, 64, 64, 512, 1, 1, false},
    {ROW_STEP, UR_CELL_LSTM, 1, 1, 256, 1, 1, true},
    {ROW_STEP, UR_CELL_LSTM, 1, 1, 512, 1, 1, true},
    {ROW_STEP, UR_CELL_LSTM, 1, 1, 1024, 1, 1, false},
    {ROW_INFER, UR_CELL_LSTM, 100, 1, 256, 1, 1, true},
    {ROW_INFER, UR_CELL_LSTM, 100, 1, 1024, 1, 1, false},
    {ROW_LM, UR_CELL_LSTM, 50, 50, 128, 2, 1, true},
    {ROW_LM, UR_CELL_LSTM, 64, 64, 512, 2, 1, false},
    {ROW_SAMPLE, UR_CELL_LSTM, 1, 1, 128, 2, 1, true},
    {ROW_SAMPLE, UR_CELL_LSTM, 1, 1, 512, 2, 1, true},
    {ROW_TRAIN, UR_CELL_LSTM, 64, 64, 256, 1, 1, true},
    {ROW_CELL, UR_CELL_LSTM, 64, 64, 256, 1, 1, true},
    {ROW_RAGGED, UR_CELL_LSTM, 100, 64, 256, 1, 1, true},
    {ROW_RAGGED, UR_CELL_LSTM, 50, 32, 256, 2, 2, true},
    {ROW_CLASSIFY, UR_CELL_LSTM, 50, 32, 128, 1, 2, true},
    {ROW_CLASSIFY_MIX, UR_CELL_LSTM, 50, 32, 128, 1, 2, true},
    {ROW_TAG, UR_CELL_LSTM, 50, 32, 128, 1, 2, true},
    {ROW_TAG_MIX, UR_CELL_LSTM, 50, 32, 128, 1, 2, true},
};

static const char *const kinds[] = {
    "train", "infer", "step", "lm", "sample", "cell", "ragged",
    "classify", "classify-mix", "tag", "tag-mix",
};

enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

const struct row *row_grid(int *n)
{
    *n = (int)(sizeof grid / sizeof grid[0]);
    return grid;
}

/* ---- names ------------------------------------------------------------- */

bool row_parse(const char *text, struct row *row)
{
    char kind[16], cell[8];
    int end = 0, k = 0;
    memset(row, 0, sizeof *row);
    if (sscanf(text, "%15s %7s %d %d %d %d %n", kind, cell, &row->T, &row->B, &row->H, &row->L,
               &end) != 6)
        return false;
    row->D = 1;
    if (text[end] != '\0' && strcmp(text + end, "2") != 0)
        return false;
    row->D += text[end] != '\0';
    while (k < N_KINDS && strcmp(kinds[k], kind) != 0)
        k++;
    row->kind = (enum row_kind)k;
    return k < N_KINDS && ur_cell_find(cell, &row->cell) && row->T > 0 && row->B > 0 &&
           row->H > 0 && row->L > 0 && row->L <= 8;
}

void row_name(const struct row *row, char to[ROW_TEXT])
{
    snprintf(to, ROW_TEXT, "%s %s %d %d %d %d%s", kinds[row->kind], ur_cell_name(row->cell),
             row->T, row->B, row->H, row->L, row->D == 2 ? " 2" : "");
}

/* ---- costs ------------------------------------------------------------- */

int row_units(const struct row *row)
{
    if (row->kind >= ROW_CLASSIFY)
        return BATCHES * row->B;
    return row->kind == ROW_STEP || row->kind == ROW_SAMPLE ? STEPS_A_CALL : 1;
}

/* Multiply-adds of one step of one sequence: by inputs, by states, by the decoder. A one-hot
 * input is one column of W: it costs none. */
static void products(const struct row *row, double *by_inputs, double *by_states, double *decoder)
{
    double gates = row->cell == UR_CELL_LSTM ? 4.0 : row->cell == UR_CELL_GRU ? 3.0 : 1.0;
    double square = row->D * gates * row->H * row->H;
    bool model = row->kind == ROW_LM || row->kind == ROW_SAMPLE;
    *by_inputs = square * (model ? row->L - 1 : row->L + (row->L - 1) * (row->D - 1));
    *by_states = square * row->L;
    *decoder = model ? (double)VOCABULARY * row->H : 0.0;
}

struct row_cost row_cost(const struct row *row)
{
    double inputs, states, decoder, tokens = (double)row->T * row->B;
    products(row, &inputs, &states, &decoder);
    if (row->kind == ROW_RAGGED)
        tokens = row_lengths(row, NULL);
    struct row_cost c = {.flop = 2.0 * tokens * (inputs + states + decoder)};
    if (row->kind >= ROW_CLASSIFY)
        c.flop = 2.0 * batches_products(row) / row_units(row);
    if (row->kind != ROW_INFER && row->kind != ROW_STEP && row->kind != ROW_SAMPLE)
        c.flop *= 3.0;
    if (row->B > 1) {
        c.batched = c.flop;
    } else if (row->kind == ROW_INFER) {
        /* W x of all steps is one product; U is read once a step. */
        c.batched = 2.0 * tokens * inputs;
        c.reads = row->T;
        c.bytes = states * sizeof(float);
    } else {
        c.reads = 1.0;
        c.bytes = (inputs + states + decoder) * sizeof(float);
    }
    return c;
}

/* ---- numbers ----------------------------------------------------------- */

uint32_t row_random(uint32_t i, uint32_t stream)
{
    uint32_t x = i * UINT32_C(0x9e3779b1) + stream * UINT32_C(0x85ebca77);
    x = (x ^ x >> 16) * UINT32_C(0x7feb352d);
    x = (x ^ x >> 15) * UINT32_C(0x846ca68b);
    return x ^ x >> 16;
}

void row_fill(float *to, size_t n, uint32_t stream, double scale)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (float)(((row_random((uint32_t)i, stream) >> 8) / 8388608.0 - 1.0) * scale);
}

void row_characters(int32_t *to, size_t n, uint32_t stream)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (int32_t)(row_random((uint32_t)i, stream) % VOCABULARY);
}

int row_lengths(const struct row *row, int *lengths)
{
    int sum = 0;
    for (int b = 0; b < row->B; b++) {
        int n = row->B == 1 ? row->T : 1 + (b * 37 % row->B) * (row->T - 1) / (row->B - 1);
        if (lengths != NULL)
            lengths[b] = n;
        sum += n;
    }
    return sum;
}
