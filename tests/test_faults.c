/* SPDX-License-Identifier: MIT */
/*
 * Every file operation of training, saving, resuming and loading made to fail, each ordinal
 * of each kind, with each error, once and for ever.
 *
 * After each failure: every file under a final name is one that a run without failures
 * writes, whole; going on ends in the bytes of the undisturbed run; no temporary file, no
 * descriptor, no memory is left; the status is one that the header names. UNROLL_LONG set:
 * all points, else an even share of them.
 */
#include "test_io.h"
#include "test_task.h"

#include <errno.h>

#include "support/ops_hook.h"

#define QUICK_POINTS 180        /* of a task; of tasks that share its files' code, a third */
#define MOST_KNOWN 256

enum fault { FAULT_EIO, FAULT_ENOSPC, FAULT_EINTR, FAULT_SHORT, N_FAULTS };
static const char *const fault_names[N_FAULTS] = {"EIO", "ENOSPC", "EINTR", "short"};

static struct {
    enum ops_kind kind;
    enum fault fault;
    long at;                    /* ordinal; 0: none */
    bool for_ever, reached;
} plan;

/* ---- failing, and knowing what is right -------------------------------- */

static enum ops_answer answer_plan(const struct ops_call *call)
{
    static const int errors[] = {EIO, ENOSPC, EINTR};
    bool hit = plan.at > 0 && call->kind == plan.kind
        && (plan.for_ever ? call->ordinal >= plan.at : call->ordinal == plan.at);
    if (!hit)
        return OPS_DO;
    plan.reached = true;
    if (plan.fault == FAULT_SHORT)
        return OPS_HALF;
    errno = errors[plan.fault];
    return OPS_FAIL;
}

/* What runs without failures put under a final name: which of the three files, and its
 * size and CRC-32. The two names of states share theirs. */
static struct known {
    int file;
    size_t size;
    uint32_t crc;
} known[MOST_KNOWN];
static int n_known;

static const char *const endings[] = {".last.safetensors", ".safetensors", ".state", ".state.1"};

static int file_of(const char *path)
{
    size_t n = strlen(path);
    for (int i = 0; i < 4; i++) {
        size_t m = strlen(endings[i]);
        if (n > m && strcmp(path + n - m, endings[i]) == 0)
            return i < 2 ? i : 2;
    }
    return -1;
}

/* By libc: the operations under test are the library's. */
static struct known look_at(const char *path)
{
    static char bytes[1 << 20];
    struct known k = {.file = file_of(path)};
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    k.size = fread(bytes, 1, sizeof bytes, f);
    assert_true(k.size < sizeof bytes);
    k.crc = ur__crc32(0, bytes, k.size);
    fclose(f);
    return k;
}

static bool is_known(const struct known *k)
{
    for (int i = 0; i < n_known; i++)
        if (known[i].file == k->file && known[i].size == k->size && known[i].crc == k->crc)
            return true;
    return false;
}

static void learn_renamed(const struct ops_call *call, long result)
{
    if (call->kind != OPS_RENAME || result != 0)
        return;
    struct known k = look_at(call->to);
    if (is_known(&k))
        return;
    assert_true(n_known < MOST_KNOWN);
    known[n_known++] = k;
}

static const struct ops_hooks failing = {.before = answer_plan, .no_sync = true};
static const struct ops_hooks learning = {.after = learn_renamed, .no_sync = true};

/* ---- runs -------------------------------------------------------------- */

static const char *task, *whole_model, *part_model;

static ur_train_options tiny_options(const char *model)
{
    bool lm = strcmp(task, "lm") == 0;
    ur_train_options o = small_run(task, model, lm ? "layers=1 hidden=5 seq-length=8" : "hidden=5");
    o.batch = 2;
    o.steps = 12;
    o.eval_every = 3;
    o.checkpoint_every = 4;
    return o;
}

static void remove_run(const char *model)
{
    for (int i = 0; i < 4; i++)
        unlink(with_end(model, endings[i]));
}

