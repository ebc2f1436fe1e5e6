/* SPDX-License-Identifier: MIT */
/* safetensors: every type round trips, every half is converted, and a file that is
 * cut, stretched or lies about itself is refused before memory is taken. */
#include "test_io.h"

#include <math.h>

#include "base/text.h"
#include "io/safetensors.h"

static const enum ur__dtype all_types[] = {
    UR__F64, UR__F32, UR__F16, UR__BF16, UR__I64, UR__I32, UR__I16, UR__I8,
    UR__U64, UR__U32, UR__U16, UR__U8, UR__BOOL,
};

static ur_status save_all_types(const char *path, const unsigned char *data, uint32_t *crc)
{
    struct ur__st_out *s;
    UR__TRY(ur__st_out_new(&s));
    ur_status status = ur__st_out_meta(s, "config", "{\"hidden\": 3}");
    if (status == UR_OK)
        status = ur__st_out_meta(s, "a", "\xc3\xa9");
    for (size_t i = 0; i < COUNT(all_types) && status == UR_OK; i++) {
        char name[32];
        snprintf(name, sizeof name, "w.%s", ur__dtype_name(all_types[i]));
        const uint64_t dim[2] = {2, 3};
        status = ur__st_out_tensor(s, name, all_types[i], 2, dim, data);
    }
    const uint64_t none[3] = {4, 0, 2};
    if (status == UR_OK)
        status = ur__st_out_tensor(s, "empty", UR__F32, 3, none, NULL);
    if (status == UR_OK)
        status = ur__st_out_tensor(s, "scalar", UR__U8, 0, NULL, data);
    if (crc)
        *crc = ur__st_out_crc(s);
    if (status == UR_OK)
        status = ur__st_out_save(s, path);
    ur__st_out_free(s);
    return status;
}

static void safetensors__round_trips_all_types(void **state)
{
    (void)state;
    const char *path = tmp_path("all.safetensors");
    unsigned char data[48], got[48];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 5 + 3);
    uint32_t crc, back;
    assert_ok(save_all_types(path, data, &crc));
    struct ur__st_file *f;
    assert_ok(ur__st_open(&f, path));
    assert_int_equal(ur__st_count(f), COUNT(all_types) + 2);
    assert_ok(ur__st_data_crc(f, &back));
    assert_int_equal(crc, back);
    uint64_t end = 0;
    for (size_t i = 0; i < ur__st_count(f); i++) {
        const struct ur__st_tensor *t = ur__st_at(f, i);
        assert_int_equal(t->offset, end);
        end += t->bytes;
        assert_ptr_equal(ur__st_find(f, t->name), t);
    }
    for (size_t i = 0; i < COUNT(all_types); i++) {
        const struct ur__st_tensor *t = ur__st_at(f, i);
        assert_int_equal(t->type, all_types[i]);
        assert_int_equal(t->rank, 2);
        assert_true(t->dim[0] == 2 && t->dim[1] == 3);
        assert_int_equal(t->bytes, 6 * ur__dtype_size(t->type));
        assert_ok(ur__st_read_raw(f, t, got, (size_t)t->bytes));
        assert_memory_equal(got, data, (size_t)t->bytes);
        ur_real values[6];
        ur_status status = ur__st_read_real(f, t, values, 6);
        assert_int_equal(status, t->type <= UR__BF16 ? UR_OK : UR_EDATA);
        assert_status(UR_ESHAPE, ur__st_read_raw(f, t, got, 1));
        if (t->type <= UR__BF16) {
            assert_status(UR_ESHAPE, ur__st_read_real(f, t, values, 5));
            assert_non_null(strstr(ur_errmsg(), "has 6 values, 5 are wanted"));
        }
    }
    assert_ok(ur__st_read_real(f, ur__st_find(f, "empty"), NULL, 0));
    assert_int_equal(ur__st_find(f, "scalar")->rank, 0);
    assert_null(ur__st_find(f, "w"));
    assert_null(ur__st_at(f, 99));
    assert_string_equal(ur__st_meta(f, "config"), "{\"hidden\": 3}");
    assert_string_equal(ur__st_meta(f, "a"), "\xc3\xa9");
    assert_null(ur__st_meta(f, "b"));
    assert_string_equal(ur__st_meta_key(f, 1), "a");
    assert_null(ur__st_meta_key(f, 2));
    ur__st_close(f);
    ur__st_close(NULL);
}

