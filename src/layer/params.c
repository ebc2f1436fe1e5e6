/* SPDX-License-Identifier: MIT */
/*
 * The parameter store: names first, memory once, then three flat buffers.
 * Invariant: entries never move (each has its own block), so borrowed ur_param pointers
 * stay valid while the list grows.
 */
#include "layer/params.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fpmode.h"
#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"
#include "base/utf8.h"
#include "layer/init.h"
#include "tape/tape.h"

struct entry {
    ur_param view;
    ur_start start;
    size_t shift_begin, shift_n;
    double shift;
    ur_rnn_options *form;   /* of the net that it begins; NULL: none */
    uint64_t claimed;   /* the round in which somebody reports its gradient */
};

struct ur_params {
    struct entry **entries;
    int n, room;
    size_t size, buffer_size;   /* reals: trained, not trained */
    ur_real *values, *grads, *buffers;
    struct ur__typed_list typed;
    bool built;
    uint64_t version;
    ur_gradients_ready ready;
    void *user;
};

ur_status ur_params_new(ur_params **out)
{
    UR__NEED(out, "out");
    *out = ur__calloc(1, sizeof **out);
    return *out ? UR_OK : UR_ENOMEM;
}

static void entry_free(struct entry *e)
{
    ur__free((char *)e->view.name);
    ur__free(e->form);
    ur__free(e);
}

void ur_params_free(ur_params *p)
{
    if (!p)
        return;
    for (int i = 0; i < p->n; i++)
        entry_free(p->entries[i]);
    for (int i = 0; i < p->typed.n; i++) {
        ur__free((char *)p->typed.at[i]->name);
        ur__free(p->typed.at[i]);
    }
    ur__free(p->typed.at);
    ur__free(p->typed.memory);
    ur__free(p->entries);
    ur__free(p->values);
    ur__free(p->grads);
    ur__free(p->buffers);
    ur__free(p);
}

ur_status ur__params_check_new(const ur_params *p, const char *name, int rank, const int *dim,
                               size_t *size)
{
    if (!p || !name || !*name || !dim)
        return ur__fail(UR_EINVAL, "a parameter needs a name and dimensions");
    if (!ur__is_plain(name))
        return ur__fail(UR_EINVAL, "\"%.80s\" cannot name a parameter: it has characters that "
                        "cannot be shown", name);
    if (strcmp(name, "__metadata__") == 0)
        return ur__fail(UR_EINVAL, "%s cannot name a parameter: files name their own by it", name);
    if (p->built)
        return ur__fail(UR_EINVAL, "parameter %s is declared after ur_params_build", name);
    if (rank < 1 || rank > UR_MAX_RANK)
        return ur__fail(UR_EINVAL, "parameter %s has rank %d, not 1 to %d", name, rank,
                        UR_MAX_RANK);
    *size = 1;
    for (int i = 0; i < rank; i++) {
        if (dim[i] < 1)
            return ur__fail(UR_EINVAL, "parameter %s: dimension %d of %d is impossible", name,
                            i, dim[i]);
        if (!ur__mul(size, *size, (size_t)dim[i]) || *size > INT_MAX)
            return ur__fail(UR_EINVAL, "parameter %s is too large: a tensor has at most %d values",
                            name, INT_MAX);
    }
    if (ur_params_find(p, name) || ur_params_find_typed(p, name))
        return ur__fail(UR_EINVAL, "there are two parameters named %s", name);
    return UR_OK;
}

static ur_status append(ur_params *p, struct entry *e)
{
    if (p->n == p->room) {
        int room = p->room ? 2 * p->room : 16;
        struct entry **more = ur__realloc(p->entries, (size_t)room, sizeof *more);
        if (!more)
            return UR_ENOMEM;
        p->entries = more;
        p->room = room;
    }
    p->entries[p->n++] = e;
    return UR_OK;
}

