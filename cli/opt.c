/* SPDX-License-Identifier: MIT */
/* Command line to values, driven by a table of rows.
 *
 * Understood: --name value, --name=value, -name value (as Torch's programs take it),
 * -o value, -q; underscores as dashes; other spellings of opt_aliases. "--" ends the
 * options, "-" is a word. Of an option given twice the last counts. */
#define _POSIX_C_SOURCE 200809L

#include "cli/opt.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"
#include "cli/fail.h"

enum { NAME_MAX_LENGTH = 63 };

/* ---- values ------------------------------------------------------------ */

/* Below 2^53, which every reader of JSON keeps. splitmix64 (Steele et al. 2014) of what no
 * two processes share. */
static uint64_t random_seed(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t x = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec +
                 ((uint64_t)getpid() << 40);
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return (x ^ x >> 31) >> 11;
}

/* "--cell x: must be ...", as the user would write it. */
static int bad_value(const ur_option *o, const char *text)
{
    char must[UR__OPTION_MUST];
    return fail(EXIT_USAGE, "--%s %s: must be %s", o->name, text, ur__option_must(o, must));
}

/* ---- names ------------------------------------------------------------- */

static int find(const struct command *c, const char *name)
{
    const ur_option *o;
    for (int i = 0; (o = opt_row(c, i)) != NULL; i++)
        if (strcmp(o->name, name) == 0)
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
    const ur_option *o;
    for (int i = 0; (o = opt_row(c, i)) != NULL; i++)
        if (o->letter == letter)
            return i;
    return -1;
}

/* The row of an argument such as "--hidden=3" or "-o"; −1: none, −2: it is no option.
 * *value: what follows its equals sign, or NULL. */
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
    struct help_nearest near;
    help_nearest_begin(&near, name);
    const ur_option *o;
    for (int i = 0; (o = opt_row(c, i)) != NULL; i++)
        help_nearest_try(&near, o->name);
    for (int i = 0; opt_aliases[i][0] != NULL; i++)
        if (find(c, opt_aliases[i][1]) >= 0)
            help_nearest_try(&near, opt_aliases[i][0]);
    const char *nearest = near.name;
    const char *elsewhere = c->elsewhere != NULL ? c->elsewhere(name) : NULL;
    int length = (int)strcspn(arg, "=");
    if (elsewhere != NULL)
        return fail(EXIT_USAGE, "--%s belongs to %s", name, elsewhere);
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

/* A command line on its way to values. */
struct parsing {
    const struct command *command;
    int argc, i;
    char **argv;
    void *values;
    struct opt_words *words;
};

/* Stores the value of row r. */
static int store(const struct parsing *p, int r, const char *value)
{
    const struct command *c = p->command;
    const ur_option *o = opt_row(c, r);
    struct opt_words *words = p->words;
    if (o->kind == UR_OPTION_SEED && strcmp(value, "random") == 0 && o->arg != NULL &&
        strstr(o->arg, "|random") != NULL) {
        words->random = true;
        snprintf(words->seed, sizeof words->seed, "%llu", (unsigned long long)random_seed());
        value = words->seed;
    }
    if (opt_is_own(c, r))
        return ur__option_read(o, value, p->values) ? EXIT_DONE : bad_value(o, value);
    if (c->set(p->values, o->name, value) == UR_OK)
        return EXIT_DONE;
    return fail(EXIT_USAGE, "--%s", ur_errmsg());
}

/* The next argument as a value. One that is an option's own name is an option whose value was
 * forgotten: NULL, as where there is none. */
static const char *next_value(struct parsing *p)
{
    const char *rest;
    char name[NAME_MAX_LENGTH + 1];
    if (p->i + 1 >= p->argc)
        return NULL;
    const char *next = p->argv[p->i + 1];
    if (next[0] == '-' && next[1] == '-' && find_option(p->command, next, &rest, name) >= 0)
        return NULL;
    return p->argv[++p->i];
}

