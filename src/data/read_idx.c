/* SPDX-License-Identifier: MIT */
/*
 * IDX, as MNIST has it: two zeros, a type (8: bytes), the number of dimensions, each of them as
 * four bytes, the high one first, then the bytes. Pictures are [N,H,W] or, with colours, [N,H,W,C],
 * sequences of them [N,T,H,W]; labels, [N] or one a step [N,T], lie in a file of their own.
 */
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/formats.h"
#include "io/file.h"

enum { MOST_DIMS = 4, MOST_COLOURS = 4, BYTES = 8 };
#define MOST_ITEM ((size_t)1 << 26)
#define FIRST_ROOM ((size_t)1 << 16)

struct idx {
    const char *path;
    struct ur__reader *reader;
    struct ur__tally *tally;
    uint64_t at;
    int n_dims;
    size_t dim[MOST_DIMS];  /* the first: items */
    size_t item;            /* bytes of one */
    unsigned char *bytes;   /* of the one at hand */
    size_t capacity;
};

struct reading {
    struct ur__intake *in;
    struct idx pictures, labels;
    struct ur__buf label_path;
    ur_scan scan;
    bool clips;             /* sequences of pictures */
    size_t h, w, c;         /* of a picture as it is scanned; of sequences h = T */
    unsigned char *turned;
    size_t taken;           /* items so far */
};

/* ---- one file ---------------------------------------------------------- */

static ur_status fail(const struct idx *f, const char *what)
{
    return ur__fail(UR_EDATA, "%s: byte %llu: %s", f->path, (unsigned long long)f->at, what);
}

static ur_status take(struct idx *f, void *to, size_t n)
{
    size_t got;
    UR__TRY(ur__tally_read(f->tally, f->reader, to, n, &got));
    f->at += got;
    return got == n ? UR_OK : fail(f, "the file ends before the sizes that it gives");
}

static ur_status open_idx(struct idx *f, const char *path, struct ur__tally *tally)
{
    unsigned char head[4], size[4];
    *f = (struct idx){.path = path, .tally = tally, .item = 1};
    UR__TRY(ur__reader_open(&f->reader, path));
    UR__TRY(take(f, head, sizeof head));
    if (head[0] || head[1] || head[2] != BYTES || head[3] < 1 || head[3] > MOST_DIMS)
        return ur__fail(UR_EDATA, "%s: not an IDX file of bytes in 1 to %d dimensions", path,
                        MOST_DIMS);
    f->n_dims = head[3];
    for (int i = 0; i < f->n_dims; i++) {
        UR__TRY(take(f, size, sizeof size));
        f->dim[i] = (size_t)size[0] << 24 | (size_t)size[1] << 16 | (size_t)size[2] << 8 | size[3];
        if (f->dim[i] == 0)
            return fail(f, "a dimension is 0");
        if (i > 0 && f->dim[i] > MOST_ITEM / f->item)
            return fail(f, "an item is larger than 64 MiB");
        f->item *= i > 0 ? f->dim[i] : 1;
    }
    return UR_OK;
}

/* The next item. Its room grows with what is there: sizes that lie take no memory. */
static ur_status take_item(struct idx *f)
{
    for (size_t have = 0, n; have < f->item; have += n) {
        if (have == f->capacity) {
            size_t capacity = f->capacity ? 2 * f->capacity : FIRST_ROOM;
            capacity = capacity < f->item ? capacity : f->item;
            unsigned char *larger = ur__realloc(f->bytes, capacity, 1);
            if (!larger)
                return UR_ENOMEM;
            f->bytes = larger;
            f->capacity = capacity;
        }
        n = f->capacity - have;
        UR__TRY(take(f, f->bytes + have, n));
    }
    return UR_OK;
}

static void close_idx(struct idx *f)
{
    ur__reader_close(f->reader);
    ur__free(f->bytes);
}

