/* SPDX-License-Identifier: MIT */
/* For the memory sanitizer, which sees what its own compiler has built and so takes what zlib
 * writes for uninitialised. The linker leads its calls here (--wrap in sanitize.sh): what it wrote
 * is declared written, and libc's functions are not checked while it calls them. Empty in every
 * other build. */
#ifdef __has_feature
#if __has_feature(memory_sanitizer) && UR__HAVE_ZLIB

#include <sanitizer/msan_interface.h>
#include <zlib.h>

/* NAME(parameters) calls __real_NAME(arguments) without checks. */
#define UNCHECKED(type, name, parameters, arguments)                          \
    type __real_##name parameters;                                            \
    type __wrap_##name parameters;                                            \
    type __wrap_##name parameters                                             \
    {                                                                         \
        __msan_scoped_disable_interceptor_checks();                           \
        type result = __real_##name arguments;                                \
        __msan_scoped_enable_interceptor_checks();                            \
        return result;                                                        \
    }

UNCHECKED(gzFile, gzopen, (const char *path, const char *mode), (path, mode))
UNCHECKED(int, gzwrite, (gzFile f, const void *from, unsigned n), (f, from, n))
UNCHECKED(int, gzclose, (gzFile f), (f))

/* The same for zlib's streams, which also say what they wrote. */
#define STREAM(name)                                                          \
    int __real_##name(z_streamp z, int flush);                                \
    int __wrap_##name(z_streamp z, int flush);                                \
    int __wrap_##name(z_streamp z, int flush)                                 \
    {                                                                         \
        const unsigned char *out = z->next_out;                               \
        __msan_scoped_disable_interceptor_checks();                           \
        int code = __real_##name(z, flush);                                   \
        __msan_scoped_enable_interceptor_checks();                            \
        __msan_unpoison(z, sizeof *z);                                        \
        __msan_unpoison(out, (size_t)(z->next_out - out));                    \
        return code;                                                          \
    }

STREAM(inflate)
STREAM(deflate)

#endif
#endif

typedef int msan_c_is_not_empty;
