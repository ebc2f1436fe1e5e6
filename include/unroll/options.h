/* SPDX-License-Identifier: MIT */
/*
 * unroll/options.h: options by name. One row of a table says an option's name, kind, default,
 * range and help; the command line, its help, files and range checks all read that row.
 *
 *     ur_options net;
 *     ur_config_init(&net, "lm");                     // model.h: the options of a network
 *     if (ur_options_set(&net, "hidden", "256,128") != UR_OK)
 *         fprintf(stderr, "%s\n", ur_errmsg());
 */
#ifndef UNROLL_OPTIONS_H
#define UNROLL_OPTIONS_H

#include "unroll/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Most numbers in a list, such as the sizes of layers. */
#define UR_OPTION_LIST 32

typedef enum ur_option_kind {
    UR_OPTION_FLAG,         /* bool: "yes" or "no" as text */
    UR_OPTION_INT,          /* int */
    UR_OPTION_COUNT,        /* int64_t */
    UR_OPTION_SEED,         /* uint64_t, all of them */
    UR_OPTION_REAL,         /* double */
    UR_OPTION_SECONDS,      /* double: "90", "90s", "10m", "2h" */
    UR_OPTION_TEXT,         /* const char *, borrowed */
    UR_OPTION_CHOICE,       /* int: one of the words; the place of the word plus min */
    UR_OPTION_EITHER,       /* bool: the second of two words is true */
    UR_OPTION_LIST_OF_INT,  /* int [UR_OPTION_LIST]: "256,128"; one number stands for all */
    UR_OPTION_WORD,         /* const char *, one of the words of arg, "a|b|c" */
    UR_OPTION_ACTION        /* has no value */
} ur_option_kind;

/** Flags of a row. */
enum {
    UR_OPTION_OPEN_MIN = 1, /* min itself is out of range */
    UR_OPTION_OPEN_MAX = 2,
    UR_OPTION_SPARSE = 4,   /* a file has it only where it is not the default */
    UR_OPTION_FREE = 8,     /* it may change when a run is resumed */
    UR_OPTION_IMPLIED = 16, /* files leave it out: another option says it */
    UR_OPTION_DATA = 32,    /* a run's data say it: it is no option of ur_train_set */
    UR_OPTION_READS = 64,   /* how files of examples are read: one of ur_predictor_set, too */
    UR_OPTION_READS_LABELS = 128    /* the same of their labels: of ur_eval_options alone */
};

/** An option's name and its value as text. */
typedef struct ur_setting {
    const char *name, *text;
} ur_setting;

/** One option. Static; read-only. */
typedef struct ur_option {
    const char *group;              /* the heading of help that it begins; NULL: that of the row
                                       before goes on */
    const char *name;               /* "seq-length" */
    const char *arg;                /* what help calls its value; NULL with a choice: "a|b|c" */
    const char *fallback;           /* its default as text; NULL: no, 0, NULL */
    const char *shown;              /* what help shows instead of the default */
    const char *help;
    ur_option_kind kind;
    unsigned flags;
    double min, max;                /* of a number, or of each in a list */
    const char *const *words;       /* ended by NULL */
    /* Or the i-th word and its value, of a CHOICE that is a list elsewhere; NULL: no more. */
    const char *(*choices)(int i, int *value);
    size_t at;                      /* private: where its value lies */
    size_t at_n;                    /* private: where a list's length lies; 0: nowhere */
    char letter;                    /* 'o' of -o, or 0 */
    const char *with;               /* the option of the same table that it belongs to: it means
                                       nothing while that one is no or 0; NULL: to none */
} ur_option;

/** The options of one kind of thing. Static; read-only. */
typedef struct ur_option_table ur_option_table;

#define UR_OPTIONS_ROOM 3072

/** Values for the rows of a table: a plain value, free to be copied. Its members are private. */
typedef struct ur_options {
    size_t size;
    const ur_option_table *table;
    uint64_t given[2];              /* which rows were set */
    union {
        unsigned char bytes[UR_OPTIONS_ROOM];
        double real;                /* and two more for alignment */
        uint64_t whole;
        const void *pointer;
    } value;
} ur_options;

/** Sets one from text, as on a command line (underscores may stand for dashes). Text values
 *  are borrowed. Errors: UR_EINVAL with a sentence; then nothing has changed. */
UR_API ur_status ur_options_set(ur_options *options, const char *name, const char *text);
/** Its value as text, ended by a zero, for ur_options_set. Errors: UR_EINVAL (there is no such
 *  option, or n bytes are too few). */
UR_API ur_status ur_options_get(const ur_options *options, const char *name, char *text,
                                size_t n);
/** Was it set, rather than left at its default? */
UR_API bool ur_options_given(const ur_options *options, const char *name);
/** The rows, in the order of help; NULL: there is no i-th. */
UR_API const ur_option *ur_options_at(const ur_options *options, int i);

#ifdef __cplusplus
}
#endif
#endif
