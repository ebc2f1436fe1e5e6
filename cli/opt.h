/* SPDX-License-Identifier: MIT */
/* Options as tables of rows (unroll/options.h). Parsing, range errors, suggestions, --help,
 * manual pages and completions all read the same row, so none of them can disagree. */
#ifndef CLI_OPT_H
#define CLI_OPT_H

#include "base/option.h"

/* What every subcommand understands; a member named `common` of each struct of values. */
struct opt_common {
    bool json, quiet, verbose;
};
enum { OPT_N_COMMON = 5 };      /* rows of OPT_COMMON */
#define OPT_COMMON(type)                                                                          \
    {.group = "all", .name = "json", .kind = UR_OPTION_FLAG, .at = offsetof(type, common.json),   \
     .help = "print the result as one JSON object on one line"},                                  \
    {.name = "quiet", .letter = 'q', .kind = UR_OPTION_FLAG,                                      \
     .at = offsetof(type, common.quiet), .help = "print only results and errors"},                \
    {.name = "verbose", .letter = 'v', .kind = UR_OPTION_FLAG,                                    \
     .at = offsetof(type, common.verbose), .help = "print more"},                                 \
    {.name = "help", .letter = 'h', .kind = UR_OPTION_ACTION,                                     \
     .help = "show this"},                                                                        \
    {.name = "version", .kind = UR_OPTION_ACTION, .help = "show the version"}

/* Of --unknown, wherever a text is read: the words (ur_unknown_find), and the default. */
#define OPT_UNKNOWN "error|skip|replace"
#define OPT_UNKNOWN_USUAL "words: replace, else error"
#define OPT_UNKNOWN_LABELS "words: replace; characters: error, of labelled data skip"

/* Of searches: the type's int64_t beam. */
#define OPT_BEAM(type)                                                                            \
    {.name = "beam", .arg = "N", .shown = "4", .kind = UR_OPTION_COUNT, .min = 1,                 \
     .max = UR_BEAM_MOST, .at = offsetof(type, beam),                                             \
     .help = "models that search for what they say: how many ways to say it are followed at "     \
             "once; 1: always what is likeliest next"}

/* Of texts that are made: the type's double length_power and bool copy_unknown. */
#define OPT_TEXTS(type)                                                                           \
    {.name = "length-power", .arg = "X", .fallback = "1", .kind = UR_OPTION_REAL, .max = 5,       \
     .at = offsetof(type, length_power),                                                          \
     .help = "translations rank by their log probability over their length to this power; 0: "    \
             "the shorter, the better"},                                                          \
    {.name = "copy-unknown", .kind = UR_OPTION_FLAG, .at = offsetof(type, copy_unknown),          \
     .help = "where a translation has an unknown word, what it looked at most stands instead"}

struct opt_words;
/* Options that hang on the value of another, --task NAME. */
struct opt_kinds {
    const char *option;                     /* "task" */
    const char *const *(*names)(void);      /* its values, the usual one first; ended by NULL */
    const char *(*brief)(const char *name); /* what the command does then */
    const char **chosen;                    /* whose rows `more` gives */
};

/* A subcommand. One const instance a file cmd_*.c, listed in main.c. */
struct command {
    const char *name;
    const char *words;              /* what stands beside options: "MODEL [FILE]" */
    const char *brief;              /* what it does */
    const char *const *examples;    /* command lines, ended by NULL */
    const char *notes;              /* a paragraph at the end of --help, or NULL */
    const ur_option *options;
    int n_options;
    /* Rows that stand after the first `first` of them; NULL: there is no i-th (the function too:
     * there are none). And what becomes of a value of theirs. */
    int first;
    const ur_option *(*more)(int i);
    ur_status (*set)(void *values, const char *name, const char *text);
    const struct opt_kinds *kinds;  /* which rows these are; NULL: always the same */
    /* "--task lm": what has a row of this name that is not listed now; NULL: nothing (or the
     * function: never). */
    const char *(*elsewhere)(const char *name);
    int min_words, max_words;       /* max -1: any number */
    /* Does the work: with the values of its options, a struct of `size` bytes, and the words; or
     * (act NULL) from the command line on. */
    size_t size;
    int (*act)(void *values, const struct opt_words *words);
    int (*run)(const struct command *self, int argc, char **argv);
};

struct opt_words {
    const struct command *command;
    const char **word;              /* the words that are no options; owned */
    int n;
    bool *given;                    /* [rows] the options that are there; owned */
    bool random;                    /* nobody chose the seed */
    char seed[24];
};

/* The i-th row of a command, in the order of --help (NULL: there is none), and how many there are;
 * whether its value is a member of the command's own struct. */
const ur_option *opt_row(const struct command *command, int i);
int opt_rows(const struct command *command);
bool opt_is_own(const struct command *command, int i);
/* Chooses the kind of rows that a command line asks for: the usual one unless it names another, of
 * several the last. EXIT_USAGE, and one line that says why: there is no such kind. */
int opt_choose(const struct command *command, int argc, char **argv);
/* Its kinds, the usual one first, ended by NULL. */
const char *const *opt_kinds(const struct command *command);
/* Chooses one of these; NULL: does nothing. */
void opt_choose_kind(const struct command *command, const char *kind);

/* Reads argv[0..argc) into values and words. True: go on. False: end the program with
 * *code; help has been printed, or one line that says what is wrong. */
bool opt_parse(const struct command *command, int argc, char **argv, void *values,
               struct opt_words *words, int *code);
/* Runs a command that has an act. */
int opt_run(const struct command *command, int argc, char **argv);
void opt_words_free(struct opt_words *words);
/* How this program was called, "unroll" or a path to it, quoted for a shell if need be: what
 * hints begin with. Set by main. */
extern const char *program_call;
/* The library calls an option by its name alone: here a message that begins with one is written as
 * on the command line. Returns the status. */
ur_status opt_say(const struct command *command, ur_status status);
/* Was the option on the command line? */
bool opt_given(const struct opt_words *words, const char *name);

/* ---- help.c ------------------------------------------------------------ */

void help_command(const struct command *command);
/* The other spellings that an option may have: pairs {alias, name}, ended by NULL. */
extern const char *const opt_aliases[][2];
/* Which name a word was probably meant to be: begin, try each, then look at name. */
struct help_nearest {
    const char *word, *name;        /* name: the nearest so far, or NULL */
    int best;
};
void help_nearest_begin(struct help_nearest *near, const char *word);
void help_nearest_try(struct help_nearest *near, const char *name);
bool opt_has(const struct command *command, const char *name);
/* The sentence that names the other spellings; false: the command has none. */
enum { HELP_ALIASES = 512 };
bool help_aliases(const struct command *command, char text[HELP_ALIASES]);
/* The sentence that says which kind of options these are, and how to see others; false: there is
 * one kind alone. */
enum { HELP_KINDS = 512 };
bool help_kinds(const struct command *command, char text[HELP_KINDS]);

/* ---- man.c ------------------------------------------------------------- */

/* The whole of it: what its overview and its manual pages say. */
struct program {
    const char *brief;
    const char *const *examples;    /* ended by NULL */
    const struct command *const *commands;
    int n_commands;
};
extern const struct program *program_whole;     /* set by main */

/* Prints the manual page unroll(1), or unroll-COMMAND(1), for man(7). */
void man_program(const struct program *program);
void man_command(const struct program *program, const struct command *command);

#endif
