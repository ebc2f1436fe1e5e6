/* SPDX-License-Identifier: MIT */
/* Memory that runs out while models are saved, loaded and run, and while texts are read. */
#include "models.h"

#include <sys/stat.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/text.h"
#include "data/corpus.h"
#include "data/numbers.h"
#include "io/file.h"
#include "support/gzip.h"
#include "support/nomem.h"
#include "unroll/decode.h"
#include "unroll/exchange.h"
#include "unroll/task.h"

enum { V = 11 };

#define DO(expr)                                                                       \
    do {                                                                               \
        if (status == UR_OK)                                                           \
            status = (expr);                                                           \
    } while (0)

static int no_sync(int fd)
{
    (void)fd;
    return 0;
}

static char *text_path, *zipped_path, *short_path, *model_path, *fill_path, *foreign_path;

/* Words, some of them rare, in more than one block of the reader. */
static void write_texts(void)
{
    FILE *f = fopen(text_path, "w"), *part = fopen(short_path, "w");
    struct ur__buf all = {0};
    assert_true(f && part);
    for (uint32_t i = 0; i < 12000; i++) {
        char word[24];
        uint32_t r[4];
        ur_random(3, 5, 0, i, r);
        snprintf(word, sizeof word, "%c\xc3%c%u%s", (int)('a' + r[0] % 7), (int)(0xa0 + r[1] % 20),
                 (unsigned)(r[2] % 90), r[3] % 9 ? " " : ".\n");
        fputs(word, f);
        if (i < 200)
            fputs(word, part);
        assert_ok(ur__buf_puts(&all, word));
    }
    assert_int_equal(fclose(f), 0);
    assert_int_equal(fclose(part), 0);
    if (UR__HAVE_ZLIB)
        gzip_file(zipped_path, all.data, all.size);
    ur__buf_free(&all);
}

static ur_options fill_config(void)
{
    return net_of("fill", "layers=1 hidden=6 embed=4");
}

/* A model of the text, untrained, by the loop itself: its vocabulary is the text's. */
static void write_model(const char *path, const char *task, const ur_options *net)
{
    ur_train_options o = run_of(task, "tokens=char");
    const char *data = text_path;
    o.net = *net;
    o.data = &data;
    o.n_data = 1;
    o.model = path;
    o.steps = 0;
    o.batch = 2;
    assert_ok(ur_train(&o, NULL, NULL));
}

static int set_up(void **unused)
{
    (void)unused;
    ur__file_set_ops(&(struct ur__file_ops){.sync = no_sync});
    text_path = strdup(tmp_path("text.txt"));
    zipped_path = strdup(tmp_path("text.gz"));
    short_path = strdup(tmp_path("short.txt"));
    model_path = strdup(tmp_path("m.safetensors"));
    fill_path = strdup(tmp_path("f.safetensors"));
    foreign_path = strdup(tmp_path("foreign.safetensors"));
    write_texts();
    ur_options lm = net_of("lm", "cell=gru hidden=8,7 embed=5"), fill = fill_config();
    write_model(model_path, "lm", &lm);
    write_model(fill_path, "fill", &fill);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    free(text_path);
    free(zipped_path);
    free(short_path);
    free(model_path);
    free(fill_path);
    free(foreign_path);
    return 0;
}

static void digest_params(uint32_t *digest, ur_params *p)
{
    nomem_digest(digest, ur_params_values(p), ur_params_size(p) * sizeof(ur_real));
}

/* ---- models ------------------------------------------------------------ */

static ur_status make_model(void *it, const void *arg, uint32_t *digest)
{
    const ur_options *c = arg;
    ur_vocab *vocab = NULL;
    ur_model *m = NULL;
    uint32_t codes[V];
    (void)it;
    for (uint32_t i = 0; i < V; i++)
        codes[i] = 60 + 3 * i;
    ur_status status = ur__vocab_new(&vocab, UR_TOKEN_CHAR, V, codes);
    if (status != UR_OK)
        return status;
    status = ur_model_new(&m, c, 1, &vocab, 3);
    if (status != UR_OK) {
        assert_null(m);
        ur_vocab_free(vocab);      /* still ours */
        return status;
    }
    digest_params(digest, ur_model_params(m));
    ur_model_free(m);
    return UR_OK;
}

