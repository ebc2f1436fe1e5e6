/* SPDX-License-Identifier: MIT */
/* What comes after the end of a file, or of an array: a line a step, as CSV. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/status.h"
#include "io/option_json.h"
#include "model/arch.h"
#include "task/answer.h"
#include "task/calibration.h"
#include "task/forecast.h"
#include "task/list.h"

struct answerer {
    const ur_model *model;
    struct ur__forecast_options o;
    struct ur__signal signal;
    struct ur__windows_of window;   /* of one row */
    struct ur__calibration *recent; /* [N] */
    void *block;
    ur_tape *tape;
    ur_model_state *state;          /* NULL: none is carried */
    struct ur__buf name;            /* of a column, as CSV has it */
    const char *const *paths;       /* files that are left to answer */
    int n_paths;
};

/* How the model's training read its series; without names of columns. */
static ur_status recall(struct answerer *a)
{
    const char *text = ur_model_summary(a->model);
    union ur__option_values values;
    struct ur__json *summary;
    UR__TRY(ur__json_parse(&summary, text, strlen(text)));
    ur__options_recall(&ur__forecast_table, summary, &values);
    memcpy(&a->o, &values, sizeof a->o);
    a->o.target = a->o.features = a->o.time = a->o.split = NULL;
    a->o.back = 0;
    ur__json_free(summary);
    return UR_OK;
}

static void place(struct answerer *a, struct ur__carve *c)
{
    ur__windows_place(&a->window, a->signal.net, c);
    a->recent = ur__calibrations_place(a->signal.net, a->o.recent, c);
}

static ur_status answerer_open(void *p, const struct ur__predict_job *job)
{
    struct answerer *a = p;
    struct ur__carve count = {0}, c = {0};
    a->model = job->model;
    UR__TRY(recall(a));
    a->signal.o = &a->o;
    a->signal.net = ur__model_values(job->model);
    a->window.B = 1;
    place(a, &count);
    c.base = a->block = ur__alloc(count.used, 1);
    if (!a->block)
        return UR_ENOMEM;
    place(a, &c);
    if (a->signal.net->recursive)
        UR__TRY(ur_model_state_new(&a->state, job->model, 1, job->team));
    UR__TRY(ur_tape_new(&a->tape, job->team));
    ur_tape_set_recording(a->tape, false);
    return UR_OK;
}

static void close_signal(struct answerer *a)
{
    ur__signal_close(&a->signal);
    a->signal = (struct ur__signal){.o = &a->o, .net = a->signal.net};
}

static void answerer_close(void *p)
{
    struct answerer *a = p;
    ur__signal_close(&a->signal);
    ur__buf_free(&a->name);
    ur_model_state_free(a->state);
    ur_tape_free(a->tape);
    ur__free(a->block);
}

/* ---- rows -------------------------------------------------------------- */

/* A value of the file, also of a row that is left out; NaN: missing, or past its end. */
static double value_at(const struct answerer *a, int64_t row, int k)
{
    const struct ur__series *s = &a->signal.series;
    return row < s->n + a->o.back ? s->value[row * ur__series_columns(s) + k] : (double)NAN;
}

static ur_status put_context(struct answerer *a, int k, struct ur__answer *to)
{
    const struct ur__series *s = &a->signal.series;
    char time[UR__TIME_TEXT];
    for (int64_t t = s->n - a->signal.net->context; t < s->n; t++) {
        const ur_forecast_row row = {
            .series = ur__series_name(s, k), .time = ur__series_time(s, t, time),
            .value = value_at(a, t, k), .point = (double)NAN, .lower = (double)NAN,
            .upper = (double)NAN,
        };
        UR__TRY(ur__answer_row(to, &row));
    }
    return UR_OK;
}

