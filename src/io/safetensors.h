/* SPDX-License-Identifier: MIT */
/* The safetensors format: 8 bytes little-endian header length, a JSON header,
 * the tensors' bytes. Read strictly: every size is checked against the file
 * before memory is taken; the tensors tile the data without gap or overlap;
 * header at most 16 MiB. A tensor whose numbers cannot be read here is listed all
 * the same. docs/FORMAT.md says what is refused and why. Little-endian hosts only (checked).
 * Source: github.com/huggingface/safetensors, README "Format". */
#ifndef UR_IO_SAFETENSORS_H
#define UR_IO_SAFETENSORS_H

#include "unroll/base.h"

enum ur__dtype {
#define UR__DTYPE(name, bits) UR__##name = UR_TYPE_##name,
    UR_TYPE_MAP(UR__DTYPE)
#undef UR__DTYPE
    UR__OTHER       /* listed, not read: 8 bits and fewer, complex, whatever comes */
};
/* Of all but UR__OTHER. */
size_t ur__dtype_size(enum ur__dtype type);
const char *ur__dtype_name(enum ur__dtype type);    /* "F32" ... */
/* *bits: of one number; 0: the name is not known. */
enum ur__dtype ur__dtype_find(const char *name, unsigned *bits);

#define UR__ST_MAX_RANK 8
struct ur__st_tensor {
    const char *name;           /* may be empty */
    const char *type_name;      /* as the file has it */
    enum ur__dtype type;
    int rank;                   /* -1: more dimensions than dim can hold */
    uint64_t dim[UR__ST_MAX_RANK];
    uint64_t n;                 /* numbers: the product of all dimensions */
    uint64_t offset, bytes;     /* in the data part */
};

/* ---- reading ----------------------------------------------------------- */

struct ur__st_file;
/* UR_EINPUT, UR_EFORMAT (names the path and the fault). A file that is refused took at
 * most 64 times its header and 1 MiB of memory. */
ur_status ur__st_open(struct ur__st_file **out, const char *path);
/* The same of n bytes in memory, borrowed until the close. name (NULL: "memory"): what messages
 * call it. */
ur_status ur__st_open_memory(struct ur__st_file **out, const void *bytes, size_t n,
                             const char *name);
/* The path, or that name. */
const char *ur__st_path(const struct ur__st_file *f);
void ur__st_close(struct ur__st_file *f);
size_t ur__st_count(const struct ur__st_file *f);
const struct ur__st_tensor *ur__st_at(const struct ur__st_file *f, size_t i);
const struct ur__st_tensor *ur__st_find(const struct ur__st_file *f, const char *name); /* NULL */
/* A __metadata__ string, NULL if absent; the i-th key in the order of the header. */
const char *ur__st_meta(const struct ur__st_file *f, const char *key);
const char *ur__st_meta_key(const struct ur__st_file *f, size_t i);
/* All values of a tensor as ur_real, from F64, F32, F16 or BF16 (else UR_EDATA); out has
 * room for n, as many as the tensor has. */
ur_status ur__st_read_real(struct ur__st_file *f, const struct ur__st_tensor *t,
                           ur_real *out, size_t n);
/* Are they finite as ur_real? UR_ENUMERIC names the element. Takes no memory. */
ur_status ur__st_check_finite(struct ur__st_file *f, const struct ur__st_tensor *t);
/* The tensor's bytes as they are. */
ur_status ur__st_read_raw(struct ur__st_file *f, const struct ur__st_tensor *t,
                          void *out, size_t bytes);
/* CRC-32 of the data part (all tensors' bytes in file order). */
ur_status ur__st_data_crc(struct ur__st_file *f, uint32_t *crc);

/* ---- writing ----------------------------------------------------------- */

/* What a name must not be for the file to be read again; NULL: nothing. */
const char *ur__st_name_fault(const char *name);
/* Tensors and metadata are named first, then saved in one go: the same content
 * gives the same bytes. Strings are copied; data is borrowed until the save. */
struct ur__st_out;
ur_status ur__st_out_new(struct ur__st_out **out);
void ur__st_out_free(struct ur__st_out *s);
ur_status ur__st_out_meta(struct ur__st_out *s, const char *key, const char *value);
ur_status ur__st_out_tensor(struct ur__st_out *s, const char *name, enum ur__dtype type,
                            int rank, const uint64_t *dim, const void *data);
/* CRC-32 of the data part as it will be written. */
uint32_t ur__st_out_crc(const struct ur__st_out *s);
/* How many bytes the file has; makes its header, as a save does. */
ur_status ur__st_out_size(const struct ur__st_out *s, uint64_t *bytes);
/* Writes the file atomically. Metadata first, in order of naming; data in order of
 * naming, 8-byte aligned start by padding the header with spaces. */
ur_status ur__st_out_save(struct ur__st_out *s, const char *path);
/* The same; the file that was there is kept as `previous` (NULL: not), of the same folder. */
ur_status ur__st_out_save_keeping(struct ur__st_out *s, const char *path, const char *previous);

/* Gives the same bytes to write, piece by piece. */
ur_status ur__st_out_put(struct ur__st_out *s, ur_sink write, void *user);

/* The type that ur_real has in files: UR__F32, or UR__F64 in the double build. */
enum ur__dtype ur__st_real_type(void);

#endif
