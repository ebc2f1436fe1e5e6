/* SPDX-License-Identifier: MIT */
/* Runs that are interrupted, by a report, by damage, by kills, and go on: the same bytes
 * as one that was not. */
#include "test_task.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "io/json.h"
#include "train/identity.h"

/* ---- going on ---------------------------------------------------------- */

static void resume__equals_uninterrupted(void **unused)
{
    (void)unused;
    struct listener l;
    ur_train_options whole = small_options(tmp_path("whole.safetensors"));
    assert_ok(train_until(whole, 0, &l));
    /* In an epoch; where an evaluation, a checkpoint, an epoch's end is due; the end. */
    const int64_t at[] = {1, 33, 40, 50, 75, 100, 119, 120};
    for (int i = 0; i < 8; i++) {
        ur_train_options o = small_options(tmp_path("part.safetensors"));
        assert_status(UR_ECANCELED, train_until(o, at[i], &l));
        assert_int_equal(l.last_step, at[i]);
        assert_int_equal(l.count[UR_REPORT_END], 0);
        o.resume = true;
        assert_ok(ur_team_new(&o.team, 3));
        assert_ok(train_until(o, 0, &l));
        ur_team_free(o.team);
        assert_non_null(strstr(l.note, "going on after step"));
        assert_same_run(whole.model, o.model);
    }
}

static void resume__equals_uninterrupted_for_labels(void **unused)
{
    (void)unused;
    static const char *const runs[][2] = {
        {"classify", "pool=attention balanced=yes"}, {"tag", "word-dropout=0.1"},
        {"tag", "crf=yes"}, {"classify", "average=2"},
        {"tag", "feedback=yes label-embed=4"},
        {"tag", "bidirectional=no seq-length=2 word-dropout=0.1"},
        {"forecast", "target=a,b base=linear"},
        {"forecast", "recursive=yes features=a transform=log"},
        {"translate", "scheduled-sampling=0.3 sampling-steps=40"},
        {"translate", "input-feeding=yes attention=general"},
    };
    const int64_t at[] = {1, 23, 40, 51, 60};
    for (size_t k = 0; k < sizeof runs / sizeof *runs; k++) {
        struct listener l;
        ur_train_options whole = small_run(runs[k][0], tmp_path("whole.safetensors"), runs[k][1]);
        whole.steps = 60;
        assert_ok(train_until(whole, 0, &l));
        for (int i = 0; i < 5; i++) {
            ur_train_options o = whole;
            o.model = tmp_path("part.safetensors");
            o.force = true;
            assert_status(UR_ECANCELED, train_until(o, at[i], &l));
            o.force = false;
            o.resume = true;
            assert_ok(ur_team_new(&o.team, 3));
            assert_ok(train_until(o, 0, &l));
            ur_team_free(o.team);
            assert_same_run(whole.model, o.model);
        }
    }
}

static void resume__equals_uninterrupted_for_each_optimizer(void **unused)
{
    (void)unused;
    for (int kind = 0; kind < 5; kind++) {
        struct listener l;
        ur_train_options a = small_options(tmp_path("a.safetensors")), b;
        a.optimizer.kind = (ur_optimizer_kind)kind;
        a.schedule = (ur_schedule_kind)(kind % 4);
        a.steps = 60;
        b = a;
        b.model = tmp_path("b.safetensors");
        assert_ok(train_until(a, 0, &l));
        assert_status(UR_ECANCELED, train_until(b, 41, &l));
        b.resume = true;
        assert_ok(train_until(b, 0, &l));
        assert_same_run(a.model, b.model);
    }
}

