/* SPDX-License-Identifier: MIT */
/* A set of examples in the making: what a reader (data/format.h) puts what it finds into. */
#ifndef UR_DATA_INTAKE_H
#define UR_DATA_INTAKE_H

#include "data/examples.h"
#include "data/lines.h"
#include "data/mel.h"

/* How files become examples. Zeroed: by what they look like. Texts are borrowed. */
struct ur__read_rule {
    const char *format;     /* a reader's name; NULL: told by content and ending */
    bool tagged;            /* a label a step is wanted, not one an example */
    bool unlabelled;        /* labels are not wanted: they may be missing, and are not looked at */
    bool any_bytes;         /* texts need not be UTF-8 */
    const ur_vocab *labels; /* others are UR_EDATA; NULL: they are found */
    const char *label_file; /* of pictures; NULL: beside them, by its name */
    /* Columns by name or number from 1; NULL: where the format has it. */
    const char *column;     /* of the label */
    const char *text;       /* of a text or token */
    bool whole;             /* nothing is held out of the set: groups need not be there */
    const char *group;      /* of what may not be parted; "file": the file; NULL: nothing */
    ur_header header;
    int steps, width;       /* a row of n numbers as [steps, width]; 0: as the other leaves it,
                               both: [n, 1] */
    ur_scan scan;
    bool apart;             /* steps are read apart: unless width or scan say how, an example of
                               the same size as all others is one step */
    struct ur__mel_rule mel;
    int rate;               /* of sounds, samples a second; 0: that of the first */
    int features;           /* numbers a step that there must be; -1: texts or tokens; 0: any */
    int columns;            /* unlabelled: of the table with labels, in csv; 0: unknown */
};

struct ur__intake {
    struct ur__examples *x;
    const struct ur__read_rule *rule;
    const char *path;       /* of the file at hand */
    struct ur__lines lines; /* for readers of text */
    struct ur__word_table labels;
    int32_t steps;          /* of the example at hand */
};

/* Says what the file at hand holds, before anything of it is taken. UR_EDATA if the files before
 * it hold something else. */
ur_status ur__take_kind(struct ur__intake *in, ur_content content, int width);
/* The number of a label, as it is kept. UR_EDATA: impossible, or not among the rule's. */
ur_status ur__take_label(struct ur__intake *in, const char *name, size_t n, int32_t *label);
ur_status ur__take_group(struct ur__intake *in, const char *name, size_t n, int32_t *group);
/* Parts of the example at hand. A text, which is all of it. */
ur_status ur__take_text(struct ur__intake *in, const char *text, size_t n);
/* White space in a token becomes a low line: it is one word. UR_EDATA: it is empty. */
ur_status ur__take_token(struct ur__intake *in, const char *text, size_t n);
/* n steps, [n, width]; as numbers or as bytes that stand for their 255th parts. */
ur_status ur__take_frames(struct ur__intake *in, int32_t n, const float *frames);
ur_status ur__take_pixels(struct ur__intake *in, int32_t n, const unsigned char *pixels);
/* The label of a step, by number or by name. */
ur_status ur__take_tag(struct ur__intake *in, int32_t label);
ur_status ur__take_named_tag(struct ur__intake *in, const char *name, size_t n);
/* It is complete. label -1: none; group -1: the rule's. UR_EDATA: it has no step. */
ur_status ur__take_end(struct ur__intake *in, int64_t line, int32_t label, int32_t group);

/* UR_EDATA with the file at hand and a line, or an example's number, before the text. */
ur_status ur__take_fail(const struct ur__intake *in, int64_t line, const char *format, ...)
    UR_PRINTF(3, 4);

#endif
