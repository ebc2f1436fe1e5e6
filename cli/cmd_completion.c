/* SPDX-License-Identifier: MIT */
/* unroll completion: what makes a shell complete the words of a command line, from the
 * tables of options. */
#include <stdio.h>
#include <string.h>

#include "cli/fail.h"
#include "cli/opt.h"

struct completion {
    struct opt_common common;
};

static const ur_option options[] = {
    OPT_COMMON(struct completion),
};

static const char *const examples[] = {
    "unroll completion bash >~/.local/share/bash-completion/completions/unroll",
    "unroll completion zsh >~/.zsh/completions/_unroll",
    "unroll completion fish >~/.config/fish/completions/unroll.fish",
    NULL,
};

/* ---- what there is to complete ----------------------------------------- */

/* What follows an option: nothing, any text, words to choose from, a file, a model. */
enum value { VALUE_NONE, VALUE_TEXT, VALUE_WORDS, VALUE_FILE, VALUE_MODEL };

static enum value value_of_name(const char *name)
{
    if (strncmp(name, "MODEL", 5) == 0)
        return VALUE_MODEL;
    return strstr(name, "FILE") != NULL || strstr(name, "DATA") != NULL ? VALUE_FILE : VALUE_TEXT;
}

static enum value value_of(const ur_option *o)
{
    switch (o->kind) {
    case UR_OPTION_FLAG:
    case UR_OPTION_ACTION: return VALUE_NONE;
    case UR_OPTION_CHOICE:
    case UR_OPTION_EITHER: return VALUE_WORDS;
    case UR_OPTION_WORD:
    case UR_OPTION_SEED: return strchr(o->arg, '|') != NULL ? VALUE_WORDS : VALUE_TEXT;
    case UR_OPTION_TEXT: return o->arg != NULL ? value_of_name(o->arg) : VALUE_WORDS;
    case UR_OPTION_INT:
    case UR_OPTION_COUNT:
    case UR_OPTION_REAL:
    case UR_OPTION_SECONDS:
    case UR_OPTION_LIST_OF_INT: break;
    }
    return VALUE_TEXT;
}

/* What stands beside the options: a model alone, or files. */
static enum value value_of_words(const struct command *c)
{
    const char *words = c->words + (c->words[0] == '[');
    if (c->max_words == 0)
        return VALUE_TEXT;
    if (strchr(words, '|') != NULL)
        return VALUE_WORDS;
    return c->max_words == 1 ? value_of_name(words) : VALUE_FILE;
}

/* "a|b|c" with blanks between; capitals ("N|random") only stand for something. */
static void put_words(const char *choices)
{
    for (bool first = true; *choices != '\0'; ) {
        size_t n = strcspn(choices, "|");
        if (choices[0] < 'A' || choices[0] > 'Z') {
            printf("%s%.*s", first ? "" : " ", (int)n, choices);
            first = false;
        }
        choices += n + (choices[n] == '|');
    }
}

/* Calls for each command and kind of its options, which is chosen then; key: "train", or for a kind
 * that is not the usual one "train:tag". */
static void each_kind(const struct program *p,
                      void (*put)(const struct command *c, const char *key))
{
    for (int i = 0; i < p->n_commands; i++) {
        const struct command *c = p->commands[i];
        const char *const *kinds = opt_kinds(c), *const *kind = kinds;
        do {
            char key[64];
            opt_choose_kind(c, *kind);
            snprintf(key, sizeof key, "%s%s%s", c->name, kind > kinds ? ":" : "",
                     kind > kinds ? *kind : "");
            put(c, key);
        } while (*kind != NULL && *++kind != NULL);
        opt_choose_kind(c, *kinds);
    }
}

/* Of a command with several kinds: the names of those that are not the usual one. */
static void put_other_kinds(const struct command *c, const char *between)
{
    const char *const *kinds = opt_kinds(c);
    for (int i = 1; kinds[0] != NULL && kinds[i] != NULL; i++)
        printf("%s%s", i > 1 ? between : "", kinds[i]);
}

