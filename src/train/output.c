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

#include "base/status.h"
#include "io/file.h"

#define SUFFIX ".safetensors"

static ur_status make_paths(struct ur__run *r)
{
    const char *model = r->options->model;
    size_t n = strlen(model), suffix = strlen(SUFFIX);
    if (n > suffix && strcmp(model + n - suffix, SUFFIX) == 0)
        n -= suffix;
    if (n > 4096)
        return ur__fail(UR_EOUTPUT, "the model's name is %zu bytes long", n);
    int length = (int)n;
    UR__TRY(ur__buf_printf(&r->last, "%.*s.last" SUFFIX, length, model));
    UR__TRY(ur__buf_printf(&r->state, "%.*s.state", length, model));
    return ur__buf_printf(&r->previous, "%.*s.state.1", length, model);
}

static ur_status check_writable(const struct ur__run *r)
{
    UR__TRY(ur__writer_check(r->options->model));
    UR__TRY(ur__writer_check(r->last.data));
    UR__TRY(ur__writer_check(r->state.data));
    return ur__writer_check(r->previous.data);
}

/* Looked at under the lock: a run that ends just now has files. */
static ur_status check_absent(const struct ur__run *r)
{
    const ur_train_options *o = r->options;
    const char *paths[] = {o->model, r->last.data, r->state.data, r->previous.data};
    for (int i = 0; i < 4 && !o->resume && !o->force; i++) {
        if (ur__file_exists(paths[i]))
            return ur__fail(UR_EEXIST, "%s exists; use --force to start over or --resume to "
                            "go on", paths[i]);
    }
    return UR_OK;
}

static ur_status lock(struct ur__run *r)
{
    struct ur__buf path = {0};
    long holder = 0;
    ur_status status = ur__buf_printf(&path, "%s.lock", r->state.data);
    if (status == UR_OK)
        status = ur__lock_take(&r->lock, path.data, &holder);
    ur__buf_free(&path);
    if (status == UR_EEXIST && holder > 0)
        return ur__fail(status, "another training, process %ld, is writing %s: wait for its end "
                        "or give this one another name", holder, r->options->model);
    if (status == UR_EEXIST)
        return ur__fail(status, "another training is writing %s: wait for its end or give this "
                        "one another name", r->options->model);
    if (status == UR_OK && !r->lock)
        ur__run_note(r, "%s cannot be locked here: do not train it twice at a time",
                     r->options->model);
    return status;
}

/* NAME.state.new is a name that earlier versions wrote states under. */
static void sweep(struct ur__run *r)
{
    struct ur__buf fresh = {0};
    if (ur__buf_printf(&fresh, "%s.new", r->state.data) == UR_OK) {
        const char *paths[] = {r->options->model, r->last.data, r->state.data, r->previous.data,
                               fresh.data};
        int removed = ur__writer_sweep(paths, 5, !r->lock);
        if (ur__file_exists(fresh.data))
            removed += ur__file_remove(fresh.data) == UR_OK;
        if (removed)
            ur__run_note(r, "removed %d unfinished file%s of a run that was killed", removed,
                         removed > 1 ? "s" : "");
    }
    ur__buf_free(&fresh);
}

ur_status ur__run_claim(struct ur__run *r)
{
    UR__TRY(make_paths(r));
    UR__TRY(check_writable(r));
    if (r->only_plans)
        return check_absent(r);
    UR__TRY(lock(r));
    UR__TRY(check_absent(r));
    sweep(r);
    return UR_OK;
}

ur_status ur__run_begin_files(struct ur__run *r)
{
    if (r->began)
        return UR_OK;
    UR__TRY(ur__file_remove(r->state.data));
    UR__TRY(ur__file_remove(r->previous.data));
    r->began = true;
    return UR_OK;
}

void ur__run_release(struct ur__run *r)
{
    ur__lock_free(r->lock);
    r->lock = NULL;
}
