/* SPDX-License-Identifier: MIT */
/* unroll/train.h: optimizers, learning-rate schedules, clipping: what a training loop of
 * one's own needs. Then the options and reports of the loop that the program uses:
 * ur_train() in task.h. */
#ifndef UNROLL_TRAIN_H
#define UNROLL_TRAIN_H

#include "unroll/metric.h"
#include "unroll/model.h"
#include "unroll/options.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum ur_optimizer_kind {
    UR_OPTIMIZER_ADAMW = 0,   /* Loshchilov and Hutter 2019: decay apart from the gradient */
    UR_OPTIMIZER_ADAM = 1,    /* Kingma and Ba 2015; weight decay added to the gradient */
    UR_OPTIMIZER_RMSPROP = 2, /* Tieleman and Hinton 2012; alpha 0.95, as char-rnn */
    UR_OPTIMIZER_ADAGRAD = 3, /* Duchi et al. 2011 */
    UR_OPTIMIZER_SGD = 4      /* with momentum 0.9 (Polyak 1964) */
} ur_optimizer_kind;

/** "adamw" ...; NULL if unknown. */
UR_API const char *ur_optimizer_name(ur_optimizer_kind kind);
UR_API bool ur_optimizer_find(const char *name, ur_optimizer_kind *out);

typedef struct ur_optimizer_options {
    size_t size;                /* set by ur_optimizer_options_init */
    ur_optimizer_kind kind;
    double beta1, beta2, eps;   /* 0: the kind's default (0.9, 0.999 or alpha 0.95, 1e-8) */
    double momentum;            /* UR_OPTIMIZER_SGD; negative: 0.9 */
    double weight_decay;        /* negative: 0.01 with UR_OPTIMIZER_ADAMW, else 0 */
    double clip_norm;           /* 0: off. Global norm over all parameters */
    double clip_value;          /* 0: off. Each element to ±value, after the norm */
    double room[8];
} ur_optimizer_options;
/** AdamW with clipping by norm 1. */
UR_API void ur_optimizer_options_init_size(ur_optimizer_options *options, size_t size);
static inline void ur_optimizer_options_init(ur_optimizer_options *options)
{
    ur_optimizer_options_init_size(options, sizeof *options);
}

typedef struct ur_optimizer ur_optimizer;
/** params is borrowed and built; team (may be NULL) borrowed. Errors: UR_EINVAL (an option is
 *  impossible; not built), UR_ENOMEM. */
UR_API ur_status ur_optimizer_new(ur_optimizer **out, ur_params *params,
                                  const ur_optimizer_options *options, ur_team *team);
UR_API void ur_optimizer_free(ur_optimizer *optimizer);
/** One update with learning rate lr from the gradients in params; *norm (may be NULL):
 *  their norm before clipping. Errors: UR_ENUMERIC, naming the parameter and element whose
 *  gradient is NaN or Inf; then nothing has changed. Or, as "after the update", a parameter
 *  or moment that was NaN or Inf or became it now; then all of them have changed. */
UR_API ur_status ur_optimizer_step(ur_optimizer *optimizer, double lr, double *norm);
/** Writes what it has learnt of the gradients so far (moments, count of updates) atomically to a
 *  safetensors file, about as many bytes as its moments; the parameters are the caller's to save
 *  (ur_model_save, ur_params_save). Errors: UR_EOUTPUT; UR_ENUMERIC (nothing is written). */
UR_API ur_status ur_optimizer_save(const ur_optimizer *optimizer, const char *path);
/** Reads it into an optimizer of the same kind for parameters of the same names and shapes; with
 *  the parameters of then, it goes on with the same bits. Learning rate, betas, decay and clipping
 *  are not in the file. After an error nothing has changed: UR_EINPUT, UR_EFORMAT (another file,
 *  damaged), UR_EVERSION, UR_EINVAL (another kind), UR_ESHAPE (other parameters), UR_ENUMERIC. */
UR_API ur_status ur_optimizer_load(ur_optimizer *optimizer, const char *path);