static void put_commands(const struct program *p)
{
    for (int i = 0; i < p->n_commands; i++)
        printf("%s ", p->commands[i]->name);
    printf("help");
}

/* text within single quotes of a shell, with a backslash before each of `special`; a quote is
 * written as `quote`. */
static void put_quoted(const char *text, const char *special, const char *quote)
{
    for (; *text != '\0'; text++)
        if (*text == '\'')
            fputs(quote, stdout);
        else
            printf("%s%c", strchr(special, *text) != NULL ? "\\" : "", *text);
}

/* ---- bash -------------------------------------------------------------- */

/* "train,--output|train,-o" */
static void put_bash_pattern(const char *key, const ur_option *o)
{
    printf("        %s,--%s", key, o->name);
    if (o->letter != '\0')
        printf("|%s,-%c", key, o->letter);
    printf(") ");
}

static void put_bash_value(enum value value, const char *choices)
{
    if (value == VALUE_WORDS) {
        printf("_unroll_words '");
        put_words(choices);
        printf("'");
    } else if (value == VALUE_FILE || value == VALUE_MODEL) {
        printf("_unroll_files%s", value == VALUE_MODEL ? " safetensors" : "");
    } else {
        printf(":");
    }
    printf(" ;;\n");
}

static void put_bash_values(const struct command *c, const char *key)
{
    const ur_option *o;
    for (int k = 0; (o = opt_row(c, k)) != NULL; k++) {
        char arg[UR__OPTION_MUST];
        if (value_of(o) == VALUE_NONE)
            continue;
        put_bash_pattern(key, o);
        put_bash_value(value_of(o), ur__option_arg(o, arg));
    }
}

static void put_bash_rest(const struct command *c, const char *key)
{
    const ur_option *o;
    printf("        %s,-*) _unroll_words '", key);
    for (int k = 0; (o = opt_row(c, k)) != NULL; k++)
        printf("%s--%s", k > 0 ? " " : "", o->name);
    printf("' ;;\n        %s,*) ", key);
    put_bash_value(value_of_words(c), c->words);
}

/* What comes before the word at hand may say which kind of options there are. */
static void put_bash_kinds(const struct program *p)
{
    for (int i = 0; i < p->n_commands; i++) {
        const struct command *c = p->commands[i];
        if (c->kinds == NULL)
            continue;
        printf("    for ((i = 2; i < COMP_CWORD; i++)); do\n"
               "        [[ $command == %s* && ${COMP_WORDS[i]} == --%s ]] || continue\n"
               "        kind=${COMP_WORDS[i+1]}\n"
               "        [[ $kind == '=' ]] && kind=${COMP_WORDS[i+2]}\n"
               "        command=%s\n        case $kind in ", c->name, c->kinds->option, c->name);
        put_other_kinds(c, "|");
        printf(") command=%s:$kind ;; esac\n    done\n", c->name);
    }
}

static void put_bash(const struct program *p)
{
    fputs("# Completion of unroll for bash, made by `unroll completion bash`.\n\n"
          "# Adds the lines of its input to what is offered.\n"
          "_unroll_offer()\n{\n    local line\n"
          "    while IFS= read -r line; do COMPREPLY+=(\"$line\"); done\n}\n\n"
          "_unroll_words()\n{\n    _unroll_offer < <(compgen -W \"$1\" -- \"$cur\")\n}\n\n"
          "# Files, or folders and files of this ending.\n"
          "_unroll_files()\n{\n    compopt -o filenames 2>/dev/null\n"
          "    if [[ -z ${1-} ]]; then\n        _unroll_offer < <(compgen -f -- \"$cur\")\n"
          "    else\n        _unroll_offer < <(compgen -d -- \"$cur\")\n"
          "        _unroll_offer < <(compgen -f -X \"!*.$1\" -- \"$cur\")\n    fi\n}\n\n"
          "_unroll()\n{\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    local command=${COMP_WORDS[1]} kind i\n    COMPREPLY=()\n"
          "    # --name=value comes as three words.\n"
          "    if [[ $cur == '=' ]]; then\n        cur=\n"
          "    elif [[ $prev == '=' ]]; then\n        prev=${COMP_WORDS[COMP_CWORD-2]}\n    fi\n"
          "    if [[ $COMP_CWORD -eq 1 || $command == help ]]; then\n        _unroll_words '",
          stdout);
    put_commands(p);
    fputs(" --help --version'\n        return\n    fi\n", stdout);
    put_bash_kinds(p);
    fputs("    case $command,$prev in\n", stdout);
    each_kind(p, put_bash_values);
    fputs("        *) _unroll_rest ;;\n    esac\n}\n\n"
          "# An option, or what stands beside options.\n"
          "_unroll_rest()\n{\n    case $command,$cur in\n",
          stdout);
    each_kind(p, put_bash_rest);
    fputs("    esac\n}\n\ncomplete -F _unroll unroll\n", stdout);
}

