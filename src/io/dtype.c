/* SPDX-License-Identifier: MIT */
/* The element types of safetensors files. */
#include "io/safetensors.h"

#include <string.h>

static const struct {
    const char *name;
    size_t size;
} types[] = {
    [UR__F64] = {"F64", 8}, [UR__F32] = {"F32", 4},
    [UR__F16] = {"F16", 2}, [UR__BF16] = {"BF16", 2},
    [UR__I64] = {"I64", 8}, [UR__I32] = {"I32", 4}, [UR__I16] = {"I16", 2}, [UR__I8] = {"I8", 1},
    [UR__U64] = {"U64", 8}, [UR__U32] = {"U32", 4}, [UR__U16] = {"U16", 2}, [UR__U8] = {"U8", 1},
    [UR__BOOL] = {"BOOL", 1},
};

size_t ur__dtype_size(enum ur__dtype type)
{
    return types[type].size;
}

const char *ur__dtype_name(enum ur__dtype type)
{
    return types[type].name;
}

bool ur__dtype_find(const char *name, enum ur__dtype *out)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, name) == 0) {
            *out = (enum ur__dtype)i;
            return true;
        }
    }
    return false;
}

enum ur__dtype ur__st_real_type(void)
{
    return sizeof(ur_real) == sizeof(float) ? UR__F32 : UR__F64;
}
