/* SPDX-License-Identifier: MIT */
/*
 * NAME.safetensors, NAME.last.safetensors, NAME.state, NAME.state.1, and NAME.state.lock,
 * which is there while a run is.
 *
 * Whoever has the lock knows that no other run writes these names. So temporary files of
 * theirs are what a killed one left, even if a process has its number again.
 */
#include "train/output.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"
#include "io/file.h"

#define SUFFIX ".safetensors"

/* Everything that a run reads, and every name that it writes or, of a run before it, removes. */
struct files {
    struct ur__file_id *read;   /* [n_read], and after them the log, if there is one */
    const char **read_name;
    int n_read;
    bool logs;
    struct ur__buf lock;        /* NAME.state.lock */
    struct ur__buf fresh;       /* NAME.state.new, which earlier versions wrote states under */
};

static ur_status make_paths(struct ur__run *r, struct files *f)
{
    const char *model = r->options->model;
    size_t n = ur__without(model, strlen(model), SUFFIX);
    if (n > 4096)
        return ur__fail(UR_EOUTPUT, "the model's name is %zu bytes long", n);
    int length = (int)n;
    UR__TRY(ur__buf_printf(&r->last, "%.*s.last" SUFFIX, length, model));
    UR__TRY(ur__buf_printf(&r->state_path, "%.*s.state", length, model));
    UR__TRY(ur__buf_printf(&r->previous, "%.*s.state.1", length, model));
    UR__TRY(ur__buf_printf(&f->lock, "%s.lock", r->state_path.data));
    return ur__buf_printf(&f->fresh, "%s.new", r->state_path.data);
}

/* ---- inputs are no outputs --------------------------------------------- */

static void add_read(struct files *f, const char *path)
{
    if (!path || !ur__file_identify(&f->read[f->n_read], path))
        return;     /* what is not there cannot be lost */
    f->read_name[f->n_read++] = path;
}

static ur_status identify_read(const ur_train_options *o, struct files *f)
{
    size_t n = (size_t)o->n_data + 4;
    f->read = ur__alloc(n, sizeof *f->read);
    f->read_name = ur__alloc(n, sizeof *f->read_name);
    if (!f->read || !f->read_name)
        return UR_ENOMEM;
    for (int i = 0; i < o->n_data; i++)
        add_read(f, o->data[i]);
    add_read(f, o->val_file);
    add_read(f, o->init_from);
    add_read(f, o->vocab_from);
    f->logs = o->log && ur__file_identify(&f->read[f->n_read], o->log);
    return UR_OK;
}

static ur_status check_not_read(const struct files *f, const char *path,
                                const struct ur__file_id *id)
{
    for (int i = 0; i < f->n_read; i++) {
        const char *name = f->read_name[i];
        if (!ur__file_clash(&f->read[i], id))
            continue;
        if (strcmp(name, path) == 0)
            return ur__fail(UR_EOUTPUT, "cannot write %s: this run reads it", path);
        return ur__fail(UR_EOUTPUT, "cannot write %s: it is the same file as %s, which this run "
                        "reads", path, strcmp(name, "-") == 0 ? "standard input" : name);
    }
    return UR_OK;
}

/* What is printed would go into a file that is replaced. */
static ur_status check_not_printed(const char *path, const struct ur__file_id *id)
{
    struct ur__file_id to;
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
        if (ur__stream_identify(&to, fd) && ur__file_clash(id, &to))
            return ur__fail(UR_EOUTPUT, "cannot write %s: standard %s goes there", path,
                            fd == STDOUT_FILENO ? "output" : "error");
    return UR_OK;
}

/* Compares files, not names. */
static ur_status check_apart(const struct ur__run *r, const struct files *f)
{
    const ur_train_options *o = r->options;
    const char *own[] = {o->model, r->last.data, r->state_path.data, r->previous.data, f->lock.data,
                         f->fresh.data};
    const struct ur__file_id *log = &f->read[f->n_read];
    struct ur__file_id id;
    for (int i = 0; i < 6; i++) {
        if (!ur__file_identify(&id, own[i]))
            continue;   /* nothing can be made there, as check_writable() will say */
        UR__TRY(check_not_read(f, own[i], &id));
        UR__TRY(check_not_printed(own[i], &id));
        if (f->logs && ur__file_clash(&id, log))
            return ur__fail(UR_EOUTPUT, "cannot write the log to %s: the run itself writes %s",
                            o->log, own[i]);
    }
    return f->logs ? check_not_read(f, o->log, log) : UR_OK;
}

/* ---- outputs can be written -------------------------------------------- */

static ur_status check_log(const ur_train_options *o)
{
    struct ur__file_id id;
    if (!o->log)
        return UR_OK;
    bool known = ur__file_identify(&id, o->log);
    if (known && id.kind == UR__FILE_STREAM)
        return UR_OK;
    if (!known || id.kind != UR__FILE_REGULAR)
        return ur__writer_check(o->log);
    if (!o->resume && !o->force)
        return ur__fail(UR_EEXIST, "log %s exists; use --force to replace it", o->log);
    return UR_OK;
}

