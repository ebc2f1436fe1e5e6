/* SPDX-License-Identifier: MIT */
/* How far back gradients reach, from a log of train --report-gradients: one colour a log and layer,
 * one dash a step. A norm of 0 has no place on the scale. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "cli/axis.h"
#include "cli/plot_log.h"

static int compare(const void *a, const void *b)
{
    const struct reach *x = a, *y = b;
    if (x->step < y->step || x->step > y->step)
        return x->step < y->step ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Sorts, and of equal steps keeps the last. */
static int settle_reach(struct log *log)
{
    struct reach *r = (void *)log->reach.data;
    size_t n = log->reach.size / sizeof *r, kept = 0;
    if (n > 1)
        qsort(r, n, sizeof *r, compare);
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && !(r[i].step > r[kept - 1].step)) {
            ur__json_free(r[kept - 1].line);
            r[kept - 1] = r[i];
        } else {
            r[kept++] = r[i];
        }
    }
    log->reach.size = kept * sizeof *r;
    return (int)kept;
}

/* Which of n a word of --steps names; UR_EINVAL. */
static ur_status find_step(const struct plot *p, int i, int n, const char *word, int *found)
{
    const struct logs *l = p->inside;
    const struct reach *r = (const void *)l->log[i].reach.data;
    double step;
    *found = strcmp(word, "first") == 0 ? 0 : n - 1;
    if (*found == 0 || strcmp(word, "last") == 0)
        return UR_OK;
    for (int k = 0; k < n && ur__parse_real(word, &step); k++)
        if (!(r[k].step < step || r[k].step > step)) {
            *found = k;
            return UR_OK;
        }
    return ur__fail(UR_EINVAL, "--steps %.40s: %s has no gradients of that step, but of %d from %g "
                    "to %g", word, plot_name(p, i), n, r[0].step, r[n - 1].step);
}

static ur_status put_norms(struct curve *c, const struct ur__json *norms, bool log_x)
{
    size_t n = ur__json_size(norms);
    double y;
    c->at = ur__alloc(n + 1, sizeof *c->at);
    for (size_t k = 0; c->at != NULL && k < n; k++)
        if (ur__json_real(ur__json_at(norms, k), &y) && axis_has(y, true) &&
            axis_has((double)k + 1, log_x))
            c->at[c->n++] = (struct point){(double)k + 1, y};
    return c->at != NULL ? UR_OK : UR_ENOMEM;
}

/* The layers of one step, each a curve: one colour a log and layer, one dash a step. */
struct layers {
    struct plot *plot;
    struct chart *chart;
    int file, color, of_step, at;       /* at: the layer */
    double step;
};

static ur_status add_layer(void *user, const char *name, const struct ur__json *norms)
{
    static const char *const dash[] = {"", "7 4", "2 3", "9 3 2 3"};
    struct layers *l = user;
    const struct plot *p = l->plot;
    char wanted[32];
    int at = l->at++;
    snprintf(wanted, sizeof wanted, "layer %lld", (long long)p->options->layer);
    if (!ur__json_is_array(norms) || (p->options->has_layer && strcmp(name, wanted) != 0))
        return UR_OK;
    struct curve *c;
    UR__TRY(chart_next(l->chart, &c));
    *c = (struct curve){.color = svg_color[(l->color + at) % SVG_COLORS],
                        .dash = dash[l->of_step % 4], .width = 1.6, .opacity = 1};
    snprintf(c->label, sizeof c->label, "%.120s%s%.60s, step %g", p->n_files > 1 ? p->label[l->file]
             : "", p->n_files > 1 ? ", " : "", name, l->step);
    UR__TRY(put_norms(c, norms, p->options->log_x));
    l->chart->n++;
    if (c->n == 0) {
        ur__free(c->at);
        l->chart->n--;
    }
    return UR_OK;
}

static ur_status add_steps(struct layers *l, int n)
{
    const struct logs *logs = l->plot->inside;
    struct reach *r = (void *)logs->log[l->file].reach.data;
    char word[64];
    for (const char *at = l->plot->options->steps; *at != '\0'; ) {
        size_t length = strcspn(at, ",");
        int k;
        snprintf(word, sizeof word, "%.*s", (int)(length < 60 ? length : 60), at);
        at += length + (at[length] == ',');
        UR__TRY(find_step(l->plot, l->file, n, word, &k));
        if (r[k].drawn)
            continue;
        r[k].drawn = true;
        l->step = r[k].step;
        l->at = 0;
        UR__TRY(ur__json_each(ur__json_get(r[k].line, "gradient_by_distance"), add_layer, l));
        l->of_step++;
    }
    l->color += l->at;
    return UR_OK;
}

ur_status plot_gradients(struct plot *p, int file, int *color, struct chart *c)
{
    struct logs *l = p->inside;
    struct layers layers = {.plot = p, .chart = c, .file = file, .color = *color};
    int n = settle_reach(&l->log[file]);
    ur_status status = n > 0 ? add_steps(&layers, n) : UR_OK;
    *color = layers.color;
    return status;
}
