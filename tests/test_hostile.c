/* SPDX-License-Identifier: MIT */
/* Files from strangers, each made to do harm in its own way: refused with the sentence
 * that says what is wrong, and without taking memory. */
#include "hostile.h"

#include "io/safetensors.h"
#include "unroll/exchange.h"
#include "unroll/model.h"

/* ---- the container ----------------------------------------------------- */

#define T8 "{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"
#define DEEP "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"    /* 32 */
#define ONE(dtype, shape, offsets) \
    "{\"a\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static const struct {
    const char *header;
    size_t data;
    const char *why;
} containers[] = {
    /* no object */
    {"[]", 0, "does not begin with a brace"}, {"\"a\"", 0, "does not begin with a brace"},
    {"12", 0, "does not begin with a brace"}, {"  ", 0, "does not begin with a brace"},
    {" {", 0, "does not end with a brace"}, {"{\n\t ", 0, "does not end with a brace"},
    {"{\"a\":" T8, 8, "ends within a member"}, {"{\"a\":", 0, "does not end with a brace"},
    {"{} x", 0, "does not end with a brace"}, {"{}{}", 0, "other than white space follows"},
    {"{\"a\":" T8 "]}", 8, "other than white space follows"},
    {"{\"a}", 0, "ends within a member"}, {"{\"a\\\"}", 0, "ends within a member"},
    {"{\"\\}", 0, "ends within a member"},
    {"{,}", 0, "comma without a member"}, {"{\"a\":" T8 ",}", 8, "comma without a member"},
    {"{\"a\":" T8 ",,\"b\":" T8 "}", 8, "comma without a member"},
    /* JSON that is none */
    {"{a:1}", 0, "from byte 0 on, is json"}, {"{\"a\"}", 0, "is json: line 1, column 5"},
    {"{\"a\":" T8 ",\"b\":nan}", 8, "from byte 53 on, is json"},
    {"{\"a\":\"\xff\"}", 0, "malformed UTF-8"},
    {"{\"\xed\xa0\x80\":" T8 "}", 8, "malformed UTF-8"},
    {"{\"a\":\"\\ud800\"}", 0, "is json"}, {"{\"a\":\"\\u0000\"}", 0, "is json"},
    {"{\"a\":\"\n\"}", 0, "is json"}, {"{\"a\":1e999}", 0, "the number is too large"},
    {"{\"a\":99999999999999999999}", 0, "is too large"},
    {"{\"a\":01}", 0, "is json"},
    {"{\"a\":[}]}", 0, "other than white space follows"},
    {"{\"a\":[1}}", 0, "is json"}, {"{\"a\":tru}", 0, "is json"},
    {"{\"a\":" DEEP "}", 0, "nested too deeply"},
    /* members that are no tensors */
    {"{\"a\":1}", 0, "tensor \"a\": it is not an object"},
    {"{\"a\":[]}", 0, "it is not an object of dtype, shape and data_offsets"},
    {"{\"a\":null}", 0, "it is not an object"}, {"{\"a\":\"b\"}", 0, "it is not an object"},
    {"{\"a\":{}}", 0, "it has no dtype"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "it has no data_offsets"},
    {"{\"a\":{\"x\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "it has no dtype"},
    {"{\"a\":{\"dtype\":\"F32\",\"x\":[2],\"data_offsets\":[0,8]}}", 8, "it has no shape"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"x\":[0,8]}}", 8, "it has no data_offsets"},
    {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8,
     "a duplicate key in this object"},
    /* types */
    {ONE("\"\\u001b]0;x\"", "[2]", "[0,8]"), 8, "dtype \"\xef\xbf\xbd]0;x\" is not a type's name"},
    {ONE("\"\"", "[2]", "[0,8]"), 8, "dtype \"\" is not a type's name"},
    {ONE("\"F8_E4M3_OF_17_LETTERS\"", "[8]", "[0,8]"), 8, "is not a type's name"},
    {ONE("\"F8_E4M3\"", "[9]", "[0,8]"), 8, "its shape and its data_offsets disagree"},
    {ONE("\"F4\"", "[15]", "[0,8]"), 8, "its shape and its data_offsets disagree"},
    {ONE("7", "[2]", "[0,8]"), 8, "it has no dtype"},
    /* shapes */
    {ONE("\"F32\"", "2", "[0,8]"), 8, "its shape is not a list"},
    {ONE("\"F32\"", "{}", "[0,8]"), 8, "its shape is not a list"},
    {ONE("\"F32\"", "[-2]", "[0,8]"), 8, "a dimension that is not a size"},
    {ONE("\"F32\"", "[2.0]", "[0,8]"), 8, "a dimension that is not a size"},
    {ONE("\"F32\"", "[\"2\"]", "[0,8]"), 8, "a dimension that is not a size"},
    {ONE("\"F32\"", "[1,1,1,1,1,1,1,1,3]", "[0,8]"), 8, "disagree"},
    {ONE("\"F31\"", "[288230376151711744]", "[0,8]"), 8, "larger than any memory"},
    {ONE("\"F32\"", "[4611686018427387906]", "[0,8]"), 8, "larger than any memory"},
    {ONE("\"U8\"", "[4294967296,4294967296]", "[0,0]"), 0, "larger than any memory"},
    {ONE("\"U8\"", "[0,9223372036854775807,9223372036854775807]", "[0,0]"), 0, "than any memory"},
    {ONE("\"F64\"", "[1099511627776]", "[0,8796093022208]"), 8, "beyond the end of the file"},
    {ONE("\"F32\"", "[3]", "[0,8]"), 8, "its shape and its data_offsets disagree"},
    {ONE("\"F32\"", "[]", "[0,8]"), 8, "disagree"}, {ONE("\"F16\"", "[2]", "[0,8]"), 8, "disagree"},
    {ONE("\"F32\"", "[0]", "[0,8]"), 8, "disagree"},
    /* offsets */
    {ONE("\"F32\"", "[2]", "8"), 8, "no data_offsets of two whole numbers"},
    {ONE("\"F32\"", "[2]", "[0,8,8]"), 8, "no data_offsets of two"},
    {ONE("\"F32\"", "[2]", "[0.0,8]"), 8, "no data_offsets of two"},
    {ONE("\"F32\"", "[2]", "[8,0]"), 8, "run backwards"},
    {ONE("\"F32\"", "[2]", "[-8,0]"), 8, "run backwards"},
    {ONE("\"F32\"", "[2]", "[0,9]"), 8, "beyond the end of the file"},
    {ONE("\"F32\"", "[2]", "[0,9223372036854775807]"), 8, "beyond the end of the file"},
    {ONE("\"F32\"", "[2]", "[9223372036854775799,9223372036854775807]"), 8, "beyond the end"},
    {ONE("\"F32\"", "[2]", "[4,12]"), 12, "tensor \"a\": there is a gap before its data"},
    {"{\"a\":" T8 ",\"b\":" T8 "}", 8, "tensor \"b\": its data overlap another's"},
    {"{\"a\":" T8 ",\"b\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[4,12]}}", 12,
     "overlap"},
    {"{\"a\":" T8 ",\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[9,11]}}", 11, "a gap"},
    {"{\"a\":" T8 "}", 9, "bytes follow the last tensor"}, {"{}", 1, "bytes follow the last"},
    {"{\"a\":" T8 "}", 7, "beyond the end of the file"},
    /* names */
    {"{\"a\":" T8 ",\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}", 16,
     "tensor \"a\": there are two of this name"},
    {"{\"a\":" T8 ",\"\\u0061\":" T8 "}", 8, "there are two of this name"},
    {"{\"a\\u001b[2J\":" T8 "}", 8,
     "tensor \"a\xef\xbf\xbd[2J\": its name has characters that cannot be shown"},
    {"{\"a\\n\":" T8 "}", 8, "cannot be shown"}, {"{\"\\u007f\":" T8 "}", 8,
     "cannot be shown"},
    {"{\"\xc2\x9b" "31m\":" T8 "}", 8,
     "tensor \"\xef\xbf\xbd" "31m\": its name has characters that cannot be shown"},
    /* metadata */
    {"{\"__metadata__\":1}", 0, "its __metadata__ is not an object"},
    {"{\"__metadata__\":[]}", 0, "its __metadata__ is not an object"},
    {"{\"__metadata__\":null,\"__metadata__\":{}}", 0, "it has __metadata__ twice"},
    {"{\"__metadata__\":{\"a\":1}}", 0, "__metadata__ \"a\" is not a string"},
    {"{\"__metadata__\":{\"a\\u001b\":null}}", 0, "__metadata__ \"a\xef\xbf\xbd\" is not a string"},
    {"{\"__metadata__\":{\"a\":{}}}", 0, "is not a string"},
    {"{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}", 0, "a duplicate key in this object"},
    {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "it has __metadata__ twice"},
    {"{\"__metadata__\":{},\"\\u005f_metadata__\":{}}", 0, "it has __metadata__ twice"},
};

static void refuse_container(ur_status want, const char *why)
{
    struct ur__st_file *f;
    ur_weights *w;
    heap_mark();
    ur_status status = ur__st_open(&f, HOSTILE);
    assert_null(f);
    assert_refused(status, want, why);
    heap_mark();
    assert_int_equal(ur_weights_open(&w, HOSTILE), want);
    assert_null(w);
}

static void hostile__containers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(containers); i++) {
        make_file(containers[i].header, strlen(containers[i].header), containers[i].data);
        refuse_container(UR_EFORMAT, containers[i].why);
    }
    make_file("{\"a\":\"\0\"}", 9, 0);
    refuse_container(UR_EFORMAT, "a zero byte at offset 6");
}

