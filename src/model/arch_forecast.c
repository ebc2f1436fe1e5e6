/* SPDX-License-Identifier: MIT */
/*
 * Numbers in time (docs/MATH.md, section Forecast). An encoder reads the steps of the context; its
 * last output becomes the forecast of all steps ahead at once,
 *
 *     o = W [h_C ; a_1 … a_H] + b,  a_j what is known of step j beforehand,
 *
 * or of one step, which is fed back for the next one (Goodfellow, Bengio and Courville 2016, figure
 * 10.10): o_j = W h_{C+j−1} + b, h_{C+j} from [y_j ; a_j], y_j the point of o_j. To each point is
 * added what the batch has as its base. Values are normalised by whoever makes the batch.
 */
#include "base/status.h"
#include "model/arch.h"
#include "model/forecast.h"
#include "tape/tape.h"

struct net {
    ur_rnn *rnn;
    ur_linear_layer *out;
    struct ur__forecast_kept kept;
};

static const char *const output_words[] = {"point", "gaussian", "quantile", NULL};

#define AT(member) .at = offsetof(struct ur__forecast_net, member)
#define OF_DATA .flags = UR_OPTION_DATA, .kind = UR_OPTION_INT, .max = 65536

static const ur_option option_rows[] = {
    UR__STACK_ROWS("", struct ur__forecast_net, stack, "1", "0"),
    {.name = "horizon", .arg = "N", .fallback = "12", .kind = UR_OPTION_INT, .min = 1, .max = 4096,
     AT(horizon), .help = "steps to forecast"},
    {.name = "context", .arg = "N", .fallback = "0", .shown = "two periods or horizons, to 512",
     .kind = UR_OPTION_INT, .max = 65536, AT(context),
     .help = "steps that a forecast is made from"},
    {.name = "distribution", .words = output_words, .fallback = "quantile",
     .kind = UR_OPTION_CHOICE, AT(output),
     .help = "point: least absolute error; gaussian: mean and variance; quantile: median and the "
             "bounds of an interval"},
    {.name = "interval", .arg = "P", .fallback = "0.8", .kind = UR_OPTION_REAL, .max = 1,
     .flags = UR_OPTION_OPEN_MIN | UR_OPTION_OPEN_MAX, AT(interval),
     .help = "share of the values that intervals are to hold"},
    {.name = "recursive", .kind = UR_OPTION_FLAG, .flags = UR_OPTION_SPARSE, AT(recursive),
     .help = "forecast one step, feed it back, and so on; else all steps at once"},
    {.name = "targets", .fallback = "1", OF_DATA, .min = 1, AT(targets),
     .help = "columns to forecast"},
    {.name = "inputs", .fallback = "0", OF_DATA, AT(features), .help = "other columns"},
    {.name = "gaps", .kind = UR_OPTION_FLAG, .flags = UR_OPTION_DATA, AT(gaps),
     .help = "values are missing"},
    {.name = "ahead", .fallback = "0", OF_DATA, AT(ahead),
     .help = "numbers of a step that are known beforehand"},
};

static const ur_option_table options = {
    .name = "forecast", .what = "network", .rows = option_rows,
    .n = sizeof option_rows / sizeof *option_rows, .size = sizeof(struct ur__forecast_net),
};

/* ---- declaring --------------------------------------------------------- */

static ur_status resolve(void *config)
{
    struct ur__forecast_net *c = config;
    if (c->context == 0)
        c->context = 2 * c->horizon;        /* data may say otherwise */
    if ((int64_t)c->horizon * c->targets * c->context > (1 << 28))
        return ur__fail(UR_EINVAL, "context %d and horizon %d are too long for %d targets",
                        c->context, c->horizon, c->targets);
    return ur__stack_resolve(&c->stack, 1);
}

static ur_status declare_kept(ur_model *m, struct ur__forecast_kept *kept)
{
    const struct ur__forecast_net *c = ur__model_values(m);
    const int columns = c->targets + c->features;
    const int linear[] = {c->targets, c->horizon, c->context + 1};
    UR__TRY(ur_params_add_buffer(m->params, "series.mean", 1, &columns, 0, &kept->mean));
    UR__TRY(ur_params_add_buffer(m->params, "series.scale", 1, &columns, 1, &kept->scale));
    UR__TRY(ur_params_add_buffer(m->params, "series.naive", 1, &c->targets, 0, &kept->naive));
    UR__TRY(ur_params_add_buffer(m->params, "series.linear", 3, linear, 0, &kept->linear));
    return ur_params_add_buffer(m->params, "series.widen", 1, &c->targets, 1, &kept->widen);
}

/* Numbers of one step ahead. */
static int step_numbers(const struct ur__forecast_net *c)
{
    return c->targets * ur__forecast_numbers(c);
}

static ur_status declare(ur_model *m)
{
    const struct ur__forecast_net *c = ur__model_values(m);
    struct net *net = m->net;
    struct ur__linear_shape out = {.I = ur__stack_top(&c->stack), .O = step_numbers(c)};
    if (!c->recursive) {
        out.I += c->horizon * c->ahead;
        out.O *= c->horizon;
    }
    UR__TRY(declare_kept(m, &net->kept));
    UR__TRY(ur__model_add_stack(m, "rnn", &c->stack, ur__forecast_input(c), -1, &net->rnn));
    return ur__model_add_linear(m, "out", out, &net->out);
}

