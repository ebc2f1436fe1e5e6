/* SPDX-License-Identifier: MIT */
/*
 * The tape's inside, for those who write operations: on this floor (op_*.c) and
 * on the layer floor (one fused node for a recurrent net).
 *
 * A node has a function that runs back and whatever it needs to do so. Nodes run in
 * the reverse order of their making; a node may have several outputs.
 * Invariant: a tensor's gradient is complete when the node that made it runs back,
 * because all its users were made later.
 *
 * A measuring tape makes the same tensors and nodes and runs back through them, but takes no
 * memory for numbers, only counts it, and computes nothing. An operation is written once for
 * both: it checks shapes, takes its memory here, and leaves all that reads or writes numbers,
 * the caller's included, to ur__tape_run().
 */
#ifndef UR_TAPE_TAPE_H
#define UR_TAPE_TAPE_H

#include "base/arena.h"
#include "base/mem.h"
#include "base/team.h"
#include "unroll/tensor.h"

/* What a node needs besides its inputs: named numbers, such as the "begin" of a slice. */
struct ur__attribute {
    const char *name;
    struct ur__attribute *next;
    int n;
    const int *whole;       /* [n]; NULL: the number is real. On a measuring tape those that were
                             * lent are counted, not there. */
    double real;
    int few[UR_MAX_RANK];   /* where whole numbers lie if they are not lent */
};

/* Parameters that a node reads without a tensor of their own, in its order: at() fills in the
 * i-th of `of`, or says that there are no more. */
struct ur__tape_param {
    const char *name;
    int rank;
    const int *dim;
    const ur_real *data;    /* NULL before the store is built */
};
typedef bool (*ur__tape_params)(const void *of, int i, struct ur__tape_param *out);

struct ur_tensor {
    ur_tape *tape;
    int rank;
    int dim[UR_MAX_RANK];
    size_t size;
    ur_real *data;
    ur_real *grad;      /* [size] or NULL until something flows back */
    bool needs_grad;
    /* A tensor and its views show one gradient buffer: whichever is touched first,
     * all see it. */
    ur_tensor *base;    /* the tensor whose data this shows; itself if it is no view */
    ur_tensor *next;    /* the next view of the same base */
    ur_real *sink;      /* a variable's gradient memory, the caller's; else NULL */
    /* The record, for those who walk it: which operation made it from which tensors, and how. */
    const char *made_by;
    const char *name;           /* of a "parameter", else NULL */
    struct ur__attribute *attributes;
    ur__tape_params params;     /* NULL: it reads none */
    const void *params_of;
    ur_tensor *const *inputs;   /* [n_inputs] */
    ur_tensor *few[3];          /* where inputs lie if they are not more */
    int n_inputs, ordinal;
    ur_tensor *later;           /* the next tensor of the tape */
};

/* Borrowed dimensions, of a tensor or of something else. */
struct ur__shape {
    int rank;
    const int *dim;     /* [rank] */
};

static inline struct ur__shape ur__shape_of(const ur_tensor *x)
{
    return (struct ur__shape){x->rank, x->dim};
}

/* Runs one operation back: reads its outputs' gradients (NULL: nothing came), adds
 * to those of its inputs through ur__grad(). */
typedef ur_status (*ur__back)(ur_tape *tape, void *saved);

/* A new tensor in the arena, data uninitialised; NULL poisons. Rank and dimensions
 * are at least 1. needs_grad says that a gradient is to flow through it (ignored
 * when not recording). A poisoned tape makes no more tensors. */
ur_tensor *ur__tensor_new(ur_tape *tape, int rank, const int *dim, bool needs_grad);
/* A view: same data as x (offset reals further), other dimensions. */
ur_tensor *ur__tensor_view(ur_tensor *x, size_t offset, int rank, const int *dim);

/* Notes that y was made by this operation from n tensors. The name lives as long as the round;
 * tensors without a note are made by "node". The record of a round, from ur__tape_first on, is
 * enough to compute it again, except for ids and targets that a node does not keep. Returns y (NULL
 * too); NULL with poison on failure. So do the others. */
ur_tensor *ur__tape_note(ur_tensor *y, const char *name, int n, ur_tensor *const *inputs);
/* Adds an attribute: up to UR_MAX_RANK whole numbers, a real one, or whole ones that live as long
 * as the round (NULL: no attribute). */
