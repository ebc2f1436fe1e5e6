/* SPDX-License-Identifier: MIT */
/* Pictures (IDX) and sounds (WAV, log-mel frames). */
#include "readers.h"

#include <math.h>
#include <sys/stat.h>

#include "data/wav.h"
#include "kernel/select.h"

/* ---- pictures ---------------------------------------------------------- */

#define IDX(n) "\0\0\x08" n
#define N2 "\0\0\0\x02"
#define N3 "\0\0\0\x03"

struct picture_case {
    const char *pictures;
    size_t n;
    const char *labels;
    size_t m;
    const char *shown;
    struct ur__read_rule rule;
};
#define BYTES(s) s, sizeof(s) - 1

static void pictures__are_scanned_in_four_ways(void **state)
{
    (void)state;
    static const char three[] = IDX("\x03") N2 N2 N3 "\0\x33\x66\xff\0\0" "\1\0\0\0\0\xff";
    static const char four[] = IDX("\x04") "\0\0\0\1" N2 N2 N2 "\0\xff\0\0\xff\0\0\xff";
    static const char two[] = IDX("\x01") N2 "\x07\x0a", one[] = IDX("\x01") "\0\0\0\1\x07";
    static const char tags[] = IDX("\x02") "\0\0\0\1" N2 "\x01\x02";
    const struct picture_case cases[] = {
        {BYTES(three), BYTES(two), "1 7 0,0.2,0.4 1,0,0\n2 10 0.00392157,0,0 0,0,1\n", {0}},
        {BYTES(three), BYTES(two), "1 7 0,1 0.2,0 0.4,0\n2 10 0.00392157,0 0,0 0,1\n",
         {.scan = UR_SCAN_COLUMN}},
        {BYTES(three), BYTES(two), "1 7 0 0.2 0.4 1 0 0\n2 10 0.00392157 0 0 0 0 1\n",
         {.scan = UR_SCAN_PIXEL}},
        {BYTES(three), BYTES(two), "1 0,0.2,0.4 1,0,0\n2 0.00392157,0,0 0,0,1\n",
         {.unlabelled = true}},
        {BYTES(four), BYTES(one), "1 7 0,1,0,0 1,0,0,1\n", {0}},
        {BYTES(four), BYTES(one), "1 7 0,1,1,0 0,0,0,1\n", {.scan = UR_SCAN_COLUMN}},
        {BYTES(four), BYTES(one), "1 7 0,1 0,0 1,0 0,1\n", {.scan = UR_SCAN_PIXEL}},
        {BYTES(four), BYTES(tags), "1 0,1,0,0/1 1,0,0,1/2\n", {.tagged = true}},
        {BYTES(three), BYTES(two), "1 7 0,0.2,0.4,1,0,0\n2 10 0.00392157,0,0,0,0,1\n",
         {.scan = UR_SCAN_PICTURE}},
        {BYTES(three), BYTES(two), "1 7 0,0.2,0.4,1,0,0\n2 10 0.00392157,0,0,0,0,1\n",
         {.apart = true}},
        {BYTES(three), BYTES(two), "1 7 0,0.2,0.4 1,0,0\n2 10 0.00392157,0,0 0,0,1\n",
         {.apart = true, .scan = UR_SCAN_ROW}},
        {BYTES(four), BYTES(one), "1 7 0,1,0,0,1,0,0,1\n", {.scan = UR_SCAN_PICTURE}},
        {BYTES(three), BYTES(tags), "EDATA images.idx: has 3 dimensions, not the 4 of sequences of "
         "pictures", {.tagged = true, .format = "idx"}},
        {BYTES(three), BYTES(one), "EDATA labels.idx: 1 labels for the 2 pictures of images.idx",
         {0}},
        {BYTES(three), BYTES(tags), "EDATA labels.idx: has 2 dimensions, not the 1 of labels", {0}},
        {BYTES(two), BYTES(two), "EDATA images.idx: has one dimension: labels, not pictures", {0}},
        {three, sizeof three - 2, BYTES(two), "EDATA images.idx: byte 27: the file ends before the "
         "sizes that it gives", {0}},
        {three, sizeof three, BYTES(two), "EDATA images.idx: byte 28: the file goes on beyond the "
         "sizes that it gives", {0}},
        {BYTES(three), two, sizeof two, "EDATA labels.idx: byte 10: the file goes on beyond the "
         "sizes that it gives", {0}},
        {BYTES(IDX("\x03") "\0\0\0\0" N2 N2), BYTES(two), "EDATA images.idx: byte 8: a dimension "
         "is 0", {0}},
        {BYTES(IDX("\x03") N2 "\x7f\xff\xff\xff" N2), BYTES(two), "EDATA images.idx: byte 12: an "
         "item is larger than 64 MiB", {0}},
        {BYTES("\0\0\x0d\x03" N2 N2 N2), BYTES(two), "EDATA images.idx: not an IDX file of bytes "
         "in 1 to 4 dimensions", {.format = "idx"}},
    };
    /* Without the numbers that tmp_path puts before names, which would part the two. */
    char pictures[400], labels[400];
    snprintf(pictures, sizeof pictures, "%s/images.idx", tmp_dir());
    snprintf(labels, sizeof labels, "%s/labels.idx", tmp_dir());
    for (size_t i = 0; i < COUNT(cases); i++) {
        put_file(pictures, cases[i].pictures, cases[i].n);
        put_file(labels, cases[i].labels, cases[i].m);
        char *shown = read_and_show(pictures, &cases[i].rule);
        if (strcmp(shown, cases[i].shown) != 0)
            fail_msg("case %zu is \"%s\", not \"%s\"", i, shown, cases[i].shown);
        free(shown);
    }
    unlink(labels);
    put_file(pictures, three, sizeof three - 1);
    char *shown = read_and_show(pictures, &(struct ur__read_rule){0});
    assert_string_equal(shown, "EDATA images.idx: no file of labels stands beside it: name the one "
                        "that has them");
    free(shown);
}

