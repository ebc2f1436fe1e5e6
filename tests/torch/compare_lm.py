#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trains the same language model with PyTorch as `unroll train` does, an LSTM over
characters or words: same initial weights (written by `unroll train --steps 0`), same
batches, same optimizer, and prints the held-out loss of both.

    python3 tests/torch/compare_lm.py --unroll build/unroll DATA.txt.gz [--epochs 10]
    python3 tests/torch/compare_lm.py --unroll build/unroll DATA.txt.gz --tokens word \
        --embed 128 --layers 1 --epochs 4

Needs PyTorch and numpy; neither the build nor the other tests do.
"""
import argparse
import gzip
import json
import os
import struct
import subprocess
import tempfile
import time

import numpy as np
import torch


def read_header(path):
    with open(path, "rb") as f:
        size, = struct.unpack("<Q", f.read(8))
        return json.loads(f.read(size)), f.read()


def read_safetensors(path):
    header, data = read_header(path)
    tensors = {}
    for name, t in header.items():
        if name == "__metadata__":
            continue
        begin, end = t["data_offsets"]
        assert t["dtype"] == "F32"
        values = np.frombuffer(data[begin:end], dtype="<f4").reshape(t["shape"])
        tensors[name] = torch.from_numpy(values.copy())
    return tensors


def read_tokens(path, model):
    """The numbers of a text's tokens, by the vocabulary of a model file."""
    opened = gzip.open(path, "rb") if path.endswith(".gz") else open(path, "rb")
    with opened as f:
        text = f.read().decode("utf-8")
    vocab = json.loads(read_header(model)[0]["__metadata__"]["vocab"])
    if vocab["tokens"] == "char":
        number = {chr(c): i for i, c in enumerate(vocab["codes"])}
        return torch.tensor([number[c] for c in text]), len(number)
    number = {w: i for i, w in enumerate(vocab["words"])}
    words = [w for line in text.split("\n") for w in line.split() + ["</s>"]][:-1]
    return torch.tensor([number.get(w, 0) for w in words]), len(number)


class Net(torch.nn.Module):
    def __init__(self, vocabulary, embed, hidden, layers):
        super().__init__()
        self.vocabulary = vocabulary
        if embed:
            self.embed = torch.nn.Embedding(vocabulary, embed)
        self.rnn = torch.nn.LSTM(embed or vocabulary, hidden, layers)
        self.decoder = torch.nn.Linear(hidden, vocabulary)

    def forward(self, ids, state):
        if hasattr(self, "embed"):
            x = self.embed(ids)
        else:
            x = torch.nn.functional.one_hot(ids, self.vocabulary).float()
        y, state = self.rnn(x, state)
        return self.decoder(y), state


def held_out_loss(net, tokens):
    """One stream from the zero state, tokens 2..n predicted once each."""
    total, state = 0.0, None
    with torch.no_grad():
        for at in range(0, len(tokens) - 1, 2000):
            end = min(at + 2000, len(tokens) - 1)
            logits, state = net(tokens[at:end, None], state)
            total += torch.nn.functional.cross_entropy(
                logits[:, 0], tokens[at + 1:end + 1], reduction="sum").item()
    return total / (len(tokens) - 1)


def train(net, tokens, held_out, args):
    optimizer = torch.optim.Adam(net.parameters(), lr=args.lr)
    batch, steps = args.batch, args.seq_length
    row = (len(tokens) - 1) // batch
    at = torch.arange(batch) * row
    started, losses, best = time.time(), [], (float("inf"), 0)
    for epoch in range(args.epochs):
        state = None
        for begin in range(0, row, steps):
            n = min(steps, row - begin)
            index = (begin + torch.arange(n))[:, None] + at[None, :]
            logits, state = net(tokens[index], state)
            state = tuple(s.detach() for s in state)
            loss = torch.nn.functional.cross_entropy(
                logits.reshape(-1, net.vocabulary), tokens[index + 1].reshape(-1))
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), args.clip_norm)
            optimizer.step()
            losses.append(loss.item())
        loss = held_out_loss(net, held_out)
        if loss < best[0]:
            best = loss, epoch + 1
        print(f"pytorch: epoch {epoch + 1}, loss {np.mean(losses[-row // steps:]):.4f}, "
              f"held out {loss:.4f}, {time.time() - started:.0f} s", flush=True)
    return losses, best


def run_unroll(args, model, extra):
    command = [args.unroll, "train", args.data, "-o", model, "--force", "-q",
               "--tokens", args.tokens, "--embed", str(args.embed),
               "--threads", str(args.threads),
               "--hidden", str(args.hidden), "--layers", str(args.layers),
               "--seq-length", str(args.seq_length), "--batch", str(args.batch),
               "--epochs", str(args.epochs), "--optimizer", "adam", "--lr", str(args.lr),
               "--weight-decay", "0", "--schedule", "constant",
               "--clip-norm", str(args.clip_norm), "--seed", str(args.seed)]
    started = time.time()
    subprocess.run(command + extra, check=True)
    return time.time() - started


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("data")
    p.add_argument("--unroll", default="build/unroll")
    p.add_argument("--tokens", choices=("char", "word"), default="char")
    p.add_argument("--embed", type=int, default=0)
    p.add_argument("--hidden", type=int, default=128)
    p.add_argument("--layers", type=int, default=2)
    p.add_argument("--seq-length", type=int, default=50)
    p.add_argument("--batch", type=int, default=50)
    p.add_argument("--epochs", type=int, default=10)
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--clip-norm", type=float, default=5.0)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=os.cpu_count())
    args = p.parse_args()
    torch.set_num_threads(args.threads)

    with tempfile.TemporaryDirectory() as folder:
        initial = os.path.join(folder, "initial.safetensors")
        model = os.path.join(folder, "model.safetensors")
        run_unroll(args, initial, ["--steps", "0"])
        tokens, vocabulary = read_tokens(args.data, initial)
        held_out = int(0.1 * len(tokens))
        net = Net(vocabulary, args.embed, args.hidden, args.layers)
        net.load_state_dict(read_safetensors(initial), strict=True)

        log = os.path.join(folder, "log")
        seconds = run_unroll(args, model, ["--log", log])
        with open(log, encoding="utf-8") as f:
            steps = [json.loads(line) for line in f]
        ours_by_step = [s["loss"] for s in steps if s["kind"] == "step"]
        result = subprocess.run([args.unroll, "eval", model, args.data, "--part", "val",
                                 "--json"], check=True, capture_output=True, text=True)
        ours = json.loads(result.stdout)["loss"]
        print(f"unroll: held-out loss {ours:.4f} nats, {seconds:.0f} s", flush=True)

        # Both keep the net that is best on the part held out, looked at after each epoch.
        theirs_by_step, (theirs, epoch) = train(net, tokens[:len(tokens) - held_out],
                                                tokens[len(tokens) - held_out:], args)
        first = max(abs(a - b) for a, b in zip(ours_by_step[:20], theirs_by_step[:20]))
        print(f"the first 20 losses differ by at most {first:.1e} nats")
        print(f"pytorch {torch.__version__}: held-out loss {theirs:.4f} nats, epoch {epoch}")
        print(f"difference {ours - theirs:+.4f} nats; perplexity {np.exp(ours):.3f} "
              f"and {np.exp(theirs):.3f}, {100 * (np.exp(ours - theirs) - 1):+.2f} %")
        if abs(ours - theirs) > 0.02 or first > 1e-4:
            raise SystemExit(1)


if __name__ == "__main__":
    main()
