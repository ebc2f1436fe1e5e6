/* SPDX-License-Identifier: MIT */
/* What a configuration may be, and its text in a model file. */
#include "model/config.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "model/model.h"

/* Keeps every product of two sizes and a gate count within 40 bits. */
#define MAX_SIZE 65536

static const char *const tasks[] = {"lm", "fill", NULL};

static const char *find_task(const char *name)
{
    for (int i = 0; tasks[i]; i++) {
        if (strcmp(tasks[i], name) == 0)
            return tasks[i];
    }
    return NULL;
}

bool ur__config_fills(const ur_config *c)
{
    return strcmp(c->task, "fill") == 0;
}

int ur__config_top(const ur_config *c)
{
    int top = c->projection ? c->projection : c->hidden[c->layers - 1];
    return ur__config_fills(c) ? 2 * top : top;
}

/* Keys that a file has only where they are not 0. */
static const struct extra {
    const char *key;
    enum { FLAG, WHOLE, REAL } kind;
    size_t at;
} extras[] = {
#define EXTRA(kind, field) {#field, kind, offsetof(ur_config, field)}
    EXTRA(WHOLE, projection), EXTRA(FLAG, peepholes), EXTRA(FLAG, coupled),
    EXTRA(REAL, cell_clip), EXTRA(FLAG, time_residual), EXTRA(FLAG, learned_state),
    EXTRA(FLAG, variational), EXTRA(REAL, recurrent_dropout), EXTRA(REAL, zoneout_h),
    EXTRA(REAL, zoneout_c),
#undef EXTRA
};
enum { N_EXTRAS = sizeof extras / sizeof *extras };

/* ---- checking ---------------------------------------------------------- */

static ur_status check_sizes(const ur_config *c)
{
    if (c->layers < 1 || c->layers > UR_MAX_LAYERS)
        return ur__fail(UR_EINVAL, "a network has 1 to %d layers, not %d", UR_MAX_LAYERS,
                        c->layers);
    for (int l = 0; l < c->layers; l++) {
        if (c->hidden[l] < 1 || c->hidden[l] > MAX_SIZE)
            return ur__fail(UR_EINVAL, "layer %d has %d units; 1 to %d are possible", l,
                            c->hidden[l], MAX_SIZE);
    }
    if (c->embed < 0 || c->embed > MAX_SIZE)
        return ur__fail(UR_EINVAL, "embeddings of size %d; 0 (one-hot) to %d are possible",
                        c->embed, MAX_SIZE);
    int top = ur__config_top(c);
    if (c->tie && c->embed != top)
        return ur__fail(UR_EINVAL, "tied weights need embeddings of the size that the decoder "
                        "reads, %d, not %d", top, c->embed);
    for (int l = 0; c->projection && l < c->layers; l++)
        if (c->projection < 0 || c->projection >= c->hidden[l])
            return ur__fail(UR_EINVAL, "a projection of layer %d's %d units to %d is none: it is "
                            "smaller", l, c->hidden[l], c->projection);
    return UR_OK;
}

static ur_status check_cell(const ur_config *c)
{
    const char *cell = ur_cell_name(c->cell);
    if (!cell)
        return ur__fail(UR_EINVAL, "%d is no recurrent cell", (int)c->cell);
    if (c->cell == UR_CELL_RNN &&
        (!ur_activation_name(c->activation) || c->activation == UR_ACT_IDENTITY))
        return ur__fail(UR_EINVAL, "the activation of cell rnn is tanh, relu, sigmoid or satlin");
    if (c->cell != UR_CELL_RNN && c->activation != UR_ACT_TANH)
        return ur__fail(UR_EINVAL, "cell %s has no choice of activation, only rnn has", cell);
    if (c->reset_before && c->cell != UR_CELL_GRU)
        return ur__fail(UR_EINVAL, "reset before is a form of cell gru, not of %s", cell);
    if (c->forget_bias != 0 && c->cell != UR_CELL_LSTM)
        return ur__fail(UR_EINVAL, "a forget bias needs cell lstm, not %s", cell);
    if (c->time_residual && c->cell != UR_CELL_RNN)
        return ur__fail(UR_EINVAL, "a residual in time is a form of cell rnn, not of %s", cell);
    if (c->cell != UR_CELL_LSTM && (c->projection || c->peepholes || c->coupled ||
                                    c->cell_clip != 0 || c->zoneout_c != 0))
        return ur__fail(UR_EINVAL, "projection, peepholes, coupled gates, cell clip and zoneout "
                        "of c need cell lstm, not %s", cell);
    if (c->coupled && c->forget_bias != 0)
        return ur__fail(UR_EINVAL, "coupled gates have no forget bias");
    if (!(c->cell_clip >= 0 && c->cell_clip <= 1e6))
        return ur__fail(UR_EINVAL, "a cell clip is at least 0, not %g", c->cell_clip);
    return UR_OK;
}

