/* SPDX-License-Identifier: MIT */
/* Sound files: RIFF WAVE with samples of 8 to 32 bits or floats, one channel or the mean of
 * several. */
#ifndef UR_DATA_WAV_H
#define UR_DATA_WAV_H

#include "data/lines.h"

struct ur__wav {
    const char *path;       /* borrowed */
    int rate, channels;     /* samples a second */
    uint64_t samples;       /* of a channel, that are to come */
    /* Private. */
    struct ur__reader *reader;
    struct ur__tally *tally;
    uint64_t at, end;       /* place in the file; where RIFF says that it ends */
    int bits;
    bool real;
};

/* Reads up to the samples. UR_EDATA with FILE, the offset and what is wrong: no such file, another
 * format of samples, sizes that lie. Close it whatever the outcome. */
ur_status ur__wav_open(struct ur__wav *w, const char *path, struct ur__tally *tally);
void ur__wav_close(struct ur__wav *w);
/* The next samples, of w->samples at most n, in [-1,1] unless they are floats. After the last ones
 * the rest of the file is looked at. */
ur_status ur__wav_read(struct ur__wav *w, float *to, size_t n, size_t *got);

#endif
