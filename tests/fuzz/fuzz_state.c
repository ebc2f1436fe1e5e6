/* SPDX-License-Identifier: MIT */
/* Any bytes as a training state. The mutator puts the checksum right again, or nothing
 * would get past it. What is refused leaves model and counters as they were; what is damaged
 * gives way to the state before it; what is taken is written and read back the same. */
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

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    fuzz_start();
    size = mutate_safetensors(data, size, max, seed);
    size_t plan = fuzz_plan_size(data, size);
    if (seed % 8)
        fuzz_repair(data + plan, size - plan, state_keys);
    return size;
}

static struct small_state s;

/* The state that a run began with: its file. */
static struct {
    void *bytes;
    size_t n;
} first;

static void begin(void)
{
    fuzz_start();
    if (s.checkpoint.progress)
        return;
    small_state_new(&s);
    FUZZ_CHECK(ur__checkpoint_save(&s.checkpoint, "mem:/out", "mem:/none", UR__OLDER_KEEP)
               == UR_OK);
    const void *bytes = memory_file_bytes("mem:/out", &first.n);
    first.bytes = malloc(first.n);
    FUZZ_CHECK(first.bytes != NULL);
    memcpy(first.bytes, bytes, first.n);
    memory_file_remove("mem:/out");
}

static ur_status work(const uint8_t *data, size_t size)
{
    enum ur__loaded from;
    memory_file("mem:in", data, size);
    ur_status status = ur__checkpoint_load(&s.checkpoint, "mem:in", "mem:/none", &from);
    for (int i = 0; i < 2 && status == UR_OK; i++)
        status = ur__checkpoint_save(&s.checkpoint, "mem:/out", "mem:/older", UR__OLDER_MOVE);
    return status;
}

static void load_older(void)
{
    enum ur__loaded from;
    memory_file("mem:/older", first.bytes, first.n);
    FUZZ_CHECK(ur__checkpoint_load(&s.checkpoint, "mem:in", "mem:/older", &from) == UR_OK);
    FUZZ_CHECK(from == UR__LOADED_PREVIOUS && s.progress.step == 1);
    FUZZ_CHECK(ur__checkpoint_load(&s.checkpoint, "mem:/none", "mem:/older", &from) == UR_OK);
    FUZZ_CHECK(from == UR__LOADED_PREVIOUS);
    memory_file_remove("mem:/older");
}

/* Loading takes numbers as they are; saving refuses what is not finite. */
static void save_and_load(void)
{
    enum ur__loaded from;
    size_t n, m;
    ur_status status = ur__checkpoint_save(&s.checkpoint, "mem:/out", "mem:/older",
                                           UR__OLDER_KEEP);
    FUZZ_CHECK(status == UR_OK || status == UR_ENUMERIC);
    if (status != UR_OK)
        return;
    FUZZ_CHECK(ur__checkpoint_load(&s.checkpoint, "mem:/out", "mem:/older", &from) == UR_OK);
    FUZZ_CHECK(from == UR__LOADED_LATEST);
    FUZZ_CHECK(ur__checkpoint_save(&s.checkpoint, "mem:/out", "mem:/older", UR__OLDER_MOVE)
               == UR_OK);
    const void *a = memory_file_bytes("mem:/out", &n), *b = memory_file_bytes("mem:/older", &m);
    FUZZ_CHECK(a && b && n == m && memcmp(a, b, n) == 0);
    memory_file_remove("mem:/out");
    memory_file_remove("mem:/older");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static ur_real values[256];
    begin();
    fuzz_plan(&data, &size, work);
    ur_params *params = ur_model_params(s.model);
    size_t bytes = ur_params_size(params) * sizeof *values;
    FUZZ_CHECK(bytes <= sizeof values);
    memcpy(values, ur_params_values(params), bytes);
    struct ur__progress before = s.progress;
    enum ur__loaded from;
    fuzz_begin();
    memory_file("mem:in", data, size);
    ur_status status = ur__checkpoint_load(&s.checkpoint, "mem:in", "mem:/none", &from);
    if (status != UR_OK) {
        fuzz_refused(status, size, heap_header(data, size));
        FUZZ_CHECK(memcmp(values, ur_params_values(params), bytes) == 0);
        FUZZ_CHECK(memcmp(&before, &s.progress, sizeof before) == 0);
    }
    if (status == UR_EFORMAT && size % 8 == 0)      /* it takes twice the time of the rest */
        load_older();
    else if (status == UR_OK)
        save_and_load();
    fuzz_end();
    return 0;
}
