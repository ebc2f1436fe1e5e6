/* SPDX-License-Identifier: MIT */
/*
 * The model file (docs/UR__MODEL_FORMAT.md): safetensors with all parameters under their names,
 * and in its metadata what else is needed to run them.
 *
 * Loading trusts nothing: configuration and vocabulary are read first, the network is
 * declared without memory, every tensor's shape is compared with it, and only then is
 * memory taken, of a size that the file has proved to hold.
 */
#include <stdio.h>
#include <string.h>

#include "base/fpmode.h"
#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"
#include "data/vocab.h"
#include "io/file.h"
#include "io/json.h"
#include "io/option_json.h"
#include "io/safetensors.h"
#include "kernel/select.h"
#include "layer/params.h"
#include "model/arch.h"
#include "model/model.h"
#include "model/typed_file.h"
#include "model/vocab_text.h"

enum { KEY = 80 };

static const char *vocab_key(const struct ur__arch *arch, int i, char to[KEY])
{
    snprintf(to, KEY, i ? "vocab.%s" : "vocab", arch->vocabs[i]);
    return to;
}

static ur_status check_finite(const ur_params *params, const char *path)
{
    for (int i = 0; i < ur_params_count(params); i++) {
        const ur_param *p = ur_params_at(params, i);
        const ur_real *x = ur_param_data(params, p);
        size_t bad = ur__kernel()->find_nonfinite(p->size, x);
        if (bad < p->size)
            return ur__fail(UR_ENUMERIC, "%s: parameter %s[%zu] is %s", path, p->name, bad,
                            ur__nonfinite_name((double)x[bad]));
    }
    return UR_OK;
}

/* ---- saving ------------------------------------------------------------ */

static ur_status config_text(const ur_model *m, struct ur__buf *to)
{
    struct ur__json *j = ur__json_new_object();
    ur__json_set_string(j, "arch", m->arch->name);
    ur__options_to_json(m->arch->options, ur__model_values(m), UR_OPTION_FREE, j);
    ur_status status = ur__json_dump(j, to);
    ur__json_free(j);
    return status;
}

/* The first vocabulary is "vocab", the others are "vocab.ROLE". */
static ur_status name_vocabs(const ur_model *m, struct ur__st_out *out)
{
    for (int i = 0; m->arch->vocabs[i]; i++) {
        char key[KEY];
        if (!m->vocab[i])
            continue;
        struct ur__buf text = {0};
        ur_status status = ur__vocab_text(m->vocab[i], &text);
        if (status == UR_OK)
            status = ur__st_out_meta(out, vocab_key(m->arch, i, key), text.data);
        ur__buf_free(&text);
        UR__TRY(status);
    }
    return UR_OK;
}

static ur_status name_metadata(const ur_model *m, struct ur__st_out *out)
{
    struct ur__buf config = {0};
    UR__TRY(ur__st_out_meta(out, "format", UR__MODEL_FORMAT));
    UR__TRY(ur__st_out_meta(out, "format_version", UR__QUOTE(UR__MODEL_VERSION)));
    ur_status status = config_text(m, &config);
    if (status == UR_OK)
        status = ur__st_out_meta(out, "config", config.data);
    ur__buf_free(&config);
    UR__TRY(status);
    UR__TRY(ur__st_out_meta(out, "task", m->task));
    UR__TRY(name_vocabs(m, out));
    return ur__st_out_meta(out, "training", m->summary);
}

static ur_status name_tensors(const ur_params *params, struct ur__st_out *out)
{
    for (int i = 0; i < ur_params_count(params); i++) {
        const ur_param *p = ur_params_at(params, i);
        uint64_t dim[UR_MAX_RANK];
        int rank = ur__param_dims(p, dim);
        UR__TRY(ur__st_out_tensor(out, p->name, ur__st_real_type(), rank, dim,
                                  ur_param_data(params, p)));
    }
    for (int i = 0; i < ur_params_typed_count(params); i++) {
        const ur_typed *t = ur_params_typed_at(params, i);
        UR__TRY(ur__typed_out(out, t->name, params, t));
    }
    return UR_OK;
}

/* All but the file itself. */
static ur_status name_all(const ur_model *model, struct ur__st_out *out)
{
    UR__TRY(name_metadata(model, out));
    return name_tensors(model->params, out);
}

/* Names all there is. */
static ur_status prepare(const ur_model *model, const char *path, struct ur__st_out **out)
{
    UR__TRY(check_finite(model->params, path));
    UR__TRY(ur__st_out_new(out));
    ur_status status = name_all(model, *out);
    return status == UR_ENUMERIC ? ur__fail(status, "%s: %s", path, ur_errmsg()) : status;
}

