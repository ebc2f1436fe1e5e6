/* SPDX-License-Identifier: MIT */
#include "task/label_hint.h"

#include <string.h>

#include "data/labels.h"

enum { LOOKED_AT = 20 };

/* What parts the fields of a line, by what comes first; '\0': it has one field. */
static char separator_of(const char *line, size_t n)
{
    for (const char *c = "\t,;"; *c; c++)
        if (memchr(line, *c, n))
            return *c;
    return '\0';
}

static bool is_label(const ur_vocab *labels, const char *field, size_t n)
{
    char name[UR__WORD_MAX];
    if (n > 1 && field[0] == '"' && field[n - 1] == '"') {
        field++;
        n -= 2;
    }
    int length = ur__label_name(field, n, name);
    return length > 0 && ur__label_find(labels, name, (size_t)length) >= 0;
}

void ur__label_hint_see(struct ur__label_hint *h, const ur_vocab *labels, const char *line,
                        size_t n)
{
    if (n == 0 || h->lines == LOOKED_AT)
        return;
    const char separator = separator_of(line, n);
    bool found = false;
    for (size_t at = 0; separator && at <= n && !found; ) {
        const char *end = memchr(line + at, separator, n - at);
        size_t length = end ? (size_t)(end - line) - at : n - at;
        found = is_label(labels, line + at, length);
        at += length + 1;
    }
    h->lines++;
    h->labelled += found;
}

/* One such line may be a text; most of several are not. */
const char *ur__label_hint_note(const struct ur__label_hint *h)
{
    return h->labelled > 1 && 2 * h->labelled > h->lines
        ? "the input looks like rows with a label among their fields, and was read as lines of "
          "text, labels and all: say what it is with format" : NULL;
}
