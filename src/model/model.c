/* SPDX-License-Identifier: MIT */
/* A model: made from a configuration and vocabularies, looked at, taken apart. */
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/vocab.h"
#include "io/json.h"
#include "model/arch.h"
#include "model/batch.h"
#include "model/model.h"
#include "tape/tape.h"

/* ---- making ------------------------------------------------------------ */

int ur__arch_roles(const struct ur__arch *arch)
{
    int n = 0;
    while (arch->vocabs[n])
        n++;
    return n;
}

bool ur__arch_has(const struct ur__arch *arch, const ur_options *config, const char *role)
{
    return !arch->has || arch->has(ur__options_read(config), role);
}

static ur_status check_vocabs(const struct ur__arch *arch, const ur_options *config, int n,
                              ur_vocab *const *vocabs)
{
    int wanted = ur__arch_roles(arch);
    if (n != wanted)
        return ur__fail(UR_EINVAL, "architecture %s has %d vocabular%s, not %d", arch->name, wanted,
                        wanted == 1 ? "y" : "ies", n);
    for (int i = 0; i < n; i++)
        if (!vocabs[i] == ur__arch_has(arch, config, arch->vocabs[i]))
            return ur__fail(UR_EINVAL, vocabs[i] ? "a network of these options has no vocabulary "
                                                   "\"%s\", but one is given"
                                                 : "the vocabulary \"%s\" is NULL",
                            arch->vocabs[i]);
    return UR_OK;
}

static ur_status declare(ur_model *m)
{
    m->summary = ur__strdup("{}");
    m->task = ur__strdup(m->arch->task);
    m->net = ur__calloc(1, m->arch->net_size);
    if (!m->summary || !m->task || !m->net)
        return UR_ENOMEM;
    UR__TRY(ur_params_new(&m->params));
    return m->arch->declare(m);
}

/* Vocabularies stay the caller's if it fails. */
static void free_but_vocabs(ur_model *m)
{
    memset(m->vocab, 0, sizeof m->vocab);
    ur_model_free(m);
}

ur_status ur__model_declare(ur_model **out, const ur_options *config, int n,
                            ur_vocab *const *vocabs)
{
    *out = NULL;
    UR__TRY(ur__options_check(config, "network"));
    const struct ur__arch *arch = ur__arch_find(config->table->name);
    ur_options resolved = *config;
    UR__TRY(arch->resolve(ur__options_values(&resolved)));
    UR__TRY(check_vocabs(arch, &resolved, n, vocabs));
    ur_model *m = ur__calloc(1, sizeof *m);
    if (!m)
        return UR_ENOMEM;
    m->arch = arch;
    m->config = resolved;
    memcpy(m->vocab, vocabs, (size_t)n * sizeof *vocabs);
    ur_status status = declare(m);
    if (status != UR_OK) {
        free_but_vocabs(m);
        return status;
    }
    *out = m;
    return UR_OK;
}

const char *ur__model_token(const ur_model *m)
{
    return m->vocab[0] ? ur_token_kind_name(ur_vocab_kind(m->vocab[0])) : NULL;
}

ur_status ur__model_build(ur_model *model, uint64_t seed)
{
    UR__TRY(ur_params_build(model->params, seed));
    return ur_model_prepare(model);
}

ur_status ur_model_new(ur_model **out, const ur_options *config, int n, ur_vocab *const *vocabs,
                       uint64_t seed)
{
    UR__NEED(out, "out");
    *out = NULL;
    UR__NEED(config, "config");
    UR__NEED(vocabs, "vocabs");
    ur_model *m;
    UR__TRY(ur__model_declare(&m, config, n, vocabs));
    ur_status status = ur__model_build(m, seed);
    if (status != UR_OK) {
        free_but_vocabs(m);
        return status;
    }
    *out = m;
    return UR_OK;
}

void ur_model_free(ur_model *m)
{
    if (!m)
        return;
    for (int i = 0; i < m->n_blocks; i++)
        ur__block_free(&m->block[i]);
    ur_params_free(m->params);
    for (int i = 0; i < UR__MAX_VOCABS; i++)
        ur_vocab_free(m->vocab[i]);
    ur__free(m->net);
    ur__free(m->task);
    ur__free(m->summary);
    ur__free(m);
}

ur_status ur_model_prepare(ur_model *m)
{
    UR__NEED(m, "model");
    for (int i = 0; i < m->n_blocks; i++)
        UR__TRY(ur__block_prepare(&m->block[i]));
    return UR_OK;
}

/* ---- looking ----------------------------------------------------------- */

const char *ur_model_arch(const ur_model *m)
{
    UR__NEED_OR(m, "model", NULL);
    return m->arch->name;
}

const ur_options *ur_model_config(const ur_model *m)
{
    UR__NEED_OR(m, "model", NULL);
    return &m->config;
}

ur_params *ur_model_params(ur_model *m)
{
    UR__NEED_OR(m, "model", NULL);
    return m->params;
}

const ur_vocab *ur_model_vocab(const ur_model *m, const char *role)
{
    UR__NEED_OR(m, "model", NULL);
    for (int i = 0; m->arch->vocabs[i]; i++)
        if (!role || strcmp(m->arch->vocabs[i], role) == 0)
            return m->vocab[i];
    return NULL;
}

ur_rnn *ur__model_stack(const ur_model *m, int i, bool *carried)
{
    for (int at = 0; at < m->n_blocks; at++) {
        if (m->block[at].kind != UR__BLOCK_STACK || i-- > 0)
            continue;
        if (carried)
            *carried = !m->block[at].within;
        return m->block[at].rnn;
    }
    return NULL;
}

