/* SPDX-License-Identifier: MIT */
/* unroll sample: text drawn from a model. Standard output carries the text and nothing
 * else; whole characters go out as soon as they are drawn. */
#define _POSIX_C_SOURCE 200809L     /* isatty */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/team.h"
#include "cli/escape.h"
#include "cli/fail.h"
#include "cli/stop.h"
#include "cli/ui.h"
#include "io/file.h"
#include "io/json.h"
#include "io/plain_text.h"
#include "unroll.h"

struct sample {
    struct opt_common common;
    int64_t length, samples, top_k, threads;
    double temperature, top_p, min_p, repetition_penalty;
    uint64_t seed;
    bool random;            /* nobody chose it */
    const char *prime, *prime_file, *stop, *unknown;
    bool escape;
};

#define AT(field) .at = offsetof(struct sample, field)

static const ur_option options[] = {
    {.group = "sampling", .name = "length", .letter = 'n', .arg = "N", .fallback = "2000",
     .kind = UR_OPTION_COUNT,
     .max = UR__OPTION_MANY, AT(length), .help = "tokens to draw after the prime"},
    {.name = "num-samples", .arg = "N", .fallback = "1", .kind = UR_OPTION_COUNT, .min = 1,
     .max = UR__OPTION_MANY, AT(samples),
     .help = "texts to draw, each with the next seed and a line before it that names it"},
    {.name = "temperature", .arg = "X", .fallback = "1", .kind = UR_OPTION_REAL, .max = 1000,
     AT(temperature), .help = "below 1 safer, above 1 wilder; 0: always the most likely token"},
    {.name = "top-k", .arg = "N", .fallback = "0", .shown = "0: all", .kind = UR_OPTION_COUNT,
     .max = 1e9,
     AT(top_k), .help = "draw from the N most likely tokens"},
    {.name = "top-p", .arg = "P", .fallback = "1", .kind = UR_OPTION_REAL, .max = 1,
     .flags = UR_OPTION_OPEN_MIN, AT(top_p),
     .help = "then from the fewest whose probabilities reach P"},
    {.name = "min-p", .arg = "P", .fallback = "0", .shown = "0: all", .kind = UR_OPTION_REAL,
     .max = 1,
     AT(min_p), .help = "then from those at least P times as likely as the most likely one"},
    {.name = "repetition-penalty", .arg = "X", .fallback = "1", .shown = "1: off",
     .kind = UR_OPTION_REAL, .max = 1e6, .flags = UR_OPTION_OPEN_MIN, AT(repetition_penalty),
     .help = "above 1 makes tokens of the prime and the text so far less likely; for words, "
             "since all characters soon occur"},
    {.name = "prime", .letter = 'p', .arg = "TEXT", .kind = UR_OPTION_TEXT, AT(prime),
     .help = "text to continue, printed too; - reads standard input"},
    {.name = "prime-file", .arg = "FILE", .kind = UR_OPTION_TEXT, AT(prime_file),
     .help = "read the prime from a file"},
    {.name = "unknown", .arg = OPT_UNKNOWN, .shown = OPT_UNKNOWN_USUAL, .kind = UR_OPTION_WORD,
     AT(unknown), .help = "what to do with tokens of the prime that the model does not know; "
                          "replace: read as <unk>, or as U+FFFD, ? or a space"},
    {.name = "stop", .arg = "TEXT", .kind = UR_OPTION_TEXT, AT(stop),
     .help = "stop once TEXT has been drawn"},
    {.name = "escape", .kind = UR_OPTION_FLAG, AT(escape),
     .help = "interpret \\n, \\r, \\t, \\\\, \\xHH and \\uHHHH in --prime and --stop"},
    {.name = "seed", .arg = "N|random", .fallback = "123", .kind = UR_OPTION_SEED, AT(seed),
     .help = "equal seeds give equal text; random picks one and prints it on standard error"},
    {.name = "threads", .arg = "N", .fallback = "1", .kind = UR_OPTION_COUNT, .max = 1024,
     AT(threads),
     .help = "more than 1 helps only with wide layers; 0: all available cores"},
    OPT_COMMON(struct sample),
};

static const char *const examples[] = {
    "unroll sample shakespeare.safetensors",
    "unroll sample shakespeare.safetensors --prime 'ROMEO:' --temperature 0.7 --length 500",
    "head -n 20 main.c | unroll sample c.safetensors --prime - | less",
    "unroll sample c.safetensors -n 300 --num-samples 5 --seed random --stop '\\n}\\n' --escape",
    NULL,
};

/* Where text goes: to stdout in whole characters, or into a buffer for --json. */
struct sink {
    bool keep;
    struct ur__buf text;        /* all of it, or what is not yet a whole character */
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
    bool taken = out_put(s->text.data, whole);
    memmove(s->text.data, s->text.data + whole, held);
    s->text.size = held;
    double now = ur__clock();
    if (!taken || now - s->flushed < FLUSH_EVERY)
        return taken;
    s->flushed = now;
    return out_flush();
}

