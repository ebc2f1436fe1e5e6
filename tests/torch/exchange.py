#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Exchanges weights with PyTorch both ways: random nn.RNN, nn.LSTM and nn.GRU of every
shape that they have are saved in four types, read and run by exchange.c, written back, and
loaded strictly. Prints how many and the largest error max|a-b| / max(1, max|b|).

    python3 tests/torch/exchange.py --build build

Needs PyTorch, safetensors and a C compiler; neither the build nor the other tests do.
"""
import argparse
import itertools
import os
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
KINDS = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
TYPES = (torch.float64, torch.float32, torch.float16, torch.bfloat16)


def compile_helper(build, to):
    flags = subprocess.run(["pkg-config", "--libs", "jansson", "zlib"], check=True,
                           stdout=subprocess.PIPE, universal_newlines=True).stdout.split()
    subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-O2", "-Wall", "-Wextra",
                    "-I" + os.path.join(ROOT, "include"), os.path.join(HERE, "exchange.c"),
                    os.path.join(build, "libunroll.a"), "-o", to] + flags + ["-pthread", "-lm"],
                   check=True)


def cases():
    for cell, layers, directions, bias in itertools.product(KINDS, (1, 3), (1, 2), (True, False)):
        for variant in {"rnn": ("tanh", "relu"), "lstm": (0, 3), "gru": (0,)}[cell]:
            yield cell, layers, directions, bias, variant


def error(a, b):
    return float((a - b).abs().max() / max(1.0, float(b.abs().max())))


def check(helper, folder, case, dtype):
    cell, layers, directions, bias, variant = case
    sizes = 5, 7, layers
    options = {"bias": bias, "bidirectional": directions == 2}
    if cell != "gru":
        options["nonlinearity" if cell == "rnn" else "proj_size"] = variant
    net = KINDS[cell](*sizes, **options).to(dtype).to(torch.float32)
    again = KINDS[cell](*sizes, **options)
    paths = [os.path.join(folder, name) for name in ("w", "x", "back", "y")]
    save_file({"net.core." + k: v.to(dtype) for k, v in net.state_dict().items()}, paths[0])
    x = torch.randn(6, 3, 5)
    save_file({"x": x}, paths[1])
    numbers = [*sizes, directions, variant if cell == "lstm" else 0, 2 if bias else 0,
               int(variant == "relu")]
    subprocess.run([helper, *paths[:2], cell, *map(str, numbers), *paths[2:]], check=True)
    back = load_file(paths[2])
    again.load_state_dict({k.removeprefix("net.core."): v for k, v in back.items()}, strict=True)
    for key, value in net.state_dict().items():
        assert torch.equal(value, again.state_dict()[key]), key
    with torch.no_grad():
        y, state = net.double()(x.double())
    got = load_file(paths[3])
    h, c = state if cell == "lstm" else (state, None)
    return max([error(got["y"], y), error(got["h"], h)] +
               ([error(got["c"], c)] if c is not None else []))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default="build", help="folder with libunroll.a")
    options = parser.parse_args()
    torch.manual_seed(1)
    n, worst = 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        helper = os.path.join(folder, "exchange")
        compile_helper(options.build, helper)
        for case, dtype in itertools.product(cases(), TYPES):
            try:
                worst = max(worst, check(helper, folder, case, dtype))
            except Exception:
                print("failed:", *case, dtype)
                raise
            n += 1
    print("exchange: %d nets, largest error %.2g" % (n, worst))
    return 0 if worst <= 1e-5 else 1


if __name__ == "__main__":
    sys.exit(main())
