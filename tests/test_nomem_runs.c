/* SPDX-License-Identifier: MIT */
/* Memory that runs out in whole runs of training: what lies on disk stays whole, and the run
 * goes on from it to the bits of one that nothing disturbed. */
#include "test_task.h"

#include "support/nomem.h"

static char *model_path, *start_path;

static int no_sync(int fd)
{
    (void)fd;
    return 0;
}

static int set_up_runs(void **unused)
{
    ur__file_set_ops(&(struct ur__file_ops){.sync = no_sync});
    model_path = strdup(tmp_path("run.safetensors"));
    start_path = strdup(tmp_path("start.safetensors"));
    set_up(unused);
    write_text(text_path, 1, 150);
    write_text(other_path, 2, 60);
    write_labelled(labelled_path, 2, 40);
    write_tagged(tagged_path, 2, 40);
    write_series(series_path, 2, 40);
    write_pairs(pairs_path, 2, 40);
    return 0;
}

static int tear_down_runs(void **unused)
{
    free(model_path);
    free(start_path);
    return tear_down(unused);
}

enum kind { LM, WORDS, FILL, CLASSIFY, TAG, PIECES, FEEDBACK, TRANSLATE, FORECAST, FROM_MODEL,
            N_KINDS };
static const char *const kind_names[N_KINDS] = {"lm", "words", "fill", "classify", "tag", "pieces",
                                               "feedback", "translate", "forecast", "from a model"};

static ur_train_options run_options(enum kind kind, const char *model)
{
    static const char *const tasks[N_KINDS] = {"lm", "lm", "fill", "classify", "tag", "tag", "tag",
                                               "translate", "forecast", "lm"};
    const bool labels = kind >= CLASSIFY && kind <= FORECAST;
    ur_train_options o = small_run(tasks[kind], model, labels ? "" : "hidden=6,5 seq-length=8");
    o.batch = 4;
    o.steps = 6;
    o.eval_every = 3;
    o.checkpoint_every = 2;
    o.sample_every = kind == FILL || labels ? 0 : 4;
    o.sample_length = 12;
    o.report_gradients = kind == LM;
    o.init_from = kind == FROM_MODEL ? start_path : NULL;
    if (kind == FILL) {
        set_run(&o, "embed=4");
        o.val_file = other_path;
    }
    if (kind == TAG)
        set_run(&o, "crf=yes");
    if (kind == FEEDBACK)
        set_run(&o, "feedback=yes");
    if (kind == FORECAST)
        set_run(&o, "recursive=yes features=b target=a horizon=2 context=4 val=0.2");
    if (kind == PIECES)
        set_run(&o, "bidirectional=no seq-length=2");
    if (kind == CLASSIFY)
        assert_ok(ur_train_set(&o, "fold", "1/4"));
    if (kind == WORDS)
        set_run(&o, "tokens=wordpunct");
    return o;
}

static void remove_run(const char *model)
{
    remove(model);
    remove(with_end(model, ".last.safetensors"));
    remove(with_end(model, ".state"));
    remove(with_end(model, ".state.1"));
    remove(with_end(model, ".state.new"));
}

static void digest_run(uint32_t *digest, const char *model)
{
    nomem_digest_file(digest, model);
    nomem_digest_file(digest, with_end(model, ".last.safetensors"));
    nomem_digest_file(digest, with_end(model, ".state"));
}

static void *begin(const void *arg)
{
    (void)arg;
    remove_run(model_path);
    return model_path;
}

static ur_status run_all(void *it, const void *arg, uint32_t *digest)
{
    ur_train_options o = run_options(*(const enum kind *)arg, it);
    ur_status status = ur_train(&o, NULL, NULL);
    if (status == UR_OK)
        digest_run(digest, it);
    return status;
}

static ur_status resume(void *it, const void *arg, uint32_t *digest)
{
    ur_train_options o = run_options(*(const enum kind *)arg, it);
    o.resume = true;
    ur_status status = ur_train(&o, NULL, NULL);
    if (status == UR_OK)
        digest_run(digest, it);
    return status;
}

/* What is there after the failure loads, and the run goes on from it. */
static ur_status run_on(void *it, const void *arg, uint32_t *digest)
{
    const char *models[] = {it, with_end(it, ".last.safetensors")};
    for (int i = 0; i < 2; i++) {
        ur_model *m;
        if (!ur__file_exists(models[i]))
            continue;
        assert_ok(ur_model_load(&m, models[i]));
        ur_model_free(m);
    }
    return resume(it, arg, digest);
}

