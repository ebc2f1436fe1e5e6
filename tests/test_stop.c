/* SPDX-License-Identifier: MIT */
/*
 * Signals, through the program. A training that gets SIGTERM, SIGINT or SIGHUP ends with
 * 128 + its number after the step or the piece of validation that it is in, says how to go
 * on, and resumed, with other threads, ends in the bytes of one that nobody disturbed.
 *
 * UNROLL_STOPS: runs for each of SIGTERM and SIGINT (2). Needs the program in UNROLL.
 */
#include "test_task.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define MOST_WORDS 40
#define SEED 78

static const char *program;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void wait_for(double seconds)
{
    struct timespec t = {(time_t)seconds, (long)((seconds - (double)(long)seconds) * 1e9)};
    nanosleep(&t, NULL);
}

/* ---- the program ------------------------------------------------------- */

struct command {
    const char *words[MOST_WORDS];
    int n;
    char log[400], err[400], threads[8];
};

static void put(struct command *c, const char *word)
{
    assert_true(c->n + 1 < MOST_WORDS);
    c->words[c->n++] = word;
    c->words[c->n] = NULL;
}

static const char *const small[] = {
    "--hidden", "20", "--layers", "2", "--batch", "8", "--seq-length", "16", "--dropout", "0.1",
    "--steps", "500", "--eval-every", "40", "--checkpoint-every", "60", NULL
};

static void make_command(struct command *c, const char *text, const char *const *options,
                         const char *model, int threads, bool resume)
{
    c->n = 0;
    snprintf(c->log, sizeof c->log, "%s", with_end(model, ".jsonl"));
    snprintf(c->err, sizeof c->err, "%s", with_end(model, ".err"));
    snprintf(c->threads, sizeof c->threads, "%d", threads);
    put(c, program);
    put(c, "train");
    put(c, text);
    for (; *options; options++)
        put(c, *options);
    put(c, "--threads");
    put(c, c->threads);
    put(c, "-o");
    put(c, model);
    put(c, "--log");
    put(c, c->log);
    if (resume)
        put(c, "--resume");
}

static pid_t start(const struct command *c)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child != 0)
        return child;
    int err = open(c->err, O_WRONLY | O_CREAT | O_TRUNC, 0600), null = open("/dev/null", O_RDWR);
    if (err < 0 || null < 0)
        _exit(99);
    dup2(null, 0);
    dup2(null, 1);
    dup2(err, 2);
    /* What this test was started with may ignore it. */
    signal(SIGINT, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    execv(program, (char *const *)(uintptr_t)c->words);
    _exit(99);
}

static int finish(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static bool log_has(const struct command *c, const char *text)
{
    static char bytes[1 << 20];
    FILE *f = fopen(c->log, "rb");
    if (!f)
        return false;
    size_t n = fread(bytes, 1, sizeof bytes - 1, f);
    fclose(f);
    bytes[n] = '\0';
    return strstr(bytes, text) != NULL;
}

static void wait_for_log(const struct command *c, const char *text)
{
    double start_time = now();
    while (!log_has(c, text)) {
        if (now() - start_time > 60)
            fail_msg("%s has no %s after a minute", c->log, text);
        wait_for(0.002);
    }
}

static void check_stopped(const struct command *c, int status, int number)
{
    size_t n;
    char *err = read_all(c->err, &n);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 128 + number)
        fail_msg("signal %d: status %x: %s", number, status, err);
    if (!strstr(err, "go on with: ") || !strstr(err, "--resume\n"))
        fail_msg("signal %d: no word of how to go on: %s", number, err);
    ur__free(err);
}

/* ---- stopped and gone on with ------------------------------------------ */

static const char *whole;
static double whole_seconds;

static void run_whole(void)
{
    struct command c;
    if (whole)
        return;
    whole = strdup(tmp_path("whole.safetensors"));
    make_command(&c, text_path, small, whole, 1, false);
    double begin = now();
    assert_int_equal(finish(start(&c)), 0);
    whole_seconds = now() - begin;
}

