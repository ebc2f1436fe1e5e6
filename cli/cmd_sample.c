/* SPDX-License-Identifier: MIT */
/* unroll sample: text drawn from a model. Standard output carries the text and nothing
 * else; whole characters go out as soon as they are drawn. */
#define _POSIX_C_SOURCE 200809L     /* isatty */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/team.h"
#include "cli/fail.h"
#include "cli/ui.h"
#include "io/file.h"
#include "io/json.h"
#include "unroll.h"

struct sample {
    struct opt_common common;
    int64_t length, top_k, seed, threads;
    double temperature, top_p;
    const char *prime, *stop;
};

#define AT(field) .at = offsetof(struct sample, field)

static const struct opt options[] = {
    {.group = "sampling"},
    {.name = "length", .arg = "N", .fallback = "2000", .kind = OPT_INT, .max = OPT_MANY,
     AT(length), .help = "tokens to draw after the prime"},
    {.name = "temperature", .arg = "X", .fallback = "1", .kind = OPT_REAL, .max = 1000,
     AT(temperature), .help = "below 1 safer, above 1 wilder; 0: always the likeliest"},
    {.name = "top-k", .arg = "N", .fallback = "0", .shown = "0: all", .kind = OPT_INT, .max = 1e9,
     AT(top_k), .help = "draw among the N likeliest"},
    {.name = "top-p", .arg = "P", .fallback = "1", .kind = OPT_REAL, .max = 1,
     .open = OPT_OPEN_MIN, AT(top_p), .help = "then among the fewest that reach probability P"},
    {.name = "prime", .arg = "TEXT", .kind = OPT_TEXT, AT(prime),
     .help = "text to go on from, which is printed too; - reads standard input"},
    {.name = "stop", .arg = "TEXT", .kind = OPT_TEXT, AT(stop),
     .help = "end as soon as the drawn text ends with TEXT"},
    {.name = "seed", .arg = "N", .fallback = "123", .kind = OPT_INT, .max = OPT_MANY, AT(seed),
     .help = "equal seeds draw equal text"},
    {.name = "threads", .arg = "N", .fallback = "1", .kind = OPT_INT, .max = 1024, AT(threads),
     .help = "more than 1 pays for wide layers only; 0: the cores available"},
    OPT_COMMON(struct sample),
};

static const char *const examples[] = {
    "unroll sample shakespeare.safetensors",
    "unroll sample shakespeare.safetensors --prime 'ROMEO:' --temperature 0.7 --length 500",
    "head -n 20 main.c | unroll sample c.safetensors --prime - | less",
    NULL,
};

/* Where text goes: to stdout in whole characters, or into a buffer for --json. */
struct sink {
    bool keep;
    struct ur__buf text;        /* all of it, or what is not yet a whole character */
    struct ur__buf tail;        /* the last bytes drawn, as many as --stop has */
    double flushed;
    int64_t drawn;
    bool open;                  /* what was printed ends within a line */
};

/* Seconds that text may wait: too short to see, long enough to spare system calls. */
#define FLUSH_EVERY 0.03

/* How many of n bytes at the end begin a character that is not complete. */
static size_t unfinished(const char *text, size_t n)
{
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        unsigned char c = (unsigned char)text[n - back];
        if (c >= 0xc0) {
            uint32_t code;
            return ur__utf8_decode((const unsigned char *)text + n - back, back, &code) == 0 ? back
                                                                                             : 0;
        }
        if (c < 0x80)
            return 0;
    }
    return 0;
}

/* False: standard output takes no more. */
static bool pass_on(struct sink *s)
{
    if (s->keep)
        return true;
    size_t held = unfinished(s->text.data, s->text.size);
    size_t whole = s->text.size - held;
    if (whole > 0)
        s->open = s->text.data[whole - 1] != '\n';
    fwrite(s->text.data, 1, whole, stdout);
    memmove(s->text.data, s->text.data + whole, held);
    s->text.size = held;
    double now = ur__clock();
    if (now - s->flushed < FLUSH_EVERY)
        return true;
    s->flushed = now;
    return out_flush();
}

/* On a terminal the next prompt begins a line; elsewhere the text stays as it is. */
static void end_line(const struct sink *s)
{
    if (s->open && isatty(STDOUT_FILENO))
        putchar('\n');
    out_flush();
}

/* Does the drawn text end with stop? Keeps no more of it than that takes. */
static ur_status ends_with(struct ur__buf *tail, const char *bytes, size_t n, const char *stop,
                           bool *ends)
{
    size_t length = strlen(stop);
    ur_status status = ur__buf_put(tail, bytes, n);
    if (status != UR_OK)
        return status;
    if (tail->size > length) {
        memmove(tail->data, tail->data + tail->size - length, length);
        tail->size = length;
    }
    *ends = tail->size == length && memcmp(tail->data, stop, length) == 0;
    return UR_OK;
}

/* The net reads the prime, and *join what space is due behind it. */
static ur_status feed(ur_session *session, const ur_vocab *vocab, const char *text, size_t n,
                      ur_join *join, int64_t *unknown)
{
    size_t count = 0, ignored;
    int32_t *ids = ur__alloc(n, sizeof *ids);
    if (ids == NULL)
        return UR_ENOMEM;
    ur_status status = ur_vocab_encode(vocab, text, n, ids, &count);
    for (size_t i = 0; i < count && status == UR_OK; i++) {
        *unknown += ids[i] == ur_vocab_unknown(vocab);
        ur_vocab_join(vocab, join, ids[i], &ignored);
        status = ur_session_feed(session, ids[i]);
    }
    join->space = join->space && strchr(" \t\r\n", text[n - 1]) == NULL;
    ur__free(ids);
    return status;
}

