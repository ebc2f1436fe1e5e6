/* SPDX-License-Identifier: MIT */
/* Whole models that people use, run from their weights: embeddings, nets and linear layers
 * together give what their makers got, and greedy decoding the same text. */
#include "interop.h"
#include "told.h"

#include "base/text.h"

/* ---- whole models ------------------------------------------------------ */

/* Embedding (if V > 0), net, linear layer; B = 1. */
struct net {
    ur_params *params;
    ur_embedding embed;
    ur_rnn *rnn;
    ur_linear_layer out;
    ur_state *state;
    ur_tape *tape;
};

static void net_new(struct net *n, const char *embed, int V, const char *rnn,
                    const ur_rnn_options *o, const char *out, int O)
{
    int D = o->bidirectional ? 2 : 1;
    if (!n->params)
        assert_ok(ur_params_new(&n->params));
    if (V > 0)
        assert_ok(ur_embedding_init(&n->embed, n->params, embed, V, o->input));
    assert_ok(ur_rnn_new(&n->rnn, n->params, rnn, o));
    if (O > 0)
        assert_ok(ur_linear_init(&n->out, n->params, out, D * o->hidden[o->layers - 1], O, true));
}

static void net_ready(struct net *n)
{
    assert_ok(ur_rnn_prepare(n->rnn));
    assert_ok(ur_state_new(&n->state, n->rnn, 1, NULL));
    assert_ok(ur_tape_new(&n->tape, NULL));
    ur_tape_set_recording(n->tape, false);
}

static void net_free(struct net *n)
{
    ur_tape_free(n->tape);
    ur_state_free(n->state);
    ur_rnn_free(n->rnn);
}

/* T tokens on a tape reset, the state goes on: what the net or its linear layer gives. */
static ur_tensor *net_run(struct net *n, int T, const int32_t *ids)
{
    ur_state_detach(n->state);
    ur_tape_reset(n->tape);
    ur_tensor *h = ur_rnn_forward(n->tape, n->rnn,
                                  ur_embed(n->tape, &n->embed, (ur_ids){ids, T, 1}), NULL,
                                  n->state);
    ur_tensor *y = n->out.weight ? ur_linear(n->tape, &n->out, h) : h;
    assert_ok(ur_tape_status(n->tape));
    return y;
}

static int likeliest(size_t n, const ur_real *x)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        best = x[i] > x[best] ? i : best;
    return (int)best;
}

/* One pair for each net, and what its shapes tell. */
static void models__shapes_tell_the_nets(void **state)
{
    (void)state;
    static const struct {
        const char *folder;
        ur_rename pair;
        ur_rnn_options want;
    } nets[] = {
        {"models/charrnn_shakespeare", {"*", "*"},
         {.cell = UR_CELL_LSTM, .input = 128, .layers = 2, .hidden = {128, 128}, .biases = 2}},
        {"models/wordseg_thai5", {"rnn.*", "lstm.*"},
         {.cell = UR_CELL_LSTM, .input = 20, .layers = 1, .hidden = {15}, .biases = 2,
          .bidirectional = true}},
        {"models/g2p_en", {"rnn.*", "encoder.gru.*"},
         {.cell = UR_CELL_GRU, .input = 256, .layers = 1, .hidden = {256}, .biases = 2}},
        {"models/silero_vad_16k_safetensors", {"rnn.*_l0", "lstm_cell.*"},
         {.cell = UR_CELL_LSTM, .input = 128, .layers = 1, .hidden = {128}, .biases = 2}},
        {"models/rtneural_lstm", {"rnn.*", "lstm2.*"},
         {.cell = UR_CELL_LSTM, .input = 8, .layers = 3, .hidden = {8, 8, 8}, .biases = 2}},
    };
    for (size_t i = 0; i < COUNT(nets); i++) {
        ur_weights *w = open_weights(nets[i].folder, "model.safetensors");
        ur_rnn_options o;
        ur_rnn_options_init(&o);
        ur_params *params;
        ur_rnn *rnn;
        assert_ok(ur_weights_rnn_options(w, "rnn", 1, &nets[i].pair, &o));
        expect_told(&o, &nets[i].want, nets[i].folder);
        assert_ok(ur_params_new(&params));
        assert_ok(ur_rnn_new(&rnn, params, "rnn", &o));
        assert_ok(ur_params_load(params, place(nets[i].folder, "model.safetensors"), 1,
                                 &nets[i].pair, false));
        ur_rnn_free(rnn);
        ur_params_free(params);
        ur_weights_close(w);
    }
}