ur_status ur_model_save(const ur_model *model, const char *path)
{
    UR__NEED(model, "model");
    UR__NEED(path, "path");
    struct ur__st_out *out = NULL;
    unsigned mode = ur__fpmode_default();
    ur_status status = prepare(model, path, &out);
    ur__fpmode_restore(mode);
    if (status == UR_OK)
        status = ur__st_out_save(out, path);
    ur__st_out_free(out);
    return status;
}

ur_status ur_model_save_to(const ur_model *model, ur_sink write, void *user)
{
    UR__NEED(model, "model");
    UR__NEED(write, "write");
    struct ur__st_out *out = NULL;
    unsigned mode = ur__fpmode_default();
    ur_status status = prepare(model, "the model", &out);
    ur__fpmode_restore(mode);
    if (status == UR_OK)
        status = ur__st_out_put(out, write, user);
    ur__st_out_free(out);
    return status;
}

ur_status ur__model_measure_save(const ur_model *model, uint64_t *file, size_t *memory)
{
    struct ur__st_out *out;
    struct ur__account account;
    ur__account_open(&account);
    ur_status status = ur__st_out_new(&out);
    if (status == UR_OK)
        status = name_all(model, out);
    if (status == UR_OK)
        status = ur__st_out_size(out, file);
    ur__st_out_free(out);
    ur__account_close(&account);
    *memory = account.peak + ur__writer_bytes();
    return status;
}

/* ---- loading ----------------------------------------------------------- */

/* Puts the path before the last message. Whatever a part of the file made fail is the file's fault,
 * except for lack of memory. */
static ur_status blame(ur_status status, const char *path)
{
    if (status == UR_OK || status == UR_ENOMEM)
        return status;
    return ur__fail(UR_EFORMAT, "%s: %s", path, ur_errmsg());
}

static ur_status check_version(const struct ur__st_file *f, const char *path)
{
    const char *format = ur__st_meta(f, "format"), *text = ur__st_meta(f, "format_version");
    int64_t version;
    if (!format)
        return ur__fail(UR_EFORMAT, "%s: is a safetensors file but no unroll model: its metadata "
                        "names no format", path);
    if (strcmp(format, UR__STATE_FORMAT) == 0)
        return ur__fail(UR_EFORMAT, "%s: is the state of a training, not a model; the model is the "
                        ".safetensors file beside it", path);
    if (strcmp(format, UR__MODEL_FORMAT) != 0)
        return ur__fail(UR_EFORMAT, "%s: is a safetensors file but no unroll model: its format is "
                        "\"%.40s\"", path, format);
    if (!text || !ur__parse_int(text, &version) || version < 1)
        return ur__fail(UR_EFORMAT, "%s: the model's format_version is missing or impossible",
                        path);
    if (version > UR__MODEL_VERSION)
        return ur__fail(UR_EVERSION, "%s: the model's format version is %lld, this unroll reads "
                        "up to %d", path, (long long)version, UR__MODEL_VERSION);
    return UR_OK;
}

static ur_status open_json(struct ur__json **out, const struct ur__st_file *f, const char *key)
{
    const char *text = ur__st_meta(f, key);
    *out = NULL;
    if (!text)
        return ur__fail(UR_EFORMAT, "the model's metadata has no \"%s\"", key);
    if (ur__json_parse(out, text, strlen(text)) == UR_ENOMEM)
        return UR_ENOMEM;
    if (!*out)
        return ur__fail(UR_EFORMAT, "the model's \"%s\": %s", key, ur_errmsg());
    return UR_OK;
}

/* Members of version 1 that have other names in version 2. */
static ur_status take_old_member(void *user, const char *key, const struct ur__json *value)
{
    static const char *const renamed[][2] = {
        {"zoneout_h", "zoneout"}, {"zoneout_c", "zoneout_cell"}, {"orthogonal", "init"},
        {"task", "arch"}, {"tokens", NULL},
    };
    struct ur__json *to = user;
    const char *text;
    int64_t whole;
    double real;
    bool flag;
    for (size_t i = 0; i < sizeof renamed / sizeof *renamed; i++)
        if (strcmp(key, renamed[i][0]) == 0 && !(key = renamed[i][1]))
            return UR_OK;
    if (strcmp(key, "init") == 0 && ur__json_bool(value, &flag))
        ur__json_set_string(to, key, flag ? "orthogonal" : "uniform");
    else if (ur__json_string(value, &text))
        ur__json_set_string(to, key, text);
    else if (ur__json_int(value, &whole))
        ur__json_set_int(to, key, whole);
    else if (ur__json_real(value, &real))
        ur__json_set_real(to, key, real);
    else if (ur__json_bool(value, &flag))
        ur__json_set_bool(to, key, flag);
    else {
        struct ur__json *list = ur__json_new_array();
        for (size_t i = 0; i < ur__json_size(value); i++)
            ur__json_add_int(list, ur__json_int(ur__json_at(value, i), &whole) ? whole : -1);
        ur__json_set(to, key, list);
    }
    return UR_OK;
}

