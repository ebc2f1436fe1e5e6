/* SPDX-License-Identifier: MIT */
/* Reading a series, its parts and their windows. */
#include "task/forecast.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/status.h"
#include "io/option_json.h"
#include "model/arch.h"
#include "task/reading.h"
#include "train/options.h"

enum { MOST_RECENT = 256 };     /* rows that intervals are told from */

/* ---- parts ------------------------------------------------------------- */

/* A share of n below 1, or a whole number of rows. */
static bool read_part(const char *text, size_t length, int64_t n, int64_t *rows)
{
    char copy[32];
    double value;
    if (length >= sizeof copy)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (!ur__parse_real(copy, &value) || !(value >= 0 && value <= 1e15))
        return false;
    *rows = value < 1 ? (int64_t)(value * (double)n) : (int64_t)value;
    return value < 1 || value <= floor(value);
}

ur_status ur__forecast_split(const char *split, double val, int64_t n, int horizon,
                             int64_t begin[4])
{
    int64_t last = (int64_t)(val * (double)n);
    last = val > 0 && last < horizon && 2 * horizon <= n ? horizon : last;
    int64_t rows[3] = {n - last, last, 0};
    int parts = 0;
    bool sound = true;
    for (const char *at = split; at && sound; parts++) {
        size_t length = strcspn(at, ",");
        sound = parts < 3 && read_part(at, length, n, &rows[parts]);
        at = at[length] ? at + length + 1 : NULL;
    }
    if (!sound || parts == 1)
        return ur__fail(UR_EINVAL, "split %.60s: must be TRAIN,VALIDATION or "
                        "TRAIN,VALIDATION,TEST: rows, or shares below 1", split);
    begin[0] = 0;
    for (int i = 0; i < 3; i++)
        begin[i + 1] = begin[i] + rows[i];
    return begin[3] <= n ? UR_OK : ur__fail(UR_EINVAL, "split %.60s: more than the %lld rows that "
                                            "there are", split ? split : "", (long long)n);
}

/* Is there a value of a target ahead? */
static bool has_target(const struct ur__forecast *f, int64_t origin)
{
    const struct ur__series *s = &f->signal.series;
    for (int64_t t = origin; t < origin + f->net.horizon; t++)
        for (int k = 0; k < s->targets; k++)
            if (!isnan(s->value[t * ur__series_columns(s) + k]))
                return true;
    return false;
}

int64_t ur__forecast_origins(const struct ur__forecast *f, int64_t begin, int64_t end, int64_t *at)
{
    const int64_t least = f->signal.first + f->net.context;
    int64_t n = 0;
    for (int64_t t = begin < least ? least : begin; t + f->net.horizon <= end; t++) {
        if (!has_target(f, t))
            continue;
        if (at)
            at[n] = t;
        n++;
    }
    return n;
}

/* Lists the origins of two parts; the first may be empty. */
static ur_status list_origins(struct ur__forecast *f, const int64_t train[2],
                              const int64_t valid[2])
{
    int64_t n = ur__forecast_origins(f, train[0], train[1], NULL);
    int64_t m = ur__forecast_origins(f, valid[0], valid[1], NULL);
    f->origins = ur__alloc((size_t)(n + m) + 1, sizeof *f->origins);
    if (!f->origins)
        return UR_ENOMEM;
    ur__forecast_origins(f, train[0], train[1], f->origins);
    ur__forecast_origins(f, valid[0], valid[1], f->origins + n);
    f->train = (struct ur__origins){f->origins, n};
    f->valid = (struct ur__origins){f->origins + n, m};
    return UR_OK;
}

/* ---- opening ----------------------------------------------------------- */

void ur__forecast_close(void *run)
{
    struct ur__forecast *f = run;
    if (!f)
        return;
    ur_tape_free(f->tape);
    ur_model_state_free(f->state);
    ur__signal_close(&f->signal);
    ur__free(f->origins);
    ur__free(f->block);
    ur__buf_free(&f->note);
    ur__free(f);
}

/* Two periods or horizons, but no more than leaves half of the part to learn from for windows, nor
 * so many that steps take long. */
static int usual_context(const struct ur__forecast *f)
{
    const int64_t H = f->net.horizon, m = f->o.period, rows = f->train_end - f->signal.first;
    int64_t C = 2 * (m > H ? m : H), most = (rows - H) / 2;
    C = C < most ? C : most;
    return C > 512 ? 512 : C > 1 ? (int)C : 1;
}

