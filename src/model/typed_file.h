/* SPDX-License-Identifier: MIT */
/* Tensors of any type (ur_typed) in files: the same type, the same bytes. */
#ifndef UR_MODEL_TYPED_FILE_H
#define UR_MODEL_TYPED_FILE_H

#include "io/safetensors.h"
#include "unroll/layer.h"

/* UR_EDATA (another type), UR_ESHAPE unless the file's tensor is what t wants; no path is named. */
ur_status ur__typed_check(const struct ur__st_tensor *in_file, const ur_typed *t);
/* Names it for a file. UR_ENUMERIC: it holds NaN or Inf. */
ur_status ur__typed_out(struct ur__st_out *out, const char *name, const ur_params *params,
                        const ur_typed *t);
/* Its bytes, of t->bytes. UR_ENUMERIC: NaN or Inf. */
ur_status ur__typed_in(struct ur__st_file *f, const struct ur__st_tensor *in_file,
                       const ur_typed *t, void *to);

#endif
