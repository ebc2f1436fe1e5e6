/* SPDX-License-Identifier: MIT */
/* What people look at: the terminal, one line that changes in place, colours and
 * numbers in a readable form. */
#ifndef CLI_UI_H
#define CLI_UI_H

#include "base/text.h"
#include "cli/opt.h"
#include "unroll/layer.h"

struct ui {
    bool quiet, verbose;
    bool live;          /* stderr is a terminal: one line that changes in place */
    bool color;         /* colours on stderr */
    bool drawn;         /* a live line is on the screen */
    double last;        /* when it was drawn */
};

void ui_init(struct ui *ui, const struct opt_common *common);
/* A line on stderr, unless quiet. */
void ui_say(struct ui *ui, const char *format, ...) UR_PRINTF(2, 3);
/* "unroll: warning: ..." on stderr, also if quiet. */
void ui_warn(struct ui *ui, const char *format, ...) UR_PRINTF(2, 3);
/* The same as ui_say for lines of our own making: they are printed as they are. */
void ui_print(struct ui *ui, const char *text);
/* A part of a line. Where a line is too long, those of the highest rank go first. */
struct ui_part {
    int rank;
    bool good;          /* green where there are colours */
    char text[56];
};
/* Puts together what fits into so many columns, with two spaces between the parts. */
enum { UI_LINE = 512 };
char *ui_fit(const struct ui *ui, const struct ui_part *parts, int n, int columns,
             char to[UI_LINE]);
/* Prints them as a line of the terminal's width; elsewhere, unless COLUMNS is set, all of them. */
void ui_report(struct ui *ui, const struct ui_part *parts, int n);
/* Draws the live line: a bar of done (0..1) and the parts. At most ten times a second
 * unless done is 1. */
void ui_draw(struct ui *ui, double done, const struct ui_part *parts, int n);
/* The same with one word: "validating". */
void ui_busy(struct ui *ui, double done, const char *word);
/* Erases the live line. */
void ui_clear(struct ui *ui);

/* How many colours may standard output (1) or error (2) have: 0, 16, 256 or UI_TRUE_COLOR?
 * choice: "auto", "always", "never". */
enum { UI_TRUE_COLOR = 1 << 24 };
int ui_colors(int fd, const char *choice);

/* Numbers for people; each returns to. */
#define UI_NUMBER 32
char *ui_count(char to[UI_NUMBER], double n);           /* 240,321 */
char *ui_short(char to[UI_NUMBER], double n);           /* 240k */
char *ui_time(char to[UI_NUMBER], double seconds);      /* 12:05 */

/* Appends a word of a command line as a shell reads it, in characters that a terminal can
 * be given. Short memory cuts it. */
void ui_quote(struct ur__buf *to, const char *word);

/* Columns that a terminal gives a character: 0 (it stands on the one before), 1 or 2. */
int ui_columns(uint32_t code);

/* Appends what a network is in words: its options that are not off, "cell lstm, hidden 128". */
ur_status ui_describe(struct ur__buf *to, const ur_options *net);

/* Appends a line that names a parameter, its shape and its size. */
ur_status ui_param(struct ur__buf *to, const ur_param *p);

/* ---- JSON -------------------------------------------------------------- */

struct ur__json;
/* Adds an object with the same to an array. */
void ui_json_param(struct ur__json *array, const ur_param *p);
/* A text as a member: what is malformed, and a zero, becomes U+FFFD. */
void ui_json_text(struct ur__json *j, const char *key, const char *text, size_t n);
/* A file's name: the same, and of one that is not UTF-8 a second member, KEY_hex, has the
 * bytes in hexadecimal digits. */
void ui_json_name(struct ur__json *j, const char *key, const char *name);
/* Appends a document and a line's end. What a terminal should not be given is escaped. */
ur_status ui_json_dump(struct ur__json *j, struct ur__buf *to);
/* Prints a document on one line of stdout and frees it. */
int ui_json(struct ur__json *j);

#endif
