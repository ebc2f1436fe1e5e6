/* SPDX-License-Identifier: MIT */
/* "Multimedia Programming Interface and Data Specifications 1.0" (IBM and Microsoft, 1991), and
 * WAVEFORMATEXTENSIBLE. Chunks are padded to even sizes; the last one's padding may be left out,
 * as many programs do. */
#include "data/wav.h"

#include <math.h>
#include <string.h>

#include "base/status.h"
#include "io/file.h"

#define PIECE 4096          /* bytes decoded at a time */
#define MOST_CHANNELS 64
#define MOST_RATE 768000
#define MOST_SAMPLE 1e9f    /* the power of a frame stays finite */
enum { PCM = 1, FLOAT = 3, EXTENSIBLE = 0xfffe };

static uint32_t little(const unsigned char *s, int n)
{
    uint32_t value = 0;
    for (int i = n - 1; i >= 0; i--)
        value = value << 8 | s[i];
    return value;
}

static ur_status fail(const struct ur__wav *w, uint64_t at, const char *what)
{
    return ur__fail(UR_EDATA, "%s: byte %llu: %s", w->path, (unsigned long long)at, what);
}

/* Exactly n bytes, which RIFF says are there. */
static ur_status take(struct ur__wav *w, void *to, size_t n)
{
    size_t got;
    if (n > w->end - w->at)
        return fail(w, w->at, "what begins here goes on beyond the size that RIFF gives");
    UR__TRY(ur__tally_read(w->tally, w->reader, to, n, &got));
    w->at += got;
    return got == n ? UR_OK : fail(w, w->at, "the file ends before the size that it gives");
}

/* Skips n bytes of a chunk and its padding; that of the last one may be missing. */
static ur_status skip(struct ur__wav *w, uint64_t n)
{
    unsigned char piece[PIECE];
    uint64_t all = n + (n & 1);
    if (all > n && n == w->end - w->at)
        all = n;
    while (all > 0) {
        size_t part = all < PIECE ? (size_t)all : PIECE;
        UR__TRY(take(w, piece, part));
        all -= part;
    }
    return UR_OK;
}

/* ---- the header -------------------------------------------------------- */

static ur_status take_riff(struct ur__wav *w)
{
    unsigned char head[12];
    size_t got;
    w->end = sizeof head;
    UR__TRY(ur__tally_read(w->tally, w->reader, head, sizeof head, &got));
    if (got < sizeof head || memcmp(head, "RIFF", 4) != 0 || memcmp(head + 8, "WAVE", 4) != 0)
        return fail(w, 0, "not a RIFF WAVE file");
    w->at = got;
    w->end = 8 + (uint64_t)little(head + 4, 4);
    return w->end >= got ? UR_OK : fail(w, 4, "the size that RIFF gives is too small");
}

static ur_status take_format(struct ur__wav *w, uint64_t size)
{
    /* Of the extensible form: the last 14 bytes of its GUID. */
    static const unsigned char tail[14] = {0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b,
                                           0x71};
    unsigned char f[40] = {0};
    uint64_t at = w->at;
    size_t n = size < sizeof f ? (size_t)size : sizeof f;
    if (size < 16)
        return fail(w, at, "the format chunk is too small");
    UR__TRY(take(w, f, n));
    UR__TRY(skip(w, size - n));
    uint32_t format = little(f, 2), channels = little(f + 2, 2), rate = little(f + 4, 4);
    if (format == EXTENSIBLE && (n < sizeof f || memcmp(f + 26, tail, sizeof tail) != 0))
        return fail(w, at, "an extensible format that is unknown");
    if (format == EXTENSIBLE)
        format = little(f + 24, 2);
    w->bits = (int)little(f + 14, 2);
    w->real = format == FLOAT;
    bool known = w->real ? w->bits == 32 || w->bits == 64
                         : format == PCM && w->bits >= 8 && w->bits <= 32 && w->bits % 8 == 0;
    if (!known)
        return ur__fail(UR_EDATA, "%s: byte %llu: samples of format %u with %d bits are not read; "
                        "integers of 8, 16, 24 or 32 bits (1) and floats of 32 or 64 (3) are",
                        w->path, (unsigned long long)at, (unsigned)format, w->bits);
    if (channels < 1 || channels > MOST_CHANNELS || rate < 1 || rate > MOST_RATE
        || little(f + 12, 2) != channels * (uint32_t)w->bits / 8)
        return fail(w, at, "impossible channels, rate or bytes a sample");
    w->channels = (int)channels;
    w->rate = (int)rate;
    return UR_OK;
}

