/* SPDX-License-Identifier: MIT */
/* Bytes that grow, numbers from text. Locale plays no part. */
#ifndef UR_BASE_TEXT_H
#define UR_BASE_TEXT_H

#include "base/locale.h"
#include "base/utf8.h"

/* The value of a macro as a string constant. */
#define UR__QUOTE(macro) UR__QUOTE_(macro)
#define UR__QUOTE_(text) #text

/* A growable run of bytes, followed by a zero from the first put on. A zeroed
 * struct is a valid empty one. More than max bytes (0: 1 GiB) is UR_EDATA; a
 * failed put leaves what was there. */
struct ur__buf {
    char *data;
    size_t size, capacity, max;
};
ur_status ur__buf_put(struct ur__buf *b, const void *bytes, size_t n);
ur_status ur__buf_puts(struct ur__buf *b, const char *s);
ur_status ur__buf_printf(struct ur__buf *b, const char *format, ...) UR_PRINTF(2, 3);
void ur__buf_free(struct ur__buf *b);
/* Puts n bytes in a form that can be shown. */
ur_status ur__buf_show(struct ur__buf *b, const char *text, size_t n, enum ur__show as);

/* Place of a name in a list of n, −1 if it is not there or NULL. */
int ur__find_name(const char *const *names, int n, const char *name);

/* Length of a name of n bytes without this ending; n if it does not have it, or is no longer. */
size_t ur__without(const char *name, size_t n, const char *ending);

/* "nan", "inf" or "-inf": what a number is that is not finite. */
const char *ur__nonfinite_name(double x);

/* Whole-string numbers: false if s is not exactly one number in range. Decimal,
 * with an optional sign; reals ("-1.5", ".5", "2e-3") are rounded correctly, and
 * "inf", "nan" and hexadecimal are no numbers. */
bool ur__parse_int(const char *s, int64_t *out);
bool ur__parse_real(const char *s, double *out);

#endif
