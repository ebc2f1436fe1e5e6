/* SPDX-License-Identifier: MIT */
/* unroll train: text in, a model out. Turns options into ur_train_options and tells how
 * the run goes. */
#define _POSIX_C_SOURCE 200809L

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/fail.h"
#include "cli/plan.h"
#include "cli/report.h"
#include "io/file.h"
#include "io/memory_there.h"

struct train {
    struct opt_common common;
    const char *task, *output;
    bool force;
    /* network */
    const char *cell, *reset, *activation, *init;
    struct opt_list hidden;
    int64_t layers, embed;
    int64_t projection;
    double dropout, forget_bias, cell_clip, recurrent_dropout, zoneout, zoneout_cell;
    bool tie, variational, peepholes, coupled, time_residual, learned_state;
    /* text */
    const char *tokens, *val;
    int64_t min_count;
    /* training */
    int64_t seq_length, batch, steps, warmup, patience, seed, threads;
    int64_t checkpoint_every, eval_every, sample_every;
    double epochs, seconds, lr, clip_norm, clip_value, weight_decay;
    const char *optimizer, *schedule, *init_from, *log, *on_nan;
    bool resume, report_gradients, dry_run;
};

#define AT(field) .at = offsetof(struct train, field)
#define WHOLE(low, high) .kind = OPT_INT, .min = (low), .max = (high)
#define REAL(low, high) .kind = OPT_REAL, .min = (low), .max = (high)

