/* SPDX-License-Identifier: MIT */
/* Options as a table. One row says an option's name, argument, default, range and
 * help; parsing, range errors, suggestions and --help all read that row, so none of
 * them can disagree. Defaults are parsed from the text that --help shows. */
#ifndef CLI_OPT_H
#define CLI_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum opt_kind {
    OPT_FLAG,       /* bool */
    OPT_INT,        /* int64_t in min..max */
    OPT_REAL,       /* double in min..max */
    OPT_SECONDS,    /* double; "90", "90s", "10m", "2h" */
    OPT_TEXT,       /* const char * */
    OPT_CHOICE,     /* const char *: one of the words in arg, "a|b|c" */
    OPT_LIST,       /* struct opt_list, each in min..max */
    OPT_SEED,       /* struct opt_seed; "random" too where arg offers it */
    OPT_HELP,
    OPT_VERSION
};

#define OPT_LIST_MAX 32
struct opt_list {
    int n;
    int64_t v[OPT_LIST_MAX];
};

struct opt_seed {
    uint64_t value;
    bool random;    /* nobody chose it */
};

/* Ends of a range that do not belong to it. */
enum { OPT_OPEN_MIN = 1, OPT_OPEN_MAX = 2 };

/* Larger than any count that makes sense, small enough that sums stay in range. */
#define OPT_MANY 1e15

struct opt {
    const char *group;      /* a row with only this one starts a group of --help */
    const char *name;       /* "seq-length" */
    char letter;            /* 'o' of -o, or 0 */
    const char *arg;        /* what --help calls its value; choices for OPT_CHOICE */
    const char *fallback;   /* the default as text; NULL: false, 0, NULL or an empty list */
    const char *shown;      /* what --help shows instead of it */
    const char *help;
    enum opt_kind kind;
    unsigned open;
    double min, max;
    size_t at;              /* offset of the value in the command's struct */
};

/* What every subcommand understands; a member named `common` of each struct of values. */
struct opt_common {
    bool json, quiet, verbose;
};
#define OPT_COMMON(type)                                                                  \
    {.group = "all"},                                                                     \
    {.name = "json", .kind = OPT_FLAG, .at = offsetof(type, common.json),                 \
     .help = "print the result as one JSON object on one line"},                          \
    {.name = "quiet", .letter = 'q', .kind = OPT_FLAG, .at = offsetof(type, common.quiet),\
     .help = "say nothing but results and failures"},                                     \
    {.name = "verbose", .letter = 'v', .kind = OPT_FLAG,                                  \
     .at = offsetof(type, common.verbose), .help = "say more"},                           \
    {.name = "help", .letter = 'h', .kind = OPT_HELP, .help = "show this"},               \
    {.name = "version", .kind = OPT_VERSION, .help = "show the version"}

/* A subcommand. One const instance a file cmd_*.c, listed in main.c. */
struct command {
    const char *name;
    const char *words;              /* what stands beside options: "MODEL [FILE]" */
    const char *brief;              /* what it does */
    const char *const *examples;    /* command lines, ended by NULL */
    const char *notes;              /* a paragraph at the end of --help, or NULL */
    const struct opt *options;
    int n_options;
    int min_words, max_words;       /* max -1: any number */
    int (*run)(const struct command *self, int argc, char **argv);
};

struct opt_words {
    const struct command *command;
    const char **word;              /* the words that are no options; owned */
    int n;
    bool *given;                    /* [n_options] the options that are there; owned */
};

/* Reads argv[0..argc) into values and words. True: go on. False: end the program with
 * *code; help has been printed, or one line that says what is wrong. */
bool opt_parse(const struct command *command, int argc, char **argv, void *values,
               struct opt_words *words, int *code);
void opt_words_free(struct opt_words *words);
/* How this program was called, "unroll" or a path to it, quoted for a shell if need be: what
 * hints begin with. Set by main. */
extern const char *program_call;
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