static void model__is_made_or_not_at_all(void **unused)
{
    (void)unused;
    for (int i = 0; i < N_CONFIGS + 1; i++) {
        char name[32];
        ur_options c = i < N_CONFIGS ? any_config(i) : fill_config();
        snprintf(name, sizeof name, "model %d", i);
        nomem_try(&(struct nomem){.name = name, .act = make_model, .arg = &c, .quick = 30});
    }
}

static void *load_model(const void *arg)
{
    ur_model *m;
    assert_ok(ur_model_load(&m, arg));
    return m;
}

static void free_model(void *it)
{
    ur_model_free(it);
}

static int temporaries(void)
{
    int n = 0;
    DIR *d = opendir(tmp_dir());
    for (struct dirent *e; d && (e = readdir(d)) != NULL; )
        n += strstr(e->d_name, ".tmp-") != NULL;
    if (d)
        closedir(d);
    return n;
}

/* Over a file that is there: it stays whole, and nothing lies beside it. */
static ur_status save(void *it, const void *arg, uint32_t *digest)
{
    static const char *path;
    uint32_t before = 0, after = 0;
    (void)arg;
    if (!path) {
        path = strdup(tmp_path("saved.safetensors"));
        assert_ok(ur_model_save(it, path));
    }
    ur_status status = ur_model_save(it, path);
    if (status == UR_OK) {
        nomem_digest_file(digest, path);
        return UR_OK;
    }
    char kept[200];
    snprintf(kept, sizeof kept, "%s", ur_errmsg());
    ur__mem_fail_at(0, false);
    nomem_digest_file(&after, path);
    assert_ok(ur_model_save(it, path));
    nomem_digest_file(&before, path);
    assert_int_equal(before, after);
    assert_int_equal(temporaries(), 0);
    return ur__fail(status, "%s", kept);
}

static ur_status load(void *it, const void *arg, uint32_t *digest)
{
    ur_model *m;
    (void)it;
    ur_status status = ur_model_load(&m, arg);
    if (status != UR_OK) {
        assert_null(m);
        return status;
    }
    digest_params(digest, ur_model_params(m));
    nomem_digest(digest, ur_model_summary(m), strlen(ur_model_summary(m)));
    ur_model_free(m);
    return UR_OK;
}

static void model__is_saved_and_loaded_whole_or_not_at_all(void **unused)
{
    (void)unused;
    nomem_try(&(struct nomem){.name = "save", .make = load_model, .unmake = free_model,
                              .act = save, .arg = model_path});
    nomem_try(&(struct nomem){.name = "load", .act = load, .arg = model_path});
    nomem_try(&(struct nomem){.name = "load fill", .act = load, .arg = fill_path});
}

/* ---- weights of others ------------------------------------------------- */

struct other {
    ur_params *params;
    ur_rnn *rnn;
    bool built;
};

static void *make_other(const void *arg)
{
    static const int hidden = 6;
    struct other *o = calloc(1, sizeof *o);
    ur_rnn_options options;
    ur_rnn_options_init(&options);
    options.input = 5;
    options.hidden[0] = hidden;
    options.cell_clip = 2;      /* a form that stands in the file */
    o->built = *(const bool *)arg;
    assert_ok(ur_params_new(&o->params));
    assert_ok(ur_rnn_new(&o->rnn, o->params, "rnn", &options));
    assert_ok(ur_params_add_typed(o->params, "table", UR_TYPE_F16, 1, &hidden, NULL));
    if (o->built)
        assert_ok(ur_params_build(o->params, 3));
    return o;
}

static void free_other(void *it)
{
    struct other *o = it;
    ur_rnn_free(o->rnn);
    ur_params_free(o->params);
    free(o);
}

static const ur_rename names[] = {{"rnn.*", "encoder.*"}};

