/* SPDX-License-Identifier: MIT */
/*
 * How English words are pronounced: a sequence-to-sequence net that others trained (g2p_en,
 * Kyubyong Park and Jongseok Kim 2019), run step by step from its PyTorch weights.
 *
 *     pronounce [WORD...]
 *
 * An encoder GRU reads the letters and </s>; a decoder GRU starts from the encoder's last
 * state with <s> and is fed with what it has said, until it says </s>. Without words it says
 * those of expected.tsv and compares. The model is looked for below $UNROLL_DATA.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unroll.h>

enum { GRAPHEMES = 29, PHONEMES = 74, SIZE = 256, MAX_STEPS = 20 };
enum { WORD_END = 2, FIRST_LETTER = 3 };    /* of graphemes: <pad> <unk> </s> a ... z */
enum { START = 2, END = 3 };                /* of phonemes */

static const char *const phonemes[PHONEMES] = {
    "<pad>", "<unk>", "<s>", "</s>", "AA0", "AA1", "AA2", "AE0", "AE1", "AE2", "AH0", "AH1",
    "AH2", "AO0", "AO1", "AO2", "AW0", "AW1", "AW2", "AY0", "AY1", "AY2", "B", "CH", "D", "DH",
    "EH0", "EH1", "EH2", "ER0", "ER1", "ER2", "EY0", "EY1", "EY2", "F", "G", "HH", "IH0", "IH1",
    "IH2", "IY0", "IY1", "IY2", "JH", "K", "L", "M", "N", "NG", "OW0", "OW1", "OW2", "OY0",
    "OY1", "OY2", "P", "R", "S", "SH", "T", "TH", "UH0", "UH1", "UH2", "UW", "UW0", "UW1",
    "UW2", "V", "W", "Y", "Z", "ZH",
};

/* Encoder or decoder. */
struct half {
    ur_embedding embedding;
    ur_rnn *gru;
    ur_state *state;
};

struct g2p {
    ur_params *params;
    struct half encoder, decoder;
    ur_linear_layer fc;
    ur_tape *tape;
};

/* ---- making ------------------------------------------------------------ */

static ur_status declare(struct half *h, ur_params *params, const char *embedding,
                         const char *gru, int V)
{
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    o.cell = UR_CELL_GRU;
    o.input = SIZE;
    o.hidden[0] = SIZE;
    ur_status status = ur_embedding_init(&h->embedding, params, embedding, V, SIZE);
    return status == UR_OK ? ur_rnn_new(&h->gru, params, gru, &o) : status;
}

static ur_status ready(struct half *h)
{
    ur_status status = ur_rnn_prepare(h->gru);
    return status == UR_OK ? ur_state_new(&h->state, h->gru, 1, NULL) : status;
}

static ur_status make(struct g2p *g, const char *path)
{
    ur_status status = ur_params_new(&g->params);
    if (status == UR_OK)
        status = declare(&g->encoder, g->params, "encoder.embedding", "encoder.gru", GRAPHEMES);
    if (status == UR_OK)
        status = declare(&g->decoder, g->params, "decoder.embedding", "decoder.gru", PHONEMES);
    if (status == UR_OK)
        status = ur_linear_init(&g->fc, g->params, "fc", SIZE, PHONEMES, true);
    if (status == UR_OK)
        status = ur_params_load(g->params, path, 0, NULL, true);
    if (status == UR_OK)
        status = ready(&g->encoder);
    if (status == UR_OK)
        status = ready(&g->decoder);
    if (status == UR_OK)
        status = ur_tape_new(&g->tape, NULL);
    if (status == UR_OK)
        ur_tape_set_recording(g->tape, false);
    return status;
}

static void drop(struct g2p *g)
{
    ur_tape_free(g->tape);
    ur_state_free(g->encoder.state);
    ur_state_free(g->decoder.state);
    ur_rnn_free(g->encoder.gru);
    ur_rnn_free(g->decoder.gru);
    ur_params_free(g->params);
}

/* ---- pronouncing ------------------------------------------------------- */

