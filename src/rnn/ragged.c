/* SPDX-License-Identifier: MIT */
#include "rnn/ragged.h"

#include <string.h>

#include "base/arena.h"

struct ur__ragged ur__ragged_carve(struct ur__carve *p, int T, int B)
{
    size_t t = (size_t)T, b = (size_t)B;
    struct ur__ragged r = {0};
    r.row = ur__carve(p, b, sizeof *r.row);
    r.length = ur__carve(p, b, sizeof *r.length);
    r.alive = ur__carve(p, t, sizeof *r.alive);
    r.at = ur__carve(p, t + 1, sizeof *r.at);
    r.before = ur__carve(p, b + 1, sizeof *r.before);
    r.own = ur__carve(p, t * b, sizeof *r.own);
    return r;
}

bool ur__ragged_needed(int T, int B, const int *lengths)
{
    for (int b = 0; lengths && b < B; b++)
        if (lengths[b] < T)
            return true;
    return false;
}

/* Equal lengths keep their order. */
void ur__ragged_fill(struct ur__ragged *r, int T, int B, const int *lengths)
{
    memset(r->alive, 0, (size_t)T * sizeof *r->alive);
    for (int b = 0; b < B; b++)
        if (lengths[b] > 0)
            r->alive[lengths[b] - 1]++;
    for (int t = T - 2; t >= 0; t--)
        r->alive[t] += r->alive[t + 1];
    /* Before the sequences of length t stand those that live at t. */
    for (int t = 0; t <= T; t++)
        r->at[t] = t < T ? r->alive[t] : 0;
    for (int b = 0; b < B; b++) {
        ptrdiff_t place = r->at[lengths[b]]++;
        r->row[place] = b;
        r->length[place] = lengths[b];
    }
    r->at[0] = r->before[0] = 0;
    for (int t = 0; t < T; t++)
        r->at[t + 1] = r->at[t] + r->alive[t];
    for (int b = 0; b < B; b++)
        r->before[b + 1] = r->before[b] + r->length[b];
}

/* Where worker i of n begins. */
static int share_begin(const struct ur__ragged *r, int B, int i, int n)
{
    int b = 0;
    while (b < B && r->before[b] * n < r->before[B] * i)
        b++;
    return i == n ? B : b;
}

void ur__ragged_share(const struct ur__ragged *r, int B, const struct ur__worker *w, int *b0,
                      int *b1)
{
    *b0 = share_begin(r, B, w->index, w->n);
    *b1 = share_begin(r, B, w->index + 1, w->n);
}

void ur__ragged_note(const struct ur__ragged *r, int b0, int b1)
{
    int32_t *own = r->own + r->before[b0];
    for (int t = 0; b0 < b1 && t < r->length[b0]; t++)
        for (int b = b0; b < b1 && b < r->alive[t]; b++)
            *own++ = (int32_t)(r->at[t] + b);
}

static bool is_own(const struct ur__rows *rows, int b)
{
    return !rows->split || b % rows->split->n == rows->split->index;
}

void ur__ragged_gather(const struct ur__rows *rows, size_t bytes, const void *padded, void *living)
{
    const struct ur__ragged *r = rows->r;
    for (int t = 0; t < rows->T; t++)
        for (int b = rows->b0; b < rows->b1 && b < r->alive[t]; b++)
            if (is_own(rows, b)) {
                size_t from = (size_t)t * (size_t)rows->B + (size_t)r->row[b];
                memcpy((char *)living + (size_t)(r->at[t] + b) * bytes,
                       (const char *)padded + from * bytes, bytes);
            }
}

void ur__ragged_spread(const struct ur__rows *rows, size_t bytes, const void *living, void *padded)
{
    const struct ur__ragged *r = rows->r;
    for (int t = 0; t < rows->T; t++)
        for (int b = rows->b0; b < rows->b1; b++) {
            char *to = (char *)padded + ((size_t)t * (size_t)rows->B + (size_t)r->row[b]) * bytes;
            if (is_own(rows, b) && b < r->alive[t])
                memcpy(to, (const char *)living + (size_t)(r->at[t] + b) * bytes, bytes);
            else if (is_own(rows, b))
                memset(to, 0, bytes);
        }
}