static ur_status check_probability(const char *name, double p)
{
    if (p >= 0 && p < 1)
        return UR_OK;
    return ur__fail(UR_EINVAL, "%s is a probability in [0,1), not %g", name, p);
}

static ur_status check_noise(const ur_config *c)
{
    UR__TRY(check_probability("dropout", c->dropout));
    UR__TRY(check_probability("recurrent dropout", c->recurrent_dropout));
    UR__TRY(check_probability("zoneout", c->zoneout_h));
    UR__TRY(check_probability("zoneout of the cell", c->zoneout_c));
    if (c->variational && c->dropout == 0)
        return ur__fail(UR_EINVAL, "variational dropout needs a dropout above 0");
    return UR_OK;
}

ur_status ur_config_check(const ur_config *c)
{
    UR__NEED(c, "config");
    if (!c->task || !find_task(c->task))
        return ur__fail(UR_EINVAL, "there is no task \"%s\"", c->task ? c->task : "");
    if (!ur_token_kind_name(c->tokens))
        return ur__fail(UR_EINVAL, "%d is no kind of token", (int)c->tokens);
    UR__TRY(check_cell(c));
    UR__TRY(check_sizes(c));
    UR__TRY(check_noise(c));
    if (!(fabs(c->forget_bias) <= 100))
        return ur__fail(UR_EINVAL, "a forget bias lies within -100 and 100, not %g",
                        c->forget_bias);
    return UR_OK;
}

/* ---- writing ----------------------------------------------------------- */

static void set_extras(const ur_config *c, struct ur__json *j)
{
    for (int i = 0; i < N_EXTRAS; i++) {
        const struct extra *x = &extras[i];
        const void *at = (const char *)c + x->at;
        if (x->kind == FLAG && *(const bool *)at)
            ur__json_set_bool(j, x->key, true);
        if (x->kind == WHOLE && *(const int *)at)
            ur__json_set_int(j, x->key, *(const int *)at);
        if (x->kind == REAL && *(const double *)at != 0)
            ur__json_set_real(j, x->key, *(const double *)at);
    }
}

ur_status ur__config_text(const ur_config *c, char **out)
{
    *out = NULL;
    UR__TRY(ur_config_check(c));
    struct ur__json *j = ur__json_new_object(), *hidden = ur__json_new_array();
    struct ur__buf text = {0};
    for (int l = 0; l < c->layers; l++)
        ur__json_add_int(hidden, c->hidden[l]);
    ur__json_set_string(j, "task", c->task);
    ur__json_set_string(j, "tokens", ur_token_kind_name(c->tokens));
    ur__json_set_string(j, "cell", ur_cell_name(c->cell));
    ur__json_set_string(j, "activation", ur_activation_name(c->activation));
    ur__json_set_string(j, "reset", c->reset_before ? "before" : "after");
    ur__json_set(j, "hidden", hidden);
    ur__json_set_int(j, "embed", c->embed);
    ur__json_set_bool(j, "tie", c->tie);
    ur__json_set_real(j, "dropout", c->dropout);
    ur__json_set_bool(j, "orthogonal", c->orthogonal);
    ur__json_set_real(j, "forget_bias", c->forget_bias);
    set_extras(c, j);
    ur_status status = j && hidden ? ur__json_dump(j, &text) : UR_ENOMEM;
    ur__json_free(j);
    if (status != UR_OK) {
        ur__buf_free(&text);
        return status;
    }
    *out = text.data;
    return UR_OK;
}

