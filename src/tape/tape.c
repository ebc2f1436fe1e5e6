/* SPDX-License-Identifier: MIT */
/*
 * The tape itself: its memory, its list of operations, its poison and the sweep
 * back; tensors, their views and their gradients.
 *
 * Tensors, nodes and what they save live in one arena, so that a reset is one call
 * and a repeated round allocates nothing.
 */
#include "tape/tape.h"

#include "base/fpmode.h"
#include "base/locale.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/status.h"

#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_BYTES = 512, TEXT_BYTES = 80, N_TEXTS = 4 };

struct node {
    ur__back back;
    void *saved;
    struct node *earlier;
};

struct ur_tape {
    ur_team *team;
    struct ur__arena arena;
    struct node *last;
    ur_tensor *oldest, *newest;
    int n_tensors;              /* since the last reset */
    void *scratch;
    size_t scratch_bytes;
    struct ur__room room;       /* of this round; its arena: bytes that were only counted */
    bool measuring;
    bool recording, training, swept;
    bool sweeping;              /* running back just now */
    uint64_t seed, step;
    uint32_t n_dropouts;        /* since the last reset */
    uint64_t round;             /* of this tape between two resets */
    ur_status status;
    char message[MESSAGE_BYTES];
};

/* Counts rounds of all tapes, so that a tensor of a finished round can be told from one of a new
 * tape at the same address. */
static atomic_uint_fast64_t rounds;

static uint64_t next_round(void)
{
    return atomic_fetch_add_explicit(&rounds, 1, memory_order_relaxed) + 1;
}

uint64_t ur__tape_round(const ur_tape *tape)
{
    return tape->round;
}

/* ---- the tape ---------------------------------------------------------- */

ur_status ur_tape_new(ur_tape **out, ur_team *team)
{
    UR__NEED(out, "out");
    *out = NULL;
    ur_tape *tape = ur__calloc(1, sizeof *tape);
    if (!tape)
        return UR_ENOMEM;
    tape->team = team;
    tape->recording = true;
    tape->round = next_round();
    *out = tape;
    return UR_OK;
}

void ur_tape_free(ur_tape *tape)
{
    if (!tape)
        return;
    ur__arena_free(&tape->arena);
    ur__free(tape->scratch);
    ur__free(tape);
}

void ur_tape_reset(ur_tape *tape)
{
    UR__NEED_OR(tape, "tape", );
    if (tape->sweeping) {       /* the sweep still needs what a reset would drop */
        ur__tape_fail(tape, UR_EINVAL, "tape_reset: called while ur_backward is under way");
        return;
    }
    ur__arena_reset(&tape->arena);
    tape->room = (struct ur__room){0};
    tape->last = NULL;
    tape->oldest = tape->newest = NULL;
    tape->n_tensors = 0;
    tape->swept = false;
    tape->n_dropouts = 0;
    tape->round = next_round();
    tape->status = UR_OK;
    tape->message[0] = '\0';
}

ur_status ur_tape_status(const ur_tape *tape)
{
    UR__NEED(tape, "tape");
    if (tape->status == UR_OK)
        return UR_OK;
    return ur__fail(tape->status, "%s", tape->message);
}

void ur_tape_set_training(ur_tape *tape, bool on, uint64_t seed, uint64_t step)
{
    UR__NEED_OR(tape, "tape", );
    tape->training = on;
    tape->seed = seed;
    tape->step = step;
}

void ur_tape_set_recording(ur_tape *tape, bool on)
{
    UR__NEED_OR(tape, "tape", );
    tape->recording = on;
}

static ur_status sweep(ur_tape *tape)
{
    for (const struct node *n = tape->last; n; n = n->earlier) {
        ur_status status = n->back(tape, n->saved);
        if (status != UR_OK)
            ur__tape_failed(tape, status);
        if (tape->status != UR_OK)
            return ur_tape_status(tape);
    }
    return UR_OK;
}

ur_status ur_backward(ur_tape *tape, ur_tensor *loss)
{
    UR__NEED(tape, "tape");
    UR__TRY(ur_tape_status(tape));
    if (!loss)
        return ur__fail(UR_EINVAL, "backward: the loss is NULL");
    if (loss->tape != tape)
        return ur__fail(UR_EINVAL, "backward: the loss is of another tape");
    if (loss->size != 1)
        return ur__fail(UR_ESHAPE, "backward: the loss is %s, not one element",
                        ur__shape_text(loss));
    if (tape->swept)
        return ur__fail(UR_EINVAL, "backward: called twice since the last reset");
    if (!loss->needs_grad && !tape->recording)
        return ur__fail(UR_EINVAL, "backward: the tape does not record; "
                        "ur_tape_set_recording(tape, true) comes before the loss");
    if (!loss->needs_grad)
        return ur__fail(UR_EINVAL, "backward: the loss depends on nothing that needs a gradient");

    tape->swept = true;
    ur_real *d = ur__grad(loss);
    if (!d)
        return ur_tape_status(tape);
    unsigned mode = ur__fpmode_default();
    if (!tape->measuring)
        *d += 1;
    tape->sweeping = true;
    ur_status status = sweep(tape);
    tape->sweeping = false;
    ur__fpmode_restore(mode);
    return status;
}

