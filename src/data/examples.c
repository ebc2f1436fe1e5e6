/* SPDX-License-Identifier: MIT */
#include "data/examples.h"

#include <string.h>

#include "base/mem.h"
#include "base/status.h"

#define PIECE 4096      /* numbers read at a time, on the stack */

void ur__examples_free(struct ur__examples *x)
{
    if (!x)
        return;
    for (int i = 0; i < x->n_paths; i++)
        ur__free(x->path[i]);
    ur__free(x->path);
    ur__free(x->example);
    ur__free(x->order);
    ur__word_table_free(&x->groups);
    ur__numbers_free(&x->data);
    ur__numbers_free(&x->tags);
    ur__free(x);
}

void ur__examples_clear(struct ur__examples *x)
{
    x->n = 0;
    x->longest = 0;
    ur__numbers_clear(&x->data);
    ur__numbers_clear(&x->tags);
}

const char *ur__examples_file(const struct ur__examples *x, int64_t i)
{
    return x->path[x->example[i].file];
}

static ur_status check(const struct ur__examples *x, int64_t i, int32_t from, int32_t n)
{
    if (i < 0 || i >= x->n || from < 0 || n < 0 || from > x->example[i].length - n)
        return ur__fail(UR_EINVAL, "steps %d to %lld of example %lld are not there", (int)from,
                        (long long)from + n, (long long)i);
    return UR_OK;
}

ur_status ur__examples_text(struct ur__examples *x, int64_t i, char *to)
{
    UR__TRY(check(x, i, 0, 0));
    const struct ur__example *e = &x->example[i];
    for (uint64_t done = 0; done < e->size; ) {
        uint32_t byte[PIECE];
        size_t n = e->size - done < PIECE ? (size_t)(e->size - done) : PIECE;
        UR__TRY(ur__numbers_read(&x->data, (int64_t)(e->at + done), n, byte));
        for (size_t k = 0; k < n; k++)
            to[done + k] = (char)(unsigned char)byte[k];
        done += n;
    }
    return UR_OK;
}

/* Numbers are kept as the bits of floats, or as bytes. */
static void decode(bool scaled, size_t n, const uint32_t *bits, ur_real *to)
{
    for (size_t i = 0; i < n; i++) {
        float value;
        memcpy(&value, &bits[i], sizeof value);
        to[i] = scaled ? (ur_real)bits[i] / 255 : (ur_real)value;
    }
}

ur_status ur__examples_frames(struct ur__examples *x, int64_t i, int32_t from, int32_t n,
                              ur_real *to)
{
    UR__TRY(check(x, i, from, n));
    uint64_t width = (uint64_t)x->width, all = (uint64_t)n * width;
    uint64_t at = x->example[i].at + (uint64_t)from * width;
    for (uint64_t done = 0; done < all; ) {
        uint32_t bits[PIECE];
        size_t m = all - done < PIECE ? (size_t)(all - done) : PIECE;
        UR__TRY(ur__numbers_read(&x->data, (int64_t)(at + done), m, bits));
        decode(x->scaled, m, bits, to + done);
        done += m;
    }
    return UR_OK;
}

ur_status ur__examples_tags(struct ur__examples *x, int64_t i, int32_t from, int32_t n,
                            int32_t *to)
{
    UR__TRY(check(x, i, from, n));
    if (!x->tagged)
        return ur__fail(UR_EINVAL, "the examples have one label each, not one a step");
    /* Below 2^31: both types hold them alike. */
    UR__TRY(ur__numbers_read(&x->tags, (int64_t)x->example[i].tag + from, (size_t)n,
                             (uint32_t *)to));
    for (int32_t k = 0; x->order && k < n; k++)
        to[k] = x->order[to[k]];
    return UR_OK;
}

/* ---- lines of names ---------------------------------------------------- */

enum { FEWEST = 20, USUAL_SHARE = 4 };

int64_t ur__examples_header(const struct ur__examples *x)
{
    int64_t others = 0, labels = 0;
    if (x->n < FEWEST || x->tagged || x->content != UR_CONTENT_TEXTS || x->example[0].line != 1)
        return -1;
    const int32_t label = x->example[0].label;
    for (int64_t i = 0; i < x->n; i++) {
        others += x->example[i].label == label && x->example[i].line != 1;
        labels = x->example[i].label >= labels ? x->example[i].label + 1 : labels;
    }
    return label >= 0 && !others && x->n >= USUAL_SHARE * labels ? 0 : -1;
}
