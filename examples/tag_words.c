/* SPDX-License-Identifier: MIT */
/* Labels that hang together: `tag_words FILE` (CoNLL: a word and its label a line, a blank line
 * between sentences) learns from four fifths of them, labels the others by a linear-chain CRF and
 * counts entities, B-KIND and I-KIND, as conlleval does. See docs/DATA.md. */
#include <stdio.h>
#include <stdlib.h>
#include <unroll.h>

enum { B = 8, E = 32, H = 32, EPOCHS = 15, MOST = 200 /* words: the rest is left out */ };
static ur_examples *set; static ur_tape *tape;
static ur_embedding embed; static ur_rnn *rnn; static ur_linear_layer out; static ur_crf_layer crf;
static int32_t ids[MOST * B], label[MOST * B];      /* [T,B] words and their labels */
static int length[B];

/* Scores of the labels of each word [T,rows,K]. NULL: it failed. */
static ur_tensor *score(const int64_t *which, int rows)
{
    int longest = ur_examples_longest(set, which, rows), T = longest < MOST ? longest : MOST;
    ur_tape_reset(tape);
    if (ur_examples_pad_ids(set, which, rows, T, ids, length)
        || ur_examples_pad_labels(set, which, rows, T, label))
        return NULL;
    ur_tensor *x = ur_dropout(ur_embed(tape, &embed, (ur_ids){ids, T, rows}), 0.3);
    return ur_linear(tape, &out, ur_rnn_forward(tape, rnn, x, length, NULL));
}

int main(int argc, char **argv)
{
    ur_batches *batches = NULL; ur_vocab *words = NULL; const char *truth[MOST], *guess[MOST];
    const int64_t *which; int64_t *part = NULL, n = 0; int rows;
    ur_params *params = NULL; ur_optimizer *adamw = NULL;
    ur_rnn_options net; ur_rnn_options_init(&net);
    ur_optimizer_options how; ur_optimizer_options_init(&how);
    net.input = E; net.hidden[0] = H; net.bidirectional = true;
    ur_entity_counts of = {0}; ur_chain path; ur_chain_init(&path); path.B = 1;
    ur_examples_options read; ur_examples_options_init(&read); read.tagged = true;
    if (argc != 2)
        return fprintf(stderr, "usage: tag_words FILE\n"), 2;
    bool ok = !ur_examples_open(&set, (const char *const *)&argv[1], 1, &read);
    const int64_t all = ok ? ur_examples_count(set) : 0;
    ok = ok && (part = calloc((size_t)all, sizeof *part)) != NULL
      && !ur_examples_hold_out(set, 0.2, 1, part, &n)
      && !ur_examples_vocab(&words, set, UR_TOKEN_WORD, 2, part, n)     /* others are <unk> */
      && !ur_examples_number(set, words, UR_UNKNOWN_USUAL)
      && !ur_batches_new(&batches, set, part, n, B, 1) && !ur_tape_new(&tape, NULL)
      && !ur_params_new(&params) && !ur_rnn_new(&rnn, params, "rnn", &net)
      && !ur_embedding_init(&embed, params, "embed", ur_vocab_size(words), E)
      && !ur_linear_init(&out, params, "out", 2 * H, path.K = ur_examples_label_count(set), true)
      && !ur_crf_init(&crf, params, "crf", path.K) && !ur_params_build(params, 1)
      && !ur_rnn_prepare(rnn) && !ur_optimizer_new(&adamw, params, &how, NULL);
    const int64_t steps = ok ? ur_batches_steps(batches) : 0;
    for (int64_t i = 0; ok && i < EPOCHS * steps; i++) {
        ur_tape_set_training(tape, true, 1, (uint64_t)i); ur_params_zero_grads(params);
        ok = !ur_batches_at(batches, i / steps, i % steps, &which, &rows);
        ur_tensor *e = ok ? score(which, rows) : NULL;
        e = ur_crf(tape, &crf, e, (ur_ids){label, ur_dim(e, 0), rows}, length);
        ok = e && !ur_backward(tape, e) && !ur_optimizer_step(adamw, 5e-3, NULL)
          && !ur_rnn_prepare(rnn);
    }
    for (int64_t i = n; ok && i < all; i++) {
        ur_tape_set_training(tape, false, 0, 0);                /* no dropout */
        const ur_tensor *e = score(part + i, 1);
        path.T = ur_dim(e, 0); path.scores = ur_data(e);
        ok = e && !ur_crf_decode(&crf, &path, ids, NULL);
        for (int t = 0; ok && t < path.T; t++) {
            truth[t] = ur_examples_label_name(set, label[t]);
            guess[t] = ur_examples_label_name(set, ids[t]);
            printf("%s%c", guess[t], t + 1 < path.T ? ' ' : '\n');
        }
        ur_entities_count(&of, (size_t)path.T, truth, guess);
    }
    if (ok)
        printf("right: %g of %g, and %g wrong\n", of.right, of.present, of.found - of.right);
    else
        fprintf(stderr, "tag_words: %s\n", ur_errmsg());
    ur_tape_free(tape); ur_optimizer_free(adamw); ur_rnn_free(rnn); ur_params_free(params);
    ur_batches_free(batches); ur_vocab_free(words); ur_examples_close(set);
    free(part);
    return !ok;
}