static void hostile__lengths(void **state)
{
    (void)state;
    static const struct { uint64_t length; const char *why; } lengths[] = {
        {0, "it has no header"}, {1, "it has no header"}, {3, "truncated in its header"},
        {16 << 20, "truncated in its header"}, {(16 << 20) + 1, "not a header's length"},
        {UINT64_MAX, "not a header's length"}, {UINT64_MAX - 7, "not a header's length"},
        {(uint64_t)1 << 63, "not a header's length"}, {(uint64_t)1 << 32, "not a header's length"},
    };
    for (size_t i = 0; i < COUNT(lengths); i++) {
        make_file("{}", 2, 0);
        for (int k = 0; k < 8; k++)
            hostile_bytes.data[k] = (char)(lengths[i].length >> 8 * k & 0xff);
        refuse_container(UR_EFORMAT, lengths[i].why);
    }
    for (size_t n = 0; n < 8; n++) {
        memory_file(HOSTILE, "\2\0\0\0\0\0\0", n);
        refuse_container(UR_EFORMAT, n ? "shorter than 8 bytes" : "is empty");
    }
}

/* ---- a model's metadata ------------------------------------------------ */

static void refuse_model(ur_status want, const char *why)
{
    ur_model *m;
    heap_mark();
    ur_status status = ur_model_load(&m, HOSTILE);
    assert_null(m);
    assert_refused(status, want, why);
}