/* Two modules, of one layer and of three, make one net of four. */
static void rtneural__four_lstm_layers(void **state)
{
    (void)state;
    static const char folder[] = "models/rtneural_lstm";
    const ur_rename map[] = {
        {"rnn.*_l0", "lstm.*_l0"}, {"rnn.*_l1", "lstm2.*_l0"},
        {"rnn.*_l2", "lstm2.*_l1"}, {"rnn.*_l3", "lstm2.*_l2"},
    };
    ur_weights *model = open_weights(folder, "model.safetensors");
    ur_weights *io = open_weights(folder, "io.safetensors");
    int T = dim_of(io, "x", 0), dim[3] = {T, 1, 1};
    double worst = 0;
    struct net n = {0};
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    const ur_rnn_options want = {.cell = UR_CELL_LSTM, .input = 1, .layers = 4,
                                 .hidden = {8, 8, 8, 8},
                                 .biases = 2};
    assert_ok(ur_weights_rnn_options(model, "rnn", 4, map, &o));
    expect_told(&o, &want, folder);
    net_new(&n, NULL, 0, "rnn", &o, "dense", 1);
    assert_ok(ur_params_load(n.params, place(folder, "model.safetensors"), 4, map, true));
    net_ready(&n);
    ur_real *x = reals(io, "x");
    ur_tensor *h = ur_rnn_forward(n.tape, n.rnn, ur_constant(n.tape, 3, dim, x), NULL, n.state);
    ur_tensor *y = ur_linear(n.tape, &n.out, h);
    assert_ok(ur_tape_status(n.tape));
    compare(io, "y", (size_t)T, ur_data(y), &worst);
    expect_steps(n.rnn, T, 1, x, ur_data(h));
    expect_same_file(folder, n.params, 4, map);
    print_message("%s: %d samples, largest error %.2g\n", folder, T, worst);
    ur__free(x);
    net_free(&n);
    ur_params_free(n.params);
    ur_weights_close(io);
    ur_weights_close(model);
}

/* The number of each code point; what is not in the vocabulary has the number `unknown`. */
static size_t encode(const struct ur__json *vocab, int64_t unknown, const char *text,
                     size_t room, int32_t *ids)
{
    size_t n = 0;
    int length;
    for (; *text; text += length) {
        char key[5] = {0};
        uint32_t code;
        int64_t id;
        length = ur__utf8_decode((const unsigned char *)text, strlen(text), &code);
        assert_true(length > 0 && n < room);
        memcpy(key, text, (size_t)length);
        ids[n++] = (int32_t)(ur__json_get_int(vocab, key, &id) ? id : unknown);
    }
    return n;
}

static void wordseg__both_directions_cut_thai_into_words(void **state)
{
    (void)state;
    enum { MAX = 64, TAGS = 4 };
    static const char folder[] = "models/wordseg_thai5";
    const int hidden = 15;
    int32_t ids[MAX], coded[MAX];
    int64_t unknown = 0;
    const char *text, *want, *letters;
    char tags[MAX] = {0};
    double worst = 0;
    struct net n = {0};
    ur_weights *io = open_weights(folder, "io.safetensors");
    struct ur__json *j = open_json(folder, "expected.json");
    assert_true(ur__json_get_string(j, "text", &text) && ur__json_get_string(j, "tags", &letters) &&
                ur__json_get_string(j, "expected_tags", &want) &&
                ur__json_get_int(j, "unknown", &unknown));
    int T = dim_of(io, "ids", 1);
    assert_true(T < MAX);
    assert_ok(ur_weights_read_ids(io, "ids", (size_t)T, ids));
    assert_int_equal(encode(ur__json_get(j, "vocab"), unknown, text, MAX, coded), T);
    assert_memory_equal(ids, coded, (size_t)T * sizeof *ids);
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    o.input = 20;
    o.hidden[0] = hidden;
    o.bidirectional = true;
    net_new(&n, "embedding", 74, "lstm", &o, "fc", TAGS);
    assert_ok(ur_params_load(n.params, place(folder, "model.safetensors"), 0, NULL, true));
    net_ready(&n);
    ur_tensor *p = ur_softmax(net_run(&n, T, ids));
    assert_ok(ur_tape_status(n.tape));
    compare(io, "probs", (size_t)T * TAGS, ur_data(p), &worst);
    for (int t = 0; t < T; t++)
        tags[t] = letters[likeliest(TAGS, ur_data(p) + (ptrdiff_t)t * TAGS)];
    assert_string_equal(tags, want);
    expect_same_file(folder, n.params, 0, NULL);
    print_message("%s: %d tags as expected, largest error %.2g\n", folder, T, worst);
    net_free(&n);
    ur_params_free(n.params);
    ur_weights_close(io);
    ur__json_free(j);
}

