/* SPDX-License-Identifier: MIT */
/* How well each label of a model is told: what `unroll eval --verbose` adds. */
#ifndef CLI_CLASSES_H
#define CLI_CLASSES_H

#include "base/text.h"
#include "unroll/metric.h"

/* Appends an empty line and a table: precision, recall and F1 of each label in per cent and how
 * often it is there; then their means, plain (macro) and by that number (weighted). */
ur_status classes_put(struct ur__buf *to, const ur_confusion *c);

#endif
