/* SPDX-License-Identifier: MIT */
#include "cli/reads.h"

#include <string.h>

#include "base/status.h"
#include "cli/fail.h"
#include "unroll/task.h"

static bool was_there(const ur_option *rows, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(rows[i].name, name) == 0)
            return true;
    return false;
}

const ur_option *reads_row(unsigned flags, int i)
{
    static ur_option rows[READS_MOST];
    const ur_option *o;
    int n = 0;
    for (const char *const *task = ur_task_names(); *task != NULL && n < READS_MOST; task++)
        for (int k = 0; (o = ur_train_option(*task, k)) != NULL && n < READS_MOST; k++)
            if ((o->flags & flags) != 0 && !was_there(rows, n, o->name)) {
                rows[n] = *o;
                rows[n].group = n == 0 ? "files of examples" : NULL;
                if ((o->flags & UR_OPTION_READS) != 0)
                    rows[n].shown = "as in training";
                if (n++ == i)
                    return &rows[i];
            }
    return NULL;
}

ur_status reads_set(struct reads *reads, const char *name, const char *text)
{
    if (reads->n == READS_MOST)
        return ur__fail(UR_EINVAL, "%s: more than %d such options", name, READS_MOST);
    reads->set[reads->n++] = (ur_setting){name, text};
    return UR_OK;
}

int reads_spare(const struct reads *reads, unsigned flags)
{
    const ur_option *o;
    int code = EXIT_DONE;
    for (int i = 0; i < reads->n; i++)
        for (int k = 0; (o = reads_row(flags, k)) != NULL && code == EXIT_DONE; k++)
            if (o->arg != NULL && strcmp(o->arg, "FILE") == 0 &&
                strcmp(o->name, reads->set[i].name) == 0)
                code = spare_input(reads->set[i].text);
    return code;
}