/* On a terminal the next prompt begins a line, and so does the next of several texts;
 * elsewhere the text stays as it is. */
static void end_line(const struct sink *s, bool several)
{
    if (s->open && (several || isatty(STDOUT_FILENO)))
        putchar('\n');
}

/* What a text is drawn from and where it goes. */
struct work {
    const struct sample *options;
    ur_session *session;
    const ur_vocab *vocab;
    ur_encoder *encoder;
    char *prime;
    size_t primed;
    struct stop stop;
    struct sink sink;
    uint64_t seed;
};

/* The net reads the prime, and *join what space is due after it. */
static ur_status feed(struct work *w, ur_join *join)
{
    size_t n = w->primed, count = 0, ignored;
    if (n == 0)
        return ur_session_begin(w->session);
    int32_t *ids = ur__alloc(n, sizeof *ids);
    if (ids == NULL)
        return UR_ENOMEM;
    ur_status status = ur_encoder_put(w->encoder, w->prime, n, ids, &count);
    for (size_t i = 0; i < count && status == UR_OK; i++) {
        ur_vocab_join(w->vocab, join, ids[i], &ignored);
        status = ur_session_feed(w->session, ids[i]);
    }
    join->space = join->space && strchr(" \t\r\n", w->prime[n - 1]) == NULL;
    ur__free(ids);
    return status;
}

/* Draws until the length or the stop is reached, or nobody reads on. */
static ur_status draw(struct work *w, ur_join *join)
{
    const struct sample *a = w->options;
    ur_sample_options o;
    ur_sample_options_init(&o);
    o.temperature = a->temperature;
    o.top_k = (int)a->top_k;
    o.top_p = a->top_p;
    o.seed = w->seed;
    o.repetition_penalty = a->repetition_penalty;
    o.min_p = a->min_p;
    bool ended = false;
    for (int64_t i = 0; i < a->length && !ended; i++) {
        int32_t id;
        size_t n;
        UR__TRY(ur_session_draw(w->session, &o, &id));
        const char *bytes = ur_vocab_join(w->vocab, join, id, &n);
        UR__TRY(stop_look(&w->stop, bytes, &n, &ended));
        UR__TRY(ur__buf_put(&w->sink.text, bytes, n));
        w->sink.drawn++;
        if (!pass_on(&w->sink))
            break;
        /* The last token is drawn but need not be fed: nothing follows it. */
        if (!ended && i + 1 < a->length)
            UR__TRY(ur_session_feed(w->session, id));
    }
    return UR_OK;
}

static int print_json(const struct work *w)
{
    struct ur__json *j = ur__json_new_object();
    ui_json_text(j, "prime", w->prime, w->primed);
    ui_json_text(j, "text", w->sink.text.data, w->sink.text.size);
    ur__json_set_int(j, "n", w->sink.drawn);
    ur__json_set_seed(j, "seed", w->seed);
    return ui_json(j);
}

static void say_speed(const struct work *w, double took)
{
    char drawn[UI_NUMBER], speed[UI_NUMBER];
    fprintf(stderr, "drew %s tokens, %s a second\n", ui_count(drawn, (double)w->sink.drawn),
            ui_short(speed, took > 0.0 ? (double)w->sink.drawn / took : 0.0));
}

/* One text. */
static int sample_once(struct work *w, bool *read_on)
{
    const struct sample *a = w->options;
    ur_join join = {false, false};
    w->sink = (struct sink){.keep = a->common.json, .text = w->sink.text};
    w->sink.text.size = w->stop.tail.size = 0;
    if (a->samples > 1 && !w->sink.keep)
        printf("--- seed %llu ---\n", (unsigned long long)w->seed);
    ur_status status = ur_session_reset(w->session);
    if (status == UR_OK)
        status = feed(w, &join);
    const char *note = ur_encoder_note(w->encoder, "the prime");
    if (status == UR_OK && note != NULL && w->seed == a->seed && !a->common.quiet)
        fprintf(stderr, "unroll: %s\n", note);
    /* The prime is printed at once, what is drawn follows it. */
    if (status == UR_OK && !w->sink.keep)
        status = ur__buf_put(&w->sink.text, w->prime, w->primed);
    double begin = ur__clock();
    if (status == UR_OK && pass_on(&w->sink))
        status = draw(w, &join);
    double took = ur__clock() - begin;
    end_line(&w->sink, a->samples > 1);
    *read_on = out_flush();
    if (status != UR_OK)
        return fail_reading(status);
    if (a->common.json)
        return print_json(w);
    if (a->common.verbose && !a->common.quiet && *read_on)
        say_speed(w, took);
    return EXIT_DONE;
}

