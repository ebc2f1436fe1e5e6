/* SPDX-License-Identifier: MIT */
/* Manual pages from the table of options that --help shows, in the man(7) macros that
 * groff and mandoc share. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/fail.h"
#include "cli/opt.h"

/* When the words of these pages last changed. The day of a build would make two builds of
 * one source differ. */
static const char day[] = "2026-12-01";

/* Columns of the source: mandoc -Tlint asks for no more than 80. */
enum { SOURCE_WIDTH = 76 };

/* A line of a list: its head, and what it says. */
struct item {
    const char *head, *text;
};

/* ---- roff -------------------------------------------------------------- */

/* n bytes, shown letter for letter: no quote or dash becomes a typographic one, nothing
 * is taken for an escape or, at the start of a line, for a request. */
static int put(const char *text, size_t n)
{
    int width = 0;
    for (size_t i = 0; i < n;) {
        uint32_t code = (unsigned char)text[i];
        int length = ur__utf8_decode((const unsigned char *)text + i, n - i, &code);
        bool first = i == 0 || text[i - 1] == ' ';
        i += length > 0 ? (size_t)length : 1;
        switch (code) {
        case '\\': width += printf("\\e"); break;
        case '-': width += printf("\\-"); break;
        case '\'': width += printf("\\(aq"); break;
        case '"': width += printf("\\(dq"); break;
        case '`': width += printf("\\(ga"); break;
        case '^': width += printf("\\(ha"); break;
        case '~': width += printf("\\(ti"); break;
        case '.': width += printf(first ? "\\&." : "."); break;
        default:
            if (code < 0x80)
                width += printf("%c", (int)code);
            else
                width += printf("\\[u%04X]", (unsigned)code);
        }
    }
    return width;
}

static void put_all(const char *text)
{
    put(text, strlen(text));
}

/* Text to fill: lines of source end between words, and after a sentence, whose space is
 * the formatter's matter. */
static void put_prose(const char *text)
{
    int at = 0;
    text += strspn(text, " ");
    while (*text != '\0') {
        size_t n = strcspn(text, " ");
        if (at > 0)
            at += printf(" ");
        at += put(text, n);
        bool sentence = text[n - 1] == '.' && text[n] != '\0';
        text += n;
        text += strspn(text, " ");
        if (*text != '\0' && (sentence || at + (int)strcspn(text, " ") > SOURCE_WIDTH)) {
            putchar('\n');
            at = 0;
        }
    }
    putchar('\n');
}

/* "speed on this machine" as a sentence. */
static void put_sentence(const char *text)
{
    char whole[256];
    snprintf(whole, sizeof whole, "%c%s.", toupper((unsigned char)text[0]), text + 1);
    put_prose(whole);
}

/* "MODEL [FILE]", "N[,N...]": capitals stand for something. */
static void put_words(const char *words)
{
    while (*words != '\0') {
        size_t n = 0;
        while (isupper((unsigned char)words[n]))
            n++;
        if (n > 0)
            printf("\\fI%.*s\\fR", (int)n, words);
        else
            put(words, n = 1);
        words += n;
    }
}

/* "a|b|c": words that are written as they stand. */
static void put_choices(const char *choices)
{
    while (*choices != '\0') {
        size_t n = strcspn(choices, "|");
        printf("\\fB");
        put(choices, n);
        printf("\\fR%s", choices[n] == '|' ? "|" : "");
        choices += n + (choices[n] == '|');
    }
}

static void put_section(const char *name)
{
    printf(".SH %s\n", name);
}

static void put_items(const struct item *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        printf(".TP\n.B ");
        put_all(items[i].head);
        putchar('\n');
        put_prose(items[i].text);
    }
}

/* ---- sections ---------------------------------------------------------- */

static void put_head(const struct command *c, const char *brief)
{
    printf(".TH UNROLL");
    for (const char *p = c != NULL ? c->name : ""; *p != '\0'; p++)
        printf("%s%c", p == c->name ? "\\-" : "", toupper((unsigned char)*p));
    printf(" 1 %s \"unroll %s\"\n", day, ur_version());
    put_section("NAME");
    printf("unroll");
    if (c != NULL) {
        printf("\\-");
        put_all(c->name);
    }
    printf(" \\- ");
    put_prose(brief);
}

static void put_examples(const char *const *examples)
{
    put_section("EXAMPLES");
    for (int i = 0; examples[i] != NULL; i++) {
        printf("%s.RS 4\n.EX\n", i > 0 ? ".PP\n" : "");
        put_all(examples[i]);
        printf("\n.EE\n.RE\n");
    }
}

