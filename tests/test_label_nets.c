/* SPDX-License-Identifier: MIT */
/* Networks that give labels: batches of unequal lengths against one example at a time, the cell
 * without memory against its equation, answers to lines against all paths of a chain. */
#include "test_io.h"
#include "test_task.h"

#include <math.h>

#include "data/labels.h"
#include "model/model.h"

static ur_vocab *words_of(int n)
{
    static const char *const word[] = {"<unk>", "</s>", "a", "b", "c", "d", "e"};
    ur_vocab *v;
    assert_ok(ur__vocab_new_words(&v, UR_TOKEN_WORD, n, word));
    return v;
}

static ur_vocab *letters_of(void)
{
    static const uint32_t codes[] = {'\n', 'a', 'b', 'c', 'd', 'e'};
    ur_vocab *v;
    assert_ok(ur__vocab_new(&v, UR_TOKEN_CHAR, 6, codes));
    return v;
}

/* Words a to e, labels a to c. */
static ur_model *net_with(const char *arch, const char *settings)
{
    ur_options c = net_of(arch, settings);
    ur_model *m;
    bool frames = setting(&c, "features") > 0, letters = !frames && setting(&c, "letters") > 0;
    ur_vocab *const v[] = {frames ? NULL : words_of(7), words_of(5), letters ? letters_of() : NULL};
    assert_ok(ur_model_new(&m, &c, 3, v, 9));
    return m;
}

/* ---- batches ----------------------------------------------------------- */

enum { T = 6, B = 3, W = 5 };
static const int lengths[B] = {6, 2, 4};

/* Row b alone, or all; arrays live until the next call. */
static void fill(ur_batch *batch, const ur_model *m, int b)
{
    static int32_t ids[T * B], letters[2 * W], target[T * B];
    static int spelled[W], length[B];
    static ur_real frames[T * B * 2];
    int t_end = b < 0 ? T : lengths[b], n = b < 0 ? B : 1;
    for (int t = 0; t < t_end; t++)
        for (int i = 0; i < n; i++) {
            int row = b < 0 ? i : b, at = t * n + i;
            bool inside = t < lengths[row];
            ids[at] = inside ? 2 + (t * 3 + row * 2) % 5 : 0;
            target[at] = inside ? (t + row) % 3 : -1;
            frames[2 * at] = inside ? (ur_real)t / 4 : 7;
            frames[2 * at + 1] = inside ? (ur_real)row - 1 : 7;
            length[i] = lengths[row];
        }
    for (int w = 0; w < W; w++) {
        letters[w] = w + 1;
        letters[W + w] = 0;
        spelled[w] = 2;
    }
    ur_batch_init(batch);
    if (!ur_model_vocab(m, "text")) {
        const int dim[] = {t_end, n, 2};
        assert_ok(ur_batch_reals(batch, "frames", 3, dim, frames, length));
    } else {
        assert_ok(ur_batch_ids(batch, "input", t_end, n, ids, length));
    }
    if (ur_model_vocab(m, "letter")) {
        static int32_t spelling[T * B];
        for (int i = 0; i < t_end * n; i++)
            spelling[i] = ids[i] ? ids[i] - 2 : 0;
        assert_ok(ur_batch_ids(batch, "letters", 2, W, letters, spelled));
        assert_ok(ur_batch_ids(batch, "spelling", t_end, n, spelling, NULL));
    }
    bool tag = strcmp(ur_model_arch(m), "tag") == 0;
    assert_ok(ur_batch_ids(batch, "target", tag ? t_end : 1, n, target, NULL));
}

static const char *const nets[][2] = {
    {"classify", "hidden=5 embed=4 pool=last"},
    {"classify", "hidden=5,4 embed=4 pool=mean cell=gru"},
    {"classify", "hidden=5 embed=4 pool=max bidirectional=no"},
    {"classify", "hidden=5 embed=4 pool=attention letters=3"},
    {"classify", "hidden=5 pool=last features=2"}, {"classify", "cell=none hidden=5,4 features=2"},
    {"classify", "hidden=5 features=2 center=all"},
    {"tag", "hidden=5 features=2 center=each"},
    {"tag", "hidden=5 embed=4 letters=3"}, {"tag", "hidden=5 embed=4 letters=0 crf=yes"},
    {"tag", "hidden=5 features=2 cell=rnn"},
    {"tag", "hidden=5 embed=4 letters=3 feedback=yes"},
    {"tag", "hidden=5,4 features=2 cell=gru feedback=yes label-embed=3"},
};

