/* SPDX-License-Identifier: MIT */
/* Which labelled examples are learnt from and which are held out: a share, or a fold of a
 * cross-validation, and the same again of a model that was trained so. */
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/holdout.h"
#include "io/json.h"
#include "task/held_out.h"
#include "task/labelled.h"

#define NAMED_GROUPS 4      /* of what is held out, in the note on it */

/* ---- halves ------------------------------------------------------------ */

/* The examples that are marked so; held NULL: all. */
static ur_status take_half(struct ur__half *h, struct ur__set *set, int64_t n,
                           const unsigned char *held, bool marked)
{
    h->set = set;
    h->which = ur__alloc((size_t)n + 1, sizeof *h->which);
    h->length = ur__alloc((size_t)n + 1, sizeof *h->length);
    if (!h->which || !h->length)
        return UR_ENOMEM;
    for (int64_t i = 0; i < set->x->n; i++)
        if (!held || held[i] == marked)
            h->which[h->n++] = i;
    return UR_OK;
}

ur_status ur__half_all(struct ur__half *h, struct ur__set *set)
{
    return take_half(h, set, set->x->n, NULL, false);
}

void ur__half_measure(struct ur__half *h)
{
    const struct ur__set *s = h->set;
    for (int64_t i = 0; i < h->n; i++) {
        int64_t at = h->which[i];
        h->length[i] = s->x->content == UR_CONTENT_FRAMES ? s->x->example[at].length
                                                   : ur__sequence_length(&s->ids, at);
        h->longest = h->length[i] > h->longest ? h->length[i] : h->longest;
    }
}

/* ---- what is held out -------------------------------------------------- */

/* Fold k of n, from "K/N" with 1 <= K <= N. */
static ur_status read_fold(const char *text, int *k, int *n)
{
    const char *slash = strchr(text, '/');
    char first[16] = "";
    int64_t a = 0, b = 0;
    if (slash && (size_t)(slash - text) < sizeof first)
        memcpy(first, text, (size_t)(slash - text));
    if (!slash || !ur__parse_int(first, &a) || !ur__parse_int(slash + 1, &b) || a < 1 || a > b ||
        b < 2 || b > INT32_MAX)
        return ur__fail(UR_EINVAL, "fold %.40s: must be K/N, part K of N, such as 1/10", text);
    *k = (int)a;
    *n = (int)b;
    return UR_OK;
}

static ur_status hold_fold(const struct ur__draw *d, const char *text, unsigned char *held,
                           int64_t *count)
{
    int k = 0, n = 0;
    UR__TRY(read_fold(text, &k, &n));
    int32_t *fold = ur__alloc((size_t)d->n, sizeof *fold);
    ur_status status = fold ? ur__folds(d, n, fold) : UR_ENOMEM;
    if (status == UR_EDATA)
        ur__fail(status, "fold %.40s: %s", text, ur_errmsg());
    for (int64_t i = 0; i < d->n && status == UR_OK; i++) {
        held[i] = fold[i] == k - 1;
        *count += held[i];
    }
    ur__free(fold);
    return status;
}

static ur_status draw(const struct ur__labelled *l, double share, unsigned char *held,
                      int64_t *count)
{
    struct ur__draw d;
    UR__TRY(ur__draw_of(&d, l->set.x, l->seed));
    ur_status status = l->o.fold ? hold_fold(&d, l->o.fold, held, count)
                                 : ur__holdout(&d, share, held, count);
    ur__free(d.label);
    return status;
}

/* What is held out of examples with groups, by their names. */
static ur_status name_groups(struct ur__labelled *l, const unsigned char *held)
{
    const struct ur__examples *x = l->set.x;
    unsigned char *seen = ur__calloc((size_t)x->groups.n, 1);
    ur_status status = seen ? ur__buf_puts(&l->note, "held out: ") : UR_ENOMEM;
    int n = 0;
    for (int64_t i = 0; i < x->n && status == UR_OK; i++) {
        int32_t group = x->example[i].group;
        size_t size;
        if (!held[i] || group < 0 || seen[group])
            continue;
        seen[group] = 1;
        if (n++ >= NAMED_GROUPS)
            continue;
        const char *name = ur__word_at(&x->groups, group, &size);
        status = ur__buf_puts(&l->note, n > 1 ? ", " : "");
        if (status == UR_OK)
            status = ur__buf_show(&l->note, name, size, UR__SHOW_LINE);
    }
    if (status == UR_OK && n > NAMED_GROUPS)
        status = ur__buf_printf(&l->note, " and %d more", n - NAMED_GROUPS);
    ur__free(seen);
    return status;
}

ur_status ur__labelled_part(struct ur__labelled *l, double share, bool val_file)
{
    int64_t n = l->set.x->n, n_held = 0;
    unsigned char *held = ur__calloc((size_t)n, 1);
    ur_status status = held ? UR_OK : UR_ENOMEM;
    if (status == UR_OK && !val_file && (share > 0 || l->o.fold))
        status = draw(l, share, held, &n_held);
    if (status == UR_OK)
        status = take_half(&l->train, &l->set, n - n_held, held, false);
    if (status == UR_OK && !val_file)
        status = take_half(&l->valid, &l->set, n_held, held, true);
    if (status == UR_OK && n_held && l->set.x->groups.n)
        status = name_groups(l, held);
    ur__free(held);
    return status;
}

/* ---- the same again ---------------------------------------------------- */

ur_status ur__labelled_part_again(struct ur__labelled *l, const struct ur__json *summary)
{
    double val;
    UR__TRY(ur__held_out_again(summary, &l->set.x->tally, &l->seed, &val));
    ur_status status = ur__labelled_part(l, val, false);
    if (status == UR_EINVAL)
        return ur__fail(UR_EDATA, "what the model says of its training is damaged: %s",
                        ur_errmsg());
    UR__TRY(status);
    return l->valid.n ? UR_OK : ur__fail(UR_EDATA, "the model was trained with nothing held out");
}
