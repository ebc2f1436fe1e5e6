/* SPDX-License-Identifier: MIT */
/* What layers need of the parameter store beyond the public half. */
#ifndef UR_LAYER_PARAMS_H
#define UR_LAYER_PARAMS_H

#include "unroll/layer.h"

/* Tensors of any type (typed.c), in the order of their declaration. */
struct ur__typed_list {
    ur_typed **at;
    int n, room;
    size_t bytes;
    char *memory;           /* NULL before the store is built */
};
struct ur__typed_list *ur__params_typed(const ur_params *params);
/* UR_EINVAL unless a tensor of that name and shape can be declared; *size: its numbers. */
ur_status ur__params_check_new(const ur_params *params, const char *name, int rank, const int *dim,
                               size_t *size);

bool ur__params_built(const ur_params *params);
/* Gradient of one trained view. */
ur_real *ur__param_grad(const ur_params *params, const ur_param *p);
/* A parameter PREFIX.NAME that a layer declares. */
struct ur__param_new {
    const char *prefix, *name;
    int rank;
    int dim[2];
    ur_init init;
    double scale;
    /* Added to its initial values [shift_begin, shift_begin + shift_n). */
    size_t shift_begin, shift_n;
    double shift;
};
ur_status ur__params_declare(ur_params *params, const struct ur__param_new *p,
                             const ur_param **out);
/* Whether gradients are to be reported. */
bool ur__params_reports(const ur_params *params);
/* True if the caller must report p: it is trained, the tape records, and nothing earlier in the
 * round uses it. */
bool ur__params_claim(const ur_params *params, const ur_tape *tape, const ur_param *p);
/* The gradient of p is final. */
void ur__params_report(const ur_params *params, const ur_param *p);
/* Notes (a copy of) the options of the recurrent net whose first parameter is the i-th, for files;
 * NULL: none begins there. */
ur_status ur__params_set_form(ur_params *params, int i, const ur_rnn_options *options);
const ur_rnn_options *ur__params_form(const ur_params *params, int i);
/* Forgets all declarations after the first n: a constructor that fails leaves none. */
void ur__params_truncate(ur_params *params, int n);
/* Memory without drawing values: for parameters that are read from a file. */
ur_status ur__params_build_zeros(ur_params *params);
/* Exchanges n values. */
void ur__swap_values(size_t n, ur_real *a, ur_real *b);
/* Counts updates of the values, so that whoever packed them can tell that they have changed. */
uint64_t ur__params_version(const ur_params *params);
void ur__params_changed(ur_params *params);
/* A parameter's dimensions; returns its rank. */
int ur__param_dims(const ur_param *p, uint64_t dim[UR_MAX_RANK]);
/* "[512,80]" for messages. Returns out. */
#define UR__DIMS_TEXT 192
const char *ur__dims_text(int rank, const uint64_t *dim, char out[UR__DIMS_TEXT]);

#endif
