/* SPDX-License-Identifier: MIT */
/*
 * An optimizer's state as a safetensors file, for loops of one's own:
 *
 *   __metadata__  format, version, kind
 *                 clock       updates made and the powers of both betas
 *                 checksum    CRC-32 of the data part and of the strings above
 *   m/NAME, v/NAME   the moments that the kind has, as in a training state
 *
 * Invariant: moments are read into memory of their own, so nothing changes unless all is read.
 */
#include "train/optimizer.h"

#include <string.h>

#include "base/fpmode.h"
#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "kernel/select.h"
#include "model/model.h"
#include "train/checksum.h"

#define FORMAT "unroll-optimizer"
#define VERSION 1

static const char *const keys[] = {"format", "version", "kind", "clock"};
#define N_KEYS 4

/* ---- the moments, for both ways ---------------------------------------- */

struct moments {
    ur_real *data[2];       /* laid out as the flat parameters, or NULL */
};

static struct moments moments_of(const ur_optimizer *o)
{
    return (struct moments){{ur__optimizer_moment(o, true), ur__optimizer_moment(o, false)}};
}

typedef ur_status (*moment_function)(void *user, const char *name, const ur_param *p,
                                     ur_real *data);

static ur_status each_moment(ur_params *params, struct moments moments, moment_function fn,
                             void *user)
{
    for (int i = 0; i < 2 * ur_params_count(params); i++) {
        const ur_param *p = ur_params_at(params, i / 2);
        struct ur__buf name = {0};
        if (!p->trained || !moments.data[i % 2])
            continue;
        ur_status status = ur__buf_printf(&name, "%c/%s", "mv"[i % 2], p->name);
        if (status == UR_OK)
            status = fn(user, name.data, p, moments.data[i % 2] + p->offset);
        ur__buf_free(&name);
        UR__TRY(status);
    }
    return UR_OK;
}

/* ---- writing ----------------------------------------------------------- */

static ur_status put_moment(void *user, const char *name, const ur_param *p, ur_real *data)
{
    uint64_t dim[UR_MAX_RANK];
    for (int i = 0; i < p->rank; i++)
        dim[i] = (uint64_t)p->dim[i];
    size_t bad = ur__kernel()->find_nonfinite(p->size, data);
    if (bad < p->size)
        return ur__fail(UR_ENUMERIC, "%s[%zu] is %s; no state is written", name, bad,
                        ur__nonfinite_name((double)data[bad]));
    return ur__st_out_tensor(user, name, ur__st_real_type(), p->rank, dim, data);
}

static ur_status clock_text(struct ur__optimizer_clock clock, struct ur__buf *to)
{
    struct ur__json *j = ur__json_new_object();
    ur__json_set_int(j, "updates", clock.steps);
    ur__json_set_real(j, "power1", clock.power1);
    ur__json_set_real(j, "power2", clock.power2);
    ur_status status = ur__json_dump(j, to);
    ur__json_free(j);
    return status;
}

static ur_status fill(const ur_optimizer *o, struct ur__st_out *out)
{
    struct ur__buf clock = {0};
    ur_status status = each_moment(ur__optimizer_params(o), moments_of(o), put_moment, out);
    if (status == UR_OK)
        status = clock_text(ur__optimizer_clock(o), &clock);
    const char *values[N_KEYS] = {FORMAT, UR__QUOTE(VERSION),
                                  ur_optimizer_name(ur__optimizer_options(o)->kind), clock.data};
    if (status == UR_OK)
        status = ur__checksum_put(out, N_KEYS, keys, values);
    ur__buf_free(&clock);
    return status;
}

ur_status ur_optimizer_save(const ur_optimizer *optimizer, const char *path)
{
    struct ur__st_out *out;
    UR__NEED(optimizer, "optimizer");
    UR__NEED(path, "path");
    UR__TRY(ur__st_out_new(&out));
    unsigned mode = ur__fpmode_default();
    ur_status status = fill(optimizer, out);
    ur__fpmode_restore(mode);
    if (status == UR_OK)
        status = ur__st_out_save(out, path);
    ur__st_out_free(out);
    return status;
}

/* ---- reading ----------------------------------------------------------- */

struct source {
    struct ur__st_file *file;
    const char *path;
    size_t found;           /* tensors that belong to the optimizer */
};

/* What else it is says more than what it lacks. */
static ur_status check_format(const struct source *s)
{
    const char *format = ur__st_meta(s->file, "format");
    if (format && strcmp(format, FORMAT) == 0)
        return UR_OK;
    if (format && strcmp(format, UR__MODEL_FORMAT) == 0)
        return ur__fail(UR_EFORMAT, "%s: is a model, not an optimizer's state: ur_model_load reads "
                        "it; the state is the file of ur_optimizer_save", s->path);
    if (format && strcmp(format, UR__STATE_FORMAT) == 0)
        return ur__fail(UR_EFORMAT, "%s: is the state of a run of ur_train, not an optimizer's: "
                        "resume goes on from it", s->path);
    return ur__fail(UR_EFORMAT, "%s: is a safetensors file but no optimizer's state: its format is "
                    "\"%.40s\"; the state is the file of ur_optimizer_save", s->path,
                    format ? format : "");
}

