/* SPDX-License-Identifier: MIT */
/*
 * Reading texts into token numbers, each file once and in blocks.
 *
 * Without a vocabulary the codes are numbered as they appear; only at the end is
 * their order known, so the numbers are kept as they were given and turned into
 * places in the vocabulary when they are read (`order`). They take one byte each
 * until the 257th code appears, then two.
 *
 * Invariant: all that was appended has the present width, in memory or in the spool,
 * never in both.
 */
#include "data/corpus.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"
#include "io/file.h"

#define BLOCK ((size_t)1 << 16)
#define SPOOL_AT ((size_t)64 << 20)
#define PIECE 4096                      /* tokens converted at a time, on the stack */
#define PAGES (0x110000 / 256)          /* of the code space */

static size_t spool_at = SPOOL_AT;

void ur__corpus_set_spool_at(size_t bytes)
{
    spool_at = bytes ? bytes : SPOOL_AT;
}

struct ur__corpus {
    int64_t tokens;
    uint64_t bytes;             /* of text */
    uint32_t crc;
    int width;                  /* bytes a number: 1 or 2 */
    unsigned char *data;        /* [tokens] of width, or NULL: in the spool */
    size_t size, capacity;
    struct ur__spool *spool;
    int32_t *order;             /* number as kept -> number in the vocabulary; NULL: the same */
};

/* What is needed while reading only. */
struct building {
    struct ur__corpus *corpus;
    ur_token_kind kind;
    bool growing;               /* new codes are welcome */
    int n_codes;
    uint32_t *codes;            /* [n_codes] in order of appearance, room for capacity */
    int capacity;
    int32_t *page[PAGES];       /* code -> number, −1: none; NULL: none in 256 codes */
    unsigned char text[BLOCK + 4];
    uint16_t number[BLOCK + 4];
};

/* ---- numbering codes --------------------------------------------------- */

static ur_status number_code(struct building *g, uint32_t code, int32_t number)
{
    int32_t **page = &g->page[code >> 8];
    if (!*page) {
        *page = ur__alloc(256, sizeof **page);
        if (!*page)
            return UR_ENOMEM;
        for (int i = 0; i < 256; i++)
            (*page)[i] = -1;
    }
    (*page)[code & 255] = number;
    return UR_OK;
}

static int32_t find_code(const struct building *g, uint32_t code)
{
    const int32_t *page = g->page[code >> 8];
    return page ? page[code & 255] : -1;
}

/* A code that has no number yet gets the next one. */
static ur_status add_code(struct building *g, uint32_t code, const char *path, uint64_t at)
{
    char what[UR__CODE_TEXT];
    if (!g->growing)
        return ur__fail(UR_EDATA, "%s: %s at byte %llu is not in the model's vocabulary", path,
                        ur__code_text(g->kind, code, what), (unsigned long long)at);
    if (g->n_codes == UR__VOCAB_MAX)
        return ur__fail(UR_EDATA, "%s: %s at byte %llu is one too many for a vocabulary of %d; "
                        "use --tokens byte", path, ur__code_text(g->kind, code, what),
                        (unsigned long long)at, UR__VOCAB_MAX);
    if (g->n_codes == g->capacity) {
        int capacity = g->capacity ? 2 * g->capacity : 256;
        uint32_t *codes = ur__realloc(g->codes, (size_t)capacity, sizeof *codes);
        if (!codes)
            return UR_ENOMEM;
        g->codes = codes;
        g->capacity = capacity;
    }
    UR__TRY(number_code(g, code, g->n_codes));
    g->codes[g->n_codes++] = code;
    return UR_OK;
}

/* ---- keeping numbers --------------------------------------------------- */

static ur_status reserve(struct ur__corpus *c, size_t more)
{
    if (c->size + more <= c->capacity)
        return UR_OK;
    size_t capacity = 2 * c->capacity;
    if (capacity < c->size + more)
        capacity = c->size + more;
    unsigned char *data = ur__realloc(c->data, capacity, 1);
    if (!data)
        return UR_ENOMEM;
    c->data = data;
    c->capacity = capacity;
    return UR_OK;
}

static ur_status put(struct ur__corpus *c, const void *bytes, size_t n)
{
    if (n == 0)
        return UR_OK;   /* memcpy wants places even for nothing */
    if (!c->spool && c->size + n > spool_at) {
        UR__TRY(ur__spool_new(&c->spool));
        if (c->size)
            UR__TRY(ur__spool_append(c->spool, c->data, c->size));
        ur__free(c->data);
        c->data = NULL;
        c->size = c->capacity = 0;
    }
    if (c->spool)
        return ur__spool_append(c->spool, bytes, n);
    UR__TRY(reserve(c, n));
    memcpy(c->data + c->size, bytes, n);
    c->size += n;
    return UR_OK;
}