/* In quotes if need be (RFC 4180). */
static ur_status make_name(struct answerer *a, const char *name)
{
    a->name.size = 0;
    if (!strpbrk(name, ",\""))
        return ur__buf_printf(&a->name, "%s,", name);
    UR__TRY(ur__buf_puts(&a->name, "\""));
    for (; *name; name++)
        UR__TRY(ur__buf_printf(&a->name, *name == '"' ? "\"%c" : "%c", *name));
    return ur__buf_puts(&a->name, "\",");
}

static ur_status put_line(struct answerer *a, const ur_forecast_row *row, struct ur__answer *to)
{
    const double bounds[] = {row->lower, row->upper};
    UR__TRY(ur__buf_printf(&to->text, "\n%s,%s%.9g", row->time,
                           a->name.size ? a->name.data : "", row->point));
    for (int i = 0; i < 2; i++)
        UR__TRY(isnan(bounds[i]) ? ur__buf_puts(&to->text, ",")
                                 : ur__buf_printf(&to->text, ",%.9g", bounds[i]));
    return UR_OK;
}

static ur_status put_forecast(struct answerer *a, const ur_real *y, int k, struct ur__answer *to)
{
    const struct ur__signal *s = &a->signal;
    const double widen = ur__calibration_factor(&a->recent[k], s->series.n, s->net->interval,
                                                (double)s->widen[k]);
    char time[UR__TIME_TEXT];
    for (int j = 0; j < s->net->horizon; j++) {
        const int place[] = {j, 0, k};
        const struct ur__interval interval = ur__signal_interval(s, y, &a->window, place);
        const struct ur__forecast_step step =
            ur__signal_step(s, &a->window, place, &interval, widen);
        const ur_forecast_row row = {
            .series = ur__series_name(&s->series, k),
            .time = ur__series_time(&s->series, s->series.n + j, time),
            .value = value_at(a, s->series.n + j, k), .point = step.point, .lower = step.lower,
            .upper = step.upper,
        };
        if (!isfinite(step.point))
            return ur__fail(UR_ENUMERIC, "the forecast of %s for %s is not finite", row.series,
                            row.time);
        UR__TRY(ur__answer_row(to, &row));
        UR__TRY(put_line(a, &row, to));
    }
    return UR_OK;
}

/* Outputs of the forecast from a row; borrowed until the next. */
static ur_status forecast(struct answerer *a, int64_t origin, const ur_real **y)
{
    ur_batch batch;
    ur_batch_init(&batch);
    ur__signal_fill(&a->signal, origin, &a->window, 0);
    UR__TRY(ur__windows_fields(&a->window, a->signal.net, &batch));
    ur_tape_reset(a->tape);
    if (a->state)
        ur_model_state_zero(a->state);
    *y = ur_data(ur_model_outputs(a->tape, a->model, &batch, a->state));
    if (a->state)
        ur_model_state_detach(a->state);
    return ur_tape_status(a->tape);
}

/* How forecasts from the latest rows went. */
static ur_status look_back(struct answerer *a)
{
    const struct ur__signal *s = &a->signal;
    const int64_t least = s->first + s->net->context, late = s->series.n - a->o.recent;
    const int N = s->net->targets, H = s->net->horizon;
    const ur_real *y;
    for (int k = 0; k < N; k++)
        ur__calibration_begin(&a->recent[k]);
    for (int64_t t = late > least ? late : least; t < s->series.n; t++) {
        UR__TRY(forecast(a, t, &y));
        for (int i = 0; i < N * H; i++) {
            const int place[] = {i % H, 0, i / H};
            const struct ur__interval interval = ur__signal_interval(s, y, &a->window, place);
            ur__calibration_note(&a->recent[i / H], t, i % H, &interval,
                                 ur__signal_truth(s, &a->window, place));
        }
    }
    return UR_OK;
}

