/* SPDX-License-Identifier: MIT */
/* A forecast: what was read, the points and the interval of what comes after it, and, where the
 * file went on, what came. One figure has one series. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "cli/axis.h"
#include "cli/chart.h"
#include "cli/plot.h"

#define LARGEST 1e30
#define HALF 0.4                /* of the width of a single step's interval */

enum { MOST_ROWS = 1 << 20 };

struct forecast {
    struct ur__json *document;
    const struct ur__json *rows;
    const char *series;             /* that is drawn */
    int n, ahead;                   /* its rows, and those of them that are forecast */
    int *at;                        /* [n] their places in the document */
    char place[128];
};

static bool is_forecast(const struct ur__json *j)
{
    return ur__json_get(j, "forecast") != NULL;
}

/* ---- reading ----------------------------------------------------------- */

static const struct ur__json *row_of(const struct forecast *f, int i)
{
    return ur__json_at(f->rows, (size_t)f->at[i]);
}

/* False: it has none. */
static bool number(const struct ur__json *row, const char *key, double *out)
{
    return ur__json_get_real(row, key, out) && fabs(*out) <= LARGEST;
}

static ur_status wrong_row(const struct forecast *f, size_t i)
{
    return ur__fail(UR_EDATA, "%s: row %zu of \"forecast\" has no series, time and value or point",
                    f->place, i + 1);
}

/* The series that is asked for, by default the first. */
static ur_status choose(struct forecast *f, const char *wanted)
{
    const size_t n = ur__json_size(f->rows);
    const char *series, *time;
    double x;
    f->at = ur__alloc(n + 1, sizeof *f->at);
    if (f->at == NULL)
        return UR_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct ur__json *row = ur__json_at(f->rows, i);
        if (!ur__json_get_string(row, "series", &series) ||
            !ur__json_get_string(row, "time", &time))
            return wrong_row(f, i);
        f->series = f->series != NULL ? f->series : wanted != NULL ? wanted : series;
        if (strcmp(series, f->series) != 0)
            continue;
        f->at[f->n++] = (int)i;
        f->ahead += number(row, "point", &x);
    }
    if (f->n == 0)
        return ur__fail(UR_EINVAL, "--series %.80s: %s has no such series", f->series, f->place);
    return f->ahead > 0 ? UR_OK : ur__fail(UR_EDATA, "%s: no row of %s has a point", f->place,
                                           f->series);
}

static ur_status forecast_take(struct plot *p, struct ur__json *j)
{
    struct forecast *f = p->inside;
    if (f->document != NULL) {
        ur__json_free(j);
        return ur__fail(UR_EDATA, "%s is a second forecast: draw one at a time", plot_place(p));
    }
    f->document = j;
    f->rows = ur__json_get(j, "forecast");
    snprintf(f->place, sizeof f->place, "%.120s", plot_place(p));
    if (!ur__json_is_array(f->rows) || ur__json_size(f->rows) < 1 ||
        ur__json_size(f->rows) > MOST_ROWS)
        return ur__fail(UR_EDATA, "%s: \"forecast\" is no list of 1 to %d rows", f->place,
                        MOST_ROWS);
    return choose(f, p->options->series);
}

static void forecast_close(void *inside)
{
    struct forecast *f = inside;
    ur__json_free(f->document);
    ur__free(f->at);
}

/* ---- drawing ----------------------------------------------------------- */

/* The rows' numbers of one kind as a curve. */
static ur_status put_curve(struct chart *c, const struct forecast *f, const char *key,
                           const struct curve *look)
{
    struct curve *curve;
    double y;
    UR__TRY(chart_next(c, &curve));
    *curve = *look;
    curve->at = ur__alloc((size_t)f->n, sizeof *curve->at);
    if (curve->at == NULL)
        return UR_ENOMEM;
    for (int i = 0; i < f->n; i++)
        if (number(row_of(f, i), key, &y))
            curve->at[curve->n++] = (struct point){i, y};
    if (curve->n > 0)
        c->n++;
    else
        ur__free(curve->at);
    return UR_OK;
}

/* The interval as an area: along its upper bounds, and back along the lower ones. */
static ur_status put_interval(struct chart *c, const struct forecast *f)
{
    struct curve *curve;
    double low, high;
    UR__TRY(chart_next(c, &curve));
    *curve = (struct curve){.label = "interval", .color = svg_color[1], .dash = "", .opacity = 0.22,
                            .area = true};
    curve->at = ur__alloc(2 * (size_t)f->n + 2, sizeof *curve->at);
    if (curve->at == NULL)
        return UR_ENOMEM;
    for (int pass = 0; pass < 2; pass++)
        for (int k = 0; k < f->n; k++) {
            const int i = pass ? f->n - 1 - k : k;
            if (number(row_of(f, i), "lower", &low) && number(row_of(f, i), "upper", &high))
                curve->at[curve->n++] = (struct point){i, pass ? low : high};
        }
    if (curve->n == 2) {        /* one step: a box, so that it is seen */
        const struct point top = curve->at[0], foot = curve->at[1];
        curve->at[0].x -= HALF;
        curve->at[1] = (struct point){top.x + HALF, top.y};
        curve->at[2] = (struct point){foot.x + HALF, foot.y};
        curve->at[3] = (struct point){foot.x - HALF, foot.y};
        curve->n = 4;
    }
    if (curve->n > 0)
        c->n++;
    else
        ur__free(curve->at);
    return UR_OK;
}

static const char *time_of(const void *user, int row)
{
    const struct forecast *f = user;
    const char *time = "";
    if (row >= 0 && row < f->n)
        ur__json_get_string(row_of(f, row), "time", &time);
    return time;
}

static ur_status forecast_draw(struct plot *p, struct svg *s)
{
    const struct forecast *f = p->inside;
    struct chart c = {.title = p->options->title, .x_label = "", .y_label = f->series,
                      .x_name = time_of, .x_user = f};
    const struct curve seen = {.label = "value", .color = svg_color[0], .dash = "", .width = 1.8,
                               .opacity = 1};
    const struct curve point = {.label = "forecast", .color = svg_color[1], .dash = "6 3",
                                .width = 2, .opacity = 1};
    ur_status status = put_interval(&c, f);
    if (status == UR_OK)
        status = put_curve(&c, f, "value", &seen);
    if (status == UR_OK)
        status = put_curve(&c, f, "point", &point);
    if (status == UR_OK)
        chart_draw(s, &c);
    chart_free(&c);
    return status;
}

const struct plot_kind plot_forecast = {
    .name = "a forecast",
    .group = "forecasts",
    .size = sizeof(struct forecast),
    .is = is_forecast,
    .take = forecast_take,
    .draw = forecast_draw,
    .close = forecast_close,
};
