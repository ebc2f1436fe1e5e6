/* SPDX-License-Identifier: MIT */
#include "exchange/form.h"

#include <string.h>

#include "base/status.h"
#include "base/text.h"
#include "io/json.h"
#include "io/option_json.h"
#include "layer/rnn_form.h"
#include "model/model.h"

/* "form.TENSOR" */
static ur_status key_of(struct ur__buf *to, const char *tensor)
{
    return ur__buf_printf(to, "form.%s", tensor);
}

/* ---- writing ----------------------------------------------------------- */

ur_status ur__form_write(struct ur__st_out *out, const char *tensor, const ur_rnn_options *o)
{
    struct ur__buf key = {0}, text = {0};
    struct ur__json *j = ur__json_new_object();
    const ur_option *row;
    for (int i = 0; (row = ur__rnn_form_row(i)); i++)
        if (ur__rnn_given(o, row))
            ur__option_to_json(row, o, j);
    ur_status status = ur__json_dump(j, &text);
    if (status == UR_OK)
        status = key_of(&key, tensor);
    if (status == UR_OK && ur__json_size(j) > 0)
        status = ur__st_out_meta(out, key.data, text.data);
    ur__json_free(j);
    ur__buf_free(&key);
    ur__buf_free(&text);
    return status;
}

/* ---- reading ----------------------------------------------------------- */

struct reading {
    ur_rnn_options *o;
    bool config;        /* of a model: other options stand there, too */
};

static ur_status take_member(void *user, const char *name, const struct ur__json *value)
{
    const struct reading *r = user;
    const ur_option *row;
    char key[UR__OPTION_KEY];
    for (int i = 0; (row = ur__rnn_form_row(i)); i++) {
        if (strcmp(name, ur__option_key(row, key)) != 0)
            continue;
        return ur__option_from_json(row, value, r->o)
            ? UR_OK : ur__fail(UR_EDATA, "\"%s\" has an impossible value", key);
    }
    return r->config ? UR_OK : ur__fail(UR_EDATA, "this version has no option \"%.80s\"", name);
}

/* *said stays false of a configuration whose stacks do not share their options: a net's stand in it
 * under other names than in a form. */
static ur_status read_text(const char *text, struct reading *r, bool *said)
{
    struct ur__json *j;
    const ur_option *row;
    UR__TRY(ur__json_parse(&j, text, strlen(text)));
    ur_status status = UR_OK;
    *said = !r->config || ur__json_get(j, "cell");
    if (!ur__json_is_object(j))
        status = ur__fail(UR_EDATA, "not a JSON object");
    for (int i = 0; *said && (row = ur__rnn_form_row(i)); i++)
        ur__rnn_reset(r->o, row);
    if (*said && status == UR_OK)
        status = ur__json_each(j, take_member, r);
    ur__json_free(j);
    return status;
}

/* The configuration of a model, or NULL. */
static const char *config_of(const struct ur__st_file *f)
{
    const char *format = ur__st_meta(f, "format"), *version = ur__st_meta(f, "format_version");
    bool model = format && strcmp(format, UR__MODEL_FORMAT) == 0
        && version && strcmp(version, UR__QUOTE(UR__MODEL_VERSION)) == 0;
    return model ? ur__st_meta(f, "config") : NULL;
}

ur_status ur__form_read(const struct ur__st_file *f, const char *path, const char *tensor,
                        ur_rnn_options *o, bool *said)
{
    struct ur__buf key = {0};
    *said = false;
    ur_status status = key_of(&key, tensor);
    struct reading r = {.o = o};
    const char *text = status == UR_OK ? ur__st_meta(f, key.data) : NULL;
    if (status == UR_OK && !text) {
        text = config_of(f);
        r.config = text;
    }
    if (text) {
        status = read_text(text, &r, said);
        if (status != UR_OK && status != UR_ENOMEM)
            status = ur__fail(UR_EDATA, "%s: \"%.80s\": %s", path,
                              r.config ? "config" : key.data, ur_errmsg());
    }
    ur__buf_free(&key);
    return status;
}

static ur_status differs(const char *path, const char *tensor, const ur_option *row,
                         const ur_rnn_options *file, const ur_rnn_options *here)
{
    struct ur__buf x = {0}, y = {0};
    ur_status status = ur__option_show(row, file, &x);
    if (status == UR_OK)
        status = ur__option_show(row, here, &y);
    if (status == UR_OK)
        status = ur__fail(UR_EDATA, "%s: of the net that begins with \"%.80s\", %s is %s in the "
                          "file and %s here", path, tensor, row->name, x.data, y.data);
    ur__buf_free(&x);
    ur__buf_free(&y);
    return status;
}

ur_status ur__form_check(const struct ur__st_file *f, const char *path, const char *tensor,
                         const ur_rnn_options *o)
{
    bool said;
    const ur_option *row;
    ur_rnn_options file = *o;
    UR__TRY(ur__form_read(f, path, tensor, &file, &said));
    for (int i = 0; said && (row = ur__rnn_form_row(i)); i++)
        if (!ur__option_same(row, &file, o))
            return differs(path, tensor, row, &file, o);
    return UR_OK;
}