typedef enum ur_schedule_kind {
    UR_SCHEDULE_COSINE = 0,     /* from lr to lr/10 at the end (Loshchilov and Hutter 2017) */
    UR_SCHEDULE_CONSTANT = 1,
    UR_SCHEDULE_STEP = 2,       /* ×0.97 an epoch after the 10th, as char-rnn */
    UR_SCHEDULE_PLATEAU = 3     /* ×0.5 after 2 validations without a better loss */
} ur_schedule_kind;
UR_API const char *ur_schedule_name(ur_schedule_kind kind);
UR_API bool ur_schedule_find(const char *name, ur_schedule_kind *out);

/** The learning rate of each step, as ur_train has it (docs/TRAINING.md), for a loop of one's own.
 *  ur_schedule_init: constant, 5e-3, no warm-up, no end. */
typedef struct ur_schedule {
    size_t size;                /* set by ur_schedule_init */
    ur_schedule_kind kind;
    double lr;
    int64_t warmup;             /* steps of linear warm-up */
    int64_t steps;              /* of the whole run; −1: no limit */
    double seconds;             /* the same by the clock; 0: no limit */
    int64_t epoch_steps;        /* UR_SCHEDULE_STEP: steps of an epoch; 0: there are none */
    /* UR_SCHEDULE_PLATEAU: what it has seen, to be kept by who will go on. */
    double factor;              /* of lr by now; 1 at first */
    int worse;                  /* validations since the best one or the last cut */
} ur_schedule;
UR_STRUCT_INIT(ur_schedule)

/** *lr of update `step` (0: the first), `seconds` after the beginning (they count with a limit
 *  in seconds alone). Errors: UR_EINVAL (step or seconds below 0; an impossible schedule, as a
 *  cosine without an end). */
UR_API ur_status ur_schedule_value(const ur_schedule *schedule, int64_t step, double seconds,
                                   double *lr);
/** Tells UR_SCHEDULE_PLATEAU of a validation: was its loss the best so far? Errors: UR_EINVAL (an
 *  impossible factor or worse). */
UR_API ur_status ur_schedule_see(ur_schedule *schedule, bool better);

/* ---- a whole run: see ur_train() in task.h ----------------------------- */

/** What a run does about a step whose loss, gradient, state or parameters are NaN or Inf
 *  (docs/TRAINING.md). Nothing of that kind reaches a file with any of them. */
typedef enum ur_on_nan {
    UR_ON_NAN_ROLLBACK = 0, /* goes back to the last checkpoint, from there with half the learning
                               rate; three times at most, then as UR_ON_NAN_STOP */
    UR_ON_NAN_SKIP = 1,     /* leaves the step out; 99 in a row at most */
    UR_ON_NAN_STOP = 2      /* fails with UR_ENUMERIC */
} ur_on_nan;
/** "rollback" ...; NULL if unknown. */
UR_API const char *ur_on_nan_name(ur_on_nan policy);
UR_API bool ur_on_nan_find(const char *name, ur_on_nan *out);

/** Adds up gradients over the parts of a batch that several processes compute: grads [n], and
 *  sums [n_sums] of figures, become the totals. Anything but UR_OK ends the run. */
typedef ur_status (*ur_reduce)(void *user, size_t n, ur_real *grads, int n_sums, double *sums);

/** Start with ur_train_options_init (task.h), then set members, or any by name with ur_train_set.
 *  What is left at "by the data" follows from the number of tokens (docs/TRAINING.md). */
