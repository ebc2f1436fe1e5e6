/* SPDX-License-Identifier: MIT */
/* Any text as a configuration. One that is possible is written and read back the same. */
#include "fuzz.h"

#include <string.h>

#include "config_text.h"

/* Reads it as a model file's reader does, over the defaults. */
static ur_status work(const uint8_t *data, size_t size)
{
    ur_options c;
    struct ur__buf text = {0};
    ur_status status = config_parse(&c, (const char *)data, size);
    if (status == UR_OK)
        status = config_text(&c, &text);
    ur__buf_free(&text);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ur_options c, back;
    fuzz_plan(&data, &size, work);
    fuzz_begin();
    ur_status status = config_parse(&c, (const char *)data, size);
    if (status != UR_OK) {
        fuzz_refused(status, size, size);
    } else {
        struct ur__buf text = {0}, again = {0};
        FUZZ_CHECK(config_text(&c, &text) == UR_OK);
        FUZZ_CHECK(config_parse(&back, text.data, text.size) == UR_OK);
        FUZZ_CHECK(config_text(&back, &again) == UR_OK);
        FUZZ_CHECK(strcmp(text.data, again.data) == 0);
        ur__buf_free(&text);
        ur__buf_free(&again);
    }
    fuzz_end();
    return 0;
}
