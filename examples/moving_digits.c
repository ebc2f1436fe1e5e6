/* SPDX-License-Identifier: MIT */
/* Clips to label: `moving_digits IMAGES NAME CLIPS SEED` reads digits as MNIST has them, labels
 * beside them, and writes NAME-images.idx4 [CLIPS,T,S,S]; NAME-labels.idx1, the way a clip moves
 * (0 right, 1 down, 2 left, 3 up); NAME-labels.idx2, the digit in a frame, which changes once. A
 * frame does not tell: left is right in another order; half of a digit is hidden, all in noise. */
#include <stdio.h>
#include <stdlib.h>
#include <unroll.h>

enum { T = 10, S = 16, D = 12, BAND = 6, NOISE = 64, MNIST = 28 };
static uint64_t seed, clip;
static uint32_t drawn;              /* numbers of this clip */

static int draw(int n)              /* below n */
{
    return (int)(n * ur_random_uniform(seed, 0, clip, drawn++));
}

static void paint(const ur_real *digit, int x, int y, unsigned char *to)
{
    int columns = draw(2), first = draw(D - BAND + 1);
    for (int i = 0; i < S * S; i++) {
        int u = i % S - x, v = i / S - y, band = (columns ? u : v) - first, value = draw(NOISE);
        if (u >= 0 && u < D && v >= 0 && v < D && band >= 0 && band < BAND) {
            const ur_real *p = digit + (2 * v + 2) * MNIST + 2 * u + 2;     /* half the size */
            value += (int)(255 * (p[0] + p[1] + p[MNIST] + p[MNIST + 1]) / 4);
        }
        to[i] = (unsigned char)(value < 255 ? value : 255);
    }
}

static bool write_clip(ur_examples *digits, FILE *const *to)
{
    ur_real picture[2][MNIST * MNIST];
    unsigned char frame[S * S];
    int which, label[2], turn = 3 + draw(T - 5), way = draw(4), side = draw(S - D + 1);
    for (int k = 0; k < 2; k++) {
        do
            label[k] = ur_examples_label(digits, which = draw((int)ur_examples_count(digits)));
        while (k && label[1] == label[0]);
        if (ur_examples_frames(digits, which, 0, MNIST, picture[k]))
            return false;
    }
    putc(way, to[1]);
    for (int t = 0; t < T; t++) {
        int at = ((way < 2 ? t : T - 1 - t) * (S - D) + (T - 1) / 2) / (T - 1);
        paint(picture[t >= turn], way % 2 ? side : at, way % 2 ? at : side, frame);
        putc(label[t >= turn], to[2]);
        fwrite(frame, 1, sizeof frame, to[0]);
    }
    return true;
}

int main(int argc, char **argv)
{
    static const char *const ending[] = {"images.idx4", "labels.idx1", "labels.idx2"};
    static const int dims[] = {4, 1, 2};
    ur_examples *digits = NULL; FILE *to[3] = {NULL};
    if (argc != 5)
        return fprintf(stderr, "usage: moving_digits IMAGES NAME CLIPS SEED\n"), 2;
    const int clips = (int)strtol(argv[3], NULL, 10), size[] = {clips, T, S, S};
    seed = strtoull(argv[4], NULL, 10);
    bool ok = !ur_examples_open(&digits, (const char *const *)&argv[1], 1, NULL)
           && ur_examples_label_count(digits) == 10 && ur_examples_width(digits) == MNIST;
    for (int f = 0; ok && f < 3; f++) {
        char path[4096];
        snprintf(path, sizeof path, "%s-%s", argv[2], ending[f]);
        ok = (to[f] = fopen(path, "wb")) != NULL && fwrite("\0\0\10", 1, 3, to[f]) == 3;
        for (int i = -1; ok && i < dims[f]; i++)    /* how many, and each as four bytes */
            for (int shift = i < 0 ? 0 : 24; shift >= 0; shift -= 8)
                putc((i < 0 ? dims[f] : size[i]) >> shift & 255, to[f]);
    }
    for (; ok && clip < (uint64_t)clips; clip++, drawn = 0)
        ok = write_clip(digits, to);
    for (int f = 0; f < 3 && to[f]; f++)
        ok = (ferror(to[f]) | fclose(to[f])) == 0 && ok;
    if (!ok)
        fprintf(stderr, "moving_digits: %s\n", *ur_errmsg() ? ur_errmsg() : "no MNIST, or no room");
    return ur_examples_close(digits), !ok;
}