static ur_status check_writable(const struct ur__run *r)
{
    UR__TRY(ur__writer_check(r->options->model));
    UR__TRY(ur__writer_check(r->last.data));
    UR__TRY(ur__writer_check(r->state_path.data));
    UR__TRY(ur__writer_check(r->previous.data));
    return check_log(r->options);
}

/* Where no run goes on, only a log of one that was killed before its first state does: it begins
 * as the program's do, or is empty. */
static ur_status check_log_goes_on(const struct ur__run *r)
{
    static const char begin[] = "{\"kind\":";
    struct ur__file_id id;
    struct ur__raw f;
    char text[sizeof begin - 1];
    const char *log = r->options->log;
    if (!log || !ur__file_identify(&id, log) || id.kind != UR__FILE_REGULAR)
        return UR_OK;
    UR__TRY(ur__raw_open(&f, log));
    size_t n = f.size < sizeof text ? (size_t)f.size : sizeof text;
    ur_status status = ur__raw_read(&f, 0, text, n);
    ur__raw_close(&f);
    if (status != UR_OK || memcmp(text, begin, n) == 0)
        return status;
    return ur__fail(UR_EEXIST, "log %s exists and is no log of training, and there is no training "
                    "state %s to go on from; give the log another name, or use --force instead "
                    "of --resume to replace it", log, r->state_path.data);
}

/* An interrupted run leaves a state (keep.h): to start over models without one would lose them. */
static ur_status check_resumable(const struct ur__run *r)
{
    const char *models[] = {r->options->model, r->last.data};
    bool has_state = ur__file_exists(r->state_path.data) || ur__file_exists(r->previous.data);
    for (int i = 0; i < 2 && !has_state; i++) {
        if (ur__file_exists(models[i]))
            return ur__fail(UR_EEXIST, "%s exists, but its training state %s does not, so there "
                            "is nothing to resume; use --init-from %s with another output to "
                            "start from its weights, or --force instead of --resume to start "
                            "over", models[i], r->state_path.data, models[i]);
    }
    return has_state ? UR_OK : check_log_goes_on(r);
}

/* Looked at under the lock: a run that ends just now has files. */
static ur_status check_existing(const struct ur__run *r)
{
    const ur_train_options *o = r->options;
    const char *paths[] = {o->model, r->last.data, r->state_path.data, r->previous.data};
    if (o->resume)
        return check_resumable(r);
    for (int i = 0; i < 4 && !o->force; i++) {
        if (ur__file_exists(paths[i]))
            return ur__fail(UR_EEXIST, "%s exists; use --force to start over or --resume to "
                            "go on", paths[i]);
    }
    return UR_OK;
}

/* ---- the claim --------------------------------------------------------- */

static ur_status lock(struct ur__run *r, const struct files *f)
{
    long holder = 0;
    ur_status status = ur__lock_take(&r->lock, f->lock.data, &holder);
    if (status == UR_EEXIST && holder > 0)
        return ur__fail(status, "another training, process %ld, is writing %s: wait until it ends "
                        "or give this one another name", holder, r->options->model);
    if (status == UR_EEXIST)
        return ur__fail(status, "another training is writing %s: wait until it ends or give this "
                        "one another name", r->options->model);
    if (status == UR_OK && !r->lock)
        ur__run_note(r, "%s cannot be locked here: do not train it twice at a time",
                     r->options->model);
    return status;
}

static void sweep(struct ur__run *r, const struct files *f)
{
    const char *paths[] = {r->options->model, r->last.data, r->state_path.data, r->previous.data,
                           f->fresh.data};
    const struct ur__spared spared = {f->read, f->n_read + f->logs, !r->lock};
    int removed = ur__writer_sweep(paths, 5, &spared);
    if (ur__file_exists(f->fresh.data))
        removed += ur__file_remove(f->fresh.data) == UR_OK;
    if (removed)
        ur__run_note(r, "removed %d unfinished file%s of a run that was killed", removed,
                     removed > 1 ? "s" : "");
}

static ur_status claim(struct ur__run *r, struct files *f)
{
    UR__TRY(make_paths(r, f));
    UR__TRY(identify_read(r->options, f));
    UR__TRY(check_apart(r, f));
    UR__TRY(check_writable(r));
    if (r->only_plans)
        return check_existing(r);
    UR__TRY(lock(r, f));
    UR__TRY(check_existing(r));
    sweep(r, f);
    return UR_OK;
}

ur_status ur__run_claim(struct ur__run *r)
{
    struct files f = {0};
    ur_status status = claim(r, &f);
    ur__buf_free(&f.lock);
    ur__buf_free(&f.fresh);
    ur__free(f.read_name);
    ur__free(f.read);
    return status;
}

ur_status ur__run_begin_files(struct ur__run *r)
{
    if (r->began)
        return UR_OK;
    UR__TRY(ur__file_remove(r->state_path.data));
    UR__TRY(ur__file_remove(r->previous.data));
    r->began = true;
    return UR_OK;
}

void ur__run_release(struct ur__run *r)
{
    ur__lock_free(r->lock);
    r->lock = NULL;
}