static ur_status tell(struct ur__forecast *f, bool tested)
{
    const struct ur__series *s = &f->signal.series;
    char step[UR__TIME_TEXT] = "";
    if (s->timed && s->n > 1)
        ur__time_step_write(&s->step, step);
    UR__TRY(ur__buf_printf(&f->note, "forecasting %s", ur__series_name(s, 0)));
    if (s->targets > 1)
        UR__TRY(ur__buf_printf(&f->note, " and %d more", s->targets - 1));
    UR__TRY(ur__buf_printf(&f->note, ", %d steps from %d; period %d", f->net.horizon,
                           f->net.context, f->o.period));
    if (step[0])
        UR__TRY(ur__buf_printf(&f->note, ", a row each %s", step));
    if (s->missing)
        UR__TRY(ur__buf_printf(&f->note, "; %lld values are missing", (long long)s->missing));
    return tested ? ur__buf_printf(&f->note, "; the last part is left for a test") : UR_OK;
}

static ur_status check_windows(const struct ur__forecast *f, const int64_t begin[4])
{
    const int C = f->net.context, H = f->net.horizon;
    if (f->train.n == 0)
        return ur__fail(UR_EDATA, "%lld rows to learn from are too few: a context of %d and a "
                        "horizon of %d need %d, with values of each target",
                        (long long)f->train_end, C, H, C + H);
    if (f->valid.n == 0 && begin[2] > begin[1])
        return ur__fail(UR_EDATA, "the %lld rows held out for validation have no value within a "
                        "whole horizon of %d: hold out more (val, split)",
                        (long long)(begin[2] - begin[1]), H);
    return UR_OK;
}

static ur_status open_all(struct ur__forecast *f, const struct ur__job *job,
                          struct ur__facts *facts)
{
    const struct ur__series *s = &f->signal.series;
    int64_t begin[4];
    if (job->n_data != 1)
        return ur__fail(UR_EINVAL, "forecasts are learnt from one file, and these are %d",
                        job->n_data);
    if (job->val_file)
        return ur__fail(UR_EINVAL, "val %.80s: forecasts are validated on the last part of their "
                        "own data: give a share", job->val_file);
    UR__TRY(ur__signal_open(&f->signal, job->data[0]));
    UR__TRY(ur__forecast_split(f->o.split, job->val, s->n, f->net.horizon, begin));
    f->train_end = begin[1];
    if (f->o.period == 0)
        f->o.period = s->timed && s->n > 1 ? ur__time_period(&s->step) : 1;
    if (f->net.context == 0)
        f->net.context = usual_context(f);
    if (f->o.recent == 0)
        f->o.recent = begin[2] - begin[1] < MOST_RECENT ? (int)(begin[2] - begin[1]) : MOST_RECENT;
    f->net.targets = s->targets;
    f->net.features = s->features;
    f->net.gaps = s->missing > 0;
    f->net.ahead = f->signal.K;
    UR__TRY(list_origins(f, begin, begin + 1));
    UR__TRY(check_windows(f, begin));
    UR__TRY(tell(f, begin[3] > begin[2]));
    facts->note[0] = f->note.data;
    facts->source[facts->n_sources++] = (struct ur__source){"data", s->tally.bytes, s->tally.crc};
    facts->train_items = f->train.n;
    facts->val_items = f->valid.n;
    facts->unit = "window";
    facts->measure = UR_MEASURE_NATS;
    facts->uniform = (double)NAN;
    facts->carries = facts->carries_scored = f->net.recursive;
    ur__suit_examples(facts, f->train.n);
    return UR_OK;
}

static struct ur__forecast *new_run(const void *options, const struct ur__forecast_net *net)
{
    struct ur__forecast *f = ur__calloc(1, sizeof *f);
    if (!f)
        return NULL;
    memcpy(&f->o, options, sizeof f->o);
    f->net = *net;
    f->signal.o = &f->o;
    f->signal.net = &f->net;
    return f;
}

ur_status ur__forecast_open(void **run, const struct ur__job *job, struct ur__facts *facts)
{
    *run = NULL;
    struct ur__forecast *f = new_run(ur__options_read(job->options), ur__options_read(job->net));
    if (!f)
        return UR_ENOMEM;
    f->team = job->team;
    f->seed = job->seed;
    ur_status status = open_all(f, job, facts);
    if (status != UR_OK) {
        ur__forecast_close(f);
        return status;
    }
    *run = f;
    return UR_OK;
}

