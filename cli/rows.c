/* SPDX-License-Identifier: MIT */
/* The options of a command: its own, and among them those of the library. */
#include <stddef.h>

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
