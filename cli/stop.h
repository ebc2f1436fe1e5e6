/* SPDX-License-Identifier: MIT */
/* Where a text that is drawn token by token is to end. */
#ifndef CLI_STOP_H
#define CLI_STOP_H

#include "base/text.h"
#include "unroll/data.h"

struct stop {
    const char *text;       /* borrowed */
    size_t n;               /* 0: never */
    struct ur__buf tail;    /* the last bytes drawn, fewer than n */
};

/* The text goes on by *n bytes. If it now contains the stop, *found is true and *n is how
 * many of them lead to its end. */
ur_status stop_look(struct stop *s, const char *bytes, size_t *n, bool *found);
void stop_free(struct stop *s);

/* Could the text ever be drawn? False is sure; UR_ENOMEM. */
ur_status stop_is_possible(const struct stop *s, const ur_vocab *vocab, bool *possible);

#endif
