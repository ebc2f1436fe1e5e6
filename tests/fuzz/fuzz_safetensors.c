/* SPDX-License-Identifier: MIT */
/* Any bytes as a safetensors file: opened, every tensor and string read. What is taken
 * is consistent: the tensors tile the data, names find their tensors. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "io/safetensors.h"
#include "support/heap.h"
#include "support/memory_file.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    return mutate_safetensors(data, size, max, seed);
}

static void read_tensor(struct ur__st_file *f, const struct ur__st_tensor *t)
{
    bool is_real = t->type <= UR__BF16;
    size_t n = is_real ? (size_t)t->n : 0;  /* what is not read may be of any size */
    uint64_t product = 1;
    for (int i = 0; i < t->rank; i++)
        product *= t->dim[i];
    FUZZ_CHECK(t->rank < 0 || product == t->n);
    FUZZ_CHECK(t->type == UR__OTHER || t->n * ur__dtype_size(t->type) == t->bytes);
    /* Of exactly the size, so that a byte too much shows. */
    void *raw = malloc((size_t)t->bytes + !t->bytes);
    ur_real *real = malloc(n * sizeof *real + !n);
    ur_status status = ur__st_read_raw(f, t, raw, (size_t)t->bytes);
    FUZZ_CHECK(raw && real && status == UR_OK);
    FUZZ_CHECK(ur__st_read_real(f, t, real, n) == (is_real ? UR_OK : UR_EDATA));
    status = ur__st_check_finite(f, t);
    FUZZ_CHECK(is_real ? status == UR_OK || status == UR_ENUMERIC : status == UR_EDATA);
    FUZZ_CHECK(ur__st_read_real(f, t, real, n + 1) != UR_OK);
    free(raw);
    free(real);
}

static void look(struct ur__st_file *f, size_t size)
{
    uint64_t end = 0;
    uint32_t crc;
    for (size_t i = 0; i < ur__st_count(f); i++) {
        const struct ur__st_tensor *t = ur__st_at(f, i);
        FUZZ_CHECK(t->offset == end && ur__st_find(f, t->name) == t);
        end += t->bytes;
        FUZZ_CHECK(end <= size);
        read_tensor(f, t);
    }
    const char *key;
    for (size_t i = 0; (key = ur__st_meta_key(f, i)) != NULL; i++)
        FUZZ_CHECK(ur__st_meta(f, key) != NULL);
    FUZZ_CHECK(!ur__st_at(f, ur__st_count(f)));
    FUZZ_CHECK(ur__st_data_crc(f, &crc) == UR_OK);
}

static ur_status read_all(struct ur__st_file *f)
{
    uint32_t crc;
    ur_status status = ur__st_data_crc(f, &crc);
    for (size_t i = 0; i < ur__st_count(f) && status == UR_OK; i++) {
        const struct ur__st_tensor *t = ur__st_at(f, i);
        size_t n = t->type <= UR__BF16 ? (size_t)t->n : 0;
        ur_real *real = malloc(n * sizeof *real + !n);
        unsigned char *raw = malloc((size_t)t->bytes + !t->bytes);
        FUZZ_CHECK(real && raw);
        status = ur__st_read_raw(f, t, raw, (size_t)t->bytes);
        if (status == UR_OK)
            status = ur__st_read_real(f, t, real, n);
        if (status == UR_OK)
            status = ur__st_check_finite(f, t);
        free(raw);
        free(real);
    }
    return status;
}

static ur_status work(const uint8_t *data, size_t size)
{
    struct ur__st_file *f;
    memory_file("mem:in", data, size);
    ur_status status = ur__st_open(&f, "mem:in");
    if (status == UR_OK)
        status = read_all(f);
    ur__st_close(f);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ur__st_file *f;
    fuzz_plan(&data, &size, work);
    fuzz_begin();
    memory_file("mem:in", data, size);
    ur_status status = ur__st_open(&f, "mem:in");
    if (status == UR_OK)
        look(f, size);
    else
        fuzz_refused(status, size, heap_header(data, size));
    FUZZ_CHECK((status == UR_OK) == (f != NULL));
    ur__st_close(f);
    fuzz_end();
    return 0;
}
