/* SPDX-License-Identifier: MIT */
/* Any network without a tape: rows of sequences side by side, through its architecture's plug. */
#include "decode/runner.h"

#include <string.h>

#include "base/fpmode.h"
#include "base/mem.h"
#include "base/status.h"
#include "kernel/select.h"
#include "model/arch.h"
#include "model/batch.h"

#define MOST_ROWS (1 << 20)

struct ur_runner {
    const ur_model *model;
    const struct ur__runner_plug *plug;
    int capacity, rows, O;
    void *inside;               /* the plug's */
    ur_real *out;               /* [capacity,O] of the last step of each row */
    ur_real *spare;             /* the same, while rows are moved; or a row's probabilities */
    int *from;                  /* [capacity] where rows come from when one starts anew */
};

static ur_status open(ur_runner *r, ur_team *team)
{
    r->inside = ur__calloc(1, r->plug->size);
    r->out = ur__calloc((size_t)r->capacity, (size_t)r->O * sizeof *r->out);
    r->spare = ur__alloc((size_t)r->capacity, (size_t)r->O * sizeof *r->spare);
    r->from = ur__alloc((size_t)r->capacity, sizeof *r->from);
    if (!r->inside || !r->out || !r->spare || !r->from)
        return UR_ENOMEM;
    return r->plug->open(r->inside, r->model, r->capacity, team);
}

ur_status ur_runner_new(ur_runner **out, const ur_model *model, int rows, ur_team *team)
{
    UR__NEED(out, "out");
    *out = NULL;
    UR__NEED(model, "model");
    if (rows < 1 || rows > MOST_ROWS)
        return ur__fail(UR_EINVAL, "a runner has 1 to %d rows, not %d", MOST_ROWS, rows);
    if (!model->arch->runner)
        return ur__fail(UR_EINVAL, "architecture %s runs on a tape alone", model->arch->name);
    ur_runner *r = ur__calloc(1, sizeof *r);
    if (!r)
        return UR_ENOMEM;
    *r = (ur_runner){.model = model, .plug = model->arch->runner, .capacity = rows, .rows = rows,
                     .O = ur__net_output(model)};
    ur_status status = open(r, team);
    if (status != UR_OK) {
        ur_runner_free(r);
        return status;
    }
    *out = r;
    return UR_OK;
}

void ur_runner_free(ur_runner *r)
{
    if (!r)
        return;
    if (r->inside)
        r->plug->close(r->inside);
    ur__free(r->inside);
    ur__free(r->out);
    ur__free(r->spare);
    ur__free(r->from);
    ur__free(r);
}

int ur_runner_rows(const ur_runner *r)
{
    UR__NEED_OR(r, "runner", 0);
    return r->rows;
}

int ur_runner_outputs(const ur_runner *r)
{
    UR__NEED_OR(r, "runner", 0);
    return r->O;
}

const ur_real *ur_runner_output(const ur_runner *r, int row)
{
    UR__NEED_OR(r, "runner", NULL);
    return row >= 0 && row < r->rows ? r->out + (size_t)row * (size_t)r->O : NULL;
}

ur_state *ur_runner_state(ur_runner *r, int stack)
{
    UR__NEED_OR(r, "runner", NULL);
    return r->plug->state ? r->plug->state(r->inside, stack) : NULL;
}

ur_status ur__runner_reserve(ur_runner *r, const ur_batch *given)
{
    return r->plug->reserve ? r->plug->reserve(r->inside, given) : UR_OK;
}

/* ---- running ----------------------------------------------------------- */

/* The host program may trap numbers that are not finite. */
static ur_status check_finite(const ur_runner *r, size_t n, const ur_real *x)
{
    unsigned mode = ur__fpmode_default();
    size_t bad = ur__kernel()->find_nonfinite(n, x);
    ur__fpmode_restore(mode);
    return bad == n ? UR_OK
                    : ur__fail(UR_ENUMERIC, "output %zu of the network is not finite",
                               bad % (size_t)r->O);
}

static ur_status check_ids(const ur_runner *r, const char *role, size_t n, const int32_t *ids)
{
    const ur_vocab *vocab = ur_model_vocab(r->model, role);
    int V = ur_vocab_size(vocab ? vocab : ur_model_vocab(r->model, NULL));
    for (size_t i = 0; i < n; i++)
        if (ids[i] < 0 || ids[i] >= V)
            return ur__fail(UR_EINVAL, "token %ld at place %zu is not in the vocabulary of %d",
                            (long)ids[i], i, V);
    return UR_OK;
}

/* Tokens belong to the vocabulary of the field's role, or else to the first one. */
static ur_status check_given(const ur_runner *r, const ur_batch *given)
{
    if (given)
        UR__TRY(ur__batch_check(given));
    for (int i = 0; given && i < given->n; i++) {
        const ur_field *f = &given->field[i];
        size_t n = 1;
        UR__TRY(ur__batch_check_lengths(f));
        for (int d = 0; d < f->rank; d++)
            n *= (size_t)f->dim[d];
        if (f->ids)
            UR__TRY(check_ids(r, f->role, n, f->ids));
    }
    return UR_OK;
}

