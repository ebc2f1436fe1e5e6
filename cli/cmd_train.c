/* SPDX-License-Identifier: MIT */
/* unroll train: data in, a model out. The options of the run, its task and its network are the
 * library's (unroll/task.h); here are those of the program, and how the run ends. */
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
    const char *output, *log;
    int64_t threads;
    bool dry_run;
    ur_train_options run;
};

#define AT(field) .at = offsetof(struct train, field)

static const ur_option options[] = {
    {.name = "output", .letter = 'o', .arg = "MODEL.safetensors", .kind = UR_OPTION_TEXT,
     AT(output), .shown = "DATA's name, its ending aside, in this folder",
     .help = "where the best model goes"},
    {.group = "runs", .name = "threads", .arg = "N", .fallback = "0",
     .shown = "the cores available", .kind = UR_OPTION_COUNT, .max = 1024, AT(threads),
     .help = "changes speed, never the result"},
    {.name = "dry-run", .kind = UR_OPTION_FLAG, AT(dry_run),
     .help = "say what the run would take, steps, memory, files and time, and write nothing; "
             "-v lists the parameters"},
    {.name = "log", .arg = "FILE", .kind = UR_OPTION_TEXT, AT(log),
     .help = "write a JSON object a line for each step, validation and sample"},
    OPT_COMMON(struct train),
};
enum { N_OPTIONS = sizeof options / sizeof options[0], N_FIRST = 1 };

static const char *const examples[] = {
    "unroll train shakespeare.txt",
    "unroll train src/*.c -o c.safetensors --hidden 512 --dropout 0.2 --time 30m",
    "unroll train shakespeare.txt --hidden 1024 --dry-run",
    "unroll train shakespeare.txt --resume",
    "unroll train news.txt --tokens wordpunct --tie --hidden 256 --dropout 0.3",
    "unroll train news.txt --task fill --tokens wordpunct --embed 128",
    "unroll train reviews.tsv --task classify",
    "unroll train train.conllu --task tag --column upos --val dev.conllu",
    "unroll train pairs.tsv --task translate",
    "unroll train load.csv --task forecast --target load --horizon 24",
    "zcat logs/*.gz | unroll train - -o logs.safetensors --tokens byte --cell gru",
    NULL,
};

/* ---- the task's options ------------------------------------------------ */

#define TASK "task"

/* Which task's options are listed and accepted: known before the command line is read. */
static const char *task = "lm";

/* "lm: predict the next token; fill: ...", as many as there is room for. */
static const char *describe_tasks(char *to, size_t n)
{
    size_t used = 0;
    to[0] = '\0';
    for (const char *const *name = ur_task_names(); *name != NULL && used < n; name++)
        used += (size_t)snprintf(to + used, n - used, "%s%s: %s", used > 0 ? "; " : "", *name,
                                 ur_task_brief(*name));
    return to;
}

enum { MOST_ROWS = 160 };

/* The library's rows, with the defaults that suit the task's data. */
static const ur_option *more(int i)
{
    static char help[600];
    static ur_option rows[MOST_ROWS] = {
        {.name = TASK, .fallback = "lm", .kind = UR_OPTION_TEXT, .help = help},
    };
    if (i == 0) {
        rows[0].words = ur_task_names();
        describe_tasks(help, sizeof help);
        return &rows[0];
    }
    const ur_option *o = i < MOST_ROWS ? ur_train_option(task, i - 1) : NULL;
    if (o == NULL)
        return NULL;
    rows[i] = *o;
    rows[i].shown = ur_train_default(task, o);
    return &rows[i];
}

static const struct opt_kinds kinds = {
    .option = TASK, .names = ur_task_names, .brief = ur_task_brief, .chosen = &task,
};

static ur_status set(void *values, const char *name, const char *text)
{
    if (strcmp(name, TASK) == 0)
        return UR_OK;           /* it is chosen already */
    return ur_train_set(&((struct train *)values)->run, name, text);
}

/* The tasks that have an option. */
static const char *elsewhere(const char *name)
{
    static char where[200];
    const ur_option *o;
    where[0] = '\0';
    for (const char *const *other = ur_task_names(); *other != NULL; other++)
        for (int i = 0; (o = ur_train_option(*other, i)) != NULL; i++)
            if (strcmp(o->name, name) == 0) {
                size_t n = strlen(where);
                snprintf(where + n, sizeof where - n, "%s%s", n ? " or " : "--" TASK " ", *other);
                break;
            }
    return where[0] != '\0' ? where : NULL;
}

