/* SPDX-License-Identifier: MIT */
/*
 * unroll/base.h: the ground floor of the public interface. Status
 * codes and messages, version, allocator hook, thread team, random
 * numbers.
 *
 * Ownership, in every header of unroll
 *   - A pointer delivered through `**out` is owned by the caller, who frees it
 *     with the matching _free() (a file with its _close()); on failure *out is NULL
 *     and nothing leaks.
 *   - A pointer returned by a function is borrowed from its parent.
 *   - _free(NULL) does nothing. Use after _free is undefined.
 * Wrong calls
 *   - NULL for a pointer that is not said to be optional is UR_EINVAL; a function that returns
 *     no status does nothing and gives 0, NULL or NaN. Either way ur_errmsg() has a sentence.
 *   - Undefined, since C cannot see it: pointers that lead nowhere, arrays shorter than said,
 *     freeing within a callback what the caller of the callback works on, leaving a callback
 *     otherwise than by return.
 * Memory
 *   - Every allocation may fail: UR_ENOMEM. A constructor then leaves nothing behind; any other
 *     object is as before the call, a tape poisoned until its reset, and may be used again.
 * Threads
 *   - Distinct objects may be used from distinct threads; one object needs one
 *     thread at a time. What says "only reads" may be shared.
 * Shapes
 *   - Dense, row-major, time-major [T,B,...]. T time, B batch, I input,
 *     H hidden, O output, V vocabulary, L layers, D directions, K beam.
 */
#ifndef UNROLL_BASE_H
#define UNROLL_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "unroll/real.h"

