#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trains small models of task fill, loads each stack strictly into a PyTorch module of one
direction, and compares the probabilities of gaps with those of `unroll predict`. Prints how
many and the largest difference.

    python3 tests/torch/fill.py --unroll build/unroll

Needs PyTorch and safetensors; neither the build nor the other tests do.
"""
import argparse
import json
import os
import random
import subprocess
import tempfile

import torch
from safetensors import safe_open
from safetensors.torch import load_file

KINDS = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
WORDS = "red blue green white apple sky grass snow".split()


def stack(tensors, prefix, config, size):
    net = KINDS[config["cell"]](size, config["hidden"][0], len(config["hidden"]))
    net.load_state_dict({k[len(prefix):]: v for k, v in tensors.items() if k.startswith(prefix)})
    return net


def last(net, x):
    """The last output over x [T,E], zeros for none."""
    return net(x.unsqueeze(1))[0][-1, 0] if len(x) else torch.zeros(net.hidden_size)


def shares(path, before, behind):
    with safe_open(path, "pt") as f:
        meta = f.metadata()
    config, words = json.loads(meta["config"]), json.loads(meta["vocab"])["words"]
    tensors = load_file(path)
    table = tensors["embed.weight"] if config["embed"] else torch.eye(len(words))
    forward = stack(tensors, "rnn_forward.", config, table.shape[1])
    backward = stack(tensors, "rnn_backward.", config, table.shape[1])
    ids = [[words.index(w) if w in words else 0 for w in side] for side in (before, behind)]
    h = torch.cat([last(forward, table[ids[0]]), last(backward, table[ids[1]].flip(0))])
    weight = tensors["embed.weight" if config["tie"] else "decoder.weight"]
    return words, torch.softmax(weight @ h + tensors["decoder.bias"], 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--unroll", default="build/unroll")
    unroll = os.path.abspath(parser.parse_args().unroll)
    random.seed(1)
    worst, gaps = 0.0, 0
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        data, model = os.path.join(folder, "data.txt"), os.path.join(folder, "m.safetensors")
        with open(data, "w") as f:
            for _ in range(2000):
                f.write(" ".join(random.choices(WORDS, k=3)) + "\n")
        for options in (["--embed", "8"], ["--layers", "2"], ["--tie", "--hidden", "8"],
                        ["--cell", "gru", "--embed", "5"], ["--cell", "rnn", "--layers", "3"]):
            subprocess.run([unroll, "train", data, "-q", "--task", "fill", "--hidden", "12",
                            "--layers", "1", "--steps", "40", "--seq-length", "12", "--force",
                            "-o", model, *options], check=True)
            for _ in range(20):
                line = random.choices(WORDS, k=5)
                at = random.randrange(5)
                text = " ".join(line[:at] + ["___"] + line[at + 1:])
                out = subprocess.run([unroll, "predict", model, "--json", "--top", "8"],
                                     input=text + "\n", stdout=subprocess.PIPE, check=True,
                                     universal_newlines=True).stdout
                words, want = shares(model, ["</s>"] + line[:at], line[at + 1:] + ["</s>"])
                for got in json.loads(out)["gaps"][0]["best"]:
                    worst = max(worst, abs(got["p"] - float(want[words.index(got["text"])])))
                gaps += 1
    print("%d gaps, largest difference of a probability %.1e" % (gaps, worst))
    assert worst < 1e-6


if __name__ == "__main__":
    main()
