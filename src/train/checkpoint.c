/* SPDX-License-Identifier: MIT */
/*
 * The training state, a safetensors file.
 *
 *   __metadata__  format, version
 *                 options     what must not change (identity.h)
 *                 data        sizes and CRC-32 of the texts
 *                 progress    counters, losses, bias corrections
 *                 checksum    CRC-32 of the data part and of the strings above
 *   param/NAME    every parameter;  m/NAME, v/NAME, average/NAME: moments and averages of the
 *                 trained ones
 *   typed/NAME    every tensor of another type, as it is
 *   carried       the hidden state between two steps
 *
 * Random numbers are functions of (seed, step), so no generator has a state to keep;
 * neither has the position in the data, which is a function of the step.
 * Invariant: after any interruption PATH or PREVIOUS is whole; nothing in memory
 * changes before a file has been checked from end to end, and a file that then cannot be
 * read is no loss: the one before it is read over all of it, or the run ends.
 */
#include "train/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"
#include "io/file.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "kernel/select.h"
#include "model/typed_file.h"
#include "train/checksum.h"
#include "train/identity.h"
#include "train/optimizer.h"

#define VERSION 4       /* what is written and read */

static const char *const keys[] = {"format", "version", "options", "data", "progress"};
#define N_KEYS 5

/* ---- the tensors, for both ways ---------------------------------------- */

typedef ur_status (*tensor_function)(void *user, const char *name, int rank, const int *dim,
                                     ur_real *data, size_t n);

static ur_status each_named(const char *prefix, const ur_param *p, ur_real *data,
                            tensor_function fn, void *user)
{
    struct ur__buf name = {0};
    ur_status status = ur__buf_printf(&name, "%s/%s", prefix, p->name);
    if (status == UR_OK)
        status = fn(user, name.data, p->rank, p->dim, data, p->size);
    ur__buf_free(&name);
    return status;
}

/* Calls fn for everything that is kept as a tensor, in file order. */
static ur_status each_tensor(const struct ur__checkpoint *c, tensor_function fn, void *user)
{
    ur_params *params = c->params;
    ur_real *m = ur__optimizer_moment(c->optimizer, true);
    ur_real *v = ur__optimizer_moment(c->optimizer, false);
    for (int i = 0; i < ur_params_count(params); i++) {
        const ur_param *p = ur_params_at(params, i);
        UR__TRY(each_named("param", p, ur_param_data(params, p), fn, user));
    }
    for (int i = 0; i < ur_params_count(params); i++) {
        const ur_param *p = ur_params_at(params, i);
        if (m && p->trained)
            UR__TRY(each_named("m", p, m + p->offset, fn, user));
        if (v && p->trained)
            UR__TRY(each_named("v", p, v + p->offset, fn, user));
        if (c->average && p->trained)
            UR__TRY(each_named("average", p, c->average + p->offset, fn, user));
    }
    for (int i = 0; i < c->carried.parts; i++) {
        size_t n = c->carried.n[i];
        char name[32];
        if (n > INT32_MAX)
            return ur__fail(UR_EINVAL, "a state of %zu numbers is too large", n);
        int dim = (int)n;
        snprintf(name, sizeof name, i ? "carried.%d" : "carried", i);
        UR__TRY(fn(user, name, 1, &dim, c->carried.part[i], n));
    }
    return UR_OK;
}

typedef ur_status (*typed_function)(void *user, const char *name, const ur_params *params,
                                    const ur_typed *t);

static ur_status each_typed(const struct ur__checkpoint *c, typed_function fn, void *user)
{
    struct ur__buf name = {0};
    ur_status status = UR_OK;
    for (int i = 0; i < ur_params_typed_count(c->params) && status == UR_OK; i++) {
        const ur_typed *t = ur_params_typed_at(c->params, i);
        name.size = 0;
        status = ur__buf_printf(&name, "typed/%s", t->name);
        if (status == UR_OK)
            status = fn(user, name.data, c->params, t);
    }
    ur__buf_free(&name);
    return status;
}