/* One step: row `id` of the embedding in, h [SIZE] out. */
static ur_status step(struct half *h, int id, ur_real *out)
{
    const ur_real *rows = ur_param_data(h->embedding.params, h->embedding.weight);
    return ur_rnn_step(h->gru, h->state, rows + (ptrdiff_t)id * SIZE, out);
}

static ur_status read_word(struct g2p *g, const char *word)
{
    ur_real h[SIZE];
    ur_status status = UR_OK;
    ur_state_zero(g->encoder.state);
    for (; *word && status == UR_OK; word++) {
        bool letter = *word >= 'a' && *word <= 'z';
        status = step(&g->encoder, letter ? FIRST_LETTER + *word - 'a' : 1, h);
    }
    if (status == UR_OK)
        status = step(&g->encoder, WORD_END, h);
    memcpy(ur_state_buffer(g->decoder.state, 0, "h", NULL),
           ur_state_buffer(g->encoder.state, 0, "h", NULL), sizeof h);
    return status;
}

/* The likeliest phoneme after `id`. */
static ur_status say(struct g2p *g, int *id)
{
    ur_real h[SIZE];
    const int dim[2] = {1, SIZE};
    ur_status status = step(&g->decoder, *id, h);
    if (status != UR_OK)
        return status;
    ur_tape_reset(g->tape);
    const ur_real *y = ur_data(ur_linear(g->tape, &g->fc, ur_constant(g->tape, 2, dim, h)));
    *id = 0;
    for (int i = 1; y && i < PHONEMES; i++)
        *id = y[i] > y[*id] ? i : *id;
    return ur_tape_status(g->tape);
}

static ur_status pronounce(struct g2p *g, const char *word, char *text, size_t room)
{
    size_t n = 0;
    int id = START;
    ur_status status = read_word(g, word);
    text[0] = '\0';
    for (int i = 0; i < MAX_STEPS && status == UR_OK; i++) {
        status = say(g, &id);
        if (status != UR_OK || id == END)
            break;
        n += (size_t)snprintf(text + n, room - n, "%s%s", i ? " " : "", phonemes[id]);
    }
    return status;
}

/* ---- words ------------------------------------------------------------- */

enum { TEXT = 8 * MAX_STEPS };      /* a phoneme and a blank are shorter */

static ur_status say_words(struct g2p *g, int n, char **words)
{
    char text[TEXT];
    ur_status status = UR_OK;
    for (int i = 0; i < n && status == UR_OK; i++) {
        status = pronounce(g, words[i], text, sizeof text);
        if (status == UR_OK)
            printf("%-12s %s\n", words[i], text);
    }
    return status;
}

/* Lines of a word, a tab, its phonemes. */
static ur_status compare(struct g2p *g, FILE *list, bool *same)
{
    char line[TEXT + 64], text[TEXT];
    int n = 0, right = 0;
    ur_status status = UR_OK;
    while (status == UR_OK && fgets(line, sizeof line, list)) {
        char *tab = strchr(line, '\t');
        if (!tab)
            continue;
        *tab = '\0';
        tab[1 + strcspn(tab + 1, "\n")] = '\0';
        status = pronounce(g, line, text, sizeof text);
        right += strcmp(text, tab + 1) == 0;
        if (n++ < 10)
            printf("%-12s %s\n", line, text);
    }
    printf("... %d of %d words as expected\n", right, n);
    *same = n > 0 && right == n;
    return status;
}

int main(int argc, char **argv)
{
    static char path[1000];
    const char *data = getenv("UNROLL_DATA"), *name = "interop/models/g2p_en";
    struct g2p g = {0};
    bool same = true;
    snprintf(path, sizeof path, "%s/%s/expected.tsv", data ? data : ".", name);
    FILE *list = fopen(path, "r");
    if (!list) {
        printf("skipped: there is no %s\n", path);
        return 77;
    }
    snprintf(path, sizeof path, "%s/%s/model.safetensors", data ? data : ".", name);
    ur_status status = make(&g, path);
    if (status == UR_OK)
        status = argc > 1 ? say_words(&g, argc - 1, argv + 1) : compare(&g, list, &same);
    if (status != UR_OK)
        fprintf(stderr, "pronounce: %s\n", ur_errmsg());
    fclose(list);
    drop(&g);
    return status != UR_OK || !same;
}
