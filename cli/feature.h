/* SPDX-License-Identifier: MIT */
/* What a unit of a network may follow in a text: where in the line, the word, a comment
 * or the nesting of brackets each character stands. */
#ifndef CLI_FEATURE_H
#define CLI_FEATURE_H

#include <stddef.h>
#include <stdint.h>

/* The rows of feature_list. */
enum feature_kind {
    FEATURE_LINE,
    FEATURE_INDENT,
    FEATURE_WORD,
    FEATURE_WORD_END,
    FEATURE_QUOTES,
    FEATURE_COMMENT,
    FEATURE_STRING,
    FEATURE_BRACE,
    FEATURE_PAREN,
    FEATURE_DEPTH,
    N_FEATURES
};

struct feature {
    const char *name, *what;
};
extern const struct feature feature_list[N_FEATURES];

/* The names as the choices of an option: keep in step with feature_list. */
#define FEATURE_CHOICES "line|indent|word|word-end|quotes|comment|string|brace|paren|depth"

/* The row of a name, or −1. */
int feature_find(const char *name);

/* series[f·n + t] of each feature f after reading character t of n code points. Only
 * word-end looks ahead, by one character. */
void feature_compute(const uint32_t *code, size_t n, double *series);

#endif