static int sample_all(struct work *w)
{
    const struct sample *a = w->options;
    bool possible = true, read_on = true;
    int code = EXIT_DONE;
    ur_unknown how = UR_UNKNOWN_USUAL;
    ur_unknown_find(a->unknown, &how);
    ur_status status = ur_encoder_new(&w->encoder, w->vocab, how);
    if (status == UR_OK && w->stop.n > 0)
        status = stop_is_possible(&w->stop, w->vocab, &possible);
    if (status != UR_OK)
        return fail_status(status);
    if (!possible && !a->common.quiet)
        fputs("unroll: this model can never write the --stop text; the text ends at --length\n",
              stderr);
    if (a->random)
        fprintf(stderr, "unroll: seed %llu\n", (unsigned long long)a->seed);
    for (int64_t i = 0; i < a->samples && code == EXIT_DONE && read_on; i++) {
        w->seed = a->seed + (uint64_t)i;
        code = sample_once(w, &read_on);
    }
    return code;
}

/* The file that a prime is read from; NULL: none. */
static const char *prime_file(const struct sample *a)
{
    return a->prime != NULL && strcmp(a->prime, "-") == 0 ? a->prime : a->prime_file;
}

/* A prime has the line ends of the texts that the model was trained on; one that was read is
 * checked as they are. */
static ur_status clean_prime(struct work *w, const ur_model *model)
{
    const char *from = prime_file(w->options);
    struct ur__line_ends ends = {0};
    if (ur_vocab_kind(w->vocab) == UR_TOKEN_BYTE || w->primed == 0)
        return UR_OK;
    UR__TRY(ur_model_unix_newlines(model, &ends.to_lf));
    if (from != NULL)
        return ur__text_clean(strcmp(from, "-") == 0 ? "standard input" : from, ends.to_lf,
                              w->prime, &w->primed);
    ur__line_ends_put(&ends, w->prime, &w->primed);
    return UR_OK;
}

static int sample(struct work *w, const char *path)
{
    ur_model *model = NULL;
    ur_team *team = NULL;
    ur_status status = ur_model_load(&model, path);
    if (status == UR_OK)
        status = need_verb(model, path, "sample");
    if (status == UR_OK)
        status = ur_team_new(&team, (int)w->options->threads);
    if (status == UR_OK)
        status = ur_session_new(&w->session, model, team);
    w->vocab = status == UR_OK ? ur_model_vocab(model, NULL) : NULL;
    if (status == UR_OK)
        status = clean_prime(w, model);
    int code = status == UR_OK ? sample_all(w) : fail_reading(status);
    ur__buf_free(&w->sink.text);
    stop_free(&w->stop);
    ur_encoder_free(w->encoder);
    ur_session_free(w->session);
    ur_team_free(team);
    ur_model_free(model);
    return code;
}

/* ---- the command line -------------------------------------------------- */

/* Bytes of the longest prime. */
#define MOST_PRIME ((size_t)1 << 28)

/* A text of the command line, with its escapes undone if that was asked for. */
static ur_status take_text(const struct sample *a, const char *text, const char *option,
                           struct ur__buf *to)
{
    return a->escape ? escape_undo(to, text, option) : ur__buf_puts(to, text);
}

static ur_status take_prime(const struct sample *a, struct ur__buf *to)
{
    const char *file = prime_file(a);
    char *read = NULL;
    size_t n;
    if (file == NULL)
        return take_text(a, a->prime != NULL ? a->prime : "", "--prime", to);
    ur_status status = ur__file_slurp(file, MOST_PRIME, &read, &n);
    if (status == UR_OK)
        status = ur__buf_put(to, read, n);
    ur__free(read);
    return status;
}

static int act(void *values, const struct opt_words *words)
{
    struct sample *a = values;
    struct ur__buf prime = {0}, stop = {0};
    a->random = words->random;
    if (a->prime != NULL && a->prime_file != NULL)
        return fail(EXIT_USAGE, "--prime and --prime-file both give a prime: use one of them");
    int code = spare_input(prime_file(a));
    if (code != EXIT_DONE)
        return code;
    ur_status status = take_prime(a, &prime);
    if (status == UR_OK)
        status = take_text(a, a->stop != NULL ? a->stop : "", "--stop", &stop);
    struct work w = {.options = a, .prime = prime.data, .primed = prime.size,
                     .stop = {.text = stop.data, .n = stop.size}};
    code = status == UR_OK ? sample(&w, words->word[0]) : fail_status(status);
    ur__buf_free(&prime);
    ur__buf_free(&stop);
    return code;
}

const struct command cmd_sample = {
    .name = "sample",
    .words = "MODEL",
    .brief = "generate text from a model",
    .examples = examples,
    .notes = "Only the text goes to standard output. Without a prime it starts as a line does. It "
             "depends on model, prime, options and seed alone. Of several texts the first uses "
             "--seed and each further one the next number; a line \"--- seed N ---\" precedes "
             "each, and with --json each is an object on its own line.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .min_words = 1,
    .max_words = 1,
    .size = sizeof(struct sample),
    .act = act,
};
