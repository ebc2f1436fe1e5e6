/* SPDX-License-Identifier: MIT */
#include "data/vectors.h"

#include <string.h>

#include "base/status.h"
#include "data/cells.h"
#include "data/vocab.h"

#define MOST_WIDTH 65536

/* Fields of the line at hand, separated by single blanks or tabs; those at its end do not count. */
static int count_fields(struct ur__lines *l)
{
    int n = 1;
    while (l->n && (l->text[l->n - 1] == ' ' || l->text[l->n - 1] == '\t'))
        l->text[--l->n] = '\0';
    for (size_t i = 0; i < l->n; i++)
        n += l->text[i] == ' ' || l->text[i] == '\t';
    return n;
}

/* "400000 300": how many words, of how many numbers. */
static bool is_header(const char *line, int64_t *words, int64_t *width)
{
    char first[24];
    size_t n = strcspn(line, " \t");
    if (n >= sizeof first)
        return false;
    memcpy(first, line, n);
    first[n] = '\0';
    return line[n] && ur__parse_int(first, words) && ur__parse_int(line + n + 1, width);
}

ur_status ur__vectors_open(struct ur__vectors *v, const char *path)
{
    bool more;
    int64_t words, width;
    *v = (struct ur__vectors){.words = -1, .first_waits = true};
    UR__TRY(ur__lines_open(&v->lines, path, true, &v->tally));
    UR__TRY(ur__lines_next_filled(&v->lines, &more));
    if (!more)
        return ur__fail(UR_EDATA, "%s: holds no vector", v->lines.name);
    int fields = count_fields(&v->lines);
    v->width = fields - 1;
    if (fields == 2 && is_header(v->lines.text, &words, &width)) {
        if (width < 1 || width > MOST_WIDTH || words < 1)
            return ur__lines_fail(&v->lines, "vectors of %lld numbers are impossible",
                                  (long long)width);
        v->words = words;
        v->width = (int)width;
        v->first_waits = false;
    }
    if (v->width < 1 || v->width > MOST_WIDTH)
        return ur__lines_fail(&v->lines, "%d numbers after a word, not 1 to %d", v->width,
                              MOST_WIDTH);
    return UR_OK;
}

void ur__vectors_close(struct ur__vectors *v)
{
    ur__lines_close(&v->lines);
}

/* The token that is that word, -1: none. */
static int32_t find(const ur_vocab *vocab, const char *word, size_t n)
{
    uint32_t code = (unsigned char)*word;
    if (ur__is_words(ur_vocab_kind(vocab))) {
        int32_t id = ur__vocab_find_word(vocab, word, n);
        return id != UR__UNKNOWN || (n == strlen(UR__UNKNOWN_TEXT)
                                     && memcmp(word, UR__UNKNOWN_TEXT, n) == 0) ? id : -1;
    }
    size_t length = 1;
    if (ur_vocab_kind(vocab) == UR_TOKEN_CHAR)
        length = (size_t)ur__utf8_decode((const unsigned char *)word, n, &code);
    return length == n ? ur__vocab_find(vocab, code) : -1;
}

/* Where the last `width` fields begin: words of some files hold blanks. NULL: there are fewer. */
static char *numbers_of(const struct ur__lines *l, int width)
{
    char *s = l->text + l->n;
    for (int i = 0; i < width; i++) {
        do {
            if (s == l->text)
                return NULL;
        } while (*--s != ' ' && *s != '\t');
    }
    return s > l->text ? s : NULL;
}

/* The numbers of the line at hand go to the row, unless that is NULL. */
static ur_status take_numbers(const struct ur__lines *l, char *s, int width, ur_real *row)
{
    for (int i = 0; i < width; i++) {
        char *end = s + strcspn(s, " \t");
        float value;
        bool last = !*end;
        *end = '\0';
        if (!ur__cell_is_number((struct ur__cell){s, (size_t)(end - s)}, &value))
            return ur__lines_fail(l, "number %d of %d, \"%.40s\", is not a number", i + 1, width,
                                  s);
        if (row)
            row[i] = (ur_real)value;
        s = last ? end : end + 1;
    }
    return UR_OK;
}

static ur_status take_line(struct ur__vectors *v, const ur_vocab *vocab, ur_real *rows,
                           unsigned char *found, int64_t *count)
{
    struct ur__lines *l = &v->lines;
    count_fields(l);
    char *numbers = numbers_of(l, v->width);
    if (!numbers)
        return ur__lines_fail(l, "less than a word and %d numbers", v->width);
    int32_t id = find(vocab, l->text, (size_t)(numbers - l->text));
    bool is_new = id >= 0 && !found[id];
    UR__TRY(take_numbers(l, numbers + 1, v->width,
                         is_new ? rows + (size_t)id * (size_t)v->width : NULL));
    if (is_new) {
        found[id] = 1;
        ++*count;
    }
    return UR_OK;
}

ur_status ur__vectors_fill(struct ur__vectors *v, const ur_vocab *vocab, ur_real *rows,
                           unsigned char *found, int64_t *count)
{
    int64_t words = 0;
    bool more = true;
    *count = 0;
    memset(found, 0, (size_t)ur_vocab_size(vocab));
    for (bool first = v->first_waits; more; first = false) {
        if (!first)
            UR__TRY(ur__lines_next_filled(&v->lines, &more));
        if (!more)
            break;
        UR__TRY(take_line(v, vocab, rows, found, count));
        words++;
    }
    if (v->words >= 0 && words != v->words)
        return ur__fail(UR_EDATA, "%s: has %lld vectors, not the %lld of its first line",
                        v->lines.name, (long long)words, (long long)v->words);
    return UR_OK;
}
