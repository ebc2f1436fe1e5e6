/* SPDX-License-Identifier: MIT */
/* A plan beside the run it foretells: memory to a few per cent and never too little, over
 * nets and texts of all kinds; steps, files and refusals; and that nothing is written. */
#include "testing.h"

#include <math.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "io/file.h"
#include "support/settings.h"

/* How much more than the peak may be foretold. */
#define MOST_ABOVE 1.03

static const char *folder;
static int n_models;

static const char *model_path(void)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/m%d.safetensors", folder, n_models++);
    return path;
}

/* Bytes of a text of n words out of `different`; with them come as many characters. */
static const char *write_words(const char *name, int n, int different, bool as_characters)
{
    const char *path = tmp_path(name);
    FILE *f = fopen(path, "w");
    uint32_t x = 7;
    assert_non_null(f);
    for (int i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        uint32_t w = i < different ? (uint32_t)i : (x >> 8) % (uint32_t)different;
        if (as_characters) {
            uint32_t c = 0x4e00 + w;
            fprintf(f, "%c%c%c", (int)(0xe0 | c >> 12), (int)(0x80 | (c >> 6 & 63)),
                    (int)(0x80 | (c & 63)));
        } else {
            fprintf(f, "w%u%c", (unsigned)w, i % 9 == 8 ? '\n' : ' ');
        }
    }
    assert_int_equal(fclose(f), 0);
    return path;
}

/* n examples of up to 12 such words, each with a label; or, tagged, each word with one. */
static const char *write_labels(const char *name, int n, bool tagged)
{
    const char *path = tmp_path(name);
    FILE *f = fopen(path, "w");
    uint32_t x = 7;
    assert_non_null(f);
    for (int i = 0; i < n; i++) {
        if (!tagged)
            fprintf(f, "l%d\t", i % 5);
        for (int k = 0; k <= i % 12; k++) {
            x = x * 1664525 + 1013904223;
            const char *tag = x >> 31 ? "\tA\n" : "\tB\n";
            fprintf(f, "w%u%s", (unsigned)(x >> 8) % 500, tagged ? tag : " ");
        }
        fputc('\n', f);
    }
    assert_int_equal(fclose(f), 0);
    return path;
}

/* n pairs of up to 12 such words on each side. */
static const char *write_pairs(const char *name, int n)
{
    const char *path = tmp_path(name);
    FILE *f = fopen(path, "w");
    uint32_t x = 7;
    assert_non_null(f);
    for (int i = 0; i < 2 * n; i++)
        for (int k = 0, most = i / 2 % 12; k <= most; k++) {
            x = x * 1664525 + 1013904223;
            fprintf(f, "w%u%s", (unsigned)(x >> 8) % 500,
                    k < most ? " " : i % 2 ? "\n" : "\t");
        }
    assert_int_equal(fclose(f), 0);
    return path;
}

/* ---- in a process of its own ------------------------------------------- */

struct outcome {
    ur_status status;
    size_t peak;            /* above what was held before */
    ur_plan plan;
    char message[512];
};

/* A run, or its plan, in a child: peaks are the whole process's. */
static struct outcome in_child(const ur_train_options *options, int threads, bool plan)
{
    struct outcome o = {.status = UR_EINTERNAL};
    ur_plan_init(&o.plan);
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        ur_train_options own = *options;
        bool known = threads == 0 || ur_team_new(&own.team, threads) == UR_OK;
        size_t before = ur_memory_used();
        if (known && plan)
            o.status = ur_train_plan(&own, 0, NULL, NULL, &o.plan);
        else if (known)
            o.status = ur_train(&own, NULL, NULL);
        o.peak = ur_memory_peak() - before;
        snprintf(o.message, sizeof o.message, "%s", ur_errmsg());
        ur_team_free(own.team);
        _exit(write(pipes[1], &o, sizeof o) == (long)sizeof o ? 0 : 1);
    }
    close(pipes[1]);
    assert_int_equal(read(pipes[0], &o, sizeof o), sizeof o);
    close(pipes[0]);
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    return o;
}