static void hostile__the_innocent_model_loads(void **state)
{
    (void)state;
    ur_model *m;
    make_model(NULL, NULL, NULL);
    assert_ok(ur_model_load(&m, HOSTILE));
    ur_model_free(m);
    make_model_of("1", OLD_CONFIG, VOCAB, "{}");
    assert_ok(ur_model_load(&m, HOSTILE));
    ur_model_free(m);
}

/* What becomes of the configuration, and what is said of it. */
struct forgery {
    const char *from, *to, *why;
};
#define TIE "\"tie\":false"
#define WITH(more) TIE, TIE "," more
#define IMPOSSIBLE(key) "\"" key "\" has an impossible value"

static const struct forgery configs[] = {
    {CONFIG, "", "the model's \"config\": json"}, {CONFIG, "[]", "\"arch\" is missing"},
    {CONFIG, "null", "\"arch\" is missing"}, {CONFIG, "{}", "\"arch\" is missing"},
    {CONFIG, "{", "\"config\": json"}, {CONFIG, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]",
     "deeper than 32"},
    {"{\"arch\"", "{\"a\\u001b[m\":1,\"arch\"", "configuration: \"a\xef\xbf\xbd[m\" is unknown"},
    {"{\"arch\"", "{\"arch\":\"lm\",\"arch\"", "a duplicate key in this object"},
    {"{\"arch\"", "{\"task\":\"lm\",\"arch\"", "\"task\" is unknown"},
    {"{\"arch\"", "{\"layers\":1,\"arch\"", "\"layers\" is unknown"},
    {"\"lm\"", "\"chess\"", "there is no architecture \"chess\""}, {"\"lm\"", "7", "\"arch\""},
    {"\"lm\"", "\"c\\u001bs\"", "there is no architecture \"c\xef\xbf\xbds\""},
    {"\"lm\"", "\"fill\"", "tensor rnn_forward.weight_ih_l0 is missing"},
    {"\"gru\"", "\"GRU\"", IMPOSSIBLE("cell")}, {"\"gru\"", "[]", IMPOSSIBLE("cell")},
    {"\"gru\"", "2", IMPOSSIBLE("cell")},
    {"\"gru\"", "\"lstm\"", "but the configuration wants [12,4]"},
    {"\"cell\":\"gru\",", "", "\"cell\" is missing"}, {"\"embed\":0,", "", "\"embed\" is missing"},
    {"\"hidden\":[3],", "", "\"hidden\" is missing"}, {"," TIE, "", "\"tie\" is missing"},
    {"\"dropout\":0,", "", "\"dropout\" is missing"},
    {WITH("\"activation\":\"relu\""), "has no option activation"},
    {WITH("\"activation\":0"), IMPOSSIBLE("activation")},
    {WITH("\"activation\":\"identity\""), IMPOSSIBLE("activation")},
    {WITH("\"reset\":\"during\""), IMPOSSIBLE("reset")},
    {WITH("\"reset\":true"), IMPOSSIBLE("reset")},
    {WITH("\"reset\":\"before\""), "tensor urnn.weight_ih_l0 is missing"},
    {"[3]", "[]", IMPOSSIBLE("hidden")}, {"[3]", "3", IMPOSSIBLE("hidden")},
    {"[3]", "[0]", IMPOSSIBLE("hidden")}, {"[3]", "[-3]", IMPOSSIBLE("hidden")},
    {"[3]", "[3.5]", IMPOSSIBLE("hidden")}, {"[3]", "[\"3\"]", IMPOSSIBLE("hidden")},
    {"[3]", "[2147483648]", IMPOSSIBLE("hidden")}, {"[3]", "[65537]", IMPOSSIBLE("hidden")},
    {"[3]", "[65536]", "rnn.weight_hh_l0 is too large: a tensor has at most 2147483647"},
    {"[3]", "[65536,65536,65536,65536,65536,65536,65536,65536]", "have too many weights"},
    {"[3]", "[26000,26000,26000,26000,26000,26000,26000,26000]", "the configuration wants"},
    {"[3]", "[3,3]", "tensor rnn.weight_ih_l1 is missing"},
    {"[3]", "[3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3]",
     IMPOSSIBLE("hidden")},
    {"\"embed\":0", "\"embed\":-1", IMPOSSIBLE("embed")},
    {"\"embed\":0", "\"embed\":65537", IMPOSSIBLE("embed")},
    {"\"embed\":0", "\"embed\":65536", "tensor embed.weight is missing"},
    {"\"embed\":0", "\"embed\":4294967296", IMPOSSIBLE("embed")},
    {"\"embed\":0", "\"embed\":0.0", IMPOSSIBLE("embed")},
    {TIE, "\"tie\":true", "tie needs embed 3"}, {TIE, "\"tie\":0", IMPOSSIBLE("tie")},
    {TIE, "\"tie\":\"no\"", IMPOSSIBLE("tie")},
    {"\"dropout\":0", "\"dropout\":1", IMPOSSIBLE("dropout")},
    {"\"dropout\":0", "\"dropout\":-1e308", IMPOSSIBLE("dropout")},
    {"\"dropout\":0", "\"dropout\":1e400", "the number is too large"},
    {"\"dropout\":0", "\"dropout\":null", IMPOSSIBLE("dropout")},
    {"\"dropout\":0", "\"dropout\":\"0\"", IMPOSSIBLE("dropout")},
    {WITH("\"init\":false"), IMPOSSIBLE("init")},
    {WITH("\"forget_bias\":1"), "has no option forget-bias"},
    {WITH("\"forget_bias\":101"), IMPOSSIBLE("forget_bias")},
    {WITH("\"projection\":[2]"), "has no option projection"},
    {WITH("\"projection\":2"), IMPOSSIBLE("projection")},
    {WITH("\"peepholes\":1"), IMPOSSIBLE("peepholes")},
    {WITH("\"zoneout\":1.5"), IMPOSSIBLE("zoneout")}, {WITH("\"zoneout_h\":0.5"), "is unknown"},
    {WITH("\"cell_clip\":\"x\""), IMPOSSIBLE("cell_clip")},
    {WITH("\"variational\":true"), "needs a dropout above 0"},
    {WITH("\"time_residual\":true"), "has no option time-residual"},
    {WITH("\"learned_state\":true"), "is missing"},
};

