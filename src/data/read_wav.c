/* SPDX-License-Identifier: MIT */
/* A list of sound files, label<TAB>path.wav or label<TAB>path.wav<TAB>group, paths from the list's
 * folder on: each one becomes log-mel frames (data/mel.h). Or such a file itself, which has no
 * label. */
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/cells.h"
#include "data/formats.h"
#include "data/wav.h"
#include "io/file.h"

struct reading {
    struct ur__intake *in;
    struct ur__mel *mel;
    float *samples;         /* [samples of a frame] */
    float *frame;           /* [bands] */
    struct ur__cells row;
    struct ur__buf path;
    bool alone;             /* the file that is no list was taken */
};

/* Does the first line have a field that ends with .wav? */
static bool is_list(const char *head, size_t n, bool tagged)
{
    (void)n;
    (void)tagged;
    for (const char *s = head; *s && *s != '\n'; s++) {
        if ((strncmp(s, ".wav", 4) == 0 || strncmp(s, ".WAV", 4) == 0)
            && (!s[4] || s[4] == '\n' || s[4] == '\t'))
            return true;
    }
    return false;
}

/* The front end, when the first file's rate is known. */
static ur_status set_rate(struct reading *r, const struct ur__wav *w)
{
    struct ur__examples *x = r->in->x;
    int rate = x->rate ? x->rate : r->in->rule->rate;
    if (rate && rate != w->rate)
        return ur__fail(UR_EDATA, "%s: %d samples a second where the files %s %d: convert it",
                        w->path, w->rate, x->rate ? "before have" : "learnt from had", rate);
    x->rate = w->rate;
    if (r->mel)
        return UR_OK;
    UR__TRY(ur__mel_new(&r->mel, &r->in->rule->mel, w->rate));
    r->samples = ur__alloc((size_t)ur__mel_samples(r->mel), sizeof *r->samples);
    r->frame = ur__alloc((size_t)ur__mel_bands(r->mel), sizeof *r->frame);
    if (!r->samples || !r->frame)
        return UR_ENOMEM;
    return ur__take_kind(r->in, UR_CONTENT_FRAMES, ur__mel_bands(r->mel));
}

static ur_status take_sound(struct reading *r, struct ur__wav *w)
{
    UR__TRY(set_rate(r, w));
    size_t n = (size_t)ur__mel_samples(r->mel), hop = (size_t)ur__mel_hop(r->mel), held = 0;
    if (w->samples < n)
        return ur__fail(UR_EDATA, "%s: %llu samples are too few: a frame has %zu", w->path,
                        (unsigned long long)w->samples, n);
    while (w->samples > 0) {
        size_t got, next = hop < n ? hop : n;
        UR__TRY(ur__wav_read(w, r->samples + held, n - held, &got));
        held += got;
        if (held < n)
            return UR_OK;
        ur__mel_frame(r->mel, r->samples, r->frame);
        UR__TRY(ur__take_frames(r->in, 1, r->frame));
        memmove(r->samples, r->samples + next, (n - next) * sizeof *r->samples);
        held = n - next;
        for (size_t skip = hop - next; skip > 0 && w->samples > 0; skip -= got)
            UR__TRY(ur__wav_read(w, r->samples + held, skip < n ? skip : n, &got));
    }
    return UR_OK;
}

/* A list comes from elsewhere: what it names must neither block nor take standard input. */
static ur_status check_regular(const char *path)
{
    struct ur__file_id id;
    bool known = ur__file_identify(&id, path);
    if (strcmp(path, "-") == 0 || (known && id.kind != UR__FILE_REGULAR
                                   && id.kind != UR__FILE_ABSENT && id.kind != UR__FILE_FOLDER))
        return ur__fail(UR_EINPUT, "cannot read %s: it is not a regular file", path);
    return UR_OK;
}

static ur_status take_file(struct reading *r, const char *path)
{
    struct ur__wav w;
    ur_status status = ur__wav_open(&w, path, &r->in->x->tally);
    if (status == UR_OK)
        status = take_sound(r, &w);
    ur__wav_close(&w);
    return status;
}