/* Up to the samples. */
static ur_status take_chunks(struct ur__wav *w)
{
    for (;;) {
        unsigned char head[8];
        uint64_t at = w->at;
        if (w->at == w->end)
            return fail(w, at, "there are no samples");
        UR__TRY(take(w, head, sizeof head));
        uint64_t size = little(head + 4, 4);
        if (size > w->end - w->at)
            return fail(w, at, "the chunk's size goes beyond the one that RIFF gives");
        if (memcmp(head, "data", 4) == 0) {
            unsigned frame = (unsigned)(w->channels * w->bits / 8);
            if (frame == 0)
                return fail(w, at, "samples stand before their format");
            if (size % frame != 0)
                return fail(w, at, "the samples' size ends within one");
            w->samples = size / frame;
            return UR_OK;
        }
        UR__TRY(memcmp(head, "fmt ", 4) == 0 ? take_format(w, size) : skip(w, size));
    }
}

ur_status ur__wav_open(struct ur__wav *w, const char *path, struct ur__tally *tally)
{
    *w = (struct ur__wav){.path = path, .tally = tally};
    UR__TRY(ur__reader_open(&w->reader, path));
    UR__TRY(take_riff(w));
    return take_chunks(w);
}

void ur__wav_close(struct ur__wav *w)
{
    ur__reader_close(w->reader);
    w->reader = NULL;
}

/* ---- samples ----------------------------------------------------------- */

/* One sample of any form; an integer's sign is its highest bit, 8 bits excepted. */
static double sample(const struct ur__wav *w, const unsigned char *s)
{
    uint64_t low = little(s, w->bits < 32 ? w->bits / 8 : 4);
    float single;
    double value;
    if (w->real && w->bits == 64) {
        low |= (uint64_t)little(s + 4, 4) << 32;
        memcpy(&value, &low, sizeof value);
        return value;
    }
    uint32_t bits = (uint32_t)low;
    if (w->real) {
        memcpy(&single, &bits, sizeof single);
        return (double)single;
    }
    bits <<= 32 - w->bits;
    if (w->bits == 8)
        bits ^= 0x80000000u;
    return (double)(int64_t)(int32_t)bits / 2147483648.0;
}

/* What follows the samples must be whole chunks to the size that RIFF gives, and no more. */
static ur_status finish(struct ur__wav *w)
{
    unsigned char rest[8];
    size_t got;
    if ((w->at & 1) && w->at < w->end)
        UR__TRY(take(w, rest, 1));
    while (w->at < w->end) {
        UR__TRY(take(w, rest, sizeof rest));
        UR__TRY(skip(w, little(rest + 4, 4)));
    }
    UR__TRY(ur__tally_read(w->tally, w->reader, rest, 2, &got));
    if (got > (w->end & 1))
        return fail(w, w->at, "the file goes on beyond the size that RIFF gives");
    return UR_OK;
}

ur_status ur__wav_read(struct ur__wav *w, float *to, size_t n, size_t *got)
{
    unsigned char piece[PIECE];
    size_t bytes = (size_t)w->bits / 8, frame = bytes * (size_t)w->channels;
    *got = 0;
    while (*got < n && w->samples > 0) {
        size_t m = PIECE / frame;
        m = m < n - *got ? m : n - *got;
        m = m < w->samples ? m : (size_t)w->samples;
        uint64_t at = w->at;
        UR__TRY(take(w, piece, m * frame));
        for (size_t i = 0; i < m; i++) {
            double sum = 0;
            for (int c = 0; c < w->channels; c++)
                sum += sample(w, piece + i * frame + (size_t)c * bytes);
            float mean = (float)(sum / w->channels);
            if (!(fabsf(mean) <= MOST_SAMPLE))
                return fail(w, at + i * frame, "a sample that is not a number, or beyond 1e9");
            to[(*got)++] = mean;
        }
        w->samples -= m;
        if (w->samples == 0)
            return finish(w);
    }
    return UR_OK;
}