const struct ur__forecast_kept *ur__forecast_kept(const ur_model *m)
{
    const struct net *net = m->net;
    return &net->kept;
}

/* ---- on the tape ------------------------------------------------------- */

static ur_tensor *field(ur_tape *tape, const ur_batch *batch, const char *role)
{
    const ur_field *f = ur_batch_find(batch, role);
    return ur_constant(tape, f->rank, f->dim, f->reals);
}

static bool is_shape(const ur_batch *batch, const char *role, int T, int B, int I)
{
    const ur_field *f = ur_batch_find(batch, role);
    return f && f->reals && f->rank == 3 && f->dim[0] == T && f->dim[1] == B && f->dim[2] == I;
}

static bool check(ur_tape *tape, const struct ur__forecast_net *c, const ur_batch *batch)
{
    const ur_field *input = ur_batch_find(batch, "input");
    const int B = input->rank == 3 ? input->dim[1] : 0;
    if (is_shape(batch, "input", c->context, B, ur__forecast_input(c)) &&
        is_shape(batch, "base", c->horizon, B, c->targets) &&
        (!c->ahead || is_shape(batch, "ahead", c->horizon, B, c->ahead)))
        return true;
    ur__tape_fail(tape, UR_ESHAPE, "the batch is not input [%d,B,%d], base [%d,B,%d] and ahead "
                  "[%d,B,%d]", c->context, ur__forecast_input(c), c->horizon, c->targets,
                  c->horizon, c->ahead);
    return false;
}

/* The o of one step [B,N·numbers], with the base [B,N] added to its points. */
static ur_tensor *shape(const struct ur__forecast_net *c, ur_tape *tape, ur_tensor *o,
                        ur_tensor *base)
{
    const int N = c->targets, last = ur_rank(o) - 1, numbers = ur__forecast_numbers(c);
    ur_tensor *point = ur_add(numbers > 1 ? ur_slice(o, last, 0, N) : o, base);
    if (numbers == 1)
        return point;
    ur_tensor *second = ur_slice(o, last, N, 2 * N);
    if (numbers == 2)
        return ur_concat(tape, 2, (ur_tensor *[]){point, second}, last);
    ur_tensor *third = ur_slice(o, last, 2 * N, 3 * N);
    ur_tensor *parts[] = {point, ur_sub(point, ur_exp(ur_clamp(second, -20, 20))),
                          ur_add(point, ur_exp(ur_clamp(third, -20, 20)))};
    return ur_concat(tape, 3, parts, last);
}

static ur_tensor *direct(ur_tape *tape, const ur_model *m, const ur_batch *batch)
{
    const struct ur__forecast_net *c = ur__model_values(m);
    const struct net *net = m->net;
    const int B = ur_batch_find(batch, "input")->dim[1];
    static const int by_row[] = {1, 0, 2};
    ur_tensor *h = ur_rnn_forward(tape, net->rnn, field(tape, batch, "input"), NULL, NULL);
    h = h ? ur_at(h, c->context - 1) : NULL;
    if (c->ahead) {
        ur_tensor *a = ur_permute(field(tape, batch, "ahead"), by_row);
        a = ur_reshape(a, 2, (int[]){B, c->horizon * c->ahead});
        h = ur_concat(tape, 2, (ur_tensor *[]){h, a}, 1);
    }
    ur_tensor *o = ur_linear(tape, net->out, ur_dropout(h, c->stack.dropout));
    o = ur_permute(ur_reshape(o, 3, (int[]){B, c->horizon, step_numbers(c)}), by_row);
    return shape(c, tape, o, field(tape, batch, "base"));
}

/* What is read of a step that is forecast: all is there, but what nobody knows is 0. */
static ur_tensor *feed(const struct ur__forecast_net *c, ur_tape *tape, ur_tensor *point,
                       ur_tensor *ahead)
{
    const int B = ur_dim(point, 0), n = ur__forecast_input(c) - c->targets - c->ahead;
    ur_tensor *parts[4] = {point};
    int count = 1;
    if (c->gaps) {
        ur_tensor *zeros = ur_copy_in(tape, 2, (int[]){B, c->targets}, NULL);
        parts[count++] = ur_affine(zeros, 1, 1);
    }
    if (n > (c->gaps ? c->targets : 0))
        parts[count++] = ur_copy_in(tape, 2, (int[]){B, n - (c->gaps ? c->targets : 0)}, NULL);
    if (c->ahead)
        parts[count++] = ahead;
    ur_tensor *x = count > 1 ? ur_concat(tape, count, parts, 1) : point;
    return ur_reshape(x, 3, (int[]){1, B, ur__forecast_input(c)});
}

