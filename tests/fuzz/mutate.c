/* SPDX-License-Identifier: MIT */
/*
 * Mutants of safetensors files that get past the first checks.
 *
 * The header is text of numbers, words and signs, those inside metadata strings too
 * (configuration and vocabulary are JSON in JSON). A mutant has a few of them exchanged,
 * dropped or doubled; then, most of the time, offsets are laid out anew from types and
 * shapes, the data gets the size that they ask for, and the length in front is right.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 1 << 15, MAX_DATA = 1 << 12, MAX_TOKENS = 4096 };

struct text {
    char at[ROOM];
    size_t n;
};

static uint32_t seed;

static uint32_t draw(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % below;
}

static void put(struct text *to, const char *s, size_t n)
{
    n = n < ROOM - to->n ? n : ROOM - to->n;
    memcpy(to->at + to->n, s, n);
    to->n += n;
}

static void puts_to(struct text *to, const char *s)
{
    put(to, s, strlen(s));
}

/* Replaces `old` bytes at `at` by n others. */
static void splice(struct text *t, size_t at, size_t old, const char *s, size_t n)
{
    if (t->n - old + n > ROOM)
        return;
    memmove(t->at + at + n, t->at + at + old, t->n - at - old);
    memcpy(t->at + at, s, n);
    t->n += n - old;
}

/* ---- tokens ------------------------------------------------------------ */

struct token {
    size_t at, n;
    char kind;              /* 'n' number, 'w' word, else the sign */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static size_t find_tokens(const struct text *t, struct token *token)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n && n < MAX_TOKENS; n++) {
        size_t begin = i++;
        char c = t->at[begin], kind = c;
        if (is_digit(c) || c == '-') {
            kind = 'n';
            while (i < t->n && (is_digit(t->at[i]) || t->at[i] == '.'))
                i++;
        } else if (is_letter(c)) {
            kind = 'w';
            while (i < t->n && (is_letter(t->at[i]) || is_digit(t->at[i])))
                i++;
        }
        token[n] = (struct token){begin, i - begin, kind};
    }
    return n;
}

static const char *const numbers[] = {
    "0", "1", "-1", "2", "3", "4", "7", "8", "9", "12", "16", "32", "33", "127", "128", "255",
    "256", "65535", "65536", "65537", "2147483647", "2147483648", "4294967295", "4294967296",
    "4611686018427387904", "9223372036854775807", "9223372036854775808", "18446744073709551616",
    "0.5", "1e308", "1e999", "-0", "0.1", "1.0", "55296", "1114111", "1114112",
};

static const char *const words[] = {
    "F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL",
    "dtype", "shape", "data_offsets", "__metadata__", "format", "format_version", "unroll",
    "config", "vocab", "training", "task", "lm", "fill", "tokens", "byte", "char", "word",
    "wordpunct", "cell", "rnn", "lstm", "gru", "activation", "tanh", "relu", "sigmoid", "satlin",
    "reset", "after", "before", "hidden", "embed", "tie", "dropout", "orthogonal", "forget_bias",
    "projection", "peepholes", "coupled", "cell_clip", "time_residual", "learned_state",
    "variational", "recurrent_dropout", "zoneout_h", "zoneout_c", "codes", "words", "true",
    "false", "null", "a", "b", "checksum", "version", "options", "data", "progress", "end",
    "epochs", "steps", "seconds", "step", "weight_hh_l0", "bias_ih_l0", "decoder", "carried",
};

static const char *const signs[] = {
    "{", "}", "[", "]", ",", ":", "\"", "\\\"", " ", "\\u0000", "\\u001b", "\\u00e9", "\xc2\x9b",
    "\xff", "\x01", "[[", "{}", "[]", "\"\"", ",,", "\\\\", "\n", "<unk>", "</s>", "\\/",
};

#define ANY(list) ((list)[draw(sizeof(list) / sizeof *(list))])

