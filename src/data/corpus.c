/* SPDX-License-Identifier: MIT */
/*
 * Reading texts into token numbers, each file once and in blocks.
 *
 * Without a vocabulary the codes or words are numbered as they appear; only at the end is
 * their order known, so the numbers are kept as they were given and turned into numbers
 * of the vocabulary when they are read (`order`).
 */
#include "data/corpus.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"
#include "data/noted.h"
#include "io/file.h"

#define BLOCK ((size_t)1 << 16)
#define PIECE 4096                      /* tokens looked at at a time, on the stack */
#define PAGES (0x110000 / 256)          /* of the code space */
/* Different words, and bytes of them, that are held while a vocabulary is sought. */
#define MOST_WORDS 1500000
#define MOST_WORD_BYTES ((size_t)64 << 20)

static int32_t most_words = MOST_WORDS;

void ur__corpus_set_most_words(int32_t n)
{
    most_words = n ? n : MOST_WORDS;
}

struct ur__corpus {
    struct ur__numbers numbers;
    uint64_t bytes;             /* of text */
    uint32_t crc;
    bool words;
    int64_t cut;
    struct ur__buf note;
    int32_t *order;             /* number as kept -> number in the vocabulary; NULL: the same */
};

/* What is needed while reading only. */
struct building {
    struct ur__corpus *corpus;
    ur_token_kind kind;
    const ur_vocab *vocab;      /* NULL: new codes and words are welcome */
    const char *of;             /* what messages call vocab */
    struct ur__line_ends ends;  /* of the file at hand */
    struct ur__noted noted;
    struct ur__unknown unknown; /* of vocab */
    int64_t n_unknown;
    char first_unknown[UR__WORD_MAX + 1];
    int n_codes;
    uint32_t *codes;            /* [n_codes] in order of appearance, room for capacity */
    int capacity;
    int32_t *page[PAGES];       /* code -> number, −1: none; NULL: none in 256 codes */
    struct ur__word_table words;
    struct ur__splitter splitter;
    size_t made;                /* numbers of this block; each takes a character at least, and
                                   at most two were left open by the block before */
    /* From here on nothing is read that was not written: 320 KB that need no clearing. */
    unsigned char text[BLOCK + 4];
    uint32_t number[BLOCK + 8];
};

static struct building *new_building(struct ur__corpus *c, const struct ur__text_rule *rule)
{
    struct building *g = ur__alloc(1, sizeof *g);
    if (!g)
        return NULL;
    memset(g, 0, offsetof(struct building, text));
    g->corpus = c;
    g->kind = rule->kind;
    g->vocab = rule->vocab;
    g->of = rule->of ? rule->of : "the model's vocabulary";
    g->ends.to_lf = rule->unix_newlines;
    return g;
}