typedef struct ur_train_options {
    size_t size;                    /* set by ur_train_options_init */
    const char *task;               /* "lm", "fill"; static text */
    ur_options net;                 /* of the network: "hidden", "cell" ... */
    ur_options job;                 /* of the task: "tokens", "seq-length" ... */
    uint64_t given[2];              /* private: which members ur_train_set has set */
    const char *const *data;        /* files; .gz opens as its content; "-" is stdin */
    int n_data;
    const char *model;              /* NAME.safetensors, where the best model goes */
    double val;                     /* share held out: the last ⌊val·tokens⌋ */
    const char *val_file;           /* or a file of its own (NULL: none) */
    int batch;                      /* B; 0: by the data */
    /* The run ends at the first of: */
    double epochs;                  /* negative: by the data */
    int64_t steps;                  /* −1: no limit. 0: writes the initial model */
    double seconds;                 /* 0: no limit */
    ur_optimizer_options optimizer;
    double lr;                      /* negative: by the data */
    ur_schedule_kind schedule;
    int64_t warmup;                 /* steps of linear warm-up */
    const char *best;               /* the figure that says which model is best; NULL: the task's */
    int patience;                   /* validations without a better one; 0: off */
    uint64_t seed;
    ur_team *team;
    const char *init_from;          /* a model whose parameters to start from, or NULL */
    const char *vocab_from;         /* a model whose vocabularies to use, or NULL */
    const char *log;                /* a file that the caller writes meanwhile (NULL: none): it is
                                       none that the run reads or writes, can be written and,
                                       without resume or force, is not there yet; where resume
                                       finds no state it is empty or lines of {"kind":... */
    bool resume, force;
    int64_t checkpoint_every;       /* steps; 0: at each validation */
    int64_t eval_every;             /* steps; 0: each epoch's end */
    int64_t sample_every;           /* steps; 0: never */
    int sample_length;
    int64_t report_every;           /* steps between UR_REPORT_STEP; 0: each */
    bool report_gradients;          /* UR_REPORT_GRADIENTS before the first step and after each
                                       validation; changes nothing else. Tasks that carry state */
    size_t memory_limit;            /* bytes: a run that will need more (ur_plan.memory) ends in
                                       UR_ENOMEM before it takes them. 0: none */
    ur_on_nan on_nan;
    /* This process's part of each batch, of so many, and what adds them up. */
    int shard, shards;
    ur_reduce reduce;
    void *reduce_user;
    double average;                 /* η of an average of the weights, a_k = a_{k−1} + (η+1)/(k+η)
                                       (w_k − a_{k−1}) over every 16th update, that is validated
                                       and saved in their place (Shamir and Zhang 2013); 0: off */
} ur_train_options;

/** How people read a loss. */
typedef enum ur_measure {
    UR_MEASURE_NATS,                /* as it is */
    UR_MEASURE_BITS,                /* bits a unit */
    UR_MEASURE_PERPLEXITY
} ur_measure;

typedef enum ur_report_kind {
    UR_REPORT_START,        /* sizes are known, nothing is computed yet */
    UR_REPORT_STEP,
    UR_REPORT_VALID,        /* after a validation */
    UR_REPORT_SAMPLE,       /* text drawn from the net as it is */
    UR_REPORT_CHECKPOINT,   /* the training state is on disk */
    UR_REPORT_GRADIENTS,    /* how far back gradients reach */
    UR_REPORT_NOTE,         /* a sentence for the user in text (resuming, ...) */
    UR_REPORT_WARNING,      /* the same, of what went wrong (a full disk): training goes on */
    UR_REPORT_VALIDATING,   /* within a validation, often: the share in done */
    UR_REPORT_END
} ur_report_kind;

