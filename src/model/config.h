/* SPDX-License-Identifier: MIT */
/* A configuration as it stands in a model file. */
#ifndef UR_MODEL_CONFIG_H
#define UR_MODEL_CONFIG_H

#include "io/json.h"
#include "unroll/model.h"

/* Does the network fill gaps, with a stack of layers for each side? */
bool ur__config_fills(const ur_config *config);
/* Numbers that the decoder reads: the last layer's output, of both stacks. */
int ur__config_top(const ur_config *config);

/* From a JSON object: every key must be known, and there unless it may be missed. UR_EFORMAT
 * names the key; whether the values make a possible network is ur_config_check's matter. */
ur_status ur__config_parse(ur_config *out, const struct ur__json *j);

#endif
