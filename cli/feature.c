/* SPDX-License-Identifier: MIT */
/* What a unit may follow: a small lexer that knows just enough of prose and of C. The
 * list takes up what Karpathy, Johnson and Fei-Fei found units to follow ("Visualizing
 * and Understanding Recurrent Networks", 2015). */
#include "cli/feature.h"

#include <stdbool.h>
#include <string.h>

const struct feature feature_list[N_FEATURES] = {
    [FEATURE_LINE] = {"line", "characters since the line began"},
    [FEATURE_INDENT] = {"indent", "blanks at the line's beginning"},
    [FEATURE_WORD] = {"word", "letters since the word began"},
    [FEATURE_WORD_END] = {"word-end", "last letter of a word"},
    [FEATURE_QUOTES] = {"quotes", "between double quotes"},
    [FEATURE_COMMENT] = {"comment", "inside a comment of C"},
    [FEATURE_STRING] = {"string", "inside a string or character of C"},
    [FEATURE_BRACE] = {"brace", "how many { are open"},
    [FEATURE_PAREN] = {"paren", "how many ( are open"},
    [FEATURE_DEPTH] = {"depth", "how many ( [ { are open"},
};

int feature_find(const char *name)
{
    for (int f = 0; f < N_FEATURES; f++)
        if (strcmp(feature_list[f].name, name) == 0)
            return f;
    return -1;
}

enum mode { CODE, STRING, LETTER, LINE_COMMENT, BLOCK_COMMENT };

struct lexer {
    enum mode mode;
    bool escaped;       /* a backslash stands before */
    bool quotes;        /* by quotes alone, without regard to C */
    bool leading;       /* only blanks so far in this line */
    uint32_t before;    /* the character before, 0 if it is used up */
    int line, indent, word, brace, paren, bracket;
};

/* Whatever is not ASCII counts as a letter. */
static bool is_letter(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

static void read_layout(struct lexer *x, uint32_t c)
{
    x->word = is_letter(c) ? x->word + 1 : 0;
    if (c == '\n') {
        /* An unclosed quote must not turn the rest of a text inside out. */
        if (x->line == 0)
            x->quotes = false;
        x->line = x->indent = 0;
        x->leading = true;
        return;
    }
    x->line++;
    x->leading = x->leading && (c == ' ' || c == '\t');
    if (x->leading)
        x->indent++;
    if (c == '"')
        x->quotes = !x->quotes;
}

static void count(int *open, uint32_t c, uint32_t left, uint32_t right)
{
    if (c == left)
        (*open)++;
    else if (c == right && *open > 0)
        (*open)--;
}

static void read_code(struct lexer *x, uint32_t c)
{
    count(&x->brace, c, '{', '}');
    count(&x->paren, c, '(', ')');
    count(&x->bracket, c, '[', ']');
    if (x->before == '/' && (c == '/' || c == '*'))
        x->mode = c == '/' ? LINE_COMMENT : BLOCK_COMMENT;
    else if (c == '"' || c == '\'')
        x->mode = c == '"' ? STRING : LETTER;
}

static void read_c(struct lexer *x, uint32_t c)
{
    enum mode before = x->mode;
    switch (x->mode) {
    case CODE: read_code(x, c); break;
    case STRING:
    case LETTER:
        if (!x->escaped && (c == '\n' || c == (x->mode == STRING ? '"' : '\'')))
            x->mode = CODE;
        x->escaped = !x->escaped && c == '\\';
        break;
    case LINE_COMMENT:
        if (c == '\n')
            x->mode = CODE;
        break;
    case BLOCK_COMMENT:
        if (x->before == '*' && c == '/')
            x->mode = CODE;
        break;
    }
    /* One star both opens and closes nothing. */
    x->before = x->mode == before ? c : 0;
}

void feature_compute(const uint32_t *code, size_t n, double *series)
{
    struct lexer x = {.leading = true};
    for (size_t t = 0; t < n; t++) {
        read_layout(&x, code[t]);
        read_c(&x, code[t]);
        bool last = t + 1 == n || !is_letter(code[t + 1]);
        const double now[N_FEATURES] = {
            [FEATURE_LINE] = x.line,
            [FEATURE_INDENT] = x.indent,
            [FEATURE_WORD] = x.word,
            [FEATURE_WORD_END] = is_letter(code[t]) && last,
            [FEATURE_QUOTES] = x.quotes,
            [FEATURE_COMMENT] = x.mode == LINE_COMMENT || x.mode == BLOCK_COMMENT,
            [FEATURE_STRING] = x.mode == STRING || x.mode == LETTER,
            [FEATURE_BRACE] = x.brace,
            [FEATURE_PAREN] = x.paren,
            [FEATURE_DEPTH] = x.brace + x.paren + x.bracket,
        };
        for (int f = 0; f < N_FEATURES; f++)
            series[(size_t)f * n + t] = now[f];
    }
}
