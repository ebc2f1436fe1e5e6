/* SPDX-License-Identifier: MIT */
/* Open addressing with linear probing, at most half full. The order of slots never
 * reaches a result: numbers follow the order of adding. */
#include "data/word_table.h"

#include <string.h>

#include "base/mem.h"
#include "base/status.h"

#define FIRST_SLOTS 1024

void ur__word_table_free(struct ur__word_table *t)
{
    ur__free(t->text);
    ur__free(t->at);
    ur__free(t->slot);
    *t = (struct ur__word_table){0};
}

/* FNV-1a, with a last step that brings its high bits down. */
static size_t hash_of(const char *word, size_t n)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)word[i]) * 1099511628211u;
    return (size_t)(h ^ h >> 32);
}

const char *ur__word_at(const struct ur__word_table *t, int32_t number, size_t *n)
{
    size_t begin = t->at[number] + 1;
    *n = t->at[number + 1] - begin;
    return t->text + begin;
}

/* The slot that holds the word, or the free one where it belongs. */
static size_t slot_of(const struct ur__word_table *t, const char *word, size_t n)
{
    size_t i = hash_of(word, n) & (t->slots - 1);
    for (; t->slot[i]; i = (i + 1) & (t->slots - 1)) {
        size_t m;
        const char *there = ur__word_at(t, t->slot[i] - 1, &m);
        if (m == n && memcmp(there, word, n) == 0)
            break;
    }
    return i;
}

int32_t ur__word_find(const struct ur__word_table *t, const char *word, size_t n)
{
    return t->slots ? t->slot[slot_of(t, word, n)] - 1 : -1;
}

/* ---- growing ----------------------------------------------------------- */

static ur_status grow_slots(struct ur__word_table *t)
{
    size_t slots = t->slots ? 2 * t->slots : FIRST_SLOTS;
    int32_t *slot = ur__calloc(slots, sizeof *slot);
    if (!slot)
        return UR_ENOMEM;
    ur__free(t->slot);
    t->slot = slot;
    t->slots = slots;
    for (int32_t i = 0; i < t->n; i++) {
        size_t n;
        const char *word = ur__word_at(t, i, &n);
        slot[slot_of(t, word, n)] = i + 1;
    }
    return UR_OK;
}

static ur_status grow_places(struct ur__word_table *t)
{
    int32_t room = t->room ? t->room : 512;
    if (t->room) {
        if (t->room > INT32_MAX / 2)
            return ur__fail(UR_ENOMEM, "more than %ld distinct words", (long)t->room);
        room = 2 * t->room;
    }
    size_t *at = ur__realloc(t->at, (size_t)room + 1, sizeof *at);
    if (!at)
        return UR_ENOMEM;
    at[t->n] = t->size;
    t->at = at;
    t->room = room;
    return UR_OK;
}

static ur_status grow_text(struct ur__word_table *t, size_t n)
{
    if (n <= t->capacity - t->size)
        return UR_OK;
    size_t capacity = 2 * t->capacity > t->size + n ? 2 * t->capacity : t->size + n + 4096;
    char *text = ur__realloc(t->text, capacity, 1);
    if (!text)
        return UR_ENOMEM;
    t->text = text;
    t->capacity = capacity;
    return UR_OK;
}

ur_status ur__word_add(struct ur__word_table *t, const char *word, size_t n, int32_t *number)
{
    *number = ur__word_find(t, word, n);
    if (*number >= 0)
        return UR_OK;
    if (2 * ((size_t)t->n + 1) > t->slots)
        UR__TRY(grow_slots(t));
    if (t->n == t->room)
        UR__TRY(grow_places(t));
    UR__TRY(grow_text(t, n + 1));
    t->slot[slot_of(t, word, n)] = t->n + 1;
    t->text[t->size] = ' ';
    memcpy(t->text + t->size + 1, word, n);
    t->size += n + 1;
    *number = t->n++;
    t->at[t->n] = t->size;
    return UR_OK;
}