/* A resumed run keeps its task, which its model names. True: it is not the default, and is now
 * chosen. */
static bool is_other_task(const char *path)
{
    ur_model *model = NULL;
    const char *usual = task;
    if (ur_model_load(&model, path) == UR_OK)
        for (const char *const *name = ur_task_names(); *name != NULL; name++)
            if (strcmp(*name, ur_model_task(model)) == 0)
                task = *name;
    ur_model_free(model);
    return strcmp(task, usual) != 0;
}

/* Length of a name of n bytes without an ending such as .txt: a dot, a letter and up to seven
 * letters or digits more. */
static size_t without_ending(const char *name, size_t n)
{
    enum { LONGEST = 8 };
    for (size_t i = n; i-- > 1 && n - i <= LONGEST + 1; ) {
        bool letter = (name[i] | 32) >= 'a' && (name[i] | 32) <= 'z';
        if (name[i] == '.')
            return n - i > 1 && !(name[i + 1] >= '0' && name[i + 1] <= '9') ? i : n;
        if (!letter && !(name[i] >= '0' && name[i] <= '9'))
            return n;
    }
    return n;
}

/* NAME of NAME.safetensors from a file's name: no folder, no .gz, no ending before that. */
static int name_model(const char *output, const char *data, struct ur__buf *to)
{
    static const char ending[] = ".safetensors";
    const char *name = output != NULL ? output : strcmp(data, "-") == 0 ? "stdin" : data;
    size_t n = strlen(name);
    if (output == NULL) {
        const char *slash = strrchr(name, '/');
        name = slash != NULL ? slash + 1 : name;
        n = without_ending(name, ur__without(name, strlen(name), ".gz"));
    }
    if (n == 0 || strcmp(name, "-") == 0 || name[n - 1] == '/')
        return fail(EXIT_USAGE, "--output must be the name of a file: MODEL.safetensors");
    struct ur__file_id there;
    bool known = output != NULL && ur__file_identify(&there, output);
    if (known && there.kind != UR__FILE_ABSENT && there.kind != UR__FILE_REGULAR)
        return fail(EXIT_OUTPUT, "cannot write the model to %s: it is a %s; name a file, as in "
                    "--output MODEL.safetensors", output,
                    there.kind == UR__FILE_FOLDER ? "folder" : "device or pipe");
    ur_status status = ur__buf_put(to, name, ur__without(name, n, ending));
    if (status == UR_OK)
        status = ur__buf_puts(to, ending);
    return fail_status(status);
}

/* ---- the run ----------------------------------------------------------- */

