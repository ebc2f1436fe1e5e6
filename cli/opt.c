/* SPDX-License-Identifier: MIT */
/* Command line to values, driven by a table of rows.
 *
 * Understood: --name value, --name=value, -name value (as Torch's programs take it),
 * -o value, -q; underscores as dashes; other spellings of opt_aliases. "--" ends the
 * options, "-" is a word. Of an option given twice the last counts. */
#include "cli/opt.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/fail.h"

enum { NAME_MAX_LENGTH = 63 };

/* ---- values ------------------------------------------------------------ */

/* "a whole number from 1 to 1024": what a value must be. */
static void describe(const struct opt *o, char to[128])
{
    const char *what = o->kind == OPT_REAL ? "a number" : "a whole number";
    bool has_max = o->max < OPT_MANY;
    const char *least = o->open & OPT_OPEN_MIN ? "above" : "of at least";
    if (!has_max)
        snprintf(to, 128, "%s %s %g", what, least, o->min);
    else if (o->open == 0)
        snprintf(to, 128, "%s from %.10g to %.10g", what, o->min, o->max);
    else
        snprintf(to, 128, "%s %s %g and %s %g", what, least, o->min,
                 o->open & OPT_OPEN_MAX ? "below" : "at most", o->max);
}

static bool in_range(const struct opt *o, double v)
{
    bool above = o->open & OPT_OPEN_MIN ? v > o->min : v >= o->min;
    bool below = o->max >= OPT_MANY || (o->open & OPT_OPEN_MAX ? v < o->max : v <= o->max);
    return above && below;
}

static bool read_int(const struct opt *o, const char *text, int64_t *out)
{
    return ur__parse_int(text, out) && in_range(o, (double)*out);
}

/* "90", "90s", "1.5m", "2h"; more than a hundred years is a slip of the finger. */
static bool read_seconds(const char *text, double *out)
{
    char digits[32];
    size_t n = strlen(text);
    double unit = 1.0;
    if (n > 0 && strchr("smh", text[n - 1]) != NULL) {
        n--;
        unit = text[n] == 'h' ? 3600.0 : text[n] == 'm' ? 60.0 : 1.0;
    }
    if (n == 0 || n >= sizeof digits)
        return false;
    memcpy(digits, text, n);
    digits[n] = '\0';
    if (!ur__parse_real(digits, out) || *out <= 0.0)
        return false;
    *out *= unit;
    return *out <= 3.2e9;
}

/* Is text one of the words of "a|b|c"? Delivers it with the value's own lifetime. */
static bool is_choice(const char *choices, const char *text)
{
    size_t length = strlen(text);
    for (const char *at = choices;; at++) {
        size_t n = strcspn(at, "|");
        if (n == length && strncmp(at, text, n) == 0)
            return true;
        at += n;
        if (*at == '\0')
            return false;
    }
}

static bool read_list(const struct opt *o, const char *text, struct opt_list *out)
{
    out->n = 0;
    for (;;) {
        char number[32];
        size_t n = strcspn(text, ",");
        if (n == 0 || n >= sizeof number || out->n == OPT_LIST_MAX)
            return false;
        memcpy(number, text, n);
        number[n] = '\0';
        if (!read_int(o, number, &out->v[out->n++]))
            return false;
        if (text[n] == '\0')
            return true;
        text += n + 1;
    }
}

/* "--cell x" or "-o x" or "--cell=x", as the user would write it. */
static int bad_value(const struct opt *o, const char *text)
{
    char must[256];
    switch (o->kind) {
    case OPT_CHOICE:
        snprintf(must, sizeof must, "one of %s", o->arg);
        break;
    case OPT_SECONDS:
        snprintf(must, sizeof must, "a time such as 90s, 10m or 2h");
        break;
    case OPT_LIST: {
        char one[128];
        describe(o, one);
        snprintf(must, sizeof must, "%s, or up to %d of them with commas between", one,
                 OPT_LIST_MAX);
        break;
    }
    default:
        describe(o, must);
    }
    return fail(EXIT_USAGE, "--%s %s: must be %s", o->name, text, must);
}

