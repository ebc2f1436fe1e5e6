/* SPDX-License-Identifier: MIT */
/* Limits of memory in made trees of control groups, of both versions, and of the process. */
#include "test_io.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "io/memory_there.h"

#define MIB ((size_t)1 << 20)

static char root[400];

/* Writes root/path, the folders on the way too. */
static void put(const char *path, const char *text)
{
    char all[900];
    int length = snprintf(all, sizeof all, "%s%s", root, path);
    for (int i = (int)strlen(root) + 1; i < length; i++) {
        if (all[i] != '/')
            continue;
        all[i] = '\0';
        mkdir(all, 0700);
        all[i] = '/';
    }
    put_file(all, text, strlen(text));
}

static void begin(const char *groups, const char *mounts)
{
    static int count;
    snprintf(root, sizeof root, "%s/tree%d", tmp_dir(), count++);
    assert_int_equal(mkdir(root, 0700), 0);
    put("/proc/self/cgroup", groups);
    put("/proc/self/mountinfo", mounts);
}

static void expect(size_t bytes)
{
    size_t there = ur__memory_there(root);
    if (there != bytes)
        fail_msg("%zu bytes instead of %zu", there, bytes);
}

/* Of the machine, or of the process: without groups. */
static size_t otherwise(void)
{
    return ur__memory_there("/dev/null");
}

#define V2_MOUNT "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1_MOUNT                                                                       \
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"                       \
    "34 31 0:31 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"      \
    "35 31 0:32 %s /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"

static void machine__is_what_there_is_without_groups(void **unused)
{
    (void)unused;
    size_t all = otherwise();
    assert_true(all == 0 || all > 64 * MIB);
    snprintf(root, sizeof root, "%s", tmp_dir());
    expect(all);
    begin("", "");
    expect(all);
    begin("0::/\n", V2_MOUNT);  /* the root has no limit */
    expect(all);
    begin("no line of it\n0\n:\n::\n1:memory\n", "nor of it\n - \n- cgroup2\n1 2 3 - cgroup2\n");
    expect(all);
}

static void v2__has_a_limit(void **unused)
{
    (void)unused;
    begin("0::/\n", V2_MOUNT);
    put("/sys/fs/cgroup/memory.max", "104857600\n");
    expect(100 * MIB);
    put("/sys/fs/cgroup/memory.current", "10485760\n");
    expect(90 * MIB);
    /* Cached files are given back, what is in shared memory is not. */
    put("/sys/fs/cgroup/memory.stat", "anon 1\nfile 9437184\ninactive_file 1048576\n"
                                      "active_file 4194304\nshmem 4194304\n");
    expect(95 * MIB);
    put("/sys/fs/cgroup/memory.swap.max", "1048576\n");
    put("/sys/fs/cgroup/memory.high", "1048576\n");
    expect(95 * MIB);
    put("/sys/fs/cgroup/memory.max", "max\n");
    expect(otherwise());
    put("/sys/fs/cgroup/memory.max", "99999999999999999999999\n");
    expect(otherwise());
    put("/sys/fs/cgroup/memory.max", "10485760\n");
    put("/sys/fs/cgroup/memory.current", "99999999\n");
    expect(1);
    put("/sys/fs/cgroup/memory.max", "0\n");
    expect(1);
}

static void v2__nested_groups_all_count(void **unused)
{
    (void)unused;
    begin("0::/a.slice/b.scope/c\n", V2_MOUNT);
    put("/sys/fs/cgroup/a.slice/b.scope/c/memory.max", "max\n");
    put("/sys/fs/cgroup/a.slice/b.scope/memory.max", "62914560\n");
    put("/sys/fs/cgroup/a.slice/memory.max", "83886080\n");
    put("/sys/fs/cgroup/a.slice/other/memory.max", "1\n");
    expect(60 * MIB);
    put("/sys/fs/cgroup/a.slice/memory.current", "31457280\n");
    expect(50 * MIB);
    put("/sys/fs/cgroup/a.slice/b.scope/c/memory.max", "1048576\n");
    expect(MIB);
}

static void mount__may_show_a_part(void **unused)
{
    (void)unused;
    char mounts[600];
    snprintf(mounts, sizeof mounts, V1_MOUNT, "/docker/12ab");
    begin("4:memory:/docker/12ab/task\n0::/\n", mounts);
    put("/sys/fs/cgroup/memory/task/memory.limit_in_bytes", "20971520\n");
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "31457280\n");
    expect(20 * MIB);
    /* A group that is not below it, though the names begin alike. */
    begin("4:memory:/docker/12abc\n", mounts);
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "31457280\n");
    put("/sys/fs/cgroup/memoryc/memory.limit_in_bytes", "1\n");
    put("/sys/fs/cgroup/memory/c/memory.limit_in_bytes", "1\n");
    expect(30 * MIB);
    /* One outside of this process's view. */
    begin("0::/../outside\n", V2_MOUNT);
    put("/sys/fs/cgroup/memory.max", "31457280\n");
    put("/sys/fs/outside/memory.max", "1\n");
    expect(30 * MIB);
}

static void v1__has_a_limit(void **unused)
{
    (void)unused;
    char mounts[600];
    snprintf(mounts, sizeof mounts, V1_MOUNT, "/");
    begin("9:name=systemd:/x\n4:cpu,memory,pids:/a/b\n1:cpu:/y\n0::/\n", mounts);
    put("/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");
    expect(otherwise());
    put("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "20971520\n");
    put("/sys/fs/cgroup/memory/a/memory.memsw.limit_in_bytes", "1\n");
    put("/sys/fs/cgroup/memory/a/memory.usage_in_bytes", "10485760\n");
    put("/sys/fs/cgroup/memory/a/memory.stat", "inactive_file 1\ntotal_inactive_file 5242880\n");
    expect(15 * MIB);
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "12582912\n");
    expect(12 * MIB);
    /* Both versions at a time: the least. */
    snprintf(mounts, sizeof mounts, V2_MOUNT V1_MOUNT, "/");
    begin("4:memory:/\n0::/\n", mounts);
    put("/sys/fs/cgroup/memory.max", "12582912\n");
    expect(12 * MIB);
}

/* Sanitizers reserve terabytes, and no limit leaves them any. */
static bool reserves_address_space(void)
{
    unsigned long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%llu", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return pages > 1u << 20;
}

/* Nothing but this is set in the child. */
static void process__has_limits(void **unused)
{
    (void)unused;
    static const int kinds[] = {RLIMIT_AS, RLIMIT_DATA};
    if (reserves_address_space())
        skip();
    for (int i = 0; i < 2; i++) {
        struct rlimit limit = {.rlim_cur = 0x7ffff000, .rlim_max = RLIM_INFINITY};
        int status;
        pid_t child = fork();
        if (child == 0) {
            if (getrlimit(kinds[i], &limit) != 0)
                _exit(2);
            limit.rlim_cur = (rlim_t)3 << 30;
            if (otherwise() && otherwise() < limit.rlim_cur)
                limit.rlim_cur = (rlim_t)otherwise() - 4096;
            if (setrlimit(kinds[i], &limit) != 0)
                _exit(3);
            _exit(ur__memory_there("/dev/null") == limit.rlim_cur ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(machine__is_what_there_is_without_groups),
        cmocka_unit_test(v2__has_a_limit),
        cmocka_unit_test(v2__nested_groups_all_count),
        cmocka_unit_test(mount__may_show_a_part),
        cmocka_unit_test(v1__has_a_limit),
        cmocka_unit_test(process__has_limits),
    };
    return cmocka_run_group_tests_name("memory_there", tests, NULL, NULL);
}