const ur_rnn *ur_model_rnn(const ur_model *m, int i)
{
    UR__NEED_OR(m, "model", NULL);
    return i < 0 ? NULL : ur__model_stack(m, i, NULL);
}

const char *ur_model_task(const ur_model *m)
{
    UR__NEED_OR(m, "model", NULL);
    return m->task;
}

const char *ur_model_summary(const ur_model *m)
{
    UR__NEED_OR(m, "model", NULL);
    return m->summary;
}

static ur_status replace(char **text, const char *with)
{
    char *copy = ur__strdup(with);
    if (!copy)
        return UR_ENOMEM;
    ur__free(*text);
    *text = copy;
    return UR_OK;
}

ur_status ur__model_set_task(ur_model *m, const char *task)
{
    return replace(&m->task, task);
}

ur_status ur__model_set_summary(ur_model *m, const char *json)
{
    struct ur__json *j;
    UR__TRY(ur__json_parse(&j, json, strlen(json)));
    bool object = ur__json_is_object(j);
    ur__json_free(j);
    if (!object)
        return ur__fail(UR_EFORMAT, "a training summary must be a JSON object");
    return replace(&m->summary, json);
}

/* ---- on the tape ------------------------------------------------------- */

/* The target counts only if it is wanted. */
static ur_status check_fields(const ur_model *m, const ur_batch *batch, bool targets)
{
    UR__TRY(ur__batch_check(batch));
    for (int i = 0; m->arch->fields[i]; i++) {
        const char *role = m->arch->fields[i];
        const ur_field *field = ur_batch_find(batch, role);
        if (!ur__arch_has(m->arch, &m->config, role))
            continue;
        if (field)
            UR__TRY(ur__batch_check_lengths(field));
        else if (targets || strcmp(role, "target") != 0)
            return ur__fail(UR_EINVAL, "the batch has no field \"%s\"", role);
    }
    return UR_OK;
}

/* Does the batch have all fields? */
static bool is_whole(ur_tape *tape, const ur_model *m, const ur_batch *batch, bool targets)
{
    if (!tape || !m || !batch) {
        ur__tape_fail(tape, UR_EINVAL, "the %s is NULL", !tape ? "tape" : !m ? "model" : "batch");
        return false;
    }
    ur_status status = check_fields(m, batch, targets);
    if (status != UR_OK)
        ur__tape_fail(tape, status, "%s", ur_errmsg());
    return status == UR_OK;
}

static ur_state *const *states_of(ur_tape *tape, const ur_model *m, const ur_model_state *state,
                                  bool *fits);

ur_tensor *ur_model_outputs(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                            ur_model_state *state)
{
    bool fits;
    if (!is_whole(tape, m, batch, false))
        return NULL;
    ur_state *const *states = states_of(tape, m, state, &fits);
    return fits ? ur__net_outputs(tape, m, batch, states) : NULL;
}

ur_tensor *ur_model_loss(ur_tape *tape, const ur_model *m, const ur_batch *batch,
                         ur_model_state *state)
{
    bool fits;
    if (!is_whole(tape, m, batch, true))
        return NULL;
    ur_state *const *states = states_of(tape, m, state, &fits);
    return fits ? ur__net_loss(tape, m, batch, states) : NULL;
}

/* ---- what is carried --------------------------------------------------- */

struct ur_model_state {
    const ur_model *model;
    int n;
    ur_state *stack[UR__MAX_BLOCKS];
};

static ur_state *const *states_of(ur_tape *tape, const ur_model *m, const ur_model_state *state,
                                  bool *fits)
{
    *fits = !state || state->model == m;
    if (!*fits)
        ur__tape_fail(tape, UR_EINVAL, "the state belongs to another model");
    return state ? state->stack : NULL;
}

bool ur__model_carries(const ur_model *m)
{
    return m->arch->carries && m->arch->carries(ur__model_values(m));
}

ur_status ur_model_state_new(ur_model_state **out, const ur_model *m, int B, ur_team *team)
{
    UR__NEED(out, "out");
    *out = NULL;
    UR__NEED(m, "model");
    if (!ur__model_carries(m))
        return ur__fail(UR_EINVAL, "a model of architecture %s%s carries no state", m->arch->name,
                        m->arch->carries ? " and these options" : "");
    ur_model_state *s = ur__calloc(1, sizeof *s);
    if (!s)
        return UR_ENOMEM;
    s->model = m;
    ur_status status = UR_OK;
    bool carried;
    for (ur_rnn *rnn; status == UR_OK && (rnn = ur__model_stack(m, s->n, &carried)); s->n++)
        status = carried ? ur_state_new(&s->stack[s->n], rnn, B, team) : UR_OK;
    if (status != UR_OK) {
        ur_model_state_free(s);
        return status;
    }
    *out = s;
    return UR_OK;
}

void ur_model_state_free(ur_model_state *s)
{
    if (!s)
        return;
    for (int i = 0; i < UR__MAX_BLOCKS; i++)
        ur_state_free(s->stack[i]);
    ur__free(s);
}

void ur_model_state_zero(ur_model_state *s)
{
    UR__NEED_OR(s, "state", );
    for (int i = 0; i < s->n; i++)
        if (s->stack[i])
            ur_state_zero(s->stack[i]);
}

void ur_model_state_detach(ur_model_state *s)
{
    UR__NEED_OR(s, "state", );
    for (int i = 0; i < s->n; i++)
        if (s->stack[i])
            ur_state_detach(s->stack[i]);
}

ur_state *ur_model_state_at(const ur_model_state *s, int i)
{
    UR__NEED_OR(s, "state", NULL);
    return i >= 0 && i < s->n ? s->stack[i] : NULL;
}
