/* SPDX-License-Identifier: MIT */
/* {"tokens":"char","codes":[10,32,...]} or {"tokens":"word","words":["<unk>",...]}. */
#include "model/vocab_text.h"

#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/vocab.h"

/* ---- writing ----------------------------------------------------------- */

static void add_word(struct ur__json *list, const ur_vocab *vocab, int32_t id)
{
    char word[UR__WORD_MAX + 1];
    size_t n;
    const char *text = ur_vocab_text(vocab, id, &n);
    memcpy(word, text, n);
    word[n] = '\0';
    ur__json_add_string(list, word);
}

ur_status ur__vocab_text(const ur_vocab *vocab, struct ur__buf *to)
{
    bool words = ur__is_words(ur_vocab_kind(vocab));
    struct ur__json *j = ur__json_new_object(), *list = ur__json_new_array();
    for (int i = 0; i < ur_vocab_size(vocab); i++) {
        if (words)
            add_word(list, vocab, i);
        else
            ur__json_add_int(list, ur__vocab_codes(vocab)[i]);
    }
    ur__json_set_string(j, "tokens", ur_token_kind_name(ur_vocab_kind(vocab)));
    ur__json_set(j, words ? "words" : "codes", list);
    ur_status status = j && list ? ur__json_dump(j, to) : UR_ENOMEM;
    ur__json_free(j);
    return status;
}

/* ---- reading ----------------------------------------------------------- */

static ur_status parse_words(ur_vocab **out, ur_token_kind kind, const struct ur__json *list)
{
    size_t n = ur__json_size(list);
    const char **words = ur__alloc(n, sizeof *words);
    if (!words)
        return UR_ENOMEM;
    ur_status status = UR_OK;
    for (size_t i = 0; i < n && status == UR_OK; i++) {
        if (!ur__json_string(ur__json_at(list, i), &words[i]))
            status = ur__fail(UR_EFORMAT, "vocabulary: token %zu is not a text", i);
    }
    if (status == UR_OK)
        status = ur__vocab_new_words(out, kind, (int)n, words);
    ur__free(words);
    return status;
}

static ur_status parse_codes(ur_vocab **out, ur_token_kind kind, const struct ur__json *codes)
{
    size_t n = ur__json_size(codes);
    uint32_t *code = ur__alloc(n, sizeof *code);
    if (!code)
        return UR_ENOMEM;
    ur_status status = UR_OK;
    for (size_t i = 0; i < n && status == UR_OK; i++) {
        int64_t value;
        if (!ur__json_int(ur__json_at(codes, i), &value) || value < 0 || value > UINT32_MAX)
            status = ur__fail(UR_EFORMAT, "vocabulary: the code of token %zu is impossible", i);
        else
            code[i] = (uint32_t)value;
    }
    if (status == UR_OK)
        status = ur__vocab_new(out, kind, (int)n, code);
    ur__free(code);
    return status;
}

ur_status ur__vocab_parse(ur_vocab **out, const struct ur__json *j)
{
    *out = NULL;
    const char *name;
    ur_token_kind kind;
    if (!ur__json_get_string(j, "tokens", &name) || !ur_token_kind_find(name, &kind))
        return ur__fail(UR_EFORMAT, "vocabulary: \"tokens\" is missing or impossible");
    const char *key = ur__is_words(kind) ? "words" : "codes";
    const struct ur__json *list = ur__json_get(j, key);
    if (!list || !ur__json_is_array(list) || ur__json_size(list) > UR__VOCAB_MAX)
        return ur__fail(UR_EFORMAT, "vocabulary: \"%s\" is missing or impossible", key);
    return ur__is_words(kind) ? parse_words(out, kind, list) : parse_codes(out, kind, list);
}
