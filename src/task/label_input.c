/* SPDX-License-Identifier: MIT */
#include "task/label_input.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "base/utf8.h"
#include "data/encode.h"
#include "model/arch.h"
#include "task/labelled.h"

void *ur__scratch_take(struct ur__scratch *b, size_t n, size_t size, ur_status *status)
{
    if (*status == UR_OK && b->size < n * size) {
        ur__free(b->data);
        b->data = ur__alloc(2 * n, size);
        b->size = b->data ? 2 * n * size : 0;
        *status = b->data ? UR_OK : UR_ENOMEM;
    }
    return *status == UR_OK ? memset(b->data, 0, n * size) : NULL;
}

void ur__label_input_open(struct ur__label_input *in, const struct ur__predict_job *job,
                          bool tagged)
{
    const struct ur__encoder_options *net = ur__model_values(job->model);
    in->model = job->model;
    in->encoder = job->encoder;
    in->text = ur_model_vocab(job->model, "text");
    in->letter = ur_model_vocab(job->model, "letter");
    in->tagged = tagged;
    in->apart = ur__encoder_apart(net);
    in->features = net->features;
}

void ur__label_input_close(struct ur__label_input *in)
{
    struct ur__scratch *const all[] = {&in->ids, &in->letters, &in->lengths, &in->spelling,
                                    &in->frames, &in->bytes};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        ur__free(all[i]->data);
    ur__buf_free(&in->words);
    ur__example_reader_close(in->files);
}

/* ---- tokens ------------------------------------------------------------ */

/* ids has room for it. */
static ur_status put_word(void *user, const char *text, size_t n)
{
    struct ur__label_input *in = user;
    int32_t *id = (int32_t *)in->ids.data + in->T;
    UR__TRY(ur__encoder_word(in->encoder, text, n, id));
    if (*id == UR__UNKNOWN && ur__encoder_skips(in->encoder))
        return UR_OK;
    in->T++;
    UR__TRY(ur__buf_put(&in->words, text, n));
    return ur__buf_put(&in->words, "", 1);
}

static ur_status put_words(struct ur__label_input *in, const char *line, size_t n)
{
    struct ur__splitter s = {.punctuation = ur_vocab_kind(in->text) == UR_TOKEN_WORDPUNCT,
                             .on_word = put_word, .user = in};
    for (size_t at = 0; at < n; ) {
        uint32_t code;
        int step = ur__utf8_decode((const unsigned char *)line + at, n - at, &code);
        if (step <= 0)
            return ur__fail(UR_EINVAL, "byte %zu is no UTF-8", at + 1);
        UR__TRY(ur__split_put(&s, code, line + at, (size_t)step));
        at += (size_t)step;
    }
    return ur__split_end(&s);
}

/* Room for so many tokens, of which there are none yet. */
static ur_status begin(struct ur__label_input *in, size_t most)
{
    ur_status status = UR_OK;
    ur__scratch_take(&in->ids, most + 1, sizeof(int32_t), &status);
    in->words.size = 0;
    in->T = 0;
    return status;
}

ur_status ur__label_input_line(struct ur__label_input *in, const char *line, size_t n)
{
    size_t count = 0;
    UR__TRY(begin(in, n));
    if (ur__is_words(ur_vocab_kind(in->text)))
        return put_words(in, line, n);
    UR__TRY(ur_encoder_put(in->encoder, line, n, in->ids.data, &count));
    in->T = (int)count;
    return UR_OK;
}

/* Each word is spelled out for itself. */
static ur_status put_letters(struct ur__label_input *in, ur_batch *batch)
{
    ur_status status = UR_OK;
    const size_t T = (size_t)in->T;
    int32_t *letters = ur__scratch_take(&in->letters, T * UR__MOST_LETTERS, sizeof *letters,
                                        &status);
    int32_t *spelling = ur__scratch_take(&in->spelling, T, sizeof *spelling, &status);
    int *lengths = ur__scratch_take(&in->lengths, T, sizeof *lengths, &status);
    const char *word = in->words.data;
    int most = 1;
    UR__TRY(status);
    for (int t = 0; t < in->T; t++, word += strlen(word) + 1) {
        spelling[t] = t;
        lengths[t] = ur__spell(in->letter, word, strlen(word), in->T, letters + t);
        most = lengths[t] > most ? lengths[t] : most;
    }
    UR__TRY(ur_batch_ids(batch, "letters", most, in->T, letters, lengths));
    return ur_batch_ids(batch, "spelling", in->T, 1, spelling, NULL);
}

/* ---- frames ------------------------------------------------------------ */