static void free_building(struct building *g)
{
    for (int i = 0; i < PAGES; i++)
        ur__free(g->page[i]);
    ur__free(g->codes);
    ur__word_table_free(&g->words);
    ur__free(g);
}

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
    if (g->vocab)
        return ur__fail(UR_EDATA, "%s: %s at byte %llu is not in %s; %s", path,
                        ur__code_text(g->kind, code, what), (unsigned long long)at, g->of,
                        g->kind == UR_TOKEN_CHAR && code == '\r'
                            ? "--newlines unix reads CRLF as LF"
                            : "--unknown skip leaves such out, replace reads another for them");
    if (g->n_codes == UR__VOCAB_MAX)
        return ur__fail(UR_EDATA, "%s: %s at byte %llu is one too many for a vocabulary of %d; "
                        "the token kind byte has 256", path, ur__code_text(g->kind, code, what),
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

/* ---- numbering words --------------------------------------------------- */

static ur_status on_word(void *user, const char *word, size_t n)
{
    struct building *g = user;
    int32_t number;
    if (g->vocab) {
        number = ur__vocab_find_word(g->vocab, word, n);
        if (number == UR__UNKNOWN && g->n_unknown++ == 0)
            snprintf(g->first_unknown, sizeof g->first_unknown, "%.*s", (int)n, word);
        if (number == UR__UNKNOWN && g->unknown.how == UR_UNKNOWN_SKIP)
            return UR_OK;
    } else if (g->words.n >= most_words || g->words.size >= MOST_WORD_BYTES) {
        number = ur__word_find(&g->words, word, n);
        number = number < 0 ? UR__UNKNOWN : number;
    } else {
        UR__TRY(ur__word_add(&g->words, word, n, &number));
    }
    g->number[g->made++] = (uint32_t)number;
    return UR_OK;
}

static ur_status begin_words(struct building *g)
{
    int32_t number;
    g->splitter = (struct ur__splitter){
        .punctuation = g->kind == UR_TOKEN_WORDPUNCT, .on_word = on_word, .user = g
    };
    if (g->vocab)
        return UR_OK;
    UR__TRY(ur__word_add(&g->words, UR__UNKNOWN_TEXT, strlen(UR__UNKNOWN_TEXT), &number));
    return ur__word_add(&g->words, UR__LINE_END_TEXT, strlen(UR__LINE_END_TEXT), &number);
}

static ur_status append(struct building *g)
{
    struct ur__corpus *c = g->corpus;
    size_t n = g->made;
    int32_t most = c->words ? g->words.n : g->n_codes;
    if (g->vocab)
        most = ur_vocab_size(g->vocab);
    g->made = 0;
    return n ? ur__numbers_put(&c->numbers, n, g->number, (uint32_t)(most - 1)) : UR_OK;
}

/* ---- reading files ----------------------------------------------------- */

static ur_status malformed(const char *path, uint64_t at, unsigned char byte, bool ended)
{
    if (ended)
        return ur__fail(UR_EDATA, "%s: ends within the UTF-8 character at byte %llu; "
                        "the token kind byte takes any bytes", path, (unsigned long long)at);
    return ur__fail(UR_EDATA, "%s: malformed UTF-8 at byte %llu (0x%02X); "
                    "the token kind byte takes any bytes", path, (unsigned long long)at, byte);
}

static ur_status take_code(struct building *g, uint32_t code, const char *path, uint64_t at)
{
    int32_t number = find_code(g, code);
    if (number < 0 && g->vocab && g->unknown.how != UR_UNKNOWN_ERROR) {
        g->n_unknown++;
        if (g->unknown.how == UR_UNKNOWN_SKIP)
            return UR_OK;
        number = g->unknown.stand_in;
    } else if (number < 0) {
        UR__TRY(add_code(g, code, path, at));
        number = g->n_codes - 1;
    }
    g->number[g->made++] = (uint32_t)number;
    return UR_OK;
}

/* Tokens of the n bytes in g->text from *used on; text[0] is byte `start` of its file.
 * *used: bytes done; the others begin a character that goes on in the next block. */
static ur_status take_block(struct building *g, const char *path, uint64_t start, size_t n,
                            size_t *used)
{
    size_t at = *used;
    bool ends = g->kind != UR_TOKEN_BYTE && ur__line_ends_matter(&g->ends, g->text + at, n - at);
    for (int length; at < n; at += (size_t)length) {
        uint32_t code = g->text[at];
        length = 1;
        if (g->kind != UR_TOKEN_BYTE && code >= 0x80) {
            length = ur__utf8_decode(g->text + at, n - at, &code);
            if (length == 0)
                break;
            if (length < 0)
                return malformed(path, start + at, g->text[at], false);
        }
        if (ends && !ur__line_end(&g->ends, &code))
            continue;
        if (g->corpus->words)
            UR__TRY(ur__split_put(&g->splitter, code, (const char *)g->text + at, (size_t)length));
        else
            UR__TRY(take_code(g, code, path, start + at));
    }
    *used = at;
    return append(g);
}

/* Looks at a file's first bytes; *used: those of a byte order mark. */
static ur_status begin_file(struct building *g, const char *path, size_t n, size_t *used)
{
    g->ends = (struct ur__line_ends){.to_lf = g->ends.to_lf};
    if (g->kind == UR_TOKEN_BYTE) {
        ur__noted_head(&g->noted, path, g->text, n);
        return UR_OK;
    }
    *used = ur__text_mark(g->text, n);
    return ur__text_check(path, g->text, n);
}

static ur_status end_file(struct building *g, const char *path)
{
    ur__noted_ends(&g->noted, path, &g->ends, g->corpus->words);
    if (!g->corpus->words)
        return UR_OK;
    UR__TRY(ur__split_end(&g->splitter));
    if (g->vocab && g->unknown.how == UR_UNKNOWN_ERROR && g->n_unknown > 0) {
        char where[512];
        snprintf(where, sizeof where, "%s: ", path);
        return ur__unknown_fail(UR_EDATA, where, g->n_unknown, g->first_unknown);
    }
    return append(g);
}

/* Up to a block after the bytes held; at least so many unless the file ends. */
static ur_status read_block(struct building *g, struct ur__reader *r, size_t held, size_t least,
                            size_t *got)
{
    struct ur__corpus *c = g->corpus;
    unsigned char *to = g->text + held;
    *got = 0;
    for (size_t part = 1; part > 0 && *got < least; *got += part) {
        UR__TRY(ur__reader_read(r, to + *got, BLOCK - *got, &part));
        c->crc = ur__crc32(c->crc, to + *got, part);
        c->bytes += part;
    }
    return UR_OK;
}

static ur_status take_stream(struct building *g, struct ur__reader *r, const char *path)
{
    uint64_t start = 0;     /* place in the file of text[0] */
    size_t held = 0;        /* bytes of a character that the last block began */
    for (bool first = true;; first = false) {
        size_t got, used = 0;
        UR__TRY(read_block(g, r, held, first ? UR__TEXT_HEAD : 1, &got));
        if (first)
            UR__TRY(begin_file(g, path, got, &used));
        if (got == 0)
            return held ? malformed(path, start, g->text[0], true) : end_file(g, path);
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
static ur_status settle_codes(struct building *g, int32_t *order, ur_vocab **built)
{
    qsort(g->codes, (size_t)g->n_codes, sizeof *g->codes, compare_codes);
    for (int i = 0; i < g->n_codes; i++)
        order[find_code(g, g->codes[i])] = i;
    return ur__vocab_new(built, g->kind, g->n_codes, g->codes);
}

static ur_status settle(struct building *g, const struct ur__word_rule *rule, ur_vocab **built)
{
    struct ur__corpus *c = g->corpus;
    c->order = ur__alloc((size_t)(c->words ? g->words.n : g->n_codes), sizeof *c->order);
    if (!c->order)
        return UR_ENOMEM;
    if (!c->words)
        return settle_codes(g, c->order, built);
    struct ur__chosen chosen = {.order = c->order};
    ur_status status = ur__choose_words(built, g->kind, &g->words, &c->numbers, rule, &chosen);
    c->cut = chosen.cut;
    return status;
}

static ur_status begin_codes(struct building *g)
{
    g->n_codes = g->vocab ? ur_vocab_size(g->vocab) : 0;
    for (int i = 0; i < g->n_codes; i++)
        UR__TRY(number_code(g, ur__vocab_codes(g->vocab)[i], i));
    return UR_OK;
}

/* Unknown words that are kept as such are counted elsewhere. */
static ur_status note_unknown(const struct building *g, const char *path, struct ur__buf *note)
{
    if (g->n_unknown == 0 || (g->corpus->words && g->unknown.how == UR_UNKNOWN_REPLACE))
        return UR_OK;
    if (note->size > 0)
        UR__TRY(ur__buf_puts(note, "; "));
    return ur__unknown_note(&g->unknown, g->n_unknown, path, note);
}

static ur_status take_all(struct building *g, const char *const *paths, int n_paths,
                          const struct ur__word_rule *rule, ur_vocab **built)
{
    const struct ur__corpus *c = g->corpus;
    UR__TRY(c->words ? begin_words(g) : begin_codes(g));
    for (int i = 0; i < n_paths; i++)
        UR__TRY(take_file(g, paths[i]));
    UR__TRY(ur__noted_text(&g->noted, &g->corpus->note));
    UR__TRY(note_unknown(g, n_paths > 1 ? "the texts" : name_of(paths[0]), &g->corpus->note));
    const char *what = c->words && c->bytes ? "without words" : "empty";
    if (c->numbers.n == 0 && n_paths > 1)
        return ur__fail(UR_EDATA, "all %d files are %s (%s ...)", n_paths, what, paths[0]);
    if (c->numbers.n == 0)
        return ur__fail(UR_EDATA, "%s: the file is %s", name_of(paths[0]), what);
    return g->vocab ? UR_OK : settle(g, rule, built);
}

ur_status ur__corpus_open_rule(struct ur__corpus **out, const char *const *paths, int n_paths,
                               const struct ur__text_rule *rule, ur_vocab **built)
{
    *out = NULL;
    if (built)
        *built = NULL;
    if (n_paths < 1)
        return ur__fail(UR_EINVAL, "a text needs at least one file");
    if (rule->vocab ? ur_vocab_kind(rule->vocab) != rule->kind
                    : !built || !ur_token_kind_name(rule->kind))
        return ur__fail(UR_EINVAL, "corpus: the vocabulary does not fit the kind of token");
    struct ur__unknown unknown = {0};
    if (rule->vocab)
        UR__TRY(ur__unknown_init(&unknown, rule->vocab, rule->unknown));
    struct ur__corpus *c = ur__calloc(1, sizeof *c);
    struct building *g = c ? new_building(c, rule) : NULL;
    ur_status status = UR_ENOMEM;
    if (g) {
        c->words = ur__is_words(rule->kind);
        g->unknown = unknown;
        status = take_all(g, paths, n_paths, &rule->words, built);
        free_building(g);
    }
    if (status != UR_OK) {
        ur__corpus_free(c);
        return status;
    }
    *out = c;
    return UR_OK;
}

ur_status ur__corpus_open(struct ur__corpus **out, const char *const *paths, int n_paths,
                          ur_token_kind kind, const ur_vocab *vocab, ur_vocab **built)
{
    const struct ur__text_rule rule = {.kind = kind, .vocab = vocab, .words = {.min_count = 1}};
    return ur__corpus_open_rule(out, paths, n_paths, &rule, built);
}

void ur__corpus_free(struct ur__corpus *c)
{
    if (!c)
        return;
    ur__numbers_free(&c->numbers);
    ur__buf_free(&c->note);
    ur__free(c->order);
    ur__free(c);
}

/* ---- looking ----------------------------------------------------------- */

int64_t ur__corpus_tokens(const struct ur__corpus *c)
{
    return c->numbers.n;
}

uint64_t ur__corpus_bytes(const struct ur__corpus *c)
{
    return c->bytes;
}

uint32_t ur__corpus_crc(const struct ur__corpus *c)
{
    return c->crc;
}

uint64_t ur__corpus_spooled(const struct ur__corpus *c)
{
    const struct ur__numbers *a = &c->numbers;
    return a->spool ? (uint64_t)a->n * (uint64_t)a->width : 0;
}

const char *ur__corpus_note(const struct ur__corpus *c)
{
    return c->note.data;
}

int64_t ur__corpus_cut(const struct ur__corpus *c)
{
    return c->cut;
}

static ur_status check_part(const struct ur__corpus *c, int64_t begin, int64_t n)
{
    if (begin < 0 || n < 0 || begin > c->numbers.n || n > c->numbers.n - begin)
        return ur__fail(UR_EINVAL, "corpus: tokens %lld to %lld of %lld", (long long)begin,
                        (long long)begin + n, (long long)c->numbers.n);
    return UR_OK;
}

ur_status ur__corpus_read(struct ur__corpus *c, int64_t begin, int64_t n, int32_t *ids)
{
    UR__TRY(check_part(c, begin, n));
    /* Numbers are below 2^31: both types hold them alike. */
    UR__TRY(ur__numbers_read(&c->numbers, begin, (size_t)n, (uint32_t *)ids));
    for (int64_t i = 0; c->order && i < n; i++)
        ids[i] = c->order[ids[i]];
    return UR_OK;
}

ur_status ur__corpus_unknown(struct ur__corpus *c, int64_t begin, int64_t n, int64_t *count)
{
    *count = 0;
    UR__TRY(check_part(c, begin, n));
    for (int64_t at = 0; c->words && at < n; at += PIECE) {
        int32_t ids[PIECE];
        int64_t m = n - at < PIECE ? n - at : PIECE;
        UR__TRY(ur__corpus_read(c, begin + at, m, ids));
        for (int64_t i = 0; i < m; i++)
            *count += ids[i] == UR__UNKNOWN;
    }
    return UR_OK;
}
