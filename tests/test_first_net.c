/* SPDX-License-Identifier: MIT */
/* The mistakes of a first net: docs/FIRST_NET.md gives the sentence of each as the library does. */
#include "test_io.h"

#include "unroll/train.h"

enum { T = 4, B = 2, I = 2, H = 3, CLASSES = 3 };

static const ur_real x[T * B * (I + 1)];
static char *doc;
static int told;

/* The call has failed, and the document has its sentence. */
static void assert_told(ur_status status)
{
    char row[300];
    assert_int_not_equal(status, UR_OK);
    snprintf(row, sizeof row, "\n| `%s` | ", ur_errmsg());
    if (!strstr(doc, row))
        fail_msg("docs/FIRST_NET.md does not tell: %s", ur_errmsg());
    told++;
}

struct net {
    ur_params *params;
    ur_rnn *rnn;
    ur_linear_layer out;
    ur_state *state;
    ur_tape *tape;
    ur_optimizer *adamw;
};

static void make(struct net *n)
{
    ur_rnn_options net = {0};
    ur_optimizer_options how = {0};
    ur_rnn *late;
    assert_ok(ur_params_new(&n->params));
    assert_told(ur_rnn_new(&n->rnn, n->params, "rnn", &net));
    ur_rnn_options_init(&net);
    assert_told(ur_rnn_new(&n->rnn, n->params, "rnn", &net));
    net.input = I;
    assert_told(ur_rnn_new(&n->rnn, n->params, "rnn", &net));
    net.hidden[0] = H;
    assert_ok(ur_rnn_new(&n->rnn, n->params, "rnn", &net));
    assert_ok(ur_linear_init(&n->out, n->params, "out", H, CLASSES, true));
    assert_told(ur_optimizer_new(&n->adamw, n->params, &how, NULL));
    ur_optimizer_options_init(&how);
    assert_told(ur_optimizer_new(&n->adamw, n->params, &how, NULL));
    assert_told(ur_rnn_prepare(n->rnn));
    assert_ok(ur_params_build(n->params, 1));
    assert_told(ur_rnn_new(&late, n->params, "late", &net));
    assert_told(ur_state_new(&n->state, n->rnn, B, NULL));
    assert_ok(ur_rnn_prepare(n->rnn));
    assert_ok(ur_state_new(&n->state, n->rnn, B, NULL));
    assert_ok(ur_tape_new(&n->tape, NULL));
    assert_ok(ur_optimizer_new(&n->adamw, n->params, &how, NULL));
}

static void begin(struct net *n)
{
    ur_state_detach(n->state);
    ur_state_zero(n->state);
    ur_tape_reset(n->tape);
    ur_params_zero_grads(n->params);
}

static ur_tensor *outputs(struct net *n, int inputs, const int *length)
{
    const int dim[] = {T, B, inputs};
    return ur_rnn_forward(n->tape, n->rnn, ur_constant(n->tape, 3, dim, x), length, n->state);
}

static ur_tensor *loss(struct net *n, ur_tensor *h, const int32_t *label)
{
    return ur_cross_entropy(n->tape, ur_linear(n->tape, &n->out, h), (ur_ids){label, 1, B});
}

static void sentences__are_those_of_the_document(void **unused)
{
    (void)unused;
    static const int right[] = {4, 2}, wrong[] = {4, 9};
    static const int32_t label[] = {0, 1}, beyond[] = {0, CLASSES};
    struct net n = {0};
    int rows = 0;
    make(&n);
    outputs(&n, I + 1, right);
    assert_told(ur_tape_status(n.tape));
    begin(&n);
    outputs(&n, I, wrong);
    assert_told(ur_tape_status(n.tape));
    begin(&n);
    loss(&n, outputs(&n, I, right), label);
    assert_told(ur_tape_status(n.tape));
    ur_tape_reset(n.tape);
    outputs(&n, I, right);
    assert_told(ur_tape_status(n.tape));
    begin(&n);
    outputs(&n, I, right);
    loss(&n, ur_state_tensor(n.state, 0, "h"), beyond);
    assert_told(ur_tape_status(n.tape));
    begin(&n);
    assert_told(ur_backward(n.tape, outputs(&n, I, right)));
    begin(&n);
    outputs(&n, I, right);
    ur_tensor *e = loss(&n, ur_state_tensor(n.state, 0, "h"), label);
    assert_ok(ur_backward(n.tape, e));
    assert_told(ur_backward(n.tape, e));
    assert_ok(ur_optimizer_step(n.adamw, 0.02, NULL));
    begin(&n);
    outputs(&n, I, right);
    assert_told(ur_tape_status(n.tape));
    for (const char *at = doc; (at = strstr(at, "\n| `")) != NULL; at++)
        rows++;
    assert_int_equal(told, rows);
    printf("%d mistakes, each with its sentence\n", told);
    ur_optimizer_free(n.adamw);
    ur_tape_free(n.tape);
    ur_state_free(n.state);
    ur_rnn_free(n.rnn);
    ur_params_free(n.params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences__are_those_of_the_document),
    };
    const char *source = getenv("SOURCE_DIR");
    char path[1024];
    size_t size;
    if (!source) {
        puts("SOURCE_DIR, where the documents are, is not set");
        return 77;
    }
    snprintf(path, sizeof path, "%s/docs/FIRST_NET.md", source);
    if (ur__file_slurp(path, 1 << 20, &doc, &size) != UR_OK) {
        fprintf(stderr, "%s\n", ur_errmsg());
        return 1;
    }
    int failed = cmocka_run_group_tests_name("first_net", tests, NULL, NULL);
    ur__free(doc);
    return failed;
}
