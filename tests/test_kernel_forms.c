/* SPDX-License-Identifier: MIT */
/* The LSTM's other forms (peepholes, clipped cell, coupled gates) against their equations
 * in double, with equal bits in all tables; plain of form, they are the plain LSTM. */
#include "test_kernel.h"

#define TOLERANCE 2e-6

enum { ROOM = 300 };

static double s(double x)
{
    return 1 / (1 + exp(-x));
}

/* ---- one unit in double ------------------------------------------------ */

struct unit {
    double i, f, g, o;          /* pre-activations, gates, or gradients */
    double c_prev, c, h, dh, dc;
};

static double at(const ur_real *p, int j)
{
    return p ? (double)p[j] : 0;
}

static void exact_forward(const struct ur__lstm_form *form, int j, struct unit *u)
{
    double clip = (double)form->clip;
    u->i = s(u->i + at(form->peep_i, j) * u->c_prev);
    u->f = form->coupled ? 1 - u->i : s(u->f + at(form->peep_f, j) * u->c_prev);
    u->g = tanh(u->g);
    u->c = u->f * u->c_prev + u->i * u->g;
    if (clip > 0)
        u->c = fmin(fmax(u->c, -clip), clip);
    u->o = s(u->o + at(form->peep_o, j) * u->c);
    u->h = u->o * tanh(u->c);
}

static void exact_backward(const struct ur__lstm_form *form, int j, struct unit *u)
{
    double i = u->i, f = form->coupled ? 1 - i : u->f, g = u->g, o = u->o, t = tanh(u->c);
    u->o = u->dh * t * o * (1 - o);
    double dc = u->dc + u->dh * o * (1 - t * t) + at(form->peep_o, j) * u->o;
    if (form->clip > 0 && fabs(u->c) >= (double)form->clip)
        dc = 0;
    u->i = dc * (form->coupled ? g - u->c_prev : g) * i * (1 - i);
    u->f = form->coupled ? 0 : dc * u->c_prev * f * (1 - f);
    u->g = dc * i * (1 - g * g);
    u->dc = dc * f + at(form->peep_i, j) * u->i + at(form->peep_f, j) * u->f;
}

/* ---- the cases --------------------------------------------------------- */

static ur_real peep[3 * ROOM];

/* Number 0 to 7: peepholes, clip and coupling, each there or not. */
static struct ur__lstm_form form_of(int number, int H)
{
    struct ur__lstm_form form = {.H = H, .coupled = number & 4};
    fill(peep, 3 * (size_t)H, -1, 1);
    if (number & 1) {
        form.peep_i = peep;
        form.peep_f = form.coupled ? NULL : peep + H;
        form.peep_o = peep + 2 * H;
    }
    form.clip = number & 2 ? (ur_real)0.5 : 0;
    return form;
}

struct data {
    ur_real gates[4 * ROOM], c_prev[ROOM], dh[ROOM], dc[ROOM];
};

static struct unit unit_of(const struct data *d, const struct ur__lstm_form *form, int H, int j,
                           bool zeros)
{
    int g = form->coupled ? 1 : 2;
    return (struct unit){
        .i = (double)d->gates[j], .f = (double)d->gates[H + j],
        .g = (double)d->gates[g * H + j], .o = (double)d->gates[(g + 1) * H + j],
        .c_prev = zeros ? 0 : (double)d->c_prev[j],
        .dh = (double)d->dh[j], .dc = (double)d->dc[j],
    };
}

/* What the stages leave, in the order of the arrays: gates, c or dc, h. */
struct truth {
    double gates[4 * ROOM], c[ROOM], h[ROOM];
};

static void put(struct truth *t, const struct unit *u, bool coupled, int H, int j)
{
    int g = coupled ? 1 : 2;
    t->gates[j] = u->i;
    if (!coupled)
        t->gates[H + j] = u->f;
    t->gates[g * H + j] = u->g;
    t->gates[(g + 1) * H + j] = u->o;
}

/* Compares with the truth, and with the first table's bits. */
static void compare(const struct ur__kernel *k, const char *name, const ur_real *x,
                    const double *truth, size_t n, ur_real *first)
{
    check_close(name, x, truth, n, TOLERANCE);
    if (k == ur__kernels_available()[0])
        memcpy(first, x, n * sizeof *x);
    check_bits(name, k->name, x, first, n);
}

