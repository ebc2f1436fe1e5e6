/* SPDX-License-Identifier: MIT */
/* Large headers whose trees would be many times larger, and what could take time that
 * grows with the square of a count: memory stays within 64 bytes a byte of header and the
 * time grows as the count does. Headers are of UNROLL_HOSTILE_MIB MiB (1; at most 16). */
#include "hostile.h"

#include <time.h>

#include "io/safetensors.h"
#include "unroll/exchange.h"
#include "unroll/model.h"

static size_t budget(void)
{
    const char *mib = getenv("UNROLL_HOSTILE_MIB");
    long n = mib ? strtol(mib, NULL, 10) : 1;
    return ((size_t)(n < 1 ? 1 : n) << 20) - 4096;
}

/* `part` as often as fits, its number taking seven digits. */
static void put_all(struct ur__buf *b, const char *part, size_t bytes)
{
    put_many(b, part, bytes / (strlen(part) + (strstr(part, "%d") ? 6 : 1)));
}

static void report(const char *what)
{
    size_t n;
    memory_file_bytes(HOSTILE, &n);
    print_message("%-28s file %8zu, memory %9zu: %5.1f a byte; %s\n", what, n, heap_taken(),
                  (double)heap_taken() / (double)n, ur_errmsg());
}

/* ---- memory ------------------------------------------------------------ */

