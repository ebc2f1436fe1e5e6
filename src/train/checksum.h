/* SPDX-License-Identifier: MIT */
/* The checksum of a safetensors file of ours: of its tensors and of what its metadata say. */
#ifndef UR_TRAIN_CHECKSUM_H
#define UR_TRAIN_CHECKSUM_H

#include "io/safetensors.h"

/* Names `keys` and their values in the metadata, and their checksum with the data part. */
ur_status ur__checksum_put(struct ur__st_out *out, int n, const char *const *keys,
                           const char *const *values);
/* UR_EFORMAT with a sentence if the file's content is not what was written. */
ur_status ur__checksum_verify(struct ur__st_file *f, const char *path, int n,
                              const char *const *keys, const char *const *values);

#endif
