/* SPDX-License-Identifier: MIT */
/* What a network of labels is asked about, one example at a time: a line, frames, or the next
 * example of files, as a batch of one. */
#ifndef UR_TASK_LABEL_INPUT_H
#define UR_TASK_LABEL_INPUT_H

#include "base/text.h"
#include "data/formats.h"
#include "train/task.h"

/* Memory for one example after the other. */
struct ur__scratch {
    void *data;
    size_t size;
};
/* n zeroed elements; NULL if *status has failed, now or before. */
void *ur__scratch_take(struct ur__scratch *b, size_t n, size_t size, ur_status *status);

struct ur__label_input {
    const ur_model *model;
    ur_encoder *encoder;            /* NULL: frames are read */
    const ur_vocab *text, *letter;  /* letter NULL: not read */
    bool tagged, apart;             /* as struct ur__read_rule has them */
    int features;                   /* numbers a step; 0: tokens */
    int T;                          /* steps of the example at hand */
    struct ur__buf words;           /* as they stand in it, a zero after each */
    struct ur__scratch ids, letters, lengths, spelling, frames, bytes;
    struct ur__read_rule rule;
    const ur_options *unchecked;    /* before their first example: by which they are read */
    struct ur__example_reader *files;   /* NULL: none are open */
};

/* Everything of the job is borrowed. */
void ur__label_input_open(struct ur__label_input *in, const struct ur__predict_job *job,
                          bool tagged);
void ur__label_input_close(struct ur__label_input *in);
/* UR_EINVAL: it cannot be read. */
ur_status ur__label_input_line(struct ur__label_input *in, const char *line, size_t n);
/* [T,I]. UR_EINVAL, UR_ESHAPE; UR_EDATA: a number is not finite. */
ur_status ur__label_input_frames(struct ur__label_input *in, int T, int I, const ur_real *frames);
/* Opens files by the task's options; those before are closed. */
ur_status ur__label_input_files(struct ur__label_input *in, const ur_options *options,
                                const char *const *paths, int n_paths);
/* Reads their next example; *more false: there is none. UR_EDATA names it. */
ur_status ur__label_input_next(struct ur__label_input *in, bool *more);
/* The example at hand, T > 0, in the fields of an encoder (model/encoder.h). Borrowed. */
ur_status ur__label_input_batch(struct ur__label_input *in, ur_batch *batch);

#endif
