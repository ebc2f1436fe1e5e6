/* SPDX-License-Identifier: MIT */
/* Any text as a configuration. One that is possible is written and read back the same. */
#include "fuzz.h"

#include <string.h>

#include "base/mem.h"
#include "model/config.h"
#include "model/model.h"

static ur_status parse(ur_config *c, const char *text, size_t n)
{
    struct ur__json *j;
    ur_status status = ur__json_parse(&j, text, n);
    if (status == UR_OK)
        status = ur__config_parse(c, j);
    ur__json_free(j);
    return status == UR_OK ? ur_config_check(c) : status;
}

static ur_status work(const uint8_t *data, size_t size)
{
    ur_config c;
    char *text = NULL;
    ur_status status = parse(&c, (const char *)data, size);
    if (status == UR_OK)
        status = ur__config_text(&c, &text);
    ur__free(text);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ur_config c, back;
    fuzz_plan(&data, &size, work);
    fuzz_begin();
    ur_status status = parse(&c, (const char *)data, size);
    if (status != UR_OK) {
        fuzz_refused(status, size, size);
    } else {
        char *text, *again;
        FUZZ_CHECK(ur__config_text(&c, &text) == UR_OK);
        FUZZ_CHECK(parse(&back, text, strlen(text)) == UR_OK);
        FUZZ_CHECK(ur__config_text(&back, &again) == UR_OK);
        FUZZ_CHECK(strcmp(text, again) == 0);
        ur__free(text);
        ur__free(again);
    }
    fuzz_end();
    return 0;
}
