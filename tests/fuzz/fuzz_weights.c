/* SPDX-License-Identifier: MIT */
/* Any bytes as a stranger's weights: looked into, and read into parameters under several
 * maps of names, one of them the file's own strings. Parameters change as a whole or not at
 * all; what was read is written under the same names and read back the same. */
#include "fuzz.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "layer/params.h"
#include "support/heap.h"
#include "support/memory_file.h"
#include "unroll/exchange.h"

enum { MOST_PAIRS = 4 };

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return mutate_safetensors(data, size, max, seed);
}

static bool is_one_of(const char *const *types, const char *type)
{
    while (*types && strcmp(*types, type) != 0)
        types++;
    return *types != NULL;
}

static const char *const reals[] = {"F64", "F32", "F16", "BF16", NULL};
static const char *const integers[] = {"I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL",
                                       NULL};

static void read(ur_weights *w, const ur_weight *t)
{
    if (!is_one_of(reals, t->type) && !is_one_of(integers, t->type)) {
        FUZZ_CHECK(ur_weights_read(w, t->name, t->size, &(ur_real){0}) == UR_EDATA);
        FUZZ_CHECK(ur_weights_read_ids(w, t->name, t->size, &(int32_t){0}) == UR_EDATA);
        return;     /* may be of any size */
    }
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

/* The net that the shapes tell, if it is one that can be, has parameters that are there. */
static void tell(ur_weights *w)
{
    static const ur_rename maps[] = {{"rnn.*", "*"}, {"rnn.*", "rnn.*"}, {"rnn.*_l0", "cell.*"}};
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        ur_rnn_options o;
        ur_rnn_options_init(&o);
        ur_params *p;
        ur_rnn *rnn;
        FUZZ_CHECK(ur_params_new(&p) == UR_OK);
        ur_status status = ur_weights_rnn_options(w, "rnn", 1, &maps[i], &o);
        FUZZ_CHECK(status == UR_OK || status == UR_EDATA || status == UR_ESHAPE);
        if (status == UR_OK && ur_rnn_new(&rnn, p, "rnn", &o) == UR_OK) {
            FUZZ_CHECK(ur_rnn_layers(rnn) == o.layers && ur_rnn_input(rnn) == o.input);
            ur_rnn_free(rnn);
        }
        ur_params_free(p);
    }
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
    tell(w);
    const char *key;
    for (int i = 0; (key = ur_weights_meta_key(w, i)) != NULL; i++)
        FUZZ_CHECK(ur_weights_meta(w, key) != NULL);
    FUZZ_CHECK(!ur_weights_at(w, -1) && !ur_weights_meta_key(w, -1));
    FUZZ_CHECK(ur_weights_read(w, "no such tensor", 0, NULL) != UR_OK);
    ur_weights_close(w);
}

static ur_status declare(ur_params **p)
{
    static const int two[] = {2, 3}, one[] = {2};
    ur_status status = ur_params_new(p);
    if (status == UR_OK)
        status = ur_params_add(*p, "rnn.weight", 2, two, (ur_start){UR_INIT_UNIFORM, 1}, NULL);
    if (status == UR_OK)
        status = ur_params_add(*p, "rnn.bias", 1, one, (ur_start){UR_INIT_CONSTANT, 7}, NULL);
    if (status == UR_OK)
        status = ur_params_add_buffer(*p, "mean", 1, one, 5, NULL);
    return status;
}

/* The file's strings as a map, key ours and value theirs; an empty value leaves out. They
 * live as long as w. */
static int own_map(const ur_weights *w, ur_rename map[MOST_PAIRS])
{
    int n = 0;
    for (const char *key; n < MOST_PAIRS && (key = ur_weights_meta_key(w, n)) != NULL; n++) {
        const char *value = ur_weights_meta(w, key);
        map[n] = (ur_rename){key, *value ? value : NULL};
    }
    return n;
}

