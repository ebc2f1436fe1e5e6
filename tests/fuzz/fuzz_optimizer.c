/* SPDX-License-Identifier: MIT */
/* Any bytes as an optimizer's state. The mutator puts the checksum right again, or nothing would
 * get past it. What is refused leaves the optimizer as it was; what is taken is written and read
 * back the same. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "support/heap.h"
#include "support/memory_file.h"
#include "support/small_state.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    fuzz_start();
    size = mutate_safetensors(data, size, max, seed);
    size_t plan = fuzz_plan_size(data, size);
    if (seed % 8)
        fuzz_repair(data + plan, size - plan, optimizer_keys);
    return size;
}

static struct small_state s;

static void begin(void)
{
    fuzz_start();
    if (!s.optimizer)
        small_state_new(&s);
}

static ur_status work(const uint8_t *data, size_t size)
{
    memory_file("mem:in", data, size);
    ur_status status = ur_optimizer_load(s.optimizer, "mem:in");
    return status == UR_OK ? ur_optimizer_save(s.optimizer, "mem:/out") : status;
}

static void check_same(const char *a, const char *b)
{
    size_t n, m;
    const void *x = memory_file_bytes(a, &n), *y = memory_file_bytes(b, &m);
    FUZZ_CHECK(x && y && n == m && memcmp(x, y, n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    begin();
    fuzz_plan(&data, &size, work);
    memory_file_remove("mem:/out");
    FUZZ_CHECK(ur_optimizer_save(s.optimizer, "mem:/before") == UR_OK);
    fuzz_begin();
    memory_file("mem:in", data, size);
    ur_status status = ur_optimizer_load(s.optimizer, "mem:in");
    if (status != UR_OK)
        fuzz_refused(status, size, heap_header(data, size));
    FUZZ_CHECK(ur_optimizer_save(s.optimizer, "mem:/after") == UR_OK);
    if (status != UR_OK) {
        check_same("mem:/before", "mem:/after");
    } else {
        FUZZ_CHECK(ur_optimizer_load(s.optimizer, "mem:/after") == UR_OK);
        FUZZ_CHECK(ur_optimizer_save(s.optimizer, "mem:/again") == UR_OK);
        check_same("mem:/after", "mem:/again");
        memory_file_remove("mem:/again");
    }
    memory_file_remove("mem:/after");
    fuzz_end();
    return 0;
}