static void check_form(int number, int H, bool zeros)
{
    static struct data d;
    static struct truth there, back;
    static ur_real first[6][4 * ROOM];
    size_t n = (size_t)H, blocks = number & 4 ? 3 : 4;
    struct ur__lstm_form form = form_of(number, H);
    fill(d.gates, 4 * n, -3, 3);
    fill(d.c_prev, n, -1, 1);
    fill(d.dh, n, -1, 1);
    fill(d.dc, n, -1, 1);
    EACH_TABLE(k) {
        ur_real *gates = copied(0, d.gates, blocks * n), *c = guarded(1, n), *h = guarded(2, n);
        const ur_real *c_prev = zeros ? NULL : copied(3, d.c_prev, n);
        for (int j = 0; j < H; j++) {
            struct unit u = unit_of(&d, &form, H, j, zeros);
            exact_forward(&form, j, &u);
            put(&there, &u, form.coupled, H, j);
            there.c[j] = u.c;
            there.h[j] = u.h;
        }
        k->lstm_form_forward(&form, gates, c_prev, c, h);
        check_canaries();
        compare(k, "gates", gates, there.gates, blocks * n, first[0]);
        compare(k, "c", c, there.c, n, first[1]);
        compare(k, "h", h, there.h, n, first[2]);
        for (int j = 0; j < H; j++) {   /* from the numbers that the kernel left */
            struct unit u = unit_of(&d, &form, H, j, zeros);
            int g = form.coupled ? 1 : 2;
            u.i = (double)gates[j], u.f = (double)gates[H + j];
            u.g = (double)gates[g * H + j], u.o = (double)gates[(g + 1) * H + j];
            u.c = (double)c[j];
            exact_backward(&form, j, &u);
            put(&back, &u, form.coupled, H, j);
            back.c[j] = u.dc;
        }
        ur_real *dc = copied(4, d.dc, n);
        k->lstm_form_backward(&form, gates, c_prev, c, copied(5, d.dh, n), dc);
        check_canaries();
        compare(k, "gradients of gates", gates, back.gates, blocks * n, first[3]);
        compare(k, "gradient of c_prev", dc, back.c, n, first[4]);
    }
}

static void forms__follow_their_equations(void **state)
{
    (void)state;
    for (int number = 0; number < 8; number++)
        for (int l = 0; l < N_LENGTHS; l++)
            for (int zeros = 0; zeros < 2; zeros++)
                check_form(number, lengths[l], zeros);
}

static void forms__without_any_are_the_plain_lstm(void **state)
{
    (void)state;
    enum { H = 37 };
    const struct ur__lstm_form plain = {.H = H};
    EACH_TABLE(k) {
        ur_real a[4 * H], b[4 * H], c_prev[H], c[H], cell[H], h[H], g[H], dc[H], dcell[H];
        fill(a, 4 * H, -3, 3);
        fill(c_prev, H, -1, 1);
        fill(dc, H, -1, 1);
        memcpy(b, a, sizeof a);
        memcpy(dcell, dc, sizeof dc);
        k->lstm_forward(H, a, c_prev, c, h);
        k->lstm_form_forward(&plain, b, c_prev, cell, g);
        check_bits("gates", k->name, a, b, 4 * H);
        check_bits("c", k->name, c, cell, H);
        check_bits("h", k->name, h, g, H);
        k->lstm_backward(H, a, c_prev, c, h, dc);
        k->lstm_form_backward(&plain, b, c_prev, c, h, dcell);
        check_bits("gradients of gates", k->name, a, b, 4 * H);
        check_bits("gradient of c_prev", k->name, dc, dcell, H);
    }
}

static void forms__let_nan_pass_the_clip(void **state)
{
    (void)state;
    const struct ur__lstm_form clipped = {.H = 1, .clip = 1};
    EACH_TABLE(k) {
        ur_real gates[4] = {0, 0, (ur_real)NAN, 0}, c_prev = 0, c, h;
        k->lstm_form_forward(&clipped, gates, &c_prev, &c, &h);
        assert_true(isnan(c) && isnan(h));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms__follow_their_equations),
        cmocka_unit_test(forms__without_any_are_the_plain_lstm),
        cmocka_unit_test(forms__let_nan_pass_the_clip),
    };
    return cmocka_run_group_tests_name("kernel forms", tests, NULL, NULL);
}
