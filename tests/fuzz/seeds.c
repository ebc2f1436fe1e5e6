/* SPDX-License-Identifier: MIT */
/* Writes the inputs that the fuzzers begin with: `fuzz_seeds tests/fuzz/corpus`. What
 * later runs have found stands beside them under other names. */
#define _POSIX_C_SOURCE 200809L

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "base/mem.h"
#include "config_text.h"
#include "data/vocab.h"
#include "io/safetensors.h"
#include "model/model.h"
#include "model/vocab_text.h"
#include "seeds.h"
#include "support/settings.h"
#include "support/small_state.h"
#include "train/checksum.h"
#include "train/identity.h"
#include "unroll/exchange.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static const char *top;

static void fail(const char *what, const char *of)
{
    fprintf(stderr, "seeds: %s: %s\n", what, of);
    exit(1);
}

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

void put(const char *fuzzer, const char *name, const void *bytes, size_t n)
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

static void put_model(const char *name, ur_token_kind kind, const char *arch, const char *settings)
{
    struct ur__buf text = {0}, config = {0};
    const ur_options c = net_of(arch, settings);
    ur_vocab *v = vocab_of(kind);
    ur_model *m;
    must(ur__vocab_text(v, &text));
    put("vocab", name, text.data, text.size);
    ur__buf_free(&text);
    must(ur_model_new(&m, &c, 1, &v, 1));
    must(config_text(ur_model_config(m), &config));
    put("config", name, config.data, config.size);
    ur__buf_free(&config);
    must(ur__model_set_summary(m, "{\"seed\":1,\"loss\":2.5}"));
    must(ur_model_save(m, path_of("model", name)));
    ur_model_free(m);
}

static void put_models(void)
{
    put_model("gru", UR_TOKEN_CHAR, "lm", "cell=gru layers=1 hidden=2");
    put_model("before", UR_TOKEN_BYTE, "lm", "cell=gru layers=1 hidden=2 reset=before");
    put_model("residual", UR_TOKEN_WORD, "lm",
              "cell=rnn hidden=2,3 activation=satlin time-residual=yes");
    put_model("forms", UR_TOKEN_CHAR, "lm",
              "layers=1 hidden=3 projection=2 peepholes=yes coupled=yes learned-state=yes "
              "cell-clip=2 dropout=0.5 zoneout=0.5 zoneout-cell=0.5 recurrent-dropout=0.5 "
              "variational=yes init=orthogonal");
    put_model("fill", UR_TOKEN_WORDPUNCT, "fill", "layers=1 hidden=2 tie=yes forget-bias=1");
}

/* What a configuration cannot be: a member of a right one exchanged or added. */
static void put_wrong_configs(void)
{
    static const char *const wrong[][3] = {
        {"arch", "\"lm\"", "\"chess\""},
        {"layers", "\"hidden\":[2]", "\"hidden\":[]"},
        {"units", "\"hidden\":[2]", "\"hidden\":[65537]"},
        {"embed", "\"embed\":0", "\"embed\":-1"},
        {"activation", "\"tie\":false", "\"tie\":false,\"activation\":\"relu\""},
        {"identity", "\"gru\"", "\"rnn\",\"activation\":\"identity\""},
        {"reset", "\"gru\"", "\"rnn\",\"reset\":\"before\""},
        {"tie", "\"tie\":false", "\"tie\":true"},
        {"dropout", "\"dropout\":0.0", "\"dropout\":1"},
        {"forget", "\"tie\":false", "\"tie\":false,\"forget_bias\":1"},
        {"bias", "\"tie\":false", "\"tie\":false,\"forget_bias\":101"},
        {"clip", "\"gru\"", "\"lstm\",\"cell_clip\":-1"},
        {"residual", "\"tie\":false", "\"tie\":false,\"time_residual\":true"},
        {"coupled", "\"tie\":false", "\"tie\":false,\"coupled\":true"},
        {"coupled-bias", "\"gru\"", "\"lstm\",\"coupled\":true,\"forget_bias\":1"},
        {"projection", "\"gru\"", "\"lstm\",\"projection\":[2]"},
        {"variational", "\"tie\":false", "\"tie\":false,\"variational\":true"},
    };
    ur_options c = net_of("lm", "cell=gru layers=1 hidden=2 embed=0");
    struct ur__buf right = {0};
    char text[1024], name[32];
    must(config_text(&c, &right));
    for (size_t i = 0; i < COUNT(wrong); i++) {
        const char *at = strstr(right.data, wrong[i][1]);
        if (!at)
            fail("no such text", wrong[i][1]);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - right.data), right.data, wrong[i][2],
                 at + strlen(wrong[i][1]));
        snprintf(name, sizeof name, "wrong-%s", wrong[i][0]);
        put_text("config", name, text);
    }
    ur__buf_free(&right);
}