static void outputs__of_a_batch_are_those_of_its_rows(void **unused)
{
    (void)unused;
    for (size_t k = 0; k < sizeof nets / sizeof *nets; k++) {
        char settings[100];
        snprintf(settings, sizeof settings, "dropout=0 %s", nets[k][1]);
        ur_model *m = net_with(nets[k][0], settings);
        ur_tape *whole, *one;
        ur_batch batch;
        assert_ok(ur_tape_new(&whole, NULL));
        assert_ok(ur_tape_new(&one, NULL));
        fill(&batch, m, -1);
        const ur_tensor *all = ur_model_outputs(whole, m, &batch, NULL);
        assert_ok(ur_tape_status(whole));
        assert_int_equal(ur_dim(all, 2), 3);
        for (int b = 0; b < B; b++) {
            ur_tape_reset(one);
            fill(&batch, m, b);
            const ur_tensor *own = ur_model_outputs(one, m, &batch, NULL);
            assert_ok(ur_tape_status(one));
            for (int t = 0; t < ur_dim(own, 0); t++)
                assert_memory_equal(ur_data(all) + (t * B + b) * 3, ur_data(own) + t * 3,
                                    3 * sizeof(ur_real));
        }
        ur_tape_free(whole);
        ur_tape_free(one);
        ur_model_free(m);
    }
}

/* n steps from t0 of a batch [T,B] of length `own`; arrays live until the next call. */
static void cut(ur_batch *piece, const ur_batch *whole, int t0, int n)
{
    static int own[B];
    for (int b = 0; b < B; b++)
        own[b] = lengths[b] < t0 ? 0 : lengths[b] - t0 < n ? lengths[b] - t0 : n;
    *piece = *whole;
    for (int i = 0; i < piece->n; i++) {
        ur_field *f = &piece->field[i];
        if (strcmp(f->role, "letters") == 0)
            continue;
        f->dim[0] = n;
        f->ids = f->ids ? f->ids + t0 * B : NULL;
        f->reals = f->reals ? f->reals + t0 * B * f->dim[2] : NULL;
        f->lengths = f->lengths ? own : NULL;
    }
}

/* Row 1 ends in the first piece, and has no steps in those that follow. */
static void outputs__in_pieces_are_those_of_the_whole(void **unused)
{
    (void)unused;
    static const char *const forward[] = {
        "hidden=5 embed=4 letters=3", "hidden=5,4 embed=4 cell=gru letters=0 learned-state=yes",
        "hidden=5 features=2 cell=rnn", "hidden=5,5 features=2 cell=none",
    };
    static const int begin[] = {0, 2, 3, T};
    for (size_t k = 0; k < sizeof forward / sizeof *forward; k++) {
        char settings[100];
        snprintf(settings, sizeof settings, "bidirectional=no dropout=0 %s", forward[k]);
        ur_model *m = net_with("tag", settings);
        ur_model_state *state;
        ur_tape *whole, *part;
        ur_batch batch, piece;
        assert_ok(ur_tape_new(&whole, NULL));
        assert_ok(ur_tape_new(&part, NULL));
        assert_ok(ur_model_state_new(&state, m, B, NULL));
        assert_true(!ur_model_state_at(state, 0) == (ur_model_vocab(m, "letter") != NULL));
        fill(&batch, m, -1);
        const ur_tensor *all = ur_model_outputs(whole, m, &batch, NULL);
        assert_ok(ur_tape_status(whole));
        for (int i = 0; i < 3; i++) {
            ur_tape_reset(part);
            cut(&piece, &batch, begin[i], begin[i + 1] - begin[i]);
            const ur_tensor *own = ur_model_outputs(part, m, &piece, state);
            assert_ok(ur_tape_status(part));
            ur_model_state_detach(state);
            for (int b = 0; b < B; b++)
                for (int t = begin[i]; t < begin[i + 1] && t < lengths[b]; t++)
                    assert_memory_equal(ur_data(all) + (t * B + b) * 3,
                                        ur_data(own) + ((t - begin[i]) * B + b) * 3,
                                        3 * sizeof(ur_real));
        }
        ur_model_state_free(state);
        ur_tape_free(whole);
        ur_tape_free(part);
        ur_model_free(m);
    }
    ur_model *m = net_with("tag", "hidden=5 embed=4 letters=0");
    ur_model_state *state;
    assert_status(UR_EINVAL, ur_model_state_new(&state, m, B, NULL));
    ur_model_free(m);
}

