#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trains a character LSTM with PyTorch as `unroll train` does (same net, rows, optimizer,
clipping, held-out part) and prints the held-out loss whenever the clock, which stands still
while it validates, passes a mark, or after each so many updates. One JSON object a line. Used
by time_to_quality.py.
"""
import argparse
import gzip
import json
import time

import torch


class Net(torch.nn.Module):
    def __init__(self, vocabulary, hidden, layers):
        super().__init__()
        self.vocabulary = vocabulary
        self.rnn = torch.nn.LSTM(vocabulary, hidden, layers)
        self.decoder = torch.nn.Linear(hidden, vocabulary)

    def forward(self, ids, state):
        x = torch.nn.functional.one_hot(ids, self.vocabulary).float()
        y, state = self.rnn(x, state)
        return self.decoder(y), state


def read_tokens(path):
    opened = gzip.open(path, "rb") if path.endswith(".gz") else open(path, "rb")
    with opened as f:
        text = f.read().decode("utf-8")
    codes = sorted(set(text))
    number = {c: i for i, c in enumerate(codes)}
    return torch.tensor([number[c] for c in text]), len(codes)


@torch.no_grad()
def held_out_loss(net, tokens):
    """One stream from the zero state, tokens 2..n predicted once each."""
    total, state = 0.0, None
    for at in range(0, len(tokens) - 1, 2000):
        end = min(at + 2000, len(tokens) - 1)
        logits, state = net(tokens[at:end, None], state)
        total += torch.nn.functional.cross_entropy(logits[:, 0], tokens[at + 1:end + 1],
                                                   reduction="sum").item()
    return total / (len(tokens) - 1)


def batches(tokens, steps, rows):
    """Rows of text side by side, epoch after epoch; True where the state starts anew."""
    row = (len(tokens) - 1) // rows
    at = torch.arange(rows) * row
    while True:
        for begin in range(0, row, steps):
            index = (begin + torch.arange(min(steps, row - begin)))[:, None] + at[None, :]
            yield tokens[index], tokens[index + 1], begin == 0


class Marks:
    """When to validate, and what the clock says without validation."""

    def __init__(self, args):
        self.seconds = sorted(args.seconds)
        self.every, self.updates = args.every, args.updates
        self.spent, self.begin = 0.0, time.perf_counter()

    def due(self, step):
        elapsed = self.spent + time.perf_counter() - self.begin
        if self.every:
            return elapsed if step % self.every == 0 or step == self.updates else None
        return self.seconds.pop(0) if elapsed >= self.seconds[0] else None

    def over(self, step):
        return step >= self.updates if self.every else not self.seconds


def train(net, tokens, held_out, args):
    optimizer = torch.optim.AdamW(net.parameters(), lr=args.lr, weight_decay=0.01)
    marks, state, step = Marks(args), None, 0
    for inputs, targets, anew in batches(tokens, args.seq_length, args.batch):
        logits, state = net(inputs, None if anew else state)
        state = tuple(s.detach() for s in state)
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, net.vocabulary),
                                                 targets.reshape(-1))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        step += 1
        seconds = marks.due(step)
        if seconds is not None:
            marks.spent += time.perf_counter() - marks.begin
            print(json.dumps({"seconds": seconds, "step": step,
                              "val_loss": held_out_loss(net, held_out)}), flush=True)
            if marks.over(step):
                return
            marks.begin = time.perf_counter()


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("data")
    p.add_argument("--seconds", type=float, nargs="+", default=[])
    p.add_argument("--every", type=int, default=0, help="updates between validations")
    p.add_argument("--updates", type=int, default=0, help="the end, with --every")
    p.add_argument("--hidden", type=int, required=True)
    p.add_argument("--layers", type=int, required=True)
    p.add_argument("--seq-length", type=int, required=True)
    p.add_argument("--batch", type=int, required=True)
    p.add_argument("--lr", type=float, required=True)
    p.add_argument("--threads", type=int, required=True)
    args = p.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    tokens, vocabulary = read_tokens(args.data)
    held_out = int(0.1 * len(tokens))
    net = Net(vocabulary, args.hidden, args.layers)
    print(json.dumps({"version": torch.__version__}), flush=True)
    train(net, tokens[:len(tokens) - held_out], tokens[len(tokens) - held_out:], args)


if __name__ == "__main__":
    main()
