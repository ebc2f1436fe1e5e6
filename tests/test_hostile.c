/* SPDX-License-Identifier: MIT */
/* Files from strangers, each made to do harm in its own way: refused with the sentence
 * that says what is wrong, and without taking memory. */
#include "hostile.h"

#include "io/safetensors.h"
#include "unroll/exchange.h"
#include "unroll/model.h"

/* ---- the container ----------------------------------------------------- */

#define T8 "{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"
#define ONE(dtype, shape, offsets) \
    "{\"a\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static const struct {
    const char *header;
    size_t data;
    const char *why;
} containers[] = {
    /* no object */
    {"[]", 0, "does not begin with a brace"}, {"\"a\"", 0, "does not begin with a brace"},
    {" {}", 0, "does not begin with a brace"}, {"12", 0, "does not begin with a brace"},
    {"{\"a\":" T8, 8, "ends within a member"}, {"{\"a\":", 0, "does not end with a brace"},
    {"{}\n", 0, "does not end with a brace and spaces"}, {"{} x", 0, "does not end with a brace"},
    {"{}{}", 0, "other than spaces follow"}, {"{\"a\":" T8 "]}", 8, "other than spaces follow"},
    {"{\"a}", 0, "ends within a member"}, {"{\"a\\\"}", 0, "ends within a member"},
    {"{\"\\}", 0, "ends within a member"},
    {"{,}", 0, "comma without a member"}, {"{\"a\":" T8 ",}", 8, "comma without a member"},
    {"{\"a\":" T8 ",,\"b\":" T8 "}", 8, "comma without a member"},
    /* JSON that is none */
    {"{a:1}", 0, "from byte 0 on, is json"}, {"{\"a\"}", 0, "is json: line 1, column 5"},
    {"{\"a\":" T8 ",\"b\":nan}", 8, "from byte 53 on, is json"},
    {"{\"a\":\"\xff\"}", 0, "no valid UTF-8"},
    {"{\"\xed\xa0\x80\":" T8 "}", 8, "no valid UTF-8"},
    {"{\"a\":\"\\ud800\"}", 0, "is json"}, {"{\"a\":\"\\u0000\"}", 0, "is json"},
    {"{\"a\":\"\n\"}", 0, "is json"}, {"{\"a\":1e999}", 0, "a number beyond the largest"},
    {"{\"a\":99999999999999999999}", 0, "beyond the largest"},
    {"{\"a\":01}", 0, "is json"},
    {"{\"a\":[}]}", 0, "other than spaces follow"}, {"{\"a\":[1}}", 0, "is json"}, {"{\"a\":tru}",
     0, "is json"},
    {"{\"a\":{\"b\":{\"c\":{}}}}", 0, "nested too deeply"}, {"{\"a\":[[[]]]}", 0, "too deeply"},
    /* members that are no tensors */
    {"{\"a\":1}", 0, "tensor \"a\": it is no object"}, {"{\"a\":[]}", 0, "it is no object"},
    {"{\"a\":null}", 0, "it is no object"}, {"{\"a\":\"b\"}", 0, "it is no object"},
    {"{\"a\":{}}", 0, "it is no object of dtype, shape and data_offsets"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "it is no object of"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}}", 8, "no object of"},
    {"{\"a\":{\"x\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "it has no dtype"},
    {"{\"a\":{\"dtype\":\"F32\",\"x\":[2],\"data_offsets\":[0,8]}}", 8, "it has no shape"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"x\":[0,8]}}", 8, "it has no data_offsets"},
    {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8,
     "a duplicate key in this object"},
    /* types */
    {ONE("\"F31\"", "[2]", "[0,8]"), 8, "tensor \"a\": dtype \"F31\" is not known"},
    {ONE("\"\\u001b]0;x\"", "[2]", "[0,8]"), 8, "dtype \"?]0;x\" is not known"},
    {ONE("\"\"", "[2]", "[0,8]"), 8, "dtype \"\" is not known"},
    {ONE("\"F8_E4M3\"", "[8]", "[0,8]"), 8, "dtype \"F8_E4M3\" is not known"},
    {ONE("7", "[2]", "[0,8]"), 8, "it has no dtype"},
    /* shapes */
    {ONE("\"F32\"", "2", "[0,8]"), 8, "its shape is no list"},
    {ONE("\"F32\"", "{}", "[0,8]"), 8, "its shape is no list"},
    {ONE("\"F32\"", "[-2]", "[0,8]"), 8, "a dimension that is no size"},
    {ONE("\"F32\"", "[2.0]", "[0,8]"), 8, "a dimension that is no size"},
    {ONE("\"F32\"", "[\"2\"]", "[0,8]"), 8, "a dimension that is no size"},
    {ONE("\"F32\"", "[1,1,1,1,1,1,1,1,2]", "[0,8]"), 8, "more than 8 dimensions"},
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
    {"{\"\":" T8 "}", 8, "a name is empty"},
    {"{\"a\\u001b[2J\":" T8 "}", 8, "tensor \"a?[2J\": its name has control characters"},
    {"{\"a\\n\":" T8 "}", 8, "control characters"}, {"{\"\\u007f\":" T8 "}", 8,
     "control characters"},
    {"{\"\xc2\x9b" "31m\":" T8 "}", 8, "tensor \"??31m\": its name has control characters"},
    /* metadata */
    {"{\"__metadata__\":1}", 0, "its __metadata__ is not an object"},
    {"{\"__metadata__\":[]}", 0, "its __metadata__ is not an object"},
    {"{\"__metadata__\":{\"a\":1}}", 0, "__metadata__ \"a\" is not a string"},
    {"{\"__metadata__\":{\"a\\u001b\":null}}", 0, "__metadata__ \"a?\" is not a string"},
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
    char name[1200], header[1400];
    memset(name, 'n', 1025);
    name[1025] = '\0';
    snprintf(header, sizeof header, "{\"%s\":" T8 "}", name);
    make_file(header, strlen(header), 8);
    refuse_container(UR_EFORMAT, "its name is longer than 1024 bytes");
    make_file("{\"a\":\"\0\"}", 9, 0);
    refuse_container(UR_EFORMAT, "a zero byte at offset 6");
}

