/* SPDX-License-Identifier: MIT */
/* Any text as the options that a state was saved with, against those of a run: a refusal
 * is a sentence; a text goes on with itself. Behind the text, after a zero byte, stand the
 * options of the run, a byte each; what is missing is as usual. */
#include "fuzz.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/vocab.h"
#include "io/json.h"
#include "support/heap.h"
#include "support/settings.h"
#include "train/identity.h"
#include "train/run.h"
#include "train/summary.h"

/* A net of three bytes with the options that were chosen, and its optimizer. */
static ur_status open_run(struct ur__run *r)
{
    static const uint32_t codes[] = {97, 98, 99};
    ur_vocab *vocab;
    UR__TRY(ur__vocab_new(&vocab, UR_TOKEN_BYTE, 3, codes));
    ur_status status = ur_model_new(&r->model, &r->own.net, 1, &vocab, 1);
    if (status != UR_OK) {
        ur_vocab_free(vocab);
        return status;
    }
    return ur_optimizer_new(&r->optimizer, ur_model_params(r->model), &r->own.optimizer, NULL);
}

static void close_run(struct ur__run *r)
{
    ur_optimizer_free(r->optimizer);
    ur_model_free(r->model);
}

static ur_status choose(struct ur__run *r, const uint8_t *at, size_t n)
{
    static const char *const cells[] = {"rnn", "lstm", "gru"};
    static const char *const tokens[] = {"byte", "char", "word", "wordpunct"};
    *r = (struct ur__run){
        .own = run_of("lm", "batch=64 epochs=50 lr=0.002 layers=1 hidden=2"), .best = "loss",
        .facts = {.epoch_steps = 7, .n_sources = 1, .source = {{"data", 0, 0}, {"val", 5, 6}}},
    };
    ur_train_options *o = &r->own;
    r->options = o;
    for (size_t i = 0; i < n; i++) {
        int value = at[i];
        switch (i) {
        case 0: o->optimizer.kind = (ur_optimizer_kind)(value % 5); break;
        case 1: o->seed = value & 1 ? UINT64_MAX - (uint64_t)value : (uint64_t)value; break;
        case 2: FUZZ_CHECK(ur_train_set(o, "tokens", tokens[value & 3]) == UR_OK); break;
        case 3:
            o->val_file = value & 1 ? "held-out.txt" : NULL;
            r->facts.n_sources = o->val_file ? 2 : 1;
            break;
        case 4: o->epochs = value == 255 ? HUGE_VAL : value / 4.0; break;
        case 5: o->steps = value - 1; break;
        case 6: o->seconds = value; break;
        case 7: o->lr = value / 256.0; break;
        case 8: o->schedule = (ur_schedule_kind)(value & 3); break;
        case 9: FUZZ_CHECK(ur_train_set(o, "cell", cells[value % 3]) == UR_OK); break;
        case 10: r->best = value & 1 ? "accuracy" : "loss"; break;
        case 11: r->progress.loss_items = value; break;
        case 12: r->progress.loss_sum = value == 255 ? HUGE_VAL : value / 3.0; break;
        case 13: r->facts.source[0].bytes = (uint64_t)value << 40; break;
        default: r->progress.step = value; break;
        }
    }
    return open_run(r);
}

static ur_status write(const struct ur__run *r, struct ur__buf *identity, struct ur__buf *summary)
{
    ur_status status = ur__identity_text(r, identity);
    return status == UR_OK ? ur__summary_text(r, summary) : status;
}

/* The summary has what the run had. */
static void look_at(const struct ur__run *r, const struct ur__buf *summary)
{
    struct ur__json *j;
    int64_t step, seed;
    const char *text;
    FUZZ_CHECK(ur__json_parse(&j, summary->data, summary->size) == UR_OK);
    FUZZ_CHECK(ur__json_get_int(j, "step", &step) && step == r->progress.step);
    if (ur__json_get_int(j, "seed", &seed))
        FUZZ_CHECK((uint64_t)seed == r->own.seed);
    else
        FUZZ_CHECK(ur__json_get_string(j, "seed", &text) && r->own.seed > INT64_MAX);
    FUZZ_CHECK((ur__json_get(j, "val_bytes") != NULL) == (r->own.val_file != NULL));
    ur__json_free(j);
}

/* Where the text ends and the options begin. */
static size_t text_size(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    return zero ? (size_t)(zero - data) : size;
}

/* The task has no text among its options, so nothing of the document is kept. */
static ur_status apply(const char *text, ur_train_options *o)
{
    struct ur__json *then;
    char best[UR__BEST_NAME];
    UR__TRY(ur__json_parse(&then, text, strlen(text)));
    ur__identity_best(then, best);
    FUZZ_CHECK(strlen(best) < sizeof best);
    ur_status status = ur__identity_apply(then, o);
    ur__json_free(then);
    return status;
}

static ur_status work(const uint8_t *data, size_t size)
{
    size_t n = text_size(data, size);
    struct ur__buf now = {0}, summary = {0};
    struct ur__run r;
    ur_status status = choose(&r, data + n + 1, n < size ? size - n - 1 : 0);
    char *text = ur__strndup((const char *)data, n);
    if (status == UR_OK)
        status = text ? write(&r, &now, &summary) : UR_ENOMEM;
    if (status == UR_OK)
        status = ur__identity_compare(text, now.data);
    if (status == UR_OK)
        status = apply(text, &r.own);
    ur__buf_free(&now);
    ur__buf_free(&summary);
    ur__free(text);
    close_run(&r);
    return status;
}

/* Written once: reals take the most time of an input. */
static const char *usual(void)
{
    static struct ur__buf text, summary;
    struct ur__run r;
    if (text.data)
        return text.data;
    FUZZ_CHECK(choose(&r, NULL, 0) == UR_OK);
    FUZZ_CHECK(write(&r, &text, &summary) == UR_OK);
    close_run(&r);
    return text.data;
}

static void compare(const char *text, size_t n, const char *now)
{
    ur_status status = ur__identity_compare(text, now);
    if (status != UR_OK)
        fuzz_refused(status, n, n);
    if (status == UR_OK || status == UR_EINVAL)     /* it is JSON */
        FUZZ_CHECK(ur__identity_compare(text, text) == UR_OK);
    ur_train_options o = run_of("lm", "");
    status = apply(text, &o);      /* what it takes is possible for itself */
    if (status != UR_OK)
        fuzz_refused(status, n, n);
}

static void compare_chosen(const char *text, size_t n, const uint8_t *at, size_t n_options)
{
    struct ur__buf now = {0}, summary = {0};
    struct ur__run r;
    FUZZ_CHECK(choose(&r, at, n_options) == UR_OK);
    FUZZ_CHECK(write(&r, &now, &summary) == UR_OK);
    look_at(&r, &summary);
    heap_mark();
    compare(text, n, now.data);
    FUZZ_CHECK(ur__identity_compare(now.data, now.data) == UR_OK);
    ur__buf_free(&now);
    ur__buf_free(&summary);
    close_run(&r);
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