/* Version 1 has one projection for all layers. */
static void spread_projection(const struct ur__json *old, struct ur__json *to)
{
    int64_t P;
    if (!ur__json_get_int(old, "projection", &P))
        return;
    struct ur__json *list = ur__json_new_array();
    for (size_t i = 0; i < ur__json_size(ur__json_get(old, "hidden")); i++)
        ur__json_add_int(list, P);
    ur__json_set(to, "projection", list);
}

static ur_status modernise(struct ur__json **j)
{
    struct ur__json *now = ur__json_new_object();
    struct ur__buf text = {0};
    ur_status status = ur__json_each(*j, take_old_member, now);
    spread_projection(*j, now);
    if (status == UR_OK)
        status = ur__json_dump(now, &text);
    ur__json_free(*j);
    ur__json_free(now);
    *j = NULL;
    if (status == UR_OK)
        status = ur__json_parse(j, text.data, text.size);
    ur__buf_free(&text);
    return status;
}

static ur_status parse_config(ur_options *out, const struct ur__json *j)
{
    const char *name;
    if (!ur__json_get_string(j, "arch", &name))
        return ur__fail(UR_EFORMAT,
                        "configuration: \"arch\" is missing or has an impossible value");
    const struct ur__arch *arch = ur__arch_find(name);
    if (!arch)
        return ur__fail(UR_EFORMAT, "configuration: there is no architecture \"%.80s\"", name);
    ur__options_init(out, arch->options);
    UR__TRY(ur__options_from_json(arch->options, j, "arch", ur__options_values(out)));
    return ur_config_check(out);
}

static ur_status load_config(ur_options *out, const struct ur__st_file *f)
{
    struct ur__json *j;
    UR__TRY(open_json(&j, f, "config"));
    ur_status status = strcmp(ur__st_meta(f, "format_version"), "1") == 0 ? modernise(&j) : UR_OK;
    if (status == UR_OK)
        status = parse_config(out, j);
    ur__json_free(j);
    return status;
}

static ur_status load_vocab(ur_vocab **out, const struct ur__st_file *f, const char *key)
{
    struct ur__json *j;
    *out = NULL;
    UR__TRY(open_json(&j, f, key));
    ur_status status = ur__vocab_parse(out, j);
    ur__json_free(j);
    return status;
}

/* The network that the metadata describes, declared only. */
static ur_status load_skeleton(ur_model **out, const struct ur__st_file *f)
{
    ur_options config;
    ur_vocab *vocab[UR__MAX_VOCABS] = {0};
    int n = 0;
    UR__TRY(load_config(&config, f));
    const struct ur__arch *arch = ur__arch_find(config.table->name);
    ur_status status = UR_OK;
    for (char key[KEY]; arch->vocabs[n] && status == UR_OK; n++)
        if (ur__arch_has(arch, &config, arch->vocabs[n]))
            status = load_vocab(&vocab[n], f, vocab_key(arch, n, key));
    if (status == UR_OK)
        status = ur__model_declare(out, &config, n, vocab);
    for (int i = 0; i < n && status != UR_OK; i++)
        ur_vocab_free(vocab[i]);
    return status;
}

/* Of version 1 it is the architecture's. */
static ur_status load_task(ur_model *m, const struct ur__st_file *f)
{
    const char *task = ur__st_meta(f, "task");
    if (!task)
        return UR_OK;
    if (!*task || strlen(task) > 64 || !ur__is_plain(task))
        return ur__fail(UR_EFORMAT, "the model's \"task\" is impossible");
    return ur__model_set_task(m, task);
}

static ur_status load_summary(ur_model *m, const struct ur__st_file *f)
{
    const char *text = ur__st_meta(f, "training");
    if (!text)
        return UR_OK;
    ur_status status = ur__model_set_summary(m, text);
    if (status == UR_EFORMAT)
        return ur__fail(UR_EFORMAT, "the model's \"training\": %s", ur_errmsg());
    return status;
}

