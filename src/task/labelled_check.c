/* SPDX-License-Identifier: MIT */
/* Options that mean nothing for the data at hand: whoever set them is told. */
#include <string.h>

#include "base/status.h"
#include "task/labelled.h"

static ur_status refuse(const ur_option *o, const char *to, const char *have)
{
    return ur__fail(UR_EINVAL, "%s belongs to %s, not to %s", o->name, to, have);
}

static ur_status check(const ur_options *options, const ur_option *o,
                       const struct ur__examples *x, const ur_vocab *text)
{
    char tokens[32], value[8] = "";
    bool words = text && ur__is_words(ur_vocab_kind(text));
    if (o->flags & UR__OPTION_FORMAT)
        ur_options_get(options, o->name, value, sizeof value);      /* longer ones mean nothing */
    if (o->flags & UR__OPTION_FORMAT && !ur__format_has(x->format, o->name, value))
        return ur__fail(UR_EINVAL, "%s means nothing for files of format %s", o->name, x->format);
    if (o->flags & UR__OPTION_NUMBERS && x->content != UR_CONTENT_FRAMES)
        return refuse(o, "numbers", "text");
    if (o->flags & UR__OPTION_TOKENS && x->content == UR_CONTENT_FRAMES)
        return refuse(o, "text", "numbers");
    if (!(o->flags & UR__OPTION_WORDS) || words)
        return UR_OK;
    ur__format(tokens, sizeof tokens, "tokens %s",
               text ? ur_token_kind_name(ur_vocab_kind(text)) : "");
    return refuse(o, "words", text ? tokens : "numbers");
}

ur_status ur__labelled_check(const ur_options *options, const struct ur__examples *x,
                             const ur_vocab *text)
{
    for (int i = 0; i < options->table->n; i++)
        if (ur__options_has(options, i))
            UR__TRY(check(options, &options->table->rows[i], x, text));
    return UR_OK;
}
