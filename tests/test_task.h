/* SPDX-License-Identifier: MIT */
/* What the tests of whole runs share: two small texts, options of a small net, a
 * listener, files compared byte by byte. */
#ifndef UR_TESTS_TEST_TASK_H
#define UR_TESTS_TEST_TASK_H

#include "testing.h"

#include "base/mem.h"
#include "io/file.h"
#include "support/settings.h"
#include "unroll/task.h"

static const char *text_path, *other_path, *labelled_path, *tagged_path, *pairs_path,
                  *series_path;

static inline void write_text(const char *path, uint64_t seed, int words)
{
    static const char *const word[] = {"the ", "net ", "reads ", "one ", "letter, ", "writes.\n"};
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (int i = 0; i < words; i++)
        fputs(word[(int)(6 * ur_random_uniform(seed, 5, 0, (uint32_t)i))], f);
    fclose(f);
}

/* Lines of up to 9 words, "yes" those that have "net". */
static inline void write_labelled(const char *path, uint64_t seed, int n)
{
    static const char *const word[] = {"the", "net", "reads", "one", "letter", "writes", "more"};
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (int i = 0; i < n; i++) {
        char line[100] = "";
        bool yes = false;
        for (int k = 0, most = 1 + i * 7 % 9; k < most; k++) {
            int w = (int)(7 * ur_random_uniform(seed, 5, (uint64_t)i, (uint32_t)k));
            snprintf(line + strlen(line), sizeof line - strlen(line), " %s", word[w]);
            yes = yes || w == 1;
        }
        fprintf(f, "%s\t%s\n", yes ? "yes" : "no", line + 1);
    }
    fclose(f);
}

/* Words in two columns: "net" begins a thing, which goes on with what follows it. */
static inline void write_tagged(const char *path, uint64_t seed, int n)
{
    static const char *const word[] = {"the", "net", "reads", "one", "letter", "writes", "more"};
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (int i = 0; i < n; i++) {
        for (int k = 0, last = 0, most = 1 + i * 7 % 9; k < most; k++) {
            int w = (int)(7 * ur_random_uniform(seed, 6, (uint64_t)i, (uint32_t)k));
            fprintf(f, "%s\t%s\n", word[w], w == 1 ? "B-thing" : last == 1 ? "I-thing" : "O");
            last = w;
        }
        fputs("\n", f);
    }
    fclose(f);
}

/* A season of 12 months on a rising line, with noise; "b" follows it, and some values are
 * missing. */
static inline void write_series(const char *path, uint64_t seed, int n)
{
    static const int season[12] = {0, 1, 3, 6, 8, 9, 9, 8, 5, 3, 1, 0};
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("date,a,b\n", f);
    for (int t = 0; t < n; t++) {
        double a = 20 + 0.05 * t + season[t % 12] + ur_random_uniform(seed, 7, 0, (uint32_t)t);
        fprintf(f, "%04d-%02d,", 1950 + t / 12, t % 12 + 1);
        fprintf(f, t % 31 == 30 ? "NA,%.4f\n" : "%.4f,%.4f\n", a, 2 * a + t % 3);
    }
    fclose(f);
}

/* Up to 5 words, and the same in capitals; every ninth source has a second target. */
static inline void write_pairs(const char *path, uint64_t seed, int n)
{
    static const char *const word[] = {"the", "net", "reads", "one", "letter", "writes", "more"};
    static const char *const other[] = {"THE", "NET", "READS", "ONE", "LETTER", "WRITES", "MORE"};
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (int i = 0; i < n; i++) {
        char source[100] = "", target[100] = "";
        for (int k = 0, most = 1 + i * 7 % 5; k < most; k++) {
            int w = (int)(7 * ur_random_uniform(seed, 8, (uint64_t)i, (uint32_t)k));
            snprintf(source + strlen(source), sizeof source - strlen(source), " %s", word[w]);
            snprintf(target + strlen(target), sizeof target - strlen(target), " %s", other[w]);
        }
        fprintf(f, "%s\t%s\n", source + 1, target + 1);
        if (i % 9 == 0)
            fprintf(f, "%s\t%s AGAIN\n", source + 1, target + 1);
    }
    fclose(f);
}

static inline int set_up(void **unused)
{
    (void)unused;
    series_path = strdup(tmp_path("series.csv"));
    write_series(series_path, 1, 240);
    labelled_path = strdup(tmp_path("labelled.tsv"));
    tagged_path = strdup(tmp_path("tagged.conll"));
    pairs_path = strdup(tmp_path("pairs.tsv"));
    write_pairs(pairs_path, 1, 200);
    write_labelled(labelled_path, 1, 200);
    write_tagged(tagged_path, 1, 200);
    text_path = strdup(tmp_path("text.txt"));
    other_path = strdup(tmp_path("other.txt"));
    write_text(text_path, 1, 1200);
    write_text(other_path, 2, 1200);
    return 0;
}

static inline int tear_down(void **unused)
{
    (void)unused;
    free((void *)(uintptr_t)text_path);
    free((void *)(uintptr_t)other_path);
    free((void *)(uintptr_t)labelled_path);
    free((void *)(uintptr_t)tagged_path);
    free((void *)(uintptr_t)series_path);
    free((void *)(uintptr_t)pairs_path);
    return 0;
}