static ur_status renew(ur_runner *r, int row, int n)
{
    for (int i = 0; i < r->rows; i++)
        r->from[i] = i >= row && i < row + n ? -1 : i;
    return r->plug->select ? r->plug->select(r->inside, r->rows, r->from) : UR_OK;
}

ur_status ur_runner_begin(ur_runner *r, int row, const ur_batch *given)
{
    UR__NEED(r, "runner");
    if (row < 0 || row >= r->rows)
        return ur__fail(UR_EINVAL, "there is no row %d of %d", row, r->rows);
    UR__TRY(check_given(r, given));
    const bool many = r->plug->many && given && given->n && given->field[0].rank > 1;
    const int n = many ? given->field[0].dim[1] : 1;
    if (n > r->rows - row)
        return ur__fail(UR_EINVAL, "%d sequences cannot begin at row %d of %d", n, row, r->rows);
    const size_t all = (size_t)n * (size_t)r->O;
    ur_real *out = r->out + (size_t)row * (size_t)r->O;
    memset(out, 0, all * sizeof *out);
    UR__TRY(renew(r, row, n));
    UR__TRY(r->plug->begin(r->inside, row, given, out));
    return check_finite(r, all, out);
}

ur_status ur_runner_run(ur_runner *r, int T, const int32_t *ids, ur_real *out)
{
    UR__NEED(r, "runner");
    if (!r->plug->run)
        return ur__fail(UR_EINVAL, "architecture %s has no steps", r->model->arch->name);
    if (T < 0)
        return ur__fail(UR_EINVAL, "a run of %d steps is impossible", T);
    if (T == 0)
        return UR_OK;
    UR__NEED(ids, "ids");
    UR__NEED(out, "out");
    size_t rows = (size_t)r->rows, row = rows * (size_t)r->O;
    UR__TRY(check_ids(r, r->model->arch->steps_of, (size_t)T * rows, ids));
    UR__TRY(r->plug->run(r->inside, T, ids, out));
    UR__TRY(check_finite(r, (size_t)T * row, out));
    memcpy(r->out, out + (size_t)(T - 1) * row, row * sizeof *out);
    return UR_OK;
}

ur_status ur_runner_step(ur_runner *r, const int32_t *ids)
{
    UR__NEED(r, "runner");
    UR__NEED(ids, "ids");
    if (!r->plug->run)
        return ur__fail(UR_EINVAL, "architecture %s has no steps", r->model->arch->name);
    UR__TRY(check_ids(r, r->model->arch->steps_of, (size_t)r->rows, ids));
    UR__TRY(r->plug->run(r->inside, 1, ids, r->out));
    return check_finite(r, (size_t)r->rows * (size_t)r->O, r->out);
}

ur_status ur_runner_select(ur_runner *r, int n, const int *from)
{
    UR__NEED(r, "runner");
    UR__NEED(from, "from");
    if (n < 1 || n > r->capacity)
        return ur__fail(UR_EINVAL, "a runner made for %d rows cannot have %d", r->capacity, n);
    for (int i = 0; i < n; i++)
        if (from[i] < -1 || from[i] >= r->rows)
            return ur__fail(UR_EINVAL, "row %d comes from row %d, of %d", i, from[i], r->rows);
    if (r->plug->select)
        UR__TRY(r->plug->select(r->inside, n, from));
    ur__rows_select(&r->out, &r->spare, (size_t)r->O, n, from);
    r->rows = n;
    return UR_OK;
}

/* ---- what is likeliest ------------------------------------------------- */

static void leave_out(ur_real *share, int32_t id)
{
    if (id >= 0)
        share[id] = -1;
}

int ur_runner_best(ur_runner *r, int row, int k, int32_t *ids, double *p)
{
    UR__NEED_OR(r, "runner", 0);
    if (k > 0)
        UR__NEED_OR(ids, "ids", 0);
    if (k > 0)
        UR__NEED_OR(p, "p", 0);
    const ur_real *logits = ur_runner_output(r, row);
    const ur_vocab *vocab = ur__steps_vocab(r->model);
    ur_real *share = r->spare;      /* -1: taken */
    int found = 0;
    if (!logits)
        return 0;
    unsigned mode = ur__fpmode_default();
    ur__kernel()->softmax(r->O, logits, share);
    if (ur__outputs_tokens(r->model)) {
        leave_out(share, ur_vocab_unknown(vocab));
        leave_out(share, ur_vocab_line_end(vocab));
    }
    for (; found < k; found++) {
        int best = 0;
        for (int i = 1; i < r->O; i++)
            best = share[i] > share[best] ? i : best;
        if (share[best] < 0)
            break;
        ids[found] = best;
        p[found] = (double)share[best];
        share[best] = -1;
    }
    ur__fpmode_restore(mode);
    return found;
}
