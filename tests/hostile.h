/* SPDX-License-Identifier: MIT */
/* Files made by hand to do harm: a header written as text around a model's own, held in
 * memory, loaded under a watch on memory. */
#ifndef UR_TESTS_HOSTILE_H
#define UR_TESTS_HOSTILE_H

#include "testing.h"

#include "base/mem.h"
#include "base/text.h"
#include "support/heap.h"
#include "support/memory_file.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define HOSTILE "mem:hostile"

/* A gated net of 3 units over 4 characters, as its file has it. */
#define CONFIG                                                                             \
    "{\"arch\":\"lm\",\"cell\":\"gru\",\"hidden\":[3],\"dropout\":0,\"embed\":0,\"tie\":false}"
/* The same in version 1. */
#define OLD_CONFIG                                                                         \
    "{\"task\":\"lm\",\"tokens\":\"char\",\"cell\":\"gru\",\"activation\":\"tanh\","       \
    "\"reset\":\"after\",\"hidden\":[3],\"embed\":0,\"tie\":false,\"dropout\":0,"          \
    "\"orthogonal\":false,\"forget_bias\":0}"
#define VOCAB "{\"tokens\":\"char\",\"codes\":[1,2,3,5]}"
#define TENSORS                                                                            \
    "\"rnn.weight_ih_l0\":{\"dtype\":\"F32\",\"shape\":[9,4],\"data_offsets\":[0,144]},"    \
    "\"rnn.weight_hh_l0\":{\"dtype\":\"F32\",\"shape\":[9,3],\"data_offsets\":[144,252]},"  \
    "\"rnn.bias_ih_l0\":{\"dtype\":\"F32\",\"shape\":[9],\"data_offsets\":[252,288]},"      \
    "\"rnn.bias_hh_l0\":{\"dtype\":\"F32\",\"shape\":[9],\"data_offsets\":[288,324]},"      \
    "\"decoder.weight\":{\"dtype\":\"F32\",\"shape\":[4,3],\"data_offsets\":[324,372]},"    \
    "\"decoder.bias\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[372,388]}"
enum { DATA = 388 };

static struct ur__buf hostile_bytes;
static int hostile_cases, hostile_faults;
static size_t hostile_worst;        /* share of the memory allowed, in thousandths */

/* Text as a JSON string. */
static inline void put_quoted(struct ur__buf *b, const char *text)
{
    assert_ok(ur__buf_puts(b, "\""));
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            assert_ok(ur__buf_puts(b, "\\"));
        if (*text == '\n')
            assert_ok(ur__buf_puts(b, "\\n"));
        else
            assert_ok(ur__buf_put(b, text, 1));
    }
    assert_ok(ur__buf_puts(b, "\""));
}

static inline void put_zeros(struct ur__buf *b, size_t n)
{
    static const char zeros[4096];
    for (; n > 0; n -= n < sizeof zeros ? n : sizeof zeros)
        assert_ok(ur__buf_put(b, zeros, n < sizeof zeros ? n : sizeof zeros));
}

/* The header of n bytes, its length in front, `data` zeros behind. */
static inline void make_file(const char *header, size_t n, size_t data)
{
    struct ur__buf *b = &hostile_bytes;
    b->size = 0;
    for (int i = 0; i < 8; i++)
        assert_ok(ur__buf_put(b, &(char){(char)((uint64_t)n >> 8 * i & 0xff)}, 1));
    assert_ok(ur__buf_put(b, header, n));
    put_zeros(b, data);
    memory_file(HOSTILE, b->data, b->size);
}

static inline void make_model_of(const char *version, const char *config, const char *vocab,
                                 const char *training)
{
    struct ur__buf b = {0};
    assert_ok(ur__buf_printf(&b, "{\"__metadata__\":{\"format\":\"unroll\","
                             "\"format_version\":\"%s\",\"config\":", version));
    put_quoted(&b, config);
    if (strcmp(version, "1") != 0)
        assert_ok(ur__buf_puts(&b, ",\"task\":\"lm\""));
    assert_ok(ur__buf_puts(&b, ",\"vocab\":"));
    put_quoted(&b, vocab);
    assert_ok(ur__buf_puts(&b, ",\"training\":"));
    put_quoted(&b, training);
    assert_ok(ur__buf_puts(&b, "}," TENSORS "}"));
    make_file(b.data, b.size, DATA);
    ur__buf_free(&b);
}

/* The net with another configuration, vocabulary or summary (NULL: its own). */
static inline void make_model(const char *config, const char *vocab, const char *training)
{
    make_model_of("2", config ? config : CONFIG, vocab ? vocab : VOCAB,
                  training ? training : "{}");
}

/* `text` with `from` replaced by `to`; ur__free it. */
static inline char *replaced(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    struct ur__buf b = {0};
    assert_non_null(at);
    assert_ok(ur__buf_put(&b, text, (size_t)(at - text)));
    assert_ok(ur__buf_puts(&b, to));
    assert_ok(ur__buf_puts(&b, at + strlen(from)));
    return b.data;
}

/* `part` n times, %d in it replaced by the number. */
static inline void put_many(struct ur__buf *b, const char *part, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *mark = strstr(part, "%d");
        if (i)
            assert_ok(ur__buf_puts(b, ","));
        if (mark)
            assert_ok(ur__buf_printf(b, "%.*s%zu%s", (int)(mark - part), part, i, mark + 2));
        else
            assert_ok(ur__buf_puts(b, part));
    }
}

/* After heap_mark() and a load of the file at HOSTILE: the status, a part of the message,
 * which is one line of UTF-8 that names the file, and the memory allowed. */
static inline void assert_refused(ur_status got, ur_status want, const char *part)
{
    size_t n, allowed, taken = heap_taken();
    const void *bytes = memory_file_bytes(HOSTILE, &n);
    const char *message = ur_errmsg();
    if (got != want || (*part && !strstr(message,
        part))) {    /* go on: the others are of interest too */
        print_error("%s, not %s with \"%s\": %s\n", ur_status_name(got), ur_status_name(want), part,
                    message);
        hostile_faults++;
        return;
    }
    if (strncmp(message, HOSTILE ": ", strlen(HOSTILE) + 2) != 0)
        fail_msg("\"%s\" does not begin with the file", message);
    assert_true(ur__is_utf8(message) && ur__is_plain(message));
    allowed = heap_allowed(n, heap_header(bytes, n));
    if (taken > allowed)
        fail_msg("%zu bytes of memory for a file of %zu, allowed are %zu (%s)", taken, n, allowed,
                 message);
    if (taken * 1000 / allowed > hostile_worst)
        hostile_worst = taken * 1000 / allowed;
    hostile_cases++;
}

/* At the end of each test. */
static inline int hostile_check(void **state)
{
    (void)state;
    int faults = hostile_faults;
    hostile_faults = 0;
    return faults;
}

static inline int hostile_set_up(void **state)
{
    (void)state;
    heap_watch();
    memory_files_on();
    return 0;
}

static inline int hostile_tear_down(void **state)
{
    (void)state;
    memory_files_off();
    ur__buf_free(&hostile_bytes);
    print_message("%d hostile files refused, memory at most %zu.%zu %% of what is allowed\n",
                  hostile_cases, hostile_worst / 10, hostile_worst % 10);
    return ur__mem_blocks() == 0 ? 0 : 1;
}

#endif