/* ---- WAV --------------------------------------------------------------- */

/* A file in the making. */
struct sound {
    unsigned char bytes[4096];
    size_t n;
};

static void put(struct sound *s, const void *bytes, size_t n)
{
    memcpy(s->bytes + s->n, bytes, n);
    s->n += n;
}

static void put_little(struct sound *s, uint32_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        s->bytes[s->n++] = (unsigned char)(value >> 8 * i);
}

/* Up to the samples; `size` bytes of them are promised. */
static void begin(struct sound *s, unsigned format, unsigned channels, unsigned bits, size_t size)
{
    *s = (struct sound){{0}, 0};
    put(s, "RIFF\0\0\0\0WAVELIST\3\0\0\0abc\0fmt ", 28);
    put_little(s, 16, 4);
    put_little(s, format, 2);
    put_little(s, channels, 2);
    put_little(s, 8000, 4);
    put_little(s, 8000 * channels * bits / 8, 4);
    put_little(s, channels * bits / 8, 2);
    put_little(s, bits, 2);
    put(s, "data", 4);
    put_little(s, (uint32_t)size, 4);
}

static void end(struct sound *s)
{
    struct sound size = {{0}, 0};
    put_little(&size, (uint32_t)s->n - 8, 4);
    memcpy(s->bytes + 4, size.bytes, 4);
}

/* The samples of a file; what is refused is a message. */
static const char *hear(const struct sound *s)
{
    static char shown[1024];
    struct ur__tally tally = {0};
    struct ur__wav w;
    float sample[64];
    size_t got = 0;
    const char *path = tmp_path("a.wav");
    put_file(path, s->bytes, s->n);
    ur_status status = ur__wav_open(&w, path, &tally);
    if (status == UR_OK)
        status = ur__wav_read(&w, sample, COUNT(sample), &got);
    ur__wav_close(&w);
    shown[0] = '\0';
    for (size_t i = 0, at = 0; i < got && status == UR_OK; i++)
        at += (size_t)snprintf(shown + at, sizeof shown - at, "%s%.9g", i ? " " : "",
                               (double)sample[i]);
    if (status == UR_OK)
        assert_int_equal(tally.bytes, s->n);
    else
        snprintf(shown, sizeof shown, "%s", strstr(ur_errmsg(), "a.wav"));
    return shown;
}