static const struct opt options[] = {
    {.name = "output", .letter = 'o', .arg = "MODEL.safetensors", .kind = OPT_TEXT, AT(output),
     .shown = "DATA's name in this folder", .help = "where the best model goes"},
    {.name = "force", .kind = OPT_FLAG, AT(force), .help = "start over an existing model"},
    {.name = "task", .arg = "lm|fill", .fallback = "lm", .kind = OPT_CHOICE, AT(task),
     .help = "lm: predict the next token; fill: each token from both sides"},

    {.group = "network"},
    {.name = "cell", .arg = "rnn|lstm|gru", .fallback = "lstm", .kind = OPT_CHOICE, AT(cell),
     .help = "recurrent cell"},
    {.name = "hidden", .arg = "N[,N...]", .fallback = "128", .kind = OPT_LIST, .min = 1,
     .max = 65536, AT(hidden), .help = "units of each layer; a list gives each its own number"},
    {.name = "layers", .arg = "N", .fallback = "2", WHOLE(1, UR_MAX_LAYERS), AT(layers),
     .help = "recurrent layers"},
    {.name = "embed", .arg = "N", .fallback = "0", .shown = "0: one-hot", WHOLE(0, 65536),
     AT(embed), .help = "size of learnt token vectors"},
    {.name = "tie", .kind = OPT_FLAG, AT(tie),
     .help = "the token vectors also decode; sets --embed to the last layer's size, for fill "
             "twice that"},
    {.name = "dropout", .arg = "P", .fallback = "0", REAL(0, 1), .open = OPT_OPEN_MAX, AT(dropout),
     .help = "chance of dropping, between layers and before the decoder"},
    {.name = "variational", .kind = OPT_FLAG, AT(variational),
     .help = "dropout between layers keeps one mask for all steps of a window"},
    {.name = "recurrent-dropout", .arg = "P", .fallback = "0", REAL(0, 1), .open = OPT_OPEN_MAX,
     AT(recurrent_dropout), .help = "chance of dropping what a unit tells its own layer"},
    {.name = "zoneout", .arg = "P", .fallback = "0", REAL(0, 1), .open = OPT_OPEN_MAX,
     AT(zoneout), .help = "chance that a unit's state stays as it was"},
    {.name = "zoneout-cell", .arg = "P", .fallback = "0", REAL(0, 1), .open = OPT_OPEN_MAX,
     AT(zoneout_cell), .help = "lstm: the same of its cell"},
    {.name = "learned-state", .kind = OPT_FLAG, AT(learned_state),
     .help = "the state that a text starts from is learnt, not zero"},
    {.name = "reset", .arg = "after|before", .fallback = "after", .kind = OPT_CHOICE, AT(reset),
     .help = "gru: where the reset gate acts; after is PyTorch's and cuDNN's"},
    {.name = "activation", .arg = "tanh|relu|sigmoid|satlin", .fallback = "tanh",
     .kind = OPT_CHOICE, AT(activation), .help = "rnn: its function"},
    {.name = "time-residual", .kind = OPT_FLAG, AT(time_residual),
     .help = "rnn: each step adds to the state instead of replacing it"},
    {.name = "projection", .arg = "N", .fallback = "0", .shown = "0: none", WHOLE(0, 65536),
     AT(projection), .help = "lstm: a layer's state is projected to so many numbers"},
    {.name = "peepholes", .kind = OPT_FLAG, AT(peepholes),
     .help = "lstm: the gates see the cell"},
    {.name = "coupled", .kind = OPT_FLAG, AT(coupled),
     .help = "lstm: what the input gate lets in, the forget gate lets go"},
    {.name = "cell-clip", .arg = "X", .fallback = "0", .shown = "0: off", REAL(0, 1e6),
     AT(cell_clip), .help = "lstm: largest number in a cell"},
    {.name = "forget-bias", .arg = "X", .fallback = "0", REAL(-100, 100), AT(forget_bias),
     .help = "lstm: added to the forget gate's bias at the start"},
    {.name = "init", .arg = "uniform|orthogonal", .fallback = "uniform", .kind = OPT_CHOICE,
     AT(init), .help = "how recurrent weights start"},

    {.group = "text"},
    {.name = "tokens", .arg = "byte|char|word|wordpunct", .fallback = "char",
     .shown = "lm: char, fill: word", .kind = OPT_CHOICE, AT(tokens),
     .help = "bytes, characters of UTF-8 text, words between white space, or words and "
             "punctuation"},
    {.name = "min-count", .arg = "N", .fallback = "2", WHOLE(1, 1e9), AT(min_count),
     .help = "words: rarer ones are <unk>"},
    {.name = "val", .arg = "SHARE|FILE", .fallback = "0.1", .kind = OPT_TEXT, AT(val),
     .help = "held out for validation: the last part of the text, or a file (of bytes and "
             "characters that all occur in DATA)"},

    {.group = "training"},
    {.name = "seq-length", .arg = "N", .fallback = "64", WHOLE(1, 1048576), AT(seq_length),
     .help = "tokens that gradients run back through"},
    {.name = "batch", .arg = "N", .fallback = "64", WHOLE(1, 1048576), AT(batch),
     .help = "rows of text side by side"},
    {.name = "epochs", .arg = "X", .fallback = "50", REAL(0, 1e9), .open = OPT_OPEN_MIN,
     AT(epochs), .help = "end after so many times through the text"},
    {.name = "steps", .arg = "N", .shown = "no limit", WHOLE(0, OPT_MANY), AT(steps),
     .help = "end after so many updates; 0 writes the initial model"},
    {.name = "time", .arg = "90s|10m|2h", .shown = "no limit", .kind = OPT_SECONDS, AT(seconds),
     .help = "end after this time; of epochs, steps and time the first counts"},
    {.name = "optimizer", .arg = "adamw|adam|rmsprop|adagrad|sgd", .fallback = "adamw",
     .kind = OPT_CHOICE, AT(optimizer), .help = "how gradients become updates"},
    {.name = "lr", .arg = "X", .fallback = "2e-3", REAL(0, 1000), .open = OPT_OPEN_MIN, AT(lr),
     .help = "learning rate"},
    {.name = "schedule", .arg = "cosine|constant|step|plateau", .fallback = "cosine",
     .kind = OPT_CHOICE, AT(schedule), .help = "how it falls; cosine ends at a tenth"},
    {.name = "warmup", .arg = "STEPS", .fallback = "0", WHOLE(0, OPT_MANY), AT(warmup),
     .help = "steps in which it first rises from 0"},
    {.name = "clip-norm", .arg = "X", .fallback = "1", REAL(0, OPT_MANY), AT(clip_norm),
     .help = "longest gradient, over all parameters; 0: off"},
    {.name = "clip-value", .arg = "X", .fallback = "0", .shown = "0: off", REAL(0, OPT_MANY),
     AT(clip_value), .help = "largest element of the gradient"},
    {.name = "weight-decay", .arg = "X", .shown = "adamw: 0.01, else 0", REAL(0, 1000),
     AT(weight_decay), .help = "pull towards zero; adamw applies it apart from the gradient"},
    {.name = "patience", .arg = "N", .fallback = "0", .shown = "0: off", WHOLE(0, 1e9),
     AT(patience), .help = "end after so many validations without a better loss"},
    {.name = "seed", .arg = "N", .fallback = "123", WHOLE(0, OPT_MANY), AT(seed),
     .help = "of all random numbers; equal seeds give equal models"},
    {.name = "threads", .arg = "N", .fallback = "0", .shown = "the cores available",
     WHOLE(0, 1024), AT(threads), .help = "changes speed, never the result"},

    {.group = "runs"},
    {.name = "dry-run", .kind = OPT_FLAG, AT(dry_run),
     .help = "say what the run would take, steps, memory, files and time, and write nothing; "
             "-v lists the parameters"},
    {.name = "resume", .kind = OPT_FLAG, AT(resume),
     .help = "go on with an interrupted run, to the same model bit for bit"},
    {.name = "init-from", .arg = "MODEL", .kind = OPT_TEXT, AT(init_from),
     .help = "start from the weights of a model of the same shape and vocabulary, and "
             "from nothing else of its training; to go on with a run use --resume"},
    {.name = "eval-every", .arg = "STEPS", .fallback = "0", .shown = "each epoch's end",
     WHOLE(0, OPT_MANY), AT(eval_every), .help = "validate"},
    {.name = "checkpoint-every", .arg = "STEPS", .fallback = "0", .shown = "each validation",
     WHOLE(0, OPT_MANY), AT(checkpoint_every), .help = "save the state of training"},
    {.name = "on-nan", .arg = "stop|skip|rollback", .fallback = "rollback", .kind = OPT_CHOICE,
     AT(on_nan), .help = "numbers that are not finite: stop; skip the step; or go back to the last "
                         "checkpoint, with half the learning rate, at most 3 times"},
    {.name = "sample-every", .arg = "STEPS", .fallback = "0", .shown = "0: never",
     WHOLE(0, OPT_MANY), AT(sample_every), .help = "show what the net writes"},
    {.name = "log", .arg = "FILE", .kind = OPT_TEXT, AT(log),
     .help = "write a JSON object a line for each step, validation and sample"},
    {.name = "report-gradients", .kind = OPT_FLAG, AT(report_gradients),
     .help = "write to --log how far back gradients reach, at the start and at validations"},
    OPT_COMMON(struct train),
};

