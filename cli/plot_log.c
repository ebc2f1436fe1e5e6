/* SPDX-License-Identifier: MIT */
/*
 * Training logs as curves: the losses against the step, another figure of the run's, or the norm of
 * the gradient that reaches the state k steps back, against k.
 *
 * A run that was resumed may have written a step twice: the later line is the one that the run went
 * on from.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "cli/axis.h"
#include "cli/plot_log.h"

#define STRETCHES 300       /* points of a curve of steps: means over neighbours */

static bool is_log(const struct ur__json *j)
{
    double step;
    return ur__json_get_real(j, "step", &step);
}

/* ---- reading ----------------------------------------------------------- */

/* What is drawn of a row: the loss, or what --metric names. */
static bool figure_of(const struct plot *p, const struct ur__json *j, int row, double *y)
{
    const char *name = p->options->metric;
    char key[128];
    if (name == NULL)
        return ur__json_get_real(j, row == STEPS ? "loss" : "val_loss", y);
    snprintf(key, sizeof key, "val_%.100s", name);
    return ur__json_get_real(j, row == STEPS ? name : key, y);
}

static ur_status put_seen(struct ur__buf *to, double step, double y)
{
    const struct seen one = {step, y, (int64_t)(to->size / sizeof one)};
    return ur__buf_put(to, &one, sizeof one);
}

static ur_status take_reach(struct log *log, double step, struct ur__json *j)
{
    const struct reach one = {step, (int64_t)(log->reach.size / sizeof one), j, false};
    ur_status status = ur__buf_put(&log->reach, &one, sizeof one);
    if (status != UR_OK)
        ur__json_free(j);
    return status;
}

static ur_status take(struct plot *p, struct log *log, struct ur__json *j)
{
    double step = 0, y;
    const char *kind = "";
    ur__json_get_real(j, "step", &step);
    ur__json_get_string(j, "kind", &kind);
    if (!axis_has(step, false)) {
        ur__json_free(j);
        return UR_OK;
    }
    if (p->options->gradients && ur__json_is_object(ur__json_get(j, "gradient_by_distance")))
        return take_reach(log, step, j);
    int row = strcmp(kind, "step") == 0 ? STEPS : strcmp(kind, "valid") == 0 ? VALIDATIONS : N_ROWS;
    ur_status status = UR_OK;
    if (row < N_ROWS && figure_of(p, j, row, &y) && axis_has(y, false))
        status = put_seen(&log->row[row], step, y);
    if (row == VALIDATIONS) {
        ur__json_free(log->valid);
        log->valid = j;
    } else {
        ur__json_free(j);
    }
    return status;
}

static ur_status log_take(struct plot *p, struct ur__json *j)
{
    struct logs *l = p->inside;
    if (l->log == NULL) {
        l->log = ur__calloc((size_t)p->n_files, sizeof *l->log);
        l->n = p->n_files;
    }
    if (l->log != NULL)
        return take(p, &l->log[p->file], j);
    ur__json_free(j);
    return UR_ENOMEM;
}

static void log_close(void *inside)
{
    struct logs *l = inside;
    for (int i = 0; l->log != NULL && i < l->n; i++) {
        struct log *log = &l->log[i];
        struct reach *reach = (void *)log->reach.data;
        for (size_t k = 0; k < log->reach.size / sizeof *reach; k++)
            ur__json_free(reach[k].line);
        ur__buf_free(&log->reach);
        ur__buf_free(&log->row[STEPS]);
        ur__buf_free(&log->row[VALIDATIONS]);
        ur__json_free(log->valid);
    }
    ur__free(l->log);
}

/* ---- in the order of steps --------------------------------------------- */