/* Makes every number two bytes wide. */
static ur_status widen(struct ur__corpus *c)
{
    struct ur__corpus wide = {.width = 2};
    ur_status status = UR_OK;
    for (int64_t at = 0; at < c->tokens && status == UR_OK; at += PIECE) {
        unsigned char narrow[PIECE];
        uint16_t number[PIECE];
        size_t n = c->tokens - at < PIECE ? (size_t)(c->tokens - at) : PIECE;
        if (c->spool)
            status = ur__spool_read(c->spool, (uint64_t)at, narrow, n);
        else
            memcpy(narrow, c->data + at, n);
        for (size_t i = 0; i < n; i++)
            number[i] = narrow[i];
        if (status == UR_OK)
            status = put(&wide, number, n * sizeof *number);
    }
    if (status != UR_OK) {
        ur__free(wide.data);
        ur__spool_free(wide.spool);
        return status;
    }
    ur__free(c->data);
    ur__spool_free(c->spool);
    c->data = wide.data;
    c->size = wide.size;
    c->capacity = wide.capacity;
    c->spool = wide.spool;
    c->width = 2;
    return UR_OK;
}

static ur_status append(struct building *g, size_t n)
{
    struct ur__corpus *c = g->corpus;
    if (c->width == 1 && g->n_codes > 256)
        UR__TRY(widen(c));
    if (c->width == 2) {
        UR__TRY(put(c, g->number, n * sizeof *g->number));
    } else {
        unsigned char *narrow = (unsigned char *)g->number;
        for (size_t i = 0; i < n; i++)
            narrow[i] = (unsigned char)g->number[i];
        UR__TRY(put(c, narrow, n));
    }
    c->tokens += (int64_t)n;
    return UR_OK;
}

/* ---- reading files ----------------------------------------------------- */

static ur_status malformed(const char *path, uint64_t at, unsigned char byte, bool ended)
{
    if (ended)
        return ur__fail(UR_EDATA, "%s: ends within the UTF-8 character at byte %llu; "
                        "--tokens byte takes any bytes", path, (unsigned long long)at);
    return ur__fail(UR_EDATA, "%s: malformed UTF-8 at byte %llu (0x%02X); "
                    "--tokens byte takes any bytes", path, (unsigned long long)at, byte);
}

/* Tokens of the n bytes in g->text, the first of which is byte `start` of its file.
 * *used: bytes done; the others begin a character that goes on in the next block. */
static ur_status take_block(struct building *g, const char *path, uint64_t start, size_t n,
                            size_t *used)
{
    size_t at = 0, made = 0;
    while (at < n) {
        uint32_t code = g->text[at];
        int length = 1;
        if (g->kind == UR_TOKEN_CHAR && code >= 0x80) {
            length = ur__utf8_decode(g->text + at, n - at, &code);
            if (length == 0)
                break;
            if (length < 0)
                return malformed(path, start + at, g->text[at], false);
        }
        int32_t number = find_code(g, code);
        if (number < 0) {
            UR__TRY(add_code(g, code, path, start + at));
            number = g->n_codes - 1;
        }
        g->number[made++] = (uint16_t)number;
        at += (size_t)length;
    }
    *used = at;
    return append(g, made);
}

static ur_status take_stream(struct building *g, struct ur__reader *r, const char *path)
{
    struct ur__corpus *c = g->corpus;
    uint64_t start = 0;     /* place in the file of text[0] */
    size_t held = 0;        /* bytes of a character that the last block began */
    for (;;) {
        size_t got, used = 0;
        UR__TRY(ur__reader_read(r, g->text + held, BLOCK, &got));
        if (got == 0)
            return held ? malformed(path, start, g->text[0], true) : UR_OK;
        c->crc = ur__crc32(c->crc, g->text + held, got);
        c->bytes += got;
        UR__TRY(take_block(g, path, start, held + got, &used));
        start += used;
        held = held + got - used;
        memmove(g->text, g->text + used, held);
    }
}