/* Takes the option of row r. False: end with *code. */
static bool take(struct parsing *p, int r, const char *value, int *code)
{
    const ur_option *o = opt_row(p->command, r);
    char arg[UR__OPTION_MUST];
    bool alone = o->kind == UR_OPTION_FLAG || o->kind == UR_OPTION_ACTION;
    *code = EXIT_DONE;
    if (alone && value != NULL) {
        *code = fail(EXIT_USAGE, "--%s takes no value", o->name);
        return false;
    }
    if (o->kind == UR_OPTION_ACTION) {
        if (strcmp(o->name, "help") == 0)
            help_command(p->command);
        else
            printf("unroll %s\n", ur_version());
        return false;
    }
    if (alone)
        value = "yes";
    else if (value == NULL && (value = next_value(p)) == NULL) {
        *code = fail(EXIT_USAGE, "--%s needs a value: --%s %s", o->name, o->name,
                     ur__option_arg(o, arg));
        return false;
    }
    *code = store(p, r, value);
    return *code == EXIT_DONE;
}

/* Members at their defaults; other rows have theirs where they lie. */
static int set_defaults(const struct command *c, void *values)
{
    for (int i = 0; i < c->n_options; i++)
        if (!ur__option_read(&c->options[i], c->options[i].fallback, values))
            return fail(EXIT_FAILED, "the default of --%s is not valid", c->options[i].name);
    return EXIT_DONE;
}

static bool take_all(struct parsing *p, int *code)
{
    bool ended = false;
    for (; p->i < p->argc; p->i++) {
        const char *value, *arg = p->argv[p->i];
        char name[NAME_MAX_LENGTH + 1];
        int row = ended ? -2 : find_option(p->command, arg, &value, name);
        if (row == -2) {
            p->words->word[p->words->n++] = arg;
        } else if (strcmp(arg, "--") == 0) {
            ended = true;
        } else if (row < 0) {
            *code = unknown(p->command, arg, name);
            return false;
        } else {
            p->words->given[row] = true;
            if (!take(p, row, value, code))
                return false;
        }
    }
    return true;
}

bool opt_parse(const struct command *c, int argc, char **argv, void *values,
               struct opt_words *words, int *code)
{
    struct parsing p = {.command = c, .argc = argc, .argv = argv, .values = values,
                        .words = words};
    memset(words, 0, sizeof *words);
    words->command = c;
    *code = set_defaults(c, values);
    if (*code != EXIT_DONE)
        return false;
    words->word = ur__alloc((size_t)argc + 1, sizeof *words->word);
    words->given = ur__calloc((size_t)opt_rows(c) + 1, sizeof *words->given);
    if (words->word == NULL || words->given == NULL) {
        *code = fail_status(UR_ENOMEM);
        return false;
    }
    if (!take_all(&p, code))
        return false;
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
    ur__free(words->given);
    *words = (struct opt_words){0};
}

int opt_run(const struct command *c, int argc, char **argv)
{
    struct opt_words words;
    int code;
    void *values = ur__calloc(1, c->size);
    if (values == NULL)
        return fail_status(UR_ENOMEM);
    if (opt_parse(c, argc, argv, values, &words, &code))
        code = c->act(values, &words);
    opt_words_free(&words);
    ur__free(values);
    return code;
}

bool opt_given(const struct opt_words *words, const char *name)
{
    int row = find(words->command, name);
    return row >= 0 && words->given[row];
}

ur_status opt_say(const struct command *c, ur_status status)
{
    const ur_option *o;
    size_t n = strcspn(ur_errmsg(), " :");
    for (int i = 0; status == UR_EINVAL && (o = opt_row(c, i)) != NULL; i++)
        if (strlen(o->name) == n && strncmp(o->name, ur_errmsg(), n) == 0)
            return ur__fail(status, "--%s", ur_errmsg());
    return status;
}
