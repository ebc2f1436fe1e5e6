/* SPDX-License-Identifier: MIT */
/* UTF-8, and what of it may reach a terminal. */
#ifndef UR_BASE_UTF8_H
#define UR_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes one code point of at most n bytes at s. Returns its length 1..4; 0 if
 * n is too short for a sequence that is valid so far; -1 if malformed
 * (overlong, surrogate, above U+10FFFF, stray byte). */
int ur__utf8_decode(const unsigned char *s, size_t n, uint32_t *code);
/* Encodes into out[4]; returns the length, 0 for an impossible code point. */
int ur__utf8_encode(uint32_t code, unsigned char out[4]);
/* Offset of the first malformed byte, or n if all n bytes are valid UTF-8. */
size_t ur__utf8_check(const unsigned char *s, size_t n);
bool ur__is_utf8(const char *s);

/* May a terminal be given this character as it is? Not control characters, separators of
 * lines, marks of direction and other characters that cannot be seen. */
bool ur__is_printable(uint32_t code);

/* How a text that somebody else wrote is shown: what is malformed or not printable becomes
 * U+FFFD, one for each byte or character. */
enum ur__show {
    UR__SHOW_LINE,      /* names and messages: nothing else stays */
    UR__SHOW_TEXT,      /* line feeds and tabs stay */
    UR__SHOW_UTF8       /* for a program, not a terminal: all but zero that is UTF-8 stays */
};
/* What is shown for the first character of n bytes: *size bytes at *shown, which is text
 * itself or static. Returns how many bytes of text that was. n > 0. */
size_t ur__show_next(const char *text, size_t n, enum ur__show as, const char **shown,
                     size_t *size);
/* Is a string shown on a line as it is? */
bool ur__is_plain(const char *text);
/* Shows a string as UR__SHOW_LINE, as many whole characters as fit, with a zero. Returns the
 * length. text and to do not overlap; room > 0. */
size_t ur__show_line(char *to, size_t room, const char *text);

#endif