/* ---- writing ----------------------------------------------------------- */

static ur_status data_text(const struct ur__facts *facts, struct ur__buf *to)
{
    for (int i = 0; i < facts->n_sources; i++) {
        const struct ur__source *s = &facts->source[i];
        UR__TRY(ur__buf_printf(to, "%s\"%s\":{\"bytes\":%llu,\"crc32\":%lu}", i ? "," : "{",
                               s->role, (unsigned long long)s->bytes, (unsigned long)s->crc));
    }
    return ur__buf_puts(to, facts->n_sources ? "}" : "{}");
}

static ur_status progress_text(const struct ur__checkpoint *c, struct ur__buf *to)
{
    const struct ur__progress *p = c->progress;
    struct ur__optimizer_clock clock = ur__optimizer_clock(c->optimizer);
    struct ur__json *j = ur__json_new_object();
    ur__json_set_int(j, "step", p->step);
    ur__json_set_int(j, "evaluated", p->evaluated);
    ur__json_set_real(j, "loss_sum", p->loss_sum);
    ur__json_set_int(j, "loss_items", p->loss_items);
    ur__json_set_real(j, "train_loss", p->train_loss);
    ur__json_set_real(j, "val_loss", p->val_loss);
    ur__json_set_real(j, "figure", p->figure);
    ur__json_set_real(j, "best", p->best);
    ur__json_set_real(j, "best_loss", p->best_loss);
    ur__json_set_int(j, "best_step", p->best_step);
    ur__json_set_int(j, "worse", p->worse);
    ur__json_set_real(j, "plateau_factor", p->plateau.factor);
    ur__json_set_int(j, "plateau_worse", p->plateau.worse);
    ur__json_set_int(j, "updates", clock.steps);
    ur__json_set_real(j, "power1", clock.power1);
    ur__json_set_real(j, "power2", clock.power2);
    ur__json_set_real(j, "seconds", p->seconds);
    ur__json_set_int(j, "skipped", p->skipped);
    ur__json_set_int(j, "skipped_in_row", p->skipped_in_row);
    ur__json_set_int(j, "rollbacks", p->rollbacks);
    ur__json_set_real(j, "lr_factor", p->lr_factor);
    ur__json_set_int(j, "base", p->base);
    ur__json_set_bool(j, "drawn", p->drawn);
    ur_status status = ur__json_dump(j, to);
    ur__json_free(j);
    return status;
}

static ur_status put_tensor(void *user, const char *name, int rank, const int *dim,
                            ur_real *data, size_t n)
{
    uint64_t size[UR_MAX_RANK];
    for (int i = 0; i < rank; i++)
        size[i] = (uint64_t)dim[i];
    size_t bad = ur__kernel()->find_nonfinite(n, data);
    if (bad < n)
        return ur__fail(UR_ENUMERIC, "%s[%zu] is %s; no state is written", name, bad,
                        ur__nonfinite_name((double)data[bad]));
    return ur__st_out_tensor(user, name, ur__st_real_type(), rank, size, data);
}

static ur_status put_typed(void *user, const char *name, const ur_params *params,
                           const ur_typed *t)
{
    return ur__typed_out(user, name, params, t);
}

static ur_status fill(const struct ur__checkpoint *c, struct ur__st_out *out)
{
    struct ur__buf data = {0}, progress = {0};
    ur_status status = each_tensor(c, put_tensor, out);
    if (status == UR_OK)
        status = each_typed(c, put_typed, out);
    if (status == UR_OK)
        status = data_text(c->facts, &data);
    if (status == UR_OK)
        status = progress_text(c, &progress);
    const char *values[N_KEYS] = {UR__STATE_FORMAT, UR__QUOTE(VERSION), c->identity, data.data,
                                  progress.data};
    if (status == UR_OK)
        status = ur__checksum_put(out, N_KEYS, keys, values);
    ur__buf_free(&data);
    ur__buf_free(&progress);
    return status;
}

