/* SPDX-License-Identifier: MIT */
#include "train/options.h"

#include <math.h>
#include <string.h>

#include "base/status.h"
#include "train/optimizer.h"
#include "train/schedule.h"

#define AT(field) .at = offsetof(ur_train_options, field)
#define WHOLE .kind = UR_OPTION_INT
#define COUNT .kind = UR_OPTION_COUNT
#define REAL .kind = UR_OPTION_REAL

static const char *const on_nan_words[] = {
    [UR_ON_NAN_ROLLBACK] = "rollback",
    [UR_ON_NAN_SKIP] = "skip",
    [UR_ON_NAN_STOP] = "stop",
    NULL,
};
#define N_POLICIES ((int)(sizeof on_nan_words / sizeof on_nan_words[0]) - 1)

const char *ur_on_nan_name(ur_on_nan policy)
{
    return (int)policy >= 0 && (int)policy < N_POLICIES ? on_nan_words[policy] : NULL;
}

bool ur_on_nan_find(const char *name, ur_on_nan *out)
{
    UR__NEED_OR(name, "name", false);
    UR__NEED_OR(out, "out", false);
    int i = ur__find_name(on_nan_words, N_POLICIES, name);
    if (i >= 0)
        *out = (ur_on_nan)i;
    return i >= 0;
}

#define MOST_BATCH 1048576

