/* SPDX-License-Identifier: MIT */
/* The matrix product on a team: rows or columns are shared out, k never is. */
#include "kernel/gemm.h"

/* Below this many multiply-adds waking a team costs more than it saves. */
#define WORTH_A_TEAM 262144.0

static size_t scratch_stride(const struct ur__kernel *k)
{
    return (k->scratch_bytes + 63) / 64 * 64;
}

size_t ur__gemm_scratch(const struct ur__kernel *k, int n_workers)
{
    return (size_t)n_workers * scratch_stride(k);
}

/* The share of worker 0, which is never the smallest. */
static int largest_share(int total, int grain, int n)
{
    int begin, end;
    ur__share(total, grain, 0, n, &begin, &end);
    int most = end - begin;
    ur__share(total, grain, n - 1, n, &begin, &end);
    return end - begin > most ? end - begin : most;
}

void ur__gemm_share(const struct ur__kernel *k, const struct ur__gemm *g,
                    const struct ur__worker *w, void *scratch)
{
    int m0 = 0, m1 = g->M, n0 = 0, n1 = g->N;
    /* The largest share decides when all are done; if equal, columns: each then reads
     * its own part of B, the larger operand where rows are few. */
    const double by_rows = (double)largest_share(g->M, 1, w->n) * g->N;
    const double by_columns = (double)largest_share(g->N, k->nr, w->n) * g->M;
    if (by_rows < by_columns || (by_rows == by_columns && g->M > g->N))
        ur__share(g->M, 1, w->index, w->n, &m0, &m1);
    else
        ur__share(g->N, k->nr, w->index, w->n, &n0, &n1);
    char *mine = scratch == NULL ? NULL : (char *)scratch + (size_t)w->index * scratch_stride(k);
    k->gemm(g, m0, m1, n0, n1, mine);
}

struct job {
    const struct ur__kernel *k;
    const struct ur__gemm *g;
    void *scratch;
};

static void run_share(const struct ur__worker *w, void *arg)
{
    const struct job *job = arg;
    ur__gemm_share(job->k, job->g, w, job->scratch);
}

void ur__gemm_run(const struct ur__kernel *k, const struct ur__gemm *g, ur_team *team,
                  void *scratch)
{
    struct job job = {k, g, scratch};
    const double work = (double)g->M * g->N * g->K;
    ur__team_run(work < WORTH_A_TEAM ? NULL : team, run_share, &job);
}
