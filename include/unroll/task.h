/* SPDX-License-Identifier: MIT */
/* unroll/task.h: whole jobs. Training a model on files, measuring it, and its answers to lines. */
#ifndef UNROLL_TASK_H
#define UNROLL_TASK_H

#include "unroll/decode.h"
#include "unroll/metric.h"
#include "unroll/train.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Names of the tasks there are ("lm", "fill", "classify", "tag", "forecast"), ended by
 *  NULL. Static. */
UR_API const char *const *ur_task_names(void);
/** What a task learns ("predict the next token"), and the program's subcommand that uses its
 *  models ("sample"). Static text; NULL: there is no such task. */
UR_API const char *ur_task_brief(const char *task);
UR_API const char *ur_task_verb(const char *task);

/* ---- training ---------------------------------------------------------- */

/** Defaults of a task. Errors: UR_EINVAL (there is none of this name). */
UR_API ur_status ur_train_options_init_size(ur_train_options *options, size_t size,
                                            const char *task);
static inline ur_status ur_train_options_init(ur_train_options *options, const char *task)
{
    return ur_train_options_init_size(options, sizeof *options, task);
}
/** Sets any option by its name on the command line: a member, or one of net or job. Text is
 *  borrowed. Errors: UR_EINVAL with a sentence. */
UR_API ur_status ur_train_set(ur_train_options *options, const char *name, const char *text);
/** All options that a task has, in the order of help; NULL: there is no i-th, or no such task. */
UR_API const ur_option *ur_train_option(const char *task, int i);
/** What help shows as the default of such an option: that of its row, unless the task's data ask
 *  for another. Static text; NULL: nothing. */
UR_API const char *ur_train_default(const char *task, const ur_option *option);

/** Trains a model on files: MODEL (best on validation), NAME.last.safetensors, NAME.state
 *  and NAME.state.1. Errors: UR_EINVAL, UR_EINPUT, UR_EDATA (too short, invalid UTF-8),
 *  UR_EEXIST (model or state there, neither force nor resume; with resume a model without a
 *  state; another run is writing them), UR_EOUTPUT (an output is a file that the run reads,
 *  whatever force says; it cannot be written), UR_ENUMERIC (diverged: names step and place),
 *  UR_ECANCELED, UR_ENOMEM (the files are whole, and resume goes on from them). A checkpoint
 *  that cannot be written is a warning; only if the last one cannot, UR_EOUTPUT. A report may
 *  start a run of other files; of the same: UR_EINVAL. */
UR_API ur_status ur_train(const ur_train_options *options, ur_on_report on, void *user);

/** What ur_train() would do with these options, without doing it: reads the text, makes the
 *  net, and brings a run that is to go on back from its state, but writes no file (a scratch
 *  file aside). With seconds > 0 it times steps of this very net, as many as fit in so many
 *  seconds but at least one, and forgets them. on (may be NULL) sees each parameter. out:
 *  ur_plan_init first. Errors: what ur_train would refuse, by the same status; with UR_ENOMEM for
 *  memory_limit *out is filled in, time apart. */
UR_API ur_status ur_train_plan(const ur_train_options *options, double seconds, ur_on_param on,
                               void *user, ur_plan *out);

/* ---- measuring --------------------------------------------------------- */

typedef enum ur_protocol {
    UR_PROTOCOL_STREAM = 0,     /* one stream from the zero state, tokens 2…n once each; fill:
                                   windows as in training; tasks of labels: the only way */
    UR_PROTOCOL_WINDOW = 1      /* windows of 256 predictions, each from the zero state */
} ur_protocol;