/* Says which command line resumes this run. */
static void say_resume(struct ui *ui, int argc, char **argv, int64_t step)
{
    struct ur__buf line = {0};
    bool resume = false;
    for (int i = 0; i < argc; i++) {
        resume = resume || strcmp(argv[i], "--resume") == 0;
        if (strcmp(argv[i], "--force") == 0)
            continue;
        ur__buf_puts(&line, " ");
        ui_quote(&line, argv[i]);
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
    else if (isfinite(s->val_loss) && !isfinite(s->best))
        ui_say(r->ui, "wrote    %s after %s, but it is worse than guessing", model,
               ui_time(took, s->seconds));
    else if (isfinite(s->best))
        ui_say(r->ui, "wrote    %s after %s, best validation %s", model,
               ui_time(took, s->seconds), report_best(r, s->best, best));
    else
        ui_say(r->ui, "wrote    %s after %s", model, ui_time(took, s->seconds));
    if (r->ui->verbose)
        ui_say(r->ui, "memory   %s at most", plan_bytes(took, (double)s->memory_peak));
    if (s->skipped > 0)
        ui_say(r->ui, "skipped  %lld step%s whose numbers were not finite", (long long)s->skipped,
               s->skipped > 1 ? "s" : "");
    if (s->rollbacks > 0)
        ui_say(r->ui, "back     to a checkpoint %d time%s because numbers were not finite; the "
               "learning rate is now %g of its schedule", s->rollbacks, s->rollbacks > 1 ? "s" : "",
               pow(0.5, s->rollbacks));
    struct ur__buf quoted = {0};
    ui_quote(&quoted, model);
    ui_say(r->ui, "next     %s %s %s%s", program_call, ur_task_verb(task),
           model[0] == '-' ? "./" : "", quoted.data != NULL ? quoted.data : "");
    ur__buf_free(&quoted);
}

static int train(const struct command *self, struct train *a, int argc, char **argv)
{
    ur_train_options *o = &a->run;
    struct report report;
    struct ui ui;
    ui_init(&ui, &a->common);
    report_init(&report, &ui);
    train_log_init(&report.log, a->log, o->resume);
    o->log = report.log.stream < 0 ? a->log : NULL;
    o->memory_limit = ur__memory_there("");
    int code = spare_input(o->val_file);
    if (code != EXIT_DONE || (code = spare_input(o->init_from)) != EXIT_DONE ||
        (code = spare_input(o->vocab_from)) != EXIT_DONE)
        return code;
    ur_status status = ur_team_new(&o->team, (int)a->threads);
    if (status != UR_OK)
        return fail_status(status);
    if (ui.verbose && !a->dry_run)
        ui_say(&ui, "kernels  %s, threads %d", ur_kernels(), ur_team_size(o->team));
    if (a->dry_run) {
        status = plan_run(o, &a->common, &code);
        code = status != UR_OK ? fail_status(opt_say(self, status)) : code;
        ur_team_free(o->team);
        return code;
    }

    status = ur_train(o, report_see, &report);
    code = report_end(&report);
    ur_team_free(o->team);
    if (code != EXIT_DONE)
        return code;
    if (status == UR_ECANCELED && signals_caught() != 0) {
        say_resume(&ui, argc, argv, report.last.step);
        return EXIT_SIGNAL + signals_caught();
    }
    if (status != UR_OK)
        return fail_status(opt_say(self, status));
    say_end(&report, o->model);
    if (a->common.json && (code = report_json(&report, o->model)) != EXIT_DONE)
        return code;
    return train_log_end(&report.log);
}

static int check(const struct train *a)
{
    if (a->run.report_gradients && a->log == NULL)
        return fail(EXIT_USAGE, "--report-gradients writes to a log: name it with --log FILE");
    if (a->run.resume && a->run.force)
        return fail(EXIT_USAGE, "--resume continues a run and --force starts it over: use one");
    return EXIT_DONE;
}

/* A command line that was read. */
struct line {
    struct train a;
    struct opt_words words;
    struct ur__buf model;       /* its name */
};

/* False: end with *code. */
static bool read_line(const struct command *self, int argc, char **argv, struct line *to, int *code)
{
    *code = fail_status(ur_train_options_init(&to->a.run, task));
    if (*code != EXIT_DONE || !opt_parse(self, argc, argv, &to->a, &to->words, code))
        return false;
    *code = check(&to->a);
    if (*code == EXIT_DONE)
        *code = name_model(to->a.output, to->words.word[0], &to->model);
    return *code == EXIT_DONE;
}

static void free_line(struct line *line)
{
    ur__buf_free(&line->model);
    opt_words_free(&line->words);
}

static int run(const struct command *self, int argc, char **argv)
{
    struct line line = {0};
    int code = opt_choose(self, argc, argv);
    bool go_on = code == EXIT_DONE && read_line(self, argc, argv, &line, &code);
    if (go_on && line.a.run.resume && !opt_given(&line.words, TASK) &&
        is_other_task(line.model.data)) {
        free_line(&line);
        go_on = read_line(self, argc, argv, &line, &code);
    }
    if (go_on) {
        line.a.run.data = line.words.word;
        line.a.run.n_data = line.words.n;
        line.a.run.model = line.model.data;
        code = train(self, &line.a, argc, argv);
    }
    free_line(&line);
    return code;
}

const struct command cmd_train = {
    .name = "train",
    .words = "DATA...",
    .brief = "train a model",
    .examples = examples,
    .notes = "DATA are files of text or, of tasks that learn labels, of examples; .gz opens as its "
             "content, - is standard input. Training writes MODEL.safetensors (best on what is "
             "held out), MODEL.last.safetensors and MODEL.state (and MODEL.state.1, the one "
             "before); Ctrl-C saves and says how to go on.",
    .options = options,
    .n_options = N_OPTIONS,
    .first = N_FIRST,
    .more = more,
    .set = set,
    .kinds = &kinds,
    .elsewhere = elsewhere,
    .min_words = 1,
    .max_words = -1,
    .run = run,
};
