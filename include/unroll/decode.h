/* SPDX-License-Identifier: MIT */
/* unroll/decode.h: running models without a tape, drawing text from them, and searching for the
 * likeliest outcome. */
#ifndef UNROLL_DECODE_H
#define UNROLL_DECODE_H

#include "unroll/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- running ----------------------------------------------------------- */

/** Runs any model, rows of sequences side by side, each with its own memory: a row's outputs
 *  have the same bits whatever the others do. Many runners may share a model, each in its own
 *  thread. */
typedef struct ur_runner ur_runner;

/** rows: how many there can be, and are at first, each at its start. model and team are
 *  borrowed. Steps allocate nothing. Errors: UR_EINVAL, UR_ENOMEM. */
UR_API ur_status ur_runner_new(ur_runner **out, const ur_model *model, int rows, ur_team *team);
UR_API void ur_runner_free(ur_runner *runner);
/** Rows there are; numbers O that each step of a row puts out. */
UR_API int ur_runner_rows(const ur_runner *runner);
UR_API int ur_runner_outputs(const ur_runner *runner);

/** Starts one row anew with what it is given: fields of one sequence (B = 1) as the architecture
 *  names them (fill: before, after); NULL: nothing. A translation (source) takes several at once,
 *  for this row and those behind it. Errors: UR_EINVAL, UR_ESHAPE, UR_ENUMERIC. */
UR_API ur_status ur_runner_begin(ur_runner *runner, int row, const ur_batch *given);
/** One step of all rows, a token each: ids [rows]. Errors: UR_EINVAL (not in the vocabulary; the
 *  architecture has no steps), UR_ENUMERIC. */
UR_API ur_status ur_runner_step(ur_runner *runner, const int32_t *ids);
/** T steps: ids [T,rows] -> out [T,rows,O]; bits and errors are those of ur_runner_step. A token
 *  that is not in the vocabulary is found before the first step. */
UR_API ur_status ur_runner_run(ur_runner *runner, int T, const int32_t *ids, ur_real *out);
/** Outputs [O] of a row's last step (logits); zeros before the first. Borrowed. */
UR_API const ur_real *ur_runner_output(const ur_runner *runner, int row);
/** The k likeliest tokens of a row's outputs but the unknown word and a line's end, and their
 *  probabilities among all tokens, the likeliest first, equal ones by number. Returns how many
 *  there are. */
UR_API int ur_runner_best(ur_runner *runner, int row, int k, int32_t *ids, double *p);
/** Rows join, leave and change places: from now on there are n, row i being the old row from[i],
 *  or one at its start for −1. Errors: UR_EINVAL. */
UR_API ur_status ur_runner_select(ur_runner *runner, int n, const int *from);
/** The recurrent state of the i-th stack, to look at; NULL: there is none. Borrowed. */
UR_API ur_state *ur_runner_state(ur_runner *runner, int stack);

/* ---- drawing text ------------------------------------------------------ */

/** One running text over a model that goes on by steps. After ur_session_new nothing is
 *  allocated. */
typedef struct ur_session ur_session;

/** model and team are borrowed. Starts from the zero state. Errors: UR_EINVAL (the model does not
 *  go on with a text), UR_ENOMEM. */
UR_API ur_status ur_session_new(ur_session **out, const ur_model *model, ur_team *team);
UR_API void ur_session_free(ur_session *session);
/** Back to the start, as a new one: zero state, nothing fed, nothing drawn. Errors: UR_EINVAL. */
UR_API ur_status ur_session_reset(ur_session *session);

/** For a text without a prime: feeds a line's end, if the vocabulary has one, so that what
 *  is drawn starts as a line does. Errors as ur_session_feed. */
UR_API ur_status ur_session_begin(ur_session *session);
/** Feeds one token. Errors: UR_EINVAL (not in the vocabulary), UR_ENUMERIC. */
UR_API ur_status ur_session_feed(ur_session *session, int32_t id);
/** Logits [V] for the next token; before the first feed all zeros (uniform). Borrowed. */
UR_API const ur_real *ur_session_logits(const ur_session *session);
/** Its recurrent state, to look at. Borrowed. */
UR_API ur_state *ur_session_state(ur_session *session);

