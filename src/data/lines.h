/* SPDX-License-Identifier: MIT */
/* A text file, line by line. CRLF, LF and CR alone end a line; a byte order mark is skipped. */
#ifndef UR_DATA_LINES_H
#define UR_DATA_LINES_H

#include "base/text.h"
#include "io/plain_text.h"

/* What was read, of any number of files: bytes (inflated) and their CRC-32. */
struct ur__tally {
    uint64_t bytes;
    uint32_t crc;
};
struct ur__reader;
/* ur__reader_read until n bytes or the end: *got. */
ur_status ur__tally_read(struct ur__tally *tally, struct ur__reader *r, void *to, size_t n,
                         size_t *got);

#define UR__LINE_MAX ((size_t)256 << 20)

struct ur__lines {
    const char *name;       /* of the file, as messages say it; borrowed */
    int64_t number;         /* of the line at hand, from 1 */
    char *text;             /* it, n bytes and a zero; may be changed */
    size_t n;
    /* Private. */
    struct ur__tally *tally;
    bool any_bytes, end;
    int64_t read;           /* lines */
    struct ur__reader *reader;
    struct ur__line_ends ends;
    struct ur__buf line;
    char *block;            /* read ahead: bytes [at,size) of it are to come */
    size_t at, size;
};

/* tally (borrowed) goes on with what is read. any_bytes: lines need not be UTF-8. As
 * ur__reader_open, and UR_EDATA for what is no text (ur__text_check). Close it whatever the
 * outcome. */
ur_status ur__lines_open(struct ur__lines *l, const char *path, bool any_bytes,
                         struct ur__tally *tally);
/* The first bytes of the file, and a zero, before any line was taken. */
const char *ur__lines_head(const struct ur__lines *l, size_t *n);
void ur__lines_close(struct ur__lines *l);
/* The next line; *more false: there is none. UR_EDATA: a NUL, no UTF-8, more than
 * UR__LINE_MAX bytes. */
ur_status ur__lines_next(struct ur__lines *l, bool *more);
/* The next one that is not blank. Blank ones may stand at the end alone: UR_EDATA. */
ur_status ur__lines_next_filled(struct ur__lines *l, bool *more);
/* Appends a line feed and the next line to the one at hand, which keeps its number. */
ur_status ur__lines_join(struct ur__lines *l, bool *more);
/* Has the line at hand nothing but blanks and tabs? */
bool ur__lines_blank(const struct ur__lines *l);

/* UR_EDATA with "FILE:LINE: " before the text. */
ur_status ur__lines_fail(const struct ur__lines *l, const char *format, ...) UR_PRINTF(2, 3);

#endif