static ur_status check_end(struct idx *f)
{
    unsigned char byte;
    size_t got;
    UR__TRY(ur__tally_read(f->tally, f->reader, &byte, 1, &got));
    return got ? fail(f, "the file goes on beyond the sizes that it gives") : UR_OK;
}

/* ---- labels ------------------------------------------------------------ */

/* Replaces the last `from` in a file's name. */
static bool replace(struct ur__buf *path, const char *from, const char *to)
{
    char *slash = strrchr(path->data, '/'), *found = NULL;
    size_t n = strlen(from);
    for (char *s = slash ? slash : path->data; (s = strstr(s, from)) != NULL; s += n)
        found = s;
    if (found)
        memcpy(found, to, n);       /* as long */
    return found != NULL;
}

/* "x-images.idx3" to "x-labels.idx1", "x-images-idx3-ubyte" likewise. */
static ur_status find_labels(struct reading *r)
{
    const char *path = r->in->rule->label_file;
    if (path && r->in->x->n_paths > 1)
        return ur__fail(UR_EDATA, "%s: %s has the labels of one file of pictures only",
                        r->in->path, path);
    if (path)
        return ur__buf_puts(&r->label_path, path);
    UR__TRY(ur__buf_puts(&r->label_path, r->in->path));
    bool found = replace(&r->label_path, "images", "labels");
    if (!replace(&r->label_path, "idx3", r->in->x->tagged ? "idx2" : "idx1"))
        replace(&r->label_path, "idx4", r->in->x->tagged ? "idx2" : "idx1");
    if (found && ur__file_exists(r->label_path.data))
        return UR_OK;
    return ur__fail(UR_EDATA, "%s: no file of labels stands beside it: name the one that has "
                    "them", r->in->path);
}

static ur_status open_labels(struct reading *r)
{
    const struct idx *p = &r->pictures;
    struct idx *f = &r->labels;
    bool tagged = r->in->x->tagged;
    UR__TRY(find_labels(r));
    UR__TRY(open_idx(f, r->label_path.data, &r->in->x->tally));
    if (f->n_dims != 1 + tagged)
        return ur__fail(UR_EDATA, "%s: has %d dimensions, not the %d of labels", f->path,
                        f->n_dims, 1 + tagged);
    if (f->dim[0] != p->dim[0])
        return ur__fail(UR_EDATA, "%s: %zu labels for the %zu pictures of %s", f->path, f->dim[0],
                        p->dim[0], p->path);
    if (tagged && f->dim[1] != r->h)
        return ur__fail(UR_EDATA, "%s: labels of %zu steps for the %zu of %s", f->path, f->dim[1],
                        r->h, p->path);
    return UR_OK;
}

/* The labels of an item: its own, or one a step. */
static ur_status take_labels(struct reading *r, int32_t *label)
{
    for (size_t i = 0; i < r->labels.item; i++) {
        unsigned number = r->labels.bytes[i];
        char text[4], *s = text + sizeof text;
        do
            *--s = (char)('0' + number % 10);
        while ((number /= 10) > 0);
        UR__TRY(ur__take_label(r->in, s, (size_t)(text + sizeof text - s), label));
        if (r->in->x->tagged)
            UR__TRY(ur__take_tag(r->in, *label));
    }
    if (r->in->x->tagged)
        *label = -1;
    return UR_OK;
}

/* ---- pictures ---------------------------------------------------------- */