/* ---- zsh --------------------------------------------------------------- */

/* ":what:how" of _arguments */
static void put_zsh_value(enum value value, const char *name)
{
    fputs(":", stdout);
    put_quoted(value == VALUE_WORDS ? "choice" : name, ":\\", "'\\''");
    fputs(":", stdout);
    if (value == VALUE_WORDS) {
        fputs("(", stdout);
        put_words(name);
        fputs(")", stdout);
    } else if (value == VALUE_FILE || value == VALUE_MODEL) {
        fputs(value == VALUE_MODEL ? "_files -g \"*.safetensors\"" : "_files", stdout);
    }
    fputs("'", stdout);
}

static void put_zsh_option(const ur_option *o)
{
    enum value value = value_of(o);
    char arg[UR__OPTION_MUST];
    const char *more = value == VALUE_NONE ? "" : "=";
    if (o->letter != '\0')
        printf(" \\\n            '(-%c --%s)'{-%c,--%s%s}'[", o->letter, o->name, o->letter,
               o->name, more);
    else
        printf(" \\\n            '--%s%s[", o->name, more);
    put_quoted(o->help, "[]\\", "'\\''");
    fputs("]", stdout);
    if (value != VALUE_NONE)
        put_zsh_value(value, ur__option_arg(o, arg));
    else
        fputs("'", stdout);
}

static void put_zsh_kinds(const struct program *p)
{
    for (int i = 0; i < p->n_commands; i++) {
        const struct command *c = p->commands[i];
        if (c->kinds == NULL)
            continue;
        printf("    for word in $words; do\n"
               "        [[ $last == --%s ]] && kind=$word\n"
               "        [[ $word == --%s=* ]] && kind=${word#*=}\n"
               "        last=$word\n    done\n"
               "    case $command:$kind in\n        (%s:(", c->kinds->option, c->kinds->option,
               c->name);
        put_other_kinds(c, "|");
        printf(")) command=%s:$kind ;;\n    esac\n", c->name);
    }
}

static void put_zsh_arguments(const struct command *c, const char *key)
{
    const ur_option *o;
    printf("    %s)\n        _arguments", key);
    for (int k = 0; (o = opt_row(c, k)) != NULL; k++)
        put_zsh_option(o);
    if (c->max_words != 0) {
        fputs(" \\\n            '*", stdout);
        put_zsh_value(value_of_words(c), c->words);
    }
    fputs("\n        ;;\n", stdout);
}

static void put_zsh(const struct program *p)
{
    fputs("#compdef unroll\n# Completion of unroll for zsh, made by `unroll completion zsh`.\n\n"
          "_unroll() {\n    local -a commands=(\n", stdout);
    for (int i = 0; i < p->n_commands; i++) {
        printf("        '%s:", p->commands[i]->name);
        put_quoted(p->commands[i]->brief, ":\\", "'\\''");
        fputs("'\n", stdout);
    }
    fputs("        'help:what --help shows'\n    )\n"
          "    if (( CURRENT == 2 )) || [[ $words[2] == help ]]; then\n"
          "        _describe command commands\n        return\n    fi\n"
          "    local command=$words[2] word last kind\n    shift words\n    (( CURRENT-- ))\n",
          stdout);
    put_zsh_kinds(p);
    fputs("    case $command in\n", stdout);
    each_kind(p, put_zsh_arguments);
    fputs("    esac\n}\n\n_unroll \"$@\"\n", stdout);
}