/* Exchanges, drops, doubles or inserts one token. */
static void edit(struct text *t)
{
    static struct token token[MAX_TOKENS];
    size_t n = find_tokens(t, token);
    if (n == 0)
        return;
    struct token k = token[draw((uint32_t)n)];
    const struct token other = token[draw((uint32_t)n)];
    char copy[256];
    size_t m = other.n < sizeof copy ? other.n : sizeof copy;
    memcpy(copy, t->at + other.at, m);
    const char *s = k.kind == 'n' ? ANY(numbers) : k.kind == 'w' ? ANY(words) : ANY(signs);
    switch (draw(8)) {
    case 0:
        splice(t, k.at, k.n, "", 0);
        break;
    case 1:
        splice(t, k.at, k.n, copy, m);
        break;
    case 2:
        splice(t, k.at, 0, copy, m);
        break;
    case 3:
        s = ANY(signs);
        splice(t, k.at, 0, s, strlen(s));
        break;
    default:
        splice(t, k.at, k.n, s, strlen(s));
    }
}

/* Doubles or drops what stands between two commas. */
static void edit_member(struct text *t)
{
    static char copy[ROOM];
    size_t begin = draw((uint32_t)t->n + 1);
    while (begin > 0 && t->at[begin - 1] != ',' && t->at[begin - 1] != '{')
        begin--;
    size_t end = begin;
    for (uint32_t commas = 1 + draw(4); end < t->n && commas > 0; end++)
        commas -= t->at[end] == ',';
    if (draw(2)) {
        splice(t, begin, end - begin, "", 0);
    } else {
        memcpy(copy, t->at + begin, end - begin);
        splice(t, end, 0, copy, end - begin);
    }
}

/* ---- making it right again --------------------------------------------- */

