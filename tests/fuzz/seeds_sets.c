/* SPDX-License-Identifier: MIT */
/* Inputs for the readers of labelled examples: four bytes that say how (reading.h), then a file. */
#include "seeds.h"

#include <string.h>

#define BYTES(s) s, sizeof(s) - 1

/* Bits of the first byte; of the third. */
#define PLAIN "\0"
#define STEP "\1"
#define NO_LABEL "\2"
#define ANY_BYTES "\4"
#define SPOOL "\x08"
#define HEADER "\x10"
#define NO_HEADER "\x20"
#define NAMED "\x40"
#define GROUPS "\x80"
#define TELL "\x80"
#define HOW(bits) bits "\0\0\0"

#define TS "# x\n@problemName x\n@dimensions 2\n@classLabel true a b\n@data\n"
#define IDX3 "\0\0\x08\3\0\0\0\2\0\0\0\2\0\0\0\3abcdefghijkl"
#define IDX4 "\0\0\x08\4\0\0\0\1\0\0\0\2\0\0\0\2\0\0\0\2abcdefgh"
#define TEN(id, form) id "\t" form "\tl\tX\tY\t_\t0\tr\t_\t_\n"

/* Sounds of every form, a sample ending with a byte of its own; size: what is promised. */
static void put_sound(const char *name, unsigned format, unsigned channels, unsigned bits,
                      unsigned n, unsigned size)
{
    unsigned char file[512] = "\0\0\x09\0" "RIFF\0\0\0\0WAVEfmt \x10", *wav = file + 4;
    unsigned frame = channels * bits / 8;
    wav[4] = (unsigned char)(36 + n);
    wav[20] = (unsigned char)format;
    wav[22] = (unsigned char)channels;
    wav[24] = 0x40;
    wav[25] = 0x1f;
    wav[32] = (unsigned char)frame;
    wav[34] = (unsigned char)bits;
    memcpy(wav + 36, "data", 4);
    wav[40] = (unsigned char)size;
    for (unsigned i = 0; i < n; i++)
        wav[44 + i] = (unsigned char)((i + 1) % (bits / 8) ? i * 37 : 1 + i % 60);
    put("read_wav", name, file, 4 + 44 + n);
}

/* A set of more than one block. */
static void put_long(void)
{
    static char file[4 + 12 * 1500];
    for (size_t i = 4; i < sizeof file; i++)
        file[i] = "a\tx\r\nbc\ty z\n"[(i - 4) % 12];
    put("read_text", "long", file, sizeof file);
}

