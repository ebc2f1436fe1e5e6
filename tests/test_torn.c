/* SPDX-License-Identifier: MIT */
/*
 * Power cuts. A run's operations are recorded and replayed up to each of them, what was not
 * synced being lost in part. Then every file under a final name is one that the run wrote,
 * whole, and the loader finds the state of the last checkpoint that was completed, or of the
 * one that was being written, and nothing else.
 */
#include "test_io.h"
#include "test_task.h"

#include <sys/stat.h>

#include "support/crash.h"
#include "support/ops_hook.h"

#define MOST_VERSIONS 64
#define EVERY 10            /* step between two checkpoints */

static char recorded[300], replayed[300], model[400];

/* Whole files that the run had under final names, by CRC-32. */
static uint32_t versions[MOST_VERSIONS];
static int n_versions;

static uint32_t sum_of(const char *path)
{
    size_t n;
    char *bytes = read_all(path, &n);
    uint32_t crc = ur__crc32(0, bytes, n);
    ur__free(bytes);
    return crc;
}

static const char *const endings[] = {".safetensors", ".last.safetensors", ".state", ".state.1"};

static bool take_versions(void *user, const ur_report *r)
{
    (void)user;
    if (r->kind == UR_REPORT_START)     /* until now nothing of worth was written */
        crash_record(recorded);
    if (r->kind == UR_REPORT_CHECKPOINT)
        crash_mark(r->step);
    if (r->kind != UR_REPORT_CHECKPOINT && r->kind != UR_REPORT_VALID)
        return true;
    /* Reading is not recorded as anything. */
    for (int i = 0; i < 3; i++) {
        const char *path = with_end(model, endings[i]);
        if (!ur__file_exists(path))
            continue;
        assert_true(n_versions < MOST_VERSIONS);
        versions[n_versions++] = sum_of(path);
    }
    return true;
}

static ur_train_options torn_options(const char *path)
{
    /* Files of several writes take long to replay. */
    ur_train_options o = small_run("lm", path, getenv("UNROLL_LONG") ? "layers=1 hidden=60"
                                                                     : "layers=1 hidden=5");
    o.batch = 2;
    o.steps = 40;
    o.eval_every = 10;
    o.checkpoint_every = EVERY;
    return o;
}

static void record_run(void)
{
    snprintf(recorded, sizeof recorded, "%s/recorded", tmp_dir());
    snprintf(replayed, sizeof replayed, "%s/replayed", tmp_dir());
    assert_int_equal(mkdir(recorded, 0700), 0);
    assert_int_equal(mkdir(replayed, 0700), 0);
    snprintf(model, sizeof model, "%s/m.safetensors", recorded);
    ur_train_options o = torn_options(model);
    assert_ok(ur_train(&o, take_versions, NULL));
    crash_mark(o.steps);
    crash_stop();
}

/* ---- what is found after a cut ----------------------------------------- */

static bool is_version(uint32_t crc)
{
    for (int i = 0; i < n_versions; i++)
        if (versions[i] == crc)
            return true;
    return false;
}

static bool stop_at_start(void *user, const ur_report *r)
{
    if (r->kind == UR_REPORT_START)
        *(int64_t *)user = r->step;
    return r->kind != UR_REPORT_START;
}

/* NULL if all is as it must be, else what is not. */
static const char *find_fault(const char *path, long reached)
{
    static char fault[600];
    for (int i = 0; i < 4; i++) {
        const char *file = with_end(path, endings[i]);
        if (!ur__file_exists(file) || is_version(sum_of(file)))
            continue;
        snprintf(fault, sizeof fault, "%s is no file of the run", file);
        return fault;
    }
    ur_model *m;
    if (ur__file_exists(path)) {
        if (ur_model_load(&m, path) != UR_OK)
            return ur_errmsg();
        ur_model_free(m);
    }
    int64_t step = -1;
    bool any = ur__file_exists(with_end(path, ".state"))
        || ur__file_exists(with_end(path, ".state.1"));
    if (!any && (ur__file_exists(path) || ur__file_exists(with_end(path, ".last.safetensors"))))
        return "a model is there without a state";
    if (!any)
        return reached == 0 ? NULL : "no state is there";
    ur_train_options o = torn_options(path);
    o.resume = true;
    o.steps = 1000;     /* so that the last state is not the end */
    if (ur_train(&o, stop_at_start, &step) != UR_ECANCELED)
        return ur_errmsg();
    if (step == reached || step == reached + EVERY)
        return NULL;
    snprintf(fault, sizeof fault, "goes on from step %lld after %ld", (long long)step, reached);
    return fault;
}