/* ---- measuring --------------------------------------------------------- */

/* The part of the data that a model was not trained on. Forecasts for the test may be told from how
 * those for the part before it went. */
static ur_status part_again(struct ur__forecast *f, const struct ur__json *summary,
                            const ur_eval_options *options, int64_t part[2])
{
    const struct ur__series *s = &f->signal.series;
    int64_t bytes, crc, begin[4];
    double val;
    if (!ur__json_get_int(summary, "data_bytes", &bytes) ||
        !ur__json_get_int(summary, "data_crc32", &crc) ||
        !ur__json_get_real(summary, "val", &val) || !(val >= 0 && val < 1))
        return ur__fail(UR_EDATA, "the model does not say what it was trained on, so nothing is "
                        "known to be held out");
    if ((uint64_t)bytes != s->tally.bytes || crc != (int64_t)s->tally.crc)
        return ur__fail(UR_EDATA, "this is not the data that the model was trained on, so nothing "
                        "of it was held out");
    if (ur__forecast_split(f->o.split, val, s->n, f->net.horizon, begin) != UR_OK)
        return ur__fail(UR_EDATA, "what the model says of its training is damaged: %s",
                        ur_errmsg());
    const int64_t *from = options->tested ? begin + 2 : begin + 1;
    part[0] = from[0];
    part[1] = from[1];
    f->look_back = begin[1];
    return part[1] > part[0] ? UR_OK : ur__fail(UR_EDATA, "the model was trained with nothing "
                                                "held out%s", options->tested ? " for a test" : "");
}

/* back: rows to leave out of a file that is no part of the training's. */
static ur_status open_measured(struct ur__forecast *f, const ur_eval_options *options, int back,
                               const struct ur__json *summary)
{
    const int64_t none[2] = {0, 0};
    int64_t part[2] = {0, 0};
    if ((options->held_out || options->tested) && back)
        return ur__fail(UR_EINVAL, "back leaves out rows of a file, not of a part of what the "
                        "model was trained on");
    f->o.back = options->held_out || options->tested ? f->o.back : back;
    UR__TRY(ur__signal_open(&f->signal, options->data[0]));
    UR__TRY(ur__signal_use(&f->signal, f->model));
    part[1] = f->signal.series.n;
    if (options->held_out || options->tested)
        UR__TRY(part_again(f, summary, options, part));
    UR__TRY(list_origins(f, none, part));
    if (f->valid.n == 0)
        return ur__fail(UR_EDATA, "%s: %lld rows are too few: a context of %d and a horizon of %d "
                        "need %d", options->data[0], (long long)(part[1] - part[0]),
                        f->net.context, f->net.horizon, f->net.context + f->net.horizon);
    const int64_t least = f->signal.first + f->net.context, late = f->valid.at[0] - f->o.recent;
    f->look_back = f->look_back > least ? f->look_back : least;
    f->look_back = f->look_back > late ? f->look_back : late;
    return UR_OK;
}

ur_status ur__forecast_measure(void **run, const ur_model *model, const ur_eval_options *options)
{
    const char *text = ur_model_summary(model);
    ur_options own;
    struct ur__json *summary;
    *run = NULL;
    if (options->n_data != 1)
        return ur__fail(UR_EINVAL, "forecasts are measured on one file");
    UR__TRY(ur__json_parse(&summary, text, strlen(text)));
    ur__options_init(&own, &ur__forecast_table);
    ur__options_recall(&ur__forecast_table, summary, ur__options_values(&own));
    struct ur__forecast *f = NULL;
    ur_status status = ur__options_set_measured(&own, options);
    if (status == UR_OK) {
        f = new_run(ur__options_read(&own), ur__model_values(model));
        status = f ? UR_OK : UR_ENOMEM;
    }
    if (status == UR_OK) {
        f->model = model;
        f->team = options->team;
        f->measures = true;
        status = open_measured(f, options, ur_options_given(&own, "back") ? f->o.back : 0, summary);
        f->o.target = f->o.features = f->o.time = f->o.split = NULL;    /* the summary's */
    }
    ur__json_free(summary);
    if (status == UR_OK)
        status = ur__forecast_score_open(f, model);
    if (status == UR_OK)
        *run = f;
    else
        ur__forecast_close(f);
    return status;
}
