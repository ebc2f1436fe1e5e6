/* SPDX-License-Identifier: MIT */
#include "io/option_json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/locale.h"
#include "base/mem.h"
#include "base/status.h"

const char *ur__option_key(const ur_option *o, char to[UR__OPTION_KEY])
{
    size_t n = 0;
    for (; o->name[n] && n < UR__OPTION_KEY - 1; n++)
        to[n] = o->name[n] == '-' ? '_' : o->name[n];
    to[n] = '\0';
    return to;
}

/* ---- writing ----------------------------------------------------------- */

static void set_list(struct ur__json *j, const char *key, const ur_option *o, const void *values)
{
    const int *list = (const int *)(const void *)((const char *)values + o->at);
    int n = o->at_n ? *(const int *)(const void *)((const char *)values + o->at_n) : 1;
    struct ur__json *array = ur__json_new_array();
    for (int i = 0; i < n && i < UR_OPTION_LIST; i++)
        ur__json_add_int(array, list[i]);
    ur__json_set(j, key, array);
}

void ur__option_to_json(const ur_option *o, const void *values, struct ur__json *j)
{
    const void *at = (const char *)values + o->at;
    char key[UR__OPTION_KEY];
    struct ur__buf text = {0};
    int whole;
    ur__option_key(o, key);
    switch (o->kind) {
    case UR_OPTION_FLAG: ur__json_set_bool(j, key, *(const bool *)at); break;
    case UR_OPTION_INT:
        memcpy(&whole, at, sizeof whole);
        ur__json_set_int(j, key, whole);
        break;
    case UR_OPTION_COUNT: ur__json_set_int(j, key, *(const int64_t *)at); break;
    case UR_OPTION_REAL:
    case UR_OPTION_SECONDS: ur__json_set_real(j, key, *(const double *)at); break;
    case UR_OPTION_LIST_OF_INT: set_list(j, key, o, values); break;
    case UR_OPTION_SEED: ur__json_set_seed(j, key, *(const uint64_t *)at); break;
    case UR_OPTION_ACTION: break;
    case UR_OPTION_TEXT:
    case UR_OPTION_WORD:
    case UR_OPTION_CHOICE:
    case UR_OPTION_EITHER:
        if (ur__option_write(o, values, &text) != UR_OK)
            ur__json_set(j, key, NULL);     /* remembers that there was no memory */
        else
            ur__json_set_string(j, key, text.size ? text.data : "");
        ur__buf_free(&text);
        break;
    }
}

void ur__options_to_json(const ur_option_table *table, const void *values, unsigned without,
                         struct ur__json *j)
{
    union ur__option_values standard;
    UR__ASSERT(table->size <= sizeof standard);
    ur__options_defaults(table, &standard);
    for (int i = 0; i < table->n; i++) {
        const ur_option *o = &table->rows[i];
        bool standing = ur__option_same(o, values, &standard);
        bool left_out = o->flags & UR_OPTION_SPARSE && standing;
        if (!(o->flags & (without | UR_OPTION_IMPLIED)) && !left_out)
            ur__option_to_json(o, values, j);
    }
}

/* ---- reading ----------------------------------------------------------- */

/* Neither allocates: no memory would look like an impossible value. */
static bool read_list(const ur_option *o, const struct ur__json *value, void *values)
{
    char text[UR_OPTION_LIST * 24];
    size_t n = ur__json_size(value), used = 0;
    if (!ur__json_is_array(value) || n < 1 || n > UR_OPTION_LIST)
        return false;
    for (size_t i = 0; i < n; i++) {
        int64_t whole;
        if (!ur__json_int(ur__json_at(value, i), &whole))
            return false;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%lld", i ? "," : "",
                                 (long long)whole);
    }
    if (!ur__option_read(o, text, values))
        return false;
    /* A list of one has its length, too. */
    int length = (int)n;
    if (o->at_n)
        memcpy((char *)values + o->at_n, &length, sizeof length);
    return true;
}