/* The same of version 1, whose members are renamed first. */
static const struct forgery old_configs[] = {
    {OLD_CONFIG, "", "the model's \"config\": json"}, {OLD_CONFIG, "[]", "not an object"},
    {OLD_CONFIG, "null", "not an object"}, {OLD_CONFIG, "{}", "\"arch\" is missing"},
    {"{\"task\"", "{\"a\\u001b[m\":1,\"task\"", "configuration: \"a\xef\xbf\xbd[m\" is unknown"},
    {"{\"task\"", "{\"task\":\"lm\",\"task\"", "a duplicate key in this object"},
    {"\"lm\"", "\"chess\"", "there is no architecture \"chess\""}, {"\"lm\"", "7", "\"arch\""},
    {"\"lm\"", "null", "\"arch\""}, {"\"lm\"", "{}", "\"arch\""},
    {"\"lm\"", "[\"lm\"]", "\"arch\""},
    {"\"gru\"", "\"GRU\"", IMPOSSIBLE("cell")}, {"\"gru\"", "[]", IMPOSSIBLE("cell")},
    {"\"tanh\"", "\"relu\"", "has no option activation"},
    {"\"tanh\"", "0", IMPOSSIBLE("activation")},
    {"\"after\"", "true", IMPOSSIBLE("reset")},
    {"\"after\"", "\"before\"", "tensor urnn.weight_ih_l0 is missing"},
    {"[3]", "[]", IMPOSSIBLE("hidden")}, {"[3]", "3", IMPOSSIBLE("hidden")},
    {"[3]", "{}", IMPOSSIBLE("hidden")}, {"[3]", "{\"a\":3}", IMPOSSIBLE("hidden")},
    {"[3]", "[0]", IMPOSSIBLE("hidden")}, {"[3]", "[3.5]", IMPOSSIBLE("hidden")},
    {"[3]", "[3,null]", IMPOSSIBLE("hidden")}, {"[3]", "[[3]]", IMPOSSIBLE("hidden")},
    {"[3]", "[65536,65536,65536,65536,65536,65536,65536,65536]", "have too many weights"},
    {"[3]", "[3,3]", "tensor rnn.weight_ih_l1 is missing"},
    {"\"embed\":0", "\"embed\":-1", IMPOSSIBLE("embed")},
    {"\"embed\":0", "\"embed\":0.0", IMPOSSIBLE("embed")},
    {TIE, "\"tie\":true", "tie needs embed 3"}, {TIE, "\"tie\":null", IMPOSSIBLE("tie")},
    {"\"dropout\":0", "\"dropout\":1", IMPOSSIBLE("dropout")},
    {"\"orthogonal\":false", "\"orthogonal\":\"no\"", IMPOSSIBLE("init")},
    {"\"orthogonal\":false", "\"orthogonal\":0", IMPOSSIBLE("init")},
    {"\"forget_bias\":0", "\"forget_bias\":1", "has no option forget-bias"},
    {"\"forget_bias\":0", "\"forget_bias\":0,\"projection\":2", "has no option projection"},
    {"\"forget_bias\":0", "\"forget_bias\":0,\"projection\":-2", IMPOSSIBLE("projection")},
    {"\"forget_bias\":0", "\"forget_bias\":0,\"projection\":\"2\"", IMPOSSIBLE("projection")},
    {"\"forget_bias\":0", "\"forget_bias\":0,\"zoneout_h\":1.5", IMPOSSIBLE("zoneout")},
    {"\"forget_bias\":0", "\"forget_bias\":0,\"zoneout_c\":0.5", "has no option zoneout-cell"},
    {"\"forget_bias\":0", "\"forget_bias\":0,\"cell_clip\":\"x\"", IMPOSSIBLE("cell_clip")},
};