static void safetensors__same_content_same_bytes(void **state)
{
    (void)state;
    const char *a = tmp_path("a"), *b = tmp_path("b");
    static const unsigned char data[48] = {1, 2, 3};
    assert_ok(save_all_types(a, data, NULL));
    assert_ok(save_all_types(b, data, NULL));
    char *text;
    size_t size;
    assert_ok(ur__file_slurp(a, 1 << 20, &text, &size));
    assert_holds(b, text, size);
    assert_int_equal(text[0] % 8, 0);   /* the data's start is aligned */
    ur__free(text);
}

static void safetensors__every_truncation_is_rejected(void **state)
{
    (void)state;
    const char *path = tmp_path("cut");
    static const unsigned char data[48] = {1};
    char *text;
    size_t size;
    assert_ok(save_all_types(path, data, NULL));
    assert_ok(ur__file_slurp(path, 1 << 20, &text, &size));
    long blocks = ur__mem_blocks();
    for (size_t n = 0; n < size; n++) {
        put_file(path, text, n);
        struct ur__st_file *f;
        ur_status status = ur__st_open(&f, path);
        if (status != UR_EFORMAT || f)
            fail_msg("cut at %zu of %zu: %s", n, size, ur_status_name(status));
    }
    assert_int_equal(ur__mem_blocks(), blocks);
    print_message("%zu prefixes rejected\n", size);
    ur__free(text);
}

/* A file of this header, whose length is taken or given, and n zero bytes. */
static void put_tensors(const char *path, const char *header, uint64_t length, size_t n)
{
    struct ur__buf b = {0};
    for (int i = 0; i < 8; i++) {
        char byte = (char)(length >> 8 * i & 0xff);
        assert_ok(ur__buf_put(&b, &byte, 1));
    }
    assert_ok(ur__buf_puts(&b, header));
    for (size_t i = 0; i < n; i++)
        assert_ok(ur__buf_put(&b, "", 1));
    put_file(path, b.data, b.size);
    ur__buf_free(&b);
}

#define T8 "{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"
#define T(dtype, shape, offsets) \
    "{\"a\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static const struct {
    const char *header;
    size_t data;
} malformed[] = {
    {"{\"a\":" T8 "}", 9},                                      /* trailing bytes */
    {"{\"a\":" T8 "}", 7},
    {"{}", 1},
    {"{\"a\":" T8 "} x", 8},
    {"{\"a\":" T8 "", 8},
    {"[1]", 0}, {"{", 0}, {"  ", 0}, {"1 ", 0}, {"{\"a\":1}", 0}, {"{\"a\":[]}", 0},
    {"{\"a\":" T8 ",\"a\":" T8 "}", 8},                         /* the same name twice */
    {"{\"a\":" T8 ",\"b\":" T8 "}", 8},                         /* overlap */
    {"{\"a\":" T8 ",\"b\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[4,12]}}", 12},
    {"{\"a\":" T8 ",\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[9,11]}}", 11},
    {T("\"F32\"", "[2]", "[4,12]"), 12},
    {T("32", "[2]", "[0,8]"), 8}, {T("null", "[2]", "[0,8]"), 8},
    {T("\"F32\"", "[3]", "[0,8]"), 8}, {T("\"F32\"", "[]", "[0,8]"), 8},
    {T("\"F32\"", "2", "[0,8]"), 8}, {T("\"F32\"", "[2.0]", "[0,8]"), 8},
    {T("\"F32\"", "[\"2\"]", "[0,8]"), 8}, {T("\"F32\"", "[-2]", "[0,8]"), 8},
    {T("\"F32\"", "[-1,-2]", "[0,8]"), 8},
    {T("\"F32\"", "[4611686018427387906]", "[0,8]"), 8},        /* 2^62 + 2: 4x wraps to 8 */
    {T("\"U8\"", "[4294967296,4294967296]", "[0,0]"), 0},       /* 2^64 wraps to 0 */
    {T("\"U8\"", "[0,9223372036854775807,9223372036854775807]", "[0,0]"), 0},
    {T("\"U8\"", "[18446744073709551616]", "[0,0]"), 0},
    {T("\"F32\"", "[2]", "[0]"), 8}, {T("\"F32\"", "[2]", "[0,8,8]"), 8},
    {T("\"F32\"", "[2]", "[8,0]"), 8}, {T("\"F32\"", "[2]", "[-8,0]"), 8},
    {T("\"F32\"", "[2]", "[0,9]"), 8}, {T("\"F32\"", "[2]", "[0.0,8]"), 8},
    {T("\"F32\"", "[2]", "[0,9223372036854775807]"), 8}, {T("\"F32\"", "[2]", "{}"), 8},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8},
    {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"shape\":[2],\"data_offsets\":[0,8]}}", 8},
    {"{\"__metadata__\":1}", 0}, {"{\"__metadata__\":{\"a\":1}}", 0},
    {"{\"__metadata__\":{\"a\":{}}}", 0}, {"{\"__metadata__\":{\"a\":\"x\",\"a\":\"y\"}}", 0},
    {"{\"__metadata__\":{},\"__metadata__\":{}}", 0}, {"{\"__metadata__\":{\"a\":\"\\u0000\"}}", 0},
    {"{\"__metadata__\":{\"a\":\"\xff\"}}", 0}, {"{\"\xff\":" T8 "}", 8},
    {"{\"a\":" T8 ",}", 8}, {"{,}", 0}, {"{}}", 0}, {"{\"a\":" T8 "}}", 8}, {"{\"a\":" T8 "]}", 8},
    {"{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}", 0}, {"{\"a\":[[[[]]]]}", 0},
};