ur_status ur__checkpoint_save(const struct ur__checkpoint *c, const char *path,
                              const char *previous, enum ur__older older)
{
    struct ur__st_out *out;
    UR__TRY(ur__st_out_new(&out));
    ur_status status = fill(c, out);
    if (status == UR_OK)
        status = ur__st_out_save_keeping(out, path, older == UR__OLDER_MOVE ? previous : NULL);
    ur__st_out_free(out);
    return status;
}

/* ---- reading ----------------------------------------------------------- */

struct source {
    struct ur__st_file *file;
    const char *path;
};

/* Names the file before what is wrong with the JSON in it. */
static ur_status in_file(const struct source *s, ur_status status)
{
    if (status == UR_EFORMAT)
        ur__fail(status, "%s: damaged: %s", s->path, ur_errmsg());
    return status;
}

static ur_status verify(const struct source *s)
{
    const char *values[N_KEYS];
    for (int i = 0; i < N_KEYS; i++) {
        values[i] = ur__st_meta(s->file, keys[i]);
        if (!values[i])
            return ur__fail(UR_EFORMAT, "%s: no training state: %s is missing", s->path, keys[i]);
    }
    if (strcmp(values[0], UR__STATE_FORMAT) != 0)
        return ur__fail(UR_EFORMAT, "%s: no training state: its format is \"%s\"", s->path,
                        values[0]);
    int64_t version;
    if (!ur__parse_int(values[1], &version))
        return ur__fail(UR_EFORMAT, "%s: damaged: its version is \"%.40s\"", s->path, values[1]);
    if (version != VERSION)
        return ur__fail(UR_EVERSION, "%s: a training state of version %s, and this unroll reads "
                        "version %d: finish the run with the unroll that began it, or start from "
                        "its model with --init-from", s->path, values[1], VERSION);
    return ur__checksum_verify(s->file, s->path, N_KEYS, keys, values);
}

static ur_status check_source(const struct source *s, const struct ur__json *j,
                              const struct ur__source *now)
{
    const struct ur__json *then = ur__json_get(j, now->role);
    char called[48];
    int64_t bytes, crc;
    snprintf(called, sizeof called, "%s%s", now->role, strcmp(now->role, "data") ? " data" : "");
    if (!then)
        return ur__fail(UR_EDATA, "cannot resume: the run began without %s", called);
    if (!ur__json_get_int(then, "bytes", &bytes) || !ur__json_get_int(then, "crc32", &crc))
        return ur__fail(UR_EFORMAT, "%s: damaged: it does not name its data", s->path);
    if ((uint64_t)bytes != now->bytes || crc != (int64_t)now->crc)
        return ur__fail(UR_EDATA, "cannot resume: the run began with other %s: %lld bytes, "
                        "CRC-32 %08llx, not %llu bytes, %08lx", called, (long long)bytes,
                        (unsigned long long)crc, (unsigned long long)now->bytes,
                        (unsigned long)now->crc);
    return UR_OK;
}

static ur_status check_data(const struct source *s, const struct ur__facts *facts)
{
    struct ur__json *j;
    const char *text = ur__st_meta(s->file, "data");
    UR__TRY(in_file(s, ur__json_parse(&j, text, strlen(text))));
    ur_status status = UR_OK;
    for (int i = 0; i < facts->n_sources && status == UR_OK; i++)
        status = check_source(s, j, &facts->source[i]);
    if (status == UR_OK && ur__json_size(j) != (size_t)facts->n_sources)
        status = ur__fail(UR_EDATA, "cannot resume: the run began with other kinds of data");
    ur__json_free(j);
    return status;
}

/* Null is how a number that was not finite is written. */
static bool get_real(const struct ur__json *j, const char *key, double *out)
{
    if (!ur__json_get_real(j, key, out))
        *out = (double)NAN;
    return ur__json_get(j, key) != NULL;
}

