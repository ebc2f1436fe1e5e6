/* SPDX-License-Identifier: MIT */
/* What a user should know about the files that were read. */
#ifndef UR_DATA_NOTED_H
#define UR_DATA_NOTED_H

#include "base/text.h"
#include "io/plain_text.h"

/* Zeroed: nothing. */
struct ur__noted {
    const char *first;      /* file that there is a note on; borrowed */
    int files;              /* how many are like it */
    const char *foreign;    /* what the first seems to be, read as bytes */
    int64_t cr, crlf;       /* line ends of all that are no LF: CR alone, CRLF */
};

/* A file read as bytes begins like this. */
void ur__noted_head(struct ur__noted *a, const char *path, const void *head, size_t n);
/* A text has ended that was read with these line ends. words: where it is split at white
 * space, a CR before LF makes no difference. */
void ur__noted_ends(struct ur__noted *a, const char *path, const struct ur__line_ends *ends,
                    bool words);
/* Appends the sentence to be said, if there is one. */
ur_status ur__noted_text(const struct ur__noted *a, struct ur__buf *to);

#endif