static void safetensors__malformed_headers_are_rejected(void **state)
{
    (void)state;
    const char *path = tmp_path("bad");
    struct ur__st_file *f;
    long blocks = ur__mem_blocks();
    for (size_t i = 0; i < COUNT(malformed); i++) {
        put_tensors(path, malformed[i].header, strlen(malformed[i].header), malformed[i].data);
        ur_status status = ur__st_open(&f, path);
        if (status != UR_EFORMAT || f)
            fail_msg("%s is %s: %s", malformed[i].header, ur_status_name(status), ur_errmsg());
        assert_non_null(strstr(ur_errmsg(), path));
    }
    assert_int_equal(ur__mem_blocks(), blocks);
    put_tensors(path, "{\"a\":" T8 "}   ", strlen("{\"a\":" T8 "}   "), 8);
    assert_ok(ur__st_open(&f, path));
    ur__st_close(f);
    static const char spaced[] = "{ \n\t\r\"a\" : " T8 " , \"__metadata__\" : { \"k,\" : \"{\" } }";
    put_tensors(path, spaced, sizeof spaced - 1, 8);
    assert_ok(ur__st_open(&f, path));
    assert_string_equal(ur__st_meta(f, "k,"), "{");
    ur__st_close(f);
    put_tensors(path, "{}", 2, 0);
    assert_ok(ur__st_open(&f, path));
    assert_int_equal(ur__st_count(f), 0);
    assert_null(ur__st_find(f, "a"));
    assert_null(ur__st_meta(f, "a"));
    ur__st_close(f);
    assert_status(UR_EINPUT, ur__st_open(&f, tmp_path("absent")));
    assert_status(UR_EINPUT, ur__st_open(&f, tmp_dir()));
}

/* ---- the reference reader ---------------------------------------------- */

/* The field that begins at *at, its end made a zero; *at goes on behind the tab. */
static char *field(char **at)
{
    char *begin = *at, *end = begin + strcspn(begin, "\t\n");
    *at = end + (*end != '\0');
    *end = '\0';
    return begin;
}

/* \xHH becomes its byte; returns how many are left. */
static size_t unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from; to++) {
        unsigned byte;
        if (*from == '\\' && sscanf(from, "\\x%2x", &byte) == 1)
            from += 4;
        else
            byte = (unsigned char)*from++;
        *to = (char)byte;
    }
    return (size_t)(to - text);
}