static void resume__a_later_end_equals_one_run(void **unused)
{
    (void)unused;
    struct listener l;
    ur_train_options a = small_options(tmp_path("a.safetensors")), b;
    a.schedule = UR_SCHEDULE_CONSTANT;
    a.steps = 200;
    b = a;
    b.model = tmp_path("b.safetensors");
    assert_ok(train_until(a, 0, &l));
    b.steps = 100;
    assert_ok(train_until(b, 0, &l));
    b.resume = true;
    assert_ok(train_until(b, 0, &l));
    assert_non_null(strstr(l.note, "was finished after step 100"));
    assert_int_equal(l.count[UR_REPORT_STEP], 0);
    b.steps = 200;
    assert_ok(train_until(b, 0, &l));
    assert_int_equal(l.count[UR_REPORT_STEP], 100);
    assert_same_run(a.model, b.model);
    b.steps = 150;
    assert_status(UR_EINVAL, train_until(b, 0, &l));
    assert_message("steps was 200 and is 150 now");
}

static void resume__keeps_its_options(void **unused)
{
    (void)unused;
    struct listener l;
    const char *model = tmp_path("m.safetensors");
    ur_train_options base = small_options(model), o;
    assert_status(UR_ECANCELED, train_until(base, 30, &l));
    base.resume = true;
#define CHANGED(member, value, text)                                                    \
    do {                                                                                \
        o = base;                                                                       \
        o.member = value;                                                               \
        assert_status(UR_EINVAL, train_until(o, 0, &l));                                \
        assert_message(text);                                                           \
    } while (0)
    CHANGED(lr, 0.02, "lr was 0.01 and is 0.02 now");
    CHANGED(batch, 9, "batch was 8 and is 9 now");
    CHANGED(seed, 124, "seed was 123 and is 124 now");
    CHANGED(val, 0.2, "val was 0.1 and is 0.2 now");
    CHANGED(optimizer.clip_norm, 2, "clip_norm was 1.0 and is 2.0 now");
    CHANGED(optimizer.kind, UR_OPTIMIZER_SGD, "optimizer was \"adamw\" and is \"sgd\" now");
    CHANGED(schedule, UR_SCHEDULE_STEP, "schedule was \"cosine\" and is \"step\" now");
    CHANGED(patience, 3, "patience was 0 and is 3 now");
    CHANGED(seconds, 5, "time had no limit and is 5 now");
#undef CHANGED
    static const struct { const char *setting, *text; } set[] = {
        {"seq-length=17", "seq_length was 16 and is 17 now"},
        {"hidden=25,16", "hidden was [24,16] and is [25,16] now"},
        {"cell=gru", "cell was \"lstm\" and is \"gru\" now"},
        {"tokens=byte", "tokens was \"char\" and is \"byte\" now"},
        {"projection=3", "projection was not set and is [3,3] now"},
    };
    for (size_t i = 0; i < sizeof set / sizeof *set; i++) {
        o = base;
        set_run(&o, set[i].setting);
        assert_status(UR_EINVAL, train_until(o, 0, &l));
        assert_message(set[i].text);
    }
    o = base;
    o.data = &other_path;
    assert_status(UR_EDATA, train_until(o, 0, &l));
    assert_message("other data: ");
    o = base;
    o.eval_every = 7;
    o.checkpoint_every = 9;
    o.report_every = 5;
    o.sample_every = 50;
    assert_ok(train_until(o, 0, &l));
}

/* Cadences say which model is best, so the run is the same one only if it keeps them. */
static void resume__takes_up_what_may_change(void **unused)
{
    (void)unused;
    struct listener l;
    ur_train_options whole = small_options(tmp_path("whole.safetensors")), bare;
    ur_train_options o = small_options(tmp_path("part.safetensors"));
    bare = o;
    bare.eval_every = bare.checkpoint_every = 0;
    o.eval_every = whole.eval_every = 7;
    o.checkpoint_every = whole.checkpoint_every = 11;
    o.sample_every = whole.sample_every = 13;
    o.on_nan = whole.on_nan = UR_ON_NAN_SKIP;
    assert_ok(train_until(whole, 0, &l));
    const int samples = l.count[UR_REPORT_SAMPLE];
    assert_status(UR_ECANCELED, train_until(o, 30, &l));
    bare.resume = true;
    const int before = l.count[UR_REPORT_SAMPLE];
    assert_ok(train_until(bare, 0, &l));
    assert_int_equal(before + l.count[UR_REPORT_SAMPLE], samples);
    assert_same_run(whole.model, o.model);
    o.force = true;
    assert_status(UR_ECANCELED, train_until(o, 30, &l));
    assert_ok(ur_train_set(&bare, "eval-every", "0"));
    assert_ok(train_until(bare, 0, &l));
    assert_in_range(l.count[UR_REPORT_VALID], 1, 5);    /* at an epoch's end again */
}