/** Made by the library; it may grow at its end. */
typedef struct ur_report {
    ur_report_kind kind;
    int64_t step, steps;            /* done, and to do in all (−1: ended by time) */
    double epoch;
    double loss;                    /* nats an item; mean since the last such report */
    double val_loss;                /* NaN before the first validation */
    double best;                    /* figure of the best model so far; NaN before there is one, and
                                       while its loss is over 1 nat worse than guessing */
    const ur_metrics *metrics;      /* VALID: all figures of it; borrowed for the call */
    double lr, grad_norm;
    double tokens_per_second, seconds, seconds_left;
    size_t memory;                  /* bytes now held, and the most so far, of the process */
    size_t memory_peak;
    int64_t skipped;                /* steps left out, and how often the run went back, because */
    int rollbacks;                  /* of numbers that were not finite (ur_on_nan) */
    /* START and END */
    const char *best_name;          /* which figure that is: "loss" */
    const ur_options *net;          /* of the network; borrowed for the call */
    const char *unit;               /* what an item is: "char" */
    ur_measure measure;             /* how people read the loss */
    int batch;                      /* as given or by the data */
    double lr_start, epochs;        /* epochs: infinite if steps or a time end the run before */
    size_t parameters;
    int vocabulary;
    int64_t train_tokens, val_tokens;
    int64_t train_unknown, val_unknown;     /* of these, words not in the vocabulary */
    int64_t words_cut;              /* words that a full vocabulary had no place for */
    size_t memory_planned;          /* bytes that the run will hold at most (ur_plan.memory) */
    const char *text;               /* SAMPLE, NOTE, WARNING: borrowed for the call */
    size_t text_size;
    /* GRADIENTS: reach [layers,distances], borrowed for the call. The loss of a window's last
     * step alone, mean over the batch, is differentiated by the state h that each layer had k
     * steps before; reach[l·distances + k−1] is the norm over batch and units, k = 1 ... T−1. */
    const double *reach;
    int layers, distances;
    double done;                    /* VALIDATING: in (0,1] */
    /* START and END: what one of the vocabulary is, "char" or "word" (NULL: numbers are read), and
     * how many labels there are to choose from (0: the task has none). */
    const char *token;
    int labels;
} ur_report;

/** What a run will do and take. Memory is counted as ur_memory_used() does, in bytes: what
 *  the library holds, not the program itself, its stacks, and the system's copy of files. */
typedef struct ur_plan {
    size_t size;                    /* set by ur_plan_init */
    /* the text */
    uint64_t data_bytes;            /* inflated */
    int vocabulary;
    int64_t train_tokens, val_tokens;
    int64_t train_unknown, val_unknown, words_cut;  /* as in ur_report */
    /* the run */
    const char *unit;               /* what an item is: "char" */
    ur_measure measure;
    int batch;                      /* as given or by the data */
    double lr, epochs;
    int64_t epoch_steps;            /* steps of an epoch */
    int64_t steps;                  /* of the whole run; −1: a time ends it */
    int64_t step;                   /* done before, of a run that goes on */
    bool finished;                  /* there is nothing left to do */
    size_t parameters;              /* trained numbers */
    /* memory, bytes */
    size_t text;                    /* token numbers up to 64 MiB, and the vocabulary */
    size_t weights, gradients;
    size_t moments;                 /* the optimizer's */
    size_t snapshot;                /* what a rollback leads to (ur_on_nan), or a skipped step */
    size_t packed;                  /* the weights once more, in the kernels' order */
    size_t activations;             /* of a step: what the way back needs, gradients, scratch */
    size_t state;                   /* carried from step to step, and a batch of numbers */
    size_t validation;
    size_t passing;                 /* for a while only: saving, or reading --init-from's model */
    size_t reading;                 /* the most that was held while the text was read, if that is
                                       the most that this process ever held; else 0 */
    size_t memory;                  /* the most at once: the larger of `reading` and the sum of
                                       the others */
    /* files, bytes, to about a hundredth */
    uint64_t scratch_file;          /* token numbers beyond 64 MiB, in TMPDIR (/tmp), unnamed */
    uint64_t model_file;            /* NAME.safetensors; NAME.last.safetensors is as large */
    uint64_t state_file;            /* NAME.state; NAME.state.1 is as large */
    uint64_t disk;                  /* all four, and the one that is being written */
    /* seconds by the clock; NaN: not measured, or not foreseeable */
    double step_seconds;            /* of one step */
    double seconds;                 /* of what is left of the run, validations included */
    const char *token;              /* as in ur_report */
    int labels;
} ur_plan;
UR_STRUCT_INIT(ur_plan)

/** Sees one parameter of a planned net; borrowed for the call. */
typedef void (*ur_on_param)(void *user, const ur_param *param);

/** Sees how a run goes. Returning false ends it after this step, or within a validation: the
 *  state is saved and ur_train returns UR_ECANCELED. */
typedef bool (*ur_on_report)(void *user, const ur_report *report);

#ifdef __cplusplus
}
#endif
#endif
