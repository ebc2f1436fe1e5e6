/* SPDX-License-Identifier: MIT */
/*
 * kill -9. A run is killed, at a random time or at a moment that is aimed at, gone on with by
 * another number of threads, killed again, until one ends; then its model, last model and
 * state are those of a run that nobody touched, byte for byte.
 *
 * Trials go through all optimizers, schedules and cells, dropout, patience, all tasks.
 * UNROLL_KILLS: how many (10).
 */
#include "test_task.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "support/ops_hook.h"

#define N_VARIANTS 21
#define SEED 77

/* ---- what is trained --------------------------------------------------- */

static ur_train_options variant_options(int v, const char *model)
{
    static const char *const cells[] = {"cell=lstm", "cell=gru", "cell=rnn"};
    static const char *const tasks[] = {"lm", "lm", "lm", "translate", "tag", "classify",
                                        "fill"};
    const char *task = v == 20 ? "forecast" : tasks[v % 7];
    ur_train_options o = small_run(task, model, "hidden=12,10");
    set_run(&o, cells[v % 3]);
    if (v == 20)
        set_run(&o, "recursive=yes base=seasonal");
    if (strcmp(o.task, "tag") == 0)
        set_run(&o, "bidirectional=no seq-length=3");
    set_run(&o, v % 2 ? "dropout=0.2" : "dropout=0");
    set_run(&o, v % 5 == 1 ? "recurrent-dropout=0.1" : "recurrent-dropout=0");
    if (v % 14 == 11)
        set_run(&o, "feedback=yes");
    o.optimizer.kind = (ur_optimizer_kind)(v % 5);
    o.schedule = (ur_schedule_kind)(v / 5 % 4);
    /* So large that validations get worse, which patience and plateau count. */
    o.lr = v % 4 == 3 ? 0.1 : 0.01;
    o.patience = v % 4 == 3 ? 4 : 0;
    o.warmup = v % 3 == 2 ? 10 : 0;
    o.steps = 60;
    o.eval_every = 7;
    o.checkpoint_every = 5;
    return o;
}

/* Each variant's undisturbed run is made when it is first asked for. */
static struct whole {
    char model[400];
    long operations;            /* of files */
    int validating, worse;      /* how many such reports there are */
    double seconds;
} wholes[N_VARIANTS];

static int count_validating, count_worse;

static bool count_moments(void *user, const ur_report *r)
{
    (void)user;
    count_validating += r->kind == UR_REPORT_VALIDATING;
    count_worse += r->kind == UR_REPORT_VALID && r->val_loss > r->best;
    return true;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static const struct whole *whole_of(int v)
{
    struct whole *w = &wholes[v];
    if (w->model[0])
        return w;
    snprintf(w->model, sizeof w->model, "%s", tmp_path("whole.safetensors"));
    ur_train_options o = variant_options(v, w->model);
    count_validating = count_worse = 0;
    double start = now();
    ops_hook(&(struct ops_hooks){.no_sync = true});
    assert_ok(ur_train(&o, count_moments, NULL));
    w->operations = ops_count_all();
    ops_hook(NULL);
    w->seconds = now() - start;
    w->validating = count_validating;
    w->worse = count_worse;
    return w;
}

/* ---- moments ----------------------------------------------------------- */

enum moment {
    AT_TIME,            /* any */
    BEFORE_OPERATION,   /* of a file, the whole of reading and writing */
    AFTER_OPERATION,
    HALF_WRITTEN,
    IN_VALIDATION,
    AFTER_STEP,         /* in an epoch */
    AFTER_WORSE,        /* a validation that was no better */
    N_MOMENTS
};

static struct {
    enum moment moment;
    long at;
    bool half_done;
} aim;

static void die(void)
{
    kill(getpid(), SIGKILL);
}

static enum ops_answer shoot_before(const struct ops_call *call)
{
    if (aim.moment == BEFORE_OPERATION && call->all == aim.at)
        die();
    if (aim.moment == HALF_WRITTEN && call->kind == OPS_WRITE && call->all >= aim.at) {
        aim.half_done = true;
        return OPS_HALF;
    }
    return OPS_DO;
}

static void shoot_after(const struct ops_call *call, long result)
{
    (void)result;
    if (aim.half_done || (aim.moment == AFTER_OPERATION && call->all == aim.at))
        die();
}

static bool shoot(void *user, const ur_report *r)
{
    (void)user;
    bool hit = (aim.moment == IN_VALIDATION && r->kind == UR_REPORT_VALIDATING)
        || (aim.moment == AFTER_STEP && r->kind == UR_REPORT_STEP)
        || (aim.moment == AFTER_WORSE && r->kind == UR_REPORT_VALID
            && r->val_loss > r->best);
    if (hit && --aim.at <= 0)
        die();
    return true;
}

/* A random number in [0,n). */
static long draw(int trial, int nth, uint32_t what, long n)
{
    double u = ur_random_uniform(SEED, 9, (uint64_t)trial * 100 + (uint64_t)nth, what);
    return (long)(u * (double)n);
}

static void take_aim(int trial, int nth, const struct whole *w)
{
    aim.moment = (enum moment)((trial + nth) % N_MOMENTS);
    if (aim.moment == AFTER_WORSE && w->worse == 0)
        aim.moment = AT_TIME;
    /* What goes on has less before it than the whole run had. */
    long shorter = nth + 1;
    switch (aim.moment) {
    case AT_TIME: aim.at = 1 + draw(trial, nth, 1, (long)(w->seconds * 1e6)); break;
    case IN_VALIDATION: aim.at = 1 + draw(trial, nth, 1, w->validating / shorter); break;
    case AFTER_STEP: aim.at = 1 + draw(trial, nth, 1, 59 / shorter); break;
    case AFTER_WORSE: aim.at = 1 + draw(trial, nth, 1, w->worse / shorter); break;
    default: aim.at = 1 + draw(trial, nth, 1, w->operations / shorter); break;
    }
}

/* ---- a trial ----------------------------------------------------------- */

static void train_and_die(int v, const char *model, int threads)
{
    ur_train_options o = variant_options(v, model);
    o.resume = true;
    ops_hook(&(struct ops_hooks){shoot_before, shoot_after, true});
    if (ur_team_new(&o.team, threads) != UR_OK)
        _exit(1);
    _exit(ur_train(&o, shoot, NULL) == UR_OK ? 0 : 2);
}

static bool run_and_kill(int v, const char *model, int threads)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        train_and_die(v, model, threads);
    if (aim.moment == AT_TIME) {
        struct timespec pause = {aim.at / 1000000, aim.at % 1000000 * 1000};
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status) && WEXITSTATUS(status) != 0)
        fail_msg("variant %d: the run ended with %d", v, WEXITSTATUS(status));
    return WIFSIGNALED(status);
}