/* Numbers past the end of a sequence play no part in loss and gradients. */
static void loss__of_a_batch_is_the_mean_of_its_rows(void **unused)
{
    (void)unused;
    for (size_t k = 0; k < sizeof nets / sizeof *nets; k++) {
        char settings[100];
        snprintf(settings, sizeof settings, "dropout=0 %s", nets[k][1]);
        ur_model *m = net_with(nets[k][0], settings);
        bool tag = strcmp(nets[k][0], "tag") == 0;
        double sum = 0, n = 0;
        ur_tape *tape;
        ur_batch batch;
        assert_ok(ur_tape_new(&tape, NULL));
        for (int b = 0; b < B; b++) {
            double weight = tag ? lengths[b] : 1;
            ur_tape_reset(tape);
            fill(&batch, m, b);
            const ur_tensor *loss = ur_model_loss(tape, m, &batch, NULL);
            assert_ok(ur_tape_status(tape));
            sum += weight * (double)ur_data(loss)[0];
            n += weight;
        }
        ur_tape_reset(tape);
        fill(&batch, m, -1);
        const ur_tensor *loss = ur_model_loss(tape, m, &batch, NULL);
        assert_ok(ur_tape_status(tape));
        assert_true(fabs((double)ur_data(loss)[0] - sum / n) < 1e-5);
        ur_tape_free(tape);
        ur_model_free(m);
    }
}

/* Numbers whose means over a sequence are 0 are read as they are; what is added to all, or to
 * each, makes no difference. */
static void center__takes_off_what_a_sequence_adds(void **unused)
{
    (void)unused;
    static const char *const centers[] = {"no", "all", "each"};
    static const ur_real added[][2] = {{0, 0}, {3, 3}, {2, -0.5}};
    static ur_real x[T * 2];
    ur_tape *tape;
    ur_batch batch;
    ur_real plain[3];
    assert_ok(ur_tape_new(&tape, NULL));
    for (int i = 0; i < 3; i++) {
        char settings[64];
        snprintf(settings, sizeof settings, "hidden=5 features=2 dropout=0 center=%s", centers[i]);
        ur_model *m = net_with("classify", settings);
        fill(&batch, m, 0);
        for (int t = 0; t < lengths[0]; t++)
            for (int k = 0; k < 2; k++)
                x[2 * t + k] = (k + 1) * ((ur_real)t - (ur_real)(lengths[0] - 1) / 2)
                               + added[i][k];
        batch.field[0].reals = x;
        const ur_tensor *y = ur_model_outputs(tape, m, &batch, NULL);
        assert_ok(ur_tape_status(tape));
        for (int k = 0; k < 3 && i; k++)
            assert_true(fabs((double)(ur_data(y)[k] - plain[k])) < 1e-5);
        memcpy(plain, ur_data(y), sizeof plain);
        ur_tape_reset(tape);
        ur_model_free(m);
    }
    ur_tape_free(tape);
    ur_options c = net_of("classify", "cell=none hidden=4 features=2 center=all");
    ur_vocab *const labels[] = {NULL, words_of(5), NULL};
    ur_model *m;
    assert_status(UR_EINVAL, ur_model_new(&m, &c, 3, labels, 9));
    ur_vocab_free(labels[1]);
}