/* ---- all cuts ---------------------------------------------------------- */

static long cuts, faults;

static void cut(int n, enum crash_bytes bytes, unsigned kept, bool lying, int *waiting)
{
    char path[400];
    long reached;
    *waiting = crash_replay(n, bytes, kept, lying, replayed, &reached);
    snprintf(path, sizeof path, "%s/m.safetensors", replayed);
    ops_hook(&(struct ops_hooks){.no_sync = true});
    const char *fault = find_fault(path, reached);
    ops_hook(NULL);
    cuts++;
    faults += fault != NULL;
    if (fault && !lying)
        fail_msg("after operation %d of %d, bytes %d, changes %x: %s", n, crash_events(),
                 (int)bytes, kept, fault);
}

static void torn__the_old_or_the_new_state(void **unused)
{
    (void)unused;
    bool all = getenv("UNROLL_LONG") != NULL;
    int most = 0;
    cuts = faults = 0;
    for (int n = 0; n <= crash_events(); n++) {
        for (int bytes = 0; bytes < N_CRASH_BYTES; bytes++) {
            if (!all && (n + bytes) % 4 != 0)
                continue;
            int waiting = 1;
            for (unsigned kept = 0; kept < 1u << waiting; kept++)
                cut(n, (enum crash_bytes)bytes, kept, false, &waiting);
            assert_true(waiting < 8);
            most = waiting > most ? waiting : most;
        }
    }
    print_message("%ld power cuts in %d operations, at most %d changes of the folder open\n", cuts,
                  crash_events(), most);
    assert_true(cuts > (all ? 1000 : 200));
}

/* The same with a disk on which no sync is one: if that passed, nothing would be tested. */
static void torn__is_seen_where_nothing_is_synced(void **unused)
{
    (void)unused;
    int waiting;
    cuts = faults = 0;
    for (int n = 1; n <= crash_events(); n += 3)
        cut(n, CRASH_HALF, ~0u, true, &waiting);
    print_message("%ld of %ld cuts do harm where no sync is one\n", faults, cuts);
    assert_true(faults > cuts / 2);
}

/* What a cut left goes on to the same bytes. */
static void torn__goes_on_to_the_same_bytes(void **unused)
{
    (void)unused;
    int stride = getenv("UNROLL_LONG") ? 1 : 12;
    for (int n = 1; n <= crash_events(); n += stride) {
        char path[400];
        long reached;
        crash_replay(n, CRASH_HALF, ~0u, false, replayed, &reached);
        snprintf(path, sizeof path, "%s/m.safetensors", replayed);
        ur_train_options o = torn_options(path);
        o.resume = true;
        ops_hook(&(struct ops_hooks){.no_sync = true});
        ur_status status = ur_train(&o, NULL, NULL);
        ops_hook(NULL);
        assert_ok(status);
        assert_same_run(model, path);
    }
}

static void empty(const char *folder)
{
    for (int i = 0; i < 4; i++) {
        char path[400];
        snprintf(path, sizeof path, "%s/m%s", folder, endings[i]);
        unlink(path);
    }
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d)) != NULL; ) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (e->d_name[0] != '.')
            unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(folder);
}

static int set_up_all(void **state)
{
    set_up(state);
    record_run();
    return 0;
}

static int tear_down_all(void **state)
{
    crash_free();
    empty(recorded);
    empty(replayed);
    return tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(torn__the_old_or_the_new_state),
        cmocka_unit_test(torn__is_seen_where_nothing_is_synced),
        cmocka_unit_test(torn__goes_on_to_the_same_bytes),
    };
    return cmocka_run_group_tests_name("torn", tests, set_up_all, tear_down_all);
}
