/* SPDX-License-Identifier: MIT */
/*
 * A team of threads that sleep between parallel regions.
 *
 * Three counters only ever go up: `starts` (regions begun), `ends` (regions that
 * the last worker has left) and `phase` (barriers passed). To wait is to wait
 * until a counter has changed, first spinning, then asleep on the one condition
 * variable. A team larger than the cores it may use never spins: the thread it
 * would wait for may need that core.
 * Invariant: who changes a counter reads `sleepers` afterwards, who goes to sleep
 * raises `sleepers` before reading the counter, all in one total order; so either
 * the sleeper sees the change or the changer sees the sleeper.
 */
#ifdef __linux__
#define _GNU_SOURCE     /* sched_getaffinity, pthread_setname_np */
#else
#define _POSIX_C_SOURCE 200809L
#ifdef __APPLE__
#define _DARWIN_C_SOURCE    /* _SC_NPROCESSORS_ONLN */
#endif
#endif

#include "base/team.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#endif

#include "base/fpmode.h"
#include "base/mem.h"
#include "base/status.h"

#define MAX_THREADS 1024
#define SPINS 2000      /* some 20 to 100 microseconds, a few times a wake-up */

/* A brief region is late if its caller slept through more than half of it: alone it would
 * have been done sooner. Three late ones among some two dozen, and it works alone, for twice
 * as many regions each time until a try goes well. */
#define LATE_COSTS 8
#define LATE_LIMIT 24
#define ALONE_LEAST 64
#define ALONE_MOST 4096

#if defined(__x86_64__) || defined(__i386__)
#define UR__PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define UR__PAUSE() __asm__ volatile("yield")
#else
#define UR__PAUSE() ((void)0)
#endif

struct member {
    struct ur__worker worker;
    pthread_t thread;
};

struct ur_team {
    int n, n_started;           /* members; threads running, one less than n */
    int spins;
    struct member *members;     /* [n], the caller is 0 */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* One region's work, written before `starts` goes up. */
    ur__work work;
    void *arg;
    bool quit;
    /* A cache line each for what different threads write. */
    _Alignas(UR__ALIGN) atomic_uint starts;
    _Alignas(UR__ALIGN) atomic_uint ends;
    atomic_int running;         /* workers that have not left the region */
    _Alignas(UR__ALIGN) atomic_uint phase;
    atomic_int arrived;         /* threads at the barrier */
    _Alignas(UR__ALIGN) atomic_int sleepers;
    /* The caller's own: */
    double slept;               /* seconds, inside regions */
    int score;                  /* rises with late regions, sinks with others */
    int alone, pause;           /* regions yet to be done alone; of the last such pause */
    bool insists;
};

/* ---- waiting ----------------------------------------------------------- */