static ur_status verify(const struct source *s, const ur_optimizer *o)
{
    const char *values[N_KEYS], *kind = ur_optimizer_name(ur__optimizer_options(o)->kind);
    int64_t version;
    UR__TRY(check_format(s));
    for (int i = 0; i < N_KEYS; i++) {
        values[i] = ur__st_meta(s->file, keys[i]);
        if (!values[i])
            return ur__fail(UR_EFORMAT, "%s: not an optimizer's state: %s is missing", s->path,
                            keys[i]);
    }
    if (ur__parse_int(values[1], &version) && version != VERSION)
        return ur__fail(UR_EVERSION, "%s: an optimizer's state of version %s, and this unroll "
                        "reads version %d", s->path, values[1], VERSION);
    UR__TRY(ur__checksum_verify(s->file, s->path, N_KEYS, keys, values));
    if (strcmp(values[2], kind) != 0)
        return ur__fail(UR_EINVAL, "%s: the state of \"%s\", and this optimizer is \"%s\"", s->path,
                        values[2], kind);
    return UR_OK;
}

static ur_status parse_clock(const struct source *s, struct ur__optimizer_clock *clock)
{
    struct ur__json *j;
    const char *text = ur__st_meta(s->file, "clock");
    UR__TRY(ur__json_parse(&j, text, strlen(text)));
    bool whole = ur__json_get_int(j, "updates", &clock->steps)
        && clock->steps >= 0 && clock->steps <= (int64_t)1 << 53
        && ur__json_get_real(j, "power1", &clock->power1)
        && clock->power1 >= 0 && clock->power1 <= 1
        && ur__json_get_real(j, "power2", &clock->power2)
        && clock->power2 >= 0 && clock->power2 <= 1;
    ur__json_free(j);
    return whole ? UR_OK : ur__fail(UR_EFORMAT, "%s: damaged: its clock is %s", s->path, text);
}

static ur_status check_moment(void *user, const char *name, const ur_param *p, ur_real *data)
{
    struct source *s = user;
    const struct ur__st_tensor *t = ur__st_find(s->file, name);
    bool fits = t && t->type == ur__st_real_type() && t->rank == p->rank;
    (void)data;
    for (int i = 0; fits && i < p->rank; i++)
        fits = t->dim[i] == (uint64_t)p->dim[i];
    if (!fits)
        return ur__fail(UR_ESHAPE, "%s: %s is %s: the state is of an optimizer over "
                        "other parameters", s->path, name,
                        t ? "not of the parameter's shape or type" : "missing");
    s->found++;
    return ur__st_check_finite(s->file, t);
}

static ur_status read_moment(void *user, const char *name, const ur_param *p, ur_real *data)
{
    struct source *s = user;
    return ur__st_read_raw(s->file, ur__st_find(s->file, name), data, p->size * sizeof *data);
}

static ur_status read_all(ur_optimizer *o, struct source *s, struct ur__optimizer_clock clock)
{
    ur_params *params = ur__optimizer_params(o);
    size_t n = ur_params_size(params);
    struct moments now = moments_of(o), fresh = {0};
    ur_status status = UR_OK;
    for (int i = 0; i < 2 && status == UR_OK; i++)
        if (now.data[i] && !(fresh.data[i] = ur__calloc(n, sizeof *fresh.data[i])))
            status = UR_ENOMEM;
    if (status == UR_OK)
        status = each_moment(params, fresh, read_moment, s);
    for (int i = 0; i < 2; i++) {
        if (status == UR_OK && now.data[i])
            memcpy(now.data[i], fresh.data[i], n * sizeof *fresh.data[i]);
        ur__free(fresh.data[i]);
    }
    if (status == UR_OK)
        ur__optimizer_set_clock(o, clock);
    return status;
}

static ur_status load(ur_optimizer *o, struct source *s)
{
    struct ur__optimizer_clock clock = {0};
    UR__TRY(verify(s, o));
    UR__TRY(parse_clock(s, &clock));
    UR__TRY(each_moment(ur__optimizer_params(o), moments_of(o), check_moment, s));
    if (s->found != ur__st_count(s->file))
        return ur__fail(UR_ESHAPE, "%s: it holds %zu moments, and this optimizer has %zu", s->path,
                        ur__st_count(s->file), s->found);
    return read_all(o, s, clock);
}

ur_status ur_optimizer_load(ur_optimizer *optimizer, const char *path)
{
    struct source s = {.path = path};
    UR__NEED(optimizer, "optimizer");
    UR__NEED(path, "path");
    ur_status status = ur__st_open(&s.file, path);
    if (status == UR_EFORMAT)   /* advice on how to make it a safetensors file leads nowhere here */
        return ur__fail(status, "%s; an optimizer's state is a file of ur_optimizer_save",
                        ur_errmsg());
    UR__TRY(status);
    unsigned mode = ur__fpmode_default();
    status = load(optimizer, &s);
    ur__fpmode_restore(mode);
    ur__st_close(s.file);
    return status;
}
