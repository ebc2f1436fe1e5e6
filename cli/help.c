/* SPDX-License-Identifier: MIT */
/* What --help prints, from the table of options; and which word was probably meant. */
#include <stdio.h>
#include <string.h>

#include "cli/opt.h"

const struct program *program_whole;

const char *program_call = "unroll";

/* Names of char-rnn, torch-rnn and others, so that old command lines work. */
const char *const opt_aliases[][2] = {
    {"hidden-size", "hidden"},
    {"rnn-size", "hidden"},
    {"num-layers", "layers"},
    {"batch-size", "batch"},
    {"max-epochs", "epochs"},
    {"learning-rate", "lr"},
    {"primetext", "prime"},
    {"prompt", "prime"},
    {"attention", "plot"},     /* of predict: where a translation looked */
    {NULL, NULL},
};

enum { HELP_COLUMN = 30, HELP_WIDTH = 80 };

/* ---- which word was meant ---------------------------------------------- */

enum { WORD_MAX = 40 };

/* How many letters to change, add, drop or swap to make a into b: optimal string alignment
 * (Damerau 1964, with each letter moved at most once). */
static int distance_of(const char *a, const char *b)
{
    int n = (int)strlen(a), m = (int)strlen(b);
    if (n > WORD_MAX || m > WORD_MAX)
        return n > m ? n : m;
    int row[3][WORD_MAX + 1];    /* rows i−2, i−1 and i of the table */
    for (int j = 0; j <= m; j++)
        row[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *now = row[i % 3];
        const int *before = row[(i + 2) % 3], *earlier = row[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= m; j++) {
            int best = before[j - 1] + (a[i - 1] != b[j - 1]);
            if (before[j] + 1 < best)
                best = before[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                earlier[j - 2] + 1 < best)
                best = earlier[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[n % 3][m];
}

void help_nearest_begin(struct help_nearest *near, const char *word)
{
    size_t length = strlen(word);
    *near = (struct help_nearest){.word = word, .best = length < 4 ? 1 : length < 8 ? 2 : 3};
}

void help_nearest_try(struct help_nearest *near, const char *name)
{
    /* The beginning of a name is as good as one wrong letter. */
    size_t length = strlen(near->word);
    bool begins = length >= 3 && strncmp(near->word, name, length) == 0;
    int distance = begins ? 1 : distance_of(near->word, name);
    if (distance < near->best || (distance == near->best && near->name == NULL)) {
        near->best = distance;
        near->name = name;
    }
}

/* ---- help -------------------------------------------------------------- */

/* Prints text from `column` on, broken at spaces, and ends the line. */
static void print_wrapped(const char *text, int column)
{
    int at = column;
    while (*text != '\0') {
        size_t length = strcspn(text, " ");
        if (at > column && at + (int)length + 1 > HELP_WIDTH) {
            printf("\n%*s", column, "");
            at = column;
        } else if (at > column) {
            putchar(' ');
            at++;
        }
        fwrite(text, 1, length, stdout);
        at += (int)length;
        text += length;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void print_option(const ur_option *o)
{
    char left[256], right[512], room[UR__OPTION_MUST];
    char letter[8] = "";
    if (o->letter != '\0')
        snprintf(letter, sizeof letter, "-%c, ", o->letter);
    const char *arg = ur__option_arg(o, room);
    snprintf(left, sizeof left, "  %s--%s%s%.160s", letter, o->name, arg[0] != '\0' ? " " : "",
             arg);
    const char *shown = o->shown != NULL ? o->shown : o->fallback;
    if (shown != NULL)
        snprintf(right, sizeof right, "%s (%s)", o->help, shown);
    else
        snprintf(right, sizeof right, "%s", o->help);

    int width = printf("%s", left);
    if (width > HELP_COLUMN - 2)
        printf("\n%*s", HELP_COLUMN, "");
    else
        printf("%*s", HELP_COLUMN - width, "");
    print_wrapped(right, HELP_COLUMN);
}

bool opt_has(const struct command *command, const char *name)
{
    const ur_option *o;
    for (int i = 0; (o = opt_row(command, i)) != NULL; i++)
        if (strcmp(o->name, name) == 0)
            return true;
    return false;
}

/* "Also: --hidden-size and --rnn-size for --hidden, ..." */
bool help_aliases(const struct command *command, char text[HELP_ALIASES])
{
    size_t used = 0;
    for (int i = 0; opt_aliases[i][0] != NULL; i++) {
        const char *name = opt_aliases[i][1], *next = opt_aliases[i + 1][1];
        if (!opt_has(command, name))
            continue;
        used += (size_t)snprintf(text + used, HELP_ALIASES - used, "%s--%s",
                                 used > 0 ? " " : "Also: ", opt_aliases[i][0]);
        if (next != NULL && strcmp(next, name) == 0)
            used += (size_t)snprintf(text + used, HELP_ALIASES - used, " and");
        else
            used += (size_t)snprintf(text + used, HELP_ALIASES - used, " for --%s,", name);
    }
    if (used > 0)
        text[used - 1] = '.';
    return used > 0;
}

/* Is the example one of the rows at hand? All are while they are the usual ones. */
static bool is_shown(const struct command *c, const char *example)
{
    char word[64];
    if (c->kinds == NULL || *c->kinds->chosen == opt_kinds(c)[0])
        return true;
    snprintf(word, sizeof word, "--%s %s", c->kinds->option, *c->kinds->chosen);
    const char *at = strstr(example, word);
    return at != NULL && strchr(" ", at[strlen(word)]) != NULL;
}

/* "unroll train --task tag" */
static void print_call(const struct command *c)
{
    printf("unroll %s", c->name);
    if (c->kinds != NULL && *c->kinds->chosen != opt_kinds(c)[0])
        printf(" --%s %s", c->kinds->option, *c->kinds->chosen);
}

bool help_kinds(const struct command *c, char text[HELP_KINDS])
{
    if (c->kinds == NULL)
        return false;
    size_t used = (size_t)snprintf(text, HELP_KINDS, "These are the options and defaults of --%s "
                                   "%s. For those of another: unroll %s --%s ", c->kinds->option,
                                   *c->kinds->chosen, c->name, c->kinds->option);
    const char *between = "";
    for (const char *const *kind = opt_kinds(c); *kind != NULL && used < HELP_KINDS; kind++)
        if (*kind != *c->kinds->chosen) {
            used += (size_t)snprintf(text + used, HELP_KINDS - used, "%s%s", between, *kind);
            between = "|";
        }
    if (used < HELP_KINDS)
        snprintf(text + used, HELP_KINDS - used, " --help");
    return true;
}

static void print_head(const struct command *c)
{
    char text[HELP_KINDS];
    bool usual = c->kinds == NULL || *c->kinds->chosen == opt_kinds(c)[0];
    print_call(c);
    printf(": %s\n\n", usual ? c->brief : c->kinds->brief(*c->kinds->chosen));
    int shown = 0;
    for (int i = 0; c->examples[i] != NULL; i++)
        if (is_shown(c, c->examples[i]))
            shown += printf("  %s\n", c->examples[i]) > 0;
    printf("%susage: ", shown > 0 ? "\n" : "");
    print_call(c);
    printf(" [OPTIONS]%s%s\n", c->words[0] != '\0' ? " " : "", c->words);
    if (help_kinds(c, text)) {
        putchar('\n');
        print_wrapped(text, 0);
    }
}

void help_command(const struct command *command)
{
    char aliases[HELP_ALIASES];
    print_head(command);
    const ur_option *o;
    const char *group = "";
    for (int i = 0; (o = opt_row(command, i)) != NULL; i++) {
        if (o->group != NULL && strcmp(o->group, group) != 0)
            printf("\n%s\n", group = o->group);
        else if (i == 0)
            putchar('\n');
        print_option(o);
    }
    if (help_aliases(command, aliases)) {
        putchar('\n');
        print_wrapped(aliases, 0);
    }
    if (command->notes != NULL) {
        putchar('\n');
        print_wrapped(command->notes, 0);
    }
}