/* Members of the header, as many as fit. %d becomes a number, of five digits or so. */
static void size__headers_of_many_members(void **state)
{
    (void)state;
    static const struct { const char *part, *why; } cases[] = {
        {"\"%d\":{}", "it has no dtype"}, {"\"%d\":0", "it is not an object of"}, {"", "without"},
        {"\"%d\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,0]}", "its shape and"},
        {"\"%d\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}",
         "tensor \"x\": it is not an object"},
        {"\"\":{\"dtype\":\"Q\",\"shape\":[],\"data_offsets\":[0,0]}",
         "tensor \"x\": it is not an object"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ur__buf b = {0};
        assert_ok(ur__buf_puts(&b, "{"));
        put_all(&b, cases[i].part, budget());
        assert_ok(ur__buf_puts(&b, ",\"x\":0}"));
        make_file(b.data, b.size, 0);
        ur__buf_free(&b);
        struct ur__st_file *f;
        heap_mark();
        assert_refused(ur__st_open(&f, HOSTILE), UR_EFORMAT, cases[i].why);
        report(cases[i].part);
    }
}

/* Inside __metadata__, or one member that is all of the header. */
static void size__headers_of_one_large_member(void **state)
{
    (void)state;
    static const struct { const char *begin, *part, *end, *why; } cases[] = {
        {"{\"__metadata__\":{", "\"%d\":\"\"", ",\"x\":0}}", "\"x\" is not a string"},
        {"{\"__metadata__\":{", "\"%d\":0", "}}", "is not a string"},
        {"{\"__metadata__\":{\"a\":\"", "\\n", "\"},\"x\":0}", "it is not an object"},
        {"{\"__metadata__\":[", "1", "]}", "at most 262144 are read"},
        {"{\"a\":[", "[]", "]}", "at most 65536 are read"},
        {"{\"a\":[", "\"\"", "]}", "at most 262144 are read"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ur__buf b = {0};
        assert_ok(ur__buf_puts(&b, cases[i].begin));
        put_all(&b, cases[i].part, budget());
        assert_ok(ur__buf_puts(&b, cases[i].end));
        make_file(b.data, b.size, 0);
        ur__buf_free(&b);
        bool many = budget() > (4 << 20) && i < 2;      /* more than the parser takes */
        struct ur__st_file *f;
        heap_mark();
        ur_status status = ur__st_open(&f, HOSTILE);
        /* A MiB holds fewer values than the limit of some. */
        bool few = strstr(cases[i].why, "262144") && budget() < (2 << 20);
        assert_refused(status, UR_EFORMAT, many ? "at most 262144" : few ? "" : cases[i].why);
        report(cases[i].part);
    }
}

/* JSON in a string of the metadata: the vocabulary and its kin. */
static void size__large_metadata(void **state)
{
    (void)state;
    static const struct { int which; const char *begin, *part, *end; } cases[] = {
        {1, "{\"tokens\":\"char\",\"codes\":[", "1", "]}"},
        {1, "{\"tokens\":\"char\",\"codes\":[", "%d", "]}"},
        {1, "{\"tokens\":\"word\",\"words\":[", "\"\"", "]}"},
        {1, "{\"tokens\":\"word\",\"words\":[\"<unk>\",\"</s>\",", "\"%d\"", "]}"},
        {1, "{\"tokens\":\"word\",\"words\":[", "{\"\":0}", "]}"},
        {1, "{\"tokens\":\"word\",\"words\":[", "[[]]", "]}"},
        {0, "{\"hidden\":[", "3", "]}"}, {0, "{", "\"%d\":0", "}"}, {2, "{", "\"%d\":\"\"", ""},
        {2, "[", "true", "]"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ur__buf b = {0};
        /* As many values as the parser takes, or as the header has room for. */
        size_t n = budget() / (strlen(cases[i].part) + 3), most = (1 << 18) - 8;
        assert_ok(ur__buf_puts(&b, cases[i].begin));
        put_many(&b, cases[i].part, n < most ? n : most);
        assert_ok(ur__buf_puts(&b, cases[i].end));
        const char *text[3] = {NULL, NULL, NULL};
        text[cases[i].which] = b.data;
        make_model(text[0], text[1], text[2]);
        ur__buf_free(&b);
        ur_model *m;
        heap_mark();
        assert_refused(ur_model_load(&m, HOSTILE), UR_EFORMAT, "");
        report(cases[i].part);
    }
}

/* A large net of half floats whose last value is none: all of it was there, and was
 * never held. */
static void size__values_are_checked_before_they_are_held(void **state)
{
    (void)state;
    enum { H = 400, V = 4 };
    struct { const char *name; int rank, dim[2]; } tensors[] = {
        {"rnn.weight_ih_l0", 2, {3 * H, V}}, {"rnn.weight_hh_l0", 2, {3 * H, H}},
        {"rnn.bias_ih_l0", 1, {3 * H, 1}}, {"rnn.bias_hh_l0", 1, {3 * H, 1}},
        {"decoder.weight", 2, {V, H}}, {"decoder.bias", 1, {V, 1}},
    };
    struct ur__buf b = {0};
    char *config = replaced(CONFIG, "[3]", "[400]");
    assert_ok(ur__buf_puts(&b, "{\"__metadata__\":{\"format\":\"unroll\",\"format_version\":\"2\","
                           "\"config\":"));
    put_quoted(&b, config);
    assert_ok(ur__buf_puts(&b, ",\"vocab\":"));
    put_quoted(&b, VOCAB);
    assert_ok(ur__buf_puts(&b, "}"));
    size_t end = 0;
    for (size_t i = 0; i < COUNT(tensors); i++) {
        const int *dim = tensors[i].dim;
        size_t size = 2 * (size_t)dim[0] * (size_t)dim[1];
        assert_ok(ur__buf_printf(&b, ",\"%s\":{\"dtype\":\"F16\",\"shape\":[%d", tensors[i].name,
                                 dim[0]));
        if (tensors[i].rank == 2)
            assert_ok(ur__buf_printf(&b, ",%d", dim[1]));
        assert_ok(ur__buf_printf(&b, "],\"data_offsets\":[%zu,%zu]}", end, end + size));
        end += size;
    }
    assert_ok(ur__buf_puts(&b, "}"));
    make_file(b.data, b.size, end);
    hostile_bytes.data[hostile_bytes.size - 1] = 0x7e;
    ur_model *m;
    heap_mark();
    assert_refused(ur_model_load(&m, HOSTILE), UR_ENUMERIC,
        "\"decoder.bias\"[3] is nan");
    report("F16");
    assert_true(heap_taken() < hostile_bytes.size / 4);
    hostile_bytes.data[hostile_bytes.size - 1] = 0;
    assert_ok(ur_model_load(&m, HOSTILE));
    ur_model_free(m);
    ur__buf_free(&b);
    ur__free(config);
}

/* ---- time -------------------------------------------------------------- */

static double seconds_of(void (*work)(void))
{
    double best = 1e9;
    for (int i = 0; i < 3; i++) {
        clock_t start = clock();
        work();
        double taken = (double)(clock() - start) / CLOCKS_PER_SEC;
        best = taken < best ? taken : best;
    }
    return best;
}

/* Every tensor and string of the file found by its name. */
static void look_all_up(void)
{
    ur_weights *w;
    const char *key;
    assert_ok(ur_weights_open(&w, HOSTILE));
    for (int i = 0; i < ur_weights_count(w); i++)
        assert_ptr_equal(ur_weights_find(w, ur_weights_at(w, i)->name), ur_weights_at(w, i));
    for (int i = 0; (key = ur_weights_meta_key(w, i)) != NULL; i++)
        assert_non_null(ur_weights_meta(w, key));
    ur_weights_close(w);
}

/* The network's parameters are none of these. */
static void load_many(void)
{
    ur_params *p;
    static const int dim = 1;
    assert_ok(ur_params_new(&p));
    assert_ok(ur_params_add(p, "w", 1, &dim, (ur_start){UR_INIT_CONSTANT, 0}, NULL));
    assert_status(UR_EDATA, ur_params_load(p, HOSTILE, 0, NULL, true));
    ur_params_free(p);
}

static void make_many(size_t n)
{
    struct ur__buf b = {0};
    assert_ok(ur__buf_puts(&b, "{\"__metadata__\":{"));
    put_many(&b, "\"%d\":\"\"", n);
    assert_ok(ur__buf_puts(&b, "},"));
    put_many(&b, "\"%d\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}", n);
    assert_ok(ur__buf_puts(&b, "}"));
    make_file(b.data, b.size, 0);
    ur__buf_free(&b);
}

static void size__time_grows_as_the_count(void **state)
{
    (void)state;
    static void (*const work[])(void) = {look_all_up, load_many};
    size_t n = budget() / 160;      /* a square would take thousands of times as long */
    for (size_t i = 0; i < COUNT(work); i++) {
        make_many(n / 4);
        double quarter = seconds_of(work[i]);
        make_many(n);
        double whole = seconds_of(work[i]);
        print_message("%zu names %.3f s, a quarter of them %.3f s\n", n, whole, quarter);
        assert_true(whole < 9 * quarter + 0.05);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(size__headers_of_many_members, hostile_check),
        cmocka_unit_test_teardown(size__headers_of_one_large_member, hostile_check),
        cmocka_unit_test_teardown(size__large_metadata, hostile_check),
        cmocka_unit_test_teardown(size__values_are_checked_before_they_are_held, hostile_check),
        cmocka_unit_test_teardown(size__time_grows_as_the_count, hostile_check),
    };
    return cmocka_run_group_tests_name("hostile size", tests, hostile_set_up, hostile_tear_down);
}