static void wav__has_samples_of_many_forms(void **state)
{
    (void)state;
    struct sound s;
    begin(&s, 1, 1, 8, 3);
    put(&s, "\x80\x00\xff\0", 4);           /* and its padding */
    end(&s);
    assert_string_equal(hear(&s), "0 -1 0.9921875");
    s.n--;                                  /* without it */
    end(&s);
    assert_string_equal(hear(&s), "0 -1 0.9921875");
    begin(&s, 1, 1, 16, 6);
    put(&s, "\0\0\0\x80\xff\x7f", 6);
    end(&s);
    assert_string_equal(hear(&s), "0 -1 0.999969482");
    begin(&s, 1, 1, 24, 6);
    put(&s, "\0\0\x80\1\0\0", 6);
    end(&s);
    assert_string_equal(hear(&s), "-1 1.1920929e-07");
    begin(&s, 1, 1, 32, 8);
    put(&s, "\0\0\0\x80\0\0\0\x40", 8);
    end(&s);
    assert_string_equal(hear(&s), "-1 0.5");
    begin(&s, 3, 1, 32, 4);
    put_little(&s, 0x3fc00000, 4);          /* 1.5 */
    end(&s);
    assert_string_equal(hear(&s), "1.5");
    begin(&s, 3, 1, 64, 8);
    put_little(&s, 0, 4);
    put_little(&s, 0xbfe00000, 4);          /* -0.5 */
    end(&s);
    assert_string_equal(hear(&s), "-0.5");
    begin(&s, 1, 2, 16, 8);
    put(&s, "\0\x40\0\0\0\x40\0\xc0", 8);
    end(&s);
    assert_string_equal(hear(&s), "0.25 0");
}

static void wav__has_chunks_behind_the_samples(void **state)
{
    (void)state;
    struct sound s;
    begin(&s, 1, 1, 8, 1);
    put(&s, "\xc0\0end \3\0\0\0abc\0", 14);
    end(&s);
    assert_string_equal(hear(&s), "0.5");
    s.n--;                                  /* the last one's padding may be missing */
    end(&s);
    assert_string_equal(hear(&s), "0.5");
    s.n--;
    end(&s);
    assert_non_null(strstr(hear(&s), "byte 66: what begins here goes on beyond the size that"));
}

static void wav__extensible_says_its_form_later(void **state)
{
    (void)state;
    struct sound s = {{0}, 0};
    put(&s, "RIFF\0\0\0\0WAVEfmt ", 16);
    put_little(&s, 40, 4);
    put(&s, "\xfe\xff\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0\x16\0\x10\0\4\0\0\0\1\0\0\0\0\0\x10\0"
        "\x80\0\0\xaa\0\x38\x9b\x71", 40);
    put(&s, "data\2\0\0\0\0\x40", 10);
    end(&s);
    assert_string_equal(hear(&s), "0.5");
    s.bytes[50] = 9;                        /* of its GUID */
    assert_non_null(strstr(hear(&s), "byte 20: an extensible format that is unknown"));
}

