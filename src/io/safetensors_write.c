/* SPDX-License-Identifier: MIT */
/* Writing safetensors: what was named, in the order of naming, in one atomic file.
 * Nothing from clock, host or path enters it: the same content, the same bytes. */
#include "io/safetensors.h"

#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "io/file.h"
#include "io/json.h"

#define MAX_HEADER ((size_t)16 << 20)   /* the reader's cap */

struct item {
    char *name;
    enum ur__dtype type;
    int rank;
    uint64_t dim[UR__ST_MAX_RANK];
    uint64_t offset, bytes;
    const void *data;       /* borrowed until the save */
};

struct ur__st_out {
    struct ur__json *meta;
    size_t n, capacity;
    struct item *items;
    uint64_t size;          /* of all data */
};

ur_status ur__st_out_new(struct ur__st_out **out)
{
    *out = NULL;
    struct ur__st_out *s = ur__calloc(1, sizeof *s);
    if (!s)
        return UR_ENOMEM;
    s->meta = ur__json_new_object();
    if (!s->meta) {
        ur__free(s);
        return UR_ENOMEM;
    }
    *out = s;
    return UR_OK;
}

void ur__st_out_free(struct ur__st_out *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        ur__free(s->items[i].name);
    ur__free(s->items);
    ur__json_free(s->meta);
    ur__free(s);
}

/* ---- naming ------------------------------------------------------------ */

ur_status ur__st_out_meta(struct ur__st_out *s, const char *key, const char *value)
{
    if (!ur__is_utf8(key) || !ur__is_utf8(value))
        return ur__fail(UR_EINVAL, "metadata \"%.80s\" is not utf-8", key);
    if (ur__json_get(s->meta, key))
        return ur__fail(UR_EINVAL, "metadata \"%.80s\" is named twice", key);
    size_t before = ur__json_size(s->meta);
    ur__json_set_string(s->meta, key, value);
    /* The object remembers the failure too: the save would report it again. */
    return ur__json_size(s->meta) > before ? UR_OK : UR_ENOMEM;
}

static ur_status check_name(const struct ur__st_out *s, const char *name)
{
    if (!*name || !ur__is_utf8(name) || ur__st_name_fault(name) ||
        strcmp(name, "__metadata__") == 0)
        return ur__fail(UR_EINVAL, "\"%.80s\" cannot name a tensor", name);
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->items[i].name, name) == 0)
            return ur__fail(UR_EINVAL, "tensor \"%.80s\" is named twice", name);
    }
    return UR_OK;
}

/* Offsets are written as JSON integers: 63 bits. */
static ur_status measure(const struct ur__st_out *s, struct item *item)
{
    uint64_t bytes = ur__dtype_size(item->type);
    bool empty = false;
    for (int i = 0; i < item->rank; i++) {
        uint64_t dim = item->dim[i];
        empty = empty || dim == 0;
        if (dim > 0 && bytes > INT64_MAX / dim)
            return ur__fail(UR_ESHAPE, "tensor \"%.80s\" is too large", item->name);
        bytes *= dim > 0 ? dim : 1;
    }
    item->bytes = empty ? 0 : bytes;
    item->offset = s->size;
    if (item->bytes > INT64_MAX - s->size || item->bytes > SIZE_MAX)
        return ur__fail(UR_ESHAPE, "tensor \"%.80s\" is too large", item->name);
    return UR_OK;
}

ur_status ur__st_out_tensor(struct ur__st_out *s, const char *name, enum ur__dtype type,
                            int rank, const uint64_t *dim, const void *data)
{
    UR__TRY(check_name(s, name));
    if (rank < 0 || rank > UR__ST_MAX_RANK)
        return ur__fail(UR_ESHAPE, "tensor \"%.80s\" has %d dimensions; 0 to %d are possible",
                        name, rank, UR__ST_MAX_RANK);
    if (s->n == s->capacity) {
        size_t capacity = s->capacity ? 2 * s->capacity : 16;
        struct item *larger = ur__realloc(s->items, capacity, sizeof *larger);
        if (!larger)
            return UR_ENOMEM;
        s->items = larger;
        s->capacity = capacity;
    }
    struct item *item = &s->items[s->n];
    *item = (struct item){.type = type, .rank = rank, .data = data};
    for (int i = 0; i < rank; i++)
        item->dim[i] = dim[i];
    item->name = ur__strdup(name);
    if (!item->name)
        return UR_ENOMEM;
    ur_status status = measure(s, item);
    if (status != UR_OK) {
        ur__free(item->name);
        return status;
    }
    s->size += item->bytes;
    s->n++;
    return UR_OK;
}