/* A run that was stopped after step 5, so that a state, and the one of step 4, are there. */
static void prepare_stopped(void)
{
    struct listener l;
    remove_run(part_model);
    assert_status(UR_ECANCELED, train_until(tiny_options(part_model), 5, &l));
}

static void prepare_nothing(void)
{
    remove_run(part_model);
}

static void prepare_finished(void)
{
    remove_run(part_model);
    ur_train_options o = tiny_options(part_model);
    assert_ok(ur_train(&o, NULL, NULL));
}

/* Where a failure is to be survived: from the start of the run to its last checkpoint. */
static long started[N_OPS_KINDS], last_step[N_OPS_KINDS];

static bool mark(void *user, const ur_report *r)
{
    const ur_train_options *o = user;
    long *to = r->kind == UR_REPORT_START ? started
        : r->kind == UR_REPORT_STEP && r->step == o->steps ? last_step : NULL;
    for (int i = 0; to && i < N_OPS_KINDS; i++)
        to[i] = ops_count((enum ops_kind)i);
    return true;
}

static ur_status train_anew(void)
{
    ur_train_options o = tiny_options(part_model);
    return ur_train(&o, mark, &o);
}

static ur_status train_over(void)
{
    ur_train_options o = tiny_options(part_model);
    o.force = true;
    return ur_train(&o, mark, &o);
}

static ur_status go_on(void)
{
    ur_train_options o = tiny_options(part_model);
    o.resume = true;
    return ur_train(&o, mark, &o);
}

/* A checkpoint, without the training that leads to it. */
static ur_status save_state(void)
{
    struct listener l;
    ur_train_options o = tiny_options(part_model);
    o.resume = true;
    ur_status status = train_until(o, 6, &l);
    return status == UR_ECANCELED ? UR_OK : status;
}

static ur_status load_state(void)
{
    ur_status status = go_on();
    return status;
}

static ur_status load_model(void)
{
    ur_model *model;
    ur_status status = ur_model_load(&model, whole_model);
    assert_true((status == UR_OK) == (model != NULL));
    ur_model_free(model);
    return status;
}

static ur_status save_model(void)
{
    static ur_model *model;
    if (!model) {
        ops_hook(NULL);
        assert_ok(ur_model_load(&model, with_end(whole_model, ".last.safetensors")));
        ops_hook(&failing);
    }
    ur_status status = ur_model_save(model, part_model);
    ur_model_free(model);
    model = NULL;
    return status;
}

static const struct scenario {
    const char *name;
    void (*prepare)(void);
    ur_status (*work)(void);
    bool trains;                /* failures between its marks are survived */
} scenarios[] = {
    {"train", prepare_nothing, train_anew, true},
    {"train over another", prepare_finished, train_over, true},
    {"resume", prepare_stopped, go_on, true},
    {"save a state", prepare_stopped, save_state, false},
    {"load a state", prepare_finished, load_state, false},
    {"load a model", prepare_stopped, load_model, false},
    {"save a model", prepare_finished, save_model, false},
};

/* ---- after a failure --------------------------------------------------- */

static void fail_here(const struct scenario *s, const char *what, const char *path)
{
    fail_msg("%s: %s %ld, %s%s: %s %s (%s)", s->name, ops_name(plan.kind), plan.at,
             fault_names[plan.fault], plan.for_ever ? " for ever" : "", what, path, ur_errmsg());
}

static void check_files(const struct scenario *s)
{
    for (int i = 0; i < 4; i++) {
        const char *path = with_end(part_model, endings[i]);
        if (access(path, F_OK) != 0)
            continue;
        struct known k = look_at(path);
        if (!is_known(&k) && s->work != save_model)
            fail_here(s, "no run writes this:", path);
    }
    DIR *d = opendir(tmp_dir());
    for (struct dirent *e; (e = readdir(d)) != NULL; ) {
        /* A lock whose content cannot be read may be another's file: it stays. */
        bool stays = plan.kind == OPS_UNLINK
            || (plan.kind == OPS_READ && strstr(e->d_name, ".state.lock"));
        if ((strstr(e->d_name, ".tmp-") || strstr(e->d_name, ".lock")) && !stays)
            fail_here(s, "left behind:", e->d_name);
    }
    closedir(d);
}

