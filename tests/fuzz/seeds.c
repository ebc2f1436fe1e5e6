/* SPDX-License-Identifier: MIT */
/* Writes the inputs that the fuzzers begin with: `fuzz_seeds tests/fuzz/corpus`. What
 * later runs have found stands beside them under other names. */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "data/vocab.h"
#include "io/safetensors.h"
#include "model/model.h"
#include "model/vocab_text.h"
#include "support/small_state.h"
#include "unroll/exchange.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static const char *top;

static void must(ur_status status)
{
    if (status == UR_OK)
        return;
    fprintf(stderr, "seeds: %s\n", ur_errmsg());
    exit(1);
}

static const char *path_of(const char *fuzzer, const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", top, fuzzer);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/seed-%s", top, fuzzer, name);
    return path;
}

static void put(const char *fuzzer, const char *name, const void *bytes, size_t n)
{
    FILE *f = fopen(path_of(fuzzer, name), "wb");
    if (!f || fwrite(bytes, 1, n, f) != n || fclose(f) != 0) {
        perror(path_of(fuzzer, name));
        exit(1);
    }
}

static void put_text(const char *fuzzer, const char *name, const char *text)
{
    put(fuzzer, name, text, strlen(text));
}

/* ---- models, their configurations and vocabularies --------------------- */

static ur_config config_of(ur_cell cell, int hidden)
{
    ur_config c = UR_CONFIG_INIT;
    c.cell = cell;
    c.layers = 1;
    c.hidden[0] = hidden;
    return c;
}

static ur_vocab *vocab_of(ur_token_kind kind)
{
    static const char *const words[] = {"<unk>", "</s>", "the", "don't", "3.14", "\xc3\xa9"};
    static const uint32_t chars[] = {10, 97, 0xe9, 0x4e2d, 0x1f600}, bytes[] = {0, 10, 97, 255};
    ur_vocab *v;
    if (ur__is_words(kind))
        must(ur__vocab_new_words(&v, kind, COUNT(words), words));
    else if (kind == UR_TOKEN_CHAR)
        must(ur__vocab_new(&v, kind, COUNT(chars), chars));
    else
        must(ur__vocab_new(&v, kind, COUNT(bytes), bytes));
    return v;
}

static void put_model(const char *name, const ur_config *c)
{
    struct ur__buf text = {0};
    ur_vocab *v = vocab_of(c->tokens);
    ur_model *m;
    char *config;
    must(ur__vocab_text(v, &text));
    put("vocab", name, text.data, text.size);
    ur__buf_free(&text);
    must(ur__config_text(c, &config));
    put_text("config", name, config);
    ur__free(config);
    must(ur__model_new(&m, c, v, 1));
    must(ur__model_set_summary(m, "{\"seed\":1,\"loss\":2.5}"));
    must(ur_model_save(m, path_of("model", name)));
    ur_model_free(m);
}

static void put_models(void)
{
    ur_config c = config_of(UR_GRU, 2);
    put_model("gru", &c);
    c.tokens = UR_TOKEN_BYTE;
    c.reset_before = true;
    put_model("before", &c);
    c = config_of(UR_RNN, 2);
    c.layers = 2;
    c.hidden[1] = 3;
    c.activation = UR_SATLIN;
    c.time_residual = true;
    c.tokens = UR_TOKEN_WORD;
    put_model("residual", &c);
    c = config_of(UR_LSTM, 3);
    c.projection = 2;
    c.peepholes = c.coupled = c.learned_state = true;
    c.cell_clip = 2;
    c.dropout = c.zoneout_h = c.zoneout_c = c.recurrent_dropout = 0.5;
    c.variational = true;
    put_model("forms", &c);
    c = config_of(UR_LSTM, 2);
    c.task = "fill";
    c.tokens = UR_TOKEN_WORDPUNCT;
    c.embed = 4;
    c.tie = true;
    c.forget_bias = 1;
    put_model("fill", &c);
}

/* ---- safetensors ------------------------------------------------------- */