/* out(relu(W x + b)) with x normalised. */
static void cell_none__is_a_feed_forward_net(void **unused)
{
    (void)unused;
    ur_model *m = net_with("tag", "cell=none hidden=4 features=2 dropout=0");
    ur_params *p = ur_model_params(m);
    const ur_real *mean = ur_param_data(p, ur_params_find(p, "frames.mean"));
    const ur_real *scale = ur_param_data(p, ur_params_find(p, "frames.scale"));
    const ur_real *w = ur_param_data(p, ur_params_find(p, "urnn.dense_l0.weight"));
    const ur_real *b = ur_param_data(p, ur_params_find(p, "urnn.dense_l0.bias"));
    const ur_real *v = ur_param_data(p, ur_params_find(p, "out.weight"));
    const ur_real *c = ur_param_data(p, ur_params_find(p, "out.bias"));
    ur_tape *tape;
    ur_batch batch;
    for (int i = 0; i < 2; i++) {
        ((ur_real *)(uintptr_t)mean)[i] = (ur_real)(i + 1) / 4;
        ((ur_real *)(uintptr_t)scale)[i] = (ur_real)(i + 3) / 2;
    }
    assert_ok(ur_tape_new(&tape, NULL));
    fill(&batch, m, 0);
    const ur_real *x = batch.field[0].reals;
    const ur_tensor *y = ur_model_outputs(tape, m, &batch, NULL);
    assert_ok(ur_tape_status(tape));
    for (int t = 0; t < lengths[0]; t++)
        for (int k = 0; k < 3; k++) {
            double sum = (double)c[k + 2];      /* the two first tokens are no labels */
            for (int h = 0; h < 4; h++) {
                double z = (double)b[h];
                for (int i = 0; i < 2; i++)
                    z += (double)w[h * 2 + i] * ((double)x[2 * t + i] - (double)mean[i]) *
                         (double)scale[i];
                sum += (double)v[(k + 2) * 4 + h] * (z > 0 ? z : 0);
            }
            assert_true(fabs(sum - (double)ur_data(y)[3 * t + k]) < 1e-5);
        }
    ur_tape_free(tape);
    ur_model_free(m);
}

/* ---- answers ----------------------------------------------------------- */

static void answer__of_a_text_is_its_likeliest_label(void **unused)
{
    (void)unused;
    ur_model *m = net_with("classify", "hidden=5 embed=4 letters=3 dropout=0");
    ur_predict_options o;
    ur_predictor *p;
    const ur_answer *a;
    ur_predict_options_init(&o);
    o.best = 5;
    assert_ok(ur_predictor_new(&p, m, &o));
    assert_ok(ur_predictor_line(p, "a zoo  c", 8, &a));
    assert_int_equal(a->n_places, 1);
    assert_int_equal(a->place[0].n, 3);
    double sum = 0;
    for (int k = 0; k < 3; k++) {
        assert_true(k == 0 || a->place[0].best[k].p <= a->place[0].best[k - 1].p);
        sum += a->place[0].best[k].p;
    }
    assert_true(fabs(sum - 1) < 1e-6);
    assert_int_equal(a->n, 1);
    assert_int_equal(a->text[0], a->place[0].best[0].text[0]);
    assert_non_null(strstr(ur_predictor_note(p), "1 word"));
    assert_status(UR_EDATA, ur_predictor_line(p, " ", 1, &a));
    assert_message("nothing to tell a label of");
    assert_status(UR_EDATA, ur_predictor_line(p, "a \xff", 3, &a));
    assert_message("no UTF-8");
    ur_predictor_free(p);
    ur_model_free(m);
}