static ur_plan compare(const char *what, const ur_train_options *o, int threads)
{
    struct outcome plan = in_child(o, threads, true), run = in_child(o, threads, false);
    if (plan.status != UR_OK || run.status != UR_OK)
        fail_msg("%s: %s %s", what, plan.message, run.message);
    double ratio = (double)plan.plan.memory / (double)run.peak;
    print_message("%-34s planned %10zu  taken %10zu  %+5.1f %%\n", what, plan.plan.memory,
                  run.peak, 100 * (ratio - 1));
    assert_true(ratio >= 1);
    assert_true(ratio <= MOST_ABOVE);
    return plan.plan;
}

/* A file of about the size foretold. */
static void expect_size(const char *what, const char *model, const char *suffix, uint64_t size)
{
    char path[512];
    struct stat there;
    snprintf(path, sizeof path, "%.*s%s", (int)strlen(model) - 12, model, suffix);
    assert_int_equal(stat(path, &there), 0);
    if (fabs((double)size - (double)there.st_size) > 1000 + 0.01 * (double)there.st_size)
        fail_msg("%s: %llu bytes are foretold for %s, it has %lld", what,
                 (unsigned long long)size, path, (long long)there.st_size);
}

/* A column of the days after 1950 and two of numbers; some are missing. */
static const char *write_series(int n)
{
    const char *path = tmp_path("series.csv");
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("t,a,b\n", f);
    for (int t = 0; t < n; t++)
        fprintf(f, t % 31 == 30 ? "%d,,%d\n" : "%d,%d.5,%d\n", t, t * 37 % 101, t * t % 89);
    fclose(f);
    return path;
}

/* ---- options ----------------------------------------------------------- */

static ur_train_options options_of(const char *task, const char *settings,
                                   const char *const *data)
{
    const bool labels = strcmp(task, "classify") == 0 || strcmp(task, "tag") == 0
        || strcmp(task, "translate") == 0;
    const bool forecast = strcmp(task, "forecast") == 0;
    ur_train_options o = run_of(task, labels || forecast ? "hidden=96 batch=16"
                                             : "hidden=96 tokens=char batch=16 seq-length=32");
    set_run(&o, settings);
    o.data = data;
    o.n_data = 1;
    o.model = model_path();
    o.steps = 3;
    return o;
}