void put_sets(void)
{
    put_sound("8", 1, 1, 8, 37, 37);
    put_sound("16", 1, 2, 16, 100, 100);
    put_sound("24", 1, 1, 24, 99, 99);
    put_sound("32", 1, 1, 32, 100, 100);
    put_sound("float", 3, 1, 32, 100, 100);
    put_sound("double", 3, 1, 64, 160, 160);
    put_sound("part", 1, 1, 16, 33, 33);
    put_sound("lies", 1, 1, 8, 33, 60);
    put_sound("law", 7, 1, 8, 33, 33);
    put_sound("none", 1, 0, 8, 33, 33);
    put_sound("few", 1, 1, 8, 3, 3);
    put_long();
    static const struct {
        const char *fuzzer, *name, *bytes;
        size_t n;
    } seeds[] = {
        {"read_text", "two", BYTES(HOW(PLAIN) "b\tone two\na\tx\ty\n\n")},
        {"read_text", "ends", BYTES(HOW(SPOOL) "\xef\xbb\xbf" "a\tx\r\nb\ty\rc\tz")},
        {"read_text", "bytes", BYTES(ANY_BYTES "\3\0\0" "a b\t\xff\n")},
        {"read_text", "no-label", BYTES(NO_LABEL "\1\0\0" "x\ty\n")},
        {"read_text", "told", BYTES("\0\0" TELL "\0" "10\tx\n9\ty\n")},
        {"read_text", "no-tab", BYTES(HOW(PLAIN) "a\tx\ny\n")},
        {"read_text", "inner", BYTES(HOW(PLAIN) "a\tx\n\nb\ty\n")},
        {"read_text", "nul", BYTES(HOW(PLAIN) "a\tx\0\n")},
        {"read_text", "malformed", BYTES(HOW(PLAIN) "a\t\xc3\n")},
        {"read_text", "reserved", BYTES(HOW(PLAIN) "</s>\tx\n")},
        {"read_text", "utf16", BYTES(HOW(PLAIN) "\xff\xfe" "a\0\t\0")},
        {"read_csv", "numbers", BYTES(HOW(PLAIN) "1,2.5,x\n-3e2,4,y\n")},
        {"read_csv", "names", BYTES(HOW(NAMED) "u,v,name\n1,2,x\n")},
        {"read_csv", "found-names", BYTES(HOW(SPOOL) "u,v,w\n1,2,x\n")},
        {"read_csv", "header", BYTES(HOW(HEADER) "1,2\n3,4\n5,6\n")},
        {"read_csv", "no-header", BYTES(HOW(NO_HEADER) "a,x\nb,y\n")},
        {"read_csv", "quotes", BYTES(HOW(PLAIN) "\"a \"\"b\"\", c\",x\n\"d\ne\",y\n")},
        {"read_csv", "open-quote", BYTES(HOW(PLAIN) "x,\"a\nb\n")},
        {"read_csv", "groups", BYTES(HOW(GROUPS) "7,1,a\n8,2,b\n")},
        {"read_csv", "shape", BYTES("\0\0\x12\0" "1,2,3,4,x\n")},
        {"read_csv", "told", BYTES("\2\0" TELL "\0" "1;2\n3;4\n")},
        {"read_csv", "ragged", BYTES(HOW(PLAIN) "1,2,x\n3,y\n")},
        {"read_csv", "no-number", BYTES(HOW(PLAIN) "1,nan,x\n")},
        {"read_ts", "two", BYTES(HOW(PLAIN) TS "1,2,3:4,5,6:a\n7:8:b\n")},
        {"read_ts", "missing", BYTES(HOW(SPOOL) "@data\n?,1,?:a\n")},
        {"read_ts", "no-class",
         BYTES(HOW(NO_LABEL) "@classlabel false\n@serieslength 2\n@data\n1,2\n")},
        {"read_ts", "told", BYTES("\0\0" TELL "\0" TS "1:2:a\n")},
        {"read_ts", "dimensions", BYTES(HOW(PLAIN) TS "1:a\n")},
        {"read_ts", "lengths", BYTES(HOW(PLAIN) TS "1,2:3:a\n")},
        {"read_ts", "class", BYTES(HOW(PLAIN) TS "1:2:c\n")},
        {"read_ts", "times", BYTES(HOW(PLAIN) "@timestamps true\n@targetlabel true\n")},
        {"read_ts", "target", BYTES(HOW(PLAIN) "@targetlabel true\n")},
        {"read_idx", "rows", BYTES("\0\0\0\x0a" IDX3 "\0\0\x08\1\0\0\0\2\1\x0a")},
        {"read_idx", "columns", BYTES("\x08\1\2\x0a" IDX3 "\0\0\x08\1\0\0\0\2\1\x0a")},
        {"read_idx", "pixels", BYTES("\2\0\3\0" IDX3)},
        {"read_idx", "steps", BYTES("\1\0\0\x0e" IDX4 "\0\0\x08\2\0\0\0\1\0\0\0\2\1\2")},
        {"read_idx", "colours", BYTES("\0\0\2\x09" IDX4 "\0\0\x08\1\0\0\0\1\1")},
        {"read_idx", "frames", BYTES("\0\0\4\x09" IDX4 "\0\0\x08\1\0\0\0\1\1")},
        {"read_idx", "count", BYTES("\0\0\0\x09" IDX3 "\0\0\x08\1\0\0\0\1\1")},
        {"read_idx", "large", BYTES("\2\0\0\0\0\0\x08\2\0\0\0\1\3\0\0\0ab")},
        {"read_idx", "too-large", BYTES("\2\0\0\0\0\0\x08\3\0\0\0\1\x7f\0\0\0\x7f\0\0\0ab")},
        {"read_wav", "chunks",
         BYTES("\0\0\x09\0" "RIFF\x5e\0\0\0WAVELIST\3\0\0\0abc\0fmt \x12\0\0\0"
         "\1\0\1\0\x40\x1f\0\0\0\0\0\0\1\0\x08\0\0\0data\x11\0\0\0" "abcdefghijklmnopq\0"
         "end \4\0\0\0abcd")},
        {"read_wav", "extensible", BYTES("\0\0\x09\0" "RIFF\x5e\0\0\0WAVEfmt \x28\0\0\0\xfe\xff\1\0"
         "\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0\x16\0\x10\0\4\0\0\0\1\0\0\0\0\0\x10\0\x80\0\0\xaa\0"
         "\x38\x9b\x71" "data\x22\0\0\0" "abcdefghijklmnopqrstuvwxyzabcdefgh")},
        {"read_conllu", "all",
         BYTES(HOW(PLAIN) "# x\n" TEN("1-2", "im") TEN("1", "in") TEN("2", "dem")
         TEN("2.1", "e") "\n" TEN("1", "x y"))},
        {"read_conllu", "told", BYTES("\x42\1" TELL "\0" TEN("1", "in"))},
        {"read_conllu", "gap", BYTES(HOW(SPOOL) TEN("1", "in") TEN("3", "dem"))},
        {"read_conllu", "few", BYTES(HOW(PLAIN) "1\tin\n")},
        {"read_conll", "tabs", BYTES(HOW(PLAIN) "EU\tB\nin\tO\n\nx\tO")},
        {"read_conll", "blanks", BYTES("\x08\2" TELL "\0" "-DOCSTART- O\n\nEU B\n")},
        {"read_conll", "no-label", BYTES(HOW("\x42") "a b\nc d\n")},
        {"read_conll", "ragged", BYTES(HOW(PLAIN) "a b\nc\n")},
        {"read_frames", "commas", BYTES(HOW(PLAIN) "1,2,a\n3,4,b\n\n5,6,a\n")},
        {"read_frames", "names", BYTES(HOW(NAMED) "name,u\nb,1\n\nc,2\n")},
        {"read_frames", "blanks", BYTES("\x08\1" TELL "\0" "1 2  a\n\n3 4 b\n")},
        {"read_frames", "no-label", BYTES(HOW(NO_LABEL) "1\t2\n")},
        {"read_frames", "ragged", BYTES(HOW(PLAIN) "1,a\n1,2,b\n")},
        {"series", "dates", BYTES("\0" "date,a\n2020-01,1\n2020-02,NA\n")},
        {"series", "clock", BYTES("\x43" "date;b\n2020-02-28T23:30;1\n2020-02-29T00:00;2\n")},
        {"series", "columns", BYTES("\x49" "1,b,\"c\"\n1,2,3\n4,,6\n")},
        {"series", "numbers", BYTES("\2" "t,x\n0.5,1\n0.75,2\n1,3\n")},
        {"series", "order", BYTES("\3" "date,x\n20200102,1\n20200101,2\n")},
        {"series", "gap", BYTES("\3" "date,x\n1999,1\n2000,2\n2002,2\n")},
        {"vectors", "words", BYTES("\2" "a 1 2\n. . 3 4\nb 5 6\n")},
        {"vectors", "counted", BYTES("\1" "2 2\na 1 2 \n\xc3\xa9\t3\t4\n")},
        {"vectors", "miscounted", BYTES("\0" "3 2\na 1 2\n")},
        {"vectors", "short", BYTES("\3" "a 1 2\nb 1\n")},
        {"pairs", "two", BYTES("\0" "one two\tun deux\nthree\ttrois\n")},
        {"pairs", "same", BYTES("\3" "a\tb\na\tc\n\xff\td\n")},
        {"pairs", "crlf", BYTES("\x0c" "\xef\xbb\xbf" "a b\tc\r\nd\te")},
        {"pairs", "no-tab", BYTES("\0" "a\tb\nc\n")},
        {"pairs", "empty", BYTES("\0" "a\tb\n\tc\n")},
        {"pairs", "tabs", BYTES("\0" "a\tb\tc\n")},
    };
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++)
        put(seeds[i].fuzzer, seeds[i].name, seeds[i].bytes, seeds[i].n);
}
