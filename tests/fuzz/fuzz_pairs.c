/* SPDX-License-Identifier: MIT */
/* Any bytes as a file of pairs of texts. The first: bit 0 they need not be UTF-8; 1 spool at 16
 * bytes; the others: reads give at most so many bytes, 0: all. */
#include "fuzz.h"

#include <string.h>

#include "data/pairs.h"
#include "support/memory_file.h"

enum { MAX = 1 << 16 };

/* Both sides have as many texts, none of them empty or with a tab, and groups of their own. */
static void check(const struct ur__pairs *p, bool any_bytes)
{
    static char text[MAX];
    for (int side = 0; side < UR__PAIR_SIDES; side++) {
        struct ur__examples *x = p->side[side];
        FUZZ_CHECK(x->n == ur__pairs_count(p) && x->n > 0);
        for (int64_t i = 0; i < x->n; i++) {
            const struct ur__example *e = &x->example[i];
            FUZZ_CHECK(e->size > 0 && e->size < MAX && (int32_t)e->size == e->length);
            FUZZ_CHECK(ur__examples_text(x, i, text) == UR_OK);
            FUZZ_CHECK(!memchr(text, '\t', e->size) && !memchr(text, '\n', e->size));
            text[e->size] = '\0';
            FUZZ_CHECK(any_bytes || ur__is_utf8(text));
            FUZZ_CHECK(side ? e->group == -1 : e->group >= 0 && e->group < x->groups.n);
            FUZZ_CHECK(e->line >= 1 && (i == 0 || e->line > x->example[i - 1].line));
        }
    }
}

static ur_status work(const uint8_t *data, size_t size)
{
    struct ur__pairs p = {0};
    const char *const path = "mem:pairs";
    if (size < 1 || size > MAX)
        return UR_OK;
    const bool any_bytes = data[0] & 1;
    ur__numbers_set_spool_at(data[0] & 2 ? 16 : 0);
    memory_file(path, data + 1, size - 1);
    memory_files_read_at_most(data[0] >> 2);
    ur_status status = ur__pairs_open(&p, &path, 1, any_bytes);
    if (status == UR_OK)
        check(&p, any_bytes);
    ur__pairs_free(&p);
    memory_files_read_at_most(0);
    ur__numbers_set_spool_at(0);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_plan(&data, &size, work);
    fuzz_begin();
    ur_status status = work(data, size);
    if (status != UR_OK)
        fuzz_refused(status, size + MAX, MAX);
    fuzz_end();
    return 0;
}