static const char *default_of(const ur_option *o)
{
    return o->shown != NULL ? o->shown : o->fallback;
}

static void put_option(const ur_option *o)
{
    printf(".TP\n");
    if (o->letter != '\0')
        printf("\\fB\\-%c\\fR, ", o->letter);
    printf("\\fB\\-\\-");
    put_all(o->name);
    printf("\\fR");
    char room[UR__OPTION_MUST];
    const char *arg = ur__option_arg(o, room);
    if (arg[0] != '\0') {
        putchar(' ');
        if (o->kind == UR_OPTION_WORD || o->kind == UR_OPTION_SECONDS || o->words != NULL)
            put_choices(arg);
        else
            put_words(arg);
    }
    putchar('\n');
    char text[512];
    const char *shown = default_of(o);
    snprintf(text, sizeof text, shown != NULL ? "%s (default %s)" : "%s", o->help, shown);
    put_prose(text);
}

static void put_subsection(const char *name)
{
    printf(".SS %c", toupper((unsigned char)name[0]));
    put_all(name + 1);
    putchar('\n');
}

/* ---- options of another kind ------------------------------------------- */

enum { MOST_ROWS = 256 };

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Of n rows the one that says all that this one says; or, with by_name, that has its name. */
static const ur_option *find_row(const ur_option *rows, int n, const ur_option *o, bool by_name)
{
    char a[UR__OPTION_MUST], b[UR__OPTION_MUST];
    for (int i = 0; i < n; i++)
        if (strcmp(rows[i].name, o->name) == 0)
            return by_name || (same_text(rows[i].help, o->help) &&
                               same_text(default_of(&rows[i]), default_of(o)) &&
                               same_text(ur__option_arg(&rows[i], a), ur__option_arg(o, b)))
                ? &rows[i] : NULL;
    return NULL;
}

static int copy_rows(const struct command *c, ur_option rows[MOST_ROWS])
{
    const ur_option *o;
    int n = 0;
    for (; n < MOST_ROWS && (o = opt_row(c, n)) != NULL; n++)
        rows[n] = *o;
    return n;
}

/* Rows that are new or say something else than the usual ones, and which of these are not there. */
static void put_kind(const struct command *c, const char *kind, const ur_option *usual, int n_usual)
{
    static ur_option rows[MOST_ROWS];
    char head[128];
    opt_choose_kind(c, kind);
    int n = copy_rows(c, rows);
    snprintf(head, sizeof head, "with --%s %s", c->kinds->option, kind);
    put_subsection(head);
    put_sentence(c->kinds->brief(kind));
    put_prose("What is new, or differs from the above:");
    for (int i = 0; i < n; i++)
        if (find_row(usual, n_usual, &rows[i], false) == NULL)
            put_option(&rows[i]);
    bool all = true;
    for (int i = 0; i < n_usual; i++)
        if (find_row(rows, n, &usual[i], true) == NULL) {
            printf("%s\\fB\\-\\-", all ? ".PP\nIt has no\n" : ",\n");
            put_all(usual[i].name);
            printf("\\fR");
            all = false;
        }
    fputs(all ? "" : ".\n", stdout);
}

static void put_kinds(const struct command *c)
{
    static ur_option usual[MOST_ROWS];
    const char *const *kind = opt_kinds(c);
    if (*kind == NULL)
        return;
    int n = copy_rows(c, usual);
    for (kind++; *kind != NULL; kind++)
        put_kind(c, *kind, usual, n);
    opt_choose_kind(c, opt_kinds(c)[0]);
}

static void put_options(const struct command *c)
{
    put_section("OPTIONS");
    const ur_option *o;
    const char *group = "";
    for (int i = 0; (o = opt_row(c, i)) != NULL; i++) {
        if (o->group != NULL && strcmp(o->group, group) != 0)
            put_subsection(group = o->group);
        put_option(o);
    }
    char aliases[HELP_ALIASES];
    if (help_aliases(c, aliases)) {
        printf(".PP\n");
        put_prose(aliases);
    }
    put_kinds(c);
}

static void put_exit_status(void)
{
    static const struct {
        int code;
        const char *meaning;
    } row[] = {
        {EXIT_DONE, "done"},
        {EXIT_FAILED, "failed"},
        {EXIT_USAGE, "unknown or invalid options"},
        {EXIT_INPUT, "an input is missing, unreadable, malformed or too short"},
        {EXIT_MEMORY, "out of memory"},
        {EXIT_OUTPUT, "an output cannot be written, exists already, or is a file that is read"},
        {EXIT_DIVERGED, "training diverged"},
    };
    put_section("EXIT STATUS");
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        printf(".TP\n.B %d\n", row[i].code);
        put_prose(row[i].meaning);
    }
    printf(".TP\n.BI %d+ n\nended by signal\n.I n\n", EXIT_SIGNAL);
    printf(".PP\n");
    put_prose("A failure is explained by one line on standard error.");
}

