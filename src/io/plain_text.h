/* SPDX-License-Identifier: MIT */
/* What text files have besides their text: a byte order mark and the line ends of other
 * systems. And files that are no text, told by their first bytes. */
#ifndef UR_IO_PLAIN_TEXT_H
#define UR_IO_PLAIN_TEXT_H

#include <string.h>

#include "unroll/base.h"

/* So many first bytes of a file (all, if it has fewer) are looked at. */
#define UR__TEXT_HEAD 4096

/* What a file is that begins like this: "bzip2", "UTF-16" ...; NULL: nothing speaks against
 * text. */
const char *ur__text_foreign(const void *head, size_t n);
/* UR_EDATA, with what to do, if it is any of these. */
ur_status ur__text_check(const char *name, const void *head, size_t n);
/* Bytes of UTF-8's byte order mark that a text begins with: 3 or 0. */
size_t ur__text_mark(const void *head, size_t n);

/* Line ends of a text that is read in pieces. Zeroed: at its beginning. */
struct ur__line_ends {
    bool to_lf;             /* CRLF and a CR alone become LF, as editors read them */
    bool after_cr;
    int64_t cr, crlf;       /* all CR, and those before LF */
};

/* What becomes of the next character (or byte); false: it is the LF of a CRLF that has become
 * one already. */
static inline bool ur__line_end(struct ur__line_ends *s, uint32_t *code)
{
    if (*code > '\r' && !s->after_cr)
        return true;
    bool ends_crlf = s->after_cr && *code == '\n';
    s->after_cr = *code == '\r';
    s->cr += s->after_cr;
    s->crlf += ends_crlf;
    if (s->to_lf && s->after_cr)
        *code = '\n';
    return !(s->to_lf && ends_crlf);
}

/* False: ur__line_end leaves all of a piece as it is, and may be left out. */
static inline bool ur__line_ends_matter(const struct ur__line_ends *s, const void *text, size_t n)
{
    return s->after_cr || memchr(text, '\r', n);
}

/* ur__line_end for a piece of text in place. */
void ur__line_ends_put(struct ur__line_ends *s, char *text, size_t *n);

/* A whole text in memory, checked, without its mark, line ends made LF if to_lf. */
ur_status ur__text_clean(const char *name, bool to_lf, char *text, size_t *n);

#endif
