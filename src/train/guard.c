/* SPDX-License-Identifier: MIT */
/* Carried numbers are looked at before a step, for what came in between, and after its
 * passes, before the optimizer writes anything. */
#include "train/guard.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"
#include "kernel/select.h"
#include "layer/recurrent.h"
#include "train/run.h"
#include "train/snapshot.h"

#define MOST_SKIPPED 100    /* steps in a row */
#define MOST_ROLLBACKS 3    /* in a run */
#define WHY 400             /* bytes of a message that is kept */

ur_status ur__guard_open(struct ur__run *r)
{
    const struct ur__carried c = ur__carried_of(r->state);
    if (r->options->on_nan == UR_ON_NAN_ROLLBACK)
        return ur__snapshot_open(r);
    if (r->options->on_nan == UR_ON_NAN_STOP)
        return UR_OK;
    r->kept = ur__calloc(ur__carried_size(&c), sizeof *r->kept);
    return r->kept ? UR_OK : UR_ENOMEM;
}

void ur__guard_close(struct ur__run *r)
{
    ur__snapshot_close(r);
    ur__free(r->kept);
    r->kept = NULL;
}

/* ---- looking ----------------------------------------------------------- */

static ur_status fail_carried(const struct ur__run *r, int stack, const ur_real *x, size_t n,
                              size_t at)
{
    const char *what = ur__nonfinite_name((double)x[at]);
    char place[UR__PLACE_TEXT];
    if (ur__rnn_place(ur_model_rnn(r->model, stack), n, at, place))
        return ur__fail(UR_ENUMERIC, "the carried state is %s at %s", what, place);
    return ur__fail(UR_ENUMERIC, "carried number %zu is %s", at, what);
}

static ur_status check_carried(const struct ur__run *r, int stack, const ur_real *x, size_t n)
{
    size_t bad = n ? ur__kernel()->find_nonfinite(n, x) : 0;
    return bad < n ? fail_carried(r, stack, x, n, bad) : UR_OK;
}

/* The carried numbers as they were before the step. */
static ur_status check_kept(const struct ur__run *r)
{
    const struct ur__carried c = ur__carried_of(r->state);
    const ur_real *kept = r->kept;
    for (int i = 0; i < c.parts; kept += c.n[i++])
        UR__TRY(check_carried(r, i, kept, c.n[i]));
    return UR_OK;
}

static ur_status check_untrained(const ur_params *params)
{
    for (int i = 0; i < ur_params_count(params); i++) {
        const ur_param *p = ur_params_at(params, i);
        if (p->trained)
            continue;
        const ur_real *x = ur_param_data(params, p);
        size_t bad = ur__kernel()->find_nonfinite(p->size, x);
        if (bad < p->size)
            return ur__fail(UR_ENUMERIC, "parameter %s[%zu] is %s", p->name, bad,
                            ur__nonfinite_name((double)x[bad]));
    }
    return UR_OK;
}

ur_status ur__guard_check(struct ur__run *r)
{
    const struct ur__carried c = ur__carried_of(r->state);
    for (int i = 0; i < c.parts; i++)
        UR__TRY(check_carried(r, i, c.part[i], c.n[i]));
    return check_untrained(r->model->params);
}

static void keep_message(char why[WHY])
{
    snprintf(why, WHY, "%s", ur_errmsg());
}

ur_status ur__guard_blame(struct ur__run *r, ur_status status)
{
    char why[WHY];
    if (status != UR_ENUMERIC)
        return status;
    keep_message(why);
    bool clean = ur__optimizer_check_numbers(r->optimizer) == UR_OK
        && ur__guard_check(r) == UR_OK;
    if (clean || strcmp(why, ur_errmsg()) == 0)
        return status;
    return ur__fail(status, "%s: %s", why, ur_errmsg());
}

/* ---- leaving out ------------------------------------------------------- */

void ur__guard_begin(struct ur__run *r)
{
    const struct ur__carried c = ur__carried_of(r->state);
    if (r->kept)
        ur__carried_keep(&c, r->kept);
}

ur_status ur__guard_skip(struct ur__run *r)
{
    struct ur__progress *p = &r->progress;
    char why[WHY];
    if (r->options->on_nan != UR_ON_NAN_SKIP)
        return UR_ENUMERIC;
    keep_message(why);
    if (ur__optimizer_check_numbers(r->optimizer) != UR_OK
        || check_untrained(r->model->params) != UR_OK || check_kept(r) != UR_OK)
        return ur__fail(UR_ENUMERIC, "%s; skipping the step would not help", why);
    p->skipped++;
    if (++p->skipped_in_row >= MOST_SKIPPED)
        return ur__fail(UR_ENUMERIC, "%s, as in the %d steps before it", why, MOST_SKIPPED - 1);
    UR__TRY(ur__run_reenter(r, r->kept));
    p->step++;
    ur__run_note(r, "%s; the step is skipped", why);
    return UR_OK;
}

ur_status ur__guard_skip_validation(struct ur__run *r)
{
    struct ur__progress *p = &r->progress;
    if (r->options->on_nan != UR_ON_NAN_SKIP || isnan(p->best))
        return UR_ENUMERIC;     /* without a finite one there would be no model */
    p->val_loss = (double)NAN;
    p->worse++;
    ur__plateau_see(&p->plateau, false);
    ur__run_note(r, "%s; no better model", ur_errmsg());
    return UR_OK;
}

/* ---- going back -------------------------------------------------------- */

ur_status ur__guard_recover(struct ur__run *r)
{
    struct ur__progress *p = &r->progress;
    char why[WHY];
    keep_message(why);
    if (!r->snapshot.numbers)
        return ur__fail(UR_ENUMERIC, "%s; a lower learning rate or clipping may help", why);
    if (p->rollbacks >= MOST_ROLLBACKS)
        return ur__fail(UR_ENUMERIC, "%s, after going back %d times with half the learning rate; "
                        "a lower one or clipping may help", why, p->rollbacks);
    p->rollbacks++;
    p->lr_factor *= 0.5;
    UR__TRY(ur__snapshot_restore(r));
    r->window_loss = r->window_seconds = 0;
    r->window_items = 0;
    ur__run_note(r, "%s; back to step %lld with half the learning rate (%d of %d times)", why,
                 (long long)p->step, p->rollbacks, MOST_ROLLBACKS);
    return UR_OK;
}
