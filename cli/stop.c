/* SPDX-License-Identifier: MIT */
#include "cli/stop.h"

#include <string.h>

#include "base/mem.h"
#include "base/status.h"

ur_status stop_look(struct stop *s, const char *bytes, size_t *n, bool *found)
{
    size_t before = s->tail.size;
    *found = false;
    if (s->n == 0)
        return UR_OK;
    UR__TRY(ur__buf_put(&s->tail, bytes, *n));
    for (size_t at = 0; at + s->n <= s->tail.size && !*found; at++)
        if (memcmp(s->tail.data + at, s->text, s->n) == 0) {
            *found = true;
            *n = at + s->n - before;
        }
    if (s->tail.size >= s->n) {
        size_t dropped = s->tail.size - (s->n - 1);
        memmove(s->tail.data, s->tail.data + dropped, s->n - 1);
        s->tail.size = s->n - 1;
    }
    return UR_OK;
}

void stop_free(struct stop *s)
{
    ur__buf_free(&s->tail);
}

/* ---- can it be drawn? -------------------------------------------------- */

/* The search: reached[i] says that a token may end where i bytes of the stop have been drawn. */
struct search {
    const struct stop *stop;
    bool *reached;          /* [n+1] */
};

/* A token of n bytes is drawn after i bytes of the stop. */
static void follow(struct search *x, size_t i, const char *bytes, size_t n)
{
    size_t left = x->stop->n - i, common = n < left ? n : left;
    if (n > 0 && memcmp(x->stop->text + i, bytes, common) == 0)
        x->reached[i + common] = true;
}

/* The stop begins within a token. */
static void begin(struct search *x, const char *bytes, size_t n)
{
    for (size_t cut = 0; cut < n; cut++)
        follow(x, 0, bytes + cut, n - cut);
}

ur_status stop_is_possible(const struct stop *s, const ur_vocab *vocab, bool *possible)
{
    struct search x = {s, ur__calloc(s->n + 1, sizeof *x.reached)};
    if (x.reached == NULL)
        return UR_ENOMEM;
    bool apart = ur_vocab_kind(vocab) == UR_TOKEN_WORD;
    for (size_t i = 0; i < s->n; i++) {
        /* Words with a space before them; at a line's beginning, and where there may be
         * signs, also without. */
        bool joins = i == 0 || !apart || s->text[i - 1] == '\n';
        for (int32_t id = 0; id < ur_vocab_size(vocab); id++) {
            ur_join spaced = {true, false}, plain = {false, false};
            size_t n;
            if (id == ur_vocab_unknown(vocab) || (i > 0 && !x.reached[i]))
                continue;
            const char *bytes = ur_vocab_join(vocab, &spaced, id, &n);
            if (i == 0)
                begin(&x, bytes, n);
            follow(&x, i, bytes, n);
            bytes = ur_vocab_join(vocab, &plain, id, &n);
            if (joins)
                follow(&x, i, bytes, n);
        }
    }
    *possible = x.reached[s->n];
    ur__free(x.reached);
    return UR_OK;
}