static const char *const examples[] = {
    "unroll train shakespeare.txt",
    "unroll train src/*.c -o c.safetensors --hidden 512 --dropout 0.2 --time 30m",
    "unroll train shakespeare.txt --hidden 1024 --dry-run",
    "unroll train shakespeare.txt --resume",
    "unroll train news.txt --tokens wordpunct --tie --hidden 256 --dropout 0.3",
    "unroll train news.txt --task fill --tokens wordpunct --embed 128",
    "zcat logs/*.gz | unroll train - -o logs.safetensors --tokens byte --cell gru",
    NULL,
};

/* ---- options to a configuration ---------------------------------------- */

static int only_with(const struct opt_words *words, const char *option, const char *cell,
                     const char *wanted)
{
    if (!opt_given(words, option) || strcmp(cell, wanted) == 0)
        return EXIT_DONE;
    return fail(EXIT_USAGE, "--%s belongs to --cell %s, not to --cell %s", option, wanted, cell);
}

/* Options of one cell. */
static const char *const belongs[][2] = {
    {"reset", "gru"}, {"activation", "rnn"}, {"time-residual", "rnn"}, {"forget-bias", "lstm"},
    {"projection", "lstm"}, {"peepholes", "lstm"}, {"coupled", "lstm"}, {"cell-clip", "lstm"},
    {"zoneout-cell", "lstm"},
};