/* Draws until the length, the stop text or the end of whoever reads. */
static ur_status draw(const struct sample *a, ur_session *session, const ur_vocab *vocab,
                      ur_join *join, struct sink *sink)
{
    const ur_sample_options o = {a->temperature, (int)a->top_k, a->top_p, (uint64_t)a->seed};
    ur_status status = ur_sample_options_check(&o);
    bool ended = false;
    for (int64_t i = 0; i < a->length && !ended && status == UR_OK; i++) {
        int32_t id;
        size_t n;
        /* The last token is drawn but need not be fed: nothing follows it. */
        if ((status = ur_session_draw(session, &o, &id)) != UR_OK)
            break;
        const char *bytes = ur_vocab_join(vocab, join, id, &n);
        if ((status = ur__buf_put(&sink->text, bytes, n)) != UR_OK)
            break;
        sink->drawn++;
        if (a->stop != NULL && a->stop[0] != '\0')
            status = ends_with(&sink->tail, bytes, n, a->stop, &ended);
        if (!pass_on(sink))
            break;
        if (status == UR_OK && !ended && i + 1 < a->length)
            status = ur_session_feed(session, id);
    }
    return status;
}

static int print_json(const struct sample *a, const char *prime, size_t primed,
                      const struct sink *sink)
{
    struct ur__buf clean = {0};
    struct ur__json *j = ur__json_new_object();
    ur_status status = ui_clean(&clean, prime, primed);
    ur__json_set_string(j, "prime", clean.data != NULL ? clean.data : "");
    ur__buf_free(&clean);
    if (status == UR_OK)
        status = ui_clean(&clean, sink->text.data, sink->text.size);
    ur__json_set_string(j, "text", clean.data != NULL ? clean.data : "");
    ur__buf_free(&clean);
    ur__json_set_int(j, "n", sink->drawn);
    ur__json_set_int(j, "seed", a->seed);
    if (status != UR_OK) {
        ur__json_free(j);
        return fail_status(status);
    }
    return ui_json(j);
}

static int sample(const struct sample *a, const char *path, const char *prime, size_t primed)
{
    ur_model *model = NULL;
    ur_team *team = NULL;
    ur_session *session = NULL;
    struct sink sink = {.keep = a->common.json};
    ur_join join = {false, false};
    int64_t unknown = 0;
    int code = EXIT_DONE;
    ur_status status = ur_model_load(&model, path);
    if (status == UR_OK)
        status = need_task(model, path, "lm");
    if (status == UR_OK)
        status = ur_team_new(&team, (int)a->threads);
    if (status == UR_OK)
        status = ur_session_new(&session, model, team);
    const ur_vocab *vocab = status == UR_OK ? ur_model_vocab(model) : NULL;
    if (status == UR_OK)
        status = primed ? feed(session, vocab, prime, primed, &join, &unknown)
                        : ur_session_begin(session);
    if (status == UR_OK && unknown > 0 && !a->common.quiet)
        fprintf(stderr, "unroll: %lld word%s of the prime %s unknown to the model: <unk>\n",
                (long long)unknown, unknown > 1 ? "s" : "", unknown > 1 ? "are" : "is");
    /* The prime is printed at once, what is drawn follows it. */
    if (status == UR_OK && !sink.keep) {
        status = ur__buf_put(&sink.text, prime, primed);
        if (status == UR_OK && !pass_on(&sink))
            goto out;
    }
    double begin = ur__clock();
    if (status == UR_OK)
        status = draw(a, session, vocab, &join, &sink);
    end_line(&sink);
    if (status != UR_OK) {
        code = fail_reading(status);
    } else if (a->common.json) {
        code = print_json(a, prime, primed, &sink);
    } else if (a->common.verbose && !a->common.quiet) {
        char drawn[UI_NUMBER], speed[UI_NUMBER];
        double took = ur__clock() - begin;
        fprintf(stderr, "drew %s tokens, %s a second\n", ui_count(drawn, (double)sink.drawn),
                ui_short(speed, took > 0.0 ? (double)sink.drawn / took : 0.0));
    }
out:
    ur__buf_free(&sink.text);
    ur__buf_free(&sink.tail);
    ur_session_free(session);
    ur_team_free(team);
    ur_model_free(model);
    return code;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct sample a;
    struct opt_words words;
    char *read = NULL;
    int code;
    if (opt_parse(self, argc, argv, &a, &words, &code)) {
        const char *prime = a.prime != NULL ? a.prime : "";
        size_t primed = strlen(prime);
        ur_status status = UR_OK;
        if (strcmp(prime, "-") == 0) {
            if ((code = spare_input("-")) != EXIT_DONE)
                goto out;
            status = ur__file_slurp("-", (size_t)1 << 28, &read, &primed);
            prime = read;
        }
        code = status == UR_OK ? sample(&a, words.word[0], prime, primed) : fail_status(status);
        ur__free(read);
    }
out:
    opt_words_free(&words);
    return code;
}

const struct command cmd_sample = {
    .name = "sample",
    .words = "MODEL",
    .brief = "write text as the model learnt it",
    .examples = examples,
    .notes = "The text goes to standard output, nothing else does. Without a prime it starts as "
             "a line does. The draw is a function of "
             "model, prime, options and seed.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