/* Numbers: what the network says of them, alone or as examples of a file. */
static void answer__of_frames_is_that_of_the_network(void **unused)
{
    (void)unused;
    static const ur_real frames[] = {1, 2, (ur_real)0.5, -1, 0, 3};
    static const char *const archs[] = {"classify", "tag"};
    const int dim[] = {3, 1, 2};
    for (int i = 0; i < 2; i++) {
        ur_model *m = net_with(archs[i], "hidden=5 features=2 dropout=0");
        ur_predict_options o;
        ur_predictor *p;
        const ur_answer *a;
        ur_tape *tape;
        ur_batch batch;
        ur_predict_options_init(&o);
        ur_batch_init(&batch);
        assert_ok(ur_tape_new(&tape, NULL));
        assert_ok(ur_batch_reals(&batch, "frames", 3, dim, frames, NULL));
        ur_tensor *said = ur_softmax(ur_model_outputs(tape, m, &batch, NULL));
        assert_ok(ur_predictor_new(&p, m, &o));
        assert_ok(ur_predictor_frames(p, 3, 2, frames, &a));
        assert_int_equal(a->n_places, ur_dim(said, 0));
        for (int t = 0; t < a->n_places; t++) {
            const ur_candidate *c = &a->place[t].best[0];
            for (int k = 0; k < 3; k++)
                assert_true(c->p >= (double)ur_data(said)[3 * t + k]);
            assert_true(c->p == (double)ur_data(said)[3 * t + c->text[0] - 'a']);
        }
        assert_status(UR_EINVAL, ur_predictor_line(p, "a", 1, &a));
        assert_message("reads numbers, not lines");
        assert_status(UR_ESHAPE, ur_predictor_frames(p, 2, 3, frames, &a));
        assert_status(UR_EINVAL, ur_predictor_frames(p, 0, 2, frames, &a));
        assert_status(UR_EDATA, ur_predictor_frames(p, 1, 2, (const ur_real[]){1, NAN}, &a));
        assert_message("number 1 of step 0 is not finite");
        assert_int_equal(a->n, 0);
        ur_predictor_free(p);
        ur_tape_free(tape);
        ur_model_free(m);
    }
}

static void answers__of_files_come_one_by_one(void **unused)
{
    (void)unused;
    static const ur_real frames[] = {1, 2, 3, 4};
    const char *paths[] = {tmp_path("a.csv"), tmp_path("b.csv")};
    ur_model *m = net_with("classify", "hidden=5 features=2");
    ur_predict_options o;
    ur_predictor *p;
    const ur_answer *a;
    put_file(paths[0], "1,2,3,4\n5,6,7,8\n", 16);
    put_file(paths[1], "1,2,3,4,what\n1,2,x,4,ever\n", 27);
    ur_predict_options_init(&o);
    assert_ok(ur_predictor_new(&p, m, &o));
    assert_status(UR_EINVAL, ur_predictor_next(p, &a));
    assert_message("no files are open");
    assert_ok(ur_predictor_set(p, "width", "2"));
    assert_ok(ur_predictor_frames(p, 2, 2, frames, &a));
    double want = a->place[0].best[0].p;
    assert_ok(ur_predictor_open(p, paths, 1));
    assert_ok(ur_predictor_next(p, &a));
    assert_true(a->place[0].best[0].p == want);
    assert_ok(ur_predictor_next(p, &a));
    assert_non_null(a);
    assert_ok(ur_predictor_next(p, &a));
    assert_null(a);
    assert_ok(ur_predictor_set(p, "column", "5"));
    assert_ok(ur_predictor_open(p, &paths[1], 1));
    assert_ok(ur_predictor_next(p, &a));
    assert_true(a->place[0].best[0].p == want);
    assert_status(UR_EDATA, ur_predictor_next(p, &a));
    assert_message("b.csv:2: field 3, \"x\", is not a number");
    assert_null(a);
    assert_status(UR_EINVAL, ur_predictor_next(p, &a));
    assert_message("no files are open");
    assert_status(UR_EINVAL, ur_predictor_set(p, "group", "1"));
    assert_status(UR_EINVAL, ur_predictor_set(p, "scan", "diagonal"));
    assert_ok(ur_predictor_set(p, "column", "none"));
    assert_ok(ur_predictor_open(p, paths, 1));
    assert_ok(ur_predictor_next(p, &a));
    assert_ok(ur_predictor_set(p, "scan", "row"));
    assert_ok(ur_predictor_open(p, paths, 1));
    assert_status(UR_EINVAL, ur_predictor_next(p, &a));
    assert_message("scan means nothing for files of format csv");
    assert_ok(ur_predictor_set(p, "format", "xml"));
    assert_ok(ur_predictor_open(p, paths, 1));
    assert_status(UR_EINVAL, ur_predictor_next(p, &a));
    assert_status(UR_EINVAL, ur_predictor_open(p, paths, 0));
    ur_predictor_free(p);
    ur_model_free(m);
}