static void put_vocabs(void)
{
    put_text("vocab", "quotes", "{\"tokens\":\"wordpunct\",\"words\":[\"<unk>\",\"</s>\","
             "\"\\\"\",\"(\",\")\",\"a\",\"\xe3\x80\x82\",\"\xe3\x80\x8c\"]}");
    put_text("vocab", "cut", "{\"tokens\":\"word\",\"words\":[\"<unk>\",\"</s>\","
             "\"\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\","
             "\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\"]}");
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

/* Weights whose strings are a map of names. */
static void put_map(const char *name, size_t n, const char *const map[][2])
{
    static const uint64_t two[] = {2, 3}, one[] = {2};
    static const float data[6] = {1, -2, 0.5F};
    struct ur__st_out *out;
    must(ur__st_out_new(&out));
    for (size_t i = 0; i < n; i++)
        must(ur__st_out_meta(out, map[i][0], map[i][1]));
    must(ur__st_out_tensor(out, "lstm.weight", UR__F32, 2, two, data));
    must(ur__st_out_tensor(out, "lstm.bias", UR__F32, 1, one, data));
    must(ur__st_out_tensor(out, "running", UR__F32, 1, one, data));
    must(ur__st_out_save(out, path_of("weights", name)));
    ur__st_out_free(out);
}

static void put_maps(void)
{
    static const char *const right[][2] = {{"rnn.*", "lstm.*"}, {"mean", "running"}},
        *const partial[][2] = {{"rnn.*", "lstm.*"}, {"m*", ""}},
        *const twice[][2] = {{"rnn.bias", "running"}, {"rnn.*", "lstm.*"}, {"mean", "running"}},
        *const stars[][2] = {{"*.*", "lstm.*"}}, *const lost[][2] = {{"rnn.*", "lstm"}};
    put_map("map", COUNT(right), right);
    put_map("map-partial", COUNT(partial), partial);
    put_map("map-twice", COUNT(twice), twice);
    put_map("map-stars", COUNT(stars), stars);
    put_map("map-lost-star", COUNT(lost), lost);
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
    s.facts.source[0].crc++;
    must(ur__checkpoint_save(&s.checkpoint, path_of("state", "data"), "", UR__OLDER_KEEP));
    s.facts.source[0].crc--;
    s.facts.source[s.facts.n_sources++] = (struct ur__source){"val", 1, 2};
    must(ur__checkpoint_save(&s.checkpoint, path_of("state", "held-out"), "", UR__OLDER_KEEP));
    small_state_free(&s);
}

/* Of small_state's optimizer, which fuzz_optimizer.c reads with, of the other kinds, and files
 * that are none. */
static void put_optimizers(void)
{
    struct small_state s;
    small_state_new(&s);
    must(ur_optimizer_save(s.optimizer, path_of("optimizer", "adam")));
    for (int kind = 0; ur_optimizer_name((ur_optimizer_kind)kind); kind++) {
        const char *name = ur_optimizer_name((ur_optimizer_kind)kind);
        ur_optimizer_options o = optimizer_of((ur_optimizer_kind)kind);
        ur_optimizer *optimizer;
        if (kind == UR_OPTIMIZER_ADAM)
            continue;
        must(ur_optimizer_new(&optimizer, ur_model_params(s.model), &o, NULL));
        must(ur_optimizer_step(optimizer, 0.01, NULL));
        must(ur_optimizer_save(optimizer, path_of("optimizer", name)));
        ur_optimizer_free(optimizer);
    }
    must(ur_model_save(s.model, path_of("optimizer", "model")));
    must(ur__checkpoint_save(&s.checkpoint, path_of("optimizer", "state"), "", UR__OLDER_KEEP));
    small_state_free(&s);
}

/* The file of adam with one string of its metadata changed, or left out, and another tensor more or
 * all of them gone. Its checksum is right. */
static void put_optimizer(const char *name, const char *key, const char *value, int more)
{
    static double data[64][64];     /* as many tensors, of so many bytes at least */
    static const uint64_t one[] = {1};
    const char *values[4];
    struct ur__st_file *f;
    struct ur__st_out *out;
    int n = 0;
    must(ur__st_open(&f, path_of("optimizer", "adam")));
    must(ur__st_out_new(&out));
    for (size_t i = 0; more >= 0 && i < ur__st_count(f); i++) {
        const struct ur__st_tensor *t = ur__st_at(f, i);
        must(ur__st_read_raw(f, t, data[i], (size_t)t->bytes));
        must(ur__st_out_tensor(out, t->name, t->type, t->rank, t->dim, data[i]));
    }
    if (more > 0)
        must(ur__st_out_tensor(out, "m/more", UR__F32, 1, one, data[63]));
    const char *kept[4];
    for (int i = 0; optimizer_keys[i]; i++) {
        bool changed = strcmp(optimizer_keys[i], key) == 0;
        if (changed && !value)
            continue;
        kept[n] = optimizer_keys[i];
        values[n++] = changed ? value : ur__st_meta(f, optimizer_keys[i]);
    }
    must(ur__checksum_put(out, n, kept, values));
    must(ur__st_out_save(out, path_of("optimizer", name)));
    ur__st_out_free(out);
    ur__st_close(f);
}

static void put_wrong_optimizers(void)
{
    put_optimizer("foreign", "format", "pt", 0);
    put_optimizer("no-kind", "kind", NULL, 0);
    put_optimizer("later", "version", "2", 0);
    put_optimizer("clock", "clock", "{\"updates\":-1,\"power1\":0.9,\"power2\":0.9}", 0);
    put_optimizer("more", "", "", 1);
    put_optimizer("none", "", "", -1);
    put_text("optimizer", "no-safetensors", "GGUF   a file of another kind");
}

/* A state with the number in its last bytes that no state is written with. */
static void put_state_of_nan(void)
{
    static unsigned char bytes[1 << 14];
    const float nan = (float)NAN;
    const char *path = path_of("state", "small");
    struct ur__st_file *f;
    char sum[9], was[9];
    FILE *in = fopen(path, "rb");
    size_t n = in ? fread(bytes, 1, sizeof bytes, in) : 0;
    if (!in || n < sizeof nan || n == sizeof bytes || fclose(in) != 0)
        fail("cannot be read", path);
    memcpy(bytes + n - sizeof nan, &nan, sizeof nan);
    must(ur__st_open(&f, path));
    file_checksum(f, state_keys, was);
    ur__st_close(f);
    put("state", "nan", bytes, n);
    must(ur__st_open(&f, path_of("state", "nan")));
    file_checksum(f, state_keys, sum);
    ur__st_close(f);
    for (size_t i = 0; i + 8 < n; i++) {
        if (memcmp(bytes + i, was, 8) == 0)
            memcpy(bytes + i, sum, 8);
    }
    put("state", "nan", bytes, n);
}

/* Behind a zero byte the options of the run that goes on, a byte each (fuzz_identity.c). */
static void put_identities(void)
{
    static const char held[] = "{}\0\1\1\2\1\3\4\5\6\1\2\3\4\5\6\7",
        sgd[] = "{\"end\":{\"epochs\":null,\"steps\":7,\"time\":0}}\0\4\2\3\0\377\0\1\2",
        seed[] = "{\"seed\":\"18446744073709551614\"}\0\2\1", grad[] = "[]\0\3\3\1\1\2";
    put("identity", "held-out", held, sizeof held - 1);
    put("identity", "sgd", sgd, sizeof sgd - 1);
    put("identity", "seed", seed, sizeof seed - 1);
    put("identity", "adagrad", grad, sizeof grad - 1);
}

/* The options of a run, and a limit where it had none or a later one. */
static void put_limits(void)
{
    static const char *const limits[][2] = {
        {"\"time\":0.0", "\"time\":9.0"}, {"\"steps\":-1", "\"steps\":9"},
        {"\"epochs\":50.0", "\"epochs\":null"}, {"\"epochs\":50.0", "\"epochs\":51"},
    };
    struct ur__buf text = {0}, changed = {0};
    struct small_state s;
    char name[16];
    small_state_new(&s);
    must(ur__buf_puts(&text, s.identity.data));
    small_state_free(&s);
    for (size_t i = 0; i < COUNT(limits); i++) {
        const char *at = strstr(text.data, limits[i][0]);
        if (!at)
            fail("no such text", limits[i][0]);
        changed.size = 0;
        must(ur__buf_put(&changed, text.data, (size_t)(at - text.data)));
        must(ur__buf_puts(&changed, limits[i][1]));
        must(ur__buf_puts(&changed, at + strlen(limits[i][0])));
        snprintf(name, sizeof name, "limit-%zu", i);
        put_text("identity", name, changed.data);
    }
    ur__buf_free(&text);
    ur__buf_free(&changed);
}

/* ---- texts ------------------------------------------------------------- */

/* More different characters than a byte tells apart, in reads of less than all of them. */
static void put_wide(const char *name, uint8_t how)
{
    unsigned char text[3 + 2 * 320] = {how, 100, 0};
    size_t n = 3;
    for (uint32_t code = 0x100; code < 0x100 + 320; code++)
        n += (size_t)ur__utf8_encode(code, text + n);
    put("text", name, text, n);
}

/* More different words than a table begins with. */
static void put_many_words(void)
{
    char text[4096] = "\2\377";
    size_t n = 3;
    for (int i = 0; i < 600; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%x ", i);
    put("text", "many-words", text, n);
}

/* A file a hundred times as large as it looks. */
static void put_blown_up(void)
{
    static unsigned char text[200000], packed[4096] = {0};
    z_stream z = {0};
    memset(text, 'a', sizeof text);
    if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        fail("deflate", "zlib");
    z.next_in = text;
    z.avail_in = sizeof text;
    z.next_out = packed + 3;
    z.avail_out = sizeof packed - 3;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        fail("deflate", "zlib");
    put("text", "blown-up", packed, 3 + z.total_out);
    deflateEnd(&z);
}

static void put_more_texts(void)
{
    static const char members[] = "\104\0\0a text that is squeezed twice",
        padding[] = "\124\0\361a text that is squeezed twice", cut[] = "\40\0\0\x1f",
        rule[] = "\2\0\101one two one three one two four", few[] = "\202\0\0a b c d e f a b c d",
        ends[] = "\1\0\0caf\xc3", stray[] = "\1\0\0caf\xff and more", blank[] = "\2\0\0 \t ",
        none[] = "\40\0\0", marked[] = "\51\202\0\xef\xbb\xbf" "one\r\ntwo\rthree\n\r\n",
        utf16[] = "\1\0\0\xff\xfe" "a\0b\0", no_mark[] = "\2\7\0a\0b\0 \0c\0\n\0d\0";
    unsigned char word[3 + 400] = {3, 0, 0};
    memset(word + 3, 'w', 300);
    memset(word + 303, '!', 100);
    put("text", "members", members, sizeof members - 1);
    put("text", "padding", padding, sizeof padding - 1);
    put("text", "cut", cut, sizeof cut - 1);
    put("text", "rule", rule, sizeof rule - 1);
    put("text", "few-words", few, sizeof few - 1);
    put("text", "ends", ends, sizeof ends - 1);
    put("text", "stray", stray, sizeof stray - 1);
    put("text", "blank", blank, sizeof blank - 1);
    put("text", "none", none, sizeof none - 1);
    put("text", "marked", marked, sizeof marked - 1);
    put("text", "utf16", utf16, sizeof utf16 - 1);
    put("text", "utf16-no-mark", no_mark, sizeof no_mark - 1);
    put("text", "long-word", word, sizeof word);
    put_wide("wide", 1);
    put_wide("wide-spooled", 9);
    put_many_words();
    put_blown_up();
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
    put_text("json", "real", "-12.50e-3");
    put_text("json", "huge", "1e999");
    put_text("json", "exponent", "1.e");
    put_text("json", "no-digits", "\"\\u12g4\"");
    put_text("json", "half-pair", "\"\\ud83d!\"");
    put_text("json", "other-half", "\"\\ude00\"");
    put_text("json", "truth", "[[true,false,null],{\"a\":true,\"b\":[\"x\",2.5,3,[]]}]");
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
    put_wrong_configs();
    put_vocabs();
    put_weights();
    put_maps();
    put_state();
    put_optimizers();
    put_wrong_optimizers();
    put_state_of_nan();
    put_identities();
    put_limits();
    put_texts();
    put_more_texts();
    put_options();
    put_sets();
    return 0;
}