double ur__clock(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return 0;
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Returns the seconds asleep. */
static double await_change(ur_team *t, atomic_uint *counter, unsigned old)
{
    for (int i = 0; i < t->spins; i++) {
        if (atomic_load_explicit(counter, memory_order_acquire) != old)
            return 0;
        UR__PAUSE();
    }
    double begin = ur__clock();
    pthread_mutex_lock(&t->lock);
    atomic_fetch_add(&t->sleepers, 1);
    while (atomic_load(counter) == old)
        pthread_cond_wait(&t->changed, &t->lock);
    atomic_fetch_sub(&t->sleepers, 1);
    pthread_mutex_unlock(&t->lock);
    return ur__clock() - begin;
}

static void change(ur_team *t, atomic_uint *counter)
{
    atomic_fetch_add(counter, 1);
    if (atomic_load(&t->sleepers) > 0) {
        pthread_mutex_lock(&t->lock);
        pthread_cond_broadcast(&t->changed);
        pthread_mutex_unlock(&t->lock);
    }
}

void ur__team_barrier(const struct ur__worker *w)
{
    if (w->n <= 1)
        return;
    ur_team *t = w->team;
    unsigned old = atomic_load(&t->phase);
    if (atomic_fetch_add(&t->arrived, 1) + 1 == w->n) {
        atomic_store(&t->arrived, 0);   /* seen by all with the new phase */
        change(t, &t->phase);
    } else {
        double slept = await_change(t, &t->phase, old);
        if (w->index == 0)
            t->slept += slept;
    }
}

/* ---- regions ----------------------------------------------------------- */

static void *member_main(void *p)
{
    struct member *m = p;
    ur_team *t = m->worker.team;
#ifdef __linux__
    pthread_setname_np(pthread_self(), "unroll");
#endif
    for (unsigned seen = 0;; seen++) {
        await_change(t, &t->starts, seen);
        if (t->quit)
            return NULL;
        ur__fpmode_default();
        t->work(&m->worker, t->arg);
        if (atomic_fetch_sub(&t->running, 1) == 1)
            change(t, &t->ends);
    }
}

static void run_alone(ur_team *team, ur__work work, void *arg)
{
    const struct ur__worker alone = {team, 0, 1};
    unsigned mode = ur__fpmode_default();
    work(&alone, arg);
    ur__fpmode_restore(mode);
}

void ur__team_run(ur_team *team, ur__work work, void *arg)
{
    if (!team || team->n == 1) {
        run_alone(team, work, arg);
        return;
    }
    unsigned mode = ur__fpmode_default();
    UR__ASSERT(atomic_load(&team->running) == 0);   /* nested? */
    unsigned ended = atomic_load(&team->ends);
    team->work = work;
    team->arg = arg;
    atomic_store(&team->running, team->n - 1);
    change(team, &team->starts);
    work(&team->members[0].worker, arg);
    team->slept += await_change(team, &team->ends, ended);
    ur__fpmode_restore(mode);
}

void ur__team_run_brief(ur_team *team, ur__work work, void *arg)
{
    if (!team || team->n == 1 || team->alone > 0) {
        run_alone(team, work, arg);
        if (team && team->alone > 0)
            team->alone--;
        return;
    }
    double begin = ur__clock(), slept = team->slept;
    ur__team_run(team, work, arg);
    if (team->slept - slept > (ur__clock() - begin) / 2) {
        team->score += LATE_COSTS;
    } else if (team->score > 0) {
        team->score--;
    } else {
        team->pause = 0;
    }
    if (team->score >= LATE_LIMIT && !team->insists) {
        team->pause = team->pause ? 2 * team->pause : ALONE_LEAST;
        if (team->pause > ALONE_MOST)
            team->pause = ALONE_MOST;
        team->alone = team->pause;
        team->score = LATE_LIMIT - LATE_COSTS;  /* one late try is enough to go on alone */
    }
}

void ur__team_insist(ur_team *team)
{
    team->insists = true;
}

void ur__share(int total, int grain, int index, int n, int *begin, int *end)
{
    /* Whole grains; the remainder goes to the last parts, of which the very last
     * holds the grain that may be short. */
    int64_t grains = ((int64_t)total + grain - 1) / grain;
    int64_t each = grains / n, first_larger = n - grains % n;
    int64_t more = index > first_larger ? index - first_larger : 0;
    int64_t from = (each * index + more) * grain;
    int64_t to = from + (each + (index >= first_larger)) * grain;
    *begin = (int)(from < total ? from : total);
    *end = (int)(to < total ? to : total);
}

/* ---- making and freeing ------------------------------------------------ */

static int available_cores(void)
{
    long n = 0;
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        n = CPU_COUNT(&set);
#endif
    if (n < 1)
        n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : (int)n;
}

/* Signals go to the program's own threads, so that Ctrl-C is seen where it is
 * awaited; those that a fault raises stay with the thread at fault. */
static void block_signals(sigset_t *old)
{
    static const int kept[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
    sigset_t all;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        sigdelset(&all, kept[i]);
    pthread_sigmask(SIG_SETMASK, &all, old);
}

/* Threads inherit the mask of who makes them. */
static ur_status start_members(ur_team *t)
{
    sigset_t old;
    block_signals(&old);
    int error = 0;
    for (int i = 1; i < t->n && !error; i++) {
        struct member *m = &t->members[i];
        error = ur__mem_refuses(false) ? EAGAIN
                                       : pthread_create(&m->thread, NULL, member_main, m);
        t->n_started += !error;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (error)
        return ur__fail(UR_ENOMEM, "out of threads: only %d of %d could be started",
                        t->n_started + 1, t->n);
    return UR_OK;
}

ur_status ur_team_new(ur_team **out, int n)
{
    UR__NEED(out, "out");
    *out = NULL;
    if (n < 0 || n > MAX_THREADS)
        return ur__fail(UR_EINVAL, "a team has 0 to %d threads, not %d",
                        MAX_THREADS, n);
    int cores = available_cores();
    ur_team *t = ur__calloc(1, sizeof *t);
    if (!t)
        return UR_ENOMEM;
    t->n = n ? n : cores;
    t->spins = t->n <= cores ? SPINS : 0;
    t->members = ur__calloc((size_t)t->n, sizeof *t->members);
    if (!t->members) {
        ur__free(t);
        return UR_ENOMEM;
    }
    for (int i = 0; i < t->n; i++)
        t->members[i].worker = (struct ur__worker){t, i, t->n};
    /* With default attributes neither can fail on Linux or macOS. */
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->changed, NULL);
    ur_status status = start_members(t);
    if (status != UR_OK) {
        ur_team_free(t);
        return status;
    }
    *out = t;
    return UR_OK;
}

void ur_team_free(ur_team *team)
{
    if (!team)
        return;
    team->quit = true;
    change(team, &team->starts);
    for (int i = 1; i <= team->n_started; i++)
        pthread_join(team->members[i].thread, NULL);
    pthread_cond_destroy(&team->changed);
    pthread_mutex_destroy(&team->lock);
    ur__free(team->members);
    ur__free(team);
}

int ur_team_size(const ur_team *team)
{
    return team ? team->n : 1;
}