/** ur_eval_options_init: no data; all of it, as a stream, line ends as the model reads them. */
typedef struct ur_eval_options {
    size_t size;                /* set by ur_eval_options_init */
    const char *const *data;
    int n_data;
    bool held_out;              /* only the part that training held out of the same data */
    ur_protocol protocol;
    bool unix_newlines;         /* CRLF and CR are read as LF, also by a model that was trained
                                   otherwise */
    ur_unknown unknown;         /* what becomes of tokens of a text that the model does not know */
    int beam;                   /* hypotheses of a search, 1..UR_BEAM_MOST; 0: as many as usual */
    ur_team *team;
    /* Sees progress in [0,1]; returning false stops with UR_ECANCELED. May be NULL. The model
     * is in use: it may be read, not changed or freed. */
    bool (*on_progress)(void *user, double done);
    /* Sees a sentence on the files that a user should know. May be NULL. */
    void (*on_note)(void *user, const char *text);
    /* Sees, after all was measured, which label was taken for which: of tasks that choose among
     * labels (classify; tag: of steps, up to UR_CONFUSION_MOST labels). Borrowed for the call. May
     * be NULL. */
    void (*on_confusion)(void *user, const ur_confusion *confusion);
    void *user;
    /* How the files are read where it is not as in training: options that have the flag
     * UR_OPTION_READS or UR_OPTION_READS_LABELS, such as "column" or "format". */
    const ur_setting *set;      /* [n_set] */
    int n_set;
    bool tested;                /* only the part that training left for a last test (forecast) */
    double length_power;        /* of a search for texts (translate): ur_beam_options; 1 */
    bool copy_unknown;          /* as ur_predict_options has it */
} ur_eval_options;
UR_STRUCT_INIT(ur_eval_options)
#define UR_CONFUSION_MOST 256

/** Measures a model on files by its task's metrics. out: ur_metrics_init first; after an error it
 *  has none. Errors as ur_train; UR_EDATA: the text has a character that the model has never seen,
 *  and that is to be an error; UR_EINVAL: also a beam for a model that searches for nothing. */
UR_API ur_status ur_evaluate(const ur_model *model, const ur_eval_options *options,
                             ur_metrics *out);

/* ---- predicting -------------------------------------------------------- */

/** A model's answers to lines of text, to frames of numbers, or to the examples of files, one at a
 *  time. What came before plays no part in an answer. */
typedef struct ur_predictor ur_predictor;

/** ur_predict_options_init: one candidate, the usual policy, no team, no weights, no copies. */
typedef struct ur_predict_options {
    size_t size;            /* set by ur_predict_options_init */
    int best;               /* candidates for each place, 1..UR_PREDICT_MOST */
    ur_unknown unknown;     /* what becomes of tokens that the model does not know */
    int beam;               /* hypotheses of a search, 1..UR_BEAM_MOST; 0: as many as usual */
    ur_team *team;          /* borrowed; may be NULL */
    bool explain;           /* answers have the weights that the model gave the line's tokens */
    double length_power;    /* of a search for texts (translate): ur_beam_options; 1 */
    bool copy_unknown;      /* texts that are made have, for an unknown word, what the model looked
                               at most in the line */
    const ur_sample_options *draw;      /* `best` texts are drawn so, instead of searched for;
                               copied. NULL: no */
} ur_predict_options;
UR_STRUCT_INIT(ur_predict_options)
#define UR_PREDICT_MOST 1000
#define UR_PREDICT_LINES 32

/** What may stand at one place of an answer: text of n bytes, and how likely it is. */
typedef struct ur_candidate {
    const char *text;
    size_t n;
    double p;               /* what `figure` says */
    const void *room[2];
} ur_candidate;

/** The candidates for one place, the likeliest first. */
typedef struct ur_place {
    int n;
    const ur_candidate *best;
    const void *room[2];
} ur_place;

/** A token of the line, as it stands in it (text of n bytes; where it was replaced by another
 *  character, that one), and the share that the answer has of it: all weights add up to 1. */
typedef struct ur_token_weight {
    const char *text;
    size_t n;
    double weight;
    const void *room[2];
} ur_token_weight;

/** A row of a forecast: one that was read (value), or one to come (point; lower and upper, if the
 *  model has intervals; value, where the file goes on). What there is not is NaN. */
typedef struct ur_forecast_row {
    const char *series;     /* the column's name */
    const char *time;       /* as the file writes it, or the row's number from 1 */
    double value, point, lower, upper;
    const void *room[2];
} ur_forecast_row;

/** The answer to a line or another example: a text, made of the first candidate of each place.
 *  What a place is, is the task's affair: a gap of the line, the label of a step, or that of it
 *  all. Made by the library; it may grow at its end. */
