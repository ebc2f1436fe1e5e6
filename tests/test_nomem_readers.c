/* SPDX-License-Identifier: MIT */
/* Memory that runs out, and disks that fail, while examples are read and made into batches. */
#include "readers.h"

#include "data/buckets.h"
#include "data/holdout.h"
#include "data/sequences.h"
#include "data/series.h"
#include "data/vectors.h"
#include "support/memory_file.h"
#include "support/nomem.h"
#include "support/settings.h"
#include "unroll/task.h"

#define DO(expr)                                                                       \
    do {                                                                               \
        if (status == UR_OK)                                                           \
            status = (expr);                                                           \
    } while (0)

#define BYTES(s) s, sizeof(s) - 1

struct reading {
    const char *name, *path;
    struct ur__read_rule rule;
    bool spool;
};

/* A WAV of 8 bits and a second's twentieth, as the list has it. */
static unsigned char sound[44 + 400];

static void put_sound(void)
{
    static const unsigned char head[44] = "RIFF\xb4\1\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0"
        "\x40\x1f\0\0\1\0\x08\0data\x90\1\0";
    memcpy(sound, head, sizeof head);
    for (size_t i = sizeof head; i < sizeof sound; i++)
        sound[i] = (unsigned char)(i * i % 251);
    memory_file("mem:d/s.wav", sound, sizeof sound);
}

static const struct reading readings[] = {
    {"text", "mem:a.tsv", {0}, false},
    {"csv", "mem:a.csv", {.group = "who", .column = "class"}, true},
    {"csv text", "mem:b.csv", {0}, false},
    {"ts", "mem:a.ts", {0}, false},
    {"conllu", "mem:a.conllu", {.tagged = true}, true},
    {"conll", "mem:a.conll", {.tagged = true}, false},
    {"frames", "mem:a.csv", {.tagged = true, .column = "class"}, false},
    {"idx", "mem:images.idx", {.scan = UR_SCAN_COLUMN}, false},
    {"wav", "mem:d/list", {0}, true},
    {"one by one", "mem:a.csv", {.unlabelled = true, .columns = 3}, true},
    {"a sound", "mem:d/s.wav", {.unlabelled = true}, false},
};

/* The files as they were; there is room for a few at a time. */
static void put_files(const struct reading *r)
{
    static const struct {
        const char *path, *bytes;
        size_t n;
    } files[] = {
        {"mem:a.tsv", BYTES("b\tone two\na\tx\ty\nc\tz\n")},
        {"mem:a.csv", BYTES("who,u,class\n1,2.5,x\n2,3,y\n")},
        {"mem:b.csv", BYTES("\"one\ntwo\",x\nthree,y\n")},
        {"mem:a.ts", BYTES("@data\n1,?,3:4,5,6:a\n7:8:b\n")},
        {"mem:a.conllu", BYTES("1\tin\tl\tADP\tIN\t_\t0\tr\t_\t_\n")},
        {"mem:a.conll", BYTES("in O\n\nit\tO")},
        {"mem:images.idx", BYTES("\0\0\x08\x03\0\0\0\1\0\0\0\1\0\0\0\2\1\2")},
        {"mem:d/list", BYTES("a\ts.wav\n")},
    };
    memory_files_off();
    memory_files_on();
    for (size_t i = 0; i < COUNT(files); i++) {
        if (strcmp(files[i].path, r->path) == 0)
            memory_file(r->path, files[i].bytes, files[i].n);
    }
    memory_file("mem:labels.idx", BYTES("\0\0\x08\x01\0\0\0\1\7"));
    put_sound();
}

static ur_status look_at(struct ur__examples *x, int64_t i, uint32_t *digest)
{
    const struct ur__example *e = &x->example[i];
    ur_real frame[512];
    char text[64];
    bool frames = x->content == UR_CONTENT_FRAMES;
    ur_status status = frames ? ur__examples_frames(x, i, 0, e->length, frame)
                              : ur__examples_text(x, i, text);
    if (status == UR_OK)
        nomem_digest(digest, frames ? (const void *)frame : text,
                     frames ? e->size * sizeof *frame : e->size);
    *digest += (uint32_t)e->label;
    return status;
}