/* ---- poison ------------------------------------------------------------ */

static void poison(ur_tape *tape, ur_status status, const char *message)
{
    if (tape->status != UR_OK)
        return;
    tape->status = status;
    snprintf(tape->message, sizeof tape->message, "%s", message);
}

void *ur__tape_fail(ur_tape *tape, ur_status status, const char *format, ...)
{
    char message[MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    ur__vformat(message, sizeof message, format, args);
    va_end(args);
    ur__fail(status, "%s", message);
    if (tape)
        poison(tape, status, message);
    return NULL;
}

void *ur__tape_failed(ur_tape *tape, ur_status status)
{
    if (tape)
        poison(tape, status, ur_errmsg());
    return NULL;
}

bool ur__tape_poisoned(const ur_tape *tape)
{
    return tape->status != UR_OK;
}

/* ---- for operations ---------------------------------------------------- */

void *ur__tape_record_alloc(ur_tape *tape, size_t n, size_t size)
{
    void *p = ur__arena_alloc(&tape->arena, n, size);
    return p ? p : ur__tape_failed(tape, UR_ENOMEM);
}

static void *count(ur_tape *tape, size_t n, size_t size)
{
    size_t bytes, *total = &tape->room.arena;
    if (ur__arena_piece(&bytes, n, size) && ur__add(total, *total, bytes))
        return UR__NOWHERE;
    return ur__tape_fail(tape, UR_ENOMEM, "out of memory: %zu times %zu bytes more are beyond the "
                         "address space", n, size);
}

void *ur__tape_alloc(ur_tape *tape, size_t n, size_t size)
{
    return tape->measuring ? count(tape, n, size) : ur__tape_record_alloc(tape, n, size);
}

void *ur__tape_zeros(ur_tape *tape, size_t n, size_t size)
{
    void *p = ur__tape_alloc(tape, n, size);
    return p && !tape->measuring ? memset(p, 0, n * size) : p;
}

void *ur__tape_copy(ur_tape *tape, const void *from, size_t n, size_t size)
{
    void *p = from ? ur__tape_alloc(tape, n, size) : NULL;
    return p && !tape->measuring ? memcpy(p, from, n * size) : p;
}

void ur__tape_run(const ur_tape *tape, ur_team *team, ur__work work, void *arg)
{
    if (!tape->measuring)
        ur__team_run(team, work, arg);
}

void ur__tape_measure(ur_tape *tape, bool on)
{
    ur_tape_reset(tape);
    tape->measuring = on;
}

bool ur__tape_measures(const ur_tape *tape)
{
    return tape->measuring;
}

struct ur__room ur__tape_room(const ur_tape *tape)
{
    return (struct ur__room){tape->arena.used + tape->room.arena, tape->room.scratch};
}

static ur_status measure_round(ur_tape *tape, ur__round make, void *arg, bool training)
{
    ur__tape_measure(tape, true);
    ur_tape_set_training(tape, training, 0, 0);
    ur_tape_set_recording(tape, training);
    ur_tensor *y = make(tape, arg);
    return training ? ur_backward(tape, y) : ur_tape_status(tape);
}

ur_status ur__tape_measure_round(struct ur__room *room, ur__round make, void *arg, bool training,
                                 ur_team *team)
{
    ur_tape *tape;
    UR__TRY(ur_tape_new(&tape, team));
    ur_status status = measure_round(tape, make, arg, training);
    *room = ur__tape_room(tape);
    ur_tape_free(tape);
    return status;
}

ur_status ur__tape_reserve(ur_tape *tape, size_t bytes)
{
    return ur__arena_reserve(&tape->arena, bytes);
}

ur_status ur__tape_record(ur_tape *tape, ur__back back, void *saved)
{
    if (!tape->recording)
        return UR_OK;
    struct node *n = ur__tape_record_alloc(tape, 1, sizeof *n);
    if (!n)
        return UR_ENOMEM;
    *n = (struct node){back, saved, tape->last};
    tape->last = n;
    return UR_OK;
}

ur_team *ur__tape_team(const ur_tape *tape)
{
    return tape->team;
}

void *ur__tape_scratch(ur_tape *tape, size_t bytes)
{
    if (bytes > tape->room.scratch)
        tape->room.scratch = bytes;
    if (tape->measuring)
        return UR__NOWHERE;
    if (tape->scratch && bytes <= tape->scratch_bytes)
        return tape->scratch;
    ur__free(tape->scratch);
    tape->scratch = ur__alloc(bytes, 1);
    tape->scratch_bytes = tape->scratch ? bytes : 0;
    return tape->scratch ? tape->scratch : ur__tape_failed(tape, UR_ENOMEM);
}

bool ur__tape_training(const ur_tape *tape)
{
    return tape->training;
}

bool ur__tape_recording(const ur_tape *tape)
{
    return tape->recording;
}

bool ur__tape_next_dropout(ur_tape *tape, uint64_t *seed, uint32_t *stream, uint64_t *step)
{
    if (!tape->training)
        return false;
    *seed = tape->seed;
    *stream = (uint32_t)UR__STREAM_DROPOUT + tape->n_dropouts++;
    *step = tape->step;
    return true;
}

/* ---- tensors ----------------------------------------------------------- */

/* Everything but the data; NULL poisons. */
static ur_tensor *tensor_shape(ur_tape *tape, int rank, const int *dim, bool needs_grad)
{
    if (!tape) {
        ur__fail(UR_EINVAL, "tensor: the tape is NULL");
        return NULL;
    }
    if (tape->status != UR_OK)
        return NULL;
    if (!dim)
        return ur__tape_fail(tape, UR_EINVAL, "tensor: the dimensions are NULL");
    if (rank < 1 || rank > UR_MAX_RANK)
        return ur__tape_fail(tape, UR_ESHAPE, "tensor: rank %d is not in [1,%d]", rank,
                             UR_MAX_RANK);
    size_t size = 1;
    for (int i = 0; i < rank; i++) {
        if (dim[i] < 1)
            return ur__tape_fail(tape, UR_ESHAPE, "tensor: dimension %d is %d", i, dim[i]);
        if (!ur__mul(&size, size, (size_t)dim[i]) || size > PTRDIFF_MAX / sizeof(ur_real))
            return ur__tape_fail(tape, UR_ESHAPE, "tensor: more elements than memory can have");
    }
    ur_tensor *x = ur__tape_record_alloc(tape, 1, sizeof *x);
    if (!x)
        return NULL;
    *x = (ur_tensor){.tape = tape, .rank = rank, .size = size};
    memcpy(x->dim, dim, (size_t)rank * sizeof *dim);
    x->needs_grad = needs_grad && tape->recording;
    x->base = x;
    x->made_by = "node";
    x->ordinal = tape->n_tensors++;
    if (tape->newest)
        tape->newest->later = x;
    else
        tape->oldest = x;
    tape->newest = x;
    return x;
}

ur_tensor *ur__tape_note(ur_tensor *y, const char *name, int n, ur_tensor *const *inputs)
{
    if (!y)
        return NULL;
    ur_tensor **copy = y->few;
    if ((size_t)n > sizeof y->few / sizeof *y->few)
        copy = ur__tape_record_alloc(y->tape, (size_t)n, sizeof(ur_tensor *));
    if (!copy)
        return NULL;
    for (int i = 0; i < n; i++)
        copy[i] = inputs[i];
    y->made_by = name;
    y->inputs = copy;
    y->n_inputs = n;
    return y;
}

/* A new last attribute. */
static struct ur__attribute *attribute(ur_tensor *y, const char *name, int n)
{
    struct ur__attribute *a = ur__tape_record_alloc(y->tape, 1, sizeof *a);
    struct ur__attribute **end = &y->attributes;
    if (!a)
        return NULL;
    while (*end)
        end = &(*end)->next;
    *a = (struct ur__attribute){.name = name, .n = n};
    *end = a;
    return a;
}

ur_tensor *ur__tape_whole(ur_tensor *y, const char *name, int n, const int *numbers)
{
    struct ur__attribute *a = y ? attribute(y, name, n) : NULL;
    if (!a)
        return NULL;
    a->whole = memcpy(a->few, numbers, (size_t)n * sizeof *numbers);
    return y;
}

ur_tensor *ur__tape_real(ur_tensor *y, const char *name, double number)
{
    struct ur__attribute *a = y ? attribute(y, name, 1) : NULL;
    if (!a)
        return NULL;
    a->real = number;
    return y;
}

ur_tensor *ur__tape_lend(ur_tensor *y, const char *name, int n, const int *numbers)
{
    struct ur__attribute *a = y && numbers ? attribute(y, name, n) : NULL;
    if (!a)
        return numbers ? NULL : y;
    a->whole = numbers;
    return y;
}

const struct ur__attribute *ur__tape_attribute(const ur_tensor *y, const char *name)
{
    const struct ur__attribute *a = y->attributes;
    while (a && strcmp(a->name, name) != 0)
        a = a->next;
    return a;
}

const ur_tensor *ur__tape_first(const ur_tape *tape)
{
    return tape->oldest;
}

ur_tensor *ur__tensor_new(ur_tape *tape, int rank, const int *dim, bool needs_grad)
{
    ur_tensor *x = tensor_shape(tape, rank, dim, needs_grad);
    if (!x)
        return NULL;
    x->data = ur__tape_alloc(tape, x->size, sizeof *x->data);
    return x->data ? x : NULL;
}

ur_tensor *ur__tensor_view(ur_tensor *x, size_t offset, int rank, const int *dim)
{
    ur_tensor *view = tensor_shape(x->tape, rank, dim, x->needs_grad);
    if (!view)
        return NULL;
    view->data = x->data + offset;
    if (!view->needs_grad)
        return view;
    view->base = x->base;
    view->next = x->base->next;
    x->base->next = view;
    view->grad = x->grad ? x->grad + offset : NULL;
    return view;
}

static void show_grad(ur_tensor *base, ur_real *grad)
{
    for (ur_tensor *x = base; x; x = x->next)
        x->grad = grad + (x->data - base->data);
}

ur_real *ur__grad(ur_tensor *x)
{
    if (!x->needs_grad || x->grad)
        return x->grad;
    ur_tensor *base = x->base;
    ur_real *grad = base->sink;
    if (!grad) {
        grad = ur__tape_zeros(x->tape, base->size, sizeof *grad);
        if (!grad)
            return NULL;
    }
    show_grad(base, grad);
    return x->grad;
}

bool ur__grad_adopt(ur_tensor *x, ur_real *grad)
{
    if (!x->needs_grad || x->grad || x->base->sink || x->size != x->base->size)
        return false;
    show_grad(x->base, grad);
    return true;
}

ur_tensor *ur_constant(ur_tape *tape, int rank, const int *dim, const ur_real *data)
{
    return ur__tape_note(ur_variable(tape, rank, dim, data, NULL), "constant", 0, NULL);
}

ur_tensor *ur_copy_in(ur_tape *tape, int rank, const int *dim, const ur_real *data)
{
    ur_tensor *x = tensor_shape(tape, rank, dim, false);
    if (!x)
        return NULL;
    x->data = data ? ur__tape_copy(tape, data, x->size, sizeof *data)
                   : ur__tape_zeros(tape, x->size, sizeof *data);
    return x->data ? ur__tape_note(x, "copy", 0, NULL) : NULL;
}

ur_tensor *ur_variable(ur_tape *tape, int rank, const int *dim, const ur_real *data,
                       ur_real *grad)
{
    if (!data)
        return ur__tape_fail(tape, UR_EINVAL, "tensor: the data are NULL");
    ur_tensor *x = tensor_shape(tape, rank, dim, grad != NULL);
    if (!x)
        return NULL;
    x->data = (ur_real *)(uintptr_t)data;   /* no operation writes to its inputs */
    x->sink = grad;
    return ur__tape_note(x, "variable", 0, NULL);
}

/* ---- looking at tensors ------------------------------------------------ */

int ur_rank(const ur_tensor *x)
{
    return x ? x->rank : 0;
}

int ur_dim(const ur_tensor *x, int i)
{
    int rank = ur_rank(x);
    if (i < 0)
        i += rank;
    return i >= 0 && i < rank ? x->dim[i] : 0;
}

size_t ur_size(const ur_tensor *x)
{
    return x ? x->size : 0;
}

static bool has_numbers(const ur_tensor *x)
{
    return x && !x->tape->measuring;
}

const ur_real *ur_data(const ur_tensor *x)
{
    return has_numbers(x) ? x->data : NULL;
}

const ur_real *ur_grad(const ur_tensor *x)
{
    return has_numbers(x) ? x->grad : NULL;
}

double ur_scalar(const ur_tensor *x)
{
    return has_numbers(x) && x->size == 1 ? (double)x->data[0] : (double)NAN;
}

const char *ur__dim_text(struct ur__shape shape)
{
    static _Thread_local char texts[N_TEXTS][TEXT_BYTES];
    static _Thread_local int turn;
    char *text = texts[turn++ % N_TEXTS];
    turn %= N_TEXTS;
    int n = snprintf(text, TEXT_BYTES, "[");
    for (int i = 0; i < shape.rank; i++)
        n += snprintf(text + n, (size_t)(TEXT_BYTES - n), i ? ",%d" : "%d", shape.dim[i]);
    snprintf(text + n, (size_t)(TEXT_BYTES - n), "]");
    return text;
}

const char *ur__shape_text(const ur_tensor *x)
{
    return ur__dim_text(x ? ur__shape_of(x) : (struct ur__shape){0, NULL});
}
