/* SPDX-License-Identifier: MIT */
/* figures FILE: reads groups of lines, a text and its references, each group ended by an empty line
 * ("=" stands before each text, so that it may be empty), and prints BLEU and chrF2 of all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unroll.h"

enum { MOST = 64, ROOM = 1 << 16 };

int main(int argc, char **argv)
{
    static char line[MOST][ROOM];
    static double bleu[UR_BLEU_SUMS], chrf[UR_CHRF_SUMS];
    const char *text[MOST];
    FILE *f = argc > 1 ? fopen(argv[1], "r") : NULL;
    int n = 0;
    if (!f)
        return EXIT_FAILURE;
    while (n < MOST && fgets(line[n], ROOM, f)) {
        line[n][strcspn(line[n], "\n")] = '\0';
        if (line[n][0] == '=') {
            text[n] = line[n] + 1;
            n++;
            continue;
        }
        if (ur_bleu_count(bleu, text[0], n - 1, text + 1) != UR_OK ||
            ur_chrf_count(chrf, text[0], n - 1, text + 1) != UR_OK) {
            fprintf(stderr, "%s\n", ur_errmsg());
            return EXIT_FAILURE;
        }
        n = 0;
    }
    fclose(f);
    printf("%.6f %.6f\n", ur_bleu(bleu), ur_chrf(chrf));
    return EXIT_SUCCESS;
}