static void remove_run(const char *model)
{
    static const char *const endings[] = {".safetensors", ".last.safetensors", ".state",
                                          ".state.1", ".state.lock"};
    for (int i = 0; i < 5; i++)
        unlink(with_end(model, endings[i]));
}

/* One to three kills, the first of which must hit. Returns how many did. */
static int kill_and_go_on(int trial, int moments[N_MOMENTS])
{
    int v = trial * 7 % N_VARIANTS, kills = 0;
    const struct whole *w = whole_of(v);
    const char *model = tmp_path("killed.safetensors");
    for (int i = 0; i < 1 + trial % 3 || kills == 0; i++) {
        take_aim(trial, i, w);
        enum moment moment = aim.moment;
        bool hit = run_and_kill(v, model, 1 + (trial + i) % 3);
        kills += hit;
        moments[moment] += hit;
        if (kills == 0)
            remove_run(model);      /* it had ended before: anew */
    }
    ur_train_options o = variant_options(v, model);
    o.resume = true;
    assert_ok(ur_team_new(&o.team, 1 + trial % 4));
    ops_hook(&(struct ops_hooks){.no_sync = true});
    ur_status status = ur_train(&o, NULL, NULL);
    ops_hook(NULL);
    ur_team_free(o.team);
    if (status != UR_OK)
        fail_msg("trial %d, variant %d: %s", trial, v, ur_errmsg());
    assert_same_run(w->model, model);
    DIR *d = opendir(tmp_dir());
    for (struct dirent *e; (e = readdir(d)) != NULL; )
        if (strstr(e->d_name, ".tmp-") || strstr(e->d_name, ".lock"))
            fail_msg("trial %d leaves %s", trial, e->d_name);
    closedir(d);
    remove_run(model);
    return kills;
}

static void kill__then_resume_ends_in_the_same_bytes(void **unused)
{
    (void)unused;
    const char *wanted = getenv("UNROLL_KILLS");
    int trials = wanted ? (int)strtol(wanted, NULL, 10) : 10, kills = 0, moments[N_MOMENTS] = {0};
    for (int trial = 0; trial < trials; trial++)
        kills += kill_and_go_on(trial, moments);
    print_message("%d of %d killed runs end in the bytes of the undisturbed one; %d kills: %d at "
                  "any time, %d around an operation, %d in half a write, %d in a validation, %d "
                  "after a step, %d after a worse validation\n", trials, trials, kills,
                  moments[AT_TIME], moments[BEFORE_OPERATION] + moments[AFTER_OPERATION],
                  moments[HALF_WRITTEN], moments[IN_VALIDATION], moments[AFTER_STEP],
                  moments[AFTER_WORSE]);
    assert_true(kills >= trials);
}

/* Stopped within a validation, it is made up for. */
static bool stop_validating(void *user, const ur_report *r)
{
    int *left = user;
    return r->kind != UR_REPORT_VALIDATING || --*left > 0;
}

static void stop__within_a_validation(void **unused)
{
    (void)unused;
    int stopped = 0;
    for (int v = 0; v < 7; v += 2) {    /* 4: tag, 6: fill */
        const struct whole *w = whole_of(v);
        const char *model = tmp_path("stopped.safetensors");
        ur_train_options o = variant_options(v, model);
        o.resume = true;
        ur_status status;
        int left = 1;
        for (int i = 1; (status = ur_train(&o, stop_validating, &left)) == UR_ECANCELED; i++) {
            assert_true(i < 1000);
            stopped++;
            left = 1 + i % 3;
            if (i > 20)
                left = 1 << 20;
        }
        assert_ok(status);
        assert_same_run(w->model, model);
    }
    assert_true(stopped > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kill__then_resume_ends_in_the_same_bytes),
        cmocka_unit_test(stop__within_a_validation),
    };
    return cmocka_run_group_tests_name("kill", tests, set_up, tear_down);
}