typedef struct ur_answer {
    const char *text;       /* n bytes, without a line's end */
    size_t n;
    const char *places;     /* what the places are called: "gaps"; static */
    const char *figure;     /* what p is: "p", a probability, or "log_p", its natural logarithm,
                               where it would be next to nothing; static */
    int n_places;
    const ur_place *place;
    int n_tokens;           /* of the line, in its order, if `explain` was asked for; else 0 */
    const ur_token_weight *token;
    int n_rows;             /* of a forecast, series by series in the order of time; else 0 */
    const ur_forecast_row *row;
    /* The same of a text that was made (translate): its tokens, the last one its end, without which
     * it was cut off, each with its probability after those before it; and how much it looked at
     * each token of the line (with its end), alignment [n_made,n_tokens], each row 1 in all. */
    int n_made;
    const ur_token_weight *made;
    const double *alignment;    /* NULL: there is none */
} ur_answer;

/** model is borrowed. Lines are read as tokens of its first vocabulary. Errors: UR_EINVAL (its
 *  task gives no answers; an option is impossible; a beam for a model that searches for nothing;
 *  `explain`, and the model does not weigh its tokens: a classifier with attention pooling does,
 *  and a translation with attention; copy_unknown of any other), UR_EFORMAT (its
 *  summary is damaged), UR_ENOMEM. */
UR_API ur_status ur_predictor_new(ur_predictor **out, const ur_model *model,
                                  const ur_predict_options *options);
UR_API void ur_predictor_free(ur_predictor *predictor);
/** Answers a line of n bytes, which has no line's end. *answer is borrowed until the next call.
 *  Errors: UR_EDATA (what the task cannot read in it, says the message), UR_EINVAL (the model reads
 *  numbers), UR_ENUMERIC, UR_ENOMEM; then it is an empty answer. */
UR_API ur_status ur_predictor_line(ur_predictor *predictor, const char *line, size_t n,
                                   const ur_answer **answer);
/** Answers n lines, 1..UR_PREDICT_LINES, each as ur_predictor_line would: together they may take
 *  less time. answer [n] gets them, borrowed until the next call. *done: how many there are.
 *  Errors: of the line after those; the others were not looked at. */
UR_API ur_status ur_predictor_lines(ur_predictor *predictor, int n, const char *const *line,
                                    const size_t *size, const ur_answer **answer, int *done);
/** Answers one example of T steps with I numbers each, frames [T,I] step by step, as the data to
 *  learn from had them; for a forecast, rows of targets and features, NaN where they are missing.
 *  *answer is borrowed until the next call. Errors: UR_EINVAL (T < 1; the model does not read
 *  numbers, or reads times, too), UR_ESHAPE (another I), UR_EDATA (NaN or Inf), UR_ENUMERIC,
 *  UR_ENOMEM; then it is an empty answer. */
UR_API ur_status ur_predictor_frames(ur_predictor *predictor, int T, int I, const ur_real *frames,
                                     const ur_answer **answer);

/** How files are read: sets an option that has the flag UR_OPTION_READS, such as "format" or
 *  "width", by its name on the command line. At first each is what training had. text is borrowed
 *  until the predictor is freed. Errors: UR_EINVAL with a sentence. */
UR_API ur_status ur_predictor_set(ur_predictor *predictor, const char *name, const char *text);
/** Opens files of examples (docs/DATA.md) in the format that training read or that was set, "-"
 *  standard input; those before are closed. Labels may be there or not: nothing is made of them.
 *  Names are borrowed until the last example. Errors: UR_EINVAL, UR_ENOMEM; what is wrong with
 *  a file ur_predictor_next says. */
UR_API ur_status ur_predictor_open(ur_predictor *predictor, const char *const *paths, int n_paths);
/** Reads and answers the next example. *answer is borrowed until the next call; NULL: there is none
 *  left. After an error, which leaves it NULL, others can be opened: UR_EINPUT, UR_EDATA (what is
 *  wrong and where), UR_EINVAL (none are open; their format is impossible), UR_ENUMERIC,
 *  UR_ENOMEM. */
UR_API ur_status ur_predictor_next(ur_predictor *predictor, const ur_answer **answer);

/** A note on all texts so far: "1 word of the input is unknown to the model: read as
 *  <unk>". Borrowed until the next call; NULL: nothing. */
UR_API const char *ur_predictor_note(ur_predictor *predictor);

/** Was the model trained on texts whose CRLF and CR were read as LF? Then what it is given to read
 *  should be, too. Errors: UR_EFORMAT (its summary is damaged). */
UR_API ur_status ur_model_unix_newlines(const ur_model *model, bool *unix_newlines);

#ifdef __cplusplus
}
#endif
#endif
