/* SPDX-License-Identifier: MIT */
/*
 * A task: what the training loop does not know of a job. Its data, how a batch of it
 * becomes a loss, how it is validated. One const struct a task, one file each
 * (src/task/task_*.c); the loop gets it as a pointer and holds all else: optimizer,
 * schedule, reports, checkpoints, the files.
 *
 * Resumable  Which batch comes at (epoch, step) must be a function of the job alone,
 *     never of what was asked before. What does carry over from one step to the next
 *     is numbers in the buffer of carried(), which the loop saves and restores.
 * Memory     After one epoch, or all of its largest batches, loss() allocates nothing.
 * Numerics   Nothing here may depend on the team's size or on a clock.
 */
#ifndef UR_MODEL_TASK_H
#define UR_MODEL_TASK_H

#include "model/model.h"
#include "tape/tape.h"

struct ur__buf;

/* What a task is told; borrowed until close. */
struct ur__job {
    const ur_config *config;
    const char *const *data;    /* files */
    int n_data;
    double val;                 /* share to hold out, in [0,1) */
    const char *val_file;       /* or a file of its own; then val counts for nothing */
    int seq_length, batch;
    int min_count;              /* words that occur less often are unknown */
    bool report_gradients;      /* reach() will be called */
    uint64_t seed;
    ur_team *team;
};

/* Bytes of memory that a task will take, beside its net: from above. */
struct ur__need {
    struct ur__room step;       /* of the tape, for the largest batch */
    size_t state;               /* numbers carried, with the room to compute them; a batch */
    size_t carried;             /* how many numbers are saved of them */
    size_t valid;               /* to validate */
};

/* What a task knows once it is open. */
struct ur__facts {
    ur_model *model;            /* owned by the task; until build() only declared */
    struct ur__need need;
    int64_t epoch_steps;        /* >= 1 */
    int64_t train_items;        /* tokens (or what the task counts) to train on */
    int64_t val_items;          /* to validate on; 0: there is no validation */
    int64_t train_unknown;      /* of these, words that are not in the vocabulary */
    int64_t val_unknown;
    int64_t words_cut;          /* frequent enough, but too many for a vocabulary */
    uint64_t data_bytes;        /* of all data, inflated */
    uint32_t data_crc;          /* CRC-32 of the same */
    uint64_t val_bytes;         /* of val_file, 0 without */
    uint32_t val_crc;
    uint64_t spooled;           /* bytes of a scratch file that holds what is too much for memory */
};

/* Asks after each piece of long work, with the share done, whether to go on. */
struct ur__watch {
    bool (*go_on)(void *user, double done);
    void *user;
};

struct ur__task {
    const char *name;           /* as in ur_config.task */
    /* Reads the data and declares the network. On failure *run is NULL. */
    ur_status (*open)(void **run, const struct ur__job *job, struct ur__facts *facts);
    /* Takes the memory that facts told of, and draws the network's initial values. */
    ur_status (*build)(void *run);
    void (*close)(void *run);   /* NULL is fine */
    /* Before the first step of an epoch, and once more when a run goes on inside one:
     * carried numbers become zero, orders are drawn anew. */
    ur_status (*begin_epoch)(void *run, int64_t epoch);
    /* The loss [1] of a step of the epoch, in [0,epoch_steps), on the tape; *items: how
     * many predictions it is the mean of. A failing tape may be left to ur_backward. */
    ur_status (*loss)(void *run, ur_tape *tape, int64_t step, ur_tensor **loss, int64_t *items);
    /* After the update, before the tape is reset: lets go of its tensors. NULL: nothing. */
    void (*end_step)(void *run);
    /* The loss that says which model is best: mean nats over the part held out. Leaves
     * the training's state alone. Called only if val_items > 0. UR_ECANCELED: watch said
     * so, within a second or a step's time. */
    ur_status (*validate)(void *run, const struct ur__watch *watch, double *loss);
    /* Numbers carried from step to step, writable; NULL (the function too): none. */
    ur_real *(*carried)(void *run, size_t *n);
    /* Norms [layers,distances] of the gradient that the loss of a window's last step alone has
     * at each layer's state k = 1 ... distances steps before, of the batch that `step` of the
     * epoch will read. Dropout is off; parameters, carried numbers and order stay as they are,
     * the parameters' gradients do not. *reach is borrowed until the next call. NULL: none, and
     * who asks for it is refused. */
    ur_status (*reach)(void *run, ur_tape *tape, int64_t step, const double **reach, int *layers,
                       int *distances);
    /* Appends text drawn from the network as it is. NULL: the task writes no text. */
    ur_status (*sample)(void *run, uint64_t seed, int length, struct ur__buf *text);
};

#endif
