/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzzer without libFuzzer:
 *
 *   fuzz_NAME [-runs=N] FILE|FOLDER...
 *
 * every file, then N mutants of files drawn among them, the same ones each time.
 */
#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

enum { MAX_INPUTS = 4096, MAX_SIZE = 1 << 16 };

static struct input {
    uint8_t *data;
    size_t size;
} inputs[MAX_INPUTS];
static size_t n_inputs;

static int fail(const char *path)
{
    perror(path);
    exit(2);
}

static int read_input(const char *path)
{
    FILE *f = n_inputs < MAX_INPUTS ? fopen(path, "rb") : NULL;
    if (!f)
        return fail(path);
    struct input *in = &inputs[n_inputs++];
    in->data = malloc(MAX_SIZE);
    in->size = in->data ? fread(in->data, 1, MAX_SIZE, f) : 0;
    if (!in->data || ferror(f))
        return fail(path);
    return fclose(f);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In the order of names: the mutants must not depend on the file system. */
static int read_folder(const char *path)
{
    static char *names[MAX_INPUTS];
    size_t n = 0;
    DIR *d = opendir(path);
    if (!d)
        return fail(path);
    for (struct dirent *e; (e = readdir(d)) != NULL && n < MAX_INPUTS; ) {
        size_t room = strlen(path) + strlen(e->d_name) + 2;
        names[n] = e->d_name[0] == '.' ? NULL : malloc(room);
        if (names[n])
            snprintf(names[n++], room, "%s/%s", path, e->d_name);
    }
    closedir(d);
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < n; i++) {
        read_input(names[i]);
        free(names[i]);
    }
    return 0;
}

/* ---- mutants ----------------------------------------------------------- */

static uint32_t draw(uint32_t below)
{
    static uint64_t step;
    uint32_t out[4];
    ur_random(1, 77, step++, 0, out);
    return out[0] % below;
}

/* As libFuzzer's, in small. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max)
{
    static const uint8_t telling[] = {0, 1, 0x7f, 0x80, 0xff, '"', '{', ']', '\\', '0', '9', '-'};
    for (uint32_t n = 1 + draw(3); n > 0; n--) {
        size_t at = size ? draw((uint32_t)size) : 0;
        uint8_t value = draw(2) ? (uint8_t)draw(256) : telling[draw(sizeof telling)];
        switch (size ? draw(4) : 3) {
        case 0:
            data[at] ^= (uint8_t)(1u << draw(8));
            break;
        case 1:
            data[at] = value;
            break;
        case 2:
            memmove(data + at, data + at + 1, size - at - 1);
            size--;
            break;
        default:
            if (size == max)
                break;
            memmove(data + at + 1, data + at, size - at);
            data[at] = value;
            size++;
        }
    }
    return size;
}

/* Of a fuzzer without a mutator of its own. */
__attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
                                                     unsigned seed)
{
    (void)seed;
    return LLVMFuzzerMutate(data, size, max);
}

static void run_mutants(long runs)
{
    static uint8_t data[MAX_SIZE];
    for (long i = 0; i < runs && n_inputs; i++) {
        const struct input *in = &inputs[draw((uint32_t)n_inputs)];
        memcpy(data, in->data, in->size);
        size_t size = LLVMFuzzerCustomMutator(data, in->size, MAX_SIZE, draw(1u << 31));
        LLVMFuzzerTestOneInput(data, size);
    }
}

int main(int argc, char **argv)
{
    long runs = 0;
    fuzz_start();
    for (int i = 1; i < argc; i++) {
        struct stat st;
        if (strncmp(argv[i], "-runs=", 6) == 0)
            runs = strtol(argv[i] + 6, NULL, 10);
        else if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
            read_folder(argv[i]);
        else
            read_input(argv[i]);
    }
    for (size_t i = 0; i < n_inputs; i++)
        LLVMFuzzerTestOneInput(inputs[i].data, inputs[i].size);
    run_mutants(runs);
    printf("%zu inputs and %ld mutants of them\n", n_inputs, runs);
    for (size_t i = 0; i < n_inputs; i++)
        free(inputs[i].data);
    return n_inputs ? 0 : 2;
}