static void put_environment(void)
{
    static const struct item items[] = {
        {"UNROLL_ISA", "Kernels to use: avx512, avx2, neon or scalar. The default is the fastest "
                       "that this machine supports; an unsupported one is a usage error. They "
                       "change speed, never results."},
        {"NO_COLOR", "If set and not empty, nothing is coloured without --color always."},
        {"TERM, COLORTERM", "How many colours there are: with COLORTERM=truecolor or 24bit all, "
                            "with 256color in TERM 256, else 16. Where TERM is dumb or unset, "
                            "none, and no line is redrawn."},
        {"COLUMNS", "Width of reports where standard error is not a terminal (default: none)."},
        {"TMPDIR", "Where scratch files are made (default /tmp)."},
    };
    put_section("ENVIRONMENT");
    put_items(items, sizeof items / sizeof items[0]);
}

/* For commands that train or read a model. */
static void put_files(bool trains, bool reads)
{
    static const struct item items[] = {
        {"MODEL.safetensors", "The model that was best on the held-out part. Nothing else is "
                              "needed to use it."},
        {"MODEL.last.safetensors", "The model after the last step of training."},
        {"MODEL.state, MODEL.state.1", "The training state that --resume continues from, and the "
                                       "one before."},
    };
    if (!trains && !reads)
        return;
    put_section("FILES");
    put_items(items, trains ? sizeof items / sizeof items[0] : 1);
}

/* The other pages; self NULL: this one is the program's. */
static void put_see_also(const struct program *program, const struct command *self)
{
    put_section("SEE ALSO");
    if (self != NULL)
        printf(".BR unroll (1)%s\n", program->n_commands > 1 ? "," : "");
    int left = program->n_commands - (self != NULL);
    for (int i = 0; i < program->n_commands; i++) {
        if (program->commands[i] == self)
            continue;
        printf(".BR unroll\\-");
        put_all(program->commands[i]->name);
        printf(" (1)%s\n", --left > 0 ? "," : "");
    }
}

/* ---- pages ------------------------------------------------------------- */

void man_command(const struct program *program, const struct command *c)
{
    put_head(c, c->brief);
    put_section("SYNOPSIS");
    printf(".B unroll ");
    put_all(c->name);
    printf("\n[\\fIOPTIONS\\fR]");
    if (c->words[0] != '\0')
        putchar(' ');
    put_words(c->words);
    putchar('\n');
    put_section("DESCRIPTION");
    put_sentence(c->brief);
    if (c->notes != NULL)
        put_prose(c->notes);
    put_examples(c->examples);
    put_options(c);
    put_exit_status();
    put_environment();
    put_files(opt_has(c, "resume"), strstr(c->words, "MODEL") != NULL);
    put_see_also(program, c);
}

void man_program(const struct program *program)
{
    static const struct item options[] = {
        {"-h, --help", "List the commands; after a command, describe it."},
        {"-V, --version", "Show the version."},
        {"help [--man] [COMMAND]", "The same as --help; with --man, as a manual page."},
    };
    put_head(NULL, program->brief);
    put_section("SYNOPSIS");
    printf(".B unroll\n\\fICOMMAND\\fR ...\n");
    put_section("DESCRIPTION");
    printf(".B unroll\ntrains recurrent neural networks, uses them, measures them and shows what\n"
           "goes on in them.\nEach command has a page of its own.\n");
    for (int i = 0; i < program->n_commands; i++) {
        const struct command *c = program->commands[i];
        printf(".TP\n\\fB");
        put_all(c->name);
        printf("\\fR%s", c->words[0] != '\0' ? " " : "");
        put_words(c->words);
        putchar('\n');
        put_prose(c->brief);
    }
    printf(".PP\n");
    put_prose("Results go to standard output, all else to standard error. Texts compressed "
              "by gzip are read as their content, and those that begin with a byte order mark "
              "without it; - stands for standard input.");
    printf(".PP\n");
    put_prose("An option is written --name value, --name=value or -name value, with _ or - "
              "between its words. Of an option given twice the last counts; -- ends the options.");
    put_examples(program->examples);
    put_section("OPTIONS");
    put_items(options, sizeof options / sizeof options[0]);
    put_exit_status();
    put_environment();
    put_files(true, true);
    put_see_also(program, NULL);
}