static ur_status check_start(const char *name, int rank, const int *dim, ur_start start)
{
    if ((int)start.init < UR_INIT_CONSTANT || (int)start.init > UR_INIT_ORTHOGONAL)
        return ur__fail(UR_EINVAL, "parameter %s: there is no init number %d", name,
                        (int)start.init);
    if (!(fabs(start.scale) <= UR__INIT_MOST))
        return ur__fail(UR_EINVAL, "parameter %s: scale must be from -%g to %g, not %g", name,
                        UR__INIT_MOST, UR__INIT_MOST, start.scale);
    if (start.init == UR_INIT_ORTHOGONAL && (rank != 2 || dim[0] % dim[1]))
        return ur__fail(UR_EINVAL, "parameter %s cannot be orthogonal: it is not made of "
                        "square blocks", name);
    return UR_OK;
}

/* what: which of the buffers, its name, rank and start; its place is found here. */
static ur_status add(ur_params *p, struct entry what, const int *dim, const ur_param **out)
{
    const char *name = what.view.name;
    int rank = what.view.rank;
    if (out)
        *out = NULL;
    UR__TRY(ur__params_check_new(p, name, rank, dim, &what.view.size));
    UR__TRY(check_start(name, rank, dim, what.start));
    struct entry *e = ur__calloc(1, sizeof *e);
    char *copy = ur__strdup(name);
    if (!e || !copy || append(p, e) != UR_OK) {
        ur__free(e);
        ur__free(copy);
        return UR_ENOMEM;
    }
    size_t *end = what.view.trained ? &p->size : &p->buffer_size;
    *e = what;
    e->view.name = copy;
    e->view.offset = *end;
    memcpy(e->view.dim, dim, (size_t)rank * sizeof *dim);
    *end += e->view.size;
    if (out)
        *out = &e->view;
    return UR_OK;
}

ur_status ur_params_add(ur_params *p, const char *name, int rank, const int *dim,
                        ur_start start, const ur_param **out)
{
    struct entry e = {.view = {.name = name, .rank = rank, .trained = true}, .start = start};
    return add(p, e, dim, out);
}

ur_status ur_params_add_buffer(ur_params *p, const char *name, int rank, const int *dim,
                               double value, const ur_param **out)
{
    struct entry e = {.view = {.name = name, .rank = rank}, .start = {UR_INIT_CONSTANT, value}};
    return add(p, e, dim, out);
}

ur_status ur__params_declare(ur_params *p, const struct ur__param_new *new,
                             const ur_param **out)
{
    struct ur__buf name = {0};
    ur_status status = ur__buf_printf(&name, "%s.%s", new->prefix, new->name);
    if (status == UR_OK)
        status = ur_params_add(p, name.data, new->rank, new->dim,
                               (ur_start){new->init, new->scale}, out);
    ur__buf_free(&name);
    if (status != UR_OK)
        return status;
    struct entry *e = p->entries[p->n - 1];
    e->shift_begin = new->shift_begin;
    e->shift_n = new->shift_n;
    e->shift = new->shift;
    return UR_OK;
}

ur_status ur__params_set_form(ur_params *p, int i, const ur_rnn_options *options)
{
    ur_rnn_options *form = ur__alloc(1, sizeof *form);
    if (!form)
        return UR_ENOMEM;
    *form = *options;
    p->entries[i]->form = form;
    return UR_OK;
}

const ur_rnn_options *ur__params_form(const ur_params *p, int i)
{
    return p->entries[i]->form;
}

void ur__params_truncate(ur_params *p, int n)
{
    while (p->n > n) {
        struct entry *e = p->entries[--p->n];
        *(e->view.trained ? &p->size : &p->buffer_size) -= e->view.size;
        entry_free(e);
    }
}

static void drop_memory(ur_params *p)
{
    ur__free(p->values);
    ur__free(p->grads);
    ur__free(p->buffers);
    ur__free(p->typed.memory);
    p->values = p->grads = p->buffers = NULL;
    p->typed.memory = NULL;
    p->built = false;
}