/* In the C locale. */
static void put_real(char *to, size_t n, ...)
{
    va_list args;
    va_start(args, n);
    ur__vformat(to, n, "%.17g", args);
    va_end(args);
}

static bool read_number(const ur_option *o, const struct ur__json *value, void *values)
{
    char text[40];
    int64_t whole;
    double real;
    if (ur__json_int(value, &whole))
        snprintf(text, sizeof text, "%lld", (long long)whole);
    else if (o->kind == UR_OPTION_REAL && ur__json_real(value, &real))
        put_real(text, sizeof text, real);
    else
        return false;
    return ur__option_read(o, text, values);
}

bool ur__option_from_json(const ur_option *o, const struct ur__json *value, void *values)
{
    const char *text;
    double seconds;
    switch (o->kind) {
    case UR_OPTION_FLAG: return ur__json_bool(value, (bool *)((char *)values + o->at));
    case UR_OPTION_SECONDS:
        if (!ur__json_real(value, &seconds) || seconds < 0)
            return false;
        memcpy((char *)values + o->at, &seconds, sizeof seconds);
        return true;
    case UR_OPTION_LIST_OF_INT: return read_list(o, value, values);
    case UR_OPTION_CHOICE:
    case UR_OPTION_EITHER:
        return ur__json_string(value, &text) && ur__option_read(o, text, values);
    case UR_OPTION_SEED:
        if (ur__json_string(value, &text))
            return ur__option_read(o, text, values);
        return read_number(o, value, values);
    case UR_OPTION_INT:
    case UR_OPTION_COUNT:
    case UR_OPTION_REAL: return read_number(o, value, values);
    case UR_OPTION_TEXT:
    case UR_OPTION_WORD:
    case UR_OPTION_ACTION: return false;    /* a borrowed text would outlive its document */
    }
    return false;
}

struct reading {
    const ur_option_table *table;
    const char *other;
    void *values;
};

static ur_status read_member(void *user, const char *key, const struct ur__json *value)
{
    const struct reading *r = user;
    int row = ur__option_find(r->table, key, strlen(key));
    if (row < 0 && r->other && strcmp(key, r->other) == 0)
        return UR_OK;
    if (row < 0 || r->table->rows[row].flags & UR_OPTION_IMPLIED)
        return ur__fail(UR_EFORMAT, "configuration: \"%.80s\" is unknown", key);
    if (!ur__option_from_json(&r->table->rows[row], value, r->values))
        return ur__fail(UR_EFORMAT, "configuration: \"%.80s\" has an impossible value", key);
    return UR_OK;
}

ur_status ur__options_from_json(const ur_option_table *table, const struct ur__json *j,
                                const char *other, void *values)
{
    struct reading r = {table, other, values};
    if (!ur__json_is_object(j))
        return ur__fail(UR_EFORMAT, "configuration: not a JSON object");
    ur__options_defaults(table, values);
    UR__TRY(ur__json_each(j, read_member, &r));
    for (int i = 0; i < table->n; i++) {
        char key[UR__OPTION_KEY];
        const ur_option *o = &table->rows[i];
        if (!(o->flags & (UR_OPTION_SPARSE | UR_OPTION_FREE | UR_OPTION_IMPLIED)) &&
            !ur__json_get(j, ur__option_key(o, key)))
            return ur__fail(UR_EFORMAT, "configuration: \"%s\" is missing", key);
    }
    return UR_OK;
}

void ur__options_recall(const ur_option_table *table, const struct ur__json *j, void *values)
{
    ur__options_defaults(table, values);
    for (int i = 0; i < table->n; i++) {
        const ur_option *o = &table->rows[i];
        char key[UR__OPTION_KEY];
        const char *text;
        const struct ur__json *value = ur__json_get(j, ur__option_key(o, key));
        if (value && o->kind == UR_OPTION_TEXT && ur__json_string(value, &text))
            memcpy((char *)values + o->at, &text, sizeof text);
        else if (value)
            ur__option_from_json(o, value, values);
    }
}