/* The file's tensors are exactly the network's parameters. */
static ur_status check_tensors(const ur_params *params, const struct ur__st_file *f)
{
    for (int i = 0; i < ur_params_count(params); i++) {
        const ur_param *p = ur_params_at(params, i);
        const struct ur__st_tensor *t = ur__st_find(f, p->name);
        char want[UR__DIMS_TEXT], got[UR__DIMS_TEXT];
        uint64_t dim[UR_MAX_RANK];
        int rank = ur__param_dims(p, dim);
        if (!t)
            return ur__fail(UR_EFORMAT, "tensor %s is missing", p->name);
        if (t->rank != rank || memcmp(t->dim, dim, (size_t)rank * sizeof *dim) != 0)
            return ur__fail(UR_EFORMAT, "tensor %s is %s, but the configuration wants %s",
                            p->name, ur__dims_text(t->rank, t->dim, got),
                            ur__dims_text(rank, dim, want));
        if (t->type != UR__F32 && t->type != UR__F64 && t->type != UR__F16 && t->type != UR__BF16)
            return ur__fail(UR_EFORMAT, "tensor %s holds %s, not real numbers", p->name,
                            t->type_name);
    }
    for (int i = 0; i < ur_params_typed_count(params); i++) {
        const ur_typed *typed = ur_params_typed_at(params, i);
        const struct ur__st_tensor *t = ur__st_find(f, typed->name);
        if (!t)
            return ur__fail(UR_EFORMAT, "tensor %s is missing", typed->name);
        UR__TRY(ur__typed_check(t, typed));
    }
    for (size_t i = 0; i < ur__st_count(f); i++) {
        const char *name = ur__st_at(f, i)->name;
        if (!ur_params_find(params, name) && !ur_params_find_typed(params, name))
            return ur__fail(UR_EFORMAT, "the network has no parameter %.80s", name);
    }
    return UR_OK;
}

/* Twice through the data: a file that would be refused for its last value must not have
 * taken memory for all of them, which can be four times what it holds. */
static ur_status load_values(ur_params *params, struct ur__st_file *f, const char *path)
{
    for (size_t i = 0; i < ur__st_count(f); i++)
        if (!ur_params_find_typed(params, ur__st_at(f, i)->name))
            UR__TRY(ur__st_check_finite(f, ur__st_at(f, i)));
    UR__TRY(ur__params_build_zeros(params));
    for (int i = 0; i < ur_params_typed_count(params); i++) {
        const ur_typed *t = ur_params_typed_at(params, i);
        ur_status status = ur__typed_in(f, ur__st_find(f, t->name), t,
                                        ur_typed_data(params, t, t->type));
        if (status == UR_ENUMERIC)
            return ur__fail(status, "%s: %s", path, ur_errmsg());
        UR__TRY(status);
    }
    for (int i = 0; i < ur_params_count(params); i++) {
        const ur_param *p = ur_params_at(params, i);
        UR__TRY(ur__st_read_real(f, ur__st_find(f, p->name), ur_param_data(params, p), p->size));
    }
    return check_finite(params, path);
}

static ur_status load(ur_model **out, struct ur__st_file *f, const char *path)
{
    ur_model *m = NULL;
    UR__TRY(check_version(f, path));
    UR__TRY(blame(load_skeleton(&m, f), path));
    ur_status status = blame(check_tensors(m->params, f), path);
    if (status == UR_OK)
        status = blame(load_summary(m, f), path);
    if (status == UR_OK)
        status = blame(load_task(m, f), path);
    if (status == UR_OK)
        status = load_values(m->params, f, path);
    if (status == UR_OK)
        status = ur_model_prepare(m);
    if (status != UR_OK) {
        ur_model_free(m);
        return status;
    }
    *out = m;
    return UR_OK;
}

static ur_status load_and_close(ur_model **out, struct ur__st_file *f)
{
    unsigned mode = ur__fpmode_default();
    ur_status status = load(out, f, ur__st_path(f));
    ur__fpmode_restore(mode);
    ur__st_close(f);
    return status;
}

ur_status ur_model_load(ur_model **out, const char *path)
{
    UR__NEED(out, "out");
    struct ur__st_file *f;
    *out = NULL;
    UR__NEED(path, "path");
    UR__TRY(ur__st_open(&f, path));
    return load_and_close(out, f);
}

ur_status ur_model_load_memory(ur_model **out, const void *bytes, size_t n, const char *name)
{
    UR__NEED(out, "out");
    struct ur__st_file *f;
    *out = NULL;
    UR__NEED(bytes, "bytes");
    UR__TRY(ur__st_open_memory(&f, bytes, n, name));
    return load_and_close(out, f);
}