/* What a model file says of its training may be anything. */
static void answers__survive_a_summary_that_lies(void **unused)
{
    (void)unused;
    static const char *const lies[] = {
        "{\"read_as\":\"xml\",\"columns\":-3,\"width\":2,\"rate\":1e99}",
        "{\"read_as\":7,\"columns\":2147483648,\"width\":2,\"scan\":\"diagonal\"}",
        "{\"columns\":[1],\"column\":{},\"width\":2,\"header\":null,\"tokens\":3}",
    };
    const char *path = tmp_path("lies.csv");
    put_file(path, "1,2,3,4\n", 8);
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        ur_model *m = net_with("classify", "hidden=5 features=2");
        ur_predict_options o;
        ur_predictor *p;
        const ur_answer *a;
        assert_ok(ur__model_set_summary(m, lies[i]));
        ur_predict_options_init(&o);
        assert_ok(ur_predictor_new(&p, m, &o));
        assert_ok(ur_predictor_open(p, &path, 1));
        assert_ok(ur_predictor_next(p, &a));
        assert_int_equal(a->n_places, 1);
        ur_predictor_free(p);
        ur_model_free(m);
    }
}

/* The weights of a line's tokens, whose texts are to be these; their sum is 1. */
static void weigh(const ur_model *m, const char *line, const char *const *texts, double *weight)
{
    ur_predict_options o;
    ur_predictor *plain, *explaining;
    const ur_answer *a, *b;
    double sum = 0;
    ur_predict_options_init(&o);
    assert_ok(ur_predictor_new(&plain, m, &o));
    o.explain = true;
    assert_ok(ur_predictor_new(&explaining, m, &o));
    for (int twice = 0; twice < 2; twice++) {
        assert_ok(ur_predictor_line(plain, line, strlen(line), &a));
        assert_ok(ur_predictor_line(explaining, line, strlen(line), &b));
        assert_int_equal(a->n_tokens, 0);
        assert_true(a->place[0].best[0].p == b->place[0].best[0].p);
        assert_memory_equal(a->text, b->text, a->n);
    }
    for (int t = 0; t < b->n_tokens; t++) {
        assert_int_equal(b->token[t].n, strlen(texts[t]));
        assert_memory_equal(b->token[t].text, texts[t], b->token[t].n);
        weight[t] = b->token[t].weight;
        sum += weight[t];
    }
    assert_null(texts[b->n_tokens]);
    assert_true(fabs(sum - 1) < 1e-6);
    assert_status(UR_EDATA, ur_predictor_line(explaining, " ", 1, &b));
    assert_int_equal(b->n_tokens, 0);
    ur_predictor_free(plain);
    ur_predictor_free(explaining);
}

static void answer__weighs_its_tokens(void **unused)
{
    (void)unused;
    static const char *const texts[] = {"a", "zoo", "a", "c", NULL};
    double weight[4];
    for (int letters = 0; letters < 2; letters++) {
        ur_model *m = net_with("classify", letters ? "hidden=5 embed=4 letters=3 pool=attention"
                                                   : "hidden=5 embed=4 cell=none pool=attention");
        weigh(m, " a zoo  a c", texts, weight);
        assert_true(fabs(weight[0] - weight[1]) > 1e-6);
        /* Without memory equal words weigh the same. */
        assert_true(letters || weight[0] == weight[2]);
        ur_params *p = ur_model_params(m);
        const ur_param *score = ur_params_find(p, "pool.score.weight");
        memset(ur_param_data(p, score), 0, score->size * sizeof(ur_real));
        weigh(m, "a zoo a c", texts, weight);
        for (int t = 0; t < 4; t++)
            assert_true(fabs(weight[t] - 0.25) < 1e-6);
        ur_model_free(m);
    }
}

static void answer__without_weights_is_not_explained(void **unused)
{
    (void)unused;
    static const char *const silent[][2] = {
        {"classify", "hidden=5 embed=4 pool=mean"}, {"classify", "hidden=5 embed=4 pool=last"},
        {"tag", "hidden=5 embed=4 letters=3"}, {"tag", "hidden=5 embed=4 letters=0 crf=yes"},
    };
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++) {
        ur_model *m = net_with(silent[i][0], silent[i][1]);
        ur_predict_options o;
        ur_predictor *p;
        ur_predict_options_init(&o);
        o.explain = true;
        assert_status(UR_EINVAL, ur_predictor_new(&p, m, &o));
        assert_null(p);
        assert_message("cannot be explained");
        ur_model_free(m);
    }
}