static void wav__that_lies_is_refused(void **state)
{
    (void)state;
    struct sound s;
    begin(&s, 1, 1, 16, 8);                 /* more than there is */
    put(&s, "\0\0\0\0", 4);
    end(&s);
    assert_non_null(strstr(hear(&s), "byte 48: the chunk's size goes beyond the one that RIFF"));
    begin(&s, 1, 1, 16, 0xffffffff);
    end(&s);
    assert_non_null(strstr(hear(&s), "byte 48: the chunk's size goes beyond the one that RIFF"));
    begin(&s, 1, 1, 16, 4);
    put(&s, "\0\0\0\0", 4);
    end(&s);
    s.n -= 2;                               /* cut */
    assert_non_null(strstr(hear(&s), "byte 58: the file ends before the size that it gives"));
    s.n += 4;                               /* longer */
    assert_non_null(strstr(hear(&s), "byte 60: the file goes on beyond the size that RIFF gives"));
    begin(&s, 1, 1, 16, 3);
    put(&s, "\0\0\0\0", 4);
    end(&s);
    assert_non_null(strstr(hear(&s), "byte 48: the samples' size ends within one"));
    begin(&s, 1, 1, 16, 2);
    put(&s, "\0\0junk\xff\0\0\0", 10);
    end(&s);
    assert_non_null(strstr(hear(&s), "what begins here goes on beyond the size that RIFF gives"));
    begin(&s, 7, 1, 8, 0);
    end(&s);
    assert_non_null(strstr(hear(&s), "byte 32: samples of format 7 with 8 bits are not read"));
    begin(&s, 1, 0, 8, 0);
    end(&s);
    assert_non_null(strstr(hear(&s), "impossible channels, rate or bytes a sample"));
    begin(&s, 3, 1, 32, 4);
    put_little(&s, 0x7fc00000, 4);
    end(&s);
    assert_non_null(strstr(hear(&s), "byte 56: a sample that is not a number, or beyond 1e9"));
    begin(&s, 3, 1, 32, 4);
    put_little(&s, 0x60000000, 4);          /* 2^65 */
    end(&s);
    assert_non_null(strstr(hear(&s), "byte 56: a sample that is not a number, or beyond 1e9"));
    s = (struct sound){{0}, 0};
    put(&s, "RIFF\4\0\0\0WAVE", 12);
    assert_non_null(strstr(hear(&s), "byte 12: there are no samples"));
    s.n = 0;
    put(&s, "RIFF\x0c\0\0\0WAVEdata\0\0\0\0", 20);
    assert_non_null(strstr(hear(&s), "byte 12: samples stand before their format"));
    s.n = 0;
    put(&s, "RIFX\4\0\0\0WAVE", 12);
    assert_non_null(strstr(hear(&s), "byte 0: not a RIFF WAVE file"));
}

/* ---- log-mel frames ---------------------------------------------------- */

static double hz_to_mel(double f)
{
    return 2595 * log10(1 + f / 700);
}

/* The same from the definitions, by sums over all samples. */
static void slow_frame(const float *x, int window, int fft, int bands, double rate, double *frame)
{
    const double pi = acos(-1), step = hz_to_mel(rate / 2) / (bands + 1);
    double power[513];
    for (int k = 0; k <= fft / 2; k++) {
        double re = 0, im = 0;
        for (int i = 0; i < window; i++) {
            int at = i + (fft - window) / 2;
            double v = (double)x[at] * (0.5 - 0.5 * cos(2 * pi * i / window));
            re += v * cos(2 * pi * k * at / fft);
            im -= v * sin(2 * pi * k * at / fft);
        }
        power[k] = re * re + im * im;
    }
    for (int b = 0; b < bands; b++) {
        double edge[3], sum = 0;
        for (int i = 0; i < 3; i++)
            edge[i] = 700 * (pow(10, (b + i) * step / 2595) - 1);
        for (int k = 0; k <= fft / 2; k++) {
            double f = k * rate / fft;
            double weight = fmin((f - edge[0]) / (edge[1] - edge[0]),
                                 (edge[2] - f) / (edge[2] - edge[1]));
            sum += weight > 0 ? weight * power[k] : 0;
        }
        frame[b] = log(fmax(sum, 1e-6));
    }
}