static ur_status read_singly(const struct reading *r, uint32_t *digest)
{
    struct ur__example_reader *reader;
    struct ur__examples *x = NULL;
    ur_status status = ur__example_reader_open(&reader, &r->path, 1, &r->rule);
    do {
        DO(ur__example_reader_next(reader, &x));
        if (status == UR_OK && x)
            status = look_at(x, 0, digest);
    } while (status == UR_OK && x);
    ur__example_reader_close(reader);
    ur__numbers_set_spool_at(0);
    return status;
}

static ur_status read_set(void *it, const void *arg, uint32_t *digest)
{
    const struct reading *r = arg;
    struct ur__examples *x = NULL;
    ur_vocab *labels = NULL;
    (void)it;
    ur__numbers_set_spool_at(r->spool ? 4 : 0);
    if (r->rule.unlabelled)
        return read_singly(r, digest);
    ur_status status = ur__examples_open(&x, &r->path, 1, &r->rule, &labels);
    for (int64_t i = 0; x && i < x->n; i++)
        DO(look_at(x, i, digest));
    if (status != UR_OK && !x)
        assert_null(labels);
    ur__examples_free(x);
    ur_vocab_free(labels);
    ur__numbers_set_spool_at(0);
    return status;
}

static void set__is_read_or_not_at_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(readings); i++) {
        put_files(&readings[i]);
        nomem_try(&(struct nomem){.name = readings[i].name, .act = read_set, .arg = &readings[i]});
    }
}

/* Each operation fails in turn; returns how many there were. */
static int try_fault(const struct reading *r, enum memory_fault fault, uint32_t want)
{
    bool hidden = fault == MEMORY_EINTR || fault == MEMORY_SHORT;
    bool changes = fault == MEMORY_SHRINKS || fault == MEMORY_GROWS;
    for (int at = 1;; at++) {
        uint32_t got = 0;
        long blocks = ur__mem_blocks();
        put_files(r);
        memory_files_fail(fault, at);
        ur_status status = read_set(NULL, r, &got);
        bool struck = memory_files_failed() > 0;
        memory_files_fail(MEMORY_SOUND, 0);
        if (status != UR_OK
            && (hidden || !struck || !*ur_errmsg()
                || (!changes && status != UR_EINPUT && status != UR_EOUTPUT)))
            fail_msg("%s: fault %d at operation %d is %s: %s", r->name, (int)fault, at,
                     ur_status_name(status), ur_errmsg());
        if (status == UR_OK && !changes && got != want)
            fail_msg("%s: fault %d at operation %d: another set", r->name, (int)fault, at);
        assert_int_equal(ur__mem_blocks(), blocks);
        assert_int_equal(memory_files_open(), 0);
        if (!struck)
            return at - 1;
    }
}

static void set__survives_a_failing_disk(void **state)
{
    (void)state;
    static const enum memory_fault faults[] = {
        MEMORY_EIO, MEMORY_EIO_ALL, MEMORY_EINTR, MEMORY_SHORT, MEMORY_SHRINKS, MEMORY_GROWS
    };
    int struck = 0;
    for (size_t i = 0; i < COUNT(readings); i++) {
        uint32_t want = 0;
        put_files(&readings[i]);
        assert_ok(read_set(NULL, &readings[i], &want));
        for (size_t k = 0; k < COUNT(faults); k++)
            struck += try_fault(&readings[i], faults[k], want);
    }
    printf("operations that failed while examples were read: %d\n", struck);
    assert_true(struck > 200);
}

/* ---- what is made of sets ---------------------------------------------- */