/* ---- fish -------------------------------------------------------------- */

static void put_fish_help(const char *text)
{
    fputs(" -d '", stdout);
    put_quoted(text, "\\", "\\'");
    fputs("'\n", stdout);
}

static void put_fish_value(enum value value, const char *choices)
{
    if (value == VALUE_FILE || value == VALUE_MODEL)
        fputs(" -r -F", stdout);
    else if (value != VALUE_NONE)
        fputs(" -x", stdout);
    if (value == VALUE_WORDS) {
        fputs(" -a '", stdout);
        put_words(choices);
        fputs("'", stdout);
    }
}

static void put_fish_options(const struct command *c, const char *key)
{
    const ur_option *o;
    const char *const *kinds = opt_kinds(c);
    const char *kind = strchr(key, ':');
    for (int k = 0; (o = opt_row(c, k)) != NULL; k++) {
        char arg[UR__OPTION_MUST];
        printf("complete -c unroll -n '__fish_seen_subcommand_from %s", c->name);
        if (*kinds != NULL)
            printf("; and __unroll_kind %s %s %s", c->kinds->option, *kinds,
                   kind != NULL ? kind + 1 : *kinds);
        putchar('\'');
        if (o->letter != '\0')
            printf(" -s %c", o->letter);
        printf(" -l %s", o->name);
        put_fish_value(value_of(o), ur__option_arg(o, arg));
        put_fish_help(o->help);
    }
}

static void put_fish(const struct program *p)
{
    fputs("# Completion of unroll for fish, made by `unroll completion fish`.\n"
          "complete -c unroll -f\n\n"
          "# Is the option's value, USUAL where it is not given, NAME?\n"
          "function __unroll_kind --argument-names option usual name\n"
          "    set -l words (commandline -opc)\n    set -l value $usual\n    set -l last\n"
          "    for word in $words\n"
          "        test \"$last\" = --$option; and set value $word\n"
          "        string match -q -- \"--$option=*\" $word\n"
          "            and set value (string replace -r '^[^=]*=' '' -- $word)\n"
          "        set last $word\n    end\n    test \"$value\" = $name\nend\n\n", stdout);
    for (int i = 0; i < p->n_commands; i++) {
        const struct command *c = p->commands[i];
        enum value rest = value_of_words(c);
        printf("complete -c unroll -n __fish_use_subcommand -a %s", c->name);
        put_fish_help(c->brief);
        if (rest != VALUE_TEXT) {
            printf("complete -c unroll -n '__fish_seen_subcommand_from %s'", c->name);
            fputs(rest == VALUE_WORDS ? " -a '" : " -F\n", stdout);
            if (rest == VALUE_WORDS) {
                put_words(c->words);
                fputs("'\n", stdout);
            }
        }
    }
    each_kind(p, put_fish_options);
    fputs("complete -c unroll -n '__fish_seen_subcommand_from help' -a '", stdout);
    put_commands(p);
    fputs("'\n", stdout);
}

/* ---- the command ------------------------------------------------------- */

static const struct {
    const char *name;
    void (*put)(const struct program *p);
} shells[] = {
    {"bash", put_bash}, {"zsh", put_zsh}, {"fish", put_fish},
};

static int completion(void *values, const struct opt_words *words)
{
    (void)values;
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(words->word[0], shells[i].name) == 0) {
            shells[i].put(program_whole);
            return EXIT_DONE;
        }
    return fail(EXIT_USAGE, "unknown shell %s: must be one of %s", words->word[0],
                words->command->words);
}

const struct command cmd_completion = {
    .name = "completion",
    .words = "bash|zsh|fish",
    .brief = "print a completion script for a shell",
    .examples = examples,
    .notes = "make install puts these scripts where the shells look for them. bash finds it there "
             "with the package bash-completion; without, add source <(unroll completion bash) to "
             "~/.bashrc.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .min_words = 1,
    .max_words = 1,
    .size = sizeof(struct completion),
    .act = completion,
};
