/* SPDX-License-Identifier: MIT */
/* What people look at. All of it goes to stderr; results are the commands' business. */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE

#include "cli/ui.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/status.h"
#include "base/team.h"
#include "cli/fail.h"
#include "io/json.h"

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0';
}

/* A terminal that understands escape sequences. */
static bool is_able(int fd)
{
    return isatty(fd) && is_set("TERM") && strcmp(getenv("TERM"), "dumb") != 0;
}

/* By what terminals say of themselves: COLORTERM where they set it, else their name. */
static int color_depth(void)
{
    const char *term = is_set("TERM") ? getenv("TERM") : "";
    const char *color = is_set("COLORTERM") ? getenv("COLORTERM") : "";
    if (strcmp(color, "truecolor") == 0 || strcmp(color, "24bit") == 0 ||
        strstr(term, "-direct") != NULL || strstr(term, "-truecolor") != NULL)
        return UI_TRUE_COLOR;
    return strstr(term, "256color") != NULL ? 256 : 16;
}

int ui_colors(int fd, const char *choice)
{
    bool wanted = strcmp(choice, "always") == 0 ||
                  (strcmp(choice, "never") != 0 && !is_set("NO_COLOR") && is_able(fd));
    return wanted ? color_depth() : 0;
}

void ui_init(struct ui *ui, const struct opt_common *common)
{
    memset(ui, 0, sizeof *ui);
    ui->quiet = common->quiet || common->json;
    ui->verbose = common->verbose && !ui->quiet;
    ui->live = !ui->quiet && is_able(STDERR_FILENO);
    ui->color = ui->live && ui_colors(STDERR_FILENO, "auto") > 0;
    ui->last = -1.0;
}

void ui_say(struct ui *ui, const char *format, ...)
{
    if (ui->quiet)
        return;
    ui_clear(ui);
    va_list args;
    va_start(args, format);
    tell("", format, args);
    va_end(args);
}

void ui_warn(struct ui *ui, const char *format, ...)
{
    ui_clear(ui);
    va_list args;
    va_start(args, format);
    tell("unroll: warning: ", format, args);
    va_end(args);
}

void ui_print(struct ui *ui, const char *text)
{
    if (ui->quiet)
        return;
    ui_clear(ui);
    fprintf(stderr, "%s\n", text);
}

/* Columns of standard error: a window may change them at any time. A file takes any line. */
static int width_of_screen(void)
{
    struct winsize size;
    int64_t columns;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    if (is_set("COLUMNS") && ur__parse_int(getenv("COLUMNS"), &columns) && columns > 0 &&
        columns < UI_LINE)
        return (int)columns;
    return isatty(STDERR_FILENO) ? 80 : UI_LINE;
}

/* Columns of the parts whose rank is at most `most`: all of them are ASCII. */
static int columns_of(const struct ui_part *parts, int n, int most)
{
    int columns = -2;
    for (int i = 0; i < n; i++)
        if (parts[i].rank <= most && parts[i].text[0] != '\0')
            columns += 2 + (int)strlen(parts[i].text);
    return columns;
}

/* The highest rank that fits. */
static int rank_that_fits(const struct ui_part *parts, int n, int columns)
{
    int most = 0;
    for (int i = 0; i < n; i++)
        most = parts[i].rank > most ? parts[i].rank : most;
    while (most > 0 && columns_of(parts, n, most) > columns)
        most--;
    return most;
}

char *ui_fit(const struct ui *ui, const struct ui_part *parts, int n, int columns,
             char to[UI_LINE])
{
    int most = rank_that_fits(parts, n, columns);
    size_t used = 0;
    to[0] = '\0';
    for (int i = 0; i < n; i++) {
        const struct ui_part *p = &parts[i];
        bool green = p->good && ui->color;
        if (p->rank > most || p->text[0] == '\0' || used + sizeof p->text + 16 > UI_LINE)
            continue;
        used += (size_t)snprintf(to + used, UI_LINE - used, "%s%s%s%s", used > 0 ? "  " : "",
                                 green ? "\033[32m" : "", p->text, green ? "\033[0m" : "");
    }
    return to;
}

