/* SPDX-License-Identifier: MIT */
/*
 * A missing word, from both sides. Trains a model of task fill on sentences in which the
 * subject depends on the word after it, then asks it for words that a reader from left to
 * right cannot know.
 *
 *     logits_t = W [f_{t−1}; g_{t+1}] + b
 *
 * f reads the text, g reads it backwards (docs/MATH.md, section Fill).
 *
 *     fill [FOLDER]
 *
 * Text and model go to FOLDER, which must not exist yet; without one to a temporary folder
 * that is removed at the end.
 */
#define _XOPEN_SOURCE 700   /* mkdtemp */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <unroll.h>

enum { SENTENCES = 3000 };

/* Names within the folder: it is the one that this program works in. */
static const char data[] = "sentences.txt", model_file[] = "fill.safetensors";

static int failed(void)
{
    fprintf(stderr, "fill: %s\n", ur_errmsg());
    return 1;
}

/* "the dog barks", "two dogs bark": the noun's number and kind follow from both sides. */
static int write_sentences(void)
{
    static const char *const subject[2][3] = {{"dog", "cat", "cow"}, {"dogs", "cats", "cows"}};
    static const char *const verb[2][3] = {{"barks", "mews", "lows"}, {"bark", "mew", "low"}};
    static const char *const article[2] = {"the", "two"};
    FILE *f = fopen(data, "w");
    if (f == NULL)
        return 1;
    for (uint32_t i = 0; i < SENTENCES; i++) {
        int many = (int)(2 * ur_random_uniform(1, 5, 0, i));
        int kind = (int)(3 * ur_random_uniform(1, 5, 1, i));
        fprintf(f, "%s %s %s\n", article[many], subject[many][kind], verb[many][kind]);
    }
    return fclose(f);
}

static bool listen(void *user, const ur_report *r)
{
    (void)user;
    if (r->kind == UR_REPORT_VALID)
        printf("step %3d: %.4f nats a held-out word\n", (int)r->step, r->val_loss);
    return true;
}

static ur_status train(void)
{
    const char *const files[] = {data};
    static const char *const set[][2] = {
        {"layers", "1"}, {"hidden", "16"}, {"embed", "16"}, {"seq-length", "16"}, {"batch", "32"},
        {"lr", "0.02"}, {"steps", "120"}, {"eval-every", "40"},
    };
    ur_train_options o;
    ur_status status = ur_train_options_init(&o, "fill");
    for (size_t i = 0; i < sizeof set / sizeof *set && status == UR_OK; i++)
        status = ur_train_set(&o, set[i][0], set[i][1]);
    o.data = files;
    o.n_data = 1;
    o.model = model_file;
    return status == UR_OK ? ur_train(&o, listen, NULL) : status;
}

/* Prints the line with the likeliest word in its gap. */
static ur_status fill(ur_predictor *predictor, const char *line)
{
    const ur_answer *answer;
    ur_status status = ur_predictor_line(predictor, line, strlen(line), &answer);
    if (status != UR_OK)
        return status;
    printf("%-16s%.*s", line, (int)answer->n, answer->text);
    for (int i = 0; i < answer->n_places; i++)
        printf(" (p = %.3f)", answer->place[i].best[0].p);
    putchar('\n');
    return UR_OK;
}

/* Makes the folder and goes there. */
static int enter(char *folder, bool temporary)
{
    bool made = temporary ? mkdtemp(folder) != NULL : mkdir(folder, 0777) == 0;
    if (made && chdir(folder) == 0)
        return 0;
    perror(folder);
    return 1;
}

/* Removes the folder and the files in it. */
static void remove_all(const char *folder)
{
    DIR *d = opendir(".");
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL; )
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            unlink(e->d_name);
    if (d != NULL)
        closedir(d);
    rmdir(folder);
}

int main(int argc, char **argv)
{
    ur_model *model = NULL;
    ur_predictor *predictor = NULL;
    ur_predict_options options;
    char fresh[] = "/tmp/unroll-fill-XXXXXX", *folder = argc > 1 ? argv[1] : fresh;
    if (enter(folder, folder == fresh) != 0)
        return 1;
    if (write_sentences() != 0) {
        perror(data);
        return 1;
    }
    ur_predict_options_init(&options);
    ur_status status = train();
    if (status == UR_OK)
        status = ur_model_load(&model, model_file);
    if (status == UR_OK)
        status = ur_predictor_new(&predictor, model, &options);
    if (status == UR_OK)
        status = fill(predictor, "the ___ mews");
    if (status == UR_OK)
        status = fill(predictor, "two ___ bark");
    if (status == UR_OK)
        status = fill(predictor, "___ cows low");
    if (status == UR_OK)
        status = fill(predictor, "the dog ___");
    int code = status == UR_OK ? 0 : failed();
    ur_predictor_free(predictor);
    ur_model_free(model);
    if (folder == fresh)
        remove_all(folder);
    return code;
}