static size_t type_size(const char *s)
{
    static const struct { const char *name; size_t size; } types[] = {
        {"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"I64", 8}, {"I32", 4}, {"I16", 2},
        {"I8", 1}, {"U64", 8}, {"U32", 4}, {"U16", 2}, {"U8", 1}, {"BOOL", 1},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        size_t n = strlen(types[i].name);
        if (strncmp(s, types[i].name, n) == 0 && s[n] == '"')
            return types[i].size;
    }
    return 1;
}

static const char *find(const struct text *t, size_t from, const char *what)
{
    size_t n = strlen(what);
    for (size_t i = from; i + n <= t->n; i++) {
        if (memcmp(t->at + i, what, n) == 0)
            return t->at + i + n;
    }
    return NULL;
}

/* Lays the data out anew: after each dtype and shape its offsets, one after the other.
 * Returns the size of the data. */
static size_t tile(struct text *t)
{
    uint64_t end = 0;
    size_t from = 0;
    t->at[t->n < ROOM ? t->n : ROOM - 1] = '\0';
    for (const char *s; (s = find(t, from, "\"dtype\":\"")) != NULL; ) {
        uint64_t size = type_size(s);
        const char *shape = find(t, (size_t)(s - t->at), "\"shape\":[");
        const char *offsets = find(t, (size_t)(s - t->at), "\"data_offsets\":[");
        from = (size_t)(s - t->at);
        if (!shape || !offsets || shape > offsets)
            continue;
        for (char *at = (char *)(uintptr_t)shape; *at && *at != ']'; at += *at == ',') {
            char *begin = at;
            size *= strtoull(begin, &at, 10);
            if (at == begin)
                break;
        }
        const char *close = memchr(offsets, ']', t->n - (size_t)(offsets - t->at));
        if (!close || size > MAX_DATA)
            continue;
        char text[64];
        snprintf(text, sizeof text, "%llu,%llu", (unsigned long long)end,
                 (unsigned long long)(end + size));
        end += size;
        from = (size_t)(offsets - t->at);
        splice(t, from, (size_t)(close - offsets), text, strlen(text));
        t->at[t->n < ROOM ? t->n : ROOM - 1] = '\0';
    }
    return (size_t)(end < MAX_DATA ? end : MAX_DATA);
}

/* The largest end among the offsets as they are. */
static size_t data_end(struct text *t)
{
    uint64_t most = 0;
    size_t from = 0;
    t->at[t->n < ROOM ? t->n : ROOM - 1] = '\0';
    for (const char *s; (s = find(t, from, "\"data_offsets\":[")) != NULL; ) {
        const char *comma = strchr(s, ',');
        uint64_t end = comma ? strtoull(comma + 1, NULL, 10) : 0;
        most = end > most && end <= MAX_DATA ? end : most;
        from = (size_t)(s - t->at);
    }
    return (size_t)most;
}

/* ---- from nothing ------------------------------------------------------ */

static void make_tensor(struct text *t, uint32_t i)
{
    char name[64];
    snprintf(name, sizeof name, "%s\"%s%u\":{\"dtype\":\"%s\",\"shape\":[", i ? "," : "",
             ANY(words), (unsigned)i, words[draw(13)]);
    puts_to(t, name);
    for (uint32_t d = 0, rank = draw(10); d < rank; d++) {
        puts_to(t, d ? "," : "");
        puts_to(t, draw(6) ? numbers[draw(6)] : ANY(numbers));
    }
    puts_to(t, "],\"data_offsets\":[0,0]}");
}

static void make_header(struct text *t)
{
    t->n = 0;
    puts_to(t, "{");
    uint32_t n = 0;
    if (draw(2)) {
        puts_to(t, "\"__metadata__\":{");
        for (uint32_t m = draw(4), i = 0; i < m; i++) {
            puts_to(t, i ? ",\"" : "\"");
            puts_to(t, ANY(words));
            puts_to(t, "\":\"");
            puts_to(t, draw(2) ? ANY(words) : ANY(signs));
            puts_to(t, "\"");
        }
        puts_to(t, "}");
        n = 1;
    }
    for (uint32_t end = n + draw(6); n < end; n++)
        make_tensor(t, n);
    puts_to(t, "}");
}

/* ---- the mutator ------------------------------------------------------- */

static size_t header_of(const uint8_t *data, size_t size)
{
    uint64_t n = 0;
    for (int i = 7; i >= 0; i--)
        n = n << 8 | data[i];
    return n <= size - 8 ? (size_t)n : size - 8;
}

static size_t mutate_header(uint8_t *data, size_t size, size_t max)
{
    static struct text t;
    static uint8_t rest[MAX_DATA];
    size_t header = header_of(data, size), n = size - 8 - header;
    t.n = header < ROOM ? header : ROOM;
    memcpy(t.at, data + 8, t.n);
    n = n < MAX_DATA ? n : MAX_DATA;
    memset(rest, 0, sizeof rest);
    memcpy(rest, data + 8 + header, n);
    if (draw(24) == 0)
        make_header(&t);
    for (uint32_t edits = draw(4); edits > 0; edits--) {
        if (draw(5))
            edit(&t);
        else
            edit_member(&t);
    }
    if (n && draw(4) == 0)
        n = LLVMFuzzerMutate(rest, n, MAX_DATA);
    uint32_t how = draw(4);
    if (how > 0)
        n = how > 1 ? tile(&t) : data_end(&t);
    uint64_t length = draw(32) ? t.n : t.n + draw(3) - 1;
    if (8 + t.n + n > max)
        return LLVMFuzzerMutate(data, size, max);
    for (int i = 0; i < 8; i++)
        data[i] = (uint8_t)(length >> 8 * i);
    memcpy(data + 8, t.at, t.n);
    memcpy(data + 8 + t.n, rest, n);
    return 8 + t.n + n;
}

static size_t mutate_file(uint8_t *data, size_t size, size_t max)
{
    if (size < 10 || draw(16) == 0)
        return LLVMFuzzerMutate(data, size, max);
    return mutate_header(data, size, max);
}

/* Drops the plan or one number of it, or makes one. Its size. */
static size_t mutate_plan(uint8_t *data, size_t *size, size_t max)
{
    uint8_t made[] = {0xff, (uint8_t)draw(10), (uint8_t)draw(64), draw(4) ? 0 : (uint8_t)draw(4)};
    size_t n = fuzz_plan_size(data, *size);
    if (n == 0 && draw(8) == 0 && *size + sizeof made <= max) {
        memmove(data + sizeof made, data, *size);
        memcpy(data, made, sizeof made);
        n = sizeof made;
        *size += n;
    } else if (n > 0 && draw(16) == 0) {
        memmove(data, data + n, *size - n);
        *size -= n;
        n = 0;
    } else if (n > 0 && draw(2)) {
        size_t at = 1 + draw((uint32_t)n - 1);
        data[at] = made[at];
    }
    return n;
}

size_t mutate_safetensors(uint8_t *data, size_t size, size_t max, unsigned with)
{
    seed = with * 2654435761u | 1;
    size_t n = mutate_plan(data, &size, max);
    return n + mutate_file(data + n, size - n, max - n);
}