/* Stores a value given as text. False: it is impossible. */
static bool store(const struct opt *o, const char *text, void *values)
{
    void *at = (char *)values + o->at;
    switch (o->kind) {
    case OPT_FLAG:
        *(bool *)at = text != NULL;
        return true;
    case OPT_INT:
        *(int64_t *)at = 0;
        return text == NULL || read_int(o, text, at);
    case OPT_REAL:
        *(double *)at = 0.0;
        return text == NULL || (ur__parse_real(text, at) && in_range(o, *(double *)at));
    case OPT_SECONDS:
        *(double *)at = 0.0;
        return text == NULL || read_seconds(text, at);
    case OPT_TEXT:
        *(const char **)at = text;
        return true;
    case OPT_CHOICE:
        *(const char **)at = text;
        return text == NULL || is_choice(o->arg, text);
    case OPT_LIST:
        ((struct opt_list *)at)->n = 0;
        return text == NULL || read_list(o, text, at);
    case OPT_HELP:
    case OPT_VERSION: break;
    }
    return true;
}

/* ---- names ------------------------------------------------------------- */

static int find(const struct command *c, const char *name)
{
    for (int i = 0; i < c->n_options; i++)
        if (c->options[i].name != NULL && strcmp(c->options[i].name, name) == 0)
            return i;
    return -1;
}

/* The row of a long name of n letters, in whatever spelling; −1: none. name receives
 * it with dashes. */
static int find_long(const struct command *c, const char *text, size_t n,
                     char name[NAME_MAX_LENGTH + 1])
{
    if (n > NAME_MAX_LENGTH)
        n = NAME_MAX_LENGTH;
    for (size_t i = 0; i < n; i++)
        name[i] = text[i] == '_' ? '-' : text[i];
    name[n] = '\0';
    int row = find(c, name);
    for (int i = 0; row < 0 && opt_aliases[i][0] != NULL; i++)
        if (strcmp(name, opt_aliases[i][0]) == 0)
            row = find(c, opt_aliases[i][1]);
    return row;
}

static int find_letter(const struct command *c, char letter)
{
    for (int i = 0; i < c->n_options; i++)
        if (c->options[i].name != NULL && c->options[i].letter == letter)
            return i;
    return -1;
}

/* The row of an argument such as "--hidden=3" or "-o"; −1: none, −2: it is no option.
 * *value: what stands behind its equals sign, or NULL. */
static int find_option(const struct command *c, const char *arg, const char **value,
                       char name[NAME_MAX_LENGTH + 1])
{
    *value = NULL;
    if (arg[0] != '-' || arg[1] == '\0')
        return -2;
    const char *text = arg + (arg[1] == '-' ? 2 : 1);
    size_t n = strcspn(text, "=");
    if (text[n] == '=')
        *value = text + n + 1;
    if (n == 1 && arg[1] != '-') {
        name[0] = text[0];
        name[1] = '\0';
        return find_letter(c, text[0]);
    }
    return find_long(c, text, n, name);
}

static int unknown(const struct command *c, const char *arg, const char *name)
{
    const char *list[OPT_ROWS_MAX + 16];
    int n = 0;
    for (int i = 0; i < c->n_options && n < OPT_ROWS_MAX; i++)
        if (c->options[i].name != NULL)
            list[n++] = c->options[i].name;
    for (int i = 0; opt_aliases[i][0] != NULL; i++)
        if (find(c, opt_aliases[i][1]) >= 0)
            list[n++] = opt_aliases[i][0];
    const char *nearest = help_nearest(name, list, n);
    int length = (int)strcspn(arg, "=");
    if (nearest != NULL)
        return fail(EXIT_USAGE, "unknown option %.*s: did you mean --%s?", length, arg, nearest);
    return fail(EXIT_USAGE, "unknown option %.*s: see unroll %s --help", length, arg, c->name);
}

