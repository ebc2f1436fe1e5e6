/* SPDX-License-Identifier: MIT */
/* unroll/decode.h: running a language model and drawing text from it. */
#ifndef UNROLL_DECODE_H
#define UNROLL_DECODE_H

#include "unroll/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One running text over a model. Many sessions may share a model, each in its own
 *  thread. After ur_session_new nothing is allocated. */
typedef struct ur_session ur_session;

/** model and team are borrowed. Starts from the zero state. */
UR_API ur_status ur_session_new(ur_session **out, const ur_model *model, ur_team *team);
UR_API void ur_session_free(ur_session *session);
UR_API void ur_session_reset(ur_session *session);

/** For a text without a prime: feeds a line's end, if the vocabulary has one, so that what
 *  is drawn starts as a line does. Errors as ur_session_feed. */
UR_API ur_status ur_session_begin(ur_session *session);
/** Feeds one token. Errors: UR_EINVAL (not in the vocabulary), UR_ENUMERIC. */
UR_API ur_status ur_session_feed(ur_session *session, int32_t id);
/** Logits [V] for the next token; before the first feed all zeros (uniform). Borrowed. */
UR_API const ur_real *ur_session_logits(const ur_session *session);
/** The state behind it, to look at. Borrowed. */
UR_API ur_state *ur_session_state(ur_session *session);

typedef struct ur_sample_options {
    double temperature;     /* > 0 divides the logits; 0: always the likeliest */
    int top_k;              /* keep the k likeliest; 0: all */
    double top_p;           /* then keep the fewest whose probabilities reach p; 1: all */
    uint64_t seed;
    double repetition_penalty;  /* > 0; a logit of a token that was fed is divided by it if
                                   positive, else multiplied: above 1 repeats less; 1: off */
    double min_p;           /* then keep what is at least so many times as likely as the
                               likeliest, 0..1; 0: all */
} ur_sample_options;
#define UR_SAMPLE_OPTIONS_INIT {1.0, 0, 1.0, 123, 1.0, 0.0}

/** UR_EINVAL with a sentence if an option is impossible. */
UR_API ur_status ur_sample_options_check(const ur_sample_options *options);

/** Draws the next token from the session's logits; the draw is a function of the seed
 *  and of how many tokens have been drawn since the session's start or reset. Ties go to
 *  the lower number. The unknown word is never drawn. Does not feed it. */
UR_API ur_status ur_session_draw(ur_session *session, const ur_sample_options *options,
                                 int32_t *id);

#ifdef __cplusplus
}
#endif
#endif
