/* SPDX-License-Identifier: MIT */
/* Two names of one file, and runs whose inputs are not their outputs. What the program does
 * with each pair of them is in tests/cli/same_file.sh. */
#include "test_io.h"
#include "test_task.h"

#include <sys/stat.h>

/* ---- names ------------------------------------------------------------- */

static const char *in_folder(const char *name)
{
    static char ring[8][500];
    static int count;
    char *to = ring[count++ % 8];
    snprintf(to, sizeof ring[0], "%s/%s", tmp_dir(), name);
    return to;
}

static bool same(const char *a, const char *b)
{
    struct ur__file_id x, y;
    return ur__file_identify(&x, in_folder(a)) && ur__file_identify(&y, in_folder(b))
        && ur__file_same(&x, &y);
}

static void link_to(const char *target, const char *name)
{
    assert_int_equal(symlink(target, in_folder(name)), 0);
}

/* Whether it is there or not yet. */
static void same__knows_a_file_by_each_of_its_names(void **unused)
{
    (void)unused;
    assert_int_equal(mkdir(in_folder("folder"), 0700), 0);
    link_to(".", "here");
    put_file(in_folder("there"), "x", 1);
    assert_int_equal(link(in_folder("there"), in_folder("hard")), 0);
    link_to("there", "link");
    link_to("link", "link-of-link");
    static const char *const names[] = {
        "there", "./there", "folder/../there", "here/there", "hard", "link", "link-of-link",
    };
    for (size_t i = 0; i < COUNT(names); i++)
        assert_true(same("there", names[i]));
    link_to("absent", "dangling");
    link_to(in_folder("dangling"), "dangling-absolute");
    link_to("../absent", "folder/up");
    static const char *const none[] = {
        "absent", "./absent", "folder/../absent", "here/absent", "dangling", "dangling-absolute",
        "folder/up",
    };
    for (size_t i = 0; i < COUNT(none); i++)
        assert_true(same("absent", none[i]));
    assert_false(same("there", "absent"));
    assert_false(same("absent", "folder/absent"));
    assert_false(same("absent", "other"));
    assert_false(same("there", "folder"));
}

static void same__knows_nothing_of_what_cannot_be(void **unused)
{
    (void)unused;
    struct ur__file_id id;
    char name[6000];
    link_to("loop", "loop");
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    const char *const impossible[] = {"nowhere/file", "there/file", "loop", "folder/", name, ""};
    put_file(in_folder("there"), "x", 1);
    for (size_t i = 0; i < COUNT(impossible); i++) {
        bool is_folder = strcmp(impossible[i], "folder/") == 0;
        if (ur__file_identify(&id, *impossible[i] && i != 4 ? in_folder(impossible[i])
                                                            : impossible[i]) != is_folder)
            fail_msg("%.40s", impossible[i]);
    }
    name[300] = '\0';
    assert_false(ur__file_identify(&id, name));
    assert_false(ur__stream_identify(&id, 1000));
}

static void clash__is_of_what_can_be_lost(void **unused)
{
    (void)unused;
    struct ur__file_id a, b;
    assert_true(ur__file_identify(&a, "/dev/null") && ur__file_identify(&b, "/dev/null"));
    assert_int_equal(a.kind, UR__FILE_STREAM);
    assert_true(ur__file_same(&a, &b));
    assert_false(ur__file_clash(&a, &b));
    put_file(in_folder("there"), "x", 1);
    assert_true(ur__file_identify(&a, in_folder("there")));
    assert_int_equal(a.kind, UR__FILE_REGULAR);
    assert_true(ur__file_clash(&a, &a));
    assert_true(ur__file_identify(&a, tmp_dir()));
    assert_int_equal(a.kind, UR__FILE_FOLDER);
}

/* ---- runs -------------------------------------------------------------- */

static void refused(const ur_train_options *o, const char *path, const char *message)
{
    struct listener l;
    ur_plan plan;
    ur_plan_init(&plan);
    size_t n, m;
    char *before = read_all(path, &n);
    assert_status(UR_EOUTPUT, train_until(*o, 0, &l));
    assert_message(message);
    assert_status(UR_EOUTPUT, ur_train_plan(o, 0, NULL, NULL, &plan));
    char *after = read_all(path, &m);
    assert_true(n == m && memcmp(before, after, n) == 0);
    ur__free(before);
    ur__free(after);
}

static void run__refuses_to_write_what_it_reads(void **unused)
{
    (void)unused;
    ur_train_options o = small_options(in_folder("run.safetensors"));
    const char *state = in_folder("run.state"), *both[] = {text_path, state};
    write_text(state, 3, 1200);
    o.force = true;
    o.data = both;
    o.n_data = 2;
    refused(&o, state, "run.state: this run reads it");
    o.n_data = 1;
    o.val_file = in_folder("./run.state");
    refused(&o, state, "run.state: it is the same file as ");
    o.val_file = NULL;
    o.init_from = state;
    refused(&o, state, "this run reads it");
    o.init_from = NULL;
    o.log = in_folder("./run.state");
    refused(&o, state, "run itself writes");
    o.log = text_path;
    refused(&o, text_path, "this run reads it");
    o.log = tmp_dir();
    refused(&o, text_path, "directory");
    o.log = NULL;
    o.steps = 1;
    struct listener l;
    assert_ok(train_until(o, 0, &l));
}

static void run__asks_before_it_replaces_a_log(void **unused)
{
    (void)unused;
    struct listener l;
    ur_train_options o = small_options(in_folder("logged.safetensors"));
    o.log = in_folder("log");
    o.steps = 1;
    put_file(o.log, "x", 1);
    assert_status(UR_EEXIST, train_until(o, 0, &l));
    assert_message("--force");
    o.resume = true;        /* with no state: only what is a log goes on */
    assert_status(UR_EEXIST, train_until(o, 0, &l));
    assert_message("is no log of training");
    put_file(o.log, "{\"kind\":\"start\"}\n", 17);
    assert_ok(train_until(o, 0, &l));
    put_file(o.log, "x", 1);
    assert_ok(train_until(o, 0, &l));
    o.resume = false;
    o.force = true;
    assert_ok(train_until(o, 0, &l));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same__knows_a_file_by_each_of_its_names),
        cmocka_unit_test(same__knows_nothing_of_what_cannot_be),
        cmocka_unit_test(clash__is_of_what_can_be_lost),
        cmocka_unit_test(run__refuses_to_write_what_it_reads),
        cmocka_unit_test(run__asks_before_it_replaces_a_log),
    };
    return cmocka_run_group_tests_name("same_file", tests, set_up, tear_down);
}
