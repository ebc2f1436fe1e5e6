/* SPDX-License-Identifier: MIT */
/* Any text as the options that a state was saved with, against those of a run: a refusal
 * is a sentence; a text goes on with itself. */
#include "fuzz.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "train/identity.h"

static const char *now(void)
{
    static struct ur__buf text;
    ur_train_options o = UR_TRAIN_OPTIONS_INIT;
    ur_optimizer_options full = o.optimizer;
    if (!text.data)
        FUZZ_CHECK(ur__identity_text(&o, &full, &text) == UR_OK);
    return text.data;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_start();
    const char *other = now();
    fuzz_begin();
    char *text = ur__strndup((const char *)data, size);
    FUZZ_CHECK(text != NULL);
    ur_status status = ur__identity_compare(text, other);
    if (status != UR_OK)
        fuzz_refused(status, size, size);
    if (status == UR_OK || status == UR_EINVAL)     /* it is JSON */
        FUZZ_CHECK(ur__identity_compare(text, text) == UR_OK);
    ur__free(text);
    fuzz_end();
    return 0;
}
