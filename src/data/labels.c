/* SPDX-License-Identifier: MIT */
#include "data/labels.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"

int ur__label_name(const char *text, size_t n, char to[UR__WORD_MAX])
{
    size_t made = 0;
    bool space = false;
    for (size_t at = 0; at < n; ) {
        uint32_t code;
        int length = ur__utf8_decode((const unsigned char *)text + at, n - at, &code);
        if (length <= 0)
            return -1;
        if (ur__is_space(code)) {
            space = true;
        } else {
            bool part = space && made > 0;
            if (made + part + (size_t)length > UR__WORD_MAX)
                return -1;
            if (part)
                to[made++] = '_';
            memcpy(to + made, text + at, (size_t)length);
            made += (size_t)length;
            space = false;
        }
        at += (size_t)length;
    }
    return (int)made;
}

/* ---- their order ------------------------------------------------------- */

struct entry {
    const char *name;
    size_t n;
    int64_t value;
    int32_t number;     /* in the table */
};

static int by_bytes(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = memcmp(x->name, y->name, x->n < y->n ? x->n : y->n);
    return order ? order : (x->n > y->n) - (x->n < y->n);
}

static int by_value(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return x->value != y->value ? (x->value > y->value) - (x->value < y->value) : by_bytes(a, b);
}

/* Sorts the labels and lays their names out in text, each with a zero. */
static void sort(struct entry *entry, const struct ur__word_table *table, char *text)
{
    bool numbers = true;
    for (int32_t i = 0; i < table->n; i++) {
        struct entry *e = &entry[i];
        const char *name = ur__word_at(table, i, &e->n);
        e->name = memcpy(text, name, e->n);
        text[e->n] = '\0';
        text += e->n + 1;
        e->number = i;
        e->value = 0;
        numbers = numbers && ur__parse_int(e->name, &e->value);
    }
    qsort(entry, (size_t)table->n, sizeof *entry, numbers ? by_value : by_bytes);
}

ur_status ur__labels_settle(ur_vocab **out, const struct ur__word_table *table, int32_t *order)
{
    size_t n = (size_t)table->n;
    *out = NULL;
    if (n > UR__VOCAB_MAX - UR__FIRST_LABEL)
        return ur__fail(UR_EDATA, "%zu different labels are too many: at most %d", n,
                        UR__VOCAB_MAX - UR__FIRST_LABEL);
    if (table->size > UR__VOCAB_TEXT_MAX)
        return ur__fail(UR_EDATA, "the names of %zu labels are too long: at most %zu bytes", n,
                        UR__VOCAB_TEXT_MAX);
    struct entry *entry = ur__alloc(n, sizeof *entry);
    char *text = ur__alloc(table->size + n + 1, 1);
    const char **words = ur__alloc(n + UR__FIRST_LABEL, sizeof *words);
    ur_status status = entry && text && words ? UR_OK : UR_ENOMEM;
    if (status == UR_OK) {
        sort(entry, table, text);
        words[UR__UNKNOWN] = UR__UNKNOWN_TEXT;
        words[UR__LINE_END] = UR__LINE_END_TEXT;
        for (size_t i = 0; i < n; i++) {
            words[UR__FIRST_LABEL + i] = entry[i].name;
            order[entry[i].number] = (int32_t)i;
        }
        status = ur__vocab_new_words(out, UR_TOKEN_WORD, (int)n + UR__FIRST_LABEL, words);
    }
    ur__free(entry);
    ur__free(text);
    ur__free(words);
    return status;
}

/* ---- looking ----------------------------------------------------------- */

int32_t ur__label_find(const ur_vocab *labels, const char *name, size_t n)
{
    int32_t id = ur__vocab_find_word(labels, name, n);
    return id < UR__FIRST_LABEL ? -1 : id - UR__FIRST_LABEL;
}

int ur__label_count(const ur_vocab *labels)
{
    return ur_vocab_size(labels) - UR__FIRST_LABEL;
}

const char *ur__label_text(const ur_vocab *labels, int32_t label, size_t *n)
{
    return ur_vocab_text(labels, label < 0 ? -1 : label + UR__FIRST_LABEL, n);
}

size_t ur__label_names_size(const ur_vocab *labels)
{
    size_t sum = 0, n;
    for (int32_t k = 0; k < ur__label_count(labels); k++) {
        ur__label_text(labels, k, &n);
        sum += n + 1;
    }
    return sum;
}

void ur__label_names(const ur_vocab *labels, char *to, const char **name)
{
    for (int32_t k = 0; k < ur__label_count(labels); k++) {
        size_t n;
        const char *text = ur__label_text(labels, k, &n);
        name[k] = memcpy(to, text, n);
        to[n] = '\0';
        to += n + 1;
    }
}
