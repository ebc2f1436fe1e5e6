/* SPDX-License-Identifier: MIT */
/* A network's options as a model file has them. */
#ifndef UR_TESTS_CONFIG_TEXT_H
#define UR_TESTS_CONFIG_TEXT_H

#include <string.h>

#include "base/status.h"
#include "io/option_json.h"
#include "unroll/model.h"

/* Appends to text. */
static inline ur_status config_text(const ur_options *c, struct ur__buf *text)
{
    struct ur__json *j = ur__json_new_object();
    ur__json_set_string(j, "arch", c->table->name);
    ur__options_to_json(c->table, ur__options_read(c), UR_OPTION_FREE, j);
    ur_status status = ur__json_dump(j, text);
    ur__json_free(j);
    return status;
}

static inline ur_status config_take(ur_options *c, const struct ur__json *j)
{
    const char *arch;
    if (!ur__json_get_string(j, "arch", &arch) || ur_config_init(c, arch) != UR_OK)
        return ur__fail(UR_EFORMAT, "configuration: \"arch\" is missing or impossible");
    UR__TRY(ur__options_from_json(c->table, j, "arch", ur__options_values(c)));
    return ur_config_check(c);
}

static inline ur_status config_parse(ur_options *c, const char *text, size_t n)
{
    struct ur__json *j;
    UR__TRY(ur__json_parse(&j, text, n));
    ur_status status = config_take(c, j);
    ur__json_free(j);
    return status;
}

#endif