/* The token of a number. */
static const char *spell_id;
static int64_t spell_wanted;

static ur_status spell(void *user, const char *key, const struct ur__json *value)
{
    int64_t id;
    (void)user;
    if (ur__json_int(value, &id) && id == spell_wanted)
        spell_id = key;
    return UR_OK;
}

static void charrnn__writes_its_200_characters(void **state)
{
    (void)state;
    enum { PROMPT = 16, WRITTEN = 200 };
    static const char folder[] = "models/charrnn_shakespeare";
    const int hidden[2] = {128, 128};
    int32_t ids[PROMPT], coded[PROMPT];
    const char *prompt, *want;
    struct ur__buf text = {0};
    double worst = 0;
    struct net n = {0};
    ur_weights *io = open_weights(folder, "io.safetensors");
    struct ur__json *j = open_json(folder, "expected.json");
    struct ur__json *vocab = open_json(folder, "vocab.json");
    int V = (int)ur__json_size(vocab);
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    o.input = 128;
    o.layers = 2;
    memcpy(o.hidden, hidden, sizeof hidden);
    net_new(&n, "embedding", V, "rnn", &o, "decoder", V);
    assert_ok(ur_params_load(n.params, place(folder, "model.safetensors"), 0, NULL, true));
    net_ready(&n);
    assert_ok(ur_weights_read_ids(io, "ids", PROMPT, ids));
    assert_true(ur__json_get_string(j, "prompt", &prompt));
    assert_int_equal(encode(vocab, -1, prompt, PROMPT, coded), PROMPT);
    assert_memory_equal(ids, coded, sizeof ids);
    ur_tensor *y = net_run(&n, PROMPT, ids);
    compare(io, "logits", (size_t)PROMPT * (size_t)V, ur_data(y), &worst);
    compare_states(io, "h_n", n.rnn, n.state, 1, &worst);
    compare_states(io, "c_n", n.rnn, n.state, 1, &worst);
    const ur_real *last = ur_data(y) + (ptrdiff_t)(PROMPT - 1) * V;
    for (int i = 0; i < WRITTEN; i++) {
        int32_t id = likeliest((size_t)V, last);
        spell_wanted = id;
        assert_ok(ur__json_each(vocab, spell, NULL));
        assert_ok(ur__buf_puts(&text, spell_id));
        last = ur_data(net_run(&n, 1, &id));
    }
    assert_true(ur__json_get_string(j, "greedy_200", &want));
    assert_string_equal(text.data, want);
    print_message("%s: %d characters as expected, largest error %.2g\n", folder, WRITTEN, worst);
    ur__buf_free(&text);
    net_free(&n);
    ur_params_free(n.params);
    ur_weights_close(io);
    ur__json_free(j);
    ur__json_free(vocab);
}

/* ---- graphemes to phonemes --------------------------------------------- */

struct g2p {
    struct net encoder, decoder;
    const struct ur__json *graphemes, *phonemes;
};

static int32_t find_grapheme(const struct g2p *g, const char *grapheme)
{
    const char *text;
    for (size_t i = 0; i < ur__json_size(g->graphemes); i++)
        if (ur__json_string(ur__json_at(g->graphemes, i), &text) && strcmp(text, grapheme) == 0)
            return (int32_t)i;
    fail_msg("%s is no grapheme", grapheme);
    return -1;
}

/* Its letters and the end; the decoder starts from the state after them. */
static void encode_word(struct g2p *g, const char *word)
{
    int32_t ids[64];
    int T = 0;
    for (; word[T]; T++) {
        const char letter[2] = {word[T], '\0'};
        assert_true(T < 63);
        ids[T] = find_grapheme(g, letter);
    }
    ids[T++] = find_grapheme(g, "</s>");
    ur_state_zero(g->encoder.state);
    net_run(&g->encoder, T, ids);
    ur_state_detach(g->decoder.state);
    ur_state_zero(g->decoder.state);
    memcpy(ur_state_buffer(g->decoder.state, 0, "h", NULL),
           ur_state_buffer(g->encoder.state, 0, "h", NULL),
           256 * sizeof(ur_real));
}

