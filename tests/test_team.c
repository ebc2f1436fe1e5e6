/* SPDX-License-Identifier: MIT */
/* The thread team: shares, regions, barriers, also with more threads than cores,
 * and the floating-point mode its regions run in. */
#include "testing.h"

#include <errno.h>
#include <float.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "base/fpmode.h"
#include "base/mem.h"
#include "base/team.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* ---- team -------------------------------------------------------------- */

static const int team_sizes[] = {1, 2, 3, 7};

static void share__covers_evenly(void **state)
{
    (void)state;
    for (int total = 0; total < 70; total++) {
        for (int grain = 1; grain < 9; grain++) {
            for (int n = 1; n < 9; n++) {
                int at = 0, least = total + 1, most = 0;
                for (int i = 0; i < n; i++) {
                    int begin, end;
                    ur__share(total, grain, i, n, &begin, &end);
                    assert_int_equal(begin, at);
                    assert_true(begin <= end);
                    assert_true(begin % grain == 0 || begin == total);
                    int size = end - begin;
                    least = size < least ? size : least;
                    most = size > most ? size : most;
                    at = end;
                }
                assert_int_equal(at, total);
                assert_true(most - least <= grain);
            }
        }
    }
    int begin, end;
    ur__share(INT32_MAX, 64, 6, 7, &begin, &end);
    assert_int_equal(end, INT32_MAX);
}

/* Each thread writes its share, all meet, each reads a neighbour's: a barrier that
 * lets one through early shows as a wrong sum, and to TSan as a race. */
struct relay {
    int cells[64];      /* plain, not atomic */
    int rounds;
    atomic_int wrong, calls;
    unsigned seen[8];
};

static void relay_work(const struct ur__worker *w, void *arg)
{
    struct relay *r = arg;
    atomic_fetch_add(&r->calls, 1);
    r->seen[w->index]++;
    int begin, end;
    ur__share(64, 1, w->index, w->n, &begin, &end);
    for (int round = 1; round <= r->rounds; round++) {
        for (int i = begin; i < end; i++)
            r->cells[i] = round * 64 + i;
        ur__team_barrier(w);
        for (int i = 0; i < 64; i++) {
            if (r->cells[i] != round * 64 + i)
                atomic_fetch_add(&r->wrong, 1);
        }
        ur__team_barrier(w);
    }
}

static void team__barrier_separates_rounds(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(team_sizes); k++) {
        ur_team *team;
        assert_ok(ur_team_new(&team, team_sizes[k]));
        assert_int_equal(ur_team_size(team), team_sizes[k]);
        struct relay r = {.rounds = 50};
        int runs = 40;
        for (int run = 0; run < runs; run++)
            ur__team_run(team, relay_work, &r);
        assert_int_equal(atomic_load(&r.wrong), 0);
        assert_int_equal(atomic_load(&r.calls), runs * team_sizes[k]);
        for (int i = 0; i < team_sizes[k]; i++)
            assert_int_equal(r.seen[i], runs);
        ur_team_free(team);
    }
}

static void count_up(const struct ur__worker *w, void *arg)
{
    ((long *)arg)[w->index * 16]++;
}

static void team__many_short_regions(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(team_sizes); k++) {
        ur_team *team;
        long counts[8 * 16] = {0};
        assert_ok(ur_team_new(&team, team_sizes[k]));
        for (int run = 0; run < 3000; run++)
            ur__team_run(team, count_up, counts);
        for (int i = 0; i < 8; i++)
            assert_int_equal(counts[i * 16], i < team_sizes[k] ? 3000 : 0);
        ur_team_free(team);
    }
}

struct lateness {
    bool late;          /* let the caller wait */
    int n;              /* workers of the last region */
    double begin;       /* when it began */
    atomic_int came;
};

/* So long that the caller, who comes to the barrier now, sleeps through most of the region. */
static void let_wait(struct lateness *l)
{
    while (atomic_load(&l->came) == 0)
        sched_yield();
    double pause = 0.1 + 3 * (ur__clock() - l->begin);
    const struct timespec t = {(time_t)pause, (long)(1e9 * (pause - (double)(time_t)pause))};
    nanosleep(&t, NULL);
}

static void meet_late(const struct ur__worker *w, void *arg)
{
    struct lateness *l = arg;
    if (w->index == 0)
        l->n = w->n;
    if (l->late && w->index > 0)
        let_wait(l);
    atomic_fetch_add(&l->came, 1);
    ur__team_barrier(w);
}

/* Each region is done by all workers or by the caller alone, never by none. */
static void team__brief_regions_go_alone_while_others_are_late(void **state)
{
    (void)state;
    struct lateness l = {.late = true};
    ur_team *team;
    assert_ok(ur_team_new(&team, 3));
    int alone = 0, tries = 0;
    for (int i = 0; i < 600; i++) {
        atomic_store(&l.came, 0);
        l.begin = ur__clock();
        ur__team_run_brief(team, meet_late, &l);
        assert_true(l.n == 1 || l.n == 3);
        assert_int_equal(atomic_load(&l.came), l.n);
        alone += l.n == 1;
        tries += l.n == 3;
        if (i == 2)
            assert_int_equal(tries, 3);
    }
    /* Pauses of 64, 128 and 256 regions, a try before each but the first. */
    assert_int_equal(tries, 3 + 3);
    /* Others still work together, and brief regions do again once a try went well. */
    l.late = false;
    ur__team_run(team, meet_late, &l);
    assert_int_equal(l.n, 3);
    for (int i = 0; i < 3 * 4096 && l.n == 1; i++)
        ur__team_run_brief(team, meet_late, &l);
    assert_int_equal(l.n, 3);
    ur__team_run_brief(NULL, meet_late, &l);
    assert_int_equal(l.n, 1);
    assert_true(alone > 0);
    ur_team_free(team);
}

