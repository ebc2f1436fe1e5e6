# SPDX-License-Identifier: MIT
"""What the Python programs under measurement share: the lines of worker.h, the numbers of row.c."""
import math
import sys
import time

import numpy as np

VOCABULARY = 65
STEPS_A_CALL = 100
BATCHES = 8
STREAM_X, STREAM_IDS = 100, 101
GATES = {"lstm": 4, "gru": 3, "rnn": 1}


class Row:
    def __init__(self, text):
        self.kind, self.cell, *sizes = text.split()
        self.T, self.B, self.H, self.L = map(int, sizes[:4])
        self.D = int(sizes[4]) if len(sizes) > 4 else 1
        self.units = STEPS_A_CALL if self.kind in ("step", "sample") else \
            BATCHES * self.B if self.kind.startswith(("classify", "tag")) else 1


def random(i, stream):
    """row_random for an array of numbers."""
    x = np.asarray(i).astype(np.uint32) * np.uint32(0x9e3779b1)
    x += np.uint32(stream * 0x85ebca77 & 0xffffffff)
    x = (x ^ x >> np.uint32(16)) * np.uint32(0x7feb352d)
    x = (x ^ x >> np.uint32(15)) * np.uint32(0x846ca68b)
    return x ^ x >> np.uint32(16)


def fill(shape, stream, scale):
    u = (random(np.arange(math.prod(shape)), stream) >> np.uint32(8)) / 8388608.0 - 1.0
    return (u * scale).astype(np.float32).reshape(shape)


def characters(shape, stream):
    ids = random(np.arange(math.prod(shape)), stream) % np.uint32(VOCABULARY)
    return ids.astype(np.int64).reshape(shape)


def lengths(row):
    """row_lengths"""
    b = np.arange(row.B)
    return 1 + b * 37 % row.B * (row.T - 1) // max(row.B - 1, 1) if row.B > 1 else np.full(1, row.T)


def layer_weights(row):
    """weight_ih, weight_hh, bias_ih, bias_hh of each layer, in PyTorch's layout."""
    G, H = GATES[row.cell], row.H
    shapes = [(G * H, H), (G * H, H), (G * H,), (G * H,)]
    return [[fill(shape, 4 * layer + i, 1 / math.sqrt(H)) for i, shape in enumerate(shapes)]
            for layer in range(row.L)]


def write(path, values):
    with open(path, "wb") as f:
        for name, value in values.items():
            value = np.ascontiguousarray(value, dtype=np.float32)
            f.write(b"%s %d\n" % (name.encode(), value.size))
            f.write(value.tobytes())


def timed(net, row, seconds):
    begin = before = time.perf_counter()
    net.call()
    now = time.perf_counter()
    took = [(now - before) / row.units] if now - before > seconds else []
    begin = now
    while not took or (now - begin < seconds and len(took) < 1000):
        before = time.perf_counter()
        net.call()
        now = time.perf_counter()
        took.append((now - before) / row.units)
    return took


def serve(hello, make):
    """make(row): an object with call() and values(), or None where there is no such row."""
    print(hello, flush=True)
    text, net = None, None
    for line in sys.stdin:
        what, _, rest = line.strip().partition(" ")
        argument, row_text = ("", rest) if what == "memory" else rest.split(" ", 1)
        try:
            row = Row(row_text)
            if what != "time" or text != row_text:
                net = None      # the old one's memory first
                net, text = make(row), row_text if what == "time" else None
            if net is None:
                answer = "none"
            elif what == "time":
                answer = " ".join("%.9g" % t for t in timed(net, row, float(argument)))
            elif what == "values":
                write(argument, net.values())
                answer = "ok"
            else:
                answer = "%d" % net.memory() if hasattr(net, "memory") else "none"
        except Exception as e:  # whatever a peer throws is its answer, not our end
            answer = "error " + " ".join(str(e).split())
        print(answer, flush=True)