/* Up to three stops at random times, the first of which must hit. Returns how many did. */
static int stop_and_go_on(int number, int trial)
{
    const char *model = tmp_path("stopped.safetensors");
    struct command c;
    int stops = 0, status = 1;
    for (int i = 0; status != 0; i++) {
        assert_true(i < 50);
        make_command(&c, text_path, small, model, 1 + (trial + i) % 3, i > 0);
        if (i == 0)
            unlink(c.log);
        pid_t child = start(&c);
        if (i < 1 + trial % 3) {
            double u = ur_random_uniform(SEED, (uint32_t)number, (uint64_t)trial, (uint32_t)i);
            if (i == 0)
                wait_for_log(&c, "\"start\"");
            else
                wait_for(0.05);
            wait_for(u * whole_seconds * 0.6);
            kill(child, number);
        }
        status = finish(child);
        if (status == 0)
            break;
        /* Before its first line a run has nothing to save, and the signal ends it. */
        if (i > 0 && WIFSIGNALED(status) && WTERMSIG(status) == number)
            continue;
        check_stopped(&c, status, number);
        stops++;
    }
    assert_same_run(whole, model);
    assert_false(ur__file_exists(with_end(model, ".state.lock")));
    return stops;
}

static void signal__then_resume_ends_in_the_same_bytes(void **unused)
{
    (void)unused;
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    const char *wanted = getenv("UNROLL_STOPS");
    int runs = wanted ? (int)strtol(wanted, NULL, 10) : 2;
    if (!program)
        skip();
    run_whole();
    for (int k = 0; k < 3; k++) {
        int n = k < 2 ? runs : runs / 5 + 1, stopped = 0, stops = 0;
        for (int trial = 0; stopped < n; trial++) {
            assert_true(trial < 3 * n + 10);
            int hits = stop_and_go_on(numbers[k], trial);
            stopped += hits > 0;
            stops += hits;
        }
        print_message("signal %d: %d of %d stopped runs end in the bytes of the undisturbed one, "
                      "%d stops\n", numbers[k], stopped, n, stops);
    }
}

/* ---- how soon ---------------------------------------------------------- */

/* A validation of seconds is not waited for. */
static void signal__acts_within_a_validation(void **unused)
{
    (void)unused;
    static const char *const options[] = {
        "--hidden", "96", "--batch", "4", "--seq-length", "8", "--steps", "2", "--eval-every",
        "1", "--val", NULL, NULL
    };
    const char *held_out = tmp_path("held_out.txt"), *words[13];
    const char *model = tmp_path("long.safetensors"), *undisturbed = tmp_path("un.safetensors");
    struct command c;
    if (!program)
        skip();
    write_text(held_out, 3, 40000);
    memcpy(words, options, sizeof words);
    words[11] = held_out;
    make_command(&c, text_path, words, undisturbed, 1, false);
    double begin = now();
    assert_int_equal(finish(start(&c)), 0);
    double seconds = now() - begin;     /* two validations, nearly all of it */
    make_command(&c, text_path, words, model, 1, false);
    pid_t child = start(&c);
    wait_for_log(&c, "\"step\":1,");
    wait_for(0.1);
    begin = now();
    kill(child, SIGTERM);
    check_stopped(&c, finish(child), SIGTERM);
    double took = now() - begin;
    print_message("a validation of %.1f s was left %.2f s after the signal\n", seconds / 2, took);
    assert_true(took < seconds / 4);
    make_command(&c, text_path, words, model, 2, true);
    assert_int_equal(finish(start(&c)), 0);
    assert_same_run(undisturbed, model);
}

/* A second signal does not wait for the step either. */
static void signal__a_second_one_ends_at_once(void **unused)
{
    (void)unused;
    static const char *const options[] = {
        "--hidden", "512", "--layers", "3", "--batch", "16", "--seq-length", "256", "--steps",
        "1000", "--val", "0", NULL
    };
    const char *text = tmp_path("long.txt"), *model = tmp_path("slow.safetensors");
    struct command c;
    if (!program)
        skip();
    write_text(text, 4, 40000);
    make_command(&c, text, options, model, 1, false);
    pid_t child = start(&c);
    wait_for_log(&c, "\"start\"");
    kill(child, SIGTERM);
    wait_for(0.3);
    double begin = now();
    kill(child, SIGINT);
    int status = finish(child);
    double took = now() - begin;
    print_message("a second signal acts after %.3f s\n", took);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGINT);
    assert_true(took < 0.5);
}

static int find_program(void **state)
{
    program = getenv("UNROLL");
    if (!program)
        print_message("the program was not built: tests of signals are skipped\n");
    return set_up(state);
}

static int forget(void **state)
{
    free((void *)(uintptr_t)whole);
    return tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signal__then_resume_ends_in_the_same_bytes),
        cmocka_unit_test(signal__acts_within_a_validation),
        cmocka_unit_test(signal__a_second_one_ends_at_once),
    };
    return cmocka_run_group_tests_name("stop", tests, find_program, forget);
}
