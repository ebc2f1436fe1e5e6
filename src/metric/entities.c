/* SPDX-License-Identifier: MIT */
/*
 * Entities of labelled sequences, counted as conlleval does (Tjong Kim Sang and Buchholz 2000): a
 * label is a prefix and a type, and an entity begins and ends wherever two neighbouring labels say
 * so, whatever the scheme. Nothing is an error: an I- that follows nothing begins an entity.
 */
#include "unroll/metric.h"

#include <math.h>
#include <string.h>

#include "base/fpmode.h"
#include "base/status.h"

/* A prefix of B, I, E, S or O. */
struct label {
    char prefix;
    const char *type;
};

static struct label read_label(const char *text)
{
    static const char letters[] = "BIESOLU", means[] = "BIESOES";
    const char *at = *text ? strchr(letters, *text) : NULL;
    if (*text == '\0')
        return (struct label){'O', ""};
    if (!at || (text[1] != '\0' && text[1] != '-'))
        return (struct label){'I', text};
    return (struct label){means[at - letters], text[1] ? text + 2 : ""};
}

static bool parts(const struct label *a, const struct label *b)
{
    return a->prefix == 'E' || a->prefix == 'S' || b->prefix == 'B' || b->prefix == 'S' ||
           a->prefix == 'O' || b->prefix == 'O' || strcmp(a->type, b->type) != 0;
}

/* One side's entity that is open. */
struct open {
    struct label last;
    size_t begin;
    const char *type;       /* NULL: none is */
};

/* Label `now` comes at i. True if an entity ended before it, which *was then is. */
static bool advance(struct open *o, struct label now, size_t i, struct open *was)
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

void ur_entities_count(ur_entity_counts *counts, size_t n, const char *const *truth,
                       const char *const *guess)
{
    UR__NEED_OR(counts, "counts", );
    UR__NEED_OR(truth, "truth", );
    UR__NEED_OR(guess, "guess", );
    const struct label none = {'O', ""};
    struct open t = {.last = none}, g = {.last = none}, told, found;
    for (size_t i = 0; i <= n; i++) {
        bool a = advance(&t, i < n ? read_label(truth[i]) : none, i, &told);
        bool b = advance(&g, i < n ? read_label(guess[i]) : none, i, &found);
        counts->present += a;
        counts->found += b;
        counts->right += a && b && told.begin == found.begin && strcmp(told.type, found.type) == 0;
    }
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
