/* SPDX-License-Identifier: MIT */
#include "data/noted.h"

#include <stdio.h>

static bool note_file(struct ur__noted *a, const char *path)
{
    if (a->files++ > 0)
        return false;
    a->first = path;
    return true;
}

void ur__noted_head(struct ur__noted *a, const char *path, const void *head, size_t n)
{
    const char *foreign = ur__text_foreign(head, n);
    if (foreign && note_file(a, path))
        a->foreign = foreign;
}

void ur__noted_ends(struct ur__noted *a, const char *path, const struct ur__line_ends *ends,
                    bool words)
{
    int64_t crlf = words ? 0 : ends->crlf, cr = ends->cr - ends->crlf;
    if (ends->to_lf || cr + crlf == 0)
        return;
    note_file(a, path);
    a->cr += cr;
    a->crlf += crlf;
}

ur_status ur__noted_text(const struct ur__noted *a, struct ur__buf *to)
{
    char others[48] = "";
    long long n = (long long)(a->cr + a->crlf);
    if (a->files > 1)
        snprintf(others, sizeof others, " and %d other file%s", a->files - 1,
                 a->files > 2 ? "s" : "");
    if (a->foreign)
        return ur__buf_printf(to, "%s%s: looks like %s; the token kind byte takes it byte by byte",
                              a->first, others, a->foreign);
    if (n == 0)
        return UR_OK;
    return ur__buf_printf(to, "%s%s: %lld line end%s %s and kept as they are; --newlines unix "
                          "reads them as LF", a->first, others, n, n > 1 ? "s are" : " is",
                          a->cr == 0 ? "CRLF" : a->crlf == 0 ? "CR" : "CRLF or CR");
}