/* "K W IH1 ...": greedily, until </s> or 20 phonemes. */
static void decode_word(struct g2p *g, struct ur__buf *to)
{
    enum { START = 2, END = 3, STEPS = 20 };
    int32_t id = START;
    const char *text;
    to->size = 0;
    for (int i = 0; i < STEPS; i++) {
        id = likeliest((size_t)g->decoder.out.O, ur_data(net_run(&g->decoder, 1, &id)));
        if (id == END)
            break;
        assert_true(ur__json_string(ur__json_at(g->phonemes, (size_t)id), &text));
        assert_ok(ur__buf_printf(to, "%s%s", i ? " " : "", text));
    }
}

static void compare_words(struct g2p *g, ur_weights *io, double *worst)
{
    static const char *const words[] = {"quirion", "mccusker", "crilly", "longwell"};
    const int32_t start = 2;
    char name[64];
    for (size_t i = 0; i < COUNT(words); i++) {
        encode_word(g, words[i]);
        snprintf(name, sizeof name, "%s.encoder_h", words[i]);
        compare(io, name, 256, ur_state_buffer(g->encoder.state, 0, "h", NULL), worst);
        snprintf(name, sizeof name, "%s.first_logits", words[i]);
        compare(io, name, 74, ur_data(net_run(&g->decoder, 1, &start)), worst);
    }
}

static int count_words(struct g2p *g, char *list)
{
    struct ur__buf got = {0};
    int n = 0;
    for (char *line = list, *end; *line; line = end + 1, n++) {
        char *tab = strchr(line, '\t');
        end = strchr(line, '\n');
        assert_true(tab && end && tab < end);
        *tab = *end = '\0';
        encode_word(g, line);
        decode_word(g, &got);
        assert_string_equal(got.data, tab + 1);
    }
    ur__buf_free(&got);
    return n;
}

static void g2p__pronounces_its_words(void **state)
{
    (void)state;
    static const char folder[] = "models/g2p_en";
    const int hidden = 256;
    double worst = 0;
    char *list;
    size_t size;
    struct ur__json *vocab = open_json(folder, "vocab.json");
    struct g2p g = {.graphemes = ur__json_get(vocab, "graphemes"),
                    .phonemes = ur__json_get(vocab, "phonemes")};
    ur_weights *io = open_weights(folder, "io.safetensors");
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    o.cell = UR_CELL_GRU;
    o.input = 256;
    o.hidden[0] = hidden;
    net_new(&g.encoder, "encoder.embedding", 29, "encoder.gru", &o, NULL, 0);
    g.decoder.params = g.encoder.params;
    net_new(&g.decoder, "decoder.embedding", 74, "decoder.gru", &o, "fc", 74);
    assert_ok(ur_params_load(g.encoder.params, place(folder, "model.safetensors"), 0, NULL, true));
    net_ready(&g.encoder);
    net_ready(&g.decoder);
    compare_words(&g, io, &worst);
    assert_ok(ur__file_slurp(place(folder, "expected.tsv"), 1 << 20, &list, &size));
    int n = count_words(&g, list);
    expect_same_file(folder, g.encoder.params, 0, NULL);
    print_message("%s: %d words as expected, largest error %.2g\n", folder, n, worst);
    ur__free(list);
    net_free(&g.encoder);
    net_free(&g.decoder);
    ur_params_free(g.encoder.params);
    ur_weights_close(io);
    ur__json_free(vocab);
}

/* ---- voice activity ---------------------------------------------------- */

/* y [O,T'] = the convolution of x [I,T] with the tensor NAME.weight [O,I,K] and NAME.bias, if
 * there is one; zeros around x. Returns T'. Its ReLU, if wanted. */
static int convolve(ur_weights *w, const char *name, int T, int pad, int stride, bool relu,
                    const ur_real *x, ur_real *y)
{
    char text[64];
    snprintf(text, sizeof text, "%s.weight", name);
    int O = dim_of(w, text, 0), I = dim_of(w, text, 1), K = dim_of(w, text, 2);
    int N = (T + 2 * pad - K) / stride + 1;
    ur_real *weight = reals(w, text), *bias = NULL;
    snprintf(text, sizeof text, "%s.bias", name);
    if (ur_weights_find(w, text))
        bias = reals(w, text);
    for (int o = 0; o < O; o++)
        for (int n = 0; n < N; n++) {
            double sum = bias ? (double)bias[o] : 0;
            for (int i = 0; i < I; i++)
                for (int k = 0; k < K; k++) {
                    int t = n * stride - pad + k;
                    if (t >= 0 && t < T)
                        sum += (double)weight[(o * I + i) * K + k] * (double)x[i * T + t];
                }
            y[o * N + n] = (ur_real)(relu && sum < 0 ? 0 : sum);
        }
    ur__free(weight);
    ur__free(bias);
    return N;
}