uint32_t ur__st_out_crc(const struct ur__st_out *s)
{
    uint32_t crc = 0;
    for (size_t i = 0; i < s->n; i++)
        crc = ur__crc32(crc, s->items[i].data, (size_t)s->items[i].bytes);
    return crc;
}

/* ---- saving ------------------------------------------------------------ */

static ur_status describe(const struct item *item, struct ur__buf *to)
{
    struct ur__json *j = ur__json_new_object(), *shape = ur__json_new_array();
    struct ur__json *offsets = ur__json_new_array();
    for (int i = 0; i < item->rank; i++)
        ur__json_add_int(shape, (int64_t)item->dim[i]);
    ur__json_add_int(offsets, (int64_t)item->offset);
    ur__json_add_int(offsets, (int64_t)(item->offset + item->bytes));
    ur__json_set_string(j, "dtype", ur__dtype_name(item->type));
    ur__json_set(j, "shape", shape);
    ur__json_set(j, "data_offsets", offsets);
    /* As the one member of an object, whose braces are then cut off. */
    struct ur__json *outer = ur__json_new_object();
    ur__json_set(outer, item->name, j);
    struct ur__buf text = {0};
    ur_status status = ur__json_dump(outer, &text);
    if (status == UR_OK)
        status = ur__buf_put(to, text.data + 1, text.size - 2);
    ur__buf_free(&text);
    ur__json_free(outer);
    return status;
}

/* The header, padded so that the data begins at a multiple of 8. */
static ur_status make_header(const struct ur__st_out *s, struct ur__buf *to)
{
    bool any = ur__json_size(s->meta) > 0;
    if (ur__json_size(s->meta) > UR__JSON_MAX_VALUES - 2)     /* with both objects */
        return ur__fail(UR_EDATA, "%zu strings of metadata are too many", ur__json_size(s->meta));
    UR__TRY(ur__buf_puts(to, "{"));
    if (any) {
        UR__TRY(ur__buf_puts(to, "\"__metadata__\":"));
        UR__TRY(ur__json_dump(s->meta, to));
    }
    for (size_t i = 0; i < s->n; i++) {
        if (any || i)
            UR__TRY(ur__buf_puts(to, ","));
        UR__TRY(describe(&s->items[i], to));
    }
    UR__TRY(ur__buf_puts(to, "}"));
    while (to->size % 8)
        UR__TRY(ur__buf_puts(to, " "));
    if (to->size > MAX_HEADER)
        return ur__fail(UR_EDATA, "names and metadata take %zu bytes, a header holds %zu",
                        to->size, MAX_HEADER);
    return UR_OK;
}

ur_status ur__st_out_size(const struct ur__st_out *s, uint64_t *bytes)
{
    struct ur__buf header = {0};
    ur_status status = make_header(s, &header);
    *bytes = 8 + header.size + s->size;
    ur__buf_free(&header);
    return status;
}

static ur_status write_all(const struct ur__st_out *s, const struct ur__buf *header, ur_sink write,
                           void *user)
{
    unsigned char length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)header->size >> 8 * i);
    UR__TRY(write(user, length, sizeof length));
    UR__TRY(write(user, header->data, header->size));
    for (size_t i = 0; i < s->n; i++)
        if (s->items[i].bytes > 0)
            UR__TRY(write(user, s->items[i].data, (size_t)s->items[i].bytes));
    return UR_OK;
}

static ur_status to_writer(void *user, const void *bytes, size_t n)
{
    return ur__writer_write(user, bytes, n);
}

/* The header, where it can be written at all. */
static ur_status begin(const struct ur__st_out *s, struct ur__buf *header)
{
    if (*(const unsigned char *)&(const uint16_t){1} != 1)
        return ur__fail(UR_ENOTSUP, "safetensors files need a little-endian machine");
    return make_header(s, header);
}

ur_status ur__st_out_put(struct ur__st_out *s, ur_sink write, void *user)
{
    struct ur__buf header = {0};
    ur_status status = begin(s, &header);
    if (status == UR_OK)
        status = write_all(s, &header, write, user);
    ur__buf_free(&header);
    return status;
}

ur_status ur__st_out_save_keeping(struct ur__st_out *s, const char *path, const char *previous)
{
    struct ur__buf header = {0};
    struct ur__writer *w = NULL;
    ur_status status = begin(s, &header);
    if (status == UR_OK)
        status = ur__writer_open(&w, path);
    if (status == UR_OK)
        status = write_all(s, &header, to_writer, w);
    if (status == UR_OK)
        status = ur__writer_commit_keeping(w, previous);
    else
        ur__writer_abort(w);
    ur__buf_free(&header);
    return status;
}

ur_status ur__st_out_save(struct ur__st_out *s, const char *path)
{
    return ur__st_out_save_keeping(s, path, NULL);
}