/* A small net over the text, 1200 words: about 40 steps an epoch; or over examples with labels, 23
 * steps, or over pairs; with more settings. */
static inline ur_train_options small_run(const char *task, const char *model, const char *settings)
{
    bool tag = strcmp(task, "tag") == 0, classify = strcmp(task, "classify") == 0;
    bool forecast = strcmp(task, "forecast") == 0, translate = strcmp(task, "translate") == 0;
    ur_train_options o =
        run_of(task, tag ? "hidden=12 embed=6 letters=5 dropout=0.1 min-count=1"
                     : forecast ? "hidden=8 horizon=6 context=14 dropout=0.1"
                     : classify ? "hidden=12 embed=6 dropout=0.1 tokens=word"
                     : translate ? "hidden=10 embed=6 dropout=0.1 min-count=1 decode=12"
                                : "hidden=24,16 dropout=0.1 seq-length=16 tokens=char");
    o.data = tag ? &tagged_path : classify ? &labelled_path : forecast ? &series_path
             : translate ? &pairs_path : &text_path;
    o.n_data = 1;
    o.model = model;
    o.batch = 8;
    o.epochs = 1000;
    o.steps = 120;
    o.lr = 0.01;
    o.eval_every = 25;
    o.checkpoint_every = 20;
    set_run(&o, settings);
    return o;
}

static inline ur_train_options small_options(const char *model)
{
    return small_run("lm", model, "");
}

static inline const char *with_end(const char *model, const char *end)
{
    static char ring[8][400];
    static int count;
    char *to = ring[count++ % 8];
    size_t n = strlen(model) - strlen(".safetensors");
    snprintf(to, sizeof ring[0], "%.*s%s", (int)n, model, end);
    return to;
}

static inline char *read_all(const char *path, size_t *n)
{
    char *bytes;
    assert_ok(ur__file_slurp(path, (size_t)1 << 26, &bytes, n));
    return bytes;
}

static inline void assert_same_file(const char *a, const char *b)
{
    size_t n, m;
    char *x = read_all(a, &n), *y = read_all(b, &m);
    if (n != m || memcmp(x, y, n) != 0)
        fail_msg("%s and %s differ", a, b);
    ur__free(x);
    ur__free(y);
}

static inline void assert_same_run(const char *a, const char *b)
{
    assert_same_file(a, b);
    assert_same_file(with_end(a, ".last.safetensors"), with_end(b, ".last.safetensors"));
    assert_same_file(with_end(a, ".state"), with_end(b, ".state"));
}

static inline void assert_message(const char *part)
{
    if (!strstr(ur_errmsg(), part))
        fail_msg("\"%s\" has no \"%s\"", ur_errmsg(), part);
}

/* Listens to a run; cancels it after a step if told to. */
struct listener {
    int64_t cancel_at;
    ur_report_kind cancel_on;
    int count[UR_REPORT_END + 1];
    double first_loss, last_loss;
    int64_t last_step, best_step;
    long allocations;       /* at step 4, then made by the steps after it */
    char note[2000], sample[200];      /* notes and warnings */
};

static inline bool listen(void *user, const ur_report *r)
{
    struct listener *l = user;
    l->count[r->kind]++;
    l->last_step = r->step;
    if (r->kind == UR_REPORT_STEP) {
        l->last_loss = r->loss;
        if (r->step == 1)
            l->first_loss = r->loss;
        if (r->step == 4)
            l->allocations = ur__mem_allocations();
        if (r->step == 24)
            l->allocations = ur__mem_allocations() - l->allocations;
    }
    if (r->kind == UR_REPORT_VALID && r->val_loss == r->best)
        l->best_step = r->step;
    if (r->kind == UR_REPORT_NOTE || r->kind == UR_REPORT_WARNING)
        snprintf(l->note + strlen(l->note), sizeof l->note - strlen(l->note), "%s;", r->text);
    if (r->kind == UR_REPORT_SAMPLE)
        snprintf(l->sample, sizeof l->sample, "%.*s", (int)r->text_size, r->text);
    return !(r->kind == l->cancel_on && l->cancel_at && r->step == l->cancel_at);
}

static inline ur_status train_until(ur_train_options o, int64_t step, struct listener *l)
{
    *l = (struct listener){.cancel_at = step, .cancel_on = UR_REPORT_STEP};
    return ur_train(&o, listen, l);
}

/* Runs of teams of those sizes end in the same bytes. */
static inline void same_for_teams(const char *task, const char *settings, int64_t steps, int n,
                           const int *sizes)
{
    const char *first = NULL;
    for (int i = 0; i < n; i++) {
        struct listener l;
        ur_train_options o = small_run(task, tmp_path("m.safetensors"), settings);
        o.steps = steps;
        assert_ok(ur_team_new(&o.team, sizes[i]));
        assert_ok(train_until(o, 0, &l));
        ur_team_free(o.team);
        if (first)
            assert_same_run(first, o.model);
        else
            first = o.model;
    }
}

#endif