static void train__leaves_whole_files_and_goes_on(void **unused)
{
    (void)unused;
    ur_train_options start = run_options(LM, start_path);
    start.steps = 1;
    assert_ok(ur_train(&start, NULL, NULL));
    for (enum kind kind = 0; kind < N_KINDS; kind++) {
        char name[40];
        snprintf(name, sizeof name, "train %s", kind_names[kind]);
        nomem_try(&(struct nomem){.name = name, .make = begin, .act = run_all, .again = run_on,
                                  .arg = &kind, .quick = kind == LM ? 40 : 12});
    }
}

/* A run stopped after its third step, of which the state is kept aside. */
static void *begin_stopped(const void *arg)
{
    ur_train_options o = run_options(*(const enum kind *)arg, model_path);
    struct listener l;
    remove_run(model_path);
    assert_status(UR_ECANCELED, train_until(o, 3, &l));
    return model_path;
}

static void resume__may_fail_and_be_tried_again(void **unused)
{
    (void)unused;
    for (enum kind kind = 0; kind < FROM_MODEL; kind++) {
        char name[40];
        snprintf(name, sizeof name, "resume %s", kind_names[kind]);
        nomem_try(&(struct nomem){.name = name, .make = begin_stopped, .act = resume,
                                  .again = run_on, .arg = &kind, .quick = 10});
    }
}

/* ---- labels of lines and of files -------------------------------------- */

static void *load_labels(const void *arg)
{
    (void)arg;
    ur_model *m;
    assert_ok(ur_model_load(&m, model_path));
    return m;
}

static void free_labels(void *it)
{
    ur_model_free(it);
}

static ur_status answer_lines(void *it, const void *arg, uint32_t *digest)
{
    static const char *const lines[] = {"the net", "the net reads one letter more net", "net"};
    ur_predict_options o;
    ur_predictor *p;
    const ur_answer *a;
    ur_predict_options_init(&o);
    o.best = 2;
    o.explain = *(const enum kind *)arg == CLASSIFY || *(const enum kind *)arg == TRANSLATE;
    o.copy_unknown = *(const enum kind *)arg == TRANSLATE;
    ur_status status = ur_predictor_new(&p, it, &o);
    if (status != UR_OK)
        return status;
    for (int i = 0; i < 3 && status == UR_OK; i++) {
        status = ur_predictor_line(p, lines[i], strlen(lines[i]), &a);
        nomem_digest(digest, a->text, a->n);
        for (int k = 0; k < a->n_places; k++)
            nomem_digest(digest, &a->place[k].best[1].p, sizeof a->place[k].best[1].p);
        for (int k = 0; k < a->n_tokens; k++)
            nomem_digest(digest, &a->token[k].weight, sizeof a->token[k].weight);
    }
    ur_predictor_free(p);
    return status;
}

static void digest_table(void *user, const ur_confusion *c)
{
    nomem_digest(user, c->count, (size_t)c->n * (size_t)c->n * sizeof *c->count);
    for (int i = 0; i < c->n; i++)
        nomem_digest(user, c->label[i], strlen(c->label[i]));
}

static ur_status measure_labels(void *it, const void *arg, uint32_t *digest)
{
    const enum kind kind = *(const enum kind *)arg;
    ur_eval_options o = eval_of(kind == CLASSIFY ? &labelled_path : kind == TRANSLATE ? &pairs_path
                                                                          : &tagged_path, 1);
    o.copy_unknown = kind == TRANSLATE;
    ur_metrics m;
    ur_metrics_init(&m);
    o.on_confusion = digest_table;
    o.user = digest;
    ur_status status = ur_evaluate(it, &o, &m);
    for (int i = 0; i < m.n; i++)
        nomem_digest(digest, &m.at[i].value, sizeof m.at[i].value);
    return status;
}

static void labels__may_fail_and_be_asked_for_again(void **unused)
{
    (void)unused;
    for (enum kind kind = CLASSIFY; kind <= TRANSLATE; kind++) {
        char name[40];
        ur_train_options o = run_options(kind, model_path);
        if (kind == CLASSIFY)
            set_run(&o, "pool=attention");
        remove_run(model_path);
        assert_ok(ur_train(&o, NULL, NULL));
        snprintf(name, sizeof name, "answers, %s", kind_names[kind]);
        struct nomem n = {.name = name, .make = load_labels, .unmake = free_labels,
                          .act = answer_lines, .arg = &kind, .quick = 30};
        nomem_try(&n);
        snprintf(name, sizeof name, "measuring, %s", kind_names[kind]);
        n.act = measure_labels;
        nomem_try(&n);
    }
}

static void nomem__has_refused_enough(void **unused)
{
    (void)unused;
    nomem_total(200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(train__leaves_whole_files_and_goes_on),
        cmocka_unit_test(resume__may_fail_and_be_tried_again),
        cmocka_unit_test(labels__may_fail_and_be_asked_for_again),
        cmocka_unit_test(nomem__has_refused_enough),
    };
    return cmocka_run_group_tests_name("nomem_runs", tests, set_up_runs, tear_down_runs);
}