ur_status ur__label_input_frames(struct ur__label_input *in, int T, int I, const ur_real *frames)
{
    ur_status status = UR_OK;
    if (!in->features)
        return ur__fail(UR_EINVAL, "the model reads text, not frames of numbers");
    if (I != in->features)
        return ur__fail(UR_ESHAPE, "the frames have %d numbers a step, but the network reads %d",
                        I, in->features);
    if (T < 1)
        return ur__fail(UR_EINVAL, "an example has at least 1 step, not %d", T);
    size_t n = (size_t)T * (size_t)I;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(frames[i]))
            return ur__fail(UR_EDATA, "number %zu of step %zu is not finite", i % (size_t)I,
                            i / (size_t)I);
    ur_real *to = ur__scratch_take(&in->frames, n, sizeof *to, &status);
    UR__TRY(status);
    memcpy(to, frames, n * sizeof *to);
    in->T = T;
    return UR_OK;
}

/* ---- files ------------------------------------------------------------- */

static void close_files(struct ur__label_input *in)
{
    ur__example_reader_close(in->files);
    in->files = NULL;
}

ur_status ur__label_input_files(struct ur__label_input *in, const ur_options *options,
                                const char *const *paths, int n_paths)
{
    const struct ur__labelled_options *o = ur__options_read(options);
    close_files(in);
    in->unchecked = options;
    in->rule = ur__labelled_rule(o, in->tagged);
    in->rule.unlabelled = in->rule.whole = true;
    in->rule.apart = in->apart;
    in->rule.features = in->features ? in->features : -1;
    in->rule.columns = ur_options_given(options, "column") ? 0 : o->columns;
    if (!o->format && o->read_as && ur__format_find(o->read_as))
        in->rule.format = o->read_as;
    return ur__example_reader_open(&in->files, paths, n_paths, &in->rule);
}

static ur_status put_tokens(struct ur__label_input *in, const char *text, size_t size, size_t n)
{
    if (!ur__is_words(ur_vocab_kind(in->text)))
        return ur__fail(UR_EINVAL, "tokens of a file need a vocabulary of words");
    UR__TRY(begin(in, n));
    for (size_t at = 0; at < size; at += strlen(text + at) + 1)
        UR__TRY(put_word(in, text + at, strlen(text + at)));
    return UR_OK;
}

static ur_status put_content(struct ur__label_input *in, struct ur__examples *x)
{
    const struct ur__example *e = &x->example[0];
    ur_status status = UR_OK;
    if (x->content == UR_CONTENT_FRAMES) {
        size_t n = (size_t)e->length * (size_t)x->width;
        ur_real *frames = ur__scratch_take(&in->frames, n, sizeof *frames, &status);
        in->T = e->length;
        return status == UR_OK ? ur__examples_frames(x, 0, 0, e->length, frames) : status;
    }
    char *text = ur__scratch_take(&in->bytes, (size_t)e->size + 1, 1, &status);
    UR__TRY(status);
    UR__TRY(ur__examples_text(x, 0, text));
    return x->content == UR_CONTENT_TEXTS ? ur__label_input_line(in, text, (size_t)e->size)
                                   : put_tokens(in, text, (size_t)e->size, (size_t)e->length);
}

/* What is wrong with it is said with its place. */
static ur_status put_example(struct ur__label_input *in, struct ur__examples *x)
{
    ur_status status = put_content(in, x);
    if (status == UR_OK && in->T == 0)
        status = ur__fail(UR_EINVAL, "a text without words");
    if (status != UR_EINVAL)
        return status;
    const char *file = ur__examples_file(x, 0);
    return ur__fail(UR_EDATA, "%s:%lld: %s", strcmp(file, "-") ? file : "standard input",
                    (long long)x->example[0].line, ur_errmsg());
}

ur_status ur__label_input_next(struct ur__label_input *in, bool *more)
{
    struct ur__examples *x;
    *more = false;
    if (!in->files)
        return ur__fail(UR_EINVAL, "no files are open");
    ur_status status = ur__example_reader_next(in->files, &x);
    *more = status == UR_OK && x;
    if (*more && in->unchecked)
        status = ur__labelled_check(in->unchecked, x, in->text);
    in->unchecked = NULL;
    if (*more && status == UR_OK)
        status = put_example(in, x);
    if (status != UR_OK)
        close_files(in);
    return status;
}

/* ---- the batch --------------------------------------------------------- */

ur_status ur__label_input_batch(struct ur__label_input *in, ur_batch *batch)
{
    const int dim[] = {in->T, 1, in->features};
    ur_batch_init(batch);
    if (in->features)
        return ur_batch_reals(batch, "frames", 3, dim, in->frames.data, NULL);
    UR__TRY(ur_batch_ids(batch, "input", in->T, 1, in->ids.data, NULL));
    return in->letter ? put_letters(in, batch) : UR_OK;
}