static int set_layers(const struct train *a, const struct opt_words *words, ur_config *c)
{
    if (a->hidden.n > 1 && opt_given(words, "layers") && a->layers != a->hidden.n)
        return fail(EXIT_USAGE, "--hidden lists %d layers but --layers says %d", a->hidden.n,
                    (int)a->layers);
    c->layers = a->hidden.n > 1 ? a->hidden.n : (int)a->layers;
    for (int l = 0; l < c->layers; l++)
        c->hidden[l] = (int)a->hidden.v[a->hidden.n > 1 ? l : 0];
    return EXIT_DONE;
}

static int configure(const struct train *a, const struct opt_words *words, ur_config *c)
{
    int code = EXIT_DONE;
    for (const char *const *task = ur_task_names(); *task != NULL; task++)
        if (strcmp(*task, a->task) == 0)
            c->task = *task;
    bool fills = strcmp(c->task, "fill") == 0;
    if (fills && opt_given(words, "sample-every"))
        return fail(EXIT_USAGE, "--sample-every belongs to --task lm: fill writes no text");
    ur_cell_find(a->cell, &c->cell);
    ur_token_kind_find(a->tokens, &c->tokens);
    if (fills && !opt_given(words, "tokens"))
        c->tokens = UR_TOKEN_WORD;
    ur_activation_find(a->activation, &c->activation);
    c->reset_before = strcmp(a->reset, "before") == 0;
    c->orthogonal = strcmp(a->init, "orthogonal") == 0;
    c->forget_bias = a->forget_bias;
    c->dropout = a->dropout;
    c->variational = a->variational;
    c->recurrent_dropout = a->recurrent_dropout;
    c->zoneout_h = a->zoneout;
    c->zoneout_c = a->zoneout_cell;
    c->learned_state = a->learned_state;
    c->projection = (int)a->projection;
    c->peepholes = a->peepholes;
    c->coupled = a->coupled;
    c->cell_clip = a->cell_clip;
    c->time_residual = a->time_residual;
    for (size_t i = 0; i < sizeof belongs / sizeof *belongs && code == EXIT_DONE; i++)
        code = only_with(words, belongs[i][0], a->cell, belongs[i][1]);
    if (code != EXIT_DONE ||
        (code = set_layers(a, words, c)) != EXIT_DONE)
        return code;
    if (opt_given(words, "min-count") && c->tokens < UR_TOKEN_WORD)
        return fail(EXIT_USAGE, "--min-count belongs to words, not to --tokens %s", a->tokens);
    int top = (fills ? 2 : 1) * (c->projection ? c->projection : c->hidden[c->layers - 1]);
    c->tie = a->tie;
    c->embed = a->tie && !opt_given(words, "embed") ? top : (int)a->embed;
    if (c->tie && c->embed != top)
        return fail(EXIT_USAGE, "--tie needs --embed %d, %s, but it is %d", top,
                    fills ? "twice the last layer's size" : "the last layer's size", c->embed);
    return fail_status(ur_config_check(c));
}

/* NAME of NAME.safetensors from a file's name: no folder, no .gz, no .txt. */
static int name_model(const char *output, const char *data, struct ur__buf *to)
{
    static const char ending[] = ".safetensors";
    const char *name = output != NULL ? output : strcmp(data, "-") == 0 ? "stdin" : data;
    size_t n = strlen(name);
    if (output == NULL) {
        const char *slash = strrchr(name, '/');
        name = slash != NULL ? slash + 1 : name;
        n = strlen(name);
        if (n > 3 && memcmp(name + n - 3, ".gz", 3) == 0)
            n -= 3;
        if (n > 4 && memcmp(name + n - 4, ".txt", 4) == 0)
            n -= 4;
    }
    if (n == 0 || strcmp(name, "-") == 0 || name[n - 1] == '/')
        return fail(EXIT_USAGE, "--output must be the name of a file: MODEL.safetensors");
    struct ur__file_id there;
    bool known = output != NULL && ur__file_identify(&there, output);
    if (known && there.kind != UR__FILE_ABSENT && there.kind != UR__FILE_REGULAR)
        return fail(EXIT_OUTPUT, "cannot write the model to %s: it is a %s; name a file, as in "
                    "--output MODEL.safetensors", output,
                    there.kind == UR__FILE_FOLDER ? "folder" : "device or pipe");
    ur_status status = ur__buf_put(to, name, n);
    bool ends = n >= sizeof ending && memcmp(name + n - (sizeof ending - 1), ending,
                                             sizeof ending - 1) == 0;
    if (status == UR_OK && !ends)
        status = ur__buf_puts(to, ending);
    return fail_status(status);
}

