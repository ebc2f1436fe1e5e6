/* SPDX-License-Identifier: MIT */
#include "cli/plot.h"

#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "io/file.h"
#include "io/plain_text.h"

#define MOST_LINE ((size_t)64 << 20)

const char *plot_name(const struct plot *p, int file)
{
    return strcmp(p->name[file], "-") == 0 ? "standard input" : p->name[file];
}

const char *plot_place(const struct plot *p)
{
    static char place[512];
    snprintf(place, sizeof place, "%.400s:%lld", plot_name(p, p->file), p->line);
    return place;
}

/* ---- lines ------------------------------------------------------------- */

struct reading {
    const char *name;
    struct ur__buf in;
    bool begun;
    ur_status (*each)(void *user, const char *line, size_t n);
    void *user;
};

/* Hands over the whole lines from `searched` on, and with last what follows them. */
static ur_status give_lines(struct reading *r, size_t searched, bool last)
{
    size_t at = 0;
    if (!r->begun && r->in.size > 0) {
        UR__TRY(ur__text_check(r->name, r->in.data, r->in.size));
        at = ur__text_mark(r->in.data, r->in.size);
        searched = searched > at ? searched : at;
        r->begun = true;
    }
    while (at < r->in.size) {
        char *line = r->in.data + at, *from = r->in.data + searched;
        char *end = memchr(from, '\n', r->in.size - searched);
        if (end == NULL && !last)
            break;
        size_t n = end != NULL ? (size_t)(end - line) : r->in.size - at;
        line[n] = '\0';
        UR__TRY(r->each(r->user, line, n));
        at += n + (end != NULL);
        searched = at;
    }
    memmove(r->in.data, r->in.data + at, r->in.size - at);
    r->in.size -= at;
    return r->in.size <= MOST_LINE ? UR_OK
                                   : ur__fail(UR_EDATA, "%s: a line is longer than %d MiB", r->name,
                                              (int)(MOST_LINE >> 20));
}

static ur_status read_all(struct reading *r, struct ur__reader *from)
{
    char block[1 << 16];
    for (size_t got = 1; got > 0; ) {
        size_t before = r->in.size;
        UR__TRY(ur__reader_read(from, block, sizeof block, &got));
        UR__TRY(ur__buf_put(&r->in, block, got));
        UR__TRY(give_lines(r, before, got == 0));
    }
    return UR_OK;
}

ur_status plot_lines(const char *path, ur_status (*each)(void *user, const char *line, size_t n),
                     void *user)
{
    struct ur__reader *reader;
    struct reading r = {.name = strcmp(path, "-") == 0 ? "standard input" : path, .each = each,
                        .user = user};
    UR__TRY(ur__reader_open(&reader, path));
    ur_status status = read_all(&r, reader);
    ur__reader_close(reader);
    ur__buf_free(&r.in);
    return status;
}
