/* SPDX-License-Identifier: MIT */
/* The program `unroll`: picks the subcommand. Each is one file cmd_*.c and one line here. */
#define _POSIX_C_SOURCE 200809L

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fail.h"
#include "cli/opt.h"
#include "cli/ui.h"
#include "io/file.h"

extern const struct command cmd_train, cmd_sample, cmd_eval, cmd_predict, cmd_plot, cmd_see,
    cmd_info, cmd_bench, cmd_completion;

static const struct command *const commands[] = {
    &cmd_train, &cmd_sample, &cmd_eval, &cmd_predict, &cmd_plot, &cmd_see, &cmd_info, &cmd_bench,
    &cmd_completion,
};
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static const char *const examples[] = {
    "unroll train shakespeare.txt",
    "unroll sample shakespeare.safetensors --prime 'ROMEO:'",
    NULL,
};

static const struct program program = {
    .brief = "recurrent neural networks that learn to write what they read",
    .examples = examples,
    .commands = commands,
    .n_commands = N_COMMANDS,
};

static void print_overview(FILE *to)
{
    fprintf(to, "unroll: %s\n\n", program.brief);
    for (int i = 0; examples[i] != NULL; i++)
        fprintf(to, "  %s\n", examples[i]);
    fprintf(to, "\nusage: unroll COMMAND ...\n\n");
    for (int i = 0; i < N_COMMANDS; i++) {
        int width = fprintf(to, "  %s %s", commands[i]->name, commands[i]->words);
        fprintf(to, "%*s%s\n", width < 28 ? 28 - width : 1, "", commands[i]->brief);
    }
    fprintf(to, "\nunroll COMMAND --help describes one; unroll --version shows the version\n"
                "unroll help --man [COMMAND] prints a manual page, for man -l -\n");
}

static const struct command *find(const char *name)
{
    for (int i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int unknown(const char *name)
{
    struct help_nearest near;
    if (name[0] == '-')
        return fail(EXIT_USAGE, "expected a command, not %s: see unroll --help", name);
    if (ur__file_exists(name))
        return fail(EXIT_USAGE, "%s is a file, not a command: unroll train %s", name, name);
    help_nearest_begin(&near, name);
    for (int i = 0; i < N_COMMANDS; i++)
        help_nearest_try(&near, commands[i]->name);
    if (near.name != NULL)
        return fail(EXIT_USAGE, "unknown command %s: did you mean %s?", name, near.name);
    return fail(EXIT_USAGE, "unknown command %s: see unroll --help", name);
}

/* Does an option begin here that says which options are to be shown, --task? Its words, else 0. */
static int kind_words(const struct command *c, int argc, char **argv)
{
    const char *name = c != NULL && c->kinds != NULL ? c->kinds->option : NULL;
    if (name == NULL || strncmp(argv[0], "--", 2) != 0 ||
        strncmp(argv[0] + 2, name, strlen(name)) != 0)
        return 0;
    char after = argv[0][2 + strlen(name)];
    return after == '=' ? 1 : after == '\0' && argc > 1 ? 2 : 0;
}

/* [--man] [COMMAND [--task NAME]] */
static int help(int argc, char **argv)
{
    bool man = false;
    const char *name = NULL;
    for (int i = 0, n; i < argc; i++) {
        if (strcmp(argv[i], "--man") == 0)
            man = true;
        else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            continue;
        else if (name != NULL && (n = kind_words(find(name), argc - i, argv + i)) > 0)
            i += n - 1;
        else if (name != NULL)
            return fail(EXIT_USAGE, "help takes [--man] [COMMAND] and nothing more");
        else
            name = argv[i];
    }
    const struct command *command = name != NULL ? find(name) : NULL;
    if (name != NULL && command == NULL)
        return unknown(name);
    if (man && command != NULL)
        man_command(&program, command);
    else if (man)
        man_program(&program);
    else if (command != NULL && opt_choose(command, argc, argv) != EXIT_DONE)
        return EXIT_USAGE;
    else if (command != NULL)
        help_command(command);
    else
        print_overview(stdout);
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        print_overview(stderr);
        return EXIT_USAGE;
    }
    const char *first = argv[1];
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0 || strcmp(first, "help") == 0)
        return help(argc - 2, argv + 2);
    if (strcmp(first, "--version") == 0 || strcmp(first, "-V") == 0) {
        printf("unroll %s\n", ur_version());
        return EXIT_DONE;
    }
    const struct command *command = find(first);
    if (command == NULL)
        return unknown(first);

    /* A forced instruction set that is not there must not pass unseen. */
    const char *isa = getenv("UNROLL_ISA");
    if (isa != NULL && isa[0] != '\0' && ur_kernels() == NULL)
        return fail(EXIT_USAGE, "UNROLL_ISA=%s: this machine or build has no such kernels", isa);
    return (command->act != NULL ? opt_run : command->run)(command, argc - 2, argv + 2);
}

/* A closed descriptor 0..2 would be given to the next file that is opened, and messages
 * would land in it. Each takes only what is not its use, so that using it still fails. */
static void hold_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            _exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
    hold_descriptors();
    program_whole = &program;
    /* Hints can be pasted: a program that was called by its path is named by it. */
    if (argc > 0 && strchr(argv[0], '/') != NULL && strpbrk(argv[0], " '\"\\$`") == NULL &&
        ur__is_plain(argv[0]))
        program_call = argv[0];
    /* A reader that goes away is seen where standard output is written. */
    signal(SIGPIPE, SIG_IGN);
    /* And a limit on the size of files where files are. */
#ifdef SIGXFSZ
    signal(SIGXFSZ, SIG_IGN);
#endif
    return out_end(run(argc, argv));
}