/* ---- reading ----------------------------------------------------------- */

static ur_status bad_key(const char *key)
{
    return ur__fail(UR_EFORMAT, "configuration: \"%s\" is missing or impossible", key);
}

static bool parse_choice(const struct ur__json *j, const char *key, const char *no,
                         const char *yes, bool *out)
{
    const char *text;
    if (!ur__json_get_string(j, key, &text))
        return false;
    *out = strcmp(text, yes) == 0;
    return *out || strcmp(text, no) == 0;
}

static bool parse_size(const struct ur__json *j, const char *key, int *out)
{
    int64_t value;
    if (!ur__json_get_int(j, key, &value) || value < INT32_MIN || value > INT32_MAX)
        return false;
    *out = (int)value;
    return true;
}

static bool parse_hidden(const struct ur__json *j, ur_config *c)
{
    const struct ur__json *hidden = ur__json_get(j, "hidden");
    if (!hidden || !ur__json_is_array(hidden) || ur__json_size(hidden) > UR_MAX_LAYERS)
        return false;
    c->layers = (int)ur__json_size(hidden);
    for (int l = 0; l < c->layers; l++) {
        int64_t value;
        if (!ur__json_int(ur__json_at(hidden, (size_t)l), &value) || value < 1
                || value > INT32_MAX)
            return false;
        c->hidden[l] = (int)value;
    }
    return true;
}

static ur_status check_key(void *user, const char *key, const struct ur__json *value)
{
    static const char *const known[] = {
        "task", "tokens", "cell", "activation", "reset", "hidden", "embed", "tie", "dropout",
        "orthogonal", "forget_bias"
    };
    (void)user;
    (void)value;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i], key) == 0)
            return UR_OK;
    }
    for (int i = 0; i < N_EXTRAS; i++) {
        if (strcmp(extras[i].key, key) == 0)
            return UR_OK;
    }
    return ur__fail(UR_EFORMAT, "configuration: \"%s\" is unknown", key);
}

static ur_status parse_extras(const struct ur__json *j, ur_config *c)
{
    for (int i = 0; i < N_EXTRAS; i++) {
        const struct extra *x = &extras[i];
        void *at = (char *)c + x->at;
        if (!ur__json_get(j, x->key))
            continue;
        if (!(x->kind == FLAG    ? ur__json_get_bool(j, x->key, at)
              : x->kind == WHOLE ? parse_size(j, x->key, at)
                                 : ur__json_get_real(j, x->key, at)))
            return bad_key(x->key);
    }
    return UR_OK;
}

ur_status ur__config_parse(ur_config *out, const struct ur__json *j)
{
    ur_config c = UR_CONFIG_INIT;
    const char *text;
    if (!ur__json_is_object(j))
        return ur__fail(UR_EFORMAT, "configuration: no JSON object");
    UR__TRY(ur__json_each(j, check_key, NULL));
    if (!ur__json_get_string(j, "task", &text) || !(c.task = find_task(text)))
        return bad_key("task");
    if (!ur__json_get_string(j, "tokens", &text) || !ur_token_kind_find(text, &c.tokens))
        return bad_key("tokens");
    if (!ur__json_get_string(j, "cell", &text) || !ur_cell_find(text, &c.cell))
        return bad_key("cell");
    if (!ur__json_get_string(j, "activation", &text) || !ur_activation_find(text, &c.activation))
        return bad_key("activation");
    if (!parse_choice(j, "reset", "after", "before", &c.reset_before))
        return bad_key("reset");
    if (!parse_hidden(j, &c))
        return bad_key("hidden");
    if (!parse_size(j, "embed", &c.embed))
        return bad_key("embed");
    if (!ur__json_get_bool(j, "tie", &c.tie))
        return bad_key("tie");
    if (!ur__json_get_real(j, "dropout", &c.dropout))
        return bad_key("dropout");
    if (!ur__json_get_bool(j, "orthogonal", &c.orthogonal))
        return bad_key("orthogonal");
    if (!ur__json_get_real(j, "forget_bias", &c.forget_bias))
        return bad_key("forget_bias");
    UR__TRY(parse_extras(j, &c));
    *out = c;
    return UR_OK;
}
