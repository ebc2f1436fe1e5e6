/* SPDX-License-Identifier: MIT */
#include "base/option.h"

#include <stdio.h>
#include <string.h>

#include "base/locale.h"
#include "base/status.h"

/* ---- what a value must be ---------------------------------------------- */

static bool is_real(const ur_option *o)
{
    return o->kind == UR_OPTION_REAL || o->kind == UR_OPTION_SECONDS;
}

static void describe_number(const ur_option *o, char *to, size_t n)
{
    const char *what = is_real(o) ? "a number" : "a whole number";
    const char *least = o->flags & UR_OPTION_OPEN_MIN ? "above" : "of at least";
    if (!(o->max < UR__OPTION_MANY))
        ur__format(to, n, "%s %s %g", what, least, o->min);
    else if (!(o->flags & (UR_OPTION_OPEN_MIN | UR_OPTION_OPEN_MAX)))
        ur__format(to, n, "%s from %.10g to %.10g", what, o->min, o->max);
    else
        ur__format(to, n, "%s %s %g and %s %g", what, least, o->min,
                   o->flags & UR_OPTION_OPEN_MAX ? "below" : "at most", o->max);
}

/* The i-th word of a choice, and the value that it stands for; NULL: there are no more. */
static const char *word_at(const ur_option *o, int i, int *value)
{
    if (o->choices)
        return o->choices(i, value);
    *value = i + (int)o->min;
    return o->words[i];
}

static const char *join_words(const ur_option *o, char to[UR__OPTION_MUST])
{
    size_t used = 0;
    const char *word;
    to[0] = '\0';
    for (int i = 0, value; (word = word_at(o, i, &value)) && used < UR__OPTION_MUST; i++)
        used += (size_t)snprintf(to + used, UR__OPTION_MUST - used, "%s%s", i ? "|" : "", word);
    return to;
}

const char *ur__option_arg(const ur_option *o, char to[UR__OPTION_MUST])
{
    if (!o->arg && (o->words || o->choices))
        return join_words(o, to);
    return o->arg ? o->arg : "";
}

const char *ur__option_must(const ur_option *o, char to[UR__OPTION_MUST])
{
    char part[UR__OPTION_MUST - 100];
    switch (o->kind) {
    case UR_OPTION_FLAG:
        snprintf(to, UR__OPTION_MUST, "yes or no");
        break;
    case UR_OPTION_CHOICE:
    case UR_OPTION_EITHER:
        snprintf(part, sizeof part, "%s", join_words(o, to));
        snprintf(to, UR__OPTION_MUST, "one of %s", part);
        break;
    case UR_OPTION_SECONDS:
        snprintf(to, UR__OPTION_MUST, "a time such as 90s, 10m or 2h");
        break;
    case UR_OPTION_SEED:
        snprintf(to, UR__OPTION_MUST, "a whole number from 0 to %llu%s",
                 (unsigned long long)UINT64_MAX,
                 o->arg && strstr(o->arg, "|random") ? ", or random" : "");
        break;
    case UR_OPTION_LIST_OF_INT:
        describe_number(o, part, sizeof part);
        snprintf(to, UR__OPTION_MUST, "%s, or up to %d of them with commas between", part,
                 UR_OPTION_LIST);
        break;
    case UR_OPTION_INT:
    case UR_OPTION_COUNT:
    case UR_OPTION_REAL:
        describe_number(o, to, UR__OPTION_MUST);
        break;
    case UR_OPTION_WORD:
        snprintf(to, UR__OPTION_MUST, "%s%s", strchr(o->arg, '|') ? "one of " : "", o->arg);
        break;
    case UR_OPTION_TEXT:
    case UR_OPTION_ACTION:
        snprintf(to, UR__OPTION_MUST, "a text");
        break;
    }
    return to;
}

/* ---- from text --------------------------------------------------------- */

bool ur__option_in_range(const ur_option *o, double v)
{
    bool above = o->flags & UR_OPTION_OPEN_MIN ? v > o->min : v >= o->min;
    bool below = o->flags & UR_OPTION_OPEN_MAX ? v < o->max : v <= o->max;
    return above && (below || o->max >= UR__OPTION_MANY);
}

static bool read_whole(const ur_option *o, const char *text, int64_t *out)
{
    return ur__parse_int(text, out) && ur__option_in_range(o, (double)*out);
}