static ur_status find_scan(struct reading *r)
{
    const struct idx *f = &r->pictures;
    const size_t *dim = f->dim;
    r->scan = r->in->rule->scan;
    if (f->n_dims < 2)
        return ur__fail(UR_EDATA, "%s: has one dimension: labels, not pictures", f->path);
    if (r->in->rule->tagged && f->n_dims != 4)
        return ur__fail(UR_EDATA, "%s: has %d dimensions, not the 4 of sequences of pictures",
                        f->path, f->n_dims);
    if (r->in->rule->tagged && r->scan != UR_SCAN_AUTO && r->scan != UR_SCAN_PICTURE)
        return ur__fail(UR_EINVAL, "scan: with a label a step, a step is a picture");
    r->clips = r->in->rule->tagged || (f->n_dims == 4 && dim[3] > MOST_COLOURS);
    if (r->in->rule->tagged)
        r->scan = UR_SCAN_PICTURE;
    if (r->scan == UR_SCAN_AUTO)
        r->scan = r->clips || r->in->rule->apart ? UR_SCAN_PICTURE : UR_SCAN_ROW;
    r->h = dim[1];
    r->w = f->n_dims > 2 ? dim[2] : 1;
    r->c = f->n_dims > 3 ? dim[3] : 1;
    return UR_OK;
}

static int width_of(const struct reading *r)
{
    switch (r->scan) {
    case UR_SCAN_COLUMN: return (int)(r->h * r->c);
    case UR_SCAN_PIXEL: return (int)r->c;
    case UR_SCAN_PICTURE: return (int)((r->clips ? 1 : r->h) * r->w * r->c);
    default: return (int)(r->w * r->c);
    }
}

/* The item as its steps follow one another. */
static ur_status scan(struct reading *r, const unsigned char **steps)
{
    const unsigned char *from = *steps = r->pictures.bytes;
    if (r->scan != UR_SCAN_COLUMN)
        return UR_OK;
    if (!r->turned && !(r->turned = ur__alloc(r->pictures.item, 1)))
        return UR_ENOMEM;
    unsigned char *to = r->turned;
    for (size_t x = 0; x < r->w; x++) {
        for (size_t y = 0; y < r->h; y++) {
            memcpy(to, from + (y * r->w + x) * r->c, r->c);
            to += r->c;
        }
    }
    *steps = r->turned;
    return UR_OK;
}

static ur_status take_example(struct reading *r, int64_t number)
{
    const unsigned char *steps;
    int32_t label = -1;
    r->in->lines.number = number;
    UR__TRY(take_item(&r->pictures));
    UR__TRY(scan(r, &steps));
    UR__TRY(ur__take_pixels(r->in, (int32_t)(r->pictures.item / (size_t)r->in->x->width), steps));
    if (r->labels.reader) {
        UR__TRY(take_item(&r->labels));
        UR__TRY(take_labels(r, &label));
    }
    return ur__take_end(r->in, number, label, -1);
}

static ur_status begin(void *reader, struct ur__intake *in)
{
    struct reading *r = reader;
    r->in = in;
    UR__TRY(open_idx(&r->pictures, in->path, &in->x->tally));
    UR__TRY(find_scan(r));
    if (!in->rule->unlabelled)
        UR__TRY(open_labels(r));
    return ur__take_kind(in, UR_CONTENT_FRAMES, width_of(r));
}

static ur_status next(void *reader, bool *more)
{
    struct reading *r = reader;
    *more = r->taken < r->pictures.dim[0];
    if (*more)
        return take_example(r, (int64_t)++r->taken);
    if (r->labels.reader)
        UR__TRY(check_end(&r->labels));
    return check_end(&r->pictures);
}

static void end(void *reader)
{
    struct reading *r = reader;
    close_idx(&r->pictures);
    close_idx(&r->labels);
    ur__buf_free(&r->label_path);
    ur__free(r->turned);
}

static bool is_idx(const char *head, size_t n, bool tagged)
{
    (void)tagged;
    return n >= 4 && !head[0] && !head[1] && head[2] == BYTES && head[3] >= 1
           && head[3] <= MOST_DIMS;
}

static const char *const own_options[] = {"scan", "labels", "val-labels", NULL};
static const char *const endings[] = {NULL};
const struct ur__format ur__format_idx = {
    .name = "idx", .what = "pictures as MNIST has them, their labels in another file",
    .endings = endings, .options = own_options, .one = true, .tagged = true, .binary = true,
    .is = is_idx,
    .size = sizeof(struct reading), .begin = begin, .next = next, .end = end,
};
