/* SPDX-License-Identifier: MIT */
/* Tensors of any type beside the parameters: bytes that nothing here computes with. */
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "layer/params.h"

#define NAME(name, bits) #name,
#define BITS(name, bits) bits,
static const char *const names[] = {UR_TYPE_MAP(NAME)};
static const unsigned char bits[] = {UR_TYPE_MAP(BITS)};

static bool is_type(ur_type type)
{
    return (unsigned)type < UR_TYPES;
}

static ur_status append(struct ur__typed_list *list, ur_typed *t)
{
    if (list->n == list->room) {
        int room = list->room ? 2 * list->room : 8;
        ur_typed **more = ur__realloc(list->at, (size_t)room, sizeof *more);
        if (!more)
            return UR_ENOMEM;
        list->at = more;
        list->room = room;
    }
    list->at[list->n++] = t;
    return UR_OK;
}

ur_status ur_params_add_typed(ur_params *params, const char *name, ur_type type, int rank,
                              const int *dim, const ur_typed **out)
{
    size_t size;
    if (out)
        *out = NULL;
    UR__TRY(ur__params_check_new(params, name, rank, dim, &size));
    if (!is_type(type))
        return ur__fail(UR_EINVAL, "tensor %s: there is no type number %d", name, (int)type);
    struct ur__typed_list *list = ur__params_typed(params);
    ur_typed *t = ur__calloc(1, sizeof *t);
    char *copy = ur__strdup(name);
    if (!t || !copy || append(list, t) != UR_OK) {
        ur__free(t);
        ur__free(copy);
        return UR_ENOMEM;
    }
    *t = (ur_typed){.name = copy, .type = type, .rank = rank, .size = size,
                    .bytes = size * bits[type] / 8, .offset = list->bytes};
    memcpy(t->dim, dim, (size_t)rank * sizeof *dim);
    list->bytes += (t->bytes + 63) / 64 * 64;
    if (out)
        *out = t;
    return UR_OK;
}

int ur_params_typed_count(const ur_params *params)
{
    UR__NEED_OR(params, "params", 0);
    return ur__params_typed(params)->n;
}

const ur_typed *ur_params_typed_at(const ur_params *params, int i)
{
    UR__NEED_OR(params, "params", NULL);
    const struct ur__typed_list *list = ur__params_typed(params);
    return i >= 0 && i < list->n ? list->at[i] : NULL;
}

void *ur_typed_data(const ur_params *params, const ur_typed *t, ur_type type)
{
    UR__NEED_OR(params, "params", NULL);
    UR__NEED_OR(t, "t", NULL);
    const struct ur__typed_list *list = ur__params_typed(params);
    if (t->bytes > list->bytes || t->offset > list->bytes - t->bytes) {
        ur__fail(UR_EINVAL, "tensor %s belongs to another store", t->name);
        return NULL;
    }
    if (type != t->type) {
        ur__fail(UR_EINVAL, "tensor %s holds %s, not %s", t->name, names[t->type],
                 is_type(type) ? names[type] : "a known type");
        return NULL;
    }
    return list->memory ? list->memory + t->offset : NULL;
}
