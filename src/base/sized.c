/* SPDX-License-Identifier: MIT */
#include "base/sized.h"

#include <string.h>

#include "base/status.h"

/* No header has a struct as large; memory that nobody initialised mostly says that it is. */
#define MOST_BYTES ((size_t)1 << 20)

void ur__sized_init(void *to, size_t size, const void *defaults, size_t ours)
{
    if (!to || size < sizeof size || size > MOST_BYTES) {
        ur__fail(UR_EINVAL, "a struct of %zu bytes cannot be initialised", to ? size : 0);
        return;
    }
    memset(to, 0, size);
    memcpy(to, defaults, size < ours ? size : ours);
    memcpy(to, &size, sizeof size);
}

static size_t size_of(const void *p)
{
    size_t size;
    memcpy(&size, p, sizeof size);
    return size;
}

/* The struct that NAME_init makes. */
static int name_length(const char *init)
{
    return (int)(strlen(init) - strlen("_init"));
}

ur_status ur__sized_check(const void *p, const char *init)
{
    size_t size = size_of(p);
    if (size < sizeof size || size > MOST_BYTES)
        return ur__fail(UR_EINVAL, "%.*s is not initialised: call %s first",
                        name_length(init), init, init);
    return UR_OK;
}

void ur__sized_write(void *to, const void *from, size_t ours)
{
    ur__sized_init(to, size_of(to), from, ours);
}

ur_status ur__sized_read(void *to, const void *from, const void *defaults, size_t ours,
                         const char *init)
{
    size_t size = size_of(from);
    UR__TRY(ur__sized_check(from, init));
    for (size_t i = ours; i < size; i++)
        if (((const char *)from)[i])
            return ur__fail(UR_EINVAL, "%.*s is of a newer version of unroll and sets what this "
                            "version, " UR_VERSION ", does not have", name_length(init), init);
    memcpy(to, defaults, ours);
    memcpy(to, from, size < ours ? size : ours);
    memcpy(to, &ours, sizeof ours);
    return UR_OK;
}
