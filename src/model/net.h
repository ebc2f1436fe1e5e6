/* SPDX-License-Identifier: MIT */
/* A model's inside, for the files of this floor. */
#ifndef UR_MODEL_NET_H
#define UR_MODEL_NET_H

#include "unroll/model.h"

struct ur_model {
    ur_config config;
    ur_vocab *vocab;
    char *summary;              /* JSON object */
    ur_params *params;
    ur_rnn *rnn;
    ur_rnn *behind;             /* of task fill: reads the text backwards; else NULL */
    ur_embedding embed;         /* config.embed > 0 */
    ur_linear_layer decoder;
};

/* "[512,80]" for messages. Returns out. */
#define UR__DIMS_TEXT 192
const char *ur__dims_text(int rank, const uint64_t *dim, char out[UR__DIMS_TEXT]);
/* A parameter's dimensions; returns its rank. */
int ur__param_dims(const ur_param *p, uint64_t dim[UR_MAX_RANK]);

#endif
