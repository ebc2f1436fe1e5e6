/* SPDX-License-Identifier: MIT */
#include "testing.h"

#include <fcntl.h>
#include <limits.h>

#include "base/mem.h"
#include "base/status.h"
#include "io/file.h"
#include "support/nomem.h"

enum { QUICK = 60, DESCRIPTORS = 256 };

static long all_refusals, all_absorbed;
static int n_scenarios;

void nomem_digest(uint32_t *digest, const void *bytes, size_t n)
{
    *digest = ur__crc32(*digest, bytes, n);
}

void nomem_digest_file(uint32_t *digest, const char *path)
{
    char bytes[4096];
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("%s is not there", path);
    for (size_t n; f && (n = fread(bytes, 1, sizeof bytes, f)) > 0; )
        nomem_digest(digest, bytes, n);
    if (f)
        fclose(f);
}

static int open_descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

/* One attempt: what was there before it, what came of it. */
struct attempt {
    const struct nomem *s;
    long n;
    bool forever;
    uint32_t want;
    long refused, absorbed;
};

static void look(const struct attempt *a, ur_status status, uint32_t digest)
{
    const char *how = a->forever ? "and all after it" : "once";
    if (status == UR_OK && digest != a->want)
        fail_msg("%s: allocation %ld refused %s: done, with another result", a->s->name, a->n,
                 how);
    if (status != UR_OK && status != UR_ENOMEM)
        fail_msg("%s: allocation %ld refused %s: %s: %s", a->s->name, a->n, how,
                 ur_status_name(status), ur_errmsg());
    if (status == UR_ENOMEM && strncmp(ur_errmsg(), "out of ", 7) != 0)
        fail_msg("%s: allocation %ld refused %s: the message is \"%s\"", a->s->name, a->n, how,
                 ur_errmsg());
}

/* With memory again. */
static void work_again(const struct attempt *a, void *it)
{
    const struct nomem *s = a->s;
    uint32_t digest = 0;
    if (!s->again && !s->make)
        return;
    ur_status status = (s->again ? s->again : s->act)(it, s->arg, &digest);
    if (status != UR_OK)
        fail_msg("%s: after allocation %ld was refused%s: %s: %s", s->name, a->n,
                 a->forever ? " for good" : "", ur_status_name(status), ur_errmsg());
    if (digest != a->want)
        fail_msg("%s: after allocation %ld was refused%s: another result", s->name, a->n,
                 a->forever ? " for good" : "");
}

/* False when there was no n-th allocation. */
static bool attempt(struct attempt *a)
{
    const struct nomem *s = a->s;
    long blocks = ur__mem_blocks(), refusals = ur__mem_refusals();
    int descriptors = open_descriptors();
    void *it = s->make ? s->make(s->arg) : NULL;
    uint32_t digest = 0;
    ur__clear_error();
    ur__mem_fail_at(a->n, a->forever);
    ur_status status = s->act(it, s->arg, &digest);
    ur__mem_fail_at(0, false);
    refusals = ur__mem_refusals() - refusals;
    look(a, status, digest);
    if (status != UR_OK)
        work_again(a, it);
    if (s->unmake)
        s->unmake(it);
    if (ur__mem_blocks() != blocks)
        fail_msg("%s: allocation %ld refused%s: %ld blocks stay", s->name, a->n,
                 a->forever ? " for good" : "", ur__mem_blocks() - blocks);
    if (open_descriptors() != descriptors)
        fail_msg("%s: allocation %ld refused: a descriptor stays open", s->name, a->n);
    a->refused += refusals > 0;     /* a refusal for good counts once */
    a->absorbed += refusals > 0 && status == UR_OK;
    return refusals > 0;
}

static long count_allocations(const struct nomem *s, uint32_t *digest)
{
    void *it = s->make ? s->make(s->arg) : NULL;
    *digest = 0;
    ur__mem_fail_at(LONG_MAX, false);
    ur_status status = s->act(it, s->arg, digest);
    long n = LONG_MAX - ur__mem_fail_left();
    ur__mem_fail_at(0, false);
    if (status != UR_OK)
        fail_msg("%s: undisturbed: %s", s->name, ur_errmsg());
    if (s->unmake)
        s->unmake(it);
    return n;
}

void nomem_try(const struct nomem *s)
{
    struct attempt a = {.s = s};
    const char *all = getenv("UNROLL_NOMEM");
    bool every = all && strcmp(all, "all") == 0;
    ur__mem_count_pieces(true);
    count_allocations(s, &a.want);      /* what is made once in a process is made here */
    long n = count_allocations(s, &a.want), quick = s->quick ? s->quick : QUICK;
    long stride = every || n <= quick ? 1 : n / quick + 1;
    for (int forever = 0; forever < 2; forever++) {
        a.forever = forever;
        for (a.n = 1; attempt(&a); )
            a.n += a.n < quick / 4 ? 1 : stride;
    }
    ur__mem_count_pieces(false);
    if (a.refused == 0)
        fail_msg("%s: nothing was refused", s->name);
    print_message("%s: %ld allocations, %ld refused, %ld of them done without\n", s->name, n,
                  a.refused, a.absorbed);
    all_refusals += a.refused;
    all_absorbed += a.absorbed;
    n_scenarios++;
}

void nomem_total(long least)
{
    print_message("%d scenarios, %ld refused allocations, %ld of them done without\n",
                  n_scenarios, all_refusals, all_absorbed);
    if (all_refusals < least)
        fail_msg("%ld refusals are too few", all_refusals);
}