static void put_tensors(const char *fuzzer, const char *name, const char *const *names,
                        const enum ur__dtype *types, size_t n)
{
    static const uint64_t two[] = {2, 3}, one[] = {2};
    static const double data[8] = {1, -2, 0.5};
    struct ur__st_out *out;
    must(ur__st_out_new(&out));
    must(ur__st_out_meta(out, "format", "pt"));
    must(ur__st_out_meta(out, "\xc3\xa9\n", "a \"text\""));
    for (size_t i = 0; i < n; i++)
        must(ur__st_out_tensor(out, names[i], types[i], i ? 1 : 2, i ? one : two, data));
    must(ur__st_out_tensor(out, "none", UR__F32, 1, &(uint64_t){0}, NULL));
    must(ur__st_out_save(out, path_of(fuzzer, name)));
    ur__st_out_free(out);
}

static void put_weights(void)
{
    static const char *const types[] = {"F64", "F32", "F16", "BF16", "I64", "I32", "I16",
                                        "I8", "U64", "U32", "U16", "U8", "BOOL"};
    static const enum ur__dtype kinds[] = {UR__F64, UR__F32, UR__F16, UR__BF16, UR__I64, UR__I32,
                                           UR__I16, UR__I8, UR__U64, UR__U32, UR__U16, UR__U8,
                                           UR__BOOL};
    static const char *const own[] = {"rnn.weight", "rnn.bias", "mean"};
    static const char *const lstm[] = {"lstm.weight", "lstm.bias"};
    static const char *const bare[] = {"weight", "bias", "a_mean_b"};
    put_tensors("safetensors", "types", types, kinds, COUNT(types));
    put_tensors("weights", "types", types, kinds, COUNT(types));
    put_tensors("weights", "own", own, kinds + 1, COUNT(own));
    put_tensors("weights", "lstm", lstm, kinds + 1, COUNT(lstm));
    put_tensors("weights", "bare", bare, kinds + 2, COUNT(bare) - 1);
}

/* ---- the rest ---------------------------------------------------------- */

static void put_state(void)
{
    struct small_state s;
    small_state_new(&s);
    must(ur__checkpoint_save(&s.checkpoint, path_of("state", "small"), "", UR__OLDER_KEEP));
    put_text("identity", "default", s.identity.data);
    small_state_free(&s);
}

static void put_texts(void)
{
    static const char plain[] = "\0\0\0the cat\nsat", chars[] = "\1\1\0\xc3\xa9\xe4\xb8\xad\xf0\x9f"
        "\x98\x80 a", words[] = "\2\3\0don't 3.14 </s> \"a\"\n", signs[] = "\3\0\0(don't) \"3.14\"!\n",
        packed[] = "\4\5\0some text that is squeezed", damaged[] = "\25\0\7some other text",
        spooled[] = "\x2a\0\0one two three four five six seven";
    put("text", "bytes", plain, sizeof plain - 1);
    put("text", "chars", chars, sizeof chars - 1);
    put("text", "words", words, sizeof words - 1);
    put("text", "signs", signs, sizeof signs - 1);
    put("text", "gzip", packed, sizeof packed - 1);
    put("text", "damaged", damaged, sizeof damaged - 1);
    put("text", "spooled", spooled, sizeof spooled - 1);
    put_text("json", "all", "{\"a\":[1,-2.5e-3,true,false,null,\"x\\n\\u00e9\\ud83d\\ude00\"],\"b\":{}}");
    put_text("json", "list", "[[],[[]],\"\",0]");
    put_text("json", "number", "-9223372036854775808");
}

static void put_options(void)
{
    static const double options[][2] = {{1, 1}, {0, 1}, {0.7, 0.9}, {1e-300, 1e-300}, {-1, 2}};
    for (size_t i = 0; i < COUNT(options); i++) {
        unsigned char bytes[36] = {0};
        char name[8];
        memcpy(bytes, &options[i][0], 8);
        memcpy(bytes + 8, &options[i][1], 8);
        bytes[16] = (unsigned char)i;
        bytes[20] = (unsigned char)(i * 77);
        for (size_t t = 0; t < 8; t++)
            bytes[28 + t] = (unsigned char)(t == 5 ? 200 : t);
        snprintf(name, sizeof name, "%zu", i);
        put("sample", name, bytes, sizeof bytes);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: fuzz_seeds FOLDER\n");
        return 2;
    }
    top = argv[1];
    put_models();
    put_weights();
    put_state();
    put_texts();
    put_options();
    return 0;
}