static void check_status(const struct scenario *s, ur_status status)
{
    bool known_status = status == UR_OK || status == UR_EOUTPUT || status == UR_EINPUT
        || (status == UR_EFORMAT && plan.kind == OPS_READ)
        || (status == UR_EEXIST && plan.kind == OPS_MODE);
    if (!known_status)
        fail_here(s, "status", ur_status_name(status));
    bool survived = s->trains && !plan.for_ever && plan.at > started[plan.kind]
        && plan.at <= last_step[plan.kind];
    if ((survived || (plan.fault == FAULT_SHORT && plan.kind != OPS_READ)) && status != UR_OK)
        fail_here(s, "not survived:", ur_status_name(status));
    if (status != UR_OK && !*ur_errmsg())
        fail_here(s, "no message", "");
}

/* What is there goes on, or, if nothing is, begins, and ends as if nothing had been. */
static void check_end(const struct scenario *s)
{
    ur_train_options o = tiny_options(part_model);
    o.resume = true;
    ops_hook(&(struct ops_hooks){.no_sync = true});
    ur_status status = ur_train(&o, NULL, NULL);
    /* The states of a run that is to be replaced go first, and its model is not begun over. */
    bool stateless = !ur__file_exists(with_end(part_model, ".state")) &&
                     !ur__file_exists(with_end(part_model, ".state.1"));
    if (status == UR_EEXIST && s->work == train_over && stateless) {
        o.resume = false;
        o.force = true;
        status = ur_train(&o, NULL, NULL);
    }
    ops_hook(NULL);
    if (status != UR_OK)
        fail_here(s, "cannot go on:", ur_status_name(status));
    assert_same_run(whole_model, part_model);
}

static void check_point(const struct scenario *s)
{
    ops_hook(NULL);
    ops_hook(&(struct ops_hooks){.no_sync = true});
    s->prepare();
    int descriptors = count_descriptors();
    long blocks = ur__mem_blocks();
    plan.reached = false;
    ops_hook(&failing);
    ur_status status = s->work();
    ops_hook(NULL);
    assert_int_equal(count_descriptors(), descriptors);
    if (ur__mem_blocks() != blocks)
        fail_here(s, "memory leaks", "");
    if (!plan.reached)
        fail_here(s, "not reached", "");
    check_status(s, status);
    check_files(s);
    if (s->work == save_model) {
        struct known k = look_at(part_model), old = look_at(whole_model);
        struct known fresh = look_at(with_end(whole_model, ".last.safetensors"));
        const struct known *want = status == UR_OK ? &fresh : &old;
        if (k.size != want->size || k.crc != want->crc)
            fail_here(s, "not the file that the status tells of", "");
    } else if (s->work != load_model) {
        check_end(s);
    }
}

/* ---- all of them ------------------------------------------------------- */

/* Operations of a kind in a run without failures, the marks set. */
static void count_calls(const struct scenario *s, long calls[N_OPS_KINDS])
{
    plan.at = 0;
    ops_hook(&(struct ops_hooks){.no_sync = true});
    s->prepare();
    ops_hook(&failing);
    assert_ok(s->work());
    for (int i = 0; i < N_OPS_KINDS; i++)
        calls[i] = ops_count((enum ops_kind)i);
    ops_hook(NULL);
}

static bool can_be(enum ops_kind kind, enum fault fault)
{
    return fault != FAULT_SHORT || kind == OPS_READ || kind == OPS_WRITE;
}