static void team__null_is_one_thread(void **state)
{
    (void)state;
    struct relay r = {.rounds = 3};
    ur__team_run(NULL, relay_work, &r);
    assert_int_equal(atomic_load(&r.calls), 1);
    assert_int_equal(atomic_load(&r.wrong), 0);
    assert_int_equal(ur_team_size(NULL), 1);
    ur_team_free(NULL);
}

static void team__sizes_are_checked(void **state)
{
    (void)state;
    ur_team *team = (ur_team *)&errno;
    assert_status(UR_EINVAL, ur_team_new(&team, -1));
    assert_null(team);
    assert_status(UR_EINVAL, ur_team_new(&team, 1025));
    assert_ok(ur_team_new(&team, 0));
    assert_true(ur_team_size(team) >= 1);
    ur_team_free(team);
}

static void team__out_of_memory_leaves_nothing(void **state)
{
    (void)state;
    long blocks = ur__mem_blocks();
    ur_team *team;
    for (int k = 1;; k++) {
        ur__mem_fail_at(k, false);
        ur_status status = ur_team_new(&team, 3);
        ur__mem_fail_at(0, false);
        if (status == UR_OK)
            break;
        assert_int_equal(status, UR_ENOMEM);
        assert_null(team);
        assert_int_equal(ur__mem_blocks(), blocks);
    }
    ur_team_free(team);
    assert_int_equal(ur__mem_blocks(), blocks);
}

static void ask_mask(const struct ur__worker *w, void *arg)
{
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    ((int *)arg)[w->index] = sigismember(&mask, SIGINT) + 2 * sigismember(&mask, SIGSEGV);
}

static void team__signals_reach_the_caller_only(void **state)
{
    (void)state;
    ur_team *team;
    int blocked[3] = {-1, -1, -1};
    assert_ok(ur_team_new(&team, 3));
    ur__team_run(team, ask_mask, blocked);
    ur_team_free(team);
    assert_int_equal(blocked[0], 0);
    assert_int_equal(blocked[1], 1);
    assert_int_equal(blocked[2], 1);
}

/* ---- floating-point mode ------------------------------------------------ */

/* A subnormal, or 0 where those are flushed. Volatile on both sides, so that the
 * division happens here. */
static float half_of_least(void)
{
    volatile float least = FLT_MIN, half = least / 2;
    return half;
}

static void halve_least(const struct ur__worker *w, void *arg)
{
    ((float *)arg)[w->index] = half_of_least();
}

#if defined(__x86_64__) || defined(__aarch64__)

static void flush_to_zero(void)
{
#ifdef __x86_64__
    ur__fpmode_restore(0x9fc0);     /* FTZ and DAZ */
#else
    ur__fpmode_restore(1u << 24);   /* FZ */
#endif
}

static void spoil_mode(const struct ur__worker *w, void *arg)
{
    (void)w;
    (void)arg;
    flush_to_zero();
}

static void fpmode__regions_are_ieee_and_the_caller_gets_his_back(void **state)
{
    (void)state;
    ur_team *team;
    unsigned before = ur__fpmode_default();
    flush_to_zero();
    bool flushed = half_of_least() == 0;
    assert_ok(ur_team_new(&team, 3));   /* whose threads inherit the mode */
    float halves[3] = {0, 0, 0};
    ur__team_run(team, halve_least, halves);
    ur__team_run(NULL, spoil_mode, NULL);
    ur__team_run(team, spoil_mode, NULL);
    float again[3] = {0, 0, 0};
    ur__team_run(team, halve_least, again);
    bool still = half_of_least() == 0;
    ur__fpmode_default();
    bool now = half_of_least() == 0;
    ur__fpmode_restore(before);
    ur_team_free(team);
    assert_true(flushed && still);
    assert_false(now);
    for (int i = 0; i < 3; i++)
        assert_true(halves[i] > 0 && again[i] > 0);
}

#else

static void fpmode__regions_are_ieee_and_the_caller_gets_his_back(void **state)
{
    (void)state;
    float half = 0;
    ur__team_run(NULL, halve_least, &half);
    assert_true(half > 0);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(share__covers_evenly),
        cmocka_unit_test(team__barrier_separates_rounds),
        cmocka_unit_test(team__many_short_regions),
        cmocka_unit_test(team__brief_regions_go_alone_while_others_are_late),
        cmocka_unit_test(team__null_is_one_thread),
        cmocka_unit_test(team__sizes_are_checked),
        cmocka_unit_test(team__out_of_memory_leaves_nothing),
        cmocka_unit_test(team__signals_reach_the_caller_only),
        cmocka_unit_test(fpmode__regions_are_ieee_and_the_caller_gets_his_back),
    };
    return cmocka_run_group_tests_name("team", tests, NULL, NULL);
}