/* 576 samples -> the 128 numbers that the LSTM cell reads. */
static void silero_front(ur_weights *w, const ur_real *samples, ur_real *to)
{
    enum { SAMPLES = 576, PAD = 64, BINS = 129, FRAMES = 4 };
    ur_real x[SAMPLES + PAD], a[2 * BINS * FRAMES], b[2 * BINS * FRAMES];
    memcpy(x, samples, SAMPLES * sizeof *x);
    for (int i = 0; i < PAD; i++)       /* reflected */
        x[SAMPLES + i] = x[SAMPLES - 2 - i];
    int T = convolve(w, "stft_conv", SAMPLES + PAD, 0, 128, false, x, a);
    assert_int_equal(T, FRAMES);
    for (int i = 0; i < BINS * T; i++)
        b[i] = (ur_real)sqrt((double)a[i] * (double)a[i] +
                             (double)a[BINS * T + i] * (double)a[BINS * T + i]);
    T = convolve(w, "conv1", T, 1, 1, true, b, a);
    T = convolve(w, "conv2", T, 1, 2, true, a, b);
    T = convolve(w, "conv3", T, 1, 2, true, b, a);
    T = convolve(w, "conv4", T, 1, 1, true, a, to);
    assert_int_equal(T, 1);
}

/* An nn.LSTMCell, whose names have no layer, among layers that are not ours. */
static void silero__hears_speech(void **state)
{
    (void)state;
    enum { SIZE = 128 };
    static const char folder[] = "models/silero_vad_16k_safetensors";
    const int hidden = SIZE;
    const ur_rename cell = {"rnn.*_l0", "lstm_cell.*"};
    double worst = 0;
    ur_real x[SIZE], h[SIZE], prob[64];
    struct net n = {0};
    ur_weights *w = open_weights(folder, "model.safetensors");
    ur_weights *io = open_weights(folder, "io.safetensors");
    int chunks = dim_of(io, "input", 0);
    assert_true(chunks <= 64 && dim_of(io, "input", 1) == 576);
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    o.input = SIZE;
    o.hidden[0] = hidden;
    net_new(&n, NULL, 0, "rnn", &o, NULL, 0);
    assert_status(UR_EDATA, ur_params_load(n.params, place(folder, "model.safetensors"), 1, &cell,
                                           true));
    assert_ok(ur_params_load(n.params, place(folder, "model.safetensors"), 1, &cell, false));
    net_ready(&n);
    ur_real *input = reals(io, "input");
    for (int i = 0; i < chunks; i++) {
        silero_front(w, input + (ptrdiff_t)i * 576, x);
        assert_ok(ur_rnn_step(n.rnn, n.state, x, h));
        for (int j = 0; j < SIZE; j++)
            h[j] = h[j] > 0 ? h[j] : 0;
        convolve(w, "final_conv", 1, 0, 1, false, h, &prob[i]);
        prob[i] = (ur_real)(1 / (1 + exp(-(double)prob[i])));
    }
    compare(io, "prob", (size_t)chunks, prob, &worst);
    compare(io, "h_final", SIZE, ur_state_buffer(n.state, 0, "h", NULL), &worst);
    compare(io, "c_final", SIZE, ur_state_buffer(n.state, 0, "c", NULL), &worst);
    print_message("%s: %d chunks, largest error %.2g\n", folder, chunks, worst);
    ur__free(input);
    net_free(&n);
    ur_params_free(n.params);
    ur_weights_close(w);
    ur_weights_close(io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models__shapes_tell_the_nets),
        cmocka_unit_test(rtneural__four_lstm_layers),
        cmocka_unit_test(wordseg__both_directions_cut_thai_into_words),
        cmocka_unit_test(charrnn__writes_its_200_characters),
        cmocka_unit_test(g2p__pronounces_its_words),
        cmocka_unit_test(silero__hears_speech),
    };
    if (!find_data())
        return 77;
    return cmocka_run_group_tests_name("interop_models", tests, NULL, NULL);
}