static long count_points(const long calls[N_OPS_KINDS])
{
    long n = 0;
    for (int kind = 0; kind < N_OPS_KINDS; kind++)
        for (int fault = 0; fault < N_FAULTS; fault++)
            n += can_be((enum ops_kind)kind, (enum fault)fault) ? 2 * calls[kind] : 0;
    return n;
}

/* Each stride-th point of a scenario. Returns how many. */
static long fail_all(const struct scenario *s, const long calls[N_OPS_KINDS], long stride)
{
    long done = 0, seen = 0;
    for (int kind = 0; kind < N_OPS_KINDS; kind++) {
        for (long i = 0; i < calls[kind] * N_FAULTS * 2; i++) {
            plan.kind = (enum ops_kind)kind;
            plan.for_ever = i % 2 != 0;
            plan.fault = (enum fault)(i / 2 % N_FAULTS);
            plan.at = i / (2 * N_FAULTS) + 1;
            if (!can_be(plan.kind, plan.fault) || seen++ % stride != 0)
                continue;
            check_point(s);
            done++;
        }
    }
    return done;
}

static void fail_points(const char *of, long points)
{
    task = of;
    n_known = 0;
    long calls[COUNT(scenarios)][N_OPS_KINDS], all = 0, done = 0;
    ur_train_options whole = tiny_options(tmp_path("whole.safetensors"));
    struct listener l;
    whole_model = strdup(whole.model);
    part_model = strdup(tmp_path("part.safetensors"));
    remove_run(whole_model);
    remove_run(part_model);
    ops_hook(&learning);
    assert_ok(ur_train(&whole, NULL, NULL));
    assert_status(UR_ECANCELED, train_until(tiny_options(part_model), 5, &l));
    whole = tiny_options(part_model);
    whole.resume = true;
    assert_status(UR_ECANCELED, train_until(whole, 6, &l));
    assert_ok(ur_train(&whole, NULL, NULL));
    for (size_t i = 0; i < COUNT(scenarios); i++) {
        count_calls(&scenarios[i], calls[i]);
        all += count_points(calls[i]);
    }
    long stride = getenv("UNROLL_LONG") ? 1 : all / points + 1;
    for (size_t i = 0; i < COUNT(scenarios); i++) {
        count_calls(&scenarios[i], calls[i]);   /* sets the marks */
        long n = fail_all(&scenarios[i], calls[i], stride);
        print_message("%s, %s: %ld failures of %ld points\n", task, scenarios[i].name, n,
                      count_points(calls[i]));
        done += n;
    }
    print_message("%s: %ld failures injected\n", task, done);
    assert_true(done >= (stride == 1 ? 2000 : points / 2));
    free((void *)(uintptr_t)whole_model);
    free((void *)(uintptr_t)part_model);
}

static void faults__leave_whole_files_and_runs_that_go_on(void **unused)
{
    (void)unused;
    fail_points("lm", QUICK_POINTS);
}

static void faults__leave_the_same_of_labelled_runs(void **unused)
{
    (void)unused;
    fail_points("classify", QUICK_POINTS / 3);
    fail_points("tag", QUICK_POINTS / 3);
    fail_points("forecast", QUICK_POINTS / 3);
    fail_points("translate", QUICK_POINTS / 4);
}

/* ---- a disk that stays full -------------------------------------------- */

static bool disk_is_full;
static int n_warnings;
static char last_warning[600];

static enum ops_answer refuse_writing(const struct ops_call *call)
{
    if (!disk_is_full || call->kind != OPS_WRITE)
        return OPS_DO;
    errno = ENOSPC;
    return OPS_FAIL;
}

/* Full from the third step on; room again, if ever, at `until`. */
static int64_t full_until;

static bool fill_disk(void *user, const ur_report *r)
{
    (void)user;
    disk_is_full = r->step >= 3 && r->step < full_until;
    if (r->kind == UR_REPORT_WARNING) {
        n_warnings++;
        snprintf(last_warning, sizeof last_warning, "%s", r->text);
    }
    return true;
}

