/* SPDX-License-Identifier: MIT */
/* Shared by the tests of files and formats: files made and compared, and what an
 * operation that failed may have left behind. */
#ifndef UR_TESTS_TEST_IO_H
#define UR_TESTS_TEST_IO_H

#include "testing.h"

#include <fcntl.h>

#include "base/mem.h"
#include "base/status.h"
#include "io/file.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static inline void put_file(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static inline void assert_holds(const char *path, const void *bytes, size_t n)
{
    char *got;
    size_t size;
    assert_ok(ur__file_slurp(path, 1 << 26, &got, &size));
    assert_int_equal(size, n);
    if (n)
        assert_memory_equal(got, bytes, n);
    assert_int_equal(got[n], 0);
    ur__free(got);
}

/* Files in the temporary folder, so that what is left behind shows. */
static inline int count_files(void)
{
    int n = 0;
    DIR *d = opendir(tmp_dir());
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static inline int count_descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) != -1;
    return n;
}

/* Fails each allocation in turn; *count is how many it took. */
static inline void fail_every_allocation(ur_status (*work)(void), const char *name)
{
    long blocks = ur__mem_blocks();
    int descriptors = count_descriptors(), files = count_files();
    for (int k = 1;; k++) {
        ur__mem_fail_at(k, false);
        ur_status status = work();
        ur__mem_fail_at(0, false);
        if (status != UR_OK && status != UR_ENOMEM)
            fail_msg("%s: allocation %d: %s: %s", name, k, ur_status_name(status), ur_errmsg());
        assert_int_equal(ur__mem_blocks(), blocks);
        assert_int_equal(count_descriptors(), descriptors);
        assert_int_equal(count_files(), files);
        if (status == UR_OK) {
            assert_true(k > 5);
            print_message("%s: %d allocations failed in turn\n", name, k - 1);
            return;
        }
    }
}

#endif