static ur_status save_other(void *it, const void *arg, uint32_t *digest)
{
    struct other *o = it;
    const ur_meta meta[] = {{"format", "pt"}, {"who", "somebody"}};
    (void)arg;
    ur_status status = ur_params_save(o->params, foreign_path, 1, names, 2, meta);
    if (status == UR_OK)
        nomem_digest_file(digest, foreign_path);
    return status;
}

static ur_status load_other(void *it, const void *arg, uint32_t *digest)
{
    struct other *o = it;
    uint32_t before = 0, after = 0;
    (void)arg;
    if (o->built)
        digest_params(&before, o->params);
    ur_status status = ur_params_load(o->params, foreign_path, 1, names, true);
    if (status == UR_OK) {
        digest_params(digest, o->params);
        return UR_OK;
    }
    if (o->built)
        digest_params(&after, o->params);
    else
        assert_null(ur_params_values(o->params));
    assert_int_equal(before, after);    /* nothing changes */
    return status;
}

static ur_status look_into(void *it, const void *arg, uint32_t *digest)
{
    ur_weights *w;
    ur_real values[4 * 6 * 6];
    (void)it;
    (void)arg;
    ur_status status = ur_weights_open(&w, foreign_path);
    if (status != UR_OK) {
        assert_null(w);
        return status;
    }
    for (int i = 0; i < ur_weights_count(w) && status == UR_OK; i++) {
        const ur_weight *t = ur_weights_at(w, i);
        status = ur_weights_read(w, t->name, t->size, values);
        if (status == UR_OK)
            nomem_digest(digest, values, t->size * sizeof *values);
    }
    ur_weights_close(w);
    return status;
}

static ur_status tell_options(void *it, const void *arg, uint32_t *digest)
{
    ur_weights *w;
    ur_rnn_options o;
    ur_rnn_options_init(&o);
    (void)it;
    (void)arg;
    ur_status status = ur_weights_open(&w, foreign_path);
    DO(ur_weights_rnn_options(w, "a recurrent net whose name needs more than one block", 1,
                              &(ur_rename){"a recurrent net whose name needs more than one block.*",
                                           "encoder.*"}, &o));
    if (status == UR_OK)
        nomem_digest(digest, o.hidden, sizeof *o.hidden);
    ur_weights_close(w);
    return status;
}

static void params__are_exchanged_whole_or_not_at_all(void **unused)
{
    (void)unused;
    static const bool built = true, fresh = false;
    nomem_try(&(struct nomem){.name = "save weights", .make = make_other, .unmake = free_other,
                              .act = save_other, .arg = &built});
    nomem_try(&(struct nomem){.name = "load weights", .make = make_other, .unmake = free_other,
                              .act = load_other, .arg = &built});
    nomem_try(&(struct nomem){.name = "load weights, not built", .make = make_other,
                              .unmake = free_other, .act = load_other, .arg = &fresh});
    nomem_try(&(struct nomem){.name = "look into weights", .act = look_into});
    nomem_try(&(struct nomem){.name = "tell options", .act = tell_options});
}

/* ---- running ----------------------------------------------------------- */

static void see(void *user, int slot, int64_t t, int B, int H, const ur_real *h)
{
    (void)slot;
    (void)t;
    nomem_digest(user, h, (size_t)B * (size_t)H * sizeof *h);
}

static ur_status write_text(void *it, const void *arg, uint32_t *digest)
{
    ur_session *s;
    ur_sample_options o;
    ur_sample_options_init(&o);
    (void)arg;
    o.top_k = 20;
    o.top_p = 0.9;
    ur_status status = ur_session_new(&s, it, NULL);
    if (status != UR_OK)
        return status;
    ur_state_observe(ur_session_state(s), 1, see, digest);
    status = ur_session_begin(s);
    for (int i = 0; i < 20 && status == UR_OK; i++) {
        int32_t id = 0;
        DO(ur_session_draw(s, &o, &id));
        DO(ur_session_feed(s, id));
        nomem_digest(digest, &id, sizeof id);
    }
    ur_session_free(s);
    return status;
}