void ui_report(struct ui *ui, const struct ui_part *parts, int n)
{
    char line[UI_LINE];
    ui_print(ui, ui_fit(ui, parts, n, width_of_screen(), line));
}

/* "[===>    ]" in so many columns, or nothing in fewer than seven. */
static void draw_bar(char to[40], int columns, double done)
{
    int cells = columns > 32 ? 30 : columns - 2, full = (int)(done * cells);
    to[0] = '\0';
    if (cells < 5)
        return;
    memset(to, ' ', (size_t)cells + 2);
    to[0] = '[';
    for (int i = 0; i < cells && i <= full; i++)
        to[1 + i] = i < full ? '=' : '>';
    to[cells + 1] = ']';
    to[cells + 2] = '\0';
}

void ui_draw(struct ui *ui, double done, const struct ui_part *parts, int n)
{
    double now = ur__clock();
    if (!ui->live || (ui->last >= 0 && now - ui->last < 0.1 && done < 1.0))
        return;
    ui->last = now;
    done = done >= 0.0 && done <= 1.0 ? done : 0.0;

    /* A terminal wraps at its last column. The bar is as long as there is room. */
    char bar[40], percent[16], text[UI_LINE];
    int length = snprintf(percent, sizeof percent, "%3d %%", (int)(100.0 * done));
    int room = width_of_screen() - 1 - length - 2;
    int rank = rank_that_fits(parts, n, room);
    draw_bar(bar, room - columns_of(parts, n, rank) - 1, done);
    fprintf(stderr, "\r%s%s%s  %.*s\033[K", bar, bar[0] != '\0' ? " " : "", percent,
            room > 0 ? room : 0, ui_fit(ui, parts, n, room, text));
    fflush(stderr);
    ui->drawn = true;
}

void ui_busy(struct ui *ui, double done, const char *word)
{
    struct ui_part part = {0};
    snprintf(part.text, sizeof part.text, "%s", word);
    ui_draw(ui, done, &part, 1);
}

void ui_clear(struct ui *ui)
{
    if (ui->drawn)
        fputs("\r\033[K", stderr);
    ui->drawn = false;
}

/* ---- numbers ----------------------------------------------------------- */

char *ui_count(char to[UI_NUMBER], double n)
{
    char digits[UI_NUMBER];
    int length = snprintf(digits, sizeof digits, "%.0f", n < 1e15 ? n : 1e15);
    int at = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-')
            to[at++] = ',';
        to[at++] = digits[i];
    }
    to[at] = '\0';
    return to;
}

/* Three digits and a unit, each unit a thousand times the one before. */
char *ui_short(char to[UI_NUMBER], double n)
{
    static const char *const unit[] = {"", "k", "M", "G", "T"};
    int u = 0;
    while (u + 1 < 5 && n >= 999.5) {
        n /= 1000.0;
        u++;
    }
    int decimals = u == 0 || n >= 99.95 ? 0 : n >= 9.995 ? 1 : 2;
    snprintf(to, UI_NUMBER, "%.*f%s", decimals, n, unit[u]);
    return to;
}