static void hostile__lengths(void **state)
{
    (void)state;
    static const struct { uint64_t length; const char *why; } lengths[] = {
        {0, "it has no header"}, {1, "it has no header"}, {3, "truncated in its header"},
        {16 << 20, "truncated in its header"}, {(16 << 20) + 1, "longer than 16 MiB"},
        {UINT64_MAX, "longer than 16 MiB"}, {UINT64_MAX - 7, "longer than 16 MiB"},
        {(uint64_t)1 << 63, "longer than 16 MiB"}, {(uint64_t)1 << 32, "longer than 16 MiB"},
    };
    for (size_t i = 0; i < COUNT(lengths); i++) {
        make_file("{}", 2, 0);
        for (int k = 0; k < 8; k++)
            hostile_bytes.data[k] = (char)(lengths[i].length >> 8 * k & 0xff);
        refuse_container(UR_EFORMAT, lengths[i].why);
    }
    for (size_t n = 0; n < 8; n++) {
        memory_file(HOSTILE, "\2\0\0\0\0\0\0", n);
        refuse_container(UR_EFORMAT, "shorter than 8 bytes");
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
}

/* What becomes of the configuration, and what is said of it. */
static const struct {
    const char *from, *to, *why;
} configs[] = {
    {CONFIG, "", "the model's \"config\": json"}, {CONFIG, "[]", "configuration: no JSON object"},
    {CONFIG, "null", "no JSON object"}, {CONFIG, "{}", "\"task\" is missing"},
    {CONFIG, "{", "\"config\": json"}, {CONFIG, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]",
     "deeper than 32"},
    {"{\"task\"", "{\"a\\u001b[m\":1,\"task\"", "configuration: \"a?[m\" is unknown"},
    {"{\"task\"", "{\"task\":\"lm\",\"task\"", "a duplicate key in this object"},
    {"\"lm\"", "\"chess\"", "\"task\" is missing or impossible"}, {"\"lm\"", "7", "\"task\""},
    {"\"char\"", "\"byte\"",
     "the configuration wants tokens of kind byte, the vocabulary has char"},
    {"\"char\"", "\"sign\"", "\"tokens\" is missing or impossible"},
    {"\"gru\"", "\"GRU\"", "\"cell\" is missing"}, {"\"gru\"", "[]", "\"cell\" is missing"},
    {"\"gru\"", "\"lstm\"", "but the configuration wants [12,4]"},
    {"\"tanh\"", "\"relu\"", "has no choice of activation"}, {"\"tanh\"", "0", "\"activation\""},
    {"\"after\"", "\"during\"", "\"reset\" is missing"}, {"\"after\"", "true",
     "\"reset\" is missing"},
    {"\"after\"", "\"before\"", "tensor urnn.weight_ih_l0 is missing"},
    {"[3]", "[]", "a network has 1 to 32 layers, not 0"}, {"[3]", "3", "\"hidden\" is missing"},
    {"[3]", "[0]", "\"hidden\""}, {"[3]", "[-3]", "\"hidden\""}, {"[3]", "[3.5]", "\"hidden\""},
    {"[3]", "[2147483648]", "\"hidden\""}, {"[3]", "[65537]", "layer 0 has 65537 units"},
    {"[3]", "[65536]", "rnn.weight_hh_l0: dimension 1 of 65536 is impossible"},
    {"[3]", "[65536,65536,65536,65536,65536,65536,65536,65536]", "have too many weights"},
    {"[3]", "[26000,26000,26000,26000,26000,26000,26000,26000]", "the configuration wants"},
    {"[3]", "[3,3]", "tensor rnn.weight_ih_l1 is missing"},
    {"[3]", "[3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3,3]", "\"hidden\""},
    {"\"embed\":0", "\"embed\":-1", "embeddings of size -1"},
    {"\"embed\":0", "\"embed\":65537", "embeddings of size 65537"},
    {"\"embed\":0", "\"embed\":65536", "tensor embed.weight is missing"},
    {"\"embed\":0", "\"embed\":4294967296", "\"embed\" is missing or impossible"},
    {"\"embed\":0", "\"embed\":0.0", "\"embed\" is missing or impossible"},
    {"\"tie\":false", "\"tie\":true", "tied weights need embeddings"},
    {"\"tie\":false", "\"tie\":0", "\"tie\" is missing or impossible"},
    {"\"dropout\":0", "\"dropout\":1", "dropout is a probability in [0,1), not 1"},
    {"\"dropout\":0", "\"dropout\":-1e308", "dropout is a probability"},
    {"\"dropout\":0", "\"dropout\":1e400", "a number beyond the largest"},
    {"\"dropout\":0", "\"dropout\":null", "\"dropout\" is missing or impossible"},
    {"\"orthogonal\":false", "\"orthogonal\":\"no\"", "\"orthogonal\" is missing"},
    {"\"forget_bias\":0", "\"forget_bias\":1", "a forget bias needs cell lstm"},
    {"\"forget_bias\":0", "\"forget_bias\":0,\"projection\":2", "need cell lstm, not gru"},
    {"\"forget_bias\":0", "\"forget_bias\":0,\"peepholes\":1", "\"peepholes\" is missing"},
    {"\"forget_bias\":0", "\"forget_bias\":0,\"zoneout_h\":1.5", "zoneout is a probability"},
    {"\"forget_bias\":0", "\"forget_bias\":0,\"cell_clip\":\"x\"", "\"cell_clip\" is missing"},
    {"\"forget_bias\":0", "\"forget_bias\":0,\"variational\":true", "needs a dropout above 0"},
    {"\"forget_bias\":0", "\"forget_bias\":0,\"time_residual\":true", "a form of cell rnn"},
    {"\"forget_bias\":0", "\"forget_bias\":0,\"learned_state\":true", "is missing"},
};