static void set_options(const struct train *a, const struct opt_words *words, ur_train_options *o)
{
    o->data = words->word;
    o->n_data = words->n;
    if (!ur__parse_real(a->val, &o->val)) {
        o->val = 0.0;
        o->val_file = a->val;
    }
    o->min_count = (int)a->min_count;
    o->seq_length = (int)a->seq_length;
    o->batch = (int)a->batch;
    o->epochs = a->epochs;
    o->steps = opt_given(words, "steps") ? a->steps : -1;
    o->seconds = a->seconds;
    ur_optimizer_find(a->optimizer, &o->optimizer.kind);
    /* Added to the gradient, as the other optimizers do, 0.01 would drown it. */
    if (opt_given(words, "weight-decay"))
        o->optimizer.weight_decay = a->weight_decay;
    else if (o->optimizer.kind != UR_ADAMW)
        o->optimizer.weight_decay = 0;
    o->optimizer.clip_norm = a->clip_norm;
    o->optimizer.clip_value = a->clip_value;
    o->lr = a->lr;
    ur_schedule_find(a->schedule, &o->schedule);
    o->warmup = a->warmup;
    o->patience = (int)a->patience;
    o->seed = (uint64_t)a->seed;
    o->init_from = a->init_from;
    o->resume = a->resume;
    o->force = a->force;
    o->checkpoint_every = a->checkpoint_every;
    o->eval_every = a->eval_every;
    o->sample_every = a->sample_every;
    o->report_gradients = a->report_gradients;
    ur_on_nan_find(a->on_nan, &o->on_nan);
}

/* ---- the run ----------------------------------------------------------- */

static void put_quoted(struct ur__buf *to, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_./=,:+@%";
    ur__buf_puts(to, " ");
    if (word[0] != '\0' && strspn(word, plain) == strlen(word)) {
        ur__buf_puts(to, word);
        return;
    }
    ur__buf_puts(to, "'");
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            ur__buf_puts(to, "'\\''");
        else
            ur__buf_put(to, word, 1);
    }
    ur__buf_puts(to, "'");
}

/* The command line that goes on with this run. */
static void say_resume(struct ui *ui, int argc, char **argv, int64_t step)
{
    struct ur__buf line = {0};
    bool resume = false;
    for (int i = 0; i < argc; i++) {
        resume = resume || strcmp(argv[i], "--resume") == 0;
        if (strcmp(argv[i], "--force") != 0)
            put_quoted(&line, argv[i]);
    }
    ui_clear(ui);
    fprintf(stderr, "unroll: stopped after step %lld, all of it saved; go on with: "
                    "%s train%s%s\n", (long long)step, program_call,
            line.data != NULL ? line.data : "", resume ? "" : " --resume");
    ur__buf_free(&line);
}

static void say_end(struct report *r, const char *model)
{
    char took[UI_NUMBER], best[UI_NUMBER];
    const ur_report *s = &r->last;
    if (!report_ended(r))
        return;
    if (s->steps == 0)
        ui_say(r->ui, "wrote    %s, untrained", model);
    else if (isfinite(s->val_loss) && !isfinite(s->best_loss))
        ui_say(r->ui, "wrote    %s after %s, but it is worse than guessing", model,
               ui_time(took, s->seconds));
    else if (isfinite(s->best_loss))
        ui_say(r->ui, "wrote    %s after %s, best validation %s", model,
               ui_time(took, s->seconds), report_measure(r, s->best_loss, best));
    else
        ui_say(r->ui, "wrote    %s after %s", model, ui_time(took, s->seconds));
    if (r->ui->verbose)
        ui_say(r->ui, "memory   %s at most", plan_bytes(took, (double)s->memory_peak));
    if (s->skipped > 0)
        ui_say(r->ui, "skipped  %lld step%s whose numbers were not finite", (long long)s->skipped,
               s->skipped > 1 ? "s" : "");
    if (s->rollbacks > 0)
        ui_say(r->ui, "back     %d time%s to a checkpoint, the numbers not being finite; the "
               "learning rate is now %g of its schedule", s->rollbacks, s->rollbacks > 1 ? "s" : "",
               pow(0.5, s->rollbacks));
    struct ur__buf quoted = {0};
    put_quoted(&quoted, model);
    ui_say(r->ui, "next     %s %s%s", program_call,
           strcmp(r->config->task, "fill") == 0 ? "predict" : "sample",
           quoted.data != NULL ? quoted.data : "");
    ur__buf_free(&quoted);
}

