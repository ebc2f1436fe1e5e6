/* SPDX-License-Identifier: MIT */
/* Pairs of texts: what is read, what is refused and where, sources that come again, and memory that
 * runs out. */
#include "testing.h"

#include "base/mem.h"
#include "data/holdout.h"
#include "data/pairs.h"
#include "support/memory_file.h"
#include "support/nomem.h"

static void put(const char *bytes, size_t n)
{
    memory_file("mem:a.tsv", bytes, n);
}

static const char *const paths[] = {"mem:a.tsv"};

static void refuse(const char *bytes, size_t n, const char *message)
{
    struct ur__pairs p;
    put(bytes, n);
    assert_status(UR_EDATA, ur__pairs_open(&p, paths, 1, false));
    assert_string_equal(ur_errmsg(), message);
    assert_null(p.side[0]);
}
#define REFUSE(bytes, message) refuse(bytes, sizeof(bytes) - 1, message)

static void pairs__are_read_side_by_side(void **unused)
{
    (void)unused;
    static const char text[] = "\xef\xbb\xbfone two\tun\r\nthree\t deux trois\r\none two\tx\n\n";
    struct ur__pairs p;
    for (int spool = 0; spool < 2; spool++) {
        char to[32] = "";
        ur__numbers_set_spool_at(spool ? 8 : 0);
        put(text, sizeof text - 1);
        assert_ok(ur__pairs_open(&p, paths, 1, false));
        assert_int_equal(ur__pairs_count(&p), 3);
        assert_int_equal(p.side[UR__PAIR_TARGET]->n, 3);
        assert_ok(ur__examples_text(p.side[UR__PAIR_SOURCE], 1, to));
        assert_string_equal(to, "three");
        assert_ok(ur__examples_text(p.side[UR__PAIR_TARGET], 1, to));
        assert_memory_equal(to, " deux trois", 11);
        const struct ur__example *e = p.side[UR__PAIR_SOURCE]->example;
        assert_true(e[0].group == e[2].group && e[0].group != e[1].group);
        assert_true(e[2].line == 3);
        ur__pairs_free(&p);
        ur__numbers_set_spool_at(0);
    }
}

static void pairs__are_refused_with_their_line(void **unused)
{
    (void)unused;
    REFUSE("a\tb\nc d\n", "mem:a.tsv:2: there is no tab between a source and a target");
    REFUSE("a\tb\n  \tc\n", "mem:a.tsv:2: the source is empty");
    REFUSE("a\tb\nc\t\n", "mem:a.tsv:2: the target is empty");
    REFUSE("a\tb\tc\n", "mem:a.tsv:1: there is more than one tab: a line is source<TAB>target");
    REFUSE("a\tb\n\nc\td\n", "mem:a.tsv:2: an empty line");
    REFUSE("a\tb\nc\t\xe9\n", "mem:a.tsv:2: malformed UTF-8 at byte 2 (0xE9)");
    REFUSE("a\tb\nc\0\td\n", "mem:a.tsv:2: byte 1 is NUL, which no text has");
    REFUSE("\n\n", "mem:a.tsv: holds no pair");
    struct ur__pairs p;
    assert_status(UR_EINVAL, ur__pairs_open(&p, paths, 0, false));
    put("\xff\t\xfe\n", 4);
    assert_ok(ur__pairs_open(&p, paths, 1, true));
    ur__pairs_free(&p);
}

/* However often a source comes, all its targets are on one side. */
static void pairs__of_one_source_are_held_out_together(void **unused)
{
    (void)unused;
    static char text[4000];
    unsigned char held[200];
    struct ur__pairs p;
    struct ur__draw d;
    size_t n = 0;
    for (int i = 0; i < 200; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "s%d\tt%d\n", i * 7 % 60, i);
    put(text, n);
    assert_ok(ur__pairs_open(&p, paths, 1, false));
    for (uint64_t seed = 1; seed < 20; seed++) {
        int64_t count;
        int side[60];
        for (int i = 0; i < 60; i++)
            side[i] = -1;
        assert_ok(ur__draw_of(&d, p.side[UR__PAIR_SOURCE], seed));
        assert_ok(ur__holdout(&d, 0.2, held, &count));
        ur__free(d.label);
        assert_in_range(count, 30, 50);
        for (int i = 0; i < 200; i++) {
            const int source = i * 7 % 60;
            assert_true(side[source] < 0 || side[source] == held[i]);
            side[source] = held[i];
        }
    }
    ur__pairs_free(&p);
}

static ur_status read_pairs(void *it, const void *arg, uint32_t *digest)
{
    struct ur__pairs p;
    (void)it;
    (void)arg;
    ur_status status = ur__pairs_open(&p, paths, 1, false);
    for (int side = 0; status == UR_OK && side < UR__PAIR_SIDES; side++)
        for (int64_t i = 0; i < 3; i++)
            nomem_digest(digest, &p.side[side]->example[i].at, sizeof(uint64_t));
    if (status == UR_OK)
        ur__pairs_free(&p);
    return status;
}

static void pairs__without_memory(void **unused)
{
    (void)unused;
    static const char text[] = "one two\tun\nthree\tdeux trois\none two\tx\n";
    for (int spool = 0; spool < 2; spool++) {
        put(text, sizeof text - 1);
        ur__numbers_set_spool_at(spool ? 8 : 0);
        nomem_try(&(struct nomem){.name = spool ? "pairs on disk" : "pairs", .act = read_pairs});
        ur__numbers_set_spool_at(0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs__are_read_side_by_side),
        cmocka_unit_test(pairs__are_refused_with_their_line),
        cmocka_unit_test(pairs__of_one_source_are_held_out_together),
        cmocka_unit_test(pairs__without_memory),
    };
    memory_files_on();
    return cmocka_run_group_tests_name("pairs", tests, NULL, NULL);
}