static void mel__equals_its_definition(void **state)
{
    (void)state;
    const struct {
        int rate, bands, window;
    } cases[] = {{8000, 0, 0}, {16000, 80, 0}, {8000, 13, 256}, {22050, 64, 777}};
    double worst = 0;
    for (size_t c = 0; c < COUNT(cases); c++) {
        struct ur__mel *m;
        float x[1024], frame[80];
        double want[80];
        const struct ur__mel_rule rule = {.bands = cases[c].bands, .window = cases[c].window};
        assert_ok(ur__mel_new(&m, &rule, cases[c].rate));
        int fft = ur__mel_samples(m), bands = ur__mel_bands(m);
        int window = rule.window ? rule.window : cases[c].rate / 40;
        assert_int_equal(ur__mel_hop(m), cases[c].rate / 100);
        for (int i = 0; i < fft; i++)
            x[i] = (float)(0.4 * sin(0.05 * i * i / 40) + 1e-3 * (ur_random_uniform(1, 5, 0,
                                                                       (uint32_t)i) - 0.5));
        ur__mel_frame(m, x, frame);
        slow_frame(x, window, fft, bands, cases[c].rate, want);
        for (int b = 0; b < bands; b++)
            worst = fmax(worst, fabs((double)frame[b] - want[b]));
        for (int i = 0; i < fft; i++)
            x[i] = 0;
        ur__mel_frame(m, x, frame);
        assert_true(fabs((double)frame[0] - log(1e-6)) < 1e-5);
        ur__mel_free(m);
    }
    printf("log-mel frames: %zu rules, largest error %.1e\n", COUNT(cases), worst);
    assert_true(worst < 4e-6);
}

/* For any table of kernels, compiler and machine. */
static void mel__has_the_same_bits_everywhere(void **state)
{
    (void)state;
    struct ur__mel *m;
    float x[256], frame[40];
    for (uint32_t i = 0; i < COUNT(x); i++)
        x[i] = (float)(ur_random_uniform(2, 5, 0, i) - 0.5);
    for (const struct ur__kernel *const *k = ur__kernels_available(); *k; k++) {
        ur__kernel_force(*k);
        assert_ok(ur__mel_new(&m, &(struct ur__mel_rule){0}, 8000));
        ur__mel_frame(m, x, frame);
        ur__mel_free(m);
        assert_int_equal(ur__crc32(0, frame, sizeof frame), 0x42b10624);
    }
    ur__kernel_force(NULL);
}

static void mel__refuses_the_impossible(void **state)
{
    (void)state;
    const struct ur__mel_rule rules[] = {
        {.fft = 300}, {.fft = 128}, {.window = 1}, {.bands = -1}, {.hop = -1}, {.f_max = 5000},
        {.f_min = 4000}, {.f_min = -1}, {.window = 1 << 20},
    };
    struct ur__mel *m;
    for (size_t i = 0; i < COUNT(rules); i++)
        assert_status(UR_EINVAL, ur__mel_new(&m, &rules[i], 8000));
    assert_status(UR_EINVAL, ur__mel_new(&m, &rules[0], 50));
}

