/* SPDX-License-Identifier: MIT */
/* Any bytes as JSON. What is read is written, and read and written again it is the same
 * text. */
#include "fuzz.h"

#include <string.h>

#include "io/json.h"

static ur_status visit(void *user, const char *key, const struct ur__json *value)
{
    FUZZ_CHECK(ur__is_utf8(key) && value);
    FUZZ_CHECK(ur__json_get(user, key) == value);
    return UR_OK;
}

static void look(const struct ur__json *j)
{
    struct ur__buf a = {0}, b = {0};
    struct ur__json *again;
    FUZZ_CHECK(ur__json_dump(j, &a) == UR_OK);
    FUZZ_CHECK(ur__is_utf8(a.data) && strlen(a.data) == a.size);
    ur_status status = ur__json_parse(&again, a.data, a.size);
    FUZZ_CHECK(status == UR_OK);
    FUZZ_CHECK(ur__json_dump(again, &b) == UR_OK && strcmp(a.data, b.data) == 0);
    if (ur__json_is_object(j) && ur__json_size(j) < 64)
        FUZZ_CHECK(ur__json_each(j, visit, (void *)(uintptr_t)j) == UR_OK);
    ur__json_free(again);
    ur__buf_free(&a);
    ur__buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ur__json *j;
    fuzz_begin();
    ur_status status = ur__json_parse(&j, (const char *)data, size);
    if (status == UR_OK)
        look(j);
    else
        fuzz_refused(status, size, size);
    ur__json_free(j);
    fuzz_end();
    return 0;
}