static ur_status take_named(struct reading *r, const char *path)
{
    const char *list = r->in->path, *slash = strrchr(list, '/');
    r->path.size = 0;
    if (slash && *path != '/')
        UR__TRY(ur__buf_put(&r->path, list, (size_t)(slash - list) + 1));
    UR__TRY(ur__buf_puts(&r->path, path));
    UR__TRY(check_regular(r->path.data));
    return take_file(r, r->path.data);
}

static bool is_path(const char *text)
{
    size_t n = strlen(text);
    return n > 4 && (strcmp(text + n - 4, ".wav") == 0 || strcmp(text + n - 4, ".WAV") == 0);
}

/* The path's field: the first that looks like one where there need be no label before it. */
static int find_path(const struct reading *r)
{
    if (!r->in->rule->unlabelled)
        return 1;
    for (int i = 0; i < r->row.n; i++)
        if (is_path(r->row.cell[i].text))
            return i;
    return r->row.n > 1;
}

static ur_status take_line(struct reading *r)
{
    struct ur__intake *in = r->in;
    struct ur__lines *l = &in->lines;
    int32_t label = -1, group = -1;
    bool wanted = !in->rule->unlabelled;
    UR__TRY(ur__cells_split(&r->row, l, false));
    int path = find_path(r);
    if (r->row.n < path + 1 || r->row.n > path + 2)
        return ur__lines_fail(l, "%d fields separated by tabs, not a label, a path and perhaps a "
                              "group", r->row.n);
    if (wanted)
        UR__TRY(ur__take_label(in, r->row.cell[0].text, r->row.cell[0].n, &label));
    if (wanted && r->row.n == path + 2)
        UR__TRY(ur__take_group(in, r->row.cell[path + 1].text, r->row.cell[path + 1].n, &group));
    ur_status status = take_named(r, r->row.cell[path].text);
    /* The list's line beside what is wrong with the file. */
    if (status == UR_EDATA || status == UR_EINPUT)
        return ur__fail(status, "%s:%lld: %s", l->name, (long long)l->number, ur_errmsg());
    return status == UR_OK ? ur__take_end(in, l->number, label, group) : status;
}

static ur_status begin(void *reader, struct ur__intake *in)
{
    struct reading *r = reader;
    r->in = in;
    r->row.separator = '\t';
    return UR_OK;
}

static ur_status next(void *reader, bool *more)
{
    struct reading *r = reader;
    UR__TRY(ur__lines_next_filled(&r->in->lines, more));
    return *more ? take_line(r) : UR_OK;
}

static ur_status next_alone(void *reader, bool *more)
{
    struct reading *r = reader;
    *more = !r->alone;
    r->alone = true;
    if (!*more)
        return UR_OK;
    UR__TRY(take_file(r, r->in->path));
    return ur__take_end(r->in, 1, -1, -1);
}

static void end(void *reader)
{
    struct reading *r = reader;
    ur__mel_free(r->mel);
    ur__free(r->samples);
    ur__free(r->frame);
    ur__cells_free(&r->row);
    ur__buf_free(&r->path);
}

static bool is_riff(const char *head, size_t n, bool tagged)
{
    (void)tagged;
    return n >= 4 && memcmp(head, "RIFF", 4) == 0;
}

static const char *const endings[] = {NULL};
const struct ur__format ur__format_wav = {
    .name = "wav", .what = "label<TAB>path.wav, one a line", .endings = endings, .one = true,
    .is = is_list, .size = sizeof(struct reading), .begin = begin, .next = next, .end = end,
};
const struct ur__format ur__format_sound = {
    .name = "sound", .what = "a sound itself", .endings = endings, .one = true, .bare = true,
    .binary = true, .is = is_riff, .size = sizeof(struct reading), .begin = begin,
    .next = next_alone, .end = end,
};