/* Shares of a label at a step among all 3^4 paths, by the scores that the model gives. */
static void answer__of_a_chain_counts_all_paths(void **unused)
{
    (void)unused;
    ur_model *m = net_with("tag", "hidden=5 embed=4 letters=0 crf=yes dropout=0");
    ur_params *params = ur_model_params(m);
    const ur_real *link = ur_param_data(params, ur_params_find(params, "crf.transitions"));
    const ur_real *start = ur_param_data(params, ur_params_find(params, "crf.start"));
    const ur_real *end = ur_param_data(params, ur_params_find(params, "crf.end"));
    const int32_t ids[] = {2, 5, 3, 6};     /* a d b e */
    double share[4][3] = {{0}}, z = 0, most = -1;
    int best[4] = {0};
    for (int i = 0; i < 9; i++)
        ((ur_real *)(uintptr_t)link)[i] = (ur_real)((i * 5) % 7) / 3 - 1;
    ur_tape *tape;
    ur_batch batch;
    ur_batch_init(&batch);
    assert_ok(ur_tape_new(&tape, NULL));
    assert_ok(ur_batch_ids(&batch, "input", 4, 1, ids, NULL));
    const ur_real *e = ur_data(ur_model_outputs(tape, m, &batch, NULL));
    for (int path = 0; path < 81; path++) {
        int y[4] = {path % 3, path / 3 % 3, path / 9 % 3, path / 27};
        double score = (double)start[y[0]] + (double)end[y[3]];
        for (int t = 0; t < 4; t++)
            score += (double)e[3 * t + y[t]] + (t ? (double)link[3 * y[t - 1] + y[t]] : 0);
        score = exp(score);
        for (int t = 0; t < 4; t++)
            share[t][y[t]] += score;
        if (score > most)
            memcpy(best, y, sizeof best);
        most = score > most ? score : most;
        z += score;
    }
    ur_predict_options o;
    ur_predictor *p;
    const ur_answer *a;
    ur_predict_options_init(&o);
    o.best = 3;
    assert_ok(ur_predictor_new(&p, m, &o));
    assert_ok(ur_predictor_line(p, "a d b e", 7, &a));
    assert_int_equal(a->n_places, 4);
    assert_int_equal(a->n, 7);
    for (int t = 0; t < 4; t++) {
        assert_int_equal(a->text[2 * t], 'a' + best[t]);
        for (int k = 0; k < 3; k++) {
            const ur_candidate *c = &a->place[t].best[k];
            assert_true(fabs(c->p - share[t][c->text[0] - 'a'] / z) < 1e-5);
        }
    }
    assert_ok(ur_predictor_line(p, "", 0, &a));
    assert_int_equal(a->n + (size_t)a->n_places, 0);
    ur_predictor_free(p);
    ur_tape_free(tape);
    ur_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs__in_pieces_are_those_of_the_whole),
        cmocka_unit_test(outputs__of_a_batch_are_those_of_its_rows),
        cmocka_unit_test(loss__of_a_batch_is_the_mean_of_its_rows),
        cmocka_unit_test(center__takes_off_what_a_sequence_adds),
        cmocka_unit_test(cell_none__is_a_feed_forward_net),
        cmocka_unit_test(answer__of_a_text_is_its_likeliest_label),
        cmocka_unit_test(answer__of_frames_is_that_of_the_network),
        cmocka_unit_test(answers__of_files_come_one_by_one),
        cmocka_unit_test(answers__survive_a_summary_that_lies),
        cmocka_unit_test(answer__of_a_chain_counts_all_paths),
        cmocka_unit_test(answer__weighs_its_tokens),
        cmocka_unit_test(answer__without_weights_is_not_explained),
    };
    return cmocka_run_group_tests_name("label_nets", tests, NULL, NULL);
}
