/* SPDX-License-Identifier: MIT */
#include "decode/label_beam.h"

#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/status.h"
#include "decode/beam.h"
#include "kernel/select.h"
#include "layer/state.h"

/* Rows that are stepped at once, unless one sequence has more: enough for the register tile. */
enum { ROWS = 64 };

/* How a hypothesis came about: its last label, and which one of the step before it goes on with. */
struct link {
    int32_t label;
    int from;
};

/* Sequences are searched in groups, side by side; the hypotheses of a sequence, the likeliest
 * first, are neighbours among the rows. */
struct ur__label_beam {
    const struct ur__feedback *feedback;
    ur_team *team;
    ur_state *state;
    int width, K, I;            /* labels; numbers of a step */
    int group, rows;            /* sequences at once; group·width */
    int T;                      /* steps that there is room for */
    struct link *link;          /* [T,group,width] */
    int *sequence, *alive;      /* [group] of those that go on: place in the group; hypotheses */
    int *from;                  /* [rows] */
    int32_t *fed;               /* [rows] tokens of the labels before */
    double *log_p, *next;       /* [rows] */
    struct ur__step *step;      /* [width] */
    ur_real *x;                 /* [rows,I+E] */
    ur_real *d;                 /* [rows,P] */
    ur_real *out;               /* [rows,K+2] */
    void *block;
};

/* ---- making ------------------------------------------------------------ */

static void place(struct ur__label_beam *b, struct ur__carve *c)
{
    const size_t rows = (size_t)b->rows, group = (size_t)b->group;
    const struct ur__feedback *f = b->feedback;
    b->sequence = ur__carve(c, group, sizeof *b->sequence);
    b->alive = ur__carve(c, group, sizeof *b->alive);
    b->from = ur__carve(c, rows, sizeof *b->from);
    b->fed = ur__carve(c, rows, sizeof *b->fed);
    b->log_p = ur__carve(c, rows, sizeof *b->log_p);
    b->next = ur__carve(c, rows, sizeof *b->next);
    b->step = ur__carve(c, (size_t)b->width, sizeof *b->step);
    b->x = ur__carve(c, rows * (size_t)ur_rnn_input(f->rnn), sizeof *b->x);
    b->d = ur__carve(c, rows * (size_t)ur_rnn_output(f->rnn), sizeof *b->d);
    b->out = ur__carve(c, rows * (size_t)f->out->O, sizeof *b->out);
}

static size_t links(const struct ur__label_beam *b, int T)
{
    return (size_t)T * (size_t)b->rows;
}

static ur_status shape(struct ur__label_beam *b, const struct ur__feedback *feedback,
                       const struct ur__label_beam_size *size, ur_team *team)
{
    const int width = size->width, fit = width < ROWS ? ROWS / width : 1;
    if (width < 1 || width > UR_BEAM_MOST)
        return ur__fail(UR_EINVAL, "a beam is 1 to %d wide, not %d", UR_BEAM_MOST, width);
    *b = (struct ur__label_beam){
        .feedback = feedback, .team = team, .width = width,
        .K = feedback->out->O - UR__FIRST_LABEL,
        .I = ur_rnn_input(feedback->rnn) - feedback->label->E,
        .group = fit < size->B ? fit : size->B,
    };
    b->rows = b->group * width;
    return UR_OK;
}

static ur_status reserve(struct ur__label_beam *b, int T)
{
    if (T <= b->T)
        return UR_OK;
    ur__free(b->link);
    b->T = 0;
    b->link = ur__alloc(links(b, T), sizeof *b->link);
    b->T = b->link ? T : 0;
    return b->link ? UR_OK : UR_ENOMEM;
}

/* All that a search takes from the state is taken by its first move of rows. */
static ur_status open_state(struct ur__label_beam *b)
{
    UR__TRY(ur_state_new(&b->state, b->feedback->rnn, b->rows, b->team));
    memset(b->from, 0, (size_t)b->rows * sizeof *b->from);
    return ur_state_select(b->state, b->rows, b->from);
}

static ur_status open(struct ur__label_beam *b, int T)
{
    struct ur__carve count = {0};
    place(b, &count);
    struct ur__carve c = {.base = b->block = ur__alloc(count.used, 1)};
    if (!b->block)
        return UR_ENOMEM;
    place(b, &c);
    UR__TRY(reserve(b, T));
    return open_state(b);
}

ur_status ur__label_beam_new(struct ur__label_beam **out, const struct ur__feedback *feedback,
                             const struct ur__label_beam_size *size, ur_team *team)
{
    struct ur__label_beam plan;
    *out = NULL;
    UR__TRY(shape(&plan, feedback, size, team));
    struct ur__label_beam *b = ur__alloc(1, sizeof *b);
    if (!b)
        return UR_ENOMEM;
    *b = plan;
    ur_status status = open(b, size->T);
    if (status != UR_OK) {
        ur__label_beam_free(b);
        return status;
    }
    *out = b;
    return UR_OK;
}

ur_status ur__label_beam_measure(const struct ur__feedback *feedback,
                                 const struct ur__label_beam_size *size, ur_team *team,
                                 size_t *bytes)
{
    struct ur__label_beam b;
    struct ur__carve count = {0};
    size_t moved;
    UR__TRY(shape(&b, feedback, size, team));
    place(&b, &count);
    UR__TRY(ur__state_measure(&b.state, feedback->rnn, b.rows, team, bytes));
    ur_state_data(b.state, &moved);     /* once more, while rows are moved */
    ur_state_free(b.state);
    *bytes += sizeof b + count.used + links(&b, size->T) * sizeof *b.link
        + moved * sizeof(ur_real);
    return UR_OK;
}

