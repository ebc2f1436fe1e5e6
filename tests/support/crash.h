/* SPDX-License-Identifier: MIT */
/*
 * What a power cut may leave of a folder. The operations of a program are recorded; then
 * they are replayed up to any of them, and of all that was not synced before the cut some is
 * lost: of a file's bytes those after the last sync of it, of the folder's changes those
 * after the last sync of it.
 */
#ifndef UR_TESTS_CRASH_H
#define UR_TESTS_CRASH_H

#include <stdbool.h>
#include <stddef.h>

/* Takes down what happens in this folder from now on, which holds nothing yet. */
void crash_record(const char *folder);
/* A mark between two operations: `value` counts as reached once it is passed. */
void crash_mark(long value);
void crash_stop(void);
void crash_free(void);

/* How many operations were recorded, and how many changes of the folder the most were that
 * waited for a sync at once. */
int crash_events(void);

/* Of the bytes not synced, what is there after the cut. */
enum crash_bytes {
    CRASH_NONE,         /* none: the file ends where it was synced */
    CRASH_ONE,          /* the first one */
    CRASH_HALF,         /* the first half */
    CRASH_ALL_BUT_ONE,
    CRASH_ALL,
    CRASH_ZEROS,        /* as many zeros: the size was written, the data not */
    CRASH_SECOND_HALF,  /* zeros and then the second half: written out of order */
    N_CRASH_BYTES
};

/* What the folder holds after a cut behind the first n operations. Of the folder's changes
 * that were not synced those stay whose bit in `kept` is set, the oldest being bit 0. With
 * lying, no sync was one. Writes it into another folder, which is emptied. Returns how many
 * changes were not synced; *reached: the last mark passed. */
int crash_replay(int n, enum crash_bytes bytes, unsigned kept, bool lying, const char *to,
                 long *reached);

#endif
