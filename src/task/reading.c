/* SPDX-License-Identifier: MIT */
#include "task/reading.h"

#include <string.h>

#include "base/option.h"
#include "base/status.h"

ur_status ur__options_set_reading(ur_options *o, unsigned flags, const char *name,
                                  const char *text)
{
    int row = ur__option_find(o->table, name, strlen(name));
    if (row < 0 || !(o->table->rows[row].flags & flags))
        return ur__fail(UR_EINVAL, "%.80s: task %s has no such option for files to be read", name,
                        o->table->name);
    return ur_options_set(o, name, text);
}

ur_status ur__options_set_measured(ur_options *o, const ur_eval_options *options)
{
    if (options->n_set > 0)
        UR__NEED(options->set, "set");
    for (int i = 0; i < options->n_set; i++) {
        UR__NEED(options->set[i].name, "set[i].name");
        UR__NEED(options->set[i].text, "set[i].text");
        UR__TRY(ur__options_set_reading(o, UR_OPTION_READS | UR_OPTION_READS_LABELS,
                                        options->set[i].name, options->set[i].text));
    }
    return UR_OK;
}