static ur_tensor *recursive(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                            ur_state *state)
{
    const struct ur__forecast_net *c = ur__model_values(m);
    const struct net *net = m->net;
    ur_tensor **step = ur__tape_record_alloc(tape, (size_t)c->horizon, sizeof *step);
    ur_tensor *base = field(tape, batch, "base");
    ur_tensor *ahead = c->ahead ? field(tape, batch, "ahead") : NULL;
    ur_tensor *h = ur_rnn_forward(tape, net->rnn, field(tape, batch, "input"), NULL, state);
    if (!step || !h)
        return NULL;
    h = ur_at(h, c->context - 1);
    for (int j = 0; j < c->horizon; j++) {
        ur_tensor *o = ur_linear(tape, net->out, ur_dropout(h, c->stack.dropout));
        step[j] = shape(c, tape, o, ur_at(base, j));
        if (!step[j] || j + 1 == c->horizon)
            break;
        ur_tensor *point = c->output == UR__FORECAST_POINT ? step[j]
                                                           : ur_slice(step[j], 1, 0, c->targets);
        ur_tensor *x = feed(c, tape, point, ahead ? ur_at(ahead, j) : NULL);
        h = ur_rnn_forward(tape, net->rnn, x, NULL, state);
        h = h ? ur_at(h, 0) : NULL;
    }
    return ur__tape_poisoned(tape) ? NULL : ur_stack(tape, c->horizon, step);
}

static ur_tensor *outputs(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                          ur_state *const *states)
{
    const struct ur__forecast_net *c = ur__model_values(m);
    if (!check(tape, c, batch))
        return NULL;
    if (!c->recursive)
        return direct(tape, m, batch);
    if (!states || !states[0])
        return ur__tape_fail(tape, UR_EINVAL, "a network that feeds its forecasts back needs a "
                             "state");
    return recursive(tape, m, batch, states[0]);
}

/* ---- losses ------------------------------------------------------------ */

/* Levels of point, lower and upper bound of each target, [3N]. */
static ur_tensor *levels(ur_tape *tape, const struct ur__forecast_net *c)
{
    const int n = 3 * c->targets;
    ur_real *q = ur__tape_zeros(tape, (size_t)n, sizeof *q);
    if (!q)
        return NULL;
    for (int i = 0; i < n && !ur__tape_measures(tape); i++)
        q[i] = (ur_real)(i < c->targets ? 0.5 : i < 2 * c->targets ? (1 - c->interval) / 2
                                                                   : (1 + c->interval) / 2);
    return ur_constant(tape, 1, &n, q);
}

static ur_tensor *each(ur_tape *tape, const struct ur__forecast_net *c, ur_tensor *y,
                       ur_tensor *target)
{
    const int N = c->targets;
    if (c->output == UR__FORECAST_POINT)
        return ur_abs(ur_sub(y, target));
    if (c->output == UR__FORECAST_GAUSSIAN)
        return ur_gaussian_nll_each(ur_slice(y, 2, 0, N), ur_slice(y, 2, N, 2 * N), target);
    ur_tensor *three = ur_concat(tape, 3, (ur_tensor *[]){target, target, target}, 2);
    return ur_quantile_loss_each(y, levels(tape, c), three);
}

/* Mean over the values that are there; of quantiles, summed over the three. */
static ur_tensor *loss(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                       ur_state *const *states)
{
    const struct ur__forecast_net *c = ur__model_values(m);
    ur_tensor *y = outputs(tape, m, batch, states);
    const int B = y ? ur_dim(y, 1) : 0;
    if (!y)
        return NULL;
    if (!is_shape(batch, "target", c->horizon, B, 2 * c->targets))
        return ur__tape_fail(tape, UR_ESHAPE, "target is not [%d,%d,%d]", c->horizon, B,
                             2 * c->targets);
    ur_tensor *both = field(tape, batch, "target");
    ur_tensor *known = ur_slice(both, 2, c->targets, 2 * c->targets), *count = ur_sum(known);
    ur_tensor *e = each(tape, c, y, ur_slice(both, 2, 0, c->targets));
    if (c->output == UR__FORECAST_QUANTILE)
        known = ur_concat(tape, 3, (ur_tensor *[]){known, known, known}, 2);
    ur_tensor *one = ur_affine(ur_copy_in(tape, 1, (int[]){1}, NULL), 1, 1);
    return ur_div(ur_sum(ur_mul(e, known)), ur_maximum(count, one));
}

/* ---- the architecture -------------------------------------------------- */

static const char *const vocabs[] = {NULL};
static const char *const fields[] = {"input", "ahead", "base", "target", NULL};

static bool has(const void *config, const char *role)
{
    const struct ur__forecast_net *c = config;
    return role[0] != 'a' || c->ahead > 0;
}

static bool carries(const void *config)
{
    const struct ur__forecast_net *c = config;
    return c->recursive;
}

static int output(const ur_model *m)
{
    return step_numbers(ur__model_values(m));
}

const struct ur__arch ur__arch_forecast = {
    .name = "forecast",
    .task = "forecast",
    .options = &options,
    .vocabs = vocabs,
    .fields = fields,
    .has = has,
    .carries = carries,
    .net_size = sizeof(struct net),
    .resolve = resolve,
    .declare = declare,
    .outputs = outputs,
    .loss = loss,
    .output = output,
};