static const ur_option rows[] = {
    {.group = "text", .name = "val", .arg = "SHARE|FILE", .shown = "0.1", .kind = UR_OPTION_TEXT,
     .flags = UR_OPTION_IMPLIED, AT(val_file),
     .help = "held out for validation: a file, or a share: the last part of the data, of labelled "
             "data a drawn one"},
    {.group = "training", .name = "batch", .arg = "N", .shown = "4 to 64 by the data",
     WHOLE, .min = 1, .max = MOST_BATCH, AT(batch), .help = "sequences side by side"},
    {.name = "epochs", .arg = "X", .shown = "50 to 1 by the data", REAL,
     .max = 1e9, .flags = UR_OPTION_OPEN_MIN | UR_OPTION_IMPLIED, AT(epochs),
     .help = "end after so many times through the data"},
    {.name = "steps", .arg = "N", .shown = "no limit", COUNT,
     .max = UR__OPTION_MANY, .flags = UR_OPTION_IMPLIED, AT(steps),
     .help = "end after so many updates; 0 writes the initial model"},
    {.name = "time", .arg = "90s|10m|2h", .shown = "no limit",
     .kind = UR_OPTION_SECONDS, .flags = UR_OPTION_IMPLIED, AT(seconds),
     .help = "end after this time; of epochs, steps and time the first counts"},
    {.name = "optimizer", .fallback = "adamw", .kind = UR_OPTION_CHOICE,
     .words = ur__optimizer_words, AT(optimizer.kind), .help = "how gradients become updates"},
    {.name = "lr", .arg = "X", .shown = "5e-3", REAL, .max = 1000,
     .flags = UR_OPTION_OPEN_MIN, AT(lr), .help = "learning rate"},
    {.name = "schedule", .fallback = "cosine", .kind = UR_OPTION_CHOICE,
     .words = ur__schedule_words, AT(schedule), .help = "how it falls; cosine ends at a tenth"},
    {.name = "warmup", .arg = "STEPS", .fallback = "0", COUNT,
     .max = UR__OPTION_MANY, AT(warmup), .help = "steps in which it first rises from 0"},
    {.name = "clip-norm", .arg = "X", .fallback = "1", REAL,
     .max = UR__OPTION_MANY, AT(optimizer.clip_norm),
     .help = "longest gradient, over all parameters; 0: off"},
    {.name = "clip-value", .arg = "X", .fallback = "0", .shown = "0: off",
     REAL, .max = UR__OPTION_MANY, AT(optimizer.clip_value),
     .help = "largest element of the gradient"},
    {.name = "weight-decay", .arg = "X", .shown = "adamw: 0.01, else 0",
     REAL, .max = 1000, AT(optimizer.weight_decay),
     .help = "pull towards zero; adamw applies it apart from the gradient"},
    {.name = "average", .arg = "X", .fallback = "0", .shown = "0: off", REAL, .max = 1000,
     .flags = UR_OPTION_SPARSE, AT(average),
     .help = "validate and save an average of the weights along the run, in which late ones count "
             "for more, the more the larger X"},
    {.name = "patience", .arg = "N", .fallback = "0", .shown = "0: off",
     WHOLE, .max = 1e9, AT(patience),
     .help = "end after so many validations without a better model"},
    {.name = "best", .arg = "FIGURE", .shown = "the loss",
     .kind = UR_OPTION_TEXT, .flags = UR_OPTION_IMPLIED, AT(best),
     .help = "the figure of the part held out that says which model is best"},
    {.name = "seed", .arg = "N", .fallback = "123", .kind = UR_OPTION_SEED,
     AT(seed), .help = "of all random numbers; equal seeds give equal models"},
    {.group = "runs", .name = "resume", .kind = UR_OPTION_FLAG, .flags = UR_OPTION_FREE,
     AT(resume), .help = "go on with an interrupted run, to the same model bit for bit, with the "
                         "options it had"},
    {.name = "force", .kind = UR_OPTION_FLAG, .flags = UR_OPTION_FREE, AT(force),
     .help = "start over an existing model"},
    {.name = "init-from", .arg = "MODEL", .kind = UR_OPTION_TEXT,
     .flags = UR_OPTION_FREE, AT(init_from),
     .help = "start from the weights of a model of the same form, and from nothing else of its "
             "training; tokens are matched by what they are"},
    {.name = "vocab-from", .arg = "MODEL", .kind = UR_OPTION_TEXT,
     .flags = UR_OPTION_FREE, AT(vocab_from), .help = "use the vocabulary of a model"},
    {.name = "eval-every", .arg = "STEPS", .fallback = "0",
     .shown = "each epoch's end", COUNT, .max = UR__OPTION_MANY, .flags = UR_OPTION_FREE,
     AT(eval_every), .help = "validate"},
    {.name = "checkpoint-every", .arg = "STEPS", .fallback = "0",
     .shown = "each validation", COUNT, .max = UR__OPTION_MANY, .flags = UR_OPTION_FREE,
     AT(checkpoint_every), .help = "save the state of training"},
    {.name = "on-nan", .fallback = "rollback", .kind = UR_OPTION_CHOICE,
     .words = on_nan_words, .flags = UR_OPTION_FREE, AT(on_nan),
     .help = "numbers that are not finite: go back to the last checkpoint, with half the learning "
             "rate, at most 3 times; skip the step; or stop"},
    {.name = "sample-every", .arg = "STEPS", .fallback = "0", .shown = "0: never",
     COUNT, .max = UR__OPTION_MANY, .flags = UR_OPTION_FREE | UR__OPTION_SHOWS,
     AT(sample_every), .help = "show what the net makes"},
    {.name = "report-gradients", .kind = UR_OPTION_FLAG,
     .flags = UR_OPTION_FREE | UR__OPTION_CARRIES, AT(report_gradients),
     .help = "write to --log how far back gradients reach, at the start and at validations"},
};

static void leave_open(void *values)
{
    ur_train_options *o = values;
    o->size = sizeof *o;
    ur_optimizer_options_init(&o->optimizer);
    o->val = 0.1;
    o->epochs = o->lr = -1;
    o->steps = -1;
    o->sample_length = 200;
    o->shards = 1;
}

const ur_option_table ur__train_table = {
    .name = "train", .what = "training", .rows = rows, .n = sizeof rows / sizeof *rows,
    .size = sizeof(ur_train_options), .init = leave_open,
};

bool ur__train_given(const ur_train_options *o, const char *name)
{
    int row = ur__option_find(&ur__train_table, name, strlen(name));
    return row >= 0 && (o->given[row / 64] >> row % 64 & 1);
}

ur_status ur__train_settle_val(ur_train_options *o)
{
    double share;
    if (!o->val_file || !ur__parse_real(o->val_file, &share))
        return UR_OK;
    if (!(share >= 0 && share < 1))
        return ur__fail(UR_EINVAL, "val %.80s: must be a share of at least 0 and below 1, "
                        "or a file", o->val_file);
    o->val = share;
    o->val_file = NULL;
    return UR_OK;
}

