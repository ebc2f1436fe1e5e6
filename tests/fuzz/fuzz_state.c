/* SPDX-License-Identifier: MIT */
/* Any bytes as a training state. The mutator puts the checksum right again, or nothing
 * would get past it. What is refused leaves model and counters as they were. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/file.h"
#include "io/safetensors.h"
#include "support/heap.h"
#include "support/memory_file.h"
#include "support/small_state.h"

/* Sets the eight digits of "checksum" to what the rest of the file asks for. */
static void repair(uint8_t *data, size_t size)
{
    static const char mark[] = "\"checksum\":\"";
    char sum[9];
    memory_file("mem:repair", data, size);
    struct ur__st_file *f;
    bool known = ur__st_open(&f, "mem:repair") == UR_OK && small_state_checksum(f, sum);
    ur__st_close(f);
    for (size_t i = 8; known && i + sizeof mark + 8 < size; i++) {
        if (memcmp(data + i, mark, sizeof mark - 1) == 0) {
            memcpy(data + i + sizeof mark - 1, sum, 8);
            break;
        }
    }
    memory_file_remove("mem:repair");
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    fuzz_start();
    size = mutate_safetensors(data, size, max, seed);
    if (seed % 8)
        repair(data, size);
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct small_state s;
    static ur_real values[256];
    fuzz_start();
    if (!s.checkpoint.progress)
        small_state_new(&s);
    ur_params *params = ur_model_params(s.facts.model);
    size_t bytes = ur_params_size(params) * sizeof *values;
    FUZZ_CHECK(bytes <= sizeof values);
    memcpy(values, ur_params_values(params), bytes);
    struct ur__progress before = s.progress;
    enum ur__loaded from;
    fuzz_begin();
    memory_file("mem:in", data, size);
    ur_status status = ur__checkpoint_load(&s.checkpoint, "mem:in", "mem:none", &from);
    if (status != UR_OK) {
        fuzz_refused(status, size, heap_header(data, size));
        FUZZ_CHECK(memcmp(values, ur_params_values(params), bytes) == 0);
        FUZZ_CHECK(memcmp(&before, &s.progress, sizeof before) == 0);
    }
    fuzz_end();
    return 0;
}