static void try_configs(const char *version, const char *right, const struct forgery *all, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *config = replaced(right, all[i].from, all[i].to);
        make_model_of(version, config, VOCAB, "{}");
        refuse_model(UR_EFORMAT, all[i].why);
        ur__free(config);
    }
}

static void hostile__configurations(void **state)
{
    (void)state;
    try_configs("2", CONFIG, configs, COUNT(configs));
    try_configs("1", OLD_CONFIG, old_configs, COUNT(old_configs));
}

static const struct {
    const char *vocab, *why;
} vocabs[] = {
    {"", "the model's \"vocab\": json"}, {"[1,2,3,5]", "vocabulary: \"tokens\" is missing"},
    {"{}", "vocabulary: \"tokens\" is missing"}, {"{\"tokens\":7}", "\"tokens\" is missing"},
    {"{\"tokens\":\"sign\"}", "\"tokens\" is missing or impossible"},
    {"{\"tokens\":\"char\"}", "\"codes\" is missing or impossible"},
    {"{\"tokens\":\"char\",\"codes\":{}}", "\"codes\" is missing or impossible"},
    {"{\"tokens\":\"char\",\"words\":[\"a\"]}", "\"codes\" is missing or impossible"},
    {"{\"tokens\":\"char\",\"codes\":[]}", "a vocabulary has 1 to 65536 tokens, not 0"},
    {"{\"tokens\":\"char\",\"codes\":[1,2,2,3]}", "code 2 of token 2 follows 2: codes must ascend"},
    {"{\"tokens\":\"char\",\"codes\":[1,3,2,5]}", "code 2 of token 2 follows 3"},
    {"{\"tokens\":\"char\",\"codes\":[1,2,3,55296]}", "code 55296 of token 3 is not a char"},
    {"{\"tokens\":\"char\",\"codes\":[1,2,3,1114112]}", "code 1114112 of token 3 is not a char"},
    {"{\"tokens\":\"byte\",\"codes\":[1,2,3,256]}", "code 256 of token 3 is not a byte"},
    {"{\"tokens\":\"char\",\"codes\":[1,2,3,-1]}", "the code of token 3 is impossible"},
    {"{\"tokens\":\"char\",\"codes\":[1,2,3,4294967301]}", "the code of token 3 is impossible"},
    {"{\"tokens\":\"char\",\"codes\":[1,2,3,\"5\"]}", "the code of token 3 is impossible"},
    {"{\"tokens\":\"char\",\"codes\":[1,2,3,5.0]}", "the code of token 3 is impossible"},
    {"{\"tokens\":\"char\",\"codes\":[1,2,3]}", "but the configuration wants [9,3]"},
    {"{\"tokens\":\"word\",\"codes\":[1,2,3,5]}", "\"words\" is missing or impossible"},
    {"{\"tokens\":\"word\",\"words\":[\"<unk>\"]}", "2 to 65536 tokens, not 1"},
    {"{\"tokens\":\"word\",\"words\":[\"a\",\"b\"]}", "words begin with <unk> and </s>"},
    {"{\"tokens\":\"word\",\"words\":[\"<unk>\",\"</s>\",\"a\",\"a\"]}",
     "tokens 2 and 3 are both \"a\""},
    {"{\"tokens\":\"word\",\"words\":[\"<unk>\",\"</s>\",\"<unk>\"]}", "tokens 0 and 2 are both"},
    {"{\"tokens\":\"word\",\"words\":[\"<unk>\",\"</s>\",\"\"]}", "token 2 is not a word"},
    {"{\"tokens\":\"word\",\"words\":[\"<unk>\",\"</s>\",\"a b\"]}",
     "the text of token 2 is not a word"},
    {"{\"tokens\":\"word\",\"words\":[\"<unk>\",\"</s>\",\"\\u001b\"]}", "2 is not a word"},
    {"{\"tokens\":\"word\",\"words\":[\"<unk>\",\"</s>\",\"\\u009b\"]}", "2 is not a word"},
    {"{\"tokens\":\"word\",\"words\":[\"<unk>\",\"</s>\",\"\\u0000\"]}", "\"vocab\": json"},
    {"{\"tokens\":\"word\",\"words\":[\"<unk>\",\"</s>\",7]}", "token 2 is not a text"},
    {"{\"tokens\":\"word\",\"words\":[\"<unk>\",\"</s>\",\"a\"]}", "wants [9,3]"},
};

