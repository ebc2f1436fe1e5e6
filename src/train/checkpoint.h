/* SPDX-License-Identifier: MIT */
/* The training state on disk: all that a run needs to go on as if it had never been
 * interrupted. */
#ifndef UR_TRAIN_CHECKPOINT_H
#define UR_TRAIN_CHECKPOINT_H

#include "train/carried.h"
#include "train/optimizer.h"
#include "train/progress.h"
#include "train/task.h"

/* What a state is made of; all borrowed. */
struct ur__checkpoint {
    const char *identity;       /* ur__identity_text() of the options */
    const struct ur__facts *facts;
    ur_params *params;
    ur_optimizer *optimizer;
    ur_real *average;           /* of the weights; NULL: none */
    struct ur__carried carried;
    struct ur__progress *progress;
};

/* What becomes of the states on disk when a new one is written. */
enum ur__older {
    UR__OLDER_MOVE,     /* `path` becomes `previous` */
    UR__OLDER_KEEP      /* `path` is damaged: it is replaced and `previous` stays */
};

/* Writes `path`. On failure the newest of the older states stays, as `path` or `previous`.
 * UR_ENUMERIC: a number is not finite. */
ur_status ur__checkpoint_save(const struct ur__checkpoint *c, const char *path,
                              const char *previous, enum ur__older older);

enum ur__loaded { UR__LOADED_NONE, UR__LOADED_LATEST, UR__LOADED_PREVIOUS };

/* Reads `path`, or `previous` if that is missing, damaged or unreadable, into the model,
 * optimizer, carried numbers and progress. *from NONE: neither is there; PREVIOUS: the
 * message says what `path` is. Errors: UR_EINVAL (an option has changed), UR_EDATA (other
 * data), UR_EFORMAT, UR_EINPUT (both damaged or unreadable), UR_EVERSION. */
ur_status ur__checkpoint_load(const struct ur__checkpoint *c, const char *path,
                              const char *previous, enum ur__loaded *from);

/* The options of the newest state that is there and whole enough to be read, as text (ur__free
 * it), and which of the two paths that is; NULL: there is none. */
ur_status ur__checkpoint_options(const char *path, const char *previous, char **options,
                                 const char **from);

#endif