static ur_status answer(struct answerer *a, struct ur__answer *to)
{
    const struct ur__signal *s = &a->signal;
    const int N = s->net->targets;
    const ur_real *y;
    UR__TRY(look_back(a));
    UR__TRY(forecast(a, s->series.n, &y));
    UR__TRY(ur__buf_printf(&to->text, "time,%spoint,lower,upper", N > 1 ? "series," : ""));
    for (int k = 0; k < N; k++) {
        a->name.size = 0;
        if (N > 1)
            UR__TRY(make_name(a, ur__series_name(&s->series, k)));
        UR__TRY(put_context(a, k, to));
        UR__TRY(put_forecast(a, y, k, to));
    }
    return UR_OK;
}

static ur_status check_length(const struct answerer *a, const char *name)
{
    const struct ur__signal *s = &a->signal;
    if (s->series.n - s->first >= s->net->context)
        return UR_OK;
    return ur__fail(UR_EDATA, "%s: %lld rows with values are too few: forecasts are made from %d",
                    name, (long long)(s->series.n - s->first), s->net->context);
}

/* ---- files and arrays -------------------------------------------------- */

static ur_status answer_line(void *p, const char *line, size_t n, struct ur__answer *to)
{
    (void)p;
    (void)line;
    (void)n;
    (void)to;
    return ur__fail(UR_EINVAL, "a forecast is made of numbers, not of lines of text");
}

static ur_status take_frames(struct answerer *a, int T, int I, const ur_real *frames)
{
    struct ur__series *s = &a->signal.series;
    const size_t n = (size_t)T * (size_t)I;
    s->value = ur__alloc(n, sizeof *s->value);
    if (!s->value)
        return UR_ENOMEM;
    s->n = T;
    s->targets = a->signal.net->targets;
    s->features = a->signal.net->features;
    for (size_t i = 0; i < n; i++) {
        s->value[i] = (double)frames[i];
        if (isinf(frames[i]))
            return ur__fail(UR_EDATA, "number %zu of step %zu is infinite", i % (size_t)I,
                            i / (size_t)I);
    }
    UR__TRY(ur__signal_make(&a->signal));
    UR__TRY(ur__signal_use(&a->signal, a->model));
    return check_length(a, "the steps");
}

static ur_status answer_frames(void *p, int T, int I, const ur_real *frames, struct ur__answer *to)
{
    struct answerer *a = p;
    const struct ur__forecast_net *c = a->signal.net;
    if (T < 1)
        return ur__fail(UR_EINVAL, "a forecast is not made of %d steps", T);
    if (I != c->targets + c->features)
        return ur__fail(UR_ESHAPE, "steps have %d numbers, but the network reads %d", I,
                        c->targets + c->features);
    if (c->ahead)
        return ur__fail(UR_EINVAL, "the network reads the times of steps, too: give it a file");
    ur_status status = take_frames(a, T, I, frames);
    if (status == UR_OK)
        status = answer(a, to);
    close_signal(a);
    return status;
}

static ur_status open_files(void *p, const ur_options *options, const char *const *paths,
                            int n_paths)
{
    struct answerer *a = p;
    const bool back = ur_options_given(options, "back");
    memcpy(&a->o, ur__options_read(options), sizeof a->o);
    a->o.back = back ? a->o.back : 0;
    a->paths = paths;
    a->n_paths = n_paths;
    return UR_OK;
}

static ur_status answer_next(void *p, bool *more, struct ur__answer *to)
{
    struct answerer *a = p;
    *more = a->n_paths > 0;
    if (!a->paths)
        return ur__fail(UR_EINVAL, "no files are open");
    if (!*more)
        return UR_OK;
    const char *path = *a->paths++;
    a->n_paths--;
    ur_status status = ur__signal_open(&a->signal, path);
    if (status == UR_OK)
        status = ur__signal_use(&a->signal, a->model);
    if (status == UR_OK)
        status = check_length(a, strcmp(path, "-") ? path : "standard input");
    if (status == UR_OK)
        status = answer(a, to);
    close_signal(a);
    return status;
}

const struct ur__predict_plug ur__forecast_series = {
    .size = sizeof(struct answerer), .open = answerer_open, .close = answerer_close,
    .line = answer_line, .frames = answer_frames, .files = open_files, .next = answer_next,
};
