/* SPDX-License-Identifier: MIT */
/* What people look at: the terminal, one line that changes in place, colours and
 * numbers in a readable form. */
#ifndef CLI_UI_H
#define CLI_UI_H

#include "base/text.h"
#include "cli/opt.h"

struct ui {
    bool quiet, verbose;
    bool live;          /* stderr is a terminal: one line that changes in place */
    bool color;         /* colours on stderr */
    bool drawn;         /* a live line is on the screen */
    int width;          /* columns */
    double last;        /* when it was drawn */
};

void ui_init(struct ui *ui, const struct opt_common *common);
/* A line on stderr, unless quiet. */
void ui_say(struct ui *ui, const char *format, ...) UR_PRINTF(2, 3);
/* "unroll: warning: ..." on stderr, also if quiet. */
void ui_warn(struct ui *ui, const char *format, ...) UR_PRINTF(2, 3);
/* Draws the live line: a bar of done (0..1) and the text. At most ten times a second
 * unless done is 1. */
void ui_draw(struct ui *ui, double done, const char *text);
/* Takes the live line away. */
void ui_clear(struct ui *ui);

/* May standard output (1) or error (2) have colours? choice: "auto", "always", "never". */
bool ui_color(int fd, const char *choice);

/* Numbers for people; each returns to. */
#define UI_NUMBER 32
char *ui_count(char to[UI_NUMBER], double n);           /* 240,321 */
char *ui_short(char to[UI_NUMBER], double n);           /* 240k */
char *ui_time(char to[UI_NUMBER], double seconds);      /* 12:05 */

/* Appends n bytes as valid UTF-8: what is malformed, zero or a control character other
 * than line feed and tab becomes U+FFFD, so that a terminal or JSON takes it. */
ur_status ui_clean(struct ur__buf *to, const char *text, size_t n);

/* Columns that a terminal gives a character: 0 (it stands on the one before), 1 or 2. */
int ui_columns(uint32_t code);

/* Prints a JSON document on one line of stdout and frees it. */
struct ur__json;
int ui_json(struct ur__json *j);

#endif