/* What a net has learnt depends first on the number of updates, and small ones are cheap: see
 * docs/TRAINING.md, "Batch, rate and epochs by the data". */
#define SEEN 50000000   /* tokens that a run over a large text goes through */

void ur__train_by_data(ur_train_options *o, const struct ur__facts *facts)
{
    const int64_t items = facts->train_items;
    if (o->batch == 0)
        o->batch = facts->batch;
    if (o->lr < 0 && facts->lr > 0)
        o->lr = facts->lr;
    if (o->epochs < 0 && facts->epochs > 0)
        o->epochs = facts->epochs;
    if (o->batch == 0)
        o->batch = items < 800000 ? 4 : items < 2000000 ? 8 : items < 200000000 ? 16 : 64;
    if (o->lr < 0)
        o->lr = 5e-3;
    if (o->epochs >= 0)
        return;
    o->epochs = items < 10000 ? 50 : 25;
    if (items >= 2000000)
        o->epochs = items < SEEN ? floor(SEEN / (double)items + 0.5) : 1;
}

/* Some thousand updates, and every example at least eight times. */
void ur__suit_examples(struct ur__facts *facts, int64_t n)
{
    facts->batch = n < 500 ? 8 : n < 5000 ? 16 : 32;
    facts->lr = 3e-3;
    facts->epochs = n > 18750 ? 8 : n < 2500 ? 60 : floor(150000 / (double)n);
}

/* ---- checking ---------------------------------------------------------- */

static ur_status check_end(const ur_train_options *o)
{
    if (isnan(o->epochs))
        return ur__fail(UR_EINVAL, "epochs must be a number of at least 0");
    if (o->steps < -1)
        return ur__fail(UR_EINVAL, "steps must be at least 0, or -1 for no limit, not %lld",
                        (long long)o->steps);
    if (!(o->seconds >= 0) || !isfinite(o->seconds))
        return ur__fail(UR_EINVAL, "a time of %g seconds is impossible", o->seconds);
    return UR_OK;
}

static ur_status check_shards(const ur_train_options *o)
{
    if (o->shards < 1 || o->shard < 0 || o->shard >= o->shards)
        return ur__fail(UR_EINVAL, "shard %d of %d is impossible", o->shard, o->shards);
    if (o->shards > 1 && !o->reduce)
        return ur__fail(UR_EINVAL, "%d shards need a function that adds up their gradients",
                        o->shards);
    return UR_OK;
}

ur_status ur__train_check(const ur_train_options *o)
{
    if (!o->model || !*o->model)
        return ur__fail(UR_EINVAL, "no name is given for the model");
    if (o->n_data < 1 || !o->data)
        return ur__fail(UR_EINVAL, "no data to train on");
    for (int i = 0; i < o->n_data; i++)
        if (!o->data[i])
            return ur__fail(UR_EINVAL, "the name of data file %d is NULL", i);
    if (!(o->val >= 0 && o->val < 1))
        return ur__fail(UR_EINVAL, "the share held out must be in [0,1), not %g", o->val);
    if (o->batch < 0 || o->batch > MOST_BATCH)
        return ur__fail(UR_EINVAL, "batch must be 1 to %d, or 0 for a size by the data, not %d",
                        MOST_BATCH, o->batch);
    if (o->patience < 0)
        return ur__fail(UR_EINVAL, "patience must be at least 0, not %d", o->patience);
    if (o->checkpoint_every < 0 || o->eval_every < 0 || o->sample_every < 0
        || o->report_every < 0 || o->sample_length < 0)
        return ur__fail(UR_EINVAL, "a cadence or length is negative");
    if (!ur_on_nan_name(o->on_nan))
        return ur__fail(UR_EINVAL, "there is no policy %d for numbers that are not finite",
                        (int)o->on_nan);
    if (!(o->average >= 0 && o->average <= 1000))
        return ur__fail(UR_EINVAL, "average must be 0 to 1000, not %g", o->average);
    UR__TRY(check_end(o));
    UR__TRY(check_shards(o));
    UR__TRY(ur__optimizer_check(&o->optimizer));
    return ur_config_check(&o->net);
}
