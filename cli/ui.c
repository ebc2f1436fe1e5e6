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
    const char *term = getenv("TERM");
    return isatty(fd) && !(term != NULL && strcmp(term, "dumb") == 0);
}

bool ui_color(int fd, const char *choice)
{
    if (strcmp(choice, "always") == 0)
        return true;
    return strcmp(choice, "never") != 0 && !is_set("NO_COLOR") && is_able(fd);
}

void ui_init(struct ui *ui, const struct opt_common *common)
{
    memset(ui, 0, sizeof *ui);
    ui->quiet = common->quiet || common->json;
    ui->verbose = common->verbose && !ui->quiet;
    ui->live = !ui->quiet && is_able(STDERR_FILENO);
    ui->color = ui->live && ui_color(STDERR_FILENO, "auto");
    ui->width = 80;
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

void ui_draw(struct ui *ui, double done, const char *text)
{
    double now = ur__clock();
    if (!ui->live || (ui->last >= 0 && now - ui->last < 0.1 && done < 1.0))
        return;
    ui->last = now;

    /* The window may have changed its size meanwhile. */
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        ui->width = size.ws_col;
    int room = ui->width - 1;
    int bar = room - (int)strlen(text) - 10;
    bar = bar > 30 ? 30 : bar;
    done = done >= 0.0 && done <= 1.0 ? done : 0.0;

    char line[512];
    int used = 0;
    if (bar >= 5) {
        char cells[32];
        int full = (int)(done * bar);
        for (int i = 0; i < bar; i++)
            cells[i] = i < full ? '=' : i == full ? '>' : ' ';
        cells[bar] = '\0';
        used = snprintf(line, sizeof line, "[%s] %3d %%  ", cells, (int)(100.0 * done));
    }
    snprintf(line + used, sizeof line - (size_t)used, "%s", text);
    if (room < (int)sizeof line && room >= 0)
        line[room] = '\0';
    fprintf(stderr, "\r%s\033[K", line);
    fflush(stderr);
    ui->drawn = true;
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

bool ui_is_plain(const char *text)
{
    const char *shown;
    size_t n = strlen(text), size;
    for (size_t at = 0; at < n; at += size) {
        ur__show_next(text + at, n - at, UR__SHOW_LINE, &shown, &size);
        if (shown != text + at)
            return false;
    }
    return true;
}

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
    if (!ui_is_plain(word)) {
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

/* ---- JSON -------------------------------------------------------------- */

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

void ui_json_seed(struct ur__json *j, const char *key, uint64_t seed)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    if (seed <= INT64_MAX)
        ur__json_set_int(j, key, (int64_t)seed);
    else
        ur__json_set_string(j, key, text);
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
