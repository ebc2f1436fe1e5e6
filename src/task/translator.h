/* SPDX-License-Identifier: MIT */
/* From the tokens of sources to the likeliest texts of their targets, many at once. What a source
 * gets is a function of it alone. */
#ifndef UR_TASK_TRANSLATOR_H
#define UR_TASK_TRANSLATOR_H

#include "base/text.h"
#include "unroll/decode.h"

/* How texts are searched for; the model is borrowed. */
struct ur__translator_job {
    const ur_model *model;
    int B, S;               /* sources at once; their tokens at most, which may be exceeded for
                               more memory */
    int beam, best;         /* hypotheses side by side; texts for a source, at most beam */
    double length_power;    /* as ur_beam_options have it */
    const ur_sample_options *draw;  /* they are drawn instead; NULL: no */
    bool copy;              /* unknown words are copied from where the decoder looks */
    ur_team *team;
};

struct ur__translator {
    struct ur__translator_job job;
    const ur_vocab *target;
    ur_beam *beam;
    int *most;                      /* [B] tokens of a hypothesis */
    const ur_hypothesis **found;    /* [B] */
    int *n;                         /* [B] */
    ur_tape *tape;                  /* to look where it looks; made when first needed */
    struct ur__buf words, fed;      /* of a source, a zero after each; what a hypothesis reads */
};

/* Bytes that it takes; the model need not be built. */
ur_status ur__translator_measure(const struct ur__translator_job *job, size_t *bytes);
/* A zeroed struct may be closed. UR_EINVAL: copying needs attention. */
ur_status ur__translator_open(struct ur__translator *t, const struct ur__translator_job *job);
void ur__translator_close(struct ur__translator *t);
/* A batch of sources: ids [S,B], lengths [B], all at least 1, B at most the job's. */
struct ur__sources {
    int S, B;
    const int32_t *ids;
    const int *lengths;
};
/* Searches: found[b] has n[b] hypotheses then, until the next call. */
ur_status ur__translator_run(struct ur__translator *t, const struct ur__sources *sources);
/* One of them: ids [S], its end among them, and the text that they are of. */
struct ur__source_text {
    int S;
    const int32_t *ids;
    const char *text;
    size_t n;
};
/* Appends the text of a hypothesis. Allocates for copies, if there are any. */
ur_status ur__translator_text(struct ur__translator *t, const struct ur__source_text *source,
                              const ur_hypothesis *h, struct ur__buf *to);
/* How much each token of a hypothesis looks at each of its source, [n,S], and, unless NULL, how
 * likely it is after those before, [n]. Borrowed until the next call. */
ur_status ur__translator_looks(struct ur__translator *t, const struct ur__source_text *source,
                               const ur_hypothesis *h, const ur_real **weights, const ur_real **p);

#endif