/* A line of the table: what differs from the usual net. */
static const struct shape {
    const char *what, *task, *settings;
    int threads;
    bool many, no_val;
} shapes[] = {
    {"lstm", "lm", "", 0, false, false},
    {"lstm, no validation", "lm", "", 0, false, true},
    {"lstm, 2 threads", "lm", "", 2, false, false},
    {"one small layer", "lm", "layers=1 hidden=8 batch=4 seq-length=8", 0, false, false},
    {"wide, short", "lm", "layers=1 hidden=512 batch=2 seq-length=4", 0, false, false},
    {"long sequences", "lm", "layers=1 hidden=32 batch=4 seq-length=2000", 0, false, false},
    {"one row, whole", "lm", "layers=1 hidden=32 batch=1 seq-length=4096", 0, false, false},
    {"three sizes, vectors", "lm", "hidden=96,64,48 embed=40", 0, false, false},
    {"gru", "lm", "cell=gru", 0, false, false},
    {"gru, reset before", "lm", "cell=gru reset=before", 0, false, false},
    {"rnn, residual in time", "lm", "cell=rnn time-residual=yes", 0, false, false},
    {"tied", "lm", "tie=yes", 0, false, false},
    {"dropout", "lm", "dropout=0.2", 0, false, false},
    {"all noise", "lm", "embed=24 dropout=0.2 variational=yes recurrent-dropout=0.1 zoneout=0.1 "
     "zoneout-cell=0.1", 0, false, false},
    {"projection and peepholes", "lm", "projection=48 peepholes=yes", 0, false, false},
    {"learned state", "lm", "learned-state=yes", 0, false, false},
    {"gradients reported", "lm", "report-gradients=yes", 0, false, false},
    {"sgd", "lm", "optimizer=sgd", 0, false, false},
    {"rmsprop", "lm", "optimizer=rmsprop", 0, false, false},
    {"4000 characters", "lm", "layers=1 hidden=64 batch=8", 0, true, false},
    {"4000 characters, logits in chunks", "lm", "layers=1 hidden=64 batch=64", 0, true, false},
    {"words", "lm", "tokens=word layers=1 hidden=64 embed=32", 0, false, false},
    {"fill", "fill", "", 0, false, false},
    {"fill, vectors, tied, dropout", "fill", "cell=gru tie=yes dropout=0.2", 0, false, false},
    {"fill, words, logits in chunks", "fill", "tokens=word layers=1 hidden=48 embed=32 batch=64", 0,
     false, false},
    {"classify", "classify", "tokens=word", 0, false, false},
    {"classify, balanced, attention", "classify", "pool=attention balanced=yes", 0, false, false},
    {"classify, no memory", "classify", "cell=none pool=max tokens=char", 0, false, true},
    {"tag", "tag", "", 0, false, false},
    {"tag, crf, 2 threads", "tag", "crf=yes letters=0", 2, false, false},
    {"tag, feedback", "tag", "feedback=yes", 0, false, false},
    {"tag, feedback, 3 threads", "tag", "feedback=yes letters=0 norm=layer hidden=24", 3, false,
     false},
    {"tag, feedback, no validation", "tag", "feedback=yes cell=gru", 0, false, true},
    {"tag, average", "tag", "average=3", 0, false, false},
    {"tag, one direction", "tag", "bidirectional=no", 0, false, false},
    {"forecast", "forecast", "context=48", 0, false, false},
    {"forecast, fed back, 2 threads", "forecast", "recursive=yes cell=gru distribution=gaussian", 2,
     false, false},
    {"forecast, no validation", "forecast", "target=a,b context=96 horizon=24", 0, false, true},
    {"translate", "translate", "source-tokens=word", 0, false, false},
    {"translate, 3 threads", "translate", "attention=general batch=64", 3, false, false},
    {"translate, fed", "translate", "input-feeding=yes hidden=32 cell=gru", 0, false, false},
    {"translate, no attention", "translate", "attention=none reverse-source=yes layers=2", 0, false,
     false},
    {"translate, sampled, smoothed", "translate", "scheduled-sampling=0.5 label-smoothing=0.1", 0,
     false, false},
    {"translate, no validation", "translate", "attention=dot", 0, false, true},
    {"tag, in pieces", "tag", "bidirectional=no seq-length=4 on-nan=skip", 0, false, false},
};

static void plan__foretells_memory_and_files(void **state)
{
    (void)state;
    const char *few = write_words("few.txt", 20000, 500, false);
    const char *many = write_words("many.txt", 50000, 4000, true);
    const char *labelled = write_labels("labelled.tsv", 2000, false);
    const char *tagged = write_labels("tagged.conll", 2000, true);
    const char *series = write_series(3000);
    const char *pairs = write_pairs("pairs.tsv", 2000);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const char *data = strcmp(shapes[i].task, "classify") == 0 ? labelled
                         : strcmp(shapes[i].task, "translate") == 0 ? pairs
                         : strcmp(shapes[i].task, "tag") == 0      ? tagged
                         : strcmp(shapes[i].task, "forecast") == 0 ? series
                         : shapes[i].many                          ? many
                                                                   : few;
        ur_train_options o = options_of(shapes[i].task, shapes[i].settings, &data);
        o.steps = 1;
        o.val = shapes[i].no_val ? 0 : 0.1;
        ur_plan p = compare(shapes[i].what, &o, shapes[i].threads);
        expect_size(shapes[i].what, o.model, ".safetensors", p.model_file);
        expect_size(shapes[i].what, o.model, ".state", p.state_file);
    }
}