char *ui_time(char to[UI_NUMBER], double seconds)
{
    if (!isfinite(seconds) || seconds < 0.0 || seconds > 1e9) {
        snprintf(to, UI_NUMBER, "?");
    } else if (seconds < 9.95) {
        snprintf(to, UI_NUMBER, "%.1f s", seconds);
    } else {
        long s = lround(seconds);
        if (s < 60)
            snprintf(to, UI_NUMBER, "%ld s", s);
        else if (s < 3600)
            snprintf(to, UI_NUMBER, "%ld:%02ld", s / 60, s % 60);
        else
            snprintf(to, UI_NUMBER, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    }
    return to;
}

/* ---- text -------------------------------------------------------------- */

/* $'...' where plain quotes would pass on what a terminal obeys (POSIX 2024; bash, zsh, ksh). */
static void quote_bytes(struct ur__buf *to, const char *word)
{
    ur__buf_puts(to, "$'");
    for (size_t n = strlen(word), at = 0, used; at < n; at += used) {
        const char *shown, *from = word + at;
        size_t size;
        used = ur__show_next(from, n - at, UR__SHOW_LINE, &shown, &size);
        for (size_t i = 0; shown != from && i < used; i++)
            ur__buf_printf(to, "\\%03o", (unsigned)(unsigned char)from[i]);
        if (shown == from)
            ur__buf_printf(to, "%s%.*s", strchr("'\\", *from) != NULL ? "\\" : "", (int)size, from);
    }
    ur__buf_puts(to, "'");
}

void ui_quote(struct ur__buf *to, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_./=,:+@%";
    if (word[0] != '\0' && strspn(word, plain) == strlen(word)) {
        ur__buf_puts(to, word);
        return;
    }
    if (!ur__is_plain(word)) {
        quote_bytes(to, word);
        return;
    }
    ur__buf_puts(to, "'");
    for (; *word != '\0'; word++)
        if (*word == '\'')
            ur__buf_puts(to, "'\\''");
        else
            ur__buf_put(to, word, 1);
    ur__buf_puts(to, "'");
}

/* Unicode's combining marks and its wide characters (Standard Annex 11), by blocks. */
int ui_columns(uint32_t code)
{
    static const struct { uint32_t first, last; int columns; } block[] = {
        {0x300, 0x36f, 0}, {0x1100, 0x115f, 2}, {0x1ab0, 0x1aff, 0}, {0x1dc0, 0x1dff, 0},
        {0x200b, 0x200f, 0}, {0x20d0, 0x20ff, 0}, {0x2e80, 0x303e, 2}, {0x3041, 0x3098, 2},
        {0x3099, 0x309a, 0}, {0x309b, 0x33ff, 2}, {0x3400, 0x4dbf, 2}, {0x4e00, 0xa4cf, 2},
        {0xa960, 0xa97f, 2}, {0xac00, 0xd7a3, 2}, {0xf900, 0xfaff, 2}, {0xfe00, 0xfe0f, 0},
        {0xfe20, 0xfe2f, 0}, {0xfe30, 0xfe6f, 2}, {0xff00, 0xff60, 2}, {0xffe0, 0xffe6, 2},
        {0x1f300, 0x1f64f, 2}, {0x1f680, 0x1f6ff, 2}, {0x1f900, 0x1f9ff, 2},
        {0x20000, 0x3fffd, 2}, {0xe0100, 0xe01ef, 0},
    };
    for (size_t i = 0; i < sizeof block / sizeof block[0]; i++)
        if (code >= block[i].first && code <= block[i].last)
            return block[i].columns;
    return 1;
}

/* A number that is 0, a flag that is not set, an option of few networks: not worth a word. */
static bool is_off(const ur_option *o, const ur_options *net)
{
    ur_options standard;
    const char *at = (const char *)ur__options_read(net) + o->at;
    ur__options_init(&standard, net->table);
    if (o->flags & UR_OPTION_SPARSE && ur__option_same(o, ur__options_read(net),
                                                       ur__options_read(&standard)))
        return true;
    return (o->kind == UR_OPTION_FLAG && !*(const bool *)at) ||
           (o->kind == UR_OPTION_REAL && *(const double *)(const void *)at == 0) ||
           (o->kind == UR_OPTION_INT && *(const int *)(const void *)at == 0);
}

ur_status ui_describe(struct ur__buf *to, const ur_options *net)
{
    const ur_option *o;
    const char *between = "";
    for (int i = 0; (o = ur_options_at(net, i)) != NULL; i++) {
        if (is_off(o, net))
            continue;
        UR__TRY(ur__buf_printf(to, "%s%s", between, o->name));
        if (o->kind != UR_OPTION_FLAG) {
            UR__TRY(ur__buf_puts(to, " "));
            UR__TRY(ur__option_show(o, ur__options_read(net), to));
        }
        between = ", ";
    }
    return UR_OK;
}

ur_status ui_param(struct ur__buf *to, const ur_param *p)
{
    char shape[128], size[UI_NUMBER];
    int at = 0;
    for (int i = 0; i < p->rank; i++)
        at += snprintf(shape + at, sizeof shape - (size_t)at, "%s%d", i > 0 ? "," : "", p->dim[i]);
    return ur__buf_printf(to, "  %-28s %-14s %12s\n", p->name, shape,
                          ui_count(size, (double)p->size));
}

/* ---- JSON -------------------------------------------------------------- */

void ui_json_param(struct ur__json *array, const ur_param *p)
{
    struct ur__json *one = ur__json_new_object(), *shape = ur__json_new_array();
    for (int i = 0; i < p->rank; i++)
        ur__json_add_int(shape, p->dim[i]);
    ur__json_set_string(one, "name", p->name);
    ur__json_set(one, "shape", shape);
    ur__json_set_int(one, "size", (int64_t)p->size);
    ur__json_add(array, one);
}

void ui_json_text(struct ur__json *j, const char *key, const char *text, size_t n)
{
    struct ur__buf utf8 = {0};
    if (ur__buf_show(&utf8, text, n, UR__SHOW_UTF8) == UR_OK)
        ur__json_set_string(j, key, utf8.data != NULL ? utf8.data : "");
    else
        ur__json_set(j, key, NULL);     /* remembers that memory is short */
    ur__buf_free(&utf8);
}

void ui_json_name(struct ur__json *j, const char *key, const char *name)
{
    struct ur__buf hex_key = {0}, hex = {0};
    ui_json_text(j, key, name, strlen(name));
    if (ur__is_utf8(name))
        return;
    ur_status status = ur__buf_printf(&hex_key, "%s_hex", key);
    for (const char *at = name; *at != '\0' && status == UR_OK; at++)
        status = ur__buf_printf(&hex, "%02x", (unsigned)(unsigned char)*at);
    if (status == UR_OK)
        ur__json_set_string(j, hex_key.data, hex.data);
    else
        ur__json_set(j, key, NULL);
    ur__buf_free(&hex_key);
    ur__buf_free(&hex);
}

/* \u202e for what is not printable, in UTF-16 as JSON has it. */
static ur_status put_escaped(struct ur__buf *to, uint32_t code)
{
    if (code < 0x10000)
        return ur__buf_printf(to, "\\u%04x", (unsigned)code);
    code -= 0x10000;
    return ur__buf_printf(to, "\\u%04x\\u%04x", 0xd800 + (unsigned)(code >> 10),
                          0xdc00 + (unsigned)(code & 0x3ff));
}

ur_status ui_json_dump(struct ur__json *j, struct ur__buf *to)
{
    struct ur__buf text = {0};
    ur_status status = ur__json_dump(j, &text);
    for (size_t at = 0; at < text.size && status == UR_OK; ) {
        uint32_t code;
        int n = ur__utf8_decode((unsigned char *)text.data + at, text.size - at, &code);
        status = ur__is_printable(code) ? ur__buf_put(to, text.data + at, (size_t)n)
                                        : put_escaped(to, code);
        at += (size_t)n;
    }
    ur__buf_free(&text);
    return status != UR_OK ? status : ur__buf_puts(to, "\n");
}

int ui_json(struct ur__json *j)
{
    struct ur__buf text = {0};
    ur_status status = ui_json_dump(j, &text);
    ur__json_free(j);
    if (status == UR_OK)
        out_put(text.data, text.size);
    ur__buf_free(&text);
    return status == UR_OK ? EXIT_DONE : fail_status(status);
}
