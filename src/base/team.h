/* SPDX-License-Identifier: MIT */
/* Running one function on all threads of a team, with a barrier inside. Work is
 * split statically, so that who computes what depends on sizes alone. */
#ifndef UR_BASE_TEAM_H
#define UR_BASE_TEAM_H

#include "unroll/base.h"

/* One thread's share of a parallel region. */
struct ur__worker {
    ur_team *team;  /* NULL when alone */
    int index, n;   /* 0 <= index < n */
};
typedef void (*ur__work)(const struct ur__worker *w, void *arg);

/* Runs work(w, arg) on every thread of the team, the caller as index 0, and
 * returns when all have ended. All run in IEEE default floating-point mode
 * (round to nearest, no flush to zero); the caller's mode is restored. NULL
 * team: one call, here. Never nested on the same team. */
void ur__team_run(ur_team *team, ur__work work, void *arg);

/* The same for work of microseconds whose threads meet often, and whose results do not depend
 * on their number: while something else has their cores, so that waiting for them takes longer
 * than it saves, the caller works alone (n 1) and tries the team again from time to time. */
void ur__team_run_brief(ur_team *team, ur__work work, void *arg);
/* Test hook: brief regions are done by all threads, however late. */
void ur__team_insist(ur_team *team);

/* Waits until every thread of the region is here. Spins a while, then sleeps. A copy of w with
 * a smaller n makes the first n threads meet; the others must stay away from barriers then. */
void ur__team_barrier(const struct ur__worker *w);

/* The half-open range of [0,total) that falls to part `index` of `n`, cut at
 * multiples of `grain`: sizes differ by at most one grain. */
void ur__share(int total, int grain, int index, int n, int *begin, int *end);

/* Seconds of a clock that only goes forward. */
double ur__clock(void);

#endif
