/* SPDX-License-Identifier: MIT */
/* Any text as the options that a state was saved with, against those of a run: a refusal
 * is a sentence; a text goes on with itself. Behind the text, after a zero byte, stand the
 * options of the run, a byte each; what is missing is as usual. */
#include "fuzz.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "io/json.h"
#include "support/heap.h"
#include "train/identity.h"

struct run {
    ur_train_options options;
    struct ur__facts facts;
    struct ur__progress progress;
};

static void choose(struct run *r, const uint8_t *at, size_t n)
{
    ur_train_options *o = &r->options;
    *r = (struct run){.options = UR_TRAIN_OPTIONS_INIT, .facts = {.epoch_steps = 7}};
    for (size_t i = 0; i < n; i++) {
        int value = at[i];
        switch (i) {
        case 0: o->optimizer.kind = (ur_optimizer_kind)(value % 5); break;
        case 1: o->seed = value & 1 ? UINT64_MAX - (uint64_t)value : (uint64_t)value; break;
        case 2: o->config.tokens = (ur_token_kind)(value & 3); break;
        case 3: o->val_file = value & 1 ? "held-out.txt" : NULL; break;
        case 4: o->epochs = value == 255 ? HUGE_VAL : value / 4.0; break;
        case 5: o->steps = value - 1; break;
        case 6: o->seconds = value; break;
        case 7: o->lr = value / 256.0; break;
        case 8: o->schedule = (ur_schedule_kind)(value & 3); break;
        case 9: o->config.cell = (ur_cell)(value % 3); break;
        case 10: o->min_count = value; break;
        case 11: r->progress.loss_items = value; break;
        case 12: r->progress.loss_sum = value == 255 ? HUGE_VAL : value / 3.0; break;
        case 13: r->facts.data_bytes = (uint64_t)value << 40; break;
        default: r->progress.step = value; break;
        }
    }
}

static ur_status write(const struct run *r, struct ur__buf *identity, struct ur__buf *summary)
{
    const ur_train_options *o = &r->options;
    ur_status status = ur__identity_text(o, &o->optimizer, identity);
    if (status == UR_OK)
        status = ur__summary_text(o, &o->optimizer, &r->facts, &r->progress, summary);
    return status;
}

/* The summary has what the run had. */
static void look_at(const struct run *r, const struct ur__buf *summary)
{
    struct ur__json *j;
    int64_t step, seed;
    const char *text;
    FUZZ_CHECK(ur__json_parse(&j, summary->data, summary->size) == UR_OK);
    FUZZ_CHECK(ur__json_get_int(j, "step", &step) && step == r->progress.step);
    if (ur__json_get_int(j, "seed", &seed))
        FUZZ_CHECK((uint64_t)seed == r->options.seed);
    else
        FUZZ_CHECK(ur__json_get_string(j, "seed", &text) && r->options.seed > INT64_MAX);
    FUZZ_CHECK((ur__json_get(j, "val_bytes") != NULL) == (r->options.val_file != NULL));
    ur__json_free(j);
}

/* Where the text ends and the options begin. */
static size_t text_size(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    return zero ? (size_t)(zero - data) : size;
}

static ur_status work(const uint8_t *data, size_t size)
{
    size_t n = text_size(data, size);
    struct ur__buf now = {0}, summary = {0};
    struct run r;
    choose(&r, data + n + 1, n < size ? size - n - 1 : 0);
    char *text = ur__strndup((const char *)data, n);
    ur_status status = text ? write(&r, &now, &summary) : UR_ENOMEM;
    if (status == UR_OK)
        status = ur__identity_compare(text, now.data);
    ur__buf_free(&now);
    ur__buf_free(&summary);
    ur__free(text);
    return status;
}

/* Written once: reals take the most time of an input. */
static const char *usual(void)
{
    static struct ur__buf text, summary;
    struct run r;
    choose(&r, NULL, 0);
    if (!text.data)
        FUZZ_CHECK(write(&r, &text, &summary) == UR_OK);
    return text.data;
}

static void compare(const char *text, size_t n, const char *now)
{
    ur_status status = ur__identity_compare(text, now);
    if (status != UR_OK)
        fuzz_refused(status, n, n);
    if (status == UR_OK || status == UR_EINVAL)     /* it is JSON */
        FUZZ_CHECK(ur__identity_compare(text, text) == UR_OK);
}

static void compare_chosen(const char *text, size_t n, const uint8_t *at, size_t n_options)
{
    struct ur__buf now = {0}, summary = {0};
    struct run r;
    choose(&r, at, n_options);
    FUZZ_CHECK(write(&r, &now, &summary) == UR_OK);
    look_at(&r, &summary);
    heap_mark();
    compare(text, n, now.data);
    FUZZ_CHECK(ur__identity_compare(now.data, now.data) == UR_OK);
    ur__buf_free(&now);
    ur__buf_free(&summary);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_plan(&data, &size, work);
    size_t n = text_size(data, size);
    const char *now = usual();
    fuzz_begin();
    char *text = ur__strndup((const char *)data, n);
    FUZZ_CHECK(text != NULL);
    if (n < size)
        compare_chosen(text, n, data + n + 1, size - n - 1);
    else
        compare(text, n, now);
    ur__free(text);
    fuzz_end();
    return 0;
}
