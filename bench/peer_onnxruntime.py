#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ONNX Runtime on the rows without gradients: peer_onnxruntime.py THREADS, then the lines of
worker.h. One LSTM, GRU or RNN node; outputs stay where they are from call to call."""
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import worker
from worker import GATES, STEPS_A_CALL, STREAM_X

ORDER = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "rnn": (0,)}    # of PyTorch's gates: iofc, zrh


def reordered(w, cell, H):
    return np.concatenate([w[g * H:(g + 1) * H] for g in ORDER[cell]])


def model(row):
    w_ih, w_hh, b_ih, b_hh = (reordered(w, row.cell, row.H) for w in worker.layer_weights(row)[0])
    c = row.cell == "lstm"
    attributes = {"hidden_size": row.H}
    if row.cell == "gru":
        attributes["linear_before_reset"] = 1
    state = [1, row.B, row.H]
    inputs = ["X", "W", "R", "B", "", "h"] + ["c"] * c
    outputs = ["Y", "h_out"] + ["c_out"] * c
    node = helper.make_node(row.cell.upper(), inputs, outputs, **attributes)
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [node], "layer",
        [info("X", TensorProto.FLOAT, [row.T, row.B, row.H])] +
        [info(name, TensorProto.FLOAT, state) for name in inputs[5:]],
        [info("Y", TensorProto.FLOAT, [row.T, 1, row.B, row.H])] +
        [info(name, TensorProto.FLOAT, state) for name in outputs[1:]],
        [numpy_helper.from_array(w_ih[None], "W"), numpy_helper.from_array(w_hh[None], "R"),
         numpy_helper.from_array(np.concatenate([b_ih, b_hh])[None], "B")])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(made)
    return made.SerializeToString(), inputs[5:], outputs[1:]


class Net:
    def __init__(self, row):
        assert GATES[row.cell] == len(ORDER[row.cell])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        data, states_in, states_out = model(row)
        self.session = onnxruntime.InferenceSession(data, options,
                                                    providers=["CPUExecutionProvider"])
        self.steps = row.kind == "step"
        x = worker.fill((row.T, row.B, row.H), STREAM_X, 1.0)
        place = onnxruntime.OrtValue.ortvalue_from_numpy
        self.x = place(x)
        self.y = place(np.zeros((row.T, 1, row.B, row.H), np.float32))
        zeros = np.zeros((1, row.B, row.H), np.float32)
        states = [[place(zeros.copy()) for _ in states_in] for _ in range(2)]
        # Two bindings, so that a step reads the state that the one before has written.
        self.bindings = []
        for old, new in ((0, 1), (1, 0)):
            b = self.session.io_binding()
            b.bind_ortvalue_input("X", self.x)
            b.bind_ortvalue_output("Y", self.y)
            for i, name in enumerate(states_in):
                b.bind_ortvalue_input(name, states[old][i])
            for i, name in enumerate(states_out):
                b.bind_ortvalue_output(name, states[new][i])
            self.bindings.append(b)

    def call(self):
        if not self.steps:
            self.session.run_with_iobinding(self.bindings[0])
            return
        for i in range(STEPS_A_CALL):
            self.session.run_with_iobinding(self.bindings[i % 2])

    def values(self):
        self.call()
        return {"y": self.y.numpy()}


def make(row):
    return Net(row) if row.kind in ("infer", "step") and row.L == 1 else None


if __name__ == "__main__":
    threads = int(sys.argv[1])
    worker.serve("onnxruntime " + onnxruntime.__version__, make)