static int compare_seen(const void *a, const void *b)
{
    const struct seen *x = a, *y = b;
    if (x->step < y->step || x->step > y->step)
        return x->step < y->step ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Sorts a row, keeps of each step the later, and of these what the scales have. Returns their
 * number. */
static size_t settle_row(struct ur__buf *row, const struct plot_options *o)
{
    struct seen *seen = (void *)row->data;
    size_t n = row->size / sizeof *seen, kept = 0;
    if (n > 1)
        qsort(seen, n, sizeof *seen, compare_seen);
    for (size_t i = 0; i < n; i++) {
        bool last = i + 1 == n || seen[i + 1].step > seen[i].step;
        if (last && axis_has(seen[i].step, o->log_x) && axis_has(seen[i].y, o->log_y))
            seen[kept++] = seen[i];
    }
    return kept;
}

/* Means over equally many neighbours, at their middle. */
static ur_status mean_points(struct curve *c, const struct seen *seen, size_t n, double scale,
                             size_t most)
{
    size_t each = (n + most - 1) / most;
    c->n = 0;
    c->at = ur__alloc((n + each - 1) / each, sizeof *c->at);
    for (size_t i = 0; c->at != NULL && i < n; i += each) {
        size_t count = n - i < each ? n - i : each;
        double x = 0, y = 0;
        for (size_t k = i; k < i + count; k++) {
            x += seen[k].step / (double)count;
            y += seen[k].y / (double)count;
        }
        c->at[c->n++] = (struct point){x, scale * y};
    }
    return c->at != NULL ? UR_OK : UR_ENOMEM;
}

/* ---- losses and other figures ------------------------------------------ */

static ur_status add_row(struct plot *p, struct chart *c, int i, int row)
{
    struct logs *l = p->inside;
    struct ur__buf *from = &l->log[i].row[row];
    const double scale = strcmp(p->options->unit, "bits") == 0 ? 1 / 0.69314718055994530942 : 1;
    const char *what = row == STEPS ? "training" : "validation";
    size_t n = settle_row(from, p->options);
    struct curve *curve;
    bool steps = row == STEPS;
    if (n == 0)
        return UR_OK;
    UR__TRY(chart_next(c, &curve));
    *curve = (struct curve){.color = svg_color[i % SVG_COLORS], .dash = "",
                            .width = steps ? 1.3 : 2, .opacity = steps ? 0.55 : 1,
                            .dots = !steps && n <= 40};
    UR__TRY(mean_points(curve, (void *)from->data, n, p->options->metric != NULL ? 1 : scale,
                        steps ? STRETCHES : n));
    c->n++;
    if (p->n_files > 1 && p->options->metric != NULL)
        snprintf(curve->label, sizeof curve->label, "%.160s", p->label[i]);
    else if (p->n_files > 1)
        snprintf(curve->label, sizeof curve->label, "%.160s, %s", p->label[i], what);
    else
        snprintf(curve->label, sizeof curve->label, "%s", what);
    return UR_OK;
}

/* Both rows of the losses; of another figure the validations, where they have it. */
static ur_status add_losses(struct plot *p, int i, struct chart *c)
{
    const struct logs *l = p->inside;
    if (p->options->metric == NULL || l->log[i].row[VALIDATIONS].size == 0)
        UR__TRY(add_row(p, c, i, STEPS));
    return add_row(p, c, i, VALIDATIONS);
}

static ur_status list_figure(void *user, const char *key, const struct ur__json *value)
{
    double y;
    if (strncmp(key, "val_", 4) != 0 || !ur__json_real(value, &y))
        return UR_OK;
    UR__TRY(ur__buf_puts(user, ((struct ur__buf *)user)->size > 0 ? ", " : ""));
    return ur__buf_puts(user, key + 4);
}

static ur_status fail_none(const struct plot *p)
{
    const struct logs *l = p->inside;
    const char *more = p->n_files > 1 ? " and the others" : "";
    struct ur__buf names = {0};
    if (p->options->metric == NULL)
        return ur__fail(UR_EDATA, "nothing to draw: there are no %s in %s%s",
                        p->options->gradients ? "gradients" : "losses", plot_name(p, 0), more);
    if (l->log[0].valid != NULL)
        UR__TRY(ur__json_each(l->log[0].valid, list_figure, &names));
    ur_status status = ur__fail(UR_EDATA, "nothing to draw: there is no %.60s in %s%s; its "
                                "validations have %s", p->options->metric, plot_name(p, 0), more,
                                names.size > 0 ? names.data : "no figures");
    ur__buf_free(&names);
    return status;
}

/* Of each file what it has. */
static ur_status add_curves(struct plot *p, struct chart *c)
{
    struct logs *l = p->inside;
    int color = 0;
    for (int i = 0; i < l->n; i++) {
        int before = c->n;
        UR__TRY(p->options->gradients ? plot_gradients(p, i, &color, c) : add_losses(p, i, c));
        l->log[i].bare = c->n == before;
    }
    if (c->n == 0)
        return fail_none(p);
    for (int i = 0; i < l->n; i++)
        if (l->log[i].bare)
            ui_say(&p->ui, "unroll: %s is not drawn: there is nothing of this in it",
                   plot_name(p, i));
    return UR_OK;
}

/* ---- the figure -------------------------------------------------------- */

static ur_status draw(struct plot *p, struct chart *c, struct svg *s)
{
    const struct plot_options *o = p->options;
    char loss[64];
    snprintf(loss, sizeof loss, "loss (%s)", o->unit);
    c->title = o->title;
    c->log_x = o->log_x;
    c->log_y = o->log_y || o->gradients;
    c->x_label = o->gradients ? "distance k (steps back)" : "step (updates)";
    c->y_label = o->gradients ? "norm of the gradient" : o->metric != NULL ? o->metric : loss;
    UR__TRY(add_curves(p, c));
    chart_draw(s, c);
    return UR_OK;
}

static ur_status log_draw(struct plot *p, struct svg *s)
{
    struct chart *c = ur__calloc(1, sizeof *c);
    if (c == NULL)
        return UR_ENOMEM;
    ur_status status = draw(p, c, s);
    chart_free(c);
    ur__free(c);
    return status;
}

const struct plot_kind plot_log = {
    .name = "a training log",
    .group = "training logs",
    .size = sizeof(struct logs),
    .is = is_log,
    .take = log_take,
    .draw = log_draw,
    .close = log_close,
};