static ur_status fill_gap(void *it, const void *arg, uint32_t *digest)
{
    ur_runner *r;
    const int32_t before[] = {1, 2, 3}, behind[] = {4, 5};
    const ur_real *logits;
    int32_t best[3];
    double p[3];
    (void)arg;
    ur_status status = ur_runner_new(&r, it, 1, NULL);
    if (status != UR_OK)
        return status;
    status = run_gap(r, 3, before, 2, behind, &logits);
    if (status == UR_OK && ur_runner_best(r, 0, 3, best, p) == 3)
        nomem_digest(digest, p, sizeof p);
    ur_runner_free(r);
    return status;
}

static ur_status find_likeliest(void *it, const void *arg, uint32_t *digest)
{
    const ur_hypothesis *found;
    ur_beam_options o;
    ur_beam *b;
    int n = 0;
    (void)arg;
    ur_beam_options_init(&o);
    o.best = 3;
    o.most = 12;
    ur_status status = ur_beam_new(&b, it, &o, NULL);
    if (status != UR_OK)
        return status;
    for (int i = 0; i < 2; i++)
        DO(ur_beam_search(b, NULL, &found, &n));
    for (int i = 0; i < n && status == UR_OK; i++)
        nomem_digest(digest, found[i].ids, (size_t)found[i].n * sizeof *found[i].ids);
    ur_beam_free(b);
    return status;
}

static ur_status answer(void *it, const void *arg, uint32_t *digest)
{
    static const char *const lines[] = {"a_", "_ b __ and ___", "none"};
    ur_predict_options o;
    ur_predictor *p;
    const ur_answer *a;
    (void)arg;
    ur_predict_options_init(&o);
    o.best = 3;
    o.unknown = UR_UNKNOWN_SKIP;
    ur_status status = ur_predictor_new(&p, it, &o);
    if (status != UR_OK)
        return status;
    for (int i = 0; i < 3 && status == UR_OK; i++) {
        DO(ur_predictor_line(p, lines[i], strlen(lines[i]), &a));
        nomem_digest(digest, a->text, a->n);
        for (int k = 0; k < a->n_places; k++)
            nomem_digest(digest, &a->place[k].best[2].p, sizeof a->place[k].best[2].p);
    }
    ur_predictor_free(p);
    return status;
}

struct evaluation {
    const char *model;
    ur_protocol protocol;
};

static void *load_evaluated(const void *arg)
{
    return load_model(((const struct evaluation *)arg)->model);
}

static ur_status evaluate(void *it, const void *arg, uint32_t *digest)
{
    const char *data = short_path;
    ur_eval_options o = eval_of(&data, 1);
    ur_metrics m;
    ur_metrics_init(&m);
    o.protocol = ((const struct evaluation *)arg)->protocol;
    ur_status status = ur_evaluate(it, &o, &m);
    if (status == UR_OK)
        for (int i = 0; i < m.n; i++)
            nomem_digest(digest, &m.at[i].value, sizeof m.at[i].value);
    return status;
}

static void model__runs_on_after_a_failure(void **unused)
{
    (void)unused;
    const struct evaluation all[] = {
        {model_path, UR_PROTOCOL_STREAM}, {model_path, UR_PROTOCOL_WINDOW},
        {fill_path, UR_PROTOCOL_STREAM},
    };
    nomem_try(&(struct nomem){.name = "session", .make = load_model, .unmake = free_model,
                              .act = write_text, .arg = model_path});
    nomem_try(&(struct nomem){.name = "gap", .make = load_model, .unmake = free_model,
                              .act = fill_gap, .arg = fill_path});
    nomem_try(&(struct nomem){.name = "beam", .make = load_model, .unmake = free_model,
                              .act = find_likeliest, .arg = model_path});
    nomem_try(&(struct nomem){.name = "answers", .make = load_model, .unmake = free_model,
                              .act = answer, .arg = fill_path});
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char name[32];
        snprintf(name, sizeof name, "evaluation %zu", i);
        nomem_try(&(struct nomem){.name = name, .make = load_evaluated, .unmake = free_model,
                                  .act = evaluate, .arg = &all[i], .quick = 40});
    }
}

/* ---- texts ------------------------------------------------------------- */

struct reading {
    ur_token_kind kind;
    const char *path;
    bool spool;
};