ur_status ur__params_build_zeros(ur_params *p)
{
    if (p->built)
        return ur__fail(UR_EINVAL, "ur_params_build was called twice");
    p->values = ur__calloc(p->size, sizeof(ur_real));
    p->grads = ur__calloc(p->size, sizeof(ur_real));
    p->buffers = ur__calloc(p->buffer_size, sizeof(ur_real));
    p->typed.memory = ur__calloc(p->typed.bytes, 1);
    p->built = p->values && p->grads && p->buffers && p->typed.memory;
    if (p->built)
        return UR_OK;
    drop_memory(p);
    return UR_ENOMEM;
}

static ur_status draw(const ur_params *p, int i, uint64_t seed)
{
    const struct entry *e = p->entries[i];
    ur_real *x = ur_param_data(p, &e->view);
    UR__TRY(ur__init_fill(x, &e->view, e->start, seed, (uint64_t)i));
    for (size_t j = 0; j < e->shift_n; j++)
        x[e->shift_begin + j] += (ur_real)e->shift;
    return UR_OK;
}

ur_status ur_params_build(ur_params *p, uint64_t seed)
{
    UR__NEED(p, "params");
    UR__TRY(ur__params_build_zeros(p));
    ur_status status = UR_OK;
    unsigned mode = ur__fpmode_default();
    for (int i = 0; i < p->n && status == UR_OK; i++)
        status = draw(p, i, seed);
    ur__fpmode_restore(mode);
    if (status != UR_OK)
        drop_memory(p);
    return status;
}

struct ur__typed_list *ur__params_typed(const ur_params *p)
{
    return (struct ur__typed_list *)&p->typed;
}

uint64_t ur__params_version(const ur_params *p)
{
    return p->version;
}

void ur__swap_values(size_t n, ur_real *a, ur_real *b)
{
    for (size_t i = 0; i < n; i++) {
        ur_real value = a[i];
        a[i] = b[i];
        b[i] = value;
    }
}

void ur__params_changed(ur_params *p)
{
    p->version++;
}

bool ur__params_built(const ur_params *p)
{
    return p->built;
}

int ur_params_count(const ur_params *p)
{
    UR__NEED_OR(p, "params", 0);
    return p->n;
}

const ur_param *ur_params_at(const ur_params *p, int i)
{
    UR__NEED_OR(p, "params", NULL);
    return i >= 0 && i < p->n ? &p->entries[i]->view : NULL;
}

const ur_param *ur_params_find(const ur_params *p, const char *name)
{
    UR__NEED_OR(p, "params", NULL);
    UR__NEED_OR(name, "name", NULL);
    for (int i = 0; i < p->n; i++)
        if (!strcmp(p->entries[i]->view.name, name))
            return &p->entries[i]->view;
    return NULL;
}

const ur_typed *ur_params_find_typed(const ur_params *p, const char *name)
{
    UR__NEED_OR(p, "params", NULL);
    UR__NEED_OR(name, "name", NULL);
    for (int i = 0; i < p->typed.n; i++)
        if (!strcmp(p->typed.at[i]->name, name))
            return p->typed.at[i];
    return NULL;
}

size_t ur_params_size(const ur_params *p)
{
    UR__NEED_OR(p, "params", 0);
    return p->size;
}

ur_real *ur_params_values(ur_params *p)
{
    UR__NEED_OR(p, "params", NULL);
    return p->values;
}

ur_real *ur_params_grads(ur_params *p)
{
    UR__NEED_OR(p, "params", NULL);
    return p->grads;
}

void ur_params_zero_grads(ur_params *p)
{
    UR__NEED_OR(p, "params", );
    if (p->grads)
        memset(p->grads, 0, p->size * sizeof(ur_real));
}

/* A view of another store would point outside this one's memory. */
static bool holds(const ur_params *p, const ur_param *view)
{
    size_t size = view->trained ? p->size : p->buffer_size;
    return view->size <= size && view->offset <= size - view->size;
}

ur_real *ur_param_data(const ur_params *params, const ur_param *p)
{
    UR__NEED_OR(params, "params", NULL);
    UR__NEED_OR(p, "p", NULL);
    if (!holds(params, p)) {
        ur__fail(UR_EINVAL, "parameter %s belongs to another store", p->name);
        return NULL;
    }
    return params->built ? (p->trained ? params->values : params->buffers) + p->offset : NULL;
}