static void safetensors__takes_what_the_reference_reader_takes(void **state)
{
    (void)state;
    char table[512], line[4000];
    int lines = 0, taken = 0, apart = 0;
    snprintf(table, sizeof table, "%s/tests/golden/headers.tsv", getenv("SOURCE_DIR"));
    const char *path = tmp_path("header");
    FILE *f = fopen(table, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        if (*line == '#')
            continue;
        char *at = line, *theirs = field(&at), *ours = field(&at);
        size_t data = (size_t)strtoul(field(&at), NULL, 10);
        char *why = field(&at), *header = field(&at);
        size_t n = unescape(header);
        struct ur__buf b = {0};
        assert_ok(ur__buf_put(&b, (const char[8]){(char)(n & 0xff), (char)(n >> 8)}, 8));
        assert_ok(ur__buf_put(&b, header, n));
        for (size_t i = 0; i < data; i++)
            assert_ok(ur__buf_put(&b, "", 1));
        put_file(path, b.data, b.size);
        ur__buf_free(&b);
        struct ur__st_file *file;
        ur_status status = ur__st_open(&file, path);
        if (status != (*ours == 'y' ? UR_OK : UR_EFORMAT))
            fail_msg("%s is %s: %s", header, ur_status_name(status), ur_errmsg());
        assert_true((*theirs != *ours) == (strcmp(why, "-") != 0));
        lines++;
        taken += status == UR_OK;
        apart += *theirs != *ours;
        ur__st_close(file);
    }
    fclose(f);
    assert_true(lines > 100);
    print_message("%d headers, %d taken; the reference reader has another mind of %d\n", lines,
                  taken, apart);
}

/* One tensor each that was once a reason to refuse the file, beside one that is wanted. */
static void safetensors__what_cannot_be_read_is_listed(void **state)
{
    (void)state;
    static const char header[] =
        "{\"__metadata__\":null,"
        "\"a\":{\"dtype\":\"F8_E5M2\",\"shape\":[2,2],\"data_offsets\":[0,4]},"
        "\"b\":{\"dtype\":\"Q4_K\",\"shape\":[3],\"data_offsets\":[4,8]},"
        "\"c\":{\"dtype\":\"F4\",\"shape\":[8],\"data_offsets\":[8,12]},"
        "\"d\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[12,16]},"
        "\"\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[16,20]},"
        "\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[20,28],\"note\":{\"x\":[1]}}}\n";
    static const char *const types[] = {"F8_E5M2", "Q4_K", "F4", "F32", "U8", "F32"};
    static const uint64_t sizes[] = {4, 3, 8, 1, 4, 2};
    const char *path = tmp_path("listed");
    struct ur__st_file *f;
    ur_real value[8];
    put_tensors(path, header, sizeof header - 1, 28);
    assert_ok(ur__st_open(&f, path));
    assert_int_equal(ur__st_count(f), COUNT(types));
    for (size_t i = 0; i < COUNT(types); i++) {
        const struct ur__st_tensor *t = ur__st_at(f, i);
        assert_string_equal(t->type_name, types[i]);
        assert_int_equal(t->n, sizes[i]);
        ur_status status = ur__st_read_real(f, t, value, (size_t)t->n);
        assert_int_equal(status, strcmp(types[i], "F32") == 0 ? UR_OK : UR_EDATA);
        if (status != UR_OK)
            assert_non_null(strstr(ur_errmsg(), types[i]));
        assert_int_equal(ur__st_check_finite(f, t), status);
    }
    assert_int_equal(ur__st_find(f, "d")->rank, -1);
    assert_int_equal(ur__st_find(f, "")->bytes, 4);
    ur__st_close(f);
}

static void safetensors__header_length_is_checked_before_memory_is_taken(void **state)
{
    (void)state;
    const char *path = tmp_path("length");
    static const uint64_t lengths[] = {0, 1, 3, 16 << 20, (16 << 20) + 1, 1u << 31, 1ull << 40,
                                       UINT64_MAX - 8, UINT64_MAX - 7, UINT64_MAX};
    struct ur__st_file *f;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        put_tensors(path, "{}", lengths[i], 0);
        size_t peak = ur_memory_peak();
        assert_status(UR_EFORMAT, ur__st_open(&f, path));
        assert_true(ur_memory_peak() < peak + 100000);
    }
    /* A header that is there in full and still too large. */
    struct ur__buf b = {0};
    assert_ok(ur__buf_puts(&b, "{}"));
    while (b.size <= 16 << 20)
        assert_ok(ur__buf_puts(&b, "                                                        "));
    put_tensors(path, b.data, b.size, 0);
    assert_status(UR_EFORMAT, ur__st_open(&f, path));
    assert_non_null(strstr(ur_errmsg(), "16 MiB"));
    b.data[16 << 20] = '\0';
    put_tensors(path, b.data, 16 << 20, 0);
    assert_ok(ur__st_open(&f, path));
    ur__st_close(f);
    /* One whose tree would be many times its size. */
    memset(b.data + 1, ',', (16 << 20) - 2);
    b.data[(16 << 20) - 1] = '}';
    size_t peak = ur_memory_peak();
    put_tensors(path, b.data, 16 << 20, 0);
    assert_status(UR_EFORMAT, ur__st_open(&f, path));
    assert_true(ur_memory_peak() < peak + (40 << 20));
    ur__buf_free(&b);
}