static int train(const struct train *a, const struct opt_words *words, const char *model,
                 const ur_config *config, int argc, char **argv)
{
    ur_train_options o = UR_TRAIN_OPTIONS_INIT;
    struct report report;
    struct ui ui;
    ui_init(&ui, &a->common);
    report_init(&report, &ui, config);
    train_log_init(&report.log, a->log, a->resume);
    o.log = report.log.stream < 0 ? a->log : NULL;
    o.config = *config;
    o.model = model;
    set_options(a, words, &o);
    o.memory_limit = ur__memory_there("");
    int code = spare_input(o.val_file);
    if (code != EXIT_DONE || (code = spare_input(a->init_from)) != EXIT_DONE)
        return code;
    ur_status status = ur_team_new(&o.team, (int)a->threads);
    if (status != UR_OK)
        return fail_status(status);
    if (ui.verbose && !a->dry_run)
        ui_say(&ui, "kernels  %s, threads %d", ur_kernels(), ur_team_size(o.team));
    if (a->dry_run) {
        code = plan_run(&o, &a->common);
        ur_team_free(o.team);
        return code;
    }

    status = ur_train(&o, report_see, &report);
    code = report_end(&report);
    ur_team_free(o.team);
    if (code != EXIT_DONE)
        return code;
    if (status == UR_ECANCELED && signals_caught() != 0) {
        say_resume(&ui, argc, argv, report.last.step);
        return EXIT_SIGNAL + signals_caught();
    }
    if (status != UR_OK)
        return fail_status(status);
    say_end(&report, model);
    if (a->common.json && (code = report_json(&report, model)) != EXIT_DONE)
        return code;
    return train_log_end(&report.log);
}

static int run(const struct command *self, int argc, char **argv)
{
    struct train a;
    struct opt_words words;
    struct ur__buf model = {0};
    ur_config config = UR_CONFIG_INIT;
    int code;
    if (!opt_parse(self, argc, argv, &a, &words, &code) ||
        (code = configure(&a, &words, &config)) != EXIT_DONE ||
        (code = name_model(a.output, words.word[0], &model)) != EXIT_DONE)
        goto out;
    double val;
    if (ur__parse_real(a.val, &val) && !(val >= 0.0 && val < 1.0)) {
        code = fail(EXIT_USAGE, "--val %s: must be a share of at least 0 and below 1, or a file",
                    a.val);
        goto out;
    }
    if (a.report_gradients && a.log == NULL) {
        code = fail(EXIT_USAGE, "--report-gradients writes to a log: name it with --log FILE");
        goto out;
    }
    if (a.resume && a.force) {
        code = fail(EXIT_USAGE, "--resume goes on with a run and --force starts it anew");
        goto out;
    }
    code = train(&a, &words, model.data, &config, argc, argv);
out:
    ur__buf_free(&model);
    opt_words_free(&words);
    return code;
}

const struct command cmd_train = {
    .name = "train",
    .words = "DATA...",
    .brief = "learn to write like a text",
    .examples = examples,
    .notes = "DATA are text files; .gz opens as its content, - is standard input. Training "
             "writes MODEL.safetensors (best on what is held out), MODEL.last.safetensors and "
             "MODEL.state (and MODEL.state.1, the one before); Ctrl-C saves and says how to go on.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .min_words = 1,
    .max_words = -1,
    .run = run,
};
