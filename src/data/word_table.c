/* SPDX-License-Identifier: MIT */
/*
 * Open addressing with linear probing, at most half full. Words come from strangers, so their
 * places are hashed under a key of the table's own, and no word stands further than UR__WORD_PROBES
 * from its place: whatever the words are, a search ends there. Where a word finds no room so near,
 * the table grows and takes another key; with a key that nobody knows this does not happen (a run
 * of 256 in a table half full is expected once in 10^21 words: Knuth, volume 3, 6.4).
 * Neither key nor places reach a result: numbers follow the order of adding.
 */
#include "data/word_table.h"

#include <string.h>

#include "base/mem.h"
#include "base/siphash.h"
#include "base/status.h"

#define FIRST_SLOTS 1024

void ur__word_table_free(struct ur__word_table *t)
{
    ur__free(t->text);
    ur__free(t->at);
    ur__free(t->slot);
    *t = (struct ur__word_table){0};
}

const char *ur__word_at(const struct ur__word_table *t, int32_t number, size_t *n)
{
    size_t begin = t->at[number] + 1;
    *n = t->at[number + 1] - begin;
    return t->text + begin;
}

/* The slot that holds the word, else the free one for it; NULL: it is not there, and there is no
 * room for it. */
static int32_t *slot_of(const struct ur__word_table *t, const char *word, size_t n)
{
    size_t place = (size_t)ur__siphash(t->key, word, n);
    for (size_t i = 0; i < UR__WORD_PROBES; i++) {
        int32_t *slot = &t->slot[(place + i) & (t->slots - 1)];
        size_t m;
        if (!*slot)
            return slot;
        const char *there = ur__word_at(t, *slot - 1, &m);
        if (m == n && memcmp(there, word, n) == 0)
            return slot;
    }
    return NULL;
}

int32_t ur__word_find(const struct ur__word_table *t, const char *word, size_t n)
{
    const int32_t *slot = t->slots ? slot_of(t, word, n) : NULL;
    return slot ? *slot - 1 : -1;
}

/* ---- growing ----------------------------------------------------------- */

/* False: a word has no room near its place. */
static bool place_all(const struct ur__word_table *t)
{
    for (int32_t i = 0; i < t->n; i++) {
        size_t n;
        const char *word = ur__word_at(t, i, &n);
        int32_t *slot = slot_of(t, word, n);
        if (!slot)
            return false;
        *slot = i + 1;
    }
    return true;
}

/* Doubles the slots until all words have room, under another key from the second time on. A
 * table that fails to grow stays as it is. */
static ur_status grow_slots(struct ur__word_table *t, bool new_key)
{
    struct ur__word_table larger = *t;
    for (bool placed = false; !placed; new_key = true) {
        larger.slots = larger.slots ? 2 * larger.slots : FIRST_SLOTS;
        larger.slot = ur__calloc(larger.slots, sizeof *larger.slot);
        if (!larger.slot)
            return UR_ENOMEM;
        if (new_key)
            ur__siphash_key(larger.key, larger.slot);
        placed = place_all(&larger);
        if (!placed)
            ur__free(larger.slot);
    }
    larger.keyed = true;
    ur__free(t->slot);
    *t = larger;
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

/* A free slot for a word that is not there. */
static ur_status find_room(struct ur__word_table *t, const char *word, size_t n, int32_t **slot)
{
    if (2 * ((size_t)t->n + 1) > t->slots)
        UR__TRY(grow_slots(t, !t->keyed));
    while (!(*slot = slot_of(t, word, n)))
        UR__TRY(grow_slots(t, true));
    return UR_OK;
}

ur_status ur__word_add(struct ur__word_table *t, const char *word, size_t n, int32_t *number)
{
    *number = ur__word_find(t, word, n);
    if (*number >= 0)
        return UR_OK;
    if (t->n == t->room)
        UR__TRY(grow_places(t));
    UR__TRY(grow_text(t, n + 1));
    int32_t *slot;
    UR__TRY(find_room(t, word, n, &slot));
    *slot = t->n + 1;
    t->text[t->size] = ' ';
    memcpy(t->text + t->size + 1, word, n);
    t->size += n + 1;
    *number = t->n++;
    t->at[t->n] = t->size;
    return UR_OK;
}