static ur_status make_batches(void *it, const void *arg, uint32_t *digest)
{
    static const struct ur__read_rule rule = {0};
    static const char *const path = "mem:a.tsv";
    struct ur__examples *x = NULL;
    struct ur__sequences s = {0};
    struct ur__buckets b = {0};
    ur_vocab *labels = NULL, *v = NULL;
    const int64_t *which;
    unsigned char held[3];
    int32_t label[3] = {0, 0, 1}, fold[3], length[3] = {2, 2, 1}, ids[6] = {0};
    int lengths[3], rows;
    int64_t count, cut;
    (void)it;
    ur_token_kind kind = *(const ur_token_kind *)arg;
    ur_status status = ur__examples_open(&x, &path, 1, &rule, &labels);
    const struct ur__draw draw = {.seed = 1, .n = 3, .label = label};
    DO(ur__holdout(&draw, 0.4, held, &count));
    DO(ur__folds(&draw, 3, fold));
    DO(ur__examples_vocab(&v, x, &(struct ur__vocab_rule){.kind = kind, .min_count = 1}, &cut));
    DO(ur__sequences_new(&s, x, v, UR_UNKNOWN_USUAL));
    DO(ur__buckets_init(&b, 1, 3, length, 2, 0));
    DO(ur__buckets_batch(&b, 0, 0, &which, &rows));
    if (status == UR_OK)
        status = ur__pad_ids(&s, &(struct ur__rows){which, rows, 2, 0}, ids, lengths);
    if (status == UR_OK) {
        nomem_digest(digest, ids, sizeof ids);
        nomem_digest(digest, held, sizeof held);
        nomem_digest(digest, fold, sizeof fold);
    }
    ur__buckets_free(&b);
    ur__sequences_free(&s);
    ur_vocab_free(v);
    ur_vocab_free(labels);
    ur__examples_free(x);
    return status;
}

/* As a program of one's own reads a set. */
static ur_status use_set(void *it, const void *arg, uint32_t *digest)
{
    static const char *const path = "mem:a.tsv";
    ur_examples *x = NULL, *y = NULL;
    ur_examples_options o;
    ur_batches *b = NULL;
    ur_vocab *v = NULL;
    const int64_t *which;
    int64_t part[3], n;
    int32_t ids[6] = {0};
    int lengths[3], rows;
    (void)it;
    (void)arg;
    ur_examples_options_init(&o);
    ur_status status = ur_examples_open(&x, &path, 1, NULL);
    if (status == UR_OK)
        o.labels = ur_examples_labels(x);
    DO(ur_examples_open(&y, &path, 1, &o));
    DO(ur_examples_hold_out(x, 0.4, 1, part, &n));
    DO(ur_examples_vocab(&v, x, UR_TOKEN_WORD, 1, part, n));
    DO(ur_examples_number(x, v, UR_UNKNOWN_USUAL));
    DO(ur_batches_new(&b, x, part, n, 3, 1));
    DO(ur_batches_at(b, 0, 0, &which, &rows));
    DO(ur_examples_pad_ids(x, which, rows, 2, ids, lengths));
    if (status == UR_OK)
        nomem_digest(digest, ids, sizeof ids);
    ur_batches_free(b);
    ur_vocab_free(v);
    ur_examples_close(y);
    ur_examples_close(x);
    return status;
}

static ur_status read_vectors(void *it, const void *arg, uint32_t *digest)
{
    static const char *const words[] = {"<unk>", "</s>", "the"};
    struct ur__vectors vectors = {0};
    ur_vocab *v = NULL;
    ur_real rows[6] = {0};
    unsigned char found[3];
    int64_t count;
    (void)it;
    (void)arg;
    ur_status status = ur__vocab_new_words(&v, UR_TOKEN_WORD, 3, words);
    if (status == UR_OK) {
        status = ur__vectors_open(&vectors, "mem:v.txt");
        DO(ur__vectors_fill(&vectors, v, rows, found, &count));
        ur__vectors_close(&vectors);
    }
    if (status == UR_OK)
        nomem_digest(digest, rows, sizeof rows);
    ur_vocab_free(v);
    return status;
}

static void batches__are_made_or_not_at_all(void **state)
{
    (void)state;
    static const ur_token_kind kinds[] = {UR_TOKEN_WORD, UR_TOKEN_CHAR};
    put_files(&readings[0]);
    memory_file("mem:a.tsv", BYTES("b\tone two\na\tx y\nc\tz\n"));
    memory_file("mem:v.txt", BYTES("1 2\nthe 3 4\n"));
    for (size_t i = 0; i < COUNT(kinds); i++)
        nomem_try(&(struct nomem){.name = "batches", .act = make_batches, .arg = &kinds[i]});
    nomem_try(&(struct nomem){.name = "public", .act = use_set});
    nomem_try(&(struct nomem){.name = "vectors", .act = read_vectors});
    nomem_total(200);
}

/* ---- answers ----------------------------------------------------------- */

struct asking {
    const char *arch, *settings, *format, *path;    /* format NULL: the task has one */
};