/** What is drawn, and how. ur_sample_options_init: temperature 1, nothing cut off, seed 123. */
typedef struct ur_sample_options {
    size_t size;            /* set by ur_sample_options_init */
    double temperature;     /* > 0 divides the logits; 0: always the likeliest */
    int top_k;              /* keep the k likeliest; 0: all */
    double top_p;           /* then keep the fewest whose probabilities reach p; 1: all */
    uint64_t seed;
    double repetition_penalty;  /* > 0; a logit of a token that was fed is divided by it if
                                   positive, else multiplied: above 1 repeats less; 1: off */
    double min_p;           /* then keep what is at least so many times as likely as the
                               likeliest, 0..1; 0: all */
} ur_sample_options;
UR_STRUCT_INIT(ur_sample_options)

/** UR_EINVAL with a sentence if an option is impossible. */
UR_API ur_status ur_sample_options_check(const ur_sample_options *options);

/** Draws the next token from the session's logits; the draw is a function of the seed
 *  and of how many tokens have been drawn since the session's start or reset. Ties go to
 *  the lower number. The unknown word is never drawn. Does not feed it. Errors:
 *  UR_EINVAL (an option is impossible), UR_ENUMERIC (a logit is not finite); then nothing is
 *  drawn. */
UR_API ur_status ur_session_draw(ur_session *session, const ur_sample_options *options,
                                 int32_t *id);

/* ---- searching --------------------------------------------------------- */

/** Searches for the likeliest sequences of tokens that a model puts out, a token a step, by going
 *  on with several at a time (a beam). What it finds is a function of model, options and what the
 *  sequence begins with. */
typedef struct ur_beam ur_beam;

#define UR_BEAM_MOST 4096

/** ur_beam_options_init: width 4, one hypothesis of 256 tokens at most, begin and end 0. */
typedef struct ur_beam_options {
    size_t size;            /* set by ur_beam_options_init */
    int width;              /* how many go on side by side, up to UR_BEAM_MOST; 1: always the
                               likeliest token */
    int best;               /* how many to give back, 1..width */
    int most;               /* tokens of one at most, the end included */
    int32_t begin, end;     /* the token that the first step reads; the one that ends a sequence */
    double length_power;    /* 0..5: a score is the log probability divided by the number of tokens
                               to this power; above 0 favours longer ones. 0: off */
    int sequences;          /* how many can be searched side by side; 1 */
    int ended;              /* a search is over once so many hypotheses have ended, though others
                               might still rank before them, as they may with a length_power; 0: it
                               goes on as long as they may */
    bool unknown;           /* the unknown word may be a part of a hypothesis */
    const ur_sample_options *draw;  /* `width` hypotheses are drawn so, token by token, not searched
                               for; copied. What is drawn is a function of the seed and of what a
                               sequence begins with. NULL: no */
} ur_beam_options;
UR_STRUCT_INIT(ur_beam_options)

typedef struct ur_hypothesis {
    const int32_t *ids;     /* [n], its end included; of one cut off at `most` there is none */
    int n;
    double log_p;           /* natural logarithm of its probability */
    double score;           /* what they are ordered by */
    const void *room[2];
} ur_hypothesis;

/** model and team (may be NULL) are borrowed. Errors: UR_EINVAL (an option is impossible, or the
 *  model does not step from token to token), UR_ENOMEM. */
UR_API ur_status ur_beam_new(ur_beam **out, const ur_model *model, const ur_beam_options *options,
                             ur_team *team);
UR_API void ur_beam_free(ur_beam *beam);
/** Searches from what a sequence is given to begin with (ur_runner_begin; NULL: nothing). *found:
 *  *n hypotheses, the highest score first; among equal ones the shorter, then the one that was
 *  ahead a token before, then that of the lower number. The unknown word is in none. Borrowed until
 *  the next call. Errors: those of ur_runner_begin and ur_runner_step; then *n is 0. */
UR_API ur_status ur_beam_search(ur_beam *beam, const ur_batch *given, const ur_hypothesis **found,
                                int *n);
/** The same for all B sequences of a batch at once, B up to `sequences`: what each gets is what it
 *  would get alone. most [B] or NULL: tokens of a hypothesis of each, up to the options' `most`.
 *  found [B], n [B]. Errors: also UR_EINVAL (a model takes one at a time; an impossible limit). */
UR_API ur_status ur_beam_search_all(ur_beam *beam, const ur_batch *given, const int *most,
                                    const ur_hypothesis **found, int *n);

#ifdef __cplusplus
}
#endif
#endif
