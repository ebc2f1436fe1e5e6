/* SPDX-License-Identifier: MIT */
/* Learning rates. Products and the kernel's cosine alone, no libm: the same bits
 * everywhere. Equations: docs/TRAINING.md. */
#include "train/schedule.h"

#include <math.h>

#include "base/fpmode.h"
#include "base/sized.h"
#include "base/status.h"
#include "base/text.h"
#include "kernel/select.h"

#define LOWEST 0.1              /* of lr, at the cosine's end */
#define DECAY 0.97              /* an epoch, as char-rnn's learning_rate_decay */
#define DECAY_AFTER 10          /* epochs, as char-rnn's learning_rate_decay_after */
#define CUT 0.5                 /* on a plateau, */
#define CUT_AFTER 2             /* validations without a better loss */

const char *const ur__schedule_words[] = {
    [UR_SCHEDULE_COSINE] = "cosine",
    [UR_SCHEDULE_CONSTANT] = "constant",
    [UR_SCHEDULE_STEP] = "step",
    [UR_SCHEDULE_PLATEAU] = "plateau",
    NULL,
};
#define N_KINDS ((int)(sizeof ur__schedule_words / sizeof ur__schedule_words[0]) - 1)

const char *ur_schedule_name(ur_schedule_kind kind)
{
    return (int)kind >= 0 && (int)kind < N_KINDS ? ur__schedule_words[kind] : NULL;
}

bool ur_schedule_find(const char *name, ur_schedule_kind *out)
{
    UR__NEED_OR(name, "name", false);
    UR__NEED_OR(out, "out", false);
    int i = ur__find_name(ur__schedule_words, N_KINDS, name);
    if (i >= 0)
        *out = (ur_schedule_kind)i;
    return i >= 0;
}

ur_status ur__schedule_check(const ur_schedule *s)
{
    if (!ur_schedule_name(s->kind))
        return ur__fail(UR_EINVAL, "there is no schedule %d", (int)s->kind);
    if (!(s->lr >= 0) || !isfinite(s->lr))
        return ur__fail(UR_EINVAL, "the learning rate is %g, which is impossible", s->lr);
    if (s->warmup < 0)
        return ur__fail(UR_EINVAL, "a warm-up of %lld steps is impossible", (long long)s->warmup);
    if (s->steps < -1)
        return ur__fail(UR_EINVAL, "a schedule of %lld steps is impossible; -1 is no limit",
                        (long long)s->steps);
    if (!(s->seconds >= 0) || !isfinite(s->seconds))
        return ur__fail(UR_EINVAL, "a schedule of %g seconds is impossible; 0 is no limit",
                        s->seconds);
    if (s->epoch_steps < 0)
        return ur__fail(UR_EINVAL, "an epoch of %lld steps is impossible",
                        (long long)s->epoch_steps);
    if (s->kind == UR_SCHEDULE_COSINE && s->steps < 0 && s->seconds <= 0)
        return ur__fail(UR_EINVAL, "the cosine schedule needs an end: epochs, steps or a time");
    return UR_OK;
}

/* How much of the run is over, in [0,1]: by whichever limit is nearer. */
static double progress(const ur_schedule *s, int64_t step, double elapsed)
{
    double done = s->steps > 0 ? (double)step / (double)s->steps : 0;
    if (s->seconds > 0 && elapsed / s->seconds > done)
        done = elapsed / s->seconds;
    return done < 1 ? done : 1;
}

static double cosine(double done)
{
    ur_real x = (ur_real)(3.14159265358979323846 * done), y;
    ur__kernel()->cos(1, &x, &y);
    return LOWEST + (1 - LOWEST) / 2 * (1 + (double)y);
}

/* Once the tenth epoch is over, once more after each further one. */
static double stepped(const ur_schedule *s, int64_t step)
{
    double factor = 1;
    int64_t epoch = s->epoch_steps > 0 ? step / s->epoch_steps : 0;
    for (int64_t e = DECAY_AFTER; e <= epoch && factor > 1e-30; e++)
        factor *= DECAY;
    return factor;
}

double ur__schedule_lr(const ur_schedule *s, const struct ur__plateau *p, int64_t step,
                       double elapsed)
{
    double lr = s->lr;
    switch (s->kind) {
    case UR_SCHEDULE_COSINE: lr *= cosine(progress(s, step, elapsed)); break;
    case UR_SCHEDULE_CONSTANT: break;
    case UR_SCHEDULE_STEP: lr *= stepped(s, step); break;
    case UR_SCHEDULE_PLATEAU: lr *= p->factor; break;
    }
    if (step < s->warmup)
        lr *= (double)(step + 1) / (double)s->warmup;
    return lr;
}

void ur__plateau_see(struct ur__plateau *p, bool better)
{
    bool cut = !better && p->worse >= CUT_AFTER - 1;
    p->worse = better || cut ? 0 : p->worse + 1;
    if (cut)
        p->factor *= CUT;
}

/* ---- for loops of one's own -------------------------------------------- */

static const ur_schedule defaults = {
    .size = sizeof defaults, .kind = UR_SCHEDULE_CONSTANT, .lr = 5e-3, .steps = -1, .factor = 1,
};

void ur_schedule_init_size(ur_schedule *p, size_t size)
{
    ur__sized_init(p, size, &defaults, sizeof defaults);
}

static ur_status read(ur_schedule *to, const ur_schedule *from)
{
    UR__TRY(ur__sized_read(to, from, &defaults, sizeof defaults, "ur_schedule_init"));
    if (!(to->factor >= 0) || !isfinite(to->factor))
        return ur__fail(UR_EINVAL, "a schedule whose factor is %g is impossible", to->factor);
    if (to->worse < 0)
        return ur__fail(UR_EINVAL, "a schedule with worse %d is impossible: it counts validations",
                        to->worse);
    return UR_OK;
}

ur_status ur_schedule_value(const ur_schedule *schedule, int64_t step, double seconds, double *lr)
{
    UR__NEED(schedule, "schedule");
    UR__NEED(lr, "lr");
    ur_schedule s;
    UR__TRY(read(&s, schedule));
    UR__TRY(ur__schedule_check(&s));
    if (step < 0 || !(seconds >= 0))
        return ur__fail(UR_EINVAL, "there is no learning rate of step %lld after %g seconds",
                        (long long)step, seconds);
    unsigned mode = ur__fpmode_default();
    *lr = ur__schedule_lr(&s, &(struct ur__plateau){s.factor, s.worse}, step, seconds);
    ur__fpmode_restore(mode);
    return UR_OK;
}

ur_status ur_schedule_see(ur_schedule *schedule, bool better)
{
    UR__NEED(schedule, "schedule");
    ur_schedule s;
    UR__TRY(read(&s, schedule));
    struct ur__plateau p = {s.factor, s.worse};
    ur__plateau_see(&p, better);
    schedule->factor = p.factor;
    schedule->worse = p.worse;
    return UR_OK;
}