static void hostile__vocabularies(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vocabs); i++) {
        make_model(NULL, vocabs[i].vocab, NULL);
        refuse_model(UR_EFORMAT, vocabs[i].why);
    }
    char vocab[600], word[258];
    memset(word, 'w', 257);
    word[257] = '\0';
    snprintf(vocab, sizeof vocab, "{\"tokens\":\"word\",\"words\":[\"<unk>\",\"</s>\",\"%s\"]}",
        word);
    make_model(NULL, vocab, NULL);
    refuse_model(UR_EFORMAT, "the text of token 2 is not a word");
}

static void hostile__summaries_and_versions(void **state)
{
    (void)state;
    static const struct { const char *training, *why; } summaries[] = {
        {"", "the model's \"training\": json"}, {"[]", "a training summary must be a JSON object"},
        {"{\"a\":1,\"a\":2}", "a duplicate key in this object"}, {"{\"a\":\"\\u0000\"}",
         "\"training\": json"},
        {"3", "a training summary must be a JSON object"},
    };
    for (size_t i = 0; i < COUNT(summaries); i++) {
        make_model(NULL, NULL, summaries[i].training);
        refuse_model(UR_EFORMAT, summaries[i].why);
    }
    static const struct { const char *from, *to; ur_status status; const char *why; } heads[] = {
        {"\"unroll\"", "\"onnx\\u001b\"", UR_EFORMAT, "its format is \"onnx\xef\xbf\xbd\""},
        {"\"format\":", "\"x\":", UR_EFORMAT, "names no format"},
        {"\"2\"", "\"3\"", UR_EVERSION, "format version is 3"},
        {"\"2\"", "\"0\"", UR_EFORMAT, "missing or impossible"},
        {"\"task\":\"lm\"", "\"task\":\"\"", UR_EFORMAT, "\"task\" is impossible"},
        {"\"task\":\"lm\"", "\"task\":\"l\\u001b\"", UR_EFORMAT, "\"task\" is impossible"},
        {"\"task\":\"lm\"",
         "\"task\":\"lmlmlmlmlmlmlmlmlmlmlmlmlmlmlmlmlmlmlmlmlmlmlmlmlmlmlmlmlmlmlmlml\"",
         UR_EFORMAT, "\"task\" is impossible"},
        {"\"2\"", "\"9223372036854775807\"", UR_EVERSION, "format version is 9223372036854775807"},
        {"\"2\"", "\"9223372036854775808\"", UR_EFORMAT, "missing or impossible"},
        {"\"2\"", "\"-1\"", UR_EFORMAT, "missing or impossible"},
        {"\"2\"", "\"1 \"", UR_EFORMAT, "missing or impossible"},
        {"\"config\"", "\"confit\"", UR_EFORMAT, "metadata has no \"config\""},
        {"\"vocab\"", "\"words\"", UR_EFORMAT, "metadata has no \"vocab\""},
        {"decoder.bias", "decoder.bids", UR_EFORMAT, "tensor decoder.bias is missing"},
        {"\"F32\",\"shape\":[9,3]", "\"I32\",\"shape\":[9,3]", UR_EFORMAT, "holds I32, not real"},
        {"[9,4]", "[4,9]", UR_EFORMAT, "rnn.weight_ih_l0 is [4,9], but"},
        {"[9,4]", "[36]", UR_EFORMAT, "rnn.weight_ih_l0 is [36], but"},
        {"[9,4]", "[9,4,1]", UR_EFORMAT, "rnn.weight_ih_l0 is [9,4,1], but"},
        {"[372,388]}",
         "[372,388]},\"more\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[388,388]}",
         UR_EFORMAT, "the network has no parameter more"},
    };
    for (size_t i = 0; i < COUNT(heads); i++) {
        make_model(NULL, NULL, NULL);
        size_t header = heap_header(hostile_bytes.data, hostile_bytes.size);
        char *own = ur__strndup(hostile_bytes.data + 8, header);
        char *text = replaced(own, heads[i].from, heads[i].to);
        make_file(text, strlen(text), DATA);
        refuse_model(heads[i].status, heads[i].why);
        ur__free(own);
        ur__free(text);
    }
}

