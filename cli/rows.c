/* SPDX-License-Identifier: MIT */
/* The options of a command: its own, and among them those of the library. */
#include <string.h>

#include "cli/fail.h"
#include "cli/opt.h"

static bool is_before(const struct command *c, int i)
{
    return i < c->first || c->more == NULL;
}

static int count_more(const struct command *c)
{
    int n = 0;
    while (c->more != NULL && c->more(n) != NULL)
        n++;
    return n;
}

int opt_rows(const struct command *c)
{
    return c->n_options + count_more(c);
}

const ur_option *opt_row(const struct command *c, int i)
{
    if (i >= 0 && !is_before(c, i)) {
        const ur_option *o = c->more(i - c->first);
        if (o != NULL)
            return o;
        i -= count_more(c);
    }
    return i >= 0 && i < c->n_options ? &c->options[i] : NULL;
}

bool opt_is_own(const struct command *c, int i)
{
    return is_before(c, i) || i >= c->first + count_more(c);
}

/* ---- which they are ---------------------------------------------------- */

const char *const *opt_kinds(const struct command *c)
{
    static const char *const none[] = {NULL};
    return c->kinds != NULL ? c->kinds->names() : none;
}

void opt_choose_kind(const struct command *c, const char *kind)
{
    if (kind != NULL)
        *c->kinds->chosen = kind;
}

static int choose(const struct command *c, const char *wanted)
{
    struct ur__buf list = {0};
    for (const char *const *name = opt_kinds(c); *name != NULL; name++) {
        if (strcmp(*name, wanted) == 0) {
            ur__buf_free(&list);
            opt_choose_kind(c, *name);
            return EXIT_DONE;
        }
        ur__buf_printf(&list, "%s%s", list.size > 0 ? "|" : "", *name);
    }
    int code = fail(EXIT_USAGE, "--%s %s: must be one of %s", c->kinds->option, wanted,
                    list.data != NULL ? list.data : "");
    ur__buf_free(&list);
    return code;
}

/* "--task NAME", "--task=NAME" */
int opt_choose(const struct command *c, int argc, char **argv)
{
    const char *wanted = NULL;
    if (c->kinds == NULL)
        return EXIT_DONE;
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        const char *at = argv[i] + strspn(argv[i], "-");
        size_t n = strlen(c->kinds->option);
        if (at == argv[i] || strncmp(at, c->kinds->option, n) != 0)
            continue;
        if (at[n] == '=')
            wanted = at + n + 1;
        else if (at[n] == '\0' && i + 1 < argc)
            wanted = argv[i + 1];
    }
    return choose(c, wanted != NULL ? wanted : opt_kinds(c)[0]);
}