static const uint64_t two = 2;

static void safetensors__naming_is_checked(void **state)
{
    (void)state;
    static const uint64_t huge[2] = {(uint64_t)1 << 40, (uint64_t)1 << 40};
    static const uint64_t none[3] = {0, (uint64_t)1 << 40, (uint64_t)1 << 40};
    static const uint64_t many[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    float data[2] = {1, 2};
    struct ur__st_out *s;
    assert_ok(ur__st_out_new(&s));
    assert_ok(ur__st_out_tensor(s, "a", UR__F32, 1, &two, data));
    assert_status(UR_EINVAL, ur__st_out_tensor(s, "a", UR__F32, 1, &two, data));
    assert_status(UR_EINVAL, ur__st_out_tensor(s, "", UR__F32, 1, &two, data));
    assert_status(UR_EINVAL, ur__st_out_tensor(s, "a\033[2J", UR__F32, 1, &two, data));
    assert_status(UR_EINVAL, ur__st_out_tensor(s, "\xc2\x9b", UR__F32, 1, &two, data));
    assert_status(UR_EINVAL, ur__st_out_tensor(s, "\xff", UR__F32, 1, &two, data));
    assert_status(UR_EINVAL, ur__st_out_tensor(s, "__metadata__", UR__F32, 1, &two, data));
    assert_status(UR_ESHAPE, ur__st_out_tensor(s, "b", UR__F32, 2, huge, data));
    assert_status(UR_ESHAPE, ur__st_out_tensor(s, "b", UR__F32, 3, none, NULL));
    assert_status(UR_ESHAPE, ur__st_out_tensor(s, "b", UR__F32, 9, many, data));
    assert_status(UR_ESHAPE, ur__st_out_tensor(s, "b", UR__F32, -1, many, data));
    assert_ok(ur__st_out_meta(s, "k", "v"));
    assert_status(UR_EINVAL, ur__st_out_meta(s, "k", "w"));
    assert_status(UR_EINVAL, ur__st_out_meta(s, "l", "\xff"));
    const char *path = tmp_path("named");
    assert_ok(ur__st_out_save(s, path));
    ur__st_out_free(s);
    ur__st_out_free(NULL);
    struct ur__st_file *f;
    assert_ok(ur__st_open(&f, path));
    assert_int_equal(ur__st_count(f), 1);
    ur__st_close(f);
}

/* ldexp() is the independent way to a half's value. */
static double half_value(uint16_t h, int fraction_bits, int bias)
{
    int fraction = h & ((1 << fraction_bits) - 1);
    int exponent = (h & 0x7fff) >> fraction_bits;
    double sign = h & 0x8000 ? -1 : 1;
    if (exponent == (1 << (15 - fraction_bits)) - 1)
        return fraction ? (double)NAN : sign * (double)INFINITY;
    if (exponent == 0)
        return sign * ldexp(fraction, 1 - bias - fraction_bits);
    return sign * ldexp((1 << fraction_bits) + fraction, exponent - bias - fraction_bits);
}

static void safetensors__every_half_is_converted(void **state)
{
    (void)state;
    enum { N = 65536 };
    static uint16_t halves[N];
    static ur_real got[N];
    static const enum ur__dtype types[] = {UR__F16, UR__BF16};
    for (size_t i = 0; i < N; i++)
        halves[i] = (uint16_t)i;
    const char *path = tmp_path("halves");
    struct ur__st_out *s;
    const uint64_t n = N;
    assert_ok(ur__st_out_new(&s));
    assert_ok(ur__st_out_tensor(s, "F16", UR__F16, 1, &n, halves));
    assert_ok(ur__st_out_tensor(s, "BF16", UR__BF16, 1, &n, halves));
    assert_ok(ur__st_out_save(s, path));
    ur__st_out_free(s);
    struct ur__st_file *f;
    assert_ok(ur__st_open(&f, path));
    for (size_t k = 0; k < COUNT(types); k++) {
        assert_ok(ur__st_read_real(f, ur__st_find(f, ur__dtype_name(types[k])), got, N));
        for (size_t i = 0; i < N; i++) {
            double want = k == 0 ? half_value(halves[i], 10, 15) : half_value(halves[i], 7, 127);
            double have = (double)got[i];
            if (isnan(want) ? !isnan(have) : have != want || !signbit(have) != !signbit(want))
                fail_msg("%s %04x is read as %a", ur__dtype_name(types[k]), (unsigned)i, have);
        }
    }
    ur__st_close(f);
}

static void safetensors__reals_keep_their_bits(void **state)
{
    (void)state;
    enum { N = 20000 };
    static ur_real values[N], got[N];
    static float singles[N];
    static double doubles[N];
    for (uint32_t i = 0; i < N; i++) {
        doubles[i] = (ur_random_uniform(3, 5, 0, i) - 0.5) * 1e3;
        singles[i] = (float)doubles[i];
        values[i] = (ur_real)doubles[i];
    }
    const uint64_t n = N;
    const char *path = tmp_path("reals");
    struct ur__st_out *s;
    assert_ok(ur__st_out_new(&s));
    assert_ok(ur__st_out_tensor(s, "own", ur__st_real_type(), 1, &n, values));
    assert_ok(ur__st_out_tensor(s, "odd", UR__U8, 0, NULL, "x"));   /* unaligns the rest */
    assert_ok(ur__st_out_tensor(s, "single", UR__F32, 1, &n, singles));
    assert_ok(ur__st_out_tensor(s, "double", UR__F64, 1, &n, doubles));
    assert_ok(ur__st_out_save(s, path));
    ur__st_out_free(s);
    struct ur__st_file *f;
    assert_ok(ur__st_open(&f, path));
    assert_ok(ur__st_read_real(f, ur__st_find(f, "own"), got, N));
    assert_memory_equal(got, values, sizeof got);
    assert_ok(ur__st_read_real(f, ur__st_find(f, "single"), got, N));
    for (size_t i = 0; i < N; i++)
        assert_true(got[i] == (ur_real)singles[i]);
    assert_ok(ur__st_read_real(f, ur__st_find(f, "double"), got, N));
    assert_memory_equal(got, values, sizeof got);
    ur__st_close(f);
}

/* ---- out of memory ----------------------------------------------------- */

static const char *oom_path;

static ur_status save_for_oom(void)
{
    static const unsigned char data[48] = {9};
    return save_all_types(oom_path, data, NULL);
}

static ur_status load_for_oom(void)
{
    struct ur__st_file *f;
    ur_real values[6];
    uint32_t crc;
    UR__TRY(ur__st_open(&f, oom_path));
    ur_status status = ur__st_read_real(f, ur__st_find(f, "w.BF16"), values, 6);
    if (status == UR_OK)
        status = ur__st_data_crc(f, &crc);
    ur__st_close(f);
    return status;
}

static void safetensors__survives_every_failed_allocation(void **state)
{
    (void)state;
    oom_path = tmp_path("oom");
    put_file(oom_path, "old", 3);
    fail_every_allocation(save_for_oom, "safetensors, writing");
    fail_every_allocation(load_for_oom, "safetensors, reading");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(safetensors__round_trips_all_types),
        cmocka_unit_test(safetensors__same_content_same_bytes),
        cmocka_unit_test(safetensors__every_truncation_is_rejected),
        cmocka_unit_test(safetensors__malformed_headers_are_rejected),
        cmocka_unit_test(safetensors__takes_what_the_reference_reader_takes),
        cmocka_unit_test(safetensors__what_cannot_be_read_is_listed),
        cmocka_unit_test(safetensors__header_length_is_checked_before_memory_is_taken),
        cmocka_unit_test(safetensors__naming_is_checked),
        cmocka_unit_test(safetensors__every_half_is_converted),
        cmocka_unit_test(safetensors__reals_keep_their_bits),
        cmocka_unit_test(safetensors__survives_every_failed_allocation),
    };
    return cmocka_run_group_tests_name("safetensors", tests, NULL, NULL);
}