static void *make_net(const void *arg)
{
    static const char *const words[] = {"<unk>", "</s>", "a", "b", "it"};
    static const uint32_t codes[] = {'\n', 'i', 't'};
    const struct asking *a = arg;
    ur_options c = net_of(a->arch, a->settings);
    bool text = !strstr(a->settings, "features");
    ur_vocab *v[3] = {NULL};
    ur_model *m;
    if (!a->format) {
        assert_ok(ur_model_new(&m, &c, 0, v, 9));
        return m;
    }
    if (text) {
        assert_ok(ur__vocab_new_words(&v[0], UR_TOKEN_WORD, 5, words));
        assert_ok(ur__vocab_new(&v[2], UR_TOKEN_CHAR, 3, codes));
    }
    assert_ok(ur__vocab_new_words(&v[1], UR_TOKEN_WORD, 4, words));
    assert_ok(ur_model_new(&m, &c, 3, v, 9));
    return m;
}

static void free_net(void *it)
{
    ur_model_free(it);
}

static ur_status ask(void *it, const void *arg, uint32_t *digest)
{
    const struct asking *q = arg;
    ur_predict_options o;
    ur_predictor *p;
    const ur_answer *a;
    ur_predict_options_init(&o);
    o.best = 2;
    ur_status status = ur_predictor_new(&p, it, &o);
    if (status != UR_OK)
        return status;
    if (q->format)
        DO(ur_predictor_set(p, "format", q->format));
    DO(ur_predictor_open(p, &q->path, 1));
    do {
        DO(ur_predictor_next(p, &a));
        for (int i = 0; status == UR_OK && a && i < a->n_places; i++)
            nomem_digest(digest, &a->place[i].best[1].p, sizeof a->place[i].best[1].p);
        if (status == UR_OK && a)
            nomem_digest(digest, a->text, a->n_rows ? a->n : 0);
    } while (status == UR_OK && a);
    ur_predictor_free(p);
    return status;
}

static void answers__are_given_or_not_at_all(void **state)
{
    (void)state;
    static const struct asking all[] = {
        {"classify", "hidden=3 features=1", "csv", "mem:n.csv"},
        {"classify", "hidden=3 embed=2 letters=2", "text", "mem:n.tsv"},
        {"tag", "hidden=3 embed=2 letters=2 crf=yes", "conll", "mem:n.conll"},
        {"forecast", "hidden=3 horizon=2 context=3 recursive=yes", NULL, "mem:n.csv"},
    };
    put_files(&readings[0]);
    memory_file("mem:n.csv", BYTES("1,2\n3,4\n5,6\n7,9\n"));
    memory_file("mem:n.tsv", BYTES("a\tit b\nno tab\n"));
    memory_file("mem:n.conll", BYTES("it\nit\n\nb\n"));
    for (size_t i = 0; i < COUNT(all); i++)
        nomem_try(&(struct nomem){.name = all[i].path, .make = make_net, .unmake = free_net,
                                  .act = ask, .arg = &all[i]});
}

/* ---- series ------------------------------------------------------------ */

static ur_status read_series(void *unused, const void *arg, uint32_t *digest)
{
    struct ur__series s;
    const struct ur__series_rule rule = {.targets = "b,3", .features = "all"};
    (void)unused;
    (void)arg;
    ur_status status = ur__series_open(&s, "mem:s.csv", &rule);
    if (status == UR_OK)
        nomem_digest(digest, s.value, (size_t)(3 * s.n) * sizeof *s.value);
    ur__series_close(&s);
    return status;
}

static void series__are_read_or_not_at_all(void **state)
{
    (void)state;
    memory_file("mem:s.csv", BYTES("date,b,a,d\n2020-01,1,2,3\n2020-02,4,,6\n"));
    nomem_try(&(struct nomem){.name = "series", .act = read_series});
}

static int set_up(void **state)
{
    (void)state;
    setenv("TMPDIR", "mem:", 1);
    memory_files_on();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set__is_read_or_not_at_all),
        cmocka_unit_test(set__survives_a_failing_disk),
        cmocka_unit_test(answers__are_given_or_not_at_all),
        cmocka_unit_test(series__are_read_or_not_at_all),
        cmocka_unit_test(batches__are_made_or_not_at_all),
    };
    return cmocka_run_group_tests_name("nomem_readers", tests, set_up, NULL);
}