static bool get_count(const struct ur__json *j, const char *key, int *out)
{
    int64_t value;
    if (!ur__json_get_int(j, key, &value) || value < 0 || value > INT32_MAX / 2)
        return false;
    *out = (int)value;
    return true;
}

static bool parse_mishaps(const struct ur__json *j, struct ur__progress *p)
{
    return ur__json_get_int(j, "skipped", &p->skipped) && p->skipped >= 0
        && get_count(j, "skipped_in_row", &p->skipped_in_row)
        && get_count(j, "rollbacks", &p->rollbacks)
        && ur__json_get_real(j, "lr_factor", &p->lr_factor)
        && p->lr_factor > 0 && p->lr_factor <= 1
        && ur__json_get_int(j, "base", &p->base) && p->base >= 0 && p->base <= p->step
        && ur__json_get_bool(j, "drawn", &p->drawn);
}

/* Counters that a run can have reached: none overflows when it goes on. */
static bool is_possible(const struct ur__progress *p, const struct ur__optimizer_clock *clock)
{
    const int64_t most = (int64_t)1 << 53;
    return p->step >= 0 && p->step <= most && p->evaluated >= -1 && p->evaluated <= p->step &&
           p->best_step >= -1 && p->best_step <= p->step && p->loss_items >= 0 &&
           p->loss_items <= INT64_MAX / 2 && p->skipped <= most && clock->steps >= 0 &&
           clock->steps <= most &&
           clock->power1 >= 0 && clock->power1 <= 1 && clock->power2 >= 0 && clock->power2 <= 1 &&
           p->plateau.factor >= 0 && p->plateau.factor <= 1 && p->seconds >= 0;
}

static ur_status parse_progress(const struct source *s, struct ur__progress *p,
                                struct ur__optimizer_clock *clock)
{
    struct ur__json *j;
    const char *text = ur__st_meta(s->file, "progress");
    UR__TRY(in_file(s, ur__json_parse(&j, text, strlen(text))));
    bool whole = ur__json_get_int(j, "step", &p->step)
        && ur__json_get_int(j, "evaluated", &p->evaluated)
        && get_real(j, "loss_sum", &p->loss_sum)
        && ur__json_get_int(j, "loss_items", &p->loss_items)
        && get_real(j, "train_loss", &p->train_loss)
        && get_real(j, "val_loss", &p->val_loss)
        && get_real(j, "figure", &p->figure)
        && get_real(j, "best", &p->best)
        && get_real(j, "best_loss", &p->best_loss)
        && ur__json_get_int(j, "best_step", &p->best_step)
        && get_count(j, "worse", &p->worse)
        && get_real(j, "plateau_factor", &p->plateau.factor)
        && get_count(j, "plateau_worse", &p->plateau.worse)
        && ur__json_get_int(j, "updates", &clock->steps)
        && get_real(j, "power1", &clock->power1)
        && get_real(j, "power2", &clock->power2)
        && get_real(j, "seconds", &p->seconds)
        && parse_mishaps(j, p);
    ur__json_free(j);
    if (!whole || !is_possible(p, clock))
        return ur__fail(UR_EFORMAT, "%s: damaged: its progress is not whole or cannot be", s->path);
    return UR_OK;
}

static ur_status misfit(const struct source *s, const char *name, bool missing)
{
    return ur__fail(UR_EFORMAT, "%s: %s is %s", s->path, name,
                    missing ? "missing" : "not of the network's shape or type");
}

static ur_status find_tensor(const struct source *s, const char *name, int rank, const int *dim,
                             const struct ur__st_tensor **out)
{
    const struct ur__st_tensor *t = ur__st_find(s->file, name);
    bool fits = t && t->type == ur__st_real_type() && t->rank == rank;
    for (int i = 0; fits && i < rank; i++)
        fits = t->dim[i] == (uint64_t)dim[i];
    *out = t;
    return fits ? UR_OK : misfit(s, name, !t);
}

static ur_status check_tensor(void *user, const char *name, int rank, const int *dim,
                              ur_real *data, size_t n)
{
    const struct ur__st_tensor *t;
    (void)data;
    (void)n;
    return find_tensor(user, name, rank, dim, &t);
}

