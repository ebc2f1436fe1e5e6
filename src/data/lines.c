/* SPDX-License-Identifier: MIT */
#include "data/lines.h"

#include <stdarg.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "io/file.h"

#define BLOCK ((size_t)1 << 14)

ur_status ur__lines_fail(const struct ur__lines *l, const char *format, ...)
{
    char what[512];
    va_list args;
    va_start(args, format);
    int n = ur__vformat(what, sizeof what, format, args);
    va_end(args);
    return ur__fail(UR_EDATA, "%s:%lld: %s", l->name, (long long)l->number, n < 0 ? "" : what);
}

/* ---- blocks ------------------------------------------------------------ */

ur_status ur__tally_read(struct ur__tally *tally, struct ur__reader *r, void *to, size_t n,
                         size_t *got)
{
    *got = 0;
    for (size_t part = 1; part > 0 && *got < n; *got += part)
        UR__TRY(ur__reader_read(r, (char *)to + *got, n - *got, &part));
    tally->crc = ur__crc32(tally->crc, to, *got);
    tally->bytes += *got;
    return UR_OK;
}

static ur_status fill(struct ur__lines *l)
{
    l->at = 0;
    UR__TRY(ur__tally_read(l->tally, l->reader, l->block, BLOCK, &l->size));
    l->end = l->size < BLOCK;
    return UR_OK;
}

/* After a fill: line ends as LF. Of a block that is the LF of a CRLF alone nothing is left. */
static ur_status refill(struct ur__lines *l)
{
    do {
        UR__TRY(fill(l));
        ur__line_ends_put(&l->ends, l->block, &l->size);
    } while (l->size == 0 && !l->end);
    return UR_OK;
}

ur_status ur__lines_open(struct ur__lines *l, const char *path, bool any_bytes,
                         struct ur__tally *tally)
{
    *l = (struct ur__lines){
        .name = strcmp(path, "-") == 0 ? "standard input" : path,
        .any_bytes = any_bytes, .tally = tally, .ends.to_lf = true, .line.max = UR__LINE_MAX
    };
    l->block = ur__alloc(BLOCK + 1, 1);
    if (!l->block)
        return UR_ENOMEM;
    UR__TRY(ur__reader_open(&l->reader, path));
    UR__TRY(fill(l));
    UR__TRY(ur__text_check(l->name, l->block, l->size));
    size_t mark = ur__text_mark(l->block, l->size);
    l->size -= mark;
    memmove(l->block, l->block + mark, l->size);
    ur__line_ends_put(&l->ends, l->block, &l->size);
    l->block[l->size] = '\0';
    return UR_OK;
}

const char *ur__lines_head(const struct ur__lines *l, size_t *n)
{
    *n = l->size;
    return l->block;
}

void ur__lines_close(struct ur__lines *l)
{
    ur__reader_close(l->reader);
    ur__buf_free(&l->line);
    ur__free(l->block);
    l->reader = NULL;
    l->block = NULL;
}

/* ---- lines ------------------------------------------------------------- */

static ur_status check(const struct ur__lines *l, size_t from)
{
    const char *zero = memchr(l->text + from, '\0', l->n - from);
    if (zero)
        return ur__lines_fail(l, "byte %zu is NUL, which no text has",
                              (size_t)(zero - l->text) - from);
    size_t good = l->any_bytes ? l->n : ur__utf8_check((const unsigned char *)l->text, l->n);
    if (good < l->n)
        return ur__lines_fail(l, "malformed UTF-8 at byte %zu (0x%02X)", good - from,
                              (unsigned)(unsigned char)l->text[good]);
    return UR_OK;
}

/* Appends the next line to what is held. */
static ur_status take(struct ur__lines *l, bool *more)
{
    size_t from = l->line.size;
    *more = false;
    for (bool ended = false; !ended; ) {
        if (l->at == l->size && !l->end)
            UR__TRY(refill(l));
        size_t left = l->size - l->at;
        if (left == 0)
            break;
        if (!*more)
            l->number = ++l->read;
        *more = true;
        const char *begin = l->block + l->at, *lf = memchr(begin, '\n', left);
        size_t n = lf ? (size_t)(lf - begin) : left;
        if (n > UR__LINE_MAX - l->line.size)
            return ur__lines_fail(l, "more than %zu bytes in a line", UR__LINE_MAX);
        UR__TRY(ur__buf_put(&l->line, begin, n));
        l->at += n + (lf != NULL);
        ended = lf != NULL || memchr(begin, '\0', n);     /* what is no text has no lines either */
    }
    l->text = l->line.data;
    l->n = l->line.size;
    return *more ? check(l, from) : UR_OK;
}

ur_status ur__lines_next(struct ur__lines *l, bool *more)
{
    l->line.size = 0;
    return take(l, more);
}

bool ur__lines_blank(const struct ur__lines *l)
{
    return strspn(l->text, " \t") == l->n;
}

ur_status ur__lines_next_filled(struct ur__lines *l, bool *more)
{
    UR__TRY(ur__lines_next(l, more));
    int64_t first = l->number;
    bool blank = *more && ur__lines_blank(l);
    while (*more && ur__lines_blank(l))
        UR__TRY(ur__lines_next(l, more));
    if (!blank || !*more)
        return UR_OK;
    l->number = first;
    return ur__lines_fail(l, "an empty line");
}

ur_status ur__lines_join(struct ur__lines *l, bool *more)
{
    int64_t first = l->number;
    UR__TRY(ur__buf_put(&l->line, "\n", 1));
    UR__TRY(take(l, more));
    l->number = first;
    return UR_OK;
}