#ifdef __cplusplus
extern "C" {
#endif

#define UR_VERSION_MAJOR 0
#define UR_VERSION_MINOR 1
#define UR_VERSION_PATCH 0
#define UR_VERSION "0.1.0"

#if defined(__GNUC__) || defined(__clang__)
#define UR_API __attribute__((visibility("default")))
#define UR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define UR_API
#define UR_PRINTF(fmt, args)
#endif

/* ---- status ------------------------------------------------------------ */

/* XX(name, value, meaning) */
#define UR_STATUS_MAP(XX)                                                     \
    XX(OK, 0, "done")                                                         \
    XX(ENOMEM, -1, "out of memory")                                           \
    XX(EINVAL, -2, "an argument or option is impossible")                     \
    XX(ESHAPE, -3, "shapes do not fit together")                              \
    XX(EINPUT, -4, "an input is missing or cannot be read")                   \
    XX(EDATA, -5, "an input is readable but unusable")                        \
    XX(EFORMAT, -6, "a file is malformed")                                    \
    XX(EVERSION, -7, "a file is of a newer version")                          \
    XX(EOUTPUT, -8, "an output cannot be written")                            \
    XX(EEXIST, -9, "an output exists already")                                \
    XX(ENOTSUP, -10, "not supported by this build or machine")                \
    XX(ENUMERIC, -11, "a number is not finite")                               \
    XX(ECANCELED, -12, "stopped on request")                                  \
    XX(EINTERNAL, -13, "a bug in unroll")

typedef enum ur_status {
#define UR_STATUS_ENUM(name, value, meaning) UR_##name = value,
    UR_STATUS_MAP(UR_STATUS_ENUM)
#undef UR_STATUS_ENUM
} ur_status;

/** Name of a status without its prefix ("ESHAPE"), or "?". Static text. */
UR_API const char *ur_status_name(ur_status status);

/** Text of this thread's last failure: one line, what, where and what to do.
 *  Borrowed, valid until the next failure in this thread; "" if none. */
UR_API const char *ur_errmsg(void);

/** Version of the library in use, "0.1.0". Static text. */
UR_API const char *ur_version(void);

/** Name of the kernel table in use: "avx512", "avx2", "neon", "scalar". Chosen at the
 *  first call of any computing function; the environment's UNROLL_ISA forces
 *  one (an unknown or unsupported name: UR_ENOTSUP through ur_errmsg() and
 *  NULL here, and the best table is used). Static text. */
UR_API const char *ur_kernels(void);

/* ---- structs that can grow --------------------------------------------- */

/* How structs may change while the library keeps its SONAME:
 *   - What a caller fills in, or has filled in (options, ur_batch, ur_chain, ur_check_inputs,
 *     ur_schedule, ur_plan, ur_metrics), begins with `size_t size`, the size that the caller's
 *     header gives it. It may grow at its end.
 *   - What the library makes and lends (ur_report, ur_step, ur_param, ur_typed, ur_weight,
 *     ur_option, ur_answer, ur_confusion) may grow at its end, too: it is read where it is; a copy
 *     is cut where the caller's header ends.
 *   - What is passed by value, or stands in arrays or in structs of the caller's (ur_ids, ur_join,
 *     ur_rename, ur_meta, ur_metric, ur_entity_counts, ur_class_score, ur_field, ur_options,
 *     ur_optimizer_options, ur_start, ur_linear_layer, ur_embedding, ur_crf_layer, ur_pool_layer,
 *     ur_attention_layer, ur_attention_memory, ur_norm_cell, ur_place, ur_candidate,
 *     ur_token_weight, ur_hypothesis), keeps its size.
 *     Members called `room` are for what is to come; they are zero. */

/** Declares NAME_init for a struct NAME with a size. NAME_init(&o) sets it and the defaults; then
 *  the caller changes any of them. A library that is newer or older than the header reads and
 *  writes what both know; it refuses options of which it would have to ignore one, and what was
 *  not initialised (UR_EINVAL). */
#define UR_STRUCT_INIT(NAME)                                                  \
    UR_API void NAME##_init_size(NAME *p, size_t size);                       \
    static inline void NAME##_init(NAME *p)                                   \
    {                                                                         \
        NAME##_init_size(p, sizeof *p);                                       \
    }

/* ---- bytes ------------------------------------------------------------- */

/** Takes the next n bytes of a file or text that is being made (no zero ends them); anything but
 *  UR_OK ends that and is what the caller gets. */
typedef ur_status (*ur_sink)(void *user, const void *bytes, size_t n);

/* ---- types of numbers -------------------------------------------------- */

/** Types that tensors of files have, by their names there and their bits. */
#define UR_TYPE_MAP(XX)                                                       \
    XX(F64, 64) XX(F32, 32) XX(F16, 16) XX(BF16, 16)                          \
    XX(I64, 64) XX(I32, 32) XX(I16, 16) XX(I8, 8)                             \
    XX(U64, 64) XX(U32, 32) XX(U16, 16) XX(U8, 8) XX(BOOL, 8)

typedef enum ur_type {
#define UR_TYPE_ENUM(name, bits) UR_TYPE_##name,
    UR_TYPE_MAP(UR_TYPE_ENUM)
#undef UR_TYPE_ENUM
    UR_TYPES            /* how many there are */
} ur_type;

/* ---- activations ------------------------------------------------------- */

/** Element-wise functions of layers. UR_ACT_SATLIN is the saturated-linear unit
 *  min(max(x,0),1) (Siegelmann and Sontag 1995). */
typedef enum ur_activation {
    UR_ACT_IDENTITY = 0,
    UR_ACT_TANH = 1,
    UR_ACT_RELU = 2,
    UR_ACT_SIGMOID = 3,
    UR_ACT_SATLIN = 4
} ur_activation;

/* ---- memory ------------------------------------------------------------ */

/** One function for all memory: bytes 0 frees; p NULL allocates; else resizes.
 *  Returns NULL on failure (p stays valid). Alignment as malloc. */
typedef void *(*ur_allocator)(void *user, void *p, size_t bytes);

/** Replaces the allocator (NULL: the C library's). Call before any other
 *  function of unroll (undefined while anything is held); not thread-safe. The allocator
 *  itself calls nothing of unroll. */
UR_API void ur_set_allocator(ur_allocator allocator, void *user);

/** Bytes now held through the allocator, and the most ever held. */
UR_API size_t ur_memory_used(void);
UR_API size_t ur_memory_peak(void);

/* ---- threads ----------------------------------------------------------- */

/** A team of threads that computes together. Results do not depend on its
 *  size: the same bits for 1 thread and for 7. */
typedef struct ur_team ur_team;

/** Makes a team of n threads, the caller's among them (n 0: one per core the
 *  process may use). A NULL team is accepted everywhere and means 1 thread.
 *  Errors: UR_EINVAL (n < 0 or > 1024), UR_ENOMEM. */
UR_API ur_status ur_team_new(ur_team **out, int n);
UR_API void ur_team_free(ur_team *team);

/** Threads in the team; 1 for NULL. */
UR_API int ur_team_size(const ur_team *team);

/* ---- random numbers ---------------------------------------------------- */

/** Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as
 *  easy as 1, 2, 3", SC 2011): the 128 random bits of one counter. Every
 *  random number of unroll is a function of (seed, stream, step, index), so it
 *  depends on no thread and no history. */
UR_API void ur_random(uint64_t seed, uint32_t stream, uint64_t step,
                      uint32_t index, uint32_t out[4]);

/** A number in [0,1) with 53 random bits: the first two words of ur_random(). */
UR_API double ur_random_uniform(uint64_t seed, uint32_t stream, uint64_t step,
                                uint32_t index);

#ifdef __cplusplus
}
#endif
#endif