static void hostile__configurations(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(configs); i++) {
        char *config = replaced(CONFIG, configs[i].from, configs[i].to);
        make_model(config, NULL, NULL);
        refuse_model(UR_EFORMAT, configs[i].why);
        ur__free(config);
    }
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
    {"{\"tokens\":\"char\",\"codes\":[1,2,3,55296]}", "code 55296 of token 3 is no char"},
    {"{\"tokens\":\"char\",\"codes\":[1,2,3,1114112]}", "code 1114112 of token 3 is no char"},
    {"{\"tokens\":\"byte\",\"codes\":[1,2,3,256]}", "code 256 of token 3 is no byte"},
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
    {"{\"tokens\":\"word\",\"words\":[\"<unk>\",\"</s>\",\"\"]}", "the text of token 2 is no word"},
    {"{\"tokens\":\"word\",\"words\":[\"<unk>\",\"</s>\",\"a b\"]}",
     "the text of token 2 is no word"},
    {"{\"tokens\":\"word\",\"words\":[\"<unk>\",\"</s>\",\"\\u001b\"]}", "of token 2 is no word"},
    {"{\"tokens\":\"word\",\"words\":[\"<unk>\",\"</s>\",\"\\u009b\"]}", "of token 2 is no word"},
    {"{\"tokens\":\"word\",\"words\":[\"<unk>\",\"</s>\",\"\\u0000\"]}", "\"vocab\": json"},
    {"{\"tokens\":\"word\",\"words\":[\"<unk>\",\"</s>\",7]}", "token 2 is no text"},
    {"{\"tokens\":\"word\",\"words\":[\"<unk>\",\"</s>\",\"a\",\"b\"]}", "the vocabulary has word"},
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
    refuse_model(UR_EFORMAT, "the text of token 2 is no word");
}