ur_real *ur__param_grad(const ur_params *params, const ur_param *p)
{
    return params->built && p->trained ? params->grads + p->offset : NULL;
}

/* On a measuring tape a store without memory still has addresses, to tell parameters apart. */
static ur_tensor *shape_alone(ur_tape *tape, const ur_param *p)
{
    ur_real *data = (ur_real *)UR__NOWHERE + p->offset;
    return ur_variable(tape, p->rank, p->dim, data, p->trained ? data : NULL);
}

/* ---- gradients reported ------------------------------------------------ */

void ur_params_on_gradients(ur_params *p, ur_gradients_ready ready, void *user)
{
    UR__NEED_OR(p, "params", );
    p->ready = ready;
    p->user = user;
}

bool ur__params_reports(const ur_params *p)
{
    return p->ready;
}

bool ur__params_claim(const ur_params *p, const ur_tape *tape, const ur_param *view)
{
    if (!p->ready || !view->trained || !ur__tape_recording(tape) || ur__tape_measures(tape))
        return false;
    for (int i = 0; i < p->n; i++) {
        struct entry *e = p->entries[i];
        if (&e->view != view || e->claimed == ur__tape_round(tape))
            continue;
        e->claimed = ur__tape_round(tape);
        return true;
    }
    return false;
}

void ur__params_report(const ur_params *p, const ur_param *view)
{
    if (p->ready)
        p->ready(p->user, view->offset, view->size);
}

struct report {
    const ur_params *params;
    const ur_param *view;
};

static ur_status report_back(ur_tape *tape, void *saved)
{
    const struct report *r = saved;
    (void)tape;
    ur__params_report(r->params, r->view);
    return UR_OK;
}

/* A node recorded before all users of the parameter runs back after them. */
static void report_later(ur_tape *tape, const ur_params *params, const ur_param *view)
{
    struct report *r = ur__tape_record_alloc(tape, 1, sizeof *r);
    if (!r)
        return;
    *r = (struct report){params, view};
    ur__tape_record(tape, report_back, r);
}

/* ---- on the tape ------------------------------------------------------- */

static ur_tensor *note_parameter(ur_tensor *x, const ur_param *p)
{
    x = ur__tape_note(x, "parameter", 0, NULL);
    if (x)
        x->name = p->name;
    return x;
}

ur_tensor *ur_param_tensor(ur_tape *tape, const ur_params *params, const ur_param *p)
{
    if (!params || !p)
        return ur__tape_fail(tape, UR_EINVAL, "there is no such parameter");
    if (tape && ur__tape_measures(tape) && !params->built && holds(params, p))
        return note_parameter(shape_alone(tape, p), p);
    const ur_real *data = ur_param_data(params, p);
    if (!data)
        return ur__tape_fail(tape, UR_EINVAL, "parameter %s %s", p->name,
                             params->built ? "belongs to another store"
                                            : "has no value: call ur_params_build first");
    ur_real *grad = ur__param_grad(params, p);    /* NULL if it is not trained */
    if (tape && ur__params_claim(params, tape, p))
        report_later(tape, params, p);
    return note_parameter(ur_variable(tape, p->rank, p->dim, data, grad), p);
}

int ur__param_dims(const ur_param *p, uint64_t dim[UR_MAX_RANK])
{
    for (int i = 0; i < p->rank; i++)
        dim[i] = (uint64_t)p->dim[i];
    return p->rank;
}

const char *ur__dims_text(int rank, const uint64_t *dim, char out[UR__DIMS_TEXT])
{
    int at = snprintf(out, UR__DIMS_TEXT, rank < 0 ? "[more than 8 dimensions" : "[");
    for (int i = 0; i < rank; i++)
        at += snprintf(out + at, (size_t)(UR__DIMS_TEXT - at), "%s%llu", i ? "," : "",
                       (unsigned long long)dim[i]);
    snprintf(out + at, (size_t)(UR__DIMS_TEXT - at), "]");
    return out;
}
