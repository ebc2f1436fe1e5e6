/* SPDX-License-Identifier: MIT */
/* Any bytes as JSON. What is read is written, and read and written again it is the same
 * text; so is the text of a tree that is built from it, value by value. */
#include "fuzz.h"

#include <math.h>
#include <string.h>

#include "io/json.h"
#include "io/json_tree.h"

/* ---- building ---------------------------------------------------------- */

static struct ur__json *build(const struct ur__json *j);

static ur_status set_member(void *user, const char *key, const struct ur__json *value)
{
    ur__json_set_bool(user, key, true);     /* to be replaced, in its place */
    if (value->kind == UR__JSON_BOOL)
        ur__json_set_bool(user, key, value->u.boolean);
    else if (value->kind == UR__JSON_INT)
        ur__json_set_int(user, key, value->u.integer);
    else if (value->kind == UR__JSON_STRING)
        ur__json_set_string(user, key, value->u.string);
    else if (value->kind == UR__JSON_ARRAY || value->kind == UR__JSON_OBJECT)
        ur__json_set(user, key, build(value));
    else
        ur__json_set_real(user, key, value->kind == UR__JSON_REAL ? value->u.real : (double)NAN);
    return UR_OK;
}

/* There are no lists of truth values. */
static void add_element(struct ur__json *list, const struct ur__json *value)
{
    double real;
    int64_t whole;
    const char *text;
    if (ur__json_string(value, &text))
        ur__json_add_string(list, text);
    else if (ur__json_int(value, &whole))
        ur__json_add_int(list, whole);
    else if (ur__json_is_array(value) || ur__json_is_object(value))
        ur__json_add(list, build(value));
    else
        ur__json_add_real(list, ur__json_real(value, &real) ? real : (double)NAN);
}

/* An object or list built anew; truth values in lists become null. */
static struct ur__json *build(const struct ur__json *j)
{
    struct ur__json *made = ur__json_is_object(j) ? ur__json_new_object() : ur__json_new_array();
    if (ur__json_is_object(j))
        FUZZ_CHECK(ur__json_each(j, set_member, made) == UR_OK);
    for (size_t i = 0; ur__json_is_array(j) && i < ur__json_size(j); i++)
        add_element(made, ur__json_at(j, i));
    return made;
}

static bool has_list_of_bools(const struct ur__json *j)
{
    for (size_t i = 0; (ur__json_is_array(j) || ur__json_is_object(j)) && i < j->u.list.n; i++) {
        const struct ur__json *value = j->u.list.members[i].value;
        if (has_list_of_bools(value) || (ur__json_is_array(j) && value->kind == UR__JSON_BOOL))
            return true;
    }
    return false;
}

static ur_status write_built(const struct ur__json *j, struct ur__buf *to)
{
    struct ur__json *made = build(j);
    ur_status status = ur__json_dump(made, to);
    ur__json_free(made);
    return status;
}

/* ---- looking ----------------------------------------------------------- */

static ur_status visit(void *user, const char *key, const struct ur__json *value)
{
    FUZZ_CHECK(ur__is_utf8(key) && value);
    FUZZ_CHECK(ur__json_get(user, key) == value);
    return UR_OK;
}

static void look(const struct ur__json *j)
{
    struct ur__buf a = {0}, b = {0};
    struct ur__json *again;
    FUZZ_CHECK(ur__json_dump(j, &a) == UR_OK);
    FUZZ_CHECK(ur__is_utf8(a.data) && strlen(a.data) == a.size);
    ur_status status = ur__json_parse(&again, a.data, a.size);
    FUZZ_CHECK(status == UR_OK);
    FUZZ_CHECK(ur__json_dump(again, &b) == UR_OK && strcmp(a.data, b.data) == 0);
    if (ur__json_is_object(j) && ur__json_size(j) < 64)
        FUZZ_CHECK(ur__json_each(j, visit, (void *)(uintptr_t)j) == UR_OK);
    ur__json_free(again);
    if (ur__json_is_object(j) || ur__json_is_array(j)) {
        b.size = 0;
        FUZZ_CHECK(write_built(j, &b) == UR_OK);
        FUZZ_CHECK(strcmp(a.data, b.data) == 0 || has_list_of_bools(j));
    }
    ur__buf_free(&a);
    ur__buf_free(&b);
}

/* Numbers of a program's options are read by another function: it agrees. */
static void look_at_number(const struct ur__json *j, const uint8_t *data, size_t size)
{
    char text[64] = "";
    int64_t whole = 0, other_whole;
    double real = 0, other;
    if (size >= sizeof text)
        return;
    memcpy(text, data, size);
    bool is_whole = ur__parse_int(text, &whole), is_real = ur__parse_real(text, &real);
    FUZZ_CHECK(is_real || !is_whole);
    if (j && is_real && ur__json_real(j, &other))
        FUZZ_CHECK(real == other);
    if (j && is_whole && ur__json_int(j, &other_whole))
        FUZZ_CHECK(whole == other_whole);
}

static ur_status work(const uint8_t *data, size_t size)
{
    struct ur__json *j;
    struct ur__buf text = {0};
    ur_status status = ur__json_parse(&j, (const char *)data, size);
    if (status == UR_OK && (ur__json_is_object(j) || ur__json_is_array(j)))
        status = write_built(j, &text);
    if (status == UR_OK)
        status = ur__json_dump(j, &text);
    ur__json_free(j);
    ur__buf_free(&text);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ur__json *j;
    fuzz_plan(&data, &size, work);
    fuzz_begin();
    ur_status status = ur__json_parse(&j, (const char *)data, size);
    if (status == UR_OK)
        look(j);
    else
        fuzz_refused(status, size, size);
    look_at_number(j, data, size);
    ur__json_free(j);
    fuzz_end();
    return 0;
}
