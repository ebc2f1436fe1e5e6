/* SPDX-License-Identifier: MIT */
/* Any bytes as a stranger's weights: looked into, and read into parameters under three
 * maps of names. Parameters change as a whole or not at all. */
#include "fuzz.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "layer/params.h"
#include "support/heap.h"
#include "support/memory_file.h"
#include "unroll/exchange.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return mutate_safetensors(data, size, max, seed);
}

static void read(ur_weights *w, const ur_weight *t)
{
    ur_real *real = malloc(t->size * sizeof *real + !t->size);
    int32_t *id = malloc(t->size * sizeof *id + !t->size);
    FUZZ_CHECK(real && id);
    ur_status a = ur_weights_read(w, t->name, t->size, real);
    ur_status b = ur_weights_read_ids(w, t->name, t->size, id);
    FUZZ_CHECK((a == UR_OK && b == UR_EDATA) || (a == UR_EDATA && (b == UR_OK || b == UR_EDATA)));
    FUZZ_CHECK(ur_weights_read_ids(w, t->name, t->size + 1, id) != UR_OK);
    free(real);
    free(id);
}

static void look(size_t size, size_t header)
{
    ur_weights *w;
    ur_status status = ur_weights_open(&w, "mem:in");
    if (status != UR_OK) {
        fuzz_refused(status, size, header);
        FUZZ_CHECK(!w);
        return;
    }
    for (int i = 0; i < ur_weights_count(w); i++) {
        const ur_weight *t = ur_weights_at(w, i);
        FUZZ_CHECK(ur_weights_find(w, t->name) == t);
        read(w, t);
    }
    const char *key;
    for (int i = 0; (key = ur_weights_meta_key(w, i)) != NULL; i++)
        FUZZ_CHECK(ur_weights_meta(w, key) != NULL);
    FUZZ_CHECK(!ur_weights_at(w, -1) && !ur_weights_meta_key(w, -1));
    FUZZ_CHECK(ur_weights_read(w, "no such tensor", 0, NULL) != UR_OK);
    ur_weights_close(w);
}

static ur_params *declare(void)
{
    static const int two[] = {2, 3}, one[] = {2};
    ur_params *p;
    FUZZ_CHECK(ur_params_new(&p) == UR_OK);
    FUZZ_CHECK(ur_params_add(p, "rnn.weight", 2, two, UR_UNIFORM, 1, NULL) == UR_OK);
    FUZZ_CHECK(ur_params_add(p, "rnn.bias", 1, one, UR_CONSTANT, 7, NULL) == UR_OK);
    FUZZ_CHECK(ur_params_add_buffer(p, "mean", 1, one, 5, NULL) == UR_OK);
    return p;
}

static void load(int n, const ur_rename *map, bool built, bool strict, size_t size, size_t header)
{
    ur_params *p = declare();
    ur_real before[8];
    if (built) {
        FUZZ_CHECK(ur_params_build(p, 1) == UR_OK);
        memcpy(before, ur_params_values(p), sizeof before);
    }
    heap_mark();
    ur_status status = ur_params_load(p, "mem:in", n, map, strict);
    if (status != UR_OK) {
        fuzz_refused(status, size, header);
        FUZZ_CHECK(ur__params_built(p) == built);
    }
    if (status != UR_OK && built)
        FUZZ_CHECK(memcmp(before, ur_params_values(p), sizeof before) == 0);
    for (size_t i = 0; status == UR_OK && i < ur_params_size(p); i++)
        FUZZ_CHECK(isfinite(ur_params_values(p)[i]));
    ur_params_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ur_rename prefix[] = {{"rnn.*", "lstm.*"}, {"mean", NULL}};
    static const ur_rename bare[] = {{"rnn.*", "*"}, {"*", "a_*_b"}};
    size_t header = heap_header(data, size);
    fuzz_begin();
    memory_file("mem:in", data, size);
    look(size, header);
    load(0, NULL, true, true, size, header);
    load(0, NULL, false, false, size, header);
    load(2, prefix, true, false, size, header);
    load(2, prefix, false, true, size, header);
    load(2, bare, false, true, size, header);
    fuzz_end();
    return 0;
}
