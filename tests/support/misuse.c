/* SPDX-License-Identifier: MIT */
#include "testing.h"

#include "base/status.h"
#include "support/misuse.h"

static int cases;

void misuse_begin(void)
{
    ur__clear_error();
}

static void say(const char *what, const char *file, int line, const char *how)
{
    fail_msg("%s:%d: %s %s \"%s\"", file, line, what, how, ur_errmsg());
}

void misuse_refused(ur_status want, ur_status got, const char *what, const char *file, int line)
{
    cases++;
    if (got != want) {
        print_error("%s instead of %s\n", ur_status_name(got), ur_status_name(want));
        say(what, file, line, "has another status:");
    }
    if (strlen(ur_errmsg()) < 8)
        say(what, file, line, "does not say why:");
}

void misuse_nothing(bool something, const char *what, const char *file, int line)
{
    cases++;
    if (something)
        say(what, file, line, "gives something:");
    if (strlen(ur_errmsg()) < 8)
        say(what, file, line, "does not say why:");
}

void misuse_quiet(bool something, const char *what, const char *file, int line)
{
    cases++;
    if (something)
        say(what, file, line, "gives something:");
}

void misuse_total(int least)
{
    print_message("%d calls that make no sense\n", cases);
    if (cases < least)
        fail_msg("%d cases are too few", cases);
}