ur_tensor *ur__tape_whole(ur_tensor *y, const char *name, int n, const int *numbers);
ur_tensor *ur__tape_real(ur_tensor *y, const char *name, double number);
ur_tensor *ur__tape_lend(ur_tensor *y, const char *name, int n, const int *numbers);
/* The attribute of that name; NULL: there is none. */
const struct ur__attribute *ur__tape_attribute(const ur_tensor *y, const char *name);
/* The first tensor of the round; the others follow by `later`. */
const ur_tensor *ur__tape_first(const ur_tape *tape);

/* Memory of the tape's arena until reset; NULL poisons. For numbers: a measuring tape only counts
 * it, and the address must not be touched. */
void *ur__tape_alloc(ur_tape *tape, size_t n, size_t size);
/* The same with zeros in it, or a copy of `from` (NULL of NULL): the caller's arrays may be gone
 * on the way back. */
void *ur__tape_zeros(ur_tape *tape, size_t n, size_t size);
void *ur__tape_copy(ur_tape *tape, const void *from, size_t n, size_t size);
/* For records, pointers and the like, which a measuring tape has, too. */
void *ur__tape_record_alloc(ur_tape *tape, size_t n, size_t size);
/* Computes: work on a team (NULL: on this thread alone) in the default floating-point mode. A
 * measuring tape leaves it out. */
void ur__tape_run(const ur_tape *tape, ur_team *team, ur__work work, void *arg);

/* Bytes that a round takes. */
struct ur__room {
    size_t arena;       /* of the tape's arena */
    size_t scratch;     /* beside it */
};
/* Makes a tape measure, or compute again: in either case it is reset. */
void ur__tape_measure(ur_tape *tape, bool on);
bool ur__tape_measures(const ur_tape *tape);
/* What the round so far has taken, or, of a measuring tape, what it would have. */
struct ur__room ur__tape_room(const ur_tape *tape);
/* Measures a round on a tape of its own: make() returns its loss, from which it is run back, or,
 * not in training, any tensor. */
typedef ur_tensor *(*ur__round)(ur_tape *tape, void *arg);
ur_status ur__tape_measure_round(struct ur__room *room, ur__round make, void *arg, bool training,
                                 ur_team *team);
/* A tensor's numbers (a caller's array, a state) on a measuring tape that has none: an address that
 * must not be touched. */
#define UR__NOWHERE ((void *)(uintptr_t)UR__ALIGN)
/* Room in the arena for the operations of a round, taken beforehand: a fresh tape's first
 * round then allocates nothing either, and no more than this is held. */
ur_status ur__tape_reserve(ur_tape *tape, size_t bytes);
/* Records back(saved); not when not recording. saved lives in the arena. */
ur_status ur__tape_record(ur_tape *tape, ur__back back, void *saved);
/* Where to add gradients of x: its buffer, zeroed at first touch. NULL if x needs no
 * gradient (then skip it) or on failure (then the tape is poisoned). */
ur_real *ur__grad(ur_tensor *x);
/* Makes grad [size], arena memory that nobody else uses, the gradient of x, if
 * nothing has reached it yet: saves zeroing and adding. False: add it as usual. */
bool ur__grad_adopt(ur_tensor *x, ur_real *grad);

/* Poisons the tape with a status and message (the first one stays); returns NULL so
 * that operations end with it. */
void *ur__tape_fail(ur_tape *tape, ur_status status, const char *format, ...) UR_PRINTF(3, 4);
/* The same with the message that ur__fail has just left. */
void *ur__tape_failed(ur_tape *tape, ur_status status);
bool ur__tape_poisoned(const ur_tape *tape);

/* Differs for each round of each tape: whoever holds tensors from round to round can tell whether
 * they are still alive. */
uint64_t ur__tape_round(const ur_tape *tape);

ur_team *ur__tape_team(const ur_tape *tape);
/* Scratch of at least `bytes` for the duration of one operation, kept and reused. */
void *ur__tape_scratch(ur_tape *tape, size_t bytes);
bool ur__tape_training(const ur_tape *tape);
bool ur__tape_recording(const ur_tape *tape);
/* In training mode: true, and the (seed, stream, step) of the next dropout. */
bool ur__tape_next_dropout(ur_tape *tape, uint64_t *seed, uint32_t *stream, uint64_t *step);

/* "[3,4,5]" for messages, into one of a few static thread-local buffers; of a tensor "[]" if it
 * is NULL. */
const char *ur__shape_text(const ur_tensor *x);
const char *ur__dim_text(struct ur__shape shape);

#endif