static ur_status read_tensor(void *user, const char *name, int rank, const int *dim,
                             ur_real *data, size_t n)
{
    struct source *s = user;
    const struct ur__st_tensor *t;
    UR__TRY(find_tensor(s, name, rank, dim, &t));
    return ur__st_read_raw(s->file, t, data, n * sizeof *data);
}

static ur_status check_typed(void *user, const char *name, const ur_params *params,
                             const ur_typed *t)
{
    const struct source *s = user;
    const struct ur__st_tensor *found = ur__st_find(s->file, name);
    (void)params;
    return found && ur__typed_check(found, t) == UR_OK ? UR_OK : misfit(s, name, !found);
}

static ur_status read_typed(void *user, const char *name, const ur_params *params,
                            const ur_typed *t)
{
    struct source *s = user;
    return ur__typed_in(s->file, ur__st_find(s->file, name), t, ur_typed_data(params, t, t->type));
}

static ur_status load(const struct ur__checkpoint *c, struct source *s)
{
    struct ur__progress progress = {0};
    struct ur__optimizer_clock clock = {0};
    UR__TRY(verify(s));
    UR__TRY(in_file(s, ur__identity_compare(ur__st_meta(s->file, "options"), c->identity)));
    UR__TRY(check_data(s, c->facts));
    UR__TRY(parse_progress(s, &progress, &clock));
    UR__TRY(each_tensor(c, check_tensor, s));
    UR__TRY(each_typed(c, check_typed, s));
    UR__TRY(each_tensor(c, read_tensor, s));
    UR__TRY(each_typed(c, read_typed, s));
    ur__optimizer_set_clock(c->optimizer, clock);
    *c->progress = progress;
    return UR_OK;
}

static ur_status load_file(const struct ur__checkpoint *c, const char *path)
{
    struct source s = {NULL, path};
    UR__TRY(ur__st_open(&s.file, path));
    ur_status status = load(c, &s);
    ur__st_close(s.file);
    return status;
}

ur_status ur__checkpoint_load(const struct ur__checkpoint *c, const char *path,
                              const char *previous, enum ur__loaded *from)
{
    bool latest = ur__file_exists(path);
    char why[512];      /* the fault of the latest */
    *from = UR__LOADED_NONE;
    snprintf(why, sizeof why, "%s is missing", path);
    if (latest) {
        ur_status status = load_file(c, path);
        *from = UR__LOADED_LATEST;
        if ((status != UR_EFORMAT && status != UR_EINPUT) || !ur__file_exists(previous))
            return status;
        snprintf(why, sizeof why, "%s", ur_errmsg());
    } else if (!ur__file_exists(previous)) {
        return UR_OK;
    }
    *from = UR__LOADED_PREVIOUS;
    UR__TRY(load_file(c, previous));
    ur__fail(UR_EFORMAT, "%s", why);
    return UR_OK;
}

/* Damage is left to whoever loads it. */
static ur_status read_options(const char *path, char **options)
{
    struct source s = {NULL, path};
    if (!ur__file_exists(path) || ur__st_open(&s.file, path) != UR_OK)
        return UR_OK;
    const char *format = ur__st_meta(s.file, "format"), *version = ur__st_meta(s.file, "version");
    const char *text = ur__st_meta(s.file, "options");
    ur_status status = UR_OK;
    if (format && strcmp(format, UR__STATE_FORMAT) == 0 && version &&
        strcmp(version, UR__QUOTE(VERSION)) == 0 && text && !(*options = ur__strdup(text)))
        status = UR_ENOMEM;
    ur__st_close(s.file);
    return status;
}

ur_status ur__checkpoint_options(const char *path, const char *previous, char **options,
                                 const char **from)
{
    *options = NULL;
    *from = path;
    UR__TRY(read_options(path, options));
    if (*options)
        return UR_OK;
    *from = previous;
    return read_options(previous, options);
}
