/* SPDX-License-Identifier: MIT */
/* NaN and infinity put into parameters, gradients, carried states and losses of runs of a
 * hundred steps, at every step: seen in that step, by name, and nothing is written. */
#include "test_nan.h"

#define STEPS 100
#define B 4

struct net {
    const char *task;
    ur_cell cell;
};

static bool has_labels(const struct net *net)
{
    return strcmp(net->task, "classify") == 0 || strcmp(net->task, "tag") == 0
        || strcmp(net->task, "translate") == 0;
}

/* Between them they have every kind of parameter. */
static ur_train_options options_of(const struct net *net)
{
    static const char *const forms[] = {
        [UR_CELL_RNN] = "hidden=7,5 cell=rnn",
        [UR_CELL_LSTM] =
            "hidden=7,5 cell=lstm embed=6 learned-state=yes peepholes=yes projection=4",
        [UR_CELL_GRU] = "hidden=7,5 cell=gru embed=6 learned-state=yes reset=before",
    };
    ur_train_options o = small_run(net->task, tmp_path("m.safetensors"), forms[net->cell]);
    if (!has_labels(net))
        set_run(&o, "seq-length=8");
    o.batch = B;
    o.steps = 1000;
    o.eval_every = o.checkpoint_every = 1000;
    o.resume = true;
    o.on_nan = UR_ON_NAN_STOP;
    return o;
}

static const char *word_of(ur_real x)
{
    return isnan((double)x) ? "nan" : x > 0 ? "inf" : "-inf";
}

/* Numbers of layer l's part h (0) or c (1) in a row of the carried state. */
static size_t width(const struct net *net, int l, int part)
{
    size_t H = l ? 5 : 7;
    return net->cell == UR_CELL_LSTM ? (part ? H : 4) : part ? 0 : H;
}

static void expect_carried(const struct net *net, size_t at, char text[160])
{
    for (int i = 0; i < 4; i++) {
        size_t n = width(net, i / 2, i % 2);
        if (at < B * n) {
            if (spoil.place == CARRIED)
                snprintf(text, 160, ": the carried state is %s at layer %d, %c[%zu,%zu]",
                         word_of(spoil.value), i / 2, "hc"[i % 2], at / n, at % n);
            else
                snprintf(text, 160, ": the carried state is nan at layer %d, ", i / 2);
            return;
        }
        at -= B * n;
    }
    fail();
}

static size_t carried_size(const struct net *net)
{
    size_t n = 0;
    for (int i = 0; i < 4; i++)
        n += B * width(net, i / 2, i % 2);
    return n;
}

/* What the message must say. */
static void expect(const struct net *net, char text[160])
{
    switch (spoil.place) {
    case WEIGHT:
    case WEIGHT_PACKED:
        snprintf(text, 160, "parameter %s[%zu] is %s", spoil.parameter, spoil.at,
                 word_of(spoil.value));
        break;
    case GRADIENT:
        snprintf(text, 160, "the gradient of %s[%zu] is %s", spoil.parameter, spoil.at,
                 word_of(spoil.value));
        break;
    case CARRIED:
    case CARRIED_READ: expect_carried(net, spoil.at, text); break;
    default: snprintf(text, 160, "the loss is %s", isnan((double)spoil.value) ? "nan" : "infinite");
    }
}

static void set_spoil(const struct net *net, enum place place, int64_t step)
{
    static const double values[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    int which = (int)(step + 3 * (int)place) % spoil_names;
    size_t size = place == CARRIED || place == CARRIED_READ ? carried_size(net)
        : spoil_size[which];
    spoil_nothing();
    spoil.place = place;
    spoil.first = spoil.last = step;
    spoil.parameter = spoil_name[which];
    spoil.at = (size_t)((double)size * ur_random_uniform(1, 5, (uint64_t)step, (uint32_t)place));
    /* An infinite state that is read saturates gates, and is gone after the step. */
    spoil.value = (ur_real)values[place == CARRIED_READ ? 0 : step % 3];
}

static void try_one(const ur_train_options *o, const struct net *net, enum place place,
                    int64_t step)
{
    struct watcher w;
    char text[160], begins[40];
    set_spoil(net, place, step);
    expect(net, text);
    ur_status status = train_spoilt(o, 0, &w);
    snprintf(begins, sizeof begins, "diverged at step %lld: ", (long long)step);
    if (status != UR_ENUMERIC || spoil.spoilt != 1 || w.n != 0 || !strstr(ur_errmsg(), text)
        || strncmp(ur_errmsg(), begins, strlen(begins)) != 0)
        fail_msg("%s %s step %lld: %s after %d more steps, \"%s\", not \"%s\"", net->task,
                 ur_cell_name(net->cell), (long long)step, ur_status_name(status), w.n,
                 ur_errmsg(), text);
}

/* All ways to spoil one step. Returns how many they were; none has touched the state. */
static int try_step(const ur_train_options *o, const struct net *net, int64_t step)
{
    const char *state = with_end(o->model, ".state");
    bool carries = strcmp(net->task, "lm") == 0;
    size_t n = 0, m;
    char *before = step > 1 ? read_all(state, &n) : NULL;
    int tries = 0;
    for (int place = WEIGHT; place <= LOSS; place++) {
        bool carried = place == CARRIED || place == CARRIED_READ;
        if ((carried && !carries) || (place == CARRIED && step == 1))
            continue;   /* an epoch begins with a state of its own */
        try_one(o, net, (enum place)place, step);
        tries++;
    }
    assert_int_equal(ur__file_exists(state), step > 1);
    if (before) {
        char *after = read_all(state, &m);
        assert_int_equal(n, m);
        assert_memory_equal(before, after, n);
        ur__free(before);
        ur__free(after);
    }
    return tries;
}

/* A run that goes on step by step; before each step, that step spoilt in every way. */
static int campaign(const struct net *net)
{
    struct watcher w;
    ur_train_options o = options_of(net);
    int tries = 0;
    spoil_nothing();
    assert_status(UR_ECANCELED, train_spoilt(&o, 1, &w));   /* names the parameters */
    o = options_of(net);
    for (int64_t step = 1; step <= STEPS; step += EACH) {
        tries += try_step(&o, net, step);
        spoil_nothing();
        assert_status(UR_ECANCELED, train_spoilt(&o, step + EACH - 1, &w));
        assert_int_equal(w.n, EACH);
    }
    return tries;
}

static void nan__is_seen_in_its_step(void **unused)
{
    (void)unused;
    const struct net nets[] = {
        {"lm", UR_CELL_RNN}, {"lm", UR_CELL_LSTM}, {"lm", UR_CELL_GRU},
        {"fill", UR_CELL_RNN}, {"fill", UR_CELL_LSTM}, {"fill", UR_CELL_GRU},
        {"classify", UR_CELL_GRU}, {"tag", UR_CELL_LSTM}, {"translate", UR_CELL_GRU},
    };
    int tries = 0;
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++)
        tries += campaign(&nets[i]);
    print_message("%d of %d seen\n", tries, tries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nan__is_seen_in_its_step),
    };
    return cmocka_run_group_tests(tests, set_up_quick, tear_down);
}
