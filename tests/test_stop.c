/* SPDX-License-Identifier: MIT */
/*
 * Signals, through the program. A training that gets SIGTERM, SIGINT or SIGHUP ends with
 * 128 + its number after the step or the piece of validation that it is in, says how to go
 * on, and resumed, with other threads, ends in the bytes of one that nobody disturbed.
 *
 * Who is faster does not matter: a run's log is a pipe that this test reads, so the run gets
 * no further ahead of it than the pipe holds, and cannot end unseen.
 *
 * UNROLL_STOPS: runs for each of SIGTERM and SIGINT (2). Needs the program in UNROLL.
 */
#include "test_task.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define MOST_WORDS 40
#define SEED 78
#define START "\"kind\":\"start\""
#define STEP "\"kind\":\"step\""

static const char *program;

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

/* A run, and what its log has told so far. */
static struct run {
    pid_t child;
    int pipe, status;
    bool ended;
    size_t n;
    char text[1 << 20];
} run;

static void begin(const struct command *c)
{
    run.n = 0;
    run.text[0] = '\0';
    run.ended = false;
    unlink(c->log);
    assert_int_equal(mkfifo(c->log, 0600), 0);
    /* Opened for both, so that neither side waits for the other. */
    run.pipe = open(c->log, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    assert_true(run.pipe >= 0);
    run.child = start(c);
}

/* Reads on, for a moment at most. False: the run has ended, and all of its log is read. */
static bool read_on(void)
{
    struct pollfd p = {.fd = run.pipe, .events = POLLIN};
    poll(&p, 1, 20);
    long got = read(run.pipe, run.text + run.n, sizeof run.text - 1 - run.n);
    run.n += got > 0 ? (size_t)got : 0;
    run.text[run.n] = '\0';
    assert_true(run.n + 1 < sizeof run.text);
    if (got > 0)
        return true;
    if (run.ended)
        return false;
    run.ended = waitpid(run.child, &run.status, WNOHANG) == run.child;
    return true;
}

static int count(const char *text)
{
    int n = 0;
    for (const char *at = run.text; (at = strstr(at, text)) != NULL; at++)
        n++;
    return n;
}

/* Until the log has the text so often. False: the run ended before. */
static bool read_until(const char *text, int times)
{
    while (count(text) < times)
        if (!read_on())
            return false;
    return true;
}

static int finish(void)
{
    while (read_on())
        continue;
    close(run.pipe);
    return run.status;
}

static int run_to_its_end(const struct command *c)
{
    begin(c);
    return finish();
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

static void run_whole(void)
{
    struct command c;
    if (whole)
        return;
    whole = strdup(tmp_path("whole.safetensors"));
    make_command(&c, text_path, small, whole, 1, false);
    assert_int_equal(run_to_its_end(&c), 0);
}

/* Up to three stops after some steps. Returns how many there were: one at least, as the pipe
 * does not hold the lines of all steps that are left. */
static int stop_and_go_on(int number, int trial)
{
    const char *model = tmp_path("stopped.safetensors");
    struct command c;
    int stops = 0, status = 1;
    for (int i = 0; status != 0; i++) {
        assert_true(i < 50);
        make_command(&c, text_path, small, model, 1 + (trial + i) % 3, i > 0);
        begin(&c);
        if (i < 1 + trial % 3) {
            double u = ur_random_uniform(SEED, (uint32_t)number, (uint64_t)trial, (uint32_t)i);
            read_until(START, 1);
            read_until(STEP, (int)(u * 150));
            kill(run.child, number);
        }
        status = finish();
        if (status == 0)
            break;
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
        for (int trial = 0; trial < n; trial++) {
            int hits = stop_and_go_on(numbers[k], trial);
            stopped += hits > 0;
            stops += hits;
        }
        assert_int_equal(stopped, n);
        print_message("signal %d: %d of %d stopped runs end in the bytes of the undisturbed one, "
                      "%d stops\n", numbers[k], stopped, n, stops);
    }
}

/* ---- how soon ---------------------------------------------------------- */

/* A validation of seconds is not waited for: its line is missing in the log. One that was over
 * before the signal came is tried again. */
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
    assert_int_equal(run_to_its_end(&c), 0);
    int tries = 0;
    do {
        make_command(&c, text_path, words, model, 1, false);
        put(&c, "--force");
        begin(&c);
        assert_true(tries++ < 20 && read_until(STEP, 1));
        wait_for(0.1);
        kill(run.child, SIGTERM);
        check_stopped(&c, finish(), SIGTERM);
    } while (count("\"kind\":\"valid\"") > 0);
    print_message("a validation was left at attempt %d\n", tries);
    make_command(&c, text_path, words, model, 2, true);
    assert_int_equal(run_to_its_end(&c), 0);
    assert_same_run(undisturbed, model);
}

/* A run that cannot go on, and so not see the first signal: its log takes nothing more. The
 * second one ends it; a second one that comes too soon after the first is sent again. */
static void signal__a_second_one_ends_at_once(void **unused)
{
    (void)unused;
    static const char *const options[] = {
        "--hidden", "8", "--layers", "1", "--steps", "1000000", "--val", "0", NULL
    };
    struct command c;
    int status, seconds = 0;
    if (!program)
        skip();
    make_command(&c, text_path, options, tmp_path("blocked.safetensors"), 1, false);
    begin(&c);
    assert_true(read_until(START, 1));
    while (write(run.pipe, "\n", 1) == 1)
        continue;
    kill(run.child, SIGTERM);
    do {
        assert_true(seconds++ < 100);
        wait_for(0.3);
        kill(run.child, SIGINT);
        wait_for(0.01);
    } while (waitpid(run.child, &status, WNOHANG) != run.child);
    close(run.pipe);
    print_message("a second signal acts, sent %d time%s\n", seconds, seconds > 1 ? "s" : "");
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGINT);
    size_t n;
    char *err = read_all(c.err, &n);
    assert_null(strstr(err, "go on with: "));
    ur__free(err);
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