static ur_status read_text(void *it, const void *arg, uint32_t *digest)
{
    const struct reading *r = arg;
    const struct ur__text_rule rule = {.kind = r->kind, .words = {.held_out = 0.1, .min_count = 2}};
    struct ur__corpus *c = NULL;
    ur_vocab *vocab = NULL;
    int32_t ids[512];
    size_t made = 0;
    int64_t unknown = 0;
    (void)it;
    ur__numbers_set_spool_at(r->spool ? 5000 : 0);
    ur_status status = ur__corpus_open_rule(&c, &r->path, 1, &rule, &vocab);
    DO(ur__corpus_read(c, 100, 512, ids));
    DO(ur__corpus_unknown(c, 0, 1000, &unknown));
    if (status == UR_OK)
        nomem_digest(digest, ids, sizeof ids);
    static const char text[] = "a b\n";
    DO(ur_vocab_encode(vocab, text, r->kind >= UR_TOKEN_WORD ? sizeof text - 1 : 0, ids, &made));
    *digest += (uint32_t)unknown + (uint32_t)made;
    if (status != UR_OK && !c)
        assert_null(vocab);
    ur_vocab_free(vocab);
    ur__corpus_free(c);
    ur__numbers_set_spool_at(0);
    return status;
}

static void text__is_read_or_not_at_all(void **unused)
{
    (void)unused;
    const struct reading all[] = {
        {UR_TOKEN_CHAR, text_path, false}, {UR_TOKEN_CHAR, zipped_path, true},
        {UR_TOKEN_BYTE, zipped_path, false}, {UR_TOKEN_WORD, text_path, false},
        {UR_TOKEN_WORDPUNCT, zipped_path, true},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char name[64];
        if (all[i].path == zipped_path && !UR__HAVE_ZLIB)
            continue;
        snprintf(name, sizeof name, "read %ss%s%s", ur_token_kind_name(all[i].kind),
                 all[i].path == zipped_path ? ", gzip" : "", all[i].spool ? ", spooled" : "");
        nomem_try(&(struct nomem){.name = name, .act = read_text, .arg = &all[i]});
    }
}

/* A scratch file in a folder whose name needs a buffer that grows. */
static ur_status use_scratch_file(void *it, const void *arg, uint32_t *digest)
{
    struct ur__spool *s;
    char text[4];
    (void)it;
    (void)arg;
    ur_status status = ur__spool_new(&s);
    if (status != UR_OK)
        return status;
    DO(ur__spool_append(s, "word", 4));
    DO(ur__spool_read(s, 0, text, 4));
    if (status == UR_OK)
        nomem_digest(digest, text, 4);
    ur__spool_free(s);
    return status;
}

static void scratch_file__is_made_or_leaves_nothing(void **unused)
{
    (void)unused;
    char folder[400];
    char *old = getenv("TMPDIR") ? strdup(getenv("TMPDIR")) : NULL;
    snprintf(folder, sizeof folder, "%s/%080d", tmp_dir(), 0);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(setenv("TMPDIR", folder, 1), 0);
    nomem_try(&(struct nomem){.name = "scratch file", .act = use_scratch_file});
    assert_int_equal(old ? setenv("TMPDIR", old, 1) : unsetenv("TMPDIR"), 0);
    assert_int_equal(rmdir(folder), 0);
    free(old);
}

static void nomem__has_refused_enough(void **unused)
{
    (void)unused;
    nomem_total(UR__HAVE_ZLIB ? 1500 : 1400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(model__is_made_or_not_at_all),
        cmocka_unit_test(model__is_saved_and_loaded_whole_or_not_at_all),
        cmocka_unit_test(params__are_exchanged_whole_or_not_at_all),
        cmocka_unit_test(model__runs_on_after_a_failure),
        cmocka_unit_test(text__is_read_or_not_at_all),
        cmocka_unit_test(scratch_file__is_made_or_leaves_nothing),
        cmocka_unit_test(nomem__has_refused_enough),
    };
    return cmocka_run_group_tests_name("nomem_files", tests, set_up, tear_down);
}