/* A network of more than one vocabulary, which may be missing, or not what its role wants. */
#define LABELS "{\"tokens\":\"word\",\"words\":[\"<unk>\",\"</s>\",\"a\",\"b\"]}"
#define CLASSIFY                                                                            \
    "{\"arch\":\"classify\",\"cell\":\"gru\",\"hidden\":[3],\"dropout\":0,\"bidirectional\":" \
    "\"no\",\"features\":0,\"embed\":2,\"letters\":0,\"pool\":\"last\"}"
static const struct {
    const char *from, *to, *vocab, *label, *letter, *why;
} labelled[] = {
    {"", "", LABELS, LABELS, NULL, "tensor embed.weight is missing"},
    {"", "", LABELS, NULL, NULL, "metadata has no \"vocab.label\""},
    {"", "", LABELS, VOCAB, NULL, "the labels are no vocabulary of words"},
    {"", "", LABELS, "{\"tokens\":\"word\",\"words\":[\"<unk>\",\"</s>\"]}", NULL,
     "the labels are no vocabulary of words"},
    {"\"letters\":0", "\"letters\":4", LABELS, LABELS, NULL, "has no \"vocab.letter\""},
    {"\"letters\":0", "\"letters\":4", LABELS, LABELS, VOCAB, "and a line feed"},
    {"\"letters\":0", "\"letters\":4", LABELS, LABELS, LABELS, "must be the characters"},
    {"\"letters\":0", "\"letters\":4", VOCAB, LABELS,
     "{\"tokens\":\"char\",\"codes\":[10,97]}", "must be the characters of words"},
    {"\"letters\":0", "\"letters\":-1", LABELS, LABELS, NULL, IMPOSSIBLE("letters")},
    {"\"features\":0", "\"features\":-1", LABELS, LABELS, NULL, IMPOSSIBLE("features")},
    {"\"features\":0", "\"features\":2", LABELS, LABELS, NULL, "frames.mean"},
    {"\"embed\":2", "\"embed\":0", LABELS, LABELS, NULL, IMPOSSIBLE("embed")},
    {"\"last\"", "\"first\"", LABELS, LABELS, NULL, IMPOSSIBLE("pool")},
};