static void hostile__summaries_and_versions(void **state)
{
    (void)state;
    static const struct { const char *training, *why; } summaries[] = {
        {"", "the model's \"training\": json"}, {"[]", "a training summary is a JSON object"},
        {"{\"a\":1,\"a\":2}", "a duplicate key in this object"}, {"{\"a\":\"\\u0000\"}",
         "\"training\": json"},
        {"3", "a training summary is a JSON object"},
    };
    for (size_t i = 0; i < COUNT(summaries); i++) {
        make_model(NULL, NULL, summaries[i].training);
        refuse_model(UR_EFORMAT, summaries[i].why);
    }
    static const struct { const char *from, *to; ur_status status; const char *why; } heads[] = {
        {"\"unroll\"", "\"onnx\\u001b\"", UR_EFORMAT, "its format is \"onnx?\""},
        {"\"format\":", "\"x\":", UR_EFORMAT, "names no format"},
        {"\"1\"", "\"2\"", UR_EVERSION, "format version is 2"},
        {"\"1\"", "\"9223372036854775807\"", UR_EVERSION, "format version is 9223372036854775807"},
        {"\"1\"", "\"9223372036854775808\"", UR_EFORMAT, "missing or impossible"},
        {"\"1\"", "\"-1\"", UR_EFORMAT, "missing or impossible"},
        {"\"1\"", "\"1 \"", UR_EFORMAT, "missing or impossible"},
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

static void hostile__values(void **state)
{
    (void)state;
    static const unsigned char nan[] = {0, 0, 0xc0, 0x7f}, inf[] = {0, 0, 0x80, 0xff};
    make_model(NULL, NULL, NULL);
    memcpy(hostile_bytes.data + hostile_bytes.size - 4, nan, 4);
    refuse_model(UR_ENUMERIC, "tensor \"decoder.bias\" holds NaN at element 3");
    make_model(NULL, NULL, NULL);
    memcpy(hostile_bytes.data + hostile_bytes.size - DATA, inf, 4);
    refuse_model(UR_ENUMERIC, "tensor \"rnn.weight_ih_l0\" holds Inf at element 0");
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
        cmocka_unit_test_teardown(hostile__values, hostile_check),
    };
    return cmocka_run_group_tests_name("hostile", tests, hostile_set_up, hostile_tear_down);
}
