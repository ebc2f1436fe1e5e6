/* SPDX-License-Identifier: MIT */
/* Rows of options (unroll/options.h) and values in a struct that they describe. */
#ifndef UR_BASE_OPTION_H
#define UR_BASE_OPTION_H

#include "base/text.h"
#include "unroll/options.h"

/* Larger than any count that makes sense, small enough that sums stay in range. */
#define UR__OPTION_MANY 1e15

/* Flags of rows, beside those of unroll/options.h: what data the option belongs to, where a run has
 * only some of them. */
enum {
    UR__OPTION_TOKENS = 1 << 18,    /* text, however it is parted */
    UR__OPTION_WORDS = 1 << 19,     /* text parted into words */
    UR__OPTION_NUMBERS = 1 << 20,
    UR__OPTION_FORMAT = 1 << 21     /* files of some formats (data/format.h) */
};

struct ur_option_table {
    const char *name;           /* whose they are: "lm" */
    const char *what;           /* what that is, for messages: "network" */
    const ur_option *rows;
    int n;                      /* at most 128 */
    size_t size;                /* of the struct of values */
    /* Sets defaults that the rows do not say, before those that they do; NULL: there are none. */
    void (*init)(void *values);
};

/* Room for the values of any table. */
union ur__option_values {
    unsigned char bytes[16384];
    double real;
    uint64_t whole;
    const void *pointer;
};

/* The row of a name of n letters with dashes or underscores; −1: none. */
int ur__option_find(const ur_option_table *table, const char *name, size_t n);
/* Is a number within the row's bounds? NaN is not. */
bool ur__option_in_range(const ur_option *o, double v);
/* Reads a value; NULL: the value that stands for none. False: it is impossible. */
bool ur__option_read(const ur_option *o, const char *text, void *values);
/* Appends the value as text. */
ur_status ur__option_write(const ur_option *o, const void *values, struct ur__buf *to);
/* The same for people: numbers need not read back to the same bits. */
ur_status ur__option_show(const ur_option *o, const void *values, struct ur__buf *to);
/* Bytes of the value. */
size_t ur__option_size(const ur_option *o);
/* Do both structs have the same value? */
bool ur__option_same(const ur_option *o, const void *a, const void *b);
/* "a whole number from 1 to 1024": what a value must be. */
enum { UR__OPTION_MUST = 512 };
const char *ur__option_must(const ur_option *o, char to[UR__OPTION_MUST]);
/* "rnn|lstm|gru" or arg: what help calls the value; "" for a flag. */
const char *ur__option_arg(const ur_option *o, char to[UR__OPTION_MUST]);

/* Sets the defaults of a table. */
void ur__options_defaults(const ur_option_table *table, void *values);
/* Values with the defaults of a table. */
void ur__options_init(ur_options *options, const ur_option_table *table);
/* The struct of values. */
void *ur__options_values(ur_options *options);
const void *ur__options_read(const ur_options *options);
/* Marks a row as set, from ur__option_find. */
void ur__options_give(ur_options *options, int row);
bool ur__options_has(const ur_options *options, int row);
/* UR_EINVAL: one was set that belongs to another which is off. */
ur_status ur__options_check_with(const ur_options *options);
/* UR_EINVAL unless it was initialised with a table of that kind ("network"). */
ur_status ur__options_check(const ur_options *options, const char *what);

#endif