/* ---- the command line -------------------------------------------------- */

static int count_words(const struct command *c, int n)
{
    if (n < c->min_words)
        return fail(EXIT_USAGE, "%s needs %s: see unroll %s --help", c->name, c->words, c->name);
    if (c->max_words >= 0 && n > c->max_words)
        return fail(EXIT_USAGE, "%s takes %s and nothing more: see unroll %s --help", c->name,
                    c->max_words > 0 ? c->words : "options", c->name);
    return EXIT_DONE;
}

/* Takes the option of row r; *i is moved over its value. False: end with *code. */
static bool take(const struct command *c, int r, const char *value, int argc, char **argv, int *i,
                 void *values, int *code)
{
    const struct opt *o = &c->options[r];
    bool alone = o->kind == OPT_FLAG || o->kind == OPT_HELP || o->kind == OPT_VERSION;
    *code = EXIT_DONE;
    if (alone && value != NULL) {
        *code = fail(EXIT_USAGE, "--%s takes no value", o->name);
        return false;
    }
    if (o->kind == OPT_HELP) {
        help_command(c);
        return false;
    }
    if (o->kind == OPT_VERSION) {
        printf("unroll %s\n", ur_version());
        return false;
    }
    if (alone) {
        store(o, "", values);
        return true;
    }
    if (value == NULL) {
        /* A value that is an option's own name is an option whose value was forgotten. */
        const char *rest;
        char name[NAME_MAX_LENGTH + 1];
        bool there = *i + 1 < argc;
        if (!there || (argv[*i + 1][0] == '-' && argv[*i + 1][1] == '-' &&
                       find_option(c, argv[*i + 1], &rest, name) >= 0)) {
            *code = fail(EXIT_USAGE, "--%s needs a value: --%s %s", o->name, o->name, o->arg);
            return false;
        }
        value = argv[++*i];
    }
    if (!store(o, value, values)) {
        *code = bad_value(o, value);
        return false;
    }
    return true;
}

bool opt_parse(const struct command *c, int argc, char **argv, void *values,
               struct opt_words *words, int *code)
{
    memset(words, 0, sizeof *words);
    words->command = c;
    *code = EXIT_FAILED;
    for (int i = 0; i < c->n_options; i++)
        if (c->options[i].name != NULL && !store(&c->options[i], c->options[i].fallback, values)) {
            *code = fail(EXIT_FAILED, "--%s has an impossible default", c->options[i].name);
            return false;
        }
    words->word = ur__alloc((size_t)argc + 1, sizeof *words->word);
    if (words->word == NULL) {
        *code = fail_status(UR_ENOMEM);
        return false;
    }

    bool ended = false;
    for (int i = 0; i < argc; i++) {
        const char *value;
        char name[NAME_MAX_LENGTH + 1];
        int row = ended ? -2 : find_option(c, argv[i], &value, name);
        if (row == -2) {
            words->word[words->n++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            ended = true;
        } else if (row < 0) {
            *code = unknown(c, argv[i], name);
            return false;
        } else {
            words->given[row] = true;
            if (!take(c, row, value, argc, argv, &i, values, code))
                return false;
        }
    }
    *code = count_words(c, words->n);
    for (int i = 0; i < words->n && *code == EXIT_DONE; i++)
        *code = spare_input(words->word[i]);    /* each is the name of an input */
    if (*code == EXIT_DONE && words->n < c->max_words)
        *code = spare_input("-");               /* which is read instead of [FILE] */
    return *code == EXIT_DONE;
}

void opt_words_free(struct opt_words *words)
{
    ur__free(words->word);
    words->word = NULL;
    words->n = 0;
}

bool opt_given(const struct opt_words *words, const char *name)
{
    int row = find(words->command, name);
    return row >= 0 && words->given[row];
}
