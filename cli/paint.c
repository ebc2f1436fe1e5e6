/* SPDX-License-Identifier: MIT */
/* Text coloured by a number a character: red positive, blue negative, white none, on
 * black letters, so that it reads the same on dark and light terminals. */
#include "cli/paint.h"

#include <stdio.h>
#include <string.h>

#include "cli/ui.h"

enum { PAINT_LEVELS = 9, PAINT_NONE = 99 };

void paint_begin(struct paint *p, int colors, double scale)
{
    memset(p, 0, sizeof *p);
    p->colors = colors;
    p->scale = scale > 0.0 ? scale : 1.0;
    p->level = PAINT_NONE;
}

static int level_of(const struct paint *p, double value)
{
    double x = value / p->scale * PAINT_LEVELS;
    x = x > PAINT_LEVELS ? PAINT_LEVELS : x < -PAINT_LEVELS ? -PAINT_LEVELS : x;
    return (int)(x < 0.0 ? x - 0.5 : x + 0.5);
}

/* The cube of 256 colours has six shades of each part: 0, 95, 135, 175, 215, 255. */
static int shade(int value)
{
    return value < 48 ? 0 : value < 115 ? 1 : (value - 35) / 40;
}

static void print_color(int colors, int red, int green, int blue)
{
    if (colors == 256)
        printf("\033[38;5;16;48;5;%dm", 16 + 36 * shade(red) + 6 * shade(green) + shade(blue));
    else
        printf("\033[38;2;0;0;0;48;2;%d;%d;%dm", red, green, blue);
}

/* Black on white, on bright red or blue, or white on red or blue. */
static void print_plain_color(int level)
{
    int strength = level < 0 ? -level : level;
    int hue = level < 0 ? 4 : 1;
    if (strength <= PAINT_LEVELS / 4)
        fputs("\033[30;107m", stdout);
    else
        printf("\033[%d;%dm", strength > 2 * PAINT_LEVELS / 3 ? 97 : 30,
               strength > 2 * PAINT_LEVELS / 3 ? 40 + hue : 100 + hue);
}

static void set_color(struct paint *p, int level)
{
    if (level == p->level)
        return;
    p->level = level;
    int strength = level < 0 ? -level : level;
    int pale = 255 - strength * 180 / PAINT_LEVELS;
    int middle = 255 - strength * 120 / PAINT_LEVELS;
    if (p->colors == 16)
        print_plain_color(level);
    else if (level >= 0)
        print_color(p->colors, 255, pale, pale);
    else
        print_color(p->colors, pale, middle, 255);
}

static void reset_color(struct paint *p)
{
    if (p->level != PAINT_NONE)
        fputs("\033[0m", stdout);
    p->level = PAINT_NONE;
}

/* '1'..'9' above zero, 'a'..'i' below. */
static char sign_of(int level)
{
    return (char)(level == 0 ? ' ' : level > 0 ? '0' + level : 'a' - 1 - level);
}

/* Ends a line of text, and below it the line of signs. */
static void end_line(struct paint *p)
{
    reset_color(p);
    putchar('\n');
    if (p->colors > 0)
        return;
    size_t n = p->signs.size;
    while (n > 0 && strchr(" \t", p->signs.data[n - 1]) != NULL)
        n--;
    if (n > 0)
        fwrite(p->signs.data, 1, n, stdout);
    putchar('\n');
    p->signs.size = 0;
}

/* One complete character, cleaned of what a terminal would act on. */
static ur_status put_character(struct paint *p, const char *bytes, size_t n, uint32_t code,
                               int level)
{
    if (n == 1 && bytes[0] == '\n') {
        end_line(p);
        return UR_OK;
    }
    const char *shown;
    size_t size;
    ur__show_next(bytes, n, UR__SHOW_TEXT, &shown, &size);
    if (p->colors > 0)
        set_color(p, level);
    fwrite(shown, 1, size, stdout);
    if (p->colors > 0)
        return UR_OK;
    /* A tab below a tab keeps the columns, and so do two signs below a wide character. */
    char sign = bytes[0] == '\t' ? '\t' : sign_of(level);
    int columns = shown == bytes ? ui_columns(code) : 1;
    ur_status status = UR_OK;
    for (int i = 0; i < columns && status == UR_OK; i++)
        status = ur__buf_put(&p->signs, &sign, 1);
    return status;
}

ur_status paint_put(struct paint *p, const char *bytes, int n, double value)
{
    ur_status status = ur__buf_put(&p->character, bytes, (size_t)n);
    int level = level_of(p, value);
    while (status == UR_OK && p->character.size > 0) {
        uint32_t code = 0;
        int length = ur__utf8_decode((unsigned char *)p->character.data, p->character.size, &code);
        if (length == 0)
            break;
        size_t used = length > 0 ? (size_t)length : 1;
        status = put_character(p, p->character.data, used, code, level);
        p->character.size -= used;
        memmove(p->character.data, p->character.data + used, p->character.size);
    }
    return status;
}

void paint_end(struct paint *p)
{
    if (p->level != PAINT_NONE || p->signs.size > 0)
        end_line(p);
    ur__buf_free(&p->character);
    ur__buf_free(&p->signs);
}
