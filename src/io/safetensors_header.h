/* SPDX-License-Identifier: MIT */
/* The header of a safetensors file, taken apart and checked against the file's size. */
#ifndef UR_IO_SAFETENSORS_HEADER_H
#define UR_IO_SAFETENSORS_HEADER_H

#include "io/safetensors.h"

struct ur__st_string {
    const char *key, *value;
};

/* Zeroed it is empty. */
struct ur__st_header {
    size_t n, n_meta;
    struct ur__st_tensor *tensors;              /* [n] in the order of the data */
    const struct ur__st_tensor **by_name;       /* [n] sorted */
    const struct ur__st_string *meta;           /* [n_meta] in the header's order */
    const struct ur__st_string **by_key;        /* [n_meta] sorted */
    char *names;                                /* of the tensors, one after the other */
    struct ur__json *metadata;                  /* holds the strings; NULL: none */
};

/* Reads n bytes of text, which are overwritten, of a file with data_size bytes of data
 * after them. UR_EFORMAT names the path, the fault and where it is. Free in any case. */
ur_status ur__st_header_read(struct ur__st_header *h, const char *path, char *text, size_t n,
                             uint64_t data_size);
void ur__st_header_free(struct ur__st_header *h);

const struct ur__st_tensor *ur__st_header_find(const struct ur__st_header *h, const char *name);
const char *ur__st_header_meta(const struct ur__st_header *h, const char *key);

#endif
