/* SPDX-License-Identifier: MIT */
/* The element types of safetensors files. */
#include "io/safetensors.h"

#include <string.h>

static const struct {
    const char *name;
    unsigned bits;
} types[] = {
#define ENTRY(name, bits) {#name, bits},
    UR_TYPE_MAP(ENTRY)
    /* From here on UR__OTHER: those of safetensors 0.8 that are not read. */
    {"F4", 4}, {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8},
    {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"C64", 64},
};

size_t ur__dtype_size(enum ur__dtype type)
{
    return types[type].bits / 8;
}

const char *ur__dtype_name(enum ur__dtype type)
{
    return types[type].name;
}

enum ur__dtype ur__dtype_find(const char *name, unsigned *bits)
{
    *bits = 0;
    for (int i = 0; i < (int)(sizeof types / sizeof *types); i++) {
        if (strcmp(types[i].name, name) == 0) {
            *bits = types[i].bits;
            return i < UR__OTHER ? (enum ur__dtype)i : UR__OTHER;
        }
    }
    return UR__OTHER;
}

enum ur__dtype ur__st_real_type(void)
{
    return sizeof(ur_real) == sizeof(float) ? UR__F32 : UR__F64;
}
