/* SPDX-License-Identifier: MIT */
/* Any bytes as a model file. One that loads runs, and saved and loaded again it gives
 * the same bytes twice. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "support/heap.h"
#include "support/memory_file.h"
#include "unroll/decode.h"

enum { SMALL = 1 << 14 };   /* parameters of a model worth its time */

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return mutate_safetensors(data, size, max, seed);
}

static void run(const ur_model *m)
{
    ur_session *s;
    int V = ur_vocab_size(ur_model_vocab(m, NULL));
    FUZZ_CHECK(ur_session_new(&s, m, NULL) == UR_OK);
    for (int i = 0; i < 3; i++) {
        ur_sample_options o;
        ur_sample_options_init(&o);
        int32_t id;
        ur_status status = ur_session_feed(s, (int32_t)(i * 7 % V));
        FUZZ_CHECK(status == UR_OK || status == UR_ENUMERIC);
        if (status == UR_OK && ur_session_draw(s, &o, &id) == UR_OK)
            FUZZ_CHECK(id >= 0 && id < V);
    }
    ur_session_free(s);
}

static void fill(const ur_model *m)
{
    static const int32_t ids[2];
    ur_batch given;
    ur_batch_init(&given);
    ur_runner *r;
    FUZZ_CHECK(ur_runner_new(&r, m, 1, NULL) == UR_OK);
    FUZZ_CHECK(ur_batch_ids(&given, "before", 2, 1, ids, NULL) == UR_OK);
    FUZZ_CHECK(ur_batch_ids(&given, "after", 1, 1, ids, NULL) == UR_OK);
    ur_status status = ur_runner_begin(r, 0, &given);
    FUZZ_CHECK(status == UR_OK || status == UR_ENUMERIC);
    ur_runner_free(r);
}

/* The bytes that a model should give. */
struct expected {
    const char *bytes;
    size_t left;
};

static ur_status compare(void *user, const void *bytes, size_t n)
{
    struct expected *e = user;
    FUZZ_CHECK(n <= e->left && memcmp(bytes, e->bytes, n) == 0);
    e->bytes += n;
    e->left -= n;
    return UR_OK;
}

/* By a file, and by memory. */
static void save_twice(const ur_model *m)
{
    ur_model *back;
    size_t n;
    FUZZ_CHECK(ur_model_save(m, "mem:/out") == UR_OK);
    const void *bytes = memory_file_bytes("mem:/out", &n);
    void *first = malloc(n);
    FUZZ_CHECK(first != NULL);
    memcpy(first, bytes, n);
    struct expected e = {first, n};
    FUZZ_CHECK(ur_model_load_memory(&back, first, n, NULL) == UR_OK);
    FUZZ_CHECK(ur_model_save_to(back, compare, &e) == UR_OK && e.left == 0);
    ur_model_free(back);
    free(first);
    memory_file_remove("mem:/out");
}

static ur_status work(const uint8_t *data, size_t size)
{
    ur_model *m;
    memory_file("mem:in", data, size);
    ur_status status = ur_model_load(&m, "mem:in");
    if (status == UR_OK && ur_params_size(ur_model_params(m)) < SMALL)
        status = ur_model_save(m, "mem:/out");
    ur_model_free(m);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ur_model *m;
    fuzz_plan(&data, &size, work);
    fuzz_begin();
    memory_file("mem:in", data, size);
    ur_status status = ur_model_load(&m, "mem:in");
    FUZZ_CHECK((status == UR_OK) == (m != NULL));
    if (status != UR_OK) {
        fuzz_refused(status, size, heap_header(data, size));
    } else if (ur_params_size(ur_model_params(m)) < SMALL) {
        if (strcmp(ur_model_arch(m), "lm") == 0)
            run(m);
        else
            fill(m);
        save_twice(m);
    }
    ur_model_free(m);
    fuzz_end();
    return 0;
}