static bool read_seed(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

/* More than a hundred years is a slip of the finger. */
static bool read_seconds(const char *text, double *out)
{
    char digits[32];
    size_t n = strlen(text);
    double unit = 1;
    if (n > 0 && strchr("smh", text[n - 1])) {
        n--;
        unit = text[n] == 'h' ? 3600 : text[n] == 'm' ? 60 : 1;
    }
    if (n == 0 || n >= sizeof digits)
        return false;
    memcpy(digits, text, n);
    digits[n] = '\0';
    if (!ur__parse_real(digits, out) || *out <= 0)
        return false;
    *out *= unit;
    return *out <= 3.2e9;
}

/* Is text one of the words of "a|b|c"? */
static bool is_word(const char *words, const char *text)
{
    size_t length = strlen(text);
    for (const char *at = words;; at++) {
        size_t n = strcspn(at, "|");
        if (n == length && strncmp(at, text, n) == 0)
            return true;
        at += n;
        if (!*at)
            return false;
    }
}

/* The value of a word; NULL: that of the first one. */
static bool find_word(const ur_option *o, const char *text, int *value)
{
    const char *word;
    for (int i = 0; (word = word_at(o, i, value)); i++)
        if (!text || strcmp(word, text) == 0)
            return true;
    return false;
}

/* One number stands for all; of more the rest is 0. */
static bool read_list(const ur_option *o, const char *text, void *values)
{
    int list[UR_OPTION_LIST] = {0}, n = 0;
    for (bool more = true; more; ) {
        char number[16];
        size_t length = strcspn(text, ",");
        int64_t v;
        if (length == 0 || length >= sizeof number || n == UR_OPTION_LIST)
            return false;
        memcpy(number, text, length);
        number[length] = '\0';
        if (!read_whole(o, number, &v))
            return false;
        list[n++] = (int)v;
        more = text[length] == ',';
        text += length + more;
    }
    for (int i = 1; n == 1 && i < UR_OPTION_LIST; i++)
        list[i] = list[0];
    memcpy((char *)values + o->at, list, sizeof list);
    if (n > 1 && o->at_n)
        *(int *)(void *)((char *)values + o->at_n) = n;
    return true;
}

static void store_int(void *at, int64_t value)
{
    int v = (int)value;
    memcpy(at, &v, sizeof v);
}

bool ur__option_read(const ur_option *o, const char *text, void *values)
{
    void *at = (char *)values + o->at;
    int64_t whole = 0;
    double real = 0;
    uint64_t seed = 0;
    int value;
    switch (o->kind) {
    case UR_OPTION_FLAG:
        if (text && strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
            return false;
        *(bool *)at = text && strcmp(text, "yes") == 0;
        return true;
    case UR_OPTION_INT:
        if (text && !read_whole(o, text, &whole))
            return false;
        store_int(at, whole);
        return true;
    case UR_OPTION_COUNT:
        if (text && !read_whole(o, text, &whole))
            return false;
        *(int64_t *)at = whole;
        return true;
    case UR_OPTION_SEED:
        if (text && !read_seed(text, &seed))
            return false;
        *(uint64_t *)at = seed;
        return true;
    case UR_OPTION_REAL:
        if (text && !(ur__parse_real(text, &real) && ur__option_in_range(o, real)))
            return false;
        *(double *)at = real;
        return true;
    case UR_OPTION_SECONDS:
        if (text && !read_seconds(text, &real))
            return false;
        *(double *)at = real;
        return true;
    case UR_OPTION_TEXT:
        *(const char **)at = text;
        return true;
    case UR_OPTION_CHOICE:
        if (!find_word(o, text, &value))
            return false;
        store_int(at, value);
        return true;
    case UR_OPTION_EITHER:
        if (!find_word(o, text, &value))
            return false;
        *(bool *)at = value > (int)o->min;
        return true;
    case UR_OPTION_LIST_OF_INT:
        if (text)
            return read_list(o, text, values);
        memset(at, 0, UR_OPTION_LIST * sizeof(int));
        return true;
    case UR_OPTION_WORD:
        if (text && !is_word(o->arg, text))
            return false;
        *(const char **)at = text;
        return true;
    case UR_OPTION_ACTION: return true;
    }
    return false;
}

/* ---- to text ----------------------------------------------------------- */

/* Numbers of a list that are to be written: its length, or one if all are equal. */
static int list_length(const ur_option *o, const void *values)
{
    const int *list = (const int *)(const void *)((const char *)values + o->at);
    int n = o->at_n ? *(const int *)(const void *)((const char *)values + o->at_n) : 0;
    if (n < 1 || n > UR_OPTION_LIST)
        n = UR_OPTION_LIST;
    for (int i = 1; i < n; i++)
        if (list[i] != list[0])
            return n;
    return 1;
}

static const char *word_of(const ur_option *o, int value)
{
    const char *word;
    for (int i = 0, other; (word = word_at(o, i, &other)); i++)
        if (other == value)
            return word;
    return "";
}

ur_status ur__option_write(const ur_option *o, const void *values, struct ur__buf *to)
{
    const void *at = (const char *)values + o->at;
    int word;
    switch (o->kind) {
    case UR_OPTION_FLAG: return ur__buf_puts(to, *(const bool *)at ? "yes" : "no");
    case UR_OPTION_EITHER: return ur__buf_puts(to, o->words[*(const bool *)at]);
    case UR_OPTION_ACTION: return UR_OK;
    case UR_OPTION_TEXT:
    case UR_OPTION_WORD:
        return ur__buf_puts(to, *(const char *const *)at ? *(const char *const *)at : "");
    case UR_OPTION_CHOICE:
        memcpy(&word, at, sizeof word);
        return ur__buf_puts(to, word_of(o, word));
    case UR_OPTION_INT:
        memcpy(&word, at, sizeof word);
        return ur__buf_printf(to, "%d", word);
    case UR_OPTION_COUNT: return ur__buf_printf(to, "%lld", (long long)*(const int64_t *)at);
    case UR_OPTION_SEED:
        return ur__buf_printf(to, "%llu", (unsigned long long)*(const uint64_t *)at);
    case UR_OPTION_REAL:
    case UR_OPTION_SECONDS: return ur__buf_printf(to, "%.17g", *(const double *)at);
    case UR_OPTION_LIST_OF_INT:
        for (int i = 0, n = list_length(o, values); i < n; i++)
            UR__TRY(ur__buf_printf(to, "%s%d", i ? "," : "", ((const int *)at)[i]));
        return UR_OK;
    }
    return UR_OK;
}

ur_status ur__option_show(const ur_option *o, const void *values, struct ur__buf *to)
{
    if (o->kind != UR_OPTION_REAL && o->kind != UR_OPTION_SECONDS)
        return ur__option_write(o, values, to);
    double x = *(const double *)(const void *)((const char *)values + o->at), shown;
    size_t before = to->size;
    for (int digits = 6; digits <= 17; digits++) {
        to->size = before;
        UR__TRY(ur__buf_printf(to, "%.*g", digits, x));
        if (o->kind != UR_OPTION_REAL || !ur__parse_real(to->data + before, &shown) ||
            ur__option_in_range(o, shown))
            break;      /* else it is rounded to what it may not be: 0.9999999 is not 1 */
    }
    return UR_OK;
}

size_t ur__option_size(const ur_option *o)
{
    switch (o->kind) {
    case UR_OPTION_FLAG:
    case UR_OPTION_EITHER: return sizeof(bool);
    case UR_OPTION_INT:
    case UR_OPTION_CHOICE: return sizeof(int);
    case UR_OPTION_COUNT: return sizeof(int64_t);
    case UR_OPTION_SEED: return sizeof(uint64_t);
    case UR_OPTION_REAL:
    case UR_OPTION_SECONDS: return sizeof(double);
    case UR_OPTION_TEXT:
    case UR_OPTION_WORD: return sizeof(const char *);
    case UR_OPTION_ACTION: return 0;
    case UR_OPTION_LIST_OF_INT: return UR_OPTION_LIST * sizeof(int);
    }
    return 0;
}

bool ur__option_same(const ur_option *o, const void *a, const void *b)
{
    const char *x = (const char *)a + o->at, *y = (const char *)b + o->at;
    if (o->kind == UR_OPTION_TEXT || o->kind == UR_OPTION_WORD) {
        const char *s = *(const char *const *)(const void *)x;
        const char *t = *(const char *const *)(const void *)y;
        return s == t || (s && t && strcmp(s, t) == 0);
    }
    if (is_real(o) && *(const double *)(const void *)x == *(const double *)(const void *)y)
        return true;    /* 0 and −0 */
    return memcmp(x, y, ur__option_size(o)) == 0;
}

/* ---- tables ------------------------------------------------------------ */

int ur__option_find(const ur_option_table *table, const char *name, size_t n)
{
    for (int i = 0; i < table->n; i++) {
        const char *own = table->rows[i].name;
        size_t at = 0;
        while (at < n && own[at] && own[at] == (name[at] == '_' ? '-' : name[at]))
            at++;
        if (at == n && !own[at])
            return i;
    }
    return -1;
}

void ur__options_defaults(const ur_option_table *table, void *values)
{
    memset(values, 0, table->size);
    if (table->init)
        table->init(values);
    for (int i = 0; i < table->n; i++) {
        const ur_option *o = &table->rows[i];
        bool possible = !o->fallback || ur__option_read(o, o->fallback, values);
        UR__ASSERT(possible);
        (void)possible;
    }
}

void ur__options_init(ur_options *options, const ur_option_table *table)
{
    UR__ASSERT(table->size <= UR_OPTIONS_ROOM && table->n <= 128);
    memset(options, 0, sizeof *options);
    options->size = sizeof *options;
    options->table = table;
    ur__options_defaults(table, options->value.bytes);
}

void *ur__options_values(ur_options *options)
{
    return options->value.bytes;
}

const void *ur__options_read(const ur_options *options)
{
    return options->value.bytes;
}

void ur__options_give(ur_options *options, int row)
{
    options->given[row / 64] |= (uint64_t)1 << row % 64;
}

bool ur__options_has(const ur_options *options, int row)
{
    return options->given[row / 64] >> row % 64 & 1;
}

ur_status ur__options_check(const ur_options *options, const char *what)
{
    if (!options || options->size != sizeof *options || !options->table)
        return ur__fail(UR_EINVAL, "the %s options were not initialised", what);
    if (strcmp(options->table->what, what) != 0)
        return ur__fail(UR_EINVAL, "these are %s options, not %s options", options->table->what,
                        what);
    return UR_OK;
}

/* Is a flag no, a number 0? */
static bool is_off(const ur_option *o, const void *values)
{
    static const unsigned char zeros[sizeof(double)];
    const size_t n = ur__option_size(o);
    return n <= sizeof zeros && memcmp((const char *)values + o->at, zeros, n) == 0;
}

ur_status ur__options_check_with(const ur_options *options)
{
    const ur_option_table *t = options->table;
    for (int i = 0; i < t->n; i++) {
        const char *with = ur__options_has(options, i) ? t->rows[i].with : NULL;
        int row = with ? ur__option_find(t, with, strlen(with)) : -1;
        UR__ASSERT(!with || row >= 0);
        if (row >= 0 && is_off(&t->rows[row], options->value.bytes))
            return ur__fail(UR_EINVAL, "%s belongs to %s, which is off", t->rows[i].name, with);
    }
    return UR_OK;
}

/* ---- by name ----------------------------------------------------------- */

static int find(const ur_options *options, const char *name)
{
    int row = ur__option_find(options->table, name, strlen(name));
    if (row < 0)
        ur__fail(UR_EINVAL, "%s %s has no option %.80s", options->table->what,
                 options->table->name, name);
    return row;
}

/* The length of a list, where a row that was set says it: a list that is longer or shorter does not
 * then change it. NULL: no row says it. */
static int *fixed_length(ur_options *options, const ur_option *list)
{
    const ur_option_table *t = options->table;
    for (int i = 0; list->at_n && i < t->n; i++)
        if (t->rows[i].at == list->at_n && ur__options_has(options, i))
            return (int *)(void *)(options->value.bytes + list->at_n);
    return NULL;
}

ur_status ur_options_set(ur_options *options, const char *name, const char *text)
{
    UR__NEED(options, "options");
    UR__NEED(options->table, "options->table");
    UR__NEED(name, "name");
    UR__NEED(text, "text");
    char must[UR__OPTION_MUST];
    int row = find(options, name);
    if (row < 0)
        return UR_EINVAL;
    const ur_option *o = &options->table->rows[row];
    int *length = fixed_length(options, o), before = length ? *length : 0;
    bool read = ur__option_read(o, text, options->value.bytes);
    if (length)
        *length = before;
    if (!read)
        return ur__fail(UR_EINVAL, "%s %.200s: must be %s", o->name, text,
                        ur__option_must(o, must));
    ur__options_give(options, row);
    return UR_OK;
}

ur_status ur_options_get(const ur_options *options, const char *name, char *text, size_t n)
{
    UR__NEED(options, "options");
    UR__NEED(options->table, "options->table");
    UR__NEED(name, "name");
    UR__NEED(text, "text");
    struct ur__buf value = {0};
    int row = find(options, name);
    if (row < 0)
        return UR_EINVAL;
    ur_status status = ur__option_write(&options->table->rows[row], options->value.bytes, &value);
    if (status == UR_OK && value.size >= n)
        status = ur__fail(UR_EINVAL, "%s: its value needs %zu bytes, and there is room "
                          "for %zu", name, value.size + 1, n);
    if (status == UR_OK)
        snprintf(text, n, "%s", value.size ? value.data : "");
    ur__buf_free(&value);
    return status;
}

bool ur_options_given(const ur_options *options, const char *name)
{
    UR__NEED_OR(options, "options", false);
    UR__NEED_OR(options->table, "options->table", false);
    UR__NEED_OR(name, "name", false);
    int row = find(options, name);
    return row >= 0 && ur__options_has(options, row);
}

const ur_option *ur_options_at(const ur_options *options, int i)
{
    UR__NEED_OR(options, "options", NULL);
    UR__NEED_OR(options->table, "options->table", NULL);
    return i >= 0 && i < options->table->n ? &options->table->rows[i] : NULL;
}
