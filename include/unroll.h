/* SPDX-License-Identifier: MIT */
/*
 * unroll.h: recurrent neural networks in C. All that a user includes.
 *
 *   real.h    the number type
 *   base.h    status and messages, memory, threads, random numbers
 *   options.h options by name: networks, training, their ranges and help
 *   tensor.h  tensors and automatic differentiation on a tape
 *   rnn.h     which recurrent cells there are; the observer
 *   layer.h   parameters, layers, recurrent nets, cells of one's own
 *   cells.h   cells written on the tape
 *   data.h    text to token numbers and back
 *   model.h   configuration, network and vocabulary as one file
 *   decode.h  running a model, drawing text
 *   exchange.h  weights of other programs: PyTorch's safetensors
 *   metric.h  losses and series to readable numbers
 *   train.h   optimizers and schedules
 *   task.h    whole jobs: training and measuring
 */
#ifndef UNROLL_H
#define UNROLL_H

#include "unroll/real.h"
#include "unroll/base.h"
#include "unroll/options.h"
#include "unroll/tensor.h"
#include "unroll/rnn.h"
#include "unroll/layer.h"
#include "unroll/cells.h"
#include "unroll/data.h"
#include "unroll/model.h"
#include "unroll/decode.h"
#include "unroll/exchange.h"
#include "unroll/metric.h"
#include "unroll/train.h"
#include "unroll/task.h"

#endif