static void resume__reads_states_without_what_may_change(void **unused)
{
    (void)unused;
    static const char old[] = "{\"lr\":1,\"end\":{}}";
    static const char now[] = "{\"lr\":1,\"end\":{},\"may_change\":{\"eval_every\":7}}";
    ur_train_options o = small_options(tmp_path("m.safetensors"));
    struct ur__json *j;
    o.eval_every = 0;
    assert_ok(ur__identity_compare(old, now));
    assert_ok(ur__identity_compare(now, old));
    assert_ok(ur__json_parse(&j, old, strlen(old)));
    assert_ok(ur__identity_apply(j, &o));
    ur__json_free(j);
    assert_int_equal(o.eval_every, 0);
    assert_ok(ur__json_parse(&j, now, strlen(now)));
    assert_ok(ur__identity_apply(j, &o));
    ur__json_free(j);
    assert_int_equal(o.eval_every, 7);
}

static void write_bytes(const char *path, const char *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

/* Longer, shorter, another byte; in the data and in the validation file. */
static void resume__refuses_data_that_changed(void **unused)
{
    (void)unused;
    struct listener l;
    const char *data = tmp_path("data.txt"), *held_out = tmp_path("held_out.txt");
    write_text(data, 5, 1200);
    write_text(held_out, 6, 200);
    ur_train_options o = small_options(tmp_path("m.safetensors"));
    o.data = &data;
    o.val_file = held_out;
    assert_status(UR_ECANCELED, train_until(o, 30, &l));
    o.resume = true;
    for (int i = 0; i < 2; i++) {
        const char *path = i ? held_out : data;
        size_t n;
        char *bytes = read_all(path, &n), changed[8192];
        assert_true(n + 1 < sizeof changed);
        memcpy(changed, bytes, n);
        changed[n] = 'e';
        for (int how = 0; how < 3; how++) {
            changed[100] = how < 2 ? bytes[100] : bytes[100] == 'e' ? 't' : 'e';
            write_bytes(path, changed, how == 0 ? n + 1 : how == 1 ? n - 1 : n);
            assert_status(UR_EDATA, train_until(o, 0, &l));
            assert_message(i ? "other val data: " : "other data: ");
            assert_message("CRC-32");
        }
        write_bytes(path, bytes, n);
        ur__free(bytes);
    }
    assert_int_equal(unlink(data), 0);
    assert_status(UR_EINPUT, train_until(o, 0, &l));
    write_text(data, 5, 1200);
    assert_ok(train_until(o, 0, &l));
}

static void damage(const char *path, long at)
{
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    fseek(f, at, at < 0 ? SEEK_END : SEEK_SET);
    int c = fgetc(f);
    fseek(f, -1, SEEK_CUR);
    fputc(c ^ 0x10, f);
    fclose(f);
}

static void resume__falls_back_from_a_damaged_state(void **unused)
{
    (void)unused;
    struct listener l;
    ur_train_options whole = small_options(tmp_path("whole.safetensors"));
    assert_ok(train_until(whole, 0, &l));
    const long at[] = {-1, -5000, 20, 300, 0};
    for (int i = 0; i < 6; i++) {
        ur_train_options o = small_options(tmp_path("part.safetensors"));
        assert_status(UR_ECANCELED, train_until(o, 50, &l));
        const char *state = with_end(o.model, ".state");
        if (i < 5)
            damage(state, at[i]);
        else
            unlink(state);
        o.resume = true;
        assert_ok(train_until(o, 0, &l));
        assert_non_null(strstr(l.note, "going on from the state before it"));
        assert_non_null(strstr(l.note, "after step 40"));
        assert_same_run(whole.model, o.model);
    }
    ur_train_options o = small_options(tmp_path("part.safetensors"));
    assert_status(UR_ECANCELED, train_until(o, 50, &l));
    damage(with_end(o.model, ".state"), -1);
    damage(with_end(o.model, ".state.1"), -1);
    o.resume = true;
    assert_status(UR_EFORMAT, train_until(o, 0, &l));
    assert_message("checksum");
}

/* The byte after `text` becomes another. */
static void edit(const char *path, const char *text, char to)
{
    size_t n, at = 0, length = strlen(text);
    char *bytes = read_all(path, &n);
    while (at + length < n && memcmp(bytes + at, text, length) != 0)
        at++;
    assert_true(at + length < n);
    bytes[at + length] = to;
    write_bytes(path, bytes, n);
    ur__free(bytes);
}

/* The sentence names the file and what is wrong in it. */
static void resume__names_the_state_that_was_edited(void **unused)
{
    (void)unused;
    static const struct { const char *text; char to; const char *why; } edits[] = {
        {"\"version\":\"", 'x', "its version is \"x\""},
        {"\\\"batch\\\":", '0', "its \"batch\" is impossible"},
        {"\\\"batch\\\":", 'x', "json: "},
    };
    for (int i = 0; i < 3; i++) {
        struct listener l;
        ur_train_options o = small_options(tmp_path("edited.safetensors"));
        assert_status(UR_ECANCELED, train_until(o, 10, &l));
        const char *state = with_end(o.model, ".state");
        edit(state, edits[i].text, edits[i].to);
        unlink(with_end(o.model, ".state.1"));
        o.resume = true;
        o.batch = 0;
        assert_status(UR_EFORMAT, train_until(o, 0, &l));
        assert_message(edits[i].why);
        assert_message(state);
    }
}

static void refuse_to_begin_anew(const ur_train_options *o, const char *there)
{
    size_t n, m;
    struct listener l;
    ur_plan plan;
    ur_plan_init(&plan);
    char *before = read_all(there, &n);
    assert_status(UR_EEXIST, train_until(*o, 0, &l));
    assert_message("its training state");
    assert_message("--init-from");
    assert_message("--force");
    assert_status(UR_EEXIST, ur_train_plan(o, 0, NULL, NULL, &plan));
    char *after = read_all(there, &m);
    assert_true(n == m && memcmp(before, after, n) == 0);
    ur__free(before);
    ur__free(after);
}

/* Who has only the model would lose it. */
static void resume__begins_over_no_model(void **unused)
{
    (void)unused;
    struct listener l;
    ur_train_options o = small_options(tmp_path("m.safetensors"));
    o.steps = 50;
    assert_ok(train_until(o, 0, &l));
    assert_int_equal(unlink(with_end(o.model, ".state")), 0);
    o.resume = true;
    o.steps = 60;
    assert_ok(train_until(o, 0, &l));   /* from NAME.state.1 */
    unlink(with_end(o.model, ".state"));
    unlink(with_end(o.model, ".state.1"));
    refuse_to_begin_anew(&o, o.model);
    unlink(o.model);
    refuse_to_begin_anew(&o, with_end(o.model, ".last.safetensors"));
    o.resume = false;
    o.force = true;
    assert_ok(train_until(o, 0, &l));
}

/* Nothing happens between the state that comes before the first model and that which would come
 * after it. */
static void checkpoints__write_the_first_state_once(void **unused)
{
    (void)unused;
    struct listener l;
    ur_train_options o = small_options(tmp_path("once.safetensors"));
    o.schedule = UR_SCHEDULE_CONSTANT;
    o.val = 0;
    o.steps = 20;
    assert_ok(train_until(o, 0, &l));
    assert_int_equal(access(with_end(o.model, ".state"), F_OK), 0);
    assert_int_equal(access(with_end(o.model, ".state.1"), F_OK), -1);
    o.resume = true;
    o.steps = 40;
    assert_ok(train_until(o, 0, &l));
    assert_int_equal(access(with_end(o.model, ".state.1"), F_OK), 0);
}

static void resume__without_a_state_starts_anew(void **unused)
{
    (void)unused;
    struct listener l;
    ur_train_options o = small_options(tmp_path("m.safetensors"));
    o.resume = true;
    o.steps = 5;
    assert_ok(train_until(o, 0, &l));
    assert_non_null(strstr(l.note, "starting anew"));
    assert_int_equal(l.count[UR_REPORT_STEP], 5);
}

/* Killed at any moment, mostly while it writes, and gone on with: the same bytes. */
static void resume__survives_kills(void **unused)
{
    (void)unused;
    struct listener l;
    ur_train_options whole = small_options(tmp_path("whole.safetensors")), o = whole;
    whole.checkpoint_every = 1;
    assert_ok(train_until(whole, 0, &l));
    o = whole;
    o.model = tmp_path("killed.safetensors");
    o.resume = true;
    int kills = 0, status = 1;
    for (int i = 0; i < 60 && status != 0; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(ur_train(&o, NULL, NULL) == UR_OK ? 0 : 1);
        struct timespec pause = {0, (long)(1e6 + 4e7 * ur_random_uniform(3, 5, 0, (uint32_t)i))};
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        kills += WIFSIGNALED(status) != 0;
        assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    }
    assert_ok(train_until(o, 0, &l));
    assert_same_run(whole.model, o.model);
    print_message("%d kills survived\n", kills);
}

static long calls_left;     /* until the disk is full */

static long full_write(int fd, const void *from, size_t n)
{
    if (calls_left-- > 0)
        return (long)write(fd, from, n);
    errno = ENOSPC;
    return -1;
}

static int full_rename(const char *from, const char *to)
{
    if (calls_left-- > 0)
        return rename(from, to);
    errno = ENOSPC;
    return -1;
}

static void resume__survives_a_full_disk(void **unused)
{
    (void)unused;
    struct listener l;
    const struct ur__file_ops ops = {.write = full_write, .rename = full_rename};
    ur_train_options whole = small_options(tmp_path("whole.safetensors"));
    whole.steps = 60;
    assert_ok(train_until(whole, 0, &l));
    int failures = 0;
    for (long n = 0; n < 24; n++) {
        ur_train_options o = whole;
        o.model = tmp_path("full.safetensors");
        assert_status(UR_ECANCELED, train_until(o, 21, &l));
        o.resume = true;
        calls_left = n;
        ur__file_set_ops(&ops);
        ur_status status = train_until(o, 0, &l);
        ur__file_set_ops(NULL);
        if (status != UR_OK && status != UR_EOUTPUT)
            fail_msg("call %ld failed, and training is %s: %s", n, ur_status_name(status),
                     ur_errmsg());
        failures += status == UR_EOUTPUT;
        assert_ok(train_until(o, 0, &l));
        assert_same_run(whole.model, o.model);
    }
    assert_true(failures > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resume__equals_uninterrupted),
        cmocka_unit_test(resume__equals_uninterrupted_for_labels),
        cmocka_unit_test(resume__equals_uninterrupted_for_each_optimizer),
        cmocka_unit_test(resume__a_later_end_equals_one_run),
        cmocka_unit_test(resume__keeps_its_options),
        cmocka_unit_test(resume__takes_up_what_may_change),
        cmocka_unit_test(resume__names_the_state_that_was_edited),
        cmocka_unit_test(resume__reads_states_without_what_may_change),
        cmocka_unit_test(resume__refuses_data_that_changed),
        cmocka_unit_test(resume__falls_back_from_a_damaged_state),
        cmocka_unit_test(resume__begins_over_no_model),
        cmocka_unit_test(checkpoints__write_the_first_state_once),
        cmocka_unit_test(resume__without_a_state_starts_anew),
        cmocka_unit_test(resume__survives_kills),
        cmocka_unit_test(resume__survives_a_full_disk),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