static ur_status train_on_full_disk(ur_train_options *o, int64_t until)
{
    full_until = until;
    n_warnings = 0;
    disk_is_full = false;
    ops_hook(&(struct ops_hooks){.before = refuse_writing, .no_sync = true});
    ur_status status = ur_train(o, fill_disk, NULL);
    ops_hook(NULL);
    return status;
}

static void full_disk__costs_nothing_but_warnings(void **unused)
{
    (void)unused;
    ur_train_options whole = small_options(tmp_path("whole.safetensors")), o = whole;
    whole.eval_every = 7;
    o = whole;
    o.model = tmp_path("full.safetensors");
    assert_ok(train_on_full_disk(&whole, 0));
    /* Up to just before the end: the best model was in memory for a hundred steps. */
    assert_ok(train_on_full_disk(&o, whole.steps));
    assert_true(n_warnings > 10);
    assert_same_run(whole.model, o.model);
}

static void full_disk__at_the_end_says_what_is_left(void **unused)
{
    (void)unused;
    ur_train_options whole = small_options(tmp_path("whole.safetensors")), o;
    whole.eval_every = 7;
    o = whole;
    o.model = tmp_path("full.safetensors");
    assert_ok(train_on_full_disk(&whole, 0));
    assert_status(UR_EOUTPUT, train_on_full_disk(&o, 1000));
    assert_message("no space left on device");
    assert_message("no state is on disk");
    o.resume = true;
    full_until = 0;
    struct listener l;
    assert_status(UR_ECANCELED, train_until(o, 25, &l));
    assert_status(UR_EOUTPUT, train_on_full_disk(&o, 1000));
    assert_message("the state of step 25 is on disk");
    assert_message("--resume");
    assert_ok(train_on_full_disk(&o, 0));
    assert_same_run(whole.model, o.model);
}

/* Of all writing only that of the best model fails: the state must not get ahead of it. */
static bool best_is_refused;

static enum ops_answer refuse_best(const struct ops_call *call)
{
    if (!best_is_refused || call->kind != OPS_OPEN || !strstr(call->path, "best.safetensors.tmp"))
        return OPS_DO;
    errno = EDQUOT;
    return OPS_FAIL;
}

static bool end_after_best(void *user, const ur_report *r)
{
    if (r->kind == UR_REPORT_START)
        best_is_refused = true;
    return r->kind != UR_REPORT_STEP || r->step < *(const int64_t *)user;
}

static void full_disk__no_state_outruns_the_best_model(void **unused)
{
    (void)unused;
    struct listener l;
    ur_train_options whole = small_options(tmp_path("whole.safetensors")), o;
    whole.lr = 0.05;
    whole.schedule = UR_SCHEDULE_CONSTANT;
    whole.eval_every = 7;
    whole.checkpoint_every = 5;
    o = whole;
    o.model = tmp_path("best.safetensors");
    assert_ok(train_until(whole, 0, &l));
    assert_true(l.best_step > 7 && l.best_step + 12 < whole.steps);
    /* Refused from before the best one until after it. */
    int64_t end = l.best_step + 12;
    assert_status(UR_ECANCELED, train_until(o, l.best_step - 1, &l));
    o.resume = true;
    ops_hook(&(struct ops_hooks){.before = refuse_best, .no_sync = true});
    ur_status status = ur_train(&o, end_after_best, &end);
    ops_hook(NULL);
    assert_int_equal(status, UR_EOUTPUT);
    assert_message("best.safetensors");
    assert_ok(train_until(o, 0, &l));
    assert_same_run(whole.model, o.model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults__leave_whole_files_and_runs_that_go_on),
        cmocka_unit_test(faults__leave_the_same_of_labelled_runs),
        cmocka_unit_test(full_disk__costs_nothing_but_warnings),
        cmocka_unit_test(full_disk__at_the_end_says_what_is_left),
        cmocka_unit_test(full_disk__no_state_outruns_the_best_model),
    };
    return cmocka_run_group_tests_name("faults", tests, set_up, tear_down);
}
