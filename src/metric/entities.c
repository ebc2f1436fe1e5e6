/* SPDX-License-Identifier: MIT */
/*
 * Entities of labelled sequences, counted as conlleval does (Tjong Kim Sang and Buchholz 2000): a
 * label is a prefix and a type, and an entity begins and ends wherever two neighbouring labels say
 * so, whatever the scheme. Nothing is an error: an I- that follows nothing begins an entity.
 */
#include "metric/entities.h"

#include <math.h>
#include <string.h>

#include "base/fpmode.h"
#include "base/status.h"

static struct ur__entity_label read_label(const char *text)
{
    static const char letters[] = "BIESOLU", means[] = "BIESOES";
    const char *at = *text ? strchr(letters, *text) : NULL;
    if (*text == '\0')
        return (struct ur__entity_label){'O', ""};
    if (!at || (text[1] != '\0' && text[1] != '-'))
        return (struct ur__entity_label){'I', text};
    return (struct ur__entity_label){means[at - letters], text[1] ? text + 2 : ""};
}

static bool parts(const struct ur__entity_label *a, const struct ur__entity_label *b)
{
    return a->prefix == 'E' || a->prefix == 'S' || b->prefix == 'B' || b->prefix == 'S' ||
           a->prefix == 'O' || b->prefix == 'O' || strcmp(a->type, b->type) != 0;
}

/* Label `now` comes at i. True if an entity ended before it, which *was then is. */
static bool advance(struct ur__entity *o, struct ur__entity_label now, size_t i,
                    struct ur__entity *was)
{
    bool apart = parts(&o->last, &now), ended = apart && o->type;
    *was = *o;
    if (apart) {
        o->type = now.prefix == 'O' ? NULL : now.type;
        o->begin = i;
    }
    o->last = now;
    return ended;
}

/* Both sides go on to the next label. */
static void go_on(struct ur__entities *e, struct ur__entity_label truth,
                  struct ur__entity_label guess, ur_entity_counts *counts)
{
    struct ur__entity told, found;
    bool a = advance(&e->truth, truth, e->at, &told);
    bool b = advance(&e->guess, guess, e->at, &found);
    counts->present += a;
    counts->found += b;
    counts->right += a && b && told.begin == found.begin && strcmp(told.type, found.type) == 0;
    e->at++;
}

static const struct ur__entity_label outside = {'O', ""};

void ur__entities_begin(struct ur__entities *e)
{
    *e = (struct ur__entities){.truth.last = outside, .guess.last = outside};
}

void ur__entities_next(struct ur__entities *e, const char *truth, const char *guess,
                       ur_entity_counts *counts)
{
    go_on(e, read_label(truth), read_label(guess), counts);
}

void ur__entities_end(struct ur__entities *e, ur_entity_counts *counts)
{
    go_on(e, outside, outside, counts);
}

void ur_entities_count(ur_entity_counts *counts, size_t n, const char *const *truth,
                       const char *const *guess)
{
    UR__NEED_OR(counts, "counts", );
    UR__NEED_OR(truth, "truth", );
    UR__NEED_OR(guess, "guess", );
    struct ur__entities e;
    ur__entities_begin(&e);
    for (size_t i = 0; i < n; i++)
        ur__entities_next(&e, truth[i], guess[i], counts);
    ur__entities_end(&e, counts);
}

void ur_entity_figures(const ur_entity_counts *counts, ur_metrics *out)
{
    UR__NEED_OR(counts, "counts", );
    UR__NEED_OR(out, "out", );
    unsigned mode = ur__fpmode_default();
    double found = counts->found, present = counts->present, right = counts->right;
    double none = (double)NAN;
    ur_metrics_add(out, "f1", "%", true,
                   found + present > 0 ? 2 * right / (found + present) : none);
    ur_metrics_add(out, "precision", "%", true, found > 0 ? right / found : present > 0 ? 0 : none);
    ur_metrics_add(out, "recall", "%", true, present > 0 ? right / present : found > 0 ? 0 : none);
    ur__fpmode_restore(mode);
}