/* Another thread gives back 64 MiB while the run is being opened. */
static struct {
    void *block;
    int calls, when;
} elsewhere;

static void *free_other(void *block)
{
    ur__free(block);
    return NULL;
}

static void *interrupted(void *user, void *p, size_t bytes)
{
    pthread_t thread;
    (void)user;
    if (++elsewhere.calls == elsewhere.when) {
        assert_int_equal(pthread_create(&thread, NULL, free_other, elsewhere.block), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
    if (bytes)
        return realloc(p, bytes);
    free(p);
    return NULL;
}

static void plan__counts_its_own_thread_alone(void **state)
{
    (void)state;
    const char *data = write_words("other.txt", 5000, 50, false);
    ur_train_options o = options_of("lm", "", &data);
    ur_plan exact, p;
    ur_plan_init(&exact);
    ur_plan_init(&p);
    assert_ok(ur_train_plan(&o, 0, NULL, NULL, &exact));
    o.memory_limit = exact.memory;
    for (int when = 1; when < 60; when += 3) {
        elsewhere.block = ur__alloc((size_t)64 << 20, 1);
        assert_non_null(elsewhere.block);
        elsewhere.calls = 0;
        elsewhere.when = when;
        ur_set_allocator(interrupted, NULL);
        ur_status status = ur_train_plan(&o, 0, NULL, NULL, &p);
        ur_set_allocator(NULL, NULL);
        assert_ok(status);
        assert_true(elsewhere.calls > 60);
        assert_int_equal(p.memory, exact.memory);
    }
}

/* Another model's numbers are held for a while. */
static void plan__counts_what_a_run_starts_from(void **state)
{
    (void)state;
    const char *data = write_words("init.txt", 20000, 50, false);
    ur_train_options o = options_of("lm", "", &data);
    set_run(&o, "hidden=256 seq-length=2 batch=2");
    assert_ok(ur_train(&o, NULL, NULL));
    char first[512];
    snprintf(first, sizeof first, "%s", o.model);
    o.init_from = first;
    o.model = model_path();
    compare("from another model", &o, 0);
    o.init_from = NULL;
    o.resume = true;
    o.steps = 5;
    compare("from its own state", &o, 0);
}

/* Configurations that nobody thought of. */
static double uniform(void)
{
    static uint32_t n;
    return ur_random_uniform(11, 5, 0, n++);
}

static int among(int low, int high)
{
    return low + (int)(uniform() * (high - low + 1));
}

static bool one_in(int n)
{
    return among(1, n) == 1;
}

static double perhaps(double p)
{
    return one_in(3) ? p : 0;
}

/* Sets one option from a printf format. */
#define SET(o, ...)                                                                           \
    do {                                                                                      \
        char set_text[200];                                                                   \
        snprintf(set_text, sizeof set_text, __VA_ARGS__);                                     \
        set_run((o), set_text);                                                               \
    } while (0)

static void draw_form(ur_train_options *o, bool equal)
{
    static const char *const cells[] = {"rnn", "lstm", "gru"};
    int cell = among(UR_CELL_RNN, UR_CELL_GRU);
    double dropout = perhaps(0.3);
    SET(o, "cell=%s dropout=%g", cells[cell], dropout);
    SET(o, "variational=%s", dropout > 0 && one_in(2) ? "yes" : "no");
    SET(o, "recurrent-dropout=%g", perhaps(0.2));
    SET(o, "zoneout=%g", perhaps(0.1));
    SET(o, "learned-state=%s", one_in(3) ? "yes" : "no");
    SET(o, "reset=%s", cell == UR_CELL_GRU && one_in(2) ? "before" : "after");
    SET(o, "time-residual=%s", cell == UR_CELL_RNN && equal && one_in(3) ? "yes" : "no");
    if (cell != UR_CELL_LSTM)
        return;
    SET(o, "zoneout-cell=%g", perhaps(0.1));
    SET(o, "projection=%d", one_in(3) ? among(1, 15) : 0);
    SET(o, "peepholes=%s", one_in(2) ? "yes" : "no");
    SET(o, "coupled=%s", one_in(3) ? "yes" : "no");
    SET(o, "cell-clip=%g", perhaps(3));
}

static ur_train_options draw(const char *const *data)
{
    static const char *const kinds[] = {"byte", "char", "word"};
    static const char *const optimizers[] = {"adamw", "sgd", "rmsprop"};
    static const char *const policies[] = {"stop", "skip", "rollback"};
    ur_train_options o = options_of(one_in(3) ? "fill" : "lm", "", data);
    bool equal = one_in(2);
    int layers = among(1, 4), first = among(16, 200);
    char hidden[64];
    SET(&o, "tokens=%s layers=%d", kinds[among(0, 2)], layers);
    snprintf(hidden, sizeof hidden, "hidden=%d", first);
    for (int l = 1; l < layers; l++)
        snprintf(hidden + strlen(hidden), sizeof hidden - strlen(hidden), ",%d",
                 equal ? first : among(16, 200));
    set_run(&o, hidden);
    draw_form(&o, equal);
    if (one_in(4))
        set_run(&o, "tie=yes");
    else
        SET(&o, "embed=%d", one_in(2) ? among(1, 150) : 0);
    SET(&o, "seq-length=%d batch=%d", among(1, 120), among(1, 40));
    SET(&o, "optimizer=%s", optimizers[among(0, 2)]);
    SET(&o, "on-nan=%s", policies[among(0, 2)]);
    o.val = one_in(3) ? 0 : 0.1;
    o.seed = (uint64_t)among(1, 1000);
    return o;
}

static void plan__foretells_what_nobody_thought_of(void **state)
{
    (void)state;
    enum { DRAWN = 40 / EACH };
    const char *texts[] = {write_words("drawn.txt", 20000, 700, false),
                           write_words("drawn_many.txt", 30000, 3000, true)};
    for (int i = 0; i < DRAWN; i++) {
        char what[200];
        ur_train_options o = draw(texts);
        o.steps = 1;
        if (strcmp(setting_text(&o.job, "tokens"), "word") != 0 && one_in(2))
            o.data = &texts[1];
        snprintf(what, sizeof what, "%s %s %s %s/%s %sx%d", o.task, setting_text(&o.net, "cell"),
                 setting_text(&o.job, "tokens"), setting_text(&o.net, "hidden"),
                 setting_text(&o.net, "embed"), setting_text(&o.job, "seq-length"), o.batch);
        compare(what, &o, among(0, 2));
    }
}

/* ---- what it says ------------------------------------------------------ */

struct seen {
    int n;
    size_t size;
    bool decoder;
};

static void see_param(void *user, const ur_param *p)
{
    struct seen *s = user;
    s->n++;
    s->size += p->size;
    s->decoder = s->decoder || strcmp(p->name, "decoder.weight") == 0;
}

static int files_there(void)
{
    int n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void plan__says_what_the_run_would_do(void **state)
{
    (void)state;
    const char *data = write_words("say.txt", 5000, 50, false);
    ur_train_options o = options_of("lm", "", &data);
    struct seen seen = {0};
    ur_plan p;
    ur_plan_init(&p);
    o.steps = -1;
    o.epochs = 2;
    int before = files_there();
    assert_ok(ur_train_plan(&o, 0.05, see_param, &seen, &p));
    assert_int_equal(files_there(), before);
    struct stat text;
    assert_int_equal(stat(data, &text), 0);
    assert_int_equal(p.data_bytes, text.st_size);
    assert_int_equal(p.train_tokens + p.val_tokens, text.st_size);
    assert_int_equal(p.vocabulary, 13);
    int64_t row = (p.train_tokens - 1) / o.batch;
    assert_int_equal(p.epoch_steps, (row + 32 - 1) / 32);
    assert_int_equal(p.steps, 2 * p.epoch_steps);
    assert_int_equal(p.step, 0);
    assert_false(p.finished);
    assert_int_equal(seen.n, 10);
    assert_int_equal(seen.size, p.parameters);
    assert_true(seen.decoder);
    assert_int_equal(p.weights, p.parameters * sizeof(ur_real));
    assert_int_equal(p.moments, 2 * p.weights);
    assert_int_equal(p.disk, 2 * p.model_file + 3 * p.state_file);
    assert_int_equal(p.scratch_file, 0);
    assert_true(p.step_seconds > 0 && isfinite(p.step_seconds));
    assert_true(p.seconds >= (double)p.steps * p.step_seconds);
    assert_ok(ur_train_plan(&o, 0, NULL, NULL, &p));
    assert_true(isnan(p.step_seconds) && isnan(p.seconds));
}

/* The figure that the run itself reports. */
static bool keep_start(void *user, const ur_report *r)
{
    size_t *sizes = user;
    if (r->kind == UR_REPORT_START)
        sizes[0] = r->memory_planned;
    if (r->kind == UR_REPORT_END)
        sizes[1] = r->memory_peak;
    return true;
}

static void plan__goes_on_where_a_run_stands(void **state)
{
    (void)state;
    const char *data = write_words("on.txt", 5000, 50, false);
    ur_train_options o = options_of("lm", "", &data);
    size_t sizes[2] = {0, 0};
    ur_plan p;
    ur_plan_init(&p);
    assert_ok(ur_train(&o, keep_start, sizes));
    assert_true(sizes[0] > 0);
    assert_true(sizes[1] >= sizes[0] / 2);
    assert_int_equal(sizes[1], ur_memory_peak());
    o.resume = true;
    assert_ok(ur_train_plan(&o, 0.01, NULL, NULL, &p));
    assert_true(p.finished);
    assert_int_equal(p.step, 3);
    assert_true(isnan(p.step_seconds));
    o.steps = 10;
    assert_ok(ur_train_plan(&o, 0.01, NULL, NULL, &p));
    assert_false(p.finished);
    assert_int_equal(p.step, 3);
    assert_int_equal(p.steps, 10);
    assert_true(p.step_seconds > 0);
    /* Nothing of it has been kept. */
    assert_ok(ur_train(&o, NULL, NULL));
    char *a, *b, planned[512];
    size_t n, m;
    snprintf(planned, sizeof planned, "%s", o.model);
    o.model = model_path();
    o.resume = false;
    o.steps = 3;
    assert_ok(ur_train(&o, NULL, NULL));
    o.resume = true;
    o.steps = 10;
    assert_ok(ur_train(&o, NULL, NULL));
    assert_ok(ur__file_slurp(planned, 1 << 24, &a, &n));
    assert_ok(ur__file_slurp(o.model, 1 << 24, &b, &m));
    assert_int_equal(n, m);
    assert_memory_equal(a, b, n);
    ur__free(a);
    ur__free(b);
}

static void plan__knows_an_end_by_time(void **state)
{
    (void)state;
    const char *data = write_words("time.txt", 5000, 50, false);
    ur_train_options o = options_of("lm", "", &data);
    ur_plan p;
    ur_plan_init(&p);
    o.steps = -1;
    o.epochs = HUGE_VAL;
    o.seconds = 100;
    assert_ok(ur_train_plan(&o, 0.01, NULL, NULL, &p));
    assert_int_equal(p.steps, -1);
    assert_true(p.seconds == 100);
}

/* ---- refusals ---------------------------------------------------------- */

static void refuse_alike(const ur_train_options *o, ur_status status)
{
    ur_plan p;
    ur_plan_init(&p);
    char planned[512];
    assert_status(status, ur_train_plan(o, 0.01, NULL, NULL, &p));
    snprintf(planned, sizeof planned, "%s", ur_errmsg());
    assert_status(status, ur_train(o, NULL, NULL));
    assert_string_equal(planned, ur_errmsg());
}

static void plan__refuses_what_a_run_refuses(void **state)
{
    (void)state;
    const char *data = write_words("no.txt", 5000, 50, false), *none = tmp_path("missing.txt");
    ur_train_options o = options_of("lm", "", &data), other;
    o.steps = 1;
    assert_ok(ur_train(&o, NULL, NULL));
    refuse_alike(&o, UR_EEXIST);
    other = o;
    other.resume = true;
    other.lr = 1;
    refuse_alike(&other, UR_EINVAL);
    o.model = model_path();
    other = o;
    other.data = &none;
    refuse_alike(&other, UR_EINPUT);
    other = o;
    other.batch = 1 << 20;
    refuse_alike(&other, UR_EDATA);
    other = o;
    other.val = 2;
    refuse_alike(&other, UR_EINVAL);
    other = o;
    other.model = "/no/such/folder/m.safetensors";
    refuse_alike(&other, UR_EOUTPUT);
    other = o;
    other.task = "none";
    refuse_alike(&other, UR_EINVAL);
    other = o;
    other.init_from = data;
    refuse_alike(&other, UR_EFORMAT);
}

/* A net of 30 GB is not even begun. */
static void plan__keeps_to_a_limit(void **state)
{
    (void)state;
    const char *data = write_words("limit.txt", 5000, 50, false);
    ur_train_options o = options_of("lm", "", &data);
    ur_plan p, exact;
    ur_plan_init(&p);
    ur_plan_init(&exact);
    set_run(&o, "hidden=16384");
    o.memory_limit = (size_t)1 << 30;
    size_t before = ur_memory_peak();
    refuse_alike(&o, UR_ENOMEM);
    assert_true(ur_memory_peak() < before + (4 << 20));
    assert_status(UR_ENOMEM, ur_train_plan(&o, 0, NULL, NULL, &p));
    if (!strstr(ur_errmsg(), "and there are 1.00: fewer or smaller layers"))
        fail_msg("%s", ur_errmsg());
    assert_true(p.memory > (size_t)60 << 30 && p.parameters > (size_t)3 << 30);
    set_run(&o, "hidden=96");
    o.memory_limit = 0;
    assert_ok(ur_train_plan(&o, 0, NULL, NULL, &exact));
    o.memory_limit = exact.memory - 1;
    refuse_alike(&o, UR_ENOMEM);
    o.memory_limit = exact.memory + 4096;
    assert_ok(ur_train(&o, NULL, NULL));
    /* Sums of absurd sizes do not wrap round to small ones. */
    o = options_of("lm", "layers=32 hidden=20000 batch=1 seq-length=1048576", &data);
    o.memory_limit = (size_t)1 << 34;
    refuse_alike(&o, UR_ENOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan__foretells_memory_and_files),
        cmocka_unit_test(plan__foretells_what_nobody_thought_of),
        cmocka_unit_test(plan__counts_what_a_run_starts_from),
        cmocka_unit_test(plan__says_what_the_run_would_do),
        cmocka_unit_test(plan__goes_on_where_a_run_stands),
        cmocka_unit_test(plan__knows_an_end_by_time),
        cmocka_unit_test(plan__refuses_what_a_run_refuses),
        cmocka_unit_test(plan__keeps_to_a_limit),
        cmocka_unit_test(plan__counts_its_own_thread_alone),    /* last: it raises the peak */
    };
    folder = tmp_dir();
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