/* Values that were not read are the ones that ur_params_build(p, 1) gives. */
static void save_and_load(const ur_params *p, int n, const ur_rename *map)
{
    static const ur_meta meta[] = {{"origin", "fuzz"}};
    ur_params *back;
    ur_status status = ur_params_save(p, "mem:/out", n, map, 1, meta);
    FUZZ_CHECK(status == UR_OK || status == UR_EINVAL);     /* two may have got one name */
    FUZZ_CHECK(declare(&back) == UR_OK && ur_params_build(back, 1) == UR_OK);
    if (status == UR_OK) {
        FUZZ_CHECK(ur_params_load(back, "mem:/out", n, map, true) == UR_OK);
        for (int i = 0; i < ur_params_count(p); i++) {
            const ur_param *a = ur_params_at(p, i), *b = ur_params_at(back, i);
            FUZZ_CHECK(memcmp(ur_param_data(p, a), ur_param_data(back, b),
                              a->size * sizeof(ur_real)) == 0);
        }
    }
    ur_params_free(back);
    memory_file_remove("mem:/out");
}

static void load(int n, const ur_rename *map, bool built, bool strict, size_t size, size_t header)
{
    ur_params *p;
    ur_real before[8];
    FUZZ_CHECK(declare(&p) == UR_OK);
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
    if (status == UR_OK)
        save_and_load(p, n, map);
    else if (!built)
        FUZZ_CHECK(ur_params_save(p, "mem:/out", n, map, 0, NULL) == UR_EINVAL);
    ur_params_free(p);
}

/* What is open gives the same values as its file. */
static void load_open(ur_weights *w, int n, const ur_rename *map)
{
    ur_params *a, *b;
    FUZZ_CHECK(declare(&a) == UR_OK);
    FUZZ_CHECK(declare(&b) == UR_OK);
    ur_status status = ur_params_load_weights(a, w, n, map, true);
    FUZZ_CHECK(status == ur_params_load(b, "mem:in", n, map, true));
    if (status == UR_OK)
        FUZZ_CHECK(memcmp(ur_params_values(a), ur_params_values(b),
                          ur_params_size(a) * sizeof(ur_real)) == 0);
    ur_params_free(a);
    ur_params_free(b);
}

static void load_by_own_map(size_t size, size_t header)
{
    ur_weights *w;
    ur_rename map[MOST_PAIRS];
    size_t bytes;
    const void *in = memory_file_bytes("mem:in", &bytes);
    if (ur_weights_open_memory(&w, in, bytes, NULL) != UR_OK)
        return;
    int n = own_map(w, map);
    load(n, map, true, false, size, header);
    load(n, map, false, true, size, header);
    load_open(w, n, map);
    ur_weights_close(w);
}

/* ---- with failures ----------------------------------------------------- */

static ur_status read_all(ur_weights *w)
{
    ur_status status = UR_OK;
    for (int i = 0; i < ur_weights_count(w) && status == UR_OK; i++) {
        const ur_weight *t = ur_weights_at(w, i);
        bool is_real = is_one_of(reals, t->type);
        if (!is_real && !is_one_of(integers, t->type))
            continue;
        ur_real *real = malloc(t->size * sizeof *real + !t->size);
        int32_t *id = malloc(t->size * sizeof *id + !t->size);
        FUZZ_CHECK(real && id);
        status = is_real ? ur_weights_read(w, t->name, t->size, real)
                         : ur_weights_read_ids(w, t->name, t->size, id);
        free(real);
        free(id);
    }
    return status;
}

static ur_status read_and_save(ur_weights *w)
{
    ur_rename map[MOST_PAIRS];
    int n = own_map(w, map);
    ur_params *p;
    ur_status status = declare(&p);
    if (status == UR_OK)
        status = ur_params_load(p, "mem:in", n, map, false);
    if (status == UR_OK)
        status = ur_params_save(p, "mem:/out", n, map, 0, NULL);
    ur_params_free(p);
    return status == UR_OK ? read_all(w) : status;
}

static ur_status work(const uint8_t *data, size_t size)
{
    ur_weights *w;
    memory_file("mem:in", data, size);
    ur_status status = ur_weights_open(&w, "mem:in");
    if (status == UR_OK)
        status = read_and_save(w);
    ur_weights_close(w);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ur_rename prefix[] = {{"rnn.*", "lstm.*"}, {"mean", NULL}};
    static const ur_rename bare[] = {{"rnn.*", "*"}, {"*", "a_*_b"}};
    fuzz_plan(&data, &size, work);
    size_t header = heap_header(data, size);
    fuzz_begin();
    memory_file("mem:in", data, size);
    look(size, header);
    load(0, NULL, true, true, size, header);
    load(0, NULL, false, false, size, header);
    load(2, prefix, true, false, size, header);
    load(2, prefix, false, true, size, header);
    load(2, bare, false, true, size, header);
    load_by_own_map(size, header);
    fuzz_end();
    return 0;
}