void ur__label_beam_free(struct ur__label_beam *b)
{
    if (!b)
        return;
    ur_state_free(b->state);
    ur__free(b->link);
    ur__free(b->block);
    ur__free(b);
}

/* ---- searching --------------------------------------------------------- */

/* Sequences [first,first+group) of a batch, of which n go on, in `rows` rows. */
struct search {
    const struct ur__steps *steps;
    int32_t *labels;
    double *log_p;
    int first, n, rows, t;
};

static int length_of(const struct ur__steps *s, int b)
{
    return s->lengths ? s->lengths[b] : s->T;
}

static ur_status begin(struct ur__label_beam *b, struct search *s, int n)
{
    s->n = s->t = 0;
    for (int i = 0; i < n; i++) {
        const int at = s->first + i;
        if (s->log_p)
            s->log_p[at] = 0;
        for (int t = length_of(s->steps, at); t < s->steps->T; t++)
            s->labels[t * s->steps->B + at] = -1;
        if (length_of(s->steps, at) < 1)
            continue;
        b->fed[s->n] = UR__LABEL_START;
        b->log_p[s->n] = 0;
        b->from[s->n] = -1;
        b->alive[s->n] = 1;
        b->sequence[s->n++] = i;
    }
    s->rows = s->n;
    return s->n ? ur_state_select(b->state, s->n, b->from) : UR_OK;
}

/* Outputs of all rows after the step. */
static ur_status step(struct ur__label_beam *b, const struct search *s)
{
    const struct ur__feedback *f = b->feedback;
    const size_t I = (size_t)b->I, E = (size_t)f->label->E;
    ur_real *x = b->x;
    int32_t *fed = b->fed;
    for (int i = 0; i < s->n; i++) {
        const size_t at = (size_t)s->t * (size_t)s->steps->B
            + (size_t)(s->first + b->sequence[i]);
        for (int k = 0; k < b->alive[i]; k++, x += I + E) {
            memcpy(x, s->steps->h + at * I, I * sizeof *x);
            UR__TRY(ur_embed_run(f->label, 1, fed++, x + I));
        }
    }
    UR__TRY(ur_rnn_step(f->rnn, b->state, b->x, b->d));
    return ur_linear_run(f->out, b->team, s->rows, b->d, b->out);
}

/* The likeliest hypotheses of a sequence, whose rows begin at `row`, after the step. */
static int choose(struct ur__label_beam *b, int row, int alive)
{
    const size_t O = (size_t)b->K + UR__FIRST_LABEL;
    int n = 0;
    for (int i = row; i < row + alive; i++) {
        ur_real *share = b->out + (size_t)i * O + UR__FIRST_LABEL;
        ur__kernel()->log_softmax(b->K, share, share);
        for (int32_t k = 0; k < b->K; k++)
            ur__keep_step(b->step, b->width, &n, ur__step_of(i, k, b->log_p[i], share[k]));
    }
    return n;
}

static struct link *links_at(const struct ur__label_beam *b, int t, int sequence)
{
    return b->link + links(b, t) + (size_t)sequence * (size_t)b->width;
}

/* The labels of a sequence that ends after the step: those of its likeliest hypothesis. */
static void finish(struct ur__label_beam *b, const struct search *s, int sequence)
{
    const int at = s->first + sequence;
    for (int t = s->t, hypothesis = 0; t >= 0; t--) {
        const struct link *l = &links_at(b, t, sequence)[hypothesis];
        s->labels[t * s->steps->B + at] = l->label;
        hypothesis = l->from;
    }
    if (s->log_p)
        s->log_p[at] = b->step[0].log_p;
}

/* One step of all sequences that go on. */
static ur_status extend(struct ur__label_beam *b, struct search *s)
{
    int row = 0, rows = 0, n = 0;
    UR__TRY(step(b, s));
    for (int i = 0, alive; i < s->n; i++, row += alive) {
        const int sequence = b->sequence[i];
        alive = b->alive[i];
        const int found = choose(b, row, alive);
        struct link *link = links_at(b, s->t, sequence);
        for (int k = 0; k < found; k++)
            link[k] = (struct link){b->step[k].id, b->step[k].row - row};
        if (s->t + 1 == length_of(s->steps, s->first + sequence)) {
            finish(b, s, sequence);
            continue;
        }
        for (int k = 0; k < found; k++, rows++) {
            b->from[rows] = b->step[k].row;
            b->fed[rows] = UR__FIRST_LABEL + b->step[k].id;
            b->next[rows] = b->step[k].log_p;
        }
        b->alive[n] = found;
        b->sequence[n++] = sequence;
    }
    double *log_p = b->log_p;
    b->log_p = b->next;
    b->next = log_p;
    s->n = n;
    s->rows = rows;
    s->t++;
    return n ? ur_state_select(b->state, rows, b->from) : UR_OK;
}

ur_status ur__label_beam_run(struct ur__label_beam *b, const struct ur__steps *steps,
                             int32_t *labels, double *log_p)
{
    struct search s = {.steps = steps, .labels = labels, .log_p = log_p};
    UR__TRY(reserve(b, steps->T));
    for (; s.first < steps->B; s.first += b->group) {
        const int left = steps->B - s.first;
        UR__TRY(begin(b, &s, left < b->group ? left : b->group));
        while (s.n)
            UR__TRY(extend(b, &s));
    }
    return UR_OK;
}