static void put_vocab(struct ur__buf *b, const char *key, const char *vocab)
{
    if (!vocab)
        return;
    assert_ok(ur__buf_printf(b, "\"%s\":", key));
    put_quoted(b, vocab);
    assert_ok(ur__buf_puts(b, ","));
}

static void hostile__labels(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(labelled); i++) {
        struct ur__buf more = {0};
        char *config = replaced(CLASSIFY, labelled[i].from, labelled[i].to);
        put_vocab(&more, "vocab.label", labelled[i].label);
        put_vocab(&more, "vocab.letter", labelled[i].letter);
        assert_ok(ur__buf_puts(&more, "\"task\":"));
        make_model(config, labelled[i].vocab, NULL);
        char *own = ur__strndup(hostile_bytes.data + 8, heap_header(hostile_bytes.data,
                                                                    hostile_bytes.size));
        char *text = replaced(own, "\"task\":", more.data);
        make_file(text, strlen(text), DATA);
        refuse_model(UR_EFORMAT, labelled[i].why);
        ur__free(own);
        ur__free(text);
        ur__free(config);
        ur__buf_free(&more);
    }
}

/* A network without a vocabulary, whose tensors' sizes are products of its options. */
#define FORECAST                                                                            \
    "{\"arch\":\"forecast\",\"cell\":\"gru\",\"hidden\":[3],\"dropout\":0,\"horizon\":2,"       \
    "\"context\":4,\"distribution\":\"quantile\",\"interval\":0.8,\"targets\":1,\"inputs\":0,"  \
    "\"gaps\":false,\"ahead\":0}"
static const struct {
    const char *from, *to, *why;
} forecasts[] = {
    {"", "", "series.mean"},
    {"\"horizon\":2", "\"horizon\":0", IMPOSSIBLE("horizon")},
    {"\"horizon\":2", "\"horizon\":2000000000", IMPOSSIBLE("horizon")},
    {"\"context\":4", "\"context\":-4", IMPOSSIBLE("context")},
    {"\"targets\":1", "\"targets\":0", IMPOSSIBLE("targets")},
    {"\"inputs\":0", "\"inputs\":-1", IMPOSSIBLE("inputs")},
    {"\"ahead\":0", "\"ahead\":1e9", IMPOSSIBLE("ahead")},
    {"\"interval\":0.8", "\"interval\":1", IMPOSSIBLE("interval")},
    {"\"interval\":0.8", "\"interval\":null", IMPOSSIBLE("interval")},
    {"\"quantile\"", "\"normal\"", IMPOSSIBLE("distribution")},
    {"\"gaps\":false", "\"gaps\":1", IMPOSSIBLE("gaps")},
    {"\"targets\":1", "\"targets\":65536", "series.mean"},
    {"\"horizon\":2,\"context\":4", "\"horizon\":4096,\"context\":65536", "series.mean"},
    {"\"context\":4", "\"recursive\":\"yes\",\"context\":4", IMPOSSIBLE("recursive")},
};

static void hostile__forecasts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(forecasts); i++) {
        char *config = replaced(FORECAST, forecasts[i].from, forecasts[i].to);
        make_model(config, NULL, NULL);
        refuse_model(UR_EFORMAT, forecasts[i].why);
        ur__free(config);
    }
}

static void hostile__values(void **state)
{
    (void)state;
    static const unsigned char nan[] = {0, 0, 0xc0, 0x7f}, inf[] = {0, 0, 0x80, 0xff};
    make_model(NULL, NULL, NULL);
    memcpy(hostile_bytes.data + hostile_bytes.size - 4, nan, 4);
    refuse_model(UR_ENUMERIC, "tensor \"decoder.bias\"[3] is nan");
    make_model(NULL, NULL, NULL);
    memcpy(hostile_bytes.data + hostile_bytes.size - DATA, inf, 4);
    refuse_model(UR_ENUMERIC, "tensor \"rnn.weight_ih_l0\"[0] is -inf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(hostile__containers, hostile_check),
        cmocka_unit_test_teardown(hostile__lengths, hostile_check),
        cmocka_unit_test_teardown(hostile__the_innocent_model_loads, hostile_check),
        cmocka_unit_test_teardown(hostile__configurations, hostile_check),
        cmocka_unit_test_teardown(hostile__vocabularies, hostile_check),
        cmocka_unit_test_teardown(hostile__summaries_and_versions, hostile_check),
        cmocka_unit_test_teardown(hostile__labels, hostile_check),
        cmocka_unit_test_teardown(hostile__forecasts, hostile_check),
        cmocka_unit_test_teardown(hostile__values, hostile_check),
    };
    return cmocka_run_group_tests_name("hostile", tests, hostile_set_up, hostile_tear_down);
}