static void list__has_sounds_and_groups(void **state)
{
    (void)state;
    static struct sound s;
    char path[400], list[400], text[64];
    snprintf(path, sizeof path, "%s/s.wav", tmp_dir());
    snprintf(list, sizeof list, "%s/list", tmp_dir());
    begin(&s, 1, 1, 8, 256 + 80 + 79);
    for (int i = 0; i < 256 + 80 + 80; i++)
        put_little(&s, i % 7 ? 128 : 140, 1);
    end(&s);
    put_file(path, s.bytes, s.n);
    snprintf(text, sizeof text, "a\ts.wav\tme\nb\ts.wav\tyou\n");
    put_file(list, text, strlen(text));
    struct ur__examples *x;
    ur_vocab *labels;
    const char *one = list;
    assert_ok(ur__examples_open(&x, &one, 1, &(struct ur__read_rule){0}, &labels));
    assert_int_equal(x->n, 2);
    assert_int_equal(x->width, 40);
    assert_int_equal(x->rate, 8000);
    assert_int_equal(x->longest, 2);
    assert_int_equal(x->example[1].group, 1);
    assert_int_equal(x->groups.n, 2);
    ur__examples_free(x);
    ur_vocab_free(labels);
    /* A hop longer than the transform skips what lies between. */
    const struct ur__read_rule far = {.mel = {.window = 16, .hop = 199}, .unlabelled = true};
    put_file(list, "s.wav\n", 6);
    assert_ok(ur__examples_open(&x, &one, 1, &far, NULL));
    assert_int_equal(x->longest, 3);
    ur__examples_free(x);
    /* Where no label is wanted it may be missing, and the list, too. */
    static const char *const bare[] = {"s.wav\n", "s.wav\tme\n", "a\ts.wav\n",
                                       "a\ts.wav\tme\n"};
    const struct ur__read_rule unlabelled = {.unlabelled = true, .format = "wav"};
    char *alone = read_and_show(path, &unlabelled);
    assert_int_equal(strncmp(alone, "1 ", 2), 0);
    for (size_t i = 0; i < COUNT(bare); i++) {
        put_file(list, bare[i], strlen(bare[i]));
        char *shown = read_and_show(list, &unlabelled);
        assert_string_equal(shown, alone);
        free(shown);
    }
    free(alone);
    char *refused = read_and_show(path, &(struct ur__read_rule){.unlabelled = true, .rate = 16000});
    assert_string_equal(refused, "EDATA s.wav: 8000 samples a second where the files learnt from "
                        "had 16000: convert it");
    free(refused);
    const struct {
        const char *list, *message;
    } bad[] = {
        {"a\ts.wav\nb\tno.wav\n", "EINPUT list:2: cannot open no.wav: no such file or directory"},
        {"a\tlist.wav\n", "EINPUT list:1: cannot open list.wav: no such file or directory"},
        {"a\tpipe.wav\n", "EINPUT list:1: cannot read pipe.wav: it is not a regular file"},
        {"a\ts.wav\t1\t2\n", "EDATA list:1: 4 fields separated by tabs, not a label, a path and "
         "perhaps a group"},
    };
    snprintf(path, sizeof path, "%s/pipe.wav", tmp_dir());
    assert_int_equal(mkfifo(path, 0600), 0);
    for (size_t i = 0; i < COUNT(bad); i++) {
        put_file(list, bad[i].list, strlen(bad[i].list));
        char *shown = read_and_show(list, &(struct ur__read_rule){0});
        assert_string_equal(shown, bad[i].message);
        free(shown);
    }
    s.bytes[36 + 1] = 0x3e;                 /* of its rate */
    snprintf(path, sizeof path, "%s/t.wav", tmp_dir());
    put_file(path, s.bytes, s.n);
    put_file(list, "a\ts.wav\nb\tt.wav\n", 16);
    char *other = read_and_show(list, &(struct ur__read_rule){0});
    assert_string_equal(other, "EDATA list:2: t.wav: 15936 samples a second where the files before "
                        "have 8000: convert it");
    free(other);
    begin(&s, 1, 1, 8, 255);
    s.n += 256;
    end(&s);
    put_file(path, s.bytes, s.n);
    put_file(list, "a\tt.wav\n", 8);
    char *shown = read_and_show(list, &(struct ur__read_rule){0});
    assert_string_equal(shown, "EDATA list:1: t.wav: 255 samples are too few: a frame has 256");
    free(shown);
}

/* Beside a list in the current folder "-" is no standard input. */
static void list__reads_no_standard_input(void **state)
{
    (void)state;
    struct ur__examples *x;
    ur_vocab *labels;
    const char *list = "list";
    int here = open(".", O_RDONLY);
    assert_true(here >= 0);
    assert_int_equal(chdir(tmp_dir()), 0);
    put_file(list, "y\t-\tx.wav\n", 10);
    ur_status status = ur__examples_open(&x, &list, 1, &(struct ur__read_rule){0}, &labels);
    assert_int_equal(unlink(list), 0);
    assert_int_equal(fchdir(here), 0);
    close(here);
    assert_status(UR_EINPUT, status);
    assert_non_null(strstr(ur_errmsg(), "list:1: cannot read -: it is not a regular file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures__are_scanned_in_four_ways),
        cmocka_unit_test(wav__has_samples_of_many_forms),
        cmocka_unit_test(wav__has_chunks_behind_the_samples),
        cmocka_unit_test(wav__extensible_says_its_form_later),
        cmocka_unit_test(wav__that_lies_is_refused),
        cmocka_unit_test(mel__equals_its_definition),
        cmocka_unit_test(mel__has_the_same_bits_everywhere),
        cmocka_unit_test(mel__refuses_the_impossible),
        cmocka_unit_test(list__has_sounds_and_groups),
        cmocka_unit_test(list__reads_no_standard_input),
    };
    return cmocka_run_group_tests_name("sounds", tests, NULL, NULL);
}