/* As messages name it. */
static const char *name_of(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

static ur_status take_file(struct building *g, const char *path)
{
    struct ur__reader *r;
    UR__TRY(ur__reader_open(&r, path));
    ur_status status = take_stream(g, r, name_of(path));
    ur__reader_close(r);
    return status;
}

/* ---- making ------------------------------------------------------------ */

static int compare_codes(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The vocabulary of the codes seen, and the way from their numbers to it. */
static ur_status settle(struct building *g, ur_vocab **built)
{
    size_t n = (size_t)g->n_codes;
    int32_t *order = ur__alloc(n, sizeof *order);
    if (!order)
        return UR_ENOMEM;
    g->corpus->order = order;
    qsort(g->codes, n, sizeof *g->codes, compare_codes);
    for (int i = 0; i < g->n_codes; i++)
        order[find_code(g, g->codes[i])] = i;
    return ur__vocab_new(built, g->kind, g->n_codes, g->codes);
}

static ur_status take_all(struct building *g, const char *const *paths, int n_paths,
                          const ur_vocab *vocab, ur_vocab **built)
{
    g->n_codes = vocab ? ur_vocab_size(vocab) : 0;
    for (int i = 0; i < g->n_codes; i++)
        UR__TRY(number_code(g, ur__vocab_codes(vocab)[i], i));
    for (int i = 0; i < n_paths; i++)
        UR__TRY(take_file(g, paths[i]));
    if (g->corpus->tokens == 0 && n_paths > 1)
        return ur__fail(UR_EDATA, "all %d files are empty (%s ...)", n_paths, paths[0]);
    if (g->corpus->tokens == 0)
        return ur__fail(UR_EDATA, "%s: the file is empty", name_of(paths[0]));
    return vocab ? UR_OK : settle(g, built);
}

ur_status ur__corpus_open(struct ur__corpus **out, const char *const *paths, int n_paths,
                          ur_token_kind kind, const ur_vocab *vocab, ur_vocab **built)
{
    *out = NULL;
    if (built)
        *built = NULL;
    if (n_paths < 1)
        return ur__fail(UR_EINVAL, "a text needs at least one file");
    if (vocab ? ur_vocab_kind(vocab) != kind : !built || !ur_token_kind_name(kind))
        return ur__fail(UR_EINVAL, "corpus: the vocabulary does not fit the kind of token");
    struct ur__corpus *c = ur__calloc(1, sizeof *c);
    struct building *g = c ? ur__calloc(1, sizeof *g) : NULL;
    ur_status status = UR_ENOMEM;
    if (g) {
        c->width = 1;
        *g = (struct building){.corpus = c, .kind = kind, .growing = !vocab};
        status = take_all(g, paths, n_paths, vocab, built);
        for (int i = 0; i < PAGES; i++)
            ur__free(g->page[i]);
        ur__free(g->codes);
        ur__free(g);
    }
    if (status != UR_OK) {
        ur__corpus_free(c);
        return status;
    }
    *out = c;
    return UR_OK;
}

void ur__corpus_free(struct ur__corpus *c)
{
    if (!c)
        return;
    ur__free(c->data);
    ur__spool_free(c->spool);
    ur__free(c->order);
    ur__free(c);
}

/* ---- looking ----------------------------------------------------------- */

int64_t ur__corpus_tokens(const struct ur__corpus *c)
{
    return c->tokens;
}

uint64_t ur__corpus_bytes(const struct ur__corpus *c)
{
    return c->bytes;
}

uint32_t ur__corpus_crc(const struct ur__corpus *c)
{
    return c->crc;
}

ur_status ur__corpus_read(struct ur__corpus *c, int64_t begin, int64_t n, int32_t *ids)
{
    if (begin < 0 || n < 0 || begin > c->tokens || n > c->tokens - begin)
        return ur__fail(UR_EINVAL, "corpus: tokens %lld to %lld of %lld", (long long)begin,
                        (long long)begin + n, (long long)c->tokens);
    size_t width = (size_t)c->width;
    while (n > 0) {
        unsigned char piece[2 * PIECE];
        const unsigned char *from = piece;
        size_t take = n < PIECE ? (size_t)n : PIECE;
        if (c->spool)
            UR__TRY(ur__spool_read(c->spool, (uint64_t)begin * width, piece, take * width));
        else
            from = c->data + (size_t)begin * width;
        for (size_t i = 0; i < take; i++) {
            uint16_t number = from[i];
            if (width == 2)
                memcpy(&number, from + 2 * i, 2);
            ids[i] = c->order ? c->order[number] : number;
        }
        begin += (int64_t)take;
        ids += take;
        n -= (int64_t)take;
    }
    return UR_OK;
}
