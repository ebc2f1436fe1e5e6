#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Networks of labels in PyTorch, on the batches of batches.c.

    python3 bench/peer_torch_labels.py THREADS      which way of theirs is faster, on each row
"""
import math
import sys
import time

import numpy as np
import torch
from torch.nn.functional import cross_entropy

import worker
from worker import BATCHES
from peer_torch_ragged import WAYS, Lengths, faster, joined, padded

WORDS, LETTERS, CLASSES, TAGS = 10000, 100, 2, 17
EMBED, LETTER_EMBED, LETTER_UNITS, MOST_LETTERS = 64, 32, 64, 10
STREAM_RARE, STREAM_LABEL, STREAM_LONG, STREAM_LETTER = range(102, 106)


# ---- batches ---------------------------------------------------------------

def shuffled(i, n):
    return i * 7919 % n


def lengths_of(row, k):
    n, least, b = BATCHES * row.B, (row.T + 24) // 25, np.arange(row.B)
    rank = shuffled(k * row.B + b, n) if row.kind.endswith("mix") \
        else k * row.B + shuffled(b, row.B)
    return least + (row.T - least) * rank * rank // (n - 1) ** 2


class Batch:
    """On both ways: padded [T,B], and the living steps as packed sequences lie."""

    def __init__(self, row, k):
        lengths, tagged = torch.from_numpy(lengths_of(row, k)), row.kind.startswith("tag")
        self.steps = Lengths(lengths)
        example = k * row.B + np.arange(row.B)
        i = example[None, :] * row.T + np.arange(self.steps.T)[:, None]
        ids = worker.random(i, worker.STREAM_IDS) % np.uint32(WORDS) >> \
            worker.random(i, STREAM_RARE) % np.uint32(13)
        self.ids = torch.from_numpy(ids.astype(np.int64))[:, self.steps.order]
        lives = self.steps.mask[..., 0] > 0
        if tagged:
            self.target = torch.where(lives, self.ids % TAGS, -1)
            self.target_packed = self.steps.pack(self.target)
            self.spell(lives)
        else:
            label = worker.random(example, STREAM_LABEL) % np.uint32(CLASSES)
            self.target = torch.from_numpy(label.astype(np.int64))[self.steps.order]
        self.ids = torch.where(lives, self.ids, 0)
        self.ids_packed = self.steps.pack(self.ids)

    def spell(self, lives):
        """The distinct words as letters, the longest first."""
        words = torch.unique(self.ids[lives]).numpy()
        long = 2 + worker.random(words, STREAM_LONG) % np.uint32(MOST_LETTERS - 1)
        self.letter_steps = Lengths(torch.from_numpy(long.astype(np.int64)))
        words = words[self.letter_steps.order.numpy()]
        i = words[None, :] * MOST_LETTERS + np.arange(self.letter_steps.T)[:, None]
        letters = worker.random(i, STREAM_LETTER) % np.uint32(LETTERS)
        self.letters = torch.from_numpy(letters.astype(np.int64))
        self.letters = torch.where(self.letter_steps.mask[..., 0] > 0, self.letters, 0)
        self.letters_packed = self.letter_steps.pack(self.letters)
        place = torch.zeros(WORDS, dtype=torch.int64)
        place[torch.from_numpy(words)] = torch.arange(len(words))
        self.spelling = torch.where(lives, place[self.ids], 0)
        self.spelling_packed = self.steps.pack(self.spelling)


# ---- networks --------------------------------------------------------------

class Classifier(torch.nn.Module):
    def __init__(self, H):
        super().__init__()
        self.embed = torch.nn.Embedding(WORDS, EMBED)
        self.rnn = torch.nn.LSTM(EMBED, H, bidirectional=True)
        self.out = torch.nn.Linear(2 * H, CLASSES)

    def packed(self, batch):
        x = batch.steps.packed(self.embed(batch.ids_packed))
        h = batch.steps.pad(self.rnn(x)[0].data)
        return h.sum(0) / batch.steps.lengths[:, None]

    def padded(self, batch):
        both = padded(self.rnn, self.embed(batch.ids), batch.steps)
        # A mean does not ask for the order: the second direction stays as it is.
        h = torch.cat([(h * batch.steps.mask).sum(0) for h in both], 1)
        return h / batch.steps.lengths[:, None]

    def loss(self, batch, way):
        return cross_entropy(self.out(getattr(self, way)(batch)), batch.target)


class Tagger(torch.nn.Module):
    def __init__(self, H):
        super().__init__()
        self.embed = torch.nn.Embedding(WORDS, EMBED)
        self.letter_embed = torch.nn.Embedding(LETTERS, LETTER_EMBED)
        self.letter_rnn = torch.nn.LSTM(LETTER_EMBED, LETTER_UNITS, bidirectional=True)
        self.rnn = torch.nn.LSTM(EMBED + 2 * LETTER_UNITS, H, bidirectional=True)
        self.out = torch.nn.Linear(2 * H, TAGS)

    def spelled(self, batch, way):
        """[W,2·LETTER_UNITS]"""
        steps = batch.letter_steps
        if way == "packed":
            x = steps.packed(self.letter_embed(batch.letters_packed))
            return torch.cat(self.rnn_last(x), 1)
        both = padded(self.letter_rnn, self.letter_embed(batch.letters), steps)
        return torch.cat([h.reshape(-1, LETTER_UNITS).index_select(0, steps.last) for h in both],
                         1)

    def rnn_last(self, x):
        return self.letter_rnn(x)[1][0].unbind(0)

    def loss(self, batch, way):
        spelled = self.spelled(batch, way)
        if way == "packed":
            x = torch.cat((self.embed(batch.ids_packed),
                           spelled.index_select(0, batch.spelling_packed)), 1)
            return cross_entropy(self.out(self.rnn(batch.steps.packed(x))[0].data),
                                 batch.target_packed)
        x = spelled.index_select(0, batch.spelling.view(-1)).view(*batch.ids.shape, -1)
        x = torch.cat((self.embed(batch.ids), x), 2)
        h = joined(padded(self.rnn, x, batch.steps), batch.steps)
        return cross_entropy(self.out(h).flatten(0, 1), batch.target.view(-1), ignore_index=-1)


class Labels:
    def __init__(self, row, way=None):
        self.net = (Tagger if row.kind.startswith("tag") else Classifier)(row.H)
        self.row, self.batches = row, [Batch(row, k) for k in range(BATCHES)]
        self.begin()
        self.way = way or faster({way: lambda way=way: self.update_all(way) for way in WAYS})

    def begin(self):
        with torch.no_grad():
            for i, p in enumerate(self.net.parameters()):
                scale = 1 / math.sqrt(self.row.H)
                p.copy_(torch.from_numpy(worker.fill(tuple(p.shape), i, scale)))
        self.optimizer = torch.optim.AdamW(self.net.parameters(), lr=1e-3, weight_decay=0.01,
                                           fused=True)

    def update(self, batch, way, look=None):
        loss = self.net.loss(batch, way)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if look is not None and not look:
            look.update(("d." + name.removeprefix("rnn."), p.grad.numpy().copy())
                        for name, p in self.net.named_parameters())
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0, foreach=True)
        self.optimizer.step()
        return loss.item()

    def update_all(self, way, look=None):
        return [self.update(batch, way, look) for batch in self.batches]

    def call(self):
        self.update_all(self.way)

    def values(self):
        """Of the way that is timed; the other must give the same losses."""
        found, losses = {}, {}
        for way in WAYS:
            self.begin()
            losses[way] = self.update_all(way, found if way == self.way else None)
        if not np.allclose(losses["packed"], losses["padded"], rtol=1e-4):
            raise ValueError(f"packed and padded disagree: {losses}")
        return {**found, "losses": np.array(losses[self.way])}


def main():
    """Both ways on the rows of the grid."""
    torch.set_num_threads(int(sys.argv[1]))
    for kind in ("classify", "classify-mix", "tag", "tag-mix"):
        row = worker.Row(f"{kind} lstm 50 32 128 1 2")
        nets = {way: Labels(row, way) for way in WAYS}
        took = {way: [] for way in WAYS}
        for _ in range(9):
            for way, net in nets.items():
                begin = time.perf_counter()
                net.call()
                took[way].append((time.perf_counter() - begin) / row.units)
        print(f"{kind:14}" + "".join(f"{way:>10} {1 / sorted(t)[len(t) // 2]:8.0f} examples/s"
                                     for way, t in took.items()))


if __name__ == "__main__":
    main()
